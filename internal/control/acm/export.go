package acm

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"io"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
)

// ExportCertificate hands out a certificate with its private key, encrypted, if
// it was requested to be exportable.
func (s *Service) ExportCertificate(c *awswire.Call, in *api.ExportCertificateRequest) (*api.ExportCertificateResponse, error) {
	if bytes.ContainsAny(in.Passphrase, "#$%") || bytes.ContainsFunc(in.Passphrase, func(r rune) bool { return r > 127 }) {
		return nil, invalid("The passphrase must be of ASCII characters other than #, $ and %.") // UNVERIFIED wording
	}
	doc, err := s.view(c, in.CertificateArn)
	if err != nil {
		return nil, err
	}
	if value(doc.Type) != api.CertificateTypeAmazonIssued || value(value(doc.Options).Export) != api.CertificateExportEnabled {
		return nil, invalid("Certificate ARN: " + *in.CertificateArn + " can't be exported.") // UNVERIFIED wording
	}
	if err := checkIssued(doc); err != nil {
		return nil, err
	}
	key, err := parseKey([]byte(doc.PrivateKey))
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	sealed, err := encryptKey(s.random, der, in.Passphrase)
	if err != nil {
		return nil, err
	}
	if !doc.Exported {
		// From now on it is renewed, though nothing here uses it.
		err := s.change(c, in.CertificateArn, func(d *definition.Certificate) error { d.Exported = true; return nil })
		if err != nil {
			return nil, err
		}
	}
	return &api.ExportCertificateResponse{Certificate: &doc.Body, CertificateChain: &doc.Chain, PrivateKey: &sealed}, nil
}

// What PKCS #8 (RFC 5958) holds of a key encrypted by PBES2 (RFC 8018).
type (
	encryptedKey struct {
		Algorithm pbes2
		Data      []byte
	}
	pbes2 struct {
		OID        asn1.ObjectIdentifier
		Parameters struct {
			Derivation derivation
			Encryption encryption
		}
	}
	derivation struct {
		OID        asn1.ObjectIdentifier
		Parameters struct {
			Salt       []byte
			Iterations int
			PRF        pkix.AlgorithmIdentifier
		}
	}
	encryption struct {
		OID asn1.ObjectIdentifier
		IV  []byte
	}
)

var (
	oidPBES2      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidHMACSHA256 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}
	oidAES256CBC  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
)

// iterations make guesses at a passphrase slow.
const iterations = 100_000

// encryptKey writes a key in PKCS #8 as encrypted PEM.
func encryptKey(random io.Reader, der, passphrase []byte) (string, error) {
	out := encryptedKey{Algorithm: pbes2{OID: oidPBES2}}
	p := &out.Algorithm.Parameters
	p.Derivation.OID, p.Encryption.OID = oidPBKDF2, oidAES256CBC
	salt, iv := make([]byte, 16), make([]byte, aes.BlockSize)
	for _, b := range [...][]byte{salt, iv} {
		if _, err := io.ReadFull(random, b); err != nil {
			return "", err
		}
	}
	p.Derivation.Parameters.Salt, p.Derivation.Parameters.Iterations, p.Encryption.IV = salt, iterations, iv
	p.Derivation.Parameters.PRF = pkix.AlgorithmIdentifier{Algorithm: oidHMACSHA256, Parameters: asn1.NullRawValue}
	key, err := pbkdf2.Key(sha256.New, string(passphrase), salt, iterations, 32)
	if err != nil {
		return "", err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", err
	}
	padding := aes.BlockSize - len(der)%aes.BlockSize
	out.Data = append(bytes.Clone(der), bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out.Data, out.Data)
	text, err := asn1.Marshal(out)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: text})), nil
}
