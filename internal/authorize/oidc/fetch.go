package oidc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// What AWS allows an issuer.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
const (
	fetchTimeout = 1500 * time.Millisecond
	maxDocument  = 150_000
)

const (
	discoveryPath = "/.well-known/openid-configuration"
	maxRedirects  = 3
	// maxHead bounds the head of an answer.
	maxHead = 32 << 10
)

var (
	// ErrDiscovery tells that an issuer's discovery document couldn't be had,
	// ErrKeys that its key set couldn't.
	ErrDiscovery = errors.New("OIDC discovery endpoint communication error")
	ErrKeys      = errors.New("JWKS communication error")
)

// A fetcher gets documents of issuers.
type fetcher struct {
	client *http.Client
	// plain are the hosts that may be reached by http, besides loopback's.
	plain []string
}

func newFetcher(roots *x509.CertPool, plain []string) *fetcher {
	f := &fetcher{plain: plain}
	f.client = &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            dial,
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			MaxResponseHeaderBytes: maxHead,
			// A key set is fetched once an hour.
			DisableKeepAlives: true,
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return fmt.Errorf("more than %d redirects", maxRedirects)
			}
			return f.follow(via[len(via)-1].URL, req.URL)
		},
	}
	return f
}

// dial connects. Names that end in .localhost are this machine, which most
// resolvers don't know.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	if host, port, err := net.SplitHostPort(address); err == nil && strings.HasSuffix(strings.ToLower(host), ".localhost") {
		address = net.JoinHostPort("localhost", port)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// plainHTTP is that an issuer would have to be reached without TLS.
type plainHTTP struct{ host string }

// Error says what lets it be.
func (p *plainHTTP) Error() string {
	return "plain http is for issuers on loopback; to trust the network between, start the gateway with " + p.fix()
}

func (p *plainHTTP) fix() string { return "--jwt-http-issuer " + p.host }

// check says why an address of an issuer mustn't be called.
func (f *fetcher) check(u *url.URL) error {
	switch {
	case u.Host == "" || u.Hostname() == "":
		return errors.New("it has no host")
	case u.User != nil:
		return errors.New("it has credentials in it")
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return errors.New("its scheme isn't https")
	case isLoopback(u.Hostname()), slices.ContainsFunc(f.plain, func(host string) bool {
		return strings.EqualFold(host, u.Host) || strings.EqualFold(host, u.Hostname())
	}):
		return nil
	}
	return &plainHTTP{u.Host}
}

// follow says why one address mustn't lead to another: from TLS nothing leads
// out of it, so that whoever can't forge the issuer can't forge its keys.
func (f *fetcher) follow(from, to *url.URL) error {
	if from.Scheme == "https" && to.Scheme != "https" {
		return errors.New("it leads from https to " + to.Scheme)
	}
	return f.check(to)
}

// isLoopback tells whether a host is this machine by its name alone.
func isLoopback(host string) bool {
	host = strings.ToLower(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// keys fetches the keys of an issuer by discovery. UNVERIFIED: that AWS doesn't
// mind which issuer the document names, as that of Microsoft's common endpoint.
func (f *fetcher) keys(ctx context.Context, issuer string) ([]material, error) {
	address, err := url.Parse(strings.TrimSuffix(issuer, "/") + discoveryPath)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDiscovery, err)
	}
	if err := f.check(address); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDiscovery, address, err)
	}
	text, err := f.get(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDiscovery, err)
	}
	var document struct {
		KeysURI string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDiscovery, address, err)
	}
	if document.KeysURI == "" {
		return nil, fmt.Errorf("%w: %s has no jwks_uri", ErrDiscovery, address)
	}
	target, err := url.Parse(document.KeysURI)
	if err != nil {
		return nil, fmt.Errorf("%w: jwks_uri: %w", ErrKeys, err)
	}
	if err := f.follow(address, target); err != nil {
		return nil, fmt.Errorf("%w: jwks_uri %s: %w", ErrKeys, target, err)
	}
	if text, err = f.get(ctx, target); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	keys, err := parseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrKeys, target, err)
	}
	return keys, nil
}

// get fetches a document within the bounds of time and size.
func (f *fetcher) get(ctx context.Context, address *url.URL) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "gatehouse")
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: status %d", address, resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	if len(body) > maxDocument {
		return nil, fmt.Errorf("%s: more than %d bytes", address, maxDocument)
	}
	return body, nil
}
