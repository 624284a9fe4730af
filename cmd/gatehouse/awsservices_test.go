package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/authorize"
	"gatehouse/internal/awsendpoint"
	"gatehouse/internal/awswire/sigv4"
	"gatehouse/internal/compile"
	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
)

func TestAWSEndpoints(t *testing.T) {
	c := config{AWSEndpoint: []string{"http://all:1", "DynamoDB=http://dynamo:2/x", "stepfunctions=aws", "email=https://mail"}}
	e, err := c.awsEndpoints([]string{
		"AWS_ENDPOINT_URL=http://no:1", "AWS_ENDPOINT_URL_SQS=http://sqs:3", "AWS_ENDPOINT_URL_DYNAMODB=http://no:1",
		"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=http://runtime:4", "AWS_ENDPOINT_URL_OTHER=nothing", "AWS_ENDPOINT_URL_SNS=", "HOME=/",
	})
	if err != nil {
		t.Fatal(err)
	}
	for prefix, want := range map[string]string{
		"dynamodb": "http://dynamo:2/x", "streams.dynamodb": "http://dynamo:2/x", "states": "aws", "sync-states": "aws", "sqs": "http://sqs:3",
		"runtime.sagemaker": "http://runtime:4", "email": "https://mail", "sns": "http://all:1", "unheard-of": "http://all:1",
	} {
		s := awsendpoint.ByPrefix(prefix)
		if got := e.of(&s); got != want {
			t.Errorf("%s is at %q, want %q", prefix, got, want)
		}
	}
	nowhere := awsendpoint.ByPrefix("sqs")
	if got := (awsEndpoints{}).of(&nowhere); got != "" {
		t.Errorf("without settings it is at %q", got)
	}
	for _, bad := range []string{"", "x", "sqs=", "nothing=http://x", "ftp://x", "sqs=http://x?y=z", "sqs=http://u:p@x", "http://x/{y}"} {
		if _, err := (&config{AWSEndpoint: []string{bad}}).awsEndpoints(nil); err == nil {
			t.Errorf("--aws-endpoint %q is taken", bad)
		}
	}
	if _, err := (&config{}).awsEndpoints([]string{"AWS_ENDPOINT_URL_SQS=localhost:1"}); err == nil || !strings.Contains(err.Error(), "AWS_ENDPOINT_URL_SQS") {
		t.Errorf("%v", err)
	}
}

// Functions find services where integrations do, and what the gateway has at the
// gateway.
func TestAWSEndpointVariables(t *testing.T) {
	const own, s3 = "http://127.0.0.1:4566", "http://minio:9000"
	for _, test := range []struct {
		endpoints awsEndpoints
		s3        string
		want      map[string]string
	}{
		{nil, "", map[string]string{"": own, "_SQS": "", "_LAMBDA": ""}},
		{awsEndpoints{"sqs": "http://sqs:1", "states": realAWS, "lambda": "http://lambda:1"}, s3,
			map[string]string{"": own, "_SQS": "http://sqs:1", "_SFN": "", "_LAMBDA": "http://lambda:1", "_S3": s3}},
		{awsEndpoints{"": "http://all:1", "s3": "http://s3:1"}, s3, map[string]string{
			"": "http://all:1", "_S3": "http://s3:1", "_LAMBDA": own, "_CLOUDWATCH_LOGS": own, "_API_GATEWAY": own, "_APIGATEWAYV2": own,
			"_APIGATEWAYMANAGEMENTAPI": own, "_STS": own, "_COGNITO_IDENTITY_PROVIDER": own, "_ELASTIC_LOAD_BALANCING_V2": own, "_DYNAMODB": "",
		}},
		{awsEndpoints{"": realAWS}, "", map[string]string{"": own, "_LAMBDA": ""}},
	} {
		got := test.endpoints.variables(own, test.s3)
		for name, want := range test.want {
			if got["AWS_ENDPOINT_URL"+name] != want {
				t.Errorf("%v: AWS_ENDPOINT_URL%s is %q, want %q", test.endpoints, name, got["AWS_ENDPOINT_URL"+name], want)
			}
		}
	}
}

func TestAWSKeys(t *testing.T) {
	file := filepath.Join(t.TempDir(), "credentials")
	write := func(text string, at time.Time) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Unix(1000, 0)
	write("# keys\n[default]\naws_access_key_id = D\naws_secret_access_key=ds\n\n[ work ]\n\tAWS_ACCESS_KEY_ID=W\naws_secret_access_key = a=b\naws_session_token = t\n[half]\naws_access_key_id=H\n", now)
	none := map[string]string{"AWS_SHARED_CREDENTIALS_FILE": file}
	with := func(pairs ...string) map[string]string {
		env := map[string]string{"AWS_SHARED_CREDENTIALS_FILE": file}
		for i := 0; i < len(pairs); i += 2 {
			env[pairs[i]] = pairs[i+1]
		}
		return env
	}
	for _, test := range []struct {
		name string
		c    config
		env  map[string]string
		want sigv4.Keys
	}{
		{"the settings'", config{AWSAccessKeyID: "S", AWSSecretAccessKey: "ss", AWSSessionToken: "st"}, with("AWS_ACCESS_KEY_ID", "E", "AWS_SECRET_ACCESS_KEY", "es"), sigv4.Keys{AccessKeyID: "S", Secret: "ss", Token: "st"}},
		{"the environment's", config{}, with("AWS_ACCESS_KEY_ID", "E", "AWS_SECRET_ACCESS_KEY", "es", "AWS_SESSION_TOKEN", "et"), sigv4.Keys{AccessKeyID: "E", Secret: "es", Token: "et"}},
		{"half of the environment's", config{}, with("AWS_ACCESS_KEY_ID", "E"), sigv4.Keys{AccessKeyID: "D", Secret: "ds"}},
		{"the file's", config{}, none, sigv4.Keys{AccessKeyID: "D", Secret: "ds"}},
		{"a profile's", config{}, with("AWS_PROFILE", "work", "AWS_ACCESS_KEY_ID", "E", "AWS_SECRET_ACCESS_KEY", "es"), sigv4.Keys{AccessKeyID: "W", Secret: "a=b", Token: "t"}},
		{"half a profile", config{}, with("AWS_PROFILE", "half"), sigv4.Keys{}},
		{"no profile", config{}, with("AWS_PROFILE", "nope"), sigv4.Keys{}},
		{"no file", config{}, map[string]string{"AWS_SHARED_CREDENTIALS_FILE": file + "x"}, sigv4.Keys{}},
	} {
		k := newAWSKeys(&test.c, func(name string) string { return test.env[name] })
		got, err := k.of(now)
		if got != test.want || (err == nil) != (test.want.AccessKeyID != "") || err != nil && !errors.Is(err, errNoAWSKeys) {
			t.Errorf("%s: %+v, %v", test.name, got, err)
		}
	}
	// Keys that are exchanged are found.
	k := newAWSKeys(&config{}, func(name string) string { return none[name] })
	if _, err := k.of(now); err != nil {
		t.Fatal(err)
	}
	write("[default]\naws_access_key_id = N\naws_secret_access_key = ns\n", now.Add(time.Minute))
	if got, err := k.of(now.Add(keysLooked - 1)); err != nil || got.AccessKeyID != "D" {
		t.Errorf("before it is looked again: %+v, %v", got, err)
	}
	if got, err := k.of(now.Add(keysLooked)); err != nil || got.AccessKeyID != "N" {
		t.Errorf("afterwards: %+v, %v", got, err)
	}
	if got, err := k.of(now.Add(2 * keysLooked)); err != nil || got.AccessKeyID != "N" {
		t.Errorf("unchanged: %+v, %v", got, err)
	}
}

// fakeRoles have keys for every role, and trust whom the test says.
type fakeRoles struct {
	fakeTrust
	made    int
	expires time.Time
}

func (f *fakeRoles) GatewayKeys(_ context.Context, roleARN string) (sigv4.Keys, time.Time, error) {
	f.made++
	return sigv4.Keys{AccessKeyID: "ASIA", Secret: roleARN, Token: "t"}, f.expires, nil
}

// fakeSigners know one key.
type fakeSigners struct{ authorize.Signers }

func (fakeSigners) Signer(id, token string) (authorize.Signer, bool) {
	return authorize.Signer{Secret: "ann's"}, id == "AKIDANN" && token == "tok"
}

// Which endpoint is called, and by whose keys.
func TestAWSServices(t *testing.T) {
	got := make(chan string, 8)
	at := func(name string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
			id, _, _ := strings.Cut(credential, "/")
			got <- name + " " + id
			_, _ = io.WriteString(w, "{}")
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	upstreams := integrate.NewUpstreams(integrate.UpstreamOptions{})
	t.Cleanup(func() {
		if err := upstreams.Close(); err != nil {
			t.Error(err)
		}
	})
	const account, role = "000000000000", "arn:aws:iam::000000000000:role/r"
	var log bytes.Buffer
	now := time.Unix(1_700_000_000, 0)
	none := newAWSKeys(&config{}, func(name string) string {
		return map[string]string{"AWS_SHARED_CREDENTIALS_FILE": "/nowhere/at/all"}[name]
	})
	base := func() *awsServices {
		return &awsServices{
			endpoints: awsEndpoints{"sqs": at("sqs"), "states": realAWS}, own: at("own"), keys: none, s3: at("s3"), s3Keys: sigv4.Keys{AccessKeyID: "AKIDS3", Secret: "s"},
			roles: &fakeRoles{fakeTrust: fakeTrust{ok: true}, expires: now.Add(time.Hour)}, signers: fakeSigners{}, upstreams: upstreams,
			clock: func() time.Time { return now }, log: slog.New(slog.NewTextHandler(&log, nil)),
		}
	}
	given := &awsKeys{given: sigv4.Keys{AccessKeyID: "AKIDOP", Secret: "o"}}
	ann := plan.Caller{AccountID: account, AccessKeyID: "AKIDANN", SessionToken: "tok"}
	for _, test := range []struct {
		name, uri, credentials string
		change                 func(*awsServices)
		caller                 plan.Caller
		want, fails, logs      string
	}{
		{name: "an endpoint takes any keys", uri: "sqs:path/q", credentials: role, want: "sqs test"},
		{name: "the operator's keys", uri: "sqs:path/q", credentials: role, change: func(s *awsServices) { s.keys = given }, want: "sqs AKIDOP"},
		{name: "a role that isn't trusted", uri: "sqs:path/q", credentials: role, change: func(s *awsServices) { s.roles = &fakeRoles{} }, want: "sqs test", logs: "doesn't trust"},
		{name: "a role that isn't trusted, strictly", uri: "sqs:path/q", credentials: role, change: func(s *awsServices) { s.roles, s.strict = &fakeRoles{}, true }, fails: "does not have permission to assume"},
		{name: "another account's role", uri: "sqs:path/q", credentials: "arn:aws:iam::111111111111:role/r", fails: "does not have permission to assume"},
		{name: "no credentials", uri: "sqs:path/q", want: "sqs test", logs: "has no credentials"},
		{name: "no credentials, strictly", uri: "sqs:path/q", change: func(s *awsServices) { s.strict = true }, fails: "has no credentials"},
		{name: "no endpoint", uri: "sns:action/Publish", credentials: role, fails: "give the gateway --aws-endpoint sns=URL, or --aws-endpoint sns=aws for AWS itself", logs: "--aws-endpoint sns=URL"},
		{name: "AWS without keys", uri: "states:action/StartExecution", credentials: role, fails: "there are no keys to call AWS with: give --aws-access-key-id"},
		{name: "the S3 of truststores", uri: "s3:path/b/k", credentials: role, want: "s3 AKIDS3"},
		{name: "an S3 of its own", uri: "s3:path/b/k", credentials: role, change: func(s *awsServices) { s.endpoints["s3"] = s.endpoints["sqs"] }, want: "sqs test"},
		{name: "the gateway's own service, by the role", uri: "logs:action/DescribeLogGroups", credentials: role, want: "own ASIA"},
		{name: "an own service without credentials", uri: "logs:action/DescribeLogGroups", want: "own ", logs: "has no credentials"},
		{name: "an own service, by a role that isn't trusted", uri: "logs:action/DescribeLogGroups", credentials: role, change: func(s *awsServices) { s.roles, s.trust = &fakeRoles{}, true }, fails: "does not have permission to assume"},
		{name: "an own service elsewhere", uri: "logs:action/DescribeLogGroups", credentials: role, change: func(s *awsServices) { s.endpoints["logs"] = s.endpoints["sqs"] }, want: "sqs test"},
		{name: "all services elsewhere but the gateway's own", uri: "logs:action/DescribeLogGroups", credentials: role, change: func(s *awsServices) { s.endpoints[""] = s.endpoints["sqs"] }, want: "own ASIA"},
		{name: "the caller's keys", uri: "sqs:path/q", credentials: callerCredentials, caller: ann, want: "sqs AKIDANN"},
		{name: "nobody's keys", uri: "sqs:path/q", credentials: callerCredentials, fails: "nobody signed the request"},
		{name: "keys that are gone", uri: "sqs:path/q", credentials: callerCredentials, caller: plan.Caller{AccessKeyID: "AKIDBOB"}, fails: "is gone"},
	} {
		t.Run(test.name, func(t *testing.T) {
			log.Reset()
			s := base()
			if test.change != nil {
				test.change(s)
			}
			uri, err := awsendpoint.ParseURI("arn:aws:apigateway:us-east-1:" + test.uri)
			if err != nil {
				t.Fatal(err)
			}
			called, err := s.integration(compile.AWSServiceCall{URI: uri, Method: "POST", Timeout: 10 * time.Second, Credentials: test.credentials})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				x := &plan.Exchange{Stage: &plan.Stage{API: &plan.API{ID: "abc", AccountID: account}}, Route: &plan.Route{Key: "POST /"}, Caller: test.caller, Start: now}
				x.Mapped.On, x.Mapped.HasBody = true, true
				err = called.Integrate(x)
				if test.fails != "" {
					if err == nil || !strings.Contains(err.Error(), test.fails) {
						t.Fatalf("%v, want %q", err, test.fails)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if who := <-got; who != test.want {
					t.Errorf("%s was called, want %s", who, test.want)
				}
			}
			if n := strings.Count(log.String(), "level="); test.logs == "" && n > 0 || test.logs != "" && (n != 1 || !strings.Contains(log.String(), test.logs)) {
				t.Errorf("logged %d times: %s", n, &log)
			}
			if roles, ok := s.roles.(*fakeRoles); ok && roles.made > 1 {
				t.Errorf("keys were made %d times", roles.made)
			}
		})
	}
}

// Every service with a model is the gateway's own, but that of connections, whose
// calls go to an API's address.
func TestOwnServices(t *testing.T) {
	files, err := filepath.Glob("../../schema/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var model struct{ SigningName string }
		if err := json.Unmarshal(text, &model); err != nil {
			t.Fatal(err)
		}
		if model.SigningName == "" || model.SigningName == "execute-api" {
			continue
		}
		if s := awsendpoint.ByPrefix(model.SigningName); !ownServices[model.SigningName] || s.SigningName() != model.SigningName {
			t.Errorf("%s: the gateway's own %s isn't called", file, model.SigningName)
		}
	}
}

// A role's keys are made anew before they end, and when it may be another role.
func TestRoleKeysAreRenewed(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	roles := &fakeRoles{expires: now.Add(time.Hour)}
	s := &awsServices{roles: roles, clock: func() time.Time { return now }}
	keys := s.roleKeys("r")
	for _, step := range []struct {
		after time.Duration
		made  int
	}{{0, 1}, {0, 1}, {time.Hour - keysRenewed - 1, 1}, {1, 2}} {
		now = now.Add(step.after)
		roles.expires = now.Add(time.Hour)
		if step.made == 1 {
			roles.expires = time.Unix(1_700_000_000, 0).Add(time.Hour)
		}
		if _, err := keys(nil); err != nil || roles.made != step.made {
			t.Errorf("%v, made %d times, want %d", err, roles.made, step.made)
		}
	}
	roles.generation++
	for range 2 {
		if _, err := keys(nil); err != nil || roles.made != 3 {
			t.Errorf("roles have changed: %v, made %d times, want 3", err, roles.made)
		}
	}
}
