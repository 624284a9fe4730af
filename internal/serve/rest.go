package serve

import "gatehouse/internal/plan"

// isREST tells whether an exchange is for a REST API.
func isREST(x *plan.Exchange) bool { return x.API != nil && x.API.Protocol == plan.REST }

// chooseCanary moves a placed exchange to the canary of its stage, as often as
// that is to happen.
func (s *Server) chooseCanary(x *plan.Exchange) {
	if x.Stage == nil || x.Stage.Rest == nil || x.Stage.Rest.Canary == nil {
		return
	}
	const shares = 1 << 20
	canary := x.Stage.Rest.Canary
	if float64(s.Random()%shares)*100 < canary.Percent*shares {
		x.Stage = canary.Stage
	}
}

// serveREST runs one exchange in AWS's order for REST APIs.
func (s *Server) serveREST(x *plan.Exchange) error {
	if err := x.Stage.Match(x); err != nil {
		return err
	}
	s.beginTrace(x)
	r := x.Route
	if r.Authorizer != nil {
		if err := r.Authorizer.Authorize(x); err != nil {
			return err
		}
	}
	if err := s.checkUsage(x); err != nil {
		return err
	}
	if err := s.execute(x); err != nil {
		return err
	}
	return s.compress(x)
}

// checkUsage asks for the API key and for everything that limits how many
// requests pass: to AWS that is one check, of the usage plan, throttles of
// methods included.
func (s *Server) checkUsage(x *plan.Exchange) error {
	var err error
	if key := x.Route.Rest.APIKey; key != nil {
		err = key.CheckAPIKey(x)
	}
	traceKey(x)
	if err != nil {
		return err
	}
	if err := s.limit(x); err != nil {
		return err
	}
	tracePassedKey(x)
	return nil
}

// completeREST gives a response what all responses of REST APIs have.
func completeREST(x *plan.Exchange) {
	if _, has := x.Response.Headers.Lookup("content-type"); !has {
		// Empty ones, too.
		x.Response.Add("Content-Type", "application/json")
	}
}

// execute runs what a method does: what comes after everyone who may refuse
// the request for its caller's sake.
func (s *Server) execute(x *plan.Exchange) error {
	r := x.Route
	x.Turns = s.turns
	if x.Request.ContentLength > s.MaxBodyBytes {
		return &plan.Fault{Kind: plan.RequestTooLarge, Reason: "the body is over the limit"}
	}
	err := s.decompress(x)
	if err != nil {
		return err
	}
	if x.Trace.WantsInfo() {
		if err := traceRequest(x); err != nil {
			return err
		}
	}
	if r.Rest.Validator != nil {
		if err := r.Rest.Validator.Validate(x); err != nil {
			return err
		}
	}
	if c := r.Rest.Cache; c != nil && c.Caches(&x.Request) {
		err = callCached(x, c)
	} else {
		err = call(x)
	}
	if err != nil {
		return err
	}
	if r.Rest.ReportsTrace {
		x.Response.Add(traceHeader, x.TraceHeader)
	}
	if x.Trace.WantsInfo() {
		traceResponse(x)
	}
	return nil
}
