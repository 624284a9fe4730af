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
	if _, err := client.GetVpcLinks(ctx, &sdk.GetVpcLinksInput{}); !errors.As(err, &missing) || missing.ErrorCode() != "NotImplementedException" {
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
		{"POST", "/v2/vpclinks", `{"name":"n","subnetIds":["s"]}`, 501, `{"message":"gatehouse does not implement apigatewayv2:CreateVpcLink yet; docs/COVERAGE.md lists what it does."}`},
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

// sameText compares JSON texts without regard to the order of members.
func sameText(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b
	}
	return reflect.DeepEqual(x, y)
}
