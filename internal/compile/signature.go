package compile

import (
	"strings"

	"gatehouse/internal/plan"
)

// A signature is the authorizer of a method that only takes signed requests.
// Who doesn't sign is told so as on a path that doesn't exist; a signature
// can't be verified.
//
// TODO(#6): signatures. Until then nobody who signs may pass.
type signature struct{ closed closed }

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
