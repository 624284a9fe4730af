package acmeissuer

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

const (
	// orderTimeout is how long an order may take, from the account to the
	// certificate, and callTimeout what is one request or two.
	orderTimeout = 5 * time.Minute
	callTimeout  = time.Minute
	// pollInterval is the usual Options.PollInterval.
	pollInterval = time.Second
)

// Options say which authority signs, and how names are proven to it.
type Options struct {
	// Dir is where the account's key is kept; it is made if missing.
	Dir string
	// Directory is the URL of the authority's directory.
	Directory string
	// Email is whom the authority may write to; "" gives none. Whoever configures
	// an authority agrees to its terms.
	Email string
	// Binding is the account that the operator has at the authority otherwise;
	// nil for an authority that wants none.
	Binding *Binding
	// Profile is the authority's profile of certificates; "" is its default.
	Profile string
	// RootCAs are what the directory's own certificate is checked against; nil is
	// the system's.
	RootCAs *x509.CertPool
	// OnlyTLS tells that no plain HTTP comes in on a port of its own: names are
	// proven over TLS first.
	OnlyTLS bool
	// Records are the DNS records that the gateway answers; nil means that it
	// answers none, and no names with a star can be proven.
	Records Records
	// LookupCNAME asks the world's DNS where a name leads, "" for nowhere else.
	// It may be nil where Records is.
	LookupCNAME func(ctx context.Context, name string) (string, error)
	// PollInterval is how often the authority is asked how far it is, where it
	// doesn't say how often it wants to be; zero is a second.
	PollInterval time.Duration
	// Log takes what no caller is told; nil discards it.
	Log *slog.Logger
}

// An Issuer orders certificates. It is safe for concurrent use.
type Issuer struct {
	options    Options
	transport  *http.Transport
	challenges *Challenges

	mu      sync.Mutex
	account *acme.Account // nil until the first order

	// failures counts the ways in which names couldn't be proven, so that
	// another is tried next. It guards itself.
	failures failures
}

// New returns an issuer; it calls nobody yet.
func New(o Options) *Issuer {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.PollInterval <= 0 {
		o.PollInterval = pollInterval
	}
	return &Issuer{options: o, challenges: &Challenges{}, transport: &http.Transport{
		Proxy:           http.ProxyFromEnvironment,
		TLSClientConfig: &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: 20 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
	}}
}

// Challenges are what listeners answer the authority with.
func (i *Issuer) Challenges() *Challenges { return i.challenges }

// Close drops the connections to the authority.
func (i *Issuer) Close() { i.transport.CloseIdleConnections() }

// ErrWildcard tells that names with a star can't be proven: that takes DNS
// records, and none that the gateway answers are asked for.
var ErrWildcard = errors.New("names with a star are proven by DNS records")

// A Later is what an authority says that wants to be left alone for a time.
type Later struct {
	Wait time.Duration
	Err  error
}

func (l *Later) Error() string { return l.Err.Error() }

// Unwrap returns the cause.
func (l *Later) Unwrap() error { return l.Err }

// Issue orders a certificate for the names and returns it and its chain in DER.
// key is called before anything is asked of the authority. replaces is the
// certificate that the new one takes the place of, nil for none. What the
// authority says is an error that [ProblemOf] knows, or a [Later].
func (i *Issuer) Issue(ctx context.Context, names []string, key func() (crypto.Signer, error), replaces *x509.Certificate) ([][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, orderTimeout)
	defer cancel()
	places, err := i.places(ctx, names)
	if err != nil {
		return nil, err
	}
	private, err := key()
	if err != nil {
		return nil, err
	}
	o := order{Issuer: i, names: names, places: places, replaces: replaces}
	o.client, o.pause = i.client()
	ders, err := o.place(ctx, private)
	if ProblemOf(err) == "accountDoesNotExist" {
		// It lost its memory, or is another one at the same address.
		i.forget(o.account)
		ders, err = o.place(ctx, private)
	}
	if err != nil {
		return nil, o.pause.wrap(fmt.Errorf("order at %s: %w", i.options.Directory, err))
	}
	return ders, nil
}

// ProblemOf is what an authority called an error: the last part of the problem's
// type, as in "caa" or "rejectedIdentifier" (RFC 8555, 6.7); "" for one that is
// no authority's.
func ProblemOf(err error) string {
	problem, ok := problemIn(err)
	if !ok {
		return ""
	}
	return problem.Type[strings.LastIndexByte(problem.Type, ':')+1:]
}

// problemIn finds a problem, which acmez hands out by value and by pointer.
func problemIn(err error) (acme.Problem, bool) {
	if problem, ok := errors.AsType[acme.Problem](err); ok {
		return problem, true
	}
	if problem, ok := errors.AsType[*acme.Problem](err); ok && problem != nil {
		return *problem, true
	}
	return acme.Problem{}, false
}

// client returns a client for one piece of work, and what tells whether the
// authority wants to be left alone.
func (i *Issuer) client() (*acme.Client, *pause) {
	p := &pause{base: i.transport}
	return &acme.Client{
		Directory: i.options.Directory, UserAgent: "gatehouse", PollInterval: i.options.PollInterval, PollTimeout: orderTimeout,
		HTTPClient: &http.Client{Transport: p, Timeout: time.Minute},
	}, p
}
