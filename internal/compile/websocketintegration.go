package compile

import (
	"net/http"
	"time"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awsendpoint"
	"gatehouse/internal/definition"
	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
	"gatehouse/internal/transform/rest"
	"gatehouse/internal/transform/websocket"
)

// A socketIntegration is an integration of a WebSocket API.
type socketIntegration struct {
	doc       *definition.Integration
	responses []*definition.IntegrationResponse
	// backend is what is called, nil until a route needs it; routes share it.
	backend plan.Integration
}

// integrate compiles how a route is answered.
func (b *socketBuilder) integrate(route *plan.Route, doc *definition.Route) error {
	id := integrationID(doc.Target)
	if id == "" {
		return nil
	}
	in := b.integrations[id]
	if in == nil {
		route.Integration = unavailable("the route's integration " + id + " is gone")
		return nil
	}
	kind, err := kindOf(value(in.doc.IntegrationType))
	if err == nil {
		err = b.wire(route, kind, in, required(doc))
	}
	if err != nil {
		return problem("Integration", id, err)
	}
	return nil
}

// wire makes a route call an integration. declared are the route's parameters.
func (b *socketBuilder) wire(route *plan.Route, kind rest.Kind, in *socketIntegration, declared map[string]bool) error {
	uri := expandOrEmpty(value(in.doc.IntegrationUri), b.plan.Variables)
	kind = serviceKind(kind, uri)
	request, err := socketRequest(kind, in.doc, declared)
	if err != nil {
		return err
	}
	request.Variables = b.plan.Variables
	switch kind {
	case rest.HTTP, rest.HTTPProxy:
		request.URIVariables = integrate.URIVariables(uri)
	case rest.AWSService:
		describeService(&request, uri)
	}
	if route.MapRequest, err = mapping(rest.NewRequest(request)); err != nil {
		return err
	}
	// What a route answers that isn't two-way reaches nobody. A handshake is
	// answered, if only by a status.
	if route.Socket.TwoWay || route.Key == plan.ConnectRouteKey {
		if route.MapResponse, err = socketResponse(kind, in.responses); err != nil {
			return err
		}
	}
	if in.backend == nil {
		if in.backend, err = b.backend(kind, in.doc, uri); err != nil {
			return err
		}
	}
	route.Integration = in.backend
	return nil
}

// socketRequest is the integration request as package rest compiles it.
func socketRequest(kind rest.Kind, doc *definition.Integration, declared map[string]bool) (rest.RequestOptions, error) {
	selects, err := selector(doc.TemplateSelectionExpression, websocket.NewRequestSelector)
	return rest.RequestOptions{
		Kind:        kind,
		Parameters:  doc.RequestParameters,
		Templates:   doc.RequestTemplates,
		Passthrough: rest.ParsePassthrough(value(doc.PassthroughBehavior)),
		Handling:    rest.ParseHandling(value(doc.ContentHandlingStrategy)),
		Route:       &rest.RouteOptions{Select: selects, Parameters: declared},
	}, err
}

// socketResponse compiles the way from what an integration answers to the client.
func socketResponse(kind rest.Kind, responses []*definition.IntegrationResponse) (plan.Mapping, error) {
	o := rest.RouteResponseOptions{Kind: kind}
	for _, doc := range responses {
		selects, err := selector(doc.TemplateSelectionExpression, websocket.NewResponseSelector)
		if err != nil {
			return nil, err
		}
		o.Responses = append(o.Responses, rest.RouteResponse{
			Key:       value(doc.IntegrationResponseKey),
			Select:    selects,
			Templates: doc.ResponseTemplates,
			Handling:  rest.ParseHandling(value(doc.ContentHandlingStrategy)),
		})
	}
	return rest.NewRouteResponse(o)
}

// backend compiles what is called. What only the stage's variables spoil answers
// with a fault.
func (b *socketBuilder) backend(kind rest.Kind, doc *definition.Integration, uri string) (plan.Integration, error) {
	timeout := defaultTimeout
	if doc.TimeoutInMillis != nil {
		timeout = time.Duration(*doc.TimeoutInMillis) * time.Millisecond
	}
	switch kind {
	case rest.Mock:
		return integrate.Mock{}, nil
	case rest.HTTP, rest.HTTPProxy:
		call := HTTPCall{URI: uri, Method: socketMethod(doc), Timeout: timeout, ClientCertificate: b.certificate}
		if value(doc.ConnectionType) == apigatewayv2.ConnectionTypeVPCLink {
			owner := store.Scope{Account: b.plan.API.AccountID, Region: b.plan.API.Region}
			call.Private = &integrate.Private{Link: b.c.parts.Links.Find(owner, expandOrEmpty(value(doc.ConnectionId), b.plan.Variables))}
		}
		h, err := b.c.parts.HTTP(call)
		if err != nil {
			return misconfigured("Invalid endpoint address"), nil //nolint:nilerr // AWS tells callers, not who deploys
		}
		return h, nil
	case rest.AWSService:
		u, err := awsendpoint.ParseURI(uri)
		if err != nil {
			return misconfigured(err.Error()), nil //nolint:nilerr // as above
		}
		return b.c.awsService(AWSServiceCall{
			URI: u, Method: socketMethod(doc), Timeout: timeout,
			Credentials: expandOrEmpty(value(doc.CredentialsArn), b.plan.Variables),
		})
	}
	f, err := parseFunction(uri)
	if err != nil {
		return misconfigured("Invalid function: " + err.Error()), nil
	}
	payload := integrate.PayloadFormatBody
	if kind == rest.AWSProxy {
		payload = integrate.PayloadFormatWebSocket
	}
	return b.c.parts.Lambda(LambdaCall{
		FunctionARN: f.ARN,
		Qualifier:   f.Qualifier,
		Payload:     payload,
		Timeout:     timeout,
		Credentials: expandOrEmpty(value(doc.CredentialsArn), b.plan.Variables),
	})
}

// socketMethod is the method a backend is called with. A message has none that
// ANY could keep.
// UNVERIFIED: that it is POST then.
func socketMethod(doc *definition.Integration) string {
	if method := value(doc.IntegrationMethod); method != plan.AnyMethod {
		return method
	}
	return http.MethodPost
}

// CheckSocketMapping says why the request of a WebSocket API's integration can't
// be mapped, whatever the variables of a stage hold: an *rest.ExpressionError in
// AWS's words, an *rest.TemplateError or a *websocket.ExpressionError.
func (c *Compiler) CheckSocketMapping(doc *definition.Integration) error {
	kind, err := kindOf(value(doc.IntegrationType))
	if err != nil {
		return err
	}
	request, err := socketRequest(kind, doc, nil)
	if err != nil {
		return err
	}
	_, err = rest.NewRequest(request)
	return err
}

// CheckSocketIntegration says why an integration of a WebSocket API can't be
// called as defined, whatever the variables of a stage hold.
func (c *Compiler) CheckSocketIntegration(doc *definition.Integration) error {
	kind, err := kindOf(value(doc.IntegrationType))
	if err != nil {
		return err
	}
	// Names of functions and of hosts may be this, and so may a port.
	uri, err := anyVariables(value(doc.IntegrationUri), "1")
	if err != nil {
		return err
	}
	if _, err := anyVariables(value(doc.CredentialsArn), "1"); err != nil {
		return err
	}
	switch {
	case kind == rest.HTTP || kind == rest.HTTPProxy:
		_, err = c.parts.HTTP(HTTPCall{URI: uri, Method: socketMethod(doc), Timeout: defaultTimeout})
	case kind == rest.AWSProxy || callsFunction(uri):
		_, err = parseFunction(uri)
	}
	return err
}

// CheckIntegrationResponse says why an integration response can't be compiled: an
// *rest.TemplateError, an *rest.PatternError or a *websocket.ExpressionError.
func (c *Compiler) CheckIntegrationResponse(doc *definition.IntegrationResponse) error {
	_, err := socketResponse(rest.Mock, []*definition.IntegrationResponse{doc})
	return err
}

// CheckSelection says why text isn't a selection expression about messages.
func (c *Compiler) CheckSelection(text string) error {
	_, err := websocket.NewRequestSelector(text)
	return err
}
