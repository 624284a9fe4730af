package transform

import (
	"testing"

	"gatehouse/internal/plan"
)

// typical are mappings of each kind, with what people put into them.
func typical(t testing.TB) (*Request, *Response) {
	t.Helper()
	request, err := NewRequest(map[string]string{
		"overwrite:path":              "/v2/${request.path.rest}/${request.path.id}",
		"append:header.X-Request-Id":  "$context.requestId",
		"overwrite:header.X-Env":      "$stageVariables.env",
		"overwrite:header.X-User":     "$request.body.user.name",
		"append:header.x-two":         "${request.header.x-one} of ${context.path}",
		"remove:header.cookie":        "''",
		"append:querystring.page":     "$request.querystring.q",
		"remove:querystring.internal": "''",
	}, map[string]string{"env": "prod"})
	if err != nil {
		t.Fatal(err)
	}
	response, err := NewResponse(map[string]map[string]string{"200": {
		"overwrite:header.Cache-Control": "no-store",
		"append:header.x-id":             "${context.requestId}/${response.body.id}",
		"remove:header.server":           "''",
		"overwrite:statuscode":           "$response.header.x-status",
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return request, response
}

// run maps a request and a response as often as the caller asks it to.
func run(t testing.TB) func() {
	request, response := typical(t)
	x := exchange()
	x.Mapped.Headers = make(plan.Headers, 0, 32)
	headers := make(plan.Headers, 0, 32)
	body := []byte(`{"name":"x","id":17}`)
	return func() {
		x.Scratch, x.Mapped = x.Scratch[:0], plan.MappedRequest{Headers: x.Mapped.Headers[:0]}
		x.Response = plan.Response{Status: 200, Body: body, Headers: append(headers[:0],
			plan.Header{Name: "Server", Value: "s"}, plan.Header{Name: "x-status", Value: "201"}, plan.Header{Name: "Content-Type", Value: "text/plain"})}
		if err := request.Map(x); err != nil {
			t.Fatal(err)
		}
		if err := response.Map(x); err != nil {
			t.Fatal(err)
		}
	}
}

// Mapping asks for no memory once the exchange has some.
func TestAllocations(t *testing.T) {
	if got := testing.AllocsPerRun(100, run(t)); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func BenchmarkMap(b *testing.B) {
	step := run(b)
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
}

// A value behind much else in a body costs a look at all of it.
func BenchmarkJSONPath(b *testing.B) {
	path, _ := parseJSONPath(".last")
	doc := []byte(`{"items":[`)
	for len(doc) < maxPathBody-100 {
		doc = append(doc, `{"id":1234,"name":"an item","tags":["a","b"]},`...)
	}
	doc = append(doc, `0],"last":"x"}`...)
	var dst []byte
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if dst = path.append(dst[:0], doc); string(dst) != "x" {
			b.Fatalf("%q", dst)
		}
	}
}
