package authorize

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
	"unique"

	"gatehouse/internal/authorize/oidc"
	"gatehouse/internal/plan"
)

// CognitoOptions are what a COGNITO_USER_POOLS authorizer checks on one method.
type CognitoOptions struct {
	// Issuers are those of the user pools; a token of any will do.
	Issuers []string
	// Scopes are what the method asks for. With any the token must be an access
	// token that has one of them, without one an ID token.
	Scopes []string
	// IdentitySource is method.request.header.{name}.
	IdentitySource string
	// AudienceExpression is what aud has to match in whole, "" for anything.
	AudienceExpression string
	// Keys has the pools' keys, Tokens remembers what was verified.
	Keys   *oidc.KeySets
	Tokens *Tokens
	// Clock is time.Now if nil.
	Clock func() time.Time
}

// A Cognito is the COGNITO_USER_POOLS authorizer of a method of a REST API.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html
type Cognito struct {
	pools    map[string]*oidc.KeySet // by issuer
	scopes   []string
	source   tokenSource
	audience *regexp.Regexp // nil for anything
	rules    rules
	tokens   *Tokens
	clock    func() time.Time
}

// NewCognito makes an authorizer. The error tells what is wrong with the options.
func NewCognito(o CognitoOptions) (*Cognito, error) {
	source, err := parseTokenSource(o.IdentitySource, "method.request.header.", "")
	if err != nil {
		return nil, err
	}
	if len(o.Issuers) == 0 {
		return nil, errors.New("an authorizer of user pools has a user pool")
	}
	c := &Cognito{
		pools: map[string]*oidc.KeySet{}, scopes: o.Scopes, source: source, tokens: o.Tokens, clock: o.Clock,
	}
	for _, issuer := range o.Issuers {
		c.pools[issuer] = o.Keys.Issuer(issuer)
	}
	if o.AudienceExpression != "" {
		if c.audience, err = regexp.Compile(`\A(?:` + o.AudienceExpression + `)\z`); err != nil {
			return nil, err
		}
	}
	if c.clock == nil {
		c.clock = time.Now
	}
	c.rules = unique.Make("cognito\x00" + c.use() + "\x00" + o.AudienceExpression + "\x00" + strings.Join(o.Issuers, "\x00"))
	return c, nil
}

// use is what token_use has to be.
func (c *Cognito) use() string {
	if len(c.scopes) > 0 {
		return "access"
	}
	return "id"
}

// Authorize implements plan.Authorizer. The claims of the token are the
// exchange's Authorization.
func (c *Cognito) Authorize(x *plan.Exchange) error {
	text := c.source.read(x)
	if text == "" {
		return c.refuse(x, errNoToken)
	}
	text = bareToken(text)
	now := c.clock()
	known := c.tokens.find(c.rules, text, now)
	if known == nil {
		var err error
		known, err = c.verify(text, now, x.Request.Done)
		if errors.Is(err, oidc.ErrGone) {
			return &plan.Fault{Kind: plan.ClientGone, Reason: err.Error()}
		}
		if err != nil {
			return c.refuse(x, err)
		}
		c.tokens.put(known, now)
	}
	if len(c.scopes) > 0 && !slices.ContainsFunc(c.scopes, func(s string) bool { return slices.Contains(known.scopes, s) }) {
		return c.refuse(x, errNoScope)
	}
	x.Authorization = known.plain
	x.Authorizer.Status = 200
	return nil
}

// Why a token of a user pool is refused; a client is only told of expiry.
const (
	errNoToken  claimError = "the request has no token"
	errNoPool   claimError = "the token isn't of one of the authorizer's user pools"
	errNotID    claimError = "the method has no scopes, so it takes ID tokens only"
	errNotScope claimError = "the method has scopes, so it takes access tokens only"
	errNoScope  claimError = "the token has none of the method's scopes"
	errAud      claimError = "the token's aud doesn't match the authorizer's expression"
)

// expiredMessage is what a client is told of an expired token.
const expiredMessage = "The incoming token has expired"

func (c *Cognito) refuse(x *plan.Exchange, err error) error {
	fault := &plan.Fault{Kind: plan.Unauthorized, Reason: describe(err)}
	if errors.Is(err, errExpired) {
		fault.Message = expiredMessage
	}
	return refuse(x, fault, 401)
}

// verify verifies a token that isn't remembered.
func (c *Cognito) verify(text string, now time.Time, done <-chan struct{}) (*remembered, error) {
	t, err := readToken(text)
	if err != nil {
		return nil, err
	}
	if err := t.checkHeader(); err != nil {
		return nil, err
	}
	issuer, _ := t.claims.text("iss")
	pool := c.pools[issuer]
	if pool == nil {
		return nil, errNoPool
	}
	key, err := t.verify(pool, done)
	if err != nil {
		return nil, err
	}
	expires, err := t.claims.checkTimes(now)
	if err != nil {
		return nil, err
	}
	if use, _ := t.claims.text("token_use"); use != c.use() {
		if c.use() == "id" {
			return nil, errNotID
		}
		return nil, errNotScope
	}
	if !c.hasAudience(&t.claims) {
		return nil, errAud
	}
	return newRemembered(c.rules, text, key, expires, t, restClaims(&t.claims)), nil
}

// hasAudience tells whether aud matches the expression. Access tokens have none.
func (c *Cognito) hasAudience(claims *claims) bool {
	if c.audience == nil {
		return true
	}
	audience, ok := claims.text("aud")
	return ok && c.audience.MatchString(audience)
}
