package transform

import (
	"strings"

	"gatehouse/internal/plan"
)

// A queryRule is what all mappings of one query parameter come to.
type queryRule struct {
	name string
	// written is the name as it is written in a query, with "=".
	written string
	// replace drops the parameters of the name that the query has.
	replace bool
	values  []expression
}

type queryRules []queryRule

// add adds a mapping to the rules. Mappings come in the order they apply in.
func (q queryRules) add(m mapping, value expression) queryRules {
	rule := q.find(m.name)
	if rule == nil {
		q = append(q, queryRule{name: m.name, written: string(inQuery([]byte(m.name), 0)) + "="})
		rule = &q[len(q)-1]
	}
	if m.action != add {
		rule.replace = true
	}
	if m.action != remove {
		rule.values = append(rule.values, value)
	}
	return q
}

// find returns the rule of a name, whose case matters.
func (q queryRules) find(name string) *queryRule {
	for i := range q {
		if q[i].name == name {
			return &q[i]
		}
	}
	return nil
}

// apply returns the query as the rules leave it: what stays is as it was, new
// parameters stand behind it. A value that is empty is none.
// UNVERIFIED: that append adds a parameter of the name rather than joining.
func (q queryRules) apply(x *plan.Exchange, query string) string {
	if len(q) == 0 {
		return query
	}
	start := len(x.Scratch)
	for rest := query; rest != ""; {
		var piece string
		piece, rest, _ = strings.Cut(rest, "&")
		if piece == "" || q.drops(x, piece) {
			continue
		}
		x.Scratch = append(appendAmpersand(x.Scratch, start), piece...)
	}
	for i := range q {
		for j := range q[i].values {
			before := len(x.Scratch)
			x.Scratch = append(appendAmpersand(x.Scratch, start), q[i].written...)
			empty := len(x.Scratch)
			q[i].values[j].append(x)
			if len(x.Scratch) == empty {
				x.Scratch = x.Scratch[:before]
			}
		}
	}
	return since(x, start)
}

// appendAmpersand separates what comes from what is there since start.
func appendAmpersand(b []byte, start int) []byte {
	if len(b) > start {
		b = append(b, '&')
	}
	return b
}

// drops tells whether the rules drop a parameter.
func (q queryRules) drops(x *plan.Exchange, piece string) bool {
	written, _, _ := strings.Cut(piece, "=")
	start := len(x.Scratch)
	x.Scratch = plan.AppendDecodedQuery(x.Scratch, written)
	rule := q.find(since(x, start))
	x.Scratch = x.Scratch[:start]
	return rule != nil && rule.replace
}
