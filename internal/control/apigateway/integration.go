package apigateway

import (
	"regexp"
	"slices"
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

const noIntegration = "Invalid Integration identifier specified"

// AWS's limits of timeouts in milliseconds: of answers that are read whole and
// of those that are streamed.
const (
	minTimeoutMillis    = 50
	maxTimeoutMillis    = 29_000
	maxStreamingMillis  = 900_000
	invalidTimeoutWords = "Timeout should be between 50 ms and 29000 ms"
)

// The values of passthroughBehavior, which the model doesn't list.
const (
	passWhenNoMatch     = "WHEN_NO_MATCH"
	passWhenNoTemplates = "WHEN_NO_TEMPLATES"
	passNever           = "NEVER"
)

// callerCredentials stands for those of whoever signed the request.
const callerCredentials = "arn:aws:iam::*:user/*"

// integrationRules are what can be patched of an integration.
var integrationRules = patchRules[apigateway.Integration]{refuse: refuseNaming, rules: []patchRule[apigateway.Integration]{
	{path: "/httpMethod", ops: opReplace},
	{path: "/uri", ops: opReplace},
	{path: "/credentials", ops: opReplace},
	{path: "/connectionType", ops: opReplace},
	{path: "/connectionId", ops: opReplace},
	{path: "/contentHandling", ops: opReplace, check: checkContentHandling[apigateway.Integration]},
	{path: "/passthroughBehavior", ops: opReplace},
	{path: "/timeoutInMillis", ops: opReplace, invalid: invalidTimeoutWords},
	{path: "/cacheNamespace", ops: opReplace},
	{path: "/cacheKeyParameters/{name}", ops: opEdit},
	{path: "/cacheKeyParameters", ops: opAdd | opRemove},
	{path: "/requestParameters/{name}", ops: opEdit, noKey: noParameter},
	{path: "/requestTemplates/{type}", ops: opEdit, noKey: noMediaType},
	{path: "/tlsConfig/insecureSkipVerification", ops: opReplace},
	{path: "/responseTransferMode", ops: opReplace},
	{path: "/integrationTarget", ops: opReplace},
}}

func checkContentHandling[S any](_ *S, o patchOp) error {
	switch value(o.Value) {
	case "", apigateway.ContentHandlingStrategyConvertToBinary, apigateway.ContentHandlingStrategyConvertToText:
		return nil
	}
	// UNVERIFIED: the words.
	return badRequest("Invalid contentHandling specified. Valid options are CONVERT_TO_BINARY,CONVERT_TO_TEXT")
}

// PutIntegration says what a method calls, in place of what it called before.
func (s *Service) PutIntegration(c *awswire.Call, in *apigateway.PutIntegrationRequest) (*apigateway.Integration, error) {
	integration := &apigateway.Integration{
		Type:                 in.Type,
		HttpMethod:           nonEmpty(in.IntegrationHttpMethod),
		Uri:                  nonEmpty(in.Uri),
		ConnectionType:       nonEmpty(in.ConnectionType),
		ConnectionId:         nonEmpty(in.ConnectionId),
		Credentials:          nonEmpty(in.Credentials),
		RequestParameters:    nonEmptyMap(in.RequestParameters),
		RequestTemplates:     nonEmptyMap(in.RequestTemplates),
		PassthroughBehavior:  nonEmpty(in.PassthroughBehavior),
		ContentHandling:      nonEmpty(in.ContentHandling),
		TimeoutInMillis:      in.TimeoutInMillis,
		CacheNamespace:       nonEmpty(in.CacheNamespace),
		CacheKeyParameters:   in.CacheKeyParameters,
		TlsConfig:            in.TlsConfig,
		ResponseTransferMode: nonEmpty(in.ResponseTransferMode),
		IntegrationTarget:    nonEmpty(in.IntegrationTarget),
	}
	_, err := s.editMethod(c, value(in.RestApiId), value(in.ResourceId), value(in.HttpMethod),
		func(_ *store.Tx, resource *definition.Resource, method *apigateway.Method) error {
			method.MethodIntegration = integration
			return s.checkIntegration(resource, method, &apigateway.Integration{})
		})
	if err != nil {
		return nil, err
	}
	return integrationView(integration), nil
}

// GetIntegration returns what a method calls.
func (s *Service) GetIntegration(c *awswire.Call, in *apigateway.GetIntegrationRequest) (*apigateway.Integration, error) {
	method, err := s.readMethod(c, value(in.RestApiId), value(in.ResourceId), value(in.HttpMethod))
	if err != nil {
		return nil, err
	}
	integration, err := integrationOf(method)
	if err != nil {
		return nil, err
	}
	return integrationView(integration), nil
}

// UpdateIntegration does patch operations.
func (s *Service) UpdateIntegration(c *awswire.Call, in *apigateway.UpdateIntegrationRequest) (*apigateway.Integration, error) {
	method, err := s.editMethod(c, value(in.RestApiId), value(in.ResourceId), value(in.HttpMethod),
		func(_ *store.Tx, resource *definition.Resource, method *apigateway.Method) error {
			integration, err := integrationOf(method)
			if err != nil {
				return err
			}
			if err := integrationRules.apply(integration, in.PatchOperations); err != nil {
				return err
			}
			old := method.MethodIntegration
			method.MethodIntegration = integration
			return s.checkIntegration(resource, method, old)
		})
	if err != nil {
		return nil, err
	}
	return integrationView(method.MethodIntegration), nil
}

// DeleteIntegration leaves a method with nothing to call.
func (s *Service) DeleteIntegration(c *awswire.Call, in *apigateway.DeleteIntegrationRequest) error {
	_, err := s.editMethod(c, value(in.RestApiId), value(in.ResourceId), value(in.HttpMethod),
		func(_ *store.Tx, _ *definition.Resource, method *apigateway.Method) error {
			if _, err := integrationOf(method); err != nil {
				return err
			}
			method.MethodIntegration = nil
			return nil
		})
	return err
}

// integrationOf is a copy of a method's integration.
func integrationOf(method *apigateway.Method) (*apigateway.Integration, error) {
	if method.MethodIntegration == nil {
		return nil, notFound(noIntegration)
	}
	integration := *method.MethodIntegration
	return &integration, nil
}

// checkIntegration fills in AWS's defaults and refuses what a method's
// integration can't be. What it says of the method's parameters is looked at
// where it isn't what old said.
func (s *Service) checkIntegration(resource *definition.Resource, method *apigateway.Method, old *apigateway.Integration) error {
	in := method.MethodIntegration
	if err := checkCalled(in); err != nil {
		return err
	}
	if err := checkConnection(in); err != nil {
		return err
	}
	if err := s.checkTransfer(in); err != nil {
		return err
	}
	in.PassthroughBehavior = orDefault(in.PassthroughBehavior, passWhenNoMatch)
	switch *in.PassthroughBehavior {
	case passWhenNoMatch, passWhenNoTemplates, passNever:
	default:
		// UNVERIFIED: the words.
		return badRequest("Invalid passthroughBehavior specified. Valid options are WHEN_NO_MATCH,WHEN_NO_TEMPLATES,NEVER")
	}
	in.CacheNamespace = orDefault(in.CacheNamespace, *resource.Id)
	for _, key := range in.CacheKeyParameters {
		_, ofMethod := method.RequestParameters[key]
		_, mapped := in.RequestParameters[key]
		if !ofMethod && !mapped && !slices.Contains(old.CacheKeyParameters, key) {
			return badRequest("Invalid cache key parameter specified")
		}
	}
	if err := checkRequestMappings(method, in.RequestParameters, old.RequestParameters); err != nil {
		return err
	}
	if err := checkMediaTypes(in.RequestTemplates); err != nil {
		return err
	}
	return s.checkCompiles(in)
}

// checkCompiles refuses an integration with responses that can't be compiled.
func (s *Service) checkCompiles(in *apigateway.Integration) error {
	if err := s.compiler.CheckRestIntegration(in); err != nil {
		return badRequest("%v", err)
	}
	return nil
}

// checkCalled refuses an integration that can't be called, by its type.
func checkCalled(in *apigateway.Integration) error {
	if value(in.Type) == apigateway.IntegrationTypeMock {
		in.Uri, in.HttpMethod = nil, nil
		return nil
	}
	if in.HttpMethod == nil {
		return badRequest("Enumeration value for HttpMethod must be non-empty")
	}
	if !isMethod(*in.HttpMethod) {
		return badRequest(invalidMethod)
	}
	if err := checkCredentials(value(in.Credentials)); err != nil {
		return err
	}
	uri := value(in.Uri)
	switch *in.Type {
	case apigateway.IntegrationTypeHTTP, apigateway.IntegrationTypeHTTPProxy:
		if !httpEndpoint.MatchString(uri) {
			return badRequest("Invalid HTTP endpoint specified for URI")
		}
		return nil
	}
	target, err := arn.Parse(uri)
	if err != nil {
		return badRequest("Invalid ARN specified in the request")
	}
	action := strings.HasPrefix(target.Resource, "path/") || strings.HasPrefix(target.Resource, "action/")
	if target.Service != "apigateway" || !action {
		return badRequest("AWS ARN for integration must contain path or action")
	}
	// Functions have policies of their own; nothing else lets API Gateway in.
	if *in.Type == apigateway.IntegrationTypeAWS && target.Account != "lambda" && value(in.Credentials) == "" {
		return badRequest("Role ARN must be specified for AWS integrations")
	}
	// The account's place in such an ARN holds the service that is called.
	if *in.Type == apigateway.IntegrationTypeAWSProxy && !functionPath.MatchString(target.Account+":"+target.Resource) && target.Account != "firehose" {
		return badRequest("Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.")
	}
	return nil
}

var (
	// httpEndpoint is an address, or begins with a stage variable that has it.
	httpEndpoint = regexp.MustCompile(`^(https?://[^/\s?#][^\s]*|\$\{stageVariables\.\w+\}[^\s]*)$`)
	// AWS takes a doubled slash after path.
	functionPath = regexp.MustCompile(`^lambda:path/+(2015-03-31|2021-11-15)/functions/.+/(invocations|response-streaming-invocations)$`)
)

// checkCredentials refuses what is neither a role nor the caller's own. A stage
// variable may name the role, but not its account.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/aws-api-gateway-stage-variables-reference.html
func checkCredentials(credentials string) error {
	if credentials == "" || credentials == callerCredentials {
		return nil
	}
	role, err := arn.Parse(credentials)
	if err != nil || role.Service != "iam" || hasStageVariable(role.Account) ||
		!strings.HasPrefix(role.Resource, "role/") && !strings.HasPrefix(role.Resource, stageVariable) {
		return badRequest("Invalid ARN specified in the request")
	}
	return nil
}

// checkConnection refuses connections an integration can't have.
func checkConnection(in *apigateway.Integration) error {
	isHTTP := *in.Type == apigateway.IntegrationTypeHTTP || *in.Type == apigateway.IntegrationTypeHTTPProxy
	if !isHTTP {
		in.ConnectionType, in.ConnectionId = nil, nil
		if in.TlsConfig != nil && value(in.TlsConfig.InsecureSkipVerification) {
			// UNVERIFIED: the words.
			return badRequest("TLS configuration is only supported for integrations of type HTTP and HTTP_PROXY")
		}
		return nil
	}
	in.ConnectionType = orDefault(in.ConnectionType, apigateway.ConnectionTypeInternet)
	switch *in.ConnectionType {
	case apigateway.ConnectionTypeInternet:
		in.ConnectionId = nil
	case apigateway.ConnectionTypeVPCLink:
		if in.ConnectionId == nil {
			// UNVERIFIED: the words.
			return badRequest("Connection ID must be specified for connection type VPC_LINK")
		}
	default:
		// UNVERIFIED: the words.
		return badRequest("Invalid connectionType specified. Valid options are INTERNET,VPC_LINK")
	}
	return nil
}

// checkTransfer refuses timeouts out of bounds and streams of what can't be
// streamed.
func (s *Service) checkTransfer(in *apigateway.Integration) error {
	streams := value(in.ResponseTransferMode) == apigateway.ResponseTransferModeStream
	proxy := *in.Type == apigateway.IntegrationTypeAWSProxy || *in.Type == apigateway.IntegrationTypeHTTPProxy
	// UNVERIFIED: the words of these two errors.
	if mode := value(in.ResponseTransferMode); mode != "" && mode != apigateway.ResponseTransferModeBuffered && !streams {
		return badRequest("Invalid responseTransferMode specified. Valid options are BUFFERED,STREAM")
	}
	if streams && !proxy {
		return badRequest("Response transfer mode STREAM is only supported for integrations of type HTTP_PROXY and AWS_PROXY")
	}
	in.TimeoutInMillis = orDefault(in.TimeoutInMillis, maxTimeoutMillis)
	ms := *in.TimeoutInMillis
	most := s.maxTimeoutMillis
	if streams {
		most = max(most, maxStreamingMillis)
	}
	if ms < minTimeoutMillis || ms > most {
		// AWS names its own limit whatever is sent.
		return badRequest("Timeout should be between %d ms and %d ms", minTimeoutMillis, s.maxTimeoutMillis)
	}
	return nil
}

// integrationView is the shape as answers carry it.
func integrationView(integration *apigateway.Integration) *apigateway.Integration {
	view := *integration
	view.CacheKeyParameters = slices.Clone(integration.CacheKeyParameters)
	if view.CacheKeyParameters == nil {
		view.CacheKeyParameters = []string{}
	}
	return &view
}
