package transform

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/contextvar"
	"gatehouse/internal/plan"
)

// An Action makes the request of an AWS service's action: the requestParameters
// of an integration with an integrationSubtype. What the service has to be told
// beside is with the integration.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html
type Action struct {
	*ActionType
	values []actionValue
	region *actionValue
	body   bool // a value is in the body
}

// An ActionType is a subtype of integrations.
type ActionType struct {
	// Subtype is AWS's name of it, Service the prefix of the service, Name the
	// action's own name and Method that of its requests.
	Subtype, Service, Name, Method string

	contentType string
	parameters  []actionParameter
	// write writes the request into x.Mapped.
	write func(a *Action, x *plan.Exchange) error
}

// An actionParameter is what an action can be told.
type actionParameter struct {
	name string
	// key is the parameter's name in the request.
	key      string
	kind     actionKind
	required bool
}

// An actionKind is what a parameter's value is.
type actionKind uint8

const (
	asText actionKind = iota
	asNumber
	asTime
	asBytes
	asList
	asAttributes
)

// An actionValue is a parameter with what is mapped to it.
type actionValue struct {
	parameter *actionParameter
	source    string // as written
	from      expression
}

// regionParameter is a parameter that every action has.
var regionParameter = actionParameter{name: "Region"}

// NewAction compiles the requestParameters of an integration with a subtype for a
// stage with the variables.
func NewAction(subtype string, parameters, variables map[string]string) (*Action, error) {
	of := actionType(subtype)
	if of == nil {
		// UNVERIFIED: the words of this and the next errors.
		return nil, fmt.Errorf("Invalid integrationSubtype specified: %s", subtype)
	}
	a := &Action{ActionType: of}
	p := &parser{message: "request.", moment: contextvar.AtRequest, variables: variables}
	own := &Request{} // it knows the sources
	p.references = own.reference
	known := map[string]bool{regionParameter.name: true}
	for i := range of.parameters {
		parameter := &of.parameters[i]
		known[parameter.name] = true
		text := parameters[parameter.name]
		if text == "" {
			if parameter.required {
				return nil, fmt.Errorf("Missing required parameter for %s: %s", subtype, parameter.name)
			}
			continue
		}
		v, err := p.actionValue(parameter, text)
		if err != nil {
			return nil, err
		}
		a.values = append(a.values, v)
	}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		if !known[name] {
			return nil, fmt.Errorf("Invalid parameter specified for %s: %s", subtype, name)
		}
	}
	if text := parameters[regionParameter.name]; text != "" {
		v, err := p.actionValue(&regionParameter, text)
		if err != nil {
			return nil, err
		}
		a.region = &v
	}
	a.body = own.body
	return a, nil
}

func actionType(subtype string) *ActionType {
	for i := range actions {
		if actions[i].Subtype == subtype {
			return &actions[i]
		}
	}
	return nil
}

// actionValue parses a parameter's value. What is put into a document is put into
// its strings.
func (p *parser) actionValue(parameter *actionParameter, text string) (actionValue, error) {
	encode := encoding(asIs)
	if parameter.kind == asAttributes && !isReference(text) {
		encode = inJSON
	}
	from, err := p.expression(text, encode, asIs)
	if err != nil || parameter.kind == asAttributes && !strings.Contains(text, "$") {
		// AWS takes no document without a reference in it.
		return actionValue{}, fmt.Errorf("Invalid selection expression specified: Validation Result: warnings : [], errors : [Invalid source: %s specified for destination: %s]", text, parameter.name)
	}
	return actionValue{parameter, text, from}, nil
}

// isReference tells whether a value is one reference and nothing else.
func isReference(text string) bool {
	name, found := strings.CutPrefix(text, "$")
	if !found {
		return false
	}
	name, braced := strings.CutPrefix(name, "{")
	return !braced || strings.IndexByte(name, '}') == len(name)-1
}

// Map leaves in x.Mapped the request to the service.
func (a *Action) Map(x *plan.Exchange) error {
	if a.body {
		if err := x.ReadBody(); err != nil {
			return &plan.Fault{Kind: plan.BadRequest, Reason: "the request's body can't be read: " + err.Error(), Cause: err}
		}
	}
	to := &x.Mapped
	to.On, to.Headers, to.FromClient = true, to.Headers[:0], 0
	if a.region != nil {
		if to.Region = a.region.from.value(x); to.Region == "" {
			return unresolved(x, a.region)
		}
	}
	if a.contentType != "" {
		to.Headers = append(to.Headers, plan.Header{Name: "Content-Type", Value: a.contentType})
	}
	return a.writeHeld(x)
}

// heldFrom is from how many bytes on what is made of a request counts as one that
// is held whole.
const heldFrom = 64 << 10

// writeHeld writes the request. A long body becomes one that is several times as
// long, where all of it is escaped.
func (a *Action) writeHeld(x *plan.Exchange) error {
	defer x.Turns.Give(x.Turns.Take(len(x.Request.Body)))
	before := cap(x.Scratch)
	if err := a.write(a, x); err != nil {
		return err
	}
	n := cap(x.Scratch) - before + cap(x.Mapped.Body)
	if n < heldFrom {
		return nil
	}
	if err := x.Hold(n); err != nil {
		return &plan.Fault{Kind: plan.IntegrationFailure, Reason: "the request to the service can't be held: " + err.Error(), Cause: err}
	}
	return nil
}

// text is a parameter's value for an exchange. AWS refuses a request that has none
// for it, needed or not, with status 400.
// UNVERIFIED: that nothing and an empty text are the same, and the body that
// clients get.
func (v *actionValue) text(x *plan.Exchange) (string, error) {
	text := v.from.value(x)
	if text == "" {
		return "", unresolved(x, v)
	}
	return text, nil
}

func unresolved(x *plan.Exchange, v *actionValue) error {
	x.Integration.Error = "Unable to resolve property " + v.parameter.name + " from source " + v.source
	return &plan.Fault{Kind: plan.BadRequest, Reason: x.Integration.Error}
}

// misfit is the fault of a value that isn't what the parameter takes.
// UNVERIFIED: the words.
func misfit(x *plan.Exchange, v *actionValue, what string) error {
	x.Integration.Error = "Unable to resolve property " + v.parameter.name + " from source " + v.source + ": it is no " + what
	return &plan.Fault{Kind: plan.BadRequest, Reason: x.Integration.Error}
}
