package sdk

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	awsv1 "github.com/aws/aws-sdk-go/aws"                     //nolint:SA1019 // what the provider uses
	"github.com/aws/aws-sdk-go/aws/awserr"                    //nolint:SA1019 // what the provider uses
	credentialsv1 "github.com/aws/aws-sdk-go/aws/credentials" //nolint:SA1019 // what the provider uses
	"github.com/aws/aws-sdk-go/aws/session"                   //nolint:SA1019 // what the provider uses
	lambdav1 "github.com/aws/aws-sdk-go/service/lambda"       //nolint:SA1019 // what the provider uses

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"gatehouse/test/harness"
)

const (
	helloCode   = "exports.handler = async (event) => ({ hello: event.name ?? 'world', greeting: process.env.GREETING });\n"
	functionARN = "arn:aws:lambda:" + region + ":" + account + ":function:hello"
)

// codeV1 is the code of an error of the older SDK.
func codeV1(err error) string {
	var e awserr.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Code()
}

func sumOf(code []byte) *string {
	sum := sha256.Sum256(code)
	return new(base64.StdEncoding.EncodeToString(sum[:]))
}

// functions is what the tests of functions need: clients of both SDKs, for the
// provider uses the older one for permissions, aliases and layers.
type functions struct {
	*lambda.Client
	v1   *lambdav1.Lambda
	role *string
}

func newFunctions(t *testing.T) *functions {
	t.Helper()
	return functionsOf(t, harness.Start(t, ""))
}

func functionsOf(t *testing.T, gw *harness.Gateway) *functions {
	t.Helper()
	role := must(iam.NewFromConfig(gw.Config()).CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: new("hello"), Path: new("/"), AssumeRolePolicyDocument: new(lambdaTrust),
	}))(t).Role
	config := awsv1.NewConfig().WithRegion(region).WithEndpoint(gw.URL).WithMaxRetries(0).
		WithCredentials(credentialsv1.NewStaticCredentials("test", "test", ""))
	return &functions{lambda.NewFromConfig(gw.Config()), lambdav1.New(must(session.NewSession(config))(t)), role.Arn}
}

// create makes the function as aws_lambda_function does for the fewest
// arguments, and waits until it is active.
func (f *functions) create(t *testing.T, code []byte, change func(in *lambda.CreateFunctionInput)) {
	t.Helper()
	in := functionInput("hello", code, f.role)
	if change != nil {
		change(in)
	}
	must(f.CreateFunction(t.Context(), in))(t)
	waiter := lambda.NewFunctionActiveV2Waiter(f.Client, func(o *lambda.FunctionActiveV2WaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	if err := waiter.Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: new("hello")}, time.Minute); err != nil {
		t.Fatal(err)
	}
}

func functionInput(name string, code []byte, role *string) *lambda.CreateFunctionInput {
	return &lambda.CreateFunctionInput{
		FunctionName: &name, Code: &types.FunctionCode{ZipFile: code}, Description: new(""), MemorySize: new(int32(128)),
		PackageType: types.PackageTypeZip, Role: role, Timeout: new(int32(3)), Handler: new("index.handler"), Runtime: types.RuntimeNodejs20x,
	}
}

// updated waits for an update, as the provider does after each.
func (f *functions) updated(t *testing.T) {
	t.Helper()
	waiter := lambda.NewFunctionUpdatedV2Waiter(f.Client, func(o *lambda.FunctionUpdatedV2WaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	if err := waiter.Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: new("hello")}, time.Minute); err != nil {
		t.Fatal(err)
	}
}

// read is a refresh of aws_lambda_function; latest is the last entry of the
// list of versions.
func (f *functions) read(t *testing.T) (got *lambda.GetFunctionOutput, latest types.FunctionConfiguration) {
	t.Helper()
	ctx := t.Context()
	got = must(f.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: new("hello")}))(t)
	pages := lambda.NewListVersionsByFunctionPaginator(f.Client, &lambda.ListVersionsByFunctionInput{FunctionName: new("hello"), MaxItems: new(int32(10000))})
	for pages.HasMorePages() {
		page := must(pages.NextPage(ctx))(t)
		if page.NextMarker == nil && len(page.Versions) > 0 {
			latest = page.Versions[len(page.Versions)-1]
		}
	}
	signing := must(f.GetFunctionCodeSigningConfig(ctx, &lambda.GetFunctionCodeSigningConfigInput{FunctionName: new("hello")}))(t)
	if signing.CodeSigningConfigArn != nil && *signing.CodeSigningConfigArn != "" {
		t.Errorf("code signing %s", *signing.CodeSigningConfigArn)
	}
	return got, latest
}

// configuration is what AWS answers about a function made by create; what
// differs every time is taken from got once it is known to be there.
func (f *functions) configuration(t *testing.T, got *types.FunctionConfiguration, code []byte) types.FunctionConfiguration {
	t.Helper()
	modified := present(t, "LastModified", got.LastModified)
	if at, err := time.Parse("2006-01-02T15:04:05.000-0700", *modified); err != nil || !strings.HasSuffix(*modified, "+0000") {
		t.Errorf("LastModified %s: %v", *modified, err)
	} else {
		recent(t, "LastModified", &at)
	}
	return types.FunctionConfiguration{
		Architectures: []types.Architecture{types.ArchitectureX8664}, CodeSha256: sumOf(code), CodeSize: int64(len(code)), Description: new(""),
		EphemeralStorage: &types.EphemeralStorage{Size: new(int32(512))}, FunctionArn: new(functionARN), FunctionName: new("hello"),
		Handler: new("index.handler"), LastModified: modified, LastUpdateStatus: types.LastUpdateStatusSuccessful,
		LoggingConfig: &types.LoggingConfig{LogFormat: types.LogFormatText, LogGroup: new("/aws/lambda/hello")},
		MemorySize:    new(int32(128)), PackageType: types.PackageTypeZip, RevisionId: present(t, "RevisionId", got.RevisionId), Role: f.role,
		Runtime: types.RuntimeNodejs20x, RuntimeVersionConfig: got.RuntimeVersionConfig, ConfigSha256: got.ConfigSha256,
		SnapStart: &types.SnapStartResponse{ApplyOn: types.SnapStartApplyOnNone, OptimizationStatus: types.SnapStartOptimizationStatusOff},
		State:     types.StateActive, Timeout: new(int32(3)), TracingConfig: &types.TracingConfigResponse{Mode: types.TracingModePassThrough},
		Version: new("$LATEST"),
	}
}

func TestFunction(t *testing.T) {
	f := newFunctions(t)
	ctx := t.Context()
	name := new("hello")
	_, err := f.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: name})
	fails(t, err, "ResourceNotFoundException")

	code := zipOf(t, "index.js", helloCode)
	f.create(t, code, nil)
	got, latest := f.read(t)
	want := f.configuration(t, got.Configuration, code)
	same(t, "function after create", got.Configuration, want)
	if got.Code == nil || got.Code.Location == nil || *got.Code.RepositoryType != "S3" || got.Concurrency != nil || got.Tags != nil {
		t.Errorf("beside the configuration: %s", lines(t, got))
	}
	if *latest.Version != "$LATEST" || *latest.FunctionArn != functionARN+":$LATEST" {
		t.Errorf("latest version %s %s", *latest.Version, *latest.FunctionArn)
	}

	// Update: configuration, code, concurrency, tags.
	arn := got.Configuration.FunctionArn
	must(f.TagResource(ctx, &lambda.TagResourceInput{Resource: arn, Tags: map[string]string{"a": "1", "b": ""}}))(t)
	must(f.UntagResource(ctx, &lambda.UntagResourceInput{Resource: arn, TagKeys: []string{"b"}}))(t)
	must(f.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
		FunctionName: name, Description: new("says hello"), MemorySize: new(int32(256)), Timeout: new(int32(10)),
		Environment:      &types.Environment{Variables: map[string]string{"GREETING": "Hi"}},
		EphemeralStorage: &types.EphemeralStorage{Size: new(int32(1024))},
	}))(t)
	f.updated(t)
	code = zipOf(t, "index.js", helloCode+"// two\n")
	must(f.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: name, ZipFile: code}))(t)
	f.updated(t)
	must(f.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: name, ReservedConcurrentExecutions: new(int32(5))}))(t)
	got, _ = f.read(t)
	want = f.configuration(t, got.Configuration, code)
	want.Description, want.MemorySize, want.Timeout = new("says hello"), new(int32(256)), new(int32(10))
	want.Environment = &types.EnvironmentResponse{Variables: map[string]string{"GREETING": "Hi"}}
	want.EphemeralStorage = &types.EphemeralStorage{Size: new(int32(1024))}
	same(t, "function after update", got.Configuration, want)
	same(t, "concurrency", got.Concurrency, &types.Concurrency{ReservedConcurrentExecutions: new(int32(5))})
	same(t, "tags", got.Tags, map[string]string{"a": "1"})

	// What is taken out of the configuration is gone.
	must(f.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
		FunctionName: name, Description: new(""), Environment: &types.Environment{Variables: map[string]string{}},
	}))(t)
	f.updated(t)
	must(f.DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: name}))(t)
	must(f.UntagResource(ctx, &lambda.UntagResourceInput{Resource: arn, TagKeys: []string{"a"}}))(t)
	got, _ = f.read(t)
	want.Description, want.Environment = new(""), nil
	want.LastModified, want.RevisionId, want.ConfigSha256 = got.Configuration.LastModified, got.Configuration.RevisionId, got.Configuration.ConfigSha256
	same(t, "function after the second update", got.Configuration, want)
	if got.Concurrency != nil || len(got.Tags) != 0 {
		t.Errorf("concurrency %v, tags %v", got.Concurrency, got.Tags)
	}

	// A published version stands last in the list and keeps its form.
	version := must(f.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: name}))(t)
	waiter := lambda.NewFunctionUpdatedWaiter(f.Client, func(o *lambda.FunctionUpdatedWaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	if err := waiter.Wait(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: version.FunctionArn, Qualifier: version.Version}, time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, latest = f.read(t); *latest.Version != "1" || *latest.FunctionArn != functionARN+":1" {
		t.Errorf("latest version %s %s", *latest.Version, *latest.FunctionArn)
	}

	must(f.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: name}))(t)
	_, err = f.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: name})
	fails(t, err, "ResourceNotFoundException")
}

// statement is a permission as the provider reads it: texts and one level of
// conditions, nothing else.
type statement struct {
	Sid, Effect, Action, Resource string
	Principal                     any
	Condition                     map[string]map[string]string
}

// statementOf is a refresh of aws_lambda_permission; nil is gone.
func (f *functions) statementOf(t *testing.T, sid string, qualifier *string) *statement {
	t.Helper()
	out, err := f.v1.GetPolicyWithContext(t.Context(), &lambdav1.GetPolicyInput{FunctionName: new("hello"), Qualifier: qualifier})
	if codeV1(err) == lambdav1.ErrCodeResourceNotFoundException {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Version, Id string
		Statement   []statement
	}
	if err := json.Unmarshal([]byte(*out.Policy), &document); err != nil {
		t.Fatalf("policy %s: %v", *out.Policy, err)
	}
	for _, s := range document.Statement {
		if s.Sid == sid {
			return &s
		}
	}
	return nil
}

func TestPermission(t *testing.T) {
	f := newFunctions(t)
	ctx := t.Context()
	f.create(t, zipOf(t, "index.js", helloCode), func(in *lambda.CreateFunctionInput) { in.Publish = true })
	source := "arn:aws:execute-api:" + region + ":" + account + ":abcdef1234/*/*"
	tests := []struct {
		name string
		in   lambdav1.AddPermissionInput
		want statement
	}{
		{"gateway", lambdav1.AddPermissionInput{Principal: new("apigateway.amazonaws.com"), SourceArn: &source}, statement{
			Resource: functionARN, Principal: map[string]any{"Service": "apigateway.amazonaws.com"},
			Condition: map[string]map[string]string{"ArnLike": {"AWS:SourceArn": source}},
		}},
		{"account", lambdav1.AddPermissionInput{Principal: new("s3.amazonaws.com"), SourceAccount: new(account)}, statement{
			Resource: functionARN, Principal: map[string]any{"Service": "s3.amazonaws.com"},
			Condition: map[string]map[string]string{"StringEquals": {"AWS:SourceAccount": account}},
		}},
		{"version", lambdav1.AddPermissionInput{Principal: new("apigateway.amazonaws.com"), Qualifier: new("1")}, statement{
			Resource: functionARN + ":1", Principal: map[string]any{"Service": "apigateway.amazonaws.com"},
		}},
		{"everybody", lambdav1.AddPermissionInput{Principal: new("*")}, statement{Resource: functionARN, Principal: "*"}},
		{"other", lambdav1.AddPermissionInput{Principal: new("123456789012")}, statement{
			Resource: functionARN, Principal: map[string]any{"AWS": "arn:aws:iam::123456789012:root"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := tt.in
			in.FunctionName, in.StatementId, in.Action = new("hello"), &tt.name, new("lambda:InvokeFunction")
			must(f.v1.AddPermissionWithContext(ctx, &in))(t)
			got := f.statementOf(t, tt.name, in.Qualifier)
			tt.want.Sid, tt.want.Effect, tt.want.Action = tt.name, "Allow", "lambda:InvokeFunction"
			same(t, "statement", got, &tt.want)
			if _, err := f.v1.AddPermissionWithContext(ctx, &in); codeV1(err) != lambdav1.ErrCodeResourceConflictException {
				t.Errorf("the same statement again: %v", err)
			}
		})
	}
	for _, tt := range tests {
		in := &lambdav1.RemovePermissionInput{FunctionName: new("hello"), StatementId: &tt.name, Qualifier: tt.in.Qualifier}
		must(f.v1.RemovePermissionWithContext(ctx, in))(t)
		if got := f.statementOf(t, tt.name, tt.in.Qualifier); got != nil {
			t.Errorf("removed statement %+v", got)
		}
		if _, err := f.v1.RemovePermissionWithContext(ctx, in); codeV1(err) != lambdav1.ErrCodeResourceNotFoundException {
			t.Errorf("removed again: %v", err)
		}
	}
}

func TestAlias(t *testing.T) {
	f := newFunctions(t)
	ctx := t.Context()
	f.create(t, zipOf(t, "index.js", helloCode), func(in *lambda.CreateFunctionInput) { in.Publish = true })
	must(f.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: new("hello"), ZipFile: zipOf(t, "index.js", helloCode+"//"), Publish: true}))(t)
	f.updated(t)
	name, live := new("hello"), new("live")
	// The provider always sends a routing configuration, mostly an empty one.
	must(f.v1.CreateAliasWithContext(ctx, &lambdav1.CreateAliasInput{
		FunctionName: name, Name: live, FunctionVersion: new("1"), Description: new(""), RoutingConfig: &lambdav1.AliasRoutingConfiguration{},
	}))(t)
	read := func() *lambdav1.AliasConfiguration {
		t.Helper()
		return must(f.v1.GetAliasWithContext(ctx, &lambdav1.GetAliasInput{FunctionName: name, Name: live}))(t)
	}
	got := read()
	want := &lambdav1.AliasConfiguration{
		AliasArn: new(functionARN + ":live"), Description: new(""), FunctionVersion: new("1"), Name: live, RevisionId: present(t, "RevisionId", got.RevisionId),
	}
	same(t, "alias after create", got, want)

	must(f.v1.UpdateAliasWithContext(ctx, &lambdav1.UpdateAliasInput{
		FunctionName: name, Name: live, FunctionVersion: new("1"), Description: new("d"),
		RoutingConfig: &lambdav1.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]*float64{"2": new(0.25)}},
	}))(t)
	got = read()
	want.Description, want.RevisionId = new("d"), got.RevisionId
	want.RoutingConfig = &lambdav1.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]*float64{"2": new(0.25)}}
	same(t, "alias after update", got, want)

	must(f.v1.UpdateAliasWithContext(ctx, &lambdav1.UpdateAliasInput{
		FunctionName: name, Name: live, FunctionVersion: new("2"), Description: new(""), RoutingConfig: &lambdav1.AliasRoutingConfiguration{},
	}))(t)
	got = read()
	want.Description, want.RevisionId, want.FunctionVersion, want.RoutingConfig = new(""), got.RevisionId, new("2"), nil
	same(t, "alias after the second update", got, want)

	must(f.v1.DeleteAliasWithContext(ctx, &lambdav1.DeleteAliasInput{FunctionName: name, Name: live}))(t)
	_, err := f.v1.GetAliasWithContext(ctx, &lambdav1.GetAliasInput{FunctionName: name, Name: live})
	if codeV1(err) != lambdav1.ErrCodeResourceNotFoundException {
		t.Errorf("deleted alias: %v", err)
	}
}

func TestLayerVersion(t *testing.T) {
	f := newFunctions(t)
	ctx := t.Context()
	code := zipOf(t, "nodejs/node_modules/x/index.js", "module.exports = 1;\n")
	const layer = "arn:aws:lambda:" + region + ":" + account + ":layer:shared"
	for version := int64(1); version <= 2; version++ {
		out := must(f.v1.PublishLayerVersionWithContext(ctx, &lambdav1.PublishLayerVersionInput{
			LayerName: new("shared"), Content: &lambdav1.LayerVersionContentInput{ZipFile: code}, Description: new(""), LicenseInfo: new(""),
			CompatibleRuntimes: []*string{new("nodejs20.x")},
		}))(t)
		if *out.Version != version {
			t.Errorf("version %d, want %d", *out.Version, version)
		}
	}
	get := &lambdav1.GetLayerVersionInput{LayerName: new("shared"), VersionNumber: new(int64(1))}
	got := must(f.v1.GetLayerVersionWithContext(ctx, get))(t)
	want := &lambdav1.GetLayerVersionOutput{
		LayerArn: new(layer), LayerVersionArn: new(layer + ":1"), Version: new(int64(1)), CompatibleRuntimes: []*string{new("nodejs20.x")},
		CompatibleArchitectures: []*string{}, // AWS, too, sends what isn't set as an empty list
		Description:             new(""), LicenseInfo: got.LicenseInfo, CreatedDate: present(t, "CreatedDate", got.CreatedDate),
		Content: &lambdav1.LayerVersionContentOutput{CodeSha256: sumOf(code), CodeSize: new(int64(len(code))), Location: present(t, "Location", got.Content.Location)},
	}
	if awsv1.StringValue(got.LicenseInfo) != "" {
		t.Errorf("license %s", *got.LicenseInfo)
	}
	same(t, "layer", got, want)

	// A function can take it.
	f.create(t, zipOf(t, "index.js", helloCode), func(in *lambda.CreateFunctionInput) { in.Layers = []string{layer + ":1"} })
	function, _ := f.read(t)
	if l := function.Configuration.Layers; len(l) != 1 || *l[0].Arn != layer+":1" || l[0].CodeSize != int64(len(code)) {
		t.Errorf("layers %s", lines(t, l))
	}
	for version := range int64(2) {
		must(f.v1.DeleteLayerVersionWithContext(ctx, &lambdav1.DeleteLayerVersionInput{LayerName: new("shared"), VersionNumber: new(version + 1)}))(t)
	}
	if _, err := f.v1.GetLayerVersionWithContext(ctx, get); codeV1(err) != lambdav1.ErrCodeResourceNotFoundException {
		t.Errorf("deleted layer: %v", err)
	}
}
