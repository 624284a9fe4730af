package observe

import "github.com/prometheus/client_golang/prometheus"

// eventDescriptions are those of one level of detail of WebSocket APIs.
type eventDescriptions struct {
	connects, messages, clientErrors, integrationErrors, executionErrors, integrationLatency *prometheus.Desc
}

func describeEvents(level string, labels ...string) eventDescriptions {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("gatehouse_"+level+"_"+name, help, labels, nil)
	}
	return eventDescriptions{
		connects:           desc("connect_count_total", "Handshakes that came as far as $connect (ConnectCount)."),
		messages:           desc("message_count_total", "Messages from clients and to them (MessageCount)."),
		clientErrors:       desc("client_error_total", "Events refused before an integration was called (ClientError)."),
		integrationErrors:  desc("integration_error_total", "Errors that integrations answered (IntegrationError)."),
		executionErrors:    desc("execution_error_total", "Integrations that couldn't be called (ExecutionError)."),
		integrationLatency: desc("integration_latency_seconds", "Time from calling an integration to its answer (IntegrationLatency)."),
	}
}

// collectEvents shows the numbers of a WebSocket API.
func (c *Collector) collectEvents(out chan<- prometheus.Metric, key MetricKey, t *Totals) {
	d, labels := &c.socketStage, []string{key.APIID, key.Stage}
	if key.Detailed() {
		d, labels = &c.socketRoute, append(labels, key.Resource)
	}
	counter := func(desc *prometheus.Desc, n uint64) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), labels...)
	}
	counter(d.connects, t.Events.Connects)
	counter(d.messages, t.Events.Messages)
	counter(d.clientErrors, t.Events.ClientErrors)
	counter(d.integrationErrors, t.Events.IntegrationErrors)
	counter(d.executionErrors, t.Events.ExecutionErrors)
	out <- prometheusHistogram(d.integrationLatency, &t.IntegrationLatency, labels)
}
