package apigateway_test

import (
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/apigateway"
)

func TestAPIKeys(t *testing.T) {
	g := newGateway(t)
	c := g.call()
	const times = `"createdDate":"2026-03-04T05:06:07Z","lastUpdatedDate":"2026-03-04T05:06:07Z"`
	key := must[*api.ApiKey](t)(g.CreateApiKey(c, &api.CreateApiKeyRequest{Name: new("test-one"), Enabled: new(true), Value: new("")}))
	sameJSON(t, "made", key, `{`+times+`,"enabled":true,"id":"`+*key.Id+`","name":"test-one","stageKeys":[],"value":"`+*key.Value+`"}`)
	if len(*key.Value) != 40 || len(*key.Id) != 10 {
		t.Errorf("value %q, id %q", *key.Value, *key.Id)
	}
	other := must[*api.ApiKey](t)(g.CreateApiKey(c, &api.CreateApiKeyRequest{Name: new(""), Value: new("01234567890123456789"), CustomerId: new("c"), Tags: map[string]string{"a": "b"}}))
	sameJSON(t, "made without a name", other, `{`+times+`,"enabled":false,"id":"`+*other.Id+`","customerId":"c","stageKeys":[],"tags":{"a":"b"},"value":"01234567890123456789"}`)
	get := func(withValue *bool) *api.ApiKey {
		return must[*api.ApiKey](t)(g.GetApiKey(c, &api.GetApiKeyRequest{ApiKey: key.Id, IncludeValue: withValue}))
	}
	sameJSON(t, "read", get(nil), `{`+times+`,"enabled":true,"id":"`+*key.Id+`","name":"test-one","stageKeys":[],"tags":{}}`)
	if got := get(new(true)); *got.Value != *key.Value {
		t.Errorf("value read %q", *got.Value)
	}
	list := func(in api.GetApiKeysRequest) string {
		var ids []string
		for _, k := range must[*api.ApiKeys](t)(g.GetApiKeys(c, &in)).Items {
			if (k.Value != nil) != (in.IncludeValues != nil) || k.Tags != nil {
				t.Errorf("listed %s", marshal(t, k))
			}
			ids = append(ids, *k.Id)
		}
		return strings.Join(ids, " ")
	}
	for _, test := range []struct {
		name string
		in   api.GetApiKeysRequest
		want string
	}{
		{"prefix", api.GetApiKeysRequest{NameQuery: new("test")}, *key.Id},
		{"prefix in another case", api.GetApiKeysRequest{NameQuery: new("TEST")}, ""},
		{"infix", api.GetApiKeysRequest{NameQuery: new("one")}, ""},
		{"customer", api.GetApiKeysRequest{CustomerId: new("c"), IncludeValues: new(true)}, *other.Id},
		{"both", api.GetApiKeysRequest{CustomerId: new("c"), NameQuery: new("test")}, ""},
	} {
		if got := list(test.in); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	// A page that is filtered is full as long as there is more.
	seen, position := 0, (*string)(nil)
	for range 2 {
		page := must[*api.ApiKeys](t)(g.GetApiKeys(c, &api.GetApiKeysRequest{Limit: new(int32(1)), Position: position}))
		seen += len(page.Items)
		position = page.Position
	}
	if seen != 2 || position != nil {
		t.Errorf("%d on two pages, then %v", seen, position)
	}
	if got := list(api.GetApiKeysRequest{Limit: new(int32(-1))}); len(strings.Fields(got)) != 2 {
		t.Errorf("a negative limit lists %q", got)
	}

	update := func(triples ...string) (*api.ApiKey, error) {
		return g.UpdateApiKey(c, &api.UpdateApiKeyRequest{ApiKey: key.Id, PatchOperations: patch(triples...)})
	}
	g.now = g.now.Add(5e9)
	c = g.call()
	sameJSON(t, "updated", must[*api.ApiKey](t)(update("replace", "/enabled", "whatever", "replace", "/customerId", "d", "replace", "/description", "x", "replace", "/name", "")),
		`{"createdDate":"2026-03-04T05:06:07Z","lastUpdatedDate":"2026-03-04T05:06:12Z","customerId":"d","description":"x","enabled":false,"id":"`+*key.Id+`","stageKeys":[],"tags":{}}`)
	// Stages of a key are shown, and open nothing.
	apiID, _ := g.api()
	g.stage(apiID, "dev")
	old := must[*api.ApiKey](t)(g.CreateApiKey(c, &api.CreateApiKeyRequest{Enabled: new(true), StageKeys: []api.StageKey{{RestApiId: &apiID, StageName: new("dev")}}}))
	sameJSON(t, "stages", old.StageKeys, `["`+apiID+`/dev"]`)
	if client := g.keys.Client(apiID, "dev", *old.Value); client != nil {
		t.Errorf("%s opens a stage without a plan", client.KeyID)
	}
	if got := must[*api.ApiKey](t)(update("add", "/stages", apiID+"/dev", "add", "/stages", apiID+"/dev")); len(got.StageKeys) != 1 {
		t.Errorf("stages %v", got.StageKeys)
	}
	if got := must[*api.ApiKey](t)(update("remove", "/stages", apiID+"/dev")); len(got.StageKeys) != 0 {
		t.Errorf("stages %v", got.StageKeys)
	}
	long := strings.Repeat("a", 125001)
	const unknown = "NotFoundException 404: Invalid API Key identifier specified"
	checkRefusals(t, []refusal{
		{"long name", one(g.CreateApiKey(c, &api.CreateApiKeyRequest{Name: new(long[:1025])})), "BadRequestException 400: Invalid API Key name, can be at most 1024 characters."},
		{"short value", one(g.CreateApiKey(c, &api.CreateApiKeyRequest{Value: new("short")})), "BadRequestException 400: API Key value should be at least 20 characters"},
		{"long value", one(g.CreateApiKey(c, &api.CreateApiKeyRequest{Value: new(long[:129])})), "BadRequestException 400: API Key value exceeds maximum size of 128 characters"},
		{"long description", one(g.CreateApiKey(c, &api.CreateApiKeyRequest{Description: &long})), "BadRequestException 400: Invalid API Key description specified."},
		{"long description later", one(update("replace", "/description", long)), "BadRequestException 400: Invalid API Key description specified."},
		{"value of a disabled key", one(g.CreateApiKey(c, &api.CreateApiKeyRequest{Value: other.Value})), "ConflictException 409: API Key already exists"},
		{"value twice", one(g.CreateApiKey(c, &api.CreateApiKeyRequest{Value: key.Value})), "ConflictException 409: API Key already exists"},
		{"stage of nothing", one(g.CreateApiKey(c, &api.CreateApiKeyRequest{StageKeys: []api.StageKey{{RestApiId: &apiID, StageName: new("x")}}})), "NotFoundException 404: Invalid stage identifier specified"},
		{"stage without an API", one(update("add", "/stages", "x")), "BadRequestException 400: Invalid stage specified: x"},
		{"id", one(update("replace", "/id", "x")), "BadRequestException 400: Invalid patch path  '/id' specified for op 'replace'. Must be one of: [/description, /enabled, /name, /customerId]"},
		{"get nothing", one(g.GetApiKey(c, &api.GetApiKeyRequest{ApiKey: new("nope")})), unknown},
		{"delete nothing", g.DeleteApiKey(c, &api.DeleteApiKeyRequest{ApiKey: new("nope")}), unknown},
		{"position", one(g.GetApiKeys(c, &api.GetApiKeysRequest{Position: new("nope")})), "BadRequestException 400: Invalid position specified"},
	})
}

func TestImportAPIKeys(t *testing.T) {
	g := newGateway(t)
	c := g.call()
	id, _ := g.api()
	g.stage(id, "dev")
	plan := func(stages ...api.ApiStage) string {
		return *must[*api.UsagePlan](t)(g.CreateUsagePlan(c, &api.CreateUsagePlanRequest{Name: new("p"), ApiStages: stages})).Id
	}
	covers := api.ApiStage{ApiId: &id, Stage: new("dev")}
	p1, p2, p3 := plan(covers), plan(), plan(covers)
	const value = "012345678901234567890123456789"
	imports := func(body string, fail bool) (*api.ApiKeyIds, error) {
		return g.ImportApiKeys(c, &api.ImportApiKeysRequest{Body: []byte(body), Format: new("csv"), FailOnWarnings: &fail})
	}
	out := must[*api.ApiKeyIds](t)(imports("Name,key,description,Enabled,usageplanIds\n"+
		"one,"+value+"1,\"first, of all\",TRUE,\""+p1+", "+p2+"\"\n"+
		"two,"+value+"2\n"+
		"short,"+value[1:]+"\n"+
		"again,"+value+"1\n"+
		"lost,"+value+"3,,,nope\n"+
		"both,"+value+"4,,,\""+p1+","+p3+"\"\n", false))
	if len(out.Ids) != 2 || strings.Join(out.Warnings, "; ") != "Line 4: API Key value should be at least 30 characters; Line 5: API Key already exists; Line 6: Invalid Usage Plan ID specified; "+
		"Line 7: API Key both cannot be in Usage Plan "+p3+" because it is in another Usage Plan of API Stage "+id+":dev" {
		t.Fatalf("imported %s", marshal(t, out))
	}
	first := must[*api.ApiKey](t)(g.GetApiKey(c, &api.GetApiKeyRequest{ApiKey: &out.Ids[0], IncludeValue: new(true)}))
	if *first.Name != "one" || *first.Description != "first, of all" || !*first.Enabled || *first.Value != value+"1" {
		t.Errorf("first %s", marshal(t, first))
	}
	if client := g.keys.Client(id, "dev", value+"1"); client == nil || client.KeyID != out.Ids[0] {
		t.Errorf("the client with the value is %+v", client)
	}
	if second := must[*api.ApiKey](t)(g.GetApiKey(c, &api.GetApiKeyRequest{ApiKey: &out.Ids[1]})); *second.Enabled {
		t.Errorf("second %s", marshal(t, second))
	}
	checkRefusals(t, []refusal{
		{"warnings", one(imports("name,key\nok,"+value+"9\nshort,x\n", true)), "BadRequestException 400: Warnings found during import:\n\tLine 3: API Key value should be at least 30 characters"},
		{"no column", one(imports("name,value\n", false)), "BadRequestException 400: Unable to read the API keys: the file has no column key"},
		{"nothing", one(imports("", false)), "BadRequestException 400: Unable to read the API keys: the file has no header"},
		{"enabled", one(imports("name,key,enabled\na,b,perhaps\n", false)), "BadRequestException 400: Unable to read the API keys: line 2: Enabled must be TRUE or FALSE"},
	})
	if n := len(must[*api.ApiKeys](t)(g.GetApiKeys(c, &api.GetApiKeysRequest{})).Items); n != 2 {
		t.Errorf("%d keys", n)
	}
}
