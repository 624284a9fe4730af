package function

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestConcurrency(t *testing.T) {
	m := newManager(t, Options{AccountConcurrency: 6, Isolation: IsolationNone})
	t.Run("grows", func(t *testing.T) {
		// Each waits for the others: they only return when all run at once.
		s := nodeSpec(t, "index.js", `
const fs = require('fs');
exports.handler = async (e) => {
	fs.writeFileSync(__dirname + '/here-' + process.pid, '');
	while (fs.readdirSync(__dirname).length < 5) await new Promise(r => setTimeout(r, 2));
	return process.pid;
}`)
		pids := map[string]bool{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				r, err := m.Invoke(t.Context(), s, &Invocation{})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				pids[string(r.Payload)] = true
				mu.Unlock()
			})
		}
		wg.Wait()
		if len(pids) != 4 {
			t.Errorf("got %d environments, want 4", len(pids))
		}
	})
	for _, tt := range []struct {
		name     string
		reserved *int
		calls    int
		refused  int
		reason   string
	}{
		{"reserved", new(2), 5, 3, ReasonReserved},
		{"reserved none", new(0), 2, 2, ReasonReserved},
		{"account", nil, 8, 2, ReasonAccount},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := nodeSpec(t, "index.js", heldCode)
			s.ReservedConcurrency = tt.reserved
			event, release := hold(t, s)
			outcomes := make(chan error, tt.calls)
			for range tt.calls {
				go func() {
					_, err := m.Invoke(t.Context(), s, &Invocation{Payload: []byte(event)})
					outcomes <- err
				}()
			}
			// Those that run do until the others have been refused.
			refused := 0
			for range tt.calls {
				err := <-outcomes
				if err == nil {
					continue
				}
				var e *Error
				if !errors.As(err, &e) || e.Kind != Throttled || e.Reason != tt.reason || e.Status() != 429 {
					t.Errorf("got %v", err)
				}
				if refused++; refused == tt.refused {
					release()
				}
			}
			if refused != tt.refused {
				t.Errorf("refused: got %d, want %d", refused, tt.refused)
			}
		})
	}
}

// With room for two environments, a function takes the place of another's idle one, and waits when all are busy.
func TestMaxEnvironments(t *testing.T) {
	m := newManager(t, Options{MaxEnvironments: 2})
	a := nodeSpec(t, "index.js", `exports.handler = async (e) => { await new Promise(r => setTimeout(r, 50)); return 'a' }`)
	b := *a
	b.ID += "b"
	var wg sync.WaitGroup
	for i := range 6 {
		s := a
		if i%2 == 1 {
			s = &b
		}
		wg.Go(func() { answers(t, invoke(t, m, s, `{}`), `"a"`) })
	}
	wg.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.live) > 2 {
		t.Errorf("got %d environments", len(m.live))
	}
}

// A start that waits for room gets that of the first environment that has nothing to do.
func TestStarved(t *testing.T) {
	m := newManager(t, Options{MaxEnvironments: 1})
	a := nodeSpec(t, "index.js", heldCode)
	b := *a
	b.ID += "b"
	answers(t, invoke(t, m, a, `{}`), `1`)
	event, release := hold(t, a)
	var wg sync.WaitGroup
	wg.Go(func() { answers(t, invoke(t, m, a, event), `2`) })
	awaitBusy(t, m, 1)
	wg.Go(func() { answers(t, invoke(t, m, &b, `{}`), `1`) })
	waitFor(t, "the second to wait for room", func() bool { return m.starved.Load() == 1 })
	release()
	wg.Wait()
	answers(t, invoke(t, m, a, `{}`), `1`)
}

func TestHotReload(t *testing.T) {
	m := newManager(t, Options{})
	s := nodeSpec(t, "index.js", `exports.handler = async () => 1`)
	s.HotReload = true
	answers(t, invoke(t, m, s, `{}`), `1`)
	if r := invoke(t, m, s, `{}`); r.InitDuration != 0 {
		t.Error("unchanged code was loaded again")
	}
	if err := os.WriteFile(filepath.Join(s.CodeDir, "index.js"), []byte(`exports.handler = async () => 'changed'`), 0o644); err != nil {
		t.Fatal(err)
	}
	answers(t, invoke(t, m, s, `{}`), `"changed"`)
}

func TestIdleIsReaped(t *testing.T) {
	m := newManager(t, Options{IdleTimeout: 30 * time.Millisecond})
	s := nodeSpec(t, "index.js", `exports.handler = async () => 1`)
	answers(t, invoke(t, m, s, `{}`), `1`)
	waitFor(t, "the environment and its pool to go", func() bool {
		_, there := m.pools.Load(s.ID)
		m.mu.Lock()
		defer m.mu.Unlock()
		return len(m.live) == 0 && !there
	})
}

func TestExpiredCredentials(t *testing.T) {
	m := newManager(t, Options{})
	s := nodeSpec(t, "index.js", `exports.handler = async () => process.env.AWS_ACCESS_KEY_ID`)
	n := 0
	s.Credentials = func() Credentials {
		n++
		return Credentials{AccessKeyID: fmt.Sprint("key", n), Expires: time.Now().Add(-time.Second)}
	}
	answers(t, invoke(t, m, s, `{}`), `"key1"`)
	answers(t, invoke(t, m, s, `{}`), `"key2"`)
}

func TestRetire(t *testing.T) {
	m := newManager(t, Options{})
	s := nodeSpec(t, "index.js", heldCode)
	answers(t, invoke(t, m, s, `{}`), `1`)
	event, release := hold(t, s)
	var wg sync.WaitGroup
	wg.Go(func() { answers(t, invoke(t, m, s, event), `2`) })
	awaitBusy(t, m, 1)
	m.Retire(s.ID)
	release()
	wg.Wait()
	answers(t, invoke(t, m, s, `{}`), `1`) // a request that still holds the old plan
	if n := poolSize(m, s); n != 0 {
		t.Errorf("%d environments left", n)
	}
}

func TestClose(t *testing.T) {
	o := Options{Executable: "/proc/self/exe", InitTimeout: time.Minute}
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s := nodeSpec(t, "index.js", heldCode)
	idle := *s
	idle.ID += "idle"
	answers(t, invoke(t, m, &idle, `{}`), `1`)
	event, release := hold(t, s)
	var wg sync.WaitGroup
	wg.Go(func() { answers(t, invoke(t, m, s, event), `1`) })
	awaitBusy(t, m, 1)
	closed := make(chan error, 1)
	go func() { closed <- m.Close(t.Context()) }()
	waitFor(t, "the close to begin", m.closed.Load)
	release()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	wg.Wait()
	var refused *Error
	if _, err := m.Invoke(t.Context(), s, &Invocation{}); !errors.As(err, &refused) || refused.Kind != Unavailable {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(m.tempDir); !os.IsNotExist(err) {
		t.Errorf("temporary folder: %v", err)
	}

	m, err = New(o)
	if err != nil {
		t.Fatal(err)
	}
	wg.Go(func() {
		fails(t, invoke(t, m, s, `{"until":"never"}`),
			`{"errorType":"Runtime.ExitError","errorMessage":"RequestId: `+testRequestID+` Error: Runtime exited with error: signal: killed"}`)
	})
	awaitBusy(t, m, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := m.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	wg.Wait()
}

// A storm of good and bad invocations: each gets its own answer, and nothing is left over.
func TestStorm(t *testing.T) { inBothModes(t, testStorm) }

func testStorm(t *testing.T, m *Manager) {
	s := nodeSpec(t, "index.js", `
exports.handler = async (e) => {
	switch (e.n % 8) {
	case 1: throw new Error('n' + e.n);
	case 2: await new Promise(r => setTimeout(r, 3)); break;
	case 3: if (e.n % 5 === 0) process.exit(e.n % 200);
	}
	return e;
}`)
	var wg sync.WaitGroup
	for worker := range 6 {
		wg.Go(func() {
			for i := range 30 {
				n := worker*1000 + i
				r, err := m.Invoke(t.Context(), s, &Invocation{Payload: fmt.Appendf(nil, `{"n":%d}`, n)})
				if err != nil {
					t.Error(err)
					return
				}
				want := fmt.Sprintf(`{"n":%d}`, n)
				switch {
				case n%8 == 1:
					want = fmt.Sprintf(`"errorMessage":"n%d"`, n)
				case n%8 == 3 && n%5 == 0 && n%200 == 0:
					want = "without providing a reason"
				case n%8 == 3 && n%5 == 0:
					want = fmt.Sprintf("exit status %d\"", n%200)
				}
				if !strings.Contains(string(r.Payload), want) {
					t.Errorf("%d: got %s", n, r.Payload)
				}
			}
		})
	}
	wg.Wait()
	p := m.poolOf(s)
	if p.function.running.Load() != 0 || p.account.running.Load() != 0 || m.inflight.Load() != 0 {
		t.Errorf("still counted: %d, %d, %d", p.function.running.Load(), p.account.running.Load(), m.inflight.Load())
	}
	waitFor(t, "broken environments to end", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.starting == 0 && p.live == len(p.idle)
	})
}
