package conformance

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

var (
	signedAt    = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	credentials = aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", SessionToken: "token/+="}
)

// TestSign compares signatures with those of AWS's own signer.
func TestSign(t *testing.T) {
	for _, text := range []string{
		"GET /test/a",
		"GET /test/a?b=2&a=1&a=0&c&d=%20x%2F&e=caf%C3%A9",
		"GET /test/a%20b%2Bc/caf%C3%A9",
		"POST /test/a\nX-Two: a   b\nContent-Type: text/plain\n\na body",
	} {
		for _, presigned := range []bool{false, true} {
			got, err := (&Sign{Presigned: presigned}).request(text, "api.example", "us-east-1", credentials, signedAt)
			if err != nil {
				t.Fatal(err)
			}
			signed, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(requestBytes(got, "api.example")))))
			if err != nil {
				t.Fatal(err)
			}
			if want := signedByAWS(t, text, presigned); signatureOf(signed) != want {
				t.Errorf("%q, presigned %t: got signature %s, want %s\n%s", text, presigned, signatureOf(signed), want, got)
			}
		}
	}
}

// signedByAWS is the signature that AWS's signer makes for the text of a
// request.
func signedByAWS(t *testing.T, text string, presigned bool) string {
	t.Helper()
	req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(requestBytes(text, "api.example")))))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	req.URL.Scheme, req.URL.Host = "https", "api.example"
	req.ContentLength = 0 // as a header it would be signed, which clients don't have to
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if !presigned {
		if err := v4.NewSigner().SignHTTP(context.Background(), credentials, req, hash, "execute-api", "us-east-1", signedAt); err != nil {
			t.Fatal(err)
		}
		return signatureOf(req)
	}
	q := req.URL.Query()
	q.Set("X-Amz-Expires", "300")
	req.URL.RawQuery = q.Encode()
	target, _, err := v4.NewSigner().PresignHTTP(context.Background(), credentials, req, hash, "execute-api", "us-east-1", signedAt, func(o *v4.SignerOptions) { o.DisableHeaderHoisting = true })
	if err != nil {
		t.Fatal(err)
	}
	if req.URL, err = url.Parse(target); err != nil {
		t.Fatal(err)
	}
	return signatureOf(req)
}

func signatureOf(r *http.Request) string {
	if s := r.URL.Query().Get("X-Amz-Signature"); s != "" {
		return s
	}
	_, s, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
	return s
}

func TestSignTampers(t *testing.T) {
	none := ""
	for _, test := range []struct {
		name string
		sign Sign
		// has and hasn't are parts of the signed text.
		has, hasnt string
	}{
		{"header", Sign{}, "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260304/us-east-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token;x-mine, Signature=", "X-Amz-Content-Sha256"},
		{"query", Sign{Presigned: true}, "&X-Amz-Expires=300&X-Amz-SignedHeaders=host%3Bx-mine&X-Amz-Security-Token=token%2F%2B%3D&X-Amz-Signature=", "Authorization"},
		{"scope", Sign{Service: "s3", Region: "eu-west-1", Date: "20200101"}, "/20200101/eu-west-1/s3/aws4_request", "execute-api"},
		{"skew", Sign{Skew: -60}, "X-Amz-Date: 20260304T050507Z", "20260304T050607Z"},
		{"date", Sign{DateHeader: "Date"}, "\nDate: Wed, 04 Mar 2026 05:06:07 GMT\n", "X-Amz-Date:"},
		{"payload", Sign{Payload: "UNSIGNED-PAYLOAD"}, "\nX-Amz-Content-Sha256: UNSIGNED-PAYLOAD\n", "\nX-Amz-Content-Sha256: e3b0"},
		{"unsigned header", Sign{Unsigned: []string{"X-Mine"}}, "SignedHeaders=host;x-amz-date;x-amz-security-token, ", ";x-mine"},
		{"key", Sign{Key: "OTHER"}, "Credential=OTHER/", "AKIDEXAMPLE"},
		{"no token", Sign{Token: &none}, "SignedHeaders=host;x-amz-date;x-mine, ", "X-Amz-Security-Token"},
		{"regions", Sign{Regions: "us-east-1,eu-*"}, "Authorization: AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/20260304/execute-api/aws4_request, SignedHeaders=host;x-amz-date;x-amz-region-set;x-amz-security-token;x-mine, Signature=30", "HMAC"},
		{"regions in a query", Sign{Regions: "*", Presigned: true}, "X-Amz-Region-Set=%2A", "HMAC"},
		{"altered", Sign{Altered: map[string]string{"X-Mine: 1": "X-Mine: 2"}}, "X-Mine: 2", "X-Mine: 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.sign.request("GET /?a=b\nX-Mine: 1", "h", "us-east-1", credentials, signedAt)
			if err != nil || !strings.Contains(got, test.has) || strings.Contains(got, test.hasnt) {
				t.Errorf("%v\n%s", err, got)
			}
		})
	}
	if got, err := (&Sign{Altered: map[string]string{"nowhere": ""}}).request("GET /", "h", "r", credentials, signedAt); err == nil {
		t.Errorf("what isn't there was altered: %s", got)
	}
}

// TestAsymmetricKey derives the key of the credentials in AWS's signing suite.
func TestAsymmetricKey(t *testing.T) {
	key, err := asymmetricKey(aws.Credentials{AccessKeyID: "AKISORANDOMAASORANDOM", SecretAccessKey: "q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom"})
	if err != nil {
		t.Fatal(err)
	}
	const want = "7fd3bd010c0d9c292141c2b77bfbde1042c92e6836fff749d1269ec890fca1bd"
	if d, err := key.Bytes(); err != nil || hex.EncodeToString(d) != want {
		t.Errorf("got %x, %v, want %s", d, err, want)
	}
}

// TestChunks signs AWS's published example of a body in chunks.
func TestChunks(t *testing.T) {
	v := &signature{
		Sign: &Sign{Chunk: 65536}, credentials: aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"},
		time: time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC), scope: "20130524/us-east-1/s3/aws4_request",
		latest: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
	}
	got := v.chunks(strings.Repeat("a", 66560))
	for _, want := range []string{
		"10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\naa",
		"\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\naa",
		"\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s isn't there", want)
		}
	}
}
