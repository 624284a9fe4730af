package authorize

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"gatehouse/internal/lambdaevent"
	"gatehouse/internal/plan"
	"gatehouse/internal/policy"
)

// How a Lambda authorizer asks its function.

func hashKey(framed []byte) cacheKey { return sha256.Sum256(framed) }

// An outcome is what became of a call of a function.
type outcome struct {
	verdict *verdict
	// unauthorized tells that the function turns the caller away; words say why
	// there is no verdict otherwise, "" when there is one.
	unauthorized bool
	words        string
	// cause is why the function couldn't be called, nil when it was.
	cause error
	// status is that of the call of Lambda, 0 for none; latency how long it took.
	status    int
	latency   time.Duration
	requestID string
	// result is the function's answer as it came.
	result []byte
}

// An asked call is what a function is called with: nothing in it is the
// exchange's.
type asked struct {
	trace string
	event []byte
}

// ask prepares a call, which may outlive the exchange.
func (l *Lambda) ask(x *plan.Exchange, resource string) (asked, error) {
	if err := l.Function.Permitted(x, l.arn); err != nil {
		x.Authorizer.FunctionStatus = 403
		return asked{}, l.misconfigured(x, invalidPermissions, err)
	}
	a := asked{trace: strings.Clone(x.TraceHeader), event: l.event(x, resource)}
	if a.trace == "" {
		a.trace = "Root=" + x.TraceRoot
	}
	l.traceCall(x, a.event)
	return a, nil
}

// event is what the function gets, in memory of its own.
func (l *Lambda) event(x *plan.Exchange, resource string) []byte {
	switch l.Kind {
	case RESTToken:
		return lambdaevent.AuthorizerToken(nil, resource, l.sources[0].value(x))
	case RESTRequest:
		return lambdaevent.AuthorizerREST(nil, x, resource)
	case HTTPRequest10:
		return lambdaevent.AuthorizerHTTP10(nil, x, resource, l.identity(x))
	case WebSocketRequest:
		return lambdaevent.AuthorizerWebSocket(nil, x, resource)
	default:
		return lambdaevent.AuthorizerHTTP20(nil, x, resource, l.identity(x))
	}
}

// identity are the values of the identity sources.
func (l *Lambda) identity(x *plan.Exchange) []string {
	values := make([]string, len(l.sources))
	for i := range l.sources {
		values[i] = l.sources[i].value(x)
	}
	return values
}

// call asks the function for one request alone.
func (l *Lambda) call(x *plan.Exchange, resource string) (*verdict, error) {
	o, err := l.alone(x, resource)
	if err != nil {
		return nil, err
	}
	return l.conclude(x, &o, true)
}

func (l *Lambda) alone(x *plan.Exchange, resource string) (outcome, error) {
	a, err := l.ask(x, resource)
	if err != nil {
		return outcome{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), l.Timeout)
	defer cancel()
	if done := x.Request.Done; done != nil {
		var watch sync.WaitGroup
		watch.Go(func() {
			select {
			case <-done:
				cancel()
			case <-ctx.Done():
			}
		})
		defer watch.Wait()
		defer cancel()
	}
	o := l.invoke(ctx, a)
	if o.verdict == nil && isDone(x.Request.Done) {
		return o, gone()
	}
	return o, nil
}

// share asks the function for all requests with the key, or waits with another
// that has asked.
func (l *Lambda) share(x *plan.Exchange, resource string, key cacheKey) (*verdict, error) {
	v, f, started := l.Cache.join(&key, l.scope, l.TTL)
	if v != nil {
		return v, nil
	}
	if started {
		if err := l.launch(x, resource, &key, f); err != nil {
			return nil, err
		}
	}
	select {
	case <-f.done:
		return l.conclude(x, &f.outcome, started)
	case <-x.Request.Done:
		l.Cache.leave(&key, f)
		return nil, gone()
	}
}

// launch starts a call that others may wait for.
func (l *Lambda) launch(x *plan.Exchange, resource string, key *cacheKey, f *flight) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), l.Timeout)
	f.cancel = cancel
	land := func(o *outcome) {
		// Not everything that fails returns; nobody must wait for ever.
		l.Cache.land(key, f, *o)
		cancel()
	}
	refused := outcome{words: authorizerFailed}
	started := false
	defer func() {
		if !started {
			land(&refused)
		}
	}()
	a, err := l.ask(x, resource)
	if err != nil {
		refused = outcome{words: invalidPermissions, status: 403, cause: errors.Unwrap(err)}
		return err
	}
	started = true
	go func() {
		o := outcome{words: authorizerFailed}
		defer func() {
			// A request's own goroutine has the server to catch its panics.
			if p := recover(); p != nil {
				o = outcome{words: fmt.Sprint(authorizerFailed, ": panic: ", p)}
			}
			land(&o)
		}()
		o = l.invoke(ctx, a)
	}()
	return nil
}

func isDone(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// conclude reports the outcome of a call on an exchange. own tells that the
// exchange made the call and didn't wait for another's.
func (l *Lambda) conclude(x *plan.Exchange, o *outcome, own bool) (*verdict, error) {
	if own {
		r := &x.Authorizer
		r.FunctionLatency, r.FunctionStatus, r.RequestID = o.latency, o.status, o.requestID
		l.traceResult(x, o)
	}
	switch {
	case o.verdict != nil:
		return o.verdict, nil
	case o.unauthorized:
		return nil, l.unauthorized(x, "the function says Unauthorized")
	default:
		return nil, l.misconfigured(x, o.words, o.cause)
	}
}

// invoke calls the function and reads its answer.
func (l *Lambda) invoke(ctx context.Context, a asked) outcome {
	start := l.Clock()
	result, err := l.Function.Invoke(ctx, a.trace, a.event)
	o := outcome{status: 200, latency: l.Clock().Sub(start), requestID: result.RequestID, result: result.Payload}
	if err != nil {
		return l.notRun(o, err)
	}
	if result.Failed && failureMessage(result.Payload) == unauthorizedError {
		// UNVERIFIED: that it is so on HTTP APIs.
		o.unauthorized = true
		return o
	}
	answer, err := l.read(result.Payload)
	if result.Failed && err == nil {
		o.words = authorizerFailed
		return o
	}
	if err != nil {
		o.words = configurationError + err.Error()
		return o
	}
	v, err := newVerdict(answer)
	if err != nil {
		o.words = configurationError + err.Error()
		return o
	}
	o.verdict = v
	return o
}

// notRun is the outcome of a function that wasn't run, or not to its end.
// UNVERIFIED: the words of a timeout.
func (l *Lambda) notRun(o outcome, err error) outcome {
	o.status, o.result, o.cause = 500, nil, err
	var refused interface{ Status() int }
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		o.status, o.words = 504, "Execution failed due to a timeout error"
	case errors.As(err, &refused):
		o.status, o.words = refused.Status(), authorizerFailed
	default:
		o.words = authorizerFailed
	}
	return o
}

func (l *Lambda) read(result []byte) (lambdaevent.AuthorizerAnswer, error) {
	switch l.Kind {
	case HTTPRequest10:
		return lambdaevent.HTTPAnswer10(result)
	case HTTPRequest20:
		return lambdaevent.HTTPAnswer20(result)
	case HTTPSimple:
		return lambdaevent.SimpleAnswer(result)
	case WebSocketRequest:
		return lambdaevent.WebSocketAnswer(result)
	default:
		return lambdaevent.RESTAnswer(result)
	}
}

// failureMessage is the message in the document of a function's error.
func failureMessage(document []byte) string {
	var d struct {
		ErrorMessage string `json:"errorMessage"`
	}
	if json.Unmarshal(document, &d) != nil {
		return ""
	}
	return d.ErrorMessage
}

// errPolicy is what AWS logs of answers whose policy can't be read.
var errPolicy = errors.New("Could not parse policy") //nolint:staticcheck // AWS's words

func newVerdict(a lambdaevent.AuthorizerAnswer) (*verdict, error) {
	v := &verdict{allowed: a.Allowed, authorization: &plan.Authorization{
		PrincipalID: a.PrincipalID, Values: a.Context, UsageIdentifierKey: a.UsageIdentifierKey,
	}}
	v.size = len(a.PrincipalID) + len(a.UsageIdentifierKey)
	for _, value := range a.Context {
		v.size += len(value.Name) + len(value.Text) + len(value.JSON) + 3*16
	}
	if a.Policy == "" {
		return v, nil
	}
	document, err := policy.Parse(policy.Authorizer, a.Policy)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPolicy, err)
	}
	for i := range document.Statements {
		if err := checkResources(&document.Statements[i]); err != nil {
			return nil, fmt.Errorf("%w: %w", errPolicy, err)
		}
	}
	// A parsed document takes about as much again as its text, and more for many
	// small statements.
	v.policy, v.size = document, v.size+2*len(a.Policy)+256*len(document.Statements)
	return v, nil
}

// checkResources refuses a statement with resources that are too long, or that
// are no ARNs and so name nothing where they are to keep somebody out.
// UNVERIFIED: that AWS refuses such policies, as a whole.
func checkResources(s *policy.Statement) error {
	for _, list := range [...][]string{s.Resource, s.NotResource} {
		for _, resource := range list {
			if utf8.RuneCountInString(resource) > maxPolicyARN {
				return fmt.Errorf("a resource has more than %d characters", maxPolicyARN)
			}
		}
	}
	excluding := s.NotResource
	if s.Deny {
		excluding = s.Resource
	}
	for _, resource := range excluding {
		if resource != "*" && !strings.HasPrefix(resource, "arn:") {
			return fmt.Errorf("resource %q is no ARN", resource)
		}
	}
	return nil
}
