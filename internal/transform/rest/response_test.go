package rest

import (
	"errors"
	"strings"
	"testing"

	"github.com/dlclark/regexp2/v2"

	"gatehouse/internal/plan"
)

func answered(t *testing.T, o ResponseOptions, x *plan.Exchange) error {
	t.Helper()
	m, err := NewResponse(o)
	if err != nil {
		t.Fatal(err)
	}
	return m.Map(x)
}

func TestPassBack(t *testing.T) {
	backend := plan.Headers{
		{Name: "Date", Value: "d"}, {Name: "Server", Value: "s"}, {Name: "Via", Value: "v"}, {Name: "Content-Encoding", Value: "gzip"},
		{Name: "x-amzn-RequestId", Value: "r"}, {Name: "WWW-Authenticate", Value: "Basic"}, {Name: "X-Own", Value: "1"}, {Name: "Transfer-Encoding", Value: "x"},
	}
	for _, test := range []struct {
		name string
		kind Kind
		want string
	}{
		{"HTTP_PROXY", HTTPProxy, "x-amzn-Remapped-Date: d\nx-amzn-Remapped-Server: s\nContent-Encoding: gzip\nx-amzn-Remapped-x-amzn-RequestId: r\nx-amzn-Remapped-WWW-Authenticate: Basic\nX-Own: 1\nContent-Type: application/json\n"},
		{"AWS_PROXY", AWSProxy, "x-amzn-Remapped-Date: d\nx-amzn-Remapped-Server: s\nVia: v\nContent-Encoding: gzip\nx-amzn-Remapped-x-amzn-RequestId: r\nx-amzn-Remapped-WWW-Authenticate: Basic\nX-Own: 1\nContent-Type: application/json\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := exchange("GET", "/", "", "")
			x.Response.Headers = append(plan.Headers(nil), backend...)
			if err := answered(t, ResponseOptions{Kind: test.kind}, x); err != nil || lines(x.Response.Headers) != test.want {
				t.Errorf("%v\n%s", err, lines(x.Response.Headers))
			}
		})
	}
}

func TestSelection(t *testing.T) {
	responses := []IntegrationResponse{
		{Status: 200},
		{Status: 400, Pattern: `4\d{2}`},
		{Status: 401, Pattern: `.*Unauthorized.*`},
		{Status: 500, Pattern: `.+`},
	}
	for _, test := range []struct {
		name      string
		kind      Kind
		status    int
		selection string
		failed    bool
		want      int
	}{
		{"a status that matches", HTTP, 404, "", false, 400},
		{"the whole text must match", Mock, 4040, "", false, 500},
		{"a function's success matches nothing", AWS, 200, "", false, 200},
		{"a function's error", AWS, 200, "is Unauthorized!", true, 401},
		{"a line end defeats the dot", AWS, 200, "two\nlines", true, 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := exchange("GET", "/", "", "")
			x.Integration.Status, x.Integration.Selection, x.Integration.Failed = test.status, test.selection, test.failed
			if err := answered(t, ResponseOptions{Kind: test.kind, Responses: responses}, x); err != nil || x.Response.Status != test.want {
				t.Errorf("%d, %v, want %d", x.Response.Status, err, test.want)
			}
		})
	}
	x := exchange("GET", "/", "", "")
	x.Integration.Status = 302
	var fault *plan.Fault
	if err := answered(t, ResponseOptions{Kind: HTTP, Responses: responses[1:2]}, x); !errors.As(err, &fault) || fault.Kind != plan.ConfigurationError {
		t.Errorf("no match and no default: %v", err)
	}
	if err := answered(t, ResponseOptions{Kind: HTTP, Responses: []IntegrationResponse{{Status: 200, Undeclared: true}}}, x); !errors.As(err, &fault) || fault.Kind != plan.ConfigurationError {
		t.Errorf("no method response: %v", err)
	}
	// What keeps a pattern busy doesn't become a success.
	defer regexp2.StopTimeoutClock()
	x.Integration.Selection, x.Integration.Failed = strings.Repeat("a", 5_000), true
	busy := []IntegrationResponse{{Status: 200}, {Status: 400, Pattern: `(?=a)(a+)+b`}}
	if err := answered(t, ResponseOptions{Kind: AWS, Responses: busy}, x); !errors.As(err, &fault) || !strings.Contains(fault.Reason, "too long") {
		t.Errorf("a pattern that doesn't end: %v", err)
	}
}

func TestErrorMessage(t *testing.T) {
	for _, test := range []struct {
		name, body, path string
		failed           bool
		want             string
	}{
		{"the text", `{"errorMessage":"gone"}`, "errorMessage", true, "gone"},
		{"JSON in the text", `{"errorMessage":"{\"a\":{\"b\":[1,\"x\"]}}"}`, "errorMessage.a.b[1]", true, "x"},
		{"an object in the text", `{"errorMessage":"{\"a\":{\"b\":1}}"}`, "errorMessage.a", true, `{"b":1}`},
		{"an object", `{"errorMessage":{"a":2}}`, "errorMessage.a", true, "2"},
		{"no JSON", `{"errorMessage":"a"}`, "errorMessage.a", true, ""},
		{"no error", `{"errorMessage":"{\"a\":1}"}`, "errorMessage.a", false, ""},
		{"another member", `{"x":"{\"a\":1}"}`, "x.a", true, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := exchange("GET", "/", "", "")
			x.Integration.Failed, x.Integration.Selection = test.failed, "failed"
			x.Response.Body = []byte(test.body)
			err := answered(t, ResponseOptions{Kind: AWS, Responses: []IntegrationResponse{{
				Status: 200, Parameters: map[string]string{"method.response.header.X": "integration.response.body." + test.path},
			}}}, x)
			if got := x.Response.Headers.Get("X"); err != nil || got != test.want {
				t.Errorf("%q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestResponseHeaders(t *testing.T) {
	x := exchange("GET", "/", "", "")
	x.Integration.Status = 200
	x.Response.Headers = plan.Headers{{Name: "X-Back", Value: "1"}, {Name: "x-back", Value: "2"}, {Name: "Content-Type", Value: "text/html"}}
	x.Response.Body = []byte("<p>")
	err := answered(t, ResponseOptions{Kind: HTTP, Variables: x.Stage.Variables, Responses: []IntegrationResponse{{Status: 201, Parameters: map[string]string{
		"method.response.header.X-Last":            "integration.response.header.X-Back",
		"method.response.header.X-All":             "integration.response.multivalueheader.X-Back",
		"method.response.header.Content-Length":    "'7'",
		"method.response.header.Date":              "'today'",
		"method.response.header.Via":               "'me'",
		"method.response.header.X-Body":            "integration.response.body",
		"method.response.header.X-Var":             "stageVariables.v",
		"method.response.header.X-None":            "integration.response.header.None",
		"method.response.header.Transfer-Encoding": "'chunked'",
	}}}}, x)
	want := "x-amzn-Remapped-Content-Length: 7\nx-amzn-Remapped-Date: today\nVia: me\nX-All: 1,2\nX-Body: <p>\nX-Last: 2\nX-Var: stage value\nContent-Type: application/json\n"
	if got := lines(x.Response.Headers); err != nil || got != want || x.Response.Status != 201 || string(x.Response.Body) != "<p>" {
		t.Errorf("%d %q %v\n%swant\n%s", x.Response.Status, x.Response.Body, err, got, want)
	}
}

func TestResponseContent(t *testing.T) {
	for _, test := range []struct {
		payload, accept, handling, body, want string
		fails                                 bool
	}{
		{"text/plain", "", "", "a", "a", false},
		{"text/plain", "image/png", "", "YQ==", "a", false},
		{"text/plain", "image/png", "", "!", "", true},
		{"text/plain", "image/png", "CONVERT_TO_TEXT", "YQ==", "YQ==", false},
		{"text/plain", "", "CONVERT_TO_BINARY", "YQ==", "a", false},
		{"image/png", "", "", "a", "YQ==", false},
		{"image/png", "text/plain, image/png", "", "a", "YQ==", false},
		{"image/png", "image/png;q=1, text/plain", "", "\xff", "\xff", false},
		{"image/png", "image/png", "CONVERT_TO_TEXT", "a", "YQ==", false},
		{"image/png", "", "CONVERT_TO_BINARY", "\xff", "\xff", false},
	} {
		t.Run(test.payload+" for "+test.accept+" "+test.handling, func(t *testing.T) {
			x := exchange("GET", "/", "", "", plan.Header{Name: "Accept", Value: test.accept})
			x.Response.Headers, x.Response.Body = plan.Headers{{Name: "content-type", Value: test.payload}}, []byte(test.body)
			err := answered(t, ResponseOptions{Kind: HTTP, Responses: []IntegrationResponse{{Status: 200, Handling: ParseHandling(test.handling)}}}, x)
			if (err != nil) != test.fails || err == nil && string(x.Response.Body) != test.want {
				t.Errorf("%q, %v", x.Response.Body, err)
			}
		})
	}
}

func TestResponseTemplateChoice(t *testing.T) {
	templates := map[string]string{"application/json": "json", "application/xml": "xml"}
	for _, test := range []struct {
		accept    string
		templates map[string]string
		body, typ string
	}{
		{"", templates, "json", "application/json"},
		{"application/xml;q=0.9, application/json", templates, "xml", "application/xml"},
		{"text/html", templates, "json", "application/json"},
		{"text/html", map[string]string{"text/csv": "csv"}, "csv", "text/csv"},
		{"", map[string]string{"application/json": ""}, "backend", "application/json"},
		{"", nil, "backend", "application/json"},
	} {
		x := exchange("GET", "/", "", "", plan.Header{Name: "Accept", Value: test.accept})
		x.Response.Body = []byte("backend")
		err := answered(t, ResponseOptions{Kind: HTTP, Responses: []IntegrationResponse{{Status: 200, Templates: test.templates}}}, x)
		if err != nil || string(x.Response.Body) != test.body || x.Response.Headers.Get("content-type") != test.typ {
			t.Errorf("%q with %v: %q %q %v", test.accept, test.templates, x.Response.Body, x.Response.Headers.Get("content-type"), err)
		}
	}
	x := exchange("GET", "/", "", "")
	x.Response.Body = []byte("the client's own")
	if err := answered(t, ResponseOptions{Kind: Mock, Responses: []IntegrationResponse{{Status: 200}}}, x); err != nil || len(x.Response.Body) != 0 {
		t.Errorf("a mock without a template answered %q, %v", x.Response.Body, err)
	}
}

func TestResponseOverrides(t *testing.T) {
	x := exchange("GET", "/", "", "")
	x.Overrides.Set(plan.ResponseMembers, plan.Override{Name: "status", Value: "444"})
	x.Overrides.Set(plan.ResponseHeader, plan.Override{Name: "X-Mapped", Value: "overridden"})
	err := answered(t, ResponseOptions{Kind: Mock, Responses: []IntegrationResponse{{Status: 200, Parameters: map[string]string{"method.response.header.X-Mapped": "'mapped'"}}}}, x)
	if err != nil || x.Response.Status != 444 || x.Response.Headers.Get("x-mapped") != "overridden" {
		t.Errorf("%d %s %v", x.Response.Status, lines(x.Response.Headers), err)
	}
}
