package rest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/plan"
)

// GatewayResponseOptions is a gateway response as an API defines it.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
type GatewayResponseOptions struct {
	// Status takes the place of the error's status, "" leaves that.
	Status string
	// Parameters are headers: "gatewayresponse.header.NAME" to 'literal',
	// method.request.{header|querystring|path}.NAME, context.NAME or
	// stageVariables.NAME. AWS takes keys for query strings and paths, too,
	// which mean nothing in a response.
	Parameters map[string]string
	// Templates are the bodies by media type; none is AWS's default one.
	Templates map[string]string
}

const (
	gatewayHeaderPrefix    = "gatewayresponse.header."
	defaultGatewayTemplate = `{"message":$context.error.messageString}`
)

// NewGatewayResponses compiles the gateway responses of an API by the name of
// their type. A type that isn't among them is answered as DEFAULT_4XX or
// DEFAULT_5XX says if those are; one that is takes nothing from them. variables
// are those of the stage. The error says which response is wrong.
func NewGatewayResponses(put map[string]GatewayResponseOptions, variables map[string]string) ([plan.ResponseTypes]plan.GatewayResponse, error) {
	var all, none [plan.ResponseTypes]plan.GatewayResponse
	for name, o := range put {
		t, known := plan.ParseResponseType(name)
		if !known {
			return none, fmt.Errorf("gateway response %s: there is no such type", name)
		}
		r, err := newGatewayResponse(o, variables)
		if err != nil {
			return none, fmt.Errorf("gateway response %s: %w", name, err)
		}
		all[t] = r
	}
	for t := range plan.ResponseTypes {
		if all[t] == nil {
			all[t] = all[defaultOf(t)]
		}
	}
	return all, nil
}

// defaultOf is the type whose settings another one takes over: the class of a
// type is that of its default status.
func defaultOf(t plan.ResponseType) plan.ResponseType {
	switch t {
	case plan.APIConfigurationErrorResponse, plan.AuthorizerConfigurationErrorResponse, plan.AuthorizerFailureResponse,
		plan.IntegrationFailureResponse, plan.IntegrationTimeoutResponse, plan.Default5XXResponse:
		return plan.Default5XXResponse
	default:
		return plan.Default4XXResponse
	}
}

// A gatewayResponse makes the responses of one type of error.
type gatewayResponse struct {
	status    int // 0 leaves the error's own
	headers   []gatewayHeader
	templates []gatewayTemplate
	// json is the template of who accepts nothing else that there is.
	json *gatewayTemplate
}

type gatewayHeader struct {
	name  string
	value gatewayValue
}

func newGatewayResponse(o GatewayResponseOptions, stage map[string]string) (*gatewayResponse, error) {
	r := &gatewayResponse{}
	if o.Status != "" {
		status, err := strconv.Atoi(o.Status)
		if err != nil || status < 200 || status > 599 {
			return nil, fmt.Errorf("the status code %q is none", o.Status)
		}
		r.status = status
	}
	for key, value := range o.Parameters {
		name, isHeader := strings.CutPrefix(key, gatewayHeaderPrefix)
		if !isHeader {
			continue
		}
		v, ok := parseGatewayParameter(value, stage)
		if !ok {
			return nil, fmt.Errorf("parameter %s: %q is no value for it", key, value)
		}
		r.headers = append(r.headers, gatewayHeader{name, v})
	}
	slices.SortFunc(r.headers, func(a, b gatewayHeader) int { return strings.Compare(a.name, b.name) })
	for mediaType, text := range o.Templates {
		r.templates = append(r.templates, parseGatewayTemplate(mediaType, text, stage))
	}
	slices.SortFunc(r.templates, func(a, b gatewayTemplate) int { return strings.Compare(a.mediaType, b.mediaType) })
	r.json = r.template(jsonType)
	if r.json == nil {
		// UNVERIFIED: what answers who accepts none of the templates when JSON's
		// isn't among them.
		t := parseGatewayTemplate(jsonType, defaultGatewayTemplate, stage)
		r.json = &t
	}
	return r, nil
}

// Answer implements plan.GatewayResponse.
func (r *gatewayResponse) Answer(x *plan.Exchange) {
	if r.status != 0 {
		x.Response.Status = r.status
	}
	t := r.accepted(x.Request.Headers.Get("accept"))
	x.Response.Headers = setHeader(x.Response.Headers, "Content-Type", t.contentType)
	for i := range r.headers {
		h := &r.headers[i]
		value, ok := h.value.append(nil, x, nil)
		if !ok {
			continue // UNVERIFIED: that a header without a value is left out
		}
		x.Response.Headers = setHeader(x.Response.Headers, h.name, string(withoutControls(value)))
	}
	x.Response.Body = t.render(x)
}

// accepted is the template for an Accept header: that of the first media type
// that has one.
// UNVERIFIED: that the weights of media types don't count.
func (r *gatewayResponse) accepted(accept string) *gatewayTemplate {
	if len(r.templates) == 0 {
		return r.json
	}
	for mediaRange := range strings.SplitSeq(accept, ",") {
		if t := r.template(plan.MediaType(mediaRange)); t != nil {
			return t
		}
	}
	return r.json
}

func (r *gatewayResponse) template(mediaType string) *gatewayTemplate {
	for i := range r.templates {
		if plan.EqualFold(r.templates[i].mediaType, mediaType) {
			return &r.templates[i]
		}
	}
	return nil
}

// withoutControls drops what would end a header line or mustn't stand in one.
func withoutControls(value []byte) []byte {
	return slices.DeleteFunc(value, func(c byte) bool { return c < ' ' && c != '\t' || c == 0x7f })
}
