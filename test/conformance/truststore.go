package conformance

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Truststore is the versions of an object in S3, which the runner plays.
type Truststore []TruststoreVersion

// A TruststoreVersion is what one of them consists of.
type TruststoreVersion struct {
	// Has are names of certificates.
	Has []string `yaml:"has"`
	// Text stands in front of them.
	Text string `yaml:"text"`
}

// makeTruststore puts the versions of a truststore into the bucket.
func (s *scene) makeTruststore(name string) (*object, error) {
	key := s.world.unique() + "-" + name + ".pem"
	o := &object{uri: s.world.Bucket.uri(key)}
	for _, version := range s.setup.Truststores[name] {
		text := version.Text
		for _, name := range version.Has {
			c, err := s.certificate(name)
			if err != nil {
				return nil, err
			}
			text += c.pem()
		}
		o.versions = append(o.versions, text)
	}
	s.world.Bucket.put(key, o)
	return o, nil
}

// value is the URI, or the id of a version, the first of which is 1.
func (o *object) value(attribute string) (string, bool) {
	if attribute == "" {
		return o.uri, true
	}
	n, err := strconv.Atoi(attribute)
	return versionID(n), err == nil && n > 0 && n <= len(o.versions)
}

func versionID(n int) string { return fmt.Sprintf("version-%d", n) }

// A bucket is one of S3, as far as reading goes. Objects are at
// /conformance/KEY, their versions in versionId.
type bucket struct {
	url    string
	server *http.Server

	mu      sync.Mutex
	objects map[string]*object
}

// An object is one with versions, of which the last is the newest.
type object struct {
	uri      string
	versions []string
}

const bucketName = "conformance"

// newBucket serves a bucket.
func newBucket(listen string) (*bucket, error) {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	b := &bucket{url: "http://" + l.Addr().String(), objects: map[string]*object{}}
	b.server = &http.Server{Handler: b, ReadHeaderTimeout: time.Minute}
	go b.server.Serve(l) //nolint:errcheck // it ends with an error always
	return b, nil
}

func (b *bucket) close() { _ = b.server.Close() }

func (b *bucket) uri(key string) string { return "s3://" + bucketName + "/" + key }

func (b *bucket) put(key string, o *object) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.objects[key] = o
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key, ours := strings.CutPrefix(r.URL.Path, "/"+bucketName+"/")
	o := b.objects[key]
	if r.Method != http.MethodGet || !ours || o == nil {
		http.Error(w, "<Error><Code>NoSuchKey</Code></Error>", http.StatusNotFound)
		return
	}
	wanted := r.URL.Query().Get("versionId")
	for i := len(o.versions); i > 0; i-- {
		if wanted == "" || wanted == versionID(i) {
			w.Header().Set("X-Amz-Version-Id", versionID(i))
			_, _ = w.Write([]byte(o.versions[i-1]))
			return
		}
	}
	http.Error(w, "<Error><Code>NoSuchVersion</Code></Error>", http.StatusNotFound)
}
