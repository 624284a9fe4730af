package cognitoidp

import (
	"errors"
	"regexp"
	"strings"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/apiid"
	"gatehouse/internal/paging"
	"gatehouse/internal/store"
)

const (
	poolAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	poolIDLength = 9 // after the region and an underscore
)

var customID = regexp.MustCompile(`^[0-9A-Za-z]{1,40}$`)

func noPool(id *string) error {
	return notFound("User pool " + value(id) + " does not exist.")
}

// pool reads a pool of the caller's.
func pool(tx *store.Tx, c *awswire.Call, id *string) (*poolDoc, error) {
	d, err := pools.Get(tx, scopeOf(c), value(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, noPool(id)
	}
	return d, err
}

// viewPool reads a pool and what is in it.
func (s *Service) viewPool(c *awswire.Call, id *string, fn func(tx *store.Tx, d *poolDoc) error) error {
	return s.store.View(c, func(tx *store.Tx) error {
		d, err := pool(tx, c, id)
		if err != nil {
			return err
		}
		return fn(tx, d)
	})
}

// inPool changes what is in a pool.
func (s *Service) inPool(c *awswire.Call, id *string, fn func(tx *store.Tx, d *poolDoc) error) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		d, err := pool(tx, c, id)
		if err != nil {
			return err
		}
		return fn(tx, d)
	})
}

// changePool changes a pool itself.
func (s *Service) changePool(c *awswire.Call, id *string, fn func(tx *store.Tx, d *poolDoc) error) error {
	return s.inPool(c, id, func(tx *store.Tx, d *poolDoc) error {
		if err := fn(tx, d); err != nil {
			return err
		}
		d.Pool.LastModifiedDate = now(c)
		return pools.Put(tx, scopeOf(c), d, value(id))
	})
}

// CreateUserPool makes a pool.
func (s *Service) CreateUserPool(c *awswire.Call, in *api.CreateUserPoolRequest) (*api.CreateUserPoolResponse, error) {
	d := &poolDoc{Pool: api.UserPoolType{
		Name: in.PoolName, Policies: in.Policies, DeletionProtection: in.DeletionProtection, LambdaConfig: in.LambdaConfig,
		AutoVerifiedAttributes: in.AutoVerifiedAttributes, AliasAttributes: in.AliasAttributes, UsernameAttributes: in.UsernameAttributes,
		SmsVerificationMessage: in.SmsVerificationMessage, EmailVerificationMessage: in.EmailVerificationMessage,
		EmailVerificationSubject: in.EmailVerificationSubject, VerificationMessageTemplate: in.VerificationMessageTemplate,
		SmsAuthenticationMessage: in.SmsAuthenticationMessage, MfaConfiguration: in.MfaConfiguration,
		UserAttributeUpdateSettings: in.UserAttributeUpdateSettings, DeviceConfiguration: in.DeviceConfiguration,
		EmailConfiguration: in.EmailConfiguration, SmsConfiguration: in.SmsConfiguration, UserPoolTags: in.UserPoolTags,
		AdminCreateUserConfig: in.AdminCreateUserConfig, UserPoolAddOns: in.UserPoolAddOns, UsernameConfiguration: in.UsernameConfiguration,
		AccountRecoverySetting: in.AccountRecoverySetting, UserPoolTier: in.UserPoolTier,
		CreationDate: now(c), LastModifiedDate: now(c),
	}}
	p := &d.Pool
	if err := unsupported(in.DcrConfiguration != nil, in.KeyConfiguration != nil, in.IssuerConfiguration != nil, in.AcrConfiguration != nil); err != nil {
		return nil, err
	}
	if err := checkTags(in.UserPoolTags); err != nil {
		return nil, err
	}
	if len(in.AliasAttributes) > 0 && len(in.UsernameAttributes) > 0 {
		return nil, invalid("Only one of the aliasAttributes or usernameAttributes can be set in a user pool.")
	}
	var err error
	if p.SchemaAttributes, err = newSchema(in.Schema); err != nil {
		return nil, err
	}
	if err := complete(p); err != nil {
		return nil, err
	}
	if value(p.MfaConfiguration) != api.UserPoolMfaTypeOff && p.SmsConfiguration == nil {
		return nil, invalid("SMS configuration and Auto verification for phone_number are required when MFA is required/optional")
	}
	err = s.store.Update(c, func(tx *store.Tx) error {
		id, err := s.claim(tx, c, in.UserPoolTags[apiid.CustomTag])
		if err != nil {
			return err
		}
		p.Id, p.Arn = &id, new(poolARN(c, id))
		return pools.Put(tx, scopeOf(c), d, id)
	})
	if err != nil {
		return nil, err
	}
	s.makeKeys(scopeOf(c), *p.Id)
	out := d.Pool
	out.EstimatedNumberOfUsers = new(int32(0))
	return &api.CreateUserPoolResponse{UserPool: &out}, nil
}

// claim takes the id that was asked for, or a random one for "".
func (s *Service) claim(tx *store.Tx, c *awswire.Call, asked string) (string, error) {
	owner := &ownerDoc{c.Account, c.Region}
	prefix := c.Region + "_"
	if asked != "" {
		own := strings.TrimPrefix(asked, prefix)
		if !customID.MatchString(own) {
			return "", invalid("Invalid value for the tag " + apiid.CustomTag + ": an id has letters and digits only, with or without " + prefix + " before them")
		}
		id := prefix + own
		taken, err := poolOwners.Exists(tx, store.Scope{}, id)
		if err != nil {
			return "", err
		}
		if taken {
			return "", invalid("The user pool id " + id + " given by the tag " + apiid.CustomTag + " is already in use")
		}
		return id, poolOwners.Put(tx, store.Scope{}, owner, id)
	}
	for {
		text, err := apiid.Text(s.random, poolAlphabet, poolIDLength)
		if err != nil {
			return "", err
		}
		id := prefix + text
		taken, err := poolOwners.Exists(tx, store.Scope{}, id)
		if err != nil {
			return "", err
		}
		if !taken {
			return id, poolOwners.Put(tx, store.Scope{}, owner, id)
		}
	}
}

func poolARN(c *awswire.Call, id string) string {
	return arn.ARN{Partition: arn.Partition(c.Region), Service: "cognito-idp", Region: c.Region, Account: c.Account, Resource: "userpool/" + id}.String()
}

// DescribeUserPool tells about a pool.
func (s *Service) DescribeUserPool(c *awswire.Call, in *api.DescribeUserPoolRequest) (*api.DescribeUserPoolResponse, error) {
	out := &api.DescribeUserPoolResponse{}
	err := s.viewPool(c, in.UserPoolId, func(tx *store.Tx, d *poolDoc) error {
		p := d.Pool
		n, err := userCounts.Get(tx, scopeOf(c), *p.Id)
		if errors.Is(err, store.ErrNotFound) {
			n, err = &countDoc{}, nil
		}
		if err != nil {
			return err
		}
		p.EstimatedNumberOfUsers = &n.Users
		out.UserPool = &p
		return nil
	})
	return out, err
}

// UpdateUserPool gives a pool new settings. What the call leaves out goes back to
// its default, as on AWS; tags, the name and the tier stay.
func (s *Service) UpdateUserPool(c *awswire.Call, in *api.UpdateUserPoolRequest) (*api.UpdateUserPoolResponse, error) {
	if err := unsupported(in.DcrConfiguration != nil, in.KeyConfiguration != nil, in.IssuerConfiguration != nil, in.AcrConfiguration != nil); err != nil {
		return nil, err
	}
	if err := checkTags(in.UserPoolTags); err != nil {
		return nil, err
	}
	err := s.changePool(c, in.UserPoolId, func(_ *store.Tx, d *poolDoc) error {
		old := d.Pool
		d.Pool = api.UserPoolType{
			Id: old.Id, Arn: old.Arn, CreationDate: old.CreationDate, SchemaAttributes: old.SchemaAttributes,
			AliasAttributes: old.AliasAttributes, UsernameAttributes: old.UsernameAttributes, UsernameConfiguration: old.UsernameConfiguration,
			Domain: old.Domain, CustomDomain: old.CustomDomain,
			Name: or(in.PoolName, *old.Name), UserPoolTier: or(in.UserPoolTier, *old.UserPoolTier), UserPoolTags: old.UserPoolTags,
			Policies: in.Policies, DeletionProtection: in.DeletionProtection, LambdaConfig: in.LambdaConfig,
			AutoVerifiedAttributes: in.AutoVerifiedAttributes, SmsVerificationMessage: in.SmsVerificationMessage,
			EmailVerificationMessage: in.EmailVerificationMessage, EmailVerificationSubject: in.EmailVerificationSubject,
			VerificationMessageTemplate: in.VerificationMessageTemplate, SmsAuthenticationMessage: in.SmsAuthenticationMessage,
			MfaConfiguration: in.MfaConfiguration, UserAttributeUpdateSettings: in.UserAttributeUpdateSettings,
			DeviceConfiguration: in.DeviceConfiguration, EmailConfiguration: in.EmailConfiguration, SmsConfiguration: in.SmsConfiguration,
			AdminCreateUserConfig: in.AdminCreateUserConfig, UserPoolAddOns: in.UserPoolAddOns, AccountRecoverySetting: in.AccountRecoverySetting,
		}
		if in.UserPoolTags != nil {
			d.Pool.UserPoolTags = in.UserPoolTags
		}
		if err := complete(&d.Pool); err != nil {
			return err
		}
		if value(d.Pool.MfaConfiguration) != api.UserPoolMfaTypeOff && d.Pool.SmsConfiguration == nil && !softwareTokens(d) {
			return invalid("SMS configuration and Auto verification for phone_number are required when MFA is required/optional")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.UpdateUserPoolResponse{}, nil
}

// DeleteUserPool deletes a pool and everything in it.
func (s *Service) DeleteUserPool(c *awswire.Call, in *api.DeleteUserPoolRequest) error {
	return s.inPool(c, in.UserPoolId, func(tx *store.Tx, d *poolDoc) error {
		if value(d.Pool.DeletionProtection) == api.DeletionProtectionTypeActive {
			return invalid("The user pool cannot be deleted because deletion protection is activated. Deletion protection must be inactivated first.")
		}
		if d.Pool.Domain != nil || d.Pool.CustomDomain != nil {
			return invalid("User pool cannot be deleted. It has a domain configured that should be deleted first.")
		}
		scope, id := scopeOf(c), *d.Pool.Id
		for _, all := range [...]func(*store.Tx, store.Scope, ...string) (int, error){
			clients.DeleteAll, resourceServers.DeleteAll, groups.DeleteAll, members.DeleteAll, users.DeleteAll,
			aliases.DeleteAll, revocations.DeleteAll, userCounts.DeleteAll, signingKeys.DeleteAll,
		} {
			if _, err := all(tx, scope, id); err != nil {
				return err
			}
		}
		return errors.Join(poolOwners.Delete(tx, store.Scope{}, id), pools.Delete(tx, scope, id))
	})
}

// ListUserPools lists the pools of the caller's region by id.
func (s *Service) ListUserPools(c *awswire.Call, in *api.ListUserPoolsRequest) (*api.ListUserPoolsResponse, error) {
	out := &api.ListUserPoolsResponse{UserPools: []api.UserPoolDescriptionType{}}
	err := s.store.View(c, func(tx *store.Tx) error {
		page, next, err := pools.ListToken(tx, scopeOf(c), value(in.NextToken), pageSize(in.MaxResults, maxPage))
		if err != nil {
			return badToken(err)
		}
		for _, e := range page {
			p := e.Doc.Pool
			out.UserPools = append(out.UserPools, api.UserPoolDescriptionType{
				Id: p.Id, Name: p.Name, LambdaConfig: p.LambdaConfig, LastModifiedDate: p.LastModifiedDate, CreationDate: p.CreationDate,
			})
		}
		out.NextToken = some(next)
		return nil
	})
	return out, err
}

// badToken words a token that isn't one of the list's.
func badToken(err error) error {
	if errors.Is(err, paging.ErrBadToken) {
		return invalid("Invalid token.")
	}
	return err
}

// some is a pointer to s, or nil for an empty text.
func some(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
