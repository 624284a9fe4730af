package lambda_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/control/lambda"
	"gatehouse/internal/function"
)

// TestWeights checks that an alias sends its share to the other version.
func TestWeights(t *testing.T) {
	next := 0.0
	runtime := &echo{answer: func(_ int, spec *function.Spec) (*function.Result, error) {
		return &function.Result{Payload: []byte(spec.Version)}, nil
	}}
	f := open(t, t.TempDir(), runtime, func(o *lambda.Options) { o.Random = func() float64 { return next } })
	f.create(t, "f", nothing)
	for i := range 2 {
		must(f.UpdateFunctionConfiguration(f.Call, &api.UpdateFunctionConfigurationRequest{FunctionName: new("f"), Description: new(fmt.Sprint(i))}))(t)
		must(f.PublishVersion(f.Call, &api.PublishVersionRequest{FunctionName: new("f")}))(t)
	}
	must(f.CreateAlias(f.Call, &api.CreateAliasRequest{
		FunctionName: new("f"), Name: new("live"), FunctionVersion: new("1"),
		RoutingConfig: &api.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": .25}},
	}))(t)
	for _, tt := range []struct {
		random float64
		want   string
	}{{0, "2"}, {.24, "2"}, {.25, "1"}, {.99, "1"}} {
		next = tt.random
		res := must(f.directory.Invoke(t.Context(), prefix+"f:live", nil))(t)
		if string(res.Payload) != tt.want {
			t.Errorf("at %v version %s is called, want %s", tt.random, res.Payload, tt.want)
		}
	}
	next = 0
	out := must(f.Invoke(f.Call, &api.InvocationRequest{FunctionName: new("f:live")}))(t)
	if *out.ExecutedVersion != "2" {
		t.Errorf("executed version %s, want 2", *out.ExecutedVersion)
	}
}

// TestRetired checks which changes make new environments and which don't.
func TestRetired(t *testing.T) {
	runtime := &echo{}
	f := open(t, t.TempDir(), runtime, nil)
	f.create(t, "f", nothing)
	call := func() string {
		t.Helper()
		must(f.directory.Invoke(t.Context(), prefix+"f", nil))(t)
		return runtime.calls[len(runtime.calls)-1]
	}
	first := call()
	must(f.AddPermission(f.Call, allow("f", "")))(t)
	ok(t, f.TagResource(f.Call, &api.TagResourceRequest{Resource: new(prefix + "f"), Tags: map[string]string{"a": "b"}}))
	must(f.PutFunctionConcurrency(f.Call, &api.PutFunctionConcurrencyRequest{FunctionName: new("f"), ReservedConcurrentExecutions: new(int32(5))}))(t)
	must(f.PublishVersion(f.Call, &api.PublishVersionRequest{FunctionName: new("f")}))(t)
	if got := call(); got != first {
		t.Errorf("permission, tags, concurrency or a version gave $LATEST a new spec: %s, then %s", first, got)
	}
	if len(runtime.retired) != 0 {
		t.Errorf("retired %v", runtime.retired)
	}
	must(f.UpdateFunctionConfiguration(f.Call, &api.UpdateFunctionConfigurationRequest{FunctionName: new("f"), Timeout: new(int32(9))}))(t)
	second := call()
	if second == first || !slices.Equal(runtime.retired, []string{first}) {
		t.Errorf("after an update %s runs and %v is retired", second, runtime.retired)
	}
	must(f.DeleteFunction(f.Call, &api.DeleteFunctionRequest{FunctionName: new("f")}))(t)
	if len(runtime.retired) != 3 || !slices.Contains(runtime.retired, second) {
		t.Errorf("after the deletion retired are %v", runtime.retired)
	}
	_, err := f.directory.Invoke(t.Context(), prefix+"f", nil)
	if !errors.Is(err, lambda.ErrNotFound) {
		t.Errorf("the deleted function answers %v", err)
	}
}

// TestReplacedMeanwhile checks that a call which finds its version retired runs
// the new one.
func TestReplacedMeanwhile(t *testing.T) {
	var f *fixture
	runtime := &echo{}
	runtime.answer = func(n int, spec *function.Spec) (*function.Result, error) {
		if n > 1 {
			return &function.Result{Payload: []byte(`"new"`)}, nil
		}
		runtime.mu.Unlock()
		defer runtime.mu.Lock()
		must(f.UpdateFunctionConfiguration(f.Call, &api.UpdateFunctionConfigurationRequest{FunctionName: new("f"), Timeout: new(int32(9))}))(t)
		return nil, &function.Error{Kind: function.Unavailable, Message: "retired"}
	}
	f = open(t, t.TempDir(), runtime, nil)
	f.create(t, "f", nothing)
	res := must(f.directory.Invoke(t.Context(), prefix+"f", nil))(t)
	if string(res.Payload) != `"new"` || runtime.calls[0] == runtime.calls[1] {
		t.Errorf("answers %s by %v", res.Payload, runtime.calls)
	}
}

// TestDamagedCode checks that a function whose code was lost doesn't keep the
// gateway from starting, and says so when it is called.
func TestDamagedCode(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, nil, nil)
	f.create(t, "f", nothing)
	f.create(t, "g", `exports.handler = async () => 1`)
	hash := *must(f.GetFunctionConfiguration(f.Call, &api.GetFunctionConfigurationRequest{FunctionName: new("f")}))(t).CodeSha256
	f.close()
	loseCode(t, dir, hash)

	f = open(t, dir, nil, nil)
	must(f.directory.Invoke(t.Context(), prefix+"g", nil))(t)
	_, err := f.directory.Invoke(t.Context(), prefix+"f", nil)
	var refused *function.Error
	if !errors.As(err, &refused) || refused.Kind != function.StartFailed {
		t.Errorf("the damaged function answers %v", err)
	}
	must(f.UpdateFunctionCode(f.Call, &api.UpdateFunctionCodeRequest{FunctionName: new("f"), ZipFile: zipped("index.js", nothing)}))(t)
	must(f.directory.Invoke(t.Context(), prefix+"f", nil))(t)
}
