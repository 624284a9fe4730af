package authorize

import "gatehouse/internal/plan"

// apiKeyHeader is where clients put their API key.
const apiKeyHeader = "x-api-key"

// APIKeys finds API keys. It must not block, and must take as long for a key
// that is nearly right as for any other.
type APIKeys interface {
	// Key returns the id of the enabled key with a value whose usage plans have
	// the stage.
	Key(apiID, stage, value string) (keyID string, ok bool)
}

// APIKey checks the API key that a request brings in the header x-api-key.
type APIKey struct {
	Keys         APIKeys
	APIID, Stage string
}

// CheckAPIKey implements plan.APIKeyCheck. A key that is missing, unknown,
// disabled or without a usage plan for the stage is one refusal.
func (a *APIKey) CheckAPIKey(x *plan.Exchange) error {
	value := x.Request.Headers.Get(apiKeyHeader)
	if value == "" {
		return &plan.Fault{Kind: plan.InvalidAPIKey, Reason: "the request has no header x-api-key"}
	}
	x.APIKey = value
	id, ok := a.Keys.Key(a.APIID, a.Stage, value)
	if !ok {
		return &plan.Fault{Kind: plan.InvalidAPIKey, Reason: "no enabled API key with this value is in a usage plan of the stage"}
	}
	x.APIKeyID = id
	return nil
}
