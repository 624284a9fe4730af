// The race detector makes pools forget on purpose.
//go:build !race

package serve_test

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"testing"

	"github.com/gobwas/ws"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/socket"
)

// A message there and back costs next to no memory of its own.
func TestMessageAllocationBudget(t *testing.T) {
	g := startSockets(t, serve.Options{}, socket.Options{})
	stage := socketStage(g)
	body := []byte("ok")
	stage.Keys = map[string]*plan.Route{"": {Key: "constant", Socket: &plan.SocketRoute{TwoWay: true}, Integration: step(func(x *plan.Exchange) error {
		x.Response.Status, x.Response.Body = 200, body
		return nil
	})}}
	stage.Select = nil
	g.setStage(stage)
	c := g.connect(t)
	frame, answer := ws.MustCompileFrame(ws.MaskFrameInPlace(ws.NewTextFrame([]byte("hello")))), make([]byte, 4)
	roundTrip := func() {
		if _, err := c.Write(frame); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c.r, answer); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		roundTrip()
	}
	const messages = 2000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range messages {
		roundTrip()
	}
	runtime.ReadMemStats(&after)
	allocs := float64(after.Mallocs-before.Mallocs) / messages
	size := float64(after.TotalAlloc-before.TotalAlloc) / messages
	t.Logf("%.2f allocations, %.0f B a message", allocs, size)
	if allocs > 2 || size > 128 {
		t.Errorf("%.2f allocations and %.0f B a message", allocs, size)
	}
}

// An idle connection costs little, its client's end in this process included;
// the kernel's part isn't counted.
func TestIdleConnectionBudget(t *testing.T) {
	g := startSockets(t, serve.Options{}, socket.Options{})
	const connections = 500
	before := inUse()
	all := make([]net.Conn, connections)
	buf := make([]byte, 1024)
	for i := range all {
		nc, err := net.Dial("tcp", g.addr)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = nc
		if _, err := io.WriteString(nc, handshake); err != nil {
			t.Fatal(err)
		}
		for read := 0; !bytes.HasSuffix(buf[:read], []byte("\r\n\r\n")); {
			n, err := nc.Read(buf[read:])
			if err != nil {
				t.Fatal(err)
			}
			read += n
		}
	}
	each := (inUse() - before) / connections
	for _, nc := range all {
		nc.Close()
	}
	t.Logf("%d B a connection", each)
	if each > 6<<10 {
		t.Errorf("an idle connection takes %d B", each)
	}
}

// inUse is the memory of the heap and of stacks.
func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
