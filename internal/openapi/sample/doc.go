// Package sample writes the mapping templates that API Gateway offers for a
// model: of each value that the schema has, a sample.
//
// It is a leaf beside package tree, whose nodes it reads; the operations
// GetModelTemplate of both services answer with it.
package sample
