// The race detector makes pools forget on purpose.
//go:build !race

package serve_test

import (
	"net"
	"testing"
	"time"

	"gatehouse/internal/serve"
)

// What a stranger holds that begins a handshake and leaves it there.
func TestHalfOpenHandshakeBudget(t *testing.T) {
	start := time.Now() // and no later: no handshake is ended for its time
	g := startGateway(t, serve.Options{Certificate: certificate(t).Certificate, Clock: func() time.Time { return start }}, route(t, "$default", answer("x")))
	for _, test := range []struct {
		name  string
		sent  []byte
		most  int64
		count int
	}{
		{"nothing", nil, 14 << 10, 300},
		{"a record's head", []byte{0x16, 3, 1, 6 << 2, 0}, 30 << 10, 300},
		{"most of an ordinary message", longOrdinary(), 44 << 10, 300},
		{"most of the longest message", longHello(), 160 << 10, 200},
	} {
		before := inUse()
		all := make([]net.Conn, test.count)
		for i := range all {
			nc, err := net.Dial("tcp", g.addr)
			if err != nil {
				t.Fatal(err)
			}
			all[i] = nc
			if _, err := nc.Write(test.sent); err != nil {
				t.Fatal(err)
			}
		}
		// Until all of it was read: memory stops growing.
		each, last := (inUse()-before)/int64(test.count), int64(-1)
		for deadline := time.Now().Add(5 * time.Second); each != last && time.Now().Before(deadline); {
			<-time.After(100 * time.Millisecond)
			last, each = each, (inUse()-before)/int64(test.count)
		}
		t.Logf("%s: %d B a connection", test.name, each)
		if each > test.most {
			t.Errorf("%s: %d B a connection", test.name, each)
		}
		for _, nc := range all {
			if err := nc.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// longOrdinary begins a message that is as long as ordinary ones are.
func longOrdinary() []byte {
	const size = 6<<10 - 4
	return append([]byte{0x16, 3, 1, 6 << 2, 0, 1, 0, size >> 8, size & 0xff}, make([]byte, size-1)...)
}
