package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/awswire"
	"gatehouse/internal/control/apigatewaymanagementapi"
	"gatehouse/internal/observe"
	"gatehouse/internal/plan"
	"gatehouse/internal/socket"
)

// untilGone tells when a connection has ended.
type untilGone chan struct{}

func (untilGone) Message(*socket.Conn, []byte)  {}
func (untilGone) Check(*socket.Conn, time.Time) {}
func (untilGone) Hold(int, int) bool            { return true }
func (untilGone) Free(int)                      {}

func (g untilGone) Disconnected(*socket.Conn, int, string) { close(g) }

// tokens let as many pass as there are.
type tokens struct{ left int }

func (t *tokens) Take(time.Time) bool { t.left--; return t.left >= 0 }

func (*tokens) Numbers() (rate float64, burst int32) { return 1, 2 }

const connectionID = "R1kmxc2VNjMCFIA="

// startConnections has one connection, connectionID of the stage dev of API w1.
// Its client reads nothing.
func startConnections(t *testing.T, limit plan.Limiter) (connections, *observe.Counters) {
	t.Helper()
	registry := socket.New(socket.Options{MaxPendingBytes: 64 << 10, CloseTimeout: 10 * time.Millisecond})
	metrics := observe.NewMetrics(observe.MetricsOptions{})
	api := &plan.API{ID: "w1", AccountID: "123456789012", Protocol: plan.WebSocket}
	counters := metrics.Stage(api, "dev")
	api.Stages = map[string]*plan.Stage{"dev": {API: api, Name: "dev", Limit: limit, Metrics: counters}}
	c := connections{registry: registry, plan: &atomic.Pointer[plan.Plan]{}}
	c.plan.Store((*plan.Plan)(nil).With(api))
	ours, theirs := net.Pipe()
	gone := make(untilGone)
	registry.Adopt(socket.Opening{
		Conn: ours, ID: connectionID, APIID: "w1", Stage: "dev", ConnectedAt: time.UnixMilli(1587481700000),
		SourceIP: netip.MustParseAddr("::ffff:192.0.2.1"), UserAgent: "ws", Handler: gone,
	})
	t.Cleanup(func() {
		_ = theirs.Close()
		registry.Cut()
		<-gone
		registry.Stop()
		metrics.Close()
	})
	return c, counters
}

func TestConnections(t *testing.T) {
	c, counters := startConnections(t, nil)
	at := awswire.APIStage{Account: "123456789012", APIID: "w1", Stage: "dev"}
	got, err := c.Get(at, connectionID)
	if err != nil || got.SourceIP != "192.0.2.1" || got.UserAgent != "ws" || got.ConnectedAt.UnixMilli() != 1587481700000 {
		t.Errorf("%+v, %v", got, err)
	}
	posted := 0
	for err == nil && posted < 100 {
		if err = c.Post(at, connectionID, make([]byte, 32<<10)); err == nil {
			posted++
		}
	}
	if posted == 0 || !errors.Is(err, apigatewaymanagementapi.ErrLimited) {
		t.Errorf("after %d messages that nobody reads: %v", posted, err)
	}
	if n := counters.Totals().Events.Messages; n != uint64(posted) {
		t.Errorf("%d messages were counted, %d posted", n, posted)
	}
	for _, other := range []awswire.APIStage{{APIID: "w1", Stage: "other"}, {APIID: "w2", Stage: "dev"}} {
		if err := c.Post(other, connectionID, nil); !errors.Is(err, apigatewaymanagementapi.ErrGone) {
			t.Errorf("%+v: %v", other, err)
		}
	}
	if err := c.Close(at, connectionID); err != nil {
		t.Error(err)
	}
	for _, err := range []error{c.Close(at, connectionID), c.Post(at, connectionID, nil)} {
		if !errors.Is(err, apigatewaymanagementapi.ErrGone) {
			t.Errorf("a closed connection: %v", err)
		}
	}
	if _, err := c.Get(at, connectionID); !errors.Is(err, apigatewaymanagementapi.ErrGone) {
		t.Errorf("a closed connection: %v", err)
	}
}

// Calls count against the throttle of the account.
func TestConnectionsThrottled(t *testing.T) {
	c, _ := startConnections(t, &tokens{left: 1})
	at := awswire.APIStage{Account: "123456789012", APIID: "w1", Stage: "dev"}
	if _, err := c.Get(at, connectionID); err != nil {
		t.Error(err)
	}
	if err := c.Post(at, connectionID, nil); !errors.Is(err, apigatewaymanagementapi.ErrLimited) {
		t.Errorf("over the limit: %v", err)
	}
}

// Who may call where management is may not where only traffic is.
func TestConnectionCalls(t *testing.T) {
	calls := newConnectionCalls(awswire.Options{Auth: awswire.Auth{Open: true}}, 0)
	stage := &plan.Stage{API: &plan.API{ID: "w1", AccountID: "123456789012"}, Name: "dev"}
	for _, management := range []bool{true, false} {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/dev/@connections/"+connectionID, http.NoBody)
		r.Host = "w1.execute-api.example.com"
		r.Header.Set("X-Amz-Date", "20260101T000000Z")
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, "+
			"Signature=0000000000000000000000000000000000000000000000000000000000000000")
		w := httptest.NewRecorder()
		calls.ServeConnections(w, r, stage, management)
		// There is no service behind: who is let in finds nothing.
		if let := w.Code == http.StatusNotImplemented; let != management {
			t.Errorf("management %t: %d %s", management, w.Code, w.Body)
		}
	}
}
