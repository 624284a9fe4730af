package function

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestLayersBesideInterpreter is /opt on a host whose interpreter lies there,
// as on many CI machines.
func TestLayersBesideInterpreter(t *testing.T) {
	layer := t.TempDir()
	for _, name := range []string{"nodejs", "bin"} {
		if err := os.Mkdir(filepath.Join(layer, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name, layers string
		binds        []string
		taken        string // exists below /opt already
		want         [][2]string
		fails        bool
	}{
		{name: "no layers"},
		{name: "no layers, interpreter in /opt", binds: []string{"/opt/hostedtoolcache/node"}, taken: "hostedtoolcache"},
		{name: "layers", layers: layer, binds: []string{"/home/me/node"}, want: [][2]string{{layer, "/opt"}}},
		{name: "both", layers: layer, binds: []string{"/opt/hostedtoolcache/node"}, taken: "hostedtoolcache",
			want: [][2]string{{layer + "/bin", "/opt/bin"}, {layer + "/nodejs", "/opt/nodejs"}}},
		{name: "both at one place", layers: layer, binds: []string{"/opt/nodejs"}, taken: "nodejs", fails: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := blueprint{Root: t.TempDir(), Layers: test.layers, Binds: test.binds}
			if test.taken != "" {
				if err := os.MkdirAll(filepath.Join(b.Root, "opt", test.taken), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			got, err := b.layers()
			if (err != nil) != test.fails {
				t.Fatal(err)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
