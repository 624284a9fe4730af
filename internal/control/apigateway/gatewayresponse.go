package apigateway

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// gatewayResponseStatus is the status of every type of gateway response; the
// two that stand for a class have none of their own.
var gatewayResponseStatus = map[string]string{
	apigateway.GatewayResponseTypeAccessDenied:                 "403",
	apigateway.GatewayResponseTypeAPIConfigurationError:        "500",
	apigateway.GatewayResponseTypeAuthorizerConfigurationError: "500",
	apigateway.GatewayResponseTypeAuthorizerFailure:            "500",
	apigateway.GatewayResponseTypeBadRequestBody:               "400",
	apigateway.GatewayResponseTypeBadRequestParameters:         "400",
	apigateway.GatewayResponseTypeDefault4xx:                   "",
	apigateway.GatewayResponseTypeDefault5xx:                   "",
	apigateway.GatewayResponseTypeExpiredToken:                 "403",
	apigateway.GatewayResponseTypeIntegrationFailure:           "504",
	apigateway.GatewayResponseTypeIntegrationTimeout:           "504",
	apigateway.GatewayResponseTypeInvalidAPIKey:                "403",
	apigateway.GatewayResponseTypeInvalidSignature:             "403",
	apigateway.GatewayResponseTypeMissingAuthenticationToken:   "403",
	apigateway.GatewayResponseTypeQuotaExceeded:                "429",
	apigateway.GatewayResponseTypeRequestTooLarge:              "413",
	apigateway.GatewayResponseTypeResourceNotFound:             "404",
	apigateway.GatewayResponseTypeThrottled:                    "429",
	apigateway.GatewayResponseTypeUnauthorized:                 "401",
	apigateway.GatewayResponseTypeUnsupportedMediaType:         "415",
	apigateway.GatewayResponseTypeWafFiltered:                  "403",
}

// defaultResponseTemplate is the body of every type.
const defaultResponseTemplate = `{"message":$context.error.messageString}`

var (
	statusCode = regexp.MustCompile(`^[1-5][0-9][0-9]$`)
	// gatewayResponseParameter is what a gateway response can set. AWS takes a path and
	// query parameters, too, of which a response has none.
	gatewayResponseParameter = regexp.MustCompile(`^gatewayresponse\.(header|path|querystring)\.[^\s]+$`)
	// gatewayResponseSource is what it can set it to.
	gatewayResponseSource = regexp.MustCompile(`^('[^']*'|method\.request\.((header|path|querystring|multivalueheader|multivaluequerystring)\.[^\s]+|body(\..+)?)|context\.[^\s]+|stageVariables\.[^\s]+)$`)
)

// defaultGatewayResponse is what a type is as long as nothing was put.
func defaultGatewayResponse(kind string) *apigateway.GatewayResponse {
	return &apigateway.GatewayResponse{
		ResponseType:       &kind,
		StatusCode:         nonEmpty(new(gatewayResponseStatus[kind])),
		ResponseParameters: map[string]string{},
		ResponseTemplates:  map[string]string{"application/json": defaultResponseTemplate},
		DefaultResponse:    new(true),
	}
}

// newGatewayResponse is a response that was put: what wasn't given is as in the
// type's own default, whatever the class has.
func newGatewayResponse(kind string, status *string, parameters, templates map[string]string) (*definition.GatewayResponse, error) {
	response := &definition.GatewayResponse{GatewayResponse: *defaultGatewayResponse(kind)}
	response.DefaultResponse = new(false)
	if nonEmpty(status) != nil {
		response.StatusCode = status
	}
	if len(parameters) > 0 {
		response.ResponseParameters = parameters
	}
	if len(templates) > 0 {
		response.ResponseTemplates = templates
	}
	return response, checkGatewayResponse(response)
}

func checkGatewayResponse(response *definition.GatewayResponse) error {
	if response.StatusCode != nil && !statusCode.MatchString(*response.StatusCode) {
		// UNVERIFIED: the words.
		return badRequest("Invalid status code specified: %s", *response.StatusCode)
	}
	for _, name := range slices.Sorted(maps.Keys(response.ResponseParameters)) {
		// UNVERIFIED: the words of both, which are those about integrations.
		if !gatewayResponseParameter.MatchString(name) {
			return invalidParameter(name)
		}
		if source := response.ResponseParameters[name]; !gatewayResponseSource.MatchString(source) {
			return invalidMapping(source)
		}
	}
	return nil
}

// PutGatewayResponse sets one type of gateway response.
func (s *Service) PutGatewayResponse(c *awswire.Call, in *apigateway.PutGatewayResponseRequest) (*apigateway.GatewayResponse, error) {
	response, err := newGatewayResponse(value(in.ResponseType), in.StatusCode, in.ResponseParameters, in.ResponseTemplates)
	if err != nil {
		return nil, err
	}
	err = s.store.Update(c, func(tx *store.Tx) error {
		apiID := value(in.RestApiId)
		if _, err := getAPI(tx, c, apiID); err != nil {
			return err
		}
		return definition.GatewayResponses.Put(tx, scope(c), response, apiID, *response.ResponseType)
	})
	if err != nil {
		return nil, err
	}
	return gatewayResponseView(response), nil
}

// GetGatewayResponse returns one type, set or not.
func (s *Service) GetGatewayResponse(c *awswire.Call, in *apigateway.GetGatewayResponseRequest) (*apigateway.GatewayResponse, error) {
	var view *apigateway.GatewayResponse
	err := s.store.View(c, func(tx *store.Tx) error {
		all, err := gatewayResponses(tx, c, value(in.RestApiId))
		if err == nil {
			view = all[value(in.ResponseType)]
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return view, nil
}

// GetGatewayResponses lists all types by name, set or not, on one page.
func (s *Service) GetGatewayResponses(c *awswire.Call, in *apigateway.GetGatewayResponsesRequest) (*apigateway.GatewayResponses, error) {
	out := &apigateway.GatewayResponses{}
	err := s.store.View(c, func(tx *store.Tx) error {
		all, err := gatewayResponses(tx, c, value(in.RestApiId))
		if err != nil {
			return err
		}
		for _, kind := range slices.Sorted(maps.Keys(all)) {
			out.Items = append(out.Items, *all[kind])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// gatewayResponses returns every type of an API as it answers: as it was put,
// or else as its class was put, or else the default.
func gatewayResponses(tx *store.Tx, c *awswire.Call, apiID string) (map[string]*apigateway.GatewayResponse, error) {
	if _, err := getAPI(tx, c, apiID); err != nil {
		return nil, err
	}
	put := map[string]*apigateway.GatewayResponse{}
	for e, err := range definition.GatewayResponses.All(tx, scope(c), apiID) {
		if err != nil {
			return nil, err
		}
		put[*e.Doc.ResponseType] = gatewayResponseView(e.Doc)
	}
	all := map[string]*apigateway.GatewayResponse{}
	for kind, status := range gatewayResponseStatus {
		class := put[apigateway.GatewayResponseTypeDefault4xx]
		if strings.HasPrefix(status, "5") {
			class = put[apigateway.GatewayResponseTypeDefault5xx]
		}
		switch {
		case put[kind] != nil:
			all[kind] = put[kind]
		case class != nil && status != "":
			inherited := *class
			inherited.ResponseType, inherited.DefaultResponse = &kind, new(true)
			if inherited.StatusCode == nil {
				inherited.StatusCode = &status
			}
			all[kind] = &inherited
		default:
			all[kind] = defaultGatewayResponse(kind)
		}
	}
	return all, nil
}

// presentValue refuses an operation without a value.
func presentValue(member string) func(*definition.GatewayResponse, patchOp) error {
	return func(_ *definition.GatewayResponse, o patchOp) error {
		if o.Op != apigateway.OpRemove && value(o.Value) == "" {
			return badRequest("Invalid null or empty value in %s", member)
		}
		return nil
	}
}

var gatewayResponseRules = patchRules[definition.GatewayResponse]{refuse: refusePath, rules: []patchRule[definition.GatewayResponse]{
	{path: "/statusCode", ops: opReplace},
	{path: "/responseParameters/{name}", ops: opEdit, check: presentValue("responseParameters"),
		noKey: "Invalid parameter name specified", noReplace: "Invalid parameter name specified"},
	// UNVERIFIED: the words about the key, which are those about method responses.
	{path: "/responseTemplates/{type}", ops: opEdit, check: presentValue("responseTemplates"),
		noKey: "Content-Type specified was not found", noReplace: "Content-Type specified was not found"},
}}

// UpdateGatewayResponse patches one type; one that isn't set is set by that.
func (s *Service) UpdateGatewayResponse(c *awswire.Call, in *apigateway.UpdateGatewayResponseRequest) (*apigateway.GatewayResponse, error) {
	var response *definition.GatewayResponse
	err := s.store.Update(c, func(tx *store.Tx) error {
		apiID, kind := value(in.RestApiId), value(in.ResponseType)
		if _, err := getAPI(tx, c, apiID); err != nil {
			return err
		}
		var err error
		if response, err = definition.GatewayResponses.Get(tx, scope(c), apiID, kind); errors.Is(err, store.ErrNotFound) {
			response, err = newGatewayResponse(kind, nil, nil, nil)
		}
		if err != nil {
			return err
		}
		if err := gatewayResponseRules.apply(response, in.PatchOperations); err != nil {
			return err
		}
		if err := checkGatewayResponse(response); err != nil {
			return err
		}
		return definition.GatewayResponses.Put(tx, scope(c), response, apiID, kind)
	})
	if err != nil {
		return nil, err
	}
	return gatewayResponseView(response), nil
}

// DeleteGatewayResponse gives a type its default back.
func (s *Service) DeleteGatewayResponse(c *awswire.Call, in *apigateway.DeleteGatewayResponseRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		apiID := value(in.RestApiId)
		if _, err := getAPI(tx, c, apiID); err != nil {
			return err
		}
		err := definition.GatewayResponses.Delete(tx, scope(c), apiID, value(in.ResponseType))
		return missing(err, "Gateway response type not defined on api")
	})
}

// gatewayResponseView is the shape as answers carry it: the maps are there even
// if they are empty.
func gatewayResponseView(response *definition.GatewayResponse) *apigateway.GatewayResponse {
	view := response.GatewayResponse
	if view.ResponseParameters == nil {
		view.ResponseParameters = map[string]string{}
	}
	if view.ResponseTemplates == nil {
		view.ResponseTemplates = map[string]string{}
	}
	return &view
}
