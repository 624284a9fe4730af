package integrate

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"gatehouse/internal/plan"
)

// A template is the path or the query of an integration URI: literal text with
// path variables between.
type template []part

// A part is literal text, then the value of a path variable if name isn't "".
// index is which variable of the whole URI it is.
type part struct {
	literal, name string
	index         int
}

// A target is a parsed integration URI.
type target struct {
	tls   bool
	host  string // as sent in the Host header
	name  string // host without its port
	port  int
	addr  string // host:port to connect to
	path  template
	query template
}

// address is where a target is, and whose certificate it has.
func (t *target) address() address { return address{addr: t.addr, tls: t.tls, name: t.name} }

// parseURI reads an integration URI, in which the stage variables have been
// replaced: "http://host/pets/{id}?kind={kind}". A variable may be spelled
// {name} or {name+}.
func parseURI(uri string) (*target, error) {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok {
		return nil, fmt.Errorf("integration URI %q has no scheme", uri)
	}
	t := &target{}
	port := "80"
	switch {
	case plan.EqualFold(scheme, "http"):
	case plan.EqualFold(scheme, "https"):
		t.tls, port = true, "443"
	default:
		return nil, fmt.Errorf("integration URI %q: scheme %q isn't http or https", uri, scheme)
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, rest := rest[:end], rest[end:]
	if strings.ContainsAny(authority, "{}") {
		// A client who fills it in would choose where the gateway connects.
		return nil, fmt.Errorf("integration URI %q: a path variable can't stand in the host", uri)
	}
	u, err := url.Parse("http://" + authority)
	switch {
	case err != nil:
		return nil, fmt.Errorf("integration URI %q: %w", uri, err)
	case u.User != nil:
		return nil, fmt.Errorf("integration URI %q: credentials can't stand in it", uri)
	case u.Hostname() == "":
		return nil, fmt.Errorf("integration URI %q has no host", uri)
	}
	if p := u.Port(); p != "" {
		port = p
	}
	t.host, t.name, t.addr = u.Host, u.Hostname(), joinHostPort(u.Hostname(), port)
	if t.port, err = strconv.Atoi(port); err != nil || t.port > 65535 {
		return nil, fmt.Errorf("integration URI %q: port %s", uri, port)
	}

	rest, _, _ = strings.Cut(rest, "#")
	path, query, _ := strings.Cut(rest, "?")
	if path == "" {
		path = "/"
	}
	variables := 0
	if t.path, err = parseTemplate(path, &variables); err == nil {
		t.query, err = parseTemplate(query, &variables)
	}
	if err != nil {
		return nil, fmt.Errorf("integration URI %q: %w", uri, err)
	}
	return t, nil
}

// URIVariables returns the names of the variables of an integration URI in
// their order there; nil for a URI that is none.
func URIVariables(uri string) []string {
	t, err := parseURI(uri)
	if err != nil {
		return nil
	}
	return t.query.names(t.path.names(nil))
}

// names appends the names of the template's variables.
func (t template) names(to []string) []string {
	for i := range t {
		if t[i].name != "" {
			to = append(to, t[i].name)
		}
	}
	return to
}

func joinHostPort(host, port string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]:" + port
	}
	return host + ":" + port
}

// parseTemplate reads a part of a URI, counting its variables.
func parseTemplate(text string, variables *int) (template, error) {
	var t template
	for text != "" {
		literal, after, found := strings.Cut(text, "{")
		if strings.Contains(literal, "}") {
			return nil, errors.New("a closing brace without an opening one")
		}
		p := part{literal: escapeLiteral(literal)}
		text = ""
		if found {
			name, rest, closed := strings.Cut(after, "}")
			name = strings.TrimSuffix(name, "+")
			if !closed || name == "" || strings.Contains(name, "{") {
				return nil, errors.New("braces that don't enclose the name of a path variable")
			}
			p.name, p.index, text = name, *variables, rest
			*variables++
		}
		t = append(t, p)
	}
	return t, nil
}

// escapeLiteral escapes what can't be sent in a request target.
func escapeLiteral(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// appendPath appends the path with the exchange's values, which are encoded as
// the client encoded them. A variable that the route doesn't have is empty.
func (t template) appendPath(dst []byte, x *plan.Exchange) []byte {
	for i := range t {
		dst = append(dst, t[i].literal...)
		if t[i].name != "" {
			dst = append(dst, t[i].value(x)...)
		}
	}
	return dst
}

// appendQuery is appendPath for a query, where a few bytes that are plain in a
// path have a meaning.
func (t template) appendQuery(dst []byte, x *plan.Exchange) []byte {
	for i := range t {
		dst = append(dst, t[i].literal...)
		if t[i].name == "" {
			continue
		}
		value := t[i].value(x)
		for j := range len(value) {
			switch c := value[j]; c {
			case '&', '=', '+', ';':
				dst = append(dst, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
			default:
				dst = append(dst, c)
			}
		}
	}
	return dst
}

// value is the value of the part's variable: what is mapped to it or, on HTTP
// APIs, the variable of the route's path.
func (p *part) value(x *plan.Exchange) string {
	if mapsAll(x) {
		if p.index < len(x.Mapped.URIParams) {
			return x.Mapped.URIParams[p.index]
		}
		return ""
	}
	for i, n := range x.Route.ParamNames {
		if n == p.name && i < len(x.Params) {
			return x.Params[i]
		}
	}
	return ""
}
