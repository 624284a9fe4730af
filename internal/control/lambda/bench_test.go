package lambda_test

import (
	"context"
	"fmt"
	"testing"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/control/lambda"
	"gatehouse/internal/function"
)

// still is a runtime that does nothing, without allocating.
type still struct{ result function.Result }

func (s *still) Invoke(context.Context, *function.Spec, *function.Invocation) (*function.Result, error) {
	return &s.result, nil
}

func (s *still) Retire(string) {}

// TestLookupAllocates holds the directory to its budget: what it adds to an
// invocation is the invocation itself.
func TestLookupAllocates(t *testing.T) {
	f := open(t, t.TempDir(), &still{}, nil)
	f.create(t, "f", nothing)
	must(f.PublishVersion(f.Call, &api.PublishVersionRequest{FunctionName: new("f")}))(t)
	must(f.CreateAlias(f.Call, &api.CreateAliasRequest{FunctionName: new("f"), Name: new("live"), FunctionVersion: new("1")}))(t)
	must(f.AddPermission(f.Call, allow("f", "live")))(t)
	ctx, inv := context.Background(), &function.Invocation{}
	got := testing.AllocsPerRun(100, func() {
		if _, _, err := f.directory.InvokeWith(ctx, prefix+"f:live", inv); err != nil {
			t.Fatal(err)
		}
		if !f.directory.Permitted(prefix+"f:live", gateway) {
			t.Fatal("not permitted")
		}
	})
	if got > 0 {
		t.Errorf("an invocation and a permission check allocate %v times, want 0", got)
	}
}

func BenchmarkInvoke(b *testing.B) {
	f := bench(b, 1)
	ctx, inv := context.Background(), &function.Invocation{}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := f.directory.InvokeWith(ctx, prefix+"f0", inv); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	const n = 1000
	f := bench(b, n)
	b.Run(fmt.Sprint(n), func(b *testing.B) {
		for b.Loop() {
			d, err := lambda.NewDirectory(lambda.Options{Code: f.code, Runtime: &still{}})
			ok(b, err)
			ok(b, f.store.View(b.Context(), d.Load))
		}
	})
}

func bench(b *testing.B, n int) *fixture {
	b.Helper()
	f := open(b, b.TempDir(), &still{}, nil)
	for i := range n {
		_, err := f.CreateFunction(f.Call, request(fmt.Sprint("f", i), nothing))
		ok(b, err)
		_, err = f.AddPermission(f.Call, allow(fmt.Sprint("f", i), ""))
		ok(b, err)
	}
	return f
}
