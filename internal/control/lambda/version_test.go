package lambda_test

import (
	"fmt"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/lambda"
)

func TestPublishVersion(t *testing.T) {
	f := newFixture(t)
	f.create(t, "f", nothing)
	publish := func() *api.FunctionConfiguration {
		t.Helper()
		return must(f.PublishVersion(f.Call, &api.PublishVersionRequest{FunctionName: new("f")}))(t)
	}
	before := must(f.GetFunctionConfiguration(f.Call, &api.GetFunctionConfigurationRequest{FunctionName: new("f")}))(t)
	first := must(f.PublishVersion(f.Call, &api.PublishVersionRequest{FunctionName: new("f"), Description: new("the first")}))(t)
	if *first.Version != "1" || *first.FunctionArn != prefix+"f:1" || *first.Description != "the first" || *first.State != "Active" || *first.LastUpdateStatus != "Successful" {
		t.Errorf("first version %s", masked(t, first))
	}
	after := must(f.GetFunctionConfiguration(f.Call, &api.GetFunctionConfigurationRequest{FunctionName: new("f")}))(t)
	if *after.RevisionId == *before.RevisionId || *after.Description != "" {
		t.Error("publishing gives $LATEST a new revision and leaves its description")
	}
	if again := publish(); *again.Version != "1" || *again.RevisionId != *first.RevisionId {
		t.Errorf("publishing what is unchanged made version %s", *again.Version)
	}
	// An update to what is already there is no change.
	must(f.UpdateFunctionConfiguration(f.Call, &api.UpdateFunctionConfigurationRequest{FunctionName: new("f"), Timeout: new(int32(3))}))(t)
	if again := publish(); *again.Version != "1" {
		t.Errorf("a redundant update led to version %s", *again.Version)
	}
	must(f.UpdateFunctionConfiguration(f.Call, &api.UpdateFunctionConfigurationRequest{FunctionName: new("f"), Description: new("second")}))(t)
	if second := publish(); *second.Version != "2" || *second.Description != "second" {
		t.Errorf("second version %s: %s", *second.Version, *second.Description)
	}
	if got := must(f.GetFunctionConfiguration(f.Call, &api.GetFunctionConfigurationRequest{FunctionName: new("f:1")}))(t); *got.Description != "the first" {
		t.Error("a later version changed the first one")
	}
	// Numbers aren't used twice, and a deleted version can be published anew.
	must(f.DeleteFunction(f.Call, &api.DeleteFunctionRequest{FunctionName: new("f"), Qualifier: new("2")}))(t)
	if third := publish(); *third.Version != "3" {
		t.Errorf("after deleting 2: version %s, want 3", *third.Version)
	}
	_, err := f.PublishVersion(f.Call, &api.PublishVersionRequest{FunctionName: new("f"), CodeSha256: new("somenonexistentsha256")})
	fails(t, err, "InvalidParameterValueException", "CodeSHA256 (somenonexistentsha256) is different from current CodeSHA256 in $LATEST ("+*after.CodeSha256+"). Please try again with the CodeSHA256 in $LATEST.")
	must(f.PublishVersion(f.Call, &api.PublishVersionRequest{FunctionName: new("f"), CodeSha256: after.CodeSha256}))(t)

	out := must(f.UpdateFunctionCode(f.Call, &api.UpdateFunctionCodeRequest{FunctionName: new("f"), ZipFile: zipped("index.js", "other"), Publish: new(true)}))(t)
	if *out.Version != "4" || *out.State != "Pending" || *out.FunctionArn != prefix+"f:4" {
		t.Errorf("update with publish answers %s", masked(t, out))
	}
}

func TestVersionInUse(t *testing.T) {
	f := newFixture(t)
	f.create(t, "f", nothing)
	must(f.PublishVersion(f.Call, &api.PublishVersionRequest{FunctionName: new("f")}))(t)
	must(f.CreateAlias(f.Call, &api.CreateAliasRequest{FunctionName: new("f"), Name: new("live"), FunctionVersion: new("1")}))(t)
	_, err := f.DeleteFunction(f.Call, &api.DeleteFunctionRequest{FunctionName: new("f:1")})
	fails(t, err, "ResourceConflictException", "Version is pointed by alias: "+prefix+"f:live")
	ok(t, f.DeleteAlias(f.Call, &api.DeleteAliasRequest{FunctionName: new("f"), Name: new("live")}))
	must(f.DeleteFunction(f.Call, &api.DeleteFunctionRequest{FunctionName: new("f:1")}))(t)
	if f.directory.Exists(prefix + "f:1") {
		t.Error("the deleted version can be invoked")
	}
}

func TestListVersionsByPages(t *testing.T) {
	f := newFixture(t)
	f.create(t, "f", nothing)
	want := "$LATEST"
	for i := range 11 {
		must(f.UpdateFunctionConfiguration(f.Call, &api.UpdateFunctionConfigurationRequest{FunctionName: new("f"), Description: new(fmt.Sprint(i))}))(t)
		must(f.PublishVersion(f.Call, &api.PublishVersionRequest{FunctionName: new("f")}))(t)
		want += fmt.Sprint(" ", i+1)
	}
	for _, size := range []int32{1, 2, 3, 12, 13, 10000} {
		var got []string
		in := &api.ListVersionsByFunctionRequest{FunctionName: new("f"), MaxItems: &size}
		for {
			out := must(f.ListVersionsByFunction(f.Call, in))(t)
			for _, v := range out.Versions {
				got = append(got, *v.Version)
				if *v.FunctionArn != prefix+"f:"+*v.Version {
					t.Errorf("version %s has the ARN %s", *v.Version, *v.FunctionArn)
				}
			}
			if out.NextMarker == nil {
				break
			}
			in.Marker = out.NextMarker
		}
		if strings.Join(got, " ") != want {
			t.Errorf("by %d: %v, want %s", size, got, want)
		}
	}
}

func TestAliases(t *testing.T) {
	f := newFixture(t)
	f.create(t, "f", nothing)
	for i := range 2 {
		must(f.UpdateFunctionConfiguration(f.Call, &api.UpdateFunctionConfigurationRequest{FunctionName: new("f"), Description: new(fmt.Sprint(i))}))(t)
		must(f.PublishVersion(f.Call, &api.PublishVersionRequest{FunctionName: new("f")}))(t)
	}
	weights := func(w map[string]float64) *api.AliasRoutingConfiguration {
		return &api.AliasRoutingConfiguration{AdditionalVersionWeights: w}
	}
	errs := []struct {
		name, version string
		config        *api.AliasRoutingConfiguration
		code, message string
	}{
		{"2024", "1", nil, "ValidationException", "1 validation error detected: Value '2024' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"},
		{"a", "10", nil, "ResourceNotFoundException", "Function not found: " + prefix + "f:10"},
		{"a", "1", weights(map[string]float64{"10": .5}), "ResourceNotFoundException", "Function not found: " + prefix + "f:10"},
		{"a", "1", weights(map[string]float64{"1": .5}), "InvalidParameterValueException", "Invalid function version 1. Function version 1 is already included in routing configuration."},
		{"a", "1", weights(map[string]float64{"1": .5, "2": .5}), "InvalidParameterValueException", "Number of items in AdditionalVersionWeights cannot be greater than 1"},
		{"a", "1", weights(map[string]float64{"2": 2}), "ValidationException", "1 validation error detected: Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]"},
		{"a", "1", weights(map[string]float64{"2": -1}), "ValidationException", "1 validation error detected: Value '{2=-1.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]"},
		{"a", "1", weights(map[string]float64{"$LATEST": .5}), "ValidationException", "1 validation error detected: Value '{$LATEST=0.5}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]"},
		{"a", "$LATEST", weights(map[string]float64{"1": .5}), "InvalidParameterValueException", "$LATEST is not supported for an alias pointing to more than 1 version"},
	}
	for _, tt := range errs {
		_, err := f.CreateAlias(f.Call, &api.CreateAliasRequest{FunctionName: new("f"), Name: &tt.name, FunctionVersion: &tt.version, RoutingConfig: tt.config})
		fails(t, err, tt.code, tt.message)
	}
	_, err := f.CreateAlias(f.Call, &api.CreateAliasRequest{FunctionName: new("gone"), Name: new("a"), FunctionVersion: new("1")})
	fails(t, err, "ResourceNotFoundException", "Function not found: "+prefix+"gone:1")

	made := must(f.CreateAlias(f.Call, &api.CreateAliasRequest{FunctionName: new("f"), Name: new("live"), FunctionVersion: new("1"), RoutingConfig: weights(map[string]float64{"2": .25})}))(t)
	if *made.AliasArn != prefix+"f:live" || *made.Description != "" || made.RoutingConfig.AdditionalVersionWeights["2"] != .25 {
		t.Errorf("alias %+v", made)
	}
	_, err = f.CreateAlias(f.Call, &api.CreateAliasRequest{FunctionName: new("f"), Name: new("live"), FunctionVersion: new("1")})
	fails(t, err, "ResourceConflictException", "Alias already exists: "+prefix+"f:live")
	plain := must(f.CreateAlias(f.Call, &api.CreateAliasRequest{FunctionName: new("f"), Name: new("plain"), FunctionVersion: new("$LATEST"), RoutingConfig: weights(nil)}))(t)
	if plain.RoutingConfig != nil {
		t.Error("an empty routing configuration is shown")
	}
	got := must(f.GetFunctionConfiguration(f.Call, &api.GetFunctionConfigurationRequest{FunctionName: new("f"), Qualifier: new("live")}))(t)
	if *got.FunctionArn != prefix+"f:live" || *got.Version != "1" {
		t.Errorf("the alias shows %s, version %s", *got.FunctionArn, *got.Version)
	}

	const stale = "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
	_, err = f.UpdateAlias(f.Call, &api.UpdateAliasRequest{FunctionName: new("f"), Name: new("live"), RevisionId: new("x")})
	fails(t, err, "PreconditionFailedException", stale)
	_, err = f.UpdateAlias(f.Call, &api.UpdateAliasRequest{FunctionName: new("f"), Name: new("nope")})
	fails(t, err, "ResourceNotFoundException", "Alias not found: "+prefix+"f:nope")
	_, err = f.GetAlias(f.Call, &api.GetAliasRequest{FunctionName: new("f"), Name: new("nope")})
	fails(t, err, "ResourceNotFoundException", "Cannot find alias arn: "+prefix+"f:nope")
	updated := must(f.UpdateAlias(f.Call, &api.UpdateAliasRequest{FunctionName: new("f"), Name: new("live"), RoutingConfig: weights(map[string]float64{})}))(t)
	if updated.RoutingConfig != nil || *updated.FunctionVersion != "1" || *updated.RevisionId == *made.RevisionId {
		t.Errorf("updated alias %+v", updated)
	}
	listed := must(f.ListAliases(f.Call, &api.ListAliasesRequest{FunctionName: new("f"), FunctionVersion: new("1")}))(t)
	if len(listed.Aliases) != 1 || *listed.Aliases[0].Name != "live" {
		t.Errorf("aliases of version 1: %+v", listed.Aliases)
	}
	page := must(f.ListAliases(f.Call, &api.ListAliasesRequest{FunctionName: new("f"), MaxItems: new(int32(1))}))(t)
	rest := must(f.ListAliases(f.Call, &api.ListAliasesRequest{FunctionName: new("f"), Marker: page.NextMarker}))(t)
	if *page.Aliases[0].Name != "live" || *rest.Aliases[0].Name != "plain" || rest.NextMarker != nil {
		t.Error("aliases don't come page by page")
	}
	ok(t, f.DeleteAlias(f.Call, &api.DeleteAliasRequest{FunctionName: new("f"), Name: new("live")}))
	ok(t, f.DeleteAlias(f.Call, &api.DeleteAliasRequest{FunctionName: new("f"), Name: new("live")}))
	if f.directory.Exists(prefix + "f:live") {
		t.Error("the deleted alias can be invoked")
	}
}
