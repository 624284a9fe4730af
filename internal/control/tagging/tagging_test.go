package tagging

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
)

func TestAdd(t *testing.T) {
	many := map[string]string{}
	for i := range maxTags {
		many[fmt.Sprint(i)] = ""
	}
	for _, test := range []struct {
		name      string
		old, add  map[string]string
		want      map[string]string // nil where it is refused
		unchanged bool
	}{
		{"none", map[string]string{"a": "1"}, nil, map[string]string{"a": "1"}, true},
		{"first", nil, map[string]string{"a": "1"}, map[string]string{"a": "1"}, false},
		{"merged", map[string]string{"a": "1", "b": "2"}, map[string]string{"b": "3", "c": ""}, map[string]string{"a": "1", "b": "3", "c": ""}, false},
		{"as many as may be", nil, many, many, false},
		{"one too many", map[string]string{"x": ""}, many, nil, false},
		{"no key", nil, map[string]string{"": "1"}, nil, false},
		{"long key", nil, map[string]string{strings.Repeat("ä", 129): "1"}, nil, false},
		{"long value", nil, map[string]string{"a": strings.Repeat("ä", 257)}, nil, false},
		{"reserved", nil, map[string]string{"AWS:x": "1"}, nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			tags, before := test.old, maps.Clone(test.old)
			err := Add(&tags, test.add)
			var refused Error
			if errors.As(err, &refused) != (test.want == nil) {
				t.Fatal(err)
			}
			if err == nil && !maps.Equal(tags, test.want) {
				t.Errorf("%v", tags)
			}
			if !maps.Equal(test.old, before) {
				t.Error("the old map was written")
			}
		})
	}
}
