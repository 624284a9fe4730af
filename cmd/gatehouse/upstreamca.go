package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
)

// upstreamRoots are the authorities that may sign for https backends: the
// system's and those of --upstream-ca. nil means the system's.
func (c *config) upstreamRoots() (*x509.CertPool, error) {
	if len(c.UpstreamCA) == 0 {
		return nil, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("the system's certificate authorities: %w", err)
	}
	for _, file := range c.UpstreamCA {
		if err := addAuthorities(pool, file); err != nil {
			return nil, fmt.Errorf("--upstream-ca: %w", err)
		}
	}
	return pool, nil
}

// addAuthorities adds the certificates of a PEM file. There must be one, and all
// must be readable: half a bundle fails at the worst time.
func addAuthorities(pool *x509.CertPool, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	found := 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return fmt.Errorf("%s holds a %s; it should hold certificates only", file, block.Type)
		}
		found++
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return fmt.Errorf("%s: certificate %d: %w", file, found, err)
		}
		pool.AddCert(certificate)
	}
	if found == 0 {
		return fmt.Errorf("%s holds no certificate in PEM form", file)
	}
	// What can't be decoded is skipped without a word.
	if begun := bytes.Count(text, []byte("-----BEGIN ")); begun != found {
		return fmt.Errorf("%s: of %d certificates only %d are well-formed", file, begun, found)
	}
	return nil
}
