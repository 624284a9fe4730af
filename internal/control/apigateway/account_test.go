package apigateway_test

import (
	"testing"

	api "gatehouse/internal/awsapi/apigateway"
	control "gatehouse/internal/control/apigateway"
)

func TestAccount(t *testing.T) {
	g := newGateway(t)
	c := g.call()
	const rest = `"apiKeyVersion":"4","features":["UsagePlans"],"throttleSettings":{"burstLimit":5000,"rateLimit":10000}}`
	get := func() *api.Account { return must[*api.Account](t)(g.GetAccount(c, &api.GetAccountRequest{})) }
	sameJSON(t, "at first", get(), `{`+rest)
	update := func(triples ...string) (*api.Account, error) {
		return g.UpdateAccount(c, &api.UpdateAccountRequest{PatchOperations: patch(triples...)})
	}
	const role = "arn:aws:iam::000000000000:role/logs"
	sameJSON(t, "updated", must[*api.Account](t)(update("replace", "/cloudwatchRoleArn", role, "add", "/features", "UsagePlans")), `{"cloudwatchRoleArn":"`+role+`",`+rest)
	sameJSON(t, "read", get(), `{"cloudwatchRoleArn":"`+role+`",`+rest)
	other := g.call()
	other.Region = "eu-west-1"
	sameJSON(t, "in another region", must[*api.Account](t)(g.GetAccount(other, &api.GetAccountRequest{})), `{`+rest)
	checkRefusals(t, []refusal{
		{"role", one(update("replace", "/cloudwatchRoleArn", "x")), "BadRequestException 400: Invalid ARN specified in the request. ARN: x"},
		{"feature", one(update("add", "/features", "x")), "BadRequestException 400: Invalid feature specified: x"},
		{"path", one(update("replace", "/throttleSettings/rateLimit", "1")), "BadRequestException 400: Invalid patch path  '/throttleSettings/rateLimit' specified for op 'replace'. Must be one of: [/cloudwatchRoleArn]"},
	})
	sameJSON(t, "role taken away", must[*api.Account](t)(update("replace", "/cloudwatchRoleArn", "")), `{`+rest)

	limited := control.New(control.Options{Store: g.store, AccountRate: 5, AccountBurst: 7})
	if got := must[*api.Account](t)(limited.GetAccount(c, &api.GetAccountRequest{})).ThrottleSettings; *got.RateLimit != 5 || *got.BurstLimit != 7 {
		t.Errorf("the operator's throttle is %s", marshal(t, got))
	}
}

func TestSDKTypes(t *testing.T) {
	g := newGateway(t)
	c := g.call()
	var ids []string
	for _, kind := range must[*api.SdkTypes](t)(g.GetSdkTypes(c, &api.GetSdkTypesRequest{})).Items {
		ids = append(ids, *kind.Id)
		sameJSON(t, *kind.Id, must[*api.SdkType](t)(g.GetSdkType(c, &api.GetSdkTypeRequest{Id: kind.Id})), marshal(t, kind))
	}
	sameJSON(t, "types", ids, `["android","java","javascript","objectivec","ruby","swift"]`)
	checkRefusals(t, []refusal{
		{"unknown", one(g.GetSdkType(c, &api.GetSdkTypeRequest{Id: new("cobol")})), "NotFoundException 404: Invalid SDK type identifier specified: cobol"},
	})
}

// flushed are the stages that something was flushed of.
type flushed []string

func (f *flushed) Flush(apiID, stage string) { *f = append(*f, apiID+"/"+stage) }

func TestFlush(t *testing.T) {
	g := newGateway(t)
	c := g.call()
	id, _ := g.api()
	g.stage(id, "dev")
	flush := func(stage string) (responses, authorizers error) {
		return g.FlushStageCache(c, &api.FlushStageCacheRequest{RestApiId: &id, StageName: &stage}),
			g.FlushStageAuthorizersCache(c, &api.FlushStageAuthorizersCacheRequest{RestApiId: &id, StageName: &stage})
	}
	if responses, authorizers := flush("dev"); responses != nil || authorizers != nil {
		t.Error(responses, authorizers)
	}
	responses, authorizers := flush("nope")
	const unknown = "NotFoundException 404: Invalid stage identifier specified"
	checkRefusals(t, []refusal{{"responses", responses, unknown}, {"authorizers", authorizers, unknown}})
	for of, got := range map[string]flushed{"answers": g.flushed, "responses": g.responses} {
		if len(got) != 1 || got[0] != id+"/dev" {
			t.Errorf("flushed %s of %q", of, got)
		}
	}
}
