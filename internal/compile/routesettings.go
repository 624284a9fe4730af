package compile

import (
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/plan"
)

// AWS's quota of an account in most regions, in requests a second. A limit that
// a stage leaves open is that of the account.
const (
	AccountRate  = 10_000
	AccountBurst = 5_000
)

// routeSettings are a stage's settings of routes: those of a route's own key,
// member by member, before the stage's defaults.
type routeSettings struct {
	defaults *apigatewayv2.RouteSettings
	byKey    map[string]apigatewayv2.RouteSettings
}

// detailed tells whether requests of a route are counted by route.
func (s routeSettings) detailed(key string) bool {
	return value(setting(s, key, func(r *apigatewayv2.RouteSettings) *bool { return r.DetailedMetricsEnabled }))
}

// logging tells how much of the requests of a WebSocket API's route is logged.
func (s routeSettings) logging(key string) plan.ExecutionLogging {
	log := plan.ExecutionLogging{Data: value(setting(s, key, func(r *apigatewayv2.RouteSettings) *bool { return r.DataTraceEnabled }))}
	switch value(setting(s, key, func(r *apigatewayv2.RouteSettings) *string { return r.LoggingLevel })) {
	case apigatewayv2.LoggingLevelError:
		log.Level = plan.LogError
	case apigatewayv2.LoggingLevelInfo:
		log.Level = plan.LogInfo
	}
	return log
}

// limit returns the throttle of a route; ok is false when it has none.
func (s routeSettings) limit(key string) (rate float64, burst int32, ok bool) {
	r := setting(s, key, func(r *apigatewayv2.RouteSettings) *float64 { return r.ThrottlingRateLimit })
	b := setting(s, key, func(r *apigatewayv2.RouteSettings) *int32 { return r.ThrottlingBurstLimit })
	if r == nil && b == nil {
		return 0, 0, false
	}
	rate, burst = AccountRate, AccountBurst
	if r != nil {
		rate = *r
	}
	if b != nil {
		burst = *b
	}
	return rate, burst, true
}

// setting returns a member of a route's settings, nil when neither the route
// nor the stage has it.
func setting[T any](s routeSettings, key string, member func(*apigatewayv2.RouteSettings) *T) *T {
	if own, ok := s.byKey[key]; ok {
		if v := member(&own); v != nil {
			return v
		}
	}
	if s.defaults == nil {
		return nil
	}
	return member(s.defaults)
}
