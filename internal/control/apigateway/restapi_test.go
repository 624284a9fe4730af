package apigateway_test

import (
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/apigateway"
)

func (g *gateway) updateAPI(id string, ops ...api.PatchOperation) (*api.RestApi, error) {
	return g.UpdateRestApi(g.call(), &api.UpdateRestApiRequest{RestApiId: &id, PatchOperations: ops})
}

// without is an API's answer without what differs from run to run.
func without(a *api.RestApi) *api.RestApi {
	view := *a
	view.Id, view.RootResourceId, view.CreatedDate, view.ApiStatus = nil, nil, nil, nil
	return &view
}

func TestRestAPIDefaults(t *testing.T) {
	g := newServing(t)
	for _, test := range []struct {
		name string
		in   api.CreateRestApiRequest
		want string
	}{
		{"only a name", api.CreateRestApiRequest{}, `{"apiKeySource": "HEADER", "disableExecuteApiEndpoint": false, "endpointConfiguration": {"ipAddressType": "ipv4", "types": ["EDGE"]}, "name": "n"}`},
		{"nothing binary", api.CreateRestApiRequest{BinaryMediaTypes: []string{}, Version: new(""), Policy: new("")}, `{"apiKeySource": "HEADER", "disableExecuteApiEndpoint": false, "endpointConfiguration": {"ipAddressType": "ipv4", "types": ["EDGE"]}, "name": "n"}`},
		{"private", api.CreateRestApiRequest{EndpointConfiguration: &api.EndpointConfiguration{Types: []string{"PRIVATE"}, VpcEndpointIds: []string{"vpce-1"}}}, `{"apiKeySource": "HEADER", "disableExecuteApiEndpoint": false, "endpointConfiguration": {"ipAddressType": "dualstack", "types": ["PRIVATE"], "vpcEndpointIds": ["vpce-1"]}, "name": "n"}`},
		{"all that is given", api.CreateRestApiRequest{Description: new("d"), Version: new("v1"), ApiKeySource: new("AUTHORIZER"), DisableExecuteApiEndpoint: new(true), MinimumCompressionSize: new(int32(0)),
			BinaryMediaTypes: []string{"image/png"}, EndpointConfiguration: &api.EndpointConfiguration{Types: []string{"REGIONAL"}, IpAddressType: new("dualstack")}, Tags: map[string]string{"a": "b"}},
			`{"apiKeySource": "AUTHORIZER", "binaryMediaTypes": ["image/png"], "description": "d", "disableExecuteApiEndpoint": true, "endpointConfiguration": {"ipAddressType": "dualstack", "types": ["REGIONAL"]},
			"minimumCompressionSize": 0, "name": "n", "tags": {"a": "b"}, "version": "v1"}`},
	} {
		test.in.Name = new("n")
		a := must[*api.RestApi](t)(g.CreateRestApi(g.call(), &test.in))
		sameJSON(t, test.name, without(a), test.want)
		if len(*a.Id) != 10 || len(*a.RootResourceId) != 10 || a.CreatedDate == nil {
			t.Errorf("%s: %+v", test.name, a)
		}
		answer := must[*api.RestApi](t)(g.GetRestApi(g.call(), &api.GetRestApiRequest{RestApiId: a.Id}))
		read := without(answer)
		if read.Tags == nil {
			t.Errorf("%s: read, it doesn't show that it has no tags", test.name)
		}
		if answer.ApiStatus == nil || *answer.ApiStatus != "AVAILABLE" {
			t.Errorf("%s: its status is %v", test.name, answer.ApiStatus)
		}
		if len(read.Tags) == 0 {
			read.Tags = nil
		}
		sameJSON(t, test.name+", read", read, test.want)
	}
	if n := len(must[*api.RestApis](t)(g.GetRestApis(g.call(), &api.GetRestApisRequest{Limit: new(int32(3))})).Items); n != 3 {
		t.Errorf("a page of 3 has %d", n)
	}
}

func TestRestAPIUpdates(t *testing.T) {
	g := newServing(t)
	id, _ := g.api()
	const rest = `"apiKeySource": "HEADER", "disableExecuteApiEndpoint": false, "tags": {}`
	for _, step := range []struct {
		name string
		ops  []api.PatchOperation
		want string
	}{
		{"no operation", nil, `{"name": "pets", "endpointConfiguration": {"ipAddressType": "ipv4", "types": ["EDGE"]}, ` + rest + `}`},
		{"media types", patch("add", "/binaryMediaTypes/image~1png", "", "add", "/binaryMediaTypes/image~1jpeg", "", "replace", "/binaryMediaTypes/image~1png", "image/gif", "replace", "/description", "d"),
			`{"name": "pets", "description": "d", "binaryMediaTypes": ["image/jpeg", "image/gif"], "endpointConfiguration": {"ipAddressType": "ipv4", "types": ["EDGE"]}, ` + rest + `}`},
		{"fewer", patch("remove", "/binaryMediaTypes/image~1gif", "", "remove", "/description", "", "replace", "/minimumCompressionSize", "10", "replace", "/name", "dogs", "replace", "/version", "v2"),
			`{"name": "dogs", "version": "v2", "binaryMediaTypes": ["image/jpeg"], "minimumCompressionSize": 10, "endpointConfiguration": {"ipAddressType": "ipv4", "types": ["EDGE"]}, ` + rest + `}`},
		{"private", append(patch("replace", "/endpointConfiguration/types/0", "EDGE", "replace", "/endpointConfiguration/types/EDGE", "PRIVATE", "add", "/endpointConfiguration/vpcEndpointIds", "vpce-1", "add", "/endpointConfiguration/vpcEndpointIds", "vpce-2",
			"remove", "/endpointConfiguration/vpcEndpointIds", "vpce-1", "remove", "/binaryMediaTypes/image~1jpeg", "", "replace", "/version", ""), api.PatchOperation{Op: new("replace"), Path: new("/minimumCompressionSize")}),
			`{"name": "dogs", "endpointConfiguration": {"ipAddressType": "dualstack", "types": ["PRIVATE"], "vpcEndpointIds": ["vpce-2"]}, ` + rest + `}`},
		{"regional", patch("replace", "/endpointConfiguration/types/PRIVATE", "REGIONAL", "replace", "/endpointConfiguration/ipAddressType", "ipv4"),
			`{"name": "dogs", "endpointConfiguration": {"ipAddressType": "ipv4", "types": ["REGIONAL"]}, ` + rest + `}`},
		{"who is asked for keys", patch("replace", "/apiKeySource", "AUTHORIZER", "replace", "/disableExecuteApiEndpoint", "true"),
			`{"name": "dogs", "endpointConfiguration": {"ipAddressType": "ipv4", "types": ["REGIONAL"]}, "apiKeySource": "AUTHORIZER", "disableExecuteApiEndpoint": true, "tags": {}}`},
	} {
		sameJSON(t, step.name, without(must[*api.RestApi](t)(g.updateAPI(id, step.ops...))), step.want)
		sameJSON(t, step.name+", read", without(must[*api.RestApi](t)(g.GetRestApi(g.call(), &api.GetRestApiRequest{RestApiId: &id}))), step.want)
	}
}

func TestRestAPIRefusals(t *testing.T) {
	g := newServing(t)
	id, _ := g.api()
	c := g.call()
	create := func(in api.CreateRestApiRequest) error {
		in.Name = orPointer(in.Name, "n")
		return one(g.CreateRestApi(c, &in))
	}
	update := func(triples ...string) error { return one(g.updateAPI(id, patch(triples...)...)) }
	endpoint := func(ip string, types ...string) error {
		e := &api.EndpointConfiguration{Types: append([]string{}, types...)}
		if ip != "" {
			e.IpAddressType = &ip
		}
		return create(api.CreateRestApiRequest{EndpointConfiguration: e})
	}
	const (
		compression = "BadRequestException 400: Invalid minimum compression size, must be between 0 and 10485760"
		onlyReplace = "BadRequestException 400: Invalid patch operation specified. Must be one of: [replace]"
		dualstack   = "BadRequestException 400: Only dualstack ipAddressType is supported for Private APIs."
		policy      = "BadRequestException 400: Invalid policy document. Please check the policy syntax and ensure that Principals are valid."
	)
	must[*api.RestApi](t)(g.CreateRestApi(c, &api.CreateRestApiRequest{Name: new("mine"), Tags: map[string]string{"_custom_id_": "mine"}}))
	checkRefusals(t, []refusal{
		{"unknown", one(g.GetRestApi(c, &api.GetRestApiRequest{RestApiId: new("nope")})), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"ids are what they are", one(g.GetRestApi(c, &api.GetRestApiRequest{RestApiId: new(strings.ToUpper(id))})), "NotFoundException 404: Invalid API identifier specified 000000000000:" + strings.ToUpper(id)},
		{"deleting an unknown one", g.DeleteRestApi(c, &api.DeleteRestApiRequest{RestApiId: new("nope")}), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"updating an unknown one", one(g.updateAPI("nope")), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"cloning an unknown one", create(api.CreateRestApiRequest{CloneFrom: new("nope")}), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"empty description", create(api.CreateRestApiRequest{Description: new(""), EndpointConfiguration: &api.EndpointConfiguration{Types: []string{"EDGE", "REGIONAL"}}}), "BadRequestException 400: Description cannot be an empty string"},
		{"empty name", create(api.CreateRestApiRequest{Name: new("")}), "BadRequestException 400: API name cannot be an empty string"},
		{"no type", endpoint(""), "BadRequestException 400: REGIONAL Configuration and EDGE Configuration cannot be both DISABLED."},
		{"two types", endpoint("", "EDGE", "REGIONAL"), "BadRequestException 400: Cannot create an api with multiple Endpoint Types."},
		{"private and ipv4", endpoint("ipv4", "PRIVATE"), dualstack},
		{"compression", create(api.CreateRestApiRequest{MinimumCompressionSize: new(int32(10<<20 + 1))}), compression},
		{"id taken", create(api.CreateRestApiRequest{Tags: map[string]string{"_custom_id_": "mine"}}), "ConflictException 409: The API identifier mine given by the tag _custom_id_ is already in use"},
		{"no id", create(api.CreateRestApiRequest{Tags: map[string]string{"_custom_id_": "My API"}}), "BadRequestException 400: Invalid value for the tag _custom_id_…"},
		{"reserved tag", create(api.CreateRestApiRequest{Tags: map[string]string{"aws:x": "y"}}), "BadRequestException 400: Tag keys beginning with aws: are reserved: aws:x"},
		{"policy that is no JSON", create(api.CreateRestApiRequest{Policy: new("{")}), policy},
		{"policy without statements", create(api.CreateRestApiRequest{Policy: new(`{"Version": "2012-10-17"}`)}), policy},
		{"policy that is patched", update("replace", "/policy", "nope"), policy},
		{"compression below zero", update("replace", "/minimumCompressionSize", "-1"), compression},
		{"compression of a text", update("replace", "/minimumCompressionSize", "test"), compression},
		{"compression added", update("add", "/minimumCompressionSize", "10"), onlyReplace},
		{"media types as a whole", update("add", "/binaryMediaTypes", "image/png"), "BadRequestException 400: Invalid patch path /binaryMediaTypes"},
		{"id", update("replace", "/id", "x"), "BadRequestException 400: Invalid patch path /id"},
		{"unknown type", update("replace", "/endpointConfiguration/types/0", "wrong"), "BadRequestException 400: Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE"},
		{"type removed", update("remove", "/endpointConfiguration/types/0", "EDGE"), "BadRequestException 400: Invalid patch operation specified. Must be 'add'|'remove'|'replace'"},
		{"address type", update("replace", "/endpointConfiguration/ipAddressType", "wrong"), "BadRequestException 400: ipAddressType must be either ipv4 or dualstack."},
		{"address type removed", update("remove", "/endpointConfiguration/ipAddressType", "dualstack"), onlyReplace},
		{"private and ipv4, patched", update("replace", "/endpointConfiguration/types/0", "PRIVATE", "replace", "/endpointConfiguration/ipAddressType", "ipv4"), dualstack},
		{"endpoints of what isn't private", update("add", "/endpointConfiguration/vpcEndpointIds", "vpce-1"), "BadRequestException 400: VPC endpoint IDs can only be specified for Private APIs."},
		{"key source", update("replace", "/apiKeySource", "COOKIE"), "BadRequestException 400: Invalid API key source specified. Valid options are HEADER,AUTHORIZER"},
	})
}

// A policy is answered as the inside of a JSON string, with full ARNs.
func TestRestAPIPolicy(t *testing.T) {
	g := newServing(t)
	id, _ := g.api()
	const policy = `{ "Version": "2012-10-17",  "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": ["execute-api:/*", "arn:aws:execute-api:*:*:*/dev/*"]}] }`
	arns := `arn:aws:execute-api:us-east-1:000000000000:` + id
	want := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":["` + arns + `/*","arn:aws:execute-api:*:*:*/dev/*"]}]}`
	shown := strings.NewReplacer(`"`, `\"`, `/`, `\/`).Replace(want)
	for _, p := range []string{policy, want} {
		a := must[*api.RestApi](t)(g.updateAPI(id, patch("replace", "/policy", p)...))
		if *a.Policy != shown {
			t.Errorf("policy:\n%s\nwant\n%s", *a.Policy, shown)
		}
		sameJSON(t, "as JSON", want, `"`+*a.Policy+`"`)
	}
	// It isn't escaped more with every update.
	if a := must[*api.RestApi](t)(g.updateAPI(id, patch("replace", "/description", "d")...)); *a.Policy != shown {
		t.Errorf("after another update: %s", *a.Policy)
	}
	if a := must[*api.RestApi](t)(g.updateAPI(id, patch("replace", "/policy", "")...)); a.Policy != nil {
		t.Errorf("after it was emptied: %s", *a.Policy)
	}
	for name, wrong := range map[string]string{
		"no principal":           `{"Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}]}`,
		"nobody's principal":     `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"someone"},"Action":"execute-api:Invoke","Resource":"*"}]}`,
		"no effect":              `{"Statement":[{"Principal":"*","Action":"execute-api:Invoke","Resource":"*"}]}`,
		"an operator of no kind": `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"*","Condition":{"Alike":{"aws:SourceIp":"1"}}}]}`,
		"no document":            `"x"`,
	} {
		if _, err := g.updateAPI(id, patch("replace", "/policy", wrong)...); err == nil || !strings.Contains(err.Error(), "Invalid policy document. Please check the policy syntax and ensure that Principals are valid.") {
			t.Errorf("%s: %v", name, err)
		}
	}
	a := must[*api.RestApi](t)(g.CreateRestApi(g.call(), &api.CreateRestApiRequest{Name: new("n"), Policy: new(policy)}))
	if !strings.Contains(*a.Policy, `us-east-1:000000000000:`+*a.Id+`\/*`) {
		t.Errorf("of a new API: %s", *a.Policy)
	}
}

func TestCloneRestAPI(t *testing.T) {
	g := newServing(t)
	id, root := g.api()
	g.mock(id, g.resource(id, root, "pets"), "GET")
	must[*api.RestApi](t)(g.updateAPI(id, patch("add", "/binaryMediaTypes/image~1png", "")...))
	g.deploy(id, "dev")
	clone := *must[*api.RestApi](t)(g.CreateRestApi(g.call(), &api.CreateRestApiRequest{Name: new("clone"), CloneFrom: &id})).Id
	if got := strings.Join(g.paths(clone, 10), " "); got != "/ /pets" {
		t.Errorf("resources of a clone: %s", got)
	}
	if n := len(must[*api.Stages](t)(g.GetStages(g.call(), &api.GetStagesRequest{RestApiId: &clone})).Item); n != 0 {
		t.Errorf("a clone has %d stages", n)
	}
	// It is an API of its own.
	g.deploy(clone, "dev")
	if err := g.DeleteRestApi(g.call(), &api.DeleteRestApiRequest{RestApiId: &id}); err != nil {
		t.Error(err)
	}
	if got := g.routes(clone, "dev", "/pets"); got != "/pets: /pets" {
		t.Errorf("a clone serves %s", got)
	}
}

// Nothing of an API is left when it is gone, and its id is free.
func TestDeleteRestAPI(t *testing.T) {
	g := newServing(t)
	a := must[*api.RestApi](t)(g.CreateRestApi(g.call(), &api.CreateRestApiRequest{Name: new("n"), Tags: map[string]string{"_custom_id_": "gone-soon"}}))
	g.mock(*a.Id, g.resource(*a.Id, *a.RootResourceId, "pets"), "GET")
	first := g.deploy(*a.Id, "dev")
	g.mock(*a.Id, *a.RootResourceId, "GET")
	g.deploy(*a.Id, "prod")
	if got := g.routes("gone-soon", "dev", "/pets", "/"); got != "/pets: /pets, /: none" {
		t.Errorf("before: %s, deployment %s", got, first)
	}
	if err := g.DeleteRestApi(g.call(), &api.DeleteRestApiRequest{RestApiId: a.Id}); err != nil {
		t.Fatal(err)
	}
	if got := g.routes("gone-soon", "dev", "/pets"); got != "no API" {
		t.Errorf("after: %s", got)
	}
	must[*api.RestApi](t)(g.CreateRestApi(g.call(), &api.CreateRestApiRequest{Name: new("n"), Tags: map[string]string{"_custom_id_": "gone-soon"}}))
	if got := strings.Join(g.paths("gone-soon", 10), " "); got != "/" {
		t.Errorf("a new API of that id has %s", got)
	}
}
