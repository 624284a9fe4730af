package acm_test

import (
	"bytes"
	"errors"
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
// again, less and less often.
func TestFailedRenewal(t *testing.T) {
	f := open(t, t.TempDir(), nil)
	arn := f.make(request("used.test"))
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
	failed := *d.RenewalSummary.UpdatedAt
	f.pass(10 * time.Second)
	if *f.describe(arn).RenewalSummary.UpdatedAt != failed {
		t.Error("tried again at once")
	}
	f.issuer.fail(nil)
	f.pass(time.Minute)
	if d = f.describe(arn); *d.RenewalSummary.RenewalStatus != "SUCCESS" || d.RenewalSummary.RenewalStatusReason != nil || *d.Serial == *before.Serial {
		t.Errorf("%+v", d)
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
