package serve

import (
	"errors"
	"io"
	"time"

	"gatehouse/internal/plan"
)

// TestMethod runs a method of a REST API for whoever manages the API: what
// traffic goes through once the caller may call. x has a request, a stage and a
// route and where they were found. Its response is in memory afterwards, in
// Response with the headers that a client would get, and Trace has what an
// execution log tells at its most. No log and no metric hears of it.
func (s *Server) TestMethod(x *plan.Exchange) (latency time.Duration) {
	s.beginTest(x)
	s.conclude(x, s.testMethod(x))
	latency = s.Clock().Sub(x.Start)
	if x.Fault == nil {
		completeREST(x)
	}
	o := outcomeOf(x)
	if !o.body {
		x.Response.Body = nil
	}
	passed := x.Response.Headers[:0]
	for _, h := range x.Response.Headers {
		if o.passes(h) && !leftOut(x, h.Name) {
			passed = append(passed, h)
		}
	}
	x.Response.Headers = passed
	return latency
}

func (s *Server) beginTest(x *plan.Exchange) {
	x.Start = s.Clock()
	s.identify(x)
	x.Trace = &plan.Trace{}
	x.Trace.Begin(plan.ExecutionLogging{Level: plan.LogInfo, Data: true}, s.Clock)
}

// TestAuthorizer runs an authorizer of a REST API for whoever manages the API.
// What test returns is the error; x is as TestMethod has it, without a response.
func (s *Server) TestAuthorizer(x *plan.Exchange, test func(*plan.Exchange) error) (latency time.Duration, err error) {
	s.beginTest(x)
	defer func() {
		if p := recover(); p != nil {
			err = s.recovered(x, p)
		}
		var fault *plan.Fault
		if errors.As(err, &fault) && !x.Trace.Failed() {
			x.Trace.Error("%s", failure(x, fault))
		}
		latency = s.Clock().Sub(x.Start)
	}()
	return 0, test(x)
}

// testMethod executes a method and reads the whole response.
func (s *Server) testMethod(x *plan.Exchange) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = s.recovered(x, p)
		}
	}()
	if err := s.execute(x); err != nil {
		return err
	}
	r := &x.Response
	if r.BodyStream == nil {
		return nil
	}
	// It is held whole, however long responses may be.
	most := min(s.MaxBodyBytes, MaxBodyBytes)
	body, err := io.ReadAll(io.LimitReader(r.BodyStream, most+1))
	s.closeStream(r.BodyStream)
	r.Body, r.BodyStream, r.StreamLength = body, nil, 0
	switch {
	case err != nil:
		return &plan.Fault{Kind: plan.IntegrationFailure, Reason: "the response broke off: " + err.Error(), Cause: err}
	case int64(len(body)) > most:
		return &plan.Fault{Kind: plan.IntegrationFailure, Reason: "the response is too long for a test"}
	}
	return nil
}

// leftOut tells whether a header of what the gateway itself answers is missing
// in a test: AWS tells its kind only, unless the answer is customised. Reasons are
// in the trace.
func leftOut(x *plan.Exchange, header string) bool {
	switch {
	case x.Fault == nil:
		return false
	case header == reasonHeader:
		return true
	case x.Error.Raised && x.Stage.Rest.Responses[x.Error.Type] != nil:
		return false
	}
	return plan.EqualFold(header, "content-type") || plan.EqualFold(header, traceHeader)
}
