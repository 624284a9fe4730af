package acm_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/control/acm"
)

// A revoker is an issuer that can be told.
type revoker struct {
	*fakeIssuer
	err    error
	reason string
}

func (r *revoker) Revoke(_ context.Context, leaf *x509.Certificate, key crypto.Signer, reason string) error {
	if r.err == nil && leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool }).Equal(key.Public()) {
		r.reason = reason
	}
	return r.err
}

func TestRevoke(t *testing.T) {
	var issuer *revoker
	f := open(t, t.TempDir(), func(o *acm.Options) {
		issuer = &revoker{fakeIssuer: o.Issuer.(*fakeIssuer)}
		o.Issuer = issuer
	})
	revoke := func(arn *string) error {
		_, err := f.RevokeCertificate(f.Call, &api.RevokeCertificateRequest{CertificateArn: arn, RevocationReason: new("SUPERSEDED")})
		return err
	}
	exportable := request("a.test")
	exportable.Options = &api.CertificateOptions{Export: new("ENABLED")}
	arn := f.make(exportable)
	fails(t, revoke(f.make(request("b.test"))), "ValidationException", "exported")
	fails(t, revoke(arn), "ValidationException", "exported")
	_, err := f.ExportCertificate(f.Call, &api.ExportCertificateRequest{CertificateArn: arn, Passphrase: []byte("secret")})
	ok(t, err)
	f.use("a.test", arn)
	fails(t, revoke(arn), "ResourceInUseException", "in use")
	f.use("a.test")
	fails(t, revoke(new(*arn+"0")), "ResourceNotFoundException", *arn)

	// What the authority doesn't do isn't done.
	issuer.err = errors.New("unreachable")
	if err := revoke(arn); !errors.Is(err, issuer.err) {
		t.Errorf("error %v", err)
	}
	issuer.err = &acm.Refusal{Reason: "SUPERSEDED", Err: errors.New("no such reason")}
	fails(t, revoke(arn), "ValidationException", "SUPERSEDED")
	issuer.err = &acm.Delay{Wait: time.Hour, Err: errors.New("busy")}
	fails(t, revoke(arn), "ThrottlingException", "busy")
	if d := f.describe(arn); *d.Status != "ISSUED" || d.RevokedAt != nil {
		t.Errorf("%+v", d)
	}
	issuer.err = nil
	ok(t, revoke(arn))
	d := f.describe(arn)
	if *d.Status != "REVOKED" || !d.RevokedAt.Equal(f.Time) || *d.RevocationReason != "SUPERSEDED" || *d.RenewalEligibility != "INELIGIBLE" || issuer.reason != "SUPERSEDED" {
		t.Errorf("%+v, told %q", d, issuer.reason)
	}
	fails(t, revoke(arn), "ValidationException", "REVOKED")
	fails(t, f.RenewCertificate(f.Call, &api.RenewCertificateRequest{CertificateArn: arn}), "ValidationException", "eligible")
	f.pass(190 * day)
	if again := f.describe(arn); *again.Serial != *d.Serial || *again.Status != "REVOKED" {
		t.Error("a revoked certificate was renewed")
	}
	out, err := f.SearchCertificates(f.Call, &api.SearchCertificatesRequest{FilterStatement: &api.CertificateFilterStatement{
		Filter: &api.CertificateFilter{AcmCertificateMetadataFilter: &api.AcmCertificateMetadataFilter{Status: new("REVOKED")}},
	}})
	if err != nil || len(out.Results) != 1 || *out.Results[0].CertificateArn != *arn {
		t.Errorf("%+v, %v", out, err)
	}
	ok(t, f.DeleteCertificate(f.Call, &api.DeleteCertificateRequest{CertificateArn: arn}))

	// While it is being renewed it isn't revoked.
	busy := f.make(exportable)
	_, err = f.ExportCertificate(f.Call, &api.ExportCertificateRequest{CertificateArn: busy, Passphrase: []byte("secret")})
	ok(t, err)
	issuer.hangs = make(chan struct{})
	f.at(f.now.Add(160 * day))
	f.Wake()
	<-issuer.hangs
	fails(t, revoke(busy), "ConflictException", "renewed")
}
