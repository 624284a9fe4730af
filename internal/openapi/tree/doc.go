// Package tree is the form that a document of JSON or YAML has between its
// text and its meaning: values that keep their spelling and their order, as
// read and as they are printed in AWS's layout. What is written in a document
// is openapi's and openapi/rest's matter.
//
// Reading is bounded in bytes, values and depth, whatever is sent.
package tree
