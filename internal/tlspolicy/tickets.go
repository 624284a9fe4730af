package tlspolicy

import (
	"crypto/tls"
	"slices"
	"time"
)

// Tickets are the keys of session tickets, which change every day and stay good
// for a week. They outlive configurations: a client resumes its session although
// the domain has been changed since.
type Tickets struct {
	// keys is a configuration that serves nobody. crypto/tls turns its keys.
	keys tls.Config
}

// NewTickets makes keys. clock tells the time; nil is time.Now.
func NewTickets(clock func() time.Time) *Tickets {
	return &Tickets{keys: tls.Config{Time: clock}}
}

// ticketMark begins what a ticket says of the name it is good for.
const ticketMark = "gatehouse-name:"

// bind makes a configuration give and take tickets of a name. RFC 6066, section
// 3, has no session resumed under another one: what the client showed of itself
// there was shown to that name.
func bind(c *tls.Config, t *Tickets, name string) {
	mark := []byte(ticketMark + name)
	c.WrapSession = func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		ss.Extra = append(ss.Extra, mark)
		return t.keys.EncryptTicket(cs, ss)
	}
	c.UnwrapSession = func(identity []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		ss, err := t.keys.DecryptTicket(identity, cs)
		if ss == nil || err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(ss.Extra, func(extra []byte) bool { return string(extra) == string(mark) }) {
			return nil, nil
		}
		return ss, nil
	}
}
