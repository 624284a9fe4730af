package authorize

import (
	"testing"

	"gatehouse/internal/plan"
)

func TestResource(t *testing.T) {
	for _, test := range []struct {
		name, method, path string
		protocol           plan.Protocol
		want               string
	}{
		{"plain", "GET", "/pets/1", plan.HTTP, "GET/pets/1"},
		{"root", "GET", "/", plan.REST, "GET/"},
		{"slash at the end", "GET", "/pets/", plan.HTTP, "GET/pets/"},
		{"slash at the end of a REST API's", "GET", "/pets//", plan.REST, "GET/pets"},
		{"escaped letters", "GET", "/%61dmin", plan.REST, "GET/admin"},
		{"escaped slash", "POST", "/pets%2Fadmin", plan.HTTP, "POST/pets/admin"},
		{"escaped slash of a REST API's", "POST", "/pets%2fadmin", plan.REST, "POST/pets%2Fadmin"},
		{"escaped once only, of a REST API's", "GET", "/%252F%2561", plan.REST, "GET/%2F%61"},
		{"no escapes", "GET", "/%/%2/%%2f/%zz", plan.REST, "GET/%/%2/%%2F/%zz"},
		{"escaped once only", "GET", "/%2561", plan.HTTP, "GET/%61"},
		{"route of a WebSocket API", "GET", "/", plan.WebSocket, "$connect"},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := &plan.Exchange{
				Request:   plan.Request{Method: test.method},
				Stage:     &plan.Stage{API: &plan.API{ID: "abc", AccountID: "123456789012", Region: "eu-west-1", Protocol: test.protocol}, Name: "dev"},
				Route:     &plan.Route{Key: "$connect"},
				StagePath: test.path,
			}
			want := "arn:aws:execute-api:eu-west-1:123456789012:abc/dev/" + test.want
			if got := Resource(x); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

// What a backend may take for another path has to be allowed as that one, too.
func TestBackendResource(t *testing.T) {
	for path, want := range map[string]string{
		"/public/x":         "",
		"/public/../admin":  "GET/admin",
		"/public/..;/admin": "GET/admin",
		"/public/..;v=1/x":  "GET/x",
		"/public/%2e%2e;/x": "GET/x",
		"/public/.;/x":      "GET/public/x",
		`/public\..\admin`:  "GET/admin",
		"/public//x":        "GET/public/x",
		"/public/a;v=1/x":   "",
		"/public/..a;/x":    "",
	} {
		x := &plan.Exchange{
			Request:   plan.Request{Method: "GET"},
			Stage:     &plan.Stage{API: &plan.API{ID: "abc", AccountID: "123456789012", Region: "eu-west-1", Protocol: plan.REST}, Name: "dev"},
			StagePath: path,
		}
		if want != "" {
			want = "arn:aws:execute-api:eu-west-1:123456789012:abc/dev/" + want
		}
		if got := backendResource(x); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}
