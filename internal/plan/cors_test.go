package plan

import (
	"slices"
	"testing"
)

func TestCORS(t *testing.T) {
	exact := CORSOptions{AllowOrigins: []string{"https://App.example", "http://localhost:3000"}}
	full := CORSOptions{
		AllowOrigins: []string{"https://app.example"}, AllowMethods: []string{"GET", "PUT"}, AllowHeaders: []string{"content-type", "x-a"},
		ExposeHeaders: []string{"date", "x-b"}, MaxAge: new(int32(300)), AllowCredentials: true,
	}
	tests := []struct {
		name              string
		options           CORSOptions
		origin            string
		preflight, actual Headers
	}{
		{"everyone", CORSOptions{AllowOrigins: []string{"*"}}, "https://a", Headers{{"access-control-allow-origin", "*"}}, Headers{{"access-control-allow-origin", "*"}}},
		{"no origin", CORSOptions{AllowOrigins: []string{"*"}}, "", nil, nil},
		{"exact, other case", exact, "HTTPS://app.EXAMPLE", Headers{{"access-control-allow-origin", "HTTPS://app.EXAMPLE"}}, Headers{{"access-control-allow-origin", "HTTPS://app.EXAMPLE"}}},
		{"exact, port", exact, "http://localhost:3000", Headers{{"access-control-allow-origin", "http://localhost:3000"}}, Headers{{"access-control-allow-origin", "http://localhost:3000"}}},
		{"another port", exact, "http://localhost:3001", nil, nil},
		{"another scheme", exact, "http://app.example", nil, nil},
		{"a longer host", exact, "https://app.example.evil", nil, nil},
		{"null", exact, "null", nil, nil},
		{"https://*", CORSOptions{AllowOrigins: []string{"https://*"}}, "https://a", Headers{{"access-control-allow-origin", "https://a"}}, Headers{{"access-control-allow-origin", "https://a"}}},
		{"https://* isn't http", CORSOptions{AllowOrigins: []string{"https://*"}}, "http://a", nil, nil},
		{"https://* wants a host", CORSOptions{AllowOrigins: []string{"https://*"}}, "https://", nil, nil},
		{"http://*", CORSOptions{AllowOrigins: []string{"http://*"}}, "http://a", Headers{{"access-control-allow-origin", "http://a"}}, Headers{{"access-control-allow-origin", "http://a"}}},
		{"no origins at all", CORSOptions{AllowMethods: []string{"*"}}, "https://a", nil, nil},
		{"everything", full, "https://app.example",
			Headers{
				{"access-control-allow-origin", "https://app.example"}, {"access-control-allow-methods", "GET,PUT"},
				{"access-control-allow-headers", "content-type,x-a"}, {"access-control-expose-headers", "date,x-b"},
				{"access-control-max-age", "300"}, {"access-control-allow-credentials", "true"},
			},
			Headers{
				{"access-control-allow-origin", "https://app.example"}, {"access-control-expose-headers", "date,x-b"},
				{"access-control-allow-credentials", "true"},
			}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := NewCORS(test.options)
			var x Exchange
			if test.origin != "" {
				x.Request.Headers = Headers{{"ORIGIN", test.origin}}
			}
			c.AnswerPreflight(&x)
			if x.Response.Status != 204 || !slices.Equal(x.Response.Headers, test.preflight) {
				t.Errorf("preflight: %d %v, want %v", x.Response.Status, x.Response.Headers, test.preflight)
			}
			x.Response = Response{Status: 200, Headers: Headers{
				{"Access-Control-Allow-Origin", "https://backend"}, {"x-b", "1"}, {"access-control-allow-anything", "2"}, {"access-control", "3"},
			}}
			c.Apply(&x)
			if want := append(Headers{{"x-b", "1"}, {"access-control", "3"}}, test.actual...); !slices.Equal(x.Response.Headers, want) {
				t.Errorf("actual: %v, want %v", x.Response.Headers, want)
			}
		})
	}
}

func TestIsPreflight(t *testing.T) {
	origin, method := Header{"Origin", "https://a"}, Header{"access-control-request-METHOD", "PUT"}
	for _, test := range []struct {
		name    string
		method  string
		headers Headers
		want    bool
	}{
		{"both", "OPTIONS", Headers{origin, method}, true},
		{"no method", "OPTIONS", Headers{origin}, false},
		{"no origin", "OPTIONS", Headers{method}, false},
		{"not OPTIONS", "GET", Headers{origin, method}, false},
	} {
		if got := IsPreflight(&Request{Method: test.method, Headers: test.headers}); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// What CORS costs a request is memory the exchange already has.
func TestCORSAllocatesNothing(t *testing.T) {
	c := NewCORS(CORSOptions{AllowOrigins: []string{"https://app.example"}, ExposeHeaders: []string{"date"}, AllowCredentials: true})
	x := Exchange{Scratch: make([]byte, 0, 64)}
	x.Request.Headers = Headers{{"Origin", "https://APP.example"}}
	x.Response.Headers = make(Headers, 0, 8)
	if n := testing.AllocsPerRun(100, func() {
		x.Response.Headers = append(x.Response.Headers[:0], Header{"access-control-allow-origin", "*"})
		c.Apply(&x)
	}); n != 0 || len(x.Response.Headers) != 3 {
		t.Errorf("%v allocations, headers %v", n, x.Response.Headers)
	}
}
