package plan

import (
	"strconv"
	"strings"
)

// CORSOptions are a CORS configuration as AWS shapes it.
type CORSOptions struct {
	// AllowOrigins are exact origins, "*", "https://*" or "http://*".
	AllowOrigins                              []string
	AllowMethods, AllowHeaders, ExposeHeaders []string
	// MaxAge is in seconds; nil when it isn't configured.
	MaxAge           *int32
	AllowCredentials bool
}

// CORS is what the gateway answers to browsers of other origins, ready to be
// sent. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
type CORS struct {
	// any, anyHTTP and anyHTTPS are the wildcards; origins the exact ones in
	// lower case.
	any, anyHTTP, anyHTTPS bool
	origins                map[string]struct{}
	// preflight are the headers of a preflight's answer besides the origin,
	// actual those of other answers.
	preflight, actual Headers
}

// NewCORS compiles a CORS configuration.
func NewCORS(o CORSOptions) *CORS {
	c := &CORS{origins: make(map[string]struct{}, len(o.AllowOrigins))}
	for _, origin := range o.AllowOrigins {
		switch origin {
		case "*":
			c.any = true
		case "http://*":
			c.anyHTTP = true
		case "https://*":
			c.anyHTTPS = true
		default:
			c.origins[strings.ToLower(origin)] = struct{}{}
		}
	}
	list := func(to *Headers, name string, values []string) {
		if len(values) > 0 {
			*to = append(*to, Header{name, strings.Join(values, ",")})
		}
	}
	list(&c.preflight, "access-control-allow-methods", o.AllowMethods)
	list(&c.preflight, "access-control-allow-headers", o.AllowHeaders)
	list(&c.preflight, "access-control-expose-headers", o.ExposeHeaders)
	list(&c.actual, "access-control-expose-headers", o.ExposeHeaders)
	if o.MaxAge != nil {
		c.preflight = append(c.preflight, Header{"access-control-max-age", strconv.Itoa(int(*o.MaxAge))})
	}
	if o.AllowCredentials {
		credentials := Header{"access-control-allow-credentials", "true"}
		c.preflight, c.actual = append(c.preflight, credentials), append(c.actual, credentials)
	}
	return c
}

// IsPreflight tells whether a request asks what a browser may send: OPTIONS
// with both Origin and Access-Control-Request-Method.
func IsPreflight(q *Request) bool {
	if q.Method != "OPTIONS" {
		return false
	}
	_, asks := q.Headers.Lookup("access-control-request-method")
	return asks && q.Headers.Get("origin") != ""
}

// AnswerPreflight leaves the answer to a preflight in x. An origin that isn't
// allowed is told nothing, and neither is it an error.
func (c *CORS) AnswerPreflight(x *Exchange) {
	x.Response.Status, x.Response.Headers = 204, x.Response.Headers[:0]
	c.allow(x, c.preflight)
}

// Apply puts the configuration in the place of whatever CORS headers the
// integration sent.
func (c *CORS) Apply(x *Exchange) {
	kept := x.Response.Headers[:0]
	for _, h := range x.Response.Headers {
		if !isCORS(h.Name) {
			kept = append(kept, h)
		}
	}
	x.Response.Headers = kept
	c.allow(x, c.actual)
}

// allow adds the headers for the origin of x, if it has one that is allowed.
func (c *CORS) allow(x *Exchange, headers Headers) {
	origin := x.Request.Headers.Get("origin")
	if origin == "" || !c.allows(x, origin) {
		return
	}
	if c.any {
		origin = "*"
	}
	x.Response.Add("access-control-allow-origin", origin)
	x.Response.Headers = append(x.Response.Headers, headers...)
}

// allows tells whether an origin is allowed. Origins have no case.
func (c *CORS) allows(x *Exchange, origin string) bool {
	switch {
	case c.any,
		c.anyHTTPS && len(origin) > len("https://") && EqualFold(origin[:len("https://")], "https://"),
		c.anyHTTP && len(origin) > len("http://") && EqualFold(origin[:len("http://")], "http://"):
		return true
	case len(c.origins) == 0:
		return false
	}
	start := len(x.Scratch)
	for i := range len(origin) {
		x.Scratch = append(x.Scratch, lowerASCII(origin[i]))
	}
	_, ok := c.origins[string(x.Scratch[start:])]
	x.Scratch = x.Scratch[:start]
	return ok
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// isCORS tells whether a header is one of those that answer a browser.
func isCORS(name string) bool {
	const prefix = "access-control-"
	return len(name) > len(prefix) && EqualFold(name[:len(prefix)], prefix)
}
