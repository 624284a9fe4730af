package observe

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"gatehouse/internal/contextvar"
	"gatehouse/internal/plan"
)

const (
	clf     = `$context.identity.sourceIp - - [$context.requestTime] "$context.httpMethod $context.routeKey $context.protocol" $context.status $context.responseLength $context.requestId`
	asJSON  = `{"requestId":"$context.requestId","ip":"$context.identity.sourceIp","requestTime":"$context.requestTime","httpMethod":"$context.httpMethod","routeKey":"$context.routeKey","status":"$context.status","protocol":"$context.protocol","responseLength":"$context.responseLength","agent":"$context.identity.userAgent"}`
	asXML   = `<request id="$context.requestId"><ip>$context.identity.sourceIp</ip><agent>$context.identity.userAgent</agent><status>$context.status</status></request>`
	asCSV   = `$context.identity.sourceIp,$context.requestTime,$context.httpMethod,$context.routeKey,$context.protocol,$context.status,$context.responseLength,$context.requestId`
	latency = 34_900 * time.Microsecond
)

func render(t testing.TB, format string, x *plan.Exchange) string {
	t.Helper()
	f, err := ParseFormat(format, contextvar.Lookup)
	if err != nil {
		t.Fatal(err)
	}
	return string(f.Append(nil, x, latency))
}

func TestFormats(t *testing.T) {
	for format, want := range map[string]string{
		clf:                                      `192.0.2.1 - - [21/Apr/2020:15:08:21 +0000] "GET GET /pets/{id} HTTP/1.1" 201 5 JKJaXmPLvHcESHA=`,
		asJSON:                                   `{"requestId":"JKJaXmPLvHcESHA=","ip":"192.0.2.1","requestTime":"21/Apr/2020:15:08:21 +0000","httpMethod":"GET","routeKey":"GET /pets/{id}","status":"201","protocol":"HTTP/1.1","responseLength":"5","agent":"curl \"7\""}`,
		asXML:                                    `<request id="JKJaXmPLvHcESHA="><ip>192.0.2.1</ip><agent>curl &quot;7&quot;</agent><status>201</status></request>`,
		asCSV:                                    `192.0.2.1,21/Apr/2020:15:08:21 +0000,GET,GET /pets/{id},HTTP/1.1,201,5,JKJaXmPLvHcESHA=`,
		"$context.requestId.":                    "JKJaXmPLvHcESHA=.",
		"$context.requestId$context.stage":       "JKJaXmPLvHcESHA=dev",
		"$context.requestIds $context.requestId": "- JKJaXmPLvHcESHA=",
		"$context. $contextual $ $context.requestId": "- $contextual $ JKJaXmPLvHcESHA=",
		"$context.extendedRequestId${context.stage}": "JKJaXmPLvHcESHA=${context.stage}",
		"ä $context.requestId\tb":                    "ä JKJaXmPLvHcESHA=\tb",
	} {
		if got := render(t, format, testExchange()); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", format, got, want)
		}
	}
}

// Every variable the documentation lists for HTTP APIs, with what a served
// request says and what one says that the gateway refused.
func TestVariables(t *testing.T) {
	refused := testExchange()
	refused.Route, refused.Integration = nil, plan.IntegrationReport{}
	refused.Fault = &plan.Fault{Kind: plan.RouteNotFound}
	refused.Response = plan.Response{Status: 404, Body: []byte(`{"message":"Not Found"}`)}
	for _, test := range []struct{ name, served, refused string }{
		{"accountId", "123456789012", "123456789012"},
		{"apiId", "a1b2c3d4e5", "a1b2c3d4e5"},
		{"authorizer.claims.sub", "-", "-"},
		{"authorizer.error", "-", "-"},
		{"awsEndpointRequestId", "f-1", "-"},
		{"awsEndpointRequestId2", "-", "-"},
		{"customDomain.basePathMatched", "-", "-"},
		{"dataProcessed", "15", "33"},
		{"domainName", "a1b2c3d4e5.execute-api.localhost", "a1b2c3d4e5.execute-api.localhost"},
		{"domainPrefix", "a1b2c3d4e5", "a1b2c3d4e5"},
		{"error.message", "-", "Not Found"},
		{"error.messageString", "-", `"Not Found"`},
		{"extendedRequestId", "JKJaXmPLvHcESHA=", "JKJaXmPLvHcESHA="},
		{"httpMethod", "GET", "GET"},
		{"identity.accountId", "-", "-"},
		{"identity.sourceIp", "192.0.2.1", "192.0.2.1"},
		{"identity.userAgent", `curl \"7\"`, `curl \"7\"`},
		{"integration.error", "-", "-"},
		{"integration.integrationStatus", "200", "-"},
		{"integration.latency", "12", "-"},
		{"integration.requestId", "f-1", "-"},
		{"integration.status", "201", "-"},
		{"integrationErrorMessage", "-", "-"},
		{"integrationLatency", "12", "-"},
		{"integrationStatus", "200", "-"},
		{"path", "/dev/pets/a b", "/dev/pets/a b"},
		{"protocol", "HTTP/1.1", "HTTP/1.1"},
		{"requestId", "JKJaXmPLvHcESHA=", "JKJaXmPLvHcESHA="},
		{"requestTime", "21/Apr/2020:15:08:21 +0000", "21/Apr/2020:15:08:21 +0000"},
		{"requestTimeEpoch", "1587481701123", "1587481701123"},
		{"responseLatency", "34", "34"},
		{"responseLength", "5", "23"},
		{"routeKey", "GET /pets/{id}", "-"},
		{"stage", "dev", "dev"},
		{"status", "201", "404"},
	} {
		format := "$context.requestId|$context." + test.name
		_, served, _ := strings.Cut(render(t, format, testExchange()), "|")
		_, got, _ := strings.Cut(render(t, format, refused), "|")
		if served != test.served || got != test.refused {
			t.Errorf("%s: %q and %q, want %q and %q", test.name, served, got, test.served, test.refused)
		}
	}
	failed := testExchange()
	failed.Integration.Error = "boom\nand more"
	if got := render(t, "$context.requestId $context.integration.error", failed); !strings.HasSuffix(got, ` boom\u000aand more`) {
		t.Errorf("an error with a line end: %q", got)
	}
}

// A REST API has names of its own, and what HTTP APIs alone have says nothing.
func TestRESTFormat(t *testing.T) {
	x := testExchange()
	x.ExtendedRequestID, x.Stage.DeploymentID = "W9zMPGrHtjMEeFw=", "d1"
	x.Error = plan.GatewayError{Type: plan.ThrottledResponse, Raised: true, Message: "Too\nMany"}
	f, err := ParseFormat("$context.extendedRequestId $context.resourcePath $context.path $context.deploymentId "+
		"$context.routeKey $context.identity.caller $context.error.messageString $context.error.responseType", contextvar.LookupREST)
	if err != nil {
		t.Fatal(err)
	}
	const want = `W9zMPGrHtjMEeFw= /pets/{id} /dev/pets/a%20b d1 - - "Too\u000aMany" THROTTLED`
	if got := string(f.Append(nil, x, latency)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestParseFormatRefusals(t *testing.T) {
	for name, format := range map[string]string{
		"empty":         "",
		"no request id": "$context.status",
		"longer name":   "$context.requestIdentity",
		"two lines":     "$context.requestId\n$context.status",
		"line end":      "$context.requestId\n",
		"too long":      "$context.requestId" + strings.Repeat("x", MaxFormatBytes),
	} {
		if _, err := ParseFormat(format, contextvar.Lookup); err == nil {
			t.Errorf("a format was taken: %s", name)
		}
	}
}

// A line ends at AWS's quota, between two characters.
func TestLongLines(t *testing.T) {
	x := testExchange()
	id := len(x.RequestID)
	x.GatewayPath = "/" + strings.Repeat("é", 20<<10)
	for _, test := range []struct {
		text   string
		repeat int
		tail   string
		want   int
	}{
		{"", 1, "t", id + 40<<10 + 2},
		{"", 40, "t", MaxLineBytes},
		{"x", 40, "t", MaxLineBytes - 1},
		{"", 25, strings.Repeat("t", 30_000), MaxLineBytes},
	} {
		f := &Format{escape: appendEscaped, parts: []part{{test.text, variable(t, "requestId")}}, tail: test.tail}
		for range test.repeat {
			f.parts = append(f.parts, part{variable: variable(t, "path")})
		}
		line := f.Append([]byte("before"), x, latency)
		if !strings.HasPrefix(string(line), "before"+test.text+x.RequestID) || len(line)-len("before") != test.want || !utf8.Valid(line) {
			t.Errorf("%d paths: %d bytes, valid %t, want %d", test.repeat, len(line)-6, utf8.Valid(line), test.want)
		}
	}
}

func variable(t testing.TB, name string) contextvar.Variable {
	t.Helper()
	v, ok := contextvar.Lookup(name)
	if !ok {
		t.Fatal(name)
	}
	return v
}

// What comes from outside can neither end a line, nor leave its quotes or its
// element, nor speak to a terminal, and it is UTF-8.
func TestEscapes(t *testing.T) {
	for _, test := range []struct{ text, escaped, xml string }{
		{"plain ä€😀\u00a0", "plain ä€😀\u00a0", "plain ä€😀\u00a0"},
		{`"\<'&>`, `\"\\<'&>`, `&quot;\&lt;&apos;&amp;&gt;`},
		{"a\r\n\x1b[31m\x7f", `a\u000d\u000a\u001b[31m\u007f`, "a   [31m "},
		{"c1 \u009b31m\u0085", `c1 \u009b31m\u0085`, "c1  31m "},
		{"lines \u2028\u2029", `lines \u2028\u2029`, "lines   "},
		{"\xffa\xc2\xe2\x80", "\ufffda\ufffd\ufffd\ufffd", "\ufffda\ufffd\ufffd\ufffd"},
		{"\xed\xa0\x80", "\ufffd\ufffd\ufffd", "\ufffd\ufffd\ufffd"}, // half a surrogate pair
		{"\ufffd\ufffe", "\ufffd\ufffe", "\ufffd "},
		{"", "", ""},
	} {
		if got := string(appendEscaped([]byte("<"), test.text)); got != "<"+test.escaped {
			t.Errorf("%q: %q, want %q", test.text, got, test.escaped)
		}
		if got := string(appendXML([]byte("<"), test.text)); got != "<"+test.xml {
			t.Errorf("%q in XML: %q, want %q", test.text, got, test.xml)
		}
	}
}

// Whatever a client sends, a line stays one line, and one of JSON stays JSON.
func FuzzFormat(f *testing.F) {
	f.Add("$context.requestId", "/%0a%22", "agent\"\\", "GET")
	f.Add("a$context.path$context.requestId", "/x\n", "\x00\xff", "X")
	f.Fuzz(func(t *testing.T, format, path, agent, method string) {
		x := testExchange()
		x.GatewayPath, x.Request.Method = path, method
		x.Request.Headers = plan.Headers{{Name: "user-agent", Value: agent}}
		line := render(t, `{"a":"$context.path","b":"$context.identity.userAgent","c":"$context.httpMethod","d":"$context.requestId"}`, x)
		var doc map[string]string
		if err := json.Unmarshal([]byte(line), &doc); err != nil || len(doc) != 4 || !utf8.ValidString(line) {
			t.Fatalf("%v: %s", err, line)
		}
		parsed, err := ParseFormat(format, contextvar.Lookup)
		if err != nil {
			return
		}
		if line := string(parsed.Append(nil, x, latency)); strings.ContainsAny(line, "\r\n") {
			t.Fatalf("two lines: %q", line)
		}
	})
}

func BenchmarkFormat(b *testing.B) {
	for name, format := range map[string]string{"CLF": clf, "JSON": asJSON} {
		b.Run(name, func(b *testing.B) {
			f, err := ParseFormat(format, contextvar.Lookup)
			if err != nil {
				b.Fatal(err)
			}
			x := testExchange()
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				dst = f.Append(dst[:0], x, latency)
			}
		})
	}
}
