package iam

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awswire"
	"gatehouse/internal/policy"
	"gatehouse/internal/store"
)

// Limits of managed policies; white space doesn't count to the size.
const (
	maxPolicySize     = 6_144
	maxPolicyVersions = 5
)

func notFound(text string) string { return "Policy " + text + " was not found." }

// checkManaged checks the document of a managed policy.
func checkManaged(document string) error {
	if _, err := policy.Parse(policy.Managed, document); err != nil {
		return malformed(err)
	}
	if weigh(document) > maxPolicySize {
		return limitExceeded(fmt.Sprintf("Cannot exceed quota for PolicySize: %d", maxPolicySize))
	}
	return nil
}

// readPolicy reads one managed policy.
func (s *Service) readPolicy(c *awswire.Call, text *string, fn func(d *policyDoc) error) error {
	return s.store.View(c, func(tx *store.Tx) error {
		d, err := s.managed(tx, scopeOf(c), *text)
		if err != nil {
			return orNoSuch(err, notFound(*text))
		}
		return fn(d)
	})
}

// changePolicy changes one of the account's policies; AWS's own can't be.
func (s *Service) changePolicy(c *awswire.Call, text *string, fn func(d *policyDoc) error) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		d, err := s.ownPolicy(tx, scopeOf(c), *text)
		if err != nil {
			return err
		}
		if err := fn(d); err != nil {
			return err
		}
		return policies.Put(tx, scopeOf(c), d, id(d.Policy.PolicyName))
	})
}

func (s *Service) ownPolicy(tx *store.Tx, scope store.Scope, text string) (*policyDoc, error) {
	a, err := parsePolicyARN(text)
	if err != nil {
		return nil, err
	}
	if a.Account == "aws" {
		return nil, &awswire.Error{Code: "AccessDenied", Status: 403, Message: "Policies that AWS manages can't be changed: " + text}
	}
	d, err := s.managed(tx, scope, text)
	return d, orNoSuch(err, notFound(text))
}

// CreatePolicy makes a managed policy with its first version.
func (s *Service) CreatePolicy(c *awswire.Call, in *api.CreatePolicyRequest) (*api.CreatePolicyResponse, error) {
	if err := checkManaged(*in.PolicyDocument); err != nil {
		return nil, err
	}
	tags, err := merge(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	unique, err := newID(s.random, policyID, c.Account)
	if err != nil {
		return nil, err
	}
	d := &policyDoc{Last: 1, Policy: api.Policy{
		PolicyName: in.PolicyName, PolicyId: &unique, Path: path(in.Path), DefaultVersionId: new("v1"),
		AttachmentCount: new(int32(0)), PermissionsBoundaryUsageCount: new(int32(0)), IsAttachable: new(true),
		Description: some(in.Description), CreateDate: now(c), UpdateDate: now(c), Tags: tags,
	}}
	d.Policy.Arn = arnOf(c, "policy", d.Policy.Path, d.Policy.PolicyName)
	d.Versions = []api.PolicyVersion{{VersionId: new("v1"), IsDefaultVersion: new(true), CreateDate: now(c), Document: in.PolicyDocument}}
	err = s.store.Update(c, func(tx *store.Tx) error {
		if exists, err := policies.Exists(tx, scopeOf(c), id(in.PolicyName)); err != nil || exists {
			return errors.Join(err, alreadyExistsIf(exists, "A policy called "+*in.PolicyName+" already exists. Duplicate names are not allowed."))
		}
		return policies.Put(tx, scopeOf(c), d, id(in.PolicyName))
	})
	if err != nil {
		return nil, err
	}
	out := d.Policy
	// CreatePolicy doesn't repeat the description; GetPolicy tells it.
	out.Description = nil
	return &api.CreatePolicyResponse{Policy: &out}, nil
}

// GetPolicy tells everything about a policy but its documents.
func (s *Service) GetPolicy(c *awswire.Call, in *api.GetPolicyRequest) (*api.GetPolicyResponse, error) {
	out := &api.GetPolicyResponse{}
	err := s.readPolicy(c, in.PolicyArn, func(d *policyDoc) error {
		out.Policy = &d.Policy
		if out.Policy.Tags == nil {
			out.Policy.Tags = []api.Tag{}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ListPolicies lists the account's policies and AWS's, by ARN.
func (s *Service) ListPolicies(c *awswire.Call, in *api.ListPoliciesRequest) (*api.ListPoliciesResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	keep := func(d *policyDoc) bool {
		attachments, boundaries := *d.Policy.AttachmentCount, *d.Policy.PermissionsBoundaryUsageCount
		switch value(in.PolicyUsageFilter) {
		case "PermissionsPolicy":
			boundaries = 0
		case "PermissionsBoundary":
			attachments = 0
		}
		if value(in.OnlyAttached) && attachments+boundaries == 0 {
			return false
		}
		return under(in.PathPrefix, d.Policy.Path)
	}
	docs := map[string]*policyDoc{}
	err = s.store.View(c, func(tx *store.Tx) error {
		if value(in.Scope) != "AWS" {
			for e, err := range policies.All(tx, scopeOf(c)) {
				if err != nil {
					return err
				}
				docs[*e.Doc.Policy.Arn] = e.Doc
			}
		}
		if value(in.Scope) == "Local" {
			return nil
		}
		return s.awsListed(tx, c, docs)
	})
	if err != nil {
		return nil, err
	}
	var arns []string
	for text, d := range docs {
		if keep(d) {
			arns = append(arns, text)
		}
	}
	slices.Sort(arns)
	out := &api.ListPoliciesResponse{Policies: []api.Policy{}}
	pageOf(p, arns, func(text string) {
		item := docs[text].Policy
		item.Tags, item.Description = nil, nil
		out.Policies = append(out.Policies, item)
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, nil
}

// DeletePolicy deletes a policy that isn't used and has no version but the
// default one.
func (s *Service) DeletePolicy(c *awswire.Call, in *api.DeletePolicyRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		d, err := s.ownPolicy(tx, scopeOf(c), *in.PolicyArn)
		if err != nil {
			return err
		}
		if *d.Policy.AttachmentCount+*d.Policy.PermissionsBoundaryUsageCount > 0 {
			return conflict("Cannot delete a policy attached to entities.")
		}
		if len(d.Versions) > 1 {
			return conflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		return policies.Delete(tx, scopeOf(c), id(d.Policy.PolicyName))
	})
}

// version finds a version by its id.
func (d *policyDoc) version(versionID string) (int, error) {
	at := slices.IndexFunc(d.Versions, func(v api.PolicyVersion) bool { return *v.VersionId == versionID })
	if at < 0 {
		return 0, noSuchEntity("Policy " + *d.Policy.Arn + " version " + versionID + " does not exist or is not attachable.")
	}
	return at, nil
}

func (d *policyDoc) setDefault(c *awswire.Call, at int) {
	for i := range d.Versions {
		d.Versions[i].IsDefaultVersion = new(i == at)
	}
	d.Policy.DefaultVersionId = d.Versions[at].VersionId
	d.Policy.UpdateDate = now(c)
}

// CreatePolicyVersion adds a version. The five there may be include those that
// were made before.
func (s *Service) CreatePolicyVersion(c *awswire.Call, in *api.CreatePolicyVersionRequest) (*api.CreatePolicyVersionResponse, error) {
	if err := checkManaged(*in.PolicyDocument); err != nil {
		return nil, err
	}
	var v api.PolicyVersion
	err := s.changePolicy(c, in.PolicyArn, func(d *policyDoc) error {
		if len(d.Versions) >= maxPolicyVersions {
			return limitExceeded("A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.")
		}
		d.Last++
		v = api.PolicyVersion{VersionId: new("v" + strconv.Itoa(d.Last)), IsDefaultVersion: new(false), CreateDate: now(c), Document: in.PolicyDocument}
		d.Versions = append(d.Versions, v)
		if value(in.SetAsDefault) {
			d.setDefault(c, len(d.Versions)-1)
			v.IsDefaultVersion = new(true)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	v.Document = nil
	return &api.CreatePolicyVersionResponse{PolicyVersion: &v}, nil
}

// GetPolicyVersion returns a version with its document.
func (s *Service) GetPolicyVersion(c *awswire.Call, in *api.GetPolicyVersionRequest) (*api.GetPolicyVersionResponse, error) {
	var v api.PolicyVersion
	err := s.readPolicy(c, in.PolicyArn, func(d *policyDoc) error {
		at, err := d.version(*in.VersionId)
		if err != nil {
			return err
		}
		v = d.Versions[at]
		if v.Document == nil {
			return unknownDocument(*in.PolicyArn)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	v.Document = encoded(v.Document)
	return &api.GetPolicyVersionResponse{PolicyVersion: &v}, nil
}

// ListPolicyVersions lists the versions, newest first, without documents.
func (s *Service) ListPolicyVersions(c *awswire.Call, in *api.ListPolicyVersionsRequest) (*api.ListPolicyVersionsResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &api.ListPolicyVersionsResponse{Versions: []api.PolicyVersion{}}
	err = s.readPolicy(c, in.PolicyArn, func(d *policyDoc) error {
		byKey := map[string]api.PolicyVersion{}
		var keys []string
		for i, v := range slices.Backward(d.Versions) {
			key := fmt.Sprintf("%d", len(d.Versions)-1-i)
			v.Document = nil
			byKey[key] = v
			keys = append(keys, key)
		}
		pageOf(p, keys, func(key string) { out.Versions = append(out.Versions, byKey[key]) })
		return nil
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, err
}

// SetDefaultPolicyVersion makes a version the one in force.
func (s *Service) SetDefaultPolicyVersion(c *awswire.Call, in *api.SetDefaultPolicyVersionRequest) error {
	return s.changePolicy(c, in.PolicyArn, func(d *policyDoc) error {
		at, err := d.version(*in.VersionId)
		if err != nil {
			return err
		}
		d.setDefault(c, at)
		return nil
	})
}

// DeletePolicyVersion deletes a version that isn't the default.
func (s *Service) DeletePolicyVersion(c *awswire.Call, in *api.DeletePolicyVersionRequest) error {
	return s.changePolicy(c, in.PolicyArn, func(d *policyDoc) error {
		at, err := d.version(*in.VersionId)
		if err != nil {
			return err
		}
		if *d.Versions[at].IsDefaultVersion {
			return conflict("Cannot delete the default version of a policy.")
		}
		d.Versions = slices.Delete(d.Versions, at, at+1)
		return nil
	})
}

// TagPolicy adds or replaces tags.
func (s *Service) TagPolicy(c *awswire.Call, in *api.TagPolicyRequest) error {
	return s.changePolicy(c, in.PolicyArn, func(d *policyDoc) (err error) {
		d.Policy.Tags, err = merge(d.Policy.Tags, in.Tags)
		return err
	})
}

// UntagPolicy removes tags; keys that aren't there don't matter.
func (s *Service) UntagPolicy(c *awswire.Call, in *api.UntagPolicyRequest) error {
	return s.changePolicy(c, in.PolicyArn, func(d *policyDoc) error {
		d.Policy.Tags = without(d.Policy.Tags, in.TagKeys)
		return nil
	})
}

// ListPolicyTags lists the tags by key.
func (s *Service) ListPolicyTags(c *awswire.Call, in *api.ListPolicyTagsRequest) (*api.ListPolicyTagsResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &api.ListPolicyTagsResponse{}
	err = s.readPolicy(c, in.PolicyArn, func(d *policyDoc) error {
		out.Tags = tagPage(p, d.Policy.Tags)
		return nil
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, err
}

// ListEntitiesForPolicy lists who a policy is attached to, or bounds: groups,
// then roles, then users.
func (s *Service) ListEntitiesForPolicy(c *awswire.Call, in *api.ListEntitiesForPolicyRequest) (*api.ListEntitiesForPolicyResponse, error) {
	p, err := newPager(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &api.ListEntitiesForPolicyResponse{PolicyGroups: []api.PolicyGroup{}, PolicyRoles: []api.PolicyRole{}, PolicyUsers: []api.PolicyUser{}}
	add := map[string]func(){}
	uses := func(g grants, boundary *api.AttachedPermissionsBoundary, path *string) bool {
		attached := slices.Contains(g.Attached, *in.PolicyArn)
		bounds := boundary != nil && value(boundary.PermissionsBoundaryArn) == *in.PolicyArn
		switch value(in.PolicyUsageFilter) {
		case "PermissionsPolicy":
			bounds = false
		case "PermissionsBoundary":
			attached = false
		}
		return (attached || bounds) && under(in.PathPrefix, path)
	}
	wanted := func(kind string) bool { return in.EntityFilter == nil || *in.EntityFilter == kind }
	err = s.store.View(c, func(tx *store.Tx) error {
		if err := s.exists(tx, scopeOf(c), *in.PolicyArn, notFound(*in.PolicyArn)); err != nil {
			return err
		}
		for e, err := range groups.All(tx, scopeOf(c)) {
			if err != nil {
				return err
			}
			if d := e.Doc; wanted("Group") && uses(d.Grants, nil, d.Group.Path) {
				add["group/"+e.ID[0]] = func() {
					out.PolicyGroups = append(out.PolicyGroups, api.PolicyGroup{GroupName: d.Group.GroupName, GroupId: d.Group.GroupId})
				}
			}
		}
		for e, err := range roles.All(tx, scopeOf(c)) {
			if err != nil {
				return err
			}
			if d := e.Doc; wanted("Role") && uses(d.Grants, d.Role.PermissionsBoundary, d.Role.Path) {
				add["role/"+e.ID[0]] = func() {
					out.PolicyRoles = append(out.PolicyRoles, api.PolicyRole{RoleName: d.Role.RoleName, RoleId: d.Role.RoleId})
				}
			}
		}
		for e, err := range users.All(tx, scopeOf(c)) {
			if err != nil {
				return err
			}
			if d := e.Doc; wanted("User") && uses(d.Grants, d.User.PermissionsBoundary, d.User.Path) {
				add["user/"+e.ID[0]] = func() {
					out.PolicyUsers = append(out.PolicyUsers, api.PolicyUser{UserName: d.User.UserName, UserId: d.User.UserId})
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var keys []string
	for key := range add {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	pageOf(p, keys, func(key string) { add[key]() })
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, nil
}

// unknownDocument tells that AWS manages a policy whose text isn't known here.
func unknownDocument(text string) error {
	return &awswire.Error{
		Code: "NotImplementedException", Status: 501,
		Message: "gatehouse doesn't have the document of the AWS managed policy " + strings.TrimSpace(text) + "; it can be attached.",
	}
}
