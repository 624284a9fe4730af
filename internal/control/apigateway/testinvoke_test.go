package apigateway_test

import (
	"errors"
	"testing"

	api "gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	control "gatehouse/internal/control/apigateway"
	"gatehouse/internal/store"
)

// asked is a tester that answers which method it was asked for.
type asked struct{ err error }

func (a asked) PrepareTest(_ *store.Tx, _ *awswire.Call, method string, in *api.TestInvokeMethodRequest) (func() *api.TestInvokeMethodResponse, error) {
	return func() *api.TestInvokeMethodResponse {
		return &api.TestInvokeMethodResponse{Body: new(method + " for " + *in.HttpMethod)}
	}, a.err
}

func TestTestInvokeMethod(t *testing.T) {
	g := newGateway(t)
	id, _ := g.api()
	g.method(id, "/any", "ANY", api.Method{})
	g.method(id, "/get", "GET", api.Method{})
	certificate := must[*api.ClientCertificate](t)(g.GenerateClientCertificate(g.call(), &api.GenerateClientCertificateRequest{}))
	for _, test := range []struct{ resource, method, certificate, want string }{
		{"rget", "GET", "", "GET for GET"},
		{"rget", "GET", *certificate.ClientCertificateId, "GET for GET"},
		{"rget", "HEAD", "", "NotFoundException 404: Invalid Method identifier specified"},
		{"rany", "ANY", "", "ANY for ANY"},
		{"rany", "PUT", "", "ANY for PUT"},
		{"rany", "BREW", "", "NotFoundException 404: Invalid Method identifier specified"},
		{"nope", "GET", "", "NotFoundException 404: Invalid Resource identifier specified"},
		{"rget", "GET", "nope", "NotFoundException 404: Invalid Client Certificate identifier specified"},
	} {
		s := g.with(asked{})
		out, err := s.TestInvokeMethod(g.call(), &api.TestInvokeMethodRequest{
			RestApiId: &id, ResourceId: &test.resource, HttpMethod: &test.method, ClientCertificateId: &test.certificate,
		})
		got := describeError(err)
		if err == nil {
			got = *out.Body
		}
		if got != test.want {
			t.Errorf("%s %s: %s, want %s", test.method, test.resource, got, test.want)
		}
	}
	failed := errors.New("can't be compiled")
	if _, err := g.with(asked{failed}).TestInvokeMethod(g.call(), &api.TestInvokeMethodRequest{RestApiId: &id, ResourceId: new("rget"), HttpMethod: new("GET")}); !errors.Is(err, failed) {
		t.Errorf("%v, want %v", err, failed)
	}
}

// with is the service with a tester.
func (g *gateway) with(tester control.Tester) *control.Service {
	return control.New(control.Options{Store: g.store, Tester: tester})
}
