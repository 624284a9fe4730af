package rest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/openapi/rest"
)

// big writes a document of many paths, each with everything that an operation
// can have.
func big(paths int) string {
	var b strings.Builder
	b.WriteString(`{"openapi":"3.0.1","info":{"title":"big","version":"1"},"x-amazon-apigateway-api-key-source":"HEADER",` +
		`"x-amazon-apigateway-binary-media-types":["image/png"],"x-amazon-apigateway-minimum-compression-size":0,"x-amazon-apigateway-policy":{"Version":"2012-10-17","Statement":[]},` +
		`"x-amazon-apigateway-request-validators":{"all":{"validateRequestBody":true,"validateRequestParameters":true},"body":{"validateRequestBody":true,"validateRequestParameters":false}},` +
		`"x-amazon-apigateway-request-validator":"all","x-amazon-apigateway-gateway-responses":{"DEFAULT_5XX":{"responseTemplates":{"application/json":"{}"}}},` +
		`"x-amazon-apigateway-documentation":{"version":"7","documentationParts":[{"location":{"type":"API"},"properties":{"info":{"description":"big"}}}]},` +
		`"components":{"securitySchemes":{"key":{"type":"apiKey","name":"x-api-key","in":"header"},` +
		`"callers":{"type":"apiKey","name":"Authorization","in":"header","x-amazon-apigateway-authtype":"custom","x-amazon-apigateway-authorizer":{"type":"token","authorizerUri":"arn:aws:x"}}},` +
		`"schemas":{`)
	for i := range paths / 10 {
		fmt.Fprintf(&b, `"Model%d":{"type":"object","required":["id"],"properties":{"id":{"type":"integer"},"next":{"$ref":"#/components/schemas/Model%d"}}},`, i, (i+1)%max(paths/10, 1))
	}
	b.WriteString(`"Last":{"type":"object"}}},"paths":{`)
	for i := range paths {
		if i > 0 {
			b.WriteByte(',')
		}
		model := fmt.Sprintf(`{"schema":{"$ref":"#/components/schemas/Model%d"}}`, i%max(paths/10, 1))
		fmt.Fprintf(&b, `"/area%d/thing%d/{id}":{"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string"}}],`, i%50, i)
		fmt.Fprintf(&b, `"get":{"operationId":"get%d","security":[{"callers":[]},{"key":[]}],"parameters":[{"name":"q","in":"query","schema":{"type":"string"}}],`+
			`"responses":{"200":{"description":"200 response","headers":{"X-Total":{"schema":{"type":"string"}}},"content":{"application/json":%s}}},`+
			`"x-amazon-apigateway-integration":{"type":"http","httpMethod":"GET","uri":"https://example.com/things/{id}","passthroughBehavior":"when_no_match",`+
			`"requestParameters":{"integration.request.path.id":"method.request.path.id"},"cacheKeyParameters":["method.request.path.id"],"timeoutInMillis":5000,`+
			`"responses":{"default":{"statusCode":"200","responseParameters":{"method.response.header.X-Total":"integration.response.header.total"}}}}},`, i, model)
		fmt.Fprintf(&b, `"post":{"requestBody":{"content":{"application/json":%s},"required":true},"x-amazon-apigateway-request-validator":"body",`+
			`"responses":{"201":{"description":"201 response","content":{"application/json":{"schema":{"type":"object","properties":{"made%d":{"type":"boolean"}}}}}}},`+
			`"x-amazon-apigateway-integration":{"type":"mock","requestTemplates":{"application/json":"{\"statusCode\": 201}"},"passthroughBehavior":"never",`+
			`"responses":{"default":{"statusCode":"201","responseTemplates":{"application/json":"{}"}}}}}}`, model, i%100)
	}
	b.WriteString("}}")
	return b.String()
}

func TestBig(t *testing.T) {
	const paths = 300 // each is read and written in every form
	api, err := rest.Read(big(paths), options)
	if err != nil {
		t.Fatal(err)
	}
	if len(api.Warnings) > 0 || len(api.Resources) != paths || len(api.Models) != paths/10+1+100 {
		t.Fatalf("%d resources, %d models, warnings %q", len(api.Resources), len(api.Models), api.Warnings)
	}
	api.SetID(apiID)
	sameAgain(t, api)
}

// routes writes 10,000 methods with an integration each.
func routes() string {
	var b strings.Builder
	b.WriteString(`{"openapi":"3.0.1","info":{"title":"routes","version":"1"},"paths":{`)
	for i := range 10000 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"/a%d/{id}/b%d":{"get":{"responses":{"200":{"description":"200 response"}},"x-amazon-apigateway-integration":`+
			`{"type":"http_proxy","httpMethod":"GET","uri":"https://example.com/b%d/{id}","passthroughBehavior":"when_no_match","requestParameters":{"integration.request.path.id":"method.request.path.id"}},`+
			`"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string"}}]}}`, i%100, i, i)
	}
	b.WriteString("}}")
	return b.String()
}

func TestTenThousandMethodsTakeSeconds(t *testing.T) {
	document, start := routes(), time.Now()
	api, err := rest.Read(document, options)
	if err != nil || len(api.Resources) != 10000 {
		t.Fatal(err)
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("it took %v", took)
	}
}

func BenchmarkRead(b *testing.B) {
	document := routes()
	for b.Loop() {
		if _, err := rest.Read(document, options); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	api, err := rest.Read(routes(), options)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		rest.Write(api, whole)
	}
}
