package compile

import (
	"errors"

	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
)

// jwt compiles a JWT authorizer for a route that asks for scopes; none asks for
// no scope.
func (g *guards) jwt(doc *definition.Authorizer, scopes []string) (plan.Authorizer, error) {
	check := g.c.parts.JWT
	if check == nil {
		return closed{plan.AuthorizerMisconfigured, "nothing here verifies tokens"}, nil
	}
	if doc.JwtConfiguration == nil || len(doc.IdentitySource) != 1 {
		return nil, errors.New("authorizer " + value(doc.AuthorizerId) + " has no JWT configuration or not one identity source")
	}
	return check(JWTCheck{
		Issuer:         value(doc.JwtConfiguration.Issuer),
		Audiences:      doc.JwtConfiguration.Audience,
		IdentitySource: doc.IdentitySource[0],
		Scopes:         scopes,
	})
}
