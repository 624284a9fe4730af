package integrate_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/awsendpoint"
	"gatehouse/internal/awswire/sigv4"
	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
)

var serviceKeys = sigv4.Keys{AccessKeyID: "AKID", Secret: "secret"}

// A service is one that takes what is signed with serviceKeys only, and answers
// what the test says. It tells what it got.
type service struct {
	*httptest.Server
	got    chan *http.Request
	body   chan string
	answer http.HandlerFunc
}

// serve starts a service whose signatures are for a name and a region.
func serveAWS(t testing.TB, name, region string) *service {
	s := &service{got: make(chan *http.Request, 64), body: make(chan string, 64)}
	rule := sigv4.EncodeTwice
	if name == "s3" {
		rule = sigv4.EncodeOnce
	}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		signed := &sigv4.Request{
			Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Host: r.Host,
			Header: func(name string) []string {
				if name == "host" {
					return []string{r.Host}
				}
				return r.Header.Values(name)
			},
		}
		signature, err := sigv4.Parse(signed)
		if err == nil {
			err = signature.Verify(signed, sigv4.Check{Secret: serviceKeys.Secret, Now: time.Now(), Region: region, Service: name, BodyHash: sigv4.Hash(body), Path: rule})
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		s.got <- r
		s.body <- string(body)
		if s.answer != nil {
			s.answer(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func newAWSService(t testing.TB, uri string, o integrate.AWSServiceOptions) *integrate.AWSService {
	t.Helper()
	var err error
	if o.URI, err = awsendpoint.ParseURI(uri); err != nil {
		t.Fatal(err)
	}
	if o.Keys == nil {
		o.Keys = func(*plan.Exchange) (sigv4.Keys, error) { return serviceKeys, nil }
	}
	if o.Upstreams == nil {
		o.Upstreams = newUpstreams(t, integrate.UpstreamOptions{})
	}
	if o.Signer == nil {
		o.Signer = &sigv4.Signer{}
	}
	s, err := integrate.NewAWSService(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// serviceExchange is an exchange of a REST API with what is mapped to a service.
func serviceExchange(m plan.MappedRequest) *plan.Exchange {
	x := exchange("PUT", "/pets", plan.Header{Name: "Authorization", Value: "client"}, plan.Header{Name: "X-Client", Value: "1"})
	x.Stage = &plan.Stage{API: &plan.API{ID: "abc", Protocol: plan.REST}, Rest: &plan.RestStage{}}
	x.TraceHeader = "Root=1-5759e988-bd862e3fe1be46a994272793"
	x.Mapped = m
	x.Mapped.On = true
	return x
}

func TestAWSService(t *testing.T) {
	const prefix = "arn:aws:apigateway:eu-west-1:"
	type call struct {
		name, signing, region, uri, method, base string
		mapped                                   plan.MappedRequest
		line, body                               string
		headers                                  map[string]string
	}
	for _, test := range []call{
		{
			name: "an action of a service that speaks JSON", signing: "dynamodb", uri: "dynamodb:action/PutItem", method: "POST",
			mapped: plan.MappedRequest{Headers: plan.Headers{{Name: "Content-Type", Value: "application/x-amz-json-1.0"}}, Body: []byte(`{"a":"ü"}`), HasBody: true},
			line:   "POST /", body: `{"a":"ü"}`,
			headers: map[string]string{
				"X-Amz-Target": "DynamoDB_20120810.PutItem", "Content-Type": "application/x-amz-json-1.0", "X-Client": "",
				"X-Amzn-Apigateway-Api-Id": "abc", "X-Amzn-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793", "X-Amz-Content-Sha256": "",
			},
		},
		{
			name: "an action that is a variable", signing: "dynamodb", uri: "dynamodb:action/{op}?a={b}", method: "POST",
			mapped: plan.MappedRequest{URIParams: []string{"1", "Get%0d%0aItem"}},
			line:   "POST /?a=1", headers: map[string]string{"X-Amz-Target": "DynamoDB_20120810.Get%0d%0aItem"},
		},
		{
			name: "a target that is mapped", signing: "states", uri: "states:action/StartExecution", method: "POST",
			mapped: plan.MappedRequest{Headers: plan.Headers{{Name: "x-amz-target", Value: "AWSStepFunctions.StopExecution"}}},
			line:   "POST /", headers: map[string]string{"X-Amz-Target": "AWSStepFunctions.StopExecution"},
		},
		{
			name: "an action of a service that takes queries", signing: "sns", uri: "sns:action/Publish", method: "POST",
			mapped: plan.MappedRequest{Query: "Message=a+b%20%C3%BC&TopicArn=arn:aws:sns"},
			line:   "POST /?Action=Publish&Version=2010-03-31&Message=a+b%20%C3%BC&TopicArn=arn:aws:sns", headers: map[string]string{"X-Amz-Target": ""},
		},
		{
			name: "a version of its own", signing: "ses", uri: "email:action/SendEmail&Version=1&x={y}", method: "GET",
			mapped: plan.MappedRequest{URIParams: []string{"a&b"}, Body: []byte("not sent"), HasBody: true},
			line:   "GET /?Action=SendEmail&Version=1&x=a%26b",
		},
		{
			name: "a path with a query", signing: "lambda", uri: "lambda:path/2015-03-31/functions?MaxItems={n}", method: "ANY",
			mapped: plan.MappedRequest{URIParams: []string{"1"}, Query: "Marker=x"}, line: "PUT /2015-03-31/functions?MaxItems=1&Marker=x",
		},
		{
			name: "a key of S3 as it came", signing: "s3", uri: "s3:path/bucket/{key}", method: "PUT",
			mapped: plan.MappedRequest{URIParams: []string{"a%20b//%C3%BC+(1)/...%2E."}, Headers: plan.Headers{{Name: "X-Amz-Meta-Two", Value: "a   b"}}, Body: []byte{0xff, 0}, HasBody: true},
			line:   "PUT /bucket/a%20b//%C3%BC+(1)/...%2E.", body: "\xff\x00",
			headers: map[string]string{"X-Amz-Content-Sha256": sigv4.Hash([]byte{0xff, 0}), "X-Amz-Meta-Two": "a   b"},
		},
		{
			name: "a bucket as the subdomain", signing: "s3", uri: "mine.s3:path/{key}", method: "GET", base: "/base/",
			mapped: plan.MappedRequest{URIParams: []string{"k"}}, line: "GET /base/mine/k",
		},
		{
			name: "a body that isn't signed", signing: "s3", uri: "s3:path/b/k", method: "PUT",
			mapped: plan.MappedRequest{Headers: plan.Headers{{Name: "x-amz-content-sha256", Value: "UNSIGNED-PAYLOAD"}}, Body: []byte("x"), HasBody: true},
			line:   "PUT /b/k", body: "x", headers: map[string]string{"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"},
		},
		{
			name: "a wrong hash that is mapped", signing: "s3", uri: "s3:path/b/k", method: "PUT",
			mapped: plan.MappedRequest{Headers: plan.Headers{{Name: "x-amz-content-sha256", Value: "0"}}, Body: []byte("x"), HasBody: true},
			line:   "PUT /b/k", body: "x", headers: map[string]string{"X-Amz-Content-Sha256": sigv4.Hash([]byte("x"))},
		},
		{
			name: "another region", signing: "sqs", region: "us-east-2", uri: "sqs:path/", method: "POST",
			mapped: plan.MappedRequest{Region: "us-east-2"}, line: "POST /",
		},
		{
			name: "a service with one region for all", signing: "iam", region: "us-east-1", uri: "iam:action/ListRoles", method: "POST",
			line: "POST /?Action=ListRoles&Version=2010-05-08",
		},
		{
			name: "a subdomain that isn't a bucket", signing: "iotdata", uri: "abc.iotdata:path/topics/t", method: "POST",
			line: "POST /topics/t", headers: map[string]string{"Host": "abc."},
		},
		{
			name: "a path that is mapped", signing: "appconfig", uri: "appconfig:path/", method: "GET", base: "/base",
			mapped: plan.MappedRequest{Path: "/applications/a%2Fb", Query: "client_id=1"}, line: "GET /base/applications/a%2Fb?client_id=1",
		},
		{
			// What isn't for mappings to say: the host, the signature, the connection.
			name: "headers that are the gateway's own", signing: "s3", uri: "s3:path/b/k", method: "GET",
			mapped: plan.MappedRequest{Host: "other.example", Headers: plan.Headers{
				{Name: "Host", Value: "other.example"}, {Name: "authorization", Value: "mine"}, {Name: "x-amz-date", Value: "20000101T000000Z"},
				{Name: "X-Amz-Security-Token", Value: "t"}, {Name: "Transfer-Encoding", Value: "chunked"}, {Name: "Content-Length", Value: "7"},
				{Name: "X-Evil", Value: "a\r\nX-Injected: 1"}, {Name: "X Evil", Value: "a"}, {Name: "Connection", Value: "close"},
			}},
			line: "GET /b/k", headers: map[string]string{"X-Amz-Security-Token": "", "X-Injected": "", "X-Evil": "", "Connection": "", "Host": "127."},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			region := test.region
			if region == "" {
				region = "eu-west-1"
			}
			server := serveAWS(t, test.signing, region)
			s := newAWSService(t, prefix+test.uri, integrate.AWSServiceOptions{Method: test.method, Endpoint: server.URL + test.base})
			x := serviceExchange(test.mapped)
			if err := s.Integrate(x); err != nil {
				t.Fatal(err)
			}
			if x.Integration.Status != 200 {
				t.Fatalf("%d %s", x.Integration.Status, x.Response.Body)
			}
			r, body := <-server.got, <-server.body
			if got := r.Method + " " + r.RequestURI; got != test.line || body != test.body {
				t.Errorf("got  %s %q\nwant %s %q", got, body, test.line, test.body)
			}
			for name, want := range test.headers {
				got := r.Header.Get(name)
				if name == "Host" {
					got = r.Host[:min(len(r.Host), len(want))]
				}
				if got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

// A long body is in memory once, and signed all the same.
func TestAWSServiceLongBody(t *testing.T) {
	service := serveAWS(t, "sqs", "eu-west-1")
	s := newAWSService(t, "arn:aws:apigateway:eu-west-1:sqs:path/1/q", integrate.AWSServiceOptions{Method: "POST", Endpoint: service.URL})
	long := strings.Repeat("x", 1<<20)
	x := serviceExchange(plan.MappedRequest{Body: []byte(long), HasBody: true})
	if err := s.Integrate(x); err != nil || x.Response.Status != 200 {
		t.Fatalf("%v, status %d: %s", err, x.Response.Status, x.Response.Body)
	}
	if got := <-service.body; got != long {
		t.Errorf("the service got %d bytes", len(got))
	}
	if cap(x.Scratch) > len(long)/2 {
		t.Errorf("%d bytes beside the body", cap(x.Scratch))
	}
}

func TestAWSServiceAnswers(t *testing.T) {
	server := serveAWS(t, "sqs", "eu-west-1")
	long := strings.Repeat("x", 100<<10)
	server.answer = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("x-amzn-RequestId", "id-1")
		switch r.URL.RawQuery {
		case "long":
			_, _ = io.WriteString(w, long)
		case "json":
			w.WriteHeader(400)
			_, _ = io.WriteString(w, `{"__type":"NoSuchQueue","message":"gone"}`)
		case "xml":
			w.WriteHeader(403)
			_, _ = io.WriteString(w, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not &lt;you&gt;</Message></Error></ErrorResponse>")
		case "longerror":
			w.WriteHeader(500)
			_, _ = io.WriteString(w, "<Message>no end"+long)
		case "nothing":
			w.WriteHeader(503)
		}
	}
	for _, test := range []struct {
		query      string
		proxy      bool
		status     int
		body, told string
	}{
		{"long", false, 200, long, ""},
		{"json", false, 400, `{"__type":"NoSuchQueue","message":"gone"}`, ""},
		{"long", true, 200, long, ""},
		{"json", true, 400, "", "gone"},
		{"xml", true, 403, "", "not <you>"},
		{"longerror", true, 500, "", ("no end" + long)[:1024]},
		{"nothing", true, 503, "", "the service answered with status 503"},
	} {
		s := newAWSService(t, "arn:aws:apigateway:eu-west-1:sqs:path/", integrate.AWSServiceOptions{Method: "POST", Endpoint: server.URL, Proxy: test.proxy})
		x := serviceExchange(plan.MappedRequest{Query: test.query})
		err := s.Integrate(x)
		if err == nil {
			err = x.ReadResponse()
		}
		var fault *plan.Fault
		if failed := errors.As(err, &fault); failed != (test.told != "") || failed && (fault.Kind != plan.IntegrationFailure || x.Integration.Error != test.told) {
			t.Errorf("%s: %v, told %q", test.query, err, x.Integration.Error)
		}
		if x.Integration.Status != test.status || x.Integration.RequestID != "id-1" || x.Integration.Selection != fmt.Sprint(test.status) || string(x.Response.Body) != test.body {
			t.Errorf("%s: %d %q %q with %d bytes", test.query, x.Integration.Status, x.Integration.RequestID, x.Integration.Selection, len(x.Response.Body))
		}
		<-server.got
		<-server.body
	}
}

// What is refused before anything is sent.
func TestAWSServiceRefusals(t *testing.T) {
	server := serveAWS(t, "s3", "eu-west-1")
	role := &integrate.RoleError{RoleARN: "arn:aws:iam::1:role/r"}
	none := func(*plan.Exchange) (sigv4.Keys, error) { return sigv4.Keys{}, role }
	for name, test := range map[string]struct {
		mapped plan.MappedRequest
		keys   func(*plan.Exchange) (sigv4.Keys, error)
		kind   plan.FaultKind
	}{
		"dots":               {mapped: plan.MappedRequest{URIParams: []string{"../other"}}, kind: plan.BadRequest},
		"one dot":            {mapped: plan.MappedRequest{URIParams: []string{"a/."}}, kind: plan.BadRequest},
		"encoded dots":       {mapped: plan.MappedRequest{URIParams: []string{"%2e%2E/other"}}, kind: plan.BadRequest},
		"an encoded slash":   {mapped: plan.MappedRequest{URIParams: []string{"a%2f..%2Fb"}}, kind: plan.BadRequest},
		"a backslash":        {mapped: plan.MappedRequest{URIParams: []string{`a\..\b`}}, kind: plan.BadRequest},
		"dots that end":      {mapped: plan.MappedRequest{URIParams: []string{"a/%2e."}}, kind: plan.BadRequest},
		"a region that hops": {mapped: plan.MappedRequest{Region: "evil.example/"}, kind: plan.BadRequest},
		"a role":             {keys: none, kind: plan.IntegrationFailure},
	} {
		s := newAWSService(t, "arn:aws:apigateway:eu-west-1:s3:path/bucket/{key}", integrate.AWSServiceOptions{Method: "GET", Endpoint: server.URL, Keys: test.keys})
		x := serviceExchange(test.mapped)
		x.Trace = &plan.Trace{}
		x.Trace.Begin(plan.ExecutionLogging{Level: plan.LogError}, time.Now)
		var fault *plan.Fault
		if err := s.Integrate(x); !errors.As(err, &fault) || fault.Kind != test.kind || x.Integration.Called {
			t.Errorf("%s: %v", name, err)
		}
		if test.keys != nil && (!errors.Is(fault, role) || !slices.Equal(lines(x), []string{"Execution failed due to configuration error: API Gateway does not have permission to assume the provided role arn:aws:iam::1:role/r"})) {
			t.Errorf("%s: %v", name, lines(x))
		}
	}
	if len(server.got) > 0 {
		t.Errorf("%d requests came", len(server.got))
	}
	uri, err := awsendpoint.ParseURI("arn:aws:apigateway:eu-west-1:s3:path/b")
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]integrate.AWSServiceOptions{
		"a method":                  {Method: "G T"},
		"CONNECT":                   {Method: "CONNECT"},
		"an endpoint without http":  {Endpoint: "ftp://x"},
		"an endpoint with a query":  {Endpoint: "http://x/?a=b"},
		"an endpoint with variable": {Endpoint: "http://x/{y}"},
	} {
		o.URI, o.Upstreams, o.Signer = uri, newUpstreams(t, integrate.UpstreamOptions{}), &sigv4.Signer{}
		if _, err := integrate.NewAWSService(o); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// Keys without an id leave a request unsigned; a session's token comes along.
func TestAWSServiceKeys(t *testing.T) {
	server := serveAWS(t, "sqs", "eu-west-1")
	keys := sigv4.Keys{}
	s := newAWSService(t, "arn:aws:apigateway:eu-west-1:sqs:path/", integrate.AWSServiceOptions{
		Method: "POST", Endpoint: server.URL, Keys: func(*plan.Exchange) (sigv4.Keys, error) { return keys, nil },
	})
	x := serviceExchange(plan.MappedRequest{})
	if err := s.Integrate(x); err != nil || x.Integration.Status != 403 {
		t.Errorf("unsigned: %v, %d", err, x.Integration.Status)
	}
	keys = serviceKeys
	keys.Token = "token/+="
	x = serviceExchange(plan.MappedRequest{})
	x.Trace = &plan.Trace{}
	x.Trace.Begin(plan.ExecutionLogging{Level: plan.LogInfo, Data: true}, time.Now)
	if err := s.Integrate(x); err != nil || x.Integration.Status != 200 {
		t.Fatalf("a session: %v, %d", err, x.Integration.Status)
	}
	r := <-server.got
	if r.Header.Get("X-Amz-Security-Token") != keys.Token || !strings.Contains(r.Header.Get("Authorization"), "x-amz-security-token") {
		t.Errorf("%v", r.Header)
	}
	told := strings.Join(lines(x), "\n")
	if strings.Contains(told, keys.Token) || strings.Contains(told, "Signature=") || !strings.Contains(told, "Sending request to "+server.URL+"/") {
		t.Errorf("the log tells\n%s", told)
	}
}

// AWS's own endpoints are told from URIs, over TLS; a region that a client chooses
// is one label of the name.
func TestAWSServiceAtAWS(t *testing.T) {
	u := newUpstreams(t, integrate.UpstreamOptions{Dial: refuseAll(t, "bucket.s3.eu-west-1.amazonaws.com:443", "bucket.s3.us-gov-west-1.amazonaws.com:443")})
	s := newAWSService(t, "arn:aws:apigateway:eu-west-1:bucket.s3:path/{key}", integrate.AWSServiceOptions{Method: "GET", Upstreams: u})
	for _, m := range []plan.MappedRequest{{URIParams: []string{"@evil.example/k"}}, {URIParams: []string{"k"}, Region: "us-gov-west-1"}} {
		x := serviceExchange(m)
		var fault *plan.Fault
		if err := s.Integrate(x); !errors.As(err, &fault) || fault.Kind != plan.IntegrationUnreachable || x.Integration.Error != "Network error communicating with endpoint" {
			t.Errorf("%v, told %q", err, x.Integration.Error)
		}
	}
	// Anybody can have a bucket of that name.
	x := serviceExchange(plan.MappedRequest{URIParams: []string{"k"}, Region: "s3"})
	var fault *plan.Fault
	if err := s.Integrate(x); !errors.As(err, &fault) || fault.Kind != plan.BadRequest {
		t.Errorf("a region that is a service: %v", err)
	}
}

// benchedService is an integration with a service on a script, and an exchange to
// use again.
func benchedService(t testing.TB) (*integrate.AWSService, *plan.Exchange, func()) {
	addr := echoForever(t, "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\nx-amzn-RequestId: R\r\n\r\n{}")
	s := newAWSService(t, "arn:aws:apigateway:eu-west-1:dynamodb:action/PutItem", integrate.AWSServiceOptions{Method: "POST", Endpoint: "http://" + addr})
	body := []byte(`{"TableName":"pets","Item":{"id":{"S":"1"},"name":{"S":"` + strings.Repeat("x", 150) + `"}}}`)
	x := serviceExchange(plan.MappedRequest{})
	stage := x.Stage
	reset := func() {
		x.Reset()
		x.Stage, x.TraceHeader, x.Request.Method = stage, "Root=1-5759e988-bd862e3fe1be46a994272793", "POST"
		x.Mapped.On, x.Mapped.Body, x.Mapped.HasBody = true, body, true
		x.Mapped.Headers = append(x.Mapped.Headers, plan.Header{Name: "Accept", Value: "application/json"}, plan.Header{Name: "Content-Type", Value: "application/x-amz-json-1.0"}, plan.Header{Name: "User-Agent", Value: "AmazonAPIGateway_abc"})
	}
	reset()
	return s, x, reset
}

func BenchmarkAWSService(b *testing.B) {
	s, x, reset := benchedService(b)
	b.ReportAllocs()
	for b.Loop() {
		reset()
		if err := s.Integrate(x); err != nil {
			b.Fatal(err)
		}
	}
}

// refuseAll refuses every connection, and takes none but to the addresses.
func refuseAll(t testing.TB, addresses ...string) func(context.Context, string, string) (net.Conn, error) {
	return func(_ context.Context, _, addr string) (net.Conn, error) {
		if !slices.Contains(addresses, addr) {
			t.Errorf("a connection to %s", addr)
		}
		return nil, errors.New("refused")
	}
}

// echoForever is a backend that gives one answer to every request with a body.
func echoForever(t testing.TB, answer string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			connections.Go(func() {
				defer c.Close() //nolint:errcheck // the test is over
				r := bufio.NewReader(c)
				for {
					length := 0
					for {
						line, err := r.ReadSlice('\n')
						if err != nil {
							return
						}
						if len(line) == 2 {
							break
						}
						if n, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
							for _, digit := range bytes.TrimSpace(n) {
								length = 10*length + int(digit-'0')
							}
						}
					}
					if _, err := r.Discard(length); err != nil {
						return
					}
					if _, err := io.WriteString(c, answer); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		connections.Wait()
	})
	return l.Addr().String()
}
