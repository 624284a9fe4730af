package compile

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/authorize"
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
	"gatehouse/internal/transform/rest"
)

// A methodBuilder compiles the methods of a stage.
type methodBuilder struct {
	*restBuilder
	stage *plan.Stage
	doc   *definition.RestStage
	// counted is the stage's name for metrics and logs.
	counted string
	// certificate is what https backends are shown, nil for nothing.
	certificate *tls.Certificate
	models      *rest.Library
	validators  map[string]apigateway.RequestValidator
	// authorizers by id.
	authorizers map[string]*definition.RestAuthorizer
	// lambdas are the Lambda authorizers that were compiled, by id.
	lambdas map[string]plan.Authorizer
	// policy is the resource policy, nil for none.
	policy *authorize.ResourcePolicy
	// keysFromAuthorizer tells that API keys aren't in the header x-api-key.
	keysFromAuthorizer bool
	// uncached tells that the stage has no cache, or is a canary that doesn't use
	// it.
	uncached bool
}

// readModels reads what methods refer to.
func (m *methodBuilder) readModels(view *store.Tx) error {
	schemas := map[string]string{}
	m.validators = map[string]apigateway.RequestValidator{}
	m.models = rest.NewLibrary(m.key.id, func(name string) (string, bool) { s, ok := schemas[name]; return s, ok })
	for e, err := range definition.RestModels.All(view, m.key.Scope, m.key.id) {
		if err != nil {
			return fmt.Errorf("compile: models of API %s: %w", m.key.id, err)
		}
		schemas[e.ID[1]] = value(e.Doc.Schema)
	}
	for e, err := range definition.RequestValidators.All(view, m.key.Scope, m.key.id) {
		if err != nil {
			return fmt.Errorf("compile: request validators of API %s: %w", m.key.id, err)
		}
		m.validators[e.ID[1]] = e.Doc.RequestValidator
	}
	return nil
}

// CheckModel says why bodies can't be validated against a model's schema,
// nil when they can. The models that it refers to aren't looked at.
func (c *Compiler) CheckModel(schema string) error { return rest.CheckSchema(schema) }

// addResource adds the methods of a resource to the stage.
func (m *methodBuilder) addResource(r *apigateway.Resource) error {
	for _, verb := range slices.Sorted(maps.Keys(r.ResourceMethods)) {
		method := r.ResourceMethods[verb]
		route, err := m.method(r, verb, &method)
		if err != nil {
			return err
		}
		m.stage.Routes = m.stage.Routes.With(route)
	}
	return nil
}

// method compiles one method.
func (m *methodBuilder) method(r *apigateway.Resource, verb string, doc *apigateway.Method) (*plan.Route, error) {
	route, err := newMethod(r, verb, doc)
	if err != nil {
		return nil, err
	}
	if err := m.guard(route, doc); err != nil {
		return nil, err
	}
	m.applySettings(route)
	if err := m.execution(route, doc); err != nil {
		return nil, err
	}
	return route, m.cache(route, doc)
}

// newMethod compiles when a method is called.
func newMethod(r *apigateway.Resource, verb string, doc *apigateway.Method) (*plan.Route, error) {
	path := value(r.Path)
	key, err := plan.ParseRouteKey(verb + " " + path)
	if err != nil {
		return nil, problem("Resource", path, err)
	}
	return &plan.Route{
		Key:        verb + " " + path,
		ID:         value(r.Id) + "/" + verb,
		Method:     key.Method,
		Path:       key.Path,
		ParamNames: key.ParamNames,
		Greedy:     key.Greedy,
		Rest: &plan.Method{
			ResourceID:    value(r.Id),
			OperationName: value(doc.OperationName),
		},
	}, nil
}

// guard compiles who may call a method.
func (m *methodBuilder) guard(route *plan.Route, doc *apigateway.Method) error {
	var err error
	if route.Authorizer, err = m.authorizer(doc); err != nil {
		return problem("Method", route.Key, err)
	}
	if value(doc.ApiKeyRequired) {
		route.Rest.APIKey = m.apiKeys()
	}
	return nil
}

// execution compiles what a method does with a request that may call it.
func (m *methodBuilder) execution(route *plan.Route, doc *apigateway.Method) (err error) {
	if route.Rest.Validator, err = m.validator(doc, route.ParamNames); err == nil {
		err = m.integration(route, doc)
	}
	if err != nil {
		return problem("Method", route.Key, err)
	}
	return nil
}

// apiKeys is the check of the stage's API keys.
func (m *methodBuilder) apiKeys() plan.APIKeyCheck {
	return m.c.parts.apiKeys(APIKeys{APIID: m.key.id, Stage: m.stage.Name, FromAuthorizer: m.keysFromAuthorizer})
}

// allMethods is the key of the settings of methods that have none of their own.
const allMethods = "*/*"

// settingsOf returns the stage's settings of a method, nil without any; own tells
// that they are for that method.
func (m *methodBuilder) settingsOf(route *plan.Route) (settings *apigateway.MethodSetting, own bool) {
	path := strings.TrimPrefix(route.Path, "/")
	// The inner slashes of a key are escaped as in a JSON pointer; the first one
	// may be there or not.
	escaped := strings.ReplaceAll(path, "/", "~1")
	for _, key := range [...]string{escaped + "/" + route.Method, "~1" + escaped + "/" + route.Method, path + "/" + route.Method, allMethods} {
		if s, ok := m.doc.MethodSettings[key]; ok {
			return &s, key != allMethods
		}
	}
	return nil, false
}

func (m *methodBuilder) applySettings(route *plan.Route) {
	s, _ := m.settingsOf(route)
	if s == nil {
		return
	}
	route.Rest.Log.Data = value(s.DataTraceEnabled)
	switch value(s.LoggingLevel) {
	case "ERROR":
		route.Rest.Log.Level = plan.LogError
	case "INFO":
		route.Rest.Log.Level = plan.LogInfo
	}
	if value(s.MetricsEnabled) {
		route.Metrics = m.c.parts.RouteMetrics(m.head, m.counted, route.Method, route.Path)
	}
	rate, burst := orElse(s.ThrottlingRateLimit, AccountRate), orElse(s.ThrottlingBurstLimit, AccountBurst)
	// The settings begin with the account's quota, which is the operator's to
	// enforce.
	if rate >= 0 && burst >= 0 && (rate != AccountRate || burst != AccountBurst) {
		route.Limit = m.c.parts.RouteLimit(m.head, m.stage.Name, route.ID, rate, burst)
	}
}

func orElse[T any](p *T, d T) T {
	if p == nil {
		return d
	}
	return *p
}

// validator compiles the request validation of a method; nil without one.
func (m *methodBuilder) validator(doc *apigateway.Method, pathVariables []string) (plan.Validator, error) {
	id := value(doc.RequestValidatorId)
	if id == "" {
		return nil, nil
	}
	v, ok := m.validators[id]
	if !ok {
		return nil, errors.New("its request validator " + id + " is gone")
	}
	if !value(v.ValidateRequestBody) && !value(v.ValidateRequestParameters) {
		return nil, nil
	}
	return rest.NewValidator(rest.ValidatorOptions{
		Parameters:      doc.RequestParameters,
		CheckParameters: value(v.ValidateRequestParameters),
		CheckBody:       value(v.ValidateRequestBody),
		Models:          doc.RequestModels,
		Library:         m.models,
		PathVariables:   pathVariables,
	})
}
