package apigateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/compile"
	control "gatehouse/internal/control/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/seal"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
)

// here is the scope of the calls.
var here = store.Scope{Account: "000000000000", Region: "us-east-1"}

// A gateway is the service on a real store.
type gateway struct {
	*control.Service
	t     testing.TB
	store *store.Store
	keys  *compile.KeyDirectory
	usage fakeUsage
	now   time.Time
	// flushed are the stages whose authorizers' answers were flushed, responses
	// those whose cached responses were.
	flushed, responses flushed
}

func newGateway(t testing.TB) *gateway {
	t.Helper()
	g := &gateway{t: t, keys: compile.NewKeyDirectory(compile.KeyDirectoryOptions{}), now: time.Date(2026, 3, 4, 5, 6, 7, 890, time.UTC)}
	db, err := sqlite.Open(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := seal.New(make([]byte, seal.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	if g.store, err = store.Open(context.Background(), db, store.Options{Sealer: sealer, Prepare: g.keys.Prepare}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.store.Close(); err != nil {
			t.Error(err)
		}
	})
	g.Service = control.New(control.Options{Store: g.store, Compiler: compile.New(compile.Options{}), Keys: g.keys, Usage: &g.usage, Answers: &g.flushed, Responses: &g.responses, Rand: rand.NewChaCha8([32]byte{1})})
	return g
}

func (g *gateway) call() *awswire.Call {
	return &awswire.Call{Context: context.Background(), Account: here.Account, Region: here.Region, Time: g.now}
}

// api makes an API and returns its id and that of its root resource.
func (g *gateway) api() (apiID, rootID string) {
	g.t.Helper()
	a := must[*api.RestApi](g.t)(g.CreateRestApi(g.call(), &api.CreateRestApiRequest{Name: new("pets")}))
	return *a.Id, *a.RootResourceId
}

func must[T any](t testing.TB) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func one[T any](_ T, err error) error { return err }

func describeError(err error) string {
	var e *awswire.Error
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	return fmt.Sprintf("%s %d: %s", e.Code, e.Status, e.Message)
}

func sameJSON(t testing.TB, name string, got any, want string) {
	t.Helper()
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var g, w any
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("%s: %v in %s", name, err, want)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("%s:\n%s\nwant\n%s", name, text, want)
	}
}

// patch makes the operations of an update of op, path and value triples.
func patch(triples ...string) []api.PatchOperation {
	var ops []api.PatchOperation
	for i := 0; i < len(triples); i += 3 {
		ops = append(ops, api.PatchOperation{Op: &triples[i], Path: &triples[i+1], Value: &triples[i+2]})
	}
	return ops
}

// stage stores a stage, for those who only need that it is there.
func (g *gateway) stage(apiID, name string, change ...func(*definition.RestStage)) {
	g.t.Helper()
	stage := &definition.RestStage{Stage: api.Stage{StageName: &name}}
	for _, f := range change {
		f(stage)
	}
	if err := g.store.Update(context.Background(), func(tx *store.Tx) error {
		return definition.RestStages.Put(tx, here, stage, apiID, name)
	}); err != nil {
		g.t.Fatal(err)
	}
}

// method stores a resource below the root that has one method.
func (g *gateway) method(apiID, path, verb string, method api.Method) {
	g.t.Helper()
	id := "r" + strings.ReplaceAll(path, "/", "")
	resource := &definition.Resource{Resource: api.Resource{Id: &id, Path: &path, ResourceMethods: map[string]api.Method{verb: method}}}
	if err := g.store.Update(context.Background(), func(tx *store.Tx) error {
		return definition.Resources.Put(tx, here, resource, apiID, id)
	}); err != nil {
		g.t.Fatal(err)
	}
}

// dropMethod removes what method stored.
func (g *gateway) dropMethod(apiID, path string) {
	g.t.Helper()
	if err := g.store.Update(context.Background(), func(tx *store.Tx) error {
		return definition.Resources.Delete(tx, here, apiID, "r"+strings.ReplaceAll(path, "/", ""))
	}); err != nil {
		g.t.Fatal(err)
	}
}

func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// sameText compares JSON that is text in an answer.
func sameText(t testing.TB, name, got, want string) {
	t.Helper()
	sameJSON(t, name, json.RawMessage(got), want)
}

func marshal(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
