package definition

import (
	"slices"
	"time"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/store"
)

// A UsagePlan is keyed {planID}.
type UsagePlan struct {
	apigateway.UsagePlan
	// QuotaSince is when the quota was given its period; zero without a quota.
	QuotaSince time.Time `json:"_quotaSince,omitzero"`
}

// UsagePlans is the kind of UsagePlan.
var UsagePlans = store.Kind[UsagePlan]{Name: "apigateway/usage-plan", Version: 1}

// UsagePlanKeys is an index keyed {planID, keyID}: the API keys of a plan.
var UsagePlanKeys = store.Kind[Reference]{Name: "apigateway/usage-plan-key", Version: 1}

// DropFromUsagePlans takes a stage that goes, or with "" all stages of an API,
// out of the plans it is in, be it a REST API's or a WebSocket API's: on AWS, plans
// lose a stage that is deleted, and don't have the next one of that name.
// https://github.com/hashicorp/terraform-provider-aws/issues/14100
func DropFromUsagePlans(tx *store.Tx, s store.Scope, apiID, stage string) error {
	for e, err := range UsagePlans.All(tx, s) {
		if err != nil {
			return err
		}
		kept := slices.DeleteFunc(slices.Clone(e.Doc.ApiStages), func(a apigateway.ApiStage) bool {
			return a.ApiId != nil && *a.ApiId == apiID && (stage == "" || a.Stage != nil && *a.Stage == stage)
		})
		if len(kept) == len(e.Doc.ApiStages) {
			continue
		}
		plan := *e.Doc
		plan.ApiStages = kept
		if err := UsagePlans.Put(tx, s, &plan, *plan.Id); err != nil {
			return err
		}
	}
	return nil
}
