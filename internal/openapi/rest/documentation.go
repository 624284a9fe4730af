package rest

import (
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/openapi/tree"
)

// documentation reads the documentation parts: those of the extension, or where
// a document has none, those that its descriptions make. That AWS makes parts of
// descriptions is reported; which ones, and what it does where both are there,
// is UNVERIFIED.
func (r *reader) documentation() {
	n := r.root.Get(documentationKey)
	if !r.is(n, tree.Object, documentationKey) {
		r.described()
		return
	}
	r.api.DocumentationVersion = value(r.string(n, "version", documentationKey))
	parts, where := n.Get("documentationParts"), documentationKey+".documentationParts"
	if !r.is(parts, tree.List, where) {
		return
	}
	for i := range parts.Members {
		r.documentationPart(&parts.Members[i].Node, where)
	}
}

// documentationPart reads a part. One that can't be one is left to who stores
// it: its location or its properties are nil, or these aren't an object.
func (r *reader) documentationPart(n *tree.Node, where string) {
	part := &apigateway.DocumentationPart{}
	if properties := n.Get("properties"); properties != nil && properties.Kind != tree.Null {
		part.Properties = new(compact(properties))
	}
	at := n.Get("location")
	if at == nil || at.Kind != tree.Object {
		r.api.Parts = append(r.api.Parts, part)
		return
	}
	part.Location = &apigateway.DocumentationPartLocation{
		Type:       r.upper(at, "type", where),
		Path:       r.string(at, "path", where),
		Method:     r.upper(at, "method", where),
		StatusCode: r.string(at, "statusCode", where),
		Name:       r.string(at, "name", where),
	}
	if part.Location.Path == nil && hasPath(value(part.Location.Type)) {
		// Recorded of methods and responses.
		part.Location.Path = new("/")
	}
	r.part(part)
}

// hasPath tells the kinds of parts that stand at a path.
func hasPath(kind string) bool {
	switch kind {
	case apigateway.DocumentationPartTypeAPI, apigateway.DocumentationPartTypeAuthorizer, apigateway.DocumentationPartTypeModel:
		return false
	}
	return true
}

// part adds a part, or puts it in the place of one that is there.
func (r *reader) part(part *apigateway.DocumentationPart) {
	place := location(part.Location)
	if i, there := r.located[place]; there {
		r.api.Parts[i] = part
		return
	}
	r.located[place] = len(r.api.Parts)
	r.api.Parts = append(r.api.Parts, part)
}

// location is the same for parts that stand at the same place.
func location(at *apigateway.DocumentationPartLocation) [5]string {
	return [5]string{value(at.Type), value(at.Path), value(at.Method), value(at.StatusCode), value(at.Name)}
}

// described makes parts of the descriptions of a document.
func (r *reader) described() {
	info := pick(r.root.Get("info"), "description", "termsOfService", "contact", "license")
	api := tree.NewObject()
	if len(info.Members) > 0 {
		api.Add("info", info)
	}
	for _, key := range [...]string{"tags", "externalDocs"} {
		if n := r.root.Get(key); n != nil && n.Kind >= tree.List && len(n.Members) > 0 {
			api.Add(key, *n)
		}
	}
	r.describe(api, apigateway.DocumentationPartLocation{Type: new(apigateway.DocumentationPartTypeAPI)})
	if paths := r.root.Get("paths"); paths != nil && paths.Kind == tree.Object {
		for i := range paths.Members {
			if strings.HasPrefix(paths.Members[i].Key, "/") {
				r.describeResource(r.path(paths.Members[i].Key), r.referred(&paths.Members[i].Node, "pathItems"))
			}
		}
	}
	r.describeSection("schemas", apigateway.DocumentationPartTypeModel, "description", "title", "externalDocs")
	r.describeSection("securitySchemes", apigateway.DocumentationPartTypeAuthorizer, "description")
}

// describeSection makes parts of what the components of a section say of
// themselves.
func (r *reader) describeSection(section, kind string, keys ...string) {
	n := r.sectionNode(section)
	if n == nil || n.Kind != tree.Object {
		return
	}
	for i := range n.Members {
		m := &n.Members[i]
		if kind == apigateway.DocumentationPartTypeAuthorizer && m.Get(authorizerKey) == nil {
			continue
		}
		r.describe(pick(&m.Node, keys...), apigateway.DocumentationPartLocation{Type: &kind, Name: &m.Key})
	}
}

// describe makes a part of properties, unless there are none.
func (r *reader) describe(properties tree.Node, at apigateway.DocumentationPartLocation) {
	if len(properties.Members) > 0 && r.spend(len(properties.Members)) {
		r.part(&apigateway.DocumentationPart{Location: &at, Properties: new(compact(&properties))})
	}
}

func (r *reader) describeResource(path string, item *tree.Node) {
	if item == nil || item.Kind != tree.Object {
		return
	}
	r.describe(pick(item, "summary", "description"),
		apigateway.DocumentationPartLocation{Type: new(apigateway.DocumentationPartTypeResource), Path: &path})
	for i := range item.Members {
		method := methodOf(item.Members[i].Key)
		if op := &item.Members[i].Node; method != "" && op.Kind == tree.Object {
			r.describeMethod(op, path, method)
		}
	}
}

func (r *reader) describeMethod(op *tree.Node, path, method string) {
	at := apigateway.DocumentationPartLocation{Type: new(apigateway.DocumentationPartTypeMethod), Path: &path, Method: &method}
	r.describe(pick(op, "tags", "summary", "description", "externalDocs", "deprecated"), at)
	if parameters := op.Get("parameters"); parameters != nil {
		for i := range parameters.Members {
			p := r.referred(&parameters.Members[i].Node, "parameters")
			name, _ := p.Get("name").Str()
			in, _ := p.Get("in").Str()
			at := at
			switch in {
			case "path":
				at.Type = new(apigateway.DocumentationPartTypePathParameter)
			case "query":
				at.Type = new(apigateway.DocumentationPartTypeQueryParameter)
			case "header":
				at.Type = new(apigateway.DocumentationPartTypeRequestHeader)
			case "body":
				at.Type = new(apigateway.DocumentationPartTypeRequestBody)
				r.describe(pick(p, "description"), at)
				continue
			default:
				continue
			}
			at.Name = &name
			r.describe(pick(p, "description"), at)
		}
	}
	body := at
	body.Type = new(apigateway.DocumentationPartTypeRequestBody)
	r.describe(pick(r.referred(op.Get("requestBody"), "requestBodies"), "description"), body)
	responses := op.Get("responses")
	if responses == nil || responses.Kind != tree.Object {
		return
	}
	for i := range responses.Members {
		status := responses.Members[i].Key
		if status == "default" || strings.HasPrefix(status, "x-") {
			continue
		}
		response := r.referred(&responses.Members[i].Node, "responses")
		at := at
		at.Type, at.StatusCode = new(apigateway.DocumentationPartTypeResponse), &status
		if description, _ := response.Get("description").Str(); description != fillerDescription(status) {
			r.describe(pick(response, "description"), at)
		}
		headers := response.Get("headers")
		if headers == nil || headers.Kind != tree.Object || !r.spend(len(headers.Members)) {
			continue
		}
		for j := range headers.Members {
			header := at
			header.Type, header.Name = new(apigateway.DocumentationPartTypeResponseHeader), &headers.Members[j].Key
			r.describe(pick(r.referred(&headers.Members[j].Node, "headers"), "description"), header)
		}
	}
}

// referred is follow without a word: what is missing was said when the
// operation was read.
func (r *reader) referred(n *tree.Node, section string) *tree.Node {
	ref, ok := n.Get("$ref").Str()
	if !ok {
		return n
	}
	to := r.component(section, tree.Unescape(ref[strings.LastIndexByte(ref, '/')+1:]))
	if to == nil || !r.spend(r.size(to)) {
		return nil
	}
	return to
}

// pick returns an object of those members that another has and that aren't
// empty.
func pick(n *tree.Node, keys ...string) tree.Node {
	picked := tree.NewObject()
	for _, key := range keys {
		m := n.Get(key)
		if m == nil || m.Kind == tree.Null || m.Kind == tree.Text && m.Scalar == "" || m.Kind >= tree.List && len(m.Members) == 0 {
			continue
		}
		picked.Add(key, *m)
	}
	return picked
}
