package compile

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/stagecache"
	"gatehouse/internal/transform/rest"
)

// defaultCacheTTL is how long responses are cached unless the stage says otherwise.
const defaultCacheTTL = 300

// cluster is the cache of a stage, nil where it has none. It is the same one as
// long as the stage keeps it.
func (c *Compiler) cluster(key apiKey, doc *definition.RestStage) *stagecache.Cluster {
	if c.parts.Caches == nil || !value(doc.CacheClusterEnabled) {
		return nil
	}
	gigabytes, err := strconv.ParseFloat(value(doc.CacheClusterSize), 64)
	if err != nil || gigabytes <= 0 {
		gigabytes = 0.5
	}
	size := int64(math.Round(gigabytes * (1 << 30)))
	return c.parts.Caches.Cluster(stagecache.ID{APIID: key.id, Stage: value(doc.StageName), Since: doc.CacheSince}, size)
}

// retainClusters ends the caches that stages of an API don't have any more.
func (c *Compiler) retainClusters(apiID string, stages map[string]*restStage) {
	if c.parts.Caches == nil {
		return
	}
	live := make([]*stagecache.Cluster, 0, len(stages))
	for _, st := range stages {
		live = append(live, st.cluster)
	}
	c.parts.Caches.Retain(apiID, live)
}

// cache compiles how the responses of a method are cached. A method that isn't GET
// is cached by settings of its own alone.
//
// UNVERIFIED: that settings of its own have an ANY method cached for every method it
// stands for; those of the stage leave it to GET.
func (m *methodBuilder) cache(route *plan.Route, doc *apigateway.Method) error {
	settings, own := m.settingsOf(route)
	if m.uncached || settings == nil || !value(settings.CachingEnabled) {
		return nil
	}
	ttl := orElse(settings.CacheTtlInSeconds, defaultCacheTTL)
	if ttl <= 0 || route.Rest.Streams || !own && route.Method != http.MethodGet && route.Method != plan.AnyMethod {
		return nil
	}
	in := doc.MethodIntegration
	namespace := value(in.CacheNamespace)
	if namespace == "" {
		namespace = route.Rest.ResourceID
	}
	kind, err := kindOf(value(in.Type))
	if err != nil {
		return err
	}
	key, err := rest.NewCacheKey(rest.CacheKeyOptions{
		Namespace:  namespace,
		Deployment: m.stage.DeploymentID,
		Parameters: in.CacheKeyParameters,
		Mapped:     in.RequestParameters,
		Response:   responseOptions(kind, doc, m.stage.Variables),
		Binary:     !m.stage.Rest.BinaryTypes.Empty(),
		Variables:  m.stage.Variables,
	})
	if err != nil {
		return problem("Method", route.Key, err)
	}
	route.Rest.Cache = &plan.MethodCache{
		Cluster:              m.cluster,
		Key:                  key,
		EveryMethod:          own,
		RequireAuthorization: orElse(settings.RequireAuthorizationForCacheControl, true),
		Unauthorized:         unauthorizedCacheControl(value(settings.UnauthorizedCacheControlHeaderStrategy)),
		CacheTerms:           plan.CacheTerms{TTL: time.Duration(ttl) * time.Second, Sealed: value(settings.CacheDataEncrypted)},
	}
	return nil
}

func unauthorizedCacheControl(strategy string) plan.UnauthorizedCacheControl {
	switch strategy {
	case apigateway.UnauthorizedCacheControlHeaderStrategyFailWith403:
		return plan.Refuse
	case apigateway.UnauthorizedCacheControlHeaderStrategySucceedWithoutResponseHeader:
		return plan.Ignore
	default:
		return plan.IgnoreWithWarning
	}
}
