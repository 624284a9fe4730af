package function

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fakeInterpreters returns a folder of scripts that answer a probe with their version.
func fakeInterpreters(t *testing.T, versions map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, version := range versions {
		path := filepath.Join(dir, name)
		script := "#!/bin/sh\nprintf '%s\\n' " + path + " " + version + " " + dir + "\n"
		if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestInterpreters(t *testing.T) {
	for _, tt := range []struct {
		name    string
		there   map[string]string
		runtime string
		want    string // of the version; empty: refused
		warns   bool
	}{
		{"exact", map[string]string{"node": "20.1.0"}, "nodejs20.x", "20.1.0", false},
		{"newer", map[string]string{"node": "24.1.0"}, "nodejs20.x", "24.1.0", false},
		{"older", map[string]string{"node": "18.1.0"}, "nodejs22.x", "18.1.0", true},
		{"exact before newer", map[string]string{"node": "24.1.0", "nodejs": "20.9.0"}, "nodejs20.x", "20.9.0", false},
		{"newest of the newer", map[string]string{"node": "22.1.0", "nodejs": "24.9.0"}, "nodejs20.x", "24.9.0", false},
		{"python by name", map[string]string{"python3": "3.13.2", "python3.12": "3.12.4"}, "python3.12", "3.12.4", false},
		{"python newer", map[string]string{"python3": "3.13.2"}, "python3.12", "3.13.2", false},
		{"name lies", map[string]string{"python3.12": "3.9.1", "python3": "3.13.1"}, "python3.12", "3.13.1", false},
		{"none", nil, "python3.12", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var warnings strings.Builder
			in := newInterpreters(textLogger(&warnings))
			in.path = fakeInterpreters(t, tt.there)
			for _, f := range in.families {
				f.folders = nil
			}
			for range 2 {
				got, err := in.lookFor(tt.runtime)
				if (err == nil) != (tt.want != "") || err == nil && got.versionString() != tt.want {
					t.Errorf("got %+v, %v", got, err)
				}
			}
			if n := strings.Count(warnings.String(), "level=WARN"); n > 1 || (n == 1) != tt.warns {
				t.Errorf("got %d warnings:\n%s", n, warnings.String())
			}
		})
	}
}

// An interpreter that is replaced while the gateway runs is found again.
func TestInterpreterIsReplaced(t *testing.T) {
	in := newInterpreters(discardLogger())
	for _, f := range in.families {
		f.folders = nil
	}
	for _, runtime := range []string{"nodejs20.x", "python3.12"} {
		in.at = map[string]time.Time{}
		in.path = fakeInterpreters(t, map[string]string{"node": "20.1.0", "python3.12": "3.12.1"})
		before, err := in.lookFor(runtime)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(in.path); err != nil {
			t.Fatal(err)
		}
		in.at = map[string]time.Time{}
		in.path = fakeInterpreters(t, map[string]string{"node": "20.2.0", "python3.12": "3.12.2"})
		after, err := in.lookFor(runtime)
		if err != nil || after.path == before.path {
			t.Errorf("%s: got %+v after %+v, %v", runtime, after, before, err)
		}
	}
}
