package sdk

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"gatehouse/test/harness"
)

// A gateway is an API to hang things on.
type gateway struct {
	*apigatewayv2.Client
	api *string
}

func newGateway(t *testing.T) *gateway {
	t.Helper()
	client := apigatewayv2.NewFromConfig(harness.Start(t, "").Config())
	out := must(client.CreateApi(t.Context(), &apigatewayv2.CreateApiInput{Name: new("hello"), ProtocolType: types.ProtocolTypeHttp}))(t)
	return &gateway{client, out.ApiId}
}

func (g *gateway) integration(t *testing.T, uri string) *string {
	t.Helper()
	return must(g.CreateIntegration(t.Context(), &apigatewayv2.CreateIntegrationInput{
		ApiId: g.api, IntegrationType: types.IntegrationTypeHttpProxy, IntegrationMethod: new("GET"), IntegrationUri: &uri,
		ConnectionType: types.ConnectionTypeInternet, PayloadFormatVersion: new("1.0"),
	}))(t).IntegrationId
}

func TestApi(t *testing.T) {
	client := apigatewayv2.NewFromConfig(harness.Start(t, "").Config())
	ctx := t.Context()
	// The provider sends the defaults of its own schema.
	id := must(client.CreateApi(ctx, &apigatewayv2.CreateApiInput{
		Name: new("hello"), ProtocolType: types.ProtocolTypeHttp, ApiKeySelectionExpression: new("$request.header.x-api-key"),
		RouteSelectionExpression: new("$request.method $request.path"),
	}))(t).ApiId
	read := func() *apigatewayv2.GetApiOutput {
		t.Helper()
		out := must(client.GetApi(ctx, &apigatewayv2.GetApiInput{ApiId: id}))(t)
		out.ResultMetadata = apigatewayv2.GetApiOutput{}.ResultMetadata
		return out
	}
	got := read()
	if endpoint := *present(t, "ApiEndpoint", got.ApiEndpoint); !strings.HasPrefix(endpoint, "http://"+*id+".execute-api.") {
		t.Errorf("endpoint %s", endpoint)
	}
	want := &apigatewayv2.GetApiOutput{
		ApiEndpoint: got.ApiEndpoint, ApiId: id, ApiKeySelectionExpression: new("$request.header.x-api-key"), CreatedDate: recent(t, "CreatedDate", got.CreatedDate),
		DisableExecuteApiEndpoint: new(false), IpAddressType: types.IpAddressTypeIpv4, Name: new("hello"), ProtocolType: types.ProtocolTypeHttp,
		RouteSelectionExpression: new("$request.method $request.path"), Tags: got.Tags,
	}
	if len(got.Tags) != 0 {
		t.Errorf("tags %v", got.Tags)
	}
	same(t, "API after create", got, want)

	arn := "arn:aws:apigateway:" + region + "::/apis/" + *id
	must(client.TagResource(ctx, &apigatewayv2.TagResourceInput{ResourceArn: &arn, Tags: map[string]string{"a": "1", "b": "2"}}))(t)
	must(client.UntagResource(ctx, &apigatewayv2.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"b"}}))(t)
	must(client.UpdateApi(ctx, &apigatewayv2.UpdateApiInput{
		ApiId: id, Name: new("hello-2"), Description: new("d"), Version: new("v1"), DisableExecuteApiEndpoint: new(true),
	}))(t)
	got = read()
	want.Name, want.Description, want.Version, want.DisableExecuteApiEndpoint = new("hello-2"), new("d"), new("v1"), new(true)
	want.Tags = map[string]string{"a": "1"}
	same(t, "API after update", got, want)

	must(client.UpdateApi(ctx, &apigatewayv2.UpdateApiInput{ApiId: id, Description: new(""), Version: new(""), DisableExecuteApiEndpoint: new(false)}))(t)
	got = read()
	want.Description, want.Version, want.DisableExecuteApiEndpoint = nil, nil, new(false)
	same(t, "API after the second update", got, want)

	must(client.DeleteApi(ctx, &apigatewayv2.DeleteApiInput{ApiId: id}))(t)
	_, err := client.GetApi(ctx, &apigatewayv2.GetApiInput{ApiId: id})
	fails(t, err, "NotFoundException")
	_, err = client.DeleteApi(ctx, &apigatewayv2.DeleteApiInput{ApiId: id})
	fails(t, err, "NotFoundException")
}

func TestIntegration(t *testing.T) {
	g := newGateway(t)
	ctx := t.Context()
	uri := "arn:aws:apigateway:" + region + ":lambda:path/2015-03-31/functions/" + functionARN + "/invocations"
	id := must(g.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{
		ApiId: g.api, IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: &uri, ConnectionType: types.ConnectionTypeInternet,
		PayloadFormatVersion: new("2.0"),
	}))(t).IntegrationId
	read := func(id *string) *apigatewayv2.GetIntegrationOutput {
		t.Helper()
		out := must(g.GetIntegration(ctx, &apigatewayv2.GetIntegrationInput{ApiId: g.api, IntegrationId: id}))(t)
		out.ResultMetadata = apigatewayv2.GetIntegrationOutput{}.ResultMetadata
		return out
	}
	want := &apigatewayv2.GetIntegrationOutput{
		ConnectionType: types.ConnectionTypeInternet, IntegrationId: id, IntegrationMethod: new("POST"), IntegrationType: types.IntegrationTypeAwsProxy,
		IntegrationUri: &uri, PayloadFormatVersion: new("2.0"), TimeoutInMillis: new(int32(30000)),
	}
	same(t, "function integration after create", read(id), want)

	must(g.UpdateIntegration(ctx, &apigatewayv2.UpdateIntegrationInput{
		ApiId: g.api, IntegrationId: id, IntegrationType: types.IntegrationTypeAwsProxy, Description: new("d"), TimeoutInMillis: new(int32(5000)),
		PayloadFormatVersion: new("1.0"),
	}))(t)
	want.Description, want.TimeoutInMillis, want.PayloadFormatVersion = new("d"), new(int32(5000)), new("1.0")
	same(t, "function integration after update", read(id), want)

	backend := g.integration(t, "https://example.com/{proxy}")
	wantHTTP := &apigatewayv2.GetIntegrationOutput{
		ConnectionType: types.ConnectionTypeInternet, IntegrationId: backend, IntegrationMethod: new("GET"), IntegrationType: types.IntegrationTypeHttpProxy,
		IntegrationUri: new("https://example.com/{proxy}"), PayloadFormatVersion: new("1.0"), TimeoutInMillis: new(int32(30000)),
	}
	same(t, "HTTP integration after create", read(backend), wantHTTP)
	must(g.UpdateIntegration(ctx, &apigatewayv2.UpdateIntegrationInput{
		ApiId: g.api, IntegrationId: backend, IntegrationType: types.IntegrationTypeHttpProxy, IntegrationMethod: new("ANY"), IntegrationUri: new("https://example.org"),
	}))(t)
	wantHTTP.IntegrationMethod, wantHTTP.IntegrationUri = new("ANY"), new("https://example.org")
	same(t, "HTTP integration after update", read(backend), wantHTTP)

	for _, id := range []*string{id, backend} {
		must(g.DeleteIntegration(ctx, &apigatewayv2.DeleteIntegrationInput{ApiId: g.api, IntegrationId: id}))(t)
		_, err := g.GetIntegration(ctx, &apigatewayv2.GetIntegrationInput{ApiId: g.api, IntegrationId: id})
		fails(t, err, "NotFoundException")
	}
}

func TestRoute(t *testing.T) {
	g := newGateway(t)
	ctx := t.Context()
	target := "integrations/" + *g.integration(t, "https://example.com")
	id := must(g.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{
		ApiId: g.api, RouteKey: new("GET /hello"), ApiKeyRequired: new(false), AuthorizationType: types.AuthorizationTypeNone, Target: &target,
	}))(t).RouteId
	read := func() *apigatewayv2.GetRouteOutput {
		t.Helper()
		out := must(g.GetRoute(ctx, &apigatewayv2.GetRouteInput{ApiId: g.api, RouteId: id}))(t)
		out.ResultMetadata = apigatewayv2.GetRouteOutput{}.ResultMetadata
		return out
	}
	want := &apigatewayv2.GetRouteOutput{
		ApiKeyRequired: new(false), AuthorizationType: types.AuthorizationTypeNone, RouteId: id, RouteKey: new("GET /hello"), Target: &target,
	}
	same(t, "route after create", read(), want)
	_, err := g.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: g.api, RouteKey: new("GET /hello")})
	fails(t, err, "ConflictException")

	must(g.UpdateRoute(ctx, &apigatewayv2.UpdateRouteInput{ApiId: g.api, RouteId: id, RouteKey: new("ANY /hello/{proxy+}"), OperationName: new("Hello")}))(t)
	want.RouteKey, want.OperationName = new("ANY /hello/{proxy+}"), new("Hello")
	same(t, "route after update", read(), want)
	must(g.UpdateRoute(ctx, &apigatewayv2.UpdateRouteInput{ApiId: g.api, RouteId: id, OperationName: new("")}))(t)
	want.OperationName = nil
	same(t, "route after the second update", read(), want)

	must(g.DeleteRoute(ctx, &apigatewayv2.DeleteRouteInput{ApiId: g.api, RouteId: id}))(t)
	_, err = g.GetRoute(ctx, &apigatewayv2.GetRouteInput{ApiId: g.api, RouteId: id})
	fails(t, err, "NotFoundException")
}

func TestStage(t *testing.T) {
	g := newGateway(t)
	ctx := t.Context()
	target := "integrations/" + *g.integration(t, "https://example.com")
	must(g.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: g.api, RouteKey: new("GET /hello"), Target: &target}))(t)
	name := new("$default")
	read := func() *apigatewayv2.GetStageOutput {
		t.Helper()
		out := must(g.GetStage(ctx, &apigatewayv2.GetStageInput{ApiId: g.api, StageName: name}))(t)
		must(g.GetApi(ctx, &apigatewayv2.GetApiInput{ApiId: g.api}))(t)
		out.ResultMetadata = apigatewayv2.GetStageOutput{}.ResultMetadata
		return out
	}
	must(g.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: g.api, StageName: name, AutoDeploy: new(true)}))(t)
	got := read()
	want := &apigatewayv2.GetStageOutput{
		AutoDeploy: new(true), CreatedDate: recent(t, "CreatedDate", got.CreatedDate), DefaultRouteSettings: &types.RouteSettings{DetailedMetricsEnabled: new(false)},
		DeploymentId: present(t, "DeploymentId", got.DeploymentId), LastDeploymentStatusMessage: got.LastDeploymentStatusMessage,
		LastUpdatedDate: recent(t, "LastUpdatedDate", got.LastUpdatedDate), RouteSettings: map[string]types.RouteSettings{}, StageName: name,
		StageVariables: map[string]string{}, Tags: map[string]string{},
	}
	// AWS sends these three empty or not at all; a plan can't tell.
	for empty, is := range map[string]bool{"RouteSettings": len(got.RouteSettings) == 0, "StageVariables": len(got.StageVariables) == 0, "Tags": len(got.Tags) == 0} {
		if !is {
			t.Errorf("%s isn't empty", empty)
		}
	}
	want.RouteSettings, want.StageVariables, want.Tags = got.RouteSettings, got.StageVariables, got.Tags
	same(t, "stage after create", got, want)

	must(g.UpdateStage(ctx, &apigatewayv2.UpdateStageInput{
		ApiId: g.api, StageName: name, Description: new("d"), StageVariables: map[string]string{"a": "1", "b": "2"},
		DefaultRouteSettings: &types.RouteSettings{DetailedMetricsEnabled: new(true), ThrottlingBurstLimit: new(int32(10)), ThrottlingRateLimit: new(5.5)},
		RouteSettings:        map[string]types.RouteSettings{"GET /hello": {ThrottlingBurstLimit: new(int32(1)), ThrottlingRateLimit: new(1.0), DetailedMetricsEnabled: new(false)}},
	}))(t)
	got = read()
	want.Description, want.StageVariables = new("d"), map[string]string{"a": "1", "b": "2"}
	want.DefaultRouteSettings = &types.RouteSettings{DetailedMetricsEnabled: new(true), ThrottlingBurstLimit: new(int32(10)), ThrottlingRateLimit: new(5.5)}
	want.RouteSettings = map[string]types.RouteSettings{"GET /hello": {ThrottlingBurstLimit: new(int32(1)), ThrottlingRateLimit: new(1.0), DetailedMetricsEnabled: new(false)}}
	want.LastUpdatedDate, want.DeploymentId, want.LastDeploymentStatusMessage = got.LastUpdatedDate, got.DeploymentId, got.LastDeploymentStatusMessage
	same(t, "stage after update", got, want)

	// A variable is removed by an empty value, the settings of a route by a call,
	// the stage's own by an empty structure.
	must(g.DeleteRouteSettings(ctx, &apigatewayv2.DeleteRouteSettingsInput{ApiId: g.api, StageName: name, RouteKey: new("GET /hello")}))(t)
	must(g.UpdateStage(ctx, &apigatewayv2.UpdateStageInput{
		ApiId: g.api, StageName: name, Description: new(""), StageVariables: map[string]string{"b": "", "c": "3"},
		DefaultRouteSettings: &types.RouteSettings{}, RouteSettings: map[string]types.RouteSettings{}, AccessLogSettings: &types.AccessLogSettings{},
	}))(t)
	got = read()
	want.Description, want.StageVariables = nil, map[string]string{"a": "1", "c": "3"}
	want.DefaultRouteSettings = &types.RouteSettings{DetailedMetricsEnabled: new(false)}
	want.RouteSettings = got.RouteSettings
	if len(got.RouteSettings) != 0 {
		t.Errorf("route settings %v", got.RouteSettings)
	}
	want.LastUpdatedDate, want.DeploymentId, want.LastDeploymentStatusMessage = got.LastUpdatedDate, got.DeploymentId, got.LastDeploymentStatusMessage
	same(t, "stage after the second update", got, want)

	arn := "arn:aws:apigateway:" + region + "::/apis/" + *g.api + "/stages/$default"
	must(g.TagResource(ctx, &apigatewayv2.TagResourceInput{ResourceArn: &arn, Tags: map[string]string{"a": "1"}}))(t)
	same(t, "tags", read().Tags, map[string]string{"a": "1"})
	same(t, "tags by ARN", must(g.GetTags(ctx, &apigatewayv2.GetTagsInput{ResourceArn: &arn}))(t).Tags, map[string]string{"a": "1"})

	must(g.DeleteStage(ctx, &apigatewayv2.DeleteStageInput{ApiId: g.api, StageName: name}))(t)
	_, err := g.GetStage(ctx, &apigatewayv2.GetStageInput{ApiId: g.api, StageName: name})
	fails(t, err, "NotFoundException")
}

func TestDeployment(t *testing.T) {
	g := newGateway(t)
	ctx := t.Context()
	target := "integrations/" + *g.integration(t, "https://example.com")
	must(g.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: g.api, RouteKey: new("GET /hello"), Target: &target}))(t)
	id := must(g.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: g.api, Description: new("first")}))(t).DeploymentId
	read := func() *apigatewayv2.GetDeploymentOutput {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); ; {
			out := must(g.GetDeployment(ctx, &apigatewayv2.GetDeploymentInput{ApiId: g.api, DeploymentId: id}))(t)
			if out.DeploymentStatus != types.DeploymentStatusPending || time.Now().After(deadline) {
				out.ResultMetadata = apigatewayv2.GetDeploymentOutput{}.ResultMetadata
				return out
			}
		}
	}
	got := read()
	want := &apigatewayv2.GetDeploymentOutput{
		AutoDeployed: new(false), CreatedDate: recent(t, "CreatedDate", got.CreatedDate), DeploymentId: id,
		DeploymentStatus: types.DeploymentStatusDeployed, Description: new("first"),
	}
	same(t, "deployment after create", got, want)
	must(g.UpdateDeployment(ctx, &apigatewayv2.UpdateDeploymentInput{ApiId: g.api, DeploymentId: id, Description: new("one")}))(t)
	want.Description = new("one")
	same(t, "deployment after update", read(), want)

	// A stage that serves it keeps it from being deleted.
	must(g.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: g.api, StageName: new("prod"), AutoDeploy: new(false), DeploymentId: id}))(t)
	stage := must(g.GetStage(ctx, &apigatewayv2.GetStageInput{ApiId: g.api, StageName: new("prod")}))(t)
	if *stage.DeploymentId != *id || *stage.AutoDeploy {
		t.Errorf("stage %s", lines(t, stage))
	}
	_, err := g.DeleteDeployment(ctx, &apigatewayv2.DeleteDeploymentInput{ApiId: g.api, DeploymentId: id})
	fails(t, err, "BadRequestException")
	must(g.DeleteStage(ctx, &apigatewayv2.DeleteStageInput{ApiId: g.api, StageName: new("prod")}))(t)
	must(g.DeleteDeployment(ctx, &apigatewayv2.DeleteDeploymentInput{ApiId: g.api, DeploymentId: id}))(t)
	_, err = g.GetDeployment(ctx, &apigatewayv2.GetDeploymentInput{ApiId: g.api, DeploymentId: id})
	fails(t, err, "NotFoundException")
}
