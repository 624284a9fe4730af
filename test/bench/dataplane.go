package main

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime/pprof"
	"sync/atomic"
	"time"

	"gatehouse/internal/contextvar"
	"gatehouse/internal/integrate"
	"gatehouse/internal/logstore"
	"gatehouse/internal/observe"
	"gatehouse/internal/plan"
	"gatehouse/internal/serve"
	"gatehouse/internal/throttle"
	"gatehouse/internal/transform"
)

// The roles of the gateway's data plane without its management, and the host of
// its one API.
const (
	roleDataPlane = "dataplane"
	roleProfiled  = "profiled"
	dataPlaneHost = "bench.execute-api.localhost"
)

// dataPlane passes requests on and counts them.
func dataPlane(ctx context.Context, l net.Listener, backend string) error {
	list, err := planRoutes(backend)
	if err != nil {
		return err
	}
	seen := &counter{}
	return servePlan(ctx, l, list, &plan.Stage{AccessLog: seen, Metrics: seen})
}

// profiled has all on that an HTTP API can have, and writes a CPU profile.
func profiled(ctx context.Context, l net.Listener, backend, profile string) (err error) {
	list, err := planRoutes(backend)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "gatehouse-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	events, err := logstore.Open(dir, logstore.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, events.Close()) }()
	lines := observe.NewLogWriter(observe.LogWriterOptions{})
	defer lines.Close()
	metrics := observe.NewMetrics(observe.MetricsOptions{})
	defer metrics.Close()
	format, err := observe.ParseFormat(logFormat, contextvar.Lookup)
	if err != nil {
		return err
	}
	mapRequest, err := transform.NewRequest(requestParameters, nil)
	if err != nil {
		return err
	}
	mapResponse, err := transform.NewResponse(responseParameters, nil)
	if err != nil {
		return err
	}

	api, buckets := &plan.API{ID: "bench"}, throttle.NewBuckets()
	for _, r := range list {
		r.Limit = buckets.Route(api.ID, plan.DefaultStage, r.ID, rateLimit, burstLimit)
		r.Metrics = metrics.Route(api, plan.DefaultStage, r.Method, r.Path)
		r.MapRequest, r.MapResponse = mapRequest, mapResponse
	}
	allow := cors()
	stage := &plan.Stage{
		CORS: plan.NewCORS(plan.CORSOptions{
			AllowOrigins: allow.AllowOrigins, AllowMethods: allow.AllowMethods, AllowHeaders: allow.AllowHeaders,
			ExposeHeaders: allow.ExposeHeaders, MaxAge: allow.MaxAge, AllowCredentials: *allow.AllowCredentials,
		}),
		Limit:     buckets.Account(account, region, rateLimit, burstLimit),
		AccessLog: lines.AccessLog(format, groupSink{events.Group(logstore.GroupID{Account: account, Region: region, Name: logGroup})}, logGroup, "bench"),
		Metrics:   metrics.Stage(api, plan.DefaultStage),
	}

	f, err := os.Create(profile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return servePlan(ctx, l, list, stage)
}

// planRoutes makes the routes to the backend.
func planRoutes(backend string) ([]*plan.Route, error) {
	upstreams := integrate.NewUpstreams(integrate.UpstreamOptions{})
	h, err := integrate.NewHTTP(integrate.HTTPOptions{URI: "http://" + backend + "/r/items/{id}", Upstreams: upstreams})
	if err != nil {
		return nil, err
	}
	list := make([]*plan.Route, routes)
	for i := range list {
		key := "GET " + routePath(i)
		k, err := plan.ParseRouteKey(key)
		if err != nil {
			return nil, err
		}
		list[i] = &plan.Route{Key: key, ID: key, Method: k.Method, Path: k.Path, ParamNames: k.ParamNames, Greedy: k.Greedy, Integration: h}
	}
	return list, nil
}

// servePlan serves an API of the one stage with the routes.
func servePlan(ctx context.Context, l net.Listener, list []*plan.Route, stage *plan.Stage) error {
	stage.API = &plan.API{ID: "bench", Protocol: plan.HTTP, Stages: map[string]*plan.Stage{plan.DefaultStage: stage}}
	stage.Name = plan.DefaultStage
	for _, r := range list {
		stage.Routes = stage.Routes.With(r)
	}
	var current atomic.Pointer[plan.Plan]
	current.Store(current.Load().With(stage.API))
	return serveUntil(ctx, l, serve.New(serve.Options{Plan: &current}).Serve)
}

// counter stands for the access log and the metrics.
type counter struct{ n atomic.Int64 }

func (c *counter) Count(*plan.Exchange, time.Duration) { c.n.Add(1) }
func (c *counter) Log(*plan.Exchange, time.Duration)   { c.n.Add(1) }

// A groupSink carries an access log into a log group, as the gateway does.
type groupSink struct{ group *logstore.Group }

// Append implements observe.Sink.
func (s groupSink) Append(_, stream string, at time.Time, message []byte) error {
	if !s.group.Append(stream, logstore.Event{Timestamp: at.UnixMilli(), Message: string(message)}) {
		return errors.New("the log group took no line")
	}
	return nil
}
