package websocket

import (
	"errors"
	"strings"
	"testing"

	"gatehouse/internal/plan"
)

func TestSelect(t *testing.T) {
	const message = `{"action":"join","a":{"b":"x\"y","n":-1.50,"t":true,"z":null},"list":["item1","item2",3,[true],{"k":"v","m":null}],"o":{"k":1,"l":["a","b"]},"e":[],"s":""}`
	for _, test := range []struct{ expression, body, want string }{
		{"$request.body.action", message, "join"},
		{"${request.body.action}", message, "join"},
		{"${request.body.action}/${request.body.a.b}", message, `join/x"y`},
		{"route-${request.body.action}!", message, "route-join!"},
		{"$request.body.a.n", message, "-1.50"},
		{"$request.body.a.t", message, "true"},
		{"$request.body.a.z", message, ""},
		{"$request.body.s", message, ""},
		{"$request.body['a']['b']", message, `x"y`},
		{"$request.body.list[1]", message, "item2"},
		{"$request.body.list", message, "[item1, item2, 3, [true], {k=v, m=null}]"},
		{"$request.body.o", message, "{k=1, l=[a, b]}"},
		{"$request.body.e", message, "[]"},
		{"$request.body.nothing", message, ""},
		{"$request.body.action.deeper", message, ""},
		{"${request.body.nothing}-${request.body.action}", message, "-join"},
		{"$request.body.action", `{"action":"join"`, ""},
		{"$request.body.action", `{"action":"join"} and more`, ""},
		{"$request.body.action", "not JSON", ""},
		{"$request.body.action", "", ""},
		{"$request.body.action", `["action"]`, ""},
		{"$request.body.action", `{"action":"$connect"}`, "$connect"},
		{"$request.body.action", `{"action":"${request.body.b}","b":"c"}`, "${request.body.b}"},
		{"$request.body", "ping", "ping"},
		{`\$default`, message, "$default"},
		{"$default", message, "$default"},
		{"action", message, "action"},
		{`a\$b$c\d`, message, `a$b$c\d`},
		{"200", message, "200"},
	} {
		s, err := NewRequestSelector(test.expression)
		if err != nil {
			t.Errorf("%s: %v", test.expression, err)
			continue
		}
		x := &plan.Exchange{Scratch: []byte("kept")}
		x.Request.Body = []byte(test.body)
		if got := s.Select(x); got != test.want {
			t.Errorf("%s of %s: %q, want %q", test.expression, test.body, got, test.want)
		}
		if !strings.HasPrefix(string(x.Scratch), "kept") {
			t.Errorf("%s: the scratch memory is %q", test.expression, x.Scratch)
		}
	}
}

func TestSelectOfResponse(t *testing.T) {
	x := &plan.Exchange{}
	x.Request.Body = []byte(`{"action":"join"}`)
	x.Integration.Status = 404
	x.Response.Body = []byte(`{"errorMessage":"no such room"}`)
	x.Response.Headers = plan.Headers{{Name: "X-Kind", Value: "a"}, {Name: "x-kind", Value: "b"}}
	for expression, want := range map[string]string{
		"${integration.response.statuscode}":              "404",
		"$integration.response.statuscode":                "404",
		"${integration.response.header.x-kind}":           "b",
		"${integration.response.multivalueheader.x-kind}": "a,b",
		"${integration.response.header.x-none}":           "",
		"$integration.response.body.errorMessage":         "no such room",
		"${request.body.action}":                          "join",
		"literal":                                         "literal",
	} {
		s, err := NewResponseSelector(expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		if got := s.Select(x); got != want {
			t.Errorf("%s: %q, want %q", expression, got, want)
		}
	}
}

func TestRefusedExpressions(t *testing.T) {
	for _, expression := range []string{
		"", "$", "$other", "${request.body.a", "${}", "${request.header.x}", "$request.method $request.path", "$request.body.", "$request.body..a",
		"$request.bodyx", "$request.body.a[x]", "$integration.response.statuscode", "${integration.response.header.}",
	} {
		_, err := NewRequestSelector(expression)
		var refused *ExpressionError
		if !errors.As(err, &refused) || refused.Expression != expression {
			t.Errorf("%q: %v", expression, err)
		}
	}
	for _, expression := range []string{"${integration.response.header.}", "$integration.response.status", "$integration.response.body", "${integration.response.multivalueheader.}"} {
		if _, err := NewResponseSelector(expression); err == nil {
			t.Errorf("%q is an expression", expression)
		}
	}
}

// Whatever is sent, selecting ends and doesn't panic, and a message that isn't
// JSON selects nothing.
func FuzzSelect(f *testing.F) {
	f.Add("${request.body.a}-${request.body.b[1]['c']}", `{"a":[1,{"b":"\ud83d"}],"b":[0,{"c":"\\\""}]}`)
	f.Add(`\$x${request.body}`, "[")
	f.Fuzz(func(t *testing.T, expression, body string) {
		s, err := NewResponseSelector(expression)
		if err != nil {
			return
		}
		x := &plan.Exchange{}
		x.Request.Body, x.Response.Body = []byte(body), []byte(body)
		s.Select(x)
	})
}

func BenchmarkSelect(b *testing.B) {
	s, err := NewRequestSelector("$request.body.action")
	if err != nil {
		b.Fatal(err)
	}
	x := &plan.Exchange{Scratch: make([]byte, 0, 256)}
	x.Request.Body = []byte(`{"action":"sendmessage","data":"hello there, everyone in the room"}`)
	b.ReportAllocs()
	for b.Loop() {
		x.Scratch = x.Scratch[:0]
		s.Select(x)
	}
}
