// Package apigatewayv2 is the operations of Amazon API Gateway's version 2
// service, for HTTP APIs: it checks a request, changes the stored shapes in one
// transaction, deploys to the stages that deploy automatically, and answers.
//
// What the service has and the gateway doesn't run yet (CORS, authorizers,
// parameter mappings, WebSocket APIs, domains, ...) is refused with 501 and
// named, never stored and ignored. The one exception are the throttling
// settings of stages: stored, not enforced yet.
//
// It must not import compile or any data-plane package: what it needs to know
// about running definitions it asks through Compiler. The documents are
// definition's; the next stop of a change is store, which has it compiled
// before it commits.
package apigatewayv2
