package vtl

import (
	"iter"

	"gatehouse/internal/plan"
)

// A Scope is what a template sees beside its own variables. Texts that Params,
// StageVariables and Context give may end up in Overrides, and so must stay as
// they are for as long as these are used.
type Scope struct {
	// Body is the message that $input.body, $input.json and $input.path read:
	// the request's, or in a template of the response the integration's. An
	// empty one reads as {}. Render doesn't keep it.
	Body []byte
	// Params are $input.params, those of the method's request in both
	// directions. Nil means that there are none.
	Params Params
	// StageVariables are $stageVariables.
	StageVariables map[string]string
	// Context is $context without its overrides. Nil is an empty one.
	Context Context
	// Overrides is what the template sets on $context. It is needed only by
	// templates that do; for others it may be nil.
	Overrides *plan.Overrides
}

// A Place is where a parameter of a request stands.
type Place uint8

// The places in the order in which $input.params('name') looks into them.
const (
	PathParams Place = iota
	QueryString
	HeaderParams
)

// Params are the parameters of a method's request.
type Params interface {
	// Param is the value of a parameter, decoded; of several the last. How names
	// compare is the implementation's: those of headers without regard to case.
	Param(place Place, name string) (value string, ok bool)
	// Params are all names of a place, each once, with what Param has for them.
	Params(place Place) iter.Seq2[string, string]
}

// A Context is $context without requestOverride and responseOverride. All its
// values are texts.
// UNVERIFIED: that AWS has requestTimeEpoch as a text, not as a number, and
// isCanaryRequest, not as a boolean.
type Context interface {
	// Get is the value of a variable by its dotted name without "$context.":
	// "identity.sourceIp", "authorizer.claims.email".
	Get(name string) (value string, ok bool)
	// Keys are the names of a map's members in AWS's order: of "" ($context
	// itself), "identity", "authorizer", "authorizer.claims". It is nil if the
	// name isn't a map's, and empty but not nil for a map without members. Those
	// of "" include the two overrides.
	Keys(name string) []string
}
