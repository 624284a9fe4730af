package oauth2

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/control/cognitoidp"
	"gatehouse/internal/userpool"
)

// A failure is an error of the endpoints that programs call.
type failure struct {
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

func (f *failure) Error() string { return f.Code }

func fail(code string) *failure { return &failure{Code: code} }

// answer writes JSON.
func (v *visitor) answer(status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // texts and numbers only
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/json;charset=UTF-8")
	h.Set("Cache-Control", "no-cache, no-store")
	h.Set("Pragma", "no-cache")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(text) // the client has gone
}

// refuse writes an error; what isn't one that clients are told of is logged.
func (v *visitor) refuse(status int, err error) {
	var f *failure
	if errors.As(err, &f) {
		v.answer(status, f)
		return
	}
	v.log.Error("an endpoint of a user pool failed", "pool", v.pool.ID, "path", v.r.URL.Path, "error", err)
	v.answer(http.StatusInternalServerError, fail("server_error"))
}

// issued is the answer of /oauth2/token.
type issued struct {
	ID      string `json:"id_token,omitempty"`
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token,omitempty"`
	Expires int    `json:"expires_in"`
	Type    string `json:"token_type"`
}

// token is /oauth2/token. Every refusal is a 400, that of the client too.
func (v *visitor) token() {
	tokens, err := v.tokens()
	if err != nil {
		v.refuse(http.StatusBadRequest, err)
		return
	}
	v.answer(http.StatusOK, issued{tokens.ID, tokens.Access, tokens.Refresh, int(tokens.Lifetime / time.Second), "Bearer"})
}

func (v *visitor) tokens() (*cognitoidp.Tokens, error) {
	form, err := v.form()
	if err != nil {
		return nil, fail("invalid_request")
	}
	grant := form.Get("grant_type")
	switch grant {
	case "":
		return nil, fail("invalid_request")
	case "authorization_code", "refresh_token", "client_credentials":
	default:
		return nil, fail("unsupported_grant_type")
	}
	cl, err := v.authenticate(form)
	if err != nil {
		return nil, err
	}
	switch grant {
	case "authorization_code":
		return v.exchange(cl, form)
	case "refresh_token":
		return v.refresh(cl, form)
	}
	return v.forClient(cl, form)
}

// authenticate finds the client that calls. One that has a secret shows it, in
// the header or in the form; one that has none has nothing to show.
func (v *visitor) authenticate(form url.Values) (*cognitoidp.Client, error) {
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if _, given := v.r.Header["Authorization"]; given {
		user, password, ok := v.r.BasicAuth()
		if !ok || secret != "" {
			return nil, fail("invalid_request")
		}
		user, password = unescaped(user), unescaped(password)
		if id != "" && id != user {
			return nil, fail("invalid_client")
		}
		id, secret = user, password
	}
	if id == "" {
		return nil, fail("invalid_request")
	}
	cl, p, ok := v.directory.Client(id)
	if !ok || p.ID != v.pool.ID || !userpool.Equal(value(cl.Settings.ClientSecret), secret) {
		return nil, fail("invalid_client")
	}
	return cl, nil
}

// unescaped undoes the escaping of RFC 6749, 2.3.1, which not every client does.
func unescaped(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

var verifierText = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

// exchange makes tokens of a code.
func (v *visitor) exchange(cl *cognitoidp.Client, form url.Values) (*cognitoidp.Tokens, error) {
	if !mayUse(cl, api.OAuthFlowTypeCode) {
		return nil, fail("unauthorized_client")
	}
	text, redirectURI, verifier := form.Get("code"), form.Get("redirect_uri"), form.Get("code_verifier")
	if text == "" || redirectURI == "" {
		return nil, fail("invalid_request")
	}
	var c code
	ticket, err := v.tickets.Open(v.codes, text, v.call.Time, &c)
	if err != nil || c.Pool != v.pool.ID || c.Client != cl.ID {
		return nil, fail("invalid_grant")
	}
	// One try: whoever has the code without the verifier spends it.
	if v.tickets.Use(ticket, v.call.Time) != nil || c.RedirectURI != redirectURI || !c.boundTo(verifier) {
		return nil, fail("invalid_grant")
	}
	g, err := v.pools.HostedGrant(v.call, v.pool, cl, c.Visit, c.Scopes, c.Nonce)
	if err != nil {
		return nil, refused(err)
	}
	tokens, err := v.pools.Mint(v.call, g)
	return tokens, refused(err)
}

// boundTo tells whether a verifier fits the challenge of a code. A code without a
// challenge takes none: a client that sends a verifier had asked for one, so
// somebody took the challenge out of its request.
func (c *code) boundTo(verifier string) bool {
	if c.Challenge == "" {
		return verifier == ""
	}
	sum := sha256.Sum256([]byte(verifier))
	return verifierText.MatchString(verifier) && userpool.Equal(base64.RawURLEncoding.EncodeToString(sum[:]), c.Challenge)
}

func mayUse(cl *cognitoidp.Client, flow string) bool {
	return value(cl.Settings.AllowedOAuthFlowsUserPoolClient) && slices.Contains(cl.Settings.AllowedOAuthFlows, flow)
}

// refused is what a client learns of an error. The failure of a function is the
// user's business, everything else isn't the client's.
func refused(err error) error {
	code, message, ok := told(err)
	switch {
	case !ok:
		return err
	case strings.Contains(code, "Lambda"):
		return &failure{"invalid_grant", message} // UNVERIFIED
	}
	return fail("invalid_grant")
}

// refresh makes tokens of a refresh token, of these pages or of the API. Scopes
// that are asked for have no say, as on AWS.
func (v *visitor) refresh(cl *cognitoidp.Client, form url.Values) (*cognitoidp.Tokens, error) {
	text := form.Get("refresh_token")
	if text == "" {
		return nil, fail("invalid_request")
	}
	g, err := v.pools.Refreshed(v.call, v.pool, cl, text)
	if err != nil {
		return nil, refused(err)
	}
	tokens, err := v.pools.Refresh(v.call, g)
	return tokens, refused(err)
}

// forClient makes the token of a client by itself, with scopes of resource
// servers only: checkOAuth lets such a client have no others.
func (v *visitor) forClient(cl *cognitoidp.Client, form url.Values) (*cognitoidp.Tokens, error) {
	if !mayUse(cl, api.OAuthFlowTypeClientCredentials) || cl.Settings.ClientSecret == nil {
		return nil, fail("unauthorized_client")
	}
	live, err := v.pools.LiveScopes(v.call, v.pool, cl)
	if err != nil {
		return nil, err
	}
	scopes, ok := chosen(form.Get("scope"), live)
	if !ok {
		return nil, fail("invalid_scope")
	}
	return v.pools.MintForClient(v.call, v.pool, cl, scopes)
}
