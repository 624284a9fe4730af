package serve

import (
	"net/http"
	"strings"

	"gatehouse/internal/plan"
)

// A destination is whom a request is for.
type destination uint8

const (
	toAPI         destination = iota // an API, or a fault in its place
	toPages                          // the gateway's own pages
	toManagement                     // a management call
	toConnections                    // a call of @connections
	toUserPools                      // the domain of a user pool
	toChallenges                     // the answer to a challenge of an authority of certificates
)

// A Site is served by hosts of its own, or below a path, to whoever asks.
type Site interface {
	http.Handler
	// Serves tells whether a request is for the site. host has no port, path is as
	// it came.
	Serves(host, path string) bool
}

// pagesPrefix is where the gateway's own pages are.
const pagesPrefix = "/_gatehouse/"

// place finds whom a request is for: an API by host or by a path form, the domain
// of a user pool, the gateway's pages, else management. head is the size of the request line
// and the headers. A fault, when there is one, is the answer.
func (s *Server) place(x *plan.Exchange, management bool, head int) (destination, error) {
	if s.challenged(x.Request.Host, x.Request.Path) {
		return toChallenges, nil
	}
	traffic, err := s.Plan.Load().Place(x)
	if traffic {
		if err == nil && isSocket(x) && s.Connections != nil && isConnections(x) {
			return toConnections, nil
		}
		if isSocket(x) && len(x.Request.Path)+len(x.Request.Query) > maxSocketURL {
			return toAPI, &plan.Fault{Kind: plan.URITooLong, Reason: "the URL is over the limit"}
		}
		if isREST(x) {
			// The URL has a limit of its own.
			url := len(x.Request.Path) + len(x.Request.Query)
			if url > s.MaxHeadBytes {
				return toAPI, &plan.Fault{Kind: plan.URITooLong, Reason: "the URL is over the limit"}
			}
			head -= url
		}
		if head > s.MaxHeadBytes {
			return toAPI, &plan.Fault{Kind: plan.HeadersTooLarge, Reason: "request line and headers are over the limit"}
		}
		return toAPI, err
	}
	switch {
	case s.UserPools != nil && s.UserPools.Serves(x.DomainName, x.Request.Path):
		return toUserPools, nil
	case !management:
		return toAPI, &plan.Fault{Kind: plan.AccessDenied, Reason: "no API is reached by the host " + x.DomainName}
	case strings.HasPrefix(x.Request.Path, pagesPrefix):
		if s.Pages == nil {
			return toAPI, &plan.Fault{Kind: plan.RouteNotFound, Reason: "the gateway's pages aren't served"}
		}
		return toPages, nil
	case s.Management == nil:
		return toAPI, &plan.Fault{Kind: plan.AccessDenied, Reason: "management isn't served"}
	}
	return toManagement, nil
}

// onManagementOrigin tells whether traffic was reached by a path form: what it
// answers would be a page of management's own origin.
func onManagementOrigin(x *plan.Exchange) bool { return x.PathForm }

// fromBrowser tells whether a browser may show the response as a page. Every
// browser names itself Mozilla, and a page can't change that for a navigation.
func fromBrowser(h plan.Headers) bool {
	for i := range h {
		name, value := h[i].Name, h[i].Value
		switch len(name) {
		case 6:
			if plan.EqualFold(name, "origin") {
				return true
			}
		case 10:
			if plan.EqualFold(name, "user-agent") && strings.HasPrefix(value, "Mozilla/") {
				return true
			}
		case 14:
			if plan.EqualFold(name, "sec-fetch-site") || plan.EqualFold(name, "sec-fetch-mode") || plan.EqualFold(name, "sec-fetch-dest") {
				return true
			}
		}
	}
	return false
}
