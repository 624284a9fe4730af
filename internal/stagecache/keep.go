package stagecache

import (
	"bytes"
	"io"
	"slices"

	"gatehouse/internal/plan"
)

// Keep implements plan.CacheCluster.
func (c *Cluster) Keep(x *plan.Exchange, sum plan.CacheSum, began uint64, terms plan.CacheTerms) {
	r := &x.Response
	if r.BodyStream == nil {
		if len(r.Body) > MaxResponse {
			return
		}
		e := c.newEntry(x, sum, began)
		if e == nil {
			return
		}
		body := r.Body
		if !terms.Sealed {
			body = bytes.Clone(body)
		}
		if c.finish(e, body, terms) {
			c.put(e)
		}
		return
	}
	if r.StreamLength > MaxResponse {
		return
	}
	if e := c.newEntry(x, sum, began); e != nil {
		r.BodyStream = &recorder{ReadCloser: r.BodyStream, cluster: c, entry: e, length: r.StreamLength, terms: terms}
	}
}

// A recorder is a body that is kept as it goes by, if it comes to its end.
type recorder struct {
	io.ReadCloser
	cluster *Cluster
	// entry is nil once the body is kept, or known not to be.
	entry *entry
	// length is the body's, or -1.
	length int64
	terms  plan.CacheTerms
	body   []byte
	held   int64 // of the room for recording
}

// Read implements io.Reader.
func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if r.entry == nil {
		return n, err
	}
	if !r.add(p[:n]) {
		r.forget()
		return n, err
	}
	switch {
	case int64(len(r.body)) == r.length:
		// The client has the last byte no sooner than the cache.
		r.keep()
	case err == io.EOF && r.length < 0: //nolint:errorlint // a reader's io.EOF is never wrapped
		r.keep()
	case err != nil:
		r.forget()
	}
	return n, err
}

// Close implements io.Closer.
func (r *recorder) Close() error {
	r.forget()
	return r.ReadCloser.Close()
}

// add takes a piece of the body, and tells whether there was room for it.
func (r *recorder) add(piece []byte) bool {
	if len(r.body)+len(piece) > MaxResponse || r.length >= 0 && int64(len(r.body)+len(piece)) > r.length {
		return false
	}
	if need := len(r.body) + len(piece); need > cap(r.body) {
		want := min(max(2*cap(r.body), need, 4<<10), MaxResponse)
		if r.length >= 0 {
			want = int(r.length)
		}
		if !r.cluster.caches.record(int64(want) - r.held) {
			return false
		}
		r.held = int64(want)
		r.body = append(make([]byte, 0, want), r.body...)
	}
	r.body = append(r.body, piece...)
	return true
}

// keep keeps what was recorded.
func (r *recorder) keep() {
	body := r.body
	if !r.terms.Sealed && cap(body)-len(body) > len(body)/8 {
		body = slices.Clip(bytes.Clone(body))
	}
	if e := r.entry; r.cluster.finish(e, body, r.terms) {
		r.cluster.put(e)
	}
	r.forget()
}

// forget ends the recording.
func (r *recorder) forget() {
	r.cluster.caches.recording.Add(-r.held)
	r.entry, r.body, r.held = nil, nil, 0
}
