package openapi

import (
	"strings"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/openapi/tree"
)

// defaultPath is where the $default route stands: a path item needs a slash.
const (
	defaultPath     = "/$default"
	defaultRouteKey = "$default"
)

func (r *reader) paths(n *tree.Node) {
	if n == nil || n.Kind == tree.Null {
		r.failIssue("paths is missing")
		return
	}
	if !r.is(n, "paths", tree.Object) {
		return
	}
	for i := range n.Members {
		path, item := n.Members[i].Key, &n.Members[i].Node
		if strings.HasPrefix(path, "x-") {
			continue
		}
		if !strings.HasPrefix(path, "/") {
			// AWS goes on: the $default route is often written without a slash.
			r.parseIssue("paths. Resource ", path, " should start with /")
		}
		attribute := "paths.'" + path + "'"
		if !r.is(item, attribute, tree.Object) {
			continue
		}
		r.survey(item, pathKeys, "paths."+path, attribute)
		if item.Get("$ref") != nil {
			// UNVERIFIED: AWS's answer; a path that is silently missing is worse.
			r.failIssue(attribute, ".$ref is not supported")
			continue
		}
		r.pathItem(path, item)
	}
}

func (r *reader) pathItem(path string, item *tree.Node) {
	for i := range item.Members {
		key, op := item.Members[i].Key, &item.Members[i].Node
		if !pathKeys[key] {
			continue
		}
		if key == anyMethodKey {
			if where := "paths." + path + "." + key; r.is(op, where, tree.Object) {
				r.survey(op, anyMethodKeys, where, "")
				r.operation("ANY", path, op, where)
			}
			continue
		}
		attribute := "paths.'" + path + "'(" + key + ")"
		if !r.is(op, attribute, tree.Object) {
			continue
		}
		where := "paths." + path + "." + key
		r.survey(op, operationKeys, where, attribute)
		r.operation(strings.ToUpper(key), path, op, where)
		if op.Get("responses") == nil {
			// UNVERIFIED: that this is a warning, not an error.
			r.parseIssue(attribute, ".responses is missing")
		}
		r.declared(path, item, op)
	}
}

// operation reads a route.
func (r *reader) operation(method, path string, op *tree.Node, where string) {
	route := &Route{Method: method, Path: path}
	route.RouteKey = new(method + " " + r.prefixed(path))
	if isDefault := r.bool(op, "isDefaultRoute", where); isDefault != nil && *isDefault && method == "ANY" {
		route.RouteKey = new(defaultRouteKey)
	}
	route.OperationName = r.string(op, "operationId", where)
	route.Integration = r.operationIntegration(*route.RouteKey, op.Get(integrationKey), where+"."+integrationKey)
	if refusal := r.authorize(route, op, where); refusal != "" {
		r.warn(route.Refused(refusal))
		return
	}
	r.doc.Routes = append(r.doc.Routes, route)
}

func (r *reader) prefixed(path string) string {
	if path == "/" && r.basePath != "" {
		return r.basePath
	}
	return r.basePath + path
}

// authorize gives a route the authorization that the operation, or the
// document, asks for; it says why the route can't be made, "" when it can.
func (r *reader) authorize(route *Route, op *tree.Node, where string) (refusal string) {
	security, at := op.Get("security"), where+".security"
	if security == nil {
		security, at = r.security, "security"
	}
	var requirements []tree.Member
	if r.is(security, at, tree.List) {
		for i := range security.Members {
			if r.is(&security.Members[i].Node, at, tree.Object) {
				requirements = append(requirements, security.Members[i].Members...)
			}
		}
		if len(security.Members) > 1 && len(requirements) > 0 {
			// One of them may ask for nothing.
			requirements = append(requirements, tree.Member{})
		}
	}
	iam := r.iam(op.Get(authKey), where+"."+authKey)
	if len(requirements) > 1 || iam && len(requirements) > 0 {
		// UNVERIFIED: the words of this error.
		r.fail("Unable to put method '", route.Method, "' on resource at path '", route.Path, "': An operation can have only one security requirement")
		return ""
	}
	if iam {
		route.AuthorizationType = new(apigatewayv2.AuthorizationTypeAWSIAM)
		return ""
	}
	if len(requirements) == 0 {
		return ""
	}
	return r.require(route, requirements[0].Key, &requirements[0].Node, at)
}

// require makes a route ask for a security scheme.
func (r *reader) require(route *Route, name string, scopes *tree.Node, at string) (refusal string) {
	s := r.schemes[name]
	if s == nil {
		// UNVERIFIED: the words.
		return "Invalid authorizer definition. The security scheme " + name + " is not defined"
	}
	if s.authorizer == nil && s.authorizationType != apigatewayv2.AuthorizationTypeAWSIAM {
		return NoAuthorizer(s.authorizationType)
	}
	route.AuthorizationType, route.Authorizer = new(s.authorizationType), s.authorizer
	var ok bool
	if route.AuthorizationScopes, ok = scopes.Strings(); !ok {
		r.wrongType("array", at, ".", name)
	}
	if len(route.AuthorizationScopes) == 0 {
		route.AuthorizationScopes = nil
	}
	return ""
}

// NoAuthorizer is why a route can't be made whose authorizer couldn't be made.
func NoAuthorizer(authorizationType string) string {
	return "Invalid authorizer definition. Setting the authorization type to " + authorizationType + " requires a valid authorizer"
}

// iam tells whether x-amazon-apigateway-auth asks for IAM.
func (r *reader) iam(n *tree.Node, where string) bool {
	if !r.is(n, where, tree.Object) {
		return false
	}
	kind := r.string(n, "type", where)
	switch {
	case kind == nil || strings.EqualFold(*kind, apigatewayv2.AuthorizationTypeNone):
		return false
	case strings.EqualFold(*kind, apigatewayv2.AuthorizationTypeAWSIAM):
		return true
	}
	// UNVERIFIED: the words.
	r.failIssue(where, ".type is neither NONE nor AWS_IAM")
	return false
}

// declared warns of path variables that no parameter declares. A declaration
// may leave out the plus of a greedy variable.
func (r *reader) declared(path string, item, op *tree.Node) {
	if !strings.Contains(path, "{") {
		return
	}
	declared := map[string]bool{}
	for _, parameters := range [...]*tree.Node{item.Get("parameters"), op.Get("parameters")} {
		if parameters == nil {
			continue
		}
		for i := range parameters.Members {
			name, ok := pathParameter(&parameters.Members[i].Node)
			if ref, isRef := parameters.Members[i].Get("$ref").Str(); isRef {
				name, ok = r.parameters[tree.Unescape(strings.TrimPrefix(ref, "#/components/parameters/"))]
			}
			if ok {
				declared[name], declared[name+"+"] = true, true
			}
		}
	}
	for part := range strings.SplitSeq(path, "/") {
		name, isVariable := strings.CutPrefix(part, "{")
		name, closed := strings.CutSuffix(name, "}")
		if isVariable && closed && name != "" && !declared[name] {
			// UNVERIFIED: that AWS passes this warning of its parser on. Its exports
			// declare every variable, the plus included, as if to silence it.
			r.parseIssue("paths.'", path, "'. Declared path parameter ", name, " needs to be defined as a path parameter in path or operation level")
		}
	}
}

// pathParameter returns the name of a parameter that is one of the path.
func pathParameter(n *tree.Node) (string, bool) {
	if in, _ := n.Get("in").Str(); in != "path" {
		return "", false
	}
	return n.Get("name").Str()
}
