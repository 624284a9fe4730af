package acmeissuer

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

func TestParseBinding(t *testing.T) {
	want := []byte{0xfb, 0xff, 0xfe, 1}
	for _, text := range []string{"-__-AQ", "-__-AQ==", "+//+AQ==", " +//+AQ\n"} {
		if b, err := ParseBinding("kid", text); err != nil || string(b.Key) != string(want) || b.KeyID != "kid" {
			t.Errorf("%q: %+v, %v", text, b, err)
		}
	}
	for _, text := range []string{"", "=", "s*cret", "a"} {
		if _, err := ParseBinding("kid", text); err == nil || strings.Contains(err.Error(), "s*cret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A busy authority is left alone for as long as it says, and no longer than that.
func TestPause(t *testing.T) {
	header := ""
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		if header != "" {
			w.Header().Set("Retry-After", header)
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	for _, tt := range []struct {
		header      string
		least, most time.Duration // zero is no pause
	}{
		{"3600", 59 * time.Minute, time.Hour},
		{time.Now().Add(2 * time.Hour).UTC().Format(http.TimeFormat), 119 * time.Minute, 2 * time.Hour},
		{"99999999999", 6 * 24 * time.Hour, maxPause},
		{"", 0, 0}, {"soon", 0, 0}, {"-5", 0, 0}, {"0", 0, 0},
	} {
		header, asked = tt.header, 0
		p := &pause{base: http.DefaultTransport}
		client := http.Client{Transport: p}
		for range 2 {
			resp, err := client.Get(server.URL)
			if err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			} else if !errors.Is(err, errPause) {
				t.Error(err)
			}
		}
		err := p.wrap(errors.New("busy"))
		later, paused := errors.AsType[*Later](err)
		if paused != (tt.most > 0) || paused && (later.Wait < tt.least || later.Wait > tt.most) {
			t.Errorf("Retry-After %q: %+v", tt.header, later)
		}
		if want := map[bool]int{true: 1, false: 2}[paused]; asked != want {
			t.Errorf("Retry-After %q: asked %d times, want %d", tt.header, asked, want)
		}
	}
}

// zones answers names below here.test, and has one CNAME.
type zones struct{}

func (zones) Follow(name string) (string, bool) {
	if name == "_acme-challenge.alias.here.test." {
		name = "x.elsewhere.test."
	}
	return name, strings.HasSuffix(name, ".here.test.")
}
func (zones) Put(string, string)    {}
func (zones) Remove(string, string) {}

// An answer without an end is no directory, and isn't kept in memory or in an error.
func TestEndlessAnswer(t *testing.T) {
	// It is made beforehand: the client doesn't wait long for its beginning.
	var answer bytes.Buffer
	z := gzip.NewWriter(&answer)
	for range 64 {
		if _, err := z.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for _, status := range []int{http.StatusOK, http.StatusForbidden} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(status)
			_, _ = w.Write(answer.Bytes()) // the client leaves before its end
		}))
		defer server.Close()
		client, _ := New(Options{Directory: server.URL}).client()
		_, err := client.GetDirectory(t.Context())
		if !errors.Is(err, errAnswer) || len(err.Error()) > 1000 {
			t.Errorf("%d: %.200v", status, err)
		}
	}
}

func TestPlaces(t *testing.T) {
	world := map[string]string{
		"_acme-challenge.led.test.": "led.here.test.", "x.elsewhere.test.": "y.here.test.", "_acme-challenge.far.test.": "far.invalid.", "_acme-challenge.loop.test.": "_acme-challenge.loop.test.",
	}
	asked := 0
	issuer := New(Options{Records: zones{}, LookupCNAME: func(_ context.Context, name string) (string, error) {
		asked++
		if name == "_acme-challenge.broken.test." {
			return "", errors.New("the resolver is down")
		}
		return world[name], nil
	}})
	for _, tt := range []struct {
		names, want string
		err         string
	}{
		{"*.here.test here.test", "here.test=_acme-challenge.here.test.", ""},
		{"*.a.here.test a.here.test", "a.here.test=_acme-challenge.a.here.test.", ""},
		{"*.led.test", "led.test=led.here.test.", ""},
		{"*.alias.here.test", "alias.here.test=y.here.test.", ""},
		{"plain.test far.test", "", ""},
		{"*.far.test", "", "give _acme-challenge.far.test a CNAME"},
		{"*.loop.test", "", "lead nowhere"},
		{"broken.test", "", ""},
		{"*.broken.test", "", "the resolver is down"},
	} {
		places, err := issuer.places(t.Context(), strings.Fields(tt.names))
		var got []string
		for name, place := range places {
			got = append(got, name+"="+place)
		}
		if tt.err == "" && (err != nil || strings.Join(got, " ") != tt.want) || tt.err != "" && (!errors.Is(err, ErrWildcard) || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s: %v, %v", tt.names, got, err)
		}
	}
	if asked == 0 {
		t.Error("nobody was asked")
	}
	if _, err := New(Options{}).places(t.Context(), []string{"a.test", "*.a.test"}); !errors.Is(err, ErrWildcard) || !strings.Contains(err.Error(), "--dns") {
		t.Errorf("without records: %v", err)
	}
}

// Each way is tried in its turn, and one that is possible only now before those
// that failed: Terraform makes a zone and a certificate at the same time.
func TestFewestFailures(t *testing.T) {
	way := func(kinds ...string) []acme.Challenge {
		var out []acme.Challenge
		for _, kind := range kinds {
			out = append(out, acme.Challenge{Type: kind})
		}
		return out
	}
	const name = "a.test"
	var f failures
	for i, step := range []struct {
		offered []acme.Challenge
		want    string
	}{
		{way("http-01", "tls-alpn-01"), "http-01"},
		{way("dns-01", "http-01", "tls-alpn-01"), "dns-01"},
		{way("dns-01", "http-01", "tls-alpn-01"), "tls-alpn-01"},
		{way("dns-01", "http-01", "tls-alpn-01"), "dns-01"},
		{way("dns-01", "http-01", "tls-alpn-01"), "http-01"},
	} {
		got := f.fewest(name, step.offered)
		if got.Type != step.want || f.fewest("b.test", step.offered).Type != step.offered[0].Type {
			t.Errorf("attempt %d by %s, not %s", i, got.Type, step.want)
		}
		f.add(name, got.Type)
	}
}

func TestWays(t *testing.T) {
	for _, tt := range []struct {
		onlyTLS, inDNS, wildcard bool
		want                     string
	}{
		{false, false, false, "http-01 tls-alpn-01"},
		{true, false, false, "tls-alpn-01 http-01"},
		{false, true, false, "dns-01 http-01 tls-alpn-01"},
		{false, true, true, "dns-01"},
		{false, false, true, ""},
	} {
		o := order{Issuer: New(Options{OnlyTLS: tt.onlyTLS})}
		if got := strings.Join(o.ways(tt.inDNS, tt.wildcard), " "); got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}
