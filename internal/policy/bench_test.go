package policy_test

import (
	"testing"

	"gatehouse/internal/policy"
)

// resourceGuard is a REST API's policy as people write them: open to some
// addresses, some paths to one role only.
const resourceGuard = `{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:us-east-1:123456789012:abc/*"},
{"Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:us-east-1:123456789012:abc/*",
 "Condition":{"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","192.0.2.0/24","2001:db8::/32"]}}},
{"Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:us-east-1:123456789012:abc/*/DELETE/*",
 "Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/admin*"},"Bool":{"aws:SecureTransport":"true"}}}]}`

const identityInvoke = `{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"*"},
{"Effect":"Allow","Action":["execute-api:Invoke","execute-api:ManageConnections"],"Resource":["arn:aws:execute-api:*:123456789012:abc/prod/GET/*"],
 "Condition":{"StringEquals":{"aws:PrincipalTag/team":["red","blue"]},"DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"},"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}}}]}`

const ownPath = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke",
"Resource":"arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/${aws:username}/*"}]}`

func invoke() *policy.Request {
	return &policy.Request{
		Action: "execute-api:Invoke", Resource: "arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/alice/pets", Caller: callers[""],
		Keys: policy.KeyMap{
			"aws:sourceip": {"10.20.30.40"}, "aws:securetransport": {"true"}, "aws:principalarn": {"arn:aws:iam::123456789012:user/alice"},
			"aws:principaltag/team": {"blue"}, "aws:currenttime": {"2026-02-03T04:05:06Z"}, "aws:multifactorauthage": {"60"}, "aws:username": {"alice"},
		},
	}
}

func must(tb testing.TB, kind policy.Kind, text string) *policy.Document {
	tb.Helper()
	d, err := policy.Parse(kind, text)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func TestAllocations(t *testing.T) {
	guard, identity, own := must(t, policy.Resource, resourceGuard), must(t, policy.Inline, identityInvoke), must(t, policy.Inline, ownPath)
	r := invoke()
	s := &policy.Subject{Identity: []*policy.Document{identity}, Boundary: identity, Session: []*policy.Document{identity}}
	tests := []struct {
		name string
		ask  func() policy.Decision
		most float64
	}{
		{"resource policy", func() policy.Decision { return guard.Decide(r) }, 0},
		{"identity policy", func() policy.Decision { return identity.Decide(r) }, 0},
		{"all together", func() policy.Decision { return policy.Evaluate(s, guard, r, account).Decision }, 0},
		{"variable", func() policy.Decision { return own.Decide(r) }, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.ask(); got != policy.Allowed {
				t.Fatal(decisions[got])
			}
			if got := testing.AllocsPerRun(100, func() { tt.ask() }); got > tt.most {
				t.Errorf("%v allocations, want at most %v", got, tt.most)
			}
		})
	}
}

func BenchmarkDecide(b *testing.B) {
	r := invoke()
	for _, bb := range []struct {
		name, text string
		kind       policy.Kind
	}{
		{"resource", resourceGuard, policy.Resource},
		{"identity", identityInvoke, policy.Inline},
		{"variable", ownPath, policy.Inline},
	} {
		b.Run(bb.name, func(b *testing.B) {
			d := must(b, bb.kind, bb.text)
			b.ReportAllocs()
			for b.Loop() {
				if d.Decide(r) != policy.Allowed {
					b.Fatal("not allowed")
				}
			}
		})
	}
}

func BenchmarkEvaluate(b *testing.B) {
	r, guard := invoke(), must(b, policy.Resource, resourceGuard)
	s := &policy.Subject{Identity: []*policy.Document{must(b, policy.Inline, identityInvoke)}}
	b.ReportAllocs()
	for b.Loop() {
		if policy.Evaluate(s, guard, r, account).Decision != policy.Allowed {
			b.Fatal("not allowed")
		}
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		must(b, policy.Resource, resourceGuard)
	}
}
