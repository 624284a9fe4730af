package authorize

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/plan"
)

// A claim reaches templates, logs and events as text. The two kinds of API write
// what isn't a string each in a manner of its own.

// httpClaims are claims as HTTP APIs write them.
func httpClaims(c *claims) []plan.AuthorizerValue {
	return c.write(func(_ string, raw json.RawMessage) string { return goText(raw) })
}

// restClaims are claims as REST APIs write them.
func restClaims(c *claims) []plan.AuthorizerValue { return c.write(javaText) }

func (c *claims) write(text func(name string, raw json.RawMessage) string) []plan.AuthorizerValue {
	list := make([]plan.AuthorizerValue, 0, len(c.names))
	for _, name := range c.names {
		value := text(name, c.values[name])
		list = append(list, plan.AuthorizerValue{Name: name, Text: value, JSON: quoteJSON(value)})
	}
	return list
}

// goText is a value as AWS's HTTP APIs print it: a list is "[a b]", as Go's fmt
// has it. UNVERIFIED: objects and null, which are as fmt has them, too, and
// numbers with an exponent, which stay as the token has them.
func goText(raw json.RawMessage) string {
	switch raw[0] {
	case '"':
		return unquote(raw)
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return string(raw)
		}
		texts := make([]string, len(list))
		for i, item := range list {
			texts[i] = goText(item)
		}
		return "[" + strings.Join(texts, " ") + "]"
	case '{':
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return string(raw)
		}
		texts := make([]string, 0, len(object))
		for _, name := range slices.Sorted(maps.Keys(object)) {
			texts = append(texts, name+":"+goText(object[name]))
		}
		return "map[" + strings.Join(texts, " ") + "]"
	case 'n':
		return "<nil>"
	}
	return string(raw)
}

// javaDate is how Java prints a date in UTC.
const javaDate = "Mon Jan 02 15:04:05 UTC 2006"

// javaText is a value as AWS's REST APIs print it: the times that every token
// has are dates, auth_time isn't one of them, and a list is its items with commas
// between. UNVERIFIED: null.
func javaText(name string, raw json.RawMessage) string {
	switch raw[0] {
	case '"':
		return unquote(raw)
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return string(raw)
		}
		texts := make([]string, len(list))
		for i, item := range list {
			texts[i] = javaText("", item)
		}
		return strings.Join(texts, ",")
	}
	switch name {
	case "exp", "iat", "nbf":
		c := claims{values: map[string]json.RawMessage{name: raw}}
		if at, _, ok := c.seconds(name); ok && at >= 0 {
			return time.Unix(int64(min(at, lastSecond)), 0).UTC().Format(javaDate)
		}
	}
	return string(raw)
}

func unquote(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return string(raw)
	}
	return text
}

// quoteJSON is a text as JSON. A string can always be written.
func quoteJSON(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(text) != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}
