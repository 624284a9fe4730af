package store

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

// A shape as the generated ones, a private struct around it, and all that may
// be inside.
type innerShape struct {
	Known *string `json:"known,omitzero"`
}

type outerShape struct {
	Name  *string               `json:"name,omitzero"`
	Inner *innerShape           `json:"inner,omitzero"`
	Map   map[string]innerShape `json:"map,omitzero"`
	Tags  map[string]string     `json:"tags,omitzero"`
	List  []innerShape          `json:"list,omitzero"`
	Self  *outerShape           `json:"self,omitzero"`
	Time  *time.Time            `json:"time,omitzero"`
	Any   any                   `json:"any,omitzero"`
	Raw   json.RawMessage       `json:"raw,omitzero"`
}

type document struct {
	outerShape
	Private int `json:"private,omitzero"`
	Plain   bool
	skipped int
	Never   int `json:"-"`
}

func TestKeepUnknown(t *testing.T) {
	for _, test := range []struct{ name, old, new, want string }{
		{"nothing unknown", `{"name":"a","private":1}`, `{"name":"b"}`, `{"name":"b"}`},
		{"at the top", `{"name":"a","later":[1]}`, `{"name":"b"}`, `{"later":[1],"name":"b"}`},
		{"known ones stay gone", `{"name":"a","private":1,"Plain":true}`, `{}`, `{}`},
		{"unexported and ignored ones aren't known", `{"skipped":1,"Never":2}`, `{}`, `{"Never":2,"skipped":1}`},
		{"inside a struct", `{"inner":{"known":"a","later":1}}`, `{"inner":{}}`, `{"inner":{"later":1}}`},
		{"the struct is gone", `{"inner":{"later":1}}`, `{"name":"a"}`, `{"name":"a"}`},
		{"inside a map of structs", `{"map":{"a":{"later":1},"b":{"later":2}}}`, `{"map":{"b":{},"c":{}}}`, `{"map":{"b":{"later":2},"c":{}}}`},
		{"a map's keys are data", `{"tags":{"a":"1"}}`, `{"tags":{"b":"2"}}`, `{"tags":{"b":"2"}}`},
		{"lists are replaced", `{"list":[{"later":1}]}`, `{"list":[{"known":"a"}]}`, `{"list":[{"known":"a"}]}`},
		{"recursive types", `{"self":{"self":{"inner":{"later":1}}}}`, `{"self":{"self":{"inner":{"known":"x"}}}}`,
			`{"self":{"self":{"inner":{"known":"x","later":1}}}}`},
		{"what encodes itself is opaque", `{"time":"2026-01-01T00:00:00Z","raw":{"a":1},"any":{"a":1}}`, `{"raw":{"b":1},"any":{"b":1}}`,
			`{"raw":{"b":1},"any":{"b":1}}`},
		{"another kind of value", `{"inner":5,"map":[1]}`, `{"inner":{"known":"a"},"map":{}}`, `{"inner":{"known":"a"},"map":{}}`},
		{"null", `null`, `{"name":"a"}`, `{"name":"a"}`},
	} {
		sh := (&shapes{}).of(reflect.TypeFor[document]())
		got, err := keepUnknown(sh, []byte(test.old), []byte(test.new))
		if err != nil || string(got) != test.want {
			t.Errorf("%s: %s, %v; want %s", test.name, got, err, test.want)
		}
	}
	_ = document{}.skipped
}
