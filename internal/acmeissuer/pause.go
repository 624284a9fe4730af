package acmeissuer

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// maxPause bounds what an authority can ask for: beyond it, somebody erred.
const maxPause = 7 * 24 * time.Hour

// maxAnswer is how long an answer of an authority may be, decompressed: the longest
// are chains of certificates, and orders for a hundred names.
const maxAnswer = 256 << 10

// errAnswer is told of one that is longer.
var errAnswer = errors.New("the authority's answer has no end")

// errPause is told to who would ask again before the authority wants it.
var errPause = errors.New("the authority is busy and wants to be left alone for now")

// A pause is a transport that notes when an authority says to ask again later,
// and doesn't let anybody ask before that.
type pause struct {
	base http.RoundTripper

	mu    sync.Mutex
	until time.Time
}

// RoundTrip sends a request.
func (p *pause) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.wait() > 0 {
		if r.Body != nil {
			_ = r.Body.Close() // nothing was read
		}
		return nil, errPause
	}
	resp, err := p.base.RoundTrip(r)
	if err == nil {
		resp.Body = &answer{ReadCloser: resp.Body, left: maxAnswer}
	}
	if err != nil || resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return resp, err
	}
	if wait, ok := retryAfter(resp.Header); ok {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.until = time.Now().Add(min(wait, maxPause))
	}
	return resp, nil
}

func (p *pause) wait() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(0, time.Until(p.until))
}

// wrap makes an error one that says when to ask again, if the authority did.
func (p *pause) wrap(err error) error {
	if wait := p.wait(); wait > 0 {
		return &Later{Wait: wait, Err: err}
	}
	return err
}

// retryAfter reads the header of that name: seconds, or a date.
func retryAfter(h http.Header) (time.Duration, bool) {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, int(maxPause/time.Second))) * time.Second, true
	}
	at, err := http.ParseTime(text)
	return max(0, time.Until(at)), err == nil
}

// An answer is the body of a response, which is read whole by who knows no bound.
type answer struct {
	io.ReadCloser
	left int
}

func (a *answer) Read(p []byte) (int, error) {
	if a.left <= 0 {
		return 0, errAnswer
	}
	n, err := a.ReadCloser.Read(p[:min(len(p), a.left)])
	a.left -= n
	return n, err
}
