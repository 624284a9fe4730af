package rest

import (
	"errors"
	"strings"
	"testing"

	"gatehouse/internal/plan"
)

// selecting is a selector of a known text.
type selecting string

func (s selecting) Select(*plan.Exchange) string { return string(s) }

// socketExchange is an event of a WebSocket API's connection.
func socketExchange(event plan.SocketEvent, body string) *plan.Exchange {
	api := &plan.API{ID: "a1", AccountID: "000000000000", Region: "us-east-1", Protocol: plan.WebSocket}
	x := &plan.Exchange{API: api, Stage: &plan.Stage{API: api, Name: "live", Variables: map[string]string{"env": "prod"}, Socket: &plan.SocketStage{}}}
	x.Route = &plan.Route{Key: "join", Socket: &plan.SocketRoute{}}
	x.Socket = &plan.Socket{Event: event, ConnectionID: "R1kmxc2VNjMCFIA="}
	x.RequestID = "id"
	x.Request.Body = []byte(body)
	return x
}

func TestRouteRequest(t *testing.T) {
	declared := map[string]bool{"route.request.header.Auth": true, "route.request.querystring.q": false, "route.request.header.Many": false}
	parameters := map[string]string{
		"integration.request.header.X-Auth":      "route.request.header.Auth",
		"integration.request.header.X-Other":     "route.request.header.Other",
		"integration.request.header.X-Many":      "route.request.multivalueheader.Many",
		"integration.request.header.X-Id":        "context.requestId",
		"integration.request.header.X-Env":       "stageVariables.env",
		"integration.request.header.X-Room":      "route.request.body.room",
		"integration.request.querystring.q":      "route.request.multivaluequerystring.q",
		"integration.request.querystring.plain":  "'a b'",
		"integration.request.querystring.absent": "route.request.querystring.absent",
	}
	for _, test := range []struct {
		name  string
		event plan.SocketEvent
		body  string
		want  string
	}{
		{"a handshake", plan.SocketConnect, "", "X-Auth=secret X-Env=prod X-Id=id X-Many=1,2 ?plain=a%20b&q=1&q=2"},
		{"a message", plan.SocketMessage, `{"room":"r"}`, "X-Env=prod X-Id=id X-Room=r ?plain=a%20b"},
		{"a disconnect", plan.SocketDisconnect, "", "X-Env=prod X-Id=id ?plain=a%20b"},
	} {
		r, err := NewRequest(RequestOptions{Kind: AWS, Parameters: parameters, Variables: map[string]string{"env": "prod"}, Route: &RouteOptions{Parameters: declared}})
		if err != nil {
			t.Fatal(err)
		}
		x := socketExchange(test.event, test.body)
		if test.event == plan.SocketConnect {
			x.Request.Query = "q=1&q=2&absent=3"
			x.Request.Headers = plan.Headers{{Name: "auth", Value: "secret"}, {Name: "Other", Value: "o"}, {Name: "many", Value: "1"}, {Name: "Many", Value: "2"}}
		}
		if err := r.Map(x); err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		var got strings.Builder
		for _, h := range x.Mapped.Headers {
			got.WriteString(h.Name + "=" + h.Value + " ")
		}
		got.WriteString("?" + x.Mapped.Query)
		if got.String() != test.want {
			t.Errorf("%s: %s, want %s", test.name, got.String(), test.want)
		}
	}
}

func TestRouteExpressions(t *testing.T) {
	for _, expression := range []string{"method.request.header.x", "route.request.path.x", "route.request.other.x", "$request.body.x", "", "context."} {
		_, err := NewRequest(RequestOptions{Kind: HTTP, Parameters: map[string]string{"integration.request.header.x": expression}, Route: &RouteOptions{}})
		var refused *ExpressionError
		if !errors.As(err, &refused) {
			t.Errorf("%q: %v", expression, err)
		}
	}
}

func TestRouteTemplates(t *testing.T) {
	templates := map[string]string{"one": "first $input.path('$.x')", "Two": "second", "empty": "", "$default": "neither"}
	only := map[string]string{"one": "first"}
	for _, test := range []struct {
		name        string
		templates   map[string]string
		selects     plan.Selector
		passthrough Passthrough
		want        string
	}{
		{"selected", templates, selecting("one"), WhenNoMatch, "first 1"},
		{"another", templates, selecting("Two"), WhenNoMatch, "second"},
		{"keys have a case", templates, selecting("two"), WhenNoMatch, "neither"},
		{"an empty one passes the message", templates, selecting("empty"), WhenNoMatch, `{"x":1}`},
		{"none of the name", templates, selecting("three"), WhenNoMatch, "neither"},
		{"no expression", templates, nil, WhenNoMatch, "neither"},
		{"none at all", nil, nil, WhenNoMatch, `{"x":1}`},
		{"no match", only, selecting("two"), WhenNoMatch, `{"x":1}`},
		{"no match is refused", only, selecting("two"), WhenNoTemplates, "no mapping template"},
		{"no template passes", nil, selecting("two"), WhenNoTemplates, `{"x":1}`},
		{"nothing passes", nil, nil, Never, "no mapping template"},
		{"an empty default passes", map[string]string{"$default": ""}, nil, Never, `{"x":1}`},
	} {
		r, err := NewRequest(RequestOptions{Kind: HTTP, Templates: test.templates, Passthrough: test.passthrough, Route: &RouteOptions{Select: test.selects}})
		if err != nil {
			t.Fatal(err)
		}
		x := socketExchange(plan.SocketMessage, `{"x":1}`)
		got := ""
		var fault *plan.Fault
		if err := r.Map(x); errors.As(err, &fault) && fault.Kind == plan.UnsupportedMediaType {
			got = fault.Reason
		} else if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else {
			got = string(x.Mapped.Body)
		}
		if !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// CONVERT_TO_BINARY decodes what the client sent for the backend.
func TestRouteHandling(t *testing.T) {
	r, err := NewRequest(RequestOptions{Kind: HTTP, Handling: ToBinary, Route: &RouteOptions{}})
	if err != nil {
		t.Fatal(err)
	}
	x := socketExchange(plan.SocketMessage, "/wA=")
	if err := r.Map(x); err != nil || string(x.Mapped.Body) != "\xff\x00" {
		t.Errorf("%q, %v", x.Mapped.Body, err)
	}
	if err := r.Map(socketExchange(plan.SocketMessage, "?")); err == nil {
		t.Error("what isn't base64 was decoded")
	}
}

func TestRouteResponse(t *testing.T) {
	responses := []RouteResponse{
		{Key: "$default", Templates: map[string]string{"$default": "other"}},
		{Key: `/2\d\d/`, Templates: map[string]string{"$default": `good $input.path('$.a')`}},
		{Key: "/404/", Select: selecting("b"), Templates: map[string]string{"b": "gone", "$default": "wrong"}},
		{Key: "/.*bad.*/", Templates: map[string]string{"$default": "bad"}},
	}
	for _, test := range []struct {
		name             string
		kind             Kind
		responses        []RouteResponse
		status           int
		failed           string
		body, want       string
		answered, config bool
	}{
		{name: "by status", kind: HTTP, responses: responses, status: 201, body: `{"a":"b"}`, want: "201 good b"},
		{name: "another status", kind: HTTP, responses: responses, status: 404, want: "404 gone"},
		{name: "the default", kind: HTTP, responses: responses, status: 500, want: "500 other"},
		{name: "a mock", kind: Mock, responses: responses, status: 200, want: "200 good sent"},
		{name: "a mock without a template", kind: Mock, responses: []RouteResponse{{Key: "$default"}}, status: 200, want: "200 "},
		{name: "a function", kind: AWS, responses: responses, status: 200, want: "200 other"},
		{name: "a function's error", kind: AWS, responses: responses, status: 200, failed: "it is bad", want: "502 bad"},
		{name: "without a template", kind: HTTP, responses: []RouteResponse{{Key: "$default"}}, status: 200, body: "as it is", want: "200 as it is"},
		{name: "an override", kind: HTTP, responses: []RouteResponse{{Key: "$default", Templates: map[string]string{"$default": "#set($context.responseOverride.status = 403)no"}}}, status: 200, want: "403 no"},
		{name: "bytes as text", kind: HTTP, responses: []RouteResponse{{Key: "$default", Handling: ToText}}, status: 200, body: "\xff\x00", want: "200 /wA="},
		{name: "text as text", kind: HTTP, responses: []RouteResponse{{Key: "$default", Handling: ToText}}, status: 200, body: "text", want: "200 text"},
		{name: "bytes as they are", kind: HTTP, responses: []RouteResponse{{Key: "$default"}}, status: 200, body: "a\xffb", want: "200 a\uFFFDb"},
		{name: "base64", kind: HTTP, responses: []RouteResponse{{Key: "$default", Handling: ToBinary}}, status: 200, body: "dGV4dA==", want: "200 text"},
	} {
		m, err := NewRouteResponse(RouteResponseOptions{Kind: test.kind, Responses: test.responses})
		if err != nil {
			t.Fatal(err)
		}
		x := socketExchange(plan.SocketMessage, `{"a":"sent"}`)
		x.Integration.Status, x.Integration.Failed, x.Integration.Selection = test.status, test.failed != "", test.failed
		x.Response.Status, x.Response.Body = test.status, []byte(test.body)
		if err := m.Map(x); err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if got := string(appendInt(nil, int64(x.Response.Status))) + " " + string(x.Response.Body); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestRouteResponseWithoutAMatch(t *testing.T) {
	m, err := NewRouteResponse(RouteResponseOptions{Kind: HTTP, Responses: []RouteResponse{{Key: "/200/"}}})
	if err != nil {
		t.Fatal(err)
	}
	x := socketExchange(plan.SocketMessage, "")
	x.Integration.Status = 2000
	var fault *plan.Fault
	if err := m.Map(x); !errors.As(err, &fault) || fault.Kind != plan.ConfigurationError {
		t.Errorf("%v", err)
	}
	for _, kind := range []Kind{HTTPProxy, AWSProxy} {
		if m, err := NewRouteResponse(RouteResponseOptions{Kind: kind, Responses: []RouteResponse{{Key: "/(/"}}}); m != nil || err != nil {
			t.Errorf("a proxy's mapping: %v, %v", m, err)
		}
	}
	var bad *PatternError
	if _, err := NewRouteResponse(RouteResponseOptions{Kind: HTTP, Responses: []RouteResponse{{Key: "/(/"}}}); !errors.As(err, &bad) {
		t.Errorf("a broken pattern: %v", err)
	}
}

func TestRouteValidator(t *testing.T) {
	schemas := map[string]string{
		"Pet":   `{"type":"object","required":["name"],"properties":{"name":{"type":"string"}}}`,
		"Count": `{"type":"object","required":["count"]}`,
	}
	library := NewLibrary("a1", func(name string) (string, bool) { s, ok := schemas[name]; return s, ok })
	parameters := map[string]bool{"route.request.querystring.token": true, "route.request.header.X-A": true, "route.request.header.X-B": false}
	for _, test := range []struct {
		name    string
		options RouteValidatorOptions
		event   plan.SocketEvent
		body    string
		want    string
	}{
		{"fits", RouteValidatorOptions{Models: map[string]string{"$default": "Pet"}}, plan.SocketMessage, `{"name":"x"}`, ""},
		{"doesn't fit", RouteValidatorOptions{Models: map[string]string{"$default": "Pet"}}, plan.SocketMessage, `{"name":1}`, "the message doesn't match"},
		{"isn't JSON", RouteValidatorOptions{Models: map[string]string{"$default": "Pet"}}, plan.SocketMessage, `x`, "the message doesn't match"},
		{"selected", RouteValidatorOptions{Models: map[string]string{"$default": "Pet", "count": "Count"}, Select: selecting("count")}, plan.SocketMessage, `{"count":1}`, ""},
		{"selected and doesn't fit", RouteValidatorOptions{Models: map[string]string{"$default": "Pet", "count": "Count"}, Select: selecting("count")}, plan.SocketMessage, `{"name":"x"}`, "the message doesn't match"},
		{"the default", RouteValidatorOptions{Models: map[string]string{"$default": "Pet", "count": "Count"}, Select: selecting("other")}, plan.SocketMessage, `{"name":"x"}`, ""},
		{"none is selected", RouteValidatorOptions{Models: map[string]string{"count": "Count"}, Select: selecting("other")}, plan.SocketMessage, `{"count":1}`, "the message doesn't match"},
		{"nothing selects", RouteValidatorOptions{Models: map[string]string{"count": "Count"}}, plan.SocketMessage, `{"count":1}`, "the message doesn't match"},
		{"a parameter is missing", RouteValidatorOptions{Parameters: parameters}, plan.SocketConnect, "", "Missing required request parameters: [X-A]"},
	} {
		test.options.Library = library
		v, err := NewRouteValidator(test.options)
		if err != nil {
			t.Fatal(err)
		}
		x := socketExchange(test.event, test.body)
		x.Request.Query = "token=t"
		err = v.Validate(x)
		if (err == nil) != (test.want == "") || err != nil && !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	if v, err := NewRouteValidator(RouteValidatorOptions{Parameters: map[string]bool{"route.request.header.x": false}}); v != nil || err != nil {
		t.Errorf("nothing to check: %v, %v", v, err)
	}
	if _, err := NewRouteValidator(RouteValidatorOptions{Models: map[string]string{"$default": "Nope"}, Library: library}); err == nil {
		t.Error("a model that isn't there")
	}
}
