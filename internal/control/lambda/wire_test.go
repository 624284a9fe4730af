package lambda_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/lambda"
)

// serve answers the API and code downloads.
func serve(t *testing.T, f *fixture) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc(lambda.CodePathPrefix, f.ServeCode)
	mux.Handle("/", awswire.NewHandler(awswire.Options{
		Services: []*awswire.Service{api.NewService(f)}, Account: account, Region: region, Auth: awswire.Auth{Open: true},
	}))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// client is AWS's own, with one attempt per call.
func client(server *httptest.Server) *sdk.Client {
	return sdk.New(sdk.Options{
		Region: region, BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient:  &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
}

// refused wants an API error with the code, status and message.
func refused(t *testing.T, err error, code string, status int, message string) {
	t.Helper()
	var e smithy.APIError
	var r interface{ HTTPStatusCode() int }
	if !errors.As(err, &e) || !errors.As(err, &r) {
		t.Fatalf("error %v, want %s", err, code)
	}
	if e.ErrorCode() != code || r.HTTPStatusCode() != status || e.ErrorMessage() != message {
		t.Errorf("error %d %s: %s\n want %d %s: %s", r.HTTPStatusCode(), e.ErrorCode(), e.ErrorMessage(), status, code, message)
	}
}

// TestWithTheSDK is a function's life, called by AWS's client.
func TestWithTheSDK(t *testing.T) {
	f := newRunning(t, nil)
	server := serve(t, f)
	c, ctx := client(server), t.Context()
	code := zipped("index.js", hello)

	created := must(c.CreateFunction(ctx, &sdk.CreateFunctionInput{
		FunctionName: aws.String("hello"), Role: aws.String(role), Runtime: types.RuntimeNodejs20x, Handler: aws.String("index.handler"),
		Code: &types.FunctionCode{ZipFile: code}, Environment: &types.Environment{Variables: map[string]string{"STAGE": "wire"}},
		Tags: map[string]string{"a": "b"},
	}))(t)
	if created.State != types.StatePending || created.StateReasonCode != types.StateReasonCodeCreating {
		t.Errorf("created in state %s, %s", created.State, created.StateReasonCode)
	}
	waiter := sdk.NewFunctionActiveV2Waiter(c, func(o *sdk.FunctionActiveV2WaiterOptions) { o.MinDelay = time.Millisecond })
	ok(t, waiter.Wait(ctx, &sdk.GetFunctionInput{FunctionName: aws.String("hello")}, time.Minute))
	_, err := c.CreateFunction(ctx, &sdk.CreateFunctionInput{
		FunctionName: aws.String("hello"), Role: aws.String(role), Runtime: types.RuntimeNodejs20x, Handler: aws.String("index.handler"),
		Code: &types.FunctionCode{ZipFile: code},
	})
	refused(t, err, "ResourceConflictException", 409, "Function already exist: hello")

	// The code comes back as it was sent, but not without its signature.
	got := must(c.GetFunction(ctx, &sdk.GetFunctionInput{FunctionName: aws.String("hello")}))(t)
	if status, body := download(t, *got.Code.Location); status != 200 || !bytes.Equal(body, code) {
		t.Errorf("the code's address answers %d with %d bytes, want %d", status, len(body), len(code))
	}
	if status, _ := download(t, strings.Replace(*got.Code.Location, "signature=", "signature=00", 1)); status != 403 {
		t.Errorf("a forged address answers %d", status)
	}
	if got.Tags["a"] != "b" || got.Concurrency != nil {
		t.Errorf("GetFunction shows tags %v, concurrency %v", got.Tags, got.Concurrency)
	}

	for _, name := range []string{prefix + "hello", "function:hello", account + ":function:hello", prefix + "hello:$LATEST", "hello:$LATEST"} {
		if got := must(c.GetFunctionConfiguration(ctx, &sdk.GetFunctionConfigurationInput{FunctionName: &name}))(t); *got.FunctionName != "hello" {
			t.Errorf("%s finds %s", name, *got.FunctionName)
		}
	}
	res := must(c.Invoke(ctx, &sdk.InvokeInput{
		FunctionName: aws.String("hello"), Payload: []byte(`{"name":"wire"}`), LogType: types.LogTypeTail,
		ClientContext: aws.String(base64.StdEncoding.EncodeToString([]byte(`{"custom":{"k":"v"}}`))),
	}))(t)
	want := `{"hello":"wire","version":"$LATEST","arn":"` + prefix + `hello","stage":"wire","client":{"custom":{"k":"v"}}}`
	if res.StatusCode != 200 || string(res.Payload) != want || *res.ExecutedVersion != "$LATEST" || res.FunctionError != nil {
		t.Errorf("Invoke: %d %s %s", res.StatusCode, res.Payload, aws.ToString(res.FunctionError))
	}
	if tail := must(base64.StdEncoding.DecodeString(aws.ToString(res.LogResult)))(t); !bytes.Contains(tail, []byte("called with wire")) {
		t.Errorf("log tail %s", tail)
	}
	dry := must(c.Invoke(ctx, &sdk.InvokeInput{FunctionName: aws.String("hello"), InvocationType: types.InvocationTypeDryRun}))(t)
	event := must(c.Invoke(ctx, &sdk.InvokeInput{FunctionName: aws.String("hello"), InvocationType: types.InvocationTypeEvent}))(t)
	if dry.StatusCode != 204 || event.StatusCode != 202 || len(event.Payload) != 0 {
		t.Errorf("DryRun answers %d, Event %d with %q", dry.StatusCode, event.StatusCode, event.Payload)
	}
	_, err = c.Invoke(ctx, &sdk.InvokeInput{FunctionName: aws.String("hello"), Payload: []byte(`{`)})
	refused(t, err, "InvalidRequestContentException", 400, "Could not parse request body into json: Could not parse payload into json: unexpected end of JSON input; line: 1, column: 1")

	// A function that fails answers 200 with the error in a header.
	must(c.UpdateFunctionCode(ctx, &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("hello"), ZipFile: zipped("index.js", `exports.handler = async () => { throw new Error("bad") }`)}))(t)
	updated := sdk.NewFunctionUpdatedV2Waiter(c, func(o *sdk.FunctionUpdatedV2WaiterOptions) { o.MinDelay = time.Millisecond })
	ok(t, updated.Wait(ctx, &sdk.GetFunctionInput{FunctionName: aws.String("hello")}, time.Minute))
	res = must(c.Invoke(ctx, &sdk.InvokeInput{FunctionName: aws.String("hello")}))(t)
	if res.StatusCode != 200 || aws.ToString(res.FunctionError) != "Unhandled" {
		t.Errorf("failing function: %d %s %s", res.StatusCode, aws.ToString(res.FunctionError), res.Payload)
	}

	// No concurrency at all means a throttle with its reason.
	must(c.PutFunctionConcurrency(ctx, &sdk.PutFunctionConcurrencyInput{FunctionName: aws.String("hello"), ReservedConcurrentExecutions: aws.Int32(0)}))(t)
	_, err = c.Invoke(ctx, &sdk.InvokeInput{FunctionName: aws.String("hello")})
	var throttle *types.TooManyRequestsException
	if !errors.As(err, &throttle) || throttle.Reason != types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded {
		t.Errorf("without concurrency: %v", err)
	}
	ok1(t, c.DeleteFunctionConcurrency)(ctx, &sdk.DeleteFunctionConcurrencyInput{FunctionName: aws.String("hello")})

	ok1(t, c.DeleteFunction)(ctx, &sdk.DeleteFunctionInput{FunctionName: aws.String("hello")})
	_, err = c.GetFunction(ctx, &sdk.GetFunctionInput{FunctionName: aws.String("hello")})
	refused(t, err, "ResourceNotFoundException", 404, "Function not found: "+prefix+"hello")
}

// ok1 makes a call of the client that must succeed.
func ok1[C, I, F, O any](t *testing.T, call func(C, *I, ...F) (*O, error)) func(C, *I) {
	return func(ctx C, in *I) {
		t.Helper()
		if _, err := call(ctx, in); err != nil {
			t.Fatal(err)
		}
	}
}

func download(t *testing.T, url string) (int, []byte) {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res := must(c.Get(url))(t)
	defer res.Body.Close()
	return res.StatusCode, must(io.ReadAll(res.Body))(t)
}

// TestStreamOnTheWire reads a streamed answer with AWS's client.
func TestStreamOnTheWire(t *testing.T) {
	f := newRunning(t, nil)
	c := client(serve(t, f))
	f.create(t, "s", `exports.handler = awslambda.streamifyResponse(async (event, out) => { out.write("a"); out.write(event.b); out.end() })`)
	res := must(c.InvokeWithResponseStream(t.Context(), &sdk.InvokeWithResponseStreamInput{FunctionName: aws.String("s"), Payload: []byte(`{"b":"bc"}`)}))(t)
	stream := res.GetStream()
	body, complete := "", false
	for event := range stream.Events() {
		switch e := event.(type) {
		case *types.InvokeWithResponseStreamResponseEventMemberPayloadChunk:
			body += string(e.Value.Payload)
		case *types.InvokeWithResponseStreamResponseEventMemberInvokeComplete:
			complete = e.Value.ErrorCode == nil
		}
	}
	ok(t, stream.Err())
	ok(t, stream.Close())
	if body != "abc" || !complete {
		t.Errorf("stream %q, complete %v", body, complete)
	}
}

// TestPagesOnTheWire walks lists with the client's paginators.
func TestPagesOnTheWire(t *testing.T) {
	f := newFixture(t)
	c, ctx := client(serve(t, f)), t.Context()
	for _, name := range []string{"a", "b", "c"} {
		f.create(t, name, nothing)
	}
	var names []string
	for p := sdk.NewListFunctionsPaginator(c, &sdk.ListFunctionsInput{MaxItems: aws.Int32(2)}); p.HasMorePages(); {
		for _, fn := range must(p.NextPage(ctx))(t).Functions {
			names = append(names, *fn.FunctionName)
		}
	}
	if got := strings.Join(names, " "); got != "a b c" {
		t.Errorf("functions %s", got)
	}
	for i := range 3 {
		must(c.UpdateFunctionConfiguration(ctx, &sdk.UpdateFunctionConfigurationInput{FunctionName: aws.String("a"), Timeout: aws.Int32(int32(10 + i))}))(t)
		must(c.PublishVersion(ctx, &sdk.PublishVersionInput{FunctionName: aws.String("a")}))(t)
	}
	var versions []string
	for p := sdk.NewListVersionsByFunctionPaginator(c, &sdk.ListVersionsByFunctionInput{FunctionName: aws.String("a"), MaxItems: aws.Int32(2)}); p.HasMorePages(); {
		for _, v := range must(p.NextPage(ctx))(t).Versions {
			versions = append(versions, *v.Version)
		}
	}
	if got := strings.Join(versions, " "); got != "$LATEST 1 2 3" {
		t.Errorf("versions %s", got)
	}
}

// TestTerraformSequence replays what Terraform's provider calls for a function
// and a permission, from create to destroy.
func TestTerraformSequence(t *testing.T) {
	f := newFixture(t)
	c, ctx := client(serve(t, f)), t.Context()
	name := aws.String("tf")
	zip := zipped("index.js", nothing)
	must(c.CreateFunction(ctx, &sdk.CreateFunctionInput{
		FunctionName: name, Role: aws.String(role), Runtime: types.RuntimeNodejs20x, Handler: aws.String("index.handler"),
		Code: &types.FunctionCode{ZipFile: zip}, Description: aws.String(""), MemorySize: aws.Int32(128), Timeout: aws.Int32(3),
		PackageType: types.PackageTypeZip,
	}))(t)
	read := func() *sdk.GetFunctionOutput {
		t.Helper()
		out := must(c.GetFunction(ctx, &sdk.GetFunctionInput{FunctionName: name}))(t)
		v := must(c.ListVersionsByFunction(ctx, &sdk.ListVersionsByFunctionInput{FunctionName: name, MaxItems: aws.Int32(10000)}))(t)
		if last := v.Versions[len(v.Versions)-1]; *last.Version != "$LATEST" {
			t.Errorf("the last version is %s", *last.Version)
		}
		signing := must(c.GetFunctionCodeSigningConfig(ctx, &sdk.GetFunctionCodeSigningConfigInput{FunctionName: name}))(t)
		if aws.ToString(signing.CodeSigningConfigArn) != "" {
			t.Errorf("code signing %s", *signing.CodeSigningConfigArn)
		}
		return out
	}
	out := read()
	cfg := out.Configuration
	if cfg.VpcConfig != nil || cfg.Environment != nil || cfg.DeadLetterConfig != nil || len(cfg.Layers) != 0 || cfg.KMSKeyArn != nil ||
		cfg.LoggingConfig.LogFormat != types.LogFormatText || *cfg.EphemeralStorage.Size != 512 || cfg.TracingConfig.Mode != types.TracingModePassThrough ||
		cfg.SnapStart.ApplyOn != types.SnapStartApplyOnNone || cfg.Architectures[0] != types.ArchitectureX8664 {
		t.Errorf("a refresh would drift: %+v", cfg)
	}
	must(c.UpdateFunctionConfiguration(ctx, &sdk.UpdateFunctionConfigurationInput{FunctionName: name, Environment: &types.Environment{Variables: map[string]string{"KEY": "v"}}}))(t)
	if got := read().Configuration.Environment.Variables["KEY"]; got != "v" {
		t.Errorf("environment variable %q", got)
	}
	must(c.UpdateFunctionConfiguration(ctx, &sdk.UpdateFunctionConfigurationInput{FunctionName: name, Environment: &types.Environment{Variables: map[string]string{}}}))(t)
	if read().Configuration.Environment != nil {
		t.Error("a removed environment is still shown")
	}
	must(c.TagResource(ctx, &sdk.TagResourceInput{Resource: cfg.FunctionArn, Tags: map[string]string{"a": "1", "b": "2"}}))(t)
	must(c.UntagResource(ctx, &sdk.UntagResourceInput{Resource: cfg.FunctionArn, TagKeys: []string{"b"}}))(t)
	tags := must(c.ListTags(ctx, &sdk.ListTagsInput{Resource: cfg.FunctionArn}))(t)
	if len(tags.Tags) != 1 || tags.Tags["a"] != "1" {
		t.Errorf("tags %v", tags.Tags)
	}

	must(c.AddPermission(ctx, &sdk.AddPermissionInput{
		FunctionName: name, StatementId: aws.String("gw"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("apigateway.amazonaws.com"),
		SourceArn: aws.String("arn:aws:execute-api:us-east-1:123456789012:abc/*/*"),
	}))(t)
	policy := must(c.GetPolicy(ctx, &sdk.GetPolicyInput{FunctionName: name}))(t)
	if !strings.Contains(*policy.Policy, `"Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:execute-api:us-east-1:123456789012:abc/*/*"}}`) {
		t.Errorf("policy %s", *policy.Policy)
	}
	must(c.RemovePermission(ctx, &sdk.RemovePermissionInput{FunctionName: name, StatementId: aws.String("gw")}))(t)
	_, err := c.GetPolicy(ctx, &sdk.GetPolicyInput{FunctionName: name})
	refused(t, err, "ResourceNotFoundException", 404, "The resource you requested does not exist.")

	must(c.PublishVersion(ctx, &sdk.PublishVersionInput{FunctionName: name}))(t)
	must(c.CreateAlias(ctx, &sdk.CreateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("1"), RoutingConfig: &types.AliasRoutingConfiguration{}}))(t)
	if alias := must(c.GetAlias(ctx, &sdk.GetAliasInput{FunctionName: name, Name: aws.String("live")}))(t); alias.RoutingConfig != nil {
		t.Errorf("routing %+v", alias.RoutingConfig)
	}
	must(c.DeleteAlias(ctx, &sdk.DeleteAliasInput{FunctionName: name, Name: aws.String("live")}))(t)
	must(c.PutFunctionEventInvokeConfig(ctx, &sdk.PutFunctionEventInvokeConfigInput{FunctionName: name, MaximumRetryAttempts: aws.Int32(1), DestinationConfig: &types.DestinationConfig{}}))(t)
	invoke := must(c.GetFunctionEventInvokeConfig(ctx, &sdk.GetFunctionEventInvokeConfigInput{FunctionName: name}))(t)
	if *invoke.MaximumRetryAttempts != 1 || invoke.LastModified.IsZero() || *invoke.FunctionArn != prefix+"tf:$LATEST" {
		t.Errorf("event invoke config %+v", invoke)
	}
	must(c.DeleteFunctionEventInvokeConfig(ctx, &sdk.DeleteFunctionEventInvokeConfigInput{FunctionName: name}))(t)
	must(c.DeleteFunction(ctx, &sdk.DeleteFunctionInput{FunctionName: name}))(t)
	_, err = c.GetFunction(ctx, &sdk.GetFunctionInput{FunctionName: name})
	refused(t, err, "ResourceNotFoundException", 404, "Function not found: "+prefix+"tf")
}

// TestLayersOnTheWire is a layer's life.
func TestLayersOnTheWire(t *testing.T) {
	f := newFixture(t)
	c, ctx := client(serve(t, f)), t.Context()
	name, content := aws.String("tools"), zipped("nodejs/x.js", "1")
	for i := range 2 {
		out := must(c.PublishLayerVersion(ctx, &sdk.PublishLayerVersionInput{
			LayerName: name, Content: &types.LayerVersionContentInput{ZipFile: content}, LicenseInfo: aws.String("MIT"),
			CompatibleRuntimes: []types.Runtime{types.RuntimeNodejs20x}, CompatibleArchitectures: []types.Architecture{types.ArchitectureX8664},
		}))(t)
		if out.Version != int64(i+1) || *out.LayerArn != "arn:aws:lambda:us-east-1:123456789012:layer:tools" {
			t.Errorf("published %d of %s", out.Version, *out.LayerArn)
		}
	}
	got := must(c.GetLayerVersion(ctx, &sdk.GetLayerVersionInput{LayerName: name, VersionNumber: aws.Int64(2)}))(t)
	if status, body := download(t, *got.Content.Location); status != 200 || !bytes.Equal(body, content) || got.Content.CodeSize != int64(len(content)) {
		t.Errorf("the layer's address answers %d with %d bytes", status, len(body))
	}
	byARN := must(c.GetLayerVersionByArn(ctx, &sdk.GetLayerVersionByArnInput{Arn: got.LayerVersionArn}))(t)
	if byARN.Version != 2 || *byARN.LicenseInfo != "MIT" {
		t.Errorf("by ARN: %+v", byARN)
	}
	page := must(c.ListLayerVersions(ctx, &sdk.ListLayerVersionsInput{LayerName: name, MaxItems: aws.Int32(1)}))(t)
	rest := must(c.ListLayerVersions(ctx, &sdk.ListLayerVersionsInput{LayerName: name, Marker: page.NextMarker}))(t)
	if page.LayerVersions[0].Version != 2 || rest.LayerVersions[0].Version != 1 || rest.NextMarker != nil {
		t.Error("layer versions don't come page by page, the newest first")
	}
	layers := must(c.ListLayers(ctx, &sdk.ListLayersInput{CompatibleRuntime: types.RuntimeNodejs20x}))(t)
	if len(layers.Layers) != 1 || layers.Layers[0].LatestMatchingVersion.Version != 2 {
		t.Errorf("layers %+v", layers.Layers)
	}
	if none := must(c.ListLayers(ctx, &sdk.ListLayersInput{CompatibleRuntime: types.RuntimePython312}))(t); len(none.Layers) != 0 {
		t.Error("a layer for another runtime is listed")
	}
	added := must(c.AddLayerVersionPermission(ctx, &sdk.AddLayerVersionPermissionInput{
		LayerName: name, VersionNumber: aws.Int64(1), StatementId: aws.String("s1"), Action: aws.String("lambda:GetLayerVersion"), Principal: aws.String("*"),
	}))(t)
	if want := `{"Sid":"s1","Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"arn:aws:lambda:us-east-1:123456789012:layer:tools:1"}`; *added.Statement != want {
		t.Errorf("statement %s", *added.Statement)
	}
	policy := must(c.GetLayerVersionPolicy(ctx, &sdk.GetLayerVersionPolicyInput{LayerName: name, VersionNumber: aws.Int64(1)}))(t)
	if *policy.RevisionId != *added.RevisionId {
		t.Error("the policy has another revision than its last change")
	}
	_, err := c.RemoveLayerVersionPermission(ctx, &sdk.RemoveLayerVersionPermissionInput{LayerName: name, VersionNumber: aws.Int64(1), StatementId: aws.String("s1"), RevisionId: aws.String("wrong")})
	refused(t, err, "PreconditionFailedException", 412, "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve the latest Revision Id")
	must(c.RemoveLayerVersionPermission(ctx, &sdk.RemoveLayerVersionPermissionInput{LayerName: name, VersionNumber: aws.Int64(1), StatementId: aws.String("s1")}))(t)

	// A function keeps a layer that is deleted; numbers aren't used again.
	in := request("f", nothing)
	in.Layers = []string{*got.LayerVersionArn}
	must(f.CreateFunction(f.Call, in))(t)
	must(c.DeleteLayerVersion(ctx, &sdk.DeleteLayerVersionInput{LayerName: name, VersionNumber: aws.Int64(2)}))(t)
	must(c.DeleteLayerVersion(ctx, &sdk.DeleteLayerVersionInput{LayerName: name, VersionNumber: aws.Int64(2)}))(t)
	_, err = c.GetLayerVersion(ctx, &sdk.GetLayerVersionInput{LayerName: name, VersionNumber: aws.Int64(2)})
	refused(t, err, "ResourceNotFoundException", 404, "The resource you requested does not exist.")
	cfg := must(c.GetFunctionConfiguration(ctx, &sdk.GetFunctionConfigurationInput{FunctionName: aws.String("f")}))(t)
	if len(cfg.Layers) != 1 || *cfg.Layers[0].Arn != *got.LayerVersionArn || cfg.Layers[0].CodeSize != int64(len(content)) {
		t.Errorf("the function's layers %+v", cfg.Layers)
	}
	must(f.directory.Invoke(t.Context(), prefix+"f", nil))(t)
	next := must(c.PublishLayerVersion(ctx, &sdk.PublishLayerVersionInput{LayerName: name, Content: &types.LayerVersionContentInput{ZipFile: content}}))(t)
	if next.Version != 3 {
		t.Errorf("after deleting 2 comes %d", next.Version)
	}
}

// TestNotYet checks that what isn't there says so.
func TestNotYet(t *testing.T) {
	c := client(serve(t, newFixture(t)))
	_, err := c.CreateFunctionUrlConfig(t.Context(), &sdk.CreateFunctionUrlConfigInput{FunctionName: aws.String("f"), AuthType: types.FunctionUrlAuthTypeNone})
	refused(t, err, "NotImplementedException", 501, "gatehouse does not implement lambda:CreateFunctionUrlConfig yet; docs/COVERAGE.md lists what it does.")
}

// TestConstraintsOnTheWire holds errors that AWS was recorded to answer, where
// the model's own constraints are checked before the operation.
func TestConstraintsOnTheWire(t *testing.T) {
	c, ctx := client(serve(t, newFixture(t))), t.Context()
	const existing = `(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?`
	_, err := c.GetFunction(ctx, &sdk.GetFunctionInput{FunctionName: aws.String("my-function!")})
	refused(t, err, "ValidationException", 400, "1 validation error detected: Value 'my-function!' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: "+existing)
	_, err = c.GetFunction(ctx, &sdk.GetFunctionInput{FunctionName: aws.String("f"), Qualifier: aws.String(strings.Repeat("a", 129))})
	refused(t, err, "ValidationException", 400, "1 validation error detected: Value '"+strings.Repeat("a", 129)+"' at 'qualifier' failed to satisfy constraint: Member must have length less than or equal to 128")
	_, err = c.GetFunction(ctx, &sdk.GetFunctionInput{FunctionName: aws.String("arn:aws-eusc:lambda:eusc-de-east-1:123456789012:function:f")})
	refused(t, err, "ResourceNotFoundException", 404, "Functions from 'eusc-de-east-1' are not reachable in this region ('us-east-1')")
	in := &sdk.CreateFunctionInput{
		FunctionName: aws.String("f"), Role: aws.String("r1"), Runtime: types.RuntimeNodejs20x, Handler: aws.String("index.handler"),
		Code: &types.FunctionCode{ZipFile: zipped("index.js", nothing)},
	}
	_, err = c.CreateFunction(ctx, in)
	refused(t, err, "ValidationException", 400, `1 validation error detected: Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`)
	in.Role, in.Runtime = aws.String(role), "nodejs14.x"
	_, err = c.CreateFunction(ctx, in)
	refused(t, err, "InvalidParameterValueException", 400, "The runtime parameter of nodejs14.x is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.")
	in.Runtime = "PYTHON3.9"
	_, err = c.CreateFunction(ctx, in)
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != "InvalidParameterValueException" || !strings.HasPrefix(e.ErrorMessage(), "Value PYTHON3.9 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [nodejs20.x, ") {
		t.Errorf("an unknown runtime: %v", err)
	}
	in.Runtime, in.Timeout = types.RuntimeNodejs20x, aws.Int32(901)
	_, err = c.CreateFunction(ctx, in)
	refused(t, err, "ValidationException", 400, "1 validation error detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900")
}
