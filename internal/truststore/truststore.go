package truststore

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

const (
	// MaxBytes and MaxCertificates bound a truststore.
	// UNVERIFIED: AWS's own bounds.
	MaxBytes        = 1 << 20
	MaxCertificates = 1000
	// maxAuthorities is how many authorities may stand above a client's
	// certificate, the root among them.
	maxAuthorities = 4
	minRSABits     = 2048
	minECDSABits   = 256
)

// A Store is the authorities whose clients are let in. It isn't changed once it
// is made.
type Store struct {
	roots, intermediates *x509.CertPool
}

// Parse reads a truststore, certificates in PEM. Each that can't be used makes a
// warning, and the others stay good.
//
// It fails for what is no truststore at all: text without a certificate, one that
// is too large, or certificates of one subject from different issuers.
// UNVERIFIED: the words of warnings.
func Parse(text []byte, at time.Time) (s *Store, warnings []string, err error) {
	if len(text) > MaxBytes {
		return nil, nil, fmt.Errorf("the truststore is larger than %d bytes", MaxBytes)
	}
	s = &Store{roots: x509.NewCertPool(), intermediates: x509.NewCertPool()}
	issuers := map[string]string{} // of subjects, both raw
	found, used := 0, 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			warnings = append(warnings, "The truststore contains a "+block.Type+", which is not a certificate.")
			continue
		}
		if found++; found > MaxCertificates {
			return nil, nil, fmt.Errorf("the truststore has more than %d certificates", MaxCertificates)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			warnings = append(warnings, fmt.Sprintf("Certificate %d of the truststore cannot be read: %v.", found, err))
			continue
		}
		if issuer, ok := issuers[string(c.RawSubject)]; ok && issuer != string(c.RawIssuer) {
			return nil, nil, fmt.Errorf("The certificate subject %s conflicts with an existing certificate from a different issuer.", c.Subject)
		}
		issuers[string(c.RawSubject)] = string(c.RawIssuer)
		if reason := unfit(c, at); reason != "" {
			warnings = append(warnings, "The certificate with subject "+c.Subject.String()+" "+reason+".")
			continue
		}
		used++
		if selfSigned(c) {
			s.roots.AddCert(c)
		} else {
			s.intermediates.AddCert(c)
		}
	}
	if found == 0 {
		return nil, nil, errors.New("the truststore has no certificate in PEM")
	}
	if used == 0 {
		warnings = append(warnings, "The truststore has no valid certificate: no client will be let in.")
	}
	return s, warnings, nil
}

// unfit is why a certificate can't vouch for others, "" if it can.
func unfit(c *x509.Certificate, at time.Time) string {
	switch {
	case at.After(c.NotAfter):
		return "has expired"
	case at.Before(c.NotBefore):
		return "is not valid yet"
	case c.BasicConstraintsValid && !c.IsCA && !selfSigned(c):
		// One that signs for itself is a client's own, which AWS takes as well.
		return "is not that of a certificate authority"
	case weakSignature(c):
		return "uses an insecure signature algorithm"
	case weakKey(c):
		return "has a key that is too short"
	}
	return ""
}

// weakSignature tells whether what a certificate is signed with is older than
// SHA-256.
func weakSignature(c *x509.Certificate) bool {
	switch c.SignatureAlgorithm {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512, x509.PureEd25519:
		return false
	}
	return true
}

func weakKey(c *x509.Certificate) bool {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return key.N.BitLen() < minRSABits
	case *ecdsa.PublicKey:
		return key.Curve.Params().BitSize < minECDSABits
	case ed25519.PublicKey:
		return false
	}
	return true
}

func selfSigned(c *x509.Certificate) bool {
	return string(c.RawSubject) == string(c.RawIssuer) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// What AWS's execution logs say of a client that isn't let in, behind "Access
// denied. Reason: ".
var (
	ErrInsecureAlgorithm = errors.New("Client cert using an insecure Signature Algorithm")
	ErrSelfSigned        = errors.New("self signed certificate")
	ErrNoIssuer          = errors.New("Could not find issuer for certificate")
	// UNVERIFIED: the words of those that follow.
	ErrInsecureKey  = errors.New("Client cert using an insecure key")
	ErrExpired      = errors.New("Client cert has expired")
	ErrNotYetValid  = errors.New("Client cert is not valid yet")
	ErrChainTooLong = errors.New("certificate chain is longer than four authorities")
	errNoCert       = errors.New("no certificate")
)

// Check returns why a client's certificate isn't trusted, nil if it is. Of chain
// only the first certificate counts: AWS wants every authority up to the root in
// the truststore, and doesn't look at what a client sends along.
//
// What a certificate may be used for isn't asked, as AWS documents no such check.
func (s *Store) Check(chain []*x509.Certificate, at time.Time) error {
	if len(chain) == 0 {
		return errNoCert
	}
	c := chain[0]
	switch {
	case weakSignature(c):
		return ErrInsecureAlgorithm
	case weakKey(c):
		return ErrInsecureKey
	case at.After(c.NotAfter):
		return ErrExpired
	case at.Before(c.NotBefore):
		return ErrNotYetValid
	}
	chains, err := c.Verify(x509.VerifyOptions{
		Roots: s.roots, Intermediates: s.intermediates, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	var unknown x509.UnknownAuthorityError
	switch {
	case err == nil:
	case errors.As(err, &unknown) && selfSigned(c):
		return ErrSelfSigned
	case errors.As(err, &unknown):
		return ErrNoIssuer
	default:
		return err
	}
	for _, verified := range chains {
		if len(verified)-1 <= maxAuthorities {
			return nil
		}
	}
	return ErrChainTooLong
}
