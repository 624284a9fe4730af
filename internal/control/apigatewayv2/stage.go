package apigatewayv2

import (
	"errors"
	"math"
	"regexp"
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

const (
	defaultStage = "$default"
	// maxVariables is AWS's fixed limit of a stage.
	maxVariables = 100
)

var (
	stageName     = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)
	variableName  = regexp.MustCompile(`^\w{1,64}$`)
	variableValue = regexp.MustCompile(`^[A-Za-z0-9\-._~:/?#&=,]{1,512}$`)
	// logGroup is stricter than CloudWatch Logs, which has groups with a # too,
	// and than its ARNs, which may end in :*.
	logGroup = regexp.MustCompile(`^[a-zA-Z0-9_\-/.]+$`)
)

// CreateStage adds a stage to an API; one that deploys automatically is
// deployed at once.
func (s *Service) CreateStage(c *awswire.Call, in *apigatewayv2.CreateStageRequest) (*apigatewayv2.CreateStageResponse, error) {
	stage := &definition.Stage{}
	apply(&stage.Stage, in, "Tags")
	if err := setTags(&stage.Tags, in.Tags); err != nil {
		return nil, err
	}
	stage.CreatedDate, stage.LastUpdatedDate = now(c), now(c)
	err := s.store.Update(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.ApiId))
		if err != nil {
			return err
		}
		if err := s.checkStage(tx, c, api, stage, stage.DeploymentId); err != nil {
			return err
		}
		if err := s.checkAccessLog(c, api, stage.AccessLogSettings); err != nil {
			return err
		}
		if err := checkRouteKeys(tx, c, *api.ApiId, stage, in.RouteSettings); err != nil {
			return err
		}
		if taken, err := definition.Stages.Exists(tx, scope(c), *api.ApiId, *stage.StageName); err != nil {
			return err
		} else if taken {
			return conflict("Stage already exists")
		}
		if !*stage.AutoDeploy {
			return definition.Stages.Put(tx, scope(c), stage, *api.ApiId, *stage.StageName)
		}
		return s.autoDeployStage(tx, c, *api.ApiId, stage)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.CreateStageResponse](stageView(stage)), nil
}

// GetStage returns one stage.
func (s *Service) GetStage(c *awswire.Call, in *apigatewayv2.GetStageRequest) (*apigatewayv2.GetStageResponse, error) {
	var stage *definition.Stage
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		stage, err = getStage(tx, c, value(in.ApiId), value(in.StageName))
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.GetStageResponse](stageView(stage)), nil
}

// GetStages lists an API's stages.
func (s *Service) GetStages(c *awswire.Call, in *apigatewayv2.GetStagesRequest) (*apigatewayv2.GetStagesResponse, error) {
	out := &apigatewayv2.GetStagesResponse{}
	err := s.store.View(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.ApiId))
		if err != nil {
			return err
		}
		out.Items, out.NextToken, err = list(tx, scope(c), definition.Stages, pageRequest{in.MaxResults, in.NextToken},
			func(e store.Entry[definition.Stage]) apigatewayv2.Stage { return *stageView(e.Doc) }, *api.ApiId)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateStage sets what is present. Its settings act at once, without a
// deployment.
func (s *Service) UpdateStage(c *awswire.Call, in *apigatewayv2.UpdateStageRequest) (*apigatewayv2.UpdateStageResponse, error) {
	stage, err := s.editStage(c, value(in.ApiId), value(in.StageName), func(tx *store.Tx, stage *definition.Stage) error {
		api, err := getAPI(tx, c, *in.ApiId)
		if err != nil {
			return err
		}
		was := value(stage.AutoDeploy)
		apply(&stage.Stage, in, "StageName")
		if err := s.checkStage(tx, c, api, stage, in.DeploymentId); err != nil {
			return err
		}
		// Only where it is given: an older release let destinations pass that
		// are refused now, and they mustn't be in the way of anything else.
		if in.AccessLogSettings != nil {
			if err := s.checkAccessLog(c, api, stage.AccessLogSettings); err != nil {
				return err
			}
		}
		if err := checkRouteKeys(tx, c, *in.ApiId, stage, in.RouteSettings); err != nil {
			return err
		}
		if *stage.AutoDeploy && !was {
			return s.autoDeployStage(tx, c, *in.ApiId, stage)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.UpdateStageResponse](stageView(stage)), nil
}

// DeleteStage removes a stage and the deployments made for it.
func (s *Service) DeleteStage(c *awswire.Call, in *apigatewayv2.DeleteStageRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		apiID, name := value(in.ApiId), value(in.StageName)
		stage, err := getStage(tx, c, apiID, name)
		if err != nil {
			return err
		}
		if err := unmapped(tx, c, apiID, name); err != nil {
			return err
		}
		if err := s.supersede(tx, c, apiID, stage); err != nil {
			return err
		}
		for _, id := range stage.Superseded {
			if err := s.dropUnlessServed(tx, c, apiID, id, stage); err != nil {
				return err
			}
		}
		if err := definition.DropFromUsagePlans(tx, scope(c), apiID, name); err != nil {
			return err
		}
		return definition.Stages.Delete(tx, scope(c), apiID, name)
	})
}

// DeleteRouteSettings removes the settings of one route key.
func (s *Service) DeleteRouteSettings(c *awswire.Call, in *apigatewayv2.DeleteRouteSettingsRequest) error {
	_, err := s.editStage(c, value(in.ApiId), value(in.StageName), func(_ *store.Tx, stage *definition.Stage) error {
		key := value(in.RouteKey)
		if _, ok := stage.RouteSettings[key]; !ok {
			return apigatewayv2.NewNotFoundException("Unable to find Route by key " + key + " within the provided RouteSettings")
		}
		delete(stage.RouteSettings, key)
		return nil
	})
	return err
}

// DeleteAccessLogSettings ends a stage's access log.
func (s *Service) DeleteAccessLogSettings(c *awswire.Call, in *apigatewayv2.DeleteAccessLogSettingsRequest) error {
	_, err := s.editStage(c, value(in.ApiId), value(in.StageName), func(_ *store.Tx, stage *definition.Stage) error {
		stage.AccessLogSettings = nil
		return nil
	})
	return err
}

// editStage changes a stage that users may change.
func (s *Service) editStage(c *awswire.Call, apiID, name string, edit func(tx *store.Tx, stage *definition.Stage) error) (*definition.Stage, error) {
	var stage *definition.Stage
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		if stage, err = getStage(tx, c, apiID, name); err != nil {
			return err
		}
		if value(stage.ApiGatewayManaged) {
			// UNVERIFIED: the words.
			return badRequest("Stage %s is managed by API Gateway and cannot be modified", name)
		}
		stage.LastUpdatedDate = now(c)
		if err := edit(tx, stage); err != nil {
			return err
		}
		return definition.Stages.Put(tx, scope(c), stage, apiID, name)
	})
	return stage, err
}

func getStage(tx *store.Tx, c *awswire.Call, apiID, name string) (*definition.Stage, error) {
	if _, err := getAPI(tx, c, apiID); err != nil {
		return nil, err
	}
	stage, err := definition.Stages.Get(tx, scope(c), apiID, name)
	// UNVERIFIED: the words, which are those of REST APIs.
	return stage, missing(err, "Invalid stage identifier specified")
}

// checkStage fills in AWS's defaults and refuses what a stage can't be. asked is
// the deployment the request names.
func (s *Service) checkStage(tx *store.Tx, c *awswire.Call, api *definition.API, stage *definition.Stage, asked *string) error {
	stage.AutoDeploy = orDefault(stage.AutoDeploy, false)
	stage.DefaultRouteSettings = orDefault(stage.DefaultRouteSettings, apigatewayv2.RouteSettings{})
	stage.DefaultRouteSettings.DetailedMetricsEnabled = orDefault(stage.DefaultRouteSettings.DetailedMetricsEnabled, false)

	// The words leave out the hyphen and $default, which are fine; $default is so
	// for HTTP APIs only.
	if name := value(stage.StageName); !(name == defaultStage && isHTTP(api)) && !stageName.MatchString(name) {
		return badRequest("Stage name only allows a-zA-Z0-9_")
	}
	if err := checkClientCertificate(tx, c, api, stage); err != nil {
		return err
	}
	if err := checkLength("description", stage.Description, 1024); err != nil {
		return err
	}
	if err := checkVariables(stage.StageVariables); err != nil {
		return err
	}
	if !isHTTP(api) {
		setLogging(stage.DefaultRouteSettings)
	}
	if err := checkRouteSettings(api, stage.DefaultRouteSettings); err != nil {
		return err
	}
	for _, settings := range stage.RouteSettings {
		if err := checkRouteSettings(api, &settings); err != nil {
			return err
		}
	}
	apiID := *api.ApiId
	if asked != nil && *stage.AutoDeploy {
		return autoDeployed(c, apiID)
	}
	if value(asked) == "" {
		return nil
	}
	deployment, err := definition.Deployments.Get(tx, scope(c), apiID, *asked)
	if errors.Is(err, store.ErrNotFound) {
		// UNVERIFIED: the words and the kind of error, for both.
		return badRequest("Invalid Deployment identifier specified")
	}
	if err != nil {
		return err
	}
	if value(deployment.DeploymentStatus) != apigatewayv2.DeploymentStatusDeployed {
		return badRequest("Deployment %s is not deployed: %s", *asked, value(deployment.DeploymentStatusMessage))
	}
	return nil
}

// checkRouteKeys refuses settings for routes that aren't there. Only those a
// request gives are looked at: a route that is deleted leaves its settings
// behind, and they are in nobody's way.
func checkRouteKeys(tx *store.Tx, c *awswire.Call, apiID string, stage *definition.Stage, given map[string]apigatewayv2.RouteSettings) error {
	for key := range given {
		if _, kept := stage.RouteSettings[key]; !kept || key == defaultRouteKey {
			continue
		}
		if found, err := definition.RouteKeys.Exists(tx, scope(c), apiID, key); err != nil {
			return err
		} else if !found {
			return apigatewayv2.NewNotFoundException("Unable to find Route by key " + key + " within the provided RouteSettings")
		}
	}
	return nil
}

func checkVariables(variables map[string]string) error {
	if len(variables) > maxVariables {
		// UNVERIFIED: the words.
		return badRequest("A stage can have at most %d stage variables", maxVariables)
	}
	for name, v := range variables {
		if !variableName.MatchString(name) {
			return badRequest("Invalid stage variable name: %s. Please use names with only word characters.", name)
		}
		if !variableValue.MatchString(v) {
			return badRequest("Invalid stage variable value of key %s.  Please use values with alphanumeric characters and the symbols ' ', -', '.', '_', ':', '/', '?', '&', '=', and ','.", name)
		}
	}
	return nil
}

func checkRouteSettings(api *definition.API, settings *apigatewayv2.RouteSettings) error {
	if isHTTP(api) && (value(settings.DataTraceEnabled) || value(settings.LoggingLevel) != "" && *settings.LoggingLevel != apigatewayv2.LoggingLevelOff) {
		return badRequest("Execution logs are not supported on protocolType HTTP")
	}
	// The wire has words for what isn't a number; JSON, as it is stored, has none.
	rate := value(settings.ThrottlingRateLimit)
	if value(settings.ThrottlingBurstLimit) < 0 || rate < 0 || math.IsNaN(rate) || math.IsInf(rate, 0) {
		// UNVERIFIED: the words.
		return badRequest("Throttling limits must be numbers and not negative")
	}
	return nil
}

func (s *Service) checkAccessLog(c *awswire.Call, api *definition.API, settings *apigatewayv2.AccessLogSettings) error {
	if settings == nil {
		return nil
	}
	// UNVERIFIED: the words of the next two errors.
	if settings.DestinationArn == nil || settings.Format == nil {
		return badRequest("Both destinationArn and format are required in accessLogSettings")
	}
	destination, err := arn.Parse(*settings.DestinationArn)
	if err != nil {
		return badRequest("Invalid ARN specified in the request. ARN: %s must be that of a CloudWatch Logs log group", *settings.DestinationArn)
	}
	group, ok := strings.CutPrefix(destination.Resource, "log-group:")
	if !ok || destination.Service != "logs" || !logGroup.MatchString(group) {
		return badRequest("Access log destination must only contain characters a-z, A-Z, 0-9, '_', '-', '/', '.': '%s'", destination.Resource)
	}
	if destination.Account != c.Account || destination.Region != c.Region {
		// UNVERIFIED: that it is refused, and the words. Nobody but its owner may
		// write to a log group.
		return badRequest("Invalid ARN specified in the request. ARN: %s must be that of a log group in the account and region of the API", *settings.DestinationArn)
	}
	if err := s.compiler.CheckAccessLog(api, *settings.Format); err != nil {
		return badRequest("The following errors are found in Access Log Format: %v : '%s'", err, *settings.Format)
	}
	return nil
}

// stageView is the shape as it is answered: maps are there even when empty.
func stageView(stage *definition.Stage) *apigatewayv2.Stage {
	view := stage.Stage
	view.RouteSettings = orEmpty(view.RouteSettings)
	view.StageVariables = orEmpty(view.StageVariables)
	view.Tags = orEmpty(view.Tags)
	return &view
}
