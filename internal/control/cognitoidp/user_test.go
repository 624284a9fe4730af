package cognitoidp_test

import (
	"slices"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
)

func (f *fixture) get(name string) (*api.AdminGetUserResponse, error) {
	return f.AdminGetUser(f.Call, &api.AdminGetUserRequest{UserPoolId: &f.pool, Username: &name})
}

func (f *fixture) create(name string, attributes ...api.AttributeType) error {
	_, err := f.AdminCreateUser(f.Call, &api.AdminCreateUserRequest{UserPoolId: &f.pool, Username: &name, UserAttributes: attributes})
	return err
}

// TestNames finds users by what they may be called.
func TestNames(t *testing.T) {
	email, verified := attr("email", "Alice@example.com"), attr("email_verified", "true")
	for _, tt := range []struct {
		name string
		pool api.CreateUserPoolRequest
		user string
		// found and lost are names by which the user is there, and isn't.
		found, lost []string
	}{
		{"plain", api.CreateUserPoolRequest{}, "alice", []string{"alice"}, []string{"Alice", "Alice@example.com"}},
		{"no case", api.CreateUserPoolRequest{UsernameConfiguration: &api.UsernameConfigurationType{CaseSensitive: new(false)}},
			"Alice", []string{"alice", "ALICE"}, []string{"Alice@example.com"}},
		{"alias", api.CreateUserPoolRequest{AliasAttributes: []string{"email"}}, "alice", []string{"alice", "Alice@example.com"}, []string{"alice@example.com"}},
		{"alias without case", api.CreateUserPoolRequest{AliasAttributes: []string{"email"}, UsernameConfiguration: &api.UsernameConfigurationType{CaseSensitive: new(false)}},
			"alice", []string{"ALICE", "alice@EXAMPLE.com"}, nil},
		{"email for a name", api.CreateUserPoolRequest{UsernameAttributes: []string{"email"}}, "Alice@example.com", []string{"Alice@example.com"}, []string{"alice"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, &tt.pool)
			ok(t, f.create(tt.user, email, verified))
			first, err := f.get(tt.user)
			ok(t, err)
			sub := *first.UserAttributes[0].Value
			for _, name := range append(tt.found, sub) {
				if got, err := f.get(name); err != nil || *got.UserAttributes[0].Value != sub {
					t.Errorf("%s: %v", name, err)
				}
			}
			for _, name := range tt.lost {
				_, err := f.get(name)
				fails(t, err, "UserNotFoundException", "User does not exist.")
			}
			if len(tt.pool.UsernameAttributes) > 0 && *first.Username != sub {
				t.Errorf("name %s, sub %s", *first.Username, sub)
			}
			fails(t, f.create(tt.user, email), "UsernameExistsException", "exists")
			if len(tt.pool.UsernameAttributes) == 0 {
				fails(t, f.create(sub), "UsernameExistsException", "")
			}
			ok(t, f.AdminDeleteUser(f.Call, &api.AdminDeleteUserRequest{UserPoolId: &f.pool, Username: &sub}))
			for _, name := range append(tt.found, sub) {
				_, err := f.get(name)
				fails(t, err, "UserNotFoundException", "")
			}
			ok(t, f.create(tt.user, email, verified))
		})
	}
}

// TestAliases has an address belong to the one who verified it last.
func TestAliases(t *testing.T) {
	f := newFixture(t, &api.CreateUserPoolRequest{AliasAttributes: []string{"email", "preferred_username"}})
	email, verified := attr("email", "a@example.com"), attr("email_verified", "true")
	ok(t, f.create("one", email, verified))
	// Unverified, it is nobody's name.
	ok(t, f.create("two", email))
	if got, err := f.get("a@example.com"); err != nil || *got.Username != "one" {
		t.Errorf("%+v, %v", got, err)
	}
	update := func(name string, attributes ...api.AttributeType) error {
		_, err := f.AdminUpdateUserAttributes(f.Call, &api.AdminUpdateUserAttributesRequest{UserPoolId: &f.pool, Username: &name, UserAttributes: attributes})
		return err
	}
	fails(t, update("two", verified), "AliasExistsException", "email")
	_, err := f.AdminCreateUser(f.Call, &api.AdminCreateUserRequest{UserPoolId: &f.pool, Username: new("three"), UserAttributes: []api.AttributeType{email, verified}, ForceAliasCreation: new(true)})
	ok(t, err)
	if got, err := f.get("a@example.com"); err != nil || *got.Username != "three" || f.attribute("one", "email_verified") != "false" {
		t.Errorf("%+v, %v", got, err)
	}
	// A changed address isn't verified, and no name until it is.
	ok(t, update("three", attr("email", "c@example.com")))
	if f.attribute("three", "email_verified") != "false" {
		t.Error("a new address is verified")
	}
	for _, name := range []string{"a@example.com", "c@example.com"} {
		_, err := f.get(name)
		fails(t, err, "UserNotFoundException", "")
	}
	ok(t, update("one", attr("preferred_username", "uno")))
	fails(t, update("two", attr("preferred_username", "uno")), "AliasExistsException", "preferred_username")
	ok(t, update("one", attr("preferred_username", "")))
	ok(t, update("two", attr("preferred_username", "uno")))
	fails(t, f.create("x@example.com"), "InvalidParameterException", "Username cannot be of email format")

	named := newFixture(t, &api.CreateUserPoolRequest{UsernameAttributes: []string{"email"}})
	fails(t, named.create("alice"), "InvalidParameterException", "Username should be an email.")
}

func TestListUsers(t *testing.T) {
	f := newFixture(t, nil)
	for _, name := range []string{"anna", "bert", "bella", "carl"} {
		ok(t, f.create(name, attr("email", name+"@example.com")))
	}
	_, err := f.AdminDisableUser(f.Call, &api.AdminDisableUserRequest{UserPoolId: &f.pool, Username: new("bert")})
	ok(t, err)
	list := func(in api.ListUsersRequest) (names []string, token *string, err error) {
		in.UserPoolId = &f.pool
		out, err := f.ListUsers(f.Call, &in)
		if err != nil {
			return nil, nil, err
		}
		for _, u := range out.Users {
			names = append(names, *u.Username)
		}
		return names, out.PaginationToken, nil
	}
	for filter, want := range map[string][]string{
		``:                             {"anna", "bella", "bert", "carl"},
		`username = "bert"`:            {"bert"},
		`username ^= "be"`:             {"bella", "bert"},
		`email ^= "c"`:                 {"carl"},
		`email="anna@example.com"`:     {"anna"},
		`status = "Disabled"`:          {"bert"},
		`"username" = "carl"`:          {"carl"},
		`given_name = ""`:              nil,
		`username = "x\"y"`:            nil,
		`cognito:user_status = "ZERO"`: nil,
	} {
		got, _, err := list(api.ListUsersRequest{Filter: &filter})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", filter, got, err, want)
		}
	}
	for _, filter := range []string{"username", `username = bert`, `username = "`, `custom:x = "y"`, `= "x"`} {
		_, _, err := list(api.ListUsersRequest{Filter: &filter})
		fails(t, err, "InvalidParameterException", "")
	}
	var all []string
	var token *string
	for range 9 {
		names, next, err := list(api.ListUsersRequest{Limit: new(int32(1)), Filter: new(`username ^= "b"`), PaginationToken: token})
		ok(t, err)
		all = append(all, names...)
		if token = next; token == nil {
			break
		}
	}
	if !slices.Equal(all, []string{"bella", "bert"}) {
		t.Errorf("pages %v", all)
	}
	out, err := f.ListUsers(f.Call, &api.ListUsersRequest{UserPoolId: &f.pool, AttributesToGet: []string{"email"}})
	if err != nil || len(out.Users[0].Attributes) != 1 || *out.Users[0].Attributes[0].Name != "email" {
		t.Errorf("%+v, %v", out, err)
	}
	_, err = f.ListUsers(f.Call, &api.ListUsersRequest{UserPoolId: &f.pool, AttributesToGet: []string{"custom:none"}})
	fails(t, err, "InvalidParameterException", "do not exist in user pool")
}

func FuzzFilter(f *testing.F) {
	fix := open(f, f.TempDir())
	out, err := fix.CreateUserPool(fix.Call, &api.CreateUserPoolRequest{PoolName: new("p")})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{`username = "a"`, `email ^= "\""`, `=`, `"" = ""`, `^=`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, filter string) {
		if out, err := fix.ListUsers(fix.Call, &api.ListUsersRequest{UserPoolId: out.UserPool.Id, Filter: &filter}); err == nil && len(out.Users) != 0 {
			t.Errorf("%q finds a user in an empty pool", filter)
		}
	})
}

func TestGroups(t *testing.T) {
	f := newFixture(t, nil)
	ok(t, f.create("alice"))
	ok(t, f.create("bob"))
	for _, name := range []string{"a", "b"} {
		_, err := f.CreateGroup(f.Call, &api.CreateGroupRequest{UserPoolId: &f.pool, GroupName: &name})
		ok(t, err)
	}
	_, err := f.CreateGroup(f.Call, &api.CreateGroupRequest{UserPoolId: &f.pool, GroupName: new("a")})
	fails(t, err, "GroupExistsException", "A group with the name already exists.")
	add := func(user, group string) error {
		return f.AdminAddUserToGroup(f.Call, &api.AdminAddUserToGroupRequest{UserPoolId: &f.pool, Username: &user, GroupName: &group})
	}
	for _, user := range []string{"alice", "bob", "alice"} {
		ok(t, add(user, "a"))
	}
	ok(t, add("alice", "b"))
	fails(t, add("alice", "none"), "ResourceNotFoundException", "Group not found.")
	fails(t, add("none", "a"), "UserNotFoundException", "User does not exist.")
	groups := func() (names []string) {
		out, err := f.AdminListGroupsForUser(f.Call, &api.AdminListGroupsForUserRequest{UserPoolId: &f.pool, Username: new("alice")})
		ok(t, err)
		for _, g := range out.Groups {
			names = append(names, *g.GroupName)
		}
		return names
	}
	members := func(group string) (names []string) {
		out, err := f.ListUsersInGroup(f.Call, &api.ListUsersInGroupRequest{UserPoolId: &f.pool, GroupName: &group})
		ok(t, err)
		for _, u := range out.Users {
			names = append(names, *u.Username)
		}
		return names
	}
	if g, m := groups(), members("a"); !slices.Equal(g, []string{"a", "b"}) || !slices.Equal(m, []string{"alice", "bob"}) {
		t.Errorf("%v, %v", g, m)
	}
	ok(t, f.AdminRemoveUserFromGroup(f.Call, &api.AdminRemoveUserFromGroupRequest{UserPoolId: &f.pool, Username: new("alice"), GroupName: new("b")}))
	ok(t, f.AdminDeleteUser(f.Call, &api.AdminDeleteUserRequest{UserPoolId: &f.pool, Username: new("bob")}))
	if g, m := groups(), members("a"); !slices.Equal(g, []string{"a"}) || !slices.Equal(m, []string{"alice"}) {
		t.Errorf("%v, %v", g, m)
	}
	ok(t, f.DeleteGroup(f.Call, &api.DeleteGroupRequest{UserPoolId: &f.pool, GroupName: new("a")}))
	if g := groups(); len(g) != 0 {
		t.Errorf("%v", g)
	}
	out, err := f.UpdateGroup(f.Call, &api.UpdateGroupRequest{UserPoolId: &f.pool, GroupName: new("b"), Precedence: new(int32(3))})
	if err != nil || *out.Group.Precedence != 3 {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestTemporaryPasswords(t *testing.T) {
	f := newFixture(t, nil)
	cl := f.client(nil)
	_, err := f.AdminCreateUser(f.Call, &api.AdminCreateUserRequest{UserPoolId: &f.pool, Username: new("alice"), TemporaryPassword: new("weak")})
	fails(t, err, "InvalidPasswordException", "Password did not conform with policy: Password not long enough")
	_, err = f.AdminCreateUser(f.Call, &api.AdminCreateUserRequest{UserPoolId: &f.pool, Username: new("alice"), TemporaryPassword: new(password)})
	ok(t, err)
	f.Time = f.Time.Add(7*24*time.Hour - time.Second)
	out, err := f.initiate(cl, "USER_PASSWORD_AUTH", "USERNAME", "alice", "PASSWORD", password)
	if err != nil || *out.ChallengeName != "NEW_PASSWORD_REQUIRED" {
		t.Errorf("%+v, %v", out, err)
	}
	f.Time = f.Time.Add(time.Second)
	_, err = f.initiate(cl, "USER_PASSWORD_AUTH", "USERNAME", "alice", "PASSWORD", password)
	fails(t, err, "NotAuthorizedException", "Temporary password has expired and must be reset by an administrator.")
	_, err = f.AdminCreateUser(f.Call, &api.AdminCreateUserRequest{UserPoolId: &f.pool, Username: new("alice"), TemporaryPassword: new("An0ther!"), MessageAction: new("RESEND")})
	ok(t, err)
	out, err = f.initiate(cl, "USER_PASSWORD_AUTH", "USERNAME", "alice", "PASSWORD", "An0ther!")
	if err != nil || *out.ChallengeName != "NEW_PASSWORD_REQUIRED" {
		t.Errorf("%+v, %v", out, err)
	}
	// A password that is good enough can follow one that isn't.
	_, err = f.respond(cl, "NEW_PASSWORD_REQUIRED", out.Session, "USERNAME", "alice", "NEW_PASSWORD", "weak")
	fails(t, err, "InvalidPasswordException", "")
	done, err := f.respond(cl, "NEW_PASSWORD_REQUIRED", out.Session, "USERNAME", "alice", "NEW_PASSWORD", password, "userAttributes.email", "a@example.com")
	if err != nil || done.AuthenticationResult == nil || f.status("alice") != "CONFIRMED" || f.attribute("alice", "email") != "a@example.com" {
		t.Fatalf("%+v, %v", done, err)
	}
	_, err = f.respond(cl, "NEW_PASSWORD_REQUIRED", out.Session, "USERNAME", "alice", "NEW_PASSWORD", "An0ther!!")
	fails(t, err, "NotAuthorizedException", "Invalid session for the user")
}

func TestPasswordHistory(t *testing.T) {
	f := newFixture(t, &api.CreateUserPoolRequest{Policies: &api.UserPoolPolicyType{PasswordPolicy: &api.PasswordPolicyType{
		MinimumLength: new(int32(6)), PasswordHistorySize: new(int32(2))}}})
	f.user("alice")
	set := func(text string) error {
		_, err := f.AdminSetUserPassword(f.Call, &api.AdminSetUserPasswordRequest{UserPoolId: &f.pool, Username: new("alice"), Password: &text, Permanent: new(true)})
		return err
	}
	fails(t, set(password), "PasswordHistoryPolicyViolationException", "")
	ok(t, set("second"))
	fails(t, set(password), "PasswordHistoryPolicyViolationException", "")
	ok(t, set("thirdd"))
	ok(t, set(password))
}
