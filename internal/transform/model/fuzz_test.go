package model

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A body is valid for us if and only if it is for the library, in all that we
// don't do otherwise on purpose; and what isn't valid has a reason.
func FuzzValidate(f *testing.F) {
	for schema, bodies := range map[string][]string{
		orderSchema: {string(order()), `{"id":"12345678","customer":{"name":"a","mail":"b"},"items":[]}`},
		`{"type":"array","uniqueItems":true,"items":[{"type":"string"},{"not":{"minimum":3}}],"additionalItems":{"enum":[1,"a",null]}}`:                            {`["a",1,null,"a"]`, `[1,2,3,4,5,6,7,8,9,1]`},
		`{"definitions":{"t":{"properties":{"l":{"$ref":"#/definitions/t"}},"required":["v"],"additionalProperties":{"type":"string"}}},"$ref":"#/definitions/t"}`: {`{"v":"a","l":{"v":"b"}}`},
		`{"oneOf":[{"maximum":3},{"multipleOf":2}],"anyOf":[{"type":"number"},{"maxLength":2}],"allOf":[{}],"dependencies":{"a":["b"],"c":{"minProperties":2}}}`:   {`4`, `"abc"`, `{"a":1}`, `{"c":1}`},
		`{"patternProperties":{"^[a-c]\\d*$":{"maxItems":1}},"minProperties":1,"maxProperties":3,"additionalProperties":false}`:                                    {`{"a1":[],"b":[1,2]}`},
	} {
		for _, body := range bodies {
			f.Add(schema, body)
		}
	}
	f.Fuzz(func(t *testing.T, schema, body string) {
		m, err := Compile(schema, Options{APIID: "abc", Schema: models})
		if err != nil {
			return
		}
		problems, ok := m.Validate([]byte(body))
		if ok != (problems == "") || problems == "[]" {
			t.Fatalf("%v with %q", ok, problems)
		}
		twin, comparable := library(t, schema, body)
		if !comparable {
			return
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
		if (err == nil) == (problems == unparsed) {
			t.Fatalf("%q is JSON: %v; %s", body, err, problems)
		}
		if err != nil {
			return
		}
		if want := twin.Validate(value); (want == nil) != ok {
			t.Errorf("%s\n%s\nours: %s\nthe library's: %v", schema, body, problems, want)
		}
	})
}

// library compiles a schema with the library alone. What we take otherwise than
// it does can't be compared.
func library(t *testing.T, schema, body string) (twin *jsonschema.Schema, comparable bool) {
	for _, otherwise := range []string{"exclusiveMinimum", "format", "$schema", `"id"`, `\u`, "apigateway.amazonaws.com"} {
		if strings.Contains(schema, otherwise) {
			return nil, false
		}
	}
	if body == "" || !utf8.ValidString(body) || !utf8.ValidString(schema) || strings.Contains(body, `\u`) {
		return nil, false
	}
	var d document
	if d.parse([]byte(schema)) != nil || strange(&d) || d.parse([]byte(body)) == nil && strange(&d) || !json.Valid([]byte(body)) && d.parse([]byte(body)) == nil {
		return nil, false
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft4)
	c.UseRegexpEngine(func(source string) (jsonschema.Regexp, error) {
		p, err := newPattern(source)
		return libraryPattern{p}, err
	})
	if err := c.AddResource("mem:schema", doc); err != nil {
		t.Fatal(err)
	}
	if twin, err = c.Compile("mem:schema"); err != nil {
		t.Fatalf("%s: %v", schema, err)
	}
	return twin, true
}

// strange tells of what we take otherwise than the library on purpose: names
// that come twice, fractions that amount to integers; and of numbers too large
// for it.
func strange(d *document) bool {
	for i := range d.values {
		v := &d.values[i]
		switch v.kind {
		case numberKind:
			return true
		case integerKind:
			if v.end-v.start > 30 {
				return true
			}
		case objectKind:
			for k := i + 1; k < int(v.next); k = int(d.values[k+1].next) {
				if last, _ := d.member(i, d.str(k)); last != k+1 {
					return true
				}
			}
		}
	}
	return false
}

// Numbers compare as their decimals do.
func FuzzDecimal(f *testing.F) {
	f.Add("1.50", "1.5e0", "0.5")
	f.Add("-0", "0e5", "3")
	f.Add("123456789012345678901234567890", "1.2345678901234567890123456789e29", "10")
	f.Fuzz(func(t *testing.T, a, b, of string) {
		x, y := decimalOf(a), decimalOf(b)
		if x == nil || y == nil {
			return
		}
		if x.d.compare(y.d) != -y.d.compare(x.d) || x.d.compare(x.d) != 0 {
			t.Errorf("%s and %s aren't ordered", a, b)
		}
		p, ok := new(rational).of(a, b)
		if !ok {
			return
		}
		if got, want := x.d.compare(y.d), p.a.Cmp(&p.b); got != want {
			t.Errorf("%s to %s: %d, want %d", a, b, got, want)
		}
		if p.b.Sign() == 0 {
			return
		}
		if got, want := x.d.multipleOf(y.d), p.a.Quo(&p.a, &p.b).IsInt(); got != want {
			t.Errorf("%s of %s: %v, want %v", a, b, got, want)
		}
	})
}

type number struct{ d decimal }

func decimalOf(text string) *number {
	var d document
	if d.parse([]byte(text)) != nil || d.values[0].kind != integerKind && d.values[0].kind != numberKind {
		return nil
	}
	return &number{parseDecimal(bytes.TrimSpace(d.raw(0)))}
}

// The ways of regular expressions aren't ways to panic, and what compiles is
// RE2's.
func FuzzPattern(f *testing.F) {
	for _, source := range []string{`^[a-z]{1,2048}$`, `(a|b)*?\d[^]\cA\x41\u0041`, `[[:alpha:]&&\b]`, `a{,3}{`, `(?:x{3000}){2}`, `\p{L}\`, `^(?=.*\d)(?!x|y)[^(]{8,}$`} {
		f.Add(source, "abc")
	}
	f.Fuzz(func(t *testing.T, source, text string) {
		if len(source) > 200 || len(text) > 200 {
			return
		}
		if p, err := newPattern(source); err == nil {
			p.matches([]byte(text))
		}
	})
}
