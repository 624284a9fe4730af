package apigatewayv2_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
)

// The calls that Terraform's provider makes for each resource: what was written
// is what a refresh reads, after create and after update, and what is gone is
// gone.
func TestTerraformReplay(t *testing.T) {
	g := newGateway(t)
	tf := newProvider(g)

	a := tf.do("POST", "/v2/apis", `{"name":"hello","protocolType":"HTTP","tags":{"team":"a"}}`, 201)
	apiPath := "/v2/apis/" + a["apiId"].(string)
	tf.refresh(apiPath, a)

	i := tf.do("POST", apiPath+"/integrations", `{"connectionType":"INTERNET","description":"d","integrationMethod":"POST","integrationType":"AWS_PROXY","integrationUri":"`+functionARN+`","payloadFormatVersion":"2.0","requestParameters":{},"timeoutInMillis":29001}`, 201)
	integrationPath := apiPath + "/integrations/" + i["integrationId"].(string)
	tf.refresh(integrationPath, i)
	tf.absent(i, "passthroughBehavior", "requestParameters", "responseParameters", "tlsConfig")

	r := tf.do("POST", apiPath+"/routes", `{"apiKeyRequired":false,"authorizationType":"NONE","routeKey":"GET /hello","target":"integrations/`+i["integrationId"].(string)+`"}`, 201)
	routePath := apiPath + "/routes/" + r["routeId"].(string)
	tf.refresh(routePath, r)

	// The provider reads the API first to learn its type.
	tf.do("GET", apiPath, "", 200)
	s := tf.do("POST", apiPath+"/stages", `{"autoDeploy":true,"stageName":"$default","tags":{"a":"b"},"accessLogSettings":{"destinationArn":"arn:aws:logs:us-east-1:000000000000:log-group:g","format":"$context.requestId"},"defaultRouteSettings":{"detailedMetricsEnabled":false,"throttlingBurstLimit":10,"throttlingRateLimit":5.5},"routeSettings":{"GET /hello":{"detailedMetricsEnabled":true}},"stageVariables":{"x":"1","y":"2"}}`, 201)
	stagePath := apiPath + "/stages/" + url.PathEscape("$default")
	tf.refresh(stagePath, s)

	d := tf.do("POST", apiPath+"/deployments", `{"description":"d"}`, 201)
	if d["deploymentStatus"] != "DEPLOYED" {
		t.Errorf("the provider waits for DEPLOYED, not %v", d["deploymentStatus"])
	}
	deploymentPath := apiPath + "/deployments/" + d["deploymentId"].(string)
	tf.refresh(deploymentPath, d)

	named := tf.do("POST", apiPath+"/stages", `{"autoDeploy":false,"deploymentId":"`+d["deploymentId"].(string)+`","stageName":"dev"}`, 201)
	tf.refresh(apiPath+"/stages/dev", named)
	tf.absent(named, "accessLogSettings", "description", "lastDeploymentStatusMessage", "apiGatewayManaged", "clientCertificateId")

	// Updates: tags first, then changed members only, removed ones as "" or {}.
	arn := "/v2/tags/" + url.PathEscape("arn:aws:apigateway:us-east-1::/apis/"+a["apiId"].(string))
	tf.do("POST", arn, `{"tags":{"team":"b"}}`, 201)
	tf.do("DELETE", arn+"?tagKeys=team", "", 204)
	tf.update(apiPath, `{"description":"new","version":"v2"}`, map[string]any{"description": "new", "version": "v2", "tags": map[string]any{}})
	tf.update(apiPath, `{"description":""}`, map[string]any{"description": nil, "version": "v2"})
	tf.do("DELETE", apiPath+"/cors", "", 204)
	tf.update(integrationPath, `{"integrationType":"AWS_PROXY","description":"","timeoutInMillis":1000}`, map[string]any{"description": nil, "timeoutInMillis": 1000.0, "payloadFormatVersion": "2.0"})
	tf.update(integrationPath, `{"integrationType":"AWS_PROXY","requestParameters":{"append:header.a":"1","remove:header.b":"''"},"responseParameters":{"500":{"overwrite:statuscode":"403"},"404":{"append:header.c":"2"}}}`,
		map[string]any{"requestParameters": map[string]any{"append:header.a": "1", "remove:header.b": "''"}, "responseParameters": map[string]any{
			"500": map[string]any{"overwrite:statuscode": "403"}, "404": map[string]any{"append:header.c": "2"}}})
	tf.update(integrationPath, `{"integrationType":"AWS_PROXY","requestParameters":{"append:header.a":"1","remove:header.b":""},"responseParameters":{"404":{"append:header.c":"2"},"500":{}}}`,
		map[string]any{"requestParameters": map[string]any{"append:header.a": "1"}, "responseParameters": map[string]any{"404": map[string]any{"append:header.c": "2"}}})
	tf.update(integrationPath, `{"integrationType":"AWS_PROXY","requestParameters":{"append:header.a":""},"responseParameters":{"404":{}}}`, map[string]any{"requestParameters": nil, "responseParameters": nil})
	tf.update(routePath, `{"routeKey":"POST /hello"}`, map[string]any{"routeKey": "POST /hello", "target": r["target"]})
	tf.do("DELETE", stagePath+"/routesettings/"+url.PathEscape("GET /hello"), "", 204)
	updated := tf.update(stagePath, `{"accessLogSettings":{},"stageVariables":{"x":""},"defaultRouteSettings":{"detailedMetricsEnabled":true}}`,
		map[string]any{"accessLogSettings": nil, "stageVariables": map[string]any{"y": "2"}, "routeSettings": map[string]any{}, "tags": map[string]any{"a": "b"}})
	if !reflect.DeepEqual(updated["defaultRouteSettings"], map[string]any{"detailedMetricsEnabled": true}) {
		t.Errorf("default route settings: %v", updated["defaultRouteSettings"])
	}
	tf.update(deploymentPath, `{"description":"other"}`, map[string]any{"description": "other"})

	// Destroy, in the order of dependence, and each one is gone.
	for _, path := range []string{apiPath + "/stages/dev", stagePath, deploymentPath, routePath, integrationPath, apiPath} {
		tf.do("DELETE", path, "", 204)
		tf.do("GET", path, "", 404)
		tf.do("DELETE", path, "", 404)
	}
	if g.compiler.Plan().Len() != 0 {
		t.Error("something is still served")
	}
}

func TestTerraformReplayAuthorizers(t *testing.T) {
	g := newGateway(t)
	tf := newProvider(g)
	a := tf.do("POST", "/v2/apis", `{"name":"hello","protocolType":"HTTP"}`, 201)
	apiPath := "/v2/apis/" + a["apiId"].(string)
	authorizer := func(body string) (id, path string) {
		t.Helper()
		// The provider reads the API first to learn its type.
		tf.do("GET", apiPath, "", 200)
		made := tf.do("POST", apiPath+"/authorizers", body, 201)
		id = made["authorizerId"].(string)
		path = apiPath + "/authorizers/" + id
		tf.refresh(path, made)
		return id, path
	}
	jwt, jwtPath := authorizer(`{"authorizerType":"JWT","identitySource":["$request.header.Authorization"],"jwtConfiguration":{"audience":["test"],"issuer":"https://issuer.example"},"name":"jwt"}`)
	function, functionPath := authorizer(`{"authorizerPayloadFormatVersion":"2.0","authorizerResultTtlInSeconds":300,"authorizerType":"REQUEST","authorizerUri":"` + authorizerURI + `","enableSimpleResponses":true,"identitySource":["$request.header.Auth"],"name":"request"}`)
	_, barePath := authorizer(`{"authorizerPayloadFormatVersion":"1.0","authorizerType":"REQUEST","authorizerUri":"` + authorizerURI + `","identitySource":[],"name":"bare"}`)
	tf.absent(tf.do("GET", barePath, "", 200), "authorizerCredentialsArn", "authorizerResultTtlInSeconds", "enableSimpleResponses", "identitySource", "identityValidationExpression", "jwtConfiguration")

	route := func(body string) string {
		t.Helper()
		r := tf.do("POST", apiPath+"/routes", body, 201)
		path := apiPath + "/routes/" + r["routeId"].(string)
		tf.refresh(path, r)
		return path
	}
	guarded := route(`{"apiKeyRequired":false,"authorizationScopes":["a","b"],"authorizationType":"JWT","authorizerId":"` + jwt + `","routeKey":"GET /jwt"}`)
	custom := route(`{"apiKeyRequired":false,"authorizationType":"CUSTOM","authorizerId":"` + function + `","routeKey":"GET /custom"}`)
	iam := route(`{"apiKeyRequired":false,"authorizationType":"AWS_IAM","routeKey":"GET /iam"}`)

	tf.update(jwtPath, `{"jwtConfiguration":{"audience":["test","testing"],"issuer":"https://issuer.example"},"name":"renamed"}`,
		map[string]any{"name": "renamed", "jwtConfiguration": map[string]any{"audience": []any{"test", "testing"}, "issuer": "https://issuer.example"}})
	tf.update(functionPath, `{"authorizerPayloadFormatVersion":"1.0","authorizerResultTtlInSeconds":0,"enableSimpleResponses":false,"identitySource":["$request.querystring.User","$context.routeKey"]}`,
		map[string]any{"authorizerPayloadFormatVersion": "1.0", "authorizerResultTtlInSeconds": 0.0, "enableSimpleResponses": false, "authorizerUri": authorizerURI})
	tf.update(functionPath, `{"identitySource":[]}`, map[string]any{"identitySource": nil})
	// An authorizer that was made anew is one for another route.
	another, anotherPath := authorizer(`{"authorizerType":"JWT","identitySource":["$request.header.Authorization"],"jwtConfiguration":{"audience":["test"],"issuer":"https://issuer.example"},"name":"another"}`)
	tf.update(guarded, `{"authorizationScopes":["b"],"authorizationType":"JWT","authorizerId":"`+another+`"}`,
		map[string]any{"authorizationScopes": []any{"b"}, "authorizerId": another})
	tf.do("DELETE", jwtPath, "", 204)
	tf.do("DELETE", anotherPath, "", 409)
	tf.update(guarded, `{"authorizationScopes":[],"authorizationType":"NONE","authorizerId":""}`,
		map[string]any{"authorizationScopes": nil, "authorizationType": "NONE", "authorizerId": nil})
	tf.update(custom, `{"authorizationType":"AWS_IAM","authorizerId":""}`, map[string]any{"authorizationType": "AWS_IAM", "authorizerId": nil})
	tf.update(iam, `{"authorizationType":"CUSTOM","authorizerId":"`+function+`"}`, map[string]any{"authorizationType": "CUSTOM", "authorizerId": function})

	for _, path := range []string{guarded, custom, iam, anotherPath, functionPath, barePath} {
		tf.do("DELETE", path, "", 204)
		tf.do("GET", path, "", 404)
		tf.do("DELETE", path, "", 404)
	}
}

// A provider makes signed calls as Terraform does.
type provider struct {
	t       testing.TB
	g       *gateway
	handler http.Handler
}

func newProvider(g *gateway) *provider {
	return &provider{t: g.t, g: g, handler: awswire.NewHandler(awswire.Options{
		Services: []*awswire.Service{api.NewService(g)}, Account: "000000000000", Region: "us-east-1",
		Auth: awswire.Auth{Open: true}, Clock: func() time.Time { return g.now },
	})}
}

func (p *provider) do(method, path, body string, status int) map[string]any {
	p.t.Helper()
	r := httptest.NewRequest(method, "http://localhost:4566"+path, strings.NewReader(body))
	r.Header.Set("X-Amz-Date", p.g.now.Format("20060102T150405Z"))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=any/20260304/us-east-1/apigateway/aws4_request, SignedHeaders=host;x-amz-date, Signature="+strings.Repeat("0", 64))
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	if w.Code != status {
		p.t.Fatalf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
	}
	if w.Body.Len() == 0 {
		return nil
	}
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		p.t.Fatalf("%s %s: %v", method, path, err)
	}
	return out
}

// refresh reads a resource and expects what a call answered before.
func (p *provider) refresh(path string, want map[string]any) {
	p.t.Helper()
	if got := p.do("GET", path, "", 200); !reflect.DeepEqual(got, want) {
		p.t.Errorf("GET %s drifted:\n%v\nwant\n%v", path, got, want)
	}
}

// update changes a resource, expects members (nil: absent) in the answer, and
// refreshes.
func (p *provider) update(path, body string, want map[string]any) map[string]any {
	p.t.Helper()
	got := p.do("PATCH", path, body, 200)
	for name, v := range want {
		if !reflect.DeepEqual(got[name], v) {
			p.t.Errorf("PATCH %s: %s is %v, want %v", path, name, got[name], v)
		}
	}
	p.refresh(path, got)
	return got
}

func (p *provider) absent(got map[string]any, members ...string) {
	p.t.Helper()
	for _, name := range members {
		if v, ok := got[name]; ok {
			p.t.Errorf("%s is %v, want it absent", name, v)
		}
	}
}
