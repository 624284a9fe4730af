package tree

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// AppendJSON writes a value in the layout of AWS's exports: blanks around
// colons, lists on the line they begin on.
func AppendJSON(b []byte, n *Node) []byte { return append(jsonValue(b, n, 0), '\n') }

func jsonValue(b []byte, n *Node, indent int) []byte {
	if n.Kind < List {
		return jsonScalar(b, n)
	}
	begin, end := "[", "]"
	if n.Kind == Object {
		begin, end = "{", "}"
	}
	b = append(b, begin...)
	for i := range n.Members {
		if i > 0 {
			b = append(b, ',')
		}
		if n.Kind == List {
			b = jsonValue(append(b, ' '), &n.Members[i].Node, indent)
			continue
		}
		b = appendIndent(append(b, '\n'), indent+1)
		b = append(appendQuoted(b, n.Members[i].Key), " : "...)
		b = jsonValue(b, &n.Members[i].Node, indent+1)
	}
	if n.Kind == List || len(n.Members) == 0 {
		return append(append(b, ' '), end...)
	}
	return append(appendIndent(append(b, '\n'), indent), end...)
}

// AppendCompact writes a value as JSON without a blank.
func AppendCompact(b []byte, n *Node) []byte {
	if n.Kind < List {
		return jsonScalar(b, n)
	}
	begin, end := byte('['), byte(']')
	if n.Kind == Object {
		begin, end = '{', '}'
	}
	b = append(b, begin)
	for i := range n.Members {
		if i > 0 {
			b = append(b, ',')
		}
		if n.Kind == Object {
			b = append(appendQuoted(b, n.Members[i].Key), ':')
		}
		b = AppendCompact(b, &n.Members[i].Node)
	}
	return append(b, end)
}

// jsonScalar writes a scalar as JSON. Numbers that only YAML knows, such as
// 0x1f and .inf, are written as JSON's where they are any, else as text.
func jsonScalar(b []byte, n *Node) []byte {
	if n.Kind != Number || json.Valid([]byte(n.Scalar)) {
		return appendScalar(b, n)
	}
	if i, err := strconv.ParseInt(n.Scalar, 0, 64); err == nil {
		return strconv.AppendInt(b, i, 10)
	}
	f, err := strconv.ParseFloat(n.Scalar, 64)
	if err == nil {
		if text, err := json.Marshal(f); err == nil {
			return append(b, text...)
		}
	}
	return appendQuoted(b, n.Scalar)
}

// AppendYAML writes a value in the layout of AWS's exports: all strings quoted,
// lists as deep as their key.
func AppendYAML(b []byte, n *Node) []byte { return yamlBlock(b, n, 0) }

// yamlBlock writes an object or a list that isn't empty, from the beginning of
// a line.
func yamlBlock(b []byte, n *Node, indent int) []byte {
	for i := range n.Members {
		m := &n.Members[i]
		b = appendIndent(b, indent)
		if n.Kind == Object {
			b = append(appendYAMLKey(b, m.Key), ':')
			if m.Kind < List || len(m.Members) == 0 {
				b = append(yamlFlow(append(b, ' '), &m.Node), '\n')
				continue
			}
			deeper := indent + 1
			if m.Kind == List {
				deeper = indent
			}
			b = yamlBlock(append(b, '\n'), &m.Node, deeper)
			continue
		}
		b = append(b, "- "...)
		if m.Kind < List || len(m.Members) == 0 {
			b = append(yamlFlow(b, &m.Node), '\n')
			continue
		}
		// The first line of the item stands after the dash, which takes the place
		// of its indent.
		b = append(b, yamlBlock(nil, &m.Node, indent+1)[2*(indent+1):]...)
	}
	return b
}

// yamlFlow writes a scalar, or an object or list without members.
func yamlFlow(b []byte, n *Node) []byte {
	switch n.Kind {
	case Object:
		return append(b, "{}"...)
	case List:
		return append(b, "[]"...)
	}
	return appendScalar(b, n)
}

// plainKey is a key that YAML takes as it stands: a name, a path, or a number
// as JSON writes it.
var plainKey = regexp.MustCompile(`^(0|[1-9][0-9]*|[A-Za-z_/$][A-Za-z0-9_/$.{}+:-]*)$`)

func appendYAMLKey(b []byte, key string) []byte {
	if !plainKey.MatchString(key) || strings.HasSuffix(key, ":") || reserved(key) {
		return appendQuoted(b, key)
	}
	return append(b, key...)
}

// reserved tells what YAML, old or new, doesn't read as a string.
func reserved(key string) bool {
	switch strings.ToLower(key) {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		return true
	}
	return false
}

func appendScalar(b []byte, n *Node) []byte {
	switch n.Kind {
	case Null:
		return append(b, "null"...)
	case Text:
		return appendQuoted(b, n.Scalar)
	}
	return append(b, n.Scalar...)
}

// appendQuoted writes a string that both JSON and YAML can read.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', byte(c))
		case c == '\n':
			b = append(b, `\n`...)
		case c < ' ' || 0x7f <= c && c < 0xa0 || c == 0x2028 || c == 0x2029 || c == 0xfeff || c == 0xfffe || c == 0xffff:
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = utf8.AppendRune(b, c)
		}
	}
	return append(b, '"')
}

func appendIndent(b []byte, levels int) []byte {
	for range levels {
		b = append(b, "  "...)
	}
	return b
}
