package cognitoidp_test

import (
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/userpool"
)

// TestTokens has the claims that AWS's tokens have, and no others.
func TestTokens(t *testing.T) {
	f := newFixture(t, &api.CreateUserPoolRequest{Schema: []api.SchemaAttributeType{{Name: new("tenant"), AttributeDataType: new("String")}}})
	cl := f.client(nil)
	f.user("alice", attr("email", "a@example.com"), attr("email_verified", "true"), attr("custom:tenant", "7"), attr("address", "Street 1"), attr("updated_at", "1700000000"), attr("phone_number", "+4915112345678"))
	for _, g := range []struct {
		name, role string
		precedence int32
	}{{"later", "arn:aws:iam::123456789012:role/l", 5}, {"first", "arn:aws:iam::123456789012:role/f", 1}} {
		_, err := f.CreateGroup(f.Call, &api.CreateGroupRequest{UserPoolId: &f.pool, GroupName: &g.name, RoleArn: &g.role, Precedence: &g.precedence})
		ok(t, err)
		ok(t, f.AdminAddUserToGroup(f.Call, &api.AdminAddUserToGroupRequest{UserPoolId: &f.pool, Username: new("alice"), GroupName: &g.name}))
	}
	r := f.signIn(cl, "alice")
	if *r.ExpiresIn != 3600 || *r.TokenType != "Bearer" {
		t.Errorf("%+v", r)
	}
	at := f.Time.Unix()
	sub := f.attribute("alice", "sub")
	issuer := "https://cognito-idp.eu-central-1.amazonaws.com/" + f.pool
	compare := func(name string, token *string, want map[string]any) {
		t.Helper()
		got := claimsOf(t, token)
		for _, random := range []string{"jti", "event_id", "origin_jti"} {
			if s, is := got[random].(string); !is || len(s) != 36 {
				t.Errorf("%s: %s is %v", name, random, got[random])
			}
			delete(got, random)
		}
		a, err := json.Marshal(got)
		ok(t, err)
		b, err := json.Marshal(want)
		ok(t, err)
		if string(a) != string(b) {
			t.Errorf("%s\n%s\nwant\n%s", name, a, b)
		}
	}
	compare("access", r.AccessToken, map[string]any{
		"sub": sub, "iss": issuer, "client_id": *cl.ClientId, "token_use": "access", "scope": "aws.cognito.signin.user.admin",
		"auth_time": at, "iat": at, "exp": at + 3600, "username": "alice", "cognito:groups": []string{"first", "later"},
	})
	compare("id", r.IdToken, map[string]any{
		"sub": sub, "iss": issuer, "aud": *cl.ClientId, "token_use": "id", "auth_time": at, "iat": at, "exp": at + 3600,
		"cognito:username": "alice", "cognito:groups": []string{"first", "later"},
		"cognito:roles":          []string{"arn:aws:iam::123456789012:role/f", "arn:aws:iam::123456789012:role/l"},
		"cognito:preferred_role": "arn:aws:iam::123456789012:role/f",
		"email":                  "a@example.com", "email_verified": true, "custom:tenant": "7", "address": map[string]string{"formatted": "Street 1"},
		"updated_at": 1700000000, "phone_number": "+4915112345678", "phone_number_verified": false,
	})

	// The directory has the keys of both, and they are two.
	set, found := f.directory.Keys(issuer)
	var jwks struct{ Keys []struct{ Kid string } }
	if err := json.Unmarshal(set, &jwks); err != nil || !found || len(jwks.Keys) != 2 || jwks.Keys[0].Kid == jwks.Keys[1].Kid {
		t.Fatalf("%s, %v", set, err)
	}
	for _, foreign := range []string{"", "x", f.pool, "https://evil.example/" + f.pool, issuer + "/", strings.Replace(issuer, "eu-central-1.", "eu-west-1.", 1)} {
		if _, found := f.directory.Keys(foreign); found {
			t.Errorf("%s is an issuer", foreign)
		}
	}

	// What a client may read is what its tokens show.
	narrow := f.client(func(in *api.CreateUserPoolClientRequest) {
		in.ReadAttributes, in.EnableTokenRevocation = []string{"email"}, new(false)
	})
	id := claimsOf(t, f.signIn(narrow, "alice").IdToken)
	if id["email"] == nil || id["custom:tenant"] != nil || id["address"] != nil || id["origin_jti"] != nil {
		t.Errorf("%v", id)
	}
}

func TestSignInErrors(t *testing.T) {
	f := newFixture(t, nil)
	open, hiding := f.client(nil), f.client(func(in *api.CreateUserPoolClientRequest) { in.PreventUserExistenceErrors = new("ENABLED") })
	srp := f.client(func(in *api.CreateUserPoolClientRequest) { in.ExplicitAuthFlows = nil })
	secret := f.client(func(in *api.CreateUserPoolClientRequest) { in.GenerateSecret = new(true) })
	f.user("alice", attr("email", "a@example.com"), attr("email_verified", "true"))
	f.user("gone")
	_, err := f.AdminDisableUser(f.Call, &api.AdminDisableUserRequest{UserPoolId: &f.pool, Username: new("gone")})
	ok(t, err)
	f.user("reset", attr("email", "r@example.com"), attr("email_verified", "true"))
	_, err = f.AdminResetUserPassword(f.Call, &api.AdminResetUserPasswordRequest{UserPoolId: &f.pool, Username: new("reset")})
	ok(t, err)
	_, err = f.SignUp(f.Call, &api.SignUpRequest{ClientId: open.ClientId, Username: new("new"), Password: new(password)})
	ok(t, err)
	hash := userpool.SecretHash("alice", *secret.ClientId, *secret.ClientSecret)
	for _, tt := range []struct {
		name       string
		client     *api.UserPoolClientType
		flow       string
		params     string
		code, text string
	}{
		{"wrong", open, "USER_PASSWORD_AUTH", "USERNAME alice PASSWORD Wrong", "NotAuthorizedException", "Incorrect username or password."},
		{"nobody", open, "USER_PASSWORD_AUTH", "USERNAME nobody PASSWORD Wrong", "UserNotFoundException", "User does not exist."},
		{"nobody, hidden", hiding, "USER_PASSWORD_AUTH", "USERNAME nobody PASSWORD Wrong", "NotAuthorizedException", "Incorrect username or password."},
		{"disabled", open, "USER_PASSWORD_AUTH", "USERNAME gone PASSWORD " + password, "NotAuthorizedException", "User is disabled."},
		{"disabled and wrong", open, "USER_PASSWORD_AUTH", "USERNAME gone PASSWORD Wrong", "NotAuthorizedException", "Incorrect username or password."},
		{"unconfirmed", open, "USER_PASSWORD_AUTH", "USERNAME new PASSWORD " + password, "UserNotConfirmedException", "User is not confirmed."},
		{"reset", open, "USER_PASSWORD_AUTH", "USERNAME reset PASSWORD " + password, "PasswordResetRequiredException", "Password reset required for the user"},
		{"no password", open, "USER_PASSWORD_AUTH", "USERNAME alice", "InvalidParameterException", "Missing required parameter PASSWORD"},
		{"no name", open, "USER_PASSWORD_AUTH", "PASSWORD x", "InvalidParameterException", "Missing required parameter USERNAME"},
		{"flow of servers", open, "ADMIN_USER_PASSWORD_AUTH", "USERNAME alice PASSWORD " + password, "InvalidParameterException", "Initiate Auth method not supported."},
		{"flow not allowed", srp, "USER_PASSWORD_AUTH", "USERNAME alice PASSWORD " + password, "InvalidParameterException", "USER_PASSWORD_AUTH flow not enabled for this client"},
		{"flow not here", open, "USER_AUTH", "USERNAME alice", "InvalidParameterException", "USER_AUTH"},
		{"no functions", open, "CUSTOM_AUTH", "USERNAME alice", "InvalidParameterException", "Custom auth lambda trigger is not configured for the user pool."},
		{"no hash", secret, "USER_PASSWORD_AUTH", "USERNAME alice PASSWORD " + password, "NotAuthorizedException", "is configured with secret but SECRET_HASH was not received"},
		{"wrong hash", secret, "USER_PASSWORD_AUTH", "USERNAME alice PASSWORD " + password + " SECRET_HASH x", "NotAuthorizedException", "Unable to verify secret hash for client"},
		{"hash of another", secret, "USER_PASSWORD_AUTH", "USERNAME reset PASSWORD " + password + " SECRET_HASH " + hash, "NotAuthorizedException", "Unable to verify secret hash for client"},
		{"hash for nothing", open, "USER_PASSWORD_AUTH", "USERNAME alice PASSWORD " + password + " SECRET_HASH x", "NotAuthorizedException", "Unable to verify secret hash for client"},
		{"no token", open, "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN nonsense", "NotAuthorizedException", "Invalid Refresh Token"},
		{"no SRP_A", open, "USER_SRP_AUTH", "USERNAME alice SRP_A 0", "InvalidParameterException", "SRP_A"},
		{"nobody by SRP", open, "USER_SRP_AUTH", "USERNAME nobody SRP_A 2", "UserNotFoundException", "User does not exist."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := f.initiate(tt.client, tt.flow, strings.Fields(tt.params)...)
			fails(t, err, tt.code, tt.text)
		})
	}
	if _, err := f.initiate(secret, "USER_PASSWORD_AUTH", "USERNAME", "alice", "PASSWORD", password, "SECRET_HASH", hash); err != nil {
		t.Error(err)
	}
	_, err = f.InitiateAuth(f.Call, &api.InitiateAuthRequest{ClientId: new("none"), AuthFlow: new("USER_PASSWORD_AUTH")})
	fails(t, err, "ResourceNotFoundException", "User pool client none does not exist.")
	admin := func(flow string) error {
		_, err := f.AdminInitiateAuth(f.Call, &api.AdminInitiateAuthRequest{UserPoolId: &f.pool, ClientId: open.ClientId, AuthFlow: &flow,
			AuthParameters: map[string]string{"USERNAME": "alice", "PASSWORD": password}})
		return err
	}
	ok(t, admin("ADMIN_USER_PASSWORD_AUTH"))
	ok(t, admin("ADMIN_NO_SRP_AUTH"))
	fails(t, admin("USER_PASSWORD_AUTH"), "InvalidParameterException", "Initiate Auth method not supported.")
	f.Region = "us-east-1"
	fails(t, admin("ADMIN_USER_PASSWORD_AUTH"), "ResourceNotFoundException", "User pool "+f.pool+" does not exist.")
}

// TestGuessing locks a name after five wrong guesses, there or not, by password
// or by SRP, and forgets them after a right one.
func TestGuessing(t *testing.T) {
	f := newFixture(t, nil)
	cl := f.client(func(in *api.CreateUserPoolClientRequest) { in.PreventUserExistenceErrors = new("ENABLED") })
	f.user("alice")
	guess := func(name, text string) error {
		_, err := f.initiate(cl, "USER_PASSWORD_AUTH", "USERNAME", name, "PASSWORD", text)
		return err
	}
	for _, name := range []string{"alice", "nobody"} {
		for range 5 {
			fails(t, guess(name, "wrong"), "NotAuthorizedException", "Incorrect username or password.")
		}
		fails(t, guess(name, password), "NotAuthorizedException", "Password attempts exceeded")
	}
	f.Time = f.Time.Add(time.Second)
	ok(t, guess("alice", password))
	for range 4 {
		fails(t, guess("alice", "wrong"), "NotAuthorizedException", "Incorrect username or password.")
	}
	ok(t, guess("alice", password))
}

// TestGuessingAtOnce sends many guesses together: beyond the free ones not even
// the right one gets through, and nobody learns of a wrong one that it was.
func TestGuessingAtOnce(t *testing.T) {
	f := newFixture(t, nil)
	cl := f.client(nil)
	f.user("alice")
	var wrong, locked atomic.Int32
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			_, err := f.initiate(cl, "USER_PASSWORD_AUTH", "USERNAME", "alice", "PASSWORD", "wrong")
			if err != nil && strings.Contains(err.Error(), "exceeded") {
				locked.Add(1)
				return
			}
			wrong.Add(1)
		})
	}
	wg.Wait()
	if wrong.Load() != 5 || locked.Load() != 27 {
		t.Errorf("%d wrong, %d locked", wrong.Load(), locked.Load())
	}
	_, err := f.initiate(cl, "USER_PASSWORD_AUTH", "USERNAME", "alice", "PASSWORD", password)
	fails(t, err, "NotAuthorizedException", "Password attempts exceeded")
	// Many right ones at once don't lock anybody out.
	f.Time = f.Time.Add(time.Hour)
	for range 16 {
		wg.Go(func() {
			if _, err := f.initiate(cl, "USER_PASSWORD_AUTH", "USERNAME", "alice", "PASSWORD", password); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestRefresh(t *testing.T) {
	f := newFixture(t, nil)
	cl, other := f.client(nil), f.client(nil)
	f.user("alice")
	first := f.signIn(cl, "alice")
	refresh := func(cl *api.UserPoolClientType, token *string) (*api.AuthenticationResultType, error) {
		out, err := f.initiate(cl, "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN", *token)
		if err != nil {
			return nil, err
		}
		return out.AuthenticationResult, nil
	}
	start := f.Time
	f.Time = start.Add(2 * time.Hour)
	_, err := f.GetUser(f.Call, &api.GetUserRequest{AccessToken: first.AccessToken})
	fails(t, err, "NotAuthorizedException", "Access Token has expired")
	second, err := refresh(cl, first.RefreshToken)
	ok(t, err)
	a, b := claimsOf(t, first.AccessToken), claimsOf(t, second.AccessToken)
	if second.RefreshToken != nil || a["origin_jti"] != b["origin_jti"] || a["auth_time"] != b["auth_time"] || a["jti"] == b["jti"] || a["iat"] == b["iat"] {
		t.Errorf("%v\n%v", a, b)
	}
	_, err = refresh(other, first.RefreshToken)
	fails(t, err, "NotAuthorizedException", "Invalid Refresh Token")
	_, err = refresh(cl, first.AccessToken)
	fails(t, err, "NotAuthorizedException", "Invalid Refresh Token")
	f.Time = start.Add(30 * 24 * time.Hour)
	_, err = refresh(cl, first.RefreshToken)
	fails(t, err, "NotAuthorizedException", "Refresh Token has expired")

	// Ways for a sign-in to end. Each begins with one of its own.
	for _, tt := range []struct {
		name, text string
		end        func(r *api.AuthenticationResultType) error
	}{
		{"revoked", "Refresh Token has been revoked", func(r *api.AuthenticationResultType) error {
			_, err := f.RevokeToken(f.Call, &api.RevokeTokenRequest{ClientId: cl.ClientId, Token: r.RefreshToken})
			return err
		}},
		{"signed out", "Refresh Token has been revoked", func(r *api.AuthenticationResultType) error {
			_, err := f.GlobalSignOut(f.Call, &api.GlobalSignOutRequest{AccessToken: r.AccessToken})
			return err
		}},
		{"signed out by a server", "Refresh Token has been revoked", func(*api.AuthenticationResultType) error {
			_, err := f.AdminUserGlobalSignOut(f.Call, &api.AdminUserGlobalSignOutRequest{UserPoolId: &f.pool, Username: new("alice")})
			return err
		}},
		{"disabled", "User is disabled.", func(*api.AuthenticationResultType) error {
			_, err := f.AdminDisableUser(f.Call, &api.AdminDisableUserRequest{UserPoolId: &f.pool, Username: new("alice")})
			return err
		}},
		{"made again", "Invalid Refresh Token", func(*api.AuthenticationResultType) error {
			err := f.AdminDeleteUser(f.Call, &api.AdminDeleteUserRequest{UserPoolId: &f.pool, Username: new("alice")})
			f.user("alice")
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := f.signIn(cl, "alice")
			ok(t, tt.end(r))
			_, err := refresh(cl, r.RefreshToken)
			fails(t, err, "NotAuthorizedException", tt.text)
			if _, err := f.GetUser(f.Call, &api.GetUserRequest{AccessToken: r.AccessToken}); err == nil {
				t.Error("the access token is still good")
			}
			_, err = f.AdminEnableUser(f.Call, &api.AdminEnableUserRequest{UserPoolId: &f.pool, Username: new("alice")})
			ok(t, err)
			// The next millisecond begins anew.
			f.Time = f.Time.Add(time.Millisecond)
			r = f.signIn(cl, "alice")
			if _, err := refresh(cl, r.RefreshToken); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRotation(t *testing.T) {
	f := newFixture(t, nil)
	cl := f.client(func(in *api.CreateUserPoolClientRequest) {
		in.GenerateSecret = new(true)
		in.RefreshTokenRotation = &api.RefreshTokenRotationType{Feature: new("ENABLED"), RetryGracePeriodSeconds: new(int32(10))}
	})
	f.user("alice")
	hash := userpool.SecretHash("alice", *cl.ClientId, *cl.ClientSecret)
	out, err := f.initiate(cl, "USER_PASSWORD_AUTH", "USERNAME", "alice", "PASSWORD", password, "SECRET_HASH", hash)
	ok(t, err)
	_, err = f.initiate(cl, "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN", *out.AuthenticationResult.RefreshToken, "SECRET_HASH", hash)
	fails(t, err, "InvalidParameterException", "rotation")
	get := func(token *string) (*string, error) {
		out, err := f.GetTokensFromRefreshToken(f.Call, &api.GetTokensFromRefreshTokenRequest{ClientId: cl.ClientId, ClientSecret: cl.ClientSecret, RefreshToken: token})
		if err != nil {
			return nil, err
		}
		return out.AuthenticationResult.RefreshToken, nil
	}
	_, err = f.GetTokensFromRefreshToken(f.Call, &api.GetTokensFromRefreshTokenRequest{ClientId: cl.ClientId, RefreshToken: out.AuthenticationResult.RefreshToken})
	fails(t, err, "NotAuthorizedException", "secret")
	old := out.AuthenticationResult.RefreshToken
	next, err := get(old)
	ok(t, err)
	_, err = get(old) // within the grace
	ok(t, err)
	f.Time = f.Time.Add(10 * time.Second)
	_, err = get(old)
	fails(t, err, "NotAuthorizedException", "Refresh Token has been revoked")
	_, err = get(next)
	ok(t, err)
	// The new one ends when the first would have.
	f.Time = f.Time.Add(30*24*time.Hour - 10*time.Second)
	_, err = get(next)
	fails(t, err, "NotAuthorizedException", "Refresh Token has expired")
}

func TestRevokeRefusals(t *testing.T) {
	f := newFixture(t, nil)
	cl, other := f.client(nil), f.client(nil)
	without := f.client(func(in *api.CreateUserPoolClientRequest) { in.EnableTokenRevocation = new(false) })
	secret := f.client(func(in *api.CreateUserPoolClientRequest) { in.GenerateSecret = new(true) })
	f.user("alice")
	r := f.signIn(cl, "alice")
	revoke := func(cl *api.UserPoolClientType, token *string, secret *string) error {
		_, err := f.RevokeToken(f.Call, &api.RevokeTokenRequest{ClientId: cl.ClientId, Token: token, ClientSecret: secret})
		return err
	}
	fails(t, revoke(cl, r.AccessToken, nil), "UnsupportedTokenTypeException", "Unsupported token type")
	fails(t, revoke(other, r.RefreshToken, nil), "UnauthorizedException", "")
	fails(t, revoke(without, r.RefreshToken, nil), "UnsupportedOperationException", "")
	fails(t, revoke(secret, r.RefreshToken, new("x")), "UnauthorizedException", "secret")
	ok(t, revoke(cl, new("nonsense"), nil))
}
