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
	tf.guarded(guardedAPI{allowedOrigin: "https://one.example", otherOrigin: "https://two.example"})
	apply("2", "/live/changed", `"greeting":"step 2"`, `"mapped":["22!",""]`, "/two/some/teapot?qs1=1")
	tf.guarded(guardedAPI{allowedOrigin: "https://two.example", otherOrigin: "https://one.example"})
	apply("3", "/live/changed", `"greeting":"step 3"`, `"mapped":["22!",""]`, "/two/some/teapot?qs1=1&qs2=2")
	tf.guarded(guardedAPI{otherOrigin: "https://two.example", open: true})
	if account := strings.TrimSpace(tf.run("output", "-raw", "account")); account != "000000000000" {
		t.Errorf("the account is %s", account)
	}
	tf.run("destroy", "-auto-approve", "-input=false", "-no-color", "-var", "step=3")
}

// A guardedAPI is what testdata/everything/guarded.tf should have made.
type guardedAPI struct {
	// allowedOrigin may call from a browser, "" for none; otherOrigin may not.
	allowedOrigin, otherOrigin string
	// open tells that the route that asked for a token no longer does.
	open bool
}

// guarded calls the guarded API in its deployed and in its automatic stage.
func (tf *terraform) guarded(want guardedAPI) {
	tf.t.Helper()
	api := strings.TrimSpace(tf.run("output", "-raw", "guarded_api_id"))
	for _, stage := range []string{"/guarded", ""} {
		tf.get(api, stage+"/open", "backend saw /guarded")
		if status := tf.call(api, http.MethodGet, stage+"/jwt", nil).StatusCode; (status == http.StatusOK) != want.open {
			tf.t.Errorf("GET %s/jwt without a token: %d, open %v", stage, status, want.open)
		}
		if status := tf.call(api, http.MethodGet, stage+"/request", nil).StatusCode; status == http.StatusOK {
			tf.t.Errorf("GET %s/request without a key: %d", stage, status)
		}
		for _, origin := range []string{want.allowedOrigin, want.otherOrigin} {
			if origin == "" {
				continue
			}
			granted := tf.call(api, http.MethodGet, stage+"/open", http.Header{"Origin": {origin}}).Header.Get("Access-Control-Allow-Origin")
			if (granted == origin) != (origin == want.allowedOrigin) {
				tf.t.Errorf("GET %s/open from %s: allowed %q, want %q", stage, origin, granted, want.allowedOrigin)
			}
		}
	}
}
