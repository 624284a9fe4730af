package function

import (
	"io"
	"log/slog"
	"time"
)

// Isolation says how functions are kept apart from the host and from each other.
type Isolation string

// The kinds of isolation.
const (
	// IsolationAuto gives each environment its own mount, PID and IPC namespaces (and user namespace, or another UID
	// when the gateway is root) where the host allows it, and plain processes where it doesn't.
	IsolationAuto Isolation = "auto"
	// IsolationNone runs plain processes as the gateway's user.
	IsolationNone Isolation = "none"
)

// Options configure a [Manager]. The zero value of each field is usable.
type Options struct {
	Logger *slog.Logger     // nil: discards
	Clock  func() time.Time // stamps of log lines; nil: time.Now
	Logs   LogSink          // nil: log events go nowhere but the terminal
	// Terminal shows what functions print; writes are whole lines, one at a time. Nil shows nothing.
	Terminal io.Writer

	Isolation Isolation // empty: IsolationAuto
	// Executable is a program whose main begins with [ReexecMain], started again to set up each isolated environment;
	// "/proc/self/exe" for the running one. Empty rules isolation out.
	Executable string

	// ModulesDir is a host directory of modules that all functions can load, as AWS ships its SDKs: Node packages in
	// it or in its node_modules, Python packages in it or in its python.
	ModulesDir string
	// Authority is a PEM file with an authority that functions trust besides the host's; empty for none. It is what
	// signs for the hosts of APIs on this gateway, which functions call back.
	Authority string
	// Endpoints are the variables by which AWS's SDKs in functions find services: AWS_ENDPOINT_URL, and
	// AWS_ENDPOINT_URL_DYNAMODB and the like. Called when an environment starts; nil gives none.
	Endpoints func() map[string]string

	IdleTimeout     time.Duration // an idle environment is stopped after it; zero: 10 minutes
	InitTimeout     time.Duration // of an environment's start; zero: AWS's 10 seconds
	MaxEnvironments int           // processes at once on this host; zero: 1000
	// AccountConcurrency bounds the invocations running at once of an account in a region; zero: AWS's 1000.
	AccountConcurrency int
	// TempDir holds the bootstraps and what functions write; zero: a fresh directory below os.TempDir.
	TempDir string
}

// LogSink takes the log events of functions. Append is called from many goroutines and must not keep message.
type LogSink interface {
	Append(source *LogSource, at time.Time, message []byte)
}

// LogSource says whose log an event belongs to. One value lives as long as its environment, so that a sink may use
// its address as a key.
type LogSource struct {
	AccountID string
	Region    string
	Group     string
	Stream    string
	Function  string
}
