package sdk

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"gatehouse/test/harness"
)

// TestUser replays aws_iam_user (with force_destroy) and aws_iam_access_key.
func TestUser(t *testing.T) {
	client := iam.NewFromConfig(harness.Start(t, "").Config())
	ctx := t.Context()
	name := new("alice")
	must(client.CreateUser(ctx, &iam.CreateUserInput{UserName: name, Path: new("/"), Tags: []types.Tag{{Key: new("a"), Value: new("1")}}}))(t)
	read := func() types.User { return *must(client.GetUser(ctx, &iam.GetUserInput{UserName: name}))(t).User }
	got := read()
	want := types.User{
		Arn: new("arn:aws:iam::" + account + ":user/alice"), CreateDate: recent(t, "CreateDate", got.CreateDate), Path: new("/"),
		UserId: present(t, "UserId", got.UserId), UserName: name, Tags: []types.Tag{{Key: new("a"), Value: new("1")}},
	}
	same(t, "user after create", got, want)

	key := must(client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name}))(t).AccessKey
	must(client.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: name, AccessKeyId: key.AccessKeyId, Status: types.StatusTypeInactive}))(t)
	keys := must(client.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: name}))(t).AccessKeyMetadata
	same(t, "keys", keys, []types.AccessKeyMetadata{{
		AccessKeyId: key.AccessKeyId, CreateDate: key.CreateDate, Status: types.StatusTypeInactive, UserName: name,
	}})

	must(client.UpdateUser(ctx, &iam.UpdateUserInput{UserName: name, NewUserName: new("bob"), NewPath: new("/ops/")}))(t)
	name = new("bob")
	want.UserName, want.Path, want.Arn = name, new("/ops/"), new("arn:aws:iam::"+account+":user/ops/bob")
	same(t, "user after update", read(), want)

	// The provider asks for everything a user may have before it deletes one.
	must(client.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: name}))(t)
	must(client.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: name}))(t)
	must(client.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: name}))(t)
	must(client.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: name, AccessKeyId: key.AccessKeyId}))(t)
	must(client.ListSSHPublicKeys(ctx, &iam.ListSSHPublicKeysInput{UserName: name}))(t)
	must(client.ListVirtualMFADevices(ctx, &iam.ListVirtualMFADevicesInput{AssignmentStatus: types.AssignmentStatusTypeAssigned}))(t)
	must(client.ListMFADevices(ctx, &iam.ListMFADevicesInput{UserName: name}))(t)
	_, err := client.DeleteLoginProfile(ctx, &iam.DeleteLoginProfileInput{UserName: name})
	fails(t, err, "NoSuchEntity")
	must(client.ListSigningCertificates(ctx, &iam.ListSigningCertificatesInput{UserName: name}))(t)
	must(client.ListServiceSpecificCredentials(ctx, &iam.ListServiceSpecificCredentialsInput{UserName: name}))(t)
	must(client.DeleteUser(ctx, &iam.DeleteUserInput{UserName: name}))(t)
	_, err = client.GetUser(ctx, &iam.GetUserInput{UserName: name})
	fails(t, err, "NoSuchEntity")
}

// arnOf asks a gateway whose credentials those are.
func arnOf(t *testing.T, gw *harness.Gateway, id, secret, token string) (string, error) {
	t.Helper()
	config := gw.Config()
	config.Credentials = credentials.NewStaticCredentialsProvider(id, secret, token)
	out, err := sts.NewFromConfig(config).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	return *out.Arn, nil
}

// TestCredentialsOutliveRestart kills a gateway that accepts known keys only:
// a user's key and an assumed role's session go on working.
func TestCredentialsOutliveRestart(t *testing.T) {
	args := []string{"--auth", "strict", "--root-access-key-id", "root", "--root-secret-access-key", "secret"}
	gw := harness.Start(t, "", args...)
	ctx := t.Context()
	config := gw.Config()
	_, err := sts.NewFromConfig(config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	fails(t, err, "InvalidClientTokenId")
	config.Credentials = credentials.NewStaticCredentialsProvider("root", "secret", "")
	admin := iam.NewFromConfig(config)
	must(admin.CreateUser(ctx, &iam.CreateUserInput{UserName: new("alice")}))(t)
	key := must(admin.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: new("alice")}))(t).AccessKey
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:user/alice"},"Action":"sts:AssumeRole"}]}`
	role := must(admin.CreateRole(ctx, &iam.CreateRoleInput{RoleName: new("deploy"), AssumeRolePolicyDocument: &trust}))(t).Role
	config.Credentials = credentials.NewStaticCredentialsProvider(*key.AccessKeyId, *key.SecretAccessKey, "")
	session := must(sts.NewFromConfig(config).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: role.Arn, RoleSessionName: new("ci")}))(t).Credentials

	gw.Kill()
	gw = harness.Start(t, gw.Data, args...)
	for _, tt := range []struct{ want, id, secret, token string }{
		{"arn:aws:iam::" + account + ":root", "root", "secret", ""},
		{"arn:aws:iam::" + account + ":user/alice", *key.AccessKeyId, *key.SecretAccessKey, ""},
		{"arn:aws:sts::" + account + ":assumed-role/deploy/ci", *session.AccessKeyId, *session.SecretAccessKey, *session.SessionToken},
	} {
		if got, err := arnOf(t, gw, tt.id, tt.secret, tt.token); err != nil || got != tt.want {
			t.Errorf("after a restart: %s, %v, want %s", got, err, tt.want)
		}
	}
	_, err = arnOf(t, gw, *key.AccessKeyId, "wrong", "")
	fails(t, err, "SignatureDoesNotMatch")
	// The secrets are in the data directory, but not to be read there.
	if logs := gw.Logs(); strings.Contains(logs, *key.SecretAccessKey) || strings.Contains(logs, *session.SessionToken) {
		t.Error("a secret is in the log")
	}
}

// TestFunctionIdentity checks that a function's environment holds keys that
// make it its role.
func TestFunctionIdentity(t *testing.T) {
	gw := harness.Start(t, "")
	f := functionsOf(t, gw)
	const code = `exports.handler = async () => ({
  id: process.env.AWS_ACCESS_KEY_ID, secret: process.env.AWS_SECRET_ACCESS_KEY, token: process.env.AWS_SESSION_TOKEN, endpoint: process.env.AWS_ENDPOINT_URL,
});`
	f.create(t, zipOf(t, "index.js", code), nil)
	out := must(f.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: new("hello")}))(t)
	var keys struct{ ID, Secret, Token, Endpoint string }
	if err := json.Unmarshal(out.Payload, &keys); err != nil {
		t.Fatalf("%s: %v", out.Payload, err)
	}
	if keys.Endpoint != gw.URL {
		t.Errorf("endpoint %s, want %s", keys.Endpoint, gw.URL)
	}
	want := "arn:aws:sts::" + account + ":assumed-role/hello/hello"
	if got, err := arnOf(t, gw, keys.ID, keys.Secret, keys.Token); err != nil || got != want {
		t.Errorf("the function is %s, %v, want %s", got, err, want)
	}
}
