package transform

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"gatehouse/internal/plan"
)

func answered(status int, body string, headers ...plan.Header) *plan.Exchange {
	x := exchange()
	x.Integration = plan.IntegrationReport{Called: true, Status: 200, FunctionStatus: status, RequestID: "f-1"}
	x.Response = plan.Response{Status: status, Headers: headers, Body: []byte(body)}
	return x
}

func TestResponse(t *testing.T) {
	for _, test := range []struct {
		name     string
		mappings map[string]string
		headers  string
		status   int
	}{
		{"nothing", map[string]string{}, "A: 1|b: 2|B: 3|Set-Cookie: c=1|Location: /x|", 200},
		{"append", map[string]string{"append:header.B": "4", "append:header.c": "$response.header.a"}, "A: 1|Set-Cookie: c=1|Location: /x|B: 2,3,4|c: 1|", 200},
		{"append a cookie", map[string]string{"append:header.set-cookie": "d=2", "append:header.Set-Cookie": "e=${response.body.n}"},
			"A: 1|b: 2|B: 3|Set-Cookie: c=1|Location: /x|Set-Cookie: e=5|set-cookie: d=2|", 200},
		{"overwrite a cookie", map[string]string{"overwrite:header.set-cookie": "d=2", "append:header.set-cookie": "e=3"}, "A: 1|b: 2|B: 3|Location: /x|set-cookie: d=2|set-cookie: e=3|", 200},
		{"overwrite", map[string]string{"overwrite:header.location": "https://h${response.header.location}?$stageVariables"}, "A: 1|b: 2|B: 3|Set-Cookie: c=1|location: https://h/x?$stageVariables|", 200},
		{"remove", map[string]string{"remove:header.B": "''", "remove:header.none": "''"}, "A: 1|Set-Cookie: c=1|Location: /x|", 200},
		// Values are those of the response as it came, whatever else is mapped.
		{"swap", map[string]string{"overwrite:header.a": "$response.header.b", "overwrite:header.b": "$response.header.a", "remove:header.location": "''", "append:header.c": "$response.header.location"},
			"Set-Cookie: c=1|a: 2,3|b: 1|c: /x|", 200},
		{"body", map[string]string{"append:header.all": "$response.body", "append:header.e": "<${response.body.list[1].e}>"},
			"A: 1|b: 2|B: 3|Set-Cookie: c=1|Location: /x|all: {\"n\":5, \"list\":[0,{\"e\":\"v\"}],\"status\":\"418\"}|e: <v>|", 200},
		{"context", map[string]string{"append:header.x": "${context.integration.status} ${context.integration.requestId} ${context.stage} ${context.status}${stageVariables.v}"},
			"A: 1|b: 2|B: 3|Set-Cookie: c=1|Location: /x|x: 200 f-1 dev value|", 200},
		{"status", map[string]string{"overwrite:statuscode": "403"}, "A: 1|b: 2|B: 3|Set-Cookie: c=1|Location: /x|", 403},
		{"status of the body", map[string]string{"overwrite:statuscode": "$response.body.status", "append:header.s": "$context.integration.status"}, "A: 1|b: 2|B: 3|Set-Cookie: c=1|Location: /x|s: 200|", 418},
		{"no status", map[string]string{"overwrite:statuscode": "$response.body.none"}, "A: 1|b: 2|B: 3|Set-Cookie: c=1|Location: /x|", 200},
		{"a status that isn't one", map[string]string{"overwrite:statuscode": "$response.body.n"}, "A: 1|b: 2|B: 3|Set-Cookie: c=1|Location: /x|", 200},
		{"an interim status", map[string]string{"overwrite:statuscode": "1${response.header.a}1"}, "A: 1|b: 2|B: 3|Set-Cookie: c=1|Location: /x|", 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, err := NewResponse(map[string]map[string]string{"200": test.mappings, "404": {"overwrite:statuscode": "500"}}, map[string]string{"v": "value"})
			if err != nil {
				t.Fatal(err)
			}
			const body = `{"n":5, "list":[0,{"e":"v"}],"status":"418"}`
			for _, stream := range []bool{false, true} {
				x := answered(200, body, plan.Header{Name: "A", Value: "1"}, plan.Header{Name: "b", Value: "2"}, plan.Header{Name: "B", Value: "3"},
					plan.Header{Name: "Set-Cookie", Value: "c=1"}, plan.Header{Name: "Location", Value: "/x"})
				if stream {
					x.Response.Body, x.Response.BodyStream, x.Response.StreamLength = nil, io.NopCloser(iotest.OneByteReader(strings.NewReader(body))), -1
				}
				if err := m.Map(x); err != nil {
					t.Fatal(err)
				}
				if got := lines(x.Response.Headers); got != test.headers || x.Response.Status != test.status {
					t.Errorf("stream %v: %d %s\nwant %d %s", stream, x.Response.Status, got, test.status, test.headers)
				}
				if got := bodyOf(t, x); got != body {
					t.Errorf("stream %v: the body is now %q", stream, got)
				}
			}
		})
	}
}

// Only the responses with a mapping's status are changed.
func TestResponseOfAnotherStatus(t *testing.T) {
	m, err := NewResponse(map[string]map[string]string{"200": {"append:header.b": "$response.body"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	x := answered(201, "", plan.Header{Name: "a", Value: "1"})
	stream := io.NopCloser(iotest.ErrReader(errors.New("read")))
	x.Response.BodyStream = stream
	if err := m.Map(x); err != nil || lines(x.Response.Headers) != "a: 1|" || x.Response.BodyStream != stream {
		t.Errorf("%s, %v", lines(x.Response.Headers), err)
	}
}

func bodyOf(t *testing.T, x *plan.Exchange) string {
	t.Helper()
	if x.Response.BodyStream == nil {
		return string(x.Response.Body)
	}
	body, err := io.ReadAll(x.Response.BodyStream)
	if err != nil {
		t.Error(err)
	}
	return string(body)
}

// A backend counts what is read of it and whether it was closed.
type backend struct {
	io.Reader
	read   int
	closed bool
	err    error
}

func (b *backend) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += n
	return n, err
}

func (b *backend) Close() error {
	b.closed = true
	return b.err
}

// Of a streamed body no more is read than a mapping may look at, and nothing of
// it gets lost.
func TestResponseStream(t *testing.T) {
	long := `{"a":"x","b":"` + strings.Repeat("0123456789", 100_000) + `"}`
	broken := errors.New("broken")
	for _, test := range []struct {
		name, value string
		body        io.Reader
		most        int
		header      string
		want        string
		err         error
	}{
		{"no need", "$response.header.none", strings.NewReader(long), 0, "", long, nil},
		{"path", "$response.body.a", strings.NewReader(long), 2 * maxPathBody, "x", long, nil},
		{"path behind the cut", "$response.body.b", strings.NewReader(long), 2 * maxPathBody, "", long, nil},
		{"whole", "$response.body", strings.NewReader(long), len(long), long, long, nil},
		{"short", "$response.body.a", strings.NewReader(`{"a":"y"}`), 9, "y", `{"a":"y"}`, nil},
		{"end with the data", "$response.body.a", iotest.DataErrReader(strings.NewReader(`{"a":"y"}`)), 9, "y", `{"a":"y"}`, nil},
		{"empty", "$response.body.a", strings.NewReader(""), 0, "", "", nil},
		{"breaks off", "$response.body.a", io.MultiReader(strings.NewReader(`{"a":"y",`), iotest.ErrReader(broken)), 9, "y", `{"a":"y",`, broken},
		{"breaks off behind the cut", "$response.body.a", io.MultiReader(strings.NewReader(long), iotest.ErrReader(broken)), 2 * maxPathBody, "x", long, broken},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, err := NewResponse(map[string]map[string]string{"200": {"append:header.v": test.value}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			stream := &backend{Reader: test.body, err: errors.New("close")}
			x := answered(200, "")
			x.Response.Body, x.Response.BodyStream, x.Response.StreamLength = nil, stream, 77
			if err := m.Map(x); err != nil {
				t.Fatal(err)
			}
			if stream.read > test.most || stream.closed {
				t.Errorf("%d bytes were read, closed: %v", stream.read, stream.closed)
			}
			if got := x.Response.Headers.Get("v"); got != test.header {
				t.Errorf("%.40q, want %.40q", got, test.header)
			}
			// What comes later must not be read into the bytes that wait.
			x.Scratch = append(x.Scratch, bytes.Repeat([]byte("!"), 1<<10)...)
			body, err := io.ReadAll(x.Response.BodyStream)
			if string(body) != test.want || !errors.Is(err, test.err) {
				t.Errorf("%d bytes, %v, want %d, %v", len(body), err, len(test.want), test.err)
			}
			if x.Response.StreamLength != 77 {
				t.Errorf("the announced length is %d", x.Response.StreamLength)
			}
			if err := x.Response.BodyStream.Close(); !errors.Is(err, stream.err) || !stream.closed {
				t.Errorf("Close: %v, closed: %v", err, stream.closed)
			}
		})
	}
}
