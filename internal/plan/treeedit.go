package plan

import (
	"bytes"
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

// The methods below change n, which is a copy no one else has seen; the arrays
// it points to are others' too and are replaced.

// add adds the route at the end of parts, and tells whether it is one more.
func (n *node) add(parts []string, greedy bool, route *Route) bool {
	switch {
	case parts[0] != "":
		return n.addLiteral(parts, greedy, route)
	case len(parts) > 1:
		k, had := n.literals(), n.param
		n.param = true
		var kid node
		if had {
			kid = n.kids[k]
		}
		added := kid.add(parts[1:], greedy, route)
		n.setKid(k, kid, had)
		return added
	case greedy:
		had := n.greedy
		n.greedy = true
		var kid node
		k := len(n.kids)
		if had {
			k--
			kid = n.kids[k]
		}
		added := kid.addEnd(route)
		n.setKid(k, kid, had)
		return added
	}
	return n.addEnd(route)
}

// addLiteral adds the route below the child for the text parts[0].
func (n *node) addLiteral(parts []string, greedy bool, route *Route) bool {
	text := parts[0]
	labels := n.labels()
	k := bytes.IndexByte(labels, text[0])
	if k < 0 {
		var kid node
		kid.setText([]byte(text))
		kid.add(rest(parts, len(text)), greedy, route)
		for k = 0; k < len(labels) && labels[k] < text[0]; k++ {
		}
		n.setText(slices.Concat(n.prefix(), labels[:k], []byte(text[:1]), labels[k:]))
		n.setKid(k, kid, false)
		return true
	}
	kid := n.kids[k]
	prefix := kid.prefix()
	common := commonPrefix(prefix, text)
	if common < len(prefix) {
		lower := kid
		lower.setText(kid.text()[common:])
		upper := node{kids: []node{lower}}
		upper.setText(prefix[:common+1])
		kid = upper
	}
	added := kid.add(rest(parts, common), greedy, route)
	n.setKid(k, kid, true)
	return added
}

// setKid puts the child in the place of number k, or before it.
func (n *node) setKid(k int, kid node, replace bool) {
	behind := k
	if replace {
		behind++
	}
	// As large as needed: slices.Insert leaves room that nobody would use.
	kids := make([]node, 0, k+1+len(n.kids)-behind)
	kids = append(kids, n.kids[:k]...)
	kids = append(kids, kid)
	n.kids = append(kids, n.kids[behind:]...)
}

// removeKid takes the child of number k away.
func (n *node) removeKid(k int) {
	if len(n.kids) == 1 {
		n.kids = nil
		return
	}
	n.kids = slices.Concat(n.kids[:k], n.kids[k+1:])
}

// remove takes the route away and tells whether there was one. Without it n is
// changed or not, and isn't for use.
func (n *node) remove(parts []string, greedy bool, method, path string) bool {
	switch {
	case parts[0] != "":
		if !n.removeLiteral(parts, greedy, method, path) {
			return false
		}
	case len(parts) > 1:
		if !n.param {
			return false
		}
		k := n.literals()
		kid := n.kids[k]
		if !kid.remove(parts[1:], greedy, method, path) {
			return false
		}
		if kid.empty() {
			n.param = false
			n.removeKid(k)
		} else {
			n.setKid(k, kid, true)
		}
	case greedy:
		if !n.greedy {
			return false
		}
		k := len(n.kids) - 1
		kid := n.kids[k]
		if !kid.removeEnd(method, path) {
			return false
		}
		if kid.empty() {
			n.greedy = false
			n.removeKid(k)
		} else {
			n.setKid(k, kid, true)
		}
	default:
		if !n.removeEnd(method, path) {
			return false
		}
	}
	n.tidy()
	return true
}

func (n *node) removeLiteral(parts []string, greedy bool, method, path string) bool {
	text := parts[0]
	labels := n.labels()
	k := bytes.IndexByte(labels, text[0])
	if k < 0 {
		return false
	}
	kid := n.kids[k]
	prefix := kid.prefix()
	if !strings.HasPrefix(text, string(prefix)) || !kid.remove(rest(parts, len(prefix)), greedy, method, path) {
		return false
	}
	if !kid.empty() {
		n.setKid(k, kid, true)
		return true
	}
	n.setText(slices.Concat(n.prefix(), labels[:k], labels[k+1:]))
	n.removeKid(k)
	return true
}

// empty tells whether no route is at n or below it.
func (n *node) empty() bool { return n.route == nil && len(n.kids) == 0 }

// tidy brings a node from which something was taken into the form it would have
// if that had never been there. An empty one is for the parent to take away.
func (n *node) tidy() {
	// The root and the node after a variable have no prefix, and keep their place.
	prefix := n.prefix()
	if n.route != nil || n.param || n.greedy || len(n.kids) != 1 || len(prefix) == 0 {
		return
	}
	only := n.kids[0]
	only.setText(slices.Concat(prefix, only.text()))
	*n = only
}

// setText sets prefix and labels. text isn't kept if it is short, and is never
// changed.
func (n *node) setText(text []byte) {
	var inline [inlineText]byte
	if copy(inline[:], text) == len(text) {
		n.setMore(nil, n.others())
		n.inline, n.length = inline, uint8(len(text))
		return
	}
	n.setMore(text, n.others())
	n.inline, n.length = [inlineText]byte{}, longText
}

// others returns the routes that end at n except the first.
func (n *node) others() []end {
	if n.more == nil {
		return nil
	}
	return n.more.ends
}

func (n *node) setMore(text []byte, ends []end) {
	n.more = nil
	if len(text) > 0 || len(ends) > 0 {
		n.more = &more{text: text, ends: ends}
	}
}

// addEnd adds a route that ends at n in its place, and tells whether it is one
// more.
func (n *node) addEnd(route *Route) bool {
	ends := n.ends()
	k, found := slices.BinarySearchFunc(ends, route, func(e end, r *Route) int { return compareRoutes(e.route, r) })
	if found {
		ends[k].route = route
	} else {
		ends = slices.Insert(ends, k, end{methods[methodNumber(route.Method)], route})
		if ends[k].method == "" {
			ends[k].method = route.Method
		}
	}
	n.setEnds(ends)
	return !found
}

// removeEnd takes the route of the method and path away from those that end at
// n, and tells whether there was one.
func (n *node) removeEnd(method, path string) bool {
	ends := n.ends()
	k := slices.IndexFunc(ends, func(e end) bool { return e.method == method && e.route.Path == path })
	if k < 0 {
		return false
	}
	n.setEnds(slices.Delete(ends, k, k+1))
	return true
}

// ends returns the routes that end at n, in an array of its own.
func (n *node) ends() []end {
	if n.route == nil {
		return nil
	}
	return append([]end{{n.firstMethod(), n.route}}, n.others()...)
}

func (n *node) setEnds(ends []end) {
	var text []byte
	if n.length == longText {
		text = n.more.text
	}
	if len(ends) == 0 {
		n.route, n.method = nil, otherMethod
		n.setMore(text, nil)
		return
	}
	n.route, n.method = ends[0].route, methodNumber(ends[0].method)
	if len(ends) == 1 {
		n.setMore(text, nil)
		return
	}
	n.setMore(text, ends[1:])
}

// methodNumber returns where the method is in methods.
func methodNumber(method string) uint8 {
	return uint8(max(slices.Index(methods[:], method), otherMethod))
}

// rest returns parts without the first n bytes of the first one.
func rest(parts []string, n int) []string {
	next := slices.Clone(parts)
	next[0] = next[0][n:]
	return next
}

func commonPrefix(a []byte, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
