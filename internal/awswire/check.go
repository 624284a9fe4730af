package awswire

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// check compares an input with its model and words what is wrong as the
// service would.
func check(s *Service, op *Operation, in any, patterns *patterns) error {
	c := checker{m: s.Model, patterns: patterns}
	bodyPrefix := ""
	if s.Checks == ChecksCoralPrefixed {
		bodyPrefix = lowerFirst(op.Name) + "Input."
	}
	c.structure(&s.Structures[op.Input], reflect.ValueOf(in).Elem(), "", bodyPrefix)
	if len(c.found) == 0 {
		return nil
	}
	noun := "errors"
	if len(c.found) == 1 {
		noun = "error"
	}
	message := strconv.Itoa(len(c.found)) + " validation " + noun + " detected: " + strings.Join(c.found, "; ")
	e := &Error{Code: "ValidationException", QueryCode: "ValidationError", Status: 400, Message: message}
	switch s.Checks {
	case ChecksBadRequest:
		// UNVERIFIED: the code is AWS's, the text is the other services'; there
		// is no recording of what API Gateway v2 says to each refusal.
		e.Code = "BadRequestException"
	case ChecksInvalidParameter:
		e.Code = "InvalidParameterException"
	case ChecksInvalidInput:
		e.Code, e.QueryCode = "InvalidInput", ""
	}
	return e
}

// maxFound bounds how many violations one answer lists.
const maxFound = 20

type checker struct {
	m        *Model
	patterns *patterns
	found    []string
}

// report adds a violation: value is printed unless it is sensitive.
func (c *checker) report(path, value, constraint string, sensitive bool) {
	if len(c.found) >= maxFound {
		return
	}
	at := "Value " + value + " at '" + path + "'"
	if sensitive {
		at = "Value at '" + path + "'"
	}
	c.found = append(c.found, at+" failed to satisfy constraint: "+constraint)
}

// structure checks members named below prefix, and below bodyPrefix too if
// they travel in the body.
func (c *checker) structure(st *Structure, v reflect.Value, prefix, bodyPrefix string) {
	for _, i := range c.order(st, bodyPrefix) {
		mem := &st.Members[i]
		path := prefix + lowerFirst(mem.Name)
		if mem.In == InBody {
			path = prefix + bodyPrefix + lowerFirst(mem.Name)
		}
		f := v.Field(i)
		if absent(f) {
			if mem.Required {
				c.report(path, "null", "Member must not be null", false)
			}
			continue
		}
		t := &c.m.Types[mem.Type]
		if mem.In == InPayload && t.Kind == KindBlob {
			// How much is too much, and which error says so, is the operation's.
			continue
		}
		c.value(t, held(f), path)
	}
}

// order is that in which members are checked: as they are declared, but those
// of the body first where they are named below the input.
func (c *checker) order(st *Structure, bodyPrefix string) []int {
	order := make([]int, len(st.Members))
	for i := range order {
		order[i] = i
	}
	if bodyPrefix != "" {
		slices.SortStableFunc(order, func(i, j int) int {
			return cmp.Compare(outside(st.Members[i].In), outside(st.Members[j].In))
		})
	}
	return order
}

func outside(at Location) int {
	if at == InBody {
		return 0
	}
	return 1
}

func (c *checker) value(t *Type, v reflect.Value, path string) {
	for _, broken := range c.violations(t, v) {
		c.report(path, quote(c.m, t, v), broken, t.Sensitive)
	}
	switch t.Kind {
	case KindStructure:
		c.structure(&c.m.Structures[t.Ref], v, path+".", "")
	case KindList:
		c.elements(t, v, path)
	case KindMap:
		c.entries(t, v, path)
	}
}

// elements checks a list: elements that hold members are named one by one,
// simple ones together.
func (c *checker) elements(t *Type, v reflect.Value, path string) {
	elem := &c.m.Types[t.Ref]
	for i := range v.Len() {
		if absent(v.Index(i)) {
			continue
		}
		item := held(v.Index(i))
		if elem.Kind >= KindList {
			c.value(elem, item, path+"."+strconv.Itoa(i+1)+".member")
			continue
		}
		if len(c.violations(elem, item)) > 0 {
			c.report(path, quote(c.m, t, v), "Member must satisfy constraint: ["+strings.Join(c.m.limits(elem), ", ")+"]", t.Sensitive || elem.Sensitive)
			return
		}
	}
}

func (c *checker) entries(t *Type, v reflect.Value, path string) {
	key, elem := &c.m.Types[t.Key], &c.m.Types[t.Ref]
	for _, k := range sortedKeys(v) {
		if len(c.violations(key, reflect.ValueOf(k))) > 0 {
			c.report(path, quote(c.m, t, v), "Map keys must satisfy constraint: ["+strings.Join(c.m.limits(key), ", ")+"]", t.Sensitive || elem.Sensitive)
			return
		}
		item := v.MapIndex(reflect.ValueOf(k))
		if absent(item) {
			continue
		}
		item = held(item)
		if elem.Kind >= KindList {
			c.value(elem, item, path+"."+k+".member")
			continue
		}
		if len(c.violations(elem, item)) > 0 {
			c.report(path, quote(c.m, t, v), "Map value must satisfy constraint: ["+strings.Join(c.m.limits(elem), ", ")+"]", t.Sensitive || elem.Sensitive)
			return
		}
	}
}

// violations lists the constraints that one value breaks.
func (c *checker) violations(t *Type, v reflect.Value) []string {
	var broken []string
	if t.HasMin || t.HasMax {
		size := measure(t, v)
		if t.HasMax && size > t.Max {
			broken = append(broken, maxText(t))
		}
		if t.HasMin && size < t.Min {
			broken = append(broken, minText(t))
		}
	}
	if t.Kind != KindString {
		return broken
	}
	if t.Pattern != "" && !c.patterns.match(t.Pattern, v.String()) {
		broken = append(broken, patternText(t))
	}
	if t.Enum != 0 && !slices.Contains(c.m.Enums[t.Enum-1], v.String()) {
		broken = append(broken, c.m.enumText(t))
	}
	return broken
}

// limits lists every constraint of a type, broken or not.
func (m *Model) limits(t *Type) []string {
	var all []string
	if t.HasMax {
		all = append(all, maxText(t))
	}
	if t.HasMin {
		all = append(all, minText(t))
	}
	if t.Pattern != "" {
		all = append(all, patternText(t))
	}
	if t.Enum != 0 {
		all = append(all, m.enumText(t))
	}
	return all
}

func (m *Model) enumText(t *Type) string {
	values := m.Enums[t.Enum-1]
	if m.Checks == ChecksCoralPrefixed {
		values = hashed(values)
	}
	return "Member must satisfy enum value set: [" + strings.Join(values, ", ") + "]"
}

// hashed puts values in the order in which the older services list them, which
// is that of a hash set of Java: by the low bits of the hash code. It was found
// in answers of AWS for enums of 2 to 21 values. Values that share a bucket
// stand in the reverse of their declaration there, which nobody tells us.
func hashed(values []string) []string {
	ordered := slices.Clone(values)
	slices.SortStableFunc(ordered, func(a, b string) int { return cmp.Compare(javaHash(a)%32, javaHash(b)%32) })
	return ordered
}

// javaHash is the hash code of a text of ASCII characters.
func javaHash(s string) uint32 {
	var h uint32
	for i := range len(s) {
		h = 31*h + uint32(s[i])
	}
	return h
}

func patternText(t *Type) string {
	return "Member must satisfy regular expression pattern: " + t.Pattern
}

func maxText(t *Type) string {
	return "Member must have " + measured(t) + " less than or equal to " + formatFloat(t.Max)
}

func minText(t *Type) string {
	return "Member must have " + measured(t) + " greater than or equal to " + formatFloat(t.Min)
}

func measured(t *Type) string {
	switch t.Kind {
	case KindInteger, KindLong, KindFloat, KindDouble:
		return "value"
	}
	return "length"
}

// measure is the value of a number, the length of anything else.
func measure(t *Type, v reflect.Value) float64 {
	switch t.Kind {
	case KindInteger, KindLong:
		return float64(v.Int())
	case KindFloat, KindDouble:
		return v.Float()
	case KindString:
		return float64(utf8.RuneCountInString(v.String()))
	}
	return float64(v.Len())
}

// quote prints a value as the violation texts do, which show the Java object.
func quote(m *Model, t *Type, v reflect.Value) string { return "'" + show(m, t, v) + "'" }

// maxShown bounds a printed value.
const maxShown = 1024

func show(m *Model, t *Type, v reflect.Value) string {
	if absent(v) {
		return "null"
	}
	v = held(v)
	if t.Sensitive {
		return "***"
	}
	var s string
	switch t.Kind {
	case KindList:
		parts := make([]string, 0, min(v.Len(), 64))
		for i := range min(v.Len(), 64) {
			parts = append(parts, show(m, &m.Types[t.Ref], v.Index(i)))
		}
		s = "[" + strings.Join(parts, ", ") + "]"
	case KindMap:
		var parts []string
		for _, k := range sortedKeys(v) {
			parts = append(parts, k+"="+show(m, &m.Types[t.Ref], v.MapIndex(reflect.ValueOf(k))))
		}
		s = "{" + strings.Join(parts, ", ") + "}"
	case KindStructure:
		st := &m.Structures[t.Ref]
		var parts []string
		for i := range st.Members {
			if f := v.Field(i); !absent(f) {
				parts = append(parts, lowerFirst(st.Members[i].Name)+"="+show(m, &m.Types[st.Members[i].Type], f))
			}
		}
		s = st.Name + "(" + strings.Join(parts, ", ") + ")"
	case KindBlob:
		s = fmt.Sprintf("java.nio.HeapByteBuffer[pos=0 lim=%d cap=%d]", v.Len(), v.Len())
	case KindTimestamp:
		s = v.Interface().(time.Time).Format(time.RFC3339)
	case KindEventStream:
		s = ""
	default:
		s = text(t, v, TimeDate)
	}
	if len(s) > maxShown {
		s = strings.ToValidUTF8(s[:maxShown], "") + "..."
	}
	return s
}

func lowerFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[size:]
}
