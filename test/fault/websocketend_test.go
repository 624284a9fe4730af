package fault

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"

	"gatehouse/test/frame"
)

// ends waits for a close frame.
func ends(t *testing.T, c *frame.Conn, code int, reason string) {
	t.Helper()
	f, err := c.Receive(3 * patience)
	if got, why, _ := f.CloseCode(); err != nil || f.Opcode != frame.Close || got != code || why != reason {
		t.Errorf("got %s, %v, want close %d %q", f, err, code, reason)
	}
}

// Connections that say nothing, and those that are old, end as AWS's do.
func TestSocketAges(t *testing.T) {
	const idle, lifetime = 3 * time.Second, 12 * time.Second
	a := newSocketAPI(t, nil, "--websocket-idle-timeout", idle.String(), "--websocket-lifetime", lifetime.String())
	a.mark(t)
	began := time.Now()
	silent, busy, visited := a.open(t, ""), a.open(t, ""), a.open(t, "")
	id := ask(t, visited, `{"action":"id"}`)
	var waiting sync.WaitGroup
	waiting.Go(func() {
		ends(t, silent, 1001, "Going away")
		if took := time.Since(began); took < idle || took >= lifetime {
			t.Errorf("a silent client was ended after %s", took)
		}
	})
	// Messages in either direction count.
	for time.Since(began) < lifetime-idle/2 {
		ask(t, busy, "x")
		if status := a.connections(t, http.MethodPost, id, "x"); status != http.StatusOK {
			t.Errorf("a post after %s: %d", time.Since(began), status)
		}
		if f, err := visited.Receive(patience); err != nil || string(f.Payload) != "x" {
			t.Errorf("a client that is posted to got %s, %v", f, err)
		}
		time.Sleep(idle / 10)
	}
	waiting.Wait()
	ends(t, busy, 1001, "Going away")
	ends(t, visited, 1001, "Going away")
	if took := time.Since(began); took < lifetime {
		t.Errorf("busy clients were ended after %s", took)
	}
	for _, c := range []*frame.Conn{silent, busy, visited} {
		_ = c.Close()
	}
	a.nothingLeft(t)
}

// A gateway that is stopped tells its clients, and doesn't wait for those who
// don't listen.
func TestSocketStop(t *testing.T) {
	a := newSocketAPI(t, nil)
	polite, deaf := a.open(t, ""), a.open(t, "")
	told := make(chan error, 1)
	go func() {
		f, err := polite.Receive(patience)
		if code, _, _ := f.CloseCode(); err == nil && (f.Opcode != frame.Close || code != 1001) {
			err = fmt.Errorf("got %s", f)
		}
		told <- errors.Join(err, polite.Send(frame.CloseWith(1001, "")), polite.Ended(patience))
	}()
	began := time.Now()
	a.Stop(t)
	if took := time.Since(began); took > patience {
		t.Errorf("stopping took %s", took)
	}
	if err := <-told; err != nil {
		t.Errorf("a client of a gateway that stops: %v", err)
	}
	_ = deaf.Close()
}

// A connection goes by what is deployed when its messages come.
func TestSocketRedeployed(t *testing.T) {
	a := newSocketAPI(t, nil)
	c := a.open(t, "")
	if got := ask(t, c, `{"action":"new"}`); got != `{"action":"new"}` {
		t.Errorf("got %s", got)
	}
	a.answers(t, "new", "new")
	deployment, err := a.client.CreateDeployment(t.Context(), &apigatewayv2.CreateDeploymentInput{ApiId: a.id})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.client.UpdateStage(t.Context(), &apigatewayv2.UpdateStageInput{ApiId: a.id, StageName: new("test"), DeploymentId: deployment.DeploymentId}); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, c, `{"action":"new"}`); got != "new" {
		t.Errorf("got %s", got)
	}
	// With the API everything goes.
	if _, err := a.client.DeleteApi(t.Context(), &apigatewayv2.DeleteApiInput{ApiId: a.id}); err != nil {
		t.Fatal(err)
	}
	if err := c.SendText("x"); err != nil {
		t.Error(err)
	}
	if f, err := c.Receive(10 * time.Second); err == nil && f.Opcode == frame.Text && string(f.Payload) == "x" {
		t.Errorf("an API that is deleted answers %s", f)
	}
	_ = c.Close()
}
