package cognitoidp

import (
	"errors"
	"strconv"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// SignUp makes a user who isn't confirmed yet, unless a function says so.
func (s *Service) SignUp(c *awswire.Call, in *api.SignUpRequest) (*api.SignUpResponse, error) {
	cl, p, err := s.client(in.ClientId)
	if err != nil {
		return nil, err
	}
	if err := checkSecretHash(cl, in.SecretHash, *in.Username); err != nil {
		return nil, err
	}
	if value(p.Settings.AdminCreateUserConfig.AllowAdminCreateUserOnly) {
		return nil, notAuthorized("SignUp is not permitted for this user pool")
	}
	if err := writable(cl.Settings, namesOf(in.UserAttributes)); err != nil {
		return nil, err
	}
	// A sign-up without a password is one for factors that aren't here.
	if err := checkPassword(p.Settings, in.Password); err != nil {
		return nil, err
	}
	u, err := s.newUser(c, p.Scope, p.Settings, *in.Username, in.UserAttributes)
	if err != nil {
		return nil, err
	}
	says, err := s.preSignUp(c, p, cl, "PreSignUp_SignUp", u, in.ValidationData, in.ClientMetadata)
	if err != nil {
		return nil, err
	}
	if u.Password, err = s.newPassword(c, p.Settings, u.Username, *in.Password, passwordDoc{}); err != nil {
		return nil, err
	}
	sent, err := s.welcome(c, u, says)
	if err != nil {
		return nil, err
	}
	err = s.store.Update(c, func(tx *store.Tx) error {
		there, err := pools.Exists(tx, p.Scope, p.ID)
		if err != nil || !there {
			return errors.Join(err, noPool(&p.ID))
		}
		return u.create(tx, false, api.NewUsernameExistsException("User already exists"))
	})
	if err != nil {
		return nil, err
	}
	s.send(sent)
	if says.Confirm {
		if err := s.postConfirmation(c, p, cl, "PostConfirmation_ConfirmSignUp", u, in.ClientMetadata); err != nil {
			return nil, err
		}
	}
	return &api.SignUpResponse{UserConfirmed: &says.Confirm, UserSub: &u.Sub, CodeDeliveryDetails: delivered(sent)}, nil
}

// welcome gives a new user the status that a function wants, or a code to be
// confirmed with.
func (s *Service) welcome(c *awswire.Call, u *user, says signUpResponse) (Code, error) {
	for _, address := range [...]struct {
		attribute string
		verified  bool
	}{{"email", says.VerifyEmail}, {"phone_number", says.VerifyPhone}} {
		_, has := u.attribute(address.attribute)
		if address.verified && !has {
			return Code{}, api.NewInvalidLambdaResponseException("PreSignUp can't verify the " + address.attribute + " of a user that has none.") // UNVERIFIED wording
		}
		if has {
			u.set(address.attribute+"_verified", strconv.FormatBool(address.verified))
		}
	}
	if says.Confirm {
		u.Status = api.UserStatusTypeConfirmed
		return Code{}, nil
	}
	u.Status = api.UserStatusTypeUnconfirmed
	attribute, address, ok := toVerify(u)
	if !ok {
		return Code{}, nil
	}
	return s.newCode(c, u, forSignUp, attribute, address, signUpLife, false)
}

// memberOf finds the user whom a client speaks of by name. hidden is the answer
// if there is none and the client mustn't know.
func (s *Service) memberOf(c *awswire.Call, clientID, username, secretHash *string, hidden error) (*Client, *Pool, *user, error) {
	cl, p, err := s.client(clientID)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := checkSecretHash(cl, secretHash, *username); err != nil {
		return nil, nil, nil, err
	}
	u, err := s.readUser(c, p, *username)
	if code, _ := awsCode(err); code == "UserNotFoundException" && hides(cl) {
		return cl, p, nil, hidden
	}
	return cl, p, u, err
}

// ConfirmSignUp confirms a user by the code that was sent.
func (s *Service) ConfirmSignUp(c *awswire.Call, in *api.ConfirmSignUpRequest) (*api.ConfirmSignUpResponse, error) {
	cl, p, u, err := s.memberOf(c, in.ClientId, in.Username, in.SecretHash, expiredCode())
	if err != nil {
		return nil, err
	}
	if u.Status != api.UserStatusTypeUnconfirmed {
		return nil, notAuthorized("User cannot be confirmed. Current status is " + u.Status)
	}
	err = s.store.Update(c, func(tx *store.Tx) error {
		d, err := users.Get(tx, p.Scope, p.ID, u.key)
		if errors.Is(err, store.ErrNotFound) {
			return noUser()
		}
		if err != nil {
			return err
		}
		u = newUser(p.Scope, p.Settings, u.key, d)
		code, err := s.takeCode(c, u, forSignUp, *in.ConfirmationCode)
		if err != nil {
			return err
		}
		u.Status, u.Modified = api.UserStatusTypeConfirmed, *now(c)
		u.set(code.Attribute+"_verified", "true")
		return u.put(tx, value(in.ForceAliasCreation))
	})
	if err != nil {
		return nil, err
	}
	if err := s.postConfirmation(c, p, cl, "PostConfirmation_ConfirmSignUp", u, in.ClientMetadata); err != nil {
		return nil, err
	}
	return &api.ConfirmSignUpResponse{}, nil
}

// pretended is what is told of a code for a user that isn't there.
func pretended(p *Pool, username string) *api.CodeDeliveryDetailsType {
	if !isEmail(username) {
		username += "@" + p.ID
	}
	return delivered(Code{Attribute: "email", Destination: username})
}

var errHidden = errors.New("cognitoidp: the user isn't there, and nobody is to know")

// ResendConfirmationCode sends a new user another code; the one before is void.
func (s *Service) ResendConfirmationCode(c *awswire.Call, in *api.ResendConfirmationCodeRequest) (*api.ResendConfirmationCodeResponse, error) {
	_, p, u, err := s.memberOf(c, in.ClientId, in.Username, in.SecretHash, errHidden)
	if errors.Is(err, errHidden) {
		return &api.ResendConfirmationCodeResponse{CodeDeliveryDetails: pretended(p, *in.Username)}, nil
	}
	if err != nil {
		return nil, err
	}
	var sent Code
	_, err = s.writeUser(c, c.Time, u, func(_ *store.Tx, u *user) (err error) {
		if u.Status != api.UserStatusTypeUnconfirmed {
			return invalid("User is already confirmed.")
		}
		attribute, address, ok := toVerify(u)
		if !ok {
			return invalid("Cannot resend codes. Auto verification not turned on.")
		}
		sent, err = s.newCode(c, u, forSignUp, attribute, address, signUpLife, false)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.send(sent)
	return &api.ResendConfirmationCodeResponse{CodeDeliveryDetails: delivered(sent)}, nil
}

// ForgotPassword sends a user a code to choose a new password with.
func (s *Service) ForgotPassword(c *awswire.Call, in *api.ForgotPasswordRequest) (*api.ForgotPasswordResponse, error) {
	cl, p, u, err := s.memberOf(c, in.ClientId, in.Username, in.SecretHash, errHidden)
	if errors.Is(err, errHidden) || err == nil && u.Disabled && hides(cl) {
		return &api.ForgotPasswordResponse{CodeDeliveryDetails: pretended(p, *in.Username)}, nil
	}
	if err != nil {
		return nil, err
	}
	var sent Code
	_, err = s.writeUser(c, c.Time, u, func(_ *store.Tx, u *user) (err error) {
		switch {
		case u.Disabled:
			return notAuthorized("User is disabled.")
		case u.Status == api.UserStatusTypeForceChangePassword:
			return notAuthorized("User password cannot be reset in the current state.")
		}
		sent, err = s.recoveryCode(c, u)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.send(sent)
	return &api.ForgotPasswordResponse{CodeDeliveryDetails: delivered(sent)}, nil
}

// ConfirmForgotPassword gives a user a new password by the code that was sent.
func (s *Service) ConfirmForgotPassword(c *awswire.Call, in *api.ConfirmForgotPasswordRequest) (*api.ConfirmForgotPasswordResponse, error) {
	cl, p, u, err := s.memberOf(c, in.ClientId, in.Username, in.SecretHash, wrongCode())
	if err != nil {
		return nil, err
	}
	if u.Disabled {
		if hides(cl) {
			return nil, wrongCode()
		}
		return nil, notAuthorized("User is disabled.")
	}
	if err := checkPassword(p.Settings, in.Password); err != nil {
		return nil, err
	}
	// The code comes first, so that whoever has none can't have passwords hashed.
	if _, err := s.takeCode(c, u, forPassword, *in.ConfirmationCode); err != nil {
		return nil, err
	}
	password, err := s.newPassword(c, p.Settings, u.Username, *in.Password, u.Password)
	if err != nil {
		return nil, err
	}
	u, err = s.writeUser(c, c.Time, u, func(_ *store.Tx, u *user) error {
		code, err := s.takeCode(c, u, forPassword, *in.ConfirmationCode)
		if err != nil {
			return err
		}
		u.Password = password
		u.set(code.Attribute+"_verified", "true")
		if u.Status == api.UserStatusTypeResetRequired {
			u.Status = api.UserStatusTypeConfirmed
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.attempts.Passed(guessedPassword(u.pool, u.key))
	if err := s.postConfirmation(c, p, cl, "PostConfirmation_ConfirmForgotPassword", u, in.ClientMetadata); err != nil {
		return nil, err
	}
	return &api.ConfirmForgotPasswordResponse{}, nil
}
