package plan

// longWork is from how many bytes on work on a body takes a turn.
const longWork = 64 << 10

// Turns let only so many exchanges at a time work on long bodies. A document
// takes many times the memory of its text while templates read it or a model is
// held against it, and all of that is work of the processor: more at a time
// than there are processors would take the memory of all and be no faster. A nil
// *Turns makes nobody wait.
type Turns struct{ taken chan struct{} }

// NewTurns makes room for n at a time.
func NewTurns(n int) *Turns { return &Turns{make(chan struct{}, n)} }

// Take waits for a turn if a body of length bytes needs one. Give, which gets
// what Take returned, ends it. Nobody may wait for anything in between, another
// turn least of all.
func (t *Turns) Take(length int) bool {
	if t == nil || length < longWork {
		return false
	}
	t.taken <- struct{}{}
	return true
}

// Give gives a turn back if one was taken.
func (t *Turns) Give(taken bool) {
	if taken {
		<-t.taken
	}
}
