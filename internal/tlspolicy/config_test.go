package tlspolicy_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"slices"
	"testing"
	"time"

	"gatehouse/internal/tlspolicy"
)

// certificate makes a certificate that signs for itself; names are further ones.
func certificate(t testing.TB, key crypto.Signer, names ...string) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "api.example.test"},
		DNSNames: append(names, "api.example.test", "other.example.test"), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func ecdsaKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func made(t testing.TB, o tlspolicy.Options) *tlspolicy.Handshaker {
	t.Helper()
	c, err := tlspolicy.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// listener is a listener's own configuration, which has another for whoever asks.
func listener(f *tlspolicy.Handshaker) *tls.Config {
	return &tls.Config{GetConfigForClient: f.Config}
}

// shake has a client and a server shake hands, exchange a byte and say goodbye.
func shake(t *testing.T, server, client *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		nc, err := l.Accept()
		if err != nil {
			served <- err
			return
		}
		over := tls.Server(nc, server)
		err = over.HandshakeContext(t.Context())
		if err == nil {
			_, err = over.Write([]byte("x"))
		}
		served <- errors.Join(err, over.Close())
	}()
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	nc, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	client.InsecureSkipVerify = true
	if client.ServerName == "" {
		client.ServerName = "api.example.test"
	}
	over := tls.Client(nc, client)
	err = over.HandshakeContext(t.Context())
	state := over.ConnectionState()
	if err == nil {
		// Tickets come before it.
		_, err = io.ReadFull(over, make([]byte, 1))
	}
	_ = over.Close() // one that failed may be closed already
	if failed := <-served; err == nil && failed != nil {
		err = failed
	}
	return state, err
}

func TestEveryPolicyIsMade(t *testing.T) {
	if got := len(tlspolicy.Names()); got != 14 {
		t.Errorf("%d policies, AWS's model has 14", got)
	}
	cert := certificate(t, ecdsaKey(t))
	for _, name := range append(tlspolicy.Names(), "") {
		if _, err := shake(t, listener(made(t, tlspolicy.Options{Policy: name, Certificate: cert})), &tls.Config{}); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for name, o := range map[string]tlspolicy.Options{
		"no such policy": {Policy: "SecurityPolicy_TLS13_1_9", Certificate: cert},
		"no certificate": {Policy: "TLS_1_2"},
		"no key":         {Certificate: tls.Certificate{Certificate: cert.Certificate}},
		"nonsense":       {Certificate: tls.Certificate{Certificate: [][]byte{{1}}, PrivateKey: cert.PrivateKey}},
	} {
		if _, err := tlspolicy.New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// What openssl isn't built with here: 3DES and the hybrid groups.
func TestFamilies(t *testing.T) {
	cert := certificate(t, rsaKey(t))
	only := func(suite uint16) *tls.Config {
		return &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite}}
	}
	groups := func(g ...tls.CurveID) *tls.Config { return &tls.Config{CurvePreferences: g} }
	for _, test := range []struct {
		policy string
		name   string
		client *tls.Config
		want   bool
	}{
		{"TLS_1_0", "3DES", only(tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA), true},
		{"TLS_1_2", "3DES", only(tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA), false},
		{"SecurityPolicy_TLS13_1_2_Ext2_PQ_2025_09", "3DES", only(tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA), false},
		{"TLS_1_0", "RC4", only(tls.TLS_RSA_WITH_RC4_128_SHA), false},
		{"TLS_1_2", "ChaCha20", only(tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256), false},
		{"SecurityPolicy_TLS12_PFS_2025_EDGE", "ChaCha20", only(tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256), true},
		{"SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09", "X25519MLKEM768", groups(tls.X25519MLKEM768), true},
		{"SecurityPolicy_TLS13_1_2_PQ_2025_09", "SecP256r1MLKEM768", groups(tls.SecP256r1MLKEM768), true},
		{"SecurityPolicy_TLS13_1_2_FIPS_PFS_PQ_2025_09", "SecP384r1MLKEM1024", groups(tls.SecP384r1MLKEM1024), true},
		{"SecurityPolicy_TLS13_1_2_FIPS_PFS_PQ_2025_09", "X25519", groups(tls.X25519), false},
		{"SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09", "X25519", groups(tls.X25519), true},
		{"SecurityPolicy_TLS13_1_3_2025_09", "X25519MLKEM768", groups(tls.X25519MLKEM768), false},
		{"TLS_1_2", "X25519MLKEM768", groups(tls.X25519MLKEM768), false},
	} {
		state, err := shake(t, listener(made(t, tlspolicy.Options{Policy: test.policy, Certificate: cert})), test.client)
		if (err == nil) != test.want {
			t.Errorf("%s, %s: %v, want it to connect: %v (%s)", test.policy, test.name, err, test.want, tls.CipherSuiteName(state.CipherSuite))
		}
	}
}

func TestFIPSHasNoChaCha20(t *testing.T) {
	const policy = "SecurityPolicy_TLS13_1_3_FIPS_2025_09"
	c := made(t, tlspolicy.Options{Policy: policy, Certificate: certificate(t, ecdsaKey(t))})
	config, err := c.Config(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	if err := config.VerifyConnection(tls.ConnectionState{CipherSuite: tls.TLS_CHACHA20_POLY1305_SHA256}); err == nil {
		t.Error("a connection may have ChaCha20")
	}
	if state, err := shake(t, listener(c), &tls.Config{}); err != nil || state.CipherSuite == tls.TLS_CHACHA20_POLY1305_SHA256 {
		t.Errorf("%s, %v", tls.CipherSuiteName(state.CipherSuite), err)
	}
}

// HTTP/2 isn't agreed on where it would be refused for its cipher suite.
func TestProtocols(t *testing.T) {
	c := listener(made(t, tlspolicy.Options{Policy: "TLS_1_0", Certificate: certificate(t, rsaKey(t))}))
	both := []string{"h2", "http/1.1"}
	for _, test := range []struct {
		name   string
		client *tls.Config
		want   string
	}{
		{"TLS 1.3", &tls.Config{NextProtos: both}, "h2"},
		{"TLS 1.2", &tls.Config{NextProtos: both, MaxVersion: tls.VersionTLS12}, "h2"},
		{"TLS 1.2 without AEAD", &tls.Config{NextProtos: both, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}}, "http/1.1"},
		{"TLS 1.1", &tls.Config{NextProtos: both, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, "http/1.1"},
		{"none", &tls.Config{}, ""},
	} {
		if state, err := shake(t, c, test.client); err != nil || state.NegotiatedProtocol != test.want {
			t.Errorf("%s: %q, %v, want %q", test.name, state.NegotiatedProtocol, err, test.want)
		}
	}
}

func TestTickets(t *testing.T) {
	cert := certificate(t, ecdsaKey(t))
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		tickets := tlspolicy.NewTickets(nil)
		configure := func(name string) *tls.Config {
			return listener(made(t, tlspolicy.Options{Certificate: cert, Name: name, Tickets: tickets}))
		}
		client := &tls.Config{MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(0)}
		resumed := func(server *tls.Config) bool {
			state, err := shake(t, server, client)
			if err != nil {
				t.Fatal(err)
			}
			return state.DidResume
		}
		if resumed(configure("api.example.test")) {
			t.Errorf("%x: resumed without a ticket", version)
		}
		if !resumed(configure("api.example.test")) {
			t.Errorf("%x: a configuration made anew lost the tickets", version)
		}
		if resumed(configure("other.example.test")) {
			t.Errorf("%x: resumed under another name", version)
		}
	}
}

func TestClientCertificateIsRequired(t *testing.T) {
	key := ecdsaKey(t)
	cert := certificate(t, key)
	c := listener(made(t, tlspolicy.Options{Certificate: cert, RequireClientCertificate: true}))
	if _, err := shake(t, c, &tls.Config{}); err == nil {
		t.Error("a client without a certificate got in")
	}
	if _, err := shake(t, c, &tls.Config{Certificates: []tls.Certificate{cert}}); err != nil {
		t.Errorf("a client with an unknown certificate: %v; the domain is to judge it", err)
	}
	// What it sends along is kept as long as the connection.
	for length, want := range map[int]bool{10: true, 11: false} {
		chain := cert
		for len(chain.Certificate) < length {
			chain.Certificate = append(chain.Certificate[:len(chain.Certificate):len(chain.Certificate)], cert.Certificate[0])
		}
		if _, err := shake(t, c, &tls.Config{Certificates: []tls.Certificate{chain}}); (err == nil) != want {
			t.Errorf("a chain of %d certificates: %v", length, err)
		}
	}
	long := certificate(t, key, slices.Repeat([]string{"a.example.test"}, 2200)...)
	if _, err := shake(t, c, &tls.Config{Certificates: []tls.Certificate{long}}); err == nil {
		t.Error("a certificate of 33 KB got in")
	}
}
