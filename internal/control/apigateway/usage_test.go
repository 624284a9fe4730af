package apigateway_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// fakeUsage tells of one request a day and notes what it is asked for.
type fakeUsage struct {
	asked []string
	err   error
}

func (f *fakeUsage) Days(_ store.Scope, p *definition.UsagePlan, keyID string, first, last, now time.Time) [][2]int64 {
	f.asked = append(f.asked, fmt.Sprintf("%s %s %s-%s", *p.Id, keyID, first.Format(time.DateOnly), last.Format(time.DateOnly)))
	var days [][2]int64
	for at := first; !at.After(last) && !at.After(now); at = at.AddDate(0, 0, 1) {
		days = append(days, [2]int64{1, 99})
	}
	return days
}

func (f *fakeUsage) SetRemaining(_ store.Scope, p *definition.UsagePlan, keyID string, n int64, _ time.Time) error {
	f.asked = append(f.asked, fmt.Sprintf("%s %s = %d", *p.Id, keyID, n))
	return f.err
}

func TestUsage(t *testing.T) {
	g := newGateway(t)
	c := g.call()
	newKey := func() string {
		return *must[*api.ApiKey](t)(g.CreateApiKey(c, &api.CreateApiKeyRequest{Enabled: new(true)})).Id
	}
	newPlan := func(quota *api.QuotaSettings, keys ...string) string {
		t.Helper()
		plan := must[*api.UsagePlan](t)(g.CreateUsagePlan(c, &api.CreateUsagePlanRequest{Name: new("p"), Quota: quota}))
		for _, key := range keys {
			must[*api.UsagePlanKey](t)(g.CreateUsagePlanKey(c, &api.CreateUsagePlanKeyRequest{UsagePlanId: plan.Id, KeyId: &key, KeyType: new("API_KEY")}))
		}
		return *plan.Id
	}
	keys := []string{newKey(), newKey(), newKey()}
	slices.Sort(keys)
	plan := newPlan(&api.QuotaSettings{Limit: new(int32(100)), Period: new("DAY")}, keys...)
	unlimited := newPlan(nil, keys[0])
	stranger := newKey()

	get := func(plan, from, to, key string, more ...string) (*api.Usage, error) {
		in := &api.GetUsageRequest{UsagePlanId: &plan, StartDate: &from, EndDate: &to, KeyId: &key}
		if len(more) > 0 {
			limit, err := strconv.ParseInt(more[0], 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			in.Limit, in.Position = new(int32(limit)), &more[1]
		}
		return g.GetUsage(c, in)
	}
	head := `"usagePlanId":"` + plan + `"}`
	sameJSON(t, "one key", must[*api.Usage](t)(get(plan, "2026-03-03", "2026-03-05", keys[1])),
		`{"endDate":"2026-03-05","items":{"`+keys[1]+`":[[1,99],[1,99]]},"startDate":"2026-03-03",`+head)
	all := must[*api.Usage](t)(get(plan, "2026-03-04", "2026-03-04", ""))
	sameJSON(t, "all keys", all, `{"endDate":"2026-03-04","items":{"`+keys[0]+`":[[1,99]],"`+keys[1]+`":[[1,99]],"`+keys[2]+`":[[1,99]]},"startDate":"2026-03-04",`+head)
	page := must[*api.Usage](t)(get(plan, "2026-03-04", "2026-03-04", "", "2", ""))
	rest := must[*api.Usage](t)(get(plan, "2026-03-04", "2026-03-04", "", "2", *page.Position))
	if len(page.Items) != 2 || len(rest.Items) != 1 || rest.Position != nil || rest.Items[keys[2]] == nil {
		t.Errorf("pages %v and %v", page.Items, rest.Items)
	}
	if none := must[*api.Usage](t)(get(plan, "2027-01-01", "2027-01-01", keys[0])); len(none.Items[keys[0]]) != 0 {
		t.Errorf("days to come: %v", none.Items)
	}

	patchKey := func(plan, key string, triples ...string) (*api.Usage, error) {
		return g.UpdateUsage(c, &api.UpdateUsageRequest{UsagePlanId: &plan, KeyId: &key, PatchOperations: patch(triples...)})
	}
	g.usage.asked = nil
	updated := must[*api.Usage](t)(patchKey(plan, keys[0], "replace", "/remaining", "40"))
	sameJSON(t, "updated", updated, `{"endDate":"2026-03-04","items":{"`+keys[0]+`":[[1,99]]},"startDate":"2026-03-04",`+head)
	if want := plan + " " + keys[0] + " = 40"; g.usage.asked[0] != want {
		t.Errorf("asked for %q, want %q", g.usage.asked[0], want)
	}
	g.usage.asked = nil
	must[*api.Usage](t)(patchKey(plan, keys[0]))
	if len(g.usage.asked) != 1 {
		t.Errorf("nothing to change asked for %q", g.usage.asked)
	}

	const badKey, badPlan = "NotFoundException 404: Invalid Usage Plan Key identifier specified", "NotFoundException 404: Invalid Usage Plan ID specified"
	const badValue = "BadRequestException 400: Invalid value '%s' specified for patch path '/remaining'"
	checkRefusals(t, []refusal{
		{"no plan", one(get("nope", "2026-03-04", "2026-03-04", "")), badPlan},
		{"a key that isn't in the plan", one(get(plan, "2026-03-04", "2026-03-04", stranger)), badKey},
		{"no date", one(get(plan, "", "2026-03-04", "")), "BadRequestException 400: Invalid startDate specified: . Must be in the format YYYY-MM-DD"},
		{"a time", one(get(plan, "2026-03-04", "2026-03-04T00:00:00Z", "")), "BadRequestException 400: Invalid endDate specified: 2026-03-04T00:00:00Z. Must be in the format YYYY-MM-DD"},
		{"no such date", one(get(plan, "2026-02-29", "2026-03-04", "")), "BadRequestException 400: Invalid startDate specified: 2026-02-29…"},
		{"backwards", one(get(plan, "2026-03-05", "2026-03-04", "")), "BadRequestException 400: Invalid date range specified: startDate must not be after endDate"},
		{"too long", one(get(plan, "2026-01-01", "2027-01-02", "")), "BadRequestException 400: Invalid date range specified: at most 366 days"},
		{"position", one(get(plan, "2026-03-04", "2026-03-04", "", "2", "x")), "BadRequestException 400: Invalid position specified"},
		{"update of no plan", one(patchKey("nope", keys[0], "replace", "/remaining", "1")), badPlan},
		{"update of another key", one(patchKey(plan, stranger, "replace", "/remaining", "1")), badKey},
		{"update of no quota", one(patchKey(unlimited, keys[0], "replace", "/remaining", "1")), "BadRequestException 400: Usage Plan " + unlimited + " has no quota"},
		{"less than nothing", one(patchKey(plan, keys[0], "replace", "/remaining", "-1")), fmt.Sprintf(badValue, "-1")},
		{"no number", one(patchKey(plan, keys[0], "replace", "/remaining", "many")), fmt.Sprintf(badValue, "many")},
		{"too many", one(patchKey(plan, keys[0], "replace", "/remaining", "9999999999")), fmt.Sprintf(badValue, "9999999999")},
		{"another path", one(patchKey(plan, keys[0], "replace", "/used", "1")), "BadRequestException 400: Invalid patch path  '/used' specified for op 'replace'. Must be one of: [/remaining]"},
		{"another operation", one(patchKey(plan, keys[0], "add", "/remaining", "1")), "BadRequestException 400: Invalid patch path  '/remaining' specified for op 'add'…"},
	})
}
