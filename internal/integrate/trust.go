package integrate

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
)

// trust is by whom the certificate of a backend may be signed.
type trust uint8

const (
	// knownAuthority wants an authority that the gateway trusts.
	knownAuthority trust = iota
	// selfSigned takes any authority that is shown with the certificate, the
	// certificate itself included. Its name and its time count: that is what AWS
	// documents of insecureSkipVerification.
	selfSigned
	// unverified takes everything, as load balancers do of their targets.
	unverified
)

// config is how TLS is spoken with a backend of a name.
func (t trust) config(name string, roots *x509.CertPool) *tls.Config {
	c := &tls.Config{ServerName: name, RootCAs: roots, MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	switch t {
	case selfSigned:
		c.InsecureSkipVerify = true //nolint:gosec // verified below
		c.VerifyConnection = func(s tls.ConnectionState) error { return verifySelfSigned(&s, name) }
	case unverified:
		c.InsecureSkipVerify = true //nolint:gosec // see the constant
	}
	return c
}

func verifySelfSigned(s *tls.ConnectionState, name string) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("the backend has no certificate")
	}
	o := x509.VerifyOptions{DNSName: name, Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool()}
	for _, c := range s.PeerCertificates {
		if c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil {
			o.Roots.AddCert(c)
		} else {
			o.Intermediates.AddCert(c)
		}
	}
	_, err := s.PeerCertificates[0].Verify(o)
	return err
}
