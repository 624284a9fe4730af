package cognitoidp_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
)

// app is what an authenticator app shows.
func (f *fixture) app(secret *string) *string {
	f.t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(*secret)
	ok(f.t, err)
	mac := hmac.New(sha1.New, key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(f.Time.Unix()/30)))
	sum := mac.Sum(nil)
	at := sum[19] & 15
	return new(fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%1_000_000))
}

func (f *fixture) mfa(in api.SetUserPoolMfaConfigRequest) {
	f.t.Helper()
	in.UserPoolId = &f.pool
	_, err := f.SetUserPoolMfaConfig(f.Call, &in)
	ok(f.t, err)
}

var withApps = &api.SoftwareTokenMfaConfigType{Enabled: new(true)}

// TestRequiredFactor has a user set an app up in order to sign in.
func TestRequiredFactor(t *testing.T) {
	f := newFixture(t, nil)
	cl := f.client(nil)
	f.user("alice")
	f.mfa(api.SetUserPoolMfaConfigRequest{MfaConfiguration: new("ON"), SoftwareTokenMfaConfiguration: withApps})
	begin := func() *api.InitiateAuthResponse {
		t.Helper()
		out, err := f.initiate(cl, "USER_PASSWORD_AUTH", "USERNAME", "alice", "PASSWORD", password)
		ok(t, err)
		if out.AuthenticationResult != nil {
			t.Fatal("signed in by a password alone")
		}
		return out
	}
	out := begin()
	if *out.ChallengeName != "MFA_SETUP" || out.ChallengeParameters["MFAS_CAN_SETUP"] != `["SOFTWARE_TOKEN_MFA"]` {
		t.Fatalf("%+v", out)
	}
	_, err := f.respond(cl, "MFA_SETUP", out.Session, "USERNAME", "alice")
	fails(t, err, "InvalidParameterException", "isn't set up yet")
	made, err := f.AssociateSoftwareToken(f.Call, &api.AssociateSoftwareTokenRequest{Session: out.Session})
	ok(t, err)
	_, err = f.VerifySoftwareToken(f.Call, &api.VerifySoftwareTokenRequest{Session: made.Session, UserCode: new("000000x")})
	fails(t, err, "EnableSoftwareTokenMFAException", "Code mismatch")
	seen, err := f.VerifySoftwareToken(f.Call, &api.VerifySoftwareTokenRequest{Session: made.Session, UserCode: f.app(made.SecretCode)})
	if err != nil || *seen.Status != "SUCCESS" {
		t.Fatalf("%+v, %v", seen, err)
	}
	done, err := f.respond(cl, "MFA_SETUP", seen.Session, "USERNAME", "alice")
	if err != nil || done.AuthenticationResult == nil {
		t.Fatalf("%+v, %v", done, err)
	}

	// From now on the app is asked for, by SRP as well, and each code works once.
	f.Time = f.Time.Add(time.Minute)
	out = begin()
	if *out.ChallengeName != "SOFTWARE_TOKEN_MFA" {
		t.Fatalf("%+v", out)
	}
	answer := func(session *string, code *string) error {
		_, err := f.respond(cl, "SOFTWARE_TOKEN_MFA", session, "USERNAME", "alice", "SOFTWARE_TOKEN_MFA_CODE", *code)
		return err
	}
	fails(t, answer(out.Session, new("nope")), "CodeMismatchException", "Invalid code received for user")
	ok(t, answer(out.Session, f.app(made.SecretCode)))
	fails(t, answer(out.Session, f.app(made.SecretCode)), "ExpiredCodeException", "already been used once")
	fails(t, answer(begin().Session, f.app(made.SecretCode)), "ExpiredCodeException", "already been used once")
	c := srpClient{f, cl}
	srp, err := c.signIn("alice", password)
	if err != nil || *srp.ChallengeName != "SOFTWARE_TOKEN_MFA" || srp.AuthenticationResult != nil {
		t.Fatalf("%+v, %v", srp, err)
	}
	f.Time = f.Time.Add(time.Minute)
	ok(t, answer(srp.Session, f.app(made.SecretCode)))
	// A session of one challenge answers no other.
	out = begin()
	_, err = f.respond(cl, "MFA_SETUP", out.Session, "USERNAME", "alice")
	fails(t, err, "NotAuthorizedException", "Invalid session")
	_, err = f.AssociateSoftwareToken(f.Call, &api.AssociateSoftwareTokenRequest{Session: out.Session})
	fails(t, err, "NotAuthorizedException", "Invalid session")
	// Guesses have an end.
	for range 5 {
		fails(t, answer(out.Session, new("nope")), "CodeMismatchException", "")
	}
	fails(t, answer(out.Session, f.app(made.SecretCode)), "NotAuthorizedException", "exceeded")

	// A new password doesn't go round it.
	_, err = f.AdminCreateUser(f.Call, &api.AdminCreateUserRequest{UserPoolId: &f.pool, Username: new("bob"), TemporaryPassword: new("Tempor4ry!")})
	ok(t, err)
	first, err := f.initiate(cl, "USER_PASSWORD_AUTH", "USERNAME", "bob", "PASSWORD", "Tempor4ry!")
	ok(t, err)
	next, err := f.respond(cl, "NEW_PASSWORD_REQUIRED", first.Session, "USERNAME", "bob", "NEW_PASSWORD", password)
	if err != nil || next.AuthenticationResult != nil || *next.ChallengeName != "MFA_SETUP" {
		t.Errorf("%+v, %v", next, err)
	}
	// The pages have it, too.
	p, _ := f.directory.Pool(f.pool)
	dc, _, _ := f.directory.Client(*cl.ClientId)
	step, err := f.Service.SignIn(f.Call, p, dc, "alice", password)
	if err != nil || step.Grant != nil || step.Challenge != "SOFTWARE_TOKEN_MFA" {
		t.Errorf("%+v, %v", step, err)
	}
	f.Time = f.Time.Add(2 * time.Minute)
	step, err = f.Answer(f.Call, p, dc, step.Challenge, step.Session, map[string]string{"USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": *f.app(made.SecretCode)})
	if err != nil || step.Grant == nil || !step.Grant.Hosted {
		t.Errorf("%+v, %v", step, err)
	}
}

// TestOptionalFactor has users choose.
func TestOptionalFactor(t *testing.T) {
	f := newFixture(t, nil)
	cl := f.client(nil)
	f.user("alice", attr("phone_number", "+4915112345678"))
	token := f.signIn(cl, "alice").AccessToken
	_, err := f.AssociateSoftwareToken(f.Call, &api.AssociateSoftwareTokenRequest{AccessToken: token})
	fails(t, err, "SoftwareTokenMFANotFoundException", "has not been enabled")
	sms := &api.SmsConfigurationType{SnsCallerArn: new("arn:aws:iam::123456789012:role/sns")}
	f.mfa(api.SetUserPoolMfaConfigRequest{MfaConfiguration: new("OPTIONAL"), SoftwareTokenMfaConfiguration: withApps, SmsMfaConfiguration: &api.SmsMfaConfigType{SmsConfiguration: sms}})
	f.signIn(cl, "alice")
	prefer := func(in api.SetUserMFAPreferenceRequest) error {
		in.AccessToken = token
		_, err := f.SetUserMFAPreference(f.Call, &in)
		return err
	}
	app := api.SetUserMFAPreferenceRequest{SoftwareTokenMfaSettings: &api.SoftwareTokenMfaSettingsType{Enabled: new(true), PreferredMfa: new(true)}}
	fails(t, prefer(app), "InvalidParameterException", "User has not verified software token mfa")
	fails(t, prefer(api.SetUserMFAPreferenceRequest{EmailMfaSettings: &api.EmailMfaSettingsType{Enabled: new(true)}}), "InvalidParameterException", "EMAIL_OTP")
	made, err := f.AssociateSoftwareToken(f.Call, &api.AssociateSoftwareTokenRequest{AccessToken: token})
	ok(t, err)
	_, err = f.VerifySoftwareToken(f.Call, &api.VerifySoftwareTokenRequest{AccessToken: token, UserCode: f.app(made.SecretCode)})
	ok(t, err)
	f.signIn(cl, "alice") // it isn't switched on
	ok(t, prefer(app))
	ok(t, prefer(api.SetUserMFAPreferenceRequest{SMSMfaSettings: &api.SMSMfaSettingsType{Enabled: new(true)}}))
	me, err := f.GetUser(f.Call, &api.GetUserRequest{AccessToken: token})
	if err != nil || *me.PreferredMfaSetting != "SOFTWARE_TOKEN_MFA" || len(me.UserMFASettingList) != 2 {
		t.Errorf("%+v, %v", me, err)
	}
	begin := func() *api.InitiateAuthResponse {
		t.Helper()
		out, err := f.initiate(cl, "USER_PASSWORD_AUTH", "USERNAME", "alice", "PASSWORD", password)
		ok(t, err)
		return out
	}
	if out := begin(); *out.ChallengeName != "SOFTWARE_TOKEN_MFA" {
		t.Errorf("%+v", out)
	}
	_, err = f.AdminDeleteSoftwareToken(f.Call, &api.AdminDeleteSoftwareTokenRequest{UserPoolId: &f.pool, Username: new("alice")})
	ok(t, err)
	out := begin()
	if *out.ChallengeName != "SMS_MFA" || out.ChallengeParameters["CODE_DELIVERY_DESTINATION"] != "+*********5678" {
		t.Fatalf("%+v", out)
	}
	_, err = f.respond(cl, "SMS_MFA", out.Session, "USERNAME", "alice", "SMS_MFA_CODE", "nope")
	fails(t, err, "CodeMismatchException", "")
	done, err := f.respond(cl, "SMS_MFA", out.Session, "USERNAME", "alice", "SMS_MFA_CODE", *f.lastCode())
	if err != nil || done.AuthenticationResult == nil {
		t.Fatalf("%+v, %v", done, err)
	}
	_, err = f.AdminSetUserMFAPreference(f.Call, &api.AdminSetUserMFAPreferenceRequest{UserPoolId: &f.pool, Username: new("alice"), SMSMfaSettings: &api.SMSMfaSettingsType{Enabled: new(false)}})
	ok(t, err)
	f.signIn(cl, "alice")
}
