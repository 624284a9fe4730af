package apigatewayv2

import (
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

const (
	minTimeoutMillis = 50
	maxTimeoutMillis = 30_000
)

// What an integration can have that nothing acts on yet.
var integrationLater = []string{
	"ContentHandlingStrategy", "PassthroughBehavior", "RequestTemplates", "TemplateSelectionExpression",
}

// CreateIntegration adds an integration to an API.
func (s *Service) CreateIntegration(c *awswire.Call, in *apigatewayv2.CreateIntegrationRequest) (*apigatewayv2.CreateIntegrationResult, error) {
	integration := &definition.Integration{}
	apply(&integration.Integration, in, "RequestParameters", "ResponseParameters", "RequestTemplates")
	setTLS(integration, in.TlsConfig)
	newMappings(integration, in)
	err := s.store.Update(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.ApiId))
		if err != nil {
			return err
		}
		if err := s.checkIntegrationOf(tx, c, api, "CreateIntegration", in, integration); err != nil {
			return err
		}
		if err := s.addIntegration(tx, c, *api.ApiId, integration); err != nil {
			return err
		}
		return s.autoDeploy(tx, c, *api.ApiId)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.CreateIntegrationResult](&integration.Integration), nil
}

// addIntegration stores a new integration under an id of its own.
func (s *Service) addIntegration(tx *store.Tx, c *awswire.Call, apiID string, integration *definition.Integration) error {
	id, err := s.freeID(childIDLength, func(id string) (bool, error) {
		return definition.Integrations.Exists(tx, scope(c), apiID, id)
	})
	if err != nil {
		return err
	}
	integration.IntegrationId = &id
	return definition.Integrations.Put(tx, scope(c), integration, apiID, id)
}

// GetIntegration returns one integration.
func (s *Service) GetIntegration(c *awswire.Call, in *apigatewayv2.GetIntegrationRequest) (*apigatewayv2.GetIntegrationResult, error) {
	var integration *definition.Integration
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		integration, err = getIntegration(tx, c, value(in.ApiId), value(in.IntegrationId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.GetIntegrationResult](&integration.Integration), nil
}

// GetIntegrations lists an API's integrations.
func (s *Service) GetIntegrations(c *awswire.Call, in *apigatewayv2.GetIntegrationsRequest) (*apigatewayv2.GetIntegrationsResponse, error) {
	out := &apigatewayv2.GetIntegrationsResponse{}
	err := s.store.View(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.ApiId))
		if err != nil {
			return err
		}
		out.Items, out.NextToken, err = list(tx, scope(c), definition.Integrations, pageRequest{in.MaxResults, in.NextToken},
			func(e store.Entry[definition.Integration]) apigatewayv2.Integration { return e.Doc.Integration }, *api.ApiId)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateIntegration sets what is present.
func (s *Service) UpdateIntegration(c *awswire.Call, in *apigatewayv2.UpdateIntegrationRequest) (*apigatewayv2.UpdateIntegrationResult, error) {
	var integration *definition.Integration
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		apiID, id := value(in.ApiId), value(in.IntegrationId)
		api, err := getAPI(tx, c, apiID)
		if err != nil {
			return err
		}
		if integration, err = getIntegration(tx, c, apiID, id); err != nil {
			return err
		}
		apply(&integration.Integration, in, "IntegrationId")
		setTLS(integration, in.TlsConfig)
		if err := s.checkIntegrationOf(tx, c, api, "UpdateIntegration", in, integration); err != nil {
			return err
		}
		if err := definition.Integrations.Put(tx, scope(c), integration, apiID, id); err != nil {
			return err
		}
		return s.autoDeploy(tx, c, apiID)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.UpdateIntegrationResult](&integration.Integration), nil
}

// DeleteIntegration removes an integration that no route uses.
func (s *Service) DeleteIntegration(c *awswire.Call, in *apigatewayv2.DeleteIntegrationRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		apiID, id := value(in.ApiId), value(in.IntegrationId)
		integration, err := getIntegration(tx, c, apiID, id)
		if err != nil {
			return err
		}
		if value(integration.ApiGatewayManaged) {
			// UNVERIFIED: the words.
			return badRequest("Cannot delete Integration %s because it is managed by API Gateway", id)
		}
		users, err := definition.RouteTargets.List(tx, scope(c), store.Page{Limit: 100}, apiID, id)
		if err != nil {
			return err
		}
		if len(users) > 0 {
			var routes []string
			for _, u := range users {
				routes = append(routes, u.ID[2])
			}
			return conflict("Cannot delete Integration because it is referenced by the following Routes with Ids: [%s]", strings.Join(routes, ", "))
		}
		if _, err := definition.IntegrationResponses.DeleteAll(tx, scope(c), apiID, id); err != nil {
			return err
		}
		if err := definition.Integrations.Delete(tx, scope(c), apiID, id); err != nil {
			return err
		}
		return s.autoDeploy(tx, c, apiID)
	})
}

func getIntegration(tx *store.Tx, c *awswire.Call, apiID, id string) (*definition.Integration, error) {
	if _, err := getAPI(tx, c, apiID); err != nil {
		return nil, err
	}
	integration, err := definition.Integrations.Get(tx, scope(c), apiID, id)
	// UNVERIFIED: the words.
	return integration, missing(err, "Invalid Integration identifier specified")
}

// checkIntegrationOf fills in AWS's defaults and refuses what AWS would for the
// API, or what can't be called. request is that of the operation.
func (s *Service) checkIntegrationOf(tx *store.Tx, c *awswire.Call, api *definition.API, operation string, request any, in *definition.Integration) error {
	if !isHTTP(api) {
		return s.checkSocketIntegration(tx, c, operation, request, in)
	}
	if err := refuse(operation, request, integrationLater...); err != nil {
		return err
	}
	return s.checkIntegration(tx, c, operation, in)
}

// checkIntegration is checkIntegrationOf an HTTP API.
func (s *Service) checkIntegration(tx *store.Tx, c *awswire.Call, operation string, in *definition.Integration) error {
	in.PayloadFormatVersion = orDefault(in.PayloadFormatVersion, "1.0")
	in.TimeoutInMillis = orDefault(in.TimeoutInMillis, maxTimeoutMillis)
	if ms := *in.TimeoutInMillis; ms < minTimeoutMillis || ms > s.maxTimeout {
		return badRequest("Timeout should be between %d ms and %d ms", minTimeoutMillis, s.maxTimeout)
	}
	if err := checkLength("description", in.Description, 1024); err != nil {
		return err
	}
	switch *in.PayloadFormatVersion {
	case "1.0", "2.0":
	default:
		return badRequest("Unsupported PayloadFormatVersion: %s", *in.PayloadFormatVersion)
	}
	switch value(in.IntegrationType) {
	case apigatewayv2.IntegrationTypeAWSProxy:
		if in.IntegrationSubtype != nil {
			if err := checkConnection(tx, c, in); err != nil {
				return err
			}
			return s.checkAction(operation, in)
		}
		in.IntegrationMethod = orDefault(in.IntegrationMethod, "POST")
	case apigatewayv2.IntegrationTypeHTTPProxy:
		if in.IntegrationSubtype != nil {
			// UNVERIFIED: the words.
			return badRequest("IntegrationSubtype is only supported for integrations of type AWS_PROXY")
		}
		if in.IntegrationMethod == nil {
			return badRequest("HttpMethod parameter method must be specified for integrationType HTTPPROXY")
		}
		if *in.PayloadFormatVersion != "1.0" {
			return badRequest("PayloadFormatVersion %s is not supported for integration of type HTTP_PROXY", *in.PayloadFormatVersion)
		}
	default:
		return badRequest("Currently, an API with a protocol type of HTTP may only be associated with proxy integrations (AWS_PROXY, HTTP_PROXY)")
	}
	// UNVERIFIED: the words of the errors below, but those of the HTTP endpoint.
	if !validMethod(*in.IntegrationMethod) {
		return badRequest("Invalid HTTP method specified: %s", *in.IntegrationMethod)
	}
	if in.IntegrationUri == nil {
		return badRequest("IntegrationUri is required for an integration of type %s", *in.IntegrationType)
	}
	if err := checkLength("integrationUri", in.IntegrationUri, 2048); err != nil {
		return err
	}
	if err := checkCredentials(operation, in.CredentialsArn); err != nil {
		return err
	}
	if err := checkConnection(tx, c, in); err != nil {
		return err
	}
	if err := s.compiler.CheckIntegration(in); err != nil {
		if *in.ConnectionType == apigatewayv2.ConnectionTypeVPCLink {
			return invalidPrivateURI()
		}
		if *in.IntegrationType == apigatewayv2.IntegrationTypeHTTPProxy {
			return badRequest("Invalid HTTP endpoint specified for URI")
		}
		return badRequest("Invalid integration URI specified: %v", err)
	}
	return s.checkMappings(in)
}

// checkAction is checkIntegration of one that calls an action of a service. What
// it has to be told is in its parameters.
// UNVERIFIED: the words, and that a URI and a method are refused.
func (s *Service) checkAction(operation string, in *definition.Integration) error {
	switch {
	case *in.PayloadFormatVersion != "1.0":
		return badRequest("PayloadFormatVersion %s is not supported for integrationSubtype %s", *in.PayloadFormatVersion, *in.IntegrationSubtype)
	case in.IntegrationUri != nil:
		return badRequest("IntegrationUri is not supported for integrationSubtype %s", *in.IntegrationSubtype)
	case in.IntegrationMethod != nil:
		return badRequest("IntegrationMethod is not supported for integrationSubtype %s", *in.IntegrationSubtype)
	case in.CredentialsArn == nil:
		return badRequest("CredentialsArn is required for integrationSubtype %s", *in.IntegrationSubtype)
	}
	if *in.CredentialsArn != callerCredentials {
		if err := checkRole(in.CredentialsArn); err != nil {
			return err
		}
	}
	if err := s.compiler.CheckIntegration(in); err != nil {
		return badRequest("%v", err)
	}
	return s.checkMappings(in)
}

// callerCredentials stands for those of whoever signed the request.
const callerCredentials = "arn:aws:iam::*:user/*"

// checkCredentials refuses what isn't a role.
func checkCredentials(operation string, p *string) error {
	if value(p) == callerCredentials {
		return notYet(operation, "credentialsArn "+callerCredentials)
	}
	return checkRole(p)
}

// checkRole refuses the ARN of anything but a role. A stage variable may name the
// role, but not its account.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.stage-variables-reference.html
func checkRole(p *string) error {
	if p == nil {
		return nil
	}
	role, err := arn.Parse(*p)
	const variable = "${stageVariables."
	if err != nil || role.Service != "iam" || strings.Contains(role.Account, variable) ||
		!strings.HasPrefix(role.Resource, "role/") && !strings.HasPrefix(role.Resource, variable) {
		// UNVERIFIED: the words.
		return badRequest("Invalid ARN specified in the request. ARN: %s must be that of an IAM role", *p)
	}
	return nil
}
