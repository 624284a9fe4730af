package terraform

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// TestPrivate applies private integrations with the load balancers, target groups and
// Cloud Map services that they lead to, changes in place what can be changed, and
// destroys them.
func TestPrivate(t *testing.T) {
	tf := newTerraform(t, filepath.Join("testdata", "private"))
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "target "+r.URL.Path) }))
	defer backend.Close()
	_, port, err := net.SplitHostPort(backend.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"1", "2"} {
		vars := []string{"-input=false", "-no-color", "-var", "port=" + port, "-var", "step=" + step}
		tf.run(append([]string{"apply", "-auto-approve"}, vars...)...)
		if out, code := tf.try(append([]string{"plan", "-detailed-exitcode"}, vars...)...); code != 0 {
			t.Fatalf("the plan after step %s isn't empty (exit code %d):\n%s", step, code, out)
		}
		api := strings.TrimSpace(tf.run("output", "-raw", "api"))
		tf.get(api, "/pets", "target /pets")
		tf.get(api, "/service", "target /service")
		tf.get(api, "/fixed", "fixed-"+step)
	}
	tf.run("destroy", "-auto-approve", "-input=false", "-no-color", "-var", "port="+port)
}
