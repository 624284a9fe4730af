package plan

import "strings"

// A Tree finds the route of a method and a path. It is never written after it
// was made: With and Without return another tree that shares what did not
// change. A nil Tree is empty.
//
// It is a byte-wise radix tree over the decoded paths of the routes. A node has
// at most 256 literal children, so an edit copies a few small nodes however many
// routes there are, and each node stands for one spelling of a path up to one
// place of the request's path, so a lookup visits a node at most once.
type Tree struct {
	root *node
	size int
}

// A node is a place in the paths of routes.
type node struct {
	// prefix is the literal text that leads here from the parent.
	prefix string
	// kids are the literal continuations, labels their first bytes, ascending.
	labels string
	kids   []*node
	// param continues after a variable, which takes one whole segment; a node
	// has one only where a segment begins, like greedy.
	param *node
	// routes end here, greedy ones end here with a greedy variable. Both are in
	// the order of compareRoutes.
	routes, greedy []*Route
}

// Len returns the number of routes.
func (t *Tree) Len() int {
	if t == nil {
		return 0
	}
	return t.size
}

// With returns the tree with the route, in place of the one with the same key
// if there is one. Method and Path of the route are those of ParseRouteKey; a
// route without a path ($default) isn't the tree's to find and changes nothing.
func (t *Tree) With(route *Route) *Tree {
	if route.Path == "" {
		return t
	}
	root, size := &node{}, 0
	if t != nil {
		root, size = t.root, t.size
	}
	pattern := parsePattern(route.Path)
	next, added := root.with(pattern.parts, pattern.greedy, route)
	if added {
		size++
	}
	return &Tree{root: next, size: size}
}

// Without returns the tree without the route of that key.
func (t *Tree) Without(key string) *Tree {
	method, path, _ := strings.Cut(key, " ")
	if t == nil || path == "" {
		return t
	}
	pattern := parsePattern(path)
	root, removed := t.root.without(pattern.parts, pattern.greedy, method, path)
	if !removed {
		return t
	}
	if t.size == 1 {
		return nil
	}
	return &Tree{root: root, size: t.size - 1}
}

// Match finds the route that API Gateway would take: a full match before a
// greedy one, a literal segment before a variable, a concrete method before
// ANY on the same path, and among greedy routes the one with the longest
// literal prefix. A path whose routes are all of other methods is looked for
// further, in less specific routes.
//
// path is encoded, as received. The values of the route's variables, encoded
// too, are appended to params[:0]; the result shares path's memory.
func (t *Tree) Match(method, path string, params []string) (*Route, []string, bool) {
	params = params[:0]
	if t == nil {
		return nil, params, false
	}
	l := lookup{method: method, path: path}
	if strings.IndexByte(path, '%') >= 0 {
		l.path, l.escaped = CutPath(path), true
	}
	route := l.find(t.root, 0)
	if route == nil {
		route = l.greedy
	}
	if route == nil {
		return nil, params, false
	}
	if len(route.ParamNames) > 0 {
		params = appendParams(params, route.Path, l.path)
	}
	return route, params, true
}

// A lookup is one walk through a tree.
type lookup struct {
	method, path string
	// escaped tells that path has a "%".
	escaped bool
	// greedy is the best greedy route met so far.
	greedy *Route
}

// find returns the route that takes the whole path, given that the path up to
// i led to n.
func (l *lookup) find(n *node, i int) *Route {
	for i < len(l.path) {
		kid, next := l.literal(n, i)
		if n.param == nil && n.greedy == nil {
			if kid == nil {
				return nil
			}
			n, i = kid, next
			continue
		}
		if kid != nil {
			if r := l.find(kid, next); r != nil {
				return r
			}
		}
		if n.param != nil {
			if end := l.segmentEnd(i); end > i {
				if r := l.find(n.param, end); r != nil {
					return r
				}
			}
		}
		l.keepGreedy(n)
		return nil
	}
	if r := pick(n.routes, l.method); r != nil {
		return r
	}
	// "/x/{proxy+}" takes "/x/" (people add it for that, storacha/w3infra#166),
	// but "/{proxy+}" isn't known to take "/".
	// UNVERIFIED: no recording of either yet.
	if len(l.path) > 1 {
		l.keepGreedy(n)
	}
	return nil
}

// keepGreedy remembers a greedy route of n. The walk goes from specific to
// general, so the first one is the best one.
func (l *lookup) keepGreedy(n *node) {
	if l.greedy == nil {
		l.greedy = pick(n.greedy, l.method)
	}
}

// literal returns the child of n whose text stands at path[i] and where that
// text ends.
func (l *lookup) literal(n *node, i int) (*node, int) {
	c := l.path[i]
	if l.escaped {
		c, _ = at(l.path, i)
	}
	k := strings.IndexByte(n.labels, c)
	if k < 0 {
		return nil, 0
	}
	kid := n.kids[k]
	if !l.escaped {
		end := i + len(kid.prefix)
		if end > len(l.path) || l.path[i:end] != kid.prefix {
			return nil, 0
		}
		return kid, end
	}
	for k := range len(kid.prefix) {
		if i == len(l.path) {
			return nil, 0
		}
		c, width := at(l.path, i)
		if c != kid.prefix[k] {
			return nil, 0
		}
		i += width
	}
	return kid, i
}

func (l *lookup) segmentEnd(i int) int {
	if l.escaped {
		return segmentEnd(l.path, i)
	}
	if k := strings.IndexByte(l.path[i:], '/'); k >= 0 {
		return i + k
	}
	return len(l.path)
}

// pick returns the first route that takes the method; the order of
// compareRoutes makes it the right one.
func pick(routes []*Route, method string) *Route {
	for _, r := range routes {
		if r.Method == method || r.Method == AnyMethod {
			return r
		}
	}
	return nil
}

// compareRoutes orders the routes that end at one node: concrete methods before
// ANY. Routes that differ only in the names of their variables are ordered by
// path, so that which one wins doesn't depend on which came first.
func compareRoutes(a, b *Route) int {
	if a.Method != b.Method {
		switch {
		case a.Method == AnyMethod:
			return 1
		case b.Method == AnyMethod:
			return -1
		}
		return strings.Compare(a.Method, b.Method)
	}
	return strings.Compare(a.Path, b.Path)
}

// appendParams appends what stands in path where the pattern has variables,
// given that the path matches.
func appendParams(params []string, pattern, path string) []string {
	for p, i := 0, 0; p < len(pattern); {
		p, i = p+separatorWidth(pattern, p), i+separatorWidth(path, i)
		end := segmentEnd(pattern, p)
		if _, greedy, ok := variable(pattern[p:end]); !ok {
			i = segmentEnd(path, i)
		} else if greedy {
			return append(params, path[i:])
		} else {
			start := i
			i = segmentEnd(path, i)
			params = append(params, path[start:i])
		}
		p = end
	}
	return params
}

// separatorWidth returns how many bytes the separator at path[i] takes.
func separatorWidth(path string, i int) int {
	_, width := at(path, i)
	return width
}
