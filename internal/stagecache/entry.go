package stagecache

import (
	"strings"
	"sync/atomic"
	"time"

	"gatehouse/internal/plan"
)

// An entry is a response that is kept. Nothing a client sees of it is written
// again.
type entry struct {
	sum     plan.CacheSum
	status  int
	headers plan.Headers
	body    []byte
	// seal is what body is sealed with, and with it the headers; nil for neither.
	seal *sealer

	began   uint64
	size    int64
	expires time.Time
	// renewal is when a response that many ask for is renewed, before all of them
	// find it gone at once; late counts those who ask from then on.
	renewal time.Time
	late    atomic.Int32

	used  atomic.Bool
	place int // in the ring
}

// What an entry takes beside its text: itself with its places in map and ring, and
// each header.
const (
	entryOverhead  = 384
	headerOverhead = 32
)

const (
	// A response is renewed in the last tenth of its time, and not before the last
	// ten seconds.
	renewalShare = 10
	renewalTime  = 10 * time.Second
	// crowd is from how many requests in that time on a response is one that many
	// ask for.
	crowd = 4
)

// renews tells one request of a crowd to ask the integration while the others
// still get what is kept: else they would all ask, as soon as it is too old.
func (e *entry) renews(now time.Time) bool {
	return !now.Before(e.renewal) && e.late.Add(1) == crowd
}

// newEntry makes the entry of a response but for its body, or nil for one that
// isn't kept.
func (c *Cluster) newEntry(x *plan.Exchange, sum plan.CacheSum, began uint64) *entry {
	r := &x.Response
	text := 0
	for i := range r.Headers {
		text += len(r.Headers[i].Name) + len(r.Headers[i].Value)
	}
	if r.Status < 200 || r.Status > 999 || answersHeaders(r.Status) || answersHeaders(x.Integration.Status) || text > MaxResponse {
		return nil
	}
	e := &entry{sum: sum, status: r.Status, began: began, headers: make(plan.Headers, len(r.Headers))}
	// All headers are one string.
	var b strings.Builder
	b.Grow(text)
	for _, h := range r.Headers {
		b.WriteString(h.Name)
		b.WriteString(h.Value)
	}
	all := b.String()
	for i, h := range r.Headers {
		e.headers[i] = plan.Header{Name: all[:len(h.Name)], Value: all[len(h.Name) : len(h.Name)+len(h.Value)]}
		all = all[len(h.Name)+len(h.Value):]
	}
	e.size = int64(text)
	return e
}

// answersHeaders tells whether a status answers headers of the request, which
// aren't in the key: a range, or what a client has already. Anyone could have
// everyone else get such a response, also where it was mapped to another status.
// Whatever else integrations answer is kept, errors as well: AWS's users report so.
//
// UNVERIFIED: the exceptions.
func answersHeaders(status int) bool {
	switch status {
	case 206, 304, 412, 416:
		return true
	}
	return false
}

// finish gives an entry its body and its terms, and tells whether it isn't too
// long.
func (c *Cluster) finish(e *entry, body []byte, terms plan.CacheTerms) bool {
	if terms.Sealed {
		s, err := c.sealing()
		if err != nil {
			return false
		}
		e.seal, body = s, s.seal(e.headers, body)
		e.headers, e.size = nil, 0
	}
	e.body = body
	e.size += int64(len(body))
	if e.size > MaxResponse {
		return false
	}
	e.size += int64(cap(body)-len(body)) + entryOverhead + headerOverhead*int64(len(e.headers))
	e.expires = c.caches.clock().Add(terms.TTL)
	e.renewal = e.expires.Add(-min(terms.TTL/renewalShare, renewalTime))
	return true
}

// answer puts the response in an exchange.
func (e *entry) answer(x *plan.Exchange) (bool, error) {
	r := &x.Response
	if e.seal != nil {
		if err := e.seal.open(x, e.body); err != nil {
			return false, err
		}
	} else {
		r.Headers = append(r.Headers[:0], e.headers...)
		r.Body = e.body
	}
	r.Status, r.BodyStream, r.StreamLength = e.status, nil, 0
	return true, nil
}
