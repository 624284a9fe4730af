package compile

import (
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
)

// lambda compiles a Lambda authorizer of an HTTP API or a WebSocket API.
func (g *guards) lambda(*definition.Authorizer) (plan.Authorizer, error) {
	// TODO(#6): functions that authorize. Until then nobody may.
	return notYet("CUSTOM"), nil
}

// lambda compiles a Lambda authorizer of a REST API, of type TOKEN or REQUEST.
func (m *methodBuilder) lambda(*definition.RestAuthorizer) (plan.Authorizer, error) {
	// TODO(#6): functions that authorize. Until then nobody may.
	return notYet("CUSTOM"), nil
}
