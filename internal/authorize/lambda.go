package authorize

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"gatehouse/internal/plan"
	"gatehouse/internal/policy"
)

// A Function runs the function of a Lambda authorizer.
type Function interface {
	// Permitted returns why the authorizer may not call the function, nil when it
	// may. source is the authorizer's ARN, which the function's policy is asked
	// about.
	Permitted(x *plan.Exchange, source string) error
	// Invoke calls the function with an event, which it may keep, and waits for
	// the result. An error means that the function couldn't be run; one with a
	// method Status() int says with which HTTP status the Lambda service answers
	// such a call. When ctx ends the wait ends with its error.
	Invoke(ctx context.Context, traceID string, event []byte) (FunctionResult, error)
}

// A FunctionResult is what a function that could be run came to.
type FunctionResult struct {
	RequestID string
	// Payload is the result, or the document of an error, the receiver's to keep.
	Payload []byte
	// Failed tells that the function failed.
	Failed bool
}

// A LambdaKind is what a Lambda authorizer sends and takes.
type LambdaKind uint8

// The kinds of Lambda authorizers: of REST APIs, of HTTP APIs by payload format,
// where Simple is that of simple responses in format 2.0, and of WebSocket APIs.
const (
	RESTToken LambdaKind = iota + 1
	RESTRequest
	HTTPRequest10
	HTTPRequest20
	HTTPSimple
	WebSocketRequest
)

func (k LambdaKind) protocol() plan.Protocol {
	switch k {
	case HTTPRequest10, HTTPRequest20, HTTPSimple:
		return plan.HTTP
	case WebSocketRequest:
		return plan.WebSocket
	default:
		return plan.REST
	}
}

// maxTTL is the longest time that AWS keeps an answer for.
const maxTTL = time.Hour

// authorizerTimeout is how long AWS waits for an authorizer's function.
const authorizerTimeout = 10 * time.Second

// maxMethodARN is the longest ARN of a method that REST APIs have, in bytes, and
// maxPolicyARN the longest resource in a policy of an authorizer, in characters.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
const (
	maxMethodARN = 1600
	maxPolicyARN = 512
)

// LambdaOptions are what a Lambda authorizer is made of.
type LambdaOptions struct {
	Kind LambdaKind
	// ID is the authorizer's; API and Stage are where it guards routes. Variables
	// are the stage's.
	ID        string
	API       *plan.API
	Stage     string
	Variables map[string]string
	// Sources are its identity sources as they are written; one of type TOKEN has
	// one header.
	Sources []string
	// Validation is the expression that a token has to match as a whole, "" for
	// none.
	Validation string
	// TTL is how long answers are kept, 0 for not at all; it needs sources.
	TTL time.Duration
	// Definition is everything about the authorizer that an answer hangs on, as
	// text: one that differs doesn't use the answers of the other.
	Definition string
	// URI is where AWS would invoke the function, for logs.
	URI      string
	Function Function
	// Policy is the resource policy of a REST API, nil for none.
	Policy *ResourcePolicy
	// Cache keeps answers and may serve many authorizers.
	Cache *AnswerCache
	// Clock measures latencies and is what conditions on time are held against;
	// nil is time.Now.
	Clock func() time.Time
	// Timeout bounds a call; 0 is AWS's 10 seconds.
	Timeout time.Duration
}

// A Lambda is an authorizer that is a function.
type Lambda struct {
	LambdaOptions
	sources []identitySource
	// required tells that a request without one of the sources is turned away.
	required   bool
	validation *regexp.Regexp
	// arn is the authorizer's, which the policy of its function is asked about.
	arn    string
	scope  cacheScope
	prefix cacheKey
}

// NewLambda makes an authorizer. The error says what is wrong with it.
func NewLambda(o LambdaOptions) (*Lambda, error) {
	l := &Lambda{LambdaOptions: o, scope: cacheScope{o.API.ID, o.Stage}}
	if l.Clock == nil {
		l.Clock = time.Now
	}
	if l.Timeout == 0 {
		l.Timeout = authorizerTimeout
	}
	l.arn = "arn:aws:execute-api:" + o.API.Region + ":" + o.API.AccountID + ":" + o.API.ID + "/authorizers/" + o.ID
	for _, written := range o.Sources {
		s, err := newIdentitySource(o.Kind.protocol(), written, o.Variables)
		if err != nil {
			return nil, err
		}
		l.sources = append(l.sources, s)
	}
	if o.Kind == RESTToken && (len(l.sources) != 1 || l.sources[0].kind != fromHeader || l.sources[0].joins) {
		return nil, errors.New("an authorizer of type TOKEN needs one header")
	}
	if o.Validation != "" && o.Kind == RESTToken {
		var err error
		// UNVERIFIED: that what AWS's expressions have and ours don't (lookaround,
		// back references) is used by nobody; one that can't be read lets nobody
		// pass.
		if l.validation, err = regexp.Compile(`\A(?:` + o.Validation + `)\z`); err != nil {
			return nil, fmt.Errorf("its identity validation expression: %w", err)
		}
	}
	l.TTL = min(l.TTL, maxTTL)
	if len(l.sources) == 0 || l.TTL < 0 || l.Cache == nil {
		l.TTL = 0
	}
	l.required = l.TTL > 0 || o.Kind != RESTRequest
	if l.TTL > 0 {
		l.prefix = l.Cache.authorizerKey(o.API.AccountID, o.API.Region, o.API.ID, o.Stage, o.ID,
			strconv.Itoa(int(o.Kind)), o.TTL.String(), o.Definition)
	}
	return l, nil
}

// A verdict is a function's answer, ready to be held against many requests. It
// is never written once it is made.
type verdict struct {
	// policy is nil in a simple answer, whose word allowed is.
	policy        *policy.Document
	allowed       bool
	authorization *plan.Authorization
	// size is about how many bytes it takes.
	size int
}

// Authorize implements plan.Authorizer.
func (l *Lambda) Authorize(x *plan.Exchange) error {
	start := l.Clock()
	x.Authorizer = plan.AuthorizerReport{Called: true, Status: 200}
	err := l.authorize(x, start)
	x.Authorizer.Latency = l.Clock().Sub(start)
	return err
}

func (l *Lambda) authorize(x *plan.Exchange, now time.Time) error {
	resource := Resource(x)
	if l.Kind.protocol() == plan.REST && len(resource) > maxMethodARN {
		x.Authorizer.Called = false
		return &plan.Fault{Kind: plan.URITooLong, Reason: "the ARN of the method is over " + strconv.Itoa(maxMethodARN) + " bytes"}
	}
	granted := policy.Silent
	if l.Policy != nil {
		if granted = l.Policy.Decide(x, policy.Caller{}, nil); granted == policy.Denied {
			x.Authorizer.Called = false
			return l.deniedByResource(resource)
		}
	}
	l.traceStart(x)
	v, err := l.verdict(x, resource, now)
	if err != nil {
		return err
	}
	// Gateway responses tell what it says also of callers that are turned away.
	x.Authorization = v.authorization
	l.tracePolicy(x, v)
	if err := l.decide(x, v, granted, now); err != nil {
		return err
	}
	l.traceEnd(x)
	return nil
}

// verdict returns the answer that applies to a request: one that is kept, or a
// new one.
func (l *Lambda) verdict(x *plan.Exchange, resource string, now time.Time) (*verdict, error) {
	// Most keys fit.
	var stack [1024]byte
	framed, present := append(stack[:0], l.prefix[:]...), true
	for i := range l.sources {
		var found bool
		framed, found = l.sources[i].appendKey(framed, x)
		present = present && found
	}
	if l.required && !present {
		return nil, l.unauthorized(x, "an identity source of the authorizer is missing")
	}
	if x.Trace.WantsInfo() {
		l.traceIdentity(x)
	}
	var key cacheKey
	if l.TTL > 0 {
		key = hashKey(framed)
		if v := l.Cache.find(&key, now); v != nil {
			return v, nil
		}
	}
	// A token that has an answer did match.
	if l.validation != nil && !l.validation.MatchString(l.sources[0].value(x)) {
		return nil, l.unauthorized(x, "the token doesn't match the authorizer's expression")
	}
	if l.TTL > 0 {
		return l.share(x, resource, key)
	}
	return l.call(x, resource)
}

// decide holds an answer against a request. granted is what the resource policy
// says, Silent without one.
func (l *Lambda) decide(x *plan.Exchange, v *verdict, granted policy.Decision, now time.Time) error {
	if v.policy == nil {
		if v.allowed {
			return nil
		}
		return l.denied(x, "the function says that the caller isn't authorized", "")
	}
	q := inquiries.Get().(*inquiry)
	q.of(x, now, l.Policy)
	said := q.decide(v.policy)
	q.release()

	switch {
	case said == policy.Denied:
		return l.denied(x, "the function's policy denies the request", explicitDeny)
	case said != policy.Allowed && granted != policy.Allowed:
		return l.denied(x, "the function's policy doesn't allow the request", implicitDeny)
	case v.authorization.PrincipalID != "":
		return nil
	}
	switch l.Kind {
	case WebSocketRequest:
		return l.denied(x, "the function didn't say who calls", "")
	case RESTToken, RESTRequest:
		// UNVERIFIED: AWS says that the member is required, not what comes of an
		// answer that allows without it.
		return l.misconfigured(x, "the answer has no principalId", nil)
	}
	return nil
}
