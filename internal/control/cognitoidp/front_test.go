package cognitoidp_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/cognitoidp"
)

func (f *fixture) front() http.Handler {
	bound := api.NewService(f.Service)
	front := cognitoidp.NewFront(f.Service, bound)
	return front.Handler(awswire.NewHandler(awswire.Options{
		Services: []*awswire.Service{bound}, Auth: awswire.Auth{Open: true}, Account: account, Region: "eu-central-1", AllowBrowser: front.AllowBrowser,
	}))
}

const signInHost = "cognito-idp.eu-central-1.localhost:4566"

// TestBrowsers has web pages sign users in, and nothing else.
func TestBrowsers(t *testing.T) {
	f := newFixture(t, nil)
	cl := f.client(nil)
	f.user("alice")
	h := f.front()
	signIn := `{"AuthFlow":"USER_PASSWORD_AUTH","ClientId":"` + *cl.ClientId + `","AuthParameters":{"USERNAME":"alice","PASSWORD":"` + password + `"}}`
	const prefix = "AWSCognitoIdentityProviderService."
	for _, tt := range []struct {
		name, method, host, path, target, body string
		header                                 map[string]string
		status                                 int
		cors                                   bool
	}{
		{"sign in", "POST", signInHost, "/", prefix + "InitiateAuth", signIn, nil, 200, true},
		{"sign in wrongly", "POST", signInHost, "/", prefix + "InitiateAuth", `{}`, nil, 400, true},
		{"management's own name", "POST", "localhost:4566", "/", prefix + "InitiateAuth", signIn, nil, 403, false},
		{"by address", "POST", "127.0.0.1:4566", "/", prefix + "InitiateAuth", signIn, nil, 403, false},
		{"a foreign name", "POST", "cognito-idp.evil.example", "/", prefix + "InitiateAuth", signIn, nil, 403, true},
		{"of administrators", "POST", signInHost, "/", prefix + "ListUserPools", `{"MaxResults":1}`, nil, 403, false},
		{"signed", "POST", signInHost, "/", prefix + "InitiateAuth", signIn, map[string]string{"Authorization": "AWS4-HMAC-SHA256 x"}, 403, false},
		{"presigned", "POST", signInHost, "/?X-Amz-Signature=x", prefix + "InitiateAuth", signIn, nil, 403, false},
		{"two targets", "POST", signInHost, "/", prefix + "InitiateAuth", signIn, map[string]string{"X-Amz-Target": prefix + "ListUserPools"}, 403, false},
		{"another service", "POST", signInHost, "/", "Logs_20140328.DescribeLogGroups", `{}`, nil, 403, false},
		{"another path", "POST", signInHost, "/v2/apis", prefix + "InitiateAuth", signIn, nil, 403, false},
		{"fetched", "GET", signInHost, "/", prefix + "InitiateAuth", "", nil, 403, false},
		{"preflight", "OPTIONS", signInHost, "/", "", "", nil, 204, true},
		{"preflight elsewhere", "OPTIONS", "localhost:4566", "/", "", "", nil, 403, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
			r.Host = tt.host
			r.Header.Set("Origin", "https://app.example")
			r.Header.Set("Content-Type", "application/x-amz-json-1.1")
			if tt.target != "" {
				r.Header.Set("X-Amz-Target", tt.target)
			}
			for name, v := range tt.header {
				r.Header.Add(name, v)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if got := w.Header().Get("Access-Control-Allow-Origin"); w.Code != tt.status || (got == "*") != tt.cors {
				t.Errorf("%d, allowed %q: %s", w.Code, got, w.Body)
			}
			if strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "uthorization") {
				t.Error("pages may send Authorization")
			}
		})
	}
}

func TestWellKnown(t *testing.T) {
	f := newFixture(t, nil)
	h := f.front()
	get := func(method, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		r.Host = signInHost
		r.Header.Set("Origin", "https://app.example")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	// The keys may still be in the making.
	w := get("GET", "/"+f.pool+"/.well-known/jwks.json")
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(w.Body.Bytes(), &set); err != nil || len(set.Keys) != 2 || w.Code != 200 || w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w = get("GET", "/"+f.pool+"/.well-known/openid-configuration")
	var config map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &config); err != nil || config["issuer"] != "https://cognito-idp.eu-central-1.amazonaws.com/"+f.pool ||
		config["jwks_uri"] != "http://"+signInHost+"/"+f.pool+"/.well-known/jwks.json" {
		t.Errorf("%s", w.Body)
	}
	if config["token_endpoint"] != nil || config["authorization_endpoint"] != nil {
		t.Errorf("endpoints of a pool without a domain: %s", w.Body)
	}
	_, err := f.CreateUserPoolDomain(f.Call, &api.CreateUserPoolDomainRequest{UserPoolId: &f.pool, Domain: new("people")})
	ok(t, err)
	for host, want := range map[string]string{
		signInHost: "http://people.auth.eu-central-1.localhost:4566", "127.0.0.1:4566": "http://127.0.0.1:4566/_aws/cognito-idp/people",
	} {
		r := httptest.NewRequest("GET", "/"+f.pool+"/.well-known/openid-configuration", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		ok(t, json.Unmarshal(w.Body.Bytes(), &config))
		for name, path := range map[string]string{"authorization": "/oauth2/authorize", "token": "/oauth2/token", "userinfo": "/oauth2/userInfo", "revocation": "/oauth2/revoke"} {
			if got := config[name+"_endpoint"]; got != want+path {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
	if w := get("GET", "/eu-central-1_none/.well-known/jwks.json"); w.Code != 404 || !strings.Contains(w.Body.String(), "User pool eu-central-1_none does not exist.") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, path := range []string{"/" + f.pool + "/.well-known/other", "/a/b/.well-known/jwks.json", "/.well-known"} {
		if w := get("GET", path); w.Code == 200 {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
	if w := get("POST", "/"+f.pool+"/.well-known/jwks.json"); w.Code == 200 {
		t.Errorf("%d", w.Code)
	}
}

// TestPoolGoneBeforeItsKeys deletes a pool while somebody waits for its keys.
func TestPoolGoneBeforeItsKeys(t *testing.T) {
	f := open(t, t.TempDir())
	created := make(chan struct{})
	var once sync.Once
	f.onKey = func() {
		<-created
		once.Do(func() { ok(t, f.DeleteUserPool(f.Call, &api.DeleteUserPoolRequest{UserPoolId: &f.pool})) })
	}
	out, err := f.CreateUserPool(f.Call, &api.CreateUserPoolRequest{PoolName: new("p")})
	ok(t, err)
	f.pool = *out.UserPool.Id
	r := httptest.NewRequest("GET", "/"+f.pool+"/.well-known/jwks.json", nil)
	w := httptest.NewRecorder()
	front := f.front()
	done := make(chan struct{})
	go func() { front.ServeHTTP(w, r); close(done) }()
	close(created)
	<-done
	if w.Code != 404 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
