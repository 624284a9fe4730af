package store

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// A shape is what a Go type knows of JSON objects: the members of a struct, the
// values of a map, or nothing of what is inside.
type shape struct {
	// fields are the members of a struct by name, with a nil shape when what is
	// inside is opaque. It is nil unless the type is a struct.
	fields map[string]*shape
	// values is the shape of a map's values.
	values *shape
}

// shapes remembers the shapes of types.
type shapes struct {
	mu     sync.Mutex
	byType map[reflect.Type]*shape
}

func (s *shapes) of(t reflect.Type) *shape {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byType == nil {
		s.byType = map[reflect.Type]*shape{}
	}
	return s.build(t)
}

func (s *shapes) build(t reflect.Type) *shape {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if sh, ok := s.byType[t]; ok {
		return sh
	}
	if opaque(t) {
		return nil
	}
	switch t.Kind() {
	case reflect.Struct:
		sh := &shape{fields: map[string]*shape{}}
		s.byType[t] = sh // before its fields: types may recur
		s.addFields(sh, t)
		return sh
	case reflect.Map:
		sh := &shape{}
		s.byType[t] = sh
		sh.values = s.build(t.Elem())
		if sh.values == nil {
			s.byType[t] = nil
			return nil
		}
		return sh
	default:
		return nil
	}
}

// opaque tells that a type encodes itself.
func opaque(t reflect.Type) bool {
	for _, i := range []reflect.Type{reflect.TypeFor[json.Marshaler](), reflect.TypeFor[encoding.TextMarshaler]()} {
		if t.Implements(i) || reflect.PointerTo(t).Implements(i) {
			return true
		}
	}
	return false
}

func (s *shapes) addFields(sh *shape, t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Tag.Get("json") == "-" {
			continue
		}
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if f.Anonymous && name == "" && inner.Kind() == reflect.Struct && !opaque(inner) {
			s.addFields(sh, inner)
			continue
		}
		if !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		sh.fields[name] = s.build(f.Type)
	}
}

// keepUnknown returns the new JSON with the members of the old that the shape
// doesn't know added where both have the object around them. Objects inside
// lists are left alone: which of them is which can't be told.
func keepUnknown(sh *shape, old, new []byte) ([]byte, error) {
	if sh == nil || !isObject(old) || !isObject(new) {
		return new, nil
	}
	var oldMembers map[string]json.RawMessage
	if err := json.Unmarshal(old, &oldMembers); err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	changed := false
	for name, oldValue := range oldMembers {
		inner, known := sh.member(name)
		if known && (inner == nil || !isObject(oldValue)) {
			continue
		}
		if members == nil {
			if err := json.Unmarshal(new, &members); err != nil {
				return nil, err
			}
		}
		value, present := members[name]
		if !known {
			if !present {
				members[name] = oldValue
				changed = true
			}
			continue
		}
		if !present {
			continue
		}
		merged, err := keepUnknown(inner, oldValue, value)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(merged, value) {
			members[name] = merged
			changed = true
		}
	}
	if !changed {
		return new, nil
	}
	return json.Marshal(members)
}

// member returns the shape of the named member and whether the type knows it.
func (sh *shape) member(name string) (*shape, bool) {
	if sh.fields != nil {
		inner, ok := sh.fields[name]
		return inner, ok
	}
	return sh.values, true // a map knows every name
}

func isObject(b []byte) bool { return len(b) > 0 && b[0] == '{' }
