package rest

import (
	"strings"

	"gatehouse/internal/openapi/tree"
)

func (r *reader) paths(n *tree.Node) {
	if !r.is(n, tree.Object, "paths") {
		return
	}
	resources := make(map[string]*Resource, len(n.Members))
	for i := range n.Members {
		path, item := n.Members[i].Key, &n.Members[i].Node
		if strings.HasPrefix(path, "x-") {
			continue
		}
		where := "paths.'" + path + "'"
		if !strings.HasPrefix(path, "/") {
			r.issue("paths. Resource ", path, " should start with /")
			continue
		}
		if r.modern {
			item = r.follow(item, "pathItems")
		} else if item.Get("$ref") != nil {
			// UNVERIFIED: AWS's answer; a path that is silently missing is worse.
			r.issue(where, ".$ref is not supported")
			continue
		}
		if !r.is(item, tree.Object, where) || !r.spend(len(item.Members)) {
			continue
		}
		path = r.path(path)
		resource := resources[path]
		if resource == nil {
			resource = &Resource{Path: path}
			resources[path] = resource
			r.api.Resources = append(r.api.Resources, resource)
		}
		r.pathItem(resource, item, where)
	}
}

// path is where a path of the document is in the API.
func (r *reader) path(path string) string {
	if path = r.basePath + strings.TrimRight(path, "/"); path == "" {
		return "/"
	}
	return path
}

func (r *reader) pathItem(resource *Resource, item *tree.Node, where string) {
	for i := range item.Members {
		key, op := item.Members[i].Key, &item.Members[i].Node
		method := methodOf(key)
		if method == "" {
			if key == "trace" {
				// UNVERIFIED: the words.
				r.warn("Unable to put method 'TRACE' on resource at path '", resource.Path, "': Invalid HttpMethod specified. Ignoring.")
			}
			continue
		}
		at := where + "(" + key + ")"
		if !r.is(op, tree.Object, at) {
			continue
		}
		m := r.method(method, resource.Path, item, op, at)
		for _, other := range resource.Methods {
			if *other.HttpMethod == method {
				// Two spellings of one path, with and without a slash at the end.
				r.fail("Unable to put method '", method, "' on resource at path '", resource.Path, "': Method already exists for this resource")
			}
		}
		resource.Methods = append(resource.Methods, m)
	}
}

// method reads an operation.
func (r *reader) method(method, path string, item, op *tree.Node, where string) *Method {
	m := &Method{}
	m.HttpMethod = &method
	m.OperationName = r.string(op, "operationId", where)
	r.authorize(m, op, path, where)
	r.validator(m, op, path, where)
	r.parameters(m, path, item, op, where)
	if !r.swagger {
		r.requestBody(m, op.Get("requestBody"), where+".requestBody")
	}
	r.responses(m, op, where)
	m.MethodIntegration = r.integration(m, path, op.Get(integrationKey))
	return m
}

// validator finds the request validator of an operation, or of the document.
func (r *reader) validator(m *Method, op *tree.Node, path, where string) {
	name := r.string(op, validatorKey, where)
	if name == nil {
		name = r.string(r.root, validatorKey, "openapi")
	}
	if name == nil {
		return
	}
	m.Validator = *name
	if !r.validated[*name] {
		r.fail("Unable to put method '", *m.HttpMethod, "' on resource at path '", path, "': Invalid Request Validator identifier specified")
	}
}
