package openapi

import (
	"strings"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/openapi/tree"
)

// discoveryPath is where an issuer describes itself.
const discoveryPath = "/.well-known/openid-configuration"

// A scheme is what a security scheme makes of the routes that ask for it.
type scheme struct {
	authorizationType string
	// authorizer is nil where the scheme has none that HTTP APIs can have.
	authorizer *Authorizer
}

func (r *reader) scheme(name string, n *tree.Node) {
	where := "components.securitySchemes." + name
	if !r.is(n, where, tree.Object) {
		return
	}
	kind := r.string(n, "type", where)
	if kind == nil {
		r.failIssue(where, ".type is missing")
		return
	}
	if extra := n.Get(authorizerKey); r.is(extra, where+"."+authorizerKey, tree.Object) {
		authorizer := r.authorizer(name, extra, n, where+"."+authorizerKey)
		authorizationType := apigatewayv2.AuthorizationTypeCustom
		if authorizer.JwtConfiguration != nil || value(authorizer.AuthorizerType) == apigatewayv2.AuthorizerTypeJWT {
			authorizationType = apigatewayv2.AuthorizationTypeJWT
		}
		r.schemes[name] = &scheme{authorizationType, authorizer}
		r.doc.Authorizers = append(r.doc.Authorizers, authorizer)
		return
	}
	if authType := r.string(n, authTypeKey, where); authType != nil && strings.EqualFold(*authType, "awsSigv4") {
		r.schemes[name] = &scheme{authorizationType: apigatewayv2.AuthorizationTypeAWSIAM}
		return
	}
	// A scheme that only documents what a backend asks for. What AWS does with
	// routes that require it is UNVERIFIED; they aren't made, since a route that
	// was meant to be closed mustn't be open.
	r.schemes[name] = &scheme{authorizationType: apigatewayv2.AuthorizationTypeJWT}
	if *kind == "apiKey" {
		r.schemes[name].authorizationType = apigatewayv2.AuthorizationTypeCustom
	}
	// The words are those of REST APIs.
	r.warn("Unsupported security definition type '", *kind, "' for '", name, "'. Ignoring.")
}

func (r *reader) authorizer(name string, n, scheme *tree.Node, where string) *Authorizer {
	a := &Authorizer{}
	a.Name = &name
	a.AuthorizerType = upper(r.string(n, "type", where))
	a.AuthorizerUri = r.string(n, "authorizerUri", where)
	a.AuthorizerCredentialsArn = r.string(n, "authorizerCredentials", where)
	a.AuthorizerPayloadFormatVersion = r.string(n, "authorizerPayloadFormatVersion", where)
	a.AuthorizerResultTtlInSeconds = r.int(n, "authorizerResultTtlInSeconds", where)
	a.EnableSimpleResponses = r.bool(n, "enableSimpleResponses", where)
	a.IdentityValidationExpression = r.string(n, "identityValidationExpression", where)
	if sources := r.string(n, "identitySource", where); sources != nil {
		for source := range strings.SplitSeq(*sources, ",") {
			a.IdentitySource = append(a.IdentitySource, strings.TrimSpace(source))
		}
	}
	if jwt := n.Get("jwtConfiguration"); r.is(jwt, where+".jwtConfiguration", tree.Object) {
		a.JwtConfiguration = &apigatewayv2.JWTConfiguration{
			Issuer:   r.string(jwt, "issuer", where+".jwtConfiguration"),
			Audience: r.strings(jwt, "audience", where+".jwtConfiguration"),
		}
	}
	if a.JwtConfiguration == nil || a.JwtConfiguration.Issuer != nil {
		return a
	}
	// AWS takes the issuer from the document at this address. Nothing is fetched
	// here: the address must be the issuer's own.
	// UNVERIFIED: that an issuer always is what stands before the well-known path.
	if address := r.string(scheme, "openIdConnectUrl", strings.TrimSuffix(where, "."+authorizerKey)); address != nil {
		a.JwtConfiguration.Issuer = new(strings.TrimSuffix(*address, discoveryPath))
	}
	return a
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
