package plan

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func newRoute(t testing.TB, key string) *Route {
	t.Helper()
	k, err := ParseRouteKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return &Route{Key: key, Method: k.Method, Path: k.Path, ParamNames: k.ParamNames, Greedy: k.Greedy}
}

func newTree(t testing.TB, keys ...string) *Tree {
	t.Helper()
	var tree *Tree
	for _, key := range keys {
		tree = tree.With(newRoute(t, key))
	}
	return tree
}

func TestMatch(t *testing.T) {
	docs := []string{"GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}"}
	tests := []struct {
		name         string
		routes       []string
		method, path string
		want         string
		params       []string
	}{
		{"literal first", docs, "GET", "/pets/dog/1", "GET /pets/dog/1", nil},
		{"variable second", docs, "GET", "/pets/dog/2", "GET /pets/dog/{id}", []string{"2"}},
		{"greedy third", docs, "GET", "/pets/cat/1", "GET /pets/{proxy+}", []string{"cat/1"}},
		{"general greedy fourth", docs, "POST", "/test/5", "ANY /{proxy+}", []string{"test/5"}},
		{"method mismatch goes on", docs, "POST", "/pets/dog/1", "ANY /{proxy+}", []string{"pets/dog/1"}},
		{"greedy not at the root", docs, "GET", "/", "", nil},
		{"greedy not without slash", []string{"GET /parent/{proxy+}"}, "GET", "/parent", "", nil},
		{"greedy takes the trailing slash", []string{"GET /parent/{proxy+}"}, "GET", "/parent/", "GET /parent/{proxy+}", []string{""}},
		{"greedy keeps the trailing slash", []string{"GET /parent/{proxy+}"}, "GET", "/parent/a/", "GET /parent/{proxy+}", []string{"a/"}},
		{"root", []string{"GET /", "ANY /{proxy+}"}, "GET", "/", "GET /", nil},
		{"trailing slash is another path", []string{"GET /x"}, "GET", "/x/", "", nil},
		{"prefix of a literal", []string{"GET /pets"}, "GET", "/pet", "", nil},
		{"longer than a literal", []string{"GET /pets"}, "GET", "/petshop", "", nil},
		{"case matters", []string{"GET /pets"}, "GET", "/Pets", "", nil},
		{"HEAD is not GET", []string{"GET /pets"}, "HEAD", "/pets", "", nil},
		{"method before ANY", []string{"ANY /pets", "GET /pets"}, "GET", "/pets", "GET /pets", nil},
		{"ANY for the others", []string{"ANY /pets", "GET /pets"}, "POST", "/pets", "ANY /pets", nil},
		{"literal ANY before variable GET", []string{"ANY /pets/dog", "GET /pets/{id}"}, "GET", "/pets/dog", "ANY /pets/dog", nil},
		{"variable under another method", []string{"POST /pets/dog", "GET /pets/{id}"}, "GET", "/pets/dog", "GET /pets/{id}", []string{"dog"}},
		{"variable is not empty", []string{"GET /pets/{id}"}, "GET", "/pets/", "", nil},
		{"variable in the middle is not empty", []string{"GET /a/{x}/b"}, "GET", "/a//b", "", nil},
		{"variable in the middle", []string{"GET /a/{x}/b"}, "GET", "/a/1/b", "GET /a/{x}/b", []string{"1"}},
		{"backtracking", []string{"GET /a/b/c", "GET /a/{x}/d"}, "GET", "/a/b/d", "GET /a/{x}/d", []string{"b"}},
		{"backtracking inside a word", []string{"GET /a/bcd/c", "GET /a/{x}/d"}, "GET", "/a/bc/d", "GET /a/{x}/d", []string{"bc"}},
		{"backtracking twice", []string{"GET /{a}/{b}/{c}/z", "GET /1/2/{c}/y", "GET /1/{b}/3/x"}, "GET", "/1/2/3/z", "GET /{a}/{b}/{c}/z", []string{"1", "2", "3"}},
		{"full match before greedy", []string{"GET /a/{proxy+}", "GET /{x}/{y}"}, "GET", "/a/b", "GET /{x}/{y}", []string{"a", "b"}},
		{"longest literal prefix", []string{"GET /{proxy+}", "GET /a/{proxy+}", "GET /a/b/{proxy+}"}, "GET", "/a/b/c", "GET /a/b/{proxy+}", []string{"c"}},
		{"literal prefix before depth", []string{"GET /{x}/b/{proxy+}", "GET /a/{proxy+}"}, "GET", "/a/b/c", "GET /a/{proxy+}", []string{"b/c"}},
		{"depth at the same prefix", []string{"GET /a/{proxy+}", "GET /a/{x}/{proxy+}"}, "GET", "/a/b/c", "GET /a/{x}/{proxy+}", []string{"b", "c"}},
		{"greedy of another method", []string{"POST /a/{proxy+}", "GET /{proxy+}"}, "GET", "/a/b", "GET /{proxy+}", []string{"a/b"}},
		{"escaped literal", []string{"GET /pets/dog"}, "GET", "/p%65ts%2Fdog", "GET /pets/dog", nil},
		{"escaped route", []string{"GET /a%20b"}, "GET", "/%61%20b", "GET /a%20b", nil},
		{"plain route text", []string{"GET /ä"}, "GET", "/%C3%A4", "GET /ä", nil},
		{"escaped value stays escaped", []string{"GET /pets/{id}"}, "GET", "/pets/a%20b", "GET /pets/{id}", []string{"a%20b"}},
		{"escaped slash separates", []string{"GET /pets/{id}", "GET /pets/{id}/{part}"}, "GET", "/pets/a%2fb", "GET /pets/{id}/{part}", []string{"a", "b"}},
		{"escaped slash in greedy", []string{"GET /pets/{p+}"}, "GET", "/pets%2Fa%2Fb", "GET /pets/{p+}", []string{"a%2Fb"}},
		{"escaped question mark ends the path", []string{"GET /pets/{id}"}, "GET", "/pets/a%3Fb/c", "GET /pets/{id}", []string{"a"}},
		{"broken escape stands for itself", []string{"GET /pets/{id}"}, "GET", "/pets/%zz%2", "GET /pets/{id}", []string{"%zz%2"}},
		{"more variables than a walk remembers", []string{"GET /{a}/{b}/{c}/{d}/x/{e}/{f}/{g}"}, "GET", "/1/2/3/4/x/5/6/7", "GET /{a}/{b}/{c}/{d}/x/{e}/{f}/{g}", []string{"1", "2", "3", "4", "5", "6", "7"}},
		{"and a greedy one", []string{"GET /{a}/{b}/{c}/{d}/x/{e}/{f}/{g+}"}, "GET", "/1/2/3/4/x/5/6/7/8", "GET /{a}/{b}/{c}/{d}/x/{e}/{f}/{g+}", []string{"1", "2", "3", "4", "5", "6", "7/8"}},
		{"empty tree", nil, "GET", "/", "", nil},
		{"empty path", []string{"GET /"}, "GET", "", "", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for range 2 { // insertion order never matters
				tree := newTree(t, test.routes...)
				route, params, ok := tree.Match(test.method, test.path, []string{"stale"})
				var got string
				if ok {
					got = route.Key
				}
				if got != test.want || !slices.Equal(params, test.params) {
					t.Errorf("Match(%s, %s) = %q %q, want %q %q", test.method, test.path, got, params, test.want, test.params)
				}
				slices.Reverse(test.routes)
			}
		})
	}
}

// Variables of other names at one place are one place; each route keeps its own.
func TestMatchVariableNames(t *testing.T) {
	tree := newTree(t, "GET /pets/{id}", "POST /pets/{name}", "GET /pets/{other}/x", "GET /pets/{b}/y", "GET /pets/{a}/y")
	for want, request := range map[string][2]string{
		"GET /pets/{id}":      {"GET", "/pets/1"},
		"POST /pets/{name}":   {"POST", "/pets/1"},
		"GET /pets/{other}/x": {"GET", "/pets/1/x"},
		"GET /pets/{a}/y":     {"GET", "/pets/1/y"},
	} {
		route, params, ok := tree.Match(request[0], request[1], nil)
		if !ok || route.Key != want || !slices.Equal(params, []string{"1"}) {
			t.Errorf("Match(%q) = %v %q, want %s", request, route, params, want)
		}
	}
	tree = tree.Without("GET /pets/{a}/y")
	if route, _, ok := tree.Match("GET", "/pets/1/y", nil); !ok || route.Key != "GET /pets/{b}/y" {
		t.Errorf("after Without: %v", route)
	}
}

// scan is Match's naive twin: it looks at every route, segment by segment.
func scan(routes []*Route, method, path string) *Route {
	var best *Route
	for _, r := range routes {
		if (r.Method == method || r.Method == AnyMethod) && takes(r, path) && (best == nil || before(r, best)) {
			best = r
		}
	}
	return best
}

func segments(path string) []string {
	return strings.Split(decoded(CutPath(path)), "/")[1:]
}

func patternSegments(r *Route) []string {
	return strings.Split(strings.ReplaceAll(r.Path, "%2F", "/"), "/")[1:]
}

func takes(r *Route, path string) bool {
	pattern, have := patternSegments(r), segments(path)
	if r.Greedy {
		if len(have) < len(pattern) || len(have) == 1 && have[0] == "" {
			return false
		}
		pattern, have = pattern[:len(pattern)-1], have[:len(pattern)-1]
	}
	if len(pattern) != len(have) {
		return false
	}
	for i, p := range pattern {
		if _, _, ok := variable(p); ok && have[i] != "" || !ok && decoded(p) == have[i] {
			continue
		}
		return false
	}
	return true
}

// before tells whether a is the better one of two routes that take a request.
func before(a, b *Route) bool {
	if a.Greedy != b.Greedy {
		return !a.Greedy
	}
	as, bs := patternSegments(a), patternSegments(b)
	for i := range min(len(as), len(bs)) {
		if d := rank(as[i]) - rank(bs[i]); d != 0 {
			return d < 0
		}
	}
	return compareRoutes(a, b) < 0
}

func rank(segment string) int {
	_, greedy, ok := variable(segment)
	switch {
	case greedy:
		return 2
	case ok:
		return 1
	}
	return 0
}

// checkAgainstScan compares the tree's answer with the naive one.
func checkAgainstScan(t *testing.T, tree *Tree, routes []*Route, method, path string) {
	t.Helper()
	want := scan(routes, method, path)
	got, params, ok := tree.Match(method, path, nil)
	if got != want || ok != (want != nil) {
		t.Fatalf("Match(%q, %q) = %v, a scan finds %v", method, path, got, want)
	}
	if got == nil {
		return
	}
	if len(params) != len(got.ParamNames) {
		t.Fatalf("Match(%q, %q): %d values for the variables of %s", method, path, len(params), got.Key)
	}
	// The values put in the place of the variables are the path again.
	filled := patternSegments(got)
	next := 0
	for i, s := range filled {
		if _, _, isVar := variable(s); isVar {
			filled[i], next = decoded(params[next]), next+1
		} else {
			filled[i] = decoded(s)
		}
	}
	if again := "/" + strings.Join(filled, "/"); again != decoded(CutPath(path)) {
		t.Fatalf("Match(%q, %q) with %q makes %q", method, path, params, again)
	}
}

func randomKey(r *rand.Rand) string {
	words := [...]string{"a", "ab", "abc", "b", "pets", "%61b", "x%2Fy", "a-word-too-long-for-a-node", "a-word-too-long-for-a-nose", "{v}", "{w}"}
	key := [...]string{"GET", "POST", AnyMethod}[r.IntN(3)] + " "
	n := r.IntN(4)
	if n == 0 {
		return key + "/"
	}
	for i := range n {
		word := words[r.IntN(len(words))]
		if word[0] == '{' {
			word = fmt.Sprintf("{%c%d}", word[1], i)
		}
		key += "/" + word
	}
	if r.IntN(4) == 0 {
		key += "/{proxy+}"
	}
	return key
}

func randomPath(r *rand.Rand) string {
	words := [...]string{"a", "ab", "abc", "b", "pets", "%61%62", "x%2fy", "", "zz", "a%3F", "%", "a-word-too-long-for-a-node", "a-word-too-long-for-a-nose", "a-word-too-long"}
	if r.IntN(10) == 0 {
		return "/"
	}
	var path string
	for range 1 + r.IntN(4) {
		path += "/" + words[r.IntN(len(words))]
	}
	return path
}

func TestTreeAgainstScan(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		var tree *Tree
		var routes []*Route
		for range r.IntN(30) {
			route := newRoute(t, randomKey(r))
			tree = tree.With(route)
			routes = slices.DeleteFunc(routes, func(o *Route) bool { return o.Key == route.Key })
			routes = append(routes, route)
		}
		if tree.Len() != len(routes) {
			t.Fatalf("Len() = %d, want %d", tree.Len(), len(routes))
		}
		for range 50 {
			checkAgainstScan(t, tree, routes, [...]string{"GET", "POST", "PUT"}[r.IntN(3)], randomPath(r))
		}
	}
}

// A tree reached by many edits is the tree built at once, and editing never
// changes an older tree.
func TestTreeEdits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var tree *Tree
	live := map[string]*Route{}
	type version struct {
		tree   *Tree
		routes []*Route
	}
	var versions []version
	for step := range 3000 {
		route := newRoute(t, randomKey(r))
		if r.IntN(2) == 0 {
			tree = tree.With(route)
			live[route.Key] = route
		} else {
			tree = tree.Without(route.Key)
			delete(live, route.Key)
		}
		if step%100 != 0 {
			continue
		}
		var fresh *Tree
		var routes []*Route
		for _, route := range live {
			fresh = fresh.With(route)
			routes = append(routes, route)
		}
		if !reflect.DeepEqual(tree, fresh) {
			t.Fatalf("step %d: the edited tree differs from one built at once", step)
		}
		versions = append(versions, version{tree, routes})
	}
	for _, v := range versions {
		for range 100 {
			checkAgainstScan(t, v.tree, v.routes, "GET", randomPath(r))
		}
	}
	for key, route := range live {
		tree = tree.Without(route.Key)
		delete(live, key)
	}
	if tree.Len() != 0 || tree != nil {
		t.Errorf("a tree without routes isn't nil")
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("GET /a/{b}/c\nANY /{p+}\nGET /a%2Fb", "GET", "/a/x%2Fc")
	f.Add("GET /\nPOST /a", "POST", "/%61%3f")
	f.Add("GET /{a}/{b}\nGET /a/{b}", "GET", "/%/%4")
	f.Fuzz(func(t *testing.T, keys, method, path string) {
		var tree *Tree
		var routes []*Route
		for key := range strings.SplitSeq(keys, "\n") {
			k, err := ParseRouteKey(key)
			if err != nil || k.Path == "" {
				continue
			}
			// The twin knows "%2F" in one spelling and no brace hidden by it.
			if strings.Contains(k.Path, "%2f") || strings.Contains(decoded(k.Path), "{") && strings.Contains(k.Path, "%7") {
				continue
			}
			route := &Route{Key: key, Method: k.Method, Path: k.Path, ParamNames: k.ParamNames, Greedy: k.Greedy}
			routes = slices.DeleteFunc(routes, func(o *Route) bool { return o.Key == key })
			routes = append(routes, route)
			tree = tree.With(route)
		}
		if len(routes) > 20 {
			return
		}
		if !strings.HasPrefix(path, "/") {
			tree.Match(method, path, nil) // must not fail, and nothing more
			return
		}
		checkAgainstScan(t, tree, routes, method, path)
		for _, r := range routes {
			tree = tree.Without(r.Key)
		}
		if tree != nil {
			t.Fatal("routes are left after all were taken away")
		}
	})
}

// benchTree has n routes of mixed shapes, and the paths that reach them.
func benchTree(t testing.TB, n int) (*Tree, []string) {
	var tree *Tree
	var paths []string
	for i := range n {
		key, path := fmt.Sprintf("GET /service-%d/items", i), fmt.Sprintf("/service-%d/items", i)
		switch i % 3 {
		case 1:
			key, path = fmt.Sprintf("GET /service-%d/items/{id}", i), fmt.Sprintf("/service-%d/items/8f14e45f", i)
		case 2:
			key, path = fmt.Sprintf("ANY /service-%d/{proxy+}", i), fmt.Sprintf("/service-%d/a/b/c", i)
		}
		tree = tree.With(newRoute(t, key))
		paths = append(paths, path)
	}
	return tree, paths
}

// benchRequests returns 10,000 requests for the paths, each path as often as the
// others, in random order. A short round of the same paths would be learned by
// the processor's branch prediction, and a tree of ten routes would be measured
// without one wrong guess, which no server gets. The paths stand one behind the
// other in memory, because a request's path is in the cache when it is matched.
func benchRequests(paths []string) []string {
	requests := make([]string, 10000)
	for i := range requests {
		requests[i] = paths[i%len(paths)]
	}
	rand.New(rand.NewPCG(5, 6)).Shuffle(len(requests), func(i, j int) { requests[i], requests[j] = requests[j], requests[i] })
	all := strings.Join(requests, "")
	for i, path := range requests {
		requests[i], all = all[:len(path)], all[len(path):]
	}
	return requests
}

// A tree takes methods that have no number too.
func TestMatchOtherMethod(t *testing.T) {
	odd := &Route{Key: "PURGE /a", Method: "PURGE", Path: "/a"}
	for _, others := range [][]string{nil, {"GET /a", "ANY /a"}} {
		tree := newTree(t, others...).With(odd)
		if got, _, _ := tree.Match("PURGE", "/a", nil); got != odd {
			t.Errorf("beside %q: %v", others, got)
		}
		if got := tree.Without(odd.Key).Len(); got != len(others) {
			t.Errorf("beside %q: %d routes are left", others, got)
		}
	}
}

// A lookup's cost rests on a node being one cache line.
func TestNodeSize(t *testing.T) {
	if size := reflect.TypeFor[node]().Size(); strconv.IntSize == 64 && size != 64 {
		t.Errorf("a node has %d bytes, want 64", size)
	}
}

// A node whose labels don't fit into it, with each label there can be.
func TestMatchManyChildren(t *testing.T) {
	var tree *Tree
	var routes []*Route
	for c := range 256 {
		route := newRoute(t, fmt.Sprintf("GET /x%%%02Xz", c))
		if c == '/' {
			route = newRoute(t, "GET /x%2Fz")
		}
		routes = append(routes, route)
		tree = tree.With(route)
	}
	for range 2 {
		for _, r := range routes {
			if got, _, _ := tree.Match("GET", r.Path, nil); got != r && r.Path != "/x%3Fz" {
				t.Errorf("Match(%s) = %v", r.Path, got)
			}
		}
		for _, r := range routes[20:] {
			tree = tree.Without(r.Key)
		}
		routes = routes[:20]
	}
	if tree.Len() != 20 {
		t.Errorf("Len() = %d, want 20", tree.Len())
	}
}

func TestMatchAllocations(t *testing.T) {
	tree, paths := benchTree(t, 1000)
	paths = append(paths, "/service-1/items/a%20b", "/service-2/%2F/x", "/none")
	params := make([]string, 0, 4)
	allocs := testing.AllocsPerRun(10, func() {
		for _, path := range paths {
			_, params, _ = tree.Match("GET", path, params)
		}
	})
	if allocs != 0 {
		t.Errorf("Match allocates: %v per %d calls", allocs, len(paths))
	}
}

// The loop alone is what the benchmark costs without Match: it reads a path from
// end to end. It is small, so the figures are those of the tree.
func BenchmarkMatch(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"10_routes", 10}, {"1k_routes", 1000}, {"10k_routes", 10000}} {
		tree, paths := benchTree(b, size.n)
		requests := benchRequests(paths)
		b.Run(size.name, func(b *testing.B) {
			params := make([]string, 0, 4)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				var ok bool
				if _, params, ok = tree.Match("GET", requests[i], params); !ok {
					b.Fatal(requests[i])
				}
				if i++; i == len(requests) {
					i = 0
				}
			}
		})
		b.Run(size.name+"_loop_alone", func(b *testing.B) {
			i := 0
			for b.Loop() {
				if strings.IndexByte(requests[i], '%') >= 0 {
					b.Fatal(requests[i])
				}
				if i++; i == len(requests) {
					i = 0
				}
			}
		})
	}
}

// One edit costs a few nodes and their siblings, however many routes there are.
func BenchmarkTreeEdit(b *testing.B) {
	for _, n := range []int{10, 10000} {
		b.Run(fmt.Sprintf("%d_routes", n), func(b *testing.B) {
			tree, _ := benchTree(b, n)
			route := newRoute(b, "GET /service-5000/items/{id}/parts")
			b.ReportAllocs()
			for b.Loop() {
				tree.With(route)
			}
		})
	}
}
