package apigateway

import (
	"strconv"
	"time"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// Usage is what clients, each an API key in a usage plan, used of the plan's
// quota.
type Usage interface {
	// Days returns what a client used on each day of UTC from that of first to that
	// of last, no later than now, and what remained at its end or remains now.
	Days(s store.Scope, plan *definition.UsagePlan, keyID string, first, last, now time.Time) [][2]int64
	// SetRemaining makes n requests remain in the period that has now, durably. The
	// plan has a quota.
	SetRemaining(s store.Scope, plan *definition.UsagePlan, keyID string, n int64, now time.Time) error
}

// maxUsageDays is the longest time that GetUsage tells of.
const maxUsageDays = 366

// GetUsage tells what the keys of a plan used and what remained to them, day by
// day. Days to come aren't told.
//
// AWS is said to tell of usage half an hour late; here it is as of now.
// https://github.com/localstack/localstack/issues/11393
func (s *Service) GetUsage(c *awswire.Call, in *apigateway.GetUsageRequest) (*apigateway.Usage, error) {
	first, err := usageDate("startDate", value(in.StartDate))
	if err != nil {
		return nil, err
	}
	last, err := usageDate("endDate", value(in.EndDate))
	if err != nil {
		return nil, err
	}
	// UNVERIFIED: the words, and that a year is the most.
	if last.Before(first) {
		return nil, badRequest("Invalid date range specified: startDate must not be after endDate")
	}
	if last.Sub(first) >= maxUsageDays*24*time.Hour {
		return nil, badRequest("Invalid date range specified: at most %d days", maxUsageDays)
	}
	out := &apigateway.Usage{UsagePlanId: in.UsagePlanId, StartDate: in.StartDate, EndDate: in.EndDate, Items: map[string][][]int64{}}
	err = s.store.View(c, func(tx *store.Tx) error {
		plan, err := getPlan(tx, c, value(in.UsagePlanId))
		if err != nil {
			return err
		}
		if id := value(in.KeyId); id != "" {
			if err := checkInPlan(tx, c, *plan.Id, id); err != nil {
				return err
			}
			out.Items[id] = s.usageOf(c, plan, id, first, last)
			return nil
		}
		ids, position, err := list(tx, scope(c), definition.UsagePlanKeys, pageRequest{in.Limit, in.Position},
			func(e store.Entry[definition.Reference]) string { return e.Doc.ID }, *plan.Id)
		if err != nil {
			return err
		}
		for _, id := range ids {
			out.Items[id] = s.usageOf(c, plan, id, first, last)
		}
		out.Position = position
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// usageDate reads a date as AWS has it.
func usageDate(name, text string) (time.Time, error) {
	date, err := time.Parse(time.DateOnly, text)
	if err != nil {
		// UNVERIFIED: the words.
		return date, badRequest("Invalid %s specified: %s. Must be in the format YYYY-MM-DD", name, text)
	}
	return date, nil
}

func (s *Service) usageOf(c *awswire.Call, plan *definition.UsagePlan, keyID string, first, last time.Time) [][]int64 {
	days := s.usage.Days(scope(c), plan, keyID, first, last, c.Time)
	pairs := make([][]int64, len(days))
	for i := range days {
		pairs[i] = days[i][:]
	}
	return pairs
}

// A usagePatch is what can be patched of a key's usage.
type usagePatch struct{ remaining *int64 }

var usageRules = patchRules[usagePatch]{refuse: refuseListing, rules: []patchRule[usagePatch]{
	{path: "/remaining", ops: opReplace, set: func(p *usagePatch, o patchOp) error {
		n, err := strconv.ParseInt(value(o.Value), 10, 32)
		if err != nil || n < 0 {
			// UNVERIFIED: the words, here and below.
			return badRequest("Invalid value '%s' specified for patch path '%s'", value(o.Value), o.Path)
		}
		p.remaining = &n
		return nil
	}},
}}

// UpdateUsage makes more or less of a plan's quota remain to a key, until the
// quota's period ends. It holds at once.
func (s *Service) UpdateUsage(c *awswire.Call, in *apigateway.UpdateUsageRequest) (*apigateway.Usage, error) {
	planID, keyID := value(in.UsagePlanId), value(in.KeyId)
	var plan *definition.UsagePlan
	err := s.store.View(c, func(tx *store.Tx) error {
		if err := checkInPlan(tx, c, planID, keyID); err != nil {
			return err
		}
		var err error
		plan, err = getPlan(tx, c, planID)
		return err
	})
	if err != nil {
		return nil, err
	}
	var patch usagePatch
	if err := usageRules.apply(&patch, in.PatchOperations); err != nil {
		return nil, err
	}
	if patch.remaining != nil {
		if plan.Quota == nil {
			return nil, badRequest("Usage Plan %s has no quota", planID)
		}
		if err := s.usage.SetRemaining(scope(c), plan, keyID, *patch.remaining, c.Time); err != nil {
			return nil, err
		}
	}
	today := c.Time.UTC().Format(time.DateOnly)
	return &apigateway.Usage{
		UsagePlanId: plan.Id, StartDate: &today, EndDate: &today,
		Items: map[string][][]int64{keyID: s.usageOf(c, plan, keyID, c.Time, c.Time)},
	}, nil
}
