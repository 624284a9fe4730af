package apigatewayv2_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
)

func TestRefusals(t *testing.T) {
	g := newGateway(t)
	id, integration, route := g.hello()
	c := g.call()
	quick := *must[*api.CreateApiResponse](t)(g.CreateApi(c, &api.CreateApiRequest{Name: new("quick"), ProtocolType: new("HTTP"), Target: new("https://h.example")})).ApiId
	quickIntegration := *must[*api.GetIntegrationsResponse](t)(g.GetIntegrations(c, &api.GetIntegrationsRequest{ApiId: &quick})).Items[0].IntegrationId
	quickRoute := *must[*api.GetRoutesResponse](t)(g.GetRoutes(c, &api.GetRoutesRequest{ApiId: &quick})).Items[0].RouteId
	empty := *must[*api.CreateApiResponse](t)(g.CreateApi(c, &api.CreateApiRequest{Name: new("empty"), ProtocolType: new("HTTP")})).ApiId
	must[*api.CreateApiResponse](t)(g.CreateApi(c, &api.CreateApiRequest{Name: new("mine"), ProtocolType: new("HTTP"), Tags: map[string]string{"_custom_id_": "mine"}}))

	createAPI := func(in api.CreateApiRequest) error {
		if in.Name == nil {
			in.Name = new("n")
		}
		if in.ProtocolType == nil {
			in.ProtocolType = new("HTTP")
		}
		_, err := g.CreateApi(c, &in)
		return err
	}
	createIntegration := func(in api.CreateIntegrationRequest) error {
		in.ApiId = &id
		_, err := g.CreateIntegration(c, &in)
		return err
	}
	purge := func(change func(*api.CreateIntegrationRequest)) error {
		in := api.CreateIntegrationRequest{
			IntegrationType: new("AWS_PROXY"), IntegrationSubtype: new("SQS-PurgeQueue"), CredentialsArn: new("arn:aws:iam::000000000000:role/r"),
			RequestParameters: map[string]string{"QueueUrl": "https://sqs.us-east-1.amazonaws.com/1/q"},
		}
		change(&in)
		return createIntegration(in)
	}
	httpProxy := func(uri string) api.CreateIntegrationRequest {
		return api.CreateIntegrationRequest{IntegrationType: new("HTTP_PROXY"), IntegrationUri: &uri, IntegrationMethod: new("GET")}
	}
	lambda := func(uri string) api.CreateIntegrationRequest {
		return api.CreateIntegrationRequest{IntegrationType: new("AWS_PROXY"), IntegrationUri: &uri}
	}
	mapped := func(request map[string]string, response map[string]map[string]string) error {
		in := httpProxy("https://h")
		in.RequestParameters, in.ResponseParameters = request, response
		return createIntegration(in)
	}
	const invalid = "BadRequestException 400: Invalid mapping expression specified: Validation Result: warnings : [], errors : "
	createRoute := func(in api.CreateRouteRequest) error {
		in.ApiId = &id
		_, err := g.CreateRoute(c, &in)
		return err
	}
	routeKey := func(key string) error { return createRoute(api.CreateRouteRequest{RouteKey: &key}) }
	createStage := func(in api.CreateStageRequest) error {
		in.ApiId = &id
		if in.StageName == nil {
			in.StageName = new("new")
		}
		_, err := g.CreateStage(c, &in)
		return err
	}
	const badKey = `BadRequestException 400: The provided route key is not formatted properly for HTTP protocol. Format should be "[HTTP METHOD] /[RESOURCE PATH]" or "$default"`
	const badPart = `BadRequestException 400: One or more path parts appear to be invalid. Parts are validated against this regular expression: ^(\{[\w.:-]+\+?\}|[a-zA-Z0-9.:_-]+)$`

	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"unknown API", one(g.GetApi(c, &api.GetApiRequest{ApiId: new("nope")})), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"unknown API of an integration", one(g.GetIntegration(c, &api.GetIntegrationRequest{ApiId: new("nope"), IntegrationId: &integration})), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"another account's API", one(g.GetApi(g.as("111111111111"), &api.GetApiRequest{ApiId: &id})), "NotFoundException 404: Invalid API identifier specified 111111111111:" + id},
		{"unknown integration", one(g.GetIntegration(c, &api.GetIntegrationRequest{ApiId: &id, IntegrationId: new("nope")})), "NotFoundException 404: Invalid Integration identifier specified"},
		{"unknown route", one(g.GetRoute(c, &api.GetRouteRequest{ApiId: &id, RouteId: new("nope")})), "NotFoundException 404: Invalid Route identifier specified"},
		{"unknown stage", one(g.GetStage(c, &api.GetStageRequest{ApiId: &id, StageName: new("nope")})), "NotFoundException 404: Invalid stage identifier specified"},
		{"unknown deployment", one(g.GetDeployment(c, &api.GetDeploymentRequest{ApiId: &id, DeploymentId: new("nope")})), "NotFoundException 404: Invalid Deployment identifier specified"},
		{"deleting twice", g.DeleteApi(c, &api.DeleteApiRequest{ApiId: new("nope")}), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"CORS of an unknown API", g.DeleteCorsConfiguration(c, &api.DeleteCorsConfigurationRequest{ApiId: new("nope")}), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},

		{"CORS, credentials for everyone", createAPI(api.CreateApiRequest{CorsConfiguration: &api.Cors{AllowOrigins: []string{"*"}, AllowCredentials: new(true)}}), "BadRequestException 400: allow-credentials is not supported if 'allow-origin' is *"},
		{"CORS, no origin", createAPI(api.CreateApiRequest{CorsConfiguration: &api.Cors{AllowOrigins: []string{"example.com"}}}), `BadRequestException 400: Invalid CORS configuration: "example.com" is not an origin`},
		{"CORS, sub-domains", createAPI(api.CreateApiRequest{CorsConfiguration: &api.Cors{AllowOrigins: []string{"https://*.example.com"}}}), "BadRequestException 400: Invalid CORS configuration"},
		{"CORS, header", createAPI(api.CreateApiRequest{CorsConfiguration: &api.Cors{AllowHeaders: []string{"a b"}}}), `BadRequestException 400: Invalid CORS configuration: "a b" is not a header name`},
		{"CORS, method", createAPI(api.CreateApiRequest{CorsConfiguration: &api.Cors{AllowMethods: []string{"G\r\nT"}}}), "BadRequestException 400: Invalid CORS configuration"},
		{"CORS, age", createAPI(api.CreateApiRequest{CorsConfiguration: &api.Cors{MaxAge: new(int32(86_401))}}), "BadRequestException 400: Invalid CORS configuration: maxAge must be between -1 and 86400"},
		{"no name", createAPI(api.CreateApiRequest{Name: new("")}), "BadRequestException 400: Invalid API name specified"},
		{"long name", createAPI(api.CreateApiRequest{Name: new(strings.Repeat("n", 129))}), "BadRequestException 400: Member must have length"},
		{"route selection", createAPI(api.CreateApiRequest{RouteSelectionExpression: new("$request.body.action")}), `BadRequestException 400: Route selection expression is currently limited to "${request.method} ${request.path}"`},
		{"route key without target", createAPI(api.CreateApiRequest{RouteKey: new("GET /")}), "BadRequestException 400: RouteKey and CredentialsArn"},
		{"quick create with a bad key", createAPI(api.CreateApiRequest{Target: new("https://h.example"), RouteKey: new("GET")}), badKey},
		{"quick create with a bad target", createAPI(api.CreateApiRequest{Target: new("arn:aws:sqs:us-east-1:000000000000:q")}), "BadRequestException 400: Invalid integration URI specified"},
		{"custom id with an underscore", createAPI(api.CreateApiRequest{Tags: map[string]string{"_custom_id_": "a_b"}}), "BadRequestException 400: Invalid value for the tag _custom_id_"},
		{"custom id in use", createAPI(api.CreateApiRequest{Tags: map[string]string{"_custom_id_": "mine"}}), "ConflictException 409: The API identifier mine"},
		{"reserved tag", createAPI(api.CreateApiRequest{Tags: map[string]string{"aws:x": "1"}}), "BadRequestException 400: Tag keys beginning with aws:"},

		{"integration type", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("MOCK")}), "BadRequestException 400: Currently, an API with a protocol type of HTTP may only be associated with proxy integrations (AWS_PROXY, HTTP_PROXY)"},
		{"no URI", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("AWS_PROXY")}), "BadRequestException 400: IntegrationUri is required"},
		{"no method", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("HTTP_PROXY"), IntegrationUri: new("https://h")}), "BadRequestException 400: HttpMethod parameter method must be specified for integrationType HTTPPROXY"},
		{"subtype of a URL", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("HTTP_PROXY"), IntegrationUri: new("https://h"), IntegrationMethod: new("GET"), IntegrationSubtype: new("SQS-PurgeQueue")}), "BadRequestException 400: IntegrationSubtype is only supported for integrations of type AWS_PROXY"},
		{"subtype without credentials", purge(func(in *api.CreateIntegrationRequest) { in.CredentialsArn = nil }), "BadRequestException 400: CredentialsArn is required for integrationSubtype SQS-PurgeQueue"},
		{"subtype with another user", purge(func(in *api.CreateIntegrationRequest) { in.CredentialsArn = new("arn:aws:iam::000000000000:user/ann") }), "BadRequestException 400: Invalid ARN specified in the request."},
		{"subtype with a URI", purge(func(in *api.CreateIntegrationRequest) { in.IntegrationUri = new("https://h") }), "BadRequestException 400: IntegrationUri is not supported for integrationSubtype SQS-PurgeQueue"},
		{"subtype with a method", purge(func(in *api.CreateIntegrationRequest) { in.IntegrationMethod = new("POST") }), "BadRequestException 400: IntegrationMethod is not supported for integrationSubtype SQS-PurgeQueue"},
		{"subtype in format 2.0", purge(func(in *api.CreateIntegrationRequest) { in.PayloadFormatVersion = new("2.0") }), "BadRequestException 400: PayloadFormatVersion 2.0 is not supported for integrationSubtype SQS-PurgeQueue"},
		{"subtype for too short", purge(func(in *api.CreateIntegrationRequest) { in.TimeoutInMillis = new(int32(49)) }), "BadRequestException 400: Timeout should be between 50 ms and 30000 ms"},
		{"subtype that is none", purge(func(in *api.CreateIntegrationRequest) { in.IntegrationSubtype = new("SQS-EatQueue") }), "BadRequestException 400: Invalid integrationSubtype specified: SQS-EatQueue"},
		{"subtype without a parameter", purge(func(in *api.CreateIntegrationRequest) { in.RequestParameters = nil }), "BadRequestException 400: Missing required parameter for SQS-PurgeQueue: QueueUrl"},
		{"subtype with another's parameter", purge(func(in *api.CreateIntegrationRequest) { in.RequestParameters["MessageBody"] = "x" }), "BadRequestException 400: Invalid parameter specified for SQS-PurgeQueue: MessageBody"},
		{"subtype with no source", purge(func(in *api.CreateIntegrationRequest) { in.RequestParameters["QueueUrl"] = "$request.cookie.q" }), "BadRequestException 400: Invalid selection expression specified: Validation Result: warnings : [], errors : [Invalid source: $request.cookie.q specified for destination: QueueUrl]"},
		{"VPC link for a function", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("AWS_PROXY"), IntegrationUri: new("u"), ConnectionType: new("VPC_LINK")}), "BadRequestException 400: VpcLink is only supported for integrations of type HTTP_PROXY"},
		{"VPC link without an id", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("HTTP_PROXY"), IntegrationMethod: new("GET"), IntegrationUri: new("u"), ConnectionType: new("VPC_LINK")}), "BadRequestException 400: ConnectionId must be specified for connectionType VPC_LINK"},
		{"unknown VPC link", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("HTTP_PROXY"), IntegrationMethod: new("GET"), IntegrationUri: new("u"), ConnectionType: new("VPC_LINK"), ConnectionId: new("nope")}), "BadRequestException 400: Invalid VpcLink identifier specified: nope"},
		{"unknown connection", createIntegration(api.CreateIntegrationRequest{IntegrationType: new("HTTP_PROXY"), IntegrationMethod: new("GET"), IntegrationUri: new("u"), ConnectionType: new("WIRE")}), "BadRequestException 400: Invalid connectionType specified"},
		{"mapping of a reserved header", mapped(map[string]string{"append:header.Authorization": "v"}, nil), invalid + "[Operations on header authorization are restricted]"},
		{"mapping of no header", mapped(map[string]string{"overwrite.path": "v"}, nil), invalid + "[Invalid Request Actioned Parameter destination specified: overwrite.path]"},
		{"mapping without a value", mapped(map[string]string{"remove:header.x": ""}, nil), invalid + "[Invalid mapping expression specified: ]"},
		{"mapping of a response in a request", mapped(map[string]string{"append:header.x": "$response.body"}, nil), invalid + "[Invalid mapping expression specified: $response.body]"},
		{"mapping with a long value", mapped(map[string]string{"append:header.x": strings.Repeat("v", 513)}, nil), "BadRequestException 400: Member must have length less than or equal to 512: append:header.x"},
		{"response mapping of a reserved header", mapped(nil, map[string]map[string]string{"200": {"remove:header.access-control-allow-origin": "''"}}), invalid + "[Operations on header access-control-allow-origin are restricted]"},
		{"response mapping of nothing", mapped(nil, map[string]map[string]string{"200": {"append:overwrite.static": "v"}}), invalid + "[Invalid Response Actioned Parameter destination specified: append:overwrite.static]"},
		{"response mapping with a long value", mapped(nil, map[string]map[string]string{"200": {"append:header.x": strings.Repeat("v", 513)}}), "BadRequestException 400: Member must have length less than or equal to 512: append:header.x"},
		{"response mapping of no status", mapped(nil, map[string]map[string]string{"100": {"append:header.x": "v"}}), invalid + "[Invalid response status code specified: 100]"},
		{"mapping that an update spoils", one(g.UpdateIntegration(c, &api.UpdateIntegrationRequest{ApiId: &id, IntegrationId: &integration, RequestParameters: map[string]string{"append:header.via": "v"}})), invalid + "[Operations on header via are restricted]"},
		{"response mapping emptied by half", one(g.UpdateIntegration(c, &api.UpdateIntegrationRequest{ApiId: &id, IntegrationId: &integration, ResponseParameters: map[string]map[string]string{"200": {"append:header.x": ""}}})), invalid + "[Invalid mapping expression specified: ]"},
		{"short timeout", createIntegration(with(lambda(functionARN), func(in *api.CreateIntegrationRequest) { in.TimeoutInMillis = new(int32(49)) })), "BadRequestException 400: Timeout should be between 50 ms and 30000 ms"},
		{"long timeout", createIntegration(with(lambda(functionARN), func(in *api.CreateIntegrationRequest) { in.TimeoutInMillis = new(int32(30001)) })), "BadRequestException 400: Timeout should be between 50 ms and 30000 ms"},
		{"payload version", createIntegration(with(lambda(functionARN), func(in *api.CreateIntegrationRequest) { in.PayloadFormatVersion = new("3.0") })), "BadRequestException 400: Unsupported PayloadFormatVersion: 3.0"},
		{"payload 2.0 over HTTP", createIntegration(with(httpProxy("https://h"), func(in *api.CreateIntegrationRequest) { in.PayloadFormatVersion = new("2.0") })), "BadRequestException 400: PayloadFormatVersion 2.0 is not supported for integration of type HTTP_PROXY"},
		{"not an HTTP endpoint", createIntegration(httpProxy("https://${stageVariables.a-b}")), "BadRequestException 400: Invalid HTTP endpoint specified for URI"},
		{"not a function", createIntegration(lambda("arn:aws:lambda:us-east-1:000000000000:layer:x")), "BadRequestException 400: Invalid integration URI specified: not the ARN of a Lambda function"},
		{"not an ARN", createIntegration(lambda("https://h")), "BadRequestException 400: Invalid integration URI specified"},
		{"broken variable", createIntegration(lambda("arn:aws:lambda:us-east-1:000000000000:function:${stageVariables.a-b}")), "BadRequestException 400: Invalid integration URI specified"},
		{"credentials of any account", createIntegration(with(lambda(functionARN), func(in *api.CreateIntegrationRequest) {
			in.CredentialsArn = new("arn:aws:iam::${stageVariables.a}:role/r")
		})), "BadRequestException 400: Invalid ARN specified in the request"},
		{"credentials of a user", createIntegration(with(lambda(functionARN), func(in *api.CreateIntegrationRequest) { in.CredentialsArn = new("arn:aws:iam::000000000000:user/u") })), "BadRequestException 400: Invalid ARN specified in the request"},
		{"credentials of the caller", createIntegration(with(lambda(functionARN), func(in *api.CreateIntegrationRequest) { in.CredentialsArn = new("arn:aws:iam::*:user/*") })), "501: gatehouse does not implement apigatewayv2:CreateIntegration with credentialsArn arn:aws:iam::*:user/*"},
		{"long URI", createIntegration(httpProxy("https://h/" + strings.Repeat("x", 2048))), "BadRequestException 400: Member must have length"},
		{"integration in use", g.DeleteIntegration(c, &api.DeleteIntegrationRequest{ApiId: &id, IntegrationId: &integration}), "ConflictException 409: Cannot delete Integration because it is referenced by the following Routes with Ids: [" + route + "]"},
		{"managed integration", g.DeleteIntegration(c, &api.DeleteIntegrationRequest{ApiId: &quick, IntegrationId: &quickIntegration}), "BadRequestException 400: Cannot delete Integration " + quickIntegration},

		{"no key", createRoute(api.CreateRouteRequest{}), badKey},
		{"key taken away", one(g.UpdateRoute(c, &api.UpdateRouteRequest{ApiId: &id, RouteId: &route, RouteKey: new("")})), badKey},
		{"method only", routeKey("GET"), badKey},
		{"path only", routeKey("/x"), badKey},
		{"unknown method", routeKey("FETCH /x"), badKey},
		{"small letters", routeKey("get /x"), badKey},
		{"no slash", routeKey("GET x"), badKey},
		{"default with a method", routeKey("GET $default"), badKey},
		{"star", routeKey("GET /x/*"), badPart},
		{"trailing slash", routeKey("GET /x/"), badPart},
		{"double slash", routeKey("GET /x//y"), badPart},
		{"plus", routeKey("GET /+"), badPart},
		{"half a segment", routeKey("GET /x{y}"), badPart},
		{"greedy in the middle", routeKey("GET /{x+}/y"), "BadRequestException 400: A greedy path variable"},
		{"a name twice", routeKey("GET /{x}/{x}"), "BadRequestException 400: The path variable x"},
		{"key taken", routeKey("GET /hello"), "ConflictException 409: Route with key GET /hello already exists for this API"},
		{"unknown target", createRoute(api.CreateRouteRequest{RouteKey: new("GET /x"), Target: new("integrations/nope")}), "BadRequestException 400: Invalid Integration identifier specified"},
		{"bad target", createRoute(api.CreateRouteRequest{RouteKey: new("GET /x"), Target: new("nope")}), "BadRequestException 400: Unexpected or malformed target in route null. Correct format should be integrations/<integration_id>."},
		{"bad target of an old route", one(g.UpdateRoute(c, &api.UpdateRouteRequest{ApiId: &id, RouteId: &route, Target: new("nope")})), "BadRequestException 400: Unexpected or malformed target in route " + route},
		{"API key", createRoute(api.CreateRouteRequest{RouteKey: new("GET /x"), ApiKeyRequired: new(true)}), "BadRequestException 400: ApiKeyRequired is not currently supported for HTTP APIs. Please set ApiKeyRequired to false for route null"},
		{"model selection", createRoute(api.CreateRouteRequest{RouteKey: new("GET /x"), ModelSelectionExpression: new("$request.body.kind")}), "BadRequestException 400: ModelSelectionExpression is not currently supported for HTTP APIs."},
		{"request models", createRoute(api.CreateRouteRequest{RouteKey: new("GET /x"), RequestModels: map[string]string{"$default": "m"}}), "BadRequestException 400: RequestModels is not currently supported for HTTP APIs."},
		{"request parameters of a route", one(g.UpdateRoute(c, &api.UpdateRouteRequest{ApiId: &id, RouteId: &route, RequestParameters: map[string]api.ParameterConstraints{"p": {Required: new(true)}}})), "BadRequestException 400: RequestParameters is not currently supported for HTTP APIs."},
		{"response selection", one(g.UpdateRoute(c, &api.UpdateRouteRequest{ApiId: &id, RouteId: &route, RouteResponseSelectionExpression: new("$default")})), "BadRequestException 400: RouteResponseSelectionExpression is not currently supported for HTTP APIs."},
		{"managed route", one(g.UpdateRoute(c, &api.UpdateRouteRequest{ApiId: &quick, RouteId: &quickRoute, RouteKey: new("GET /x")})), "BadRequestException 400: The route key of a route that is managed"},
		{"request parameter", g.DeleteRouteRequestParameter(c, &api.DeleteRouteRequestParameterRequest{ApiId: &id, RouteId: &route, RequestParameterKey: new("p")}), "NotFoundException 404: Unable to find request parameter p"},
		{"request parameter of an unknown route", g.DeleteRouteRequestParameter(c, &api.DeleteRouteRequestParameterRequest{ApiId: &id, RouteId: new("nope"), RequestParameterKey: new("p")}), "NotFoundException 404: Invalid Route identifier specified"},

		{"stage name", createStage(api.CreateStageRequest{StageName: new("a.b")}), "BadRequestException 400: Stage name only allows a-zA-Z0-9_"},
		{"long stage name", createStage(api.CreateStageRequest{StageName: new(strings.Repeat("n", 129))}), "BadRequestException 400: Stage name only allows a-zA-Z0-9_"},
		{"stage taken", createStage(api.CreateStageRequest{StageName: new("$default")}), "ConflictException 409: Stage already exists"},
		{"variable name", createStage(api.CreateStageRequest{StageVariables: map[string]string{"a-b": "1"}}), "BadRequestException 400: Invalid stage variable name: a-b. Please use names with only word characters."},
		{"variable value", createStage(api.CreateStageRequest{StageVariables: map[string]string{"a": "<"}}), "BadRequestException 400: Invalid stage variable value of key a.  Please use values with"},
		{"too many variables", createStage(api.CreateStageRequest{StageVariables: numbered(101)}), "BadRequestException 400: A stage can have at most 100 stage variables"},
		{"long variable name", createStage(api.CreateStageRequest{StageVariables: map[string]string{strings.Repeat("v", 65): "1"}}), "BadRequestException 400: Invalid stage variable name: vvv"},
		{"long variable value", createStage(api.CreateStageRequest{StageVariables: map[string]string{"a": strings.Repeat("v", 513)}}), "BadRequestException 400: Invalid stage variable value of key a."},
		{"settings of a route that isn't there", createStage(api.CreateStageRequest{RouteSettings: map[string]api.RouteSettings{"GET /x": {DetailedMetricsEnabled: new(true)}}}), "NotFoundException 404: Unable to find Route by key GET /x within the provided RouteSettings"},
		{"execution logs", createStage(api.CreateStageRequest{DefaultRouteSettings: &api.RouteSettings{LoggingLevel: new("INFO")}}), "BadRequestException 400: Execution logs are not supported on protocolType HTTP"},
		{"unknown deployment of a stage", createStage(api.CreateStageRequest{DeploymentId: new("nope")}), "BadRequestException 400: Invalid Deployment identifier specified"},
		{"deployment and auto-deploy", createStage(api.CreateStageRequest{DeploymentId: new("x"), AutoDeploy: new(true)}), "BadRequestException 400: Deployment ID cannot be set on this stage 000000000000:" + id + " because AutoDeploy is enabled."},
		{"client certificate", createStage(api.CreateStageRequest{ClientCertificateId: new("x")}), "BadRequestException 400: Client certificates are not supported on protocolType HTTP"},
		{"log destination", createStage(api.CreateStageRequest{AccessLogSettings: &api.AccessLogSettings{DestinationArn: new("arn:aws:s3:::b"), Format: new("f")}}), "BadRequestException 400: Access log destination must only contain characters a-z, A-Z, 0-9, '_', '-', '/', '.': 'b'"},
		{"log destination of a stream", createStage(api.CreateStageRequest{AccessLogSettings: &api.AccessLogSettings{DestinationArn: new("arn:aws:firehose:us-east-1:000000000000:deliverystream/amazon-apigateway-x"), Format: new("f")}}), "BadRequestException 400: Access log destination must only contain characters a-z, A-Z, 0-9, '_', '-', '/', '.': 'deliverystream/amazon-apigateway-x'"},
		{"log destination with a star", createStage(api.CreateStageRequest{AccessLogSettings: &api.AccessLogSettings{DestinationArn: new("arn:aws:logs:us-east-1:000000000000:log-group:g:*"), Format: new("f")}}), "BadRequestException 400: Access log destination must only contain characters a-z, A-Z, 0-9, '_', '-', '/', '.': 'log-group:g:*'"},
		{"log destination without a name", createStage(api.CreateStageRequest{AccessLogSettings: &api.AccessLogSettings{DestinationArn: new("arn:aws:logs:us-east-1:000000000000:log-group:"), Format: new("f")}}), "BadRequestException 400: Access log destination must only contain"},
		{"log destination that isn't an ARN", createStage(api.CreateStageRequest{AccessLogSettings: &api.AccessLogSettings{DestinationArn: new("g"), Format: new("f")}}), "BadRequestException 400: Invalid ARN specified in the request. ARN: g"},
		{"log destination of another account", createStage(api.CreateStageRequest{AccessLogSettings: &api.AccessLogSettings{DestinationArn: new("arn:aws:logs:us-east-1:111111111111:log-group:g"), Format: new("$context.requestId")}}), "BadRequestException 400: Invalid ARN specified in the request. ARN: arn:aws:logs:us-east-1:111111111111:log-group:g must be"},
		{"log destination in another region", createStage(api.CreateStageRequest{AccessLogSettings: &api.AccessLogSettings{DestinationArn: new("arn:aws:logs:eu-west-1:000000000000:log-group:g"), Format: new("$context.requestId")}}), "BadRequestException 400: Invalid ARN specified in the request. ARN: arn:aws:logs:eu-west-1:000000000000:log-group:g must be"},
		{"long log format", createStage(api.CreateStageRequest{AccessLogSettings: &api.AccessLogSettings{DestinationArn: new("arn:aws:logs:us-east-1:000000000000:log-group:g"), Format: new("$context.requestId" + strings.Repeat("x", 3072))}}), "BadRequestException 400: The following errors are found in Access Log Format: an access log format has at most 3072 bytes"},
		{"log format missing", createStage(api.CreateStageRequest{AccessLogSettings: &api.AccessLogSettings{DestinationArn: new("arn:aws:logs:us-east-1:000000000000:log-group:g")}}), "BadRequestException 400: Both destinationArn and format"},
		{"log format", createStage(api.CreateStageRequest{AccessLogSettings: &api.AccessLogSettings{DestinationArn: new("arn:aws:logs:us-east-1:000000000000:log-group:g"), Format: new("$context.status")}}), "BadRequestException 400: The following errors are found in Access Log Format: Access Log format must include either $context.requestId or $context.extendedRequestId : '$context.status'"},
		{"managed stage", one(g.UpdateStage(c, &api.UpdateStageRequest{ApiId: &quick, StageName: new("$default"), Description: new("d")})), "BadRequestException 400: Stage $default is managed"},
		{"route settings that aren't there", g.DeleteRouteSettings(c, &api.DeleteRouteSettingsRequest{ApiId: &id, StageName: new("$default"), RouteKey: new("GET /x")}), "NotFoundException 404: Unable to find Route by key GET /x within the provided RouteSettings"},

		{"deployment without routes", one(g.CreateDeployment(c, &api.CreateDeploymentRequest{ApiId: &empty})), "BadRequestException 400: Unable to deploy API because no routes exist in this API"},
		{"deployment to an auto-deployed stage", one(g.CreateDeployment(c, &api.CreateDeploymentRequest{ApiId: &id, StageName: new("$default")})), "BadRequestException 400: Deployment ID cannot be set on this stage"},
		{"deployment to no stage", one(g.CreateDeployment(c, &api.CreateDeploymentRequest{ApiId: &id, StageName: new("nope")})), "NotFoundException 404: Invalid stage identifier specified"},

		{"page size", one(g.GetRoutes(c, &api.GetRoutesRequest{ApiId: &id, MaxResults: new("many")})), "BadRequestException 400: Invalid value for maxResults: many"},
		{"page size zero", one(g.GetApis(c, &api.GetApisRequest{MaxResults: new("0")})), "BadRequestException 400: Invalid value for maxResults: 0"},
		{"page token", one(g.GetRoutes(c, &api.GetRoutesRequest{ApiId: &id, NextToken: new("foreign")})), "BadRequestException 400: Invalid NextToken"},

		{"tags of nothing", one(g.GetTags(c, &api.GetTagsRequest{ResourceArn: new("x")})), "BadRequestException 400: Invalid resource ARN specified: x"},
		{"tags of an unknown API", one(g.GetTags(c, &api.GetTagsRequest{ResourceArn: new("arn:aws:apigateway:us-east-1::/apis/nope")})), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"tags in another region", one(g.GetTags(c, &api.GetTagsRequest{ResourceArn: new("arn:aws:apigateway:eu-west-1::/apis/" + id)})), "NotFoundException 404"},
		{"tags of an unknown VPC link", one(g.GetTags(c, &api.GetTagsRequest{ResourceArn: new("arn:aws:apigateway:us-east-1::/vpclinks/v")})), "NotFoundException 404: Unable to find VpcLink with id v"},
		{"an operation that isn't there", one(g.CreatePortal(c, &api.CreatePortalRequest{})), "501: gatehouse does not implement apigatewayv2:CreatePortal"},
	} {
		if got := describeError(test.err); !strings.Contains(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	// Whatever was refused has left nothing behind.
	if n := len(must[*api.GetApisResponse](t)(g.GetApis(c, &api.GetApisRequest{})).Items); n != 4 {
		t.Errorf("%d APIs, want 4", n)
	}
	if n := len(must[*api.GetRoutesResponse](t)(g.GetRoutes(c, &api.GetRoutesRequest{ApiId: &id})).Items); n != 1 {
		t.Errorf("%d routes, want 1", n)
	}
	if n := len(must[*api.GetStagesResponse](t)(g.GetStages(c, &api.GetStagesRequest{ApiId: &id})).Items); n != 1 {
		t.Errorf("%d stages, want 1", n)
	}
}

func (g *gateway) as(account string) *awswire.Call {
	c := g.call()
	c.Account = account
	return c
}

// numbered is a map of n entries.
func numbered(n int) map[string]string {
	m := map[string]string{}
	for i := range n {
		m[fmt.Sprint("k", i)] = "v"
	}
	return m
}

func with[T any](v T, change func(*T)) T {
	change(&v)
	return v
}

func one[T any](_ T, err error) error { return err }

func describeError(err error) string {
	var e *awswire.Error
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	return fmt.Sprintf("%s %d: %s", e.Code, e.Status, e.Message)
}
