package apigateway_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/compile"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

func TestUsagePlans(t *testing.T) {
	g := newGateway(t)
	c := g.call()
	id, _ := g.api()
	g.stage(id, "dev")
	g.stage(id, "prod")
	dev := api.ApiStage{ApiId: &id, Stage: new("dev")}
	plan := must[*api.UsagePlan](t)(g.CreateUsagePlan(c, &api.CreateUsagePlanRequest{
		Name: new("plan"), Description: new("d"), ApiStages: []api.ApiStage{dev}, Tags: map[string]string{"a": "b"},
		Quota: &api.QuotaSettings{Limit: new(int32(10)), Period: new("DAY")}, Throttle: &api.ThrottleSettings{RateLimit: new(2.0), BurstLimit: new(int32(1))},
	}))
	stages := `"apiStages":[{"apiId":"` + id + `","stage":"dev"}]`
	sameJSON(t, "made", plan, `{`+stages+`,"description":"d","id":"`+*plan.Id+`","name":"plan","quota":{"limit":10,"offset":0,"period":"DAY"},"tags":{"a":"b"},"throttle":{"burstLimit":1,"rateLimit":2}}`)
	empty := must[*api.UsagePlan](t)(g.CreateUsagePlan(c, &api.CreateUsagePlanRequest{Name: new("empty"), Quota: &api.QuotaSettings{}, Throttle: &api.ThrottleSettings{}}))
	sameJSON(t, "made of nothing", empty, `{"apiStages":[],"id":"`+*empty.Id+`","name":"empty"}`)
	sameJSON(t, "read", must[*api.UsagePlan](t)(g.GetUsagePlan(c, &api.GetUsagePlanRequest{UsagePlanId: empty.Id})), `{"apiStages":[],"id":"`+*empty.Id+`","name":"empty","tags":{}}`)

	update := func(triples ...string) (*api.UsagePlan, error) {
		return g.UpdateUsagePlan(c, &api.UpdateUsagePlanRequest{UsagePlanId: plan.Id, PatchOperations: patch(triples...)})
	}
	at := "/apiStages/" + id + ":dev/throttle/"
	for _, test := range []struct {
		name string
		ops  []string
		want string
	}{
		{"limits", []string{"replace", "/throttle/burstLimit", "100", "replace", "/throttle/rateLimit", "200", "replace", "/quota/period", "MONTH", "replace", "/quota/limit", "5000", "replace", "/quota/offset", "27"},
			stages + `,"description":"d","quota":{"limit":5000,"offset":27,"period":"MONTH"},"throttle":{"burstLimit":100,"rateLimit":200}`},
		{"limits removed", []string{"remove", "/throttle", "", "remove", "/quota", "", "replace", "/description", "", "add", "/productCode", "p"},
			stages + `,"productCode":"p"`},
		{"stages", []string{"remove", "/apiStages", id + ":dev", "add", "/apiStages", id + ":prod", "remove", "/productCode", ""},
			`"apiStages":[{"apiId":"` + id + `","stage":"prod"}]`},
		{"stages back", []string{"remove", "/apiStages", id + ":prod", "add", "/apiStages", id + ":dev"}, stages},
		{"throttle of a method", []string{"replace", at + "/pets/{id}/GET/rateLimit", "5.5", "add", at + "~1pets/POST/burstLimit", "7", "replace", at + "/pets/{id}/GET/burstLimit", "6"},
			`"apiStages":[{"apiId":"` + id + `","stage":"dev","throttle":{"/pets/{id}/GET":{"burstLimit":6,"rateLimit":5.5},"/pets/POST":{"burstLimit":7}}}]`},
		{"throttle of a method removed", []string{"remove", at + "/pets/{id}/GET", ""},
			`"apiStages":[{"apiId":"` + id + `","stage":"dev","throttle":{"/pets/POST":{"burstLimit":7}}}]`},
		{"throttle of a stage removed", []string{"remove", "/apiStages/" + id + ":dev/throttle", ""}, stages},
	} {
		got := must[*api.UsagePlan](t)(update(test.ops...))
		sameJSON(t, test.name, got, `{`+test.want+`,"id":"`+*plan.Id+`","name":"plan","tags":{"a":"b"}}`)
		sameJSON(t, test.name+", read", must[*api.UsagePlan](t)(g.GetUsagePlan(c, &api.GetUsagePlanRequest{UsagePlanId: plan.Id})), marshal(t, got))
	}

	key := must[*api.ApiKey](t)(g.CreateApiKey(c, &api.CreateApiKeyRequest{Name: new("key")}))
	all := must[*api.UsagePlan](t)(update("replace", strings.TrimSuffix(at, "/"), `{"/pets/GET":{"rateLimit":1.5,"burstLimit":2},"//GET":{"burstLimit":3}}`))
	sameJSON(t, "all throttles of a stage", all.ApiStages[0].Throttle, `{"//GET":{"burstLimit":3},"/pets/GET":{"burstLimit":2,"rateLimit":1.5}}`)
	must[*api.UsagePlan](t)(update("remove", strings.TrimSuffix(at, "/"), ""))

	attach := func(planID *string) (*api.UsagePlanKey, error) {
		return g.CreateUsagePlanKey(c, &api.CreateUsagePlanKeyRequest{UsagePlanId: planID, KeyId: key.Id, KeyType: new("API_KEY")})
	}
	attached := `{"id":"` + *key.Id + `","name":"key","type":"API_KEY","value":"` + *key.Value + `"}`
	sameJSON(t, "attached", must[*api.UsagePlanKey](t)(attach(plan.Id)), attached)
	sameJSON(t, "attached, read", must[*api.UsagePlanKey](t)(g.GetUsagePlanKey(c, &api.GetUsagePlanKeyRequest{UsagePlanId: plan.Id, KeyId: key.Id})), attached)
	keys := func(query, planID string) *api.UsagePlanKeys {
		return must[*api.UsagePlanKeys](t)(g.GetUsagePlanKeys(c, &api.GetUsagePlanKeysRequest{UsagePlanId: &planID, NameQuery: &query}))
	}
	sameJSON(t, "keys", keys("k", *plan.Id), `{"items":[`+attached+`]}`)
	sameJSON(t, "keys of another name", keys("K", *plan.Id), `{"items":[]}`)
	sameJSON(t, "keys of no plan", keys("", "nope"), `{"items":[]}`)
	plans := must[*api.UsagePlans](t)(g.GetUsagePlans(c, &api.GetUsagePlansRequest{KeyId: key.Id}))
	sameJSON(t, "plans of the key", plans, `{"items":[{`+stages+`,"id":"`+*plan.Id+`","name":"plan"}]}`)
	if n := len(must[*api.UsagePlans](t)(g.GetUsagePlans(c, &api.GetUsagePlansRequest{})).Items); n != 2 {
		t.Errorf("%d plans", n)
	}

	rival := must[*api.UsagePlan](t)(g.CreateUsagePlan(c, &api.CreateUsagePlanRequest{Name: new("rival"), ApiStages: []api.ApiStage{dev}}))
	must[*api.UsagePlanKey](t)(attach(empty.Id))
	create := func(in api.CreateUsagePlanRequest) error {
		if in.Name == nil {
			in.Name = new("n")
		}
		return one(g.CreateUsagePlan(c, &in))
	}
	const unknown = "NotFoundException 404: Invalid Usage Plan ID specified"
	const lost = "NotFoundException 404: Invalid API Stage {api: "
	checkRefusals(t, []refusal{
		{"update nothing", one(g.UpdateUsagePlan(c, &api.UpdateUsagePlanRequest{UsagePlanId: new("nope")})), unknown},
		{"get nothing", one(g.GetUsagePlan(c, &api.GetUsagePlanRequest{UsagePlanId: new("nope")})), unknown},
		{"remove no stage", one(update("remove", "/apiStages", "")), "BadRequestException 400: Invalid API Stage specified"},
		{"remove what is no stage", one(update("remove", "/apiStages", "fakevalue")), "BadRequestException 400: Invalid API Stage specified"},
		{"remove a stage of another API", one(update("remove", "/apiStages", id+"b:dev")), lost + id + "b, stage: dev} specified for usageplan " + *plan.Id},
		{"remove another stage", one(update("remove", "/apiStages", id+":fake")), lost + id + ", stage: fake} specified for usageplan " + *plan.Id},
		{"add an unknown stage", one(update("add", "/apiStages", id+":fake")), "NotFoundException 404: API Stage not found: " + id + ":fake"},
		{"add a stage twice", one(update("add", "/apiStages", id+":dev")), "ConflictException 409: Usage Plan " + *plan.Id + " already has API Stage " + id + ":dev"},
		{"create with an unknown stage", create(api.CreateUsagePlanRequest{ApiStages: []api.ApiStage{{ApiId: &id, Stage: new("x")}}}), "NotFoundException 404: API Stage not found: " + id + ":x"},
		{"throttle of another stage", one(update("replace", "/apiStages/x:y/throttle//GET/rateLimit", "1")), lost + "x, stage: y} specified for usageplan " + *plan.Id},
		{"throttles that aren't JSON", one(update("replace", strings.TrimSuffix(at, "/"), "{")), "BadRequestException 400: Invalid value '{' specified for patch path…"},
		{"a negative throttle of several", one(update("replace", strings.TrimSuffix(at, "/"), `{"/pets/GET":{"rateLimit":-1}}`)), "BadRequestException 400: Usage Plan rate and burst limits must not be negative"},
		{"throttle of no number", one(update("replace", at+"/GET/rateLimit", "many")), "BadRequestException 400: Invalid value 'many' specified for patch path…"},
		{"no name", create(api.CreateUsagePlanRequest{Name: new("")}), "BadRequestException 400: Usage Plan name cannot be blank"},
		{"half a quota", create(api.CreateUsagePlanRequest{Quota: &api.QuotaSettings{Limit: new(int32(1))}}), "BadRequestException 400: Usage Plan quota must have a limit and a period"},
		{"offset of a day", create(api.CreateUsagePlanRequest{Quota: &api.QuotaSettings{Limit: new(int32(1)), Period: new("DAY"), Offset: new(int32(1))}}), "BadRequestException 400: Usage Plan quota offset must be between 0 and 0 inclusive in the DAY period"},
		{"period", one(update("replace", "/quota/limit", "1", "replace", "/quota/period", "YEAR")), "BadRequestException 400: Invalid Usage Plan quota period specified: YEAR…"},
		{"negative quota", create(api.CreateUsagePlanRequest{Quota: &api.QuotaSettings{Limit: new(int32(-1)), Period: new("DAY")}}), "BadRequestException 400: Usage Plan quota limit must not be negative"},
		{"negative rate", create(api.CreateUsagePlanRequest{Throttle: &api.ThrottleSettings{RateLimit: new(-1.0)}}), "BadRequestException 400: Usage Plan rate and burst limits must not be negative"},
		{"negative rate of a method", one(update("replace", at+"/GET/rateLimit", "-1")), "BadRequestException 400: Usage Plan rate and burst limits must not be negative"},
		{"remove path", one(update("remove", "/apiStages/"+id+":dev", "")), "BadRequestException 400: Invalid patch path  '/apiStages/" + id + ":dev' specified for op 'remove'. Must be one of: [/apiStages, /quota, /throttle, /productCode, /apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>, /apiStages/<apidId:stageName>/throttle]"},
		{"delete with stages", g.DeleteUsagePlan(c, &api.DeleteUsagePlanRequest{UsagePlanId: plan.Id}), "BadRequestException 400: Cannot delete Usage Plan " + *plan.Id + " because there are API Stages associated with it, including " + id + ":dev"},
		{"attach to nothing", one(attach(new("nope"))), unknown},
		{"attach nothing", one(g.CreateUsagePlanKey(c, &api.CreateUsagePlanKeyRequest{UsagePlanId: plan.Id, KeyId: new("nope"), KeyType: new("API_KEY")})), "NotFoundException 404: Invalid API Key identifier specified"},
		{"attach another type", one(g.CreateUsagePlanKey(c, &api.CreateUsagePlanKeyRequest{UsagePlanId: plan.Id, KeyId: key.Id, KeyType: new("X")})), "BadRequestException 400: Invalid Usage Plan Key type specified: X. Must be one of [API_KEY]"},
		{"attach twice", one(attach(plan.Id)), "ConflictException 409: API Key " + *key.Id + " is already in Usage Plan " + *plan.Id},
		{"attach to a rival", one(attach(rival.Id)), "ConflictException 409: API Key " + *key.Id + " cannot be in Usage Plan " + *rival.Id + " because it is in another Usage Plan of API Stage " + id + ":dev"},
		{"become a rival", one(g.UpdateUsagePlan(c, &api.UpdateUsagePlanRequest{UsagePlanId: empty.Id, PatchOperations: patch("add", "/apiStages", id+":dev")})), "ConflictException 409: API Key " + *key.Id + " cannot be in Usage Plan " + *empty.Id + "…"},
		{"get what isn't attached", one(g.GetUsagePlanKey(c, &api.GetUsagePlanKeyRequest{UsagePlanId: rival.Id, KeyId: key.Id})), "NotFoundException 404: Invalid Usage Plan Key identifier specified"},
	})
	if err := g.DeleteUsagePlanKey(c, &api.DeleteUsagePlanKeyRequest{UsagePlanId: empty.Id, KeyId: key.Id}); err != nil {
		t.Error(err)
	}
	// The key goes, and its place in plans with it.
	if err := g.DeleteApiKey(c, &api.DeleteApiKeyRequest{ApiKey: key.Id}); err != nil {
		t.Error(err)
	}
	sameJSON(t, "keys after deletion", keys("", *plan.Id), `{"items":[]}`)
	must[*api.UsagePlan](t)(update("remove", "/apiStages", id+":dev"))
	if err := g.DeleteUsagePlan(c, &api.DeleteUsagePlanRequest{UsagePlanId: plan.Id}); err != nil {
		t.Error(err)
	}
}

// A plan loses the stages that are deleted, alone or with their API, and doesn't
// have the next one of that name.
func TestUsagePlanOfDeletedStages(t *testing.T) {
	g := newGateway(t)
	c := g.call()
	id, _ := g.api()
	other, _ := g.api()
	for _, name := range []string{"dev", "prod"} {
		g.stage(id, name)
		g.stage(other, name)
	}
	stage := func(apiID, name string) api.ApiStage { return api.ApiStage{ApiId: &apiID, Stage: &name} }
	plan := must[*api.UsagePlan](t)(g.CreateUsagePlan(c, &api.CreateUsagePlanRequest{Name: new("plan"), ApiStages: []api.ApiStage{
		stage(id, "dev"), stage(other, "dev"), stage(id, "prod"), stage(other, "prod"),
	}}))
	left := func(name string, want ...api.ApiStage) {
		t.Helper()
		got := must[*api.UsagePlan](t)(g.GetUsagePlan(c, &api.GetUsagePlanRequest{UsagePlanId: plan.Id}))
		sameJSON(t, name, got.ApiStages, marshal(t, want))
	}
	if err := g.DeleteStage(c, &api.DeleteStageRequest{RestApiId: &id, StageName: new("dev")}); err != nil {
		t.Fatal(err)
	}
	left("a stage", stage(other, "dev"), stage(id, "prod"), stage(other, "prod"))
	g.stage(id, "dev")
	left("its successor", stage(other, "dev"), stage(id, "prod"), stage(other, "prod"))
	if err := g.DeleteRestApi(c, &api.DeleteRestApiRequest{RestApiId: &other}); err != nil {
		t.Fatal(err)
	}
	left("an API", stage(id, "prod"))
}

// Stages of WebSocket APIs may be in a plan, those of HTTP APIs not.
func TestUsagePlanOfSockets(t *testing.T) {
	g := newGateway(t)
	c := g.call()
	if err := g.store.Update(context.Background(), func(tx *store.Tx) error {
		for id, protocol := range map[string]string{"chat": "WEBSOCKET", "web": "HTTP"} {
			if err := errors.Join(
				definition.APIs.Put(tx, here, &definition.API{Api: apigatewayv2.Api{ApiId: &id, ProtocolType: &protocol}}, id),
				definition.Stages.Put(tx, here, &definition.Stage{Stage: apigatewayv2.Stage{StageName: new("dev")}}, id, "dev"),
			); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	create := func(apiID, stage string) (*api.UsagePlan, error) {
		return g.CreateUsagePlan(c, &api.CreateUsagePlanRequest{Name: new("plan"), ApiStages: []api.ApiStage{{ApiId: &apiID, Stage: &stage}}})
	}
	plan := must[*api.UsagePlan](t)(create("chat", "dev"))
	const missing = "NotFoundException 404: API Stage not found: "
	checkRefusals(t, []refusal{
		{"another stage", one(create("chat", "prod")), missing + "chat:prod"},
		{"an HTTP API", one(create("web", "dev")), missing + "web:dev"},
	})
	if err := g.store.Update(context.Background(), func(tx *store.Tx) error { return definition.DropFromUsagePlans(tx, here, "chat", "dev") }); err != nil {
		t.Fatal(err)
	}
	if left := must[*api.UsagePlan](t)(g.GetUsagePlan(c, &api.GetUsagePlanRequest{UsagePlanId: plan.Id})); len(left.ApiStages) != 0 {
		t.Errorf("stages %v", left.ApiStages)
	}
}

// The directory follows every change that decides which stages a key opens.
func TestKeyDirectory(t *testing.T) {
	g := newGateway(t)
	c := g.call()
	id, _ := g.api()
	g.stage(id, "dev")
	g.stage(id, "prod")
	const value = "0123456789012345678901234567890123456789"
	key := must[*api.ApiKey](t)(g.CreateApiKey(c, &api.CreateApiKeyRequest{Value: new(value), Enabled: new(true)}))
	plan := must[*api.UsagePlan](t)(g.CreateUsagePlan(c, &api.CreateUsagePlanRequest{Name: new("p"), ApiStages: []api.ApiStage{{ApiId: &id, Stage: new("dev")}}}))
	// The same value in another account opens nothing here.
	foreign := g.call()
	foreign.Account = "111111111111"
	must[*api.ApiKey](t)(g.CreateApiKey(foreign, &api.CreateApiKeyRequest{Value: new(value), Enabled: new(true)}))

	attachment := &api.CreateUsagePlanKeyRequest{UsagePlanId: plan.Id, KeyId: key.Id, KeyType: new("API_KEY")}
	expect := func(step string, stage string, want bool) {
		t.Helper()
		loaded := compile.NewKeyDirectory(compile.KeyDirectoryOptions{})
		if err := g.store.View(context.Background(), loaded.Load); err != nil {
			t.Fatal(err)
		}
		for name, directory := range map[string]*compile.KeyDirectory{"followed": g.keys, "loaded": loaded} {
			got := directory.Client(id, stage, value)
			if (got != nil) != want || got != nil && (got.KeyID != *key.Id || got.PlanID != *attachment.UsagePlanId) {
				t.Errorf("%s, %s: the client of %s is %+v, want one: %t", step, name, stage, got, want)
			}
			if directory.Client(id, stage, value[1:]) != nil {
				t.Errorf("%s, %s: another value opens %s", step, name, stage)
			}
		}
	}
	expect("no plan", "dev", false)
	must[*api.UsagePlanKey](t)(g.CreateUsagePlanKey(c, attachment))
	expect("in a plan", "dev", true)
	expect("in a plan", "prod", false)
	enable := func(text string) {
		must[*api.ApiKey](t)(g.UpdateApiKey(c, &api.UpdateApiKeyRequest{ApiKey: key.Id, PatchOperations: patch("replace", "/enabled", text)}))
	}
	enable("false")
	expect("disabled", "dev", false)
	enable("true")
	expect("enabled", "dev", true)
	stages := func(op, stage string) {
		must[*api.UsagePlan](t)(g.UpdateUsagePlan(c, &api.UpdateUsagePlanRequest{UsagePlanId: plan.Id, PatchOperations: patch(op, "/apiStages", id+":"+stage)}))
	}
	stages("add", "prod")
	expect("stage added", "prod", true)
	stages("remove", "prod")
	expect("stage removed", "prod", false)
	if err := g.DeleteUsagePlanKey(c, &api.DeleteUsagePlanKeyRequest{UsagePlanId: plan.Id, KeyId: key.Id}); err != nil {
		t.Fatal(err)
	}
	expect("out of the plan", "dev", false)
	must[*api.UsagePlanKey](t)(g.CreateUsagePlanKey(c, attachment))
	expect("in the plan again", "dev", true)
	stages("remove", "dev")
	if err := g.DeleteUsagePlan(c, &api.DeleteUsagePlanRequest{UsagePlanId: plan.Id}); err != nil {
		t.Fatal(err)
	}
	expect("plan gone", "dev", false)
	attachment.UsagePlanId = must[*api.UsagePlan](t)(g.CreateUsagePlan(c, &api.CreateUsagePlanRequest{Name: new("q"), ApiStages: []api.ApiStage{{ApiId: &id, Stage: new("dev")}}})).Id
	must[*api.UsagePlanKey](t)(g.CreateUsagePlanKey(c, attachment))
	expect("another plan", "dev", true)
	if err := g.DeleteApiKey(c, &api.DeleteApiKeyRequest{ApiKey: key.Id}); err != nil {
		t.Fatal(err)
	}
	expect("key gone", "dev", false)
	if n := testing.AllocsPerRun(100, func() { g.keys.Client(id, "dev", value) }); n != 0 {
		t.Errorf("a lookup allocates %v times", n)
	}
}
