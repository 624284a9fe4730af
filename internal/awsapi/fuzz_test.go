package awsapi_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

const openAuth = "AWS4-HMAC-SHA256 Credential=test/20260607/us-east-1/SERVICE/aws4_request, SignedHeaders=host;x-amz-date, Signature=x"

// throw sends foreign bytes as a root call. Whatever they are, the answer may
// refuse or be missing, but never be an internal failure.
func throw(t testing.TB, h http.Handler, service, method, target string, header http.Header, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	req := &http.Request{Method: method, RequestURI: target, URL: &url.URL{Path: "/"}, Host: "localhost", Header: header.Clone(),
		Body: http.NoBody, ContentLength: int64(len(body)), RemoteAddr: "127.0.0.1:1"}
	if len(body) > 0 {
		req.Body = readCloser{bytes.NewReader(body)}
	}
	req.Header.Set("Authorization", strings.Replace(openAuth, "SERVICE", service, 1))
	req.Header.Set("X-Amz-Date", "20260607T080910Z")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req.WithContext(t.Context()))
	if w.Code >= 500 && w.Code != 501 {
		t.Fatalf("%s %s %q: %d %s", method, target, body, w.Code, w.Body)
	}
	return w
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

func FuzzREST(f *testing.F) {
	f.Add("POST", "/restapis", []byte(`{"name":"n","endpointConfiguration":{"types":["REGIONAL"]},"tags":{"a":null},"version":1e400}`))
	f.Add("PUT", "/restapis/a/resources/%zz/methods/GET/integration", []byte(`{"type":[],"timeoutInMillis":3.5}`))
	f.Add("DELETE", "/tags/arn:aws:apigateway:::/restapis/a?tagKeys=%", []byte(nil))
	f.Add("PATCH", "/restapis/a/", []byte(`{"patchOperations":[null,{"op":"replace"},7]}`))
	f.Add("POST", "/v2/apis", []byte(`{"name":"x","protocolType":"HTTP","corsConfiguration":{"maxAge":99999999999999}}`))
	f.Add("GET", "http://localhost/v2/apis/a?x", []byte(`null`))
	h := newHandler(nil)
	f.Fuzz(func(t *testing.T, method, target string, body []byte) {
		throw(t, h, "apigateway", method, target, http.Header{"Content-Type": {"application/json"}}, body)
	})
}

func FuzzAWSJSON(f *testing.F) {
	f.Add("Logs_20140328.DescribeLogGroups", []byte(`{"logGroupNamePrefix":"a","limit":3}`))
	f.Add("Logs_20140328.CreateLogGroup", []byte(`{"logGroupName":["a"],"tags":{"a":{"b":1}}}`))
	f.Add("Logs_20140328.PutLogEvents", []byte(`{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":-1,"message":"\ud800"}]}`))
	f.Add("..", []byte(`{`))
	h := newHandler(nil)
	f.Fuzz(func(t *testing.T, target string, body []byte) {
		throw(t, h, "logs", "POST", "/", http.Header{"X-Amz-Target": {target}, "Content-Type": {"application/x-amz-json-1.1"}}, body)
	})
}

func FuzzQuery(f *testing.F) {
	f.Add([]byte("Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument=%7B%7D&Tags.member.1.Key=a&Tags.member.1.Value=b"))
	f.Add([]byte("Action=CreateRole&Tags.member.99999999999999999999.Key=a&Tags=&Tags.member=x&MaxSessionDuration=1.5"))
	f.Add([]byte("Action=GetRole&RoleName.a.b.c=1&RoleName=&%"))
	f.Add([]byte("Action=PutAccountProperties&Properties.entry.1.key=a&Properties.entry.1.value=b"))
	h := newHandler(nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		throw(t, h, "iam", "POST", "/", form(), body)
	})
}
