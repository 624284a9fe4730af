package s3object

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatehouse/internal/awswire/sigv4"
)

// Options are what a Store works with.
type Options struct {
	// Endpoint is its URL; buckets are the first segment of the path.
	Endpoint string
	// Region is that of the signatures.
	Region string
	// Keys are what requests are signed with; those without an id sign none. nil is
	// none.
	Keys func(now time.Time) (sigv4.Keys, error)
	// RootCAs are the authorities of https endpoints; nil is the system's.
	RootCAs *x509.CertPool
	// Clock tells the time; nil is time.Now.
	Clock func() time.Time
}

// A Store reads objects. It may be used by several goroutines.
type Store struct {
	Options
	endpoint *url.URL
	client   *http.Client
}

// New makes a store, or says why its endpoint can't be one.
func New(o Options) (*Store, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Keys == nil {
		o.Keys = func(time.Time) (sigv4.Keys, error) { return sigv4.Keys{}, nil }
	}
	endpoint, err := url.Parse(o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("the S3 endpoint: %w", err)
	}
	if endpoint.Scheme != "http" && endpoint.Scheme != "https" || endpoint.Host == "" || endpoint.RawQuery != "" {
		return nil, fmt.Errorf("the S3 endpoint %q is no http or https URL", o.Endpoint)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: o.RootCAs}
	// What is read is read seldom.
	transport.DisableKeepAlives = true
	return &Store{o, endpoint, &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// ErrTooLong tells that an object is longer than its reader wants.
var ErrTooLong = errors.New("the object is too long")

// A Refusal is the store's answer when there is no object to read.
type Refusal struct {
	Status int
	// Code is S3's, as in "NoSuchKey"; "" if the answer has none.
	Code string
}

func (r *Refusal) Error() string { return "S3 answers " + http.StatusText(r.Status) }

// Get reads an object of most bytes at the most. version "" is the last one. Its
// errors are Refusals, ErrTooLong and what the network or the keys say; none of them
// repeats what the store wrote. How long it may take is the context's.
func (s *Store) Get(ctx context.Context, bucket, key, version string, most int64) (object []byte, err error) {
	if !IsBucket(bucket) || climbs(key) {
		return nil, &Refusal{Status: http.StatusNotFound, Code: "NoSuchKey"}
	}
	path := strings.TrimSuffix(s.endpoint.EscapedPath(), "/") + "/" + bucket + "/" + escapeKey(key)
	query := ""
	if version != "" {
		query = "versionId=" + url.QueryEscape(version)
	}
	target := *s.endpoint
	target.User = nil
	target.Path, err = url.PathUnescape(path)
	if err != nil {
		return nil, err // can't be: it was escaped here
	}
	target.RawPath, target.RawQuery = path, query
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, err
	}
	if err := s.sign(req, path, query); err != nil {
		return nil, err
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if res.StatusCode != http.StatusOK {
		return nil, &Refusal{Status: res.StatusCode, Code: errorCode(res.Body)}
	}
	if res.ContentLength > most {
		return nil, ErrTooLong
	}
	object, err = io.ReadAll(io.LimitReader(res.Body, most+1))
	if err == nil && int64(len(object)) > most {
		err = ErrTooLong
	}
	return object, err
}

// maxErrorBytes bounds what is read of an error.
const maxErrorBytes = 64 << 10

// errorCode reads the code of S3's error, which is a word; anything else is none.
func errorCode(body io.Reader) string {
	var answer struct{ Code string }
	if err := xml.NewDecoder(io.LimitReader(body, maxErrorBytes)).Decode(&answer); err != nil || len(answer.Code) > 64 {
		return ""
	}
	for _, c := range answer.Code {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return ""
		}
	}
	return answer.Code
}

// amzDate is the form of X-Amz-Date.
const amzDate = "20060102T150405Z"

func (s *Store) sign(req *http.Request, path, query string) error {
	at := s.Clock().UTC()
	keys, err := s.Keys(at)
	if err != nil || keys.AccessKeyID == "" {
		return err
	}
	signed := []string{"x-amz-content-sha256"}
	req.Header.Set("X-Amz-Date", at.Format(amzDate))
	req.Header.Set("X-Amz-Content-Sha256", sigv4.EmptyHash)
	if keys.Token != "" {
		req.Header.Set("X-Amz-Security-Token", keys.Token)
		signed = append(signed, "x-amz-security-token")
	}
	req.Header.Set("Authorization", sigv4.Authorization(&sigv4.Request{
		Method: req.Method, Path: path, Query: query, Host: req.URL.Host,
		Header: func(name string) []string {
			if name == "host" {
				return []string{req.URL.Host}
			}
			return req.Header.Values(name)
		},
	}, keys, s.Region, "s3", at, signed, sigv4.Check{Path: sigv4.EncodeOnce}))
	return nil
}

// climbs tells whether a key has a segment by which some stores would leave the
// bucket.
func climbs(key string) bool {
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// escapeKey escapes a key as S3's canonical path has it: all but unreserved
// characters and slashes.
func escapeKey(key string) string {
	var b strings.Builder
	for i := range len(key) {
		c := key[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~/", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

// IsBucket tells what may be a bucket's name: nothing that would change the path.
func IsBucket(name string) bool {
	if len(name) < 3 || len(name) > 63 || strings.Contains(name, "..") {
		return false
	}
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return name[0] != '.' && name[0] != '-'
}
