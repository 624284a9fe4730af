// Package recorded replays answers that AWS gave, REST APIs' above all, against
// the gateway. The recordings and the program that replays them aren't part of
// this repository: they are looked for in the directory that
// GATEHOUSE_RECORDED names, else in shared/recorded beside the checkout. The
// program is Python and needs boto3.
package recorded

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gatehouse/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// runner is the path of run.py.
func runner(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("GATEHOUSE_RECORDED")
	if dir == "" {
		// The tests run in their package's directory.
		dir = filepath.Join("..", "..", "..", "shared", "recorded")
	}
	file, err := filepath.Abs(filepath.Join(dir, "run.py"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Skip("there are no recordings in " + dir)
	}
	if err := exec.Command("python3", "-c", "import boto3").Run(); err != nil {
		t.Skip("python3 with boto3 isn't installed")
	}
	return file
}

var summary = regexp.MustCompile(`(\d+) passed, (\d+) failed\s*$`)

// Every recorded answer is ours, too, in both forms of URLs.
func TestRecordedAnswers(t *testing.T) {
	file := runner(t)
	for name, url := range map[string]string{
		"path": "{endpoint}/_aws/execute-api/{api}/{stage}{path}",
		"host": "http://{api}.execute-api.localhost:PORT/{stage}{path}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := harness.Start(t, "")
			port := g.URL[strings.LastIndexByte(g.URL, ':')+1:]
			details := filepath.Join(t.TempDir(), "details")
			cmd := exec.CommandContext(t.Context(), "python3", file)
			cmd.Env = append(os.Environ(), "ENDPOINT="+g.URL, "DATA_URL="+strings.Replace(url, "PORT", port, 1), "OUT="+details)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			result := summary.FindSubmatch(out)
			if result == nil || string(result[1]) == "0" {
				t.Fatalf("nothing was replayed:\n%s", out)
			}
			if string(result[2]) == "0" {
				return
			}
			all, err := os.ReadFile(details)
			if err != nil {
				t.Error(err)
			}
			for line := range bytes.Lines(all) {
				if bytes.HasPrefix(line, []byte("FAIL")) {
					t.Error(string(bytes.TrimSpace(line)))
				}
			}
		})
	}
}
