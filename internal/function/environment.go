package function

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// environment is one started process of a function, which serves one invocation at a time.
type environment struct {
	pool       *pool
	spec       *Spec
	generation uint64 // of a hot-reload pool's code
	process    *process
	channel    channel
	log        *logWriter
	meter      *meter

	initDuration time.Duration
	initTimedOut bool
	initLate     bool    // initialised within its first invocation
	initFailure  *answer // of an environment that came up broken
	warm         bool    // it has served before
	expires      time.Time
	idleSince    time.Time

	busy   atomic.Bool // for the memory watch
	tooBig atomic.Bool // killed over its memory limit
}

// logStreamName makes the name of a new environment's log stream.
func logStreamName(now time.Time, version string) string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return now.UTC().Format("2006/01/02/") + "[" + version + "]" + hex.EncodeToString(b[:])
}

// initialise waits for the init phase. What the function does wrong in it is told by the first invocation; the error
// is the host's.
func (e *environment) initialise(timeout time.Duration) error {
	began := time.Now()
	a, err := e.channel.ready(began.Add(timeout))
	e.initDuration = time.Since(began)
	switch {
	case err == nil && a == nil:
		return nil
	case err == nil:
		e.initFailure = a
	case errors.Is(err, errDeadline):
		e.initTimedOut = true
		e.log.initReport(e.initDuration, "timeout", "")
		e.process.kill()
	default:
		// A process that exits closes its socket first; its status follows.
		select {
		case <-e.process.exited:
		case <-time.After(time.Until(began.Add(timeout))):
		}
		e.process.kill()
		<-e.process.exited
		if why := e.process.cannotBuild; why != "" {
			return &Error{Kind: StartFailed, Message: "The function's environment couldn't be built", Err: errors.New(why)}
		}
		e.initFailure = &answer{failed: true, fatal: true}
	}
	if e.initFailure != nil {
		e.log.initReport(e.initDuration, "error", e.initFailure.errorType)
	}
	return nil
}

// usable reports whether an idle environment can take another invocation.
func (e *environment) usable(now time.Time) bool {
	return !e.process.gone() && (e.expires.IsZero() || now.Before(e.expires))
}

// invoke runs one invocation. When ctx ends first, it returns ctx's error and the invocation goes on without its
// caller, after a call of detached. done is called once the environment is free again, saying whether it can be kept.
func (e *environment) invoke(ctx context.Context, inv *Invocation, done func(keep bool), detached func()) (*Result, error) {
	began := time.Now()
	if e.initLate && !e.warm {
		began = began.Add(-e.initDuration) // the invocation's time has been running since then
	}
	deadline := began.Add(e.spec.Timeout)
	e.busy.Store(true)
	e.log.begin(inv.RequestID, e.spec.Version, inv.Tail)

	if e.initTimedOut {
		return e.finish(inv.RequestID, e.timedOut(inv.RequestID), e.spec.Timeout, done), nil
	}
	if e.initFailure != nil {
		a := *e.initFailure
		if a.payload == nil {
			a = e.exitFailure(inv.RequestID)
		}
		return e.finish(inv.RequestID, a, 0, done), nil
	}
	var a answer
	err := e.channel.send(inv, deadline)
	if err == nil {
		stop := func() bool { return true }
		if ctx.Done() != nil {
			stop = context.AfterFunc(ctx, e.channel.interrupt)
		}
		for {
			a, err = e.channel.receive(deadline, inv.Stream)
			if !errors.Is(err, errInterrupted) || ctx.Err() != nil {
				break
			}
		}
		stop()
	}
	if errors.Is(err, errInterrupted) {
		requestID := inv.RequestID
		detached()
		e.pool.manager.wg.Go(func() {
			a, err := e.receiveRest(deadline)
			e.conclude(requestID, a, err, began, deadline, done)
		})
		return nil, ctx.Err()
	}
	return e.conclude(inv.RequestID, a, err, began, deadline, done), nil
}

// receiveRest waits for the answer of an invocation whose caller has left.
func (e *environment) receiveRest(deadline time.Time) (answer, error) {
	for {
		a, err := e.channel.receive(deadline, nil)
		if !errors.Is(err, errInterrupted) {
			return a, err
		}
	}
}

// conclude turns what came of an invocation into its result.
func (e *environment) conclude(requestID string, a answer, err error, began, deadline time.Time, done func(bool)) *Result {
	took := time.Since(began)
	switch {
	case err == nil:
	case errors.Is(err, errDeadline):
		took = e.spec.Timeout
		a = e.timedOut(requestID)
	case errors.Is(err, errFrame):
		e.process.kill()
		<-e.process.exited
		a = failure("Runtime.InvalidResponse", fmt.Sprintf("RequestId: %s Error: the process broke the protocol of its runtime", requestID))
		a.fatal = true
	default:
		// The socket is closed by a process that exits, which a moment later has a status. One that closed it and
		// lives is of no use any more.
		select {
		case <-e.process.exited:
		case <-time.After(time.Until(deadline)):
		}
		if !e.process.gone() {
			a = e.timedOut(requestID)
			took = e.spec.Timeout
			break
		}
		a = e.exitFailure(requestID)
	}
	return e.finish(requestID, a, took, done)
}

// timedOut ends the environment and makes the failure of an invocation that ran out of time.
func (e *environment) timedOut(requestID string) answer {
	e.process.kill()
	<-e.process.exited
	message := fmt.Sprintf("Task timed out after %.2f seconds", e.spec.Timeout.Seconds())
	e.log.platformError(e.log.clock().UTC().Format("2006-01-02T15:04:05.000Z") + " " + requestID + " " + message)
	a := failure(errorTimedOut, "RequestId: "+requestID+" Error: "+message)
	a.fatal = true
	return a
}

const (
	errorTimedOut    = "Sandbox.Timedout"
	errorExit        = "Runtime.ExitError"
	errorOutOfMemory = "Runtime.OutOfMemory"
)

// exitFailure makes the failure of an invocation whose process has exited.
func (e *environment) exitFailure(requestID string) answer {
	errorType := errorExit
	reason := "Runtime exited " + e.process.reason()
	if e.process.cannotExec != "" {
		errorType = errorEntrypoint
		reason = e.process.cannotExec
	}
	if e.tooBig.Load() {
		errorType = errorOutOfMemory
		reason = "Runtime exited with error: signal: killed"
	}
	message := "RequestId: " + requestID + " Error: " + reason
	e.log.platformError(message + "\n" + errorType)
	a := failure(errorType, message)
	a.fatal = true
	return a
}

// finish writes the closing log lines and frees the environment.
func (e *environment) finish(requestID string, a answer, took time.Duration, done func(keep bool)) *Result {
	e.process.output.drain()
	e.busy.Store(false)
	r := &Result{
		RequestID: requestID, Payload: a.payload, ContentType: a.contentType, Streamed: a.streamed,
		Duration: took, MemoryMB: e.spec.MemoryMB, LogStream: e.log.source.Stream,
	}
	status := ""
	if a.failed {
		r.FunctionError = "Unhandled"
		r.ErrorType = a.errorType
		if a.fatal {
			status = "error"
		}
		if a.errorType == errorTimedOut {
			status = "timeout"
		}
	}
	if !e.warm {
		e.warm = true
		r.InitDuration = e.initDuration
	}
	const ms = time.Millisecond
	r.BilledDuration = (r.Duration + r.InitDuration + ms - 1) / ms * ms
	r.MaxMemoryMB = min(e.meter.max(), max(e.spec.MemoryMB, 1))
	r.LogTail = e.log.finish(r, status)
	done(!a.fatal)
	return r
}

// stop ends the environment and waits until its process is gone.
func (e *environment) stop() {
	e.channel.close()
	e.process.kill()
	<-e.process.exited
	e.log.end()
	e.meter.close()
}
