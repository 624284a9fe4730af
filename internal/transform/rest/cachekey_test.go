package rest_test

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/plan"
	"gatehouse/internal/transform/rest"
)

// keyed is a request for a cache key: a method, the value of the path variable
// {id}, a query, and header lines.
type keyed struct {
	method, id, query, body string
	headers                 plan.Headers
}

func (k keyed) sum(t testing.TB, of *rest.CacheKey) plan.CacheSum {
	t.Helper()
	x := &plan.Exchange{Route: &plan.Route{ParamNames: []string{"id"}}, Params: []string{k.id}, Stage: &plan.Stage{API: &plan.API{}, Name: "test", Rest: &plan.RestStage{BinaryTypes: plan.NewMediaTypes([]string{"image/png"})}}}
	x.Request = plan.Request{Method: k.method, Query: k.query, Headers: k.headers, BodyReader: strings.NewReader(k.body), ContentLength: int64(len(k.body))}
	if k.method == "" {
		x.Request.Method = "GET"
	}
	sum, ok, err := of.Sum(x)
	if !ok || err != nil {
		t.Fatalf("%+v: %v, %v", k, ok, err)
	}
	return sum
}

func newKey(t testing.TB, o rest.CacheKeyOptions) *rest.CacheKey {
	t.Helper()
	k, err := rest.NewCacheKey(o)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestCacheKey(t *testing.T) {
	h := func(lines ...string) (all plan.Headers) {
		for _, line := range lines {
			name, value, _ := strings.Cut(line, ": ")
			all = append(all, plan.Header{Name: name, Value: value})
		}
		return all
	}
	for _, test := range []struct {
		name       string
		parameters []string
		mapped     map[string]string
		a, b       keyed
		same       bool
	}{
		{"nothing in the key", nil, nil, keyed{id: "1", query: "a=1", headers: h("x: 1")}, keyed{id: "2"}, true},
		{"the method", nil, nil, keyed{method: "GET"}, keyed{method: "POST"}, false},
		{"a path variable", []string{"method.request.path.id"}, nil, keyed{id: "1"}, keyed{id: "2"}, false},
		{"the same one", []string{"method.request.path.id"}, nil, keyed{id: "1", query: "x"}, keyed{id: "1"}, true},
		{"one that is spelt otherwise", []string{"method.request.path.id"}, nil, keyed{id: "a%2Fb"}, keyed{id: "a/b"}, false},
		{"a query parameter", []string{"method.request.querystring.a"}, nil, keyed{query: "a=1"}, keyed{query: "a=2"}, false},
		{"the same one", []string{"method.request.querystring.a"}, nil, keyed{query: "b=1&a=1"}, keyed{query: "a=1&b=2"}, true},
		{"one that is spelt otherwise, which mappings don't see", []string{"method.request.querystring.a"}, nil, keyed{query: "%61=x+y"}, keyed{query: "a=x%20y"}, true},
		{"one that is missing", []string{"method.request.querystring.a"}, nil, keyed{query: ""}, keyed{query: "a="}, false},
		{"one without a sign", []string{"method.request.querystring.a"}, nil, keyed{query: "a"}, keyed{query: "a="}, true},
		{"one of several values", []string{"method.request.querystring.a"}, nil, keyed{query: "a=1&a=2"}, keyed{query: "a=3&a=2"}, false},
		{"one that some don't see", []string{"method.request.querystring.a"}, nil, keyed{query: "b=1;a=2"}, keyed{query: "a=2"}, false},
		{"values together", []string{"method.request.multivaluequerystring.a"}, nil, keyed{query: "a=1&a=2"}, keyed{query: "a=12"}, false},
		{"a header", []string{"method.request.header.X"}, nil, keyed{headers: h("x: 1")}, keyed{headers: h("X: 2")}, false},
		{"the same one", []string{"method.request.header.X"}, nil, keyed{headers: h("x: 1", "y: 1")}, keyed{headers: h("y: 2", "X: 1")}, true},
		{"its lines", []string{"method.request.header.X"}, nil, keyed{headers: h("x: 1", "x: 2")}, keyed{headers: h("x: 1,2")}, false},
		{"a header the gateway makes", []string{"method.request.header.X-Forwarded-Proto"}, nil, keyed{headers: h("x-forwarded-proto: a")}, keyed{headers: h("x-forwarded-proto: b")}, true},
		{"what a mapping makes", []string{"integration.request.header.y"}, map[string]string{"integration.request.header.y": "method.request.header.x"}, keyed{headers: h("x: 1", "y: 1")}, keyed{headers: h("x: 2", "y: 1")}, false},
		{"what it doesn't look at", []string{"integration.request.header.y"}, map[string]string{"integration.request.header.y": "method.request.header.x"}, keyed{headers: h("x: 1", "y: 1")}, keyed{headers: h("x: 1", "y: 2")}, true},
		{"a literal", []string{"integration.request.header.y"}, map[string]string{"integration.request.header.y": "'1'"}, keyed{query: "1"}, keyed{query: "2"}, true},
		{"a mapping that there isn't", []string{"integration.request.header.y"}, nil, keyed{headers: h("y: 1")}, keyed{headers: h("y: 2")}, true},
		{"the body", []string{"integration.request.header.y"}, map[string]string{"integration.request.header.y": "method.request.body"}, keyed{body: "a"}, keyed{body: "b"}, false},
		{"a part of the body", []string{"integration.request.header.y"}, map[string]string{"integration.request.header.y": "method.request.body.k"}, keyed{body: `{"k":1}`}, keyed{body: `{"k":2}`}, false},
		{"another part of the body", []string{"integration.request.header.y"}, map[string]string{"integration.request.header.y": "method.request.body.k"}, keyed{body: `{"k":1}`}, keyed{body: `{"k":1,"n":2}`}, true},
		{"values that run into each other", []string{"method.request.querystring.a", "method.request.querystring.b"}, nil, keyed{query: "a=xy&b="}, keyed{query: "a=x&b=y"}, false},
		{"values that change places", []string{"method.request.querystring.a", "method.request.querystring.b"}, nil, keyed{query: "a=x&b=y"}, keyed{query: "a=y&b=x"}, false},
		{"a value of the one or the other", []string{"method.request.querystring.a", "method.request.querystring.b"}, nil, keyed{query: "a=x"}, keyed{query: "b=x"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := newKey(t, rest.CacheKeyOptions{Namespace: "n", Parameters: test.parameters, Mapped: test.mapped})
			if got := test.a.sum(t, k) == test.b.sum(t, k); got != test.same {
				t.Errorf("the same: %v, want %v", got, test.same)
			}
		})
	}
}

// Keys of methods are one key where they have the same namespace, deployment and
// parameters, in any order.
func TestCacheKeysOfMethods(t *testing.T) {
	a, b := "method.request.querystring.a", "method.request.querystring.b"
	first := newKey(t, rest.CacheKeyOptions{Namespace: "n", Deployment: "d", Parameters: []string{a, b}})
	for name, test := range map[string]struct {
		o    rest.CacheKeyOptions
		same bool
	}{
		"the same":           {rest.CacheKeyOptions{Namespace: "n", Deployment: "d", Parameters: []string{a, b}}, true},
		"in another order":   {rest.CacheKeyOptions{Namespace: "n", Deployment: "d", Parameters: []string{b, a, b}}, true},
		"another parameter":  {rest.CacheKeyOptions{Namespace: "n", Deployment: "d", Parameters: []string{a}}, false},
		"another namespace":  {rest.CacheKeyOptions{Namespace: "m", Deployment: "d", Parameters: []string{a, b}}, false},
		"another deployment": {rest.CacheKeyOptions{Namespace: "n", Deployment: "e", Parameters: []string{a, b}}, false},
		"names that move":    {rest.CacheKeyOptions{Namespace: "nd", Parameters: []string{a, b}}, false},
	} {
		r := keyed{query: "a=1&b=2"}
		if got := r.sum(t, first) == r.sum(t, newKey(t, test.o)); got != test.same {
			t.Errorf("%s: the same is %v, want %v", name, got, test.same)
		}
	}
}

// Who asks first doesn't choose everyone's media type.
func TestCacheKeyOfAccept(t *testing.T) {
	both := []rest.IntegrationResponse{{Templates: map[string]string{"application/json": "{}", "$default": "x"}}, {Templates: map[string]string{"Text/HTML": ""}}}
	one := []rest.IntegrationResponse{{Templates: map[string]string{"text/html": "", "$default": "x"}}, {}}
	for _, test := range []struct {
		name string
		o    rest.CacheKeyOptions
		a, b string
		same bool
	}{
		{"one template for all", rest.CacheKeyOptions{Response: rest.ResponseOptions{Responses: one}}, "text/html", "application/json", true},
		{"a template of two", rest.CacheKeyOptions{Response: rest.ResponseOptions{Responses: both}}, "text/html", "application/json", false},
		{"the same template", rest.CacheKeyOptions{Response: rest.ResponseOptions{Responses: both}}, "text/html", "TEXT/html;q=1, application/json", true},
		{"no template", rest.CacheKeyOptions{Response: rest.ResponseOptions{Responses: both}}, "image/png", "", true},
		{"JSON for want of another", rest.CacheKeyOptions{Response: rest.ResponseOptions{Responses: both}}, "application/json", "*/*", true},
		{"bytes or text", rest.CacheKeyOptions{Response: rest.ResponseOptions{Kind: rest.HTTP}, Binary: true}, "image/png", "text/plain", false},
		{"bytes of a function", rest.CacheKeyOptions{Response: rest.ResponseOptions{Kind: rest.AWSProxy}, Binary: true}, "image/png", "", false},
		{"text alone", rest.CacheKeyOptions{Response: rest.ResponseOptions{Kind: rest.HTTP}, Binary: true}, "text/html", "text/plain", true},
		{"nothing is binary", rest.CacheKeyOptions{Response: rest.ResponseOptions{Kind: rest.HTTP}}, "image/png", "text/plain", true},
		{"what comes back as it is", rest.CacheKeyOptions{Response: rest.ResponseOptions{Kind: rest.HTTPProxy}, Binary: true}, "image/png", "text/plain", true},
	} {
		k := newKey(t, test.o)
		if got := accepting(test.a).sum(t, k) == accepting(test.b).sum(t, k); got != test.same {
			t.Errorf("%s: the same is %v, want %v", test.name, got, test.same)
		}
	}
}

func accepting(mediaType string) keyed {
	return keyed{headers: plan.Headers{{Name: "accept", Value: mediaType}}}
}

// A body that mappings refuse has no key, and one that can't be read is a fault.
func TestCacheKeyOfBadBody(t *testing.T) {
	k := newKey(t, rest.CacheKeyOptions{Parameters: []string{"integration.request.header.y"}, Mapped: map[string]string{"integration.request.header.y": "method.request.body.k"}})
	x := &plan.Exchange{}
	x.Request.BodyReader = strings.NewReader("{")
	if _, ok, err := k.Sum(x); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	x = &plan.Exchange{}
	x.Request.BodyReader = failingReader{}
	var fault *plan.Fault
	if _, ok, err := k.Sum(x); ok || !errors.As(err, &fault) || fault.Kind != plan.BadRequest {
		t.Errorf("%v, %v", ok, err)
	}
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("it broke off") }

func TestCacheKeyRefused(t *testing.T) {
	var refused *rest.ExpressionError
	if _, err := rest.NewCacheKey(rest.CacheKeyOptions{Parameters: []string{"method.request.nothing.x"}}); !errors.As(err, &refused) {
		t.Error(err)
	}
}

// Requests have the same sum exactly when what is in the key is the same.
func FuzzCacheKey(f *testing.F) {
	f.Add("a=1&b=2", "a=12", "x", "y", "1", "2")
	f.Add("a=1&a=2", "a=1&b=2", "", "\x00", "%2F", "/")
	f.Add("a;b=", "a=&b", "\x01\x01x", "\x01\x01x\x00", "", "1")
	f.Add("a=\x01\x01b\x00", "a&b=\x01b", "", "", "", "")
	key := newKey(f, rest.CacheKeyOptions{
		Namespace:  "n",
		Parameters: []string{"method.request.querystring.a", "method.request.querystring.b", "method.request.header.x", "integration.request.header.y", "method.request.path.id"},
		Mapped:     map[string]string{"integration.request.header.y": "method.request.header.y"},
	})
	f.Fuzz(func(t *testing.T, q1, q2, h1, h2, p1, p2 string) {
		one := keyed{query: q1, id: p1, headers: plan.Headers{{Name: "x", Value: h1}, {Name: "Y", Value: h2}}}
		for _, two := range []keyed{
			{query: q2, id: p2, headers: plan.Headers{{Name: "X", Value: h2}, {Name: "y", Value: h1}}},
			{query: q1, id: p2, headers: one.headers},
			{query: q2, id: p1, headers: one.headers},
			{query: q1, id: p1, headers: plan.Headers{{Name: "x", Value: h1}, {Name: "x", Value: h2}}},
			{query: "c=1&" + q1, id: p1, headers: slices.Concat(plan.Headers{{Name: "z", Value: h2}}, one.headers)},
		} {
			if got, want := one.sum(t, key) == two.sum(t, key), one.in() == two.in(); got != want {
				t.Errorf("%+v and %+v: the same is %v, want %v", one, two, got, want)
			}
		}
	})
}

// in is what of a request is in the key of FuzzCacheKey, written so that there is
// one way to read it.
func (k keyed) in() string {
	of := map[string][]string{}
	for piece := range strings.FieldsFuncSeq(k.query, func(r rune) bool { return r == '&' || r == ';' }) {
		name, value, _ := strings.Cut(piece, "=")
		name, value = string(plan.AppendDecodedQuery(nil, name)), string(plan.AppendDecodedQuery(nil, value))
		of[name] = append(of[name], value)
	}
	var x []string
	y := ""
	for _, h := range k.headers {
		switch strings.ToLower(h.Name) {
		case "x":
			x = append(x, h.Value)
		case "y":
			y = "has " + url.QueryEscape(h.Value)
		}
	}
	if strings.Contains(k.query, ";") {
		y += " of " + url.QueryEscape(k.query)
	}
	return fmt.Sprintf("%q %q %q %q %q", of["a"], of["b"], x, y, url.QueryEscape(k.id))
}

func BenchmarkCacheKey(b *testing.B) {
	key := newKey(b, rest.CacheKeyOptions{Namespace: "n", Parameters: []string{"method.request.querystring.type", "method.request.header.accept-language", "method.request.path.id"}})
	x := &plan.Exchange{Route: &plan.Route{ParamNames: []string{"id"}}, Params: []string{"123"}, Scratch: make([]byte, 0, 4096)}
	x.Request = plan.Request{Method: "GET", Query: "type=admin&department=A", Headers: plan.Headers{{Name: "Host", Value: "x"}, {Name: "Accept-Language", Value: "de"}}}
	b.ReportAllocs()
	for b.Loop() {
		x.Scratch = x.Scratch[:0]
		if _, ok, err := key.Sum(x); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
