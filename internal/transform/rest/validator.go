package rest

import (
	"fmt"
	"slices"
	"strings"

	"gatehouse/internal/plan"
	"gatehouse/internal/transform/model"
)

// ValidatorOptions is what a method asks of requests, and its request validator
// of that.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html
type ValidatorOptions struct {
	// Parameters are the method's: "method.request.{header|path|querystring}.NAME"
	// to whether it is required.
	Parameters map[string]bool
	// CheckParameters and CheckBody are what the validator checks.
	CheckParameters, CheckBody bool
	// Models are the names of the models by content type; "$default" is for all
	// others.
	Models map[string]string
	// Library has the API's models.
	Library *Library
	// PathVariables are the names of the variables in the resource's path.
	PathVariables []string
}

// NewValidator compiles what is checked of a method's requests; nil when that is
// nothing. The error says which parameter or model is wrong.
func NewValidator(o ValidatorOptions) (plan.Validator, error) {
	v := &validator{}
	if o.CheckParameters {
		if err := v.addParameters(o.Parameters, methodPrefix, o.PathVariables); err != nil {
			return nil, err
		}
	}
	if o.CheckBody {
		if err := v.addModels(&o); err != nil {
			return nil, err
		}
	}
	if len(v.required) == 0 && len(v.models) == 0 && v.fallback == nil {
		return nil, nil
	}
	return v, nil
}

// A Library has the models of an API, each compiled once however many methods
// ask for it. It isn't for use by several goroutines.
type Library struct {
	apiID    string
	schema   func(name string) (schema string, ok bool)
	compiled map[string]*model.Model
}

// NewLibrary makes a library of the models whose schemas are given by name.
func NewLibrary(apiID string, schema func(name string) (string, bool)) *Library {
	return &Library{apiID, schema, map[string]*model.Model{}}
}

func (l *Library) model(name string) (*model.Model, error) {
	if m := l.compiled[name]; m != nil {
		return m, nil
	}
	schema, found := l.schema(name)
	if !found {
		return nil, fmt.Errorf("there is no model %s", name)
	}
	m, err := model.Compile(schema, model.Options{APIID: l.apiID, Schema: l.schema})
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	l.compiled[name] = m
	return m, nil
}

// CheckSchema tells what is wrong with a model's schema by itself, nil for
// nothing. The models that it refers to aren't looked at.
func CheckSchema(schema string) error {
	_, err := model.Compile(schema, model.Options{})
	return err
}

// A validator checks the requests of one method.
type validator struct {
	// required are the parameters, in the order in which they are told.
	required []requiredParameter
	models   []typedModel
	// fallback is the model of "$default", nil without one.
	fallback *model.Model
}

type requiredParameter struct {
	name  string
	value source
}

type typedModel struct {
	mediaType string
	model     *model.Model
}

// parameterPlaces are the places of parameters in the order in which AWS tells
// what is missing.
// UNVERIFIED: that the parameters of one place are told sorted, and that the
// case of a header's name doesn't count: AWS's guide says it does, but clients
// of HTTP/2 can't but send lower case.
var parameterPlaces = [...]string{"header", "path", "querystring"}

// addParameters adds the parameters whose names begin with prefix.
func (v *validator) addParameters(parameters map[string]bool, prefix string, pathVariables []string) error {
	byPlace := map[string][]string{}
	for key, required := range parameters {
		rest, found := strings.CutPrefix(key, prefix)
		place, name, dotted := strings.Cut(rest, ".")
		if !found || !dotted || name == "" || !slices.Contains(parameterPlaces[:], place) {
			return fmt.Errorf("request parameter %q: there is no such thing", key)
		}
		if required {
			byPlace[place] = append(byPlace[place], name)
		}
	}
	for _, place := range parameterPlaces {
		names := byPlace[place]
		slices.Sort(names)
		for _, name := range names {
			var value source
			switch {
			case place == "header":
				value = headerSource(name)
			case place == "querystring":
				value = querySource(name)
			case slices.Contains(pathVariables, name):
				value = pathSource(name)
			default:
				value = nothing{} // what the path doesn't have is always missing
			}
			v.required = append(v.required, requiredParameter{name, value})
		}
	}
	return nil
}

func (v *validator) addModels(o *ValidatorOptions) error {
	for _, contentType := range sortedKeys(o.Models) {
		m, err := o.Library.model(o.Models[contentType])
		if err != nil {
			return err
		}
		if contentType == defaultTemplate {
			v.fallback = m
			continue
		}
		v.models = append(v.models, typedModel{plan.MediaType(contentType), m})
	}
	return nil
}

// Validate implements plan.Validator.
func (v *validator) Validate(x *plan.Exchange) error {
	if err := v.parameters(x); err != nil {
		return err
	}
	if len(v.models) == 0 && v.fallback == nil {
		return nil
	}
	return v.body(x)
}

func (v *validator) parameters(x *plan.Exchange) error {
	var missing []string
	for i := range v.required {
		p := &v.required[i]
		if value, ok := p.value.value(x); !ok || isBlank(value) {
			missing = append(missing, p.name)
		}
	}
	if missing == nil {
		return nil
	}
	message := "Missing required request parameters: [" + strings.Join(missing, ", ") + "]"
	if x.Trace != nil {
		// UNVERIFIED: the line.
		x.Trace.Error("%s", message)
	}
	return &plan.Fault{Kind: plan.BadRequestParameters, Reason: message, Message: message}
}

func isBlank(text string) bool { return strings.TrimSpace(text) == "" }

func (v *validator) body(x *plan.Exchange) error {
	mediaType := contentType(x.Request.Headers)
	m := v.model(mediaType)
	if m == nil {
		return nil
	}
	if err := x.ReadBody(); err != nil {
		return &plan.Fault{Kind: plan.BadRequest, Reason: "the request's body can't be read: " + err.Error(), Cause: err}
	}
	problems, ok := validate(x, m)
	if ok {
		return nil
	}
	if x.Trace != nil {
		x.Trace.Error("Request body does not match model schema for content type %s: %s", mediaType, problems)
	}
	return &plan.Fault{
		Kind: plan.BadRequestBody, Reason: "the body doesn't match the model for " + mediaType + ": " + problems, Validation: problems,
	}
}

// validate holds a body that was read against a model.
func validate(x *plan.Exchange, m *model.Model) (problems string, ok bool) {
	defer x.Turns.Give(x.Turns.Take(len(x.Request.Body)))
	return m.Validate(x.Request.Body)
}

// model is the model for a media type, nil without one.
func (v *validator) model(mediaType string) *model.Model {
	for i := range v.models {
		if plan.EqualFold(v.models[i].mediaType, mediaType) {
			return v.models[i].model
		}
	}
	return v.fallback
}
