package sigv4

import (
	"strings"
	"time"
)

// A Request is the part of an HTTP request that is signed.
type Request struct {
	Method string
	// Path is the path as it was received, still percent-encoded.
	Path string
	// Query is the query as it was received, without the question mark.
	Query string
	// Host is the Host header, or :authority.
	Host string
	// Header returns the values of a header in order of arrival. The name it is
	// given is lower case.
	Header func(name string) []string
	// ContentLength is the length of the body; it stands in for a
	// Content-Length header that was signed but taken away by the server.
	ContentLength int64
}

// header joins a header's values as the canonical form does.
func (r *Request) header(name string) (string, bool) {
	values := r.Header(name)
	if len(values) > 0 {
		return strings.Join(values, ","), true
	}
	return "", false
}

// EmptyHash is the SHA-256 of an empty body, in hex.
const EmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// UnsignedPayload stands in the place of a body's hash when the body isn't signed.
const UnsignedPayload = "UNSIGNED-PAYLOAD"

// streamingPrefix begins every placeholder for a body that is signed in chunks.
const streamingPrefix = "STREAMING-"

const (
	algorithm  = "AWS4-HMAC-SHA256"
	asymmetric = "AWS4-ECDSA-P256-SHA256"
	terminator = "aws4_request"
	timeFormat = "20060102T150405Z"
	dateFormat = "20060102"
)

// Limits on what is read; a longer one is no signature.
const (
	maxAuthorization = 8 << 10
	maxSignedHeaders = 100
	maxQueryParams   = 2000
	// MaxExpires is the longest a presigned request may live.
	MaxExpires = 7 * 24 * time.Hour
	// MaxSkew is how far the clocks of signer and verifier may differ unless a
	// Check says otherwise.
	MaxSkew = 15 * time.Minute
)

// A Scope is a credential scope: what the signing key is good for.
type Scope struct {
	// Date is the day, as in "20150830". An asymmetric signature's scope has no
	// Region.
	Date, Region, Service string
}

func (s Scope) String() string { return string(s.append(nil)) }

func (s Scope) append(b []byte) []byte {
	b = append(append(b, s.Date...), '/')
	if s.Region != "" {
		b = append(append(b, s.Region...), '/')
	}
	b = append(append(b, s.Service...), '/')
	return append(b, terminator...)
}

// A Signature is what a request claims about its signer.
type Signature struct {
	AccessKeyID string
	Scope       Scope
	// SignedHeaders are the names that were signed, lower case and sorted.
	SignedHeaders []string
	// Time is when the request was signed.
	Time time.Time
	// Presigned signatures travel in the query and expire by themselves.
	Presigned bool
	Expires   time.Duration
	// Token is the session token, empty for long-lived keys.
	Token string
	// Asymmetric tells that it is of version 4a: made with the KeyPair of the
	// secret, for the regions of Regions, X-Amz-Region-Set.
	Asymmetric bool
	Regions    string

	signature string
	timestamp string
}
