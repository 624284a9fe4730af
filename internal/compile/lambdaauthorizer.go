package compile

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"gatehouse/internal/authorize"
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
)

// lambda compiles a Lambda authorizer of an HTTP API or a WebSocket API. Routes
// share it.
func (g *guards) lambda(doc *definition.Authorizer) (plan.Authorizer, error) {
	id := value(doc.AuthorizerId)
	if a := g.lambdas[id]; a != nil {
		return a, nil
	}
	kind := authorize.HTTPRequest20
	switch {
	case g.stage.API.Protocol == plan.WebSocket:
		kind = authorize.WebSocketRequest
	case value(doc.EnableSimpleResponses):
		kind = authorize.HTTPSimple
	case value(doc.AuthorizerPayloadFormatVersion) == "1.0":
		kind = authorize.HTTPRequest10
	}
	a, err := g.c.lambdaAuthorizer(g.stage, value(doc.AuthorizerUri), value(doc.AuthorizerCredentialsArn), doc.Authorizer, authorize.LambdaOptions{
		Kind: kind, ID: id, Sources: doc.IdentitySource,
		// UNVERIFIED: that one without a time to live keeps no answers; sources
		// disagree on HTTP APIs.
		TTL: time.Duration(value(doc.AuthorizerResultTtlInSeconds)) * time.Second,
	})
	if err != nil {
		return nil, err
	}
	g.lambdas[id] = a
	return a, nil
}

const (
	// defaultAuthorizerTTL is how long a REST API keeps answers that isn't told.
	defaultAuthorizerTTL = 300
	defaultTokenSource   = "method.request.header.Authorization"
)

// lambda compiles a Lambda authorizer of a REST API, of type TOKEN or REQUEST.
// Methods share it.
func (m *methodBuilder) lambda(doc *definition.RestAuthorizer) (plan.Authorizer, error) {
	id := value(doc.Id)
	if a := m.lambdas[id]; a != nil {
		return a, nil
	}
	a, err := m.newLambda(doc)
	if err != nil {
		return nil, err
	}
	m.lambdas[id] = a
	return a, nil
}

func (m *methodBuilder) newLambda(doc *definition.RestAuthorizer) (plan.Authorizer, error) {
	o := authorize.LambdaOptions{
		Kind: authorize.RESTRequest, ID: value(doc.Id), Policy: m.policy,
		TTL: time.Duration(orElse(doc.AuthorizerResultTtlInSeconds, defaultAuthorizerTTL)) * time.Second,
	}
	for source := range strings.SplitSeq(value(doc.IdentitySource), ",") {
		if source = strings.TrimSpace(source); source != "" {
			o.Sources = append(o.Sources, source)
		}
	}
	if kind := value(doc.Type); kind == apigateway.AuthorizerTypeToken {
		o.Kind, o.Validation = authorize.RESTToken, value(doc.IdentityValidationExpression)
		if len(o.Sources) == 0 {
			o.Sources = []string{defaultTokenSource}
		}
	} else if kind != apigateway.AuthorizerTypeRequest {
		return closed{plan.AuthorizerMisconfigured, "authorizer " + o.ID + " is of type " + kind + ", which no function is"}, nil
	}
	return m.c.lambdaAuthorizer(m.stage, value(doc.AuthorizerUri), value(doc.AuthorizerCredentials), doc.Authorizer, o)
}

// lambdaAuthorizer compiles a Lambda authorizer for a stage. One that can't be
// called, or be read, lets nobody pass: AWS tells callers, not who deploys. doc is
// its definition as it is stored.
func (c *Compiler) lambdaAuthorizer(stage *plan.Stage, uri, credentials string, doc any, o authorize.LambdaOptions) (plan.Authorizer, error) {
	if c.parts.AuthorizerFunction == nil {
		return closed{plan.AuthorizerMisconfigured, "nothing here runs functions of authorizers"}, nil
	}
	uri, credentials = expandOrEmpty(uri, stage.Variables), expandOrEmpty(credentials, stage.Variables)
	f, err := parseFunction(uri)
	if err != nil {
		return closed{plan.AuthorizerMisconfigured, "authorizer " + o.ID + ": Invalid function: " + err.Error()}, nil //nolint:nilerr // AWS tells callers
	}
	stored, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("compile: authorizer %s: %w", o.ID, err)
	}
	o.API, o.Stage, o.Variables, o.Cache = stage.API, stage.Name, stage.Variables, c.parts.Answers
	o.Definition = string(stored) + "\n" + uri + "\n" + credentials
	qualified := f.ARN
	if f.Qualifier != "" {
		qualified += ":" + f.Qualifier
	}
	o.URI = "https://lambda." + f.Region + ".amazonaws.com/2015-03-31/functions/" + qualified + "/invocations"
	o.Function = c.parts.AuthorizerFunction(AuthorizerFunction{FunctionARN: f.ARN, Qualifier: f.Qualifier, Credentials: credentials})
	a, err := authorize.NewLambda(o)
	if err != nil {
		return closed{plan.AuthorizerMisconfigured, "authorizer " + o.ID + ": " + err.Error()}, nil //nolint:nilerr // AWS tells callers
	}
	return a, nil
}
