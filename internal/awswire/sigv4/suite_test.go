package sigv4_test

import (
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/awswire/sigv4"
)

// A vector is one directory of AWS's test suite; see testdata/README.md.
type vector struct {
	Version, Name string
	Context       struct {
		Credentials struct {
			Access string `json:"access_key_id"`
			Secret string `json:"secret_access_key"`
			Token  string
		}
		Expires   int `json:"expiration_in_seconds"`
		Normalize bool
		Region    string
		Service   string
		Timestamp time.Time
		OmitToken bool `json:"omit_session_token"`
	}
	Header, Query struct{ Canonical, ToSign, Signed string }
	PublicKey     struct{ X, Y string }
}

func vectors(t *testing.T) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/aws-signing-test-suite.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []vector
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) < 70 {
		t.Fatalf("only %d vectors", len(list))
	}
	return list
}

// signedRequest reads a request of the suite, in which paths may hold spaces and
// header values go on over lines.
func signedRequest(text string) (r *sigv4.Request, body string) {
	head, body, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(strings.TrimRight(head, "\n"), "\n")
	method, target, _ := strings.Cut(lines[0], " ")
	target = strings.TrimSuffix(target, " HTTP/1.1")
	h, last := http.Header{}, ""
	for _, line := range lines[1:] {
		if strings.HasPrefix(line, " ") {
			values := h[last]
			values[len(values)-1] += line
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		last = http.CanonicalHeaderKey(name)
		h.Add(name, value)
	}
	path, query, _ := strings.Cut(target, "?")
	r = &sigv4.Request{Method: method, Path: path, Query: query, Host: h.Get("Host"), ContentLength: int64(len(body)), Header: func(n string) []string { return h.Values(n) }}
	return r, body
}

// skipped says why a vector of the suite isn't ours to verify.
func skipped(v *vector, form string) string {
	if form == "query" && v.Context.OmitToken {
		return "the token is added to the query after signing, which services of IoT alone take"
	}
	return ""
}

// TestVectors verifies every request of AWS's suite, in both versions and forms,
// and that one whose secret or signature is another doesn't verify.
func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		for form, signed := range map[string]struct{ Canonical, ToSign, Signed string }{"header": v.Header, "query": v.Query} {
			t.Run(v.Version+"/"+v.Name+"/"+form, func(t *testing.T) {
				if why := skipped(&v, form); why != "" {
					t.Skip(why)
				}
				r, body := signedRequest(signed.Signed)
				s, err := sigv4.ParseAny(r)
				if err != nil {
					t.Fatal(err)
				}
				c := sigv4.Check{
					Secret: v.Context.Credentials.Secret, Now: v.Context.Timestamp, BodyHash: sigv4.Hash([]byte(body)),
					Region: v.Context.Region, Service: v.Context.Service, Path: sigv4.AsSent,
				}
				if v.Context.Normalize {
					c.Path = sigv4.EncodeTwice
				}
				if err := s.Verify(r, c); err != nil {
					t.Errorf("%v\n%s", err, explained(err))
				}
				if s.AccessKeyID != v.Context.Credentials.Access || s.Token != v.Context.Credentials.Token || s.Asymmetric != (v.Version == "v4a") {
					t.Errorf("parsed %+v", s)
				}
				c.Secret += "x"
				err = s.Verify(r, c)
				if reason(err) != sigv4.Mismatch {
					t.Fatalf("another secret: %v", err)
				}
				var got *sigv4.Error
				if !errors.As(err, &got) || got.Canonical != signed.Canonical || got.StringToSign != signed.ToSign {
					t.Errorf("%s", explained(err))
				}
			})
		}
	}
}

func explained(err error) string {
	var e *sigv4.Error
	if !errors.As(err, &e) {
		return ""
	}
	return fmt.Sprintf("canonical request:\n%s\nstring to sign:\n%s", e.Canonical, e.StringToSign)
}

// TestKeyPair derives the public keys that the suite has.
func TestKeyPair(t *testing.T) {
	for _, v := range vectors(t) {
		if v.PublicKey.X == "" {
			continue
		}
		pair, err := sigv4.KeyPair(v.Context.Credentials.Access, v.Context.Credentials.Secret)
		if err != nil {
			t.Fatal(err)
		}
		x, _ := new(big.Int).SetString(v.PublicKey.X, 16)
		y, _ := new(big.Int).SetString(v.PublicKey.Y, 16)
		want := append(append([]byte{4}, x.FillBytes(make([]byte, 32))...), y.FillBytes(make([]byte, 32))...)
		if got, err := pair.PublicKey.Bytes(); err != nil || string(got) != string(want) || pair.Curve != elliptic.P256() {
			t.Errorf("%s: %x, %v, want %x", v.Name, got, err, want)
		}
	}
}

// TestRegionSet pins which regions a set has.
func TestRegionSet(t *testing.T) {
	for set, want := range map[string]bool{
		"*": true, "us-east-1": true, "us-*": true, "eu-west-1,us-east-1": true, "eu-west-1, us-east-1": true, "*-1": true,
		"": false, "eu-*": false, "us-east-2": false, "us-east-1x": false, "us-east-1*-1": false,
	} {
		r := request("GET", "/", "Host:h", "X-Amz-Date:20150830T123600Z", "X-Amz-Region-Set:"+set,
			"Authorization:AWS4-ECDSA-P256-SHA256 Credential=A/20150830/execute-api/aws4_request, SignedHeaders=host;x-amz-date;x-amz-region-set, Signature=00")
		s, err := sigv4.ParseAny(r)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Verify(r, sigv4.Check{Secret: "x", Now: suiteTime, Region: "us-east-1"})
		if inSet := reason(err) == sigv4.Mismatch; inSet != want {
			t.Errorf("%q: %v", set, err)
		}
	}
	// Who asks for version 4 alone hears of no signature.
	r := request("GET", "/", "Host:h", "Authorization:AWS4-ECDSA-P256-SHA256 Credential=A/20150830/s/aws4_request, SignedHeaders=host, Signature=00")
	if _, err := sigv4.Parse(r); reason(err) != sigv4.Missing {
		t.Errorf("version 4 alone: %v", err)
	}
}
