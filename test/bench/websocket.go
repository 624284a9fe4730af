package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
	"golang.org/x/sync/errgroup"
)

const (
	// openers is how many connections are opened at a time.
	openers = 16
	// broadcastTo is how many clients get the same message.
	broadcastTo = 10_000
	// posters is how many posts are on their way at a time.
	posters = 16
	// settleTime is what a process gets to give memory back.
	settleTime = 1500 * time.Millisecond
)

// A socketSubject is a server of WebSockets that answers every message with one.
type socketSubject struct {
	name    string
	process *process
	host    string
	path    string
	message string
	// post makes the request that sends data to a connection from the backend's
	// side; nil where there is no such thing.
	post func(connectionID string, data []byte) (*http.Request, error)
	// connections is how many are busy at a time.
	connections int
	// warm is how long the server needs messages before it is measured.
	warm time.Duration
	// broadcast is a message that makes the server send one to all; "" for none.
	broadcast string
}

// websocket measures WebSocket APIs beside a bare server of gobwas/ws.
func (b *bench) websocket(ctx context.Context) error {
	bare, err := child(roleBareSocket)
	if err != nil {
		return err
	}
	defer bare.stop()
	alone, err := child(roleSocketPlane)
	if err != nil {
		return err
	}
	defer alone.stop()
	g, err := b.startGateway()
	if err != nil {
		return err
	}
	defer g.stop()
	apis, err := b.socketAPIs(ctx, g)
	if err != nil {
		return err
	}
	subjects := append([]socketSubject{
		{name: "bare gobwas/ws, a goroutine each", process: bare, host: "localhost", path: "/", message: "hello", connections: b.connections, broadcast: broadcastWord},
		{name: "gatehouse's data plane alone", process: alone, host: dataPlaneHost, path: "/bench", message: "hello", connections: b.connections},
	}, apis...)
	if err := b.socketEcho(ctx, subjects); err != nil {
		return err
	}
	// The gateway's APIs differ by what a message does.
	idle := subjects[:len(subjects)-1]
	if err := b.socketChurn(ctx, idle); err != nil {
		return err
	}
	if err := b.socketMemory(ctx, idle); err != nil {
		return err
	}
	return b.socketPosts(ctx, subjects)
}

// socketEcho measures round trips.
func (b *bench) socketEcho(ctx context.Context, subjects []socketSubject) error {
	b.title("WebSocket messages there and back")
	b.row("", "p50, 1 connection", "p99", "connections", "CPU per message", "messages/s", "p50", "p99")
	for _, s := range subjects {
		single, _, err := s.echo(ctx, 1, b.duration)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		many, per, err := s.echo(ctx, s.connections, b.duration)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		b.row(s.name, millis(single.p50), millis(single.p99), s.connections, micros(per), fmt.Sprintf("%.0f", float64(many.requests)/many.elapsed.Seconds()), millis(many.p50), millis(many.p99))
	}
	return nil
}

// echo sends messages over some connections, one at a time on each.
func (s *socketSubject) echo(ctx context.Context, connections int, d time.Duration) (r result, per time.Duration, err error) {
	clients, err := s.open(ctx, connections)
	defer closeAll(clients)
	if err != nil {
		return r, 0, err
	}
	if _, err := s.messages(ctx, clients, max(d, s.warm)); err != nil {
		return r, 0, err
	}
	before, err := s.process.cpu()
	if err != nil {
		return r, 0, err
	}
	start := time.Now()
	latencies, err := s.messages(ctx, clients, d)
	if err != nil {
		return r, 0, err
	}
	r = result{requests: len(latencies), elapsed: time.Since(start)}
	after, err := s.process.cpu()
	if err != nil || len(latencies) == 0 {
		return r, 0, errors.Join(err, ctx.Err())
	}
	slices.Sort(latencies)
	r.p50, r.p99 = latencies[len(latencies)/2], latencies[len(latencies)*99/100]
	return r, (after - before) / time.Duration(len(latencies)), nil
}

// messages sends messages on every client for a while and returns how long each
// took there and back.
func (s *socketSubject) messages(ctx context.Context, clients []*socketClient, d time.Duration) ([]time.Duration, error) {
	var (
		mu        sync.Mutex
		latencies []time.Duration
		group     errgroup.Group
	)
	frame := masked(s.message)
	start := time.Now()
	for _, c := range clients {
		group.Go(func() error {
			seen := make([]time.Duration, 0, 1<<14)
			for time.Since(start) < d && ctx.Err() == nil {
				begin := time.Now()
				if _, err := c.roundTrip(frame); err != nil {
					return err
				}
				seen = append(seen, time.Since(begin))
			}
			mu.Lock()
			defer mu.Unlock()
			latencies = append(latencies, seen...)
			return nil
		})
	}
	err := group.Wait()
	return latencies, err
}

// socketChurn measures how fast connections come and go.
func (b *bench) socketChurn(ctx context.Context, subjects []socketSubject) error {
	b.title("WebSocket connections that open, and close again, %d at a time", openers)
	b.row("", "a second", "CPU each")
	for _, s := range subjects {
		before, err := s.process.cpu()
		if err != nil {
			return err
		}
		var n atomic.Int64
		var group errgroup.Group
		start := time.Now()
		for range openers {
			group.Go(func() error {
				for time.Since(start) < b.duration && ctx.Err() == nil {
					c, err := s.dial(ctx)
					if err != nil {
						return err
					}
					if err := c.goodbye(); err != nil {
						return err
					}
					n.Add(1)
				}
				return nil
			})
		}
		err = group.Wait()
		elapsed := time.Since(start)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		after, err := s.process.cpu()
		if err != nil {
			return err
		}
		b.row(s.name, fmt.Sprintf("%.0f", float64(n.Load())/elapsed.Seconds()), micros((after-before)/time.Duration(max(n.Load(), 1))))
	}
	return nil
}

// socketMemory measures what idle connections take.
func (b *bench) socketMemory(ctx context.Context, subjects []socketSubject) error {
	b.title("Memory of idle WebSocket connections, resident, and the rate at which they were opened")
	cells := []any{""}
	for _, n := range b.sockets {
		cells = append(cells, fmt.Sprintf("%d connections", n), "opened/s")
	}
	b.row(cells...)
	for _, s := range subjects {
		cells := []any{s.name}
		err := func() error {
			if err := s.quiet(ctx); err != nil {
				return err
			}
			before, err := s.process.memory()
			if err != nil {
				return err
			}
			var all []*socketClient
			defer func() { closeAll(all) }()
			for _, n := range b.sockets {
				begin, had := time.Now(), len(all)
				more, err := s.open(ctx, n-had)
				all = append(all, more...)
				if err != nil {
					return err
				}
				took := time.Since(begin)
				time.Sleep(settleTime)
				now, err := s.process.memory()
				if err != nil {
					return err
				}
				cells = append(cells, fmt.Sprintf("%.1f KB each", float64(now-before)/1024/float64(n)), fmt.Sprintf("%.0f", float64(n-had)/took.Seconds()))
			}
			return nil
		}()
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		b.row(cells...)
	}
	return nil
}

// quiet waits until a process has given back what it had for earlier clients.
func (s *socketSubject) quiet(ctx context.Context) error {
	clients, err := s.open(ctx, openers)
	closeAll(clients)
	time.Sleep(settleTime)
	return err
}

// socketPosts measures messages that come from the backend's side.
func (b *bench) socketPosts(ctx context.Context, subjects []socketSubject) error {
	receivers := min(broadcastTo, b.sockets[len(b.sockets)-1])
	b.title("Messages to WebSocket clients through @connections, %d calls at a time, and the same message to %d clients", posters, receivers)
	b.row("", "posts/s", "CPU per post", fmt.Sprintf("until all %d have it", receivers))
	for _, s := range subjects {
		if s.post == nil && s.broadcast == "" {
			continue
		}
		rate, per, took, err := s.posts(ctx, receivers)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		b.row(s.name, rate, per, millis(took))
	}
	return nil
}

// posts sends one message to each of some clients.
func (s *socketSubject) posts(ctx context.Context, receivers int) (rate, per string, took time.Duration, err error) {
	clients, err := s.open(ctx, receivers)
	defer closeAll(clients)
	if err != nil {
		return "", "", 0, err
	}
	if s.post == nil {
		// The last ones are among all once they had an answer.
		if err := parallel(ctx, len(clients), func(_ context.Context, i int) error {
			_, err := clients[i].roundTrip(masked(s.message))
			return err
		}); err != nil {
			return "", "", 0, err
		}
	}
	ids := make([]string, len(clients))
	if s.post != nil {
		if err := s.whoAreThey(ctx, clients, ids); err != nil {
			return "", "", 0, err
		}
	}
	before, err := s.process.cpu()
	if err != nil {
		return "", "", 0, err
	}
	var received errgroup.Group
	begin := time.Now()
	for _, c := range clients {
		received.Go(func() error { _, err := c.receive(); return err })
	}
	data := []byte(strings.Repeat("x", 100))
	rate, per = "-", "-"
	if s.post == nil {
		if _, err := clients[0].Write(masked(s.broadcast)); err != nil {
			return "", "", 0, err
		}
		err := received.Wait()
		return rate, per, time.Since(begin), err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: posters}}
	defer client.CloseIdleConnections()
	var group errgroup.Group
	group.SetLimit(posters)
	for _, id := range ids {
		group.Go(func() error {
			req, err := s.post(id, data)
			if err != nil {
				return err
			}
			res, err := client.Do(req.WithContext(ctx))
			if err != nil {
				return err
			}
			body, err := io.ReadAll(res.Body)
			if err := errors.Join(err, res.Body.Close()); err != nil {
				return err
			}
			if res.StatusCode != http.StatusOK {
				return fmt.Errorf("a post was answered %s %s", res.Status, body)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return "", "", 0, err
	}
	posted := time.Since(begin)
	err = received.Wait()
	took = time.Since(begin)
	after, cpuErr := s.process.cpu()
	return fmt.Sprintf("%.0f", float64(len(ids))/posted.Seconds()), micros((after - before) / time.Duration(len(ids))), took, errors.Join(err, cpuErr)
}

// whoAreThey asks for the clients' connection ids, which error frames tell.
func (s *socketSubject) whoAreThey(ctx context.Context, clients []*socketClient, ids []string) error {
	frame := masked(`{"action":"nobody"}`)
	return parallel(ctx, len(clients), func(_ context.Context, i int) error {
		answer, err := clients[i].roundTrip(frame)
		if err != nil {
			return err
		}
		_, after, ok := bytes.Cut(answer, []byte(`"connectionId":"`))
		id, _, end := bytes.Cut(after, []byte(`"`))
		if !ok || !end {
			return fmt.Errorf("no connection id in %s", answer)
		}
		ids[i] = url.PathEscape(string(id))
		return nil
	})
}

// A socketClient is one connection, without a buffer of its own: many of them
// have to fit beside what is measured.
type socketClient struct {
	net.Conn
	buf [256]byte
}

// open opens n connections.
func (s *socketSubject) open(ctx context.Context, n int) ([]*socketClient, error) {
	clients := make([]*socketClient, n)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(openers)
	for i := range clients {
		g.Go(func() (err error) {
			clients[i], err = s.dial(ctx)
			return err
		})
	}
	err := g.Wait()
	return slices.DeleteFunc(clients, func(c *socketClient) bool { return c == nil }), err
}

// dial opens a connection.
func (s *socketSubject) dial(ctx context.Context) (*socketClient, error) {
	// Looking for a free port takes long when most of an address are in use.
	from := &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(rand.N(64)))}
	nc, err := (&net.Dialer{LocalAddr: from}).DialContext(ctx, "tcp", s.process.addr)
	if err != nil {
		return nil, err
	}
	c := &socketClient{Conn: nc}
	err = c.SetDeadline(time.Now().Add(2 * time.Minute))
	if err == nil {
		_, err = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", s.path, s.host)
	}
	if err == nil {
		err = c.greeted()
	}
	if err != nil {
		return nil, errors.Join(err, nc.Close())
	}
	return c, nil
}

// greeted reads the answer to the handshake, behind which nothing comes yet.
func (c *socketClient) greeted() error {
	read := 0
	for !bytes.HasSuffix(c.buf[:read], []byte("\r\n\r\n")) {
		n, err := c.Read(c.buf[read:])
		if err != nil {
			return fmt.Errorf("the handshake was answered %q: %w", c.buf[:read], err)
		}
		read += n
	}
	if !bytes.HasPrefix(c.buf[:], []byte("HTTP/1.1 101 ")) {
		return fmt.Errorf("the handshake was answered %q", c.buf[:read])
	}
	return nil
}

// masked is the frame of a short message.
func masked(text string) []byte {
	return ws.MustCompileFrame(ws.MaskFrameInPlace(ws.NewTextFrame([]byte(text))))
}

func (c *socketClient) roundTrip(frame []byte) ([]byte, error) {
	if _, err := c.Write(frame); err != nil {
		return nil, err
	}
	return c.receive()
}

// receive reads one short message.
func (c *socketClient) receive() ([]byte, error) {
	read := 0
	for read < 2 || read < 2+int(c.buf[1]) {
		n, err := c.Read(c.buf[read:])
		if err != nil {
			return nil, err
		}
		read += n
	}
	if c.buf[0] != 0x81 || read != 2+int(c.buf[1]) {
		return nil, fmt.Errorf("received %q", c.buf[:read])
	}
	return c.buf[2:read], nil
}

// goodbye closes the connection in good order.
func (c *socketClient) goodbye() error {
	_, err := c.Write(ws.MustCompileFrame(ws.MaskFrameInPlace(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, "")))))
	if err == nil {
		_, err = c.Read(c.buf[:])
	}
	return errors.Join(err, c.Close())
}

func closeAll(clients []*socketClient) {
	for _, c := range clients {
		_ = c.Close() // the measurement is over
	}
}
