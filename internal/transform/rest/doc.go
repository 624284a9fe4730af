// Package rest changes requests of REST APIs on their way to an integration and
// the integration's responses on their way back: parameter mapping, mapping
// templates, passthrough, the conversion of bodies between text and bytes, and
// the choice of an integration response.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-data-transformations.html
//
// NewRequest and NewResponse read a method's integration once, when a stage is
// compiled; what is wrong with it is said there. Per request the result only
// reads the exchange and appends to its memory; templates are package vtl's.
//
// A mapping is made of sources (expression.go), which say what a parameter's
// value is; params.go is what a request's parameters are to sources and to
// templates alike; names.go has which headers go where. validator.go checks
// requests before they are mapped, gatewayresponse.go words the gateway's errors.
//
// Routes of WebSocket APIs are mapped much alike: route.go has what is different
// about their requests, routeresponse.go and routevalidator.go are theirs alone.
//
// It imports plan, contextvar, vtl and model. Package compile puts mappings on
// routes; the next stop on a request's walk is integrate.
package rest
