package acm

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"time"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// maxChain is how many certificates a chain may have; a longer one only costs
// those who check it.
const maxChain = 20

// ImportCertificate takes a certificate that was issued elsewhere, or puts a new
// one in the place of one that was imported before.
func (s *Service) ImportCertificate(c *awswire.Call, in *api.ImportCertificateRequest) (*api.ImportCertificateResponse, error) {
	doc, err := imported(in, c.Time)
	if err != nil {
		return nil, err
	}
	if in.CertificateArn != nil {
		return s.reimport(c, in, doc)
	}
	if err := addTags(&doc.Tags, in.Tags); err != nil {
		return nil, err
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	doc.CertificateArn = new(arnOf(scopeOf(c), id))
	err = s.store.Update(c, func(tx *store.Tx) error { return definition.Certificates.Put(tx, scopeOf(c), doc, id) })
	if err != nil {
		return nil, err
	}
	return &api.ImportCertificateResponse{CertificateArn: doc.CertificateArn}, nil
}

// reimport replaces what was imported and keeps what it is: its ARN, its tags,
// the kind of its key.
func (s *Service) reimport(c *awswire.Call, in *api.ImportCertificateRequest, doc *definition.Certificate) (*api.ImportCertificateResponse, error) {
	// UNVERIFIED: the words of these refusals; that there are such, AWS documents.
	if len(in.Tags) > 0 {
		return nil, invalid("Tags can't be applied when a certificate is imported again.")
	}
	err := s.change(c, in.CertificateArn, func(d *definition.Certificate) error {
		switch {
		case value(d.Type) != api.CertificateTypeImported:
			return invalid("Certificate " + *in.CertificateArn + " wasn't imported and can't be imported again.")
		case *d.KeyAlgorithm != *doc.KeyAlgorithm:
			return invalid("The key type of a certificate can't change when it is imported again: it is " + *d.KeyAlgorithm + ", not " + *doc.KeyAlgorithm + ".")
		case !slices.ContainsFunc(d.SubjectAlternativeNames, func(n string) bool { return slices.Contains(doc.SubjectAlternativeNames, n) }):
			return invalid("A certificate that is imported again must keep one of its domain names.")
		}
		doc.CertificateArn, doc.CreatedAt, doc.Tags = d.CertificateArn, d.CreatedAt, d.Tags
		*d = *doc
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.ImportCertificateResponse{CertificateArn: in.CertificateArn}, nil
}

// imported checks what is to be imported.
func imported(in *api.ImportCertificateRequest, now time.Time) (*definition.Certificate, error) {
	certs, err := parseCertificates(in.Certificate)
	if err != nil || len(certs) == 0 {
		return nil, invalid("The certificate is not PEM-encoded or is not valid.")
	}
	if len(certs) > 1 {
		return nil, invalid("The certificate field contains more than one certificate. You can specify only one certificate in this field.")
	}
	leaf := certs[0]
	key, err := parseKey(in.PrivateKey)
	if err != nil {
		return nil, invalid("The private key is not PEM-encoded or is not valid.")
	}
	if algorithmOf(key.Public()) == "" {
		return nil, invalid("The private key is not supported.")
	}
	if public, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(key.Public()) {
		return nil, invalid("The private key does not match the certificate.") // UNVERIFIED wording
	}
	if err := inEffect(leaf, now, "certificate"); err != nil {
		return nil, err
	}
	chain, err := parseCertificates(in.CertificateChain)
	if err != nil || len(in.CertificateChain) > 0 && len(chain) == 0 || len(chain) > maxChain {
		return nil, invalid("The certificate chain is not PEM-encoded or is not valid.")
	}
	if err := checkChain(leaf, chain, now); err != nil {
		return nil, err
	}
	private, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	doc := &definition.Certificate{Body: encodeCertificates(leaf.Raw), PrivateKey: private}
	for _, cert := range chain {
		doc.Chain += encodeCertificates(cert.Raw)
	}
	attributes(&doc.CertificateDetail, leaf)
	names := namesOf(leaf)
	if len(names) == 0 {
		return nil, invalid("The certificate names no domain.") // UNVERIFIED wording
	}
	doc.DomainName, doc.SubjectAlternativeNames = &names[0], names
	if len(leaf.DNSNames) > 0 && leaf.Subject.CommonName == "" {
		doc.DomainName = &leaf.DNSNames[0]
	}
	for _, name := range names {
		doc.DomainValidationOptions = append(doc.DomainValidationOptions, api.DomainValidation{DomainName: new(name)})
	}
	doc.CreatedAt, doc.ImportedAt = second(now), second(now)
	doc.Status, doc.Type = new(api.CertificateStatusIssued), new(api.CertificateTypeImported)
	doc.Options = &api.CertificateOptions{CertificateTransparencyLoggingPreference: new(api.CertificateTransparencyLoggingPreferenceDisabled)}
	doc.CertificateKeyPairOrigin = new(api.CertificateKeyPairOriginCustomerProvided)
	return doc, nil
}

// namesOf are a certificate's DNS names, its common name first.
func namesOf(leaf *x509.Certificate) []string {
	var names []string
	for _, name := range append([]string{leaf.Subject.CommonName}, leaf.DNSNames...) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// parseCertificates reads a text of certificates and nothing else in PEM.
func parseCertificates(text []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return nil, errCertificate
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		if certs = append(certs, cert); len(certs) > maxChain {
			break
		}
	}
	return certs, nil
}

var errCertificate = errors.New("PEM of something else than a certificate")

func inEffect(cert *x509.Certificate, now time.Time, what string) error {
	if now.After(cert.NotAfter) {
		return invalid("The " + what + " has expired, is not valid.")
	}
	if now.Before(cert.NotBefore) {
		return invalid("The " + what + " is not in effect yet, is not valid.")
	}
	return nil
}

// checkChain wants a certificate to be signed by the first of its chain, and so
// on, or by itself.
func checkChain(leaf *x509.Certificate, chain []*x509.Certificate, now time.Time) error {
	if len(chain) == 0 {
		if leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) != nil {
			return invalid("Provided certificate is not a valid self signed. Please provide either a valid self-signed certificate or certificate chain.")
		}
		return nil
	}
	at := leaf
	for _, by := range chain {
		if err := inEffect(by, now, "certificate chain"); err != nil {
			return err
		}
		if at.CheckSignatureFrom(by) != nil {
			return invalid("Could not validate the certificate with the certificate chain.")
		}
		at = by
	}
	return nil
}
