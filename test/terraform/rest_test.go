package terraform

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// TestREST is the life of every resource of a REST API: applied, planned again
// without a difference, changed in place twice and planned after each, called,
// and destroyed.
func TestREST(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("backend saw " + r.Method + " " + r.URL.RequestURI()))
	}))
	defer backend.Close()
	tf := newTerraform(t, filepath.Join("testdata", "rest"))
	tf.env = append(tf.env, "TF_VAR_backend="+backend.URL)
	var api string
	apply := func(step string) {
		t.Helper()
		tf.run("apply", "-auto-approve", "-input=false", "-no-color", "-var", "step="+step)
		if out, code := tf.try("plan", "-detailed-exitcode", "-input=false", "-no-color", "-var", "step="+step); code != 0 {
			t.Fatalf("step %s: the plan after apply isn't empty (exit code %d):\n%s", step, code, out)
		}
		was := api
		if api = tf.output("api"); was != "" && was != api {
			t.Errorf("the API %s became %s", was, api)
		}
		if found, want := tf.output("found"), "true true token-"+step+" 3"; found != want {
			t.Errorf("the data sources found %s, want %s", found, want)
		}
		tf.get(api, "/live/pets/7", "backend saw GET /step"+step+"/7")
	}
	// expect calls GET /pets with a key.
	expect := func(key string, status int, step string) {
		t.Helper()
		resp := tf.call(api, "GET", "/live/pets", http.Header{"X-Api-Key": {key}})
		if resp.StatusCode != status || status == http.StatusOK && resp.Header.Get("X-Step") != step {
			t.Errorf("GET /pets: %d, X-Step %q; want %d, %q", resp.StatusCode, resp.Header.Get("X-Step"), status, step)
		}
	}
	apply("1")
	made, given := tf.output("made"), tf.output("given")
	expect(made, http.StatusOK, "1")
	expect(given, http.StatusOK, "1")
	expect("", http.StatusForbidden, "")
	if resp := tf.call(api, "GET", "/live/nowhere", nil); resp.StatusCode != http.StatusNotFound || resp.Header.Get("X-Step") != "1" {
		t.Errorf("GET /nowhere: %d, X-Step %q", resp.StatusCode, resp.Header.Get("X-Step"))
	}
	// One key is switched off, the other leaves the plan.
	apply("2")
	expect(made, http.StatusForbidden, "")
	expect(given, http.StatusForbidden, "")
	if resp := tf.call(api, "GET", "/live/nowhere", nil); resp.StatusCode != http.StatusGone {
		t.Errorf("GET /nowhere: %d", resp.StatusCode)
	}
	apply("3")
	expect(made, http.StatusOK, "")
	expect(given, http.StatusOK, "")
	if again := tf.output("made"); again != made {
		t.Error("the key has another value")
	}
	tf.run("destroy", "-auto-approve", "-input=false", "-no-color", "-var", "step=3")
}

// output is one of the configuration's outputs.
func (tf *terraform) output(name string) string {
	tf.t.Helper()
	return strings.TrimSpace(tf.run("output", "-raw", name))
}
