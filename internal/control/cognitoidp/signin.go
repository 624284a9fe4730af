package cognitoidp

import (
	"encoding/json"
	"slices"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/userpool"
)

// An attempt is somebody signing in, who named a client.
type attempt struct {
	c        *awswire.Call
	pool     *Pool
	client   *Client
	metadata map[string]string
	// admin tells that a server signs the user in.
	admin bool
}

// A Step is where an answer leads that somebody gives who signs in: to a grant,
// or to a challenge.
type Step struct {
	Grant *Grant
	// Challenge is what to answer next, as AWS names it, with what the client is
	// told of it; Session goes with the answer.
	Challenge, Session string
	Params             map[string]string

	// tokens are those of a refresh token, which there are at once.
	tokens *Tokens
}

// settle makes the tokens that a step leads to, if it does.
func (s *Service) settle(c *awswire.Call, o *Step) (*api.AuthenticationResultType, error) {
	if o.Grant != nil {
		var err error
		if o.tokens, err = s.Mint(c, *o.Grant); err != nil {
			return nil, err
		}
	}
	if o.tokens == nil {
		return nil, nil
	}
	return o.tokens.result(), nil
}

// client finds the client of an unsigned call.
func (s *Service) client(id *string) (*Client, *Pool, error) {
	cl, p, ok := s.directory.Client(value(id))
	if !ok {
		return nil, nil, notFound("User pool client " + value(id) + " does not exist.")
	}
	return cl, p, nil
}

// checkSecret compares what a client shows as its secret.
func checkSecret(cl *Client, shown *string) error {
	if own := cl.Settings.ClientSecret; own != nil && !userpool.Equal(*own, value(shown)) {
		return notAuthorized("Invalid client secret") // UNVERIFIED wording
	}
	return nil
}

// checkSecretHash compares what a client with a secret sends along with a name,
// which may be any of the names that the user goes by.
func checkSecretHash(cl *Client, given *string, names ...string) error {
	secret := cl.Settings.ClientSecret
	switch {
	case secret == nil && value(given) == "":
		return nil
	case secret != nil && value(given) == "":
		return notAuthorized("Client " + cl.ID + " is configured with secret but SECRET_HASH was not received")
	case secret != nil && slices.ContainsFunc(names, func(n string) bool {
		return userpool.Equal(userpool.SecretHash(n, cl.ID, *secret), *given)
	}):
		return nil
	}
	return notAuthorized("Unable to verify secret hash for client " + cl.ID)
}

// InitiateAuth begins a sign-in, or makes new tokens of a refresh token.
func (s *Service) InitiateAuth(c *awswire.Call, in *api.InitiateAuthRequest) (*api.InitiateAuthResponse, error) {
	cl, p, err := s.client(in.ClientId)
	if err != nil {
		return nil, err
	}
	o, err := s.begin(&attempt{c, p, cl, in.ClientMetadata, false}, *in.AuthFlow, in.AuthParameters)
	if err != nil {
		return nil, err
	}
	out := &api.InitiateAuthResponse{ChallengeName: some(o.Challenge), Session: some(o.Session), ChallengeParameters: o.shown()}
	out.AuthenticationResult, err = s.settle(c, o)
	return out, err
}

// AdminInitiateAuth begins a sign-in that a server has the credentials for.
func (s *Service) AdminInitiateAuth(c *awswire.Call, in *api.AdminInitiateAuthRequest) (*api.AdminInitiateAuthResponse, error) {
	a, err := s.adminAttempt(c, in.UserPoolId, in.ClientId, in.ClientMetadata)
	if err != nil {
		return nil, err
	}
	o, err := s.begin(a, *in.AuthFlow, in.AuthParameters)
	if err != nil {
		return nil, err
	}
	out := &api.AdminInitiateAuthResponse{ChallengeName: some(o.Challenge), Session: some(o.Session), ChallengeParameters: o.shown()}
	out.AuthenticationResult, err = s.settle(c, o)
	return out, err
}

func (s *Service) adminAttempt(c *awswire.Call, poolID, clientID *string, metadata map[string]string) (*attempt, error) {
	p, err := s.poolOf(c, poolID)
	if err != nil {
		return nil, err
	}
	cl, own, err := s.client(clientID)
	if err != nil || own.ID != p.ID {
		return nil, noClient(clientID)
	}
	return &attempt{c, p, cl, metadata, true}, nil
}

// shown is never nil: clients of old read it.
func (o *Step) shown() map[string]string {
	if o.Params == nil {
		return map[string]string{}
	}
	return o.Params
}

// A flow is a way to begin a sign-in: which settings of a client allow it, and
// whether servers and others may use it.
type flow struct {
	allow         []string
	server, other bool
}

var flows = map[string]flow{
	api.AuthFlowTypeUserPasswordAuth: {[]string{api.ExplicitAuthFlowsTypeAllowUserPasswordAuth, api.ExplicitAuthFlowsTypeUserPasswordAuth}, false, true},
	api.AuthFlowTypeAdminUserPasswordAuth: {[]string{
		api.ExplicitAuthFlowsTypeAllowAdminUserPasswordAuth, api.ExplicitAuthFlowsTypeAdminNoSrpAuth}, true, false},
	api.AuthFlowTypeAdminNoSrpAuth: {[]string{
		api.ExplicitAuthFlowsTypeAllowAdminUserPasswordAuth, api.ExplicitAuthFlowsTypeAdminNoSrpAuth}, true, false},
	api.AuthFlowTypeUserSrpAuth:      {[]string{api.ExplicitAuthFlowsTypeAllowUserSrpAuth}, true, true},
	api.AuthFlowTypeCustomAuth:       {[]string{api.ExplicitAuthFlowsTypeAllowCustomAuth, api.ExplicitAuthFlowsTypeCustomAuthFlowOnly}, true, true},
	api.AuthFlowTypeRefreshTokenAuth: {[]string{api.ExplicitAuthFlowsTypeAllowRefreshTokenAuth}, true, true},
	api.AuthFlowTypeRefreshToken:     {[]string{api.ExplicitAuthFlowsTypeAllowRefreshTokenAuth}, true, true},
}

// allows tells whether a client may sign users in so. Settings of old name only
// what they add, or take away.
func allows(cl *api.UserPoolClientType, name string) bool {
	list := cl.ExplicitAuthFlows
	if len(list) == 0 {
		list = []string{
			api.ExplicitAuthFlowsTypeAllowUserSrpAuth, api.ExplicitAuthFlowsTypeAllowCustomAuth, api.ExplicitAuthFlowsTypeAllowRefreshTokenAuth,
		}
	}
	if slices.ContainsFunc(flows[name].allow, func(f string) bool { return slices.Contains(list, f) }) {
		return true
	}
	legacy := !slices.ContainsFunc(list, func(f string) bool { return len(f) > 6 && f[:6] == "ALLOW_" })
	if !legacy {
		return false
	}
	switch name {
	case api.AuthFlowTypeRefreshTokenAuth, api.AuthFlowTypeRefreshToken:
		return true
	case api.AuthFlowTypeUserSrpAuth, api.AuthFlowTypeCustomAuth:
		return !slices.Contains(list, api.ExplicitAuthFlowsTypeCustomAuthFlowOnly)
	}
	return false
}

// begin begins a sign-in.
func (s *Service) begin(a *attempt, name string, params map[string]string) (*Step, error) {
	f, known := flows[name]
	switch {
	case !known:
		return nil, invalid("The flow " + name + " isn't supported by this gateway.")
	case a.admin && !f.server, !a.admin && !f.other:
		return nil, invalid("Initiate Auth method not supported.")
	case !allows(a.client.Settings, name):
		if name == api.AuthFlowTypeUserPasswordAuth {
			return nil, invalid("USER_PASSWORD_AUTH flow not enabled for this client")
		}
		return nil, invalid("Auth flow not enabled for this client")
	}
	switch name {
	case api.AuthFlowTypeRefreshTokenAuth, api.AuthFlowTypeRefreshToken:
		return s.beginRefresh(a, params)
	case api.AuthFlowTypeUserSrpAuth:
		return s.beginSRP(a, params)
	case api.AuthFlowTypeCustomAuth:
		return s.beginCustom(a, params)
	}
	return s.beginPassword(a, params)
}

// required reads parameters that there must be.
func required(params map[string]string, names ...string) error {
	for _, n := range names {
		if params[n] == "" {
			return invalid("Missing required parameter " + n)
		}
	}
	return nil
}

// optional is a parameter that there may be.
func optional(params map[string]string, name string) *string {
	if v, ok := params[name]; ok {
		return &v
	}
	return nil
}

func (s *Service) beginPassword(a *attempt, params map[string]string) (*Step, error) {
	if err := required(params, "USERNAME", "PASSWORD"); err != nil {
		return nil, err
	}
	if err := checkSecretHash(a.client, optional(params, "SECRET_HASH"), params["USERNAME"]); err != nil {
		return nil, err
	}
	u, err := s.checkPassword(a, params["USERNAME"], params["PASSWORD"])
	if err != nil {
		return nil, err
	}
	return s.advance(a, u)
}

func (s *Service) beginRefresh(a *attempt, params map[string]string) (*Step, error) {
	if err := required(params, "REFRESH_TOKEN"); err != nil {
		return nil, err
	}
	if rotates(a.client) {
		return nil, invalid("Refresh token rotation is enabled for this client: use GetTokensFromRefreshToken.") // UNVERIFIED wording
	}
	g, err := s.Refreshed(a.c, a.pool, a.client, params["REFRESH_TOKEN"])
	if err != nil {
		return nil, err
	}
	if err := checkSecretHash(a.client, optional(params, "SECRET_HASH"), g.user.names()...); err != nil {
		return nil, err
	}
	g.Metadata = a.metadata
	tokens, err := s.Refresh(a.c, g)
	if err != nil {
		return nil, err
	}
	return &Step{tokens: tokens}, nil
}

// names are what a user goes by.
func (u *user) names() []string {
	names := []string{u.Username, u.Sub}
	for _, a := range u.known {
		names = append(names, a.value)
	}
	return names
}

// wrongPassword is the one answer to whoever doesn't know a password.
func wrongPassword() error { return notAuthorized("Incorrect username or password.") }

func tooMany() error { return notAuthorized("Password attempts exceeded") }

// hides tells whether a client mustn't tell who is there.
func hides(cl *Client) bool {
	return value(cl.Settings.PreventUserExistenceErrors) == api.PreventUserExistenceErrorTypesEnabled
}

// checkPassword finds a user and checks its password. It takes the same time for
// a user that isn't there.
func (s *Service) checkPassword(a *attempt, name, password string) (*user, error) {
	u, err := s.readUser(a.c, a.pool, name)
	code, _ := awsCode(err)
	absent := code == "UserNotFoundException"
	if err != nil && !absent {
		return nil, err
	}
	guessed, kept := guessedPassword(a.pool.Settings, fold(a.pool.Settings, name)), ""
	if !absent {
		guessed, kept = guessedPassword(u.pool, u.key), u.Password.Hash
	}
	if s.attempts.Locked(guessed, a.c.Time) {
		return nil, tooMany()
	}
	if !absent {
		if u.Status == api.UserStatusTypeResetRequired {
			return nil, api.NewPasswordResetRequiredException("Password reset required for the user")
		}
		if err := s.preAuthentication(a, u); err != nil {
			return nil, err
		}
	}
	right, checkErr := s.hasher.Check(a.c, kept, password)
	if checkErr != nil {
		return nil, busy(checkErr)
	}
	if absent {
		if s.attempts.Failed(guessed, a.c.Time) {
			return nil, tooMany()
		}
		if hides(a.client) {
			return nil, wrongPassword()
		}
		return nil, err
	}
	return u, s.guessed(a, u, right)
}

// guessed counts a guess at a user's password, and refuses those who may not sign
// in even with the right one.
func (s *Service) guessed(a *attempt, u *user, right bool) error {
	name := guessedPassword(u.pool, u.key)
	if !right {
		if s.attempts.Failed(name, a.c.Time) {
			return tooMany()
		}
		return wrongPassword()
	}
	// Guesses that ran beside this one may have locked the name.
	if s.attempts.Locked(name, a.c.Time) {
		return tooMany()
	}
	s.attempts.Passed(name)
	switch {
	case u.Disabled:
		return notAuthorized("User is disabled.")
	case u.Status == api.UserStatusTypeUnconfirmed:
		return api.NewUserNotConfirmedException("User is not confirmed.")
	case u.Status == api.UserStatusTypeForceChangePassword && !a.c.Time.Before(u.Password.Expires):
		return notAuthorized("Temporary password has expired and must be reset by an administrator.")
	}
	return nil
}

// advance leads a user who has shown its password to the next step.
func (s *Service) advance(a *attempt, u *user) (*Step, error) {
	if u.Status == api.UserStatusTypeForceChangePassword {
		return s.askNewPassword(a, u)
	}
	return s.secondFactor(a, u, "TokenGeneration_Authentication")
}

// finish ends a sign-in with a grant.
func (s *Service) finish(a *attempt, u *user, source string) (*Step, error) {
	if err := s.postAuthentication(a, u); err != nil {
		return nil, err
	}
	return &Step{Grant: new(s.newGrant(a, u, source))}, nil
}

// A session is the state of a sign-in that waits for the answer to a challenge.
type session struct {
	Pool, Client, Challenge string
	// Key is what the user is stored under and Sub who it is.
	Key, Sub string
	Custom   *customState `json:",omitempty"`

	// Source is why there will be tokens, once the second factor is shown.
	Source string `json:",omitempty"`
	// Code is what was sent, Secret that of an authenticator app that is set up
	// and Proven that it was.
	Code, Secret string `json:",omitempty"`
	Proven       bool   `json:",omitempty"`
}

const forSession = "cognito-session"

// sessionLife is how long a challenge may be answered.
func sessionLife(cl *Client) time.Duration {
	return time.Duration(value(cl.Settings.AuthSessionValidity)) * time.Minute
}

// newSession makes the text of a session, which says what v doesn't yet.
func (s *Service) newSession(a *attempt, u *user, challenge string, v session) (string, error) {
	v.Pool, v.Client, v.Challenge, v.Key, v.Sub = a.pool.ID, a.client.ID, challenge, u.key, u.Sub
	return s.tickets.Issue(forSession, v, a.c.Time.Add(sessionLife(a.client)))
}

// openSession reads the session of an answer and the user that it is of.
func (s *Service) openSession(a *attempt, challenge, text string) (userpool.Ticket, *session, *user, error) {
	var v session
	ticket, err := s.tickets.Open(forSession, text, a.c.Time, &v)
	if err != nil || v.Pool != a.pool.ID || v.Client != a.client.ID || v.Challenge != challenge {
		return ticket, nil, nil, notAuthorized("Invalid session for the user, session is expired.")
	}
	u, err := s.readUser(a.c, a.pool, v.Sub)
	if err != nil || u.Sub != v.Sub {
		return ticket, nil, nil, notAuthorized("Invalid session for the user, session is expired.")
	}
	if u.Disabled {
		return ticket, nil, nil, notAuthorized("User is disabled.")
	}
	return ticket, &v, u, nil
}

// use spends a session.
func (s *Service) use(a *attempt, ticket userpool.Ticket) error {
	if s.tickets.Use(ticket, a.c.Time) != nil {
		return notAuthorized("Invalid session for the user, session can only be used once.")
	}
	return nil
}

// jsonText is a value within a text, as some parameters of challenges are.
func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts only
	}
	return string(text)
}
