package stagecache_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/plan"
	"gatehouse/internal/stagecache"
)

// A clock is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

var minutes5 = plan.CacheTerms{TTL: 5 * time.Minute}

const gigabyte = 1 << 30

func newCaches(maxBytes int64) (*stagecache.Caches, *clock) {
	c := &clock{now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	return stagecache.New(stagecache.Options{MaxBytes: maxBytes, Clock: c.read}), c
}

func id(stage string) stagecache.ID { return stagecache.ID{APIID: "abc", Stage: stage} }

func sum(n int) (s plan.CacheSum) {
	// Anything that looks like a hash.
	r := rand.NewPCG(uint64(n), 7)
	for i := 0; i < len(s); i += 8 {
		binary.LittleEndian.PutUint64(s[i:], r.Uint64())
	}
	return s
}

func response(status int, body string, headers ...string) *plan.Exchange {
	x := &plan.Exchange{Response: plan.Response{Status: status, Body: []byte(body)}}
	for i := 0; i < len(headers); i += 2 {
		x.Response.Add(headers[i], headers[i+1])
	}
	return x
}

// mapped is a response that was made of another one's.
func mapped(status int, x *plan.Exchange) *plan.Exchange {
	x.Integration.Status = status
	return x
}

// keep keeps a response under a number.
func keep(c *stagecache.Cluster, n int, x *plan.Exchange, terms plan.CacheTerms) {
	c.Keep(x, sum(n), c.Begin(), terms)
}

// found is what is kept under a number, as text, "" for nothing.
func found(t testing.TB, c *stagecache.Cluster, n int) string {
	t.Helper()
	x := &plan.Exchange{}
	ok, err := c.Find(x, sum(n))
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		return ""
	}
	var b strings.Builder
	fmt.Fprint(&b, x.Response.Status)
	for _, h := range x.Response.Headers {
		fmt.Fprintf(&b, " %s=%s", h.Name, h.Value)
	}
	return b.String() + " " + string(x.Response.Body)
}

func TestKeep(t *testing.T) {
	long := strings.Repeat("x", stagecache.MaxResponse)
	for _, test := range []struct {
		name  string
		x     *plan.Exchange
		terms plan.CacheTerms
		want  string
	}{
		{"all of a response", response(201, "body", "X-A", "1", "X-B", "", "x-a", "2"), minutes5, "201 X-A=1 X-B= x-a=2 body"},
		{"nothing in it", response(204, ""), minutes5, "204 "},
		{"an error", response(503, "busy"), minutes5, "503 busy"},
		{"sealed", response(200, "body", "X-A", "1", "X-B", ""), plan.CacheTerms{TTL: time.Minute, Sealed: true}, "200 X-A=1 X-B= body"},
		{"nothing in it, sealed", response(204, ""), plan.CacheTerms{TTL: time.Minute, Sealed: true}, "204 "},
		{"a part", response(206, "body"), minutes5, ""},
		{"nothing new", response(304, ""), minutes5, ""},
		{"a condition", response(412, ""), minutes5, ""},
		{"no range", response(416, ""), minutes5, ""},
		{"a part that was mapped", mapped(206, response(200, "bo")), minutes5, ""},
		{"nothing new that was mapped", mapped(304, response(200, "")), minutes5, ""},
		{"an error that was mapped", mapped(500, response(200, "body")), minutes5, "200 body"},
		{"no status", response(0, "body"), minutes5, ""},
		{"just short enough", response(200, long), minutes5, "200 " + long},
		{"too long with its header", response(200, long[1:], "X", "1"), minutes5, ""},
		{"too long once it is sealed", response(200, long), plan.CacheTerms{TTL: time.Minute, Sealed: true}, ""},
		{"too long", response(200, long+"x"), minutes5, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			caches, _ := newCaches(64 << 20)
			c := caches.Cluster(id("test"), gigabyte)
			body := test.x.Response.Body
			keep(c, 1, test.x, test.terms)
			// The exchange's memory is used again.
			for i := range body {
				body[i] = '!'
			}
			if got := found(t, c, 1); got != test.want {
				t.Errorf("got %.60q, want %.60q", got, test.want)
			}
			if got := found(t, c, 2); got != "" {
				t.Errorf("another key has %.60q", got)
			}
			if n := caches.Numbers(); (n.Entries == 1) != (test.want != "") || (n.Bytes > int64(len(test.want))) != (test.want != "") {
				t.Errorf("%+v", n)
			}
		})
	}
}

// A stream gives its pieces, and then err.
type stream struct {
	pieces []string
	err    error
	closed bool
}

func (s *stream) Read(p []byte) (int, error) {
	if len(s.pieces) == 0 {
		return 0, s.err
	}
	n := copy(p, s.pieces[0])
	s.pieces[0] = s.pieces[0][n:]
	if s.pieces[0] == "" {
		s.pieces = s.pieces[1:]
	}
	return n, nil
}

func (s *stream) Close() error {
	s.closed = true
	return nil
}

func TestKeepStream(t *testing.T) {
	mebibyte := strings.Repeat("x", 1<<20)
	broken := errors.New("broken")
	for _, test := range []struct {
		name   string
		pieces []string
		err    error
		length int64
		want   string
	}{
		{"of a length", []string{"one", "two"}, io.EOF, 6, "200 X-A=1 onetwo"},
		{"of no length", []string{"one", "two"}, io.EOF, -1, "200 X-A=1 onetwo"},
		{"an empty one", nil, io.EOF, -1, "200 X-A=1 "},
		{"that breaks off", []string{"one"}, broken, -1, ""},
		{"that ends too soon", []string{"one"}, io.EOF, 6, ""},
		{"that goes on", []string{"one", "two"}, io.EOF, 4, ""},
		{"announced too long", []string{mebibyte, "x"}, io.EOF, 1<<20 + 1, ""},
		{"too long", []string{mebibyte, "x"}, io.EOF, -1, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			caches, _ := newCaches(64 << 20)
			c := caches.Cluster(id("test"), gigabyte)
			x := response(200, "", "X-A", "1")
			from := &stream{pieces: test.pieces, err: test.err}
			want := strings.Join(test.pieces, "")
			x.Response.BodyStream, x.Response.StreamLength = from, test.length
			keep(c, 1, x, minutes5)
			got, err := io.ReadAll(x.Response.BodyStream)
			if string(got) != want || (err != nil) != errors.Is(test.err, broken) {
				t.Errorf("the client gets %.20q, %v", got, err)
			}
			if err := x.Response.BodyStream.Close(); err != nil || !from.closed {
				t.Errorf("closed: %v, %v", from.closed, err)
			}
			if got := found(t, c, 1); got != test.want {
				t.Errorf("got %.60q, want %.60q", got, test.want)
			}
		})
	}
}

// What the client asks for next finds what it has just got the last byte of.
func TestKeptBeforeTheLastByte(t *testing.T) {
	caches, _ := newCaches(1 << 20)
	c := caches.Cluster(id("test"), gigabyte)
	x := response(200, "")
	x.Response.BodyStream, x.Response.StreamLength = &stream{pieces: []string{"onetwo"}, err: io.EOF}, 6
	keep(c, 1, x, minutes5)
	if n, err := x.Response.BodyStream.Read(make([]byte, 6)); n != 6 || err != nil {
		t.Fatal(n, err)
	}
	if got := found(t, c, 1); got != "200 onetwo" {
		t.Errorf("got %q", got)
	}
}

// A client that goes away takes nothing along, nor leaves anything.
func TestAbandonedStream(t *testing.T) {
	caches, _ := newCaches(8 << 20)
	c := caches.Cluster(id("test"), gigabyte)
	// The room for what is being made would be gone after one of these.
	for n := range 50 {
		x := response(200, "")
		x.Response.BodyStream, x.Response.StreamLength = &stream{pieces: []string{"one", "two"}, err: io.EOF}, 1<<20
		keep(c, n, x, minutes5)
		if _, err := x.Response.BodyStream.Read(make([]byte, 3)); err != nil {
			t.Fatal(err)
		}
		if err := x.Response.BodyStream.Close(); err != nil {
			t.Fatal(err)
		}
	}
	x := response(200, "")
	x.Response.BodyStream, x.Response.StreamLength = &stream{pieces: []string{strings.Repeat("x", 1<<20)}, err: io.EOF}, 1<<20
	keep(c, 50, x, minutes5)
	if _, err := io.Copy(io.Discard, x.Response.BodyStream); err != nil {
		t.Fatal(err)
	}
	if n := caches.Numbers(); n.Entries != 1 {
		t.Errorf("%+v", n)
	}
}

func TestTimeToLive(t *testing.T) {
	caches, clock := newCaches(1 << 20)
	c := caches.Cluster(id("test"), gigabyte)
	keep(c, 1, response(200, "a"), minutes5)
	clock.move(5*time.Minute - 1)
	if got := found(t, c, 1); got != "200 a" {
		t.Errorf("just before its end: %q", got)
	}
	clock.move(1)
	if got := found(t, c, 1); got != "" {
		t.Errorf("at its end: %q", got)
	}
	keep(c, 1, response(200, "b"), minutes5)
	if got := found(t, c, 1); got != "200 b" || caches.Numbers().Entries != 1 {
		t.Errorf("anew: %q, %+v", got, caches.Numbers())
	}
}

// Of a crowd that asks for a response near its end one is sent to renew it, once;
// without a crowd it lives to its end.
func TestRenewal(t *testing.T) {
	caches, clock := newCaches(1 << 20)
	c := caches.Cluster(id("test"), gigabyte)
	keep(c, 1, response(200, "a"), minutes5)
	clock.move(5*time.Minute - 10*time.Second - 1)
	for range 100 {
		if found(t, c, 1) == "" {
			t.Fatal("renewed too soon")
		}
	}
	clock.move(1)
	misses := 0
	for range 100 {
		if found(t, c, 1) == "" {
			misses++
		}
	}
	if misses != 1 {
		t.Errorf("%d were sent to renew it, want 1", misses)
	}
	keep(c, 1, response(200, "b"), minutes5)
	if got := found(t, c, 1); got != "200 b" {
		t.Errorf("got %q", got)
	}
}

func TestFlush(t *testing.T) {
	caches, _ := newCaches(1 << 20)
	c, other := caches.Cluster(id("test"), gigabyte), caches.Cluster(id("other"), gigabyte)
	for n := range 100 {
		keep(c, n, response(200, "a"), plan.CacheTerms{TTL: time.Hour, Sealed: n%2 == 0})
	}
	keep(other, 1, response(200, "a"), minutes5)
	underway := c.Begin()
	caches.Flush("abc", "test")
	c.Keep(response(200, "a"), sum(200), underway, minutes5)
	for n := range 201 {
		if got := found(t, c, n); got != "" {
			t.Fatalf("%d is %q", n, got)
		}
	}
	if got := found(t, other, 1); got != "200 a" {
		t.Errorf("another stage's: %q", got)
	}
	if n := caches.Numbers(); n.Entries != 1 || n.Evictions != 0 {
		t.Errorf("%+v", n)
	}
	keep(c, 1, response(200, "b"), plan.CacheTerms{TTL: time.Hour, Sealed: true})
	if got := found(t, c, 1); got != "200 b" {
		t.Errorf("afterwards: %q", got)
	}
}

// A response that took long doesn't replace one that was asked for after it.
func TestOvertaken(t *testing.T) {
	caches, _ := newCaches(1 << 20)
	c := caches.Cluster(id("test"), gigabyte)
	slow, quick := c.Begin(), c.Begin()
	c.Keep(response(200, "new"), sum(1), quick, minutes5)
	c.Keep(response(200, "old"), sum(1), slow, minutes5)
	if got := found(t, c, 1); got != "200 new" {
		t.Errorf("got %q", got)
	}
}

func TestRetain(t *testing.T) {
	caches, _ := newCaches(1 << 20)
	c, kept := caches.Cluster(id("test"), gigabyte), caches.Cluster(id("kept"), gigabyte)
	foreign := caches.Cluster(stagecache.ID{APIID: "other", Stage: "test"}, gigabyte)
	for _, cluster := range []*stagecache.Cluster{c, kept, foreign} {
		keep(cluster, 1, response(200, "a"), minutes5)
	}
	if caches.Cluster(id("test"), gigabyte) != c {
		t.Error("another cluster by the same id")
	}
	caches.Retain("abc", []*stagecache.Cluster{kept, nil})
	keep(c, 2, response(200, "a"), minutes5)
	if found(t, c, 1) != "" || found(t, c, 2) != "" {
		t.Error("a cluster that has ended has responses")
	}
	if found(t, kept, 1) == "" || found(t, foreign, 1) == "" {
		t.Error("other clusters have lost theirs")
	}
	if caches.Cluster(id("test"), gigabyte) == c {
		t.Error("the cluster that has ended is back")
	}
	if n := caches.Numbers(); n.Entries != 2 {
		t.Errorf("%+v", n)
	}
}

// Whoever varies the key passes no bound, and what is in use outlives what isn't.
func TestBounds(t *testing.T) {
	const limit = 4 << 20
	for _, test := range []struct {
		name       string
		all, size  int64
		bodyLength int
	}{
		{"of all", limit, gigabyte, 1000},
		{"of the cluster", gigabyte, limit, 1000},
		{"of all, long ones", limit, gigabyte, 200_000},
	} {
		t.Run(test.name, func(t *testing.T) {
			caches, _ := newCaches(test.all)
			c := caches.Cluster(id("test"), test.size)
			keep(c, -1, response(200, "hot"), minutes5)
			body := strings.Repeat("x", test.bodyLength)
			for n := range 20_000_000 / test.bodyLength {
				keep(c, n, response(200, body), minutes5)
				if found(t, c, -1) == "" {
					t.Fatalf("what is in use is gone after %d", n)
				}
				if used := caches.Numbers().Bytes; used > limit {
					t.Fatalf("%d bytes after %d", used, n)
				}
			}
			if n := caches.Numbers(); n.Bytes < limit*3/4 || n.Evictions == 0 {
				t.Errorf("%+v", n)
			}
		})
	}
}

// What doesn't fit isn't kept, and costs nobody else anything.
func TestTooSmall(t *testing.T) {
	caches, _ := newCaches(100_000)
	c := caches.Cluster(id("test"), gigabyte)
	keep(c, 1, response(200, "a"), minutes5)
	keep(c, 2, response(200, strings.Repeat("x", 100_000)), minutes5)
	if found(t, c, 1) == "" || found(t, c, 2) != "" {
		t.Errorf("%q, %.20q", found(t, c, 1), found(t, c, 2))
	}
	none, _ := newCaches(0)
	c = none.Cluster(id("test"), gigabyte)
	keep(c, 1, response(200, "a"), minutes5)
	if found(t, c, 1) != "" || none.Numbers() != (stagecache.Numbers{}) {
		t.Errorf("without memory: %+v", none.Numbers())
	}
}

// A stage that is flooded pays itself.
func TestLargestGivesWay(t *testing.T) {
	caches, _ := newCaches(4 << 20)
	var small []*stagecache.Cluster
	for n := range 40 {
		c := caches.Cluster(id(fmt.Sprint(n)), gigabyte)
		keep(c, n, response(200, "small"), minutes5)
		small = append(small, c)
	}
	flooded := caches.Cluster(id("flooded"), gigabyte)
	body := strings.Repeat("x", 1000)
	for n := range 20_000 {
		keep(flooded, n, response(200, body), minutes5)
	}
	for n, c := range small {
		if found(t, c, n) == "" {
			t.Errorf("stage %d has lost its response", n)
		}
	}
	// One that begins when all is full gets its share, too.
	late := caches.Cluster(id("late"), gigabyte)
	for n := range 100 {
		keep(late, n, response(200, body), minutes5)
	}
	kept := 0
	for n := range 100 {
		if found(t, late, n) != "" {
			kept++
		}
	}
	if kept != 100 {
		t.Errorf("%d of 100 are kept", kept)
	}
}

// What is too old goes as others come.
func TestExpiredGo(t *testing.T) {
	caches, clock := newCaches(64 << 20)
	c := caches.Cluster(id("test"), gigabyte)
	for n := range 10_000 {
		keep(c, n, response(200, "a"), minutes5)
	}
	clock.move(5 * time.Minute)
	for n := range 10_000 {
		keep(c, -1-n, response(200, "a"), minutes5)
	}
	// Twice as many were looked at as came.
	if n := caches.Numbers(); n.Entries > 11_000 || n.Evictions != 0 {
		t.Errorf("%+v", n)
	}
}

// All at once, for the race detector, and the counts must come out even.
func TestTogether(t *testing.T) {
	caches, clock := newCaches(1 << 20)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(worker), 1))
			for range 3000 {
				c := caches.Cluster(id(fmt.Sprint(r.IntN(4))), 400_000)
				n := r.IntN(200)
				switch r.IntN(20) {
				case 0:
					caches.Flush("abc", fmt.Sprint(r.IntN(4)))
				case 1:
					caches.Retain("abc", []*stagecache.Cluster{c})
				case 2:
					clock.move(time.Second)
				case 3, 4, 5, 6, 7:
					keep(c, n, response(200, strings.Repeat("x", n*50)), plan.CacheTerms{TTL: time.Minute, Sealed: n%3 == 0})
				default:
					x := &plan.Exchange{}
					ok, err := c.Find(x, sum(n))
					if err != nil || ok && !bytes.Equal(x.Response.Body, bytes.Repeat([]byte("x"), n*50)) {
						t.Errorf("%d: %v, %d bytes", n, err, len(x.Response.Body))
					}
				}
				if used := caches.Numbers().Bytes; used > 1<<20+8*12_000 {
					t.Errorf("%d bytes", used)
				}
			}
		})
	}
	all.Wait()
	caches.Retain("abc", nil)
	if n := caches.Numbers(); n.Bytes != 0 || n.Entries != 0 {
		t.Errorf("%+v are left of nothing", n)
	}
}

// A hit costs no memory, and an entry takes no more than it counts for.
func TestAllocations(t *testing.T) {
	for name, sealed := range map[string]bool{"plain": false, "sealed": true} {
		t.Run(name, func(t *testing.T) {
			caches, _ := newCaches(1 << 20)
			c := caches.Cluster(id("test"), gigabyte)
			keep(c, 1, response(200, strings.Repeat("x", 2000), "Content-Type", "text/plain", "X-A", "1"), plan.CacheTerms{TTL: time.Minute, Sealed: sealed})
			x, s := &plan.Exchange{Scratch: make([]byte, 0, 8192)}, sum(1)
			x.Response.Headers = make(plan.Headers, 0, 8)
			got := testing.AllocsPerRun(100, func() {
				x.Scratch = x.Scratch[:0]
				if ok, err := c.Find(x, s); !ok || err != nil || len(x.Response.Body) != 2000 {
					t.Fatal(ok, err)
				}
			})
			if got != 0 {
				t.Errorf("%v allocations", got)
			}
		})
	}
}

func BenchmarkFind(b *testing.B) {
	for _, sealed := range []bool{false, true} {
		b.Run(fmt.Sprintf("sealed=%v", sealed), func(b *testing.B) {
			caches := stagecache.New(stagecache.Options{MaxBytes: 1 << 30})
			c := caches.Cluster(id("test"), gigabyte)
			const keys = 100_000
			sums := make([]plan.CacheSum, keys)
			for n := range keys {
				sums[n] = sum(n)
				keep(c, n, response(200, strings.Repeat("x", 1000), "Content-Type", "text/plain"), plan.CacheTerms{TTL: time.Hour, Sealed: sealed})
			}
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				x := &plan.Exchange{Scratch: make([]byte, 0, 8192)}
				for n := rand.IntN(keys); pb.Next(); n += 7919 {
					x.Scratch = x.Scratch[:0]
					if ok, err := c.Find(x, sums[n%keys]); !ok || err != nil {
						b.Fatal(ok, err)
					}
				}
			})
		})
	}
}

// A put into a full cache, by one who varies the key.
func BenchmarkFlood(b *testing.B) {
	caches := stagecache.New(stagecache.Options{MaxBytes: 64 << 20})
	c := caches.Cluster(id("test"), gigabyte)
	x := response(200, strings.Repeat("x", 1000), "Content-Type", "text/plain")
	b.ReportAllocs()
	for n := range b.N {
		c.Keep(x, sum(n), c.Begin(), plan.CacheTerms{TTL: time.Hour})
	}
}
