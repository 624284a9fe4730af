package conformance

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// handshakes is a setup with authorities, and what a server and its clients show.
var handshakes = Setup{
	Certificates: map[string]Certificate{
		"root":  {Subject: "/C=SE/CN=Root", CA: true},
		"sub":   {By: "root", CA: true},
		"site":  {By: "sub", Names: []string{"a.test"}},
		"ann":   {By: "sub", Subject: "/C=SE/O=Us+OU=Here/CN=ann", Serial: "a1b2", Usage: []string{"clientAuth"}},
		"ben":   {},
		"old":   {By: "root", Until: time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)},
		"short": {Key: "RSA-1024", Signature: "SHA-1"},
	},
	Truststores: map[string]Truststore{"clients": {{Has: []string{"root", "sub"}}, {Text: "x", Has: []string{"ben"}}}},
}

// server is one with a certificate. What clients show, if it asks, has to be of
// the root; it answers with their common names.
func server(t *testing.T, asks tls.ClientAuthType) *run {
	t.Helper()
	r := startRun(&World{}, newScene(&World{}, "", handshakes, nil))
	shown, err := r.scene.shown("site", []string{"sub"})
	if err != nil {
		t.Fatal(err)
	}
	root, err := r.scene.certificate("root")
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(root.x509)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		who := ""
		for _, c := range q.TLS.PeerCertificates[:min(1, len(q.TLS.PeerCertificates))] {
			who = c.Subject.CommonName
		}
		fmt.Fprintf(w, "%s %s %s", q.Proto, q.Host, who)
	}))
	s.TLS = &tls.Config{
		Certificates: []tls.Certificate{*shown}, ClientCAs: clients, ClientAuth: asks,
		MinVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384},
	}
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	base, err := url.Parse(strings.Replace(s.URL, "127.0.0.1", "localhost", 1))
	if err != nil {
		t.Fatal(err)
	}
	r.scene.apis["main"] = func() (*madeAPI, error) { return &madeAPI{endpoint: base}, nil }
	t.Cleanup(r.hangUp)
	return r
}

func TestHandshakes(t *testing.T) {
	r := server(t, tls.RequireAndVerifyClientCert)
	ann := TLS{Certificate: "ann", Chain: []string{"sub"}}
	with := func(edit func(*TLS)) *TLS {
		c := ann
		edit(&c)
		return &c
	}
	yes, no := true, false
	const get = "GET /\nHost: a.test"
	for _, test := range []struct {
		name string
		step Step
		ok   bool
	}{
		{"whom the server knows", Step{Request: get, TLS: &ann, Expect: &Expect{Status: 200, Body: new("HTTP/1.1 a.test ann")}}, true},
		{"a handshake alone", Step{TLS: &ann, Expect: &Expect{TLS: &ExpectTLS{Version: "1.3", Protocol: new(""), Names: []string{"a.test"}, Certificate: "site", Chain: &[]string{"sub"}}}}, true},
		{"whom the server knows isn't refused", Step{TLS: &ann, Expect: &Expect{Refused: true}}, false},
		{"another version", Step{TLS: &ann, Expect: &Expect{TLS: &ExpectTLS{Version: "1.2"}}}, false},
		{"the version that is offered", Step{TLS: with(func(c *TLS) { c.Versions = []string{"1.2"} }), Expect: &Expect{TLS: &ExpectTLS{Version: "1.2"}}}, true},
		{"another certificate", Step{TLS: &ann, Expect: &Expect{TLS: &ExpectTLS{Certificate: "ann"}}}, false},
		{"none of others", Step{TLS: &ann, Expect: &Expect{TLS: &ExpectTLS{Not: []string{"ann", "ben"}}}}, true},
		{"one of others", Step{TLS: &ann, Expect: &Expect{TLS: &ExpectTLS{Not: []string{"ann", "site"}}}}, false},
		{"another chain", Step{TLS: &ann, Expect: &Expect{TLS: &ExpectTLS{Chain: &[]string{"root"}}}}, false},
		{"a longer chain", Step{TLS: &ann, Expect: &Expect{TLS: &ExpectTLS{Chain: &[]string{"sub", "root"}}}}, false},
		{"other names", Step{TLS: &ann, Expect: &Expect{TLS: &ExpectTLS{Names: []string{"b.test"}}}}, false},
		{"another protocol", Step{TLS: &ann, Expect: &Expect{TLS: &ExpectTLS{Protocol: new("h2")}}}, false},
		{"a protocol", Step{TLS: with(func(c *TLS) { c.Protocols = []string{"http/1.1", "h2"} }), Expect: &Expect{TLS: &ExpectTLS{Protocol: new("h2")}}}, true},
		{"another suite", Step{TLS: with(func(c *TLS) { c.Versions, c.Suites = []string{"1.2"}, []string{"ECDHE-ECDSA-AES256-GCM-SHA384"} }), Expect: &Expect{TLS: &ExpectTLS{Suite: "ECDHE-ECDSA-AES128-GCM-SHA256"}}}, false},
		{"the suite", Step{TLS: with(func(c *TLS) { c.Versions, c.Suites = []string{"1.2"}, []string{"ECDHE-ECDSA-AES256-GCM-SHA384"} }), Expect: &Expect{TLS: &ExpectTLS{Suite: "ECDHE-ECDSA-AES256-GCM-SHA384"}}}, true},
		{"a suite that the server hasn't", Step{TLS: with(func(c *TLS) { c.Versions, c.Suites = []string{"1.2"}, []string{"ECDHE-RSA-AES128-SHA"} }), Expect: &Expect{Refused: true}}, true},
		{"a certificate without its chain", Step{TLS: &TLS{Certificate: "ann"}, Expect: &Expect{Refused: true}}, true},
		{"no certificate", Step{Request: get, TLS: &TLS{}, Expect: &Expect{Refused: true}}, true},
		{"no certificate, TLS 1.2", Step{Request: get, TLS: &TLS{Versions: []string{"1.2"}}, Expect: &Expect{Refused: true}}, true},
		{"no certificate, and an answer is expected", Step{Request: get, TLS: &TLS{}, Expect: &Expect{Status: 200}}, false},
		{"an unknown one", Step{TLS: &TLS{Certificate: "ben"}, Expect: &Expect{Refused: true}}, true},
		{"an expired one", Step{TLS: &TLS{Certificate: "old"}, Expect: &Expect{Refused: true}}, true},
		{"a weak one", Step{TLS: &TLS{Certificate: "short"}, Expect: &Expect{Refused: true}}, true},
		{"nobody's certificate", Step{TLS: &TLS{Certificate: "nobody"}, Expect: &Expect{Refused: true}}, false},
		{"the first handshake", Step{TLS: with(func(c *TLS) { c.Resume = true }), Expect: &Expect{TLS: &ExpectTLS{Resumed: &no}}}, true},
		{"the second handshake", Step{TLS: with(func(c *TLS) { c.Resume = true }), Expect: &Expect{TLS: &ExpectTLS{Resumed: &yes}}}, true},
		{"a session isn't resumed unasked", Step{TLS: &TLS{}, Expect: &Expect{Refused: true}}, true},
		{"HTTP/2", Step{Request: get, HTTP2: true, TLS: &ann, Expect: &Expect{Status: 200, Body: new("HTTP/2.0 a.test ann")}}, true},
		{"HTTP/2 in frames", Step{Request: "GET /\n:authority: b.test", HTTP2: true, TLS: &ann, Expect: &Expect{Status: 200, Body: new("HTTP/2.0 b.test ann"), TLS: &ExpectTLS{Protocol: new("h2")}}}, true},
		{"HTTP/2 without a certificate", Step{Request: get, HTTP2: true, TLS: &TLS{}, Expect: &Expect{Refused: true}}, true},
		{"a stream that is reset", Step{Request: "GET /\n:authority: b.test\n:odd: 1", HTTP2: true, TLS: &ann, Expect: &Expect{Refused: true}}, true},
		{"a connection that is kept", Step{Request: get, Connection: "c", TLS: &ann, Expect: &Expect{Status: 200}}, true},
		{"the same again, whatever is shown", Step{Request: "GET /\nHost: c.test", Connection: "c", TLS: &TLS{}, Expect: &Expect{Status: 200, Body: new("HTTP/1.1 c.test ann")}}, true},
		{"as it stands", Step{Request: "GET / HTTP/1.1\nhost: d.test", Bare: true, TLS: &ann, Expect: &Expect{Status: 200, Body: new("HTTP/1.1 d.test ann")}}, true},
		{"as it stands, without a host", Step{Request: "GET / HTTP/1.1", Bare: true, TLS: &ann, Expect: &Expect{Status: 400}}, true},
	} {
		test.step.API = "main"
		if err := r.step(t.Context(), &test.step); (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestOffers(t *testing.T) {
	r := server(t, tls.NoClientCert)
	const one, two, three = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA256"
	for _, test := range []struct {
		name  string
		offer Offer
		ok    bool
	}{
		{"versions", Offer{Versions: Choices{Taken: []string{"1.2", "1.3"}, Refused: []string{"1.0", "1.1"}}}, true},
		{"a version that isn't taken", Offer{Versions: Choices{Taken: []string{"1.1"}}}, false},
		{"a version that isn't refused", Offer{Versions: Choices{Refused: []string{"1.3"}}}, false},
		{"suites", Offer{Suites: Choices{Taken: []string{one, two}, Refused: []string{three}}}, true},
		{"a suite that isn't taken", Offer{Suites: Choices{Taken: []string{one, three}}}, false},
		{"a suite that isn't refused", Offer{Suites: Choices{Refused: []string{three, two}}}, false},
		{"groups", Offer{Groups: Choices{Taken: []string{"X25519", "P-384", "X25519MLKEM768"}}}, true},
		{"a group that isn't refused", Offer{Groups: Choices{Refused: []string{"P-521"}}}, false},
	} {
		test.offer.Name = "a.test"
		if err := r.step(t.Context(), &Step{API: "main", Offers: &test.offer}); (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestHello(t *testing.T) {
	r := server(t, tls.NoClientCert)
	const good, other, old = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES256-SHA384"
	for _, test := range []struct {
		name  string
		hello Hello
		ok    bool
	}{
		{"a suite", Hello{Suites: []string{good}, Version: "1.2", Suite: good}, true},
		{"another suite", Hello{Suites: []string{good}, Suite: other}, false},
		{"another version", Hello{Suites: []string{good}, Version: "1.1"}, false},
		{"a name", Hello{Name: new("a.test"), Suites: []string{good}, Suite: good}, true},
		{"a name that is none", Hello{Name: new("a.test."), Suites: []string{good}, Alert: "error decoding message"}, true},
		{"no suite in common", Hello{Suites: []string{old}, Alert: "handshake failure"}, true},
		{"a number", Hello{Suites: []string{"0xc02b"}, Suite: good}, true},
		{"another alert", Hello{Suites: []string{old}, Alert: "protocol version not supported"}, false},
		{"an alert where hands are shaken", Hello{Suites: []string{good}, Alert: "handshake failure"}, false},
		{"an old version", Hello{Versions: []string{"3.0"}, Suites: []string{good}, Alert: "protocol version not supported"}, true},
		{"TLS 1.3", Hello{Versions: []string{"1.3"}, Suites: []string{"TLS_CHACHA20_POLY1305_SHA256"}, Version: "1.3", Suite: "TLS_CHACHA20_POLY1305_SHA256"}, true},
		{"both", Hello{Versions: []string{"1.2", "1.3"}, Suites: []string{good, "TLS_AES_256_GCM_SHA384"}, Version: "1.3", Suite: "TLS_AES_256_GCM_SHA384"}, true},
		{"a step back", Hello{Suites: []string{good, "FALLBACK_SCSV"}, Alert: "inappropriate fallback"}, true},
		{"a protocol", Hello{Suites: []string{good}, Protocols: []string{"x"}, Alert: "no application protocol"}, true},
	} {
		if err := r.step(t.Context(), &Step{API: "main", Hello: &test.hello}); (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestCertificates(t *testing.T) {
	s := newScene(&World{}, "", handshakes, nil)
	ann, err := s.certificate("ann")
	if err != nil {
		t.Fatal(err)
	}
	if got := ann.x509.Subject.ToRDNSequence().String(); got != "CN=ann,OU=Here,O=Us,C=SE" || ann.x509.SerialNumber.Text(16) != "a1b2" {
		t.Errorf("%s, %x", got, ann.x509.SerialNumber)
	}
	if len(ann.x509.RawSubject) == 0 || strings.Count(string(ann.x509.RawSubject), "\x31") != 3 {
		t.Errorf("the subject has other parts: %x", ann.x509.RawSubject)
	}
	short, err := s.certificate("short")
	if err != nil || short.x509.SignatureAlgorithm != x509.SHA1WithRSA {
		t.Errorf("%v, %v", short.x509.SignatureAlgorithm, err)
	}
	for _, bad := range []Certificate{{Key: "RSA-x"}, {Key: "DSA"}, {By: "nobody"}, {Signature: "MD4"}, {Serial: "x"}, {Usage: []string{"x"}}, {Subject: "/X=1"}, {Subject: "/CN"}} {
		s := newScene(&World{}, "", Setup{Certificates: map[string]Certificate{"bad": bad}}, nil)
		if _, err := s.certificate("bad"); err == nil {
			t.Errorf("%+v was made", bad)
		}
	}
}

func TestTruststores(t *testing.T) {
	b, err := newBucket("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	s := newScene(&World{Options: Options{Bucket: b}}, "", handshakes, nil)
	uri, err := expand("$(truststores.clients)", s.lookup)
	if err != nil {
		t.Fatal(err)
	}
	version, err := expand("$(truststores.clients.1)", s.lookup)
	if err != nil {
		t.Fatal(err)
	}
	read := func(query string) (int, string) {
		res, err := http.Get(b.url + strings.TrimPrefix(uri, "s3:/") + query)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	if status, body := read("?versionId=" + version); status != 200 || strings.Count(body, "BEGIN CERTIFICATE") != 2 {
		t.Errorf("%d %s", status, body)
	}
	status, body := read("")
	if block, _ := pem.Decode([]byte(strings.TrimPrefix(body, "x"))); status != 200 || body[0] != 'x' || block == nil {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := read("?versionId=3"); status != 404 {
		t.Errorf("an unknown version: %d", status)
	}
	if _, err := expand("$(truststores.clients.3)", s.lookup); err == nil {
		t.Error("there is a third version")
	}
}
