package lambdaevent

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"gatehouse/internal/plan"
)

// An event is JSON whatever the client sent, and what it says of the body, the
// query and the headers is what net/url and encoding/json would say.
func FuzzEvents(f *testing.F) {
	f.Add("/a%20b/%C3%A4", "x=1&x=%22&y", "X-A: 1\nx-a: 2\ncookie: a=1; b", []byte("\x00\xff\"\\"))
	f.Add("/%ff/%3F", "%=%&+=+", "Content-Type: text/plain", []byte("a\u2028\x7f\xc3"))
	f.Fuzz(func(t *testing.T, path, query, headers string, body []byte) {
		if !strings.HasPrefix(path, "/") {
			return
		}
		stage := &plan.Stage{API: &plan.API{ID: "a", AccountID: "1"}, Name: "$default"}
		x := &plan.Exchange{Stage: stage, GatewayPath: path, StagePath: path, RequestID: "r", TraceRoot: "t", Start: time.Unix(0, 0)}
		x.Request = plan.Request{Method: "GET", Path: path, Query: query, Body: body, Source: netip.MustParseAddrPort("[::1]:1")}
		for line := range strings.SplitSeq(headers, "\n") {
			if name, value, ok := strings.Cut(line, ": "); ok && isToken(name) {
				x.Request.Headers = append(x.Request.Headers, plan.Header{Name: name, Value: value})
			}
		}
		x.Route = &plan.Route{Key: "ANY /{p+}", Method: "ANY", Path: "/{p+}", ParamNames: []string{"p"}, Greedy: true}
		x.Params = []string{path[1:]}

		var v2 struct {
			RawPath         string
			Cookies         []string
			Headers         map[string]string
			Body            string
			IsBase64Encoded bool
		}
		decode(t, HTTP20(nil, x), &v2)
		var v1 struct {
			Headers           map[string]string
			MultiValueHeaders map[string][]string
			Body              *string
			IsBase64Encoded   bool
		}
		decode(t, HTTP10(nil, x), &v1)

		if want := decodeText(decodedPath(x, path)); v2.RawPath != want {
			t.Errorf("rawPath %q, want %q", v2.RawPath, want)
		}
		got := []byte(v2.Body)
		if v2.IsBase64Encoded {
			var err error
			if got, err = base64.StdEncoding.DecodeString(v2.Body); err != nil || !bytes.Equal(got, body) {
				t.Errorf("body %q, want %q: %v", got, body, err)
			}
		} else if want := decodeText(string(body)); string(got) != want {
			t.Errorf("body %q, want %q", got, want)
		}
		if (v1.Body == nil) != (len(body) == 0) || v1.IsBase64Encoded != v2.IsBase64Encoded {
			t.Errorf("1.0 has body %v, base64 %t", v1.Body, v1.IsBase64Encoded)
		}
		// The two versions show the same headers, but for cookies and case.
		if len(v1.Headers) != len(v1.MultiValueHeaders) {
			t.Errorf("%d headers, %d with all values", len(v1.Headers), len(v1.MultiValueHeaders))
		}
		for name, values := range v1.MultiValueHeaders {
			if v1.Headers[name] != values[len(values)-1] {
				t.Errorf("header %s is %q, the last of %q", name, v1.Headers[name], values)
			}
			if lowered := strings.ToLower(name); lowered != "cookie" && v2.Headers[lowered] != strings.Join(values, ",") {
				t.Errorf("header %s: 2.0 has %q, 1.0 has %q", name, v2.Headers[lowered], values)
			}
		}
		if _, ok := v2.Headers["cookie"]; ok || slices.Contains(v2.Cookies, "") {
			t.Errorf("cookies %q beside %q", v2.Cookies, v2.Headers)
		}
	})
}

func decode(t *testing.T, event []byte, into any) {
	t.Helper()
	if !utf8.Valid(event) {
		t.Fatalf("the event isn't UTF-8: %q", event)
	}
	if err := json.Unmarshal(event, into); err != nil {
		t.Fatalf("%v in %s", err, event)
	}
}

// decodeText replaces what isn't UTF-8, byte by byte, as encoding/json does.
func decodeText(text string) string {
	return string([]rune(text))
}

// A twin made of encoding/json agrees on which results are JSON and on the
// texts in them.
func FuzzReplies(f *testing.F) {
	for _, result := range []string{
		`{"statusCode":200,"headers":{"a":"b","c":1},"body":"\u00e4\ud83d\ude00\ud800x\n","cookies":["a"]}`,
		`{"statusCode":"201","multiValueHeaders":{"a":["b",true,null]},"isBase64Encoded":true,"body":"YQ=="}`,
		`"\ud800\u0041"`, `[1,-0.5e+7,{"a":[]}]`, `{"body":1,"statusCode":200}`, ` null `, `{"a":}`, `01`, `"\x"`, `{"statusCode":200}x`,
	} {
		f.Add([]byte(result))
	}
	f.Fuzz(func(t *testing.T, result []byte) {
		valid := json.Valid(result)
		var object map[string]any
		decoded := json.Unmarshal(result, &object) == nil && object != nil

		var resp plan.Response
		err := Reply20(slices.Clone(result), &resp)
		switch {
		case !valid:
			if err == nil {
				t.Fatalf("%q isn't JSON and made %+v", result, resp)
			}
		case !decoded || object["statusCode"] == nil:
			if err != nil {
				t.Fatalf("%q: %v", result, err)
			}
			var text string
			if json.Unmarshal(result, &text) == nil && utf8.Valid(result) && bytes.TrimSpace(result)[0] == '"' {
				if string(resp.Body) != text {
					t.Fatalf("body %q, want %q", resp.Body, text)
				}
			} else if want := bytes.Trim(result, " \t\r\n"); bytes.TrimSpace(result)[0] != '"' && !bytes.Equal(resp.Body, want) {
				t.Fatalf("body %q, want %q", resp.Body, want)
			}
		case err == nil:
			checkExplicit(t, object, &resp, utf8.Valid(result))
		}
		checkResponse(t, err, &resp)
		checkFiltered(t, &resp)

		resp = plan.Response{}
		err = Reply10(slices.Clone(result), &resp)
		if err == nil && (!valid || !decoded || object["statusCode"] == nil) {
			t.Fatalf("%q made %+v", result, resp)
		}
		checkResponse(t, err, &resp)
		checkFiltered(t, &resp)
	})
}

func checkExplicit(t *testing.T, object map[string]any, resp *plan.Response, isUTF8 bool) {
	t.Helper()
	body, isText := object["body"].(string)
	if !isText && object["body"] != nil {
		t.Fatalf("a body of %v was taken", object["body"])
	}
	if object["isBase64Encoded"] == true {
		want, err := base64.StdEncoding.DecodeString(body)
		if err != nil || !bytes.Equal(want, resp.Body) {
			t.Fatalf("body %q, want %q, %v", resp.Body, want, err)
		}
	} else if isUTF8 && string(resp.Body) != body {
		t.Fatalf("body %q, want %q", resp.Body, body)
	}
	headers, _ := object["headers"].(map[string]any)
	for name, value := range headers {
		text, ok := value.(string)
		if !ok || !isUTF8 || ownHeader(name) {
			continue
		}
		if !slices.Contains(resp.Headers, plan.Header{Name: name, Value: text}) {
			t.Fatalf("header %q: %q isn't in %q", name, text, resp.Headers)
		}
	}
}

// checkResponse checks what must hold of every response, whatever it came from.
func checkResponse(t *testing.T, err error, resp *plan.Response) {
	t.Helper()
	checkWhole(t, err, resp)
	if err != nil {
		return
	}
	if _, ok := resp.Headers.Lookup("content-type"); !ok {
		t.Fatal("no content-type")
	}
}

// checkWhole checks that a response is one, or that an error left nothing of it.
func checkWhole(t *testing.T, err error, resp *plan.Response) {
	t.Helper()
	if err != nil {
		if resp.Status != 0 || len(resp.Headers) != 0 || resp.Body != nil {
			t.Fatalf("an error left %+v", resp)
		}
		return
	}
	if resp.Status < 200 || resp.Status > 599 {
		t.Fatalf("status %d", resp.Status)
	}
	for _, h := range resp.Headers {
		if !isToken(h.Name) || strings.ContainsAny(h.Value, "\r\n\x00") {
			t.Fatalf("header %+v", h)
		}
	}
}

// checkFiltered checks that the headers which are the gateway's are gone.
func checkFiltered(t *testing.T, resp *plan.Response) {
	t.Helper()
	if _, ok := resp.Headers.Lookup("content-length"); ok {
		t.Fatalf("headers %+v", resp.Headers)
	}
}
