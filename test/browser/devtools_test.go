package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"golang.org/x/net/websocket"
)

// A tab is a page in a browser of its own, driven through the DevTools protocol.
type tab struct {
	t    *testing.T
	conn *websocket.Conn
	last int           // the id of the last command
	quit func()        // ends the browser
	gone chan struct{} // closed when it has ended
}

var devtools = regexp.MustCompile(`^DevTools listening on ws://([^/]+)/`)

// openTab starts a browser, with further arguments, and has it open an address.
func openTab(t *testing.T, browser, address string, more ...string) *tab {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	args := append(browserArgs(t), "--remote-debugging-port=0", "--remote-allow-origins=*")
	cmd := exec.CommandContext(ctx, browser, append(append(args, more...), "about:blank")...)
	cmd.WaitDelay = 5 * time.Second
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b := &tab{t: t, quit: cancel, gone: make(chan struct{})}
	listening := make(chan string, 1)
	go func() {
		defer close(b.gone)
		for scanner := bufio.NewScanner(stderr); scanner.Scan(); {
			if m := devtools.FindStringSubmatch(scanner.Text()); m != nil {
				listening <- m[1]
			}
		}
		_ = cmd.Wait()
	}()
	t.Cleanup(b.close)
	select {
	case addr := <-listening:
		b.attach(addr, address)
	case <-b.gone:
		t.Fatal("the browser ended")
	case <-time.After(pageTimeout):
		t.Fatal("the browser took too long to start")
	}
	return b
}

// attach opens a page and the connection that drives it.
func (b *tab) attach(devtoolsAddr, address string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPut, "http://"+devtoolsAddr+"/json/new?"+url.QueryEscape(address), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // nothing to do about it
	var target struct{ WebSocketDebuggerURL string }
	if err := json.NewDecoder(resp.Body).Decode(&target); err != nil {
		b.t.Fatal(err)
	}
	if b.conn, err = websocket.Dial(target.WebSocketDebuggerURL, "", "http://localhost/"); err != nil {
		b.t.Fatal(err)
	}
}

// close ends the browser, as somebody does who has had enough.
func (b *tab) close() {
	b.quit()
	<-b.gone
}

// do runs a script in the page.
func (b *tab) do(script string) {
	b.t.Helper()
	if _, err := b.evaluate(script); err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
}

// until waits for an expression to be true in the page.
func (b *tab) until(condition string) {
	b.t.Helper()
	var err error
	for began := time.Now(); time.Since(began) < pageTimeout; time.Sleep(20 * time.Millisecond) {
		var value json.RawMessage
		if value, err = b.evaluate(condition); err == nil && string(value) == "true" {
			return
		}
	}
	text, _ := b.evaluate("document.documentElement.innerText")
	b.t.Fatalf("it never came true: %s (%v); the page is\n%s", condition, err, text)
}

// evaluate returns the value of an expression in the page.
func (b *tab) evaluate(expression string) (json.RawMessage, error) {
	b.last++
	command := map[string]any{"id": b.last, "method": "Runtime.evaluate", "params": map[string]any{
		"expression": expression, "returnByValue": true,
	}}
	if err := b.conn.SetDeadline(time.Now().Add(pageTimeout)); err != nil {
		return nil, err
	}
	if err := websocket.JSON.Send(b.conn, command); err != nil {
		return nil, err
	}
	for {
		var answer struct {
			ID     int
			Result struct {
				Result           struct{ Value json.RawMessage }
				ExceptionDetails *struct{ Exception struct{ Description string } }
			}
			Error *struct{ Message string }
		}
		if err := websocket.JSON.Receive(b.conn, &answer); err != nil {
			return nil, err
		}
		switch {
		case answer.ID != b.last:
		case answer.Error != nil:
			return nil, fmt.Errorf("DevTools: %s", answer.Error.Message)
		case answer.Result.ExceptionDetails != nil:
			return nil, fmt.Errorf("the page: %s", answer.Result.ExceptionDetails.Exception.Description)
		default:
			return answer.Result.Result.Value, nil
		}
	}
}
