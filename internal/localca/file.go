package localca

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// readSigner reads a file that holds a key and its certificate. They are one
// file so that a start which was cut leaves no pair that doesn't match.
func readSigner(path string) (*signer, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &signer{}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "PRIVATE KEY":
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			s.key, _ = key.(crypto.Signer)
		case "CERTIFICATE":
			if s.cert, err = x509.ParseCertificate(block.Bytes); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	if s.key == nil || s.cert == nil {
		return nil, fmt.Errorf("%s holds no key with its certificate", path)
	}
	if public, ok := s.cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(s.key.Public()) {
		return nil, fmt.Errorf("%s: the certificate is another key's", path)
	}
	return s, nil
}

// writeSigner writes a file that readSigner reads, for the owner alone. Where it
// must be new, one that is there meanwhile is os.ErrExist.
func writeSigner(path string, s *signer, isNew bool) error {
	key, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.cert.Raw})...)
	place := os.Rename
	if isNew {
		place = os.Link // which replaces nothing
	}
	return writeFile(path, text, 0o600, place)
}

// writeCertificate writes a certificate for others to read, if the file doesn't
// hold it already.
func writeCertificate(path string, cert *x509.Certificate) error {
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return nil
	}
	return writeFile(path, text, 0o644, os.Rename)
}

// writeFile puts a file in its place as a whole, never widening who may read it.
func writeFile(path string, text []byte, mode os.FileMode, place func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone already when it was renamed
	_, err = f.Write(text)
	if err := errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	return place(f.Name(), path)
}
