package conformance

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// A language in which wrong answers pass would prove nothing, so each
// comparison is tried with what it must take and what it must refuse.

// given are names with values.
func given(values map[string]string) names {
	return func(name string) (string, bool, error) {
		v, ok := values[name]
		return v, ok, nil
	}
}

func newMatch() *match {
	return &match{lookup: given(map[string]string{"main": "abc123"}), bound: map[string]string{}}
}

func TestText(t *testing.T) {
	for _, test := range []struct {
		name, want string
		got        []string // one after the other, with the same names
		ok         bool
	}{
		{"equal", "a.c", []string{"a.c"}, true},
		{"another", "a.c", []string{"abc"}, false},
		{"longer", "a", []string{"ab"}, false},
		{"a known name", "x/$(main)/y", []string{"x/abc123/y"}, true},
		{"another than the known", "x/$(main)", []string{"x/abc124"}, false},
		{"an unknown of its kind", "$(id:requestId)", []string{"zNY_rFDVEllOa-A="}, true},
		{"not of its kind", "$(id:requestId)", []string{"zNY/rFDVEllOa/A"}, false},
		{"equal ids", "$(id:id)", []string{"abcdef", "abcdef"}, true},
		{"different ids", "$(id:id)", []string{"abcdef", "abcdeg"}, false},
		{"equal in one text", "$(id:id) $(id:id)", []string{"abcdef abcdef"}, true},
		{"equal and named once", "$(id:id) $(id)", []string{"abcdef abcdef"}, true},
		{"different and named once", "$(id:id) $(id)", []string{"abcdef abcdeg"}, false},
		{"different in one text", "$(id:id) $(id:id)", []string{"abcdef abcdeg"}, false},
		{"no such kind", "$(id:nothing)", []string{"abcdef"}, false},
		{"no such name", "$(nothing)", []string{"abcdef"}, false},
		{"a time", "$(t:time)", []string{"2026-11-26T17:18:57Z"}, true},
		{"any text", "a$(x:text)c", []string{"a\nbc"}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMatch()
			var err error
			for _, got := range test.got {
				if e := m.text(test.want, got); e != nil {
					err = e
				}
			}
			if (err == nil) != test.ok {
				t.Errorf("%q is %q: %v", test.want, test.got, err)
			}
		})
	}
}

func TestDocument(t *testing.T) {
	for _, test := range []struct {
		name, want, got string
		exact, ok       bool
	}{
		{"part of an object", `{"a": 1}`, `{"a":1,"b":2}`, false, true},
		{"not the whole object", `{"a": 1}`, `{"a":1,"b":2}`, true, false},
		{"the whole object", `{"a": 1, "b": {"c": null}}`, `{"b":{"c":null},"a":1}`, true, true},
		{"more within", `{"a": {"b": 1}}`, `{"a":{"b":1,"c":2}}`, true, false},
		{"a number", `{"a": 1}`, `{"a":2}`, false, false},
		{"a number for a text", `{"a": "1"}`, `{"a":1}`, false, false},
		{"a text for a number", `{"a": 1}`, `{"a":"1"}`, false, false},
		{"null", `{"a": null}`, `{"a":null}`, false, true},
		{"null isn't absent", `{"a": null}`, `{}`, false, false},
		{"absent", `{"a": "$(absent)"}`, `{}`, false, true},
		{"null where it must be absent", `{"a": "$(absent)"}`, `{"a":null}`, false, false},
		{"a list", `["a", 1]`, `["a",1]`, false, true},
		{"a longer list", `["a"]`, `["a","b"]`, false, false},
		{"another order", `["a", "b"]`, `["b","a"]`, false, false},
		{"an object for a list", `["a"]`, `{"a":1}`, false, false},
		{"a boolean", `{"a": true}`, `{"a":false}`, false, false},
		{"a numeric kind", `{"a": "$(e:epoch)"}`, `{"a":1795713537544}`, false, true},
		{"a text for a numeric kind", `{"a": "$(e:epoch)"}`, `{"a":"1795713537544"}`, false, false},
		{"a number for a kind of text", `{"a": "$(e:id)"}`, `{"a":1795713}`, false, false},
		{"equal names", `["$(x:id)", "$(x)"]`, `["abcdef","abcdef"]`, false, true},
		{"different names", `["$(x:id)", "$(x)"]`, `["abcdef","abcdeg"]`, false, false},
		{"a known name of a member", `{"a": "$(x:id)", "b": {"$(x)": 1}}`, `{"a":"abcdef","b":{"abcdef":1}}`, true, true},
		{"another name of a member", `{"a": "$(x:id)", "b": {"$(x)": 1}}`, `{"a":"abcdef","b":{"abcdeg":1}}`, true, false},
		{"an unknown name of a member", `{"$(x)": 1}`, `{"abcdef":1}`, true, false},
		{"not JSON", `{"a": 1}`, `{"a":1`, false, false},
		{"more than JSON", `{"a": 1}`, `{"a":1} x`, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			want, err := decodeJSON([]byte(test.want))
			if err != nil {
				t.Fatal(err)
			}
			if err := newMatch().document(want, []byte(test.got), test.exact); (err == nil) != test.ok {
				t.Errorf("%s is %s: %v", test.want, test.got, err)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	got := &answer{
		line: "HTTP/1.1 200 OK", status: 200,
		lines: []string{"A: 1", "set-cookie: x=1", "Set-Cookie: y=2", "x-amzn-errortype: com.amazonaws#TypeOfError:http://x"},
		body:  []byte(`{"line":"GET / HTTP/1.1","headers":["B: 1","a: 2","B: 3"],"body":"sent","Message":"gone"}`),
	}
	got.headers = fieldsOf(got.lines)
	for _, test := range []struct {
		name string
		want Expect
		ok   bool
	}{
		{"status", Expect{Status: 200}, true},
		{"another status", Expect{Status: 201}, false},
		{"header", Expect{Headers: map[string]any{"a": "1"}}, true},
		{"another value", Expect{Headers: map[string]any{"a": "2"}}, false},
		{"one of two lines", Expect{Headers: map[string]any{"set-cookie": "x=1"}}, false},
		{"two lines", Expect{Headers: map[string]any{"set-cookie": []any{"x=1", "y=2"}}}, true},
		{"two lines in another order", Expect{Headers: map[string]any{"set-cookie": []any{"y=2", "x=1"}}}, false},
		{"header absent", Expect{Headers: map[string]any{"b": absent}}, true},
		{"header there", Expect{Headers: map[string]any{"a": absent}}, false},
		{"header missing", Expect{Headers: map[string]any{"b": "1"}}, false},
		{"lines", Expect{Lines: []string{"A: 1", "Set-Cookie: y=2"}}, true},
		{"a line in another case", Expect{Lines: []string{"a: 1"}}, false},
		{"lines in another order", Expect{Lines: []string{"Set-Cookie: y=2", "A: 1"}}, false},
		{"body", Expect{Body: new("no")}, false},
		{"matches", Expect{Matches: `"GET . HTTP`}, true},
		{"doesn't match", Expect{Matches: "^GET"}, false},
		{"error", Expect{Error: "TypeOfError"}, true},
		{"another error", Expect{Error: "Type"}, false},
		{"message", Expect{Message: "gone"}, true},
		{"another message", Expect{Message: "go"}, false},
		{"received", Expect{Received: &Received{Line: "GET / HTTP/1.1", Headers: map[string]any{"b": []any{"1", "3"}, "c": absent}, Lines: []string{"B: 1", "B: 3"}, Body: new("sent")}}, true},
		{"another line received", Expect{Received: &Received{Line: "GET /x HTTP/1.1"}}, false},
		{"another header received", Expect{Received: &Received{Headers: map[string]any{"a": absent}}}, false},
		{"another case received", Expect{Received: &Received{Lines: []string{"A: 2"}}}, false},
		{"another order received", Expect{Received: &Received{Lines: []string{"a: 2", "B: 1"}}}, false},
		{"another body received", Expect{Received: &Received{Body: new("send")}}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := newMatch().check(&test.want, got); (err == nil) != test.ok {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestLogLines(t *testing.T) {
	got := []string{"Starting execution for request: 1", "HTTP Method: GET", "Method completed with status: 200"}
	for _, test := range []struct {
		name string
		want ExecutionLog
		ok   bool
	}{
		{"some lines", ExecutionLog{Lines: []string{"HTTP Method: GET", "Method completed with status: $(s:number)"}}, true},
		{"all lines", ExecutionLog{Lines: []string{"Starting execution for request: $(id:number)", "HTTP Method: GET", "Method completed with status: 200"}, Exact: true}, true},
		{"more lines than exactly those", ExecutionLog{Lines: []string{"HTTP Method: GET"}, Exact: true}, false},
		{"another line", ExecutionLog{Lines: []string{"HTTP Method: PUT"}}, false},
		{"another order", ExecutionLog{Lines: []string{"Method completed with status: 200", "HTTP Method: GET"}}, false},
	} {
		if err := newMatch().logLines(&test.want, got); (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestRequestBytes(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"only the line", "GET /x?y", "GET /x?y HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"headers as they stand", "GET /\nb: 1\nA:2\n", "GET / HTTP/1.1\r\nHost: h\r\nb: 1\r\nA:2\r\n\r\n"},
		{"a body", "POST /\nA: 1\n\ntwo\nlines\n", "POST / HTTP/1.1\r\nHost: h\r\nA: 1\r\nContent-Length: 9\r\n\r\ntwo\nlines"},
		{"a host and a length of its own", "POST / HTTP/1.0\nhost: i\ncontent-length: 1\n\nbody", "POST / HTTP/1.0\r\nhost: i\r\ncontent-length: 1\r\n\r\nbody"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := string(requestBytes(test.text, "h")); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestExpand(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"a $(main) ${stageVariables.x}", "a abc123 ${stageVariables.x}"},
		{"$(repeat 3 ab)", "ababab"},
		{"$(base64 AP8=)", "\x00\xff"},
	} {
		got, err := expand(test.text, given(map[string]string{"main": "abc123"}))
		if err != nil || got != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.text, got, err, test.want)
		}
	}
	for _, text := range []string{"$(nothing)", "$(repeat x y)", "$(repeat 2)", "$(base64 -)"} {
		if got, err := expand(text, given(nil)); err == nil {
			t.Errorf("%s became %q", text, got)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const evidence = "evidence: {source: documented, where: x}"
	for name, text := range map[string]string{
		"a misspelt field":                        "cases:\n - {name: a, " + evidence + ", request: GET /, expect: {stats: 200}}",
		"no evidence":                             "cases:\n - {name: a, request: GET /, expect: {status: 200}}",
		"another source":                          "cases:\n - {name: a, evidence: {source: hearsay, where: x}, request: GET /, expect: {status: 200}}",
		"nothing expected of a request":           "cases:\n - {name: a, " + evidence + ", request: GET /}",
		"nothing expected of calls":               "cases:\n - {name: a, " + evidence + ", steps: [{call: GetApi}]}",
		"a request without a status":              "cases:\n - {name: a, " + evidence + ", request: GET /, expect: {body: x}}",
		"an execution log of no stage":            "cases:\n - {name: a, " + evidence + ", request: GET /, expect: {status: 200, executionLog: {lines: [x]}}}",
		"a request and steps":                     "cases:\n - {name: a, " + evidence + ", request: GET /, expect: {status: 200}, steps: [{call: GetApi}]}",
		"neither request nor call":                "cases:\n - {name: a, " + evidence + ", expect: {status: 200}}",
		"handshakes without more":                 "cases:\n - {name: a, " + evidence + ", steps: [{connect: /}]}",
		"two things in one step":                  "cases:\n - {name: a, " + evidence + ", steps: [{connect: /, receive: {text: x}}]}",
		"two things to receive":                   "cases:\n - {name: a, " + evidence + ", steps: [{receive: {text: x, nothing: 1}}]}",
		"nothing to receive":                      "cases:\n - {name: a, " + evidence + ", steps: [{receive: {}}]}",
		"a reason without a close":                "cases:\n - {name: a, " + evidence + ", steps: [{receive: {text: x, reason: y}}]}",
		"two things to send":                      "cases:\n - {name: a, " + evidence + ", steps: [{send: {text: x, bytes: '00'}}, {receive: {text: x}}]}",
		"an event without a mark":                 "cases:\n - {name: a, " + evidence + ", steps: [{saw: {function: f, json: {}}}]}",
		"an event nothing is said of":             "cases:\n - {name: a, " + evidence + ", steps: [{saw: {function: f, marks: [x]}}]}",
		"a logged line without a line":            "cases:\n - {name: a, " + evidence + ", steps: [{logged: {group: g, marks: [x]}}]}",
		"an expectation of a message":             "cases:\n - {name: a, " + evidence + ", steps: [{send: {text: x}, expect: {status: 200}}]}",
		"a signature of nobody":                   "cases:\n - {name: a, " + evidence + ", request: GET /, sign: {presigned: true}, expect: {status: 200}}",
		"a call signed in odd ways":               "cases:\n - {name: a, " + evidence + ", call: GetApi, sign: {as: users.a, skew: 9}, expect: {status: 200}}",
		"a signed message":                        "cases:\n - {name: a, " + evidence + ", steps: [{send: {text: x}, sign: {as: users.a}}, {receive: {text: x}}]}",
		"one value that is different":             "cases:\n - {name: a, " + evidence + ", steps: [{different: [x]}]}",
		"a call within a time":                    "cases:\n - {name: a, " + evidence + ", call: GetApi, within: 3, expect: {status: 200}}",
		"a crowd of one":                          "cases:\n - {name: a, " + evidence + ", request: GET /, crowd: {clients: 1, statuses: {200: 1}}}",
		"a crowd with an expectation":             "cases:\n - {name: a, " + evidence + ", request: GET /, crowd: {clients: 2, statuses: {200: 2}}, expect: {status: 200}}",
		"an issuer alone":                         "cases:\n - {name: a, " + evidence + ", steps: [{issuer: {name: x}}]}",
		"a handshake nothing is said of":          "cases:\n - {name: a, " + evidence + ", tls: {}, expect: {status: 200}}",
		"an unknown version":                      "cases:\n - {name: a, " + evidence + ", tls: {versions: ['1.4']}, expect: {refused: true}}",
		"an unknown suite":                        "cases:\n - {name: a, " + evidence + ", tls: {}, expect: {tls: {suite: X}}}",
		"who is refused and answered":             "cases:\n - {name: a, " + evidence + ", request: GET /, tls: {}, expect: {refused: true, status: 200}}",
		"a handshake over plain HTTP":             "cases:\n - {name: a, " + evidence + ", request: GET /, expect: {status: 200, tls: {version: '1.2'}}}",
		"a call over a connection":                "cases:\n - {name: a, " + evidence + ", call: GetApi, connection: c, expect: {status: 200}}",
		"an HTTP/2 connection that is kept":       "cases:\n - {name: a, " + evidence + ", request: GET /, http2: true, connection: c, expect: {status: 200}}",
		"offers of nothing":                       "cases:\n - {name: a, " + evidence + ", offers: {name: x}}",
		"an offer of what isn't known":            "cases:\n - {name: a, " + evidence + ", offers: {name: x, groups: {taken: [X]}}}",
		"a hello that says nothing of the answer": "cases:\n - {name: a, " + evidence + ", hello: {suites: [AES128-SHA]}}",
		"a hello without a suite":                 "cases:\n - {name: a, " + evidence + ", hello: {alert: x}}",
		"a hello with an unknown suite":           "cases:\n - {name: a, " + evidence + ", hello: {suites: [X], alert: x}}",
		"an API with a name that is taken":        "setup: {apis: {account: {}}}",
		"a name twice":                            "cases:\n - {name: a, " + evidence + ", request: GET /, expect: {status: 200}}\n - {name: a, " + evidence + ", request: GET /, expect: {status: 200}}",
	} {
		if _, err := parse("x.yaml", []byte(text)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// TestCorpus checks the corpus without an endpoint: every operation and member
// is AWS's.
func TestCorpus(t *testing.T) {
	client, err := NewClient("http://localhost", "us-east-1", aws.Credentials{}, "../../schema")
	if err != nil {
		t.Fatal(err)
	}
	var files []*File
	for _, dir := range []string{"http", "rest", "websocket", "auth", "domains"} {
		found, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	for _, f := range files {
		for _, c := range f.Cases {
			for _, s := range c.Steps {
				if s.Call == "" {
					continue
				}
				if err := client.Check(s.Call, s.With); err != nil {
					t.Errorf("%s:%d: %v", f.Path, c.line, err)
				}
			}
		}
	}
}

func TestVerdict(t *testing.T) {
	failure := errors.New("got 1, want 2")
	for _, test := range []struct {
		name  string
		fails string
		err   error
		own   bool
		bad   bool
	}{
		{"passes", "", nil, true, false},
		{"fails", "", failure, true, true},
		{"fails as marked", "later", failure, true, false},
		{"passes though marked", "later", nil, true, true},
		{"marked, but another endpoint", "later", failure, false, true},
		{"passes elsewhere though marked", "later", nil, false, false},
	} {
		if text, bad := verdict(&File{}, &Case{Fails: test.fails}, test.err, test.own); bad != test.bad {
			t.Errorf("%s: %t, %s", test.name, bad, text)
		}
	}
	// A case of a marked file may pass or fail.
	for _, err := range []error{nil, failure} {
		if text, bad := verdict(&File{Fails: "later"}, &Case{}, err, true); bad {
			t.Error(text)
		}
	}
}

func TestBackend(t *testing.T) {
	b, err := NewBackend("127.0.0.1:0", "")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	base, err := url.Parse(b.URL)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(request string) (*answer, error) {
		return send(context.Background(), base, "", nil, requestBytes(request, b.Host()))
	}
	for _, test := range []struct {
		request string
		want    Expect
	}{
		{"POST /x?y=1\nb: 1\nA: 2\n\nbody", Expect{Status: 200, Received: &Received{Line: "POST /x?y=1 HTTP/1.1", Lines: []string{"b: 1", "A: 2"}, Body: new("body")}}},
		{"HEAD /x", Expect{Status: 200, Headers: map[string]any{"X-Received": "HEAD /x HTTP/1.1"}, Body: new("")}},
		{"GET /answer?status=418&header=A:+1&header=A:+2&body=hi", Expect{Status: 418, Headers: map[string]any{"A": []any{"1", "2"}, "content-length": "2"}, Body: new("hi")}},
		{"GET /answer?status=204", Expect{Status: 204, Headers: map[string]any{"content-length": absent}, Body: new("")}},
		{"GET /answer?do=chunked&body=abcd", Expect{Status: 200, Headers: map[string]any{"transfer-encoding": "chunked"}, Body: new("abcd")}},
		{"GET /answer?do=close-delimited&body=abcd", Expect{Status: 200, Body: new("abcd")}},
		{"GET /answer?do=early-hints&body=abcd", Expect{Status: 200, Headers: map[string]any{"link": absent}, Body: new("abcd")}},
	} {
		got, err := ask(test.request)
		if err == nil {
			err = newMatch().check(&test.want, got)
		}
		if err != nil {
			t.Errorf("%s: %v", test.request, err)
		}
	}
	for _, do := range []string{"close", "reset", "short", "garbage"} {
		if got, err := ask("GET /answer?do=" + do); err == nil {
			t.Errorf("do=%s answered %s", do, got)
		}
	}
}

func TestReadAnswer(t *testing.T) {
	raw := "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nx-Odd: 1\r\nContent-Length: 2\r\n\r\nokHTTP"
	a, err := readAnswer(bufio.NewReader(strings.NewReader(raw)), http.MethodGet)
	if err != nil || a.status != 200 || string(a.body) != "ok" || a.headers[0] != (field{"x-Odd", "1"}) {
		t.Errorf("%v, %v", a, err)
	}
}

func TestDifferent(t *testing.T) {
	r := &run{scene: newScene(&World{}, "", Setup{}, nil), bound: map[string]string{"a": "1", "b": "2", "c": "1"}}
	if err := r.different([]string{"a", "b"}); err != nil {
		t.Error(err)
	}
	for _, names := range [][]string{{"a", "b", "c"}, {"a", "nothing"}} {
		if r.different(names) == nil {
			t.Errorf("%v differ", names)
		}
	}
}

func TestTimes(t *testing.T) {
	b, err := NewBackend("127.0.0.1:0", "")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, line := range []string{"GET /one HTTP/1.1", "GET /two HTTP/1.1", "GET /two HTTP/1.1"} {
		b.keep(&Echo{Line: line})
	}
	r := &run{world: &World{Options: Options{Backend: b, Settle: time.Second}}, bound: map[string]string{}}
	r.scene = newScene(r.world, "", Setup{}, nil)
	for _, test := range []struct {
		mark  string
		times int
		ok    bool
	}{{"/one", 1, true}, {"/two", 2, true}, {"/two", 1, false}} {
		if err := r.saw(t.Context(), &Saw{Marks: []string{test.mark}, Times: test.times}); (err == nil) != test.ok {
			t.Errorf("%s %d: %v", test.mark, test.times, err)
		}
	}
}

func TestCrowd(t *testing.T) {
	b, err := NewBackend("127.0.0.1:0", "")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	at, err := url.Parse(b.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := newScene(&World{}, "", Setup{}, nil)
	s.apis["main"] = func() (*madeAPI, error) { return &madeAPI{endpoint: at}, nil }
	r := &run{world: s.world, scene: s, bound: map[string]string{}}
	for _, test := range []struct {
		statuses map[int]int
		ok       bool
	}{{map[int]int{418: 5}, true}, {map[int]int{418: 4}, false}, {map[int]int{418: 4, 200: 1}, false}} {
		step := &Step{API: "main", Request: "GET /answer?status=418", Crowd: &Crowd{Clients: 5, Statuses: test.statuses}}
		if err := r.step(t.Context(), step); (err == nil) != test.ok {
			t.Errorf("%v: %v", test.statuses, err)
		}
	}
}

func TestFlatten(t *testing.T) {
	got := url.Values{}
	flatten(got, "Tags", []any{map[string]any{"Key": "k", "Value": "v w"}})
	flatten(got, "Names", []any{"a", "b"})
	flatten(got, "Count", 3)
	if want := "Count=3&Names.member.1=a&Names.member.2=b&Tags.member.1.Key=k&Tags.member.1.Value=v+w"; got.Encode() != want {
		t.Errorf("got %s, want %s", got.Encode(), want)
	}
}
