package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"

	acmapi "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/control/acm"
	"gatehouse/internal/control/route53"
	"gatehouse/internal/nameserver"
)

// certificateRecords tells ACM of the records that prove domains.
type certificateRecords struct{ zones *route53.Directory }

// Validated implements acm.Validator.
func (r certificateRecords) Validated(record acmapi.ResourceRecord) bool {
	return record.Name != nil && record.Value != nil && r.zones.Validated(*record.Name, *record.Value)
}

// validator is who says whether a requested certificate may be issued; nil is
// that it needn't be proven.
func (c *config) validator(zones *route53.Directory) acm.Validator {
	if !c.ACMDNSValidation {
		return nil
	}
	return certificateRecords{zones}
}

// dnsListener is where DNS queries come in.
type dnsListener struct {
	udp net.PacketConn
	tcp net.Listener
}

// listenDNS opens the listener of DNS queries, if there is to be one.
func (g *gateway) listenDNS(c config) (*dnsListener, error) {
	if c.DNS == "" {
		return nil, nil
	}
	udp, tcp, err := nameserver.Listen(c.DNS)
	if err != nil {
		return nil, fmt.Errorf("listen on %s for DNS: %w", c.DNS, err)
	}
	g.onClose("listener of DNS queries", func(context.Context) error {
		err := errors.Join(udp.Close(), tcp.Close())
		if errors.Is(err, net.ErrClosed) {
			return nil // the server closed them
		}
		return err
	})
	return &dnsListener{udp, tcp}, nil
}

// serveDNS answers DNS queries out of the public zones.
func (g *gateway) serveDNS(c config, log *slog.Logger, l listeners, zones *route53.Directory, texts *nameserver.Texts) error {
	if l.dns == nil {
		return nil
	}
	addresses, err := c.answeredAddresses(l)
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	server := nameserver.Serve(nameserver.Options{
		Zones: zones, Texts: texts, Log: log,
		Gateway: &nameserver.Gateway{Leads: c.leadsHere, Addresses: addresses},
	}, l.dns.udp, l.dns.tcp, failed)
	done := make(chan struct{})
	go func() {
		select {
		case err := <-failed:
			select {
			case g.failed <- fmt.Errorf("serve DNS: %w", err):
			default: // one failure is enough to stop for
			}
		case <-done:
		}
	}()
	g.onClose("DNS", func(ctx context.Context) error {
		close(done)
		return server.Shutdown(ctx)
	})
	log.Info("answering DNS queries", "address", l.dns.udp.LocalAddr().String(), "gateway", addresses)
	return nil
}

// leadsHere tells the names that AWS gives to what the gateway serves: those of
// APIs and of the endpoints of custom domains, and its own.
func (c *config) leadsHere(name string) bool {
	name = strings.TrimSuffix(name, ".")
	if strings.HasSuffix(name, ".cloudfront.net") {
		return true // an edge-optimized domain's
	}
	if strings.HasSuffix(name, ".execute-api."+strings.ToLower(c.Domain)) {
		return true
	}
	for _, suffix := range [...]string{".amazonaws.com", ".amazonaws.com.cn"} {
		if rest, ok := strings.CutSuffix(name, suffix); ok && strings.Contains(rest, ".execute-api.") {
			return true
		}
	}
	return false
}

// answeredAddresses are the gateway's own as its names are answered: those that
// the operator names, else the address traffic is listened for on, else those of
// this machine.
func (c *config) answeredAddresses(l listeners) ([]netip.Addr, error) {
	var out []netip.Addr
	for _, text := range c.DNSAddress {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return nil, fmt.Errorf("--dns-address %q is no IP address", text)
		}
		out = append(out, addr)
	}
	if len(out) > 0 {
		return out, nil
	}
	listener := l.shared
	switch {
	case len(l.trafficTLS) > 0:
		listener = l.trafficTLS[0]
	case len(l.traffic) > 0:
		listener = l.traffic[0]
	}
	bound := listener.Addr().(*net.TCPAddr).AddrPort().Addr().Unmap()
	if !bound.IsUnspecified() {
		return []netip.Addr{bound.WithZone("")}, nil
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	for _, a := range own {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().IsGlobalUnicast() {
			out = append(out, prefix.Addr())
		}
	}
	if len(out) == 0 {
		out = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	}
	return out, nil
}
