// Package apiid makes ids as API Gateway does: of APIs, which are unique in the
// whole gateway because their host names don't hold an account, and of what is
// in them. apigateway and apigatewayv2 share it, as they share the host names.
package apiid
