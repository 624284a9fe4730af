// Package vtl is the language of API Gateway's mapping templates: Velocity 1.7
// with the variables $input, $util, $stageVariables and $context.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
//
// Parse compiles a template once, when a stage is compiled, and says in which
// line and column it is wrong. Render runs it for a request; a template is
// never written after it was parsed, so any number of requests may render it at
// once. What a template may cost is bounded (limit.go).
//
// Where AWS is known to differ from Velocity, this follows AWS. Above all, a
// reference without a value is the empty text: it prints as nothing where
// Velocity prints its name, equals "" and any other such reference, and holds in
// an #if, as only false doesn't. Recorded are the first two; that the last is so
// was reported by others.
// UNVERIFIED: that it goes for methods that return null as for properties, and
// that what Java throws (an index out of range, a number that can't be parsed)
// fails the template.
//
// A template is read by parse.go, directive.go, expression.go and reference.go
// into nodes, which the files named for them render with a state. Values
// are Java's (value.go), with the methods that templates call (method*.go). Paths
// are Jayway's (path*.go).
//
// It imports plan, for the overrides of an exchange, and nothing else of the
// gateway: what a request is to a template is a Scope, which the caller fills.
package vtl
