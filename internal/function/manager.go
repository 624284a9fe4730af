package function

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/function/bootstrap"
)

// Manager owns the environments of all functions.
type Manager struct {
	options      Options
	terminal     *terminal
	interpreters *interpreters
	sandbox      *sandbox // nil: plain processes
	notIsolated  string   // why sandbox is nil
	tempDir      string
	ownsTempDir  bool
	hasBundle    bool // of the host's authorities with the gateway's own

	pools    sync.Map // Spec.ID → *pool
	counters sync.Map // function or account → *concurrency
	slots    chan struct{}
	starved  atomic.Int64 // starts that wait for a slot
	closing  chan struct{}
	wg       sync.WaitGroup // every goroutine

	closed   atomic.Bool
	inflight atomic.Int64
	idle     chan struct{} // told when inflight falls to zero while closing

	mu   sync.Mutex
	live map[*environment]struct{}
}

// New returns a manager. Close stops it.
func New(o Options) (*Manager, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	o.IdleTimeout = orElse(o.IdleTimeout, 10*time.Minute)
	o.InitTimeout = orElse(o.InitTimeout, 10*time.Second)
	o.MaxEnvironments = orElse(o.MaxEnvironments, 1000)
	o.AccountConcurrency = orElse(o.AccountConcurrency, 1000)
	m := &Manager{
		options:      o,
		interpreters: newInterpreters(o.Logger),
		tempDir:      o.TempDir,
		slots:        make(chan struct{}, o.MaxEnvironments),
		closing:      make(chan struct{}),
		idle:         make(chan struct{}, 1),
		live:         map[*environment]struct{}{},
	}
	if o.Terminal != nil {
		m.terminal = &terminal{to: o.Terminal}
	}
	if o.ModulesDir != "" {
		dir, err := filepath.Abs(o.ModulesDir)
		if err != nil {
			return nil, fmt.Errorf("function modules: %w", err)
		}
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("function modules: %s is not a folder", dir)
		}
		m.options.ModulesDir = dir
	}
	if m.tempDir == "" {
		dir, err := os.MkdirTemp("", "gatehouse-function-")
		if err != nil {
			return nil, fmt.Errorf("function: %w", err)
		}
		m.tempDir, m.ownsTempDir = dir, true
	}
	// A gateway that was killed may have left some.
	if err := os.RemoveAll(m.layersDir()); err != nil {
		return nil, fmt.Errorf("function: %w", err)
	}
	if err := m.unpackBootstraps(); err != nil {
		m.removeTempDir()
		return nil, err
	}
	if err := m.unpackAuthorities(); err != nil {
		m.removeTempDir()
		return nil, err
	}
	m.sandbox, m.notIsolated = newSandbox(m.options, m.tempDir)
	m.wg.Go(m.watch)
	return m, nil
}

func orElse[T time.Duration | int](value, otherwise T) T {
	if value == 0 {
		return otherwise
	}
	return value
}

// unpackBootstraps writes the bootstraps where interpreters and isolated environments can read them.
func (m *Manager) unpackBootstraps() error {
	if err := os.MkdirAll(m.runtimeDir(), 0o755); err != nil {
		return fmt.Errorf("function: %w", err)
	}
	for _, name := range []string{"node.cjs", "python.py"} {
		text, err := bootstrap.Files.ReadFile(name)
		if err != nil {
			return fmt.Errorf("function: %w", err)
		}
		if err := os.WriteFile(filepath.Join(m.runtimeDir(), name), text, 0o644); err != nil {
			return fmt.Errorf("function: %w", err)
		}
	}
	return nil
}

func (m *Manager) runtimeDir() string { return filepath.Join(m.tempDir, "runtime") }

func (m *Manager) removeTempDir() {
	if !m.ownsTempDir {
		return
	}
	if err := os.RemoveAll(m.tempDir); err != nil {
		m.options.Logger.Warn("temporary folder left behind", slog.Any("error", err))
	}
}

// Isolated reports whether functions run in namespaces of their own, and if not, why.
func (m *Manager) Isolated() (isolated bool, reason string) {
	return m.sandbox != nil, m.notIsolated
}

// Invoke runs one invocation to its end. The error is a *[Error] when the service couldn't run the function, or
// ctx's own: then the function, if it got the event, runs on until it answers or times out, as it does at AWS.
func (m *Manager) Invoke(ctx context.Context, spec *Spec, inv *Invocation) (*Result, error) {
	if len(inv.Payload) > maxRequestPayload {
		return nil, refusef(RequestTooLarge, "%d byte payload is too large for the RequestResponse invocation type (limit %d bytes)",
			len(inv.Payload), maxRequestPayload)
	}
	spec = spec.withDefaults()
	m.inflight.Add(1)
	if m.closed.Load() {
		m.leave()
		return nil, refusef(Unavailable, "The gateway is shutting down.")
	}
	p := m.poolOf(spec)
	if err := p.enter(m, spec); err != nil {
		m.leave()
		return nil, err
	}
	result, err, detached := m.invoke(ctx, p, spec, inv)
	if !detached {
		m.leaveWith(p)
	}
	return result, err
}

// enter counts an invocation against the limits.
func (p *pool) enter(m *Manager, spec *Spec) error {
	if !p.account.enter(m.options.AccountConcurrency) {
		return throttled(ReasonAccount)
	}
	limit := m.options.AccountConcurrency
	if spec.ReservedConcurrency != nil {
		limit = *spec.ReservedConcurrency
	}
	if !p.function.enter(limit) {
		p.account.leave()
		return throttled(ReasonReserved)
	}
	return nil
}

func (m *Manager) leaveWith(p *pool) {
	p.function.leave()
	p.account.leave()
	m.leave()
}

func (m *Manager) leave() {
	if m.inflight.Add(-1) == 0 && m.closed.Load() {
		select {
		case m.idle <- struct{}{}:
		default:
		}
	}
}

// invoke finds an environment and runs the invocation in it. Detached says that the invocation goes on without its
// caller and leaves the counts by itself.
func (m *Manager) invoke(ctx context.Context, p *pool, spec *Spec, inv *Invocation) (r *Result, err error, detached bool) {
	if spec.HotReload {
		p.reload(fingerprint(spec.CodeDir))
	}
	call := *inv
	if len(call.Payload) == 0 {
		call.Payload = []byte("{}")
	}
	if call.RequestID == "" {
		call.RequestID = newRequestID()
	}
	if call.InvokedARN == "" {
		call.InvokedARN = spec.ARN
	}
	e, err := p.acquire(ctx, spec)
	for errors.Is(err, errPoolGone) {
		p = m.poolOf(spec)
		e, err = p.acquire(ctx, spec)
	}
	var entrypoint *entrypointError
	if errors.As(err, &entrypoint) {
		return entrypoint.result(spec, &call), nil, false
	}
	if err != nil {
		return nil, err, false
	}
	if e.initTimedOut {
		// AWS starts over within the invocation's own time.
		if e, err = m.startOver(p, e); err != nil {
			return nil, err, false
		}
	}
	left := false
	r, err = e.invoke(ctx, &call, func(keep bool) {
		p.finished(e, keep)
		if left {
			m.leaveWith(p)
		}
	}, func() { left = true })
	return r, err, left
}

// startOver replaces an environment whose init phase ran out of time.
func (m *Manager) startOver(p *pool, old *environment) (*environment, error) {
	p.stop(old)
	if err := m.takeSlot(p); err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.live++
	p.mu.Unlock()
	e, err := m.newEnvironment(p, old.spec)
	if err != nil {
		p.stopped()
		return nil, err
	}
	e.generation = old.generation
	if err := e.initialise(e.spec.Timeout); err != nil {
		p.stop(e)
		return nil, err
	}
	e.initLate = true
	return e, nil
}

// finished takes back an environment after an invocation.
func (p *pool) finished(e *environment, keep bool) {
	p.mu.Lock()
	keep = keep && (!p.retired || len(p.waiters) > 0)
	p.mu.Unlock()
	if keep {
		p.release(e)
		return
	}
	p.discard(e)
}

// poolOf finds the pool of a spec.
func (m *Manager) poolOf(spec *Spec) *pool {
	if p, ok := m.pools.Load(spec.ID); ok {
		return p.(*pool)
	}
	account := spec.AccountID + ":" + spec.Region
	p, _ := m.pools.LoadOrStore(spec.ID, &pool{
		manager:  m,
		account:  m.counter(account),
		function: m.counter(account + ":" + spec.Name),
		usedAt:   time.Now(),
	})
	return p.(*pool)
}

func (m *Manager) counter(of string) *concurrency {
	c, _ := m.counters.LoadOrStore(of, new(concurrency))
	return c.(*concurrency)
}

// Retire takes a version out of service: its idle environments stop now, others after their invocation. Requests that
// still hold its spec are served, by environments that are used once.
func (m *Manager) Retire(specID string) {
	if p, ok := m.pools.Load(specID); ok {
		p.(*pool).retire()
	}
}

// Close finishes what is in flight until ctx ends, then kills what is left. No process survives it.
func (m *Manager) Close(ctx context.Context) error {
	if m.closed.Swap(true) {
		m.wg.Wait()
		return nil
	}
	var err error
	for m.inflight.Load() > 0 && err == nil {
		select {
		case <-m.idle:
		case <-ctx.Done():
			err = fmt.Errorf("function: invocations cut off: %w", ctx.Err())
		}
	}
	close(m.closing)
	m.mu.Lock()
	for e := range m.live {
		e.process.kill()
	}
	m.mu.Unlock()
	for m.inflight.Load() > 0 {
		<-m.idle
	}
	m.pools.Range(func(_, p any) bool {
		p.(*pool).retire()
		return true
	})
	m.wg.Wait()
	m.pools.Range(func(_, p any) bool {
		m.dropLayers(p.(*pool))
		return true
	})
	m.removeTempDir()
	return err
}

// takeSlot waits for room for one more environment, taking it from an idle one of another function if need be.
func (m *Manager) takeSlot(p *pool) error {
	select {
	case m.slots <- struct{}{}:
		return nil
	default:
	}
	// From now on no environment stays idle until there is room.
	m.starved.Add(1)
	defer m.starved.Add(-1)
	m.pools.Range(func(_, other any) bool { return other == p || !other.(*pool).evict() })
	select {
	case m.slots <- struct{}{}:
		return nil
	case <-m.closing:
		return refusef(Unavailable, "The gateway is shutting down.")
	}
}

func (m *Manager) freeSlot() { <-m.slots }

// newEnvironment starts a process for the spec.
func (m *Manager) newEnvironment(p *pool, spec *Spec) (*environment, error) {
	now := m.options.Clock()
	source := &LogSource{
		AccountID: spec.AccountID, Region: spec.Region, Group: spec.LogGroup, Stream: logStreamName(now, spec.Version),
		Function: spec.Name,
	}
	log := &logWriter{source: source, sink: m.options.Logs, terminal: m.terminal, clock: m.options.Clock, json: newJSONLog(spec)}
	e := &environment{pool: p, spec: spec, log: log}
	if err := m.launch(e); err != nil {
		var refused *Error
		if errors.As(err, &refused) {
			return nil, refused
		}
		var entrypoint *entrypointError
		if errors.As(err, &entrypoint) {
			entrypoint.log = log
			return nil, entrypoint
		}
		return nil, &Error{Kind: StartFailed, Message: "The function's process couldn't be started", Err: err}
	}
	m.mu.Lock()
	m.live[e] = struct{}{}
	m.mu.Unlock()
	select {
	case <-m.closing:
		e.process.kill()
	default:
	}
	return e, nil
}

func (m *Manager) forget(e *environment) {
	m.mu.Lock()
	delete(m.live, e)
	m.mu.Unlock()
}

const (
	memoryInterval = 100 * time.Millisecond
	reapInterval   = 5 * time.Second
)

// watch stops environments that use too much memory or have been idle too long.
func (m *Manager) watch() {
	memory := time.NewTicker(memoryInterval)
	defer memory.Stop()
	reap := time.NewTicker(min(reapInterval, max(m.options.IdleTimeout/4, time.Millisecond)))
	defer reap.Stop()
	for {
		select {
		case <-m.closing:
			return
		case <-memory.C:
			m.checkMemory()
		case <-reap.C:
			m.reap(time.Now())
		}
	}
}

func (m *Manager) checkMemory() {
	if m.inflight.Load() == 0 {
		return
	}
	m.mu.Lock()
	var busy []*environment
	for e := range m.live {
		if e.busy.Load() {
			busy = append(busy, e)
		}
	}
	m.mu.Unlock()
	for _, e := range busy {
		if e.spec.MemoryMB > 0 && e.meter.private() > int64(e.spec.MemoryMB)<<20 {
			e.tooBig.Store(true)
			e.process.kill()
		}
	}
}

func (m *Manager) reap(now time.Time) {
	m.pools.Range(func(id, p any) bool {
		if p.(*pool).reap(now.Add(-m.options.IdleTimeout), now) {
			m.pools.CompareAndDelete(id, p)
			m.dropLayers(p.(*pool))
		}
		return true
	})
}

// newRequestID makes a random UUID.
func newRequestID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
