package lambda_test

import (
	"testing"
	"time"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/codestore"
	"gatehouse/internal/control/lambda"
)

// TestCollectCode checks that exactly the code nobody has is removed.
func TestCollectCode(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, nil, nil)
	layer := must(f.PublishLayerVersion(f.Call, &api.PublishLayerVersionRequest{LayerName: new("l"), Content: &api.LayerVersionContentInput{ZipFile: zipped("a", "layer")}}))(t)
	in := request("f", "// version 1")
	in.Layers, in.Publish = []string{*layer.LayerVersionArn}, new(true)
	must(f.CreateFunction(f.Call, in))(t)
	ok(t, f.DeleteLayerVersion(f.Call, &api.DeleteLayerVersionRequest{LayerName: new("l"), VersionNumber: new(int64(1))}))
	for _, source := range []string{"// replaced", "// latest"} {
		must(f.UpdateFunctionCode(f.Call, &api.UpdateFunctionCodeRequest{FunctionName: new("f"), ZipFile: zipped("index.js", source)}))(t)
	}
	f.create(t, "gone", "// gone")
	must(f.DeleteFunction(f.Call, &api.DeleteFunctionRequest{FunctionName: new("gone")}))(t)
	if n := must(f.CollectCode(t.Context()))(t); n != 0 {
		t.Errorf("%d pieces of code are removed within the grace period", n)
	}
	f.close()

	f = open(t, dir, nil, func(o *lambda.Options) {
		later := func() time.Time { return time.Now().Add(2 * time.Hour) }
		o.Code = must(codestore.Open(dir+"/code", codestore.Options{Now: later}))(t)
	})
	if n := must(f.CollectCode(t.Context()))(t); n != 2 {
		t.Errorf("%d pieces of code are removed, want the replaced and the deleted", n)
	}
	for _, name := range []string{"f", "f:1"} {
		must(f.directory.Invoke(t.Context(), prefix+name, nil))(t)
	}
}
