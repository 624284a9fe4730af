package serve_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
)

// from answers with what the gateway takes for the client.
func from(x *plan.Exchange) error {
	q := &x.Request
	body := fmt.Sprintf("%s port %d secure %v", q.Source.Addr(), q.LocalPort, q.Secure)
	for _, h := range q.Headers {
		if plan.EqualFold(h.Name, "x-forwarded-for") {
			body += " for " + h.Value
		}
	}
	x.Response.Status, x.Response.Body = 200, []byte(body)
	return nil
}

const hostLine = "Host: abc.execute-api.localhost\r\n"

func TestForwardedHeaders(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	for _, test := range []struct {
		name    string
		trusted []netip.Prefix
		head    string
		want    string // without the port, which isn't known before
	}{
		{"nobody is trusted", nil, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n", "127.0.0.1 secure false for 192.0.2.1"},
		{"another is trusted", loopback[1:], "X-Forwarded-For: 192.0.2.1\r\n", "127.0.0.1 secure false for 192.0.2.1"},
		{"one", loopback, "X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1 secure false"},
		{"what the client said stands in front", loopback, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n", "192.0.2.1 secure false"},
		{"in one line as well", loopback, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http, https\r\n", "192.0.2.1 secure true"},
		{"over TLS", loopback, "x-forwarded-for: 192.0.2.1\r\nx-forwarded-proto: HTTPS\r\n", "192.0.2.1 secure true"},
		{"the client made one up", loopback, "X-Forwarded-For: 203.0.113.9, 192.0.2.1\r\n", "192.0.2.1 secure false for 203.0.113.9"},
		{"in a line of its own", loopback, "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1 secure false for 203.0.113.9"},
		{"two proxies", loopback, "X-Forwarded-For: 203.0.113.9 , 192.0.2.1,10.1.2.3\r\n", "192.0.2.1 secure false for 203.0.113.9"},
		{"two proxies in two lines", loopback, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 10.1.2.3\r\n", "192.0.2.1 secure false"},
		{"only proxies", loopback, "X-Forwarded-For: 10.1.2.3\r\n", "10.1.2.3 secure false"},
		{"none", loopback, "", "127.0.0.1 secure false"},
		{"no address", loopback, "X-Forwarded-For: unknown\r\n", "127.0.0.1 secure false for unknown"},
		{"no address before a proxy", loopback, "X-Forwarded-For: unknown, 10.1.2.3\r\n", "10.1.2.3 secure false for unknown"},
		{"with a port", loopback, "X-Forwarded-For: 192.0.2.1:1234\r\n", "192.0.2.1 secure false"},
		{"IPv6", loopback, "X-Forwarded-For: [2001:db8::1]:1234\r\n", "2001:db8::1 secure false"},
		{"IPv6 in brackets", loopback, "X-Forwarded-For: [2001:db8::1]\r\n", "2001:db8::1 secure false"},
		{"empty", loopback, "X-Forwarded-For: \r\n", "127.0.0.1 secure false"},
		{"commas", loopback, "X-Forwarded-For: ,,\r\n", "127.0.0.1 secure false for ,,"},
	} {
		g := startGateway(t, serve.Options{TrustedProxies: test.trusted}, route(t, "$default", step(from)))
		addr := g.serveOn(t, g.ServeTraffic)
		_, got := send(t, addr, "GET / HTTP/1.1\r\n"+hostLine+test.head+"\r\n")
		var source, secure, rest string
		var port int
		if _, err := fmt.Sscanf(got, "%s port %d secure %s", &source, &port, &secure); err != nil {
			t.Fatalf("%s: %q: %v", test.name, got, err)
		}
		if _, after, ok := strings.Cut(got, " for "); ok {
			rest = " for " + after
		}
		if rest == " for " {
			rest = ""
		}
		if got := source + " secure " + secure + rest; got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
		// The listener with management takes nobody's word.
		if _, got := send(t, g.addr, "GET / HTTP/1.1\r\n"+hostLine+"X-Forwarded-For: 192.0.2.1\r\n\r\n"); got[:9] != "127.0.0.1" {
			t.Errorf("%s: on the shared listener: %s", test.name, got)
		}
	}
}

func TestProxyProtocol(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	authority := certificate(t)
	g := startGateway(t, serve.Options{TrustedProxies: loopback, ProxyProtocol: true, Certificate: authority.Certificate}, route(t, "$default", step(from)))
	plain, secure := g.serveOn(t, g.ServeTraffic), g.serveOn(t, g.trafficTLS)
	const line = "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"
	const v2 = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb"
	const request = "GET / HTTP/1.1\r\n" + hostLine

	for name, head := range map[string]string{"version 1": line, "version 2": v2} {
		_, got := send(t, plain, head+request+"\r\n")
		if want := "192.0.2.1 port 443 secure false"; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		// The client that was introduced is no proxy.
		_, got = send(t, plain, head+request+"X-Forwarded-For: 203.0.113.9\r\n\r\n")
		if want := "192.0.2.1 port 443 secure false for 203.0.113.9"; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		for _, protocols := range [][]string{{"http/1.1"}, {"h2"}} {
			c := trust(t, authority)
			c.ServerName, c.NextProtos = "abc.execute-api.localhost", protocols
			nc := dial(t, secure)
			if _, err := io.WriteString(nc, head); err != nil {
				t.Fatal(err)
			}
			over := tls.Client(nc, c)
			got := overConn(t, over, protocols[0] == "h2")
			if want := "192.0.2.1 port 443 secure true"; got != want {
				t.Errorf("%s over TLS, %s: %s, want %s", name, protocols[0], got, want)
			}
		}
	}
	// A proxy that doesn't introduce its client isn't taken for one.
	for name, text := range map[string]string{"no header": request + "\r\n", "half a header": "PROXY TCP4 192.0.2.1\r\n" + request + "\r\n"} {
		nc := dial(t, plain)
		if _, err := io.WriteString(nc, text); err != nil {
			t.Fatal(err)
		}
		if _, err := http.ReadResponse(bufio.NewReader(nc), nil); err == nil {
			t.Errorf("%s: there is an answer", name)
		}
	}
	// Health checks have no client but the proxy.
	if _, got := send(t, plain, "PROXY UNKNOWN\r\n"+request+"\r\n"); got[:9] != "127.0.0.1" {
		t.Errorf("unknown: %s", got)
	}
	// The listener with management has no such headers.
	if res, _ := send(t, g.addr, request+"\r\n"); res.StatusCode != 200 {
		t.Errorf("shared: %d", res.StatusCode)
	}
	// Those who aren't trusted are served, and not listened to.
	other := startGateway(t, serve.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, ProxyProtocol: true}, route(t, "$default", step(from)))
	addr := other.serveOn(t, other.ServeTraffic)
	if _, got := send(t, addr, request+"\r\n"); got[:9] != "127.0.0.1" {
		t.Errorf("untrusted: %s", got)
	}
	if res, _ := send(t, addr, line+request+"\r\n"); res.StatusCode != 400 {
		t.Errorf("untrusted, with a header: %d", res.StatusCode)
	}
}

// overConn sends one request over a connection that is there already.
func overConn(t *testing.T, over *tls.Conn, http2 bool) string {
	t.Helper()
	tr := &http.Transport{ForceAttemptHTTP2: http2, DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return over, over.HandshakeContext(ctx)
	}}
	defer tr.CloseIdleConnections()
	res, err := (&http.Client{Transport: tr}).Get("https://abc.execute-api.localhost/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestReasonsAreForThisMachine has a stranger and a neighbour be refused: what the
// gateway thinks, which names backends and functions, is the neighbour's only.
func TestReasonsAreForThisMachine(t *testing.T) {
	g := startGateway(t, serve.Options{ShowReasons: true, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
		route(t, "$default", step(func(*plan.Exchange) error {
			return &plan.Fault{Kind: plan.IntegrationFailure, Reason: "connect to 10.9.8.7:80"}
		})))
	addr := g.serveOn(t, g.ServeTraffic)
	for head, want := range map[string]string{"": "connect to 10.9.8.7:80", "X-Forwarded-For: 192.0.2.1\r\n": ""} {
		res, _ := send(t, addr, "GET / HTTP/1.1\r\n"+hostLine+head+"\r\n")
		if got := res.Header.Get("x-gatehouse-reason"); res.StatusCode != 500 || got != want {
			t.Errorf("%q: %d because %q, want %q", head, res.StatusCode, got, want)
		}
	}
}
