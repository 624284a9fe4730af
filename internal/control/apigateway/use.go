package apigateway

import (
	"iter"
	"maps"
	"slices"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// A methodUse is a method with where it stands, for those who look for what is
// still in use.
type methodUse struct {
	path, verb string
	method     apigateway.Method
}

// methodsOf yields the methods of an API.
func methodsOf(tx *store.Tx, c *awswire.Call, apiID string) iter.Seq2[methodUse, error] {
	return func(yield func(methodUse, error) bool) {
		for e, err := range definition.Resources.All(tx, scope(c), apiID) {
			if err != nil {
				yield(methodUse{}, err)
				return
			}
			methods := e.Doc.ResourceMethods
			for _, verb := range slices.Sorted(maps.Keys(methods)) {
				if !yield(methodUse{value(e.Doc.Path), verb, methods[verb]}, nil) {
					return
				}
			}
		}
	}
}
