package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// absent is expected of members that mustn't be there.
const absent = "$(absent)"

// decodeJSON reads a whole document; numbers keep their spelling.
func decodeJSON(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more behind the document")
	}
	return v, nil
}

// plainJSON gives a document out of YAML the types of decodeJSON.
func plainJSON(v any) (any, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return decodeJSON(text)
}

// document compares a JSON text with what is expected of it. Unless it has to
// be exact, an object may have members that aren't expected.
func (m *match) document(want any, got []byte, exact bool) error {
	want, err := plainJSON(want)
	if err != nil {
		return err
	}
	have, err := decodeJSON(got)
	if err != nil {
		return fmt.Errorf("not JSON: %w\ngot  %s", err, clip(string(got)))
	}
	c := comparison{match: m, exact: exact}
	c.compare("$", want, have)
	return errors.Join(c.differences...)
}

// A comparison collects the differences of two documents.
type comparison struct {
	match       *match
	exact       bool
	differences []error
}

func (c *comparison) differ(path, format string, args ...any) {
	c.differences = append(c.differences, fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...)))
}

func (c *comparison) compare(path string, want, got any) {
	switch want := want.(type) {
	case map[string]any:
		if object, ok := got.(map[string]any); ok {
			c.object(path, want, object)
			return
		}
	case []any:
		list, ok := got.([]any)
		if ok && len(list) == len(want) {
			for i := range want {
				c.compare(fmt.Sprintf("%s[%d]", path, i), want[i], list[i])
			}
			return
		}
	case string:
		if text, ok := c.scalar(want, got); ok {
			if err := c.match.text(want, text); err != nil {
				c.differ(path, "%v", err)
			}
			return
		}
	default:
		if want == got {
			return
		}
	}
	c.differ(path, "got %s, want %s", inJSON(got), inJSON(want))
}

// scalar returns the text to compare with an expected text, if the value is of
// the right type.
func (c *comparison) scalar(want string, got any) (string, bool) {
	if isNumber(want) {
		n, ok := got.(json.Number)
		return n.String(), ok
	}
	text, ok := got.(string)
	return text, ok
}

// named are members under the names that their names' placeholders stand for.
func (c *comparison) named(want map[string]any) (map[string]any, error) {
	out := make(map[string]any, len(want))
	for name, value := range want {
		name, err := expand(name, c.match.value)
		if err != nil {
			return nil, err
		}
		out[name] = value
	}
	return out, nil
}

func (c *comparison) object(path string, want, got map[string]any) {
	want, err := c.named(want)
	if err != nil {
		c.differ(path, "%v", err)
		return
	}
	for _, name := range sortedKeys(want) {
		value, there := got[name]
		switch {
		case want[name] == absent:
			if there {
				c.differ(path+"."+name, "got %s, want it absent", inJSON(value))
			}
		case !there:
			c.differ(path+"."+name, "absent, want %s", inJSON(want[name]))
		default:
			c.compare(path+"."+name, want[name], value)
		}
	}
	if !c.exact {
		return
	}
	for _, name := range sortedKeys(got) {
		if _, expected := want[name]; !expected {
			c.differ(path+"."+name, "got %s, which isn't expected", inJSON(got[name]))
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func inJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return clip(string(text))
}
