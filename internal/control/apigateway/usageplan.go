package apigateway

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// CreateUsagePlan makes a usage plan.
func (s *Service) CreateUsagePlan(c *awswire.Call, in *apigateway.CreateUsagePlanRequest) (*apigateway.UsagePlan, error) {
	plan := &definition.UsagePlan{}
	plan.Name, plan.Description = in.Name, nonEmpty(in.Description)
	plan.Throttle, plan.Quota = in.Throttle, in.Quota
	plan.Tags = maps.Clone(in.Tags)
	if plan.Quota != nil && *plan.Quota == (apigateway.QuotaSettings{}) {
		plan.Quota = nil
	}
	if plan.Throttle != nil && *plan.Throttle == (apigateway.ThrottleSettings{}) {
		plan.Throttle = nil
	}
	if err := checkPlan(plan); err != nil {
		return nil, err
	}
	datePlan(c, plan, nil)
	err := s.store.Update(c, func(tx *store.Tx) error {
		id, err := s.freeID(childIDLength, func(id string) (bool, error) { return definition.UsagePlans.Exists(tx, scope(c), id) })
		if err != nil {
			return err
		}
		plan.Id, plan.ApiStages = &id, nil
		for _, stage := range in.ApiStages {
			if err := addPlanStage(tx, c, plan, stage); err != nil {
				return err
			}
		}
		return definition.UsagePlans.Put(tx, scope(c), plan, id)
	})
	if err != nil {
		return nil, err
	}
	view := planView(plan)
	view.Tags = plan.Tags
	return view, nil
}

// checkPlan refuses what a plan can't be, and completes its quota.
// UNVERIFIED: the words of all of it.
func checkPlan(plan *definition.UsagePlan) error {
	if value(plan.Name) == "" {
		return badRequest("Usage Plan name cannot be blank")
	}
	if err := checkThrottle(plan.Throttle); err != nil {
		return err
	}
	for _, stage := range plan.ApiStages {
		for _, throttle := range stage.Throttle {
			if err := checkThrottle(&throttle); err != nil {
				return err
			}
		}
	}
	quota := plan.Quota
	if quota == nil {
		return nil
	}
	if quota.Limit == nil || quota.Period == nil {
		return badRequest("Usage Plan quota must have a limit and a period")
	}
	if *quota.Limit < 0 {
		return badRequest("Usage Plan quota limit must not be negative")
	}
	complete := *quota
	complete.Offset = orDefault(quota.Offset, 0)
	plan.Quota = &complete
	days := map[string]int32{apigateway.QuotaPeriodTypeDay: 1, apigateway.QuotaPeriodTypeWeek: 7, apigateway.QuotaPeriodTypeMonth: 28}
	most, ok := days[*quota.Period]
	if !ok {
		return badRequest("Invalid Usage Plan quota period specified: %s. Must be one of [DAY, WEEK, MONTH]", *quota.Period)
	}
	if offset := *complete.Offset; offset < 0 || offset >= most {
		return badRequest("Usage Plan quota offset must be between 0 and %d inclusive in the %s period", most-1, *quota.Period)
	}
	return nil
}

// datePlan notes when a plan's quota was given its period: the offset is for the
// first one. old is the plan as it was, nil for a new one.
func datePlan(c *awswire.Call, plan, old *definition.UsagePlan) {
	switch {
	case plan.Quota == nil:
		plan.QuotaSince = time.Time{}
	case old == nil || old.Quota == nil || value(old.Quota.Period) != value(plan.Quota.Period):
		plan.QuotaSince = *now(c)
	}
}

func checkThrottle(throttle *apigateway.ThrottleSettings) error {
	if throttle != nil && (value(throttle.RateLimit) < 0 || value(throttle.BurstLimit) < 0) {
		return badRequest("Usage Plan rate and burst limits must not be negative")
	}
	return nil
}

// addPlanStage adds a stage that is there to a plan that isn't in force for it.
func addPlanStage(tx *store.Tx, c *awswire.Call, plan *definition.UsagePlan, stage apigateway.ApiStage) error {
	apiID, name := value(stage.ApiId), value(stage.Stage)
	if known, err := isPlannable(tx, c, apiID, name); err != nil {
		return err
	} else if !known {
		return notFound("API Stage not found: %s:%s", apiID, name)
	}
	if planStage(plan, apiID, name) >= 0 {
		// UNVERIFIED: the words.
		return conflict("Usage Plan %s already has API Stage %s:%s", *plan.Id, apiID, name)
	}
	// A new list: the plan may share the old one with what is stored.
	plan.ApiStages = append(slices.Clip(plan.ApiStages), stage)
	return nil
}

// isPlannable tells whether plans may have a stage: one of a REST API or of a
// WebSocket API. HTTP APIs ask for no keys.
func isPlannable(tx *store.Tx, c *awswire.Call, apiID, name string) (bool, error) {
	if known, err := definition.RestStages.Exists(tx, scope(c), apiID, name); known || err != nil {
		return known, err
	}
	api, err := definition.APIs.Get(tx, scope(c), apiID)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil || value(api.ProtocolType) != apigatewayv2.ProtocolTypeWebsocket {
		return false, err
	}
	return definition.Stages.Exists(tx, scope(c), apiID, name)
}

// planStage is the place of a stage among those of a plan, -1 if it isn't there.
func planStage(plan *definition.UsagePlan, apiID, name string) int {
	return slices.IndexFunc(plan.ApiStages, func(s apigateway.ApiStage) bool {
		return value(s.ApiId) == apiID && value(s.Stage) == name
	})
}

// GetUsagePlan returns one plan.
func (s *Service) GetUsagePlan(c *awswire.Call, in *apigateway.GetUsagePlanRequest) (*apigateway.UsagePlan, error) {
	var plan *definition.UsagePlan
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		plan, err = getPlan(tx, c, value(in.UsagePlanId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return taggedPlanView(plan), nil
}

// GetUsagePlans lists the plans of the account and region, or those that a key
// is in.
func (s *Service) GetUsagePlans(c *awswire.Call, in *apigateway.GetUsagePlansRequest) (*apigateway.UsagePlans, error) {
	out := &apigateway.UsagePlans{}
	err := s.store.View(c, func(tx *store.Tx) error {
		var failed error
		keep := func(plan *definition.UsagePlan) bool {
			if value(in.KeyId) == "" {
				return true
			}
			in, err := definition.UsagePlanKeys.Exists(tx, scope(c), *plan.Id, *in.KeyId)
			if err != nil {
				failed = err
			}
			return in
		}
		var err error
		out.Items, out.Position, err = listWhere(tx, scope(c), definition.UsagePlans, pageRequest{in.Limit, in.Position}, keep,
			func(e store.Entry[definition.UsagePlan]) apigateway.UsagePlan { return *planView(e.Doc) })
		if failed != nil {
			return failed
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// A plan's patch may name stages, which are looked up.
type planPatch struct {
	definition.UsagePlan
	add func(stage apigateway.ApiStage) error
}

var planRules = patchRules[planPatch]{refuse: refusePlan, rules: []patchRule[planPatch]{
	{path: "/apiStages", ops: opAdd | opRemove, set: editPlanStages},
	{path: "/quota", ops: opRemove},
	{path: "/throttle", ops: opRemove},
	{path: "/productCode", ops: opEdit},
	{path: "/apiStages/{stage}/throttle/{method+}/rateLimit", ops: opAdd | opReplace, set: func(p *planPatch, o patchOp) error {
		return editStageThrottle(p, o, "/rateLimit")
	}},
	{path: "/apiStages/{stage}/throttle/{method+}/burstLimit", ops: opAdd | opReplace, set: func(p *planPatch, o patchOp) error {
		return editStageThrottle(p, o, "/burstLimit")
	}},
	{path: "/apiStages/{stage}/throttle/{method+}", ops: opRemove, set: func(p *planPatch, o patchOp) error {
		return editPlanStage(p, o.Args[0], func(stage *apigateway.ApiStage) error {
			stage.Throttle = maps.Clone(stage.Throttle)
			delete(stage.Throttle, o.Args[1])
			return nil
		})
	}},
	{path: "/apiStages/{stage}/throttle", ops: opRemove | opReplace, set: func(p *planPatch, o patchOp) error {
		return editPlanStage(p, o.Args[0], func(stage *apigateway.ApiStage) error {
			stage.Throttle = nil
			if o.Op == apigateway.OpRemove {
				return nil
			}
			// UNVERIFIED: the words.
			if err := json.Unmarshal([]byte(value(o.Value)), &stage.Throttle); err != nil {
				return badRequest("Invalid value '%s' specified for patch path '%s'", value(o.Value), o.Path)
			}
			return nil
		})
	}},
	{path: "/name", ops: opReplace},
	{path: "/description", ops: opReplace},
	{path: "/quota/limit", ops: opAdd | opReplace},
	{path: "/quota/offset", ops: opAdd | opReplace},
	{path: "/quota/period", ops: opAdd | opReplace},
	{path: "/throttle/rateLimit", ops: opAdd | opReplace},
	{path: "/throttle/burstLimit", ops: opAdd | opReplace},
}}

// refusePlan names paths as AWS does.
// UNVERIFIED: the lists other than that of remove.
func refusePlan(r refused) error {
	for i, path := range r.paths {
		path = strings.ReplaceAll(path, "{stage}", "<apidId:stageName>")
		r.paths[i] = strings.ReplaceAll(path, "{method+}", "<resourcePath>/<httpMethod>")
	}
	return refuseListing(r)
}

// throttleRules patch the throttle of one method of a stage.
var throttleRules = patchRules[apigateway.ThrottleSettings]{refuse: refuseListing, rules: []patchRule[apigateway.ThrottleSettings]{
	{path: "/rateLimit", ops: opAdd | opReplace},
	{path: "/burstLimit", ops: opAdd | opReplace},
}}

// splitStage cuts api:stage.
func splitStage(text string) (apiID, name string, err error) {
	apiID, name, ok := strings.Cut(text, ":")
	if !ok || apiID == "" || name == "" {
		return "", "", badRequest("Invalid API Stage specified")
	}
	return apiID, name, nil
}

func editPlanStages(p *planPatch, o patchOp) error {
	apiID, name, err := splitStage(value(o.Value))
	if err != nil {
		return err
	}
	if o.Op == apigateway.OpAdd {
		return p.add(apigateway.ApiStage{ApiId: &apiID, Stage: &name})
	}
	i := planStage(&p.UsagePlan, apiID, name)
	if i < 0 {
		return noPlanStage(p, apiID, name)
	}
	p.ApiStages = slices.Delete(slices.Clone(p.ApiStages), i, i+1)
	return nil
}

func noPlanStage(p *planPatch, apiID, name string) error {
	return notFound("Invalid API Stage {api: %s, stage: %s} specified for usageplan %s", apiID, name, *p.Id)
}

// editPlanStage changes what a plan has about one of its stages.
func editPlanStage(p *planPatch, stage string, change func(*apigateway.ApiStage) error) error {
	apiID, name, err := splitStage(stage)
	if err != nil {
		return err
	}
	i := planStage(&p.UsagePlan, apiID, name)
	if i < 0 {
		return noPlanStage(p, apiID, name)
	}
	p.ApiStages = slices.Clone(p.ApiStages)
	if err := change(&p.ApiStages[i]); err != nil {
		return err
	}
	if len(p.ApiStages[i].Throttle) == 0 {
		p.ApiStages[i].Throttle = nil
	}
	return nil
}

// editStageThrottle sets a limit of one method of a stage, which is named by
// its resource's path and its verb, as in /pets/GET.
func editStageThrottle(p *planPatch, o patchOp, limit string) error {
	return editPlanStage(p, o.Args[0], func(stage *apigateway.ApiStage) error {
		method := o.Args[1]
		throttle := stage.Throttle[method]
		if err := throttleRules.apply(&throttle, []apigateway.PatchOperation{{Op: &o.Op, Path: &limit, Value: o.Value}}); err != nil {
			return err
		}
		throttles := maps.Clone(stage.Throttle)
		if throttles == nil {
			throttles = map[string]apigateway.ThrottleSettings{}
		}
		throttles[method] = throttle
		stage.Throttle = throttles
		return nil
	})
}

// UpdateUsagePlan patches a plan.
func (s *Service) UpdateUsagePlan(c *awswire.Call, in *apigateway.UpdateUsagePlanRequest) (*apigateway.UsagePlan, error) {
	var plan *definition.UsagePlan
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		id := value(in.UsagePlanId)
		if plan, err = getPlan(tx, c, id); err != nil {
			return err
		}
		patched := planPatch{UsagePlan: *plan}
		patched.add = func(stage apigateway.ApiStage) error { return addPlanStage(tx, c, &patched.UsagePlan, stage) }
		if err := planRules.apply(&patched, in.PatchOperations); err != nil {
			return err
		}
		if err := checkPlan(&patched.UsagePlan); err != nil {
			return err
		}
		datePlan(c, &patched.UsagePlan, plan)
		plan = &patched.UsagePlan
		if err := definition.UsagePlans.Put(tx, scope(c), plan, id); err != nil {
			return err
		}
		return checkPlanKeys(tx, c, plan)
	})
	if err != nil {
		return nil, err
	}
	return taggedPlanView(plan), nil
}

// DeleteUsagePlan removes a plan that covers no stage; its keys stay.
func (s *Service) DeleteUsagePlan(c *awswire.Call, in *apigateway.DeleteUsagePlanRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		id := value(in.UsagePlanId)
		plan, err := getPlan(tx, c, id)
		if err != nil {
			return err
		}
		if len(plan.ApiStages) > 0 {
			stage := plan.ApiStages[0]
			return badRequest("Cannot delete Usage Plan %s because there are API Stages associated with it, including %s:%s", id, value(stage.ApiId), value(stage.Stage))
		}
		if _, err := definition.UsagePlanKeys.DeleteAll(tx, scope(c), id); err != nil {
			return err
		}
		return definition.UsagePlans.Delete(tx, scope(c), id)
	})
}

func getPlan(tx *store.Tx, c *awswire.Call, id string) (*definition.UsagePlan, error) {
	plan, err := definition.UsagePlans.Get(tx, scope(c), id)
	return plan, missing(err, "Invalid Usage Plan ID specified")
}

// planView is the shape as lists carry it.
func planView(plan *definition.UsagePlan) *apigateway.UsagePlan {
	view := plan.UsagePlan
	view.Tags = nil
	if view.ApiStages == nil {
		view.ApiStages = []apigateway.ApiStage{}
	}
	return &view
}

// taggedPlanView is the shape as answers about one plan carry it.
func taggedPlanView(plan *definition.UsagePlan) *apigateway.UsagePlan {
	view := planView(plan)
	view.Tags = tagsView(plan.Tags)
	return view
}

// tagsView is a map even where nothing is tagged.
func tagsView(tags map[string]string) map[string]string {
	if tags == nil {
		return map[string]string{}
	}
	return tags
}
