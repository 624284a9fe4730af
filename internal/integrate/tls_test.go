package integrate_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
)

// Backends over TLS are verified by the name that the URI calls them, which is
// also the name they are asked for.
func TestHTTPS(t *testing.T) {
	tests := []struct {
		name, host string
		untrusted  bool
		max        uint16
		wantSNI    string
		wantReason string // "" is an answer
	}{
		{name: "trusted", host: "example.com", wantSNI: "example.com"},
		{name: "TLS 1.2", host: "example.com", max: tls.VersionTLS12, wantSNI: "example.com"},
		{name: "by address", host: "127.0.0.1"},
		{name: "unknown authority", host: "example.com", untrusted: true, wantSNI: "example.com", wantReason: "unknown authority"},
		{name: "another name", host: "other.test", wantSNI: "other.test", wantReason: "certificate is valid for example.com"},
		{name: "another address", host: "127.0.0.2", wantReason: "not 127.0.0.2"},
		{name: "TLS 1.1", host: "example.com", max: tls.VersionTLS11, wantSNI: "example.com", wantReason: "protocol version"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var sni atomic.Pointer[string]
			backend := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, r.Proto+" "+r.Host)
			}))
			backend.Config.ErrorLog = log.New(io.Discard, "", 0)
			backend.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tt.max, GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
				sni.Store(&h.ServerName)
				return nil, nil
			}}
			backend.StartTLS()
			defer backend.Close()
			roots := x509.NewCertPool()
			if !tt.untrusted {
				roots.AddCert(backend.Certificate())
			}
			var dials atomic.Int64
			u := newUpstreams(t, integrate.UpstreamOptions{RootCAs: roots, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
				dials.Add(1)
				return (&net.Dialer{}).DialContext(ctx, network, backend.Listener.Addr().String())
			}})
			h := newHTTP(t, integrate.HTTPOptions{URI: "https://" + tt.host + "/", Upstreams: u})
			for range 2 {
				x := exchange("GET", "/")
				err := h.Integrate(x)
				if tt.wantReason != "" {
					var fault *plan.Fault
					if !errors.As(err, &fault) || fault.Kind != plan.IntegrationUnreachable || !strings.Contains(fault.Reason, tt.wantReason) {
						t.Errorf("got %v, want a reason with %q", err, tt.wantReason)
					}
				} else if err != nil || bodyOf(t, x) != "HTTP/1.1 "+tt.host {
					t.Errorf("got %v %q", err, x.Response.Body)
				}
				if got := sni.Load(); got == nil || *got != tt.wantSNI {
					t.Errorf("asked for the name %v, want %q", got, tt.wantSNI)
				}
			}
			if want := map[bool]int64{true: 1, false: 2}[tt.wantReason == ""]; dials.Load() != want {
				t.Errorf("%d connections, want %d", dials.Load(), want)
			}
		})
	}
}

// Backends are shown the certificate of who calls, also one that none of the
// authorities they name has signed. Connections aren't shared over certificates.
func TestClientCertificate(t *testing.T) {
	backend := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := "nobody"
		if len(r.TLS.PeerCertificates) > 0 {
			name = r.TLS.PeerCertificates[0].Subject.CommonName
		}
		_, _ = io.WriteString(w, name)
	}))
	strangers := x509.NewCertPool()
	backend.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, ClientCAs: strangers}
	backend.StartTLS()
	defer backend.Close()
	strangers.AddCert(backend.Certificate())
	roots := x509.NewCertPool()
	roots.AddCert(backend.Certificate())
	u := newUpstreams(t, integrate.UpstreamOptions{RootCAs: roots})
	first, second := clientPair(t, "first"), clientPair(t, "second")
	for range 2 {
		for _, test := range []struct {
			certificate *tls.Certificate
			want        string
		}{{nil, "nobody"}, {first, "first"}, {second, "second"}} {
			h, err := integrate.NewHTTP(integrate.HTTPOptions{URI: backend.URL, Method: "GET", Upstreams: u, ClientCertificate: test.certificate})
			if err != nil {
				t.Fatal(err)
			}
			x := &plan.Exchange{Request: plan.Request{Method: "GET", Path: "/", Proto: "HTTP/1.1"}}
			if err := h.Integrate(x); err != nil {
				t.Fatal(err)
			}
			if err := x.ReadResponse(); err != nil {
				t.Fatal(err)
			}
			if got := string(x.Response.Body); got != test.want {
				t.Errorf("the backend sees %s, want %s", got, test.want)
			}
		}
	}
}

// clientPair makes a certificate that signs itself, with its key.
func clientPair(t *testing.T, name string) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
