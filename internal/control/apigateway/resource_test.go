package apigateway_test

import (
	"slices"
	"testing"

	api "gatehouse/internal/awsapi/apigateway"
)

// paths lists an API's resources page by page.
func (s *serving) paths(apiID string, limit int32) []string {
	s.t.Helper()
	var paths []string
	in := &api.GetResourcesRequest{RestApiId: &apiID, Limit: &limit}
	for {
		page := must[*api.Resources](s.t)(s.GetResources(s.call(), in))
		for _, r := range page.Items {
			paths = append(paths, *r.Path)
		}
		if in.Position = page.Position; in.Position == nil {
			slices.Sort(paths)
			return paths
		}
		if len(page.Items) != int(limit) {
			s.t.Errorf("a page of %d resources has %d", limit, len(page.Items))
		}
	}
}

func TestResourceTree(t *testing.T) {
	g := newServing(t)
	id, root := g.api()
	c := g.call()
	pets := g.resource(id, root, "pets")
	pet := g.resource(id, pets, "{id}")
	g.resource(id, pet, "toys")
	cats := g.resource(id, root, "cats")
	g.mock(id, pet, "GET")
	wants := func(want ...string) {
		t.Helper()
		if got := g.paths(id, 2); !slices.Equal(got, want) {
			t.Errorf("resources: %q, want %q", got, want)
		}
	}
	wants("/", "/cats", "/pets", "/pets/{id}", "/pets/{id}/toys")
	update := func(resource string, triples ...string) error {
		_, err := g.UpdateResource(c, &api.UpdateResourceRequest{RestApiId: &id, ResourceId: &resource, PatchOperations: patch(triples...)})
		return err
	}
	for _, step := range []struct {
		resource string
		ops      []string
		want     []string
	}{
		{pets, []string{"replace", "/pathPart", "dogs"}, []string{"/", "/cats", "/dogs", "/dogs/{id}", "/dogs/{id}/toys"}},
		{pet, []string{"replace", "/parentId", cats}, []string{"/", "/cats", "/cats/{id}", "/cats/{id}/toys", "/dogs"}},
		{pet, []string{"replace", "/parentId", pets, "replace", "/pathPart", "{name}"}, []string{"/", "/cats", "/dogs", "/dogs/{name}", "/dogs/{name}/toys"}},
		{pet, nil, []string{"/", "/cats", "/dogs", "/dogs/{name}", "/dogs/{name}/toys"}},
		{pet, []string{"replace", "/pathPart", "{name}"}, []string{"/", "/cats", "/dogs", "/dogs/{name}", "/dogs/{name}/toys"}},
	} {
		if err := update(step.resource, step.ops...); err != nil {
			t.Errorf("%q: %v", step.ops, err)
		}
		wants(step.want...)
	}
	// The names that were left are free.
	g.resource(id, root, "pets")
	// What is refused leaves everything as it was.
	if err := update(pet, "replace", "/pathPart", "x", "replace", "/parentId", pet); describeError(err) != "BadRequestException 400: Resources cannot be cyclical." {
		t.Errorf("a cycle: %v", err)
	}
	if err := update(pet, "replace", "/pathPart", "{all+}"); describeError(err) != "BadRequestException 400: Cannot create a child of a resource with a greedy path variable: {all+}" {
		t.Errorf("greedy with something below it: %v", err)
	}
	wants("/", "/cats", "/dogs", "/dogs/{name}", "/dogs/{name}/toys", "/pets")
	sameJSON(t, "a resource", must[*api.Resource](t)(g.GetResource(c, &api.GetResourceRequest{RestApiId: &id, ResourceId: &pet})),
		`{"id": "`+pet+`", "parentId": "`+pets+`", "path": "/dogs/{name}", "pathPart": "{name}", "resourceMethods": {"GET": {}}}`)
	sameJSON(t, "with its methods", must[*api.Resource](t)(g.GetResource(c, &api.GetResourceRequest{RestApiId: &id, ResourceId: &pet, Embed: []string{"methods"}})),
		`{"id": "`+pet+`", "parentId": "`+pets+`", "path": "/dogs/{name}", "pathPart": "{name}", "resourceMethods": {"GET": {
			"apiKeyRequired": false, "authorizationType": "NONE", "httpMethod": "GET", "methodIntegration": {
				"cacheKeyParameters": [], "cacheNamespace": "`+pet+`", "passthroughBehavior": "WHEN_NO_MATCH", "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
				"timeoutInMillis": 29000, "type": "MOCK", "integrationResponses": {"200": {"statusCode": "200"}}}}}}`)
	if err := g.DeleteResource(c, &api.DeleteResourceRequest{RestApiId: &id, ResourceId: &pets}); err != nil {
		t.Error(err)
	}
	wants("/", "/cats", "/pets")
	// So can what was below it be made again.
	again := g.resource(id, root, "dogs")
	g.resource(id, again, "{name}")
}

func TestResourceRefusals(t *testing.T) {
	g := newServing(t)
	id, root := g.api()
	c := g.call()
	pets := g.resource(id, root, "pets")
	g.resource(id, root, "{proxy+}")
	create := func(parent, part string) error {
		return one(g.CreateResource(c, &api.CreateResourceRequest{RestApiId: &id, ParentId: &parent, PathPart: &part}))
	}
	const badPart = "BadRequestException 400: Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end."
	checkRefusals(t, []refusal{
		{"unknown API", one(g.GetResources(c, &api.GetResourcesRequest{RestApiId: new("nope")})), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"bad position", one(g.GetResources(c, &api.GetResourcesRequest{RestApiId: &id, Position: new("x")})), "BadRequestException 400: Invalid position specified"},
		{"unknown resource", one(g.GetResource(c, &api.GetResourceRequest{RestApiId: &id, ResourceId: new("nope")})), "NotFoundException 404: Invalid Resource identifier specified"},
		{"resource of an unknown API", one(g.GetResource(c, &api.GetResourceRequest{RestApiId: new("nope"), ResourceId: &root})), "NotFoundException 404: Invalid Resource identifier specified"},
		{"deleting twice", g.DeleteResource(c, &api.DeleteResourceRequest{RestApiId: &id, ResourceId: new("nope")}), "NotFoundException 404: Invalid Resource identifier specified"},
		{"deleting the root", g.DeleteResource(c, &api.DeleteResourceRequest{RestApiId: &id, ResourceId: &root}), "BadRequestException 400: Root resource cannot be deleted."},
		{"slash", create(root, "a/b"), badPart},
		{"nothing", create(root, ""), "BadRequestException 400: Resource's path part must be specified"},
		{"half a variable", create(root, "a{b}"), badPart},
		{"empty variable", create(root, "{}"), badPart},
		{"empty greedy variable", create(root, "{+}"), badPart},
		{"open brace", create(root, "{a"), badPart},
		{"variable twice", create(root, "{id}"), "BadRequestException 400: A sibling ({proxy+}) of this resource already has a variable path part -- only one is allowed"},
		{"the same variable", create(root, "{proxy+}"), "ConflictException 409: Another resource with the same parent already has this name: {proxy+}"},
		{"name taken", create(root, "pets"), "ConflictException 409: Another resource with the same parent already has this name: pets"},
		{"renamed to a second variable", one(g.UpdateResource(c, &api.UpdateResourceRequest{RestApiId: &id, ResourceId: &pets, PatchOperations: patch("replace", "/pathPart", "{id}")})), "BadRequestException 400: A sibling ({proxy+}) of this resource already has a variable path part -- only one is allowed"},
		{"moved to nowhere", one(g.UpdateResource(c, &api.UpdateResourceRequest{RestApiId: &id, ResourceId: &pets, PatchOperations: patch("replace", "/parentId", "nope")})), "NotFoundException 404: Invalid Resource identifier specified"},
		{"unknown path", one(g.UpdateResource(c, &api.UpdateResourceRequest{RestApiId: &id, ResourceId: &pets, PatchOperations: patch("replace", "/path", "x")})), "BadRequestException 400: Invalid patch path  '/path' specified for op 'replace'. Must be one of: [/parentId, /pathPart]"},
		{"unknown operation", one(g.UpdateResource(c, &api.UpdateResourceRequest{RestApiId: &id, ResourceId: &pets, PatchOperations: patch("add", "/pathPart", "x")})), "BadRequestException 400: Invalid patch path  '/pathPart' specified for op 'add'. Please choose supported operations"},
	})
	// What begins with the last letter is no variable.
	if err := create(root, "zebra"); err != nil {
		t.Error(err)
	}
	if err := create(pets, "zz"); err != nil {
		t.Error(err)
	}
	if err := create(pets, "{id}"); err != nil {
		t.Error(err)
	}
	for _, part := range []string{"a.b", "a-b_c", "a:b", "~x"} {
		want := "<nil>"
		if part == "~x" {
			want = badPart
		}
		if got := describeError(create(root, part)); got != want {
			t.Errorf("%s: %s", part, got)
		}
	}
}
