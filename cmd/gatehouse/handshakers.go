package main

import (
	"crypto/tls"
	"fmt"

	"gatehouse/internal/arn"
	"gatehouse/internal/compile"
	"gatehouse/internal/control/acm"
	"gatehouse/internal/plan"
	"gatehouse/internal/tlspolicy"
	"gatehouse/internal/truststore/keep"
)

// handshakers make how connections to custom domain names, and to the own hosts of
// APIs with a security policy, begin.
type handshakers struct {
	// own is the gateway's own certificate.
	own          func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	certificates *acm.Directory
	truststores  *keep.Keeper
	tickets      *tlspolicy.Tickets
}

// domain makes that of one domain. Its certificate is looked up at each handshake,
// as it changes when it is renewed. A truststore whose copy is gone lets nobody in:
// the domain doesn't compile then.
func (h *handshakers) domain(d compile.DomainTLS) (plan.Handshaker, plan.Truststore, error) {
	// Sessions are good for a name as long as it takes the same clients and is the
	// same account's: who resumes one doesn't look at the certificate.
	session := d.Scope.Account + "/" + d.Name
	var clients plan.Truststore
	if d.TruststoreURI != "" {
		name := truststoreCopy(d.TruststoreCopy, d.TruststoreURI, d.TruststoreVersion)
		kept, err := h.truststores.Kept(name)
		if err != nil {
			return nil, nil, fmt.Errorf("truststore %s: %w", d.TruststoreURI, err)
		}
		clients, session = kept, session+" "+name
	}
	if d.CertificateARN == "" {
		return nil, clients, nil
	}
	// Certificates of edge-optimized domains and of user pools' are in one region,
	// whichever the domain's is.
	at, certificate, pages := d.Scope, d.CertificateARN, d.Pages
	if a, err := arn.Parse(d.CertificateARN); err == nil {
		at.Region = a.Region
	}
	c, err := tlspolicy.New(tlspolicy.Options{
		Policy: d.SecurityPolicy, Name: session, Tickets: h.tickets, RequireClientCertificate: clients != nil,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if c, ok := h.certificates.Certificate(at, certificate); ok {
				return c, nil
			}
			if pages {
				return h.own(hello)
			}
			return nil, fmt.Errorf("certificate %s isn't there or isn't issued", certificate)
		},
	})
	if err != nil {
		return nil, nil, err
	}
	return c, clients, nil
}

// api makes that of the own hosts of all APIs with a security policy. Sessions are
// good for any of them: they have the certificate and the policy in common.
func (h *handshakers) api(policy string) (plan.Handshaker, error) {
	return tlspolicy.New(tlspolicy.Options{Policy: policy, Name: policy, Tickets: h.tickets, GetCertificate: h.own})
}
