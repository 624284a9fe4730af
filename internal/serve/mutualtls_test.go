package serve_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/tlspolicy"
	"gatehouse/internal/truststore"
)

// whose answers with the client's certificate.
func whose(x *plan.Exchange) error {
	body := "nobody"
	if c := x.ClientCert; c != nil {
		body = fmt.Sprintf("%s by %s, %s, %s to %s %t", c.SubjectDN, c.IssuerDN, c.SerialNumber, c.NotBefore, c.NotAfter, strings.HasPrefix(c.PEM, "-----BEGIN CERTIFICATE-----\n"))
	}
	x.Response.Status, x.Response.Body = 200, []byte(body)
	return nil
}

func trusted(t testing.TB, list ...*issuer) *truststore.Store {
	t.Helper()
	var text []byte
	for _, i := range list {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw})...)
	}
	store, warnings, err := truststore.Parse(text, time.Now())
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	return store
}

// get asks for a path of a host over connections that name another in their
// handshakes, and returns the status with the body; "no connection" without one.
func get(t *testing.T, c *http.Client, host string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://gateway.test/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	res, err := c.Do(req)
	if err != nil {
		return "no connection"
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", res.StatusCode, body)
}

// naming is a client that names a host in its handshakes and shows a certificate.
func (g *gateway) naming(t *testing.T, name, front string, cert ...tls.Certificate) *http.Client {
	t.Helper()
	return g.over(t, front, &tls.Config{ServerName: name, InsecureSkipVerify: true, Certificates: cert})
}

func TestMutualTLS(t *testing.T) {
	g := startGateway(t, serve.Options{Certificate: certificate(t).Certificate}, route(t, "$default", step(whose)))
	key := newECDSA(t)
	day := time.Date(time.Now().Year(), time.August, 5, 9, 36, 4, 0, time.UTC)
	authority := issue(t, nil, newECDSA(t), x509.Certificate{Subject: pkix.Name{CommonName: "root"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign})
	stranger := issue(t, nil, newECDSA(t), x509.Certificate{Subject: pkix.Name{CommonName: "stranger"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign})
	good := issue(t, authority, key, x509.Certificate{
		Subject: pkix.Name{CommonName: "me", Organization: []string{"Us"}, Country: []string{"SE"}}, NotBefore: day.AddDate(-2, 0, 0), NotAfter: day.AddDate(2, 0, 0),
	})
	bad := issue(t, stranger, key, x509.Certificate{Subject: pkix.Name{CommonName: "not me"}})
	old := issue(t, authority, key, x509.Certificate{Subject: pkix.Name{CommonName: "old"}, NotBefore: day.AddDate(-3, 0, 0), NotAfter: day.AddDate(-2, 0, 0)})

	mutual := func(d *plan.Domain) { d.Clients = trusted(t, authority) }
	g.addDomain(t, "mutual.test", tlspolicy.Options{Certificate: serverOf(t, key, "mutual.test"), RequireClientCertificate: true}, mutual)
	g.addDomain(t, "open.test", tlspolicy.Options{Certificate: serverOf(t, key, "open.test")}, nil)

	me := fmt.Sprintf("200 C=SE,O=Us,CN=me by CN=root, %s, Aug  5 09:36:04 %d GMT to Aug  5 09:36:04 %d GMT true", good.cert.SerialNumber, day.Year()-2, day.Year()+2)
	const forbidden = `403 {"message":"Forbidden"}`
	for _, front := range fronts {
		for _, test := range []struct {
			name, sni, host string
			certs           []tls.Certificate
			want            string
		}{
			{"trusted", "mutual.test", "mutual.test", []tls.Certificate{good.show()}, me},
			{"none", "mutual.test", "mutual.test", nil, "no connection"},
			{"untrusted", "mutual.test", "mutual.test", []tls.Certificate{bad.show(stranger)}, forbidden},
			{"expired", "mutual.test", "mutual.test", []tls.Certificate{old.show()}, forbidden},
			{"around it by the Host", "open.test", "mutual.test", nil, forbidden},
			{"around it by the Host, with a certificate that nobody asked for", "open.test", "mutual.test", []tls.Certificate{good.show()}, forbidden},
			{"around it without a name", "", "mutual.test", nil, forbidden},
			{"another host sees no certificate", "mutual.test", "open.test", []tls.Certificate{good.show()}, "200 nobody"},
			{"not even an untrusted one", "mutual.test", "open.test", []tls.Certificate{bad.show()}, "200 nobody"},
			{"the API's own host is open", "", "abc.execute-api.localhost", nil, "200 nobody"},
		} {
			if got := get(t, g.naming(t, test.sni, front, test.certs...), test.host); got != test.want {
				t.Errorf("%s (%s): %s, want %s", test.name, front, got, test.want)
			}
		}
	}
	if res, _ := send(t, g.addr, "GET / HTTP/1.1\r\nHost: mutual.test\r\n\r\n"); res.StatusCode != 403 {
		t.Errorf("without TLS: %d", res.StatusCode)
	}

	// A truststore that is exchanged is asked of connections that are open.
	by := func(clients plan.Truststore) {
		t.Helper()
		g.addDomain(t, "mutual.test", tlspolicy.Options{Certificate: serverOf(t, key, "mutual.test"), RequireClientCertificate: true}, func(d *plan.Domain) {
			d.Clients = clients
		})
	}
	for _, front := range fronts {
		by(trusted(t, authority))
		kept, plain := g.naming(t, "mutual.test", front, good.show()), g.naming(t, "open.test", front)
		if got, open := get(t, kept, "mutual.test"), get(t, plain, "open.test"); got != me || open != "200 nobody" {
			t.Fatal(got, open)
		}
		by(trusted(t, stranger))
		if got := get(t, kept, "mutual.test"); got != forbidden {
			t.Errorf("%s: after the truststore changed: %s", front, got)
		}
		by(nil)
		if got := get(t, kept, "mutual.test"); got != "200 nobody" {
			t.Errorf("%s: after mutual TLS ended: %s", front, got)
		}
		g.addDomain(t, "open.test", tlspolicy.Options{Certificate: serverOf(t, key, "open.test"), RequireClientCertificate: true}, mutual)
		if got := get(t, plain, "open.test"); got != forbidden {
			t.Errorf("%s: after mutual TLS began: %s", front, got)
		}
		g.addDomain(t, "open.test", tlspolicy.Options{Certificate: serverOf(t, key, "open.test")}, nil)
		g.plan.Store(g.plan.Load().WithoutDomain("mutual.test"))
		if got := get(t, kept, "mutual.test"); got == me {
			t.Errorf("%s: after the domain was deleted: %s", front, got)
		}
	}
}

// Sessions are resumed with the certificate that began them, and judged anew.
func TestMutualTLSResumed(t *testing.T) {
	g := startGateway(t, serve.Options{Certificate: certificate(t).Certificate}, route(t, "$default", step(whose)))
	key, tickets := newECDSA(t), tlspolicy.NewTickets(nil)
	authority := issue(t, nil, newECDSA(t), x509.Certificate{Subject: pkix.Name{CommonName: "root"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign})
	stranger := issue(t, nil, newECDSA(t), x509.Certificate{Subject: pkix.Name{CommonName: "stranger"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign})
	good := issue(t, authority, key, x509.Certificate{Subject: pkix.Name{CommonName: "me"}})
	o := tlspolicy.Options{Name: "mutual.test", Tickets: tickets, Certificate: serverOf(t, key, "mutual.test"), RequireClientCertificate: true}
	for _, front := range fronts {
		config := &tls.Config{ServerName: "mutual.test", InsecureSkipVerify: true, Certificates: []tls.Certificate{good.show()}, ClientSessionCache: tls.NewLRUClientSessionCache(0)}
		var resumed atomic.Bool
		config.VerifyConnection = func(s tls.ConnectionState) error { resumed.Store(s.DidResume); return nil }
		for i, by := range []*issuer{authority, authority, stranger} {
			g.addDomain(t, "mutual.test", o, func(d *plan.Domain) { d.Clients = trusted(t, by) })
			c := g.over(t, front, config)
			got := get(t, c, "mutual.test")
			c.CloseIdleConnections()
			if want := by == authority; strings.HasPrefix(got, "200 CN=me") != want {
				t.Errorf("%s, %d: %s", front, i, got)
			}
			if resumed.Load() != (i > 0) {
				t.Errorf("%s, %d: resumed: %v", front, i, resumed.Load())
			}
		}
	}
}

// STRICT wants the host in the handshake, BASIC doesn't.
func TestEndpointAccessMode(t *testing.T) {
	g := startGateway(t, serve.Options{Certificate: certificate(t).Certificate}, route(t, "$default", answer("x")))
	key := newECDSA(t)
	g.addDomain(t, "basic.test", tlspolicy.Options{Certificate: serverOf(t, key, "basic.test")}, nil)
	strict := func(d *plan.Domain) { d.Strict = true }
	g.addDomain(t, "strict.test", tlspolicy.Options{Certificate: serverOf(t, key, "strict.test")}, strict)
	g.addDomain(t, "*.strict.test", tlspolicy.Options{Certificate: serverOf(t, key, "*.strict.test")}, strict)
	for _, test := range []struct {
		sni, host string
		want      int
	}{
		{"basic.test", "basic.test", 200},
		{"strict.test", "basic.test", 200},
		{"", "basic.test", 200},
		{"strict.test", "strict.test", 200},
		{"STRICT.test", "strict.TEST", 200},
		{"strict.test", "strict.test.", 200},
		{"strict.test", "strict.test:443", 200},
		{"basic.test", "strict.test", 403},
		{"", "strict.test", 403},
		{"a.strict.test", "a.strict.test", 200},
		{"b.strict.test", "a.strict.test", 403},
		{"strict.test", "a.strict.test", 403},
	} {
		for _, front := range fronts {
			got := get(t, g.naming(t, test.sni, front), test.host)
			if !strings.HasPrefix(got, fmt.Sprint(test.want)) {
				t.Errorf("handshake %q, host %q (%s): %s, want %d", test.sni, test.host, front, got, test.want)
			}
		}
	}
	if res, _ := send(t, g.addr, "GET / HTTP/1.1\r\nHost: strict.test\r\n\r\n"); res.StatusCode != 403 {
		t.Errorf("without TLS: %d", res.StatusCode)
	}
}

// A certificate is exchanged while clients shake hands: each of them gets the
// old one or the new one, and none is turned away.
func TestCertificateExchangedUnderLoad(t *testing.T) {
	g := startGateway(t, serve.Options{Certificate: certificate(t).Certificate}, route(t, "$default", answer("x")))
	const name = "busy.test"
	keys := []tls.Certificate{serverOf(t, newECDSA(t), name), serverOf(t, newECDSA(t), name)}
	known := x509.NewCertPool()
	for _, c := range keys {
		known.AddCert(c.Leaf)
	}
	g.addDomain(t, name, tlspolicy.Options{Certificate: keys[0]}, nil)
	var shaken, done atomic.Int64
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for done.Load() == 0 {
				nc, err := tls.Dial("tcp", g.addr, &tls.Config{ServerName: name, RootCAs: known})
				if err != nil {
					t.Error(err)
					return
				}
				if err := nc.Close(); err != nil {
					t.Error(err)
				}
				shaken.Add(1)
			}
		})
	}
	for i := range 50 {
		for seen := shaken.Load(); shaken.Load() == seen && !t.Failed(); {
			time.Sleep(time.Millisecond)
		}
		g.addDomain(t, name, tlspolicy.Options{Certificate: keys[i%2]}, nil)
	}
	done.Store(1)
	clients.Wait()
	nc, err := tls.Dial("tcp", g.addr, &tls.Config{ServerName: name, RootCAs: known})
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if got := nc.ConnectionState().PeerCertificates[0]; !got.Equal(keys[1].Leaf) {
		t.Errorf("the certificate last set isn't shown")
	}
}
