package openapi

import (
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/openapi/tree"
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
		return tree.AppendYAML(nil, &root)
	}
	return tree.AppendJSON(nil, &root)
}

// A writer turns a Document into the document's values.
type writer struct {
	doc        *Document
	extensions bool
	// users are how many routes an integration has.
	users map[*Integration]int
}

func (w *writer) root(basePath string) tree.Node {
	w.count()
	api := &w.doc.API
	root := tree.NewObject()
	root.Add("openapi", tree.NewText("3.0.1"))
	root.Add("info", w.info())
	root.Add("servers", tree.NewList(w.server(basePath)))
	if len(api.Tags) > 0 {
		root.Add("tags", w.tags())
	}
	root.Add("paths", w.paths())
	if components := w.components(); len(components.Members) > 0 {
		root.Add("components", components)
	}
	if !w.extensions {
		return root
	}
	if api.CorsConfiguration != nil {
		root.Add(corsKey, cors(api.CorsConfiguration))
	}
	root.Add(versionKey, tree.NewText("1.0"))
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

func (w *writer) info() tree.Node {
	api := &w.doc.API
	info := tree.NewObject()
	info.AddText("title", api.Name)
	info.AddText("description", api.Description)
	version := api.Version
	if version == nil {
		// OpenAPI requires one; recorded exports have a time of this form.
		// UNVERIFIED: that it is the API's creation.
		version = new(value(api.CreatedDate).UTC().Format(time.DateTime) + "UTC")
	}
	info.AddText("version", version)
	return info
}

func (w *writer) server(basePath string) tree.Node {
	api := &w.doc.API
	fallback, variables, server := tree.NewObject(), tree.NewObject(), tree.NewObject()
	fallback.Add("default", tree.NewText(basePath))
	variables.Add("basePath", fallback)
	server.Add("url", tree.NewText(value(api.ApiEndpoint)+"/{basePath}"))
	server.Add("variables", variables)
	if w.extensions && value(api.DisableExecuteApiEndpoint) {
		closed := tree.NewObject()
		closed.Add("disableExecuteApiEndpoint", tree.NewBool(true))
		server.Add(endpointKey, closed)
	}
	return server
}

func (w *writer) tags() tree.Node {
	all := tree.NewList()
	for _, key := range slices.Sorted(maps.Keys(w.doc.API.Tags)) {
		tag := tree.NewObject()
		tag.Add("name", tree.NewText(key))
		if w.extensions {
			tag.Add(tagValueKey, tree.NewText(w.doc.API.Tags[key]))
		}
		all.Add("", tag)
	}
	return all
}

func (w *writer) paths() tree.Node {
	routes := slices.Clone(w.doc.Routes)
	slices.SortFunc(routes, func(a, b *Route) int { return strings.Compare(sortKey(*a.RouteKey), sortKey(*b.RouteKey)) })
	paths := tree.NewObject()
	for first := 0; first < len(routes); {
		_, path := splitKey(*routes[first].RouteKey)
		item := tree.NewObject()
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
			item.Add(key, w.operation(routes[next]))
		}
		first = next
		if parameters := parameters(path); len(parameters.Members) > 0 {
			item.Add("parameters", parameters)
		}
		paths.Add(path, item)
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

func (w *writer) operation(route *Route) tree.Node {
	op := tree.NewObject()
	if *route.RouteKey == defaultRouteKey && w.extensions {
		op.Add("isDefaultRoute", tree.NewBool(true))
	}
	op.AddText("operationId", route.OperationName)
	fallback, responses := tree.NewObject(), tree.NewObject()
	fallback.Add("description", tree.NewText("Default response for "+*route.RouteKey))
	responses.Add("default", fallback)
	op.Add("responses", responses)
	if route.Authorizer != nil {
		scopes := tree.NewList()
		for _, scope := range route.AuthorizationScopes {
			scopes.Add("", tree.NewText(scope))
		}
		requirement := tree.NewObject()
		requirement.Add(value(route.Authorizer.Name), scopes)
		op.Add("security", tree.NewList(requirement))
	}
	if !w.extensions {
		return op
	}
	if value(route.AuthorizationType) == apigatewayv2.AuthorizationTypeAWSIAM {
		// UNVERIFIED: that exports of HTTP APIs say it so.
		auth := tree.NewObject()
		auth.Add("type", tree.NewText(apigatewayv2.AuthorizationTypeAWSIAM))
		op.Add(authKey, auth)
	}
	if route.Integration == nil {
		return op
	}
	written := integration(&route.Integration.Integration)
	if w.users[route.Integration] > 1 {
		// AWS's exports repeat what routes share, as far as is known.
		written.AddText(sharedKey, route.Integration.IntegrationId)
	}
	op.Add(integrationKey, written)
	return op
}

// parameters declares the variables of a path, as OpenAPI requires.
func parameters(path string) tree.Node {
	all := tree.NewList()
	for part := range strings.SplitSeq(path, "/") {
		if !strings.HasPrefix(part, "{") {
			continue
		}
		name := strings.Trim(part, "{}")
		schema, parameter := tree.NewObject(), tree.NewObject()
		schema.Add("type", tree.NewText("string"))
		parameter.Add("name", tree.NewText(name))
		parameter.Add("in", tree.NewText("path"))
		parameter.Add("description", tree.NewText("Generated path parameter for "+name))
		parameter.Add("required", tree.NewBool(true))
		parameter.Add("schema", schema)
		all.Add("", parameter)
	}
	return all
}

func (w *writer) components() tree.Node {
	components := tree.NewObject()
	if len(w.doc.Authorizers) > 0 {
		schemes := tree.NewObject()
		for _, authorizer := range slices.SortedFunc(slices.Values(w.doc.Authorizers), func(a, b *Authorizer) int {
			return strings.Compare(value(a.Name), value(b.Name))
		}) {
			schemes.Add(value(authorizer.Name), w.scheme(&authorizer.Authorizer))
		}
		components.Add("securitySchemes", schemes)
	}
	if !w.extensions {
		return components
	}
	unused := tree.NewObject()
	for _, i := range slices.SortedFunc(slices.Values(w.doc.Integrations), func(a, b *Integration) int {
		return strings.Compare(value(a.IntegrationId), value(b.IntegrationId))
	}) {
		if w.users[i] == 0 {
			unused.Add(unusedPrefix+value(i.IntegrationId), integration(&i.Integration))
		}
	}
	if len(unused.Members) > 0 {
		components.Add(integrationsKey, unused)
	}
	return components
}

// scheme writes an authorizer. What stands beside the extension only tells
// clients what to send.
func (w *writer) scheme(a *apigatewayv2.Authorizer) tree.Node {
	scheme := tree.NewObject()
	if value(a.AuthorizerType) == apigatewayv2.AuthorizerTypeJWT {
		scheme.Add("type", tree.NewText("oauth2"))
		scheme.Add("flows", tree.NewObject())
	} else {
		name, in := credential(a.IdentitySource)
		scheme.Add("type", tree.NewText("apiKey"))
		scheme.Add("name", tree.NewText(name))
		scheme.Add("in", tree.NewText(in))
	}
	if w.extensions {
		scheme.Add(authorizerKey, authorizer(a))
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

func authorizer(a *apigatewayv2.Authorizer) tree.Node {
	n := tree.NewObject()
	if len(a.IdentitySource) > 0 {
		n.Add("identitySource", tree.NewText(strings.Join(a.IdentitySource, ",")))
	}
	n.AddText("authorizerUri", a.AuthorizerUri)
	n.AddText("authorizerCredentials", a.AuthorizerCredentialsArn)
	n.AddText("authorizerPayloadFormatVersion", a.AuthorizerPayloadFormatVersion)
	n.AddNumber("authorizerResultTtlInSeconds", a.AuthorizerResultTtlInSeconds)
	if jwt := a.JwtConfiguration; jwt != nil {
		configuration := tree.NewObject()
		configuration.AddTexts("audience", jwt.Audience)
		configuration.AddText("issuer", jwt.Issuer)
		n.Add("jwtConfiguration", configuration)
	}
	n.Add("type", tree.NewText(strings.ToLower(value(a.AuthorizerType))))
	n.AddText("identityValidationExpression", a.IdentityValidationExpression)
	if a.EnableSimpleResponses != nil {
		n.Add("enableSimpleResponses", tree.NewBool(*a.EnableSimpleResponses))
	}
	return n
}

// integration writes an integration, in the order of AWS's exports.
func integration(i *apigatewayv2.Integration) tree.Node {
	n := tree.NewObject()
	n.AddText("integrationSubtype", i.IntegrationSubtype)
	if len(i.ResponseParameters) > 0 {
		responses := tree.NewObject()
		for _, status := range slices.Sorted(maps.Keys(i.ResponseParameters)) {
			responses.Add(status, tree.NewTexts(i.ResponseParameters[status]))
		}
		n.Add("responseParameters", responses)
	}
	n.AddText("credentials", i.CredentialsArn)
	if len(i.RequestParameters) > 0 {
		n.Add("requestParameters", tree.NewTexts(i.RequestParameters))
	}
	n.AddText("payloadFormatVersion", i.PayloadFormatVersion)
	n.AddText("connectionId", i.ConnectionId)
	// UNVERIFIED: that AWS exports the description; it is lost otherwise.
	n.AddText("description", i.Description)
	n.Add("type", tree.NewText(strings.ToLower(value(i.IntegrationType))))
	n.AddText("httpMethod", i.IntegrationMethod)
	n.AddText("uri", i.IntegrationUri)
	n.AddText("connectionType", i.ConnectionType)
	if value(i.TimeoutInMillis) != defaultTimeout {
		n.AddNumber("timeoutInMillis", i.TimeoutInMillis)
	}
	if i.TlsConfig != nil {
		tls := tree.NewObject()
		tls.AddText("serverNameToVerify", i.TlsConfig.ServerNameToVerify)
		n.Add("tlsConfig", tls)
	}
	return n
}

// cors writes a CORS configuration. Lists that are empty are left out.
func cors(c *apigatewayv2.Cors) tree.Node {
	n := tree.NewObject()
	n.AddTexts("allowMethods", c.AllowMethods)
	n.AddTexts("allowHeaders", c.AllowHeaders)
	n.AddTexts("exposeHeaders", c.ExposeHeaders)
	n.AddNumber("maxAge", c.MaxAge)
	if c.AllowCredentials != nil {
		n.Add("allowCredentials", tree.NewBool(*c.AllowCredentials))
	}
	n.AddTexts("allowOrigins", c.AllowOrigins)
	return n
}
