// Package durability kills the gateway with SIGKILL in the middle of concurrent
// writes, over and over, and looks for what it had acknowledged.
//
// A kill can't tell a write that was synced from one that only reached the
// kernel; the store's own test reads the durability pragmas back for that.
package durability

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	gwtypes "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"gatehouse/test/harness"
)

var kills = flag.Int("kills", 200, "how often to kill the gateway")

func TestMain(m *testing.M) { harness.Main(m) }

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

const (
	// writers is how many clients write at the same time.
	writers = 6
	// patience is how long anything may take on a machine that does much else.
	patience = time.Minute
)

// TestKill is the whole story: start, write, kill, start again, compare.
func TestKill(t *testing.T) {
	n := *kills
	if testing.Short() {
		n = min(n, 20)
	}
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("alive"))
	}))
	defer backend.Close()

	data := t.TempDir()
	g := harness.Start(t, data)
	ws := make([]*writer, writers)
	acks := make(chan struct{}, 1)
	for i := range ws {
		ws[i] = newWriter(t, g, i, backend.URL)
		ws[i].acks = acks
	}
	acknowledged := 0
	for kill := range n {
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for _, w := range ws {
			all.Go(func() { w.write(ctx, g) })
		}
		// After some writes, however long they take, and in the middle of the next.
		for range rand.IntN(2 * writers) {
			select {
			case <-acks:
			case <-time.After(patience):
				t.Fatalf("no write was acknowledged for %s\n%s", patience, g.Logs())
			}
		}
		timer := time.NewTimer(time.Duration(rand.IntN(20_000)) * time.Microsecond)
		<-timer.C
		g.Kill()
		cancel()
		all.Wait()

		g = harness.Start(t, data)
		for _, w := range ws {
			acknowledged += w.acknowledged
			w.acknowledged = 0
			if err := w.compare(t.Context(), g); err != nil {
				t.Fatalf("after kill %d, writer %d: %v\n%s", kill+1, w.id, err, g.Logs())
			}
		}
	}
	t.Logf("%d kills, %d acknowledged writes, none lost", n, acknowledged)
	if acknowledged < n {
		t.Errorf("only %d writes were acknowledged in %d rounds: the test proves little", acknowledged, n)
	}
}

// A writer owns one API and some roles, and knows what it was promised.
type writer struct {
	id, next     int
	api          string
	integration  string
	roles        map[string]string // name → description that was acknowledged
	routes       map[string]string // route key → route id that was acknowledged
	acknowledged int
	acks         chan<- struct{} // told of each, where somebody listens
	// unsure undoes the doubt about the one write that was under way at the
	// kill: it looks at what is there and takes it into the model.
	unsure func(found state) error
}

// state is what a gateway holds of a writer's resources.
type state struct {
	roles  map[string]string
	routes map[string]string
}

func newWriter(t *testing.T, g *harness.Gateway, id int, backend string) *writer {
	t.Helper()
	ctx, client := t.Context(), apigatewayv2.NewFromConfig(g.Config())
	w := &writer{id: id, roles: map[string]string{}, routes: map[string]string{}}
	api, err := client.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: aws.String(fmt.Sprintf("writer-%d", id)), ProtocolType: gwtypes.ProtocolTypeHttp})
	if err != nil {
		t.Fatal(err)
	}
	w.api = aws.ToString(api.ApiId)
	integration, err := client.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{
		ApiId: api.ApiId, IntegrationType: gwtypes.IntegrationTypeHttpProxy, IntegrationMethod: aws.String("ANY"),
		IntegrationUri: aws.String(backend), PayloadFormatVersion: aws.String("1.0"),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.integration = aws.ToString(integration.IntegrationId)
	if _, err := client.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: api.ApiId, StageName: aws.String("$default"), AutoDeploy: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	return w
}

// write makes one change after the other until the gateway is gone.
func (w *writer) write(ctx context.Context, g *harness.Gateway) {
	gateway, roles := apigatewayv2.NewFromConfig(g.Config()), iam.NewFromConfig(g.Config())
	for ctx.Err() == nil {
		w.next++
		var err error
		switch rand.IntN(5) {
		case 0, 1:
			err = w.createRoute(ctx, gateway)
		case 2:
			err = w.deleteRoute(ctx, gateway)
		case 3:
			err = w.createRole(ctx, roles)
		default:
			err = w.describeRole(ctx, roles)
		}
		if err != nil {
			return
		}
		w.unsure = nil
		w.acknowledged++
		select {
		case w.acks <- struct{}{}:
		default:
		}
	}
}

func (w *writer) createRoute(ctx context.Context, c *apigatewayv2.Client) error {
	key := fmt.Sprintf("GET /w%d/r%d", w.id, w.next)
	w.unsure = func(found state) error {
		if id, ok := found.routes[key]; ok {
			w.routes[key] = id
		}
		return nil
	}
	out, err := c.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: &w.api, RouteKey: &key, Target: aws.String("integrations/" + w.integration)})
	if err != nil {
		return err
	}
	w.routes[key] = aws.ToString(out.RouteId)
	return nil
}

func (w *writer) deleteRoute(ctx context.Context, c *apigatewayv2.Client) error {
	for key, id := range w.routes {
		w.unsure = func(found state) error {
			if _, ok := found.routes[key]; !ok {
				delete(w.routes, key)
			}
			return nil
		}
		if _, err := c.DeleteRoute(ctx, &apigatewayv2.DeleteRouteInput{ApiId: &w.api, RouteId: &id}); err != nil {
			return err
		}
		delete(w.routes, key)
		return nil
	}
	return nil
}

func (w *writer) createRole(ctx context.Context, c *iam.Client) error {
	name, stamp := fmt.Sprintf("writer-%d-%d", w.id, w.next), fmt.Sprintf("stamp %d", w.next)
	w.unsure = func(found state) error {
		if got, ok := found.roles[name]; ok {
			if got != stamp {
				return fmt.Errorf("role %s is torn: described as %q, written as %q", name, got, stamp)
			}
			w.roles[name] = got
		}
		return nil
	}
	if _, err := c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, Description: &stamp, AssumeRolePolicyDocument: aws.String(trust),
		Tags: []iamtypes.Tag{{Key: aws.String("writer"), Value: aws.String(fmt.Sprint(w.id))}}}); err != nil {
		return err
	}
	w.roles[name] = stamp
	return nil
}

func (w *writer) describeRole(ctx context.Context, c *iam.Client) error {
	for name, before := range w.roles {
		stamp := fmt.Sprintf("stamp %d", w.next)
		w.unsure = func(found state) error {
			switch found.roles[name] {
			case before:
			case stamp:
				w.roles[name] = stamp
			default:
				return fmt.Errorf("role %s is torn: described as %q, was %q, written as %q", name, found.roles[name], before, stamp)
			}
			return nil
		}
		if _, err := c.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: &name, Description: &stamp}); err != nil {
			return err
		}
		w.roles[name] = stamp
		return nil
	}
	return nil
}

// compare reads everything back and checks it against what was acknowledged.
func (w *writer) compare(ctx context.Context, g *harness.Gateway) error {
	found, err := w.read(ctx, g)
	if err != nil {
		return err
	}
	if w.unsure != nil {
		if err := w.unsure(found); err != nil {
			return err
		}
		w.unsure = nil
	}
	if err := same("role", w.roles, found.roles); err != nil {
		return err
	}
	if err := same("route", w.routes, found.routes); err != nil {
		return err
	}
	return w.live(ctx, g)
}

// read lists the writer's roles and routes page by page.
func (w *writer) read(ctx context.Context, g *harness.Gateway) (state, error) {
	s := state{roles: map[string]string{}, routes: map[string]string{}}
	roles := iam.NewListRolesPaginator(iam.NewFromConfig(g.Config()), &iam.ListRolesInput{MaxItems: aws.Int32(100)})
	prefix := fmt.Sprintf("writer-%d-", w.id)
	for roles.HasMorePages() {
		page, err := roles.NextPage(ctx)
		if err != nil {
			return s, err
		}
		for _, r := range page.Roles {
			if name := aws.ToString(r.RoleName); len(name) > len(prefix) && name[:len(prefix)] == prefix {
				s.roles[name] = aws.ToString(r.Description)
			}
		}
	}
	client := apigatewayv2.NewFromConfig(g.Config())
	var token *string
	for {
		page, err := client.GetRoutes(ctx, &apigatewayv2.GetRoutesInput{ApiId: &w.api, MaxResults: aws.String("50"), NextToken: token})
		if err != nil {
			return s, err
		}
		for _, r := range page.Items {
			s.routes[aws.ToString(r.RouteKey)] = aws.ToString(r.RouteId)
		}
		if token = page.NextToken; token == nil {
			return s, nil
		}
	}
}

// live checks that the deployment in force is the one of the last write: a
// route that was acknowledged answers, one that was deleted doesn't.
func (w *writer) live(ctx context.Context, g *harness.Gateway) error {
	client := apigatewayv2.NewFromConfig(g.Config())
	stage, err := client.GetStage(ctx, &apigatewayv2.GetStageInput{ApiId: &w.api, StageName: aws.String("$default")})
	if err != nil {
		return err
	}
	if stage.DeploymentId != nil {
		if _, err := client.GetDeployment(ctx, &apigatewayv2.GetDeploymentInput{ApiId: &w.api, DeploymentId: stage.DeploymentId}); err != nil {
			return fmt.Errorf("the stage's deployment: %w", err)
		}
	}
	checked := 0
	for key := range w.routes {
		status, body, err := g.Get(ctx, w.api, key[len("GET "):])
		if err != nil {
			return err
		}
		if status != http.StatusOK || body != "alive" {
			return fmt.Errorf("%s is acknowledged and answers %d %s", key, status, body)
		}
		if checked++; checked == 3 {
			break
		}
	}
	return nil
}

// same compares what was acknowledged with what was found.
func same(what string, want, got map[string]string) error {
	var errs []error
	for name, value := range want {
		if found, ok := got[name]; !ok {
			errs = append(errs, fmt.Errorf("%s %s was acknowledged and is gone", what, name))
		} else if found != value {
			errs = append(errs, fmt.Errorf("%s %s is %q, acknowledged was %q", what, name, found, value))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			errs = append(errs, fmt.Errorf("%s %s is there and should not be", what, name))
		}
	}
	return errors.Join(errs...)
}
