package apigatewayv2

import (
	"regexp"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/definition"
)

// socketIdentity is what an authorizer of a WebSocket API can ask a handshake
// for.
var socketIdentity = regexp.MustCompile(`^(route\.request\.(header|querystring)|context|stageVariables)\.[^\s]+$`)

// What authorizers of HTTP APIs alone have.
var authorizerHTTPOnly = []string{"AuthorizerPayloadFormatVersion", "AuthorizerResultTtlInSeconds", "EnableSimpleResponses", "JwtConfiguration"}

// checkSocketAuthorizer refuses what an authorizer of a WebSocket API can't be: it
// is a function, and its answers aren't kept.
func (s *Service) checkSocketAuthorizer(in *definition.Authorizer) error {
	if err := checkAuthorizerName(in); err != nil {
		return err
	}
	if value(in.AuthorizerType) != apigatewayv2.AuthorizerTypeRequest {
		return badRequest("Only REQUEST authorizer type is supported on WEBSOCKET protocol Apis.")
	}
	if value(in.AuthorizerResultTtlInSeconds) == 0 {
		in.AuthorizerResultTtlInSeconds = nil
	}
	if !value(in.EnableSimpleResponses) {
		in.EnableSimpleResponses = nil
	}
	if name := present(&in.Authorizer, authorizerHTTPOnly...); name != "" {
		// UNVERIFIED: the words.
		return badRequest("%s is not supported for WEBSOCKET protocolType", name)
	}
	for _, source := range in.IdentitySource {
		if !socketIdentity.MatchString(source) {
			return badRequest("Invalid request identity source expression: %s", source)
		}
	}
	return s.checkAuthorizerFunction(in)
}
