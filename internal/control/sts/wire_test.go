package sts_test

import (
	"errors"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	iamapi "gatehouse/internal/awsapi/iam"
	stsapi "gatehouse/internal/awsapi/sts"
	"gatehouse/internal/awswire"
)

// A wire is both services behind HTTP, and clients of AWS's SDK.
type wire struct {
	*fixture
	url string
}

func newWire(t *testing.T, open bool) *wire {
	t.Helper()
	f := newFixture(t, true, 1)
	f.now = time.Now()
	server := httptest.NewServer(awswire.NewHandler(awswire.Options{
		Services: []*awswire.Service{iamapi.NewService(f.iam), stsapi.NewService(f.Service)},
		Auth:     awswire.Auth{Credentials: f.Credentials, Open: open},
		Authorize: func(c *awswire.Call, a awswire.Action) error {
			f.Credentials.Used(c.Principal, a.Service, c.Region, c.Time)
			return nil
		},
		Account: account, Region: "us-east-1",
		Clock: func() time.Time { return f.now },
	}))
	t.Cleanup(server.Close)
	return &wire{f, server.URL}
}

func (w *wire) config(key, secret, token string) aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: &w.url, Credentials: credentials.NewStaticCredentialsProvider(key, secret, token),
		RetryMaxAttempts: 1,
	}
}

func (w *wire) iamAs(key, secret, token string) *awsiam.Client {
	return awsiam.NewFromConfig(w.config(key, secret, token))
}

func (w *wire) stsAs(key, secret, token string) *awssts.Client {
	return awssts.NewFromConfig(w.config(key, secret, token))
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code {
		t.Errorf("error %v, want code %s", err, code)
	}
}

// TestKeysOnTheWire signs calls with every sort of key.
func TestKeysOnTheWire(t *testing.T) {
	w := newWire(t, false)
	ctx := t.Context()
	who := func(key, secret, token string) (string, error) {
		out, err := w.stsAs(key, secret, token).GetCallerIdentity(ctx, &awssts.GetCallerIdentityInput{})
		if err != nil {
			return "", err
		}
		return *out.Arn, nil
	}
	want := func(when, want, key, secret, token string) {
		t.Helper()
		if got, err := who(key, secret, token); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", when, got, err, want)
		}
	}
	want("root", root.ARN, "root", "secret", "")
	_, err := who("root", "wrong", "")
	wantCode(t, err, "SignatureDoesNotMatch")
	_, err = who("nobody", "secret", "")
	wantCode(t, err, "InvalidClientTokenId")

	admin := w.iamAs("root", "secret", "")
	if _, err := admin.CreateUser(ctx, &awsiam.CreateUserInput{UserName: aws.String("alice")}); err != nil {
		t.Fatal(err)
	}
	key, err := admin.CreateAccessKey(ctx, &awsiam.CreateAccessKeyInput{UserName: aws.String("alice")})
	if err != nil {
		t.Fatal(err)
	}
	id, secret := *key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey
	want("user", alice.ARN, id, secret, "")
	_, err = who(id, secret, "token")
	wantCode(t, err, "InvalidClientTokenId")
	own, err := w.iamAs(id, secret, "").GetUser(ctx, &awsiam.GetUserInput{})
	if err != nil || *own.User.UserName != "alice" {
		t.Errorf("own user %+v, %v", own, err)
	}

	arn := w.role(t, "r", "")
	do(t, w.fixture.iam.PutUserPolicy(w.as(root), &iamapi.PutUserPolicyRequest{UserName: aws.String("alice"), PolicyName: aws.String("p"), PolicyDocument: says("Allow", "sts:*")}))
	out, err := w.stsAs(id, secret, "").AssumeRole(ctx, &awssts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: aws.String("sess")})
	if err != nil {
		t.Fatal(err)
	}
	c := out.Credentials
	want("session", "arn:aws:sts::123456789012:assumed-role/r/sess", *c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	_, err = who(*c.AccessKeyId, *c.SecretAccessKey, "")
	wantCode(t, err, "InvalidClientTokenId")
	_, err = who(*c.AccessKeyId, secret, *c.SessionToken)
	wantCode(t, err, "SignatureDoesNotMatch")

	used, err := admin.GetAccessKeyLastUsed(ctx, &awsiam.GetAccessKeyLastUsedInput{AccessKeyId: &id})
	if err != nil || *used.AccessKeyLastUsed.ServiceName != "sts" {
		t.Errorf("last used %+v, %v", used, err)
	}
	if _, err := admin.DeleteAccessKey(ctx, &awsiam.DeleteAccessKeyInput{UserName: aws.String("alice"), AccessKeyId: &id}); err != nil {
		t.Fatal(err)
	}
	_, err = who(id, secret, "")
	wantCode(t, err, "InvalidClientTokenId")
}

// TestExpiryOnTheWire checks that a session ends when it should and no call
// later.
func TestExpiryOnTheWire(t *testing.T) {
	w := newWire(t, true)
	out, err := w.stsAs("root", "secret", "").GetSessionToken(t.Context(), &awssts.GetSessionTokenInput{DurationSeconds: aws.Int32(900)})
	if err != nil {
		t.Fatal(err)
	}
	c := out.Credentials
	session := w.stsAs(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	w.now = c.Expiration.Add(-time.Second)
	if _, err := session.GetCallerIdentity(t.Context(), &awssts.GetCallerIdentityInput{}); err != nil {
		t.Errorf("before the end: %v", err)
	}
	w.now = *c.Expiration
	_, err = session.GetCallerIdentity(t.Context(), &awssts.GetCallerIdentityInput{})
	wantCode(t, err, "ExpiredToken")
}

// TestRoleOnTheWire reads a role and its policies as Terraform's client does.
func TestRoleOnTheWire(t *testing.T) {
	w := newWire(t, true)
	ctx := t.Context()
	client := w.iamAs("test", "test", "")
	const trust = `{"Version":"2012-10-17","Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"}}]}`
	const document = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "arn:aws:logs:*:*:a+b%20c"}]}`
	name := aws.String("hello")
	created, err := client.CreateRole(ctx, &awsiam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(trust),
		Tags: []iamtypes.Tag{{Key: aws.String("a"), Value: aws.String("")}}})
	if err != nil || created.Role.MaxSessionDuration != nil {
		t.Fatalf("created %+v, %v", created, err)
	}
	if _, err := client.PutRolePolicy(ctx, &awsiam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("p"), PolicyDocument: aws.String(document)}); err != nil {
		t.Fatal(err)
	}
	got, err := client.GetRole(ctx, &awsiam.GetRoleInput{RoleName: name})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := url.QueryUnescape(*got.Role.AssumeRolePolicyDocument); err != nil || text != trust {
		t.Errorf("trust policy %s, %v", text, err)
	}
	if got.Role.PermissionsBoundary != nil || got.Role.Description != nil || *got.Role.MaxSessionDuration != 3600 || got.Role.CreateDate == nil ||
		len(got.Role.Tags) != 1 || *got.Role.Tags[0].Value != "" {
		t.Errorf("role %+v", got.Role)
	}
	inline, err := client.GetRolePolicy(ctx, &awsiam.GetRolePolicyInput{RoleName: name, PolicyName: aws.String("p")})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := url.QueryUnescape(*inline.PolicyDocument); err != nil || text != document {
		t.Errorf("document %s, %v", text, err)
	}
	list, err := client.ListRoles(ctx, &awsiam.ListRolesInput{MaxItems: aws.Int32(1)})
	if err != nil || len(list.Roles) != 1 || list.IsTruncated {
		t.Errorf("list %+v, %v", list, err)
	}
	_, err = client.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: name})
	wantCode(t, err, "DeleteConflict")
	var gone *iamtypes.NoSuchEntityException
	if _, err := client.GetRole(ctx, &awsiam.GetRoleInput{RoleName: aws.String("gone")}); !errors.As(err, &gone) ||
		gone.ErrorMessage() != "The role with name gone cannot be found." {
		t.Errorf("error %v", err)
	}
	_, err = client.CreateRole(ctx, &awsiam.CreateRoleInput{RoleName: aws.String("a b"), AssumeRolePolicyDocument: aws.String(trust)})
	wantCode(t, err, "ValidationError")
	_, err = client.CreateSAMLProvider(ctx, &awsiam.CreateSAMLProviderInput{Name: aws.String("x"), SAMLMetadataDocument: aws.String(string(make([]byte, 1000)))})
	if err == nil {
		t.Error("CreateSAMLProvider succeeded")
	}
}
