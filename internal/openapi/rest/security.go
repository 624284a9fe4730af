package rest

import (
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/openapi/tree"
)

// The authorization types of methods, which are no enumeration of the model.
const (
	authNone    = "NONE"
	authIAM     = "AWS_IAM"
	authCustom  = "CUSTOM"
	authCognito = "COGNITO_USER_POOLS"
)

// sigv4 is the x-amazon-apigateway-authtype of requests signed for IAM.
const sigv4 = "awsSigv4"

// A scheme is what a security scheme makes of the operations that require it:
// with an authorization type it is that, with apiKey an API key, with neither
// it means nothing to AWS.
type scheme struct {
	authorizationType string
	// authorizer is a name, "" for none.
	authorizer string
	apiKey     bool
}

// schemes reads the security schemes.
func (r *reader) schemes() {
	n := r.sectionNode("securitySchemes")
	if !r.is(n, tree.Object, r.sectionName("securitySchemes")) {
		return
	}
	for i := range n.Members {
		name, where := n.Members[i].Key, r.sectionName("securitySchemes")+"."+n.Members[i].Key
		resolved := r.follow(&n.Members[i].Node, "securitySchemes")
		if r.is(resolved, tree.Object, where) {
			r.security[name] = r.scheme(name, resolved, where)
		}
	}
}

func (r *reader) scheme(name string, n *tree.Node, where string) *scheme {
	authType := r.string(n, authTypeKey, where)
	if extra := n.Get(authorizerKey); r.is(extra, tree.Object, where, ".", authorizerKey) {
		authorizer := r.authorizer(name, extra, n, where+"."+authorizerKey)
		s := &scheme{authorizationType: authCustom, authorizer: name}
		authorizer.AuthType = authType
		if value(authorizer.Type) == apigateway.AuthorizerTypeCognitoUserPools {
			s.authorizationType = authCognito
		}
		if authType == nil {
			// UNVERIFIED: what AWS takes in its place.
			authorizer.AuthType = new(strings.ToLower(s.authorizationType))
		}
		r.api.Authorizers = append(r.api.Authorizers, authorizer)
		return s
	}
	kind := value(r.string(n, "type", where))
	switch {
	case authType != nil && strings.EqualFold(*authType, sigv4):
		return &scheme{authorizationType: authIAM}
	case authType != nil:
		// AWS's words, remembered, not recorded.
		r.fail("Unable to create authorizer from security definition: '", name, "'. Extension ", authorizerKey,
			" is required. Any methods with security: '", name, "' will not be created. If this security definition is not a configured authorizer, remove the ",
			authTypeKey, " extension and it will be ignored.")
	case kind == "apiKey":
		// UNVERIFIED: that the name of the header makes no difference. An operation
		// that was meant to be closed must not be open.
		return &scheme{apiKey: true}
	default:
		r.warn("Unsupported security definition type '", kind, "' for '", name, "'. Ignoring.")
	}
	return &scheme{}
}

// unusedName is the name of the header in schemes whose authorizer doesn't
// look at one.
const unusedName = "Unused"

func (r *reader) authorizer(name string, n, scheme *tree.Node, where string) *apigateway.Authorizer {
	a := &apigateway.Authorizer{
		Name:                         &name,
		Type:                         r.upper(n, "type", where),
		ProviderARNs:                 r.strings(n, "providerARNs", where),
		AuthorizerUri:                r.string(n, "authorizerUri", where),
		AuthorizerCredentials:        r.string(n, "authorizerCredentials", where),
		IdentitySource:               r.string(n, "identitySource", where),
		IdentityValidationExpression: r.string(n, "identityValidationExpression", where),
		AuthorizerResultTtlInSeconds: r.int(n, "authorizerResultTtlInSeconds", where),
	}
	if a.IdentitySource == nil && value(a.Type) != apigateway.AuthorizerTypeRequest {
		a.IdentitySource = identitySource(scheme)
	}
	return a
}

// identitySource is where the client puts what a scheme describes, nil when it
// puts it nowhere.
func identitySource(scheme *tree.Node) *string {
	name, _ := scheme.Get("name").Str()
	in, _ := scheme.Get("in").Str()
	switch {
	case name == "" || name == unusedName:
	case in == "header":
		return new("method.request.header." + name)
	case in == "query":
		return new("method.request.querystring." + name)
	}
	return nil
}

// authorize gives a method the authorization that the operation, or the
// document, asks for.
func (r *reader) authorize(m *Method, op *tree.Node, path, where string) {
	m.AuthorizationType, m.ApiKeyRequired = new(authNone), new(false)
	security, at := op.Get("security"), where+".security"
	if security == nil {
		security, at = r.root.Get("security"), "security"
	}
	if r.is(security, tree.List, at) {
		for i := range security.Members {
			requirement := &security.Members[i].Node
			if !r.is(requirement, tree.Object, at) || !r.spend(len(requirement.Members)) {
				continue
			}
			for j := range requirement.Members {
				r.require(m, requirement.Members[j].Key, &requirement.Members[j].Node, at)
			}
		}
	}
	auth := op.Get(authKey)
	if !r.is(auth, tree.Object, where, ".", authKey) {
		return
	}
	kind := r.upper(auth, "type", where+"."+authKey)
	if kind == nil || *kind == *m.AuthorizationType {
		return
	}
	m.AuthorizationType, m.AuthorizationScopes = kind, nil
	if *kind == authCustom || *kind == authCognito {
		r.fail("Unable to put method '", *m.HttpMethod, "' on resource at path '", path,
			"': Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.")
	}
	m.Authorizer = ""
}

// require makes a method ask for a security scheme. A method has one authorizer;
// the first that the document names is it.
func (r *reader) require(m *Method, name string, scopes *tree.Node, at string) {
	s := r.security[name]
	if s == nil {
		// UNVERIFIED: the words.
		r.warnOnce("Unknown security definition '" + name + "'. Ignoring.")
		return
	}
	if s.apiKey {
		m.ApiKeyRequired = new(true)
	}
	if s.authorizationType == "" {
		return
	}
	if *m.AuthorizationType != authNone {
		// UNVERIFIED: which one AWS takes.
		if s.authorizationType != *m.AuthorizationType || s.authorizer != m.Authorizer {
			r.warnOnce("A method has one authorizer. Security definition '" + name + "' stands beside another one. Ignoring.")
		}
		return
	}
	m.AuthorizationType, m.Authorizer = &s.authorizationType, s.authorizer
	if s.authorizationType != authCognito {
		return
	}
	all, ok := scopes.Strings()
	if !ok && scopes.Kind != tree.Null {
		r.issue(at, ".", name, " is not of type `array`")
	}
	if len(all) > 0 && r.spend(len(all)) {
		m.AuthorizationScopes = all
	}
}
