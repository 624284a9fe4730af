package terraform

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
)

// TestRESTOpenAPI applies REST APIs that are defined by documents: after every
// apply the plan is empty, and a changed document changes the API in place.
func TestRESTOpenAPI(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "%s %s", r.Method, r.URL.RequestURI())
	}))
	defer backend.Close()
	tf := newTerraform(t, filepath.Join("testdata", "restopenapi"))
	tf.env = append(tf.env, "TF_VAR_backend="+backend.URL)
	var pets string
	apply := func(step, health string) {
		t.Helper()
		tf.run("apply", "-auto-approve", "-input=false", "-no-color", "-var", "step="+step)
		if out, code := tf.try("plan", "-detailed-exitcode", "-input=false", "-no-color", "-var", "step="+step); code != 0 {
			t.Fatalf("step %s: the plan after apply isn't empty (exit code %d):\n%s", step, code, out)
		}
		was := pets
		if pets = tf.output("pets"); was != "" && was != pets {
			t.Errorf("the API %s became %s", was, pets)
		}
		tf.get(pets, "/live/pets/7", "GET /step"+step+"/7")
		tf.get(pets, "/live"+health, "fine")
		tf.get(tf.output("small"), "/live/v1/one", "step"+step)
		if got, want := tf.output("exported"), "pets "+health+" /pets/{id}"; got != want {
			t.Errorf("step %s: exported %s, want %s", step, got, want)
		}
	}
	apply("1", "/health")
	apply("2", "/healthy")
	tf.run("destroy", "-auto-approve", "-input=false", "-no-color", "-var", "step=2")
}
