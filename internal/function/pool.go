package function

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// pool is the environments of one Spec.ID.
type pool struct {
	manager  *Manager
	function *concurrency // shared by the function's versions
	account  *concurrency // shared by the account's functions of a region

	mu         sync.Mutex
	idle       []*environment // the last freed is at the end and taken first
	waiters    []*waiter      // the first came first
	starting   int            // never fewer than waiters, so that nobody waits in vain
	live       int            // environments started and not yet stopped
	retired    bool
	gone       bool   // reaped: a new pool takes its place
	generation uint64 // counts changes of a hot-reload function's code
	code       uint64 // the fingerprint of the current generation
	usedAt     time.Time

	layersOnce sync.Once
	layers     string // all layers in one folder
	layersErr  error
}

// waiter is an invocation that found no idle environment.
type waiter struct {
	given chan grant // buffered, one
}

// errPoolGone: the pool was reaped between being found and being used.
var errPoolGone = errors.New("function: pool reaped")

type grant struct {
	env *environment
	err error
}

// acquire returns an environment: an idle one, else whichever comes first of one that is freed and one that is
// started for it.
func (p *pool) acquire(ctx context.Context, spec *Spec) (*environment, error) {
	p.mu.Lock()
	if p.gone {
		p.mu.Unlock()
		return nil, errPoolGone
	}
	for len(p.idle) > 0 {
		e := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if e.generation == p.generation && e.usable(time.Now()) {
			p.mu.Unlock()
			return e, nil
		}
		p.discard(e)
	}
	p.usedAt = time.Now()
	w := &waiter{given: make(chan grant, 1)}
	p.waiters = append(p.waiters, w)
	if p.starting < len(p.waiters) {
		p.starting++
		p.manager.wg.Go(func() { p.start(spec) })
	}
	p.mu.Unlock()

	select {
	case g := <-w.given:
		return g.env, g.err
	case <-ctx.Done():
	}
	p.mu.Lock()
	i := slices.Index(p.waiters, w)
	if i >= 0 {
		p.waiters = slices.Delete(p.waiters, i, i+1)
	}
	p.mu.Unlock()
	if i < 0 {
		// It was served just now.
		if g := <-w.given; g.env != nil {
			p.release(g.env)
		}
	}
	return nil, ctx.Err()
}

// start brings up one environment for whoever waits first when it is ready.
func (p *pool) start(spec *Spec) {
	e, err := p.launch(spec)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.starting--
	if e == nil && err == nil {
		return
	}
	p.give(grant{env: e, err: err})
}

// launch starts an environment, or returns nothing when nobody waits for it any more.
func (p *pool) launch(spec *Spec) (*environment, error) {
	if err := p.manager.takeSlot(p); err != nil {
		return nil, err
	}
	p.mu.Lock()
	wanted := len(p.waiters) > 0
	generation := p.generation
	if wanted {
		p.live++
	}
	p.mu.Unlock()
	if !wanted {
		p.manager.freeSlot()
		return nil, nil
	}
	e, err := p.manager.newEnvironment(p, spec)
	if err != nil {
		p.stopped()
		return nil, err
	}
	e.generation = generation
	if err := e.initialise(p.manager.options.InitTimeout); err != nil {
		p.stop(e)
		return nil, err
	}
	return e, nil
}

// give hands a grant to the first waiter, or keeps its environment. The caller holds mu.
func (p *pool) give(g grant) {
	if len(p.waiters) > 0 {
		w := p.waiters[0]
		p.waiters = slices.Delete(p.waiters, 0, 1)
		w.given <- g
		return
	}
	e := g.env
	if e == nil {
		return // a failure that concerns nobody
	}
	if p.retired || e.generation != p.generation || e.initFailure != nil || e.initTimedOut || p.manager.starved.Load() > 0 {
		p.discard(e)
		return
	}
	e.idleSince = time.Now()
	p.usedAt = e.idleSince
	p.idle = append(p.idle, e)
}

// release takes back an environment that can serve again.
func (p *pool) release(e *environment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.generation != p.generation {
		p.discard(e)
		return
	}
	p.give(grant{env: e})
}

// discard stops an environment without waiting for it.
func (p *pool) discard(e *environment) {
	p.manager.wg.Go(func() { p.stop(e) })
}

// stop ends an environment and gives its place back.
func (p *pool) stop(e *environment) {
	e.stop()
	p.manager.forget(e)
	p.stopped()
}

func (p *pool) stopped() {
	p.mu.Lock()
	p.live--
	p.mu.Unlock()
	p.manager.freeSlot()
}

// reload notes the fingerprint of a hot-reload function's code; environments of another are not used any more.
func (p *pool) reload(code uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if code == p.code {
		return
	}
	p.code = code
	p.generation++
	p.discardIdle(func(*environment) bool { return true })
}

// retire stops what is idle and, from now on, every environment after its invocation.
func (p *pool) retire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired = true
	p.discardIdle(func(*environment) bool { return true })
}

// reap stops environments that have been idle since before the given time, and reports whether the pool has been
// without any since then.
func (p *pool) reap(before, now time.Time) (empty bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.discardIdle(func(e *environment) bool { return e.idleSince.Before(before) || !e.usable(now) })
	p.gone = p.live == 0 && p.starting == 0 && len(p.waiters) == 0 && p.usedAt.Before(before)
	return p.gone
}

// evict stops the environment that has been idle longest, to make room for another pool's.
func (p *pool) evict() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return false
	}
	e := p.idle[0]
	p.idle = slices.Delete(p.idle, 0, 1)
	p.discard(e)
	return true
}

func (p *pool) discardIdle(which func(*environment) bool) {
	p.idle = slices.DeleteFunc(p.idle, func(e *environment) bool {
		if !which(e) {
			return false
		}
		p.discard(e)
		return true
	})
}
