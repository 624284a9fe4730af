package compile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"gatehouse/internal/compile"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/stagecache"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each archive in testdata holds stored documents, named by kind and id, and
// the plan they make or why they don't.
func TestGoldenPlans(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var want []byte
			var docs []txtar.File
			for _, f := range archive.Files {
				if f.Name == "plan" {
					want = f.Data
					continue
				}
				docs = append(docs, f)
			}
			got := []byte(compileDocs(t, docs))
			if *update {
				archive.Files = append(docs, txtar.File{Name: "plan", Data: got})
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if !bytes.Equal(got, want) {
				t.Errorf("the plan is\n%swant\n%s(go test -update rewrites it)", got, want)
			}
		})
	}
}

// compileDocs stores documents and returns what a start makes of them.
func compileDocs(t *testing.T, docs []txtar.File) string {
	t.Helper()
	var log bytes.Buffer
	parts := printedParts()
	parts.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}}))
	c := compile.New(parts)
	s := openStore(t, store.Options{})
	ctx := context.Background()
	if err := s.Update(ctx, func(tx *store.Tx) error {
		for _, f := range docs {
			if err := put(tx, f); err != nil {
				return fmt.Errorf("%s: %w", f.Name, err)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.View(ctx, func(tx *store.Tx) error {
		_, err := c.Load(tx)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return printPlan(c.Plan(), probes(docs)) + log.String()
}

// A probe is a request that a route takes unless a better one does.
type probe struct{ method, path string }

// probes are requests for each route among the documents, and one for none.
func probes(docs []txtar.File) []probe {
	list := []probe{{"GET", "/no/such/path"}}
	sample := strings.NewReplacer("{", "a-", "+}", "/b", "}", "")
	for _, f := range docs {
		if strings.HasPrefix(f.Name, "resource ") {
			list = append(list, methodProbes(f.Data, sample)...)
		}
		var route definition.Route
		if !strings.HasPrefix(f.Name, "route ") || json.Unmarshal(f.Data, &route) != nil || route.RouteKey == nil {
			continue
		}
		method, path, ok := strings.Cut(*route.RouteKey, " ")
		if !ok {
			continue
		}
		if method == plan.AnyMethod {
			method = "PUT"
		}
		list = append(list, probe{method, sample.Replace(path)})
	}
	return list
}

// methodProbes are requests for each method of a resource.
func methodProbes(doc []byte, sample *strings.Replacer) (list []probe) {
	var resource definition.Resource
	if json.Unmarshal(doc, &resource) != nil || resource.Path == nil {
		return nil
	}
	for _, verb := range slices.Sorted(maps.Keys(resource.ResourceMethods)) {
		if verb == plan.AnyMethod {
			verb = "PUT"
		}
		list = append(list, probe{verb, sample.Replace(*resource.Path)})
	}
	return list
}

var testScope = store.Scope{Account: "000000000000", Region: "us-east-1"}

func openStore(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	db, err := sqlite.Open(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(context.Background(), db, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// put stores the document in a file named "kind apiID [childID]".
func put(tx *store.Tx, f txtar.File) error {
	words := strings.Fields(f.Name)
	if len(words) < 2 {
		return errors.New("not named by kind and id")
	}
	id := words[1:]
	switch words[0] {
	case "api":
		return putAs(tx, definition.APIs, f.Data, id)
	case "integration":
		return putAs(tx, definition.Integrations, f.Data, id)
	case "route":
		return putAs(tx, definition.Routes, f.Data, id)
	case "stage":
		return putAs(tx, definition.Stages, f.Data, id)
	case "authorizer":
		return putAs(tx, definition.Authorizers, f.Data, id)
	case "restauthorizer":
		return putAs(tx, definition.RestAuthorizers, f.Data, id)
	case "integrationresponse":
		return putAs(tx, definition.IntegrationResponses, f.Data, id)
	case "routeresponse":
		return putAs(tx, definition.RouteResponses, f.Data, id)
	case "socketmodel":
		return putAs(tx, definition.Models, f.Data, id)
	case "restapi":
		return putAs(tx, definition.RestAPIs, f.Data, id)
	case "resource":
		return putAs(tx, definition.Resources, f.Data, id)
	case "gatewayresponse":
		return putAs(tx, definition.GatewayResponses, f.Data, id)
	case "model":
		return putAs(tx, definition.RestModels, f.Data, id)
	case "validator":
		return putAs(tx, definition.RequestValidators, f.Data, id)
	case "reststage":
		return putAs(tx, definition.RestStages, f.Data, id)
	case "restdeployment":
		if err := tx.Pin(testScope, id[0], tx.Revision()); err != nil {
			return err
		}
		return putAs(tx, definition.RestDeployments, fmt.Appendf(nil, `{"id": %q, "_revision": %d}`, id[1], tx.Revision()), id)
	case "deployment":
		if err := tx.Pin(testScope, id[0], tx.Revision()); err != nil {
			return err
		}
		return putAs(tx, definition.Deployments, fmt.Appendf(nil, `{"DeploymentId": %q, "_revision": %d}`, id[1], tx.Revision()), id)
	}
	return fmt.Errorf("unknown kind %s", words[0])
}

func putAs[T any](tx *store.Tx, kind store.Kind[T], text []byte, id []string) error {
	doc := new(T)
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(doc); err != nil {
		return err
	}
	return kind.Put(tx, testScope, doc, id...)
}

// printedParts make parts that print what they were made of.
func printedParts() compile.Options {
	return compile.Options{
		Caches: stagecache.New(stagecache.Options{MaxBytes: 1 << 20}),
		Lambda: func(l compile.LambdaCall) (plan.Integration, error) {
			return printed(fmt.Sprintf("lambda %s qualifier=%q payload=%s timeout=%s credentials=%q", l.FunctionARN, l.Qualifier, l.Payload, l.Timeout, l.Credentials)), nil
		},
		HTTP: func(h compile.HTTPCall) (plan.Integration, error) {
			if !strings.Contains(h.URI, "://") && h.Private == nil {
				return nil, fmt.Errorf("%q has no scheme", h.URI)
			}
			shows := ""
			if p := h.Private; p != nil {
				target, open := p.Link()
				shows = fmt.Sprintf(" private listener=%q service=%q%s loadbalancer=%q tls=%v link=%q open=%v", p.Listener, p.Service, p.Filter.Text, p.LoadBalancer, p.TLS, target, open)
			}
			if h.ServerName != "" || h.SelfSigned {
				shows += fmt.Sprintf(" name=%q selfsigned=%v", h.ServerName, h.SelfSigned)
			}
			if h.ClientCertificate != nil {
				shows = " shows=" + h.ClientCertificate.Leaf.Subject.CommonName
			}
			return printed(fmt.Sprintf("http %s %s append=%v timeout=%s%s", h.Method, h.URI, h.AppendPath, h.Timeout, shows)), nil
		},
		AWSService: func(s compile.AWSServiceCall) (plan.Integration, error) {
			return printed(fmt.Sprintf("service %s in %s subdomain=%q action=%q path=%q by %s timeout=%s credentials=%q proxy=%v",
				s.URI.Service.Prefix, s.URI.Region, s.URI.Subdomain, s.URI.Action, s.URI.Path, s.Method, s.Timeout, s.Credentials, s.Proxy)), nil
		},
		JWT: func(j compile.JWTCheck) (plan.Authorizer, error) {
			return printed(fmt.Sprintf("a token in %s of %s for %v with one of %v", j.IdentitySource, j.Issuer, j.Audiences, j.Scopes)), nil
		},
		Cognito: func(c compile.CognitoCheck) (plan.Authorizer, error) {
			return printed(fmt.Sprintf("a token in %s of %v for %q with one of %v", c.IdentitySource, c.Issuers, c.AudienceExpression, c.Scopes)), nil
		},
		AccessLog: func(l compile.AccessLog) (plan.AccessLog, error) {
			x := &plan.Exchange{RequestID: "id"}
			x.Response.Status = 200
			return printed(fmt.Sprintf("to %s in %s/%s, as in %q", l.LogGroup, l.Account, l.Region, l.Format.Append(nil, x, 0))), nil
		},
		RouteLimit: func(api *plan.API, stage, routeID string, rate float64, burst int32) plan.Limiter {
			return printed(fmt.Sprint("of ", api.ID, " ", stage, " ", routeID, ": ", rate, "/s, burst ", burst))
		},
		StageMetrics: func(api *plan.API, stage string) plan.Metrics { return printed("of " + api.ID + " " + stage) },
		RouteMetrics: func(api *plan.API, stage, method, path string) plan.Metrics {
			return printed("of " + api.ID + " " + stage + " " + method + " " + path)
		},
	}
}

type printed string

func (p printed) Authorize(*plan.Exchange) error { return errors.New(string(p)) }
func (printed) Integrate(*plan.Exchange) error   { return nil }
func (printed) Take(time.Time) bool              { return true }

func (printed) Numbers() (rate float64, burst int32) { return 1, 2 }
func (printed) Log(*plan.Exchange, time.Duration)    {}
func (printed) Count(*plan.Exchange, time.Duration)  {}

func printPlan(p *plan.Plan, probes []probe) string {
	var b strings.Builder
	for _, a := range slices.SortedFunc(p.APIs(), func(a, b *plan.API) int { return strings.Compare(a.ID, b.ID) }) {
		fmt.Fprintf(&b, "api %s %q account=%s region=%s\n", a.ID, a.Name, a.AccountID, a.Region)
		for _, name := range slices.Sorted(maps.Keys(a.Stages)) {
			printStage(&b, a.Stages[name], probes)
		}
	}
	return b.String()
}

func printStage(b *strings.Builder, s *plan.Stage, probes []probe) {
	fmt.Fprintf(b, "  stage %s deployment=%q variables=%v metrics %v\n", s.Name, s.DeploymentID, s.Variables, s.Metrics)
	if s.Rest != nil {
		printRest(b, s.Rest, probes)
	}
	if s.API.Protocol == plan.WebSocket {
		printSocket(b, s)
		probes = nil
	}
	if s.DisableExecuteAPIEndpoint {
		b.WriteString("    execute-api disabled\n")
	}
	if s.CORS != nil {
		fmt.Fprintf(b, "    CORS %s\n", describeCORS(s.CORS))
	}
	if s.AccessLog != nil {
		fmt.Fprintf(b, "    access log %v\n", s.AccessLog)
	}
	for _, probe := range probes {
		fmt.Fprintf(b, "    %s %s\n", probe.method, probe.path)
		x := &plan.Exchange{API: s.API, Stage: s, StagePath: probe.path}
		x.Request.Method = probe.method
		if err := s.Match(x); err != nil {
			fmt.Fprintf(b, "      %v\n", err)
			continue
		}
		fmt.Fprintf(b, "      route %s %q names=%v params=%v\n", x.Route.ID, x.Route.Key, x.Route.ParamNames, x.Params)
		if r := x.Route.Rest; r != nil {
			fmt.Fprintf(b, "      resource %s operation=%q key=%v validator=%v log=%+v trace=%v\n", r.ResourceID, r.OperationName, r.APIKey != nil, r.Validator != nil, r.Log, r.ReportsTrace)
		}
		if r := x.Route.Rest; r != nil && r.Cache != nil {
			c := r.Cache
			fmt.Fprintf(b, "      cached for %s every=%v sealed=%v authorized=%v unauthorized=%d\n", c.TTL, c.EveryMethod, c.Sealed, c.RequireAuthorization, c.Unauthorized)
		}
		if x.Route.Authorizer != nil {
			fmt.Fprintf(b, "      authorizer: %v\n", x.Route.Authorizer.Authorize(x))
		}
		fmt.Fprintf(b, "      integration %v\n", x.Route.Integration)
		printMappings(b, s, x)
		if x.Route.Limit != nil {
			fmt.Fprintf(b, "      limit %v\n", x.Route.Limit)
		}
		if x.Route.Metrics != nil {
			fmt.Fprintf(b, "      metrics %v\n", x.Route.Metrics)
		}
	}
}

// printRest prints what only stages of REST APIs have.
func printRest(b *strings.Builder, r *plan.RestStage, probes []probe) {
	fmt.Fprintf(b, "    binary types=%v compression from %d tracing=%v canary=%v log %v\n", !r.BinaryTypes.Empty(), r.MinCompression, r.Tracing, r.IsCanary, r.ExecutionLog)
	for t, response := range r.Responses {
		if response != nil {
			fmt.Fprintf(b, "    gateway response %s\n", plan.ResponseType(t))
		}
	}
	if r.Canary != nil {
		fmt.Fprintf(b, "    %g %% to a canary:\n", r.Canary.Percent)
		printStage(b, r.Canary.Stage, probes)
	}
}

// printMappings prints what the route's mappings make of a request and of a
// response.
func printMappings(b *strings.Builder, s *plan.Stage, x *plan.Exchange) {
	x.Stage, x.RequestID = s, "id"
	if s.Rest != nil {
		x.API = s.API
	}
	x.Request.Headers = plan.Headers{{Name: "X-Client", Value: "c"}}
	x.Request.Query, x.Request.Body = "q=1", []byte(`{"b": 2}`)
	if m := x.Route.MapRequest; m != nil {
		err := m.Map(x)
		fmt.Fprintf(b, "      maps the request to %q ?%s %v, %v\n", x.Mapped.Path, x.Mapped.Query, x.Mapped.Headers, err)
	}
	if m := x.Route.MapResponse; m != nil {
		for _, status := range []int{200, 404, 500} {
			x.Integration.Status = status
			x.Response = plan.Response{Status: status, Headers: plan.Headers{{Name: "X-Backend", Value: "b"}}, Body: []byte(`{"code": 503}`)}
			err := m.Map(x)
			fmt.Fprintf(b, "      maps a %d to %d %v, %v\n", status, x.Response.Status, x.Response.Headers, err)
		}
	}
}

// describeCORS is what a configuration answers to a preflight.
func describeCORS(c *plan.CORS) string {
	x := &plan.Exchange{}
	x.Request.Headers = plan.Headers{{Name: "Origin", Value: "https://example.com"}}
	c.AnswerPreflight(x)
	return fmt.Sprint(x.Response.Status, x.Response.Headers)
}
