package authorize

import (
	"errors"
	"testing"

	"gatehouse/internal/plan"
)

type fakeKeys map[string]string

func (f fakeKeys) Client(apiID, stage, value string) *plan.Client {
	if id, ok := f[apiID+"/"+stage+"/"+value]; ok {
		return &plan.Client{KeyID: id}
	}
	return nil
}

func TestAPIKey(t *testing.T) {
	keys := fakeKeys{"api/dev/secret": "key1", "api/dev/other": "key2"}
	answered := func(key string) *plan.Authorization { return &plan.Authorization{UsageIdentifierKey: key} }
	header := plan.Headers{{Name: "X-API-Key", Value: "secret"}}
	for _, test := range []struct {
		name          string
		source        KeySource
		headers       plan.Headers
		authorization *plan.Authorization
		id            string
	}{
		{"right", KeyInHeader, header, nil, "key1"},
		{"wrong", KeyInHeader, plan.Headers{{Name: "x-api-key", Value: "Secret"}}, nil, ""},
		{"empty", KeyInHeader, plan.Headers{{Name: "x-api-key", Value: ""}}, nil, ""},
		{"two", KeyInHeader, plan.Headers{header[0], {Name: "x-api-key", Value: "other"}}, nil, ""},
		{"one twice", KeyInHeader, plan.Headers{header[0], header[0]}, nil, ""},
		{"missing", KeyInHeader, nil, nil, ""},
		{"only an authorizer's", KeyInHeader, nil, answered("other"), ""},
		{"an authorizer's as well", KeyInHeader, header, answered("other"), "key1"},
		{"an authorizer's", KeyFromAuthorizer, nil, answered("other"), "key2"},
		{"an authorizer's, not the client's", KeyFromAuthorizer, header, answered("other"), "key2"},
		{"an authorizer's that is unknown", KeyFromAuthorizer, header, answered("nothing"), ""},
		{"an authorizer without one", KeyFromAuthorizer, header, answered(""), ""},
		{"no authorizer", KeyFromAuthorizer, header, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			check := &APIKey{Keys: keys, APIID: "api", Stage: "dev", Source: test.source}
			x := &plan.Exchange{Request: plan.Request{Headers: test.headers}, Authorization: test.authorization}
			err := check.CheckAPIKey(x)
			var fault *plan.Fault
			if errors.As(err, &fault) == (test.id != "") || fault != nil && fault.Kind != plan.InvalidAPIKey || x.APIKeyID != test.id || (x.Client != nil) != (test.id != "") {
				t.Errorf("%v, key %q", err, x.APIKeyID)
			}
		})
	}
}
