package apigateway

import (
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// CreateRequestValidator adds a request validator to an API.
func (s *Service) CreateRequestValidator(c *awswire.Call, in *apigateway.CreateRequestValidatorRequest) (*apigateway.RequestValidator, error) {
	validator := &definition.RequestValidator{}
	validator.Name = in.Name
	validator.ValidateRequestBody = orDefault(in.ValidateRequestBody, false)
	validator.ValidateRequestParameters = orDefault(in.ValidateRequestParameters, false)
	err := s.store.Update(c, func(tx *store.Tx) error {
		apiID := value(in.RestApiId)
		// In words of its own, unlike everything else of an API.
		if known, err := definition.RestAPIs.Exists(tx, scope(c), apiID); err != nil {
			return err
		} else if !known {
			return badRequest("Invalid REST API identifier specified")
		}
		return s.addValidator(tx, c, apiID, validator)
	})
	if err != nil {
		return nil, err
	}
	return validatorView(validator), nil
}

// addValidator stores a new validator under an id of its own.
func (s *Service) addValidator(tx *store.Tx, c *awswire.Call, apiID string, validator *definition.RequestValidator) error {
	if err := checkValidator(validator); err != nil {
		return err
	}
	id, err := s.freeID(childIDLength, func(id string) (bool, error) {
		return definition.RequestValidators.Exists(tx, scope(c), apiID, id)
	})
	if err != nil {
		return err
	}
	validator.Id = &id
	return definition.RequestValidators.Put(tx, scope(c), validator, apiID, id)
}

func checkValidator(validator *definition.RequestValidator) error {
	if value(validator.Name) == "" {
		return badRequest("Request Validator name cannot be blank")
	}
	return nil
}

// GetRequestValidator returns one validator.
func (s *Service) GetRequestValidator(c *awswire.Call, in *apigateway.GetRequestValidatorRequest) (*apigateway.RequestValidator, error) {
	var validator *definition.RequestValidator
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		validator, err = getValidator(tx, c, value(in.RestApiId), value(in.RequestValidatorId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return validatorView(validator), nil
}

// GetRequestValidators lists the validators of an API.
func (s *Service) GetRequestValidators(c *awswire.Call, in *apigateway.GetRequestValidatorsRequest) (*apigateway.RequestValidators, error) {
	out := &apigateway.RequestValidators{}
	err := s.store.View(c, func(tx *store.Tx) error {
		apiID := value(in.RestApiId)
		if _, err := getAPI(tx, c, apiID); err != nil {
			return err
		}
		var err error
		out.Items, out.Position, err = list(tx, scope(c), definition.RequestValidators, pageRequest{in.Limit, in.Position},
			func(e store.Entry[definition.RequestValidator]) apigateway.RequestValidator {
				return *validatorView(e.Doc)
			}, apiID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

var validatorRules = patchRules[definition.RequestValidator]{refuse: refuseListing, rules: []patchRule[definition.RequestValidator]{
	{path: "/name", ops: opReplace},
	{path: "/validateRequestParameters", ops: opReplace},
	{path: "/validateRequestBody", ops: opReplace},
}}

// UpdateRequestValidator patches a validator.
func (s *Service) UpdateRequestValidator(c *awswire.Call, in *apigateway.UpdateRequestValidatorRequest) (*apigateway.RequestValidator, error) {
	var validator *definition.RequestValidator
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		apiID, id := value(in.RestApiId), value(in.RequestValidatorId)
		if validator, err = getValidator(tx, c, apiID, id); err != nil {
			return err
		}
		if err := validatorRules.apply(validator, in.PatchOperations); err != nil {
			return err
		}
		if err := checkValidator(validator); err != nil {
			return err
		}
		return definition.RequestValidators.Put(tx, scope(c), validator, apiID, id)
	})
	if err != nil {
		return nil, err
	}
	return validatorView(validator), nil
}

// DeleteRequestValidator removes a validator that no method uses.
func (s *Service) DeleteRequestValidator(c *awswire.Call, in *apigateway.DeleteRequestValidatorRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		apiID, id := value(in.RestApiId), value(in.RequestValidatorId)
		validator, err := getValidator(tx, c, apiID, id)
		if err != nil {
			return err
		}
		for use, err := range methodsOf(tx, c, apiID) {
			if err != nil {
				return err
			}
			if value(use.method.RequestValidatorId) == id {
				// UNVERIFIED: the words, which are those about authorizers.
				return conflict("Cannot delete request validator '%s', is referenced in method: %s/%s", *validator.Name, use.verb, use.path)
			}
		}
		return definition.RequestValidators.Delete(tx, scope(c), apiID, id)
	})
}

func getValidator(tx *store.Tx, c *awswire.Call, apiID, id string) (*definition.RequestValidator, error) {
	validator, err := definition.RequestValidators.Get(tx, scope(c), apiID, id)
	return validator, missing(err, "Invalid Request Validator identifier specified")
}

func validatorView(validator *definition.RequestValidator) *apigateway.RequestValidator {
	view := validator.RequestValidator
	return &view
}
