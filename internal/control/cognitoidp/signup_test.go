package cognitoidp_test

import (
	"testing"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
)

func (f *fixture) signUp(cl *api.UserPoolClientType, name string, attributes ...api.AttributeType) (*api.SignUpResponse, error) {
	return f.SignUp(f.Call, &api.SignUpRequest{ClientId: cl.ClientId, Username: &name, Password: new(password), UserAttributes: attributes})
}

func (f *fixture) confirm(cl *api.UserPoolClientType, name, code string) error {
	_, err := f.ConfirmSignUp(f.Call, &api.ConfirmSignUpRequest{ClientId: cl.ClientId, Username: &name, ConfirmationCode: &code})
	return err
}

func TestSignUp(t *testing.T) {
	f := newFixture(t, nil)
	cl := f.client(nil)
	out, err := f.signUp(cl, "alice", attr("email", "alice@example.com"))
	ok(t, err)
	d := out.CodeDeliveryDetails
	if *out.UserConfirmed || *out.UserSub != f.attribute("alice", "sub") || *d.Destination != "a***@e***" || *d.DeliveryMedium != "EMAIL" || *d.AttributeName != "email" {
		t.Errorf("%+v, %+v", out, d)
	}
	if f.status("alice") != "UNCONFIRMED" || f.attribute("alice", "email_verified") != "false" {
		t.Error("confirmed")
	}
	_, err = f.signUp(cl, "alice", attr("email", "other@example.com"))
	fails(t, err, "UsernameExistsException", "User already exists")
	if f.codes[0].Purpose != "sign-up" || f.codes[0].Destination != "alice@example.com" || len(f.codes) != 1 {
		t.Errorf("%+v", f.codes)
	}
	first := *f.lastCode()
	again, err := f.ResendConfirmationCode(f.Call, &api.ResendConfirmationCodeRequest{ClientId: cl.ClientId, Username: new("alice")})
	ok(t, err)
	if *again.CodeDeliveryDetails.Destination != "a***@e***" || len(f.codes) != 2 {
		t.Errorf("%+v", again)
	}
	if first != *f.lastCode() {
		fails(t, f.confirm(cl, "alice", first), "CodeMismatchException", "Invalid verification code provided, please try again.")
	}
	ok(t, f.confirm(cl, "alice", *f.lastCode()))
	if f.status("alice") != "CONFIRMED" || f.attribute("alice", "email_verified") != "true" {
		t.Error("not confirmed")
	}
	fails(t, f.confirm(cl, "alice", *f.lastCode()), "NotAuthorizedException", "User cannot be confirmed. Current status is CONFIRMED")
	_, err = f.ResendConfirmationCode(f.Call, &api.ResendConfirmationCodeRequest{ClientId: cl.ClientId, Username: new("alice")})
	fails(t, err, "InvalidParameterException", "User is already confirmed.")
	f.signIn(cl, "alice")

	// Codes end, and guesses at them.
	_, err = f.signUp(cl, "bob", attr("email", "bob@example.com"))
	ok(t, err)
	code := *f.lastCode()
	f.Time = f.Time.Add(24 * time.Hour)
	fails(t, f.confirm(cl, "bob", code), "ExpiredCodeException", "Invalid code provided, please request a code again.")
	_, err = f.ResendConfirmationCode(f.Call, &api.ResendConfirmationCodeRequest{ClientId: cl.ClientId, Username: new("bob")})
	ok(t, err)
	for range 5 {
		fails(t, f.confirm(cl, "bob", "nope"), "CodeMismatchException", "")
	}
	fails(t, f.confirm(cl, "bob", *f.lastCode()), "LimitExceededException", "Attempt limit exceeded, please try after some time.")
	_, err = f.AdminConfirmSignUp(f.Call, &api.AdminConfirmSignUpRequest{UserPoolId: &f.pool, Username: new("bob")})
	ok(t, err)
	_, err = f.AdminConfirmSignUp(f.Call, &api.AdminConfirmSignUpRequest{UserPoolId: &f.pool, Username: new("bob")})
	fails(t, err, "NotAuthorizedException", "Current status is CONFIRMED")
}

func TestSignUpRefusals(t *testing.T) {
	f := newFixture(t, nil)
	cl := f.client(nil)
	narrow := f.client(func(in *api.CreateUserPoolClientRequest) { in.WriteAttributes = []string{"name"} })
	_, err := f.signUp(narrow, "alice", attr("email", "a@example.com"))
	fails(t, err, "NotAuthorizedException", "A client attempted to write unauthorized attribute")
	_, err = f.signUp(cl, "alice", attr("email_verified", "true"))
	fails(t, err, "NotAuthorizedException", "A client attempted to write unauthorized attribute")
	_, err = f.SignUp(f.Call, &api.SignUpRequest{ClientId: cl.ClientId, Username: new("alice")})
	fails(t, err, "InvalidPasswordException", "Password not long enough")
	_, err = f.UpdateUserPool(f.Call, &api.UpdateUserPoolRequest{UserPoolId: &f.pool, AdminCreateUserConfig: &api.AdminCreateUserConfigType{AllowAdminCreateUserOnly: new(true)}})
	ok(t, err)
	_, err = f.signUp(cl, "alice")
	fails(t, err, "NotAuthorizedException", "SignUp is not permitted for this user pool")

	named := newFixture(t, &api.CreateUserPoolRequest{UsernameAttributes: []string{"email"}, AutoVerifiedAttributes: []string{"email"}})
	cl = named.client(nil)
	_, err = named.signUp(cl, "a@example.com")
	ok(t, err)
	_, err = named.signUp(cl, "a@example.com")
	fails(t, err, "UsernameExistsException", "An account with the given email already exists.")
	ok(t, named.confirm(cl, "a@example.com", *named.lastCode()))
	if got := claimsOf(t, named.signIn(cl, "a@example.com").IdToken); got["cognito:username"] != got["sub"] {
		t.Errorf("%v", got)
	}
}

func TestForgottenPassword(t *testing.T) {
	f := newFixture(t, nil)
	cl := f.client(nil)
	f.user("alice", attr("email", "alice@example.com"), attr("email_verified", "true"))
	f.user("silent")
	forgot := func(cl *api.UserPoolClientType, name string) (*api.ForgotPasswordResponse, error) {
		return f.ForgotPassword(f.Call, &api.ForgotPasswordRequest{ClientId: cl.ClientId, Username: &name})
	}
	reset := func(cl *api.UserPoolClientType, name, code, text string) error {
		_, err := f.ConfirmForgotPassword(f.Call, &api.ConfirmForgotPasswordRequest{ClientId: cl.ClientId, Username: &name, ConfirmationCode: &code, Password: &text})
		return err
	}
	_, err := forgot(cl, "silent")
	fails(t, err, "InvalidParameterException", "Cannot reset password for the user as there is no registered/verified email or phone_number")
	_, err = forgot(cl, "nobody")
	fails(t, err, "UserNotFoundException", "User does not exist.")
	out, err := forgot(cl, "alice")
	if err != nil || *out.CodeDeliveryDetails.Destination != "a***@e***" {
		t.Fatalf("%+v, %v", out, err)
	}
	code := *f.lastCode()
	fails(t, reset(cl, "alice", code, "weak"), "InvalidPasswordException", "")
	fails(t, reset(cl, "alice", "nope", "An0ther!"), "CodeMismatchException", "")
	ok(t, reset(cl, "alice", code, "An0ther!"))
	fails(t, reset(cl, "alice", code, "Y3tmore!"), "ExpiredCodeException", "")
	_, err = f.initiate(cl, "USER_PASSWORD_AUTH", "USERNAME", "alice", "PASSWORD", "An0ther!")
	ok(t, err)

	// An administrator has the user do it.
	_, err = f.AdminResetUserPassword(f.Call, &api.AdminResetUserPasswordRequest{UserPoolId: &f.pool, Username: new("alice")})
	ok(t, err)
	if f.status("alice") != "RESET_REQUIRED" {
		t.Error(f.status("alice"))
	}
	f.Time = f.Time.Add(time.Hour)
	fails(t, reset(cl, "alice", *f.lastCode(), password), "ExpiredCodeException", "")
	_, err = forgot(cl, "alice")
	ok(t, err)
	ok(t, reset(cl, "alice", *f.lastCode(), password))
	f.signIn(cl, "alice")

	// A client that hides who is there.
	hiding := f.client(func(in *api.CreateUserPoolClientRequest) { in.PreventUserExistenceErrors = new("ENABLED") })
	sent := len(f.codes)
	if out, err := forgot(hiding, "nobody"); err != nil || out.CodeDeliveryDetails == nil || len(f.codes) != sent {
		t.Errorf("%+v, %v", out, err)
	}
	fails(t, reset(hiding, "nobody", "123456", password), "CodeMismatchException", "")
	fails(t, f.confirm(hiding, "nobody", "123456"), "ExpiredCodeException", "")
	if out, err := f.ResendConfirmationCode(f.Call, &api.ResendConfirmationCodeRequest{ClientId: hiding.ClientId, Username: new("nobody")}); err != nil || out.CodeDeliveryDetails == nil {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestSelf has users change themselves.
func TestSelf(t *testing.T) {
	f := newFixture(t, nil)
	cl := f.client(func(in *api.CreateUserPoolClientRequest) {
		in.ReadAttributes = []string{"email", "email_verified", "name"}
	})
	f.user("alice", attr("email", "alice@example.com"), attr("email_verified", "true"), attr("nickname", "al"))
	token := f.signIn(cl, "alice").AccessToken
	me, err := f.GetUser(f.Call, &api.GetUserRequest{AccessToken: token})
	if err != nil || *me.Username != "alice" || len(me.UserAttributes) != 3 {
		t.Errorf("%+v, %v", me, err)
	}
	update := func(attributes ...api.AttributeType) ([]api.CodeDeliveryDetailsType, error) {
		out, err := f.UpdateUserAttributes(f.Call, &api.UpdateUserAttributesRequest{AccessToken: token, UserAttributes: attributes})
		if err != nil {
			return nil, err
		}
		return out.CodeDeliveryDetailsList, nil
	}
	verify := func(code string) error {
		_, err := f.VerifyUserAttribute(f.Call, &api.VerifyUserAttributeRequest{AccessToken: token, AttributeName: new("email"), Code: &code})
		return err
	}
	_, err = update(attr("email_verified", "true"))
	fails(t, err, "NotAuthorizedException", "A client attempted to write unauthorized attribute")
	list, err := update(attr("name", "Alice"), attr("email", "new@example.com"))
	if err != nil || len(list) != 1 || *list[0].Destination != "n***@e***" || f.attribute("alice", "email_verified") != "false" {
		t.Errorf("%+v, %v", list, err)
	}
	ofNew := *f.lastCode()
	// A code proves the address it was sent to and no other.
	_, err = update(attr("email", "victim@example.com"))
	ok(t, err)
	if ofNew != *f.lastCode() {
		fails(t, verify(ofNew), "CodeMismatchException", "")
	}
	_, err = f.GetUserAttributeVerificationCode(f.Call, &api.GetUserAttributeVerificationCodeRequest{AccessToken: token, AttributeName: new("email")})
	ok(t, err)
	ofVictim := *f.lastCode()
	_, err = f.AdminUpdateUserAttributes(f.Call, &api.AdminUpdateUserAttributesRequest{UserPoolId: &f.pool, Username: new("alice"), UserAttributes: []api.AttributeType{attr("email", "late@example.com")}})
	ok(t, err)
	fails(t, verify(ofVictim), "ExpiredCodeException", "")
	_, err = f.GetUserAttributeVerificationCode(f.Call, &api.GetUserAttributeVerificationCodeRequest{AccessToken: token, AttributeName: new("email")})
	ok(t, err)
	ok(t, verify(*f.lastCode()))
	if f.attribute("alice", "email_verified") != "true" {
		t.Error("not verified")
	}

	// Where the pool says so, an address changes once it is verified.
	_, err = f.UpdateUserPool(f.Call, &api.UpdateUserPoolRequest{UserPoolId: &f.pool, AutoVerifiedAttributes: []string{"email"},
		UserAttributeUpdateSettings: &api.UserAttributeUpdateSettingsType{AttributesRequireVerificationBeforeUpdate: []string{"email"}}})
	ok(t, err)
	_, err = update(attr("email", "waits@example.com"))
	ok(t, err)
	if f.attribute("alice", "email") != "late@example.com" {
		t.Error("changed before it was verified")
	}
	ok(t, verify(*f.lastCode()))
	if f.attribute("alice", "email") != "waits@example.com" || f.attribute("alice", "email_verified") != "true" {
		t.Error("not changed once verified")
	}
	_, err = f.DeleteUserAttributes(f.Call, &api.DeleteUserAttributesRequest{AccessToken: token, UserAttributeNames: []string{"name"}})
	ok(t, err)
	if f.attribute("alice", "name") != "" {
		t.Error("not deleted")
	}

	change := func(from, to string) error {
		_, err := f.ChangePassword(f.Call, &api.ChangePasswordRequest{AccessToken: token, PreviousPassword: &from, ProposedPassword: &to})
		return err
	}
	fails(t, change("wrong", "An0ther!"), "NotAuthorizedException", "Incorrect username or password.")
	fails(t, change(password, "weak"), "InvalidPasswordException", "")
	ok(t, change(password, "An0ther!"))
	_, err = f.initiate(cl, "USER_PASSWORD_AUTH", "USERNAME", "alice", "PASSWORD", "An0ther!")
	ok(t, err)
	for range 5 {
		fails(t, change("wrong", "An0ther!"), "NotAuthorizedException", "")
	}
	fails(t, change("An0ther!", password), "LimitExceededException", "Attempt limit exceeded")

	ok(t, f.DeleteUser(f.Call, &api.DeleteUserRequest{AccessToken: token}))
	_, err = f.GetUser(f.Call, &api.GetUserRequest{AccessToken: token})
	fails(t, err, "UserNotFoundException", "User does not exist.")
}

// TestAccessTokens shows tokens that aren't good.
func TestAccessTokens(t *testing.T) {
	f := newFixture(t, nil)
	cl := f.client(nil)
	f.user("alice")
	r := f.signIn(cl, "alice")
	for _, bad := range []*string{r.IdToken, r.RefreshToken, new("x.y.z"), new(*r.AccessToken + "x"), new((*r.AccessToken)[:len(*r.AccessToken)-8])} {
		_, err := f.GetUser(f.Call, &api.GetUserRequest{AccessToken: bad})
		fails(t, err, "NotAuthorizedException", "Invalid Access Token")
	}
	p, found := f.directory.Pool(f.pool)
	dc, _, ok2 := f.directory.Client(*cl.ClientId)
	if !found || !ok2 {
		t.Fatal("not in the directory")
	}
	// One for a machine, and one of the pool's pages without the scope.
	machine, err := f.MintForClient(f.Call, p, dc, []string{"api/read"})
	ok(t, err)
	_, err = f.GetUser(f.Call, &api.GetUserRequest{AccessToken: &machine.Access})
	fails(t, err, "NotAuthorizedException", "Invalid Access Token")
	step, err := f.Service.SignIn(f.Call, p, dc, "alice", password)
	ok(t, err)
	g := step.Grant
	if g == nil {
		t.Fatal(step.Challenge)
	}
	g.Scopes, g.Nonce = []string{"openid", "email"}, "n"
	tokens, err := f.Mint(f.Call, *g)
	ok(t, err)
	if id := claimsOf(t, &tokens.ID); id["nonce"] != "n" || claimsOf(t, &tokens.Access)["version"] != float64(2) {
		t.Errorf("%v", id)
	}
	_, err = f.GetUser(f.Call, &api.GetUserRequest{AccessToken: &tokens.Access})
	fails(t, err, "NotAuthorizedException", "Access Token does not have required scopes")
	if b, err := f.Bearer(f.Call, tokens.Access); err != nil || b.Username() != "alice" || len(b.Scopes) != 2 || len(b.Attributes()) != 1 {
		t.Errorf("%+v, %v", b, err)
	}
	again, err := f.Refreshed(f.Call, p, dc, tokens.Refresh)
	if err != nil || len(again.Scopes) != 2 || !again.Hosted {
		t.Errorf("%+v, %v", again, err)
	}
}

// TestRestart finds everything again: tokens and sessions, too.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	out, err := f.CreateUserPool(f.Call, &api.CreateUserPoolRequest{PoolName: new("p")})
	ok(t, err)
	f.pool = *out.UserPool.Id
	cl := f.client(nil)
	f.user("alice")
	r := f.signIn(cl, "alice")
	_, err = f.CreateUserPoolDomain(f.Call, &api.CreateUserPoolDomainRequest{UserPoolId: &f.pool, Domain: new("shop")})
	ok(t, err)
	set, _ := f.directory.Keys("https://cognito-idp.eu-central-1.amazonaws.com/" + f.pool)
	f.close()

	g := open(t, dir)
	g.pool = f.pool
	if again, found := g.directory.Keys("https://cognito-idp.eu-central-1.amazonaws.com/" + f.pool); !found || string(again) != string(set) {
		t.Errorf("keys %s, were %s", again, set)
	}
	if _, found := g.directory.Domain("shop", "eu-central-1"); !found {
		t.Error("no domain")
	}
	if _, err := g.GetUser(g.Call, &api.GetUserRequest{AccessToken: r.AccessToken}); err != nil {
		t.Error(err)
	}
	if _, err := g.initiate(cl, "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN", *r.RefreshToken); err != nil {
		t.Error(err)
	}
	g.signIn(cl, "alice")
}
