package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"gatehouse/internal/control/logs"
	"gatehouse/internal/function"
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
