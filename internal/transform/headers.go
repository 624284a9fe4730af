package transform

import (
	"gatehouse/internal/plan"
)

// A headerRule is what all mappings of one header come to.
type headerRule struct {
	name string
	mode headerMode
	// values are joined into one; none removes the header.
	values []expression
}

// A headerMode says what becomes of the lines a header has.
type headerMode uint8

const (
	// replaceLines drops them, value or not: a client's own must not pass for
	// one that the mapping has no value for.
	// UNVERIFIED: that an overwrite without a value removes the header.
	replaceLines headerMode = iota
	// joinLines joins them and the value into one line, and lets them be when
	// there is no value.
	// UNVERIFIED: one line rather than one more.
	joinLines
	// addLine lets them be.
	addLine
)

// headerRules are the rules of a message's headers, at most one of a header
// that doesn't add lines.
type headerRules []headerRule

// add adds a mapping to the rules. Mappings come in the order they apply in.
func (h headerRules) add(m mapping, value expression) headerRules {
	mode := joinLines
	switch {
	case m.action != add:
		mode = replaceLines
	case plan.EqualFold(m.name, "set-cookie"):
		mode = addLine // cookies can't be joined
	case plan.EqualFold(m.name, "host"):
		mode = replaceLines // there is one host
	}
	rule := h.find(m.name)
	if rule == nil || mode == addLine {
		h = append(h, headerRule{name: m.name, mode: mode})
		rule = &h[len(h)-1]
	}
	if mode == replaceLines {
		rule.name, rule.mode, rule.values = m.name, mode, nil
	}
	if m.action != remove {
		rule.values = append(rule.values, value)
	}
	return h
}

// find returns the rule that decides about a header's lines.
func (h headerRules) find(name string) *headerRule {
	for i := range h {
		if h[i].mode != addLine && plan.EqualFold(h[i].name, name) {
			return &h[i]
		}
	}
	return nil
}

// rulesOnStack is how many rules of headers are applied without asking for
// memory.
const rulesOnStack = 16

// apply appends to dst the lines of headers as the rules leave them, then the
// rules' own lines. It returns how many there are of the former. dst may be
// headers[:0].
func (h headerRules) apply(dst plan.Headers, x *plan.Exchange, headers plan.Headers) (_ plan.Headers, kept int) {
	if len(h) == 0 {
		dst = append(dst, headers...)
		return dst, len(dst)
	}
	var stack [rulesOnStack]string
	values := stack[:0]
	for i := range h {
		values = append(values, h[i].value(x, headers))
	}
	for _, line := range headers {
		if !h.drops(line.Name, values) {
			dst = append(dst, line)
		}
	}
	kept = len(dst)
	for i, v := range values {
		if v != "" {
			dst = append(dst, plan.Header{Name: h[i].name, Value: v})
		}
	}
	return dst, kept
}

// drops tells whether the rules, which have come to values, drop a line.
func (h headerRules) drops(name string, values []string) bool {
	for i := range h {
		switch {
		case !plan.EqualFold(h[i].name, name):
		case h[i].mode == replaceLines, h[i].mode == joinLines && values[i] != "":
			return true
		}
	}
	return false
}

// value is what the header's line is to say, "" for no line.
func (r *headerRule) value(x *plan.Exchange, headers plan.Headers) string {
	if r.mode != joinLines && len(r.values) == 1 {
		return r.values[0].value(x)
	}
	start := len(x.Scratch)
	if r.mode == joinLines {
		x.Scratch = appendLines(x.Scratch, headers, r.name)
	}
	found := false
	for i := range r.values {
		before := len(x.Scratch)
		if before > start {
			x.Scratch = append(x.Scratch, separator(r.name)...)
		}
		empty := len(x.Scratch)
		r.values[i].append(x)
		if len(x.Scratch) == empty {
			x.Scratch = x.Scratch[:before]
			continue
		}
		found = true
	}
	if !found {
		x.Scratch = x.Scratch[:start]
		return ""
	}
	return since(x, start)
}
