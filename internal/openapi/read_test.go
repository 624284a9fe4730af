package openapi_test

import (
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse/internal/openapi"
	"gatehouse/internal/openapi/tree"
)

const head = `{"openapi":"3.0.1","info":{"title":"t","version":"1"},`

func TestRefusals(t *testing.T) {
	operation := func(members string) string { return head + `"paths":{"/x":{"get":{"responses":{},` + members + `}}}}` }
	integration := func(members string) string {
		return operation(`"x-amazon-apigateway-integration":{` + members + `}`)
	}
	scheme := func(members string) string {
		return head + `"paths":{},"components":{"securitySchemes":{"s":{` + members + `}}}}`
	}
	const parsed = "Unable to build importer with provided input. Unable to parse the document: "
	const failed = "Errors found during import:\n\tParse issue: attribute "
	for _, test := range []struct{ name, document, want string }{
		{"nothing", "", parsed + "the document is empty"},
		{"blanks", " \n\t", parsed + "the document is empty"},
		{"only a comment", "# nothing\n", parsed + "the document is empty"},
		{"not UTF-8", "{\"openapi\":\"\xff\"}", parsed + "the document is not valid UTF-8"},
		{"cut off", `{"openapi":"3.0.1"`, parsed + "line 1, column 19: the document ends too early"},
		{"goes on", "{}\n x", parsed + "line 2, column 2: unexpected 'x'"},
		{"no comma", `{"a":1 "b":2}`, parsed + "line 1, column 8: unexpected '\"'"},
		{"trailing comma", `{"a":1,}`, parsed + "line 1, column 8: unexpected '}'"},
		{"no colon", `{"a" 1}`, parsed + "line 1, column 6: unexpected '1'"},
		{"no word", `{"a":nil}`, parsed + "line 1, column 6: unexpected 'n'"},
		{"no number", `{"a":01}`, parsed + "line 1, column 6: unexpected '0'"},
		{"broken string", "{\"a\":\"b\n\"}", parsed + "line 1, column 8: the string is not closed on its line"},
		{"broken escape", `{"a":"\x"}`, parsed + "line 1, column 6: the string is not valid"},
		{"key twice", `{"a":1,"a":2}`, parsed + `line 1, column 14: the key "a" appears twice`},
		{"key twice among many", `{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"a":2}`, parsed + `line 1, column 62: the key "a" appears twice`},
		{"YAML key twice", "a: 1\nb: 2\na: 3\n", parsed + `line 1: the key "a" appears twice`},
		{"YAML broken", "a: b: c\n", parsed + "mapping values are not allowed in this context"},
		{"YAML unknown anchor", "a: *b\n", parsed + "unknown anchor 'b' referenced"},
		{"YAML anchor in itself", "a: &b [*b]\n", parsed + "line 1: the anchor b contains itself"},
		{"YAML list as a key", "? [a]\n: b\n", parsed + "line 1: a key must be a string"},
		{"YAML merge of a scalar", "<<: a\n", parsed + "line 1: a merge key must name an object or a list of objects"},

		{"a list", `- a`, "Unable to build importer with provided input. Unable to determine OAS version"},
		{"no version", `{}`, "Unable to build importer with provided input. Unable to determine OAS version"},
		{"Swagger 2", `{"swagger":"2.0"}`, "Unable to build importer with provided input. Unable to determine OAS version"},
		{"OpenAPI 3.1", "openapi: 3.1.0\n", "Unable to build importer with provided input. Unable to determine OAS version from '3.1.0'"},
		{"OpenAPI 3", `{"openapi":"3"}`, "Unable to build importer with provided input. Unable to determine OAS version from '3'"},

		{"no paths", `{"openapi":"3.0.1"}`, failed + "paths is missing"},
		{"paths of a list", head + `"paths":[]}`, failed + "paths is not of type `object`"},
		{"a path of text", head + `"paths":{"/x":"y"}}`, failed + "paths.'/x' is not of type `object`"},
		{"a path elsewhere", head + `"paths":{"/x":{"$ref":"y.yaml"}}}`, failed + "paths.'/x'.$ref is not supported"},
		{"an operation of text", head + `"paths":{"/x":{"get":"y"}}}`, failed + "paths.'/x'(get) is not of type `object`"},
		{"any method of text", head + `"paths":{"/x":{"x-amazon-apigateway-any-method":"y"}}}`, failed + "paths./x.x-amazon-apigateway-any-method is not of type `object`"},
		{"info of text", `{"openapi":"3.0.1","info":"x","paths":{}}`, failed + "info is not of type `object`"},
		{"title of a list", `{"openapi":"3.0.1","info":{"title":[]},"paths":{}}`, failed + "info.title is not of type `string`"},
		{"tags of text", head + `"paths":{},"tags":["a"]}`, failed + "tags is not of type `object`"},
		{"CORS age", head + `"paths":{},"x-amazon-apigateway-cors":{"maxAge":"soon"}}`, failed + "x-amazon-apigateway-cors.maxAge is not of type `integer`"},
		{"CORS origins", head + `"paths":{},"x-amazon-apigateway-cors":{"allowOrigins":"*"}}`, failed + "x-amazon-apigateway-cors.allowOrigins is not of type `array`"},
		{"CORS credentials", head + `"paths":{},"x-amazon-apigateway-cors":{"allowCredentials":"perhaps"}}`, failed + "x-amazon-apigateway-cors.allowCredentials is not of type `boolean`"},
		{"endpoint", head + `"paths":{},"servers":[{"x-amazon-apigateway-endpoint-configuration":{"disableExecuteApiEndpoint":1.5}}]}`, failed + "servers.x-amazon-apigateway-endpoint-configuration.disableExecuteApiEndpoint is not of type `boolean`"},
		{"integration of text", operation(`"x-amazon-apigateway-integration":"y"`), failed + "paths./x.get.x-amazon-apigateway-integration is not of type `object`"},
		{"timeout", integration(`"timeoutInMillis":1.5`), failed + "paths./x.get.x-amazon-apigateway-integration.timeoutInMillis is not of type `integer`"},
		{"request parameters", integration(`"requestParameters":{"a":{}}`), failed + "paths./x.get.x-amazon-apigateway-integration.requestParameters.a is not of type `string`"},
		{"response parameters", integration(`"responseParameters":{"200":"x"}`), failed + "paths./x.get.x-amazon-apigateway-integration.responseParameters.200 is not of type `object`"},
		{"two requirements", operation(`"security":[{"a":[]},{"b":[]}]`), "Errors found during import:\n\tUnable to put method 'GET' on resource at path '/x': An operation can have only one security requirement"},
		{"two at once", operation(`"security":[{"a":[],"b":[]}]`), "Errors found during import:\n\tUnable to put method 'GET' on resource at path '/x': An operation can have only one security requirement"},
		{"one or none", operation(`"security":[{"a":[]},{}]`), "Errors found during import:\n\tUnable to put method 'GET' on resource at path '/x': An operation can have only one security requirement"},
		{"IAM and another", operation(`"security":[{"a":[]}],"x-amazon-apigateway-auth":{"type":"AWS_IAM"}`), "Errors found during import:\n\tUnable to put method 'GET' on resource at path '/x': An operation can have only one security requirement"},
		{"authorization", operation(`"x-amazon-apigateway-auth":{"type":"OTHER"}`), failed + "paths./x.get.x-amazon-apigateway-auth.type is neither NONE nor AWS_IAM"},
		{"scheme without a type", scheme(``), failed + "components.securitySchemes.s.type is missing"},
		{"authorizer of text", scheme(`"type":"oauth2","x-amazon-apigateway-authorizer":"x"`), failed + "components.securitySchemes.s.x-amazon-apigateway-authorizer is not of type `object`"},
		{"time to live", scheme(`"type":"oauth2","x-amazon-apigateway-authorizer":{"authorizerResultTtlInSeconds":"long"}`), failed + "components.securitySchemes.s.x-amazon-apigateway-authorizer.authorizerResultTtlInSeconds is not of type `integer`"},
		{"audience", scheme(`"type":"oauth2","x-amazon-apigateway-authorizer":{"jwtConfiguration":{"audience":"a"}}`), failed + "components.securitySchemes.s.x-amazon-apigateway-authorizer.jwtConfiguration.audience is not of type `array`"},
	} {
		_, err := openapi.Read(test.document, openapi.Options{})
		if got := fmt.Sprint(err); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestSeveralErrors(t *testing.T) {
	_, err := openapi.Read(`{"openapi":"3.0.1","info":"x","paths":[]}`, openapi.Options{})
	want := "Errors found during import:\n\tParse issue: attribute info is not of type `object`\n\tParse issue: attribute paths is not of type `object`"
	if fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestBasePathThatIsNone(t *testing.T) {
	for _, servers := range []string{
		`[{"url":"https://h/` + strings.Repeat("a", 600) + `"}]`,
		`[{"url":"https://h/{v}","variables":{"v":{"default":"` + strings.Repeat("a", 600) + `"}}}]`,
		`[{"url":"https://h/{v}{v}{v}{v}","variables":{"v":{"default":"` + strings.Repeat("a", 400) + `"}}}]`,
		`[{"url":"https://h/%zz"}]`,
	} {
		_, err := openapi.Read(head+`"paths":{},"servers":`+servers+`}`, openapi.Options{BasePath: openapi.BasePathPrepend})
		if want := "Errors found during import:\n\tParse issue: attribute servers.url has no usable base path"; fmt.Sprint(err) != want {
			t.Errorf("%.60s: got %v, want %s", servers, err, want)
		}
	}
}

// What is sent to wear the gateway out is refused before it does: quickly, and
// without building anything of its size.
func TestBombs(t *testing.T) {
	const n = tree.MaxBytes - 1000
	fill := func(s string) string { return strings.Repeat(s, n/len(s)) }
	laughs := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 30; i++ {
		laughs += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	long := strings.Repeat("x", 1<<20)
	for name, document := range map[string]string{
		"100 MB of blanks":        strings.Repeat(" ", 100<<20),
		"blanks in JSON":          "{" + fill(" "),
		"blanks in YAML":          "a:" + strings.Repeat(" ", n/8) + "b",
		"JSON lists in lists":     `{"a":` + fill("["),
		"JSON objects in objects": fill(`{"a":`),
		"JSON values":             `{"a":[` + fill("1,") + "1]}",
		"YAML lists in lists":     "a: " + fill("["),
		"YAML objects in objects": "a: " + fill("{"),
		"YAML dashes":             fill("- "),
		"YAML values":             "a: [" + fill("a,") + "]",
		"YAML lines":              fill("a:\n"),
		"YAML comments":           fill("#\n"),
		"YAML text":               "a: " + strings.Repeat("x ", n/16),
		"aliases of aliases":      laughs,
		"aliases of a long text":  "a: &a " + long + "\nb: [" + strings.Repeat("*a,", 100_000) + "]\n",
		"aliases as merge keys":   "a: &a {x: 1}\nb:\n" + strings.Repeat("  <<: *a\n", 100_000),
		"a long path with many things wrong": head + `"paths":{"/` + long + `":{"get":{"responses":{},"parameters":[` +
			strings.Repeat(`{"$ref":"#/components/schemas/a"},`, 100_000) + `{}]}}}}`,
		"a path of variables":    head + `"paths":{"` + strings.Repeat("/{a}", 1<<20) + `":{"get":{"responses":{}}}}}`,
		"unknown keys":           head + `"paths":{"/` + long + `":{"get":{` + manyKeys(200_000) + `}}}}`,
		"many server variables":  head + `"paths":{},"servers":[{"url":"{a}","variables":{` + manyKeys(200_000) + `}}]}`,
		"many operations":        head + `"security":[{"a":[]}],"paths":{` + manyPaths(100_000) + `}}`,
		"nothing but parameters": head + `"paths":{"/{a}":{"parameters":[` + strings.Repeat(`{},`, 500_000) + `{}],"get":{},"put":{},"post":{}}}}`,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := cpuTime(t)
		_, err := openapi.Read(document, openapi.Options{BasePath: openapi.BasePathPrepend})
		took := cpuTime(t) - start
		runtime.ReadMemStats(&after)
		// Far more than it takes, for the race detector and a slow machine.
		if took > 40*time.Second {
			t.Errorf("%s took %s (%.80v)", name, took, err)
		}
		if grown := (after.TotalAlloc - before.TotalAlloc) >> 20; grown > 1<<10 {
			t.Errorf("%s took %d MB (%.80v)", name, grown, err)
		}
		t.Logf("%s: %s, %.100v", name, took, err)
	}
}

// cpuTime is what the process has used: unlike the time of day it doesn't grow
// with what else the machine does.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"k%d":{"default":"x"},`, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

func manyPaths(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"/%d":{"get":{}},`, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

func BenchmarkRead(b *testing.B) {
	doc, err := openapi.Read(large(10_000), openapi.Options{})
	if err != nil {
		b.Fatal(err)
	}
	identify(doc)
	for name, document := range map[string]string{
		"json/10k_routes": string(openapi.Write(doc, openapi.WriteOptions{})),
		"yaml/10k_routes": string(openapi.Write(doc, openapi.WriteOptions{YAML: true})),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(document)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := openapi.Read(document, openapi.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// large is a document with n routes.
func large(n int) string {
	var b strings.Builder
	b.WriteString(head + `"paths":{`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"/section%d/items%d/{id}":{"get":{"responses":{},"x-amazon-apigateway-integration":`+
			`{"type":"HTTP_PROXY","httpMethod":"GET","uri":"https://h.example/%d/{id}","payloadFormatVersion":"1.0"}}}`, i%100, i, i)
	}
	b.WriteString("}}")
	return b.String()
}
