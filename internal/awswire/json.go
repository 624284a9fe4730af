package awswire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// parseJSON reads a body into maps, slices and scalars. An empty body is an
// empty object.
func parseJSON(body []byte) (map[string]any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	if err := checkShape(body); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, serialization("the request body is not valid JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, serialization("the request body goes on after its JSON value")
	}
	switch tree := tree.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return tree, nil
	}
	return nil, serialization("Unexpected value: the request body must be a JSON object")
}

// What is built of a body has to stay in proportion to it: a value of one byte
// becomes dozens.
const (
	// maxDepth bounds the nesting of a body; no model here goes past a dozen
	// except where a filter holds filters.
	maxDepth = 256
	// maxValues bounds the values in a body. The most that a call here needs
	// are the 10,000 events of a PutLogEvents, of three values each.
	maxValues = 1 << 18
)

// checkShape counts brackets and commas outside strings before anything is
// built of them.
func checkShape(body []byte) error {
	depth, values, inString := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inString:
			switch c {
			case '\\':
				i++
			case '"':
				inString = false
			}
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			depth++
			values++
		case c == ',':
			values++
		case c == '}' || c == ']':
			depth--
		}
		if depth > maxDepth {
			return serialization("the request body is nested too deeply")
		}
		if values > maxValues {
			return serialization("the request body has too many values")
		}
	}
	return nil
}

func decodeJSONBody(m *Model, st *Structure, v reflect.Value, body []byte) error {
	tree, err := parseJSON(body)
	if err != nil {
		return err
	}
	d := jsonDecoder{m}
	return d.structure(st, v, tree, bodyMember(m, false))
}

// bodyMember tells which members travel in a JSON body. Under awsJson all do:
// REST bindings that a model also has don't count.
func bodyMember(m *Model, rest bool) func(*Member) bool {
	return func(mem *Member) bool { return !rest || mem.In == InBody }
}

type jsonDecoder struct{ m *Model }

func (d jsonDecoder) structure(st *Structure, v reflect.Value, tree map[string]any, include func(*Member) bool) error {
	for i := range st.Members {
		mem := &st.Members[i]
		if !include(mem) {
			continue
		}
		x, ok := tree[mem.WireName()]
		if !ok || x == nil {
			continue
		}
		if err := d.value(&d.m.Types[mem.Type], v.Field(i), x); err != nil {
			return err
		}
	}
	return nil
}

func (d jsonDecoder) value(t *Type, v reflect.Value, x any) error {
	switch t.Kind {
	case KindStructure:
		tree, ok := x.(map[string]any)
		if !ok {
			return unexpected(x, t.Kind)
		}
		return d.structure(&d.m.Structures[t.Ref], field(v), tree, func(*Member) bool { return true })
	case KindList:
		list, ok := x.([]any)
		if !ok {
			return unexpected(x, t.Kind)
		}
		return d.list(t, v, list)
	case KindMap:
		tree, ok := x.(map[string]any)
		if !ok {
			return unexpected(x, t.Kind)
		}
		return d.mapping(t, v, tree)
	case KindDocument:
		raw, err := json.Marshal(x)
		if err != nil {
			return serialization("a document could not be kept")
		}
		v.SetBytes(raw)
		return nil
	}
	return d.scalar(t, v, x)
}

func (d jsonDecoder) list(t *Type, v reflect.Value, list []any) error {
	elem := &d.m.Types[t.Ref]
	out := reflect.MakeSlice(v.Type(), 0, len(list))
	for _, x := range list {
		item := reflect.New(v.Type().Elem()).Elem()
		if x == nil && !t.Sparse {
			continue
		}
		if x != nil {
			if err := d.value(elem, item, x); err != nil {
				return err
			}
		}
		out = reflect.Append(out, item)
	}
	v.Set(out)
	return nil
}

// mapping reads a map. A null value is kept as the zero value: Terraform sends
// null for an empty template, which must not lose the key.
func (d jsonDecoder) mapping(t *Type, v reflect.Value, tree map[string]any) error {
	elem := &d.m.Types[t.Ref]
	out := reflect.MakeMapWithSize(v.Type(), len(tree))
	for key, x := range tree {
		item := reflect.New(v.Type().Elem()).Elem()
		if x != nil {
			if err := d.value(elem, item, x); err != nil {
				return err
			}
		}
		out.SetMapIndex(reflect.ValueOf(key), item)
	}
	v.Set(out)
	return nil
}

func (d jsonDecoder) scalar(t *Type, v reflect.Value, x any) error {
	v = field(v)
	switch x := x.(type) {
	case string:
		switch t.Kind {
		case KindString:
			v.SetString(x)
			return nil
		case KindBlob, KindTimestamp:
			return setText(t, v, x)
		case KindFloat, KindDouble:
			if f, err := parseFloat(x); err == nil && (math.IsNaN(f) || math.IsInf(f, 0)) {
				v.SetFloat(f)
				return nil
			}
		}
	case json.Number:
		return d.number(t, v, x)
	case bool:
		if t.Kind == KindBoolean {
			v.SetBool(x)
			return nil
		}
	}
	return unexpected(x, t.Kind)
}

func (d jsonDecoder) number(t *Type, v reflect.Value, x json.Number) error {
	switch t.Kind {
	case KindInteger, KindLong:
		n, err := strconv.ParseInt(x.String(), 10, bits(t.Kind))
		if err != nil {
			// 5.0 and 1e3 are integers too; what has a fraction is cut as AWS cuts it.
			f, ferr := x.Float64()
			if ferr != nil || math.Abs(f) >= math.Exp2(float64(bits(t.Kind)-1)) {
				return serialization("number is out of range for " + article(t.Kind))
			}
			n = int64(f)
		}
		v.SetInt(n)
		return nil
	case KindFloat, KindDouble:
		f, err := x.Float64()
		if err != nil {
			return serialization("number is out of range for " + article(t.Kind))
		}
		v.SetFloat(f)
		return nil
	case KindTimestamp:
		f, err := x.Float64()
		if err != nil {
			return serialization("number is out of range for a Date")
		}
		at, err := epoch(f)
		if err != nil {
			return serialization("number is out of range for a Date")
		}
		v.Set(reflect.ValueOf(at))
		return nil
	}
	return unexpected(x, t.Kind)
}

// unexpected words a value of the wrong kind as AWS's services do, who name
// the Java classes behind.
func unexpected(x any, want Kind) error {
	switch x := x.(type) {
	case map[string]any:
		return serialization("Start of structure or map found where not expected.")
	case []any:
		return serialization("Start of list found where not expected")
	case bool:
		if want < KindList {
			return serialization("class java.lang.Boolean can not be converted to " + article(want))
		}
	case json.Number:
		if want < KindList {
			return serialization("class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to " + article(want))
		}
	case string:
		if want < KindList {
			return serialization("class java.lang.String can not be converted to " + article(want))
		}
		_ = x
	}
	return serialization("Unexpected field type")
}

// A jsonEncoder appends values in a protocol's manner.
type jsonEncoder struct {
	m    *Model
	time TimeFormat
	b    []byte
}

func (e *jsonEncoder) structure(st *Structure, v reflect.Value, include func(*Member) bool) {
	e.b = append(e.b, '{')
	first := true
	for i := range st.Members {
		mem := &st.Members[i]
		f := v.Field(i)
		if absent(f) || !include(mem) {
			continue
		}
		if !first {
			e.b = append(e.b, ',')
		}
		first = false
		e.b = appendString(e.b, mem.WireName())
		e.b = append(e.b, ':')
		e.value(&e.m.Types[mem.Type], f)
	}
	e.b = append(e.b, '}')
}

func (e *jsonEncoder) value(t *Type, v reflect.Value) {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		e.b = append(e.b, "null"...)
		return
	}
	v = held(v)
	switch t.Kind {
	case KindStructure:
		e.structure(&e.m.Structures[t.Ref], v, func(*Member) bool { return true })
	case KindList:
		e.b = append(e.b, '[')
		for i := range v.Len() {
			if i > 0 {
				e.b = append(e.b, ',')
			}
			e.value(&e.m.Types[t.Ref], v.Index(i))
		}
		e.b = append(e.b, ']')
	case KindMap:
		e.b = append(e.b, '{')
		for i, key := range sortedKeys(v) {
			if i > 0 {
				e.b = append(e.b, ',')
			}
			e.b = appendString(e.b, key)
			e.b = append(e.b, ':')
			e.value(&e.m.Types[t.Ref], v.MapIndex(reflect.ValueOf(key)))
		}
		e.b = append(e.b, '}')
	case KindString:
		e.b = appendString(e.b, v.String())
	case KindBlob:
		e.b = append(e.b, '"')
		e.b = base64.StdEncoding.AppendEncode(e.b, v.Bytes())
		e.b = append(e.b, '"')
	case KindDocument:
		if v.Len() == 0 {
			e.b = append(e.b, "null"...)
			return
		}
		e.b = append(e.b, v.Bytes()...)
	case KindTimestamp:
		s := formatTime(v.Interface().(time.Time), t.timeFormat(e.time))
		if t.timeFormat(e.time) == TimeEpoch {
			e.b = append(e.b, s...)
			return
		}
		e.b = appendString(e.b, s)
	case KindFloat, KindDouble:
		s := formatFloat(v.Float())
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			s = strconv.Quote(s)
		}
		e.b = append(e.b, s...)
	default:
		e.b = append(e.b, text(t, v, e.time)...)
	}
}

func sortedKeys(v reflect.Value) []string {
	keys := make([]string, 0, v.Len())
	for _, k := range v.MapKeys() {
		keys = append(keys, k.String())
	}
	slices.Sort(keys)
	return keys
}

// appendString appends a JSON string, escaping what must be and nothing more.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, '\\', 'n')
			case '\r':
				b = append(b, '\\', 'r')
			case '\t':
				b = append(b, '\\', 't')
			default:
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			b = append(b, s[start:i]...)
			b = append(b, "\ufffd"...)
			i++
			start = i
			continue
		}
		i += size
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
