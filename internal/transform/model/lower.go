package model

import (
	"slices"
	"strconv"
)

// schema compiles the schema of a place, once.
func (c *compiler) schema(p place) (*schema, error) {
	p, err := c.resolve(p)
	if err != nil {
		return nil, err
	}
	if s := c.compiled[p]; s != nil {
		return s, nil
	}
	s := &schema{}
	c.compiled[p] = s // before what is inside, which may lead back here
	l := lowering{compiler: c, place: p, document: &c.sources[p.url].document, into: s}
	return s, l.run()
}

// A lowering compiles one schema. What the library accepted is taken to be well
// formed.
type lowering struct {
	*compiler
	place
	document *document
	into     *schema
}

func (l *lowering) run() error {
	s := l.into
	l.types()
	if at, found := l.keyword("enum"); found {
		s.enum = []located{}
		for _, e := range l.elements(at) {
			s.enum = append(s.enum, located{l.document, e})
		}
		s.enumText = string(l.document.compact(at))
	}
	var err error
	for keyword, into := range map[string]*[]*schema{"allOf": &s.allOf, "anyOf": &s.anyOf, "oneOf": &s.oneOf} {
		if at, found := l.keyword(keyword); found {
			if *into, err = l.schemas(l.elements(at)); err != nil {
				return err
			}
		}
	}
	if s.not, err = l.optional("not"); err != nil {
		return err
	}
	l.numbers()
	if err := l.strings(); err != nil {
		return err
	}
	if err := l.arrays(); err != nil {
		return err
	}
	return l.objects()
}

// keyword finds the value of a keyword.
func (l *lowering) keyword(name string) (at int, found bool) {
	return l.document.member(l.at, []byte(name))
}

func (l *lowering) elements(at int) []int {
	var list []int
	for j := at + 1; j < int(l.document.values[at].next); j = int(l.document.values[j].next) {
		list = append(list, j)
	}
	return list
}

// members returns the places of an object's names. Of several of one name only
// the last counts.
func (l *lowering) members(at int) []int {
	var list []int
	for k := at + 1; k < int(l.document.values[at].next); k = int(l.document.values[k+1].next) {
		if last, _ := l.document.member(at, l.document.str(k)); last == k+1 {
			list = append(list, k)
		}
	}
	return list
}

func (l *lowering) sub(at int) (*schema, error) { return l.schema(place{l.url, at}) }

func (l *lowering) schemas(places []int) ([]*schema, error) {
	list := make([]*schema, 0, len(places))
	for _, at := range places {
		s, err := l.sub(at)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// optional is the schema of a keyword, nil without one.
func (l *lowering) optional(keyword string) (*schema, error) {
	at, found := l.keyword(keyword)
	if !found || l.document.values[at].kind != objectKind {
		return nil, nil
	}
	return l.sub(at)
}

// refused tells that a keyword is false.
func (l *lowering) refused(keyword string) bool {
	at, found := l.keyword(keyword)
	return found && l.document.values[at].kind == falseKind
}

func (l *lowering) types() {
	at, found := l.keyword("type")
	if !found {
		return
	}
	names := []int{at}
	if l.document.values[at].kind == arrayKind {
		names = l.elements(at)
	}
	told := map[string]bool{}
	for _, name := range names {
		text := string(l.document.str(name))
		told[text] = true
		switch text {
		case "null":
			l.into.types |= 1 << nullKind
		case "boolean":
			l.into.types |= 1<<falseKind | 1<<trueKind
		case "integer":
			l.into.types |= 1 << integerKind
		case "number":
			l.into.types |= 1<<integerKind | 1<<numberKind
			told["integer"] = true
		case "string":
			l.into.types |= 1 << stringKind
		case "array":
			l.into.types |= 1 << arrayKind
		case "object":
			l.into.types |= 1 << objectKind
		}
	}
	var sorted []string
	for name := range told {
		sorted = append(sorted, name)
	}
	slices.Sort(sorted)
	l.into.typeText = list(sorted)
}

// bound is a number of the schema, told as AWS's validator does: an integer is
// one however it is written.
func (l *lowering) bound(keyword string) *bound {
	at, found := l.keyword(keyword)
	if !found {
		return nil
	}
	b := &bound{parseDecimal(l.document.raw(at)), string(l.document.raw(at))}
	if whole, err := strconv.ParseFloat(b.text, 64); err == nil && whole == float64(int64(whole)) && whole > -1e15 && whole < 1e15 {
		integer := strconv.FormatInt(int64(whole), 10)
		if parseDecimal([]byte(integer)).compare(b.decimal) == 0 {
			b.text = integer
		}
	}
	return b
}

func (l *lowering) numbers() {
	n := numberRules{minimum: l.bound("minimum"), maximum: l.bound("maximum"), multipleOf: l.bound("multipleOf")}
	if at, found := l.keyword("exclusiveMaximum"); found {
		n.exclusive = l.document.values[at].kind == trueKind
	}
	if n.minimum != nil || n.maximum != nil || n.multipleOf != nil {
		l.into.numbers = &n
	}
}

// size is a keyword's number of things, -1 without one.
func (l *lowering) size(keyword string) int {
	at, found := l.keyword(keyword)
	if !found {
		return -1
	}
	d := parseDecimal(l.document.raw(at))
	if most := parseDecimal([]byte(strconv.Itoa(maxText))); d.compare(most) >= 0 {
		return maxText
	}
	n, err := strconv.ParseFloat(string(l.document.raw(at)), 64) // 2.0 is one, too
	if err != nil {
		return maxText
	}
	return int(n)
}

func (l *lowering) strings() error {
	s := stringRules{minLength: l.size("minLength"), maxLength: l.size("maxLength")}
	if at, found := l.keyword("pattern"); found {
		var err error
		if s.pattern, err = newPattern(string(l.document.str(at))); err != nil {
			return err
		}
	}
	if at, found := l.keyword("format"); found && l.document.values[at].kind == stringKind {
		s.format = parseFormat(string(l.document.str(at)))
	}
	if s.minLength >= 0 || s.maxLength >= 0 || s.pattern != nil || s.format != noFormat {
		l.into.strings = &s
	}
	return nil
}

func (l *lowering) arrays() error {
	a := arrayRules{minItems: l.size("minItems"), maxItems: l.size("maxItems")}
	if at, found := l.keyword("uniqueItems"); found {
		a.unique = l.document.values[at].kind == trueKind
	}
	var err error
	at, found := l.keyword("items")
	if found && l.document.values[at].kind == arrayKind {
		if a.first, err = l.schemas(l.elements(at)); err != nil {
			return err
		}
		a.closed = l.refused("additionalItems")
		a.rest, err = l.optional("additionalItems")
	} else {
		a.rest, err = l.optional("items")
	}
	if err == nil && (a.minItems >= 0 || a.maxItems >= 0 || a.unique || found) {
		l.into.arrays = &a
	}
	return err
}

func (l *lowering) objects() error {
	o := objectRules{
		minProperties: l.size("minProperties"), maxProperties: l.size("maxProperties"),
		properties: map[string]property{}, closed: l.refused("additionalProperties"),
	}
	if at, found := l.keyword("properties"); found {
		for _, k := range l.members(at) {
			s, err := l.sub(k + 1)
			if err != nil {
				return err
			}
			o.properties[string(l.document.str(k))] = property{schema: s}
		}
	}
	if at, found := l.keyword("required"); found {
		o.required = l.names(at)
		for i, name := range o.required {
			p := o.properties[name]
			p.required = i + 1
			o.properties[name] = p
		}
	}
	if at, found := l.keyword("patternProperties"); found {
		for _, k := range l.members(at) {
			p, err := newPattern(string(l.document.str(k)))
			if err != nil {
				return err
			}
			s, err := l.sub(k + 1)
			if err != nil {
				return err
			}
			o.patterns = append(o.patterns, patternProperty{p, s})
		}
	}
	if at, found := l.keyword("dependencies"); found {
		for _, k := range l.members(at) {
			d := dependency{name: string(l.document.str(k))}
			if l.document.values[k+1].kind == arrayKind {
				d.required = l.names(k + 1)
			} else {
				s, err := l.sub(k + 1)
				if err != nil {
					return err
				}
				d.schema = s
			}
			o.dependencies = append(o.dependencies, d)
		}
	}
	var err error
	if o.additional, err = l.optional("additionalProperties"); err != nil {
		return err
	}
	if o.minProperties >= 0 || o.maxProperties >= 0 || len(o.properties) > 0 || len(o.patterns) > 0 || len(o.dependencies) > 0 ||
		o.additional != nil || o.closed {
		l.into.objects = &o
	}
	return nil
}

// names is a list of strings, sorted.
func (l *lowering) names(at int) []string {
	names := []string{}
	for _, e := range l.elements(at) {
		names = append(names, string(l.document.str(e)))
	}
	slices.Sort(names)
	return slices.Compact(names)
}
