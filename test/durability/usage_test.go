package durability

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"gatehouse/test/harness"
)

// A client's quota, and how it is spent: by callers at once, through kills.
const (
	quota   = 8000
	callers = 64
	// reserved is what a kill costs of the quota at most: a block and a half.
	reserved = quota/128*3/2 + 1
)

// TestKillUsage kills the gateway while a client spends its quota. However often,
// the client gets no more than that, and hardly less.
func TestKillUsage(t *testing.T) {
	n := min(*kills, 15)
	if testing.Short() {
		n = min(n, 5)
	}
	began := time.Now().UTC()
	data := t.TempDir()
	g := harness.Start(t, data)
	m := newMetered(t, g)
	var granted atomic.Int64
	// spend has the callers call until the gateway is killed or nothing is left.
	spend := func(ctx context.Context, g *harness.Gateway) (spent <-chan struct{}) {
		var all sync.WaitGroup
		for range callers {
			all.Go(func() {
				for ctx.Err() == nil {
					status, err := m.get(ctx, g)
					switch {
					case err != nil: // the kill
						return
					case status == http.StatusOK:
						granted.Add(1)
					case status == http.StatusTooManyRequests:
						return
					default:
						t.Errorf("a request was answered %d", status)
						return
					}
				}
			})
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			all.Wait()
		}()
		return done
	}
	for range n {
		ctx, cancel := context.WithCancel(t.Context())
		spent := spend(ctx, g)
		// After some requests, however long they take, unless nothing is left.
		enough := granted.Load() + 1 + rand.Int64N(quota/int64(n))
		deadline := time.Now().Add(patience)
		for done := false; !done && granted.Load() < enough; {
			select {
			case <-spent:
				done = true
			case <-time.After(time.Millisecond):
				if time.Now().After(deadline) {
					t.Fatalf("requests hang\n%s", g.Logs())
				}
			}
		}
		g.Kill()
		cancel()
		<-spent
		g = harness.Start(t, data)
	}
	during := granted.Load()
	<-spend(t.Context(), g)
	if status, err := m.get(t.Context(), g); err != nil || status != http.StatusTooManyRequests {
		t.Errorf("when all is spent: %d, %v", status, err)
	}
	end := time.Now().UTC()
	if end.Month() != began.Month() {
		t.Skip("a month has ended, and with it the quota")
	}
	// What was in flight at a kill was counted, and nobody saw its answer.
	least := int64(quota - n*(reserved+callers))
	if got := granted.Load(); got > quota || got < least {
		t.Errorf("%d requests were granted, want %d to %d\n%s", got, least, quota, g.Logs())
	}
	t.Logf("%d kills, %d requests granted between them, %d in all of %d", n, during, granted.Load(), quota)
	if during < int64(n) {
		t.Errorf("only %d requests in %d rounds: the test proves little", during, n)
	}
	first, last := began.Format(time.DateOnly), end.Format(time.DateOnly)
	usage, err := m.client(g).GetUsage(t.Context(), &apigateway.GetUsageInput{UsagePlanId: &m.plan, KeyId: &m.key, StartDate: &first, EndDate: &last})
	if err != nil {
		t.Fatal(err)
	}
	days, used := usage.Items[m.key], int64(0)
	for _, day := range days {
		used += day[0]
	}
	if used != quota || len(days) == 0 || days[len(days)-1][1] != 0 {
		t.Errorf("the usage is %v", usage.Items)
	}
}

// A metered API asks for a key, which has a quota.
type metered struct {
	api, plan, key, value string
	http                  *http.Client // keeps a connection for each caller
}

func (*metered) client(g *harness.Gateway) *apigateway.Client {
	return apigateway.NewFromConfig(g.Config())
}

func newMetered(t *testing.T, g *harness.Gateway) *metered {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: callers}
	t.Cleanup(transport.CloseIdleConnections)
	m := &metered{http: &http.Client{Transport: transport}}
	ctx, c := t.Context(), m.client(g)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	api, err := c.CreateRestApi(ctx, &apigateway.CreateRestApiInput{Name: aws.String("metered")})
	check(err)
	m.api = aws.ToString(api.Id)
	get, ok := aws.String("GET"), aws.String("200")
	_, err = c.PutMethod(ctx, &apigateway.PutMethodInput{RestApiId: api.Id, ResourceId: api.RootResourceId, HttpMethod: get, AuthorizationType: aws.String("NONE"), ApiKeyRequired: true})
	check(err)
	_, err = c.PutIntegration(ctx, &apigateway.PutIntegrationInput{RestApiId: api.Id, ResourceId: api.RootResourceId, HttpMethod: get, Type: types.IntegrationTypeMock, RequestTemplates: map[string]string{"application/json": `{"statusCode": 200}`}})
	check(err)
	_, err = c.PutMethodResponse(ctx, &apigateway.PutMethodResponseInput{RestApiId: api.Id, ResourceId: api.RootResourceId, HttpMethod: get, StatusCode: ok})
	check(err)
	_, err = c.PutIntegrationResponse(ctx, &apigateway.PutIntegrationResponseInput{RestApiId: api.Id, ResourceId: api.RootResourceId, HttpMethod: get, StatusCode: ok})
	check(err)
	_, err = c.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: api.Id, StageName: aws.String("dev")})
	check(err)
	// A month: midnight may come.
	plan, err := c.CreateUsagePlan(ctx, &apigateway.CreateUsagePlanInput{
		Name: aws.String("plan"), Quota: &types.QuotaSettings{Limit: quota, Period: types.QuotaPeriodTypeMonth},
		ApiStages: []types.ApiStage{{ApiId: api.Id, Stage: aws.String("dev")}},
	})
	check(err)
	key, err := c.CreateApiKey(ctx, &apigateway.CreateApiKeyInput{Enabled: true})
	check(err)
	_, err = c.CreateUsagePlanKey(ctx, &apigateway.CreateUsagePlanKeyInput{UsagePlanId: plan.Id, KeyId: key.Id, KeyType: aws.String("API_KEY")})
	check(err)
	m.plan, m.key, m.value = aws.ToString(plan.Id), aws.ToString(key.Id), aws.ToString(key.Value)
	return m
}

// get calls the API with the key.
func (m *metered) get(ctx context.Context, g *harness.Gateway) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/restapis/%s/dev/_user_request_/", g.URL, m.api), http.NoBody)
	if err != nil {
		return 0, err
	}
	request.Header.Set("x-api-key", m.value)
	response, err := m.http.Do(request)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, errors.Join(err, response.Body.Close())
}
