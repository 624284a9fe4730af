package vtl

import (
	"strings"
	"sync"
)

// A Template is a compiled mapping template. It may be rendered by any number
// of goroutines at once.
type Template struct {
	text   string
	body   nodes
	slots  map[string]int
	macros map[string]*macro
	// usesContext and usesStageVariables tell whether the names are in the text
	// at all.
	usesContext, usesStageVariables bool
	states                          sync.Pool
}

// Parse compiles a template. Its error is an *Error.
func Parse(text string) (*Template, error) {
	t := &Template{text: text, slots: map[string]int{}, macros: map[string]*macro{}}
	if len(text) > MaxTemplate {
		return nil, &Error{Line: 1, Column: 1, Reason: "the template is longer than 300 KB"}
	}
	// A text that is made at run time may name any variable.
	evaluates := strings.Contains(text, "evaluate")
	t.usesContext = evaluates || strings.Contains(text, "context")
	t.usesStageVariables = evaluates || strings.Contains(text, "stageVariables")
	c := &compiler{slots: t.slots, macros: t.macros}
	for _, name := range ownVariables() {
		c.slot(name)
	}
	p := parser{c: c, src: text}
	t.body = p.template()
	if c.err != nil {
		return nil, t.errorAt(c.err.pos, c.err.reason)
	}
	return t, nil
}

// Render appends what the template makes of the scope to dst. Its error is an
// *Error; then what was appended is of no use.
func (t *Template) Render(dst []byte, s *Scope) ([]byte, error) {
	st, _ := t.states.Get().(*state)
	if st == nil {
		st = &state{}
	}
	st.reset(t, dst, s)
	t.body.render(st)
	st.tooLong(st.out)
	out, err := st.out, st.err
	st.release()
	t.states.Put(st)
	if err != nil {
		return out, err
	}
	return out, nil
}

// errorAt is an error at an offset of the template's text.
func (t *Template) errorAt(pos int, reason string) *Error {
	before := t.text[:min(max(pos, 0), len(t.text))]
	return &Error{
		Line:   1 + strings.Count(before, "\n"),
		Column: len(before) - strings.LastIndexByte(before, '\n'),
		Reason: reason,
	}
}
