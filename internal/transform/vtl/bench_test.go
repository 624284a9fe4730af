package vtl_test

import (
	"strings"
	"testing"

	"gatehouse/internal/plan"
	"gatehouse/internal/transform/vtl"
)

const typicalTemplate = `#set($inputRoot = $input.path('$'))
{
  "TableName": "$stageVariables.table",
  "Item": {
    "id": { "S": "$context.requestId" },
    "owner": { "S": "$context.authorizer.claims.sub" },
    "title": { "S": "$util.escapeJavaScript($inputRoot.title)" },
    "count": { "N": "$inputRoot.count" },
    "tags": { "SS": [#foreach($tag in $inputRoot.tags)"$tag"#if($foreach.hasNext),#end#end] },
    "address": $input.json('$.address'),
    "city": { "S": "$input.path('$.address.city')" }
#if($input.params('ttl') != "")
    ,"ttl": { "N": "$input.params('ttl')" }
#end
  }
}`

const typicalBody = `{"title": "It's a book", "count": 3, "tags": ["a", "b", "c"], "address": {"street": "Main St 1", "city": "Ulm", "zip": "89073"}}`

func typicalScope() *vtl.Scope {
	return &vtl.Scope{
		Body:           []byte(typicalBody),
		Params:         paramData{nil, {{"ttl", "300"}}, nil},
		StageVariables: map[string]string{"table": "books"},
		Context: contextData{values: map[string]string{
			"requestId": "2f3c1b52-7b1e-4b8f-9f53-0f2f3c1b5200", "authorizer.claims.sub": "user-1",
		}},
		Overrides: &plan.Overrides{},
	}
}

func BenchmarkRender(b *testing.B) {
	large := typicalScope()
	large.Body = []byte(`{"items": [` + strings.Repeat(typicalBody+",", 900) + typicalBody + `]}`)
	for _, c := range []struct {
		name, template string
		scope          *vtl.Scope
	}{
		{"typical", typicalTemplate, typicalScope()},
		{"passthrough", `$input.json('$')`, typicalScope()},
		{"mock", `{"statusCode": 200}`, typicalScope()},
		{"large", `[#foreach($i in $input.path('$.items')){"t":"$i.title","c":"$i.address.city"}#if($foreach.hasNext),#end#end]`, large},
	} {
		b.Run(c.name, func(b *testing.B) {
			t, err := vtl.Parse(c.template)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(c.scope.Body)))
			var out []byte
			for b.Loop() {
				if out, err = t.Render(out[:0], c.scope); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
