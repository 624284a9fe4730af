package iam

import (
	"errors"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

func partition(c *awswire.Call) string { return arn.Partition(c.Region) }

// account reads what is known of the account itself.
func account(tx *store.Tx, c *awswire.Call) (*accountDoc, error) {
	d, err := accounts.Get(tx, scopeOf(c))
	if errors.Is(err, store.ErrNotFound) {
		return &accountDoc{}, nil
	}
	return d, err
}

// CreateAccountAlias gives the account its one alias, in place of any other.
func (s *Service) CreateAccountAlias(c *awswire.Call, in *api.CreateAccountAliasRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		for e, err := range accounts.Everywhere(tx) {
			if err != nil {
				return err
			}
			if e.Doc.Alias == *in.AccountAlias && e.Account != c.Account {
				return alreadyExists("The account alias " + *in.AccountAlias + " already exists.")
			}
		}
		d, err := account(tx, c)
		if err != nil {
			return err
		}
		d.Alias = *in.AccountAlias
		return accounts.Put(tx, scopeOf(c), d)
	})
}

// DeleteAccountAlias takes the alias away.
func (s *Service) DeleteAccountAlias(c *awswire.Call, in *api.DeleteAccountAliasRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		d, err := account(tx, c)
		if err != nil {
			return err
		}
		if d.Alias != *in.AccountAlias {
			return noSuchEntity("The account alias " + *in.AccountAlias + " cannot be found.")
		}
		d.Alias = ""
		return accounts.Put(tx, scopeOf(c), d)
	})
}

// ListAccountAliases lists the one alias there may be.
func (s *Service) ListAccountAliases(c *awswire.Call, _ *api.ListAccountAliasesRequest) (*api.ListAccountAliasesResponse, error) {
	out := &api.ListAccountAliasesResponse{AccountAliases: []string{}, IsTruncated: new(false)}
	err := s.store.View(c, func(tx *store.Tx) error {
		d, err := account(tx, c)
		if err == nil && d.Alias != "" {
			out.AccountAliases = append(out.AccountAliases, d.Alias)
		}
		return err
	})
	return out, err
}

// GetAccountSummary counts what the account has, beside AWS's quotas.
func (s *Service) GetAccountSummary(c *awswire.Call) (*api.GetAccountSummaryResponse, error) {
	sum := map[string]int32{
		"AccessKeysPerUserQuota": maxAccessKeys, "AccountMFAEnabled": 0, "AccountAccessKeysPresent": 0, "AccountPasswordPresent": 1,
		"AccountSigningCertificatesPresent": 0, "AssumeRolePolicySizeQuota": 2048, "AttachedPoliciesPerGroupQuota": 10,
		"AttachedPoliciesPerRoleQuota": 10, "AttachedPoliciesPerUserQuota": 10, "GlobalEndpointTokenVersion": 1,
		"GroupPolicySizeQuota": 5120, "GroupsPerUserQuota": maxGroups, "GroupsQuota": 300, "InstanceProfilesQuota": 1000,
		"MFADevices": 0, "MFADevicesInUse": 0, "PoliciesQuota": 1500, "PolicySizeQuota": maxPolicySize, "PolicyVersionsInUseQuota": 10000,
		"Providers": 0, "RolePolicySizeQuota": 10240, "RolesQuota": 1000, "ServerCertificates": 0, "ServerCertificatesQuota": 20,
		"SigningCertificatesPerUserQuota": 2, "UserPolicySizeQuota": 2048, "UsersQuota": 5000, "VersionsPerPolicyQuota": maxPolicyVersions,
		"Users": 0, "Groups": 0, "Roles": 0, "Policies": 0, "PolicyVersionsInUse": 0, "InstanceProfiles": 0,
	}
	err := s.store.View(c, func(tx *store.Tx) error {
		for e, err := range policies.All(tx, scopeOf(c)) {
			if err != nil {
				return err
			}
			sum["Policies"]++
			sum["PolicyVersionsInUse"] += int32(len(e.Doc.Versions))
		}
		return errors.Join(
			tally(tx, c, users, sum, "Users"), tally(tx, c, groups, sum, "Groups"),
			tally(tx, c, roles, sum, "Roles"), tally(tx, c, profiles, sum, "InstanceProfiles"))
	})
	if err != nil {
		return nil, err
	}
	return &api.GetAccountSummaryResponse{SummaryMap: sum}, nil
}

// tally counts the documents of a kind.
func tally[T any](tx *store.Tx, c *awswire.Call, kind store.Kind[T], sum map[string]int32, name string) error {
	for _, err := range kind.All(tx, scopeOf(c)) {
		if err != nil {
			return err
		}
		sum[name]++
	}
	return nil
}
