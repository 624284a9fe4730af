package apigateway_test

import (
	"context"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

func TestDocumentationParts(t *testing.T) {
	g := newGateway(t)
	id, _ := g.api()
	c := g.call()
	create := func(location api.DocumentationPartLocation, properties string) (*api.DocumentationPart, error) {
		return g.CreateDocumentationPart(c, &api.CreateDocumentationPartRequest{RestApiId: &id, Location: &location, Properties: &properties})
	}
	whole := must[*api.DocumentationPart](t)(create(api.DocumentationPartLocation{Type: new("API")}, `{"description":"d"}`))
	sameJSON(t, "made", whole, `{"id":"`+*whole.Id+`","location":{"type":"API"},"properties":"{\"description\":\"d\"}"}`)
	response := must[*api.DocumentationPart](t)(create(api.DocumentationPartLocation{Type: new("RESPONSE"), Path: new("/pets"), Method: new("GET"), StatusCode: new("200")}, `{}`))
	anything := must[*api.DocumentationPart](t)(create(api.DocumentationPartLocation{Type: new("RESPONSE_HEADER"), Name: new("X-Total")}, `{}`))
	sameJSON(t, "defaults", anything.Location, `{"type":"RESPONSE_HEADER","path":"/","method":"*","statusCode":"*","name":"X-Total"}`)
	update := func(triples ...string) (*api.DocumentationPart, error) {
		return g.UpdateDocumentationPart(c, &api.UpdateDocumentationPartRequest{RestApiId: &id, DocumentationPartId: whole.Id, PatchOperations: patch(triples...)})
	}
	sameJSON(t, "updated", must[*api.DocumentationPart](t)(update("replace", "/properties", `{"description":"e"}`)), `{"id":"`+*whole.Id+`","location":{"type":"API"},"properties":"{\"description\":\"e\"}"}`)
	list := func(in api.GetDocumentationPartsRequest) string {
		in.RestApiId = &id
		var all []string
		for _, p := range must[*api.DocumentationParts](t)(g.GetDocumentationParts(c, &in)).Items {
			text := *p.Location.Type
			for _, s := range []*string{p.Location.Path, p.Location.Method, p.Location.StatusCode, p.Location.Name} {
				if s != nil {
					text += " " + *s
				}
			}
			if (p.Id != nil) != (in.LocationStatus == nil) {
				t.Errorf("listed %s", marshal(t, p))
			}
			all = append(all, text)
		}
		return strings.Join(all, ", ")
	}
	must[*api.Authorizer](t)(g.CreateAuthorizer(c, &api.CreateAuthorizerRequest{RestApiId: &id, Name: new("a"), Type: new("TOKEN"), AuthorizerUri: new(authorizerURI), IdentitySource: new("method.request.header.A")}))
	g.method(id, "/pets", "GET", api.Method{
		RequestParameters: map[string]bool{"method.request.querystring.q": false}, RequestModels: map[string]string{"a/b": "Empty"},
		MethodResponses: map[string]api.MethodResponse{"200": {ResponseParameters: map[string]bool{"method.response.header.H": true}, ResponseModels: map[string]string{"a/b": "Empty"}}, "404": {}},
	})
	for _, test := range []struct {
		name string
		in   api.GetDocumentationPartsRequest
		want string
	}{
		{"type", api.GetDocumentationPartsRequest{Type: new("RESPONSE")}, "RESPONSE /pets GET 200"},
		{"path", api.GetDocumentationPartsRequest{Path: new("/")}, "RESPONSE_HEADER / * * X-Total"},
		{"name", api.GetDocumentationPartsRequest{NameQuery: new("Total")}, "RESPONSE_HEADER / * * X-Total"},
		{"nothing", api.GetDocumentationPartsRequest{NameQuery: new("Other")}, ""},
		{"undocumented", api.GetDocumentationPartsRequest{LocationStatus: new("UNDOCUMENTED")}, "AUTHORIZER a, METHOD /pets GET, MODEL Empty, MODEL Error, QUERY_PARAMETER /pets GET q, REQUEST_BODY /pets GET, " +
			"RESOURCE /, RESOURCE /pets, RESPONSE /pets GET 404, RESPONSE_BODY /pets GET 200, RESPONSE_HEADER /pets GET 200 H"},
		{"undocumented models", api.GetDocumentationPartsRequest{LocationStatus: new("UNDOCUMENTED"), Type: new("MODEL"), NameQuery: new("Err")}, "MODEL Error"},
	} {
		if got := list(test.in); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}

	const unknown = "NotFoundException 404: Invalid Documentation part identifier specified"
	const noAPI = "NotFoundException 404: Invalid API identifier specified 000000000000:nope"
	checkRefusals(t, []refusal{
		{"create in an unknown API", one(g.CreateDocumentationPart(c, &api.CreateDocumentationPartRequest{RestApiId: new("nope")})), noAPI},
		{"list of an unknown API", one(g.GetDocumentationParts(c, &api.GetDocumentationPartsRequest{RestApiId: new("nope")})), noAPI},
		{"delete in an unknown API", g.DeleteDocumentationPart(c, &api.DeleteDocumentationPartRequest{RestApiId: new("nope"), DocumentationPartId: whole.Id}), noAPI},
		{"get from an unknown API", one(g.GetDocumentationPart(c, &api.GetDocumentationPartRequest{RestApiId: new("nope"), DocumentationPartId: whole.Id})), unknown},
		{"delete nothing", g.DeleteDocumentationPart(c, &api.DeleteDocumentationPartRequest{RestApiId: &id, DocumentationPartId: new("nope")}), unknown},
		{"twice", one(create(api.DocumentationPartLocation{Type: new("RESPONSE"), Path: new("/pets"), Method: new("GET"), StatusCode: new("200")}, `{}`)),
			"ConflictException 409: Documentation part already exists for the specified location: type 'RESPONSE', path '/pets', method 'GET', statusCode '200'."},
		{"twice by default", one(create(api.DocumentationPartLocation{Type: new("RESPONSE_HEADER"), Path: new("/"), Name: new("X-Total")}, `{}`)), "ConflictException 409: Documentation part already exists…"},
		{"path of an API", one(create(api.DocumentationPartLocation{Type: new("API"), Path: new("/")}, `{}`)), "BadRequestException 400: Invalid location specified: path is not a valid field for type API"},
		{"status of a method", one(create(api.DocumentationPartLocation{Type: new("METHOD"), StatusCode: new("200")}, `{}`)), "BadRequestException 400: Invalid location specified: statusCode is not a valid field for type METHOD"},
		{"model without a name", one(create(api.DocumentationPartLocation{Type: new("MODEL")}, `{}`)), "BadRequestException 400: Invalid location specified: name is required for type MODEL"},
		{"path without a slash", one(create(api.DocumentationPartLocation{Type: new("RESOURCE"), Path: new("pets")}, `{}`)), "BadRequestException 400: Invalid location specified: the path pets does not begin with a slash"},
		{"type", one(create(api.DocumentationPartLocation{}, `{}`)), "BadRequestException 400: Invalid location type specified: "},
		{"properties", one(create(api.DocumentationPartLocation{Type: new("METHOD")}, `[]`)), "BadRequestException 400: Invalid documentation part properties specified: they must be a JSON object"},
		{"properties of null", one(update("replace", "/properties", "null")), "BadRequestException 400: Invalid documentation part properties specified…"},
		{"add", one(update("add", "/properties", "{}")), "BadRequestException 400: Invalid patch path  '/properties' specified for op 'add'. Please choose supported operations"},
		{"path of a patch", one(update("replace", "/invalidPath", "{}")), "BadRequestException 400: Invalid patch path  '/invalidPath' specified for op 'replace'. Must be one of: [/properties]"},
	})
	if err := g.DeleteDocumentationPart(c, &api.DeleteDocumentationPartRequest{RestApiId: &id, DocumentationPartId: response.Id}); err != nil {
		t.Fatal(err)
	}
	if got, want := list(api.GetDocumentationPartsRequest{Type: new("RESPONSE")}), ""; got != want {
		t.Errorf("after deletion: %s", got)
	}
}

func TestImportDocumentationParts(t *testing.T) {
	g := newGateway(t)
	id, _ := g.api()
	c := g.call()
	imports := func(mode, body string, fail bool) (*api.DocumentationPartIds, error) {
		return g.ImportDocumentationParts(c, &api.ImportDocumentationPartsRequest{RestApiId: &id, Mode: &mode, Body: []byte(body), FailOnWarnings: &fail})
	}
	parts := func() *api.DocumentationParts {
		return must[*api.DocumentationParts](t)(g.GetDocumentationParts(c, &api.GetDocumentationPartsRequest{RestApiId: &id}))
	}
	const first = `{"openapi": "3.0.0", "x-amazon-apigateway-documentation": {"version": "1", "documentationParts": [
		{"location": {"type": "API"}, "properties": {"description": "d", "info": {"version": 3}}},
		{"location": {"type": "METHOD", "method": "GET"}, "properties": {"description": "m"}}]}}`
	out := must[*api.DocumentationPartIds](t)(imports("overwrite", first, true))
	byID := map[string]api.DocumentationPart{}
	for _, p := range parts().Items {
		byID[*p.Id] = p
	}
	if len(out.Ids) != 2 || len(byID) != 2 {
		t.Fatalf("imported %s", marshal(t, out))
	}
	sameJSON(t, "first", byID[out.Ids[0]], `{"id":"`+out.Ids[0]+`","location":{"type":"API"},"properties":"{\"description\":\"d\",\"info\":{\"version\":3}}"}`)
	sameJSON(t, "second", byID[out.Ids[1]], `{"id":"`+out.Ids[1]+`","location":{"type":"METHOD","path":"/","method":"GET"},"properties":"{\"description\":\"m\"}"}`)

	const second = "swagger: 2.0\nx-amazon-apigateway-documentation:\n  documentationParts:\n  - location: {type: API}\n    properties: {description: e}\n  - location: {type: MODEL}\n    properties: {}\n  - location: {type: MODEL, name: M}\n"
	merged := must[*api.DocumentationPartIds](t)(imports("merge", second, false))
	sameJSON(t, "merged", merged, `{"ids":["`+out.Ids[0]+`"],"warnings":["Unable to import documentation part 2: Invalid location specified: name is required for type MODEL",
		"Unable to import documentation part 3: Invalid documentation part properties specified: they must be a JSON object"]}`)
	if n := len(parts().Items); n != 2 {
		t.Errorf("%d parts after merging", n)
	}
	checkRefusals(t, []refusal{
		{"warnings", one(imports("overwrite", second, true)), "BadRequestException 400: Warnings found during import:\n\tUnable to import documentation part 2: …"},
		{"bad JSON", one(imports("overwrite", "{'key:value}", false)), "BadRequestException 400: Unable to build importer with provided input."},
		{"bad YAML", one(imports("overwrite", "test:\n    - \"value \"escaped\": $var, \"dt\": $(var +\"%a\")}\"\n", false)), "BadRequestException 400: Unable to build importer with provided input."},
		{"no document", one(imports("overwrite", "text", false)), "BadRequestException 400: Unable to build importer with provided input."},
		{"unknown API", one(g.ImportDocumentationParts(c, &api.ImportDocumentationPartsRequest{RestApiId: new("nope"), Body: []byte(first)})), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
	})
	sameJSON(t, "nothing to import", must[*api.DocumentationPartIds](t)(imports("overwrite", `{"openapi":"3.0.0"}`, true)), `{"ids":[]}`)
	sameJSON(t, "everything overwritten", parts(), `{"items":[]}`)
}

func TestDocumentationVersions(t *testing.T) {
	g := newGateway(t)
	id, _ := g.api()
	c := g.call()
	g.stage(id, "dev")
	part := must[*api.DocumentationPart](t)(g.CreateDocumentationPart(c, &api.CreateDocumentationPartRequest{RestApiId: &id, Location: &api.DocumentationPartLocation{Type: new("API")}, Properties: new(`{"description":"old"}`)}))
	create := func(in api.CreateDocumentationVersionRequest) (*api.DocumentationVersion, error) {
		if in.RestApiId == nil {
			in.RestApiId = &id
		}
		return g.CreateDocumentationVersion(c, &in)
	}
	sameJSON(t, "made", must[*api.DocumentationVersion](t)(create(api.CreateDocumentationVersionRequest{DocumentationVersion: new("v1"), Description: new("")})), `{"createdDate":"2026-03-04T05:06:07Z","version":"v1"}`)
	must[*api.DocumentationPart](t)(g.UpdateDocumentationPart(c, &api.UpdateDocumentationPartRequest{RestApiId: &id, DocumentationPartId: part.Id, PatchOperations: patch("replace", "/properties", `{"description":"new"}`)}))
	must[*api.DocumentationVersion](t)(create(api.CreateDocumentationVersionRequest{DocumentationVersion: new("v2"), StageName: new("dev")}))
	update := func(triples ...string) (*api.DocumentationVersion, error) {
		return g.UpdateDocumentationVersion(c, &api.UpdateDocumentationVersionRequest{RestApiId: &id, DocumentationVersion: new("v1"), PatchOperations: patch(triples...)})
	}
	sameJSON(t, "updated", must[*api.DocumentationVersion](t)(update("replace", "/description", "d")), `{"createdDate":"2026-03-04T05:06:07Z","description":"d","version":"v1"}`)
	sameJSON(t, "list", must[*api.DocumentationVersions](t)(g.GetDocumentationVersions(c, &api.GetDocumentationVersionsRequest{RestApiId: &id})),
		`{"items":[{"createdDate":"2026-03-04T05:06:07Z","description":"d","version":"v1"},{"createdDate":"2026-03-04T05:06:07Z","version":"v2"}]}`)

	// A version holds the parts as they were.
	read := func(name string) (properties string, err error) {
		err = g.store.View(context.Background(), func(tx *store.Tx) error {
			version, err := definition.DocumentationVersions.Get(tx, here, id, name)
			if err != nil {
				return err
			}
			part, err := definition.DocumentationParts.Get(tx.AsOf(version.Revision), here, id, *part.Id)
			if err == nil {
				properties = *part.Properties
			}
			return err
		})
		return properties, err
	}
	for name, want := range map[string]string{"v1": `{"description":"old"}`, "v2": `{"description":"new"}`} {
		if got := must[string](t)(read(name)); got != want {
			t.Errorf("%s holds %s", name, got)
		}
	}

	const noAPI = "NotFoundException 404: Invalid API identifier specified 000000000000:nope"
	const unknown = "NotFoundException 404: Invalid Documentation version specified"
	checkRefusals(t, []refusal{
		{"unknown API", one(create(api.CreateDocumentationVersionRequest{RestApiId: new("nope"), DocumentationVersion: new("v")})), noAPI},
		{"list of an unknown API", one(g.GetDocumentationVersions(c, &api.GetDocumentationVersionsRequest{RestApiId: new("nope")})), noAPI},
		{"no name", one(create(api.CreateDocumentationVersionRequest{DocumentationVersion: new("")})), "BadRequestException 400: Documentation version must be non-empty"},
		{"twice", one(create(api.CreateDocumentationVersionRequest{DocumentationVersion: new("v1")})), "ConflictException 409: Documentation version already exists for this REST API: v1"},
		{"unknown stage", one(create(api.CreateDocumentationVersionRequest{DocumentationVersion: new("v3"), StageName: new("nope")})), "NotFoundException 404: Invalid stage identifier specified"},
		{"get nothing", one(g.GetDocumentationVersion(c, &api.GetDocumentationVersionRequest{RestApiId: &id, DocumentationVersion: new("v3")})), unknown},
		{"path", one(update("replace", "/version", "d")), "BadRequestException 400: Invalid patch path  '/version' specified for op 'replace'. Must be one of: [/description]"},
		{"in use", g.DeleteDocumentationVersion(c, &api.DeleteDocumentationVersionRequest{RestApiId: &id, DocumentationVersion: new("v2")}), "BadRequestException 400: Cannot delete documentation version v2, is referenced in stage: dev"},
	})
	if err := g.DeleteDocumentationVersion(c, &api.DeleteDocumentationVersionRequest{RestApiId: &id, DocumentationVersion: new("v1")}); err != nil {
		t.Fatal(err)
	}
	if _, err := read("v1"); err == nil {
		t.Error("a deleted version can be read")
	}
	if err := g.DeleteRestApi(c, &api.DeleteRestApiRequest{RestApiId: &id}); err != nil {
		t.Error(err)
	}
}
