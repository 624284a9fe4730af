package sdk

import (
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"

	"gatehouse/test/harness"
)

// everywhere answers each name with the loopback address, over TCP as Pebble asks.
func everywhere(t *testing.T) (addr string) {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	server := &dns.Server{Listener: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		a := new(dns.Msg).SetReply(q)
		if len(q.Question) == 1 && q.Question[0].Qtype == dns.TypeA {
			a.Answer = append(a.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 1)})
		}
		_ = w.WriteMsg(a) // who asked will ask again
	})}
	go func() { _ = server.ActivateAndServe() }() // until it is shut down
	t.Cleanup(func() { _ = server.Shutdown() })
	return l.Addr().String()
}

// TestPublicAuthority has Pebble, Let's Encrypt's authority for tests, ask the
// gateway whether names lead there: issued, renewed, refused, and a renewal that
// fails and leaves what there was.
func TestPublicAuthority(t *testing.T) {
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "20")
	t.Setenv("PEBBLE_AUTHZREUSE", "0")
	var pebble atomic.Pointer[http.Handler]
	directory := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*pebble.Load()).ServeHTTP(w, r) }))
	defer directory.Close()
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: directory.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	gw := harness.Start(t, "", "--acme-directory", directory.URL+wfe.DirectoryPath, "--acme-email", "ops@example.test", "--upstream-ca", roots)
	_, port, _ := net.SplitHostPort(gw.Addr)
	at := must(net.LookupPort("tcp", port))(t)
	quiet, known := log.New(io.Discard, "", 0), db.NewMemoryStore()
	authority := ca.New(quiet, known, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {}})
	handler := wfe.New(quiet, known, va.New(quiet, at, at, false, everywhere(t), known), authority, []string{"pebble.test"}, false, false, 1, 1)
	served := handler.Handler()
	pebble.Store(&served)
	if err := known.AddBlockedDomain("blocked.test"); err != nil {
		t.Fatal(err)
	}

	c := acm.NewFromConfig(gw.Config())
	ctx := t.Context()
	request := func(names ...string) *string {
		t.Helper()
		return must(c.RequestCertificate(ctx, &acm.RequestCertificateInput{
			DomainName: &names[0], SubjectAlternativeNames: names, ValidationMethod: types.ValidationMethodDns, KeyAlgorithm: types.KeyAlgorithmEcPrime256v1,
			Options: &types.CertificateOptions{Export: types.CertificateExportEnabled},
		}))(t).CertificateArn
	}
	until := func(arn *string, what string, done func(*types.CertificateDetail) bool) *types.CertificateDetail {
		t.Helper()
		deadline, tick := time.After(2*time.Minute), time.NewTicker(50*time.Millisecond)
		defer tick.Stop()
		for {
			d := must(c.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: arn}))(t).Certificate
			if done(d) {
				return d
			}
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("never %s: %s\n%s", what, lines(t, d), gw.Logs())
			}
		}
	}

	// Several names: both kinds of challenge have their turn.
	arn := request("a.test", "b.a.test", "c.a.test", "d.a.test", "e.a.test")
	first := until(arn, "issued", func(d *types.CertificateDetail) bool { return d.Status == types.CertificateStatusIssued })
	if !strings.HasPrefix(*first.Issuer, "Pebble") {
		t.Errorf("issuer %s", *first.Issuer)
	}

	refused := until(request("blocked.test"), "refused", func(d *types.CertificateDetail) bool { return d.Status == types.CertificateStatusFailed })
	if refused.FailureReason != types.FailureReasonDomainNotAllowed {
		t.Errorf("reason %s", refused.FailureReason)
	}
	wild := until(request("*.a.test"), "refused", func(d *types.CertificateDetail) bool { return d.Status == types.CertificateStatusFailed })
	if wild.FailureReason != types.FailureReasonDomainValidationDenied {
		t.Errorf("reason %s", wild.FailureReason)
	}

	// Renewed: exported certificates are.
	must(c.ExportCertificate(ctx, &acm.ExportCertificateInput{CertificateArn: arn, Passphrase: []byte("secret")}))(t)
	renewal := func(status types.RenewalStatus) func(*types.CertificateDetail) bool {
		return func(d *types.CertificateDetail) bool {
			return d.RenewalSummary != nil && d.RenewalSummary.RenewalStatus == status
		}
	}
	must(c.RenewCertificate(ctx, &acm.RenewCertificateInput{CertificateArn: arn}))(t)
	second := until(arn, "renewed", renewal(types.RenewalStatusSuccess))
	if *second.Serial == *first.Serial {
		t.Error("renewed and the same")
	}

	// The authority is away: what there is stays.
	away := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "away", http.StatusForbidden) }))
	pebble.Store(&away)
	must(c.RenewCertificate(ctx, &acm.RenewCertificateInput{CertificateArn: arn}))(t)
	third := until(arn, "failed", renewal(types.RenewalStatusFailed))
	if *third.Serial != *second.Serial || third.Status != types.CertificateStatusIssued {
		t.Errorf("%s", lines(t, third))
	}
	if strings.Contains(gw.Logs(), "PRIVATE") {
		t.Error("a key is in the log")
	}
	// Nobody else is answered at the challenges' path.
	resp := must(http.Get(gw.URL + "/.well-known/acme-challenge/x"))(t)
	resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		t.Error("a challenge that there isn't is answered")
	}
}
