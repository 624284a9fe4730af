package plan

import (
	"errors"
	"fmt"
	"strings"
)

// DefaultRouteKey is the key of the route that takes what no other one takes.
const DefaultRouteKey = "$default"

// AnyMethod is the method of a route that takes every method which has no
// route of its own on the same path.
const AnyMethod = "ANY"

// A RouteKey is the key of an HTTP API route, taken apart.
type RouteKey struct {
	// Method is one of the HTTP methods a route may name, or AnyMethod; ""
	// for the default route.
	Method string
	// Path is the path as written; "" for the default route.
	Path string
	// ParamNames are the path variables in order, without the "+" of a greedy one.
	ParamNames []string
	// Greedy tells that the last variable is a greedy one.
	Greedy bool
}

// ParseRouteKey takes a route key of an HTTP API apart, "GET /pets/{id}",
// "ANY /{proxy+}" or "$default", and refuses what API Gateway refuses.
func ParseRouteKey(key string) (RouteKey, error) {
	if key == DefaultRouteKey {
		return RouteKey{}, nil
	}
	method, path, ok := strings.Cut(key, " ")
	if !ok {
		return RouteKey{}, fmt.Errorf("route key %q is neither %s nor a method and a path", key, DefaultRouteKey)
	}
	if method != AnyMethod && !isMethod(method) {
		return RouteKey{}, fmt.Errorf("route key %q: method %q is unknown", key, method)
	}
	k := RouteKey{Method: method, Path: path}
	if err := k.parsePath(); err != nil {
		return RouteKey{}, fmt.Errorf("route key %q: %w", key, err)
	}
	return k, nil
}

// isMethod tells whether a method is one that a route can name.
func isMethod(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "DELETE":
		return true
	}
	return false
}

// parsePath checks the path and finds its variables.
func (k *RouteKey) parsePath() error {
	if !strings.HasPrefix(k.Path, "/") {
		return errors.New("the path must begin with /")
	}
	if k.Path == "/" {
		return nil
	}
	if strings.HasSuffix(k.Path, "/") {
		return errors.New("the path must not end with /")
	}
	if strings.HasSuffix(k.Path, "/+") {
		return errors.New("the path must not end with /+")
	}
	for segment := range strings.SplitSeq(k.Path[1:], "/") {
		if k.Greedy {
			return errors.New("a greedy variable must be the last segment")
		}
		if segment == "" {
			return errors.New("the path has an empty segment")
		}
		if err := checkText(segment); err != nil {
			return err
		}
		if !strings.ContainsAny(segment, "{}") {
			continue
		}
		name, greedy, ok := variable(segment)
		if !ok || name == "" || strings.ContainsAny(name, "{}+") {
			return fmt.Errorf("%q is not a variable: write {name} or a last {name+}, filling the segment", segment)
		}
		for _, other := range k.ParamNames {
			if other == name {
				return fmt.Errorf("variable %q appears twice", name)
			}
		}
		k.ParamNames = append(k.ParamNames, name)
		k.Greedy = greedy
	}
	return nil
}

// checkText refuses what can't stand in the path of a request line.
func checkText(segment string) error {
	for i := range len(segment) {
		if c := segment[i]; c <= ' ' || c == 0x7f || c == '?' || c == '#' {
			return fmt.Errorf("%q has the character %q", segment, c)
		}
	}
	return nil
}

// variable tells whether a segment is a brace expression, and which.
func variable(segment string) (name string, greedy, ok bool) {
	if len(segment) < 2 || segment[0] != '{' || segment[len(segment)-1] != '}' {
		return "", false, false
	}
	name, greedy = strings.CutSuffix(segment[1:len(segment)-1], "+")
	return name, greedy, true
}
