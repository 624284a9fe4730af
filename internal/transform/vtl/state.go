package vtl

import "gatehouse/internal/plan"

// The variables that every template has, by where they are kept.
const (
	slotInput = iota
	slotUtil
	slotStageVariables
	slotContext
	slotBodyContent
	slotForeach
	slotCount
	slotHasNext
)

// ownVariables are their names, in the same order.
func ownVariables() []string {
	return []string{"input", "util", "stageVariables", "context", "bodyContent", "foreach", "velocityCount", "velocityHasNext"}
}

// A state is one rendering. Templates keep states for later renderings.
type state struct {
	t     *Template
	scope *Scope
	err   *Error

	// out is the output; what is before base was there before.
	out  []byte
	base int
	vars []value
	// args are the arguments of methods that are being called.
	args  []value
	frame *frame
	// target is the loop that a #break leaves, nil for the nearest.
	target *loopObject
	// pos is where the template is, for what fails without knowing it. within is
	// where the outermost #evaluate stands, -1 outside of all.
	pos, within int

	steps, memory, depth int

	// extra are variables that texts given to #evaluate brought.
	extra map[string]int

	message   message
	params    *mapObject
	places    [3]*mapObject
	request   *mapObject // $context.requestOverride
	response  *mapObject // $context.responseOverride
	overrides []overrideName

	reader   jsonReader
	patterns map[string]*pattern
	paths    map[string]*jsonPath
}

// reset makes a state ready for a rendering.
func (st *state) reset(t *Template, dst []byte, s *Scope) {
	*st = state{
		t: t, scope: s, out: dst, base: len(dst), within: -1,
		vars: st.vars[:0], args: st.args[:0], overrides: st.overrides[:0],
		reader: st.reader, patterns: st.patterns, paths: st.paths,
	}
	if cap(st.vars) < len(t.slots) {
		st.vars = make([]value, 0, len(t.slots))
	}
	st.vars = st.vars[:len(t.slots)]
	clear(st.vars)
	st.vars[slotInput].k = inputObject
	st.vars[slotUtil].k = utilObject
	if t.usesStageVariables {
		st.vars[slotStageVariables] = dictValue(&mapObject{source: stageVariables{}})
	}
	if t.usesContext {
		st.vars[slotContext] = dictValue(&mapObject{source: contextMap(""), quiet: true})
	}
}

// release drops what a rendering held, so that a state at rest keeps nothing of
// a request alive.
func (st *state) release() {
	clear(st.vars)
	clear(st.args[:cap(st.args)])
	st.scope, st.out, st.frame, st.target, st.err = nil, nil, nil, nil, nil
	st.message = message{}
	st.params, st.places, st.request, st.response = nil, [3]*mapObject{}, nil, nil
	if cap(st.reader.vals) > 4096 {
		st.reader.vals, st.reader.keys = nil, nil
	}
	if cap(st.vars) > 2*len(st.t.slots)+16 {
		st.vars = nil
	}
	clear(st.overrides)
	st.overrides = st.overrides[:0]
	st.extra = nil
}

// compile reads a text for #evaluate. Its variables are those of the template
// and of texts that were evaluated before.
func (st *state) compile(source string) (nodes, *failure) {
	if st.extra == nil {
		st.extra = map[string]int{}
	}
	c := &compiler{known: st.t.slots, slots: st.extra, macros: map[string]*macro{}, outer: st.t.macros}
	p := parser{c: c, src: source}
	body := p.template()
	for len(st.vars) < len(st.t.slots)+len(st.extra) {
		st.vars = append(st.vars, value{})
	}
	return body, c.err
}

// overrideName names an override that this rendering set.
type overrideName struct {
	group plan.OverrideGroup
	name  string
}
