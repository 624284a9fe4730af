package serve

import (
	"errors"
	"io"

	"gatehouse/internal/http1"
	"gatehouse/internal/plan"
)

// run takes a placed exchange through the steps and leaves a response in it,
// whatever happens. placed is the fault of placing it, if there was one.
func (s *Server) run(x *plan.Exchange, placed error) {
	x.Memory = s.memory
	err := placed
	if err == nil && isHealthCheck(x) {
		s.identify(x)
		answerHealthCheck(x)
		return
	}
	if err == nil {
		s.chooseCanary(x)
	}
	s.identify(x)
	if err == nil {
		err = s.steps(x)
	} else {
		s.traceRefused(x, err)
	}
	s.conclude(x, err)
	if isREST(x) {
		completeREST(x)
	}
}

// conclude makes the answer of a failed exchange. err is nil if it was answered.
func (s *Server) conclude(x *plan.Exchange, err error) {
	if err == nil {
		return
	}
	if body := bodyFault(x); body != nil {
		err = body
	}
	err = crowdedFault(x, err)
	var fault *plan.Fault
	if !errors.As(err, &fault) {
		fault = &plan.Fault{Kind: plan.InternalFailure, Reason: err.Error(), Cause: err}
	}
	s.answerFault(x, fault)
	if x.Trace != nil {
		traceFault(x, fault)
	}
}

// crowdedFault is an exchange's error, which is another one where there was no room for
// a body.
func crowdedFault(x *plan.Exchange, err error) error {
	if x.Crowded() {
		return &plan.Fault{Kind: plan.Overloaded, Reason: plan.ErrCrowded.Error() + ": --max-held-bodies says how many MiB they may take", Cause: err}
	}
	return err
}

// steps chooses the order of the API's kind.
func (s *Server) steps(x *plan.Exchange) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = s.recovered(x, p)
		}
	}()
	switch x.Stage.API.Protocol {
	case plan.HTTP:
		return s.serveHTTP(x)
	case plan.REST:
		return s.serveREST(x)
	case plan.WebSocket:
		return s.serveConnect(x)
	default:
		return &plan.Fault{Kind: plan.NotImplemented, Reason: "this gateway doesn't serve the API's protocol"}
	}
}

// serveHTTP runs one exchange in AWS's order for HTTP APIs.
func (s *Server) serveHTTP(x *plan.Exchange) error {
	unmatched := x.Stage.Match(x)
	if unmatched == nil && x.Route.Authorizer != nil {
		// Preflights, too: browsers send them without credentials, so they need a
		// route of their own that asks for none.
		if err := x.Route.Authorizer.Authorize(x); err != nil {
			return err
		}
	}
	cors := x.Stage.CORS
	if cors != nil && plan.IsPreflight(&x.Request) {
		// The configuration answers whether or not there is a route, and no
		// integration hears of it.
		cors.AnswerPreflight(x)
		return nil
	}
	err := unmatched
	if err == nil {
		err = s.callRoute(x)
	}
	// UNVERIFIED: that what the gateway itself answers carries no CORS headers;
	// AWS's guide speaks of responses from integrations only.
	if err == nil && cors != nil {
		cors.Apply(x)
	}
	return err
}

// callRoute takes a matched exchange to the route's integration and back.
func (s *Server) callRoute(x *plan.Exchange) error {
	r := x.Route
	x.Turns = s.turns
	if err := s.limit(x); err != nil {
		return err
	}
	if x.Request.ContentLength > s.MaxBodyBytes {
		return &plan.Fault{Kind: plan.RequestTooLarge, Reason: "the body is over the limit"}
	}
	if r.Integration == nil {
		// UNVERIFIED: what AWS answers for a route without a target.
		return &plan.Fault{Kind: plan.IntegrationFailure, Reason: "route " + r.Key + " has no integration"}
	}
	return call(x)
}

// call maps the request, calls the route's integration and maps what it answers.
func call(x *plan.Exchange) error {
	r := x.Route
	if r.MapRequest != nil {
		if err := r.MapRequest.Map(x); err != nil {
			return err
		}
	}
	if err := r.Integration.Integrate(x); err != nil {
		return err
	}
	if r.MapResponse != nil {
		return r.MapResponse.Map(x)
	}
	return nil
}

// bodyFault is the fault of a request whose body turned out too long or
// malformed while a step read it. It outranks what the step made of it.
func bodyFault(x *plan.Exchange) error {
	body, ok := x.Request.BodyReader.(interface{ Err() error })
	if !ok || body.Err() == nil || body.Err() == io.EOF { //nolint:errorlint // a reader's io.EOF is never wrapped
		return nil
	}
	err := body.Err()
	var syntax *http1.SyntaxError
	switch {
	case errors.Is(err, http1.ErrBodyTooLarge):
		return &plan.Fault{Kind: plan.RequestTooLarge, Reason: "the body is over the limit", Cause: err}
	case errors.As(err, &syntax), errors.Is(err, io.ErrUnexpectedEOF):
		return &plan.Fault{Kind: plan.BadRequest, Reason: err.Error(), Cause: err}
	}
	return nil
}

// finish tells the access log and the metrics about an answered exchange.
func (s *Server) finish(x *plan.Exchange) {
	if x.Stage == nil {
		return
	}
	latency := s.Clock().Sub(x.Start)
	if x.Stage.Metrics != nil {
		x.Stage.Metrics.Count(x, latency)
	}
	if x.Route != nil && x.Route.Metrics != nil {
		x.Route.Metrics.Count(x, latency)
	}
	if x.Stage.AccessLog != nil {
		x.Stage.AccessLog.Log(x, latency)
	}
	s.endTrace(x)
}
