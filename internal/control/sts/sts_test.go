package sts_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	iamapi "gatehouse/internal/awsapi/iam"
	api "gatehouse/internal/awsapi/sts"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/iam"
	"gatehouse/internal/control/sts"
	"gatehouse/internal/seal"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
)

const account = "123456789012"

var start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// A fixture is both services on a database of its own and a clock that stands
// still.
type fixture struct {
	*sts.Service
	iam       *iam.Service
	directory *iam.Directory
	now       time.Time
	store     *store.Store
}

// reopen is the same database as after a restart.
func (f *fixture) reopen(t *testing.T) *fixture {
	t.Helper()
	again := &fixture{now: f.now, directory: iam.NewDirectory(), store: f.store, iam: f.iam}
	if err := again.directory.Load(t.Context(), f.store); err != nil {
		t.Fatal(err)
	}
	sealer, err := seal.New(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	again.Service = sts.New(sts.Options{Roles: f.iam, Directory: again.directory, Sealer: sealer, RootAccount: account})
	return again
}

func newFixture(t *testing.T, strict bool, key byte) *fixture {
	t.Helper()
	db, err := sqlite.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := seal.New(bytes.Repeat([]byte{key}, 32))
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{now: start, directory: iam.NewDirectory()}
	s, err := store.Open(t.Context(), db, store.Options{Sealer: sealer, Prepare: f.directory.Prepare})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	f.store = s
	f.iam = iam.New(iam.Options{Store: s, Directory: f.directory})
	f.Service = sts.New(sts.Options{
		Roles: f.iam, Directory: f.directory, Sealer: sealer, Strict: strict, Clock: func() time.Time { return f.now },
		RootAccessKeyID: "root", RootSecretAccessKey: "secret", RootAccount: account,
	})
	return f
}

// as is a call of a principal.
func (f *fixture) as(p awswire.Principal) *awswire.Call {
	return &awswire.Call{Context: context.Background(), Account: p.Account, Region: "us-east-1", Principal: p, Time: f.now}
}

var (
	root  = awswire.Principal{Account: account, ARN: "arn:aws:iam::123456789012:root", UserID: account, AccessKeyID: "root", Root: true}
	alice = awswire.Principal{Account: account, ARN: "arn:aws:iam::123456789012:user/alice", UserID: "AIDAX", AccessKeyID: "AKIAX"}
	carol = awswire.Principal{Account: "210987654321", ARN: "arn:aws:iam::210987654321:user/carol", UserID: "AIDAY", AccessKeyID: "AKIAY"}
)

// alice is a user who may do everything with sessions.
func (f *fixture) alice(t *testing.T) awswire.Principal { return f.member(t, account, "alice") }

// member is a user of an account who may do everything with sessions, made when
// first asked for.
func (f *fixture) member(t *testing.T, account, name string) awswire.Principal {
	t.Helper()
	p := awswire.Principal{Account: account, ARN: "arn:aws:iam::" + account + ":user/" + name}
	c := f.as(awswire.Principal{Account: account, Root: true})
	keys, err := f.iam.ListAccessKeys(c, &iamapi.ListAccessKeysRequest{UserName: &name})
	if err != nil {
		if _, err := f.iam.CreateUser(c, &iamapi.CreateUserRequest{UserName: &name}); err != nil {
			t.Fatal(err)
		}
		if err := f.iam.PutUserPolicy(c, &iamapi.PutUserPolicyRequest{UserName: &name, PolicyName: new("p"), PolicyDocument: says("Allow", "sts:*")}); err != nil {
			t.Fatal(err)
		}
		if _, err := f.iam.CreateAccessKey(c, &iamapi.CreateAccessKeyRequest{UserName: &name}); err != nil {
			t.Fatal(err)
		}
		if keys, err = f.iam.ListAccessKeys(c, &iamapi.ListAccessKeysRequest{UserName: &name}); err != nil {
			t.Fatal(err)
		}
	}
	p.AccessKeyID = *keys.AccessKeyMetadata[0].AccessKeyId
	k, _ := f.directory.Key(p.AccessKeyID)
	p.UserID = k.UserID
	return p
}

// role makes a role that trusts the principals of an account, and TagSession.
func (f *fixture) role(t *testing.T, name, condition string) string {
	t.Helper()
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012","Service":"lambda.amazonaws.com"},` +
		`"Action":["sts:AssumeRole","sts:TagSession"]` + condition + `}]}`
	out, err := f.iam.CreateRole(f.as(root), &iamapi.CreateRoleRequest{RoleName: &name, Path: new("/app/"), AssumeRolePolicyDocument: &trust, MaxSessionDuration: new(int32(7200))})
	if err != nil {
		t.Fatal(err)
	}
	return *out.Role.Arn
}

func fails(t *testing.T, err error, code, message string) {
	t.Helper()
	var e *awswire.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want %s: %s", err, code, message)
	}
	got := e.QueryCode
	if got == "" {
		got = e.Code
	}
	if got != code || e.Message != message {
		t.Errorf("error %s: %s\n want %s: %s", got, e.Message, code, message)
	}
}

// principal looks up who given credentials belong to.
func (f *fixture) principal(t *testing.T, c *api.Credentials) awswire.Principal {
	t.Helper()
	got, err := f.Credentials.LookupSession(t.Context(), *c.AccessKeyId, *c.SessionToken)
	if err != nil || got == nil || got.Secret != *c.SecretAccessKey || !got.Expires.Equal(*c.Expiration) {
		t.Fatalf("credential %+v, %v of %s", got, err, *c.AccessKeyId)
	}
	return got.Principal
}

func TestAssumeRole(t *testing.T) {
	f := newFixture(t, true, 1)
	arn := f.role(t, "r", "")
	out, err := f.AssumeRole(f.as(f.alice(t)), &api.AssumeRoleRequest{RoleArn: &arn, RoleSessionName: new("s"), DurationSeconds: new(int32(900))})
	if err != nil {
		t.Fatal(err)
	}
	if *out.AssumedRoleUser.Arn != "arn:aws:sts::123456789012:assumed-role/r/s" || !strings.HasSuffix(*out.AssumedRoleUser.AssumedRoleId, ":s") ||
		!strings.HasPrefix(*out.AssumedRoleUser.AssumedRoleId, "AROA") || out.PackedPolicySize != nil || out.SourceIdentity != nil {
		t.Errorf("answer %+v", out.AssumedRoleUser)
	}
	if want := start.Add(15 * time.Minute); !out.Credentials.Expiration.Equal(want) {
		t.Errorf("expires %v, want %v", out.Credentials.Expiration, want)
	}
	p := f.principal(t, out.Credentials)
	who, err := f.GetCallerIdentity(f.as(p), &api.GetCallerIdentityRequest{})
	if err != nil || *who.Arn != *out.AssumedRoleUser.Arn || *who.UserId != *out.AssumedRoleUser.AssumedRoleId || *who.Account != account {
		t.Errorf("identity %+v, %v", who, err)
	}

	// Another process with the same key knows the session; one with another doesn't.
	again := newFixture(t, true, 1)
	if again.principal(t, out.Credentials) != p {
		t.Error("the session isn't the same after a restart")
	}
	stranger := newFixture(t, true, 2)
	if got, err := stranger.Credentials.LookupSession(t.Context(), *out.Credentials.AccessKeyId, *out.Credentials.SessionToken); got != nil || err != nil {
		t.Errorf("a stranger's session: %+v, %v", got, err)
	}
	for name, token := range map[string]string{"cut": (*out.Credentials.SessionToken)[:40], "garbage": "x", "other": base64.StdEncoding.EncodeToString(make([]byte, 200))} {
		if got, err := f.Credentials.LookupSession(t.Context(), *out.Credentials.AccessKeyId, token); got != nil || err != nil {
			t.Errorf("%s token: %+v, %v", name, got, err)
		}
	}
	if got, _ := f.Credentials.LookupSession(t.Context(), "ASIAQNZGKIQY56JQ7WML", *out.Credentials.SessionToken); got != nil {
		t.Error("a token goes with any key")
	}
	if got, _ := f.Credentials.Lookup(t.Context(), *out.Credentials.AccessKeyId); got != nil {
		t.Error("a session's key works without its token")
	}
}

func TestAssumeRoleErrors(t *testing.T) {
	f := newFixture(t, true, 1)
	arn := f.role(t, "r", "")
	guarded := f.role(t, "guarded", `,"Condition":{"StringEquals":{"sts:ExternalId":"x-1"}}`)
	chained, err := f.AssumeRole(f.as(f.alice(t)), &api.AssumeRoleRequest{RoleArn: &arn, RoleSessionName: new("s"),
		Tags: []api.Tag{{Key: new("Team"), Value: new("a")}}, TransitiveTagKeys: []string{"team"}})
	if err != nil {
		t.Fatal(err)
	}
	session := f.principal(t, chained.Credentials)
	do(t, f.iam.PutRolePolicy(f.as(root), &iamapi.PutRolePolicyRequest{RoleName: new("r"), PolicyName: new("p"), PolicyDocument: says("Allow", "sts:AssumeRole")}))
	mute := f.member(t, account, "mute")
	do(t, f.iam.DeleteUserPolicy(f.as(root), &iamapi.DeleteUserPolicyRequest{UserName: new("mute"), PolicyName: new("p")}))
	named := f.role(t, "named", "")
	do(t, f.iam.UpdateAssumeRolePolicy(f.as(root), &iamapi.UpdateAssumeRolePolicyRequest{RoleName: new("named"), PolicyDocument: new(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + mute.ARN + `"},"Action":"sts:AssumeRole"}}`)}))
	never := f.member(t, account, "never")
	do(t, f.iam.PutUserPolicy(f.as(root), &iamapi.PutUserPolicyRequest{UserName: new("never"), PolicyName: new("q"), PolicyDocument: says("Deny", "sts:*")}))
	assume := func(p awswire.Principal, arn string, change func(in *api.AssumeRoleRequest)) error {
		in := &api.AssumeRoleRequest{RoleArn: &arn, RoleSessionName: new("s")}
		if change != nil {
			change(in)
		}
		_, err := f.AssumeRole(f.as(p), in)
		return err
	}
	tag := func(keys ...string) func(in *api.AssumeRoleRequest) {
		return func(in *api.AssumeRoleRequest) {
			for _, k := range keys {
				in.Tags = append(in.Tags, api.Tag{Key: &k, Value: new("v")})
			}
		}
	}
	last := func(seconds int32) func(in *api.AssumeRoleRequest) {
		return func(in *api.AssumeRoleRequest) { in.DurationSeconds = &seconds }
	}
	notAllowed := func(p awswire.Principal, action, arn string) string {
		return "User: " + p.ARN + " is not authorized to perform: " + action + " on resource: " + arn
	}
	gone := "arn:aws:iam::123456789012:role/gone"
	alice, carol := f.alice(t), f.member(t, carol.Account, "carol")
	tests := []struct {
		name          string
		err           error
		code, message string
	}{
		{"no ARN", assume(alice, "nothing-valid-in-here", nil), "ValidationError", "nothing-valid-in-here is invalid"},
		{"no role", assume(alice, gone, nil), "AccessDenied", notAllowed(alice, "sts:AssumeRole", gone)},
		{"not trusted", assume(carol, arn, nil), "AccessDenied", notAllowed(carol, "sts:AssumeRole", arn)},
		{"the account is trusted, the user isn't allowed", assume(mute, arn, nil), "AccessDenied", notAllowed(mute, "sts:AssumeRole", arn)},
		{"allowed, but others are trusted", assume(alice, named, nil), "AccessDenied", notAllowed(alice, "sts:AssumeRole", named)},
		{"forbidden", assume(never, arn, nil), "AccessDenied", notAllowed(never, "sts:AssumeRole", arn) + " with an explicit deny in an identity-based policy"},
		{"root", assume(root, arn, nil), "AccessDenied", "Roles may not be assumed by root accounts."},
		{"no external id", assume(alice, guarded, nil), "AccessDenied", notAllowed(alice, "sts:AssumeRole", guarded)},
		{"source identity not allowed", assume(alice, arn, func(in *api.AssumeRoleRequest) { in.SourceIdentity = new("x") }), "AccessDenied", notAllowed(alice, "sts:SetSourceIdentity", arn)},
		{"too long", assume(alice, arn, last(7201)), "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		{"too long a chain", assume(session, arn, last(3601)), "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."},
		{"tags twice", assume(alice, arn, tag("a", "A")), "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		{"transitive without tag", assume(alice, arn, func(in *api.AssumeRoleRequest) { in.TransitiveTagKeys = []string{"a"} }), "InvalidParameterValue", "The specified transitive tag key must be included in the requested tags."},
		{"inherited tag", assume(session, arn, tag("TEAM")), "InvalidParameterValue", "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session."},
		{"policy", assume(alice, arn, func(in *api.AssumeRoleRequest) { in.Policy = new("{}") }), "MalformedPolicyDocument", "Syntax errors in policy."},
		{"MFA", assume(alice, arn, func(in *api.AssumeRoleRequest) { in.TokenCode = new("123456") }), "AccessDenied", "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user."},
		{"too many tags", assume(alice, arn, func(in *api.AssumeRoleRequest) {
			in.Tags = []api.Tag{{Key: new("k"), Value: new(strings.Repeat("v", 5000))}}
		}), "PackedPolicyTooLarge", "Packed size of session tags consumes more than the allotted space."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { fails(t, tt.err, tt.code, tt.message) })
	}
	if err := assume(alice, guarded, func(in *api.AssumeRoleRequest) { in.ExternalId = new("x-1") }); err != nil {
		t.Errorf("with the external id: %v", err)
	}
	if err := assume(mute, named, nil); err != nil {
		t.Errorf("trusted by name: %v", err)
	}
	if err := assume(session, arn, last(3600)); err != nil {
		t.Errorf("chained: %v", err)
	}
	// Unless told to be strict, root may: it is whoever has a laptop.
	lax := newFixture(t, false, 1)
	if _, err := lax.AssumeRole(lax.as(root), &api.AssumeRoleRequest{RoleArn: new(lax.role(t, "r", "")), RoleSessionName: new("s")}); err != nil {
		t.Errorf("root: %v", err)
	}
}

func TestSessionTokens(t *testing.T) {
	f := newFixture(t, true, 1)
	out, err := f.GetSessionToken(f.as(alice), &api.GetSessionTokenRequest{})
	if err != nil {
		t.Fatal(err)
	}
	p := f.principal(t, out.Credentials)
	if p.ARN != alice.ARN || p.UserID != alice.UserID || p.Root || !out.Credentials.Expiration.Equal(start.Add(12*time.Hour)) {
		t.Errorf("session %+v until %v", p, out.Credentials.Expiration)
	}
	_, err = f.GetSessionToken(f.as(p), &api.GetSessionTokenRequest{})
	fails(t, err, "AccessDenied", "Cannot call GetSessionToken with session credentials")
	out, err = f.GetSessionToken(f.as(root), &api.GetSessionTokenRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if p := f.principal(t, out.Credentials); !p.Root || !out.Credentials.Expiration.Equal(start.Add(time.Hour)) {
		t.Errorf("root's session %+v until %v", p, out.Credentials.Expiration)
	}
	federated, err := f.GetFederationToken(f.as(alice), &api.GetFederationTokenRequest{Name: new("dave")})
	if err != nil {
		t.Fatal(err)
	}
	if p := f.principal(t, federated.Credentials); p.ARN != "arn:aws:sts::123456789012:federated-user/dave" || p.UserID != "123456789012:dave" || *federated.PackedPolicySize != 0 {
		t.Errorf("federated %+v", p)
	}
}

func TestIdentityCalls(t *testing.T) {
	f := newFixture(t, true, 1)
	call := f.as(alice)
	if got, err := f.GetAccessKeyInfo(call, &api.GetAccessKeyInfoRequest{AccessKeyId: new("ASIAQNZGKIQY56JQ7WML")}); err != nil || *got.Account != "029608264753" {
		t.Errorf("account %+v, %v", got, err)
	}
	if got, err := f.GetAccessKeyInfo(call, &api.GetAccessKeyInfoRequest{AccessKeyId: new("root")}); err != nil || *got.Account != account {
		t.Errorf("account of root %+v, %v", got, err)
	}
	_, err := f.GetAccessKeyInfo(call, &api.GetAccessKeyInfoRequest{AccessKeyId: new("AKIAIOSFODNN7EXAMPLE")})
	fails(t, err, "ValidationError", "The access key id AKIAIOSFODNN7EXAMPLE is not valid.")
	_, err = f.DecodeAuthorizationMessage(call, &api.DecodeAuthorizationMessageRequest{EncodedMessage: new("x")})
	fails(t, err, "InvalidAuthorizationMessageException", "Message is not valid")
	web := func(token string) error {
		_, err := f.AssumeRoleWithWebIdentity(call, &api.AssumeRoleWithWebIdentityRequest{WebIdentityToken: &token})
		return err
	}
	fails(t, web("x"), "InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://id.example.com"}`))
	fails(t, web("e30."+claims+".x"), "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://id.example.com")
}

func TestLookup(t *testing.T) {
	f := newFixture(t, true, 1)
	if got, err := f.Credentials.Lookup(t.Context(), "root"); err != nil || got.Secret != "secret" || !got.Principal.Root || got.TokenHash != nil {
		t.Errorf("root %+v, %v", got, err)
	}
	for _, id := range []string{"", "nobody", "AKIAQNZGKIQY56JQ7WML"} {
		if got, err := f.Credentials.Lookup(t.Context(), id); err != nil || got != nil {
			t.Errorf("%q: %+v, %v", id, got, err)
		}
	}
	call := f.as(root)
	if _, err := f.iam.CreateUser(call, &iamapi.CreateUserRequest{UserName: new("alice")}); err != nil {
		t.Fatal(err)
	}
	out, err := f.iam.CreateAccessKey(call, &iamapi.CreateAccessKeyRequest{UserName: new("alice")})
	if err != nil {
		t.Fatal(err)
	}
	key := *out.AccessKey.AccessKeyId
	got, err := f.Credentials.Lookup(t.Context(), key)
	if err != nil || got.Secret != *out.AccessKey.SecretAccessKey || got.Principal.ARN != alice.ARN || got.Principal.Root {
		t.Errorf("user %+v, %v", got, err)
	}
	// A token beside a long-lived key is for the caller to refuse: no hash fits it.
	if got, err := f.Credentials.LookupSession(t.Context(), key, "x"); err != nil || got == nil || got.TokenHash != nil {
		t.Errorf("user with a token %+v, %v", got, err)
	}
	user := f.as(got.Principal)
	f.Credentials.Used(user.Principal, "iam", user.Region, user.Time)
	used, err := f.iam.GetAccessKeyLastUsed(call, &iamapi.GetAccessKeyLastUsedRequest{AccessKeyId: &key})
	if err != nil || *used.AccessKeyLastUsed.ServiceName != "iam" || !used.AccessKeyLastUsed.LastUsedDate.Equal(start) {
		t.Errorf("last used %+v, %v", used, err)
	}
	if err := f.iam.UpdateAccessKey(call, &iamapi.UpdateAccessKeyRequest{UserName: new("alice"), AccessKeyId: &key, Status: new("Inactive")}); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Credentials.Lookup(t.Context(), key); err != nil || got != nil {
		t.Errorf("switched off %+v, %v", got, err)
	}
}

// TestFunctionCredentials covers what functions run with, be their role there
// or not.
func TestFunctionCredentials(t *testing.T) {
	f := newFixture(t, true, 1)
	arn := f.role(t, "r", "")
	for role, want := range map[string]bool{arn: true, "arn:aws:iam::123456789012:role/gone": false} {
		if got, err := f.LambdaCanAssume(t.Context(), role); err != nil || got != want {
			t.Errorf("LambdaCanAssume(%s) = %v, %v", role, got, err)
		}
		c, err := f.FunctionCredentials(role, "arn:aws:lambda:us-east-1:123456789012:function:hello")
		if err != nil {
			t.Fatal(err)
		}
		p := f.principal(t, &api.Credentials{AccessKeyId: &c.AccessKeyID, SecretAccessKey: &c.SecretAccessKey, SessionToken: &c.SessionToken, Expiration: &c.Expires})
		name := role[strings.LastIndexByte(role, '/')+1:]
		if p.ARN != "arn:aws:sts::123456789012:assumed-role/"+name+"/hello" {
			t.Errorf("principal %s", p.ARN)
		}
		f.Credentials.Used(p, "lambda", "us-east-1", f.now)
	}
	got, err := f.iam.GetRole(f.as(root), &iamapi.GetRoleRequest{RoleName: new("r")})
	if err != nil || got.Role.RoleLastUsed.LastUsedDate == nil || *got.Role.RoleLastUsed.Region != "us-east-1" {
		t.Errorf("role last used %+v, %v", got.Role.RoleLastUsed, err)
	}
	if _, err := f.FunctionCredentials("nonsense", "arn"); err == nil {
		t.Error("keys for a role that can't be")
	}
	// The ARN of a session has no path, so this one would pass for that of r.
	if _, err := f.FunctionCredentials("arn:aws:iam::123456789012:role/r", "arn:aws:lambda:us-east-1:123456789012:function:hello"); err == nil {
		t.Error("keys for a role whose name is another's")
	}
}

// TestFunctionsOfOthersRoles has a role that people may assume and Lambda not.
func TestFunctionsOfOthersRoles(t *testing.T) {
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}]}`
	for _, strict := range []bool{true, false} {
		f := newFixture(t, strict, 1)
		out, err := f.iam.CreateRole(f.as(root), &iamapi.CreateRoleRequest{RoleName: new("people"), AssumeRolePolicyDocument: new(trust)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.FunctionCredentials(*out.Role.Arn, "arn:aws:lambda:us-east-1:123456789012:function:hello"); (err != nil) != strict {
			t.Errorf("strict %v: %v", strict, err)
		}
	}
}

func BenchmarkLookupSession(b *testing.B) {
	sealer, err := seal.New(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		b.Fatal(err)
	}
	s := sts.New(sts.Options{Directory: iam.NewDirectory(), Sealer: sealer})
	out, err := s.GetSessionToken(&awswire.Call{Context: b.Context(), Account: account, Principal: alice, Time: time.Now()}, &api.GetSessionTokenRequest{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Credentials.LookupSession(b.Context(), *out.Credentials.AccessKeyId, *out.Credentials.SessionToken); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzToken asks that no text but a token opens a session, whatever key it
// comes with.
func FuzzToken(f *testing.F) {
	sealer, err := seal.New(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		f.Fatal(err)
	}
	s := sts.New(sts.Options{Directory: iam.NewDirectory(), Sealer: sealer, RootAccessKeyID: "root", RootSecretAccessKey: "secret", RootAccount: account})
	out, err := s.GetSessionToken(&awswire.Call{Context: f.Context(), Account: account, Principal: alice, Time: start}, &api.GetSessionTokenRequest{})
	if err != nil {
		f.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(*out.Credentials.SessionToken)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("ASIAQNZGKIQY56JQ7WML", []byte{})
	f.Add(*out.Credentials.AccessKeyId, raw[:len(raw)-1])
	f.Add("root", raw)
	f.Fuzz(func(t *testing.T, key string, sealed []byte) {
		got, err := s.Credentials.LookupSession(t.Context(), key, base64.StdEncoding.EncodeToString(sealed))
		if err != nil {
			t.Fatal(err)
		}
		genuine := key == *out.Credentials.AccessKeyId && bytes.Equal(sealed, raw)
		if got != nil && !genuine && key != "root" {
			t.Errorf("key %q and a token of %d bytes are %s", key, len(sealed), got.Principal.ARN)
		}
	})
}
