package cognitoidp

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
	"gatehouse/internal/userpool"
)

// A Bearer is who shows an access token, and what the token says.
type Bearer struct {
	Pool   *Pool
	Client *Client
	Scopes []string

	user *user
}

// Attributes are those that the client may read; the first is sub.
func (b *Bearer) Attributes() []api.AttributeType {
	return readable(b.Client.Settings, b.user.all())
}

// Username is the user's.
func (b *Bearer) Username() string { return b.user.Username }

// Bearer checks an access token: who made it, that it hasn't ended, and that the
// user is still there.
func (s *Service) Bearer(c *awswire.Call, token string) (*Bearer, error) {
	bad := notAuthorized("Invalid Access Token")
	issuer, ok := userpool.Issuer(token)
	if !ok {
		return nil, bad
	}
	p, ok := s.directory.issued(issuer)
	if !ok {
		return nil, bad
	}
	body, err := userpool.Verify(token, p.keys.public)
	if err != nil {
		return nil, bad
	}
	var said struct {
		Use      string `json:"token_use"`
		Client   string `json:"client_id"`
		Sub      string `json:"sub"`
		Username string `json:"username"`
		Scope    string `json:"scope"`
		Expires  int64  `json:"exp"`
		AuthTime int64  `json:"auth_time"`
		Origin   string `json:"origin_jti"`
	}
	if json.Unmarshal(body, &said) != nil || said.Use != "access" || said.Username == "" {
		return nil, bad
	}
	if c.Time.Unix() >= said.Expires {
		return nil, notAuthorized("Access Token has expired")
	}
	cl, own, ok := s.directory.Client(said.Client)
	if !ok || own.ID != p.ID {
		return nil, bad
	}
	u, err := s.readUser(c, p, said.Username)
	if err == nil && u.Sub != said.Sub {
		err = noUser()
	}
	if err != nil {
		return nil, err
	}
	if u.Disabled {
		return nil, notAuthorized("User is disabled.")
	}
	ended, err := s.ended(c, u, said.Origin, "", time.Unix(said.AuthTime, 0))
	if err != nil {
		return nil, err
	}
	if ended {
		return nil, notAuthorized("Access Token has been revoked")
	}
	return &Bearer{Pool: p, Client: cl, Scopes: strings.Fields(said.Scope), user: u}, nil
}

// bearer is the user who shows an access token that may change it.
func (s *Service) bearer(c *awswire.Call, token *string) (*Bearer, error) {
	b, err := s.Bearer(c, value(token))
	if err != nil {
		return nil, err
	}
	if !slices.Contains(b.Scopes, userScope) {
		return nil, notAuthorized("Access Token does not have required scopes")
	}
	return b, nil
}

// GetUser tells users about themselves.
func (s *Service) GetUser(c *awswire.Call, in *api.GetUserRequest) (*api.GetUserResponse, error) {
	b, err := s.bearer(c, in.AccessToken)
	if err != nil {
		return nil, err
	}
	out := &api.GetUserResponse{Username: &b.user.Username, UserAttributes: b.Attributes()}
	out.UserMFASettingList, out.PreferredMfaSetting = b.user.preferred()
	return out, nil
}

// UpdateUserAttributes changes a user's own attributes.
func (s *Service) UpdateUserAttributes(c *awswire.Call, in *api.UpdateUserAttributesRequest) (*api.UpdateUserAttributesResponse, error) {
	b, err := s.bearer(c, in.AccessToken)
	if err != nil {
		return nil, err
	}
	if err := writable(b.Client.Settings, namesOf(in.UserAttributes)); err != nil {
		return nil, err
	}
	var sent []Code
	_, err = s.writeUser(c, c.Time, b.user, func(_ *store.Tx, u *user) error {
		later, err := u.update(in.UserAttributes)
		if err != nil {
			return err
		}
		if sent, err = s.verifyLater(c, u, later); err != nil {
			return err
		}
		// Changed addresses that the pool verifies get a code, too.
		for _, name := range namesOf(in.UserAttributes) {
			address, has := u.attribute(name)
			verified, _ := u.attribute(name + "_verified")
			if _, waits := later[name]; waits || !has || verified == "true" || !slices.Contains(u.pool.AutoVerifiedAttributes, name) {
				continue
			}
			code, err := s.newCode(c, u, forAttribute, name, address, attributeLife, false)
			if err != nil {
				return err
			}
			sent = append(sent, code)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.send(sent...)
	out := &api.UpdateUserAttributesResponse{CodeDeliveryDetailsList: []api.CodeDeliveryDetailsType{}}
	for _, code := range sent {
		out.CodeDeliveryDetailsList = append(out.CodeDeliveryDetailsList, *delivered(code))
	}
	return out, nil
}

// DeleteUserAttributes takes some of a user's own attributes away.
func (s *Service) DeleteUserAttributes(c *awswire.Call, in *api.DeleteUserAttributesRequest) (*api.DeleteUserAttributesResponse, error) {
	b, err := s.bearer(c, in.AccessToken)
	if err != nil {
		return nil, err
	}
	if err := writable(b.Client.Settings, in.UserAttributeNames); err != nil {
		return nil, err
	}
	_, err = s.writeUser(c, c.Time, b.user, func(_ *store.Tx, u *user) error { return u.takeAll(in.UserAttributeNames) })
	if err != nil {
		return nil, err
	}
	return &api.DeleteUserAttributesResponse{}, nil
}

// GetUserAttributeVerificationCode sends a code that proves one of the user's own
// addresses.
func (s *Service) GetUserAttributeVerificationCode(c *awswire.Call, in *api.GetUserAttributeVerificationCodeRequest) (*api.GetUserAttributeVerificationCodeResponse, error) {
	b, err := s.bearer(c, in.AccessToken)
	if err != nil {
		return nil, err
	}
	var sent Code
	_, err = s.writeUser(c, c.Time, b.user, func(_ *store.Tx, u *user) (err error) {
		name := *in.AttributeName
		address, has := u.attribute(name)
		if !verifiable(name) || !has {
			return invalid("Can't verify the attribute " + name + ".") // UNVERIFIED wording
		}
		sent, err = s.newCode(c, u, forAttribute, name, address, attributeLife, false)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.send(sent)
	return &api.GetUserAttributeVerificationCodeResponse{CodeDeliveryDetails: delivered(sent)}, nil
}

// VerifyUserAttribute proves one of the user's own addresses by a code.
func (s *Service) VerifyUserAttribute(c *awswire.Call, in *api.VerifyUserAttributeRequest) (*api.VerifyUserAttributeResponse, error) {
	b, err := s.bearer(c, in.AccessToken)
	if err != nil {
		return nil, err
	}
	_, err = s.writeUser(c, c.Time, b.user, func(_ *store.Tx, u *user) error {
		code, err := s.takeCode(c, u, forAttribute+":"+*in.AttributeName, *in.Code)
		if err != nil {
			return err
		}
		u.set(code.Attribute, code.Address)
		u.set(code.Attribute+"_verified", "true")
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.VerifyUserAttributeResponse{}, nil
}

// ChangePassword gives a user a new password in place of the one it shows.
func (s *Service) ChangePassword(c *awswire.Call, in *api.ChangePasswordRequest) (*api.ChangePasswordResponse, error) {
	b, err := s.bearer(c, in.AccessToken)
	if err != nil {
		return nil, err
	}
	u := b.user
	if err := checkPassword(u.pool, in.ProposedPassword); err != nil {
		return nil, err
	}
	guessed := guessedPassword(u.pool, u.key)
	if s.attempts.Locked(guessed, c.Time) {
		return nil, limitExceeded("Attempt limit exceeded, please try after some time.")
	}
	right, err := s.hasher.Check(c, u.Password.Hash, value(in.PreviousPassword))
	if err != nil {
		return nil, busy(err)
	}
	if err := s.guessed(&attempt{c: c, pool: b.Pool, client: b.Client}, u, right); err != nil {
		return nil, err
	}
	password, err := s.newPassword(c, u.pool, u.Username, *in.ProposedPassword, u.Password)
	if err != nil {
		return nil, err
	}
	_, err = s.writeUser(c, c.Time, u, func(_ *store.Tx, now *user) error {
		if now.Password.Hash != u.Password.Hash {
			return wrongPassword()
		}
		now.Password = password
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.ChangePasswordResponse{}, nil
}

// GlobalSignOut ends all of a user's own sign-ins.
func (s *Service) GlobalSignOut(c *awswire.Call, in *api.GlobalSignOutRequest) (*api.GlobalSignOutResponse, error) {
	b, err := s.bearer(c, in.AccessToken)
	if err != nil {
		return nil, err
	}
	if _, err := s.writeUser(c, c.Time, b.user, func(_ *store.Tx, u *user) error { u.SignedOut = c.Time.UTC(); return nil }); err != nil {
		return nil, err
	}
	return &api.GlobalSignOutResponse{}, nil
}

// DeleteUser deletes the user who shows the token.
func (s *Service) DeleteUser(c *awswire.Call, in *api.DeleteUserRequest) error {
	b, err := s.bearer(c, in.AccessToken)
	if err != nil {
		return err
	}
	return s.store.Update(c, func(tx *store.Tx) error {
		u, err := findUser(tx, b.Pool.Scope, b.Pool.Settings, b.user.Sub)
		if err != nil {
			return err
		}
		return u.remove(tx)
	})
}
