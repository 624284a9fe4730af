package sample

import (
	"strings"
	"testing"

	"gatehouse/internal/openapi/tree"
)

func TestTemplate(t *testing.T) {
	for name, test := range map[string]struct{ schema, want string }{
		"values":    {`{"properties":{"a":{"type":"string"},"b":{"type":["integer","null"]},"c":{"type":"boolean"},"d":{"type":"number"},"e":{"type":"null"}}}`, "{\n  \"a\" : \"foo\",\n  \"b\" : 42,\n  \"c\" : true,\n  \"d\" : 3.14,\n  \"e\" : null\n}"},
		"nothing":   {`{}`, "{ }"},
		"reference": {`{"properties":{"a":{"$ref":"#/definitions/A"},"b":{"$ref":"elsewhere"}},"definitions":{"A":{"type":"string"}}}`, "{\n  \"a\" : \"foo\",\n  \"b\" : { }\n}"},
		"list":      {`{"type":"array","items":{"type":"integer"}}`, "[\n##TODO: Update this foreach loop to reference array from input json\n#foreach($elem in $inputRoot)\n  42\n#if($foreach.hasNext),#end\n#end\n]"},
		"bare list": {`{"type":"array"}`, "[ ]"},
	} {
		root, err := tree.Parse(test.schema, strings.NewReplacer())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := Template(root), "#set($inputRoot = $input.path('$'))\n"+test.want; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	// A schema that is made of itself ends.
	root, err := tree.Parse(`{"properties":{"a":{"$ref":"#"}}}`, strings.NewReplacer())
	if err != nil {
		t.Fatal(err)
	}
	if len(Template(root)) == 0 {
		t.Error("nothing")
	}
}
