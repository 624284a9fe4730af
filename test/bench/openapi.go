package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	v2 "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

// importBar is how long an import of manyRoutes routes may take.
const importBar = 3 * time.Second

// openAPI times imports of an OpenAPI document of many routes, at the client
// and until the answer: what is imported is durable then and, where a stage
// deploys by itself, live.
func (b *bench) openAPI(ctx context.Context) error {
	back, err := child("backend")
	if err != nil {
		return err
	}
	defer back.stop()
	g, err := b.startGateway()
	if err != nil {
		return err
	}
	defer g.stop()
	config := awsConfig(g.addr)
	if err := createLogGroup(ctx, config); err != nil {
		return err
	}
	client := apigatewayv2.NewFromConfig(config)
	json, yaml := jsonDocument(back.addr, manyRoutes), yamlDocument(back.addr, manyRoutes)
	fresh := func(document string) func() error {
		return func() error {
			_, err := client.ImportApi(ctx, &apigatewayv2.ImportApiInput{Body: aws.String(document), FailOnWarnings: aws.Bool(true)})
			return err
		}
	}
	var host, restHost string
	deployed := func() (err error) {
		host, err = importDeployed(ctx, config, json)
		return err
	}
	methods := restAPI{methods: manyRoutes, integration: restProxy(back.addr)}
	rest := methods.document()
	restDeployed := func() (err error) {
		restHost, err = methods.create(ctx, config)
		return err
	}

	b.title("OpenAPI 3.0 imports of %d routes, each with an integration of its own (best of %d)", manyRoutes, b.rounds)
	b.row("", "took", "of the bar", "document")
	for _, s := range []struct {
		name, document string
		run            func() error
	}{
		{"ImportApi, JSON", json, fresh(json)},
		{"ImportApi, YAML", yaml, fresh(yaml)},
		{"ReimportApi, JSON, and its automatic deployment", json, deployed},
		{"ImportRestApi, JSON, a deployment and the settings of its stage", rest, restDeployed},
	} {
		var best time.Duration
		for range b.rounds {
			begin := time.Now()
			if err := s.run(); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if took := time.Since(begin); best == 0 || took < best {
				best = took
			}
		}
		b.row(s.name, millis(best), ratio(best, importBar), megabytes(int64(len(s.document))))
	}
	// The last route of a document is live, or the figure is worth nothing.
	last := strings.ReplaceAll(routePath(manyRoutes-1), "{id}", "42")
	if _, err := get(ctx, g.addr, host, last); err != nil {
		return err
	}
	_, err = get(ctx, g.addr, restHost, "/"+restStage+last)
	return err
}

// importDeployed imports a document onto an API whose stage deploys by itself,
// and returns the API's host.
func importDeployed(ctx context.Context, config aws.Config, document string) (string, error) {
	client := apigatewayv2.NewFromConfig(config)
	api, err := client.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: aws.String("bench"), ProtocolType: v2.ProtocolTypeHttp})
	if err != nil {
		return "", err
	}
	if err := createStage(ctx, client, *api.ApiId); err != nil {
		return "", err
	}
	_, err = client.ReimportApi(ctx, &apigatewayv2.ReimportApiInput{ApiId: api.ApiId, Body: aws.String(document), FailOnWarnings: aws.Bool(true)})
	return hostOf(*api.ApiId), err
}

// jsonDocument describes an API of routes to the backend, as generators write
// them.
func jsonDocument(backend string, routes int) string {
	var d strings.Builder
	d.WriteString(`{"openapi":"3.0.1","info":{"title":"bench","version":"1"},"paths":{`)
	for i := range routes {
		if i > 0 {
			d.WriteByte(',')
		}
		fmt.Fprintf(&d, "\n"+`"%s":{"get":{"operationId":"getItem%d","summary":"One item",`+
			`"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string"}}],`+
			`"responses":{"200":{"description":"The item"}},`+
			`"x-amazon-apigateway-integration":{"type":"http_proxy","httpMethod":"GET","uri":"http://%s/r%d/items/{id}","payloadFormatVersion":"1.0"}}}`,
			routePath(i), i, backend, i)
	}
	d.WriteString("}}\n")
	return d.String()
}

// yamlDocument is jsonDocument in YAML.
func yamlDocument(backend string, routes int) string {
	var d strings.Builder
	d.WriteString("openapi: 3.0.1\ninfo:\n  title: bench\n  version: \"1\"\npaths:\n")
	for i := range routes {
		fmt.Fprintf(&d, `  %s:
    get:
      operationId: getItem%d
      summary: One item
      parameters:
        - name: id
          in: path
          required: true
          schema:
            type: string
      responses:
        "200":
          description: The item
      x-amazon-apigateway-integration:
        type: http_proxy
        httpMethod: GET
        uri: http://%s/r%d/items/{id}
        payloadFormatVersion: "1.0"
`, routePath(i), i, backend, i)
	}
	return d.String()
}
