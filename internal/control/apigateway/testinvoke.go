package apigateway

import (
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// A Tester runs single methods, deployed or not.
type Tester interface {
	// PrepareTest compiles the method that a test is of as the transaction has it;
	// method is the name it is stored by. The function that it returns runs it and
	// needs no transaction.
	PrepareTest(tx *store.Tx, c *awswire.Call, method string, in *apigateway.TestInvokeMethodRequest) (func() *apigateway.TestInvokeMethodResponse, error)
}

// An AuthorizerTester runs single authorizers, deployed or not.
type AuthorizerTester interface {
	// PrepareAuthorizerTest compiles the authorizer that a test is of as the
	// transaction has it. The function that it returns runs it and needs no
	// transaction.
	PrepareAuthorizerTest(tx *store.Tx, c *awswire.Call, in *apigateway.TestInvokeAuthorizerRequest) (func() *apigateway.TestInvokeAuthorizerResponse, error)
}

// TestInvokeAuthorizer runs an authorizer as it is stored now for the caller
// alone.
func (s *Service) TestInvokeAuthorizer(c *awswire.Call, in *apigateway.TestInvokeAuthorizerRequest) (*apigateway.TestInvokeAuthorizerResponse, error) {
	var run func() *apigateway.TestInvokeAuthorizerResponse
	err := s.store.View(c, func(tx *store.Tx) error {
		if _, err := getAPI(tx, c, value(in.RestApiId)); err != nil {
			return err
		}
		if _, err := getAuthorizer(tx, c, value(in.RestApiId), value(in.AuthorizerId)); err != nil {
			return err
		}
		var err error
		run, err = s.authorizerTester.PrepareAuthorizerTest(tx, c, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return run(), nil
}

// TestInvokeMethod runs a method as it is stored now for the caller alone.
func (s *Service) TestInvokeMethod(c *awswire.Call, in *apigateway.TestInvokeMethodRequest) (*apigateway.TestInvokeMethodResponse, error) {
	var run func() *apigateway.TestInvokeMethodResponse
	err := s.store.View(c, func(tx *store.Tx) error {
		resource, err := getResource(tx, c, value(in.RestApiId), value(in.ResourceId))
		if err != nil {
			return err
		}
		method, err := testedMethod(resource, value(in.HttpMethod))
		if err != nil {
			return err
		}
		if id := value(in.ClientCertificateId); id != "" {
			if _, err := getCertificate(tx, c, id); err != nil {
				return err
			}
		}
		run, err = s.tester.PrepareTest(tx, c, method, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	// A call of a backend takes as long as it likes.
	return run(), nil
}

// anyMethod is the method that takes every verb a resource has no method for.
const anyMethod = "ANY"

// testedMethod is the name of the method of a resource that is tested.
// UNVERIFIED: that a verb tests the resource's ANY if it has no method of its own.
func testedMethod(resource *definition.Resource, verb string) (string, error) {
	if _, err := methodOf(resource, verb); err == nil {
		return verb, nil
	}
	if isMethod(verb) {
		if _, err := methodOf(resource, anyMethod); err == nil {
			return anyMethod, nil
		}
	}
	return "", notFound(noMethod)
}
