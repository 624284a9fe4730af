package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	v2 "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// An authAPI makes HTTP APIs in front of the backend that differ in who may use
// their routes.
type authAPI struct {
	config  aws.Config
	backend string
}

// create creates an API whose routes are those of route, which authorizer
// creates one for if that is set. It returns the API's host.
func (a authAPI) create(ctx context.Context, route apigatewayv2.CreateRouteInput, authorizer *apigatewayv2.CreateAuthorizerInput) (host string, err error) {
	client := apigatewayv2.NewFromConfig(a.config)
	api, err := client.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: aws.String("bench"), ProtocolType: v2.ProtocolTypeHttp, CorsConfiguration: cors()})
	if err != nil {
		return "", err
	}
	if authorizer != nil {
		authorizer.ApiId, authorizer.Name = api.ApiId, aws.String("bench")
		made, err := client.CreateAuthorizer(ctx, authorizer)
		if err != nil {
			return "", err
		}
		route.AuthorizerId = made.AuthorizerId
	}
	p := proxyAPI{backend: a.backend, routes: routes, guarded: route}
	if err := p.createRoutes(ctx, client, *api.ApiId); err != nil {
		return "", err
	}
	return hostOf(*api.ApiId), createStage(ctx, client, *api.ApiId)
}

// open lets everyone pass. The requests bring a token all the same: the backend
// gets what the others' backend gets.
func (a authAPI) open(ctx context.Context, i *issuer) (subject, error) {
	host, err := a.create(ctx, apigatewayv2.CreateRouteInput{}, nil)
	if err != nil {
		return subject{}, err
	}
	token, err := i.token(0)
	return subject{host: host, note: "the same request with a token that nobody looks at", identify: header("Authorization", "Bearer "+token)}, err
}

// jwt guards with a JWT authorizer; as many tokens come in turns.
func (a authAPI) jwt(ctx context.Context, i *issuer, tokens int) (subject, error) {
	host, err := a.create(ctx, apigatewayv2.CreateRouteInput{AuthorizationType: v2.AuthorizationTypeJwt, AuthorizationScopes: []string{"items:read"}}, &apigatewayv2.CreateAuthorizerInput{
		AuthorizerType: v2.AuthorizerTypeJwt, IdentitySource: []string{"$request.header.Authorization"},
		JwtConfiguration: &v2.JWTConfiguration{Issuer: &i.url, Audience: []string{audience}},
	})
	if err != nil {
		return subject{}, err
	}
	made := make([]string, tokens)
	err = parallel(ctx, tokens, func(_ context.Context, n int) error {
		token, err := i.token(n)
		made[n] = "Authorization: Bearer " + token + "\r\n"
		return err
	})
	return subject{host: host, note: "RS256, a scope", identify: inTurns(made)}, err
}

// iam guards with signatures, each of one route.
func (a authAPI) iam(ctx context.Context, user aws.Credentials) (subject, error) {
	host, err := a.create(ctx, apigatewayv2.CreateRouteInput{AuthorizationType: v2.AuthorizationTypeAwsIam}, nil)
	if err != nil {
		return subject{}, err
	}
	signed, err := signRoutes(ctx, user, host, "")
	return subject{host: host, note: "SigV4, a user's policy", identify: byRoute(signed)}, err
}

// lambda guards with a function whose answer is kept.
func (a authAPI) lambda(ctx context.Context, function string) (subject, error) {
	host, err := a.create(ctx, apigatewayv2.CreateRouteInput{AuthorizationType: v2.AuthorizationTypeCustom}, &apigatewayv2.CreateAuthorizerInput{
		AuthorizerType: v2.AuthorizerTypeRequest, IdentitySource: []string{"$request.header.Authorization"}, AuthorizerUri: aws.String(invocationURI(function)),
		AuthorizerPayloadFormatVersion: aws.String("2.0"), EnableSimpleResponses: aws.Bool(true), AuthorizerResultTtlInSeconds: aws.Int32(3600),
	})
	return subject{host: host, note: "simple response", identify: header("Authorization", "allow")}, err
}

// An authREST makes REST APIs in front of the backend that differ in who may
// call their methods.
type authREST struct {
	config  aws.Config
	backend string
}

// create imports an API whose methods have the members of method, and whose
// security schemes those of schemes. It returns the API's id.
func (a authREST) create(ctx context.Context, method, schemes string) (string, error) {
	document := restAPI{methods: routes, integration: restProxy(a.backend), method: method, schemes: schemes}
	host, err := document.create(ctx, a.config)
	return strings.TrimSuffix(host, hostOf("")), err
}

func (a authREST) subject(id, note string, identify func([]byte, int, int) []byte) subject {
	return subject{host: hostOf(id), prefix: "/" + restStage, note: note, identify: identify}
}

func (a authREST) open(ctx context.Context, i *issuer) (subject, error) {
	id, err := a.create(ctx, "", "")
	if err != nil {
		return subject{}, err
	}
	token, err := i.token(0)
	return a.subject(id, "the same request with a token that nobody looks at", header("Authorization", "Bearer "+token)), err
}

// key guards with an API key, of a plan whose throttle and quota nothing trips.
func (a authREST) key(ctx context.Context) (subject, error) {
	id, err := a.create(ctx, `"security": [{"api_key": []}],`, `"api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"}`)
	if err != nil {
		return subject{}, err
	}
	client := apigateway.NewFromConfig(a.config)
	key, err := client.CreateApiKey(ctx, &apigateway.CreateApiKeyInput{Name: aws.String("bench"), Enabled: true})
	if err != nil {
		return subject{}, err
	}
	plan, err := client.CreateUsagePlan(ctx, &apigateway.CreateUsagePlanInput{
		Name: aws.String("bench"), ApiStages: []types.ApiStage{{ApiId: &id, Stage: aws.String(restStage)}},
		Throttle: &types.ThrottleSettings{RateLimit: rateLimit, BurstLimit: burstLimit},
		Quota:    &types.QuotaSettings{Limit: 1_000_000_000, Period: types.QuotaPeriodTypeMonth},
	})
	if err != nil {
		return subject{}, err
	}
	_, err = client.CreateUsagePlanKey(ctx, &apigateway.CreateUsagePlanKeyInput{UsagePlanId: plan.Id, KeyId: key.Id, KeyType: aws.String("API_KEY")})
	return a.subject(id, "one key, counted for GetUsage", header("x-api-key", *key.Value)), err
}

func (a authREST) iam(ctx context.Context, user aws.Credentials) (subject, error) {
	id, err := a.create(ctx, `"security": [{"sigv4": []}],`, `"sigv4": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"}`)
	if err != nil {
		return subject{}, err
	}
	signed, err := signRoutes(ctx, user, hostOf(id), "/"+restStage)
	return a.subject(id, "SigV4, a user's policy", byRoute(signed)), err
}

func (a authREST) lambda(ctx context.Context, function string) (subject, error) {
	id, err := a.create(ctx, `"security": [{"token": []}],`, fmt.Sprintf(`"token": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "custom",
		"x-amazon-apigateway-authorizer": {"type": "token", "authorizerUri": %q, "authorizerResultTtlInSeconds": 3600}}`, invocationURI(function)))
	return a.subject(id, "its policy decides each request", header("Authorization", "allow")), err
}

// createUser creates a user who may call all APIs, and returns the user's keys.
func createUser(ctx context.Context, config aws.Config) (aws.Credentials, error) {
	client, name := iam.NewFromConfig(config), aws.String("bench")
	if _, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: name}); err != nil {
		return aws.Credentials{}, err
	}
	if _, err := client.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name, PolicyName: name, PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:*:*:*/*/GET/r*"}]}`,
	)}); err != nil {
		return aws.Credentials{}, err
	}
	key, err := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
	if err != nil {
		return aws.Credentials{}, err
	}
	return aws.Credentials{AccessKeyID: *key.AccessKey.AccessKeyId, SecretAccessKey: *key.AccessKey.SecretAccessKey}, nil
}

// signRoutes signs a request of each route and returns the header lines.
func signRoutes(ctx context.Context, user aws.Credentials, host, prefix string) ([]string, error) {
	signed := make([]string, routes)
	signer := v4.NewSigner()
	for i := range signed {
		path := strings.ReplaceAll(routePath(i), "{id}", "42")
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+prefix+path+"?expand=price&lang=en", nil)
		if err != nil {
			return nil, err
		}
		const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
		if err := signer.SignHTTP(ctx, user, r, empty, "execute-api", region, time.Now()); err != nil {
			return nil, err
		}
		signed[i] = lines("Authorization: "+r.Header.Get("Authorization"), "X-Amz-Date: "+r.Header.Get("X-Amz-Date"))
	}
	return signed, nil
}

// authorizerHandler lets those pass who say "allow", in the words of each kind
// of API.
const authorizerHandler = `export const handler = async (event) => {
  if (event.version === "2.0") return { isAuthorized: event.identitySource[0] === "allow", context: { tier: "gold" } };
  const [api, stage] = event.methodArn.split("/");
  return {
    principalId: "bench",
    policyDocument: { Version: "2012-10-17", Statement: [{ Action: "execute-api:Invoke", Effect: event.authorizationToken === "allow" ? "Allow" : "Deny", Resource: api + "/" + stage + "/GET/*" }] },
    context: { tier: "gold" },
  };
};
`

// createAuthorizerFunction creates the function that authorizes, and returns its
// ARN.
func createAuthorizerFunction(ctx context.Context, config aws.Config) (string, error) {
	code, err := zipFile("index.mjs", authorizerHandler)
	if err != nil {
		return "", err
	}
	role, err := createRole(ctx, config)
	if err != nil {
		return "", err
	}
	name, functions := aws.String("authorizer"), lambda.NewFromConfig(config)
	f, err := functions.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: name, Role: &role, Runtime: lambdatypes.RuntimeNodejs20x, Handler: aws.String("index.handler"), Code: &lambdatypes.FunctionCode{ZipFile: code},
	})
	if err != nil {
		return "", err
	}
	if err := lambda.NewFunctionActiveV2Waiter(functions).Wait(ctx, &lambda.GetFunctionInput{FunctionName: name}, 30*time.Second); err != nil {
		return "", err
	}
	_, err = functions.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: name, StatementId: aws.String("api"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("apigateway.amazonaws.com"),
	})
	return *f.FunctionArn, err
}

// invocationURI is how an authorizer names a function.
func invocationURI(function string) string {
	return "arn:aws:apigateway:" + region + ":lambda:path/2015-03-31/functions/" + function + "/invocations"
}
