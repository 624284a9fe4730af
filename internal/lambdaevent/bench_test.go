package lambdaevent

import (
	"os"
	"strings"
	"testing"

	"gatehouse/internal/plan"
)

func benchExchange(b testing.TB) *plan.Exchange {
	return parseExchange(b, []byte(`@route POST /pets/{id}
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

// Writing an event and reading a reply cost no memory once the buffers are there.
func TestAllocations(t *testing.T) {
	x := benchExchange(t)
	var dst []byte
	for name, event := range map[string]func([]byte, *plan.Exchange) []byte{"HTTP20": HTTP20, "HTTP10": HTTP10} {
		n := testing.AllocsPerRun(100, func() {
			x.Scratch = x.Scratch[:0]
			dst = event(dst[:0], x)
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
}

func BenchmarkEvent(b *testing.B) {
	for name, event := range map[string]func([]byte, *plan.Exchange) []byte{"HTTP20": HTTP20, "HTTP10": HTTP10} {
		b.Run(name, func(b *testing.B) {
			x := benchExchange(b)
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				x.Scratch = x.Scratch[:0]
				dst = event(dst[:0], x)
			}
			b.SetBytes(int64(len(dst)))
		})
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
