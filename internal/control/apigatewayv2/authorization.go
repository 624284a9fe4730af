package apigatewayv2

import (
	"errors"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// maxScopes is how many scopes a route can ask for, fixed by AWS.
const maxScopes = 10

// checkAuthorization refuses members that don't go with the authorization type.
func checkAuthorization(route *definition.Route) error {
	kind := *route.AuthorizationType
	switch kind {
	case apigatewayv2.AuthorizationTypeJWT, apigatewayv2.AuthorizationTypeCustom:
		if route.AuthorizerId == nil {
			return invalidAuthorizer(kind)
		}
	case apigatewayv2.AuthorizationTypeNone, apigatewayv2.AuthorizationTypeAWSIAM:
		if route.AuthorizerId != nil {
			// UNVERIFIED: that it is refused, and the words.
			return badRequest("Invalid authorizer ID specified. The authorization type %s does not take an authorizer.", kind)
		}
	default:
		// UNVERIFIED: the words.
		return badRequest("Invalid authorization type specified: %s. Must be one of [NONE, AWS_IAM, CUSTOM, JWT]", kind)
	}
	if len(route.AuthorizationScopes) == 0 {
		return nil
	}
	if kind != apigatewayv2.AuthorizationTypeJWT {
		return badRequest("Invalid Route authorization type specified. Authorization Scopes are only valid for COGNITO_USER_POOLS and JWT authorization types")
	}
	// UNVERIFIED: the words of the errors about the scopes themselves.
	if len(route.AuthorizationScopes) > maxScopes {
		return badRequest("A route can have at most %d authorization scopes", maxScopes)
	}
	for _, wanted := range route.AuthorizationScopes {
		if wanted == "" {
			return badRequest("An authorization scope must not be empty")
		}
		if err := checkLength("authorizationScopes", &wanted, 64); err != nil {
			return err
		}
	}
	return nil
}

// unsetAuthorization takes from a route what doesn't go with the authorization
// type that an update gives it, so that naming the new type is enough.
// UNVERIFIED: that the scopes go with the authorizer, and that both go when the
// type changes from JWT to CUSTOM or back.
func unsetAuthorization(route *definition.Route, in *apigatewayv2.UpdateRouteRequest) {
	if in.AuthorizationType != nil && *in.AuthorizationType != value(route.AuthorizationType) {
		route.AuthorizerId, route.AuthorizationScopes = nil, nil
	}
}

// moveAuthorizer keeps which authorizer guards a route, which must be there and
// of the type the route asks for.
func moveAuthorizer(tx *store.Tx, at store.Scope, apiID string, old, route *definition.Route) error {
	if old != nil && old.AuthorizerId != nil && (route == nil || *old.AuthorizerId != value(route.AuthorizerId)) {
		if err := definition.RouteAuthorizers.Delete(tx, at, apiID, *old.AuthorizerId, *old.RouteId); err != nil {
			return err
		}
	}
	if route == nil || route.AuthorizerId == nil {
		return nil
	}
	authorizer, err := definition.Authorizers.Get(tx, at, apiID, *route.AuthorizerId)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err != nil || *authorizer.AuthorizerType != authorizerType(*route.AuthorizationType) {
		return invalidAuthorizer(*route.AuthorizationType)
	}
	return definition.RouteAuthorizers.Put(tx, at, &definition.Reference{}, apiID, *route.AuthorizerId, *route.RouteId)
}

// authorizerType is the type of the authorizers that routes of an authorization
// type name; "" for those that name none.
func authorizerType(kind string) string {
	switch kind {
	case apigatewayv2.AuthorizationTypeJWT:
		return apigatewayv2.AuthorizerTypeJWT
	case apigatewayv2.AuthorizationTypeCustom:
		return apigatewayv2.AuthorizerTypeRequest
	}
	return ""
}

// invalidAuthorizer is what AWS says of a missing authorizer, an unknown one
// and one of another type.
func invalidAuthorizer(kind string) error {
	if kind == apigatewayv2.AuthorizationTypeJWT {
		return badRequest("Invalid authorizer ID specified. Setting the authorization type to JWT requires a valid JWT authorizer.")
	}
	return badRequest("Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.")
}
