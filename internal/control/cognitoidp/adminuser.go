package cognitoidp

import (
	"errors"
	"slices"
	"strings"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/apiid"
	"gatehouse/internal/store"
	"gatehouse/internal/userpool"
)

// newUser makes a user of a pool that isn't stored yet. Where an address stands
// in for names, the user's own name is its sub.
func (s *Service) newUser(c *awswire.Call, scope store.Scope, p *api.UserPoolType, username string, given []api.AttributeType) (*user, error) {
	sub, err := userpool.NewID(s.random)
	if err != nil {
		return nil, err
	}
	u := &user{scope: scope, pool: p, userDoc: &userDoc{Username: username, Sub: sub, Created: *now(c), Modified: *now(c)}}
	given = slices.Clone(given)
	if len(p.UsernameAttributes) > 0 {
		attribute, err := named(p, username)
		if err != nil {
			return nil, err
		}
		u.Username = sub
		if !slices.Contains(namesOf(given), attribute) {
			given = append(given, api.AttributeType{Name: &attribute, Value: &username})
		}
	} else if err := notAlias(p, username); err != nil {
		return nil, err
	}
	u.key = fold(p, u.Username)
	if err := newAttributes(p, given); err != nil {
		return nil, err
	}
	u.add(given)
	return u, nil
}

// named tells which attribute a name is, in a pool where it must be one.
func named(p *api.UserPoolType, username string) (string, error) {
	email, phone := signsInBy(p, "email"), signsInBy(p, "phone_number")
	switch {
	case email && isEmail(username):
		return "email", nil
	case phone && isPhone(username):
		return "phone_number", nil
	case email && phone:
		return "", invalid("Username should be either an email or a phone number.")
	case email:
		return "", invalid("Username should be an email.")
	}
	return "", invalid("Username should be a phone number.")
}

// notAlias refuses a name that looks like an alias of somebody else.
func notAlias(p *api.UserPoolType, username string) error {
	if slices.Contains(p.AliasAttributes, "email") && isEmail(username) {
		return invalid("Username cannot be of email format, since user pool is configured for email alias.")
	}
	if slices.Contains(p.AliasAttributes, "phone_number") && isPhone(username) {
		return invalid("Username cannot be of phone number format, since user pool is configured for phone number alias.")
	}
	return nil
}

// create stores a new user. exists is the answer if the name is taken.
func (u *user) create(tx *store.Tx, force bool, exists error) error {
	taken, err := users.Exists(tx, u.scope, *u.pool.Id, u.key)
	if err != nil {
		return err
	}
	// Nobody is named as another is found by.
	same, err := aliases.Exists(tx, u.scope, *u.pool.Id, "sub", u.key)
	if err != nil {
		return err
	}
	if taken || same {
		return exists
	}
	if err := u.put(tx, force); err != nil {
		var e *awswire.Error
		// An address that stands in for names is a name, not an alias.
		if errors.As(err, &e) && e.Code == "AliasExistsException" && len(u.pool.UsernameAttributes) > 0 {
			return api.NewUsernameExistsException(e.Message)
		}
		return err
	}
	return count(tx, u.scope, *u.pool.Id, 1)
}

// AdminCreateUser makes a user with a temporary password. What would be mailed to
// the user, the password, isn't told to anybody: give one in the call.
func (s *Service) AdminCreateUser(c *awswire.Call, in *api.AdminCreateUserRequest) (*api.AdminCreateUserResponse, error) {
	p, err := s.poolOf(c, in.UserPoolId)
	if err != nil {
		return nil, err
	}
	password := in.TemporaryPassword
	if password == nil {
		text, err := s.anyPassword(p.Settings)
		if err != nil {
			return nil, err
		}
		password = &text
	}
	if err := checkPassword(p.Settings, password); err != nil {
		return nil, err
	}
	if value(in.MessageAction) == api.MessageActionTypeResend {
		return s.inviteAgain(c, p, in, *password)
	}
	u, err := s.newUser(c, p.Scope, p.Settings, *in.Username, in.UserAttributes)
	if err != nil {
		return nil, err
	}
	if _, err := s.preSignUp(c, p, nil, "PreSignUp_AdminCreateUser", u, in.ValidationData, in.ClientMetadata); err != nil {
		return nil, err
	}
	if u.Password, err = s.newPassword(c, p.Settings, u.Username, *password, passwordDoc{}); err != nil {
		return nil, err
	}
	u.Status, u.Password.Expires = api.UserStatusTypeForceChangePassword, temporaryUntil(p.Settings, c.Time)
	err = s.inPool(c, in.UserPoolId, func(tx *store.Tx, _ *poolDoc) error {
		return u.create(tx, value(in.ForceAliasCreation), api.NewUsernameExistsException("User account already exists"))
	})
	if err != nil {
		return nil, err
	}
	return &api.AdminCreateUserResponse{User: new(u.shown())}, nil
}

// inviteAgain gives a user that never signed in a new temporary password.
func (s *Service) inviteAgain(c *awswire.Call, p *Pool, in *api.AdminCreateUserRequest, password string) (*api.AdminCreateUserResponse, error) {
	u, err := s.readUser(c, p, *in.Username)
	if err != nil {
		return nil, err
	}
	if u.Status != api.UserStatusTypeForceChangePassword {
		return nil, api.NewUnsupportedUserStateException("Resend not possible. " + u.Status + " status") // UNVERIFIED wording
	}
	kept, err := s.newPassword(c, p.Settings, u.Username, password, passwordDoc{})
	if err != nil {
		return nil, err
	}
	if u, err = s.writeUser(c, c.Time, u, func(_ *store.Tx, u *user) error {
		kept.Expires = temporaryUntil(u.pool, c.Time)
		u.Password = kept
		return nil
	}); err != nil {
		return nil, err
	}
	return &api.AdminCreateUserResponse{User: new(u.shown())}, nil
}

// anyPassword makes a password that the pool's policy allows.
func (s *Service) anyPassword(p *api.UserPoolType) (string, error) {
	text, err := apiid.Text(s.random, poolAlphabet, max(12, int(*p.Policies.PasswordPolicy.MinimumLength)))
	return "aA1!" + text[:len(text)-4], err
}

// poolOf is a pool of the caller's as the directory has it.
func (s *Service) poolOf(c *awswire.Call, id *string) (*Pool, error) {
	p, ok := s.directory.Pool(value(id))
	if !ok || p.Scope != scopeOf(c) {
		return nil, noPool(id)
	}
	return p, nil
}

// AdminGetUser tells about a user.
func (s *Service) AdminGetUser(c *awswire.Call, in *api.AdminGetUserRequest) (*api.AdminGetUserResponse, error) {
	out := &api.AdminGetUserResponse{}
	err := s.viewUser(c, in.UserPoolId, in.Username, func(_ *store.Tx, u *user) error {
		shown := u.shown()
		out.Username, out.UserAttributes, out.Enabled, out.UserStatus = shown.Username, shown.Attributes, shown.Enabled, shown.UserStatus
		out.UserCreateDate, out.UserLastModifiedDate = shown.UserCreateDate, shown.UserLastModifiedDate
		out.UserMFASettingList, out.PreferredMfaSetting = u.preferred()
		return nil
	})
	return out, err
}

// AdminDeleteUser deletes a user.
func (s *Service) AdminDeleteUser(c *awswire.Call, in *api.AdminDeleteUserRequest) error {
	return s.inPool(c, in.UserPoolId, func(tx *store.Tx, p *poolDoc) error {
		u, err := findUser(tx, scopeOf(c), &p.Pool, *in.Username)
		if err != nil {
			return err
		}
		return u.remove(tx)
	})
}

// AdminEnableUser lets a user sign in again.
func (s *Service) AdminEnableUser(c *awswire.Call, in *api.AdminEnableUserRequest) (*api.AdminEnableUserResponse, error) {
	if err := s.changeUser(c, in.UserPoolId, in.Username, func(_ *store.Tx, u *user) error { u.Disabled = false; return nil }); err != nil {
		return nil, err
	}
	return &api.AdminEnableUserResponse{}, nil
}

// AdminDisableUser ends a user's sign-ins and allows no new ones.
func (s *Service) AdminDisableUser(c *awswire.Call, in *api.AdminDisableUserRequest) (*api.AdminDisableUserResponse, error) {
	err := s.changeUser(c, in.UserPoolId, in.Username, func(_ *store.Tx, u *user) error {
		u.Disabled, u.SignedOut = true, c.Time.UTC()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.AdminDisableUserResponse{}, nil
}

// AdminUserGlobalSignOut ends a user's sign-ins.
func (s *Service) AdminUserGlobalSignOut(c *awswire.Call, in *api.AdminUserGlobalSignOutRequest) (*api.AdminUserGlobalSignOutResponse, error) {
	if err := s.changeUser(c, in.UserPoolId, in.Username, func(_ *store.Tx, u *user) error { u.SignedOut = c.Time.UTC(); return nil }); err != nil {
		return nil, err
	}
	return &api.AdminUserGlobalSignOutResponse{}, nil
}

// AdminConfirmSignUp confirms a user that signed up, without a code.
func (s *Service) AdminConfirmSignUp(c *awswire.Call, in *api.AdminConfirmSignUpRequest) (*api.AdminConfirmSignUpResponse, error) {
	p, err := s.poolOf(c, in.UserPoolId)
	if err != nil {
		return nil, err
	}
	u, err := s.readUser(c, p, *in.Username)
	if err != nil {
		return nil, err
	}
	u, err = s.writeUser(c, c.Time, u, func(_ *store.Tx, u *user) error {
		if u.Status != api.UserStatusTypeUnconfirmed {
			return notAuthorized("User cannot be confirmed. Current status is " + u.Status)
		}
		u.Status = api.UserStatusTypeConfirmed
		delete(u.Codes, forSignUp)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := s.postConfirmation(c, p, nil, "PostConfirmation_ConfirmSignUp", u, in.ClientMetadata); err != nil {
		return nil, err
	}
	return &api.AdminConfirmSignUpResponse{}, nil
}

// ListUsers lists the users of a pool that a filter lets through.
func (s *Service) ListUsers(c *awswire.Call, in *api.ListUsersRequest) (*api.ListUsersResponse, error) {
	out := &api.ListUsersResponse{Users: []api.UserType{}}
	f, err := parseFilter(value(in.Filter))
	if err != nil {
		return nil, err
	}
	err = s.viewPool(c, in.UserPoolId, func(tx *store.Tx, p *poolDoc) error {
		for _, name := range in.AttributesToGet {
			if attributeOf(p.Pool.SchemaAttributes, name) == nil {
				return invalid("One or more requested attributes do not exist in user pool.")
			}
		}
		limit := pageSize(in.Limit, maxPage)
		token := value(in.PaginationToken)
		for {
			page, next, err := users.ListToken(tx, scopeOf(c), token, limit-len(out.Users), *in.UserPoolId)
			if err != nil {
				return badToken(err)
			}
			for _, e := range page {
				if f.matches(e.Doc) {
					out.Users = append(out.Users, only(e.Doc.shown(), in.AttributesToGet))
				}
			}
			token = next
			if token == "" || len(out.Users) == limit {
				break
			}
		}
		out.PaginationToken = some(token)
		return nil
	})
	return out, err
}

// only keeps the attributes asked for.
func only(u api.UserType, names []string) api.UserType {
	if len(names) > 0 {
		u.Attributes = slices.DeleteFunc(u.Attributes, func(a api.AttributeType) bool { return !slices.Contains(names, *a.Name) })
	}
	return u
}

// A filter is what ListUsers is asked for: an attribute that is a text, or begins
// with it.
type filter struct {
	name, text string
	prefix     bool
}

// searchable are the attributes that a filter may name.
var searchable = []string{
	"username", "email", "phone_number", "name", "given_name", "family_name", "preferred_username", "cognito:user_status", "status", "sub",
}

// parseFilter reads name = "text" or name ^= "text"; an empty one lets all
// through.
func parseFilter(text string) (filter, error) {
	if strings.TrimSpace(text) == "" {
		return filter{}, nil
	}
	broken := invalid("Error while parsing filter string.") // UNVERIFIED wording
	name, rest, ok := strings.Cut(text, "=")
	if !ok {
		return filter{}, broken
	}
	f := filter{}
	name, f.prefix = strings.CutSuffix(strings.TrimSpace(name), "^")
	f.name = strings.Trim(strings.TrimSpace(name), `"`)
	rest = strings.TrimSpace(rest)
	if len(rest) < 2 || rest[0] != '"' || rest[len(rest)-1] != '"' {
		return filter{}, broken
	}
	f.text = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(rest[1 : len(rest)-1])
	if !slices.Contains(searchable, f.name) {
		return filter{}, invalid("Invalid search attribute: " + f.name)
	}
	return f, nil
}

func (f filter) matches(d *userDoc) bool {
	if f.name == "" {
		return true
	}
	got, has := "", true
	switch f.name {
	case "username":
		got = d.Username
	case "sub":
		got = d.Sub
	case "cognito:user_status":
		got = d.Status
	case "status":
		got = "Enabled"
		if d.Disabled {
			got = "Disabled"
		}
	default:
		got, has = (&user{userDoc: d}).attribute(f.name)
	}
	if f.prefix {
		return has && strings.HasPrefix(got, f.text)
	}
	return has && got == f.text
}
