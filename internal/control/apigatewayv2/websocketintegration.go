package apigatewayv2

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

const maxSocketTimeoutMillis = 29_000

// socketParameter is what a mapping of a request can set.
var socketParameter = regexp.MustCompile(`^integration\.request\.(header|querystring|path)\.[a-zA-Z0-9._$-]+$`)

// What chooses the integration response, which isn't the user's to say: for a
// function its error, for everything else the status.
const (
	selectsByError  = "${integration.response.body.errorMessage}"
	selectsByStatus = "${integration.response.statuscode}"
)

// What only integrations of HTTP APIs can have.
var integrationHTTPOnly = []string{"IntegrationSubtype", "TlsConfig", "ResponseParameters"}

// checkSocketIntegration is checkIntegrationOf a WebSocket API.
func (s *Service) checkSocketIntegration(tx *store.Tx, c *awswire.Call, operation string, request any, in *definition.Integration) error {
	if name := present(request, integrationHTTPOnly...); name != "" {
		// UNVERIFIED: that it is refused, and the words.
		return badRequest("%s is not supported for WEBSOCKET protocolType", name)
	}
	setSocketDefaults(in)
	if ms := *in.TimeoutInMillis; ms < minTimeoutMillis || ms > s.maxSocketTimeout {
		return badRequest("Timeout should be between %d ms and %d ms", minTimeoutMillis, s.maxSocketTimeout)
	}
	if *in.PayloadFormatVersion != "1.0" {
		return badRequest("Unsupported PayloadFormatVersion: %s", *in.PayloadFormatVersion)
	}
	if err := checkLength("description", in.Description, 1024); err != nil {
		return err
	}
	if err := checkSocketTarget(in); err != nil {
		return err
	}
	if err := checkSocketConnection(tx, c, in); err != nil {
		return err
	}
	if err := checkCredentials(operation, in.CredentialsArn); err != nil {
		return err
	}
	if err := checkSocketMappings(in); err != nil {
		return err
	}
	if expression := value(in.TemplateSelectionExpression); expression != "" && s.compiler.CheckSelection(expression) != nil {
		// UNVERIFIED: the words.
		return badRequest("Invalid template selection expression specified: %s", expression)
	}
	if err := s.compiler.CheckSocketMapping(in); err != nil {
		return badRequest("%v", err)
	}
	if err := s.compiler.CheckSocketIntegration(in); err != nil {
		if strings.HasPrefix(*in.IntegrationType, "HTTP") {
			return badRequest("Invalid HTTP endpoint specified for URI")
		}
		return badRequest("Invalid integration URI specified: %v", err)
	}
	return nil
}

// checkSocketConnection refuses how an integration can't be connected. The VPC
// links of WebSocket APIs are those of REST APIs.
func checkSocketConnection(tx *store.Tx, c *awswire.Call, in *definition.Integration) error {
	// UNVERIFIED: the words.
	switch *in.ConnectionType {
	case apigatewayv2.ConnectionTypeInternet:
		in.ConnectionId = nil
		return nil
	case apigatewayv2.ConnectionTypeVPCLink:
	default:
		return badRequest("Invalid connectionType specified. Valid options are INTERNET,VPC_LINK")
	}
	if !strings.HasPrefix(value(in.IntegrationType), "HTTP") {
		return badRequest("VpcLink is only supported for integrations of type HTTP and HTTP_PROXY")
	}
	if in.ConnectionId == nil {
		return badRequest("ConnectionId must be specified for connectionType VPC_LINK")
	}
	if strings.Contains(*in.ConnectionId, "${stageVariables.") {
		return nil
	}
	_, err := definition.RestVPCLinks.Get(tx, scope(c), *in.ConnectionId)
	return missingLink(err, *in.ConnectionId)
}

// setSocketDefaults fills in what an integration has that its maker didn't say.
func setSocketDefaults(in *definition.Integration) {
	in.ConnectionType = orDefault(in.ConnectionType, apigatewayv2.ConnectionTypeInternet)
	in.PayloadFormatVersion = orDefault(in.PayloadFormatVersion, "1.0")
	in.TimeoutInMillis = orDefault(in.TimeoutInMillis, maxSocketTimeoutMillis)
	// UNVERIFIED: that proxies have it, too.
	in.PassthroughBehavior = orDefault(in.PassthroughBehavior, apigatewayv2.PassthroughBehaviorWhenNoMatch)
	in.IntegrationResponseSelectionExpression = nil
	switch value(in.IntegrationType) {
	case apigatewayv2.IntegrationTypeAWS:
		in.IntegrationMethod = orDefault(in.IntegrationMethod, "POST")
		in.IntegrationResponseSelectionExpression = new(selectsByStatus)
		if isLambda(in) {
			in.IntegrationResponseSelectionExpression = new(selectsByError)
		}
	case apigatewayv2.IntegrationTypeAWSProxy:
		in.IntegrationMethod = orDefault(in.IntegrationMethod, "POST")
	case apigatewayv2.IntegrationTypeHTTP, apigatewayv2.IntegrationTypeMock:
		in.IntegrationResponseSelectionExpression = new(selectsByStatus)
	}
}

func isLambda(in *definition.Integration) bool {
	return strings.Contains(value(in.IntegrationUri), ":lambda:")
}

// checkSocketTarget refuses what an integration of its type can't call.
func checkSocketTarget(in *definition.Integration) error {
	kind := value(in.IntegrationType)
	switch kind {
	case apigatewayv2.IntegrationTypeMock:
		return nil
	case apigatewayv2.IntegrationTypeHTTP, apigatewayv2.IntegrationTypeHTTPProxy:
		if in.IntegrationMethod == nil {
			// AWS's name of the type has no underscore here.
			return badRequest("HttpMethod parameter method must be specified for integrationType %s", strings.ReplaceAll(kind, "_", ""))
		}
	case apigatewayv2.IntegrationTypeAWS, apigatewayv2.IntegrationTypeAWSProxy:
	default:
		// UNVERIFIED: the words.
		return badRequest("Invalid integration type specified: %s", kind)
	}
	// UNVERIFIED: the words of the errors below, but those of the HTTP endpoint.
	if !validMethod(*in.IntegrationMethod) {
		return badRequest("Invalid HTTP method specified: %s", *in.IntegrationMethod)
	}
	if in.IntegrationUri == nil {
		return badRequest("IntegrationUri is required for an integration of type %s", kind)
	}
	if err := checkLength("integrationUri", in.IntegrationUri, 2048); err != nil {
		return err
	}
	if strings.HasPrefix(kind, "HTTP") {
		return nil
	}
	a, err := arn.Parse(*in.IntegrationUri)
	if err != nil || a.Service != "apigateway" && a.Service != "lambda" {
		return badRequest("Invalid ARN specified in the request")
	}
	return nil
}

// checkSocketMappings refuses parameters and templates that can't be.
func checkSocketMappings(in *definition.Integration) error {
	for _, target := range slices.Sorted(maps.Keys(in.RequestParameters)) {
		if !socketParameter.MatchString(target) {
			// UNVERIFIED: the words, which are those of REST APIs.
			return badRequest("Invalid mapping expression parameter specified: %s", target)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(in.RequestTemplates)) {
		template := in.RequestTemplates[key]
		if err := checkLength("requestTemplates", &template, maxTemplate); err != nil {
			return err
		}
	}
	return nil
}
