package main

import (
	"time"

	"gatehouse/internal/compile"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
	"gatehouse/internal/throttle"
)

// newKeyDirectory makes the directory of API keys, whose clients are limited by
// buckets and counted by a ledger.
func newKeyDirectory(buckets *throttle.Buckets, ledger *throttle.Ledger) *compile.KeyDirectory {
	return compile.NewKeyDirectory(compile.KeyDirectoryOptions{
		Limit: func(c compile.KeyInPlan, rate float64, burst int32) plan.Limiter {
			return buckets.Client(throttle.ClientID(c), rate, burst)
		},
		MethodLimit: func(c compile.KeyInPlan, apiID, stage string, method plan.MethodRef, rate float64, burst int32) plan.Limiter {
			return buckets.ClientMethod(throttle.ClientID(c), apiID, stage, method.Method+" "+method.Path, rate, burst)
		},
		Quota: func(c compile.KeyInPlan, q compile.Quota) plan.Quota {
			return ledger.Quota(throttle.ClientID(c), quotaSettings(q))
		},
	})
}

func quotaSettings(q compile.Quota) throttle.QuotaSettings {
	return throttle.QuotaSettings{
		Limit: int64(q.Limit), Period: throttle.ParsePeriod(q.Period), Offset: int64(q.Offset), Since: q.Since,
	}
}

// usage is how management learns of the ledger's counts and changes them.
type usage struct{ ledger *throttle.Ledger }

// Days implements apigateway.Usage.
func (u usage) Days(s store.Scope, p *definition.UsagePlan, keyID string, first, last, now time.Time) [][2]int64 {
	return u.ledger.Usage(clientID(s, p, keyID), quotaSettings(compile.QuotaOf(p)), first, last, now)
}

// SetRemaining implements apigateway.Usage.
func (u usage) SetRemaining(s store.Scope, p *definition.UsagePlan, keyID string, n int64, now time.Time) error {
	return u.ledger.SetRemaining(clientID(s, p, keyID), quotaSettings(compile.QuotaOf(p)), n, now)
}

func clientID(s store.Scope, p *definition.UsagePlan, keyID string) throttle.ClientID {
	return throttle.ClientID{Account: s.Account, Region: s.Region, PlanID: *p.Id, KeyID: keyID}
}
