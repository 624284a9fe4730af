package apigateway

import (
	"encoding/json"
	"reflect"
	"testing"

	api "gatehouse/internal/awsapi/apigateway"
)

// Rules with one of everything, over a shape of this service.
var sampleRules = patchRules[api.Stage]{refuse: refuseNaming, rules: []patchRule[api.Stage]{
	{path: "/description", ops: opReplace | opRemove},
	{path: "/tracingEnabled", ops: opReplace},
	{path: "/canarySettings", ops: opRemove},
	{path: "/canarySettings/percentTraffic", ops: opReplace, invalid: "no number"},
	{path: "/canarySettings/stageVariableOverrides/{name}", ops: opEdit},
	{path: "/accessLogSettings/format", ops: opEdit},
	{path: "/variables/{name}", ops: opEdit, noKey: "no such variable"},
	{path: "/tags/{key}", ops: opReplace | opRemove, noReplace: "no such tag", noKey: "no such tag"},
	{path: "/{resource+}/{method}/throttling/burstLimit", ops: opReplace, set: func(s *api.Stage, o patchOp) error {
		s.MethodSettings = map[string]api.MethodSetting{o.Args[0] + " " + o.Args[1]: {}}
		return nil
	}},
}}

var sampleListRules = patchRules[api.RestApi]{refuse: refuseListing, rules: []patchRule[api.RestApi]{
	{path: "/name", ops: opReplace},
	{path: "/minimumCompressionSize", ops: opReplace},
	{path: "/binaryMediaTypes/{type}", ops: opEdit},
	{path: "/endpointConfiguration/vpcEndpointIds", ops: opAdd | opRemove},
}}

func op(name, path string, val ...string) api.PatchOperation {
	o := api.PatchOperation{Op: &name, Path: &path}
	if len(val) > 0 {
		o.Value = &val[0]
	}
	return o
}

func patched[S any](rules *patchRules[S], shape S, ops ...api.PatchOperation) string {
	if err := rules.apply(&shape, ops); err != nil {
		return err.Error()
	}
	b, err := json.Marshal(shape)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func TestPatch(t *testing.T) {
	variables := map[string]string{"a": "1", "b/c": "2", "d~e": "3"}
	for _, test := range []struct {
		name, got, want string
	}{
		{"nothing", patched(&sampleRules, api.Stage{}), `{}`},
		{"text", patched(&sampleRules, api.Stage{}, op("replace", "/description", "d")), `{"description":"d"}`},
		{"text emptied", patched(&sampleRules, api.Stage{Description: new("d")}, op("replace", "/description", "")), `{}`},
		{"text without a value", patched(&sampleRules, api.Stage{Description: new("d")}, op("replace", "/description")), `{}`},
		{"text removed", patched(&sampleRules, api.Stage{Description: new("d")}, op("remove", "/description")), `{}`},
		{"true", patched(&sampleRules, api.Stage{}, op("replace", "/tracingEnabled", "TRUE")), `{"tracingEnabled":true}`},
		{"not a boolean", patched(&sampleRules, api.Stage{}, op("replace", "/tracingEnabled", "whatever")), `{"tracingEnabled":false}`},
		{"boolean without a value", patched(&sampleRules, api.Stage{TracingEnabled: new(true)}, op("replace", "/tracingEnabled")), `{"tracingEnabled":false}`},
		{"inner structure made", patched(&sampleRules, api.Stage{}, op("replace", "/canarySettings/percentTraffic", "12.5")), `{"canarySettings":{"percentTraffic":12.5}}`},
		{"inner structure emptied", patched(&sampleRules, api.Stage{AccessLogSettings: &api.AccessLogSettings{Format: new("f")}}, op("remove", "/accessLogSettings/format")), `{}`},
		{"structure removed", patched(&sampleRules, api.Stage{CanarySettings: &api.CanarySettings{UseStageCache: new(true)}}, op("remove", "/canarySettings")), `{}`},
		{"map made", patched(&sampleRules, api.Stage{}, op("add", "/variables/x~1y~0z", "v")), `{"variables":{"x/y~z":"v"}}`},
		{"~01 is ~1", patched(&sampleRules, api.Stage{}, op("add", "/variables/~01", "v")), `{"variables":{"~1":"v"}}`},
		{"key replaced", patched(&sampleRules, api.Stage{Variables: variables}, op("replace", "/variables/b~1c", "9")), `{"variables":{"a":"1","b/c":"9","d~e":"3"}}`},
		{"replacing adds", patched(&sampleRules, api.Stage{Variables: variables}, op("replace", "/variables/f")), `{"variables":{"a":"1","b/c":"2","d~e":"3","f":""}}`},
		{"keys removed", patched(&sampleRules, api.Stage{Variables: variables}, op("remove", "/variables/a"), op("remove", "/variables/b~1c"), op("remove", "/variables/d~0e")), `{}`},
		{"in order", patched(&sampleRules, api.Stage{}, op("add", "/variables/a", "1"), op("remove", "/variables/a"), op("add", "/variables/a", "2")), `{"variables":{"a":"2"}}`},
		{"inner map", patched(&sampleRules, api.Stage{}, op("add", "/canarySettings/stageVariableOverrides/a", "1")), `{"canarySettings":{"stageVariableOverrides":{"a":"1"}}}`},
		{"no key to be removed is no error without a message", patched(&sampleRules, api.Stage{}, op("remove", "/canarySettings/stageVariableOverrides/a")), `{}`},
		{"placeholder of many segments", patched(&sampleRules, api.Stage{}, op("replace", "//a/b~1c/GET/throttling/burstLimit", "1")), `{"methodSettings":{"/a/b/c GET":{}}}`},

		{"number", patched(&sampleListRules, api.RestApi{}, op("replace", "/minimumCompressionSize", "10")), `{"minimumCompressionSize":10}`},
		{"number unset", patched(&sampleListRules, api.RestApi{MinimumCompressionSize: new(int32(10))}, op("replace", "/minimumCompressionSize")), `{}`},
		{"item added", patched(&sampleListRules, api.RestApi{}, op("add", "/binaryMediaTypes/image~1png"), op("add", "/binaryMediaTypes/image~1png", "ignored")), `{"binaryMediaTypes":["image/png"]}`},
		{"item replaced", patched(&sampleListRules, api.RestApi{BinaryMediaTypes: []string{"a", "b"}}, op("replace", "/binaryMediaTypes/a", "c")), `{"binaryMediaTypes":["b","c"]}`},
		{"item removed", patched(&sampleListRules, api.RestApi{BinaryMediaTypes: []string{"a", "b"}}, op("remove", "/binaryMediaTypes/a")), `{"binaryMediaTypes":["b"]}`},
		{"last item removed", patched(&sampleListRules, api.RestApi{BinaryMediaTypes: []string{"a"}}, op("remove", "/binaryMediaTypes/a")), `{}`},
		{"value added", patched(&sampleListRules, api.RestApi{}, op("add", "/endpointConfiguration/vpcEndpointIds", "v1"), op("add", "/endpointConfiguration/vpcEndpointIds", "v2")), `{"endpointConfiguration":{"vpcEndpointIds":["v1","v2"]}}`},
		{"value removed", patched(&sampleListRules, api.RestApi{EndpointConfiguration: &api.EndpointConfiguration{VpcEndpointIds: []string{"v1", "v2"}}}, op("remove", "/endpointConfiguration/vpcEndpointIds", "v1")), `{"endpointConfiguration":{"vpcEndpointIds":["v2"]}}`},

		{"unknown operation of a path", patched(&sampleRules, api.Stage{}, op("add", "/description", "d")), "BadRequestException: Invalid patch operation specified. Must be one of: [remove, replace]"},
		{"no entity has test", patched(&sampleRules, api.Stage{}, op("test", "/tracingEnabled", "d")), "BadRequestException: Invalid patch operation specified. Must be one of: [replace]"},
		{"unknown path", patched(&sampleRules, api.Stage{}, op("add", "/x", "d")), "BadRequestException: Invalid patch path /x"},
		{"map without a key", patched(&sampleRules, api.Stage{}, op("add", "/variables", "d")), "BadRequestException: Invalid patch path /variables"},
		{"empty key", patched(&sampleRules, api.Stage{}, op("add", "/variables/", "d")), "BadRequestException: Invalid patch path /variables/"},
		{"key with a raw slash", patched(&sampleRules, api.Stage{}, op("add", "/variables/a/b", "d")), "BadRequestException: Invalid patch path /variables/a/b"},
		{"no path", patched(&sampleRules, api.Stage{}, api.PatchOperation{Op: new("add")}), "BadRequestException: Invalid patch path null"},
		{"no slash", patched(&sampleRules, api.Stage{}, op("replace", "description")), "BadRequestException: Invalid patch path description"},
		{"no such key", patched(&sampleRules, api.Stage{}, op("remove", "/variables/a")), "NotFoundException: no such variable"},
		{"no such key to replace", patched(&sampleRules, api.Stage{}, op("replace", "/tags/a")), "NotFoundException: no such tag"},
		{"not a number", patched(&sampleRules, api.Stage{}, op("replace", "/canarySettings/percentTraffic", "NaN")), "BadRequestException: no number"},
		{"listing, path", patched(&sampleListRules, api.RestApi{}, op("add", "/name")), "BadRequestException: Invalid patch path  '/name' specified for op 'add'. Must be one of: [/binaryMediaTypes/{type}, /endpointConfiguration/vpcEndpointIds]"},
		{"listing, operation", patched(&sampleListRules, api.RestApi{}, op("copy", "/name")), "BadRequestException: Invalid patch path  '/name' specified for op 'copy'. Please choose supported operations"},
		{"number too large", patched(&sampleListRules, api.RestApi{}, op("replace", "/minimumCompressionSize", "9999999999")), "BadRequestException: Invalid value '9999999999' specified for patch path '/minimumCompressionSize'"},
		{"only the path", patched(&patchRules[api.Stage]{refuse: refusePath, rules: sampleRules.rules}, api.Stage{}, op("add", "/description", "d")), "BadRequestException: Invalid patch path /description"},
	} {
		if test.got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, test.got, test.want)
		}
	}
	if want := map[string]string{"a": "1", "b/c": "2", "d~e": "3"}; !reflect.DeepEqual(variables, want) {
		t.Errorf("a stored map was written into: %v", variables)
	}
}

// Whatever is sent, a patch changes what its path names or refuses.
func FuzzPatch(f *testing.F) {
	for _, path := range []string{"/description", "/variables/a~1b", "/canarySettings/percentTraffic", "/canarySettings/stageVariableOverrides/~0", "//a/b/GET/throttling/burstLimit", "/", "", "~", "/tags/"} {
		for _, name := range []string{"add", "remove", "replace"} {
			f.Add(name, path, "1")
		}
	}
	f.Fuzz(func(t *testing.T, name, path, val string) {
		stage := api.Stage{StageName: new("s"), Variables: map[string]string{"a": "1"}, Tags: map[string]string{"t": "1"}}
		if err := sampleRules.apply(&stage, []api.PatchOperation{op(name, path, val)}); err != nil {
			return
		}
		if *stage.StageName != "s" {
			t.Errorf("%s %s renamed the stage", name, path)
		}
		if err := sampleRules.apply(&stage, []api.PatchOperation{op(name, path, val)}); err != nil && name != "remove" {
			t.Errorf("%s %s can't be done twice: %v", name, path, err)
		}
		shape := api.RestApi{Id: new("id")}
		if err := sampleListRules.apply(&shape, []api.PatchOperation{op(name, path, val)}); err == nil && *shape.Id != "id" {
			t.Errorf("%s %s changed the id", name, path)
		}
	})
}
