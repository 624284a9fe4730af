package tlspolicy_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/tlspolicy"
)

// A fakeSealer turns bits over.
type fakeSealer struct{ key byte }

func (s fakeSealer) Seal(plain, context []byte) ([]byte, error) {
	sealed := append([]byte{s.key}, context...)
	for _, b := range plain {
		sealed = append(sealed, b^0xff)
	}
	return sealed, nil
}

func (s fakeSealer) Open(sealed, context []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(sealed, append([]byte{s.key}, context...))
	if !ok {
		return nil, errors.New("another key")
	}
	var plain []byte
	for _, b := range rest {
		plain = append(plain, b^0xff)
	}
	return plain, nil
}

// A clock is moved by hand.
type clock struct{ now atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.now.Store(time.Now().UnixNano())
	return c
}

func (c *clock) time() time.Time      { return time.Unix(0, c.now.Load()) }
func (c *clock) pass(d time.Duration) { c.now.Add(int64(d)) }

// A visitor is a client that keeps the ticket of a domain.
type visitor struct {
	t      *testing.T
	client *tls.Config
	server func(*tlspolicy.Tickets) *tls.Config
}

func newVisitor(t *testing.T, c *clock, version uint16) *visitor {
	cert := certificate(t, ecdsaKey(t))
	return &visitor{
		t: t,
		// Its clock stands still: how long it takes a ticket for good isn't tested.
		client: &tls.Config{MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(1)},
		server: func(tickets *tlspolicy.Tickets) *tls.Config {
			return listener(made(t, tlspolicy.Options{Certificate: cert, Name: "api.example.test", Tickets: tickets, Clock: c.time}))
		},
	}
}

// resumes tells whether the visitor's session goes on.
func (v *visitor) resumes(tickets *tlspolicy.Tickets) bool {
	v.t.Helper()
	state, err := shake(v.t, v.server(tickets), v.client)
	if err != nil {
		v.t.Fatal(err)
	}
	return state.DidResume
}

// Sessions outlive the process, and are shared by those who share the file.
func TestTicketsAreKept(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		c, file := newClock(), filepath.Join(t.TempDir(), "tickets")
		open := func() *tlspolicy.Tickets {
			tickets := tlspolicy.OpenTickets(tlspolicy.TicketOptions{File: file, Sealer: fakeSealer{}, Clock: c.time})
			t.Cleanup(tickets.Close)
			return tickets
		}
		first := open()
		v := newVisitor(t, c, version)
		if v.resumes(first) {
			t.Errorf("%x: resumed without a ticket", version)
		}
		if !v.resumes(open()) {
			t.Errorf("%x: lost by a restart", version)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
		if text, err := os.ReadFile(file); err != nil || bytes.Contains(text, []byte("Key")) {
			t.Errorf("%q isn't sealed, %v", text, err)
		}

		// One makes a new key after a day, and the other takes it over.
		second := open()
		c.pass(25 * time.Hour)
		second.Turn()
		if !v.resumes(second) {
			t.Errorf("%x: a ticket of yesterday isn't good", version)
		}
		first.Turn()
		if !v.resumes(first) {
			t.Errorf("%x: two processes don't share their keys", version)
		}
	}
}

// No ticket is good once its key is two days old, whoever kept the file.
func TestTicketsEnd(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, test := range []struct {
			name string
			then time.Duration
			want bool
		}{
			{"at once", 0, true},
			{"the next day", 47 * time.Hour, true},
			{"in two days", 48 * time.Hour, false},
			{"a clock that was two days ahead", -49 * time.Hour, false},
		} {
			c, file := newClock(), filepath.Join(t.TempDir(), "tickets")
			options := tlspolicy.TicketOptions{File: file, Sealer: fakeSealer{}, Clock: c.time}
			tickets := tlspolicy.OpenTickets(options)
			v := newVisitor(t, c, version)
			v.resumes(tickets)
			c.pass(test.then)
			tickets.Turn()
			fresh := tlspolicy.OpenTickets(options)
			for who, keys := range map[string]*tlspolicy.Tickets{"who ran on": tickets, "who was started anew": fresh} {
				// A visit without success brings another ticket.
				old := v.client.ClientSessionCache
				kept := tls.NewLRUClientSessionCache(1)
				if s, ok := old.Get("api.example.test"); ok {
					kept.Put("api.example.test", s)
				}
				v.client.ClientSessionCache = kept
				if got := v.resumes(keys); got != test.want {
					t.Errorf("%x, %s, %s: %v", version, test.name, who, got)
				}
				v.client.ClientSessionCache = old
			}
			tickets.Close()
			fresh.Close()
		}
	}
}

// A file that is of no use costs sessions, is told of, and is replaced.
func TestTicketFileOfNoUse(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(file string) error
	}{
		{"damaged", func(file string) error { return os.WriteFile(file, []byte("nonsense"), 0o600) }},
		{"empty", func(file string) error { return os.Truncate(file, 0) }},
		{"readable by others", func(file string) error { return os.Chmod(file, 0o644) }},
		{"another key's", func(file string) error {
			tlspolicy.OpenTickets(tlspolicy.TicketOptions{File: file + "2", Sealer: fakeSealer{7}}).Close()
			return os.Rename(file+"2", file)
		}},
	} {
		c, file := newClock(), filepath.Join(t.TempDir(), "tickets")
		var log bytes.Buffer
		options := tlspolicy.TicketOptions{File: file, Sealer: fakeSealer{}, Clock: c.time, Log: slog.New(slog.NewTextHandler(&log, nil))}
		first := tlspolicy.OpenTickets(options)
		v := newVisitor(t, c, tls.VersionTLS13)
		v.resumes(first)
		if err := test.spoil(file); err != nil {
			t.Fatal(err)
		}
		second := tlspolicy.OpenTickets(options)
		if v.resumes(second) {
			t.Errorf("%s: resumed", test.name)
		}
		if !strings.Contains(log.String(), "can't be read") {
			t.Errorf("%s: the log says %q", test.name, log.String())
		}
		third := tlspolicy.OpenTickets(options)
		if !v.resumes(third) {
			t.Errorf("%s: the file wasn't replaced", test.name)
		}
		for _, tickets := range []*tlspolicy.Tickets{first, second, third} {
			tickets.Close()
		}
	}

	// Without a place for it, keys are good as long as the process.
	tickets := tlspolicy.OpenTickets(tlspolicy.TicketOptions{File: filepath.Join(t.TempDir(), "gone", "tickets"), Sealer: fakeSealer{}})
	defer tickets.Close()
	v := newVisitor(t, newClock(), tls.VersionTLS13)
	v.resumes(tickets)
	tickets.Turn()
	if !v.resumes(tickets) {
		t.Error("lost by who ran on")
	}
}
