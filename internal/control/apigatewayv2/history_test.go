package apigatewayv2_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
)

// A plan reached by many edits and one compiled from what is stored must answer
// alike, whatever the edits were.
func TestEditedPlanIsTheFreshPlan(t *testing.T) {
	histories, edits := 10, 120
	if testing.Short() {
		histories = 3
	}
	for seed := range uint64(histories) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			g := newGateway(t)
			h := &history{gateway: g, rand: rand.New(rand.NewPCG(seed, 7))}
			for i := range edits {
				h.edit()
				if i%5 == 4 || i == edits-1 {
					h.compare()
				}
				// A restart in between: what it doesn't remember must not matter.
				if h.rand.IntN(40) == 0 {
					g.reload()
				}
			}
			if h.done < edits/3 {
				t.Errorf("only %d of %d edits were accepted; the history tests little", h.done, edits)
			}
		})
	}
}

// A history makes random edits and remembers what it made.
type history struct {
	*gateway
	rand *rand.Rand
	apis []string
	done int
	log  []string
}

var historyKeys = []string{
	"GET /", "ANY /", "GET /a", "POST /a", "ANY /a", "GET /a/{x}", "GET /a/{y}", "ANY /a/{x}/b",
	"GET /a/b", "GET /{proxy+}", "ANY /a/{proxy+}", "GET /%E2%82%AC", "DELETE /a/{x}/{y}", "$default",
}

var historyURIs = []string{
	"https://one.example/{x}", "https://two.example", "https://${stageVariables.host}/x", "arn:aws:lambda:us-east-1:000000000000:function:${stageVariables.fn}",
	functionARN, functionARN + ":live",
}

func pick[T any](h *history, list []T) T { return list[h.rand.IntN(len(list))] }

func (h *history) edit() {
	c := h.call()
	var err error
	op := h.rand.IntN(26)
	if len(h.apis) == 0 {
		op = 0
	}
	id := ""
	if len(h.apis) > 0 {
		id = pick(h, h.apis)
	}
	what := fmt.Sprint(op, " on ", id)
	switch op {
	case 0:
		if len(h.apis) == 2 {
			return
		}
		in := &api.CreateApiRequest{Name: new("n"), ProtocolType: new("HTTP")}
		if h.rand.IntN(2) == 0 {
			in.Target = new("https://quick.example")
		}
		var out *api.CreateApiResponse
		if out, err = h.CreateApi(c, in); err == nil {
			h.apis = append(h.apis, *out.ApiId)
		}
	case 1:
		if h.rand.IntN(6) == 0 {
			if err = h.DeleteApi(c, &api.DeleteApiRequest{ApiId: &id}); err == nil {
				h.apis = slices.DeleteFunc(h.apis, func(a string) bool { return a == id })
			}
			break
		}
		in := &api.UpdateApiRequest{ApiId: &id, Name: new(fmt.Sprint("n", h.rand.IntN(9)))}
		if h.rand.IntN(2) == 0 {
			in.DisableExecuteApiEndpoint = new(h.rand.IntN(8) == 0)
		}
		if h.rand.IntN(3) == 0 {
			in.CorsConfiguration = &api.Cors{AllowOrigins: []string{fmt.Sprint("https://", h.rand.IntN(9))}}
		}
		_, err = h.UpdateApi(c, in)
	case 2, 3:
		_, err = h.CreateIntegration(c, h.integration(id))
	case 4, 5:
		in := h.integration(id)
		_, err = h.UpdateIntegration(c, &api.UpdateIntegrationRequest{ApiId: &id, IntegrationId: h.anyIntegration(id),
			IntegrationType: in.IntegrationType, IntegrationUri: in.IntegrationUri, IntegrationMethod: in.IntegrationMethod})
	case 6:
		err = h.DeleteIntegration(c, &api.DeleteIntegrationRequest{ApiId: &id, IntegrationId: h.anyIntegration(id)})
	case 7, 8, 9:
		in := &api.CreateRouteRequest{ApiId: &id, RouteKey: new(pick(h, historyKeys))}
		if i := h.anyIntegration(id); i != nil {
			in.Target = new("integrations/" + *i)
		}
		_, err = h.CreateRoute(c, in)
	case 10, 11:
		in := &api.UpdateRouteRequest{ApiId: &id, RouteId: h.anyRoute(id), RouteKey: new(pick(h, historyKeys))}
		if i := h.anyIntegration(id); i != nil && h.rand.IntN(2) == 0 {
			in.Target = new("integrations/" + *i)
		}
		_, err = h.UpdateRoute(c, in)
	case 12, 13:
		err = h.DeleteRoute(c, &api.DeleteRouteRequest{ApiId: &id, RouteId: h.anyRoute(id)})
	case 14:
		_, err = h.CreateStage(c, &api.CreateStageRequest{ApiId: &id, StageName: new(pick(h, []string{"$default", "dev"})), AutoDeploy: new(h.rand.IntN(2) > 0),
			StageVariables: map[string]string{"host": "h.example"}})
	case 15, 16:
		in := &api.UpdateStageRequest{ApiId: &id, StageName: new(pick(h, []string{"$default", "dev"}))}
		switch h.rand.IntN(5) {
		case 0:
			in.StageVariables = map[string]string{"host": pick(h, []string{"", "other.example"}), "fn": pick(h, []string{"", "f"})}
		case 1:
			in.AutoDeploy = new(h.rand.IntN(2) == 0)
		case 2:
			in.DeploymentId = h.anyDeployment(id)
		case 3:
			in.DefaultRouteSettings = &api.RouteSettings{DetailedMetricsEnabled: new(h.rand.IntN(2) == 0)}
			if h.rand.IntN(2) == 0 {
				in.DefaultRouteSettings.ThrottlingRateLimit = new(float64(h.rand.IntN(9)))
			}
		case 4:
			in.AccessLogSettings = &api.AccessLogSettings{}
			if h.rand.IntN(2) == 0 {
				in.AccessLogSettings = &api.AccessLogSettings{DestinationArn: new("arn:aws:logs:us-east-1:000000000000:log-group:g"), Format: new("$context.requestId")}
			}
		}
		_, err = h.UpdateStage(c, in)
	case 17:
		err = h.DeleteStage(c, &api.DeleteStageRequest{ApiId: &id, StageName: new(pick(h, []string{"$default", "dev"}))})
	case 18, 20, 21:
		in := &api.CreateDeploymentRequest{ApiId: &id}
		if h.rand.IntN(2) == 0 {
			in.StageName = new("dev")
		}
		_, err = h.CreateDeployment(c, in)
	case 19:
		err = h.DeleteDeployment(c, &api.DeleteDeploymentRequest{ApiId: &id, DeploymentId: h.anyDeployment(id)})
	case 22:
		in := jwtAuthorizer(id)
		if h.rand.IntN(2) == 0 {
			in = requestAuthorizer(id)
		}
		in.Name = new(fmt.Sprint("a", h.rand.IntN(9)))
		_, err = h.CreateAuthorizer(c, in)
	case 23, 24:
		in := &api.UpdateRouteRequest{ApiId: &id, RouteId: h.anyRoute(id), AuthorizationType: new(pick(h, []string{"NONE", "AWS_IAM", "JWT", "CUSTOM"}))}
		if *in.AuthorizationType == "JWT" || *in.AuthorizationType == "CUSTOM" {
			in.AuthorizerId = h.anyAuthorizer(id)
		}
		_, err = h.UpdateRoute(c, in)
	case 25:
		err = h.DeleteAuthorizer(c, &api.DeleteAuthorizerRequest{ApiId: &id, AuthorizerId: h.anyAuthorizer(id)})
	}
	var refused *awswire.Error
	if err != nil && !errors.As(err, &refused) {
		h.t.Fatalf("%s: %v", what, err)
	}
	if err == nil {
		h.done++
	}
	h.log = append(h.log, fmt.Sprint(what, " ", err))
}

func (h *history) integration(id string) *api.CreateIntegrationRequest {
	uri := pick(h, historyURIs)
	kind := "HTTP_PROXY"
	if strings.HasPrefix(uri, "arn:") {
		kind = "AWS_PROXY"
	}
	return &api.CreateIntegrationRequest{ApiId: &id, IntegrationType: &kind, IntegrationUri: &uri, IntegrationMethod: new("POST")}
}

func (h *history) anyIntegration(id string) *string {
	out := must[*api.GetIntegrationsResponse](h.t)(h.GetIntegrations(h.call(), &api.GetIntegrationsRequest{ApiId: &id}))
	if len(out.Items) == 0 {
		return nil
	}
	return pick(h, out.Items).IntegrationId
}

func (h *history) anyRoute(id string) *string {
	out := must[*api.GetRoutesResponse](h.t)(h.GetRoutes(h.call(), &api.GetRoutesRequest{ApiId: &id}))
	if len(out.Items) == 0 {
		return nil
	}
	return pick(h, out.Items).RouteId
}

func (h *history) anyAuthorizer(id string) *string {
	out := must[*api.GetAuthorizersResponse](h.t)(h.GetAuthorizers(h.call(), &api.GetAuthorizersRequest{ApiId: &id}))
	if len(out.Items) == 0 {
		return nil
	}
	return pick(h, out.Items).AuthorizerId
}

func (h *history) anyDeployment(id string) *string {
	out := must[*api.GetDeploymentsResponse](h.t)(h.GetDeployments(h.call(), &api.GetDeploymentsRequest{ApiId: &id}))
	if len(out.Items) == 0 {
		return nil
	}
	return pick(h, out.Items).DeploymentId
}

func (h *history) compare() {
	h.t.Helper()
	fresh := newCompiler()
	if err := h.store.View(context.Background(), func(tx *store.Tx) error {
		_, err := fresh.Load(tx)
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	got, want := describe(h.compiler.Plan()), describe(fresh.Plan())
	if got != want {
		h.t.Fatalf("after\n\t%s\nthe edited plan is\n%s\nand a fresh one\n%s", strings.Join(h.log, "\n\t"), got, want)
	}
}

// describe writes what a plan answers to a set of requests that reaches every
// route there can be, and everything else requests could tell it by.
func describe(p *plan.Plan) string {
	var b strings.Builder
	apis := slices.SortedFunc(p.APIs(), func(a, b *plan.API) int { return strings.Compare(a.ID, b.ID) })
	for _, a := range apis {
		fmt.Fprintf(&b, "%s %s\n", a.ID, a.Name)
		for _, name := range slices.Sorted(maps.Keys(a.Stages)) {
			s := a.Stages[name]
			fmt.Fprintf(&b, "  %s %s %s %v %v %d default %s %v %v\n", name, s.API.Name, s.DeploymentID, s.Variables, s.AccessLog, s.Routes.Len(), describeRoute(s.Default),
				s.DisableExecuteAPIEndpoint, s.CORS)
			for _, method := range []string{"GET", "POST", "DELETE"} {
				for _, path := range []string{"/", "/a", "/a/b", "/a/1", "/a/1/b", "/a/1/2", "/a/1/2/3", "/%E2%82%AC", "/z"} {
					r, params, _ := s.Routes.Match(method, path, nil)
					fmt.Fprintf(&b, "    %s %s %s %v\n", method, path, describeRoute(r), params)
				}
			}
		}
	}
	return b.String()
}

func describeRoute(r *plan.Route) string {
	if r == nil {
		return "-"
	}
	return fmt.Sprintf("%s %s %v %s %v %v %v", r.Key, r.ID, r.ParamNames, describeAuthorizer(r), r.Integration, r.Limit, r.Metrics)
}

// describeAuthorizer tells the kind of a route's authorizer and what it says to
// somebody who brings nothing: compilers that are made anew have keys and caches
// of their own.
func describeAuthorizer(r *plan.Route) string {
	if r.Authorizer == nil {
		return "open"
	}
	api := &plan.API{ID: "api", Protocol: plan.HTTP}
	x := &plan.Exchange{API: api, Stage: &plan.Stage{API: api, Name: "stage"}, Route: r, StagePath: "/"}
	return fmt.Sprintf("%T: %v", r.Authorizer, r.Authorizer.Authorize(x))
}
