// Package model validates bodies against the models of a REST API: JSON Schema
// draft 4 as AWS applies it.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings-models.html
//
// Compile has a schema checked by the JSON Schema library, resolves what it
// refers to (other models of the API, never anything else, and nothing is
// fetched) and lowers it into a form of its own. That form is run over a body's
// bytes: no values are built, and a valid body costs next to no memory. What is
// wrong with a body is said in the words of the Java validator that AWS uses.
//
// Regular expressions are ECMA's in RE2's form (regexp.go), so that none takes
// more than linear time. Back references don't compile, look-around does only
// where an anchored expression begins with it.
//
// What AWS documents as without effect has none: exclusiveMinimum, and formats
// other than those in format.go.
//
// It imports the standard library and the JSON Schema library. The next stop is
// transform/rest, whose Validator picks the model for a request.
package model
