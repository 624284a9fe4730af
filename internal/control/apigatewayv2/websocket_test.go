package apigatewayv2_test

import (
	"strings"
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

// What is answered for each part of a WebSocket API, with what AWS fills in.
func TestWebSocketAnswers(t *testing.T) {
	g := newGatewayAt(t, "https", 443)
	c := g.call()
	made := must[*api.CreateApiResponse](t)(g.CreateApi(c, &api.CreateApiRequest{
		Name: new("chat"), ProtocolType: new("WEBSOCKET"), RouteSelectionExpression: new("${request.body.action}"), Tags: map[string]string{"_custom_id_": "chat"},
		DisableSchemaValidation: new(true), ApiKeySelectionExpression: new("$context.authorizer.usageIdentifierKey"),
	}))
	id := made.ApiId
	sameJSON(t, "API", must[*api.GetApiResponse](t)(g.GetApi(c, &api.GetApiRequest{ApiId: id})), marshal(t, made))
	sameJSON(t, "API", made, `{"ApiId": "chat", "Name": "chat", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "${request.body.action}",
		"ApiEndpoint": "wss://chat.execute-api.localhost", "ApiKeySelectionExpression": "$context.authorizer.usageIdentifierKey", "CreatedDate": "2026-03-04T05:06:07Z",
		"DisableExecuteApiEndpoint": false, "DisableSchemaValidation": true, "IpAddressType": "ipv4", "Tags": {"_custom_id_": "chat"}}`)
	updated := must[*api.UpdateApiResponse](t)(g.UpdateApi(c, &api.UpdateApiRequest{ApiId: id, RouteSelectionExpression: new("$request.body.kind"), Description: new("d")}))
	if *updated.RouteSelectionExpression != "$request.body.kind" || *updated.Description != "d" {
		t.Errorf("updated: %+v", updated)
	}

	integration := func(name string, in api.CreateIntegrationRequest, want string) *string {
		t.Helper()
		in.ApiId = id
		out := must[*api.CreateIntegrationResult](t)(g.CreateIntegration(c, &in))
		integrationID := out.IntegrationId
		sameJSON(t, name, must[*api.GetIntegrationResult](t)(g.GetIntegration(c, &api.GetIntegrationRequest{ApiId: id, IntegrationId: integrationID})), marshal(t, out))
		out.IntegrationId = nil
		sameJSON(t, name, out, want)
		return integrationID
	}
	integration("mock", api.CreateIntegrationRequest{IntegrationType: new("MOCK")}, `{"ConnectionType": "INTERNET", "IntegrationType": "MOCK",
		"IntegrationResponseSelectionExpression": "${integration.response.statuscode}", "PassthroughBehavior": "WHEN_NO_MATCH", "PayloadFormatVersion": "1.0", "TimeoutInMillis": 29000}`)
	integration("function", api.CreateIntegrationRequest{IntegrationType: new("AWS"), IntegrationUri: new(invokeARN), ContentHandlingStrategy: new("CONVERT_TO_TEXT")}, `{
		"ConnectionType": "INTERNET", "IntegrationType": "AWS", "IntegrationMethod": "POST", "IntegrationUri": "`+invokeARN+`", "ContentHandlingStrategy": "CONVERT_TO_TEXT",
		"IntegrationResponseSelectionExpression": "${integration.response.body.errorMessage}", "PassthroughBehavior": "WHEN_NO_MATCH", "PayloadFormatVersion": "1.0", "TimeoutInMillis": 29000}`)
	integration("proxy", api.CreateIntegrationRequest{IntegrationType: new("AWS_PROXY"), IntegrationUri: new(invokeARN)}, `{
		"ConnectionType": "INTERNET", "IntegrationType": "AWS_PROXY", "IntegrationMethod": "POST", "IntegrationUri": "`+invokeARN+`",
		"PassthroughBehavior": "WHEN_NO_MATCH", "PayloadFormatVersion": "1.0", "TimeoutInMillis": 29000}`)
	integration("HTTP proxy", api.CreateIntegrationRequest{IntegrationType: new("HTTP_PROXY"), IntegrationUri: new("http://h.example"), IntegrationMethod: new("PUT"), PassthroughBehavior: new("NEVER"), TimeoutInMillis: new(int32(12345))}, `{
		"ConnectionType": "INTERNET", "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "PUT", "IntegrationUri": "http://h.example",
		"PassthroughBehavior": "NEVER", "PayloadFormatVersion": "1.0", "TimeoutInMillis": 12345}`)
	integration("AWS service", api.CreateIntegrationRequest{IntegrationType: new("AWS"), IntegrationUri: new("arn:aws:apigateway:us-east-1:sqs:action/SendMessage")}, `{
		"ConnectionType": "INTERNET", "IntegrationType": "AWS", "IntegrationMethod": "POST", "IntegrationUri": "arn:aws:apigateway:us-east-1:sqs:action/SendMessage",
		"IntegrationResponseSelectionExpression": "${integration.response.statuscode}", "PassthroughBehavior": "WHEN_NO_MATCH", "PayloadFormatVersion": "1.0", "TimeoutInMillis": 29000}`)
	// An empty template is there when it is read.
	http := integration("HTTP", api.CreateIntegrationRequest{
		IntegrationType: new("HTTP"), IntegrationUri: new("http://${stageVariables.host}/{room}"), IntegrationMethod: new("GET"), Description: new("d"),
		TemplateSelectionExpression: new("$request.body.name"), RequestTemplates: map[string]string{"application/json": ""},
		RequestParameters: map[string]string{"integration.request.querystring.stage": "'value1'", "integration.request.path.room": "route.request.body.room"},
	}, `{"ConnectionType": "INTERNET", "IntegrationType": "HTTP", "IntegrationMethod": "GET", "IntegrationUri": "http://${stageVariables.host}/{room}", "Description": "d",
		"IntegrationResponseSelectionExpression": "${integration.response.statuscode}", "PassthroughBehavior": "WHEN_NO_MATCH", "PayloadFormatVersion": "1.0", "TimeoutInMillis": 29000,
		"TemplateSelectionExpression": "$request.body.name", "RequestTemplates": {"application/json": ""},
		"RequestParameters": {"integration.request.querystring.stage": "'value1'", "integration.request.path.room": "route.request.body.room"}}`)
	changed := must[*api.UpdateIntegrationResult](t)(g.UpdateIntegration(c, &api.UpdateIntegrationRequest{
		ApiId: id, IntegrationId: http, IntegrationMethod: new("POST"), TimeoutInMillis: new(int32(51)), PassthroughBehavior: new("WHEN_NO_TEMPLATES"),
		RequestTemplates: map[string]string{"application/json": "#set($number=42)", "application/xml": "#set($percent=$number/100)"}, RequestParameters: map[string]string{"integration.request.path.room": ""},
	}))
	sameJSON(t, "updated integration", changed, `{"ConnectionType": "INTERNET", "IntegrationType": "HTTP", "IntegrationMethod": "POST", "IntegrationUri": "http://${stageVariables.host}/{room}", "Description": "d",
		"IntegrationId": "`+*http+`", "IntegrationResponseSelectionExpression": "${integration.response.statuscode}", "PassthroughBehavior": "WHEN_NO_TEMPLATES", "PayloadFormatVersion": "1.0", "TimeoutInMillis": 51,
		"TemplateSelectionExpression": "$request.body.name", "RequestTemplates": {"application/json": "#set($number=42)", "application/xml": "#set($percent=$number/100)"},
		"RequestParameters": {"integration.request.querystring.stage": "'value1'"}}`)

	route := must[*api.CreateRouteResult](t)(g.CreateRoute(c, &api.CreateRouteRequest{
		ApiId: id, RouteKey: new("$connect"), Target: new("integrations/" + *http), ApiKeyRequired: new(true), AuthorizationType: new("AWS_IAM"), OperationName: new("Connect"),
		RequestParameters: map[string]api.ParameterConstraints{"route.request.header.authorization": {Required: new(false)}, "route.request.querystring.authToken": {Required: new(true)}},
	}))
	sameJSON(t, "route", route, `{"RouteId": "`+*route.RouteId+`", "RouteKey": "$connect", "Target": "integrations/`+*http+`", "ApiKeyRequired": true, "AuthorizationType": "AWS_IAM", "OperationName": "Connect",
		"RequestParameters": {"route.request.header.authorization": {"Required": false}, "route.request.querystring.authToken": {"Required": true}}}`)
	custom := must[*api.CreateRouteResult](t)(g.CreateRoute(c, &api.CreateRouteRequest{
		ApiId: id, RouteKey: new("a key of one's own/ {x}"), RouteResponseSelectionExpression: new("$default"), ModelSelectionExpression: new("action"), RequestModels: map[string]string{"test": "Pet"},
	}))
	sameJSON(t, "route", custom, `{"RouteId": "`+*custom.RouteId+`", "RouteKey": "a key of one's own/ {x}", "ApiKeyRequired": false, "AuthorizationType": "NONE", "RouteResponseSelectionExpression": "$default",
		"ModelSelectionExpression": "action", "RequestModels": {"test": "Pet"}}`)

	stage := must[*api.CreateStageResponse](t)(g.CreateStage(c, &api.CreateStageRequest{ApiId: id, StageName: new("live")}))
	sameJSON(t, "stage", stage, `{"StageName": "live", "AutoDeploy": false, "CreatedDate": "2026-03-04T05:06:07Z", "LastUpdatedDate": "2026-03-04T05:06:07Z",
		"DefaultRouteSettings": {"DataTraceEnabled": false, "DetailedMetricsEnabled": false, "LoggingLevel": "OFF"}, "RouteSettings": {}, "StageVariables": {}, "Tags": {}}`)
	logging := must[*api.UpdateStageResponse](t)(g.UpdateStage(c, &api.UpdateStageRequest{ApiId: id, StageName: new("live"), DefaultRouteSettings: &api.RouteSettings{LoggingLevel: new("INFO"), DataTraceEnabled: new(true)},
		RouteSettings: map[string]api.RouteSettings{"$connect": {ThrottlingBurstLimit: new(int32(1))}}}))
	sameJSON(t, "settings", logging.DefaultRouteSettings, `{"DataTraceEnabled": true, "DetailedMetricsEnabled": false, "LoggingLevel": "INFO"}`)
}

// Each part has its own responses, and what is deployed is what was there then.
func TestWebSocketResponses(t *testing.T) {
	g := newGateway(t)
	c := g.call()
	id, integration := g.chat()
	join := func() *plan.Route { return g.stage(id, "live").Socket.Keys["join"] }
	if r := join(); r.Socket.TwoWay || r.MapResponse != nil {
		t.Errorf("a one-way route: %+v", r)
	}
	var joinID *string
	for _, r := range must[*api.GetRoutesResponse](t)(g.GetRoutes(c, &api.GetRoutesRequest{ApiId: &id})).Items {
		if *r.RouteKey == "join" {
			joinID = r.RouteId
		}
	}
	must[*api.UpdateRouteResult](t)(g.UpdateRoute(c, &api.UpdateRouteRequest{ApiId: &id, RouteId: joinID, RouteResponseSelectionExpression: new("$default")}))
	must[*api.CreateRouteResponseResponse](t)(g.CreateRouteResponse(c, &api.CreateRouteResponseRequest{ApiId: &id, RouteId: joinID, RouteResponseKey: new("$default")}))
	response := must[*api.CreateIntegrationResponseResponse](t)(g.CreateIntegrationResponse(c, &api.CreateIntegrationResponseRequest{
		ApiId: &id, IntegrationId: &integration, IntegrationResponseKey: new("/2../"), TemplateSelectionExpression: new("${integration.response.statuscode}"),
		ResponseTemplates: map[string]string{"200": "joined $input.path('$.room')", "$default": ""},
	}))
	sameJSON(t, "integration response", response, `{"IntegrationResponseId": "`+*response.IntegrationResponseId+`", "IntegrationResponseKey": "/2../",
		"TemplateSelectionExpression": "${integration.response.statuscode}", "ResponseTemplates": {"200": "joined $input.path('$.room')", "$default": ""}}`)
	if join().Socket.TwoWay {
		t.Error("the stage runs what wasn't deployed")
	}
	must[*api.CreateDeploymentResponse](t)(g.CreateDeployment(c, &api.CreateDeploymentRequest{ApiId: &id, StageName: new("live")}))
	answer := func() string {
		t.Helper()
		stage := g.stage(id, "live")
		r := join()
		x := &plan.Exchange{API: stage.API, Stage: stage, Route: r, Socket: &plan.Socket{Event: plan.SocketMessage}}
		x.Request.Body = []byte(`{"action":"join","room":"r"}`)
		if err := r.MapRequest.Map(x); err != nil {
			t.Fatal(err)
		}
		if err := r.Integration.Integrate(x); err != nil {
			t.Fatal(err)
		}
		if err := r.MapResponse.Map(x); err != nil {
			return err.Error()
		}
		return string(x.Response.Body)
	}
	if got := answer(); !join().Socket.TwoWay || got != "joined r" {
		t.Errorf("two-way %v, answered %q", join().Socket.TwoWay, got)
	}
	// A stage that deploys automatically follows every part.
	must[*api.CreateStageResponse](t)(g.CreateStage(c, &api.CreateStageRequest{ApiId: &id, StageName: new("auto"), AutoDeploy: new(true)}))
	must[*api.UpdateIntegrationResponseResponse](t)(g.UpdateIntegrationResponse(c, &api.UpdateIntegrationResponseRequest{ApiId: &id, IntegrationId: &integration, IntegrationResponseId: response.IntegrationResponseId, IntegrationResponseKey: new("/404/")}))
	if got := answer(); got != "joined r" {
		t.Errorf("not deployed: %q", got)
	}
	stage := must[*api.GetStageResponse](t)(g.GetStage(c, &api.GetStageRequest{ApiId: &id, StageName: new("auto")}))
	must[*api.UpdateStageResponse](t)(g.UpdateStage(c, &api.UpdateStageRequest{ApiId: &id, StageName: new("live"), DeploymentId: stage.DeploymentId}))
	if got := answer(); !strings.HasPrefix(got, "Execution failed due to configuration error: No match for output mapping") {
		t.Errorf("on the automatic deployment: %q", got)
	}
	g.reload()
	if got := answer(); !strings.HasPrefix(got, "Execution failed due to configuration error: No match for output mapping") {
		t.Errorf("after a restart: %q", got)
	}
	// What can't run isn't deployed, and says why.
	must[*api.UpdateRouteResult](t)(g.UpdateRoute(c, &api.UpdateRouteRequest{ApiId: &id, RouteId: joinID, RequestModels: map[string]string{"$default": "Nope"}}))
	failed := must[*api.CreateDeploymentResponse](t)(g.CreateDeployment(c, &api.CreateDeploymentRequest{ApiId: &id, StageName: new("live")}))
	if *failed.DeploymentStatus != "FAILED" || *failed.DeploymentStatusMessage != "Route join: there is no model Nope" {
		t.Errorf("%s: %s", *failed.DeploymentStatus, value(failed.DeploymentStatusMessage))
	}
	if err := g.DeleteApi(c, &api.DeleteApiRequest{ApiId: &id}); err != nil {
		t.Fatal(err)
	}
	g.absent(id)
	if _, ok := g.compiler.Plan().API(id); ok {
		t.Error("the plan still has the API")
	}
}

func TestWebSocketRefusals(t *testing.T) {
	g := newGateway(t)
	c := g.call()
	id, integration := g.chat()
	empty := *must[*api.CreateApiResponse](t)(g.CreateApi(c, &api.CreateApiRequest{Name: new("empty"), ProtocolType: new("WEBSOCKET"), RouteSelectionExpression: new("$request.body.action")})).ApiId
	createAPI := func(in api.CreateApiRequest) error {
		in.Name, in.ProtocolType = new("n"), new("WEBSOCKET")
		if in.RouteSelectionExpression == nil {
			in.RouteSelectionExpression = new("$request.body.action")
		}
		return one(g.CreateApi(c, &in))
	}
	createIntegration := func(in api.CreateIntegrationRequest) error {
		in.ApiId = &id
		if in.IntegrationType == nil {
			in.IntegrationType = new("MOCK")
		}
		return one(g.CreateIntegration(c, &in))
	}
	createRoute := func(in api.CreateRouteRequest) error {
		in.ApiId = &id
		if in.RouteKey == nil {
			in.RouteKey = new("new")
		}
		return one(g.CreateRoute(c, &in))
	}
	respond := func(in api.CreateIntegrationResponseRequest) error {
		in.ApiId, in.IntegrationId = &id, &integration
		if in.IntegrationResponseKey == nil {
			in.IntegrationResponseKey = new("$default")
		}
		return one(g.CreateIntegrationResponse(c, &in))
	}
	createStage := func(in api.CreateStageRequest) error {
		in.ApiId = &id
		if in.StageName == nil {
			in.StageName = new("new")
		}
		return one(g.CreateStage(c, &in))
	}
	authorize := func(in api.CreateAuthorizerRequest) error {
		in.ApiId, in.Name = &id, new("a")
		if in.AuthorizerType == nil {
			in.AuthorizerType = new("REQUEST")
		}
		return one(g.CreateAuthorizer(c, &in))
	}
	mapped := func(to, from string) error {
		return createIntegration(api.CreateIntegrationRequest{RequestParameters: map[string]string{to: from}})
	}
	const bad = "BadRequestException 400: "
	const badMapping = bad + "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: "
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"no route selection", one(g.CreateApi(c, &api.CreateApiRequest{Name: new("n"), ProtocolType: new("WEBSOCKET")})), bad + "Invalid routeSelectionExpression"},
		{"an HTTP API's route selection", createAPI(api.CreateApiRequest{RouteSelectionExpression: new("$request.method $request.path")}), bad + "Invalid routeSelectionExpression"},
		{"route selection taken away", one(g.UpdateApi(c, &api.UpdateApiRequest{ApiId: &id, RouteSelectionExpression: new("")})), bad + "Invalid routeSelectionExpression"},
		{"CORS", createAPI(api.CreateApiRequest{CorsConfiguration: &api.Cors{AllowOrigins: []string{"*"}}}), bad + "Cors is not supported for WEBSOCKET protocolType"},
		{"CORS later", one(g.UpdateApi(c, &api.UpdateApiRequest{ApiId: &id, CorsConfiguration: &api.Cors{AllowOrigins: []string{"*"}}})), bad + "Cors is not supported for WEBSOCKET protocolType"},
		{"quick create", createAPI(api.CreateApiRequest{Target: new("https://h.example")}), bad + "Target is not supported for WEBSOCKET protocolType"},
		{"quick update", one(g.UpdateApi(c, &api.UpdateApiRequest{ApiId: &id, RouteKey: new("x")})), bad + "RouteKey is not supported for WEBSOCKET protocolType"},
		{"API key selection", createAPI(api.CreateApiRequest{ApiKeySelectionExpression: new("$request.header.x")}), bad + "Invalid API key selection expression specified: $request.header.x"},
		{"export", one(g.ExportApi(c, &api.ExportApiRequest{ApiId: &id, Specification: new("OAS30"), OutputType: new("JSON")})), bad + "Exporting an API definition is only supported for HTTP APIs"},
		{"import over it", one(g.ReimportApi(c, &api.ReimportApiRequest{ApiId: &id, Body: new(`{"openapi":"3.0.1","info":{"title":"t"},"paths":{}}`)})), bad + "Importing an API definition is only supported for HTTP APIs"},

		{"timeout", createIntegration(api.CreateIntegrationRequest{TimeoutInMillis: new(int32(29001))}), bad + "Timeout should be between 50 ms and 29000 ms"},
		{"short timeout", createIntegration(api.CreateIntegrationRequest{TimeoutInMillis: new(int32(49))}), bad + "Timeout should be between 50 ms and 29000 ms"},
		{"payload format", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("AWS_PROXY"), IntegrationUri: new(invokeARN), PayloadFormatVersion: new("2.0")}), bad + "Unsupported PayloadFormatVersion: 2.0"},
		{"subtype", createIntegration(api.CreateIntegrationRequest{IntegrationSubtype: new("SQS-SendMessage")}), bad + "IntegrationSubtype is not supported for WEBSOCKET protocolType"},
		{"TLS", createIntegration(api.CreateIntegrationRequest{TlsConfig: &api.TlsConfigInput{ServerNameToVerify: new("h")}}), bad + "TlsConfig is not supported for WEBSOCKET protocolType"},
		{"response parameters", createIntegration(api.CreateIntegrationRequest{ResponseParameters: map[string]map[string]string{"200": {"a": "b"}}}), bad + "ResponseParameters is not supported for WEBSOCKET protocolType"},
		{"VPC link without an id", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("HTTP_PROXY"), IntegrationMethod: new("GET"), IntegrationUri: new("http://h"), ConnectionType: new("VPC_LINK")}), bad + "ConnectionId must be specified for connectionType VPC_LINK"},
		{"unknown VPC link", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("HTTP_PROXY"), IntegrationMethod: new("GET"), IntegrationUri: new("http://h"), ConnectionType: new("VPC_LINK"), ConnectionId: new("v")}), bad + "Invalid VpcLink identifier specified: v"},
		{"VPC link of a mock", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("MOCK"), ConnectionType: new("VPC_LINK"), ConnectionId: new("v")}), bad + "VpcLink is only supported for integrations of type HTTP and HTTP_PROXY"},
		{"no method", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("HTTP"), IntegrationUri: new("https://h")}), bad + "HttpMethod parameter method must be specified for integrationType HTTP"},
		{"no method of a proxy", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("HTTP_PROXY"), IntegrationUri: new("https://h")}), bad + "HttpMethod parameter method must be specified for integrationType HTTPPROXY"},
		{"method", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("HTTP"), IntegrationUri: new("https://h"), IntegrationMethod: new("FETCH")}), bad + "Invalid HTTP method specified: FETCH"},
		{"no URI", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("AWS")}), bad + "IntegrationUri is required for an integration of type AWS"},
		{"not a URL", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("HTTP"), IntegrationUri: new("https://${stageVariables.a-b}"), IntegrationMethod: new("GET")}), bad + "Invalid HTTP endpoint specified for URI"},
		{"not an ARN", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("AWS"), IntegrationUri: new("https://h")}), bad + "Invalid ARN specified in the request"},
		{"another service's ARN", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("AWS_PROXY"), IntegrationUri: new("arn:aws:sqs:us-east-1:000000000000:q")}), bad + "Invalid ARN specified in the request"},
		{"not a function", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("AWS_PROXY"), IntegrationUri: new("arn:aws:lambda:us-east-1:000000000000:layer:x")}), bad + "Invalid integration URI specified: not the ARN of a Lambda function"},
		{"a proxy of a service", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("AWS_PROXY"), IntegrationUri: new("arn:aws:apigateway:us-east-1:sqs:action/SendMessage")}), bad + `Invalid integration URI specified: "arn:aws:apigateway:us-east-1:sqs:action/SendMessage" is not of the form arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function ARN}/invocations`},
		{"credentials", createIntegration(api.CreateIntegrationRequest{CredentialsArn: new("arn:aws:iam::000000000000:user/u")}), bad + "Invalid ARN specified in the request. ARN: arn:aws:iam::000000000000:user/u must be that of an IAM role"},
		{"template selection", createIntegration(api.CreateIntegrationRequest{TemplateSelectionExpression: new("$context.routeKey")}), bad + "Invalid template selection expression specified: $context.routeKey"},
		{"template", createIntegration(api.CreateIntegrationRequest{RequestTemplates: map[string]string{"$default": "#if("}}), bad + "mapping template for $default: line 1, column 5: the text ends where a value should be"},
		{"long template", createIntegration(api.CreateIntegrationRequest{RequestTemplates: map[string]string{"$default": strings.Repeat("x", 32<<10+1)}}), bad + "Member must have length less than or equal to 32768: requestTemplates"},
		{"an HTTP API's mapping", mapped("append:header.x", "'v'"), bad + "Invalid mapping expression parameter specified: append:header.x"},
		{"a mapping of the body", mapped("integration.request.body", "'v'"), bad + "Invalid mapping expression parameter specified: integration.request.body"},
		{"a REST API's source", mapped("integration.request.header.x", "method.request.header.x"), badMapping + "method.request.header.x]"},
		{"a path", mapped("integration.request.path.x", "route.request.path.x"), badMapping + "route.request.path.x]"},
		{"no source", mapped("integration.request.path.x", ""), badMapping + "]"},

		{"no route key", createRoute(api.CreateRouteRequest{RouteKey: new("")}), bad + "Route key is required"},
		{"a key of API Gateway's", createRoute(api.CreateRouteRequest{RouteKey: new("$mine")}), bad + "The provided route key is not formatted properly"},
		{"key taken", createRoute(api.CreateRouteRequest{RouteKey: new("join")}), "ConflictException 409: Route with key join already exists for this API"},
		{"authorization of messages", createRoute(api.CreateRouteRequest{AuthorizationType: new("AWS_IAM")}), bad + "Currently, authorization is restricted to the $connect route only"},
		{"authorization of $default", createRoute(api.CreateRouteRequest{RouteKey: new("$default"), AuthorizationType: new("CUSTOM"), AuthorizerId: new("x")}), bad + "Currently, authorization is restricted to the $connect route only"},
		{"JWT", createRoute(api.CreateRouteRequest{RouteKey: new("$connect"), AuthorizationType: new("JWT"), AuthorizerId: new("x")}), bad + "Only REQUEST authorizer type is supported on WEBSOCKET protocol Apis."},
		{"no authorizer", createRoute(api.CreateRouteRequest{RouteKey: new("$connect"), AuthorizationType: new("CUSTOM")}), bad + "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer."},
		{"scopes", createRoute(api.CreateRouteRequest{AuthorizationScopes: []string{"s"}}), bad + "Invalid Route authorization type specified. Authorization Scopes are only valid for COGNITO_USER_POOLS and JWT authorization types"},
		{"response selection", createRoute(api.CreateRouteRequest{RouteResponseSelectionExpression: new("$request.body.x")}), bad + "Invalid route response selection expression specified: $request.body.x. Only $default is supported"},
		{"model selection", createRoute(api.CreateRouteRequest{ModelSelectionExpression: new("${request.body.x")}), bad + "Invalid model selection expression specified: ${request.body.x"},
		{"parameter", createRoute(api.CreateRouteRequest{RequestParameters: map[string]api.ParameterConstraints{"route.request.path.x": {Required: new(true)}}}), bad + "Invalid mapping expression parameter specified: route.request.path.x"},
		{"target", createRoute(api.CreateRouteRequest{Target: new("nope")}), bad + "Unexpected or malformed target in route null. Correct format should be integrations/<integration_id>."},
		{"unknown target", createRoute(api.CreateRouteRequest{Target: new("integrations/nope")}), bad + "Invalid Integration identifier specified"},

		{"response key", respond(api.CreateIntegrationResponseRequest{IntegrationResponseKey: new("200")}), bad + "Invalid integration response key specified: 200. It must be $default or a regular expression between slashes"},
		{"response pattern", respond(api.CreateIntegrationResponseRequest{IntegrationResponseKey: new("/(/")}), bad + "Invalid integration response specified: Invalid selection pattern specified: (: "},
		{"response template", respond(api.CreateIntegrationResponseRequest{ResponseTemplates: map[string]string{"x": "#if("}}), bad + "Invalid integration response specified: mapping template for x: line 1, column 5: "},
		{"response template selection", respond(api.CreateIntegrationResponseRequest{TemplateSelectionExpression: new("${integration.response.x}")}), bad + `Invalid integration response specified: "${integration.response.x}" isn't a selection expression`},

		{"$default stage", createStage(api.CreateStageRequest{StageName: new("$default")}), bad + "Stage name only allows a-zA-Z0-9_"},
		{"client certificate", createStage(api.CreateStageRequest{ClientCertificateId: new("x")}), bad + "Invalid client certificate ID specified"},
		{"log format", createStage(api.CreateStageRequest{AccessLogSettings: &api.AccessLogSettings{DestinationArn: new("arn:aws:logs:us-east-1:000000000000:log-group:g"), Format: new("$context.connectionId")}}), bad + "The following errors are found in Access Log Format: Access Log format must include either $context.requestId or $context.extendedRequestId"},
		{"deployment without routes", one(g.CreateDeployment(c, &api.CreateDeploymentRequest{ApiId: &empty})), bad + "At least one route is required before deploying the Api."},

		{"authorizer of another type", authorize(api.CreateAuthorizerRequest{AuthorizerType: new("JWT")}), bad + "Only REQUEST authorizer type is supported on WEBSOCKET protocol Apis."},
		{"an HTTP API's identity source", authorize(api.CreateAuthorizerRequest{AuthorizerUri: new(invokeARN), IdentitySource: []string{"$request.header.x"}}), bad + "Invalid request identity source expression: $request.header.x"},
		{"payload format of an authorizer", authorize(api.CreateAuthorizerRequest{AuthorizerUri: new(invokeARN), AuthorizerPayloadFormatVersion: new("1.0")}), bad + "AuthorizerPayloadFormatVersion is not supported for WEBSOCKET protocolType"},
		{"authorizer's time", authorize(api.CreateAuthorizerRequest{AuthorizerUri: new(invokeARN), AuthorizerResultTtlInSeconds: new(int32(1))}), bad + "AuthorizerResultTtlInSeconds is not supported for WEBSOCKET protocolType"},
		{"authorizer without a function", authorize(api.CreateAuthorizerRequest{}), bad + "AuthorizerUri is a required field in an Authorizer"},
	} {
		if got := describeError(test.err); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	// Whatever was refused has left nothing behind.
	if n := len(must[*api.GetIntegrationsResponse](t)(g.GetIntegrations(c, &api.GetIntegrationsRequest{ApiId: &id})).Items); n != 1 {
		t.Errorf("%d integrations, want 1", n)
	}
	if n := len(must[*api.GetRoutesResponse](t)(g.GetRoutes(c, &api.GetRoutesRequest{ApiId: &id})).Items); n != 4 {
		t.Errorf("%d routes, want 4", n)
	}
}

// An authorizer guards the handshake; until authorizers run, nobody gets in.
func TestWebSocketAuthorizer(t *testing.T) {
	g := newGateway(t)
	c := g.call()
	id, _ := g.chat()
	authorizer := must[*api.CreateAuthorizerResponse](t)(g.CreateAuthorizer(c, &api.CreateAuthorizerRequest{
		ApiId: &id, Name: new("a"), AuthorizerType: new("REQUEST"), AuthorizerUri: new(invokeARN), AuthorizerResultTtlInSeconds: new(int32(0)),
		IdentitySource: []string{"route.request.header.Auth", "route.request.querystring.token", "context.apiId", "stageVariables.v"},
	}))
	sameJSON(t, "authorizer", authorizer, `{"AuthorizerId": "`+*authorizer.AuthorizerId+`", "Name": "a", "AuthorizerType": "REQUEST", "AuthorizerUri": "`+invokeARN+`",
		"IdentitySource": ["route.request.header.Auth", "route.request.querystring.token", "context.apiId", "stageVariables.v"]}`)
	for _, r := range must[*api.GetRoutesResponse](t)(g.GetRoutes(c, &api.GetRoutesRequest{ApiId: &id})).Items {
		if *r.RouteKey == "$connect" {
			must[*api.UpdateRouteResult](t)(g.UpdateRoute(c, &api.UpdateRouteRequest{ApiId: &id, RouteId: r.RouteId, AuthorizationType: new("CUSTOM"), AuthorizerId: authorizer.AuthorizerId}))
		}
	}
	must[*api.CreateDeploymentResponse](t)(g.CreateDeployment(c, &api.CreateDeploymentRequest{ApiId: &id, StageName: new("live")}))
	if a := g.stage(id, "live").Socket.Connect.Authorizer; a == nil || a.Authorize(nil) == nil {
		t.Error("the handshake is open")
	}
	if got := describeError(g.DeleteAuthorizer(c, &api.DeleteAuthorizerRequest{ApiId: &id, AuthorizerId: authorizer.AuthorizerId})); got != "ConflictException 409: Cannot delete authorizer 'a', is referenced in route: $connect" {
		t.Error(got)
	}
}
