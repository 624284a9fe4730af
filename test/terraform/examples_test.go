package terraform

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestExamples is the life of the examples that bring a script: applied, tried
// by it, planned again without a difference, destroyed.
func TestExamples(t *testing.T) {
	for _, name := range []string{"partner", "internal", "login"} {
		t.Run(name, func(t *testing.T) {
			tf := newTerraform(t, filepath.Join("..", "..", "examples", name))
			tf.run("apply", "-auto-approve", "-input=false", "-no-color")
			cmd := exec.Command(filepath.Join(tf.dir, "try"))
			cmd.Env = tf.env
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s\n%s", err, out, tf.gateway.Logs())
			}
			t.Logf("%s", out)
			if out, code := tf.try("plan", "-detailed-exitcode", "-input=false", "-no-color"); code != 0 {
				t.Fatalf("the plan after apply isn't empty (exit code %d):\n%s", code, out)
			}
			tf.run("destroy", "-auto-approve", "-input=false", "-no-color")
		})
	}
}
