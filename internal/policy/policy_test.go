package policy_test

import (
	"errors"
	"strings"
	"testing"

	"gatehouse/internal/policy"
)

const (
	lambdaTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	logs        = `{"Version":"2012-10-17","Statement":{"Sid":"a","Effect":"Allow","Action":["logs:*"],"Resource":"*"}}`
)

// statement wraps one statement's members into a document.
func statement(members string) string {
	return `{"Version":"2012-10-17","Statement":{` + members + `}}`
}

func TestParse(t *testing.T) {
	const (
		syntax = "Syntax errors in policy."
		legacy = "The policy failed legacy parsing"
	)
	allow := func(members string) string { return statement(`"Effect":"Allow",` + members) }
	tests := []struct {
		name string
		kind policy.Kind
		in   string
		want string
	}{
		{"managed", policy.Managed, logs, ""},
		{"trust", policy.Trust, lambdaTrust, ""},
		{"inline, old version", policy.Inline, strings.Replace(logs, "2012-10-17", "2008-10-17", 1), ""},
		{"managed, old version", policy.Managed, strings.Replace(logs, "2012-10-17", "2008-10-17", 1), "Policy document must be version 2012-10-17 or greater."},
		{"managed, no version", policy.Managed, `{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`, "Policy document must be version 2012-10-17 or greater."},
		{"leading space", policy.Managed, " " + logs, "JSON strings must not have leading spaces"},
		{"no JSON", policy.Managed, "no", syntax},
		{"no JSON in trust", policy.Trust, "no", "This policy contains invalid Json"},
		{"null", policy.Inline, "null", syntax},
		{"list", policy.Inline, "[]", syntax},
		{"no statement", policy.Inline, `{"Version":"2012-10-17"}`, syntax},
		{"empty statement", policy.Inline, `{"Version":"2012-10-17","Statement":[]}`, syntax},
		{"null statement", policy.Inline, `{"Version":"2012-10-17","Statement":[null]}`, syntax},
		{"wrong version", policy.Inline, strings.Replace(logs, "2012-10-17", "2012-10-18", 1), syntax},
		{"unknown member", policy.Inline, `{"Version":"2012-10-17","statement":[]}`, syntax},
		{"unknown statement member", policy.Inline, allow(`"Action":"s3:*","Resource":"*","Foo":1`), syntax},
		{"unknown trust member", policy.Trust, allow(`"Foo":1`), "Unknown field Foo"},
		{"effect in lower case", policy.Inline, statement(`"Effect":"allow","Action":"s3:*","Resource":"*"`), legacy},
		{"wrong effect", policy.Inline, statement(`"Effect":"Perhaps","Action":"s3:*","Resource":"*"`), syntax},
		{"both Action and NotAction", policy.Inline, allow(`"Action":"s3:*","NotAction":"s3:*","Resource":"*"`), syntax},
		{"action a number", policy.Inline, allow(`"Action":1,"Resource":"*"`), syntax},
		{"no action", policy.Inline, allow(`"Resource":"*"`), "Policy statement must contain actions."},
		{"empty action", policy.Inline, allow(`"Action":[],"Resource":"*"`), "Policy statement must contain actions."},
		{"no resource", policy.Inline, allow(`"Action":"s3:*"`), "Policy statement must contain resources."},
		{"principal", policy.Inline, allow(`"Action":"s3:*","Resource":"*","Principal":"*"`), "Policy document should not specify a principal."},
		{"action without vendor", policy.Inline, allow(`"Action":"put","Resource":"*"`), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
		{"action with two colons", policy.Inline, allow(`"Action":"a:b:c","Resource":"*"`), "Actions/Condition can contain only one colon."},
		{"wrong vendor", policy.Inline, allow(`"Action":"a a:b","Resource":"*"`), "Vendor a a is not valid"},
		{"resource no ARN", policy.Inline, allow(`"Action":"s3:*","Resource":"adf"`), `Resource adf must be in ARN format or "*".`},
		{"wrong partition", policy.Inline, allow(`"Action":"s3:*","Resource":"arn:error:s3:::example_bucket"`), `Partition "error" is not valid for resource "arn:error:s3:::example_bucket".`},
		{"short ARN, wrong partition", policy.Inline, allow(`"Action":"s3:*","Resource":"arn:bsdfdsafsad"`), `Partition "bsdfdsafsad" is not valid for resource "arn:bsdfdsafsad:*:*:*:*".`},
		{"long ARN, wrong partition", policy.Inline, allow(`"Action":"s3:*","Resource":"a:b:c:d:e:f:g:h"`), `Partition "b" is not valid for resource "arn:b:c:d:e:f:g:h".`},
		{"no vendor in resource", policy.Inline, allow(`"Action":"s3:*","Resource":"arn:aws"`), "Resource vendor must be fully qualified and cannot contain regexes."},
		{"S3 region", policy.Inline, allow(`"Action":"s3:*","Resource":"arn:aws:s3:us-east-1::example_bucket"`), "Resource arn:aws:s3:us-east-1::example_bucket can not contain region information."},
		{"IAM region", policy.Inline, allow(`"Action":"s3:*","Resource":"arn:aws:iam:us-east-1::example_bucket"`), "IAM resource arn:aws:iam:us-east-1::example_bucket cannot contain region information."},
		{"IAM path", policy.Inline, allow(`"Action":"s3:*","Resource":"arn:aws:iam::123456789012:robot/x"`), `IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.`},
		{"variables", policy.Inline, allow(`"Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*"`), ""},
		{"SID twice", policy.Inline, `{"Statement":[{"Sid":"a","Effect":"Deny","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Deny","Action":"*","Resource":"*"}]}`, "Statement IDs (SID) in a single policy must be unique."},
		{"SID empty twice", policy.Inline, `{"Statement":[{"Sid":"","Effect":"Deny","Action":"*","Resource":"*"},{"Sid":"","Effect":"Deny","Action":"*","Resource":"*"}]}`, ""},
		{"SID with a blank", policy.Inline, allow(`"Sid":"a b","Action":"s3:*","Resource":"*"`), "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"},
		{"conditions", policy.Inline, allow(`"Action":"s3:*","Resource":"*","Condition":{"ForAnyValue:StringLikeIfExists":{"a:b":["x","y"]},"Bool":{"aws:SecureTransport":false},"NumericLessThan":{"c:d":3}}`), ""},
		{"wrong operator", policy.Inline, allow(`"Action":"s3:*","Resource":"*","Condition":{"StringIs":{"a:b":"x"}}`), syntax},
		{"wrong date", policy.Inline, allow(`"Action":"s3:*","Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"01T"}}`), legacy},
		{"date", policy.Inline, allow(`"Action":"s3:*","Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":["2027-01-02T03:04:05Z","1700000000"]}}`), ""},
		{"condition value an object", policy.Inline, allow(`"Action":"s3:*","Resource":"*","Condition":{"StringLike":{"a:b":{}}}`), syntax},

		{"trust with Resource", policy.Trust, allow(`"Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole","Resource":"*"`), "Has prohibited field Resource"},
		{"trust without Principal", policy.Trust, allow(`"Action":"sts:AssumeRole"`), "Missing required field Principal"},
		{"trust with empty Principal", policy.Trust, allow(`"Principal":{},"Action":"sts:AssumeRole"`), "Missing required field Principal cannot be empty!"},
		{"trust without Action", policy.Trust, allow(`"Principal":"*"`), "Missing required field Action"},
		{"trust without Effect", policy.Trust, statement(`"Principal":"*","Action":"sts:AssumeRole"`), "Missing required field Effect"},
		{"trust of another action", policy.Trust, allow(`"Principal":"*","Action":["sts:AssumeRole","s3:GetObject"]`), "AssumeRole policy may only specify STS AssumeRole actions."},
		{"trust in a wrong service", policy.Trust, allow(`"Principal":{"Service":"lambda"},"Action":"sts:AssumeRole"`), `Invalid principal in policy: "SERVICE":"lambda"`},
		{"trust in a wrong user", policy.Trust, allow(`"Principal":{"AWS":"arn:aws:iam::1:user/x"},"Action":"sts:AssumeRole"`), `Invalid principal in policy: "AWS":"arn:aws:iam::1:user/x"`},
		{"trust in everything", policy.Trust, allow(`"Principal":{"AWS":["123456789012","*","arn:aws:iam::123456789012:root","AROAQAAAAAAAAAAAAAAAA","arn:aws:sts::123456789012:assumed-role/a/b"],"Federated":"accounts.google.com"},"Action":["sts:AssumeRole","sts:TagSession"]`), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := policy.Parse(tt.kind, tt.in)
			got := ""
			if err != nil {
				got = err.Error()
				if !errors.As(err, new(policy.Error)) {
					t.Errorf("error is a %T, want a policy.Error", err)
				}
			}
			if got != tt.want {
				t.Errorf("error %q, want %q", got, tt.want)
			}
			if err == nil && len(d.Statements) == 0 {
				t.Error("no statements")
			}
		})
	}
}

// FuzzParse asks that no text makes Parse panic or fail with another error
// than its own, and that what a kind accepts has an effect to speak of.
func FuzzParse(f *testing.F) {
	f.Add(0, logs)
	f.Add(2, lambdaTrust)
	f.Add(1, statement(`"Effect":"Allow","Action":["s3:*",null],"Resource":[1],"Condition":{"Bool":{"a":[true,{}]}}`))
	f.Fuzz(func(t *testing.T, kind int, in string) {
		if kind < 0 || kind > int(policy.Authorizer) {
			return
		}
		d, err := policy.Parse(policy.Kind(kind), in)
		if err != nil {
			if !errors.As(err, new(policy.Error)) {
				t.Errorf("error %T", err)
			}
			return
		}
		d.Decide(&policy.Request{Action: "sts:AssumeRole", Caller: policy.Caller{Account: account, ARN: "arn:aws:iam::" + account + ":root"}})
	})
}
