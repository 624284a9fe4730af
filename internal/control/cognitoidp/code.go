package cognitoidp

import (
	"slices"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/userpool"
)

// What codes are for, and how long they are good.
const (
	forSignUp    = "sign-up"
	forPassword  = "password"
	forAttribute = "attribute" // with the attribute's name behind it

	signUpLife    = 24 * time.Hour
	passwordLife  = time.Hour
	attributeLife = 24 * time.Hour
)

// newCode gives the user a code that proves an address.
func (s *Service) newCode(c *awswire.Call, u *user, purpose, attribute, address string, life time.Duration, pending bool) (Code, error) {
	text, err := userpool.NewCode(s.random)
	if err != nil {
		return Code{}, err
	}
	if u.Codes == nil {
		u.Codes = map[string]codeDoc{}
	}
	key := purpose
	if purpose == forAttribute {
		key += ":" + attribute
	}
	u.Codes[key] = codeDoc{Text: text, Expires: c.Time.UTC().Add(life), Attribute: attribute, Address: address, Pending: pending}
	return Code{UserPoolID: *u.pool.Id, Username: u.Username, Attribute: attribute, Destination: address, Purpose: purpose, Text: text}, nil
}

// send hands over codes once the transaction that stored them is through.
func (s *Service) send(codes ...Code) {
	for _, code := range codes {
		if code.Text != "" {
			s.codes(code)
		}
	}
}

// delivered is what a client is told of a code.
func delivered(code Code) *api.CodeDeliveryDetailsType {
	if code.Attribute == "" {
		return nil
	}
	medium := api.DeliveryMediumTypeEmail
	if code.Attribute == "phone_number" {
		medium = api.DeliveryMediumTypeSms
	}
	return &api.CodeDeliveryDetailsType{
		AttributeName: &code.Attribute, DeliveryMedium: &medium, Destination: new(masked(code.Attribute, code.Destination)),
	}
}

// toVerify is the address that a new user has to verify; a telephone comes
// before an email.
func toVerify(u *user) (attribute, address string, ok bool) {
	for _, attribute := range [...]string{"phone_number", "email"} {
		address, has := u.attribute(attribute)
		if has && slices.Contains(u.pool.AutoVerifiedAttributes, attribute) {
			return attribute, address, true
		}
	}
	return "", "", false
}

// recoveryCode gives a user a code to choose a new password with, to the first
// verified address that the pool allows.
func (s *Service) recoveryCode(c *awswire.Call, u *user) (Code, error) {
	options := slices.Clone(u.pool.AccountRecoverySetting.RecoveryMechanisms)
	slices.SortFunc(options, func(a, b api.RecoveryOptionType) int { return int(value(a.Priority)) - int(value(b.Priority)) })
	for _, o := range options {
		attribute := map[string]string{
			api.RecoveryOptionNameTypeVerifiedEmail: "email", api.RecoveryOptionNameTypeVerifiedPhoneNumber: "phone_number",
		}[value(o.Name)]
		address, has := u.attribute(attribute)
		if verified, _ := u.attribute(attribute + "_verified"); has && verified == "true" {
			return s.newCode(c, u, forPassword, attribute, address, passwordLife, false)
		}
	}
	return Code{}, invalid("Cannot reset password for the user as there is no registered/verified email or phone_number")
}

// verifyLater gives the user codes for addresses that change once they are
// verified.
func (s *Service) verifyLater(c *awswire.Call, u *user, later map[string]string) ([]Code, error) {
	var codes []Code
	for _, attribute := range [...]string{"email", "phone_number"} {
		text, ok := later[attribute]
		if !ok {
			continue
		}
		code, err := s.newCode(c, u, forAttribute, attribute, text, attributeLife, true)
		if err != nil {
			return nil, err
		}
		codes = append(codes, code)
	}
	return codes, nil
}

// errors of codes
func wrongCode() error {
	return api.NewCodeMismatchException("Invalid verification code provided, please try again.")
}

func expiredCode() error {
	return api.NewExpiredCodeException("Invalid code provided, please request a code again.")
}

// takeCode checks a code of the user's. Wrong ones count: a code has six digits.
// What it answers is stored by whoever calls, so counting is done beside the
// transaction.
func (s *Service) takeCode(c *awswire.Call, u *user, key, text string) (codeDoc, error) {
	code, ok := u.Codes[key]
	if !ok || !c.Time.Before(code.Expires) {
		return codeDoc{}, expiredCode()
	}
	name := guessedCode(u.pool, u.key, key)
	locked := limitExceeded("Attempt limit exceeded, please try after some time.")
	if s.attempts.Locked(name, c.Time) {
		return codeDoc{}, locked
	}
	if !userpool.Equal(code.Text, text) {
		if s.attempts.Failed(name, c.Time) {
			return codeDoc{}, locked
		}
		return codeDoc{}, wrongCode()
	}
	// The address that it was sent to may be the user's no more.
	if address, _ := u.attribute(code.Attribute); !code.Pending && address != code.Address {
		return codeDoc{}, expiredCode()
	}
	s.attempts.Passed(name)
	delete(u.Codes, key)
	return code, nil
}

// guessedCode names the guesses at a code, guessedPassword those at a password.
func guessedCode(p *api.UserPoolType, userKey, code string) string {
	return *p.Id + "\x00" + userKey + "\x00" + code
}
func guessedPassword(p *api.UserPoolType, userKey string) string { return *p.Id + "\x00" + userKey }
