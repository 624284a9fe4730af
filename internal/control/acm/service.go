package acm

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"time"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// An Issuer signs certificates. One that is an [Adviser] or a [Revoker], too, is
// asked for that.
type Issuer interface {
	// Issue returns the certificate that is ordered, and after it those that lead
	// to a root, in DER. Its error may be a [Refusal] or a [Delay].
	Issue(ctx context.Context, o Order) ([][]byte, error)
}

// An Order is what an Issuer is to sign.
type Order struct {
	// Names are the certificate's, in lower case; the first is the one asked for.
	Names []string
	// Key makes the certificate's key and notes that an attempt begins. It is to
	// be called once the issuer knows that it can try.
	Key func() (crypto.Signer, error)
	// Replaces is the certificate whose place the new one takes, where the issuer
	// is known to have signed it; nil otherwise.
	Replaces *x509.Certificate
}

// A Revoker is an issuer that can tell the world that a certificate isn't good
// any more.
type Revoker interface {
	// Revoke revokes a certificate for one of ACM's reasons. To revoke one that
	// is revoked is no error.
	Revoke(ctx context.Context, leaf *x509.Certificate, key crypto.Signer, reason string) error
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
	// OrdersPerHour is what a patient issuer allows an hour, which the accounts that
	// order share; zero is 100.
	OrdersPerHour int
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
	// making has room for the keys that are made at a time: RSA keys take a tenth of
	// a second of a processor each, which traffic needs as well.
	making chan struct{}

	// mu guards what is below it.
	mu sync.Mutex
	// running is what goes on, by a certificate's ARN or [advising], with a channel
	// that is closed at its end.
	running map[string]chan struct{}
	// held are certificates that there was nothing to be done for, by ARN, and
	// until when nobody looks again.
	held map[string]time.Time
	// shares are what accounts ordered.
	shares shares
	// forgotten is when old requests were forgotten.
	forgotten time.Time

	// hurried are certificates, by ARN, that may be tried before their time. It guards
	// itself.
	hurried sync.Map

	ctx     context.Context // ends with the service
	wake    chan struct{}
	stop    context.CancelFunc
	workers sync.WaitGroup
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
	if o.OrdersPerHour <= 0 {
		o.OrdersPerHour = ordersPerHour
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
		making:  make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
		running: map[string]chan struct{}{}, held: map[string]time.Time{},
		shares: shares{perHour: o.OrdersPerHour, orders: map[string][]time.Time{}, told: map[string]time.Time{}},
		ctx:    ctx, stop: stop, wake: make(chan struct{}, 1),
	}
	s.workers.Go(func() { s.run(o.Every) })
	return s
}

// Close ends what is being issued and waits for it.
func (s *Service) Close() {
	s.stop()
	s.workers.Wait()
}

// run starts what is to be done, and looks again when something of it ended.
func (s *Service) run(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		s.start()
		if err := s.forgetRequests(s.ctx); err != nil && s.ctx.Err() == nil {
			s.log.Error("old requests of certificates couldn't be forgotten", "error", err)
		}
		select {
		case <-s.wake:
		case <-tick.C:
		case <-s.ctx.Done():
			return
		}
	}
}

// Wake has the service look at once.
func (s *Service) Wake() {
	s.mu.Lock()
	clear(s.held)
	s.mu.Unlock()
	s.look()
}

func (s *Service) look() {
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
