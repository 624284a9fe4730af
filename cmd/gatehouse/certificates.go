package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/url"
	"path/filepath"
	"time"

	"gatehouse/internal/acmeissuer"
	acmapi "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/control/acm"
	"gatehouse/internal/control/route53"
	"gatehouse/internal/localca"
	"gatehouse/internal/nameserver"
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
	close      func()
}

// certificateIssuer opens the local authority, or turns to the public one that
// is configured.
func (c *config) certificateIssuer(roots *x509.CertPool, zones *route53.Directory, texts *nameserver.Texts, log *slog.Logger) (certificateIssuer, error) {
	if c.ACMEDirectory == "" {
		authority, err := localca.Open(localca.Options{Dir: filepath.Join(c.Data, authorityDir)})
		return certificateIssuer{Issuer: localAuthority{authority}, close: func() {}}, err
	}
	binding, err := c.acmeBinding()
	if err != nil {
		return certificateIssuer{}, err
	}
	o := acmeissuer.Options{
		Dir: filepath.Join(c.Data, acmeDir), Directory: c.ACMEDirectory, Email: c.ACMEEmail, Binding: binding, Profile: c.ACMEProfile, RootCAs: roots,
		OnlyTLS: len(c.Traffic) == 0 && len(c.TrafficTLS) > 0, Log: log,
	}
	if c.DNS != "" {
		o.Records = dnsRecords{zones, texts}
		o.LookupCNAME = func(ctx context.Context, name string) (string, error) {
			return nameserver.LookupCNAME(ctx, c.ACMEResolver, name)
		}
	}
	issuer := acmeissuer.New(o)
	return certificateIssuer{publicAuthority{issuer, c.DNS != ""}, true, issuer.Challenges(), issuer.Close}, nil
}

// A localAuthority signs at once.
type localAuthority struct{ *localca.Authority }

// Issue implements acm.Issuer.
func (a localAuthority) Issue(ctx context.Context, o acm.Order) ([][]byte, error) {
	key, err := o.Key()
	if err != nil {
		return nil, err
	}
	return a.Authority.Issue(ctx, key, o.Names)
}

// dnsRecords are what an authority is answered by DNS.
type dnsRecords struct {
	zones *route53.Directory
	*nameserver.Texts
}

// Follow implements acmeissuer.Records.
func (r dnsRecords) Follow(name string) (string, bool) { return nameserver.Follow(r.zones, name) }

// A publicAuthority says what ACM would say of an authority's refusals.
type publicAuthority struct {
	*acmeissuer.Issuer
	// answersDNS tells that a zone may come that proves a wildcard.
	answersDNS bool
}

// Issue orders a certificate.
func (a publicAuthority) Issue(ctx context.Context, o acm.Order) ([][]byte, error) {
	ders, err := a.Issuer.Issue(ctx, o.Names, o.Key, o.Replaces)
	if err == nil {
		return ders, nil
	}
	if later, ok := errors.AsType[*acmeissuer.Later](err); ok {
		return nil, &acm.Delay{Wait: max(later.Wait, time.Second), Err: err}
	}
	if errors.Is(err, acmeissuer.ErrWildcard) {
		if a.answersDNS {
			return nil, &acm.Delay{Err: err}
		}
		return nil, &acm.Refusal{Reason: acmapi.FailureReasonDomainValidationDenied, Err: err}
	}
	problem := acmeissuer.ProblemOf(err)
	if do := remedies[problem]; do != "" {
		err = fmt.Errorf("%w; %s", err, do)
	}
	switch problem {
	case "caa":
		return nil, &acm.Refusal{Reason: acmapi.FailureReasonCaaError, Err: err}
	case "rejectedIdentifier", "unsupportedIdentifier":
		return nil, &acm.Refusal{Reason: acmapi.FailureReasonDomainNotAllowed, Err: err}
	}
	return nil, err // a name may not lead here yet
}

// remedies are what to do about what an authority calls a problem.
var remedies = map[string]string{
	"connection":              "the name's DNS records must lead to this gateway, on port 80 (--traffic) or 443 (--traffic-tls), from everywhere",
	"unauthorized":            "somebody else answers for the name: its DNS records must all lead to this gateway, IPv6 ones as well",
	"dns":                     "the name's DNS records must be there for everybody, and its zone be delegated to those who answer for it",
	"caa":                     "a CAA record of the name or above it must allow the authority",
	"externalAccountRequired": "give the account that you have at the authority: --acme-eab-key-id and --acme-eab-hmac-key",
	"userActionRequired":      "the authority has new terms to be agreed to, at the address that it tells",
	"invalidProfile":          "--acme-profile must be one that the authority's directory lists",
	"invalidContact":          "--acme-email must be an address that the authority takes",
	"accountDoesNotExist":     "the gateway signs up again with the next order",
}

// Advise asks the authority when to renew a certificate.
func (a publicAuthority) Advise(ctx context.Context, leaf *x509.Certificate) (acm.Advice, time.Duration, error) {
	advice, again, ok, err := a.Issuer.Advise(ctx, leaf)
	if !ok {
		return acm.Advice{}, again, err
	}
	return acm.Advice{Start: advice.Start, End: advice.End, RenewAt: advice.At(), Explanation: advice.Explanation}, again, nil
}

// reasonCodes are ACM's reasons as certificates have them (RFC 5280, 5.3.1).
var reasonCodes = map[string]int{
	acmapi.RevocationReasonUnspecified: 0, acmapi.RevocationReasonKeyCompromise: 1, acmapi.RevocationReasonCaCompromise: 2,
	acmapi.RevocationReasonAffiliationChanged: 3, acmapi.RevocationReasonSuperseded: 4, acmapi.RevocationReasonSuperceded: 4,
	acmapi.RevocationReasonCessationOfOperation: 5, acmapi.RevocationReasonCertificateHold: 6, acmapi.RevocationReasonRemoveFromCrl: 8,
	acmapi.RevocationReasonPrivilegeWithdrawn: 9, acmapi.RevocationReasonAACompromise: 10,
}

// Revoke has the authority revoke a certificate.
func (a publicAuthority) Revoke(ctx context.Context, leaf *x509.Certificate, key crypto.Signer, reason string) error {
	err := a.Issuer.Revoke(ctx, leaf, key, reasonCodes[reason])
	if later, ok := errors.AsType[*acmeissuer.Later](err); ok {
		return &acm.Delay{Wait: later.Wait, Err: err}
	}
	if problem := acmeissuer.ProblemOf(err); problem == "badRevocationReason" {
		return &acm.Refusal{Reason: reason, Err: err}
	}
	return err
}

// acmeBinding is the account that the operator has at the authority; nil if none
// is given.
func (c *config) acmeBinding() (*acmeissuer.Binding, error) {
	if (c.ACMEEABKeyID == "") != (c.ACMEEABHMACKey == "") {
		return nil, errors.New("--acme-eab-key-id and --acme-eab-hmac-key go together")
	}
	if c.ACMEEABKeyID == "" {
		return nil, nil
	}
	binding, err := acmeissuer.ParseBinding(c.ACMEEABKeyID, c.ACMEEABHMACKey)
	if err != nil {
		return nil, fmt.Errorf("--acme-eab-hmac-key: %w", err)
	}
	return binding, nil
}

// checkACME refuses an authority that can't be reached safely.
func (c *config) checkACME() error {
	if c.ACMEDirectory == "" {
		for _, of := range [...]struct{ flag, value string }{
			{"email", c.ACMEEmail}, {"eab-key-id", c.ACMEEABKeyID}, {"eab-hmac-key", c.ACMEEABHMACKey}, {"profile", c.ACMEProfile}, {"resolver", c.ACMEResolver},
		} {
			if of.value != "" {
				return fmt.Errorf("--acme-%s is that of --acme-directory, which isn't given", of.flag)
			}
		}
		return nil
	}
	if c.ACMEOrdersPerHour < 1 {
		return fmt.Errorf("--acme-orders-per-hour %d: there must be one at least", c.ACMEOrdersPerHour)
	}
	if u, err := url.Parse(c.ACMEDirectory); err != nil || u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("--acme-directory %q: must be the https URL of an authority's directory, as in https://acme-v02.api.letsencrypt.org/directory", c.ACMEDirectory)
	}
	if a, err := mail.ParseAddress(c.ACMEEmail); c.ACMEEmail != "" && (err != nil || a.Address != c.ACMEEmail) {
		return fmt.Errorf("--acme-email %q is no address of mail", c.ACMEEmail)
	}
	if _, _, err := net.SplitHostPort(c.ACMEResolver); c.ACMEResolver != "" && err != nil {
		return fmt.Errorf("--acme-resolver %q is no address of a resolver: write HOST:PORT", c.ACMEResolver)
	}
	if c.ACMEResolver != "" && c.DNS == "" {
		return errors.New("--acme-resolver is asked whether names lead to what --dns answers, which isn't given")
	}
	_, err := c.acmeBinding()
	return err
}
