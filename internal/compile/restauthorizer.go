package compile

import (
	"errors"
	"fmt"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
)

// Kinds of authorization that the service model only knows as text.
const (
	authorizationNone    = "NONE"
	authorizationIAM     = "AWS_IAM"
	authorizationCustom  = "CUSTOM"
	authorizationCognito = "COGNITO_USER_POOLS"
)

// readAuthorizers reads what methods refer to.
func (m *methodBuilder) readAuthorizers(view *store.Tx) error {
	m.authorizers, m.lambdas = map[string]*definition.RestAuthorizer{}, map[string]plan.Authorizer{}
	for e, err := range definition.RestAuthorizers.All(view, m.key.Scope, m.key.id) {
		if err != nil {
			return fmt.Errorf("compile: authorizers of API %s: %w", m.key.id, err)
		}
		m.authorizers[e.ID[1]] = e.Doc
	}
	return nil
}

// authorizer compiles who may call a method; nil lets everyone. Each kind of
// authorization has a method in a file of its own.
func (m *methodBuilder) authorizer(doc *apigateway.Method) (plan.Authorizer, error) {
	kind := value(doc.AuthorizationType)
	if m.policy != nil && len(m.policy.Document.Statements) == 0 {
		// Whoever asks for what: nobody may call a private API without a policy.
		return m.policy, nil
	}
	switch kind {
	case "", authorizationNone:
		return m.anonymous(), nil
	case authorizationIAM:
		return m.iam()
	}
	authorizer, ok := m.authorizers[value(doc.AuthorizerId)]
	if !ok {
		return closed{plan.AuthorizerMisconfigured, "the method's authorizer " + value(doc.AuthorizerId) + " is gone"}, nil
	}
	switch kind {
	case authorizationCustom:
		return m.lambda(authorizer)
	case authorizationCognito:
		return m.cognito(authorizer, doc.AuthorizationScopes)
	}
	return nil, errors.New("there is no authorization of type " + kind)
}
