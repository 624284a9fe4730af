package transform

import (
	"strings"

	"gatehouse/internal/contextvar"
	"gatehouse/internal/plan"
)

// A Request maps a request for an integration: its requestParameters.
type Request struct {
	headers headerRules
	query   queryRules
	// path is in place of the whole path; nil when it isn't mapped.
	path *expression
	// body tells that a value is in the body.
	body bool
}

// NewRequest compiles the requestParameters of an integration for a stage with
// the variables. The error is in AWS's words.
func NewRequest(parameters, variables map[string]string) (*Request, error) {
	mappings, err := parseMappings("Request", parameters, inHeaders, inQuerystring, wholePath)
	if err != nil {
		return nil, err
	}
	m := &Request{}
	p := &parser{message: "request.", moment: contextvar.AtRequest, variables: variables, references: m.reference}
	for _, entry := range mappings {
		if err := m.add(p, entry); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *Request) add(p *parser, entry mapping) error {
	switch entry.place {
	case inQuerystring:
		value, err := p.value(entry, inQuery)
		m.query = m.query.add(entry, value)
		return err
	case wholePath:
		value, err := p.expression(entry.value, inPath, inPathWritten)
		m.path = &value
		return err
	default:
		value, err := p.value(entry, inHeader)
		m.headers = m.headers.add(entry, value)
		return err
	}
}

// reference returns the source of a reference to the request.
func (m *Request) reference(name string) source {
	if header, found := strings.CutPrefix(name, "header."); found && isName(header, &inToken) {
		return requestHeader(header)
	}
	if parameter, found := strings.CutPrefix(name, "querystring."); found && parameter != "" {
		return requestQuery(parameter)
	}
	if variable, found := strings.CutPrefix(name, "path."); found && isName(variable, &inPathVariable) {
		return pathVariable(variable)
	}
	if name == "path" {
		return requestPath{}
	}
	text, found := strings.CutPrefix(name, "body")
	if !found {
		return nil
	}
	path, ok := parseJSONPath(text)
	if !ok && text != "" {
		return nil
	}
	m.body = true
	return requestBody(path)
}

// Map leaves in x.Mapped what the integration gets in place of the request.
func (m *Request) Map(x *plan.Exchange) error {
	if m.body {
		if err := x.ReadBody(); err != nil {
			return &plan.Fault{Kind: plan.BadRequest, Reason: "the request's body can't be read: " + err.Error(), Cause: err}
		}
	}
	to := &x.Mapped
	to.On = true
	to.Headers, to.FromClient = m.headers.apply(to.Headers[:0], x, x.Request.Headers)
	for _, own := range to.Headers[to.FromClient:] {
		if plan.EqualFold(own.Name, "host") {
			to.Host = own.Value
		}
	}
	to.Query = m.query.apply(x, x.Request.Query)
	if m.path != nil {
		to.Path = rooted(x, m.path)
	}
	return nil
}

// rooted returns a path's value with a slash at its beginning.
// UNVERIFIED: that a path without a value is "/".
func rooted(x *plan.Exchange, path *expression) string {
	start := len(x.Scratch)
	x.Scratch = append(x.Scratch, '/')
	path.append(x)
	if len(x.Scratch) > start+1 && x.Scratch[start+1] == '/' {
		start++
	}
	return since(x, start)
}

// A requestHeader is the value of a header, of several lines joined.
type requestHeader string

func (s requestHeader) append(dst []byte, x *plan.Exchange) []byte {
	return appendLines(dst, x.Request.Headers, string(s))
}

// A requestQuery is the value of a query parameter, several joined by commas.
type requestQuery string

func (s requestQuery) append(dst []byte, x *plan.Exchange) []byte {
	start := len(dst)
	for rest := x.Request.Query; rest != ""; {
		var piece string
		piece, rest, _ = strings.Cut(rest, "&")
		name, value, _ := strings.Cut(piece, "=")
		// The decoded name is only looked at.
		end := len(dst)
		dst = plan.AppendDecodedQuery(dst, name)
		same := string(dst[end:]) == string(s)
		dst = dst[:end]
		if !same {
			continue
		}
		if end > start {
			dst = append(dst, ',')
		}
		dst = plan.AppendDecodedQuery(dst, value)
	}
	return dst
}

// requestPath is the path without the stage, as HTTP APIs show it.
type requestPath struct{}

func (requestPath) append(dst []byte, x *plan.Exchange) []byte {
	return plan.AppendDecoded(dst, plan.CutPath(x.StagePath))
}

// A pathVariable is the value of a variable of the route's path. A route that
// doesn't have it has no value for it.
type pathVariable string

func (s pathVariable) append(dst []byte, x *plan.Exchange) []byte {
	for i, name := range x.Route.ParamNames {
		if name == string(s) {
			return plan.AppendDecoded(dst, plan.CutPath(x.Params[i]))
		}
	}
	return dst
}

// A requestBody is the whole body or, with a path, what that leads to.
type requestBody jsonPath

func (s requestBody) append(dst []byte, x *plan.Exchange) []byte {
	if s == nil {
		return append(dst, x.Request.Body...)
	}
	return jsonPath(s).append(dst, x.Request.Body)
}
