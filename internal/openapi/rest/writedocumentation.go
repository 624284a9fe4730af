package rest

import (
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/openapi/tree"
)

// locate finds the properties of documentation parts by their place.
func (w *writer) locate() {
	for _, part := range w.api.Parts {
		if properties := embedded(value(part.Properties)); properties.Kind == tree.Object && part.Location != nil {
			w.parts[location(part.Location)] = &properties
		}
	}
}

// documentable are the properties of parts that have a place of their own in a
// document. The description of the API itself isn't among them: it is the API's,
// whatever a part says.
var documentable = map[string][]string{
	apigateway.DocumentationPartTypeAPI:            {"termsOfService", "contact", "license"},
	apigateway.DocumentationPartTypeResource:       {"summary", "description"},
	apigateway.DocumentationPartTypeMethod:         {"tags", "summary", "description", "externalDocs", "deprecated"},
	apigateway.DocumentationPartTypePathParameter:  {"description"},
	apigateway.DocumentationPartTypeQueryParameter: {"description"},
	apigateway.DocumentationPartTypeRequestHeader:  {"description"},
	apigateway.DocumentationPartTypeRequestBody:    {"description"},
	apigateway.DocumentationPartTypeResponse:       {"description"},
	apigateway.DocumentationPartTypeResponseHeader: {"description"},
	apigateway.DocumentationPartTypeAuthorizer:     {"description"},
}

// document writes what a documentation part says of a place into it; with under
// what it says under that name. Parts that are meant for several places are
// only in the extension.
func (w *writer) document(n *tree.Node, under string, at apigateway.DocumentationPartLocation) {
	properties := w.parts[location(&at)]
	if under != "" {
		properties = properties.Get(under)
	}
	picked := pick(properties, documentable[value(at.Type)]...)
	for _, m := range picked.Members {
		if there := n.Get(m.Key); there == nil {
			n.Members = append(n.Members, m)
		} else if under == "" {
			*there = m.Node
		}
	}
}

// documentation writes the extension.
func (w *writer) documentation() tree.Node {
	n, parts := tree.NewObject(), tree.NewList()
	if w.api.DocumentationVersion != "" {
		n.Add("version", tree.NewText(w.api.DocumentationVersion))
	}
	for _, part := range w.api.Parts {
		where, at, written := tree.NewObject(), part.Location, tree.NewObject()
		if at != nil {
			where.AddText("type", at.Type)
			where.AddText("path", at.Path)
			where.AddText("method", at.Method)
			where.AddText("statusCode", at.StatusCode)
			where.AddText("name", at.Name)
		}
		written.Add("location", where)
		written.Add("properties", embedded(value(part.Properties)))
		parts.Add("", written)
	}
	n.Add("documentationParts", parts)
	return n
}
