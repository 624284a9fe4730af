package compile

import (
	"errors"
	"testing"

	"gatehouse/internal/plan"
)

func TestSignature(t *testing.T) {
	for _, test := range []struct {
		name, authorization, query string
		want                       plan.FaultKind
	}{
		{"nothing", "", "", plan.RouteNotFound},
		{"another token", "Bearer x", "a=b", plan.RouteNotFound},
		{"a signature", "AWS4-HMAC-SHA256 Credential=x", "", plan.NotImplemented},
		{"a signed URL", "", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0", plan.NotImplemented},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := plan.Exchange{Request: plan.Request{Query: test.query}}
			if test.authorization != "" {
				x.Request.Headers = plan.Headers{{Name: "Authorization", Value: test.authorization}}
			}
			var fault *plan.Fault
			if err := (signature{closed{plan.NotImplemented, "closed"}}).Authorize(&x); !errors.As(err, &fault) || fault.Kind != test.want {
				t.Errorf("%v, want the kind %d", err, test.want)
			}
		})
	}
}
