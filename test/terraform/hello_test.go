// Package terraform applies the examples with a real Terraform and a real AWS
// provider, where both are at hand: set GATEHOUSE_TERRAFORM_PROVIDERS to a
// directory that holds terraform-provider-aws and terraform-provider-archive.
// The sequences of calls that the provider makes are replayed without it in
// test/sdk.
package terraform

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// TestHello is the life of examples/hello: applied, planned again without a
// difference, called, changed, called, destroyed.
func TestHello(t *testing.T) {
	tf := newTerraform(t, filepath.Join("..", "..", "examples", "hello"))
	tf.run("apply", "-auto-approve", "-input=false", "-no-color")
	if out, code := tf.try("plan", "-detailed-exitcode", "-input=false", "-no-color"); code != 0 {
		t.Fatalf("the plan after apply isn't empty (exit code %d):\n%s", code, out)
	}
	endpoint := strings.TrimSpace(tf.run("output", "-raw", "api_endpoint"))
	apiID, _, _ := strings.Cut(strings.TrimPrefix(endpoint, "http://"), ".")
	tf.get(apiID, "/hello?name=Terraform", `"message":"Hello, Terraform!"`)

	// New code: the plan finds it, the apply updates it, the next call runs it.
	source := filepath.Join(tf.dir, "function", "index.mjs")
	code, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(source, bytes.ReplaceAll(code, []byte("Hello,"), []byte("Welcome,")), 0o644); err != nil {
		t.Fatal(err)
	}
	tf.run("apply", "-auto-approve", "-input=false", "-no-color")
	tf.get(apiID, "/hello?name=Terraform", `"message":"Welcome, Terraform!"`)

	tf.run("destroy", "-auto-approve", "-input=false", "-no-color")
	status, body, err := tf.gateway.Get(t.Context(), apiID, "/hello")
	if err != nil {
		t.Fatal(err)
	}
	if status != http.StatusNotFound || body != `{"message":"Not Found"}` {
		t.Errorf("after destroy: %d %s", status, body)
	}
}

// terraform is a working directory and a gateway to apply it to.
type terraform struct {
	t       *testing.T
	dir     string
	env     []string
	gateway *harness.Gateway
}

func newTerraform(t *testing.T, example string) *terraform {
	t.Helper()
	providers := os.Getenv("GATEHOUSE_TERRAFORM_PROVIDERS")
	if providers == "" {
		t.Skip("GATEHOUSE_TERRAFORM_PROVIDERS isn't set: no AWS provider to apply with")
	}
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("terraform isn't installed")
	}
	tf := &terraform{t: t, dir: t.TempDir(), gateway: harness.Start(t, "")}
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
