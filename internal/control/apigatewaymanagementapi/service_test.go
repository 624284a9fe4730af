package apigatewaymanagementapi

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/apigatewaymanagementapi"
	"gatehouse/internal/awswire"
)

const (
	testID  = "R1kmxc2VNjMCFIA="
	account = "123456789012"
)

// fakeConnections has one connection, testID of the stage dev of API a1.
type fakeConnections struct {
	posted []string
	closed int
	fail   error
	agent  string
}

func (f *fakeConnections) find(at awswire.APIStage, id string) error {
	if f.fail != nil {
		return f.fail
	}
	if at != (awswire.APIStage{Account: account, APIID: "a1", Stage: "dev"}) || id != testID {
		return ErrGone
	}
	return nil
}

func (f *fakeConnections) Post(at awswire.APIStage, id string, message []byte) error {
	if err := f.find(at, id); err != nil {
		return err
	}
	f.posted = append(f.posted, string(message))
	return nil
}

func (f *fakeConnections) Get(at awswire.APIStage, id string) (Connection, error) {
	if err := f.find(at, id); err != nil {
		return Connection{}, err
	}
	return Connection{
		ConnectedAt: time.UnixMilli(1587481700123), LastActiveAt: time.UnixMilli(1587481760000), SourceIP: "192.0.2.1", UserAgent: f.agent,
	}, nil
}

func (f *fakeConnections) Close(at awswire.APIStage, id string) error {
	if err := f.find(at, id); err != nil {
		return err
	}
	f.closed++
	return nil
}

// open accepts every signature, as a gateway on loopback does.
func open(f *fakeConnections) *awswire.Handler {
	return awswire.NewHandler(awswire.Options{
		Services: []*awswire.Service{api.NewService(New(f, 0))},
		Auth:     awswire.Auth{Open: true}, Account: account, Region: "eu-west-1",
		RequestID: func() string { return "id" },
	})
}

const authorization = "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature=" +
	"0000000000000000000000000000000000000000000000000000000000000000"

func call(h http.Handler, at awswire.APIStage, method, target, body string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "a1.execute-api.example.com"
	r.Header.Set("Authorization", authorization)
	r.Header.Set("X-Amz-Date", "20260101T000000Z")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	r = r.WithContext(context.WithoutCancel(r.Context()))
	if at != (awswire.APIStage{}) {
		r = r.WithContext(awswire.WithAPIStage(r.Context(), at))
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestCalls(t *testing.T) {
	dev := awswire.APIStage{Account: account, APIID: "a1", Stage: "dev"}
	prod := awswire.APIStage{Account: account, APIID: "a1", Stage: "prod"}
	foreign := awswire.APIStage{Account: "999999999999", APIID: "a1", Stage: "dev"}
	const here = "/dev/@connections/R1kmxc2VNjMCFIA%3D"
	for _, test := range []struct {
		name           string
		fail           error
		at             awswire.APIStage
		method, target string
		body           string
		status         int
		errorType      string
		answer         string
		posted         string
	}{
		{"post", nil, dev, "POST", here, "hello", 200, "", "", "hello"},
		{"post, nothing encoded", nil, dev, "POST", "/dev/@connections/" + testID, "hello", 200, "", "", "hello"},
		{"post, all encoded", nil, dev, "POST", "/dev/%40connections/R1kmxc2VNjMCFIA%3D", "hello", 200, "", "", "hello"},
		{"post in a path form", nil, dev, "POST", "/_aws/execute-api/a1" + here, "hello", 200, "", "", "hello"},
		{"post of the longest", nil, dev, "POST", here, strings.Repeat("a", MaxMessageBytes), 200, "", "", strings.Repeat("a", MaxMessageBytes)},
		{"post of too much", nil, dev, "POST", here, strings.Repeat("a", MaxMessageBytes+1), 413, "PayloadTooLargeException", `{"message":"Message too long"}`, ""},
		{"get", nil, dev, "GET", here, "", 200, "", `{"connectedAt":"2020-04-21T15:08:20Z","identity":{"sourceIp":"192.0.2.1"},"lastActiveAt":"2020-04-21T15:09:20Z"}`, ""},
		{"delete", nil, dev, "DELETE", here, "", 204, "", "", ""},
		{"gone", ErrGone, dev, "POST", here, "x", 410, "GoneException", "{}", ""},
		{"gone, get", ErrGone, dev, "GET", here, "", 410, "GoneException", "{}", ""},
		{"gone, delete", ErrGone, dev, "DELETE", here, "", 410, "GoneException", "{}", ""},
		{"another stage's", nil, prod, "POST", here, "x", 410, "GoneException", "{}", ""},
		{"full", ErrLimited, dev, "POST", here, "x", 429, "LimitExceededException", `{"message":"Rate exceeded"}`, ""},
		{"no stage", nil, awswire.APIStage{}, "POST", "/@connections/" + testID, "x", 403, "", "", ""},
		{"another account's", nil, foreign, "POST", here, "x", 403, "ForbiddenException", `{"message":"Forbidden"}`, ""},
		{"no id", nil, dev, "GET", "/dev/@connections/abc", "", 400, "BadRequestException", `{"message":"Invalid connectionId: abc"}`, ""},
		{"bytes that aren't base64", nil, dev, "GET", "/dev/@connections/R1kmxc2VN%20MCFIA=", "", 400, "BadRequestException", `{"message":"Invalid connectionId: R1kmxc2VN MCFIA="}`, ""},
		{"another method", nil, dev, "PUT", here, "", 404, "UnknownOperationException", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := &fakeConnections{fail: test.fail}
			resp := call(open(f), test.at, test.method, test.target, test.body)
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got := spelled(resp.Header, "x-amzn-ErrorType"); resp.StatusCode != test.status || test.errorType != "" && (len(got) != 1 || got[0] != test.errorType) {
				t.Errorf("%d %v", resp.StatusCode, resp.Header)
			}
			if test.answer != "" && string(body) != test.answer || test.status < 400 && test.answer == "" && len(body) > 0 {
				t.Errorf("body %s, want %s", body, test.answer)
			}
			if got := strings.Join(f.posted, "|"); got != test.posted {
				t.Errorf("posted %.100q", got)
			}
			if deleted := test.status == 204; deleted != (f.closed == 1) {
				t.Errorf("closed %d times", f.closed)
			}
		})
	}
}

func TestUserAgent(t *testing.T) {
	f := &fakeConnections{agent: "ws"}
	resp := call(open(f), awswire.APIStage{Account: account, APIID: "a1", Stage: "dev"}, "GET", "/dev/@connections/"+testID, "")
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(body), `"identity":{"sourceIp":"192.0.2.1","userAgent":"ws"}`) {
		t.Errorf("%s, %v", body, err)
	}
}

// Callers must be known: nobody is on a stage without a signature, and a page in
// a browser never is.
func TestRefused(t *testing.T) {
	dev := awswire.APIStage{Account: account, APIID: "a1", Stage: "dev"}
	strict := awswire.NewHandler(awswire.Options{Services: []*awswire.Service{api.NewService(New(&fakeConnections{}, 0))}, Account: account})
	const here = "/dev/@connections/R1kmxc2VNjMCFIA%3D"
	for _, test := range []struct {
		name    string
		h       http.Handler
		headers []string
	}{
		{"unsigned", open(&fakeConnections{}), []string{"Authorization", ""}},
		{"an unknown key", strict, nil},
		{"for another service", open(&fakeConnections{}), []string{"Authorization", strings.Replace(authorization, "execute-api", "apigateway", 1)}},
		{"from a page", open(&fakeConnections{}), []string{"Origin", "https://example.com"}},
		{"from a page of the same site", open(&fakeConnections{}), []string{"Sec-Fetch-Site", "same-origin"}},
	} {
		if resp := call(test.h, dev, "POST", here, "x", test.headers...); resp.StatusCode < 400 {
			t.Errorf("%s: %d", test.name, resp.StatusCode)
		}
	}
}

// nobody takes every message.
type nobody struct{ fakeConnections }

func (*nobody) Post(awswire.APIStage, string, []byte) error { return nil }

func BenchmarkPost(b *testing.B) {
	h := awswire.NewHandler(awswire.Options{
		Services: []*awswire.Service{api.NewService(New(&nobody{}, 0))},
		Auth:     awswire.Auth{Open: true}, Account: account, Region: "eu-west-1", MaxBodyBytes: 1 << 20,
	})
	dev := awswire.APIStage{Account: account, APIID: "a1", Stage: "dev"}
	b.ReportAllocs()
	for b.Loop() {
		if resp := call(h, dev, "POST", "/dev/@connections/R1kmxc2VNjMCFIA%3D", "hello"); resp.StatusCode != 200 {
			b.Fatal(resp.Status)
		}
	}
}

// spelled are the values of a header that has exactly this name.
func spelled(headers http.Header, name string) []string {
	for key, values := range headers {
		if key == name {
			return values
		}
	}
	return nil
}
