package serve

import "gatehouse/internal/plan"

// isHealthCheck tells whether a request is one of AWS's health checks of a custom
// domain name, which never reach an API. HTTP APIs have no such paths.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
func isHealthCheck(x *plan.Exchange) bool {
	if x.Domain == nil || x.Request.Path != "/ping" && x.Request.Path != "/sping" {
		return false
	}
	return x.API.Protocol == plan.REST || x.API.Protocol == plan.WebSocket
}

// answerHealthCheck answers one. It belongs to no stage, so that nothing counts or
// logs it.
// UNVERIFIED: the answer.
func answerHealthCheck(x *plan.Exchange) {
	x.Stage = nil
	x.Response = plan.Response{Status: 200, Headers: x.Response.Headers[:0], Body: []byte("healthy")}
	x.Response.Add("Content-Type", "text/plain")
}
