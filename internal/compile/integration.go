package compile

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
	"gatehouse/internal/transform"
)

const targetPrefix = "integrations/"

// integrationID returns the id in a route's target.
func integrationID(target *string) string { return strings.TrimPrefix(value(target), targetPrefix) }

// CheckIntegration says why an integration can't be called as defined, whatever
// the variables of a stage hold.
func (c *Compiler) CheckIntegration(doc *definition.Integration) error {
	// Names of functions and of hosts may be this, and so may a port.
	uri, err := anyVariables(value(doc.IntegrationUri), "1")
	if err != nil {
		return err
	}
	if _, err := anyVariables(value(doc.CredentialsArn), "1"); err != nil {
		return err
	}
	if isAction(doc) {
		return nil // its parameters are all that could be wrong
	}
	_, err = c.call(store.Scope{}, doc, uri, value(doc.CredentialsArn), false)
	return err
}

// isAction tells whether an integration calls an action of a service by its
// subtype.
func isAction(doc *definition.Integration) bool { return value(doc.IntegrationSubtype) != "" }

// CheckMapping says why an integration's parameter mappings can't be applied,
// in AWS's words.
func (c *Compiler) CheckMapping(doc *definition.Integration) error {
	_, _, err := mappings(doc, nil)
	return err
}

// A call is an integration compiled for a stage: as routes with a path call it
// and as a $default route does, and what is mapped on the way there and back.
type call struct {
	fromPath, fromDefault   plan.Integration
	mapRequest, mapResponse plan.Mapping
}

// wire makes a route call the integration.
func (c *call) wire(r *plan.Route) {
	r.Integration = c.fromPath
	if r.Path == "" {
		r.Integration = c.fromDefault
	}
	r.MapRequest, r.MapResponse = c.mapRequest, c.mapResponse
}

func refusal(reason string) *call {
	return &call{fromPath: unavailable(reason), fromDefault: unavailable(reason)}
}

// integration compiles an integration for a stage. One that needs a stage
// variable which isn't there answers requests with a fault.
func (c *Compiler) integration(doc *definition.Integration, stage *plan.Stage) (*call, error) {
	id := value(doc.IntegrationId)
	uri, err := expand(value(doc.IntegrationUri), stage.Variables)
	var credentials string
	if err == nil {
		credentials, err = expand(value(doc.CredentialsArn), stage.Variables)
	}
	var missing *missingVariable
	if errors.As(err, &missing) {
		return refusal("stage " + stage.Name + " has no variable " + missing.name + ", which integration " + id + " names"), nil
	}
	if err != nil {
		return nil, err
	}
	if isAction(doc) {
		return c.actionRoute(doc, stage, credentials)
	}
	owner := store.Scope{Account: stage.API.AccountID, Region: stage.API.Region}
	fromPath, err := c.call(owner, doc, uri, credentials, false)
	if err != nil && uri != value(doc.IntegrationUri) {
		// The definition alone was checked; the variables spoil it, and only for
		// this stage.
		return refusal("integration " + id + " can't be called with the variables of stage " + stage.Name + ": " + err.Error()), nil
	}
	if err != nil {
		return nil, err
	}
	fromDefault := fromPath
	if value(doc.IntegrationType) == apigatewayv2.IntegrationTypeHTTPProxy {
		if fromDefault, err = c.call(owner, doc, uri, credentials, true); err != nil {
			return nil, err
		}
	}
	mapRequest, mapResponse, err := mappings(doc, stage.Variables)
	if err != nil {
		return nil, err
	}
	return &call{fromPath, fromDefault, mapRequest, mapResponse}, nil
}

// actionRoute is integration of one with a subtype.
func (c *Compiler) actionRoute(doc *definition.Integration, stage *plan.Stage, credentials string) (*call, error) {
	called, err := c.actionCall(doc, stage.API, credentials)
	if err != nil {
		return nil, err
	}
	mapRequest, mapResponse, err := mappings(doc, stage.Variables)
	if err != nil {
		return nil, err
	}
	return &call{called, called, mapRequest, mapResponse}, nil
}

// mappings compiles an integration's parameter mappings for a stage with the
// variables; nil where it has none.
func mappings(doc *definition.Integration, variables map[string]string) (request, response plan.Mapping, err error) {
	switch {
	case isAction(doc):
		if request, err = action(doc, variables); err != nil {
			return nil, nil, err
		}
	case len(doc.RequestParameters) > 0:
		if request, err = transform.NewRequest(doc.RequestParameters, variables); err != nil {
			return nil, nil, err
		}
	}
	if len(doc.ResponseParameters) > 0 {
		if response, err = transform.NewResponse(doc.ResponseParameters, variables); err != nil {
			return nil, nil, err
		}
	}
	return request, response, nil
}

// call compiles an integration whose URI has no variables left. A VPC link is the
// owner's.
func (c *Compiler) call(owner store.Scope, doc *definition.Integration, uri, credentials string, appendPath bool) (plan.Integration, error) {
	timeout := time.Duration(value(doc.TimeoutInMillis)) * time.Millisecond
	switch kind := value(doc.IntegrationType); kind {
	case apigatewayv2.IntegrationTypeAWSProxy:
		f, err := parseFunction(uri)
		if err != nil {
			return nil, err
		}
		return c.parts.Lambda(LambdaCall{
			FunctionARN: f.ARN,
			Qualifier:   f.Qualifier,
			Payload:     value(doc.PayloadFormatVersion),
			Timeout:     timeout,
			Credentials: credentials,
		})
	case apigatewayv2.IntegrationTypeHTTPProxy:
		call := HTTPCall{URI: uri, Method: value(doc.IntegrationMethod), AppendPath: appendPath, Timeout: timeout}
		if doc.TlsConfig != nil {
			call.ServerName = value(doc.TlsConfig.ServerNameToVerify)
		}
		if value(doc.ConnectionType) == apigatewayv2.ConnectionTypeVPCLink {
			private, err := privateTarget(uri)
			if err != nil {
				return nil, err
			}
			if name, _, _ := strings.Cut(uri, "?"); owner != (store.Scope{}) && !owns(owner, name) {
				return nil, fmt.Errorf("%s isn't the API's account's", name)
			}
			// A link is named in full: its id may not be that of a variable.
			private.Link = c.parts.Links.Find(owner, value(doc.ConnectionId))
			private.TLS = doc.TlsConfig != nil
			call.URI, call.AppendPath, call.Private = "", false, private
		}
		return c.parts.HTTP(call)
	default:
		return nil, fmt.Errorf("integration type %q isn't known", kind)
	}
}

// An unavailable integration can't be called and says why.
type unavailable string

// Integrate fails as a call to a broken backend does.
func (u unavailable) Integrate(x *plan.Exchange) error {
	x.Integration.Error = string(u)
	return &plan.Fault{Kind: plan.IntegrationFailure, Reason: string(u)}
}
