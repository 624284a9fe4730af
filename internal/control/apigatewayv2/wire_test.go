package apigatewayv2_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/smithy-go"

	api "gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
)

// newClient returns AWS's own client on a server in front of the service.
func newClient(t *testing.T, g *gateway) *sdk.Client {
	t.Helper()
	server := httptest.NewServer(awswire.NewHandler(awswire.Options{
		Services: []*awswire.Service{api.NewService(g)}, Account: "000000000000", Region: "us-east-1",
		Auth: awswire.Auth{Open: true},
	}))
	t.Cleanup(server.Close)
	return sdk.New(sdk.Options{
		Region:           "us-east-1",
		BaseEndpoint:     &server.URL,
		Credentials:      credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient:       &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
		RetryMaxAttempts: 1,
	})
}

// The seed's flow with the AWS SDK: create, read, list page by page, update,
// route, delete.
func TestWithTheSDK(t *testing.T) {
	g := newGateway(t)
	client, ctx := newClient(t, g), context.Background()

	created := must[*sdk.CreateApiOutput](t)(client.CreateApi(ctx, &sdk.CreateApiInput{Name: aws.String("hello"), ProtocolType: types.ProtocolTypeHttp, Tags: map[string]string{"_custom_id_": "hello", "team": "a"}}))
	if *created.ApiId != "hello" || *created.ApiEndpoint != "http://hello.execute-api.localhost:4566" || created.CreatedDate.IsZero() {
		t.Errorf("CreateApi: %+v", created)
	}
	integration := must[*sdk.CreateIntegrationOutput](t)(client.CreateIntegration(ctx, &sdk.CreateIntegrationInput{
		ApiId: created.ApiId, IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: aws.String(functionARN), PayloadFormatVersion: aws.String("2.0"),
	}))
	for _, key := range []string{"GET /hello", "POST /hello", "ANY /{proxy+}"} {
		must[*sdk.CreateRouteOutput](t)(client.CreateRoute(ctx, &sdk.CreateRouteInput{ApiId: created.ApiId, RouteKey: &key, Target: aws.String("integrations/" + *integration.IntegrationId)}))
	}
	must[*sdk.CreateStageOutput](t)(client.CreateStage(ctx, &sdk.CreateStageInput{ApiId: created.ApiId, StageName: aws.String("$default"), AutoDeploy: aws.Bool(true)}))
	if got := g.route("hello", "GET", "/hello"); !strings.HasPrefix(got, "$default GET /hello") {
		t.Errorf("GET /hello: %s", got)
	}
	if got := g.route("hello", "PUT", "/x/y"); !strings.HasPrefix(got, "$default ANY /{proxy+}") {
		t.Errorf("PUT /x/y: %s", got)
	}

	var keys []string
	in := &sdk.GetRoutesInput{ApiId: created.ApiId, MaxResults: aws.String("2")}
	for {
		page := must[*sdk.GetRoutesOutput](t)(client.GetRoutes(ctx, in))
		for _, r := range page.Items {
			keys = append(keys, *r.RouteKey)
		}
		if in.NextToken = page.NextToken; in.NextToken == nil {
			break
		}
	}
	if len(keys) != 3 {
		t.Errorf("routes page by page: %q", keys)
	}

	must[*sdk.UpdateStageOutput](t)(client.UpdateStage(ctx, &sdk.UpdateStageInput{ApiId: created.ApiId, StageName: aws.String("$default"),
		RouteSettings:  map[string]types.RouteSettings{"GET /hello": {DetailedMetricsEnabled: aws.Bool(true), ThrottlingRateLimit: aws.Float64(1.5)}},
		StageVariables: map[string]string{"color": "blue"}}))
	stage := must[*sdk.GetStageOutput](t)(client.GetStage(ctx, &sdk.GetStageInput{ApiId: created.ApiId, StageName: aws.String("$default")}))
	if stage.StageVariables["color"] != "blue" || *stage.RouteSettings["GET /hello"].ThrottlingRateLimit != 1.5 || stage.LastUpdatedDate == nil {
		t.Errorf("GetStage: %+v", stage)
	}
	if _, err := client.DeleteRouteSettings(ctx, &sdk.DeleteRouteSettingsInput{ApiId: created.ApiId, StageName: aws.String("$default"), RouteKey: aws.String("GET /hello")}); err != nil {
		t.Error(err)
	}

	arn := aws.String("arn:aws:apigateway:us-east-1::/apis/hello")
	if _, err := client.TagResource(ctx, &sdk.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"a b": "c/d"}}); err != nil {
		t.Error(err)
	}
	if _, err := client.UntagResource(ctx, &sdk.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"team"}}); err != nil {
		t.Error(err)
	}
	if tags := must[*sdk.GetTagsOutput](t)(client.GetTags(ctx, &sdk.GetTagsInput{ResourceArn: arn})).Tags; len(tags) != 2 || tags["a b"] != "c/d" {
		t.Errorf("GetTags: %v", tags)
	}

	var notFound *types.NotFoundException
	if _, err := client.GetApi(ctx, &sdk.GetApiInput{ApiId: aws.String("nope")}); !errors.As(err, &notFound) || *notFound.Message != "Invalid API identifier specified 000000000000:nope" {
		t.Errorf("an unknown API: %v", err)
	}
	var taken *types.ConflictException
	if _, err := client.CreateRoute(ctx, &sdk.CreateRouteInput{ApiId: created.ApiId, RouteKey: aws.String("GET /hello")}); !errors.As(err, &taken) {
		t.Errorf("a key twice: %v", err)
	}
	var missing smithy.APIError
	if _, err := client.ListPortals(ctx, &sdk.ListPortalsInput{}); !errors.As(err, &missing) || missing.ErrorCode() != "NotImplementedException" {
		t.Errorf("an operation that isn't there: %v", err)
	}
	if _, err := client.DeleteApi(ctx, &sdk.DeleteApiInput{ApiId: created.ApiId}); err != nil {
		t.Error(err)
	}
	if got := g.route("hello", "GET", "/hello"); !strings.Contains(got, "no API") {
		t.Errorf("after DeleteApi: %s", got)
	}
}

// The answers as they travel: names, empty maps, times, statuses.
func TestAnswersOnTheWire(t *testing.T) {
	g := newGateway(t)
	id, integration, route := g.hello()
	deployment := *must[*api.GetStageResponse](t)(g.GetStage(g.call(), &api.GetStageRequest{ApiId: &id, StageName: new("$default")})).DeploymentId
	handler := awswire.NewHandler(awswire.Options{
		Services: []*awswire.Service{api.NewService(g)}, Account: "000000000000", Region: "us-east-1",
		Auth: awswire.Auth{Open: true}, Clock: func() time.Time { return g.now },
	})
	mask := strings.NewReplacer(id, "API", integration, "INTEGRATION", route, "ROUTE", deployment, "DEPLOYMENT")
	for _, test := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/v2/apis/" + id, "", 200, `{"apiEndpoint":"http://API.execute-api.localhost:4566","apiId":"API","apiKeySelectionExpression":"$request.header.x-api-key","createdDate":"2026-03-04T05:06:07Z","disableExecuteApiEndpoint":false,"ipAddressType":"ipv4","name":"hello","protocolType":"HTTP","routeSelectionExpression":"$request.method $request.path","tags":{}}`},
		{"GET", "/v2/apis/" + id + "/integrations/" + integration, "", 200, `{"connectionType":"INTERNET","integrationId":"INTEGRATION","integrationMethod":"POST","integrationType":"AWS_PROXY","integrationUri":"` + functionARN + `","payloadFormatVersion":"2.0","timeoutInMillis":30000}`},
		{"GET", "/v2/apis/" + id + "/routes/" + route, "", 200, `{"apiKeyRequired":false,"authorizationType":"NONE","routeId":"ROUTE","routeKey":"GET /hello","target":"integrations/INTEGRATION"}`},
		{"GET", "/v2/apis/" + id + "/stages/%24default", "", 200, `{"autoDeploy":true,"createdDate":"2026-03-04T05:06:07Z","defaultRouteSettings":{"detailedMetricsEnabled":false},"deploymentId":"DEPLOYMENT","lastDeploymentStatusMessage":"Successfully deployed stage with deployment ID 'DEPLOYMENT'","lastUpdatedDate":"2026-03-04T05:06:07Z","routeSettings":{},"stageName":"$default","stageVariables":{},"tags":{}}`},
		{"GET", "/v2/apis/" + id + "/deployments", "", 200, `{"items":[{"autoDeployed":true,"createdDate":"2026-03-04T05:06:07Z","deploymentId":"DEPLOYMENT","deploymentStatus":"DEPLOYED","description":"Automatic deployment triggered by changes to the Api configuration"}]}`},
		{"GET", "/v2/apis/nope", "", 404, `{"message":"Invalid API identifier specified 000000000000:nope"}`},
		{"POST", "/v2/apis/" + id + "/routes", `{"routeKey":"GET /hello"}`, 409, `{"message":"Route with key GET /hello already exists for this API"}`},
		{"POST", "/v2/apis/" + id + "/integrations", `{"integrationType":"AWS_PROXY","integrationUri":"` + functionARN + `","payloadFormatVersion":"2.0","timeoutInMillis":30001}`, 400, `{"message":"Timeout should be between 50 ms and 30000 ms"}`},
		{"PATCH", "/v2/apis/" + id + "/integrations/" + integration, `{"timeoutInMillis":49}`, 400, `{"message":"Timeout should be between 50 ms and 30000 ms"}`},
		{"POST", "/v2/apis/" + id + "/authorizers", `{"authorizerType":"REQUEST","name":"n","identitySource":[],"authorizerResultTtlInSeconds":3601}`, 400, `{"message":"Authorizer result TTL outside allowable range. TTL must be between 0 and 3600 seconds."}`},
		{"PATCH", "/v2/apis/" + id + "/stages/%24default", `{"accessLogSettings":{},"stageVariables":{"a":""},"description":null}`, 200, `{"autoDeploy":true,"createdDate":"2026-03-04T05:06:07Z","defaultRouteSettings":{"detailedMetricsEnabled":false},"deploymentId":"DEPLOYMENT","lastDeploymentStatusMessage":"Successfully deployed stage with deployment ID 'DEPLOYMENT'","lastUpdatedDate":"2026-03-04T05:06:07Z","routeSettings":{},"stageName":"$default","stageVariables":{},"tags":{}}`},
		{"PATCH", "/v2/apis/" + id + "/stages/%24default", `{"defaultRouteSettings":{"throttlingRateLimit":"NaN"}}`, 400, `{"message":"Throttling limits must be numbers and not negative"}`},
		{"PATCH", "/v2/apis/" + id + "/stages/%24default", `{"routeSettings":{"$default":{"throttlingRateLimit":"Infinity"}}}`, 400, `{"message":"Throttling limits must be numbers and not negative"}`},
		{"PATCH", "/v2/apis/" + id + "/stages/%24default", `{"defaultRouteSettings":{"throttlingBurstLimit":-1}}`, 400, `{"message":"Throttling limits must be numbers and not negative"}`},
		{"PATCH", "/v2/apis/" + id + "/stages/%24default", `{"clientCertificateId":"x"}`, 400, `{"message":"Client certificates are not supported on protocolType HTTP"}`},
		{"PUT", "/v2/apis", `{"body":"{}"}`, 400, `{"message":"Unable to build importer with provided input. Unable to determine OAS version"}`},
		{"PUT", "/v2/apis/" + id + "?failOnWarnings=true&basepath=prepend", `{"body":"openapi: 3.0.1"}`, 400, `{"message":"Errors found during import:\n\tParse issue: attribute paths is missing"}`},
		{"GET", "/v2/apis/" + id + "/exports/OAS30?outputType=JSON&includeExtensions=false", "", 200, "{\n  \"openapi\" : \"3.0.1\",\n  \"info\" : {\n    \"title\" : \"hello\",\n    \"version\" : \"2026-03-04 05:06:07UTC\"\n  },\n  \"servers\" : [ {\n    \"url\" : \"http://API.execute-api.localhost:4566/{basePath}\",\n    \"variables\" : {\n      \"basePath\" : {\n        \"default\" : \"\"\n      }\n    }\n  } ],\n  \"paths\" : {\n    \"/hello\" : {\n      \"get\" : {\n        \"responses\" : {\n          \"default\" : {\n            \"description\" : \"Default response for GET /hello\"\n          }\n        }\n      }\n    }\n  }\n}\n"},
		{"POST", "/v2/vpclinks", `{"name":"n","subnetIds":["s"]}`, 201, `{"createdDate":"2026-03-04T05:06:07Z","name":"n","securityGroupIds":[],"subnetIds":["s"],"tags":{},"vpcLinkId":"eyw5on","vpcLinkStatus":"PENDING","vpcLinkStatusMessage":"VPC link is provisioning ENIs","vpcLinkVersion":"V2"}`},
		{"POST", "/v2/vpclinks", `{"name":"n","subnetIds":[]}`, 400, `{"message":"At least one subnet is required for a VPC link"}`},
		{"DELETE", "/v2/apis/" + id, "", 204, ``},
	} {
		r := httptest.NewRequest(test.method, "http://localhost:4566"+test.path, strings.NewReader(test.body))
		r.Header.Set("X-Amz-Date", g.now.Format("20060102T150405Z"))
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=any/20260304/us-east-1/apigateway/aws4_request, SignedHeaders=host;x-amz-date, Signature="+strings.Repeat("0", 64))
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if got := mask.Replace(w.Body.String()); w.Code != test.status || !sameText(got, test.want) {
			t.Errorf("%s %s: %d %s\nwant %d %s", test.method, mask.Replace(test.path), w.Code, got, test.status, test.want)
		}
	}
}

// An update with nothing in it changes nothing; one with the empty string
// clears what can be without a value.
func TestEmptyUpdates(t *testing.T) {
	g := newGateway(t)
	client := newProvider(g)
	const logs = `{"destinationArn":"arn:aws:logs:us-east-1:000000000000:log-group:g","format":"$context.requestId"}`
	a := "/v2/apis/" + client.do("POST", "/v2/apis", `{"name":"n","protocolType":"HTTP","description":"d","version":"1","corsConfiguration":{"allowOrigins":["*"]},"tags":{"a":"b"}}`, 201)["apiId"].(string)
	i := client.do("POST", a+"/integrations", `{"integrationType":"AWS_PROXY","integrationUri":"`+functionARN+`","payloadFormatVersion":"2.0","description":"d","credentialsArn":"arn:aws:iam::000000000000:role/r"}`, 201)["integrationId"].(string)
	request := client.do("POST", a+"/authorizers", `{"authorizerType":"REQUEST","name":"r","identitySource":["$request.header.a"],"authorizerUri":"`+authorizerURI+`","authorizerPayloadFormatVersion":"2.0","identityValidationExpression":"x","authorizerCredentialsArn":"arn:aws:iam::000000000000:role/r"}`, 201)["authorizerId"].(string)
	r := client.do("POST", a+"/routes", `{"routeKey":"GET /","target":"integrations/`+i+`","operationName":"o"}`, 201)["routeId"].(string)
	d := client.do("POST", a+"/deployments", `{"description":"d"}`, 201)["deploymentId"].(string)
	client.do("POST", a+"/stages", `{"stageName":"s","description":"d","deploymentId":"`+d+`","stageVariables":{"v":"1"},"accessLogSettings":`+logs+`,"defaultRouteSettings":{"throttlingRateLimit":1},"routeSettings":{"GET /":{"throttlingRateLimit":2}},"tags":{"a":"b"}}`, 201)
	for _, test := range []struct {
		path, clear string
		// required are members that can't be cleared.
		required []string
		want     string
	}{
		{a, `{"description":"","version":"","corsConfiguration":{},"apiKeySelectionExpression":"","routeSelectionExpression":""}`, []string{"name"},
			`{"apiEndpoint":"http://API.execute-api.localhost:4566","apiId":"API","apiKeySelectionExpression":"$request.header.x-api-key","createdDate":"2026-03-04T05:06:07Z","disableExecuteApiEndpoint":false,"ipAddressType":"ipv4","name":"n","protocolType":"HTTP","routeSelectionExpression":"$request.method $request.path","tags":{"a":"b"}}`},
		{a + "/integrations/" + i, `{"description":"","credentialsArn":"","integrationMethod":"","payloadFormatVersion":""}`, []string{"integrationUri"},
			`{"connectionType":"INTERNET","integrationId":"ID","integrationMethod":"POST","integrationType":"AWS_PROXY","integrationUri":"` + functionARN + `","payloadFormatVersion":"1.0","timeoutInMillis":30000}`},
		{a + "/authorizers/" + request, `{"identityValidationExpression":"","authorizerCredentialsArn":"","identitySource":[]}`, []string{"name", "authorizerUri", "authorizerPayloadFormatVersion"},
			`{"authorizerId":"ID","authorizerPayloadFormatVersion":"2.0","authorizerType":"REQUEST","authorizerUri":"` + authorizerURI + `","name":"r"}`},
		{a + "/routes/" + r, `{"target":"","operationName":"","authorizationScopes":[],"modelSelectionExpression":"","requestModels":{},"requestParameters":{}}`, []string{"routeKey"},
			`{"apiKeyRequired":false,"authorizationType":"NONE","routeId":"ID","routeKey":"GET /"}`},
		{a + "/deployments/" + d, `{"description":""}`, nil,
			`{"autoDeployed":false,"createdDate":"2026-03-04T05:06:07Z","deploymentId":"ID","deploymentStatus":"DEPLOYED"}`},
		{a + "/stages/s", `{"description":"","deploymentId":"","stageVariables":{"v":""},"accessLogSettings":{},"defaultRouteSettings":{},"routeSettings":{"GET /":{}}}`, nil,
			`{"autoDeploy":false,"createdDate":"2026-03-04T05:06:07Z","defaultRouteSettings":{"detailedMetricsEnabled":false},"lastUpdatedDate":"2026-03-04T05:06:07Z","routeSettings":{},"stageName":"ID","stageVariables":{},"tags":{"a":"b"}}`},
	} {
		before := client.do("GET", test.path, "", 200)
		for _, nothing := range []string{"", "{}", `{"description":null,"someday":{"a":[]}}`} {
			if after := client.do("PATCH", test.path, nothing, 200); !reflect.DeepEqual(after, before) {
				t.Errorf("PATCH %s %s: %v, want %v", test.path, nothing, after, before)
			}
		}
		client.refresh(test.path, before)
		for _, name := range test.required {
			client.do("PATCH", test.path, `{"`+name+`":""}`, 400)
		}
		client.refresh(test.path, before)
		mask := strings.NewReplacer(strings.TrimPrefix(a, "/v2/apis/"), "API", `"`+test.path[strings.LastIndexByte(test.path, '/')+1:]+`"`, `"ID"`)
		if test.path == a {
			mask = strings.NewReplacer(strings.TrimPrefix(a, "/v2/apis/"), "API")
		}
		cleared := client.do("PATCH", test.path, test.clear, 200)
		if got := mask.Replace(marshal(t, cleared)); !sameText(got, test.want) {
			t.Errorf("PATCH %s %s: %s, want %s", test.path, test.clear, got, test.want)
		}
		client.refresh(test.path, cleared)
	}
}

// What isn't there can't be read, updated or deleted, in an API and without one.
func TestUnknownIDs(t *testing.T) {
	g := newGateway(t)
	client := newProvider(g)
	id, integration, route := g.hello()
	for _, a := range []string{"/v2/apis/" + id, "/v2/apis/nope"} {
		for _, path := range []string{
			a + "/authorizers/nope", a + "/deployments/nope", a + "/integrations/nope", a + "/models/nope", a + "/routes/nope", a + "/stages/nope",
			a + "/integrations/" + integration + "/integrationresponses/nope", a + "/integrations/nope/integrationresponses/nope",
			a + "/routes/" + route + "/routeresponses/nope", a + "/routes/nope/routeresponses/nope", "/v2/apis/nope", "/v2/apis/%00%2F",
		} {
			client.do("GET", path, "", 404)
			client.do("PATCH", path, `{}`, 404)
			client.do("DELETE", path, "", 404)
		}
		for _, path := range []string{"/stages/nope/accesslogsettings", "/stages/nope/cache/authorizers", "/stages/nope/routesettings/GET%20%2Fhello", "/routes/nope/requestparameters/p"} {
			client.do("DELETE", a+path, "", 404)
		}
	}
	for _, path := range []string{"/authorizers", "/deployments", "/integrations", "/models", "/routes", "/stages"} {
		client.do("GET", "/v2/apis/nope"+path, "", 404)
	}
	client.do("GET", "/v2/apis/"+id+"/integrations/nope/integrationresponses", "", 404)
	client.do("GET", "/v2/apis/"+id+"/routes/nope/routeresponses", "", 404)
	client.do("GET", "/v2/apis/"+id+"/models/nope/template", "", 404)
}

// sameText compares JSON texts without regard to the order of members.
func sameText(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b
	}
	return reflect.DeepEqual(x, y)
}
