package integrate_test

import (
	"regexp"
	"slices"
	"testing"
	"time"

	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
)

// restExchange is an exchange of a REST API with its mapped request, traced.
func restExchange(method string, body string) *plan.Exchange {
	x := exchange(method, "/pets", plan.Header{Name: "Authorization", Value: "client"})
	x.Stage = &plan.Stage{API: &plan.API{ID: "abc", Protocol: plan.REST}, Rest: &plan.RestStage{}}
	x.TraceHeader = "Root=1-5759e988-bd862e3fe1be46a994272793"
	x.Mapped = plan.MappedRequest{On: true, Query: "q=1", Body: []byte(body), HasBody: true}
	x.Mapped.Headers = plan.Headers{{Name: "Authorization", Value: "Bearer 0123456789"}}
	x.Trace = &plan.Trace{}
	x.Trace.Begin(plan.ExecutionLogging{Level: plan.LogInfo, Data: true}, time.Now)
	return x
}

func lines(x *plan.Exchange) []string {
	var list []string
	for _, l := range x.Trace.Lines {
		list = append(list, l.Text)
	}
	return list
}

func TestHTTPTrace(t *testing.T) {
	const answer = "HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"
	backend := play(t, []string{answer, answer})
	h := newHTTP(t, integrate.HTTPOptions{URI: "http://" + backend.addr + "/in", Method: "POST", Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
	x := restExchange("GET", `{"a":1}`)
	if err := h.Integrate(x); err != nil {
		t.Fatal(err)
	}
	uri := "http://" + backend.addr + "/in?q=1"
	got := lines(x)
	latency := regexp.MustCompile(`latency: \d+ ms`)
	for i := range got {
		got[i] = latency.ReplaceAllString(got[i], "latency: N ms")
	}
	want := []string{
		"Endpoint request URI: " + uri,
		"Endpoint request headers: {Authorization=***********456789, X-Amzn-Apigateway-Api-Id=abc, X-Amzn-Trace-Id=Root=1-5759e988-bd862e3fe1be46a994272793}",
		`Endpoint request body after transformations: {"a":1}`,
		"Sending request to " + uri,
		"Received response. Status: 201, Integration latency: N ms",
		"Endpoint response headers: {Content-Type=text/plain, Content-Length=2}",
		"Endpoint response body before transformations: hi",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}

	// Without data tracing only the calls are told of.
	x = restExchange("GET", `{"a":1}`)
	x.Trace.Data = false
	if err := h.Integrate(x); err != nil {
		t.Fatal(err)
	}
	if got := lines(x); len(got) != 3 || got[1] != "Sending request to "+uri {
		t.Errorf("lines without data: %q", got)
	}
}

// What $context.integration.error says on REST APIs.
func TestHTTPErrorsOfREST(t *testing.T) {
	backend := play(t)
	h := newHTTP(t, integrate.HTTPOptions{URI: "http://" + backend.addr, Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
	x := restExchange("GET", "")
	if err := h.Integrate(x); err == nil || x.Integration.Error != "Network error communicating with endpoint" {
		t.Errorf("a closed connection: %v, %q", err, x.Integration.Error)
	}
	slow := play(t, []string{""})
	h = newHTTP(t, integrate.HTTPOptions{URI: "http://" + slow.addr, Timeout: time.Nanosecond, Upstreams: newUpstreams(t, integrate.UpstreamOptions{})})
	x = restExchange("GET", "")
	if err := h.Integrate(x); err == nil || x.Integration.Error != "Execution failed due to a timeout error" {
		t.Errorf("a timeout: %v, %q", err, x.Integration.Error)
	}
}
