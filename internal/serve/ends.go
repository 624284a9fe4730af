package serve

import "hash/maphash"

const (
	// endQueues is how many queues the ends of connections wait in, endsAtOnce how
	// many of one queue are told at a time.
	endQueues  = 64
	endsAtOnce = 32
)

// ends bounds how many $disconnect routes run at a time: thousands of
// connections may end in one moment, when clients lose their network or the
// gateway stops, and a function must not be started for each. Stages share a
// queue by chance only, so that a slow one keeps few others waiting.
type ends struct {
	seed   maphash.Seed
	queues [endQueues]chan struct{}
}

func (e *ends) init() {
	e.seed = maphash.MakeSeed()
	for i := range e.queues {
		e.queues[i] = make(chan struct{}, endsAtOnce)
	}
}

// turn is where the ends of a stage's connections wait for their turn.
func (e *ends) turn(apiID, stage string) chan struct{} {
	return e.queues[maphash.Comparable(e.seed, [2]string{apiID, stage})%endQueues]
}
