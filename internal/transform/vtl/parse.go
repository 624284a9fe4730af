package vtl

import "strings"

// A parser reads one text with template syntax in it: a template, what an
// #evaluate is given, or a text in double quotes.
type parser struct {
	c   *compiler
	src string
	i   int
	// base is where src starts in the template, for errors.
	base int
}

// A compiler is what the parsers of one template share.
type compiler struct {
	// known are the variables of the template that an #evaluate stands in, slots
	// those that came with this text.
	known, slots map[string]int
	macros       map[string]*macro
	// outer are the macros of the template that an #evaluate stands in.
	outer map[string]*macro
	calls []*macroCall
	err   *failure
	nest  int
}

// A failure is an error before its offset is told as line and column.
type failure struct {
	pos    int
	reason string
}

// fail records that the text is wrong at an offset of src; the first one counts.
func (p *parser) fail(at int, reason string) {
	if p.c.err == nil {
		p.c.err = &failure{p.base + at, reason}
	}
}

func (p *parser) failed() bool { return p.c.err != nil }

// deeper counts nesting; with every true goes a shallower.
func (p *parser) deeper() bool {
	p.c.nest++
	if p.c.nest > maxNesting {
		p.fail(p.i, "the template nests too deep")
	}
	return !p.failed()
}

func (p *parser) shallower() { p.c.nest-- }

// slot is where a variable is kept.
func (c *compiler) slot(name string) int {
	if i, ok := c.known[name]; ok {
		return i
	}
	i, ok := c.slots[name]
	if !ok {
		i = len(c.known) + len(c.slots)
		c.slots[name] = i
	}
	return i
}

// template reads all of the text.
func (p *parser) template() nodes {
	list, end := p.block()
	if end != "" {
		p.fail(p.i, "#"+end+" without what it belongs to")
	}
	p.c.link()
	return list
}

// link finds the macros that are called. They may be defined behind the call.
func (c *compiler) link() {
	for _, call := range c.calls {
		call.macro = c.macros[call.name]
		if call.macro == nil {
			call.macro = c.outer[call.name]
		}
		if call.macro != nil && call.bad != nil && c.err == nil {
			c.err = call.bad
		}
	}
}

// A gather collects the nodes of a block.
type gather struct {
	p    *parser
	list nodes
	// plain is where text that isn't in the list yet starts, token where the
	// piece of it starts that the language reads as one.
	plain, token int
}

// flush puts the text before an offset into the list.
func (g *gather) flush(end int) {
	if end > g.plain {
		g.add(textNode(g.p.src[g.plain:end]))
	}
}

// maxJoined is up to which length a text is joined with the one behind it.
const maxJoined = 1 << 10

func (g *gather) add(n node) {
	if t, ok := n.(textNode); ok && len(g.list) > 0 {
		if last, ok := g.list[len(g.list)-1].(textNode); ok && len(last) < maxJoined {
			g.list[len(g.list)-1] = last + t
			return
		}
	}
	g.list = append(g.list, n)
}

// resume starts new text where the parser stands.
func (g *gather) resume() { g.plain, g.token = g.p.i, g.p.i }

// block reads up to the #end, #else or #elseif that closes it, whose name it
// returns, or to the end of the text.
func (p *parser) block() (nodes, string) {
	if !p.deeper() {
		return nil, ""
	}
	defer p.shallower()
	g := gather{p: p}
	g.resume()
	for !p.failed() {
		next := strings.IndexAny(p.src[p.i:], `$#\`)
		if next < 0 {
			p.i = len(p.src)
			break
		}
		p.i += next
		var end string
		switch p.src[p.i] {
		case '$':
			g.reference(p.i)
		case '\\':
			g.backslash()
		case '#':
			end = g.hash()
		}
		if end != "" {
			return g.list, end
		}
	}
	g.flush(p.i)
	return g.list, ""
}

// skip leaves n characters that mean nothing in the text.
func (g *gather) skip(n int) {
	g.p.i += n
	g.token = g.p.i
}

// reference reads a reference at a $, with the backslashes from start on before
// it; a $ before no name is text.
func (g *gather) reference(start int) {
	p := g.p
	dollar := p.i
	if !p.atReference() {
		g.skip(1)
		return
	}
	r := p.reference()
	if r == nil {
		return
	}
	g.flush(start)
	r.prefix = p.src[start : start+(dollar-start)/2]
	if (dollar-start)%2 == 1 {
		// Every reference has a value here, be it "", and what is escaped has its
		// backslash taken.
		g.add(textNode(r.prefix + p.src[dollar:p.i]))
	} else {
		g.add(r)
	}
	g.resume()
}

// backslash reads a run of backslashes: they escape references and directives
// and are text before all else.
func (g *gather) backslash() {
	p := g.p
	start := p.i
	for p.i < len(p.src) && p.src[p.i] == '\\' {
		p.i++
	}
	n := p.i - start
	if p.i == len(p.src) {
		g.token = p.i
		return
	}
	switch p.src[p.i] {
	case '$':
		g.reference(start)
	case '#':
		name, after := p.directiveName()
		if !p.c.isDirective(name) {
			if n%2 == 1 && name != "" {
				p.i = after // what an unknown directive has behind it is text too
			}
			g.token = p.i
			return
		}
		g.flush(start)
		g.add(textNode(p.src[start : start+n/2]))
		if n%2 == 1 {
			g.add(textNode(p.src[p.i:after]))
			p.i = after
		}
		g.resume()
	default:
		g.token = p.i
	}
}

// hash reads what a # starts: a comment, a text block, a directive. It returns
// the name of a directive that closes the block.
func (g *gather) hash() string {
	p := g.p
	rest := p.src[p.i:]
	switch {
	case strings.HasPrefix(rest, "##"):
		g.flush(p.i)
		p.i = lineEnd(p.src, p.i)
		g.resume()
		return ""
	case strings.HasPrefix(rest, "#*"):
		g.flush(p.i)
		g.comment()
		return ""
	case strings.HasPrefix(rest, "#[["):
		g.flush(p.i)
		g.textBlock()
		return ""
	}
	name, after := p.directiveName()
	switch name {
	case "":
		g.skip(1)
		return ""
	case "end", "else":
		g.flush(p.i)
		p.i = gobble(p.src, after)
		return name
	case "elseif":
		g.flush(p.i)
		p.i = after
		return name
	}
	g.directive(name, after)
	return ""
}

func (g *gather) comment() {
	p := g.p
	end := strings.Index(p.src[p.i+2:], "*#")
	if end < 0 {
		p.fail(p.i, "a comment isn't closed")
		return
	}
	p.i += 2 + end + 2
	g.resume()
}

func (g *gather) textBlock() {
	p := g.p
	end := strings.Index(p.src[p.i+3:], "]]#")
	if end < 0 {
		p.fail(p.i, "#[[ isn't closed by ]]#")
		return
	}
	g.add(textNode(p.src[p.i+3 : p.i+3+end]))
	p.i += 3 + end + 3
	g.resume()
}

// directiveName reads the name behind a #, which may stand in braces, without
// moving on. It is "" if there is none.
func (p *parser) directiveName() (name string, after int) {
	i := p.i + 1
	braced := i < len(p.src) && p.src[i] == '{'
	if braced {
		i++
	}
	start := i
	for i < len(p.src) && isWord(p.src[i], i == start) {
		i++
	}
	if i == start {
		return "", p.i
	}
	name = p.src[start:i]
	if braced {
		if i == len(p.src) || p.src[i] != '}' || name[0] == '@' {
			return "", p.i
		}
		i++
	}
	return name, i
}

// isDirective tells a directive or a macro that was defined before.
func (c *compiler) isDirective(name string) bool {
	switch name {
	case "if", "else", "elseif", "end", "set", "foreach", "break", "stop", "macro", "define", "evaluate", "literal", "include", "parse":
		return true
	}
	return c.macros[name] != nil || c.outer[name] != nil
}

func isWord(c byte, first bool) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', c == '@':
		return true
	}
	return !first && '0' <= c && c <= '9'
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// lineEnd is the offset behind the line that i is in.
func lineEnd(s string, i int) int {
	end := strings.IndexAny(s[i:], "\r\n")
	if end < 0 {
		return len(s)
	}
	return newline(s, i+end)
}

// newline is the offset behind a line's end at i, or i.
func newline(s string, i int) int {
	switch {
	case strings.HasPrefix(s[i:], "\r\n"):
		return i + 2
	case i < len(s) && (s[i] == '\n' || s[i] == '\r'):
		return i + 1
	}
	return i
}

// gobble is the offset behind the blanks and the line's end that a directive
// takes with it; blanks before other text stay.
func gobble(s string, i int) int {
	end := i
	for end < len(s) && (s[end] == ' ' || s[end] == '\t') {
		end++
	}
	if after := newline(s, end); after > end {
		return after
	}
	return i
}
