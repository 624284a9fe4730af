package rest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"

	"gatehouse/internal/openapi/tree"
)

// Inside this package schemas refer to models as "#/models/Name", with the rest
// of a pointer into the model after it, and into themselves as "#/...".
const modelReference = "#/models/"

// What a keyword of a JSON schema holds, apart from data.
type holding uint8

const (
	data     holding = iota
	aSchema          // a schema, or a list of them
	byName           // schemas by name
	aPointer         // a reference
)

var keywords = map[string]holding{
	"$ref":  aPointer,
	"items": aSchema, "additionalItems": aSchema, "additionalProperties": aSchema, "not": aSchema,
	"allOf": aSchema, "anyOf": aSchema, "oneOf": aSchema,
	"properties": byName, "patternProperties": byName, "definitions": byName, "dependencies": byName,
}

// mapSchema returns a copy of a schema in which every schema is what change
// makes of it, inner ones last, and every reference what refer makes of it;
// a reference that becomes "" is left out. at is where the schema is.
func mapSchema(n *tree.Node, at *place, change func(tree.Node, *place) tree.Node, refer func(string) string) tree.Node {
	if n.Kind == tree.List {
		list := tree.Node{Kind: tree.List, Members: make([]tree.Member, len(n.Members))}
		for i := range n.Members {
			list.Members[i].Node = mapSchema(&n.Members[i].Node, at, change, refer)
		}
		return list
	}
	changed := *n
	if change != nil {
		changed = change(*n, at)
	}
	if changed.Kind != tree.Object {
		return changed
	}
	schema := tree.Node{Kind: tree.Object, Members: make([]tree.Member, 0, len(changed.Members))}
	for i := range changed.Members {
		m := &changed.Members[i]
		switch held := keywords[m.Key]; {
		case held == aSchema && m.Kind >= tree.List:
			schema.Add(m.Key, mapSchema(&m.Node, at.in(m.Key), change, refer))
		case held == byName && m.Kind == tree.Object:
			named := tree.Node{Kind: tree.Object, Members: make([]tree.Member, len(m.Members))}
			for j := range m.Members {
				inner := &m.Members[j]
				named.Members[j].Key = inner.Key
				named.Members[j].Node = inner.Node
				if inner.Kind == tree.Object || inner.Kind == tree.Boolean && change != nil {
					named.Members[j].Node = mapSchema(&inner.Node, at.in(m.Key).in(inner.Key), change, refer)
				}
			}
			schema.Add(m.Key, named)
		case held == aPointer && m.Kind == tree.Text:
			if to := refer(m.Scalar); to != "" {
				schema.Add(m.Key, tree.NewText(to))
			}
		default:
			schema.Add(m.Key, m.Node)
		}
	}
	return schema
}

// modelName is what AWS allows.
var modelName = regexp.MustCompile(`^[a-zA-Z0-9]+$`)

// models reads the schemas of the document, each a model, used or not.
func (r *reader) models() {
	n := r.sectionNode("schemas")
	if !r.is(n, tree.Object, r.sectionName("schemas")) {
		return
	}
	for i := range n.Members {
		name, where := n.Members[i].Key, r.sectionName("schemas")+"."+n.Members[i].Key
		switch {
		case !modelName.MatchString(name):
			r.fail("Unable to create model for '", name, "': Model name must be alphanumeric: ", name)
		case r.modern && n.Members[i].Kind == tree.Boolean, r.is(&n.Members[i].Node, tree.Object, where):
			r.defined[name] = &n.Members[i].Node
		}
	}
	// They refer to each other, so all of them have to be known.
	for i := range n.Members {
		if name := n.Members[i].Key; r.defined[name] != nil {
			r.model(name, r.schema(r.defined[name], name, &place{name: r.sectionName("schemas") + "." + name}))
		}
	}
}

func (r *reader) model(name string, schema tree.Node) {
	m := &Model{schema: &schema}
	m.Name, m.ContentType = &name, new(jsonType)
	if description := schema.Get("description"); description != nil && description.Kind == tree.Text {
		m.Description = &description.Scalar
	}
	r.api.Models = append(r.api.Models, m)
}

// schema reads a schema; owner is the model it is, "" for an inline one.
func (r *reader) schema(n *tree.Node, owner string, at *place) tree.Node {
	var change func(tree.Node, *place) tree.Node
	switch {
	case r.modern:
		change = func(n tree.Node, at *place) tree.Node { return sortRequired(r.lower(n, at)) }
	case !r.swagger:
		change = func(n tree.Node, _ *place) tree.Node { return sortRequired(n) }
	}
	return mapSchema(n, at, change, func(ref string) string { return r.reference(ref, owner) })
}

// sortRequired puts the names of required properties in order, as recorded of
// OpenAPI 3.
func sortRequired(n tree.Node) tree.Node {
	for i := range n.Members {
		m := &n.Members[i]
		if m.Key != "required" || m.Kind != tree.List {
			continue
		}
		// The document's own members stay as they are.
		names := slices.Clone(m.Members)
		slices.SortStableFunc(names, func(a, b tree.Member) int { return strings.Compare(a.Scalar, b.Scalar) })
		n.Members = slices.Clone(n.Members)
		n.Members[i].Members = names
	}
	return n
}

// reference turns a reference of a document into ours, "" with a warning when
// it leads nowhere.
func (r *reader) reference(ref, owner string) string {
	path, local := strings.CutPrefix(ref, "#/"+strings.ReplaceAll(r.sectionName("schemas"), ".", "/")+"/")
	if !local {
		path, local = strings.CutPrefix(ref, modelAddress)
		if _, path, local = cutModels(path, local); local {
			path = strings.Replace(path, "#", "", 1)
		}
	}
	if !local && modelName.MatchString(ref) {
		// Swagger 2.0 knows the bare name of a schema, too.
		path, local = ref, true
	}
	name, pointer, inside := strings.Cut(path, "/")
	name = tree.Unescape(name)
	if !local || r.defined[name] == nil {
		r.unknown(ref)
		return ""
	}
	if inside {
		pointer = "/" + pointer
		if r.modern {
			pointer = strings.ReplaceAll(pointer, "/$defs/", "/definitions/")
		}
		if name == owner {
			return "#" + pointer
		}
	}
	return modelReference + name + pointer
}

// cutModels cuts what follows the address of models: an API's id, "/models/"
// and the rest.
func cutModels(path string, ok bool) (id, rest string, found bool) {
	if !ok {
		return "", "", false
	}
	return strings.Cut(path, "/models/")
}

// modelOf returns the name of the model of a schema in an operation: the one it
// refers to, or one that is made for it; "" when there is none.
func (r *reader) modelOf(n *tree.Node, mediaType, method, where string) string {
	if ref, ok := n.Get("$ref").Str(); ok {
		name, _ := strings.CutPrefix(r.reference(ref, ""), modelReference)
		if name == "" || !strings.Contains(name, "/") {
			return name
		}
	}
	if r.modern && n.Kind == tree.Boolean {
		return ""
	}
	if !r.is(n, tree.Object, where) {
		return ""
	}
	if primitive(n) {
		// Documented: such a schema must be that of an object. The words are
		// reported, not the cause.
		r.warn("Invalid format for model ", mediaType, " for method ", method)
		return ""
	}
	return r.inline(r.schema(n, "", &place{name: where}))
}

// primitive tells a schema that is neither of an object nor of a list, nor made
// of others.
func primitive(n *tree.Node) bool {
	switch kind, _ := n.Get("type").Str(); kind {
	case "string", "number", "integer", "boolean", "null", "file":
		return true
	case "":
		return len(n.Members) == 0
	}
	return false
}

// inline makes a model of a schema that has no name. Equal ones share a model,
// so that an import of the same document gives the same names.
// UNVERIFIED: the names AWS gives; they begin alike.
func (r *reader) inline(schema tree.Node) string {
	text := printSchema(&schema, modelReference)
	if name, known := r.bySchema[string(text)]; known {
		return name
	}
	sum := sha256.Sum256(text)
	digits := hex.EncodeToString(sum[:])
	for n := 6; ; n++ {
		name := "MODEL" + digits[:n]
		other := r.defined[name]
		if other == nil && r.made[name] && n < len(digits) {
			continue
		}
		if other != nil {
			// An export of this very API has the model already.
			same := r.schema(other, name, &place{name: name})
			if !bytes.Equal(printSchema(&same, modelReference), text) && n < len(digits) {
				continue
			}
		} else {
			r.made[name] = true
			r.model(name, schema)
		}
		r.bySchema[string(text)] = name
		return name
	}
}

// printSchema writes a schema in AWS's layout. References to models begin with
// prefix.
func printSchema(schema *tree.Node, prefix string) []byte {
	resolved := mapSchema(schema, nil, nil, func(ref string) string {
		path, ok := strings.CutPrefix(ref, modelReference)
		if !ok || prefix == modelReference {
			return ref
		}
		name, pointer, inside := strings.Cut(path, "/")
		if inside {
			return prefix + name + "#/" + pointer
		}
		return prefix + name
	})
	return bytes.TrimSuffix(tree.AppendJSON(nil, &resolved), []byte("\n"))
}

// A place is where the reader is in a schema, written down only when there is
// something to say about it.
type place struct {
	up   *place
	name string
}

func (p *place) in(name string) *place {
	if p == nil {
		return nil
	}
	return &place{p, name}
}

func (p *place) String() string {
	if p.up == nil {
		return p.name
	}
	return p.up.String() + "." + p.name
}
