package function

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// What functions trust, in the folder of the bootstraps: the gateway's own authority, and that with the host's.
const (
	authorityFile = "ca.pem"
	bundleFile    = "ca-bundle.pem"
)

// hostBundles are where hosts keep the authorities they trust.
var hostBundles = [...]string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/ssl/cert.pem",
}

// unpackAuthorities writes what functions trust where they can read it.
func (m *Manager) unpackAuthorities() error {
	if m.options.Authority == "" {
		return nil
	}
	own, err := os.ReadFile(m.options.Authority)
	if err != nil {
		return fmt.Errorf("function: %w", err)
	}
	if err := os.WriteFile(filepath.Join(m.runtimeDir(), authorityFile), own, 0o644); err != nil {
		return fmt.Errorf("function: %w", err)
	}
	for _, path := range hostBundles {
		bundle, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		bundle = append(append(bytes.TrimRight(bundle, "\n"), '\n'), own...)
		if err := os.WriteFile(filepath.Join(m.runtimeDir(), bundleFile), bundle, 0o644); err != nil {
			return fmt.Errorf("function: %w", err)
		}
		m.hasBundle = true
		break
	}
	return nil
}

// trust names the authorities to what reads them: Node adds one to its own; OpenSSL, Go and botocore take a file in
// place of theirs, so they get none where the host's isn't known.
func trust(v map[string]string, runtime string, at folders) {
	if strings.HasPrefix(runtime, "nodejs") {
		if at.authority != "" {
			v["NODE_EXTRA_CA_CERTS"] = at.authority
		}
		return
	}
	if at.bundle != "" {
		v["SSL_CERT_FILE"], v["AWS_CA_BUNDLE"] = at.bundle, at.bundle
	}
}
