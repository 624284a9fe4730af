package sample

import (
	"strings"

	"gatehouse/internal/openapi/tree"
)

// Template writes a mapping template whose output has the form of a schema:
// sample values to be replaced by what the payload has. References inside the
// schema are followed.
// UNVERIFIED: the samples and the layout.
func Template(schema *tree.Node) string {
	w := &templateWriter{root: schema}
	w.text.WriteString("#set($inputRoot = $input.path('$'))\n")
	w.schema(schema, "$inputRoot", 0)
	return w.text.String()
}

// maxDepth is where a template ends whose schema refers to itself.
const maxDepth = 8

type templateWriter struct {
	root *tree.Node
	text strings.Builder
}

// schema writes a sample of a schema; from is the expression of the input it
// would be made of.
func (w *templateWriter) schema(n *tree.Node, from string, depth int) {
	n = definition(w.root, n)
	kind, _ := n.Get("type").Str()
	if types, ok := n.Get("type").Strings(); ok && len(types) > 0 {
		kind = types[0]
	}
	switch {
	case kind == "array":
		w.array(n, from, depth)
	case kind == "string":
		w.text.WriteString(`"foo"`)
	case kind == "integer":
		w.text.WriteString("42")
	case kind == "number":
		w.text.WriteString("3.14")
	case kind == "boolean":
		w.text.WriteString("true")
	case kind == "null":
		w.text.WriteString("null")
	default:
		w.object(n, from, depth)
	}
}

func (w *templateWriter) object(n *tree.Node, from string, depth int) {
	properties := n.Get("properties")
	if properties == nil || len(properties.Members) == 0 || depth >= maxDepth {
		w.text.WriteString("{ }")
		return
	}
	w.text.WriteString("{\n")
	for i := range properties.Members {
		m := &properties.Members[i]
		if i > 0 {
			w.text.WriteString(",\n")
		}
		w.indent(depth + 1)
		w.text.WriteString(`"` + m.Key + `" : `)
		w.schema(&m.Node, from+"."+m.Key, depth+1)
	}
	w.text.WriteByte('\n')
	w.indent(depth)
	w.text.WriteByte('}')
}

func (w *templateWriter) array(n *tree.Node, from string, depth int) {
	items := n.Get("items")
	if items == nil || items.Kind != tree.Object || depth >= maxDepth {
		w.text.WriteString("[ ]")
		return
	}
	w.text.WriteString("[\n##TODO: Update this foreach loop to reference array from input json\n#foreach($elem in " + from + ")\n")
	w.indent(depth + 1)
	w.schema(items, "$elem", depth+1)
	w.text.WriteString("\n#if($foreach.hasNext),#end\n#end\n")
	w.indent(depth)
	w.text.WriteByte(']')
}

func (w *templateWriter) indent(depth int) {
	for range depth {
		w.text.WriteString("  ")
	}
}

// definition follows a reference inside the schema; nil for one that leads
// elsewhere.
func definition(root, n *tree.Node) *tree.Node {
	ref, ok := n.Get("$ref").Str()
	if !ok {
		return n
	}
	if ref == "#" {
		return root
	}
	name, ok := strings.CutPrefix(ref, "#/definitions/")
	if !ok {
		return nil
	}
	return root.Get("definitions").Get(name)
}
