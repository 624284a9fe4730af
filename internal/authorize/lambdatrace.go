package authorize

import (
	"encoding/json"
	"strings"

	"gatehouse/internal/plan"
)

// What execution logs tell of Lambda authorizers.

func (l *Lambda) traceStart(x *plan.Exchange) {
	if x.Trace.WantsInfo() {
		x.Trace.Info("Starting authorizer: %s for request: %s", l.ID, x.RequestID)
	}
}

// traceIdentity tells what callers are told apart by, masked.
func (l *Lambda) traceIdentity(x *plan.Exchange) {
	if l.Kind == RESTToken {
		x.Trace.Info("Incoming identity: %s", plan.Masked(l.sources[0].value(x)))
		return
	}
	var b strings.Builder
	for i := range l.sources {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(l.sources[i].label + "=" + plan.Masked(l.sources[i].value(x)))
	}
	x.Trace.Info("Incoming identity: {%s}", b.String())
}

// traceCall tells of the call that is about to be made. The identity is masked
// in the event, too.
func (l *Lambda) traceCall(x *plan.Exchange, event []byte) {
	t := x.Trace
	if !t.WantsInfo() {
		return
	}
	t.Info("Endpoint request URI: %s", l.URI)
	if t.WantsData() {
		api := x.Stage.API.ID
		t.DataHeaders("Endpoint request headers", plan.Headers{
			{Name: "x-amzn-lambda-integration-tag", Value: x.RequestID},
			{Name: "x-amzn-apigateway-api-id", Value: api},
			{Name: "X-Amz-Source-Arn", Value: l.arn},
			{Name: "Accept", Value: "application/json"},
			{Name: "User-Agent", Value: "AmazonAPIGateway_" + api},
			{Name: "Content-Type", Value: "application/json"},
		})
		t.DataBody("Endpoint request body after transformations", l.maskedEvent(x, event))
	}
	t.Info("Sending request to %s", l.URI)
}

// maskedEvent is an event without what callers prove who they are with.
func (l *Lambda) maskedEvent(x *plan.Exchange, event []byte) []byte {
	text := string(event)
	for i := range l.sources {
		s := &l.sources[i]
		if s.kind != fromHeader && s.kind != fromQuery {
			continue
		}
		text = masked(text, s.value(x))
	}
	return []byte(text)
}

// traceResult tells of the answer to a call. An API key in it is masked.
func (l *Lambda) traceResult(x *plan.Exchange, o *outcome) {
	if !x.Trace.WantsData() || o.result == nil {
		return
	}
	text := string(o.result)
	if o.verdict != nil {
		text = masked(text, o.verdict.authorization.UsageIdentifierKey)
	}
	x.Trace.DataBody("Authorizer result body before parsing", []byte(text))
}

// masked masks a secret wherever it stands as a string of JSON.
func masked(text, secret string) string {
	quoted, err := json.Marshal(secret)
	if err != nil || secret == "" {
		return text
	}
	return strings.ReplaceAll(text, string(quoted), `"`+plan.Masked(secret)+`"`)
}

func (l *Lambda) tracePolicy(x *plan.Exchange, v *verdict) {
	if x.Trace.WantsInfo() {
		x.Trace.Info("Using valid authorizer policy for principal: %s", plan.Masked(v.authorization.PrincipalID))
	}
}

func (l *Lambda) traceEnd(x *plan.Exchange) {
	if x.Trace.WantsInfo() {
		x.Trace.Info("Successfully completed authorizer execution")
	}
}
