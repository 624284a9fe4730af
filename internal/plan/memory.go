package plan

import (
	"errors"
	"sync/atomic"
)

// ErrCrowded is the error of a body that can't be held whole because the others
// that are held leave no room.
var ErrCrowded = errors.New("too many long bodies are held at the moment")

// Memory bounds what all exchanges together hold of long bodies. Each may have
// megabytes that a client chooses to send, and as many come as there are
// connections; those that are passed on as they come take no room.
type Memory struct {
	limit int64
	held  atomic.Int64
}

// NewMemory makes room for limit bytes.
func NewMemory(limit int64) *Memory { return &Memory{limit: limit} }

// Held is how many bytes are held.
func (m *Memory) Held() int64 { return m.held.Load() }

// Hold takes room for n more bytes of a body, which the exchange has until it is
// reset. Its error is ErrCrowded, and stands for the exchange: Crowded tells of it.
func (x *Exchange) Hold(n int) error {
	if x.Memory == nil || n <= 0 {
		return nil
	}
	if x.Memory.held.Add(int64(n)) > x.Memory.limit {
		x.Memory.held.Add(-int64(n))
		x.crowded = true
		return ErrCrowded
	}
	x.held += int64(n)
	return nil
}

// Crowded tells that there was no room for a body.
func (x *Exchange) Crowded() bool { return x.crowded }

// release gives back what the exchange held.
func (x *Exchange) release() {
	if x.held > 0 {
		x.Memory.held.Add(-x.held)
	}
}
