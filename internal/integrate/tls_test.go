package integrate_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

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
