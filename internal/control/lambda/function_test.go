package lambda_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
)

const nothing = `exports.handler = async () => null`

// masked is v as JSON with what differs from run to run replaced.
func masked(t *testing.T, v any) string {
	t.Helper()
	b := must(json.Marshal(v))(t)
	var m map[string]any
	ok(t, json.Unmarshal(b, &m))
	mask(m)
	return string(must(json.MarshalIndent(m, "", " "))(t))
}

func mask(m map[string]any) {
	for k, v := range m {
		switch v := v.(type) {
		case map[string]any:
			mask(v)
		default:
			switch k {
			case "RevisionId", "CodeSha256", "CodeSize", "Location":
				m[k] = "*"
			}
		}
	}
}

// TestDefaults holds everything that AWS answers about a plain function, and
// nothing more.
func TestDefaults(t *testing.T) {
	f := newFixture(t)
	created := f.create(t, "hello", nothing)
	want := `{
 "Architectures": [
  "x86_64"
 ],
 "CodeSha256": "*",
 "CodeSize": "*",
 "Description": "",
 "EphemeralStorage": {
  "Size": 512
 },
 "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:hello",
 "FunctionName": "hello",
 "Handler": "index.handler",
 "LastModified": "2026-11-24T12:00:00.123+0000",%s
 "LoggingConfig": {
  "LogFormat": "Text",
  "LogGroup": "/aws/lambda/hello"
 },
 "MemorySize": 128,
 "PackageType": "Zip",
 "RevisionId": "*",
 "Role": "arn:aws:iam::123456789012:role/hello",
 "Runtime": "nodejs20.x",
 "SnapStart": {
  "ApplyOn": "None",
  "OptimizationStatus": "Off"
 },
 "State": %s,
 "Timeout": 3,
 "TracingConfig": {
  "Mode": "PassThrough"
 },
 "Version": "$LATEST"
}`
	pending := "\"Pending\",\n \"StateReason\": \"The function is being created.\",\n \"StateReasonCode\": \"Creating\""
	if got, want := masked(t, created), fmt.Sprintf(want, "", pending); got != want {
		t.Errorf("create answers %s\nwant %s", got, want)
	}
	got := must(f.GetFunctionConfiguration(f.Call, &api.GetFunctionConfigurationRequest{FunctionName: new("hello")}))(t)
	if got, want := masked(t, got), fmt.Sprintf(want, "\n \"LastUpdateStatus\": \"Successful\",", `"Active"`); got != want {
		t.Errorf("configuration %s\nwant %s", got, want)
	}
	whole := must(f.GetFunction(f.Call, &api.GetFunctionRequest{FunctionName: new("hello")}))(t)
	if whole.Tags != nil || whole.Concurrency != nil || *whole.Code.RepositoryType != "S3" {
		t.Errorf("GetFunction answers %+v", whole)
	}
	if *whole.Configuration.RevisionId == *created.RevisionId {
		t.Error("the revision stays the same when the function becomes active; AWS's changes")
	}
}

// TestAsWritten checks that everything written is read.
func TestAsWritten(t *testing.T) {
	f := newFixture(t)
	in := request("full", nothing)
	in.Description = new("what it does")
	in.Timeout, in.MemorySize = new(int32(900)), new(int32(10240))
	in.Environment = &api.Environment{Variables: map[string]string{"A_B": "1", "CC": "<&>"}}
	in.Tags = map[string]string{"team": "x"}
	in.Architectures = []string{"arm64"}
	in.EphemeralStorage = &api.EphemeralStorage{Size: new(int32(1024))}
	in.TracingConfig = &api.TracingConfig{Mode: new("Active")}
	in.LoggingConfig = &api.LoggingConfig{LogFormat: new("JSON"), ApplicationLogLevel: new("DEBUG"), LogGroup: new("/my/group")}
	in.DeadLetterConfig = &api.DeadLetterConfig{TargetArn: new("arn:aws:sqs:us-east-1:123456789012:dead")}
	in.KMSKeyArn = new("arn:aws:kms:us-east-1:123456789012:key/k")
	in.VpcConfig = &api.VpcConfig{SubnetIds: []string{"subnet-1"}, SecurityGroupIds: []string{"sg-1"}}
	must(f.CreateFunction(f.Call, in))(t)
	whole := must(f.GetFunction(f.Call, &api.GetFunctionRequest{FunctionName: new("full")}))(t)
	cfg := whole.Configuration
	got := fmt.Sprintln(*cfg.Description, *cfg.Timeout, *cfg.MemorySize, cfg.Environment.Variables, whole.Tags, cfg.Architectures,
		*cfg.EphemeralStorage.Size, *cfg.TracingConfig.Mode, *cfg.LoggingConfig.LogFormat, *cfg.LoggingConfig.ApplicationLogLevel,
		*cfg.LoggingConfig.SystemLogLevel, *cfg.LoggingConfig.LogGroup, *cfg.DeadLetterConfig.TargetArn, *cfg.KMSKeyArn, cfg.VpcConfig.SubnetIds)
	want := "what it does 900 10240 map[A_B:1 CC:<&>] map[team:x] [arm64] 1024 Active JSON DEBUG INFO /my/group arn:aws:sqs:us-east-1:123456789012:dead arn:aws:kms:us-east-1:123456789012:key/k [subnet-1]\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}

	// What an update names as empty is gone.
	out := must(f.UpdateFunctionConfiguration(f.Call, &api.UpdateFunctionConfigurationRequest{
		FunctionName: new("full"), Environment: &api.Environment{Variables: map[string]string{}}, Description: new(""),
		DeadLetterConfig: &api.DeadLetterConfig{TargetArn: new("")}, KMSKeyArn: new(""), VpcConfig: &api.VpcConfig{SubnetIds: []string{}},
		LoggingConfig: &api.LoggingConfig{LogFormat: new("Text")},
	}))(t)
	if *out.LastUpdateStatus != "InProgress" || *out.State != "Active" {
		t.Errorf("update answers %s, %s", *out.State, *out.LastUpdateStatus)
	}
	cfg = must(f.GetFunctionConfiguration(f.Call, &api.GetFunctionConfigurationRequest{FunctionName: new("full")}))(t)
	if cfg.Environment != nil || cfg.DeadLetterConfig != nil || cfg.KMSKeyArn != nil || *cfg.Description != "" ||
		len(cfg.VpcConfig.SubnetIds) != 0 || cfg.LoggingConfig.ApplicationLogLevel != nil || *cfg.LoggingConfig.LogGroup != "/my/group" {
		t.Errorf("after clearing: %s", masked(t, cfg))
	}
	if *cfg.Timeout != 900 || *cfg.LastUpdateStatus != "Successful" {
		t.Errorf("what wasn't named changed: %s", masked(t, cfg))
	}
}

func TestCreateErrors(t *testing.T) {
	f := newFixture(t)
	f.create(t, "there", nothing)
	long := strings.Repeat("a", 65)
	const createPattern = `(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?`
	tests := []struct {
		name          string
		change        func(in *api.CreateFunctionRequest)
		code, message string
	}{
		{"taken", func(in *api.CreateFunctionRequest) { in.FunctionName = new("there") },
			"ResourceConflictException", "Function already exist: there"},
		{"bad name", func(in *api.CreateFunctionRequest) { in.FunctionName = new("invalid:function:name") },
			"ValidationException", "1 validation error detected: Value 'invalid:function:name' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: " + createPattern},
		{"long name", func(in *api.CreateFunctionRequest) { in.FunctionName = &long },
			"InvalidParameterValueException", "1 validation error detected: Value '" + long + "' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 64"},
		{"other region", func(in *api.CreateFunctionRequest) {
			in.FunctionName = new("arn:aws:lambda:ap-southeast-1:123456789012:function:f")
		}, "ResourceNotFoundException", "Functions from 'ap-southeast-1' are not reachable in this region ('us-east-1')"},
		{"role", func(in *api.CreateFunctionRequest) { in.Role = new("r1") },
			"ValidationException", `1 validation error detected: Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`},
		{"unknown runtime", func(in *api.CreateFunctionRequest) { in.Runtime = new("PYTHON3.9") },
			"InvalidParameterValueException", "Value PYTHON3.9 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, python3.10, python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, java11, dotnet6, nodejs18.x, provided.al2, java8.al2] or be a valid ARN"},
		{"retired runtime", func(in *api.CreateFunctionRequest) { in.Runtime = new("nodejs14.x") },
			"InvalidParameterValueException", "The runtime parameter of nodejs14.x is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions."},
		{"runtime we lack", func(in *api.CreateFunctionRequest) { in.Runtime = new("java21") },
			"InvalidParameterValueException", "gatehouse runs nodejs, python and provided runtimes; it has no java21 yet. A custom runtime in a provided.al2023 function works."},
		{"no handler", func(in *api.CreateFunctionRequest) { in.Handler = nil },
			"InvalidParameterValueException", "Runtime and Handler are mandatory parameters for functions created with deployment packages."},
		{"two at once", func(in *api.CreateFunctionRequest) { in.MemorySize, in.Timeout = new(int32(64)), new(int32(901)) },
			"ValidationException", "2 validation errors detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900; Value '64' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128"},
		{"architecture", func(in *api.CreateFunctionRequest) { in.Architectures = []string{"X86_64"} },
			"ValidationException", "1 validation error detected: Value '[X86_64]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"},
		{"architectures", func(in *api.CreateFunctionRequest) { in.Architectures = []string{"x86_64", "arm64"} },
			"ValidationException", "1 validation error detected: Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: Member must have length less than or equal to 1"},
		{"reserved variable", func(in *api.CreateFunctionRequest) {
			in.Environment = &api.Environment{Variables: map[string]string{"AWS_REGION": "x", "AWS_ACCESS_KEY_ID": "y"}}
		}, "InvalidParameterValueException", "Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_ACCESS_KEY_ID, AWS_REGION"},
		{"large environment", func(in *api.CreateFunctionRequest) {
			in.Environment = &api.Environment{Variables: map[string]string{"BIG": strings.Repeat("x", 4087)}}
		}, "InvalidParameterValueException", "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: 4097 bytes"},
		{"no zip", func(in *api.CreateFunctionRequest) { in.Code.ZipFile = []byte("this is no zip") },
			"InvalidParameterValueException", "Could not unzip uploaded file. Please check your file, then try to upload again."},
		{"zip slip", func(in *api.CreateFunctionRequest) { in.Code.ZipFile = zipped("../../evil", "x") },
			"InvalidParameterValueException", "Could not unzip uploaded file. Please check your file, then try to upload again."},
		{"empty zip", func(in *api.CreateFunctionRequest) { in.Code.ZipFile = zipped() },
			"InvalidParameterValueException", "Uploaded file must be a non-empty zip"},
		{"bomb", func(in *api.CreateFunctionRequest) { in.Code.ZipFile = bomb(t, 262144001) },
			"InvalidParameterValueException", "Unzipped size must be smaller than 262144000 bytes"},
		{"large zip", func(in *api.CreateFunctionRequest) { in.Code.ZipFile = make([]byte, 52428801) },
			"RequestEntityTooLargeException", "Zipped size must be smaller than 52428800 bytes"},
		{"no code", func(in *api.CreateFunctionRequest) { in.Code = &api.FunctionCode{} },
			"InvalidParameterValueException", "Please provide a source for function code."},
		{"s3", func(in *api.CreateFunctionRequest) { in.Code = &api.FunctionCode{S3Bucket: new("b"), S3Key: new("k")} },
			"InvalidParameterValueException", "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: gatehouse has no S3 to read code from: its --s3-endpoint names one, or send the zip itself as ZipFile."},
		{"hot reload elsewhere", func(in *api.CreateFunctionRequest) {
			in.Code = &api.FunctionCode{S3Bucket: new("hot-reload"), S3Key: new("/tmp")}
		}, "InvalidParameterValueException", "Code from S3Bucket hot-reload runs from a directory of the gateway's host; that is possible only while management listens on loopback with --auth open."},
		{"image", func(in *api.CreateFunctionRequest) {
			in.PackageType, in.Code = new("Image"), &api.FunctionCode{ImageUri: new("x")}
		}, "InvalidParameterValueException", "gatehouse doesn't run container images yet; use PackageType Zip, with a provided.al2023 runtime for programs of your own."},
		{"log level with text", func(in *api.CreateFunctionRequest) {
			in.LoggingConfig = &api.LoggingConfig{SystemLogLevel: new("INFO")}
		}, "InvalidParameterValueException", `LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.`},
		{"snapstart", func(in *api.CreateFunctionRequest) { in.SnapStart = &api.SnapStart{ApplyOn: new("invalidOption")} },
			"ValidationException", "1 validation error detected: Value 'invalidOption' at 'snapStart.applyOn' failed to satisfy constraint: Member must satisfy enum value set: [PublishedVersions, None]"},
		{"snapstart of node", func(in *api.CreateFunctionRequest) { in.SnapStart = &api.SnapStart{ApplyOn: new("PublishedVersions")} },
			"InvalidParameterValueException", "nodejs20.x is not supported for SnapStart enabled functions."},
		{"many tags", func(in *api.CreateFunctionRequest) {
			in.Tags = map[string]string{}
			for i := range 51 {
				in.Tags[fmt.Sprint("k", i)] = ""
			}
		}, "InvalidParameterValueException", "Number of tags exceeds resource tag limit."},
		{"missing layer", func(in *api.CreateFunctionRequest) {
			in.Layers = []string{"arn:aws:lambda:us-east-1:123456789012:layer:l:1"}
		}, "InvalidParameterValueException", "Layer version arn:aws:lambda:us-east-1:123456789012:layer:l:1 does not exist."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := request("new", nothing)
			tt.change(in)
			_, err := f.CreateFunction(f.Call, in)
			fails(t, err, tt.code, tt.message)
			if name := *in.FunctionName; name == "new" {
				if _, err := f.GetFunction(f.Call, &api.GetFunctionRequest{FunctionName: &name}); err == nil {
					t.Error("the function was created nevertheless")
				}
			}
		})
	}
}

// bomb is a small zip whose one file says that it has n bytes.
func bomb(t *testing.T, n uint64) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	_, err := w.CreateRaw(&zip.FileHeader{Name: "zeros", Method: zip.Deflate, UncompressedSize64: n})
	ok(t, err)
	ok(t, w.Close())
	return b.Bytes()
}

func TestNotFound(t *testing.T) {
	f := newFixture(t)
	f.create(t, "f", nothing)
	gone := prefix + "gone"
	tests := []struct {
		name          string
		call          func() error
		code, message string
	}{
		{"get", func() error {
			_, err := f.GetFunction(f.Call, &api.GetFunctionRequest{FunctionName: new("gone")})
			return err
		},
			"ResourceNotFoundException", "Function not found: " + gone},
		{"get version", func() error {
			_, err := f.GetFunction(f.Call, &api.GetFunctionRequest{FunctionName: new("f"), Qualifier: new("1221")})
			return err
		}, "ResourceNotFoundException", "Function not found: " + prefix + "f:1221"},
		{"get alias", func() error {
			_, err := f.GetFunction(f.Call, &api.GetFunctionRequest{FunctionName: new("f:nope")})
			return err
		}, "ResourceNotFoundException", "Function not found: " + prefix + "f:nope"},
		{"qualifiers differ", func() error {
			_, err := f.GetFunction(f.Call, &api.GetFunctionRequest{FunctionName: new("f:1"), Qualifier: new("2")})
			return err
		}, "InvalidParameterValueException", "The derived qualifier from the function name does not match the specified qualifier."},
		{"bad qualifier", func() error {
			_, err := f.GetFunction(f.Call, &api.GetFunctionRequest{FunctionName: new("f"), Qualifier: new("invalid!")})
			return err
		}, "ValidationException", `1 validation error detected: Value 'invalid!' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: \$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+`},
		{"delete", func() error {
			_, err := f.DeleteFunction(f.Call, &api.DeleteFunctionRequest{FunctionName: new("gone")})
			return err
		}, "ResourceNotFoundException", "Function not found: " + gone},
		{"delete version", func() error {
			_, err := f.DeleteFunction(f.Call, &api.DeleteFunctionRequest{FunctionName: new("gone"), Qualifier: new("1")})
			return err
		}, "ResourceNotFoundException", "Function not found: " + gone},
		{"delete $LATEST", func() error {
			_, err := f.DeleteFunction(f.Call, &api.DeleteFunctionRequest{FunctionName: new("f"), Qualifier: new("$LATEST")})
			return err
		}, "InvalidParameterValueException", "$LATEST version cannot be deleted without deleting the function."},
		{"delete by alias", func() error {
			_, err := f.DeleteFunction(f.Call, &api.DeleteFunctionRequest{FunctionName: new("f"), Qualifier: new("live")})
			return err
		}, "InvalidParameterValueException", "Deletion of aliases is not currently supported."},
		{"invoke", func() error {
			_, err := f.Invoke(f.Call, &api.InvocationRequest{FunctionName: new("gone")})
			return err
		},
			"ResourceNotFoundException", "Function not found: " + gone + ":$LATEST"},
		{"update code", func() error {
			_, err := f.UpdateFunctionCode(f.Call, &api.UpdateFunctionCodeRequest{FunctionName: new("gone"), ZipFile: []byte("x")})
			return err
		}, "ResourceNotFoundException", "Function not found: " + gone},
		{"tags", func() error { _, err := f.ListTags(f.Call, &api.ListTagsRequest{Resource: &gone}); return err },
			"ResourceNotFoundException", "Function not found: " + gone},
		{"policy", func() error {
			_, err := f.GetPolicy(f.Call, &api.GetPolicyRequest{FunctionName: new("gone")})
			return err
		},
			"ResourceNotFoundException", "The resource you requested does not exist."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { fails(t, tt.call(), tt.code, tt.message) })
	}
	other := *f.Call
	other.Account = "999999999999"
	if _, err := f.GetFunction(&other, &api.GetFunctionRequest{FunctionName: new("f")}); err == nil {
		t.Error("another account sees the function")
	}
	_, err := f.GetFunction(&other, &api.GetFunctionRequest{FunctionName: new(prefix + "f")})
	var denied *awswire.Error
	if !asError(err, &denied) || denied.Code != "AccessDeniedException" {
		t.Errorf("another account by ARN: %v", err)
	}
}

func TestRevisions(t *testing.T) {
	f := newFixture(t)
	f.create(t, "f", nothing)
	const stale = "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
	_, err := f.UpdateFunctionCode(f.Call, &api.UpdateFunctionCodeRequest{FunctionName: new("f"), ZipFile: zipped("index.js", "1"), RevisionId: new("wrong")})
	fails(t, err, "PreconditionFailedException", stale)
	_, err = f.UpdateFunctionConfiguration(f.Call, &api.UpdateFunctionConfigurationRequest{FunctionName: new("f"), RevisionId: new("wrong")})
	fails(t, err, "PreconditionFailedException", stale)
	_, err = f.PublishVersion(f.Call, &api.PublishVersionRequest{FunctionName: new("f"), RevisionId: new("wrong")})
	fails(t, err, "PreconditionFailedException", stale)
	now := must(f.GetFunctionConfiguration(f.Call, &api.GetFunctionConfigurationRequest{FunctionName: new("f")}))(t)
	must(f.UpdateFunctionConfiguration(f.Call, &api.UpdateFunctionConfigurationRequest{FunctionName: new("f"), RevisionId: now.RevisionId, Timeout: new(int32(7))}))(t)

	// A dry run changes nothing.
	before := must(f.GetFunctionConfiguration(f.Call, &api.GetFunctionConfigurationRequest{FunctionName: new("f")}))(t)
	out := must(f.UpdateFunctionCode(f.Call, &api.UpdateFunctionCodeRequest{FunctionName: new("f"), ZipFile: zipped("index.js", "2"), DryRun: new(true)}))(t)
	after := must(f.GetFunctionConfiguration(f.Call, &api.GetFunctionConfigurationRequest{FunctionName: new("f")}))(t)
	if *out.CodeSha256 == *before.CodeSha256 || *after.CodeSha256 != *before.CodeSha256 || *after.RevisionId != *before.RevisionId {
		t.Error("a dry run must show the new code and store nothing")
	}
}

func TestListFunctionsByPages(t *testing.T) {
	f := newFixture(t)
	for i := range 5 {
		in := request(fmt.Sprint("f", i), nothing)
		in.Publish = new(i%2 == 0)
		must(f.CreateFunction(f.Call, in))(t)
	}
	list := func(all *string, size int32) string {
		var got []string
		in := &api.ListFunctionsRequest{FunctionVersion: all, MaxItems: &size}
		for {
			out := must(f.ListFunctions(f.Call, in))(t)
			if len(out.Functions) > int(size) {
				t.Errorf("a page of %d", len(out.Functions))
			}
			for _, fn := range out.Functions {
				got = append(got, strings.TrimPrefix(*fn.FunctionArn, prefix))
				if fn.State != nil || fn.LastUpdateStatus != nil {
					t.Error("lists show no state")
				}
			}
			if out.NextMarker == nil {
				return strings.Join(got, " ")
			}
			in.Marker = out.NextMarker
		}
	}
	for size := int32(1); size <= 10; size++ {
		if got, want := list(nil, size), "f0 f1 f2 f3 f4"; got != want {
			t.Errorf("by %d: %s, want %s", size, got, want)
		}
		if got, want := list(new("ALL"), size), "f0:$LATEST f0:1 f1:$LATEST f2:$LATEST f2:1 f3:$LATEST f4:$LATEST f4:1"; got != want {
			t.Errorf("all by %d: %s, want %s", size, got, want)
		}
	}
	_, err := f.ListFunctions(f.Call, &api.ListFunctionsRequest{Marker: new("garbage")})
	fails(t, err, "InvalidParameterValueException", "The marker isn't one that this operation gave out.")
	_, err = f.ListFunctions(f.Call, &api.ListFunctionsRequest{FunctionVersion: new("ALL"), Marker: new("garbage")})
	fails(t, err, "InvalidParameterValueException", "The marker isn't one that this operation gave out.")
}

// TestRestart checks that everything is there and runs after the state was
// opened again.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, nil, nil)
	in := request("f", nothing)
	in.Environment = &api.Environment{Variables: map[string]string{"SECRET": "hush-hush"}}
	in.Publish = new(true)
	must(f.CreateFunction(f.Call, in))(t)
	must(f.CreateAlias(f.Call, &api.CreateAliasRequest{FunctionName: new("f"), Name: new("live"), FunctionVersion: new("1")}))(t)
	must(f.AddPermission(f.Call, allow("f", "live")))(t)
	f.close()

	f = open(t, dir, nil, nil)
	cfg := must(f.GetFunctionConfiguration(f.Call, &api.GetFunctionConfigurationRequest{FunctionName: new("f:live")}))(t)
	if cfg.Environment.Variables["SECRET"] != "hush-hush" || *cfg.Version != "1" {
		t.Errorf("read back %s", masked(t, cfg))
	}
	res := must(f.directory.Invoke(context.Background(), prefix+"f:live", []byte(`{"a":1}`)))(t)
	if string(res.Payload) != `{"a":1}` {
		t.Errorf("answers %s", res.Payload)
	}
	if !f.directory.Permitted(prefix+"f:live", gateway) || f.directory.Permitted(prefix+"f", gateway) {
		t.Error("the policy of the alias isn't as it was")
	}
}

// TestSecretsAreSealed looks for an environment variable in the database files.
func TestSecretsAreSealed(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, nil, nil)
	in := request("f", nothing)
	in.Environment = &api.Environment{Variables: map[string]string{"SECRET": "hush-hush-hush"}}
	in.Publish = new(true)
	must(f.CreateFunction(f.Call, in))(t)
	backup := dir + "/backup.db"
	ok(t, f.store.Backup(t.Context(), backup))
	if bytes.Contains(readAll(t, backup), []byte("hush-hush")) {
		t.Error("an environment variable is in the database in the clear")
	}
}

func TestLastModified(t *testing.T) {
	f := newFixture(t)
	f.create(t, "f", nothing)
	f.Time = f.Time.Add(time.Hour)
	out := must(f.UpdateFunctionConfiguration(f.Call, &api.UpdateFunctionConfigurationRequest{FunctionName: new("f")}))(t)
	if got, want := *out.LastModified, "2026-11-24T13:00:00.123+0000"; got != want {
		t.Errorf("LastModified %s, want %s", got, want)
	}
}
