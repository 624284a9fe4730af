package model

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// models are the other models of the tests' API.
func models(name string) (string, bool) {
	switch name {
	case "Pet":
		return `{"type":"object","required":["name"],"properties":{"name":{"type":"string"},"house":{"$ref":"` + modelsURL + `abc/models/House"}}}`, true
	case "House":
		return `{"type":"object","properties":{"pets":{"type":"array","minItems":1,"items":{"$ref":"` + modelsURL + `abc/models/Pet"}}},
			"definitions":{"a/b~c":{"type":"null"}}}`, true
	case "Alias":
		return `{"$ref":"` + modelsURL + `abc/models/Alias"}`, true
	case "Broken":
		return `{"type":"nothing"}`, true
	}
	return "", false
}

func compile(t testing.TB, schema string) *Model {
	t.Helper()
	m, err := Compile(schema, Options{APIID: "abc", Schema: models})
	if err != nil {
		t.Fatalf("%s: %v", schema, err)
	}
	return m
}

func TestValidate(t *testing.T) {
	const pet = `{"$ref":"` + modelsURL + `abc/models/Pet"}`
	for _, test := range []struct {
		schema, body, want string // "" for valid
	}{
		// type
		{`{"type":"object"}`, `{}`, ""},
		{`{"type":"integer"}`, `"a"`, `[instance type (string) does not match any allowed primitive type (allowed: ["integer"])]`},
		{`{"type":"number"}`, `true`, `[instance type (boolean) does not match any allowed primitive type (allowed: ["integer","number"])]`},
		{`{"type":"number"}`, `1`, ""},
		{`{"type":"integer"}`, `1.0`, `[instance type (number) does not match any allowed primitive type (allowed: ["integer"])]`},
		{`{"type":["string","null"]}`, `[]`, `[instance type (array) does not match any allowed primitive type (allowed: ["null","string"])]`},
		{`{"type":["string","null"]}`, `null`, ""},
		{`{"type":"boolean"}`, `{"a":1}`, `[instance type (object) does not match any allowed primitive type (allowed: ["boolean"])]`},
		// required, properties, additionalProperties
		{`{"required":["b","a"]}`, `{"c":1}`, `[object has missing required properties (["a","b"])]`},
		{`{"required":["b","a"]}`, `{"\u0061":1,"b":2}`, ""},
		{`{"required":["b","a"]}`, `[]`, ""},
		{`{"required":["bar"],"properties":{"bar":{}},"additionalProperties":false}`, `{"foo":1}`,
			`[object has missing required properties (["bar"]), object instance has properties which are not allowed by the schema: ["foo"]]`},
		{`{"required":["bar"],"additionalProperties":false}`, `{"bar":1}`,
			`[object instance has properties which are not allowed by the schema: ["bar"]]`},
		{`{"properties":{"a":{}},"patternProperties":{"^x-":{"type":"integer"}},"additionalProperties":false}`, `{"a":1,"x-b":2}`, ""},
		{`{"properties":{"a":{}},"patternProperties":{"^x-":{"type":"integer"}},"additionalProperties":false}`, `{"x-b":"2","z":1,"y":2}`,
			`[object instance has properties which are not allowed by the schema: ["y","z"]]`},
		{`{"properties":{"a":{}},"patternProperties":{"^x-":{"type":"integer"}}}`, `{"x-b":"2"}`,
			`[instance type (string) does not match any allowed primitive type (allowed: ["integer"])]`},
		{`{"properties":{"a":{}},"additionalProperties":{"type":"integer"}}`, `{"a":"b","c":1}`, ""},
		{`{"properties":{"a":{}},"required":["c"],"additionalProperties":{"type":"integer"}}`, `{"a":"b","c":"d"}`,
			`[instance type (string) does not match any allowed primitive type (allowed: ["integer"])]`},
		{`{"minProperties":2}`, `{"a":1}`, `[object has too few properties (found 1 but schema requires at least 2)]`},
		{`{"maxProperties":1}`, `{"a":1,"b":2}`, `[object has too many properties (found 2 but schema requires at most 1)]`},
		{`{"dependencies":{"a":["c","b"]}}`, `{"a":1,"b":2}`, `[property "a" of object has missing property dependencies (schema requires ["b","c"]; missing: ["c"])]`},
		{`{"dependencies":{"a":{"required":["b"]}}}`, `{"a":1}`, `[object has missing required properties (["b"])]`},
		{`{"dependencies":{"a":{"required":["b"]},"b":["c"]}}`, `{"z":1}`, ""},
		// numbers
		{`{"minimum":0}`, `-0.1`, `[numeric instance is lower than the required minimum (minimum: 0, found: -0.1)]`},
		{`{"maximum":500.0}`, `1000`, `[numeric instance is greater than the required maximum (maximum: 500, found: 1000)]`},
		{`{"maximum":0.30}`, `0.3`, ""},
		{`{"maximum":0.30}`, `0.31`, `[numeric instance is greater than the required maximum (maximum: 0.30, found: 0.31)]`},
		{`{"maximum":5,"exclusiveMaximum":true}`, `5.0`, `[numeric instance is not strictly lower than the required maximum 5]`},
		{`{"minimum":5,"exclusiveMinimum":true}`, `5`, ""}, // not honoured
		{`{"maximum":123456789012345678901234567890}`, `123456789012345678901234567891`,
			`[numeric instance is greater than the required maximum (maximum: 123456789012345678901234567890, found: 123456789012345678901234567891)]`},
		{`{"maximum":1e400,"minimum":-1e400}`, `1e399`, ""},
		{`{"minimum":-1e400}`, `-1e99999999999999999999`, `[numeric instance is lower than the required minimum (minimum: -1e400, found: -1e99999999999999999999)]`},
		{`{"multipleOf":3}`, `10`, `[remainder of division is not zero (10 / 3)]`},
		{`{"multipleOf":0.01}`, `1.13`, ""},
		{`{"multipleOf":0.01}`, `1.135`, `[remainder of division is not zero (1.135 / 0.01)]`},
		{`{"multipleOf":7}`, `7e999999`, ""},
		{`{"multipleOf":7}`, `1e999999`, `[remainder of division is not zero (1e999999 / 7)]`},
		{`{"multipleOf":7}`, `7e-999999`, `[remainder of division is not zero (7e-999999 / 7)]`},
		{`{"multipleOf":7}`, `0.0e5`, ""},
		{`{"minimum":1}`, `"0"`, ""},
		// strings
		{`{"minLength":3}`, `"äö"`, `[string "äö" is too short (length: 2, required minimum: 3)]`},
		{`{"maxLength":1}`, `"\ud83d\ude00"`, ""},
		{`{"maxLength":1}`, `"a\"b"`, `[string "a"b" is too long (length: 3, maximum allowed: 1)]`},
		{`{"pattern":"^\\d+$"}`, `"1a"`, `[ECMA 262 regex "^\d+$" does not match input string "1a"]`},
		{`{"pattern":"b"}`, `"abc"`, ""},
		{`{"format":"date-time"}`, `"2020-01-01"`,
			`[string "2020-01-01" is invalid against requested date format(s) [yyyy-MM-dd'T'HH:mm:ssZ, yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,12}Z]]`},
		{`{"format":"date-time"}`, `"2020-01-01T00:00:00.123456789012+0100"`, ""},
		{`{"format":"email"}`, `"a"`, `[string "a" is not a valid email address]`},
		{`{"format":"ipv4"}`, `"1.2.3"`, `[string "1.2.3" is not a valid IPv4 address]`},
		{`{"format":"ipv6"}`, `"1.2.3.4"`, `[string "1.2.3.4" is not a valid IPv6 address]`},
		{`{"format":"hostname"}`, `"-a"`, `[string "-a" is not a valid hostname]`},
		{`{"format":"uri"}`, `"a b"`, `[string "a b" is not a valid URI]`},
		{`{"format":"regex"}`, `"("`, `[string "(" is not a valid ECMA 262 regular expression]`},
		{`{"format":"uuid"}`, `"x"`, `[input string "x" is not a valid UUID]`},
		{`{"type":"integer","format":"int32"}`, `99999999999`, ""},
		{`{"format":"date"}`, `"never"`, ""},
		// enum
		{`{"enum":["dog","cat"]}`, `"fish"`, `[instance value ("fish") not found in enum (possible values: ["dog","cat"])]`},
		{`{"enum":[1, {"a":[null, true]}]}`, `1.0`, ""},
		{`{"enum":[1, {"a":[null, true]}]}`, ` { "\u0061" : [ null , true ] } `, ""},
		{`{"enum":[1, {"a":[null, true]}]}`, `{ "a" : [ null , " x" ] }`, `[instance value ({"a":[null," x"]}) not found in enum (possible values: [1,{"a":[null,true]}])]`},
		// arrays
		{`{"items":{"type":"integer"}}`, `[1,"a",2,"b"]`, `[instance type (string) does not match any allowed primitive type (allowed: ["integer"]), ` +
			`instance type (string) does not match any allowed primitive type (allowed: ["integer"])]`},
		{`{"items":[{"type":"integer"}],"additionalItems":false}`, `[1,2]`, `[schema only allows 1 elements in array but instance has 2 elements]`},
		{`{"items":[{"type":"integer"}],"additionalItems":{"type":"null"}}`, `[1,null,2]`,
			`[instance type (integer) does not match any allowed primitive type (allowed: ["null"])]`},
		{`{"items":{},"additionalItems":false}`, `[1,2]`, ""},
		{`{"minItems":2}`, `[1]`, `[array is too short: must have at least 2 elements but instance has 1 elements]`},
		{`{"maxItems":1}`, `[1,2]`, `[array is too long: must have at most 1 elements but instance has 2 elements]`},
		{`{"uniqueItems":true}`, `[1,"1",true,null,{"a":1},{"b":1}]`, ""},
		{`{"uniqueItems":true}`, `[{"a":1,"b":2.0},{"b":2,"a":1}]`, `[array must not contain duplicate elements]`},
		{`{"uniqueItems":true}`, `[0,1,2,3,4,5,6,7,8,9,{"a":10},"10",[10]]`, ""},
		{`{"uniqueItems":true}`, `[0,1,2,3,4,5,6,7,8,9,{"a":1,"b":[2.50]},{"b":[2.5],"a":1e0}]`, `[array must not contain duplicate elements]`},
		// combinations
		{`{"allOf":[{"type":"integer"},{"minimum":3}]}`, `1`, `[instance failed to match all required schemas (matched only 1 out of 2)]`},
		{`{"anyOf":[{"type":"string"},{"minimum":3}]}`, `1`, `[instance failed to match at least one required schema among 2]`},
		{`{"oneOf":[{"type":"integer"},{"minimum":3}]}`, `5`, `[instance failed to match exactly one schema (matched 2 out of 2)]`},
		{`{"oneOf":[{"type":"null"},` + pet + `]}`, `null`, ""},
		{`{"oneOf":[{"type":"null"},` + pet + `]}`, `{"name":"a"}`, ""},
		{`{"not":{"type":"integer"}}`, `5`, `[instance matched a schema which it should not have]`},
		// What is inside a value is looked at only if nothing was wrong before.
		{`{"required":["b"],"properties":{"a":{"type":"string"}}}`, `{"a":1}`, `[object has missing required properties (["b"])]`},
		{`{"properties":{"a":{"properties":{"x":{"type":"null"}}},"b":{"type":"null"}}}`, `{"b":1,"a":{"x":1}}`,
			`[instance type (integer) does not match any allowed primitive type (allowed: ["null"]), ` +
				`instance type (integer) does not match any allowed primitive type (allowed: ["null"])]`},
		{`{"properties":{"a":{"type":"null"},"b":{"properties":{"x":{"type":"null"}}}}}`, `{"b":{"x":1},"a":1}`,
			`[instance type (integer) does not match any allowed primitive type (allowed: ["null"])]`},
		// references
		{pet, `{"name":"a","house":{"pets":[{"name":"b"},{"name":"c","house":{}}]}}`, ""},
		{pet, `{"name":"a","house":{"pets":[{"house":{}}]}}`, `[object has missing required properties (["name"])]`},
		{`{"properties":{"a":{"$ref":"#"}},"additionalProperties":false}`, `{"a":{"a":{"b":1}}}`,
			`[object instance has properties which are not allowed by the schema: ["b"]]`},
		{`{"$ref":"` + modelsURL + `abc/models/House#/definitions/a~1b~0c"}`, `1`, `[instance type (integer) does not match any allowed primitive type (allowed: ["null"])]`},
		{`{"definitions":{"a b":{"type":"null"}},"items":{"$ref":"#/definitions/a%20b","type":"string"}}`, `[null]`, ""},
		{`{"properties":{"$ref":{"type":"null"}}}`, `{"$ref":1}`, `[instance type (integer) does not match any allowed primitive type (allowed: ["null"])]`},
		// Ids and versions don't count.
		{`{"$schema":"http://json-schema.org/draft-07/schema#","id":"http://a/b","properties":{"id":{"id":"/x","$ref":"#/definitions/y"}},"definitions":{"y":{"id":"#/x","type":"null"}}}`,
			`{"id":1}`, `[instance type (integer) does not match any allowed primitive type (allowed: ["null"])]`},
		// bodies
		{`{"type":"object"}`, ``, ""},
		{`{"type":"array"}`, ``, unparsed},
		{`{"required":["a"]}`, ``, unparsed},
		{`{}`, `{`, unparsed},
		{`{}`, `{} {}`, unparsed},
		{`{}`, `[1,]`, unparsed},
		{`{}`, `{"a":1,}`, unparsed},
		{`{}`, `{a:1}`, unparsed},
		{`{}`, `01`, unparsed},
		{`{}`, `1.`, unparsed},
		{`{}`, `+1`, unparsed},
		{`{}`, "\"a\nb\"", unparsed},
		{`{}`, `"\x"`, unparsed},
		{`{}`, `"\u12g4"`, unparsed},
		{`{}`, `tru`, unparsed},
		{`{}`, `   `, unparsed},
		{`{}`, strings.Repeat("[", 1000) + strings.Repeat("]", 1000), ""},
		{`{}`, strings.Repeat("[", 1001) + strings.Repeat("]", 1001), unparsed},
		{`{}`, strings.Repeat("1", 1001), unparsed},
	} {
		problems, ok := compile(t, test.schema).Validate([]byte(test.body))
		if problems != test.want || ok != (test.want == "") {
			t.Errorf("%s: %.100s\ngot  %s, %v\nwant %s", test.schema, test.body, problems, ok, test.want)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	for schema, want := range map[string]string{
		``:                                 `it isn't JSON`,
		`[]`:                               `a schema is an object`,
		`{"type":"nothing"}`:               `type`,
		`{"required":[]}`:                  `required`,
		`{"required":true}`:                `required`,
		`{"minLength":-1}`:                 `minLength`,
		`{"properties":{"a":{"items":1}}}`: `/properties/a/items`,
		`{"pattern":"a(?=b)"}`:             `regular expression "a(?=b)": look-around is supported only`,
		`{"pattern":"(a)\\1"}`:             `back references aren't supported`,
		`{"patternProperties":{"(":{}}}`:   `missing closing )`,
		`{"$ref":"#/definitions/a"}`:       `definitions`,
		`{"$ref":"#"}`:                     `references lead to nothing but references`,
		`{"$ref":"` + modelsURL + `abc/models/Alias"}`:       `references lead to nothing but references`,
		`{"$ref":"` + modelsURL + `abc/models/None"}`:        `there is no model None`,
		`{"$ref":"` + modelsURL + `abc/models/Broken"}`:      `type`,
		`{"$ref":"` + modelsURL + `other/models/Pet"}`:       `is no model of the API`,
		`{"$ref":"http://127.0.0.1:1/x"}`:                    `is no model of the API`,
		`{"$ref":"file:///etc/passwd"}`:                      `is no model of the API`,
		`{"$ref":"http://json-schema.org/draft-04/schema#"}`: `is no model of the API`,
		`{"allOf":[{"$ref":"#"}]}`:                           `a schema contains itself for the same value`,
		`{"definitions":{"a":{"not":{"$ref":"#/definitions/b"}},"b":{"anyOf":[{"$ref":"#/definitions/a"}]}},"items":{"$ref":"#/definitions/a"}}`: `a schema contains itself for the same value`,
	} {
		if _, err := Compile(schema, Options{APIID: "abc", Schema: models}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", schema, err, want)
		}
	}
	// A check of one schema alone leaves the models it refers to open.
	if _, err := Compile(`{"items":{"$ref":"`+modelsURL+`any/models/None"}}`, Options{}); err != nil {
		t.Error(err)
	}
}

// Alternatives within alternatives end, whatever the body.
func TestStepsAreBounded(t *testing.T) {
	m := compile(t, `{"anyOf":[{"type":"object","properties":{"a":{"$ref":"#"}}},{"type":"object","properties":{"a":{"$ref":"#"}},"required":["x"]}]}`)
	body := strings.Repeat(`{"x":1,"a":`, 900) + `1` + strings.Repeat(`}`, 900)
	if _, ok := m.Validate([]byte(body)); ok {
		t.Error("it is valid")
	}
}

// A long body isn't too much work.
func TestLongBody(t *testing.T) {
	m := compile(t, `{"type":"array","items":{"type":"integer","allOf":[{"minimum":0},{"maximum":9},{"type":"number"}]}}`)
	body := "[1" + strings.Repeat(",1", 400_000) + "]"
	if problems, ok := m.Validate([]byte(body)); !ok {
		t.Error(problems)
	}
	if problems, ok := m.Validate([]byte(strings.ReplaceAll(body, ",1,1", ",a,b"))); ok || problems != unparsed {
		t.Errorf("%.100s", problems)
	}
	if problems, ok := m.Validate([]byte(strings.ReplaceAll(body, ",1", `,""`))); ok || len(problems) > 2*maxReport {
		t.Errorf("%d bytes of problems", len(problems))
	}
	// What a complaint quotes is cut, too.
	quoting := compile(t, `{"pattern":"^b"}`)
	if problems, ok := quoting.Validate([]byte(`"` + strings.Repeat("ü", 400_000) + `"`)); ok || len(problems) > maxReport+2 || !utf8.ValidString(problems) {
		t.Errorf("%d bytes of problems", len(problems))
	}
}

const (
	orderSchema = `{"type":"object","required":["id","customer","items"],"additionalProperties":false,"properties":{
		"id":{"type":"string","minLength":8,"maxLength":64},"note":{"type":["string","null"]},
		"customer":{"type":"object","required":["name","mail"],"properties":{"name":{"type":"string"},"mail":{"type":"string","pattern":"^[^@]+@[^@]+$"},"age":{"type":"integer","minimum":0}}},
		"items":{"type":"array","minItems":1,"maxItems":100,"items":{"type":"object","required":["sku","count","price"],
			"properties":{"sku":{"type":"string"},"count":{"type":"integer","minimum":1},"price":{"type":"number","minimum":0},"size":{"enum":["S","M","L"]}}}}}}`
	orderItem = `{"sku": "0123456789", "count": 12, "price": 99.95, "size": "M"}`
)

func order() []byte {
	return []byte(`{"id": "a1b2c3d4e5f6", "note": "leave it at the \"door\"", "customer": {"name": "Ada Lovelace", "mail": "ada@example.com", "age": 36}, "items": [` +
		strings.Repeat(orderItem+", ", 13) + orderItem + `]}`)
}

func BenchmarkValidate(b *testing.B) {
	m, body := compile(b, orderSchema), order()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := m.Validate(body); !ok {
			b.Fatal("not valid")
		}
	}
}
