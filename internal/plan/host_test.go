package plan

import (
	"errors"
	"testing"
)

func testAPI(id string, stages ...string) *API {
	api := &API{ID: id, Protocol: HTTP, Stages: map[string]*Stage{}}
	for _, name := range stages {
		api.Stages[name] = &Stage{API: api, Name: name}
	}
	return api
}

func TestPlace(t *testing.T) {
	disabled := testAPI("closed", DefaultStage)
	disabled.Stages[DefaultStage].DisableExecuteAPIEndpoint = true
	p := (*Plan)(nil).
		With(testAPI("both", DefaultStage, "test")).
		With(testAPI("named", "dev_1")).
		With(disabled)
	const host = ".execute-api.localhost:4566"
	tests := []struct {
		name, host, path string
		traffic          bool
		stage            string // "" for a fault
		stagePath        string
		gatewayPath      string
	}{
		{"default stage", "both" + host, "/pets/1", true, "$default", "/pets/1", "/pets/1"},
		{"named stage", "both" + host, "/test/x", true, "test", "/x", "/test/x"},
		{"named stage, no slash", "both" + host, "/test", true, "test", "/", "/test"},
		{"named stage, slash", "both" + host, "/test/", true, "test", "/", "/test/"},
		{"longer than a stage", "both" + host, "/testing", true, "$default", "/testing", "/testing"},
		{"case of stages matters", "both" + host, "/Test/x", true, "$default", "/Test/x", "/Test/x"},
		{"escaped stage", "both" + host, "/t%65st/x%20y", true, "test", "/x%20y", "/t%65st/x%20y"},
		{"escaped slash ends a stage", "both" + host, "/test%2Fx", true, "test", "%2Fx", "/test%2Fx"},
		{"$default isn't a segment", "both" + host, "/$default/x", true, "$default", "/$default/x", "/$default/x"},
		{"root", "both" + host, "/", true, "$default", "/", "/"},
		{"empty segment", "both" + host, "//test", true, "$default", "//test", "//test"},
		{"no default stage", "named" + host, "/x", true, "", "", ""},
		{"stage with digits", "named" + host, "/dev_1/x", true, "dev_1", "/x", "/dev_1/x"},
		{"real host name", "both.execute-api.eu-west-1.amazonaws.com", "/a", true, "$default", "/a", "/a"},
		{"host has no case", "BOTH.Execute-API.LOCALHOST", "/a", true, "$default", "/a", "/a"},
		{"unknown API", "none" + host, "/a", true, "", "", ""},
		{"closed API", "closed" + host, "/a", true, "", "", ""},
		{"path form on an API's host", "both" + host, "/_aws/execute-api/named/dev_1/a", true, "$default", "/_aws/execute-api/named/dev_1/a", "/_aws/execute-api/named/dev_1/a"},

		{"path form", "localhost:4566", "/_aws/execute-api/both/test/a/b", true, "test", "/a/b", "/test/a/b"},
		{"path form, default", "localhost:4566", "/_aws/execute-api/both/$default/a", true, "$default", "/a", "/a"},
		{"path form, escaped default", "localhost:4566", "/_aws/execute-api/both/%24default/a", true, "$default", "/a", "/a"},
		{"path form, no path", "localhost:4566", "/_aws/execute-api/both/test", true, "test", "/", "/test"},
		{"path form, default, no path", "localhost", "/_aws/execute-api/both/$default", true, "$default", "/", "/"},
		{"path form, no stage", "localhost:4566", "/_aws/execute-api/both", true, "", "", ""},
		{"path form, empty stage", "localhost:4566", "/_aws/execute-api/both//a", true, "", "", ""},
		{"path form, unknown stage", "localhost:4566", "/_aws/execute-api/both/prod/a", true, "", "", ""},
		{"path form, unknown API", "127.0.0.1:4566", "/_aws/execute-api/none/test/a", true, "", "", ""},
		{"path form, closed API", "127.0.0.1:4566", "/_aws/execute-api/closed/$default/a", true, "", "", ""},
		{"user request", "[::1]:4566", "/restapis/both/test/_user_request_/a/b", true, "test", "/a/b", "/test/a/b"},
		{"user request, no path", "[::1]", "/restapis/both/test/_user_request_", true, "test", "/", "/test"},
		{"user request, default", "localhost", "/restapis/both/$default/_user_request_/a", true, "$default", "/a", "/a"},

		{"management", "localhost:4566", "/restapis/both/test", false, "", "", ""},
		{"management, stages", "localhost:4566", "/restapis/both/stages/test", false, "", "", ""},
		{"management, longer", "localhost:4566", "/restapis/both/test/_user_request_x", false, "", "", ""},
		{"management, v2", "localhost:4566", "/v2/apis", false, "", "", ""},
		{"own page", "localhost:4566", "/_gatehouse/health", false, "", "", ""},
		{"no host", "", "/", false, "", "", ""},
		{"asterisk", "localhost", "*", false, "", "", ""},
		{"half a host", ".execute-api.localhost", "/", false, "", "", ""},
		{"host without a domain", "both.execute-api", "/", false, "", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var x Exchange
			x.Request.Host, x.Request.Path = test.host, test.path
			traffic, err := p.Place(&x)
			if traffic != test.traffic {
				t.Fatalf("traffic is %t, want %t", traffic, test.traffic)
			}
			if test.stage == "" {
				var fault *Fault
				if traffic && (!errors.As(err, &fault) || fault.Kind != RouteNotFound) || !traffic && err != nil || x.Stage != nil {
					t.Fatalf("error %v, stage %v", err, x.Stage)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if x.Stage.Name != test.stage || x.StagePath != test.stagePath || x.GatewayPath != test.gatewayPath || x.API != x.Stage.API {
				t.Errorf("stage %q, path %q, gateway path %q, want %q %q %q",
					x.Stage.Name, x.StagePath, x.GatewayPath, test.stage, test.stagePath, test.gatewayPath)
			}
		})
	}
}

func TestPlaceDomainName(t *testing.T) {
	for host, want := range map[string][2]string{
		"abc.execute-api.localhost:4566": {"abc.execute-api.localhost", "abc"},
		"localhost":                      {"localhost", "localhost"},
		"[::1]:4566":                     {"[::1]", "[::1]"},
		"[::1]":                          {"[::1]", "[::1]"},
		"":                               {"", ""},
	} {
		var x Exchange
		x.Request.Host, x.Request.Path = host, "/"
		_, _ = (*Plan)(nil).Place(&x)
		if x.DomainName != want[0] || x.DomainPrefix != want[1] {
			t.Errorf("%q: %q %q, want %q", host, x.DomainName, x.DomainPrefix, want)
		}
	}
}

func TestStageMatch(t *testing.T) {
	stage := testAPI("a", "s").Stages["s"]
	stage.Routes = newTree(t, "GET /pets/{id}")
	x := Exchange{Stage: stage, StagePath: "/pets/1"}
	x.Request.Method = "GET"
	if err := stage.Match(&x); err != nil || x.Route.Key != "GET /pets/{id}" || x.Params[0] != "1" {
		t.Errorf("%v %v %v", x.Route, x.Params, err)
	}
	x.StagePath = "/cats"
	var fault *Fault
	if err := stage.Match(&x); !errors.As(err, &fault) || fault.Kind != RouteNotFound || x.Route != nil {
		t.Errorf("%v %v", x.Route, err)
	}
	stage.Default = &Route{Key: DefaultRouteKey}
	if err := stage.Match(&x); err != nil || x.Route != stage.Default || len(x.Params) != 0 {
		t.Errorf("%v %v %v", x.Route, x.Params, err)
	}
}

func FuzzPlace(f *testing.F) {
	p := (*Plan)(nil).With(testAPI("a", DefaultStage, "s"))
	f.Add("a.execute-api.x:1", "/s/x")
	f.Add("h", "/restapis/a/s/_user_request_/x")
	f.Add("h", "/_aws/execute-api/a/%24default%2F")
	f.Fuzz(func(t *testing.T, host, path string) {
		var x Exchange
		x.Request.Host, x.Request.Path = host, path
		traffic, err := p.Place(&x)
		if placed := x.Stage != nil; placed != (traffic && err == nil) {
			t.Fatalf("traffic %t, error %v, stage %v", traffic, err, x.Stage)
		}
		if x.Stage != nil && path != "" && path[0] == '/' && (x.StagePath == "" || x.GatewayPath == "") {
			t.Fatal("placed without a path")
		}
	})
}

func BenchmarkPlace(b *testing.B) {
	p := (*Plan)(nil).With(testAPI("abcdef1234", DefaultStage, "s"))
	var x Exchange
	x.Request.Host, x.Request.Path = "abcdef1234.execute-api.localhost:4566", "/pets/1"
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Place(&x); err != nil {
			b.Fatal(err)
		}
	}
}

// A WebSocket API's host is what the address of @connections begins with.
func TestPlaceWebSocket(t *testing.T) {
	api := &API{ID: "abc", Protocol: WebSocket}
	api.Stages = map[string]*Stage{"dev": {API: api, Name: "dev", Socket: &SocketStage{}}}
	p := (*Plan)(nil).With(api)
	for _, test := range []struct{ host, path, stagePath, domain string }{
		{"abc.execute-api.localhost:4566", "/dev", "/", "abc.execute-api.localhost:4566"},
		{"abc.execute-api.example.com", "/dev/", "/", "abc.execute-api.example.com"},
		{"abc.execute-api.example.com", "/dev/@connections/x%3D", "/@connections/x%3D", "abc.execute-api.example.com"},
		{"127.0.0.1:4566", "/_aws/execute-api/abc/dev", "/", "127.0.0.1:4566/_aws/execute-api/abc"},
		{"[::1]:4566", "/restapis/abc/dev/_user_request_/", "/", "[::1]:4566/_aws/execute-api/abc"},
	} {
		x := &Exchange{Request: Request{Host: test.host, Path: test.path}}
		if traffic, err := p.Place(x); !traffic || err != nil || x.Stage != api.Stages["dev"] {
			t.Errorf("%s%s: %v, %v", test.host, test.path, traffic, err)
		}
		if x.StagePath != test.stagePath || x.DomainName != test.domain {
			t.Errorf("%s%s: path %s, domain %s", test.host, test.path, x.StagePath, x.DomainName)
		}
	}
	for _, path := range []string{"/", "/other", "/other/@connections/x"} {
		x := &Exchange{Request: Request{Host: "abc.execute-api.localhost", Path: path}}
		var fault *Fault
		if _, err := p.Place(x); !errors.As(err, &fault) || fault.Kind != Forbidden {
			t.Errorf("%s: %v", path, err)
		}
	}
}
