package oidc

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/url"
	"runtime"
	"sync"
	"time"
	"weak"
)

// Own are the issuers of this gateway itself, whose keys need no network.
type Own interface {
	// Keys returns the JSON Web Key Set of an issuer; ok is false for the issuers
	// of others. It must not block for long.
	Keys(issuer string) (jwks []byte, ok bool)
}

// Options are what a KeySets works with.
type Options struct {
	// Own may be nil: all issuers are others'.
	Own Own
	// RootCAs sign for issuers; nil are the system's.
	RootCAs *x509.CertPool
	// PlainHosts are hosts, with or without a port, whose issuers are reached by
	// http. Those on loopback are anyway.
	PlainHosts []string
	// Logger takes what goes wrong. Nil is silence.
	Logger *slog.Logger
	// Clock is time.Now if nil.
	Clock func() time.Time
}

// KeySets has the key sets of issuers by their name. It outlives plans.
type KeySets struct {
	own     Own
	fetcher *fetcher
	log     *slog.Logger
	clock   func() time.Time

	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
	// byIssuer holds the sets that some authorizer has; the others are collected.
	byIssuer map[string]weak.Pointer[KeySet]
}

// NewKeySets returns an empty KeySets. Close ends what it runs.
func NewKeySets(o Options) *KeySets {
	s := &KeySets{
		own: o.Own, fetcher: newFetcher(o.RootCAs, o.PlainHosts), log: o.Logger, clock: o.Clock,
		byIssuer: map[string]weak.Pointer[KeySet]{},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Close ends the fetches that are under way and waits for them.
func (s *KeySets) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.running.Wait()
	return nil
}

// Issuer returns the key set of an issuer. There is one for as long as somebody
// has it; it fetches nothing before it is asked for a key.
func (s *KeySets) Issuer(issuer string) *KeySet {
	s.mu.Lock()
	defer s.mu.Unlock()
	if set := s.byIssuer[issuer].Value(); set != nil {
		return set
	}
	set := &KeySet{owner: s, issuer: issuer}
	s.byIssuer[issuer] = weak.Make(set)
	runtime.AddCleanup(set, s.forget, issuer)
	return set
}

// forget drops a set that nobody has any more, unless there is another one.
func (s *KeySets) forget(issuer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byIssuer[issuer].Value() == nil {
		delete(s.byIssuer, issuer)
	}
}

// CheckIssuer says why tokens of an issuer can never be verified, whatever the
// network is like. AWS has one message for all reasons, which doesn't tell of the
// gateway's own way out, so the log does.
func (s *KeySets) CheckIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	if err != nil {
		return err
	}
	if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return errors.New("it has a query or a fragment")
	}
	err = s.fetcher.check(u)
	var plain *plainHTTP
	if errors.As(err, &plain) {
		s.log.Warn("an issuer of tokens was refused, as on AWS: plain http is for issuers on loopback", "issuer", issuer, "fix", "gatehouse serve "+plain.fix())
	}
	return err
}

// Prefetch fetches the keys of an issuer in the background; if they can't be
// had, a warning says so.
func (s *KeySets) Prefetch(issuer string) { s.Issuer(issuer).fetch(s.clock()) }

// run runs a fetch, unless the KeySets is closed.
func (s *KeySets) run(fetch func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.running.Go(fetch)
	return true
}

// load fetches the keys of an issuer; own tells that it is one of the gateway's.
func (s *KeySets) load(issuer string) (keys []material, own bool, err error) {
	if s.own != nil {
		if document, ok := s.own.Keys(issuer); ok {
			keys, err = parseKeys(document)
			return keys, true, err
		}
	}
	keys, err = s.fetcher.keys(s.ctx, issuer)
	if err != nil {
		s.log.Warn("the keys of an issuer of tokens can't be fetched", "issuer", issuer, "error", err)
	}
	return keys, false, err
}
