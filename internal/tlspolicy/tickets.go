package tlspolicy

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	// keyUse is how long a key of tickets gives out tickets, and keyLife how long it
	// takes them. Whoever steals the keys can read what sessions of TLS 1.2 said that
	// were recorded that long before, and no longer; those of TLS 1.3 can't be read.
	keyUse  = 24 * time.Hour
	keyLife = 2 * keyUse
	// turnEvery is how often is looked whether keys are too old, or another process
	// has made one.
	turnEvery = time.Minute
)

// TicketOptions are what OpenTickets works with. Zero values are as noted.
type TicketOptions struct {
	// File is where keys are kept, sealed by Sealer and for the owner alone. It is
	// made, its directory isn't.
	File   string
	Sealer Sealer
	// Clock tells the time; nil is time.Now.
	Clock func() time.Time
	// Log takes what is wrong with the file; nil discards it.
	Log *slog.Logger
}

// A Sealer seals at rest. A value is opened with the context it was sealed with.
type Sealer interface {
	Seal(plain, context []byte) ([]byte, error)
	Open(sealed, context []byte) ([]byte, error)
}

// Tickets are the keys of session tickets, which change every day and are good for
// another one. They outlive configurations, and with a file the process: a client
// resumes its session although the gateway was started anew. What several
// processes keep in one file, all of them resume.
type Tickets struct {
	TicketOptions
	// current is a configuration that serves nobody: crypto/tls makes tickets of its
	// keys.
	current tls.Config

	mu   sync.Mutex
	keys []ticketKey // the newest first
	// failed is set while the file can't be written, which is told once.
	failed bool

	stop context.CancelFunc
	done chan struct{}
}

// A ticketKey is a key and when it was made.
type ticketKey struct {
	Key  [32]byte
	Made time.Time
}

// NewTickets makes keys that end with the process. clock tells the time; nil is
// time.Now.
func NewTickets(clock func() time.Time) *Tickets {
	t := newTickets(TicketOptions{Clock: clock})
	t.current.Time = t.Clock
	// crypto/tls makes its own keys and turns them.
	return t
}

// OpenTickets reads keys, or makes them, and keeps them fresh until Close. What is
// wrong with the file costs clients their sessions and nothing else.
func OpenTickets(o TicketOptions) *Tickets {
	t := newTickets(o)
	t.current.Time = t.Clock
	t.Turn()
	ctx, stop := context.WithCancel(context.Background())
	t.stop, t.done = stop, make(chan struct{})
	go t.run(ctx)
	return t
}

func newTickets(o TicketOptions) *Tickets {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Tickets{TicketOptions: o}
}

// Close ends what keeps the keys fresh.
func (t *Tickets) Close() {
	t.stop()
	<-t.done
}

func (t *Tickets) run(ctx context.Context) {
	defer close(t.done)
	tick := time.NewTicker(turnEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			t.Turn()
		case <-ctx.Done():
			return
		}
	}
}

// Turn takes over the keys that the file has, makes a new one if the newest has
// given out tickets for a day, and forgets those that are too old. Tickets that
// were opened do so by themselves.
func (t *Tickets) Turn() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.Clock().UTC().Round(0) // as the file has it
	keys := t.keys
	if kept, err := t.read(); err == nil {
		keys = kept
	}
	keys = slices.DeleteFunc(slices.Clone(keys), func(k ticketKey) bool {
		// One from the future is of a clock that was wrong: it might never end.
		return now.Sub(k.Made) >= keyLife || k.Made.Sub(now) > keyUse
	})
	if len(keys) == 0 || now.Sub(keys[0].Made) >= keyUse {
		fresh := ticketKey{Made: now}
		rand.Read(fresh.Key[:]) //nolint:errcheck // never fails
		keys = append([]ticketKey{fresh}, keys...)
		t.write(keys)
	}
	if slices.Equal(keys, t.keys) {
		return
	}
	t.keys = keys
	secrets := make([][32]byte, len(keys))
	for i := range keys {
		secrets[i] = keys[i].Key
	}
	t.current.SetSessionTicketKeys(secrets)
}

// ticketMark begins what a ticket says of the name it is good for.
const ticketMark = "gatehouse-name:"

// Bind makes a configuration give and take tickets of a name. RFC 6066, section
// 3, has no session resumed under another one: what the client showed of itself
// there was shown to that name.
func (t *Tickets) Bind(c *tls.Config, name string) {
	mark := ticketMark + name
	c.WrapSession = func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		ss.Extra = append(ss.Extra, []byte(mark))
		return t.current.EncryptTicket(cs, ss)
	}
	c.UnwrapSession = func(identity []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		ss, err := t.current.DecryptTicket(identity, cs)
		if ss == nil || err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(ss.Extra, func(extra []byte) bool { return string(extra) == mark }) {
			return nil, nil
		}
		return ss, nil
	}
}
