package main

import (
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"gatehouse/internal/awswire"
	"gatehouse/internal/balance"
	"gatehouse/internal/control/acm"
	"gatehouse/internal/observe"
	"gatehouse/internal/serve"
	"gatehouse/internal/stagecache"
)

// metricsPage is the page for Prometheus. It is made when it is first asked for:
// most gateways on a laptop never are.
func (p *parts) metricsPage(numbers func() serve.Numbers) http.Handler {
	page := sync.OnceValue(func() http.Handler {
		shown := append(connectionReadings(numbers), cacheReadings(p.caches)...)
		shown = append(shown, daysToExpiry(p.issued, time.Now), certificateStates(p.issued, time.Now), targetStates(p.balancer))
		return observe.NewPage(p.metrics, shown...)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A page in a browser here could ask by a name of its own for what APIs there
		// are, and who calls them.
		if !isAddress(r.Host) && !awswire.HostAllowed(r.Host, p.hosts) {
			http.Error(w, "Host isn't a name of this gateway's management: use its address, or give the name as --management-host", http.StatusForbidden)
			return
		}
		page().ServeHTTP(w, r)
	})
}

// isAddress tells whether a Host is an IP address, which needs no DNS to lead here.
func isAddress(host string) bool {
	if bare, _, err := net.SplitHostPort(host); err == nil {
		host = bare
	}
	return net.ParseIP(strings.Trim(host, "[]")) != nil
}

// connectionReadings tell of the server's connections.
func connectionReadings(numbers func() serve.Numbers) []observe.Reading {
	return []observe.Reading{
		{
			Name: "connections", Help: "Connections that are open, by what they are.", Labels: []string{"kind"},
			Read: func(show func(float64, ...string)) {
				n := numbers()
				show(float64(n.Open-n.WebSockets), "http")
				show(float64(n.WebSockets), "websocket")
			},
		},
		{
			Name: "connections_refused_total", Help: "Connections closed at once because too many were open.", Counter: true,
			Read: func(show func(float64, ...string)) { show(float64(numbers().Refused)) },
		},
		{
			Name: "held_body_bytes", Help: "Memory of bodies that are held whole; --max-held-bodies bounds it.",
			Read: func(show func(float64, ...string)) { show(float64(numbers().HeldBytes)) },
		},
		{
			Name: "tls_handshakes_total", Help: "TLS handshakes, by whether they were finished.", Labels: []string{"outcome"}, Counter: true,
			Read: func(show func(float64, ...string)) {
				n := numbers()
				show(float64(n.Handshakes), "ok")
				show(float64(n.FailedHandshakes), "failed")
			},
		},
	}
}

// cacheReadings tell of the responses that stages have cached.
func cacheReadings(caches *stagecache.Caches) []observe.Reading {
	reading := func(name, help string, counter bool, of func(stagecache.Numbers) int64) observe.Reading {
		return observe.Reading{Name: name, Help: help, Counter: counter, Read: func(show func(float64, ...string)) { show(float64(of(caches.Numbers()))) }}
	}
	return []observe.Reading{
		reading("stage_cache_bytes", "Memory of responses that stages have cached; --max-cache-memory bounds it.", false,
			func(n stagecache.Numbers) int64 { return n.Bytes }),
		reading("stage_cache_responses", "Responses that stages have cached.", false,
			func(n stagecache.Numbers) int64 { return n.Entries }),
		reading("stage_cache_evictions_total", "Cached responses that had to give way to others before their time was up.", true,
			func(n stagecache.Numbers) int64 { return n.Evictions }),
	}
}

// daysToExpiry tells, as ACM does CloudWatch, how long certificates are good for
// that are in use.
func daysToExpiry(certificates *acm.Directory, now func() time.Time) observe.Reading {
	return observe.Reading{
		Name:   "certificate_days_to_expiry",
		Help:   "Days until a certificate ends that a domain name uses (DaysToExpiry); negative once it has.",
		Labels: []string{"CertificateArn", "DomainName"},
		Read: func(show func(float64, ...string)) {
			for c := range certificates.InUse {
				show(c.NotAfter.Sub(now()).Hours()/24, c.ARN, c.DomainName)
			}
		},
	}
}

// certificateStates counts certificates, so that those which an authority doesn't
// sign or renew are seen before they end.
func certificateStates(certificates *acm.Directory, now func() time.Time) observe.Reading {
	return observe.Reading{
		Name:   "certificates",
		Help:   "Certificates of ACM, by their status and that of their renewal.",
		Labels: []string{"Status", "RenewalStatus"},
		Read: func(show func(float64, ...string)) {
			for state, n := range certificates.States(now()) {
				show(float64(n), state.Status, state.Renewal)
			}
		},
	}
}

// targetStates counts the targets of load balancers by their health.
func targetStates(b *balance.Balancer) observe.Reading {
	return observe.Reading{
		Name:   "targets",
		Help:   "Targets of load balancers, by target group and health.",
		Labels: []string{"TargetGroup", "State"},
		Read: func(show func(float64, ...string)) {
			for _, c := range b.Counts() {
				show(float64(c.N), c.Group, string(c.State))
			}
		},
	}
}
