package compile

import (
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
)

// cognito compiles a COGNITO_USER_POOLS authorizer for a method that asks for
// scopes; none asks for no scope.
func (m *methodBuilder) cognito(*definition.RestAuthorizer, []string) (plan.Authorizer, error) {
	// TODO(#6): user pools. Until then nobody may.
	return notYet("COGNITO_USER_POOLS"), nil
}
