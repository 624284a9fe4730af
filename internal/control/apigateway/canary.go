package apigateway

import (
	"maps"

	"gatehouse/internal/awsapi/apigateway"
)

const unknownDeployment = "Deployment id does not exist"

// newCanary is a canary that gets no traffic yet.
func newCanary(deploymentID string) *apigateway.CanarySettings {
	return &apigateway.CanarySettings{DeploymentId: &deploymentID, PercentTraffic: new(0.0), UseStageCache: new(false)}
}

// canaryOf is a copy of a stage's canary. One that the stage hasn't had begins
// as the stage's own deployment.
func canaryOf(stage *apigateway.Stage) *apigateway.CanarySettings {
	if stage.CanarySettings == nil {
		return newCanary(value(stage.DeploymentId))
	}
	canary := *stage.CanarySettings
	return &canary
}

// startCanary gives a stage a canary before one of its settings is set.
func startCanary(stage *apigateway.Stage, _ patchOp) error {
	stage.CanarySettings = canaryOf(stage)
	return nil
}

// needCanary refuses to take something from a canary that isn't there.
func needCanary(stage *apigateway.Stage, o patchOp) error {
	if stage.CanarySettings == nil {
		return noMethodSetting(o.Path)
	}
	return nil
}

// startOrNeedCanary is startCanary for what is set and needCanary for what is
// removed.
func startOrNeedCanary(stage *apigateway.Stage, o patchOp) error {
	if o.Op == apigateway.OpRemove {
		return needCanary(stage, o)
	}
	return startCanary(stage, o)
}

// promoteDeployment gives a stage the deployment of its canary, or the one that
// is sent.
func promoteDeployment(stage *apigateway.Stage, o patchOp) error {
	if o.Op == apigateway.OpReplace {
		stage.DeploymentId = nonEmpty(o.Value)
		return nil
	}
	if o.From != "/canarySettings/deploymentId" {
		return invalidCopy(o)
	}
	if stage.CanarySettings == nil {
		return noPromotion()
	}
	stage.DeploymentId = stage.CanarySettings.DeploymentId
	return nil
}

// promoteVariables adds the overrides of a stage's canary to its variables.
func promoteVariables(stage *apigateway.Stage, o patchOp) error {
	if o.From != "/canarySettings/stageVariableOverrides" {
		return invalidCopy(o)
	}
	if stage.CanarySettings == nil {
		return noPromotion()
	}
	variables := maps.Clone(stage.Variables)
	if variables == nil {
		variables = map[string]string{}
	}
	maps.Copy(variables, stage.CanarySettings.StageVariableOverrides)
	stage.Variables = nonEmptyMap(variables)
	return nil
}

func noPromotion() error { return badRequest("Promotion not available. Canary does not exist.") }

func invalidCopy(o patchOp) error {
	return badRequest("Invalid copy operation with path: %s and from %s. Valid copy:path are [/deploymentId, /variables] and valid copy:from are [/canarySettings/deploymentId, /canarySettings/stageVariableOverrides]", o.Path, o.From)
}

// checkCanary refuses a canary that can't be.
func checkCanary(canary *apigateway.CanarySettings) error {
	if percent := value(canary.PercentTraffic); percent < 0 || percent > 100 || percent != percent {
		// UNVERIFIED: the words.
		return badRequest("Canary percentTraffic must be between 0.0 and 100.0")
	}
	return checkVariables(canary.StageVariableOverrides)
}
