package apigatewayv2_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	api "gatehouse/internal/awsapi/apigatewayv2"
)

// Terraform makes ten calls at a time, and requests don't wait for them: every
// edit is live when it is answered, and a plan in use is never written.
func TestConcurrentEdits(t *testing.T) {
	g := newGateway(t)
	id, integration, _ := g.hello()
	stop := make(chan struct{})
	var readers, writers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got := g.route(id, "GET", "/hello"); !strings.HasPrefix(got, "$default GET /hello") {
					t.Errorf("while others write: %s", got)
					return
				}
				describe(g.compiler.Plan())
			}
		})
	}
	for w := range 4 {
		writers.Go(func() {
			for n := range 10 {
				c, path := g.call(), fmt.Sprintf("/w%d/%d", w, n)
				r, err := g.CreateRoute(c, &api.CreateRouteRequest{ApiId: &id, RouteKey: new("GET " + path), Target: new("integrations/" + integration)})
				if err != nil {
					t.Error(err)
					return
				}
				if got := g.route(id, "GET", path); !strings.HasPrefix(got, "$default GET "+path) {
					t.Errorf("answered and not live: %s", got)
				}
				if _, err := g.UpdateStage(c, &api.UpdateStageRequest{ApiId: &id, StageName: new("$default"), StageVariables: map[string]string{"last": fmt.Sprint(w)}}); err != nil {
					t.Error(err)
				}
				if n%2 == 1 {
					continue
				}
				if err := g.DeleteRoute(c, &api.DeleteRouteRequest{ApiId: &id, RouteId: r.RouteId}); err != nil {
					t.Error(err)
				}
				if got := g.route(id, "GET", path); !strings.HasPrefix(got, "fault") {
					t.Errorf("deleted and still live: %s", got)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	edited := describe(g.compiler.Plan())
	g.reload()
	if fresh := describe(g.compiler.Plan()); edited != fresh {
		t.Errorf("the edited plan is\n%s\nand a fresh one\n%s", edited, fresh)
	}
}

// Whoever comes first: what is used isn't deleted, what is deleted isn't used,
// and an API takes with it what was made while it went.
func TestConcurrentDeletes(t *testing.T) {
	g := newGateway(t)
	id, _, _ := g.hello()
	c := g.call()
	race := func(a, b func() error) (error, error) {
		var errA, errB error
		var both sync.WaitGroup
		both.Go(func() { errA = a() })
		both.Go(func() { errB = b() })
		both.Wait()
		return errA, errB
	}
	for n := range 10 {
		i := must[*api.CreateIntegrationResult](t)(g.CreateIntegration(c, &api.CreateIntegrationRequest{ApiId: &id, IntegrationType: new("AWS_PROXY"), IntegrationUri: new(functionARN)}))
		used, deleted := race(func() error {
			return one(g.CreateRoute(c, &api.CreateRouteRequest{ApiId: &id, RouteKey: new(fmt.Sprint("GET /i", n)), Target: new("integrations/" + *i.IntegrationId)}))
		}, func() error {
			return g.DeleteIntegration(c, &api.DeleteIntegrationRequest{ApiId: &id, IntegrationId: i.IntegrationId})
		})
		if (used == nil) == (deleted == nil) {
			t.Errorf("an integration: used %v, deleted %v", used, deleted)
		}
		authorizer := jwtAuthorizer(id)
		authorizer.Name = new(fmt.Sprint("a", n))
		a := must[*api.CreateAuthorizerResponse](t)(g.CreateAuthorizer(c, authorizer))
		used, deleted = race(func() error {
			return one(g.CreateRoute(c, &api.CreateRouteRequest{ApiId: &id, RouteKey: new(fmt.Sprint("GET /a", n)), AuthorizationType: new("JWT"), AuthorizerId: a.AuthorizerId}))
		}, func() error {
			return g.DeleteAuthorizer(c, &api.DeleteAuthorizerRequest{ApiId: &id, AuthorizerId: a.AuthorizerId})
		})
		if (used == nil) == (deleted == nil) {
			t.Errorf("an authorizer: used %v, deleted %v", used, deleted)
		}

		gone, integration, _ := g.hello()
		_, deleted = race(func() error {
			return one(g.CreateRoute(c, &api.CreateRouteRequest{ApiId: &gone, RouteKey: new("GET /late"), Target: new("integrations/" + integration)}))
		}, func() error {
			return g.DeleteApi(c, &api.DeleteApiRequest{ApiId: &gone})
		})
		if deleted != nil {
			t.Errorf("an API: %v", deleted)
		}
		g.absent(gone)
		// A key can be taken once.
		first, second := race(func() error {
			return one(g.CreateRoute(c, &api.CreateRouteRequest{ApiId: &id, RouteKey: new(fmt.Sprint("GET /k", n))}))
		}, func() error {
			return one(g.CreateRoute(c, &api.CreateRouteRequest{ApiId: &id, RouteKey: new(fmt.Sprint("GET /k", n))}))
		})
		if (first == nil) == (second == nil) {
			t.Errorf("one key twice: %v, %v", first, second)
		}
	}
}
