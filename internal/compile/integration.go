package compile

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
)

const targetPrefix = "integrations/"

// integrationID returns the id in a route's target.
func integrationID(target *string) string { return strings.TrimPrefix(value(target), targetPrefix) }

// CheckIntegration says why an integration can't be called as defined, whatever
// the variables of a stage hold.
func (c *Compiler) CheckIntegration(doc *definition.Integration) error {
	// Names of functions and of hosts may hold this one.
	uri, err := anyVariables(value(doc.IntegrationUri), "x")
	if err != nil {
		return err
	}
	_, err = c.call(doc, uri)
	return err
}

// integration compiles an integration for a stage. One that needs a stage
// variable which isn't there answers requests with a fault.
func (c *Compiler) integration(doc *definition.Integration, stage *plan.Stage) (plan.Integration, error) {
	uri, err := expand(value(doc.IntegrationUri), stage.Variables)
	var missing *missingVariable
	if errors.As(err, &missing) {
		return unavailable("stage " + stage.Name + " has no variable " + missing.name + ", which integration " + value(doc.IntegrationId) + " names in its URI"), nil
	}
	if err != nil {
		return nil, err
	}
	call, err := c.call(doc, uri)
	if err != nil && strings.Contains(value(doc.IntegrationUri), variablePrefix) {
		// What the definition is alone was checked; the variables spoil it, and
		// only for this stage.
		return unavailable("integration " + value(doc.IntegrationId) + " can't be called with the variables of stage " + stage.Name + ": " + err.Error()), nil
	}
	return call, err
}

// call compiles an integration whose URI has no variables left.
func (c *Compiler) call(doc *definition.Integration, uri string) (plan.Integration, error) {
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
			Credentials: value(doc.CredentialsArn),
		})
	case apigatewayv2.IntegrationTypeHTTPProxy:
		return c.parts.HTTP(HTTPCall{URI: uri, Method: value(doc.IntegrationMethod), Timeout: timeout})
	default:
		return nil, fmt.Errorf("integration type %q isn't known", kind)
	}
}

// An unavailable integration can't be called and says why.
type unavailable string

// Integrate fails as a call to a broken backend does.
func (u unavailable) Integrate(x *plan.Exchange) error {
	return &plan.Fault{Kind: plan.IntegrationFailure, Reason: string(u)}
}
