package apigateway_test

import (
	"testing"

	api "gatehouse/internal/awsapi/apigateway"
)

func TestRequestValidators(t *testing.T) {
	g := newGateway(t)
	id, _ := g.api()
	c := g.call()
	made := must[*api.RequestValidator](t)(g.CreateRequestValidator(c, &api.CreateRequestValidatorRequest{RestApiId: &id, Name: new("v")}))
	want := `{"id":"` + *made.Id + `","name":"v","validateRequestBody":false,"validateRequestParameters":false}`
	sameJSON(t, "made", made, want)
	sameJSON(t, "list", must[*api.RequestValidators](t)(g.GetRequestValidators(c, &api.GetRequestValidatorsRequest{RestApiId: &id})), `{"items":[`+want+`]}`)
	update := func(ops []api.PatchOperation) (*api.RequestValidator, error) {
		return g.UpdateRequestValidator(c, &api.UpdateRequestValidatorRequest{RestApiId: &id, RequestValidatorId: made.Id, PatchOperations: ops})
	}
	sameJSON(t, "updated", must[*api.RequestValidator](t)(update(patch("replace", "/validateRequestBody", "true", "replace", "/name", "w"))),
		`{"id":"`+*made.Id+`","name":"w","validateRequestBody":true,"validateRequestParameters":false}`)
	noValue := func(path string) []api.PatchOperation {
		return []api.PatchOperation{{Op: new("replace"), Path: &path}}
	}
	sameJSON(t, "updated without a value", must[*api.RequestValidator](t)(update(noValue("/validateRequestBody"))),
		`{"id":"`+*made.Id+`","name":"w","validateRequestBody":false,"validateRequestParameters":false}`)
	g.method(id, "/test", "GET", api.Method{RequestValidatorId: made.Id})

	const unknown = "NotFoundException 404: Invalid Request Validator identifier specified"
	checkRefusals(t, []refusal{
		{"create in an unknown API", one(g.CreateRequestValidator(c, &api.CreateRequestValidatorRequest{RestApiId: new("nope"), Name: new("v")})), "BadRequestException 400: Invalid REST API identifier specified"},
		{"list of an unknown API", one(g.GetRequestValidators(c, &api.GetRequestValidatorsRequest{RestApiId: new("nope")})), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"get from an unknown API", one(g.GetRequestValidator(c, &api.GetRequestValidatorRequest{RestApiId: new("nope"), RequestValidatorId: made.Id})), unknown},
		{"delete nothing", g.DeleteRequestValidator(c, &api.DeleteRequestValidatorRequest{RestApiId: &id, RequestValidatorId: new("nope")}), unknown},
		{"no name", one(g.CreateRequestValidator(c, &api.CreateRequestValidatorRequest{RestApiId: &id})), "BadRequestException 400: Request Validator name cannot be blank"},
		{"name taken away", one(update(noValue("/name"))), "BadRequestException 400: Request Validator name cannot be blank"},
		{"add", one(update(patch("add", "/validateRequestBody", "true"))), "BadRequestException 400: Invalid patch path  '/validateRequestBody' specified for op 'add'. Please choose supported operations"},
		{"path", one(update(patch("replace", "/invalidPath", "true"))), "BadRequestException 400: Invalid patch path  '/invalidPath' specified for op 'replace'. Must be one of: [/name, /validateRequestParameters, /validateRequestBody]"},
		{"in use", g.DeleteRequestValidator(c, &api.DeleteRequestValidatorRequest{RestApiId: &id, RequestValidatorId: made.Id}), "ConflictException 409: Cannot delete request validator 'w', is referenced in method: GET//test"},
	})
	g.dropMethod(id, "/test")
	if err := g.DeleteRequestValidator(c, &api.DeleteRequestValidatorRequest{RestApiId: &id, RequestValidatorId: made.Id}); err != nil {
		t.Fatal(err)
	}
	sameJSON(t, "list of none", must[*api.RequestValidators](t)(g.GetRequestValidators(c, &api.GetRequestValidatorsRequest{RestApiId: &id})), `{"items":[]}`)
}
