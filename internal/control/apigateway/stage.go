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

const (
	noStage = "Invalid stage identifier specified"
	// maxVariables is AWS's fixed limit of a stage.
	maxVariables = 100
)

var (
	stageName     = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)
	variableName  = regexp.MustCompile(`^\w{1,64}$`)
	variableValue = regexp.MustCompile(`^[A-Za-z0-9\-._~:/?#&=,]{1,512}$`)
	logGroup      = regexp.MustCompile(`^[a-zA-Z0-9_\-/.]+$`)
)

// stageRules are what can be patched of a stage.
var stageRules = patchRules[apigateway.Stage]{refuse: refuseOfStage, rules: []patchRule[apigateway.Stage]{
	{path: "/deploymentId", ops: opReplace | opCopy, set: promoteDeployment},
	{path: "/description", ops: opReplace},
	{path: "/cacheClusterEnabled", ops: opReplace},
	{path: "/cacheClusterSize", ops: opReplace},
	{path: "/clientCertificateId", ops: opReplace},
	{path: "/documentationVersion", ops: opReplace},
	{path: "/tracingEnabled", ops: opReplace},
	{path: "/accessLogSettings", ops: opRemove},
	{path: "/accessLogSettings/destinationArn", ops: opAdd | opReplace, check: checkAccessLogValue},
	{path: "/accessLogSettings/format", ops: opAdd | opReplace, check: checkAccessLogValue},
	{path: "/canarySettings", ops: opRemove},
	{path: "/canarySettings/deploymentId", ops: opReplace, check: startCanary},
	{path: "/canarySettings/percentTraffic", ops: opReplace, check: startCanary},
	{path: "/canarySettings/useStageCache", ops: opReplace, check: startCanary},
	{path: "/canarySettings/stageVariableOverrides", ops: opRemove, check: needCanary},
	{path: "/canarySettings/stageVariableOverrides/{name}", ops: opEdit, check: startOrNeedCanary},
	{path: "/variables", ops: opCopy, set: promoteVariables},
	{path: "/variables/{name}", ops: opEdit},
	methodSettingRule("metrics/enabled", "metricsEnabled", nil),
	methodSettingRule("logging/dataTrace", "dataTraceEnabled", nil),
	methodSettingRule("logging/loglevel", "loggingLevel", validLogLevel),
	methodSettingRule("throttling/burstLimit", "throttlingBurstLimit", validThrottle),
	methodSettingRule("throttling/rateLimit", "throttlingRateLimit", validThrottle),
	methodSettingRule("caching/ttlInSeconds", "cacheTtlInSeconds", validTTL),
	methodSettingRule("caching/enabled", "cachingEnabled", nil),
	methodSettingRule("caching/dataEncrypted", "cacheDataEncrypted", nil),
	methodSettingRule("caching/requireAuthorizationForCacheControl", "requireAuthorizationForCacheControl", nil),
	methodSettingRule("caching/unauthorizedCacheControlHeaderStrategy", "unauthorizedCacheControlHeaderStrategy", validStrategy),
	{path: "/{resourcePath}/{httpMethod}", ops: opRemove, set: removeMethodSettings},
}}

// refuseOfStage takes every path it doesn't know for that of a method's
// settings, as AWS does.
func refuseOfStage(r refused) error {
	switch {
	case r.Op == apigateway.OpCopy:
		return invalidCopy(r.patchOp)
	case r.Op == apigateway.OpRemove:
		return noMethodSetting(r.Path)
	case r.Path == "/accessLogSettings" || strings.HasPrefix(r.Path, "/accessLogSettings/"):
		return badRequest("Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]")
	case slices.Contains(r.allowed, apigateway.OpReplace):
		return badRequest("Invalid %s operation with path: %s", r.Op, r.Path)
	}
	return invalidStagePath(r.Path)
}

// invalidStagePath names the paths of a stage. AWS's list has commas missing.
func invalidStagePath(path string) error {
	const one, every = "/{resourcePath}/{httpMethod}/", "/*/*/"
	var b strings.Builder
	b.WriteString("/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, /accessLogSettings, /accessLogSettings/destinationArn, /accessLogSettings/format, ")
	for _, of := range [...]struct{ prefix, comma string }{{one, ""}, {every, " "}} {
		for _, suffix := range [...]string{
			"metrics/enabled, ", "logging/dataTrace, ", "logging/loglevel, ",
			"throttling/burstLimit" + of.comma, "throttling/rateLimit" + of.comma, "caching/ttlInSeconds, ",
			"caching/enabled, ", "caching/dataEncrypted, ", "caching/requireAuthorizationForCacheControl, ", "caching/unauthorizedCacheControlHeaderStrategy, ",
		} {
			b.WriteString(of.prefix + suffix)
		}
	}
	b.WriteString("/variables/{variable_name}, /tracingEnabled")
	return badRequest("Invalid method setting path: %s. Must be one of: [%s]", path, b.String())
}

func checkAccessLogValue(_ *apigateway.Stage, o patchOp) error {
	if value(o.Value) == "" {
		return badRequest("Access Log value must not be empty")
	}
	return nil
}

// CreateStage adds a stage that serves a deployment.
func (s *Service) CreateStage(c *awswire.Call, in *apigateway.CreateStageRequest) (*apigateway.Stage, error) {
	stage := &definition.RestStage{}
	stage.StageName, stage.CreatedDate = in.StageName, now(c)
	stage.DeploymentId = in.DeploymentId
	stage.Description = nonEmpty(in.Description)
	stage.CacheClusterEnabled = in.CacheClusterEnabled
	stage.CacheClusterSize = nonEmpty(in.CacheClusterSize)
	stage.Variables = nonEmptyMap(in.Variables)
	stage.DocumentationVersion = nonEmpty(in.DocumentationVersion)
	stage.TracingEnabled = in.TracingEnabled
	if in.CanarySettings != nil {
		canary := *in.CanarySettings
		canary.DeploymentId = orDefault(nonEmpty(canary.DeploymentId), value(in.DeploymentId))
		canary.PercentTraffic = orDefault(canary.PercentTraffic, 0)
		canary.UseStageCache = orDefault(canary.UseStageCache, false)
		stage.CanarySettings = &canary
	}
	if err := setTags(&stage.Tags, in.Tags); err != nil {
		return nil, err
	}
	err := s.store.Update(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.RestApiId))
		if err != nil {
			return err
		}
		if taken, err := definition.RestStages.Exists(tx, scope(c), *api.Id, value(in.StageName)); err != nil {
			return err
		} else if taken {
			return conflict("Stage already exists")
		}
		return s.putStage(tx, c, *api.Id, stage, &apigateway.Stage{})
	})
	if err != nil {
		return nil, err
	}
	return stageView(stage), nil
}

// GetStage returns one stage.
func (s *Service) GetStage(c *awswire.Call, in *apigateway.GetStageRequest) (*apigateway.Stage, error) {
	var stage *definition.RestStage
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		stage, err = getStage(tx, c, value(in.RestApiId), value(in.StageName))
		return err
	})
	if err != nil {
		return nil, err
	}
	return stageView(stage), nil
}

// GetStages lists an API's stages, or those that serve a deployment, all on one
// page.
func (s *Service) GetStages(c *awswire.Call, in *apigateway.GetStagesRequest) (*apigateway.Stages, error) {
	out := &apigateway.Stages{Item: []apigateway.Stage{}}
	err := s.store.View(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.RestApiId))
		if err != nil {
			return err
		}
		for entry, err := range definition.RestStages.All(tx, scope(c), *api.Id) {
			if err != nil {
				return err
			}
			if in.DeploymentId == nil || *in.DeploymentId == value(entry.Doc.DeploymentId) {
				out.Item = append(out.Item, *stageView(entry.Doc))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateStage does patch operations. They act at once, without a deployment.
func (s *Service) UpdateStage(c *awswire.Call, in *apigateway.UpdateStageRequest) (*apigateway.Stage, error) {
	var stage *definition.RestStage
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		apiID := value(in.RestApiId)
		if stage, err = getStage(tx, c, apiID, value(in.StageName)); err != nil {
			return err
		}
		old := stage.Stage
		if err := stageRules.apply(&stage.Stage, in.PatchOperations); err != nil {
			return err
		}
		if err := s.checkAccessLog(c, stage.AccessLogSettings, value(old.AccessLogSettings)); err != nil {
			return err
		}
		return s.putStage(tx, c, apiID, stage, &old)
	})
	if err != nil {
		return nil, err
	}
	return stageView(stage), nil
}

// DeleteStage removes a stage; its deployment stays.
func (s *Service) DeleteStage(c *awswire.Call, in *apigateway.DeleteStageRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		apiID, name := value(in.RestApiId), value(in.StageName)
		if _, err := getStage(tx, c, apiID, name); err != nil {
			return err
		}
		if err := unmapped(tx, c, apiID, name); err != nil {
			return err
		}
		if err := definition.DropFromUsagePlans(tx, scope(c), apiID, name); err != nil {
			return err
		}
		return definition.RestStages.Delete(tx, scope(c), apiID, name)
	})
}

func getStage(tx *store.Tx, c *awswire.Call, apiID, name string) (*definition.RestStage, error) {
	if _, err := getAPI(tx, c, apiID); err != nil {
		return nil, err
	}
	stage, err := definition.RestStages.Get(tx, scope(c), apiID, name)
	return stage, missing(err, noStage)
}

// putStage fills in AWS's defaults, refuses what a stage can't be, and stores
// it. old is what it was before.
func (s *Service) putStage(tx *store.Tx, c *awswire.Call, apiID string, stage *definition.RestStage, old *apigateway.Stage) error {
	stage.LastUpdatedDate = now(c)
	stage.TracingEnabled = orDefault(stage.TracingEnabled, false)
	stage.CacheClusterEnabled = orDefault(stage.CacheClusterEnabled, false)
	if *stage.CacheClusterEnabled {
		stage.CacheClusterSize = orDefault(stage.CacheClusterSize, apigateway.CacheClusterSizeSize0Point5Gb)
		if !value(old.CacheClusterEnabled) || *stage.CacheClusterSize != value(old.CacheClusterSize) {
			stage.CacheSince = tx.Revision()
		}
	}
	// The words leave out the hyphen, which is fine.
	if !stageName.MatchString(value(stage.StageName)) {
		return badRequest("Stage name only allows a-zA-Z0-9_")
	}
	if err := checkVariables(stage.Variables); err != nil {
		return err
	}
	if err := checkCacheSize(value(stage.CacheClusterSize)); err != nil {
		return err
	}
	if stage.CanarySettings != nil {
		if err := checkCanary(stage.CanarySettings); err != nil {
			return err
		}
	}
	if err := checkStageReferences(tx, c, apiID, &stage.Stage, old); err != nil {
		return err
	}
	return definition.RestStages.Put(tx, scope(c), stage, apiID, *stage.StageName)
}

// checkStageReferences refuses deployments that aren't there, and certificates
// and documentation that weren't there when the stage got them.
func checkStageReferences(tx *store.Tx, c *awswire.Call, apiID string, stage, old *apigateway.Stage) error {
	deployments := []string{value(stage.DeploymentId)}
	if stage.CanarySettings != nil {
		deployments = append(deployments, value(stage.CanarySettings.DeploymentId))
	}
	for _, id := range deployments {
		if found, err := definition.RestDeployments.Exists(tx, scope(c), apiID, id); err != nil {
			return err
		} else if !found {
			return badRequest(unknownDeployment)
		}
	}
	// UNVERIFIED: the words of these two errors.
	if id := value(stage.ClientCertificateId); id != value(old.ClientCertificateId) && id != "" {
		if found, err := definition.ClientCertificates.Exists(tx, scope(c), id); err != nil {
			return err
		} else if !found {
			return badRequest("Invalid client certificate ID specified")
		}
	}
	if version := value(stage.DocumentationVersion); version != value(old.DocumentationVersion) && version != "" {
		if found, err := definition.DocumentationVersions.Exists(tx, scope(c), apiID, version); err != nil {
			return err
		} else if !found {
			return badRequest("Invalid Documentation version specified")
		}
	}
	return nil
}

func checkCacheSize(size string) error {
	switch size {
	case "", apigateway.CacheClusterSizeSize0Point5Gb, apigateway.CacheClusterSizeSize1Point6Gb, apigateway.CacheClusterSizeSize6Point1Gb,
		apigateway.CacheClusterSizeSize13Point5Gb, apigateway.CacheClusterSizeSize28Point4Gb, apigateway.CacheClusterSizeSize58Point2Gb,
		apigateway.CacheClusterSizeSize118Gb, apigateway.CacheClusterSizeSize237Gb:
		return nil
	}
	// UNVERIFIED: the words.
	return badRequest("Invalid cache cluster size specified. Valid options are 0.5,1.6,6.1,13.5,28.4,58.2,118,237")
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

// checkAccessLog refuses what of an access log has changed and can't be. AWS
// lets a stage have only one of the two settings.
func (s *Service) checkAccessLog(c *awswire.Call, settings *apigateway.AccessLogSettings, old apigateway.AccessLogSettings) error {
	if settings == nil {
		return nil
	}
	if destination := value(settings.DestinationArn); destination != value(old.DestinationArn) {
		// The ARN that CloudWatch Logs itself gives ends like this.
		settings.DestinationArn = new(strings.TrimSuffix(destination, ":*"))
		if err := checkDestination(c, *settings.DestinationArn); err != nil {
			return err
		}
	}
	if format := value(settings.Format); format != value(old.Format) {
		if err := s.compiler.CheckRestAccessLog(format); err != nil {
			return badRequest("The following errors are found in Access Log Format: %v : '%s'", err, format)
		}
	}
	return nil
}

func checkDestination(c *awswire.Call, text string) error {
	// UNVERIFIED: the words of these errors, which are those of HTTP APIs.
	destination, err := arn.Parse(text)
	if err != nil {
		return badRequest("Invalid ARN specified in the request. ARN: %s must be that of a CloudWatch Logs log group", text)
	}
	if destination.Service == "firehose" {
		return awswire.NotImplemented("apigateway", "UpdateStage with accessLogSettings to Firehose")
	}
	group, ok := strings.CutPrefix(destination.Resource, "log-group:")
	if !ok || destination.Service != "logs" || !logGroup.MatchString(group) {
		return badRequest("Access log destination must only contain characters a-z, A-Z, 0-9, '_', '-', '/', '.': '%s'", destination.Resource)
	}
	if destination.Account != c.Account || destination.Region != c.Region {
		return badRequest("Invalid ARN specified in the request. ARN: %s must be that of a log group in the account and region of the API", text)
	}
	return nil
}

// stageView is the shape as answers carry it.
func stageView(stage *definition.RestStage) *apigateway.Stage {
	view := stage.Stage
	view.CacheClusterStatus = new(apigateway.CacheClusterStatusNotAvailable)
	if value(stage.CacheClusterEnabled) {
		view.CacheClusterStatus = new(apigateway.CacheClusterStatusAvailable)
	}
	if view.MethodSettings == nil {
		view.MethodSettings = map[string]apigateway.MethodSetting{}
	}
	return &view
}
