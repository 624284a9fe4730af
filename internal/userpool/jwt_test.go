package userpool

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
)

func newKey(t testing.TB) *SigningKey {
	t.Helper()
	k, err := NewSigningKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestTokens(t *testing.T) {
	key, other := newKey(t), newKey(t)
	der, err := key.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if key, err = ParseSigningKey(key.ID, der); err != nil {
		t.Fatal(err)
	}
	token, err := key.Sign(map[string]string{"iss": "me", "sub": "alice"})
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(token, ".")
	if raw, _ := base64.RawURLEncoding.DecodeString(head); string(raw) != `{"kid":"`+key.ID+`","alg":"RS256"}` {
		t.Errorf("header %s", raw)
	}
	if iss, ok := Issuer(token); !ok || iss != "me" {
		t.Errorf("issuer %q", iss)
	}
	keys := []PublicKey{other.Public(), key.Public()}
	claims, err := Verify(token, keys)
	if err != nil || string(claims) != `{"iss":"me","sub":"alice"}` {
		t.Errorf("%s, %v", claims, err)
	}

	b64 := base64.RawURLEncoding
	part := strings.Split(token, ".")
	swap := func(head string) string { return b64.EncodeToString([]byte(head)) + "." + part[1] + "." + part[2] }
	for name, bad := range map[string]string{
		"other kid":  swap(`{"kid":"` + other.ID + `","alg":"RS256"}`),
		"none":       b64.EncodeToString([]byte(`{"kid":"`+key.ID+`","alg":"none"}`)) + "." + part[1] + ".",
		"hmac":       swap(`{"kid":"` + key.ID + `","alg":"HS256"}`),
		"other body": part[0] + "." + b64.EncodeToString([]byte(`{"iss":"me","sub":"bob"}`)) + "." + part[2],
		"cut":        part[0] + "." + part[1],
		"more":       token + ".x",
		"empty":      "",
		"padding":    part[0] + "." + part[1] + "." + part[2] + "==",
		"long":       token + strings.Repeat("a", maxToken),
	} {
		if _, err := Verify(bad, keys); !errors.Is(err, ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Verify(token, keys[:1]); !errors.Is(err, ErrToken) {
		t.Errorf("without its key: %v", err)
	}
}

// TestKeySet checks a token by the key set alone, as an app does.
func TestKeySet(t *testing.T) {
	key := newKey(t)
	token, err := key.Sign(struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(KeySet([]PublicKey{key.Public()}), &set); err != nil || len(set.Keys) != 1 {
		t.Fatal(set, err)
	}
	k := set.Keys[0]
	if k["alg"] != "RS256" || k["e"] != "AQAB" || k["kty"] != "RSA" || k["use"] != "sig" || k["kid"] != key.ID {
		t.Errorf("%v", k)
	}
	n, err := base64.RawURLEncoding.DecodeString(k["n"])
	if err != nil {
		t.Fatal(err)
	}
	at := strings.LastIndexByte(token, '.')
	signature, _ := base64.RawURLEncoding.DecodeString(token[at+1:])
	sum := sha256.Sum256([]byte(token[:at]))
	if err := rsa.VerifyPKCS1v15(&rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}, crypto.SHA256, sum[:], signature); err != nil {
		t.Error(err)
	}
	if got := string(KeySet(nil)); got != `{"keys":[]}` {
		t.Error(got)
	}
}

func FuzzVerify(f *testing.F) {
	key, err := NewSigningKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	token, err := key.Sign(map[string]string{"iss": "me"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add("e30.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		Issuer(text)
		if _, err := Verify(text, []PublicKey{key.Public()}); err == nil && text != token {
			// The last character of the signature has bits that mean nothing.
			if strings.TrimRight(text[:len(text)-1], "\r\n") != token[:len(token)-1] {
				t.Errorf("%q is taken", text)
			}
		}
	})
}
