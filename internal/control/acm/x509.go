package acm

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/definition"
)

// fill makes a certificate an issued one: ders are the certificate and its chain.
func fill(doc *definition.Certificate, key crypto.Signer, ders [][]byte, at time.Time) error {
	if len(ders) == 0 {
		return fmt.Errorf("the issuer returned no certificate")
	}
	leaf, err := x509.ParseCertificate(ders[0])
	if err != nil {
		return err
	}
	if err := checkOrdered(leaf, key, doc.SubjectAlternativeNames); err != nil {
		return err
	}
	private, err := encodeKey(key)
	if err != nil {
		return err
	}
	doc.PrivateKey, doc.Body, doc.Chain = private, encodeCertificates(ders[0]), encodeCertificates(ders[1:]...)
	attributes(&doc.CertificateDetail, leaf)
	doc.Status, doc.IssuedAt, doc.FailureReason = new(api.CertificateStatusIssued), second(at), nil
	for i := range doc.DomainValidationOptions {
		doc.DomainValidationOptions[i].ValidationStatus = new(api.DomainStatusSuccess)
	}
	return nil
}

// checkOrdered refuses a certificate that isn't the one that was asked for: it would
// take the place of one that serves.
func checkOrdered(leaf *x509.Certificate, key crypto.Signer, names []string) error {
	public, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(key.Public()) {
		return errors.New("the issuer returned a certificate of another key")
	}
	for _, name := range names {
		if err := leaf.VerifyHostname(name); err != nil {
			return fmt.Errorf("the issuer returned a certificate of other names: %w", err)
		}
	}
	return nil
}

// attributes are what ACM shows of a certificate itself.
func attributes(d *api.CertificateDetail, leaf *x509.Certificate) {
	d.Serial = new(serialText(leaf.SerialNumber))
	d.Issuer = new(issuerName(leaf.Issuer))
	d.NotBefore, d.NotAfter = second(leaf.NotBefore), second(leaf.NotAfter)
	d.KeyAlgorithm = new(algorithmOf(leaf.PublicKey))
	d.SignatureAlgorithm = new(signatureText(leaf.SignatureAlgorithm))
	if subject := nameText(leaf.RawSubject); subject != "" {
		d.Subject = &subject
	}
	d.KeyUsages, d.ExtendedKeyUsages = keyUsages(leaf), extendedKeyUsages(leaf)
}

// issuerName is the organization that issued, or whatever it is called by.
func issuerName(n pkix.Name) string {
	if len(n.Organization) > 0 {
		return n.Organization[0]
	}
	return n.CommonName
}

func serialText(n *big.Int) string {
	b := n.Bytes()
	if len(b) == 0 {
		b = []byte{0}
	}
	parts := make([]string, len(b))
	for i, octet := range b {
		parts[i] = hex.EncodeToString([]byte{octet})
	}
	return strings.Join(parts, ":")
}

func signatureText(a x509.SignatureAlgorithm) string {
	switch a {
	case x509.SHA1WithRSA:
		return "SHA1WITHRSA"
	case x509.SHA256WithRSA:
		return "SHA256WITHRSA"
	case x509.SHA384WithRSA:
		return "SHA384WITHRSA"
	case x509.SHA512WithRSA:
		return "SHA512WITHRSA"
	case x509.ECDSAWithSHA1:
		return "SHA1WITHECDSA"
	case x509.ECDSAWithSHA256:
		return "SHA256WITHECDSA"
	case x509.ECDSAWithSHA384:
		return "SHA384WITHECDSA"
	case x509.ECDSAWithSHA512:
		return "SHA512WITHECDSA"
	}
	return strings.ToUpper(a.String())
}

// shortNames are the attributes of names that have a short one.
var shortNames = map[string]string{
	"2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "STREET", "2.5.4.10": "O", "2.5.4.11": "OU",
	"1.2.840.113549.1.9.1": "EMAILADDRESS", "0.9.2342.19200300.100.1.25": "DC",
}

// nameText writes a name as ACM does: "C=AU,O=Example,CN=localhost", in the
// order of the certificate.
func nameText(raw []byte) string {
	var rdns pkix.RDNSequence
	if rest, err := asn1.Unmarshal(raw, &rdns); err != nil || len(rest) > 0 {
		return ""
	}
	var parts []string
	for _, rdn := range rdns {
		for _, a := range rdn {
			name := a.Type.String()
			if short, ok := shortNames[name]; ok {
				name = short
			}
			parts = append(parts, name+"="+fmt.Sprint(a.Value))
		}
	}
	return strings.Join(parts, ",")
}

// distinguished is a name attribute by attribute.
func distinguished(n pkix.Name) *api.DistinguishedName {
	out := &api.DistinguishedName{}
	for _, a := range n.Names {
		text := fmt.Sprint(a.Value)
		switch oid := a.Type.String(); oid {
		case "2.5.4.3":
			out.CommonName = &text
		case "2.5.4.4":
			out.Surname = &text
		case "2.5.4.5":
			out.SerialNumber = &text
		case "2.5.4.6":
			out.Country = &text
		case "2.5.4.7":
			out.Locality = &text
		case "2.5.4.8":
			out.State = &text
		case "2.5.4.10":
			out.Organization = &text
		case "2.5.4.11":
			out.OrganizationalUnit = &text
		case "2.5.4.12":
			out.Title = &text
		case "2.5.4.42":
			out.GivenName = &text
		case "2.5.4.43":
			out.Initials = &text
		case "2.5.4.44":
			out.GenerationQualifier = &text
		case "2.5.4.46":
			out.DistinguishedNameQualifier = &text
		case "2.5.4.65":
			out.Pseudonym = &text
		case "0.9.2342.19200300.100.1.25":
			out.DomainComponents = append(out.DomainComponents, text)
		default:
			out.CustomAttributes = append(out.CustomAttributes, api.CustomAttribute{ObjectIdentifier: &oid, Value: &text})
		}
	}
	return out
}

func keyUsages(leaf *x509.Certificate) []api.KeyUsage {
	out := []api.KeyUsage{}
	for _, u := range [...]struct {
		usage x509.KeyUsage
		name  string
	}{
		{x509.KeyUsageDigitalSignature, api.KeyUsageNameDigitalSignature},
		{x509.KeyUsageContentCommitment, api.KeyUsageNameNonRepudation},
		{x509.KeyUsageKeyEncipherment, api.KeyUsageNameKeyEncipherment},
		{x509.KeyUsageDataEncipherment, api.KeyUsageNameDataEncipherment},
		{x509.KeyUsageKeyAgreement, api.KeyUsageNameKeyAgreement},
		{x509.KeyUsageCertSign, api.KeyUsageNameCertificateSigning},
		{x509.KeyUsageCRLSign, api.KeyUsageNameCrlSigning},
		{x509.KeyUsageEncipherOnly, api.KeyUsageNameEnchiperOnly},
		{x509.KeyUsageDecipherOnly, api.KeyUsageNameDecipherOnly},
	} {
		if leaf.KeyUsage&u.usage != 0 {
			out = append(out, api.KeyUsage{Name: new(u.name)})
		}
	}
	return out
}

func extendedKeyUsages(leaf *x509.Certificate) []api.ExtendedKeyUsage {
	out := []api.ExtendedKeyUsage{}
	for _, u := range leaf.ExtKeyUsage {
		name, oid := extendedKeyUsage(u)
		out = append(out, api.ExtendedKeyUsage{Name: &name, OID: &oid})
	}
	for _, oid := range leaf.UnknownExtKeyUsage {
		out = append(out, api.ExtendedKeyUsage{Name: new(api.ExtendedKeyUsageNameCustom), OID: new(oid.String())})
	}
	return out
}

func extendedKeyUsage(u x509.ExtKeyUsage) (name, oid string) {
	oid = u.OID().String()
	switch u {
	case x509.ExtKeyUsageAny:
		return api.ExtendedKeyUsageNameAny, oid
	case x509.ExtKeyUsageServerAuth:
		return api.ExtendedKeyUsageNameTLSWebServerAuthentication, oid
	case x509.ExtKeyUsageClientAuth:
		return api.ExtendedKeyUsageNameTLSWebClientAuthentication, oid
	case x509.ExtKeyUsageCodeSigning:
		return api.ExtendedKeyUsageNameCodeSigning, oid
	case x509.ExtKeyUsageEmailProtection:
		return api.ExtendedKeyUsageNameEmailProtection, oid
	case x509.ExtKeyUsageIPSECEndSystem:
		return api.ExtendedKeyUsageNameIpsecEndSystem, oid
	case x509.ExtKeyUsageIPSECTunnel:
		return api.ExtendedKeyUsageNameIpsecTunnel, oid
	case x509.ExtKeyUsageIPSECUser:
		return api.ExtendedKeyUsageNameIpsecUser, oid
	case x509.ExtKeyUsageTimeStamping:
		return api.ExtendedKeyUsageNameTimeStamping, oid
	case x509.ExtKeyUsageOCSPSigning:
		return api.ExtendedKeyUsageNameOcspSigning, oid
	}
	return api.ExtendedKeyUsageNameCustom, oid
}
