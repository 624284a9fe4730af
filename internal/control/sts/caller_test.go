package sts_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	iamapi "gatehouse/internal/awsapi/iam"
	api "gatehouse/internal/awsapi/sts"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/sts"
	"gatehouse/internal/policy"
)

// says is an identity policy of one statement.
func says(effect, action string) *string {
	return new(`{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Action":"` + action + `","Resource":"*"}]}`)
}

// may tells what a caller's policies say of an action.
func may(c sts.Caller, action string) policy.Verdict {
	if c.Subject == nil {
		return policy.Verdict{Decision: policy.Allowed}
	}
	return c.Subject.Decide(&policy.Request{Action: action, Resource: "arn:aws:s3:::b", Caller: c.Caller, Keys: c.Keys})
}

func (f *fixture) caller(t *testing.T, accessKeyID, token string) sts.Caller {
	t.Helper()
	c, ok := f.Credentials.Caller(accessKeyID, token)
	if !ok {
		t.Fatalf("nobody has the key %s", accessKeyID)
	}
	return c
}

func (f *fixture) session(t *testing.T, c *api.Credentials) sts.Caller {
	t.Helper()
	v := f.caller(t, *c.AccessKeyId, *c.SessionToken)
	if v.Secret != *c.SecretAccessKey || !v.Expires.Equal(*c.Expiration) {
		t.Errorf("session %+v", v)
	}
	return v
}

// do fails the test with the error of a step.
func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// user makes a user and an access key.
func (f *fixture) user(t *testing.T, name string) *iamapi.AccessKey {
	t.Helper()
	_, err := f.iam.CreateUser(f.as(root), &iamapi.CreateUserRequest{UserName: &name, Tags: []iamapi.Tag{{Key: new("Team"), Value: new("a")}}})
	do(t, err)
	k, err := f.iam.CreateAccessKey(f.as(root), &iamapi.CreateAccessKeyRequest{UserName: &name})
	do(t, err)
	return k.AccessKey
}

// managed makes a policy and returns its ARN.
func (f *fixture) managed(t *testing.T, name string, document *string) *string {
	t.Helper()
	out, err := f.iam.CreatePolicy(f.as(root), &iamapi.CreatePolicyRequest{PolicyName: &name, PolicyDocument: document})
	do(t, err)
	return out.Policy.Arn
}

func TestUserPoliciesAreThoseInForce(t *testing.T) {
	f := newFixture(t, true, 1)
	k := f.user(t, "u")
	c := f.as(root)
	want := func(step, action string, decision policy.Decision, source policy.Source) {
		t.Helper()
		v := may(f.caller(t, *k.AccessKeyId, ""), action)
		if v.Decision != decision || decision != policy.Allowed && v.Source != source {
			t.Errorf("%s: %s is %+v, want %v by %v", step, action, v, decision, source)
		}
	}
	want("at first", "s3:Get", policy.Silent, policy.IdentityBased)

	do(t, f.iam.PutUserPolicy(c, &iamapi.PutUserPolicyRequest{UserName: new("u"), PolicyName: new("p"), PolicyDocument: says("Allow", "s3:Get")}))
	want("inline", "s3:Get", policy.Allowed, 0)

	arn := f.managed(t, "m", says("Allow", "s3:Put"))
	do(t, f.iam.AttachUserPolicy(c, &iamapi.AttachUserPolicyRequest{UserName: new("u"), PolicyArn: arn}))
	want("managed", "s3:Put", policy.Allowed, 0)
	_, err := f.iam.CreatePolicyVersion(c, &iamapi.CreatePolicyVersionRequest{PolicyArn: arn, PolicyDocument: says("Allow", "s3:List")})
	do(t, err)
	want("a version that isn't the default", "s3:List", policy.Silent, policy.IdentityBased)
	do(t, f.iam.SetDefaultPolicyVersion(c, &iamapi.SetDefaultPolicyVersionRequest{PolicyArn: arn, VersionId: new("v2")}))
	want("another default version", "s3:List", policy.Allowed, 0)
	want("another default version", "s3:Put", policy.Silent, policy.IdentityBased)

	_, err = f.iam.CreateGroup(c, &iamapi.CreateGroupRequest{GroupName: new("G")})
	do(t, err)
	do(t, f.iam.AddUserToGroup(c, &iamapi.AddUserToGroupRequest{GroupName: new("G"), UserName: new("u")}))
	do(t, f.iam.PutGroupPolicy(c, &iamapi.PutGroupPolicyRequest{GroupName: new("G"), PolicyName: new("p"), PolicyDocument: says("Deny", "s3:Get")}))
	want("the group denies", "s3:Get", policy.Denied, policy.IdentityBased)
	do(t, f.iam.DeleteGroupPolicy(c, &iamapi.DeleteGroupPolicyRequest{GroupName: new("G"), PolicyName: new("p")}))
	gm := f.managed(t, "gm", says("Allow", "s3:Tag"))
	do(t, f.iam.AttachGroupPolicy(c, &iamapi.AttachGroupPolicyRequest{GroupName: new("G"), PolicyArn: gm}))
	want("the group's managed policy", "s3:Tag", policy.Allowed, 0)
	_, err = f.iam.CreatePolicyVersion(c, &iamapi.CreatePolicyVersionRequest{PolicyArn: gm, PolicyDocument: says("Allow", "s3:Untag"), SetAsDefault: new(true)})
	do(t, err)
	want("a change of it", "s3:Tag", policy.Silent, policy.IdentityBased)
	want("a change of it", "s3:Untag", policy.Allowed, 0)

	bound := f.managed(t, "bound", says("Allow", "s3:*"))
	do(t, f.iam.PutUserPermissionsBoundary(c, &iamapi.PutUserPermissionsBoundaryRequest{UserName: new("u"), PermissionsBoundary: bound}))
	want("bounded", "s3:Get", policy.Allowed, 0)
	_, err = f.iam.CreatePolicyVersion(c, &iamapi.CreatePolicyVersionRequest{PolicyArn: bound, PolicyDocument: says("Allow", "s3:List"), SetAsDefault: new(true)})
	do(t, err)
	want("bounded", "s3:Get", policy.Silent, policy.PermissionsBoundary)
	do(t, f.iam.DeleteUserPermissionsBoundary(c, &iamapi.DeleteUserPermissionsBoundaryRequest{UserName: new("u")}))
	do(t, f.iam.AttachUserPolicy(c, &iamapi.AttachUserPolicyRequest{UserName: new("u"), PolicyArn: new("arn:aws:iam::aws:policy/AdministratorAccess")}))
	want("administrator", "anything:AtAll", policy.Allowed, 0)

	// What was built step by step is what is read at the start.
	again := f.reopen(t)
	if got := may(again.caller(t, *k.AccessKeyId, ""), "anything:AtAll"); got.Decision != policy.Allowed {
		t.Errorf("after a restart: %+v", got)
	}

	do(t, f.iam.UpdateUser(c, &iamapi.UpdateUserRequest{UserName: new("u"), NewUserName: new("w")}))
	v := f.caller(t, *k.AccessKeyId, "")
	if v.ARN != "arn:aws:iam::123456789012:user/w" || may(v, "anything:AtAll").Decision != policy.Allowed {
		t.Errorf("renamed: %+v", v)
	}
	if name, _ := v.Keys.Lookup("aws:username"); !slices.Equal(name, []string{"w"}) {
		t.Errorf("aws:username is %v", name)
	}
	do(t, f.iam.UpdateAccessKey(c, &iamapi.UpdateAccessKeyRequest{UserName: new("w"), AccessKeyId: k.AccessKeyId, Status: new(iamapi.StatusTypeInactive)}))
	if _, ok := f.Credentials.Caller(*k.AccessKeyId, ""); ok {
		t.Error("a key that is switched off still has a caller")
	}
}

func TestRoleSessions(t *testing.T) {
	f := newFixture(t, true, 1)
	c := f.as(root)
	arn := f.role(t, "r", "")
	assume := func(in api.AssumeRoleRequest) *api.Credentials {
		t.Helper()
		in.RoleArn, in.RoleSessionName = &arn, new("s")
		out, err := f.AssumeRole(f.as(f.alice(t)), &in)
		do(t, err)
		return out.Credentials
	}
	list := f.managed(t, "list", says("Allow", "s3:List"))
	plain := assume(api.AssumeRoleRequest{})
	narrow := assume(api.AssumeRoleRequest{
		Policy: says("Allow", "s3:Get"), PolicyArns: []api.PolicyDescriptorType{{Arn: list}},
		Tags: []api.Tag{{Key: new("Team"), Value: new("b")}}, SourceIdentity: nil,
	})
	want := func(step string, of *api.Credentials, action string, decision policy.Decision, source policy.Source) {
		t.Helper()
		v := may(f.session(t, of), action)
		if v.Decision != decision || decision != policy.Allowed && v.Source != source {
			t.Errorf("%s: %s is %+v, want %v by %v", step, action, v, decision, source)
		}
	}
	want("no policy", plain, "s3:Get", policy.Silent, policy.IdentityBased)
	do(t, f.iam.PutRolePolicy(c, &iamapi.PutRolePolicyRequest{RoleName: new("r"), PolicyName: new("p"), PolicyDocument: says("Allow", "s3:*")}))
	want("a policy since", plain, "s3:Put", policy.Allowed, 0)
	want("narrowed", narrow, "s3:Get", policy.Allowed, 0)
	want("narrowed", narrow, "s3:List", policy.Allowed, 0)
	want("narrowed", narrow, "s3:Put", policy.Silent, policy.SessionPolicy)
	_, err := f.iam.CreatePolicyVersion(c, &iamapi.CreatePolicyVersionRequest{PolicyArn: list, PolicyDocument: says("Allow", "s3:Put"), SetAsDefault: new(true)})
	do(t, err)
	want("the session's managed policy changed", narrow, "s3:List", policy.Silent, policy.SessionPolicy)

	v := f.session(t, narrow)
	for key, value := range map[string]string{
		"aws:principalarn": arn, "aws:principalaccount": account, "aws:principaltype": "AssumedRole", "aws:userid": v.UserID,
		"aws:principaltag/team": "b", "aws:tokenissuetime": start.Format(time.RFC3339), "aws:multifactorauthpresent": "false",
	} {
		if got, ok := v.Keys.Lookup(key); !ok || !slices.Equal(got, []string{value}) {
			t.Errorf("%s is %v, want %s", key, got, value)
		}
	}
	for _, key := range []string{"aws:username", "aws:multifactorauthage", "aws:sourceidentity"} {
		if got, ok := v.Keys.Lookup(key); ok {
			t.Errorf("%s is %v, want none", key, got)
		}
	}
	if v.RoleARN != arn || !strings.HasSuffix(v.ARN, ":assumed-role/r/s") || v.Root {
		t.Errorf("caller %+v", v.Caller)
	}

	// A role of the same name is another one.
	do(t, f.iam.DeleteRolePolicy(c, &iamapi.DeleteRolePolicyRequest{RoleName: new("r"), PolicyName: new("p")}))
	do(t, f.iam.DeleteRole(c, &iamapi.DeleteRoleRequest{RoleName: new("r")}))
	f.role(t, "r", "")
	do(t, f.iam.PutRolePolicy(c, &iamapi.PutRolePolicyRequest{RoleName: new("r"), PolicyName: new("p"), PolicyDocument: says("Allow", "s3:*")}))
	want("the role was made anew", plain, "s3:Put", policy.Silent, policy.IdentityBased)
	if f.session(t, plain).Unfounded {
		t.Error("a session of a deleted role counts as the gateway's own")
	}
}

func TestOtherSessions(t *testing.T) {
	f := newFixture(t, true, 1)
	k := f.user(t, "u")
	do(t, f.iam.PutUserPolicy(f.as(root), &iamapi.PutUserPolicyRequest{UserName: new("u"), PolicyName: new("p"), PolicyDocument: says("Allow", "s3:*")}))
	u, err := f.Credentials.Lookup(t.Context(), *k.AccessKeyId)
	do(t, err)

	of := func(c *api.Credentials) sts.Caller { t.Helper(); return f.session(t, c) }
	own, err := f.GetSessionToken(f.as(u.Principal), &api.GetSessionTokenRequest{})
	do(t, err)
	if v := of(own.Credentials); may(v, "s3:Get").Decision != policy.Allowed || may(v, "ec2:Run").Decision != policy.Silent {
		t.Error("a user's session isn't bound as the user is")
	} else if name, _ := v.Keys.Lookup("aws:username"); !slices.Equal(name, []string{"u"}) {
		t.Errorf("aws:username is %v", name)
	}

	federate := func(by awswire.Principal, document *string) sts.Caller {
		t.Helper()
		out, err := f.GetFederationToken(f.as(by), &api.GetFederationTokenRequest{Name: new("bob"), Policy: document})
		do(t, err)
		return of(out.Credentials)
	}
	tests := []struct {
		name     string
		by       awswire.Principal
		document *string
		action   string
		want     policy.Decision
	}{
		{"both allow", u.Principal, says("Allow", "s3:Get"), "s3:Get", policy.Allowed},
		{"the session doesn't", u.Principal, says("Allow", "s3:Get"), "s3:Put", policy.Silent},
		{"the user doesn't", u.Principal, says("Allow", "*"), "ec2:Run", policy.Silent},
		{"no policy", u.Principal, nil, "s3:Get", policy.Silent},
		{"by root", root, says("Allow", "s3:Get"), "s3:Get", policy.Allowed},
		{"by root, more", root, says("Allow", "s3:Get"), "s3:Put", policy.Silent},
	}
	for _, tt := range tests {
		v := federate(tt.by, tt.document)
		if got := may(v, tt.action); got.Decision != tt.want {
			t.Errorf("%s: %+v, want %v", tt.name, got, tt.want)
		}
		if kind, _ := v.Keys.Lookup("aws:principaltype"); !slices.Equal(kind, []string{"FederatedUser"}) {
			t.Errorf("%s: aws:PrincipalType is %v", tt.name, kind)
		}
	}

	rooted, err := f.GetSessionToken(f.as(root), &api.GetSessionTokenRequest{})
	do(t, err)
	if v := of(rooted.Credentials); !v.Root || v.Subject != nil {
		t.Errorf("root's session: %+v", v)
	}
	if v := f.caller(t, "root", ""); !v.Root || v.Subject != nil || v.Secret != "secret" || v.ARN != root.ARN {
		t.Errorf("root: %+v", v)
	}

	const lost = "arn:aws:iam::123456789012:role/lost"
	keys, err := f.FunctionCredentials(lost, "arn:aws:lambda:us-east-1:123456789012:function:f")
	do(t, err)
	v := f.caller(t, keys.AccessKeyID, keys.SessionToken)
	if fn, _ := v.Keys.Lookup("lambda:sourcefunctionarn"); !v.Unfounded || len(fn) != 1 || may(v, "s3:Get").Decision != policy.Silent {
		t.Errorf("a function without a role: %+v, %v", v, fn)
	}
	_, err = f.iam.CreateRole(f.as(root), &iamapi.CreateRoleRequest{RoleName: new("lost"), AssumeRolePolicyDocument: new(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}`)})
	do(t, err)
	do(t, f.iam.PutRolePolicy(f.as(root), &iamapi.PutRolePolicyRequest{RoleName: new("lost"), PolicyName: new("p"), PolicyDocument: says("Allow", "s3:*")}))
	if v := f.caller(t, keys.AccessKeyID, keys.SessionToken); v.Unfounded || may(v, "s3:Get").Decision != policy.Allowed {
		t.Errorf("the role was made since: %+v", v)
	}
}

func TestNoCaller(t *testing.T) {
	f := newFixture(t, true, 1)
	k := f.user(t, "u")
	arn := f.role(t, "r", "")
	out, err := f.AssumeRole(f.as(f.alice(t)), &api.AssumeRoleRequest{RoleArn: &arn, RoleSessionName: new("s")})
	do(t, err)
	token := *out.Credentials.SessionToken
	f.session(t, out.Credentials)
	for name, in := range map[string][2]string{
		"nobody's": {"AKIAZ", ""}, "none": {"", ""}, "a user's with a token": {*k.AccessKeyId, token}, "a session's without": {*out.Credentials.AccessKeyId, ""},
		"another session's": {"ASIAAAAAAAAAAAAAAAAA", token}, "altered": {*out.Credentials.AccessKeyId, token[:60] + string(token[60]^1) + token[61:]}, "cut": {*out.Credentials.AccessKeyId, token[1:]},
		"root's with a token": {"root", token},
	} {
		if c, ok := f.Credentials.Caller(in[0], in[1]); ok {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// TestManySessions fills the cache over its size.
func TestManySessions(t *testing.T) {
	f := newFixture(t, true, 1)
	var all []*api.Credentials
	for range 4500 {
		out, err := f.GetSessionToken(f.as(root), &api.GetSessionTokenRequest{})
		do(t, err)
		all = append(all, out.Credentials)
		f.session(t, out.Credentials)
	}
	for _, c := range all {
		f.session(t, c)
	}
}

func TestCallerAllocatesNothing(t *testing.T) {
	f := newFixture(t, true, 1)
	k := f.user(t, "u")
	arn := f.role(t, "r", "")
	out, err := f.AssumeRole(f.as(f.alice(t)), &api.AssumeRoleRequest{RoleArn: &arn, RoleSessionName: new("s")})
	do(t, err)
	for name, in := range map[string][2]string{"user": {*k.AccessKeyId, ""}, "session": {*out.Credentials.AccessKeyId, *out.Credentials.SessionToken}, "root": {"root", ""}} {
		if n := testing.AllocsPerRun(100, func() {
			if c, ok := f.Credentials.Caller(in[0], in[1]); !ok || c.Keys == nil {
				t.Fatal("nobody")
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestTokensAreKept has a token in memory that is written again, as that of
// requests is: who comes next must not pass with what stands there then.
func TestTokensAreKept(t *testing.T) {
	f := newFixture(t, true, 1)
	out, err := f.GetSessionToken(f.as(f.alice(t)), &api.GetSessionTokenRequest{})
	do(t, err)
	memory := []byte(*out.Credentials.SessionToken)
	view := unsafe.String(&memory[0], len(memory))
	if _, ok := f.Credentials.Caller(*out.Credentials.AccessKeyId, view); !ok {
		t.Fatal("nobody has the token")
	}
	memory[100] ^= 1
	if _, ok := f.Credentials.Caller(*out.Credentials.AccessKeyId, string(memory)); ok {
		t.Error("an altered token is somebody's")
	}
	f.session(t, out.Credentials)
}
