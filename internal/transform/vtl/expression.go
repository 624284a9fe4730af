package vtl

import (
	"strconv"
	"strings"
)

// The language of what stands in the parentheses of directives and methods.
// Operators are a matter of #set and #if; arguments of methods and macros are
// texts, numbers, lists, maps and references only.

func (p *parser) space() {
	for p.i < len(p.src) {
		switch p.src[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

func (p *parser) take(c byte) bool {
	if p.i < len(p.src) && p.src[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *parser) takeText(s string) bool {
	if strings.HasPrefix(p.src[p.i:], s) {
		p.i += len(s)
		return true
	}
	return false
}

// word is the word that starts here, "" if none does.
func (p *parser) word() string {
	end := p.i
	for end < len(p.src) && isWord(p.src[end], end == p.i) {
		end++
	}
	return p.src[p.i:end]
}

// unexpected fails for want of something.
func (p *parser) unexpected(wanted string) {
	if p.i >= len(p.src) {
		p.fail(len(p.src), "the text ends where "+wanted+" should be")
		return
	}
	p.fail(p.i, strconv.QuoteToGraphic(p.src[p.i:p.i+1])+" where "+wanted+" should be")
}

func (p *parser) expression() expr {
	if !p.deeper() {
		return nil
	}
	defer p.shallower()
	return p.binary(0)
}

// operators are those of one rank, the weakest first. The longer ones stand
// before those they begin with.
func operators(rank int) []operator {
	switch rank {
	case 0:
		return []operator{{"||", opOr}, {"or", opOr}}
	case 1:
		return []operator{{"&&", opAnd}, {"and", opAnd}}
	case 2:
		return []operator{{"==", opEqual}, {"eq", opEqual}, {"!=", opUnequal}, {"ne", opUnequal}}
	case 3:
		return []operator{
			{"<=", opLessEqual}, {"le", opLessEqual}, {">=", opGreaterEqual}, {"ge", opGreaterEqual},
			{"<", opLess}, {"lt", opLess}, {">", opGreater}, {"gt", opGreater},
		}
	case 4:
		return []operator{{"+", '+'}, {"-", '-'}}
	case 5:
		return []operator{{"*", '*'}, {"/", '/'}, {"%", '%'}}
	}
	return nil
}

// unaryRank is the rank behind those of the binary operators.
const unaryRank = 6

type operator struct {
	text string
	op   byte
}

func (p *parser) binary(rank int) expr {
	if rank == unaryRank {
		return p.unary()
	}
	left := p.binary(rank + 1)
	for !p.failed() {
		p.space()
		at := p.i
		op, ok := p.operator(rank)
		if !ok {
			break
		}
		left = makeBinary(p.base+at, op, left, p.binary(rank+1))
	}
	return left
}

func (p *parser) operator(rank int) (byte, bool) {
	for _, o := range operators(rank) {
		if isLetter(o.text[0]) {
			if p.word() == o.text {
				p.i += len(o.text)
				return o.op, true
			}
			continue
		}
		if !strings.HasPrefix(p.src[p.i:], o.text) {
			continue
		}
		if o.op == '-' && p.i+1 < len(p.src) && isDigit(p.src[p.i+1]) {
			// Velocity takes this for a negative number.
			p.fail(p.i, "a number where an operator should be: put a space behind the minus sign")
			return 0, false
		}
		p.i += len(o.text)
		return o.op, true
	}
	return 0, false
}

func (p *parser) unary() expr {
	p.space()
	switch {
	case p.i < len(p.src) && p.src[p.i] == '!':
		p.i++
	case p.word() == "not":
		p.i += len("not")
	case p.take('('):
		e := p.expression()
		p.space()
		if !p.take(')') {
			p.unexpected(")")
		}
		return e
	default:
		return p.argument()
	}
	if !p.deeper() {
		return nil
	}
	defer p.shallower()
	return &not{p.unary()}
}

// argument reads what may be given to a method, a directive or an operator.
func (p *parser) argument() expr {
	if !p.deeper() {
		return nil
	}
	defer p.shallower()
	p.space()
	if p.i == len(p.src) {
		p.unexpected("a value")
		return nil
	}
	switch c := p.src[p.i]; {
	case c == '"':
		return p.doubleQuoted()
	case c == '\'':
		return p.singleQuoted()
	case c == '$' && p.atReference():
		if r := p.reference(); r != nil {
			return r
		}
		return nil
	case c == '[':
		return p.listOrRange()
	case c == '{':
		return p.mapLiteral()
	case isDigit(c), c == '-', c == '.':
		return p.number()
	}
	switch p.word() {
	case "true":
		p.i += len("true")
		return constant{boolValue(true)}
	case "false":
		p.i += len("false")
		return constant{boolValue(false)}
	}
	p.unexpected("a value")
	return nil
}

func (p *parser) singleQuoted() expr {
	s, ok := p.quoted('\'')
	if !ok {
		return nil
	}
	return constant{textValue(strings.ReplaceAll(s, "''", "'"))}
}

// doubleQuoted reads a text that may have template syntax in it.
func (p *parser) doubleQuoted() expr {
	start := p.i + 1
	s, ok := p.quoted('"')
	if !ok {
		return nil
	}
	s = strings.ReplaceAll(unescapeUnicode(s), `""`, `"`)
	if !strings.ContainsAny(s, "$#") {
		return constant{textValue(s)}
	}
	inner := parser{c: p.c, src: s, base: p.base + start}
	body, end := inner.block()
	if end != "" {
		inner.fail(inner.i, "#"+end+" without what it belongs to")
	}
	return interpolate(body)
}

// quoted reads a text up to its closing quote; a doubled quote is one of the
// text's.
func (p *parser) quoted(quote byte) (string, bool) {
	start := p.i + 1
	for i := start; i < len(p.src); i++ {
		if p.src[i] != quote {
			continue
		}
		if i+1 < len(p.src) && p.src[i+1] == quote && p.closesLater(i+2, quote) {
			i++
			continue
		}
		p.i = i + 1
		return p.src[start:i], true
	}
	p.fail(p.i, "a text isn't closed")
	return "", false
}

// closesLater tells whether there is another quote behind: without one, of two
// quotes the first closes the text.
func (p *parser) closesLater(from int, quote byte) bool {
	return strings.IndexByte(p.src[from:], quote) >= 0
}

// unescapeUnicode replaces the \uXXXX of a text.
func unescapeUnicode(s string) string {
	if !strings.Contains(s, `\u`) {
		return s
	}
	var b strings.Builder
	for s != "" {
		before, after, found := strings.Cut(s, `\u`)
		b.WriteString(before)
		if !found {
			break
		}
		r, n := hexRune(after)
		if n == 0 {
			b.WriteString(`\u`)
		} else {
			b.WriteRune(r)
		}
		s = after[n:]
	}
	return b.String()
}

func (p *parser) number() expr {
	start := p.i
	p.take('-')
	p.digits()
	whole := true
	if p.i < len(p.src) && p.src[p.i] == '.' && !strings.HasPrefix(p.src[p.i:], "..") {
		whole = false
		p.i++
		p.digits()
	}
	if end := p.exponent(); end > p.i {
		whole = false
		p.i = end
	}
	s := p.src[start:p.i]
	if whole {
		if v, ok := integerText(s); ok {
			return constant{v}
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		p.i = start
		p.unexpected("a value")
		return nil
	}
	return constant{doubleValue(f)}
}

func (p *parser) digits() {
	for p.i < len(p.src) && isDigit(p.src[p.i]) {
		p.i++
	}
}

// exponent is the offset behind the exponent that starts here, if one does.
func (p *parser) exponent() int {
	rest := p.src[p.i:]
	if rest == "" || rest[0] != 'e' && rest[0] != 'E' {
		return p.i
	}
	end := 1
	if end < len(rest) && (rest[end] == '+' || rest[end] == '-') {
		end++
	}
	first := end
	for end < len(rest) && isDigit(rest[end]) {
		end++
	}
	if end == first {
		return p.i
	}
	return p.i + end
}

func (p *parser) listOrRange() expr {
	at := p.i
	p.i++
	p.space()
	if p.take(']') {
		return &listLiteral{}
	}
	first := p.argument()
	p.space()
	if p.takeText("..") {
		last := p.argument()
		p.space()
		if !p.take(']') {
			p.unexpected("]")
		}
		return &rangeLiteral{p.base + at, first, last}
	}
	items := []expr{first}
	for !p.failed() && p.take(',') {
		items = append(items, p.argument())
		p.space()
	}
	if !p.failed() && !p.take(']') {
		p.unexpected("]")
	}
	return &listLiteral{items}
}

func (p *parser) mapLiteral() expr {
	p.i++
	m := &mapLiteral{}
	p.space()
	if p.take('}') {
		return m
	}
	for !p.failed() {
		m.keys = append(m.keys, p.argument())
		p.space()
		if !p.failed() && !p.take(':') {
			p.unexpected(":")
		}
		m.vals = append(m.vals, p.argument())
		p.space()
		if !p.take(',') {
			break
		}
	}
	if !p.failed() && !p.take('}') {
		p.unexpected("}")
	}
	return m
}
