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
