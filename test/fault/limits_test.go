package fault

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

// zeros are as many bytes as it says.
type zeros int64

func (z *zeros) Read(p []byte) (int, error) {
	if *z == 0 {
		return 0, io.EOF
	}
	n := min(len(p), int(*z))
	clear(p[:n])
	*z -= zeros(n)
	return n, nil
}

// What AWS limits for everybody passes where its limits are lifted, and not
// elsewhere.
func TestLimits(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			return // the gateway has given up on the client
		}
		w.Header().Set("X-Bytes", strconv.FormatInt(n, 10))
		w.Header().Set("X-Long", strconv.Itoa(len(r.Header.Get("X-Long"))))
		back := zeros(n)
		w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
		_, _ = io.Copy(w, &back) // the client may go
	}))
	defer backend.Close()
	const long = 25 << 20
	for _, tt := range []struct {
		limits          string
		sent, gotBack   int64
		status, headers int
		timeouts        bool
	}{
		{"aws", long, 0, http.StatusRequestEntityTooLarge, http.StatusRequestHeaderFieldsTooLarge, false},
		{"lifted", long, long, http.StatusOK, http.StatusOK, true},
	} {
		t.Run(tt.limits, func(t *testing.T) {
			a := newAPI(t, "--limits", tt.limits)
			a.route(t, "ANY /", backend.URL, ample)
			client := a.http(t)
			for _, announced := range []bool{true, false} {
				body := zeros(tt.sent)
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+a.host+"/", &body)
				if err != nil {
					t.Fatal(err)
				}
				if announced {
					req.ContentLength = tt.sent
				}
				res, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				n, err := io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
				if err != nil || res.StatusCode != tt.status || tt.status == http.StatusOK && n != tt.gotBack {
					t.Errorf("announced %t: got %d and %d bytes (%v), want %d and %d", announced, res.StatusCode, n, err, tt.status, tt.gotBack)
				}
			}

			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+a.host+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Long", strings.Repeat("x", 50_000))
			res, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != tt.headers || tt.headers == http.StatusOK && res.Header.Get("X-Long") != "50000" {
				t.Errorf("a long header: got %d, and the backend saw %s", res.StatusCode, res.Header.Get("X-Long"))
			}

			_, err = a.client.CreateIntegration(t.Context(), &apigatewayv2.CreateIntegrationInput{
				ApiId: a.id, IntegrationType: types.IntegrationTypeHttpProxy, IntegrationMethod: new("ANY"), IntegrationUri: &backend.URL,
				PayloadFormatVersion: new("1.0"), TimeoutInMillis: new(int32(600_000)),
			})
			if accepted := err == nil; accepted != tt.timeouts {
				t.Errorf("a timeout of ten minutes: %v", err)
			}
		})
	}
}

func TestLimitsOfSockets(t *testing.T) {
	text := `{"action":"x","text":"` + strings.Repeat("y", 500_000) + `"}`
	t.Run("aws", func(t *testing.T) {
		a := newSocketAPI(t, nil)
		c := a.open(t, "")
		if err := c.SendText(text); err != nil {
			t.Fatal(err)
		}
		ends(t, c, 1009, "")
	})
	t.Run("lifted", func(t *testing.T) {
		a := newSocketAPI(t, nil, "--limits", "lifted")
		c := a.open(t, "")
		if got := ask(t, c, text); got != text {
			t.Errorf("got %d bytes back: %.80s", len(got), got)
		}
		id := ask(t, c, `{"action":"id"}`)
		if status := a.connections(t, http.MethodPost, id, text); status != http.StatusOK {
			t.Errorf("posted: got %d", status)
		}
		f, err := c.Receive(patience)
		if err != nil || !bytes.Equal(f.Payload, []byte(text)) {
			t.Errorf("got %d bytes (%v)", len(f.Payload), err)
		}
	})
}

// A timeout that was given under lifted limits still holds after a start with AWS's.
func TestLimitsTakenBack(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "there") }))
	defer backend.Close()
	a := newAPI(t, "--limits", "lifted")
	a.route(t, "GET /", backend.URL, 10*time.Minute)
	a.restart(t, "--limits", "aws")
	if status, text, err := a.do(t, a.http(t), http.MethodGet, "/", nil); status != http.StatusOK || text != "there" {
		t.Errorf("got %d %q (%v)", status, text, err)
	}
}
