package rest

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"gatehouse/internal/plan"
)

// exchange makes a matched request of a stage with text and bytes.
func exchange(method, path, query, body string, headers ...plan.Header) *plan.Exchange {
	api := &plan.API{ID: "api1", AccountID: "123456789012", Region: "us-east-1", Protocol: plan.REST}
	x := &plan.Exchange{
		API:         api,
		Stage:       &plan.Stage{API: api, Name: "test", Variables: map[string]string{"v": "stage value"}, Rest: &plan.RestStage{BinaryTypes: plan.NewMediaTypes([]string{"image/*"})}},
		Route:       &plan.Route{Key: "ANY /pets/{id}/{rest+}", Path: "/pets/{id}/{rest+}", ParamNames: []string{"id", "rest"}, Greedy: true, Rest: &plan.Method{ResourceID: "res1"}},
		Params:      []string{"7%20a", "x/y%2Fz"},
		StagePath:   path,
		TraceHeader: "Root=1-5759e988-bd862e3fe1be46a994272793",
	}
	x.Request = plan.Request{Method: method, Path: path, Query: query, Headers: headers, LocalPort: 443, Secure: true}
	x.Request.Source = netip.MustParseAddrPort("203.0.113.9:1234")
	if body != "" {
		x.Request.BodyReader, x.Request.ContentLength = strings.NewReader(body), int64(len(body))
	}
	return x
}

func mapped(t *testing.T, o RequestOptions, x *plan.Exchange) error {
	t.Helper()
	r, err := NewRequest(o)
	if err != nil {
		t.Fatal(err)
	}
	return r.Map(x)
}

func lines(headers plan.Headers) string {
	var b strings.Builder
	for _, h := range headers {
		b.WriteString(h.Name + ": " + h.Value + "\n")
	}
	return b.String()
}

func TestRequestHeaders(t *testing.T) {
	client := []plan.Header{
		{Name: "Host", Value: "h"}, {Name: "Accept", Value: "a/b"}, {Name: "X-Two", Value: "1"}, {Name: "x-two", Value: "2"},
		{Name: "Connection", Value: "close, X-Hop"}, {Name: "X-Hop", Value: "1"}, {Name: "TE", Value: "trailers"},
		{Name: "Content-Encoding", Value: "br"}, {Name: "Authorization", Value: "AWS4-HMAC-SHA256 Credential=x"},
		{Name: "X-Forwarded-For", Value: "198.51.100.1"}, {Name: "Content-Type", Value: "text/plain"},
	}
	parameters := map[string]string{
		"integration.request.header.Accept":  "'text/html'",
		"integration.request.header.X-Last":  "method.request.header.x-two",
		"integration.request.header.X-All":   "method.request.multivalueheader.X-Two",
		"integration.request.header.X-Id":    "method.request.path.id",
		"integration.request.header.X-Stage": "stageVariables.v",
		"integration.request.header.X-None":  "method.request.header.None",
		"integration.request.header.X-TE":    "method.request.header.TE",
		"integration.request.header.X-Ctx":   "context.resourceId",
		"integration.request.header.TE":      "'dropped'",
		"integration.request.header.X-Body":  "method.request.body",
	}
	for _, test := range []struct {
		name string
		kind Kind
		want string
	}{
		{"proxy", HTTPProxy, "X-Two: 1\nx-two: 2\nContent-Type: text/plain\nX-Forwarded-For: 198.51.100.1, 203.0.113.9\nX-Forwarded-Port: 443\nX-Forwarded-Proto: https\n" +
			"Accept: text/html\nX-All: 1,2\nX-Body: {}\nX-Ctx: res1\nX-Id: 7 a\nX-Last: 2\nX-Stage: stage value\n"},
		{"not a proxy", HTTP, "User-Agent: AmazonAPIGateway_api1\nAccept: text/html\nX-All: 1,2\nX-Body: {}\nX-Ctx: res1\nX-Id: 7 a\nX-Last: 2\nX-Stage: stage value\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := exchange("GET", "/pets/7%20a/x/y%2Fz", "", "", client...)
			if err := mapped(t, RequestOptions{Kind: test.kind, Parameters: parameters, Variables: x.Stage.Variables}, x); err != nil {
				t.Fatal(err)
			}
			if got := lines(x.Mapped.Headers); got != test.want {
				t.Errorf("%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// A test comes from nobody, unless it says from whom.
func TestHeadersOfTests(t *testing.T) {
	for _, test := range []struct {
		client []plan.Header
		want   string
	}{
		{nil, ""},
		{[]plan.Header{{Name: "X-Forwarded-For", Value: "198.51.100.1"}}, "X-Forwarded-For: 198.51.100.1\nX-Mapped: 198.51.100.1\n"},
	} {
		x := exchange("GET", "/pets/7/x", "", "", test.client...)
		x.Request.Source, x.Request.SourceName = netip.AddrPort{}, "test-invoke-source-ip"
		parameters := map[string]string{
			"integration.request.header.X-Mapped": "method.request.header.X-Forwarded-For",
			"integration.request.header.X-Port":   "method.request.header.X-Forwarded-Port",
		}
		if err := mapped(t, RequestOptions{Kind: HTTPProxy, Parameters: parameters}, x); err != nil {
			t.Fatal(err)
		}
		if got := lines(x.Mapped.Headers); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestUnmappableHeaders(t *testing.T) {
	for name, kinds := range map[string][]Kind{
		"Content-Length":     {HTTP, HTTPProxy, AWS, AWSService, AWSProxy, Mock},
		"transfer-encoding":  {HTTP, HTTPProxy, AWS, AWSService, AWSProxy, Mock},
		"Authorization":      {AWS, AWSService, AWSProxy},
		"Connection":         {AWS, AWSService, AWSProxy},
		"Expect":             {AWS, AWSService, AWSProxy},
		"Proxy-Authenticate": {AWS, AWSService, AWSProxy},
		"TE":                 {AWS, AWSService, AWSProxy},
		"Accept":             {},
	} {
		fails := map[Kind]bool{}
		for _, k := range kinds {
			fails[k] = true
		}
		for k := Mock; k <= AWSProxy; k++ {
			err := mapped(t, RequestOptions{Kind: k, Parameters: map[string]string{"integration.request.header." + name: "'x'"}}, exchange("GET", "/", "", ""))
			var fault *plan.Fault
			if errors.As(err, &fault) && fault.Kind == plan.ConfigurationError != fails[k] || (err != nil) != fails[k] {
				t.Errorf("%s of kind %d: %v", name, k, err)
			}
		}
	}
}

func TestRequestQuery(t *testing.T) {
	const query = "a=1&a=2+x&b=%26;c"
	for _, test := range []struct {
		name       string
		kind       Kind
		parameters map[string]string
		want       string
	}{
		{"a proxy passes the client's on", HTTPProxy, nil, query},
		{"others don't", HTTP, nil, ""},
		{"mapped behind the client's", HTTPProxy, map[string]string{"integration.request.querystring.a": "'3 4'"}, query + "&a=3%204"},
		{"the last value", HTTP, map[string]string{"integration.request.querystring.q": "method.request.querystring.a"}, "q=2%20x"},
		{"all values", HTTP, map[string]string{"integration.request.querystring.q": "method.request.multivaluequerystring.a"}, "q=1&q=2%20x"},
		{"decoded and encoded", HTTP, map[string]string{"integration.request.querystring.q": "method.request.querystring.b"}, "q=%26"},
		{"without a value", HTTP, map[string]string{"integration.request.querystring.q": "method.request.querystring.c"}, "q="},
		{"missing", HTTP, map[string]string{"integration.request.querystring.q": "method.request.querystring.z"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := exchange("GET", "/", query, "")
			if err := mapped(t, RequestOptions{Kind: test.kind, Parameters: test.parameters}, x); err != nil || x.Mapped.Query != test.want {
				t.Errorf("%q, %v, want %q", x.Mapped.Query, err, test.want)
			}
		})
	}
}

func TestRequestURI(t *testing.T) {
	x := exchange("GET", "/", "", "")
	o := RequestOptions{Kind: HTTPProxy, URIVariables: []string{"proxy", "id", "lit"}, Parameters: map[string]string{
		"integration.request.path.proxy": "method.request.path.rest",
		"integration.request.path.id":    "method.request.path.id",
		"integration.request.path.lit":   "'a b/?'",
	}}
	if err := mapped(t, o, x); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(x.Mapped.URIParams, " "); got != "x/y%2Fz 7%20a a%20b/%3F" {
		t.Errorf("%q", got)
	}
	var fault *plan.Fault
	o.Parameters = nil
	if err := mapped(t, o, exchange("GET", "/", "", "")); !errors.As(err, &fault) || fault.Kind != plan.ConfigurationError {
		t.Errorf("a variable that nothing is mapped to: %v", err)
	}
	// An override fills it, too.
	x = exchange("GET", "/", "", "")
	x.Overrides.Set(plan.RequestPath, plan.Override{Name: "id", Value: "from template"})
	o.URIVariables = []string{"id"}
	if err := mapped(t, o, x); err != nil || x.Mapped.URIParams[0] != "from%20template" {
		t.Errorf("%q, %v", x.Mapped.URIParams, err)
	}
}

func TestPassthrough(t *testing.T) {
	const unsupported = plan.UnsupportedMediaType
	templates := map[string]string{"application/json": "rendered"}
	for _, test := range []struct {
		name      string
		templates map[string]string
		behavior  string
		typ       string
		want      string
		kind      plan.FaultKind
	}{
		{"matching", templates, "NEVER", "application/json; charset=utf-8", "rendered", 0},
		{"no type is JSON", templates, "NEVER", "", "rendered", 0},
		{"no match, WHEN_NO_MATCH", templates, "WHEN_NO_MATCH", "text/plain", "body", 0},
		{"no match, WHEN_NO_TEMPLATES", templates, "WHEN_NO_TEMPLATES", "text/plain", "", unsupported},
		{"no match, NEVER", templates, "NEVER", "text/plain", "", unsupported},
		{"none, WHEN_NO_MATCH", nil, "", "text/plain", "body", 0},
		{"none, WHEN_NO_TEMPLATES", map[string]string{}, "WHEN_NO_TEMPLATES", "text/plain", "body", 0},
		{"none, NEVER", nil, "NEVER", "text/plain", "", unsupported},
		{"$default", map[string]string{"$default": "fallback"}, "NEVER", "text/plain", "fallback", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := exchange("POST", "/", "", "body", plan.Header{Name: "Content-Type", Value: test.typ})
			err := mapped(t, RequestOptions{Kind: AWS, Templates: test.templates, Passthrough: ParsePassthrough(test.behavior)}, x)
			var fault *plan.Fault
			if errors.As(err, &fault) != (test.kind != 0) || fault != nil && fault.Kind != test.kind {
				t.Fatal(err)
			}
			if body, _ := x.OutboundBody(); err == nil && string(body) != test.want {
				t.Errorf("%q", body)
			}
		})
	}
}

func TestRequestContent(t *testing.T) {
	const bad = plan.ConfigurationError
	templates := map[string]string{"image/png": "t", "text/plain": "t"}
	for _, test := range []struct {
		typ, handling, body, want string
		templates                 map[string]string
		kind                      plan.FaultKind
	}{
		{"text/plain", "", "a\xffb", "a\uFFFDb", nil, 0},
		{"text/plain", "CONVERT_TO_TEXT", "a\xffb", "a\uFFFDb", nil, 0},
		{"text/plain", "CONVERT_TO_BINARY", "YQ==", "a", nil, 0},
		{"text/plain", "CONVERT_TO_BINARY", "not base64", "", nil, bad},
		{"image/png", "", "a\xffb", "a\xffb", nil, 0},
		{"image/png", "CONVERT_TO_TEXT", "a", "YQ==", nil, 0},
		{"image/png", "CONVERT_TO_BINARY", "a\xffb", "a\xffb", nil, 0},
		{"image/png", "", "a", "", templates, bad},
		{"text/plain", "CONVERT_TO_BINARY", "YQ==", "", templates, bad},
		{"image/png", "CONVERT_TO_TEXT", "a", "t", templates, 0},
		{"image/gif", "CONVERT_TO_BINARY", "a\xffb", "a\xffb", templates, 0},
	} {
		t.Run(test.typ+" "+test.handling, func(t *testing.T) {
			x := exchange("POST", "/", "", test.body, plan.Header{Name: "Content-Type", Value: test.typ})
			err := mapped(t, RequestOptions{Kind: AWS, Templates: test.templates, Handling: ParseHandling(test.handling)}, x)
			var fault *plan.Fault
			if errors.As(err, &fault) != (test.kind != 0) || fault != nil && fault.Kind != test.kind {
				t.Fatal(err)
			}
			if body, _ := x.OutboundBody(); err == nil && string(body) != test.want {
				t.Errorf("%q, want %q", body, test.want)
			}
		})
	}
}

func TestBadExpressions(t *testing.T) {
	for _, text := range []string{"", "x", "'open", "method.request.path.", "method.request.header", "method.request.cookie.x", "context.", "stageVariables.", "integration.response.body", "method.request.body."} {
		_, err := NewRequest(RequestOptions{Kind: HTTP, Parameters: map[string]string{"integration.request.header.X": text}})
		var bad *ExpressionError
		if !errors.As(err, &bad) {
			t.Errorf("%q: %v", text, err)
		}
	}
	want := "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: true]"
	if got := (&ExpressionError{"true"}).Error(); got != want {
		t.Error(got)
	}
}

func TestReadable(t *testing.T) {
	for body, want := range map[string]bool{
		``: true, `{"a":1}`: true, `{"a":`: false, `[1]`: true, `[1`: false, `"a"`: true, `"a`: false, `'a'`: false, `plain`: true, `1`: true,
	} {
		if readable([]byte(body)) != want {
			t.Errorf("%q: %t", body, !want)
		}
	}
}

// A body can be a header's source; what makes of it is too long for anyone.
func TestLongHeaders(t *testing.T) {
	body := `{"a": "` + strings.Repeat("x", maxHeaders) + `"}`
	var fault *plan.Fault
	err := mapped(t, RequestOptions{Kind: HTTP, Parameters: map[string]string{"integration.request.header.X": "method.request.body.a"}}, exchange("POST", "/", "", body))
	if !errors.As(err, &fault) || fault.Kind != plan.ConfigurationError {
		t.Errorf("to the backend: %v", err)
	}
	x := exchange("GET", "/", "", "")
	x.Integration.Status, x.Response.Body = 200, []byte(body)
	err = answered(t, ResponseOptions{Kind: HTTP, Responses: []IntegrationResponse{{Status: 200, Parameters: map[string]string{"method.response.header.X": "integration.response.body.a"}}}}, x)
	if !errors.As(err, &fault) || fault.Kind != plan.ConfigurationError {
		t.Errorf("to the client: %v", err)
	}
}

// Several parameters out of one body, which is read once for all of them.
func TestManyBodySources(t *testing.T) {
	parameters := map[string]string{}
	for name, path := range map[string]string{"A": "a", "B": "b.c[1]", "None": "x", "Null": "n", "Odd": "o", "Quoted": "q"} {
		parameters["integration.request.header.X-"+name] = "method.request.body." + path
	}
	x := exchange("POST", "/", "", `{"a": "1", "b": {"c": [0, {"d": 2}]}, "n": null, "o": "a\u0000b\n", "q": "\"=\""}`)
	if err := mapped(t, RequestOptions{Kind: AWS, Parameters: parameters}, x); err != nil {
		t.Fatal(err)
	}
	if got, want := lines(x.Mapped.Headers), "X-A: 1\nX-B: {\"d\":2}\nX-Odd: a\x00b\n\nX-Quoted: \"=\"\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if x.Extracted.By == nil || len(x.Extracted.Values) != len(parameters) {
		t.Errorf("%+v", x.Extracted)
	}
}

func BenchmarkBodySources(b *testing.B) {
	parameters := map[string]string{}
	for i := range 20 {
		parameters[fmt.Sprintf("integration.request.header.X-%d", i)] = fmt.Sprintf("method.request.body.list[%d].name", i)
	}
	r, err := NewRequest(RequestOptions{Kind: HTTPProxy, Parameters: parameters})
	if err != nil {
		b.Fatal(err)
	}
	body := `{"list": [` + strings.Repeat(`{"name": "a name", "rest": [1, 2, 3]}, `, 2000) + `{}]}`
	for b.Loop() {
		if err := r.Map(exchange("POST", "/", "", body)); err != nil {
			b.Fatal(err)
		}
	}
}

// Of an action of the query protocol the body is a form, or nothing.
func TestFormsOfServices(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for _, test := range []struct {
		name, contentType, body string
		templates               map[string]string
		want, wantType          string
	}{
		{"JSON that nothing maps", "application/json", `{"a":1}`, nil, "", ""},
		{"a form that nothing maps", form, "Message=x", nil, "Message=x", form},
		{"JSON that a template makes a form", "application/json", `{"a":"1"}`, map[string]string{"application/json": `Message=$input.path("$.a")`}, "Message=1", form},
	} {
		x := exchange("POST", "/", "", test.body)
		x.Request.Headers = append(x.Request.Headers, plan.Header{Name: "Content-Type", Value: test.contentType})
		if err := mapped(t, RequestOptions{Kind: AWSService, ContentType: form, Templates: test.templates}, x); err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if got := string(x.Mapped.Body); got != test.want || !x.Mapped.HasBody || x.Mapped.Headers.Get("content-type") != test.wantType {
			t.Errorf("%s: %q, %v", test.name, got, x.Mapped.Headers)
		}
	}
}
