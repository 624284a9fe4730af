package oauth2_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
)

// TestNoOpenRedirect: a browser goes nowhere but to what the client registered,
// to the letter, and an error before that is known is shown.
func TestNoOpenRedirect(t *testing.T) {
	f := newFixture(t)
	f.client("script", func(in *api.CreateUserPoolClientRequest) { in.CallbackURLs = []string{"javascript:alert(1)"} })
	for _, uri := range []string{
		"", "https://evil.example/", callback + "/", callback + "?x=1", callback + "#x", callback + "/../x", strings.ToUpper(callback), "https://app.example",
		"https://app.example.evil.example/cb", "https://app.example@evil.example/cb", "https://app.example/cb%2f..", "//app.example/cb", "/cb", "http://app.example/cb",
		" " + callback, callback + " ", callback + "\r\nSet-Cookie: a=b", "myapp://cb", "myapp://cb?x=1&y=2", "javascript:alert(1)", "https://app.example:443/cb",
	} {
		for _, path := range []string{"/oauth2/authorize", "/login", "/signup"} {
			// With another error beside it, too.
			for _, kind := range []string{"code", "nonsense"} {
				q := asks(f.page, "response_type", kind)
				q.Set("redirect_uri", uri)
				w := f.browser().get(path, q)
				if w.Code != 400 || w.Header().Get("Location") != "" || strings.Contains(w.Body.String(), "evil") {
					t.Errorf("%s, redirect_uri %q: %d %v %s", path, uri, w.Code, w.Header(), w.Body)
				}
			}
		}
	}
	twice := asks(f.page)
	twice.Add("redirect_uri", "https://evil.example/")
	other := newFixture(t)
	for name, q := range map[string]url.Values{
		"twice": twice, "no client": asks(f.page, "client_id", ""), "an unknown client": asks(f.page, "client_id", "nobody"),
		"another pool's client": asks(other.page), "too long": asks(f.page, "state", strings.Repeat("x", 9000)),
	} {
		if w := f.browser().get("/oauth2/authorize", q); w.Code != 400 || w.Header().Get("Location") != "" {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
	}
	script, err := f.ListUserPoolClients(f.call, &api.ListUserPoolClientsRequest{UserPoolId: &f.pool})
	ok(t, err)
	for _, cl := range script.UserPoolClients {
		q := asks(f.page, "client_id", *cl.ClientId, "redirect_uri", "javascript:alert(1)")
		if w := f.browser().get("/oauth2/authorize", q); w.Code != 400 {
			t.Errorf("%s: %d", *cl.ClientName, w.Code)
		}
	}
}

// TestRedirectedErrors: once the redirect URI is known to be the client's, the
// client gets to know.
func TestRedirectedErrors(t *testing.T) {
	f := newFixture(t)
	off := f.client("off", func(in *api.CreateUserPoolClientRequest) { in.AllowedOAuthFlowsUserPoolClient = nil })
	double := asks(f.page)
	double.Add("state", "another")
	for _, tt := range []struct {
		name string
		q    url.Values
		want string
	}{
		{"no response type", asks(f.page, "response_type", ""), "invalid_request"},
		{"another response type", asks(f.page, "response_type", "code token"), "unsupported_response_type"},
		{"a flow that isn't allowed", asks(f.machine, "redirect_uri", ""), ""},
		{"implicit that isn't allowed", asks(f.page, "response_type", "token"), "unauthorized_client"},
		{"a client without OAuth", asks(off), "unauthorized_client"},
		{"an unknown scope", asks(f.page, "scope", "openid admin"), "invalid_scope"},
		{"a scope of another client", asks(f.page, "scope", "openid notes/write"), "invalid_scope"},
		{"the scope of the API", asks(f.page, "scope", "aws.cognito.signin.user.admin"), "invalid_scope"},
		{"a scope that begins alike", asks(f.page, "scope", "notes/rea"), "invalid_scope"},
		{"plain PKCE", asks(f.page, "code_challenge", verifier, "code_challenge_method", "plain"), "invalid_request"},
		{"PKCE without a method", asks(f.page, "code_challenge_method", ""), "invalid_request"},
		{"a method without a challenge", asks(f.page, "code_challenge", ""), "invalid_request"},
		{"a short challenge", asks(f.page, "code_challenge", "abc"), "invalid_request"},
		{"the method in small letters", asks(f.page, "code_challenge_method", "s256"), "invalid_request"},
		{"another provider", asks(f.page, "identity_provider", "Google"), "invalid_request"},
		{"two states", double, "invalid_request"},
		{"prompt none and login", asks(f.page, "prompt", "none login"), "invalid_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := f.browser()
			w := b.get("/oauth2/authorize", tt.q)
			if tt.want == "" {
				if w.Code != 400 || w.Header().Get("Location") != "" {
					t.Errorf("%d %v", w.Code, w.Header())
				}
				return
			}
			mark := "?"
			if tt.q.Get("response_type") == "token" {
				mark = "#"
			}
			back := b.back(w)
			if back.Get("error") != tt.want || back.Get("code") != "" || back.Get("state") != tt.q.Get("state") || !strings.HasPrefix(w.Header().Get("Location"), callback+mark) {
				t.Errorf("%s %v", w.Header().Get("Location"), back)
			}
		})
	}
	// The app's own scheme and a query that is there already.
	w := f.browser().get("/oauth2/authorize", asks(f.page, "redirect_uri", "myapp://cb?x=1", "scope", "admin", "state", "a\r\nb&error=none"))
	if to := w.Header().Get("Location"); to != "myapp://cb?x=1&error=invalid_scope&state=a%0D%0Ab%26error%3Dnone" {
		t.Errorf("%q", to)
	}
}

// TestCodes: a code is good once, for its client, with its redirect URI and its
// verifier, for five minutes.
func TestCodes(t *testing.T) {
	f := newFixture(t)
	other := newFixture(t)
	other.now = f.now
	b := f.browser()
	b.signIn(asks(f.page), "ann", password)
	code := func(pairs ...string) string {
		return b.back(b.get("/oauth2/authorize", asks(f.page, pairs...))).Get("code")
	}
	bare := []string{"code_challenge", "", "code_challenge_method", ""}
	for _, tt := range []struct {
		name   string
		q      url.Values
		header []string
		want   string
	}{
		{"good", exchanges(f.page, code()), nil, ""},
		{"without PKCE", exchanges(f.page, code(bare...), "code_verifier", ""), nil, ""},
		{"the challenge taken out", exchanges(f.page, code(bare...)), nil, "invalid_grant"},
		{"the verifier left out", exchanges(f.page, code(), "code_verifier", ""), nil, "invalid_grant"},
		{"another verifier", exchanges(f.page, code(), "code_verifier", strings.ToUpper(verifier)), nil, "invalid_grant"},
		{"the challenge as the verifier", exchanges(f.page, code(), "code_verifier", challenge(verifier)), nil, "invalid_grant"},
		{"another redirect URI", exchanges(f.page, code(), "redirect_uri", "myapp://cb?x=1"), nil, "invalid_grant"},
		{"no redirect URI", exchanges(f.page, code(), "redirect_uri", ""), nil, "invalid_request"},
		{"no code", exchanges(f.page, ""), nil, "invalid_request"},
		{"nonsense", exchanges(f.page, "nonsense"), nil, "invalid_grant"},
		{"changed", exchanges(f.page, code()+"A"), nil, "invalid_grant"},
		{"another client", exchanges(f.server, code()), []string{"Authorization", basic(f.server)}, "invalid_grant"},
		{"a client that must show its secret", exchanges(f.server, code()), nil, "invalid_client"},
		{"a client that may not", exchanges(f.machine, code()), []string{"Authorization", basic(f.machine)}, "unauthorized_client"},
		{"a secret of a client without one", exchanges(f.page, code(), "client_secret", "x"), nil, "invalid_client"},
		{"one client in the header, another in the form", exchanges(f.page, code()), []string{"Authorization", basic(f.server)}, "invalid_client"},
		{"another pool's client", exchanges(other.page, code()), nil, "invalid_client"},
		{"two ways to show a secret", exchanges(f.server, code(), "client_secret", *f.server.ClientSecret), []string{"Authorization", basic(f.server)}, "invalid_request"},
		{"a refresh token as a code", exchanges(f.page, f.post("/oauth2/token", exchanges(f.page, code())).text("refresh_token")), nil, "invalid_grant"},
		{"the cookie as a code", exchanges(f.page, b.cookies["cognito"]), nil, "invalid_grant"},
		{"a code as a refresh token", url.Values{"grant_type": {"refresh_token"}, "client_id": {*f.page.ClientId}, "refresh_token": {code()}}, nil, "invalid_grant"},
		{"no grant type", exchanges(f.page, code(), "grant_type", ""), nil, "invalid_request"},
		{"another grant type", exchanges(f.page, code(), "grant_type", "password"), nil, "unsupported_grant_type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := f.post("/oauth2/token", tt.q, tt.header...)
			if a.text("error") != tt.want || (a.code == 200) != (tt.want == "") || tt.want != "" && a.code != 400 {
				t.Errorf("%+v", a)
			}
			if tt.want == "" {
				if again := f.post("/oauth2/token", tt.q, tt.header...); again.code != 400 || again.text("error") != "invalid_grant" {
					t.Errorf("twice: %+v", again)
				}
			}
		})
	}
	// One try, even a wrong one.
	spent := code()
	f.post("/oauth2/token", exchanges(f.page, spent, "code_verifier", strings.Repeat("a", 43)))
	if a := f.post("/oauth2/token", exchanges(f.page, spent)); a.text("error") != "invalid_grant" {
		t.Errorf("%+v", a)
	}
	late := code()
	f.now = f.now.Add(5 * time.Minute)
	if a := f.post("/oauth2/token", exchanges(f.page, late)); a.text("error") != "invalid_grant" {
		t.Errorf("%+v", a)
	}
	// Codes don't come from a query, where logs keep them.
	if a := f.post("/oauth2/token?"+exchanges(f.page, code()).Encode(), url.Values{}); a.text("error") != "invalid_request" {
		t.Errorf("%+v", a)
	}
}

// TestCodeRace: of many who exchange a code, one gets tokens.
func TestCodeRace(t *testing.T) {
	f := newFixture(t)
	code := f.browser().signIn(asks(f.page), "ann", password).Get("code")
	got := make(chan int)
	for range 16 {
		go func() { got <- f.post("/oauth2/token", exchanges(f.page, code)).code }()
	}
	good := 0
	for range 16 {
		if <-got == 200 {
			good++
		}
	}
	if good != 1 {
		t.Errorf("%d got tokens", good)
	}
}

// TestForgedForms: forms that another site sends change nothing.
func TestForgedForms(t *testing.T) {
	f := newFixture(t)
	for _, tt := range []struct {
		name   string
		change func(b *browser, fields url.Values)
		status int
	}{
		{"ours", func(*browser, url.Values) {}, 302},
		{"ours, from a browser", func(b *browser, _ url.Values) {
			b.header["Origin"], b.header["Sec-Fetch-Site"] = "http://"+host, "same-origin"
		}, 302},
		{"no token", func(_ *browser, fields url.Values) { fields.Del("_csrf") }, 403},
		{"another token", func(_ *browser, fields url.Values) { fields.Set("_csrf", strings.Repeat("A", 26)) }, 403},
		{"no cookie", func(b *browser, _ url.Values) { clear(b.cookies) }, 403},
		{"neither", func(b *browser, fields url.Values) { clear(b.cookies); fields.Del("_csrf") }, 403},
		{"both empty", func(b *browser, fields url.Values) { b.cookies["XSRF-TOKEN"] = ""; fields.Set("_csrf", "") }, 403},
		{"a planted cookie", func(b *browser, _ url.Values) { b.header["Sec-Fetch-Site"] = "cross-site" }, 403},
		{"a planted cookie of a sibling", func(b *browser, _ url.Values) { b.header["Sec-Fetch-Site"] = "same-site" }, 403},
		{"another origin", func(b *browser, _ url.Values) { b.header["Origin"] = "https://evil.example" }, 403},
		{"another port", func(b *browser, _ url.Values) { b.header["Origin"] = "http://" + host + "0" }, 403},
		{"no origin", func(b *browser, _ url.Values) { b.header["Origin"] = "null" }, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := f.browser()
			action, fields := formOf(t, b.get("/login", asks(f.page)))
			fields.Set("username", "ann")
			fields.Set("password", password)
			tt.change(b, fields)
			w := b.do("POST", action, fields)
			if w.Code != tt.status || (b.cookies["cognito"] != "") != (tt.status == 302) || (w.Header().Get("Location") != "") != (tt.status == 302) {
				t.Errorf("%d %v", w.Code, w.Header())
			}
		})
	}
	// JSON isn't a form: what a page can send without being asked must not count.
	b := f.browser()
	b.header["Content-Type"] = "text/plain"
	action, fields := formOf(t, b.get("/login", asks(f.page)))
	r := b.do("POST", action, nil)
	if r.Code != 400 {
		t.Errorf("%d, %v", r.Code, fields)
	}
}

// TestScopesTravel: what comes back with the form counts no more than what came
// with the first request; the query of the form is checked anew.
func TestScopesTravel(t *testing.T) {
	f := newFixture(t)
	b := f.browser()
	action, fields := formOf(t, b.get("/login", asks(f.page)))
	fields.Set("username", "ann")
	fields.Set("password", password)
	fields.Set("scope", "notes/write")
	fields.Set("redirect_uri", "https://evil.example/")
	code := b.back(b.do("POST", action, fields)).Get("code")
	a := f.post("/oauth2/token", exchanges(f.page, code, "scope", "notes/write"))
	if c := claimsOf(t, a.text("access_token")); c["scope"] != "openid notes/read" {
		t.Errorf("%v", c)
	}
	fields.Set("_csrf", b.cookies["XSRF-TOKEN"])
	for _, change := range []string{"scope=notes%2Fwrite", "redirect_uri=https%3A%2F%2Fevil.example"} {
		name, _, _ := strings.Cut(change, "=")
		at, q, _ := strings.Cut(action, "?")
		params, err := url.ParseQuery(q)
		ok(t, err)
		params.Del(name)
		w := b.do("POST", at+"?"+params.Encode()+"&"+change, fields)
		if to := w.Header().Get("Location"); strings.Contains(to, "evil") || strings.Contains(to, "code=") {
			t.Errorf("%s: %d %s", change, w.Code, to)
		}
	}
	// Without scopes it is all that the client may have.
	code = b.back(b.get("/oauth2/authorize", asks(f.page, "scope", ""))).Get("code")
	if c := claimsOf(t, f.post("/oauth2/token", exchanges(f.page, code)).text("access_token")); c["scope"] != "openid email notes/read" {
		t.Errorf("%v", c)
	}
	// Nothing about the user without openid.
	code = b.back(b.get("/oauth2/authorize", asks(f.page, "scope", "notes/read"))).Get("code")
	a = f.post("/oauth2/token", exchanges(f.page, code))
	b.header["Authorization"] = "Bearer " + a.text("access_token")
	if got := read(t, b.do("POST", "/oauth2/userInfo", nil)); got.code != 401 || a.text("id_token") != "" {
		t.Errorf("%+v, ID token %q", got, a.text("id_token"))
	}
}

// TestUserInfoRefuses is about tokens that aren't one of the pool's.
func TestUserInfoRefuses(t *testing.T) {
	f := newFixture(t)
	machine := f.post("/oauth2/token", url.Values{"grant_type": {"client_credentials"}}, "Authorization", basic(f.machine)).text("access_token")
	code := f.browser().signIn(asks(f.page), "ann", password).Get("code")
	id := f.post("/oauth2/token", exchanges(f.page, code)).text("id_token")
	for name, tt := range map[string]struct {
		header string
		status int
	}{
		"none": {"", 400}, "basic": {basic(f.server), 400}, "empty": {"Bearer ", 400}, "nonsense": {"Bearer x", 401}, "an ID token": {"Bearer " + id, 401},
		"a client's token": {"Bearer " + machine, 401}, "unsigned": {"Bearer eyJhbGciOiJub25lIn0.e30.", 401}, "huge": {"Bearer " + strings.Repeat("a", 30<<10), 401},
	} {
		b := f.browser()
		if tt.header != "" {
			b.header["Authorization"] = tt.header
		}
		if a := read(t, b.do("GET", "/oauth2/userInfo", nil)); a.code != tt.status || a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// TestPages: no page has a script, may be framed, or shows what came with the
// request as anything but text.
func TestPages(t *testing.T) {
	f := newFixture(t)
	const evil = `"><script>alert(1)</script><x y='`
	b := f.browser()
	q := asks(f.page, "state", evil, "login_hint", evil, "nonce", evil)
	check := func(w *httptest.ResponseRecorder) {
		t.Helper()
		body := w.Body.String()
		if strings.Contains(body, "<script") || strings.Contains(body, "<x ") || strings.Contains(body, "<b>") || strings.Contains(body, "{{") || strings.Contains(body, "ZgotmplZ") {
			t.Errorf("%s", body)
		}
		h := w.Header()
		policy := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("policy %q", policy)
			}
		}
		_, sheet, _ := strings.Cut(body, "<style>")
		sheet, _, _ = strings.Cut(sheet, "</style>")
		sum := sha256.Sum256([]byte(sheet))
		if !strings.Contains(policy, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
			t.Errorf("the policy %q doesn't let the style sheet in", policy)
		}
		if strings.Contains(policy, "unsafe") || h.Get("X-Frame-Options") != "DENY" || h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%v", h)
		}
	}
	for _, path := range []string{"/login", "/signup", "/confirmUser", "/forgotPassword", "/confirmForgotPassword"} {
		w := b.get(path, q)
		check(w)
		if w.Code != 200 || !strings.Contains(w.Body.String(), "page &lt;b&gt;") || !strings.Contains(w.Header().Get("Content-Security-Policy"), "form-action 'self' https://app.example;") {
			t.Errorf("%s: %d %v %s", path, w.Code, w.Header(), w.Body)
		}
		check(b.fill(w, "username", "x"+evil, "password", evil, "code", evil, "attribute.email", evil))
		check(b.fill(w, "username", strings.ReplaceAll("x"+evil, " ", ""), "password", evil, "code", "1", "attribute.email", evil))
	}
	check(b.get("/oauth2/authorize", url.Values{"client_id": {evil}, "redirect_uri": {evil}}))
	check(b.get("/<script>", nil))
	check(b.get("/logout", url.Values{"client_id": {*f.page.ClientId}, "logout_uri": {evil}}))
	b.host = "nobody.auth.us-east-1.localhost"
	check(b.get("/login", q))

	for _, c := range f.browser().get("/login", asks(f.page)).Result().Cookies() {
		if !c.HttpOnly || c.SameSite == 0 || c.Secure || c.Path != "/" || c.Domain != "" {
			t.Errorf("%v", c)
		}
	}
	b = f.browser()
	b.secure = true
	for _, c := range b.get("/login", asks(f.page)).Result().Cookies() {
		if !c.Secure {
			t.Errorf("%v", c)
		}
	}
}

// TestGuesses: the pages and the API count wrong passwords together.
func TestGuesses(t *testing.T) {
	f := newFixture(t)
	b := f.browser()
	w := b.get("/login", asks(f.page))
	for i := range 6 {
		w = b.fill(w, "username", "ann", "password", "wrong")
		if w.Code != 400 || !strings.Contains(w.Body.String(), "Incorrect username or password.") && i < 5 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	w = b.fill(w, "username", "ann", "password", password)
	if w.Code != 400 || !strings.Contains(w.Body.String(), "Password attempts exceeded") || b.cookies["cognito"] != "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	f.call.Time = f.now
	api1 := f.client("api", func(in *api.CreateUserPoolClientRequest) {
		in.ExplicitAuthFlows = []string{"ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}
	})
	_, err := f.InitiateAuth(f.call, &api.InitiateAuthRequest{ClientId: api1.ClientId, AuthFlow: new("USER_PASSWORD_AUTH"), AuthParameters: map[string]string{"USERNAME": "ann", "PASSWORD": password}})
	if err == nil || !strings.Contains(err.Error(), "Password attempts exceeded") {
		t.Errorf("%v", err)
	}
	f.now = f.now.Add(time.Minute)
	b.back(b.fill(w, "username", "ann", "password", password))
}

// TestLimits: what is too long is refused before anything is done with it.
func TestLimits(t *testing.T) {
	f := newFixture(t)
	b := f.browser()
	w := b.get("/login", asks(f.page))
	for _, pairs := range [][]string{
		{"username", strings.Repeat("a", 129), "password", password},
		{"username", "a b", "password", password},
		{"username", "", "password", password},
		{"username", "ann", "password", ""},
		{"username", "ann", "password", strings.Repeat("a", 257)},
		{"username", "ann", "password", password, "more", strings.Repeat("a", 65<<10)},
	} {
		if w := b.fill(w, pairs...); w.Code != 400 || b.cookies["cognito"] != "" {
			t.Errorf("%.40q: %d", pairs, w.Code)
		}
	}
	if a := f.post("/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "x": {strings.Repeat("a", 65<<10)}}, "Authorization", basic(f.machine)); a.code != 400 {
		t.Errorf("%+v", a)
	}
	if a := f.post("/oauth2/token", url.Values{"grant_type": {"client_credentials", "client_credentials"}}, "Authorization", basic(f.machine)); a.text("error") != "invalid_request" {
		t.Errorf("%+v", a)
	}
}
