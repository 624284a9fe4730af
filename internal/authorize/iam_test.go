package authorize

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"gatehouse/internal/awswire/sigv4"
	"gatehouse/internal/plan"
	"gatehouse/internal/policy"
)

const (
	account = "123456781234"
	host    = "abc.execute-api.eu-west-1.amazonaws.com"
	annARN  = "arn:aws:iam::" + account + ":user/ann"
)

var signedAt = time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)

// fakeSigners has signers by access key and token.
type fakeSigners map[[2]string]Signer

func (f fakeSigners) Signer(accessKeyID, token string) (Signer, bool) {
	s, ok := f[[2]string{accessKeyID, token}]
	return s, ok
}

func (f fakeSigners) Used(accessKeyID, _, region string, at time.Time) {
	if accessKeyID == "" || region != "eu-west-1" || !at.Equal(signedAt) {
		panic(accessKeyID + " was used in " + region)
	}
}

func document(t testing.TB, kind policy.Kind, text string) *policy.Document {
	t.Helper()
	d, err := policy.Parse(kind, text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// allowing is a policy of an identity that allows what is at a path below the
// stage, as in "GET/pets/*".
func allowing(t testing.TB, paths ...string) *policy.Subject {
	t.Helper()
	s := &policy.Subject{}
	for _, p := range paths {
		s.Identity = append(s.Identity, document(t, policy.Inline, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:eu-west-1:`+account+`:abc/dev/`+p+`"}]}`))
	}
	return s
}

func signer(arn string, subject *policy.Subject) Signer {
	return Signer{Secret: "s3cret/+", Subject: subject, Keys: policy.KeyMap{"aws:principalarn": {arn}},
		Caller: policy.Caller{Account: strings.Split(arn, ":")[4], ARN: arn, UserID: "AIDA"}}
}

// routes are a plan with one API that has them.
func routes(protocol plan.Protocol, keys ...string) *plan.Plan {
	api := &plan.API{ID: "abc", AccountID: account, Region: "eu-west-1", Protocol: protocol, Stages: map[string]*plan.Stage{}}
	stage := &plan.Stage{API: api, Name: "dev"}
	if protocol == plan.REST {
		stage.Rest = &plan.RestStage{}
	}
	for _, key := range keys {
		k, err := plan.ParseRouteKey(key)
		if err != nil {
			panic(err)
		}
		stage.Routes = stage.Routes.With(&plan.Route{Key: key, Method: k.Method, Path: k.Path, ParamNames: k.ParamNames, Greedy: k.Greedy, Rest: &plan.Method{}})
	}
	api.Stages["dev"] = stage
	return (*plan.Plan)(nil).With(api)
}

// placed is a request as the gateway has it once it knows its route.
func placed(t testing.TB, p *plan.Plan, method, target, host, body string, h http.Header) *plan.Exchange {
	t.Helper()
	path, query, _ := strings.Cut(target, "?")
	x := &plan.Exchange{Request: plan.Request{Method: method, Path: path, Query: query, Host: host, ContentLength: int64(len(body)), Source: netip.MustParseAddrPort("192.0.2.7:1")}}
	if body != "" {
		x.Request.BodyReader = strings.NewReader(body)
	}
	for name, values := range h {
		for _, v := range values {
			x.Request.Headers = append(x.Request.Headers, plan.Header{Name: name, Value: v})
		}
	}
	if traffic, err := p.Place(x); !traffic || err != nil {
		t.Fatalf("%s isn't placed: %v", target, err)
	}
	if err := x.Stage.Match(x); err != nil {
		t.Fatalf("%s isn't routed: %v", target, err)
	}
	return x
}

// A call is a request that is signed, and may be changed before it is sent.
type call struct {
	method, target, host, body string
	header                     http.Header
	key, secret, token         string
	region, service            string
	at                         time.Time
	// hash is in place of the body's.
	hash string
	// presign asks for a signed URL.
	presign bool
}

// newCall is Ann's.
func newCall(target string) *call {
	return &call{
		method: "GET", target: target, host: host, header: http.Header{}, key: "AKIAANN", secret: "s3cret/+",
		region: "eu-west-1", service: "execute-api", at: signedAt,
	}
}

// sign signs with AWS's own signer: what is in c is what is sent then.
func (c *call) sign(t testing.TB) *call {
	t.Helper()
	r, err := http.NewRequest(c.method, "http://"+c.host+"/", strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	path, query, _ := strings.Cut(c.target, "?")
	r.URL = &url.URL{Scheme: "http", Host: c.host, Opaque: "//" + c.host + path, RawQuery: query}
	r.Header = c.header
	if c.hash == "" {
		c.hash = sigv4.Hash([]byte(c.body))
	}
	keys := aws.Credentials{AccessKeyID: c.key, SecretAccessKey: c.secret, SessionToken: c.token}
	if c.presign {
		signed, header, err := v4.NewSigner().PresignHTTP(context.Background(), keys, r, c.hash, c.service, c.region, c.at)
		if err != nil {
			t.Fatal(err)
		}
		_, query, _ = strings.Cut(signed, "?")
		c.target, c.header = path+"?"+query, header
		return c
	}
	if err := v4.NewSigner().SignHTTP(context.Background(), keys, r, c.hash, c.service, c.region, c.at); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *call) placed(t testing.TB, p *plan.Plan) *plan.Exchange {
	t.Helper()
	return placed(t, p, c.method, c.target, c.host, c.body, c.header)
}

func newIAM(signers Signers) *IAM {
	return &IAM{Signers: signers, Keys: NewSigningKeys(), Clock: func() time.Time { return signedAt }}
}

func faultOf(err error) (kind plan.FaultKind, message string) {
	var f *plan.Fault
	if !errors.As(err, &f) {
		return 0, ""
	}
	return f.Kind, f.Message
}

var everyKey = []string{"ANY /{proxy+}", "GET /", "GET /pets/{id}", "GET /admin", "DELETE /pets/{id}"}

// TestIAM is what signers meet: each row changes a call of Ann's, before or after
// she signs it.
func TestIAM(t *testing.T) {
	const resource = "arn:aws:execute-api:eu-west-1:********1234:abc/dev/GET/"
	signers := fakeSigners{
		{"AKIAANN", ""}:                signer(annARN, allowing(t, "*/pets*", "GET/", "POST/*", "GET/h*", "GET/a*")),
		{"ASIAANN", "token/+=="}:       signer("arn:aws:sts::"+account+":assumed-role/r/s", allowing(t, "*")),
		{"ASIAOLD", "token/+=="}:       {Secret: "s3cret/+", Expires: signedAt},
		{"AKIAROOT", ""}:               {Secret: "s3cret/+", Caller: policy.Caller{Account: account, ARN: "arn:aws:iam::" + account + ":root", UserID: account, Root: true}},
		{"AKIAOTHER", ""}:              signer("arn:aws:iam::999999999999:user/bob", allowing(t, "*")),
		{"AKIASLASH/ED", ""}:           signer(annARN, allowing(t, "*")),
		{"AKIAWITHOUTANYPOLICIES", ""}: signer(annARN, nil),
	}
	header := func(name, value string) func(*call) { return func(c *call) { c.header[name] = []string{value} } }
	none := func(*call) {}
	const denied = plan.AccessDenied
	tests := []struct {
		name           string
		before, after  func(*call)
		want           plan.FaultKind
		message        string
		noREST, noHTTP bool
	}{
		{"as it is", none, none, 0, "", false, false},
		{"presigned", func(c *call) { c.presign = true }, none, 0, "", false, false},
		{"a session", func(c *call) { c.key, c.token = "ASIAANN", "token/+==" }, none, 0, "", false, false},
		{"a presigned session", func(c *call) { c.key, c.token, c.presign = "ASIAANN", "token/+==", true }, none, 0, "", false, false},
		{"root", func(c *call) { c.key, c.target = "AKIAROOT", "/dev/admin" }, none, 0, "", false, false},
		{"a key with a slash", func(c *call) { c.key = "AKIASLASH/ED" }, none, 0, "", false, false},
		{"a body", func(c *call) { c.method, c.body = "POST", "hello" }, none, 0, "", false, false},
		{"a body that says its hash", func(c *call) {
			c.method, c.body = "POST", "hello"
			c.header.Set("X-Amz-Content-Sha256", sigv4.Hash([]byte("hello")))
		}, none, 0, "", false, false},
		{"a presigned body", func(c *call) { c.method, c.body, c.presign = "POST", "hello", true }, none, 0, "", false, false},
		{"an unsigned body", func(c *call) {
			c.method, c.body, c.hash = "POST", "hello", "UNSIGNED-PAYLOAD"
			c.header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
		}, func(c *call) { c.body = "other" }, 0, "", false, false},
		{"four minutes late", func(c *call) { c.at = signedAt.Add(-5 * time.Minute) }, none, 0, "", false, false},
		{"names in any case", none, func(c *call) {
			h := http.Header{}
			for name, values := range c.header {
				h[strings.ToUpper(name)] = values
			}
			c.header = h
		}, 0, "", false, false},
		{"parameters in another order", func(c *call) { c.target += "?b=2&a=1&a=0" }, func(c *call) { c.target = "/dev/pets/1?a=0&a=1&b=2" }, 0, "", false, false},
		{"parameters encoded otherwise", func(c *call) { c.target += "?a=%2f+%e2%9c%93~" }, func(c *call) { c.target = "/dev/pets/1?%61=%2F%20%E2%9C%93%7E" }, 0, "", false, false},
		{"an unsigned header more", none, header("X-Other", "x"), 0, "", false, false},
		{"a token that isn't signed", func(c *call) { c.key, c.token = "ASIAANN", "token/+==" }, func(c *call) {
			c.header = http.Header{}
			c.token = ""
			c.sign(t)
			c.header.Set("X-Amz-Security-Token", "token/+==")
		}, 0, "", false, false},
		{"inner spaces of a signed header", header("X-Mine", "a b"), header("X-Mine", "  a   b "), 0, "", false, false},

		{"nothing", none, func(c *call) { c.header = http.Header{} }, plan.Unsigned, "", false, false},
		{"an empty header", none, header("Authorization", ""), plan.Unsigned, "", false, false},
		{"another scheme", none, header("Authorization", "Bearer x"), plan.IncompleteSignature,
			"Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): 'uTem/WB082UJMN2ajD6lH6UChGpTAddMJSx2iu923No='.", false, false},
		{"a token alone", none, func(c *call) { c.header = http.Header{"Authorization": {"tok"}} }, plan.IncompleteSignature,
			"Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=tok", false, false},
		{"two signatures", none, func(c *call) {
			c.header["Authorization"] = append(c.header["Authorization"], c.header["Authorization"]...)
		}, plan.IncompleteSignature, "", false, false},
		{"a header and a query", none, func(c *call) { c.target += "?X-Amz-Algorithm=AWS4-HMAC-SHA256" }, plan.IncompleteSignature, "", false, false},
		{"an unknown key", func(c *call) { c.key = "AKIANOBODY" }, none, plan.UnrecognizedClient, "", false, false},
		{"an unknown key of long ago", func(c *call) { c.key, c.at = "AKIANOBODY", time.Unix(0, 0) }, none, plan.UnrecognizedClient, "", false, false},
		{"a session without its token", func(c *call) { c.key = "ASIAANN" }, none, plan.UnrecognizedClient, "", false, false},
		{"another token", func(c *call) { c.key, c.token = "ASIAANN", "token/+=" }, none, plan.UnrecognizedClient, "", false, false},
		{"a token of a key that lasts", func(c *call) { c.token = "token" }, none, plan.UnrecognizedClient, "", false, false},
		{"two tokens", func(c *call) { c.key, c.token = "ASIAANN", "token/+==" }, func(c *call) {
			c.header["x-amz-security-token"] = []string{"token/+=="}
		}, plan.UnrecognizedClient, "", false, false},
		{"the token in the query of a signed header", func(c *call) { c.key = "ASIAANN"; c.target += "?X-Amz-Security-Token=token%2F%2B%3D%3D" }, none, plan.UnrecognizedClient, "", false, false},
		{"an ended session", func(c *call) { c.key, c.token = "ASIAOLD", "token/+==" }, none, plan.ExpiredToken, "", false, false},
		{"another secret", func(c *call) { c.secret = "x" }, none, plan.InvalidSignature, "", false, false},
		{"another region", func(c *call) { c.region = "us-east-1" }, none, plan.InvalidSignature, "Credential should be scoped to a valid region, not 'us-east-1'. ", false, false},
		{"another service", func(c *call) { c.service = "s3" }, none, plan.InvalidSignature, "Credential should be scoped to correct service: 'execute-api'. ", false, false},
		{"another region and service", func(c *call) { c.region, c.service = "x", "s3" }, none, plan.InvalidSignature, "Credential should be scoped to a valid region, not 'x'. Credential should be scoped to correct service: 'execute-api'. ", false, false},
		{"another day", none, func(c *call) {
			c.header.Set("Authorization", strings.Replace(c.header.Get("Authorization"), "20260506", "20260505", 1))
		}, plan.InvalidSignature, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260505' != '20260506', from '20260506T070809Z'.", false, false},
		{"too late", func(c *call) { c.at = signedAt.Add(-5*time.Minute - time.Second) }, none, plan.InvalidSignature,
			"Signature expired: 20260506T070308Z is now earlier than 20260506T070309Z (20260506T070809Z - 5 min.)", false, false},
		{"too early", func(c *call) { c.at = signedAt.Add(5*time.Minute + time.Second) }, none, plan.InvalidSignature,
			"Signature not yet current: 20260506T071310Z is still later than 20260506T071309Z (20260506T070809Z + 5 min.)", false, false},
		{"a URL that has ended", func(c *call) { c.presign, c.at = true, signedAt.Add(-61*time.Second); c.target += "?X-Amz-Expires=60" }, none, plan.InvalidSignature,
			"Signature expired: 20260506T070708Z is now earlier than 20260506T070709Z (20260506T070809Z - 1 min.)", false, false},
		{"a URL that lives on", func(c *call) { c.presign, c.at = true, signedAt.Add(-61*time.Second); c.target += "?X-Amz-Expires=60" },
			func(c *call) { c.target = strings.Replace(c.target, "Expires=60", "Expires=600", 1) }, plan.InvalidSignature, "", false, false},
		{"another date", none, header("X-Amz-Date", "20260506T070808Z"), plan.InvalidSignature, "", false, false},
		{"another method", none, func(c *call) { c.method = "DELETE" }, plan.InvalidSignature, "", false, false},
		{"another host", none, func(c *call) { c.host = "abc.execute-api.localhost" }, plan.InvalidSignature, "", false, false},
		{"another port", none, func(c *call) { c.host += ":8080" }, plan.InvalidSignature, "", false, false},
		{"another host in a header", none, func(c *call) { c.header["Host"] = []string{c.host}; c.host = "ABC.execute-api.eu-west-1.amazonaws.com" }, plan.InvalidSignature, "", false, false},
		{"another path", none, func(c *call) { c.target = "/dev/pets/2" }, plan.InvalidSignature, "", false, false},
		{"a path encoded otherwise", none, func(c *call) { c.target = "/dev/p%65ts/1" }, plan.InvalidSignature, "", false, false},
		{"a path that comes to the same", none, func(c *call) { c.target = "/dev/admin/../pets/1" }, plan.InvalidSignature, "", false, false},
		{"a dot more", none, func(c *call) { c.target = "/dev/./pets/1" }, plan.InvalidSignature, "", false, false},
		{"a parameter more", none, func(c *call) { c.target += "?a=1" }, plan.InvalidSignature, "", false, false},
		{"another value", func(c *call) { c.target += "?a=1" }, func(c *call) { c.target = "/dev/pets/1?a=2" }, plan.InvalidSignature, "", false, false},
		{"another parameter twice", func(c *call) { c.target += "?a=1" }, func(c *call) { c.target += "&a=2" }, plan.InvalidSignature, "", false, false},
		{"another plus sign", func(c *call) { c.target += "?a=%2B" }, func(c *call) { c.target = "/dev/pets/1?a=+" }, plan.InvalidSignature, "", false, false},
		{"a signed header changed", header("X-Mine", "a"), header("X-Mine", "b"), plan.InvalidSignature, "", false, false},
		{"a signed header doubled", header("X-Mine", "a"), func(c *call) { c.header["x-mine"] = []string{"b"} }, plan.InvalidSignature, "", false, false},
		{"a signed header gone", header("X-Mine", "a"), func(c *call) { c.header.Del("X-Mine") }, plan.InvalidSignature, "", false, false},
		{"another body", func(c *call) { c.method, c.body = "POST", "hello" }, func(c *call) { c.body = "Hello" }, plan.InvalidSignature, "", false, false},
		{"no body", func(c *call) { c.method, c.body = "POST", "hello" }, func(c *call) { c.body = "" }, plan.InvalidSignature, "", false, false},
		{"a body that says another hash, signed", func(c *call) {
			c.method, c.body, c.hash = "POST", "hello", sigv4.Hash([]byte("other"))
			c.header.Set("X-Amz-Content-Sha256", c.hash)
		}, none, plan.InvalidSignature, "", false, false},
		{"a body that says another hash, unsigned", func(c *call) { c.method, c.body = "POST", "hello" },
			header("X-Amz-Content-Sha256", sigv4.Hash([]byte("other"))), plan.InvalidSignature, "", false, false},
		{"a body said to be unsigned", func(c *call) { c.method, c.body = "POST", "hello" },
			header("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"), plan.InvalidSignature, "", false, false},
		{"a body that comes in chunks nobody knows", func(c *call) {
			c.method, c.body, c.hash = "POST", "hello", "STREAMING-AWS4-HMAC-SHA256-EVENTS"
			c.header.Set("X-Amz-Content-Sha256", c.hash)
		}, none, plan.InvalidSignature, "", false, false},
		{"another method, asked for by a header", none, header("X-HTTP-Method-Override", "DELETE"), plan.InvalidSignature,
			"'X-HTTP-Method-Override' must be a 'SignedHeader' in the AWS Authorization.", false, true},

		{"another resource", func(c *call) { c.target = "/dev/x" }, none, denied,
			"User: " + annARN + " is not authorized to perform: execute-api:Invoke on resource: " + resource + "x because no identity-based policy allows the execute-api:Invoke action", false, false},
		{"no policies", func(c *call) { c.key = "AKIAWITHOUTANYPOLICIES" }, none, denied, "", false, false},
		{"another account", func(c *call) { c.key = "AKIAOTHER" }, none, denied,
			"User: arn:aws:iam::999999999999:user/bob is not authorized to perform: execute-api:Invoke on resource: " + resource + "pets/1 because no resource-based policy allows the execute-api:Invoke action", false, false},
		{"another method, asked for by a signed header", header("X-Http-Method-Override", "DELETE"), none, 0, "", false, true},
		{"another method that isn't allowed, asked for by a signed header", func(c *call) {
			c.target = "/dev/hats"
			c.header.Set("X-Http-Method-Override", "DELETE")
		}, none, denied, "", false, true},
		{"escaped letters", func(c *call) { c.target = "/dev/p%65ts/1" }, none, 0, "", false, false},
		{"an ARN that is too long", func(c *call) { c.target = "/dev/pets/" + strings.Repeat("x", 1600) }, none, plan.URITooLong, "", false, false},
	}
	for protocol, name := range map[plan.Protocol]string{plan.REST: "REST", plan.HTTP: "HTTP"} {
		p := routes(protocol, everyKey...)
		for _, tt := range tests {
			if protocol == plan.HTTP && tt.noHTTP {
				continue
			}
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				c := newCall("/dev/pets/1")
				tt.before(c)
				c.sign(t)
				tt.after(c)
				x := c.placed(t, p)
				a := newIAM(signers)
				err := a.Authorize(x)
				kind, message := faultOf(err)
				if (err == nil) != (tt.want == 0) || kind != tt.want || tt.message != "" && message != tt.message {
					t.Fatalf("%v\n%s", err, message)
				}
				if report := x.Authorizer.Authenticate; (report.Status == 200) != (tt.want == 0 || tt.want == denied || tt.want == plan.URITooLong) || (x.Caller != plan.Caller{}) != (report.Status == 200) {
					t.Errorf("reported %+v of %+v", report, x.Caller)
				}
				if err == nil && (x.Authorizer.Authorize.Status != 200 || x.Caller.AccessKeyID != c.key || x.Caller.AccountID != account) {
					t.Errorf("reported %+v of %+v", x.Authorizer, x.Caller)
				}
				// What it cost to find the key the first time isn't needed again.
				if again := a.Authorize(c.placed(t, p)); (again == nil) != (err == nil) {
					t.Errorf("again: %v", again)
				}
			})
		}
	}
}

// A signature that is wrong is answered with what it should have been of.
func TestIAMExplains(t *testing.T) {
	c := newCall("/dev/pets/1?b=1&a=2")
	c.secret = "x"
	x := c.sign(t).placed(t, routes(plan.REST, everyKey...))
	_, got := faultOf(newIAM(fakeSigners{{"AKIAANN", ""}: signer(annARN, nil)}).Authorize(x))
	want := "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. " +
		"Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'GET\n/dev/pets/1\na=2&b=1\n" +
		"host:" + host + "\nx-amz-date:20260506T070809Z\n\nhost;x-amz-date\n" + sigv4.EmptyHash + "'\n\nThe String-to-Sign should have been\n" +
		"'AWS4-HMAC-SHA256\n20260506T070809Z\n20260506/eu-west-1/execute-api/aws4_request\n"
	if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "'\n") {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Who may do one thing can't have another by spelling its path.
func TestIAMPaths(t *testing.T) {
	const allow, deny = true, false
	tests := []struct {
		allowed, target string
		rest, http      bool
	}{
		{"GET/public/*", "/dev/public/x", allow, allow},
		{"GET/public/*", "/dev/public/../admin", deny, deny},
		{"GET/public/*", "/dev/public/%2e%2e/admin", deny, deny},
		{"GET/public/*", "/dev/public/..%2fadmin", deny, deny},
		{"GET/public/*", "/dev/public/%2e%2E%2Fadmin", deny, deny},
		{"GET/public/*", "/dev/public/x/./y", allow, allow},
		{"GET/public/*", "/dev/public/x//y", allow, allow},
		{"GET/public/*", "/dev/public/x%2Fy", allow, allow},
		{"GET/public/*", "/dev//public/x", allow, deny}, // the path of an HTTP API keeps its slashes
		{"GET/admin", "/dev/admin", allow, allow},
		{"GET/admin", "/dev/%61dmin", allow, allow},
		{"GET/admin", "/dev/admin/", allow, deny},
		{"GET/admin", "/dev/public/../admin", deny, deny},
		{"GET/pets/a/b", "/dev/pets/a%2Fb", deny, allow}, // one segment of a REST API's path is two of an HTTP API's
		{"GET/pets/*", "/dev/pets/a%2Fb", allow, allow},
		{"GET/pets/\u00e9", "/dev/pets/%C3%A9", allow, allow},
		{"GET/pets/%C3%A9", "/dev/pets/%C3%A9", deny, deny},
		{"GET/pets/%2561", "/dev/pets/%2561", deny, deny},
		{"GET/pets/%61", "/dev/pets/%2561", allow, allow},
		{"GET/pets/a", "/dev/pets/A", deny, deny},
		{"GET/pets/a", "/dev/pets/a%00", deny, deny},
		{"GET/pets/a", "/dev/pets/a%3Fb", deny, deny},
		{"GET/a*", "/dev/b%3Fa", deny, deny},
		{"GET/x%3F*", "/dev/x%3Fy", deny, deny},
		{"POST/*", "/dev/pets/1", deny, deny},
	}
	for protocol, name := range map[plan.Protocol]string{plan.REST: "REST", plan.HTTP: "HTTP"} {
		p := routes(protocol, everyKey...)
		for _, tt := range tests {
			t.Run(name+tt.target+" with "+tt.allowed, func(t *testing.T) {
				x := newCall(tt.target).sign(t).placed(t, p)
				err := newIAM(fakeSigners{{"AKIAANN", ""}: signer(annARN, allowing(t, tt.allowed))}).Authorize(x)
				want := tt.rest
				if protocol == plan.HTTP {
					want = tt.http
				}
				if kind, _ := faultOf(err); (err == nil) != want || err != nil && kind != plan.AccessDenied {
					t.Errorf("%v", err)
				}
			})
		}
	}
}

// What denies a path denies what a backend takes for it.
func TestIAMDeniedPaths(t *testing.T) {
	deny := document(t, policy.Inline, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":["arn:aws:execute-api:*:*:*/GET/admin","arn:aws:execute-api:*:*:*/GET/admin/*"]}]}`)
	for _, protocol := range []plan.Protocol{plan.REST, plan.HTTP} {
		p := routes(protocol, "ANY /{proxy+}")
		for _, target := range []string{"/dev/admin", "/dev/%61dmin", "/dev/x/../admin", "/dev/x/%2e%2e/admin", "/dev/admin//y", "/dev/admin%2Fy", "/dev/./admin", "/dev/x%2F..%2Fadmin"} {
			x := newCall(target).sign(t).placed(t, p)
			err := newIAM(fakeSigners{{"AKIAANN", ""}: signer(annARN, &policy.Subject{Identity: []*policy.Document{deny}})}).Authorize(x)
			if kind, message := faultOf(err); kind != plan.AccessDenied || !strings.HasSuffix(message, " with an explicit deny in an identity-based policy") {
				t.Errorf("%s: %v", target, err)
			}
		}
	}
	x := newCall("/dev/admin%3Fx").sign(t).placed(t, routes(plan.HTTP, "ANY /{proxy+}"))
	if kind, _ := faultOf(newIAM(fakeSigners{{"AKIAANN", ""}: signer(annARN, &policy.Subject{Identity: []*policy.Document{deny}})}).Authorize(x)); kind != plan.AccessDenied {
		t.Errorf("what follows an escaped question mark: %d", kind)
	}
}

// Double slashes may have been signed as they were sent or as single ones.
func TestIAMDoubleSlashes(t *testing.T) {
	p := routes(plan.REST, everyKey...)
	signers := fakeSigners{{"AKIAANN", ""}: signer(annARN, allowing(t, "*"))}
	for _, sent := range []string{"/dev/a//b", "//dev/a/b"} {
		c := newCall("/dev/a/b").sign(t)
		c.target = sent
		if err := newIAM(signers).Authorize(c.placed(t, p)); err != nil {
			t.Errorf("%s: %v", sent, err)
		}
	}
}

// A signer of version 4a is known by the key made of its secret.
func TestIAMAsymmetric(t *testing.T) {
	header := http.Header{
		"X-Amz-Date": {"20260506T070809Z"}, "X-Amz-Region-Set": {"eu-*"},
		"Authorization": {"AWS4-ECDSA-P256-SHA256 Credential=AKIAANN/20260506/execute-api/aws4_request, SignedHeaders=host;x-amz-date;x-amz-region-set, Signature=" + asymmetricSignature(t)},
	}
	signers := fakeSigners{{"AKIAANN", ""}: signer(annARN, allowing(t, "*"))}
	x := placed(t, routes(plan.REST, everyKey...), "GET", "/dev/pets/1", host, "", header)
	a := newIAM(signers)
	for range 2 {
		if err := a.Authorize(x); err != nil {
			t.Fatal(err)
		}
	}
	if kind, _ := faultOf(a.Authorize(placed(t, routes(plan.REST, everyKey...), "GET", "/dev/pets/2", host, "", header))); kind != plan.InvalidSignature {
		t.Errorf("of another path: %d", kind)
	}
	if kind, _ := faultOf(a.Authorize(placed(t, routes(plan.HTTP, everyKey...), "GET", "/dev/pets/1", host, "", header))); kind != plan.Unsigned {
		t.Errorf("of an HTTP API: %d", kind)
	}
	header.Set("X-Amz-Region-Set", "us-east-1")
	kind, message := faultOf(a.Authorize(placed(t, routes(plan.REST, everyKey...), "GET", "/dev/pets/1", host, "", header)))
	if kind != plan.InvalidSignature || message != "Credential should be scoped to a valid region, not 'us-east-1'. " {
		t.Errorf("of other regions: %d %s", kind, message)
	}
}

// Integrations get what was in the chunks of a body.
func TestIAMChunks(t *testing.T) {
	key := sigv4.SigningKey("s3cret/+", sigv4.Scope{Date: "20260506", Region: "eu-west-1", Service: "execute-api"})
	c := newCall("/dev/pets")
	c.method, c.hash = "POST", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	c.header = http.Header{"X-Amz-Content-Sha256": {c.hash}, "Content-Encoding": {"aws-chunked,gzip"}, "X-Amz-Decoded-Content-Length": {"5"}, "Content-Length": {"200"}}
	c.sign(t)
	signature := c.header.Get("Authorization")
	signature = signature[strings.LastIndex(signature, "=")+1:]
	first := chunkSignature(key, signature, "hello")
	c.body = "5;chunk-signature=" + first + "\r\nhello\r\n0;chunk-signature=" + chunkSignature(key, first, "") + "\r\n\r\n"
	signers := fakeSigners{{"AKIAANN", ""}: signer(annARN, allowing(t, "*"))}
	x := c.placed(t, routes(plan.REST, everyKey...))
	if err := newIAM(signers).Authorize(x); err != nil {
		t.Fatal(err)
	}
	if h := x.Request.Headers; string(x.Request.Body) != "hello" || x.Request.ContentLength != 5 || h.Get("Content-Encoding") != "gzip" || h.Get("Content-Length") != "5" {
		t.Errorf("%q %+v", x.Request.Body, x.Request)
	}
	c.body = strings.Replace(c.body, "hello", "jello", 1)
	if kind, _ := faultOf(newIAM(signers).Authorize(c.placed(t, routes(plan.REST, everyKey...)))); kind != plan.InvalidSignature {
		t.Errorf("another chunk: %d", kind)
	}
}

// TestIAMBodies reads no more of a body than it has to.
func TestIAMBodies(t *testing.T) {
	signers := fakeSigners{{"AKIAANN", ""}: signer(annARN, allowing(t, "*"))}
	p := routes(plan.REST, everyKey...)
	for name, change := range map[string]func(*call){
		"an unknown key": func(c *call) { c.key = "AKIANOBODY" },
		"too old":        func(c *call) { c.at = signedAt.Add(-time.Hour) },
		"another region": func(c *call) { c.region = "x" },
		"a hash that the signature isn't of": func(c *call) {
			c.hash = sigv4.EmptyHash
			c.header.Set("X-Amz-Content-Sha256", sigv4.Hash([]byte("x")))
		},
		"chunks of a wrong signature": func(c *call) {
			c.secret = "x"
			c.hash = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
			c.header.Set("X-Amz-Content-Sha256", c.hash)
		},
	} {
		c := newCall("/dev/pets")
		c.method, c.body = "POST", "hello"
		change(c)
		x := c.sign(t).placed(t, p)
		body := bytes.NewReader([]byte("hello"))
		x.Request.BodyReader = body
		if err := newIAM(signers).Authorize(x); err == nil || body.Len() != 5 {
			t.Errorf("%s: %v, %d bytes are left", name, err, body.Len())
		}
	}
}
