// Package apigatewayv2 is the operations of Amazon API Gateway's version 2
// service, for HTTP and WebSocket APIs: it checks a request, changes the stored
// shapes in one transaction, deploys to the stages that deploy automatically, and
// answers.
//
// What the service has and the gateway doesn't run yet (domains, VPC links, ...)
// is refused with 501 and named, never stored and ignored; the few exceptions are
// in docs/COVERAGE.md. What AWS has for WebSocket APIs only is refused for HTTP
// APIs as AWS refuses it; what is theirs alone is in the files websocket*.go.
//
// It must not import compile or any data-plane package: what it needs to know
// about running definitions it asks through Compiler. The documents are
// definition's; the next stop of a change is store, which has it compiled
// before it commits.
package apigatewayv2
