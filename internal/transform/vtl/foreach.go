package vtl

// foreach is #foreach($x in over) ... #end.
type foreach struct {
	pos  int
	slot int
	over expr
	body nodes
}

// A loopObject is $foreach.
type loopObject struct {
	index   int
	hasNext bool
	parent  *loopObject
}

func (l *loopObject) member(name string) value {
	switch name {
	case "index":
		return intValue(int64(l.index))
	case "count":
		return intValue(int64(l.index + 1))
	case "hasNext":
		return boolValue(l.hasNext)
	case "first":
		return boolValue(l.index == 0)
	case "last":
		return boolValue(!l.hasNext)
	case "parent":
		if l.parent != nil {
			return value{k: loop, o: l.parent}
		}
	case "topmost":
		for l.parent != nil {
			l = l.parent
		}
		return value{k: loop, o: l}
	}
	return value{}
}

// items are what a loop goes over: a list's elements, a map's values. All else
// can't be gone over, and the loop isn't entered.
func (st *state) items(v value) []value {
	switch v.k {
	case list:
		return v.list().items
	case dict:
		v.dict().load(st)
		return v.dict().vals
	}
	return nil
}

func (n *foreach) render(st *state) signal {
	items := st.items(n.over.eval(st))
	if len(items) == 0 || st.err != nil || !st.enter() {
		return goOn
	}
	defer st.leave()
	outer, count, hasNext, element := st.vars[slotForeach], st.vars[slotCount], st.vars[slotHasNext], st.lookup(n.slot)
	l := &loopObject{}
	l.parent, _ = outer.o.(*loopObject)
	s := n.loop(st, l, items)
	st.vars[slotForeach], st.vars[slotCount], st.vars[slotHasNext] = outer, count, hasNext
	st.assign(n.slot, element)
	return s
}

func (n *foreach) loop(st *state, l *loopObject, items []value) signal {
	for i := range items {
		if i == maxLoops {
			// Velocity, too, says nothing when it ends a loop.
			break
		}
		st.charge(1)
		if st.err != nil {
			return stopped
		}
		l.index, l.hasNext = i, i+1 < len(items)
		st.vars[slotForeach] = value{k: loop, o: l}
		st.vars[slotCount] = intValue(int64(i + 1))
		st.vars[slotHasNext] = boolValue(l.hasNext)
		st.assign(n.slot, items[i])
		switch n.body.render(st) {
		case stopped:
			return stopped
		case broken:
			if st.target == nil || st.target == l {
				st.target = nil
				return goOn
			}
			return broken
		}
	}
	return goOn
}
