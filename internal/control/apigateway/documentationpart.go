package apigateway

import (
	"encoding/json"
	"slices"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// CreateDocumentationPart documents one thing of an API.
func (s *Service) CreateDocumentationPart(c *awswire.Call, in *apigateway.CreateDocumentationPartRequest) (*apigateway.DocumentationPart, error) {
	part := &definition.DocumentationPart{}
	part.Location, part.Properties = in.Location, in.Properties
	err := s.store.Update(c, func(tx *store.Tx) error {
		apiID := value(in.RestApiId)
		if _, err := getAPI(tx, c, apiID); err != nil {
			return err
		}
		return s.addPart(tx, c, apiID, part)
	})
	if err != nil {
		return nil, err
	}
	return partView(part), nil
}

// addPart stores a new part under an id of its own; its location must be one
// that isn't documented yet.
func (s *Service) addPart(tx *store.Tx, c *awswire.Call, apiID string, part *definition.DocumentationPart) error {
	var err error
	if part.Location, err = completeLocation(part.Location); err != nil {
		return err
	}
	if err := checkProperties(part.Properties); err != nil {
		return err
	}
	if other, err := partAt(tx, c, apiID, part.Location); err != nil {
		return err
	} else if other != nil {
		// UNVERIFIED: the words.
		return conflict("Documentation part already exists for the specified location: %s.", locationText(part.Location))
	}
	id, err := s.freeID(childIDLength, func(id string) (bool, error) {
		return definition.DocumentationParts.Exists(tx, scope(c), apiID, id)
	})
	if err != nil {
		return err
	}
	part.Id = &id
	return definition.DocumentationParts.Put(tx, scope(c), part, apiID, id)
}

// partAt finds the part of a location, nil if there is none.
func partAt(tx *store.Tx, c *awswire.Call, apiID string, location *apigateway.DocumentationPartLocation) (*definition.DocumentationPart, error) {
	text := locationText(location)
	for e, err := range definition.DocumentationParts.All(tx, scope(c), apiID) {
		if err != nil {
			return nil, err
		}
		if locationText(e.Doc.Location) == text {
			return e.Doc, nil
		}
	}
	return nil, nil
}

// checkProperties wants the text of a JSON object.
func checkProperties(properties *string) error {
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(value(properties)), &object) != nil || object == nil {
		// UNVERIFIED: the words.
		return badRequest("Invalid documentation part properties specified: they must be a JSON object")
	}
	return nil
}

// GetDocumentationPart returns one part.
func (s *Service) GetDocumentationPart(c *awswire.Call, in *apigateway.GetDocumentationPartRequest) (*apigateway.DocumentationPart, error) {
	var part *definition.DocumentationPart
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		part, err = getPart(tx, c, value(in.RestApiId), value(in.DocumentationPartId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return partView(part), nil
}

// GetDocumentationParts lists the parts of an API, or what it has no parts of.
func (s *Service) GetDocumentationParts(c *awswire.Call, in *apigateway.GetDocumentationPartsRequest) (*apigateway.DocumentationParts, error) {
	out := &apigateway.DocumentationParts{}
	keep := func(part *definition.DocumentationPart) bool {
		l := part.Location
		return (value(in.Type) == "" || *l.Type == *in.Type) &&
			(value(in.Path) == "" || value(l.Path) == *in.Path) &&
			// UNVERIFIED: that any part of the name will do.
			strings.Contains(value(l.Name), value(in.NameQuery))
	}
	err := s.store.View(c, func(tx *store.Tx) error {
		apiID := value(in.RestApiId)
		if _, err := getAPI(tx, c, apiID); err != nil {
			return err
		}
		if value(in.LocationStatus) == apigateway.LocationStatusTypeUndocumented {
			return undocumented(tx, c, apiID, keep, out)
		}
		var err error
		out.Items, out.Position, err = listWhere(tx, scope(c), definition.DocumentationParts, pageRequest{in.Limit, in.Position}, keep,
			func(e store.Entry[definition.DocumentationPart]) apigateway.DocumentationPart {
				return *partView(e.Doc)
			}, apiID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// undocumented lists the locations without a part, on one page.
func undocumented(tx *store.Tx, c *awswire.Call, apiID string, keep func(*definition.DocumentationPart) bool, out *apigateway.DocumentationParts) error {
	all, err := locationsOf(tx, c, apiID)
	if err != nil {
		return err
	}
	var documented []string
	for e, err := range definition.DocumentationParts.All(tx, scope(c), apiID) {
		if err != nil {
			return err
		}
		documented = append(documented, locationText(e.Doc.Location))
	}
	out.Items = []apigateway.DocumentationPart{}
	for _, location := range all {
		part := &definition.DocumentationPart{}
		part.Location = &location
		if keep(part) && !slices.Contains(documented, locationText(&location)) {
			out.Items = append(out.Items, part.DocumentationPart)
		}
	}
	return nil
}

var partRules = patchRules[definition.DocumentationPart]{refuse: refuseListing, rules: []patchRule[definition.DocumentationPart]{
	{path: "/properties", ops: opReplace},
}}

// UpdateDocumentationPart patches what a part says.
func (s *Service) UpdateDocumentationPart(c *awswire.Call, in *apigateway.UpdateDocumentationPartRequest) (*apigateway.DocumentationPart, error) {
	var part *definition.DocumentationPart
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		apiID, id := value(in.RestApiId), value(in.DocumentationPartId)
		if part, err = getPart(tx, c, apiID, id); err != nil {
			return err
		}
		if err := partRules.apply(part, in.PatchOperations); err != nil {
			return err
		}
		if err := checkProperties(part.Properties); err != nil {
			return err
		}
		return definition.DocumentationParts.Put(tx, scope(c), part, apiID, id)
	})
	if err != nil {
		return nil, err
	}
	return partView(part), nil
}

// DeleteDocumentationPart removes a part; versions keep theirs.
func (s *Service) DeleteDocumentationPart(c *awswire.Call, in *apigateway.DeleteDocumentationPartRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		apiID, id := value(in.RestApiId), value(in.DocumentationPartId)
		if _, err := getAPI(tx, c, apiID); err != nil {
			return err
		}
		if _, err := getPart(tx, c, apiID, id); err != nil {
			return err
		}
		return definition.DocumentationParts.Delete(tx, scope(c), apiID, id)
	})
}

func getPart(tx *store.Tx, c *awswire.Call, apiID, id string) (*definition.DocumentationPart, error) {
	part, err := definition.DocumentationParts.Get(tx, scope(c), apiID, id)
	return part, missing(err, "Invalid Documentation part identifier specified")
}

func partView(part *definition.DocumentationPart) *apigateway.DocumentationPart {
	view := part.DocumentationPart
	return &view
}
