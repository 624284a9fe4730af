package compile

import (
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
)

// jwt compiles a JWT authorizer for a route that asks for scopes; none asks for
// no scope.
func (g *guards) jwt(*definition.Authorizer, []string) (plan.Authorizer, error) {
	// TODO(#6): tokens. Until then nobody may.
	return notYet("JWT"), nil
}
