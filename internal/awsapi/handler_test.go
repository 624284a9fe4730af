package awsapi_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awsapi/apigatewaymanagementapi"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awsapi/logs"
	"gatehouse/internal/awsapi/sts"
	"gatehouse/internal/awswire"
	"gatehouse/internal/awswire/sigv4"
)

// diskFull is an outage that clients may know of.
type diskFull struct{}

func (diskFull) Error() string  { return "/secret/path is full" }
func (diskFull) Outage() string { return "The disk is full" }

// knownKeys is a fixed directory of access keys.
type knownKeys map[string]*awswire.Credential

func (k knownKeys) Lookup(_ context.Context, id string) (*awswire.Credential, error) {
	if id == "AKIABROKEN" {
		return nil, fmt.Errorf("the disk is gone")
	}
	if id == "AKIAFULL" {
		return nil, fmt.Errorf("store: %w", diskFull{})
	}
	return k[id], nil
}

var now = time.Date(2026, 6, 7, 8, 9, 10, 0, time.UTC)

func hash(s string) []byte { h := sha256.Sum256([]byte(s)); return h[:] }

var keys = knownKeys{
	"AKIAUSER": {Secret: "s3cret", Principal: awswire.Principal{Account: "111111111111", ARN: "arn:aws:iam::111111111111:user/u", UserID: "AIDA"}},
	"ASIASESSION": {Secret: "session", TokenHash: hash("token"), Expires: now.Add(time.Hour),
		Principal: awswire.Principal{Account: "222222222222", ARN: "arn:aws:sts::222222222222:assumed-role/r/s"}},
	"ASIAOLD": {Secret: "session", TokenHash: hash("token"), Expires: now},
}

// fakeREST answers the REST APIs' operations that the cases below call.
type fakeREST struct {
	apigateway.Unimplemented
}

func (fakeREST) ImportRestApi(_ *awswire.Call, in *apigateway.ImportRestApiRequest) (*apigateway.RestApi, error) {
	return &apigateway.RestApi{Name: new(string(in.Body)), Tags: in.Parameters, DisableExecuteApiEndpoint: in.FailOnWarnings}, nil
}

func (fakeREST) CreateRestApi(_ *awswire.Call, in *apigateway.CreateRestApiRequest) (*apigateway.RestApi, error) {
	return &apigateway.RestApi{Name: in.Name, CreatedDate: &now, BinaryMediaTypes: []string{}, Tags: in.Tags}, nil
}

func (fakeREST) UntagResource(_ *awswire.Call, in *apigateway.UntagResourceRequest) error {
	return apigateway.NewBadRequestException(*in.ResourceArn + " " + strings.Join(in.TagKeys, ","))
}

func (fakeREST) GetRestApis(_ *awswire.Call, in *apigateway.GetRestApisRequest) (*apigateway.RestApis, error) {
	return &apigateway.RestApis{Items: []apigateway.RestApi{}, Position: in.Position}, nil
}

func (fakeREST) GetExport(_ *awswire.Call, in *apigateway.GetExportRequest) (*apigateway.ExportResponse, error) {
	return &apigateway.ExportResponse{Body: []byte("openapi: 3"), ContentType: new("application/yaml\r\nX-Forged: 1"), ContentDisposition: in.Accepts}, nil
}

func (fakeREST) PutIntegration(_ *awswire.Call, in *apigateway.PutIntegrationRequest) (*apigateway.Integration, error) {
	return &apigateway.Integration{HttpMethod: in.IntegrationHttpMethod, Uri: in.HttpMethod, RequestTemplates: in.RequestTemplates}, nil
}

type fakeConnections struct {
	apigatewaymanagementapi.Unimplemented
}

func (fakeConnections) PostToConnection(c *awswire.Call, in *apigatewaymanagementapi.PostToConnectionRequest) error {
	return apigatewaymanagementapi.NewGoneException(c.PathPrefix + " " + *in.ConnectionId + " " + string(in.Data))
}

func newHandler(change func(*awswire.Options)) *awswire.Handler {
	o := awswire.Options{
		Services: []*awswire.Service{
			apigateway.NewService(fakeREST{}), apigatewayv2.NewService(&fakeGateway{}),
			apigatewaymanagementapi.NewService(fakeConnections{}), lambda.NewService(fakeLambda{}),
			iam.NewService(fakeIAM{}), sts.NewService(fakeSTS{}), logs.NewService(fakeLogs{}),
		},
		Auth:    awswire.Auth{Credentials: keys, Open: true},
		Account: "000000000000", Region: "us-east-1",
		Hosts:     []string{"gate.example.com", ".inner.example.com"},
		Clock:     func() time.Time { return now },
		RequestID: func() string { return "request-1" },
	}
	if change != nil {
		change(&o)
	}
	return awswire.NewHandler(o)
}

// A call is one request; sign gives it a signature of an access key.
type call struct {
	method, target, body string
	header               http.Header
	service              string
	key, secret, token   string
	presign              bool
	at                   time.Time
}

func (c call) request(t *testing.T) *http.Request {
	t.Helper()
	req, err := http.NewRequest(c.method, "http://localhost:4566"+c.target, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range c.header {
		req.Header[name] = values
	}
	if c.service == "" {
		return req
	}
	at := c.at
	if at.IsZero() {
		at = now
	}
	if c.key == "" {
		c.key, c.secret = "AKIAUSER", "s3cret"
	}
	creds := aws.Credentials{AccessKeyID: c.key, SecretAccessKey: c.secret, SessionToken: c.token}
	if c.presign {
		u, _, err := v4.NewSigner().PresignHTTP(t.Context(), creds, req, sigv4.Hash([]byte(c.body)), c.service, "eu-west-1", at)
		if err != nil {
			t.Fatal(err)
		}
		presigned, err := http.NewRequest(c.method, u, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		presigned.Header = req.Header
		return presigned
	}
	if err := v4.NewSigner().SignHTTP(t.Context(), creds, req, sigv4.Hash([]byte(c.body)), c.service, "eu-west-1", at); err != nil {
		t.Fatal(err)
	}
	return req
}

// answer runs a call through a handler, as a server would hand it over.
func answer(t *testing.T, h http.Handler, req *http.Request) *http.Response {
	t.Helper()
	req.RequestURI = req.URL.RequestURI()
	if req.Host == "" {
		req.Host = req.URL.Host
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w.Result()
}

// exact is the value of a header in exactly this casing.
func exact(h http.Header, name string) string { return strings.Join(h[name], ", ") }

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func form() http.Header {
	return http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
}

func target(s string) http.Header {
	return http.Header{"X-Amz-Target": {s}, "Content-Type": {"application/x-amz-json-1.1"}}
}

const (
	mismatchText = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	invalidText  = "The security token included in the request is invalid."
)

func queryError(namespace, code, message string) string {
	if namespace != "" {
		namespace = ` xmlns="` + namespace + `"`
	}
	return "<ErrorResponse" + namespace + ">\n<Error><Type>Sender</Type><Code>" + code + "</Code><Message>" + message + "</Message></Error>\n<RequestId>request-1</RequestId>\n</ErrorResponse>\n"
}

const iamSpace = "https://iam.amazonaws.com/doc/2010-05-08/"
const stsSpace = "https://sts.amazonaws.com/doc/2011-06-15/"

// TestWire pins whole answers: status, error type and body.
func TestWire(t *testing.T) {
	const identity = "Action=GetCallerIdentity&Version=2011-06-15"
	who := func(arn, user, account string) string {
		return "<GetCallerIdentityResponse xmlns=\"" + stsSpace + "\">\n<GetCallerIdentityResult><UserId>" + user + "</UserId><Account>" + account + "</Account><Arn>" + arn +
			"</Arn></GetCallerIdentityResult>\n<ResponseMetadata><RequestId>request-1</RequestId></ResponseMetadata>\n</GetCallerIdentityResponse>\n"
	}
	tests := []struct {
		name   string
		call   call
		status int
		kind   string // x-amzn-ErrorType
		body   string
	}{
		// Who is accepted.
		{"a known key", call{method: "POST", target: "/", body: identity, header: form(), service: "sts"}, 200, "", who("arn:aws:iam::111111111111:user/u", "AIDA", "111111111111")},
		{"a known key, presigned", call{method: "GET", target: "/?" + identity, service: "sts", presign: true}, 200, "", who("arn:aws:iam::111111111111:user/u", "AIDA", "111111111111")},
		{"a session", call{method: "POST", target: "/", body: identity, header: form(), service: "sts", key: "ASIASESSION", secret: "session", token: "token"}, 200, "", who("arn:aws:sts::222222222222:assumed-role/r/s", "", "222222222222")},
		{"an unknown key is root", call{method: "POST", target: "/", body: identity, header: form(), service: "sts", key: "test", secret: "x"}, 200, "", who("arn:aws:iam::000000000000:root", "000000000000", "000000000000")},
		{"an account as key", call{method: "POST", target: "/", body: identity, header: form(), service: "sts", key: "333333333333", secret: "x"}, 200, "", who("arn:aws:iam::333333333333:root", "333333333333", "333333333333")},
		{"an unknown key, presigned", call{method: "GET", target: "/?" + identity, service: "sts", key: "test", secret: "x", presign: true}, 403, "", queryError(stsSpace, "InvalidClientTokenId", invalidText)},
		{"a wrong secret, query", call{method: "POST", target: "/", body: identity, header: form(), service: "sts", key: "AKIAUSER", secret: "x"}, 403, "", queryError(stsSpace, "SignatureDoesNotMatch", mismatchText)},
		{"a wrong secret, REST", call{method: "GET", target: "/v2/apis/a", service: "apigateway", key: "AKIAUSER", secret: "x"}, 403, "InvalidSignatureException", `{"message":"` + mismatchText + `"}`},
		{"a wrong secret, JSON", call{method: "POST", target: "/", body: "{}", header: target("Logs_20140328.DescribeLogGroups"), service: "logs", key: "AKIAUSER", secret: "x"}, 400, "", `{"__type":"InvalidSignatureException","message":"` + mismatchText + `"}`},
		{"a session without its token", call{method: "GET", target: "/v2/apis/a", service: "apigateway", key: "ASIASESSION", secret: "session"}, 403, "UnrecognizedClientException", `{"message":"` + invalidText + `"}`},
		{"a session with another token", call{method: "GET", target: "/v2/apis/a", service: "apigateway", key: "ASIASESSION", secret: "session", token: "tokem"}, 403, "UnrecognizedClientException", `{"message":"` + invalidText + `"}`},
		{"an ended session", call{method: "GET", target: "/v2/apis/a", service: "apigateway", key: "ASIAOLD", secret: "session", token: "token"}, 403, "ExpiredTokenException", `{"message":"The security token included in the request is expired"}`},
		{"a key of another service", call{method: "POST", target: "/", body: identity, header: form(), service: "iam"}, 400, "", queryError(iamSpace, "InvalidAction", "Could not find operation GetCallerIdentity for version 2011-06-15")},
		{"too old", call{method: "GET", target: "/v2/apis/a", service: "apigateway", at: now.Add(-time.Hour)}, 403, "InvalidSignatureException", `{"message":"Signature expired: 20260607T070910Z is now earlier than 20260607T075410Z (20260607T080910Z - 15 min.)"}`},
		{"nobody, REST", call{method: "GET", target: "/v2/apis/a"}, 403, "MissingAuthenticationTokenException", `{"message":"Missing Authentication Token"}`},
		{"nobody, no operation", call{method: "GET", target: "/"}, 403, "MissingAuthenticationTokenException", `{"message":"Missing Authentication Token"}`},
		{"nobody, query", call{method: "POST", target: "/", body: identity, header: form()}, 403, "", queryError(stsSpace, "MissingAuthenticationToken", "Request is missing Authentication Token")},
		{"nobody, unsigned operation", call{method: "POST", target: "/", body: "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn:aws:iam::111111111111:role/r&RoleSessionName=s1&WebIdentityToken=abcd", header: form()}, 501, "",
			"<ErrorResponse xmlns=\"" + stsSpace + "\">\n<Error><Type>Receiver</Type><Code>NotImplementedException</Code><Message>gatehouse does not implement sts:AssumeRoleWithWebIdentity yet; docs/COVERAGE.md lists what it does.</Message></Error>\n<RequestId>request-1</RequestId>\n</ErrorResponse>\n"},
		{"broken header", call{method: "GET", target: "/v2/apis/a", header: http.Header{"Authorization": {"AWS4-HMAC-SHA256 x"}}}, 400, "IncompleteSignatureException", `{"message":"Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): 'D6g1GisXlH+T3tugT4kJyB0BFiEOZqjg1nGwgXnvDLA='."}`},

		// Where a call goes.
		{"an unknown service", call{method: "POST", target: "/", body: "{}", header: target("DynamoDB_20120810.ListTables"), service: "dynamodb"}, 501, "", `{"__type":"NotImplementedException","message":"gatehouse does not implement dynamodb:ListTables yet; docs/COVERAGE.md lists what it does."}`},
		{"an unknown path", call{method: "GET", target: "/v3/apis", service: "apigateway"}, 404, "UnknownOperationException", `{"message":"no operation of apigateway answers GET /v3/apis"}`},
		{"an unknown target", call{method: "POST", target: "/", body: "{}", header: target("Logs_20140328.Nope"), service: "logs"}, 400, "", `{"__type":"UnknownOperationException"}`},
		{"a wrong version", call{method: "POST", target: "/", body: "Action=GetRole&Version=2000-01-01&RoleName=r", header: form(), service: "iam"}, 400, "", queryError(iamSpace, "InvalidAction", "Could not find operation GetRole for version 2000-01-01")},
		{"no action", call{method: "POST", target: "/", body: "RoleName=r", header: form(), service: "iam"}, 400, "", queryError(iamSpace, "MissingAction", "the request names no Action")},
		{"a path with a slash at its end", call{method: "GET", target: "/restapis/", service: "apigateway"}, 200, "", `{"item":[]}`},
		{"a literal query", call{method: "POST", target: "/restapis?mode=import&failonwarnings=true&basepath=prepend", body: "spec", service: "apigateway"}, 201, "", `{"name":"spec","tags":{"basepath":"prepend"},"disableExecuteApiEndpoint":true}`},
		{"without the literal query", call{method: "POST", target: "/restapis", body: `{"name":"n","unknown":[1]}`, service: "apigateway"}, 201, "", `{"name":"n","createdDate":1780819750,"binaryMediaTypes":[]}`},
		{"an encoded ARN and a repeated query key", call{method: "DELETE", target: "/tags/arn%3Aaws%3Aapigateway%3Aeu-west-1%3A%3A%2Frestapis%2Fa?tagKeys=a&tagKeys=b%20c", service: "apigateway"}, 400, "BadRequestException", `{"message":"arn:aws:apigateway:eu-west-1::/restapis/a a,b c"}`},
		{"an ARN with its slashes", call{method: "DELETE", target: "/tags/arn:aws:apigateway:eu-west-1::/restapis/a?tagKeys=a", service: "apigateway"}, 400, "BadRequestException", `{"message":"arn:aws:apigateway:eu-west-1::/restapis/a a"}`},
		{"an output's position is in its body", call{method: "GET", target: "/restapis?position=p&limit=5", service: "apigateway"}, 200, "", `{"item":[],"position":"p"}`},
		{"a label and a member of one wire name", call{method: "PUT", target: "/restapis/a/resources/r/methods/GET/integration", body: `{"type":"HTTP","httpMethod":"POST","requestTemplates":{"a/b":null}}`, service: "apigateway"}, 201, "", `{"httpMethod":"POST","uri":"GET","requestTemplates":{"a/b":""}}`},
		{"a stage before the connection", call{method: "POST", target: "/prod/@connections/abc%3D", body: "hi", service: "execute-api"}, 410, "GoneException", `{"message":"/prod abc= hi"}`},
		{"no content", call{method: "DELETE", target: "/v2/apis/a", service: "apigateway"}, 204, "", ""},

		// What an input may hold.
		{"not JSON", call{method: "POST", target: "/restapis", body: `{"name":`, service: "apigateway"}, 400, "SerializationException", `{"message":"the request body is not valid JSON"}`},
		{"JSON and more", call{method: "POST", target: "/restapis", body: `{} {}`, service: "apigateway"}, 400, "SerializationException", `{"message":"the request body goes on after its JSON value"}`},
		{"a body of countless values", call{method: "POST", target: "/restapis", body: `{"name":[` + strings.Repeat("0,", 1<<18) + `0]}`, service: "apigateway"}, 400, "SerializationException", `{"message":"the request body has too many values"}`},
		{"a body without end", call{method: "POST", target: "/restapis", body: `{"name":` + strings.Repeat("[", 300), service: "apigateway"}, 400, "SerializationException", `{"message":"the request body is nested too deeply"}`},
		{"brackets in a string", call{method: "POST", target: "/restapis", body: `{"name":"\"` + strings.Repeat("[", 300) + `"}`, service: "apigateway"}, 201, "", `{"name":"\"` + strings.Repeat("[", 300) + `","createdDate":1780819750,"binaryMediaTypes":[]}`},
		{"a list as body", call{method: "POST", target: "/restapis", body: `[]`, service: "apigateway"}, 400, "SerializationException", `{"message":"Unexpected value: the request body must be a JSON object"}`},
		{"a number as string", call{method: "POST", target: "/restapis", body: `{"name":1}`, service: "apigateway"}, 400, "SerializationException", `{"message":"class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String"}`},
		{"a boolean as string", call{method: "POST", target: "/restapis", body: `{"name":true}`, service: "apigateway"}, 400, "SerializationException", `{"message":"class java.lang.Boolean can not be converted to an String"}`},
		{"a required member", call{method: "POST", target: "/restapis", body: `{"name":null}`, service: "apigateway"}, 400, "ValidationException", `{"message":"1 validation error detected: Value null at 'createRestApiInput.name' failed to satisfy constraint: Member must not be null"}`},
		{"an enum", call{method: "POST", target: "/restapis", body: `{"name":"n","apiKeySource":"X"}`, service: "apigateway"}, 400, "ValidationException", `{"message":"1 validation error detected: Value 'X' at 'createRestApiInput.apiKeySource' failed to satisfy constraint: Member must satisfy enum value set: [AUTHORIZER, HEADER]"}`},
		{"an enum in the path", call{method: "GET", target: "/restapis/a/gatewayresponses/FAKE", service: "apigateway"}, 400, "ValidationException", `{"message":"1 validation error detected: Value 'FAKE' at 'responseType' failed to satisfy constraint: Member must satisfy enum value set: [REQUEST_TOO_LARGE, RESOURCE_NOT_FOUND, AUTHORIZER_CONFIGURATION_ERROR, MISSING_AUTHENTICATION_TOKEN, BAD_REQUEST_BODY, INVALID_SIGNATURE, INVALID_API_KEY, AUTHORIZER_FAILURE, BAD_REQUEST_PARAMETERS, UNAUTHORIZED, ACCESS_DENIED, DEFAULT_4XX, INTEGRATION_TIMEOUT, DEFAULT_5XX, API_CONFIGURATION_ERROR, QUOTA_EXCEEDED, THROTTLED, WAF_FILTERED, EXPIRED_TOKEN, INTEGRATION_FAILURE, UNSUPPORTED_MEDIA_TYPE]"}`},
		{"nested members", call{method: "POST", target: "/", body: "Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument=%7B%7D&Tags.member.2.Key=b&Tags.member.1.Key=a&Tags.member.1.Value=", header: form(), service: "iam"}, 400, "",
			queryError(iamSpace, "ValidationError", "1 validation error detected: Value null at &#39;tags.2.member.value&#39; failed to satisfy constraint: Member must not be null")},
		{"a sensitive value isn't shown", call{method: "POST", target: "/", body: "Action=CreateLoginProfile&Version=2010-05-08&UserName=u&Password=" + strings.Repeat("x", 200), header: form(), service: "iam"}, 400, "",
			queryError(iamSpace, "ValidationError", "1 validation error detected: Value at &#39;password&#39; failed to satisfy constraint: Member must have length less than or equal to 128")},
		{"a value where a list belongs", call{method: "POST", target: "/", body: "Action=DeleteRole&Version=2010-05-08&RoleName.member.1=r", header: form(), service: "iam"}, 400, "", queryError(iamSpace, "MalformedInput", "a list or structure was given where a single value is expected")},
		{"no output, query", call{method: "POST", target: "/", body: "Action=DeleteRole&Version=2010-05-08&RoleName=r", header: form(), service: "iam"}, 200, "", "<DeleteRoleResponse xmlns=\"" + iamSpace + "\">\n<ResponseMetadata><RequestId>request-1</RequestId></ResponseMetadata>\n</DeleteRoleResponse>\n"},
		{"no output, JSON", call{method: "POST", target: "/", body: `{"logGroupName":"g"}`, header: target("Logs_20140328.CreateLogGroup"), service: "logs"}, 200, "", ""},
		{"an error, JSON", call{method: "POST", target: "/", body: `{"logGroupName":"g"}`, header: target("Logs_20140328.DeleteLogGroup"), service: "logs"}, 400, "", `{"__type":"ResourceNotFoundException","message":"The specified log group does not exist."}`},
		{"an error of lambda", call{method: "GET", target: "/2015-03-31/functions/f", service: "lambda"}, 404, "ResourceNotFoundException", `{"Type":"User","Message":"Function not found: f"}`},
		{"not there yet", call{method: "GET", target: "/v2/apis/a/routes", service: "apigateway"}, 501, "NotImplementedException", `{"message":"gatehouse does not implement apigatewayv2:GetRoutes yet; docs/COVERAGE.md lists what it does."}`},
		{"a panic", call{method: "GET", target: "/v2/apis?maxResults=panic", service: "apigateway"}, 500, "InternalFailure", `{"message":"The call failed inside the gateway; its log has the reason under this request id."}`},
		{"an outage", call{method: "GET", target: "/v2/apis", service: "apigateway", key: "AKIAFULL", secret: "x"}, 500, "InternalFailure", `{"message":"The disk is full; the gateway's log has more under this request id."}`},
		{"a broken directory", call{method: "GET", target: "/v2/apis", service: "apigateway", key: "AKIABROKEN", secret: "x"}, 500, "InternalFailure", `{"message":"The call failed inside the gateway; its log has the reason under this request id."}`},
	}
	h := newHandler(nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := answer(t, h, tt.call.request(t))
			if got := body(t, r); r.StatusCode != tt.status || exact(r.Header, "x-amzn-ErrorType") != tt.kind || got != tt.body {
				t.Errorf("got  %d %q %s\nwant %d %q %s", r.StatusCode, exact(r.Header, "x-amzn-ErrorType"), got, tt.status, tt.kind, tt.body)
			}
			if id := exact(r.Header, "x-amzn-RequestId"); id != "request-1" {
				t.Errorf("request id %q", id)
			}
		})
	}
}

func TestHeadersOfAnswers(t *testing.T) {
	r := answer(t, newHandler(nil), call{method: "GET", target: "/restapis/a/stages/s/exports/oas30", header: http.Header{"Accept": {"application/yaml"}}, service: "apigateway"}.request(t))
	if got := r.Header.Get("Content-Type"); got != "application/yamlX-Forged: 1" || r.Header.Get("X-Forged") != "" {
		t.Errorf("a line break got through: %q", r.Header)
	}
	if got := r.Header.Get("Content-Disposition"); got != "application/yaml" || body(t, r) != "openapi: 3" {
		t.Errorf("got %q", r.Header)
	}
	r = answer(t, newHandler(nil), call{method: "POST", target: "/2015-03-31/functions/f/invocations", body: "{}", service: "lambda"}.request(t))
	if r.StatusCode != 202 || r.Header.Get("X-Amz-Function-Error") != "Unhandled" || r.Header.Get("X-Amz-Executed-Version") != "" {
		t.Errorf("got %d %q", r.StatusCode, r.Header)
	}
}

func TestStrict(t *testing.T) {
	h := newHandler(func(o *awswire.Options) { o.Auth.Open = false })
	r := answer(t, h, call{method: "DELETE", target: "/v2/apis/a", service: "apigateway", key: "test", secret: "x"}.request(t))
	if r.StatusCode != 403 || exact(r.Header, "x-amzn-ErrorType") != "UnrecognizedClientException" {
		t.Errorf("an unknown key: %d %s", r.StatusCode, body(t, r))
	}
	if r := answer(t, h, call{method: "DELETE", target: "/v2/apis/a", service: "apigateway"}.request(t)); r.StatusCode != 204 {
		t.Errorf("a known key: %d %s", r.StatusCode, body(t, r))
	}
}

// TestRegions scopes calls to what is a region, and to what would be more in an ARN.
func TestRegions(t *testing.T) {
	for region, want := range map[string]int{
		"eu-north-1": 204, "local": 204, "my_region": 204, "us-east-1:210987654321:function": 403, "*": 403, "a b": 403, "us-east-1%2f": 403, "é": 403,
		strings.Repeat("x", 65): 403,
	} {
		req := call{method: "DELETE", target: "/v2/apis/a", service: "apigateway", key: "test", secret: "x"}.request(t)
		signed := req.Header.Get("Authorization")
		scope := strings.Split(signed, "/")
		req.Header.Set("Authorization", strings.Replace(signed, "/"+scope[2]+"/", "/"+region+"/", 1))
		if r := answer(t, newHandler(nil), req); r.StatusCode != want {
			t.Errorf("%q: %d %s", region, r.StatusCode, body(t, r))
		}
	}
}

// TestTampering changes a signed request on its way.
func TestTampering(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"body":   func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"name":"m"}`)) },
		"query":  func(r *http.Request) { r.URL.RawQuery = "mode=import" },
		"path":   func(r *http.Request) { r.URL.Path = "/apikeys" },
		"method": func(r *http.Request) { r.Method = "PUT" },
		"host":   func(r *http.Request) { r.Host = "127.0.0.1" },
		"date":   func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260607T080911Z") },
	} {
		req := call{method: "POST", target: "/restapis", body: `{"name":"n"}`, service: "apigateway"}.request(t)
		change(req)
		if r := answer(t, newHandler(nil), req); r.StatusCode != 403 && r.StatusCode != 404 {
			t.Errorf("%s: %d %s", name, r.StatusCode, body(t, r))
		}
	}
}

// TestBrowsers sends what a web page could.
func TestBrowsers(t *testing.T) {
	tests := []struct {
		name   string
		host   string
		header http.Header
		allow  bool
		want   int
	}{
		{"loopback", "127.0.0.1:4566", nil, false, 204},
		{"loopback v6", "[::1]:4566", nil, false, 204},
		{"localhost", "localhost", nil, false, 204},
		{"below localhost", "abc.execute-api.localhost:4566", nil, false, 204},
		{"configured", "GATE.example.com:4566", nil, false, 204},
		{"below configured", "x.inner.example.com", nil, false, 204},
		{"rebound", "evil.example.com:4566", nil, false, 403},
		{"like localhost", "localhost.example.com", nil, false, 403},
		{"like configured", "evilgate.example.com", nil, false, 403},
		{"another address", "10.0.0.1", nil, false, 403},
		{"none", "", nil, false, 403},
		{"origin", "localhost", http.Header{"Origin": {"null"}}, false, 403},
		{"fetch metadata", "localhost", http.Header{"Sec-Fetch-Site": {"none"}}, false, 403},
		{"empty origin", "localhost", http.Header{"Origin": {""}}, false, 403},
		{"admitted", "localhost", http.Header{"Origin": {"http://console.localhost"}}, true, 204},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHandler(func(o *awswire.Options) {
				if tt.allow {
					o.AllowBrowser = func(*http.Request) bool { return true }
				}
			})
			req := call{method: "DELETE", target: "/v2/apis/a", header: tt.header, service: "apigateway", key: "test", secret: "x"}.request(t)
			req.RequestURI = req.URL.RequestURI()
			req.Host = tt.host
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			if w.Code != tt.want {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
		})
	}
	preflight := call{method: "OPTIONS", target: "/v2/apis", header: http.Header{"Origin": {"http://localhost:3000"}, "Access-Control-Request-Method": {"POST"}}}.request(t)
	if r := answer(t, newHandler(nil), preflight); r.StatusCode != 403 || r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("preflight: %d %q", r.StatusCode, r.Header)
	}
}

func TestBodyLimits(t *testing.T) {
	h := newHandler(func(o *awswire.Options) { o.MaxBodyBytes = 1000 })
	post := func(b string, header http.Header) *http.Response {
		return answer(t, h, call{method: "POST", target: "/restapis", body: b, header: header, service: "apigateway"}.request(t))
	}
	if r := post(`{"name":"`+strings.Repeat("x", 1000)+`"}`, nil); r.StatusCode != 413 || body(t, r) != `{"message":"Request must be smaller than 1000 bytes"}` {
		t.Errorf("a long body: %d", r.StatusCode)
	}
	zip := func(s string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	gzipped := http.Header{"Content-Encoding": {"gzip"}}
	if r := post(zip(`{"name":"n"}`), gzipped); r.StatusCode != 201 {
		t.Errorf("gzip: %d %s", r.StatusCode, body(t, r))
	}
	if r := post(zip(`{"name":"`+strings.Repeat("x", 100_000)+`"}`), gzipped); r.StatusCode != 413 {
		t.Errorf("a bomb: %d %s", r.StatusCode, body(t, r))
	}
	if r := post("not gzip", gzipped); r.StatusCode != 400 {
		t.Errorf("not gzip: %d", r.StatusCode)
	}
	// A length nobody knows beforehand.
	req := call{method: "POST", target: "/restapis", body: strings.Repeat("x", 2000), service: "apigateway"}.request(t)
	req.ContentLength = -1
	if r := answer(t, h, req); r.StatusCode != 413 {
		t.Errorf("chunked: %d", r.StatusCode)
	}
}

func TestAuthorize(t *testing.T) {
	var asked []awswire.Action
	h := newHandler(func(o *awswire.Options) {
		o.Authorize = func(c *awswire.Call, a awswire.Action) error {
			asked = append(asked, a)
			return &awswire.Error{Code: "AccessDeniedException", QueryCode: "AccessDenied", Status: 403, Message: c.Principal.ARN + " may not"}
		}
	})
	r := answer(t, h, call{method: "DELETE", target: "/v2/apis/a", service: "apigateway"}.request(t))
	if got := body(t, r); r.StatusCode != 403 || got != `{"message":"arn:aws:iam::111111111111:user/u may not"}` {
		t.Errorf("got %d %s", r.StatusCode, got)
	}
	if len(asked) != 1 || asked[0].Service != "apigateway" || asked[0].Model != "apigatewayv2" || asked[0].Operation != "DeleteApi" ||
		asked[0].Method != "DELETE" || asked[0].Path != "/v2/apis/a" || *asked[0].Input.(*apigatewayv2.DeleteApiRequest).ApiId != "a" {
		t.Errorf("asked %+v", asked)
	}
	if r := answer(t, h, call{method: "DELETE", target: "/v2/apis/a", service: "apigateway", key: "test", secret: "x"}.request(t)); r.StatusCode != 204 {
		t.Errorf("root: %d", r.StatusCode)
	}
}
