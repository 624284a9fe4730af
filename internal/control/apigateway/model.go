package apigateway

import (
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

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
