package s3object_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/awswire/sigv4"
	"gatehouse/internal/s3object"
)

func TestGet(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed := &sigv4.Request{
			Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Host: r.Host,
			Header: func(name string) []string {
				if name == "host" {
					return []string{r.Host}
				}
				return r.Header.Values(name)
			},
		}
		signature, err := sigv4.Parse(signed)
		if err == nil {
			err = signature.Verify(signed, sigv4.Check{Secret: "secret", Now: now, Region: "eu-west-1", Service: "s3", Path: sigv4.EncodeOnce})
		}
		switch {
		case err != nil || r.Header.Get("X-Amz-Security-Token") != "token":
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>secret details</Message></Error>")
		case r.URL.Path == "/bucket/long":
			_, _ = io.WriteString(w, "0123456789")
		case r.URL.Path == "/bucket/a+b c" && r.URL.Query().Get("versionId") == "v/1":
			_, _ = io.WriteString(w, "found")
		case r.URL.Path == "/bucket/odd":
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, "<Error><Code>not a word</Code></Error>")
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>")
		}
	}))
	defer server.Close()
	open := func(secret string) *s3object.Store {
		s, err := s3object.New(s3object.Options{
			Endpoint: server.URL, Region: "eu-west-1", Clock: func() time.Time { return now },
			Keys: func(time.Time) (sigv4.Keys, error) {
				return sigv4.Keys{AccessKeyID: "AKID", Secret: secret, Token: "token"}, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, test := range []struct {
		secret, bucket, key, version, want, code string
		status                                   int
		err                                      error
	}{
		{secret: "secret", bucket: "bucket", key: "a+b c", version: "v/1", want: "found"},
		{secret: "secret", bucket: "bucket", key: "gone", status: 404, code: "NoSuchKey"},
		{secret: "secret", bucket: "bucket", key: "odd", status: 502},
		{secret: "secret", bucket: "bucket", key: "x/../../other/y", status: 404, code: "NoSuchKey"},
		{secret: "secret", bucket: "../other", key: "y", status: 404, code: "NoSuchKey"},
		{secret: "wrong", bucket: "bucket", key: "a+b c", status: 403, code: "AccessDenied"},
		{secret: "secret", bucket: "bucket", key: "long", err: s3object.ErrTooLong},
	} {
		got, err := open(test.secret).Get(t.Context(), test.bucket, test.key, test.version, 9)
		var refusal *s3object.Refusal
		switch {
		case test.want != "":
			if err != nil || string(got) != test.want {
				t.Errorf("%s: %q, %v", test.key, got, err)
			}
		case test.err != nil:
			if !errors.Is(err, test.err) {
				t.Errorf("%s: %v, want %v", test.key, err, test.err)
			}
		case !errors.As(err, &refusal) || refusal.Status != test.status || refusal.Code != test.code || strings.Contains(err.Error(), "details"):
			t.Errorf("%s: %v, want %d %q", test.key, err, test.status, test.code)
		}
	}
	for _, endpoint := range []string{"", "ftp://x", "http://", "https://x?y", "::"} {
		if _, err := s3object.New(s3object.Options{Endpoint: endpoint}); err == nil {
			t.Errorf("the endpoint %q is taken", endpoint)
		}
	}
}

func TestKeys(t *testing.T) {
	why := errors.New("there are no keys")
	s, err := s3object.New(s3object.Options{Endpoint: "http://127.0.0.1:1", Keys: func(time.Time) (sigv4.Keys, error) { return sigv4.Keys{}, why }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "bucket", "key", "", 1); !errors.Is(err, why) {
		t.Error(err)
	}
}
