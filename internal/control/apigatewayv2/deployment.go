package apigatewayv2

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// What AWS says of an API without routes that is to be deployed.
const (
	noRoutes       = "Unable to deploy API because no routes exist in this API"
	noSocketRoutes = "At least one route is required before deploying the Api."
)

func whyNoRoutes(api *definition.API) string {
	if isHTTP(api) {
		return noRoutes
	}
	return noSocketRoutes
}

// CreateDeployment freezes the API as it is now and, given a stage, moves that
// stage to it. What can't run makes a deployment that failed and says why.
func (s *Service) CreateDeployment(c *awswire.Call, in *apigatewayv2.CreateDeploymentRequest) (*apigatewayv2.CreateDeploymentResponse, error) {
	deployment := &definition.Deployment{}
	apply(&deployment.Deployment, in)
	if err := checkLength("description", deployment.Description, 1024); err != nil {
		return nil, err
	}
	err := s.store.Update(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.ApiId))
		if err != nil {
			return err
		}
		apiID := *api.ApiId
		stage := &definition.Stage{}
		if value(in.StageName) != "" {
			if stage, err = getStage(tx, c, apiID, *in.StageName); err != nil {
				return err
			}
			if value(stage.AutoDeploy) {
				return autoDeployed(c, apiID)
			}
		}
		if empty, err := s.hasNoRoutes(tx, c, apiID); err != nil {
			return err
		} else if empty {
			return badRequest("%s", whyNoRoutes(api))
		}
		reason, err := s.compiler.CheckStage(tx, scope(c), apiID, stage)
		if err != nil {
			return err
		}
		if err := s.addDeployment(tx, c, apiID, deployment, reason); err != nil || reason != "" || stage.StageName == nil {
			return err
		}
		return s.moveStage(tx, c, apiID, stage, deployment)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.CreateDeploymentResponse](&deployment.Deployment), nil
}

// GetDeployment returns one deployment.
func (s *Service) GetDeployment(c *awswire.Call, in *apigatewayv2.GetDeploymentRequest) (*apigatewayv2.GetDeploymentResponse, error) {
	var deployment *definition.Deployment
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		deployment, err = getDeployment(tx, c, value(in.ApiId), value(in.DeploymentId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.GetDeploymentResponse](&deployment.Deployment), nil
}

// GetDeployments lists an API's deployments.
func (s *Service) GetDeployments(c *awswire.Call, in *apigatewayv2.GetDeploymentsRequest) (*apigatewayv2.GetDeploymentsResponse, error) {
	out := &apigatewayv2.GetDeploymentsResponse{}
	err := s.store.View(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.ApiId))
		if err != nil {
			return err
		}
		out.Items, out.NextToken, err = list(tx, scope(c), definition.Deployments, pageRequest{in.MaxResults, in.NextToken},
			func(e store.Entry[definition.Deployment]) apigatewayv2.Deployment { return e.Doc.Deployment }, *api.ApiId)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateDeployment sets the description.
func (s *Service) UpdateDeployment(c *awswire.Call, in *apigatewayv2.UpdateDeploymentRequest) (*apigatewayv2.UpdateDeploymentResponse, error) {
	var deployment *definition.Deployment
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		apiID, id := value(in.ApiId), value(in.DeploymentId)
		if deployment, err = getDeployment(tx, c, apiID, id); err != nil {
			return err
		}
		apply(&deployment.Deployment, in, "DeploymentId")
		if err := checkLength("description", deployment.Description, 1024); err != nil {
			return err
		}
		return definition.Deployments.Put(tx, scope(c), deployment, apiID, id)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.UpdateDeploymentResponse](&deployment.Deployment), nil
}

// DeleteDeployment removes a deployment that no stage serves.
func (s *Service) DeleteDeployment(c *awswire.Call, in *apigatewayv2.DeleteDeploymentRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		apiID, id := value(in.ApiId), value(in.DeploymentId)
		if _, err := getDeployment(tx, c, apiID, id); err != nil {
			return err
		}
		for stage, err := range definition.Stages.All(tx, scope(c), apiID) {
			if err != nil {
				return err
			}
			if value(stage.Doc.DeploymentId) == id {
				// UNVERIFIED: the words, which are those of REST APIs.
				return badRequest("Active stages pointing to this deployment must be moved or deleted")
			}
		}
		return s.dropDeployment(tx, c, apiID, id)
	})
}

func getDeployment(tx *store.Tx, c *awswire.Call, apiID, id string) (*definition.Deployment, error) {
	if _, err := getAPI(tx, c, apiID); err != nil {
		return nil, err
	}
	deployment, err := definition.Deployments.Get(tx, scope(c), apiID, id)
	// UNVERIFIED: the words.
	return deployment, missing(err, "Invalid Deployment identifier specified")
}

func (s *Service) hasNoRoutes(tx *store.Tx, c *awswire.Call, apiID string) (bool, error) {
	first, err := definition.RouteKeys.List(tx, scope(c), store.Page{Limit: 1}, apiID)
	return len(first) == 0, err
}

// addDeployment stores a new deployment of the API as this transaction has it;
// failure is why it can't run, "" when it can.
func (s *Service) addDeployment(tx *store.Tx, c *awswire.Call, apiID string, deployment *definition.Deployment, failure string) error {
	id, err := s.freeID(deploymentIDLength, func(id string) (bool, error) {
		return definition.Deployments.Exists(tx, scope(c), apiID, id)
	})
	if err != nil {
		return err
	}
	deployment.DeploymentId = &id
	deployment.CreatedDate = now(c)
	deployment.AutoDeployed = orDefault(deployment.AutoDeployed, false)
	deployment.DeploymentStatus = new(apigatewayv2.DeploymentStatusDeployed)
	if failure != "" {
		deployment.DeploymentStatus = new(apigatewayv2.DeploymentStatusFailed)
		deployment.DeploymentStatusMessage = &failure
	} else {
		deployment.Revision = tx.Revision()
		if err := tx.Pin(scope(c), apiID, deployment.Revision); err != nil {
			return err
		}
	}
	return definition.Deployments.Put(tx, scope(c), deployment, apiID, id)
}

// dropDeployment removes a deployment and what only it kept. One that is gone
// already is no error: a user may have deleted it.
func (s *Service) dropDeployment(tx *store.Tx, c *awswire.Call, apiID, id string) error {
	deployment, err := definition.Deployments.Get(tx, scope(c), apiID, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if deployment.Revision != 0 {
		if err := tx.Unpin(scope(c), apiID, deployment.Revision); err != nil {
			return err
		}
	}
	return definition.Deployments.Delete(tx, scope(c), apiID, id)
}

// moveStage points a stage at a deployment.
func (s *Service) moveStage(tx *store.Tx, c *awswire.Call, apiID string, stage *definition.Stage, deployment *definition.Deployment) error {
	stage.DeploymentId = deployment.DeploymentId
	stage.LastUpdatedDate = now(c)
	return definition.Stages.Put(tx, scope(c), stage, apiID, *stage.StageName)
}

// keepSuperseded is how many deployments of its own an auto-deployed stage
// keeps once it has moved on: enough to see what happened and to go back, few
// enough that an edit costs the same however many came before it.
const keepSuperseded = 10

// autoDeploy deploys the API as it is now to the stages that deploy
// automatically. A failure is recorded in the stage, which goes on serving what
// it has.
func (s *Service) autoDeploy(tx *store.Tx, c *awswire.Call, apiID string) error {
	stages, err := definition.Stages.List(tx, scope(c), store.Page{}, apiID)
	if err != nil {
		return err
	}
	for _, stage := range stages {
		if !value(stage.Doc.AutoDeploy) {
			continue
		}
		if err := s.autoDeployStage(tx, c, apiID, stage.Doc); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) autoDeployStage(tx *store.Tx, c *awswire.Call, apiID string, stage *definition.Stage) error {
	failure, err := s.whyNotDeployable(tx, c, apiID, stage)
	if err != nil {
		return err
	}
	if failure != "" {
		stage.LastDeploymentStatusMessage = new("Deployment attempt failed: " + failure)
		stage.LastUpdatedDate = now(c)
		return definition.Stages.Put(tx, scope(c), stage, apiID, *stage.StageName)
	}
	deployment := &definition.Deployment{}
	deployment.AutoDeployed = new(true)
	deployment.Description = new("Automatic deployment triggered by changes to the Api configuration")
	if err := s.addDeployment(tx, c, apiID, deployment, ""); err != nil {
		return err
	}
	if err := s.supersede(tx, c, apiID, stage); err != nil {
		return err
	}
	stage.LastDeploymentStatusMessage = new(fmt.Sprintf("Successfully deployed stage with deployment ID '%s'", *deployment.DeploymentId))
	return s.moveStage(tx, c, apiID, stage, deployment)
}

// whyNotDeployable says why the API as it is now can't be deployed to a stage,
// "" when it can.
func (s *Service) whyNotDeployable(tx *store.Tx, c *awswire.Call, apiID string, stage *definition.Stage) (string, error) {
	if empty, err := s.hasNoRoutes(tx, c, apiID); err != nil {
		return "", err
	} else if empty {
		api, err := getAPI(tx, c, apiID)
		return whyNoRoutes(api), err
	}
	return s.compiler.CheckStage(tx, scope(c), apiID, stage)
}

// supersede remembers the deployment a stage is about to leave, if it was made
// automatically, and drops the oldest of those beyond the bound that no other
// stage serves.
func (s *Service) supersede(tx *store.Tx, c *awswire.Call, apiID string, stage *definition.Stage) error {
	if stage.DeploymentId == nil {
		return nil
	}
	leaving, err := definition.Deployments.Get(tx, scope(c), apiID, *stage.DeploymentId)
	if errors.Is(err, store.ErrNotFound) || err == nil && !value(leaving.AutoDeployed) {
		return nil
	}
	if err != nil {
		return err
	}
	stage.Superseded = append(slices.Clone(stage.Superseded), *stage.DeploymentId)
	for len(stage.Superseded) > keepSuperseded {
		oldest := stage.Superseded[0]
		stage.Superseded = stage.Superseded[1:]
		if err := s.dropUnlessServed(tx, c, apiID, oldest, stage); err != nil {
			return err
		}
	}
	return nil
}

// dropUnlessServed drops a deployment unless a stage other than the one that
// is leaving it serves it.
func (s *Service) dropUnlessServed(tx *store.Tx, c *awswire.Call, apiID, id string, leaving *definition.Stage) error {
	stages, err := definition.Stages.List(tx, scope(c), store.Page{}, apiID)
	if err != nil {
		return err
	}
	for _, other := range stages {
		if *other.Doc.StageName != *leaving.StageName && value(other.Doc.DeploymentId) == id {
			return nil
		}
	}
	return s.dropDeployment(tx, c, apiID, id)
}

// autoDeployed refuses to choose the deployment of a stage that chooses its own.
func autoDeployed(c *awswire.Call, apiID string) error {
	return badRequest("Deployment ID cannot be set on this stage %s:%s because AutoDeploy is enabled.", c.Account, apiID)
}

// now is the time of the call as AWS keeps times: in whole seconds.
func now(c *awswire.Call) *time.Time { return new(c.Time.UTC().Truncate(time.Second)) }
