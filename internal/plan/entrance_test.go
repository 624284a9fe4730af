package plan

import (
	"errors"
	"testing"
)

func privateAPI(id string, endpoints ...string) *API {
	api := testAPI(id, "v1")
	api.Protocol, api.Private, api.VPCEndpoints = REST, true, endpoints
	return api
}

// Where a private API is reached, by which names, and over which endpoint.
func TestPlacePrivate(t *testing.T) {
	strict := privateAPI("strict", "vpce-1")
	strict.Strict = true
	public := testAPI("public", "v1")
	public.Protocol = REST
	p := (*Plan)(nil).With(privateAPI("inside", "vpce-1", "vpce-2")).With(privateAPI("alone")).With(strict).
		With(public).With(testAPI("http", DefaultStage)).
		WithDomain(NewDomain("api.test", MappingsOnly, nil, []PathMapping{{"", "inside", "v1"}, {"open", "public", "v1"}}))
	one := &Entrance{VPCEndpoint: "vpce-1", VPC: "vpc-9"}
	three := &Entrance{VPCEndpoint: "vpce-3"}
	shared := &Entrance{Development: true}
	const (
		aws  = ".execute-api.eu-west-1.amazonaws.com"
		vpce = ".execute-api.eu-west-1.vpce.amazonaws.com"
	)
	tests := []struct {
		name             string
		entrance         *Entrance
		host, path, byID string // byID is the header's
		want             string // of API, endpoint and VPC; "" for 403, "management" for none
	}{
		{"the internet", nil, "inside" + aws, "/v1/a", "", ""},
		{"the internet by path", nil, "localhost", "/_aws/execute-api/inside/v1/a", "", ""},
		{"the internet by user request", nil, "localhost", "/restapis/inside/v1/_user_request_/a", "", ""},
		{"the internet by alias", nil, "inside-vpce-1" + aws, "/v1/a", "", ""},
		{"the internet by the endpoint's name", nil, "vpce-1-x" + vpce, "/v1/a", "inside", ""},
		{"the internet by a domain", nil, "api.test", "/a", "", ""},
		{"the header means nothing there", nil, "localhost", "/v1/a", "inside", "management"},
		{"what isn't private is on the internet", nil, "public" + aws, "/v1/a", "", "public  "},

		{"its host", one, "inside" + aws, "/v1/a", "", "inside vpce-1 vpc-9"},
		{"its host in capitals, with a port", one, "INSIDE" + aws + ":8443", "/v1/a", "", "inside vpce-1 vpc-9"},
		{"an endpoint that it isn't associated with", three, "inside" + aws, "/v1/a", "", "inside vpce-3 "},
		{"its alias", one, "inside-vpce-1" + aws, "/v1/a", "", "inside vpce-1 vpc-9"},
		{"its alias in capitals", one, "Inside-VPCE-1" + aws, "/v1/a", "", "inside vpce-1 vpc-9"},
		{"its alias of another endpoint", one, "inside-vpce-2" + aws, "/v1/a", "", ""},
		{"an alias that it hasn't", three, "inside-vpce-3" + aws, "/v1/a", "", ""},
		{"an alias of nothing", one, "none-vpce-1" + aws, "/v1/a", "", ""},
		{"the endpoint's name", one, "vpce-1-abcdefgh" + vpce, "/v1/a", "alone", "alone vpce-1 vpc-9"},
		{"the endpoint's name in a zone", one, "vpce-1-abcdefgh-eu-west-1a" + vpce, "/v1/a", "alone", "alone vpce-1 vpc-9"},
		{"the endpoint's name alone", one, "vpce-1-abcdefgh" + vpce, "/v1/a", "", ""},
		{"a header that names nothing", one, "vpce-1-abcdefgh" + vpce, "/v1/a", "none", ""},
		{"a header that names what is public", one, "vpce-1-abcdefgh" + vpce, "/v1/a", "public", ""},
		{"the host before the header", one, "inside" + aws, "/v1/a", "alone", "inside vpce-1 vpc-9"},
		{"an address and the header", one, "10.0.0.1:443", "/v1/a", "alone", "alone vpce-1 vpc-9"},
		{"an address alone", one, "10.0.0.1:443", "/v1/a", "", ""},
		{"a path form", one, "10.0.0.1", "/_aws/execute-api/alone/v1/a", "", "alone vpce-1 vpc-9"},
		{"a path form of what is public", one, "10.0.0.1", "/_aws/execute-api/public/v1/a", "", ""},
		{"STRICT by the header", one, "vpce-1" + vpce, "/v1/a", "strict", ""},
		{"a stage that isn't there", one, "inside" + aws, "/v2/a", "", ""},
		{"an unknown API", one, "none" + aws, "/v1/a", "", ""},
		{"what is public", one, "public" + aws, "/v1/a", "", ""},
		{"an HTTP API", one, "http" + aws, "/a", "", ""},
		{"a public domain", one, "api.test", "/a", "", ""},
		{"a public domain with the API's id", one, "api.test", "/v1/a", "public", ""},
		{"management", one, "localhost", "/restapis", "", ""},
		{"pages", one, "localhost", "/_gatehouse/health", "", ""},

		{"development", shared, "inside" + aws, "/v1/a", "", "inside vpce-1 "},
		{"development without endpoints", shared, "alone" + aws, "/v1/a", "", "alone  "},
		{"development by path", shared, "localhost", "/_aws/execute-api/inside/v1/a", "", "inside vpce-1 "},
		{"development by alias", shared, "inside-vpce-2" + aws, "/v1/a", "", "inside vpce-2 "},
		{"development by another alias", shared, "inside-vpce-3" + aws, "/v1/a", "", ""},
		{"development by the endpoint's name", shared, "vpce-3-abc" + vpce, "/v1/a", "inside", "inside vpce-3 "},
		{"development by the endpoint's name, what is public", shared, "vpce-3-abc" + vpce, "/v1/a", "public", ""},
		{"development by a domain", shared, "api.test", "/a", "", "inside vpce-1 "},
		{"development, what is public", shared, "public" + aws, "/v1/a", "", "public  "},
		{"development, management", shared, "localhost", "/restapis", "inside", "management"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			x := &Exchange{Request: Request{Method: "GET", Host: test.host, Path: test.path, Entrance: test.entrance}}
			if test.byID != "" {
				x.Request.Headers = Headers{{Name: "X-Apigw-Api-Id", Value: test.byID}}
			}
			traffic, err := p.Place(x)
			var fault *Fault
			switch {
			case !traffic && test.want == "management":
			case !traffic, test.want == "management":
				t.Fatalf("traffic is %t: %v", traffic, err)
			case test.want == "":
				if !errors.As(err, &fault) || fault.Kind != Forbidden || x.Stage != nil {
					t.Fatalf("%v, stage %v", err, x.Stage)
				}
			case err != nil:
				t.Fatal(err)
			default:
				if got := x.API.ID + " " + x.VPCEndpoint + " " + x.VPC; got != test.want || x.Stage.Name != "v1" || x.StagePath != "/a" {
					t.Errorf("%s, stage %s, path %s, want %s", got, x.Stage.Name, x.StagePath, test.want)
				}
			}
		})
	}
}
