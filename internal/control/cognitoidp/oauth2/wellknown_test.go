package oauth2_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/cognitoidp"
)

// What tokens are checked by is there for everybody: at AWS's address, below each
// domain of a pool, and below the pool's id, and nothing else is at those.
func TestWellKnown(t *testing.T) {
	f := newFixture(t)
	_, err := f.CreateUserPoolDomain(f.call, &api.CreateUserPoolDomainRequest{UserPoolId: &f.pool, Domain: new("login.example.com"),
		CustomDomainConfig: &api.CustomDomainConfigType{CertificateArn: new("arn:aws:acm:us-east-1:123456789012:certificate/x")}})
	ok(t, err)
	bare, err := f.CreateUserPool(f.call, &api.CreateUserPoolRequest{PoolName: new("bare")})
	ok(t, err)
	get := func(method, host, path string) *httptest.ResponseRecorder {
		t.Helper()
		name, _, _ := strings.Cut(host, ":")
		if !f.site.Serves(name, path) {
			t.Fatalf("%s%s isn't the site's", host, path)
		}
		w := httptest.NewRecorder()
		f.site.ServeHTTP(w, httptest.NewRequest(method, "http://"+host+path, nil))
		return w
	}
	const byID = "/_aws/cognito-idp/"
	for _, test := range []struct {
		host, before string
		pool         string
		endpoints    string // where the pool's pages are, "" for none
	}{
		{"cognito-idp.us-east-1.localhost", "/" + f.pool, f.pool, "http://people.auth.us-east-1.localhost"},
		{"Cognito-IDP.us-east-1.amazonaws.com", "/" + f.pool, f.pool, "http://people.auth.us-east-1.amazonaws.com"},
		{"cognito-idp.us-east-1.localhost", "/" + *bare.UserPool.Id, *bare.UserPool.Id, ""},
		{"people.auth.us-east-1.localhost:4566", "", f.pool, "http://people.auth.us-east-1.localhost:4566"},
		{"login.example.com", "", f.pool, "http://login.example.com"},
		{"127.0.0.1:4566", byID + "people", f.pool, "http://127.0.0.1:4566" + byID + "people"},
		{"127.0.0.1:4566", byID + "login.example.com", f.pool, "http://127.0.0.1:4566" + byID + "login.example.com"},
		{"127.0.0.1:4566", byID + f.pool, f.pool, "http://127.0.0.1:4566" + byID + "people"},
		{"127.0.0.1:4566", byID + *bare.UserPool.Id, *bare.UserPool.Id, ""},
	} {
		at := "http://" + test.host + test.before
		want := get("GET", "cognito-idp.us-east-1.localhost", "/"+test.pool+"/.well-known/jwks.json").Body.String()
		keys := get("GET", test.host, test.before+"/.well-known/jwks.json")
		if keys.Body.String() != want || keys.Code != 200 || !strings.Contains(keys.Body.String(), `"kid"`) ||
			keys.Header().Get("Access-Control-Allow-Origin") != "*" || keys.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", at, keys.Code, keys.Body)
		}
		var config map[string]any
		ok(t, json.Unmarshal(get("GET", test.host, test.before+"/.well-known/openid-configuration").Body.Bytes(), &config))
		if config["issuer"] != "https://cognito-idp.us-east-1.amazonaws.com/"+test.pool || config["jwks_uri"] != at+"/.well-known/jwks.json" {
			t.Errorf("%s: %v", at, config)
		}
		if endpoint, _ := config["token_endpoint"].(string); endpoint != "" && endpoint != test.endpoints+"/oauth2/token" || (endpoint == "") != (test.endpoints == "") {
			t.Errorf("%s: tokens at %s", at, endpoint)
		}
		if w := get("POST", test.host, test.before+"/.well-known/jwks.json"); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: POST: %d", at, w.Code)
		}
	}
	for _, test := range []struct{ host, path string }{
		{"cognito-idp.us-east-1.localhost", "/us-east-1_none/.well-known/jwks.json"},
		{"127.0.0.1", byID + "us-east-1_none/.well-known/jwks.json"},
		{"127.0.0.1", byID + "nobody/.well-known/jwks.json"},
		{"nobody.auth.us-east-1.localhost", "/.well-known/jwks.json"},
		{"login.example.com", "/" + f.pool + "/.well-known/jwks.json"},
		{"login.example.com", "/.well-known/other"},
		{"127.0.0.1", byID + f.pool + "/login"},
	} {
		if w := get("GET", test.host, test.path); w.Code != 404 {
			t.Errorf("%s%s: %d %s", test.host, test.path, w.Code, w.Body)
		}
	}
	for _, test := range []struct{ host, path string }{
		{"cognito-idp.us-east-1.localhost", "/"}, {"cognito-idp.us-east-1.localhost", "/.well-known/jwks.json"},
		{"cognito-idp.us-east-1.localhost", "/a/b/.well-known/jwks.json"}, {"localhost", "/" + f.pool + "/.well-known/jwks.json"},
	} {
		if f.site.Serves(test.host, test.path) {
			t.Errorf("%s%s is the site's", test.host, test.path)
		}
	}
}
