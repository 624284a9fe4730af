package transform

import (
	"strings"
	"testing"

	"gatehouse/internal/plan"
)

// Whatever is in a mapping and in a message, nothing gets out of its place: no
// control character into a header, nothing but a path into the path, no
// parameter beside the mapped ones into the query.
func FuzzMapping(f *testing.F) {
	f.Add("${request.header.x}-${request.querystring.q}", "a\r\nb", "q=%0d%0a&q=%26%3D", "/a%0d%3F", []byte(`{"a":"\r\n"}`))
	f.Add("$request.body.a", "", "", "/", []byte(`{"a":"\r\n\u0000?#&="}`))
	f.Add("/x?y#z %zz%20", "", "&&=&a", "/%", []byte{0})
	f.Add("$response.body['a'][0]", "v", "", "/", []byte(`{"a":["v"]}`))
	f.Fuzz(func(t *testing.T, value, header, query, path string, body []byte) {
		x := exchange()
		x.Request.Headers = plan.Headers{{Name: "x", Value: header}, {Name: "keep", Value: "k"}}
		x.Request.Query, x.StagePath, x.Params, x.Request.Body = query, path, []string{path, path}, body
		request, err := NewRequest(map[string]string{
			"append:header.x": value, "overwrite:header.y": value, "overwrite:path": value, "overwrite:querystring.q": value,
		}, map[string]string{"v": value})
		if err == nil {
			if err := request.Map(x); err != nil {
				t.Fatal(err)
			}
			checkHeaders(t, x.Mapped.Headers, header)
			checkTarget(t, x, query)
		}
		x.Response = plan.Response{Status: 200, Headers: plan.Headers{{Name: "x", Value: "1"}}, Body: body}
		response, err := NewResponse(map[string]map[string]string{"200": {"append:header.x": value, "overwrite:header.y": value, "overwrite:statuscode": value}}, nil)
		if err == nil {
			if err := response.Map(x); err != nil {
				t.Fatal(err)
			}
			checkHeaders(t, x.Response.Headers, "1")
			if s := x.Response.Status; s < 200 || s > 599 {
				t.Errorf("status %d", s)
			}
		}
	})
}

// checkHeaders checks all headers but the one that came with the message.
func checkHeaders(t *testing.T, headers plan.Headers, own string) {
	for _, h := range headers {
		value := strings.ReplaceAll(h.Value, own, "")
		for i := range len(value) {
			if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
				t.Errorf("%s: %q", h.Name, h.Value)
			}
		}
	}
}

func checkTarget(t *testing.T, x *plan.Exchange, query string) {
	if !strings.HasPrefix(x.Mapped.Path, "/") {
		t.Errorf("path %q", x.Mapped.Path)
	}
	for i := range len(x.Mapped.Path) {
		if c := x.Mapped.Path[i]; !plainInPath[c] && c != '%' {
			t.Errorf("path %q", x.Mapped.Path)
		}
	}
	found := 0
	for piece := range strings.SplitSeq(x.Mapped.Query, "&") {
		name, value, _ := strings.Cut(piece, "=")
		if string(plan.AppendDecodedQuery(nil, name)) != "q" {
			continue
		}
		found++
		for i := range len(value) {
			if c := value[i]; !plainInQuery[c] && c != '%' {
				t.Errorf("query %q", x.Mapped.Query)
			}
		}
	}
	if found > 1 {
		t.Errorf("query %q of %q", x.Mapped.Query, query)
	}
}
