package compile

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awsendpoint"
	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
	"gatehouse/internal/transform/rest"
)

// defaultTimeout is how long a REST API waits for an integration that doesn't
// say.
const defaultTimeout = 29 * time.Second

// integration compiles how a method is answered.
func (m *methodBuilder) integration(route *plan.Route, method *apigateway.Method) error {
	doc := method.MethodIntegration
	if doc == nil {
		return errors.New("it has no integration")
	}
	kind, err := kindOf(value(doc.Type))
	if err != nil {
		return err
	}
	variables := m.stage.Variables
	uri := expandOrEmpty(value(doc.Uri), variables)
	kind = serviceKind(kind, uri)
	request := rest.RequestOptions{
		Kind:        kind,
		Parameters:  doc.RequestParameters,
		Templates:   doc.RequestTemplates,
		Passthrough: rest.ParsePassthrough(value(doc.PassthroughBehavior)),
		Handling:    rest.ParseHandling(value(doc.ContentHandling)),
		Variables:   variables,
	}
	switch kind {
	case rest.HTTP, rest.HTTPProxy:
		request.URIVariables = integrate.URIVariables(uri)
	case rest.AWSService:
		describeService(&request, uri)
	case rest.AWS:
		_, request.URIVariables = splitVariables(uri)
	}
	if route.MapRequest, err = mapping(rest.NewRequest(request)); err != nil {
		return err
	}
	if route.MapResponse, err = rest.NewResponse(responseOptions(kind, method, variables)); err != nil {
		return err
	}
	route.Rest.ReportsTrace = kind != rest.Mock && kind != rest.HTTPProxy
	route.Rest.Streams = value(doc.ResponseTransferMode) == apigateway.ResponseTransferModeStream
	route.Integration, err = m.backend(kind, doc, uri)
	return err
}

// mapping keeps a nil pointer from becoming a mapping.
func mapping(r *rest.Request, err error) (plan.Mapping, error) {
	if err != nil {
		return nil, err
	}
	return r, nil
}

func kindOf(name string) (rest.Kind, error) {
	switch name {
	case apigateway.IntegrationTypeMock:
		return rest.Mock, nil
	case apigateway.IntegrationTypeHTTP:
		return rest.HTTP, nil
	case apigateway.IntegrationTypeHTTPProxy:
		return rest.HTTPProxy, nil
	case apigateway.IntegrationTypeAWS:
		return rest.AWS, nil
	case apigateway.IntegrationTypeAWSProxy:
		return rest.AWSProxy, nil
	default:
		return 0, fmt.Errorf("integration type %q isn't known", name)
	}
}

func responseOptions(kind rest.Kind, method *apigateway.Method, variables map[string]string) rest.ResponseOptions {
	o := rest.ResponseOptions{Kind: kind, Variables: variables}
	responses := method.MethodIntegration.IntegrationResponses
	for _, status := range slices.Sorted(maps.Keys(responses)) {
		r := responses[status]
		_, declared := method.MethodResponses[status]
		o.Responses = append(o.Responses, rest.IntegrationResponse{
			Status:     statusOf(status),
			Pattern:    value(r.SelectionPattern),
			Parameters: r.ResponseParameters,
			Templates:  r.ResponseTemplates,
			Handling:   rest.ParseHandling(value(r.ContentHandling)),
			Undeclared: !declared,
		})
	}
	return o
}

// backend compiles what is called. What only the stage's variables spoil answers
// requests with a fault.
func (m *methodBuilder) backend(kind rest.Kind, doc *apigateway.Integration, uri string) (plan.Integration, error) {
	variables := m.stage.Variables
	timeout := defaultTimeout
	if doc.TimeoutInMillis != nil {
		timeout = time.Duration(*doc.TimeoutInMillis) * time.Millisecond
	}
	switch kind {
	case rest.Mock:
		return integrate.Mock{}, nil
	case rest.HTTP, rest.HTTPProxy:
		call := HTTPCall{URI: uri, Method: value(doc.HttpMethod), Timeout: timeout, ClientCertificate: m.certificate}
		if doc.TlsConfig != nil {
			call.SelfSigned = value(doc.TlsConfig.InsecureSkipVerification)
		}
		if value(doc.ConnectionType) == apigateway.ConnectionTypeVPCLink {
			target := expandOrEmpty(value(doc.IntegrationTarget), variables)
			if target != "" && !owns(m.key.Scope, target) {
				return misconfigured("the integration target is no load balancer of the API's account: " + target), nil
			}
			// UNVERIFIED: AWS's guide says that links of apigatewayv2 put the stage before the
			// path ("test/path"), without a word on the URI's own path or on how an override of the
			// path undoes it. The URI is called as it is written.
			call.Private = &integrate.Private{Link: m.c.parts.Links.Find(m.key.Scope, expandOrEmpty(value(doc.ConnectionId), variables)), LoadBalancer: target}
		}
		h, err := m.c.parts.HTTP(call)
		if err != nil {
			return misconfigured("Invalid endpoint address"), nil //nolint:nilerr // AWS tells callers, not who deploys
		}
		return h, nil
	case rest.AWSService:
		u, err := awsendpoint.ParseURI(uri)
		if err != nil {
			return misconfigured(err.Error()), nil //nolint:nilerr // as above
		}
		return m.c.awsService(AWSServiceCall{
			URI: u, Method: value(doc.HttpMethod), Timeout: timeout,
			Credentials: expandOrEmpty(value(doc.Credentials), m.stage.Variables),
		})
	default:
		return m.function(kind, doc, uri, timeout)
	}
}

// function compiles a call of a Lambda function.
func (m *methodBuilder) function(kind rest.Kind, doc *apigateway.Integration, uri string, timeout time.Duration) (plan.Integration, error) {
	if !strings.Contains(uri, ":lambda:path/") {
		return misconfigured("integrations with this AWS service aren't served by this gateway yet: " + uri), nil
	}
	method := value(doc.HttpMethod)
	if method != http.MethodPost && method != plan.AnyMethod {
		// Lambda takes nothing else. PutIntegration accepts it all the same.
		return notPost(method), nil
	}
	payload := integrate.PayloadFormatBody
	switch {
	case kind == rest.AWSProxy && value(doc.ResponseTransferMode) == apigateway.ResponseTransferModeStream:
		payload = integrate.PayloadFormatStream
	case kind == rest.AWSProxy:
		payload = integrate.PayloadFormatREST
	}
	called := func(f functionRef) (plan.Integration, error) {
		return m.c.parts.Lambda(LambdaCall{
			FunctionARN: f.ARN,
			Qualifier:   f.Qualifier,
			Payload:     payload,
			Timeout:     timeout,
			Credentials: expandOrEmpty(value(doc.Credentials), m.stage.Variables),
		})
	}
	var call plan.Integration
	if literals, names := splitVariables(uri); kind == rest.AWS && len(names) > 0 {
		call = &variedFunction{literals: literals, call: called}
	} else {
		f, err := parseFunction(uri)
		if err != nil {
			return misconfigured("Invalid function: " + err.Error()), nil
		}
		if call, err = called(f); err != nil {
			return nil, err
		}
	}
	if method == plan.AnyMethod {
		return ofPost{call}, nil
	}
	return call, nil
}

// ofPost is a function whose integration uses the client's method.
type ofPost struct{ call plan.Integration }

// Integrate invokes the function for a POST.
func (o ofPost) Integrate(x *plan.Exchange) error {
	if x.Request.Method != http.MethodPost {
		return notPost(x.Request.Method).Integrate(x)
	}
	return o.call.Integrate(x)
}

// notPost is the integration whose method Lambda doesn't take.
func notPost(method string) misconfigured {
	return misconfigured("functions are invoked by POST, not by " + method)
}

// expandOrEmpty puts stage variables in their places; one that the stage doesn't
// have is empty.
func expandOrEmpty(text string, variables map[string]string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, variablePrefix)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed {
			b.WriteString(variablePrefix)
			text = after
			continue
		}
		b.WriteString(variables[name])
		text = rest
	}
}

// A misconfigured integration can't be called and says why.
type misconfigured string

// Integrate fails as AWS does when the definition is at fault.
func (u misconfigured) Integrate(x *plan.Exchange) error {
	if t := x.Trace; t != nil {
		t.Error("Execution failed due to configuration error: %s", string(u))
	}
	return &plan.Fault{Kind: plan.ConfigurationError, Reason: string(u)}
}

// CheckRestIntegration says why an integration or one of its responses can't be
// compiled, whatever the variables of a stage hold: an *rest.ExpressionError in
// AWS's words, an *rest.TemplateError or an *rest.PatternError.
func (c *Compiler) CheckRestIntegration(doc *apigateway.Integration) error {
	kind, err := kindOf(value(doc.Type))
	if err != nil {
		return err
	}
	_, err = rest.NewRequest(rest.RequestOptions{Kind: kind, Parameters: doc.RequestParameters, Templates: doc.RequestTemplates})
	if err != nil {
		return err
	}
	_, err = rest.NewResponse(responseOptions(kind, &apigateway.Method{MethodIntegration: doc}, nil))
	return err
}
