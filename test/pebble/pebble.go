// Package pebble runs Pebble, Let's Encrypt's authority for tests, inside a test,
// with a small DNS for the world that it asks. Nothing of it is in the gateway.
package pebble

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/core"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
)

// Paths of Pebble's, for counting and breaking.
const (
	NewAccount  = "/sign-me-up"
	NewOrder    = "/order-plz"
	Finalize    = "/finalize-order/"
	Challenge   = "/chalZ/"
	Account     = "/my-account/"
	Revoke      = "/revoke-cert"
	RenewalInfo = "/draft-ietf-acme-ari-03/renewalInfo/"
)

// Options say what the authority is like.
type Options struct {
	// HTTPPort and TLSPort are where it looks for names.
	HTTPPort, TLSPort int
	// Resolver is the DNS it asks, HOST:PORT.
	Resolver string
	// Bindings are the keys of accounts that it demands, by their ids; nil demands
	// none.
	Bindings map[string]string
	// Profiles are its profiles by name, in seconds that a certificate is good;
	// nil is one of 90 days.
	Profiles map[string]uint64
}

// An Authority is one that runs. It must be told what it is like by Serve before
// it is asked anything.
type Authority struct {
	// Directory is the URL of its directory, Roots a file with the root of the
	// certificate that it is served with.
	Directory, Roots string
	// DB is what it knows. Serve makes it.
	DB *db.MemoryStore

	pebble atomic.Pointer[http.Handler]
	broken atomic.Pointer[func(w http.ResponseWriter, r *http.Request) (answered bool)]
	mu     sync.Mutex
	counts map[string]int
}

// Start starts an authority, which ends with the test.
func Start(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{counts: map[string]int{}}
	server := httptest.NewTLSServer(a)
	t.Cleanup(server.Close)
	a.Directory, a.Roots = server.URL+wfe.DirectoryPath, filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(a.Roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// Serve begins anew with what the options say: nobody is known any more.
func (a *Authority) Serve(t *testing.T, o Options) {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "0")
	t.Setenv("PEBBLE_AUTHZREUSE", "0")
	quiet, known := log.New(io.Discard, "", 0), db.NewMemoryStore()
	profiles := map[string]ca.Profile{}
	for name, seconds := range o.Profiles {
		profiles[name] = ca.Profile{Description: name, ValidityPeriod: seconds}
	}
	if o.Profiles == nil {
		profiles["default"] = ca.Profile{}
	}
	for id, key := range o.Bindings {
		if err := known.AddExternalAccountKeyByID(id, key); err != nil {
			t.Fatal(err)
		}
	}
	authority := ca.New(quiet, known, "", "ecdsa", 0, 1, profiles)
	handler := wfe.New(quiet, known, va.New(quiet, o.HTTPPort, o.TLSPort, false, o.Resolver, known), authority, []string{"pebble.test"}, false, len(o.Bindings) > 0, 0, 0)
	served := handler.Handler()
	a.DB = known
	a.pebble.Store(&served)
}

// Break has requests answered by f instead, where it does.
func (a *Authority) Break(f func(w http.ResponseWriter, r *http.Request) (answered bool)) {
	a.broken.Store(&f)
}

// Mend ends that.
func (a *Authority) Mend() { a.broken.Store(nil) }

// Count is how many requests came for a path, or below one that ends in a slash.
func (a *Authority) Count(path string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for p, count := range a.counts {
		if p == path || strings.HasSuffix(path, "/") && strings.HasPrefix(p, path) {
			n += count
		}
	}
	return n
}

// Total is how many requests came.
func (a *Authority) Total() int { return a.Count("/") }

// ServeHTTP answers for Pebble.
func (a *Authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.counts[r.URL.Path]++
	a.mu.Unlock()
	if id, is := strings.CutPrefix(r.URL.Path, Finalize); is {
		spend(a.DB.GetOrderByID(id))
	}
	if f := a.broken.Load(); f != nil && (*f)(w, r) {
		return
	}
	(*a.pebble.Load()).ServeHTTP(w, r)
}

// spend has the authorizations of an order serve no other: of those that are valid,
// Pebble takes one in a hundred again when it is told to take none.
func spend(o *core.Order) {
	if o == nil {
		return
	}
	for _, authorization := range o.AuthorizationObjects {
		authorization.Lock()
		authorization.Order = nil
		authorization.Unlock()
	}
}
