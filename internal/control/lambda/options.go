package lambda

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"
	"time"

	"gatehouse/internal/codestore"
	"gatehouse/internal/function"
)

// Limits and waiting times of AWS that Options can change.
const (
	defaultQueueEvents    = 10_000
	defaultQueueBytes     = 256 << 20
	defaultWorkers        = 8
	defaultAccountLimit   = 1000
	defaultCodeURLExpires = 10 * time.Minute
)

// A Runtime runs functions; *function.Manager is the one there is.
type Runtime interface {
	Invoke(ctx context.Context, spec *function.Spec, inv *function.Invocation) (*function.Result, error)
	Retire(specID string)
}

// A Role is what the role of a function is asked for.
type Role interface {
	// FunctionCredentials makes session keys of the role for one environment of
	// the function with the unqualified ARN.
	FunctionCredentials(roleARN, functionARN string) (function.Credentials, error)
	// LambdaCanAssume tells whether the role exists and trusts Lambda.
	LambdaCanAssume(ctx context.Context, roleARN string) (bool, error)
}

// Objects reads code from S3. Who asks for it has been found to be allowed to.
type Objects interface {
	// Get reads an object of most bytes at the most, the version "" being the last.
	// Its errors are those of s3object.Store.
	Get(ctx context.Context, bucket, key, version string, most int64) ([]byte, error)
}

// Options are what a [Service] and its [Directory] work with.
type Options struct {
	Logger *slog.Logger     // nil: discards
	Clock  func() time.Time // nil: time.Now
	// Random returns a number in [0, 1): which version of a weighted alias is
	// called. Nil: a good one.
	Random func() float64
	// NewID returns a fresh UUID, of revisions and request ids. Nil: a random one.
	NewID func() string

	Store   Store            // required
	Code    *codestore.Store // required
	Runtime Runtime          // required
	// Role hands out the keys of functions' roles. Nil: functions get none and
	// no role is checked.
	Role Role

	// Objects is S3, for code that a request names there; nil: there is none.
	Objects Objects

	// HotReload lets functions run from a directory of the host, named as
	// S3Bucket hot-reload and S3Key /the/directory. Who makes one reads what the
	// gateway may read: for gateways on loopback that take everybody for root.
	HotReload bool
	// Private is the directory of the gateway's own data, from which and above which
	// no function runs; "" for none.
	Private string
	// StrictRoles refuses a role that doesn't exist or doesn't trust Lambda, as
	// AWS does. Otherwise it is let through with a warning in the log.
	StrictRoles bool

	// RetryDelay is the wait before the nth retry, from 1, of an asynchronous
	// event whose function failed. Nil: AWS's one minute, then two.
	RetryDelay func(n int) time.Duration
	// BackoffDelay is the wait before the nth new attempt, from 1, of an
	// asynchronous event that was throttled. Nil: from a second to five minutes.
	BackoffDelay func(n int) time.Duration
	// QueueEvents and QueueBytes bound the asynchronous events waiting in
	// memory; more are throttled. Zero: 10,000 events and 256 MB.
	QueueEvents int
	QueueBytes  int64
	// AsyncWorkers bounds the asynchronous events of one function that run at
	// the same time. Zero: 8.
	AsyncWorkers int

	// AccountConcurrency is the account's limit that GetAccountSettings shows
	// and reserved concurrency is taken from. Zero: 1000.
	AccountConcurrency int
}

func (o Options) withDefaults() (Options, error) {
	if o.Store == nil || o.Code == nil || o.Runtime == nil {
		return o, fmt.Errorf("control/lambda: Options need Store, Code and Runtime")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Random == nil {
		o.Random = randomFloat
	}
	if o.NewID == nil {
		o.NewID = newUUID
	}
	if o.RetryDelay == nil {
		o.RetryDelay = func(n int) time.Duration { return time.Duration(n) * time.Minute }
	}
	if o.BackoffDelay == nil {
		o.BackoffDelay = func(n int) time.Duration { return min(time.Second<<min(n-1, 20), 5*time.Minute) }
	}
	if o.QueueEvents == 0 {
		o.QueueEvents = defaultQueueEvents
	}
	if o.QueueBytes == 0 {
		o.QueueBytes = defaultQueueBytes
	}
	if o.AsyncWorkers == 0 {
		o.AsyncWorkers = defaultWorkers
	}
	if o.AccountConcurrency == 0 {
		o.AccountConcurrency = defaultAccountLimit
	}
	return o, nil
}

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func randomFloat() float64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return float64(binary.LittleEndian.Uint64(b[:])>>11) / (1 << 53)
}
