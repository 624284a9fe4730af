package serve_test

import (
	"strings"
	"testing"
	"time"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/socket"
)

// executions takes the lines of each event that an execution log is told of.
type executions chan string

func (e executions) LogExecution(x *plan.Exchange) {
	var lines []string
	for _, line := range x.Trace.Lines {
		lines = append(lines, line.Text)
	}
	e <- strings.NewReplacer(x.RequestID, "REQUEST", x.Socket.ConnectionID, "CONNECTION").Replace(strings.Join(lines, "\n"))
}

func (e executions) next(t *testing.T) string {
	t.Helper()
	select {
	case text := <-e:
		return text
	case <-time.After(patience):
		t.Fatal("nothing was logged")
		return ""
	}
}

// Each event of a connection has its lines, as far as its route is logged.
func TestSocketExecutionLog(t *testing.T) {
	g := startSockets(t, serve.Options{}, socket.Options{})
	log := make(executions, 100)
	stage := socketStage(g)
	stage.ExecutionLog = log
	info := plan.ExecutionLogging{Level: plan.LogInfo, Data: true}
	stage.Connect = &plan.Route{Key: "$connect", Integration: answerStatus(200), Socket: &plan.SocketRoute{Log: info}}
	stage.Disconnect.Socket = &plan.SocketRoute{Log: plan.ExecutionLogging{Level: plan.LogInfo}}
	stage.Keys["echo"].Socket = &plan.SocketRoute{TwoWay: true, Log: info}
	stage.Keys["fail"].Socket = &plan.SocketRoute{Log: plan.ExecutionLogging{Level: plan.LogError}}
	g.setStage(stage)
	expect := func(when string, want ...string) {
		t.Helper()
		got := log.next(t)
		for _, line := range want {
			if !strings.Contains(got, line) {
				t.Errorf("%s: the log is\n%s\nwithout %q", when, got, line)
			}
		}
	}
	c := g.connect(t)
	expect("a handshake", "Extended Request Id: REQUEST", "WebSocket Request Route: [$connect]", "SourceIp: 127.0.0.1] is connecting to WebSocket API [wsa].",
		"Request headers: {", "Client [Connection Id: CONNECTION] connected to API [wsa] successfully.")
	c.say("mute")
	c.say("echo hello")
	c.hear()
	expect("a message", "WebSocket API [wsa] received message from client [Connection Id: CONNECTION].", "Request body: echo hello",
		"Message from client [Connection Id: CONNECTION] sent to API [wsa] with response status code [200].")
	c.say("fail")
	c.hear()
	if got := log.next(t); strings.Contains(got, "received message") || !strings.Contains(got, "Execution failed") {
		t.Errorf("a failure at level ERROR: the log is\n%s", got)
	}
	refusing := socketStage(g)
	refusing.ExecutionLog, refusing.Disconnect = log, stage.Disconnect
	refusing.Connect = &plan.Route{Key: "$connect", Integration: answerStatus(403), Socket: stage.Connect.Socket}
	g.setStage(refusing)
	if res, _ := send(t, g.addr, handshake); res.StatusCode != 403 {
		t.Errorf("status %d", res.StatusCode)
	}
	if got := log.next(t); strings.Contains(got, "successfully") || !strings.Contains(got, "is connecting") {
		t.Errorf("a handshake that was refused: the log is\n%s", got)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	expect("the end", "Client [Connection Id: CONNECTION] disconnected from API [wsa] with integration response status code [0]. Close reason: [1006: ")
}
