package plan

import (
	"bytes"
	"strings"
)

// A Tree finds the route of a method and a path. It is never written after it
// was made: With and Without return another tree that shares what did not
// change. A nil Tree is empty.
//
// It is a byte-wise radix tree over the decoded paths of the routes. A node has
// at most 256 literal children, so an edit copies a few small nodes however many
// routes there are, and each node stands for one spelling of a path up to one
// place of the request's path, so a lookup visits a node at most once.
type Tree struct {
	root node
	size int
}

// A node is a place in the paths of routes. A lookup in a tree of many routes
// waits for memory more than it computes, so a node is one cache line that has
// all an ordinary step needs: the bytes to compare, which child is next and
// where it is, the route that ends here. Children stand in their parent's array
// by value, a step doesn't go through a pointer of their own.
type node struct {
	// route is the first of the routes that end here, method the number of its
	// method.
	route  *Route
	method uint8
	// param and greedy tell whether kids has a child for a variable, and one
	// for a greedy variable. Both are only where a segment begins.
	param, greedy bool
	// length is that of the text, longText if that is in more.
	length uint8
	// inline is the text: the literal bytes that lead here from the parent, the
	// prefix, and behind them the first byte of each literal child, the labels,
	// ascending.
	inline [inlineText]byte
	// more is what doesn't fit here, nil if everything does.
	more *more
	// kids are the literal continuations in the order of the labels, then the
	// one after a variable, which takes one whole segment, then the one of a
	// greedy variable, which has routes and nothing else. It stands last: the
	// allocator puts eight bytes before a large array, and then what crosses
	// into the next cache line is the capacity, which nobody reads.
	kids []node
}

const (
	inlineText = 20
	longText   = inlineText + 1
)

// A more is the part of a node that few nodes have.
type more struct {
	// text is the node's text where that is too long to be inline.
	text []byte
	// ends are the routes that end here except the first, in the order of
	// compareRoutes.
	ends []end
}

// An end is a route with its method, as a constant where it can be.
type end struct {
	method string
	route  *Route
}

func (n *node) text() []byte {
	if n.length == longText {
		return n.more.text
	}
	return n.inline[:n.length]
}

// literals returns the number of literal children.
func (n *node) literals() int {
	k := len(n.kids)
	if n.param {
		k--
	}
	if n.greedy {
		k--
	}
	return k
}

func (n *node) prefix() []byte {
	text := n.text()
	return text[:len(text)-n.literals()]
}

func (n *node) labels() []byte {
	text := n.text()
	return text[len(text)-n.literals():]
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
	var next Tree
	if t != nil {
		next = *t
	}
	pattern := parsePattern(route.Path)
	if next.root.add(pattern.parts, pattern.greedy, route) {
		next.size++
	}
	return &next
}

// Without returns the tree without the route of that key.
func (t *Tree) Without(key string) *Tree {
	method, path, _ := strings.Cut(key, " ")
	if t == nil || path == "" {
		return t
	}
	pattern := parsePattern(path)
	next := *t
	if !next.root.remove(pattern.parts, pattern.greedy, method, path) {
		return t
	}
	if next.size--; next.size == 0 {
		return nil
	}
	return &next
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
	if route, vars := l.find(&t.root, 0, 0); route != nil {
		return route, l.params(params, route, l.spans[:], vars), true
	}
	if route := l.greedy; route != nil {
		params = l.params(params, route, l.greedySpans[:], l.greedyVars)
		return route, params, true
	}
	return nil, params, false
}

// MatchNested finds the route that a REST API would take: at each level a
// literal segment before a variable and that before a greedy one, going back to
// less specific ones where the rest of the path, or the method, doesn't fit. An
// escaped slash is part of its segment. Otherwise it is Match.
func (t *Tree) MatchNested(method, path string, params []string) (*Route, []string, bool) {
	params = params[:0]
	if t == nil {
		return nil, params, false
	}
	l := lookup{method: method, path: path, nested: true, escaped: strings.IndexByte(path, '%') >= 0}
	route, vars := l.find(&t.root, 0, 0)
	if route == nil {
		return nil, params, false
	}
	return route, l.params(params, route, l.spans[:], vars), true
}

// A span is where a value stands in the path.
type span struct{ start, end int32 }

// maxSpans is how many values a walk remembers. Of a route with more of them
// the path is read again.
const maxSpans = 6

// A lookup is one walk through a tree.
type lookup struct {
	method, path string
	// escaped tells that path has a "%". nested is the order of REST APIs.
	escaped, nested bool
	// spans are the values of the variables on the way here.
	spans [maxSpans]span
	// greedy is the best greedy route met so far, with its values.
	greedy      *Route
	greedyVars  int
	greedySpans [maxSpans]span
}

// find returns the route that takes the whole path and the number of its
// variables, given that the path up to i led to n through vars variables.
func (l *lookup) find(n *node, i, vars int) (*Route, int) {
	for i < len(l.path) {
		kid, next := l.literal(n, i)
		if !n.param && !n.greedy {
			if kid == nil {
				return nil, 0
			}
			n, i = kid, next
			continue
		}
		if kid != nil {
			if r, total := l.find(kid, next, vars); r != nil {
				return r, total
			}
		}
		if n.param {
			if end := l.segmentEnd(i); end > i {
				l.note(vars, i, end)
				if r, total := l.find(&n.kids[n.literals()], end, vars+1); r != nil {
					return r, total
				}
			}
		}
		if l.nested {
			return l.takeGreedy(n, i, vars)
		}
		l.keepGreedy(n, i, vars)
		return nil, 0
	}
	if r := n.pick(l.method); r != nil {
		return r, vars
	}
	if l.nested {
		// A greedy variable takes one segment at least.
		return nil, 0
	}
	// "/x/{proxy+}" takes "/x/" (people add it for that, storacha/w3infra#166),
	// but "/{proxy+}" isn't known to take "/".
	// UNVERIFIED: no recording of either yet.
	if len(l.path) > 1 {
		l.keepGreedy(n, i, vars)
	}
	return nil, 0
}

// keepGreedy remembers a greedy route of n, whose variable takes the path from
// i on. The walk goes from specific to general, so the first one is the best.
func (l *lookup) keepGreedy(n *node, i, vars int) {
	if l.greedy != nil || !n.greedy {
		return
	}
	if l.greedy = n.kids[len(n.kids)-1].pick(l.method); l.greedy != nil {
		l.note(vars, i, len(l.path))
		l.greedyVars, l.greedySpans = vars+1, l.spans
	}
}

// takeGreedy returns a greedy route of n, whose variable takes the path from i on.
func (l *lookup) takeGreedy(n *node, i, vars int) (*Route, int) {
	if !n.greedy {
		return nil, 0
	}
	r := n.kids[len(n.kids)-1].pick(l.method)
	if r == nil {
		return nil, 0
	}
	l.note(vars, i, len(l.path))
	return r, vars + 1
}

// note remembers the value of a variable.
func (l *lookup) note(k, start, end int) {
	if k < maxSpans {
		l.spans[k] = span{int32(start), int32(end)}
	}
}

// params appends the values of a route's variables.
func (l *lookup) params(params []string, route *Route, spans []span, vars int) []string {
	if vars > maxSpans {
		return l.appendParams(params, route.Path)
	}
	for _, s := range spans[:vars] {
		params = append(params, l.path[s.start:s.end])
	}
	return params
}

// literal returns the child of n whose text stands at path[i] and where that
// text ends.
func (l *lookup) literal(n *node, i int) (*node, int) {
	c := l.path[i]
	if l.escaped {
		c, _ = l.at(i)
	}
	k := bytes.IndexByte(n.labels(), c)
	if k < 0 {
		return nil, 0
	}
	kid := &n.kids[k]
	prefix := kid.prefix()
	if !l.escaped {
		// The label was the first byte; often it is all.
		end := i + len(prefix)
		if len(prefix) > 1 && (end > len(l.path) || l.path[i+1:end] != string(prefix[1:])) {
			return nil, 0
		}
		return kid, end
	}
	for k := range len(prefix) {
		if i == len(l.path) {
			return nil, 0
		}
		c, width := l.at(i)
		if c != prefix[k] {
			return nil, 0
		}
		i += width
	}
	return kid, i
}

// at is the byte of the path at i, decoded, and how many bytes it takes.
func (l *lookup) at(i int) (byte, int) {
	c, width := at(l.path, i)
	if l.nested && width == 3 && c == '/' {
		return '%', 1
	}
	return c, width
}

func (l *lookup) segmentEnd(i int) int {
	if l.escaped && !l.nested {
		return segmentEnd(l.path, i)
	}
	if k := strings.IndexByte(l.path[i:], '/'); k >= 0 {
		return i + k
	}
	return len(l.path)
}

// pick returns the first route that ends at n and takes the method; the order
// of compareRoutes makes it the right one.
func (n *node) pick(method string) *Route {
	if n.route == nil {
		return nil
	}
	if n.method == anyMethod || n.firstMethod() == method {
		return n.route
	}
	if n.more != nil {
		for _, e := range n.more.ends {
			if e.method == method || e.method == AnyMethod {
				return e.route
			}
		}
	}
	return nil
}

// firstMethod returns the method of n.route.
func (n *node) firstMethod() string {
	if n.method == otherMethod {
		return n.route.Method
	}
	return methods[n.method]
}

// methods are those of nearly every route. A node has the number of one in
// place of its text; as a constant every lookup finds the text in the cache.
var methods = [...]string{otherMethod: "", anyMethod: AnyMethod, 2: "GET", 3: "HEAD", 4: "OPTIONS", 5: "PATCH", 6: "POST", 7: "PUT", 8: "DELETE"}

const (
	otherMethod = iota
	anyMethod
)

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

// appendParams appends what stands in the path where the pattern has variables,
// given that the path matches.
func (l *lookup) appendParams(params []string, pattern string) []string {
	for p, i := 0, 0; p < len(pattern); {
		p += separatorWidth(pattern, p)
		_, width := l.at(i)
		i += width
		end := segmentEnd(pattern, p)
		if _, greedy, ok := variable(pattern[p:end]); !ok {
			i = l.segmentEnd(i)
		} else if greedy {
			return append(params, l.path[i:])
		} else {
			start := i
			i = l.segmentEnd(i)
			params = append(params, l.path[start:i])
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
