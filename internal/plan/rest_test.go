package plan

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func restStage(t testing.TB, keys ...string) *Stage {
	api := &API{ID: "rest", Protocol: REST, Stages: map[string]*Stage{}}
	stage := &Stage{API: api, Name: "stage", Routes: newTree(t, keys...), Rest: &RestStage{}}
	api.Stages["stage"] = stage
	closed := *stage
	closed.Name, closed.DisableExecuteAPIEndpoint = "closed", true
	api.Stages["closed"] = &closed
	return stage
}

// What AWS was recorded to do with slashes and encodings.
func TestPlaceRest(t *testing.T) {
	stage := restStage(t, "ANY /{proxy+}", "ANY /hardcoded")
	p := (*Plan)(nil).With(stage.API)
	const host = "rest.execute-api.localhost"
	for _, test := range []struct {
		host, path                         string
		key, param, stagePath, gatewayPath string // key "" for a fault
	}{
		{host, "/stage/proxy-value/", "ANY /{proxy+}", "proxy-value", "/proxy-value/", "/stage/proxy-value/"},
		{host, "/stage/proxy-value//double-slash", "ANY /{proxy+}", "proxy-value//double-slash", "/proxy-value//double-slash", "/stage/proxy-value//double-slash"},
		{host, "//stage/proxy-value", "ANY /{proxy+}", "proxy-value", "/proxy-value", "/stage/proxy-value"},
		{host, "/stage//proxy-value", "ANY /{proxy+}", "proxy-value", "/proxy-value", "/stage//proxy-value"},
		{host, "/stage//hardcoded", "ANY /hardcoded", "", "/hardcoded", "/stage//hardcoded"},
		{host, "/stage/a/test%2Balias@x/b+c", "ANY /{proxy+}", "a/test%2Balias@x/b+c", "/a/test%2Balias@x/b+c", "/stage/a/test%2Balias@x/b+c"},
		{host, "/stage", "", "", "/", "/stage"},
		{host, "/stage/", "", "", "/", "/stage/"},
		{host, "/", "", "", "", ""},
		{host, "/other/x", "", "", "", ""},
		{host, "/closed/x", "", "", "", ""},
		{"localhost:4566", "/_aws/execute-api/rest/stage//hardcoded/", "ANY /hardcoded", "", "/hardcoded/", "/stage//hardcoded/"},
		{"localhost:4566", "/restapis/rest/stage/_user_request_/hardcoded", "ANY /hardcoded", "", "/hardcoded", "/stage/hardcoded"},
	} {
		t.Run(test.path, func(t *testing.T) {
			x := Exchange{Request: Request{Method: "GET", Host: test.host, Path: test.path}}
			traffic, err := p.Place(&x)
			if !traffic {
				t.Fatal("isn't traffic")
			}
			if err == nil {
				err = x.Stage.Match(&x)
			}
			var fault *Fault
			if errors.As(err, &fault) != (test.key == "") {
				t.Fatalf("%v, want key %q", err, test.key)
			}
			if x.StagePath != test.stagePath || x.GatewayPath != test.gatewayPath {
				t.Errorf("path %q in %q, want %q in %q", x.StagePath, x.GatewayPath, test.stagePath, test.gatewayPath)
			}
			if fault != nil {
				if want := RouteNotFound; x.Stage == nil {
					want = Forbidden
					if fault.Kind != want {
						t.Errorf("fault %d", fault.Kind)
					}
				}
				return
			}
			if x.Route.Key != test.key || strings.Join(x.Params, " ") != test.param {
				t.Errorf("%s with %q, want %s with %q", x.Route.Key, x.Params, test.key, test.param)
			}
		})
	}
}

func TestMatchMethod(t *testing.T) {
	for _, test := range []struct {
		name    string
		keys    []string
		request string
		want    string
		params  []string
	}{
		{"back to a greedy sibling", []string{"GET /part1", "GET /part1/hardcoded-value", "GET /{param+}"}, "GET /part1/random-value", "GET /{param+}", []string{"part1/random-value"}},
		{"back for the method", []string{"POST /test", "ANY /test/any", "OPTIONS /{proxy+}"}, "OPTIONS /test", "OPTIONS /{proxy+}", []string{"test"}},
		{"ANY of the static one", []string{"POST /test", "ANY /test/any", "OPTIONS /{proxy+}"}, "OPTIONS /test/any", "ANY /test/any", nil},
		{"a level decides, not the whole", []string{"GET /a/{proxy+}", "GET /{x}/b"}, "GET /a/b", "GET /a/{proxy+}", []string{"b"}},
		{"static before variable", []string{"GET /{x}", "GET /a"}, "GET /a", "GET /a", nil},
		{"method before ANY", []string{"ANY /a", "GET /a"}, "GET /a", "GET /a", nil},
		{"an escaped slash parts nothing", []string{"GET /{x}", "GET /{x}/b"}, "GET /a%2Fb", "GET /{x}", []string{"a%2Fb"}},
		{"an escaped literal", []string{"GET /pets"}, "GET /p%65ts", "GET /pets", nil},
		{"case counts", []string{"GET /pets"}, "GET /Pets", "", nil},
		{"GET serves no HEAD", []string{"GET /pets"}, "HEAD /pets", "", nil},
		{"greedy takes a segment at least", []string{"GET /a/{proxy+}"}, "GET /a/", "", nil},
		{"many variables", []string{"GET /{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}"}, "GET /1/2/3/4/5/6%2F/7/8", "GET /{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}", []string{"1", "2", "3", "4", "5", "6%2F", "7", "8"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			stage := restStage(t, test.keys...)
			x := Exchange{}
			x.Request.Method, x.StagePath, _ = strings.Cut(test.request, " ")
			err := stage.Match(&x)
			if err != nil {
				if test.want != "" {
					t.Fatal(err)
				}
				return
			}
			if x.Route.Key != test.want || !slices.Equal(x.Params, test.params) {
				t.Errorf("%s with %q, want %q with %q", x.Route.Key, x.Params, test.want, test.params)
			}
		})
	}
	stage := restStage(t, "DELETE /a")
	x := Exchange{StagePath: "/a", Request: Request{Method: "POST", Headers: Headers{{"x-http-method-override", "DELETE"}}}}
	if err := stage.Match(&x); err != nil {
		t.Error("the method that a client asks for by header:", err)
	}
	if x.Request.Method != "DELETE" || x.Request.Sent != "POST" || x.Request.IsHead() {
		t.Errorf("the request is %q, sent as %q", x.Request.Method, x.Request.Sent)
	}
	for _, method := range []string{"PROPFIND", "get", "GET /b"} {
		x := Exchange{StagePath: "/a", Request: Request{Method: "HEAD", Headers: Headers{{"X-HTTP-Method-Override", method}}}}
		if err := restStage(t, "ANY /a").Match(&x); err == nil || !x.Request.IsHead() {
			t.Errorf("%q is served", method)
		}
	}
}

// scanNested is MatchNested's naive twin: of all routes that take the path, the
// one whose first differing segment is the more specific.
func scanNested(routes []*Route, method, path string) *Route {
	have := strings.Split(path, "/")[1:]
	var best *Route
	for _, r := range routes {
		pattern := strings.Split(r.Path, "/")[1:]
		if r.Method != method && r.Method != AnyMethod || len(pattern) > len(have) || len(pattern) < len(have) && !r.Greedy {
			continue
		}
		fits := true
		for i, p := range pattern {
			_, _, isVar := variable(p)
			fits = fits && (isVar && (have[i] != "" || r.Greedy && i == len(pattern)-1 && i < len(have)-1) || !isVar && p == decoded(have[i]))
		}
		if fits && (best == nil || nestedBefore(r, best)) {
			best = r
		}
	}
	return best
}

func nestedBefore(a, b *Route) bool {
	pa, pb := strings.Split(a.Path, "/"), strings.Split(b.Path, "/")
	for i := range min(len(pa), len(pb)) {
		if ra, rb := rank(pa[i]), rank(pb[i]); ra != rb {
			return ra < rb
		}
	}
	return compareRoutes(a, b) < 0
}

func TestMatchNestedAgainstScan(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	words := [...]string{"a", "ab", "abc", "b", "pets"}
	for range 500 {
		// As in a tree of resources, siblings share one variable.
		variables := map[string]string{}
		seen := map[string]bool{}
		var routes []*Route
		var tree *Tree
		for range r.IntN(12) + 1 {
			path := ""
			for range r.IntN(4) + 1 {
				word := words[r.IntN(len(words))]
				if r.IntN(3) == 0 {
					if variables[path] == "" {
						variables[path] = [...]string{"{v}", "{v+}"}[r.IntN(2)]
					}
					word = strings.Replace(variables[path], "v", "v"+string(rune('a'+strings.Count(path, "/"))), 1)
				}
				path += "/" + word
				if strings.HasSuffix(word, "+}") {
					break
				}
			}
			key := [...]string{"GET", "POST", AnyMethod}[r.IntN(3)] + " " + path
			if seen[key] {
				continue
			}
			seen[key] = true
			route := newRoute(t, key)
			routes, tree = append(routes, route), tree.With(route)
		}
		for range 50 {
			path := ""
			for range r.IntN(4) + 1 {
				path += "/" + [...]string{"a", "ab", "abc", "b", "pets", "c", "%61", "x%2Fy"}[r.IntN(8)]
			}
			want := scanNested(routes, "GET", path)
			got, params, _ := tree.MatchNested("GET", path, nil)
			if got != want {
				t.Fatalf("%s: %v, a scan finds %v", path, got, want)
			}
			if got != nil && len(params) != len(got.ParamNames) {
				t.Fatalf("%s: %q for %s", path, params, got.Key)
			}
		}
	}
}

func TestMediaTypes(t *testing.T) {
	for _, test := range []struct {
		list []string
		of   string
		want bool
	}{
		{[]string{"image/png"}, "image/png", true},
		{[]string{"image/png"}, "image/*", false},
		{[]string{"image/png"}, "*/*", false},
		{[]string{"image/*"}, "image/png", true},
		{[]string{"image/*"}, "image/*", true},
		{[]string{"image/*"}, "images/png", false},
		{[]string{"*/*"}, "*/*", true},
		{[]string{"*/*"}, "a/b", true},
		{[]string{"*/*"}, "application", false},
		{[]string{"*/*"}, "", false},
		{[]string{"*/test"}, "x/test", false},
		{nil, "a/b", false},
	} {
		m := NewMediaTypes(test.list)
		if got := m.Has(test.of); got != test.want {
			t.Errorf("%q has %q: %v", test.list, test.of, got)
		}
	}
	for header, want := range map[string]string{"a/b; q=1, c/d": "a/b", " a/b ,c": "a/b", "a/b;charset=x": "a/b", "": ""} {
		if got := MediaType(header); got != want {
			t.Errorf("%q: %q", header, got)
		}
	}
}
