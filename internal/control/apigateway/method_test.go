package apigateway_test

import (
	"context"
	"errors"
	"testing"

	api "gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// A methods is a gateway with an API whose root has the methods of a test.
type methods struct {
	*serving
	id, root string
}

func newMethods(t testing.TB) *methods {
	g := newServing(t)
	id, root := g.api()
	g.mock(id, root, "GET")
	at := store.Scope{Account: "000000000000", Region: "us-east-1"}
	if err := g.store.Update(context.Background(), func(tx *store.Tx) error {
		authorizer := func(id, kind string) *definition.RestAuthorizer {
			return &definition.RestAuthorizer{Authorizer: api.Authorizer{Id: &id, Name: &id, Type: &kind}}
		}
		return errors.Join(
			definition.RestAuthorizers.Put(tx, at, authorizer("token1", "TOKEN"), id, "token1"),
			definition.RestAuthorizers.Put(tx, at, authorizer("pool01", "COGNITO_USER_POOLS"), id, "pool01"),
			definition.RequestValidators.Put(tx, at, &definition.RequestValidator{RequestValidator: api.RequestValidator{Id: new("valid1")}}, id, "valid1"),
		)
	}); err != nil {
		t.Fatal(err)
	}
	return &methods{g, id, root}
}

func (m *methods) put(in api.PutMethodRequest) error {
	in.RestApiId, in.ResourceId = &m.id, &m.root
	in.HttpMethod = orPointer(in.HttpMethod, "POST")
	in.AuthorizationType = orPointer(in.AuthorizationType, "NONE")
	return one(m.PutMethod(m.call(), &in))
}

func (m *methods) update(method string, ops ...api.PatchOperation) error {
	return one(m.UpdateMethod(m.call(), &api.UpdateMethodRequest{RestApiId: &m.id, ResourceId: &m.root, HttpMethod: &method, PatchOperations: ops}))
}

func (m *methods) get(method string) *api.Method {
	m.t.Helper()
	return must[*api.Method](m.t)(m.GetMethod(m.call(), &api.GetMethodRequest{RestApiId: &m.id, ResourceId: &m.root, HttpMethod: &method}))
}

func orPointer(p *string, d string) *string {
	if p == nil {
		return &d
	}
	return p
}

func TestMethodUpdates(t *testing.T) {
	g := newMethods(t)
	if err := g.put(api.PutMethodRequest{HttpMethod: new("POST"), AuthorizationType: new("aws_iam"), RequestParameters: map[string]bool{}, OperationName: new(""), RequestValidatorId: new("")}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name string
		ops  []api.PatchOperation
		want string
	}{
		{"as put", nil, `{"apiKeyRequired": false, "authorizationType": "AWS_IAM", "httpMethod": "POST"}`},
		{"add", patch("add", "/requestParameters/method.request.querystring.q", "true", "add", "/requestModels/application~1json", "Empty"),
			`{"apiKeyRequired": false, "authorizationType": "AWS_IAM", "httpMethod": "POST", "requestParameters": {"method.request.querystring.q": true}, "requestModels": {"application/json": "Empty"}}`},
		{"replace", patch("replace", "/apiKeyRequired", "true", "replace", "/operationName", "op", "replace", "/requestValidatorId", "valid1", "replace", "/requestParameters/method.request.querystring.q", "false"),
			`{"apiKeyRequired": true, "authorizationType": "AWS_IAM", "httpMethod": "POST", "operationName": "op", "requestValidatorId": "valid1", "requestParameters": {"method.request.querystring.q": false}, "requestModels": {"application/json": "Empty"}}`},
		{"authorizer", patch("replace", "/authorizationType", "CUSTOM", "replace", "/authorizerId", "token1"),
			`{"apiKeyRequired": true, "authorizationType": "CUSTOM", "authorizerId": "token1", "httpMethod": "POST", "operationName": "op", "requestValidatorId": "valid1", "requestParameters": {"method.request.querystring.q": false}, "requestModels": {"application/json": "Empty"}}`},
		{"unset", append(patch("remove", "/requestParameters/method.request.querystring.q", "false", "remove", "/requestModels/application~1json", "", "replace", "/operationName", "", "replace", "/apiKeyRequired", "whatever"),
			api.PatchOperation{Op: new("replace"), Path: new("/requestValidatorId")}),
			`{"apiKeyRequired": false, "authorizationType": "CUSTOM", "authorizerId": "token1", "httpMethod": "POST"}`},
		{"scopes", patch("replace", "/authorizationType", "COGNITO_USER_POOLS", "replace", "/authorizerId", "pool01", "add", "/authorizationScopes", "a", "add", "/authorizationScopes", "b", "remove", "/authorizationScopes", "a"),
			`{"apiKeyRequired": false, "authorizationType": "COGNITO_USER_POOLS", "authorizerId": "pool01", "authorizationScopes": ["b"], "httpMethod": "POST"}`},
		{"no authorizer without its type", patch("replace", "/authorizationType", "NONE", "remove", "/authorizationScopes", "b", "replace", "/authorizerId", "abc123"),
			`{"apiKeyRequired": false, "authorizationType": "NONE", "httpMethod": "POST"}`},
	} {
		if err := g.update("POST", step.ops...); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		sameJSON(t, step.name, g.get("POST"), step.want)
	}
	if err := g.DeleteMethod(g.call(), &api.DeleteMethodRequest{RestApiId: &g.id, ResourceId: &g.root, HttpMethod: new("POST")}); err != nil {
		t.Error(err)
	}
	sameJSON(t, "what is left", must[*api.Resource](t)(g.GetResource(g.call(), &api.GetResourceRequest{RestApiId: &g.id, ResourceId: &g.root})), `{"id": "`+g.root+`", "path": "/", "resourceMethods": {"GET": {}}}`)
}

func TestMethodRefusals(t *testing.T) {
	g := newMethods(t)
	c := g.call()
	const noAuthorizer = "BadRequestException 400: Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer."
	get := func(api_, resource, method string) error {
		return one(g.GetMethod(c, &api.GetMethodRequest{RestApiId: &api_, ResourceId: &resource, HttpMethod: &method}))
	}
	checkRefusals(t, []refusal{
		{"unknown API", get("nope", g.root, "GET"), "NotFoundException 404: Invalid Resource identifier specified"},
		{"unknown resource", get(g.id, "nope", "GET"), "NotFoundException 404: Invalid Resource identifier specified"},
		{"unknown method", get(g.id, g.root, "HEAD"), "NotFoundException 404: Invalid Method identifier specified"},
		{"deleting an unknown method", g.DeleteMethod(c, &api.DeleteMethodRequest{RestApiId: &g.id, ResourceId: &g.root, HttpMethod: new("HEAD")}), "NotFoundException 404: Invalid Method identifier specified"},
		{"no method", g.put(api.PutMethodRequest{HttpMethod: new("TEST")}), "BadRequestException 400: Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY"},
		{"method twice", g.put(api.PutMethodRequest{HttpMethod: new("GET")}), "ConflictException 409: Method already exists for this resource"},
		{"no authorization", g.put(api.PutMethodRequest{AuthorizationType: new("BASIC")}), "BadRequestException 400: Invalid authorization type specified. Valid options are NONE,AWS_IAM,CUSTOM,COGNITO_USER_POOLS"},
		{"no authorizer", g.put(api.PutMethodRequest{AuthorizationType: new("CUSTOM")}), noAuthorizer},
		{"unknown authorizer", g.put(api.PutMethodRequest{AuthorizationType: new("CUSTOM"), AuthorizerId: new("nope")}), noAuthorizer},
		{"authorizer of another kind", g.put(api.PutMethodRequest{AuthorizationType: new("COGNITO_USER_POOLS"), AuthorizerId: new("token1")}), noAuthorizer},
		{"pool for a function", g.put(api.PutMethodRequest{AuthorizationType: new("CUSTOM"), AuthorizerId: new("pool01")}), noAuthorizer},
		{"unknown validator", g.put(api.PutMethodRequest{RequestValidatorId: new("nope")}), "BadRequestException 400: Invalid Request Validator identifier specified"},
		{"unknown model", g.put(api.PutMethodRequest{RequestModels: map[string]string{"application/json": "petModel"}}), "BadRequestException 400: Invalid model identifier specified: petModel"},
		{"parameter", g.put(api.PutMethodRequest{RequestParameters: map[string]bool{"method.request.cookie.c": true}}), "BadRequestException 400: Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: method.request.cookie.c]"},
		{"parameters of one name", g.put(api.PutMethodRequest{RequestParameters: map[string]bool{"method.request.header.a": true, "method.request.querystring.a": true}}), "BadRequestException 400: Parameter names must be unique across querystring, header and path"},
		{"add of what is replaced", g.update("GET", patch("add", "/operationName", "x")...), "BadRequestException 400: Invalid patch operation specified. Must be one of: [replace]"},
		{"no such path", g.update("GET", patch("replace", "/httpMethod", "PUT")...), "BadRequestException 400: Invalid patch path /httpMethod"},
		{"parameters without a name", g.update("GET", patch("replace", "/requestParameters", "x")...), "BadRequestException 400: Invalid patch path /requestParameters"},
		{"unescaped media type", g.update("GET", patch("add", "/requestModels/application/json", "Empty")...), "BadRequestException 400: Invalid patch path /requestModels/application/json"},
		{"no such parameter", g.update("GET", patch("remove", "/requestParameters/method.request.header.a", "")...), "NotFoundException 404: Invalid parameter name specified"},
		{"type without an authorizer", g.update("GET", patch("replace", "/authorizationType", "CUSTOM")...), noAuthorizer},
		{"half of it done", g.update("GET", patch("replace", "/operationName", "x", "replace", "/requestValidatorId", "nope")...), "BadRequestException 400: Invalid Request Validator identifier specified"},
		{"update of an unknown method", g.update("HEAD"), "NotFoundException 404: Invalid Method identifier specified"},
	})
	if name := g.get("GET").OperationName; name != nil {
		t.Errorf("an update that was refused left operationName %s", *name)
	}
}

func TestMethodResponses(t *testing.T) {
	g := newMethods(t)
	c := g.call()
	put := func(in api.PutMethodResponseRequest) (*api.MethodResponse, error) {
		in.RestApiId, in.ResourceId, in.HttpMethod, in.StatusCode = &g.id, &g.root, new("GET"), orPointer(in.StatusCode, "200")
		return g.PutMethodResponse(c, &in)
	}
	update := func(status string, triples ...string) (*api.MethodResponse, error) {
		return g.UpdateMethodResponse(c, &api.UpdateMethodResponseRequest{RestApiId: &g.id, ResourceId: &g.root, HttpMethod: new("GET"), StatusCode: &status, PatchOperations: patch(triples...)})
	}
	sameJSON(t, "empty maps are kept", must[*api.MethodResponse](t)(put(api.PutMethodResponseRequest{ResponseModels: map[string]string{}, ResponseParameters: map[string]bool{}})),
		`{"statusCode": "200", "responseModels": {}, "responseParameters": {}}`)
	sameJSON(t, "get", must[*api.MethodResponse](t)(g.GetMethodResponse(c, &api.GetMethodResponseRequest{RestApiId: &g.id, ResourceId: &g.root, HttpMethod: new("GET"), StatusCode: new("200")})),
		`{"statusCode": "200", "responseModels": {}, "responseParameters": {}}`)
	sameJSON(t, "add", must[*api.MethodResponse](t)(update("200", "add", "/responseParameters/method.response.header.x", "true", "add", "/responseModels/application~1json", "Empty")),
		`{"statusCode": "200", "responseModels": {"application/json": "Empty"}, "responseParameters": {"method.response.header.x": true}}`)
	sameJSON(t, "remove", must[*api.MethodResponse](t)(update("200", "remove", "/responseParameters/method.response.header.x", "", "remove", "/responseModels/application~1json", "")),
		`{"statusCode": "200"}`)
	checkRefusals(t, []refusal{
		{"twice", one(put(api.PutMethodResponseRequest{})), "ConflictException 409: Response already exists for this resource"},
		{"unknown model", one(put(api.PutMethodResponseRequest{StatusCode: new("201"), ResponseModels: map[string]string{"a/b": "nope"}})), "BadRequestException 400: Invalid model identifier specified: nope"},
		{"parameter", one(put(api.PutMethodResponseRequest{StatusCode: new("201"), ResponseParameters: map[string]bool{"x": true}})), "BadRequestException 400: Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: x]"},
		{"unknown status", one(update("404")), "NotFoundException 404: Invalid Response status code specified"},
		{"replacing no parameter", one(update("200", "replace", "/responseParameters/wrong", "true")), "NotFoundException 404: Invalid parameter name specified"},
		{"removing no parameter", one(update("200", "remove", "/responseParameters/wrong", "true")), "NotFoundException 404: Invalid parameter name specified"},
		{"replacing no model", one(update("200", "replace", "/responseModels/wrong", "Empty")), "NotFoundException 404: Content-Type specified was not found"},
		{"removing no model", one(update("200", "remove", "/responseModels/wrong", "Empty")), "NotFoundException 404: Content-Type specified was not found"},
		{"path", one(update("200", "remove", "/wrong/method.response.header.my-header", "true")), "BadRequestException 400: Invalid patch path /wrong/method.response.header.my-header"},
	})
	in := &api.DeleteMethodResponseRequest{RestApiId: &g.id, ResourceId: &g.root, HttpMethod: new("GET"), StatusCode: new("200")}
	if err := g.DeleteMethodResponse(c, in); err != nil {
		t.Error(err)
	}
	if got := describeError(g.DeleteMethodResponse(c, in)); got != "NotFoundException 404: Invalid Response status code specified" {
		t.Errorf("deleting twice: %s", got)
	}
}
