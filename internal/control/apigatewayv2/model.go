package apigatewayv2

import (
	"encoding/json"
	"regexp"
	"strings"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/openapi/sample"
	"gatehouse/internal/openapi/tree"
	"gatehouse/internal/store"
)

var modelName = regexp.MustCompile(`^[a-zA-Z0-9]+$`)

// CreateModel adds a model to an API, which can't be an HTTP API.
func (s *Service) CreateModel(c *awswire.Call, in *apigatewayv2.CreateModelRequest) (*apigatewayv2.CreateModelResponse, error) {
	model := &definition.Model{}
	apply(&model.Model, in)
	err := s.store.Update(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.ApiId))
		if err != nil {
			return err
		}
		if isHTTP(api) {
			return badRequest("Currently, Models are not permitted for APIs with a protocol type of HTTP")
		}
		if err := s.checkModel(model); err != nil {
			return err
		}
		id, err := s.freeID(childIDLength, func(id string) (bool, error) {
			return definition.Models.Exists(tx, scope(c), *api.ApiId, id)
		})
		if err != nil {
			return err
		}
		model.ModelId = &id
		if err := putModel(tx, c, *api.ApiId, model); err != nil {
			return err
		}
		return s.autoDeploy(tx, c, *api.ApiId)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.CreateModelResponse](&model.Model), nil
}

// GetModel returns one model.
func (s *Service) GetModel(c *awswire.Call, in *apigatewayv2.GetModelRequest) (*apigatewayv2.GetModelResponse, error) {
	var model *definition.Model
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		model, err = getModel(tx, c, value(in.ApiId), value(in.ModelId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.GetModelResponse](&model.Model), nil
}

// GetModelTemplate writes a mapping template for a model's data.
func (s *Service) GetModelTemplate(c *awswire.Call, in *apigatewayv2.GetModelTemplateRequest) (*apigatewayv2.GetModelTemplateResponse, error) {
	out := &apigatewayv2.GetModelTemplateResponse{}
	err := s.store.View(c, func(tx *store.Tx) error {
		model, err := getModel(tx, c, value(in.ApiId), value(in.ModelId))
		if err != nil {
			return err
		}
		schema, err := tree.Parse(*model.Schema, strings.NewReplacer())
		if err != nil {
			return err
		}
		out.Value = new(sample.Template(schema))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// GetModels lists an API's models.
func (s *Service) GetModels(c *awswire.Call, in *apigatewayv2.GetModelsRequest) (*apigatewayv2.GetModelsResponse, error) {
	out := &apigatewayv2.GetModelsResponse{}
	err := s.store.View(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.ApiId))
		if err != nil {
			return err
		}
		out.Items, out.NextToken, err = list(tx, scope(c), definition.Models, pageRequest{in.MaxResults, in.NextToken},
			func(e store.Entry[definition.Model]) apigatewayv2.Model { return e.Doc.Model }, *api.ApiId)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateModel sets what is present.
func (s *Service) UpdateModel(c *awswire.Call, in *apigatewayv2.UpdateModelRequest) (*apigatewayv2.UpdateModelResponse, error) {
	var model *definition.Model
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		apiID := value(in.ApiId)
		if model, err = getModel(tx, c, apiID, value(in.ModelId)); err != nil {
			return err
		}
		apply(&model.Model, in, "ModelId")
		if err := s.checkModel(model); err != nil {
			return err
		}
		if err := putModel(tx, c, apiID, model); err != nil {
			return err
		}
		return s.autoDeploy(tx, c, apiID)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.UpdateModelResponse](&model.Model), nil
}

// DeleteModel removes a model.
func (s *Service) DeleteModel(c *awswire.Call, in *apigatewayv2.DeleteModelRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		apiID, id := value(in.ApiId), value(in.ModelId)
		if _, err := getModel(tx, c, apiID, id); err != nil {
			return err
		}
		if err := definition.Models.Delete(tx, scope(c), apiID, id); err != nil {
			return err
		}
		return s.autoDeploy(tx, c, apiID)
	})
}

// putModel stores a model, whose name no other of the API may have.
func putModel(tx *store.Tx, c *awswire.Call, apiID string, model *definition.Model) error {
	for other, err := range definition.Models.All(tx, scope(c), apiID) {
		if err != nil {
			return err
		}
		if *other.Doc.Name == *model.Name && *other.Doc.ModelId != *model.ModelId {
			// UNVERIFIED: the words, which are nearly those of REST APIs.
			return conflict("Model name already exists for this API: %s", *model.Name)
		}
	}
	return definition.Models.Put(tx, scope(c), model, apiID, *model.ModelId)
}

func getModel(tx *store.Tx, c *awswire.Call, apiID, id string) (*definition.Model, error) {
	if _, err := getAPI(tx, c, apiID); err != nil {
		return nil, err
	}
	model, err := definition.Models.Get(tx, scope(c), apiID, id)
	// UNVERIFIED: the words.
	return model, missing(err, "Invalid Model identifier specified")
}

// checkModel refuses what a model can't be.
func (s *Service) checkModel(model *definition.Model) error {
	if name := value(model.Name); !modelName.MatchString(name) {
		return badRequest("Model name must be alphanumeric: %s", name)
	}
	if err := checkLength("name", model.Name, 128); err != nil {
		return err
	}
	if err := checkLength("description", model.Description, 1024); err != nil {
		return err
	}
	if err := checkLength("contentType", model.ContentType, 256); err != nil {
		return err
	}
	if err := checkLength("schema", model.Schema, maxTemplate); err != nil {
		return err
	}
	var schema map[string]json.RawMessage
	if json.Unmarshal([]byte(value(model.Schema)), &schema) != nil || s.compiler.CheckModel(*model.Schema) != nil {
		// UNVERIFIED: that these are the words here, too: they are those of REST APIs.
		return badRequest("Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified]")
	}
	return nil
}
