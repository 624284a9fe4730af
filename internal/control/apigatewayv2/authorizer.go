package apigatewayv2

import (
	"regexp"
	"strings"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

const (
	maxTTLSeconds = 3600
	// maxAudiences is fixed by AWS.
	maxAudiences = 50
)

var contextVariable = regexp.MustCompile(`^[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)*$`)

// CreateAuthorizer adds an authorizer to an API.
func (s *Service) CreateAuthorizer(c *awswire.Call, in *apigatewayv2.CreateAuthorizerRequest) (*apigatewayv2.CreateAuthorizerResponse, error) {
	authorizer := &definition.Authorizer{}
	apply(&authorizer.Authorizer, in)
	err := s.store.Update(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.ApiId))
		if err != nil {
			return err
		}
		if err := s.checkAuthorizerOf(api, authorizer); err != nil {
			return err
		}
		if err := s.addAuthorizer(tx, c, *api.ApiId, authorizer); err != nil {
			return err
		}
		return s.autoDeploy(tx, c, *api.ApiId)
	})
	if err != nil {
		return nil, err
	}
	s.prefetch(authorizer)
	return answer[apigatewayv2.CreateAuthorizerResponse](&authorizer.Authorizer), nil
}

// GetAuthorizer returns one authorizer.
func (s *Service) GetAuthorizer(c *awswire.Call, in *apigatewayv2.GetAuthorizerRequest) (*apigatewayv2.GetAuthorizerResponse, error) {
	var authorizer *definition.Authorizer
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		authorizer, err = getAuthorizer(tx, c, value(in.ApiId), value(in.AuthorizerId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.GetAuthorizerResponse](&authorizer.Authorizer), nil
}

// GetAuthorizers lists an API's authorizers.
func (s *Service) GetAuthorizers(c *awswire.Call, in *apigatewayv2.GetAuthorizersRequest) (*apigatewayv2.GetAuthorizersResponse, error) {
	out := &apigatewayv2.GetAuthorizersResponse{}
	err := s.store.View(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.ApiId))
		if err != nil {
			return err
		}
		out.Items, out.NextToken, err = list(tx, scope(c), definition.Authorizers, pageRequest{in.MaxResults, in.NextToken},
			func(e store.Entry[definition.Authorizer]) apigatewayv2.Authorizer { return e.Doc.Authorizer }, *api.ApiId)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateAuthorizer sets what is present.
func (s *Service) UpdateAuthorizer(c *awswire.Call, in *apigatewayv2.UpdateAuthorizerRequest) (*apigatewayv2.UpdateAuthorizerResponse, error) {
	var authorizer *definition.Authorizer
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		apiID, id := value(in.ApiId), value(in.AuthorizerId)
		api, err := getAPI(tx, c, apiID)
		if err != nil {
			return err
		}
		if authorizer, err = getAuthorizer(tx, c, apiID, id); err != nil {
			return err
		}
		if in.AuthorizerType != nil && *in.AuthorizerType != *authorizer.AuthorizerType {
			// UNVERIFIED: that routes in its way keep the type, the words, and
			// that what only authorizers of the other type have goes with it.
			if key, err := authorizerUser(tx, c, apiID, id); err != nil {
				return err
			} else if key != "" {
				return conflict("Cannot change the type of authorizer '%s', is referenced in route: %s", *authorizer.Name, key)
			}
			authorizer.Authorizer = apigatewayv2.Authorizer{
				AuthorizerId: authorizer.AuthorizerId, Name: authorizer.Name, IdentitySource: authorizer.IdentitySource,
			}
		}
		apply(&authorizer.Authorizer, in, "AuthorizerId")
		if err := s.checkAuthorizerOf(api, authorizer); err != nil {
			return err
		}
		if err := putAuthorizer(tx, c, apiID, authorizer); err != nil {
			return err
		}
		return s.autoDeploy(tx, c, apiID)
	})
	if err != nil {
		return nil, err
	}
	s.prefetch(authorizer)
	return answer[apigatewayv2.UpdateAuthorizerResponse](&authorizer.Authorizer), nil
}

// DeleteAuthorizer removes an authorizer that no route uses.
func (s *Service) DeleteAuthorizer(c *awswire.Call, in *apigatewayv2.DeleteAuthorizerRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		apiID, id := value(in.ApiId), value(in.AuthorizerId)
		authorizer, err := getAuthorizer(tx, c, apiID, id)
		if err != nil {
			return err
		}
		if key, err := authorizerUser(tx, c, apiID, id); err != nil {
			return err
		} else if key != "" {
			return conflict("Cannot delete authorizer '%s', is referenced in route: %s", *authorizer.Name, key)
		}
		if err := definition.Authorizers.Delete(tx, scope(c), apiID, id); err != nil {
			return err
		}
		return s.autoDeploy(tx, c, apiID)
	})
}

// Answers are what authorizers have answered for callers.
type Answers interface {
	// Flush forgets those of a stage.
	Flush(apiID, stage string)
}

// ResetAuthorizersCache forgets what authorizers have answered for a stage.
func (s *Service) ResetAuthorizersCache(c *awswire.Call, in *apigatewayv2.ResetAuthorizersCacheRequest) error {
	err := s.store.View(c, func(tx *store.Tx) error {
		_, err := getStage(tx, c, value(in.ApiId), value(in.StageName))
		return err
	})
	if err != nil {
		return err
	}
	s.answers.Flush(value(in.ApiId), value(in.StageName))
	return nil
}

// prefetch looks for the keys of an authorizer's issuer. AWS does before it takes
// an authorizer, and refuses an issuer that doesn't answer. Here the issuer may
// start later, or be one that a machine without a network can't reach, so its
// silence is a warning in the log.
func (s *Service) prefetch(authorizer *definition.Authorizer) {
	if authorizer.JwtConfiguration != nil {
		s.issuers.Prefetch(*authorizer.JwtConfiguration.Issuer)
	}
}

// addAuthorizer stores a new authorizer under an id of its own.
func (s *Service) addAuthorizer(tx *store.Tx, c *awswire.Call, apiID string, authorizer *definition.Authorizer) error {
	id, err := s.freeID(authorizerIDLength, func(id string) (bool, error) {
		return definition.Authorizers.Exists(tx, scope(c), apiID, id)
	})
	if err != nil {
		return err
	}
	authorizer.AuthorizerId = &id
	return putAuthorizer(tx, c, apiID, authorizer)
}

// putAuthorizer stores an authorizer, whose name no other of the API may have.
func putAuthorizer(tx *store.Tx, c *awswire.Call, apiID string, authorizer *definition.Authorizer) error {
	for other, err := range definition.Authorizers.All(tx, scope(c), apiID) {
		if err != nil {
			return err
		}
		if *other.Doc.Name == *authorizer.Name && *other.Doc.AuthorizerId != *authorizer.AuthorizerId {
			return badRequest("Authorizer name must be unique. Authorizer %s already exists in this RestApi.", *authorizer.Name)
		}
	}
	return definition.Authorizers.Put(tx, scope(c), authorizer, apiID, *authorizer.AuthorizerId)
}

func getAuthorizer(tx *store.Tx, c *awswire.Call, apiID, id string) (*definition.Authorizer, error) {
	if _, err := getAPI(tx, c, apiID); err != nil {
		return nil, err
	}
	authorizer, err := definition.Authorizers.Get(tx, scope(c), apiID, id)
	// UNVERIFIED: the words.
	return authorizer, missing(err, "Invalid Authorizer identifier specified")
}

// authorizerUser returns the key of a route that an authorizer guards, "" when
// there is none.
func authorizerUser(tx *store.Tx, c *awswire.Call, apiID, id string) (string, error) {
	users, err := definition.RouteAuthorizers.List(tx, scope(c), store.Page{Limit: 1}, apiID, id)
	if err != nil || len(users) == 0 {
		return "", err
	}
	route, err := definition.Routes.Get(tx, scope(c), apiID, users[0].ID[2])
	if err != nil {
		return "", err
	}
	return *route.RouteKey, nil
}

// checkAuthorizerOf refuses what an authorizer of the API can't be.
func (s *Service) checkAuthorizerOf(api *definition.API, in *definition.Authorizer) error {
	if isHTTP(api) {
		return s.checkAuthorizer(in)
	}
	return s.checkSocketAuthorizer(in)
}

func checkAuthorizerName(in *definition.Authorizer) error {
	if value(in.Name) == "" {
		// UNVERIFIED: the words.
		return badRequest("Name is required")
	}
	if err := checkLength("name", in.Name, 128); err != nil {
		return err
	}
	// AWS keeps the expression and makes no use of it.
	return checkLength("identityValidationExpression", in.IdentityValidationExpression, 1024)
}

// checkAuthorizer refuses what an authorizer of an HTTP API can't be. AWS fills
// in nothing: what wasn't given isn't there when it is read.
func (s *Service) checkAuthorizer(in *definition.Authorizer) error {
	if err := checkAuthorizerName(in); err != nil {
		return err
	}
	// UNVERIFIED: the words about the payload format version and the type.
	switch value(in.AuthorizerPayloadFormatVersion) {
	case "", "1.0", "2.0":
	default:
		return badRequest("Invalid payload format version specified: %s", *in.AuthorizerPayloadFormatVersion)
	}
	if ttl := value(in.AuthorizerResultTtlInSeconds); ttl < 0 || ttl > maxTTLSeconds {
		return badRequest("Authorizer result TTL outside allowable range. TTL must be between 0 and %d seconds.", maxTTLSeconds)
	}
	switch value(in.AuthorizerType) {
	case apigatewayv2.AuthorizerTypeJWT:
		return s.checkJWTAuthorizer(in)
	case apigatewayv2.AuthorizerTypeRequest:
		return s.checkRequestAuthorizer(in)
	}
	return badRequest("Invalid authorizer type specified: %s. Must be one of [JWT, REQUEST]", value(in.AuthorizerType))
}

// checkJWTAuthorizer checks what authorizers that read JSON Web Tokens have.
func (s *Service) checkJWTAuthorizer(in *definition.Authorizer) error {
	// UNVERIFIED: the words of the next two errors.
	if in.AuthorizerUri != nil || in.AuthorizerCredentialsArn != nil || value(in.EnableSimpleResponses) || value(in.AuthorizerResultTtlInSeconds) > 0 {
		return badRequest("AuthorizerUri, AuthorizerCredentialsArn, AuthorizerResultTtlInSeconds and EnableSimpleResponses are only supported for REQUEST authorizers")
	}
	if len(in.IdentitySource) != 1 {
		return badRequest("A JWT authorizer must have exactly one identity source")
	}
	if source := in.IdentitySource[0]; !isRequestSource(source) {
		return invalidSource(source)
	}
	if in.JwtConfiguration == nil {
		return badRequest("JwtConfiguration must not be null for JWT Authorizer")
	}
	if err := checkLength("issuer", in.JwtConfiguration.Issuer, 2048); err != nil {
		return err
	}
	if err := s.issuers.CheckIssuer(value(in.JwtConfiguration.Issuer)); err != nil {
		return badRequest("Invalid issuer: Issuer is not a valid URL for JWT Authorizer")
	}
	if len(in.JwtConfiguration.Audience) == 0 {
		return badRequest("Audience list must have at least 1 item for JWT Authorizer")
	}
	// UNVERIFIED: the words of the next two errors.
	if len(in.JwtConfiguration.Audience) > maxAudiences {
		return badRequest("A JWT authorizer can have at most %d audiences", maxAudiences)
	}
	for _, audience := range in.JwtConfiguration.Audience {
		if audience == "" {
			return badRequest("An audience must not be empty")
		}
	}
	return nil
}

// checkRequestAuthorizer checks what authorizers that are functions have.
func (s *Service) checkRequestAuthorizer(in *definition.Authorizer) error {
	if in.JwtConfiguration != nil {
		// UNVERIFIED: the words.
		return badRequest("JwtConfiguration is only supported for JWT authorizers")
	}
	if in.AuthorizerPayloadFormatVersion == nil {
		return badRequest("AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer")
	}
	if value(in.EnableSimpleResponses) && *in.AuthorizerPayloadFormatVersion != "2.0" {
		return badRequest(`EnableSimpleResponses can only be set for AuthorizerPayloadFormatVersion "2.0".`)
	}
	for _, source := range in.IdentitySource {
		if !isIdentitySource(source) {
			return invalidSource(source)
		}
	}
	if value(in.AuthorizerResultTtlInSeconds) > 0 && len(in.IdentitySource) == 0 {
		return badRequest("Identity source must be set if authorizer caching is enabled (TTL is greater than 0)")
	}
	return s.checkAuthorizerFunction(in)
}

// checkAuthorizerFunction checks which function an authorizer calls, and as whom.
func (s *Service) checkAuthorizerFunction(in *definition.Authorizer) error {
	if in.AuthorizerUri == nil {
		return badRequest("AuthorizerUri is a required field in an Authorizer")
	}
	if err := checkLength("authorizerUri", in.AuthorizerUri, 2048); err != nil {
		return err
	}
	if err := checkRole(in.AuthorizerCredentialsArn); err != nil {
		return err
	}
	if err := s.compiler.CheckAuthorizer(in); err != nil {
		// UNVERIFIED: the words.
		return badRequest("Invalid authorizer URI specified: %v", err)
	}
	return nil
}

func invalidSource(source string) error {
	return badRequest("Invalid identity source expression: %s. The source must be a request header, request querystring, stage variable or context parameter", source)
}

// isIdentitySource tells whether a function's identity source is one that a
// request can have.
func isIdentitySource(source string) bool {
	if name, ok := strings.CutPrefix(source, "$context."); ok {
		return contextVariable.MatchString(name)
	}
	if name, ok := strings.CutPrefix(source, "$stageVariables."); ok {
		return variableName.MatchString(name)
	}
	return isRequestSource(source)
}

// isRequestSource tells whether an identity source is a header or a query
// parameter.
func isRequestSource(source string) bool {
	if name, ok := strings.CutPrefix(source, "$request.header."); ok {
		return isToken(name)
	}
	name, ok := strings.CutPrefix(source, "$request.querystring.")
	return ok && name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f })
}
