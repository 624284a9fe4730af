package socket

import "time"

// beginSweep has the sweep look at connections, now that there are some.
func (r *Registry) beginSweep() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.sweeping {
		r.sweeping = true
		r.swept.Go(r.sweep)
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// sweep bounds the time of connections. One goroutine looks at all of them, so
// that none costs a timer.
func (r *Registry) sweep() {
	every := max(min(time.Second, r.IdleTimeout/10, r.Lifetime/10, r.StallTimeout/10), time.Millisecond)
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-r.quit:
			return
		case <-t.C:
		}
		now := r.Clock()
		r.local.each(func(c *Conn) {
			c.check(now.UnixNano())
			c.handler.Check(c, now)
		})
		if r.local.len() > 0 {
			continue
		}
		select {
		case <-r.quit:
			return
		case <-r.wake:
		}
	}
}

// check ends a connection that is too old, idle for too long, or stuck.
func (c *Conn) check(now int64) {
	over := func(since int64, limit time.Duration) bool { return since != 0 && now-since > int64(limit) }
	switch {
	case over(c.writingSince.Load(), c.r.StallTimeout):
		c.sever()
	case over(c.connectedAt, c.r.Lifetime), over(c.active.Load(), c.r.IdleTimeout),
		// UNVERIFIED: what AWS does with half a frame.
		over(c.reading.Load(), c.r.StallTimeout):
		c.goAway()
	}
}

// goAway ends a connection as AWS ends one that is idle or old.
func (c *Conn) goAway() {
	// One that is ending already needs no second reason.
	_ = c.Close(goingAway, goingAwayReason)
}
