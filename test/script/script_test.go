// Package script runs stories against the real program: testdata/*.txtar, one
// story each, in the language of testscript with these further commands:
//
//	gateway [ARG...]           start `gatehouse serve ARG...` on $DATA and wait until it is ready;
//	                           sets $AWS_ENDPOINT_URL, $ADDR and $PORT
//	restart [stop|kill]        end it (SIGTERM, or SIGKILL) and start it again with the same arguments
//	http METHOD URL [BODY]     send a request, with $HOST as its Host and $HEADER ("name: value") as a header,
//	                           where set; stdout is the status line, the headers in lower case and the body
//	ws connect NAME URL        open a WebSocket connection to an API's URL, with $HEADER where set; NAME stands
//	                           for it from then on; after !, stdout is how the handshake was refused
//	ws send NAME TEXT          send a text message
//	ws expect NAME REGEXP      the next frame is a message that matches; stdout is the message
//	ws close NAME [CODE]       close; nothing but the gateway's close frame and the end come then
//	ws closed NAME CODE        the next frame is the gateway's close frame, with the code
//	json PATH WANT             the JSON on the last command's stdout has WANT at PATH, as in items.0.name
//	keep NAME PATH             put the value at PATH into the environment variable NAME
//	logged NAME REGEXP         wait for a line of the gateway's log that matches, and put the last match's group into
//	                           the environment variable NAME
//	dns ADDR NAME TYPE         send a DNS query over UDP; stdout is the code of the answer and its records, one a line
//
// gatehouse and aws are programs; run them with exec. The condition awscli2
// tells that aws is the CLI's second version.
package script

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"gatehouse/test/frame"
	"gatehouse/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

func TestScripts(t *testing.T) {
	bin := filepath.Dir(harness.Binary(t))
	if aws, err := exec.LookPath("aws"); err == nil {
		// Releases of the CLI before 2.13, Debian's among them, don't know
		// AWS_ENDPOINT_URL.
		wrapper := "#!/bin/sh\nexec " + aws + " --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"\n"
		if err := os.WriteFile(filepath.Join(bin, "aws"), []byte(wrapper), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			env.Setenv("DATA", filepath.Join(env.WorkDir, "data"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("AWS_ACCESS_KEY_ID", "test")
			env.Setenv("AWS_SECRET_ACCESS_KEY", "test")
			env.Setenv("AWS_REGION", "us-east-1")
			env.Setenv("AWS_DEFAULT_REGION", "us-east-1")
			env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			env.Setenv("AWS_PAGER", "")
			env.Values[sceneKey{}] = &scene{t: env.T().(testing.TB)}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond != "awscli2" {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			out, err := exec.Command("aws", "--version").Output()
			return bytes.HasPrefix(out, []byte("aws-cli/2.")), err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"gateway": cmdGateway,
			"restart": cmdRestart,
			"http":    cmdHTTP,
			"ws":      cmdWS,
			"json":    cmdJSON,
			"keep":    cmdKeep,
			"logged":  cmdLogged,
			"dns":     cmdDNS,
		},
	})
}

type sceneKey struct{}

// A scene is the gateway of one script.
type scene struct {
	t       testing.TB
	gateway *harness.Gateway
	args    []string
	sockets map[string]*frame.Conn // by their names in the script
}

func sceneOf(ts *testscript.TestScript) *scene { return ts.Value(sceneKey{}).(*scene) }

func cmdGateway(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("gateway can't fail; use exec gatehouse serve")
	}
	s := sceneOf(ts)
	s.args = args
	s.start(ts)
}

func (s *scene) start(ts *testscript.TestScript) {
	s.gateway = harness.Start(s.t, ts.Getenv("DATA"), s.args...)
	_, port, _ := strings.Cut(s.gateway.Addr, ":")
	ts.Setenv("AWS_ENDPOINT_URL", s.gateway.URL)
	ts.Setenv("ADDR", s.gateway.Addr)
	ts.Setenv("PORT", port)
}

func cmdRestart(ts *testscript.TestScript, _ bool, args []string) {
	s := sceneOf(ts)
	switch {
	case slices.Equal(args, []string{"kill"}):
		s.gateway.Kill()
	case len(args) == 0, slices.Equal(args, []string{"stop"}):
		s.gateway.Stop(s.t)
	default:
		ts.Fatalf("usage: restart [stop|kill]")
	}
	s.start(ts)
}

func cmdHTTP(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: http METHOD URL [BODY]")
	}
	var body io.Reader
	if len(args) == 3 {
		body = strings.NewReader(args[2])
	}
	req, err := http.NewRequest(args[0], args[1], body)
	ts.Check(err)
	if host := ts.Getenv("HOST"); host != "" {
		req.Host = host
	}
	if name, value, ok := strings.Cut(ts.Getenv("HEADER"), ": "); ok {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if neg {
		if err == nil {
			ts.Check(resp.Body.Close())
			ts.Fatalf("the request went through: %s", resp.Status)
		}
		return
	}
	ts.Check(err)
	content, err := io.ReadAll(resp.Body)
	ts.Check(err)
	ts.Check(resp.Body.Close())
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s\n", resp.Status)
	names := make([]string, 0, len(resp.Header))
	for name := range resp.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, v := range resp.Header[name] {
			fmt.Fprintf(&out, "%s: %s\n", strings.ToLower(name), v)
		}
	}
	fmt.Fprintf(&out, "\n%s\n", content)
	_, err = ts.Stdout().Write(out.Bytes())
	ts.Check(err)
}

func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: json PATH WANT")
	}
	got, ok := valueAt(ts, args[0])
	if neg {
		if ok && got == args[1] {
			ts.Fatalf("%s is %q", args[0], got)
		}
		return
	}
	if !ok {
		ts.Fatalf("there is nothing at %s", args[0])
	}
	if got != args[1] {
		ts.Fatalf("%s is %q, want %q", args[0], got, args[1])
	}
}

func cmdKeep(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: keep NAME PATH")
	}
	got, ok := valueAt(ts, args[1])
	if !ok {
		ts.Fatalf("there is nothing at %s", args[1])
	}
	ts.Setenv(args[0], got)
}

// logTimeout is how long a line may take from the gateway to the test.
const logTimeout = 2 * time.Minute

func cmdLogged(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: logged NAME REGEXP")
	}
	re, err := regexp.Compile(args[1])
	ts.Check(err)
	deadline := time.After(logTimeout)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if all := re.FindAllStringSubmatch(sceneOf(ts).gateway.Logs(), -1); len(all) > 0 && len(all[0]) > 1 {
			ts.Setenv(args[0], all[len(all)-1][1])
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			ts.Fatalf("the log has nothing like %s", re)
		}
	}
}

// valueAt finds a value in the JSON document on the last stdout; after an http
// command, in its body. A list has a length, as in items.length.
func valueAt(ts *testscript.TestScript, path string) (string, bool) {
	text := ts.ReadFile("stdout")
	if i := strings.Index(text, "\n\n"); i >= 0 && !strings.HasPrefix(text, "{") {
		text = text[i:]
	}
	var v any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		ts.Fatalf("stdout isn't JSON: %v\n%s", err, text)
	}
	for _, step := range strings.Split(path, ".") {
		switch node := v.(type) {
		case map[string]any:
			next, ok := node[step]
			if !ok {
				return "", false
			}
			v = next
		case []any:
			if step == "length" {
				return strconv.Itoa(len(node)), true
			}
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(node) {
				return "", false
			}
			v = node[i]
		default:
			return "", false
		}
	}
	if s, ok := v.(string); ok {
		return s, true
	}
	b, err := json.Marshal(v)
	ts.Check(err)
	return string(b), true
}
