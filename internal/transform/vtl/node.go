package vtl

// A signal is how a node ended.
type signal uint8

const (
	goOn    signal = iota
	broken         // a #break looks for what it leaves
	stopped        // #stop, or a failure
)

// A node is a piece of a template that prints.
type node interface {
	render(st *state) signal
}

// An expr is a piece of a template that has a value. Whether it holds in an #if
// is another question than what it is: texts and numbers that are written out
// never do, a reference does unless it is false.
type expr interface {
	eval(st *state) value
	holds(st *state) bool
}

type nodes []node

func (list nodes) render(st *state) signal {
	for _, n := range list {
		st.charge(1)
		if s := n.render(st); s != goOn {
			return s
		}
		if st.tooLong(st.out) {
			return stopped
		}
	}
	return goOn
}

type textNode string

func (n textNode) render(st *state) signal {
	st.out = append(st.out, n...)
	return goOn
}

// set is #set($left = right). A right side without a value leaves things as
// they are.
type set struct {
	pos   int
	left  *reference
	right expr
}

func (n *set) render(st *state) signal {
	st.pos = n.pos
	if v := n.right.eval(st); v.k != null && st.err == nil {
		n.left.set(st, v)
	}
	return goOn
}

type branch struct {
	test expr // nil for #else
	body nodes
}

type ifNode struct{ branches []branch }

func (n *ifNode) render(st *state) signal {
	for i := range n.branches {
		b := &n.branches[i]
		if b.test == nil || b.test.holds(st) {
			return b.body.render(st)
		}
	}
	return goOn
}

type breakNode struct {
	pos   int
	scope expr // nil for the nearest
}

func (n *breakNode) render(st *state) signal {
	st.target = nil
	if n.scope == nil {
		return broken
	}
	v := n.scope.eval(st)
	l, ok := v.o.(*loopObject)
	if !ok {
		st.fail(n.pos, "#break can leave a $foreach only")
		return stopped
	}
	st.target = l
	return broken
}

type stopNode struct{}

func (stopNode) render(*state) signal { return stopped }

// define is #define($name) ... #end: the body is rendered where the name is
// printed.
type define struct {
	slot int
	body nodes
}

func (n *define) render(st *state) signal {
	st.assign(n.slot, value{k: block, o: &blockObject{body: n.body, frame: st.frame, most: maxDefine}})
	return goOn
}

// maxDefine is how often a block of #define may stand in itself; further in it
// prints nothing, as Velocity has it.
const maxDefine = 2

// A blockObject is a body with the macro it was written in.
type blockObject struct {
	body        nodes
	frame       *frame
	depth, most int
}

func (st *state) renderBlock(b *blockObject) signal {
	if b.depth >= b.most || !st.enter() {
		return goOn
	}
	defer st.leave()
	b.depth++
	caller := st.frame
	st.frame = b.frame
	s := b.body.render(st)
	st.frame = caller
	b.depth--
	return st.caught(s)
}

// caught is what is left of a signal where #break ends without naming a loop.
func (st *state) caught(s signal) signal {
	if s == broken && st.target == nil {
		return goOn
	}
	return s
}

// blockText is what a block prints, as a text. It may be asked for while
// something else is being written, so it is rendered elsewhere.
func (st *state) blockText(b *blockObject) string {
	out, base := st.out, st.base
	st.out, st.base = nil, 0
	st.renderBlock(b)
	s := string(st.out)
	st.out, st.base = out, base
	st.made(len(s))
	return s
}

// evaluate is #evaluate(text): a template that another makes.
type evaluate struct {
	pos int
	arg expr
}

func (n *evaluate) render(st *state) signal {
	source := st.text(n.arg.eval(st))
	st.pos = n.pos
	if !st.enter() {
		return stopped
	}
	defer st.leave()
	st.charge(10 * len(source))
	if st.err != nil {
		return stopped
	}
	body, failed := st.compile(source)
	if failed != nil {
		st.fail(n.pos, "#evaluate: "+failed.reason)
		return stopped
	}
	// What fails in there is said to fail here.
	placed := st.within
	if placed < 0 {
		st.within = n.pos
	}
	s := body.render(st)
	st.within = placed
	return st.caught(s)
}
