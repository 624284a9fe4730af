package balance

import (
	"container/heap"
	"context"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// maxChecks bounds the health checks under way, and maxOwnerChecks those of one
// owner: targets that don't answer take a check's whole time, and must not keep
// others' from being checked.
const (
	maxChecks      = 512
	maxOwnerChecks = 64
)

// Options are what a Balancer works with. Zero values are as noted.
type Options struct {
	// Probe checks an address; nil is Probe.
	Probe func(ctx context.Context, c *Check, addr string) *Failure
	// Jitter yields numbers below 1 that spread checks; nil is rand.Float64.
	Jitter func() float64
	// Log is told of changes of health; nil discards them.
	Log *slog.Logger
}

// A Balancer knows all listeners and services, and checks targets. Listener,
// Service and what they return take no lock.
type Balancer struct {
	o       Options
	routes  atomic.Pointer[routes]
	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup
	wake    chan struct{}

	mu     sync.Mutex
	owners map[string]*owner
	groups map[string]*Group
	checks int // under way
}

// An owner is who had the Balancer know something, with its targets that wait to be
// checked.
type owner struct {
	config  Config
	waiting dueTargets
	checks  int // under way
}

type routes struct {
	listeners map[string]*Listener
	ports     map[Port]*Listener
	services  map[string]*Service
}

// A Port names a listener by its load balancer's key.
type Port struct {
	LoadBalancer string
	Port         int
}

// New makes a Balancer that knows nothing yet; Close stops it.
func New(o Options) *Balancer {
	if o.Probe == nil {
		o.Probe = Probe
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	b := &Balancer{o: o, wake: make(chan struct{}, 1), owners: map[string]*owner{}, groups: map[string]*Group{}}
	b.ctx, b.stop = context.WithCancel(context.Background())
	b.routes.Store(&routes{})
	b.running.Go(b.run)
	return b
}

// Close ends all checks.
func (b *Balancer) Close() {
	b.stop()
	b.running.Wait()
}

// Listener returns the listener with a key, nil for none.
func (b *Balancer) Listener(key string) *Listener { return b.routes.Load().listeners[key] }

// At returns the listener of a load balancer at a port, nil for none.
func (b *Balancer) At(p Port) *Listener { return b.routes.Load().ports[p] }

// Service returns the service with a key, nil for none.
func (b *Balancer) Service(key string) *Service { return b.routes.Load().services[key] }

// Apply replaces all that an owner had the Balancer know.
func (b *Balancer) Apply(name string, c Config) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.owners[name]
	if o == nil {
		o = &owner{}
		b.owners[name] = o
	}
	old := o.config
	kept := map[string]bool{}
	now := time.Now()
	for _, gc := range c.Groups {
		g := b.groups[gc.Key]
		if g == nil {
			g = newGroup(gc.Key)
			b.groups[gc.Key] = g
		}
		kept[gc.Key] = true
		if !slices.Equal(g.config.Targets, gc.Targets) || !g.config.same(&gc) {
			g.apply(gc, now)
		}
	}
	for _, gc := range old.Groups {
		if g := b.groups[gc.Key]; g != nil && !kept[gc.Key] {
			g.apply(GroupConfig{Key: gc.Key}, now)
			delete(b.groups, gc.Key)
		}
	}
	o.config = c
	o.wait(b.groups)
	b.publish(c, old)
	b.nudge()
}

// wait finds the targets that wait to be checked.
func (o *owner) wait(groups map[string]*Group) {
	clear(o.waiting)
	o.waiting = o.waiting[:0]
	for i := range o.config.Groups {
		g := groups[o.config.Groups[i].Key]
		if !g.checked() {
			continue
		}
		for _, t := range g.targets {
			if !t.checking {
				o.waiting = append(o.waiting, waiting{t, g})
			}
		}
	}
	heap.Init(&o.waiting)
}

// same tells whether nothing but the targets differs.
func (c *GroupConfig) same(o *GroupConfig) bool {
	return sameChecks(*c, *o) && c.Key == o.Key && c.Name == o.Name && c.Algorithm == o.Algorithm && c.TLS == o.TLS
}

// publish shows requests what an owner has now in place of what it had. b is
// locked.
func (b *Balancer) publish(c, old Config) {
	was := b.routes.Load()
	next := &routes{listeners: maps.Clone(was.listeners), ports: maps.Clone(was.ports), services: maps.Clone(was.services)}
	if next.listeners == nil {
		next.listeners, next.ports, next.services = map[string]*Listener{}, map[Port]*Listener{}, map[string]*Service{}
	}
	for i := range old.Listeners {
		delete(next.listeners, old.Listeners[i].Key)
		delete(next.ports, Port{old.Listeners[i].LoadBalancer, old.Listeners[i].Port})
	}
	for i := range old.Services {
		delete(next.services, old.Services[i].Key)
	}
	for i := range c.Listeners {
		lc := &c.Listeners[i]
		l := newListener(lc, b.groups)
		next.listeners[lc.Key], next.ports[Port{lc.LoadBalancer, lc.Port}] = l, l
	}
	for i := range c.Services {
		sc := &c.Services[i]
		next.services[sc.Key] = newService(sc, was.services[sc.Key])
	}
	b.routes.Store(next)
}

// Health returns the health of a group's targets by their keys, nil for a group
// that isn't there.
func (b *Balancer) Health(group string) map[string]Health {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.groups[group]
	if g == nil {
		return nil
	}
	all := make(map[string]Health, len(g.targets))
	for _, t := range g.targets {
		all[t.key] = t.health
	}
	return all
}

// A Count is how many targets of a group are in a state.
type Count struct {
	Group string
	State State
	N     int
}

// Counts tells how the targets of all groups are, in order.
func (b *Balancer) Counts() []Count {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []Count
	for _, key := range slices.Sorted(maps.Keys(b.groups)) {
		n := map[State]int{Healthy: 0, Unhealthy: 0}
		for _, t := range b.groups[key].targets {
			n[t.health.State]++
		}
		for _, s := range slices.Sorted(maps.Keys(n)) {
			all = append(all, Count{b.groups[key].config.Name, s, n[s]})
		}
	}
	return all
}

// nudge has run look again.
func (b *Balancer) nudge() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// run starts checks when they are due.
func (b *Balancer) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if next, ok := b.start(time.Now()); ok {
			timer.Reset(time.Until(next))
		} else {
			timer.Stop()
		}
		select {
		case <-b.ctx.Done():
			return
		case <-timer.C:
		case <-b.wake:
		}
	}
}

// start starts the checks that are due, and tells when the next one is. Where there are
// as many under way as there may be, the end of one wakes run, and who has none comes
// first.
func (b *Balancer) start(now time.Time) (next time.Time, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, most := range []int{1, maxOwnerChecks} {
		for _, o := range b.owners {
			if due, waits := b.startOf(o, most, now); waits && (!ok || due.Before(next)) {
				next, ok = due, true
			}
		}
	}
	return next, ok
}

// startOf starts the checks of an owner that are due, until so many are under way. It
// tells when the next one is, if none is due any more.
func (b *Balancer) startOf(o *owner, most int, now time.Time) (next time.Time, waits bool) {
	for len(o.waiting) > 0 {
		w := o.waiting[0]
		if w.target.due.After(now) {
			return w.target.due, true
		}
		if b.checks >= maxChecks || o.checks >= most || b.ctx.Err() != nil {
			break
		}
		heap.Pop(&o.waiting)
		b.checks++
		o.checks++
		w.target.checking = true
		check, addr := w.group.config.Check, w.target.checkAddr
		b.running.Go(func() { b.check(o, w, check, addr) })
	}
	return time.Time{}, false
}

// check checks a target once and takes the outcome into account.
func (b *Balancer) check(o *owner, w waiting, check *Check, addr string) {
	g, t := w.group, w.target
	ctx, cancel := context.WithTimeout(b.ctx, check.Timeout)
	failure := b.o.Probe(ctx, check, addr)
	cancel()
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.nudge()
	b.checks--
	o.checks--
	t.checking = false
	if !g.checked() || t.Gone() || b.ctx.Err() != nil {
		return
	}
	defer func() { heap.Push(&o.waiting, w) }()
	if *g.config.Check != *check || t.checkAddr != addr {
		return // what was checked is no longer what there is
	}
	// A tenth of the interval, so that checks of many targets don't fall together.
	t.due = time.Now().Add(check.Interval - time.Duration(b.o.Jitter()*float64(check.Interval)/10))
	before, unsound := t.health, g.unsound
	if !t.observe(check, failure) {
		return
	}
	g.publish()
	log := b.o.Log.With("target_group", g.config.Name, "target", t.Addr, "state", string(t.health.State), "was", string(before.State))
	if t.health.State == Unhealthy {
		log.Warn("a target is unhealthy", "reason", t.health.Description)
	} else {
		log.Info("a target is healthy")
	}
	if g.unsound && !unsound {
		b.o.Log.Warn("no target of a group is healthy: all of them get requests", "target_group", g.config.Name)
	}
}
