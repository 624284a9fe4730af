package authorize

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unique"

	"gatehouse/internal/authorize/oidc"
	"gatehouse/internal/plan"
)

// JWTOptions are what a JWT authorizer of an HTTP API checks on one route.
type JWTOptions struct {
	// Issuer is what iss must be, to the letter.
	Issuer string
	// Audiences are what aud, or client_id where there is no aud, must have one of.
	Audiences []string
	// Scopes are what the route asks for; one of them is enough, and none asks for
	// nothing.
	Scopes []string
	// IdentitySource is $request.header.{name} or $request.querystring.{name}.
	IdentitySource string
	// Keys has the issuers' keys, Tokens remembers what was verified.
	Keys   *oidc.KeySets
	Tokens *Tokens
	// Clock is time.Now if nil.
	Clock func() time.Time
}

// A JWT is the JWT authorizer of a route of an HTTP API.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
type JWT struct {
	issuer    string
	audiences []string
	scopes    []string
	source    tokenSource
	rules     rules
	keys      *oidc.KeySet
	tokens    *Tokens
	clock     func() time.Time

	// missing and noScope are the answers to requests without a token and to
	// tokens without a scope of the route.
	missing, noScope *plan.Fault
}

// NewJWT makes an authorizer. The error tells what is wrong with the options.
func NewJWT(o JWTOptions) (*JWT, error) {
	source, err := parseTokenSource(o.IdentitySource, "$request.header.", "$request.querystring.")
	if err != nil {
		return nil, err
	}
	if o.Issuer == "" || len(o.Audiences) == 0 {
		return nil, errors.New("a JWT authorizer has an issuer and audiences")
	}
	j := &JWT{
		issuer: o.Issuer, audiences: o.Audiences, scopes: o.Scopes, source: source,
		rules: unique.Make("jwt\x00" + o.Issuer + "\x00" + strings.Join(o.Audiences, "\x00")),
		keys:  o.Keys.Issuer(o.Issuer), tokens: o.Tokens, clock: o.Clock,
	}
	if j.clock == nil {
		j.clock = time.Now
	}
	j.missing = &plan.Fault{Kind: plan.Unauthorized, Reason: "missing: token not provided", Challenge: "Bearer"}
	j.noScope = j.refusal(plan.AccessDenied, "insufficient_scope", "expected scopes: ["+strings.Join(o.Scopes, " ")+"]")
	return j, nil
}

// refusal is the answer to a token, in the words and the order that AWS has.
// UNVERIFIED: that the scopes of the route are in it when the token is invalid.
func (j *JWT) refusal(kind plan.FaultKind, code, description string) *plan.Fault {
	return &plan.Fault{
		Kind: kind, Reason: code + ": " + description,
		Challenge: `Bearer scope="` + quotable(strings.Join(j.scopes, " ")) + `" error="` + code + `" error_description="` + quotable(description) + `"`,
	}
}

// Authorize implements plan.Authorizer. The claims of the token are the
// exchange's Authorization.
func (j *JWT) Authorize(x *plan.Exchange) error {
	text := j.source.read(x)
	if text == "" {
		return refuse(x, j.missing, 401)
	}
	text = bareToken(text)
	now := j.clock()
	known := j.tokens.find(j.rules, text, now)
	if known == nil {
		var err error
		known, err = j.verify(text, now, x.Request.Done)
		if errors.Is(err, oidc.ErrGone) {
			return &plan.Fault{Kind: plan.ClientGone, Reason: err.Error()}
		}
		if err != nil {
			return refuse(x, j.refusal(plan.Unauthorized, "invalid_token", describe(err)), 401)
		}
		j.tokens.put(known, now)
	}
	a := known.plain
	if len(j.scopes) > 0 {
		if a = known.with(j.scopes); a == nil {
			return refuse(x, j.noScope, 403)
		}
	}
	x.Authorization = a
	x.Authorizer.Status = 200
	return nil
}

// refuse notes for the logs that an authorizer refuses a request.
func refuse(x *plan.Exchange, fault *plan.Fault, status int) error {
	x.Authorizer.Status, x.Authorizer.Error = status, fault.Reason
	return fault
}

// verify verifies a token that isn't remembered. The issuer comes before the
// signature, so that tokens of others cause no look at the issuer's keys.
func (j *JWT) verify(text string, now time.Time, done <-chan struct{}) (*remembered, error) {
	t, err := readToken(text)
	if err != nil {
		return nil, err
	}
	if err := t.checkHeader(); err != nil {
		return nil, err
	}
	if issuer, _ := t.claims.text("iss"); issuer != j.issuer {
		return nil, errIssuer
	}
	key, err := t.verify(j.keys, done)
	if err != nil {
		return nil, err
	}
	if !j.hasAudience(&t.claims) {
		return nil, errAudience
	}
	expires, err := t.claims.checkTimes(now)
	if err != nil {
		return nil, err
	}
	return newRemembered(j.rules, text, key, expires, t, httpClaims(&t.claims)), nil
}

const (
	errIssuer   claimError = "issuer does not match"
	errAudience claimError = "the token does not have a valid audience"
)

// hasAudience tells whether the token is for one of the audiences. Whatever aud
// is, client_id isn't looked at beside it.
func (j *JWT) hasAudience(c *claims) bool {
	audiences, present := c.texts("aud")
	if !present {
		client, ok := c.text("client_id")
		return ok && slices.Contains(j.audiences, client)
	}
	return slices.ContainsFunc(audiences, func(a string) bool { return slices.Contains(j.audiences, a) })
}

// checkHeader refuses signatures that authorizers don't take.
func (t *token) checkHeader() error {
	switch {
	case !oidc.Supported(t.algorithm):
		return errors.New("signing method " + t.algorithm + " is invalid")
	// UNVERIFIED: the words of the next two errors.
	case t.critical:
		return errors.New("the token has critical headers")
	case t.keyID == "":
		return errors.New("the token has no key id")
	}
	return nil
}

// verify checks the signature with the key that the header names.
func (t *token) verify(keys *oidc.KeySet, done <-chan struct{}) (*oidc.Key, error) {
	key, err := keys.Key(t.keyID, done)
	if err != nil {
		return nil, err
	}
	if key.Verify(t.algorithm, t.signed, t.signature) != nil {
		return nil, errSignature
	}
	return key, nil
}

// errSignature has the words of the library that AWS's others are of.
var errSignature = errors.New("crypto/rsa: verification error")

// describe is what a client is told of an error. Of addresses behind an issuer it
// is told nothing.
func describe(err error) string {
	for _, known := range [...]error{oidc.ErrDiscovery, oidc.ErrKeys} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return err.Error()
}

// maxQuoted is how much of a text a header quotes.
const maxQuoted = 1024

// quotable is a text as it can stand between quotes in a header.
func quotable(text string) string {
	b := []byte(text[:min(len(text), maxQuoted)])
	for i, c := range b {
		switch {
		case c == '"' || c == '\\':
			b[i] = '\''
		case c < ' ' || c > '~':
			b[i] = '?'
		}
	}
	return string(b)
}
