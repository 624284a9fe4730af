package serve_test

import (
	"crypto/tls"
	"testing"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/tlspolicy"
)

// An API's own host shakes hands by the API's policy, whichever of its names is
// asked for, and nobody else's does.
func TestSecurityPolicyOfAPI(t *testing.T) {
	own := certificate(t)
	g := startGateway(t, serve.Options{Certificate: own.Certificate}, route(t, "$default", answer("x")))
	front, err := tlspolicy.New(tlspolicy.Options{Policy: "SecurityPolicy_TLS13_1_3_2025_09", GetCertificate: own.Certificate, Name: "p", Tickets: tlspolicy.NewTickets(nil)})
	if err != nil {
		t.Fatal(err)
	}
	served, _ := g.plan.Load().API("abc")
	strict := *served
	strict.TLS, strict.Strict = front, true
	other := *served
	other.ID = "open"
	g.plan.Store(g.plan.Load().With(&strict).With(&other))

	const (
		ours   = "abc.execute-api.localhost"
		theirs = "open.execute-api.localhost"
	)
	for _, test := range []struct {
		name, sni, host string
		version         uint16
		want            string
	}{
		{"TLS 1.3", ours, ours, tls.VersionTLS13, "200 x"},
		{"TLS 1.2", ours, ours, tls.VersionTLS12, "no connection"},
		{"AWS's name of it", "ABC.execute-api.eu-west-1.amazonaws.com", "abc.execute-api.eu-west-1.amazonaws.com", tls.VersionTLS12, "no connection"},
		{"AWS's name of it and TLS 1.3", "ABC.execute-api.eu-west-1.amazonaws.com", "abc.execute-api.eu-west-1.amazonaws.com", tls.VersionTLS13, "200 x"},
		{"another API", theirs, theirs, tls.VersionTLS12, "200 x"},
		{"by way of another API", theirs, ours, tls.VersionTLS12, `403 {"message":"Forbidden"}`},
		{"by way of nobody", "localhost", ours, tls.VersionTLS13, `403 {"message":"Forbidden"}`},
	} {
		for _, front := range fronts {
			if front == "HTTP/3.0" && test.version != tls.VersionTLS13 {
				continue // it has no other
			}
			c := g.over(t, front, &tls.Config{ServerName: test.sni, InsecureSkipVerify: true, MaxVersion: test.version})
			if got := get(t, c, test.host); got != test.want {
				t.Errorf("%s, %s: %s, want %s", test.name, front, got, test.want)
			}
		}
	}
	// What is agreed on is remembered.
	cache := &tls.Config{ServerName: ours, InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	for i := range 2 {
		c, err := tls.Dial("tcp", g.addr, cache)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: " + ours + "\r\nConnection: close\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if resumed := c.ConnectionState().DidResume; resumed != (i == 1) {
			t.Errorf("connection %d: resumed: %v", i, resumed)
		}
		c.Close()
	}
}

// The name of a handshake finds what it needs without a lock and without memory.
func TestTLSOfAllocates(t *testing.T) {
	p := (*plan.Plan)(nil).With(&plan.API{ID: "abc", TLS: &tlspolicy.Handshaker{}}).WithDomain(plan.NewDomain("a.test", plan.MappingsOnly, nil, nil))
	if n := testing.AllocsPerRun(100, func() {
		if p.TLSOf("abc.execute-api.eu-west-1.amazonaws.com", nil) == nil || p.TLSOf("a.test", nil) != nil {
			t.Fatal("not found")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
