package conformance

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Certificate is an X.509 certificate that the runner makes, with its key.
type Certificate struct {
	// Subject is as openssl takes it, "/C=SE/O=Us/CN=me", with a "+" between the
	// attributes of one part; "/CN=NAME" by default.
	Subject string `yaml:"subject"`
	// By names the certificate whose key signs; its own by default.
	By string `yaml:"by"`
	// CA makes it that of an authority.
	CA bool `yaml:"ca"`
	// Key is EC (P-256, the default), EC-384, Ed25519, RSA (2048 bits) or RSA-BITS.
	// All RSA keys of one size are the same key.
	Key string `yaml:"key"`
	// Signature is the hash that is signed, as in "SHA-1"; SHA-256 by default.
	Signature string `yaml:"signature"`
	// Serial is in hexadecimal digits; random by default.
	Serial string `yaml:"serial"`
	// From and Until are when it is valid, 2020 to 2119 by default.
	From  time.Time `yaml:"from"`
	Until time.Time `yaml:"until"`
	// Names are DNS names.
	Names []string `yaml:"names"`
	// Usage is what the key may be used for: serverAuth, clientAuth, codeSigning.
	// Without it nothing is said.
	Usage []string `yaml:"usage"`
}

// An Import is a certificate that is imported into ACM.
type Import struct {
	Certificate string   `yaml:"certificate"`
	Chain       []string `yaml:"chain"`
}

// A madeCertificate is a certificate with its key.
type madeCertificate struct {
	x509 *x509.Certificate
	key  crypto.Signer
}

// pem is the certificate in PEM.
func (c *madeCertificate) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.x509.Raw}))
}

// value is the certificate in PEM; key is its key; in64 and key64 are both in
// base64, as ACM takes them.
func (c *madeCertificate) value(attribute string) (string, bool, error) {
	switch attribute {
	case "":
		return c.pem(), true, nil
	case "in64":
		return base64.StdEncoding.EncodeToString([]byte(c.pem())), true, nil
	case "key", "key64":
		der, err := x509.MarshalPKCS8PrivateKey(c.key)
		if err != nil {
			return "", true, err
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
		if attribute == "key64" {
			return base64.StdEncoding.EncodeToString(text), true, nil
		}
		return string(text), true, nil
	}
	return "", false, nil
}

// certificate finds a certificate of this setup or of those around it.
func (s *scene) certificate(name string) (*madeCertificate, error) {
	for at := s; at != nil; at = at.outer {
		if get := at.certificates[name]; get != nil {
			return get()
		}
	}
	return nil, fmt.Errorf("there is no certificate %s", name)
}

// signatures are the algorithms by the kind of the key that signs, a hyphen and
// the hash.
var signatures = map[string]x509.SignatureAlgorithm{
	"RSA-SHA-1": x509.SHA1WithRSA, "RSA-SHA-256": x509.SHA256WithRSA, "RSA-SHA-384": x509.SHA384WithRSA, "RSA-SHA-512": x509.SHA512WithRSA,
	"EC-SHA-1": x509.ECDSAWithSHA1, "EC-SHA-256": x509.ECDSAWithSHA256, "EC-SHA-384": x509.ECDSAWithSHA384, "EC-SHA-512": x509.ECDSAWithSHA512,
	"Ed25519-SHA-256": x509.PureEd25519,
}

// usages are extended key usages.
var usages = map[string]x509.ExtKeyUsage{
	"serverAuth": x509.ExtKeyUsageServerAuth, "clientAuth": x509.ExtKeyUsageClientAuth, "codeSigning": x509.ExtKeyUsageCodeSigning,
}

// makeCertificate makes a certificate.
func (s *scene) makeCertificate(name string) (*madeCertificate, error) {
	spec := s.setup.Certificates[name]
	made := &madeCertificate{}
	var err error
	if made.key, err = newKey(or(spec.Key, "EC")); err != nil {
		return nil, err
	}
	subject, err := subjectOf(or(spec.Subject, "/CN="+name))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		RawSubject: subject, NotBefore: spec.From, NotAfter: spec.Until, IsCA: spec.CA, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if spec.CA {
		template.KeyUsage |= x509.KeyUsageCertSign
	}
	if spec.From.IsZero() {
		template.NotBefore = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if spec.Until.IsZero() {
		template.NotAfter = time.Date(2119, 12, 31, 23, 59, 59, 0, time.UTC)
	}
	if spec.Serial != "" {
		var ok bool
		if template.SerialNumber, ok = new(big.Int).SetString(spec.Serial, 16); !ok {
			return nil, fmt.Errorf("%q is no serial number", spec.Serial)
		}
	}
	for _, usage := range spec.Usage {
		known, ok := usages[usage]
		if !ok {
			return nil, fmt.Errorf("%q is no usage of a key", usage)
		}
		template.ExtKeyUsage = append(template.ExtKeyUsage, known)
	}
	for _, name := range spec.Names {
		name, err := expand(name, s.lookup)
		if err != nil {
			return nil, err
		}
		template.DNSNames = append(template.DNSNames, name)
	}
	by := &madeCertificate{x509: template, key: made.key}
	if spec.By != "" {
		if by, err = s.certificate(spec.By); err != nil {
			return nil, err
		}
	}
	algorithm, ok := signatures[kindOf(by.key)+"-"+or(spec.Signature, "SHA-256")]
	if !ok {
		return nil, fmt.Errorf("there is no signature of %s with %s", kindOf(by.key), spec.Signature)
	}
	template.SignatureAlgorithm = algorithm
	der, err := x509.CreateCertificate(rand.Reader, template, by.x509, made.key.Public(), by.key)
	if err != nil {
		return nil, err
	}
	made.x509, err = x509.ParseCertificate(der)
	return made, err
}

// rsaKeys are made once for all certificates: they take their time.
var rsaKeys sync.Map // of func() (*rsa.PrivateKey, error), by the size

// newKey makes a key of a kind.
func newKey(kind string) (crypto.Signer, error) {
	switch kind {
	case "EC":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EC-384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "Ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	bits, err := strconv.Atoi(strings.TrimPrefix(or(strings.TrimPrefix(kind, "RSA"), "-2048"), "-"))
	if err != nil || !strings.HasPrefix(kind, "RSA") {
		return nil, fmt.Errorf("%q is no kind of key", kind)
	}
	get, _ := rsaKeys.LoadOrStore(bits, sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, bits) }))
	return get.(func() (*rsa.PrivateKey, error))()
}

func kindOf(key crypto.Signer) string {
	switch key.(type) {
	case *rsa.PrivateKey:
		return "RSA"
	case *ecdsa.PrivateKey:
		return "EC"
	}
	return "Ed25519"
}

// attributes are the types of attributes of names, by openssl's short names.
var attributes = map[string]asn1.ObjectIdentifier{
	"C": {2, 5, 4, 6}, "ST": {2, 5, 4, 8}, "L": {2, 5, 4, 7}, "O": {2, 5, 4, 10}, "OU": {2, 5, 4, 11}, "CN": {2, 5, 4, 3},
	"serialNumber": {2, 5, 4, 5}, "emailAddress": {1, 2, 840, 113549, 1, 9, 1}, "UID": {0, 9, 2342, 19200300, 100, 1, 1}, "DC": {0, 9, 2342, 19200300, 100, 1, 25},
	"title": {2, 5, 4, 12}, "street": {2, 5, 4, 9}, "postalCode": {2, 5, 4, 17}, "GN": {2, 5, 4, 42}, "SN": {2, 5, 4, 4},
}

// subjectOf encodes a name, whose parts keep their order.
func subjectOf(text string) ([]byte, error) {
	var name pkix.RDNSequence
	for part := range strings.SplitSeq(strings.TrimPrefix(text, "/"), "/") {
		var set pkix.RelativeDistinguishedNameSET
		for attribute := range strings.SplitSeq(part, "+") {
			kind, value, ok := strings.Cut(attribute, "=")
			id, known := attributes[kind]
			if !ok || !known {
				return nil, fmt.Errorf("%q is no part of a name", attribute)
			}
			set = append(set, pkix.AttributeTypeAndValue{Type: id, Value: value})
		}
		name = append(name, set)
	}
	return asn1.Marshal(name)
}

// importCertificate imports a certificate into ACM.
func (s *scene) importCertificate(name string) (string, error) {
	ctx := context.Background()
	spec := s.setup.Imports[name]
	leaf, err := s.certificate(spec.Certificate)
	if err != nil {
		return "", err
	}
	certificate, _, err := leaf.value("in64")
	if err != nil {
		return "", err
	}
	key, _, err := leaf.value("key64")
	if err != nil {
		return "", err
	}
	with := Members{"Certificate": certificate, "PrivateKey": key}
	chain := ""
	for _, name := range spec.Chain {
		above, err := s.certificate(name)
		if err != nil {
			return "", err
		}
		chain += above.pem()
	}
	if chain != "" {
		with["CertificateChain"] = base64.StdEncoding.EncodeToString([]byte(chain))
	}
	var made struct{ CertificateARN string }
	if err := s.world.make(ctx, "acm:ImportCertificate", with, &made); err != nil {
		return "", err
	}
	s.world.later("acm:DeleteCertificate", Members{"CertificateArn": made.CertificateARN})
	return made.CertificateARN, nil
}

// shown is a certificate as a client or a server shows it, with those that it
// sends along.
func (s *scene) shown(name string, chain []string) (*tls.Certificate, error) {
	leaf, err := s.certificate(name)
	if err != nil {
		return nil, err
	}
	out := &tls.Certificate{Certificate: [][]byte{leaf.x509.Raw}, PrivateKey: leaf.key, Leaf: leaf.x509}
	for _, name := range chain {
		above, err := s.certificate(name)
		if err != nil {
			return nil, err
		}
		out.Certificate = append(out.Certificate, slices.Clone(above.x509.Raw))
	}
	return out, nil
}
