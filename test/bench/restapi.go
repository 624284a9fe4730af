package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
)

// restStage is the stage of the REST APIs.
const restStage = "bench"

// A restAPI is a REST API of as many methods, all with one integration.
type restAPI struct {
	methods     int
	integration string // x-amazon-apigateway-integration
	// method are further members of each method, and schemes the security schemes
	// that they name.
	method, schemes string
	// cached tells that the stage caches responses.
	cached bool
}

// The integrations that are measured.
func restProxy(backend string) string {
	return fmt.Sprintf(`{"type": "http_proxy", "httpMethod": "ANY", "uri": "http://%s/r/items/{id}", "requestParameters": {"integration.request.path.id": "method.request.path.id"}}`, backend)
}

// restCached is restProxy with the variable in the cache's key.
func restCached(backend string) string {
	return strings.Replace(restProxy(backend), "{", `{"cacheKeyParameters": ["method.request.path.id"], `, 1)
}

func restHTTP(backend string) string {
	return fmt.Sprintf(`{"type": "http", "httpMethod": "GET", "uri": "http://%s/r/items/{id}",
		"requestParameters": {"integration.request.path.id": "method.request.path.id", "integration.request.header.X-Request-Id": "context.requestId"},
		"responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": "{\"id\": \"$input.params('id')\", \"answer\": $input.json('$')}"}}}}`, backend)
}

const (
	restMock = `{"type": "mock", "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
		"responses": {"default": {"statusCode": "200", "responseParameters": {"method.response.header.Access-Control-Allow-Origin": "'*'"}}}}`
	restMockTemplate = `{"type": "mock", "requestTemplates": {"application/json": "{\"statusCode\": #if($input.params('expand') == 'price')200#else 404#end}"},
		"responses": {"200": {"statusCode": "200", "responseTemplates": {"application/json": "{\"id\": \"$input.params('id')\", \"request\": \"$context.requestId\"}"}}}}`
)

// document is the API in OpenAPI.
func (a restAPI) document() string {
	var b strings.Builder
	b.WriteString(`{"openapi": "3.0.1", "info": {"title": "bench", "version": "1"}, "paths": {`)
	for i := range a.methods {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `%q: {"get": {%s "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
			"responses": {"200": {"description": "200", "headers": {"Access-Control-Allow-Origin": {"schema": {"type": "string"}}}}}, "x-amazon-apigateway-integration": %s}}`, routePath(i), a.method, a.integration)
	}
	b.WriteString(`}`)
	if a.schemes != "" {
		b.WriteString(`, "components": {"securitySchemes": {` + a.schemes + `}}`)
	}
	b.WriteString(`}`)
	return b.String()
}

// create imports and deploys the API with an access log, throttles and detailed
// metrics, and returns its host.
func (a restAPI) create(ctx context.Context, config aws.Config) (string, error) {
	client := apigateway.NewFromConfig(config)
	api, err := client.ImportRestApi(ctx, &apigateway.ImportRestApiInput{Body: []byte(a.document()), FailOnWarnings: true})
	if err != nil {
		return "", err
	}
	if _, err := client.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: api.Id, StageName: aws.String(restStage)}); err != nil {
		return "", err
	}
	operations := []types.PatchOperation{
		replace("/accessLogSettings/destinationArn", "arn:aws:logs:"+region+":"+account+":log-group:"+logGroup),
		replace("/accessLogSettings/format", strings.ReplaceAll(logFormat, "$context.routeKey", "$context.resourcePath")),
		replace("/*/*/metrics/enabled", "true"),
		replace("/*/*/throttling/rateLimit", fmt.Sprint(rateLimit)),
		replace("/*/*/throttling/burstLimit", fmt.Sprint(burstLimit)),
	}
	if a.cached {
		operations = append(operations, replace("/cacheClusterEnabled", "true"), replace("/*/*/caching/enabled", "true"))
	}
	_, err = client.UpdateStage(ctx, &apigateway.UpdateStageInput{RestApiId: api.Id, StageName: aws.String(restStage), PatchOperations: operations})
	return hostOf(*api.Id), err
}

func replace(path, value string) types.PatchOperation {
	return types.PatchOperation{Op: types.OpReplace, Path: aws.String(path), Value: aws.String(value)}
}

// restSubjects creates REST APIs of several kinds.
func restSubjects(ctx context.Context, g *process, backend string) ([]subject, error) {
	const on = "throttles, access log, metrics"
	var subjects []subject
	for _, s := range []struct {
		name, note string
		api        restAPI
	}{
		{"gatehouse REST HTTP_PROXY, 1,000 methods", on, restAPI{methods: 1_000, integration: restProxy(backend)}},
		{"gatehouse REST HTTP_PROXY from the cache, 1,000 methods", on + ", cached", restAPI{methods: 1_000, integration: restCached(backend), cached: true}},
		{"gatehouse REST HTTP_PROXY, 10,000 methods", on, restAPI{methods: 10_000, integration: restProxy(backend)}},
		{"gatehouse REST HTTP, 1,000 methods", on + ", mapping, response template", restAPI{methods: 1_000, integration: restHTTP(backend)}},
		{"gatehouse REST MOCK, 1,000 methods", on + ", answers itself", restAPI{methods: 1_000, integration: restMock}},
		{"gatehouse REST MOCK with templates, 1,000 methods", on + ", answers itself", restAPI{methods: 1_000, integration: restMockTemplate}},
	} {
		host, err := s.api.create(ctx, awsConfig(g.addr))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		subjects = append(subjects, subject{name: s.name, process: g, host: host, prefix: "/" + restStage, routes: s.api.methods, note: s.note})
	}
	return subjects, nil
}
