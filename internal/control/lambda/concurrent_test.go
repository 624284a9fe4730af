package lambda_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/control/lambda"
)

// TestConcurrent changes functions and calls them at once: every change is
// there at the end, and a call never sees anything but a whole version.
func TestConcurrent(t *testing.T) {
	f := newFixture(t)
	f.create(t, "shared", nothing)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			name := fmt.Sprint("own", i)
			for round := range 5 {
				if _, err := f.CreateFunction(f.Call, request(name, nothing)); err != nil {
					t.Error(err)
				}
				p := allow("shared", "")
				p.StatementId = new(fmt.Sprintf("s%d-%d", i, round))
				if _, err := f.AddPermission(f.Call, p); err != nil {
					t.Error(err)
				}
				if _, err := f.UpdateFunctionConfiguration(f.Call, &api.UpdateFunctionConfigurationRequest{FunctionName: new("shared"), Description: new(*p.StatementId)}); err != nil {
					t.Error(err)
				}
				if _, err := f.PublishVersion(f.Call, &api.PublishVersionRequest{FunctionName: new("shared")}); err != nil {
					t.Error(err)
				}
				if _, err := f.DeleteFunction(f.Call, &api.DeleteFunctionRequest{FunctionName: &name}); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 200 {
				if _, err := f.directory.Invoke(t.Context(), prefix+"shared", nil); err != nil {
					t.Error(err)
				}
				if _, err := f.directory.Invoke(t.Context(), prefix+fmt.Sprint("own", i), nil); err != nil && !errors.Is(err, lambda.ErrNotFound) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	versions := must(f.ListVersionsByFunction(f.Call, &api.ListVersionsByFunctionRequest{FunctionName: new("shared"), MaxItems: new(int32(100))}))(t).Versions
	if !f.directory.Permitted(prefix+"shared", gateway) || len(versions) < 2 {
		t.Errorf("permitted %v with %d versions", f.directory.Permitted(prefix+"shared", gateway), len(versions))
	}
	for _, v := range versions {
		must(f.directory.Invoke(t.Context(), *v.FunctionArn, nil))(t)
	}
}
