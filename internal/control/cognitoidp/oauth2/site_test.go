package oauth2_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
)

// TestCodeFlow signs in by every address that a domain has and reads the tokens.
func TestCodeFlow(t *testing.T) {
	f := newFixture(t)
	for _, tt := range []struct {
		name, host, base string
		secure           bool
	}{
		{"host", host, "", false},
		{"TLS", host, "", true},
		{"AWS's name", "people.auth.us-east-1.amazoncognito.com", "", true},
		{"path", "127.0.0.1:4566", "/_aws/cognito-idp/people", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := f.browser()
			b.host, b.base, b.secure = tt.host, tt.base, tt.secure
			back := b.signIn(asks(f.page), "ann", password)
			if back.Get("state") != "s t&a=te" {
				t.Errorf("state %q", back.Get("state"))
			}
			for name := range b.cookies {
				if strings.HasPrefix(name, "__Host-") != (tt.secure && tt.base == "") {
					t.Errorf("cookie %s", name)
				}
			}
			a := f.post("/oauth2/token", exchanges(f.page, back.Get("code")))
			if a.code != 200 || a.text("token_type") != "Bearer" || a.body["expires_in"] != 3600.0 || a.header.Get("Cache-Control") == "" {
				t.Fatalf("%+v", a)
			}
			access, id := claimsOf(t, a.text("access_token")), claimsOf(t, a.text("id_token"))
			if access["scope"] != "openid notes/read" || access["version"] != 2.0 || access["username"] != "ann" || access["client_id"] != *f.page.ClientId {
				t.Errorf("access token %v", access)
			}
			// Only what the scopes show.
			if id["nonce"] != "n0nce" || id["aud"] != *f.page.ClientId || id["email"] != nil || id["given_name"] != nil || id["sub"] != access["sub"] {
				t.Errorf("ID token %v", id)
			}

			// Another sign-on needs no password, also for another client.
			w := b.get("/oauth2/authorize", asks(f.server))
			if back := b.back(w); back.Get("code") == "" {
				t.Errorf("no code: %v", back)
			}
			// After the hour it does.
			f.now = f.now.Add(time.Hour)
			if w := b.get("/oauth2/authorize", asks(f.page)); !strings.HasPrefix(w.Header().Get("Location"), tt.base+"/login?") {
				t.Errorf("%d %v", w.Code, w.Header())
			}
		})
	}
}

func TestRefreshAndRevoke(t *testing.T) {
	f := newFixture(t)
	back := f.browser().signIn(asks(f.server, "code_challenge", "", "code_challenge_method", "", "scope", "openid email"), "ann", password)
	a := f.post("/oauth2/token", exchanges(f.server, back.Get("code"), "code_verifier", "", "client_id", ""), "Authorization", basic(f.server))
	if a.code != 200 {
		t.Fatalf("%+v", a)
	}
	refresh := func(token string) answer {
		return f.post("/oauth2/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {*f.server.ClientId}, "client_secret": {*f.server.ClientSecret}})
	}
	again := refresh(a.text("refresh_token"))
	if again.code != 200 || again.text("refresh_token") != "" || claimsOf(t, again.text("access_token"))["scope"] != "openid email" ||
		claimsOf(t, again.text("access_token"))["version"] != 2.0 || claimsOf(t, again.text("id_token"))["email"] != "ann@example.com" {
		t.Errorf("%+v", again)
	}
	info := func(token string) answer {
		b := f.browser()
		b.header["Authorization"] = "Bearer " + token
		return read(t, b.do("GET", "/oauth2/userInfo", nil))
	}
	if got := info(again.text("access_token")); got.code != 200 || got.text("email") != "ann@example.com" || got.text("email_verified") != "true" || got.text("username") != "ann" || got.body["given_name"] != nil {
		t.Errorf("%+v", got)
	}

	revoke := func(token string, header ...string) answer {
		return f.post("/oauth2/revoke", url.Values{"token": {token}}, header...)
	}
	if got := revoke(a.text("access_token"), "Authorization", basic(f.server)); got.code != 400 || got.text("error") != "unsupported_token_type" {
		t.Errorf("%+v", got)
	}
	if got := revoke(a.text("refresh_token")); got.code != 400 || got.text("error") != "invalid_request" {
		t.Errorf("%+v", got)
	}
	if got := revoke(a.text("refresh_token"), "Authorization", basicOf(*f.server.ClientId, "wrong")); got.code != 401 || got.text("error") != "invalid_client" {
		t.Errorf("%+v", got)
	}
	if got := revoke(a.text("refresh_token"), "Authorization", basic(f.server)); got.code != 200 || got.body != nil {
		t.Errorf("%+v", got)
	}
	if got := refresh(a.text("refresh_token")); got.code != 400 || got.text("error") != "invalid_grant" {
		t.Errorf("%+v", got)
	}
	if got := info(again.text("access_token")); got.code != 401 || got.text("error") != "invalid_token" || !strings.HasPrefix(got.header.Get("WWW-Authenticate"), `Bearer error="invalid_token"`) {
		t.Errorf("%+v", got)
	}
}

func TestClientCredentials(t *testing.T) {
	f := newFixture(t)
	ask := func(scope string) url.Values {
		return url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}
	}
	a := f.post("/oauth2/token", ask(""), "Authorization", basic(f.machine))
	if c := claimsOf(t, a.text("access_token")); a.code != 200 || a.text("id_token")+a.text("refresh_token") != "" || c["sub"] != *f.machine.ClientId ||
		c["scope"] != "notes/read" || c["username"] != nil || c["token_use"] != "access" {
		t.Errorf("%+v %v", a, c)
	}
	for _, tt := range []struct {
		name, scope, header, want string
	}{
		{"a scope that isn't the client's", "notes/write", basic(f.machine), "invalid_scope"},
		{"a scope of people", "openid", basic(f.machine), "invalid_scope"},
		{"one of two", "notes/read notes/write", basic(f.machine), "invalid_scope"},
		{"a client for people", "", basic(f.server), "unauthorized_client"},
		{"a wrong secret", "", basicOf(*f.machine.ClientId, *f.machine.ClientSecret+"x"), "invalid_client"},
		{"no secret", "", basicOf(*f.machine.ClientId, ""), "invalid_client"},
		{"nonsense", "", "Basic ?", "invalid_request"},
		{"no client", "", "", "invalid_request"},
		{"a bearer", "", "Bearer x", "invalid_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var header []string
			if tt.header != "" {
				header = []string{"Authorization", tt.header}
			}
			if a := f.post("/oauth2/token", ask(tt.scope), header...); a.code != 400 || a.text("error") != tt.want {
				t.Errorf("%+v", a)
			}
		})
	}
	// A scope goes with its resource server.
	_, err := f.UpdateResourceServer(f.call, &api.UpdateResourceServerRequest{UserPoolId: &f.pool, Identifier: new("notes"), Name: new("notes")})
	ok(t, err)
	if a := f.post("/oauth2/token", ask("notes/read"), "Authorization", basic(f.machine)); a.text("error") != "invalid_scope" {
		t.Errorf("%+v", a)
	}
}

func TestImplicit(t *testing.T) {
	f := newFixture(t)
	cl := f.client("old", func(in *api.CreateUserPoolClientRequest) { in.AllowedOAuthFlows = []string{"implicit"} })
	b := f.browser()
	q := asks(cl, "response_type", "token", "code_challenge", "", "code_challenge_method", "")
	back := b.signIn(q, "ann", password)
	if back.Get("code")+back.Get("refresh_token") != "" || claimsOf(t, back.Get("access_token"))["scope"] != "openid notes/read" || claimsOf(t, back.Get("id_token"))["nonce"] != "n0nce" {
		t.Errorf("%v", back)
	}
	w := b.get("/oauth2/authorize", q)
	if to := w.Header().Get("Location"); !strings.HasPrefix(to, callback+"#") {
		t.Errorf("%s", to)
	}
	if back := b.back(b.get("/oauth2/authorize", asks(cl))); back.Get("error") != "unauthorized_client" {
		t.Errorf("%v", back)
	}
}

func TestPrompt(t *testing.T) {
	f := newFixture(t)
	b := f.browser()
	if back := b.back(b.get("/oauth2/authorize", asks(f.page, "prompt", "none"))); back.Get("error") != "login_required" || back.Get("state") == "" {
		t.Errorf("%v", back)
	}
	b.signIn(asks(f.page), "ann", password)
	if back := b.back(b.get("/oauth2/authorize", asks(f.page, "prompt", "none"))); back.Get("code") == "" {
		t.Errorf("%v", back)
	}
	w := b.get("/oauth2/authorize", asks(f.page, "prompt", "login", "login_hint", `a"nn`))
	w = b.do("GET", w.Header().Get("Location"), nil)
	if _, fields := formOf(t, w); fields.Get("username") != `a"nn` {
		t.Errorf("%v", fields)
	}
}

func TestLogout(t *testing.T) {
	f := newFixture(t)
	b := f.browser()
	b.signIn(asks(f.page), "ann", password)
	kept := b.cookies["cognito"]
	for _, q := range []url.Values{
		{"client_id": {*f.page.ClientId}},
		{"logout_uri": {goodbye}},
		{"client_id": {*f.page.ClientId}, "logout_uri": {callback}},
		{"client_id": {*f.page.ClientId}, "logout_uri": {goodbye + "/"}},
		{"client_id": {*f.page.ClientId}, "logout_uri": {goodbye, "https://evil.example/"}},
		{"client_id": {*f.page.ClientId}, "logout_uri": {"//evil.example/"}},
		{"client_id": {*f.page.ClientId}, "redirect_uri": {"https://evil.example/"}, "response_type": {"code"}},
	} {
		if w := b.get("/logout", q); w.Code != 400 || w.Header().Get("Location") != "" || b.cookies["cognito"] == "" {
			t.Errorf("%v: %d %v", q, w.Code, w.Header())
		}
	}
	w := b.get("/logout", url.Values{"client_id": {*f.page.ClientId}, "logout_uri": {goodbye}})
	if w.Code != 302 || w.Header().Get("Location") != goodbye || b.cookies["cognito"] != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	// A copy of the cookie is worth nothing either.
	b.cookies["cognito"] = kept
	if back := b.back(b.get("/oauth2/authorize", asks(f.page, "prompt", "none"))); back.Get("error") != "login_required" {
		t.Errorf("%v", back)
	}
	w = b.get("/logout", asks(f.page))
	if w.Code != 302 || !strings.HasPrefix(w.Header().Get("Location"), "/login?") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// TestVisitEnds: whoever may not sign in any more is asked for a password, and a
// code that was given out gives no tokens.
func TestVisitEnds(t *testing.T) {
	for name, end := range map[string]func(f *fixture) error{
		"signed out": func(f *fixture) error {
			f.call.Time = f.now.Add(time.Second)
			_, err := f.AdminUserGlobalSignOut(f.call, &api.AdminUserGlobalSignOutRequest{UserPoolId: &f.pool, Username: new("ann")})
			return err
		},
		"disabled": func(f *fixture) error {
			_, err := f.AdminDisableUser(f.call, &api.AdminDisableUserRequest{UserPoolId: &f.pool, Username: new("ann")})
			return err
		},
		"made anew": func(f *fixture) error {
			err := f.AdminDeleteUser(f.call, &api.AdminDeleteUserRequest{UserPoolId: &f.pool, Username: new("ann")})
			f.user("ann")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			b := f.browser()
			code := b.signIn(asks(f.page), "ann", password).Get("code")
			ok(t, end(f))
			f.now = f.now.Add(2 * time.Second)
			if w := b.get("/oauth2/authorize", asks(f.page)); !strings.HasPrefix(w.Header().Get("Location"), "/login?") {
				t.Errorf("%d %v", w.Code, w.Header())
			}
			if a := f.post("/oauth2/token", exchanges(f.page, code)); a.code != 400 || a.text("error") != "invalid_grant" {
				t.Errorf("%+v", a)
			}
		})
	}
}

func TestServes(t *testing.T) {
	f := newFixture(t)
	_, err := f.CreateUserPoolDomain(f.call, &api.CreateUserPoolDomainRequest{UserPoolId: &f.pool, Domain: new("login.example.com"),
		CustomDomainConfig: &api.CustomDomainConfigType{CertificateArn: new("arn:aws:acm:us-east-1:123456789012:certificate/x")}})
	ok(t, err)
	for _, tt := range []struct {
		host, path string
		want       bool
	}{
		{"people.auth.us-east-1.localhost", "/", true},
		{"PEOPLE.AUTH.us-east-1.amazoncognito.com", "/login", true},
		{"nobody.auth.us-gov-west-1.gw.example", "/", true},
		{"login.example.com", "/login", true},
		{"127.0.0.1", "/_aws/cognito-idp/people/login", true},
		{"127.0.0.1", "/_aws/execute-api/abc/", false},
		{"people.auth.us-east-1", "/", false},
		{"auth.us-east-1.localhost", "/", false},
		{"api.auth.example.com", "/", false},
		{"people.execute-api.us-east-1.localhost", "/", false},
		{"cognito-idp.us-east-1.localhost", "/", false},
		{"localhost", "/login", false},
	} {
		if got := f.site.Serves(tt.host, tt.path); got != tt.want {
			t.Errorf("%s%s: %t", tt.host, tt.path, got)
		}
	}
	b := f.browser()
	for _, b.host = range []string{"nobody.auth.us-east-1.localhost", "people.auth.eu-west-1.localhost"} {
		if w := b.get("/login", asks(f.page)); w.Code != 404 {
			t.Errorf("%s: %d", b.host, w.Code)
		}
	}
	b.host = "login.example.com"
	if w := b.get("/login", asks(f.page)); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	b.host, b.base = "127.0.0.1:4566", "/_aws/cognito-idp/login.example.com"
	if w := b.get("/login", asks(f.page)); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestMethods(t *testing.T) {
	f := newFixture(t)
	b := f.browser()
	b.header["Origin"] = "https://app.example"
	open := []string{"/oauth2/token", "/oauth2/userInfo", "/oauth2/revoke"}
	for _, path := range append([]string{"/oauth2/authorize", "/login", "/challenge", "/signup", "/confirmUser", "/forgotPassword", "/confirmForgotPassword", "/logout", "/", "/x"}, open...) {
		for _, method := range []string{"OPTIONS", "PUT", "DELETE", "GET"} {
			w := b.do(method, path, nil)
			cors := w.Header().Get("Access-Control-Allow-Origin")
			want := slices.Contains(open, path) && (method == "OPTIONS" || method == "GET" && path == "/oauth2/userInfo")
			if (cors == "*") != want || w.Header().Get("Access-Control-Allow-Credentials") != "" || (w.Code < 300) != (method == "OPTIONS" && want) {
				t.Errorf("%s %s: %d, CORS %q", method, path, w.Code, cors)
			}
		}
	}
}
