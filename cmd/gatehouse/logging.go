package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"gatehouse/internal/compile"
	"gatehouse/internal/control/logs"
	"gatehouse/internal/function"
	"gatehouse/internal/observe"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
)

// logGroups is where the gateway's own lines go: the output of functions and
// the access logs of stages, each into a group of the logs service. The service
// needs the store, and the store's plan needs this, so the service comes last;
// no line is written before.
type logGroups struct {
	service atomic.Pointer[logs.Service]
	// byEnvironment has a writer for each function environment. A new one makes
	// the group again if it was deleted.
	byEnvironment sync.Map // weak.Pointer[function.LogSource] → *logs.Writer
}

// Append implements function.LogSink.
func (l *logGroups) Append(source *function.LogSource, at time.Time, message []byte) {
	key := weak.Make(source)
	w, ok := l.byEnvironment.Load(key)
	if !ok {
		var loaded bool
		writer := l.service.Load().Writer(store.Scope{Account: source.AccountID, Region: source.Region}, source.Group)
		if w, loaded = l.byEnvironment.LoadOrStore(key, writer); !loaded {
			runtime.AddCleanup(source, func(key weak.Pointer[function.LogSource]) { l.byEnvironment.Delete(key) }, key)
		}
	}
	w.(*logs.Writer).Append(source.Stream, at, string(message)) // what doesn't fit is counted by the log store
}

// A groupSink carries the access log of one stage into its log group.
type groupSink struct {
	groups *logGroups
	scope  store.Scope
	writer *logs.Writer // made by the first line; one goroutine appends
}

// Append implements observe.Sink.
func (s *groupSink) Append(group, stream string, at time.Time, message []byte) error {
	if s.writer == nil {
		s.writer = s.groups.service.Load().Writer(s.scope, group)
	}
	if !s.writer.Append(stream, at, string(message)) {
		return fmt.Errorf("log group %s took no line", group)
	}
	return nil
}

// commonFormat is the operator's log: the Common Log Format that API Gateway
// offers ready-made, with the latency and the reason of a failed integration.
const commonFormat = `$context.identity.sourceIp - - [$context.requestTime] "$context.httpMethod $context.path $context.protocol" ` +
	`$context.status $context.responseLength $context.requestId $context.apiId $context.responseLatency $context.integrationErrorMessage`

// accessLogs makes the access logs of stages: what each is configured to log,
// and, if the operator wants it, a line of every request in a file.
type accessLogs struct {
	writer   *observe.LogWriter
	groups   *logGroups
	operator plan.AccessLog // nil: none
}

// newAccessLogs opens the operator's log: a file, "-" for standard output, ""
// for none.
func newAccessLogs(writer *observe.LogWriter, groups *logGroups, path string) (*accessLogs, io.Closer, error) {
	a := &accessLogs{writer: writer, groups: groups}
	out := os.Stdout
	switch path {
	case "":
		return a, io.NopCloser(nil), nil
	case "-":
	default:
		var err error
		if out, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640); err != nil {
			return nil, nil, fmt.Errorf("access log: %w", err)
		}
	}
	format, err := observe.ParseFormat(commonFormat)
	if err != nil {
		return nil, nil, err
	}
	a.operator = writer.AccessLog(format, observe.NewTextSink(out), "", "")
	if path == "-" {
		return a, io.NopCloser(nil), nil
	}
	return a, out, nil
}

// of is the access log of a stage that configures one.
func (a *accessLogs) of(l compile.AccessLog) (plan.AccessLog, error) {
	sink := &groupSink{groups: a.groups, scope: store.Scope{Account: l.Account, Region: l.Region}}
	// AWS's streams are named by a digest, too.
	name := sha256.Sum256([]byte(l.API + "/" + l.Stage))
	own := a.writer.AccessLog(l.Format, sink, l.LogGroup, hex.EncodeToString(name[:16]))
	if a.operator == nil {
		return own, nil
	}
	return bothLogs{own, a.operator}, nil
}

// bothLogs writes a line to the stage's log and to the operator's.
type bothLogs struct{ stage, operator plan.AccessLog }

// Log implements plan.AccessLog.
func (b bothLogs) Log(x *plan.Exchange, latency time.Duration) {
	b.stage.Log(x, latency)
	b.operator.Log(x, latency)
}
