package serve

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/plan"
	"gatehouse/internal/proxyproto"
)

// trusts tells whether an address is a proxy's whose word on its clients counts.
func (s *Server) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(s.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// introduce reads the header of the PROXY protocol with which a trusted proxy
// begins a connection, where that is on; false means that there is none. Listeners
// with management are left out: who manages comes in person.
func (c *conn) introduce() bool {
	if !c.s.ProxyProtocol || c.management || !c.trusted {
		return true
	}
	h, err := proxyproto.Read(&c.reader)
	if err != nil {
		c.s.log.Warn("a trusted proxy doesn't say whom it forwards for", "proxy", c.source, "error", err)
		return false
	}
	if h.Source.IsValid() {
		c.source, c.localPort = h.Source, h.Destination.Port()
		// The client isn't a proxy by being introduced by one, but it may be one.
		c.trusted = c.s.trusts(c.source.Addr())
	}
	return true
}

// forwarded takes the word of a trusted proxy on whom a request is from: the last
// address of X-Forwarded-For that isn't a trusted proxy's, X-Forwarded-Proto and
// X-Forwarded-Port. What stands before that address is what the client said.
func (c *conn) forwarded(q *plan.Request) {
	if !c.trusted || c.management {
		return
	}
	if source, ok := c.takeForwardedFor(q); ok {
		q.Source = netip.AddrPortFrom(source, 0)
	}
	switch proto := saidLast(q.Headers, "x-forwarded-proto"); {
	case plan.EqualFold(proto, "https"):
		q.Secure = true
	case plan.EqualFold(proto, "http"):
		q.Secure = false
	}
	if port, err := strconv.ParseUint(saidLast(q.Headers, "x-forwarded-port"), 10, 16); err == nil && port > 0 {
		q.LocalPort = uint16(port)
	}
}

// saidLast is the last value of a header, which is the proxy's own: one that adds to
// what the client said leaves that in front.
func saidLast(headers plan.Headers, name string) string {
	for i := len(headers) - 1; i >= 0; i-- {
		if plan.EqualFold(headers[i].Name, name) {
			value := headers[i].Value
			return strings.Trim(value[strings.LastIndexByte(value, ',')+1:], " \t")
		}
	}
	return ""
}

// takeForwardedFor takes trusted proxies and the client in front of them off the
// end of X-Forwarded-For, and returns the client. Integrations are told of the
// client as of one that came by itself.
func (c *conn) takeForwardedFor(q *plan.Request) (client netip.Addr, ok bool) {
	for i := len(q.Headers) - 1; i >= 0; i-- {
		if !plan.EqualFold(q.Headers[i].Name, "x-forwarded-for") {
			continue
		}
		rest := q.Headers[i].Value
		for rest != "" {
			var last string
			if comma := strings.LastIndexByte(rest, ','); comma >= 0 {
				rest, last = rest[:comma], rest[comma+1:]
			} else {
				rest, last = "", rest
			}
			a, valid := address(strings.Trim(last, " \t"))
			if !valid {
				// A proxy that adds what is no address knows no client: what it was
				// told stands.
				return client, ok
			}
			client, ok = a, true
			q.Headers[i].Value = strings.TrimRight(rest, " \t")
			if !c.s.trusts(a) {
				if q.Headers[i].Value == "" {
					q.Headers = slices.Delete(q.Headers, i, i+1)
				}
				return client, ok
			}
		}
		q.Headers = slices.Delete(q.Headers, i, i+1)
	}
	return client, ok
}

// address is an address as proxies write it, some with a port.
func address(text string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return a.Unmap().WithZone(""), true
	}
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}
