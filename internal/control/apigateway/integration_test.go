package apigateway_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/compile"
	control "gatehouse/internal/control/apigateway"
)

const (
	functionURI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:hello/invocations"
	aRole       = "arn:aws:iam::000000000000:role/gateway"
)

func (m *methods) integrate(in api.PutIntegrationRequest) (*api.Integration, error) {
	in.RestApiId, in.ResourceId, in.HttpMethod = &m.id, &m.root, orPointer(in.HttpMethod, "GET")
	return m.PutIntegration(m.call(), &in)
}

func (m *methods) updateIntegration(ops ...api.PatchOperation) (*api.Integration, error) {
	return m.UpdateIntegration(m.call(), &api.UpdateIntegrationRequest{RestApiId: &m.id, ResourceId: &m.root, HttpMethod: new("GET"), PatchOperations: ops})
}

func (m *methods) respond(in api.PutIntegrationResponseRequest) (*api.IntegrationResponse, error) {
	in.RestApiId, in.ResourceId, in.HttpMethod, in.StatusCode = &m.id, &m.root, orPointer(in.HttpMethod, "GET"), orPointer(in.StatusCode, "200")
	return m.PutIntegrationResponse(m.call(), &in)
}

func TestIntegrationDefaults(t *testing.T) {
	g := newMethods(t)
	for _, test := range []struct {
		name string
		in   api.PutIntegrationRequest
		want string
	}{
		{"mock has neither URI nor method", api.PutIntegrationRequest{Type: new("MOCK"), Uri: new("http://h"), IntegrationHttpMethod: new("POST"), ConnectionType: new("INTERNET")},
			`{"cacheKeyParameters": [], "cacheNamespace": "` + g.root + `", "passthroughBehavior": "WHEN_NO_MATCH", "timeoutInMillis": 29000, "type": "MOCK"}`},
		{"HTTP has a connection", api.PutIntegrationRequest{Type: new("HTTP"), Uri: new("http://h"), IntegrationHttpMethod: new("POST"), Credentials: new(""), ConnectionId: new(""), ContentHandling: new("")},
			`{"cacheKeyParameters": [], "cacheNamespace": "` + g.root + `", "connectionType": "INTERNET", "httpMethod": "POST", "passthroughBehavior": "WHEN_NO_MATCH", "timeoutInMillis": 29000, "type": "HTTP", "uri": "http://h"}`},
		{"all that is given", api.PutIntegrationRequest{Type: new("HTTP_PROXY"), Uri: new("https://${stageVariables.host}/{p}"), IntegrationHttpMethod: new("ANY"), PassthroughBehavior: new("NEVER"), TimeoutInMillis: new(int32(50)),
			CacheNamespace: new("shared"), ContentHandling: new("CONVERT_TO_TEXT"), TlsConfig: &api.TlsConfig{InsecureSkipVerification: new(true)}, ResponseTransferMode: new("BUFFERED"),
			RequestParameters: map[string]string{"integration.request.header.x": "'literal'", "integration.request.path.p": "context.requestId", "integration.request.querystring.q": "stageVariables.v"},
			RequestTemplates:  map[string]string{"$default": "{}", "application/json": ""}, CacheKeyParameters: []string{"integration.request.path.p"}},
			`{"cacheKeyParameters": ["integration.request.path.p"], "cacheNamespace": "shared", "connectionType": "INTERNET", "contentHandling": "CONVERT_TO_TEXT", "httpMethod": "ANY", "passthroughBehavior": "NEVER",
			"requestParameters": {"integration.request.header.x": "'literal'", "integration.request.path.p": "context.requestId", "integration.request.querystring.q": "stageVariables.v"},
			"requestTemplates": {"$default": "{}", "application/json": ""}, "responseTransferMode": "BUFFERED", "timeoutInMillis": 50, "tlsConfig": {"insecureSkipVerification": true}, "type": "HTTP_PROXY", "uri": "https://${stageVariables.host}/{p}"}`},
		{"a function", api.PutIntegrationRequest{Type: new("AWS_PROXY"), Uri: new(functionURI), IntegrationHttpMethod: new("POST"), Credentials: new("arn:aws:iam::*:user/*")},
			`{"cacheKeyParameters": [], "cacheNamespace": "` + g.root + `", "credentials": "arn:aws:iam::*:user/*", "httpMethod": "POST", "passthroughBehavior": "WHEN_NO_MATCH", "timeoutInMillis": 29000, "type": "AWS_PROXY", "uri": "` + functionURI + `"}`},
		{"a link", api.PutIntegrationRequest{Type: new("HTTP_PROXY"), Uri: new("http://h"), IntegrationHttpMethod: new("GET"), ConnectionType: new("VPC_LINK"), ConnectionId: new("${stageVariables.link}")},
			`{"cacheKeyParameters": [], "cacheNamespace": "` + g.root + `", "connectionId": "${stageVariables.link}", "connectionType": "VPC_LINK", "httpMethod": "GET", "passthroughBehavior": "WHEN_NO_MATCH", "timeoutInMillis": 29000, "type": "HTTP_PROXY", "uri": "http://h"}`},
		{"a stream", api.PutIntegrationRequest{Type: new("HTTP_PROXY"), Uri: new("${stageVariables.url}"), IntegrationHttpMethod: new("GET"), ResponseTransferMode: new("STREAM"), TimeoutInMillis: new(int32(900_000))},
			`{"cacheKeyParameters": [], "cacheNamespace": "` + g.root + `", "connectionType": "INTERNET", "httpMethod": "GET", "passthroughBehavior": "WHEN_NO_MATCH", "responseTransferMode": "STREAM", "timeoutInMillis": 900000, "type": "HTTP_PROXY", "uri": "${stageVariables.url}"}`},
	} {
		got, err := g.integrate(test.in)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		sameJSON(t, test.name, got, test.want)
		sameJSON(t, test.name+", read", must[*api.Integration](t)(g.GetIntegration(g.call(), &api.GetIntegrationRequest{RestApiId: &g.id, ResourceId: &g.root, HttpMethod: new("GET")})), test.want)
	}
}

func TestIntegrationUpdates(t *testing.T) {
	g := newMethods(t)
	if err := g.put(api.PutMethodRequest{RequestParameters: map[string]bool{"method.request.querystring.q": false, "method.request.path.p": true}}); err != nil {
		t.Fatal(err)
	}
	if err := g.update("GET", patch("add", "/requestParameters/method.request.querystring.q", "false", "add", "/requestParameters/method.request.path.p", "true")...); err != nil {
		t.Fatal(err)
	}
	must[*api.Integration](t)(g.integrate(api.PutIntegrationRequest{Type: new("HTTP"), Uri: new("http://h"), IntegrationHttpMethod: new("GET"), CacheKeyParameters: []string{"method.request.querystring.q", "method.request.path.p"},
		RequestParameters: map[string]string{"integration.request.path.p": "method.request.path.p", "integration.request.querystring.q": "method.request.multivaluequerystring.q"}}))
	must[*api.IntegrationResponse](t)(g.respond(api.PutIntegrationResponseRequest{}))
	const rest = `"cacheNamespace": "shared", "connectionType": "INTERNET", "httpMethod": "GET", "passthroughBehavior": "WHEN_NO_MATCH", "type": "HTTP", "uri": "http://g", "integrationResponses": {"200": {"statusCode": "200"}}`
	sameJSON(t, "updated", must[*api.Integration](t)(g.updateIntegration(patch("replace", "/uri", "http://g", "replace", "/timeoutInMillis", "100", "replace", "/cacheNamespace", "shared", "replace", "/contentHandling", "",
		"add", "/requestTemplates/application~1json", "{}", "remove", "/cacheKeyParameters/method.request.path.p", "", "replace", "/tlsConfig/insecureSkipVerification", "false",
		"remove", "/requestParameters/integration.request.querystring.q", "", "replace", "/requestParameters/integration.request.path.p", "method.request.body.p")...)),
		`{"cacheKeyParameters": ["method.request.querystring.q"], "requestParameters": {"integration.request.path.p": "method.request.body.p"}, "requestTemplates": {"application/json": "{}"}, "timeoutInMillis": 100, "tlsConfig": {"insecureSkipVerification": false}, `+rest+`}`)
	// A parameter that is replaced is no cache key any more; Terraform makes it
	// one again, or sends no operation at all.
	if err := g.update("GET", patch("replace", "/requestParameters/method.request.querystring.q", "true")...); err != nil {
		t.Error(err)
	}
	const after = `"requestParameters": {"integration.request.path.p": "method.request.body.p"}, "requestTemplates": {"application/json": "{}"}, "timeoutInMillis": 100, "tlsConfig": {"insecureSkipVerification": false}, ` + rest + `}`
	sameJSON(t, "no operation", must[*api.Integration](t)(g.updateIntegration()), `{"cacheKeyParameters": [], `+after)
	sameJSON(t, "cache key again", must[*api.Integration](t)(g.updateIntegration(patch("add", "/cacheKeyParameters/method.request.querystring.q", "")...)), `{"cacheKeyParameters": ["method.request.querystring.q"], `+after)
	// What was mapped stays good when its parameter goes.
	must[*api.Integration](t)(g.updateIntegration(patch("replace", "/requestParameters/integration.request.path.p", "method.request.path.p")...))
	if err := g.update("GET", patch("remove", "/requestParameters/method.request.path.p", "")...); err != nil {
		t.Error(err)
	}
	must[*api.Integration](t)(g.updateIntegration())
	must[*api.Integration](t)(g.updateIntegration(patch("replace", "/uri", "http://i")...))
	// A new integration has no responses.
	sameJSON(t, "put again", must[*api.Integration](t)(g.integrate(api.PutIntegrationRequest{Type: new("MOCK")})), `{"cacheKeyParameters": [], "cacheNamespace": "`+g.root+`", "passthroughBehavior": "WHEN_NO_MATCH", "timeoutInMillis": 29000, "type": "MOCK"}`)
	in := &api.DeleteIntegrationRequest{RestApiId: &g.id, ResourceId: &g.root, HttpMethod: new("GET")}
	if err := g.DeleteIntegration(g.call(), in); err != nil {
		t.Error(err)
	}
	if got := describeError(g.DeleteIntegration(g.call(), in)); got != "NotFoundException 404: Invalid Integration identifier specified" {
		t.Errorf("deleting twice: %s", got)
	}
}

func TestIntegrationRefusals(t *testing.T) {
	g := newMethods(t)
	if err := g.put(api.PutMethodRequest{RequestParameters: map[string]bool{"method.request.querystring.q": false}}); err != nil {
		t.Fatal(err)
	}
	put := func(change func(in *api.PutIntegrationRequest)) error {
		in := api.PutIntegrationRequest{HttpMethod: new("POST"), Type: new("HTTP"), Uri: new("http://h"), IntegrationHttpMethod: new("GET")}
		change(&in)
		return one(g.integrate(in))
	}
	aws := func(kind, uri string) error {
		return put(func(in *api.PutIntegrationRequest) { in.Type, in.Uri = &kind, &uri })
	}
	maps := func(to, from string) error {
		return put(func(in *api.PutIntegrationRequest) { in.RequestParameters = map[string]string{to: from} })
	}
	update := func(triples ...string) error { return one(g.updateIntegration(patch(triples...)...)) }
	const (
		http      = "BadRequestException 400: Invalid HTTP endpoint specified for URI"
		noPath    = "BadRequestException 400: AWS ARN for integration must contain path or action"
		noProxy   = "BadRequestException 400: Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations."
		timeout   = "BadRequestException 400: Timeout should be between 50 ms and 29000 ms"
		mapping   = "BadRequestException 400: Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: "
		parameter = "BadRequestException 400: Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: "
		noMethod  = "NotFoundException 404: Invalid Method identifier specified"
	)
	checkRefusals(t, []refusal{
		{"unknown method", put(func(in *api.PutIntegrationRequest) { in.HttpMethod = new("HEAD") }), noMethod},
		{"no method of its own", put(func(in *api.PutIntegrationRequest) { in.IntegrationHttpMethod = nil }), "BadRequestException 400: Enumeration value for HttpMethod must be non-empty"},
		{"no such method", put(func(in *api.PutIntegrationRequest) { in.IntegrationHttpMethod = new("FETCH") }), "BadRequestException 400: Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY"},
		{"no URI", put(func(in *api.PutIntegrationRequest) { in.Uri = nil }), http},
		{"another scheme", put(func(in *api.PutIntegrationRequest) { in.Uri = new("ftp://h") }), http},
		{"no host", put(func(in *api.PutIntegrationRequest) { in.Uri = new("http:///x") }), http},
		{"no ARN", aws("AWS", "http://h"), "BadRequestException 400: Invalid ARN specified in the request"},
		{"a role's ARN", aws("AWS", aRole), noPath},
		{"neither path nor action", aws("AWS", "arn:aws:apigateway:us-east-1:s3:pathology/b"), noPath},
		{"proxy of another service", aws("AWS_PROXY", "arn:aws:apigateway:us-east-1:s3:path/b/k"), noProxy},
		{"proxy of another action", aws("AWS_PROXY", "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions"), noProxy},
		{"credentials of any account", put(func(in *api.PutIntegrationRequest) { in.Credentials = new("arn:aws:iam::${stageVariables.a}:role/r") }), "BadRequestException 400: Invalid ARN specified in the request"},
		{"credentials that may be anything", put(func(in *api.PutIntegrationRequest) { in.Credentials = new("${stageVariables.role}") }), "BadRequestException 400: Invalid ARN specified in the request"},
		{"credentials of a user", put(func(in *api.PutIntegrationRequest) { in.Credentials = new("arn:aws:iam::000000000000:user/u") }), "BadRequestException 400: Invalid ARN specified in the request"},
		{"link without an id", put(func(in *api.PutIntegrationRequest) { in.ConnectionType = new("VPC_LINK") }), "BadRequestException 400: Connection ID must be specified for connection type VPC_LINK"},
		{"TLS of a function", put(func(in *api.PutIntegrationRequest) {
			in.Type, in.Uri, in.TlsConfig = new("AWS"), new(functionURI), &api.TlsConfig{InsecureSkipVerification: new(true)}
		}), "BadRequestException 400: TLS configuration is only supported for integrations of type HTTP and HTTP_PROXY"},
		{"passthrough", put(func(in *api.PutIntegrationRequest) { in.PassthroughBehavior = new("ALWAYS") }), "BadRequestException 400: Invalid passthroughBehavior specified. Valid options are WHEN_NO_MATCH,WHEN_NO_TEMPLATES,NEVER"},
		{"short timeout", put(func(in *api.PutIntegrationRequest) { in.TimeoutInMillis = new(int32(49)) }), timeout},
		{"long timeout", put(func(in *api.PutIntegrationRequest) { in.TimeoutInMillis = new(int32(29_001)) }), timeout},
		{"stream of what isn't passed through", put(func(in *api.PutIntegrationRequest) { in.ResponseTransferMode = new("STREAM") }), "BadRequestException 400: Response transfer mode STREAM is only supported for integrations of type HTTP_PROXY and AWS_PROXY"},
		{"cache key", put(func(in *api.PutIntegrationRequest) {
			in.CacheKeyParameters = []string{"method.request.querystring.other"}
		}), "BadRequestException 400: Invalid cache key parameter specified"},
		{"media type", put(func(in *api.PutIntegrationRequest) { in.RequestTemplates = map[string]string{"123": "{}"} }), "BadRequestException 400: Validation Result: warnings : [], errors : [Invalid content type specified: 123]"},
		{"template", put(func(in *api.PutIntegrationRequest) {
			in.RequestTemplates = map[string]string{"application/json": "#if($a)"}
		}), "BadRequestException 400: mapping template for application/json: …"},
		{"mapped to nothing", maps("integration.request.cookie.c", "'x'"), "BadRequestException 400: Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: integration.request.cookie.c]"},
		{"mapped from nothing", maps("integration.request.header.h", "true"), mapping + "true]"},
		{"mapped from an open quote", maps("integration.request.header.h", "'x"), mapping + "'x]"},
		{"mapped from another parameter", maps("integration.request.header.h", "method.request.header.q"), parameter + "method.request.header.q]"},
		{"mapped from no parameter", maps("integration.request.header.h", "method.request.querystring.other"), parameter + "method.request.querystring.other]"},
		{"update of a method without one", one(g.UpdateIntegration(g.call(), &api.UpdateIntegrationRequest{RestApiId: &g.id, ResourceId: &g.root, HttpMethod: new("POST")})), "NotFoundException 404: Invalid Integration identifier specified"},
		{"update of an unknown method", one(g.UpdateIntegration(g.call(), &api.UpdateIntegrationRequest{RestApiId: &g.id, ResourceId: &g.root, HttpMethod: new("HEAD")})), noMethod},
		{"timeout that is no number", update("replace", "/timeoutInMillis", "soon"), timeout},
		{"type", update("replace", "/type", "AWS"), "BadRequestException 400: Invalid patch path /type"},
		{"content handling", update("replace", "/contentHandling", "CONVERT"), "BadRequestException 400: Invalid contentHandling specified. Valid options are CONVERT_TO_BINARY,CONVERT_TO_TEXT"},
		{"connection", func() error {
			must[*api.Integration](t)(g.integrate(api.PutIntegrationRequest{Type: new("HTTP"), Uri: new("http://h"), IntegrationHttpMethod: new("GET")}))
			return update("replace", "/connectionType", "WIRE")
		}(), "BadRequestException 400: Invalid connectionType specified. Valid options are INTERNET,VPC_LINK"},
		{"transfer mode", update("replace", "/responseTransferMode", "TRICKLE"), "BadRequestException 400: Invalid responseTransferMode specified. Valid options are BUFFERED,STREAM"},
		{"update that maps from nothing", update("add", "/requestParameters/integration.request.header.h", "true"), mapping + "true]"},
	})
	// Ports and paths of a doubled slash are fine.
	for _, uri := range []string{"http://127.0.0.1:8080/a?b={c}", "https://h"} {
		if err := put(func(in *api.PutIntegrationRequest) { in.Uri = &uri }); err != nil {
			t.Errorf("%s: %v", uri, err)
		}
	}
	if err := aws("AWS_PROXY", "arn:aws:apigateway:us-east-1:lambda:path//2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:${stageVariables.f}/invocations"); err != nil {
		t.Error(err)
	}
}

func TestIntegrationResponses(t *testing.T) {
	g := newMethods(t)
	c := g.call()
	if err := g.put(api.PutMethodRequest{}); err != nil {
		t.Fatal(err)
	}
	must[*api.MethodResponse](t)(g.PutMethodResponse(c, &api.PutMethodResponseRequest{RestApiId: &g.id, ResourceId: &g.root, HttpMethod: new("GET"), StatusCode: new("200"), ResponseParameters: map[string]bool{"method.response.header.x": false}}))
	update := func(status string, triples ...string) (*api.IntegrationResponse, error) {
		return g.UpdateIntegrationResponse(c, &api.UpdateIntegrationResponseRequest{RestApiId: &g.id, ResourceId: &g.root, HttpMethod: new("GET"), StatusCode: &status, PatchOperations: patch(triples...)})
	}
	sameJSON(t, "put", must[*api.IntegrationResponse](t)(g.respond(api.PutIntegrationResponseRequest{SelectionPattern: new(""), ResponseTemplates: map[string]string{"application/json": "created"}, ContentHandling: new("")})),
		`{"statusCode": "200", "selectionPattern": "", "responseTemplates": {"application/json": "created"}}`)
	sameJSON(t, "update", must[*api.IntegrationResponse](t)(update("200", "replace", "/selectionPattern", "2\\d{2}", "add", "/responseParameters/method.response.header.x", "integration.response.header.y", "replace", "/contentHandling", "CONVERT_TO_TEXT")),
		`{"statusCode": "200", "selectionPattern": "2\\d{2}", "responseTemplates": {"application/json": "created"}, "responseParameters": {"method.response.header.x": "integration.response.header.y"}, "contentHandling": "CONVERT_TO_TEXT"}`)
	sameJSON(t, "overwritten", must[*api.IntegrationResponse](t)(g.respond(api.PutIntegrationResponseRequest{ResponseTemplates: map[string]string{}, ResponseParameters: map[string]string{"method.response.header.x": "integration.response.body.a"}})),
		`{"statusCode": "200", "responseTemplates": {}, "responseParameters": {"method.response.header.x": "integration.response.body.a"}}`)
	sameJSON(t, "pattern emptied", must[*api.IntegrationResponse](t)(update("200", "replace", "/selectionPattern", "", "remove", "/responseParameters/method.response.header.x", "")), `{"statusCode": "200", "selectionPattern": "", "responseTemplates": {}}`)
	sameJSON(t, "get", must[*api.IntegrationResponse](t)(g.GetIntegrationResponse(c, &api.GetIntegrationResponseRequest{RestApiId: &g.id, ResourceId: &g.root, HttpMethod: new("GET"), StatusCode: new("200")})), `{"statusCode": "200", "selectionPattern": "", "responseTemplates": {}}`)
	remove := func(api_, resource, method, status string) error {
		return g.DeleteIntegrationResponse(c, &api.DeleteIntegrationResponseRequest{RestApiId: &api_, ResourceId: &resource, HttpMethod: &method, StatusCode: &status})
	}
	const (
		noResource    = "NotFoundException 404: Invalid Resource identifier specified"
		noIntegration = "NotFoundException 404: Invalid Integration identifier specified"
		noResponse    = "NotFoundException 404: Invalid Response status code specified"
	)
	checkRefusals(t, []refusal{
		{"unknown method", one(g.respond(api.PutIntegrationResponseRequest{HttpMethod: new("HEAD")})), "NotFoundException 404: Invalid Method identifier specified"},
		{"no integration", one(g.respond(api.PutIntegrationResponseRequest{HttpMethod: new("POST")})), noIntegration},
		{"get without an integration", one(g.GetIntegrationResponse(c, &api.GetIntegrationResponseRequest{RestApiId: &g.id, ResourceId: &g.root, HttpMethod: new("POST"), StatusCode: new("200")})), noIntegration},
		{"unknown status", one(update("404")), noResponse},
		{"media type", one(g.respond(api.PutIntegrationResponseRequest{ResponseTemplates: map[string]string{"123": ""}})), "BadRequestException 400: Validation Result: warnings : [], errors : [Invalid content type specified: 123]"},
		{"a header the method doesn't have", one(g.respond(api.PutIntegrationResponseRequest{ResponseParameters: map[string]string{"method.response.header.z": "'z'"}})), "BadRequestException 400: Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: method.response.header.z]"},
		{"a status the method doesn't have", one(g.respond(api.PutIntegrationResponseRequest{StatusCode: new("201"), ResponseParameters: map[string]string{"method.response.header.x": "'z'"}})), "BadRequestException 400: Invalid mapping expression specified: Validation Result: warnings : [], errors : [No method response exists for method.]"},
		{"mapped from a request", one(g.respond(api.PutIntegrationResponseRequest{ResponseParameters: map[string]string{"method.response.header.x": "method.request.header.y"}})), "BadRequestException 400: Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: method.request.header.y]"},
		{"pattern", one(g.respond(api.PutIntegrationResponseRequest{SelectionPattern: new("(")})), "BadRequestException 400: Invalid selection pattern specified: (…"},
		{"template", one(update("200", "add", "/responseTemplates/a~1b", "#foreach(")), "BadRequestException 400: mapping template for a/b: …"},
		{"deleted of an unknown API", remove("nope", g.root, "GET", "200"), noResource},
		{"deleted of an unknown resource", remove(g.id, "nope", "GET", "200"), noResource},
		{"deleted of an unknown method", remove(g.id, g.root, "HEAD", "200"), noIntegration},
		{"deleted without an integration", remove(g.id, g.root, "POST", "200"), noIntegration},
		{"unknown status deleted", remove(g.id, g.root, "GET", "201"), noResponse},
		{"deleted", remove(g.id, g.root, "GET", "200"), "<nil>"},
		{"deleted twice", remove(g.id, g.root, "GET", "200"), noResponse},
	})
}

// An operator may let integrations take longer, as AWS does on request.
func TestLongerTimeouts(t *testing.T) {
	g := newGateway(t)
	g.Service = control.New(control.Options{
		Store: g.store, Compiler: compile.New(compile.Options{}), Keys: g.keys, Rand: rand.NewChaCha8([32]byte{2}), MaxTimeout: time.Minute,
	})
	apiID, rootID := g.api()
	must[*api.Method](t)(g.PutMethod(g.call(), &api.PutMethodRequest{RestApiId: &apiID, ResourceId: &rootID, HttpMethod: new("GET"), AuthorizationType: new("NONE")}))
	put := func(ms int32) (*api.Integration, error) {
		return g.PutIntegration(g.call(), &api.PutIntegrationRequest{
			RestApiId: &apiID, ResourceId: &rootID, HttpMethod: new("GET"), Type: new("MOCK"), TimeoutInMillis: &ms,
		})
	}
	if ms := *must[*api.Integration](t)(put(60_000)).TimeoutInMillis; ms != 60_000 {
		t.Error(ms)
	}
	if _, err := put(60_001); err == nil || !strings.Contains(err.Error(), "between 50 ms and 60000 ms") {
		t.Error(err)
	}
}
