package vtl

import (
	"strconv"
	"strings"
)

// A reference is $name with what is behind it: properties, methods, indexes.
type reference struct {
	pos    int
	slot   int
	steps  []step
	prefix string // the backslashes before it that are printed
	// dotted is the name of a variable of $context, if it is written out.
	dotted string
}

// A step leads from a value to a part of it.
type step struct {
	kind   stepKind
	pos    int
	name   string // of a property or method
	args   []expr // of a method; the one of an index
	method methods
	path   *jsonPath // of $input.path('...') and $input.json('...')
}

type stepKind uint8

const (
	propertyStep stepKind = iota
	methodStep
	indexStep
)

// atReference tells whether a name follows the $ that the parser stands at.
func (p *parser) atReference() bool {
	i := p.i
	if i >= len(p.src) || p.src[i] != '$' {
		return false
	}
	i++
	if i < len(p.src) && p.src[i] == '!' {
		i++
	}
	if i < len(p.src) && p.src[i] == '{' {
		i++
	}
	return i < len(p.src) && (isLetter(p.src[i]) || p.src[i] == '_')
}

// reference reads a reference; the parser stands at its $. The ! of a quiet one
// changes nothing: no reference prints itself in AWS's dialect.
func (p *parser) reference() *reference {
	if !p.deeper() {
		return nil
	}
	defer p.shallower()
	r := &reference{pos: p.base + p.i}
	start := p.i
	p.i++
	p.take('!')
	braced := p.take('{')
	r.slot = p.c.slot(p.identifier())
	for !p.failed() && p.i < len(p.src) {
		switch {
		case p.src[p.i] == '[':
			r.steps = append(r.steps, p.index())
			continue
		case p.src[p.i] == '.' && p.i+1 < len(p.src) && isLetter(p.src[p.i+1]):
			p.i++
			r.steps = append(r.steps, p.member())
			continue
		}
		break
	}
	if braced && !p.failed() && !p.take('}') {
		p.fail(start, "${ isn't closed by }")
	}
	if p.failed() {
		return nil
	}
	if r.slot == slotContext {
		r.dotted = dottedName(r.steps)
	}
	return r
}

// dottedName is the name that properties make, "" if they are more than that or
// an override, which isn't the Context's.
func dottedName(steps []step) string {
	var b strings.Builder
	for i := range steps {
		if steps[i].kind != propertyStep || i == 0 && (steps[i].name == "requestOverride" || steps[i].name == "responseOverride") {
			return ""
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(steps[i].name)
	}
	return b.String()
}

// identifier reads a name: letters, digits, _ and -.
func (p *parser) identifier() string {
	start := p.i
	for p.i < len(p.src) && (isLetter(p.src[p.i]) || isDigit(p.src[p.i]) || p.src[p.i] == '_' || p.src[p.i] == '-') {
		p.i++
	}
	return p.src[start:p.i]
}

func (p *parser) index() step {
	s := step{kind: indexStep, pos: p.base + p.i}
	p.i++
	s.args = []expr{p.argument()}
	p.space()
	if !p.failed() && !p.take(']') {
		p.unexpected("]")
	}
	return s
}

// member reads what is behind a dot: a property, or a method if a parenthesis
// follows at once.
func (p *parser) member() step {
	s := step{pos: p.base + p.i, name: p.identifier()}
	if !p.take('(') {
		return s
	}
	s.kind = methodStep
	s.method = methodsNamed(s.name)
	p.space()
	if p.take(')') {
		return s
	}
	for !p.failed() {
		s.args = append(s.args, p.argument())
		p.space()
		if !p.take(',') {
			break
		}
	}
	if !p.failed() && !p.take(')') {
		p.unexpected(")")
	}
	if len(s.args) == 1 {
		if c, ok := s.args[0].(constant); ok && c.v.k == text && (s.name == "path" || s.name == "json") {
			s.path = parseJSONPath(c.v.s)
		}
	}
	return s
}

// nothing is what references without a value are: AWS has them print as nothing,
// equal "" and each other, and count as true.
func nothing() value { return value{k: text} }

func (r *reference) eval(st *state) value {
	v := r.raw(st, len(r.steps))
	if v.k == null {
		return nothing()
	}
	return v
}

// raw is the value of the reference up to a step; null is left null.
func (r *reference) raw(st *state, steps int) value {
	st.charge(1)
	v := st.lookup(r.slot)
	if r.dotted != "" && steps == len(r.steps) && v.k == dict && v.dict().source == contextMap("") {
		return st.contextValue(r.dotted)
	}
	for i := range r.steps[:steps] {
		if v.k == null || st.err != nil {
			return value{}
		}
		v = r.steps[i].from(st, v)
	}
	return v
}

func (r *reference) holds(st *state) bool {
	v := r.eval(st)
	return v.k != boolean || v.n != 0
}

func (r *reference) render(st *state) signal {
	st.pos = r.pos
	st.out = append(st.out, r.prefix...)
	if r.rendersJSON(st) {
		return goOn
	}
	v := r.eval(st)
	switch v.k {
	case text:
		st.out = append(st.out, v.s...)
	case block:
		return st.renderBlock(v.o.(*blockObject))
	default:
		st.out = st.appendText(st.out, v)
	}
	return goOn
}

// rendersJSON writes $input.json('...') straight to the output.
func (r *reference) rendersJSON(st *state) bool {
	if len(r.steps) != 1 || r.steps[0].path == nil || r.steps[0].name != "json" || st.lookup(r.slot).k != inputObject {
		return false
	}
	st.charge(1)
	st.out = st.appendInputJSON(st.out, r.steps[0].path)
	return true
}

// from takes the step from a value.
func (s *step) from(st *state, v value) value {
	st.pos = s.pos
	st.charge(1)
	switch s.kind {
	case propertyStep:
		return st.property(v, s.name)
	case indexStep:
		return st.index(v, s.args[0].eval(st))
	}
	if s.path != nil && v.k == inputObject {
		if s.name == "path" {
			return st.inputPath(s.path)
		}
		return st.inputJSON(s.path)
	}
	return st.call(s, v)
}

// call calls a method. Its arguments stand on a stack that calls within them
// share.
func (st *state) call(s *step, on value) value {
	first := len(st.args)
	for _, a := range s.args {
		st.args = append(st.args, a.eval(st))
	}
	st.pos = s.pos
	v, ok := value{}, false
	if m := s.method.of(on.k); m != nil && st.err == nil {
		v, ok = m(st, on, st.args[first:first+len(s.args)])
	}
	clear(st.args[first:])
	st.args = st.args[:first]
	if !ok {
		return value{}
	}
	return v
}

// property is the part of a value that a name behind a dot means.
func (st *state) property(v value, name string) value {
	if name == "class" {
		return classOf(v)
	}
	switch v.k {
	case dict:
		return v.dict().get(st, name)
	case list:
		if name == "empty" {
			return boolValue(len(v.list().items) == 0)
		}
	case text:
		if name == "empty" {
			return boolValue(v.s == "")
		}
	case entry:
		e := v.o.(*entryObject)
		switch name {
		case "key":
			return textValue(e.key)
		case "value":
			return e.of.get(st, e.key)
		}
	case loop:
		return v.o.(*loopObject).member(name)
	case inputObject:
		if name == "body" {
			return textValue(st.bodyText())
		}
	case class:
		switch name {
		case "name", "canonicalName", "typeName":
			return textValue(v.s)
		case "simpleName":
			return textValue(v.s[strings.LastIndexByte(v.s, '.')+1:])
		}
	}
	return value{}
}

// index is what [...] means: get of a list or map.
func (st *state) index(v, key value) value {
	switch v.k {
	case dict:
		return v.dict().get(st, st.text(key))
	case list:
		if key.k != integer {
			return value{}
		}
		items := v.list().items
		i := key.n
		if i < 0 {
			i += int64(len(items))
		}
		if i < 0 || i >= int64(len(items)) {
			// UNVERIFIED: Velocity fails there; what AWS does nobody recorded.
			st.fail(st.pos, indexText(key.n))
			return value{}
		}
		return items[i]
	}
	return value{}
}

// set puts a value where the reference leads. Where that is nowhere, nothing
// happens, as in Velocity.
func (r *reference) set(st *state, v value) {
	if len(r.steps) == 0 {
		st.assign(r.slot, v)
		return
	}
	last := &r.steps[len(r.steps)-1]
	on := r.raw(st, len(r.steps)-1)
	st.pos = r.pos
	switch {
	case on.k == dict && last.kind == propertyStep:
		on.dict().put(st, last.name, v)
	case on.k == dict && last.kind == indexStep:
		on.dict().put(st, st.text(last.args[0].eval(st)), v)
	case on.k == list && last.kind == indexStep:
		key := last.args[0].eval(st)
		items := on.list().items
		if key.k != integer {
			return
		}
		i := key.n
		if i < 0 {
			i += int64(len(items))
		}
		if i < 0 || i >= int64(len(items)) {
			st.fail(st.pos, indexText(key.n))
			return
		}
		items[i] = v
	}
}

func indexText(i int64) string {
	return "the index " + strconv.FormatInt(i, 10) + " is out of range"
}
