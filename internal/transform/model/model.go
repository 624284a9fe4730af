package model

import (
	"hash/maphash"
	"sync"
)

// A Model is a compiled model. It is safe for use by several goroutines.
type Model struct {
	root *schema
	seed maphash.Seed
	// checks are *check, for their memory.
	checks sync.Pool
}

// keptValues is up to how many values a check keeps its memory.
const keptValues = 16 << 10

// unparsed is what is said of a body that isn't JSON, or takes too much work.
const unparsed = "[Unknown error parsing request body]"

// Validate tells whether a body is as the model says. Otherwise problems is the
// list of what isn't, as AWS shows it.
//
// An empty body is like {} where that is valid, else it is no JSON.
// UNVERIFIED: the former; the recordings only have models that ask for something.
func (m *Model) Validate(body []byte) (problems string, ok bool) {
	c := m.checks.Get().(*check)
	defer m.release(c)
	empty := len(body) == 0
	if empty {
		body = []byte("{}")
	}
	if c.parse(body) != nil {
		return unparsed, false
	}
	steps := leastSteps + stepsPerValue*len(c.values)
	c.steps = steps
	if c.run(m.root, 0, nil) {
		return "", true
	}
	if empty || c.steps < 0 {
		return unparsed, false
	}
	c.steps = steps
	var r report
	c.run(m.root, 0, &r)
	return r.String(), false
}

func (m *Model) release(c *check) {
	c.text = nil
	if cap(c.values) <= keptValues {
		m.checks.Put(c)
	}
}
