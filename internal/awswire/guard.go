package awswire

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guard refuses what a web page could send. Management can create functions:
// a page in the user's browser that reached it would run code on the machine.
func (h *Handler) guard(r *http.Request) error {
	if apiStageOf(r.Context()) == (APIStage{}) && !HostAllowed(r.Host, h.o.Hosts) {
		return &Error{Code: "AccessDeniedException", Status: http.StatusForbidden,
			Message: "Host " + shorten(r.Host) + " is not a name of this gateway's management; use a loopback address or configure the name"}
	}
	if r.Header["Origin"] == nil && r.Header["Sec-Fetch-Site"] == nil {
		return nil
	}
	if h.o.AllowBrowser != nil && h.o.AllowBrowser(r) {
		return nil
	}
	return &Error{Code: "AccessDeniedException", Status: http.StatusForbidden, Message: "management does not answer web pages"}
}

// HostAllowed tells whether a Host is this gateway: a loopback address, localhost or
// below it, or one of hosts, of which one that begins with a dot stands for all below
// it. A name that an attacker's DNS points here doesn't count as us.
func HostAllowed(host string, hosts []string) bool {
	name := host
	if bare, _, err := net.SplitHostPort(host); err == nil {
		name = bare
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	if ip, err := netip.ParseAddr(name); err == nil && ip.Unmap().IsLoopback() {
		return true
	}
	for _, allowed := range hosts {
		allowed = strings.ToLower(allowed)
		if name == strings.TrimPrefix(allowed, ".") || strings.HasPrefix(allowed, ".") && strings.HasSuffix(name, allowed) {
			return true
		}
	}
	return false
}

// shorten keeps a foreign text in a message short.
func shorten(s string) string {
	if len(s) > 100 {
		return s[:100] + "..."
	}
	return s
}
