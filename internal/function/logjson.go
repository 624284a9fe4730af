package function

import (
	"encoding/json"
	"math"
	"time"
)

// jsonLog makes the platform's log events of functions whose log format is JSON. Which events there are depends on the
// system log level.
type jsonLog struct {
	debug bool // also the successes of single phases
	warn  bool // only failures
}

func newJSONLog(s *Spec) *jsonLog {
	if s.LogFormat != "JSON" {
		return nil
	}
	return &jsonLog{debug: s.SystemLogLevel == "DEBUG", warn: s.SystemLogLevel == "WARN"}
}

// record is the body of a platform event; which members it has depends on the event.
type record struct {
	RequestID          string   `json:"requestId,omitempty"`
	Version            string   `json:"version,omitempty"`
	InitializationType string   `json:"initializationType,omitempty"`
	Phase              string   `json:"phase,omitempty"`
	RuntimeVersion     string   `json:"runtimeVersion,omitempty"`
	Status             string   `json:"status,omitempty"`
	ErrorType          string   `json:"errorType,omitempty"`
	Metrics            *metrics `json:"metrics,omitempty"`
}

type metrics struct {
	DurationMillis       float64 `json:"durationMs"`
	BilledDurationMillis int64   `json:"billedDurationMs,omitempty"`
	MemorySizeMB         int     `json:"memorySizeMB,omitempty"`
	MaxMemoryUsedMB      int     `json:"maxMemoryUsedMB,omitempty"`
	InitDurationMillis   float64 `json:"initDurationMs,omitempty"`
}

func (j *jsonLog) line(at time.Time, event string, r record) []byte {
	b, err := json.Marshal(struct {
		Time   string `json:"time"`
		Type   string `json:"type"`
		Record record `json:"record"`
	}{at.UTC().Format("2006-01-02T15:04:05.000Z"), "platform." + event, r})
	if err != nil {
		panic(err) // strings and finite numbers always marshal
	}
	return append(b, '\n')
}

func (j *jsonLog) initStart(at time.Time, runtime string) []byte {
	if j.warn {
		return nil
	}
	return j.line(at, "initStart", record{InitializationType: "on-demand", Phase: "init", RuntimeVersion: runtime})
}

func (j *jsonLog) initReport(at time.Time, took time.Duration, status, errorType string) []byte {
	return j.line(at, "initReport", record{
		InitializationType: "on-demand", Phase: "init", Status: status, ErrorType: errorType,
		Metrics: &metrics{DurationMillis: millis(took)},
	})
}

func (j *jsonLog) start(at time.Time, requestID, version string) []byte {
	if j.warn {
		return nil
	}
	return j.line(at, "start", record{RequestID: requestID, Version: version})
}

// end makes the events of an invocation's end. Status is empty for a success.
func (j *jsonLog) end(at time.Time, r *Result, status string) [][]byte {
	done := record{RequestID: r.RequestID, Status: status, Metrics: &metrics{DurationMillis: millis(r.Duration)}}
	report := record{RequestID: r.RequestID, Status: status, Metrics: &metrics{
		DurationMillis: millis(r.Duration), BilledDurationMillis: r.BilledDuration.Milliseconds(), MemorySizeMB: r.MemoryMB,
		MaxMemoryUsedMB: r.MaxMemoryMB, InitDurationMillis: millis(r.InitDuration),
	}}
	if status == "" {
		done.Status, report.Status = "success", "success"
	} else {
		done.ErrorType, report.ErrorType = r.ErrorType, r.ErrorType
	}
	var lines [][]byte
	if j.debug || status != "" {
		lines = append(lines, j.line(at, "runtimeDone", done))
	}
	if !j.warn || status != "" {
		lines = append(lines, j.line(at, "report", report))
	}
	return lines
}

// millis are milliseconds with three decimals.
func millis(d time.Duration) float64 { return math.Round(float64(d.Microseconds())) / 1000 }
