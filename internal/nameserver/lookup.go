package nameserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/miekg/dns"
)

const (
	// resolvConf is where a machine says which resolvers it asks.
	resolvConf = "/etc/resolv.conf"
	// lookupTimeout is how long one resolver may take.
	lookupTimeout = 3 * time.Second
)

// LookupCNAME asks a resolver, HOST:PORT, for the CNAME of a name; "" are those
// of this machine. No CNAME is "". It is for who must know what the world sees;
// a Server asks nobody.
func LookupCNAME(ctx context.Context, resolver, name string) (target string, err error) {
	servers := []string{resolver}
	if resolver == "" {
		config, err := dns.ClientConfigFromFile(resolvConf)
		if err != nil {
			return "", fmt.Errorf("resolvers of this machine: %w", err)
		}
		servers = servers[:0]
		for _, s := range config.Servers {
			servers = append(servers, net.JoinHostPort(s, config.Port))
		}
	}
	query := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeCNAME)
	err = errors.New("there are no resolvers")
	for _, server := range servers {
		var reply *dns.Msg
		if reply, err = exchange(ctx, query, server); err == nil {
			return cnameOf(reply, query.Question[0].Name), nil
		}
		err = fmt.Errorf("resolver %s: %w", server, err)
	}
	return "", err
}

// exchange asks over UDP, and over TCP where the answer is too long.
func exchange(ctx context.Context, query *dns.Msg, server string) (reply *dns.Msg, err error) {
	for _, network := range [...]string{"udp", "tcp"} {
		client := dns.Client{Net: network, Timeout: lookupTimeout}
		reply, _, err = client.ExchangeContext(ctx, query, server)
		if err != nil || !reply.Truncated {
			break
		}
	}
	if err == nil && reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError {
		err = errors.New(dns.RcodeToString[reply.Rcode])
	}
	return reply, err
}

func cnameOf(reply *dns.Msg, name string) string {
	for _, rr := range reply.Answer {
		if cname, ok := rr.(*dns.CNAME); ok && dns.CanonicalName(cname.Hdr.Name) == dns.CanonicalName(name) {
			return dns.CanonicalName(cname.Target)
		}
	}
	return ""
}
