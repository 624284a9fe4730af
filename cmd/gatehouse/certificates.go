package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	"gatehouse/internal/acmeissuer"
	acmapi "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/control/acm"
	"gatehouse/internal/localca"
	"gatehouse/internal/serve"
)

// acmeDir is where the account at a public authority is kept.
const acmeDir = tlsDir + "/acme"

// A certificateIssuer signs what is requested of ACM.
type certificateIssuer struct {
	acm.Issuer
	// patient tells that signing takes long.
	patient bool
	// challenges are nil where nobody asks whether names lead here.
	challenges serve.Challenges
}

// certificateIssuer opens the local authority, or turns to the public one that
// is configured.
func (c *config) certificateIssuer(roots *x509.CertPool) (certificateIssuer, error) {
	if c.ACMEDirectory != "" {
		issuer := acmeissuer.New(acmeissuer.Options{
			Dir: filepath.Join(c.Data, acmeDir), Directory: c.ACMEDirectory, Email: c.ACMEEmail, RootCAs: roots,
		})
		return certificateIssuer{publicAuthority{issuer}, true, issuer.Challenges()}, nil
	}
	authority, err := localca.Open(localca.Options{Dir: filepath.Join(c.Data, authorityDir)})
	return certificateIssuer{Issuer: authority}, err
}

// A publicAuthority says what ACM would say of an authority's refusals.
type publicAuthority struct{ *acmeissuer.Issuer }

// Issue orders a certificate.
func (a publicAuthority) Issue(ctx context.Context, key crypto.Signer, names []string) ([][]byte, error) {
	ders, err := a.Issuer.Issue(ctx, key, names)
	if err == nil {
		return ders, nil
	}
	reason := ""
	switch acmeissuer.ProblemOf(err) {
	case "caa":
		reason = acmapi.FailureReasonCaaError
	case "rejectedIdentifier", "unsupportedIdentifier":
		reason = acmapi.FailureReasonDomainNotAllowed
	}
	if errors.Is(err, acmeissuer.ErrWildcard) {
		reason = acmapi.FailureReasonDomainValidationDenied
	}
	if reason != "" {
		return nil, &acm.Refusal{Reason: reason, Err: err}
	}
	return nil, err // a name may not lead here yet
}

// checkACME refuses an authority that can't be reached safely.
func (c *config) checkACME() error {
	if c.ACMEDirectory == "" {
		if c.ACMEEmail != "" {
			return errors.New("--acme-email is that of --acme-directory, which isn't given")
		}
		return nil
	}
	if u, err := url.Parse(c.ACMEDirectory); err != nil || u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("--acme-directory %q: must be the https URL of an authority's directory, as in https://acme-v02.api.letsencrypt.org/directory", c.ACMEDirectory)
	}
	return nil
}
