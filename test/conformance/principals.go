package conformance

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// A Principal is an IAM user with an access key, or a role with a session.
type Principal struct {
	// Members are those of CreateUser or CreateRole; a role can be assumed by its
	// account unless AssumeRolePolicyDocument says otherwise.
	Members Members `yaml:",inline"`
	// Invoke are resources of execute-api, without what ARNs begin with, that a
	// policy allows execute-api:Invoke on.
	Invoke []string `yaml:"invoke"`
	// Policies are policy documents under the names of inline policies, Attached
	// those of managed policies.
	Policies map[string]any `yaml:"policies"`
	Attached map[string]any `yaml:"attached"`
	// Groups are inline policies of groups that a user is in, by the group's name.
	Groups map[string]any `yaml:"groups"`
	// Boundary is the document of the permissions boundary.
	Boundary any `yaml:"boundary"`
	// Session are members of AssumeRole.
	Session Members `yaml:"session"`
}

// A madePrincipal is one that has been made.
type madePrincipal struct {
	name, arn, id string
	// session is the ARN of a role's session.
	session     string
	credentials aws.Credentials
}

// value is what a placeholder wants of it: its ARN, the user's or role's name
// and id, the access key, the session's ARN and token.
func (p *madePrincipal) value(attribute string) (string, bool) {
	switch attribute {
	case "":
		return p.arn, true
	case "name":
		return p.name, true
	case "id":
		return p.id, true
	case "key":
		return p.credentials.AccessKeyID, true
	case "secret":
		return p.credentials.SecretAccessKey, true
	case "session":
		return p.session, p.session != ""
	case "token":
		return p.credentials.SessionToken, p.session != ""
	}
	return "", false
}

// query calls an operation of a query service, whose answers are XML.
func (w *World) query(ctx context.Context, name string, with Members, out any) error {
	a, err := w.Client.Call(ctx, name, with)
	if err != nil {
		return err
	}
	if a.status >= 300 {
		return fmt.Errorf("%s of the setup: %s", name, a)
	}
	if out == nil {
		return nil
	}
	return xml.Unmarshal(a.body, out)
}

// policyText is a policy document as a text.
func policyText(document any, lookup names) (string, error) {
	if text, ok := document.(string); ok {
		return expand(text, lookup)
	}
	plain, err := plainJSON(document)
	if err != nil {
		return "", err
	}
	expanded, err := expandAll(plain, lookup)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(expanded)
	return string(text), err
}

// A principalMaker makes a user or a role.
type principalMaker struct {
	scene *scene
	spec  Principal
	// kind is User or Role, which the operations are called after.
	kind, name string
}

func (m principalMaker) call(ctx context.Context, operation string, with Members, out any) error {
	all := Members{m.kind + "Name": m.name}
	maps.Copy(all, with)
	return m.scene.world.query(ctx, "iam:"+operation, all, out)
}

func (m principalMaker) later(operation string, with Members) {
	all := Members{m.kind + "Name": m.name}
	maps.Copy(all, with)
	m.scene.world.later("iam:"+operation, all)
}

// permissions gives it its policies.
func (m principalMaker) permissions(ctx context.Context) error {
	policies := maps.Clone(m.spec.Policies)
	if policies == nil {
		policies = map[string]any{}
	}
	if len(m.spec.Invoke) > 0 {
		var resources []any
		for _, r := range m.spec.Invoke {
			resources = append(resources, "arn:aws:execute-api:$(region):$(account):"+r)
		}
		policies["invoke"] = map[string]any{"Version": "2012-10-17", "Statement": []any{
			map[string]any{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resources},
		}}
	}
	for _, name := range sortedKeys(policies) {
		text, err := policyText(policies[name], m.scene.lookup)
		if err != nil {
			return err
		}
		if err := m.call(ctx, "Put"+m.kind+"Policy", Members{"PolicyName": name, "PolicyDocument": text}, nil); err != nil {
			return err
		}
		m.later("Delete"+m.kind+"Policy", Members{"PolicyName": name})
	}
	for _, name := range sortedKeys(m.spec.Attached) {
		arn, err := m.managed(ctx, m.spec.Attached[name])
		if err != nil {
			return err
		}
		if err := m.call(ctx, "Attach"+m.kind+"Policy", Members{"PolicyArn": arn}, nil); err != nil {
			return err
		}
		m.later("Detach"+m.kind+"Policy", Members{"PolicyArn": arn})
	}
	for _, name := range sortedKeys(m.spec.Groups) {
		if err := m.group(ctx, m.spec.Groups[name]); err != nil {
			return err
		}
	}
	return nil
}

// managed makes a managed policy and returns its ARN; an ARN is that of one
// there is.
func (m principalMaker) managed(ctx context.Context, document any) (string, error) {
	text, err := policyText(document, m.scene.lookup)
	if err != nil || strings.HasPrefix(text, "arn:") {
		return text, err
	}
	var made struct {
		Arn string `xml:"CreatePolicyResult>Policy>Arn"`
	}
	if err := m.scene.world.query(ctx, "iam:CreatePolicy", Members{"PolicyName": m.scene.world.unique(), "PolicyDocument": text}, &made); err != nil {
		return "", err
	}
	m.scene.world.later("iam:DeletePolicy", Members{"PolicyArn": made.Arn})
	return made.Arn, nil
}

// group puts a user into a group with a policy.
func (m principalMaker) group(ctx context.Context, document any) error {
	text, err := policyText(document, m.scene.lookup)
	if err != nil {
		return err
	}
	w := m.scene.world
	group := w.unique()
	if err := w.query(ctx, "iam:CreateGroup", Members{"GroupName": group}, nil); err != nil {
		return err
	}
	w.later("iam:DeleteGroup", Members{"GroupName": group})
	if err := w.query(ctx, "iam:PutGroupPolicy", Members{"GroupName": group, "PolicyName": "group", "PolicyDocument": text}, nil); err != nil {
		return err
	}
	w.later("iam:DeleteGroupPolicy", Members{"GroupName": group, "PolicyName": "group"})
	if err := m.call(ctx, "AddUserToGroup", Members{"GroupName": group}, nil); err != nil {
		return err
	}
	m.later("RemoveUserFromGroup", Members{"GroupName": group})
	return nil
}

// members are those of CreateUser or CreateRole, with the boundary.
func (m principalMaker) members(ctx context.Context) (Members, error) {
	with, err := expandMembers(m.spec.Members, m.scene.lookup)
	if err != nil || m.spec.Boundary == nil {
		return with, err
	}
	with["PermissionsBoundary"], err = m.managed(ctx, m.spec.Boundary)
	return with, err
}

// makeUser makes a user with an access key.
func (s *scene) makeUser(name string) (*madePrincipal, error) {
	ctx := context.Background()
	m := principalMaker{scene: s, spec: s.setup.Users[name], kind: "User", name: s.world.unique()}
	with, err := m.members(ctx)
	if err != nil {
		return nil, err
	}
	var user struct {
		Arn string `xml:"CreateUserResult>User>Arn"`
		ID  string `xml:"CreateUserResult>User>UserId"`
	}
	if err := m.call(ctx, "CreateUser", with, &user); err != nil {
		return nil, err
	}
	m.later("DeleteUser", nil)
	if err := m.permissions(ctx); err != nil {
		return nil, err
	}
	var key struct {
		ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
		Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
	}
	if err := m.call(ctx, "CreateAccessKey", nil, &key); err != nil {
		return nil, err
	}
	m.later("DeleteAccessKey", Members{"AccessKeyId": key.ID})
	return &madePrincipal{name: m.name, arn: user.Arn, id: user.ID, credentials: aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: key.Secret}}, nil
}

// makeRolePrincipal makes a role and assumes it.
func (s *scene) makeRolePrincipal(name string) (*madePrincipal, error) {
	ctx := context.Background()
	m := principalMaker{scene: s, spec: s.setup.Roles[name], kind: "Role", name: s.world.unique()}
	with, err := m.members(ctx)
	if err != nil {
		return nil, err
	}
	if with["AssumeRolePolicyDocument"] == nil {
		if with["AssumeRolePolicyDocument"], err = expand(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],`+
			`"Principal":{"AWS":"arn:aws:iam::$(account):root"}}]}`, s.lookup); err != nil {
			return nil, err
		}
	}
	var role struct {
		Arn string `xml:"CreateRoleResult>Role>Arn"`
		ID  string `xml:"CreateRoleResult>Role>RoleId"`
	}
	if err := m.call(ctx, "CreateRole", with, &role); err != nil {
		return nil, err
	}
	m.later("DeleteRole", nil)
	if err := m.permissions(ctx); err != nil {
		return nil, err
	}
	session, err := expandMembers(m.spec.Session, s.lookup)
	if err != nil {
		return nil, err
	}
	if document, ok := m.spec.Session["Policy"]; ok {
		if session["Policy"], err = policyText(document, s.lookup); err != nil {
			return nil, err
		}
	}
	all := Members{"RoleArn": role.Arn, "RoleSessionName": "session"}
	maps.Copy(all, session)
	var made struct {
		Session string `xml:"AssumeRoleResult>AssumedRoleUser>Arn"`
		ID      string `xml:"AssumeRoleResult>AssumedRoleUser>AssumedRoleId"`
		Key     string `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
		Secret  string `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
		Token   string `xml:"AssumeRoleResult>Credentials>SessionToken"`
	}
	if err := s.world.query(ctx, "sts:AssumeRole", all, &made); err != nil {
		return nil, err
	}
	return &madePrincipal{
		name: m.name, arn: role.Arn, id: made.ID, session: made.Session,
		credentials: aws.Credentials{AccessKeyID: made.Key, SecretAccessKey: made.Secret, SessionToken: made.Token},
	}, nil
}

// principal finds users.NAME and roles.NAME in this setup and those around it.
func (s *scene) principal(name string) (*madePrincipal, error) {
	for ; s != nil; s = s.outer {
		if get := s.principals[name]; get != nil {
			return get()
		}
	}
	return nil, fmt.Errorf("there is no principal %q; they are called users.NAME and roles.NAME", name)
}
