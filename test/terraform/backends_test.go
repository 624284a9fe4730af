package terraform

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// TestBackends applies a queue behind a route and a stage that caches what private
// targets answer, changes them in place and destroys them.
func TestBackends(t *testing.T) {
	var served atomic.Int64
	var ports []string
	for range 2 {
		target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/health" {
				return
			}
			_, _ = fmt.Fprintf(w, "%s of %s, the %d.", r.URL.RequestURI(), r.Host, served.Add(1))
		}))
		defer target.Close()
		_, port, err := net.SplitHostPort(target.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, `"`+port+`"`)
	}
	queue := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/xml")
		_, _ = fmt.Fprintf(w, "<signed>%t</signed> %s", strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 "), body)
	}))
	defer queue.Close()

	tf := newTerraform(t, filepath.Join("testdata", "backends"), "--aws-endpoint", "sqs="+queue.URL)
	for _, step := range []struct{ v, sent string }{{"1", "fixed"}, {"2", "hello"}} {
		vars := []string{
			"-input=false", "-no-color", "-var", "step=" + step.v,
			"-var", "ports=[" + strings.Join(ports, ",") + "]", "-var", "queue=" + queue.URL + "/000000000000/q",
		}
		tf.run(append([]string{"apply", "-auto-approve"}, vars...)...)
		if out, code := tf.try(append([]string{"plan", "-detailed-exitcode"}, vars...)...); code != 0 {
			t.Fatalf("the plan after step %s isn't empty (exit code %d):\n%s", step.v, code, out)
		}
		api := strings.TrimSpace(tf.run("output", "-raw", "http_api"))
		tf.get(api, "/queue/hello", "<signed>true</signed>")
		tf.get(api, "/queue/hello", step.sent)
		rest := strings.TrimSpace(tf.run("output", "-raw", "rest_api"))
		before := served.Load()
		for range 3 {
			tf.get(rest, "/prod/7?q=1", fmt.Sprintf("/v1/7?q=1 of books.internal, the %d.", before+1))
		}
		tf.get(rest, "/prod/7?q=2", fmt.Sprintf("/v1/7?q=2 of books.internal, the %d.", before+2))
	}
	tf.run("destroy", "-auto-approve", "-input=false", "-no-color", "-var", "step=2",
		"-var", "ports=["+strings.Join(ports, ",")+"]", "-var", "queue="+queue.URL+"/000000000000/q")
}
