package plan

import (
	"slices"
	"strings"
)

// A pattern is a route's path as the tree spells it: the decoded literal texts
// between the variables ("/a/{x}/b" is "/a/" and "/b"). A greedy variable at
// the end isn't among the gaps.
type pattern struct {
	parts  []string
	greedy bool
}

func parsePattern(path string) pattern {
	var p pattern
	literal := make([]byte, 0, len(path))
	for i := 0; i < len(path); {
		start := i + separatorWidth(path, i)
		literal = append(literal, '/')
		i = segmentEnd(path, start)
		_, greedy, ok := variable(path[start:i])
		if !ok {
			literal = AppendDecoded(literal, path[start:i])
			continue
		}
		if greedy {
			p.greedy = true
			break
		}
		p.parts = append(p.parts, string(literal))
		literal = literal[:0]
	}
	p.parts = append(p.parts, string(literal))
	return p
}

// with returns a copy of n that has the route at the end of parts, and whether
// it has one route more.
func (n *node) with(parts []string, greedy bool, route *Route) (*node, bool) {
	next := *n
	var added bool
	switch {
	case parts[0] != "":
		added = next.addLiteral(parts, greedy, route)
	case len(parts) > 1:
		param := next.param
		if param == nil {
			param = &node{}
		}
		next.param, added = param.with(parts[1:], greedy, route)
	case greedy:
		next.greedy, added = n.greedy.with(route)
	default:
		next.ends, added = n.ends.with(route)
	}
	return &next, added
}

// addLiteral adds the route below the child for the text parts[0]. n is a copy
// no one else has seen, its slices are not.
func (n *node) addLiteral(parts []string, greedy bool, route *Route) bool {
	text := parts[0]
	labels := n.labels()
	k := strings.IndexByte(labels, text[0])
	if k < 0 {
		kid, _ := (&node{text: text}).with(rest(parts, len(text)), greedy, route)
		k = 0
		for k < len(labels) && labels[k] < text[0] {
			k++
		}
		n.text = n.prefix() + labels[:k] + text[:1] + labels[k:]
		n.kids = slices.Insert(slices.Clip(n.kids), k, kid)
		return true
	}
	kid := n.kids[k]
	common := commonPrefix(kid.prefix(), text)
	if common < len(kid.prefix()) {
		lower := *kid
		lower.text = kid.text[common:]
		kid = &node{text: kid.text[:common+1], kids: []*node{&lower}}
	}
	kid, added := kid.with(rest(parts, common), greedy, route)
	n.kids = slices.Clone(n.kids)
	n.kids[k] = kid
	return added
}

// without returns a copy of n that lacks the route, nil when nothing is left
// below it, and whether there was one to take away.
func (n *node) without(parts []string, greedy bool, method, path string) (*node, bool) {
	next := *n
	var removed bool
	switch {
	case parts[0] != "":
		removed = next.removeLiteral(parts, greedy, method, path)
	case len(parts) > 1:
		if n.param != nil {
			next.param, removed = n.param.without(parts[1:], greedy, method, path)
		}
	case greedy:
		next.greedy, removed = n.greedy.without(method, path)
	default:
		next.ends, removed = n.ends.without(method, path)
	}
	if !removed {
		return n, false
	}
	return next.tidy(), true
}

func (n *node) removeLiteral(parts []string, greedy bool, method, path string) bool {
	text := parts[0]
	labels := n.labels()
	k := strings.IndexByte(labels, text[0])
	if k < 0 || !strings.HasPrefix(text, n.kids[k].prefix()) {
		return false
	}
	kid, removed := n.kids[k].without(rest(parts, len(n.kids[k].prefix())), greedy, method, path)
	if !removed {
		return false
	}
	n.kids = slices.Clone(n.kids)
	if kid != nil {
		n.kids[k] = kid
		return true
	}
	n.text = n.prefix() + labels[:k] + labels[k+1:]
	n.kids = slices.Delete(n.kids, k, k+1)
	if len(n.kids) == 0 {
		n.kids = nil
	}
	return true
}

// tidy brings a node from which something was taken into the form it would have
// if that had never been there.
func (n *node) tidy() *node {
	if n.param != nil || n.ends != nil || n.greedy != nil || len(n.kids) > 1 {
		return n
	}
	if len(n.kids) == 0 {
		return nil
	}
	// The root and the node after a variable have no text, and keep their place.
	if n.prefix() == "" {
		return n
	}
	only := *n.kids[0]
	only.text = n.prefix() + only.text
	return &only
}

// rest returns parts without the first n bytes of the first one.
func rest(parts []string, n int) []string {
	next := slices.Clone(parts)
	next[0] = next[0][n:]
	return next
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// with returns the list with the route in its place, and whether there is one
// more.
func (e *end) with(route *Route) (*end, bool) {
	if e == nil {
		return &end{constantMethod(route.Method), route, nil}, true
	}
	order := compareRoutes(route, e.route)
	switch {
	case order < 0:
		return &end{constantMethod(route.Method), route, e}, true
	case order == 0:
		return &end{e.method, route, e.next}, false
	}
	next, added := e.next.with(route)
	return &end{e.method, e.route, next}, added
}

// without returns the list without the route of the method and path, and
// whether there was one.
func (e *end) without(method, path string) (*end, bool) {
	if e == nil {
		return nil, false
	}
	if e.method == method && e.route.Path == path {
		return e.next, true
	}
	next, removed := e.next.without(method, path)
	if !removed {
		return e, false
	}
	return &end{e.method, e.route, next}, true
}
