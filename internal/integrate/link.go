package integrate

import (
	"cmp"
	"crypto/tls"
	"errors"
	"maps"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"gatehouse/internal/balance"
	"gatehouse/internal/http1"
	"gatehouse/internal/plan"
)

// maxTargets is how many targets a request is offered that can't be connected to.
const maxTargets = 3

// Private is what a private integration leads to: a listener, a service, or else
// the load balancer of the link.
type Private struct {
	Balancer *balance.Balancer // required
	// Link tells whether the VPC link is there, and the key of its load balancer, if
	// it has one.
	Link func() (loadBalancer string, open bool) // required
	// Listener is the key of a listener.
	Listener string
	// LoadBalancer is the key of a load balancer, in place of the link's. Its listener
	// is that at the port of the URI.
	LoadBalancer string
	// Service is the key of a service, Filter chooses among its instances.
	Service string
	Filter  balance.Filter
	// TLS has the backend called by TLS where there is no URI that says so.
	TLS bool
}

// A link leads to what is private.
type link struct {
	Private
	port      int     // of the URI
	call      address // what is common to the targets
	client    *tls.Certificate
	upstreams *Upstreams

	// backends are those of the targets that were called, copied when one is added.
	backends atomic.Pointer[map[linked]*backend]
	mu       sync.Mutex
}

// linked is a target and how it is called.
type linked struct {
	target *balance.Target
	tls    bool
	trust  trust
}

// newLink makes a link. call is what is called and port that of the URI, 0 for none.
func newLink(o *HTTPOptions, call address, port int) (*link, error) {
	l := &link{Private: *o.Private, port: port, call: call, client: o.ClientCertificate, upstreams: o.Upstreams}
	if o.URI == "" {
		l.call.tls = l.TLS
	}
	if l.Listener == "" && l.Service == "" && l.port == 0 {
		return nil, errors.New("a private integration leads to a listener or a service, or has a URI")
	}
	l.backends.Store(&map[linked]*backend{})
	return l, nil
}

// find notes which listener a call goes to.
func (l *link) find(c *call) *plan.Fault {
	loadBalancer, open := l.Link()
	if !open {
		return &plan.Fault{Kind: plan.IntegrationUnreachable, Reason: "the VPC link isn't there"}
	}
	switch {
	case l.Listener != "":
		c.listener = l.Balancer.Listener(l.Listener)
	case l.Service != "":
		if s := l.Balancer.Service(l.Service); s != nil {
			c.listener = s.Listener(l.Filter)
		}
	default:
		c.listener = l.Balancer.At(balance.Port{LoadBalancer: cmp.Or(l.LoadBalancer, loadBalancer), Port: l.port})
	}
	if c.listener == nil {
		return &plan.Fault{Kind: plan.IntegrationUnreachable, Reason: "what the VPC link leads to isn't there: " + l.name()}
	}
	return nil
}

// name is what the link leads to, for whoever looks for it.
func (l *link) name() string {
	switch {
	case l.Listener != "":
		return l.Listener
	case l.Service != "":
		return l.Service + l.Filter.Text
	}
	return "the load balancer's listener at port " + strconv.Itoa(l.port)
}

// do calls a target. One that can't be connected to had nothing of the request, so
// that another one gets it, whatever its method.
func (l *link) do(c *call) error {
	listener := c.listener
	if listener.TLS && !l.call.tls {
		if listener.Application {
			return l.answer(c, 400, "The plain HTTP request was sent to HTTPS port")
		}
		return &connectError{l.name(), errors.New("the listener speaks TLS, the integration doesn't")}
	}
	if listener.Application && l.call.tls && !listener.TLS {
		return &connectError{l.name(), errors.New("the integration speaks TLS, the listener doesn't")}
	}
	to := listener.Default()
	if listener.HasRules() || to.Redirect != nil {
		r := l.request(c)
		to = listener.Route(&r)
		if to.Redirect != nil {
			location := to.Redirect.Location(&r, listener.TLS, listener.Port)
			return l.respond(c, to.Redirect.Status, "text/html", page(statusText(to.Redirect.Status)), plan.Header{Name: "Location", Value: location})
		}
	}
	if to.Fixed != nil {
		return l.respond(c, to.Fixed.Status, to.Fixed.ContentType, to.Fixed.Body)
	}
	return l.offer(c, to.Group)
}

// offer has a target of the group take the call.
func (l *link) offer(c *call, g *balance.Group) error {
	var (
		tried  [maxTargets]*balance.Target
		failed error
		clock  = l.upstreams.Clock
	)
	for n := range tried {
		t := g.Pick(clock(), tried[:n]...)
		if t == nil {
			break
		}
		tried[n] = t
		c.backend = l.backend(t, l.mode(c.listener, g, t))
		t.Begin()
		err := c.do()
		if body, ok := c.x.Response.BodyStream.(*backendBody); err == nil && ok {
			body.target = t
			return nil
		}
		t.End()
		if !unconnected(err) {
			if err != nil && c.listener.Application && targetFailed(err) {
				return l.answer(c, 502, "")
			}
			return err
		}
		t.Suspect(clock())
		failed = err
		if !clock().Before(c.deadline) {
			break
		}
	}
	if !c.listener.Application {
		if failed == nil {
			failed = &connectError{l.name(), errors.New("there are no targets")}
		}
		return failed
	}
	// An application load balancer answers for its targets.
	switch {
	case failed == nil:
		return l.answer(c, 503, "")
	case isTimeout(failed) && clock().Before(c.deadline):
		return l.answer(c, 504, "")
	case isTimeout(failed):
		return failed
	}
	return l.answer(c, 502, "")
}

// unconnected tells whether nothing of a request was sent, and its client is still
// there.
func unconnected(err error) bool {
	if err == nil || errors.Is(err, errClientGone) {
		return false
	}
	var e *connectError
	return errors.As(err, &e)
}

// targetFailed tells whether a call failed in a way that a load balancer answers
// for: the target closed the connection, or what it sent wasn't HTTP.
func targetFailed(err error) bool {
	var client *requestError
	return !errors.Is(err, errClientGone) && !errors.As(err, &client) && !isTimeout(err) && !errors.Is(err, http1.ErrBodyTooLarge)
}

// mode is how a target is called. What a load balancer ends it calls in the way of
// the group; through a listener that passes on what it gets, the gateway speaks
// with the target itself.
func (l *link) mode(listener *balance.Listener, g *balance.Group, t *balance.Target) linked {
	if listener.Application || listener.TLS {
		return linked{target: t, tls: g.TLS(), trust: unverified}
	}
	return linked{target: t, tls: l.call.tls, trust: l.call.trust}
}

// backend returns the connections to a target.
func (l *link) backend(t *balance.Target, how linked) *backend {
	if b := (*l.backends.Load())[how]; b != nil {
		return b
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	next := maps.Clone(*l.backends.Load())
	maps.DeleteFunc(next, func(k linked, _ *backend) bool { return k.target.Gone() })
	key := address{addr: t.Addr, tls: how.tls}
	client := l.client
	if how.tls {
		key.trust = how.trust
		if how.trust != unverified {
			key.name = l.call.name
		} else {
			client = nil // it is shown to the load balancer, which ends here
		}
	}
	b := l.upstreams.backend(key, client)
	next[how] = b
	l.backends.Store(&next)
	return b
}

// request is what the rules of a listener look at: what the target would get.
func (l *link) request(c *call) balance.Request {
	x := c.x
	line := string(c.request[len(c.method)+1:])
	line, _, _ = strings.Cut(line, " ")
	path, query, _ := strings.Cut(line, "?")
	source := netip.Addr{}
	if x.Request.Source.IsValid() {
		source = x.Request.Source.Addr().Unmap()
	}
	headers := x.OutboundHeaders()
	return balance.Request{
		Method: c.method, Host: c.host, Path: path, Query: query, Source: source,
		Header: func(name string, fulfils func(string) bool) bool {
			for i := range headers {
				if plan.EqualFold(headers[i].Name, name) && fulfils(headers[i].Value) {
					return true
				}
			}
			return false
		},
	}
}

// replaces tells whether a load balancer has its own header in the place of one.
func replaces(l *balance.Listener, name string) bool {
	if !l.Application || len(name) < 15 || len(name) > 17 {
		return false
	}
	return plan.EqualFold(name, "x-forwarded-for") || plan.EqualFold(name, "x-forwarded-proto") || plan.EqualFold(name, "x-forwarded-port")
}

// appendForwarded appends what an application load balancer tells its targets of
// where a request came from. The address that it adds to those which the client
// named is the client's here: on AWS it is that of the link's network interface.
func appendForwarded(b []byte, x *plan.Exchange, l *balance.Listener) []byte {
	b = append(b, "X-Forwarded-For: "...)
	headers := x.OutboundHeaders()
	for i := range headers {
		if plan.EqualFold(headers[i].Name, "x-forwarded-for") && headers[i].Value != "" && http1.ValidValue(headers[i].Value) {
			b = append(b, headers[i].Value...)
			b = append(b, ", "...)
		}
	}
	b = x.Request.Source.Addr().Unmap().AppendTo(b)
	b = append(b, "\r\nX-Forwarded-Proto: http"...)
	if l.TLS {
		b = append(b, 's')
	}
	b = append(b, "\r\nX-Forwarded-Port: "...)
	b = strconv.AppendInt(b, int64(l.Port), 10)
	return append(b, "\r\n"...)
}

// answer leaves a page of an application load balancer in the exchange.
func (l *link) answer(c *call, status int, note string) error {
	text := page(statusText(status))
	if note != "" {
		text = "<html>\r\n<head><title>" + note + "</title></head>\r\n<body>\r\n<center><h1>" + statusText(status) + "</h1></center>\r\n<center>" + note + "</center>\r\n</body>\r\n</html>\r\n"
	}
	return l.respond(c, status, "text/html", text)
}

func page(text string) string {
	return "<html>\r\n<head><title>" + text + "</title></head>\r\n<body>\r\n<center><h1>" + text + "</h1></center>\r\n</body>\r\n</html>\r\n"
}

// statusText is a status as load balancers show it.
func statusText(status int) string {
	switch status {
	case 301:
		return "301 Moved Permanently"
	case 302:
		return "302 Found"
	case 400:
		return "400 Bad Request"
	case 502:
		return "502 Bad Gateway"
	case 503:
		return "503 Service Temporarily Unavailable"
	case 504:
		return "504 Gateway Time-out"
	}
	return strconv.Itoa(status)
}

// respond leaves what a load balancer itself answers in the exchange.
func (l *link) respond(c *call, status int, contentType, body string, more ...plan.Header) error {
	x := c.x
	x.Integration.Status, x.Integration.FunctionStatus = status, status
	r := &x.Response
	r.Status, r.BodyStream, r.Body = status, nil, []byte(body)
	r.Headers = append(r.Headers[:0], plan.Header{Name: "Server", Value: "awselb/2.0"}, plan.Header{Name: "Date", Value: l.upstreams.Clock().UTC().Format(httpTime)})
	if contentType != "" && body != "" {
		r.Headers = append(r.Headers, plan.Header{Name: "Content-Type", Value: contentType})
	}
	r.Headers = append(r.Headers, more...)
	return nil
}

// httpTime is the form of dates in headers.
const httpTime = "Mon, 02 Jan 2006 15:04:05 GMT"
