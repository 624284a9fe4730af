package userpool

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
)

func sumOf(password string) string {
	return base64.RawStdEncoding.EncodeToString(argon2.IDKey([]byte(password), []byte("somesalt"), 1, 8, 1, 32))
}

// client is the other side of SRP, worked with hexadecimal text as the
// JavaScript client does, so that it shares no code with the server's.
type client struct {
	n, g, k, a, public *big.Int
}

func newClient(secret int64) *client {
	c := &client{g: big.NewInt(2), a: big.NewInt(secret)}
	c.n, _ = new(big.Int).SetString(srpGroup, 16)
	c.k, _ = new(big.Int).SetString(hexHash("00"+srpGroup+"02"), 16)
	c.public = new(big.Int).Exp(c.g, c.a, c.n)
	return c
}

func hexHash(text string) string {
	raw, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

func padded(n *big.Int) string {
	text := n.Text(16)
	if len(text)%2 == 1 {
		return "0" + text
	}
	if strings.ContainsRune("89abcdef", rune(text[0])) {
		return "00" + text
	}
	return text
}

func (c *client) key(saltHex, publicHex, pool, user, password string) []byte {
	salt, _ := new(big.Int).SetString(saltHex, 16)
	b, _ := new(big.Int).SetString(publicHex, 16)
	u, _ := new(big.Int).SetString(hexHash(padded(c.public)+padded(b)), 16)
	inner := sha256.Sum256([]byte(pool + user + ":" + password))
	x, _ := new(big.Int).SetString(hexHash(padded(salt)+hex.EncodeToString(inner[:])), 16)
	base := new(big.Int).Sub(b, new(big.Int).Mul(c.k, new(big.Int).Exp(c.g, x, c.n)))
	shared := base.Exp(base.Mod(base, c.n), new(big.Int).Add(c.a, new(big.Int).Mul(u, x)), c.n)
	raw, _ := hex.DecodeString(padded(shared))
	salted, _ := hex.DecodeString(padded(u))
	extract := hmac.New(sha256.New, salted)
	extract.Write(raw)
	expand := hmac.New(sha256.New, extract.Sum(nil))
	expand.Write([]byte("Caldera Derived Key\x01"))
	return expand.Sum(nil)[:16]
}

func TestSRP(t *testing.T) {
	s := NewSRP(rand.Reader)
	v, err := s.Verifier("abc123XYZ", "alice", "Passw0rd!")
	if err != nil {
		t.Fatal(err)
	}
	// Enough runs for numbers that begin with a zero, or a set bit.
	for i := int64(1); i <= 40; i++ {
		c := newClient(i * 7919)
		x, err := s.Begin(v, c.public.Text(16))
		if err != nil {
			t.Fatal(err)
		}
		want, err := s.Key(v, x)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.key(Hex(v.Salt), Hex(x.B), "abc123XYZ", "alice", "Passw0rd!"); !bytes.Equal(got, want) {
			t.Fatalf("run %d: the keys differ", i)
		}
		for _, wrong := range [][2]string{{"alice", "passw0rd!"}, {"Alice", "Passw0rd!"}} {
			if got := c.key(Hex(v.Salt), Hex(x.B), "abc123XYZ", wrong[0], wrong[1]); bytes.Equal(got, want) {
				t.Fatalf("%v has the key", wrong)
			}
		}
	}
}

// TestSRPRefuses has the numbers by which a client would know the key without
// the password.
func TestSRPRefuses(t *testing.T) {
	s := NewSRP(rand.Reader)
	v, err := s.Verifier("p", "u", "x")
	if err != nil {
		t.Fatal(err)
	}
	n, _ := new(big.Int).SetString(srpGroup, 16)
	for _, public := range []string{
		"", "0", "00", "-2", "xyz", srpGroup, new(big.Int).Lsh(n, 1).Text(16), "1" + srpGroup, strings.Repeat("f", 10_000),
	} {
		if _, err := s.Begin(v, public); !errors.Is(err, ErrSRP) {
			t.Errorf("%.20q: %v", public, err)
		}
	}
}

func TestDecoy(t *testing.T) {
	s := NewSRP(rand.Reader)
	a, b := s.Decoy([]byte("secret"), "nobody"), s.Decoy([]byte("secret"), "nobody")
	if !bytes.Equal(a.Salt, b.Salt) || !bytes.Equal(a.Value, b.Value) || len(a.Salt) != saltBytes {
		t.Errorf("a name that isn't there is told by its salt: %x, %x", a.Salt, b.Salt)
	}
	if c := s.Decoy([]byte("secret"), "somebody"); bytes.Equal(a.Salt, c.Salt) {
		t.Error("all names have one salt")
	}
}

func FuzzBegin(f *testing.F) {
	s := NewSRP(rand.Reader)
	v, err := s.Verifier("p", "u", "x")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"2", "-1", "0x10", "+5", "1_000", srpGroup} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, public string) {
		x, err := s.Begin(v, public)
		if err != nil {
			return
		}
		if _, err := s.Key(v, x); err != nil {
			t.Errorf("%q is taken, then %v", public, err)
		}
	})
}
