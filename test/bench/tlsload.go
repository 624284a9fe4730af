package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A tlsSubject is a server to shake hands with.
type tlsSubject struct {
	name    string
	process *process
	domains int
}

// A handshakeKind is a way to shake hands.
type handshakeKind struct {
	name    string
	version uint16
	resumed bool
}

var handshakeKinds = [...]handshakeKind{
	{"TLS 1.3", tls.VersionTLS13, false},
	{"TLS 1.3, resumed", tls.VersionTLS13, true},
	{"TLS 1.2", tls.VersionTLS12, false},
	{"TLS 1.2, resumed", tls.VersionTLS12, true},
}

// handshakes compares the CPU time that handshakes cost servers, each client
// asking for any of the domains.
func (b *bench) handshakes(ctx context.Context, key string, subjects []*tlsSubject) error {
	b.title("Handshakes of %d clients, %s, each with a random domain (best of %d rounds of %s)", handshakeClients, key, b.rounds, b.duration)
	b.row("", "domains", "CPU per handshake", "× nginx", "a second of a core", "seen a second", "resumed")
	for _, kind := range handshakeKinds {
		loads := make([]*handshakeLoad, len(subjects))
		best := make([]time.Duration, len(subjects))
		results := make([]handshakeResult, len(subjects))
		for i, s := range subjects {
			loads[i] = &handshakeLoad{addr: s.process.addr, domains: s.domains, kind: kind}
			if kind.resumed {
				progress("%s: getting tickets of %d domains from %s", kind.name, s.domains, s.name)
				if err := loads[i].getTickets(ctx); err != nil {
					return fmt.Errorf("%s, %s: %w", s.name, kind.name, err)
				}
			}
		}
		progress("%s: shaking hands", kind.name)
		for range b.rounds {
			for i, s := range subjects {
				per, r, err := measureHandshakes(ctx, s.process, loads[i], b.duration)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", s.name, kind.name, err)
				}
				if best[i] == 0 || per < best[i] {
					best[i], results[i] = per, r
				}
			}
		}
		for i, s := range subjects {
			r := results[i]
			resumed := ""
			if kind.resumed {
				resumed = fmt.Sprintf("%.1f %%", 100*float64(r.resumed)/float64(r.shaken))
			}
			b.row(kind.name+": "+s.name, s.domains, micros(best[i]), ratio(best[i], best[nginxOf(subjects, i)]),
				fmt.Sprintf("%.0f", float64(time.Second)/float64(best[i])), fmt.Sprintf("%.0f", float64(r.shaken)/r.elapsed.Seconds()), resumed)
		}
	}
	return nil
}

// nginxOf is the nginx that a subject stands beside.
func nginxOf(subjects []*tlsSubject, i int) int {
	return slices.IndexFunc(subjects, func(s *tlsSubject) bool { return s.name == "nginx" && s.domains == subjects[i].domains })
}

func measureHandshakes(ctx context.Context, p *process, l *handshakeLoad, d time.Duration) (time.Duration, handshakeResult, error) {
	if _, err := l.run(ctx, d/4); err != nil { // warms up
		return 0, handshakeResult{}, err
	}
	before, err := p.cpu()
	if err != nil {
		return 0, handshakeResult{}, err
	}
	r, err := l.run(ctx, d)
	if err != nil {
		return 0, r, err
	}
	after, err := p.cpu()
	return (after - before) / time.Duration(r.shaken), r, err
}

// handshakeClients is how many clients shake hands at a time.
const handshakeClients = 16

// A handshakeLoad is a stream of connections that shake hands and end.
type handshakeLoad struct {
	addr    string
	domains int
	kind    handshakeKind
	tickets tickets
}

// A handshakeResult is what a load saw.
type handshakeResult struct {
	shaken, resumed int64
	elapsed         time.Duration
}

// run shakes hands for a while.
func (l *handshakeLoad) run(ctx context.Context, d time.Duration) (handshakeResult, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var shaken, resumed atomic.Int64
	var wg sync.WaitGroup
	failures := make(chan error, handshakeClients)
	begin := time.Now()
	for range handshakeClients {
		wg.Go(func() {
			for ctx.Err() == nil {
				did, err := l.shake(rand.IntN(l.domains))
				if err != nil {
					failures <- err
					return
				}
				shaken.Add(1)
				if did {
					resumed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	r := handshakeResult{shaken.Load(), resumed.Load(), time.Since(begin)}
	select {
	case err := <-failures:
		return r, err
	default:
	}
	if r.shaken == 0 {
		return r, errors.New("nobody shook hands")
	}
	return r, nil
}

// getTickets gets a ticket of every domain, which are used again and again.
func (l *handshakeLoad) getTickets(ctx context.Context) error {
	l.tickets.sessions = make(map[string]*tls.ClientSessionState, l.domains)
	err := parallel(ctx, l.domains, func(_ context.Context, i int) error {
		_, err := l.shake(i)
		return err
	})
	l.tickets.kept = true
	return err
}

// shake shakes hands with a domain, says goodbye and waits for the other side to
// do so, too: a server has done all of its part then, and the tickets have come.
func (l *handshakeLoad) shake(i int) (resumed bool, err error) {
	config := &tls.Config{
		ServerName: domainName(i), InsecureSkipVerify: true, MinVersion: l.kind.version, MaxVersion: l.kind.version,
		CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256}, NextProtos: []string{"http/1.1"},
	}
	if l.kind.resumed {
		config.ClientSessionCache = &l.tickets
	}
	nc, err := net.Dial("tcp", l.addr)
	if err != nil {
		return false, err
	}
	defer nc.Close() //nolint:errcheck // the other side has closed it
	if err := nc.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return false, err
	}
	c := tls.Client(nc, config)
	if err := c.Handshake(); err != nil {
		return false, err
	}
	if err := c.CloseWrite(); err != nil {
		return false, err
	}
	_, err = c.Read(make([]byte, 1))
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, err
	}
	return c.ConnectionState().DidResume, nil
}

// tickets are a client's sessions by name; once kept is set, they stay as they
// are.
type tickets struct {
	mu       sync.RWMutex
	sessions map[string]*tls.ClientSessionState
	kept     bool
}

// Get implements tls.ClientSessionCache.
func (t *tickets) Get(name string) (*tls.ClientSessionState, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	s, ok := t.sessions[name]
	return s, ok
}

// Put implements tls.ClientSessionCache.
func (t *tickets) Put(name string, s *tls.ClientSessionState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.kept && s != nil {
		t.sessions[name] = s
	}
}
