package compile

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"gatehouse/internal/authorize"
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
)

// A namedFunction answers who it is in the context of a policy, or of a simple
// answer, that lets everyone pass.
type namedFunction struct {
	of    AuthorizerFunction
	calls *int
}

func (namedFunction) Permitted(*plan.Exchange, string) error { return nil }

func (f namedFunction) Invoke(_ context.Context, _ string, event []byte) (authorize.FunctionResult, error) {
	*f.calls++
	var e struct{ Version, Type, RouteArn string }
	if err := json.Unmarshal(event, &e); err != nil {
		return authorize.FunctionResult{}, err
	}
	says := `"context":{"function":"` + f.of.FunctionARN + "|" + f.of.Qualifier + "|" + f.of.Credentials + `","event":"` + e.Version + e.Type + `"}}`
	if e.RouteArn != "" {
		return authorize.FunctionResult{Payload: []byte(`{"isAuthorized":true,` + says)}, nil
	}
	return authorize.FunctionResult{Payload: []byte(`{"principalId":"p","policyDocument":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]},` + says)}, nil
}

const guardURI = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:"

// guarded is a request that a compiled authorizer of a stage is asked about.
func guarded(stage *plan.Stage) *plan.Exchange {
	x := &plan.Exchange{API: stage.API, Stage: stage, StagePath: "/a", GatewayPath: "/dev/a", Route: &plan.Route{Key: "$connect", Rest: &plan.Method{}}}
	x.Request.Method, x.Request.Query = "GET", "q=1"
	x.Request.Headers = plan.Headers{{Name: "authorization", Value: "token"}}
	if stage.API.Protocol == plan.WebSocket {
		x.Socket = &plan.Socket{Event: plan.SocketConnect}
	}
	return x
}

// outcomeOf is what a compiled authorizer makes of a request: the function's
// words, or why there are none.
func outcomeOf(t *testing.T, a plan.Authorizer, err error, stage *plan.Stage) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	x := guarded(stage)
	var fault *plan.Fault
	if errors.As(a.Authorize(x), &fault) {
		if fault.Kind != plan.AuthorizerMisconfigured {
			t.Errorf("fault %d", fault.Kind)
		}
		return fault.Reason
	}
	function, _ := x.Authorization.Value("function")
	event, _ := x.Authorization.Value("event")
	return function + " " + event
}

func TestLambdaAuthorizersOfRoutes(t *testing.T) {
	calls := 0
	c := New(Options{
		AuthorizerFunction: func(f AuthorizerFunction) authorize.Function { return namedFunction{f, &calls} },
		Answers:            authorize.NewAnswerCache(authorize.AnswerCacheOptions{}),
	})
	stage := func(protocol plan.Protocol) *plan.Stage {
		return &plan.Stage{
			API: &plan.API{ID: "api", Protocol: protocol}, Name: "dev", Variables: map[string]string{"alias": "blue"},
			Rest: &plan.RestStage{}, Socket: &plan.SocketStage{},
		}
	}
	const guard = "arn:aws:lambda:eu-west-1:123456789012:function:guard"
	for _, test := range []struct {
		name     string
		protocol plan.Protocol
		doc      apigatewayv2.Authorizer
		want     string
		calls    int // of two requests
	}{
		{"payload 1.0", plan.HTTP, apigatewayv2.Authorizer{AuthorizerUri: new(guardURI + "guard/invocations"), AuthorizerPayloadFormatVersion: new("1.0")}, guard + "|| 1.0REQUEST", 2},
		{"simple, kept", plan.HTTP, apigatewayv2.Authorizer{AuthorizerUri: new(guardURI + "guard:${stageVariables.alias}/invocations"), AuthorizerPayloadFormatVersion: new("2.0"), EnableSimpleResponses: new(true), AuthorizerResultTtlInSeconds: new(int32(300)), IdentitySource: []string{"$request.header.Authorization"}}, guard + "|blue| 2.0REQUEST", 1},
		{"a role", plan.HTTP, apigatewayv2.Authorizer{AuthorizerUri: new(guardURI + "guard/invocations"), AuthorizerPayloadFormatVersion: new("1.0"), AuthorizerCredentialsArn: new("arn:aws:iam::123456789012:role/${stageVariables.alias}")}, guard + "||arn:aws:iam::123456789012:role/blue 1.0REQUEST", 2},
		{"$connect", plan.WebSocket, apigatewayv2.Authorizer{AuthorizerUri: new(guardURI + "guard/invocations"), IdentitySource: []string{"route.request.querystring.q"}}, guard + "|| REQUEST", 2},
		{"a variable that isn't there", plan.HTTP, apigatewayv2.Authorizer{AuthorizerUri: new(guardURI + "${stageVariables.gone}/invocations")}, "authorizer auth1: Invalid function: ", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			calls = 0
			test.doc.AuthorizerId = new("auth1")
			doc := &definition.Authorizer{Authorizer: test.doc}
			st := stage(test.protocol)
			g := newGuards(c, apiKey{}, nil, st)
			first, err := g.lambda(doc)
			got := outcomeOf(t, first, err, st)
			second, err := g.lambda(doc)
			if first != second {
				t.Error("routes don't share it")
			}
			outcomeOf(t, second, err, st)
			if !strings.HasPrefix(got, test.want) || calls != test.calls {
				t.Errorf("%s after %d calls", got, calls)
			}
		})
	}
}

func TestLambdaAuthorizersOfMethods(t *testing.T) {
	calls := 0
	c := New(Options{
		AuthorizerFunction: func(f AuthorizerFunction) authorize.Function { return namedFunction{f, &calls} },
		Answers:            authorize.NewAnswerCache(authorize.AnswerCacheOptions{}),
	})
	st := &plan.Stage{API: &plan.API{ID: "api", Protocol: plan.REST}, Name: "dev", Rest: &plan.RestStage{}}
	const guard = "arn:aws:lambda:eu-west-1:123456789012:function:guard|| "
	for i, test := range []struct {
		name  string
		doc   apigateway.Authorizer
		want  string
		calls int // of two requests
	}{
		{"a token, kept by default", apigateway.Authorizer{Type: new("TOKEN")}, guard + "TOKEN", 1},
		{"a token, not kept", apigateway.Authorizer{Type: new("TOKEN"), AuthorizerResultTtlInSeconds: new(int32(0)), IdentitySource: new("method.request.header.authorization")}, guard + "TOKEN", 2},
		{"sources with spaces between", apigateway.Authorizer{Type: new("REQUEST"), IdentitySource: new("method.request.header.Authorization, method.request.querystring.q")}, guard + "REQUEST", 1},
		{"no sources", apigateway.Authorizer{Type: new("REQUEST")}, guard + "REQUEST", 2},
		{"an expression that can't be read", apigateway.Authorizer{Type: new("TOKEN"), IdentityValidationExpression: new("(?<=x)y")}, "authorizer auth4: its identity validation expression: ", 0},
		{"a path as a source", apigateway.Authorizer{Type: new("REQUEST"), IdentitySource: new("method.request.path.p")}, `authorizer auth5: "method.request.path.p" is no identity source`, 0},
		{"another type", apigateway.Authorizer{Type: new("COGNITO_USER_POOLS")}, "authorizer auth6 is of type COGNITO_USER_POOLS", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			calls = 0
			test.doc.Id, test.doc.AuthorizerUri = new("auth"+string(rune('0'+i))), new(guardURI+"guard/invocations")
			m := &methodBuilder{restBuilder: &restBuilder{c: c}, stage: st, lambdas: map[string]plan.Authorizer{}}
			doc := &definition.RestAuthorizer{Authorizer: test.doc}
			first, err := m.lambda(doc)
			got := outcomeOf(t, first, err, st)
			second, err := m.lambda(doc)
			outcomeOf(t, second, err, st)
			if !strings.HasPrefix(got, test.want) || calls != test.calls {
				t.Errorf("%s after %d calls", got, calls)
			}
		})
	}
}

// An authorizer that is compiled anew uses the answers of before if it is the
// same, and only then.
func TestAnswersOutlivePlans(t *testing.T) {
	calls := 0
	c := New(Options{
		AuthorizerFunction: func(f AuthorizerFunction) authorize.Function { return namedFunction{f, &calls} },
		Answers:            authorize.NewAnswerCache(authorize.AnswerCacheOptions{}),
	})
	ask := func(uri string, variables map[string]string) {
		t.Helper()
		st := &plan.Stage{API: &plan.API{ID: "api", Protocol: plan.REST}, Name: "dev", Rest: &plan.RestStage{}, Variables: variables}
		m := &methodBuilder{restBuilder: &restBuilder{c: c}, stage: st}
		a, err := m.newLambda(&definition.RestAuthorizer{Authorizer: apigateway.Authorizer{Id: new("auth"), Type: new("TOKEN"), AuthorizerUri: &uri}})
		outcomeOf(t, a, err, st)
	}
	for i, test := range []struct {
		uri       string
		variables map[string]string
		calls     int
	}{
		{guardURI + "guard/invocations", nil, 1}, {guardURI + "guard/invocations", map[string]string{"a": "b"}, 1},
		{guardURI + "other/invocations", nil, 2}, {guardURI + "guard/invocations", nil, 2},
		{guardURI + "${stageVariables.f}/invocations", map[string]string{"f": "guard"}, 3},
		{guardURI + "${stageVariables.f}/invocations", map[string]string{"f": "other"}, 4},
	} {
		if ask(test.uri, test.variables); calls != test.calls {
			t.Errorf("%d: %d calls, want %d", i, calls, test.calls)
		}
	}
}
