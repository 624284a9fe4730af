package apigateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
)

// What clients send and get, byte for byte: names, status codes, the texts of
// what the model itself refuses, and ARNs as labels.
func TestOnTheWire(t *testing.T) {
	g := newStaged(t)
	server := httptest.NewServer(awswire.NewHandler(awswire.Options{
		Services: []*awswire.Service{api.NewService(g)}, Account: "000000000000", Region: "us-east-1", Auth: awswire.Auth{Open: true},
	}))
	t.Cleanup(server.Close)
	base := "/restapis/" + g.id
	method := base + "/resources/" + g.root + "/methods/GET"
	arn := "/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2F" + g.id + "%2Fstages%2Fdev"
	const (
		enum = "failed to satisfy constraint: Member must satisfy enum value set: ["
		ops  = enum + "add, remove, move, test, replace, copy]"
	)
	for _, test := range []struct {
		method, path, body string
		code               int
		want               string
	}{
		{"GET", "/restapis/nope", "", 404, `{"message":"Invalid API identifier specified 000000000000:nope"}`},
		{"PUT", base + "/resources/" + g.root + "/methods/POST", `{"authorizationType": "none", "apiKeyRequired": true, "requestParameters": {"method.request.header.x": true}}`, 201,
			`{"httpMethod":"POST","authorizationType":"NONE","apiKeyRequired":true,"requestParameters":{"method.request.header.x":true}}`},
		{"DELETE", base + "/resources/" + g.root + "/methods/POST", "", 204, ``},
		{"PUT", method + "/integration", `{"type": "HTTP", "httpMethod": "POST", "uri": "http://h", "timeoutInMillis": 1000}`, 201,
			`{"type":"HTTP","httpMethod":"POST","uri":"http://h","connectionType":"INTERNET","passthroughBehavior":"WHEN_NO_MATCH","timeoutInMillis":1000,"cacheNamespace":"` + g.root + `","cacheKeyParameters":[]}`},
		{"PUT", method + "/integration/responses/200", `{"selectionPattern": "", "responseTemplates": {"application/json": null}}`, 201, `{"statusCode":"200","selectionPattern":"","responseTemplates":{"application/json":""}}`},
		{"GET", method + "/integration/responses/200", "", 200, `{"statusCode":"200","selectionPattern":"","responseTemplates":{"application/json":""}}`},
		{"PATCH", method + "/integration", `{"patchOperations": [{"op": "replace", "path": "/timeoutInMillis", "value": "2000"}]}`, 200, `{"type":"HTTP",…"timeoutInMillis":2000,…}`},
		{"PATCH", method + "/integration", `{"patchOperations": []}`, 200, `{"type":"HTTP",…}`},
		{"PATCH", method + "/integration", ``, 200, `{"type":"HTTP",…}`},
		{"DELETE", method + "/integration/responses/200", "", 204, ``},
		{"PUT", method + "/responses/200", `{"responseModels": {}, "responseParameters": {}}`, 201, `{"statusCode":"200","responseParameters":{},"responseModels":{}}`},
		{"PATCH", method + "/responses/200", `{"patchOperations": [{"op": "add", "path": "/responseModels/application~1json", "value": "Empty"}]}`, 201, `{"statusCode":"200","responseParameters":{},"responseModels":{"application/json":"Empty"}}`},
		{"PUT", method + "/responses/wrong", `{}`, 400, `{"message":"1 validation error detected: Value 'wrong' at 'statusCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [1-5]\\d\\d"}`},
		{"PATCH", method + "/responses/wrong", `{"patchOperations": [{"op": "wrong"}]}`, 400, `{"message":"2 validation errors detected: Value 'wrong' at 'updateMethodResponseInput.patchOperations.1.member.op' ` + ops + `; Value 'wrong' at 'statusCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [1-5]\\d\\d"}`},
		{"PUT", method + "/integration", `{"type": "HTTPS"}`, 400, `{"message":"1 validation error detected: Value 'HTTPS' at 'putIntegrationInput.type' ` + enum + `HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]"}`},
		{"PATCH", base, `{"patchOperations": [{"op": "wrong", "path": "/name"}, {"op": "bad"}]}`, 400, `{"message":"2 validation errors detected: Value 'wrong' at 'updateRestApiInput.patchOperations.1.member.op' ` + ops + `; Value 'bad' at 'updateRestApiInput.patchOperations.2.member.op' ` + ops + `"}`},
		{"POST", "/restapis", `{"name": "n", "endpointConfiguration": {"types": ["wrong"], "ipAddressType": "wrong"}}`, 400, `{"message":"2 validation errors detected: Value '[wrong]' at 'createRestApiInput.endpointConfiguration.types' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [PRIVATE, EDGE, REGIONAL]]; Value 'wrong' at 'createRestApiInput.endpointConfiguration.ipAddressType' ` + enum + `ipv4, dualstack]"}`},
		{"POST", "/restapis", `{}`, 400, `{"message":"1 validation error detected: Value null at 'createRestApiInput.name' failed to satisfy constraint: Member must not be null"}`},
		{"POST", "/restapis", `{"name": "n", "description": ""}`, 400, `{"message":"Description cannot be an empty string"}`},
		{"POST", base + "/resources/" + g.root, `{"pathPart": "pets"}`, 201, `{"id":"…","parentId":"` + g.root + `","pathPart":"pets","path":"/pets"}`},
		{"GET", base + "/resources?limit=1", "", 200, `{"item":[{…}],"position":"…"}`},
		{"GET", base + "/resources?limit=500&embed=methods", "", 200, `{"item":[…"methodIntegration"…]}`},
		{"PATCH", base + "/stages/dev", `{"patchOperations": [{"op": "replace", "path": "/a~1b/GET/throttling/rateLimit", "value": "1.500000"}]}`, 200, `{…"methodSettings":{"a~1b/GET":{…"throttlingBurstLimit":5000,"throttlingRateLimit":1.5,…}},…"createdDate":1772600767,"lastUpdatedDate":…}`},
		{"GET", base + "/stages?deploymentId=nope", "", 200, `{"item":[]}`},
		{"PUT", arn, `{"tags": {"a b": "c/d"}}`, 204, ``},
		{"GET", arn, "", 200, `{"tags":{"a b":"c/d"}}`},
		{"DELETE", arn + "?tagKeys=a+b&tagKeys=x", "", 204, ``},
		{"GET", arn, "", 200, `{"tags":{}}`},
		{"DELETE", base + "/deployments/" + g.deployment, "", 400, `{"message":"Active stages pointing to this deployment must be moved or deleted"}`},
		{"DELETE", base + "/stages/dev", "", 202, ``},
		{"DELETE", base + "/deployments/" + g.deployment, "", 202, ``},
		{"POST", base + "/deployments", `{"stageName": "", "stageDescription": "", "description": "", "variables": {}}`, 201, `{"id":"…","createdDate":…}`},
		{"DELETE", base, "", 202, ``},
	} {
		request, err := http.NewRequestWithContext(t.Context(), test.method, server.URL+test.path, strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/"+time.Now().UTC().Format("20060102")+"/us-east-1/apigateway/aws4_request, SignedHeaders=host;x-amz-date, Signature=0")
		request.Header.Set("X-Amz-Date", time.Now().UTC().Format("20060102T150405Z"))
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil {
			t.Error(err)
		}
		if response.StatusCode != test.code || !like(string(body), test.want) {
			t.Errorf("%s %s %s:\n got %d %s\nwant %d %s", test.method, test.path, test.body, response.StatusCode, body, test.code, test.want)
		}
	}
}

// like compares a text with one in which … stands for anything.
func like(got, want string) bool {
	parts := strings.Split(want, "…")
	if !strings.HasPrefix(got, parts[0]) || len(parts) == 1 && got != want {
		return false
	}
	for i, part := range parts {
		at := strings.Index(got, part)
		if at < 0 || i == len(parts)-1 && !strings.HasSuffix(got, part) {
			return false
		}
		got = got[at+len(part):]
	}
	return true
}
