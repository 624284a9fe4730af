package serve_test

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/serve"
)

// longHello begins a ClientHello of 60,000 bytes and leaves its last byte out.
func longHello() []byte {
	const size = 60_000
	message := append([]byte{1, size >> 16, size >> 8 & 0xff, size & 0xff}, make([]byte, size-1)...)
	var raw []byte
	for len(message) > 0 {
		n := min(len(message), 16<<10)
		raw = append(raw, 0x16, 3, 1)
		raw = binary.BigEndian.AppendUint16(raw, uint16(n))
		raw, message = append(raw, message[:n]...), message[n:]
	}
	return raw
}

// Who begins long handshakes and doesn't end them takes a bounded number of places,
// and ordinary ones go on.
func TestLongHandshakes(t *testing.T) {
	start := time.Now() // and no later: no handshake is ended for its time
	g := startGateway(t, serve.Options{Certificate: certificate(t).Certificate, Clock: func() time.Time { return start }}, route(t, "$default", answer("x")))
	const places, tried = 256, 300
	raw := longHello()
	ends := make(chan error, tried)
	for range tried {
		nc := dial(t, g.addr)
		if err := nc.SetDeadline(time.Now().Add(5 * time.Minute)); err != nil {
			t.Fatal(err)
		}
		go func() {
			if _, err := nc.Write(raw); err != nil {
				ends <- err
				return
			}
			_, err := nc.Read(make([]byte, 1))
			ends <- err
		}()
	}
	for range tried - places {
		if err := <-ends; err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("one too many: %v", err)
		}
	}
	nc, err := tls.Dial("tcp", g.addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatalf("beside them: %v", err)
	}
	if err := nc.Close(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-ends:
		t.Errorf("one of those that had a place ended: %v", err)
	default:
	}
}

// A long handshake that comes to its end gives its place back: a client with many
// protocols to offer, one after the other.
func TestLongHandshakesEnd(t *testing.T) {
	g := startGateway(t, serve.Options{Certificate: certificate(t).Certificate}, route(t, "$default", answer("x")))
	config := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}
	for len(config.NextProtos) < 100 {
		config.NextProtos = append(config.NextProtos, string(make([]byte, 200)))
	}
	for range 300 {
		nc, err := tls.Dial("tcp", g.addr, config)
		if err != nil {
			t.Fatal(err)
		}
		if err := nc.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A handshake that doesn't end is ended.
func TestHandshakeTime(t *testing.T) {
	var ahead atomic.Int64
	g := startGateway(t, serve.Options{Certificate: certificate(t).Certificate, HeadTimeout: time.Hour, Clock: func() time.Time {
		return time.Now().Add(time.Duration(ahead.Load()))
	}}, route(t, "$default", answer("x")))
	nc := dial(t, g.addr)
	if err := nc.SetDeadline(time.Now().Add(5 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := nc.Write([]byte{0x16, 3, 1, 1, 0, 1}); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { _, err := nc.Read(make([]byte, 1)); ended <- err }()
	// The handshake begins at a moment that isn't seen: time moves on until it is past
	// the handshake's, and not that of a head.
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for at := 11 * time.Second; at < 50*time.Minute; at += 11 * time.Second {
		ahead.Store(int64(at))
		select {
		case err := <-ended:
			if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error(err)
			}
			return
		case <-tick.C:
		}
	}
	t.Error("it goes on")
}
