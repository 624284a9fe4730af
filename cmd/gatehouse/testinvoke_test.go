package main

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	apigatewayapi "gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/plan"
)

func TestExchangeOfTest(t *testing.T) {
	c := &awswire.Call{Context: context.Background()}
	c.Principal = awswire.Principal{Account: "123456789012", ARN: "arn:aws:iam::123456789012:user/u", UserID: "AIDA", AccessKeyID: "AKIA"}
	for _, test := range []struct {
		path                       *string
		wantPath, wantQuery, param string
	}{
		{nil, "/pets/{id}", "", "{id}"},
		{new(""), "/pets/{id}", "", "{id}"},
		{new("/pets/1%2f2?a=b&c"), "/pets/1%2f2", "a=b&c", "1%2f2"},
		{new("pets/7/"), "/pets/7/", "", "7"},
		{new("/elsewhere?a?b"), "/elsewhere", "a?b", ""},
		{new("/"), "/", "", ""},
		{new("/pets/a b\r\nc\u00e9?x\x00 y"), "/pets/a%20b%0D%0Ac%C3%A9", "x%00%20y", "a%20b%0D%0Ac%C3%A9"},
	} {
		key, err := plan.ParseRouteKey("GET /pets/{id}")
		if err != nil {
			t.Fatal(err)
		}
		route := &plan.Route{Key: "GET /pets/{id}", Method: key.Method, Path: key.Path, ParamNames: key.ParamNames, Rest: &plan.Method{}}
		stage := &plan.Stage{API: &plan.API{ID: "a", Protocol: plan.REST}, Routes: (*plan.Tree)(nil).With(route), Rest: &plan.RestStage{}}
		x := testExchange(c, &apigatewayapi.TestInvokeMethodRequest{HttpMethod: new("GET"), PathWithQueryString: test.path}, stage, route)
		param := ""
		if len(x.Params) != len(x.Route.ParamNames) {
			t.Errorf("%s: %d parameters of %d", x.StagePath, len(x.Params), len(x.Route.ParamNames))
		} else if len(x.Params) > 0 {
			param = x.Params[0]
		}
		if x.StagePath != test.wantPath || x.GatewayPath != test.wantPath || x.Request.Query != test.wantQuery || param != test.param {
			t.Errorf("%q: path %s, query %s, parameter %s", *test.path, x.StagePath, x.Request.Query, param)
		}
		if x.Request.BodyReader != nil || len(x.Request.Headers) > 0 || x.Caller != (plan.Caller{AccountID: "123456789012", ID: "AIDA", AccessKeyID: "AKIA", ARN: c.Principal.ARN}) {
			t.Errorf("exchange %+v", x)
		}
	}
}

func TestRequestOfTest(t *testing.T) {
	c := &awswire.Call{Context: context.Background()}
	route := &plan.Route{Path: "/", Rest: &plan.Method{}}
	stage := &plan.Stage{API: &plan.API{Protocol: plan.REST}, Rest: &plan.RestStage{}}
	x := testExchange(c, &apigatewayapi.TestInvokeMethodRequest{
		HttpMethod: new("POST"), Body: new("the body"),
		Headers:           map[string]string{"B": "1", "A": "2", "M": "lost"},
		MultiValueHeaders: map[string][]string{"M": {"3", "4"}, "AA": {"5"}},
	}, stage, route)
	body, err := io.ReadAll(x.Request.BodyReader)
	if got, want := fmt.Sprint(x.Request.Headers), "[{A 2} {AA 5} {B 1} {M 3} {M 4}]"; got != want {
		t.Errorf("headers %s, want %s", got, want)
	}
	if err != nil || string(body) != "the body" || x.Request.ContentLength != 8 {
		t.Errorf("body %q of %d bytes, %v", body, x.Request.ContentLength, err)
	}
}

func TestLogOfTest(t *testing.T) {
	x := &plan.Exchange{RequestID: "id", Trace: &plan.Trace{}}
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("", 3600))
	x.Trace.Begin(plan.ExecutionLogging{Level: plan.LogInfo}, func() time.Time { return at })
	x.Trace.Info("one")
	x.Trace.Info("two")
	want := "Execution log for request id\nWed Mar 04 04:06:07 UTC 2026 : one\nWed Mar 04 04:06:07 UTC 2026 : two\n"
	if got := testLog(x); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
