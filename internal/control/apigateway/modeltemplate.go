package apigateway

import (
	"strings"

	"gatehouse/internal/awswire"
	"gatehouse/internal/openapi/tree"
	"gatehouse/internal/store"
)

// sampleTemplate writes a mapping template whose output has the form of a
// schema: sample values to be replaced by what the payload has.
// UNVERIFIED: the samples and the layout.
func sampleTemplate(tx *store.Tx, c *awswire.Call, apiID, schema string) (string, error) {
	root, err := flatten(tx, c, apiID, schema)
	if err != nil {
		return "", err
	}
	w := &templateWriter{root: root}
	w.text.WriteString("#set($inputRoot = $input.path('$'))\n")
	w.schema(root, "$inputRoot", 0)
	return w.text.String(), nil
}

// maxSampleDepth is where a template ends whose schema refers to itself.
const maxSampleDepth = 8

type templateWriter struct {
	root *tree.Node
	text strings.Builder
}

// schema writes a sample of a schema; from is the expression of the input it
// would be made of.
func (w *templateWriter) schema(n *tree.Node, from string, depth int) {
	n = getDefinition(w.root, n)
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
	if properties == nil || len(properties.Members) == 0 || depth >= maxSampleDepth {
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
	if items == nil || items.Kind != tree.Object || depth >= maxSampleDepth {
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
