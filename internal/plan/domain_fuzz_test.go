package plan

import (
	"strings"
	"testing"
)

// FuzzMappings holds the tree of mappings against a plain reading of the rule:
// of the keys whose segments a path begins with, the one with the most.
func FuzzMappings(f *testing.F) {
	f.Add("orders\n\norders/v2/items\na", "/orders/v2/items/7")
	f.Add("a/b/c\na", "/a%2Fb%2fc")
	f.Add("$-_.+!*'()\nx", "/%24-_.+!*'()/")
	f.Add("a", "//a")
	f.Add("é/b", "/%C3%A9/b%")
	f.Fuzz(func(t *testing.T, keys, path string) {
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#") {
			return
		}
		var mappings []PathMapping
		seen := map[string]bool{}
		for key := range strings.SplitSeq(keys, "\n") {
			// Keys are checked before they are stored.
			if seen[key] || strings.HasPrefix(key, "/") || strings.HasSuffix(key, "/") || strings.Contains(key, "//") || len(mappings) > 20 {
				continue
			}
			seen[key] = true
			mappings = append(mappings, PathMapping{Key: key, APIID: key})
		}
		d := NewDomain("x.test", MappingsOnly, nil, mappings)
		got, rest := d.match(path)

		var segments []string
		for left := path; left != ""; {
			var segment string
			segment, left = cutSegment(afterSlash(left))
			segments = append(segments, decoded(segment))
		}
		var want *PathMapping
		most := -1
		for i := range mappings {
			var wanted []string
			if mappings[i].Key != "" {
				wanted = strings.Split(mappings[i].Key, "/")
			}
			if len(wanted) <= most || len(wanted) > len(segments) {
				continue
			}
			fits := true
			for j := range wanted {
				fits = fits && wanted[j] == segments[j]
			}
			if fits {
				want, most = &mappings[i], len(wanted)
			}
		}
		switch {
		case (got == nil) != (want == nil):
			t.Fatalf("%q of %q: %v, want %v", path, keys, got, want)
		case got != nil && got.Key != want.Key:
			t.Fatalf("%q of %q: %q, want %q", path, keys, got.Key, want.Key)
		case got != nil && !strings.HasSuffix(path, rest):
			t.Fatalf("%q of %q leaves %q", path, keys, rest)
		}
	})
}
