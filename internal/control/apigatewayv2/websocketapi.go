package apigatewayv2

import (
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// checkSocketAPI refuses what a WebSocket API can't be.
func (s *Service) checkSocketAPI(api *definition.API) error {
	if api.CorsConfiguration != nil {
		return badRequest("Cors is not supported for WEBSOCKET protocolType")
	}
	if s.compiler.CheckSelection(value(api.RouteSelectionExpression)) != nil {
		return badRequest("Invalid routeSelectionExpression")
	}
	return nil
}

// setLogging fills in what the default settings of a WebSocket API's stage say of
// its execution log.
func setLogging(settings *apigatewayv2.RouteSettings) {
	settings.DataTraceEnabled = orDefault(settings.DataTraceEnabled, false)
	settings.LoggingLevel = orDefault(settings.LoggingLevel, apigatewayv2.LoggingLevelOff)
}

// checkClientCertificate refuses a client certificate that isn't there, and any
// for a stage of an HTTP API.
func checkClientCertificate(tx *store.Tx, c *awswire.Call, api *definition.API, stage *definition.Stage) error {
	if stage.ClientCertificateId == nil {
		return nil
	}
	if isHTTP(api) {
		// UNVERIFIED: that it is refused, and the words. AWS documents it for
		// WebSocket APIs only.
		return badRequest("Client certificates are not supported on protocolType HTTP")
	}
	found, err := definition.ClientCertificates.Exists(tx, scope(c), *stage.ClientCertificateId)
	if err == nil && !found {
		// UNVERIFIED: the words, which are those of REST APIs.
		return badRequest("Invalid client certificate ID specified")
	}
	return err
}
