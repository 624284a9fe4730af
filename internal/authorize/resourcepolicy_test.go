package authorize

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/plan"
	"gatehouse/internal/policy"
)

// resource compiles the policy of an API.
func resource(t testing.TB, statements string) *ResourcePolicy {
	t.Helper()
	return &ResourcePolicy{Document: document(t, policy.Resource, `{"Version":"2012-10-17","Statement":[`+statements+`]}`), Clock: func() time.Time { return signedAt }}
}

const (
	api   = "arn:aws:execute-api:eu-west-1:" + account + ":abc"
	toAll = `{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"` + api + `/*"}`
	// about is a statement about GET /pets/*, whose effect, principal and condition
	// stand for NAMEs.
	about = `{"Effect":"EFFECT","Principal":PRINCIPAL,"Action":"execute-api:Invoke","Resource":"` + api + `/dev/GET/pets/*"CONDITION}`
)

func statement(effect, principal, condition string) string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return strings.NewReplacer("EFFECT", effect, "PRINCIPAL", principal, "CONDITION", condition).Replace(about)
}

// Who needn't sign needs a statement that allows.
func TestResourcePolicy(t *testing.T) {
	const (
		resource403 = "User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********1234:abc/dev/GET/pets/1"
		silent      = resource403 + " because no resource-based policy allows the execute-api:Invoke action"
		explicit    = resource403 + " with an explicit deny in a resource-based policy"
	)
	p := routes(plan.REST, everyKey...)
	deny := func(condition string) string { return toAll + "," + statement("Deny", `"*"`, condition) }
	allow := func(condition string) string { return statement("Allow", `"*"`, condition) }
	tests := []struct {
		name, statements string
		header           http.Header
		private, secure  bool
		message          string
	}{
		{"allowed", toAll, nil, false, false, ""},
		{"denied", deny(""), nil, false, false, explicit},
		{"not spoken of", strings.ReplaceAll(toAll, "/*", "/dev/POST/*"), nil, false, false, silent},
		{"of an account", statement("Allow", `{"AWS":"`+account+`"}`, ""), nil, false, false, silent},
		{"of everybody in AWS", statement("Allow", `{"AWS":"*"}`, ""), nil, false, false, ""},
		{"from an address", allow(`{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`), nil, false, false, ""},
		{"from another address", allow(`{"IpAddress":{"aws:SourceIp":"192.0.3.0/24"}}`), nil, false, false, silent},
		{"not from an address", deny(`{"NotIpAddress":{"aws:SourceIp":["192.0.2.0/25","10.0.0.0/8"]}}`), nil, false, false, ""},
		{"a forwarded address", allow(`{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`), http.Header{"X-Forwarded-For": {"10.0.0.1"}}, false, false, silent},
		{"the address of a private API", allow(`{"IpAddress":{"aws:VpcSourceIp":"192.0.2.0/24"}}`), nil, true, false, ""},
		{"the address of a private API, asked for wrongly", allow(`{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`), nil, true, false, silent},
		{"a private address of a public API", allow(`{"IpAddress":{"aws:VpcSourceIp":"192.0.2.0/24"}}`), nil, false, false, silent},
		{"not over an endpoint", deny(`{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}`), nil, false, false, explicit},
		{"over the endpoint", deny(`{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}`), nil, true, false, ""},
		{"over another endpoint", deny(`{"StringNotEquals":{"aws:SourceVpce":"vpce-2"}}`), nil, true, false, explicit},
		{"from the network", allow(`{"StringEquals":{"aws:SourceVpc":"vpc-1"}}`), nil, true, false, ""},
		{"from another network", allow(`{"StringEquals":{"aws:SourceVpc":"vpc-2"}}`), nil, true, false, silent},
		{"a network in a header", allow(`{"StringEquals":{"aws:SourceVpc":"vpc-1"}}`), http.Header{"Aws:sourcevpc": {"vpc-1"}}, false, false, silent},
		{"a referer", allow(`{"StringLike":{"aws:Referer":"https://a.example/*"}}`), http.Header{"Referer": {"https://a.example/b"}}, false, false, ""},
		{"no referer", allow(`{"StringLike":{"aws:Referer":"*"}}`), nil, false, false, silent},
		{"a user agent", allow(`{"StringLike":{"aws:UserAgent":"curl/*"}}`), http.Header{"User-Agent": {"curl/7"}}, false, false, ""},
		{"plain", deny(`{"Bool":{"aws:SecureTransport":"false"}}`), nil, false, false, explicit},
		{"over TLS", deny(`{"Bool":{"aws:SecureTransport":"false"}}`), nil, false, true, ""},
		{"before a date", allow(`{"DateLessThan":{"aws:CurrentTime":"2026-05-06T07:08:10Z"}}`), nil, false, false, ""},
		{"after a date", allow(`{"DateGreaterThan":{"aws:CurrentTime":"2026-05-06T07:08:10Z"}}`), nil, false, false, silent},
		{"before a second", allow(`{"NumericLessThan":{"aws:EpochTime":"1778051290"}}`), nil, false, false, ""},
		{"no source", allow(`{"ArnLike":{"aws:SourceArn":"*"}}`), nil, false, false, silent},
		{"a principal's key", allow(`{"StringEquals":{"aws:PrincipalAccount":"` + account + `"}}`), nil, false, false, silent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := resource(t, tt.statements)
			x := placed(t, p, "GET", "/dev/pets/1", host, "", tt.header)
			x.Request.Secure = tt.secure
			if tt.private {
				head := *x.API
				head.Private = true
				stage := *x.Stage
				stage.API, x.Stage = &head, &stage
				x.VPCEndpoint, x.VPC = "vpce-1", "vpc-1"
			}
			err := r.Authorize(x)
			if kind, message := faultOf(err); message != tt.message || (err == nil) != (tt.message == "") || err != nil && kind != plan.AccessDenied {
				t.Errorf("%v\n%s", err, message)
			}
			want := map[string]policy.Decision{"": policy.Allowed, silent: policy.Silent, explicit: policy.Denied}[tt.message]
			if got := r.Decide(x, policy.Caller{}, nil); got != want {
				t.Errorf("decided %d, want %d", got, want)
			}
		})
	}

	// A preflight needs permission, too; a private API without a policy is closed.
	x := placed(t, routes(plan.REST, "OPTIONS /pets/{id}"), "OPTIONS", "/dev/pets/1", host, "", nil)
	if kind, _ := faultOf(resource(t, statement("Allow", `"*"`, "")).Authorize(x)); kind != plan.AccessDenied {
		t.Errorf("a preflight: %d", kind)
	}
	closed := &ResourcePolicy{Document: &policy.Document{}, Clock: time.Now}
	if _, message := faultOf(closed.Authorize(x)); !strings.HasSuffix(message, "/OPTIONS/pets/1 because no resource-based policy allows the execute-api:Invoke action") {
		t.Errorf("a private API without a policy: %s", message)
	}
	// What a backend takes a path for counts as well.
	for target, want := range map[string]policy.Decision{
		"/dev/pets/1": policy.Allowed, "/dev/pets/a/../b": policy.Allowed, "/dev/pets/../admin": policy.Silent, "/dev/pets/..%2Fadmin": policy.Silent,
	} {
		if got := resource(t, statement("Allow", `"*"`, "")).Decide(placed(t, p, "GET", target, host, "", nil), policy.Caller{}, nil); got != want {
			t.Errorf("%s: %d, want %d", target, got, want)
		}
	}
}

// TestIAMWithResourcePolicy is AWS's tables A (one account) and B (two accounts):
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-iam-policy-evaluation.html
func TestIAMWithResourcePolicy(t *testing.T) {
	const bob = "arn:aws:iam::999999999999:user/bob"
	silent, allow, deny := toOthers, statement("Allow", "PRINCIPAL", ""), statement("Deny", "PRINCIPAL", "")
	const (
		identitySilent = " because no identity-based policy allows the execute-api:Invoke action"
		resourceSilent = " because no resource-based policy allows the execute-api:Invoke action"
		identityDenies = " with an explicit deny in an identity-based policy"
		resourceDenies = " with an explicit deny in a resource-based policy"
	)
	identity := func(effect string) *policy.Subject {
		return &policy.Subject{Identity: []*policy.Document{document(t, policy.Inline, `{"Version":"2012-10-17","Statement":[{"Effect":"`+effect+`","Action":"execute-api:*","Resource":"*"}]}`)}}
	}
	tests := []struct {
		name     string
		subject  *policy.Subject
		resource string
		// same and cross are how the refusal ends, "" if there is none.
		same, cross string
	}{
		{"allow, allow", identity("Allow"), allow, "", ""},
		{"allow, silent", identity("Allow"), silent, "", resourceSilent},
		{"silent, allow", &policy.Subject{}, allow, "", identitySilent},
		{"silent, silent", &policy.Subject{}, silent, identitySilent, identitySilent},
		{"allow, deny", identity("Allow"), deny, resourceDenies, resourceDenies},
		{"silent, deny", &policy.Subject{}, deny, resourceDenies, resourceDenies},
		{"deny, allow", identity("Deny"), allow, identityDenies, identityDenies},
		{"deny, silent", identity("Deny"), silent, identityDenies, identityDenies},
		{"deny, deny", identity("Deny"), deny, identityDenies, identityDenies},
	}
	p := routes(plan.REST, everyKey...)
	for _, tt := range tests {
		for arn, want := range map[string]string{annARN: tt.same, bob: tt.cross} {
			t.Run(tt.name+" "+arn, func(t *testing.T) {
				a := newIAM(fakeSigners{{"AKIAANN", ""}: signer(arn, tt.subject)})
				a.Policy = resource(t, strings.ReplaceAll(tt.resource, "PRINCIPAL", `{"AWS":"`+arn+`"}`))
				err := a.Authorize(newCall("/dev/pets/1").sign(t).placed(t, p))
				if _, message := faultOf(err); (err == nil) != (want == "") || !strings.HasSuffix(message, want) {
					t.Errorf("%v\n%s", err, message)
				}
			})
		}
	}

	// A statement about the caller sees the caller's keys.
	a := newIAM(fakeSigners{{"AKIAANN", ""}: signer(annARN, nil)})
	for condition, want := range map[string]bool{
		`{"StringEquals":{"aws:PrincipalArn":"` + annARN + `"}}`:    true,
		`{"StringEquals":{"aws:PrincipalArn":"` + bob + `"}}`:       false,
		`{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}`:      true,
		`{"StringEquals":{"aws:ResourceAccount":"999999999999"}}`:   false,
		`{"IpAddress":{"aws:SourceIp":"192.0.2.7"}}`:                true,
		`{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}`:             false,
		`{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}}`:     true,
		`{"StringEquals":{"aws:UserAgent":"${aws:PrincipalArn}"}}`:  true,
		`{"StringEquals":{"aws:UserAgent":"${aws:PrincipalArn}x"}}`: false,
	} {
		a.Policy = resource(t, statement("Allow", `"*"`, condition))
		x := newCall("/dev/pets/1").sign(t).placed(t, p)
		x.Request.Headers = append(x.Request.Headers, plan.Header{Name: "User-Agent", Value: annARN})
		if err := a.Authorize(x); (err == nil) != want {
			t.Errorf("%s: %v", condition, err)
		}
	}
}

// toOthers allows somebody else.
var toOthers = statement("Allow", `{"AWS":"arn:aws:iam::111111111111:root"}`, "")
