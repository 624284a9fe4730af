package vtl

import "strings"

// directive reads a directive whose name ends at after.
func (g *gather) directive(name string, after int) {
	p := g.p
	start := p.i
	switch name {
	case "set":
		open := after
		for open < len(p.src) && p.src[open] == ' ' {
			open++
		}
		if open == len(p.src) || p.src[open] != '(' {
			g.skip(after - start)
			return
		}
		// #set takes the blanks before it along, if nothing else is before them.
		end := start
		if strings.Trim(p.src[g.token:start], " \t") == "" {
			end = g.token
		}
		g.flush(end)
		p.i = open + 1
		g.add(p.set(start))
	case "if":
		g.flush(start)
		p.i = after
		g.add(p.condition(start))
	case "foreach":
		g.flush(start)
		p.i = after
		g.add(p.foreach(start))
	case "macro":
		g.flush(start)
		p.i = after
		p.macro(start)
	case "define":
		g.flush(start)
		p.i = after
		g.add(p.define(start))
	case "evaluate":
		g.flush(start)
		p.i = after
		if p.open(name) {
			arg := p.argument()
			p.closeDirective()
			g.add(&evaluate{p.base + start, arg})
		}
	case "literal":
		g.flush(start)
		p.i = after
		g.add(p.literal(start))
	case "break":
		g.flush(start)
		p.i = after
		g.add(&breakNode{p.base + start, p.optionalArgument()})
	case "stop":
		g.flush(start)
		p.i = after
		p.optionalArgument()
		g.add(stopNode{})
	case "include", "parse":
		p.fail(start, "#"+name+" isn't available in mapping templates")
	default:
		if !g.call(name, after) {
			return
		}
	}
	if !p.failed() {
		g.resume()
	}
}

// open reads the parenthesis that a directive's arguments start with.
func (p *parser) open(name string) bool {
	p.space()
	if !p.take('(') {
		p.fail(p.i, "#"+name+" needs an argument in parentheses")
	}
	return !p.failed()
}

// closeDirective reads the parenthesis that ends a directive's arguments, and
// the rest of a line that is blank behind it.
func (p *parser) closeDirective() {
	p.space()
	if !p.take(')') {
		p.unexpected(")")
		return
	}
	p.i = gobble(p.src, p.i)
}

// hasArguments tells whether the next thing that isn't white space is a
// parenthesis.
func (p *parser) hasArguments() bool {
	rest := strings.TrimLeft(p.src[p.i:], " \t\r\n")
	return rest != "" && rest[0] == '('
}

func (p *parser) optionalArgument() expr {
	if !p.hasArguments() {
		return nil
	}
	p.space()
	p.i++
	p.space()
	var arg expr
	if p.i < len(p.src) && p.src[p.i] != ')' {
		arg = p.argument()
	}
	p.closeDirective()
	return arg
}

func (p *parser) set(start int) node {
	p.space()
	if !p.atReference() {
		p.unexpected("a variable")
		return nil
	}
	left := p.reference()
	p.space()
	if !p.take('=') {
		p.unexpected("=")
		return nil
	}
	right := p.expression()
	p.closeDirective()
	return &set{p.base + start, left, right}
}

func (p *parser) condition(start int) node {
	n := &ifNode{}
	name := "if"
	for !p.failed() {
		var test expr
		if name != "else" {
			if !p.open(name) {
				return nil
			}
			test = p.expression()
			p.closeDirective()
		}
		if p.failed() {
			return nil
		}
		body, end := p.block()
		n.branches = append(n.branches, branch{test, body})
		switch {
		case end == "end":
			return n
		case end == "" || name == "else":
			p.fail(start, "#if isn't closed by #end")
		}
		name = end
	}
	return nil
}

// body reads a block that only #end closes.
func (p *parser) body(start int, name string) nodes {
	if p.failed() {
		return nil
	}
	body, end := p.block()
	if end != "end" {
		p.fail(start, "#"+name+" isn't closed by #end")
	}
	return body
}

func (p *parser) foreach(start int) node {
	if !p.open("foreach") {
		return nil
	}
	n := &foreach{pos: p.base + start}
	p.space()
	if !p.atReference() {
		p.unexpected("a variable")
		return nil
	}
	if r := p.reference(); r != nil {
		n.slot = r.slot
	}
	p.space()
	if p.word() != "in" {
		p.unexpected("in")
		return nil
	}
	p.i += len("in")
	n.over = p.argument()
	p.closeDirective()
	n.body = p.body(start, "foreach")
	return n
}

func (p *parser) define(start int) node {
	if !p.open("define") {
		return nil
	}
	n := &define{}
	p.space()
	if !p.atReference() {
		p.unexpected("a variable")
		return nil
	}
	if r := p.reference(); r != nil {
		n.slot = r.slot
	}
	p.closeDirective()
	n.body = p.body(start, "define")
	return n
}

// literal reads #literal() ... #end, whose body is text as it stands.
func (p *parser) literal(start int) node {
	if !p.open("literal") {
		return nil
	}
	p.closeDirective()
	from := p.i
	p.body(start, "literal")
	end := strings.LastIndexByte(p.src[:p.i], '#')
	if p.failed() || end < from {
		return nil
	}
	return textNode(p.src[from:end])
}

// macro reads the definition of a macro. The first one of a name counts.
func (p *parser) macro(start int) {
	if !p.open("macro") {
		return
	}
	p.space()
	name := p.word()
	if name == "" {
		p.unexpected("the name of a macro")
		return
	}
	p.i += len(name)
	m := &macro{name: name}
	for p.separator(); p.atReference(); p.separator() {
		if r := p.reference(); r != nil {
			m.params = append(m.params, r.slot)
		}
	}
	p.closeDirective()
	if p.failed() {
		return
	}
	if p.c.macros[name] == nil {
		p.c.macros[name] = m
	}
	m.body = p.body(start, "macro")
}

// separator skips white space and a comma in it.
func (p *parser) separator() {
	p.space()
	if p.take(',') {
		p.space()
	}
}

// call reads what may be a call of a macro, "#name(...)" or "#@name(...) ...
// #end". Only when all of the template was read is it known whether there is
// such a macro; without one the call is text. It is false if nothing but text is
// there for certain.
func (g *gather) call(name string, after int) bool {
	p := g.p
	start := p.i
	call := &macroCall{pos: p.base + start, name: strings.TrimPrefix(name, "@")}
	blockCall := name[0] == '@'
	p.i = after
	if p.hasArguments() {
		p.space()
		p.i++
		for p.separator(); p.i < len(p.src) && p.src[p.i] != ')' && !p.failed(); p.separator() {
			call.args = append(call.args, p.argument())
		}
		p.closeDirective()
		if p.failed() {
			// It stays text if nobody defines the macro.
			call.bad, p.c.err = p.c.err, nil
			call.args, p.i = nil, after
		}
	} else if blockCall {
		g.token = p.i
		return false
	}
	g.flush(start)
	if blockCall && call.bad == nil {
		call.body = p.body(start, name)
	}
	call.literal = p.src[start:p.i]
	p.c.calls = append(p.c.calls, call)
	g.add(call)
	return true
}
