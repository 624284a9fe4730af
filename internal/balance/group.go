package balance

import (
	"slices"
	"sync/atomic"
	"time"
)

// An Algorithm chooses among the targets of a group.
type Algorithm int

const (
	// RoundRobin takes them in turn.
	RoundRobin Algorithm = iota
	// LeastOutstanding takes one of those with the fewest requests under way.
	LeastOutstanding
)

// A Group is a set of targets. It outlives changes of its configuration.
type Group struct {
	// Key is what it was configured under.
	Key string

	usable atomic.Pointer[usable]
	next   atomic.Uint32

	// What follows is the Balancer's, under its lock.
	config  GroupConfig
	targets []*Target
	// unsound tells that no target was healthy when usable was made.
	unsound bool
}

// usable is what requests see of a group.
type usable struct {
	targets   []*Target
	algorithm Algorithm
	tls       bool
}

// TLS tells that the targets speak TLS, whose certificates nobody verifies.
func (g *Group) TLS() bool { return g.usable.Load().tls }

// Pick returns the target for a request, nil when there is none that isn't among
// those already tried. Where no target is healthy every one is taken for it, as
// load balancers do.
func (g *Group) Pick(now time.Time, tried ...*Target) *Target {
	u := g.usable.Load()
	n := uint32(len(u.targets))
	if n == 0 {
		return nil
	}
	start := g.next.Add(1)
	var best, suspected *Target
	least := int64(0)
	for i := range n {
		t := u.targets[(start+i)%n]
		if slices.Contains(tried, t) {
			continue
		}
		if until := t.suspect.Load(); until != 0 && until > now.UnixNano() {
			if suspected == nil {
				suspected = t
			}
			continue
		}
		if u.algorithm == RoundRobin {
			return t
		}
		if load := t.inFlight.Load(); best == nil || load < least {
			best, least = t, load
		}
	}
	if best == nil {
		return suspected
	}
	return best
}

// publish shows requests the targets that are fit for use. The Balancer is locked.
func (g *Group) publish() {
	u := &usable{algorithm: g.config.Algorithm, tls: g.config.TLS}
	for _, t := range g.targets {
		if s := t.health.State; s == Healthy || s == Unavailable || s == Unused {
			u.targets = append(u.targets, t)
		}
	}
	g.unsound = len(u.targets) == 0 && len(g.targets) > 0
	if g.unsound {
		u.targets = g.targets
	}
	g.usable.Store(u)
}

// checked tells whether the group's targets are checked. The Balancer is locked.
func (g *Group) checked() bool { return g.config.Check != nil && !g.config.Unused }

// newGroup makes a group that apply makes what it is to be.
func newGroup(key string) *Group {
	g := &Group{Key: key}
	g.usable.Store(&usable{})
	return g
}

// apply makes the group what the configuration says. A target that stays keeps
// its health unless it is now checked in another way.
func (g *Group) apply(c GroupConfig, now time.Time) {
	known := make(map[string]*Target, len(g.targets))
	for _, t := range g.targets {
		known[t.key] = t
	}
	same := sameChecks(g.config, c)
	targets := make([]*Target, 0, len(c.Targets))
	for _, tc := range c.Targets {
		t := known[tc.Key]
		if t == nil || t.Addr != tc.Addr {
			t = &Target{Addr: tc.Addr, key: tc.Key, due: now}
			t.begin(&c)
		} else {
			delete(known, tc.Key)
			if !same || t.checkAddr != tc.CheckAddr || c.Check == nil {
				t.due, t.passed, t.failed = now, 0, 0
				t.begin(&c)
			}
		}
		t.checkAddr = tc.CheckAddr
		targets = append(targets, t)
	}
	for _, t := range known {
		t.gone.Store(true)
	}
	g.config, g.targets = c, targets
	g.publish()
}

// begin sets the health that a target has until it is checked.
func (t *Target) begin(c *GroupConfig) {
	switch {
	case c.Unused:
		t.health = Health{Unused, "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"}
	case c.Check == nil:
		t.health = Health{Unavailable, "Target.HealthCheckDisabled", "Health checks are disabled"}
	default:
		t.health = Health{Initial, "Elb.InitialHealthChecking", "Initial health checks in progress"}
	}
}

func sameChecks(a, b GroupConfig) bool {
	if a.Unused != b.Unused || (a.Check == nil) != (b.Check == nil) {
		return false
	}
	return a.Check == nil || *a.Check == *b.Check
}
