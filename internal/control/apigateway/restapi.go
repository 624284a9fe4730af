package apigateway

import (
	"errors"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/apiid"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// maxCompression is the greatest minimum size of a compressed response, in bytes.
const maxCompression = 10 << 20

const invalidCompression = "Invalid minimum compression size, must be between 0 and 10485760"

// restAPIRules are what can be patched of an API.
var restAPIRules = patchRules[apigateway.RestApi]{refuse: refuseNaming, rules: []patchRule[apigateway.RestApi]{
	{path: "/name", ops: opReplace},
	{path: "/description", ops: opReplace | opRemove},
	{path: "/version", ops: opReplace | opRemove},
	{path: "/policy", ops: opReplace | opRemove},
	{path: "/apiKeySource", ops: opReplace, check: checkKeySource},
	{path: "/disableExecuteApiEndpoint", ops: opReplace},
	{path: "/minimumCompressionSize", ops: opReplace, invalid: invalidCompression},
	{path: "/binaryMediaTypes/{type}", ops: opEdit},
	{path: "/endpointConfiguration/types/{type}", ops: opEdit, set: setEndpointType},
	{path: "/endpointConfiguration/ipAddressType", ops: opReplace, check: checkIPAddressType},
	{path: "/endpointConfiguration/vpcEndpointIds", ops: opAdd | opRemove},
	{path: "/securityPolicy", ops: opReplace, check: func(_ *apigateway.RestApi, o patchOp) error { return checkDomainPolicy(nil, o) }},
	{path: "/endpointAccessMode", ops: opReplace, check: func(_ *apigateway.RestApi, o patchOp) error { return checkAccessMode(nil, o) }},
}}

// CreateRestApi makes a REST API with a root resource and AWS's two models, or
// with all that another one has.
func (s *Service) CreateRestApi(c *awswire.Call, in *apigateway.CreateRestApiRequest) (*apigateway.RestApi, error) {
	if in.Description != nil && *in.Description == "" {
		return nil, badRequest("Description cannot be an empty string")
	}
	api := &definition.RestAPI{}
	api.Name = in.Name
	api.Description = in.Description
	api.Version = nonEmpty(in.Version)
	api.BinaryMediaTypes = in.BinaryMediaTypes
	api.MinimumCompressionSize = in.MinimumCompressionSize
	api.ApiKeySource = in.ApiKeySource
	api.EndpointConfiguration = in.EndpointConfiguration
	api.DisableExecuteApiEndpoint = in.DisableExecuteApiEndpoint
	api.SecurityPolicy = nonEmpty(in.SecurityPolicy)
	api.EndpointAccessMode = nonEmpty(in.EndpointAccessMode)
	if err := setTags(&api.Tags, in.Tags); err != nil {
		return nil, err
	}
	setDefaults(c, api)
	if err := checkAPI(nil, &api.RestApi); err != nil {
		return nil, err
	}
	err := s.store.Update(c, func(tx *store.Tx) error {
		if value(in.CloneFrom) != "" {
			return s.cloneAPI(tx, c, api, in)
		}
		if err := s.addAPI(tx, c, api, in.Policy); err != nil {
			return err
		}
		return addDefaultModels(tx, c, *api.Id)
	})
	if err != nil {
		return nil, err
	}
	return apiView(api), nil
}

// setDefaults fills in what a new API has that its maker didn't say.
func setDefaults(c *awswire.Call, api *definition.RestAPI) {
	api.ApiKeySource = orDefault(api.ApiKeySource, apigateway.ApiKeySourceTypeHeader)
	api.DisableExecuteApiEndpoint = orDefault(api.DisableExecuteApiEndpoint, false)
	api.CreatedDate = now(c)
	api.EndpointConfiguration = endpointOf(api.EndpointConfiguration)
	if len(api.BinaryMediaTypes) == 0 {
		api.BinaryMediaTypes = nil
	}
}

// checkAPI refuses what an API can't be. old is what it was, nil for a new one.
func checkAPI(old, api *apigateway.RestApi) error {
	// UNVERIFIED: the words of this error.
	if value(api.Name) == "" {
		return badRequest("API name cannot be an empty string")
	}
	if size := value(api.MinimumCompressionSize); size < 0 || size > maxCompression {
		return badRequest(invalidCompression)
	}
	if err := checkEndpoint(api.EndpointConfiguration); err != nil {
		return err
	}
	return checkSecurity(old, api)
}

func checkKeySource(_ *apigateway.RestApi, o patchOp) error {
	switch value(o.Value) {
	case apigateway.ApiKeySourceTypeHeader, apigateway.ApiKeySourceTypeAuthorizer:
		return nil
	}
	// UNVERIFIED: the words.
	return badRequest("Invalid API key source specified. Valid options are HEADER,AUTHORIZER")
}

// addAPI gives a new API its id, its policy and its root resource, and stores
// them.
func (s *Service) addAPI(tx *store.Tx, c *awswire.Call, api *definition.RestAPI, policy *string) error {
	id, err := s.claimID(tx, c, api.Tags[apiid.CustomTag])
	if err != nil {
		return err
	}
	if api.Policy, err = storedPolicy(c, id, policy); err != nil {
		return err
	}
	// UNVERIFIED: that root ids are as long as AWS's, which have ten characters.
	rootID, err := s.newID(apiIDLength)
	if err != nil {
		return err
	}
	api.Id, api.RootResourceId = &id, &rootID
	root := &definition.Resource{}
	root.Id, root.Path = &rootID, new("/")
	if err := definition.Resources.Put(tx, scope(c), root, id, rootID); err != nil {
		return err
	}
	return definition.RestAPIs.Put(tx, scope(c), api, id)
}

// GetRestApi returns one API.
func (s *Service) GetRestApi(c *awswire.Call, in *apigateway.GetRestApiRequest) (*apigateway.RestApi, error) {
	var api *definition.RestAPI
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		api, err = getAPI(tx, c, value(in.RestApiId))
		return err
	})
	if err != nil {
		return nil, err
	}
	view := apiRead(api)
	if view.Tags == nil {
		// Recorded: read alone, an API shows that it has no tags.
		view.Tags = map[string]string{}
	}
	return view, nil
}

// GetRestApis lists the APIs of the account and region.
func (s *Service) GetRestApis(c *awswire.Call, in *apigateway.GetRestApisRequest) (*apigateway.RestApis, error) {
	out := &apigateway.RestApis{}
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		out.Items, out.Position, err = list(tx, scope(c), definition.RestAPIs, pageRequest{in.Limit, in.Position},
			func(e store.Entry[definition.RestAPI]) apigateway.RestApi { return *apiRead(e.Doc) })
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateRestApi does patch operations.
func (s *Service) UpdateRestApi(c *awswire.Call, in *apigateway.UpdateRestApiRequest) (*apigateway.RestApi, error) {
	var api *definition.RestAPI
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		id := value(in.RestApiId)
		if api, err = getAPI(tx, c, id); err != nil {
			return err
		}
		old := api.RestApi
		if err := restAPIRules.apply(&api.RestApi, in.PatchOperations); err != nil {
			return err
		}
		api.EndpointAccessMode = nonEmpty(api.EndpointAccessMode)
		if err := checkTypePatch(&old, &api.RestApi, in.PatchOperations); err != nil {
			return err
		}
		if err := checkAPI(&old, &api.RestApi); err != nil {
			return err
		}
		if api.Policy, err = storedPolicy(c, id, api.Policy); err != nil {
			return err
		}
		// AWS shows the tags of an API that was updated, even when it has none.
		if api.Tags == nil {
			api.Tags = map[string]string{}
		}
		return definition.RestAPIs.Put(tx, scope(c), api, id)
	})
	if err != nil {
		return nil, err
	}
	return apiView(api), nil
}

// DeleteRestApi removes the API and everything in it.
func (s *Service) DeleteRestApi(c *awswire.Call, in *apigateway.DeleteRestApiRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		id := value(in.RestApiId)
		if _, err := getAPI(tx, c, id); err != nil {
			return err
		}
		if err := unmapped(tx, c, id, ""); err != nil {
			return err
		}
		at := scope(c)
		// First, or every version would be kept once more on its way out.
		if err := tx.UnpinAll(at, id); err != nil {
			return err
		}
		for _, deleteAll := range []func(*store.Tx, store.Scope, ...string) (int, error){
			definition.RestStages.DeleteAll, definition.RestDeployments.DeleteAll,
			definition.Resources.DeleteAll, definition.ResourceNames.DeleteAll,
			definition.RestModels.DeleteAll, definition.RequestValidators.DeleteAll, definition.RestAuthorizers.DeleteAll,
			definition.GatewayResponses.DeleteAll, definition.DocumentationParts.DeleteAll, definition.DocumentationVersions.DeleteAll,
		} {
			if _, err := deleteAll(tx, at, id); err != nil {
				return err
			}
		}
		if err := definition.DropFromUsagePlans(tx, scope(c), id, ""); err != nil {
			return err
		}
		if err := definition.RestAPIs.Delete(tx, at, id); err != nil {
			return err
		}
		if err := definition.APIOwners.Delete(tx, store.Scope{}, id); !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return nil
	})
}

// getAPI reads an API of the caller's account and region.
func getAPI(tx *store.Tx, c *awswire.Call, id string) (*definition.RestAPI, error) {
	api, err := definition.RestAPIs.Get(tx, scope(c), id)
	return api, missing(err, "Invalid API identifier specified %s:%s", c.Account, id)
}

// apiView is the shape as answers carry it.
func apiView(api *definition.RestAPI) *apigateway.RestApi {
	view := api.RestApi
	view.Policy = shownPolicy(api.Policy)
	return &view
}

// apiRead is the shape as those who read the API get it. A change is in force once
// its call is answered, so that nothing is ever UPDATING.
// UNVERIFIED: that AWS's other answers don't tell the status.
func apiRead(api *definition.RestAPI) *apigateway.RestApi {
	view := apiView(api)
	view.ApiStatus = new(apigateway.ApiStatusAvailable)
	return view
}
