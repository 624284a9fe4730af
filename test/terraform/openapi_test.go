package terraform

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOpenAPI applies APIs that are defined by OpenAPI documents: after every
// apply the plan is empty, and a changed document changes the API in place.
func TestOpenAPI(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "%s %s", r.Method, r.URL.RequestURI())
	}))
	defer backend.Close()
	var issuer *httptest.Server
	issuer = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, issuer.URL, issuer.URL)
	}))
	defer issuer.Close()

	tf := newTerraform(t, filepath.Join("testdata", "openapi"))
	tf.env = append(tf.env, "TF_VAR_backend="+strings.TrimPrefix(backend.URL, "http://"))
	document, err := os.ReadFile(filepath.Join("..", "sdk", "testdata", "bookshop.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(document), "https://issuer.bookshop.example", issuer.URL)
	if err := os.WriteFile(filepath.Join(tf.dir, "bookshop.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var bookshop, small string
	apply := func(step, health, one string) {
		t.Helper()
		tf.run("apply", "-auto-approve", "-input=false", "-no-color", "-var", "step="+step)
		if out, code := tf.try("plan", "-detailed-exitcode", "-input=false", "-no-color", "-var", "step="+step); code != 0 {
			t.Fatalf("step %s: the plan after apply isn't empty (exit code %d):\n%s", step, code, out)
		}
		was := bookshop
		bookshop, small = strings.TrimSpace(tf.run("output", "-raw", "bookshop")), strings.TrimSpace(tf.run("output", "-raw", "small"))
		if was != "" && was != bookshop {
			t.Errorf("the API %s became %s", was, bookshop)
		}
		tf.get(bookshop, "/books/7", "GET /catalogue/books/7")
		tf.get(bookshop, health, "GET /health")
		tf.get(small, "/live/one", one)
	}
	apply("1", "/health", "GET /step1")
	apply("2", "/healthy", "GET /step2")
	tf.run("destroy", "-auto-approve", "-input=false", "-no-color", "-var", "step=2")
}
