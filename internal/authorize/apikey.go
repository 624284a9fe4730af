package authorize

import "gatehouse/internal/plan"

// apiKeyHeader is where clients put their API key.
const apiKeyHeader = "x-api-key"

// A KeySource says where the API key of a request is.
type KeySource uint8

const (
	// KeyInHeader is the header x-api-key.
	KeyInHeader KeySource = iota
	// KeyFromAuthorizer is what a function answered as usageIdentifierKey. What a
	// client sends is no key then.
	KeyFromAuthorizer
)

// APIKeys finds API keys. It must not block, and must take as long for a key
// that is nearly right as for any other.
type APIKeys interface {
	// Client returns whose the enabled key with a value is, in the usage plan that
	// has the stage; nil without one.
	Client(apiID, stage, value string) *plan.Client
}

// APIKey checks the API key of a request.
type APIKey struct {
	Keys         APIKeys
	APIID, Stage string
	Source       KeySource
}

// CheckAPIKey implements plan.APIKeyCheck. A key that is missing, unknown,
// disabled or without a usage plan for the stage is one refusal.
func (a *APIKey) CheckAPIKey(x *plan.Exchange) error {
	// More than one are none: the backend could take the other one for its caller's.
	// UNVERIFIED: that AWS doesn't look at one of them.
	value, missing := tokenSource{header: apiKeyHeader}.readHeader(x), "the request has no header x-api-key"
	if a.Source == KeyFromAuthorizer {
		value, missing = "", "the authorizer answered no usageIdentifierKey"
		if x.Authorization != nil {
			value = x.Authorization.UsageIdentifierKey
		}
	}
	if value == "" {
		return &plan.Fault{Kind: plan.InvalidAPIKey, Reason: missing}
	}
	x.APIKey = value
	client := a.Keys.Client(a.APIID, a.Stage, value)
	if client == nil {
		return &plan.Fault{Kind: plan.InvalidAPIKey, Reason: "no enabled API key with this value is in a usage plan of the stage"}
	}
	x.APIKeyID, x.Client = client.KeyID, client
	return nil
}
