package apigatewayv2

import (
	"regexp"
	"strings"
)

const defaultRouteKey = "$default"

// pathPart is the expression that AWS's error text shows.
var pathPart = regexp.MustCompile(`^(\{[\w.:-]+\+?\}|[a-zA-Z0-9.:_-]+)$`)

func validMethod(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "DELETE", "ANY":
		return true
	}
	return false
}

// checkRouteKey refuses a route key that an HTTP API can't have. It is stricter
// than what the gateway could match, as AWS is.
func checkRouteKey(key string) error {
	if key == defaultRouteKey {
		return nil
	}
	method, path, ok := strings.Cut(key, " ")
	if !ok || !validMethod(method) || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " \t") {
		return badRequest(`The provided route key is not formatted properly for HTTP protocol. Format should be "[HTTP METHOD] /[RESOURCE PATH]" or "$default"`)
	}
	if path == "/" {
		return nil
	}
	parts := strings.Split(path[1:], "/")
	seen := map[string]bool{}
	for i, part := range parts {
		if !pathPart.MatchString(part) {
			return badRequest("One or more path parts appear to be invalid. Parts are validated against this regular expression: %s", pathPart)
		}
		if part[0] != '{' {
			continue
		}
		name, greedy := strings.CutSuffix(part[1:len(part)-1], "+")
		// UNVERIFIED: the words of both.
		if greedy && i != len(parts)-1 {
			return badRequest("A greedy path variable must be the last part of the path")
		}
		if seen[name] {
			return badRequest("The path variable %s appears more than once in the path", name)
		}
		seen[name] = true
	}
	return nil
}
