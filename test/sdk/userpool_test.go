package sdk

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go/aws/awserr"                      //nolint:SA1019 // the client of Terraform's provider before 5.72
	v1credentials "github.com/aws/aws-sdk-go/aws/credentials"   //nolint:SA1019 // the client of Terraform's provider before 5.72
	"github.com/aws/aws-sdk-go/aws/session"                     //nolint:SA1019 // the client of Terraform's provider before 5.72
	"github.com/aws/aws-sdk-go/service/cognitoidentityprovider" //nolint:SA1019 // the client of Terraform's provider before 5.72

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	v1aws "github.com/aws/aws-sdk-go/aws" //nolint:SA1019 // the client of Terraform's provider before 5.72

	"gatehouse/test/harness"
)

func userPools(t *testing.T, gw *harness.Gateway) *cognitoidentityprovider.CognitoIdentityProvider {
	t.Helper()
	s := must(session.NewSession(&v1aws.Config{
		Endpoint: &gw.URL, Region: new(region), Credentials: v1credentials.NewStaticCredentials("test", "test", ""), MaxRetries: new(0),
	}))(t)
	return cognitoidentityprovider.New(s)
}

// alike wants two answers to be alike, so that a second plan is empty.
func alike(t *testing.T, what string, first, second any) {
	t.Helper()
	if !reflect.DeepEqual(first, second) {
		a, _ := json.MarshalIndent(first, "", " ")
		b, _ := json.MarshalIndent(second, "", " ")
		t.Errorf("%s\n%s\nthen\n%s", what, a, b)
	}
}

// TestUserPoolsByTerraform makes the calls that Terraform's AWS provider makes
// for aws_cognito_user_pool and what goes into one: created, read twice, changed,
// deleted.
func TestUserPoolsByTerraform(t *testing.T) {
	gw := harness.Start(t, "")
	c := userPools(t, gw)
	text := cognitoidentityprovider.AttributeDataTypeString

	// aws_cognito_user_pool.
	pool := must(c.CreateUserPool(&cognitoidentityprovider.CreateUserPoolInput{
		PoolName: new("shop"), UsernameAttributes: v1aws.StringSlice([]string{"email"}), AutoVerifiedAttributes: v1aws.StringSlice([]string{"email"}),
		DeletionProtection: new("INACTIVE"), UserPoolTags: v1aws.StringMap(map[string]string{"team": "shop"}),
		Policies: &cognitoidentityprovider.UserPoolPolicyType{PasswordPolicy: &cognitoidentityprovider.PasswordPolicyType{
			MinimumLength: new(int64(10)), RequireLowercase: new(true), RequireNumbers: new(false), RequireSymbols: new(false), RequireUppercase: new(false),
			TemporaryPasswordValidityDays: new(int64(0))}},
		Schema: []*cognitoidentityprovider.SchemaAttributeType{{
			Name: new("tenant"), AttributeDataType: &text, DeveloperOnlyAttribute: new(false), Mutable: new(true), Required: new(false),
			StringAttributeConstraints: &cognitoidentityprovider.StringAttributeConstraintsType{MinLength: new("1"), MaxLength: new("64")}}},
	}))(t).UserPool.Id
	must(c.SetUserPoolMfaConfig(&cognitoidentityprovider.SetUserPoolMfaConfigInput{UserPoolId: pool, MfaConfiguration: new("OPTIONAL"),
		SoftwareTokenMfaConfiguration: &cognitoidentityprovider.SoftwareTokenMfaConfigType{Enabled: new(true)}}))(t)
	describe := func() (*cognitoidentityprovider.UserPoolType, *cognitoidentityprovider.GetUserPoolMfaConfigOutput) {
		t.Helper()
		p := must(c.DescribeUserPool(&cognitoidentityprovider.DescribeUserPoolInput{UserPoolId: pool}))(t).UserPool
		return p, must(c.GetUserPoolMfaConfig(&cognitoidentityprovider.GetUserPoolMfaConfigInput{UserPoolId: pool}))(t)
	}
	p, mfa := describe()
	// What the provider dereferences, and what it would call a change.
	policy := p.Policies.PasswordPolicy
	if p.CreationDate.IsZero() || p.LastModifiedDate.IsZero() || *policy.MinimumLength != 10 || *policy.RequireSymbols || *policy.TemporaryPasswordValidityDays != 7 ||
		*p.Arn != "arn:aws:cognito-idp:"+region+":"+account+":userpool/"+*pool || *p.UserPoolTags["team"] != "shop" || p.UsernameConfiguration != nil ||
		p.UserPoolAddOns != nil || p.DeviceConfiguration != nil || p.SmsConfiguration != nil || *p.VerificationMessageTemplate.DefaultEmailOption != "CONFIRM_WITH_CODE" {
		t.Errorf("pool %v", p)
	}
	if *mfa.MfaConfiguration != "OPTIONAL" || !*mfa.SoftwareTokenMfaConfiguration.Enabled || mfa.SmsMfaConfiguration != nil {
		t.Errorf("MFA %v", mfa)
	}
	custom := p.SchemaAttributes[len(p.SchemaAttributes)-1]
	if len(p.SchemaAttributes) != 21 || *custom.Name != "custom:tenant" || *custom.StringAttributeConstraints.MaxLength != "64" {
		t.Errorf("schema %v", p.SchemaAttributes)
	}
	again, _ := describe()
	alike(t, "pool", p, again)

	// aws_cognito_resource_server, aws_cognito_user_pool_client, _domain.
	must(c.CreateResourceServer(&cognitoidentityprovider.CreateResourceServerInput{UserPoolId: pool, Identifier: new("https://api.shop"), Name: new("api"),
		Scopes: []*cognitoidentityprovider.ResourceServerScopeType{{ScopeName: new("read"), ScopeDescription: new("r")}}}))(t)
	server := must(c.DescribeResourceServer(&cognitoidentityprovider.DescribeResourceServerInput{UserPoolId: pool, Identifier: new("https://api.shop")}))(t)
	if *server.ResourceServer.Scopes[0].ScopeName != "read" {
		t.Errorf("%v", server)
	}
	created := must(c.CreateUserPoolClient(&cognitoidentityprovider.CreateUserPoolClientInput{UserPoolId: pool, ClientName: new("web"), GenerateSecret: new(true),
		AllowedOAuthFlowsUserPoolClient: new(true), AllowedOAuthFlows: v1aws.StringSlice([]string{"code"}),
		AllowedOAuthScopes: v1aws.StringSlice([]string{"openid", "https://api.shop/read"}), CallbackURLs: v1aws.StringSlice([]string{"https://shop.example/back"}),
		ExplicitAuthFlows: v1aws.StringSlice([]string{"ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"}), SupportedIdentityProviders: v1aws.StringSlice([]string{"COGNITO"})}))(t).UserPoolClient
	read := must(c.DescribeUserPoolClient(&cognitoidentityprovider.DescribeUserPoolClientInput{UserPoolId: pool, ClientId: created.ClientId}))(t).UserPoolClient
	alike(t, "client", created, read)
	if *read.RefreshTokenValidity != 30 || *read.AuthSessionValidity != 3 || !*read.EnableTokenRevocation || read.TokenValidityUnits != nil || *read.ClientSecret == "" {
		t.Errorf("client %v", read)
	}
	updated := must(c.UpdateUserPoolClient(&cognitoidentityprovider.UpdateUserPoolClientInput{UserPoolId: pool, ClientId: created.ClientId, ClientName: new("web"),
		RefreshTokenValidity: new(int64(5)), EnableTokenRevocation: new(true), AuthSessionValidity: new(int64(3)),
		AllowedOAuthFlowsUserPoolClient: new(false), EnablePropagateAdditionalUserContextData: new(false)}))(t).UserPoolClient
	if *updated.RefreshTokenValidity != 5 || *updated.ClientSecret != *created.ClientSecret || updated.CallbackURLs != nil {
		t.Errorf("client %v", updated)
	}
	must(c.CreateUserPoolDomain(&cognitoidentityprovider.CreateUserPoolDomainInput{UserPoolId: pool, Domain: new("shop")}))(t)
	domain := must(c.DescribeUserPoolDomain(&cognitoidentityprovider.DescribeUserPoolDomainInput{Domain: new("shop")}))(t).DomainDescription
	if *domain.Status != "ACTIVE" || *domain.UserPoolId != *pool || *domain.AWSAccountId != account || domain.S3Bucket == nil || domain.Version == nil || domain.CloudFrontDistribution == nil {
		t.Errorf("domain %v", domain)
	}

	// aws_cognito_user_group, aws_cognito_user, aws_cognito_user_in_group.
	must(c.CreateGroup(&cognitoidentityprovider.CreateGroupInput{UserPoolId: pool, GroupName: new("buyers")}))(t)
	must(c.GetGroup(&cognitoidentityprovider.GetGroupInput{UserPoolId: pool, GroupName: new("buyers")}))(t)
	user := new("alice@example.com")
	must(c.AdminCreateUser(&cognitoidentityprovider.AdminCreateUserInput{UserPoolId: pool, Username: user,
		UserAttributes: []*cognitoidentityprovider.AttributeType{{Name: new("custom:tenant"), Value: new("7")}}}))(t)
	must(c.AdminSetUserPassword(&cognitoidentityprovider.AdminSetUserPasswordInput{UserPoolId: pool, Username: user, Password: new("password10"), Permanent: new(true)}))(t)
	u := must(c.AdminGetUser(&cognitoidentityprovider.AdminGetUserInput{UserPoolId: pool, Username: user}))(t)
	if !*u.Enabled || *u.UserStatus != "CONFIRMED" || u.UserCreateDate.IsZero() || u.UserLastModifiedDate.IsZero() {
		t.Errorf("user %v", u)
	}
	must(c.AdminAddUserToGroup(&cognitoidentityprovider.AdminAddUserToGroupInput{UserPoolId: pool, Username: user, GroupName: new("buyers")}))(t)
	if list := must(c.AdminListGroupsForUser(&cognitoidentityprovider.AdminListGroupsForUserInput{UserPoolId: pool, Username: user}))(t); len(list.Groups) != 1 {
		t.Errorf("groups %v", list)
	}

	// A change of the pool, which names everything that the configuration does;
	// its tags go another way.
	must(c.UpdateUserPool(&cognitoidentityprovider.UpdateUserPoolInput{UserPoolId: pool, AutoVerifiedAttributes: v1aws.StringSlice([]string{"email"}),
		DeletionProtection: new("INACTIVE"), MfaConfiguration: new("OPTIONAL"), Policies: &cognitoidentityprovider.UserPoolPolicyType{PasswordPolicy: policy},
		AccountRecoverySetting: p.AccountRecoverySetting, EmailVerificationSubject: new("Welcome")}))(t)
	must(c.TagResource(&cognitoidentityprovider.TagResourceInput{ResourceArn: p.Arn, Tags: v1aws.StringMap(map[string]string{"env": "dev"})}))(t)
	after, mfa := describe()
	if *after.EmailVerificationSubject != "Welcome" || len(after.UserPoolTags) != 2 || *after.Domain != "shop" || *mfa.MfaConfiguration != "OPTIONAL" || *after.EstimatedNumberOfUsers != 1 {
		t.Errorf("pool %v, MFA %v", after, mfa)
	}

	// Gone, and found to be gone by the codes that the provider looks for.
	must(c.AdminRemoveUserFromGroup(&cognitoidentityprovider.AdminRemoveUserFromGroupInput{UserPoolId: pool, Username: user, GroupName: new("buyers")}))(t)
	must(c.AdminDeleteUser(&cognitoidentityprovider.AdminDeleteUserInput{UserPoolId: pool, Username: user}))(t)
	must(c.DeleteGroup(&cognitoidentityprovider.DeleteGroupInput{UserPoolId: pool, GroupName: new("buyers")}))(t)
	must(c.DeleteUserPoolClient(&cognitoidentityprovider.DeleteUserPoolClientInput{UserPoolId: pool, ClientId: created.ClientId}))(t)
	must(c.DeleteResourceServer(&cognitoidentityprovider.DeleteResourceServerInput{UserPoolId: pool, Identifier: new("https://api.shop")}))(t)
	must(c.DeleteUserPoolDomain(&cognitoidentityprovider.DeleteUserPoolDomainInput{UserPoolId: pool, Domain: new("shop")}))(t)
	if gone := must(c.DescribeUserPoolDomain(&cognitoidentityprovider.DescribeUserPoolDomainInput{Domain: new("shop")}))(t); gone.DomainDescription.Status != nil {
		t.Errorf("domain %v", gone)
	}
	must(c.DeleteUserPool(&cognitoidentityprovider.DeleteUserPoolInput{UserPoolId: pool}))(t)
	for _, err := range []error{
		second(c.DescribeUserPool(&cognitoidentityprovider.DescribeUserPoolInput{UserPoolId: pool})),
		second(c.DescribeUserPoolClient(&cognitoidentityprovider.DescribeUserPoolClientInput{UserPoolId: pool, ClientId: created.ClientId})),
	} {
		var e awserr.Error
		if !errors.As(err, &e) || e.Code() != "ResourceNotFoundException" {
			t.Errorf("%v, want ResourceNotFoundException", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestAmplify signs users in with amazon-cognito-identity-js, the client of web
// pages, which `make js` installs: by SRP, among other things.
func TestAmplify(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node isn't installed")
	}
	if _, err := os.Stat(filepath.Join("js", "node_modules", "amazon-cognito-identity-js")); err != nil {
		t.Skip("amazon-cognito-identity-js isn't installed: make js")
	}
	gw := harness.Start(t, "")
	c := userPools(t, gw)
	pool := must(c.CreateUserPool(&cognitoidentityprovider.CreateUserPoolInput{PoolName: new("web"), AliasAttributes: v1aws.StringSlice([]string{"email"}),
		AutoVerifiedAttributes: v1aws.StringSlice([]string{"email"})}))(t).UserPool.Id
	client := must(c.CreateUserPoolClient(&cognitoidentityprovider.CreateUserPoolClientInput{UserPoolId: pool, ClientName: new("web")}))(t).UserPoolClient.ClientId
	for _, name := range []string{"alice", "bob"} {
		must(c.AdminCreateUser(&cognitoidentityprovider.AdminCreateUserInput{UserPoolId: pool, Username: &name, TemporaryPassword: new("Tempor4ry!"),
			UserAttributes: []*cognitoidentityprovider.AttributeType{{Name: new("email"), Value: new(name + "@example.com")}, {Name: new("email_verified"), Value: new("true")}}}))(t)
	}
	must(c.AdminSetUserPassword(&cognitoidentityprovider.AdminSetUserPasswordInput{UserPoolId: pool, Username: new("alice"), Password: new("Passw0rd!"), Permanent: new(true)}))(t)
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join("js", "userpool.mjs"))
	cmd.Env = append(os.Environ(), "ENDPOINT="+gw.URL, "POOL="+*pool, "CLIENT="+*client)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\n%s", err, out, gw.Logs())
	}
}

const poolFunction = `exports.handler = async (event) => {
  if (event.userName === 'refused') throw new Error('not ' + event.userName);
  if (event.triggerSource.startsWith('PreSignUp')) event.response.autoConfirmUser = true;
  if (event.triggerSource.startsWith('TokenGeneration')) event.response = { claimsOverrideDetails: { claimsToAddOrOverride: { plan: 'gold' } } };
  return event;
};`

// TestUserPoolFunctions has a real function confirm who signs up and add a claim,
// and the gateway be as strict about its policy as it was told to be.
func TestUserPoolFunctions(t *testing.T) {
	for _, strict := range []bool{false, true} {
		t.Run(map[bool]string{false: "warned", true: "strict"}[strict], func(t *testing.T) {
			var args []string
			if strict {
				args = []string{"--strict-permissions"}
			}
			gw := harness.Start(t, "", args...)
			f, c := functionsOf(t, gw), userPools(t, gw)
			f.create(t, zipOf(t, "index.js", poolFunction), nil)
			pool := must(c.CreateUserPool(&cognitoidentityprovider.CreateUserPoolInput{PoolName: new("p"),
				LambdaConfig: &cognitoidentityprovider.LambdaConfigType{PreSignUp: new(functionARN), PreTokenGeneration: new(functionARN)}}))(t).UserPool
			client := must(c.CreateUserPoolClient(&cognitoidentityprovider.CreateUserPoolClientInput{UserPoolId: pool.Id, ClientName: new("c"),
				ExplicitAuthFlows: v1aws.StringSlice([]string{"ALLOW_USER_PASSWORD_AUTH"})}))(t).UserPoolClient.ClientId
			signUp := func(name string) (*cognitoidentityprovider.SignUpOutput, error) {
				return c.SignUp(&cognitoidentityprovider.SignUpInput{ClientId: client, Username: &name, Password: new("Passw0rd!")})
			}
			if strict {
				_, err := signUp("alice")
				failed(t, err, "UnexpectedLambdaException", "PreSignUp invocation failed due to error: AccessDeniedException.")
				must(f.AddPermission(t.Context(), &lambda.AddPermissionInput{FunctionName: new("hello"), StatementId: new("pool"), Action: new("lambda:InvokeFunction"),
					Principal: new("cognito-idp.amazonaws.com"), SourceArn: pool.Arn}))(t)
			}
			if out := must(signUp("alice"))(t); !*out.UserConfirmed {
				t.Error("not confirmed")
			}
			_, err := signUp("refused")
			failed(t, err, "UserLambdaValidationException", "PreSignUp failed with error not refused.")
			out := must(c.InitiateAuth(&cognitoidentityprovider.InitiateAuthInput{ClientId: client, AuthFlow: new("USER_PASSWORD_AUTH"),
				AuthParameters: v1aws.StringMap(map[string]string{"USERNAME": "alice", "PASSWORD": "Passw0rd!"})}))(t)
			body := must(base64.RawURLEncoding.DecodeString(strings.Split(*out.AuthenticationResult.IdToken, ".")[1]))(t)
			if !strings.Contains(string(body), `"plan":"gold"`) {
				t.Errorf("%s", body)
			}
			if warned := strings.Count(gw.Logs(), "--principal cognito-idp.amazonaws.com"); warned != map[bool]int{false: 1, true: 0}[strict] {
				t.Errorf("the fix is named %d times\n%s", warned, gw.Logs())
			}
			if strings.Contains(gw.Logs(), "Passw0rd!") || strings.Contains(gw.Logs(), *out.AuthenticationResult.RefreshToken) {
				t.Error("a password or a token is in the log")
			}
		})
	}
}

func failed(t *testing.T, err error, code, message string) {
	t.Helper()
	var e awserr.Error
	if !errors.As(err, &e) || e.Code() != code || e.Message() != message {
		t.Errorf("%v, want %s: %s", err, code, message)
	}
}
