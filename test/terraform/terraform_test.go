package terraform

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/test/harness"
)

// terraform is a working directory and a gateway to apply it to.
type terraform struct {
	t       *testing.T
	dir     string
	env     []string
	gateway *harness.Gateway
}

func newTerraform(t *testing.T, example string, args ...string) *terraform {
	t.Helper()
	providers := os.Getenv("GATEHOUSE_TERRAFORM_PROVIDERS")
	if providers == "" {
		t.Skip("GATEHOUSE_TERRAFORM_PROVIDERS isn't set: no AWS provider to apply with")
	}
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("terraform isn't installed")
	}
	tf := &terraform{t: t, dir: t.TempDir(), gateway: harness.Start(t, "", args...)}
	if err := os.CopyFS(tf.dir, os.DirFS(example)); err != nil {
		t.Fatal(err)
	}
	rc := filepath.Join(t.TempDir(), "terraformrc")
	settings := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n    %q = %q\n  }\n  direct {}\n}\n",
		"hashicorp/aws", providers, "hashicorp/archive", providers)
	if err := os.WriteFile(rc, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	tf.env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+rc, "CHECKPOINT_DISABLE=1", "AWS_ENDPOINT_URL="+tf.gateway.URL,
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true")
	return tf
}

// run runs terraform and fails the test when it fails.
func (tf *terraform) run(args ...string) string {
	tf.t.Helper()
	out, code := tf.try(args...)
	if code != 0 {
		tf.t.Fatalf("terraform %s: exit code %d\n%s\n%s", strings.Join(args, " "), code, out, tf.gateway.Logs())
	}
	return out
}

func (tf *terraform) try(args ...string) (out string, exitCode int) {
	tf.t.Helper()
	cmd := exec.Command("terraform", args...)
	cmd.Dir, cmd.Env = tf.dir, tf.env
	var stdout, both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &both
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return stdout.String() + both.String(), exit.ExitCode()
	}
	if err != nil {
		tf.t.Fatal(err)
	}
	return stdout.String(), 0
}

// getOverTLS requests a URL of a custom domain name from the gateway, whose root
// certificate alone is trusted, and wants a 200 whose body holds want.
func (tf *terraform) getOverTLS(url, want string) {
	tf.t.Helper()
	root, err := os.ReadFile(filepath.Join(tf.gateway.Data, "tls", "authority", "root.pem"))
	if err != nil {
		tf.t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(root) {
		tf.t.Fatalf("no certificate in %s", root)
	}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: trusted},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, tf.gateway.Addr)
		},
	}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(tf.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		tf.t.Fatal(err)
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		tf.t.Fatalf("GET %s: %v\n%s", url, err, tf.gateway.Logs())
	}
	body, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		tf.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
		tf.t.Fatalf("GET %s: %d %s\n%s", url, res.StatusCode, body, tf.gateway.Logs())
	}
}

// get requests a path of the API and wants a 200 whose body holds want.
func (tf *terraform) get(apiID, path, want string) {
	tf.t.Helper()
	status, body, err := tf.gateway.Get(tf.t.Context(), apiID, path)
	if err != nil {
		tf.t.Fatal(err)
	}
	if status != http.StatusOK || !strings.Contains(body, want) {
		tf.t.Fatalf("GET %s: %d %s\n%s", path, status, body, tf.gateway.Logs())
	}
}

// call requests a path of the API and returns the response without its body.
func (tf *terraform) call(apiID, method, path string, header http.Header) *http.Response {
	tf.t.Helper()
	req, err := http.NewRequestWithContext(tf.t.Context(), method, tf.gateway.URL+path, nil)
	if err != nil {
		tf.t.Fatal(err)
	}
	_, port, _ := strings.Cut(tf.gateway.Addr, ":")
	req.Host = apiID + ".execute-api.localhost:" + port
	maps.Copy(req.Header, header)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		tf.t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		tf.t.Fatal(err)
	}
	return resp
}
