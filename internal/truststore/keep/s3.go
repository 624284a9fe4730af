package keep

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"gatehouse/internal/awswire/sigv4"
)

// S3 is a store that speaks S3's GetObject.
type S3 struct {
	// Endpoint is its URL; buckets are the first segment of the path.
	Endpoint string
	Region   string
	// AccessKeyID and Secret sign requests; without them none is signed.
	AccessKeyID, Secret string
}

// amzDate is the form of X-Amz-Date.
const amzDate = "20060102T150405Z"

// getObject reads an object. What it says is for who asked, so it doesn't repeat
// what the store answered.
func (k *Keeper) getObject(ctx context.Context, bucket, key, version string) (text []byte, err error) {
	path := strings.TrimSuffix(k.endpoint.EscapedPath(), "/") + "/" + bucket + "/" + escapeKey(key)
	query := ""
	if version != "" {
		query = "versionId=" + url.QueryEscape(version)
	}
	target := *k.endpoint
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
	if k.S3.AccessKeyID != "" {
		k.sign(req, path, query)
	}
	res, err := k.Client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("The truststore cannot be read from S3: %w", err)
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("The truststore s3://%s/%s cannot be read: S3 answers %s", bucket, key, http.StatusText(res.StatusCode))
	}
	return readAll(res.Body)
}

func (k *Keeper) sign(req *http.Request, path, query string) {
	at := k.Clock().UTC()
	req.Header.Set("X-Amz-Date", at.Format(amzDate))
	req.Header.Set("X-Amz-Content-Sha256", sigv4.EmptyHash)
	req.Header.Set("Authorization", sigv4.Authorization(&sigv4.Request{
		Method: req.Method, Path: path, Query: query, Host: req.URL.Host,
		Header: func(name string) []string {
			if name == "host" {
				return []string{req.URL.Host}
			}
			return req.Header.Values(name)
		},
	}, sigv4.Keys{AccessKeyID: k.S3.AccessKeyID, Secret: k.S3.Secret}, k.S3.Region, "s3", at, []string{"x-amz-content-sha256"}, sigv4.Check{Path: sigv4.EncodeOnce}))
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

// bucketName tells what may be a bucket: nothing that would change the path.
func bucketName(name string) bool {
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
