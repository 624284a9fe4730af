package authorize

import (
	"errors"
	"testing"

	"gatehouse/internal/plan"
)

type fakeKeys map[string]string

func (f fakeKeys) Key(apiID, stage, value string) (string, bool) {
	id, ok := f[apiID+"/"+stage+"/"+value]
	return id, ok
}

func TestAPIKey(t *testing.T) {
	check := &APIKey{Keys: fakeKeys{"api/dev/secret": "key1"}, APIID: "api", Stage: "dev"}
	for _, test := range []struct {
		name    string
		headers plan.Headers
		id      string
	}{
		{"right", plan.Headers{{Name: "X-API-Key", Value: "secret"}}, "key1"},
		{"wrong", plan.Headers{{Name: "x-api-key", Value: "Secret"}}, ""},
		{"empty", plan.Headers{{Name: "x-api-key", Value: ""}}, ""},
		{"missing", nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := &plan.Exchange{Request: plan.Request{Headers: test.headers}}
			err := check.CheckAPIKey(x)
			var fault *plan.Fault
			if errors.As(err, &fault) == (test.id != "") || fault != nil && fault.Kind != plan.InvalidAPIKey || x.APIKeyID != test.id {
				t.Errorf("%v, key %q", err, x.APIKeyID)
			}
		})
	}
}
