package serve

import (
	"time"

	"gatehouse/internal/plan"
	"gatehouse/internal/socket"
)

const (
	// admissionKept is how long a WebSocket's client isn't judged again while no plan
	// is published: its certificate may end, or one of those that vouch for it.
	admissionKept = time.Minute
	// notAdmitted is what a client reads whose truststore knows it no more.
	notAdmitted = "Forbidden"
)

// An admission is by what a WebSocket's client was let in, and when that was last
// looked at.
type admission struct {
	// byDomain tells that it came by a custom domain name.
	byDomain bool
	// handshake is that of a client that showed a certificate, nil otherwise: few
	// do, and it is some KB.
	handshake *plan.Handshake
	// judgedBy and judged are the plan and the time of the last Check, whose
	// goroutine alone reads and writes them.
	judgedBy *plan.Plan
	judged   time.Time
}

func newAdmission(x *plan.Exchange) admission {
	a := admission{byDomain: x.Domain != nil}
	if h := x.Request.TLS; a.byDomain && h != nil && h.ClientCert != nil {
		a.handshake = h
	}
	return a
}

// Check closes the connection of a client that wouldn't be let in any more.
func (se *session) Check(c *socket.Conn, now time.Time) {
	a := &se.admission
	p := se.s.Plan.Load()
	if !a.byDomain || a.judgedBy == p && now.Sub(a.judged) < admissionKept {
		return
	}
	a.judgedBy, a.judged = p, now
	se.admitted(c, p, now)
}

// admitted tells whether the client may still be here, and closes the connection
// if not.
func (se *session) admitted(c *socket.Conn, p *plan.Plan, now time.Time) bool {
	if !se.admission.byDomain {
		return true
	}
	err := p.StillAdmits(se.host, se.admission.handshake, now)
	if err == nil {
		return true
	}
	if c.Close(socket.PolicyViolation, notAdmitted) == nil {
		se.s.log.Info("a WebSocket was closed: its client isn't trusted any more", "connection", se.id, "domain", se.host, "reason", err)
	}
	return false
}
