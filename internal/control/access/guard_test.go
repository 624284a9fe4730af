package access_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awsapi/apigatewayv2"
	iamapi "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awsapi/logs"
	stsapi "gatehouse/internal/awsapi/sts"
	"gatehouse/internal/awswire"
	"gatehouse/internal/awswire/sigv4"
	"gatehouse/internal/control/access"
	"gatehouse/internal/control/iam"
	"gatehouse/internal/control/sts"
	"gatehouse/internal/policy"
	"gatehouse/internal/seal"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
)

const account = "123456789012"

// A fixture is IAM and STS as they are, and services that answer 501 to what
// is let through to them.
type fixture struct {
	t        *testing.T
	url      string
	iam      *iam.Service
	sts      *sts.Service
	root     *awswire.Call
	policies map[string]*policy.Document // of functions, by ARN
	now      time.Time
}

// ResourcePolicy implements access.Functions.
func (f *fixture) ResourcePolicy(functionARN string) *policy.Document { return f.policies[functionARN] }

func newFixture(t *testing.T, letUnfounded bool) *fixture {
	t.Helper()
	db, err := sqlite.Open(t.Context(), t.TempDir())
	do(t, err)
	sealer, err := seal.New(bytes.Repeat([]byte{1}, 32))
	do(t, err)
	directory := iam.NewDirectory()
	s, err := store.Open(t.Context(), db, store.Options{Sealer: sealer, Prepare: directory.Prepare})
	do(t, err)
	t.Cleanup(func() { s.Close() })
	f := &fixture{t: t, policies: map[string]*policy.Document{}, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	f.root = &awswire.Call{Context: context.Background(), Account: account, Region: "us-east-1", Time: f.now,
		Principal: awswire.Principal{Account: account, ARN: "arn:aws:iam::" + account + ":root", UserID: account, AccessKeyID: "root", Root: true}}
	f.iam = iam.New(iam.Options{Store: s, Directory: directory})
	f.sts = sts.New(sts.Options{Roles: f.iam, Directory: directory, Sealer: sealer, Strict: true, Clock: func() time.Time { return f.now },
		RootAccessKeyID: "root", RootSecretAccessKey: "secret", RootAccount: account})
	guard := access.New(access.Options{Credentials: f.sts.Credentials, Identities: directory, Functions: f, LetUnfounded: letUnfounded})
	server := httptest.NewServer(awswire.NewHandler(awswire.Options{
		Services: []*awswire.Service{
			iamapi.NewService(f.iam), stsapi.NewService(f.sts), lambda.NewService(lambda.Unimplemented{}), logs.NewService(logs.Unimplemented{}),
			apigateway.NewService(apigateway.Unimplemented{}), apigatewayv2.NewService(apigatewayv2.Unimplemented{}),
		},
		Auth: awswire.Auth{Credentials: f.sts.Credentials}, Authorize: guard.Authorize, Account: account, Region: "us-east-1",
		Clock: func() time.Time { return f.now },
	}))
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// user makes a user with one inline policy.
func (f *fixture) user(name, statements string) sigv4.Keys {
	f.t.Helper()
	_, err := f.iam.CreateUser(f.root, &iamapi.CreateUserRequest{UserName: &name})
	do(f.t, err)
	if statements != "" {
		do(f.t, f.iam.PutUserPolicy(f.root, &iamapi.PutUserPolicyRequest{UserName: &name, PolicyName: new("p"), PolicyDocument: new(
			`{"Version":"2012-10-17","Statement":[` + statements + `]}`)}))
	}
	k, err := f.iam.CreateAccessKey(f.root, &iamapi.CreateAccessKeyRequest{UserName: &name})
	do(f.t, err)
	return sigv4.Keys{AccessKeyID: *k.AccessKey.AccessKeyId, Secret: *k.AccessKey.SecretAccessKey}
}

// A call is one request; service is its signing name.
type call struct{ service, method, target, body, header string }

// send signs a call and returns its status and body.
func (f *fixture) send(keys sigv4.Keys, token string, c call) (int, string) {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), c.method, f.url+c.target, strings.NewReader(c.body))
	do(f.t, err)
	if name, value, ok := strings.Cut(c.header, ": "); ok {
		r.Header.Set(name, value)
	}
	if token != "" {
		r.Header.Set("X-Amz-Security-Token", token)
	}
	r.Header.Set("X-Amz-Date", f.now.Format("20060102T150405Z"))
	path, query, _ := strings.Cut(c.target, "?")
	signed := &sigv4.Request{Method: c.method, Path: path, Query: query, Host: r.Host, ContentLength: r.ContentLength, Header: r.Header.Values}
	r.Header.Set("Authorization", sigv4.Authorization(signed, keys, "us-east-1", c.service, f.now, nil, sigv4.Check{BodyHash: sigv4.Hash([]byte(c.body))}))
	resp, err := http.DefaultClient.Do(r)
	do(f.t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	do(f.t, err)
	return resp.StatusCode, string(b)
}

const form = "Content-Type: application/x-www-form-urlencoded"

// A role that a stage's variables name may be any that they can name.
func TestPassingRolesOfVariables(t *testing.T) {
	f := newFixture(t, false)
	keys := f.user("u", `
		{"Effect":"Allow","Action":"apigateway:*","Resource":"*"},
		{"Effect":"Allow","Action":"iam:PassRole","Resource":["arn:aws:iam::123456789012:role/app-*","arn:aws:iam::123456789012:role/web-*","arn:aws:iam::123456789012:role/job-?"]},
		{"Effect":"Deny","Action":"iam:PassRole","Resource":"arn:aws:iam::123456789012:role/app-admin"}`)
	for role, status := range map[string]int{
		"app-${stageVariables.r}": 403, "app-x${stageVariables.r}": 501, "web-${stageVariables.r}": 501, "job-${stageVariables.r}": 403, "${stageVariables.r}": 403,
	} {
		body := `{"type":"AWS","httpMethod":"POST","uri":"arn:aws:apigateway:us-east-1:sqs:path/x","credentials":"arn:aws:iam::123456789012:role/` + role + `"}`
		if got, text := f.send(keys, "", call{"apigateway", "PUT", "/restapis/a/resources/b/methods/GET/integration", body, ""}); got != status {
			t.Errorf("%s: %d %s, want %d", role, got, text, status)
		}
	}
}

func TestPoliciesDecide(t *testing.T) {
	f := newFixture(t, false)
	u := f.user("u", `
		{"Effect":"Allow","Action":"apigateway:GET","Resource":"arn:aws:apigateway:us-east-1::/restapis/open*"},
		{"Effect":"Allow","Action":"apigateway:*","Resource":"arn:aws:apigateway:us-east-1::/apis/*"},
		{"Effect":"Deny","Action":"apigateway:DELETE","Resource":"*"},
		{"Effect":"Allow","Action":["iam:GetUser","iam:ListAccessKeys"],"Resource":"arn:aws:iam::*:user/${aws:username}"},
		{"Effect":"Allow","Action":"iam:CreateUser","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"a"}}},
		{"Effect":"Allow","Action":"lambda:GetFunction","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"},"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}},
		{"Effect":"Allow","Action":["lambda:CreateFunction","iam:PassRole"],"Resource":"*"},
		{"Effect":"Allow","Action":"logs:*","Resource":"arn:aws:logs:*:*:log-group:/mine:*"}`)
	const me = "User: arn:aws:iam::123456789012:user/u is not authorized to perform: "
	silent := func(action, resource string) string {
		return me + action + " on resource: " + resource + " because no identity-based policy allows the " + action + " action"
	}
	tests := []struct {
		name   string
		call   call
		status int
		want   string
	}{
		{"a path", call{"apigateway", "GET", "/restapis/open1", "", ""}, 501, ""},
		{"another path", call{"apigateway", "GET", "/restapis/closed", "", ""}, 403, silent("apigateway:GET", "arn:aws:apigateway:us-east-1::/restapis/closed")},
		{"the same, encoded", call{"apigateway", "GET", "/restapis/%63losed", "", ""}, 403, silent("apigateway:GET", "arn:aws:apigateway:us-east-1::/restapis/closed")},
		{"a slash in a label", call{"apigateway", "GET", "/restapis/open1%2F..%2Fclosed", "", ""}, 501, ""},
		{"another method", call{"apigateway", "POST", "/restapis", `{"name":"x"}`, ""}, 403, silent("apigateway:POST", "arn:aws:apigateway:us-east-1::/restapis")},
		{"the newer face", call{"apigateway", "GET", "/v2/apis/a", "", ""}, 501, ""},
		{"an explicit deny", call{"apigateway", "DELETE", "/v2/apis/a", "", ""}, 403, me + "apigateway:DELETE on resource: arn:aws:apigateway:us-east-1::/apis/a with an explicit deny in an identity-based policy"},
		{"oneself", call{"iam", "POST", "/", "Action=GetUser&Version=2010-05-08", form}, 200, "<UserName>u</UserName>"},
		{"oneself by name", call{"iam", "POST", "/", "Action=ListAccessKeys&UserName=U&Version=2010-05-08", form}, 200, "AKIA"},
		{"somebody else", call{"iam", "POST", "/", "Action=GetUser&UserName=v&Version=2010-05-08", form}, 403, "<Code>AccessDenied</Code><Message>" + silent("iam:GetUser", "arn:aws:iam::123456789012:user/v")},
		{"a tag", call{"iam", "POST", "/", "Action=CreateUser&UserName=v&Tags.member.1.Key=team&Tags.member.1.Value=a&Version=2010-05-08", form}, 200, ""},
		{"another tag", call{"iam", "POST", "/", "Action=CreateUser&UserName=w&Tags.member.1.Key=team&Tags.member.1.Value=b&Version=2010-05-08", form}, 403, silent("iam:CreateUser", "arn:aws:iam::123456789012:user/w")},
		{"who am I", call{"sts", "POST", "/", "Action=GetCallerIdentity&Version=2011-06-15", form}, 200, ":user/u"},
		{"region and address", call{"lambda", "GET", "/2015-03-31/functions/f", "", ""}, 501, ""},
		{"passing a role", call{"lambda", "POST", "/2015-03-31/functions", `{"FunctionName":"f","Code":{},"Role":"arn:aws:iam::123456789012:role/r"}`, ""}, 501, ""},
		{"passing another account's role", call{"lambda", "POST", "/2015-03-31/functions", `{"FunctionName":"f","Code":{},"Role":"arn:aws:iam::210987654321:role/r"}`, ""}, 403, "Cross-account pass role is not allowed."},
		{"no permission", call{"lambda", "DELETE", "/2015-03-31/functions/f", "", ""}, 403, silent("lambda:DeleteFunction", "arn:aws:lambda:us-east-1:123456789012:function:f")},
		{"a log group", call{"logs", "POST", "/", `{"logGroupName":"/mine"}`, "X-Amz-Target: Logs_20140328.DescribeLogStreams"}, 501, ""},
		{"another log group", call{"logs", "POST", "/", `{"logGroupName":"/other"}`, "X-Amz-Target: Logs_20140328.DescribeLogStreams"}, 400, silent("logs:DescribeLogStreams", "arn:aws:logs:us-east-1:123456789012:log-group:/other:log-stream:")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, body := f.send(u, "", tt.call)
			if status != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("%d %s\nwant %d with %s", status, body, tt.status, tt.want)
			}
		})
	}
	// Root may do everything.
	if status, _ := f.send(sigv4.Keys{AccessKeyID: "root", Secret: "secret"}, "", call{"apigateway", "DELETE", "/v2/apis/a", "", ""}); status != 501 {
		t.Errorf("root: %d", status)
	}
	// A change counts at once.
	do(t, f.iam.DeleteUserPolicy(f.root, &iamapi.DeleteUserPolicyRequest{UserName: new("u"), PolicyName: new("p")}))
	if status, _ := f.send(u, "", tests[0].call); status != 403 {
		t.Errorf("without a policy: %d", status)
	}
}

func TestFunctionPolicies(t *testing.T) {
	f := newFixture(t, false)
	mute, able := f.user("mute", ""), f.user("able", `{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"*"}`)
	grant := func(function, principal string) {
		d, err := policy.Parse(policy.Resource, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+principal+`"},"Action":"lambda:InvokeFunction","Resource":"`+function+`"}]}`)
		do(t, err)
		f.policies[function] = d
	}
	const own, theirs = "arn:aws:lambda:us-east-1:123456789012:function:", "arn:aws:lambda:us-east-1:210987654321:function:"
	grant(own+"user", "arn:aws:iam::123456789012:user/mute")
	grant(own+"account", account)
	grant(theirs+"f", account)
	invoke := func(keys sigv4.Keys, function string) int {
		status, _ := f.send(keys, "", call{"lambda", "POST", "/2015-03-31/functions/" + strings.ReplaceAll(function, ":", "%3A") + "/invocations", "{}", ""})
		return status
	}
	for _, tt := range []struct {
		name, function string
		keys           sigv4.Keys
		want           int
	}{
		{"the function's policy names the user", own + "user", mute, 501},
		{"it names the account, which leaves it to the user's", own + "account", mute, 403},
		{"neither", own + "none", mute, 403},
		{"the user's policy", own + "none", able, 501},
		{"another account's function, both", theirs + "f", able, 501},
		{"another account's function, its policy only", theirs + "f", mute, 403},
		{"another account's function, the user's policy only", theirs + "g", able, 403},
	} {
		if got := invoke(tt.keys, tt.function); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestSessionsAndBoundaries(t *testing.T) {
	f := newFixture(t, false)
	u := f.user("u", `{"Effect":"Allow","Action":"*","Resource":"*"}`)
	out, err := f.iam.CreatePolicy(f.root, &iamapi.CreatePolicyRequest{PolicyName: new("b"), PolicyDocument: new(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:*","lambda:Get*"],"Resource":"*"}]}`)})
	do(t, err)
	do(t, f.iam.PutUserPermissionsBoundary(f.root, &iamapi.PutUserPermissionsBoundaryRequest{UserName: new("u"), PermissionsBoundary: out.Policy.Arn}))
	get, remove := call{"lambda", "GET", "/2015-03-31/functions/f", "", ""}, call{"lambda", "DELETE", "/2015-03-31/functions/f", "", ""}
	if status, _ := f.send(u, "", get); status != 501 {
		t.Errorf("within the boundary: %d", status)
	}
	if status, body := f.send(u, "", remove); status != 403 || !strings.Contains(body, "because no permissions boundary allows the lambda:DeleteFunction action") {
		t.Errorf("beyond the boundary: %d %s", status, body)
	}
	_, err = f.iam.CreateRole(f.root, &iamapi.CreateRoleRequest{RoleName: new("r"), AssumeRolePolicyDocument: new(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}}`)})
	do(t, err)
	do(t, f.iam.AttachRolePolicy(f.root, &iamapi.AttachRolePolicyRequest{RoleName: new("r"), PolicyArn: new("arn:aws:iam::aws:policy/AWSLambda_FullAccess")}))
	k, err := f.sts.AssumeRole(&awswire.Call{Context: t.Context(), Account: account, Region: "us-east-1", Time: f.now,
		Principal: awswire.Principal{Account: account, ARN: "arn:aws:iam::123456789012:user/u", AccessKeyID: u.AccessKeyID}},
		&stsapi.AssumeRoleRequest{RoleArn: new("arn:aws:iam::123456789012:role/r"), RoleSessionName: new("s"), Policy: new(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:Get*","Resource":"*"}]}`)})
	do(t, err)
	keys := sigv4.Keys{AccessKeyID: *k.Credentials.AccessKeyId, Secret: *k.Credentials.SecretAccessKey}
	if status, _ := f.send(keys, *k.Credentials.SessionToken, get); status != 501 {
		t.Errorf("the session: %d", status)
	}
	if status, body := f.send(keys, *k.Credentials.SessionToken, remove); status != 403 || !strings.Contains(body, "because no session policy allows the lambda:DeleteFunction action") {
		t.Errorf("beyond the session's policy: %d %s", status, body)
	}
}

// TestUnfounded: a function whose role nobody created calls back.
func TestUnfounded(t *testing.T) {
	for let, want := range map[bool]int{true: 501, false: 403} {
		f := newFixture(t, let)
		k, err := f.sts.FunctionCredentials("arn:aws:iam::123456789012:role/none", "arn:aws:lambda:us-east-1:123456789012:function:f")
		do(t, err)
		status, body := f.send(sigv4.Keys{AccessKeyID: k.AccessKeyID, Secret: k.SecretAccessKey}, k.SessionToken, call{"lambda", "GET", "/2015-03-31/functions/f", "", ""})
		if status != want {
			t.Errorf("%v: %d %s, want %d", let, status, body, want)
		}
	}
}
