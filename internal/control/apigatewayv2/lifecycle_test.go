package apigatewayv2_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// What is written is what is read; what wasn't given has AWS's default or is
// absent.
func TestDefaults(t *testing.T) {
	g := newGateway(t)
	id, integration, route := g.hello()
	c := g.call()
	stage := must[*api.GetStageResponse](t)(g.GetStage(c, &api.GetStageRequest{ApiId: &id, StageName: new("$default")}))
	for _, test := range []struct {
		name string
		got  any
		want string
	}{
		{"api", must[*api.GetApiResponse](t)(g.GetApi(c, &api.GetApiRequest{ApiId: &id})), `{
			"ApiEndpoint": "http://` + id + `.execute-api.localhost:4566", "ApiId": "` + id + `",
			"ApiKeySelectionExpression": "$request.header.x-api-key", "CreatedDate": "2026-03-04T05:06:07Z",
			"DisableExecuteApiEndpoint": false, "IpAddressType": "ipv4", "Name": "hello", "ProtocolType": "HTTP",
			"RouteSelectionExpression": "$request.method $request.path", "Tags": {}}`},
		{"integration", must[*api.GetIntegrationResult](t)(g.GetIntegration(c, &api.GetIntegrationRequest{ApiId: &id, IntegrationId: &integration})), `{
			"ConnectionType": "INTERNET", "IntegrationId": "` + integration + `", "IntegrationMethod": "POST", "IntegrationType": "AWS_PROXY",
			"IntegrationUri": "` + functionARN + `", "PayloadFormatVersion": "2.0", "TimeoutInMillis": 30000}`},
		{"route", must[*api.GetRouteResult](t)(g.GetRoute(c, &api.GetRouteRequest{ApiId: &id, RouteId: &route})), `{
			"ApiKeyRequired": false, "AuthorizationType": "NONE", "RouteId": "` + route + `", "RouteKey": "GET /hello",
			"Target": "integrations/` + integration + `"}`},
		{"stage", stage, `{
			"AutoDeploy": true, "CreatedDate": "2026-03-04T05:06:07Z", "DefaultRouteSettings": {"DetailedMetricsEnabled": false},
			"DeploymentId": "` + *stage.DeploymentId + `", "LastDeploymentStatusMessage": "Successfully deployed stage with deployment ID '` + *stage.DeploymentId + `'",
			"LastUpdatedDate": "2026-03-04T05:06:07Z", "RouteSettings": {}, "StageName": "$default", "StageVariables": {}, "Tags": {}}`},
		{"deployment", must[*api.GetDeploymentResponse](t)(g.GetDeployment(c, &api.GetDeploymentRequest{ApiId: &id, DeploymentId: stage.DeploymentId})), `{
			"AutoDeployed": true, "CreatedDate": "2026-03-04T05:06:07Z", "DeploymentId": "` + *stage.DeploymentId + `", "DeploymentStatus": "DEPLOYED",
			"Description": "Automatic deployment triggered by changes to the Api configuration"}`},
	} {
		sameJSON(t, test.name, test.got, test.want)
	}
}

func sameJSON(t *testing.T, name string, got any, want string) {
	t.Helper()
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var g, w any
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("%s:\n%s\nwant\n%s", name, text, want)
	}
}

// Limits count characters, and what is as long as it may be is fine.
func TestLongestTexts(t *testing.T) {
	g := newGateway(t)
	c := g.call()
	text := func(n int) *string { return new(strings.Repeat("é", n)) }
	a := must[*api.CreateApiResponse](t)(g.CreateApi(c, &api.CreateApiRequest{Name: text(128), ProtocolType: new("HTTP"), Description: text(1024), Version: text(64)}))
	i := must[*api.CreateIntegrationResult](t)(g.CreateIntegration(c, &api.CreateIntegrationRequest{ApiId: a.ApiId, Description: text(1024),
		IntegrationType: new("AWS_PROXY"), IntegrationUri: new(functionARN), PayloadFormatVersion: new("2.0")}))
	must[*api.CreateRouteResult](t)(g.CreateRoute(c, &api.CreateRouteRequest{ApiId: a.ApiId, RouteKey: new("GET /"), OperationName: text(64)}))
	must[*api.CreateDeploymentResponse](t)(g.CreateDeployment(c, &api.CreateDeploymentRequest{ApiId: a.ApiId, Description: text(1024)}))
	must[*api.CreateStageResponse](t)(g.CreateStage(c, &api.CreateStageRequest{ApiId: a.ApiId, StageName: new(strings.Repeat("s", 128)), Description: text(1024),
		StageVariables: map[string]string{strings.Repeat("v", 64): strings.Repeat("x", 512)}}))
	for name, err := range map[string]error{
		"name":           one(g.UpdateApi(c, &api.UpdateApiRequest{ApiId: a.ApiId, Name: text(129)})),
		"version":        one(g.UpdateApi(c, &api.UpdateApiRequest{ApiId: a.ApiId, Version: text(65)})),
		"description":    one(g.UpdateIntegration(c, &api.UpdateIntegrationRequest{ApiId: a.ApiId, IntegrationId: i.IntegrationId, Description: text(1025)})),
		"operationName":  one(g.CreateRoute(c, &api.CreateRouteRequest{ApiId: a.ApiId, RouteKey: new("GET /x"), OperationName: text(65)})),
		"integrationUri": one(g.UpdateIntegration(c, &api.UpdateIntegrationRequest{ApiId: a.ApiId, IntegrationId: i.IntegrationId, IntegrationUri: text(2049)})),
	} {
		if got := describeError(err); !strings.HasPrefix(got, "BadRequestException 400: Member must have length less than or equal to ") || !strings.HasSuffix(got, ": "+name) {
			t.Errorf("a long %s: %s", name, got)
		}
	}
}

func TestEndpoint(t *testing.T) {
	for _, test := range []struct {
		scheme string
		port   int
		want   string
	}{
		{"http", 4566, "http://mine.execute-api.localhost:4566"},
		{"https", 443, "https://mine.execute-api.localhost"},
		{"http", 80, "http://mine.execute-api.localhost"},
		{"https", 80, "https://mine.execute-api.localhost:80"},
		{"http", 0, "http://mine.execute-api.localhost"},
	} {
		g := newGatewayAt(t, test.scheme, test.port)
		out := must[*api.CreateApiResponse](t)(g.CreateApi(g.call(), &api.CreateApiRequest{Name: new("n"), ProtocolType: new("HTTP"), Tags: map[string]string{"_custom_id_": "mine"}}))
		if *out.ApiEndpoint != test.want {
			t.Errorf("%s %d: %s, want %s", test.scheme, test.port, *out.ApiEndpoint, test.want)
		}
	}
}

func TestQuickCreate(t *testing.T) {
	g := newGateway(t)
	c := g.call()
	id := *must[*api.CreateApiResponse](t)(g.CreateApi(c, &api.CreateApiRequest{
		Name: new("quick"), ProtocolType: new("HTTP"), Target: new("https://h.example"), RouteKey: new("GET /x"), CredentialsArn: new("arn:aws:iam::000000000000:role/r"),
	})).ApiId
	if got, want := g.route(id, "GET", "/x"), "$default GET /x → http ANY https://h.example []"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	stage := must[*api.GetStagesResponse](t)(g.GetStages(c, &api.GetStagesRequest{ApiId: &id})).Items[0]
	if !*stage.ApiGatewayManaged || !*stage.AutoDeploy || *stage.StageName != "$default" {
		t.Errorf("stage %+v", stage)
	}
	must[*api.UpdateApiResponse](t)(g.UpdateApi(c, &api.UpdateApiRequest{ApiId: &id, Target: new(functionARN), RouteKey: new("$default")}))
	if got, want := g.route(id, "PUT", "/y"), "$default $default → lambda "+functionARN+"  2.0 []"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	integration := must[*api.GetIntegrationsResponse](t)(g.GetIntegrations(c, &api.GetIntegrationsRequest{ApiId: &id})).Items[0]
	if *integration.CredentialsArn != "arn:aws:iam::000000000000:role/r" || !*integration.ApiGatewayManaged {
		t.Errorf("integration %+v", integration)
	}
	// A managed integration may be updated.
	must[*api.UpdateIntegrationResult](t)(g.UpdateIntegration(c, &api.UpdateIntegrationRequest{ApiId: &id, IntegrationId: integration.IntegrationId, TimeoutInMillis: new(int32(1000))}))

	// An empty key is none.
	empty := *must[*api.CreateApiResponse](t)(g.CreateApi(c, &api.CreateApiRequest{Name: new("quick"), ProtocolType: new("HTTP"), Target: new("https://h.example"), RouteKey: new("")})).ApiId
	if got, want := g.route(empty, "GET", "/x"), "$default $default → http ANY https://h.example + path []"; got != want {
		t.Errorf("%s, want %s", got, want)
	}

	plain := *must[*api.CreateApiResponse](t)(g.CreateApi(c, &api.CreateApiRequest{Name: new("plain"), ProtocolType: new("HTTP")})).ApiId
	if _, err := g.UpdateApi(c, &api.UpdateApiRequest{ApiId: &plain, Target: new("https://h.example")}); err == nil {
		t.Error("a target was accepted for an API without one")
	}
}

// Absent means unchanged, "" clears, {} resets, maps are merged.
func TestUpdateSetsWhatIsPresent(t *testing.T) {
	g := newGateway(t)
	id, integration, route := g.hello()
	c := g.call()
	must[*api.UpdateApiResponse](t)(g.UpdateApi(c, &api.UpdateApiRequest{ApiId: &id, Description: new("d"), Version: new("1")}))
	updated := must[*api.UpdateApiResponse](t)(g.UpdateApi(c, &api.UpdateApiRequest{ApiId: &id, Description: new(""), Name: new("renamed")}))
	if updated.Description != nil || value(updated.Version) != "1" || *updated.Name != "renamed" {
		t.Errorf("API: %+v", updated)
	}

	set := func(in *api.UpdateStageRequest) *api.UpdateStageResponse {
		t.Helper()
		in.ApiId, in.StageName = &id, new("$default")
		return must[*api.UpdateStageResponse](t)(g.UpdateStage(c, in))
	}
	group := "arn:aws:logs:us-east-1:000000000000:log-group:g"
	set(&api.UpdateStageRequest{
		StageVariables:       map[string]string{"a": "1", "b": "2"},
		AccessLogSettings:    &api.AccessLogSettings{DestinationArn: &group, Format: new("$context.requestId")},
		DefaultRouteSettings: &api.RouteSettings{ThrottlingBurstLimit: new(int32(5)), ThrottlingRateLimit: new(2.5)},
		RouteSettings:        map[string]api.RouteSettings{"GET /hello": {DetailedMetricsEnabled: new(true)}, "$default": {ThrottlingBurstLimit: new(int32(0))}},
	})
	stage := set(&api.UpdateStageRequest{StageVariables: map[string]string{"a": "", "c": "3"}, RouteSettings: map[string]api.RouteSettings{"$default": {}}})
	if got := fmt.Sprint(stage.StageVariables); got != "map[b:2 c:3]" {
		t.Errorf("variables %s", got)
	}
	if stage.AccessLogSettings == nil || *stage.DefaultRouteSettings.ThrottlingRateLimit != 2.5 || len(stage.RouteSettings) != 1 {
		t.Errorf("stage %+v", stage)
	}
	if s := g.compiler.Plan(); describe(s) == "" || !strings.Contains(describe(s), "g id") {
		t.Error("the access log isn't in the plan")
	}
	stage = set(&api.UpdateStageRequest{AccessLogSettings: &api.AccessLogSettings{}, DefaultRouteSettings: &api.RouteSettings{}})
	if stage.AccessLogSettings != nil || stage.DefaultRouteSettings.ThrottlingRateLimit != nil {
		t.Errorf("stage after a reset %+v", stage)
	}
	if err := g.DeleteRouteSettings(c, &api.DeleteRouteSettingsRequest{ApiId: &id, StageName: new("$default"), RouteKey: new("GET /hello")}); err != nil {
		t.Error(err)
	}
	set(&api.UpdateStageRequest{AccessLogSettings: &api.AccessLogSettings{DestinationArn: &group, Format: new("$context.requestId")}})
	if err := g.DeleteAccessLogSettings(c, &api.DeleteAccessLogSettingsRequest{ApiId: &id, StageName: new("$default")}); err != nil {
		t.Error(err)
	}
	got := must[*api.GetStageResponse](t)(g.GetStage(c, &api.GetStageRequest{ApiId: &id, StageName: new("$default")}))
	if len(got.RouteSettings) != 0 || got.AccessLogSettings != nil {
		t.Errorf("stage after deletions %+v", got)
	}

	i := must[*api.UpdateIntegrationResult](t)(g.UpdateIntegration(c, &api.UpdateIntegrationRequest{ApiId: &id, IntegrationId: &integration,
		IntegrationType: new("AWS_PROXY"), Description: new("d"), IntegrationUri: new(functionARN + ":live")}))
	if *i.PayloadFormatVersion != "2.0" || *i.Description != "d" {
		t.Errorf("integration %+v", i)
	}
	if got, want := g.route(id, "GET", "/hello"), "$default GET /hello → lambda "+functionARN+" live 2.0 []"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	r := must[*api.UpdateRouteResult](t)(g.UpdateRoute(c, &api.UpdateRouteRequest{ApiId: &id, RouteId: &route, RouteKey: new("POST /hello"), Target: new("")}))
	if r.Target != nil || *r.RouteKey != "POST /hello" {
		t.Errorf("route %+v", r)
	}
	// Without a route the integration is free, and its key is free for another.
	if err := g.DeleteIntegration(c, &api.DeleteIntegrationRequest{ApiId: &id, IntegrationId: &integration}); err != nil {
		t.Error(err)
	}
	must[*api.CreateRouteResult](t)(g.CreateRoute(c, &api.CreateRouteRequest{ApiId: &id, RouteKey: new("GET /hello")}))
}

// What a deleted route leaves in a stage's settings is in nobody's way.
func TestSettingsOfADeletedRoute(t *testing.T) {
	g := newGateway(t)
	id, _, route := g.hello()
	c := g.call()
	update := func(in api.UpdateStageRequest) (*api.UpdateStageResponse, error) {
		in.ApiId, in.StageName = &id, new("$default")
		return g.UpdateStage(c, &in)
	}
	const key = "GET /hello"
	settings := map[string]api.RouteSettings{key: {DetailedMetricsEnabled: new(true)}}
	must[*api.UpdateStageResponse](t)(update(api.UpdateStageRequest{RouteSettings: settings}))
	must[*api.CreateRouteResult](t)(g.CreateRoute(c, &api.CreateRouteRequest{ApiId: &id, RouteKey: new("GET /other")}))
	if err := g.DeleteRoute(c, &api.DeleteRouteRequest{ApiId: &id, RouteId: &route}); err != nil {
		t.Fatal(err)
	}
	must[*api.UpdateStageResponse](t)(update(api.UpdateStageRequest{Description: new("d"), RouteSettings: map[string]api.RouteSettings{"GET /other": {DetailedMetricsEnabled: new(true)}}}))
	if _, err := update(api.UpdateStageRequest{RouteSettings: settings}); describeError(err) != "NotFoundException 404: Unable to find Route by key GET /hello within the provided RouteSettings" {
		t.Errorf("giving them again: %v", err)
	}
	if stage := must[*api.UpdateStageResponse](t)(update(api.UpdateStageRequest{RouteSettings: map[string]api.RouteSettings{key: {}}})); len(stage.RouteSettings) != 1 {
		t.Errorf("settings %v after an update without them", stage.RouteSettings)
	}
}

// An API that was stored before AWS had address types gets the default.
func TestUpdateOfAnOldAPI(t *testing.T) {
	g := newGateway(t)
	if err := g.store.Update(t.Context(), func(tx *store.Tx) error {
		old := &definition.API{Api: api.Api{ApiId: new("old"), Name: new("old"), ProtocolType: new("HTTP")}}
		return definition.APIs.Put(tx, store.Scope{Account: "000000000000", Region: "us-east-1"}, old, "old")
	}); err != nil {
		t.Fatal(err)
	}
	updated := must[*api.UpdateApiResponse](t)(g.UpdateApi(g.call(), &api.UpdateApiRequest{ApiId: new("old"), Description: new("d")}))
	if value(updated.IpAddressType) != "ipv4" {
		t.Errorf("address type %q", value(updated.IpAddressType))
	}
}

// A deployment is frozen: what changes after it is seen by its stages when they
// are moved, and not before.
func TestExplicitDeployments(t *testing.T) {
	g := newGateway(t)
	id, integration, route := g.hello()
	c := g.call()
	deploy := func() string {
		return *must[*api.CreateDeploymentResponse](t)(g.CreateDeployment(c, &api.CreateDeploymentRequest{ApiId: &id, Description: new("d")})).DeploymentId
	}
	first := deploy()
	must[*api.CreateStageResponse](t)(g.CreateStage(c, &api.CreateStageRequest{ApiId: &id, StageName: new("prod"), DeploymentId: &first}))
	must[*api.UpdateIntegrationResult](t)(g.UpdateIntegration(c, &api.UpdateIntegrationRequest{ApiId: &id, IntegrationId: &integration, IntegrationUri: new(functionARN + ":2")}))
	if err := g.DeleteRoute(c, &api.DeleteRouteRequest{ApiId: &id, RouteId: &route}); err != nil {
		t.Fatal(err)
	}
	must[*api.CreateRouteResult](t)(g.CreateRoute(c, &api.CreateRouteRequest{ApiId: &id, RouteKey: new("GET /bye"), Target: new("integrations/" + integration)}))
	old, next := "prod GET /hello → lambda "+functionARN+"  2.0 []", "prod GET /bye → lambda "+functionARN+" 2 2.0 []"
	check := func(path, want string) {
		t.Helper()
		if got := g.route(id, "GET", "/prod"+path); !strings.HasPrefix(got, want) {
			t.Errorf("GET %s: %s, want %s", path, got, want)
		}
	}
	for range 2 {
		check("/hello", old)
		check("/bye", "fault: no route")
		g.reload()
	}
	// Deploying to the stage moves it.
	second := *must[*api.CreateDeploymentResponse](t)(g.CreateDeployment(c, &api.CreateDeploymentRequest{ApiId: &id, StageName: new("prod")})).DeploymentId
	check("/hello", "fault: no route")
	check("/bye", next)
	// And back again.
	must[*api.UpdateStageResponse](t)(g.UpdateStage(c, &api.UpdateStageRequest{ApiId: &id, StageName: new("prod"), DeploymentId: &first}))
	check("/hello", old)
	if err := g.DeleteDeployment(c, &api.DeleteDeploymentRequest{ApiId: &id, DeploymentId: &first}); describeError(err) != "BadRequestException 400: Active stages pointing to this deployment must be moved or deleted" {
		t.Errorf("deleting a deployment in use: %v", err)
	}
	if err := g.DeleteDeployment(c, &api.DeleteDeploymentRequest{ApiId: &id, DeploymentId: &second}); err != nil {
		t.Error(err)
	}
	must[*api.UpdateDeploymentResponse](t)(g.UpdateDeployment(c, &api.UpdateDeploymentRequest{ApiId: &id, DeploymentId: &first, Description: new("")}))
	if d := must[*api.GetDeploymentResponse](t)(g.GetDeployment(c, &api.GetDeploymentRequest{ApiId: &id, DeploymentId: &first})); d.Description != nil {
		t.Errorf("deployment %+v", d)
	}
	if err := g.DeleteApi(c, &api.DeleteApiRequest{ApiId: &id}); err != nil {
		t.Fatal(err)
	}
	if got := g.route(id, "GET", "/prod/hello"); !strings.Contains(got, "no API has the id") {
		t.Errorf("after DeleteApi: %s", got)
	}
}

// Superseded automatic deployments don't pile up, and those in use stay.
func TestAutoDeploymentsAreBounded(t *testing.T) {
	g := newGateway(t)
	id, integration, _ := g.hello()
	c := g.call()
	stage := must[*api.GetStageResponse](t)(g.GetStage(c, &api.GetStageRequest{ApiId: &id, StageName: new("$default")}))
	must[*api.CreateStageResponse](t)(g.CreateStage(c, &api.CreateStageRequest{ApiId: &id, StageName: new("pinned"), DeploymentId: stage.DeploymentId}))
	for i := range 30 {
		must[*api.CreateRouteResult](t)(g.CreateRoute(c, &api.CreateRouteRequest{ApiId: &id, RouteKey: new(fmt.Sprint("GET /r", i)), Target: new("integrations/" + integration)}))
	}
	out := must[*api.GetDeploymentsResponse](t)(g.GetDeployments(c, &api.GetDeploymentsRequest{ApiId: &id}))
	if n := len(out.Items); n != 12 { // the present one, ten before it, and the one in use
		t.Errorf("%d deployments, want 12", n)
	}
	g.reload()
	if got := g.route(id, "GET", "/pinned/hello"); !strings.HasPrefix(got, "pinned GET /hello") {
		t.Errorf("the stage on a superseded deployment: %s", got)
	}
	if got := g.route(id, "GET", "/pinned/r1"); !strings.HasPrefix(got, "fault") {
		t.Errorf("the stage on a superseded deployment sees a later route: %s", got)
	}
	if got := g.route(id, "GET", "/r29"); !strings.HasPrefix(got, "$default GET /r29") {
		t.Errorf("the stage that deploys automatically: %s", got)
	}
	if err := g.DeleteStage(c, &api.DeleteStageRequest{ApiId: &id, StageName: new("$default")}); err != nil {
		t.Fatal(err)
	}
	if n := len(must[*api.GetDeploymentsResponse](t)(g.GetDeployments(c, &api.GetDeploymentsRequest{ApiId: &id})).Items); n != 1 {
		t.Errorf("%d deployments after the stage is gone, want the one in use", n)
	}
}

// A stage whose API can't be deployed goes on with what it has.
func TestFailedAutoDeployment(t *testing.T) {
	g := newGateway(t)
	c := g.call()
	id := *must[*api.CreateApiResponse](t)(g.CreateApi(c, &api.CreateApiRequest{Name: new("n"), ProtocolType: new("HTTP")})).ApiId
	stage := must[*api.CreateStageResponse](t)(g.CreateStage(c, &api.CreateStageRequest{ApiId: &id, StageName: new("$default"), AutoDeploy: new(true)}))
	const failed = "Deployment attempt failed: Unable to deploy API because no routes exist in this API"
	if value(stage.LastDeploymentStatusMessage) != failed || stage.DeploymentId != nil {
		t.Errorf("stage of an empty API: %+v", stage)
	}
	r := must[*api.CreateRouteResult](t)(g.CreateRoute(c, &api.CreateRouteRequest{ApiId: &id, RouteKey: new("GET /a")}))
	if got := g.route(id, "GET", "/a"); !strings.HasPrefix(got, "$default GET /a") {
		t.Errorf("the first route: %s", got)
	}
	g.failing = "the moon is full"
	must[*api.CreateRouteResult](t)(g.CreateRoute(c, &api.CreateRouteRequest{ApiId: &id, RouteKey: new("GET /b")}))
	now := must[*api.GetStageResponse](t)(g.GetStage(c, &api.GetStageRequest{ApiId: &id, StageName: new("$default")}))
	if *now.LastDeploymentStatusMessage != "Deployment attempt failed: the moon is full" {
		t.Errorf("message %s", *now.LastDeploymentStatusMessage)
	}
	for range 2 {
		if got := g.route(id, "GET", "/a"); !strings.HasPrefix(got, "$default GET /a") {
			t.Errorf("the last good form: %s", got)
		}
		if got := g.route(id, "GET", "/b"); !strings.HasPrefix(got, "fault") {
			t.Errorf("a route that failed to deploy: %s", got)
		}
		g.reload()
	}
	d := must[*api.CreateDeploymentResponse](t)(g.CreateDeployment(c, &api.CreateDeploymentRequest{ApiId: &id}))
	if *d.DeploymentStatus != "FAILED" || *d.DeploymentStatusMessage != "the moon is full" {
		t.Errorf("explicit deployment %+v", d)
	}
	if _, err := g.CreateStage(c, &api.CreateStageRequest{ApiId: &id, StageName: new("x"), DeploymentId: d.DeploymentId}); err == nil {
		t.Error("a stage was put on a failed deployment")
	}
	g.failing = ""
	if err := g.DeleteRoute(c, &api.DeleteRouteRequest{ApiId: &id, RouteId: r.RouteId}); err != nil {
		t.Fatal(err)
	}
	// The next success catches up with all that was missed.
	if got := g.route(id, "GET", "/b"); !strings.HasPrefix(got, "$default GET /b") {
		t.Errorf("after the failure: %s", got)
	}
	if got := g.route(id, "GET", "/a"); !strings.HasPrefix(got, "fault") {
		t.Errorf("the deleted route: %s", got)
	}
}

func TestTags(t *testing.T) {
	g := newGateway(t)
	id, _, _ := g.hello()
	c := g.call()
	for _, arn := range []string{"arn:aws:apigateway:us-east-1::/apis/" + id, "arn:aws:apigateway:us-east-1::/apis/" + id + "/stages/$default"} {
		get := func() string {
			return fmt.Sprint(must[*api.GetTagsResponse](t)(g.GetTags(c, &api.GetTagsRequest{ResourceArn: &arn})).Tags)
		}
		if got := get(); got != "map[]" {
			t.Errorf("no tags: %s", got)
		}
		must[*api.TagResourceResponse](t)(g.TagResource(c, &api.TagResourceRequest{ResourceArn: &arn, Tags: map[string]string{"a": "1", "b": ""}}))
		must[*api.TagResourceResponse](t)(g.TagResource(c, &api.TagResourceRequest{ResourceArn: &arn, Tags: map[string]string{"a": "2"}}))
		if got := get(); got != "map[a:2 b:]" {
			t.Errorf("tags: %s", got)
		}
		if err := g.UntagResource(c, &api.UntagResourceRequest{ResourceArn: &arn, TagKeys: []string{"a", "zzz"}}); err != nil {
			t.Error(err)
		}
		if got := get(); got != "map[b:]" {
			t.Errorf("tags after removal: %s", got)
		}
	}
	if got := g.route(id, "GET", "/hello"); !strings.HasPrefix(got, "$default GET /hello") {
		t.Errorf("tagging broke routing: %s", got)
	}
}

// DeleteApi leaves nothing behind: no part of the API, no index, no owner.
func TestDeleteAPITakesEverything(t *testing.T) {
	g := newGateway(t)
	c := g.call()
	other, _, _ := g.hello()
	want := describe(g.compiler.Plan())
	id, integration, route := g.hello()
	jwt, _ := g.authorizers(id)
	must[*api.CreateRouteResult](t)(g.CreateRoute(c, &api.CreateRouteRequest{ApiId: &id, RouteKey: new("GET /jwt"), Target: new("integrations/" + integration), AuthorizationType: new("JWT"), AuthorizerId: &jwt}))
	must[*api.CreateDeploymentResponse](t)(g.CreateDeployment(c, &api.CreateDeploymentRequest{ApiId: &id}))
	must[*api.UpdateRouteResult](t)(g.UpdateRoute(c, &api.UpdateRouteRequest{ApiId: &id, RouteId: &route, OperationName: new("o")}))
	socket, socketRoute, socketIntegration := g.webSocket()
	must[*api.CreateModelResponse](t)(g.CreateModel(c, &api.CreateModelRequest{ApiId: &socket, Name: new("m"), Schema: new("{}")}))
	must[*api.CreateRouteResponseResponse](t)(g.CreateRouteResponse(c, &api.CreateRouteResponseRequest{ApiId: &socket, RouteId: &socketRoute, RouteResponseKey: new("$default")}))
	must[*api.CreateIntegrationResponseResponse](t)(g.CreateIntegrationResponse(c, &api.CreateIntegrationResponseRequest{ApiId: &socket, IntegrationId: &socketIntegration, IntegrationResponseKey: new("$default")}))
	quick := *must[*api.CreateApiResponse](t)(g.CreateApi(c, &api.CreateApiRequest{Name: new("quick"), ProtocolType: new("HTTP"), Target: new("https://h.example"), Tags: map[string]string{"_custom_id_": "mine"}})).ApiId
	for _, id := range []string{id, socket, quick} {
		if err := g.DeleteApi(c, &api.DeleteApiRequest{ApiId: &id}); err != nil {
			t.Fatal(err)
		}
		g.absent(id)
	}
	if got := describe(g.compiler.Plan()); got != want {
		t.Errorf("the plan is\n%s\nwant\n%s", got, want)
	}
	if got := g.route(other, "GET", "/hello"); !strings.HasPrefix(got, "$default GET /hello") {
		t.Errorf("another API: %s", got)
	}
	// An id that was asked for is free again.
	must[*api.CreateApiResponse](t)(g.CreateApi(c, &api.CreateApiRequest{Name: new("again"), ProtocolType: new("HTTP"), Tags: map[string]string{"_custom_id_": "mine"}}))
}

// Limits of numbers count what an update adds to, and what it takes away.
func TestFullMaps(t *testing.T) {
	g := newGateway(t)
	id, _, _ := g.hello()
	c := g.call()
	update := func(variables map[string]string) error {
		return one(g.UpdateStage(c, &api.UpdateStageRequest{ApiId: &id, StageName: new("$default"), StageVariables: variables}))
	}
	arn := "arn:aws:apigateway:us-east-1::/apis/" + id
	tag := func(tags map[string]string) error {
		return one(g.TagResource(c, &api.TagResourceRequest{ResourceArn: &arn, Tags: tags}))
	}
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"100 variables", update(numbered(100)), "<nil>"},
		{"the same again", update(numbered(100)), "<nil>"},
		{"one more", update(map[string]string{"more": "v"}), "BadRequestException 400: A stage can have at most 100 stage variables"},
		{"one for another", update(map[string]string{"more": "v", "k0": ""}), "<nil>"},
		{"50 tags", tag(numbered(50)), "<nil>"},
		{"the same tags again", tag(numbered(50)), "<nil>"},
		{"one tag more", tag(map[string]string{"more": "v"}), "BadRequestException 400: A resource can have at most 50 tags"},
		{"a tag for another", errors.Join(g.UntagResource(c, &api.UntagResourceRequest{ResourceArn: &arn, TagKeys: []string{"k0"}}), tag(map[string]string{"more": "v"})), "<nil>"},
		{"a new API with too many tags", one(g.CreateApi(c, &api.CreateApiRequest{Name: new("n"), ProtocolType: new("HTTP"), Tags: numbered(51)})), "BadRequestException 400: A resource can have at most 50 tags"},
		{"a new stage with too many tags", one(g.CreateStage(c, &api.CreateStageRequest{ApiId: &id, StageName: new("s"), Tags: numbered(51)})), "BadRequestException 400: A resource can have at most 50 tags"},
		{"a long tag key", tag(map[string]string{strings.Repeat("é", 129): "v"}), "BadRequestException 400: Tag keys must have between 1 and 128 characters"},
		{"an empty tag key", tag(map[string]string{"": "v"}), "BadRequestException 400: Tag keys must have between 1 and 128 characters"},
		{"a long tag value", tag(map[string]string{"k1": strings.Repeat("é", 257)}), "BadRequestException 400: Tag values must have at most 256 characters"},
		{"the longest tag", tag(map[string]string{"k1": strings.Repeat("é", 256)}), "<nil>"},
	} {
		if got := describeError(test.err); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestPaging(t *testing.T) {
	g := newGateway(t)
	id, integration, _ := g.hello()
	c := g.call()
	want := map[string]bool{"GET /hello": true}
	for i := range 6 {
		key := fmt.Sprint("GET /r", i)
		want[key] = true
		must[*api.CreateRouteResult](t)(g.CreateRoute(c, &api.CreateRouteRequest{ApiId: &id, RouteKey: &key, Target: new("integrations/" + integration)}))
	}
	pages, token := 0, (*string)(nil)
	for {
		out := must[*api.GetRoutesResponse](t)(g.GetRoutes(c, &api.GetRoutesRequest{ApiId: &id, MaxResults: new("3"), NextToken: token}))
		pages++
		for _, r := range out.Items {
			if !want[*r.RouteKey] {
				t.Errorf("%s came twice", *r.RouteKey)
			}
			delete(want, *r.RouteKey)
		}
		if token = out.NextToken; token == nil {
			break
		}
	}
	if pages != 3 || len(want) != 0 {
		t.Errorf("%d pages, missing %v", pages, want)
	}
}

func TestDisableExecuteAPIEndpoint(t *testing.T) {
	g := newGateway(t)
	id, _, _ := g.hello()
	must[*api.UpdateApiResponse](t)(g.UpdateApi(g.call(), &api.UpdateApiRequest{ApiId: &id, DisableExecuteApiEndpoint: new(true)}))
	if got := g.route(id, "GET", "/hello"); !strings.Contains(got, "is disabled") {
		t.Errorf("disabled: %s", got)
	}
}

// What a deployment freezes of the API itself changes a stage with the next
// deployment, at once where that is automatic.
func TestFrozenSettingsOfTheAPI(t *testing.T) {
	g := newGateway(t)
	id, _, _ := g.hello()
	c := g.call()
	first := must[*api.CreateDeploymentResponse](t)(g.CreateDeployment(c, &api.CreateDeploymentRequest{ApiId: &id}))
	must[*api.CreateStageResponse](t)(g.CreateStage(c, &api.CreateStageRequest{ApiId: &id, StageName: new("frozen"), DeploymentId: first.DeploymentId}))
	check := func(when string, frozen, automatic bool) {
		t.Helper()
		planned, _ := g.compiler.Plan().API(id)
		for name, want := range map[string]bool{"frozen": frozen, "$default": automatic} {
			stage := planned.Stages[name]
			if (stage.CORS != nil) != want || stage.DisableExecuteAPIEndpoint != want {
				t.Errorf("%s: stage %s has CORS %v, disabled %v, want %v", when, name, stage.CORS, stage.DisableExecuteAPIEndpoint, want)
			}
		}
	}
	check("before", false, false)
	must[*api.UpdateApiResponse](t)(g.UpdateApi(c, &api.UpdateApiRequest{ApiId: &id, DisableExecuteApiEndpoint: new(true),
		CorsConfiguration: &api.Cors{AllowOrigins: []string{"*"}}}))
	check("after an update", false, true)
	must[*api.UpdateStageResponse](t)(g.UpdateStage(c, &api.UpdateStageRequest{ApiId: &id, StageName: new("frozen"), StageVariables: map[string]string{"a": "b"}}))
	check("after a change of the stage", false, true)
	must[*api.CreateDeploymentResponse](t)(g.CreateDeployment(c, &api.CreateDeploymentRequest{ApiId: &id, StageName: new("frozen")}))
	check("after a deployment", true, true)
	must[*api.UpdateApiResponse](t)(g.UpdateApi(c, &api.UpdateApiRequest{ApiId: &id, DisableExecuteApiEndpoint: new(false)}))
	if err := g.DeleteCorsConfiguration(c, &api.DeleteCorsConfigurationRequest{ApiId: &id}); err != nil {
		t.Fatal(err)
	}
	check("after it is gone", true, false)
	must[*api.UpdateStageResponse](t)(g.UpdateStage(c, &api.UpdateStageRequest{ApiId: &id, StageName: new("frozen"), DeploymentId: first.DeploymentId}))
	check("back on the first deployment", false, false)
}

// A variable that is missing fails the routes that need it, not the stage, and
// acts as soon as it is there.
func TestStageVariables(t *testing.T) {
	g := newGateway(t)
	id, integration, _ := g.hello()
	c := g.call()
	must[*api.UpdateIntegrationResult](t)(g.UpdateIntegration(c, &api.UpdateIntegrationRequest{ApiId: &id, IntegrationId: &integration,
		IntegrationUri: new("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:${stageVariables.fn}:${stageVariables.alias}/invocations")}))
	if got := g.route(id, "GET", "/hello"); !strings.Contains(got, "has no variable fn") {
		t.Errorf("without the variable: %s", got)
	}
	set := func(variables map[string]string) {
		t.Helper()
		must[*api.UpdateStageResponse](t)(g.UpdateStage(c, &api.UpdateStageRequest{ApiId: &id, StageName: new("$default"), StageVariables: variables}))
	}
	set(map[string]string{"fn": "hello", "alias": "live"})
	if got, want := g.route(id, "GET", "/hello"), "$default GET /hello → lambda "+functionARN+" live 2.0 []"; got != want {
		t.Errorf("with the variables: %s, want %s", got, want)
	}
	set(map[string]string{"alias": "a:b"})
	if got := g.route(id, "GET", "/hello"); !strings.Contains(got, "can't be called with the variables of stage $default") {
		t.Errorf("with a variable that spoils the URI: %s", got)
	}
}

// A destination that an older release stored and that is refused now is in the
// way of no other change.
func TestAccessLogOfAnOlderRelease(t *testing.T) {
	g := newGateway(t)
	id, _, _ := g.hello()
	old := &api.AccessLogSettings{DestinationArn: new("arn:aws:logs:us-east-1:000000000000:log-group:g:*"), Format: new("$context.requestId")}
	if err := g.store.Update(t.Context(), func(tx *store.Tx) error {
		at := store.Scope{Account: "000000000000", Region: "us-east-1"}
		stage, err := definition.Stages.Get(tx, at, id, "$default")
		if err != nil {
			return err
		}
		stage.AccessLogSettings = old
		return definition.Stages.Put(tx, at, stage, id, "$default")
	}); err != nil {
		t.Fatal(err)
	}
	out := must[*api.UpdateStageResponse](t)(g.UpdateStage(g.call(), &api.UpdateStageRequest{ApiId: &id, StageName: new("$default"), Description: new("d")}))
	if *out.AccessLogSettings.DestinationArn != *old.DestinationArn {
		t.Errorf("destination %s", *out.AccessLogSettings.DestinationArn)
	}
	_, err := g.UpdateStage(g.call(), &api.UpdateStageRequest{ApiId: &id, StageName: new("$default"), AccessLogSettings: old})
	if got := describeError(err); !strings.Contains(got, "BadRequestException 400") {
		t.Errorf("given anew: %s", got)
	}
}

func TestTimesAreSeconds(t *testing.T) {
	g := newGateway(t)
	id, _, _ := g.hello()
	g.now = g.now.Add(90*time.Second + time.Millisecond)
	out := must[*api.UpdateStageResponse](t)(g.UpdateStage(g.call(), &api.UpdateStageRequest{ApiId: &id, StageName: new("$default"), Description: new("d")}))
	if got := out.LastUpdatedDate.Format(time.RFC3339Nano); got != "2026-03-04T05:07:37Z" {
		t.Errorf("lastUpdatedDate %s", got)
	}
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
