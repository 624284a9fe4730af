package rest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/openapi/rest"
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
	const invalid = "Invalid OpenAPI input."
	const failed = "Errors found during import:\n\t"
	const issue = failed + "Parse issue: attribute "
	const malformed = failed + "Unable to parse API definition because of a malformed integration at path /x."
	for _, test := range []struct{ name, document, want string }{
		// Recorded.
		{"recorded YAML", "test:\n    value:\n        - \"value ... \"escaped\": $var, \"dt\": $(var +\"%a\")}\"\n        ", invalid},
		{"recorded JSON", "{'key:value}", invalid},

		{"nothing", "", invalid},
		{"too long", head + `"paths":{}` + strings.Repeat(" ", rest.MaxBytes) + "}", invalid + " The document is longer than 6291456 bytes."},
		{"not UTF-8", "{\"openapi\":\"\xff\"}", invalid},
		{"key twice", `{"swagger":"2.0","swagger":"2.0"}`, invalid},
		{"no version", `{"paths":{}}`, invalid},
		{"a list", "- a", invalid},
		{"Swagger 1", `{"swagger":"1.2"}`, invalid},
		{"OpenAPI 4", `{"openapi":"4.0.0"}`, invalid},
		{"anchors that explode", explosive(), invalid},

		{"paths of a list", head + `"paths":[]}`, issue + "paths is not of type `object`"},
		{"a path of text", head + `"paths":{"/x":"y"}}`, issue + "paths.'/x' is not of type `object`"},
		{"a path without a slash", head + `"paths":{"x":{}}}`, issue + "paths. Resource x should start with /"},
		{"a path elsewhere", head + `"paths":{"/x":{"$ref":"y.yaml"}}}`, issue + "paths.'/x'.$ref is not supported"},
		{"a method twice", head + `"paths":{"/x":{"get":{}},"/x/":{"get":{}}}}`, failed + "Unable to put method 'GET' on resource at path '/x': Method already exists for this resource"},
		{"an operation of text", head + `"paths":{"/x":{"get":"y"}}}`, issue + "paths.'/x'(get) is not of type `object`"},
		{"info of text", `{"openapi":"3.0.1","info":"x","paths":{}}`, issue + "info is not of type `object`"},
		{"a title of a list", `{"openapi":"3.0.1","info":{"title":[]},"paths":{}}`, issue + "info.title is not of type `string`"},
		{"parameters of an object", operation(`"parameters":{}`), issue + "paths.'/x'(get).parameters is not of type `array`"},
		{"a parameter of text", operation(`"parameters":["a"]`), issue + "paths.'/x'(get).parameters.[0] is not of type `object`"},
		{"a parameter without a name", operation(`"parameters":[{"in":"query"}]`), issue + "paths.'/x'(get).parameters.[0] has no name or no place"},
		{"a body of text", operation(`"requestBody":"b"`), issue + "paths.'/x'(get).requestBody is not of type `object`"},
		{"content of a list", operation(`"requestBody":{"content":[]}`), issue + "paths.'/x'(get).requestBody.content is not of type `object`"},
		{"a schema of a list", operation(`"requestBody":{"content":{"a/b":{"schema":[]}}}`), issue + "paths.'/x'(get).requestBody.content.a/b.schema is not of type `object`"},
		{"security of an object", operation(`"security":{}`), issue + "paths.'/x'(get).security is not of type `array`"},
		{"scopes of text", head + `"paths":{"/x":{"get":{"security":[{"s":"a"}]}}},"components":{"securitySchemes":{"s":{"type":"apiKey","x-amazon-apigateway-authorizer":{"type":"cognito_user_pools"}}}}}`,
			issue + "paths.'/x'(get).security.s is not of type `array`"},
		{"no such validator", operation(`"x-amazon-apigateway-request-validator":"v"`), failed + "Unable to put method 'GET' on resource at path '/x': Invalid Request Validator identifier specified"},
		{"custom without an authorizer", operation(`"x-amazon-apigateway-auth":{"type":"CUSTOM"}`),
			failed + "Unable to put method 'GET' on resource at path '/x': Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer."},
		{"authtype without an authorizer", scheme(`"type":"apiKey","x-amazon-apigateway-authtype":"custom"`),
			failed + "Unable to create authorizer from security definition: 's'. Extension x-amazon-apigateway-authorizer is required. Any methods with security: 's' will not be created." +
				" If this security definition is not a configured authorizer, remove the x-amazon-apigateway-authtype extension and it will be ignored."},
		{"a scheme of text", head + `"paths":{},"components":{"securitySchemes":{"s":"t"}}}`, issue + "components.securitySchemes.s is not of type `object`"},

		{"an integration of text", operation(`"x-amazon-apigateway-integration":"y"`), malformed},
		{"a URI of an object", integration(`"uri":{"Fn::Sub":"x"}`), malformed},
		{"a type of a list", integration(`"type":[]`), malformed},
		{"templates of text", integration(`"requestTemplates":"x"`), malformed},
		{"responses of a list", integration(`"responses":[]`), malformed},
		{"a response of text", integration(`"responses":{"default":"200"}`), malformed},
		{"a response without a status", integration(`"responses":{"default":{}}`), malformed},
		{"a timeout of text", integration(`"timeoutInMillis":"soon"`), issue + "x-amazon-apigateway-integration.timeoutInMillis is not of type `integer`"},

		{"a model with a bad name", head + `"paths":{},"components":{"schemas":{"a_b":{}}}}`, failed + "Unable to create model for 'a_b': Model name must be alphanumeric: a_b"},
		{"a model of a list", head + `"paths":{},"components":{"schemas":{"a":[]}}}`, issue + "components.schemas.a is not of type `object`"},
		{"definitions of a list", `{"swagger":"2.0","definitions":[]}`, issue + "definitions is not of type `object`"},
		{"compression of text", head + `"x-amazon-apigateway-minimum-compression-size":"x"}`, issue + "openapi.x-amazon-apigateway-minimum-compression-size is not of type `integer`"},
		{"a policy of a list", head + `"x-amazon-apigateway-policy":[]}`, issue + "x-amazon-apigateway-policy is not of type `object`"},
		{"media types of text", head + `"x-amazon-apigateway-binary-media-types":"a/b"}`, issue + "openapi.x-amazon-apigateway-binary-media-types is not of type `array`"},
		{"validators of a list", head + `"x-amazon-apigateway-request-validators":[]}`, issue + "x-amazon-apigateway-request-validators is not of type `object`"},
		{"a gateway response of text", head + `"x-amazon-apigateway-gateway-responses":{"A":"b"}}`, issue + "x-amazon-apigateway-gateway-responses.A is not of type `object`"},
		{"documentation of text", head + `"x-amazon-apigateway-documentation":"x"}`, issue + "x-amazon-apigateway-documentation is not of type `object`"},
		{"two problems", head + `"paths":{"/x":1,"/y":2}}`, issue + "paths.'/x' is not of type `object`\n\tParse issue: attribute paths.'/y' is not of type `object`"},
	} {
		t.Run(test.name, func(t *testing.T) {
			api, err := rest.Read(test.document, options)
			if err == nil {
				t.Fatalf("read as %s", describe(t, api))
			}
			if err.Error() != test.want {
				t.Errorf("got  %s\nwant %s", err, test.want)
			}
		})
	}
}

// explosive is a document of a few hundred bytes that stands for a billion values.
func explosive() string {
	var b strings.Builder
	b.WriteString("openapi: 3.0.1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return b.String()
}

// References and defaults of the document can stand for very much more than the
// document: that is refused, in time.
func TestRepetitionIsBounded(t *testing.T) {
	many := func(n int, format string) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = fmt.Sprintf(format, i)
		}
		return strings.Join(parts, ",")
	}
	const tooMuch = "Errors found during import:\n\tThe document repeats more than can be imported"
	for _, test := range []struct{ name, document string }{
		{"headers", head + `"paths":{` + many(4000, `"/x%d":{"get":{"responses":{"200":{"$ref":"#/components/responses/r"}}}}`) +
			`},"components":{"responses":{"r":{"headers":{` + many(4000, `"h%d":{}`) + `}}}}}`},
		{"inline schemas", head + `"paths":{` + many(4000, `"/x%d":{"get":{"responses":{"200":{"$ref":"#/components/responses/r"}}}}`) +
			`},"components":{"responses":{"r":{"content":{"a/b":{"schema":{"type":"object","properties":{` + many(4000, `"p%d":{}`) + `}}}}}}}}`},
		{"security", head + `"security":[{` + many(4000, `"s%d":[]`) + `}],"paths":{` + many(4000, `"/x%d":{"get":{}}`) + `}}`},
		{"media types", `{"swagger":"2.0","produces":[` + many(4000, `"t/%d"`) + `],"definitions":{"A":{}},"paths":{` +
			many(4000, `"/x%d":{"get":{"responses":{"200":{"schema":{"$ref":"A"}}}}}`) + `}}`},
		{"parameters", head + `"paths":{` + many(4000, `"/x%d":{"$ref":"#/components/pathItems/p"}`) + `},"components":{"pathItems":{"p":{"get":{"parameters":[` +
			many(4000, `{"in":"query","name":"p%d"}`) + `]}}}}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			document := strings.Replace(test.document, "3.0.1", "3.1.0", 1)
			start := time.Now()
			_, err := rest.Read(document, options)
			if err == nil || err.Error() != tooMuch {
				t.Errorf("got %.200v", err)
			}
			if took := time.Since(start); took > time.Minute {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// What is said of a document can be longer than it; then it is refused.
func TestNotesAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(head + `"paths":{"/` + strings.Repeat("x", 100000) + `":{"get":{"parameters":[`)
	for i := range 1000 {
		fmt.Fprintf(&b, `{"in":"cookie","name":"c%d"},`, i)
	}
	b.WriteString(`{"in":"query","name":"q"}]}}}}`)
	_, err := rest.Read(b.String(), options)
	if err == nil || err.Error() != "Errors found during import:\n\tThere is too much to say about the document" {
		t.Errorf("got %.200v", err)
	}
}

func TestReadDocumentation(t *testing.T) {
	const document = `{"openapi":"3.0.0","info":{"title":"t"},"paths":{"/":{"get":{"description":"inline"}}},"x-amazon-apigateway-documentation":{"version":"1",
		"documentationParts":[{"location":{"type":"METHOD","method":"get"},"properties":{"description":"Said"}}]}}`
	api, err := rest.ReadDocumentation(document, options)
	if err != nil {
		t.Fatal(err)
	}
	if got := describe(t, api); got != "api {}\ndocumentation version 1\npart {\"location\":{\"type\":\"METHOD\",\"path\":\"/\",\"method\":\"GET\"},\"properties\":\"{\\\"description\\\":\\\"Said\\\"}\"}\n" {
		t.Errorf("got %s", got)
	}
	// Recorded.
	if _, err := rest.ReadDocumentation("{'key:value}", options); err == nil || err.Error() != "Unable to build importer with provided input." {
		t.Errorf("got %v", err)
	}
}

// What only some extensions are asked for, and what was stored otherwise than by
// an import.
func TestWriteOptions(t *testing.T) {
	api, err := rest.Read(head+`"paths":{"/x":{"get":{"security":[{"s":[]},{"k":[]}],"x-amazon-apigateway-integration":{"type":"mock"}},"put":{"x-amazon-apigateway-auth":{"type":"AWS_IAM"}}}},
		"components":{"securitySchemes":{"k":{"type":"apiKey"},"s":{"type":"apiKey","name":"A","in":"header","x-amazon-apigateway-authorizer":{"type":"token","authorizerUri":"u"}}}},
		"x-amazon-apigateway-binary-media-types":["a/b"]}`, options)
	if err != nil {
		t.Fatal(err)
	}
	has := func(o rest.WriteOptions, parts ...string) {
		t.Helper()
		written := string(rest.Write(api, o))
		for _, part := range []string{"-integration\"", "-authorizer\"", "-authtype\"", "-binary-media-types\""} {
			want := false
			for _, p := range parts {
				want = want || strings.HasPrefix(part, p)
			}
			if strings.Contains(written, part) != want {
				t.Errorf("%+v: %s is there: %t\n%s", o, part, !want, written)
			}
		}
	}
	for _, swagger := range [...]bool{false, true} {
		has(rest.WriteOptions{Swagger: swagger})
		has(rest.WriteOptions{Swagger: swagger, Integrations: true}, "-integration")
		has(rest.WriteOptions{Swagger: swagger, Authorizers: true}, "-auth")
		has(rest.WriteOptions{Swagger: swagger, All: true}, "-")
	}
}
