package lambda_test

import (
	"testing"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/control/lambda"
)

// gateway is API Gateway calling for a route of an API.
var gateway = lambda.Access{
	Principal: "apigateway.amazonaws.com", SourceARN: "arn:aws:execute-api:us-east-1:123456789012:abc/$default/GET/hello",
	SourceAccount: account,
}

// allow lets API Gateway call a function, or a qualifier of it.
func allow(name, qualifier string) *api.AddPermissionRequest {
	in := &api.AddPermissionRequest{
		FunctionName: &name, StatementId: new("gateway"), Action: new("lambda:InvokeFunction"), Principal: new("apigateway.amazonaws.com"),
		SourceArn: new("arn:aws:execute-api:us-east-1:123456789012:abc/*/*"),
	}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	return in
}

// TestStatements holds the statements as AWS writes them and Terraform reads them.
func TestStatements(t *testing.T) {
	f := newFixture(t)
	f.create(t, "f", nothing)
	const head, tail = `{"Sid":"s","Effect":"Allow","Principal":`, `,"Action":"lambda:InvokeFunction","Resource":"` + prefix + `f"`
	tests := []struct {
		name   string
		change func(in *api.AddPermissionRequest)
		want   string
	}{
		{"service", func(in *api.AddPermissionRequest) { in.Principal = new("s3.amazonaws.com") },
			head + `{"Service":"s3.amazonaws.com"}` + tail + `}`},
		{"source", func(in *api.AddPermissionRequest) {
			in.Principal, in.SourceArn = new("apigateway.amazonaws.com"), new("arn:aws:execute-api:us-east-1:123456789012:abc/*/*")
		}, head + `{"Service":"apigateway.amazonaws.com"}` + tail + `,"Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:execute-api:us-east-1:123456789012:abc/*/*"}}}`},
		{"anyone of an account", func(in *api.AddPermissionRequest) { in.Principal, in.SourceAccount = new("*"), new(account) },
			head + `"*"` + tail + `,"Condition":{"StringEquals":{"AWS:SourceAccount":"123456789012"}}}`},
		{"account", func(in *api.AddPermissionRequest) { in.Principal = new(account) },
			head + `{"AWS":"arn:aws:iam::123456789012:root"}` + tail + `}`},
		{"user", func(in *api.AddPermissionRequest) { in.Principal = new("arn:aws:iam::123456789012:user/u") },
			head + `{"AWS":"arn:aws:iam::123456789012:user/u"}` + tail + `}`},
		{"all conditions", func(in *api.AddPermissionRequest) {
			in.Principal, in.FunctionUrlAuthType, in.PrincipalOrgID = new("*"), new("NONE"), new("o-1234567890")
			in.SourceAccount, in.SourceArn, in.EventSourceToken = new(account), new("arn:aws:s3:::b"), new("amzn1.ask.skill.x")
		}, head + `"*"` + tail + `,"Condition":{"StringEquals":{"AWS:SourceAccount":"123456789012","lambda:FunctionUrlAuthType":"NONE","aws:PrincipalOrgID":"o-1234567890","lambda:EventSourceToken":"amzn1.ask.skill.x"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"}}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := &api.AddPermissionRequest{FunctionName: new("f"), StatementId: new("s"), Action: new("lambda:InvokeFunction")}
			tt.change(in)
			if got := *must(f.AddPermission(f.Call, in))(t).Statement; got != tt.want {
				t.Errorf("statement %s\n    want %s", got, tt.want)
			}
			policy := must(f.GetPolicy(f.Call, &api.GetPolicyRequest{FunctionName: new("f")}))(t)
			if want := `{"Version":"2012-10-17","Id":"default","Statement":[` + tt.want + `]}`; *policy.Policy != want {
				t.Errorf("policy %s\n want %s", *policy.Policy, want)
			}
			cfg := must(f.GetFunctionConfiguration(f.Call, &api.GetFunctionConfigurationRequest{FunctionName: new("f")}))(t)
			if *policy.RevisionId != *cfg.RevisionId {
				t.Error("the policy's revision isn't the function's")
			}
			ok(t, f.RemovePermission(f.Call, &api.RemovePermissionRequest{FunctionName: new("f"), StatementId: new("s")}))
			_, err := f.GetPolicy(f.Call, &api.GetPolicyRequest{FunctionName: new("f")})
			fails(t, err, "ResourceNotFoundException", "The resource you requested does not exist.")
		})
	}
}

// TestPolicyPerQualifier checks that function, version and alias have policies
// of their own.
func TestPolicyPerQualifier(t *testing.T) {
	f := newFixture(t)
	f.create(t, "f", nothing)
	must(f.PublishVersion(f.Call, &api.PublishVersionRequest{FunctionName: new("f")}))(t)
	must(f.CreateAlias(f.Call, &api.CreateAliasRequest{FunctionName: new("f"), Name: new("live"), FunctionVersion: new("1")}))(t)
	all := []string{"", ":1", ":live"}
	for i, q := range all {
		must(f.AddPermission(f.Call, allow("f"+q, "")))(t)
		for j, other := range all {
			if got, want := f.directory.Permitted(prefix+"f"+other, gateway), j <= i; got != want {
				t.Errorf("after %q: %q permitted %v, want %v", q, other, got, want)
			}
		}
	}
	stranger := gateway
	stranger.SourceARN = "arn:aws:execute-api:us-east-1:123456789012:other/$default/GET/hello"
	if f.directory.Permitted(prefix+"f", stranger) {
		t.Error("another API is permitted")
	}
	stranger = gateway
	stranger.Principal = "s3.amazonaws.com"
	if f.directory.Permitted(prefix+"f", stranger) {
		t.Error("another service is permitted")
	}
	must(f.DeleteFunction(f.Call, &api.DeleteFunctionRequest{FunctionName: new("f")}))(t)
	if f.directory.Permitted(prefix+"f", gateway) {
		t.Error("permitted on a function that is gone")
	}
	f.create(t, "f", nothing)
	if f.directory.Permitted(prefix+"f", gateway) {
		t.Error("a new function has the policy of the deleted one")
	}
}

func TestPermissionErrors(t *testing.T) {
	f := newFixture(t)
	f.create(t, "f", nothing)
	must(f.AddPermission(f.Call, allow("f", "")))(t)
	tests := []struct {
		name          string
		change        func(in *api.AddPermissionRequest)
		code, message string
	}{
		{"used sid", func(*api.AddPermissionRequest) {}, "ResourceConflictException", "The statement id (gateway) provided already exists. Please provide a new statement id, or remove the existing statement."},
		{"bad sid", func(in *api.AddPermissionRequest) { in.StatementId = new("example.com") },
			"ValidationException", "1 validation error detected: Value 'example.com' at 'statementId' failed to satisfy constraint: Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)"},
		{"$LATEST", func(in *api.AddPermissionRequest) { in.Qualifier = new("$LATEST") },
			"InvalidParameterValueException", "We currently do not support adding policies for $LATEST."},
		{"principal", func(in *api.AddPermissionRequest) { in.Principal = new("invalid.nonaws.com") },
			"InvalidParameterValueException", "The provided principal was invalid. Please check the principal and try again."},
		{"version", func(in *api.AddPermissionRequest) { in.Qualifier = new("42") },
			"ResourceNotFoundException", "Function not found: " + prefix + "f:42"},
		{"alias", func(in *api.AddPermissionRequest) { in.Qualifier = new("nope") },
			"ResourceNotFoundException", "Cannot find alias arn: " + prefix + "f:nope"},
		{"odd qualifier", func(in *api.AddPermissionRequest) { in.Qualifier = new("valid-with-$-but-doesnotexist") },
			"ResourceNotFoundException", "Function not found: " + prefix + "f:valid-with-$-but-doesnotexist"},
		{"function", func(in *api.AddPermissionRequest) { in.FunctionName = new("gone") },
			"ResourceNotFoundException", "Function not found: " + prefix + "gone"},
		{"revision", func(in *api.AddPermissionRequest) { in.StatementId, in.RevisionId = new("x"), new("wrong") },
			"PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := allow("f", "")
			tt.change(in)
			_, err := f.AddPermission(f.Call, in)
			fails(t, err, tt.code, tt.message)
		})
	}
	err := f.RemovePermission(f.Call, &api.RemovePermissionRequest{FunctionName: new("gone"), StatementId: new("s")})
	fails(t, err, "ResourceNotFoundException", "No policy found for: "+prefix+"gone")
	err = f.RemovePermission(f.Call, &api.RemovePermissionRequest{FunctionName: new("f"), StatementId: new("non-existent")})
	fails(t, err, "ResourceNotFoundException", "Statement non-existent is not found in resource policy.")
	ok(t, f.RemovePermission(f.Call, &api.RemovePermissionRequest{FunctionName: new("f"), StatementId: new("gateway")}))
	err = f.RemovePermission(f.Call, &api.RemovePermissionRequest{FunctionName: new("f"), StatementId: new("gateway")})
	fails(t, err, "ResourceNotFoundException", "No policy is associated with the given resource.")
}
