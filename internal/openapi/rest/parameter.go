package rest

import (
	"strconv"
	"strings"

	"gatehouse/internal/openapi/tree"
)

// places are where a parameter can be, by the names of documents.
var places = map[string]string{"path": "path", "query": "querystring", "header": "header"}

// parameters reads the parameters of a path and its operation. What an
// operation says of one goes before what its path says.
func (r *reader) parameters(m *Method, path string, item, op *tree.Node, where string) {
	last := path[strings.LastIndexByte(path, '/')+1:]
	if name, variable := strings.CutPrefix(last, "{"); variable && strings.HasSuffix(name, "}") && !strings.HasSuffix(name, "+}") {
		// Recorded: the variable that a path ends in is required, declared or not;
		// a greedy one isn't.
		m.addParameter("method.request.path."+strings.TrimSuffix(name, "}"), true)
	}
	for _, declared := range [...]*tree.Node{item.Get("parameters"), op.Get("parameters")} {
		if !r.is(declared, tree.List, where, ".parameters") || !r.spend(len(declared.Members)) {
			continue
		}
		for i := range declared.Members {
			at := where + ".parameters.[" + strconv.Itoa(i) + "]"
			if p := r.follow(&declared.Members[i].Node, "parameters"); r.is(p, tree.Object, at) {
				r.parameter(m, op, p, path, at)
			}
		}
	}
}

func (r *reader) parameter(m *Method, op, p *tree.Node, path, where string) {
	name, in := r.string(p, "name", where), r.string(p, "in", where)
	if in == nil || name == nil {
		r.issue(where, " has no name or no place")
		return
	}
	required := r.bool(p, "required", where)
	place, known := places[*in]
	switch {
	case known:
		m.addParameter("method.request."+place+"."+*name, value(required) || *in == "path")
	case *in == "body" && r.swagger:
		r.body(m, op, p, where)
	default:
		// UNVERIFIED: the words.
		r.warn("Unknown parameter location '", *in, "' for parameter '", *name, "' in method '", *m.HttpMethod, " ", path, "'. Ignoring.")
	}
}

func (m *Method) addParameter(name string, required bool) {
	if m.RequestParameters == nil {
		m.RequestParameters = map[string]bool{}
	}
	m.RequestParameters[name] = required
}

// body reads the body parameter of Swagger 2.0, whose schema is that of all
// media types that the operation consumes.
func (r *reader) body(m *Method, op, p *tree.Node, where string) {
	if p.Get("schema") == nil || op.Get(requestModelsKey) != nil {
		return
	}
	model := r.modelOf(p.Get("schema"), jsonType, *m.HttpMethod, where+".schema")
	types := r.mediaTypes(op, "consumes", where)
	if model == "" || !r.spend(len(types)) {
		return
	}
	m.RequestModels = make(map[string]string, len(types))
	for _, mediaType := range types {
		m.RequestModels[mediaType] = model
	}
}

// mediaTypes are those that an operation of Swagger 2.0 consumes or produces.
func (r *reader) mediaTypes(op *tree.Node, key, where string) []string {
	if op.Get(key) != nil {
		if types := r.strings(op, key, where); types != nil {
			return types
		}
	} else if types := r.strings(r.root, key, "swagger"); types != nil {
		return types
	}
	return []string{jsonType}
}

// requestBody reads the bodies of OpenAPI 3.
func (r *reader) requestBody(m *Method, n *tree.Node, where string) {
	if n == nil {
		return
	}
	if n = r.follow(n, "requestBodies"); !r.is(n, tree.Object, where) {
		return
	}
	m.RequestModels = r.content(n.Get("content"), *m.HttpMethod, where+".content")
}

// content reads the models of media types, nil when there are none.
func (r *reader) content(n *tree.Node, method, where string) map[string]string {
	if !r.is(n, tree.Object, where) || !r.spend(len(n.Members)) {
		return nil
	}
	var models map[string]string
	for i := range n.Members {
		mediaType := &n.Members[i]
		at := where + "." + mediaType.Key
		if !r.is(&mediaType.Node, tree.Object, at) || mediaType.Get("schema") == nil {
			continue
		}
		if model := r.modelOf(mediaType.Get("schema"), mediaType.Key, method, at+".schema"); model != "" {
			if models == nil {
				models = map[string]string{}
			}
			models[mediaType.Key] = model
		}
	}
	return models
}
