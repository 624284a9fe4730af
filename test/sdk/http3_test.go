package sdk

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	v2types "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"gatehouse/test/harness"
)

// TestHTTP3ByNgtcp2 asks over HTTP/3 with ngtcp2's client, which shares no code with
// the gateway: whole bodies in both directions, many streams, packets that are lost
// and a client that moves.
func TestHTTP3ByNgtcp2(t *testing.T) {
	client, err := exec.LookPath("gtlsclient")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("there is no gtlsclient (Debian's package ngtcp2-client)")
	}
	body := bytes.Repeat([]byte("0123456789abcde\n"), 1<<20/16)
	var mu sync.Mutex
	var seen []string
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, err := io.ReadAll(r.Body)
		what := r.Method + " " + r.URL.Path
		switch {
		case err != nil:
			what += ": " + err.Error()
		case bytes.Equal(got, body):
			what += " whole"
		case len(got) > 0:
			what += " cut"
		}
		mu.Lock()
		seen = append(seen, what)
		mu.Unlock()
		_, _ = w.Write(body)
	}))
	defer backend.Close()
	gw := harness.Start(t, "", "--traffic-tls", "127.0.0.1:0", "--http3")
	api := must(apigatewayv2.NewFromConfig(gw.Config()).CreateApi(t.Context(), &apigatewayv2.CreateApiInput{
		Name: new("a"), ProtocolType: v2types.ProtocolTypeHttp, Target: new(backend.URL + "/{proxy}"), RouteKey: new("ANY /{proxy+}"),
	}))(t)
	endpoint := must(url.Parse(*api.ApiEndpoint))(t)
	told(t, endpoint)
	mu.Lock()
	seen = nil
	mu.Unlock()

	sent := filepath.Join(t.TempDir(), "sent")
	if err := os.WriteFile(sent, body, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		args []string
		want string // what the backend sees, so many times
		n    int
	}{
		{"a response", nil, "GET /thing", 1},
		{"a request", []string{"-d", sent, "-m", "PUT"}, "PUT /thing whole", 1},
		{"many", []string{"-n", "30"}, "GET /thing", 30},
		{"lost packets", []string{"-t", "0.03", "-r", "0.03", "-d", sent, "-m", "POST"}, "POST /thing whole", 1},
		{"a move", []string{"--change-local-addr", "50ms", "--delay-stream", "150ms"}, "GET /thing", 1},
		{"a new address that nobody announced", []string{"--change-local-addr", "50ms", "--nat-rebinding", "--delay-stream", "150ms"}, "GET /thing", 1},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		got := t.TempDir()
		args := append([]string{"--no-quic-dump", "--no-http-dump", "--exit-on-all-streams-close", "--sni", endpoint.Hostname(), "--download", got}, test.args...)
		out, err := exec.CommandContext(ctx, client, append(args, "127.0.0.1", endpoint.Port(), "https://"+endpoint.Hostname()+"/thing")...).CombinedOutput()
		cancel()
		mu.Lock()
		requests := seen
		seen = nil
		mu.Unlock()
		if err != nil || strings.Count(string(out), "[:status: 200]") != test.n {
			t.Errorf("%s: %v\n%s", test.name, err, tail(out))
			continue
		}
		if len(requests) != test.n || requests[0] != test.want {
			t.Errorf("%s: the backend saw %q, want %d of %q", test.name, requests, test.n, test.want)
		}
		if file, err := os.ReadFile(filepath.Join(got, "thing")); test.n == 1 && !bytes.Equal(file, body) {
			t.Errorf("%s: %d bytes came of %d, %v", test.name, len(file), len(body), err)
		}
	}
}

// told checks that a client over TCP is told of HTTP/3.
func told(t *testing.T, endpoint *url.URL) {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:"+endpoint.Port())
		},
	}
	response := must((&http.Client{Transport: transport}).Get(endpoint.String() + "/none/of/them"))(t)
	defer response.Body.Close() //nolint:errcheck // read only
	if got, want := response.Header.Get("Alt-Svc"), `h3=":`+endpoint.Port()+`"; ma=86400`; got != want {
		t.Errorf("alt-svc: %q, want %q", got, want)
	}
}

// tail is the end of what a program wrote.
func tail(out []byte) []byte { return out[max(len(out)-2000, 0):] }
