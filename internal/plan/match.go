package plan

// Match finds the route of a placed exchange and sets Route and Params. It
// returns a *Fault when the stage has none for the method and path.
func (s *Stage) Match(x *Exchange) error {
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
