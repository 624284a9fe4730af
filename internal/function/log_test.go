package function

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

func TestNodeLog(t *testing.T) {
	logs := &recorder{}
	var screen strings.Builder
	m := newManager(t, Options{Logs: logs, Terminal: &screen})
	s := nodeSpec(t, "index.js", `
console.log('loading');
exports.handler = async () => {
	console.log('one\ntwo', { a: 1 });
	console.error('bad %d', 7);
	console.warn('careful'); console.debug('detail');
	require('child_process').execSync('echo from a child; echo half >&2; printf unfinished', { stdio: 'inherit' });
	return 1;
}`)
	r := invoke(t, m, s, `{}`)
	answers(t, r, `1`)
	got := childLast(mask(logs.text()))
	want := mask(`INIT_START Runtime Version: nodejs:20.1.1
2026-11-24T00:00:00.000Z	undefined	INFO	loading
START RequestId: ID Version: $LATEST
2026-11-24T00:00:00.000Z	ID	INFO	one
two { a: 1 }
2026-11-24T00:00:00.000Z	ID	ERROR	bad 7
2026-11-24T00:00:00.000Z	ID	WARN	careful
2026-11-24T00:00:00.000Z	ID	DEBUG	detail
from a child
half
unfinished
END RequestId: ID
REPORT RequestId: ID	Duration: 1.00 ms	Billed Duration: 1 ms	Memory Size: 256 MB	Max Memory Used: 1 MB	Init Duration: 1.00 ms	
`)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if tail := childLast(mask(string(r.LogTail))); tail != want[strings.Index(want, "START Request"):] {
		t.Errorf("tail: got\n%s", tail)
	}
	if shown := screen.String(); !strings.Contains(shown, "hello | from a child\n") || strings.Contains(shown, "REPORT") {
		t.Errorf("terminal: got\n%s", shown)
	}
	if len(logs.events) != 12 {
		t.Errorf("got %d events, want 12: a message with two lines is one", len(logs.events))
	}
}

// childLast moves what the child of TestNodeLog printed to the end of the invocation. What the runtime logs and what
// a child prints come by two ways, as they do in AWS, so only the order within each is promised.
func childLast(log string) string {
	var own, child strings.Builder
	for line := range strings.Lines(log) {
		switch strings.TrimSpace(line) {
		case "from a child", "half", "unfinished":
			child.WriteString(line)
			continue
		}
		if strings.HasPrefix(line, "END ") {
			own.WriteString(child.String())
			child.Reset()
		}
		own.WriteString(line)
	}
	return own.String() + child.String()
}

func TestPythonLog(t *testing.T) {
	logs := &recorder{}
	m := newManager(t, Options{Logs: logs})
	s := pythonSpec(t, "app.py", `
import logging, sys
logging.getLogger().setLevel(logging.INFO)
def handler(e, c):
    print("printed")
    logging.info("logged %d", 1)
    print("two\nlines")
    print("to stderr", file=sys.stderr)
    sys.stdout.write("no newline")
    raise ValueError("bad")
`)
	invoke(t, m, s, `{}`)
	got := mask(strings.ReplaceAll(logs.text(), s.CodeDir, "/var/task"))
	want := mask("INIT_START Runtime Version: python:3.11.7\nSTART RequestId: ID Version: $LATEST\nprinted\n" +
		"[INFO]\t2026-11-24T00:00:00.000Z\tID\tlogged 1\ntwo\nlines\nto stderr\nno newline\n" +
		"[ERROR] ValueError: bad\nTraceback (most recent call last):\n" +
		"\u00a0\u00a0File \"/var/task/app.py\", line 10, in handler\n\u00a0\u00a0\u00a0\u00a0raise ValueError(\"bad\")\n" +
		"END RequestId: ID\n" +
		"REPORT RequestId: ID\tDuration: 1.00 ms\tBilled Duration: 1 ms\tMemory Size: 256 MB\tMax Memory Used: 1 MB\tInit Duration: 1.00 ms\t\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// mask hides what differs from run to run.
func mask(log string) string {
	for pattern, by := range map[string]string{
		testRequestID: "ID", `\d{4}-\d\d-\d\dT[\d:.]+Z`: "TIME", `[\d.]+ ms`: "N ms", `Used: \d+ MB`: "Used: N MB",
		`Version: (nodejs|python):[\d.]+`: "Version: $1:V",
	} {
		log = regexp.MustCompile(pattern).ReplaceAllString(log, by)
	}
	return log
}

func TestLogTailIsBounded(t *testing.T) {
	m := newManager(t, Options{})
	s := nodeSpec(t, "index.js", `exports.handler = async () => { for (let i = 0; i < 1000; i++) console.log('line', i) }`)
	if r := invoke(t, m, s, `{}`); len(r.LogTail) != 4096 || !strings.Contains(string(r.LogTail), "line 999\nEND") {
		t.Errorf("got %d bytes ending %q", len(r.LogTail), r.LogTail[max(0, len(r.LogTail)-200):])
	}
}

func TestJSONLog(t *testing.T) {
	node := `exports.handler = async (e) => { console.debug('no'); console.log('hello', 1); if (e.exit) process.exit(1); return 1 }`
	python := "import logging, os\ndef handler(e, c):\n    logging.debug('no')\n    logging.info('hello %d', 1)\n    if e.get('exit'): os._exit(1)\n    return 1\n"
	for _, tt := range []struct {
		name, event, level string
		spec               *Spec
		want               []string // types or messages of the events
	}{
		{"node", `{}`, "", nodeSpec(t, "index.js", node), []string{"platform.initStart", "platform.start", "hello 1", "platform.report success"}},
		{"node fails", `{"exit":1}`, "WARN", nodeSpec(t, "index.js", node), []string{"hello 1", "platform.runtimeDone error", "platform.report error"}},
		{"python", `{}`, "DEBUG", pythonSpec(t, "app.py", python), []string{"platform.initStart", "platform.start", "hello 1", "platform.runtimeDone success", "platform.report success"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			logs := &recorder{}
			m := newManager(t, Options{Logs: logs})
			tt.spec.LogFormat, tt.spec.SystemLogLevel = "JSON", tt.level
			invoke(t, m, tt.spec, tt.event)
			var got []string
			for _, event := range logs.events {
				var e struct {
					Type, Message, Level, RequestID string
					Record                          struct{ RequestID, Status string }
				}
				if err := json.Unmarshal([]byte(event), &e); err != nil {
					t.Fatalf("%v: %s", err, event)
				}
				if e.Type == "" && (e.Level != "INFO" || e.RequestID != testRequestID) {
					t.Errorf("got %s", event)
				}
				got = append(got, strings.TrimSpace(e.Type+e.Message+" "+e.Record.Status))
			}
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
