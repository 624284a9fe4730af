package rest

import (
	"testing"

	"gatehouse/internal/plan"
)

// What mapping costs a request beside its integration.
func BenchmarkMapping(b *testing.B) {
	client := []plan.Header{
		{Name: "Host", Value: "api1.execute-api.localhost"}, {Name: "User-Agent", Value: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"},
		{Name: "Accept", Value: "application/json, text/plain, */*"}, {Name: "Accept-Encoding", Value: "gzip, deflate, br"},
		{Name: "Accept-Language", Value: "en-GB,en;q=0.9"}, {Name: "Origin", Value: "https://shop.example.com"},
		{Name: "Authorization", Value: "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkEifQ.c2lnbmF0dXJl"},
	}
	for _, bench := range []struct {
		name     string
		request  RequestOptions
		response ResponseOptions
		status   int
	}{
		{"mock", RequestOptions{Kind: Mock, Templates: map[string]string{"application/json": `{"statusCode": 200}`}},
			ResponseOptions{Kind: Mock, Responses: []IntegrationResponse{{Status: 200, Parameters: map[string]string{"method.response.header.Access-Control-Allow-Origin": "'*'"}}}}, 200},
		{"mock_templates", RequestOptions{Kind: Mock, Templates: map[string]string{"application/json": `{"statusCode": #if($input.params('expand') == 'price')200#else 404#end}`}},
			ResponseOptions{Kind: Mock, Responses: []IntegrationResponse{{Status: 200, Pattern: "200", Templates: map[string]string{"application/json": `{"id": "$input.params('id')", "request": "$context.requestId"}`}}}}, 200},
		{"http_proxy", RequestOptions{Kind: HTTPProxy, URIVariables: []string{"id"}, Parameters: map[string]string{"integration.request.path.id": "method.request.path.id"}},
			ResponseOptions{Kind: HTTPProxy}, 200},
		{"http", RequestOptions{Kind: HTTP, URIVariables: []string{"id"}, Parameters: map[string]string{"integration.request.path.id": "method.request.path.id", "integration.request.header.X-Request-Id": "context.requestId"}},
			ResponseOptions{Kind: HTTP, Responses: []IntegrationResponse{{Status: 200, Templates: map[string]string{"application/json": `{"id": "$input.params('id')", "answer": $input.json('$')}`}}}}, 200},
	} {
		b.Run(bench.name, func(b *testing.B) {
			request, err := NewRequest(bench.request)
			if err != nil {
				b.Fatal(err)
			}
			response, err := NewResponse(bench.response)
			if err != nil {
				b.Fatal(err)
			}
			x := exchange("GET", "/pets/7%20a/x/y%2Fz", "expand=price&lang=en", "", client...)
			kept := *x
			scratch := make([]byte, 0, 4096)
			headers := make(plan.Headers, 0, 32)
			mapped := make(plan.Headers, 0, 32)
			answer := []byte(`{"name": "a pet", "price": 12.5, "tags": ["a", "b"]}`)
			b.ReportAllocs()
			for b.Loop() {
				*x = kept
				x.Scratch, x.Response.Headers, x.Mapped.Headers, x.Mapped.URIParams = scratch, headers, mapped, x.Params[:0:0]
				if err := request.Map(x); err != nil {
					b.Fatal(err)
				}
				x.Integration.Status = bench.status
				x.Response.Body = answer
				if err := response.Map(x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
