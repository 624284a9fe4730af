package function

import "sync/atomic"

// concurrency counts invocations that run at once.
type concurrency struct {
	running atomic.Int64
}

// enter counts one more, unless limit are running.
func (c *concurrency) enter(limit int) bool {
	if c.running.Add(1) > int64(limit) {
		c.running.Add(-1)
		return false
	}
	return true
}

func (c *concurrency) leave() { c.running.Add(-1) }
