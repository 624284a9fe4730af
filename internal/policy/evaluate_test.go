package policy_test

import (
	"testing"

	"gatehouse/internal/policy"
)

func TestBecause(t *testing.T) {
	const action = "sts:AssumeRole"
	tests := []struct {
		verdict policy.Verdict
		want    string
	}{
		{policy.Verdict{Decision: policy.Allowed, Source: policy.IdentityBased}, ""},
		{policy.Verdict{Decision: policy.Silent, Source: policy.IdentityBased}, " because no identity-based policy allows the sts:AssumeRole action"},
		{policy.Verdict{Decision: policy.Silent, Source: policy.PermissionsBoundary}, " because no permissions boundary allows the sts:AssumeRole action"},
		{policy.Verdict{Decision: policy.Silent, Source: policy.SessionPolicy}, " because no session policy allows the sts:AssumeRole action"},
		{policy.Verdict{Decision: policy.Silent, Source: policy.ResourceBased}, " because no resource-based policy allows the sts:AssumeRole action"},
		{policy.Verdict{Decision: policy.Silent, Source: policy.RoleTrust}, " because no role trust policy allows the sts:AssumeRole action"},
		{policy.Verdict{Decision: policy.Denied, Source: policy.IdentityBased}, " with an explicit deny in an identity-based policy"},
		{policy.Verdict{Decision: policy.Denied, Source: policy.PermissionsBoundary}, " with an explicit deny in a permissions boundary"},
		{policy.Verdict{Decision: policy.Denied, Source: policy.SessionPolicy}, " with an explicit deny in a session policy"},
		{policy.Verdict{Decision: policy.Denied, Source: policy.ResourceBased}, " with an explicit deny in a resource-based policy"},
		{policy.Verdict{Decision: policy.Denied, Source: policy.RoleTrust}, " with an explicit deny in the role trust policy"},
	}
	for _, tt := range tests {
		if got := tt.verdict.Because(action); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.verdict, got, tt.want)
		}
	}
}

// TestWhoAllows asks which side an Allow is put down to.
func TestWhoAllows(t *testing.T) {
	allow := `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	guard := func(principal string) *policy.Document {
		return must(t, policy.Resource, `{"Statement":{"Effect":"Allow","Principal":`+principal+`,"Action":"*","Resource":"*"}}`)
	}
	both := &policy.Subject{Identity: []*policy.Document{must(t, policy.Inline, allow)}}
	tests := []struct {
		name, caller string
		subject      *policy.Subject
		guard        *policy.Document
		want         policy.Source
	}{
		{"identity", "", both, nil, policy.IdentityBased},
		{"everybody", "", &policy.Subject{}, guard(`"*"`), policy.ResourceBased},
		{"role", "session", &policy.Subject{}, guard(`{"AWS":"arn:aws:iam::123456789012:role/dev"}`), policy.ResourceBased},
		{"role and identity", "session", both, guard(`{"AWS":"arn:aws:iam::123456789012:role/dev"}`), policy.IdentityBased},
		{"account and identity", "", both, guard(`{"AWS":"123456789012"}`), policy.IdentityBased},
		{"abroad", "foreign", both, guard(`"*"`), policy.ResourceBased},
		{"service", "gateway", nil, guard(`{"Service":"apigateway.amazonaws.com"}`), policy.ResourceBased},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := invoke()
			r.Caller = callers[tt.caller]
			if got := policy.Evaluate(tt.subject, tt.guard, r, account); got != (policy.Verdict{Decision: policy.Allowed, Source: tt.want}) {
				t.Errorf("%s by %s, want by %s", decisions[got.Decision], got.Source, tt.want)
			}
		})
	}
}

// TestNotText asks that no byte of a request is taken for a wildcard, which are
// bytes themselves once a pattern is compiled.
func TestNotText(t *testing.T) {
	d := must(t, policy.Inline, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":["arn:aws:s3:::b/${aws:username}","arn:aws:s3:::c/?"]}}`)
	for b := range 256 {
		name := string([]byte{byte(b)})
		r := &policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/x", Caller: callers[""], Keys: policy.KeyMap{"aws:username": {name}}}
		if got, want := d.Decide(r) == policy.Allowed, name == "x"; got != want {
			t.Errorf("%#x opens x: %v", b, got)
		}
		r.Resource = "arn:aws:s3:::c/" + name
		if d.Decide(r) != policy.Allowed {
			t.Errorf("%#x is no one character", b)
		}
	}
}

func TestAnonymous(t *testing.T) {
	for name, c := range callers {
		if got, want := c.Anonymous(), name == "anonymous"; got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}

func TestCheckPrincipals(t *testing.T) {
	for principal, want := range map[string]string{
		`"*"`: "", `{"AWS":"*"}`: "", `{"AWS":["123456789012","AIDAQAAAAAAAAAAAAAAAA"],"Service":"apigateway.amazonaws.com","Federated":"accounts.google.com"}`: "",
		`{"AWS":"arn:aws:iam::123456789012:user/*"}`: `Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:user/*"`,
		`{"AWS":"alice"}`:          `Invalid principal in policy: "AWS":"alice"`,
		`{"Service":"apigateway"}`: `Invalid principal in policy: "SERVICE":"apigateway"`,
		`{"Federated":""}`:         `Invalid principal in policy: "FEDERATED":""`,
		`{"CanonicalUser":"x"}`:    `Invalid principal in policy: "CANONICAL_USER":"x"`,
	} {
		got := ""
		if err := must(t, policy.Resource, `{"Statement":{"Effect":"Deny","NotPrincipal":`+principal+`,"Action":"*","Resource":"*"}}`).CheckPrincipals(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", principal, got, want)
		}
	}
}
