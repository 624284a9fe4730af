package iam

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"

	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awswire"
	"gatehouse/internal/policy"
	"gatehouse/internal/store"
)

// A Store holds the documents of this package; *store.Store is the one there is.
type Store interface {
	View(ctx context.Context, fn func(tx *store.Tx) error) error
	Update(ctx context.Context, fn func(tx *store.Tx) error) error
}

// Options are what a Service works with.
type Options struct {
	// Store holds the identities. Its Prepare must call Directory.Prepare.
	Store Store
	// Directory tells when access keys were last used.
	Directory *Directory
	// Random is where ids and secrets come from; nil means crypto/rand.
	Random io.Reader
	// Log takes what goes wrong; nil discards it.
	Log *slog.Logger
}

// A Service is the IAM API.
type Service struct {
	api.Unimplemented
	store     Store
	directory *Directory
	random    io.Reader
	log       *slog.Logger
	aws       awsPolicies
}

var _ api.Operations = (*Service)(nil)

// New returns the service.
func New(opts Options) *Service {
	if opts.Random == nil {
		opts.Random = rand.Reader
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{
		store: opts.Store, directory: opts.Directory, random: opts.Random, log: opts.Log,
		aws: newAWSPolicies(),
	}
}

func scopeOf(c *awswire.Call) store.Scope { return store.Scope{Account: c.Account} }

func noSuchEntity(message string) error  { return api.NewNoSuchEntityException(message) }
func alreadyExists(message string) error { return api.NewEntityAlreadyExistsException(message) }
func limitExceeded(message string) error { return api.NewLimitExceededException(message) }
func conflict(message string) error      { return api.NewDeleteConflictException(message) }
func invalidInput(message string) error  { return api.NewInvalidInputException(message) }

// invalid is IAM's answer to what no model error fits.
func invalid(message string) error {
	return &awswire.Error{Code: "ValidationError", Status: 400, Message: message}
}

// orNoSuch words the absence of a document.
func orNoSuch(err error, message string) error {
	if errors.Is(err, store.ErrNotFound) {
		return noSuchEntity(message)
	}
	return err
}

// malformed turns what policy has against a document into IAM's error.
func malformed(err error) error {
	var text policy.Error
	if errors.As(err, &text) {
		return api.NewMalformedPolicyDocumentException(string(text))
	}
	return err
}

// value is what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// some is a pointer to s, or nil for an empty text, which IAM doesn't keep.
func some(s *string) *string {
	if value(s) == "" {
		return nil
	}
	return s
}
