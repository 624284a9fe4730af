package sigv4

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// What a Signer makes is what Authorization makes, and what Verify takes.
func TestSigner(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	header := http.Header{"X-Amz-Date": {Timestamp(at)}, "Content-Type": {"application/x-amz-json-1.0"}}
	r := &Request{Method: "POST", Path: "/a%20b//c/../d", Query: "b=2&a=1%2F", Host: "queue.example", Header: func(name string) []string { return header.Values(name) }}
	c := Check{BodyHash: Hash([]byte("{}"))}
	names := []string{"content-type", "host", "x-amz-date"}
	var s Signer
	for _, keys := range []Keys{{AccessKeyID: "AKID", Secret: "secret"}, {AccessKeyID: "AKID", Secret: "another"}} {
		for _, rule := range []PathRule{EncodeTwice, EncodeOnce} {
			c.Path = rule
			want := Authorization(r, keys, "eu-west-1", "sqs", at, []string{"content-type"}, c)
			for range 2 { // the second time the key is kept
				if got := string(s.Append(nil, r, keys, "eu-west-1", "sqs", Timestamp(at), names, c)); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			}
		}
	}
}

func TestSignerForgets(t *testing.T) {
	var s Signer
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for i := range 2 * maxDerived {
				secret := strconv.Itoa(i % (maxDerived + 7))
				if s.key(derivation{secret, "20260304", "r", "s"}) == nil {
					t.Error("no key")
				}
			}
		})
	}
	wait.Wait()
	if n := len(*s.derived.Load()); n > maxDerived+1 {
		t.Errorf("%d keys are kept, want no more than %d", n, maxDerived)
	}
}

func BenchmarkSigner(b *testing.B) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	values := map[string][]string{"x-amz-date": {Timestamp(at)}, "content-type": {"application/x-amz-json-1.0"}, "x-amz-target": {"DynamoDB_20120810.PutItem"}}
	r := &Request{Method: "POST", Path: "/", Host: "dynamodb.us-east-1.amazonaws.com", Header: func(name string) []string { return values[name] }}
	c := Check{BodyHash: Hash([]byte(strings.Repeat("x", 200)))}
	names := []string{"content-type", "host", "x-amz-date", "x-amz-target"}
	keys := Keys{AccessKeyID: "AKID", Secret: "secret"}
	b.Run("kept", func(b *testing.B) {
		var s Signer
		dst := make([]byte, 0, 512)
		b.ReportAllocs()
		for b.Loop() {
			dst = s.Append(dst[:0], r, keys, "us-east-1", "dynamodb", "20260304T050607Z", names, c)
		}
	})
	b.Run("derived", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Authorization(r, keys, "us-east-1", "dynamodb", at, names[:1], c)
		}
	})
}
