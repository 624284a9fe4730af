package integrate

import (
	"gatehouse/internal/lambdaevent"
	"gatehouse/internal/plan"
)

// A lambdaSocket is an AWS_PROXY integration of a WebSocket API with a function.
//
// Its faults are those of a REST API, and their kinds say what becomes of the
// event: a handshake is refused with 502 for FunctionFailure (the function
// failed or answered nonsense) and IntegrationTimeout and with 500 for the rest,
// a message is answered with the error frame of "Internal server error", or of
// "Endpoint request timed out", on one-way routes, too.
type lambdaSocket struct{ restLambda }

// Integrate calls the function with the event of the exchange. The status of the
// reply means something on a handshake only, and its body on two-way routes.
func (l *lambdaSocket) Integrate(x *plan.Exchange) error {
	result, err := l.call(x, l.payload(x, lambdaevent.WebSocket))
	if err != nil {
		return err
	}
	if result.FunctionError != "" {
		return l.functionFailed(x, result)
	}
	if err := lambdaevent.WebSocketReply(result.Payload, x); err != nil {
		return l.malformed(x, err)
	}
	x.Integration.FunctionStatus = x.Response.Status
	return nil
}
