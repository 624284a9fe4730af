// Package transform changes requests on their way to an integration and
// responses on their way back: the parameter mapping of HTTP APIs.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
//
// NewRequest and NewResponse read an integration's mappings once, when a stage
// is compiled: keys ("append:header.x") into rules, values ("${request.path}")
// into expressions, stage variables into text. What is wrong with them is said
// there, in AWS's words. Per request the rules only append to the exchange's
// own memory.
//
// AWS gives mappings as a map. Here they apply in this order: first all that
// remove, then those that overwrite, then those that append, each sorted by
// key; and every value is that of the message before any of them.
// UNVERIFIED: AWS's order.
//
// A fault of the gateway isn't a response of the integration: its status is
// mapped by none.
// UNVERIFIED: that AWS, too, leaves what it answers itself alone.
//
// It imports plan and contextvar. Package compile puts mappings on routes; the
// next stop on a request's walk is integrate, and serve/respond.go on its way
// back.
package transform
