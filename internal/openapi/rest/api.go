package rest

import (
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/openapi/tree"
)

// An API is a REST API as a document describes it. The shapes hold what the
// document says and nil where it says nothing; ids are left to who stores them,
// and names stand in their place.
type API struct {
	apigateway.RestApi
	// Resources are the paths of the document, in its order. Resources above
	// them aren't listed unless the document has them.
	Resources        []*Resource
	Models           []*Model
	Validators       []*apigateway.RequestValidator
	Authorizers      []*apigateway.Authorizer
	GatewayResponses []*apigateway.GatewayResponse
	Parts            []*apigateway.DocumentationPart
	// DocumentationVersion is the version that the parts are said to be, "" for
	// none. It is for exports; that an import makes no version of that name is
	// UNVERIFIED.
	DocumentationVersion string
}

// A Resource is a path with its methods, in the order of the document.
type Resource struct {
	Path    string
	Methods []*Method
}

// A Method is an operation of a path. Its integration is in MethodIntegration,
// with the integration responses by status code.
type Method struct {
	apigateway.Method
	// Authorizer and Validator are names, "" for none; the shape's ids are nil.
	Authorizer, Validator string
}

// A Model is a schema. What is read has no text in Schema before SetID.
type Model struct {
	apigateway.Model
	schema *tree.Node
}

// modelAddress begins the references between models; the API's id and
// "/models/" and the name follow.
const modelAddress = "https://apigateway.amazonaws.com/restapis/"

// SetID gives an API that was read its id, and models the texts of their
// schemas, whose references name it.
func (a *API) SetID(id string) {
	a.Id = &id
	for _, m := range a.Models {
		if m.schema != nil {
			m.Schema = new(string(printSchema(m.schema, modelAddress+id+"/models/")))
		}
	}
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
