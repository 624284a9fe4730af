package sigv4

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Check is what a signature is verified against.
type Check struct {
	// Secret is the secret access key of the signature's AccessKeyID.
	Secret string
	// Key, when set, is the SigningKey of the signature's scope, and PublicKey
	// that of the KeyPair, for asymmetric ones, kept by a caller that verifies
	// often; Secret isn't looked at then.
	Key       []byte
	PublicKey *ecdsa.PublicKey
	// Now is the verifier's clock, Skew how far the signer's may be from it; 0 is
	// MaxSkew.
	Now  time.Time
	Skew time.Duration
	// BodyHash is the SHA-256 of the body in hex; empty means EmptyHash. A
	// request that says its payload is unsigned needs none.
	BodyHash string
	// Region is where the verifier is, Service its signing name; "" accepts any.
	Region, Service string
	// Path is the service's rule for paths.
	Path PathRule
}

// Hash is the SHA-256 of a body in hex.
func Hash(body []byte) string {
	if len(body) == 0 {
		return EmptyHash
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Unsigned tells that the request declares its body unsigned or signed in
// chunks, so that no hash of it is needed.
func Unsigned(r *Request) bool {
	h, _ := r.header("x-amz-content-sha256")
	return h == UnsignedPayload || strings.HasPrefix(h, streamingPrefix)
}

// mismatch is AWS's text for a signature that isn't right.
const mismatch = "The request signature we calculated does not match the signature you provided. " +
	"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

// Fits checks what can be told without the secret and the body: the scope and
// the time. It returns nil or an *Error.
func (s *Signature) Fits(c Check) error {
	if err := s.checkScope(c); err != nil {
		return err
	}
	return s.checkTime(c)
}

// Verify checks a signature, and whether it Fits. It returns nil or an *Error.
func (s *Signature) Verify(r *Request, c Check) error {
	if err := s.Fits(c); err != nil {
		return err
	}
	if err := s.checkHeaders(r); err != nil {
		return err
	}
	w := workspaces.Get().(*workspace)
	defer workspaces.Put(w)
	if absent := s.canonical(w, r, c); absent != "" {
		return &Error{Reason: Mismatch, Message: mismatch}
	}
	s.stringToSign(w)
	if !s.holds(w.text, c) {
		return &Error{Reason: Mismatch, Message: mismatch, Canonical: string(w.request), StringToSign: string(w.text)}
	}
	return nil
}

// holds tells whether the signature is that of a string to sign.
func (s *Signature) holds(text []byte, c Check) bool {
	if s.Asymmetric {
		return s.holdsAsymmetric(text, c)
	}
	key := c.Key
	if key == nil {
		key = SigningKey(c.Secret, s.Scope)
	}
	var sum [sha256.Size]byte
	var want [2 * sha256.Size]byte
	h := hmac.New(sha256.New, key)
	h.Write(text)
	hex.Encode(want[:], h.Sum(sum[:0]))
	return len(s.signature) == len(want) && subtle.ConstantTimeCompare(want[:], []byte(s.signature)) == 1
}

// checkScope says what is wrong with the region and the service of the scope.
func (s *Signature) checkScope(c Check) error {
	text := ""
	if c.Region != "" && !s.in(c.Region) {
		// UNVERIFIED: the words for a set of regions.
		if s.Asymmetric {
			text = "Credential should be scoped to a valid region, not '" + s.Regions + "'. "
		} else {
			text = "Credential should be scoped to a valid region, not '" + s.Scope.Region + "'. "
		}
	}
	if c.Service != "" && c.Service != s.Scope.Service {
		text += "Credential should be scoped to correct service: '" + c.Service + "'. "
	}
	if text == "" {
		return nil
	}
	return &Error{Reason: WrongScope, Message: text}
}

// in tells whether the signature is good for a region.
func (s *Signature) in(region string) bool {
	if !s.Asymmetric {
		return s.Scope.Region == region
	}
	for name := range strings.SplitSeq(s.Regions, ",") {
		name = strings.TrimSpace(name)
		before, after, any := strings.Cut(name, "*")
		if name == region || any && len(region) >= len(name)-1 && strings.HasPrefix(region, before) && strings.HasSuffix(region, after) {
			return true
		}
	}
	return false
}

func (s *Signature) checkTime(c Check) error {
	now, skew := c.Now.UTC(), c.Skew
	if skew == 0 {
		skew = MaxSkew
	}
	if s.Time.After(now.Add(skew)) {
		return &Error{Reason: NotYetValid, Message: "Signature not yet current: " + s.timestamp + " is still later than " +
			now.Add(skew).Format(timeFormat) + " (" + now.Format(timeFormat) + " + " + minutes(skew) + ")"}
	}
	reason, life := Expired, skew
	if s.Presigned {
		reason, life = PresignExpired, s.Expires
	}
	if now.After(s.Time.Add(life)) {
		return &Error{Reason: reason, Message: "Signature expired: " + s.timestamp + " is now earlier than " +
			now.Add(-life).Format(timeFormat) + " (" + now.Format(timeFormat) + " - " + minutes(life) + ")"}
	}
	return nil
}

func minutes(d time.Duration) string {
	if d%time.Minute != 0 {
		return strconv.Itoa(int(d/time.Second)) + " sec."
	}
	return strconv.Itoa(int(d/time.Minute)) + " min."
}

// A workspace is memory for one verification.
type workspace struct {
	// request is the canonical request, text the string to sign.
	request, text []byte
	query         queryWriter
}

var workspaces = sync.Pool{New: func() any { return &workspace{} }}

// canonical writes the canonical request. absent is a signed header that the
// request doesn't have.
func (s *Signature) canonical(w *workspace, r *Request, c Check) (absent string) {
	b := append(w.request[:0], r.Method...)
	b = append(b, '\n')
	b = canonicalPath(b, r.Path, c.Path)
	b = append(b, '\n')
	b = w.query.append(b, r.Query, s.Presigned)
	b = append(b, '\n')
	b, absent = canonicalHeaders(b, r, s.SignedHeaders)
	b = append(b, '\n')
	for i, name := range s.SignedHeaders {
		if i > 0 {
			b = append(b, ';')
		}
		b = append(b, name...)
	}
	b = append(b, '\n')
	w.request = append(b, s.payload(r, c)...)
	return absent
}

// payload is the last line of the canonical request. A body's real hash goes
// in unless the request declares, under its signature, that there is none.
func (s *Signature) payload(r *Request, c Check) string {
	declared, _ := r.header("x-amz-content-sha256")
	if declared == UnsignedPayload || strings.HasPrefix(declared, streamingPrefix) {
		return declared
	}
	// S3 leaves the body out of presigned requests altogether.
	if s.Presigned && c.Path == EncodeOnce {
		return UnsignedPayload
	}
	if c.BodyHash == "" {
		return EmptyHash
	}
	return c.BodyHash
}

// stringToSign writes the string to sign of the canonical request.
func (s *Signature) stringToSign(w *workspace) {
	sum := sha256.Sum256(w.request)
	b := append(w.text[:0], s.algorithm()...)
	b = append(b, '\n')
	b = append(b, s.timestamp...)
	b = append(b, '\n')
	b = s.Scope.append(b)
	b = append(b, '\n')
	w.text = hex.AppendEncode(b, sum[:])
}

func (s *Signature) algorithm() string {
	if s.Asymmetric {
		return asymmetric
	}
	return algorithm
}

// SigningKey derives the key of a scope from a secret access key.
func SigningKey(secret string, scope Scope) []byte {
	key := mac([]byte("AWS4"+secret), scope.Date)
	key = mac(key, scope.Region)
	key = mac(key, scope.Service)
	return mac(key, terminator)
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
