// Package terraform applies the examples with a real Terraform and a real AWS
// provider, where both are at hand: set GATEHOUSE_TERRAFORM_PROVIDERS to a
// directory that holds terraform-provider-aws and terraform-provider-archive.
// The sequences of calls that the provider makes are replayed without it in
// test/sdk.
package terraform

import (
	"bytes"
	"net/http"
	"os"
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
	tf.getOverTLS(strings.TrimSpace(tf.run("output", "-raw", "url"))+"?name=TLS", `"message":"Hello, TLS!"`)

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
