package vtl

// A macro is what #macro defines.
type macro struct {
	name   string
	params []int // the variables that its parameters are
	body   nodes
}

// A macroCall is #name(args) or #@name(args) body #end.
type macroCall struct {
	pos  int
	name string
	// macro is nil if there is none of the name; then the call is printed as it
	// is written.
	macro   *macro
	literal string
	args    []expr
	body    nodes
	// bad is what is wrong with the arguments.
	bad *failure
}

// A frame is a macro while it runs. Its parameters are its arguments by name:
// what is read is evaluated where the macro was called, and what is set there,
// if it is a reference, is set there.
type frame struct {
	call   *macroCall
	caller *frame
	depth  int
	// local are parameters that were set without being references.
	local []value
}

func (n *macroCall) render(st *state) signal {
	if n.macro == nil {
		st.out = append(st.out, n.literal...)
		return goOn
	}
	f := &frame{call: n, caller: st.frame, depth: 1}
	if f.caller != nil {
		f.depth = f.caller.depth + 1
	}
	if f.depth > maxMacros {
		st.fail(n.pos, "macros call each other more than 20 deep")
		return stopped
	}
	if !st.enter() {
		return stopped
	}
	defer st.leave()
	st.frame = f
	s := n.macro.body.render(st)
	st.frame = f.caller
	return st.caught(s)
}

// param is the number of the parameter that a variable is, or -1.
func (f *frame) param(slot int) int {
	for i, s := range f.call.macro.params {
		if s == slot {
			return i
		}
	}
	return -1
}

// lookup is the value of a variable: that of the nearest macro which has it as a
// parameter, else the template's.
func (st *state) lookup(slot int) value {
	if st.frame == nil {
		return st.vars[slot]
	}
	return st.lookupFrom(st.frame, slot)
}

func (st *state) lookupFrom(f *frame, slot int) value {
	for ; f != nil; f = f.caller {
		if slot == slotBodyContent && f.call.body != nil {
			return value{k: block, o: &blockObject{body: f.call.body, frame: f.caller, most: maxMacros}}
		}
		i := f.param(slot)
		if i < 0 || i >= len(f.call.args) {
			continue
		}
		if f.local != nil && f.local[i].k != null {
			return f.local[i]
		}
		if !st.enter() {
			return value{}
		}
		defer st.leave()
		here := st.frame
		st.frame = f.caller
		v := f.call.args[i].eval(st)
		st.frame = here
		return v
	}
	return st.vars[slot]
}

// assign sets a variable.
func (st *state) assign(slot int, v value) {
	for f := st.frame; f != nil; f = f.caller {
		i := f.param(slot)
		if i < 0 || i >= len(f.call.args) {
			continue
		}
		if r, ok := f.call.args[i].(*reference); ok {
			here := st.frame
			st.frame = f.caller
			if st.enter() {
				r.set(st, v)
				st.leave()
			}
			st.frame = here
			return
		}
		if f.local == nil {
			f.local = make([]value, len(f.call.args))
		}
		f.local[i] = v
	}
	st.vars[slot] = v
}
