package apigateway

import (
	"slices"
	"strings"

	"gatehouse/internal/awswire"
	"gatehouse/internal/openapi/sample"
	"gatehouse/internal/openapi/tree"
	"gatehouse/internal/store"
)

// modelURL is what the canonical reference to a model begins with; the API's id,
// "/models/" and the model's name follow.
const modelURL = "https://apigateway.amazonaws.com/restapis/"

// A modelSchema is a model's JSON schema.
type modelSchema struct {
	root *tree.Node
	// references are the names of the models it refers to, each once.
	references []string
}

// What the value of a keyword holds: nothing to look into, a schema, a list or
// an object of schemas, or one of several of these.
type keywordKind uint8

const (
	plainKeyword keywordKind = iota
	schemaKeyword
	schemasKeyword
	namedSchemasKeyword
)

// keywords are those of JSON schema draft 4, which is all that AWS takes.
var keywords = map[string]keywordKind{
	"$schema": plainKeyword, "$ref": plainKeyword, "id": plainKeyword, "title": plainKeyword, "description": plainKeyword,
	"default": plainKeyword, "type": plainKeyword, "format": plainKeyword, "enum": plainKeyword, "required": plainKeyword,
	"multipleOf": plainKeyword, "maximum": plainKeyword, "exclusiveMaximum": plainKeyword, "minimum": plainKeyword,
	"exclusiveMinimum": plainKeyword, "maxLength": plainKeyword, "minLength": plainKeyword, "pattern": plainKeyword,
	"maxItems": plainKeyword, "minItems": plainKeyword, "uniqueItems": plainKeyword, "maxProperties": plainKeyword,
	"minProperties": plainKeyword,
	"not":           schemaKeyword, "additionalItems": schemaKeyword, "additionalProperties": schemaKeyword, "items": schemaKeyword,
	"allOf": schemasKeyword, "anyOf": schemasKeyword, "oneOf": schemasKeyword,
	"definitions": namedSchemasKeyword, "properties": namedSchemasKeyword, "patternProperties": namedSchemasKeyword,
	"dependencies": namedSchemasKeyword,
}

// subschemas yields the schemas inside a schema.
func subschemas(n *tree.Node, visit func(*tree.Node)) {
	for i := range n.Members {
		v := &n.Members[i].Node
		kind := keywords[n.Members[i].Key]
		if kind == plainKeyword {
			continue
		}
		if kind == schemaKeyword && v.Kind == tree.Object {
			visit(v)
			continue
		}
		// A list of schemas, or schemas by name; dependencies name properties, too.
		for j := range v.Members {
			if v.Members[j].Kind == tree.Object {
				visit(&v.Members[j].Node)
			}
		}
	}
}

// parseSchema reads and checks the schema of an API's model.
func parseSchema(apiID, text string) (*modelSchema, error) {
	if strings.TrimSpace(text) == "" {
		return nil, badRequest("Model schema must have at least 1 property or array items defined")
	}
	root, err := readSchema(text)
	if err != nil {
		return nil, err
	}
	schema := &modelSchema{root: root}
	var unknown []string
	foreign := false
	var walk func(*tree.Node)
	walk = func(n *tree.Node) {
		for _, m := range n.Members {
			if _, known := keywords[m.Key]; !known && !slices.Contains(unknown, m.Key) {
				unknown = append(unknown, m.Key)
			}
		}
		if ref, ok := n.Get("$ref").Str(); ok {
			name, ok := referredModel(apiID, ref)
			switch {
			case ok && !slices.Contains(schema.references, name):
				schema.references = append(schema.references, name)
			case !ok && !strings.HasPrefix(ref, "#"):
				foreign = true
			}
		}
		subschemas(n, walk)
	}
	walk(root)
	switch {
	case len(unknown) > 0:
		slices.Sort(unknown)
		return nil, invalidSchema(`. Unsupported keyword(s): ["` + strings.Join(unknown, `", "`) + `"]`)
	case foreign:
		return nil, invalidSchema(", Model reference must be in canonical form")
	}
	return schema, nil
}

func readSchema(text string) (*tree.Node, error) {
	if !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") {
		return nil, invalidSchema("")
	}
	root, err := tree.Parse(text, strings.NewReplacer())
	if err != nil {
		return nil, invalidSchema("")
	}
	return root, nil
}

func invalidSchema(why string) error {
	return badRequest("Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified%s]", why)
}

// referredModel returns the name of the model of the API that a reference
// leads to.
func referredModel(apiID, ref string) (string, bool) {
	return strings.CutPrefix(ref, modelURL+apiID+"/models/")
}

// flatSchema returns a schema that needs no other model: those it refers to,
// directly or not, are its definitions.
// UNVERIFIED: how AWS writes it.
func flatSchema(tx *store.Tx, c *awswire.Call, apiID, text string) (*string, error) {
	root, err := flatten(tx, c, apiID, text)
	if err != nil {
		return nil, err
	}
	flat := strings.TrimSuffix(string(tree.AppendJSON(nil, root)), "\n")
	return &flat, nil
}

func flatten(tx *store.Tx, c *awswire.Call, apiID, text string) (*tree.Node, error) {
	root, err := readSchema(text)
	if err != nil {
		return nil, err
	}
	var names []string // of the models to hold, in the order they are met
	local := func(n *tree.Node) {
		var walk func(*tree.Node)
		walk = func(n *tree.Node) {
			for i := range n.Members {
				if n.Members[i].Key != "$ref" {
					continue
				}
				name, ok := referredModel(apiID, n.Members[i].Scalar)
				if !ok {
					continue
				}
				n.Members[i].Node = tree.NewText("#/definitions/" + name)
				if !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
			subschemas(n, walk)
		}
		walk(n)
	}
	local(root)
	if len(names) == 0 {
		return root, nil
	}
	definitions := tree.NewObject()
	for i := 0; i < len(names); i++ {
		model, err := getModel(tx, c, apiID, names[i])
		if err != nil {
			return nil, err
		}
		n, err := readSchema(value(model.Schema))
		if err != nil {
			return nil, err
		}
		local(n)
		definitions.Add(names[i], *n)
	}
	if own := root.Get("definitions"); own != nil {
		own.Members = append(own.Members, definitions.Members...)
	} else {
		root.Add("definitions", definitions)
	}
	return root, nil
}

// sampleTemplate writes a mapping template for the schema of an API's model, with
// those that it refers to.
func sampleTemplate(tx *store.Tx, c *awswire.Call, apiID, schema string) (string, error) {
	root, err := flatten(tx, c, apiID, schema)
	if err != nil {
		return "", err
	}
	return sample.Template(root), nil
}
