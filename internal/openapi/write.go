package openapi

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/awsapi/apigatewayv2"
)

// WriteOptions say how a document is written.
type WriteOptions struct {
	// YAML is written instead of JSON.
	YAML bool
	// BasePath is what follows the API's endpoint and a slash, as in "prod", or "".
	BasePath string
	// NoExtensions leaves AWS's extensions out, and with them what OpenAPI has
	// no word for.
	NoExtensions bool
}

// defaultTimeout is the timeout of integrations that isn't written.
// UNVERIFIED: that AWS's exports leave it out.
const defaultTimeout = 30_000

// Write writes a document as AWS's exports look. Routes are sorted by path; two
// documents that say the same are the same bytes.
func Write(d *Document, o WriteOptions) []byte {
	w := &writer{doc: d, extensions: !o.NoExtensions, users: make(map[*Integration]int, len(d.Integrations))}
	root := w.root(o.BasePath)
	if o.YAML {
		return appendYAML(nil, &root)
	}
	return appendJSON(nil, &root)
}

// A writer turns a Document into the document's values.
type writer struct {
	doc        *Document
	extensions bool
	// users are how many routes an integration has.
	users map[*Integration]int
}

func (w *writer) root(basePath string) node {
	w.count()
	api := &w.doc.API
	root := newObject()
	root.add("openapi", quoted("3.0.1"))
	root.add("info", w.info())
	root.add("servers", newList(w.server(basePath)))
	if len(api.Tags) > 0 {
		root.add("tags", w.tags())
	}
	root.add("paths", w.paths())
	if components := w.components(); len(components.members) > 0 {
		root.add("components", components)
	}
	if !w.extensions {
		return root
	}
	if api.CorsConfiguration != nil {
		root.add(corsKey, cors(api.CorsConfiguration))
	}
	root.add(versionKey, quoted("1.0"))
	return root
}

// count finds out which integrations several routes share and which none has.
func (w *writer) count() {
	for _, route := range w.doc.Routes {
		w.users[route.Integration]++
	}
}

// unusedPrefix is what AWS names the integrations after that no route has.
const unusedPrefix = "unusedIntegration_"

func (w *writer) info() node {
	api := &w.doc.API
	info := newObject()
	info.addText("title", api.Name)
	info.addText("description", api.Description)
	version := api.Version
	if version == nil {
		// OpenAPI requires one; recorded exports have a time of this form.
		// UNVERIFIED: that it is the API's creation.
		version = new(value(api.CreatedDate).UTC().Format(time.DateTime) + "UTC")
	}
	info.addText("version", version)
	return info
}

func (w *writer) server(basePath string) node {
	api := &w.doc.API
	fallback, variables, server := newObject(), newObject(), newObject()
	fallback.add("default", quoted(basePath))
	variables.add("basePath", fallback)
	server.add("url", quoted(value(api.ApiEndpoint)+"/{basePath}"))
	server.add("variables", variables)
	if w.extensions && value(api.DisableExecuteApiEndpoint) {
		closed := newObject()
		closed.add("disableExecuteApiEndpoint", truth(true))
		server.add(endpointKey, closed)
	}
	return server
}

func (w *writer) tags() node {
	all := newList()
	for _, key := range slices.Sorted(maps.Keys(w.doc.API.Tags)) {
		tag := newObject()
		tag.add("name", quoted(key))
		if w.extensions {
			tag.add(tagValueKey, quoted(w.doc.API.Tags[key]))
		}
		all.add("", tag)
	}
	return all
}

func (w *writer) paths() node {
	routes := slices.Clone(w.doc.Routes)
	slices.SortFunc(routes, func(a, b *Route) int { return strings.Compare(sortKey(*a.RouteKey), sortKey(*b.RouteKey)) })
	paths := newObject()
	for first := 0; first < len(routes); {
		_, path := splitKey(*routes[first].RouteKey)
		item := newObject()
		next := first
		for ; next < len(routes); next++ {
			method, at := splitKey(*routes[next].RouteKey)
			if at != path {
				break
			}
			key := strings.ToLower(method)
			if method == "ANY" {
				key = anyMethodKey
			}
			item.add(key, w.operation(routes[next]))
		}
		first = next
		if parameters := parameters(path); len(parameters.members) > 0 {
			item.add("parameters", parameters)
		}
		paths.add(path, item)
	}
	return paths
}

// splitKey returns the method and the path under which a route is written.
func splitKey(routeKey string) (method, path string) {
	if routeKey == defaultRouteKey {
		return "ANY", defaultPath
	}
	method, path, _ = strings.Cut(routeKey, " ")
	return method, path
}

// sortKey orders route keys by path, and on a path puts ANY last.
func sortKey(routeKey string) string {
	method, path := splitKey(routeKey)
	if method == "ANY" {
		return path + " ~"
	}
	return path + " " + method
}

func (w *writer) operation(route *Route) node {
	op := newObject()
	if *route.RouteKey == defaultRouteKey && w.extensions {
		op.add("isDefaultRoute", truth(true))
	}
	op.addText("operationId", route.OperationName)
	fallback, responses := newObject(), newObject()
	fallback.add("description", quoted("Default response for "+*route.RouteKey))
	responses.add("default", fallback)
	op.add("responses", responses)
	if route.Authorizer != nil {
		scopes := newList()
		for _, scope := range route.AuthorizationScopes {
			scopes.add("", quoted(scope))
		}
		requirement := newObject()
		requirement.add(value(route.Authorizer.Name), scopes)
		op.add("security", newList(requirement))
	}
	if !w.extensions {
		return op
	}
	if value(route.AuthorizationType) == apigatewayv2.AuthorizationTypeAWSIAM {
		// UNVERIFIED: that exports of HTTP APIs say it so.
		auth := newObject()
		auth.add("type", quoted(apigatewayv2.AuthorizationTypeAWSIAM))
		op.add(authKey, auth)
	}
	if route.Integration == nil {
		return op
	}
	written := integration(&route.Integration.Integration)
	if w.users[route.Integration] > 1 {
		// AWS's exports repeat what routes share, as far as is known.
		written.addText(sharedKey, route.Integration.IntegrationId)
	}
	op.add(integrationKey, written)
	return op
}

// parameters declares the variables of a path, as OpenAPI requires.
func parameters(path string) node {
	all := newList()
	for part := range strings.SplitSeq(path, "/") {
		if !strings.HasPrefix(part, "{") {
			continue
		}
		name := strings.Trim(part, "{}")
		schema, parameter := newObject(), newObject()
		schema.add("type", quoted("string"))
		parameter.add("name", quoted(name))
		parameter.add("in", quoted("path"))
		parameter.add("description", quoted("Generated path parameter for "+name))
		parameter.add("required", truth(true))
		parameter.add("schema", schema)
		all.add("", parameter)
	}
	return all
}

func (w *writer) components() node {
	components := newObject()
	if len(w.doc.Authorizers) > 0 {
		schemes := newObject()
		for _, authorizer := range slices.SortedFunc(slices.Values(w.doc.Authorizers), func(a, b *Authorizer) int {
			return strings.Compare(value(a.Name), value(b.Name))
		}) {
			schemes.add(value(authorizer.Name), w.scheme(&authorizer.Authorizer))
		}
		components.add("securitySchemes", schemes)
	}
	if !w.extensions {
		return components
	}
	unused := newObject()
	for _, i := range slices.SortedFunc(slices.Values(w.doc.Integrations), func(a, b *Integration) int {
		return strings.Compare(value(a.IntegrationId), value(b.IntegrationId))
	}) {
		if w.users[i] == 0 {
			unused.add(unusedPrefix+value(i.IntegrationId), integration(&i.Integration))
		}
	}
	if len(unused.members) > 0 {
		components.add(integrationsKey, unused)
	}
	return components
}

// scheme writes an authorizer. What stands beside the extension only tells
// clients what to send.
func (w *writer) scheme(a *apigatewayv2.Authorizer) node {
	scheme := newObject()
	if value(a.AuthorizerType) == apigatewayv2.AuthorizerTypeJWT {
		scheme.add("type", quoted("oauth2"))
		scheme.add("flows", newObject())
	} else {
		name, in := credential(a.IdentitySource)
		scheme.add("type", quoted("apiKey"))
		scheme.add("name", quoted(name))
		scheme.add("in", quoted(in))
	}
	if w.extensions {
		scheme.add(authorizerKey, authorizer(a))
	}
	return scheme
}

// credential says where a client puts what a function authorizes by. Several
// identity sources, or others than headers and queries, have no place.
func credential(sources []string) (name, in string) {
	if len(sources) == 1 {
		if name, ok := strings.CutPrefix(sources[0], "$request.header."); ok {
			return name, "header"
		}
		if name, ok := strings.CutPrefix(sources[0], "$request.querystring."); ok {
			return name, "query"
		}
	}
	return "Unused", "header"
}

func authorizer(a *apigatewayv2.Authorizer) node {
	n := newObject()
	if len(a.IdentitySource) > 0 {
		n.add("identitySource", quoted(strings.Join(a.IdentitySource, ",")))
	}
	n.addText("authorizerUri", a.AuthorizerUri)
	n.addText("authorizerCredentials", a.AuthorizerCredentialsArn)
	n.addText("authorizerPayloadFormatVersion", a.AuthorizerPayloadFormatVersion)
	n.addNumber("authorizerResultTtlInSeconds", a.AuthorizerResultTtlInSeconds)
	if jwt := a.JwtConfiguration; jwt != nil {
		configuration := newObject()
		configuration.addTexts("audience", jwt.Audience)
		configuration.addText("issuer", jwt.Issuer)
		n.add("jwtConfiguration", configuration)
	}
	n.add("type", quoted(strings.ToLower(value(a.AuthorizerType))))
	n.addText("identityValidationExpression", a.IdentityValidationExpression)
	if a.EnableSimpleResponses != nil {
		n.add("enableSimpleResponses", truth(*a.EnableSimpleResponses))
	}
	return n
}

// integration writes an integration, in the order of AWS's exports.
func integration(i *apigatewayv2.Integration) node {
	n := newObject()
	n.addText("integrationSubtype", i.IntegrationSubtype)
	if len(i.ResponseParameters) > 0 {
		responses := newObject()
		for _, status := range slices.Sorted(maps.Keys(i.ResponseParameters)) {
			responses.add(status, texts(i.ResponseParameters[status]))
		}
		n.add("responseParameters", responses)
	}
	n.addText("credentials", i.CredentialsArn)
	if len(i.RequestParameters) > 0 {
		n.add("requestParameters", texts(i.RequestParameters))
	}
	n.addText("payloadFormatVersion", i.PayloadFormatVersion)
	n.addText("connectionId", i.ConnectionId)
	// UNVERIFIED: that AWS exports the description; it is lost otherwise.
	n.addText("description", i.Description)
	n.add("type", quoted(strings.ToLower(value(i.IntegrationType))))
	n.addText("httpMethod", i.IntegrationMethod)
	n.addText("uri", i.IntegrationUri)
	n.addText("connectionType", i.ConnectionType)
	if value(i.TimeoutInMillis) != defaultTimeout {
		n.addNumber("timeoutInMillis", i.TimeoutInMillis)
	}
	if i.TlsConfig != nil {
		tls := newObject()
		tls.addText("serverNameToVerify", i.TlsConfig.ServerNameToVerify)
		n.add("tlsConfig", tls)
	}
	return n
}

// cors writes a CORS configuration. Lists that are empty are left out.
func cors(c *apigatewayv2.Cors) node {
	n := newObject()
	n.addTexts("allowMethods", c.AllowMethods)
	n.addTexts("allowHeaders", c.AllowHeaders)
	n.addTexts("exposeHeaders", c.ExposeHeaders)
	n.addNumber("maxAge", c.MaxAge)
	if c.AllowCredentials != nil {
		n.add("allowCredentials", truth(*c.AllowCredentials))
	}
	n.addTexts("allowOrigins", c.AllowOrigins)
	return n
}

func texts(m map[string]string) node {
	n := newObject()
	for _, key := range slices.Sorted(maps.Keys(m)) {
		n.add(key, quoted(m[key]))
	}
	return n
}

func newObject() node { return node{kind: object} }

func newList(items ...node) node {
	n := node{kind: list}
	for _, item := range items {
		n.add("", item)
	}
	return n
}

func quoted(s string) node { return node{kind: text, scalar: s} }

func truth(b bool) node { return node{kind: boolean, scalar: strconv.FormatBool(b)} }

func (n *node) add(key string, value node) { n.members = append(n.members, member{key, value}) }

// addText adds a text that is there.
func (n *node) addText(key string, s *string) {
	if s != nil {
		n.add(key, quoted(*s))
	}
}

func (n *node) addNumber(key string, i *int32) {
	if i != nil {
		n.add(key, node{kind: number, scalar: strconv.Itoa(int(*i))})
	}
}

func (n *node) addTexts(key string, all []string) {
	if len(all) == 0 {
		return
	}
	items := newList()
	for _, s := range all {
		items.add("", quoted(s))
	}
	n.add(key, items)
}
