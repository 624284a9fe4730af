package transform

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"gatehouse/internal/plan"
)

// exchange is one whose route is known: GET /dev/pets/a%20b/x%2Fy of the stage
// dev.
func exchange() *plan.Exchange {
	api := &plan.API{ID: "a1b2", AccountID: "123456789012", Protocol: plan.HTTP}
	x := &plan.Exchange{
		RequestID: "JKJaXmPLvHcESHA=",
		Start:     time.Unix(1587481701, 0),
		API:       api,
		Stage:     &plan.Stage{API: api, Name: "dev"},
		Route:     &plan.Route{Key: "GET /pets/{id}/{rest+}", ParamNames: []string{"id", "rest"}},
		Params:    []string{"a%20b", "x%2Fy"},
		StagePath: "/pets/a%20b/x%2Fy", GatewayPath: "/dev/pets/a%20b/x%2Fy",
		Scratch: make([]byte, 0, 4096),
	}
	x.Request = plan.Request{
		Method: "GET", Query: "q=1&q=a+b%26&r=&Q=2", Host: "h.example", Source: netip.MustParseAddrPort("192.0.2.1:4"),
		Body: []byte(`{"user":{"name":"Ann \u00e4","roles":["r0",{"k":true}]},"n":1.50,"null":null,"lines":"a\r\nX-Evil: 1\u0000"}`),
		Headers: plan.Headers{
			{Name: "Host", Value: "h.example"}, {Name: "X-One", Value: "1"}, {Name: "x-two", Value: "a"}, {Name: "X-TWO", Value: "b"},
			{Name: "Cookie", Value: "c=1"}, {Name: "cookie", Value: "d=2"}, {Name: "Connection", Value: "X-One"},
		},
	}
	return x
}

func lines(headers plan.Headers) string {
	var b strings.Builder
	for _, h := range headers {
		fmt.Fprintf(&b, "%s: %s|", h.Name, h.Value)
	}
	return b.String()
}

func TestRequest(t *testing.T) {
	const client = "Host: h.example|X-One: 1|x-two: a|X-TWO: b|Cookie: c=1|cookie: d=2|Connection: X-One|"
	const query = "q=1&q=a+b%26&r=&Q=2"
	for _, test := range []struct {
		name       string
		parameters map[string]string
		// What differs from the client's request; "" is the same.
		headers, query, path, host string
	}{
		{name: "nothing", parameters: map[string]string{}},

		{name: "append a header", parameters: map[string]string{"append:header.New": "v"}, headers: client + "New: v|"},
		{name: "append to one line", parameters: map[string]string{"append:header.x-one": "2"},
			headers: "Host: h.example|x-two: a|X-TWO: b|Cookie: c=1|cookie: d=2|Connection: X-One|x-one: 1,2|"},
		{name: "append to two lines", parameters: map[string]string{"append:header.X-Two": "c"},
			headers: "Host: h.example|X-One: 1|Cookie: c=1|cookie: d=2|Connection: X-One|X-Two: a,b,c|"},
		{name: "append nothing", parameters: map[string]string{"append:header.x-two": "$request.header.none"}, headers: client},
		{name: "append a cookie", parameters: map[string]string{"append:header.cookie": "e=3"},
			headers: "Host: h.example|X-One: 1|x-two: a|X-TWO: b|Connection: X-One|cookie: c=1; d=2; e=3|"},
		{name: "overwrite a header", parameters: map[string]string{"overwrite:header.X-TWO": "v"},
			headers: "Host: h.example|X-One: 1|Cookie: c=1|cookie: d=2|Connection: X-One|X-TWO: v|"},
		{name: "overwrite what isn't there", parameters: map[string]string{"overwrite:header.New": "v"}, headers: client + "New: v|"},
		{name: "overwrite with nothing", parameters: map[string]string{"overwrite:header.x-one": "$context.authorizer.claims.sub"},
			headers: "Host: h.example|x-two: a|X-TWO: b|Cookie: c=1|cookie: d=2|Connection: X-One|"},
		{name: "remove a header", parameters: map[string]string{"remove:header.x-two": "''"},
			headers: "Host: h.example|X-One: 1|Cookie: c=1|cookie: d=2|Connection: X-One|"},
		{name: "rename a header", parameters: map[string]string{"append:header.Uno": "$request.header.x-one", "remove:header.X-One": "''"},
			headers: "Host: h.example|x-two: a|X-TWO: b|Cookie: c=1|cookie: d=2|Connection: X-One|Uno: 1|"},
		{name: "remove, overwrite, append", parameters: map[string]string{"append:header.x-one": "c", "overwrite:header.X-One": "b", "remove:header.X-ONE": "''"},
			headers: "Host: h.example|x-two: a|X-TWO: b|Cookie: c=1|cookie: d=2|Connection: X-One|X-One: b,c|"},
		{name: "remove, then append", parameters: map[string]string{"append:header.x-one": "c", "remove:header.x-one": "''"},
			headers: "Host: h.example|x-two: a|X-TWO: b|Cookie: c=1|cookie: d=2|Connection: X-One|x-one: c|"},
		{name: "appended twice, one empty", parameters: map[string]string{"append:header.n": "c", "append:header.N": "$request.body.none", "append:header.nn": "d"},
			headers: client + "N: c|nn: d|"},
		{name: "host", parameters: map[string]string{"overwrite:header.host": "other.example:81"}, host: "other.example:81",
			headers: "X-One: 1|x-two: a|X-TWO: b|Cookie: c=1|cookie: d=2|Connection: X-One|host: other.example:81|"},
		{name: "host, appended", parameters: map[string]string{"append:header.Host": "other.example"}, host: "other.example",
			headers: "X-One: 1|x-two: a|X-TWO: b|Cookie: c=1|cookie: d=2|Connection: X-One|Host: other.example|"},

		{name: "header values", parameters: map[string]string{
			"append:header.v1": "$request.header.X-Two", "append:header.v2": "$request.header.COOKIE", "append:header.v3": "$request.querystring.q",
			"append:header.v4": "$request.path", "append:header.v5": "$request.path.id", "append:header.v6": "$request.path.rest",
			"append:header.v7": "$request.body.user.name", "append:header.v8": "$request.body.user.roles[1]", "append:header.v9": "$request.body.n"},
			headers: client + "v1: a,b|v2: c=1; d=2|v3: 1,a b&|v4: /pets/a b/x/y|v5: a b|v6: x/y|v7: Ann ä|v8: {\"k\":true}|v9: 1.50|"},
		{name: "no values", parameters: map[string]string{
			"append:header.v1": "$request.querystring.none", "append:header.v2": "$request.querystring.r", "append:header.v3": "$request.path.none",
			"append:header.v4": "$request.body.null", "append:header.v5": "$context.status", "append:header.v6": "$context.identity.userArn",
			"append:header.v7": "$stageVariables.none", "append:header.v8": "${request.header.none}${stageVariables.none}"}, headers: client},
		{name: "context", parameters: map[string]string{
			"append:header.v1": "$context.requestId", "append:header.v2": "$context.identity.sourceIp", "append:header.v3": "$context.path",
			"append:header.v4": "$context.requestTimeEpoch", "append:header.v5": "$context.accountId"},
			headers: client + "v1: JKJaXmPLvHcESHA=|v2: 192.0.2.1|v3: /dev/pets/a b/x/y|v4: 1587481701000|v5: 123456789012|"},
		{name: "braces", parameters: map[string]string{
			"append:header.v1": "${request.path.id}", "append:header.v2": "<${request.header.x-one}> ${stageVariables.env}-${context.stage}!", "append:header.v3": "{} } $$x"},
			headers: client + "v1: a b|v2: <1> prod-dev!|v3: {} } $$x|"},
		{name: "no braces", parameters: map[string]string{
			"append:header.v1": "<$request.header.x-one> $stageVariables.env-$context.stage!", "append:header.v2": "<$request.path.id/$request.path.rest.",
			"append:header.v3": "US$ 5, $context, $response.header.x"},
			headers: client + "v1: <1> prod-dev!|v2: <a b/x/y.|v3: US$ 5, $context, $response.header.x|"},
		{name: "control characters", parameters: map[string]string{
			"append:header.v1": "$request.body.lines", "append:header.v2": "a\r\nX: y\x00\tb\x7f", "append:header.v3": "\r\n"},
			headers: client + "v1: aX-Evil: 1|v2: aX: y\tb|"},

		{name: "append a parameter", parameters: map[string]string{"append:querystring.q": "3", "append:querystring.a b&": "c=d"}, query: query + "&a%20b%26=c%3Dd&q=3"},
		{name: "overwrite a parameter", parameters: map[string]string{"overwrite:querystring.q": "${request.path.id}/%+#"}, query: "r=&Q=2&q=a%20b/%25%2B%23"},
		{name: "overwrite a parameter with nothing", parameters: map[string]string{"overwrite:querystring.q": "$request.header.none"}, query: "r=&Q=2"},
		{name: "append nothing to a query", parameters: map[string]string{"append:querystring.q": "$request.header.none"}, query: query},
		{name: "remove parameters", parameters: map[string]string{"remove:querystring.q": "''", "remove:querystring.Q": "''", "remove:querystring.r": "''"}, query: "-"},
		{name: "remove and append a parameter", parameters: map[string]string{"remove:querystring.r": "''", "append:querystring.r": "1"}, query: "q=1&q=a+b%26&Q=2&r=1"},

		{name: "path", parameters: map[string]string{"overwrite:path": "/new"}, path: "/new"},
		{name: "path without a slash", parameters: map[string]string{"overwrite:path": "new"}, path: "/new"},
		{name: "path of the request", parameters: map[string]string{"overwrite:path": "$request.path"}, path: "/pets/a%20b/x/y"},
		{name: "path of variables", parameters: map[string]string{"overwrite:path": "/v1/${request.path.rest}/${request.path.id}"}, path: "/v1/x/y/a%20b"},
		{name: "path behind text, no braces", parameters: map[string]string{"overwrite:path": "/v1/$request.path.rest"}, path: "/v1/x/y"},
		{name: "path of variables, no braces", parameters: map[string]string{"overwrite:path": "/$request.path.rest/$request.path.id/z"}, path: "/x/y/a%20b/z"},
		{name: "path of a query", parameters: map[string]string{"overwrite:path": "/${request.querystring.q}?x#y"}, path: "/1,a%20b&%3Fx%23y"},
		{name: "written escapes", parameters: map[string]string{"overwrite:path": "/a%20b%2fc%zz%"}, path: "/a%20b%2fc%25zz%25"},
		{name: "no path", parameters: map[string]string{"overwrite:path": "$request.header.none"}, path: "/"},
		{name: "path of a body", parameters: map[string]string{"overwrite:path": "$request.body.user.name"}, path: "/Ann%20%C3%A4"},
		{name: "path of a variable", parameters: map[string]string{"overwrite:path": "$stageVariables.base"}, path: "/base%3Fa"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, err := NewRequest(test.parameters, map[string]string{"env": "prod", "base": "/base?a"})
			if err != nil {
				t.Fatal(err)
			}
			x := exchange()
			if err := m.Map(x); err != nil {
				t.Fatal(err)
			}
			if test.headers == "" {
				test.headers = client
			}
			if test.query == "" {
				test.query = query
			}
			test.query = strings.TrimPrefix(test.query, "-")
			got := x.Mapped
			if !got.On || lines(got.Headers) != test.headers || got.Query != test.query || got.Path != test.path || got.Host != test.host {
				t.Errorf("got\n%s\n%s %q %q\nwant\n%s\n%s %q %q", lines(got.Headers), got.Query, got.Path, got.Host, test.headers, test.query, test.path, test.host)
			}
			if lines(x.Request.Headers) != client || x.Request.Query != query {
				t.Error("the request itself was changed")
			}
			kept := 0
			for _, h := range x.Request.Headers {
				if kept < len(got.Headers) && got.Headers[kept] == h {
					kept++
				}
			}
			if got.FromClient != kept {
				t.Errorf("%d headers are the client's, want %d", got.FromClient, kept)
			}
		})
	}
}

// An exchange keeps the memory of a mapping, and nothing else of it.
func TestRequestAgain(t *testing.T) {
	m, err := NewRequest(map[string]string{"overwrite:header.host": "h", "overwrite:path": "/p", "append:querystring.a": "b"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	x := exchange()
	for range 2 {
		if err := m.Map(x); err != nil {
			t.Fatal(err)
		}
		x.Reset()
		if x.Mapped.On || x.Mapped.Host+x.Mapped.Path+x.Mapped.Query != "" || len(x.Mapped.Headers) != 0 || cap(x.Mapped.Headers) == 0 {
			t.Fatalf("after Reset: %+v", x.Mapped)
		}
		again := exchange()
		again.Mapped.Headers = x.Mapped.Headers
		x = again
	}
}

func TestRequestBody(t *testing.T) {
	m, err := NewRequest(map[string]string{"overwrite:header.all": "$request.body", "overwrite:header.one": "$request.body.a"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	x := exchange()
	const body = `{"a":"b"}`
	x.Request.Body, x.Request.BodyReader, x.Request.ContentLength = nil, iotest.OneByteReader(strings.NewReader(body)), -1
	if err := m.Map(x); err != nil {
		t.Fatal(err)
	}
	if x.Mapped.Headers.Get("all") != body || x.Mapped.Headers.Get("one") != "b" || string(x.Request.Body) != body {
		t.Errorf("%s %q", lines(x.Mapped.Headers), x.Request.Body)
	}

	x = exchange()
	x.Request.Body, x.Request.BodyReader = nil, iotest.ErrReader(errors.New("broken"))
	var fault *plan.Fault
	if err := m.Map(x); !errors.As(err, &fault) || fault.Kind != plan.BadRequest {
		t.Errorf("broken body: %v", err)
	}

	// A mapping that doesn't ask for the body leaves it where it is.
	m, err = NewRequest(map[string]string{"overwrite:header.a": "b"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Map(x); err != nil {
		t.Errorf("the body was read: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	destination := func(kind, key string) string {
		return "Invalid " + kind + " Actioned Parameter destination specified: " + key
	}
	const expression = "Invalid mapping expression specified: "
	for _, test := range []struct{ key, value, request, response string }{
		{"overwrite.path", "v", destination("Request", "overwrite.path"), destination("Response", "overwrite.path")},
		{"append:overwrite.static", "v", destination("Request", "append:overwrite.static"), destination("Response", "append:overwrite.static")},
		{"append:header", "v", destination("Request", "append:header"), destination("Response", "append:header")},
		{"append:header.", "v", destination("Request", "append:header."), destination("Response", "append:header.")},
		{"append:header.a b", "v", destination("Request", "append:header.a b"), destination("Response", "append:header.a b")},
		{"append:header.a\r\nb", "v", destination("Request", "append:header.a\r\nb"), destination("Response", "append:header.a\r\nb")},
		{"Append:header.a", "v", destination("Request", "Append:header.a"), destination("Response", "Append:header.a")},
		{"set:header.a", "v", destination("Request", "set:header.a"), destination("Response", "set:header.a")},
		{"append:path", "v", destination("Request", "append:path"), destination("Response", "append:path")},
		{"remove:path", "''", destination("Request", "remove:path"), destination("Response", "remove:path")},
		{"overwrite:path.x", "v", destination("Request", "overwrite:path.x"), destination("Response", "overwrite:path.x")},
		{"overwrite:path", "/", "", destination("Response", "overwrite:path")},
		{"append:querystring.", "v", destination("Request", "append:querystring."), destination("Response", "append:querystring.")},
		{"append:querystring.a", "v", "", destination("Response", "append:querystring.a")},
		{"overwrite:statuscode", "200", destination("Request", "overwrite:statuscode"), ""},
		{"append:statuscode", "200", destination("Request", "append:statuscode"), destination("Response", "append:statuscode")},
		{"overwrite:statuscode", "600", destination("Request", "overwrite:statuscode"), expression + "600"},
		{"overwrite:statuscode", "199", destination("Request", "overwrite:statuscode"), expression + "199"},
		{"overwrite:statuscode", "+20", destination("Request", "overwrite:statuscode"), expression + "+20"},
		{"overwrite:statuscode", "$stageVariables.none", destination("Request", "overwrite:statuscode"), ""},
		{"append:header.a", "", expression, expression},
		{"remove:header.a", "", expression, expression},
		{"append:header.a", "$", expression + "$", expression + "$"},
		{"append:header.a", "$5", expression + "$5", expression + "$5"},
		{"append:header.a", "${}", expression + "${}", expression + "${}"},
		{"append:header.a", "x${request.path", expression + "x${request.path", expression + "x${request.path"},
		{"append:header.a", "$request.path", "", expression + "$request.path"},
		{"append:header.a", "$request.header.x", "", expression + "$request.header.x"},
		{"append:header.a", "$response.header.x", expression + "$response.header.x", ""},
		{"append:header.a", "$request.method", expression + "$request.method", expression + "$request.method"},
		{"append:header.a", "$request.header.", expression + "$request.header.", expression + "$request.header."},
		{"append:header.a", "$request.header.a b", expression + "$request.header.a b", expression + "$request.header.a b"},
		{"append:header.a", "$request.querystring.", expression + "$request.querystring.", expression + "$request.querystring."},
		{"append:header.a", "$request.path.id/x", expression + "$request.path.id/x", expression + "$request.path.id/x"},
		{"append:header.a", "$request.path/x", expression + "$request.path/x", expression + "$request.path/x"},
		{"append:header.a", "$request.bodyx", expression + "$request.bodyx", expression + "$request.bodyx"},
		{"append:header.a", "$request.body..name", expression + "$request.body..name", expression + "$request.body..name"},
		{"append:header.a", "$request.body[?(@.a)]", expression + "$request.body[?(@.a)]", expression + "$request.body[?(@.a)]"},
		{"append:header.a", "$response.body..name", expression + "$response.body..name", expression + "$response.body..name"},
		{"append:header.a", "$response.bodyx", expression + "$response.bodyx", expression + "$response.bodyx"},
		{"append:header.a", "$context.nothing", expression + "$context.nothing", expression + "$context.nothing"},
		{"append:header.a", "$context.authorizer.claims.custom:role", expression + "$context.authorizer.claims.custom:role", expression + "$context.authorizer.claims.custom:role"},
		{"append:header.a", "$context.authorizer.claims.role", "", ""},
		{"append:header.a", "$stageVariables.a-b", expression + "$stageVariables.a-b", expression + "$stageVariables.a-b"},
		{"append:header.a", "$stageVariables.", expression + "$stageVariables.", expression + "$stageVariables."},
		{"append:header.a", "a $request.path is not only text", "", ""},
	} {
		_, err := NewRequest(map[string]string{test.key: test.value}, nil)
		if got := message(err); got != test.request {
			t.Errorf("request %s = %q: %q, want %q", test.key, test.value, got, test.request)
		}
		_, err = NewResponse(map[string]map[string]string{"200": {test.key: test.value}}, nil)
		if got := message(err); got != test.response {
			t.Errorf("response %s = %q: %q, want %q", test.key, test.value, got, test.response)
		}
	}
	for _, code := range []string{"199", "600", "", "2xx", "0200", "default", "+20"} {
		_, err := NewResponse(map[string]map[string]string{code: {"append:header.a": "b"}}, nil)
		if got, want := message(err), "Invalid response status code specified: "+code; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestReserved(t *testing.T) {
	for name := range strings.FieldsSeq(`Access-Control-Allow-Origin access-control- apigw-requestid APIGW-x Authorization AUTHORIZATION Connection
		Content-Encoding Content-Length Content-Location Forwarded Keep-Alive Origin Proxy-Authenticate Proxy-Authorization TE Trailers
		Transfer-Encoding Upgrade x-amz-date X-Amzn-Trace-Id X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto Via`) {
		for _, action := range []string{"append", "overwrite", "remove"} {
			want := "Operations on header " + strings.ToLower(name) + " are restricted"
			_, err := NewRequest(map[string]string{action + ":header." + name: "''"}, nil)
			if message(err) != want {
				t.Errorf("request %s %s: %v", action, name, err)
			}
			_, err = NewResponse(map[string]map[string]string{"200": {action + ":header." + name: "''"}}, nil)
			if message(err) != want {
				t.Errorf("response %s %s: %v", action, name, err)
			}
		}
	}
	for _, name := range []string{"Access-Control", "apigw", "X-Authorization", "Content-Type", "Set-Cookie", "Host", "x-amzn", "X-Forwarded-Port", "Trailer"} {
		if _, err := NewRequest(map[string]string{"append:header." + name: "v"}, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Of several mistakes the first by key is told, not a different one each time.
func TestRefusalsAreDeterministic(t *testing.T) {
	for range 20 {
		_, err := NewRequest(map[string]string{"append:header.via": "v", "b": "v", "c": "v", "overwrite:header.te": "v"}, nil)
		if got := message(err); got != "Operations on header via are restricted" {
			t.Fatal(got)
		}
	}
}
