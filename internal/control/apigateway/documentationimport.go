package apigateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/openapi/tree"
	"gatehouse/internal/store"
)

// documentationKey is the extension of an OpenAPI document that holds parts.
const documentationKey = "x-amazon-apigateway-documentation"

// ImportDocumentationParts takes the parts of an OpenAPI document over. Merging
// keeps the parts that are there, except of locations that the document has.
func (s *Service) ImportDocumentationParts(c *awswire.Call, in *apigateway.ImportDocumentationPartsRequest) (*apigateway.DocumentationPartIds, error) {
	root, err := tree.Parse(string(in.Body), strings.NewReplacer())
	if err != nil || root.Kind != tree.Object {
		return nil, badRequest("Unable to build importer with provided input.")
	}
	parts := root.Get(documentationKey).Get("documentationParts")
	var out *apigateway.DocumentationPartIds
	err = s.store.Update(c, func(tx *store.Tx) error {
		out = &apigateway.DocumentationPartIds{Ids: []string{}}
		apiID := value(in.RestApiId)
		if _, err := getAPI(tx, c, apiID); err != nil {
			return err
		}
		if value(in.Mode) == apigateway.PutModeOverwrite {
			if _, err := definition.DocumentationParts.DeleteAll(tx, scope(c), apiID); err != nil {
				return err
			}
		}
		if out.Ids, out.Warnings, err = s.importParts(tx, c, apiID, parts); err != nil {
			return err
		}
		if value(in.FailOnWarnings) && len(out.Warnings) > 0 {
			// UNVERIFIED: the words.
			return badRequest("Warnings found during import:\n\t%s", strings.Join(out.Warnings, "\n\t"))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// importParts stores a document's parts and returns their ids, and a warning for
// each that can't be one.
// UNVERIFIED: the words of warnings.
func (s *Service) importParts(tx *store.Tx, c *awswire.Call, apiID string, parts *tree.Node) (ids, warnings []string, err error) {
	ids = []string{}
	if parts == nil {
		return ids, nil, nil
	}
	for i := range parts.Members {
		part, err := readPart(&parts.Members[i].Node)
		if err == nil {
			err = s.mergePart(tx, c, apiID, part)
		}
		if refusal := (*awswire.Error)(nil); errors.As(err, &refusal) {
			warnings = append(warnings, fmt.Sprintf("Unable to import documentation part %d: %s", i+1, refusal.Message))
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		ids = append(ids, *part.Id)
	}
	return ids, warnings, nil
}

// mergePart stores a part in the place of the one with its location.
func (s *Service) mergePart(tx *store.Tx, c *awswire.Call, apiID string, part *definition.DocumentationPart) error {
	location, err := completeLocation(part.Location)
	if err != nil {
		return err
	}
	old, err := partAt(tx, c, apiID, location)
	if err != nil {
		return err
	}
	if old == nil {
		return s.addPart(tx, c, apiID, part)
	}
	part.Id, part.Location = old.Id, location
	return definition.DocumentationParts.Put(tx, scope(c), part, apiID, *part.Id)
}

// readPart reads a part of a document.
func readPart(n *tree.Node) (*definition.DocumentationPart, error) {
	part := &definition.DocumentationPart{}
	at := n.Get("location")
	text := func(key string) *string {
		if s, ok := at.Get(key).Str(); ok {
			return &s
		}
		return nil
	}
	part.Location = &apigateway.DocumentationPartLocation{
		Type: text("type"), Path: text("path"), Method: text("method"), StatusCode: text("statusCode"), Name: text("name"),
	}
	properties := n.Get("properties")
	if properties == nil || properties.Kind != tree.Object {
		return nil, checkProperties(nil)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, tree.AppendJSON(nil, properties)); err != nil {
		return nil, fmt.Errorf("apigateway: properties of a documentation part: %w", err)
	}
	part.Properties = new(compact.String())
	return part, nil
}
