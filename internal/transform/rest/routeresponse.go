package rest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"gatehouse/internal/plan"
)

// RouteResponseOptions are the integration responses of a WebSocket API's
// integration.
type RouteResponseOptions struct {
	Kind      Kind
	Responses []RouteResponse
}

// A RouteResponse is one of the ways to answer a message.
type RouteResponse struct {
	// Key is "$default" or a regular expression between slashes.
	Key string
	// Select makes the key of the template; nil selects that of "$default", which
	// also stands in for a key that there isn't.
	Select plan.Selector
	// Templates are responseTemplates.
	Templates map[string]string
	Handling  Handling
}

// NewRouteResponse compiles the way from what an integration answered to the
// message for the client; nil for a proxy, whose body is the message. The error
// is a *TemplateError or a *PatternError.
func NewRouteResponse(o RouteResponseOptions) (plan.Mapping, error) {
	if o.Kind == HTTPProxy || o.Kind == AWSProxy {
		return nil, nil
	}
	r := &routeResponse{kind: o.Kind}
	for _, from := range o.Responses {
		c, err := compileRouteChoice(from)
		if err != nil {
			return nil, err
		}
		if c.pattern == nil {
			r.fallback = c
			continue
		}
		r.choices = append(r.choices, c)
	}
	// AWS doesn't tell which of two that match is taken.
	slices.SortFunc(r.choices, func(a, b *routeChoice) int { return strings.Compare(a.key, b.key) })
	return r, nil
}

type routeResponse struct {
	kind     Kind
	choices  []*routeChoice
	fallback *routeChoice
}

// A routeChoice is one integration response; the one of "$default" has no
// pattern.
type routeChoice struct {
	key       string
	pattern   *pattern
	templates templates
	selects   plan.Selector
	handling  Handling
}

func compileRouteChoice(from RouteResponse) (*routeChoice, error) {
	c := &routeChoice{key: from.Key, selects: from.Select, handling: from.Handling}
	var err error
	if from.Key != defaultTemplate {
		text := strings.TrimSuffix(strings.TrimPrefix(from.Key, "/"), "/")
		if c.pattern, err = compilePattern(text); err != nil {
			return nil, err
		}
	}
	c.templates, err = parseTemplates(from.Templates)
	return c, err
}

// Map implements plan.Mapping: it leaves the message in x.Response.Body.
func (r *routeResponse) Map(x *plan.Exchange) error {
	if err := x.ReadResponse(); err != nil {
		return &plan.Fault{Kind: plan.IntegrationUnreachable, Reason: "the integration's response broke off: " + err.Error(), Cause: err}
	}
	c, err := r.choose(x)
	if err != nil {
		return configurationError(x, "The selection pattern takes too long for the endpoint's error")
	}
	if c == nil {
		return configurationError(x, fmt.Sprintf("No match for output mapping and no default output mapping configured. Endpoint Response Status Code: %d", x.Integration.Status))
	}
	return c.answer(x, r.kind)
}

// choose finds the integration response: of a function only its error has a text
// to match, of everything else the status is the text.
// UNVERIFIED: that an expression has to match the whole text, as with REST APIs.
func (r *routeResponse) choose(x *plan.Exchange) (*routeChoice, error) {
	selection := x.Integration.Selection
	if r.kind != AWS {
		start := len(x.Scratch)
		x.Scratch = appendInt(x.Scratch, int64(x.Integration.Status))
		selection = since(x, start)
	} else if !x.Integration.Failed && selection == "" {
		return r.fallback, nil
	}
	for _, c := range r.choices {
		if is, err := c.pattern.matches(selection); err != nil {
			return nil, err
		} else if is {
			return c, nil
		}
	}
	return r.fallback, nil
}

// answer makes the message. Headers of the response reach nobody; its status
// counts for a handshake.
func (c *routeChoice) answer(x *plan.Exchange, kind Kind) error {
	template, _ := c.templates.selected(x, c.selects)
	answer := x.Response.Body
	if kind == Mock {
		answer = nil
		if template != nil {
			// UNVERIFIED: that a mock's template reads the message, and that a mock
			// without one answers with nothing.
			answer = x.Request.Body
		}
	}
	body, err := c.conversion(answer).apply(x, answer)
	if err != nil {
		return unconverted(x, err)
	}
	if template != nil {
		if body, err = render(x, template, body); err != nil {
			return traced(x, err)
		}
	}
	// Messages are text, whatever was decoded.
	if x.Response.Body, err = text.apply(x, body); err != nil {
		return unconverted(x, err)
	}
	switch status := x.Overrides.Status(); {
	case status != 0:
		x.Response.Status = status
	case kind == AWS && x.Integration.Failed:
		// UNVERIFIED: that a function which failed refuses a handshake, as it does
		// when it is a proxy's.
		x.Response.Status = http.StatusBadGateway
	}
	return nil
}

// conversion is what happens to the body by contentHandlingStrategy. WebSocket
// APIs have no binary media types: bytes are what isn't text.
// UNVERIFIED: that.
func (c *routeChoice) conversion(body []byte) conversion {
	switch {
	case c.handling == ToText && !utf8.Valid(body):
		return encode
	case c.handling == ToBinary:
		return decode
	default:
		return text
	}
}
