package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Signer signs many requests. It keeps the keys that it derives, which are
// good for a day, a region and a service each. The zero Signer is ready for use,
// by several goroutines at once.
type Signer struct {
	derived atomic.Pointer[map[derivation]*signingKey]
	mu      sync.Mutex // of who derives a key
}

// A derivation is what a signing key is made of.
type derivation struct{ secret, date, region, service string }

// maxDerived is how many keys a Signer keeps. One more and it begins anew.
const maxDerived = 256

// A signingKey is a derived key with the hashes that were made of it.
type signingKey struct{ hashes sync.Pool }

// Timestamp is a time as X-Amz-Date has it.
func Timestamp(at time.Time) string { return at.UTC().Format(timeFormat) }

// Append appends the value of the Authorization header of a request. names are
// the headers that are signed: in lower case, sorted, host and x-amz-date among
// them, which r has to have as well as X-Amz-Security-Token where the keys have a
// token. timestamp is the request's X-Amz-Date.
func (s *Signer) Append(dst []byte, r *Request, keys Keys, region, service, timestamp string, names []string, c Check) []byte {
	v := Signature{
		AccessKeyID: keys.AccessKeyID, SignedHeaders: names, timestamp: timestamp,
		Scope: Scope{Date: timestamp[:len(dateFormat)], Region: region, Service: service},
	}
	dst = append(append(dst, algorithm+" Credential="...), keys.AccessKeyID...)
	dst = append(v.Scope.append(append(dst, '/')), ", SignedHeaders="...)
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ';')
		}
		dst = append(dst, name...)
	}
	dst = append(dst, ", Signature="...)

	w := workspaces.Get().(*workspace)
	defer workspaces.Put(w)
	v.canonical(w, r, c)
	v.stringToSign(w)
	key := s.key(derivation{keys.Secret, v.Scope.Date, region, service})
	h := key.hashes.Get().(hash.Hash)
	h.Reset()
	h.Write(w.text)
	w.text = h.Sum(w.text[:0])
	key.hashes.Put(h)
	return hex.AppendEncode(dst, w.text)
}

// key returns the signing key of a scope.
func (s *Signer) key(of derivation) *signingKey {
	if kept := s.derived.Load(); kept != nil {
		if key := (*kept)[of]; key != nil {
			return key
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := map[derivation]*signingKey{}
	if kept := s.derived.Load(); kept != nil && len(*kept) < maxDerived {
		maps.Copy(keys, *kept)
	}
	if keys[of] == nil {
		// What it is made of may be views of a request.
		of = derivation{strings.Clone(of.secret), strings.Clone(of.date), strings.Clone(of.region), strings.Clone(of.service)}
		derived := SigningKey(of.secret, Scope{Date: of.date, Region: of.region, Service: of.service})
		key := &signingKey{}
		key.hashes.New = func() any { return hmac.New(sha256.New, derived) }
		keys[of] = key
	}
	s.derived.Store(&keys)
	return keys[of]
}
