package observe

import "github.com/prometheus/client_golang/prometheus"

// A Reading is a number that somebody else keeps, read when Prometheus asks: one,
// or several that labels tell apart.
type Reading struct {
	// Name is without the prefix gatehouse_; Help says what is counted, and in what.
	Name, Help string
	// Labels name what Read tells numbers apart by.
	Labels []string
	// Counter marks a number that only grows.
	Counter bool
	// Read calls show for each number, with as many values as there are labels.
	Read func(show func(value float64, labels ...string))
}

func (r Reading) desc() *prometheus.Desc {
	return prometheus.NewDesc("gatehouse_"+r.Name, r.Help, r.Labels, nil)
}

// Describe implements prometheus.Collector.
func (r Reading) Describe(out chan<- *prometheus.Desc) { out <- r.desc() }

// Collect implements prometheus.Collector.
func (r Reading) Collect(out chan<- prometheus.Metric) {
	desc, kind := r.desc(), prometheus.GaugeValue
	if r.Counter {
		kind = prometheus.CounterValue
	}
	r.Read(func(value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, kind, value, labels...)
	})
}
