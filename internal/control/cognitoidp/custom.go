package cognitoidp

import (
	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
)

// A customState is the state of a sign-in that the pool's functions lead.
type customState struct {
	// Session are the challenges so far, as functions see them.
	Session []customResult
	// Private is what the function that made the challenge keeps to itself.
	Private map[string]string `json:",omitempty"`
	// Metadata is that of the challenge that waits for an answer.
	Metadata string `json:",omitempty"`
}

// A customResult is a challenge that was answered.
type customResult struct {
	Name     string `json:"challengeName"`
	Right    bool   `json:"challengeResult"`
	Metadata string `json:"challengeMetadata,omitempty"`
}

// maxChallenges bounds how many challenges one sign-in has.
const maxChallenges = 32

type defineRequest struct {
	UserAttributes map[string]string `json:"userAttributes"`
	Session        []customResult    `json:"session"`
	ClientMetadata map[string]string `json:"clientMetadata,omitempty"`
	UserNotFound   bool              `json:"userNotFound"`
}

type defineResponse struct {
	Challenge string `json:"challengeName"`
	Issue     bool   `json:"issueTokens"`
	Fail      bool   `json:"failAuthentication"`
}

type createRequest struct {
	UserAttributes map[string]string `json:"userAttributes"`
	Challenge      string            `json:"challengeName"`
	Session        []customResult    `json:"session"`
	ClientMetadata map[string]string `json:"clientMetadata,omitempty"`
	UserNotFound   bool              `json:"userNotFound"`
}

type createResponse struct {
	Public   map[string]string `json:"publicChallengeParameters"`
	Private  map[string]string `json:"privateChallengeParameters"`
	Metadata string            `json:"challengeMetadata"`
}

type verifyRequest struct {
	UserAttributes map[string]string `json:"userAttributes"`
	Private        map[string]string `json:"privateChallengeParameters"`
	Answer         string            `json:"challengeAnswer"`
	ClientMetadata map[string]string `json:"clientMetadata,omitempty"`
	UserNotFound   bool              `json:"userNotFound"`
}

type verifyResponse struct {
	Right bool `json:"answerCorrect"`
}

// beginCustom begins a sign-in that functions lead, at once or after SRP.
func (s *Service) beginCustom(a *attempt, params map[string]string) (*Step, error) {
	if err := required(params, "USERNAME"); err != nil {
		return nil, err
	}
	if err := checkSecretHash(a.client, optional(params, "SECRET_HASH"), params["USERNAME"]); err != nil {
		return nil, err
	}
	l := a.pool.Settings.LambdaConfig
	if value(l.DefineAuthChallenge) == "" {
		return nil, invalid("Custom auth lambda trigger is not configured for the user pool.")
	}
	// UNVERIFIED: functions are asked about users that aren't there, on AWS, where
	// the client hides them. Here they hear of users only.
	u, err := s.readUser(a.c, a.pool, params["USERNAME"])
	if code, _ := awsCode(err); code == "UserNotFoundException" && hides(a.client) {
		return nil, wrongPassword()
	}
	if err != nil {
		return nil, err
	}
	switch {
	case u.Disabled:
		return nil, notAuthorized("User is disabled.")
	case u.Status == api.UserStatusTypeUnconfirmed:
		return nil, api.NewUserNotConfirmedException("User is not confirmed.")
	case u.Status == api.UserStatusTypeResetRequired:
		return nil, api.NewPasswordResetRequiredException("Password reset required for the user")
	}
	if err := s.preAuthentication(a, u); err != nil {
		return nil, err
	}
	if params["CHALLENGE_NAME"] != "SRP_A" {
		return s.defineNext(a, u, []customResult{})
	}
	if err := required(params, "SRP_A"); err != nil {
		return nil, err
	}
	first := []customResult{{Name: "SRP_A", Right: true}}
	d, err := s.define(a, u, first)
	if err != nil {
		return nil, err
	}
	if d.Challenge != api.ChallengeNameTypePasswordVerifier {
		return s.lead(a, u, d, first)
	}
	return s.offerSRP(a, u, params, &customState{Session: first})
}

func (s *Service) define(a *attempt, u *user, sofar []customResult) (defineResponse, error) {
	var d defineResponse
	if len(sofar) > maxChallenges {
		return d, notAuthorized("Incorrect username or password.")
	}
	in := defineRequest{UserAttributes: u.withStatus(), Session: sofar, ClientMetadata: a.metadata}
	err := s.trigger(a.c, a.pool, a.client, a.pool.Settings.LambdaConfig.DefineAuthChallenge, "1", "DefineAuthChallenge_Authentication", u.Username, in, &d)
	return d, err
}

// defineNext asks what comes after the challenges so far.
func (s *Service) defineNext(a *attempt, u *user, sofar []customResult) (*Step, error) {
	d, err := s.define(a, u, sofar)
	if err != nil {
		return nil, err
	}
	return s.lead(a, u, d, sofar)
}

// lead does what a function decided.
func (s *Service) lead(a *attempt, u *user, d defineResponse, sofar []customResult) (*Step, error) {
	switch {
	case d.Fail:
		return nil, wrongPassword()
	case d.Issue:
		if u.Status == api.UserStatusTypeForceChangePassword {
			return s.askNewPassword(a, u)
		}
		return s.finish(a, u, "TokenGeneration_Authentication")
	case d.Challenge != api.ChallengeNameTypeCustomChallenge:
		return nil, api.NewInvalidLambdaResponseException("DefineAuthChallenge failed: invalid challenge name") // UNVERIFIED wording
	}
	var created createResponse
	in := createRequest{UserAttributes: u.withStatus(), Challenge: d.Challenge, Session: sofar, ClientMetadata: a.metadata}
	l := a.pool.Settings.LambdaConfig
	if value(l.CreateAuthChallenge) == "" {
		return nil, invalid("Custom auth lambda trigger is not configured for the user pool.")
	}
	if err := s.trigger(a.c, a.pool, a.client, l.CreateAuthChallenge, "1", "CreateAuthChallenge_Authentication", u.Username, in, &created); err != nil {
		return nil, err
	}
	text, err := s.newSession(a, u, d.Challenge, session{Custom: &customState{Session: sofar, Private: created.Private, Metadata: created.Metadata}})
	if err != nil {
		return nil, err
	}
	params := map[string]string{}
	for k, v := range created.Public {
		params[k] = v
	}
	params["USERNAME"] = u.Username
	return &Step{Challenge: d.Challenge, Session: text, Params: params}, nil
}

func (s *Service) answerCustom(a *attempt, sessionText string, answers map[string]string) (*Step, error) {
	answer, ok := answers["ANSWER"]
	if !ok {
		return nil, invalid("Missing required parameter ANSWER")
	}
	ticket, state, u, err := s.openSession(a, api.ChallengeNameTypeCustomChallenge, sessionText)
	if err != nil {
		return nil, err
	}
	if err := checkSecretHash(a.client, optional(answers, "SECRET_HASH"), append(u.names(), answers["USERNAME"])...); err != nil {
		return nil, err
	}
	if err := s.use(a, ticket); err != nil {
		return nil, err
	}
	l := a.pool.Settings.LambdaConfig
	if value(l.VerifyAuthChallengeResponse) == "" || state.Custom == nil {
		return nil, invalid("Custom auth lambda trigger is not configured for the user pool.")
	}
	var v verifyResponse
	in := verifyRequest{UserAttributes: u.withStatus(), Private: state.Custom.Private, Answer: answer, ClientMetadata: a.metadata}
	if err := s.trigger(a.c, a.pool, a.client, l.VerifyAuthChallengeResponse, "1", "VerifyAuthChallengeResponse_Authentication", u.Username, in, &v); err != nil {
		return nil, err
	}
	return s.defineNext(a, u, append(state.Custom.Session, customResult{state.Challenge, v.Right, state.Custom.Metadata}))
}

// SignIn checks a user's name and password for a pool's pages, with all that
// signing in by password has: functions, wrong guesses, users that may not, second
// factors. The scopes of the grant, which is a hosted one, are the caller's to set.
func (s *Service) SignIn(c *awswire.Call, p *Pool, cl *Client, name, password string) (*Step, error) {
	a := &attempt{c: c, pool: p, client: cl}
	u, err := s.checkPassword(a, name, password)
	if err != nil {
		return nil, err
	}
	return hosted(s.advance(a, u))
}

// Answer answers a challenge that SignIn or Answer led to. The names of the
// answers are those of RespondToAuthChallenge.
func (s *Service) Answer(c *awswire.Call, p *Pool, cl *Client, challenge, session string, answers map[string]string) (*Step, error) {
	return hosted(s.respond(&attempt{c: c, pool: p, client: cl}, challenge, session, answers))
}

// hosted has the grant of a step be one of the pool's pages.
func hosted(o *Step, err error) (*Step, error) {
	if err == nil && o.Grant != nil {
		o.Grant.Hosted, o.Grant.Scopes, o.Grant.Source = true, nil, "TokenGeneration_HostedAuth"
	}
	return o, err
}
