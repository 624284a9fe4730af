package apigateway_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/compile"
	control "gatehouse/internal/control/apigateway"
	"gatehouse/internal/plan"
	"gatehouse/internal/seal"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
)

// A serving gateway compiles what is stored into a plan whose integrations are
// only named.
type serving struct {
	*gateway
	compiler *compile.Compiler
	// compiled counts how often a stage was.
	compiled *int
}

// named is an integration that does nothing but have a name.
type named string

func (named) Integrate(*plan.Exchange) error { return nil }

type counter struct{}

func (counter) Count(*plan.Exchange, time.Duration) {}

type limit struct{}

func (limit) Take(time.Time) bool { return true }

func (limit) Numbers() (rate float64, burst int32) { return 1, 2 }

func newServing(t testing.TB) *serving {
	t.Helper()
	compiled := new(int)
	compiler := compile.New(compile.Options{
		Lambda:       func(l compile.LambdaCall) (plan.Integration, error) { return named("lambda " + l.FunctionARN), nil },
		HTTP:         func(h compile.HTTPCall) (plan.Integration, error) { return named(h.Method + " " + h.URI), nil },
		AccessLog:    func(compile.AccessLog) (plan.AccessLog, error) { return nil, nil },
		RouteLimit:   func(*plan.API, string, string, float64, int32) plan.Limiter { return limit{} },
		StageMetrics: func(*plan.API, string) plan.Metrics { *compiled++; return nil },
		RouteMetrics: func(*plan.API, string, string, string) plan.Metrics { return counter{} },
	})
	g := &gateway{t: t, now: time.Date(2026, 3, 4, 5, 6, 7, 890, time.UTC)}
	db, err := sqlite.Open(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := seal.New(make([]byte, seal.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	if g.store, err = store.Open(context.Background(), db, store.Options{Sealer: sealer, Prepare: compiler.Prepare}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.store.Close(); err != nil {
			t.Error(err)
		}
	})
	g.Service = control.New(control.Options{
		Store: g.store, Compiler: compiler, Rand: rand.NewChaCha8([32]byte{2}),
		Endpoint: func(apiID string) string { return "https://" + apiID + ".example.com" },
	})
	return &serving{g, compiler, compiled}
}

// resource adds a resource.
func (s *serving) resource(apiID, parentID, part string) string {
	s.t.Helper()
	return *must[*api.Resource](s.t)(s.CreateResource(s.call(), &api.CreateResourceRequest{RestApiId: &apiID, ParentId: &parentID, PathPart: &part})).Id
}

// mock adds a method that answers by itself.
func (s *serving) mock(apiID, resourceID, method string) {
	s.t.Helper()
	c := s.call()
	must[*api.Method](s.t)(s.PutMethod(c, &api.PutMethodRequest{RestApiId: &apiID, ResourceId: &resourceID, HttpMethod: &method, AuthorizationType: new("NONE")}))
	must[*api.Integration](s.t)(s.PutIntegration(c, &api.PutIntegrationRequest{RestApiId: &apiID, ResourceId: &resourceID, HttpMethod: &method, Type: new("MOCK"),
		RequestTemplates: map[string]string{"application/json": `{"statusCode": 200}`}}))
	must[*api.IntegrationResponse](s.t)(s.PutIntegrationResponse(c, &api.PutIntegrationResponseRequest{RestApiId: &apiID, ResourceId: &resourceID, HttpMethod: &method, StatusCode: new("200")}))
}

// deploy makes a deployment, and moves a stage to it unless that is "".
func (s *serving) deploy(apiID, stage string) string {
	s.t.Helper()
	return *must[*api.Deployment](s.t)(s.CreateDeployment(s.call(), &api.CreateDeploymentRequest{RestApiId: &apiID, StageName: &stage})).Id
}

// routes lists what a stage serves, as the plan has it.
func (s *serving) routes(apiID, stage string, paths ...string) string {
	s.t.Helper()
	a, ok := s.compiler.Plan().API(apiID)
	if !ok {
		return "no API"
	}
	st := a.Stages[stage]
	if st == nil {
		return "no stage"
	}
	var found []string
	for _, path := range paths {
		x := &plan.Exchange{StagePath: path}
		x.Request.Method = "GET"
		if err := st.Match(x); err != nil {
			found = append(found, path+": none")
			continue
		}
		found = append(found, fmt.Sprintf("%s: %s", path, x.Route.Path))
	}
	return strings.Join(found, ", ")
}
