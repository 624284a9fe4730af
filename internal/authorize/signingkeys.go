package authorize

import (
	"crypto/ecdsa"
	"hash/maphash"
	"strings"
	"sync/atomic"

	"gatehouse/internal/awswire/sigv4"
)

// signingKeySlots is how many signing keys are remembered. Two access keys that
// share a slot take turns in it: each change costs a derivation.
const signingKeySlots = 2048

// SigningKeys remembers the keys that are derived from secrets, so that a
// caller who comes again costs the hash of the request alone. It holds a bounded
// number of them and takes no lock.
type SigningKeys struct {
	seed  maphash.Seed
	slots [signingKeySlots]atomic.Pointer[signingKey]
}

// NewSigningKeys returns an empty memory.
func NewSigningKeys() *SigningKeys { return &SigningKeys{seed: maphash.MakeSeed()} }

// A signingKey is what is derived from a secret for one scope.
type signingKey struct {
	accessKeyID, secret string
	scope               sigv4.Scope
	asymmetric          bool
	// key is for signatures of version 4, public for those of version 4a.
	key    []byte
	public *ecdsa.PublicKey
}

// of returns the key that a signature is verified with; nil if there can't be
// one.
func (m *SigningKeys) of(s *sigv4.Signature, secret string) *signingKey {
	slot := &m.slots[maphash.String(m.seed, s.AccessKeyID)%signingKeySlots]
	if k := slot.Load(); k != nil && k.accessKeyID == s.AccessKeyID && k.secret == secret && k.asymmetric == s.Asymmetric && (s.Asymmetric || k.scope == s.Scope) {
		return k
	}
	// What came with the request is gone after it.
	k := &signingKey{
		accessKeyID: strings.Clone(s.AccessKeyID), secret: secret, asymmetric: s.Asymmetric,
		scope: sigv4.Scope{Date: strings.Clone(s.Scope.Date), Region: strings.Clone(s.Scope.Region), Service: strings.Clone(s.Scope.Service)},
	}
	if !s.Asymmetric {
		k.key = sigv4.SigningKey(secret, k.scope)
	} else {
		pair, err := sigv4.KeyPair(k.accessKeyID, secret)
		if err != nil {
			return nil
		}
		k.public = &pair.PublicKey
	}
	slot.Store(k)
	return k
}
