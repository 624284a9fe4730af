package plan

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"
)

func texts(t *Trace) []string {
	var list []string
	for _, l := range t.Lines {
		list = append(list, l.Text)
	}
	return list
}

// Each level has its lines, and headers and bodies need data tracing too.
func TestTraceLevels(t *testing.T) {
	for _, test := range []struct {
		logging ExecutionLogging
		want    []string
	}{
		{ExecutionLogging{}, nil},
		{ExecutionLogging{LogError, true}, []string{"failed: 7"}},
		{ExecutionLogging{LogInfo, false}, []string{"info", "failed: 7"}},
		{ExecutionLogging{LogInfo, true}, []string{"info", "data 5", "H: {a=b}", "B: body", "failed: 7"}},
	} {
		var trace Trace
		trace.Begin(test.logging, time.Now)
		trace.Info("info")
		trace.DataInfo("data %d", 5)
		trace.DataHeaders("H", Headers{{"a", "b"}})
		trace.DataBody("B", []byte("body"))
		if trace.Failed() {
			t.Errorf("%+v failed early", test.logging)
		}
		trace.Error("failed: %d", 7)
		if got := texts(&trace); !slices.Equal(got, test.want) {
			t.Errorf("%+v: %q, want %q", test.logging, got, test.want)
		}
		if trace.Failed() != (test.logging.Level >= LogError) {
			t.Errorf("%+v: failed %t", test.logging, trace.Failed())
		}
	}
}

func TestTraceData(t *testing.T) {
	now := time.Unix(1, 2)
	var trace Trace
	trace.Begin(ExecutionLogging{LogInfo, true}, func() time.Time { return now })
	trace.DataHeaders("H", nil)
	trace.DataHeaders("H", Headers{{"Accept", "*/*"}, {"authorization", "Bearer secret-token"}, {"X-Api-Key", "12345"}, {"X-Amz-Security-Token", "1234567"}})
	trace.DataHeaders("H", Headers{{"long", strings.Repeat("x", 2000)}, {"never", "shown"}})
	trace.DataBody("B", nil)
	trace.DataBody("B", []byte{0xff, 0xd8})
	trace.DataBody("B", []byte(strings.Repeat("€", 1000)))
	trace.DataBody("B", []byte("a\nb%s"))
	trace.Info("%s", "\xff")
	want := []string{
		"H: {}",
		"H: {Accept=*/*, authorization=*************-token, X-Api-Key=*****, X-Amz-Security-Token=*234567}",
		"H: {long=" + strings.Repeat("x", MaxTraceText-9) + " [TRUNCATED]",
		"B: ",
		"B: [Binary Data]",
		"B: " + strings.Repeat("€", 340) + " [TRUNCATED]",
		"B: a\nb%s",
		"\ufffd",
	}
	if got := texts(&trace); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, l := range trace.Lines {
		if !utf8.ValidString(l.Text) || !l.At.Equal(now) {
			t.Errorf("%s at %v", l.Text, l.At)
		}
	}
	trace.Error("x")
	old := trace.Lines
	trace.Begin(ExecutionLogging{Level: LogError}, time.Now)
	if len(trace.Lines) > 0 || trace.Failed() || trace.Data || old[0] != (TraceLine{}) {
		t.Errorf("%+v after Begin", trace)
	}
}

func TestMasked(t *testing.T) {
	for secret, want := range map[string]string{"": "", "12345": "*****", "123456": "******", "1234567": "*234567"} {
		if got := Masked(secret); got != want {
			t.Errorf("%q: %q, want %q", secret, got, want)
		}
	}
}

func TestMaskedURI(t *testing.T) {
	for uri, want := range map[string]string{
		"http://a/b":      "http://a/b",
		"http://a/b?":     "http://a/b?",
		"http://a/b?c=d&": "http://a/b?c=d&",
		"http://a/b?X-Amz-Signature=0123456789&X-Amz-Date=1": "http://a/b?X-Amz-Signature=****456789&X-Amz-Date=1",
		"http://a/b?c&x-amz-security%2Dtoken=0123456789":     "http://a/b?c&x-amz-security%2Dtoken=****456789",
		"http://a/b?Authorization&x-api-key=&=X-Amz-Date":    "http://a/b?Authorization&x-api-key=&=X-Amz-Date",
	} {
		if got := MaskedURI(uri); got != want {
			t.Errorf("%s: %s, want %s", uri, got, want)
		}
	}
}

// What a trace shows of a stream is sent all the same.
func TestTraceStream(t *testing.T) {
	var trace Trace
	trace.Begin(ExecutionLogging{LogInfo, true}, time.Now)
	for _, test := range []struct {
		reader io.Reader
		shown  string
		err    error
	}{
		{strings.NewReader("hello"), "hello", nil},
		{iotest.OneByteReader(strings.NewReader("hello")), "h", nil},
		{iotest.DataErrReader(strings.NewReader("hello")), "hello", nil},
		{io.MultiReader(strings.NewReader("hello"), iotest.ErrReader(io.ErrUnexpectedEOF)), "hello", io.ErrUnexpectedEOF},
		{iotest.ErrReader(io.ErrUnexpectedEOF), "", io.ErrUnexpectedEOF},
	} {
		r := Response{BodyStream: io.NopCloser(test.reader)}
		trace.DataResponse("B", &r)
		body, err := io.ReadAll(r.BodyStream)
		want := "hello"
		if test.shown == "" {
			want = ""
		}
		if string(body) != want || !errors.Is(err, test.err) {
			t.Errorf("%q, %v of a stream that shows %q", body, err, test.shown)
		}
		if got := trace.Lines[len(trace.Lines)-1].Text; got != "B: "+test.shown {
			t.Errorf("line %q, want %q", got, test.shown)
		}
	}
	trace.DataResponse("B", &Response{Body: []byte("whole")})
	if got := trace.Lines[len(trace.Lines)-1].Text; got != "B: whole" {
		t.Errorf("line %q", got)
	}
}
