package serve_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse/internal/integrate"
	"gatehouse/internal/serve"
	"gatehouse/internal/transform"
)

// A long response is mapped by its beginning and still arrives whole; a client
// can't have a mapped header taken out by naming it in its Connection header.
func TestMappingEndToEnd(t *testing.T) {
	long := `{"a":"x","b":"` + strings.Repeat("0123456789", 50_000) + `"}`
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/announced" {
			w.Header().Set("Content-Length", fmt.Sprint(len(long)))
		}
		w.Header().Set("X-Seen", r.RequestURI+" "+r.Host+" "+strings.Join(r.Header["X-User"], "|"))
		for piece := long; piece != ""; {
			n := min(len(piece), 30_000)
			_, _ = io.WriteString(w, piece[:n])
			piece = piece[n:]
		}
	}))
	defer backend.Close()
	request, err := transform.NewRequest(map[string]string{
		"overwrite:header.x-user": "Ann", "overwrite:header.host": "mapped.example", "append:querystring.from": "$context.protocol", "overwrite:path": "/${request.path.kind}",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transform.NewResponse(map[string]map[string]string{"200": {"append:header.x-a": "$response.body.a", "overwrite:statuscode": "206"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := route(t, "GET /{kind}", newHTTP(t, integrate.HTTPOptions{URI: backend.URL + "/base", Upstreams: newUpstreams(t, integrate.UpstreamOptions{})}))
	r.MapRequest, r.MapResponse = request, response
	a := certificate(t)
	g := startGateway(t, serve.Options{Certificate: a.Certificate}, r)
	for _, test := range []struct {
		name   string
		client *http.Client
		url    string
		length int64
	}{
		{"HTTP/1.1, announced", g.client(t, nil), "http://abc.execute-api.localhost/announced", int64(len(long))},
		{"HTTP/1.1, chunked", g.client(t, nil), "http://abc.execute-api.localhost/chunked", -1},
		{"HTTP/2, announced", g.client(t, trust(t, a)), "https://abc.execute-api.localhost/announced", int64(len(long))},
		{"HTTP/2, chunked", g.client(t, trust(t, a)), "https://abc.execute-api.localhost/chunked", -1},
	} {
		t.Run(test.name, func(t *testing.T) {
			req, err := http.NewRequest("GET", test.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-User", "forged")
			if strings.HasPrefix(test.url, "http:") {
				req.Header.Set("Connection", "X-User")
			}
			for range 2 { // the second finds what the first left
				res, err := test.client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || string(body) != long || res.ContentLength != test.length {
					t.Errorf("%d bytes of %d, %v", len(body), res.ContentLength, err)
				}
				seen, want := res.Header.Get("X-Seen"), req.URL.Path+"?from=HTTP/1.1 mapped.example Ann"
				if res.StatusCode != 206 || res.Header.Get("X-A") != "x" || seen != want {
					t.Errorf("%d %q, the backend saw %q, want %q", res.StatusCode, res.Header.Get("X-A"), seen, want)
				}
			}
		})
	}
}
