package lambda_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/control/lambda"
)

const hello = `exports.handler = async (event, context) => {
	console.log("called with " + event.name)
	return { hello: event.name, version: context.functionVersion, arn: context.invokedFunctionArn, stage: process.env.STAGE, client: context.clientContext }
}`

// TestCreateInvokeDelete is the main path, with real code in a real process.
func TestCreateInvokeDelete(t *testing.T) {
	f := newRunning(t, nil)
	in := request("hello", hello)
	in.Environment = &api.Environment{Variables: map[string]string{"STAGE": "test"}}
	created := must(f.CreateFunction(f.Call, in))(t)
	if got := *created.State; got != "Pending" {
		t.Errorf("state of the answer %q, want Pending", got)
	}
	got := must(f.GetFunction(f.Call, &api.GetFunctionRequest{FunctionName: new("hello")}))(t)
	if *got.Configuration.State != "Active" || *got.Configuration.LastUpdateStatus != "Successful" {
		t.Errorf("function is %s, %s", *got.Configuration.State, *got.Configuration.LastUpdateStatus)
	}

	res := must(f.Invoke(f.Call, &api.InvocationRequest{
		FunctionName: new("hello"), Payload: []byte(`{"name":"you"}`), LogType: new("Tail"),
		ClientContext: new(base64.StdEncoding.EncodeToString([]byte(`{"a":1}`))),
	}))(t)
	want := `{"hello":"you","version":"$LATEST","arn":"` + prefix + `hello","stage":"test","client":{"a":1}}`
	if string(res.Payload) != want || *res.StatusCode != 200 || *res.ExecutedVersion != "$LATEST" || res.FunctionError != nil {
		t.Errorf("answer %s %d, version %s, error %v\n  want %s", res.Payload, *res.StatusCode, *res.ExecutedVersion, res.FunctionError, want)
	}
	tail := string(must(base64.StdEncoding.DecodeString(*res.LogResult))(t))
	for _, part := range []string{"START RequestId: " + f.RequestID, "called with you", "REPORT RequestId: " + f.RequestID} {
		if !strings.Contains(tail, part) {
			t.Errorf("log tail lacks %q:\n%s", part, tail)
		}
	}

	must(f.DeleteFunction(f.Call, &api.DeleteFunctionRequest{FunctionName: new("hello")}))(t)
	_, err := f.Invoke(f.Call, &api.InvocationRequest{FunctionName: new("hello")})
	fails(t, err, "ResourceNotFoundException", "Function not found: "+prefix+"hello:$LATEST")
}

// TestUpdateTakesEffect checks that an update is what the next call runs, that
// versions keep what they had, and that aliases follow.
func TestUpdateTakesEffect(t *testing.T) {
	f := newRunning(t, nil)
	say := func(s string) string { return `exports.handler = async () => "` + s + `"` }
	f.create(t, "f", say("one"))
	call := func(name string) string {
		t.Helper()
		return string(must(f.Invoke(f.Call, &api.InvocationRequest{FunctionName: &name}))(t).Payload)
	}
	if got := call("f"); got != `"one"` {
		t.Fatalf("first code answers %s", got)
	}
	must(f.PublishVersion(f.Call, &api.PublishVersionRequest{FunctionName: new("f")}))(t)
	must(f.CreateAlias(f.Call, &api.CreateAliasRequest{FunctionName: new("f"), Name: new("live"), FunctionVersion: new("1")}))(t)
	must(f.UpdateFunctionCode(f.Call, &api.UpdateFunctionCodeRequest{FunctionName: new("f"), ZipFile: zipped("index.js", say("two"))}))(t)
	for name, want := range map[string]string{"f": `"two"`, "f:1": `"one"`, "f:live": `"one"`} {
		if got := call(name); got != want {
			t.Errorf("%s answers %s, want %s", name, got, want)
		}
	}
	must(f.UpdateFunctionCode(f.Call, &api.UpdateFunctionCodeRequest{FunctionName: new("f"), ZipFile: zipped("index.js", say("three")), Publish: new(true)}))(t)
	must(f.UpdateAlias(f.Call, &api.UpdateAliasRequest{FunctionName: new("f"), Name: new("live"), FunctionVersion: new("2")}))(t)
	if got := call("f:live"); got != `"three"` {
		t.Errorf("the moved alias answers %s", got)
	}
}

func TestHotReload(t *testing.T) {
	f := newRunning(t, func(o *lambda.Options) { o.HotReload = true })
	dir := t.TempDir()
	file := filepath.Join(dir, "index.js")
	ok(t, os.WriteFile(file, []byte(`exports.handler = async () => 1`), 0o644))
	in := request("f", "")
	in.Code = &api.FunctionCode{S3Bucket: new("hot-reload"), S3Key: &dir}
	must(f.CreateFunction(f.Call, in))(t)
	if got := must(f.Invoke(f.Call, &api.InvocationRequest{FunctionName: new("f")}))(t); string(got.Payload) != "1" {
		t.Fatalf("answers %s", got.Payload)
	}
	ok(t, os.WriteFile(file, []byte(`exports.handler = async () => "changed"`), 0o644))
	if got := must(f.Invoke(f.Call, &api.InvocationRequest{FunctionName: new("f")}))(t); string(got.Payload) != `"changed"` {
		t.Errorf("answers %s after the change", got.Payload)
	}
	loc := must(f.GetFunction(f.Call, &api.GetFunctionRequest{FunctionName: new("f")}))(t).Code.Location
	if *loc != "file://"+dir {
		t.Errorf("location %s", *loc)
	}
}

// TestHotReloadOfOwnData has functions named to run from where the gateway keeps its
// keys, from a part of it, from above it, and by a link.
func TestHotReloadOfOwnData(t *testing.T) {
	dir := t.TempDir()
	data, beside := filepath.Join(dir, "data"), filepath.Join(dir, "data-of-mine")
	inside, link := filepath.Join(data, "code"), filepath.Join(beside, "link")
	ok(t, os.MkdirAll(inside, 0o755))
	ok(t, os.Mkdir(beside, 0o755))
	ok(t, os.Symlink(data, link))
	f := newRunning(t, func(o *lambda.Options) { o.HotReload, o.Private = true, data })
	create := func(name, directory string) error {
		in := request(name, "")
		in.Code = &api.FunctionCode{S3Bucket: new("hot-reload"), S3Key: &directory}
		_, err := f.CreateFunction(f.Call, in)
		return err
	}
	for _, directory := range []string{data, inside, dir, "/", link, filepath.Join(link, "code"), filepath.Join(beside, "..", "data")} {
		fails(t, create("f", directory), "InvalidParameterValueException",
			"The gateway keeps its own data in "+data+", so no function runs from "+filepath.Clean(directory)+".")
	}
	ok(t, create("f", beside))
	_, err := f.UpdateFunctionCode(f.Call, &api.UpdateFunctionCodeRequest{FunctionName: new("f"), S3Bucket: new("hot-reload"), S3Key: &data})
	fails(t, err, "InvalidParameterValueException", "The gateway keeps its own data in "+data+", so no function runs from "+data+".")
}

func TestLayerAtRun(t *testing.T) {
	f := newRunning(t, nil)
	layer := must(f.PublishLayerVersion(f.Call, &api.PublishLayerVersionRequest{
		LayerName: new("greet"), Content: &api.LayerVersionContentInput{ZipFile: zipped("nodejs/node_modules/greet/index.js", `module.exports = "from the layer"`)},
	}))(t)
	in := request("f", `exports.handler = async () => require("greet")`)
	in.Layers = []string{*layer.LayerVersionArn}
	must(f.CreateFunction(f.Call, in))(t)
	got := must(f.Invoke(f.Call, &api.InvocationRequest{FunctionName: new("f")}))(t)
	if string(got.Payload) != `"from the layer"` {
		t.Errorf("answers %s", got.Payload)
	}
}
