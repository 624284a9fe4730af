package openapi

import (
	"strings"

	"gatehouse/internal/awsapi/apigatewayv2"
)

// defaultPath is where the $default route stands: a path item needs a slash.
const (
	defaultPath     = "/$default"
	defaultRouteKey = "$default"
)

func (r *reader) paths(n *node) {
	if n == nil || n.kind == null {
		r.failIssue("paths is missing")
		return
	}
	if !r.is(n, "paths", object) {
		return
	}
	for i := range n.members {
		path, item := n.members[i].key, &n.members[i].node
		if strings.HasPrefix(path, "x-") {
			continue
		}
		if !strings.HasPrefix(path, "/") {
			// AWS goes on: the $default route is often written without a slash.
			r.parseIssue("paths. Resource ", path, " should start with /")
		}
		attribute := "paths.'" + path + "'"
		if !r.is(item, attribute, object) {
			continue
		}
		r.survey(item, pathKeys, "paths."+path, attribute)
		if item.get("$ref") != nil {
			// UNVERIFIED: AWS's answer; a path that is silently missing is worse.
			r.failIssue(attribute, ".$ref is not supported")
			continue
		}
		r.pathItem(path, item)
	}
}

func (r *reader) pathItem(path string, item *node) {
	for i := range item.members {
		key, op := item.members[i].key, &item.members[i].node
		if !pathKeys[key] {
			continue
		}
		if key == anyMethodKey {
			if where := "paths." + path + "." + key; r.is(op, where, object) {
				r.survey(op, anyMethodKeys, where, "")
				r.operation("ANY", path, op, where)
			}
			continue
		}
		attribute := "paths.'" + path + "'(" + key + ")"
		if !r.is(op, attribute, object) {
			continue
		}
		where := "paths." + path + "." + key
		r.survey(op, operationKeys, where, attribute)
		r.operation(strings.ToUpper(key), path, op, where)
		if op.get("responses") == nil {
			// UNVERIFIED: that this is a warning, not an error.
			r.parseIssue(attribute, ".responses is missing")
		}
		r.declared(path, item, op)
	}
}

// operation reads a route.
func (r *reader) operation(method, path string, op *node, where string) {
	route := &Route{Method: method, Path: path}
	route.RouteKey = new(method + " " + r.prefixed(path))
	if isDefault := r.bool(op, "isDefaultRoute", where); isDefault != nil && *isDefault && method == "ANY" {
		route.RouteKey = new(defaultRouteKey)
	}
	route.OperationName = r.string(op, "operationId", where)
	route.Integration = r.operationIntegration(*route.RouteKey, op.get(integrationKey), where+"."+integrationKey)
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
func (r *reader) authorize(route *Route, op *node, where string) (refusal string) {
	security, at := op.get("security"), where+".security"
	if security == nil {
		security, at = r.security, "security"
	}
	var requirements []member
	if r.is(security, at, list) {
		for i := range security.members {
			if r.is(&security.members[i].node, at, object) {
				requirements = append(requirements, security.members[i].members...)
			}
		}
		if len(security.members) > 1 && len(requirements) > 0 {
			// One of them may ask for nothing.
			requirements = append(requirements, member{})
		}
	}
	iam := r.iam(op.get(authKey), where+"."+authKey)
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
	return r.require(route, requirements[0].key, &requirements[0].node, at)
}

// require makes a route ask for a security scheme.
func (r *reader) require(route *Route, name string, scopes *node, at string) (refusal string) {
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
	if route.AuthorizationScopes, ok = scopes.strings(); !ok {
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
func (r *reader) iam(n *node, where string) bool {
	if !r.is(n, where, object) {
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
func (r *reader) declared(path string, item, op *node) {
	if !strings.Contains(path, "{") {
		return
	}
	declared := map[string]bool{}
	for _, parameters := range [...]*node{item.get("parameters"), op.get("parameters")} {
		if parameters == nil {
			continue
		}
		for i := range parameters.members {
			name, ok := pathParameter(&parameters.members[i].node)
			if ref, isRef := parameters.members[i].get("$ref").str(); isRef {
				name, ok = r.parameters[unescape(strings.TrimPrefix(ref, "#/components/parameters/"))]
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
func pathParameter(n *node) (string, bool) {
	if in, _ := n.get("in").str(); in != "path" {
		return "", false
	}
	return n.get("name").str()
}
