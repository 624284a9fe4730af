package apigatewayv2

import (
	"strings"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// quickCreate makes the integration, the route and the $default stage of an
// API that was created with a target.
func (s *Service) quickCreate(tx *store.Tx, c *awswire.Call, api *definition.API, in *apigatewayv2.CreateApiRequest) error {
	apiID := *api.ApiId
	integration := &definition.Integration{}
	integration.ApiGatewayManaged = new(true)
	if err := s.setTarget(tx, c, "CreateApi", integration, *in.Target, in.CredentialsArn); err != nil {
		return err
	}
	if err := s.addIntegration(tx, c, apiID, integration); err != nil {
		return err
	}
	route := &definition.Route{}
	route.ApiGatewayManaged = new(true)
	route.RouteKey = new(defaultRouteKey)
	if value(in.RouteKey) != "" {
		route.RouteKey = in.RouteKey
	}
	route.Target = new(targetPrefix + *integration.IntegrationId)
	if err := checkRoute(route); err != nil {
		return err
	}
	if err := s.addRoute(tx, c, apiID, route); err != nil {
		return err
	}
	api.QuickCreate = &definition.QuickCreate{IntegrationID: *integration.IntegrationId, RouteID: *route.RouteId}

	// Deploying needs the API to be there.
	if err := definition.APIs.Put(tx, scope(c), api, apiID); err != nil {
		return err
	}
	stage := &definition.Stage{}
	stage.StageName = new(defaultStage)
	stage.ApiGatewayManaged = new(true)
	stage.AutoDeploy = new(true)
	stage.CreatedDate, stage.LastUpdatedDate = now(c), now(c)
	if err := s.checkStage(tx, c, api, stage, nil); err != nil {
		return err
	}
	return s.autoDeployStage(tx, c, apiID, stage)
}

// quickUpdate changes the target, the credentials and the route key of an API
// that a quick create made, and tells whether there was something to change.
func (s *Service) quickUpdate(tx *store.Tx, c *awswire.Call, api *definition.API, in *apigatewayv2.UpdateApiRequest) (bool, error) {
	if in.Target == nil && in.RouteKey == nil && in.CredentialsArn == nil {
		return false, nil
	}
	// UNVERIFIED: the words of these errors.
	if api.QuickCreate == nil {
		return false, badRequest("Target, RouteKey and CredentialsArn can only be updated for an API that was created with them")
	}
	apiID := *api.ApiId
	if in.Target != nil || in.CredentialsArn != nil {
		integration, err := definition.Integrations.Get(tx, scope(c), apiID, api.QuickCreate.IntegrationID)
		if err != nil {
			return false, err
		}
		target := value(integration.IntegrationUri)
		if in.Target != nil {
			target = *in.Target
		}
		credentials := integration.CredentialsArn
		if in.CredentialsArn != nil {
			credentials = in.CredentialsArn
		}
		if err := s.setTarget(tx, c, "UpdateApi", integration, target, credentials); err != nil {
			return false, err
		}
		if err := definition.Integrations.Put(tx, scope(c), integration, apiID, *integration.IntegrationId); err != nil {
			return false, err
		}
	}
	if in.RouteKey != nil {
		route, err := definition.Routes.Get(tx, scope(c), apiID, api.QuickCreate.RouteID)
		if err != nil {
			return false, missing(err, "Invalid Route identifier specified")
		}
		old := *route
		route.RouteKey = in.RouteKey
		if err := checkRoute(route); err != nil {
			return false, err
		}
		if err := s.putRoute(tx, c, apiID, &old, route); err != nil {
			return false, err
		}
	}
	return true, nil
}

// setTarget makes an integration call a URL or a function.
func (s *Service) setTarget(tx *store.Tx, c *awswire.Call, operation string, integration *definition.Integration, target string, credentials *string) error {
	integration.IntegrationUri = &target
	integration.CredentialsArn = credentials
	if value(credentials) == "" {
		integration.CredentialsArn = nil
	}
	if strings.HasPrefix(target, "arn:") {
		integration.IntegrationType = new(apigatewayv2.IntegrationTypeAWSProxy)
		integration.IntegrationMethod = new("POST")
		integration.PayloadFormatVersion = new("2.0")
	} else {
		integration.IntegrationType = new(apigatewayv2.IntegrationTypeHTTPProxy)
		integration.IntegrationMethod = new("ANY")
		integration.PayloadFormatVersion = new("1.0")
	}
	return s.checkIntegration(tx, c, operation, integration)
}
