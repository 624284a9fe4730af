package sdk

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"gatehouse/test/harness"
)

const mappedCode = `exports.handler = async (e) => ({
	statusCode: 202, headers: {'x-function': 'f'},
	body: JSON.stringify({path: e.rawPath, query: e.rawQueryString, env: e.headers['x-env'], user: e.headers['x-user'], secret: e.headers['x-secret'] ?? null, id: 7}),
})`

// TestParameterMapping maps requests to a function and to an HTTP backend, and
// their responses, and takes the mappings away again.
func TestParameterMapping(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Backend", "b")
		if strings.HasSuffix(r.URL.Path, "/fail") {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = fmt.Fprintf(w, `{"code":"418","uri":%q,`, r.RequestURI)
		// What follows comes later and without an announced length.
		_ = http.NewResponseController(w).Flush()
		_, _ = fmt.Fprintf(w, `"host":%q,"env":%q,"user":%q,"secret":%q,"body":%q}`,
			r.Host, r.Header.Get("X-Env"), r.Header.Get("X-User"), r.Header.Get("X-Secret"), body)
	}))
	defer backend.Close()
	gw := harness.Start(t, "")
	ctx := t.Context()
	f := functionsOf(t, gw)
	f.create(t, zipOf(t, "index.js", mappedCode), nil)
	client := apigatewayv2.NewFromConfig(gw.Config())
	api := must(client.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: new("hello"), ProtocolType: types.ProtocolTypeHttp}))(t).ApiId
	must(f.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: new("hello"), StatementId: new("api"), Action: new("lambda:InvokeFunction"), Principal: new("apigateway.amazonaws.com"),
	}))(t)
	request := map[string]string{
		"overwrite:path": "/mapped/${request.path.rest}", "append:querystring.b": "$request.querystring.a",
		"overwrite:header.x-env": "$stageVariables.env", "overwrite:header.X-User": "$request.body.user.name", "remove:header.x-secret": "''",
	}
	response := map[string]map[string]string{
		"200": {"append:header.x-uri": "$response.body.uri", "append:header.x-backend": "more"},
		"202": {"overwrite:statuscode": "203", "append:header.x-id": "${response.body.id}@${context.stage}", "remove:header.x-function": "''"},
		"500": {"overwrite:statuscode": "$response.body.code"},
	}
	integration := func(in apigatewayv2.CreateIntegrationInput) *string {
		t.Helper()
		in.ApiId, in.RequestParameters, in.ResponseParameters = api, request, response
		return must(client.CreateIntegration(ctx, &in))(t).IntegrationId
	}
	function := integration(apigatewayv2.CreateIntegrationInput{IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: new(functionARN), PayloadFormatVersion: new("2.0")})
	proxy := integration(apigatewayv2.CreateIntegrationInput{IntegrationType: types.IntegrationTypeHttpProxy, IntegrationUri: &backend.URL, IntegrationMethod: new("ANY")})
	for key, id := range map[string]*string{"POST /function/{rest+}": function, "POST /backend/{rest+}": proxy} {
		must(client.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: api, RouteKey: &key, Target: new("integrations/" + *id)}))(t)
	}
	must(client.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: api, StageName: new("$default"), AutoDeploy: new(true), StageVariables: map[string]string{"env": "prod"}}))(t)

	got := must(client.GetIntegration(ctx, &apigatewayv2.GetIntegrationInput{ApiId: api, IntegrationId: proxy}))(t)
	same(t, "request parameters", got.RequestParameters, request)
	same(t, "response parameters", got.ResponseParameters, response)

	const sent = `{"user":{"name":"Ann"}}`
	// post sends a request and describes its answer: status, mapped headers, body.
	post := func(path string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, gw.URL+path, strings.NewReader(sent))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = *api + ".execute-api.localhost"
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Secret", "s")
		req.Header.Set("X-User", "forged")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		h := res.Header
		return fmt.Sprintf("%d uri=%s backend=%s id=%s function=%s %s", res.StatusCode, h.Get("X-Uri"), h.Get("X-Backend"), h.Get("X-Id"), h.Get("X-Function"), body)
	}
	host := strings.TrimPrefix(backend.URL, "http://")
	saw := func(uri, env, user, secret string) string {
		return fmt.Sprintf(`{"code":"418","uri":%q,"host":%q,"env":%q,"user":%q,"secret":%q,"body":%q}`, uri, host, env, user, secret, sent)
	}
	for path, want := range map[string]string{
		"/function/x%20y/z?a=1": `203 uri= backend= id=7@$default function= {"path":"/mapped/x y/z","query":"a=1&b=1","env":"prod","user":"Ann","secret":null,"id":7}`,
		"/backend/x%20y/z?a=1":  `200 uri=/mapped/x%20y/z?a=1&b=1 backend=b,more id= function= ` + saw("/mapped/x%20y/z?a=1&b=1", "prod", "Ann", ""),
		"/backend/fail":         `418 uri= backend=b id= function= ` + saw("/mapped/fail", "prod", "Ann", ""),
	} {
		if got := post(path); got != want {
			t.Errorf("POST %s: %s\nwant %s", path, got, want)
		}
	}

	for _, id := range []*string{function, proxy} {
		gone := map[string]string{}
		for key := range request {
			gone[key] = ""
		}
		out := must(client.UpdateIntegration(ctx, &apigatewayv2.UpdateIntegrationInput{
			ApiId: api, IntegrationId: id, RequestParameters: gone, ResponseParameters: map[string]map[string]string{"200": {}, "202": {}, "500": {}},
		}))(t)
		if len(out.RequestParameters)+len(out.ResponseParameters) != 0 {
			t.Errorf("left: %v %v", out.RequestParameters, out.ResponseParameters)
		}
	}
	for path, want := range map[string]string{
		"/function/z?a=1": `202 uri= backend= id= function=f {"path":"/function/z","query":"a=1","user":"forged","secret":"s","id":7}`,
		"/backend/z?a=1":  `200 uri= backend=b id= function= ` + saw("/?a=1", "", "forged", "s"),
	} {
		if got := post(path); got != want {
			t.Errorf("POST %s without mappings: %s\nwant %s", path, got, want)
		}
	}

	_, err := client.UpdateIntegration(ctx, &apigatewayv2.UpdateIntegrationInput{
		ApiId: api, IntegrationId: proxy, RequestParameters: map[string]string{"append:header.Authorization": "v"},
	})
	fails(t, err, "BadRequestException")
}
