// Package browser drives a real browser against the running gateway: what
// CORS is for can only be seen there, and pages are what WebSocket APIs are made
// for.
package browser

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"gatehouse/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// pageTimeout is how long a browser may take to start and to run a page;
// generous, because tests share the machine.
const pageTimeout = 90 * time.Second

//go:embed testdata/cors.html
var page []byte

// An attempt is one fetch of the page.
type attempt struct {
	Name        string            `json:"name"`
	Method      string            `json:"method"`
	URL         string            `json:"url"`
	Headers     map[string]string `json:"headers,omitempty"`
	Credentials string            `json:"credentials,omitempty"`
	Body        string            `json:"body,omitempty"`

	// want is what the page's script gets: the body of a 200, or "blocked".
	want string
	// reaches tells that the backend sees the request.
	reaches bool
}

// A result is what the page's script saw of an attempt.
type result struct {
	Name    string             `json:"name"`
	Status  int                `json:"status"`
	Body    string             `json:"body"`
	Headers map[string]*string `json:"headers"`
	Error   string             `json:"error"`
}

// TestCORS fetches from pages of two origins, of which one API allows one and
// another API both.
func TestCORS(t *testing.T) {
	browser := findBrowser(t)
	g := harness.Start(t, "")
	backend := newBackend(t)
	allowed, other := newSite(t), newSite(t)

	strict := createAPI(t, g, backend.URL, &types.Cors{
		AllowOrigins: []string{allowed.URL}, AllowMethods: []string{"GET", "PUT"}, AllowHeaders: []string{"content-type", "x-allowed"},
		ExposeHeaders: []string{"x-exposed"}, AllowCredentials: aws.Bool(true), MaxAge: aws.Int32(60),
	})
	open := createAPI(t, g, backend.URL, &types.Cors{
		AllowOrigins: []string{"*"}, AllowMethods: []string{"*"}, AllowHeaders: []string{"*"},
	})
	none := createAPI(t, g, backend.URL, nil)
	json := map[string]string{"content-type": "application/json"}
	attempts := func(origin string, strictly bool) []attempt {
		want := func(body string) string {
			if strictly {
				return body
			}
			return "blocked"
		}
		return []attempt{
			{Name: "simple", Method: "GET", URL: strict + "/simple", want: want("GET /simple"), reaches: true},
			{Name: "with credentials", Method: "GET", URL: strict + "/credentials", Credentials: "include", want: want("GET /credentials"), reaches: true},
			{Name: "preflighted", Method: "PUT", URL: strict + "/put", Headers: json, Body: "{}", want: want("PUT /put"), reaches: strictly},
			{Name: "preflighted with credentials", Method: "PUT", URL: strict + "/put-credentials", Headers: json, Body: "{}", Credentials: "include", want: want("PUT /put-credentials"), reaches: strictly},
			{Name: "own header", Method: "GET", URL: strict + "/header", Headers: map[string]string{"X-Allowed": "1"}, want: want("GET /header"), reaches: strictly},
			{Name: "a header that isn't allowed", Method: "GET", URL: strict + "/bad-header", Headers: map[string]string{"X-Forbidden": "1"}, want: "blocked"},
			{Name: "a method that isn't allowed", Method: "DELETE", URL: strict + "/delete", want: "blocked"},
			{Name: "everyone", Method: "GET", URL: open + "/open", want: "GET /open", reaches: true},
			{Name: "everyone, any method and header", Method: "DELETE", URL: open + "/open-delete", Headers: map[string]string{"X-Any": "1"}, want: "DELETE /open-delete", reaches: true},
			{Name: "everyone, but not with credentials", Method: "GET", URL: open + "/open-credentials", Credentials: "include", want: "blocked", reaches: true},
			{Name: "without CORS the backend's headers count", Method: "GET", URL: none + "/none", want: "GET /none", reaches: true},
			{Name: "without CORS the backend answers preflights", Method: "PUT", URL: none + "/none-put", Headers: json, Body: "{}", want: "blocked"},
		}
	}
	for origin, site := range map[string]*site{"allowed": allowed, "other": other} {
		t.Run(origin, func(t *testing.T) {
			backend.forget()
			list := attempts(site.URL, origin == "allowed")
			results := site.run(t, browser, list)
			for i, a := range list {
				r := results[i]
				got := r.Body
				if r.Error != "" {
					got = "blocked"
				}
				if r.Name != a.Name || got != a.want || r.Error == "" && r.Status != 200 {
					t.Errorf("%s: the page got %+v, want %q", a.Name, r, a.want)
				}
				path := a.URL[strings.LastIndexByte(a.URL, '/'):]
				if reached := backend.saw(a.Method + " " + path); reached != a.reaches {
					t.Errorf("%s: reached the backend: %v, want %v", a.Name, reached, a.reaches)
				}
				if preflight := backend.saw("OPTIONS " + path); preflight && !strings.HasPrefix(a.URL, none) {
					t.Errorf("%s: the preflight reached the backend", a.Name)
				}
			}
			if origin != "allowed" {
				return
			}
			if h := results[0].Headers; h["x-exposed"] == nil || *h["x-exposed"] != "yes" || h["x-hidden"] != nil {
				t.Errorf("the page could read %v, want x-exposed alone", h)
			}
		})
	}
}

// createAPI makes an API that passes everything to the backend and returns the
// address at which a browser reaches it.
func createAPI(t *testing.T, g *harness.Gateway, target string, cors *types.Cors) string {
	t.Helper()
	client := apigatewayv2.NewFromConfig(g.Config())
	out, err := client.CreateApi(t.Context(), &apigatewayv2.CreateApiInput{
		Name: aws.String("cors"), ProtocolType: types.ProtocolTypeHttp, Target: &target, CorsConfiguration: cors,
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.ApiEndpoint
}

// A backend answers with what it was asked for, and with CORS headers of its
// own that would let everyone read simple requests.
type backend struct {
	*httptest.Server
	mu   sync.Mutex
	seen map[string]bool
}

func newBackend(t *testing.T) *backend {
	b := &backend{seen: map[string]bool{}}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request := r.Method + " " + r.URL.Path
		b.mu.Lock()
		b.seen[request] = true
		b.mu.Unlock()
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "x-hidden")
		h.Set("X-Exposed", "yes")
		h.Set("X-Hidden", "yes")
		_, _ = io.WriteString(w, request)
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *backend) saw(request string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen[request]
}

func (b *backend) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.seen)
}

// A site is an origin with the page.
type site struct {
	*httptest.Server
	attempts chan []attempt
	results  chan []result
}

func newSite(t *testing.T) *site {
	s := &site{attempts: make(chan []attempt, 1), results: make(chan []result, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write(page)
	})
	mux.HandleFunc("GET /attempts", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(<-s.attempts)
	})
	mux.HandleFunc("POST /results", func(_ http.ResponseWriter, r *http.Request) {
		var results []result
		if err := json.NewDecoder(r.Body).Decode(&results); err != nil {
			results = []result{{Error: err.Error()}}
		}
		s.results <- results
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.CloseClientConnections)
	t.Cleanup(s.Close)
	return s
}

// run has a browser of its own open the page and returns what the page reports.
func (s *site) run(t *testing.T, browser string, attempts []attempt) []result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), pageTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, append(browserArgs(t), s.URL+"/")...)
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.WaitDelay = 5 * time.Second
	s.attempts <- attempts
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var problem string
	var results []result
	select {
	case results = <-s.results:
		if len(results) != len(attempts) {
			problem = fmt.Sprintf("%d results, want %d: %+v", len(results), len(attempts), results)
		}
		cancel()
		<-ended
	case err := <-ended:
		problem = fmt.Sprintf("the browser ended without a result: %v", err)
	}
	if problem != "" {
		t.Fatalf("%s\n%s", problem, output.String())
	}
	return results
}

// browserArgs have a browser start without a screen, with a profile of its own,
// and ask nobody on the network anything.
func browserArgs(t *testing.T) []string {
	return []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-extensions", "--disable-background-networking", "--no-proxy-server", "--user-data-dir=" + t.TempDir()}
}

// findBrowser returns a Chromium. Without one the test is skipped, except in
// CI, which installs it.
func findBrowser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless_shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no Chromium is installed")
	}
	t.Skip("no Chromium is installed")
	return ""
}
