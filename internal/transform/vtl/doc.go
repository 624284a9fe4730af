// Package vtl is the language of API Gateway's mapping templates: Velocity 1.7
// with the variables $input, $util, $stageVariables and $context.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
//
// Parse compiles a template once, when a stage is compiled, and says in which
// line and column it is wrong. Render runs it for a request; a template is
// never written after it was parsed, so any number of requests may render it at
// once. What a template may cost is bounded: the size of its output, the steps
// it takes, how deep it nests.
//
// It imports plan, for the overrides of an exchange, and nothing else of the
// gateway: what a request is to a template is a Scope, which the caller fills.
package vtl
