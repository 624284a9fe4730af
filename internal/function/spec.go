package function

import (
	"io"
	"time"
)

// Spec is one immutable version of a function, or $LATEST at one revision: everything needed to start it.
type Spec struct {
	// ID is unique for a revision of code and configuration; environments are pooled by it.
	ID string
	// ARN is the function's unqualified ARN.
	ARN       string
	Name      string
	Version   string // "$LATEST" or a number
	AccountID string
	Region    string

	Runtime      string // AWS's identifier, such as nodejs20.x, python3.12 or provided.al2023
	Handler      string
	Architecture string // x86_64 or arm64; empty is the host's

	CodeDir     string            // the unpacked code, only read
	Layers      []string          // unpacked layers in the order of the configuration; later ones win
	Environment map[string]string // the user's variables

	MemoryMB           int           // zero: AWS's default of 128
	Timeout            time.Duration // zero: AWS's default of 3 seconds
	EphemeralStorageMB int           // of /tmp; zero: AWS's default of 512

	LogGroup string
	// LogFormat is Text or JSON; empty is Text. The levels (TRACE to FATAL, and DEBUG, INFO, WARN) hold for JSON only;
	// empty is INFO.
	LogFormat           string
	ApplicationLogLevel string
	SystemLogLevel      string

	// HotReload says that CodeDir is a directory its owner is working in: a change is seen by the next call.
	HotReload bool

	// Credentials returns session keys of the function's role; called for each new environment. Nil gives none.
	Credentials func() Credentials

	// ReservedConcurrency bounds the invocations running at once of all versions of the function. Zero refuses all,
	// nil leaves only the account's limit.
	ReservedConcurrency *int
}

// withDefaults returns the spec with AWS's defaults for what is zero.
func (s *Spec) withDefaults() *Spec {
	if s.MemoryMB > 0 && s.Timeout > 0 && s.EphemeralStorageMB > 0 {
		return s
	}
	full := *s
	full.MemoryMB = orElse(s.MemoryMB, 128)
	full.Timeout = orElse(s.Timeout, 3*time.Second)
	full.EphemeralStorageMB = orElse(s.EphemeralStorageMB, 512)
	return &full
}

// Credentials are session keys that a function's environment is started with.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	Expires         time.Time // zero: never; an environment isn't used past it
}

// Invocation is one event on its way to a function.
type Invocation struct {
	Payload   []byte // JSON; empty is the empty object
	RequestID string // empty: one is made
	TraceID   string // an X-Ray trace header; may be empty
	// InvokedARN is the ARN as called, with its qualifier. Empty is the spec's ARN.
	InvokedARN      string
	ClientContext   []byte // JSON, decoded from the header; may be empty
	CognitoIdentity []byte // JSON; may be empty
	Tail            bool   // whether Result.LogTail is wanted
	// Stream receives a streaming handler's response while it is made. Nil collects it in Result.Payload.
	Stream Stream
}

// Stream takes a streamed response. It is called from one goroutine at a time.
type Stream interface {
	// Start is called once, before the first Write. A content type of [HTTPIntegrationResponse] means that the bytes
	// begin with a JSON prelude (statusCode, headers, cookies) closed by eight zero bytes.
	Start(contentType string) error
	// Write takes the next bytes. After an error the rest of the response is dropped.
	io.Writer
}

// HTTPIntegrationResponse is the content type of a streamed response that carries its own status and headers.
const HTTPIntegrationResponse = "application/vnd.awslambda.http-integration-response"

// Result is what a function answered.
type Result struct {
	RequestID string
	// Payload is the answer, or the error document when FunctionError isn't empty. When Streamed is set it holds
	// nothing but the error that broke the stream.
	Payload []byte
	// FunctionError is empty, or "Unhandled" as in X-Amz-Function-Error.
	FunctionError string
	// ErrorType is the error's type as AWS names it, such as Sandbox.Timedout or the class of a thrown error.
	ErrorType string
	// Streamed says that the answer went to Invocation.Stream.
	Streamed bool
	// ContentType is what the runtime said the payload is; empty is JSON.
	ContentType string

	LogTail   []byte // the last 4 KB of the invocation's log, when asked for
	LogStream string

	Duration       time.Duration // the handler's time
	InitDuration   time.Duration // of the environment's start, zero when it was warm
	BilledDuration time.Duration // Duration and InitDuration, up to the next millisecond
	MemoryMB       int
	MaxMemoryMB    int // the most the environment has used so far
}
