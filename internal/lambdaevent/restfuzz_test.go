package lambdaevent

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"gatehouse/internal/plan"
)

// An event of a REST API is JSON whatever the client sent, has its twelve
// members, and shows path and body as they came.
func FuzzREST(f *testing.F) {
	f.Add("/a%20b/%C3%A4/", "x=1&x=%22;y", "X-A: 1\nx-a: 2\nAccept: */*", []byte("\x00\xff\"\\"), true)
	f.Add("/%ff//", "%=%&+=+", "Content-Type: text/plain", []byte("a\u2028\x7f\xc3"), false)
	f.Fuzz(func(t *testing.T, path, query, headers string, body []byte, binary bool) {
		if !strings.HasPrefix(path, "/") {
			return
		}
		stage := &plan.Stage{API: &plan.API{ID: "a", AccountID: "1"}, Name: "s", Rest: &plan.RestStage{}}
		if binary {
			stage.Rest.BinaryTypes = plan.NewMediaTypes([]string{"*/*"})
		}
		x := &plan.Exchange{Stage: stage, GatewayPath: "/s" + path, StagePath: path, TraceHeader: "Root=1", Start: time.Unix(0, 0)}
		x.Request = plan.Request{Method: "GET", Path: path, Query: query, Body: body, Source: netip.MustParseAddrPort("[::1]:1")}
		for line := range strings.SplitSeq(headers, "\n") {
			if name, value, ok := strings.Cut(line, ": "); ok && isToken(name) {
				x.Request.Headers = append(x.Request.Headers, plan.Header{Name: name, Value: value})
			}
		}
		x.Route = &plan.Route{Key: "ANY /{p+}", Method: "ANY", Path: "/{p+}", ParamNames: []string{"p"}, Greedy: true, Rest: &plan.Method{}}
		x.Params = []string{path[1:]}

		payload := REST(nil, x)
		var members map[string]json.RawMessage
		decode(t, payload, &members)
		if len(members) != 12 {
			t.Fatalf("%d members in %s", len(members), payload)
		}
		var event struct {
			Path                                               string
			PathParameters                                     map[string]string
			Headers, QueryStringParameters                     map[string]string
			MultiValueHeaders, MultiValueQueryStringParameters map[string][]string
			Body                                               *string
			IsBase64Encoded                                    bool
			RequestContext                                     struct{ Path string }
		}
		decode(t, payload, &event)
		if want := decodeText(path); event.Path != want || event.RequestContext.Path != "/s"+want || event.PathParameters["p"] != want[1:] {
			t.Errorf("paths %+v, want %q", event, want)
		}
		lastOfAll(t, event.Headers, event.MultiValueHeaders)
		lastOfAll(t, event.QueryStringParameters, event.MultiValueQueryStringParameters)
		switch {
		case len(body) == 0:
			if event.Body != nil || event.IsBase64Encoded {
				t.Errorf("no body shows as %v, %t", event.Body, event.IsBase64Encoded)
			}
		case event.IsBase64Encoded:
			got, err := base64.StdEncoding.DecodeString(*event.Body)
			if err != nil || !bytes.Equal(got, body) || !binary {
				t.Errorf("body %q, want %q: %v", got, body, err)
			}
		case *event.Body != decodeText(string(body)):
			t.Errorf("body %q, want %q", *event.Body, body)
		}
	})
}

// lastOfAll checks that single has the last of all values of each name.
func lastOfAll(t *testing.T, single map[string]string, all map[string][]string) {
	t.Helper()
	if len(single) != len(all) {
		t.Errorf("%d names, %d with all values", len(single), len(all))
	}
	for name, values := range all {
		if single[name] != values[len(values)-1] {
			t.Errorf("%s is %q, the last of %q", name, single[name], values)
		}
	}
}

// A twin made of encoding/json agrees on which results are responses.
func FuzzRESTReplies(f *testing.F) {
	for _, result := range []string{
		`{"statusCode":200,"headers":{"a":"b","c":1},"body":"\u00e4\ud83d\ude00\ud800x\n"}`,
		`{"statusCode":"201","multiValueHeaders":{"a":["b",true,null]},"headers":{"A":"c"},"isBase64Encoded":true,"body":"YQ=="}`,
		`{}`, `[1]`, ` null `, `{"a":}`, `{"body":1,"x":2}`, `{"body":true,"isBase64Encoded":true}`, `{"statusCode":200}x`,
	} {
		f.Add([]byte(result), true)
		f.Add([]byte(result), false)
	}
	known := []string{"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
	f.Fuzz(func(t *testing.T, result []byte, accepts bool) {
		x := restReplyExchange("image/png")
		if accepts {
			x.Request.Headers = plan.Headers{{Name: "accept", Value: "image/png"}}
		}
		err := RESTReply(slices.Clone(result), x)
		checkResponse(t, err, &x.Response)
		if errors.Is(err, ErrNotBase64) && !accepts {
			t.Fatalf("%q was decoded", result)
		}
		if err != nil {
			return
		}
		var object map[string]any
		if json.Unmarshal(result, &object) != nil || object == nil {
			t.Fatalf("%q made %+v", result, x.Response)
		}
		for name := range object {
			if !slices.Contains(known, name) {
				t.Fatalf("%q has %q and made %+v", result, name, x.Response)
			}
		}
		body, isText := object["body"].(string)
		if !isText || !utf8.Valid(result) {
			return
		}
		want := []byte(body)
		if object["isBase64Encoded"] == true && accepts {
			if want, err = base64.StdEncoding.DecodeString(body); err != nil {
				t.Fatalf("%q isn't base64: %v", body, err)
			}
		}
		if !bytes.Equal(want, x.Response.Body) {
			t.Fatalf("body %q, want %q", x.Response.Body, want)
		}
	})
}

// Metadata of a stream never makes anything but the head of a response.
func FuzzRESTStreamHeads(f *testing.F) {
	for _, metadata := range []string{`{"statusCode":200,"headers":{"a":"b"},"cookies":["c"]}`, `{"cookies":"a"}`, `[]`, `{}x`} {
		f.Add([]byte(metadata))
	}
	f.Fuzz(func(t *testing.T, metadata []byte) {
		x := restReplyExchange()
		err := RESTStreamHead(slices.Clone(metadata), x)
		checkResponse(t, err, &x.Response)
		if err == nil && (!json.Valid(metadata) || x.Response.Body != nil) {
			t.Fatalf("%q made %+v", metadata, x.Response)
		}
	})
}
