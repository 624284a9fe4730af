package vtl

import "strings"

// A message is what $input reads, parsed at most once.
type message struct {
	text   string
	copied bool
	doc    value
	parsed bool
}

// bodyText is $input.body: an empty message reads as an empty object.
func (st *state) bodyText() string {
	m := &st.message
	if !m.copied {
		m.copied = true
		m.text = "{}"
		if len(st.scope.Body) > 0 {
			m.text = string(st.scope.Body)
			st.made(len(m.text))
		}
	}
	return m.text
}

// document is the message as paths see it. What isn't JSON is a text, unless it
// starts like an object or a list: so templates can split forms.
func (st *state) document() value {
	m := &st.message
	if m.parsed {
		return m.doc
	}
	m.parsed = true
	body := st.bodyText()
	doc, ok := st.readJSON(body)
	if !ok && st.err == nil {
		st.fail(st.pos, "the body isn't JSON")
		st.err.Body = true
	}
	m.doc = doc
	return doc
}

// inputPath is $input.path(path).
func (st *state) inputPath(p *jsonPath) value {
	doc := st.document()
	if st.err != nil {
		return value{}
	}
	return p.find(st, doc)
}

// inputJSON is $input.json(path) as a text.
func (st *state) inputJSON(p *jsonPath) value {
	start := len(st.out)
	st.out = st.appendInputJSON(st.out, p)
	return textValue(st.cut(start))
}

// appendInputJSON appends what $input.json(path) is; for what isn't there that
// is an empty text with its quotes.
func (st *state) appendInputJSON(dst []byte, p *jsonPath) []byte {
	v := st.inputPath(p)
	if v.k == null {
		return append(dst, `""`...)
	}
	return st.appendJSON(dst, v, forJSON)
}

// path is a path that a template made at run time.
func (st *state) path(source string) *jsonPath {
	p := st.paths[source]
	if p != nil {
		return p
	}
	// The text may be in memory that is the exchange's.
	source = strings.Clone(source)
	p = parseJSONPath(source)
	st.charge(len(source))
	if len(source) > maxKeptLength {
		return p
	}
	if st.paths == nil || len(st.paths) >= maxKept {
		st.paths = map[string]*jsonPath{}
	}
	st.paths[source] = p
	return p
}

// maxKept is how many paths, and how many patterns, made at run time are kept
// for later, and maxKeptLength how long they may be for that.
const (
	maxKept       = 64
	maxKeptLength = 1 << 10
)

// inputMethod are the methods of $input.
func inputMethod(name string) method {
	switch name {
	case "path":
		return func(st *state, _ value, args []value) (value, bool) {
			if len(args) != 1 {
				return value{}, false
			}
			return st.inputPath(st.path(st.text(args[0]))), true
		}
	case "json":
		return func(st *state, _ value, args []value) (value, bool) {
			if len(args) != 1 {
				return value{}, false
			}
			return st.inputJSON(st.path(st.text(args[0]))), true
		}
	case "params":
		return func(st *state, _ value, args []value) (value, bool) {
			switch len(args) {
			case 0:
				return dictValue(st.allParams()), true
			case 1:
				return st.param(st.text(args[0])), true
			}
			return value{}, false
		}
	}
	return nil
}

// param is $input.params(name).
func (st *state) param(name string) value {
	if st.scope.Params != nil {
		for place := PathParams; place <= HeaderParams; place++ {
			if s, ok := st.scope.Params.Param(place, name); ok {
				return textValue(s)
			}
		}
	}
	return nothing()
}

// allParams is $input.params().
func (st *state) allParams() *mapObject {
	if st.params == nil {
		m := &mapObject{}
		for place, name := range [...]string{"path", "querystring", "header"} {
			m.set(name, dictValue(&mapObject{source: paramMap(place)}))
		}
		st.params = m
	}
	return st.params
}

// A paramMap are the parameters of a place. Their names compare exactly, as in
// any map.
// UNVERIFIED: that this holds for headers, too.
type paramMap Place

func (p paramMap) member(st *state, name string) value {
	if st.scope.Params != nil {
		for n, v := range st.scope.Params.Params(Place(p)) {
			st.charge(1)
			if n == name {
				return textValue(v)
			}
		}
	}
	return value{}
}

func (p paramMap) fill(st *state, m *mapObject) {
	if st.scope.Params == nil {
		return
	}
	for n, v := range st.scope.Params.Params(Place(p)) {
		m.set(n, textValue(v))
	}
	st.made(64 * len(m.keys))
}
