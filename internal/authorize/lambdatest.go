package authorize

import (
	"errors"
	"slices"

	"gatehouse/internal/lambdaevent"
	"gatehouse/internal/plan"
)

// testStage is the stage in the ARN that functions under test are asked about.
const testStage = "ESTestInvoke-stage"

// Test asks the function about a request for whoever manages the API, and
// returns what it says. No answer is kept or held against the request. context
// has values in place of those of $context; the error is a *plan.Fault.
func (l *Lambda) Test(x *plan.Exchange, context map[string]string) (lambdaevent.AuthorizerAnswer, error) {
	tested := *l
	tested.sources = slices.Clone(l.sources)
	for i := range tested.sources {
		s := &tested.sources[i]
		if value, given := context[s.name]; given && s.kind == fromContext {
			s.kind, s.text = fromStage, value
		}
	}
	answer, err := tested.test(x)
	var fault *plan.Fault
	if t := x.Trace; t != nil && errors.As(err, &fault) && fault.Kind == plan.Unauthorized {
		t.Error("Unauthorized request: %s", x.RequestID)
		t.Error("%s", unauthorizedError)
	}
	return answer, err
}

func (l *Lambda) test(x *plan.Exchange) (lambdaevent.AuthorizerAnswer, error) {
	l.traceStart(x)
	for i := range l.sources {
		if l.required && l.sources[i].value(x) == "" {
			return lambdaevent.AuthorizerAnswer{}, l.unauthorized(x, "an identity source of the authorizer is missing")
		}
	}
	if x.Trace.WantsInfo() {
		l.traceIdentity(x)
	}
	if l.validation != nil && !l.validation.MatchString(l.sources[0].value(x)) {
		return lambdaevent.AuthorizerAnswer{}, l.unauthorized(x, "the token doesn't match the authorizer's expression")
	}
	api := x.Stage.API
	o, err := l.alone(x, "arn:aws:execute-api:"+api.Region+":"+api.AccountID+":"+api.ID+"/"+testStage+"/GET/")
	if err != nil {
		return lambdaevent.AuthorizerAnswer{}, err
	}
	v, err := l.conclude(x, &o, true)
	if err != nil {
		return lambdaevent.AuthorizerAnswer{}, err
	}
	l.tracePolicy(x, v)
	l.traceEnd(x)
	return l.read(o.result)
}
