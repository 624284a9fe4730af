package apigatewayv2_test

import (
	"fmt"
	"net/url"
	"testing"

	api "gatehouse/internal/awsapi/apigatewayv2"
)

// Every list can be read one by one, though what a token names is gone before
// the token is used; and a token belongs to its own list.
func TestListsOneByOne(t *testing.T) {
	g := newGateway(t)
	c, client := g.call(), newProvider(g)
	newAPI := func() string {
		return *must[*api.CreateApiResponse](t)(g.CreateApi(c, &api.CreateApiRequest{Name: new("n"), ProtocolType: new("HTTP")})).ApiId
	}
	id, other := newAPI(), newAPI()
	socket, route, integration := g.webSocket()
	const n = 4
	for i := range n {
		name := fmt.Sprint("n", i)
		must[*api.CreateIntegrationResult](t)(g.CreateIntegration(c, &api.CreateIntegrationRequest{ApiId: &id, IntegrationType: new("AWS_PROXY"), IntegrationUri: new(functionARN)}))
		authorizer := jwtAuthorizer(id)
		authorizer.Name = &name
		must[*api.CreateAuthorizerResponse](t)(g.CreateAuthorizer(c, authorizer))
		must[*api.CreateRouteResult](t)(g.CreateRoute(c, &api.CreateRouteRequest{ApiId: &id, RouteKey: new("GET /" + name)}))
		must[*api.CreateStageResponse](t)(g.CreateStage(c, &api.CreateStageRequest{ApiId: &id, StageName: &name}))
		must[*api.CreateDeploymentResponse](t)(g.CreateDeployment(c, &api.CreateDeploymentRequest{ApiId: &id}))
		must[*api.CreateModelResponse](t)(g.CreateModel(c, &api.CreateModelRequest{ApiId: &socket, Name: &name, Schema: new("{}")}))
		must[*api.CreateIntegrationResponseResponse](t)(g.CreateIntegrationResponse(c, &api.CreateIntegrationResponseRequest{ApiId: &socket, IntegrationId: &integration, IntegrationResponseKey: new("/" + name + "/")}))
	}
	must[*api.CreateRouteResponseResponse](t)(g.CreateRouteResponse(c, &api.CreateRouteResponseRequest{ApiId: &socket, RouteId: &route, RouteResponseKey: new("$default")}))

	httpAPI, socketAPI := "/v2/apis/"+id, "/v2/apis/"+socket
	for _, list := range []struct {
		path, member string
		want         int
		// sibling is a list of the same kind that a token isn't for.
		sibling string
	}{
		{httpAPI + "/authorizers", "authorizerId", n, "/v2/apis/" + other + "/authorizers"},
		{httpAPI + "/deployments", "deploymentId", n, "/v2/apis/" + other + "/deployments"},
		{httpAPI + "/integrations", "integrationId", n, "/v2/apis/" + other + "/integrations"},
		{httpAPI + "/routes", "routeId", n, "/v2/apis/" + other + "/routes"},
		{httpAPI + "/stages", "stageName", n, "/v2/apis/" + other + "/stages"},
		{socketAPI + "/models", "modelId", n, "/v2/apis/" + other + "/models"},
		{socketAPI + "/integrations/" + integration + "/integrationresponses", "integrationResponseId", n, "/v2/apis/" + other + "/integrations"},
		{socketAPI + "/routes/" + route + "/routeresponses", "routeResponseId", 1, "/v2/apis/" + other + "/routes"},
		{"/v2/apis", "apiId", 3, ""},
	} {
		seen := map[string]bool{}
		query := "?maxResults=1"
		for {
			page := client.do("GET", list.path+query, "", 200)
			items := page["items"].([]any)
			if len(items) != 1 {
				t.Fatalf("%s: a page of %d", list.path, len(items))
			}
			item := items[0].(map[string]any)[list.member].(string)
			if seen[item] {
				t.Errorf("%s: %s came twice", list.path, item)
			}
			seen[item] = true
			client.do("DELETE", list.path+"/"+item, "", 204)
			token, more := page["nextToken"].(string)
			if !more {
				break
			}
			query = "?maxResults=1&nextToken=" + url.QueryEscape(token)
			if list.sibling != "" {
				client.do("GET", list.sibling+query, "", 400)
			}
		}
		if len(seen) != list.want {
			t.Errorf("%s: %d items one by one, want %d", list.path, len(seen), list.want)
		}
		if left := client.do("GET", list.path, "", 200)["items"].([]any); len(left) != 0 {
			t.Errorf("%s: %v was left out", list.path, left)
		}
	}
}
