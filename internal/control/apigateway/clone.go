package apigateway

import (
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/apiid"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// cloneAPI stores a new API with what another one has but for its stages and
// deployments. Ids below an API are its own, so they stay the same.
//
// UNVERIFIED: which settings of the other API are taken over.
func (s *Service) cloneAPI(tx *store.Tx, c *awswire.Call, api *definition.RestAPI, in *apigateway.CreateRestApiRequest) error {
	from, err := getAPI(tx, c, *in.CloneFrom)
	if err != nil {
		return err
	}
	if len(api.BinaryMediaTypes) == 0 {
		api.BinaryMediaTypes = from.BinaryMediaTypes
	}
	if api.MinimumCompressionSize == nil {
		api.MinimumCompressionSize = from.MinimumCompressionSize
	}
	id, err := s.claimID(tx, c, api.Tags[apiid.CustomTag])
	if err != nil {
		return err
	}
	if api.Policy, err = storedPolicy(c, id, in.Policy); err != nil {
		return err
	}
	api.Id, api.RootResourceId = &id, from.RootResourceId
	at := scope(c)
	for _, copyAll := range []func(*store.Tx, store.Scope, string, string) error{
		copyKind(definition.Resources), copyKind(definition.ResourceNames),
		copyKind(definition.RestModels), copyKind(definition.RequestValidators), copyKind(definition.RestAuthorizers),
		copyKind(definition.GatewayResponses), copyKind(definition.DocumentationParts),
	} {
		if err := copyAll(tx, at, *from.Id, id); err != nil {
			return err
		}
	}
	return definition.RestAPIs.Put(tx, at, api, id)
}

// copyKind copies the documents of one API to another.
func copyKind[T any](kind store.Kind[T]) func(tx *store.Tx, at store.Scope, from, to string) error {
	return func(tx *store.Tx, at store.Scope, from, to string) error {
		for entry, err := range kind.All(tx, at, from) {
			if err != nil {
				return err
			}
			if err := kind.Put(tx, at, entry.Doc, append([]string{to}, entry.ID[1:]...)...); err != nil {
				return err
			}
		}
		return nil
	}
}
