package sts

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"time"

	api "gatehouse/internal/awsapi/sts"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/iam"
)

// Roles is where roles are found; *iam.Service is the one there is.
type Roles interface {
	// Role returns the role with the ARN, or iam.ErrNoRole.
	Role(ctx context.Context, arn string) (*iam.Role, error)
}

// Options are what a Service works with.
type Options struct {
	Roles Roles // required
	// Directory holds users' access keys and is told when keys are used.
	Directory *iam.Directory // required
	// Sealer encrypts session tokens. Tokens made with one key can't be opened
	// with another.
	Sealer Sealer // required
	// RootAccessKeyID and RootSecretAccessKey are the root credentials of
	// RootAccount; empty for none.
	RootAccessKeyID, RootSecretAccessKey, RootAccount string
	// Strict refuses, as AWS does, that root assumes a role. Otherwise it may
	// assume any, with a warning.
	Strict bool
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
	// Random is where keys come from; nil means crypto/rand.
	Random io.Reader
	// Log takes warnings; nil discards them.
	Log *slog.Logger
}

// A Service is the STS API. Its sessions, and other credentials, are looked up
// through Credentials.
type Service struct {
	api.Unimplemented
	Credentials *Credentials

	roles    Roles
	sessions *sessions
	strict   bool
	clock    func() time.Time
	random   io.Reader
	log      *slog.Logger
}

var _ api.Operations = (*Service)(nil)

// New returns the service.
func New(opts Options) *Service {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.Random == nil {
		opts.Random = rand.Reader
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{
		roles: opts.Roles, sessions: &sessions{sealer: opts.Sealer, clock: opts.Clock}, strict: opts.Strict,
		clock: opts.Clock, random: opts.Random, log: opts.Log,
	}
	s.Credentials = &Credentials{
		directory: opts.Directory, sessions: s.sessions,
		rootID: opts.RootAccessKeyID, rootSecret: opts.RootSecretAccessKey,
	}
	s.Credentials.setRoot(opts.RootAccount)
	return s
}

// invalid is STS's answer to what no model error fits.
func invalid(message string) error {
	return &awswire.Error{Code: "ValidationError", Status: 400, Message: message}
}

func invalidParameter(message string) error {
	return &awswire.Error{Code: "InvalidParameterValue", Status: 400, Message: message}
}

func denied(message string) error {
	return &awswire.Error{Code: "AccessDenied", Status: 403, Message: message}
}

// value is what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// shown is a session as answers carry it.
func shown(v *Session, token string) *api.Credentials {
	return &api.Credentials{AccessKeyId: &v.AccessKeyID, SecretAccessKey: &v.Secret, SessionToken: &token, Expiration: &v.Expires}
}

// seconds is the duration asked for, or a default.
func seconds(asked *int32, otherwise time.Duration) time.Duration {
	if asked == nil {
		return otherwise
	}
	return time.Duration(*asked) * time.Second
}
