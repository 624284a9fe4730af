package rest

import (
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/openapi/tree"
)

// nameSchemes finds names for the schemes of API keys and of signed requests
// that no authorizer has.
func (w *writer) nameSchemes() {
	taken := make(map[string]bool, len(w.api.Authorizers))
	for _, a := range w.api.Authorizers {
		taken[value(a.Name)] = true
	}
	for w.apiKey = "api_key"; taken[w.apiKey]; w.apiKey += "_" {
	}
	for w.sigv4 = "sigv4"; taken[w.sigv4]; w.sigv4 += "_" {
	}
}

// security writes what a method asks of its callers.
func (w *writer) security(op *tree.Node, m *Method) {
	requirements := tree.NewList()
	require := func(name string, scopes []string) {
		list, requirement := tree.NewList(), tree.NewObject()
		for _, scope := range scopes {
			list.Add("", tree.NewText(scope))
		}
		requirement.Add(name, list)
		requirements.Add("", requirement)
	}
	kind, auth := value(m.AuthorizationType), ""
	switch {
	case m.Authorizer != "":
		require(m.Authorizer, m.AuthorizationScopes)
	case kind == authIAM:
		w.usesSigV4 = true
		require(w.sigv4, nil)
	case kind != authNone && kind != "":
		auth = kind
	}
	if value(m.ApiKeyRequired) {
		w.usesAPIKey = true
		require(w.apiKey, nil)
	}
	if len(requirements.Members) > 0 {
		op.Add("security", requirements)
	}
	if auth != "" && (w.options.All || w.options.Authorizers) {
		n := tree.NewObject()
		n.Add("type", tree.NewText(auth))
		op.Add(authKey, n)
	}
}

// securitySchemes writes the authorizers, and the schemes of what else methods
// asked for.
func (w *writer) securitySchemes() tree.Node {
	all := newOnce()
	for _, a := range w.api.Authorizers {
		all.add(value(a.Name), w.scheme(a))
	}
	if w.usesAPIKey {
		all.Add(w.apiKey, keyScheme("x-api-key", "header"))
	}
	if w.usesSigV4 {
		scheme := keyScheme("Authorization", "header")
		if w.options.All || w.options.Authorizers {
			scheme.Add(authTypeKey, tree.NewText(sigv4))
		}
		all.Add(w.sigv4, scheme)
	}
	return all.Node
}

// keyScheme is the only kind of scheme that exports know.
func keyScheme(name, in string) tree.Node {
	scheme := tree.NewObject()
	scheme.Add("type", tree.NewText("apiKey"))
	scheme.Add("name", tree.NewText(name))
	scheme.Add("in", tree.NewText(in))
	return scheme
}

func (w *writer) scheme(a *apigateway.Authorizer) tree.Node {
	name, in := unusedName, "header"
	source := value(a.IdentitySource)
	if header, ok := strings.CutPrefix(source, "method.request.header."); ok && !strings.Contains(source, ",") {
		name = header
	} else if query, ok := strings.CutPrefix(source, "method.request.querystring."); ok && !strings.Contains(source, ",") {
		name, in = query, "query"
	}
	scheme := keyScheme(name, in)
	w.document(&scheme, "", apigateway.DocumentationPartLocation{Type: new(apigateway.DocumentationPartTypeAuthorizer), Name: a.Name})
	if !w.options.All && !w.options.Authorizers {
		return scheme
	}
	scheme.AddText(authTypeKey, a.AuthType)
	n := tree.NewObject()
	if said := identitySource(&scheme); a.IdentitySource != nil && (said == nil || *said != source || value(a.Type) == apigateway.AuthorizerTypeRequest) {
		n.AddText("identitySource", a.IdentitySource)
	}
	n.AddTexts("providerARNs", a.ProviderARNs)
	n.AddText("authorizerUri", a.AuthorizerUri)
	n.AddText("authorizerCredentials", a.AuthorizerCredentials)
	n.AddNumber("authorizerResultTtlInSeconds", a.AuthorizerResultTtlInSeconds)
	n.AddText("identityValidationExpression", a.IdentityValidationExpression)
	n.AddText("type", lower(a.Type))
	scheme.Add(authorizerKey, n)
	return scheme
}
