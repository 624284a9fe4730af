package conformance

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// issuerScene is a scene with an issuer and tokens.
func issuerScene(t *testing.T, setup Setup) *scene {
	t.Helper()
	server, err := newIssuers("127.0.0.1:0", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.close)
	return newScene(&World{Options: Options{Issuers: server, Run: "x"}}, "", setup, nil)
}

func TestTokens(t *testing.T) {
	s := issuerScene(t, Setup{
		Issuers: map[string]Issuer{"idp": {Keys: map[string]IssuerKey{"one": {}, "curve": {Type: "EC"}, "edwards": {Type: "OKP"}}}},
		Tokens: map[string]Token{
			"plain":   {Issuer: "idp", Claims: Members{"sub": "me", "iss2": "$(issuers.idp)"}},
			"later":   {Like: "plain", Times: map[string]float64{"exp": -60, "nbf": 0.5}, Claims: Members{"sub": nil}},
			"forged":  {Like: "plain", Forged: Members{"sub": "you"}},
			"none":    {Like: "plain", Algorithm: "none"},
			"header":  {Like: "plain", Header: Members{"kid": nil, "x": 1}},
			"curve":   {Like: "plain", Key: "curve", Algorithm: "ES256"},
			"edwards": {Like: "plain", Key: "edwards", Algorithm: "EdDSA"},
			"secret":  {Like: "plain", Algorithm: "HS256"},
			"pss":     {Like: "plain", Algorithm: "PS384"},
			"wrong":   {Like: "plain", Key: "curve"},
			"keyless": {Like: "plain", Key: "nobody"},
		},
	})
	issuer, err := s.issuer("idp")
	if err != nil {
		t.Fatal(err)
	}
	parts := func(name string) (header, claims map[string]any, signature string) {
		t.Helper()
		text, ok, err := s.lookup("tokens." + name)
		if err != nil || !ok {
			t.Fatal(name, ok, err)
		}
		segments := strings.Split(text, ".")
		for i, out := range []any{&header, &claims} {
			b, err := base64.RawURLEncoding.DecodeString(segments[i])
			if err == nil {
				err = json.Unmarshal(b, out)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return header, claims, segments[2]
	}
	header, claims, signature := parts("plain")
	if header["alg"] != "RS256" || header["kid"] != "one" || claims["iss"] != issuer.url || claims["iss2"] != issuer.url || claims["sub"] != "me" || len(signature) != 342 {
		t.Errorf("%v %v %s", header, claims, signature)
	}
	_, later, _ := parts("later")
	exp, nbf := later["exp"].(float64), later["nbf"].(float64)
	if later["sub"] != nil || exp > float64(time.Now().Unix()) || nbf != float64(int64(nbf))+0.5 {
		t.Errorf("%v", later)
	}
	if _, forged, kept := parts("forged"); forged["sub"] != "you" || kept == "" {
		t.Errorf("%v %s", forged, kept)
	}
	if header, _, signature := parts("none"); header["alg"] != "none" || signature != "" {
		t.Errorf("%v %s", header, signature)
	}
	if header, _, _ := parts("header"); header["kid"] != nil || header["x"] != 1.0 {
		t.Errorf("%v", header)
	}
	for name, length := range map[string]int{"curve": 86, "edwards": 86, "secret": 43, "pss": 342} {
		if _, _, signature := parts(name); len(signature) != length {
			t.Errorf("%s: a signature of %d characters, want %d", name, len(signature), length)
		}
	}
	for _, name := range []string{"wrong", "keyless"} {
		if got, _, err := s.lookup("tokens." + name); err == nil {
			t.Errorf("%s became %s", name, got)
		}
	}
}
