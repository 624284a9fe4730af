package terraform

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestNames applies domain names of both faces of API Gateway and certificates of
// all kinds, changes in place what can be changed, and destroys them.
func TestNames(t *testing.T) {
	tf := newTerraform(t, filepath.Join("testdata", "names"))
	pki := t.TempDir()
	openssl(t, pki, "own.test", "own", "-addext", "subjectAltName=DNS:own.test,DNS:*.own.test")
	openssl(t, pki, "clients", "ca")
	for _, step := range []struct{ v, path string }{{"1", "/one/x"}, {"2", "/two/x"}} {
		vars := []string{"-input=false", "-no-color", "-var", "pki=" + pki, "-var", "v=" + step.v}
		tf.run(append([]string{"apply", "-auto-approve"}, vars...)...)
		if out, code := tf.try(append([]string{"plan", "-detailed-exitcode"}, vars...)...); code != 0 {
			t.Fatalf("the plan after step %s isn't empty (exit code %d):\n%s", step.v, code, out)
		}
		tf.getOverTLS("https://v1.example.test"+step.path, `"sub":""`)
		tf.getOverTLS("https://edge.example.test/any/s/x", `"sub":""`)
	}
	tf.run("destroy", "-auto-approve", "-input=false", "-no-color", "-var", "pki="+pki)
}

// openssl makes NAME.pem, a certificate signed by its own key, NAME-key.pem.
func openssl(t *testing.T, dir, commonName, name string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl isn't installed")
	}
	cmd := exec.Command("openssl", append([]string{"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "300",
		"-subj", "/CN=" + commonName, "-keyout", filepath.Join(dir, name+"-key.pem"), "-out", filepath.Join(dir, name+".pem")}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("openssl: %v\n%s", err, out)
	}
}
