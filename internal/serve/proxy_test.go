package serve_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse/internal/integrate"
	"gatehouse/internal/serve"
)

func newUpstreams(t testing.TB, o integrate.UpstreamOptions) *integrate.Upstreams {
	u := integrate.NewUpstreams(o)
	t.Cleanup(func() {
		if err := u.Close(); err != nil {
			t.Error(err)
		}
	})
	return u
}

func newHTTP(t testing.TB, o integrate.HTTPOptions) *integrate.HTTP {
	t.Helper()
	h, err := integrate.NewHTTP(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestProxyEndToEnd(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", r.Method+" "+r.RequestURI+" "+r.Host+" ["+string(body)+"]")
		w.WriteHeader(201)
		_, _ = io.WriteString(w, strings.Join(r.Header["Via"], ","))
	}))
	defer backend.Close()
	u := newUpstreams(t, integrate.UpstreamOptions{})
	management := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, "management "+r.Method+" "+r.RequestURI+" "+string(body))
	})
	g := startGateway(t, serve.Options{Management: management},
		route(t, "POST /pets/{id}", newHTTP(t, integrate.HTTPOptions{URI: backend.URL + "/animals/{id}?k=v", Upstreams: u})),
		route(t, "$default", newHTTP(t, integrate.HTTPOptions{URI: backend.URL, AppendPath: true, Upstreams: u})))
	host := strings.TrimPrefix(backend.URL, "http://")
	client := g.client(t, nil)
	tests := []struct {
		method, url, body string
		wantStatus        int
		wantSeen          string
		wantBody          string
	}{
		{"POST", "http://abc.execute-api.localhost/pets/a%20b?q=1&q=2", "hi", 201, "POST /animals/a%20b?k=v&q=1&q=2 " + host + " [hi]", "HTTP/1.1 AmazonAPIGateway"},
		{"GET", "http://abc.execute-api.localhost/store/checkout?x", "", 201, "GET /store/checkout?x " + host + " []", "HTTP/1.1 AmazonAPIGateway"},
		{"GET", "http://abc.execute-api.localhost/dev/store/", "", 201, "GET /store/ " + host + " []", "HTTP/1.1 AmazonAPIGateway"},
		{"GET", "http://localhost/_aws/execute-api/abc/dev/store", "", 201, "GET /store " + host + " []", "HTTP/1.1 AmazonAPIGateway"},
		{"GET", "http://nope.execute-api.localhost/", "", 404, "", `{"message":"Not Found"}`},
		{"POST", "http://localhost/2015-03-31/functions?a=b", "{}", 200, "", "management POST /2015-03-31/functions?a=b {}"},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.url, func(t *testing.T) {
			req, err := http.NewRequest(tt.method, tt.url, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			res, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != tt.wantStatus || res.Header.Get("X-Seen") != tt.wantSeen || string(body) != tt.wantBody {
				t.Errorf("got %d %q %q, want %d %q %q", res.StatusCode, res.Header.Get("X-Seen"), body, tt.wantStatus, tt.wantSeen, tt.wantBody)
			}
		})
	}
}
