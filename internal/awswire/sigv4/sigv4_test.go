package sigv4_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"gatehouse/internal/awswire/sigv4"
)

const (
	suiteKey    = "AKIDEXAMPLE"
	suiteSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

var suiteTime = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)

// request builds what is signed from a method, target and header lines.
func request(method, target string, headers ...string) *sigv4.Request {
	path, query, _ := strings.Cut(target, "?")
	h := http.Header{}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ":")
		h.Add(name, value)
	}
	host := h.Get("Host")
	h.Del("Host")
	return &sigv4.Request{Method: method, Path: path, Query: query, Host: host, Header: func(n string) []string { return h.Values(n) }}
}

// The cases are those of AWS's published signature test suite, by their names.
func TestSuite(t *testing.T) {
	tests := []struct {
		name, method, target string
		headers              []string
		body                 string
		signed, signature    string
	}{
		{"get-vanilla", "GET", "/", nil, "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-vanilla-query-order-key-case", "GET", "/?Param2=value2&Param1=value1", nil, "", "host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{"get-header-value-trim", "GET", "/", []string{"My-Header1: value1", `My-Header2: "a   b   c"`}, "", "host;my-header1;my-header2;x-amz-date", "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
		{"get-unreserved", "GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", nil, "", "host;x-amz-date", "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
		{"get-utf8", "GET", "/\u1234", nil, "", "host;x-amz-date", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
		{"get-relative", "GET", "/example/..", nil, "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-slash-dot-slash", "GET", "/./", nil, "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-slashes", "GET", "//example//", nil, "", "host;x-amz-date", "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
		{"post-vanilla", "POST", "/", nil, "", "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{"post-x-www-form-urlencoded", "POST", "/", []string{"Content-Type: application/x-www-form-urlencoded"}, "Param1=value1", "content-type;host;x-amz-date", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request(tt.method, tt.target, append(tt.headers, "Host:example.amazonaws.com", "X-Amz-Date:20150830T123600Z",
				"Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders="+tt.signed+", Signature="+tt.signature)...)
			s, err := sigv4.Parse(r)
			if err != nil {
				t.Fatal(err)
			}
			c := sigv4.Check{Secret: suiteSecret, Now: suiteTime, BodyHash: sigv4.Hash([]byte(tt.body)), Service: "service"}
			if err := s.Verify(r, c); err != nil {
				t.Error(err)
			}
			if err := s.Verify(r, sigv4.Check{Key: sigv4.SigningKey(suiteSecret, s.Scope), Now: suiteTime, BodyHash: c.BodyHash}); err != nil {
				t.Errorf("with a kept key: %v", err)
			}
			c.Secret += "x"
			if err := s.Verify(r, c); reason(err) != sigv4.Mismatch {
				t.Errorf("a wrong secret: %v", err)
			}
		})
	}
}

func reason(err error) sigv4.Reason {
	var e *sigv4.Error
	if !errors.As(err, &e) {
		return 255
	}
	return e.Reason
}

// received turns a client's request into what a server sees.
func received(t *testing.T, req *http.Request) *sigv4.Request {
	t.Helper()
	return &sigv4.Request{
		Method: req.Method, Path: req.URL.EscapedPath(), Query: req.URL.RawQuery, Host: req.URL.Host, ContentLength: req.ContentLength,
		Header: func(n string) []string { return req.Header.Values(n) },
	}
}

// TestAgainstSDK verifies what AWS's own signer makes of awkward requests.
func TestAgainstSDK(t *testing.T) {
	at := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	creds := aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "s3cret/+", SessionToken: "tok/en=="}
	for _, target := range []string{
		"http://127.0.0.1:4566/",
		"http://127.0.0.1:4566/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Af/invocations?Qualifier=%24LATEST",
		"http://localhost/tags/arn:aws:apigateway:us-east-1::%2Frestapis%2Fa?tagKeys=a+b&tagKeys=c%2Fd&tagKeys=",
		"http://localhost/a%20b/%E2%9C%93/~x?q=%E2%9C%93&b&a=",
		"http://localhost/prod/@connections/abc%3D",
	} {
		req, err := http.NewRequest("POST", target, bytes.NewReader([]byte("body")))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Custom", "  a   b ")
		if err := v4.NewSigner().SignHTTP(context.Background(), creds, req, sigv4.Hash([]byte("body")), "execute-api", "eu-west-1", at); err != nil {
			t.Fatal(err)
		}
		r := received(t, req)
		s, err := sigv4.Parse(r)
		if err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		if s.Token != creds.SessionToken || s.Scope.Region != "eu-west-1" || s.AccessKeyID != "AKIA" {
			t.Errorf("%s: parsed %+v", target, s)
		}
		check := sigv4.Check{Secret: creds.SecretAccessKey, Now: at.Add(time.Minute), BodyHash: sigv4.Hash([]byte("body"))}
		if err := s.Verify(r, check); err != nil {
			t.Errorf("%s: %v", target, err)
		}
		check.BodyHash = sigv4.Hash([]byte("Body"))
		if err := s.Verify(r, check); reason(err) != sigv4.Mismatch {
			t.Errorf("%s: a changed body passed: %v", target, err)
		}
	}
}

func TestPresignedAgainstSDK(t *testing.T) {
	at := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	creds := aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "s3cret/+", SessionToken: "tok/en=="}
	req, err := http.NewRequest("GET", "http://localhost/a%2Fb?x=y&X-Amz-Expires=60", nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, _, err := v4.NewSigner().PresignHTTP(context.Background(), creds, req, sigv4.EmptyHash, "sts", "eu-west-1", at)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(signed)
	if err != nil {
		t.Fatal(err)
	}
	req.URL = u
	r := received(t, req)
	s, err := sigv4.Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	if !s.Presigned || s.Token != creds.SessionToken || s.Expires != time.Minute {
		t.Errorf("parsed %+v", s)
	}
	for _, tt := range []struct {
		after time.Duration
		want  sigv4.Reason
	}{{time.Minute, 255}, {61 * time.Second, sigv4.PresignExpired}, {-16 * time.Minute, sigv4.NotYetValid}} {
		if err := s.Verify(r, sigv4.Check{Secret: creds.SecretAccessKey, Now: at.Add(tt.after)}); reason(err) != tt.want {
			t.Errorf("after %v: %v", tt.after, err)
		}
	}
}

// TestSign makes signatures that verify, in both forms.
func TestSign(t *testing.T) {
	keys := sigv4.Keys{AccessKeyID: "AKIA/odd", Secret: "x", Token: "t"}
	h := http.Header{"X-Amz-Date": {"20150830T123600Z"}, "X-Amz-Security-Token": {"t"}}
	r := &sigv4.Request{Method: "PUT", Path: "/a//b/../c", Query: "b=2&a=1&a=0", Host: "h", Header: func(n string) []string { return h.Values(n) }}
	h.Set("Authorization", sigv4.Authorization(r, keys, "r", "execute-api", suiteTime, []string{"x-amz-security-token"}, sigv4.Check{}))
	s, err := sigv4.Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(r, sigv4.Check{Secret: "x", Now: suiteTime}); err != nil {
		t.Error(err)
	}
	if s.AccessKeyID != keys.AccessKeyID || s.Token != "t" {
		t.Errorf("parsed %+v", s)
	}

	p := request("GET", "/x?z=1", "Host:h")
	p.Query = sigv4.Presign(p, keys, "r", "sts", suiteTime, time.Hour, sigv4.Check{})
	if s, err = sigv4.Parse(p); err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(p, sigv4.Check{Secret: "x", Now: suiteTime.Add(time.Hour)}); err != nil {
		t.Error(err)
	}
	p.Query = strings.Replace(p.Query, "z=1", "z=2", 1)
	if err := s.Verify(p, sigv4.Check{Secret: "x", Now: suiteTime}); reason(err) != sigv4.Mismatch {
		t.Errorf("a changed query passed: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	const scope = "AKID/20150830/us-east-1/sts/aws4_request"
	auth := func(s string) []string {
		return []string{"Host:h", "X-Amz-Date:20150830T123600Z", "Authorization:" + s}
	}
	tests := []struct {
		name    string
		r       *sigv4.Request
		want    sigv4.Reason
		message string
	}{
		{"nothing", request("GET", "/", "Host:h"), sigv4.Missing, "Missing Authentication Token"},
		{"basic", request("GET", "/", auth("Basic Zm9v")...), sigv4.Missing, "Missing Authentication Token"},
		{"another algorithm", request("GET", "/", auth("AWS4-HMAC-SHA256X Credential=a")...), sigv4.Missing, ""},
		{"empty", request("GET", "/", auth("AWS4-HMAC-SHA256 ")...), sigv4.Incomplete,
			"Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256"},
		{"no date", request("GET", "/", "Authorization:AWS4-HMAC-SHA256 Credential="+scope+", SignedHeaders=host, Signature=x"), sigv4.Incomplete,
			"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256 Credential=" + scope + ", SignedHeaders=host, Signature=x"},
		{"no equals", request("GET", "/", auth("AWS4-HMAC-SHA256 foo")...), sigv4.Incomplete,
			"Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): 'GEe0jYMop3hfLqaHcOeatHZcZs5r/XN5eRv/BF+BCvo='."},
		{"short credential", request("GET", "/", auth("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=x")...), sigv4.Incomplete, ""},
		{"terminator", request("GET", "/", auth("AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/sts/aws5, SignedHeaders=host, Signature=x")...), sigv4.WrongScope,
			"Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'."},
		{"day", request("GET", "/", auth("AWS4-HMAC-SHA256 Credential=AKID/20150829/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=x")...), sigv4.WrongScope,
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150829' != '20150830', from '20150830T123600Z'."},
		{"bad date", request("GET", "/", "X-Amz-Date:yesterday", "Authorization:AWS4-HMAC-SHA256 Credential="+scope+", SignedHeaders=host, Signature=x"), sigv4.Incomplete, ""},
		{"presigned and header", request("GET", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256", auth("AWS4-HMAC-SHA256 x=y")...), sigv4.Incomplete, ""},
		{"presigned alone", request("GET", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256", "Host:h"), sigv4.Incomplete,
			"AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters."},
		{"too long a life", request("GET", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="+scope+"&X-Amz-Signature=x&X-Amz-SignedHeaders=host&X-Amz-Date=20150830T123600Z&X-Amz-Expires=604801", "Host:h"), sigv4.Incomplete, ""},
		{"given twice", request("GET", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="+scope+"&X-Amz-Credential=b", "Host:h"), sigv4.Incomplete, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := sigv4.Parse(tt.r)
			if reason(err) != tt.want || tt.message != "" && err.Error() != tt.message {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestClock(t *testing.T) {
	keys := sigv4.Keys{AccessKeyID: "AKIA", Secret: "x"}
	h := http.Header{"X-Amz-Date": {"20150830T123600Z"}}
	r := &sigv4.Request{Method: "GET", Path: "/", Host: "h", Header: func(n string) []string { return h.Values(n) }}
	h.Set("Authorization", sigv4.Authorization(r, keys, "r", "sts", suiteTime, nil, sigv4.Check{}))
	s, err := sigv4.Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		skew time.Duration
		want string
	}{
		{"in time", 15 * time.Minute, ""},
		{"late", 15*time.Minute + time.Second, "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T125101Z - 15 min.)"},
		{"early", -15*time.Minute - time.Second, "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T122059Z + 15 min.)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := s.Verify(r, sigv4.Check{Secret: "x", Now: suiteTime.Add(tt.skew)}); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if err := s.Verify(r, sigv4.Check{Secret: "x", Now: suiteTime, Service: "iam"}); err == nil || err.Error() != "Credential should be scoped to correct service: 'iam'. " {
		t.Errorf("another service: %v", err)
	}
}

func TestUnsigned(t *testing.T) {
	for value, want := range map[string]bool{"UNSIGNED-PAYLOAD": true, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": true, sigv4.EmptyHash: false} {
		if got := sigv4.Unsigned(request("GET", "/", "X-Amz-Content-Sha256:"+value)); got != want {
			t.Errorf("%s: %v", value, got)
		}
	}
}

// FuzzParse looks for panics, and for a signature that verifies though nobody
// knew the secret.
func FuzzParse(f *testing.F) {
	f.Add("GET", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Signature=x&X-Amz-Credential=a%2F20150830%2Fr%2Fs%2Faws4_request", "", "")
	f.Add("POST", "/a/../b?c=d", "AWS4-HMAC-SHA256 Credential=a/20150830/r/s/aws4_request, SignedHeaders=host;x-amz-date, Signature=x", "20150830T123600Z")
	f.Add("GET", "/%2", "AWS4-HMAC-SHA256 Credential=,,=", "Mon, 02 Jan 2006 15:04:05 GMT")
	f.Fuzz(func(t *testing.T, method, target, auth, date string) {
		path, query, _ := strings.Cut(target, "?")
		h := http.Header{"Authorization": {auth}, "X-Amz-Date": {date}}
		r := &sigv4.Request{Method: method, Path: path, Query: query, Host: "h", Header: func(n string) []string { return h.Values(n) }}
		s, err := sigv4.Parse(r)
		if err != nil {
			if reason(err) == 255 {
				t.Errorf("not a *sigv4.Error: %v", err)
			}
			return
		}
		if s.Verify(r, sigv4.Check{Secret: "unknown to the fuzzer", Now: s.Time}) == nil {
			t.Error("verified without the secret")
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	req, err := http.NewRequest("POST", "http://localhost/prod/items/1?a=b", io.NopCloser(strings.NewReader("")))
	if err != nil {
		b.Fatal(err)
	}
	if err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "s"}, req, sigv4.EmptyHash, "execute-api", "r", suiteTime); err != nil {
		b.Fatal(err)
	}
	r := &sigv4.Request{Method: "POST", Path: "/prod/items/1", Query: "a=b", Host: "localhost", Header: func(n string) []string { return req.Header.Values(n) }}
	b.ReportAllocs()
	for b.Loop() {
		s, err := sigv4.Parse(r)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Verify(r, sigv4.Check{Secret: "s", Now: suiteTime}); err != nil {
			b.Fatal(err)
		}
	}
}

// TestUnsignedHeaders leaves out what has to be signed.
func TestUnsignedHeaders(t *testing.T) {
	for headers, want := range map[string]string{
		"x-amz-date": "'Host' must be a 'SignedHeader' in the AWS Authorization.",
		"host":       "'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization.",
	} {
		r := request("GET", "/", "Host:h", "X-Amz-Date:20150830T123600Z",
			"Authorization:AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/sts/aws4_request, SignedHeaders="+headers+", Signature=x")
		s, err := sigv4.Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Verify(r, sigv4.Check{Secret: "x", Now: suiteTime}); reason(err) != sigv4.Mismatch || err.Error() != want {
			t.Errorf("%s alone: %v", headers, err)
		}
	}
}

// TestAltered changes requests where a signature could be blind.
func TestAltered(t *testing.T) {
	keys := sigv4.Keys{AccessKeyID: "AKIA", Secret: "x"}
	verify := func(r *sigv4.Request) error {
		s, err := sigv4.Parse(r)
		if err != nil {
			return err
		}
		return s.Verify(r, sigv4.Check{Secret: "x", Now: suiteTime})
	}
	h := http.Header{"X-Amz-Date": {"20150830T123600Z"}}
	header := &sigv4.Request{Method: "GET", Path: "/", Query: "a=1", Host: "h", Header: func(n string) []string { return h.Values(n) }}
	h.Set("Authorization", sigv4.Authorization(header, keys, "r", "sts", suiteTime, nil, sigv4.Check{}))
	query := request("GET", "/", "Host:h")
	query.Query = sigv4.Presign(request("GET", "/?a=1", "Host:h"), keys, "r", "sts", suiteTime, time.Hour, sigv4.Check{})
	if err := errors.Join(verify(header), verify(query)); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		r     sigv4.Request
		query string
		want  sigv4.Reason
	}{
		{"a signature's parameter beside a header", *header, "a=1&X-Amz-Signature=x", sigv4.Mismatch},
		{"a parameter that mentions an algorithm", *header, "a=1&b=X-Amz-Algorithm=AWS4-HMAC-SHA256", sigv4.Mismatch},
		{"a signature's parameter, its name encoded", *query, query.Query + "&X-Amz-Signatur%65=x", sigv4.Mismatch},
		{"two signatures", *query, query.Query + "&X-Amz-Signature=x", sigv4.Incomplete},
		{"another value", *query, strings.Replace(query.Query, "a=1", "a=2", 1), sigv4.Mismatch},
		{"a longer life", *query, strings.Replace(query.Query, "Expires=3600", "Expires=36000", 1), sigv4.Mismatch},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.r.Query = tt.query
			if err := verify(&tt.r); reason(err) != tt.want {
				t.Errorf("got %v", err)
			}
		})
	}
	authorization := h.Get("Authorization")
	for name, values := range map[string][]string{
		"two headers":      {authorization, authorization},
		"a parameter more": {authorization + ", Credential=b"},
	} {
		h["Authorization"] = values
		if err := verify(header); reason(err) != sigv4.Incomplete {
			t.Errorf("%s: %v", name, err)
		}
	}
}
