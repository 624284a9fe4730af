package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Check is what a signature is verified against.
type Check struct {
	// Secret is the secret access key of the signature's AccessKeyID.
	Secret string
	// Key, when set, is the SigningKey of the signature's scope, kept by a
	// caller that verifies often; Secret isn't looked at then.
	Key []byte
	// Now is the verifier's clock.
	Now time.Time
	// BodyHash is the SHA-256 of the body in hex; empty means EmptyHash. A
	// request that says its payload is unsigned needs none.
	BodyHash string
	// Services are the signing names accepted; none accepts any.
	Services []string
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

// Verify checks a signature. It returns nil or an *Error.
func (s *Signature) Verify(r *Request, c Check) error {
	if len(c.Services) > 0 && !slices.Contains(c.Services, s.Scope.Service) {
		return &Error{WrongScope, "Credential should be scoped to correct service: '" + c.Services[0] + "'. "}
	}
	if err := s.checkTime(c.Now); err != nil {
		return err
	}
	canonical, absent := s.canonical(r, c)
	if absent != "" {
		return &Error{Mismatch, mismatch}
	}
	key := c.Key
	if key == nil {
		key = SigningKey(c.Secret, s.Scope)
	}
	want := sign(key, s.stringToSign(canonical))
	if subtle.ConstantTimeCompare([]byte(want), []byte(s.signature)) != 1 {
		return &Error{Mismatch, mismatch}
	}
	return nil
}

func (s *Signature) checkTime(now time.Time) error {
	now = now.UTC()
	if s.Time.After(now.Add(MaxSkew)) {
		return &Error{NotYetValid, "Signature not yet current: " + s.timestamp + " is still later than " +
			now.Add(MaxSkew).Format(timeFormat) + " (" + now.Format(timeFormat) + " + 15 min.)"}
	}
	if s.Presigned {
		if now.After(s.Time.Add(s.Expires)) {
			return &Error{PresignExpired, "Signature expired: " + s.timestamp + " is now earlier than " +
				now.Add(-s.Expires).Format(timeFormat) + " (" + now.Format(timeFormat) + " - " + minutes(s.Expires) + ")"}
		}
		return nil
	}
	if s.Time.Before(now.Add(-MaxSkew)) {
		return &Error{Expired, "Signature expired: " + s.timestamp + " is now earlier than " +
			now.Add(-MaxSkew).Format(timeFormat) + " (" + now.Format(timeFormat) + " - 15 min.)"}
	}
	return nil
}

func minutes(d time.Duration) string {
	if d%time.Minute != 0 {
		return strconv.Itoa(int(d/time.Second)) + " sec."
	}
	return strconv.Itoa(int(d/time.Minute)) + " min."
}

func (s *Signature) canonical(r *Request, c Check) (_ []byte, absent string) {
	b := make([]byte, 0, 512)
	b = append(b, r.Method...)
	b = append(b, '\n')
	b = canonicalPath(b, r.Path, c.Path)
	b = append(b, '\n')
	b = canonicalQuery(b, r.Query)
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
	return append(b, s.payload(r, c)...), absent
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

func (s *Signature) stringToSign(canonical []byte) string {
	return algorithm + "\n" + s.timestamp + "\n" + s.Scope.String() + "\n" + Hash(canonical)
}

// SigningKey derives the key of a scope from a secret access key.
func SigningKey(secret string, scope Scope) []byte {
	key := mac([]byte("AWS4"+secret), scope.Date)
	key = mac(key, scope.Region)
	key = mac(key, scope.Service)
	return mac(key, terminator)
}

func sign(key []byte, text string) string { return hex.EncodeToString(mac(key, text)) }

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
