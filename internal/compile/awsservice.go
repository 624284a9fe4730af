package compile

import (
	"fmt"
	"strings"
	"time"

	"gatehouse/internal/awsendpoint"
	"gatehouse/internal/definition"
	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
	"gatehouse/internal/transform"
	"gatehouse/internal/transform/rest"
)

// An AWSServiceCall is an integration with a service of AWS.
type AWSServiceCall struct {
	URI awsendpoint.URI
	// Method is the method to call with, "ANY" to keep the client's.
	Method  string
	Timeout time.Duration
	// Credentials is the ARN of the role to call with, or
	// arn:aws:iam::*:user/* for those of the caller.
	Credentials string
	// Proxy tells that what the service refuses is the gateway's failure, as on
	// HTTP APIs.
	Proxy bool
}

// awsService makes an integration with a service. One that can't be called says so
// to who calls, as other integrations do.
func (c *Compiler) awsService(call AWSServiceCall) (plan.Integration, error) {
	if c.parts.AWSService == nil {
		return misconfigured("this gateway calls no AWS services"), nil
	}
	called, err := c.parts.AWSService(call)
	if err != nil {
		return misconfigured("Invalid endpoint address: " + err.Error()), nil //nolint:nilerr // that is how it is said
	}
	return called, nil
}

// callsFunction tells whether a URI names a function to invoke, and not another
// operation of Lambda or another service.
func callsFunction(uri string) bool {
	return strings.Contains(uri, ":lambda:path/") && strings.Contains(uri, "/functions/") && strings.HasSuffix(uri, "invocations") ||
		strings.HasPrefix(uri, "arn:") && strings.Contains(uri, ":function:") && !strings.Contains(uri, ":apigateway:")
}

// serviceKind is the kind of an integration by its URI: AWS stands for functions
// and for services.
func serviceKind(kind rest.Kind, uri string) rest.Kind {
	if kind == rest.AWS && !callsFunction(uri) {
		return rest.AWSService
	}
	return kind
}

// describeService fills in what the mapping of a request to a service has to know
// of its URI.
func describeService(o *rest.RequestOptions, uri string) {
	u, err := awsendpoint.ParseURI(uri)
	if err != nil {
		return // what calls it says so
	}
	o.URIVariables = integrate.AWSServiceVariables(u)
	if u.Action != "" {
		// UNVERIFIED: that of services with the query protocol.
		o.ContentType = u.Service.ContentType()
	}
}

// action compiles the request of an integration with a subtype for a stage with
// the variables.
func action(doc *definition.Integration, variables map[string]string) (*transform.Action, error) {
	return transform.NewAction(value(doc.IntegrationSubtype), doc.RequestParameters, variables)
}

// actionCall is what an integration with a subtype calls, in the API's region
// unless a parameter names another one.
func (c *Compiler) actionCall(doc *definition.Integration, api *plan.API, credentials string) (plan.Integration, error) {
	of, err := action(doc, nil)
	if err != nil {
		return nil, err
	}
	u := awsendpoint.URI{Region: api.Region, Service: awsendpoint.ByPrefix(of.Service)}
	if u.Service.Protocol == awsendpoint.JSON {
		u.Action = of.Name
	}
	if !awsendpoint.ValidRegion(u.Region) {
		return nil, fmt.Errorf("%q can't be a region", u.Region)
	}
	return c.awsService(AWSServiceCall{
		URI: u, Method: of.Method, Timeout: time.Duration(value(doc.TimeoutInMillis)) * time.Millisecond,
		Credentials: credentials, Proxy: true,
	})
}
