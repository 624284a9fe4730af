package lambda_test

import (
	"fmt"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/control/lambda"
)

func TestTags(t *testing.T) {
	f := newFixture(t)
	f.create(t, "f", nothing)
	arn := prefix + "f"
	list := func() string {
		t.Helper()
		return fmt.Sprint(must(f.ListTags(f.Call, &api.ListTagsRequest{Resource: &arn}))(t).Tags)
	}
	if got := list(); got != "map[]" {
		t.Errorf("a new function has tags %s", got)
	}
	ok(t, f.TagResource(f.Call, &api.TagResourceRequest{Resource: &arn, Tags: map[string]string{"a": "1", "b": "2"}}))
	ok(t, f.TagResource(f.Call, &api.TagResourceRequest{Resource: &arn, Tags: map[string]string{"b": "3", "c": "4"}}))
	ok(t, f.UntagResource(f.Call, &api.UntagResourceRequest{Resource: &arn, TagKeys: []string{"a", "nope"}}))
	if got := list(); got != "map[b:3 c:4]" {
		t.Errorf("tags %s", got)
	}
	many := map[string]string{}
	for i := range 50 {
		many[fmt.Sprint(i)] = ""
	}
	fails(t, f.TagResource(f.Call, &api.TagResourceRequest{Resource: &arn, Tags: many}), "InvalidParameterValueException", "Number of tags exceeds resource tag limit.")
	fails(t, f.TagResource(f.Call, &api.TagResourceRequest{Resource: &arn}), "InvalidParameterValueException", "An error occurred and the request cannot be processed.")
	fails(t, f.UntagResource(f.Call, &api.UntagResourceRequest{Resource: &arn}), "ValidationException", "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null")
	if got := list(); got != "map[b:3 c:4]" {
		t.Errorf("refused changes left %s", got)
	}
	for resource, want := range map[string]string{
		prefix + "gone":     "ResourceNotFoundException: Function not found: " + prefix + "gone",
		prefix + "f:live":   "InvalidParameterValueException: Tags on function aliases and versions are not supported. Please specify a function ARN.",
		prefix + "f:1":      "InvalidParameterValueException: Tags on function aliases and versions are not supported. Please specify a function ARN.",
		"arn:aws:something": "ValidationException: 1 validation error detected: Value 'arn:aws:something' at 'resource' failed to satisfy constraint: ",
		"arn:aws:lambda:us-east-1:123456789012:foobar:f":                                                  "ValidationException: 1 validation error detected: Value 'arn:aws:lambda:us-east-1:123456789012:foobar:f' at 'resource' failed to satisfy constraint: ",
		"arn:aws:lambda:us-east-1:123456789012:event-source-mapping:11111111-2222-3333-4444-555555555555": "ResourceNotFoundException: Event source mapping not found: arn:aws:lambda:us-east-1:123456789012:event-source-mapping:11111111-2222-3333-4444-555555555555",
	} {
		if _, err := f.ListTags(f.Call, &api.ListTagsRequest{Resource: &resource}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("tags of %s: %v\n want %s", resource, err, want)
		}
	}
}

func TestReservedConcurrency(t *testing.T) {
	f := newFixture(t)
	f.create(t, "f", nothing)
	f.create(t, "g", nothing)
	put := func(name string, n int32) error {
		_, err := f.PutFunctionConcurrency(f.Call, &api.PutFunctionConcurrencyRequest{FunctionName: &name, ReservedConcurrentExecutions: &n})
		return err
	}
	fails(t, put("gone", 1), "ResourceNotFoundException", "Function not found: "+prefix+"gone:$LATEST")
	fails(t, put("f:1", 1), "InvalidParameterValueException", "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.")
	ok(t, put("g", 500))
	const over = "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100]."
	fails(t, put("f", 401), "InvalidParameterValueException", over)
	ok(t, put("f", 400))
	ok(t, put("f", 0))
	got := must(f.GetFunction(f.Call, &api.GetFunctionRequest{FunctionName: new("f")}))(t)
	if got.Concurrency == nil || *got.Concurrency.ReservedConcurrentExecutions != 0 {
		t.Errorf("GetFunction shows %+v", got.Concurrency)
	}
	ok(t, f.DeleteFunctionConcurrency(f.Call, &api.DeleteFunctionConcurrencyRequest{FunctionName: new("f")}))
	if c := must(f.GetFunctionConcurrency(f.Call, &api.GetFunctionConcurrencyRequest{FunctionName: new("f")}))(t); c.ReservedConcurrentExecutions != nil {
		t.Errorf("after the deletion %d are reserved", *c.ReservedConcurrentExecutions)
	}
	s := must(f.GetAccountSettings(f.Call, nil))(t)
	if *s.AccountLimit.ConcurrentExecutions != 1000 || *s.AccountLimit.UnreservedConcurrentExecutions != 500 || *s.AccountUsage.FunctionCount != 2 || *s.AccountUsage.TotalCodeSize == 0 {
		t.Errorf("account settings %s", masked(t, s))
	}
}

// TestProvisionedConcurrency is about what is stored; nothing is provisioned.
func TestProvisionedConcurrency(t *testing.T) {
	f := newFixture(t)
	f.create(t, "f", nothing)
	must(f.PublishVersion(f.Call, &api.PublishVersionRequest{FunctionName: new("f")}))(t)
	must(f.CreateAlias(f.Call, &api.CreateAliasRequest{FunctionName: new("f"), Name: new("live"), FunctionVersion: new("1")}))(t)
	put := func(name, q string, n int32) error {
		_, err := f.PutProvisionedConcurrencyConfig(f.Call, &api.PutProvisionedConcurrencyConfigRequest{FunctionName: &name, Qualifier: &q, ProvisionedConcurrentExecutions: &n})
		return err
	}
	get := func(q string) (*api.GetProvisionedConcurrencyConfigResponse, error) {
		return f.GetProvisionedConcurrencyConfig(f.Call, &api.GetProvisionedConcurrencyConfigRequest{FunctionName: new("f"), Qualifier: &q})
	}
	fails(t, put("f", "1", 0), "ValidationException", "1 validation error detected: Value '0' at 'provisionedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 1")
	fails(t, put("f", "$LATEST", 1), "InvalidParameterValueException", "Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	fails(t, put("f", "10", 1), "ResourceNotFoundException", "Function not found: "+prefix+"f:10")
	fails(t, put("gone", "noalias", 1), "ResourceNotFoundException", "Cannot find alias arn: "+prefix+"gone:noalias")
	fails(t, put("f", "1", 1001), "InvalidParameterValueException", "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [1000].")
	_, err := get("1")
	fails(t, err, "ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function")
	_, err = get("$LATEST")
	fails(t, err, "InvalidParameterValueException", "The function resource provided must be an alias or a published version.")
	ok(t, put("f", "1", 2))
	if got := must(get("1"))(t); *got.Status != "READY" || *got.AllocatedProvisionedConcurrentExecutions != 2 {
		t.Errorf("provisioned %+v", got)
	}
	fails(t, put("f", "live", 1), "ResourceConflictException", "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
	_, err = f.PutFunctionConcurrency(f.Call, &api.PutFunctionConcurrencyRequest{FunctionName: new("f"), ReservedConcurrentExecutions: new(int32(1))})
	fails(t, err, "InvalidParameterValueException", " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2].")
	ok(t, f.DeleteProvisionedConcurrencyConfig(f.Call, &api.DeleteProvisionedConcurrencyConfigRequest{FunctionName: new("f"), Qualifier: new("1")}))
	ok(t, f.DeleteProvisionedConcurrencyConfig(f.Call, &api.DeleteProvisionedConcurrencyConfigRequest{FunctionName: new("f"), Qualifier: new("1")}))
	ok(t, put("f", "live", 1))
	fails(t, put("f", "1", 1), "ResourceConflictException", "Version is pointed by a Provisioned Concurrency alias")
	list := func() int {
		t.Helper()
		return len(must(f.ListProvisionedConcurrencyConfigs(f.Call, &api.ListProvisionedConcurrencyConfigsRequest{FunctionName: new("f")}))(t).ProvisionedConcurrencyConfigs)
	}
	if n := list(); n != 1 {
		t.Errorf("%d configurations, want 1", n)
	}
	ok(t, f.DeleteAlias(f.Call, &api.DeleteAliasRequest{FunctionName: new("f"), Name: new("live")}))
	if n := list(); n != 0 {
		t.Errorf("%d configurations after the alias is gone", n)
	}
}

func TestEventInvokeConfig(t *testing.T) {
	f := newFixture(t)
	f.create(t, "f", nothing)
	f.create(t, "other", nothing)
	must(f.PublishVersion(f.Call, &api.PublishVersionRequest{FunctionName: new("f")}))(t)
	to := func(success, failure string) *api.DestinationConfig {
		d := &api.DestinationConfig{}
		if success != "" {
			d.OnSuccess = &api.OnSuccess{Destination: &success}
		}
		if failure != "" {
			d.OnFailure = &api.OnFailure{Destination: &failure}
		}
		return d
	}
	iam := "arn:aws:iam:us-east-1:123456789012:function:f"
	odd := "arn:aws:_-/!lambda:us-east-1:123456789012:function:f"
	tests := []struct {
		name          string
		in            api.PutFunctionEventInvokeConfigRequest
		code, message string
	}{
		{"nothing", api.PutFunctionEventInvokeConfigRequest{}, "InvalidParameterValueException", "You must specify at least one of error handling or destination setting."},
		{"gone", api.PutFunctionEventInvokeConfigRequest{FunctionName: new("gone"), MaximumRetryAttempts: new(int32(1))}, "ResourceNotFoundException", "The function doesn't exist."},
		{"no such alias", api.PutFunctionEventInvokeConfigRequest{Qualifier: new("nope"), MaximumRetryAttempts: new(int32(1))}, "ResourceNotFoundException", "The function doesn't exist."},
		{"missing destination", api.PutFunctionEventInvokeConfigRequest{DestinationConfig: to(prefix+"doesnotexist", "")}, "InvalidParameterValueException", "The destination ARN " + prefix + "doesnotexist is invalid."},
		{"itself", api.PutFunctionEventInvokeConfigRequest{DestinationConfig: to(prefix+"f", "")}, "InvalidParameterValueException", "You can't specify the function as a destination for itself."},
		{"service", api.PutFunctionEventInvokeConfigRequest{DestinationConfig: to(iam, "")}, "InvalidParameterValueException", "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=" + iam + "), onFailure=null) is invalid."},
		{"pattern", api.PutFunctionEventInvokeConfigRequest{DestinationConfig: to("", odd)}, "ValidationException", `1 validation error detected: Value '` + odd + `' at 'destinationConfig.onFailure.destination' failed to satisfy constraint: Member must satisfy regular expression pattern: $|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)`},
		{"many retries", api.PutFunctionEventInvokeConfigRequest{MaximumRetryAttempts: new(int32(3))}, "ValidationException", "1 validation error detected: Value '3' at 'maximumRetryAttempts' failed to satisfy constraint: Member must have value less than or equal to 2"},
	}
	for _, tt := range tests {
		if tt.in.FunctionName == nil {
			tt.in.FunctionName = new("f")
		}
		_, err := f.PutFunctionEventInvokeConfig(f.Call, &tt.in)
		fails(t, err, tt.code, tt.message)
	}
	missing := func(q string) string {
		return "The function " + prefix + "f:" + q + " doesn't have an EventInvokeConfig"
	}
	_, err := f.GetFunctionEventInvokeConfig(f.Call, &api.GetFunctionEventInvokeConfigRequest{FunctionName: new("f")})
	fails(t, err, "ResourceNotFoundException", missing("$LATEST"))
	_, err = f.UpdateFunctionEventInvokeConfig(f.Call, &api.UpdateFunctionEventInvokeConfigRequest{FunctionName: new("f"), Qualifier: new("1"), MaximumRetryAttempts: new(int32(1))})
	fails(t, err, "ResourceNotFoundException", missing("1"))

	put := must(f.PutFunctionEventInvokeConfig(f.Call, &api.PutFunctionEventInvokeConfigRequest{FunctionName: new("f"), MaximumRetryAttempts: new(int32(0)), DestinationConfig: to(prefix+"other", "")}))(t)
	if *put.FunctionArn != prefix+"f:$LATEST" || put.MaximumEventAgeInSeconds != nil || *put.DestinationConfig.OnSuccess.Destination != prefix+"other" || put.DestinationConfig.OnFailure.Destination != nil {
		t.Errorf("put answers %s", masked(t, put))
	}
	must(f.PutFunctionEventInvokeConfig(f.Call, &api.PutFunctionEventInvokeConfigRequest{FunctionName: new("f:1"), MaximumEventAgeInSeconds: new(int32(60))}))(t)
	up := must(f.UpdateFunctionEventInvokeConfig(f.Call, &api.UpdateFunctionEventInvokeConfigRequest{FunctionName: new("f"), MaximumEventAgeInSeconds: new(int32(60))}))(t)
	if *up.MaximumRetryAttempts != 0 || *up.MaximumEventAgeInSeconds != 60 || up.DestinationConfig.OnSuccess.Destination == nil {
		t.Errorf("update answers %s", masked(t, up))
	}
	again := must(f.PutFunctionEventInvokeConfig(f.Call, &api.PutFunctionEventInvokeConfigRequest{FunctionName: new("f"), MaximumRetryAttempts: new(int32(2))}))(t)
	if again.MaximumEventAgeInSeconds != nil || again.DestinationConfig.OnSuccess.Destination != nil {
		t.Errorf("a put keeps what was there: %s", masked(t, again))
	}
	page := must(f.ListFunctionEventInvokeConfigs(f.Call, &api.ListFunctionEventInvokeConfigsRequest{FunctionName: new("f"), MaxItems: new(int32(1))}))(t)
	rest := must(f.ListFunctionEventInvokeConfigs(f.Call, &api.ListFunctionEventInvokeConfigsRequest{FunctionName: new("f"), Marker: page.NextMarker}))(t)
	if *page.FunctionEventInvokeConfigs[0].FunctionArn != prefix+"f:$LATEST" || *rest.FunctionEventInvokeConfigs[0].FunctionArn != prefix+"f:1" {
		t.Error("configurations don't come page by page")
	}
	ok(t, f.DeleteFunctionEventInvokeConfig(f.Call, &api.DeleteFunctionEventInvokeConfigRequest{FunctionName: new("f")}))
	fails(t, f.DeleteFunctionEventInvokeConfig(f.Call, &api.DeleteFunctionEventInvokeConfigRequest{FunctionName: new("f")}), "ResourceNotFoundException", missing("$LATEST"))
}

func TestLayersOfFunctions(t *testing.T) {
	f := newFixture(t)
	publish := func(name string) string {
		t.Helper()
		return *must(f.PublishLayerVersion(f.Call, &api.PublishLayerVersionRequest{LayerName: &name, Content: &api.LayerVersionContentInput{ZipFile: zipped("x", name)}}))(t).LayerVersionArn
	}
	one, two := publish("l"), publish("l")
	var six []string
	for i := range 6 {
		six = append(six, publish(fmt.Sprint("l", i)))
	}
	far := strings.Replace(one, "us-east-1", "eu-west-1", 1)
	const pattern = `(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)`
	for _, tt := range []struct {
		layers        []string
		code, message string
	}{
		{[]string{one, two}, "InvalidParameterValueException", "Two different versions of the same layer are not allowed to be referenced in the same function. " + one + " and " + two + " are versions of the same layer."},
		{six, "InvalidParameterValueException", "Cannot reference more than 5 layers."},
		{[]string{far}, "InvalidParameterValueException", "Layers are not in the same region as the function. Layers are expected to be in region us-east-1."},
		{[]string{"arn:aws:lambda:us-east-1:123456789012:layer:l"}, "ValidationException", "1 validation error detected: Value '[arn:aws:lambda:us-east-1:123456789012:layer:l]' at 'layers' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 2048, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: " + pattern + ", Member must not be null]"},
		{[]string{"arn:aws:lambda:us-east-1:123456789012:layer:l:9"}, "InvalidParameterValueException", "Layer version arn:aws:lambda:us-east-1:123456789012:layer:l:9 does not exist."},
	} {
		in := request("f", nothing)
		in.Layers = tt.layers
		_, err := f.CreateFunction(f.Call, in)
		fails(t, err, tt.code, tt.message)
	}
	in := request("f", nothing)
	in.Layers = six[:5]
	must(f.CreateFunction(f.Call, in))(t)
	must(f.UpdateFunctionConfiguration(f.Call, &api.UpdateFunctionConfigurationRequest{FunctionName: new("f"), Layers: []string{}}))(t)
	if got := must(f.GetFunctionConfiguration(f.Call, &api.GetFunctionConfigurationRequest{FunctionName: new("f")}))(t); got.Layers != nil {
		t.Errorf("layers after taking them away: %v", got.Layers)
	}
	// Another account needs the layer's permission.
	other := *f.Call
	other.Account = "999999999999"
	in = request("f", nothing)
	in.Layers = []string{one}
	if _, err := f.CreateFunction(&other, in); err == nil || !strings.HasPrefix(err.Error(), "AccessDeniedException") {
		t.Errorf("another account uses the layer: %v", err)
	}
	must(f.AddLayerVersionPermission(f.Call, &api.AddLayerVersionPermissionRequest{LayerName: new("l"), VersionNumber: new(int64(1)), StatementId: new("s"), Action: new("lambda:GetLayerVersion"), Principal: new("999999999999")}))(t)
	must(f.CreateFunction(&other, in))(t)
}

func TestRuntimeAndRecursion(t *testing.T) {
	f := newFixture(t)
	f.create(t, "f", nothing)
	got := must(f.GetRuntimeManagementConfig(f.Call, &api.GetRuntimeManagementConfigRequest{FunctionName: new("f")}))(t)
	if *got.UpdateRuntimeOn != "Auto" || *got.FunctionArn != prefix+"f:$LATEST" || got.RuntimeVersionArn != nil {
		t.Errorf("runtime management %s", masked(t, got))
	}
	must(f.PutRuntimeManagementConfig(f.Call, &api.PutRuntimeManagementConfigRequest{FunctionName: new("f"), UpdateRuntimeOn: new("FunctionUpdate")}))(t)
	if got := must(f.GetRuntimeManagementConfig(f.Call, &api.GetRuntimeManagementConfigRequest{FunctionName: new("f")}))(t); *got.UpdateRuntimeOn != "FunctionUpdate" {
		t.Errorf("runtime management %s", masked(t, got))
	}
	if got := must(f.GetFunctionRecursionConfig(f.Call, &api.GetFunctionRecursionConfigRequest{FunctionName: new("f")}))(t); *got.RecursiveLoop != "Terminate" {
		t.Errorf("recursion %s", *got.RecursiveLoop)
	}
	_, err := f.PutFunctionRecursionConfig(f.Call, &api.PutFunctionRecursionConfigRequest{FunctionName: new("f"), RecursiveLoop: new("InvalidValue")})
	fails(t, err, "ValidationException", "1 validation error detected: Value 'InvalidValue' at 'recursiveLoop' failed to satisfy constraint: Member must satisfy enum value set: [Terminate, Allow]")
	must(f.PutFunctionRecursionConfig(f.Call, &api.PutFunctionRecursionConfigRequest{FunctionName: new("f"), RecursiveLoop: new("Allow")}))(t)
	if got := must(f.GetFunctionRecursionConfig(f.Call, &api.GetFunctionRecursionConfigRequest{FunctionName: new("f")}))(t); *got.RecursiveLoop != "Allow" {
		t.Errorf("recursion %s", *got.RecursiveLoop)
	}
}

// TestRoles checks a role that Lambda can't assume, strict and not.
func TestRoles(t *testing.T) {
	roles := &fakeRoles{}
	f := open(t, t.TempDir(), nil, func(o *lambda.Options) { o.Role, o.StrictRoles = roles, true })
	_, err := f.CreateFunction(f.Call, request("f", nothing))
	fails(t, err, "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")
	roles.good = role
	f.create(t, "f", nothing)
	_, err = f.UpdateFunctionConfiguration(f.Call, &api.UpdateFunctionConfigurationRequest{FunctionName: new("f"), Role: new(role + "2")})
	fails(t, err, "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")

	lax := open(t, t.TempDir(), nil, func(o *lambda.Options) { o.Role = &fakeRoles{} })
	lax.create(t, "f", nothing)
}
