package main

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/compile"
	"gatehouse/internal/control/acm"
	"gatehouse/internal/control/domain"
	"gatehouse/internal/definition"
	"gatehouse/internal/localcert"
	"gatehouse/internal/store"
	"gatehouse/internal/tlspolicy"
	"gatehouse/internal/truststore/keep"
)

// A session goes on as long as a domain takes the same clients and is the same
// account's, and not where it takes others or somebody else has the name: who was
// let in before is asked again, and sees whose certificate that is.
func TestSessionsEndWithTheTruststore(t *testing.T) {
	dir := t.TempDir()
	authority := func(name string) *localcert.Authority {
		a, err := localcert.Open(localcert.Options{Dir: filepath.Join(dir, name)})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	own := authority("own")
	keeper, err := keep.New(keep.Options{Dir: filepath.Join(dir, "kept"), Files: true})
	if err != nil {
		t.Fatal(err)
	}
	copyOf := func(name string) string {
		kept, _, err := keeper.Fetch(t.Context(), "file://"+authority(name).File(), "")
		if err != nil {
			t.Fatal(err)
		}
		return kept
	}
	one, other := copyOf("one"), copyOf("other")
	shakers := &handshakers{own: own.Certificate, certificates: &acm.Directory{}, truststores: keeper, tickets: tlspolicy.NewTickets(nil)}
	shown, err := own.Certificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &tls.Config{
		ServerName: "a.test", InsecureSkipVerify: true, Certificates: []tls.Certificate{*shown}, ClientSessionCache: tls.NewLRUClientSessionCache(1),
	}
	for i, test := range []struct {
		truststore, account string
		want                bool
	}{
		{one, "", false}, {one, "", true}, {other, "", false}, {other, "", true}, {"", "", false}, {"", "", true}, {one, "", false},
		{one, "111111111111", false}, {one, "111111111111", true}, {one, "222222222222", false},
	} {
		d := compile.DomainTLS{Scope: store.Scope{Account: test.account}, Name: "a.test", CertificateARN: "of nobody", Pages: true, TruststoreCopy: test.truststore}
		if test.truststore != "" {
			d.TruststoreURI = "file:///the/same.pem"
		}
		h, _, err := shakers.domain(d)
		if err != nil {
			t.Fatal(err)
		}
		if got := resumed(t, &tls.Config{GetConfigForClient: h.Config}, client); got != test.want {
			t.Errorf("visit %d resumed: %v, want %v", i, got, test.want)
		}
	}
}

// resumed has a client shake hands and take its ticket, and tells whether it
// brought one.
func resumed(t *testing.T, server, client *tls.Config) bool {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		nc, err := l.Accept()
		if err == nil {
			_, err = tls.Server(nc, server).Write([]byte("x"))
			err = errors.Join(err, nc.Close())
		}
		served <- err
	}()
	c, err := tls.Dial("tcp", l.Addr().String(), client)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadFull(c, make([]byte, 1)) // tickets come before it
	if err := errors.Join(err, c.NetConn().Close(), <-served, l.Close()); err != nil {
		t.Error(err)
	}
	return c.ConnectionState().DidResume
}

// What the gateway can't do for itself isn't told to who asked for it: it is in the
// log.
func TestTruststoreThatCannotBeKept(t *testing.T) {
	dir := t.TempDir()
	authority, err := localcert.Open(localcert.Options{Dir: filepath.Join(dir, "authority")})
	if err != nil {
		t.Fatal(err)
	}
	keeper, err := keep.New(keep.Options{Dir: filepath.Join(dir, "kept"), Files: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(keeper.Dir); err != nil {
		t.Fatal(err)
	}
	names := domain.New(domain.Options{Truststore: fetchTruststore(keeper)})
	read := func(uri string) error {
		d := &definition.Domain{}
		d.MutualTlsAuthentication = &apigateway.MutualTlsAuthentication{TruststoreUri: &uri}
		_, err := names.Read(&awswire.Call{Context: t.Context()}, nil, d)
		return err
	}
	if _, refused := errors.AsType[*domain.Error](read("file://" + authority.File())); refused {
		t.Error("a copy that can't be written is the caller's error")
	}
	if _, refused := errors.AsType[*domain.Error](read("file:///nowhere.pem")); !refused {
		t.Error("a file that isn't there is nobody's error")
	}
}
