package conformance

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// placeholder is $(…) in a text.
var placeholder = regexp.MustCompile(`\$\(([^()]*)\)`)

// A kind is what an unknown value may look like.
type kind struct {
	pattern string
	// number tells that the value is a number in JSON, not a string.
	number bool
}

// kinds are the values that differ from run to run: $(name:kind) takes any of
// the kind and gives it the name.
var kinds = map[string]kind{
	"id": {pattern: `[a-z0-9]{5,12}`},
	// Ids of WebSocket APIs all look alike.
	"connectionId": {pattern: `[A-Za-z0-9_-]{15}=`},
	"messageId":    {pattern: `[A-Za-z0-9_-]{15}=`},
	"requestId":    {pattern: `[A-Za-z0-9_-]{15}=`},
	"uuid":         {pattern: `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`},
	"time":         {pattern: `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)`},
	"clf":          {pattern: `\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000`},
	"epoch":        {pattern: `\d{13}`, number: true},
	"seconds":      {pattern: `\d{10}(?:\.\d+)?`, number: true},
	"number":       {pattern: `\d+`, number: true},
	"trace":        {pattern: `1-[0-9a-f]{8}-[0-9a-f]{24}`},
	"ip":           {pattern: `[0-9a-f.:]+`},
	"text":         {pattern: `(?s:.*)`},
}

// names finds the value of a name; ok is false when there is none. The error
// is that of making what the name stands for.
type names func(name string) (value string, ok bool, err error)

// expand replaces the placeholders of a text to be sent.
func expand(text string, lookup names) (string, error) {
	var failed error
	out := placeholder.ReplaceAllStringFunc(text, func(p string) string {
		value, err := produce(p[2:len(p)-1], lookup)
		if err != nil && failed == nil {
			failed = err
		}
		return value
	})
	return out, failed
}

func produce(inside string, lookup names) (string, error) {
	value, ok, err := constant(inside)
	if !ok {
		value, ok, err = lookup(inside)
	}
	if err == nil && !ok {
		err = fmt.Errorf("$(%s) has no value", inside)
	}
	return value, err
}

// constant is the value of a placeholder that says it itself: crlf, repeat N
// TEXT, base64 DATA and escape TEXT.
func constant(inside string) (value string, ok bool, err error) {
	word, rest, _ := strings.Cut(inside, " ")
	switch word {
	case "crlf":
		return "\r\n", true, nil
	case "base64":
		b, err := base64.StdEncoding.DecodeString(rest)
		return string(b), true, err
	case "escape":
		return url.QueryEscape(rest), true, nil
	case "repeat":
		count, text, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 || text == "" {
			return "", true, fmt.Errorf("$(%s): want $(repeat N TEXT)", inside)
		}
		return strings.Repeat(text, n), true, nil
	}
	return "", false, nil
}

// expandAll replaces the placeholders of all texts in a document.
func expandAll(document any, lookup names) (any, error) {
	switch d := document.(type) {
	case string:
		return expand(d, lookup)
	case []any:
		out := make([]any, len(d))
		for i, item := range d {
			var err error
			if out[i], err = expandAll(item, lookup); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(d))
		for key, item := range d {
			key, err := expand(key, lookup)
			if err != nil {
				return nil, err
			}
			if out[key], err = expandAll(item, lookup); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return document, nil
}

// A match compares texts with what is expected and learns the values of the
// names that are met for the first time.
type match struct {
	lookup names
	// bound are the values learned so far.
	bound map[string]string
}

// value is what a placeholder stands for; ok is false for a name that hasn't
// been met.
func (m *match) value(inside string) (value string, ok bool, err error) {
	if value, ok, err := constant(inside); ok {
		return value, true, err
	}
	name, _, _ := strings.Cut(inside, ":")
	if value, ok := m.bound[name]; ok {
		return value, true, nil
	}
	return m.lookup(name)
}

// text compares a text with the expected one. The error tells the difference.
func (m *match) text(want, got string) error {
	pattern, learned, err := m.pattern(want)
	if err != nil {
		return err
	}
	re, err := regexp.Compile(`^` + pattern + `$`)
	if err != nil {
		return err
	}
	found := re.FindStringSubmatch(got)
	if found == nil {
		shown, err := m.shown(want)
		if err != nil {
			return err
		}
		return differ(got, shown)
	}
	values := map[string]string{}
	for i, name := range learned {
		if v, ok := values[name]; ok && v != found[i+1] {
			return fmt.Errorf("$(%s) is both %q and %q", name, v, found[i+1])
		}
		values[name] = found[i+1]
	}
	for name, v := range values {
		m.bound[name] = v
	}
	return nil
}

// differ is the difference of two texts.
func differ(got, want string) error {
	const short = 60
	if len(got) <= short && len(want) <= short {
		return fmt.Errorf("got %q, want %q", got, want)
	}
	return fmt.Errorf("\n  got  %s\n  want %s", clip(got), clip(want))
}

// pattern makes a regular expression of an expected text, with a group for
// each name in learned.
func (m *match) pattern(want string) (pattern string, learned []string, err error) {
	var b strings.Builder
	met := map[string]string{} // kinds of the names learned in this text
	rest := 0
	for _, at := range placeholder.FindAllStringSubmatchIndex(want, -1) {
		b.WriteString(regexp.QuoteMeta(want[rest:at[0]]))
		rest = at[1]
		inside := want[at[2]:at[3]]
		name, kindName, unknown := strings.Cut(inside, ":")
		value, ok, err := m.value(inside)
		switch {
		case err != nil:
			return "", nil, err
		case ok:
			b.WriteString(regexp.QuoteMeta(value))
		case !unknown && met[name] == "":
			return "", nil, fmt.Errorf("$(%s) has no value", name)
		case unknown && kinds[kindName].pattern == "":
			return "", nil, fmt.Errorf("$(%s): there is no kind %q", inside, kindName)
		default:
			if unknown {
				met[name] = kindName
			}
			b.WriteString("(" + kinds[met[name]].pattern + ")")
			learned = append(learned, name)
		}
	}
	b.WriteString(regexp.QuoteMeta(want[rest:]))
	return b.String(), learned, nil
}

// shown is an expected text with the values that are known.
func (m *match) shown(want string) (string, error) {
	var failed error
	out := placeholder.ReplaceAllStringFunc(want, func(p string) string {
		value, ok, err := m.value(p[2 : len(p)-1])
		if err != nil {
			failed = err
		}
		if !ok {
			return p
		}
		return value
	})
	return out, failed
}

// isNumber tells whether an expected text is one placeholder for a number.
func isNumber(want string) bool {
	at := placeholder.FindStringSubmatchIndex(want)
	if at == nil || at[0] != 0 || at[1] != len(want) {
		return false
	}
	_, kindName, _ := strings.Cut(want[at[2]:at[3]], ":")
	return kinds[kindName].number
}

// clip shortens a text for a message.
func clip(text string) string {
	const most = 2000
	if len(text) <= most {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes)", text[:most], len(text))
}

// or is a text, or another one instead of an empty one.
func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
