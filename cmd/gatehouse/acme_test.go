package main

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/acme"
	"github.com/letsencrypt/pebble/v2/core"

	"gatehouse/internal/acmeissuer"
	acmapi "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/acm"
	"gatehouse/internal/definition"
	"gatehouse/internal/seal"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
	"gatehouse/test/pebble"
)

// An acmeFixture is ACM with Pebble for its authority, which it is asked by. Its
// clock is moved by hand.
type acmeFixture struct {
	t         *testing.T
	dir       string
	authority *pebble.Authority
	world     *pebble.World
	store     *store.Store
	directory *acm.Directory
	service   *acm.Service
	call      *awswire.Call
	close     func()
	// challenges are asked over plain HTTP.
	challenges http.Handler
	email      string
	onlyTLS    bool
	// begin has the authority begin anew, without a memory.
	begin func()

	mu  sync.Mutex
	now time.Time
	log bytes.Buffer
}

func newACMEFixture(t *testing.T, o pebble.Options) *acmeFixture {
	t.Helper()
	f := &acmeFixture{t: t, dir: t.TempDir(), authority: pebble.Start(t), world: pebble.NewWorld(t), now: time.Now()}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.challenges.ServeHTTP(w, r) }))
	t.Cleanup(site.Close)
	u, err := url.Parse(site.URL)
	ok(t, err)
	o.HTTPPort, err = strconv.Atoi(u.Port())
	ok(t, err)
	o.TLSPort, o.Resolver = o.HTTPPort, f.world.Addr
	f.begin = func() { f.authority.Serve(t, o) }
	f.begin()
	f.open()
	t.Cleanup(func() { f.close() })
	return f
}

// open starts the service on what there is in the directory.
func (f *acmeFixture) open() {
	t := f.t
	t.Helper()
	db, err := sqlite.Open(t.Context(), f.dir)
	ok(t, err)
	sealer, err := seal.New(bytes.Repeat([]byte{7}, 32))
	ok(t, err)
	f.directory = &acm.Directory{}
	f.store, err = store.Open(t.Context(), db, store.Options{Sealer: sealer, Prepare: f.directory.Prepare})
	ok(t, err)
	ok(t, f.store.View(t.Context(), f.directory.Load))
	text, err := os.ReadFile(f.authority.Roots)
	ok(t, err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	log := slog.New(slog.NewTextHandler(f, nil))
	issuer := acmeissuer.New(acmeissuer.Options{
		Dir: f.dir, Directory: f.authority.Directory, Email: f.email, OnlyTLS: f.onlyTLS, RootCAs: roots, PollInterval: 10 * time.Millisecond, Log: log,
	})
	f.challenges = issuer.Challenges()
	f.service = acm.New(acm.Options{
		Store: f.store, Directory: f.directory, Issuer: publicAuthority{issuer, false}, Patient: true, Clock: f.clock, Every: 1000 * time.Hour, Log: log,
	})
	f.call = &awswire.Call{Context: t.Context(), Account: "123456789012", Region: "eu-central-1", Time: f.clock()}
	f.close = func() { f.service.Close(); issuer.Close(); f.store.Close() }
}

func (f *acmeFixture) restart() {
	f.t.Helper()
	f.close()
	f.open()
}

// Write takes the log.
func (f *acmeFixture) Write(line []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log.Write(line)
}

// told is what was logged since it was asked the last time.
func (f *acmeFixture) told() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	text := f.log.String()
	f.log.Reset()
	return text
}

func (f *acmeFixture) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// pass moves time, and looks after certificates then.
func (f *acmeFixture) pass(d time.Duration) {
	f.t.Helper()
	f.mu.Lock()
	f.now = f.now.Add(d)
	f.call.Time = f.now
	f.mu.Unlock()
	ok(f.t, f.service.Keep(f.t.Context()))
}

// request asks for a certificate that a domain name uses.
func (f *acmeFixture) request(names ...string) string {
	f.t.Helper()
	out, err := f.service.RequestCertificate(f.call, &acmapi.RequestCertificateRequest{
		DomainName: &names[0], SubjectAlternativeNames: names[1:], ValidationMethod: new("DNS"), KeyAlgorithm: new(acmapi.KeyAlgorithmECPrime256v1),
	})
	ok(f.t, err)
	ok(f.t, f.store.Update(f.t.Context(), func(tx *store.Tx) error {
		return definition.DomainCertificates.Put(tx, store.Scope{}, &definition.Reference{ID: "arn:aws:apigateway:eu-central-1::/domainnames/" + names[0]}, *out.CertificateArn, names[0])
	}))
	return *out.CertificateArn
}

func (f *acmeFixture) describe(arn string) *acmapi.CertificateDetail {
	f.t.Helper()
	out, err := f.service.DescribeCertificate(f.call, &acmapi.DescribeCertificateRequest{CertificateArn: &arn})
	ok(f.t, err)
	return out.Certificate
}

// serving is the certificate that clients get.
func (f *acmeFixture) serving(arn string) *x509.Certificate {
	f.t.Helper()
	pair, found := f.directory.Certificate(store.Scope{Account: f.call.Account, Region: f.call.Region}, arn)
	if !found {
		f.t.Fatal("nothing is served")
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	ok(f.t, err)
	return leaf
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// problem answers as an authority that has one.
func problem(w http.ResponseWriter, status int, kind, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"type":"urn:ietf:params:acme:error:%s","detail":%q,"status":%d}`, kind, detail, status)
}

// A renewal that goes wrong, wherever it does, leaves what there is serving, says
// so, and comes right once the trouble is over.
func TestRenewalTroubles(t *testing.T) {
	const life = 90 * 24 * time.Hour
	for _, tt := range []struct {
		name    string
		trouble func(f *acmeFixture, arn string)
		mend    func(f *acmeFixture)
		reason  string
		told    string
		wait    time.Duration // until it is tried again
	}{
		{
			name:    "the authority refuses the name",
			trouble: func(f *acmeFixture, _ string) { ok(f.t, f.authority.DB.AddBlockedDomain("a.test")) },
			mend:    func(f *acmeFixture) { f.begin() },
			reason:  "DOMAIN_NOT_ALLOWED", told: "rejectedIdentifier", wait: 2 * time.Minute,
		}, {
			name: "CAA forbids it",
			trouble: func(f *acmeFixture, _ string) {
				f.authority.Break(func(w http.ResponseWriter, r *http.Request) bool {
					if strings.HasPrefix(r.URL.Path, pebble.Finalize) {
						problem(w, http.StatusForbidden, "caa", "CAA record for a.test prevents issuance")
						return true
					}
					return false
				})
			},
			reason: "CAA_ERROR", told: "must allow the authority", wait: 2 * time.Minute,
		}, {
			name:    "the name leads elsewhere",
			trouble: func(f *acmeFixture, _ string) { f.world.Lose(true) },
			mend:    func(f *acmeFixture) { f.world.Lose(false) },
			reason:  "OTHER", told: "must lead to this gateway, on port 80", wait: 6 * time.Minute, // the second way fails, too: it speaks no TLS
		}, {
			name: "the order fails at its end",
			trouble: func(f *acmeFixture, _ string) {
				f.authority.Break(func(w http.ResponseWriter, r *http.Request) bool {
					if strings.HasPrefix(r.URL.Path, pebble.Finalize) {
						problem(w, http.StatusInternalServerError, "serverInternal", "the signer is down")
						return true
					}
					return false
				})
			},
			reason: "OTHER", told: "the names are proven, the certificate wasn't signed", wait: 2 * time.Minute,
		}, {
			name: "an authorization is withdrawn before the order's end",
			trouble: func(f *acmeFixture, _ string) {
				f.authority.Break(func(_ http.ResponseWriter, r *http.Request) bool {
					if id, is := strings.CutPrefix(r.URL.Path, pebble.Finalize); is {
						withdraw(f.authority.DB.GetOrderByID(id))
					}
					return false
				})
			},
			reason: "OTHER", told: "the certificate wasn't signed", wait: 2 * time.Minute,
		}, {
			name: "nobody is there",
			trouble: func(f *acmeFixture, _ string) {
				f.authority.Break(func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) })
			},
			reason: "OTHER", told: "EOF", wait: 2 * time.Minute,
		}, {
			name: "the authority wants to be left alone",
			trouble: func(f *acmeFixture, _ string) {
				f.authority.Break(func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path == pebble.NewOrder {
						w.Header().Set("Retry-After", "18000")
						problem(w, http.StatusTooManyRequests, "rateLimited", "too many certificates (5) already issued for this exact set of names")
						return true
					}
					return false
				})
			},
			reason: "OTHER", told: "too many certificates", wait: 5 * time.Hour,
		}, {
			name: "the authority is down for maintenance",
			trouble: func(f *acmeFixture, _ string) {
				f.authority.Break(func(w http.ResponseWriter, _ *http.Request) bool {
					w.Header().Set("Retry-After", time.Now().Add(3*time.Hour).UTC().Format(http.TimeFormat))
					w.WriteHeader(http.StatusServiceUnavailable)
					return true
				})
			},
			reason: "OTHER", told: "HTTP 503", wait: 3 * time.Hour,
		}, {
			name: "the authority revoked the certificate and signs no other",
			trouble: func(f *acmeFixture, arn string) {
				f.revoke(arn)
				f.authority.Break(func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path == pebble.NewOrder {
						problem(w, http.StatusForbidden, "unauthorized", "the account was suspended")
						return true
					}
					return false
				})
			},
			reason: "OTHER", told: "suspended", wait: 2 * time.Minute,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newACMEFixture(t, pebble.Options{Profiles: map[string]uint64{"default": uint64(life / time.Second)}})
			arn := f.request("a.test")
			f.pass(0)
			first := f.describe(arn)
			if *first.Status != "ISSUED" {
				t.Fatalf("status %s: %s", *first.Status, f.told())
			}
			f.pass(time.Minute) // asks for advice
			served := f.serving(arn)
			f.told()
			tt.trouble(f, arn)
			f.pass(61 * 24 * time.Hour)
			d := f.describe(arn)
			if *d.Status != "ISSUED" || *d.Serial != *first.Serial || !f.serving(arn).Equal(served) {
				t.Errorf("%s: the certificate isn't what it was", *d.Status)
			}
			if d.RenewalSummary == nil || *d.RenewalSummary.RenewalStatus != "FAILED" || *d.RenewalSummary.RenewalStatusReason != tt.reason {
				t.Errorf("renewal %+v", d.RenewalSummary)
			}
			if n := f.directory.States(f.clock()); len(n) != 1 || n[acm.State{Status: "ISSUED", Renewal: "FAILED"}] != 1 {
				t.Errorf("counted %v", n)
			}
			told := f.told()
			if !strings.Contains(told, tt.told) || !strings.Contains(told, "serves on") || !strings.Contains(told, "a.test") {
				t.Errorf("told %s", told)
			}

			// It isn't asked again before it is time, not even after a restart.
			f.restart()
			total := f.authority.Total()
			f.pass(tt.wait / 4)
			if n := f.authority.Total(); n != total {
				t.Errorf("asked %d times too early", n-total)
			}
			f.authority.Mend()
			if tt.mend != nil {
				tt.mend(f)
			}
			f.pass(tt.wait)
			d = f.describe(arn)
			if *d.RenewalSummary.RenewalStatus != "SUCCESS" || *d.Serial == *first.Serial || f.serving(arn).Equal(served) {
				t.Errorf("not renewed after the trouble: %+v: %s", d.RenewalSummary, f.told())
			}
		})
	}
}

// withdraw takes an order's authorizations back.
func withdraw(order *core.Order) {
	for _, authz := range order.AuthorizationObjects {
		authz.Lock()
		authz.Status = acme.StatusDeactivated
		authz.Unlock()
	}
}

// revoke has the authority revoke what is served.
func (f *acmeFixture) revoke(arn string) {
	f.t.Helper()
	f.authority.DB.RevokeCertificate(&core.RevokedCertificate{
		Certificate: f.authority.DB.GetCertificateBySerial(f.serving(arn).SerialNumber), RevokedAt: time.Now(),
	})
}

// A certificate that its authority revoked, as after a mistake of its own, is
// renewed long before its time: the authority says so.
func TestRevokedByAuthority(t *testing.T) {
	f := newACMEFixture(t, pebble.Options{})
	arn := f.request("a.test", "b.test")
	f.pass(0)
	first := *f.describe(arn).Serial
	f.pass(5 * time.Hour)
	asked := f.authority.Count(pebble.RenewalInfo)
	f.revoke(arn)
	f.pass(30 * time.Minute)
	if n := f.authority.Count(pebble.RenewalInfo); n != asked || asked == 0 {
		t.Errorf("asked for advice %d times within its six hours, %d at first: %s", n, asked, f.told())
	}
	f.restart()
	f.pass(time.Hour)
	d := f.describe(arn)
	if *d.Serial == first || *d.RenewalSummary.RenewalStatus != "SUCCESS" || *d.Status != "ISSUED" {
		t.Errorf("%+v: %s", d.RenewalSummary, f.told())
	}
	serial := f.serving(arn).SerialNumber
	order, err := f.authority.DB.GetOrderByIssuedSerial(hex.EncodeToString(serial.Bytes()))
	if err != nil || order.Replaces == "" {
		t.Errorf("the new certificate doesn't say which one it replaces: %v", err)
	}
	if !strings.Contains(f.told(), "the authority says when") {
		t.Error("nothing is logged of it")
	}
}

// A way that fails gives way to another, which is the first from then on. The site
// of the fixture speaks no TLS.
func TestOtherWay(t *testing.T) {
	f := newACMEFixture(t, pebble.Options{})
	f.onlyTLS = true
	f.restart()
	arn := f.request("a.test")
	f.pass(0)
	if told := f.told(); *f.describe(arn).Status != "PENDING_VALIDATION" || !strings.Contains(told, "tls-alpn-01") {
		t.Errorf("%s: %s", *f.describe(arn).Status, told)
	}
	f.pass(2 * time.Minute)
	if *f.describe(arn).Status != "ISSUED" {
		t.Error(f.told())
	}
	ok(t, f.service.RenewCertificate(f.call, &acmapi.RenewCertificateRequest{CertificateArn: &arn}))
	f.pass(0)
	if d := f.describe(arn); *d.RenewalSummary.RenewalStatus != "SUCCESS" {
		t.Errorf("%+v: %s", d.RenewalSummary, f.told())
	}
}

// An operator who restarts in a loop, a hundred domains at once and a new address
// of the account cost an authority no more than they must.
func TestFrugality(t *testing.T) {
	f := newACMEFixture(t, pebble.Options{})
	f.email = "ops@a.test"
	f.restart()
	f.authority.Break(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, pebble.Finalize) {
			problem(w, http.StatusForbidden, "unauthorized", "no")
			return true
		}
		return false
	})
	arn := f.request("a.test", "b.test", "c.test")
	for range 10 {
		f.pass(time.Second)
		f.restart()
	}
	if n := f.authority.Count(pebble.NewOrder); n != 1 {
		t.Errorf("%d orders by a gateway that was restarted ten times", n)
	}
	f.authority.Mend()
	f.pass(time.Hour)
	if *f.describe(arn).Status != "ISSUED" || f.authority.Count(pebble.NewOrder) != 2 {
		t.Errorf("status %s after %d orders", *f.describe(arn).Status, f.authority.Count(pebble.NewOrder))
	}
	if n := f.authority.Count(pebble.NewAccount); n != 1 {
		t.Errorf("asked for the account %d times", n)
	}
	f.email = "new@a.test"
	f.restart()
	ok(t, f.service.RenewCertificate(f.call, &acmapi.RenewCertificateRequest{CertificateArn: &arn}))
	f.pass(0)
	if n := f.authority.Count(pebble.Account); n != 1 || f.authority.Count(pebble.NewAccount) != 1 {
		t.Errorf("the new address was told %d times: %s", n, f.told())
	}

	const many = 40
	var mu sync.Mutex
	open, most := map[string]bool{}, 0
	f.authority.Break(func(_ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if id, is := strings.CutPrefix(r.URL.Path, pebble.Finalize); is {
			open[id] = true
			most = max(most, len(open))
		}
		if strings.HasPrefix(r.URL.Path, "/certZ/") {
			clear(open)
		}
		return false
	})
	orders := f.authority.Count(pebble.NewOrder)
	arns := make([]string, many)
	for i := range arns {
		arns[i] = f.request(fmt.Sprintf("n%d.test", i))
	}
	f.pass(0)
	if at := slices.IndexFunc(arns, func(arn string) bool { return *f.describe(arn).Status != "ISSUED" }); at >= 0 {
		t.Errorf("%s: %s", *f.describe(arns[at]).Status, f.told())
	}
	if n := f.authority.Count(pebble.NewOrder) - orders; n != many || most > 4 {
		t.Errorf("%d orders for %d certificates, %d at a time", n, many, most)
	}
	if n := f.authority.Count(pebble.NewAccount); n != 1 {
		t.Errorf("asked for the account %d times", n)
	}
}
