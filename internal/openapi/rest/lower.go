package rest

import (
	"math/big"
	"slices"
	"strconv"

	"gatehouse/internal/openapi/tree"
)

// A change is one kind of thing that OpenAPI 3.1 says otherwise than 3.0.
type change struct {
	what, first string
	places      int
}

// changed counts a change.
func (r *reader) changed(what string, at *place) {
	for i := range r.changes {
		if r.changes[i].what == what {
			r.changes[i].places++
			return
		}
	}
	r.changes = append(r.changes, change{what, at.String(), 1})
}

// lowered warns of what was written otherwise, in words of our own: AWS doesn't
// take such documents at all.
func (r *reader) lowered() {
	for _, key := range [...]string{"webhooks", "jsonSchemaDialect"} {
		if r.modern && r.root.Get(key) != nil {
			r.changed(key+" is left out", &place{name: "openapi"})
		}
	}
	for _, c := range r.changes {
		more := ""
		switch {
		case c.places == 2:
			more = " and at one more place"
		case c.places > 2:
			more = " and at " + strconv.Itoa(c.places-1) + " more places"
		}
		r.warn("OpenAPI 3.1: ", c.what, ", at ", c.first, more)
	}
}

// renamed are keywords that draft 4 of JSON Schema has by another name.
var renamed = map[string]string{"$defs": "definitions", "dependentSchemas": "dependencies", "dependentRequired": "dependencies"}

// unknownKeywords are those that draft 4 can't say.
var unknownKeywords = []string{
	"$schema", "$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$vocabulary", "$comment", "if", "then", "else", "contains", "minContains", "maxContains",
	"propertyNames", "unevaluatedItems", "unevaluatedProperties", "contentEncoding", "contentMediaType", "contentSchema",
}

// lower writes one schema of OpenAPI 3.1 as draft 4 of JSON Schema has it, which
// is what models are. The schemas inside are left to be lowered in turn.
func (r *reader) lower(n tree.Node, at *place) tree.Node {
	if n.Kind == tree.Boolean {
		return r.lowerBoolean(n, at)
	}
	if n.Kind != tree.Object {
		return n
	}
	out := tree.Node{Kind: tree.Object, Members: make([]tree.Member, 0, len(n.Members))}
	// also must hold, beside everything else.
	var also []tree.Node
	for i := range n.Members {
		m := &n.Members[i]
		switch {
		case m.Key == "type" && m.Kind == tree.List:
			r.changed("a list of types becomes anyOf", at)
			if types := anyOf(&m.Node); n.Get("anyOf") == nil {
				out.Members = append(out.Members, types.Members...)
			} else {
				also = append(also, types)
			}
		case m.Key == "const":
			r.changed("const becomes enum", at)
			out.Add("enum", tree.NewList(m.Node))
		case m.Key == "examples":
			r.changed("examples is left out, but for the first", at)
			if n.Get("example") == nil && m.Kind == tree.List && len(m.Members) > 0 {
				out.Add("example", m.Members[0].Node)
			}
		case m.Key == "prefixItems":
			r.changed("prefixItems becomes items, and items additionalItems", at)
			out.Add("items", m.Node)
		case m.Key == "items" && n.Get("prefixItems") != nil:
			out.Add("additionalItems", m.Node)
		case m.Key == "additionalItems" && n.Get("prefixItems") != nil:
			// It means nothing in 3.1, and stands where items goes.
		case (m.Key == "exclusiveMinimum" || m.Key == "exclusiveMaximum") && m.Kind == tree.Number:
			r.changed(m.Key+" becomes a boolean beside a limit", at)
			lowerLimit(&out, &n, m)
		case (m.Key == "minimum" && numeric(n.Get("exclusiveMinimum"))) || (m.Key == "maximum" && numeric(n.Get("exclusiveMaximum"))):
			// lowerLimit has it.
		case renamed[m.Key] != "" && m.Kind == tree.Object:
			r.changed(m.Key+" becomes "+renamed[m.Key], at)
			join(&out, renamed[m.Key], &m.Node)
		case (m.Key == "definitions" || m.Key == "dependencies") && m.Kind == tree.Object:
			join(&out, m.Key, &m.Node)
		case slices.Contains(unknownKeywords, m.Key):
			r.changed(m.Key+" is left out", at)
		case m.Kind == tree.Boolean && keywords[m.Key] == aSchema && m.Key != "additionalProperties" && m.Key != "additionalItems":
			out.Add(m.Key, r.lowerBoolean(m.Node, at.in(m.Key)))
		default:
			out.Members = append(out.Members, *m)
		}
	}
	if len(also) > 0 {
		list := tree.NewList(also...)
		join(&out, "allOf", &list)
	}
	return r.lowerReference(out, at)
}

// lowerBoolean writes the schemas true and false.
func (r *reader) lowerBoolean(n tree.Node, at *place) tree.Node {
	r.changed("a schema that is true or false becomes an object", at)
	schema := tree.NewObject()
	if n.Scalar == "false" {
		schema.Add("not", tree.NewObject())
	}
	return schema
}

// anyOf is a schema that takes any of a list of types.
func anyOf(types *tree.Node) tree.Node {
	choices := tree.NewList()
	for i := range types.Members {
		choice := tree.NewObject()
		choice.Add("type", types.Members[i].Node)
		choices.Add("", choice)
	}
	schema := tree.NewObject()
	schema.Add("anyOf", choices)
	return schema
}

func numeric(n *tree.Node) bool { return n != nil && n.Kind == tree.Number }

// lowerLimit writes an exclusive limit. Where there is an inclusive one, too,
// the stricter of them holds.
func lowerLimit(out, n *tree.Node, exclusive *tree.Member) {
	key, stricter := "minimum", 1
	if exclusive.Key == "exclusiveMaximum" {
		key, stricter = "maximum", -1
	}
	if inclusive := n.Get(key); numeric(inclusive) {
		a, okA := new(big.Float).SetString(inclusive.Scalar)
		b, okB := new(big.Float).SetString(exclusive.Scalar)
		if okA && okB && a.Cmp(b) == stricter {
			out.Add(key, *inclusive)
			return
		}
	}
	out.Add(key, exclusive.Node)
	out.Add(exclusive.Key, tree.NewBool(true))
}

// join adds members to an object that may be there.
func join(out *tree.Node, key string, more *tree.Node) {
	if there := out.Get(key); there != nil {
		there.Members = append(slices.Clip(there.Members), more.Members...)
		return
	}
	out.Add(key, *more)
}

// annotations say nothing about a value: beside a reference they may stay.
var annotations = []string{"description", "summary", "title", "deprecated", "example", "default", "readOnly", "writeOnly", "externalDocs", "xml"}

// lowerReference gives what stands beside a reference a place where draft 4
// doesn't overlook it.
func (r *reader) lowerReference(n tree.Node, at *place) tree.Node {
	ref := n.Get("$ref")
	meant := func(m tree.Member) bool { return m.Key != "$ref" && !slices.Contains(annotations, m.Key) }
	if ref == nil || !slices.ContainsFunc(n.Members, meant) {
		return n
	}
	r.changed("what stands beside $ref becomes allOf", at)
	only, rest := tree.NewObject(), tree.NewObject()
	for _, m := range n.Members {
		if m.Key == "$ref" {
			only.Members = append(only.Members, m)
		} else {
			rest.Members = append(rest.Members, m)
		}
	}
	both := tree.NewObject()
	both.Add("allOf", tree.NewList(only, rest))
	return both
}
