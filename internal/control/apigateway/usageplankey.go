package apigateway

import (
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// apiKeyType is the one type of key that a plan can have.
const apiKeyType = "API_KEY"

// CreateUsagePlanKey puts an API key into a usage plan.
func (s *Service) CreateUsagePlanKey(c *awswire.Call, in *apigateway.CreateUsagePlanKeyRequest) (*apigateway.UsagePlanKey, error) {
	if value(in.KeyType) != apiKeyType {
		// UNVERIFIED: the words.
		return nil, badRequest("Invalid Usage Plan Key type specified: %s. Must be one of [%s]", value(in.KeyType), apiKeyType)
	}
	var key *definition.APIKey
	err := s.store.Update(c, func(tx *store.Tx) error {
		plan, err := getPlan(tx, c, value(in.UsagePlanId))
		if err != nil {
			return err
		}
		if key, err = getKey(tx, c, value(in.KeyId)); err != nil {
			return err
		}
		if used, err := definition.UsagePlanKeys.Exists(tx, scope(c), *plan.Id, *key.Id); err != nil {
			return err
		} else if used {
			// UNVERIFIED: the words.
			return conflict("API Key %s is already in Usage Plan %s", *key.Id, *plan.Id)
		}
		if err := checkPlanKey(tx, c, plan, *key.Id); err != nil {
			return err
		}
		return putPlanKey(tx, c, *plan.Id, *key.Id)
	})
	if err != nil {
		return nil, err
	}
	return planKeyView(key), nil
}

func putPlanKey(tx *store.Tx, c *awswire.Call, planID, keyID string) error {
	return definition.UsagePlanKeys.Put(tx, scope(c), &definition.Reference{ID: keyID}, planID, keyID)
}

// plansOfKey lists the plans that a key is in.
func plansOfKey(tx *store.Tx, c *awswire.Call, keyID string) ([]*definition.UsagePlan, error) {
	var plans []*definition.UsagePlan
	for e, err := range definition.UsagePlans.All(tx, scope(c)) {
		if err != nil {
			return nil, err
		}
		if in, err := definition.UsagePlanKeys.Exists(tx, scope(c), *e.Doc.Id, keyID); err != nil {
			return nil, err
		} else if in {
			plans = append(plans, e.Doc)
		}
	}
	return plans, nil
}

// checkPlanKey refuses a key that is in another plan of one of the plan's
// stages: a request has one plan.
func checkPlanKey(tx *store.Tx, c *awswire.Call, plan *definition.UsagePlan, keyID string) error {
	if len(plan.ApiStages) == 0 {
		return nil
	}
	plans, err := plansOfKey(tx, c, keyID)
	if err != nil {
		return err
	}
	for _, other := range plans {
		if *other.Id == *plan.Id {
			continue
		}
		if shared := sharedStage(plan, other); shared != "" {
			return planConflict(keyID, *plan.Id, shared)
		}
	}
	return nil
}

// checkPlanKeys is checkPlanKey for all keys of a plan.
func checkPlanKeys(tx *store.Tx, c *awswire.Call, plan *definition.UsagePlan) error {
	for e, err := range definition.UsagePlanKeys.All(tx, scope(c), *plan.Id) {
		if err != nil {
			return err
		}
		if err := checkPlanKey(tx, c, plan, e.ID[1]); err != nil {
			return err
		}
	}
	return nil
}

// UNVERIFIED: the words.
func planConflict(key, planID, stage string) error {
	return conflict("API Key %s cannot be in Usage Plan %s because it is in another Usage Plan of API Stage %s", key, planID, stage)
}

// sharedStage is a stage that both plans cover, as api:stage; "" is none.
func sharedStage(a, b *definition.UsagePlan) string {
	for _, stage := range a.ApiStages {
		if apiID, name := value(stage.ApiId), value(stage.Stage); planStage(b, apiID, name) >= 0 {
			return apiID + ":" + name
		}
	}
	return ""
}

// GetUsagePlanKey returns a key of a plan.
func (s *Service) GetUsagePlanKey(c *awswire.Call, in *apigateway.GetUsagePlanKeyRequest) (*apigateway.UsagePlanKey, error) {
	var key *definition.APIKey
	err := s.store.View(c, func(tx *store.Tx) error {
		if err := checkInPlan(tx, c, value(in.UsagePlanId), value(in.KeyId)); err != nil {
			return err
		}
		var err error
		key, err = getKey(tx, c, value(in.KeyId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return planKeyView(key), nil
}

// checkInPlan refuses a plan that isn't there and a key that isn't in it.
func checkInPlan(tx *store.Tx, c *awswire.Call, planID, keyID string) error {
	if _, err := getPlan(tx, c, planID); err != nil {
		return err
	}
	if in, err := definition.UsagePlanKeys.Exists(tx, scope(c), planID, keyID); err != nil || in {
		return err
	}
	// UNVERIFIED: the words.
	return notFound("Invalid Usage Plan Key identifier specified")
}

// GetUsagePlanKeys lists the keys of a plan. A plan that isn't there has none.
func (s *Service) GetUsagePlanKeys(c *awswire.Call, in *apigateway.GetUsagePlanKeysRequest) (*apigateway.UsagePlanKeys, error) {
	out := &apigateway.UsagePlanKeys{}
	err := s.store.View(c, func(tx *store.Tx) error {
		var failed error
		var key *definition.APIKey // that keep was asked about last
		keep := func(ref *definition.Reference) bool {
			var err error
			if key, err = getKey(tx, c, ref.ID); err != nil {
				failed = err
				return false
			}
			return strings.HasPrefix(value(key.Name), value(in.NameQuery))
		}
		var err error
		out.Items, out.Position, err = listWhere(tx, scope(c), definition.UsagePlanKeys, pageRequest{in.Limit, in.Position}, keep,
			func(store.Entry[definition.Reference]) apigateway.UsagePlanKey { return *planKeyView(key) }, value(in.UsagePlanId))
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

// DeleteUsagePlanKey takes a key out of a plan. What it used stays counted: a
// key that comes back in the same period has what it left.
// UNVERIFIED: that leaving and coming back isn't a way to a new quota.
func (s *Service) DeleteUsagePlanKey(c *awswire.Call, in *apigateway.DeleteUsagePlanKeyRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		planID, keyID := value(in.UsagePlanId), value(in.KeyId)
		if err := checkInPlan(tx, c, planID, keyID); err != nil {
			return err
		}
		return definition.UsagePlanKeys.Delete(tx, scope(c), planID, keyID)
	})
}

func planKeyView(key *definition.APIKey) *apigateway.UsagePlanKey {
	return &apigateway.UsagePlanKey{Id: key.Id, Name: key.Name, Type: new(apiKeyType), Value: key.Value}
}
