package cognitoidp_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/cognitoidp"
)

// triggers has a pool invoke functions.
func (f *fixture) triggers(config api.LambdaConfigType) {
	f.t.Helper()
	_, err := f.UpdateUserPool(f.Call, &api.UpdateUserPoolRequest{UserPoolId: &f.pool, LambdaConfig: &config, AutoVerifiedAttributes: []string{"email"}})
	ok(f.t, err)
}

type object = map[string]any

func TestSignUpTriggers(t *testing.T) {
	f := newFixture(t, nil)
	cl := f.client(nil)
	var seen object
	config := api.LambdaConfigType{
		PreSignUp: f.functions.on("pre", func(e object) (any, string) {
			seen = e
			switch e["userName"] {
			case "refused":
				return nil, "not you"
			case "odd":
				return "[", ""
			case "nothing":
				return "{}", ""
			}
			return object{"autoConfirmUser": true, "autoVerifyEmail": true, "autoVerifyPhone": false}, ""
		}),
		PostConfirmation: f.functions.on("post", func(e object) (any, string) { return object{}, "" }),
	}
	f.triggers(config)
	out, err := f.SignUp(f.Call, &api.SignUpRequest{ClientId: cl.ClientId, Username: new("alice"), Password: new(password),
		UserAttributes: []api.AttributeType{attr("email", "a@example.com")}, ValidationData: []api.AttributeType{attr("k", "v")}, ClientMetadata: map[string]string{"m": "n"}})
	ok(t, err)
	if !*out.UserConfirmed || out.CodeDeliveryDetails != nil || f.status("alice") != "CONFIRMED" || f.attribute("alice", "email_verified") != "true" || len(f.codes) != 0 {
		t.Errorf("%+v", out)
	}
	want := object{
		"version": "1", "triggerSource": "PreSignUp_SignUp", "region": "eu-central-1", "userPoolId": f.pool, "userName": "alice",
		"callerContext": object{"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": *cl.ClientId},
		"request":       object{"userAttributes": object{"email": "a@example.com"}, "validationData": object{"k": "v"}, "clientMetadata": object{"m": "n"}},
		"response":      object{"autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false},
	}
	if !reflect.DeepEqual(seen, want) {
		t.Errorf("event\n%v\nwant\n%v", seen, want)
	}
	if !f.functions.saw("PostConfirmation_ConfirmSignUp") {
		t.Error("no post confirmation")
	}
	_, err = f.signUp(cl, "refused")
	fails(t, err, "UserLambdaValidationException", "PreSignUp failed with error not you.")
	_, err = f.signUp(cl, "odd")
	fails(t, err, "InvalidLambdaResponseException", "Unrecognizable lambda output")
	if out, err := f.signUp(cl, "nothing"); err != nil || *out.UserConfirmed {
		t.Errorf("%+v, %v", out, err)
	}
	_, err = f.signUp(cl, "bob") // has no email to verify
	fails(t, err, "InvalidLambdaResponseException", "email")
	f.functions.err = errors.New("secret reason")
	_, err = f.signUp(cl, "carl")
	fails(t, err, "UnexpectedLambdaException", "PreSignUp invocation failed")
	if strings.Contains(err.Error(), "secret reason") {
		t.Error("an inner error is told to a client")
	}
	for _, name := range []string{"refused", "odd", "bob", "carl"} {
		_, err := f.get(name)
		fails(t, err, "UserNotFoundException", "")
	}
}

func TestTokenTriggers(t *testing.T) {
	f := newFixture(t, nil)
	cl := f.client(nil)
	f.user("alice", attr("email", "a@example.com"))
	_, err := f.CreateGroup(f.Call, &api.CreateGroupRequest{UserPoolId: &f.pool, GroupName: new("g")})
	ok(t, err)
	ok(t, f.AdminAddUserToGroup(f.Call, &api.AdminAddUserToGroupRequest{UserPoolId: &f.pool, Username: new("alice"), GroupName: new("g")}))
	var seen object
	one := f.functions.on("one", func(e object) (any, string) {
		seen = e
		return object{"claimsOverrideDetails": object{
			"claimsToAddOrOverride": object{"plan": "gold", "sub": "x", "cognito:groups": "y"}, "claimsToSuppress": []string{"email", "aud"},
			"groupOverrideDetails": object{"groupsToOverride": []string{"h"}},
		}, "claimsAndScopeOverrideDetails": object{"accessTokenGeneration": object{"scopesToAdd": []string{"all"}}}}, ""
	})
	f.triggers(api.LambdaConfigType{PreTokenGeneration: one, PreAuthentication: f.functions.on("pre", func(e object) (any, string) { return object{}, "" }),
		PostAuthentication: f.functions.on("post", func(e object) (any, string) { return object{}, "" })})
	r := f.signIn(cl, "alice")
	id, access := claimsOf(t, r.IdToken), claimsOf(t, r.AccessToken)
	if id["plan"] != "gold" || id["email"] != nil || id["aud"] != *cl.ClientId || id["sub"] == "x" || !reflect.DeepEqual(id["cognito:groups"], []any{"h"}) ||
		access["plan"] != nil || access["scope"] != "aws.cognito.signin.user.admin" || !reflect.DeepEqual(access["cognito:groups"], []any{"h"}) {
		t.Errorf("%v\n%v", id, access)
	}
	groups := seen["request"].(object)["groupConfiguration"]
	if !reflect.DeepEqual(groups, object{"groupsToOverride": []any{"g"}, "iamRolesToOverride": []any{}, "preferredRole": nil}) || seen["version"] != "1" {
		t.Errorf("%v", seen)
	}
	if want := []string{"PreAuthentication_Authentication", "PostAuthentication_Authentication", "TokenGeneration_Authentication"}; !slices.Equal(f.functions.sources, want) {
		t.Errorf("%v", f.functions.sources)
	}
	_, err = f.initiate(cl, "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN", *r.RefreshToken)
	ok(t, err)
	if !f.functions.saw("TokenGeneration_RefreshTokens") {
		t.Errorf("%v", f.functions.sources)
	}

	two := f.functions.on("two", func(e object) (any, string) {
		seen = e
		return object{"claimsAndScopeOverrideDetails": object{
			"idTokenGeneration": object{"claimsToAddOrOverride": object{"n": 7, "list": []int{1}}},
			"accessTokenGeneration": object{"claimsToAddOrOverride": object{"tenant": object{"id": 1}}, "scopesToAdd": []string{"api/read", "two words"},
				"scopesToSuppress": []string{"aws.cognito.signin.user.admin"}},
		}}, ""
	})
	f.triggers(api.LambdaConfigType{PreTokenGenerationConfig: &api.PreTokenGenerationVersionConfigType{LambdaArn: two, LambdaVersion: new("V2_0")}})
	r = f.signIn(cl, "alice")
	id, access = claimsOf(t, r.IdToken), claimsOf(t, r.AccessToken)
	text, err := json.Marshal([]any{id["n"], id["list"], access["tenant"], access["scope"], access["cognito:groups"]})
	ok(t, err)
	if string(text) != `[7,[1],{"id":1},"api/read",["g"]]` || seen["version"] != "2" || seen["request"].(object)["scopes"] == nil {
		t.Errorf("%s, %v", text, seen)
	}
}

func TestCustomAuth(t *testing.T) {
	f := newFixture(t, nil)
	cl := f.client(nil)
	f.user("alice")
	f.triggers(api.LambdaConfigType{
		DefineAuthChallenge: f.functions.on("define", func(e object) (any, string) {
			session := e["request"].(object)["session"].([]any)
			wrong := 0
			for _, c := range session {
				if !c.(object)["challengeResult"].(bool) {
					wrong++
				}
			}
			switch {
			case wrong == 2:
				return object{"failAuthentication": true, "issueTokens": false}, ""
			case len(session) == 1 && session[0].(object)["challengeName"] == "SRP_A":
				return object{"challengeName": "PASSWORD_VERIFIER"}, ""
			case len(session) > 0 && session[len(session)-1].(object)["challengeName"] == "CUSTOM_CHALLENGE" && wrong < len(session):
				return object{"issueTokens": true}, ""
			}
			return object{"challengeName": "CUSTOM_CHALLENGE"}, ""
		}),
		CreateAuthChallenge: f.functions.on("create", func(e object) (any, string) {
			return object{"publicChallengeParameters": object{"q": "2+2"}, "privateChallengeParameters": object{"a": "4"}, "challengeMetadata": "SUM"}, ""
		}),
		VerifyAuthChallengeResponse: f.functions.on("verify", func(e object) (any, string) {
			r := e["request"].(object)
			return object{"answerCorrect": r["privateChallengeParameters"].(object)["a"] == r["challengeAnswer"]}, ""
		}),
	})
	out, err := f.initiate(cl, "CUSTOM_AUTH", "USERNAME", "alice")
	ok(t, err)
	if *out.ChallengeName != "CUSTOM_CHALLENGE" || out.ChallengeParameters["q"] != "2+2" || out.ChallengeParameters["a"] != "" || strings.Contains(*out.Session, `"a":"4"`) {
		t.Fatalf("%+v", out)
	}
	wrong, err := f.respond(cl, "CUSTOM_CHALLENGE", out.Session, "USERNAME", "alice", "ANSWER", "5")
	if err != nil || *wrong.ChallengeName != "CUSTOM_CHALLENGE" {
		t.Fatalf("%+v, %v", wrong, err)
	}
	_, err = f.respond(cl, "CUSTOM_CHALLENGE", out.Session, "USERNAME", "alice", "ANSWER", "4")
	fails(t, err, "NotAuthorizedException", "session can only be used once")
	_, err = f.respond(cl, "CUSTOM_CHALLENGE", wrong.Session, "USERNAME", "alice", "ANSWER", "5")
	fails(t, err, "NotAuthorizedException", "Incorrect username or password.")
	out, err = f.initiate(cl, "CUSTOM_AUTH", "USERNAME", "alice")
	ok(t, err)
	_, err = f.respond(cl, "NEW_PASSWORD_REQUIRED", out.Session, "USERNAME", "alice", "NEW_PASSWORD", "An0ther!")
	fails(t, err, "NotAuthorizedException", "Invalid session")
	_, err = f.respond(cl, "CUSTOM_CHALLENGE", out.Session, "USERNAME", "alice")
	fails(t, err, "InvalidParameterException", "Missing required parameter ANSWER")
	done, err := f.respond(cl, "CUSTOM_CHALLENGE", out.Session, "USERNAME", "alice", "ANSWER", "4")
	if err != nil || done.AuthenticationResult == nil {
		t.Fatalf("%+v, %v", done, err)
	}

	// After the password, by SRP.
	c := srpClient{f, cl}
	out, err = f.initiate(cl, "CUSTOM_AUTH", "USERNAME", "alice", "CHALLENGE_NAME", "SRP_A", "SRP_A", "2")
	ok(t, err)
	next, err := f.respond(cl, *out.ChallengeName, out.Session, c.claim(out.ChallengeParameters, password)...)
	if err != nil || *next.ChallengeName != "CUSTOM_CHALLENGE" {
		t.Fatalf("%+v, %v", next, err)
	}
	done, err = f.respond(cl, "CUSTOM_CHALLENGE", next.Session, "USERNAME", "alice", "ANSWER", "4")
	if err != nil || done.AuthenticationResult == nil {
		t.Fatalf("%+v, %v", done, err)
	}
}
