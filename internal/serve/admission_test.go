package serve_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/socket"
	"gatehouse/internal/tlspolicy"
)

const domainHandshake = "GET / HTTP/1.1\r\nHost: mutual.test:443\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// setDomain has mutual.test lead to the stage, and take the clients of a truststore;
// nil takes anybody.
func (g *socketGateway) setDomain(t testing.TB, show tls.Certificate, clients plan.Truststore) {
	t.Helper()
	d := plan.NewDomain("mutual.test", plan.MappingsOnly, nil, []plan.PathMapping{{APIID: "wsa", Stage: "prod"}})
	var err error
	if d.TLS, err = tlspolicy.New(tlspolicy.Options{Certificate: show, RequireClientCertificate: clients != nil}); err != nil {
		t.Fatal(err)
	}
	d.Clients = clients
	g.plan.Store(g.plan.Load().WithDomain(d))
}

// A WebSocket ends when its client's certificate isn't trusted any more, whether it
// says something or not; others stay.
func TestSocketAdmission(t *testing.T) {
	key := newECDSA(t)
	authority := issue(t, nil, newECDSA(t), x509.Certificate{Subject: pkix.Name{CommonName: "root"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign})
	stranger := issue(t, nil, newECDSA(t), x509.Certificate{Subject: pkix.Name{CommonName: "stranger"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign})
	good := issue(t, authority, key, x509.Certificate{Subject: pkix.Name{CommonName: "me"}})
	show := serverOf(t, key, "mutual.test")
	ours, theirs := trusted(t, authority), trusted(t, stranger)

	var ahead atomic.Int64
	patient := func(nc net.Conn) net.Conn {
		if err := nc.SetDeadline(time.Now().Add(5 * time.Minute)); err != nil {
			t.Fatal(err)
		}
		return nc
	}
	clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	g := startSockets(t, serve.Options{Certificate: certificate(t).Certificate, Clock: clock}, socket.Options{
		Clock: clock, IdleTimeout: 24 * time.Hour, Lifetime: 24 * time.Hour,
	})
	connect := func(cert ...tls.Certificate) *wsClient {
		t.Helper()
		nc := tls.Client(patient(dial(t, g.addr)), &tls.Config{ServerName: "mutual.test", InsecureSkipVerify: true, Certificates: cert})
		return upgrade(t, nc, domainHandshake)
	}
	stays := func(c *wsClient) {
		t.Helper()
		c.say("echo x")
		if got := c.hear(); got != "echo:echo x" {
			t.Errorf("heard %q", got)
		}
	}
	ends := func(c *wsClient) {
		t.Helper()
		c.expectClose(socket.PolicyViolation, "Forbidden")
		c.send(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusPolicyViolation, "")))
		g.expectDisconnect(t, "1008 Forbidden")
	}
	host := upgrade(t, patient(dial(t, g.addr)), handshake)

	g.setDomain(t, show, ours)
	c := connect(good.show())
	stays(c)
	// Another truststore that knows the authority as well.
	g.setDomain(t, show, trusted(t, authority, stranger))
	stays(c)
	g.setDomain(t, show, theirs)
	ends(c)

	// The end of the certificate is one, too.
	g.setDomain(t, show, ours)
	c = connect(good.show())
	stays(c)
	ahead.Store(int64(2 * time.Hour))
	ends(c)
	ahead.Store(0)

	// Who came before certificates were asked for is asked now.
	g.setDomain(t, show, nil)
	c = connect()
	stays(c)
	g.setDomain(t, show, ours)
	ends(c)

	// Without mutual TLS anybody may be here, without the domain nobody vouches.
	c = connect(good.show())
	g.setDomain(t, show, nil)
	stays(c)
	g.plan.Store(g.plan.Load().WithoutDomain("mutual.test"))
	ends(c)
	g.setDomain(t, show, nil)
	c = connect()
	g.plan.Store(g.plan.Load().WithoutDomain("mutual.test"))
	stays(c)
	stays(host)
}

// A message of a client that isn't trusted any more isn't run, even before the next
// look at all connections.
func TestMessageAdmission(t *testing.T) {
	key := newECDSA(t)
	authority := issue(t, nil, newECDSA(t), x509.Certificate{Subject: pkix.Name{CommonName: "root"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign})
	other := issue(t, nil, key, x509.Certificate{Subject: pkix.Name{CommonName: "other"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign})
	good := issue(t, authority, key, x509.Certificate{Subject: pkix.Name{CommonName: "me"}})
	show := serverOf(t, key, "mutual.test")
	g := startSockets(t, serve.Options{Certificate: certificate(t).Certificate}, socket.Options{})
	ran := make(chan struct{}, 1)
	stage := socketStage(g)
	stage.Keys["run"] = &plan.Route{Key: "run", Integration: step(func(x *plan.Exchange) error {
		ran <- struct{}{}
		x.Response.Status = 200
		return nil
	})}
	g.setStage(stage)
	g.setDomain(t, show, trusted(t, authority))
	nc := tls.Client(dial(t, g.addr), &tls.Config{ServerName: "mutual.test", InsecureSkipVerify: true, Certificates: []tls.Certificate{good.show()}})
	if err := nc.SetDeadline(time.Now().Add(5 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	c := upgrade(t, nc, domainHandshake)
	g.setDomain(t, show, trusted(t, other))
	c.say("run")
	c.expectClose(socket.PolicyViolation, "Forbidden")
	g.expectDisconnect(t, "1008 Forbidden")
	select {
	case <-ran:
		t.Error("the message was run")
	default:
	}
}
