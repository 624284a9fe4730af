package serve_test

import (
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
)

// traces is an execution log that keeps the lines of the last request.
type traces struct {
	mu    sync.Mutex
	lines []string
	count int
}

func (l *traces) LogExecution(x *plan.Exchange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	l.lines = nil
	for _, line := range x.Trace.Lines {
		l.lines = append(l.lines, line.Text)
	}
}

// answering is an integration that answers as it is told.
type answering struct {
	response plan.Response
	err      error
}

func (a answering) Integrate(x *plan.Exchange) error {
	x.Response.Status, x.Response.Body = a.response.Status, a.response.Body
	x.Response.Headers = append(x.Response.Headers[:0], a.response.Headers...)
	x.Integration.RequestID = "function-1"
	return a.err
}

// restMethod makes a method of a REST API.
func restMethod(t testing.TB, key string, log plan.ExecutionLogging, i plan.Integration) *plan.Route {
	r := route(t, key, i)
	r.Rest = &plan.Method{ResourceID: "r1", Log: log}
	return r
}

// await returns the lines of the n-th request, its ids masked.
func (l *traces) await(t testing.TB, n int) []string {
	t.Helper()
	uuid := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)
	extended := regexp.MustCompile(`Id: [\w-]{15}=`)
	root := regexp.MustCompile(`1-[0-9a-f]{8}-[0-9a-f]{24}`)
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		lines, count := slices.Clone(l.lines), l.count
		l.mu.Unlock()
		if count < n && time.Now().Before(deadline) {
			continue
		}
		if count != n {
			t.Fatalf("%d requests were logged, want %d", count, n)
		}
		for i, line := range lines {
			line = uuid.ReplaceAllString(line, "UUID")
			line = root.ReplaceAllString(line, "ROOT")
			lines[i] = extended.ReplaceAllString(line, "Id: EXTENDED")
		}
		return lines
	}
}

func (g *gateway) callREST(t testing.TB, method, path, body string, headers ...string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+g.addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "abc.execute-api.localhost"
	request.Header.Set("User-Agent", "test")
	request.Header.Set("Accept-Encoding", "identity")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestExecutionLogOfSuccess(t *testing.T) {
	log := &traces{}
	answer := answering{response: plan.Response{Status: 201, Body: []byte("hi"), Headers: plan.Headers{{Name: "Content-Type", Value: "text/plain"}}}}
	all := restMethod(t, "POST /pets/{id}", plan.ExecutionLogging{Level: plan.LogInfo, Data: true}, answer)
	all.Rest.ReportsTrace = true
	g := startREST(t, serve.Options{}, plan.RestStage{ExecutionLog: log, Tracing: true}, all,
		restMethod(t, "POST /brief", plan.ExecutionLogging{Level: plan.LogInfo}, answer),
		restMethod(t, "POST /errors", plan.ExecutionLogging{Level: plan.LogError, Data: true}, answer),
		restMethod(t, "POST /off", plan.ExecutionLogging{Data: true}, answer))

	g.callREST(t, "POST", "/dev/pets/a%20b?z=1&a=x%26y&z=2", `{"in": 1}`, "Authorization", "Bearer 0123456789", "X-Api-Key", "0123456789")
	want := []string{
		"Extended Request Id: EXTENDED",
		"Verifying Usage Plan for request: UUID. API Key: ****456789 API Stage: abc/dev",
		"API Key ****456789 authorized because method 'POST /pets/{id}' does not require API Key. Request will not contribute to throttle or quota limits",
		"Usage Plan check succeeded for API Key ****456789 and API Stage abc/dev",
		"Starting execution for request: UUID",
		"HTTP Method: POST, Resource Path: /pets/a%20b",
		"API Key: ****456789",
		"Method request path: {id=a b}",
		"Method request query string: {a=x&y, z=2}",
		"Method request headers: {Host=abc.execute-api.localhost, User-Agent=test, Content-Length=9, Accept-Encoding=identity, Authorization=***********456789, X-Api-Key=****456789}",
		`Method request body before transformations: {"in": 1}`,
		"Method response body after transformations: hi",
		"Method response headers: {X-Amzn-Trace-Id=Root=ROOT, Content-Type=text/plain}",
		"Successfully completed execution",
		"Method completed with status: 201",
		"AWS Integration Endpoint RequestId : function-1",
		"X-ray Tracing ID : Root=ROOT",
	}
	if got := log.await(t, 1); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	g.callREST(t, "POST", "/dev/brief", "secret")
	want = []string{
		"Extended Request Id: EXTENDED",
		"Verifying Usage Plan for request: UUID. API Key:  API Stage: abc/dev",
		"API Key  authorized because method 'POST /brief' does not require API Key. Request will not contribute to throttle or quota limits",
		"Usage Plan check succeeded for API Key  and API Stage abc/dev",
		"Starting execution for request: UUID",
		"HTTP Method: POST, Resource Path: /brief",
		"Successfully completed execution",
		"Method completed with status: 201",
		"AWS Integration Endpoint RequestId : function-1",
		"X-ray Tracing ID : Root=ROOT",
	}
	if got := log.await(t, 2); !slices.Equal(got, want) {
		t.Errorf("without data: got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	g.callREST(t, "POST", "/dev/off", "") // leaves nothing at all
	g.callREST(t, "POST", "/dev/errors", "")
	if got := log.await(t, 3); len(got) > 0 {
		t.Errorf("level ERROR of a success: %q", got)
	}
}

func TestExecutionLogOfFailures(t *testing.T) {
	for _, test := range []struct {
		fault  plan.Fault
		told   bool // by the step itself
		status int
		want   string
	}{
		{plan.Fault{Kind: plan.ConfigurationError, Reason: "Invalid endpoint address"}, false, 500, "Execution failed due to configuration error: Invalid endpoint address"},
		{plan.Fault{Kind: plan.ConfigurationError, Reason: "not this"}, true, 500, "told by the step"},
		{plan.Fault{Kind: plan.IntegrationTimeout, Reason: "x"}, false, 504, "Execution failed due to a timeout error"},
		{plan.Fault{Kind: plan.IntegrationUnreachable, Reason: "x"}, false, 504, "Execution failed due to a network error communicating with endpoint"},
		{plan.Fault{Kind: plan.InternalFailure, Reason: "x"}, false, 500, "Execution failed due to an internal error"},
		{plan.Fault{Kind: plan.Unauthorized, Reason: "x"}, false, 401, "Unauthorized request: UUID"},
		{plan.Fault{Kind: plan.AccessDenied, Reason: "x"}, false, 403, "The client is not authorized to perform this operation."},
		{plan.Fault{Kind: plan.BadRequestBody, Reason: "x", Validation: "[no foo]"}, false, 400, "Request body does not match model schema for content type text/x: [no foo]"},
		{plan.Fault{Kind: plan.BadRequestParameters, Reason: "x", Message: "Missing required request parameters: [a]"}, false, 400, "Execution failed: Missing required request parameters: [a]"},
		{plan.Fault{Kind: plan.Throttled, Reason: "the throttle of the account"}, false, 429, "Execution failed: the throttle of the account"},
	} {
		log := &traces{}
		method := restMethod(t, "GET /a", plan.ExecutionLogging{Level: plan.LogError}, failing{&test.fault, test.told})
		g := startREST(t, serve.Options{}, plan.RestStage{ExecutionLog: log}, method)
		status, _ := g.callREST(t, "GET", "/dev/a", "", "Content-Type", "text/x; charset=utf-8")
		want := []string{test.want, "Method completed with status: " + strconv.Itoa(test.status)}
		if test.status == 401 {
			want = want[:1]
		}
		if got := log.await(t, 1); status != test.status || !slices.Equal(got, want) {
			t.Errorf("%+v: %d, %q, want %d, %q", test.fault, status, got, test.status, want)
		}
	}
}

// failing is an integration that fails, with or without a word of its own.
type failing struct {
	fault *plan.Fault
	tells bool
}

func (f failing) Integrate(x *plan.Exchange) error {
	if f.tells {
		x.Trace.Error("told by the step")
	}
	return f.fault
}
