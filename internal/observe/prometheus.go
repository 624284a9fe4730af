package observe

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// A Collector shows Metrics, and what a LogWriter lost, to Prometheus. The
// names are CloudWatch's, and so are the labels.
type Collector struct {
	metrics *Metrics
	log     *LogWriter
	stage   descriptions
	route   descriptions
	// What REST APIs have: the same numbers under other names, those of caches in
	// place of DataProcessed.
	restStage, restMethod descriptions
	socketStage           eventDescriptions
	socketRoute           eventDescriptions
	lost                  *prometheus.Desc
}

// descriptions are those of one level of detail. Stages and routes have
// metrics of their own, so that a sum over one counts nothing twice.
type descriptions struct {
	count, clientErrors, serverErrors, data, cacheHits, cacheMisses, latency, integrationLatency *prometheus.Desc
}

// NewCollector returns a collector to register. log may be nil.
func NewCollector(metrics *Metrics, log *LogWriter) *Collector {
	return &Collector{
		metrics: metrics,
		log:     log,
		stage:   describe("stage", "4xx", "5xx", "ApiId", "Stage"),
		route:   describe("route", "4xx", "5xx", "ApiId", "Stage", "Method", "Resource"),
		// CloudWatch tells REST APIs apart by name alone. Two may share one; the id
		// keeps them apart.
		restStage:   describe("rest_stage", "4XXError", "5XXError", "ApiName", "ApiId", "Stage"),
		restMethod:  describe("rest_method", "4XXError", "5XXError", "ApiName", "ApiId", "Stage", "Method", "Resource"),
		socketStage: describeEvents("websocket_stage", "ApiId", "Stage"),
		socketRoute: describeEvents("websocket_route", "ApiId", "Stage", "Route"),
		lost: prometheus.NewDesc("gatehouse_access_log_lost_total",
			"Lines of access and execution logs that found no room (dropped) or that a sink refused (failed).", []string{"reason"}, nil),
	}
}

func describe(level, clientErrors, serverErrors string, labels ...string) descriptions {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("gatehouse_"+level+"_"+name, help, labels, nil)
	}
	return descriptions{
		count:              desc("count_total", "Requests (Count)."),
		clientErrors:       desc("4xx_total", "Requests answered with a 4xx status ("+clientErrors+")."),
		serverErrors:       desc("5xx_total", "Requests answered with a 5xx status ("+serverErrors+")."),
		data:               desc("data_processed_bytes_total", "Bytes of request and response bodies (DataProcessed)."),
		cacheHits:          desc("cache_hits_total", "Requests answered from the cache of the stage (CacheHitCount)."),
		cacheMisses:        desc("cache_misses_total", "Requests of cached methods that integrations answered (CacheMissCount)."),
		latency:            desc("latency_seconds", "Time from a request's first byte to its answer (Latency)."),
		integrationLatency: desc("integration_latency_seconds", "Time from calling an integration to its answer (IntegrationLatency)."),
	}
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []descriptions{c.stage, c.route, c.restStage, c.restMethod} {
		for _, desc := range []*prometheus.Desc{d.count, d.clientErrors, d.serverErrors, d.latency, d.integrationLatency} {
			out <- desc
		}
	}
	for _, d := range []*eventDescriptions{&c.socketStage, &c.socketRoute} {
		for _, desc := range []*prometheus.Desc{d.connects, d.messages, d.clientErrors, d.integrationErrors, d.executionErrors, d.integrationLatency} {
			out <- desc
		}
	}
	out <- c.stage.data
	out <- c.route.data
	for _, d := range []descriptions{c.restStage, c.restMethod} {
		out <- d.cacheHits
		out <- d.cacheMisses
	}
	if c.log != nil {
		out <- c.lost
	}
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	for key, t := range c.metrics.snapshot() {
		if key.WebSocket {
			c.collectEvents(out, key, &t)
			continue
		}
		d, labels := c.of(key)
		counter := func(desc *prometheus.Desc, n uint64) {
			out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), labels...)
		}
		counter(d.count, t.Count)
		counter(d.clientErrors, t.ClientErrors)
		counter(d.serverErrors, t.ServerErrors)
		if key.APIName == "" {
			counter(d.data, t.DataProcessed)
		} else {
			counter(d.cacheHits, t.CacheHits)
			counter(d.cacheMisses, t.CacheMisses)
		}
		out <- prometheusHistogram(d.latency, &t.Latency, labels)
		out <- prometheusHistogram(d.integrationLatency, &t.IntegrationLatency, labels)
	}
	if c.log != nil {
		out <- prometheus.MustNewConstMetric(c.lost, prometheus.CounterValue, float64(c.log.Dropped()), "dropped")
		out <- prometheus.MustNewConstMetric(c.lost, prometheus.CounterValue, float64(c.log.Failed()), "failed")
	}
}

// of returns what shows the numbers of a key, and its labels.
func (c *Collector) of(key MetricKey) (*descriptions, []string) {
	route := []string{key.Method, key.Resource}
	switch {
	case key.APIName == "" && key.Detailed():
		return &c.route, append([]string{key.APIID, key.Stage}, route...)
	case key.APIName == "":
		return &c.stage, []string{key.APIID, key.Stage}
	case key.Detailed():
		return &c.restMethod, append([]string{key.APIName, key.APIID, key.Stage}, route...)
	default:
		return &c.restStage, []string{key.APIName, key.APIID, key.Stage}
	}
}

// prometheusHistogram makes a histogram, whose buckets there count everything
// up to their bound.
func prometheusHistogram(desc *prometheus.Desc, d *Distribution, labels []string) prometheus.Metric {
	cumulative := make(map[float64]uint64, len(latencyBounds))
	var n uint64
	for i, bound := range latencyBounds {
		n += d.Buckets[i]
		cumulative[bound.Seconds()] = n
	}
	return prometheus.MustNewConstHistogram(desc, d.Count, d.Sum.Seconds(), cumulative, labels...)
}

// NewPage returns the metrics page: what a collector and readings show, and the
// process itself.
func NewPage(c *Collector, readings ...Reading) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registry.MustRegister(c)
	for _, r := range readings {
		registry.MustRegister(r)
	}
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}
