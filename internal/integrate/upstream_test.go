package integrate

import (
	"runtime"
	"testing"
	"time"
)

// TestForgottenBackends changes the URL of an integration a thousand times; the
// hosts it no longer names don't pile up.
func TestForgottenBackends(t *testing.T) {
	u := NewUpstreams(UpstreamOptions{})
	defer u.Close()
	kept, err := NewHTTP(HTTPOptions{URI: "http://kept.example", Upstreams: u})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		if _, err := NewHTTP(HTTPOptions{URI: "http://host" + string(rune('a'+i%26)) + ".example:" + string(rune('1'+i%9)) + "000", Upstreams: u}); err != nil {
			t.Fatal(err)
		}
	}
	got := 0
	for range 10 { // the collector promises nothing of a single round
		runtime.GC()
		u.look(time.Now())
		u.mu.Lock()
		got = len(u.backends)
		u.mu.Unlock()
		if got == 1 {
			break
		}
	}
	if got != 1 {
		t.Errorf("%d backends are known, want the one in use", got)
	}
	if again, err := NewHTTP(HTTPOptions{URI: "http://kept.example/path", Upstreams: u}); err != nil || again.backend != kept.backend {
		t.Errorf("two integrations with one host have two pools (%v)", err)
	}
	runtime.KeepAlive(kept)
}
