package apigateway

import (
	"errors"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
)

// Every rule names members that the shape has, of types that patches know:
// what is wrong with a rule is found here and not by a user.
func TestRulesNameMembers(t *testing.T) {
	exercise(t, "API", &restAPIRules, func() api.RestApi { return api.RestApi{EndpointConfiguration: &api.EndpointConfiguration{}} })
	exercise(t, "resource", &resourceRules, func() api.Resource { return api.Resource{ParentId: new("p")} })
	exercise(t, "method", &methodRules, empty[api.Method])
	exercise(t, "method response", &methodResponseRules, empty[api.MethodResponse])
	exercise(t, "integration", &integrationRules, empty[api.Integration])
	exercise(t, "integration response", &integrationResponseRules, empty[api.IntegrationResponse])
	exercise(t, "deployment", &deploymentRules, empty[api.Deployment])
	exercise(t, "stage", &stageRules, empty[api.Stage])
	exercise(t, "account", &accountRules, empty[definition.Account])
	exercise(t, "API key", &keyRules, empty[keyPatch])
	exercise(t, "authorizer", &authorizerRules, empty[definition.RestAuthorizer])
	exercise(t, "client certificate", &certificateRules, empty[definition.ClientCertificate])
	exercise(t, "documentation part", &partRules, empty[definition.DocumentationPart])
	exercise(t, "documentation version", &versionRules, empty[definition.DocumentationVersion])
	exercise(t, "gateway response", &gatewayResponseRules, empty[definition.GatewayResponse])
	exercise(t, "model", &modelRules, empty[definition.RestModel])
	exercise(t, "request validator", &validatorRules, empty[definition.RequestValidator])
	exercise(t, "usage plan", &planRules, func() planPatch { return planPatch{add: func(api.ApiStage) error { return nil }} })
	exercise(t, "usage", &usageRules, empty[usagePatch])
	exercise(t, "throttle", &throttleRules, empty[api.ThrottleSettings])
}

func empty[S any]() S {
	var shape S
	return shape
}

// exercise does every operation of every rule: each is done or refused as AWS
// does, and a rule that names what isn't there panics.
func exercise[S any](t *testing.T, name string, rules *patchRules[S], shape func() S) {
	for _, rule := range rules.rules {
		path := strings.NewReplacer("{httpMethod}", "GET", "{", "", "}", "", "+", "").Replace(rule.path)
		for _, o := range rule.ops.names() {
			for _, val := range []string{"1", "true", "", "EDGE"} {
				s := shape()
				var answer *awswire.Error
				if err := rules.apply(&s, []api.PatchOperation{op(o, path, val)}); err != nil && !errors.As(err, &answer) {
					t.Errorf("%s: %s %s %q: %v", name, o, path, val, err)
				}
			}
		}
	}
}

// The rules of stages take any text for a path.
func FuzzStagePatch(f *testing.F) {
	for _, path := range []string{"/*/*", "/*/*/metrics/enabled", "/a~1b/GET/throttling/rateLimit", "/variables/a", "/canarySettings/stageVariableOverrides/a", "/accessLogSettings/x", "//GET/logging/loglevel", "/deploymentId", ""} {
		for _, o := range []string{"add", "remove", "replace", "copy"} {
			f.Add(o, path, "1")
		}
	}
	f.Fuzz(func(t *testing.T, name, path, val string) {
		stage := api.Stage{StageName: new("s"), DeploymentId: new("d")}
		if err := stageRules.apply(&stage, []api.PatchOperation{op(name, path, val)}); err == nil && *stage.StageName != "s" {
			t.Errorf("%s %s renamed the stage", name, path)
		}
		for key := range stage.MethodSettings {
			if _, ok := methodSettingKey("/" + key); !ok {
				t.Errorf("%s %s made method settings %q", name, path, key)
			}
		}
	})
}
