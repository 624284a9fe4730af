package rest

import (
	"fmt"
	"slices"
	"strings"

	"gatehouse/internal/plan"
)

// ResponseOptions are the integration responses of a method.
type ResponseOptions struct {
	Kind      Kind
	Responses []IntegrationResponse
	// Variables are those of the stage.
	Variables map[string]string
}

// An IntegrationResponse is one way to answer.
type IntegrationResponse struct {
	// Status is the method response's status.
	Status int
	// Pattern is the selection pattern, "" for the default response.
	Pattern string
	// Parameters are responseParameters: "method.response.header.x" and what it
	// is mapped from.
	Parameters map[string]string
	// Templates are responseTemplates by media type.
	Templates map[string]string
	Handling  Handling
	// Undeclared tells that the method has no response of the status, which is
	// found out when a request gets it.
	Undeclared bool
}

// NewResponse compiles the way from an integration's response to the client's.
// The error is an *ExpressionError, a *TemplateError or a *PatternError.
func NewResponse(o ResponseOptions) (plan.Mapping, error) {
	switch o.Kind {
	case HTTPProxy:
		return passBack{remapped: remappedProxy, dropped: droppedProxy}, nil
	case AWSProxy:
		return passBack{remapped: remapped, dropped: dropped}, nil
	}
	r := &response{kind: o.Kind}
	for _, ir := range o.Responses {
		c, err := compileChoice(ir, o.Variables)
		if err != nil {
			return nil, err
		}
		if ir.Pattern == "" || ir.Pattern == ".*" {
			// The default is what is left when nothing matches.
			if r.fallback == nil || ir.Pattern == "" {
				r.fallback = c
			}
			continue
		}
		r.choices = append(r.choices, c)
	}
	return r, nil
}

// passBack gives a proxy's response to the client: the headers that would be
// taken for the gateway's own get other names.
type passBack struct{ remapped, dropped headerRule }

// Map implements plan.Mapping.
func (p passBack) Map(x *plan.Exchange) error {
	kept := x.Response.Headers[:0]
	typed := false
	for _, h := range x.Response.Headers {
		rule := ruleOf(h.Name)
		if rule&p.dropped != 0 {
			continue
		}
		if rule&p.remapped != 0 {
			h.Name = remappedName(x, h.Name)
		}
		typed = typed || plan.EqualFold(h.Name, "content-type")
		kept = append(kept, h)
	}
	if !typed {
		kept = append(kept, plan.Header{Name: "Content-Type", Value: jsonType})
	}
	x.Response.Headers = kept
	return nil
}

// remappedName is the name a response header gets in place of its own.
func remappedName(x *plan.Exchange, name string) string {
	start := len(x.Scratch)
	x.Scratch = append(append(x.Scratch, remappedPrefix...), name...)
	return since(x, start)
}

// A response chooses among the integration responses of a method and answers
// by the one that fits.
type response struct {
	kind     Kind
	choices  []*choice
	fallback *choice
}

// A choice is one integration response.
type choice struct {
	status    int
	pattern   *pattern
	headers   []parameter
	templates templates
	handling  Handling
	// undeclared is that of the IntegrationResponse.
	undeclared bool
}

const toResponseHeader = "method.response.header."

func compileChoice(ir IntegrationResponse, variables map[string]string) (*choice, error) {
	c := &choice{status: ir.Status, handling: ir.Handling, undeclared: ir.Undeclared}
	bodies := &bodyPaths{body: responseBytes}
	for _, key := range sortedKeys(ir.Parameters) {
		from, err := parseResponseExpression(ir.Parameters[key], variables, bodies)
		if err != nil {
			return nil, err
		}
		if name, ok := strings.CutPrefix(key, toResponseHeader); ok {
			c.headers = append(c.headers, parameter{name, from})
		}
	}
	err := bodies.compile()
	if err != nil {
		return nil, err
	}
	if c.templates, err = parseTemplates(ir.Templates); err != nil {
		return nil, err
	}
	if ir.Pattern != "" {
		if c.pattern, err = compilePattern(ir.Pattern); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Map implements plan.Mapping.
func (r *response) Map(x *plan.Exchange) error {
	c, err := r.choose(x)
	if err != nil {
		// UNVERIFIED: what AWS does. The default would make a success of a
		// failure whose text keeps a pattern busy.
		return configurationError(x, "The selection pattern takes too long for the endpoint's error")
	}
	if c == nil {
		reason := fmt.Sprintf("No match for output mapping and no default output mapping configured. Endpoint Response Status Code: %d", x.Integration.Status)
		return configurationError(x, reason)
	}
	if c.undeclared {
		return configurationError(x, fmt.Sprintf("Output mapping refers to an invalid method response: %d", c.status))
	}
	if err := x.ReadResponse(); err != nil {
		return &plan.Fault{Kind: plan.IntegrationUnreachable, Reason: "the integration's response broke off: " + err.Error(), Cause: err}
	}
	return c.answer(x, r.kind)
}

// choose finds the integration response: of a function only its error has a
// text to match, of everything else the status is the text.
func (r *response) choose(x *plan.Exchange) (*choice, error) {
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

// answer makes the method response of the integration's.
func (c *choice) answer(x *plan.Exchange, kind Kind) error {
	mapped := x.Mapped.Headers[:0]
	for i := range c.headers {
		if value, ok := c.headers[i].from.value(x); ok {
			mapped = append(mapped, plan.Header{Name: c.headers[i].name, Value: value})
		}
	}
	typed, err := c.body(x, kind)
	if err != nil {
		return err
	}
	x.Response.Status = c.status
	if status := x.Overrides.Status(); status != 0 {
		x.Response.Status = status
	}
	for _, o := range x.Overrides.All(plan.ResponseHeader) {
		mapped = setHeader(mapped, o.Name, o.Value)
	}
	x.Mapped.Headers = mapped
	if err := checkHeaders(x, mapped); err != nil {
		return err
	}
	c.setHeaders(x, mapped, typed)
	return nil
}

// setHeaders gives the response the mapped headers and a content type.
func (c *choice) setHeaders(x *plan.Exchange, mapped plan.Headers, mediaType string) {
	to := x.Response.Headers[:0]
	for _, h := range mapped {
		rule := ruleOf(h.Name)
		if rule&dropped != 0 {
			continue
		}
		if rule&remapped != 0 {
			h.Name = remappedName(x, h.Name)
		}
		if plan.EqualFold(h.Name, "content-type") {
			mediaType = ""
		}
		to = append(to, h)
	}
	if mediaType != "" {
		to = append(to, plan.Header{Name: "Content-Type", Value: mediaType})
	}
	x.Response.Headers = to
}

// body makes the body and returns its media type.
func (c *choice) body(x *plan.Exchange, kind Kind) (string, error) {
	template, mediaType := c.template(x)
	if kind == Mock {
		// What the client sent is never its answer.
		x.Response.Body = nil
	}
	body := x.Response.Body
	var err error
	if kind != Mock {
		payload := plan.MediaType(x.Response.Headers.Get("content-type"))
		conversion := responseConversion(c.handling, x.Stage.Rest.BinaryTypes.Has(payload), x.AcceptsBinary())
		if template != nil && conversion.bytes() {
			return "", configurationError(x, "Unable to transform response")
		}
		if body, err = conversion.apply(x, body); err != nil {
			return "", unconverted(x, err)
		}
	}
	if template != nil {
		if body, err = render(x, template.template, body); err != nil {
			return "", traced(x, err)
		}
	}
	x.Response.Body = body
	return mediaType, nil
}

// template chooses the response template by the first media type that the
// client accepts, else JSON, else the first. An empty one passes the body on.
func (c *choice) template(x *plan.Exchange) (*typedTemplate, string) {
	if !c.templates.any() {
		return nil, jsonType
	}
	accept := plan.MediaType(x.Request.Headers.Get("accept"))
	for _, wanted := range [...]string{accept, jsonType} {
		i := slices.IndexFunc(c.templates.byType, func(t typedTemplate) bool { return plan.EqualFold(t.mediaType, wanted) })
		if i >= 0 {
			return ifFilled(&c.templates.byType[i])
		}
	}
	if len(c.templates.byType) == 0 {
		return &typedTemplate{jsonType, jsonType, c.templates.fallback}, jsonType
	}
	return ifFilled(&c.templates.byType[0])
}

func ifFilled(t *typedTemplate) (*typedTemplate, string) {
	if t.template == nil {
		return nil, t.mediaType
	}
	return t, t.mediaType
}
