package serve

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"

	"gatehouse/internal/plan"
)

// handshakeOf is what a connection agreed on, as requests see it.
func handshakeOf(s *tls.ConnectionState) *plan.Handshake {
	h := &plan.Handshake{
		ServerName:  strings.ToLower(strings.TrimSuffix(s.ServerName, ".")),
		Version:     versionName(s.Version),
		CipherSuite: suiteNames[s.CipherSuite],
		Chain:       s.PeerCertificates,
	}
	if len(h.Chain) > 0 {
		h.ClientCert = clientCert(h.Chain[0])
	}
	return h
}

// suiteNames are the names of cipher suites. crypto/tls makes a list of all it knows
// each time one is asked for.
var suiteNames = func() map[uint16]string {
	names := map[uint16]string{}
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		names[s.ID] = s.Name
	}
	return names
}()

// versionName is a version of TLS as $context.tlsVersion has it.
func versionName(version uint16) string {
	switch version {
	case tls.VersionTLS10:
		return "TLSv1"
	case tls.VersionTLS11:
		return "TLSv1.1"
	case tls.VersionTLS12:
		return "TLSv1.2"
	}
	return "TLSv1.3"
}

// certificateTime is how a time in a certificate is shown; the day has two
// columns.
const certificateTime = "Jan _2 15:04:05 2006 GMT"

// clientCert is a certificate as $context and events show it.
func clientCert(c *x509.Certificate) *plan.ClientCert {
	return &plan.ClientCert{
		PEM:          string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})),
		SubjectDN:    distinguishedName(c.RawSubject, c.Subject.String()),
		IssuerDN:     distinguishedName(c.RawIssuer, c.Issuer.String()),
		SerialNumber: serialNumber(c.SerialNumber),
		NotBefore:    c.NotBefore.UTC().Format(certificateTime),
		NotAfter:     c.NotAfter.UTC().Format(certificateTime),
	}
}

// serialNumber is a serial number as OpenSSL prints it, in which AWS's samples
// agree: a small one is decimal, another the bytes in hexadecimal.
func serialNumber(n *big.Int) string {
	if n.IsInt64() {
		return n.String()
	}
	var b bytes.Buffer
	if n.Sign() < 0 {
		b.WriteByte('-')
	}
	for i, octet := range n.Bytes() {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteByte("0123456789abcdef"[octet>>4])
		b.WriteByte("0123456789abcdef"[octet&15])
	}
	return b.String()
}
