// Package rest reads and writes the documents that REST APIs are imported from
// and exported to: Swagger 2.0 and OpenAPI 3.0 in JSON or YAML, with AWS's
// x-amazon-apigateway extensions. What a document says of an API is an API of
// AWS's own shapes. OpenAPI 3.1, which AWS doesn't take, is read as 3.0 with a
// warning of everything that had to be written otherwise.
//
// It is pure: no store, no control, no network. control/apigateway checks and
// stores what was read, and gathers what is written. Reading is bounded: in
// bytes, in values and depth (package tree), in what references repeat, and in
// what is said about the document.
package rest
