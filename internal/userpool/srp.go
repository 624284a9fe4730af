package userpool

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
)

// The group is the 3072-bit one of RFC 5054 with the generator 2. Everything is
// hashed with SHA-256, numbers as two's complement, which puts a zero byte
// before a set high bit. That is what Cognito's clients do.
const srpGroup = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD1" +
	"29024E088A67CC74020BBEA63B139B22514A08798E3404DD" +
	"EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245" +
	"E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED" +
	"EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3D" +
	"C2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F" +
	"83655D23DCA3AD961C62F356208552BB9ED529077096966D" +
	"670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B" +
	"E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9" +
	"DE2BCBF6955817183995497CEA956AE515D2261898FA0510" +
	"15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64" +
	"ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7" +
	"ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6B" +
	"F12FFA06D98A0864D87602733EC86A64521F2B18177B200C" +
	"BBE117577A615D6C770988C0BAD946E208E24FA074E5AB31" +
	"43DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"

// srpInfo is what the shared key is derived for.
const srpInfo = "Caldera Derived Key"

// srpBits bounds how long a client's number may be.
const srpBits = 3072

// ErrSRP is returned for a public number that can't be one.
var ErrSRP = errors.New("userpool: not a public number of SRP")

// A group is the constants of SRP, parsed.
type group struct{ n, g, k *big.Int }

// SRP is the server's side of the Secure Remote Password protocol as Cognito
// speaks it. math/big takes a time that depends on its numbers; the secret ones
// are used once, and an exchange says no more than whether a password is right.
type SRP struct {
	group
	random io.Reader
}

// NewSRP returns the protocol with secrets from random.
func NewSRP(random io.Reader) *SRP {
	n, _ := new(big.Int).SetString(srpGroup, 16)
	g := big.NewInt(2)
	k := new(big.Int).SetBytes(hashOf(signed(n), signed(g)))
	return &SRP{group{n, g, k}, random}
}

// A Verifier is what the server keeps of a password.
type Verifier struct {
	Salt []byte
	// Value is g to the power of the password's hash.
	Value []byte
}

// Verifier makes the verifier of a user's password. pool is the part of the
// pool's id after the underscore.
func (s *SRP) Verifier(pool, user, password string) (Verifier, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(s.random, salt); err != nil {
		return Verifier{}, fmt.Errorf("userpool: make a salt: %w", err)
	}
	return s.verifier(salt, pool, user, password), nil
}

func (s *SRP) verifier(salt []byte, pool, user, password string) Verifier {
	inner := sha256.Sum256([]byte(pool + user + ":" + password))
	x := new(big.Int).SetBytes(hashOf(signed(new(big.Int).SetBytes(salt)), inner[:]))
	return Verifier{salt, new(big.Int).Exp(s.g, x, s.n).Bytes()}
}

// Decoy is the verifier of a user that isn't there: no password fits it, and the
// same name always has the same salt.
func (s *SRP) Decoy(secret []byte, user string) Verifier {
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write([]byte(user))
	sum := mac.Sum(nil)
	x := new(big.Int).SetBytes(hashOf(sum))
	return Verifier{sum[:saltBytes], new(big.Int).Exp(s.g, x, s.n).Bytes()}
}

// An Exchange is the state of a sign-in between its two steps.
type Exchange struct {
	// Secret is the server's secret exponent; A and B are the public numbers.
	Secret, A, B []byte
}

// Begin answers a client's public number, which is hexadecimal.
func (s *SRP) Begin(v Verifier, clientPublic string) (Exchange, error) {
	if len(clientPublic) > srpBits/4+2 {
		return Exchange{}, ErrSRP
	}
	a, ok := new(big.Int).SetString(clientPublic, 16)
	if !ok || a.Sign() <= 0 || new(big.Int).Mod(a, s.n).Sign() == 0 || a.BitLen() > srpBits {
		return Exchange{}, ErrSRP
	}
	secret := make([]byte, 32)
	if _, err := io.ReadFull(s.random, secret); err != nil {
		return Exchange{}, fmt.Errorf("userpool: make a secret: %w", err)
	}
	b := new(big.Int).Mul(s.k, new(big.Int).SetBytes(v.Value))
	b.Add(b, new(big.Int).Exp(s.g, new(big.Int).SetBytes(secret), s.n)).Mod(b, s.n)
	return Exchange{secret, a.Bytes(), b.Bytes()}, nil
}

// Key is the key that a client with the right password has come to, too.
func (s *SRP) Key(v Verifier, x Exchange) ([]byte, error) {
	a, b := new(big.Int).SetBytes(x.A), new(big.Int).SetBytes(x.B)
	u := new(big.Int).SetBytes(hashOf(signed(a), signed(b)))
	if u.Sign() == 0 {
		return nil, ErrSRP
	}
	shared := new(big.Int).Exp(new(big.Int).SetBytes(v.Value), u, s.n)
	shared.Mul(shared, a).Exp(shared, new(big.Int).SetBytes(x.Secret), s.n)
	return hkdf.Key(sha256.New, signed(shared), signed(u), srpInfo, 16)
}

// Claim is the signature by which a client shows that it has the key.
func Claim(key []byte, pool, user string, secretBlock []byte, timestamp string) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range [...][]byte{[]byte(pool), []byte(user), secretBlock, []byte(timestamp)} {
		_, _ = mac.Write(part)
	}
	return mac.Sum(nil)
}

// Hex is a number as it travels.
func Hex(number []byte) string { return hex.EncodeToString(number) }

// signed is a number in two's complement.
func signed(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) == 0 || b[0]&0x80 != 0 {
		return append([]byte{0}, b...)
	}
	return b
}

func hashOf(parts ...[]byte) []byte {
	h := sha256.New()
	for _, p := range parts {
		_, _ = h.Write(p)
	}
	return h.Sum(nil)
}
