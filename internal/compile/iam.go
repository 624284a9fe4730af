package compile

import (
	"time"

	"gatehouse/internal/authorize"
	"gatehouse/internal/plan"
)

// iam compiles AWS_IAM authorization of a route.
func (g *guards) iam() (plan.Authorizer, error) {
	return g.c.iam(nil), nil
}

// iam compiles AWS_IAM authorization of a REST API's method.
func (m *methodBuilder) iam() (plan.Authorizer, error) {
	return m.c.iam(m.policy), nil
}

// iam is AWS_IAM authorization under a resource policy, nil for none.
func (c *Compiler) iam(p *authorize.ResourcePolicy) plan.Authorizer {
	signers := c.parts.Signers
	if signers == nil {
		signers = noSigners{}
	}
	return &authorize.IAM{Signers: signers, Keys: c.signingKeys, Policy: p, Clock: c.clock}
}

// noSigners knows no access keys.
type noSigners struct{}

// Signer implements authorize.Signers.
func (noSigners) Signer(string, string) (authorize.Signer, bool) { return authorize.Signer{}, false }

// Used implements authorize.Signers.
func (noSigners) Used(string, string, string, time.Time) {}
