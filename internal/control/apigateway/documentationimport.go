package apigateway

import (
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/openapi/rest"
	"gatehouse/internal/store"
)

// ImportDocumentationParts takes the parts of a document over. Merging keeps the
// parts that are there, except of locations that the document has.
func (s *Service) ImportDocumentationParts(c *awswire.Call, in *apigateway.ImportDocumentationPartsRequest) (*apigateway.DocumentationPartIds, error) {
	doc, err := rest.ReadDocumentation(string(in.Body), readOptions(c))
	if err != nil {
		return nil, badRequest("%v", err)
	}
	var i *importation
	err = s.store.Update(c, func(tx *store.Tx) error {
		apiID := value(in.RestApiId)
		if _, err := getAPI(tx, c, apiID); err != nil {
			return err
		}
		i = s.newImport(tx, c, apiID, doc, value(in.Mode) == apigateway.PutModeOverwrite)
		if err := byName(i, definition.DocumentationParts, i.parts, partKey); err != nil {
			return err
		}
		if err := i.putParts(); err != nil {
			return err
		}
		return i.warned(value(in.FailOnWarnings))
	})
	if err != nil {
		return nil, err
	}
	return &apigateway.DocumentationPartIds{Ids: i.partIDs, Warnings: doc.Warnings}, nil
}

func partKey(p *definition.DocumentationPart) (location, id string) {
	return locationText(p.Location), *p.Id
}
