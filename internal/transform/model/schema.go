package model

import (
	"hash/maphash"
	"strings"
)

// A schema is a compiled schema, without what has no effect. References are
// resolved: they are the schema that they lead to.
type schema struct {
	// types are the allowed kinds; typeText is how they are told.
	types    kinds
	typeText string

	// enum are values of a document of schemas.
	enum     []located
	enumText string

	allOf, anyOf, oneOf []*schema
	not                 *schema

	numbers *numberRules
	strings *stringRules
	arrays  *arrayRules
	objects *objectRules
}

// kinds is a set of kinds.
type kinds uint16

func (k kinds) has(of kind) bool { return k&(1<<of) != 0 }

// located is a value in a document.
type located struct {
	document *document
	at       int
}

type numberRules struct {
	minimum, maximum, multipleOf *bound
	// exclusive tells that the number has to be less than the maximum.
	exclusive bool
}

// A bound is a number of the schema.
type bound struct {
	decimal
	text string
}

type stringRules struct {
	minLength, maxLength int // -1 for none
	pattern              *pattern
	format               format
}

type arrayRules struct {
	minItems, maxItems int // -1 for none
	unique             bool
	// first are the schemas of the first elements, rest that of the others; nil
	// for any value. closed tells that there may be none behind the first.
	first  []*schema
	rest   *schema
	closed bool
}

type objectRules struct {
	minProperties, maxProperties int // -1 for none
	properties                   map[string]property
	patterns                     []patternProperty
	// additional is the schema of other properties; nil for any value. closed
	// tells that there may be none.
	additional *schema
	closed     bool
	// required are names, sorted.
	required     []string
	dependencies []dependency
}

type property struct {
	schema *schema // nil if "properties" doesn't name it
	// required is 1 + the index in objectRules.required, 0 for none.
	required int
}

type patternProperty struct {
	pattern *pattern
	schema  *schema
}

type dependency struct {
	name     string
	required []string // sorted
	schema   *schema  // nil if it is names that are required
}

// The work of one validation is bounded: alternatives within alternatives can
// ask for more than any body is worth. A value may be held against a schema this
// often, on average, and so often in a small body.
const (
	stepsPerValue = 32
	leastSteps    = 1_000_000
)

// A check is one run of a schema over a body.
type check struct {
	document
	seed maphash.Seed
	// steps is how many more values may be held against schemas.
	steps int
}

// run tells whether a value is as a schema says. Without a report it stops at
// the first thing that is wrong. With one it goes on as AWS's validator does:
// everything about the value itself, and what is inside it only if nothing was
// wrong so far.
func (c *check) run(s *schema, i int, r *report) bool {
	if s == nil {
		return true
	}
	if c.steps--; c.steps < 0 {
		return false
	}
	v := &c.values[i]
	ok := true
	if s.types != 0 && !s.types.has(v.kind) {
		if r == nil {
			return false
		}
		ok = r.add("instance type (" + v.kind.String() + ") does not match any allowed primitive type (allowed: " + s.typeText + ")")
	}
	if s.enum != nil && !c.enumerated(s, i) {
		if r == nil {
			return false
		}
		ok = r.add("instance value (" + string(c.compact(i)) + ") not found in enum (possible values: " + s.enumText + ")")
	}
	if !c.combined(s, i, r) {
		if r == nil {
			return false
		}
		ok = false
	}
	switch {
	case v.kind == integerKind || v.kind == numberKind:
		if s.numbers != nil {
			return c.number(s.numbers, i, r) && ok
		}
	case v.kind == stringKind:
		if s.strings != nil {
			return c.characters(s.strings, i, r) && ok
		}
	case v.kind == arrayKind:
		if s.arrays != nil {
			return c.array(s.arrays, i, r) && ok
		}
	case v.kind == objectKind:
		if s.objects != nil {
			return c.object(s.objects, i, r) && ok
		}
	}
	return ok
}

func (c *check) enumerated(s *schema, i int) bool {
	for _, e := range s.enum {
		if equal(&c.document, i, e.document, e.at) {
			return true
		}
	}
	return false
}

// combined holds a value against allOf, anyOf, oneOf and not.
func (c *check) combined(s *schema, i int, r *report) bool {
	ok := true
	if len(s.allOf) > 0 {
		if matched := c.matches(s.allOf, i, r != nil); matched != len(s.allOf) {
			ok = r != nil && r.addf("instance failed to match all required schemas (matched only %d out of %d)", matched, len(s.allOf))
		}
	}
	if len(s.anyOf) > 0 && !c.any(s.anyOf, i) {
		ok = r != nil && r.addf("instance failed to match at least one required schema among %d", len(s.anyOf))
	}
	if len(s.oneOf) > 0 {
		if matched := c.matches(s.oneOf, i, true); matched != 1 {
			ok = r != nil && r.addf("instance failed to match exactly one schema (matched %d out of %d)", matched, len(s.oneOf))
		}
	}
	if s.not != nil && c.run(s.not, i, nil) {
		ok = r != nil && r.add("instance matched a schema which it should not have")
	}
	return ok
}

// matches counts the schemas that a value matches; all goes on at one that it
// doesn't.
func (c *check) matches(list []*schema, i int, all bool) (matched int) {
	for _, s := range list {
		switch {
		case c.run(s, i, nil):
			matched++
		case !all:
			return matched
		}
	}
	return matched
}

func (c *check) any(list []*schema, i int) bool {
	for _, s := range list {
		if c.run(s, i, nil) {
			return true
		}
	}
	return false
}

func (c *check) number(n *numberRules, i int, r *report) bool {
	ok := true
	d := parseDecimal(c.raw(i))
	if b := n.minimum; b != nil && d.compare(b.decimal) < 0 {
		ok = r != nil && r.add("numeric instance is lower than the required minimum (minimum: "+b.text+", found: "+string(c.raw(i))+")")
	}
	if b := n.maximum; b != nil {
		switch order := d.compare(b.decimal); {
		case order > 0:
			ok = r != nil && r.add("numeric instance is greater than the required maximum (maximum: "+b.text+", found: "+string(c.raw(i))+")")
		case order == 0 && n.exclusive:
			ok = r != nil && r.add("numeric instance is not strictly lower than the required maximum "+b.text)
		}
	}
	if b := n.multipleOf; b != nil && !d.multipleOf(b.decimal) {
		ok = r != nil && r.add("remainder of division is not zero ("+string(c.raw(i))+" / "+b.text+")")
	}
	return ok
}

func (c *check) characters(s *stringRules, i int, r *report) bool {
	ok := true
	text := c.str(i)
	if s.minLength >= 0 || s.maxLength >= 0 {
		length := runes(text)
		if length < s.minLength {
			ok = r != nil && r.addf("string \"%s\" is too short (length: %d, required minimum: %d)", text, length, s.minLength)
		}
		if s.maxLength >= 0 && length > s.maxLength {
			ok = r != nil && r.addf("string \"%s\" is too long (length: %d, maximum allowed: %d)", text, length, s.maxLength)
		}
	}
	if s.pattern != nil && !s.pattern.matches(text) {
		ok = r != nil && r.add(`ECMA 262 regex "`+s.pattern.source+`" does not match input string "`+string(text)+`"`)
	}
	if s.format != noFormat && !s.format.holds(string(text)) {
		ok = r != nil && r.add(s.format.complaint(string(text)))
	}
	return ok
}

// runes counts characters: bytes that begin one.
func runes(text []byte) (n int) {
	for _, b := range text {
		if b&0xc0 != 0x80 {
			n++
		}
	}
	return n
}

func (c *check) array(a *arrayRules, i int, r *report) bool {
	ok := true
	v := c.values[i]
	count := int(v.count)
	if a.closed && count > len(a.first) {
		ok = r != nil && r.addf("schema only allows %d elements in array but instance has %d elements", len(a.first), count)
	}
	if count < a.minItems {
		ok = r != nil && r.addf("array is too short: must have at least %d elements but instance has %d elements", a.minItems, count)
	}
	if a.maxItems >= 0 && count > a.maxItems {
		ok = r != nil && r.addf("array is too long: must have at most %d elements but instance has %d elements", a.maxItems, count)
	}
	// The costly one last, as the others bound it.
	if a.unique && ok && !c.unique(i, c.seed) {
		ok = r != nil && r.add("array must not contain duplicate elements")
	}
	if !ok || r.failed() || len(a.first) == 0 && a.rest == nil {
		return ok
	}
	for j, n := i+1, 0; j < int(v.next); j, n = int(c.values[j].next), n+1 {
		s := a.rest
		if n < len(a.first) {
			s = a.first[n]
		}
		if c.run(s, j, r) {
			continue
		}
		if ok = false; r.full() {
			return false
		}
	}
	return ok
}

func (c *check) object(o *objectRules, i int, r *report) bool {
	v := c.values[i]
	count := int(v.count)
	ok := true
	if count < o.minProperties {
		ok = r != nil && r.addf("object has too few properties (found %d but schema requires at least %d)", count, o.minProperties)
	}
	if o.maxProperties >= 0 && count > o.maxProperties {
		ok = r != nil && r.addf("object has too many properties (found %d but schema requires at most %d)", count, o.maxProperties)
	}
	if r == nil {
		return ok && c.members(o, i) && c.depend(o, i, nil)
	}
	ok = c.reportNames(o, i, r) && ok
	ok = c.depend(o, i, r) && ok
	if !ok || r.failed() {
		return ok
	}
	return c.reportMembers(o, i, r)
}

// members tells whether all required properties are there, none that may not,
// and each is as its schema says.
func (c *check) members(o *objectRules, i int) bool {
	var seen uint64
	for k := i + 1; k < int(c.values[i].next); k = int(c.values[k+1].next) {
		name := c.str(k)
		p := o.properties[string(name)]
		if 0 < p.required && p.required <= 64 {
			seen |= 1 << (p.required - 1)
		}
		if !c.member(o, p, name, k+1, nil) {
			return false
		}
	}
	n := min(len(o.required), 64)
	if n > 0 && seen != ^uint64(0)>>(64-n) {
		return false
	}
	for _, name := range o.required[n:] {
		if _, found := c.document.member(i, []byte(name)); !found {
			return false
		}
	}
	return true
}

// member holds the value of a member against the schemas of its name; it is
// false for one that may not be there.
func (c *check) member(o *objectRules, p property, name []byte, value int, r *report) bool {
	known, ok := p.schema != nil, true
	if known {
		ok = c.run(p.schema, value, r)
	}
	for j := range o.patterns {
		if o.patterns[j].pattern.matches(name) {
			known = true
			ok = c.run(o.patterns[j].schema, value, r) && ok
		}
	}
	switch {
	case known:
		return ok
	case o.closed:
		return false
	case o.additional != nil:
		return c.run(o.additional, value, r)
	}
	return true
}

// allows tells whether an object may have a property of a name.
func (o *objectRules) allows(name []byte) bool {
	if !o.closed || o.properties[string(name)].schema != nil {
		return true
	}
	for k := range o.patterns {
		if o.patterns[k].pattern.matches(name) {
			return true
		}
	}
	return false
}

func (c *check) depend(o *objectRules, i int, r *report) bool {
	ok := true
	for k := range o.dependencies {
		if !c.depends(&o.dependencies[k], i, r) {
			ok = false
		}
	}
	return ok
}

func (c *check) depends(d *dependency, i int, r *report) bool {
	if _, found := c.document.member(i, []byte(d.name)); !found {
		return true
	}
	if d.required == nil {
		return c.run(d.schema, i, r)
	}
	var missing []string
	for _, name := range d.required {
		if _, found := c.document.member(i, []byte(name)); !found {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return true
	}
	return r != nil && r.add(`property "`+d.name+`" of object has missing property dependencies (schema requires `+list(d.required)+"; missing: "+list(missing)+")")
}

// String returns the name of the kind's type.
func (k kind) String() string {
	switch k {
	case nullKind:
		return "null"
	case falseKind, trueKind:
		return "boolean"
	case integerKind:
		return "integer"
	case numberKind:
		return "number"
	case stringKind:
		return "string"
	case arrayKind:
		return "array"
	default:
		return "object"
	}
}

// list is names as JSON.
func list(names []string) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quoted(name))
	}
	b.WriteByte(']')
	return b.String()
}
