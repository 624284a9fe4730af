package authorize

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"gatehouse/internal/awswire/sigv4"
	"gatehouse/internal/plan"
)

// A signedRequest is an exchange's request as it was signed: as it was received,
// not as it is routed.
type signedRequest struct {
	x       *plan.Exchange
	request sigv4.Request
	// values are what header found last.
	values []string
}

var signedRequests = sync.Pool{New: func() any {
	r := &signedRequest{}
	r.request.Header = r.header
	return r
}}

func (r *signedRequest) of(x *plan.Exchange) {
	q := &x.Request
	r.x = x
	r.request.Method, r.request.Path, r.request.Query, r.request.Host, r.request.ContentLength = q.Method, q.Path, q.Query, q.Host, q.ContentLength
	if q.Sent != "" {
		r.request.Method = q.Sent
	}
}

func (r *signedRequest) release() {
	clear(r.values[:cap(r.values)])
	*r = signedRequest{values: r.values[:0], request: sigv4.Request{Header: r.request.Header}}
	signedRequests.Put(r)
}

// header implements sigv4.Request.Header. The host is the one that the request
// was routed by.
func (r *signedRequest) header(name string) []string {
	r.values = r.values[:0]
	if name == "host" {
		r.values = append(r.values, r.request.Host)
		return r.values
	}
	headers := r.x.Request.Headers
	for i := range headers {
		if plan.EqualFold(headers[i].Name, name) {
			r.values = append(r.values, headers[i].Value)
		}
	}
	return r.values
}

// verify verifies a signature and the body under it. A body is read only if it
// has to be, and hashed once.
//
// UNVERIFIED: what AWS does with X-Amz-Content-Sha256 here. A hash has to be that
// of the body, and the placeholders mean what they mean to S3.
func (r *signedRequest) verify(s *sigv4.Signature, c sigv4.Check) error {
	declared := strings.Join(r.header("x-amz-content-sha256"), ",")
	switch {
	case declared == "":
		// Nobody reads a long body for a signature that is too old.
		if err := s.Fits(c); err != nil {
			return err
		}
		hash, err := r.bodyHash()
		if err != nil {
			return err
		}
		c.BodyHash = hash
		return r.compare(s, c)
	case declared == sigv4.UnsignedPayload:
		return r.compare(s, c)
	case strings.HasPrefix(declared, "STREAMING-"):
		if err := r.compare(s, c); err != nil {
			return err
		}
		return r.unchunk(s, declared, c.Key)
	}
	c.BodyHash = declared
	if err := r.compare(s, c); err != nil {
		return err
	}
	hash, err := r.bodyHash()
	if err == nil && hash != declared {
		c.BodyHash = hash
		return r.compare(s, c)
	}
	return err
}

// compare verifies the signature of a request whose body's hash is known.
//
// Some signers sign a path with double slashes as if they were single. What
// stands for another path altogether is taken only as it was sent: with dot
// segments, whoever passes a request on could send it elsewhere.
func (r *signedRequest) compare(s *sigv4.Signature, c sigv4.Check) error {
	c.Path = sigv4.AsSent
	err := s.Verify(&r.request, c)
	if err == nil || !strings.Contains(r.request.Path, "//") || strings.Contains(r.request.Path, "/.") {
		return err
	}
	c.Path = sigv4.EncodeTwice
	if s.Verify(&r.request, c) == nil {
		return nil
	}
	return err
}

// bodyHash is the hash of the whole body.
func (r *signedRequest) bodyHash() (string, error) {
	if err := r.x.ReadBody(); err != nil {
		return "", err
	}
	return sigv4.Hash(r.x.Request.Body), nil
}

// unchunk takes a body out of its chunks, whose signatures go on from the
// request's, so that integrations get what was meant.
func (r *signedRequest) unchunk(s *sigv4.Signature, form string, key []byte) error {
	if err := r.x.ReadBody(); err != nil {
		return err
	}
	q := &r.x.Request
	body, err := s.Chunks(form, q.Body, key)
	if err != nil {
		return err
	}
	if length := r.header("x-amz-decoded-content-length"); len(length) > 0 && length[0] != strconv.Itoa(len(body)) {
		return &plan.Fault{Kind: plan.InvalidSignature, Reason: "X-Amz-Decoded-Content-Length isn't the body's length"}
	}
	q.Body, q.ContentLength = body, int64(len(body))
	q.Headers = slices.DeleteFunc(q.Headers, func(h plan.Header) bool {
		return plan.EqualFold(h.Name, "content-encoding") && plan.EqualFold(h.Value, "aws-chunked")
	})
	for i := range q.Headers {
		h := &q.Headers[i]
		switch {
		case plan.EqualFold(h.Name, "content-encoding"):
			if rest, ok := strings.CutPrefix(h.Value, "aws-chunked,"); ok {
				h.Value = strings.TrimLeft(rest, " ")
			}
		case plan.EqualFold(h.Name, "content-length"):
			h.Value = strconv.Itoa(len(body))
		}
	}
	return nil
}
