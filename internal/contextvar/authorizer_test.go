package contextvar

import (
	"slices"
	"testing"
	"time"

	"gatehouse/internal/plan"
)

func TestAuthorizerValues(t *testing.T) {
	function := &plan.Exchange{
		Authorization: &plan.Authorization{PrincipalID: "ann", Values: []plan.AuthorizerValue{{Name: "tier", Text: "gold"}, {Name: "note", Text: ""}}},
		Authorizer:    plan.AuthorizerReport{Called: true, Latency: 9 * time.Millisecond, FunctionLatency: 7 * time.Millisecond, Status: 200, FunctionStatus: 200, RequestID: "r1"},
	}
	token := &plan.Exchange{Authorization: &plan.Authorization{Token: true, Claims: []plan.AuthorizerValue{{Name: "sub", Text: "u1"}, {Name: "cognito:groups", Text: "[a b]"}}}}
	signed := &plan.Exchange{Authorizer: plan.AuthorizerReport{
		Authenticate: plan.CheckReport{Status: 200, Latency: time.Millisecond}, Authorize: plan.CheckReport{Status: 403, Error: "no"},
	}}
	const none = "\x00"
	for _, test := range []struct {
		name string
		x    *plan.Exchange
		want string
	}{
		{"authorizer.principalId", function, "ann"},
		{"authorizer.tier", function, "gold"},
		{"authorizer.note", function, ""},
		{"authorizer.other", function, none},
		{"authorizer.claims.sub", function, none},
		{"authorizer.status", function, "200"},
		{"authorizer.latency", function, "9"},
		{"authorizer.integrationLatency", function, "7"},
		{"authorizer.integrationStatus", function, "200"},
		{"authorizer.requestId", function, "r1"},
		{"authorizer.error", function, none},
		{"authenticate.status", function, none},
		{"authenticate.latency", function, none},
		{"authorizer.claims.sub", token, "u1"},
		{"authorizer.claims.cognito:groups", token, "[a b]"},
		{"authorizer.sub", token, none},
		{"authorizer.latency", token, none},
		{"authenticate.status", signed, "200"},
		{"authenticate.latency", signed, "1"},
		{"authorize.status", signed, "403"},
		{"authorize.error", signed, "no"},
		{"authorizer.tier", signed, none},
	} {
		v, known := LookupREST(test.name)
		got, ok := v.Append(nil, test.x, 0, nil)
		if text := string(got); !known || ok != (test.want != none) || ok && text != test.want {
			t.Errorf("%s is %q, %t", test.name, text, ok)
		}
	}
	if keys := RESTKeys("authorizer", function); !slices.Equal(keys, []string{"principalId", "integrationLatency", "tier", "note"}) {
		t.Errorf("keys %q", keys)
	}
	if keys := RESTKeys("authorizer.claims", token); !slices.Equal(keys, []string{"sub", "cognito:groups"}) {
		t.Errorf("claims %q", keys)
	}
	if v, known := Lookup("authenticate.status"); known || v.Has(AtEnd) {
		t.Error("HTTP APIs have $context.authenticate")
	}
}
