package apigateway_test

import (
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/apigateway"
)

const petSchema = `{"type":"object","properties":{"kind":{"type":"string"},"age":{"type":"integer"},"price":{"type":"number"},"sold":{"type":"boolean"}}}`

func TestModels(t *testing.T) {
	g := newGateway(t)
	id, _ := g.api()
	c := g.call()
	create := func(name, schema string) (*api.Model, error) {
		return g.CreateModel(c, &api.CreateModelRequest{RestApiId: &id, Name: &name, ContentType: new("application/json"), Schema: &schema, Description: new("")})
	}
	update := func(triples ...string) (*api.Model, error) {
		return g.UpdateModel(c, &api.UpdateModelRequest{RestApiId: &id, ModelName: new("Pet"), PatchOperations: patch(triples...)})
	}
	pet := must[*api.Model](t)(create("Pet", petSchema))
	sameJSON(t, "read", must[*api.Model](t)(g.GetModel(c, &api.GetModelRequest{RestApiId: &id, ModelName: new("Pet")})),
		`{"id":"`+*pet.Id+`","name":"Pet","contentType":"application/json","schema":`+quoted(petSchema)+`}`)
	reference := func(name string) string {
		return `{"$ref":"https://apigateway.amazonaws.com/restapis/` + id + `/models/` + name + `"}`
	}
	must[*api.Model](t)(create("Pets", `{"type":"array","items":`+reference("Pet")+`}`))
	must[*api.Model](t)(create("Tree", `{"type":"object","properties":{"left":`+reference("Tree")+`,"own":{"$ref":"#/definitions/x"}},"definitions":{"x":{"type":"null"}}}`))

	names := func(limit int32, position *string) (string, *string) {
		out := must[*api.Models](t)(g.GetModels(c, &api.GetModelsRequest{RestApiId: &id, Limit: &limit, Position: position}))
		var all []string
		for _, m := range out.Items {
			all = append(all, *m.Name)
		}
		return strings.Join(all, " "), out.Position
	}
	first, next := names(3, nil)
	second, end := names(3, next)
	if first != "Empty Error Pet" || second != "Pets Tree" || end != nil {
		t.Errorf("pages %q and %q, then %v", first, second, end)
	}

	flat := must[*api.Model](t)(g.GetModel(c, &api.GetModelRequest{RestApiId: &id, ModelName: new("Pets"), Flatten: new(true)}))
	sameText(t, "flattened", *flat.Schema, `{"type":"array","items":{"$ref":"#/definitions/Pet"},"definitions":{"Pet":`+petSchema+`}}`)
	flat = must[*api.Model](t)(g.GetModel(c, &api.GetModelRequest{RestApiId: &id, ModelName: new("Tree"), Flatten: new(true)}))
	sameText(t, "flattened, referring to itself", *flat.Schema, `{"type":"object","properties":{"left":{"$ref":"#/definitions/Tree"},"own":{"$ref":"#/definitions/x"}},
		"definitions":{"x":{"type":"null"},"Tree":{"type":"object","properties":{"left":{"$ref":"#/definitions/Tree"},"own":{"$ref":"#/definitions/x"}},"definitions":{"x":{"type":"null"}}}}}`)

	for name, want := range map[string]string{
		"Empty": "#set($inputRoot = $input.path('$'))\n{ }",
		"Error": "#set($inputRoot = $input.path('$'))\n{\n  \"message\" : \"foo\"\n}",
		"Pets": "#set($inputRoot = $input.path('$'))\n[\n##TODO: Update this foreach loop to reference array from input json\n#foreach($elem in $inputRoot)\n" +
			"  {\n    \"kind\" : \"foo\",\n    \"age\" : 42,\n    \"price\" : 3.14,\n    \"sold\" : true\n  }\n#if($foreach.hasNext),#end\n#end\n]",
	} {
		if got := *must[*api.Template](t)(g.GetModelTemplate(c, &api.GetModelTemplateRequest{RestApiId: &id, ModelName: &name})).Value; got != want {
			t.Errorf("template of %s:\n%s\nwant\n%s", name, got, want)
		}
	}

	sameJSON(t, "updated", must[*api.Model](t)(update("replace", "/description", "d", "replace", "/schema", `{"title":"new","type":"object"}`)),
		`{"id":"`+*pet.Id+`","name":"Pet","description":"d","contentType":"application/json","schema":"{\"title\":\"new\",\"type\":\"object\"}"}`)

	const invalid = "BadRequestException 400: Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified"
	const empty = "BadRequestException 400: Model schema must have at least 1 property or array items defined"
	const canonical = invalid + ", Model reference must be in canonical form]"
	checkRefusals(t, []refusal{
		{"unknown API", one(g.CreateModel(c, &api.CreateModelRequest{RestApiId: new("nope"), Name: new("X")})), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"models of an unknown API", one(g.GetModels(c, &api.GetModelsRequest{RestApiId: new("nope")})), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"model of an unknown API", one(g.GetModel(c, &api.GetModelRequest{RestApiId: new("nope"), ModelName: new("X")})), "NotFoundException 404: Invalid model name specified: X"},
		{"template of nothing", one(g.GetModelTemplate(c, &api.GetModelTemplateRequest{RestApiId: &id, ModelName: new("X")})), "NotFoundException 404: Invalid model name specified: X"},
		{"delete nothing", g.DeleteModel(c, &api.DeleteModelRequest{RestApiId: &id, ModelName: new("X")}), "NotFoundException 404: Invalid model name specified: X"},
		{"no name", one(create("", petSchema)), "BadRequestException 400: Model name must be non-empty"},
		{"name", one(create("a-b", petSchema)), "BadRequestException 400: Model name must be alphanumeric: a-b"},
		{"twice", one(create("Pet", petSchema)), "ConflictException 409: Model name already exists for this REST API"},
		{"no schema", one(create("X", "")), empty},
		{"schema taken away", one(update("replace", "/schema", "")), empty},
		{"broken", one(create("X", "{")), invalid + "]"},
		{"not an object", one(create("X", "[]")), invalid + "]"},
		{"type", one(create("X", `{"type":"bogus"}`)), invalid + "]"},
		{"required of draft 3", one(update("replace", "/schema", `{"properties":{"a":{"required":true}}}`)), invalid + "]"},
		{"keywords", one(create("X", `{"properties":{"a":{"nullable":true,"example":1}},"$id":"x"}`)), invalid + `. Unsupported keyword(s): ["$id", "example", "nullable"]]`},
		{"keyword below allOf", one(create("X", `{"allOf":[{"const":1}]}`)), invalid + `. Unsupported keyword(s): ["const"]]`},
		{"relative reference", one(create("X", `{"items":{"$ref":"Pet"}}`)), canonical},
		{"reference of another API", one(create("X", `{"items":{"$ref":"https://apigateway.amazonaws.com/restapis/other/models/Pet"}}`)), canonical},
		{"reference to nothing", one(create("X", `{"items":`+reference("Nothing")+`}`)), "BadRequestException 400: Invalid model identifier specified: Nothing"},
		{"too long", one(create("X", `{"title":"`+strings.Repeat("x", 400<<10)+`"}`)), "BadRequestException 400: The models of an API can have at most 409600 bytes in total"},
		{"patch path", one(update("replace", "/name", "X")), "BadRequestException 400: Invalid patch path  '/name' specified for op 'replace'. Must be one of: [/description, /schema]"},
		{"patch operation", one(update("add", "/wrong-path", "X")), "BadRequestException 400: Invalid patch path  '/wrong-path' specified for op 'add'. Please choose supported operations"},
		{"delete a model's", g.DeleteModel(c, &api.DeleteModelRequest{RestApiId: &id, ModelName: new("Pet")}), "ConflictException 409: Cannot delete model 'Pet', is referenced in model: Pets"},
	})

	// A property may have a keyword's name, and a default any value.
	must[*api.Model](t)(create("Odd", `{"properties":{"nullable":{"enum":[{"example":1}],"default":{"const":1}}},"dependencies":{"a":["b"]}}`))
	g.method(id, "/a", "ANY", api.Method{RequestModels: map[string]string{"application/json": "Odd"}})
	g.method(id, "/b", "GET", api.Method{MethodResponses: map[string]api.MethodResponse{"200": {ResponseModels: map[string]string{"application/json": "Tree"}}}})
	checkRefusals(t, []refusal{
		{"delete a request's", g.DeleteModel(c, &api.DeleteModelRequest{RestApiId: &id, ModelName: new("Odd")}), "ConflictException 409: Cannot delete model 'Odd', is referenced in method request: /a/ANY"},
		{"delete a response's", g.DeleteModel(c, &api.DeleteModelRequest{RestApiId: &id, ModelName: new("Tree")}), "ConflictException 409: Cannot delete model 'Tree', is referenced in method response: /b/GET"},
	})
	g.dropMethod(id, "/b")
	// That it refers to itself doesn't hold it.
	for _, name := range []string{"Tree", "Pets", "Pet"} {
		if err := g.DeleteModel(c, &api.DeleteModelRequest{RestApiId: &id, ModelName: &name}); err != nil {
			t.Error(err)
		}
	}
}

// A document may say of models what CreateModel doesn't take, as long as it is
// a schema.
func TestImportedSchemas(t *testing.T) {
	g := newGateway(t)
	document := func(schema string) error {
		return one(g.ImportRestApi(g.call(), &api.ImportRestApiRequest{Body: []byte(`{"openapi":"3.0.1","info":{"title":"t","version":"1"},"paths":{},"components":{"schemas":{"Pet":` + schema + `}}}`)}))
	}
	if err := document(`{"type":"object","example":{},"nullable":true}`); err != nil {
		t.Error(err)
	}
	checkRefusals(t, []refusal{
		{"not a schema", document(`{"type":"bogus"}`), "BadRequestException 400: Errors found during import:\n\tUnable to create model for 'Pet': Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified]"},
	})
}
