package apigatewayv2_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"gatehouse/internal/authorize/oidc"
	api "gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/compile"
	control "gatehouse/internal/control/apigatewayv2"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
)

// A gateway is the service on a real store, compiling into a real plan whose
// integrations are only named.
type gateway struct {
	*control.Service
	t        testing.TB
	store    *store.Store
	backend  store.Backend
	compiler *compile.Compiler
	now      time.Time
	endpoint control.Endpoint
	// flushed are the stages whose authorizers' answers were flushed.
	flushed flushed
	// failing is why no stage compiles, "" when they do.
	failing string
}

type flushed []string

func (f *flushed) Flush(apiID, stage string) { *f = append(*f, apiID+"/"+stage) }

func newGateway(t testing.TB) *gateway { return newGatewayAt(t, "http", 4566) }

func newGatewayAt(t testing.TB, scheme string, port int) *gateway {
	t.Helper()
	g := &gateway{t: t, compiler: newCompiler(), now: time.Date(2026, 3, 4, 5, 6, 7, 890, time.UTC)}
	g.endpoint = control.Endpoint{Scheme: scheme, Domain: "localhost", Port: port}
	g.open(t.TempDir())
	return g
}

// fallible is the compiler, which a test can make refuse every stage.
type fallible struct {
	*compile.Compiler
	g *gateway
}

func (f fallible) CheckStage(tx *store.Tx, s store.Scope, apiID string, stage *definition.Stage) (string, error) {
	if f.g.failing != "" {
		return f.g.failing, nil
	}
	return f.Compiler.CheckStage(tx, s, apiID, stage)
}

func newCompiler() *compile.Compiler {
	return compile.New(compile.Options{
		Lambda: func(l compile.LambdaCall) (plan.Integration, error) {
			return named(fmt.Sprintf("lambda %s %s %s", l.FunctionARN, l.Qualifier, l.Payload)), nil
		},
		HTTP: func(h compile.HTTPCall) (plan.Integration, error) {
			if h.AppendPath {
				return named(fmt.Sprintf("http %s %s + path", h.Method, h.URI)), nil
			}
			return named(fmt.Sprintf("http %s %s", h.Method, h.URI)), nil
		},
		AccessLog: func(l compile.AccessLog) (plan.AccessLog, error) {
			return accessLog(l.LogGroup + " " + string(l.Format.Append(nil, &plan.Exchange{RequestID: "id"}, 0))), nil
		},
		RouteLimit: func(_ *plan.API, _, _ string, rate float64, burst int32) plan.Limiter {
			return limit(fmt.Sprint(rate, "/", burst))
		},
		StageMetrics: func(*plan.API, string) plan.Metrics { return nil },
		RouteMetrics: func(*plan.API, string, string, string) plan.Metrics { return counter{} },
	})
}

func (g *gateway) open(dir string) {
	g.t.Helper()
	db, err := sqlite.Open(context.Background(), dir)
	if err != nil {
		g.t.Fatal(err)
	}
	g.backend = db
	if g.store, err = store.Open(context.Background(), db, store.Options{Prepare: g.compiler.Prepare}); err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() {
		if err := g.store.Close(); err != nil {
			g.t.Error(err)
		}
	})
	g.Service = control.New(control.Options{
		Answers:  &g.flushed,
		Store:    g.store,
		Compiler: fallible{g.compiler, g},
		Endpoint: g.endpoint,
		Rand:     rand.NewChaCha8([32]byte{1}),
		Issuers:  g.offlineIssuers(),
	})
}

// offlineIssuers knows which issuers there may be and calls none.
func (g *gateway) offlineIssuers() *oidc.KeySets {
	keys := oidc.NewKeySets(oidc.Options{})
	if err := keys.Close(); err != nil {
		g.t.Fatal(err)
	}
	return keys
}

func (g *gateway) call() *awswire.Call {
	return &awswire.Call{Context: context.Background(), Account: "000000000000", Region: "us-east-1", Time: g.now}
}

// named is an integration that does nothing but have a name.
type named string

func (n named) Integrate(*plan.Exchange) error { return nil }

// limit is a throttle that lets everything pass.
type limit string

func (limit) Take(time.Time) bool { return true }

func (limit) Numbers() (rate float64, burst int32) { return 1, 2 }

type accessLog string

func (accessLog) Log(*plan.Exchange, time.Duration) {}

type counter struct{}

func (counter) Count(*plan.Exchange, time.Duration) {}

// route sends a request for an API through the plan and returns the route key
// and the integration it would call.
func (g *gateway) route(apiID, method, path string) string {
	g.t.Helper()
	return match(g.compiler.Plan(), apiID, method, path)
}

func match(p *plan.Plan, apiID, method, path string) string {
	x := &plan.Exchange{}
	x.Request.Method, x.Request.Path, x.Request.Host = method, path, apiID+".execute-api.localhost:4566"
	traffic, err := p.Place(x)
	if !traffic {
		return "not traffic"
	}
	if err == nil {
		err = x.Stage.Match(x)
	}
	if err == nil && x.Route.Authorizer != nil {
		err = x.Route.Authorizer.Authorize(x)
	}
	var fault *plan.Fault
	if errors.As(err, &fault) {
		return "fault: " + fault.Reason
	}
	return fmt.Sprintf("%s %s → %v %v", x.Stage.Name, x.Route.Key, x.Route.Integration, x.Params)
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

const functionARN = "arn:aws:lambda:us-east-1:000000000000:function:hello"

// hello makes an API with a Lambda integration, a route and an auto-deployed
// $default stage, as the seed's Terraform does.
func (g *gateway) hello() (apiID, integrationID, routeID string) {
	t, c := g.t, g.call()
	t.Helper()
	a := must[*api.CreateApiResponse](t)(g.CreateApi(c, &api.CreateApiRequest{Name: new("hello"), ProtocolType: new("HTTP")}))
	i := must[*api.CreateIntegrationResult](t)(g.CreateIntegration(c, &api.CreateIntegrationRequest{
		ApiId: a.ApiId, IntegrationType: new("AWS_PROXY"), IntegrationUri: new(functionARN), PayloadFormatVersion: new("2.0"),
	}))
	r := must[*api.CreateRouteResult](t)(g.CreateRoute(c, &api.CreateRouteRequest{
		ApiId: a.ApiId, RouteKey: new("GET /hello"), Target: new("integrations/" + *i.IntegrationId),
		ApiKeyRequired: new(false), AuthorizationType: new("NONE"),
	}))
	must[*api.CreateStageResponse](t)(g.CreateStage(c, &api.CreateStageRequest{ApiId: a.ApiId, StageName: new("$default"), AutoDeploy: new(true)}))
	return *a.ApiId, *i.IntegrationId, *r.RouteId
}

// absent wants no stored document to have text in its kind, its id or itself.
func (g *gateway) absent(text string) {
	g.t.Helper()
	tx, err := g.backend.Begin(context.Background(), false)
	if err != nil {
		g.t.Fatal(err)
	}
	rows, err := tx.Scan([]byte{0}, []byte{0xff}, 1000)
	if err := errors.Join(err, tx.Rollback()); err != nil {
		g.t.Fatal(err)
	}
	for _, row := range rows {
		if bytes.Contains(row.Key, []byte(text)) || bytes.Contains(row.Body, []byte(text)) {
			g.t.Errorf("%q is still in %q: %s", text, row.Key, row.Body)
		}
	}
}

// webSocket stores a WebSocket API with a route and an integration, as an older
// release may have left them.
func (g *gateway) webSocket() (apiID, routeID, integrationID string) {
	g.t.Helper()
	at := store.Scope{Account: "000000000000", Region: "us-east-1"}
	apiID, routeID, integrationID = "socket", "route", "integration"
	a := &definition.API{Api: api.Api{ApiId: &apiID, ProtocolType: new("WEBSOCKET"), Name: new("socket")}}
	r := &definition.Route{Route: api.Route{RouteId: &routeID, RouteKey: new("chat"), RequestParameters: map[string]api.ParameterConstraints{"p": {Required: new(true)}}}}
	i := &definition.Integration{Integration: api.Integration{IntegrationId: &integrationID, IntegrationType: new("MOCK")}}
	if err := g.store.Update(context.Background(), func(tx *store.Tx) error {
		return errors.Join(
			definition.APIs.Put(tx, at, a, apiID),
			definition.Routes.Put(tx, at, r, apiID, routeID), definition.RouteKeys.Put(tx, at, &definition.Reference{ID: routeID}, apiID, "chat"),
			definition.Integrations.Put(tx, at, i, apiID, integrationID),
		)
	}); err != nil {
		g.t.Fatal(err)
	}
	return apiID, routeID, integrationID
}

func TestMainPath(t *testing.T) {
	g := newGateway(t)
	id, integration, _ := g.hello()
	if got, want := g.route(id, "GET", "/hello"), "$default GET /hello → lambda "+functionARN+"  2.0 []"; got != want {
		t.Errorf("GET /hello: %s, want %s", got, want)
	}
	// An edit is live when it is answered.
	must[*api.CreateRouteResult](t)(g.CreateRoute(g.call(), &api.CreateRouteRequest{
		ApiId: &id, RouteKey: new("POST /pets/{id}"), Target: new("integrations/" + integration),
	}))
	if got, want := g.route(id, "POST", "/pets/7"), "$default POST /pets/{id} → lambda "+functionARN+"  2.0 [7]"; got != want {
		t.Errorf("POST /pets/7: %s, want %s", got, want)
	}
	// And it survives a restart.
	g.reload()
	if got, want := g.route(id, "POST", "/pets/7"), "$default POST /pets/{id} → lambda "+functionARN+"  2.0 [7]"; got != want {
		t.Errorf("POST /pets/7 after a restart: %s, want %s", got, want)
	}
}

// reload builds the plan from what is stored, as a start does.
func (g *gateway) reload() {
	g.t.Helper()
	if err := g.store.View(context.Background(), func(tx *store.Tx) error {
		_, err := g.compiler.Load(tx)
		return err
	}); err != nil {
		g.t.Fatal(err)
	}
}
