package observe

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/internal/plan"
)

// eventExchange is an event that is over.
func eventExchange(event plan.SocketEvent, fault plan.FaultKind) *plan.Exchange {
	x := &plan.Exchange{Stage: &plan.Stage{Socket: &plan.SocketStage{}}, Socket: &plan.Socket{Event: event}, Route: &plan.Route{Key: "k", Socket: &plan.SocketRoute{}}}
	if fault != 0 {
		x.Fault = &plan.Fault{Kind: fault}
	}
	return x
}

func TestEvents(t *testing.T) {
	answered := func(event plan.SocketEvent, status int) *plan.Exchange {
		x := eventExchange(event, 0)
		x.Integration = plan.IntegrationReport{Called: true, Latency: 2 * time.Millisecond, FunctionStatus: status}
		x.Response.Body = []byte("x")
		return x
	}
	twoWay := answered(plan.SocketMessage, 200)
	twoWay.Route.Socket.TwoWay = true
	unmatched := eventExchange(plan.SocketMessage, plan.RouteNotFound)
	unmatched.Route = nil
	plain := eventExchange(0, plan.UpgradeRequired)
	plain.Route, plain.Socket = nil, nil
	for _, test := range []struct {
		name string
		x    *plan.Exchange
		want Events
	}{
		{"connect", answered(plan.SocketConnect, 200), Events{Connects: 1}},
		{"connect that the integration refuses", answered(plan.SocketConnect, 403), Events{Connects: 1, IntegrationErrors: 1}},
		{"connect without a key", eventExchange(plan.SocketConnect, plan.InvalidAPIKey), Events{ClientErrors: 1}},
		{"no handshake", plain, Events{ClientErrors: 1}},
		{"message", answered(plan.SocketMessage, 200), Events{Messages: 1}},
		{"message with an answer", twoWay, Events{Messages: 2}},
		{"message of no route", unmatched, Events{Messages: 1, ClientErrors: 1}},
		{"message that isn't valid", eventExchange(plan.SocketMessage, plan.BadRequestBody), Events{Messages: 1, ClientErrors: 1}},
		{"function failed", eventExchange(plan.SocketMessage, plan.FunctionFailure), Events{Messages: 1, IntegrationErrors: 1}},
		{"function took too long", eventExchange(plan.SocketMessage, plan.IntegrationTimeout), Events{Messages: 1, ExecutionErrors: 1}},
		{"nobody waits", eventExchange(plan.SocketMessage, plan.ClientGone), Events{Messages: 1}},
		{"disconnect", answered(plan.SocketDisconnect, 200), Events{}},
		{"disconnect that fails", eventExchange(plan.SocketDisconnect, plan.IntegrationUnreachable), Events{ExecutionErrors: 1}},
	} {
		var c Counters
		c.Count(test.x, time.Second)
		got := c.Totals()
		if got.Events != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got.Events, test.want)
		}
		if got.Count != 0 || got.ClientErrors != 0 || got.DataProcessed != 0 || (got.IntegrationLatency.Count == 1) != test.x.Integration.Called {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
	var c Counters
	c.CountPosted()
	if got := c.Totals().Events; got != (Events{Messages: 1}) {
		t.Errorf("posted: %+v", got)
	}
}

func TestEventMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMetrics(MetricsOptions{})
		defer m.Close()
		api := &plan.API{ID: "a", Protocol: plan.WebSocket}
		c, key := m.Stage(api, "s"), MetricKey{APIID: "a", Stage: "s", WebSocket: true}
		for range 2 {
			c.Count(eventExchange(plan.SocketMessage, plan.Throttled), 0)
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		got := m.Minutes(key, time.Time{}, time.Now())
		if len(got) != 2 || got[0].Events != (Events{Messages: 1, ClientErrors: 1}) || got[1].Events != got[0].Events {
			t.Errorf("%+v", got)
		}
	})
}

func TestEventPage(t *testing.T) {
	m := NewMetrics(MetricsOptions{})
	defer m.Close()
	api := &plan.API{ID: "w1", Protocol: plan.WebSocket}
	m.Stage(api, "prod").Count(eventExchange(plan.SocketConnect, 0), 0)
	m.Stage(api, "prod").CountPosted()
	failed := eventExchange(plan.SocketMessage, plan.FunctionFailure)
	failed.Integration = plan.IntegrationReport{Called: true, Latency: 2 * time.Millisecond}
	m.Route(api, "prod", "", "say").Count(failed, 0)
	m.Route(api, "prod", "", "hush").Count(eventExchange(plan.SocketMessage, plan.Throttled), 0)
	page := httptest.NewRecorder()
	NewPage(NewCollector(m, nil)).ServeHTTP(page, httptest.NewRequest("GET", "/_gatehouse/metrics", nil))
	body, err := io.ReadAll(page.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`gatehouse_websocket_stage_connect_count_total{ApiId="w1",Stage="prod"} 1`,
		`gatehouse_websocket_stage_message_count_total{ApiId="w1",Stage="prod"} 1`,
		`gatehouse_websocket_stage_execution_error_total{ApiId="w1",Stage="prod"} 0`,
		`gatehouse_websocket_route_integration_error_total{ApiId="w1",Route="say",Stage="prod"} 1`,
		`gatehouse_websocket_route_integration_latency_seconds_count{ApiId="w1",Route="say",Stage="prod"} 1`,
		`gatehouse_websocket_route_client_error_total{ApiId="w1",Route="hush",Stage="prod"} 1`,
	} {
		if !strings.Contains(string(body), "\n"+want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(string(body), "gatehouse_stage_") {
		t.Error("the page shows numbers of HTTP APIs")
	}
}

func TestEventAllocations(t *testing.T) {
	var c Counters
	x := eventExchange(plan.SocketMessage, 0)
	if n := testing.AllocsPerRun(1000, func() { c.Count(x, latency) }); n != 0 {
		t.Errorf("counting allocates %v times", n)
	}
}
