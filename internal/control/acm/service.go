package acm

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// An Issuer signs certificates.
type Issuer interface {
	// Issue returns a certificate of the key for the names, and after it those
	// that lead to a root, in DER. The first name is the one asked for, the
	// others are further ones.
	Issue(ctx context.Context, key crypto.Signer, names []string) ([][]byte, error)
}

// A Validator tells whether the record that proves a name is there.
type Validator interface {
	Validated(record api.ResourceRecord) bool
}

// Options are what a Service works with.
type Options struct {
	Store *store.Store
	// Directory must be among what the store tells of its transactions.
	Directory *Directory
	Issuer    Issuer
	// Patient is set for an issuer whose answer takes long: a certificate is
	// issued after the answer to its request, and not at once.
	Patient bool
	// Validator is asked before a certificate with DNS validation is issued. Nil
	// means that nobody has to prove anything.
	Validator Validator
	// Clock tells the time of what no call asked for; nil means time.Now.
	Clock func() time.Time
	// Every is how often the service looks for what is to be issued or renewed;
	// zero means a minute.
	Every time.Duration
	// Random is where keys and ids come from; nil means crypto/rand.
	Random io.Reader
	// Log takes what no caller can be told; nil discards it.
	Log *slog.Logger
}

// A Service is the API. Close it when no more calls come.
type Service struct {
	api.Unimplemented

	store     *store.Store
	directory *Directory
	issuer    Issuer
	patient   bool
	validator Validator
	clock     func() time.Time
	random    io.Reader
	log       *slog.Logger

	// keeping is held while certificates are looked after. It guards attempts,
	// those that failed, by ARN, and when old requests were forgotten.
	keeping   sync.Mutex
	attempts  map[string]attempt
	forgotten time.Time

	wake chan struct{}
	stop context.CancelFunc
	done chan struct{}
}

var _ api.Operations = (*Service)(nil)

// New returns the service and starts what issues and renews. Close stops it.
func New(o Options) *Service {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Every <= 0 {
		o.Every = time.Minute
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Service{
		store: o.Store, directory: o.Directory, issuer: o.Issuer, patient: o.Patient, validator: o.Validator,
		clock: o.Clock, random: o.Random, log: o.Log,
		attempts: map[string]attempt{}, wake: make(chan struct{}, 1), stop: stop, done: make(chan struct{}),
	}
	go s.run(ctx, o.Every)
	return s
}

// Close ends what is being issued and waits for it.
func (s *Service) Close() {
	s.stop()
	<-s.done
}

func (s *Service) run(ctx context.Context, every time.Duration) {
	defer close(s.done)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := s.Keep(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("looking after certificates failed", "error", err)
		}
		select {
		case <-s.wake:
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Wake has the service look at once, as after a record of a hosted zone changed.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default: // it will look anyway
	}
}

func scopeOf(c *awswire.Call) store.Scope { return store.Scope{Account: c.Account, Region: c.Region} }

// second is a time as ACM has it.
func second(t time.Time) *time.Time { return new(t.UTC().Truncate(time.Second)) }

func arnOf(scope store.Scope, id string) string {
	return arn.ARN{
		Partition: arn.Partition(scope.Region), Service: "acm", Region: scope.Region, Account: scope.Account, Resource: "certificate/" + id,
	}.String()
}

// idOf is the id in a certificate's ARN, which must be one of the caller's.
func idOf(c *awswire.Call, text *string) (string, error) {
	a, err := arn.Parse(value(text))
	id, ok := strings.CutPrefix(a.Resource, "certificate/")
	if err != nil || !ok || a.Service != "acm" {
		return "", api.NewInvalidArnException("Invalid ARN: " + value(text)) // UNVERIFIED wording
	}
	if a.Account != c.Account || a.Region != c.Region || a.Partition != arn.Partition(c.Region) {
		return "", notFound(value(text))
	}
	return id, nil
}

// view reads a certificate of the caller's.
func (s *Service) view(c *awswire.Call, certificateARN *string) (doc *definition.Certificate, err error) {
	id, err := idOf(c, certificateARN)
	if err != nil {
		return nil, err
	}
	err = s.store.View(c, func(tx *store.Tx) error {
		doc, err = get(tx, scopeOf(c), id)
		return err
	})
	return doc, err
}

// change writes what f makes of a certificate of the caller's.
func (s *Service) change(c *awswire.Call, certificateARN *string, f func(d *definition.Certificate) error) error {
	id, err := idOf(c, certificateARN)
	if err != nil {
		return err
	}
	return s.store.Update(c, func(tx *store.Tx) error {
		doc, err := get(tx, scopeOf(c), id)
		if err != nil {
			return err
		}
		if err := f(doc); err != nil {
			return err
		}
		return definition.Certificates.Put(tx, scopeOf(c), doc, id)
	})
}

func get(tx *store.Tx, scope store.Scope, id string) (*definition.Certificate, error) {
	doc, err := definition.Certificates.Get(tx, scope, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, notFound(arnOf(scope, id))
	}
	return doc, err
}

func notFound(certificateARN string) error {
	return api.NewResourceNotFoundException("Could not find certificate " + certificateARN + ".")
}

func invalid(message string) error { return api.NewValidationException(message) }

// value is what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// or is the value given, or the default.
func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
