package apigateway_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// A stage serves what its deployment froze, whatever becomes of the API.
func TestDeploymentsFreeze(t *testing.T) {
	g := newStaged(t)
	c := g.call()
	if got := g.routes(g.id, "dev", "/", "/pets"); got != "/: /, /pets: none" {
		t.Errorf("first: %s", got)
	}
	pets := g.resource(g.id, g.root, "pets")
	g.mock(g.id, pets, "GET")
	if got := g.routes(g.id, "dev", "/", "/pets"); got != "/: /, /pets: none" {
		t.Errorf("an edit is served without a deployment: %s", got)
	}
	second := g.deploy(g.id, "dev")
	if got := g.routes(g.id, "dev", "/", "/pets"); got != "/: /, /pets: /pets" {
		t.Errorf("second: %s", got)
	}
	if err := g.DeleteResource(c, &api.DeleteResourceRequest{RestApiId: &g.id, ResourceId: &pets}); err != nil {
		t.Fatal(err)
	}
	must[*api.Stage](t)(g.CreateStage(c, &api.CreateStageRequest{RestApiId: &g.id, StageName: new("old"), DeploymentId: &g.deployment}))
	must[*api.Stage](t)(g.CreateStage(c, &api.CreateStageRequest{RestApiId: &g.id, StageName: new("new"), DeploymentId: &second}))
	if got := g.routes(g.id, "old", "/", "/pets") + "; " + g.routes(g.id, "new", "/", "/pets"); got != "/: /, /pets: none; /: /, /pets: /pets" {
		t.Errorf("stages of both: %s", got)
	}
	summary := func(id string) map[string]map[string]api.MethodSnapshot {
		return must[*api.Deployment](t)(g.GetDeployment(c, &api.GetDeploymentRequest{RestApiId: &g.id, DeploymentId: &id, Embed: []string{"apisummary"}})).ApiSummary
	}
	sameJSON(t, "summary of the first", summary(g.deployment), `{"/": {"GET": {"authorizationType": "NONE", "apiKeyRequired": false}}}`)
	sameJSON(t, "summary of the second", summary(second), `{"/": {"GET": {"authorizationType": "NONE", "apiKeyRequired": false}}, "/pets": {"GET": {"authorizationType": "NONE", "apiKeyRequired": false}}}`)
	// Moving back is a patch.
	must[*api.Stage](t)(g.update(patch("replace", "/deploymentId", g.deployment)...))
	if got := g.routes(g.id, "dev", "/", "/pets"); got != "/: /, /pets: none" {
		t.Errorf("moved back: %s", got)
	}
	remove := func(id string) error {
		return g.DeleteDeployment(c, &api.DeleteDeploymentRequest{RestApiId: &g.id, DeploymentId: &id})
	}
	const active = "BadRequestException 400: Active stages pointing to this deployment must be moved or deleted"
	checkRefusals(t, []refusal{
		{"first", remove(g.deployment), active},
		{"second", remove(second), active},
		{"unknown", remove("nope"), "NotFoundException 404: Invalid Deployment identifier specified"},
	})
	for _, name := range []string{"old", "new", "dev"} {
		if err := g.DeleteStage(c, &api.DeleteStageRequest{RestApiId: &g.id, StageName: &name}); err != nil {
			t.Error(err)
		}
		if got := g.routes(g.id, name, "/"); got != "no stage" {
			t.Errorf("stage %s after its end: %s", name, got)
		}
	}
	checkRefusals(t, []refusal{{"first", remove(g.deployment), "<nil>"}, {"second", remove(second), "<nil>"}, {"again", remove(second), "NotFoundException 404: Invalid Deployment identifier specified"}})
}

// A deployment makes the stage it names, or moves it and changes what is given.
func TestDeployToStage(t *testing.T) {
	g := newStaged(t)
	c := g.call()
	first := must[*api.Deployment](t)(g.CreateDeployment(c, &api.CreateDeploymentRequest{RestApiId: &g.id, StageName: new("prod"), Description: new("one"), StageDescription: new("live"),
		Variables: map[string]string{"a": "1"}, CacheClusterEnabled: new(true), CacheClusterSize: new("1.6"), TracingEnabled: new(true)}))
	sameJSON(t, "the deployment", first, `{"id": "`+*first.Id+`", "description": "one", "createdDate": "2026-03-04T05:06:07Z"}`)
	stage := func() *api.Stage {
		return must[*api.Stage](t)(g.GetStage(c, &api.GetStageRequest{RestApiId: &g.id, StageName: new("prod")}))
	}
	want := func(id string) string {
		return `{"cacheClusterEnabled": true, "cacheClusterSize": "1.6", "cacheClusterStatus": "AVAILABLE", "createdDate": "2026-03-04T05:06:07Z", "lastUpdatedDate": "2026-03-04T05:06:07Z", "deploymentId": "` + id + `",
			"description": "live", "methodSettings": {}, "stageName": "prod", "tracingEnabled": true, "variables": {"a": "1"}}`
	}
	sameJSON(t, "a new stage", stage(), want(*first.Id))
	// What Terraform sends for what isn't set leaves a stage as it is.
	second := must[*api.Deployment](t)(g.CreateDeployment(c, &api.CreateDeploymentRequest{RestApiId: &g.id, StageName: new("prod"), Description: new(""), StageDescription: new(""), Variables: map[string]string{}}))
	sameJSON(t, "without a description", second, `{"id": "`+*second.Id+`", "createdDate": "2026-03-04T05:06:07Z"}`)
	sameJSON(t, "moved", stage(), want(*second.Id))
	third := must[*api.Deployment](t)(g.CreateDeployment(c, &api.CreateDeploymentRequest{RestApiId: &g.id, StageName: new("prod"), CanarySettings: &api.DeploymentCanarySettings{PercentTraffic: new(10.5), StageVariableOverrides: map[string]string{"a": "2"}}}))
	if s := stage(); *s.DeploymentId != *second.Id {
		t.Errorf("a canary moved its stage: %+v", s)
	}
	sameJSON(t, "canary", stage().CanarySettings, `{"deploymentId": "`+*third.Id+`", "percentTraffic": 10.5, "stageVariableOverrides": {"a": "2"}, "useStageCache": false}`)
	updated := must[*api.Deployment](t)(g.UpdateDeployment(c, &api.UpdateDeploymentRequest{RestApiId: &g.id, DeploymentId: third.Id, PatchOperations: patch("replace", "/description", "d")}))
	sameJSON(t, "updated", updated, `{"id": "`+*third.Id+`", "description": "d", "createdDate": "2026-03-04T05:06:07Z"}`)

	ids := map[string]bool{}
	in := &api.GetDeploymentsRequest{RestApiId: &g.id, Limit: new(int32(3))}
	for {
		page := must[*api.Deployments](t)(g.GetDeployments(c, in))
		for _, d := range page.Items {
			ids[*d.Id] = true
		}
		if in.Position = page.Position; in.Position == nil {
			break
		}
	}
	if len(ids) != 4 {
		t.Errorf("deployments page by page: %v", ids)
	}
	stages := func(deployment *string) int {
		return len(must[*api.Stages](t)(g.GetStages(c, &api.GetStagesRequest{RestApiId: &g.id, DeploymentId: deployment})).Item)
	}
	if all, moved, left := stages(nil), stages(second.Id), stages(first.Id); all != 2 || moved != 1 || left != 0 {
		t.Errorf("stages: %d, of the second deployment %d, of the first %d", all, moved, left)
	}
}

func TestDeploymentRefusals(t *testing.T) {
	g := newServing(t)
	id, root := g.api()
	c := g.call()
	create := func(change func(in *api.CreateDeploymentRequest)) error {
		in := &api.CreateDeploymentRequest{RestApiId: &id}
		change(in)
		return one(g.CreateDeployment(c, in))
	}
	plain := func(*api.CreateDeploymentRequest) {}
	canary := func(stage *string) error {
		return create(func(in *api.CreateDeploymentRequest) {
			in.StageName, in.CanarySettings = stage, &api.DeploymentCanarySettings{PercentTraffic: new(50.0)}
		})
	}
	const noStage = "BadRequestException 400: Invalid deployment content specified.Non null and non empty stageName must be provided for canary deployment. Provided value is "
	checkRefusals(t, []refusal{
		{"unknown API", one(g.CreateDeployment(c, &api.CreateDeploymentRequest{RestApiId: new("nope")})), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"no methods", create(plain), "BadRequestException 400: The REST API doesn't contain any methods"},
		{"canary without a stage", canary(nil), noStage + "null"},
		{"canary of an empty stage", canary(new("")), noStage},
		{"canary of an unknown stage", canary(new("nope")), "BadRequestException 400: Invalid deployment content specified.Stage nope must already be created before making a canary release deployment"},
	})
	must[*api.Method](t)(g.PutMethod(c, &api.PutMethodRequest{RestApiId: &id, ResourceId: &root, HttpMethod: new("POST"), AuthorizationType: new("NONE")}))
	g.mock(id, root, "GET")
	checkRefusals(t, []refusal{{"no integration", create(plain), "BadRequestException 400: No integration defined for method"}})
	if err := g.DeleteMethod(c, &api.DeleteMethodRequest{RestApiId: &id, ResourceId: &root, HttpMethod: new("POST")}); err != nil {
		t.Fatal(err)
	}
	deployment := g.deploy(id, "dev")
	update := func(triples ...string) error {
		return one(g.UpdateDeployment(c, &api.UpdateDeploymentRequest{RestApiId: &id, DeploymentId: &deployment, PatchOperations: patch(triples...)}))
	}
	checkRefusals(t, []refusal{
		{"stage name", create(func(in *api.CreateDeploymentRequest) { in.StageName = new("a.b") }), "BadRequestException 400: Stage name only allows a-zA-Z0-9_"},
		{"variable", create(func(in *api.CreateDeploymentRequest) {
			in.StageName, in.Variables = new("dev"), map[string]string{"a": "<"}
		}), "BadRequestException 400: Invalid stage variable value of key a.…"},
		{"unknown deployment", one(g.GetDeployment(c, &api.GetDeploymentRequest{RestApiId: &id, DeploymentId: new("nope")})), "NotFoundException 404: Invalid Deployment identifier specified"},
		{"path", update("replace", "/id", "x"), "BadRequestException 400: Invalid patch path  '/id' specified for op 'replace'. Must be one of: [/description]"},
		{"operation", update("add", "/description", "x"), "BadRequestException 400: Invalid patch path  '/description' specified for op 'add'. Please choose supported operations"},
	})
	// What was refused left no deployment behind.
	if n := len(must[*api.Deployments](t)(g.GetDeployments(c, &api.GetDeploymentsRequest{RestApiId: &id})).Items); n != 1 {
		t.Errorf("%d deployments", n)
	}
}

// What doesn't compile isn't deployed, to a stage or to none, and what does is
// compiled once.
func TestDeploymentsCompile(t *testing.T) {
	g := newServing(t)
	id, root := g.api()
	pets := g.resource(id, root, "pets")
	g.mock(id, pets, "GET")
	deploy := func(in api.CreateDeploymentRequest) string {
		before := *g.compiled
		in.RestApiId = &id
		_, err := g.CreateDeployment(g.call(), &in)
		return fmt.Sprintf("%s, compiled %d times", describeError(err), *g.compiled-before)
	}
	expect := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	dev, none := api.CreateDeploymentRequest{StageName: new("dev")}, api.CreateDeploymentRequest{}
	canary := api.CreateDeploymentRequest{StageName: new("dev"), CanarySettings: &api.DeploymentCanarySettings{PercentTraffic: new(50.0)}}
	fine := describeError(nil)
	expect("to a new stage", deploy(dev), fine+", compiled 1 times")
	expect("to the stage", deploy(dev), fine+", compiled 1 times")
	expect("to none", deploy(none), fine+", compiled 1 times")

	// Operations check this; an older release didn't.
	spoil := func(id, resource string, change func(*api.Method)) {
		err := g.store.Update(context.Background(), func(tx *store.Tx) error {
			r, err := definition.Resources.Get(tx, here, id, resource)
			if err != nil {
				return err
			}
			method := r.ResourceMethods["GET"]
			change(&method)
			r.ResourceMethods["GET"] = method
			return definition.Resources.Put(tx, here, r, id, resource)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	spoil(id, pets, func(m *api.Method) { m.RequestValidatorId = new("gone") })
	deployments := func() int {
		return len(must[*api.Deployments](t)(g.GetDeployments(g.call(), &api.GetDeploymentsRequest{RestApiId: &id})).Items)
	}
	n := deployments()
	for name, in := range map[string]api.CreateDeploymentRequest{"to the stage": dev, "to a new one": {StageName: new("new")}, "to the canary": canary, "to none": none} {
		if got := deploy(in); !strings.HasPrefix(got, "BadRequestException 400: Method GET /pets: its request validator gone is gone, compiled") {
			t.Errorf("broken, %s: %s", name, got)
		}
	}
	if got := deployments(); got != n {
		t.Errorf("%d deployments were made", got-n)
	}
	if got := g.routes(id, "dev", "/pets"); got != "/pets: /pets" {
		t.Errorf("the stage serves %s", got)
	}

	// A stage whose own settings don't compile keeps nobody from deploying.
	spoil(id, pets, func(m *api.Method) { m.RequestValidatorId = nil })
	g.stage(id, "dev", func(s *definition.RestStage) { s.ClientCertificateId = new("gone") })
	if got := deploy(dev); !strings.HasPrefix(got, fine+",") {
		t.Errorf("to a stage that is broken: %s", got)
	}
}
