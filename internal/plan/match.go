package plan

import "strings"

// Match finds the route of a placed exchange and sets Route and Params. It
// returns a *Fault when the stage has none for the method and path.
func (s *Stage) Match(x *Exchange) error {
	if s.Rest != nil {
		return s.matchMethod(x)
	}
	var ok bool
	x.Route, x.Params, ok = s.Routes.Match(x.Request.Method, x.StagePath, x.Params)
	if ok {
		return nil
	}
	if s.Default == nil {
		return &Fault{Kind: RouteNotFound, Reason: "no route of stage " + s.Name + " takes " + x.Request.Method + " " + x.StagePath}
	}
	x.Route = s.Default
	return nil
}

// methodOverride is the header by which a client of a REST API asks for another
// method than it sends.
const methodOverride = "X-HTTP-Method-Override"

// matchMethod is Match for a REST API: a slash at the end of the path is as if
// it weren't there.
func (s *Stage) matchMethod(x *Exchange) error {
	method := x.Request.Method
	if asked, ok := x.Request.Headers.Lookup(methodOverride); ok && asked != "" {
		method = asked
	}
	path := strings.TrimRight(x.StagePath, "/")
	if path == "" {
		path = "/"
	}
	var ok bool
	x.Route, x.Params, ok = s.Routes.MatchNested(method, path, x.Params)
	if !ok {
		return &Fault{Kind: RouteNotFound, Reason: "no method of stage " + s.Name + " takes " + method + " " + x.StagePath}
	}
	return nil
}
