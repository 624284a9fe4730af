package lambdaevent

import (
	"encoding/json"
	"testing"
	"time"

	"gatehouse/internal/plan"
)

func TestAuthorizer(t *testing.T) {
	var (
		function = &plan.Authorization{PrincipalID: "ann", Values: []plan.AuthorizerValue{{Name: "n", Text: "1", JSON: "1"}, {Name: "list", Text: `["a"]`, JSON: `["a"]`}}}
		silent   = &plan.Authorization{PrincipalID: "ann"}
		token    = &plan.Authorization{Token: true, Claims: []plan.AuthorizerValue{{Name: "sub", Text: `u"1`}, {Name: "aud", Text: "x"}}}
		scoped   = &plan.Authorization{Token: true, Scopes: []string{"a", "b"}}
		caller   = plan.Caller{AccountID: "123456789012", ID: "AIDA", AccessKeyID: "AKIA", ARN: "arn:aws:iam::123456789012:user/ann"}
	)
	for _, test := range []struct {
		name   string
		append func([]byte, *plan.Exchange) []byte
		a      *plan.Authorization
		caller plan.Caller
		want   string
	}{
		{"2.0 of nobody", appendAuthorizer20, nil, plan.Caller{}, ``},
		{"2.0 of a function", appendAuthorizer20, function, plan.Caller{}, `{"lambda":{"n":1,"list":["a"]}}`},
		{"2.0 of a function that says nothing", appendAuthorizer20, silent, plan.Caller{}, `{"lambda":null}`},
		{"2.0 of a token", appendAuthorizer20, token, plan.Caller{}, `{"jwt":{"claims":{"sub":"u\"1","aud":"x"},"scopes":null}}`},
		{"2.0 of a token with scopes", appendAuthorizer20, scoped, plan.Caller{}, `{"jwt":{"claims":{},"scopes":["a","b"]}}`},
		{"2.0 of a signature", appendAuthorizer20, nil, caller, `{"iam":{"accessKey":"AKIA","accountId":"123456789012","callerId":"AIDA","cognitoIdentity":null,"principalOrgId":null,"userArn":"arn:aws:iam::123456789012:user/ann","userId":"AIDA"}}`},
		{"1.0 of nobody", appendAuthorizer10, nil, caller, ``},
		{"1.0 of a function", appendAuthorizer10, function, plan.Caller{}, `{"n":"1","list":"[\"a\"]","claims":null,"scopes":null}`},
		{"1.0 of a function that says nothing", appendAuthorizer10, silent, plan.Caller{}, `{"claims":null,"scopes":null}`},
		{"1.0 of a token", appendAuthorizer10, token, plan.Caller{}, `{"claims":{"sub":"u\"1","aud":"x"},"scopes":null}`},
		{"REST of nobody", appendAuthorizerREST, nil, caller, ``},
		{"REST of a function", appendAuthorizerREST, function, plan.Caller{}, `{"n":"1","list":"[\"a\"]","principalId":"ann","integrationLatency":5}`},
		{"REST of a function that says nothing", appendAuthorizerREST, silent, plan.Caller{}, `{"principalId":"ann","integrationLatency":5}`},
		{"REST of a token", appendAuthorizerREST, token, plan.Caller{}, `{"claims":{"sub":"u\"1","aud":"x"}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := &plan.Exchange{Authorization: test.a, Caller: test.caller}
			x.Authorizer.FunctionLatency = 5 * time.Millisecond
			want := test.want
			if want != "" {
				want = `,"authorizer":` + want
			}
			got := string(test.append(nil, x))
			if got != want {
				t.Errorf("%s\nwant %s", got, want)
			}
			if got != "" && !json.Valid([]byte("{"+got[1:]+"}")) {
				t.Error("not JSON")
			}
		})
	}
}
