package terraform

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// TestEverything is the life of every resource of the first round: applied,
// planned again without a difference, changed in place, planned again, called
// and destroyed.
func TestEverything(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/teapot") {
			w.WriteHeader(http.StatusTeapot)
		}
		_, _ = w.Write([]byte("backend saw " + r.URL.RequestURI()))
	}))
	defer backend.Close()
	tf := newTerraform(t, filepath.Join("testdata", "everything"))
	tf.env = append(tf.env, "TF_VAR_backend="+backend.URL)
	apply := func(step, path, body, mapped, backendPath string) {
		t.Helper()
		tf.run("apply", "-auto-approve", "-input=false", "-no-color", "-var", "step="+step)
		if out, code := tf.try("plan", "-detailed-exitcode", "-input=false", "-no-color", "-var", "step="+step); code != 0 {
			t.Fatalf("step %s: the plan after apply isn't empty (exit code %d):\n%s", step, code, out)
		}
		api := strings.TrimSpace(tf.run("output", "-raw", "api_id"))
		tf.get(api, path, body)
		tf.get(api, path, mapped)
		tf.get(api, "/live/backend/some/teapot?qs1=1&qs2=2", "backend saw "+backendPath)
		tf.get(api, "/frozen/function", `"stage":"frozen"`)
	}
	apply("1", "/live/function", `"greeting":"step 1"`, `"mapped":["2","q=from%20/function%20in%20live"]`, "/some/teapot?qs2=2")
	apply("2", "/live/changed", `"greeting":"step 2"`, `"mapped":["22!",""]`, "/two/some/teapot?qs1=1")
	if account := strings.TrimSpace(tf.run("output", "-raw", "account")); account != "000000000000" {
		t.Errorf("the account is %s", account)
	}
	tf.run("destroy", "-auto-approve", "-input=false", "-no-color", "-var", "step=2")
}
