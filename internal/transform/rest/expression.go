package rest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/contextvar"
	"gatehouse/internal/plan"
)

// A source says what a mapping expression is worth for an exchange.
type source interface {
	// value is good until the exchange ends. Without one the parameter isn't set.
	value(x *plan.Exchange) (value string, ok bool)
}

// A multiSource has a value for each of several parameters of one name.
type multiSource interface {
	source
	each(x *plan.Exchange, yield func(value string))
}

// An ExpressionError refuses a mapping expression, in AWS's words.
type ExpressionError struct{ Expression string }

func (e *ExpressionError) Error() string {
	return fmt.Sprintf("Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: %s]", e.Expression)
}

// parseRequestExpression compiles the value of a request parameter. Paths into
// the body are added to paths.
func parseRequestExpression(text string, o *RequestOptions, paths *bodyPaths) (source, error) {
	if s, ok := parseCommon(text, o.Variables, contextvar.AtRequest, o.lookup()); ok {
		return s, nil
	}
	if name, ok := strings.CutPrefix(text, o.prefix()); ok {
		kind, name, dotted := strings.Cut(name, ".")
		switch {
		case kind == "body" && !dotted:
			return requestBody{}, nil
		case kind == "body":
			return paths.add(name)
		case name == "":
		case o.Route != nil && kind == "path":
		default:
			if from := parameterSource(kind, name); from != nil {
				return o.declared(kind, name, from), nil
			}
		}
	}
	return nil, &ExpressionError{text}
}

// parameterSource is a parameter of the request by its kind, nil for a kind that
// there isn't.
func parameterSource(kind, name string) source {
	switch kind {
	case "path":
		return pathSource(name)
	case "querystring":
		return querySource(name)
	case "multivaluequerystring":
		return queriesSource(name)
	case "header":
		return headerSource(name)
	case "multivalueheader":
		return headersSource(name)
	}
	return nil
}

// parseResponseExpression compiles the value of a response header. Paths into
// the body are added to paths.
func parseResponseExpression(text string, variables map[string]string, paths *bodyPaths) (source, error) {
	if s, ok := parseCommon(text, variables, contextvar.AtResponse, contextvar.LookupREST); ok {
		return s, nil
	}
	if name, ok := strings.CutPrefix(text, "integration.response."); ok {
		kind, name, dotted := strings.Cut(name, ".")
		switch {
		case kind == "body" && !dotted:
			return responseBody{}, nil
		case kind == "body":
			return paths.addResponse(name)
		case name == "":
		case kind == "header":
			return responseHeader(name), nil
		case kind == "multivalueheader":
			return responseHeaders(name), nil
		}
	}
	return nil, &ExpressionError{text}
}

// A lookup finds the variables of $context that an API type has.
type lookup func(name string) (contextvar.Variable, bool)

// parseCommon compiles what may stand in both directions.
func parseCommon(text string, variables map[string]string, moment contextvar.Moment, lookup lookup) (source, bool) {
	if len(text) >= 2 && text[0] == '\'' && text[len(text)-1] == '\'' {
		return literal(text[1 : len(text)-1]), true
	}
	if name, ok := strings.CutPrefix(text, "stageVariables."); ok && name != "" {
		v, there := variables[name]
		if !there {
			return nothing{}, true
		}
		return literal(v), true
	}
	if name, ok := strings.CutPrefix(text, "context."); ok {
		v, known := lookup(name)
		switch {
		case known && v.Has(moment):
			return contextSource{v}, true
		case known:
			return nothing{}, true
		case strings.HasPrefix(name, "requestOverride."), strings.HasPrefix(name, "responseOverride."):
			return nothing{}, true
		}
	}
	return nil, false
}

// A literal is a value that doesn't depend on the exchange.
type literal string

func (s literal) value(*plan.Exchange) (string, bool) { return string(s), true }

// nothing never has a value.
type nothing struct{}

func (nothing) value(*plan.Exchange) (string, bool) { return "", false }

type contextSource struct{ variable contextvar.Variable }

func (s contextSource) value(x *plan.Exchange) (string, bool) {
	start := len(x.Scratch)
	var ok bool
	x.Scratch, ok = s.variable.Append(x.Scratch, x, 0, nil)
	return since(x, start), ok
}

type pathSource string

func (s pathSource) value(x *plan.Exchange) (string, bool) {
	return pathParameter(x, string(s), false)
}

type querySource string

func (s querySource) value(x *plan.Exchange) (string, bool) { return queryParameter(x, string(s)) }

type headerSource string

func (s headerSource) value(x *plan.Exchange) (string, bool) { return header(x, string(s)) }

// A queriesSource is all values of a query parameter.
type queriesSource string

func (s queriesSource) value(x *plan.Exchange) (string, bool) { return joined(s, x) }

func (s queriesSource) each(x *plan.Exchange, yield func(string)) {
	for name, value := range query(x, x.Request.Query) {
		if name == string(s) {
			yield(value)
		}
	}
}

// A headersSource is all values of a request header.
type headersSource string

func (s headersSource) value(x *plan.Exchange) (string, bool) { return joined(s, x) }

func (s headersSource) each(x *plan.Exchange, yield func(string)) {
	if ruleOf(string(s))&hidden != 0 {
		return
	}
	for _, h := range x.Request.Headers {
		if plan.EqualFold(h.Name, string(s)) {
			yield(h.Value)
		}
	}
}

type responseHeader string

func (s responseHeader) value(x *plan.Exchange) (string, bool) {
	for _, h := range slices.Backward(x.Response.Headers) {
		if plan.EqualFold(h.Name, string(s)) {
			return h.Value, true
		}
	}
	return "", false
}

// A responseHeaders is all values of a header of the integration's response.
type responseHeaders string

func (s responseHeaders) value(x *plan.Exchange) (string, bool) { return joined(s, x) }

func (s responseHeaders) each(x *plan.Exchange, yield func(string)) {
	for _, h := range x.Response.Headers {
		if plan.EqualFold(h.Name, string(s)) {
			yield(h.Value)
		}
	}
}

// joined is several values with commas between.
func joined(s multiSource, x *plan.Exchange) (string, bool) {
	var all []string
	s.each(x, func(value string) { all = append(all, value) })
	if len(all) < 2 {
		return strings.Join(all, ""), len(all) == 1
	}
	start := len(x.Scratch)
	for i, value := range all {
		if i > 0 {
			x.Scratch = append(x.Scratch, ',')
		}
		x.Scratch = append(x.Scratch, value...)
	}
	return since(x, start), true
}

func appendInt(dst []byte, v int64) []byte { return strconv.AppendInt(dst, v, 10) }
