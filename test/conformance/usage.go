package conformance

import (
	"context"
	"fmt"
	"maps"
)

// An APIKey is an API key and the usage plans that it is in.
type APIKey struct {
	// Members are those of CreateApiKey; it is enabled unless they say otherwise.
	Members Members `yaml:",inline"`
	// Plans are names of usage plans.
	Plans []string `yaml:"plans"`
}

// A madeKey is an API key that has been made.
type madeKey struct{ id, value string }

// makePlan makes a usage plan and returns its id.
func (s *scene) makePlan(name string) (string, error) {
	ctx := context.Background()
	with, err := expandMembers(s.setup.UsagePlans[name], s.lookup)
	if err != nil {
		return "", err
	}
	all := Members{"name": s.world.unique()}
	maps.Copy(all, with)
	var made struct {
		ID        string
		APIStages []struct{ APIID, Stage string }
	}
	if err := s.world.make(ctx, "apigateway:CreateUsagePlan", all, &made); err != nil {
		return "", err
	}
	s.world.laterPlan(made.ID)
	for _, stage := range made.APIStages {
		s.world.laterStage(made.ID, stage.APIID, stage.Stage)
	}
	return made.ID, nil
}

// laterPlan removes a usage plan at the end, laterStage a stage from it, without
// which it can't be.
func (w *World) laterPlan(id string) {
	w.later("apigateway:DeleteUsagePlan", Members{"usagePlanId": id})
}

func (w *World) laterStage(plan, api, stage string) {
	leave := Members{"op": "remove", "path": "/apiStages", "value": api + ":" + stage}
	w.later("apigateway:UpdateUsagePlan", Members{"usagePlanId": plan, "patchOperations": []any{leave}})
}

// makeKey makes an API key and puts it into its plans.
func (s *scene) makeKey(name string) (*madeKey, error) {
	ctx := context.Background()
	spec := s.setup.APIKeys[name]
	with, err := expandMembers(spec.Members, s.lookup)
	if err != nil {
		return nil, err
	}
	all := Members{"name": s.world.unique(), "enabled": true}
	maps.Copy(all, with)
	var made struct{ ID, Value string }
	if err := s.world.make(ctx, "apigateway:CreateApiKey", all, &made); err != nil {
		return nil, err
	}
	s.world.later("apigateway:DeleteApiKey", Members{"apiKey": made.ID})
	for _, plan := range spec.Plans {
		id, err := produce("usagePlans."+plan, s.lookup)
		if err != nil {
			return nil, fmt.Errorf("the plan of key %s: %w", name, err)
		}
		if err := s.world.make(ctx, "apigateway:CreateUsagePlanKey", Members{"usagePlanId": id, "keyId": made.ID, "keyType": "API_KEY"}, nil); err != nil {
			return nil, err
		}
	}
	return &madeKey{id: made.ID, value: made.Value}, nil
}
