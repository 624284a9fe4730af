package vtl

import "slices"

// listMethod are the methods of Java's List. What Java returns void for has no
// text; add and addAll return true, which a template prints unless it is set to
// something.
func listMethod(name string) method {
	switch name {
	case "size":
		return func(_ *state, on value, args []value) (value, bool) {
			return intValue(int64(len(on.list().items))), len(args) == 0
		}
	case "isEmpty":
		return func(_ *state, on value, args []value) (value, bool) {
			return boolValue(len(on.list().items) == 0), len(args) == 0
		}
	case "get":
		return listGet
	case "set":
		return listSet
	case "add":
		return listAdd
	case "addAll":
		return listAddAll
	case "remove":
		return listRemove
	case "contains", "indexOf", "lastIndexOf":
		return func(st *state, on value, args []value) (value, bool) {
			if len(args) != 1 {
				return value{}, false
			}
			return st.search(name, on.list().items, args[0]), true
		}
	case "containsAll":
		return listContainsAll
	case "subList":
		return listSub
	case "clear":
		return func(_ *state, on value, args []value) (value, bool) {
			if len(args) != 0 {
				return value{}, false
			}
			on.list().items = nil
			return nothing(), true
		}
	case "iterator", "listIterator":
		// Only #foreach can use it, and that goes over lists as well.
		return func(_ *state, on value, args []value) (value, bool) { return on, len(args) == 0 }
	}
	return nil
}

// at is the index that an argument is; it fails if there is no such element.
func (st *state) at(name string, arg value, n int) (int, bool) {
	if arg.n < 0 || arg.n >= int64(n) {
		st.throws(name, indexText(arg.n))
		return 0, false
	}
	return int(arg.n), true
}

func listGet(st *state, on value, args []value) (value, bool) {
	items := on.list().items
	if len(args) != 1 || args[0].k != integer {
		return value{}, false
	}
	if i, ok := st.at("get", args[0], len(items)); ok {
		return items[i], true
	}
	return value{}, true
}

func listSet(st *state, on value, args []value) (value, bool) {
	items := on.list().items
	if len(args) != 2 || args[0].k != integer {
		return value{}, false
	}
	i, ok := st.at("set", args[0], len(items))
	if !ok {
		return value{}, true
	}
	old := items[i]
	items[i] = args[1]
	return old, true
}

// grows counts what n more elements of a list are, or fails.
func (st *state) grows(l *listObject, n int) bool {
	if len(l.items)+n > maxItems {
		st.fail(st.pos, "a list has too many elements")
		return false
	}
	st.made(48 * n)
	return st.err == nil
}

func listAdd(st *state, on value, args []value) (value, bool) {
	l := on.list()
	switch {
	case len(args) == 1:
		if st.grows(l, 1) {
			l.items = append(l.items, args[0])
		}
		return boolValue(true), true
	case len(args) == 2 && args[0].k == integer:
		if i, ok := st.at("add", args[0], len(l.items)+1); ok && st.grows(l, 1) {
			st.charge(len(l.items))
			l.items = slices.Insert(l.items, i, args[1])
		}
		return nothing(), true
	}
	return value{}, false
}

func listAddAll(st *state, on value, args []value) (value, bool) {
	l := on.list()
	i := len(l.items)
	if len(args) == 2 && args[0].k == integer {
		at, ok := st.at("addAll", args[0], len(l.items)+1)
		if !ok {
			return value{}, true
		}
		i, args = at, args[1:]
	}
	if len(args) != 1 || args[0].k != list {
		return value{}, false
	}
	more := args[0].list().items
	if st.grows(l, len(more)) {
		st.charge(len(l.items) - i)
		l.items = slices.Insert(l.items, i, slices.Clone(more)...)
	}
	return boolValue(len(more) > 0), true
}

// listRemove is remove(index), which returns the element, or remove(element),
// which tells whether there was one.
func listRemove(st *state, on value, args []value) (value, bool) {
	l := on.list()
	if len(args) != 1 {
		return value{}, false
	}
	st.charge(len(l.items))
	if args[0].k == integer {
		i, ok := st.at("remove", args[0], len(l.items))
		if !ok {
			return value{}, true
		}
		old := l.items[i]
		l.items = slices.Delete(l.items, i, i+1)
		return old, true
	}
	i := st.search("indexOf", l.items, args[0]).n
	if i < 0 {
		return boolValue(false), true
	}
	l.items = slices.Delete(l.items, int(i), int(i)+1)
	return boolValue(true), true
}

func (st *state) search(name string, items []value, wanted value) value {
	found := -1
	for i := range items {
		at := i
		if name == "lastIndexOf" {
			at = len(items) - 1 - i
		}
		if st.err != nil {
			break
		}
		if st.same(items[at], wanted) {
			found = at
			break
		}
	}
	if name == "contains" {
		return boolValue(found >= 0)
	}
	return intValue(int64(found))
}

func listContainsAll(st *state, on value, args []value) (value, bool) {
	if len(args) != 1 || args[0].k != list {
		return value{}, false
	}
	for _, wanted := range args[0].list().items {
		if st.err != nil || !st.search("contains", on.list().items, wanted).isTrue() {
			return boolValue(false), true
		}
	}
	return boolValue(true), true
}

// listSub is subList(from, to), here a list of its own. It isn't printed as
// JSON.
// UNVERIFIED: how AWS prints a part of one of JSON's lists.
func listSub(st *state, on value, args []value) (value, bool) {
	items := on.list().items
	if len(args) != 2 || args[0].k != integer || args[1].k != integer {
		return value{}, false
	}
	from, to := args[0].n, args[1].n
	if from < 0 || to > int64(len(items)) || from > to {
		return st.throws("subList", "the index is out of range")
	}
	st.made(48 * int(to-from))
	return listValue(&listObject{items: slices.Clone(items[from:to])}), true
}
