package authorize_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/authorize"
	"gatehouse/internal/authorize/oidc"
	"gatehouse/internal/authorize/oidc/oidctest"
	"gatehouse/internal/plan"
)

// now is the hour of these tests.
var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// A jwtBench has an issuer and makes authorizers that take its tokens.
type jwtBench struct {
	t      testing.TB
	key    *oidctest.Key
	issuer *oidctest.Issuer
	keys   *oidc.KeySets
	tokens *authorize.Tokens
	at     time.Time
}

func newJWTBench(t testing.TB) *jwtBench {
	b := &jwtBench{t: t, key: oidctest.NewKey(t, "k1").With(map[string]any{"alg": nil}), tokens: authorize.NewTokens(), at: now}
	b.issuer = oidctest.New(t, b.key)
	b.keys = oidc.NewKeySets(oidc.Options{Clock: func() time.Time { return b.at }})
	t.Cleanup(func() {
		if err := b.keys.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *jwtBench) options() authorize.JWTOptions {
	return authorize.JWTOptions{
		Issuer: b.issuer.URL, Audiences: []string{"app", "other"}, IdentitySource: "$request.header.Authorization",
		Keys: b.keys, Tokens: b.tokens, Clock: func() time.Time { return b.at },
	}
}

func (b *jwtBench) authorizer(change ...func(*authorize.JWTOptions)) *authorize.JWT {
	b.t.Helper()
	o := b.options()
	for _, f := range change {
		f(&o)
	}
	j, err := authorize.NewJWT(o)
	if err != nil {
		b.t.Fatal(err)
	}
	return j
}

// claims are those of a good token, changed; nil takes one away.
func (b *jwtBench) claims(changes map[string]any) map[string]any {
	c := map[string]any{"iss": b.issuer.URL, "aud": "app", "sub": "me", "exp": now.Unix() + 60, "iat": now.Unix(), "scope": "read write"}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func bearing(token string) *plan.Exchange {
	x := &plan.Exchange{Stage: &plan.Stage{API: &plan.API{Protocol: plan.HTTP}}}
	if token != "" {
		x.Request.Headers = plan.Headers{{Name: "authorization", Value: token}}
	}
	return x
}

// outcome is what an authorizer made of a request, in a line: its challenge or
// "ok".
func outcome(a plan.Authorizer, x *plan.Exchange) string {
	err := a.Authorize(x)
	if err == nil {
		return "ok"
	}
	fault, ok := err.(*plan.Fault) //nolint:errorlint // authorizers return it bare
	if !ok {
		return err.Error()
	}
	if fault.Challenge == "" {
		return fmt.Sprintf("%d %s", fault.Kind, fault.Reason)
	}
	return fault.Challenge
}

func invalid(description string) string {
	return `Bearer scope="" error="invalid_token" error_description="` + description + `"`
}

func TestJWT(t *testing.T) {
	b := newJWTBench(t)
	stranger := oidctest.NewKey(t, "k1")
	good := b.key.Sign(t, b.claims(nil))
	header := func(header map[string]any) string { return b.key.SignWith(t, header, b.claims(nil)) }
	claims := func(changes map[string]any) string { return b.key.Sign(t, b.claims(changes)) }
	text := func(claims string) string {
		return b.key.Sign(t, strings.ReplaceAll(claims, "ISS", b.issuer.URL))
	}
	parts := strings.Split(good, ".")
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(&b.key.Private.PublicKey))(t)})
	confused := oidctest.Encode([]byte(`{"alg":"HS256","kid":"k1"}`)) + "." + parts[1]
	mac := hmac.New(sha256.New, public)
	mac.Write([]byte(confused))
	jwk := stranger.JWK()

	const segments = "token contains an invalid number of segments"
	for _, test := range []struct{ name, token, want string }{
		{"a good token", good, "ok"},
		{"with its scheme", "Bearer " + good, "ok"},
		{"with its scheme in another case", "bEaReR  " + good, "ok"},
		{"RS384", header(map[string]any{"alg": "RS384", "kid": "k1"}), "ok"},
		{"RS512", header(map[string]any{"alg": "RS512", "kid": "k1"}), "ok"},
		{"one audience of many", claims(map[string]any{"aud": []string{"x", "other"}}), "ok"},
		{"a client id", claims(map[string]any{"aud": nil, "client_id": "app"}), "ok"},
		{"times with fractions", claims(map[string]any{"exp": float64(now.Unix()) + 0.5, "iat": float64(now.Unix()) - 0.5}), "ok"},
		{"no iat", claims(map[string]any{"iat": nil}), "ok"},
		{"a claim twice", text(fmt.Sprintf(`{"iss":"x","iss":"ISS","aud":"app","exp":1,"exp":%d}`, now.Unix()+9)), "ok"},
		{"the end of time", text(`{"iss":"ISS","aud":"app","exp":1e300}`), "ok"},
		{"unknown header members", header(map[string]any{"alg": "RS256", "kid": "k1", "typ": "at+jwt", "b64": false}), "ok"},

		{"none", "", "Bearer"},
		{"a scheme without a token", "Bearer", invalid(segments)},
		{"another scheme", "Basic dTpw", invalid(segments)},
		{"two segments", parts[0] + "." + parts[1], invalid(segments)},
		{"four segments", good + ".", invalid(segments)},
		{"the JSON form", `{"payload":"` + parts[1] + `","signatures":[]}`, invalid(segments)},
		{"encrypted", "a.b.c.d.e", invalid(segments)},
		{"a header that isn't base64", "!." + parts[1] + "." + parts[2], invalid("illegal base64 data at input byte 0")},
		{"padding", parts[0] + "=." + parts[1] + "." + parts[2], invalid(fmt.Sprint("illegal base64 data at input byte ", len(parts[0])))},
		{"a line end in the signature", parts[0] + "." + parts[1] + ".\n" + parts[2], invalid("illegal base64 data at input byte 0")},
		{"a header that isn't JSON", oidctest.Encode([]byte("x")) + "." + parts[1] + ".", invalid("invalid character 'x' looking for beginning of value")},
		{"claims that aren't JSON", parts[0] + "." + oidctest.Encode([]byte("{}x")) + ".", invalid("invalid character 'x' after top-level value")},
		{"claims that are no object", text(`[]`), invalid("json: cannot unmarshal array into Go value of type map[string]json.RawMessage")},
		{"claims that are null", text(`null`), invalid("issuer does not match")},
		{"no header", oidctest.Encode([]byte(`{}`)) + "." + parts[1] + ".", invalid("signing method (alg) is unspecified.")},
		{"an algorithm that is a number", header(map[string]any{"alg": 1, "kid": "k1"}), invalid("signing method (alg) is unspecified.")},
		{"an unknown algorithm", header(map[string]any{"alg": "X\r\nY: \"z", "kid": "k1"}), invalid("signing method (alg) is unavailable.")},
		{"an algorithm in another case", header(map[string]any{"ALG": "RS256", "kid": "k1"}), invalid("signing method (alg) is unspecified.")},
		{"unsigned", oidctest.Encode([]byte(`{"alg":"none","kid":"k1"}`)) + "." + parts[1] + ".", invalid("signing method none is invalid")},
		{"None", oidctest.Encode([]byte(`{"alg":"None","kid":"k1"}`)) + "." + parts[1] + ".", invalid("signing method (alg) is unavailable.")},
		{"an HMAC with the public key", confused + "." + oidctest.Encode(mac.Sum(nil)), invalid("signing method HS256 is invalid")},
		{"PS256", header(map[string]any{"alg": "PS256", "kid": "k1"}), invalid("signing method PS256 is invalid")},
		{"ES256", header(map[string]any{"alg": "ES256", "kid": "k1"}), invalid("signing method ES256 is invalid")},
		{"EdDSA", header(map[string]any{"alg": "EdDSA", "kid": "k1"}), invalid("signing method EdDSA is invalid")},
		{"an algorithm twice", oidctest.Encode([]byte(`{"alg":"RS256","alg":"none","kid":"k1"}`)) + "." + parts[1] + ".", invalid("signing method none is invalid")},
		{"critical headers", header(map[string]any{"alg": "RS256", "kid": "k1", "crit": []string{"b64"}, "b64": false}), invalid("the token has critical headers")},
		{"critical headers of nothing", header(map[string]any{"alg": "RS256", "kid": "k1", "crit": nil}), invalid("the token has critical headers")},
		{"no key id", header(map[string]any{"alg": "RS256"}), invalid("the token has no key id")},
		{"a key id that is a number", header(map[string]any{"alg": "RS256", "kid": 1}), invalid("the token has no key id")},
		{"an unknown key id", header(map[string]any{"alg": "RS256", "kid": "k2"}), invalid("the issuer has no key of this id")},
		{"a key id that is a path", header(map[string]any{"alg": "RS256", "kid": "../../../dev/null"}), invalid("the issuer has no key of this id")},
		{"a key id that is SQL", header(map[string]any{"alg": "RS256", "kid": "x' UNION SELECT 'k'--"}), invalid("the issuer has no key of this id")},
		{"a key id with a NUL", header(map[string]any{"alg": "RS256", "kid": "k1\x00"}), invalid("the issuer has no key of this id")},
		{"the key in the header", stranger.SignWith(t, map[string]any{"alg": "RS256", "kid": "k1", "jwk": jwk, "jku": "http://127.0.0.1:1", "x5u": "http://127.0.0.1:1", "x5c": []string{"AA"}}, b.claims(nil)), invalid("crypto/rsa: verification error")},
		{"no signature", parts[0] + "." + parts[1] + ".", invalid("crypto/rsa: verification error")},
		{"a cut signature", good[:len(good)-4], invalid("crypto/rsa: verification error")},
		{"the signature of other claims", parts[0] + "." + oidctest.Encode([]byte(fmt.Sprintf(`{"iss":%q,"aud":"app","sub":"root","exp":%d}`, b.issuer.URL, now.Unix()+9))) + "." + parts[2], invalid("crypto/rsa: verification error")},
		{"another header", oidctest.Encode([]byte(`{"kid":"k1","alg":"RS256","x":1}`)) + "." + parts[1] + "." + parts[2], invalid("crypto/rsa: verification error")},
		{"another hash", oidctest.Encode([]byte(`{"alg":"RS512","kid":"k1"}`)) + "." + parts[1] + "." + parts[2], invalid("crypto/rsa: verification error")},

		{"no issuer", claims(map[string]any{"iss": nil}), invalid("issuer does not match")},
		{"an issuer with a slash more", claims(map[string]any{"iss": b.issuer.URL + "/"}), invalid("issuer does not match")},
		{"an issuer in a list", claims(map[string]any{"iss": []string{b.issuer.URL}}), invalid("issuer does not match")},
		{"an issuer with a NUL", claims(map[string]any{"iss": b.issuer.URL + "\x00"}), invalid("issuer does not match")},
		{"no audience", claims(map[string]any{"aud": nil}), invalid("the token does not have a valid audience")},
		{"another audience", claims(map[string]any{"aud": "App"}), invalid("the token does not have a valid audience")},
		{"another audience beside a client id", claims(map[string]any{"aud": "x", "client_id": "app"}), invalid("the token does not have a valid audience")},
		{"a null audience beside a client id", text(fmt.Sprintf(`{"iss":"ISS","aud":null,"client_id":"app","exp":%d}`, now.Unix()+9)), invalid("the token does not have a valid audience")},
		{"an audience that is an object", claims(map[string]any{"aud": map[string]string{"app": "app"}}), invalid("the token does not have a valid audience")},
		{"audiences of many kinds", claims(map[string]any{"aud": []any{1, "app"}}), invalid("the token does not have a valid audience")},
		{"audiences in a text", claims(map[string]any{"aud": "x app"}), invalid("the token does not have a valid audience")},
		{"an audience with a NUL", claims(map[string]any{"aud": "app\x00"}), invalid("the token does not have a valid audience")},
		{"client ids", claims(map[string]any{"aud": nil, "client_id": []string{"app"}}), invalid("the token does not have a valid audience")},
		{"expired", claims(map[string]any{"exp": now.Unix() - 1}), invalid("the token has expired")},
		{"expired this second", claims(map[string]any{"exp": now.Unix()}), invalid("the token has expired")},
		{"expired long ago", text(`{"iss":"ISS","aud":"app","exp":-1e300}`), invalid("the token has expired")},
		{"no end", claims(map[string]any{"exp": nil}), invalid("the token has no expiration time")},
		{"an end in text", claims(map[string]any{"exp": fmt.Sprint(now.Unix() + 60)}), invalid("a time of the token is not a number")},
		{"a null end", text(`{"iss":"ISS","aud":"app","exp":null}`), invalid("a time of the token is not a number")},
		{"a huge end", text(`{"iss":"ISS","aud":"app","exp":1e999}`), invalid("a time of the token is not a number")},
		{"not yet valid", claims(map[string]any{"nbf": now.Unix() + 1}), invalid("the token is not valid yet")},
		{"a start that is true", claims(map[string]any{"nbf": true}), invalid("a time of the token is not a number")},
		{"issued tomorrow", claims(map[string]any{"iat": now.Unix() + 86400}), invalid("the token was issued in the future")},
		{"too long", strings.Repeat("a", 16<<10) + "..", invalid("the token is longer than 16384 bytes")},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := bearing(test.token)
			if got := outcome(b.authorizer(), x); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if ok := test.want == "ok"; ok != (x.Authorization != nil) || ok != (x.Authorizer.Error == "") || ok != (x.Authorizer.Status == 200) {
				t.Errorf("the exchange has %+v and %+v", x.Authorization, x.Authorizer)
			}
		})
	}
	if n := b.issuer.KeySets.Load(); n > 3 {
		t.Errorf("%d fetches of the keys for one clock tick", n)
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestJWTScopes(t *testing.T) {
	b := newJWTBench(t)
	for _, test := range []struct {
		name   string
		claims map[string]any
		wanted []string
		want   string // the scopes the exchange has, or the challenge
	}{
		{"none asked for", nil, nil, "[]"},
		{"one of two", nil, []string{"write", "admin"}, "[write]"},
		{"both in the route's order", nil, []string{"write", "read"}, "[write read]"},
		{"none of them", nil, []string{"a", "b"}, `Bearer scope="a b" error="insufficient_scope" error_description="expected scopes: [a b]"`},
		{"part of a name", nil, []string{"rea"}, `Bearer scope="rea" error="insufficient_scope" error_description="expected scopes: [rea]"`},
		{"no scopes at all", map[string]any{"scope": nil}, []string{"a"}, `Bearer scope="a" error="insufficient_scope" error_description="expected scopes: [a]"`},
		{"scp", map[string]any{"scope": nil, "scp": "a b"}, []string{"b"}, "[b]"},
		{"lists", map[string]any{"scope": []string{"a"}, "scp": []string{"b"}}, []string{"a", "b"}, "[a b]"},
		{"no text", map[string]any{"scope": 1, "scp": map[string]any{"a": 1}}, []string{"a"}, `Bearer scope="a" error="insufficient_scope" error_description="expected scopes: [a]"`},
		{"a token that is refused", map[string]any{"exp": 1}, []string{"a", "b"}, `Bearer scope="a b" error="invalid_token" error_description="the token has expired"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := b.authorizer(func(o *authorize.JWTOptions) { o.Scopes = test.wanted })
			token := b.key.Sign(t, b.claims(test.claims))
			for range 2 { // the second time it is remembered
				x := bearing(token)
				got := outcome(a, x)
				if got == "ok" {
					got = fmt.Sprint(x.Authorization.Scopes)
				}
				if got != test.want {
					t.Errorf("got  %s\nwant %s", got, test.want)
				}
			}
		})
	}
	// One token on many routes.
	token := b.key.Sign(t, b.claims(nil))
	for i := range 20 {
		wanted := []string{fmt.Sprint("s", i), "write", "read"}[i%2:]
		a := b.authorizer(func(o *authorize.JWTOptions) { o.Scopes = wanted })
		x := bearing(token)
		if got := outcome(a, x); got != "ok" || fmt.Sprint(x.Authorization.Scopes) != "[write read]" {
			t.Errorf("%v: %s %+v", wanted, got, x.Authorization)
		}
	}
}

func TestJWTClaims(t *testing.T) {
	b := newJWTBench(t)
	x := bearing(b.key.Sign(t, fmt.Sprintf(`{"sub":"m\"e","exp":%d,"iss":%q,"aud":["app","b"],"email_verified":true,"cognito:groups":["a","b c",1],"n":1583712000,"f":1.50,"e":1e3,
		"o":{"b":[1,{}],"a":"x"},"z":null,"sub":"you","empty":[],"ü":"<ß>"}`, now.Unix()+9, b.issuer.URL)))
	if got := outcome(b.authorizer(), x); got != "ok" {
		t.Fatal(got)
	}
	var got []string
	for _, v := range x.Authorization.Claims {
		got = append(got, v.Name+" "+v.Text+" "+v.JSON)
	}
	want := []string{
		`sub you "you"`, fmt.Sprintf(`exp %d "%[1]d"`, now.Unix()+9), fmt.Sprintf(`iss %s %[1]q`, b.issuer.URL), `aud [app b] "[app b]"`,
		`email_verified true "true"`, `cognito:groups [a b c 1] "[a b c 1]"`, `n 1583712000 "1583712000"`, `f 1.50 "1.50"`, `e 1e3 "1e3"`,
		`o map[a:x b:[1 map[]]] "map[a:x b:[1 map[]]]"`, `z <nil> "<nil>"`, `empty [] "[]"`, `ü <ß> "<ß>"`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !x.Authorization.Token || x.Authorization.Scopes != nil {
		t.Errorf("%+v", x.Authorization)
	}
}

func TestJWTSources(t *testing.T) {
	b := newJWTBench(t)
	token := b.key.Sign(t, b.claims(nil))
	inQuery := b.authorizer(func(o *authorize.JWTOptions) { o.IdentitySource = "$request.querystring.to ken" })
	inHeader := b.authorizer(func(o *authorize.JWTOptions) { o.IdentitySource = "$request.header.X-Token" })
	const segments = "token contains an invalid number of segments"
	for _, test := range []struct {
		name, query string
		headers     plan.Headers
		authorizer  plan.Authorizer
		want        string
	}{
		{"query", "a=b&to%20ken=" + token + "&c", nil, inQuery, "ok"},
		{"encoded query", "to+ken=Bearer+" + strings.ReplaceAll(token, ".", "%2E"), nil, inQuery, "ok"},
		{"another parameter", "To%20ken=" + token, nil, inQuery, "Bearer"},
		{"an empty parameter", "to%20ken=", nil, inQuery, "Bearer"},
		{"two parameters", "to+ken=" + token + "&to+ken=" + token, nil, inQuery, invalid(segments)},
		{"not in the header", "", plan.Headers{{Name: "to ken", Value: token}}, inQuery, "Bearer"},
		{"header", "", plan.Headers{{Name: "A", Value: "b"}, {Name: "x-tOKEN", Value: token}}, inHeader, "ok"},
		{"an empty header", "", plan.Headers{{Name: "X-Token", Value: ""}}, inHeader, "Bearer"},
		{"two headers", "", plan.Headers{{Name: "X-Token", Value: token}, {Name: "x-token", Value: token}}, inHeader, invalid(segments)},
		{"two headers, the first one empty", "", plan.Headers{{Name: "X-Token", Value: ""}, {Name: "x-token", Value: token}}, inHeader, invalid("illegal base64 data at input byte 0")},
		{"another header", "", plan.Headers{{Name: "Authorization", Value: token}}, inHeader, "Bearer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := bearing("")
			x.Request.Query, x.Request.Headers = test.query, test.headers
			if got := outcome(test.authorizer, x); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	for _, source := range []string{"", "$request.header.", "$request.querystring.", "$context.x", "method.request.header.X"} {
		o := b.options()
		o.IdentitySource = source
		if _, err := authorize.NewJWT(o); err == nil {
			t.Errorf("%q is an identity source", source)
		}
	}
}

func TestJWTIsRemembered(t *testing.T) {
	b := newJWTBench(t)
	a := b.authorizer()
	token := b.key.Sign(t, b.claims(nil))
	first, second := bearing(token), bearing("Bearer "+token)
	if outcome(a, first) != "ok" || outcome(a, second) != "ok" || first.Authorization != second.Authorization {
		t.Error("a token was verified twice")
	}
	// What is good for one authorizer isn't for all.
	strict := b.authorizer(func(o *authorize.JWTOptions) { o.Audiences = []string{"other"} })
	if got := outcome(strict, bearing(token)); got != invalid("the token does not have a valid audience") {
		t.Errorf("another authorizer: %s", got)
	}
	foreign := b.authorizer(func(o *authorize.JWTOptions) { o.Issuer += "/" })
	if got := outcome(foreign, bearing(token)); got != invalid("issuer does not match") {
		t.Errorf("another issuer: %s", got)
	}
	// A character more or less is another token.
	if got := outcome(a, bearing(token[:len(token)-1])); got != invalid("crypto/rsa: verification error") && !strings.Contains(got, "base64") {
		t.Errorf("another token: %s", got)
	}
	b.at = now.Add(60 * time.Second)
	if got := outcome(a, bearing(token)); got != invalid("the token has expired") {
		t.Errorf("after its end: %s", got)
	}
	// With its key a token is forgotten.
	b.at = now
	b.issuer.SetKeys(oidctest.NewKey(t, "k2"))
	if outcome(a, bearing(token)) != "ok" {
		t.Error("the token was forgotten before the key was")
	}
	b.at = now.Add(11 * time.Second)
	if got := outcome(a, bearing(b.key.SignWith(t, map[string]any{"alg": "RS256", "kid": "made up"}, b.claims(nil)))); got != invalid("the issuer has no key of this id") {
		t.Error(got)
	}
	if got := outcome(a, bearing(token)); got != invalid("the issuer has no key of this id") {
		t.Errorf("after its key was taken back: %s", got)
	}
}

// TestJWTColdStart has many clients come before there are keys.
func TestJWTColdStart(t *testing.T) {
	b := newJWTBench(t)
	a := b.authorizer()
	token := b.key.Sign(t, b.claims(nil))
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if got := outcome(a, bearing(token)); got != "ok" {
				t.Error(got)
			}
		})
	}
	all.Wait()
	if d, k := b.issuer.Discoveries.Load(), b.issuer.KeySets.Load(); d != 1 || k != 1 {
		t.Errorf("%d and %d fetches, want one of each", d, k)
	}
}

func TestJWTWithoutIssuer(t *testing.T) {
	b := newJWTBench(t)
	token := b.key.Sign(t, b.claims(nil))
	b.issuer.SetDocument([]byte("{}"))
	if got := outcome(b.authorizer(), bearing(token)); got != invalid("JWKS communication error") {
		t.Error(got)
	}
	b.issuer.Override(oidctest.DiscoveryPath, http.NotFound)
	b.at = now.Add(time.Second)
	if got := outcome(b.authorizer(), bearing(token)); got != invalid("OIDC discovery endpoint communication error") {
		t.Error(got)
	}
	// Tokens of other issuers aren't looked for.
	n := b.issuer.Discoveries.Load()
	b.at = now.Add(20 * time.Second)
	if got := outcome(b.authorizer(), bearing(b.key.Sign(t, b.claims(map[string]any{"iss": "x"})))); got != invalid("issuer does not match") || b.issuer.Discoveries.Load() != n {
		t.Errorf("%s, and %d fetches", got, b.issuer.Discoveries.Load()-n)
	}
}

func TestJWTAllocations(t *testing.T) {
	b := newJWTBench(t)
	for name, a := range map[string]*authorize.JWT{
		"without scopes": b.authorizer(),
		"with scopes":    b.authorizer(func(o *authorize.JWTOptions) { o.Scopes = []string{"admin", "read"} }),
	} {
		x := bearing("Bearer " + b.key.Sign(t, b.claims(nil)))
		if got := testing.AllocsPerRun(100, func() {
			if err := a.Authorize(x); err != nil {
				t.Fatal(err)
			}
		}); got != 0 {
			t.Errorf("%s: %v allocations for a remembered token", name, got)
		}
	}
}

func BenchmarkJWT(bench *testing.B) {
	b := newJWTBench(bench)
	b.at = time.Now()
	o := b.options()
	o.Clock = nil
	claims := b.claims(map[string]any{"exp": time.Now().Unix() + 3600})
	for _, name := range []string{"cognito:groups", "cognito:username", "origin_jti", "event_id", "auth_time", "email"} {
		claims[name] = "00af3833-47ce-4b3c-b2f9-af09440dac30"
	}
	x := bearing("Bearer " + b.key.Sign(bench, claims))
	warm, err := authorize.NewJWT(o)
	if err != nil {
		bench.Fatal(err)
	}
	bench.Run("warm", func(bench *testing.B) {
		bench.ReportAllocs()
		for bench.Loop() {
			if err := warm.Authorize(x); err != nil {
				bench.Fatal(err)
			}
		}
	})
}

func BenchmarkJWTCold(bench *testing.B) {
	b := newJWTBench(bench)
	x := bearing(b.key.Sign(bench, b.claims(nil)))
	a := make([]*authorize.JWT, 512)
	for i := range a {
		// Each has rules of its own.
		a[i] = b.authorizer(func(o *authorize.JWTOptions) { o.Audiences = []string{"app", fmt.Sprint(i)} })
	}
	bench.ReportAllocs()
	for i := 0; bench.Loop(); i++ {
		if i%len(a) == 0 {
			bench.StopTimer()
			forget := authorize.NewTokens()
			for j := range a {
				a[j] = b.authorizer(func(o *authorize.JWTOptions) { o.Audiences, o.Tokens = []string{"app", fmt.Sprint(j)}, forget })
			}
			bench.StartTimer()
		}
		if err := a[i%len(a)].Authorize(x); err != nil {
			bench.Fatal(err)
		}
	}
}

func FuzzJWT(f *testing.F) {
	b := newJWTBench(f)
	a := b.authorizer()
	good := b.key.Sign(f, b.claims(nil))
	for _, seed := range []string{good, "Bearer " + good, "a.b.c", "..", "e30.e30.", oidctest.Encode([]byte(`{"alg":"RS256","kid":"k1"}`)) + "." + oidctest.Encode([]byte(`{"iss":[{}],"exp":1e9}`)) + ".AA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		x := bearing(text)
		got := outcome(a, x)
		if got == "ok" && !strings.HasSuffix(text, good) {
			t.Errorf("%q passed", text)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r > '~' }) || strings.Count(got, `"`)%2 != 0 {
			t.Errorf("%q can't stand in a header", got)
		}
	})
}
