package openapi

import (
	"fmt"

	"gatehouse/internal/awsapi/apigatewayv2"
)

// A Document is an HTTP API as an OpenAPI document describes it. The shapes
// hold what the document says; their ids are left to who stores them.
type Document struct {
	// API has a nil member where the document says nothing.
	API          apigatewayv2.Api
	Authorizers  []*Authorizer
	Integrations []*Integration
	Routes       []*Route

	// Info lists what is legal in a document and means nothing to an HTTP API;
	// Warnings what is wrong and was left out.
	Info, Warnings []string
}

// An Authorizer is a security scheme with an authorizer. Its Name is the
// scheme's.
type Authorizer struct{ apigatewayv2.Authorizer }

// An Integration is written in an operation, or among the components for
// operations to share.
type Integration struct {
	apigatewayv2.Integration
	// Name is that of a component, "" in an operation.
	Name string
	// RouteKey is that of the operation it is written in.
	RouteKey string
	// ExportedID is the id that it had in the API whose export this is, "" when
	// the document doesn't say.
	ExportedID string
}

// A Route is an operation. Target and AuthorizerId are given by Integration
// and Authorizer.
type Route struct {
	apigatewayv2.Route
	// Method and Path are where the operation stands; the method is "ANY" for
	// x-amazon-apigateway-any-method.
	Method, Path string
	// Integration is nil for a route without one.
	Integration *Integration
	// Authorizer is nil for a route that needs none.
	Authorizer *Authorizer
}

// Refused is the warning that an authorizer couldn't be made, and why.
func (a *Authorizer) Refused(reason string) string {
	return fmt.Sprintf("Unable to create Authorizer '%s': %s. Ignoring.", *a.Name, reason)
}

// Refused is the warning that an integration couldn't be made, and why.
func (i *Integration) Refused(reason string) string {
	if i.Name != "" {
		// UNVERIFIED: the words; recorded are only those of integrations in operations.
		return fmt.Sprintf("Unable to create integration '%s': %s. Ignoring.", i.Name, reason)
	}
	return fmt.Sprintf("Unable to create integration for resource at path '%s': %s. Ignoring.", i.RouteKey, reason)
}

// Refused is the warning that a route couldn't be made, and why.
func (r *Route) Refused(reason string) string {
	return fmt.Sprintf("Unable to put method '%s' on resource at path '%s': %s. Ignoring.", r.Method, r.Path, reason)
}
