package apigatewayv2_test

import (
	"testing"

	api "gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/plan"
)

const invokeARN = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + functionARN + "/invocations"

// chat makes a WebSocket API with a MOCK integration and the routes of a chat,
// deployed to the stage "live".
func (g *gateway) chat() (apiID, integrationID string) {
	t, c := g.t, g.call()
	t.Helper()
	a := must[*api.CreateApiResponse](t)(g.CreateApi(c, &api.CreateApiRequest{
		Name: new("chat"), ProtocolType: new("WEBSOCKET"), RouteSelectionExpression: new("$request.body.action"),
	}))
	i := must[*api.CreateIntegrationResult](t)(g.CreateIntegration(c, &api.CreateIntegrationRequest{
		ApiId: a.ApiId, IntegrationType: new("MOCK"), TemplateSelectionExpression: new(`\$default`),
		RequestTemplates: map[string]string{"$default": `{"statusCode":200}`},
	}))
	for _, key := range []string{"$connect", "$disconnect", "$default", "join"} {
		must[*api.CreateRouteResult](t)(g.CreateRoute(c, &api.CreateRouteRequest{ApiId: a.ApiId, RouteKey: &key, Target: new("integrations/" + *i.IntegrationId)}))
	}
	must[*api.CreateStageResponse](t)(g.CreateStage(c, &api.CreateStageRequest{ApiId: a.ApiId, StageName: new("live")}))
	must[*api.CreateDeploymentResponse](t)(g.CreateDeployment(c, &api.CreateDeploymentRequest{ApiId: a.ApiId, StageName: new("live")}))
	return *a.ApiId, *i.IntegrationId
}

// stage is what a stage of an API runs.
func (g *gateway) stage(apiID, name string) *plan.Stage {
	g.t.Helper()
	planned, ok := g.compiler.Plan().API(apiID)
	if !ok || planned.Stages[name] == nil {
		g.t.Fatalf("nothing runs for stage %s of API %s", name, apiID)
	}
	return planned.Stages[name]
}

func TestWebSocketAPI(t *testing.T) {
	g := newGateway(t)
	id, _ := g.chat()
	check := func(when string) {
		t.Helper()
		planned, _ := g.compiler.Plan().API(id)
		stage := g.stage(id, "live")
		if planned.Protocol != plan.WebSocket || stage.Socket == nil {
			t.Fatalf("%s: protocol %v, %+v", when, planned.Protocol, stage)
		}
		s := stage.Socket
		if s.Connect == nil || s.Disconnect == nil || stage.Default == nil || len(s.Keys) != 1 || s.Keys["join"] == nil {
			t.Errorf("%s: routes %+v, default %v", when, s, stage.Default)
		}
		x := &plan.Exchange{}
		x.Request.Body = []byte(`{"action":"join"}`)
		if got := s.Select.Select(x); got != "join" {
			t.Errorf("%s: selected %q", when, got)
		}
	}
	check("deployed")
	g.reload()
	check("after a restart")
}
