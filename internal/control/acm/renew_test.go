package acm_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/control/acm"
	"gatehouse/internal/store"
)

const day = 24 * time.Hour

func TestRenewal(t *testing.T) {
	f := open(t, t.TempDir(), nil)
	used, unused := f.make(request("used.test")), f.make(request("unused.test"))
	f.use("used.test", used)
	scope := store.Scope{Account: account, Region: f.Region}
	before := f.describe(used)
	pair, _ := f.directory.Certificate(scope, *used)
	if *before.RenewalEligibility != "ELIGIBLE" || *f.describe(unused).RenewalEligibility != "INELIGIBLE" ||
		len(before.InUseBy) != 1 || before.InUseBy[0] != "arn:aws:apigateway:eu-central-1::/domainnames/used.test" {
		t.Errorf("%+v", before)
	}
	f.pass(152 * day)
	if *f.describe(used).Serial != *before.Serial {
		t.Error("renewed too early")
	}
	f.pass(2 * day)
	after := f.describe(used)
	if *after.Serial == *before.Serial || !after.NotAfter.After(*before.NotAfter) || *after.RenewalSummary.RenewalStatus != "SUCCESS" || *after.Status != "ISSUED" {
		t.Errorf("%+v", after)
	}
	fresh, _ := f.directory.Certificate(scope, *used)
	if fresh == pair || bytes.Equal(fresh.Certificate[0], pair.Certificate[0]) {
		t.Error("the directory has the old certificate")
	}
	f.pass(60 * day)
	if status := *f.describe(unused).Status; status != "EXPIRED" {
		t.Errorf("what nobody uses is %s", status)
	}
	if _, found := f.directory.Certificate(scope, *unused); !found {
		t.Error("an expired certificate is gone")
	}
}

// A failing issuer leaves the old certificate serving, says so, and is asked
// again, less and less often, whether or not the gateway is restarted.
func TestFailedRenewal(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, func(o *acm.Options) { o.Patient = true })
	arn := f.make(request("used.test"))
	f.pass(0)
	f.use("used.test", arn)
	before := f.describe(arn)
	f.issuer.fail(errors.New("the directory is down"))
	f.pass(160 * day)
	d := f.describe(arn)
	if *d.Serial != *before.Serial || *d.Status != "ISSUED" || *d.RenewalSummary.RenewalStatus != "FAILED" || *d.RenewalSummary.RenewalStatusReason != "OTHER" {
		t.Errorf("%+v", d)
	}
	if _, found := f.directory.Certificate(store.Scope{Account: account, Region: f.Region}, *arn); !found {
		t.Error("the old certificate is gone")
	}
	if log := f.log.String(); !strings.Contains(log, "serves on") || !strings.Contains(log, "the directory is down") || !strings.Contains(log, "used.test") {
		t.Errorf("log %s", log)
	}
	// When it is asked, in minutes from the first failure. A name may fail five
	// times in an hour at Let's Encrypt.
	var asked []int
	restart := func(now time.Time) {
		f.close()
		f = open(t, dir, func(o *acm.Options) { o.Patient = true })
		f.at(now)
		f.issuer.fail(errors.New("the directory is down"))
	}
	for minute := range 190 {
		if minute%7 == 0 {
			restart(f.now)
		}
		count := f.issuer.times()
		f.pass(time.Minute)
		if f.issuer.times() != count {
			asked = append(asked, minute+1)
		}
	}
	if want := []int{2, 6, 14, 30, 62, 122, 182}; !slices.Equal(asked, want) {
		t.Errorf("asked after %v minutes, want %v", asked, want)
	}
	// Who asks for it by hand has mended something.
	f.issuer.fail(nil)
	f.pass(0)
	if *f.describe(arn).RenewalSummary.RenewalStatus != "FAILED" {
		t.Error("asked before it was time")
	}
	ok(t, f.RenewCertificate(f.Call, &api.RenewCertificateRequest{CertificateArn: arn}))
	f.pass(0)
	if d = f.describe(arn); *d.RenewalSummary.RenewalStatus != "SUCCESS" || d.RenewalSummary.RenewalStatusReason != nil || *d.Serial == *before.Serial {
		t.Errorf("%+v", d)
	}
}

// A gateway that ends while it orders doesn't order again at once.
func TestEndInOrder(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, func(o *acm.Options) { o.Patient = true })
	f.issuer.hangs = make(chan struct{})
	arn := f.make(request("a.test"))
	<-f.issuer.hangs
	now := f.now
	f.close()
	f = open(t, dir, func(o *acm.Options) { o.Patient = true })
	f.at(now)
	f.pass(time.Minute)
	if f.issuer.times() != 0 {
		t.Error("ordered again after a restart")
	}
	f.pass(time.Minute)
	if d := f.describe(arn); *d.Status != "ISSUED" {
		t.Errorf("%+v", d)
	}
}

// What an issuer says of when to ask again holds, also for who asks by hand.
func TestDelay(t *testing.T) {
	f := open(t, t.TempDir(), func(o *acm.Options) { o.Patient = true })
	arn := f.make(request("a.test"))
	f.pass(0)
	f.use("a.test", arn)
	renew := &api.RenewCertificateRequest{CertificateArn: arn}
	f.issuer.fail(&acm.Delay{Wait: 5 * time.Hour, Err: errors.New("too many certificates")})
	ok(t, f.RenewCertificate(f.Call, renew))
	f.pass(0)
	f.issuer.fail(nil)
	asked := f.issuer.times()
	ok(t, f.RenewCertificate(f.Call, renew))
	f.pass(4 * time.Hour)
	if f.issuer.times() != asked {
		t.Error("asked before the authority wants to be")
	}
	f.pass(time.Hour)
	if d := f.describe(arn); *d.RenewalSummary.RenewalStatus != "SUCCESS" {
		t.Errorf("%+v", d.RenewalSummary)
	}

	// An issuer that can't even try is asked with each round and told of once.
	f.issuer.fail(&acm.Delay{Err: errors.New("no zone for *.b.test")})
	wild := f.make(request("*.b.test"))
	for range 5 {
		f.pass(time.Minute)
	}
	if n := strings.Count(f.log.String(), "no zone for"); n != 1 || *f.describe(wild).Status != "PENDING_VALIDATION" {
		t.Errorf("%d lines, status %s", n, *f.describe(wild).Status)
	}
	f.issuer.fail(nil)
	f.pass(time.Minute)
	if *f.describe(wild).Status != "ISSUED" {
		t.Error("a delay that was over held")
	}
}

// Renewal is due when a third of a life is left, half of a short one's, and
// never before ACM does it.
func TestRenewalTime(t *testing.T) {
	for _, tt := range []struct{ life, want time.Duration }{
		{198 * day, 153 * day}, {90 * day, 60 * day}, {45 * day, 30 * day}, {160 * time.Hour, 80 * time.Hour}, {time.Hour, 30 * time.Minute},
	} {
		f := open(t, t.TempDir(), nil)
		f.issuer.life = tt.life
		arn := f.make(request("a.test"))
		f.use("a.test", arn)
		serial := *f.describe(arn).Serial
		f.pass(tt.want - time.Minute)
		if *f.describe(arn).Serial != serial {
			t.Errorf("%s: renewed too early", tt.life)
		}
		f.pass(time.Minute)
		if *f.describe(arn).Serial == serial {
			t.Errorf("%s: not renewed after %s", tt.life, tt.want)
		}
	}
}

// An adviser is an issuer that says when to renew.
type adviser struct {
	*fakeIssuer
	advice acm.Advice
	again  time.Duration
	err    error
	count  int
}

func (a *adviser) Advise(context.Context, *x509.Certificate) (acm.Advice, time.Duration, error) {
	a.count++
	return a.advice, a.again, a.err
}

func TestAdvice(t *testing.T) {
	var a *adviser
	f := open(t, t.TempDir(), func(o *acm.Options) {
		a = &adviser{fakeIssuer: o.Issuer.(*fakeIssuer), again: 6 * time.Hour}
		o.Issuer = a
	})
	arn := f.make(request("a.test"))
	f.use("a.test", arn)
	window := func(start, at time.Duration) acm.Advice {
		return acm.Advice{Start: f.now.Add(start), End: f.now.Add(start + 2*day), RenewAt: f.now.Add(at), Explanation: "https://ca.test/why"}
	}
	a.advice = window(20*day, 21*day)
	f.pass(0)
	f.pass(5 * time.Hour)
	if a.count != 1 {
		t.Errorf("asked %d times before it was time", a.count)
	}
	// The same window leaves the moment that was chosen.
	a.advice.RenewAt = a.advice.RenewAt.Add(-12 * time.Hour)
	f.pass(20*day - 5*time.Hour)
	first := *f.describe(arn).Serial
	f.pass(21 * time.Hour)
	if *f.describe(arn).Serial != first {
		t.Error("renewed before the moment that was chosen")
	}
	f.pass(3 * time.Hour)
	second := *f.describe(arn).Serial
	if second == first || f.issuer.replaced == nil {
		t.Error("not renewed when advised, or not in place of the old one")
	}
	// A certificate that is to be revoked: the window is over.
	f.pass(6 * time.Hour)
	a.advice = window(-3*day, -2*day)
	f.pass(6 * time.Hour)
	third := *f.describe(arn).Serial
	if third == second || !strings.Contains(f.log.String(), "https://ca.test/why") {
		t.Error("not renewed at once, or the operator isn't told why")
	}
	// One that always says so has its way once in a while only.
	f.pass(5 * time.Hour)
	if *f.describe(arn).Serial != third {
		t.Error("renewed again at once")
	}
	// Who gives no advice, and what is past all reason, leaves the usual time.
	a.advice, a.err = acm.Advice{}, nil
	f.pass(6 * time.Hour)
	third = *f.describe(arn).Serial
	a.err = errors.New("busy")
	f.pass(24 * time.Hour)
	a.advice, a.err = window(400*day, 400*day), nil
	count := a.count
	f.pass(6 * time.Hour)
	if a.count != count+1 || *f.describe(arn).Serial != third {
		t.Errorf("asked %d times after a failure", a.count-count)
	}
	f.pass(153 * day)
	if *f.describe(arn).Serial == third {
		t.Error("not renewed at its usual time")
	}
}

// Many that are asked for at once are signed a few at a time, what serves nobody
// yet first.
func TestManyAtOnce(t *testing.T) {
	const many = 100
	f := open(t, t.TempDir(), func(o *acm.Options) { o.Patient = true })
	arns := make([]*string, many)
	for i := range arns {
		arns[i] = f.make(request(fmt.Sprintf("n%d.test", i)))
	}
	f.pass(0)
	for _, arn := range arns {
		if *f.describe(arn).Status != "ISSUED" {
			t.Fatalf("%+v", f.describe(arn))
		}
	}
	if f.issuer.asked != many || f.issuer.most > 4 || f.issuer.most < 2 {
		t.Errorf("asked %d times, %d at once", f.issuer.asked, f.issuer.most)
	}
}

// An issuer that takes its time issues after the answer; a refusal of its is
// the end of a request.
func TestPatientIssuer(t *testing.T) {
	f := open(t, t.TempDir(), func(o *acm.Options) { o.Patient = true })
	f.issuer.fail(errors.New("busy"))
	arn := f.make(request("a.test"))
	f.pass(0)
	if d := f.describe(arn); *d.Status != "PENDING_VALIDATION" || d.FailureReason != nil {
		t.Errorf("%+v", d)
	}
	f.issuer.fail(&acm.Refusal{Reason: api.FailureReasonCaaError, Err: errors.New("CAA forbids it")})
	f.pass(2 * time.Hour)
	d := f.describe(arn)
	if *d.Status != "FAILED" || *d.FailureReason != "CAA_ERROR" {
		t.Errorf("%+v", d)
	}
	f.issuer.fail(nil)
	b := f.make(request("b.test"))
	f.pass(0)
	if d := f.describe(b); *d.Status != "ISSUED" {
		t.Errorf("%+v", d)
	}
	if d := f.describe(arn); *d.Status != "FAILED" {
		t.Errorf("tried again after a refusal: %+v", d)
	}
}

func TestRenewCertificate(t *testing.T) {
	f := open(t, t.TempDir(), nil)
	arn := f.make(request("a.test"))
	in := &api.RenewCertificateRequest{CertificateArn: arn}
	fails(t, f.RenewCertificate(f.Call, in), "ValidationException", "eligible")
	f.use("a.test", arn)
	before := f.describe(arn)
	ok(t, f.RenewCertificate(f.Call, in))
	if d := f.describe(arn); *d.Serial == *before.Serial || *d.RenewalSummary.RenewalStatus != "SUCCESS" {
		t.Errorf("%+v", d)
	}
}

func TestInUse(t *testing.T) {
	f := open(t, t.TempDir(), nil)
	a, b := f.make(request("a.test")), f.make(request("b.test"))
	f.use("one.test", a, b)
	f.use("two.test", a)
	del := func(arn *string) error {
		return f.DeleteCertificate(f.Call, &api.DeleteCertificateRequest{CertificateArn: arn})
	}
	fails(t, del(b), "ResourceInUseException", "is in use")
	f.use("one.test", a)
	ok(t, del(b))
	fails(t, del(b), "ResourceNotFoundException", *b)
	if users := f.describe(a).InUseBy; len(users) != 2 {
		t.Errorf("in use by %v", users)
	}
	f.use("two.test")
	fails(t, del(a), "ResourceInUseException", "is in use")
	f.use("one.test")
	ok(t, del(a))
	if _, found := f.directory.Certificate(store.Scope{Account: account, Region: f.Region}, *a); found {
		t.Error("a deleted certificate is in the directory")
	}
}

// What an authority signs by mistake doesn't take the place of what serves.
func TestWrongCertificates(t *testing.T) {
	another, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	for name, wrong := range map[string]func(crypto.Signer, []string) (crypto.Signer, []string){
		"of another key": func(_ crypto.Signer, names []string) (crypto.Signer, []string) { return another, names },
		"of other names": func(key crypto.Signer, _ []string) (crypto.Signer, []string) { return key, []string{"used.test"} },
	} {
		f := open(t, t.TempDir(), func(o *acm.Options) { o.Patient = true })
		arn := f.make(request("used.test", "*.used.test"))
		f.pass(0)
		f.use("used.test", arn)
		before := f.describe(arn)
		f.issuer.wrong = wrong
		f.pass(160 * day)
		d := f.describe(arn)
		if *before.Status != "ISSUED" || *d.Status != "ISSUED" || *d.Serial != *before.Serial || *d.RenewalSummary.RenewalStatus != "FAILED" {
			t.Errorf("%s: %+v", name, d)
		}
		if log := f.log.String(); !strings.Contains(log, "a certificate "+name) {
			t.Errorf("%s: log %s", name, log)
		}
		f.issuer.wrong = nil
		f.pass(time.Hour)
		if d := f.describe(arn); *d.Serial == *before.Serial || *d.RenewalSummary.RenewalStatus != "SUCCESS" {
			t.Errorf("%s, then the right one: %+v", name, d)
		}
	}
}

// Who asks for many certificates doesn't keep another account waiting for its own.
func TestAccountsInTurn(t *testing.T) {
	f := open(t, t.TempDir(), func(o *acm.Options) { o.Patient = true })
	f.issuer.fail(errors.New("not now"))
	for i := range 40 {
		f.make(request(fmt.Sprintf("n%d.test", i)))
	}
	f.Account = "210987654321"
	f.make(request("other.test"))
	f.pass(0)
	before := f.issuer.times()
	f.pass(2 * time.Hour)
	f.issuer.mu.Lock()
	defer f.issuer.mu.Unlock()
	// Four are signed at once, and begin in any order.
	if at := slices.Index(f.issuer.names[before:], "other.test"); at < 0 || at > 7 {
		t.Errorf("the other account's turn is %d of %d", at, len(f.issuer.names)-before)
	}
}
