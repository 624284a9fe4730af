package main

import (
	"net"
	"regexp"
	"strings"
)

// reservedHosts tells which names the gateway itself is called by, so that no
// custom domain name takes its requests: a domain is asked for before management
// is.
type reservedHosts struct {
	// exact are names, below are those under which every name is management's.
	exact, below []string
}

// regionLabel is how a region is written in the name of a service's endpoint.
var regionLabel = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]+$`)

func newReservedHosts(c config) *reservedHosts {
	domain := strings.ToLower(c.Domain)
	r := &reservedHosts{exact: []string{"localhost", domain, "console." + domain}}
	for _, host := range c.managementHosts() {
		host = strings.ToLower(strings.TrimSuffix(host, "."))
		if parent, ok := strings.CutPrefix(host, "."); ok {
			r.exact, r.below = append(r.exact, parent), append(r.below, parent)
			continue
		}
		r.exact = append(r.exact, host)
	}
	return r
}

// reserved tells whether a domain, or a name that one with a star stands for, is
// one of the gateway's.
func (r *reservedHosts) reserved(name string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if net.ParseIP(name) != nil {
		return true
	}
	labels := strings.Split(name, ".")
	// An API's own host, and whatever has a star in its place.
	if labels[0] == "execute-api" || len(labels) > 1 && labels[1] == "execute-api" {
		return true
	}
	// The domains of user pools: shop.auth.us-east-1.localhost.
	if len(labels) > 3 && labels[1] == "auth" && regionLabel.MatchString(labels[2]) {
		return true
	}
	// Management is reached by whatever ends in .localhost. Clients call it by the
	// names of services, with and without a region: lambda.localhost,
	// sts.us-east-1.localhost. Deeper names are free.
	if n := len(labels); labels[n-1] == "localhost" && (n <= 2 || n == 3 && regionLabel.MatchString(labels[1])) {
		return true
	}
	parent, wild := strings.CutPrefix(name, "*.")
	for _, host := range r.exact {
		_, above, _ := strings.Cut(host, ".")
		if name == host || wild && parent == above {
			return true
		}
	}
	for _, above := range r.below {
		if strings.HasSuffix(name, "."+above) {
			return true
		}
	}
	return false
}
