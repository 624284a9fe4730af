package vtl

// What one rendering may cost. AWS states the first three.
const (
	// MaxTemplate is how long a template may be, in bytes.
	MaxTemplate = 300 << 10
	// maxOutput bounds the output, and any text on the way to it.
	maxOutput = 10 << 20
	// maxLoops bounds one #foreach.
	// UNVERIFIED: whether AWS fails there, as here, or goes on behind the loop.
	maxLoops = 1000
	// maxNesting bounds how deep directives, expressions and texts within texts
	// nest in a template.
	maxNesting = 100
	// maxMacros bounds how deep macros call macros, as Velocity does by default.
	maxMacros = 20
	// maxDepth bounds everything else that recurses when a template runs: blocks
	// within blocks, values within values.
	maxDepth = 1200
	// maxJSONDepth bounds how deep a message nests, as json-smart does.
	maxJSONDepth = 400
	// maxSteps bounds what a rendering does: a step is a node, an iteration, or
	// some tens of bytes looked at.
	maxSteps = 5_000_000
	// maxMade bounds the memory of all texts, lists and maps that a rendering
	// makes, whether it keeps them or not.
	maxMade = 128 << 20
	// maxItems bounds a list.
	maxItems = 1 << 18
)

// charge counts steps. When there were too many the rendering fails.
func (st *state) charge(n int) {
	st.steps += n
	if st.steps > maxSteps {
		st.fail(st.pos, "the template takes too many steps")
	}
}

// made counts memory. When there was too much the rendering fails.
func (st *state) made(n int) {
	st.memory += n
	st.charge(n >> 5)
	if st.memory > maxMade {
		st.fail(st.pos, "the template makes too much data")
	}
}

// enter goes one level deeper, or fails; leave comes back.
func (st *state) enter() bool {
	st.depth++
	if st.depth > maxDepth {
		st.fail(st.pos, "the template nests too deep")
		st.depth--
		return false
	}
	return st.err == nil || st.abandon()
}

func (st *state) leave() { st.depth-- }

// abandon is enter's way out of a rendering that failed.
func (st *state) abandon() bool {
	st.depth--
	return false
}

// tooLong tells that there is more output than may be, and fails then.
func (st *state) tooLong(dst []byte) bool {
	if len(dst)-st.base > maxOutput {
		st.fail(st.pos, "the output is longer than 10 MB")
	}
	return st.err != nil
}

// fits tells whether a text of n bytes may be made, and fails if not.
func (st *state) fits(n int) bool {
	if n < 0 || n > maxOutput {
		st.fail(st.pos, "a text is longer than 10 MB")
		return false
	}
	st.made(n)
	return st.err == nil
}

// fail records why and where a rendering failed; the first failure counts.
func (st *state) fail(pos int, reason string) {
	if st.err != nil {
		return
	}
	if st.within >= 0 {
		pos = st.within
	}
	st.err = st.t.errorAt(pos, reason)
}
