package apigateway

import (
	"cmp"
	"errors"
	"slices"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

const (
	noDeployment = "Invalid Deployment identifier specified"
	// embedSummary asks for a deployment with the methods it has.
	embedSummary = "apisummary"
)

// deploymentRules are what can be patched of a deployment.
var deploymentRules = patchRules[apigateway.Deployment]{refuse: refuseListing, rules: []patchRule[apigateway.Deployment]{
	{path: "/description", ops: opReplace},
}}

// CreateDeployment freezes the API as it is now. Given a stage it makes that
// stage or moves it to the deployment, or makes the deployment its canary.
func (s *Service) CreateDeployment(c *awswire.Call, in *apigateway.CreateDeploymentRequest) (*apigateway.Deployment, error) {
	deployment := &definition.RestDeployment{}
	deployment.Description = nonEmpty(in.Description)
	err := s.store.Update(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.RestApiId))
		if err != nil {
			return err
		}
		if err := checkCanaryStage(tx, c, in); err != nil {
			return err
		}
		if err := checkMethods(tx, c, *api.Id); err != nil {
			return err
		}
		if isPrivate(api.EndpointConfiguration) && value(api.Policy) == "" {
			// UNVERIFIED: that this comes after what is wrong with methods.
			return badRequest("Private REST API doesn't have a resource policy attached to it")
		}
		if value(in.StageName) == "" {
			// What goes to a stage is compiled for it once, before the commit.
			if err := s.checkDeployable(tx, c, *api.Id); err != nil {
				return err
			}
		}
		api.EndpointDisabled = value(api.DisableExecuteApiEndpoint)
		if err := definition.RestAPIs.Put(tx, scope(c), api, *api.Id); err != nil {
			return err
		}
		if err := s.addDeployment(tx, c, *api.Id, deployment); err != nil || value(in.StageName) == "" {
			return err
		}
		return s.deployTo(tx, c, in, *deployment.Id)
	})
	if reason, ok := s.compiler.Undeployable(err); ok {
		return nil, badRequest("%s", reason)
	}
	if err != nil {
		return nil, err
	}
	return deploymentView(deployment), nil
}

// checkCanaryStage refuses a canary without a stage that is there already.
func checkCanaryStage(tx *store.Tx, c *awswire.Call, in *apigateway.CreateDeploymentRequest) error {
	if in.CanarySettings == nil {
		return nil
	}
	const invalid = "Invalid deployment content specified."
	if value(in.StageName) == "" {
		provided := "null"
		if in.StageName != nil {
			provided = ""
		}
		return badRequest(invalid+"Non null and non empty stageName must be provided for canary deployment. Provided value is %s", provided)
	}
	if found, err := definition.RestStages.Exists(tx, scope(c), *in.RestApiId, *in.StageName); err != nil || found {
		return err
	}
	return badRequest(invalid+"Stage %s must already be created before making a canary release deployment", *in.StageName)
}

// checkMethods refuses an API without methods, or with one that calls nothing.
func checkMethods(tx *store.Tx, c *awswire.Call, apiID string) error {
	methods := 0
	for entry, err := range definition.Resources.All(tx, scope(c), apiID) {
		if err != nil {
			return err
		}
		for _, method := range entry.Doc.ResourceMethods {
			if method.MethodIntegration == nil {
				return badRequest("No integration defined for method")
			}
			methods++
		}
	}
	if methods == 0 {
		return badRequest("The REST API doesn't contain any methods")
	}
	return nil
}

// checkDeployable refuses an API that doesn't compile.
func (s *Service) checkDeployable(tx *store.Tx, c *awswire.Call, apiID string) error {
	reason, err := s.compiler.CheckRestStage(tx, scope(c), apiID, &definition.RestStage{})
	if err != nil {
		return err
	}
	if reason != "" {
		return badRequest("%s", reason)
	}
	return nil
}

// addDeployment stores a new deployment of the API as this transaction has it.
func (s *Service) addDeployment(tx *store.Tx, c *awswire.Call, apiID string, deployment *definition.RestDeployment) error {
	id, err := s.freeID(childIDLength, func(id string) (bool, error) {
		return definition.RestDeployments.Exists(tx, scope(c), apiID, id)
	})
	if err != nil {
		return err
	}
	deployment.Id, deployment.CreatedDate = &id, now(c)
	deployment.Revision = tx.Revision()
	if err := tx.Pin(scope(c), apiID, deployment.Revision); err != nil {
		return err
	}
	return definition.RestDeployments.Put(tx, scope(c), deployment, apiID, id)
}

// deployTo gives a new deployment to the stage that the request names.
func (s *Service) deployTo(tx *store.Tx, c *awswire.Call, in *apigateway.CreateDeploymentRequest, id string) error {
	stage, err := definition.RestStages.Get(tx, scope(c), *in.RestApiId, *in.StageName)
	if errors.Is(err, store.ErrNotFound) {
		stage, err = &definition.RestStage{}, nil
		stage.StageName, stage.CreatedDate = in.StageName, now(c)
	}
	if err != nil {
		return err
	}
	old := stage.Stage
	if canary := in.CanarySettings; canary != nil {
		stage.CanarySettings = newCanary(id)
		stage.CanarySettings.PercentTraffic = orDefault(canary.PercentTraffic, 0)
		stage.CanarySettings.StageVariableOverrides = nonEmptyMap(canary.StageVariableOverrides)
		stage.CanarySettings.UseStageCache = orDefault(canary.UseStageCache, false)
	} else {
		stage.DeploymentId = &id
	}
	// What isn't given, which may come as an empty text, stays as it is.
	stage.Description = cmp.Or(nonEmpty(in.StageDescription), stage.Description)
	stage.CacheClusterEnabled = cmp.Or(in.CacheClusterEnabled, stage.CacheClusterEnabled)
	stage.CacheClusterSize = cmp.Or(nonEmpty(in.CacheClusterSize), stage.CacheClusterSize)
	stage.TracingEnabled = cmp.Or(in.TracingEnabled, stage.TracingEnabled)
	if len(in.Variables) > 0 {
		stage.Variables = in.Variables
	}
	return s.putStage(tx, c, *in.RestApiId, stage, &old)
}

// GetDeployment returns one deployment.
func (s *Service) GetDeployment(c *awswire.Call, in *apigateway.GetDeploymentRequest) (*apigateway.Deployment, error) {
	var view *apigateway.Deployment
	err := s.store.View(c, func(tx *store.Tx) error {
		deployment, err := getDeployment(tx, c, value(in.RestApiId), value(in.DeploymentId))
		if err != nil {
			return err
		}
		view = deploymentView(deployment)
		if slices.Contains(in.Embed, embedSummary) {
			view.ApiSummary, err = summary(tx, c, *in.RestApiId, deployment)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return view, nil
}

// GetDeployments lists an API's deployments.
func (s *Service) GetDeployments(c *awswire.Call, in *apigateway.GetDeploymentsRequest) (*apigateway.Deployments, error) {
	out := &apigateway.Deployments{}
	err := s.store.View(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.RestApiId))
		if err != nil {
			return err
		}
		out.Items, out.Position, err = list(tx, scope(c), definition.RestDeployments, pageRequest{in.Limit, in.Position},
			func(e store.Entry[definition.RestDeployment]) apigateway.Deployment { return *deploymentView(e.Doc) }, *api.Id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateDeployment does patch operations.
func (s *Service) UpdateDeployment(c *awswire.Call, in *apigateway.UpdateDeploymentRequest) (*apigateway.Deployment, error) {
	var deployment *definition.RestDeployment
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		apiID, id := value(in.RestApiId), value(in.DeploymentId)
		if deployment, err = getDeployment(tx, c, apiID, id); err != nil {
			return err
		}
		if err := deploymentRules.apply(&deployment.Deployment, in.PatchOperations); err != nil {
			return err
		}
		return definition.RestDeployments.Put(tx, scope(c), deployment, apiID, id)
	})
	if err != nil {
		return nil, err
	}
	return deploymentView(deployment), nil
}

// DeleteDeployment removes a deployment that no stage serves.
func (s *Service) DeleteDeployment(c *awswire.Call, in *apigateway.DeleteDeploymentRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		apiID, id := value(in.RestApiId), value(in.DeploymentId)
		deployment, err := getDeployment(tx, c, apiID, id)
		if err != nil {
			return err
		}
		for stage, err := range definition.RestStages.All(tx, scope(c), apiID) {
			if err != nil {
				return err
			}
			if value(stage.Doc.DeploymentId) == id || stage.Doc.CanarySettings != nil && value(stage.Doc.CanarySettings.DeploymentId) == id {
				return badRequest("Active stages pointing to this deployment must be moved or deleted")
			}
		}
		if err := tx.Unpin(scope(c), apiID, deployment.Revision); err != nil {
			return err
		}
		return definition.RestDeployments.Delete(tx, scope(c), apiID, id)
	})
}

func getDeployment(tx *store.Tx, c *awswire.Call, apiID, id string) (*definition.RestDeployment, error) {
	if _, err := getAPI(tx, c, apiID); err != nil {
		return nil, err
	}
	deployment, err := definition.RestDeployments.Get(tx, scope(c), apiID, id)
	return deployment, missing(err, noDeployment)
}

// summary lists the methods that a deployment froze, by path and method.
func summary(tx *store.Tx, c *awswire.Call, apiID string, deployment *definition.RestDeployment) (map[string]map[string]apigateway.MethodSnapshot, error) {
	paths := map[string]map[string]apigateway.MethodSnapshot{}
	for entry, err := range definition.Resources.All(tx.AsOf(deployment.Revision), scope(c), apiID) {
		if err != nil {
			return nil, err
		}
		for name, method := range entry.Doc.ResourceMethods {
			path := *entry.Doc.Path
			if paths[path] == nil {
				paths[path] = map[string]apigateway.MethodSnapshot{}
			}
			paths[path][name] = apigateway.MethodSnapshot{AuthorizationType: method.AuthorizationType, ApiKeyRequired: method.ApiKeyRequired}
		}
	}
	return paths, nil
}

// deploymentView is the shape as answers carry it.
func deploymentView(deployment *definition.RestDeployment) *apigateway.Deployment {
	view := deployment.Deployment
	return &view
}
