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
// method than it sends. From then on the request has that method, for its
// integration, too.
const methodOverride = "X-HTTP-Method-Override"

// matchMethod is Match for a REST API: a slash at the end of the path is as if
// it weren't there.
//
// UNVERIFIED: that a method which ANY isn't documented to stand for has no
// route.
func (s *Stage) matchMethod(x *Exchange) error {
	if asked, ok := x.Request.Headers.Lookup(methodOverride); ok && asked != "" {
		x.Request.Sent, x.Request.Method = x.Request.Method, asked
	}
	method := x.Request.Method
	path := strings.TrimRight(x.StagePath, "/")
	if path == "" {
		path = "/"
	}
	ok := isMethod(method)
	if ok {
		x.Route, x.Params, ok = s.Routes.MatchNested(method, path, x.Params)
	}
	if !ok {
		return &Fault{Kind: RouteNotFound, Reason: "no method of stage " + s.Name + " takes " + method + " " + x.StagePath}
	}
	return nil
}
