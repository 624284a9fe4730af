package rest

// The extensions of REST APIs.
const (
	extension = "x-amazon-apigateway-"

	anyMethodKey        = extension + "any-method"
	apiKeySourceKey     = extension + "api-key-source"
	authKey             = extension + "auth"
	authTypeKey         = extension + "authtype"
	authorizerKey       = extension + "authorizer"
	binaryMediaTypesKey = extension + "binary-media-types"
	documentationKey    = extension + "documentation"
	endpointKey         = extension + "endpoint-configuration"
	accessModeKey       = extension + "endpoint-access-mode"
	gatewayResponsesKey = extension + "gateway-responses"
	integrationKey      = extension + "integration"
	compressionKey      = extension + "minimum-compression-size"
	policyKey           = extension + "policy"
	validatorKey        = extension + "request-validator"
	validatorsKey       = extension + "request-validators"
	securityPolicyKey   = extension + "security-policy"
	tagValueKey         = extension + "tag-value"

	// requestModelsKey and responseModelsKey are extensions of our own. Swagger
	// 2.0 has one schema for all media types of an operation; where that isn't
	// what the API has, these say which model belongs to which media type.
	requestModelsKey  = "x-gatehouse-request-models"
	responseModelsKey = "x-gatehouse-response-models"
)

// methods are the operations of a path that REST APIs can have, by their keys,
// in the order in which exports write them.
var methods = []struct{ key, method string }{
	{"get", "GET"}, {"put", "PUT"}, {"post", "POST"}, {"delete", "DELETE"}, {"options", "OPTIONS"}, {"head", "HEAD"}, {"patch", "PATCH"},
	{anyMethodKey, "ANY"},
}

// methodOf returns the method that a key of a path item is, "" when it is none.
func methodOf(key string) string {
	for i := range methods {
		if methods[i].key == key {
			return methods[i].method
		}
	}
	return ""
}

// jsonType is the media type that stands where a document names none.
const jsonType = "application/json"
