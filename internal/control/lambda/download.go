package lambda

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/codestore"
)

// CodePathPrefix begins the addresses that GetFunction and GetLayerVersion give
// out. The management listener hands requests below it to [Service.ServeCode].
const CodePathPrefix = "/_gatehouse/lambda/code/"

// codePath is the address of a zip, good until expires.
func (s *Service) codePath(digest string, expires time.Time) string {
	until := strconv.FormatInt(expires.Unix(), 10)
	return CodePathPrefix + digest + "?expires=" + until + "&signature=" + hex.EncodeToString(s.sign(digest, until))
}

// sign is what makes an address unguessable: code may hold secrets. The key is
// this process's own, so addresses don't outlive it.
func (s *Service) sign(digest, until string) []byte {
	mac := hmac.New(sha256.New, s.urlKey)
	mac.Write([]byte(digest + "\n" + until))
	return mac.Sum(nil)
}

// ServeCode answers downloads of code. It needs no credentials: the address is
// signed, as an S3 presigned one would be.
func (s *Service) ServeCode(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	digest := strings.TrimPrefix(r.URL.Path, CodePathPrefix)
	query := r.URL.Query()
	until := query.Get("expires")
	signature, err := hex.DecodeString(query.Get("signature"))
	expires, numErr := strconv.ParseInt(until, 10, 64)
	if err != nil || numErr != nil || !hmac.Equal(signature, s.sign(digest, until)) || s.now().Unix() > expires {
		http.Error(w, "the address isn't valid, or not any more; ask GetFunction for a fresh one", http.StatusForbidden)
		return
	}
	hash, err := codestore.ParseHash(digest)
	if err != nil {
		http.Error(w, "no such code", http.StatusNotFound)
		return
	}
	zip, err := s.code.Open(hash)
	if err != nil {
		s.log.Error("code can't be read", "digest", digest, "error", err)
		http.Error(w, "no such code", http.StatusNotFound)
		return
	}
	defer zip.Close() //nolint:errcheck // only read
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", time.Time{}, zip)
}
