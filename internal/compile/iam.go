package compile

import (
	"strings"

	"gatehouse/internal/plan"
)

// iam compiles AWS_IAM authorization of a route.
func (g *guards) iam() (plan.Authorizer, error) {
	// TODO(#6): signatures. Until then nobody who signs may pass.
	return notYet("AWS_IAM"), nil
}

// iam compiles AWS_IAM authorization of a REST API's method.
func (m *methodBuilder) iam() (plan.Authorizer, error) {
	// TODO(#6): signatures. Until then nobody who signs may pass.
	return signature{notYet("AWS_IAM")}, nil
}

// A signature is the authorizer of a method that only takes signed requests.
// Who doesn't sign is told so as on a path that doesn't exist.
type signature struct{ closed plan.Authorizer }

// signing begins the Authorization header of a signed request.
const signing = "AWS4-HMAC-SHA256"

// Authorize refuses.
func (s signature) Authorize(x *plan.Exchange) error {
	authorization, _ := x.Request.Headers.Lookup("authorization")
	if strings.HasPrefix(authorization, signing) || strings.Contains(x.Request.Query, "X-Amz-Algorithm="+signing) {
		return s.closed.Authorize(x)
	}
	return &plan.Fault{Kind: plan.RouteNotFound, Reason: "the method takes signed requests only"}
}
