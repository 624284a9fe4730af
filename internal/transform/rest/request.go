package rest

import (
	"slices"
	"strings"

	"gatehouse/internal/plan"
)

// A Kind is a type of integration.
type Kind uint8

// The types of integration.
const (
	Mock Kind = iota
	HTTP
	HTTPProxy
	// AWS is that with a Lambda function, AWSService with any other service.
	AWS
	AWSService
	AWSProxy
)

// Passthrough is passthroughBehavior: what becomes of a body without a template.
type Passthrough uint8

// The passthrough behaviours.
const (
	WhenNoMatch Passthrough = iota
	WhenNoTemplates
	Never
)

// ParsePassthrough returns the behaviour of AWS's name.
func ParsePassthrough(name string) Passthrough {
	switch name {
	case "WHEN_NO_TEMPLATES":
		return WhenNoTemplates
	case "NEVER":
		return Never
	default:
		return WhenNoMatch
	}
}

// RequestOptions are an integration request.
type RequestOptions struct {
	Kind Kind
	// Parameters are requestParameters: "integration.request.header.x" and what
	// it is mapped from.
	Parameters map[string]string
	// Templates are requestTemplates by media type.
	Templates   map[string]string
	Passthrough Passthrough
	Handling    Handling
	// URIVariables are the names of the variables in the integration's URI, in
	// their order there.
	URIVariables []string
	// ContentType is that of the integration request where nothing else is mapped;
	// "" for the client's.
	ContentType string
	// Variables are those of the stage.
	Variables map[string]string
	// Route is what only routes of WebSocket APIs have; nil for methods.
	Route *RouteOptions
}

// A Request makes the integration request of a method request.
type Request struct {
	kind        Kind
	headers     []parameter
	query       []parameter
	uri         []uriVariable
	templates   templates
	passthrough Passthrough
	handling    Handling
	contentType string
	unmappable  string // a header whose mapping is an error of the configuration
	readsBody   bool
	mapsBody    bool // a parameter comes from the body
	// route tells that a message selects its template; selects how, nil for
	// that of "$default".
	route   bool
	selects plan.Selector
}

// A parameter is a header or a query parameter with what is mapped to it.
type parameter struct {
	name string
	from source
}

// A uriVariable is a variable of the URI with what is mapped to it; from is nil
// if only an override can fill it.
type uriVariable struct {
	name string
	from source
}

// formType is the media type of actions of services that speak the query protocol.
const formType = "application/x-www-form-urlencoded"

const (
	toHeader = "integration.request.header."
	toQuery  = "integration.request.querystring."
	toPath   = "integration.request.path."
)

// NewRequest compiles an integration request. The error is an *ExpressionError
// or a *TemplateError.
func NewRequest(o RequestOptions) (*Request, error) {
	r := &Request{kind: o.Kind, passthrough: o.Passthrough, handling: o.Handling, contentType: o.ContentType}
	if o.Route != nil {
		r.route, r.selects = true, o.Route.Select
	}
	paths := map[string]source{}
	bodies := &bodyPaths{body: requestBytes}
	for _, key := range sortedKeys(o.Parameters) {
		from, err := parseRequestExpression(o.Parameters[key], &o, bodies)
		if err != nil {
			return nil, err
		}
		switch {
		case strings.HasPrefix(key, toHeader):
			r.addHeader(key[len(toHeader):], from)
		case strings.HasPrefix(key, toQuery):
			r.query = append(r.query, parameter{key[len(toQuery):], from})
		case strings.HasPrefix(key, toPath):
			paths[key[len(toPath):]] = from
		}
		switch from.(type) {
		case requestBody, bodyPath:
			r.readsBody, r.mapsBody = true, true
		}
	}
	if err := bodies.compile(); err != nil {
		return nil, err
	}
	for _, name := range o.URIVariables {
		r.uri = append(r.uri, uriVariable{name, paths[name]})
	}
	if o.Kind == AWSProxy || o.Kind == HTTPProxy {
		return r, nil
	}
	var err error
	if r.templates, err = parseTemplates(o.Templates); err != nil {
		return nil, err
	}
	r.readsBody = true
	return r, nil
}

func (r *Request) addHeader(name string, from source) {
	rule := ruleOf(name)
	toAWS := r.kind == AWS || r.kind == AWSService || r.kind == AWSProxy
	if rule&unmappable != 0 || rule&unmappableToAWS != 0 && toAWS {
		r.unmappable = name
		return
	}
	if rule&unsent == 0 {
		r.headers = append(r.headers, parameter{name, from})
	}
}

// Map leaves in x.Mapped what the integration gets.
func (r *Request) Map(x *plan.Exchange) error {
	if r.unmappable != "" {
		return configurationError(x, r.unmappable+" header already present")
	}
	if r.kind == AWSProxy {
		return nil
	}
	if r.readsBody {
		if err := x.ReadBody(); err != nil {
			return &plan.Fault{Kind: plan.BadRequest, Reason: "the request's body can't be read: " + err.Error(), Cause: err}
		}
	}
	if r.mapsBody && !readable(x.Request.Body) {
		return &plan.Fault{Kind: plan.BadRequest, Reason: "a parameter is mapped from the body, which is no JSON", Message: "Invalid JSON in request body"}
	}
	if r.kind != HTTPProxy {
		if err := r.mapBody(x); err != nil {
			return err
		}
	}
	r.mapHeaders(x)
	if err := checkHeaders(x, x.Mapped.Headers); err != nil {
		return err
	}
	r.mapQuery(x)
	x.Mapped.On = true
	return r.mapURI(x)
}

// maxHeaders bounds the names and values of headers that mappings make. A body
// may be their source, which is far longer than any reader of headers takes.
// UNVERIFIED: AWS documents 10,240 bytes, not what becomes of more.
const maxHeaders = 64 << 10

// checkHeaders refuses headers that are too long.
func checkHeaders(x *plan.Exchange, headers plan.Headers) error {
	size := 0
	for i := range headers {
		size += len(headers[i].Name) + len(headers[i].Value)
	}
	if size > maxHeaders {
		return configurationError(x, "the mapped headers are too long")
	}
	return nil
}

// configurationError is the fault of an API whose definition is at fault.
func configurationError(x *plan.Exchange, reason string) error {
	if t := x.Trace; t != nil {
		t.Error("Execution failed due to configuration error: %s", reason)
	}
	return &plan.Fault{Kind: plan.ConfigurationError, Reason: "Execution failed due to configuration error: " + reason}
}

// mapBody renders, converts or passes on the body.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
func (r *Request) mapBody(x *plan.Exchange) error {
	mediaType := contentType(x.Request.Headers)
	template, matched := r.template(x, mediaType)
	if !matched && (r.passthrough == Never || r.passthrough == WhenNoTemplates && r.templates.any()) {
		return &plan.Fault{Kind: plan.UnsupportedMediaType, Reason: "no mapping template for " + mediaType + " and its passthrough is forbidden"}
	}
	if template == nil && r.contentType == formType && mediaType != formType {
		// What isn't a form would be read as one, for parameters that nobody named.
		// UNVERIFIED: that AWS's services, which get it, make nothing of it.
		x.Mapped.Body, x.Mapped.HasBody = nil, true
		return nil
	}
	c := requestConversion(r.handling, isBinary(x, mediaType))
	if matched && template != nil && c.bytes() {
		return configurationError(x, "Unable to transform request: a mapping template can't take binary content")
	}
	body, err := c.apply(x, x.Request.Body)
	if err != nil {
		return unconverted(x, err)
	}
	if template != nil {
		if body, err = render(x, template, body); err != nil {
			return traced(x, err)
		}
	}
	x.Mapped.Body, x.Mapped.HasBody = body, true
	return nil
}

// template is the template for a request, and whether there is one.
func (r *Request) template(x *plan.Exchange, mediaType string) (*template, bool) {
	if r.route {
		return r.templates.selected(x, r.selects)
	}
	return r.templates.of(mediaType)
}

// traced tells the execution log of a template's failure.
func traced(x *plan.Exchange, err error) error {
	if t := x.Trace; t != nil {
		t.Error("Execution failed due to configuration error: Unable to transform request")
	}
	return err
}

// mapHeaders makes the whole list of headers for the integration.
func (r *Request) mapHeaders(x *plan.Exchange) {
	to := x.Mapped.Headers[:0]
	switch r.kind {
	case HTTPProxy:
		to = appendForwarded(to, x)
	case HTTP, AWSService:
		// UNVERIFIED: that services get the same headers as other backends.
		to = append(to, plan.Header{Name: "Accept", Value: jsonType})
		if body, _ := x.OutboundBody(); len(body) > 0 {
			value := r.contentType
			if value == "" {
				value = x.Request.Headers.Get("content-type")
			}
			if value == "" {
				value = jsonType
			}
			to = append(to, plan.Header{Name: "Content-Type", Value: value})
		}
		start := len(x.Scratch)
		x.Scratch = append(append(x.Scratch, "AmazonAPIGateway_"...), x.Stage.API.ID...)
		to = append(to, plan.Header{Name: "User-Agent", Value: since(x, start)})
	}
	for i := range r.headers {
		if value, ok := r.headers[i].from.value(x); ok {
			to = setHeader(to, r.headers[i].name, value)
		}
	}
	for _, o := range x.Overrides.All(plan.RequestHeader) {
		if ruleOf(o.Name)&(unmappable|unsent) == 0 {
			to = setHeader(to, o.Name, o.Value)
		}
	}
	for i := range to {
		if plan.EqualFold(to[i].Name, "host") {
			x.Mapped.Host = to[i].Value
		}
	}
	x.Mapped.Headers = to
}

// appendForwarded appends the headers of the client that an HTTP_PROXY backend
// gets, and those that name the client.
func appendForwarded(to plan.Headers, x *plan.Exchange) plan.Headers {
	for _, h := range x.Request.Headers {
		if ruleOf(h.Name)&notForwarded != 0 || namesForwarded(h.Name) && !isTest(x) || signs(h) || named(x.Request.Headers, h.Name) {
			continue
		}
		to = append(to, h)
	}
	if isTest(x) {
		return to
	}
	return append(to,
		plan.Header{Name: forwardedFor, Value: forwarded(x)},
		plan.Header{Name: forwardedPort, Value: port(x)},
		plan.Header{Name: forwardedProto, Value: proto(x)})
}

func namesForwarded(name string) bool {
	return len(name) >= 15 && len(name) <= 17 &&
		(plan.EqualFold(name, forwardedFor) || plan.EqualFold(name, forwardedPort) || plan.EqualFold(name, forwardedProto))
}

// signs tells whether a header is a SigV4 signature, which is for the gateway.
func signs(h plan.Header) bool {
	return plan.EqualFold(h.Name, "authorization") && strings.HasPrefix(h.Value, "AWS4-")
}

// named tells whether a Connection header names another header.
func named(headers plan.Headers, name string) bool {
	for _, h := range headers {
		if !plan.EqualFold(h.Name, "connection") {
			continue
		}
		for token := range strings.SplitSeq(h.Value, ",") {
			if plan.EqualFold(strings.TrimSpace(token), name) {
				return true
			}
		}
	}
	return false
}

// setHeader puts a header in place of those of its name.
func setHeader(headers plan.Headers, name, value string) plan.Headers {
	headers = slices.DeleteFunc(headers, func(h plan.Header) bool { return plan.EqualFold(h.Name, name) })
	return append(headers, plan.Header{Name: name, Value: value})
}

// mapQuery makes the whole query for the integration.
//
// UNVERIFIED: that HTTP_PROXY backends get the parameters of a signed URL with the
// rest, as they get x-amz-date and x-amz-security-token. Of signatures AWS documents
// the Authorization header alone, which isn't passed on.
func (r *Request) mapQuery(x *plan.Exchange) {
	overrides := x.Overrides.All(plan.RequestQuery)
	if len(r.query) == 0 && len(overrides) == 0 {
		x.Mapped.Query = ""
		if r.kind == HTTPProxy {
			x.Mapped.Query = x.Request.Query
		}
		return
	}
	var pairs []parameterValue
	for i := range r.query {
		p := &r.query[i]
		if multi, ok := p.from.(multiSource); ok {
			multi.each(x, func(value string) { pairs = append(pairs, parameterValue{p.name, value}) })
			continue
		}
		if value, ok := p.from.value(x); ok {
			pairs = append(pairs, parameterValue{p.name, value})
		}
	}
	for _, o := range overrides {
		pairs = slices.DeleteFunc(pairs, func(p parameterValue) bool { return p.name == o.Name })
		pairs = append(pairs, parameterValue{o.Name, o.Value})
	}
	start := len(x.Scratch)
	if r.kind == HTTPProxy {
		x.Scratch = append(x.Scratch, x.Request.Query...)
	}
	for _, p := range pairs {
		if len(x.Scratch) > start {
			x.Scratch = append(x.Scratch, '&')
		}
		x.Scratch = appendEscaped(x.Scratch, p.name, inQuery)
		x.Scratch = append(x.Scratch, '=')
		x.Scratch = appendEscaped(x.Scratch, p.value, inQuery)
	}
	x.Mapped.Query = since(x, start)
}

type parameterValue struct{ name, value string }

// mapURI fills the variables of the integration's URI.
func (r *Request) mapURI(x *plan.Exchange) error {
	for i := range r.uri {
		v := &r.uri[i]
		value, ok := v.value(x)
		if !ok {
			return configurationError(x, "Invalid endpoint address")
		}
		x.Mapped.URIParams = append(x.Mapped.URIParams, value)
	}
	return nil
}

// value is what fills the variable, percent encoded. What comes from the path
// goes on as it came.
func (v *uriVariable) value(x *plan.Exchange) (string, bool) {
	var value string
	if o, ok := x.Overrides.Get(plan.RequestPath, v.name); ok {
		value = o.Value
	} else {
		if v.from == nil {
			return "", false
		}
		if path, ok := v.from.(pathSource); ok {
			return pathParameter(x, string(path), true)
		}
		var ok bool
		if value, ok = v.from.value(x); !ok {
			return "", false
		}
	}
	start := len(x.Scratch)
	x.Scratch = appendEscaped(x.Scratch, value, inPath)
	return since(x, start), true
}
