package apigatewayv2_test

import (
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/apigatewayv2"
)

const modelSchema = `{"type":"object","properties":{"kind":{"type":"string"}}}`

// What an HTTP API has of models is nothing, in AWS's words.
func TestModelsOfAnHTTPAPI(t *testing.T) {
	g := newGateway(t)
	id, _, _ := g.hello()
	c := g.call()
	if out := must[*api.GetModelsResponse](t)(g.GetModels(c, &api.GetModelsRequest{ApiId: &id})); out.Items == nil || len(out.Items) != 0 || out.NextToken != nil {
		t.Errorf("models %+v, want an empty list", out)
	}
	const none = "NotFoundException 404: Invalid Model identifier specified"
	const noAPI = "NotFoundException 404: Invalid API identifier specified 000000000000:nope"
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"create", one(g.CreateModel(c, &api.CreateModelRequest{ApiId: &id, Name: new("m"), Schema: new(modelSchema)})), "BadRequestException 400: Currently, Models are not permitted for APIs with a protocol type of HTTP"},
		{"create a bad one", one(g.CreateModel(c, &api.CreateModelRequest{ApiId: &id, Name: new("m-1")})), "BadRequestException 400: Currently, Models are not permitted for APIs with a protocol type of HTTP"},
		{"get", one(g.GetModel(c, &api.GetModelRequest{ApiId: &id, ModelId: new("m")})), none},
		{"template", one(g.GetModelTemplate(c, &api.GetModelTemplateRequest{ApiId: &id, ModelId: new("m")})), none},
		{"update", one(g.UpdateModel(c, &api.UpdateModelRequest{ApiId: &id, ModelId: new("m"), Name: new("n")})), none},
		{"delete", g.DeleteModel(c, &api.DeleteModelRequest{ApiId: &id, ModelId: new("m")}), none},
		{"create in an unknown API", one(g.CreateModel(c, &api.CreateModelRequest{ApiId: new("nope"), Name: new("m")})), noAPI},
		{"get from an unknown API", one(g.GetModel(c, &api.GetModelRequest{ApiId: new("nope"), ModelId: new("m")})), noAPI},
		{"list of an unknown API", one(g.GetModels(c, &api.GetModelsRequest{ApiId: new("nope")})), noAPI},
	} {
		if got := describeError(test.err); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestModels(t *testing.T) {
	g := newGateway(t)
	id, _, _ := g.webSocket()
	c := g.call()
	create := func(in api.CreateModelRequest) (*api.CreateModelResponse, error) {
		in.ApiId = &id
		return g.CreateModel(c, &in)
	}
	made := must[*api.CreateModelResponse](t)(create(api.CreateModelRequest{Name: new("First"), ContentType: new("application/json"), Description: new("d"), Schema: new(modelSchema)}))
	second := must[*api.CreateModelResponse](t)(create(api.CreateModelRequest{Name: new("Second"), Schema: new("{}")}))
	get := func() *api.GetModelResponse {
		return must[*api.GetModelResponse](t)(g.GetModel(c, &api.GetModelRequest{ApiId: &id, ModelId: made.ModelId}))
	}
	sameJSON(t, "read", get(), marshal(t, made))
	update := func(in api.UpdateModelRequest) (*api.UpdateModelResponse, error) {
		in.ApiId, in.ModelId = &id, made.ModelId
		return g.UpdateModel(c, &in)
	}
	must[*api.UpdateModelResponse](t)(update(api.UpdateModelRequest{Name: new("Renamed"), Description: new("")}))
	sameJSON(t, "updated", get(), `{"ModelId": "`+*made.ModelId+`", "Name": "Renamed", "ContentType": "application/json", "Schema": `+marshal(t, modelSchema)+`}`)

	template := must[*api.GetModelTemplateResponse](t)(g.GetModelTemplate(c, &api.GetModelTemplateRequest{ApiId: &id, ModelId: made.ModelId}))
	if got, want := *template.Value, "#set($inputRoot = $input.path('$'))\n{\n  \"kind\" : \"foo\"\n}"; got != want {
		t.Errorf("template %q, want %q", got, want)
	}

	const badSchema = "BadRequestException 400: Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified]"
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"name", one(create(api.CreateModelRequest{Name: new("p-m3"), Schema: new("{}")})), "BadRequestException 400: Model name must be alphanumeric: p-m3"},
		{"no name", one(update(api.UpdateModelRequest{Name: new("")})), "BadRequestException 400: Model name must be alphanumeric: "},
		{"long name", one(create(api.CreateModelRequest{Name: new(strings.Repeat("n", 129)), Schema: new("{}")})), "BadRequestException 400: Member must have length less than or equal to 128: name"},
		{"long description", one(update(api.UpdateModelRequest{Description: new(strings.Repeat("n", 1025))})), "BadRequestException 400: Member must have length less than or equal to 1024: description"},
		{"long content type", one(update(api.UpdateModelRequest{ContentType: new(strings.Repeat("n", 257))})), "BadRequestException 400: Member must have length less than or equal to 256: contentType"},
		{"long schema", one(update(api.UpdateModelRequest{Schema: new(`{"a":"` + strings.Repeat("n", 32<<10) + `"}`)})), "BadRequestException 400: Member must have length less than or equal to 32768: schema"},
		{"no schema", one(create(api.CreateModelRequest{Name: new("x")})), badSchema},
		{"schema taken away", one(update(api.UpdateModelRequest{Schema: new("")})), badSchema},
		{"broken schema", one(create(api.CreateModelRequest{Name: new("x"), Schema: new("{")})), badSchema},
		{"not an object", one(create(api.CreateModelRequest{Name: new("x"), Schema: new("[]")})), badSchema},
		{"name taken", one(create(api.CreateModelRequest{Name: new("Second"), Schema: new("{}")})), "ConflictException 409: Model name already exists for this API: Second"},
		{"name taken by an update", one(update(api.UpdateModelRequest{Name: new("Second")})), "ConflictException 409: Model name already exists for this API: Second"},
	} {
		if got := describeError(test.err); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}

	first := must[*api.GetModelsResponse](t)(g.GetModels(c, &api.GetModelsRequest{ApiId: &id, MaxResults: new("1")}))
	next := must[*api.GetModelsResponse](t)(g.GetModels(c, &api.GetModelsRequest{ApiId: &id, MaxResults: new("1"), NextToken: first.NextToken}))
	if len(first.Items) != 1 || len(next.Items) != 1 || *first.Items[0].Name == *next.Items[0].Name || next.NextToken != nil {
		t.Errorf("pages %+v and %+v", first, next)
	}
	if err := g.DeleteModel(c, &api.DeleteModelRequest{ApiId: &id, ModelId: second.ModelId}); err != nil {
		t.Fatal(err)
	}
	// Its name is free again.
	must[*api.UpdateModelResponse](t)(update(api.UpdateModelRequest{Name: new("Second")}))
}
