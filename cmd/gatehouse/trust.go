package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"gatehouse/internal/localca"
)

// A trustStore is where a system keeps the roots that an administrator adds: a
// directory of certificates and the program that makes them known, as on
// Debian and Ubuntu.
type trustStore struct {
	dir, update string
}

const trustedName = "gatehouse-authority.crt"

func newTrust() *cobra.Command {
	data := defaultDataDir()
	var install, remove bool
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "Print the root of the certificates that the gateway issues, or have this machine trust it",
		Long: `Print the root certificate that certificates requested of ACM chain to, in PEM:

  gatehouse trust > gatehouse-root.pem
  curl --cacert gatehouse-root.pem https://api.example.test:4566/

Debian, Ubuntu: sudo gatehouse trust --install --data DIR (--remove takes it back)
macOS:          sudo security add-trusted-cert -d -r trustRoot \
                  -k /Library/Keychains/System.keychain gatehouse-root.pem
Windows:        certutil -addstore Root gatehouse-root.pem   (as administrator)
Chrome, Linux:  certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n gatehouse \
                  -i gatehouse-root.pem      (of libnss3-tools)
Firefox:        Settings, Certificates, View Certificates, Authorities, Import
Node:           NODE_EXTRA_CA_CERTS=gatehouse-root.pem
Python:         REQUESTS_CA_BUNDLE=gatehouse-root.pem (requests), SSL_CERT_FILE (others)
Go:             SSL_CERT_FILE=gatehouse-root.pem (Linux)

The root can sign for every name there is: who can read the data directory can
then pass for any site on a machine that trusts it. Give it to machines for
development only. Its key never leaves DIR/tls/authority. The gateway's own
names (localhost, {api-id}.execute-api.localhost) have an authority of their
own, DIR/tls/ca.pem, which can sign for nothing else: AWS_CA_BUNDLE=DIR/tls/ca.pem
is for the AWS CLI and SDKs that manage the gateway over https.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s := trustStore{dir: "/usr/local/share/ca-certificates", update: "update-ca-certificates"}
			if remove {
				return s.remove(cmd.Context(), cmd.OutOrStdout())
			}
			text, root, err := readRoot(data)
			if err != nil {
				return err
			}
			if install {
				return s.install(cmd.Context(), cmd.OutOrStdout(), text, root)
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	cmd.Flags().StringVar(&data, "data", data, "data `directory` of the gateway")
	cmd.Flags().BoolVar(&install, "install", false, "add it to this machine's trusted roots (Debian, Ubuntu; as root)")
	cmd.Flags().BoolVar(&remove, "remove", false, "take it from this machine's trusted roots again")
	cmd.MarkFlagsMutuallyExclusive("install", "remove")
	return cmd
}

// readRoot reads the root of a data directory. It makes none: in the wrong
// directory that would be one that signs nothing.
func readRoot(data string) ([]byte, *x509.Certificate, error) {
	file := filepath.Join(data, authorityDir, localca.RootFile)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%s has no authority: name the gateway's directory with --data, or start it once", data)
	}
	if err != nil {
		return nil, nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, nil, fmt.Errorf("%s holds no certificate", file)
	}
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	// No more than what is shown: a second one behind it would be trusted unseen.
	return pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes}), root, nil
}

func (s trustStore) install(ctx context.Context, out io.Writer, text []byte, root *x509.Certificate) error {
	program, err := exec.LookPath(s.update)
	if err != nil {
		return fmt.Errorf("this machine has no %s: see gatehouse trust --help for other systems", s.update)
	}
	file := filepath.Join(s.dir, trustedName)
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return fmt.Errorf("%w (installing takes root's rights: sudo gatehouse trust --install --data DIR)", err)
	}
	if err := run(ctx, program); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\nSHA-256 %X\nis trusted on this machine now (%s); gatehouse trust --remove takes it back.\n", root.Subject.CommonName, sha256.Sum256(root.Raw), file)
	return err
}

func (s trustStore) remove(ctx context.Context, out io.Writer) error {
	file := filepath.Join(s.dir, trustedName)
	if err := os.Remove(file); errors.Is(err, fs.ErrNotExist) {
		_, err = fmt.Fprintln(out, "No root of a gateway is trusted on this machine.")
		return err
	} else if err != nil {
		return err
	}
	// Fresh: what was removed would stay in the bundle otherwise.
	if err := run(ctx, s.update, "--fresh"); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%s is gone.\n", file)
	return err
}

func run(ctx context.Context, program string, args ...string) error {
	if out, err := exec.CommandContext(ctx, program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", program, err, out)
	}
	return nil
}
