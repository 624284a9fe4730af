package observe

import (
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse/internal/plan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testExchange is one that a function answered.
func testExchange() *plan.Exchange {
	api := &plan.API{ID: "a1b2c3d4e5", AccountID: "123456789012", Region: "eu-west-1", Protocol: plan.HTTP}
	x := &plan.Exchange{
		RequestID:    "JKJaXmPLvHcESHA=",
		Start:        time.Date(2020, 4, 21, 15, 8, 21, 123e6, time.UTC),
		API:          api,
		Stage:        &plan.Stage{API: api, Name: "dev"},
		Route:        &plan.Route{Key: "GET /pets/{id}", Method: "GET", Path: "/pets/{id}"},
		DomainName:   "a1b2c3d4e5.execute-api.localhost",
		DomainPrefix: "a1b2c3d4e5",
		StagePath:    "/pets/a%20b",
		GatewayPath:  "/dev/pets/a%20b",
		Integration:  plan.IntegrationReport{Called: true, Latency: 12_600 * time.Microsecond, Status: 200, FunctionStatus: 201, RequestID: "f-1"},
	}
	x.Request = plan.Request{Method: "GET", Host: "x", Proto: "HTTP/2.0", Source: netip.MustParseAddrPort("[::ffff:192.0.2.1]:4"), ContentLength: 10}
	x.Request.Headers = plan.Headers{{Name: "User-Agent", Value: `curl "7"`}}
	x.Response = plan.Response{Status: 201, Body: []byte("hello")}
	return x
}
