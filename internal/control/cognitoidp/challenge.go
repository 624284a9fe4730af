package cognitoidp

import (
	"encoding/base64"
	"slices"
	"strings"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
	"gatehouse/internal/userpool"
)

// RespondToAuthChallenge answers a challenge of a sign-in.
func (s *Service) RespondToAuthChallenge(c *awswire.Call, in *api.RespondToAuthChallengeRequest) (*api.RespondToAuthChallengeResponse, error) {
	cl, p, err := s.client(in.ClientId)
	if err != nil {
		return nil, err
	}
	o, err := s.respond(&attempt{c, p, cl, in.ClientMetadata, false}, *in.ChallengeName, value(in.Session), in.ChallengeResponses)
	if err != nil {
		return nil, err
	}
	out := &api.RespondToAuthChallengeResponse{ChallengeName: some(o.Challenge), Session: some(o.Session), ChallengeParameters: o.shown()}
	out.AuthenticationResult, err = s.settle(c, o)
	return out, err
}

// AdminRespondToAuthChallenge answers a challenge for a server.
func (s *Service) AdminRespondToAuthChallenge(c *awswire.Call, in *api.AdminRespondToAuthChallengeRequest) (*api.AdminRespondToAuthChallengeResponse, error) {
	a, err := s.adminAttempt(c, in.UserPoolId, in.ClientId, in.ClientMetadata)
	if err != nil {
		return nil, err
	}
	o, err := s.respond(a, *in.ChallengeName, value(in.Session), in.ChallengeResponses)
	if err != nil {
		return nil, err
	}
	out := &api.AdminRespondToAuthChallengeResponse{ChallengeName: some(o.Challenge), Session: some(o.Session), ChallengeParameters: o.shown()}
	out.AuthenticationResult, err = s.settle(c, o)
	return out, err
}

func (s *Service) respond(a *attempt, challenge, text string, answers map[string]string) (*Step, error) {
	if err := required(answers, "USERNAME"); err != nil {
		return nil, err
	}
	switch challenge {
	case api.ChallengeNameTypePasswordVerifier:
		return s.answerSRP(a, text, answers)
	case api.ChallengeNameTypeNewPasswordRequired:
		return s.answerNewPassword(a, text, answers)
	case api.ChallengeNameTypeCustomChallenge:
		return s.answerCustom(a, text, answers)
	case api.ChallengeNameTypeSoftwareTokenMfa, api.ChallengeNameTypeSmsMfa, api.ChallengeNameTypeEmailOtp:
		return s.answerFactor(a, challenge, text, answers)
	case api.ChallengeNameTypeMfaSetup:
		return s.answerSetup(a, text, answers)
	}
	return nil, invalid("The challenge " + challenge + " isn't supported by this gateway.")
}

// attributePrefix begins the names of attributes among answers.
const attributePrefix = "userAttributes."

// askNewPassword has a user with a temporary password choose another.
func (s *Service) askNewPassword(a *attempt, u *user) (*Step, error) {
	text, err := s.newSession(a, u, api.ChallengeNameTypeNewPasswordRequired, session{})
	if err != nil {
		return nil, err
	}
	return &Step{Challenge: api.ChallengeNameTypeNewPasswordRequired, Session: text, Params: map[string]string{
		"USER_ID_FOR_SRP": u.Username, "requiredAttributes": jsonText(u.lacks()), "userAttributes": jsonText(attributeMap(u.Attributes)),
	}}, nil
}

// lacks are the attributes that the pool requires and the user has none of.
func (u *user) lacks() []string {
	names := []string{}
	for _, a := range u.pool.SchemaAttributes {
		if _, has := u.attribute(*a.Name); value(a.Required) && !has && *a.Name != "sub" {
			names = append(names, attributePrefix+*a.Name)
		}
	}
	return names
}

func (s *Service) answerNewPassword(a *attempt, sessionText string, answers map[string]string) (*Step, error) {
	if err := required(answers, "NEW_PASSWORD"); err != nil {
		return nil, err
	}
	ticket, _, u, err := s.openSession(a, api.ChallengeNameTypeNewPasswordRequired, sessionText)
	if err != nil {
		return nil, err
	}
	if err := checkSecretHash(a.client, optional(answers, "SECRET_HASH"), append(u.names(), answers["USERNAME"])...); err != nil {
		return nil, err
	}
	if u.Status != api.UserStatusTypeForceChangePassword {
		return nil, notAuthorized("Invalid session for the user, session is expired.")
	}
	// A password that isn't good enough may be followed by a better one.
	if err := checkPassword(u.pool, optional(answers, "NEW_PASSWORD")); err != nil {
		return nil, err
	}
	var given []api.AttributeType
	for name, text := range answers {
		if name, ok := strings.CutPrefix(name, attributePrefix); ok {
			given = append(given, api.AttributeType{Name: &name, Value: &text})
		}
	}
	slices.SortFunc(given, func(x, y api.AttributeType) int { return strings.Compare(*x.Name, *y.Name) })
	if err := writable(a.client.Settings, namesOf(given)); err != nil {
		return nil, err
	}
	password, err := s.newPassword(a.c, u.pool, u.Username, answers["NEW_PASSWORD"], u.Password)
	if err != nil {
		return nil, err
	}
	if err := s.use(a, ticket); err != nil {
		return nil, err
	}
	u, err = s.writeUser(a.c, a.c.Time, u, func(_ *store.Tx, u *user) error {
		if u.Status != api.UserStatusTypeForceChangePassword {
			return notAuthorized("Invalid session for the user, session is expired.")
		}
		if _, err := u.update(given); err != nil {
			return err
		}
		if lacks := u.lacks(); len(lacks) > 0 {
			return invalid("Invalid attributes given, " + strings.TrimPrefix(lacks[0], attributePrefix) + " is missing")
		}
		u.Password, u.Status = password, api.UserStatusTypeConfirmed
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.secondFactor(a, u, "TokenGeneration_NewPasswordChallenge")
}

// An srpState is the state of a sign-in by SRP; it travels as the secret block.
type srpState struct {
	Pool, Client string
	// Key and Sub are the user's; Sub is empty for one that isn't there.
	Key, Sub string
	// UserID is the name that the password was hashed with.
	UserID   string
	Exchange userpool.Exchange
	Verifier userpool.Verifier
	Custom   *customState `json:",omitempty"`
}

const forSRP = "cognito-srp"

func (s *Service) beginSRP(a *attempt, params map[string]string) (*Step, error) {
	if err := required(params, "USERNAME", "SRP_A"); err != nil {
		return nil, err
	}
	if err := checkSecretHash(a.client, optional(params, "SECRET_HASH"), params["USERNAME"]); err != nil {
		return nil, err
	}
	u, err := s.readUser(a.c, a.pool, params["USERNAME"])
	if code, _ := awsCode(err); code == "UserNotFoundException" && hides(a.client) {
		return s.offerSRP(a, nil, params, nil)
	}
	if err != nil {
		return nil, err
	}
	if u.Status == api.UserStatusTypeResetRequired {
		return nil, api.NewPasswordResetRequiredException("Password reset required for the user")
	}
	if err := s.preAuthentication(a, u); err != nil {
		return nil, err
	}
	return s.offerSRP(a, u, params, nil)
}

// offerSRP challenges a user to show that it has the password. u is nil for a
// user that isn't there, which is challenged all the same.
func (s *Service) offerSRP(a *attempt, u *user, params map[string]string, custom *customState) (*Step, error) {
	state := srpState{Pool: a.pool.ID, Client: a.client.ID, Custom: custom}
	secret, err := s.decoySecret(a)
	if err != nil {
		return nil, err
	}
	var failed error
	err = s.hasher.Do(a.c, func() {
		if u != nil && len(u.Password.Verifier) > 0 {
			state.Verifier = userpool.Verifier{Salt: u.Password.Salt, Value: u.Password.Verifier}
		} else {
			state.Verifier = s.srp.Decoy(secret, fold(a.pool.Settings, params["USERNAME"]))
		}
		state.Exchange, failed = s.srp.Begin(state.Verifier, params["SRP_A"])
	})
	if err != nil {
		return nil, busy(err)
	}
	if failed != nil {
		return nil, invalid("Invalid SRP_A.") // UNVERIFIED wording
	}
	state.UserID, state.Key = params["USERNAME"], fold(a.pool.Settings, params["USERNAME"])
	if u != nil {
		state.UserID, state.Key, state.Sub = u.Username, u.key, u.Sub
	}
	block, err := s.tickets.Issue(forSRP, state, a.c.Time.Add(sessionLife(a.client)))
	if err != nil {
		return nil, err
	}
	o := &Step{Challenge: api.ChallengeNameTypePasswordVerifier, Params: map[string]string{
		"SALT": userpool.Hex(state.Verifier.Salt), "SRP_B": userpool.Hex(state.Exchange.B), "USERNAME": state.UserID,
		"USER_ID_FOR_SRP": state.UserID, "SECRET_BLOCK": base64.StdEncoding.EncodeToString([]byte(block)),
	}}
	if custom != nil {
		o.Session, err = s.newSession(a, u, api.ChallengeNameTypePasswordVerifier, session{Custom: custom})
	}
	return o, err
}

// decoySecret is what salts of users that aren't there are made with. It is as
// lasting as the pool's keys, and as secret.
func (s *Service) decoySecret(a *attempt) ([]byte, error) {
	p := a.pool
	if len(p.keys.docs) == 0 {
		var err error
		if p, err = s.withKeys(a.c, p); err != nil {
			return nil, err
		}
	}
	return p.keys.docs[idKey].Private, nil
}

// maxSkew is how far the clock of a client that signs in by SRP may be off.
// UNVERIFIED: that Cognito allows this much.
const maxSkew = 15 * time.Minute

// srpTime is how clients write the time that they sign.
const srpTime = "Mon Jan 2 15:04:05 UTC 2006"

func (s *Service) answerSRP(a *attempt, sessionText string, answers map[string]string) (*Step, error) {
	if err := required(answers, "PASSWORD_CLAIM_SECRET_BLOCK", "PASSWORD_CLAIM_SIGNATURE", "TIMESTAMP"); err != nil {
		return nil, err
	}
	block, err := base64.StdEncoding.DecodeString(answers["PASSWORD_CLAIM_SECRET_BLOCK"])
	if err != nil {
		return nil, wrongPassword()
	}
	var state srpState
	ticket, err := s.tickets.Open(forSRP, string(block), a.c.Time, &state)
	if err != nil || state.Pool != a.pool.ID || state.Client != a.client.ID {
		return nil, notAuthorized("Invalid session for the user, session is expired.")
	}
	if state.Custom != nil && sessionText == "" {
		return nil, invalid("Missing required parameter Session")
	}
	if err := checkSecretHash(a.client, optional(answers, "SECRET_HASH"), answers["USERNAME"], state.UserID, state.Sub); err != nil {
		return nil, err
	}
	at, err := time.Parse(srpTime, answers["TIMESTAMP"])
	if err != nil || at.Before(a.c.Time.Add(-maxSkew)) || at.After(a.c.Time.Add(maxSkew)) {
		return nil, invalid("TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.")
	}
	if err := s.use(a, ticket); err != nil {
		return nil, err
	}
	guessed := guessedPassword(a.pool.Settings, state.Key)
	if s.attempts.Locked(guessed, a.c.Time) {
		return nil, tooMany()
	}
	right, err := s.claimed(a, &state, block, answers)
	if err != nil {
		return nil, err
	}
	u, err := s.readUser(a.c, a.pool, state.Sub)
	if code, _ := awsCode(err); state.Sub == "" || code == "UserNotFoundException" || err == nil && u.Sub != state.Sub {
		if s.attempts.Failed(guessed, a.c.Time) {
			return nil, tooMany()
		}
		return nil, wrongPassword()
	}
	if err != nil {
		return nil, err
	}
	// The password may have changed since the challenge was made.
	right = right && string(u.Password.Verifier) == string(state.Verifier.Value)
	if err := s.guessed(a, u, right); err != nil {
		return nil, err
	}
	if state.Custom != nil {
		return s.defineNext(a, u, append(state.Custom.Session, customResult{Name: api.ChallengeNameTypePasswordVerifier, Right: true}))
	}
	return s.advance(a, u)
}

// claimed tells whether a client has signed what it was challenged with by the
// right key.
func (s *Service) claimed(a *attempt, state *srpState, block []byte, answers map[string]string) (right bool, err error) {
	claim, err := base64.StdEncoding.DecodeString(answers["PASSWORD_CLAIM_SIGNATURE"])
	if err != nil {
		return false, nil
	}
	var failed error
	err = s.hasher.Do(a.c, func() {
		var key []byte
		if key, failed = s.srp.Key(state.Verifier, state.Exchange); failed == nil {
			want := userpool.Claim(key, poolSuffix(a.pool.ID), state.UserID, block, answers["TIMESTAMP"])
			right = userpool.Equal(string(want), string(claim))
		}
	})
	if err != nil {
		return false, busy(err)
	}
	return right && failed == nil, nil
}
