package userpool

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A Sealer encrypts tickets; *seal.Sealer is the one there is.
type Sealer interface {
	Seal(plain, context []byte) ([]byte, error)
	Open(sealed, context []byte) ([]byte, error)
}

var (
	// ErrTicket is returned for a ticket that this gateway didn't issue for the
	// purpose, or that was changed.
	ErrTicket = errors.New("userpool: not a ticket")
	// ErrTicketExpired is returned for a ticket whose time is over.
	ErrTicketExpired = errors.New("userpool: the ticket has expired")
	// ErrTicketUsed is returned for the second use of a ticket.
	ErrTicketUsed = errors.New("userpool: the ticket was used before")
)

// maxTicket is the longest ticket that is looked at.
const maxTicket = 32 << 10

// Tickets are texts that hold something for whoever shows them: a step of a
// sign-in, an authorization code, a refresh token. They are sealed, so nothing
// is kept of one until it is used; only the gateway can read or make them. That
// a ticket was used is remembered by this process until the ticket expires.
type Tickets struct {
	sealer Sealer

	mu    sync.Mutex
	used  map[ticketID]time.Time // to when they expire
	sweep time.Time              // when expired ones are dropped next
}

type ticketID [16]byte

// A Ticket is what is known of an opened ticket.
type Ticket struct {
	id      ticketID
	Expires time.Time
}

// NewTickets returns tickets sealed by sealer.
func NewTickets(sealer Sealer) *Tickets {
	return &Tickets{sealer: sealer, used: map[ticketID]time.Time{}}
}

type envelope struct {
	ID      []byte          `json:"i"`
	Expires int64           `json:"e"` // Unix milliseconds
	Payload json.RawMessage `json:"p"`
}

// Issue makes a ticket for a purpose, which only Open with the same purpose
// accepts.
func (t *Tickets) Issue(purpose string, payload any, expires time.Time) (string, error) {
	var id ticketID
	_, _ = rand.Read(id[:]) // never fails
	body, err := json.Marshal(payload)
	if err != nil {
		return "", fmt.Errorf("userpool: make a ticket: %w", err)
	}
	plain, err := json.Marshal(envelope{id[:], expires.UnixMilli(), body})
	if err != nil {
		return "", fmt.Errorf("userpool: make a ticket: %w", err)
	}
	sealed, err := t.sealer.Seal(plain, []byte("userpool/"+purpose))
	if err != nil {
		return "", fmt.Errorf("userpool: make a ticket: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Open reads a ticket into payload. It may be opened again; see Use.
func (t *Tickets) Open(purpose, text string, now time.Time, payload any) (Ticket, error) {
	if len(text) > maxTicket {
		return Ticket{}, ErrTicket
	}
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return Ticket{}, ErrTicket
	}
	plain, err := t.sealer.Open(sealed, []byte("userpool/"+purpose))
	if err != nil {
		return Ticket{}, ErrTicket
	}
	var e envelope
	if json.Unmarshal(plain, &e) != nil || len(e.ID) != len(ticketID{}) || json.Unmarshal(e.Payload, payload) != nil {
		return Ticket{}, ErrTicket
	}
	ticket := Ticket{ticketID(e.ID), time.UnixMilli(e.Expires).UTC()}
	if !now.Before(ticket.Expires) {
		return ticket, ErrTicketExpired
	}
	return ticket, nil
}

// Use marks a ticket as used; of several that use the same one, the first gets
// no error.
func (t *Tickets) Use(ticket Ticket, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, used := t.used[ticket.id]; used {
		return ErrTicketUsed
	}
	if now.After(t.sweep) {
		for id, expires := range t.used {
			if !now.Before(expires) {
				delete(t.used, id)
			}
		}
		t.sweep = now.Add(time.Minute)
	}
	t.used[ticket.id] = ticket.Expires
	return nil
}
