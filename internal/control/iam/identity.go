package iam

import (
	"strings"

	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/policy"
)

// An Identity is a user or a role as policies see it. It never changes: what
// changes is replaced by another.
type Identity struct {
	// Account, ARN, ID and Name name it; ID is unique for all time.
	Account, ARN, ID, Name string
	// Subject are the policies it has: inline, managed, those of a user's groups,
	// and its boundary.
	Subject *policy.Subject
	// BoundaryARN is the policy that is its boundary, "" for none.
	BoundaryARN string
	// Tags are the values of its tags by condition key, as in
	// "aws:principaltag/team".
	Tags map[string][]string

	// groups are the ids of the groups of a user, policies the ARNs of all managed
	// policies in Subject: what to watch for changes.
	groups, policies []string
	// keys are the condition keys of who calls with the identity's own access key.
	keys map[string][]string
}

// Lookup implements policy.Keys with the keys that a user's own access key
// gives a request.
func (v *Identity) Lookup(key string) ([]string, bool) {
	values, ok := v.keys[key]
	return values, ok
}

// kind is "user" or "role": a role has no access keys.
func (v *Identity) kind() string {
	if v.keys == nil {
		return "role"
	}
	return "user"
}

// principalTag is the condition key of a principal's tag.
func principalTag(key string) string { return "aws:principaltag/" + strings.ToLower(key) }

func tagKeys(tags []api.Tag) map[string][]string {
	out := make(map[string][]string, len(tags))
	for _, t := range tags {
		out[principalTag(value(t.Key))] = []string{value(t.Value)}
	}
	return out
}

// PrincipalKeys are the condition keys that tell who a caller is. Kind is
// aws:PrincipalType, tags are as in Identity.
func PrincipalKeys(kind, account, arn, userID string, tags map[string][]string) map[string][]string {
	keys := map[string][]string{
		"aws:principaltype":         {kind},
		"aws:principalaccount":      {account},
		"aws:principalarn":          {arn},
		"aws:userid":                {userID},
		"aws:principalisawsservice": {"false"},
		"aws:viaawsservice":         {"false"},
	}
	for key, values := range tags {
		keys[key] = values
	}
	return keys
}

// newUser makes the identity of a user.
func (b *build) newUser(account string, doc *userDoc) (*Identity, error) {
	u := &doc.User
	v := &Identity{Account: account, ARN: *u.Arn, ID: *u.UserId, Name: *u.UserName, Tags: tagKeys(u.Tags), groups: doc.Groups}
	all := []grants{doc.Grants}
	for _, id := range doc.Groups {
		g, err := b.group(account, id)
		if err != nil {
			return nil, err
		}
		if g != nil {
			all = append(all, g.Grants)
		}
	}
	v.keys = PrincipalKeys("User", account, v.ARN, v.ID, v.Tags)
	v.keys["aws:username"] = []string{v.Name}
	b.grant(v, account, u.PermissionsBoundary, all...)
	return v, nil
}

// newRole makes the identity of a role.
func (b *build) newRole(account string, doc *roleDoc) *Identity {
	r := &doc.Role
	v := &Identity{Account: account, ARN: *r.Arn, ID: *r.RoleId, Name: *r.RoleName, Tags: tagKeys(r.Tags)}
	b.grant(v, account, r.PermissionsBoundary, doc.Grants)
	return v
}

// grant fills in what an identity may do.
func (b *build) grant(v *Identity, account string, boundary *api.AttachedPermissionsBoundary, all ...grants) {
	v.Subject = &policy.Subject{}
	for _, g := range all {
		for _, text := range g.Inline {
			v.Subject.Identity = append(v.Subject.Identity, b.parse(policy.Inline, text))
		}
		for _, arn := range g.Attached {
			v.Subject.Identity = append(v.Subject.Identity, b.document(account, arn))
			v.policies = append(v.policies, arn)
		}
	}
	if boundary != nil {
		arn := value(boundary.PermissionsBoundaryArn)
		v.Subject.Boundary = b.document(account, arn)
		v.policies = append(v.policies, arn)
		v.BoundaryARN = arn
	}
}

// nothing is a document that says nothing: that of an AWS managed policy whose
// text isn't known here, and of a policy that isn't there.
var nothing = &policy.Document{}
