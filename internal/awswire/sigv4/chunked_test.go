package sigv4_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/awswire/sigv4"
)

// The examples are those of the developer's guide of S3, "Example: PUT Object"
// of the pages about signatures of single chunks: 66,560 letters in chunks of
// 64 KiB.
const chunkSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

var chunkTime = time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)

func chunkedRequest(form, signature, headers string, more ...string) *sigv4.Request {
	return request("PUT", "/examplebucket/chunkObject.txt", append(more,
		"Host:s3.amazonaws.com", "X-Amz-Date:20130524T000000Z", "X-Amz-Storage-Class:REDUCED_REDUNDANCY", "X-Amz-Content-Sha256:"+form,
		"Content-Encoding:aws-chunked", "X-Amz-Decoded-Content-Length:66560",
		"Authorization:AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders="+headers+",Signature="+signature)...)
}

func TestChunks(t *testing.T) {
	letters := strings.Repeat("a", 66560)
	plain := "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" + letters[:65536] + "\r\n" +
		"400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" + letters[:1024] + "\r\n" +
		"0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"
	trailed := "10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n" + letters[:65536] + "\r\n" +
		"400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n" + letters[:1024] + "\r\n" +
		"0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n" +
		"x-amz-checksum-crc32c:sOO8/Q==\r\n" +
		"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"
	const (
		signed  = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
		trailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	)
	tests := []struct {
		name, form, body string
		want             string
	}{
		{"signed", signed, plain, letters},
		{"with a trailer", trailer, trailed, letters},
		{"another letter", signed, strings.Replace(plain, "aaaa\r\n0;", "aaab\r\n0;", 1), ""},
		{"chunks in another order", signed, plain[65536+90:], ""},
		{"cut off", signed, plain[:65536+90], ""},
		{"no last chunk", signed, plain[:strings.LastIndex(plain, "0;chunk")], ""},
		{"something behind", signed, plain + "x", ""},
		{"another trailer", trailer, strings.Replace(trailed, "sOO8", "sOO9", 1), ""},
		{"a trailer left out", trailer, strings.Replace(trailed, "x-amz-checksum-crc32c:sOO8/Q==\r\n", "", 1), ""},
		{"no trailer", trailer, plain, ""},
		{"a trailer's signature left out", trailer, trailed[:strings.Index(trailed, "x-amz-trailer")] + "\r\n", ""},
		{"not in chunks", signed, letters, ""},
		{"nothing", signed, "", ""},
		{"a size beyond the end", signed, "ffffffff;chunk-signature=x\r\n", ""},
		{"events", "STREAMING-AWS4-HMAC-SHA256-EVENTS", plain, ""},
		{"version 4a", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", plain, ""},
		{"unsigned chunks", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "3\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "abcde"},
		{"unsigned chunks without an end", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "3\r\nabc\r\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := chunkedRequest(signed, "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
				"content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class", "Content-Length:66824")
			if tt.form == trailer {
				r = chunkedRequest(trailer, "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
					"content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer", "X-Amz-Trailer:x-amz-checksum-crc32c")
			}
			s, err := sigv4.Parse(r)
			if err != nil {
				t.Fatal(err)
			}
			key := sigv4.SigningKey(chunkSecret, s.Scope)
			if err := s.Verify(r, sigv4.Check{Key: key, Now: chunkTime, Path: sigv4.EncodeOnce}); err != nil {
				t.Fatalf("the request itself: %v\n%s", err, explained(err))
			}
			got, err := s.Chunks(tt.form, []byte(tt.body), key)
			if string(got) != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
}

// FuzzChunks looks for panics, and for bodies that are taken though nobody
// signed them.
func FuzzChunks(f *testing.F) {
	f.Add("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", []byte("3;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\nabc\r\n0;chunk-signature=x\r\n\r\n"))
	f.Add("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", []byte("0;chunk-signature=x\r\na:b\r\nx-amz-trailer-signature:\r\n\r\n"))
	f.Add("STREAMING-UNSIGNED-PAYLOAD-TRAILER", []byte("3\r\nabc\r\n0\r\na:b\r\n\r\n"))
	f.Fuzz(func(t *testing.T, form string, body []byte) {
		was := bytes.Clone(body)
		got, err := (&sigv4.Signature{}).Chunks(form, body, []byte("key"))
		if err == nil && form != "STREAMING-UNSIGNED-PAYLOAD-TRAILER" {
			t.Errorf("%q was taken as %q", was, got)
		}
		if len(got) > len(was) {
			t.Errorf("%q grew to %q", was, got)
		}
	})
}
