package serve

import "time"

// minBodyRate is how many bytes a second a body has to bring when its client
// has used up the time for which it may bring none: a byte now and then would
// keep a connection, and one to a backend, for as long as the client likes.
// Apache asks for as much.
const minBodyRate = 500

// A pace is how fast a body comes: how long its client has been waited for,
// beyond what the bytes it brought were worth.
type pace struct{ owed time.Duration }

// note notes a read that took some time and brought n bytes.
func (p *pace) note(n int, took time.Duration) {
	p.owed = max(p.owed+took-time.Duration(n)*(time.Second/minBodyRate), 0)
}

// left is for how long the client may still be waited for, when a body may
// make no progress for as long as stall.
func (p *pace) left(stall time.Duration) time.Duration { return stall - p.owed }
