package cognitoidp

import (
	"slices"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
	"gatehouse/internal/userpool"
)

// The second factors, as AWS names them among a user's settings.
const (
	softwareToken = "SOFTWARE_TOKEN_MFA"
	smsFactor     = "SMS_MFA"
	emailFactor   = "EMAIL_OTP"
)

// forSignIn is the purpose of a code that is a second factor.
const forSignIn = "sign-in"

// offered tells which second factors a pool has.
func (p *Pool) offered(factor string) bool {
	switch factor {
	case softwareToken:
		return p.mfa.SoftwareToken != nil && value(p.mfa.SoftwareToken.Enabled)
	case smsFactor:
		return p.Settings.SmsConfiguration != nil
	}
	return p.mfa.Email != nil
}

// factor is the second factor that a user is asked for; "" is none. A pool that
// requires one takes what the user has, whether or not the user has it switched on.
func (u *user) factor(p *Pool) string {
	required := value(p.Settings.MfaConfiguration) == api.UserPoolMfaTypeOn
	has := func(factor string) bool {
		if !p.offered(factor) || !required && !slices.Contains(u.Factors.On, factor) {
			return false
		}
		switch factor {
		case softwareToken:
			return u.Factors.Secret != ""
		case smsFactor:
			_, ok := u.attribute("phone_number")
			return ok
		}
		// A mailbox is a factor for those who switched it on.
		return slices.Contains(u.Factors.On, emailFactor)
	}
	for _, factor := range [...]string{u.Factors.Preferred, softwareToken, smsFactor, emailFactor} {
		if factor != "" && has(factor) {
			return factor
		}
	}
	return ""
}

// secondFactor asks a user who has shown its password for a second factor, where
// the pool or the user wants that.
func (s *Service) secondFactor(a *attempt, u *user, source string) (*Step, error) {
	mode := value(a.pool.Settings.MfaConfiguration)
	if mode == api.UserPoolMfaTypeOff {
		return s.finish(a, u, source)
	}
	switch factor := u.factor(a.pool); {
	case factor == softwareToken:
		return s.ask(a, u, softwareToken, session{Source: source}, map[string]string{"USER_ID_FOR_SRP": u.Username})
	case factor != "":
		return s.sendFactor(a, u, factor, source)
	case mode == api.UserPoolMfaTypeOptional:
		return s.finish(a, u, source)
	case a.pool.offered(softwareToken):
		return s.ask(a, u, api.ChallengeNameTypeMfaSetup, session{Source: source}, map[string]string{"MFAS_CAN_SETUP": `["` + softwareToken + `"]`})
	}
	return nil, invalid("The user has no second factor, which the user pool requires.") // UNVERIFIED wording
}

func (s *Service) ask(a *attempt, u *user, challenge string, v session, params map[string]string) (*Step, error) {
	text, err := s.newSession(a, u, challenge, v)
	if err != nil {
		return nil, err
	}
	return &Step{Challenge: challenge, Session: text, Params: params}, nil
}

// sendFactor sends a user a code that is the second factor.
func (s *Service) sendFactor(a *attempt, u *user, factor, source string) (*Step, error) {
	text, err := userpool.NewCode(s.random)
	if err != nil {
		return nil, err
	}
	attribute := "phone_number"
	if factor == emailFactor {
		attribute = "email"
	}
	address, _ := u.attribute(attribute)
	code := Code{UserPoolID: a.pool.ID, Username: u.Username, Attribute: attribute, Destination: address, Purpose: forSignIn, Text: text}
	told := delivered(code)
	o, err := s.ask(a, u, factor, session{Source: source, Code: text}, map[string]string{
		"CODE_DELIVERY_DELIVERY_MEDIUM": *told.DeliveryMedium, "CODE_DELIVERY_DESTINATION": *told.Destination, "USER_ID_FOR_SRP": u.Username,
	})
	if err == nil {
		s.send(code)
	}
	return o, err
}

// answerFactor checks a second factor. A wrong code may be followed by another,
// as long as there aren't too many.
func (s *Service) answerFactor(a *attempt, factor, text string, answers map[string]string) (*Step, error) {
	if err := required(answers, factor+"_CODE"); err != nil {
		return nil, err
	}
	ticket, state, u, err := s.openSession(a, factor, text)
	if err != nil {
		return nil, err
	}
	if err := checkSecretHash(a.client, optional(answers, "SECRET_HASH"), append(u.names(), answers["USERNAME"])...); err != nil {
		return nil, err
	}
	given := answers[factor+"_CODE"]
	guessed := guessedCode(u.pool, u.key, forSignIn)
	if s.attempts.Locked(guessed, a.c.Time) {
		return nil, tooMany()
	}
	wrong := func() (*Step, error) {
		if s.attempts.Failed(guessed, a.c.Time) {
			return nil, tooMany()
		}
		return nil, api.NewCodeMismatchException("Invalid code received for user")
	}
	if factor != softwareToken && !userpool.Equal(given, state.Code) {
		return wrong()
	}
	if factor == softwareToken {
		step, ok := userpool.CheckTOTP(u.Factors.Secret, given, a.c.Time, u.Factors.Used)
		switch {
		case step == 0:
			return wrong()
		case !ok:
			return nil, api.NewExpiredCodeException("Your software token has already been used once.")
		}
		u, err = s.writeUser(a.c, a.c.Time, u, func(_ *store.Tx, u *user) error {
			if u.Factors.Used >= step {
				return api.NewExpiredCodeException("Your software token has already been used once.")
			}
			u.Factors.Used = step
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if s.attempts.Locked(guessed, a.c.Time) {
		return nil, tooMany()
	}
	if err := s.use(a, ticket); err != nil {
		return nil, err
	}
	s.attempts.Passed(guessed)
	return s.finish(a, u, state.Source)
}

// answerSetup goes on once VerifySoftwareToken has seen the user's app.
func (s *Service) answerSetup(a *attempt, text string, answers map[string]string) (*Step, error) {
	ticket, state, u, err := s.openSession(a, api.ChallengeNameTypeMfaSetup, text)
	if err != nil {
		return nil, err
	}
	if err := checkSecretHash(a.client, optional(answers, "SECRET_HASH"), append(u.names(), answers["USERNAME"])...); err != nil {
		return nil, err
	}
	if !state.Proven {
		return nil, invalid("Software token MFA isn't set up yet.") // UNVERIFIED wording
	}
	if err := s.use(a, ticket); err != nil {
		return nil, err
	}
	return s.finish(a, u, state.Source)
}

// settingUp opens the session of somebody who sets a factor up to sign in.
func (s *Service) settingUp(c *awswire.Call, text string) (*attempt, userpool.Ticket, *session, *user, error) {
	var v session
	if _, err := s.tickets.Open(forSession, text, c.Time, &v); err != nil {
		return nil, userpool.Ticket{}, nil, nil, notAuthorized("Invalid session for the user, session is expired.")
	}
	cl, p, err := s.client(&v.Client)
	if err != nil {
		return nil, userpool.Ticket{}, nil, nil, err
	}
	a := &attempt{c: c, pool: p, client: cl}
	ticket, state, u, err := s.openSession(a, api.ChallengeNameTypeMfaSetup, text)
	return a, ticket, state, u, err
}

// AssociateSoftwareToken makes a secret for a user's authenticator app.
func (s *Service) AssociateSoftwareToken(c *awswire.Call, in *api.AssociateSoftwareTokenRequest) (*api.AssociateSoftwareTokenResponse, error) {
	secret, err := userpool.NewTOTPSecret(s.random)
	if err != nil {
		return nil, err
	}
	if in.AccessToken == nil {
		a, ticket, state, u, err := s.settingUp(c, value(in.Session))
		if err != nil {
			return nil, err
		}
		if err := s.use(a, ticket); err != nil {
			return nil, err
		}
		text, err := s.newSession(a, u, api.ChallengeNameTypeMfaSetup, session{Source: state.Source, Secret: secret})
		if err != nil {
			return nil, err
		}
		return &api.AssociateSoftwareTokenResponse{SecretCode: &secret, Session: &text}, nil
	}
	b, err := s.bearer(c, in.AccessToken)
	if err != nil {
		return nil, err
	}
	if !b.Pool.offered(softwareToken) {
		return nil, api.NewSoftwareTokenMFANotFoundException("Software Token MFA has not been enabled by the userPool")
	}
	if _, err := s.writeUser(c, c.Time, b.user, func(_ *store.Tx, u *user) error { u.Factors.Pending = secret; return nil }); err != nil {
		return nil, err
	}
	return &api.AssociateSoftwareTokenResponse{SecretCode: &secret}, nil
}

// VerifySoftwareToken takes a code of the app as proof that it has the secret.
func (s *Service) VerifySoftwareToken(c *awswire.Call, in *api.VerifySoftwareTokenRequest) (*api.VerifySoftwareTokenResponse, error) {
	out := &api.VerifySoftwareTokenResponse{Status: new(api.VerifySoftwareTokenResponseTypeSuccess)}
	if in.AccessToken == nil {
		a, ticket, state, u, err := s.settingUp(c, value(in.Session))
		if err != nil {
			return nil, err
		}
		if err := s.proveApp(c, u, state.Secret, *in.UserCode); err != nil {
			return nil, err
		}
		if err := s.use(a, ticket); err != nil {
			return nil, err
		}
		text, err := s.newSession(a, u, api.ChallengeNameTypeMfaSetup, session{Source: state.Source, Proven: true})
		out.Session = &text
		return out, err
	}
	b, err := s.bearer(c, in.AccessToken)
	if err != nil {
		return nil, err
	}
	return out, s.proveApp(c, b.user, b.user.Factors.Pending, *in.UserCode)
}

// proveApp gives a user the secret of an app that has shown a code of it.
func (s *Service) proveApp(c *awswire.Call, u *user, secret, code string) error {
	guessed := guessedCode(u.pool, u.key, softwareToken)
	if s.attempts.Locked(guessed, c.Time) {
		return tooMany()
	}
	step, ok := userpool.CheckTOTP(secret, code, c.Time, 0)
	if secret == "" || !ok {
		if s.attempts.Failed(guessed, c.Time) {
			return tooMany()
		}
		return api.NewEnableSoftwareTokenMFAException("Code mismatch")
	}
	_, err := s.writeUser(c, c.Time, u, func(_ *store.Tx, u *user) error {
		u.Factors.Secret, u.Factors.Pending, u.Factors.Used = secret, "", step
		return nil
	})
	return err
}

// A preference is what is asked of one factor.
type preference struct {
	factor        string
	on, preferred *bool
}

func preferences(app *api.SoftwareTokenMfaSettingsType, sms *api.SMSMfaSettingsType, email *api.EmailMfaSettingsType) []preference {
	var list []preference
	if app != nil {
		list = append(list, preference{softwareToken, app.Enabled, app.PreferredMfa})
	}
	if sms != nil {
		list = append(list, preference{smsFactor, sms.Enabled, sms.PreferredMfa})
	}
	if email != nil {
		list = append(list, preference{emailFactor, email.Enabled, email.PreferredMfa})
	}
	return list
}

// prefer switches second factors of a user on and off.
func (u *user) prefer(p *Pool, list []preference) error {
	for _, want := range list {
		if !value(want.on) {
			u.Factors.On = slices.DeleteFunc(u.Factors.On, func(f string) bool { return f == want.factor })
			if u.Factors.Preferred == want.factor {
				u.Factors.Preferred = ""
			}
			continue
		}
		_, phone := u.attribute("phone_number")
		verified, _ := u.attribute("email_verified")
		switch {
		case !p.offered(want.factor):
			return invalid(want.factor + " isn't enabled in the user pool.") // UNVERIFIED wording
		case want.factor == softwareToken && u.Factors.Secret == "":
			return invalid("User has not verified software token mfa")
		case want.factor == smsFactor && !phone, want.factor == emailFactor && verified != "true":
			return invalid("User does not have delivery config set to turn on " + want.factor)
		}
		if !slices.Contains(u.Factors.On, want.factor) {
			u.Factors.On = append(u.Factors.On, want.factor)
		}
		if value(want.preferred) {
			u.Factors.Preferred = want.factor
		}
	}
	return nil
}

// preferred are the members of an answer about a user's factors.
func (d *userDoc) preferred() (list []string, first *string) {
	return d.Factors.On, some(d.Factors.Preferred)
}

// SetUserMFAPreference switches a user's own second factors on and off.
func (s *Service) SetUserMFAPreference(c *awswire.Call, in *api.SetUserMFAPreferenceRequest) (*api.SetUserMFAPreferenceResponse, error) {
	b, err := s.bearer(c, in.AccessToken)
	if err != nil {
		return nil, err
	}
	if in.WebAuthnMfaSettings != nil {
		return nil, invalid("WebAuthnMfaSettings isn't supported by this gateway.")
	}
	_, err = s.writeUser(c, c.Time, b.user, func(_ *store.Tx, u *user) error {
		return u.prefer(b.Pool, preferences(in.SoftwareTokenMfaSettings, in.SMSMfaSettings, in.EmailMfaSettings))
	})
	if err != nil {
		return nil, err
	}
	return &api.SetUserMFAPreferenceResponse{}, nil
}

// AdminSetUserMFAPreference switches a user's second factors on and off.
func (s *Service) AdminSetUserMFAPreference(c *awswire.Call, in *api.AdminSetUserMFAPreferenceRequest) (*api.AdminSetUserMFAPreferenceResponse, error) {
	p, err := s.poolOf(c, in.UserPoolId)
	if err != nil {
		return nil, err
	}
	if in.WebAuthnMfaSettings != nil {
		return nil, invalid("WebAuthnMfaSettings isn't supported by this gateway.")
	}
	err = s.changeUser(c, in.UserPoolId, in.Username, func(_ *store.Tx, u *user) error {
		return u.prefer(p, preferences(in.SoftwareTokenMfaSettings, in.SMSMfaSettings, in.EmailMfaSettings))
	})
	if err != nil {
		return nil, err
	}
	return &api.AdminSetUserMFAPreferenceResponse{}, nil
}

// AdminDeleteSoftwareToken takes a user's authenticator app away, for one that
// was lost.
func (s *Service) AdminDeleteSoftwareToken(c *awswire.Call, in *api.AdminDeleteSoftwareTokenRequest) (*api.AdminDeleteSoftwareTokenResponse, error) {
	p, err := s.poolOf(c, in.UserPoolId)
	if err != nil {
		return nil, err
	}
	err = s.changeUser(c, in.UserPoolId, in.Username, func(_ *store.Tx, u *user) error {
		u.Factors.Secret, u.Factors.Pending = "", ""
		return u.prefer(p, []preference{{factor: softwareToken}})
	})
	if err != nil {
		return nil, err
	}
	return &api.AdminDeleteSoftwareTokenResponse{}, nil
}
