package cognitoidp

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
	"gatehouse/internal/userpool"
)

// A Store holds the documents of this package; *store.Store is the one there is.
type Store interface {
	View(ctx context.Context, fn func(tx *store.Tx) error) error
	Update(ctx context.Context, fn func(tx *store.Tx) error) error
}

// Options are what a Service works with.
type Options struct {
	// Store holds the pools. Its Prepare must call Directory.Prepare.
	Store     Store      // required
	Directory *Directory // required
	// Sealer encrypts sessions and refresh tokens.
	Sealer userpool.Sealer // required
	// Functions runs the functions that pools trigger; nil means that there are
	// none.
	Functions Invoker
	// Codes takes the codes that Cognito would mail; nil drops them.
	Codes func(Code)
	// Reserved tells that the gateway itself is called by a name, which no custom
	// domain may have then. nil reserves none.
	Reserved func(name string) bool
	// NewKey makes a signing key; nil means userpool.NewSigningKey.
	NewKey func(random io.Reader) (*userpool.SigningKey, error)
	// Random is where ids and secrets come from; nil means crypto/rand.
	Random io.Reader
	// Log takes what goes wrong; nil discards it.
	Log *slog.Logger
}

// A Code is what Cognito would send to a user.
type Code struct {
	UserPoolID, Username string
	// Attribute is where it would go to, "email" or "phone_number", and
	// Destination the address.
	Attribute, Destination string
	// Purpose is what it is for: "sign-up", "password" or "attribute".
	Purpose string
	Text    string
}

// A Service is the API. Close it when no more calls come.
type Service struct {
	api.Unimplemented

	store     Store
	directory *Directory
	functions Invoker
	codes     func(Code)
	reserved  func(name string) bool
	newKey    func(io.Reader) (*userpool.SigningKey, error)
	random    io.Reader
	log       *slog.Logger

	hasher   *userpool.Hasher
	srp      *userpool.SRP
	tickets  *userpool.Tickets
	attempts userpool.Attempts

	// making are the pools whose signing keys are being made, by id.
	mu     sync.Mutex
	making map[string]*keyMaking
	makers sync.WaitGroup
}

var _ api.Operations = (*Service)(nil)

// New returns the service.
func New(opts Options) (*Service, error) {
	if opts.Random == nil {
		opts.Random = rand.Reader
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.NewKey == nil {
		opts.NewKey = userpool.NewSigningKey
	}
	if opts.Codes == nil {
		opts.Codes = func(Code) {}
	}
	hasher, err := userpool.NewHasher(opts.Random)
	if err != nil {
		return nil, err
	}
	return &Service{
		store: opts.Store, directory: opts.Directory, functions: opts.Functions, codes: opts.Codes, reserved: opts.Reserved,
		newKey: opts.NewKey, random: opts.Random, log: opts.Log,
		hasher: hasher, srp: userpool.NewSRP(opts.Random), tickets: userpool.NewTickets(opts.Sealer),
		making: map[string]*keyMaking{},
	}, nil
}

// Close waits for the signing keys that are being made.
func (s *Service) Close() { s.makers.Wait() }

func scopeOf(c *awswire.Call) store.Scope { return store.Scope{Account: c.Account, Region: c.Region} }

// now is the time of the call; Cognito's times have milliseconds.
func now(c *awswire.Call) *time.Time { return new(c.Time.UTC().Truncate(time.Millisecond)) }

func invalid(message string) error       { return api.NewInvalidParameterException(message) }
func notAuthorized(message string) error { return api.NewNotAuthorizedException(message) }
func notFound(message string) error      { return api.NewResourceNotFoundException(message) }
func limitExceeded(message string) error { return api.NewLimitExceededException(message) }

// busy is the answer of what waits for its turn to check a password.
func busy(err error) error {
	if errors.Is(err, userpool.ErrBusy) {
		return api.NewTooManyRequestsException("Too many requests")
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

// or is the value given, or the default.
func or[T any](p *T, otherwise T) *T {
	if p == nil {
		return &otherwise
	}
	return p
}

// awsCode is the code of an error that is AWS's.
func awsCode(err error) (string, bool) {
	var e *awswire.Error
	if !errors.As(err, &e) {
		return "", false
	}
	return e.Code, true
}
