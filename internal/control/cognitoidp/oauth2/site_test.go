package oauth2_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/awsapi/acm"
	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/cognitoidp"
	"gatehouse/internal/control/cognitoidp/oauth2"
	"gatehouse/internal/definition"
	"gatehouse/internal/seal"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
	"gatehouse/internal/userpool"
)

const (
	host     = "people.auth.us-east-1.localhost:4566"
	callback = "https://app.example/cb"
	goodbye  = "https://app.example/bye"
	password = "Passw0rd!"
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)

// signingKeys are made once: RSA takes its time.
var signingKeys = sync.OnceValues(func() (*userpool.SigningKey, error) { return userpool.NewSigningKey(zeros{}) })

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// A fixture is a pool with the domain "people", the user ann, the resource server
// notes and a client of each kind.
type fixture struct {
	*cognitoidp.Service
	call  *awswire.Call
	t     testing.TB
	site  *oauth2.Site
	now   time.Time
	codes []cognitoidp.Code
	pool  string
	// page has no secret, server has one, machine acts for itself.
	page, server, machine *api.UserPoolClientType
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	db, err := sqlite.Open(context.Background(), t.TempDir())
	ok(t, err)
	sealer, err := seal.New(bytes.Repeat([]byte{7}, 32))
	ok(t, err)
	directory := cognitoidp.NewDirectory()
	s, err := store.Open(context.Background(), db, store.Options{Sealer: sealer, Prepare: directory.Prepare})
	ok(t, err)
	ok(t, s.View(context.Background(), directory.Load))
	f := &fixture{t: t, now: time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)}
	f.Service, err = cognitoidp.New(cognitoidp.Options{
		NewKey: func(io.Reader) (*userpool.SigningKey, error) { return signingKeys() }, Store: s, Directory: directory, Sealer: sealer,
		Codes: func(c cognitoidp.Code) { f.codes = append(f.codes, c) },
	})
	ok(t, err)
	t.Cleanup(func() { f.Close(); s.Close() })
	f.site = oauth2.New(oauth2.Options{Pools: f.Service, Directory: directory, Sealer: sealer, Region: "us-east-1", Clock: func() time.Time { return f.now }})
	f.call = &awswire.Call{Context: context.Background(), Account: "123456789012", Region: "us-east-1", Time: f.now}

	ok(t, s.Update(context.Background(), func(tx *store.Tx) error {
		doc := &definition.Certificate{CertificateDetail: acm.CertificateDetail{Status: new(acm.CertificateStatusIssued), DomainName: new("login.example.com")}}
		return definition.Certificates.Put(tx, store.Scope{Account: "123456789012", Region: "us-east-1"}, doc, "x")
	}))
	pool, err := f.CreateUserPool(f.call, &api.CreateUserPoolRequest{PoolName: new("people"), AutoVerifiedAttributes: []string{"email"}})
	ok(t, err)
	f.pool = *pool.UserPool.Id
	_, err = f.CreateUserPoolDomain(f.call, &api.CreateUserPoolDomainRequest{UserPoolId: &f.pool, Domain: new("people")})
	ok(t, err)
	_, err = f.CreateResourceServer(f.call, &api.CreateResourceServerRequest{
		UserPoolId: &f.pool, Identifier: new("notes"), Name: new("notes"), Scopes: []api.ResourceServerScopeType{
			{ScopeName: new("read"), ScopeDescription: new("Read")}, {ScopeName: new("write"), ScopeDescription: new("Write")},
		}})
	ok(t, err)
	f.user("ann")
	f.page = f.client("page <b>", nil)
	f.server = f.client("server", func(in *api.CreateUserPoolClientRequest) { in.GenerateSecret = new(true) })
	f.machine = f.client("machine", func(in *api.CreateUserPoolClientRequest) {
		in.GenerateSecret, in.AllowedOAuthFlows, in.AllowedOAuthScopes = new(true), []string{"client_credentials"}, []string{"notes/read"}
	})
	return f
}

func (f *fixture) user(name string) {
	f.t.Helper()
	_, err := f.AdminCreateUser(f.call, &api.AdminCreateUserRequest{UserPoolId: &f.pool, Username: &name, TemporaryPassword: new("Tempor4ry!"),
		UserAttributes: []api.AttributeType{{Name: new("email"), Value: new(name + "@example.com")}, {Name: new("email_verified"), Value: new("true")}, {Name: new("given_name"), Value: new("Given")}}})
	ok(f.t, err)
	_, err = f.AdminSetUserPassword(f.call, &api.AdminSetUserPasswordRequest{UserPoolId: &f.pool, Username: &name, Password: new(password), Permanent: new(true)})
	ok(f.t, err)
}

func (f *fixture) client(name string, change func(*api.CreateUserPoolClientRequest)) *api.UserPoolClientType {
	f.t.Helper()
	in := &api.CreateUserPoolClientRequest{
		UserPoolId: &f.pool, ClientName: &name, AllowedOAuthFlowsUserPoolClient: new(true), AllowedOAuthFlows: []string{"code"},
		AllowedOAuthScopes: []string{"openid", "email", "notes/read"}, CallbackURLs: []string{callback, "myapp://cb?x=1"}, LogoutURLs: []string{goodbye},
	}
	if change != nil {
		change(in)
	}
	out, err := f.CreateUserPoolClient(f.call, in)
	ok(f.t, err)
	return out.UserPoolClient
}

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// asks are good parameters of a client, changed by pairs; "" takes one out.
func asks(cl *api.UserPoolClientType, pairs ...string) url.Values {
	q := url.Values{
		"response_type": {"code"}, "client_id": {*cl.ClientId}, "redirect_uri": {callback}, "state": {"s t&a=te"}, "nonce": {"n0nce"},
		"scope": {"openid notes/read"}, "code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(pairs); i += 2 {
		if q.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			q.Del(pairs[i])
		}
	}
	return q
}

// A browser keeps cookies and follows nothing.
type browser struct {
	f       *fixture
	cookies map[string]string
	// host, base and secure are where it reaches the domain.
	host, base string
	secure     bool
	header     map[string]string
}

func (f *fixture) browser() *browser {
	return &browser{f: f, cookies: map[string]string{}, host: host, header: map[string]string{}}
}

func (b *browser) do(method, path string, form url.Values) *httptest.ResponseRecorder {
	b.f.t.Helper()
	scheme := "http://"
	if b.secure {
		scheme = "https://"
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, scheme+b.host+path, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, text := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: text})
	}
	for name, text := range b.header {
		r.Header.Set(name, text)
	}
	name, _, _ := strings.Cut(b.host, ":")
	if !b.f.site.Serves(name, r.URL.Path) {
		b.f.t.Fatalf("%s%s isn't the site's", b.host, path)
	}
	w := httptest.NewRecorder()
	b.f.site.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
			continue
		}
		b.cookies[c.Name] = c.Value
	}
	return w
}

func (b *browser) get(path string, q url.Values) *httptest.ResponseRecorder {
	b.f.t.Helper()
	return b.do("GET", b.base+path+"?"+q.Encode(), nil)
}

var (
	actionText = regexp.MustCompile(`<form method="post" action="([^"]*)">`)
	fieldText  = regexp.MustCompile(`<input [^>]*name="([^"]*)"[^>]*value="([^"]*)"`)
)

// formOf reads a page's form as a browser does.
func formOf(t testing.TB, w *httptest.ResponseRecorder) (action string, fields url.Values) {
	t.Helper()
	m := actionText.FindStringSubmatch(w.Body.String())
	if m == nil {
		t.Fatalf("%d, no form: %s", w.Code, w.Body)
	}
	fields = url.Values{}
	for _, f := range fieldText.FindAllStringSubmatch(strings.ReplaceAll(w.Body.String(), "id=", ""), -1) {
		fields.Set(f[1], html.UnescapeString(f[2]))
	}
	for _, f := range regexp.MustCompile(`name="([^"]*)" type="[^"]*" value="([^"]*)"`).FindAllStringSubmatch(w.Body.String(), -1) {
		fields.Set(f[1], html.UnescapeString(f[2]))
	}
	return html.UnescapeString(m[1]), fields
}

// fill sends the form of a page with what is typed into it.
func (b *browser) fill(w *httptest.ResponseRecorder, pairs ...string) *httptest.ResponseRecorder {
	b.f.t.Helper()
	action, fields := formOf(b.f.t, w)
	for i := 0; i < len(pairs); i += 2 {
		fields.Set(pairs[i], pairs[i+1])
	}
	return b.do("POST", action, fields)
}

// signIn goes from /oauth2/authorize to the callback.
func (b *browser) signIn(q url.Values, name, password string) url.Values {
	b.f.t.Helper()
	w := b.get("/oauth2/authorize", q)
	to := w.Header().Get("Location")
	if w.Code != 302 || !strings.HasPrefix(to, b.base+"/login?") {
		b.f.t.Fatalf("%d to %q: %s", w.Code, to, w.Body)
	}
	w = b.fill(b.do("GET", to, nil), "username", name, "password", password)
	return b.back(w)
}

// back reads what a redirect to the callback carries.
func (b *browser) back(w *httptest.ResponseRecorder) url.Values {
	b.f.t.Helper()
	to := w.Header().Get("Location")
	after, is := strings.CutPrefix(to, callback)
	if w.Code != 302 || !is || after == "" || !strings.ContainsAny(after[:1], "?#") {
		b.f.t.Fatalf("%d to %q: %s", w.Code, to, w.Body)
	}
	q, err := url.ParseQuery(after[1:])
	ok(b.f.t, err)
	return q
}

// An answer is that of an endpoint for programs.
type answer struct {
	code   int
	header http.Header
	body   map[string]any
}

func (f *fixture) post(path string, form url.Values, header ...string) answer {
	f.t.Helper()
	b := f.browser()
	for i := 0; i < len(header); i += 2 {
		b.header[header[i]] = header[i+1]
	}
	return read(f.t, b.do("POST", path, form))
}

func read(t testing.TB, w *httptest.ResponseRecorder) answer {
	t.Helper()
	a := answer{code: w.Code, header: w.Header()}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &a.body); err != nil {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	return a
}

func (a answer) text(name string) string { s, _ := a.body[name].(string); return s }

// exchanges are good parameters to exchange a code with, changed by pairs.
func exchanges(cl *api.UserPoolClientType, code string, pairs ...string) url.Values {
	q := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {*cl.ClientId}, "redirect_uri": {callback}, "code": {code}, "code_verifier": {verifier},
	}
	for i := 0; i < len(pairs); i += 2 {
		if q.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			q.Del(pairs[i])
		}
	}
	return q
}

func basic(cl *api.UserPoolClientType) string { return basicOf(*cl.ClientId, *cl.ClientSecret) }

func basicOf(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

func claimsOf(t testing.TB, token string) map[string]any {
	t.Helper()
	part := strings.Split(token, ".")
	if len(part) != 3 {
		t.Fatalf("no token: %q", token)
	}
	body, err := base64.RawURLEncoding.DecodeString(part[1])
	ok(t, err)
	var m map[string]any
	ok(t, json.Unmarshal(body, &m))
	return m
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

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
