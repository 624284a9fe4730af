package compile_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"gatehouse/internal/compile"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
)

// testedAPI is an API with nothing deployed.
const testedAPI = `
-- restapi api1 --
{"id": "api1", "name": "pets", "minimumCompressionSize": 0, "policy": "{\"Statement\":[]}"}
-- validator api1 v1 --
{"id": "v1", "validateRequestParameters": true}
-- resource api1 r1 --
{"id": "r1", "path": "/pets/{id}", "resourceMethods": {
	"GET": {"httpMethod": "GET", "authorizationType": "AWS_IAM", "apiKeyRequired": true, "requestValidatorId": "v1",
		"requestParameters": {"method.request.querystring.q": true},
		"methodIntegration": {"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "http://${stageVariables.host}/"}},
	"PUT": {"httpMethod": "PUT", "authorizationType": "NONE", "requestValidatorId": "gone",
		"methodIntegration": {"type": "MOCK"}},
	"ANY": {"httpMethod": "ANY", "authorizationType": "NONE"}}}
`

func TestCompileTest(t *testing.T) {
	h := newHouse(t)
	h.update(func(tx *store.Tx) error {
		for _, f := range txtar.Parse([]byte(testedAPI)).Files {
			if err := put(tx, f); err != nil {
				return fmt.Errorf("%s: %w", f.Name, err)
			}
		}
		return nil
	})
	compiled := func(resource, method string) (stage *plan.Stage, route *plan.Route, err error) {
		viewed := h.View(context.Background(), func(tx *store.Tx) error {
			stage, route, err = h.CompileTest(tx, compile.TestedMethod{
				Scope: testScope, APIID: "api1", ResourceID: resource, Method: method, Variables: map[string]string{"host": "h"},
			})
			return nil
		})
		if viewed != nil {
			t.Fatal(viewed)
		}
		return stage, route, err
	}

	stage, route, err := compiled("r1", "GET")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(route.Integration), "http GET http://h/ append=false timeout=29s"; got != want {
		t.Errorf("integration %s, want %s", got, want)
	}
	if stage.Name != "test-invoke-stage" || stage.Rest.MinCompression != 0 || stage.API.ID != "api1" || stage.Variables["host"] != "h" {
		t.Errorf("stage %+v", stage)
	}
	if route.Authorizer != nil || route.Rest.APIKey != nil || stage.Limit != nil || stage.Metrics != nil || stage.AccessLog != nil || stage.Rest.ExecutionLog != nil {
		t.Error("something stands before the method or tells of it")
	}
	if found, params, ok := stage.Routes.MatchNested("GET", "/pets/7", nil); !ok || found != route || params[0] != "7" {
		t.Errorf("the stage leads to %v %q", found, params)
	}
	x := &plan.Exchange{API: stage.API, Stage: stage, Route: route, Start: time.Now()}
	if err := route.Rest.Validator.Validate(x); err == nil {
		t.Error("the method isn't validated")
	}

	// What doesn't compile fails when it is called.
	for method, want := range map[string]string{"ANY": "Method ANY /pets/{id}: it has no integration", "PUT": "Method PUT /pets/{id}: its request validator gone is gone"} {
		stage, route, err := compiled("r1", method)
		if err != nil {
			t.Fatal(err)
		}
		x := &plan.Exchange{API: stage.API, Stage: stage, Route: route}
		if route.Rest.Validator != nil || route.MapRequest != nil || stage.Rest == nil {
			t.Errorf("%s does something before it fails", method)
		}
		if err := route.Integration.Integrate(x); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", method, err, want)
		}
	}
	for _, test := range [][2]string{{"r1", "POST"}, {"r2", "GET"}} {
		if _, _, err := compiled(test[0], test[1]); err == nil {
			t.Errorf("%s is there", test)
		}
	}
}
