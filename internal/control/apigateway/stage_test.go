package apigateway_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// A staged is a gateway with an API that has a deployment and a stage dev of it.
type staged struct {
	*serving
	id, root, deployment string
}

func newStaged(t testing.TB) *staged {
	g := newServing(t)
	id, root := g.api()
	g.mock(id, root, "GET")
	return &staged{g, id, root, g.deploy(id, "dev")}
}

func (s *staged) update(ops ...api.PatchOperation) (*api.Stage, error) {
	return s.UpdateStage(s.call(), &api.UpdateStageRequest{RestApiId: &s.id, StageName: new("dev"), PatchOperations: ops})
}

func (s *staged) get() *api.Stage {
	s.t.Helper()
	return must[*api.Stage](s.t)(s.GetStage(s.call(), &api.GetStageRequest{RestApiId: &s.id, StageName: new("dev")}))
}

// rest is what a stage of this test has whatever is patched.
func (s *staged) rest() string {
	return `"cacheClusterEnabled": false, "cacheClusterStatus": "NOT_AVAILABLE", "createdDate": "2026-03-04T05:06:07Z", "lastUpdatedDate": "2026-03-04T05:06:07Z",
		"deploymentId": "` + s.deployment + `", "stageName": "dev", "tracingEnabled": false`
}

func copyOp(from, path string) api.PatchOperation {
	return api.PatchOperation{Op: new("copy"), From: &from, Path: &path}
}

func TestStageUpdates(t *testing.T) {
	g := newStaged(t)
	at := store.Scope{Account: "000000000000", Region: "us-east-1"}
	if err := g.store.Update(context.Background(), func(tx *store.Tx) error {
		return errors.Join(
			definition.ClientCertificates.Put(tx, at, &definition.ClientCertificate{ClientCertificate: api.ClientCertificate{ClientCertificateId: new("cert01")}}, "cert01"),
			definition.DocumentationVersions.Put(tx, at, &definition.DocumentationVersion{DocumentationVersion: api.DocumentationVersion{Version: new("v1")}}, g.id, "v1"))
	}); err != nil {
		t.Fatal(err)
	}
	const log = "arn:aws:logs:us-east-1:000000000000:log-group:g"
	for _, step := range []struct {
		name string
		ops  []api.PatchOperation
		want string
	}{
		{"no operation", nil, `"methodSettings": {}`},
		{"texts", patch("replace", "/description", "d", "replace", "/clientCertificateId", "cert01", "replace", "/documentationVersion", "v1"),
			`"methodSettings": {}, "description": "d", "clientCertificateId": "cert01", "documentationVersion": "v1"`},
		{"emptied", patch("replace", "/description", "", "replace", "/clientCertificateId", "", "replace", "/documentationVersion", ""), `"methodSettings": {}`},
		{"variables", patch("replace", "/variables/a", "1", "add", "/variables/b", "2", "replace", "/variables/a", "3"), `"methodSettings": {}, "variables": {"a": "3", "b": "2"}`},
		{"variables removed", patch("remove", "/variables/a", "", "remove", "/variables/b", ""), `"methodSettings": {}`},
		{"log", patch("add", "/accessLogSettings/destinationArn", log+":*"), `"methodSettings": {}, "accessLogSettings": {"destinationArn": "` + log + `"}`},
		{"log format", patch("replace", "/accessLogSettings/format", "$context.requestId", "replace", "/accessLogSettings/destinationArn", log+"a"), `"methodSettings": {}, "accessLogSettings": {"destinationArn": "` + log + `a", "format": "$context.requestId"}`},
		{"log removed", patch("remove", "/accessLogSettings", ""), `"methodSettings": {}`},
	} {
		sameJSON(t, step.name, must[*api.Stage](t)(g.update(step.ops...)), `{`+step.want+`, `+g.rest()+`}`)
		sameJSON(t, step.name+", read", g.get(), `{`+step.want+`, `+g.rest()+`}`)
	}
	g.now = g.now.Add(time.Hour)
	stage := must[*api.Stage](t)(g.update(patch("replace", "/cacheClusterEnabled", "true", "replace", "/tracingEnabled", "true")...))
	if *stage.CacheClusterStatus != "AVAILABLE" || *stage.CacheClusterSize != "0.5" || !*stage.TracingEnabled || stage.LastUpdatedDate.Sub(*stage.CreatedDate) != time.Hour {
		t.Errorf("with a cache: %+v", stage)
	}
}

func TestMethodSettings(t *testing.T) {
	g := newStaged(t)
	setting := func(changes ...string) string {
		all := map[string]string{"cacheDataEncrypted": "false", "cacheTtlInSeconds": "300", "cachingEnabled": "false", "dataTraceEnabled": "false", "metricsEnabled": "false", "requireAuthorizationForCacheControl": "true",
			"throttlingBurstLimit": "5000", "throttlingRateLimit": "10000", "unauthorizedCacheControlHeaderStrategy": `"SUCCEED_WITH_RESPONSE_HEADER"`}
		for i := 0; i < len(changes); i += 2 {
			all[changes[i]] = changes[i+1]
		}
		var members []string
		for name, v := range all {
			members = append(members, fmt.Sprintf("%q: %s", name, v))
		}
		return "{" + strings.Join(members, ", ") + "}"
	}
	for _, step := range []struct {
		name string
		ops  []api.PatchOperation
		want string
	}{
		{"of every method", patch("replace", "/*/*/caching/enabled", "true", "replace", "/*/*/throttling/rateLimit", "12.500000"), `{"*/*": ` + setting("cachingEnabled", "true", "throttlingRateLimit", "12.5") + `}`},
		{"one begins as all", patch("replace", "/a~1b/GET/logging/loglevel", "INFO", "replace", "/~1/GET/metrics/enabled", "true"),
			`{"*/*": ` + setting("cachingEnabled", "true", "throttlingRateLimit", "12.5") + `, "a~1b/GET": ` + setting("cachingEnabled", "true", "throttlingRateLimit", "12.5", "loggingLevel", `"INFO"`) +
				`, "~1/GET": ` + setting("cachingEnabled", "true", "throttlingRateLimit", "12.5", "metricsEnabled", "true") + `}`},
		{"and stays as it is", patch("replace", "/*/*/throttling/burstLimit", "-1", "remove", "/~1/GET", ""),
			`{"*/*": ` + setting("cachingEnabled", "true", "throttlingRateLimit", "12.5", "throttlingBurstLimit", "-1") + `, "a~1b/GET": ` + setting("cachingEnabled", "true", "throttlingRateLimit", "12.5", "loggingLevel", `"INFO"`) + `}`},
		{"all of them", patch("remove", "/*/*", "", "remove", "/a~1b/GET", "", "replace", "/~1x/ANY/logging/dataTrace", "true", "replace", "/~1x/ANY/caching/ttlInSeconds", "0", "replace", "/~1x/ANY/caching/dataEncrypted", "true",
			"replace", "/~1x/ANY/caching/requireAuthorizationForCacheControl", "false", "replace", "/~1x/ANY/caching/unauthorizedCacheControlHeaderStrategy", "FAIL_WITH_403"),
			`{"~1x/ANY": ` + setting("dataTraceEnabled", "true", "cacheTtlInSeconds", "0", "cacheDataEncrypted", "true", "requireAuthorizationForCacheControl", "false", "unauthorizedCacheControlHeaderStrategy", `"FAIL_WITH_403"`) + `}`},
		{"none", patch("remove", "/~1x/ANY", ""), `{}`},
	} {
		sameJSON(t, step.name, must[*api.Stage](t)(g.update(step.ops...)).MethodSettings, step.want)
	}
}

func TestStageRefusals(t *testing.T) {
	g := newStaged(t)
	c := g.call()
	must[*api.Stage](t)(g.update(patch("add", "/accessLogSettings/destinationArn", "arn:aws:logs:us-east-1:000000000000:log-group:g")...))
	update := func(triples ...string) error { return one(g.update(patch(triples...)...)) }
	create := func(change func(in *api.CreateStageRequest)) error {
		in := &api.CreateStageRequest{RestApiId: &g.id, StageName: new("new"), DeploymentId: &g.deployment}
		change(in)
		return one(g.CreateStage(c, in))
	}
	many := map[string]string{}
	for i := range 101 {
		many[fmt.Sprint("v", i)] = "1"
	}
	const (
		paths     = "BadRequestException 400: Invalid method setting path: "
		accessLog = "BadRequestException 400: Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]"
		emptyLog  = "BadRequestException 400: Access Log value must not be empty"
		noStage   = "NotFoundException 404: Invalid stage identifier specified"
	)
	noSetting := func(key string) string {
		return "BadRequestException 400: Cannot remove method setting " + key + " because there is no method setting for this method "
	}
	checkRefusals(t, []refusal{
		{"unknown API", one(g.GetStages(c, &api.GetStagesRequest{RestApiId: new("nope")})), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"unknown stage", one(g.GetStage(c, &api.GetStageRequest{RestApiId: &g.id, StageName: new("nope")})), noStage},
		{"updating an unknown stage", one(g.UpdateStage(c, &api.UpdateStageRequest{RestApiId: &g.id, StageName: new("nope")})), noStage},
		{"deleting an unknown stage", g.DeleteStage(c, &api.DeleteStageRequest{RestApiId: &g.id, StageName: new("nope")}), noStage},
		{"taken", create(func(in *api.CreateStageRequest) { in.StageName = new("dev") }), "ConflictException 409: Stage already exists"},
		{"name", create(func(in *api.CreateStageRequest) { in.StageName = new("a.b") }), "BadRequestException 400: Stage name only allows a-zA-Z0-9_"},
		{"unknown deployment", create(func(in *api.CreateStageRequest) { in.DeploymentId = new("nope") }), "BadRequestException 400: Deployment id does not exist"},
		{"unknown deployment of a canary", create(func(in *api.CreateStageRequest) { in.CanarySettings = &api.CanarySettings{DeploymentId: new("nope")} }), "BadRequestException 400: Deployment id does not exist"},
		{"too much for a canary", create(func(in *api.CreateStageRequest) { in.CanarySettings = &api.CanarySettings{PercentTraffic: new(100.1)} }), "BadRequestException 400: Canary percentTraffic must be between 0.0 and 100.0"},
		{"variable", create(func(in *api.CreateStageRequest) { in.Variables = map[string]string{"a-b": "1"} }), "BadRequestException 400: Invalid stage variable name: a-b. Please use names with only word characters."},
		{"value", create(func(in *api.CreateStageRequest) { in.Variables = map[string]string{"a": "<"} }), "BadRequestException 400: Invalid stage variable value of key a.  Please use values with…"},
		{"many variables", create(func(in *api.CreateStageRequest) { in.Variables = many }), "BadRequestException 400: A stage can have at most 100 stage variables"},
		{"documentation", create(func(in *api.CreateStageRequest) { in.DocumentationVersion = new("nope") }), "BadRequestException 400: Invalid Documentation version specified"},
		{"unknown path", update("replace", "/documentation_version", "1"), paths + "/documentation_version. Must be one of: [/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, /accessLogSettings, /accessLogSettings/destinationArn, /accessLogSettings/format, /{resourcePath}/{httpMethod}/metrics/enabled, /{resourcePath}/{httpMethod}/logging/dataTrace, /{resourcePath}/{httpMethod}/logging/loglevel, /{resourcePath}/{httpMethod}/throttling/burstLimit/{resourcePath}/{httpMethod}/throttling/rateLimit/{resourcePath}/{httpMethod}/caching/ttlInSeconds, /{resourcePath}/{httpMethod}/caching/enabled, /{resourcePath}/{httpMethod}/caching/dataEncrypted, /{resourcePath}/{httpMethod}/caching/requireAuthorizationForCacheControl, /{resourcePath}/{httpMethod}/caching/unauthorizedCacheControlHeaderStrategy, /*/*/metrics/enabled, /*/*/logging/dataTrace, /*/*/logging/loglevel, /*/*/throttling/burstLimit /*/*/throttling/rateLimit /*/*/caching/ttlInSeconds, /*/*/caching/enabled, /*/*/caching/dataEncrypted, /*/*/caching/requireAuthorizationForCacheControl, /*/*/caching/unauthorizedCacheControlHeaderStrategy, /variables/{variable_name}, /tracingEnabled]"},
		{"tags", update("replace", "/tags/a", "1"), paths + "/tags/a. Must be one of: …"},
		{"a method that isn't", update("replace", "/a/FETCH/metrics/enabled", "true"), paths + "/a/FETCH/metrics/enabled. Must be one of: …"},
		{"half a star", update("replace", "/*/GET/metrics/enabled", "true"), paths + "/*/GET/metrics/enabled. Must be one of: …"},
		{"unescaped resource", update("replace", "/a/b/GET/metrics/enabled", "true"), paths + "/a/b/GET/metrics/enabled. Must be one of: …"},
		{"a setting that isn't", update("replace", "/*/*/caching/size", "1"), paths + "/*/*/caching/size. Must be one of: …"},
		{"log level", update("replace", "/*/*/logging/loglevel", "DEBUG"), "BadRequestException 400: Invalid value 'DEBUG' for method setting path: /*/*/logging/loglevel"},
		{"no limit", update("replace", "/*/*/throttling/burstLimit", "many"), "BadRequestException 400: Invalid value 'many' for method setting path: /*/*/throttling/burstLimit"},
		{"no value", update("replace", "/*/*/throttling/rateLimit", ""), "BadRequestException 400: Invalid value '' for method setting path: /*/*/throttling/rateLimit"},
		{"lifetime", update("replace", "/*/*/caching/ttlInSeconds", "3601"), "BadRequestException 400: Invalid value '3601' for method setting path: /*/*/caching/ttlInSeconds"},
		{"strategy", update("replace", "/*/*/caching/unauthorizedCacheControlHeaderStrategy", "x"), "BadRequestException 400: Invalid value 'x' for method setting path: /*/*/caching/unauthorizedCacheControlHeaderStrategy"},
		{"no settings of all", update("remove", "/*/*", ""), noSetting("*/*")},
		{"no settings of one", update("remove", "/a~1b/GET", ""), noSetting("a~1b/GET")},
		{"removing what is replaced", update("remove", "/description", ""), noSetting("description")},
		{"half a log", update("remove", "/accessLogSettings/destinationArn", ""), noSetting("accessLogSettings/destinationArn")},
		{"no part of a log", update("add", "/accessLogSettings/randomValue", "1"), accessLog},
		{"no part of a log, replaced", update("replace", "/accessLogSettings/*", "1"), accessLog},
		{"a log as a whole", update("add", "/accessLogSettings", "1"), accessLog},
		{"no part of a log, removed", update("remove", "/accessLogSettings/*", ""), noSetting("accessLogSettings/*")},
		{"empty destination", update("add", "/accessLogSettings/destinationArn", ""), emptyLog},
		{"empty format", update("replace", "/accessLogSettings/format", ""), emptyLog},
		{"format", update("replace", "/accessLogSettings/format", "$context.status"), "BadRequestException 400: The following errors are found in Access Log Format: …"},
		{"destination", update("replace", "/accessLogSettings/destinationArn", "arn:aws:s3:::bucket"), "BadRequestException 400: Access log destination must only contain…"},
		{"destination that is no ARN", update("replace", "/accessLogSettings/destinationArn", "g"), "BadRequestException 400: Invalid ARN specified in the request. ARN: g must be…"},
		{"somebody else's log group", update("replace", "/accessLogSettings/destinationArn", "arn:aws:logs:us-east-1:111111111111:log-group:g"), "BadRequestException 400: Invalid ARN specified in the request…"},
		{"Firehose", update("replace", "/accessLogSettings/destinationArn", "arn:aws:firehose:us-east-1:000000000000:deliverystream/amazon-apigateway-s"), "NotImplementedException 501: …"},
		{"cache size", update("replace", "/cacheClusterSize", "1"), "BadRequestException 400: Invalid cache cluster size specified…"},
		{"certificate", update("replace", "/clientCertificateId", "nope"), "BadRequestException 400: Invalid client certificate ID specified"},
		{"deployment", update("replace", "/deploymentId", "nope"), "BadRequestException 400: Deployment id does not exist"},
		{"no deployment", update("replace", "/deploymentId", ""), "BadRequestException 400: Deployment id does not exist"},
		{"added deployment", update("add", "/deploymentId", g.deployment), "BadRequestException 400: Invalid add operation with path: /deploymentId"},
		{"a variable's value", update("replace", "/variables/a", ""), "BadRequestException 400: Invalid stage variable value of key a.…"},
		{"half of it done", update("replace", "/description", "half", "replace", "/nope", ""), paths + "/nope. Must be one of: …"},
	})
	if d := g.get().Description; d != nil {
		t.Errorf("an update that was refused left the description %s", *d)
	}
}

func TestCanary(t *testing.T) {
	g := newStaged(t)
	c := g.call()
	second := g.deploy(g.id, "")
	canary := func() *api.CanarySettings { return g.get().CanarySettings }
	update := func(ops ...api.PatchOperation) error { return one(g.update(ops...)) }
	const noCopy = "BadRequestException 400: Invalid copy operation with path: %s and from %s. Valid copy:path are [/deploymentId, /variables] and valid copy:from are [/canarySettings/deploymentId, /canarySettings/stageVariableOverrides]"
	const noCanary = "BadRequestException 400: Promotion not available. Canary does not exist."
	toDeployment, toVariables := copyOp("/canarySettings/deploymentId", "/deploymentId"), copyOp("/canarySettings/stageVariableOverrides", "/variables")
	noSetting := func(key string) string {
		return "BadRequestException 400: Cannot remove method setting " + key + " because there is no method setting for this method "
	}
	checkRefusals(t, []refusal{
		{"the other way round", update(copyOp("/variables", "/canarySettings/stageVariableOverrides")), fmt.Sprintf(noCopy, "/canarySettings/stageVariableOverrides", "/variables")},
		{"crosswise", update(copyOp("/canarySettings/deploymentId", "/variables")), fmt.Sprintf(noCopy, "/variables", "/canarySettings/deploymentId")},
		{"from anywhere", update(copyOp("/description", "/deploymentId")), fmt.Sprintf(noCopy, "/deploymentId", "/description")},
		{"no canary", update(toDeployment), noCanary},
		{"no canary's variables", update(toVariables, toDeployment), noCanary},
		{"no overrides", update(patch("remove", "/canarySettings/stageVariableOverrides", "")...), noSetting("canarySettings/stageVariableOverrides")},
		{"no override", update(patch("remove", "/canarySettings/stageVariableOverrides/a", "")...), noSetting("canarySettings/stageVariableOverrides/a")},
		{"no such part", update(patch("remove", "/canarySettings/badPath", "")...), noSetting("canarySettings/badPath")},
		{"as a whole", update(patch("replace", "/canarySettings", "x")...), "BadRequestException 400: Invalid method setting path: /canarySettings. Must be one of: …"},
		{"no such part, replaced", update(patch("replace", "/canarySettings/badPath", "x")...), "BadRequestException 400: Invalid method setting path: /canarySettings/badPath. Must be one of: …"},
		{"added deployment", update(patch("add", "/canarySettings/deploymentId", second)...), "BadRequestException 400: Invalid add operation with path: /canarySettings/deploymentId"},
		{"unknown deployment", update(patch("replace", "/canarySettings/deploymentId", "nope")...), "BadRequestException 400: Deployment id does not exist"},
		{"percent", update(patch("replace", "/canarySettings/percentTraffic", "-1")...), "BadRequestException 400: Canary percentTraffic must be between 0.0 and 100.0"},
		{"percent of a text", update(patch("replace", "/canarySettings/percentTraffic", "half")...), "BadRequestException 400: Invalid value 'half' specified for patch path '/canarySettings/percentTraffic'"},
	})
	for _, step := range []struct {
		name string
		ops  []api.PatchOperation
		want string
	}{
		{"by its share", patch("replace", "/canarySettings/percentTraffic", "50"), `{"deploymentId": "` + g.deployment + `", "percentTraffic": 50, "useStageCache": false}`},
		{"removed", patch("remove", "/canarySettings", ""), `null`},
		{"by its deployment", patch("replace", "/canarySettings/deploymentId", second), `{"deploymentId": "` + second + `", "percentTraffic": 0, "useStageCache": false}`},
		{"overrides", patch("replace", "/canarySettings/stageVariableOverrides/a", "canary", "replace", "/canarySettings/stageVariableOverrides/b", "new", "replace", "/canarySettings/useStageCache", "true", "replace", "/variables/a", "stage", "replace", "/variables/c", "kept"),
			`{"deploymentId": "` + second + `", "percentTraffic": 0, "useStageCache": true, "stageVariableOverrides": {"a": "canary", "b": "new"}}`},
	} {
		if err := update(step.ops...); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		sameJSON(t, step.name, canary(), step.want)
	}
	// A canary holds on to its deployment as its stage does.
	if got := describeError(g.DeleteDeployment(c, &api.DeleteDeploymentRequest{RestApiId: &g.id, DeploymentId: &second})); got != "BadRequestException 400: Active stages pointing to this deployment must be moved or deleted" {
		t.Errorf("deleting the canary's deployment: %s", got)
	}
	stage := must[*api.Stage](t)(g.update(toDeployment, toVariables))
	sameJSON(t, "promoted", stage.Variables, `{"a": "canary", "b": "new", "c": "kept"}`)
	if *stage.DeploymentId != second || stage.CanarySettings == nil {
		t.Errorf("promoted: %+v", stage)
	}
	if err := update(patch("remove", "/canarySettings/stageVariableOverrides", "", "remove", "/canarySettings", "")...); err != nil || canary() != nil {
		t.Errorf("removed: %v, %+v", err, canary())
	}
}

// A stage gets another cache when it had none or gets one of another size, and keeps
// the one it has otherwise.
func TestStageCaches(t *testing.T) {
	g := newStaged(t)
	since := func() (revision int64) {
		t.Helper()
		if err := g.store.View(context.Background(), func(tx *store.Tx) error {
			stage, err := definition.RestStages.Get(tx, here, g.id, "dev")
			if err == nil {
				revision = stage.CacheSince
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return revision
	}
	before := since()
	for _, step := range []struct {
		name         string
		ops          []api.PatchOperation
		another      bool
		size, status string
	}{
		{"a size without a cache", patch("replace", "/cacheClusterSize", "1.6"), false, "1.6", "NOT_AVAILABLE"},
		{"switched on", patch("replace", "/cacheClusterEnabled", "true"), true, "1.6", "AVAILABLE"},
		{"switched on again", patch("replace", "/cacheClusterEnabled", "true"), false, "1.6", "AVAILABLE"},
		{"other settings", patch("replace", "/description", "d", "replace", "/*/*/caching/enabled", "true"), false, "1.6", "AVAILABLE"},
		{"another size", patch("replace", "/cacheClusterSize", "237"), true, "237", "AVAILABLE"},
		{"the same size", patch("replace", "/cacheClusterSize", "237"), false, "237", "AVAILABLE"},
		{"switched off", patch("replace", "/cacheClusterEnabled", "false"), false, "237", "NOT_AVAILABLE"},
		{"switched on once more", patch("replace", "/cacheClusterEnabled", "true"), true, "237", "AVAILABLE"},
		{"off and on at once", patch("replace", "/cacheClusterEnabled", "false", "replace", "/cacheClusterEnabled", "true"), false, "237", "AVAILABLE"},
	} {
		stage := must[*api.Stage](t)(g.update(step.ops...))
		after := since()
		if (after != before) != step.another || *stage.CacheClusterSize != step.size || *stage.CacheClusterStatus != step.status {
			t.Errorf("%s: from %d to %d, %s GB, %s", step.name, before, after, *stage.CacheClusterSize, *stage.CacheClusterStatus)
		}
		before = after
	}
}
