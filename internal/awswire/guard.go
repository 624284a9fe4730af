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
	if apiStageOf(r.Context()) == (APIStage{}) && !h.hostAllowed(r.Host) {
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

// hostAllowed keeps a name that an attacker's DNS points here from counting as us.
func (h *Handler) hostAllowed(host string) bool {
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
	for _, allowed := range h.o.Hosts {
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
