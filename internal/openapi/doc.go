// Package openapi reads and writes the OpenAPI documents that HTTP APIs are
// imported from and exported to: OpenAPI 3.0 in JSON or YAML with AWS's
// x-amazon-apigateway extensions. What a document says of an API is a Document
// of AWS's own shapes; what AWS has no use for is listed, and what is wrong
// with it is said in AWS's words.
//
// It is pure: no store, no control, no network. control/apigatewayv2 checks and
// stores what was read, and gathers what is written.
package openapi
