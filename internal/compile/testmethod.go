package compile

import (
	"errors"
	"fmt"
	"net/http"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
)

// testStage is the stage that AWS tells methods under test they are in.
const testStage = "test-invoke-stage"

// A TestedMethod is a method of a REST API that is to be tested.
type TestedMethod struct {
	store.Scope
	APIID, ResourceID string
	// Method is "GET" or "ANY", as it is stored.
	Method string
	// Variables are in place of a stage's.
	Variables map[string]string
	// ClientCertificateID is the certificate that a backend is shown, "" for none.
	ClientCertificateID string
}

// CompileTest compiles a method as the transaction has it, deployed or not, and
// a stage to run it in: without what stands before a method's execution
// (authorizer, API key, throttles) and what tells of it (logs, metrics). One that
// doesn't compile fails when it is called and says why. CompileTest may be called
// from several goroutines.
func (c *Compiler) CompileTest(tx *store.Tx, t TestedMethod) (*plan.Stage, *plan.Route, error) {
	key := apiKey{t.Scope, t.APIID}
	api, err := definition.RestAPIs.Get(tx, t.Scope, t.APIID)
	if err != nil {
		return nil, nil, fmt.Errorf("compile: API %s: %w", t.APIID, err)
	}
	resource, err := definition.Resources.Get(tx, t.Scope, t.APIID, t.ResourceID)
	if err != nil {
		return nil, nil, fmt.Errorf("compile: resource %s of API %s: %w", t.ResourceID, t.APIID, err)
	}
	doc, ok := resource.ResourceMethods[t.Method]
	if !ok {
		return nil, nil, fmt.Errorf("compile: resource %s of API %s has no method %s", t.ResourceID, t.APIID, t.Method)
	}

	b := &restBuilder{c: c, key: key, head: newRestAPI(key, api)}
	stage := &plan.Stage{API: b.head, Name: testStage, Variables: t.Variables}
	m := methodBuilder{restBuilder: b, stage: stage, doc: &definition.RestStage{}}
	route, err := newMethod(&resource.Resource, t.Method, &doc)
	if err != nil {
		return nil, nil, err
	}
	if m.certificate, err = c.clientCertificate(tx, t.Scope, t.ClientCertificateID); err != nil {
		return nil, nil, err
	}
	var p *Problem
	switch err := m.compileTest(tx, api, route, &doc); {
	case errors.As(err, &p):
		stage.Rest = &plan.RestStage{MinCompression: -1}
		route.Rest.Validator = nil
		route.MapRequest, route.MapResponse = nil, nil
		route.Integration = misconfigured(p.Error())
	case err != nil:
		return nil, nil, err
	}
	stage.Routes = stage.Routes.With(route)
	return stage, route, nil
}

// compileTest compiles what a method under test does and the stage around it.
func (m *methodBuilder) compileTest(tx *store.Tx, api *definition.RestAPI, route *plan.Route, doc *apigateway.Method) error {
	if err := m.readModels(tx); err != nil {
		return err
	}
	if err := m.execution(route, doc); err != nil {
		return err
	}
	var err error
	m.stage.Rest, err = m.frozen(tx, api, m.stage.Variables)
	return err
}

// What AWS tells an authorizer under test it was called for.
const testResourceID = "test-invoke-resource-id"

// A TestedAuthorizer is an authorizer of a REST API that is to be tested.
type TestedAuthorizer struct {
	store.Scope
	APIID, ID string
	// Variables are in place of a stage's.
	Variables map[string]string
}

// CompileAuthorizerTest compiles an authorizer as the transaction has it, and a
// stage and a route to run it in. It may be called from several goroutines.
func (c *Compiler) CompileAuthorizerTest(tx *store.Tx, t TestedAuthorizer) (*plan.Stage, *plan.Route, plan.Authorizer, error) {
	key := apiKey{t.Scope, t.APIID}
	api, err := definition.RestAPIs.Get(tx, t.Scope, t.APIID)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("compile: API %s: %w", t.APIID, err)
	}
	doc, err := definition.RestAuthorizers.Get(tx, t.Scope, t.APIID, t.ID)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("compile: authorizer %s of API %s: %w", t.ID, t.APIID, err)
	}
	b := &restBuilder{c: c, key: key, head: newRestAPI(key, api)}
	stage := &plan.Stage{API: b.head, Name: testStage, Variables: t.Variables, Rest: &plan.RestStage{MinCompression: -1}}
	m := methodBuilder{restBuilder: b, stage: stage, doc: &definition.RestStage{}}
	route, err := newMethod(&apigateway.Resource{Id: new(testResourceID), Path: new("/")}, http.MethodGet, &apigateway.Method{})
	if err != nil {
		return nil, nil, nil, err
	}
	stage.Routes = stage.Routes.With(route)
	var a plan.Authorizer
	if value(doc.Type) == apigateway.AuthorizerTypeCognitoUserPools {
		a, err = m.cognito(doc, nil)
	} else {
		a, err = m.newLambda(doc)
	}
	return stage, route, a, err
}
