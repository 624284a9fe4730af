package apigateway

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

const (
	noMethod    = "Invalid Method identifier specified"
	noParameter = "Invalid parameter name specified"
	noMediaType = "Content-Type specified was not found"
)

// The values of authorizationType, which the model doesn't list.
const (
	authorizationNone    = "NONE"
	authorizationIAM     = "AWS_IAM"
	authorizationCustom  = "CUSTOM"
	authorizationCognito = "COGNITO_USER_POOLS"
)

// methodRules are what can be patched of a method.
var methodRules = patchRules[apigateway.Method]{refuse: refuseNaming, rules: []patchRule[apigateway.Method]{
	{path: "/authorizationType", ops: opReplace},
	{path: "/authorizerId", ops: opReplace},
	{path: "/authorizationScopes", ops: opAdd | opRemove},
	{path: "/apiKeyRequired", ops: opReplace},
	{path: "/operationName", ops: opReplace},
	{path: "/requestValidatorId", ops: opReplace},
	{path: "/requestParameters/{name}", ops: opEdit, noKey: noParameter, check: dropCacheKey},
	{path: "/requestModels/{type}", ops: opEdit, noKey: noMediaType},
}}

// dropCacheKey does what AWS does along with replacing or removing a parameter:
// it is no cache key any more.
func dropCacheKey(method *apigateway.Method, o patchOp) error {
	if method.MethodIntegration == nil || o.Op == apigateway.OpAdd {
		return nil
	}
	integration := *method.MethodIntegration
	integration.CacheKeyParameters = slices.DeleteFunc(slices.Clone(integration.CacheKeyParameters), func(key string) bool { return key == o.Args[0] })
	method.MethodIntegration = &integration
	return nil
}

// PutMethod adds a method to a resource.
func (s *Service) PutMethod(c *awswire.Call, in *apigateway.PutMethodRequest) (*apigateway.Method, error) {
	method := &apigateway.Method{
		HttpMethod:          in.HttpMethod,
		AuthorizationType:   in.AuthorizationType,
		AuthorizerId:        nonEmpty(in.AuthorizerId),
		ApiKeyRequired:      orDefault(in.ApiKeyRequired, false),
		OperationName:       nonEmpty(in.OperationName),
		RequestParameters:   nonEmptyMap(in.RequestParameters),
		RequestModels:       nonEmptyMap(in.RequestModels),
		RequestValidatorId:  nonEmpty(in.RequestValidatorId),
		AuthorizationScopes: in.AuthorizationScopes,
	}
	err := s.store.Update(c, func(tx *store.Tx) error {
		apiID := value(in.RestApiId)
		resource, err := getResource(tx, c, apiID, value(in.ResourceId))
		if err != nil {
			return err
		}
		name := value(in.HttpMethod)
		if !isMethod(name) {
			return badRequest(invalidMethod)
		}
		if err := checkMethod(tx, c, apiID, method); err != nil {
			return err
		}
		if _, taken := resource.ResourceMethods[name]; taken {
			return conflict("Method already exists for this resource")
		}
		return putMethod(tx, c, apiID, resource, method)
	})
	if err != nil {
		return nil, err
	}
	return methodView(method), nil
}

// GetMethod returns a method with its integration and responses.
func (s *Service) GetMethod(c *awswire.Call, in *apigateway.GetMethodRequest) (*apigateway.Method, error) {
	method, err := s.readMethod(c, value(in.RestApiId), value(in.ResourceId), value(in.HttpMethod))
	if err != nil {
		return nil, err
	}
	return methodView(method), nil
}

// UpdateMethod does patch operations.
func (s *Service) UpdateMethod(c *awswire.Call, in *apigateway.UpdateMethodRequest) (*apigateway.Method, error) {
	method, err := s.editMethod(c, value(in.RestApiId), value(in.ResourceId), value(in.HttpMethod),
		func(tx *store.Tx, _ *definition.Resource, method *apigateway.Method) error {
			if err := methodRules.apply(method, in.PatchOperations); err != nil {
				return err
			}
			return checkMethod(tx, c, value(in.RestApiId), method)
		})
	if err != nil {
		return nil, err
	}
	return methodView(method), nil
}

// DeleteMethod removes a method with its integration and responses.
func (s *Service) DeleteMethod(c *awswire.Call, in *apigateway.DeleteMethodRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		apiID, name := value(in.RestApiId), value(in.HttpMethod)
		resource, err := getResource(tx, c, apiID, value(in.ResourceId))
		if err != nil {
			return err
		}
		if _, err := methodOf(resource, name); err != nil {
			return err
		}
		delete(resource.ResourceMethods, name)
		return definition.Resources.Put(tx, scope(c), resource, apiID, *resource.Id)
	})
}

// methodOf finds a method of a resource.
func methodOf(resource *definition.Resource, name string) (*apigateway.Method, error) {
	method, ok := resource.ResourceMethods[name]
	if !ok {
		return nil, notFound(noMethod)
	}
	return &method, nil
}

// putMethod stores a method, new or changed, in its resource.
func putMethod(tx *store.Tx, c *awswire.Call, apiID string, resource *definition.Resource, method *apigateway.Method) error {
	methods := maps.Clone(resource.ResourceMethods)
	if methods == nil {
		methods = map[string]apigateway.Method{}
	}
	methods[*method.HttpMethod] = *method
	resource.ResourceMethods = methods
	return definition.Resources.Put(tx, scope(c), resource, apiID, *resource.Id)
}

func (s *Service) readMethod(c *awswire.Call, apiID, resourceID, name string) (*apigateway.Method, error) {
	var method *apigateway.Method
	err := s.store.View(c, func(tx *store.Tx) error {
		resource, err := getResource(tx, c, apiID, resourceID)
		if err != nil {
			return err
		}
		method, err = methodOf(resource, name)
		return err
	})
	return method, err
}

// editMethod changes a method in one transaction.
func (s *Service) editMethod(c *awswire.Call, apiID, resourceID, name string, edit func(*store.Tx, *definition.Resource, *apigateway.Method) error) (*apigateway.Method, error) {
	var method *apigateway.Method
	err := s.store.Update(c, func(tx *store.Tx) error {
		resource, err := getResource(tx, c, apiID, resourceID)
		if err != nil {
			return err
		}
		if method, err = methodOf(resource, name); err != nil {
			return err
		}
		if err := edit(tx, resource, method); err != nil {
			return err
		}
		return putMethod(tx, c, apiID, resource, method)
	})
	return method, err
}

// invalidMethod is what AWS says of methods and of those of integrations.
const invalidMethod = "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY"

func isMethod(name string) bool {
	switch name {
	case "GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY":
		return true
	}
	return false
}

// checkMethod refuses what a method can't be, and leaves out what its type of
// authorization doesn't have.
func checkMethod(tx *store.Tx, c *awswire.Call, apiID string, method *apigateway.Method) error {
	if err := checkRequestParameters(method.RequestParameters); err != nil {
		return err
	}
	method.AuthorizationType = new(strings.ToUpper(value(method.AuthorizationType)))
	switch *method.AuthorizationType {
	case authorizationNone, authorizationIAM:
		method.AuthorizerId = nil
	case authorizationCustom, authorizationCognito:
		if err := checkAuthorizerOf(tx, c, apiID, method); err != nil {
			return err
		}
	default:
		// UNVERIFIED: the words.
		return badRequest("Invalid authorization type specified. Valid options are NONE,AWS_IAM,CUSTOM,COGNITO_USER_POOLS")
	}
	if id := value(method.RequestValidatorId); id != "" {
		if found, err := definition.RequestValidators.Exists(tx, scope(c), apiID, id); err != nil {
			return err
		} else if !found {
			return badRequest("Invalid Request Validator identifier specified")
		}
	}
	return checkModels(tx, c, apiID, method.RequestModels)
}

// checkAuthorizerOf refuses a method whose authorizer isn't there or isn't of
// the method's kind.
func checkAuthorizerOf(tx *store.Tx, c *awswire.Call, apiID string, method *apigateway.Method) error {
	refused := badRequest("Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.")
	if value(method.AuthorizerId) == "" {
		return refused
	}
	if found, err := definition.RestAuthorizers.Exists(tx, scope(c), apiID, *method.AuthorizerId); err != nil {
		return err
	} else if !found {
		return refused
	}
	authorizer, err := definition.RestAuthorizers.Get(tx, scope(c), apiID, *method.AuthorizerId)
	if err != nil {
		return err
	}
	// UNVERIFIED: that AWS looks at the kind.
	isCognito := value(authorizer.Type) == apigateway.AuthorizerTypeCognitoUserPools
	if isCognito != (*method.AuthorizationType == authorizationCognito) {
		return refused
	}
	return nil
}

// checkModels refuses models by media type that the API doesn't have.
func checkModels(tx *store.Tx, c *awswire.Call, apiID string, models map[string]string) error {
	for _, mediaType := range slices.Sorted(maps.Keys(models)) {
		name := models[mediaType]
		if found, err := definition.RestModels.Exists(tx, scope(c), apiID, name); err != nil {
			return err
		} else if !found {
			return badRequest("Invalid model identifier specified: %s", name)
		}
	}
	return nil
}

var requestParameter = regexp.MustCompile(`^method\.request\.(querystring|header|path|multivaluequerystring|multivalueheader)\.([^\s]+)$`)

// checkRequestParameters refuses parameters of a method that can't be, and two
// of the same name.
func checkRequestParameters(parameters map[string]bool) error {
	names := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(parameters)) {
		match := requestParameter.FindStringSubmatch(key)
		if match == nil {
			return invalidParameter(key)
		}
		if names[match[2]] {
			return badRequest("Parameter names must be unique across querystring, header and path")
		}
		names[match[2]] = true
	}
	return nil
}

// methodView is the shape as answers carry it.
func methodView(method *apigateway.Method) *apigateway.Method {
	view := *method
	if view.MethodIntegration != nil {
		view.MethodIntegration = integrationView(view.MethodIntegration)
	}
	return &view
}

// nonEmptyMap returns m, or nil when there is nothing in it.
func nonEmptyMap[V any](m map[string]V) map[string]V {
	if len(m) == 0 {
		return nil
	}
	return m
}
