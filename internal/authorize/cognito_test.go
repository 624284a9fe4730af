package authorize_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/authorize"
	"gatehouse/internal/authorize/oidc/oidctest"
	"gatehouse/internal/plan"
)

func (b *jwtBench) cognito(change func(*authorize.CognitoOptions)) *authorize.Cognito {
	b.t.Helper()
	o := authorize.CognitoOptions{
		Issuers: []string{b.issuer.URL}, IdentitySource: "method.request.header.Authorization",
		Keys: b.keys, Tokens: b.tokens, Clock: func() time.Time { return b.at },
	}
	if change != nil {
		change(&o)
	}
	c, err := authorize.NewCognito(o)
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// told is what a client of a REST API is told.
func told(a plan.Authorizer, x *plan.Exchange) string {
	err := a.Authorize(x)
	if err == nil {
		return "ok"
	}
	fault, ok := err.(*plan.Fault) //nolint:errorlint // authorizers return it bare
	switch {
	case !ok || fault.Kind != plan.Unauthorized || fault.Challenge != "":
		return fmt.Sprintf("%#v", err)
	case fault.Message != "":
		return fault.Message
	}
	return "Unauthorized"
}

func TestCognito(t *testing.T) {
	b := newJWTBench(t)
	second := oidctest.New(t, oidctest.NewKey(t, "of another pool"))
	other := oidctest.NewKey(t, "other")
	third := oidctest.New(t, other)
	pools := func(o *authorize.CognitoOptions) { o.Issuers = append(o.Issuers, second.URL, third.URL) }
	scopes := func(scopes ...string) func(*authorize.CognitoOptions) {
		return func(o *authorize.CognitoOptions) { o.Scopes = scopes }
	}
	expression := func(e string) func(*authorize.CognitoOptions) {
		return func(o *authorize.CognitoOptions) { o.AudienceExpression = e }
	}
	id := map[string]any{"iss": b.issuer.URL, "aud": "client1", "token_use": "id", "exp": now.Unix() + 60, "iat": now.Unix(), "cognito:username": "ann"}
	access := map[string]any{"iss": b.issuer.URL, "client_id": "client1", "token_use": "access", "exp": now.Unix() + 60, "iat": now.Unix(), "scope": "books/read openid"}
	with := func(claims map[string]any, changes ...any) map[string]any {
		c := maps.Clone(claims)
		for i := 0; i < len(changes); i += 2 {
			c[changes[i].(string)] = changes[i+1]
		}
		return c
	}
	sign := func(claims map[string]any) string { return b.key.Sign(t, claims) }
	const expired, unauthorized = "The incoming token has expired", "Unauthorized"
	for _, test := range []struct {
		name  string
		token string
		rules func(*authorize.CognitoOptions)
		want  string
	}{
		{"an ID token", sign(id), nil, "ok"},
		{"with a scheme", "Bearer " + sign(id), nil, "ok"},
		{"an access token with a scope", sign(access), scopes("books/write", "books/read"), "ok"},
		{"of the third pool", other.Sign(t, with(id, "iss", third.URL)), pools, "ok"},
		{"of the first pool", sign(id), pools, "ok"},
		{"a client that matches", sign(id), expression("client[0-9]"), "ok"},

		{"none", "", nil, unauthorized},
		{"not a token", "x", nil, unauthorized},
		{"an access token without scopes", sign(access), nil, unauthorized},
		{"an ID token with scopes", sign(with(id, "scope", "books/read")), scopes("books/read"), unauthorized},
		{"no use", sign(with(id, "token_use", "refresh")), nil, unauthorized},
		{"a scope missing", sign(access), scopes("books/write"), unauthorized},
		{"expired", sign(with(id, "exp", now.Unix()-1)), nil, expired},
		{"an access token, expired", sign(with(access, "exp", now.Unix()-1)), scopes("books/read"), expired},
		{"no end", sign(with(id, "exp", "never")), nil, unauthorized},
		{"from the future", sign(with(id, "iat", now.Unix()+60)), nil, unauthorized},
		{"of no pool", sign(with(id, "iss", "https://x")), pools, unauthorized},
		{"signed by another pool", other.Sign(t, id), pools, unauthorized},
		{"of another pool with this pool's key", sign(with(id, "iss", third.URL)), pools, unauthorized},
		{"expired, and with a wrong signature", oidctest.NewKey(t, "k1").Sign(t, with(id, "exp", 1)), nil, unauthorized},
		{"unsigned", oidctest.Encode([]byte(`{"alg":"none"}`)) + "." + strings.Split(sign(id), ".")[1] + ".", nil, unauthorized},
		{"a client that doesn't match", sign(id), expression("client"), unauthorized},
		{"one of two that match in part", sign(id), expression("a|client"), unauthorized},
		{"an access token has no audience", sign(access), func(o *authorize.CognitoOptions) { o.Scopes, o.AudienceExpression = []string{"openid"}, ".*" }, unauthorized},
	} {
		t.Run(test.name, func(t *testing.T) {
			for range 2 { // the second time it may be remembered
				x := bearing(test.token)
				if got := told(b.cognito(test.rules), x); got != test.want {
					t.Errorf("got %s, want %s", got, test.want)
				}
				if ok := test.want == "ok"; ok != (x.Authorization != nil) || !ok && (x.Authorizer.Status != 401 || x.Authorizer.Error == "") {
					t.Errorf("the exchange has %+v and %+v", x.Authorization, x.Authorizer)
				}
			}
		})
	}
	for name, change := range map[string]func(*authorize.CognitoOptions){
		"no pool":             func(o *authorize.CognitoOptions) { o.Issuers = nil },
		"a query":             func(o *authorize.CognitoOptions) { o.IdentitySource = "method.request.querystring.x" },
		"no header":           func(o *authorize.CognitoOptions) { o.IdentitySource = "" },
		"a broken expression": expression("("),
	} {
		o := authorize.CognitoOptions{Issuers: []string{b.issuer.URL}, IdentitySource: "method.request.header.X", Keys: b.keys, Tokens: b.tokens}
		change(&o)
		if _, err := authorize.NewCognito(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestCognitoClaims has the claims as events of AWS show them.
func TestCognitoClaims(t *testing.T) {
	b := newJWTBench(t)
	b.at = time.Unix(1524114862, 0)
	x := bearing(b.key.Sign(t, `{"sub":"me","cognito:groups":["group","admin"],"email_verified":true,"token_use":"id","auth_time":1524114862,"iss":"`+b.issuer.URL+`",
		"identities":[{"userId":"1","issuer":null}],"exp":1524118462,"iat":1524114862.0,"custom:n":"7"}`))
	if got := told(b.cognito(nil), x); got != "ok" {
		t.Fatal(got)
	}
	var got []string
	for _, v := range x.Authorization.Claims {
		got = append(got, v.Name+" "+v.Text)
	}
	want := []string{
		"sub me", "cognito:groups group,admin", "email_verified true", "token_use id", "auth_time 1524114862", "iss " + b.issuer.URL,
		`identities {"userId":"1","issuer":null}`, "exp Thu Apr 19 06:14:22 UTC 2018", "iat Thu Apr 19 05:14:22 UTC 2018", "custom:n 7",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
