package apigateway

import (
	"maps"
	"regexp"
	"slices"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// maxModels is the length of all of an API's schemas together, in bytes.
const maxModels = 400 << 10

// UNVERIFIED: the words.
const modelsTooLong = "The models of an API can have at most %d bytes in total"

var modelName = regexp.MustCompile(`^[a-zA-Z0-9]+$`)

// addDefaultModels gives a new API the two models that AWS gives it.
func addDefaultModels(tx *store.Tx, c *awswire.Call, apiID string) error {
	for _, m := range [...]struct{ id, name, description, schema string }{
		{"empty0", "Empty", "This is a default empty schema model",
			"{\n  \"$schema\": \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : \"Empty Schema\",\n  \"type\" : \"object\"\n}"},
		{"error0", "Error", "This is a default error schema model",
			"{\n  \"$schema\" : \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : \"Error Schema\",\n  \"type\" : \"object\",\n  \"properties\" : {\n    \"message\" : { \"type\" : \"string\" }\n  }\n}"},
	} {
		model := &definition.RestModel{}
		model.Id, model.Name, model.Description, model.Schema = &m.id, &m.name, &m.description, &m.schema
		model.ContentType = new("application/json")
		if err := definition.RestModels.Put(tx, scope(c), model, apiID, m.name); err != nil {
			return err
		}
	}
	return nil
}

// CreateModel adds a model to an API.
func (s *Service) CreateModel(c *awswire.Call, in *apigateway.CreateModelRequest) (*apigateway.Model, error) {
	model := &definition.RestModel{}
	model.Name = in.Name
	model.ContentType = in.ContentType
	model.Description = nonEmpty(in.Description)
	model.Schema = in.Schema
	err := s.store.Update(c, func(tx *store.Tx) error {
		apiID := value(in.RestApiId)
		if _, err := getAPI(tx, c, apiID); err != nil {
			return err
		}
		return s.addModel(tx, c, apiID, model)
	})
	if err != nil {
		return nil, err
	}
	return modelView(model), nil
}

// addModel stores a new model under a name that no other of the API has.
func (s *Service) addModel(tx *store.Tx, c *awswire.Call, apiID string, model *definition.RestModel) error {
	name := value(model.Name)
	if name == "" {
		return badRequest("Model name must be non-empty")
	}
	if !modelName.MatchString(name) {
		return badRequest("Model name must be alphanumeric: %s", name)
	}
	if used, err := definition.RestModels.Exists(tx, scope(c), apiID, name); err != nil {
		return err
	} else if used {
		return conflict("Model name already exists for this REST API")
	}
	id, err := s.newID(childIDLength)
	if err != nil {
		return err
	}
	model.Id = &id
	return s.putModel(tx, c, apiID, model)
}

// putModel stores a model whose schema it has checked.
func (s *Service) putModel(tx *store.Tx, c *awswire.Call, apiID string, model *definition.RestModel) error {
	schema, err := parseSchema(apiID, value(model.Schema))
	if err != nil {
		return err
	}
	if err := s.checkSchema(*model.Schema); err != nil {
		return err
	}
	for _, name := range schema.references {
		if name == *model.Name {
			continue
		}
		if known, err := definition.RestModels.Exists(tx, scope(c), apiID, name); err != nil {
			return err
		} else if !known {
			// UNVERIFIED: the words, which are those about a method's models.
			return badRequest("Invalid model identifier specified: %s", name)
		}
	}
	total := len(*model.Schema)
	for other, err := range definition.RestModels.All(tx, scope(c), apiID) {
		if err != nil {
			return err
		}
		if *other.Doc.Name != *model.Name {
			total += len(value(other.Doc.Schema))
		}
	}
	if total > maxModels {
		return badRequest(modelsTooLong, maxModels)
	}
	return definition.RestModels.Put(tx, scope(c), model, apiID, *model.Name)
}

// checkSchema refuses a schema that isn't one.
func (s *Service) checkSchema(schema string) error {
	if s.compiler.CheckModel(schema) != nil {
		return invalidSchema("")
	}
	return nil
}

// GetModel returns one model; flattened, it holds the models it refers to.
func (s *Service) GetModel(c *awswire.Call, in *apigateway.GetModelRequest) (*apigateway.Model, error) {
	var view *apigateway.Model
	err := s.store.View(c, func(tx *store.Tx) error {
		model, err := getModel(tx, c, value(in.RestApiId), value(in.ModelName))
		if err != nil {
			return err
		}
		view = modelView(model)
		if value(in.Flatten) {
			view.Schema, err = flatSchema(tx, c, value(in.RestApiId), value(model.Schema))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return view, nil
}

// GetModels lists the models of an API by name.
func (s *Service) GetModels(c *awswire.Call, in *apigateway.GetModelsRequest) (*apigateway.Models, error) {
	out := &apigateway.Models{}
	err := s.store.View(c, func(tx *store.Tx) error {
		apiID := value(in.RestApiId)
		if _, err := getAPI(tx, c, apiID); err != nil {
			return err
		}
		var err error
		out.Items, out.Position, err = list(tx, scope(c), definition.RestModels, pageRequest{in.Limit, in.Position},
			func(e store.Entry[definition.RestModel]) apigateway.Model { return *modelView(e.Doc) }, apiID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// GetModelTemplate writes a mapping template that makes a model's data.
func (s *Service) GetModelTemplate(c *awswire.Call, in *apigateway.GetModelTemplateRequest) (*apigateway.Template, error) {
	var text string
	err := s.store.View(c, func(tx *store.Tx) error {
		model, err := getModel(tx, c, value(in.RestApiId), value(in.ModelName))
		if err != nil {
			return err
		}
		text, err = sampleTemplate(tx, c, value(in.RestApiId), value(model.Schema))
		return err
	})
	if err != nil {
		return nil, err
	}
	return &apigateway.Template{Value: &text}, nil
}

var modelRules = patchRules[definition.RestModel]{refuse: refuseListing, rules: []patchRule[definition.RestModel]{
	{path: "/description", ops: opReplace},
	{path: "/schema", ops: opReplace},
}}

// UpdateModel patches a model.
func (s *Service) UpdateModel(c *awswire.Call, in *apigateway.UpdateModelRequest) (*apigateway.Model, error) {
	var model *definition.RestModel
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		apiID := value(in.RestApiId)
		if model, err = getModel(tx, c, apiID, value(in.ModelName)); err != nil {
			return err
		}
		if err := modelRules.apply(model, in.PatchOperations); err != nil {
			return err
		}
		return s.putModel(tx, c, apiID, model)
	})
	if err != nil {
		return nil, err
	}
	return modelView(model), nil
}

// DeleteModel removes a model that neither a method nor another model uses.
func (s *Service) DeleteModel(c *awswire.Call, in *apigateway.DeleteModelRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		apiID, name := value(in.RestApiId), value(in.ModelName)
		if _, err := getModel(tx, c, apiID, name); err != nil {
			return err
		}
		if err := checkModelUnused(tx, c, apiID, name); err != nil {
			return err
		}
		return definition.RestModels.Delete(tx, scope(c), apiID, name)
	})
}

// checkModelUnused refuses for the first that uses a model.
func checkModelUnused(tx *store.Tx, c *awswire.Call, apiID, name string) error {
	for use, err := range methodsOf(tx, c, apiID) {
		if err != nil {
			return err
		}
		if slices.Contains(slices.Collect(maps.Values(use.method.RequestModels)), name) {
			return conflict("Cannot delete model '%s', is referenced in method request: %s/%s", name, use.path, use.verb)
		}
		for _, response := range use.method.MethodResponses {
			if slices.Contains(slices.Collect(maps.Values(response.ResponseModels)), name) {
				return conflict("Cannot delete model '%s', is referenced in method response: %s/%s", name, use.path, use.verb)
			}
		}
	}
	for other, err := range definition.RestModels.All(tx, scope(c), apiID) {
		if err != nil {
			return err
		}
		if *other.Doc.Name == name {
			continue
		}
		schema, err := parseSchema(apiID, value(other.Doc.Schema))
		// An imported schema may be one that CreateModel doesn't take.
		if err == nil && slices.Contains(schema.references, name) {
			// UNVERIFIED: the words.
			return conflict("Cannot delete model '%s', is referenced in model: %s", name, *other.Doc.Name)
		}
	}
	return nil
}

func getModel(tx *store.Tx, c *awswire.Call, apiID, name string) (*definition.RestModel, error) {
	model, err := definition.RestModels.Get(tx, scope(c), apiID, name)
	return model, missing(err, "Invalid model name specified: %s", name)
}

func modelView(model *definition.RestModel) *apigateway.Model {
	view := model.Model
	return &view
}
