package apigateway

import (
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// CreateDocumentationVersion keeps the parts of an API as they are now, and
// makes them those of a stage if one is named.
func (s *Service) CreateDocumentationVersion(c *awswire.Call, in *apigateway.CreateDocumentationVersionRequest) (*apigateway.DocumentationVersion, error) {
	version := &definition.DocumentationVersion{}
	version.Version, version.Description = in.DocumentationVersion, nonEmpty(in.Description)
	err := s.store.Update(c, func(tx *store.Tx) error {
		apiID, name := value(in.RestApiId), value(in.DocumentationVersion)
		if _, err := getAPI(tx, c, apiID); err != nil {
			return err
		}
		// UNVERIFIED: the words of the next two errors.
		if name == "" {
			return badRequest("Documentation version must be non-empty")
		}
		if used, err := definition.DocumentationVersions.Exists(tx, scope(c), apiID, name); err != nil {
			return err
		} else if used {
			return conflict("Documentation version already exists for this REST API: %s", name)
		}
		version.CreatedDate, version.Revision = now(c), tx.Revision()
		if err := tx.Pin(scope(c), apiID, version.Revision); err != nil {
			return err
		}
		if err := definition.DocumentationVersions.Put(tx, scope(c), version, apiID, name); err != nil {
			return err
		}
		if value(in.StageName) == "" {
			return nil
		}
		stage, err := getStage(tx, c, apiID, *in.StageName)
		if err != nil {
			return err
		}
		stage.DocumentationVersion, stage.LastUpdatedDate = &name, now(c)
		return definition.RestStages.Put(tx, scope(c), stage, apiID, *in.StageName)
	})
	if err != nil {
		return nil, err
	}
	return versionView(version), nil
}

// GetDocumentationVersion returns one version.
func (s *Service) GetDocumentationVersion(c *awswire.Call, in *apigateway.GetDocumentationVersionRequest) (*apigateway.DocumentationVersion, error) {
	var version *definition.DocumentationVersion
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		version, err = getVersion(tx, c, value(in.RestApiId), value(in.DocumentationVersion))
		return err
	})
	if err != nil {
		return nil, err
	}
	return versionView(version), nil
}

// GetDocumentationVersions lists the versions of an API.
func (s *Service) GetDocumentationVersions(c *awswire.Call, in *apigateway.GetDocumentationVersionsRequest) (*apigateway.DocumentationVersions, error) {
	out := &apigateway.DocumentationVersions{}
	err := s.store.View(c, func(tx *store.Tx) error {
		apiID := value(in.RestApiId)
		if _, err := getAPI(tx, c, apiID); err != nil {
			return err
		}
		var err error
		out.Items, out.Position, err = list(tx, scope(c), definition.DocumentationVersions, pageRequest{in.Limit, in.Position},
			func(e store.Entry[definition.DocumentationVersion]) apigateway.DocumentationVersion {
				return *versionView(e.Doc)
			}, apiID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

var versionRules = patchRules[definition.DocumentationVersion]{refuse: refuseListing, rules: []patchRule[definition.DocumentationVersion]{
	{path: "/description", ops: opReplace},
}}

// UpdateDocumentationVersion patches a version's description.
func (s *Service) UpdateDocumentationVersion(c *awswire.Call, in *apigateway.UpdateDocumentationVersionRequest) (*apigateway.DocumentationVersion, error) {
	var version *definition.DocumentationVersion
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		apiID, name := value(in.RestApiId), value(in.DocumentationVersion)
		if version, err = getVersion(tx, c, apiID, name); err != nil {
			return err
		}
		if err := versionRules.apply(version, in.PatchOperations); err != nil {
			return err
		}
		return definition.DocumentationVersions.Put(tx, scope(c), version, apiID, name)
	})
	if err != nil {
		return nil, err
	}
	return versionView(version), nil
}

// DeleteDocumentationVersion removes a version that no stage has.
func (s *Service) DeleteDocumentationVersion(c *awswire.Call, in *apigateway.DeleteDocumentationVersionRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		apiID, name := value(in.RestApiId), value(in.DocumentationVersion)
		version, err := getVersion(tx, c, apiID, name)
		if err != nil {
			return err
		}
		for stage, err := range definition.RestStages.All(tx, scope(c), apiID) {
			if err != nil {
				return err
			}
			if value(stage.Doc.DocumentationVersion) == name {
				// UNVERIFIED: that it is refused, and the words.
				return badRequest("Cannot delete documentation version %s, is referenced in stage: %s", name, *stage.Doc.StageName)
			}
		}
		if err := tx.Unpin(scope(c), apiID, version.Revision); err != nil {
			return err
		}
		return definition.DocumentationVersions.Delete(tx, scope(c), apiID, name)
	})
}

func getVersion(tx *store.Tx, c *awswire.Call, apiID, name string) (*definition.DocumentationVersion, error) {
	version, err := definition.DocumentationVersions.Get(tx, scope(c), apiID, name)
	// UNVERIFIED: the words.
	return version, missing(err, "Invalid Documentation version specified")
}

func versionView(version *definition.DocumentationVersion) *apigateway.DocumentationVersion {
	view := version.DocumentationVersion
	return &view
}
