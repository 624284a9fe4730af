package balance

import (
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
)

// A Listener is where requests come in. It is never written to.
type Listener struct {
	// Application, TLS and Port are as those of its ListenerConfig.
	Application, TLS bool
	Port             int

	rules    []rule
	fallback outcome
}

// A Request is what the rules of a listener look at.
type Request struct {
	Method, Host string
	// Path and Query are as sent.
	Path, Query string
	// Header tells whether a header has a value that fulfils the predicate.
	Header func(name string, fulfils func(value string) bool) bool
	Source netip.Addr
}

// An Outcome is what becomes of a request: a group to send it to, or an answer.
type Outcome struct {
	Group    *Group
	Fixed    *FixedResponse
	Redirect *Redirect
}

type rule struct {
	conditions []Condition
	outcome    outcome
}

// outcome is an action with its groups found.
type outcome struct {
	Outcome
	groups  []*Group
	weights []uint64 // sums up to and including each group
}

// HasRules tells whether Route looks at requests at all.
func (l *Listener) HasRules() bool { return len(l.rules) > 0 }

// Default is what becomes of requests of a listener without rules.
func (l *Listener) Default() Outcome { return l.fallback.choose() }

// Route tells what becomes of a request.
func (l *Listener) Route(r *Request) Outcome {
	for i := range l.rules {
		if l.rules[i].fulfilled(r) {
			return l.rules[i].outcome.choose()
		}
	}
	return l.fallback.choose()
}

func (o *outcome) choose() Outcome {
	if len(o.groups) == 0 {
		return o.Outcome
	}
	n := rand.Uint64N(o.weights[len(o.weights)-1]) //nolint:gosec // no secret
	for i, sum := range o.weights {
		if n < sum {
			return Outcome{Group: o.groups[i]}
		}
	}
	return o.Outcome // can't be: n is below the last sum
}

// newOutcome finds the groups of an action. One that isn't there, or all of whose
// weights are zero, is an empty group.
func newOutcome(a Action, groups map[string]*Group) outcome {
	o := outcome{Outcome: Outcome{Fixed: a.Fixed, Redirect: a.Redirect}}
	if a.Fixed != nil || a.Redirect != nil {
		return o
	}
	sum := uint64(0)
	for _, w := range a.Forward {
		g := groups[w.Group]
		if g == nil || w.Weight <= 0 {
			continue
		}
		sum += uint64(w.Weight)
		o.groups, o.weights = append(o.groups, g), append(o.weights, sum)
	}
	switch len(o.groups) {
	case 0:
		o.Group = newGroup("")
	case 1:
		o.Group, o.groups, o.weights = o.groups[0], nil, nil
	}
	return o
}

func newListener(c *ListenerConfig, groups map[string]*Group) *Listener {
	l := &Listener{Application: c.Application, TLS: c.TLS, Port: c.Port, fallback: newOutcome(c.Default, groups)}
	for _, r := range c.Rules {
		l.rules = append(l.rules, rule{r.Conditions, newOutcome(r.Action, groups)})
	}
	return l
}

func (r *rule) fulfilled(q *Request) bool {
	for i := range r.conditions {
		if !r.conditions[i].fulfilled(q) {
			return false
		}
	}
	return true
}

func (c *Condition) fulfilled(q *Request) bool {
	switch c.Field {
	case Host:
		return c.any(withoutPort(q.Host), true)
	case Path:
		return c.any(q.Path, false)
	case Method:
		for _, m := range c.Patterns {
			if m == q.Method {
				return true
			}
		}
	case Header:
		return q.Header(c.Name, func(value string) bool { return c.any(value, true) })
	case SourceIP:
		for _, n := range c.Networks {
			if n.Contains(q.Source) {
				return true
			}
		}
	case Query:
		return c.anyPair(q.Query)
	}
	return false
}

func (c *Condition) any(value string, foldCase bool) bool {
	for _, p := range c.Patterns {
		if Glob(p, value, foldCase) {
			return true
		}
	}
	return false
}

// anyPair tells whether one of the query's pairs is among those of the condition.
// Load balancers decode neither side and ignore case.
func (c *Condition) anyPair(query string) bool {
	for query != "" {
		pair, rest, _ := strings.Cut(query, "&")
		query = rest
		key, value, _ := strings.Cut(pair, "=")
		for _, want := range c.Pairs {
			if (want.Key == "" || Glob(want.Key, key, true)) && Glob(want.Value, value, true) {
				return true
			}
		}
	}
	return false
}

// Glob tells whether a whole text is what a pattern describes, in which * stands
// for any number of bytes and ? for one.
func Glob(pattern, text string, foldCase bool) bool {
	same := func(a, b byte) bool {
		return a == b || foldCase && lower(a) == lower(b)
	}
	p, t := 0, 0
	star, mark := -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || same(pattern[p], text[t])):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// withoutPort is a Host without its port.
func withoutPort(host string) string {
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		return host[:i]
	}
	return host
}

// Location is where a redirect sends the client of a request.
func (r *Redirect) Location(q *Request, tls bool, port int) string {
	protocol := "http"
	if tls {
		protocol = "https"
	}
	fill := strings.NewReplacer("#{protocol}", protocol, "#{host}", withoutPort(q.Host), "#{port}", strconv.Itoa(port),
		"#{path}", strings.TrimPrefix(q.Path, "/"), "#{query}", q.Query)
	location := strings.ToLower(fill.Replace(r.Protocol)) + "://" + fill.Replace(r.Host) + ":" + fill.Replace(r.Port) + fill.Replace(r.Path)
	if query := fill.Replace(r.Query); query != "" {
		location += "?" + query
	}
	return location
}
