package serve_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/transform/rest"
)

func TestTestMethod(t *testing.T) {
	streamed := func(r io.Reader) step {
		return func(x *plan.Exchange) error {
			x.Response.Status, x.Response.BodyStream, x.Response.StreamLength = 200, io.NopCloser(r), -1
			return nil
		}
	}
	custom, err := rest.NewGatewayResponses(map[string]rest.GatewayResponseOptions{
		"INTEGRATION_TIMEOUT": {Status: "503", Templates: map[string]string{"application/json": "late"}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name        string
		integration plan.Integration
		want, last  string
	}{
		{"answered", answering{response: plan.Response{Status: 201, Body: []byte("hi"), Headers: plan.Headers{{Name: "X", Value: "1"}, {Name: "Connection", Value: "close"}}}},
			"201 hi X=1 Content-Type=application/json ", "Method completed with status: 201"},
		{"without a body", answering{response: plan.Response{Status: 204, Body: []byte("hi")}}, "204  Content-Type=application/json ", "Method completed with status: 204"},
		{"a stream", streamed(strings.NewReader("streamed")), "200 streamed Content-Type=application/json ", "Method completed with status: 200"},
		{"a long stream", streamed(strings.NewReader(strings.Repeat("x", 2000))), `500 {"message": "Internal server error"} x-amzn-ErrorType=InternalServerErrorException `, "Method completed with status: 500"},
		{"a broken stream", streamed(iotest.ErrReader(errors.New("cut"))), `500 {"message": "Internal server error"} x-amzn-ErrorType=InternalServerErrorException `, "Method completed with status: 500"},
		{"a fault", &fails{Kind: plan.ConfigurationError, Reason: "why"}, `500 {"message": "Internal server error"} x-amzn-ErrorType=InternalServerErrorException `, "Method completed with status: 500"},
		{"a customised fault", &fails{Kind: plan.IntegrationTimeout, Reason: "why"}, `503 late x-amzn-ErrorType=InternalServerErrorException Content-Type=application/json `, "Method completed with status: 503"},
		{"a panic", step(func(*plan.Exchange) error { panic("oops") }), `500 {"message": "Internal server error"} x-amzn-ErrorType=InternalServerErrorException `, "Method completed with status: 500"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve.New(serve.Options{ShowReasons: true, MaxBodyBytes: 1000})
			counts, log := &counts{}, &traces{}
			r := restMethod(t, "POST /pets/{id}", plan.ExecutionLogging{}, test.integration)
			r.Authorizer = &fails{Kind: plan.AccessDenied}
			api := &plan.API{ID: "abc", Protocol: plan.REST}
			stage := &plan.Stage{API: api, Name: "test", AccessLog: counts, Metrics: counts, Rest: &plan.RestStage{ExecutionLog: log, Responses: custom}}
			x := &plan.Exchange{API: api, Stage: stage, Route: r, StagePath: "/pets/7", Params: []string{"7"}, APIKey: "test-invoke-api-key"}
			x.Request = plan.Request{SourceName: "test-invoke-source-ip", Method: "POST", Path: "/pets/7", BodyReader: bytes.NewReader([]byte("in")), ContentLength: 2, Done: make(chan struct{})}
			if latency := s.TestMethod(x); latency < 0 || latency > time.Minute {
				t.Errorf("latency %v", latency)
			}
			got := fmt.Sprintf("%d %s ", x.Response.Status, x.Response.Body)
			for _, h := range x.Response.Headers {
				got += h.Name + "=" + h.Value + " "
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			lines := x.Trace.Lines
			if lines[0].Text != "Starting execution for request: "+x.RequestID || lines[2].Text != "Method request path: {id=7}" ||
				lines[5].Text != "Method request body before transformations: in" || lines[len(lines)-1].Text != test.last {
				t.Errorf("log %q", lines)
			}
			if counts.requests.Load()+counts.logged.Load() != 0 || log.count != 0 {
				t.Error("somebody was told of the test")
			}
		})
	}
}
