package oauth2

import (
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatehouse/internal/awswire"
	"gatehouse/internal/control/cognitoidp"
	"gatehouse/internal/userpool"
)

// Options are what a Site works with.
type Options struct {
	Pools     *cognitoidp.Service   // required
	Directory *cognitoidp.Directory // required
	// Sealer encrypts visits and codes.
	Sealer userpool.Sealer // required
	// Region is that of the domains which the path form names.
	Region string
	// Clock tells the time; nil is time.Now.
	Clock func() time.Time
	// Log takes what goes wrong; nil discards it.
	Log *slog.Logger
}

// A Site serves the domains of all user pools.
type Site struct {
	pools     *cognitoidp.Service
	directory *cognitoidp.Directory
	tickets   *userpool.Tickets
	region    string
	clock     func() time.Time
	log       *slog.Logger
	// codes is the purpose of the codes of this process. That a code was used is
	// in memory only, so a code doesn't outlive the process either.
	codes string
}

// New returns a site.
func New(o Options) *Site {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	var process [16]byte
	_, _ = rand.Read(process[:]) // never fails
	return &Site{
		pools: o.Pools, directory: o.Directory, tickets: userpool.NewTickets(o.Sealer), region: o.Region, clock: o.Clock, log: o.Log,
		codes: "cognito-code/" + hex.EncodeToString(process[:]),
	}
}

// Serves tells whether a request is for the domain of a user pool, or for one of the
// public documents of any at cognito-idp.{region}.*. host has no port; path is as it
// came.
func (s *Site) Serves(host, path string) bool {
	if _, ok := cognitoidp.AddressOf(host, path); ok {
		return true
	}
	if _, _, ok := prefixHost(host); ok || strings.HasPrefix(path, cognitoidp.DomainPath) {
		return true
	}
	_, ok := s.directory.Domain(hostName(host), "")
	return ok
}

// prefixHost reads {prefix}.auth.{region}.{anything}.
func prefixHost(host string) (prefix, region string, ok bool) {
	label := strings.SplitN(host, ".", 4)
	if len(label) != 4 || label[0] == "" || label[3] == "" || !strings.EqualFold(label[1], "auth") || !isRegion(label[2]) {
		return "", "", false
	}
	return strings.ToLower(label[0]), strings.ToLower(label[2]), true
}

// isRegion tells whether a label has the form of a region's name, as in
// us-gov-west-1.
func isRegion(label string) bool {
	part := strings.Split(label, "-")
	if len(part) < 3 {
		return false
	}
	last := part[len(part)-1]
	return len(part[0]) == 2 && len(last) == 1 && last[0] >= '0' && last[0] <= '9'
}

// place finds the pool that a request is for, what stands before the paths of its
// endpoints, and the path behind that.
func (s *Site) place(r *http.Request) (p *cognitoidp.Pool, base, path string, ok bool) {
	host := (&url.URL{Host: r.Host}).Hostname()
	if prefix, region, is := prefixHost(host); is {
		p, ok = s.directory.Domain(prefix, region)
		return p, "", r.URL.Path, ok
	}
	if after, is := strings.CutPrefix(r.URL.Path, cognitoidp.DomainPath); is {
		name, _, _ := strings.Cut(after, "/")
		region := s.region
		if strings.Contains(name, ".") {
			region = "" // a custom domain
		}
		p, ok = s.directory.Domain(name, region)
		return p, cognitoidp.DomainPath + name, after[len(name):], ok
	}
	p, ok = s.directory.Domain(hostName(host), "")
	return p, "", r.URL.Path, ok
}

// document reads a request for a public document of a pool: by AWS's address, below
// the pool's own domain, or, for pools without one, below the path form with the
// pool's id. That has an underscore, which no domain has.
func (s *Site) document(r *http.Request) (at cognitoidp.Address, ok bool) {
	before, document, ok := cognitoidp.WellKnown(r.URL.Path)
	if !ok {
		return at, false
	}
	if at, ok = cognitoidp.AddressOf((&url.URL{Host: r.Host}).Hostname(), r.URL.Path); ok {
		return at, true
	}
	if id, is := strings.CutPrefix(before, cognitoidp.DomainPath); is && strings.Contains(id, "_") && !strings.Contains(id, "/") {
		return cognitoidp.Address{PoolID: id, Document: document, Path: before}, true
	}
	p, base, _, ok := s.place(r)
	if !ok || base != before {
		return at, false
	}
	return cognitoidp.Address{PoolID: p.ID, Document: document, Path: base, Own: true}, true
}

// hostName is a host as a custom domain is kept.
func hostName(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// A visitor is a request to a pool's domain.
type visitor struct {
	*Site
	w    http.ResponseWriter
	r    *http.Request
	pool *cognitoidp.Pool
	// base is what stands before the paths of the endpoints.
	base string
	call *awswire.Call
}

// ServeHTTP answers what Serves says is the site's.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := &visitor{Site: s, w: w, r: r}
	if at, ok := s.document(r); ok {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			s.pools.ServeDocument(w, r, at)
			return
		}
		w.Header().Set("Allow", "GET, HEAD")
		v.shown(http.StatusMethodNotAllowed, "This document isn't for "+r.Method+".")
		return
	}
	p, base, path, ok := s.place(r)
	if !ok {
		v.shown(http.StatusNotFound, "There is no user pool with this domain.")
		return
	}
	v.pool, v.base = p, base
	v.call = &awswire.Call{
		Context: r.Context(), Account: p.Scope.Account, Region: p.Scope.Region, Host: r.Host, Secure: r.TLS != nil, SourceIP: r.RemoteAddr,
		Time: s.clock().UTC(),
	}
	e, ok := endpoints[path]
	if !ok {
		v.shown(http.StatusNotFound, "There is no such page.")
		return
	}
	switch {
	case e.open && r.Method == http.MethodOptions && r.Header["Origin"] != nil:
		v.preflight(e)
	case e.allows(r.Method):
		if e.open {
			// As on AWS: these take no cookies, so a page of another origin can do no
			// more here than anybody.
			w.Header().Set("Access-Control-Allow-Origin", "*")
		}
		e.serve(v)
	default:
		w.Header().Set("Allow", e.methods)
		v.shown(http.StatusMethodNotAllowed, "This page isn't for "+r.Method+".")
	}
}

// An endpoint is one of a domain.
type endpoint struct {
	methods string
	// open lets pages of other origins call it.
	open  bool
	serve func(*visitor)
}

func (e endpoint) allows(method string) bool {
	for m := range strings.SplitSeq(e.methods, ", ") {
		if m == method {
			return true
		}
	}
	return false
}

var endpoints = map[string]endpoint{
	"/oauth2/authorize":      {"GET, HEAD", false, (*visitor).authorize},
	"/oauth2/token":          {"POST", true, (*visitor).token},
	"/oauth2/userInfo":       {"GET, HEAD, POST", true, (*visitor).userInfo},
	"/oauth2/revoke":         {"POST", true, (*visitor).revoke},
	"/login":                 {"GET, HEAD, POST", false, (*visitor).login},
	"/challenge":             {"POST", false, (*visitor).challenge},
	"/signup":                {"GET, HEAD, POST", false, (*visitor).signUp},
	"/confirmUser":           {"GET, HEAD, POST", false, (*visitor).confirm},
	"/forgotPassword":        {"GET, HEAD, POST", false, (*visitor).forgot},
	"/confirmForgotPassword": {"GET, HEAD, POST", false, (*visitor).confirmForgot},
	"/logout":                {"GET, HEAD", false, (*visitor).logout},
}

func (v *visitor) preflight(e endpoint) {
	h := v.w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	h.Set("Access-Control-Allow-Methods", e.methods)
	h.Set("Access-Control-Max-Age", "7200")
	v.w.WriteHeader(http.StatusNoContent)
}

// value is what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
