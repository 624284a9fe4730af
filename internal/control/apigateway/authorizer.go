package apigateway

import (
	"regexp"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// The bounds of how long an authorizer's answers are kept, in seconds.
const (
	defaultAuthorizerTTL = 300
	maxAuthorizerTTL     = 3600
)

// What authType says, which documents show and nothing else looks at.
const (
	customAuthType  = "custom"
	cognitoAuthType = "cognito_user_pools"
)

var (
	// invocationARN is how API Gateway names the invocation of a function. The
	// function may be one of a stage variable.
	invocationARN  = regexp.MustCompile(`^arn:[a-z-]+:apigateway:[a-z0-9-]+:lambda:path/+2015-03-31/functions/[^/]+/invocations$`)
	userPoolARN    = regexp.MustCompile(`^arn:[a-z-]+:cognito-idp:[a-z0-9-]+:[0-9]{12}:userpool/[\w-]+$`)
	headerSource   = regexp.MustCompile(`^method\.request\.header\.[!#$%&'*+.^_|~0-9A-Za-z` + "`" + `-]+$`)
	identitySource = regexp.MustCompile(`^(method\.request\.(header|querystring|multivalueheader|multivaluequerystring)\.[^\s,]+|stageVariables\.\w+|context\.[\w.]+)$`)
)

// CreateAuthorizer adds an authorizer to an API.
func (s *Service) CreateAuthorizer(c *awswire.Call, in *apigateway.CreateAuthorizerRequest) (*apigateway.Authorizer, error) {
	authorizer := &definition.RestAuthorizer{}
	authorizer.Name, authorizer.Type = in.Name, in.Type
	authorizer.ProviderARNs = in.ProviderARNs
	authorizer.AuthType = nonEmpty(in.AuthType)
	authorizer.AuthorizerUri = nonEmpty(in.AuthorizerUri)
	authorizer.AuthorizerCredentials = nonEmpty(in.AuthorizerCredentials)
	authorizer.IdentitySource = nonEmpty(in.IdentitySource)
	authorizer.IdentityValidationExpression = nonEmpty(in.IdentityValidationExpression)
	authorizer.AuthorizerResultTtlInSeconds = in.AuthorizerResultTtlInSeconds
	err := s.store.Update(c, func(tx *store.Tx) error {
		apiID := value(in.RestApiId)
		if known, err := definition.RestAPIs.Exists(tx, scope(c), apiID); err != nil {
			return err
		} else if !known {
			// What AWS says of an API that isn't there.
			return conflict("Unable to complete operation due to concurrent modification. Please try again later.")
		}
		return s.addAuthorizer(tx, c, apiID, authorizer)
	})
	if err != nil {
		return nil, err
	}
	return authorizerView(authorizer), nil
}

// addAuthorizer stores a new authorizer under an id of its own, with the
// defaults of what wasn't said.
func (s *Service) addAuthorizer(tx *store.Tx, c *awswire.Call, apiID string, authorizer *definition.RestAuthorizer) error {
	authType := customAuthType
	if value(authorizer.Type) == apigateway.AuthorizerTypeCognitoUserPools {
		authType = cognitoAuthType
	}
	authorizer.AuthType = orDefault(authorizer.AuthType, authType)
	authorizer.AuthorizerResultTtlInSeconds = orDefault(authorizer.AuthorizerResultTtlInSeconds, defaultAuthorizerTTL)
	id, err := s.freeID(childIDLength, func(id string) (bool, error) {
		return definition.RestAuthorizers.Exists(tx, scope(c), apiID, id)
	})
	if err != nil {
		return err
	}
	authorizer.Id = &id
	return putAuthorizer(tx, c, apiID, authorizer)
}

// putAuthorizer stores an authorizer that it has checked.
func putAuthorizer(tx *store.Tx, c *awswire.Call, apiID string, authorizer *definition.RestAuthorizer) error {
	if err := checkAuthorizer(authorizer); err != nil {
		return err
	}
	for other, err := range definition.RestAuthorizers.All(tx, scope(c), apiID) {
		if err != nil {
			return err
		}
		if *other.Doc.Name == *authorizer.Name && *other.Doc.Id != *authorizer.Id {
			return badRequest("Authorizer name must be unique. Authorizer %s already exists in this RestApi.", *authorizer.Name)
		}
	}
	return definition.RestAuthorizers.Put(tx, scope(c), authorizer, apiID, *authorizer.Id)
}

// checkAuthorizer refuses what an authorizer of its type can't be.
// UNVERIFIED: the words, but for those about the URI and the TTL.
func checkAuthorizer(in *definition.RestAuthorizer) error {
	if value(in.Name) == "" {
		return badRequest("Authorizer name cannot be blank")
	}
	if ttl := value(in.AuthorizerResultTtlInSeconds); ttl < 0 || ttl > maxAuthorizerTTL {
		return badRequest("Authorizer result TTL outside allowable range. TTL must be between 0 and %d seconds.", maxAuthorizerTTL)
	}
	if role := in.AuthorizerCredentials; role != nil && !roleARN.MatchString(*role) {
		return badRequest("Invalid ARN specified in the request. ARN: %s", *role)
	}
	switch value(in.Type) {
	case apigateway.AuthorizerTypeToken:
		if err := checkAuthorizerURI(in); err != nil {
			return err
		}
		return checkHeaderSource(in)
	case apigateway.AuthorizerTypeRequest:
		if err := checkAuthorizerURI(in); err != nil {
			return err
		}
		return checkRequestSources(in)
	case apigateway.AuthorizerTypeCognitoUserPools:
		if len(in.ProviderARNs) == 0 {
			return badRequest("Authorizers of type COGNITO_USER_POOLS must have at least one provider ARN")
		}
		for _, pool := range in.ProviderARNs {
			if !userPoolARN.MatchString(pool) {
				return badRequest("Invalid Cognito User Pool ARN specified: %s", pool)
			}
		}
		return checkHeaderSource(in)
	}
	return badRequest("Invalid authorizer type specified: %s. Must be one of [TOKEN, REQUEST, COGNITO_USER_POOLS]", value(in.Type))
}

func checkAuthorizerURI(in *definition.RestAuthorizer) error {
	if uri := value(in.AuthorizerUri); !invocationARN.MatchString(uri) {
		return badRequest("Invalid Authorizer URI: %s. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation.", uri)
	}
	return nil
}

// checkHeaderSource wants the one header that tokens come in.
func checkHeaderSource(in *definition.RestAuthorizer) error {
	if source := value(in.IdentitySource); !headerSource.MatchString(source) {
		return badRequest("Invalid identity source specified: '%s'. An authorizer of type %s must have one header: method.request.header.{name}", source, *in.Type)
	}
	return nil
}

// checkRequestSources wants sources that a request has, and one at least if
// answers are kept for them.
func checkRequestSources(in *definition.RestAuthorizer) error {
	if in.IdentitySource == nil {
		// An imported authorizer may have no time to live.
		if *orDefault(in.AuthorizerResultTtlInSeconds, defaultAuthorizerTTL) > 0 {
			return badRequest("Identity source must be set if authorizer caching is enabled (TTL is greater than 0)")
		}
		return nil
	}
	for source := range strings.SplitSeq(*in.IdentitySource, ",") {
		if source = strings.TrimSpace(source); !identitySource.MatchString(source) {
			return badRequest("Invalid identity source specified: '%s'. The source must be a request header, request querystring, stage variable or context parameter", source)
		}
	}
	return nil
}

// GetAuthorizer returns one authorizer.
func (s *Service) GetAuthorizer(c *awswire.Call, in *apigateway.GetAuthorizerRequest) (*apigateway.Authorizer, error) {
	var authorizer *definition.RestAuthorizer
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		authorizer, err = getAuthorizer(tx, c, value(in.RestApiId), value(in.AuthorizerId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return authorizerView(authorizer), nil
}

// GetAuthorizers lists the authorizers of an API.
func (s *Service) GetAuthorizers(c *awswire.Call, in *apigateway.GetAuthorizersRequest) (*apigateway.Authorizers, error) {
	out := &apigateway.Authorizers{}
	err := s.store.View(c, func(tx *store.Tx) error {
		apiID := value(in.RestApiId)
		if _, err := getAPI(tx, c, apiID); err != nil {
			return err
		}
		var err error
		out.Items, out.Position, err = list(tx, scope(c), definition.RestAuthorizers, pageRequest{in.Limit, in.Position},
			func(e store.Entry[definition.RestAuthorizer]) apigateway.Authorizer { return *authorizerView(e.Doc) }, apiID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

var authorizerRules = patchRules[definition.RestAuthorizer]{refuse: refuseListing, rules: []patchRule[definition.RestAuthorizer]{
	{path: "/name", ops: opReplace},
	{path: "/type", ops: opReplace},
	{path: "/providerARNs", ops: opAdd | opRemove},
	{path: "/authType", ops: opReplace},
	{path: "/authorizerUri", ops: opReplace},
	{path: "/authorizerCredentials", ops: opReplace | opRemove},
	{path: "/identitySource", ops: opReplace | opRemove},
	{path: "/identityValidationExpression", ops: opReplace | opRemove},
	{path: "/authorizerResultTtlInSeconds", ops: opReplace},
}}

// UpdateAuthorizer patches an authorizer.
func (s *Service) UpdateAuthorizer(c *awswire.Call, in *apigateway.UpdateAuthorizerRequest) (*apigateway.Authorizer, error) {
	var authorizer *definition.RestAuthorizer
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		apiID := value(in.RestApiId)
		if authorizer, err = getAuthorizer(tx, c, apiID, value(in.AuthorizerId)); err != nil {
			return err
		}
		if err := authorizerRules.apply(authorizer, in.PatchOperations); err != nil {
			return err
		}
		authorizer.AuthorizerResultTtlInSeconds = orDefault(authorizer.AuthorizerResultTtlInSeconds, defaultAuthorizerTTL)
		return putAuthorizer(tx, c, apiID, authorizer)
	})
	if err != nil {
		return nil, err
	}
	return authorizerView(authorizer), nil
}

// DeleteAuthorizer removes an authorizer that no method uses.
func (s *Service) DeleteAuthorizer(c *awswire.Call, in *apigateway.DeleteAuthorizerRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		apiID, id := value(in.RestApiId), value(in.AuthorizerId)
		authorizer, err := getAuthorizer(tx, c, apiID, id)
		if err != nil {
			return err
		}
		for use, err := range methodsOf(tx, c, apiID) {
			if err != nil {
				return err
			}
			if value(use.method.AuthorizerId) == id {
				return conflict("Cannot delete authorizer '%s', is referenced in method: %s/%s", *authorizer.Name, use.verb, use.path)
			}
		}
		return definition.RestAuthorizers.Delete(tx, scope(c), apiID, id)
	})
}

func getAuthorizer(tx *store.Tx, c *awswire.Call, apiID, id string) (*definition.RestAuthorizer, error) {
	authorizer, err := definition.RestAuthorizers.Get(tx, scope(c), apiID, id)
	// UNVERIFIED: the words.
	return authorizer, missing(err, "Invalid Authorizer identifier specified")
}

func authorizerView(authorizer *definition.RestAuthorizer) *apigateway.Authorizer {
	view := authorizer.Authorizer
	return &view
}
