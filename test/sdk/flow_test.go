package sdk

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"gatehouse/test/harness"
)

// TestFlow walks the whole flow with the SDK: a function behind an HTTP API,
// created, called, updated, killed, called, deleted.
func TestFlow(t *testing.T) {
	gw := harness.Start(t, "")
	ctx := t.Context()
	f := functionsOf(t, gw)
	f.create(t, zipOf(t, "index.js", helloCode), func(in *lambda.CreateFunctionInput) { in.Publish = true })
	client := apigatewayv2.NewFromConfig(gw.Config())
	api := must(client.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: new("hello"), ProtocolType: types.ProtocolTypeHttp}))(t).ApiId
	integrate := func(arn string) *string {
		t.Helper()
		uri := "arn:aws:apigateway:" + region + ":lambda:path/2015-03-31/functions/" + arn + "/invocations"
		id := must(client.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{
			ApiId: api, IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: &uri, PayloadFormatVersion: new("2.0"),
		}))(t).IntegrationId
		return new("integrations/" + *id)
	}
	latest, version := integrate(functionARN), integrate(functionARN+":1")
	route := must(client.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: api, RouteKey: new("GET /hello"), Target: latest}))(t).RouteId
	must(client.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: api, RouteKey: new("GET /one/{rest+}"), Target: version}))(t)
	must(client.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: api, StageName: new("$default"), AutoDeploy: new(true)}))(t)
	must(f.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: new("hello"), StatementId: new("api"), Action: new("lambda:InvokeFunction"), Principal: new("apigateway.amazonaws.com"),
		SourceArn: new("arn:aws:execute-api:" + region + ":" + account + ":" + *api + "/*/*"),
	}))(t)
	get := func(path string, status int, want string) {
		t.Helper()
		got, body, err := gw.Get(ctx, *api, path)
		if err != nil || got != status || body != want {
			t.Errorf("GET %s: %d %s, %v, want %d %s", path, got, body, err, status, want)
		}
	}
	get("/hello", http.StatusOK, `{"hello":"world"}`)
	get("/one/a/b", http.StatusOK, `{"hello":"world"}`)
	get("/nothing", http.StatusNotFound, `{"message":"Not Found"}`)

	// New code is for $LATEST; version 1 stays what it was. A route's change is
	// live when the call returns.
	must(f.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{
		FunctionName: new("hello"), ZipFile: zipOf(t, "index.js", strings.Replace(helloCode, "'world'", "'moon'", 1)),
	}))(t)
	f.updated(t)
	must(client.UpdateRoute(ctx, &apigatewayv2.UpdateRouteInput{ApiId: api, RouteId: route, RouteKey: new("GET /hallo")}))(t)
	get("/hallo", http.StatusOK, `{"hello":"moon"}`)
	get("/hello", http.StatusNotFound, `{"message":"Not Found"}`)
	get("/one/a", http.StatusOK, `{"hello":"world"}`)

	gw.Kill()
	gw = harness.Start(t, gw.Data)
	get("/hallo", http.StatusOK, `{"hello":"moon"}`)
	get("/one/a", http.StatusOK, `{"hello":"world"}`)

	client = apigatewayv2.NewFromConfig(gw.Config())
	must(client.DeleteApi(ctx, &apigatewayv2.DeleteApiInput{ApiId: api}))(t)
	get("/hallo", http.StatusNotFound, `{"message":"Not Found"}`)
}

// TestQuickCreate makes an API in one call, which brings an integration, a
// route and a stage that belong to it.
func TestQuickCreate(t *testing.T) {
	gw := harness.Start(t, "")
	ctx := t.Context()
	f := functionsOf(t, gw)
	f.create(t, zipOf(t, "index.js", helloCode), nil)
	client := apigatewayv2.NewFromConfig(gw.Config())
	api := must(client.CreateApi(ctx, &apigatewayv2.CreateApiInput{
		Name: new("quick"), ProtocolType: types.ProtocolTypeHttp, RouteKey: new("GET /quick"), Target: new(functionARN),
	}))(t).ApiId
	routes := must(client.GetRoutes(ctx, &apigatewayv2.GetRoutesInput{ApiId: api}))(t).Items
	integrations := must(client.GetIntegrations(ctx, &apigatewayv2.GetIntegrationsInput{ApiId: api}))(t).Items
	stages := must(client.GetStages(ctx, &apigatewayv2.GetStagesInput{ApiId: api}))(t).Items
	if len(routes) != 1 || len(integrations) != 1 || len(stages) != 1 {
		t.Fatalf("%d routes, %d integrations, %d stages", len(routes), len(integrations), len(stages))
	}
	if *routes[0].RouteKey != "GET /quick" || *routes[0].Target != "integrations/"+*integrations[0].IntegrationId || !*routes[0].ApiGatewayManaged {
		t.Errorf("route %s", lines(t, routes[0]))
	}
	if *stages[0].StageName != "$default" || !*stages[0].AutoDeploy || !*stages[0].ApiGatewayManaged {
		t.Errorf("stage %s", lines(t, stages[0]))
	}
	status, body, err := gw.Get(ctx, *api, "/quick")
	if err != nil || status != http.StatusOK || body != `{"hello":"world"}` {
		t.Errorf("GET /quick: %d %s, %v", status, body, err)
	}
	must(client.DeleteApi(ctx, &apigatewayv2.DeleteApiInput{ApiId: api}))(t)
}
