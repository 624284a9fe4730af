//go:build unix && !linux

package integrate

// unacknowledged can't be told here.
func (*socket) unacknowledged() int { return 0 }
