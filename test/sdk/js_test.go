package sdk

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"gatehouse/test/harness"
)

// TestJavaScript drives the bookshop with the AWS SDK for JavaScript, which
// `make js` installs.
func TestJavaScript(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node isn't installed")
	}
	if _, err := os.Stat(filepath.Join("js", "node_modules", "@aws-sdk")); err != nil {
		t.Skip("the AWS SDK for JavaScript isn't installed: make js")
	}
	gw := harness.Start(t, "")
	shop := newBookshop(t)
	document := filepath.Join(t.TempDir(), "bookshop.yaml")
	if err := os.WriteFile(document, []byte(shop.document), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join("js", "bookshop.mjs"))
	cmd.Env = append(os.Environ(), "ENDPOINT="+gw.URL, "DOCUMENT="+document, "CALLS="+filepath.Join("testdata", "bookshop_calls.json"),
		"BACKEND="+shop.backend, "ROUTES="+strconv.Itoa(bookshopRoutes))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
