package lambdaevent

import (
	"os"
	"strings"
	"testing"

	"gatehouse/internal/plan"
)

// benchRequest is the request that payloads are measured with, for a @route of
// an HTTP API or a @method of a REST API.
func benchRequest(b testing.TB, kind string) *plan.Exchange {
	return parseExchange(b, []byte(kind+` POST /pets/{id}
@stage dev
@var table=pets
POST /dev/pets/6?limit=10&sort=name HTTP/1.1
Host: a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com
Accept: */*
Accept-Encoding: gzip, br
Authorization: Bearer abcdefghijklmnopqrstuvwxyz
Content-Type: application/json
Cookie: session=0123456789abcdef; theme=dark
User-Agent: Mozilla/5.0 (X11; Linux x86_64)

{"name":"Rex","kind":"dog","tags":["good","boy"],"price":250}
`))
}

func benchReply(b testing.TB) []byte {
	reply, err := os.ReadFile("testdata/reply20/explicit.json")
	if err != nil {
		b.Fatal(err)
	}
	return cutComments(reply)
}

// eventKinds are the events, each with the kind of request it is of.
var eventKinds = map[string]struct {
	kind  string
	event func([]byte, *plan.Exchange) []byte
}{"HTTP20": {"@route", HTTP20}, "HTTP10": {"@route", HTTP10}, "REST": {"@method", REST}}

// Writing an event and reading a reply cost no memory once the buffers are there.
func TestAllocations(t *testing.T) {
	var dst []byte
	for name, e := range eventKinds {
		x := benchRequest(t, e.kind)
		n := testing.AllocsPerRun(100, func() {
			x.Scratch = x.Scratch[:0]
			dst = e.event(dst[:0], x)
		})
		if n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
	reply, buf := benchReply(t), []byte(nil)
	var resp plan.Response
	n := testing.AllocsPerRun(100, func() {
		buf = append(buf[:0], reply...)
		resp.Headers = resp.Headers[:0]
		if err := Reply20(buf, &resp); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("Reply20 allocates %v times", n)
	}
	reply = []byte(`{"statusCode":200,"headers":{"content-type":"text/plain","x-a":"1"},"multiValueHeaders":{"Set-Cookie":["a","b"],"X-A":["1"]},"body":"a\nb"}`)
	x := restReplyExchange("image/*")
	n = testing.AllocsPerRun(100, func() {
		buf = append(buf[:0], reply...)
		x.Response.Headers = x.Response.Headers[:0]
		if err := RESTReply(buf, x); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("RESTReply allocates %v times", n)
	}
}

func BenchmarkEvent(b *testing.B) {
	for name, e := range eventKinds {
		b.Run(name, func(b *testing.B) {
			x := benchRequest(b, e.kind)
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				x.Scratch = x.Scratch[:0]
				dst = e.event(dst[:0], x)
			}
			b.SetBytes(int64(len(dst)))
		})
	}
}

func BenchmarkRESTReply(b *testing.B) {
	reply := []byte(`{"statusCode":200,"headers":{"content-type":"application/json"},"body":"{\"name\":\"Rex\",\"kind\":\"dog\"}"}`)
	buf, x := make([]byte, len(reply)), restReplyExchange()
	b.ReportAllocs()
	b.SetBytes(int64(len(reply)))
	for b.Loop() {
		copy(buf, reply)
		x.Response.Headers = x.Response.Headers[:0]
		if err := RESTReply(buf, x); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReply20(b *testing.B) {
	large := `{"statusCode":200,"body":"` + strings.Repeat(`{\"name\":\"Rex\",\"kind\":\"dog\"},`, 30_000) + `"}`
	for _, size := range []struct {
		name  string
		reply []byte
	}{{"small", benchReply(b)}, {"1MB", []byte(large)}} {
		b.Run(size.name, func(b *testing.B) {
			buf := make([]byte, len(size.reply))
			var resp plan.Response
			b.ReportAllocs()
			b.SetBytes(int64(len(size.reply)))
			for b.Loop() {
				copy(buf, size.reply)
				resp.Headers = resp.Headers[:0]
				if err := Reply20(buf, &resp); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
