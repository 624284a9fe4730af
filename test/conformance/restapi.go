package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"strings"
)

// A RestAPI is a REST API with its parts, which are made in the order of the
// fields.
type RestAPI struct {
	// Members are those of CreateRestApi; name needn't be there, and a policy may
	// be the document itself.
	Members Members `yaml:",inline"`
	// Import is an OpenAPI document, as a text or as what it says, that the API
	// is imported from instead; ImportParameters are the parameters of
	// ImportRestApi.
	Import           any     `yaml:"import"`
	ImportParameters Members `yaml:"importParameters"`
	// Validators, Models and Authorizers are members of CreateRequestValidator,
	// CreateModel and CreateAuthorizer under their names, GatewayResponses those
	// of PutGatewayResponse under their types. The schema of a model may be the
	// document itself, its content type is application/json by default.
	Validators       map[string]Members `yaml:"validators"`
	Models           map[string]Members `yaml:"models"`
	Authorizers      map[string]Members `yaml:"authorizers"`
	GatewayResponses map[string]Members `yaml:"gatewayResponses"`
	// Resources are methods by the resource's path and the HTTP method.
	Resources map[string]map[string]Method `yaml:"resources"`
	// Undeployed leaves out the deployment and so all stages.
	Undeployed bool `yaml:"undeployed"`
	// Deployment are members of CreateDeployment; its stage is test by default.
	Deployment Members `yaml:"deployment"`
	// Stages are members of CreateStage for further stages, under their names.
	// They are stages of the same deployment unless they name another.
	Stages map[string]Members `yaml:"stages"`
	// Settings are values by stage and by the path at which UpdateStage replaces
	// them.
	Settings map[string]map[string]string `yaml:"settings"`
}

// A Method is a method of a REST API's resource.
type Method struct {
	// Method are members of PutMethod; its authorizationType is NONE by default.
	Method Members `yaml:"method"`
	// Integration are members of PutIntegration; without any there is none.
	Integration Members `yaml:"integration"`
	// Responses are by their status.
	Responses map[string]Response `yaml:"responses"`
}

// A Response is what a method answers with one status: members of
// PutMethodResponse and, if the method has an integration, of
// PutIntegrationResponse.
type Response struct {
	Method      Members `yaml:"method"`
	Integration Members `yaml:"integration"`
}

// makeRestAPI makes a REST API and its parts.
func (s *scene) makeRestAPI(name string) (*madeAPI, error) {
	ctx := context.Background()
	spec := s.setup.RestAPIs[name]
	b := builder{scene: s, api: &madeAPI{parts: map[string]string{}}, idMember: "restApiId"}
	for _, step := range []func(context.Context, RestAPI) error{
		func(ctx context.Context, spec RestAPI) error { return b.restAPI(ctx, s.title+" "+name, spec) },
		b.restParts, b.restMethods, b.restStages,
	} {
		if err := step(ctx, spec); err != nil {
			return nil, err
		}
	}
	return b.api, nil
}

// restAPI makes the API itself.
func (b builder) restAPI(ctx context.Context, name string, spec RestAPI) error {
	var api struct{ ID, RootResourceID string }
	call, with := "apigateway:CreateRestApi", Members{"name": name}
	if spec.Import != nil {
		call, with = "apigateway:ImportRestApi", Members{"body": spec.Import}
		if spec.ImportParameters != nil {
			with["parameters"] = spec.ImportParameters
		}
	}
	maps.Copy(with, spec.Members)
	if policy, there := with["policy"]; there {
		var err error
		if with["policy"], err = policyText(policy, b.lookup); err != nil {
			return err
		}
	}
	if err := b.make(ctx, call, with, &api); err != nil {
		return err
	}
	b.scene.world.later("apigateway:DeleteRestApi", Members{"restApiId": api.ID})
	b.api.id = api.ID
	b.api.parts["api"], b.api.parts["root"] = api.ID, api.RootResourceID
	b.api.parts["resources./"] = api.RootResourceID
	var err error
	if b.api.endpoint, err = url.Parse(b.scene.world.invokeURL(api.ID)); err != nil || spec.Import == nil {
		return err
	}
	var resources struct{ Item []struct{ ID, Path string } }
	err = b.make(ctx, "apigateway:GetResources", Members{"limit": 500}, &resources)
	for _, r := range resources.Item {
		b.api.parts["resources."+r.Path] = r.ID
	}
	return err
}

// restParts makes what methods can name.
func (b builder) restParts(ctx context.Context, spec RestAPI) error {
	for _, name := range sortedKeys(spec.Validators) {
		if err := b.part(ctx, "apigateway:CreateRequestValidator", "validators."+name, Members{"name": name}, spec.Validators[name]); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(spec.Models) {
		with := maps.Clone(spec.Models[name])
		if _, text := with["schema"].(string); !text {
			schema, err := json.Marshal(with["schema"])
			if err != nil {
				return err
			}
			with["schema"] = string(schema)
		}
		if err := b.part(ctx, "apigateway:CreateModel", "models."+name, Members{"name": name, "contentType": "application/json"}, with); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(spec.Authorizers) {
		if err := b.part(ctx, "apigateway:CreateAuthorizer", "authorizers."+name, Members{"name": name}, spec.Authorizers[name]); err != nil {
			return err
		}
	}
	for _, kind := range sortedKeys(spec.GatewayResponses) {
		if err := b.put(ctx, "apigateway:PutGatewayResponse", Members{"responseType": kind}, spec.GatewayResponses[kind]); err != nil {
			return err
		}
	}
	return nil
}

// restMethods makes the resources with their methods.
func (b builder) restMethods(ctx context.Context, spec RestAPI) error {
	for _, path := range sortedKeys(spec.Resources) {
		id, err := b.resource(ctx, path)
		if err != nil {
			return err
		}
		for _, verb := range sortedKeys(spec.Resources[path]) {
			if err := b.method(ctx, id, verb, spec.Resources[path][verb]); err != nil {
				return fmt.Errorf("%s %s: %w", verb, path, err)
			}
		}
	}
	return nil
}

// resource returns the id of a path's resource and makes it, and those above
// it, if they aren't there.
func (b builder) resource(ctx context.Context, path string) (string, error) {
	if id := b.api.parts["resources."+path]; id != "" {
		return id, nil
	}
	slash := strings.LastIndexByte(path, '/')
	if slash < 0 {
		return "", fmt.Errorf("the path %q of a resource doesn't begin with a slash", path)
	}
	parent, err := b.resource(ctx, path[:max(slash, 1)])
	if err != nil {
		return "", err
	}
	err = b.part(ctx, "apigateway:CreateResource", "resources."+path, nil, Members{"parentId": parent, "pathPart": path[slash+1:]})
	return b.api.parts["resources."+path], err
}

func (b builder) method(ctx context.Context, resource, verb string, m Method) error {
	at := Members{"resourceId": resource, "httpMethod": verb}
	with := Members{"authorizationType": "NONE"}
	maps.Copy(with, m.Method)
	if err := b.put(ctx, "apigateway:PutMethod", at, with); err != nil {
		return err
	}
	if m.Integration != nil {
		if err := b.put(ctx, "apigateway:PutIntegration", at, m.Integration); err != nil {
			return err
		}
	}
	for _, status := range sortedKeys(m.Responses) {
		at["statusCode"] = status
		if err := b.put(ctx, "apigateway:PutMethodResponse", at, m.Responses[status].Method); err != nil {
			return err
		}
		if m.Integration == nil {
			continue
		}
		if err := b.put(ctx, "apigateway:PutIntegrationResponse", at, m.Responses[status].Integration); err != nil {
			return err
		}
	}
	return nil
}

// restStages deploys the API.
func (b builder) restStages(ctx context.Context, spec RestAPI) error {
	if spec.Undeployed {
		return nil
	}
	if err := b.part(ctx, "apigateway:CreateDeployment", "deployment", Members{"stageName": "test"}, spec.Deployment); err != nil {
		return err
	}
	for _, name := range sortedKeys(spec.Stages) {
		at := Members{"stageName": name, "deploymentId": b.api.parts["deployment"]}
		if err := b.put(ctx, "apigateway:CreateStage", at, spec.Stages[name]); err != nil {
			return err
		}
	}
	for _, stage := range sortedKeys(spec.Settings) {
		// The gateway makes the groups of its logs, and nobody removes them with the
		// stage.
		for _, logged := range []string{stage, stage + "/Canary"} {
			b.scene.world.later("logs:DeleteLogGroup", Members{"logGroupName": executionLogGroup(b.api.id, logged)})
		}
		var operations []Members
		for _, path := range sortedKeys(spec.Settings[stage]) {
			operations = append(operations, Members{"op": "replace", "path": path, "value": spec.Settings[stage][path]})
		}
		if err := b.put(ctx, "apigateway:UpdateStage", Members{"stageName": stage}, Members{"patchOperations": operations}); err != nil {
			return err
		}
	}
	return nil
}

// put calls an operation with members of two kinds: where, and what.
func (b builder) put(ctx context.Context, call string, at, with Members) error {
	all := maps.Clone(at)
	maps.Copy(all, with)
	return b.make(ctx, call, all, nil)
}

// part makes something that has an id and keeps it under a name.
func (b builder) part(ctx context.Context, call, name string, at, with Members) error {
	all := Members{}
	maps.Copy(all, at)
	maps.Copy(all, with)
	var made struct{ ID string }
	err := b.make(ctx, call, all, &made)
	b.api.parts[name] = made.ID
	return err
}
