package function

import (
	"encoding/json"
	"errors"
	"time"
)

// channel carries events to a process and its answers back: one implementation for the bootstraps' frames, one for
// the Lambda Runtime API. One goroutine at a time uses it; interrupt and close may be called from any.
type channel interface {
	// ready waits for the end of the init phase. A non-nil answer is an init error that the runtime reported.
	ready(deadline time.Time) (*answer, error)
	// send hands over the event.
	send(inv *Invocation, deadline time.Time) error
	// receive waits for the answer. After errInterrupted it can be called again.
	receive(deadline time.Time, stream Stream) (answer, error)
	// interrupt makes a receive that is under way return errInterrupted, now or once.
	interrupt()
	close()
}

// answer is what a runtime says about one invocation.
type answer struct {
	payload     []byte
	contentType string
	errorType   string // of a failure
	failed      bool
	fatal       bool // the process is about to exit
	streamed    bool
}

var (
	// errDeadline: the deadline passed.
	errDeadline = errors.New("function: deadline passed")
	// errInterrupted: receive was interrupted.
	errInterrupted = errors.New("function: interrupted")
	// errGone: the process closed its end.
	errGone = errors.New("function: the process is gone")
)

// AWS's limits for buffered payloads, in bytes.
const (
	maxRequestPayload  = 6291456
	maxResponsePayload = 6291556
)

func failure(errorType, message string) answer {
	doc, err := json.Marshal(struct {
		ErrorType    string `json:"errorType"`
		ErrorMessage string `json:"errorMessage"`
	}{errorType, message})
	if err != nil {
		panic(err) // two strings always marshal
	}
	return answer{payload: doc, errorType: errorType, failed: true}
}

func responseTooLarge() answer {
	return failure("Function.ResponseSizeTooLarge",
		"Response payload size exceeded maximum allowed payload size (6291556 bytes).")
}

// errorTypeOf reads the type out of a runtime's error document.
func errorTypeOf(doc []byte) string {
	var fields struct {
		ErrorType string `json:"errorType"`
	}
	if json.Unmarshal(doc, &fields) != nil {
		return ""
	}
	return fields.ErrorType
}
