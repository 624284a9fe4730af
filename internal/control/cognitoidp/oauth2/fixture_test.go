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
