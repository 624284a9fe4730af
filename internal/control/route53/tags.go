package route53

import (
	"errors"
	"maps"
	"slices"

	api "gatehouse/internal/awsapi/route53"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/tagging"
	"gatehouse/internal/store"
)

// tagged reads the zone that tags are about.
func tagged(tx *store.Tx, c *awswire.Call, resourceType, id string) (*zoneDoc, error) {
	if resourceType != api.TagResourceTypeHostedzone {
		return nil, api.NewNoSuchHealthCheck("No health check exists with the specified ID " + id)
	}
	return zone(tx, c, id)
}

// ChangeTagsForResource adds tags to a zone and takes some away.
func (s *Service) ChangeTagsForResource(c *awswire.Call, in *api.ChangeTagsForResourceRequest) (*api.ChangeTagsForResourceResponse, error) {
	err := s.store.Update(c, func(tx *store.Tx) error {
		doc, err := tagged(tx, c, *in.ResourceType, *in.ResourceId)
		if err != nil {
			return err
		}
		if doc.Tags == nil {
			doc.Tags = map[string]string{}
		}
		for _, key := range in.RemoveTagKeys {
			delete(doc.Tags, key)
		}
		add := map[string]string{}
		for _, tag := range in.AddTags {
			add[value(tag.Key)] = value(tag.Value)
		}
		var refused tagging.Error
		if err := tagging.Add(&doc.Tags, add); errors.As(err, &refused) {
			return invalid(string(refused))
		} else if err != nil {
			return err
		}
		return zones.Put(tx, scopeOf(c), doc, *doc.Zone.Id)
	})
	if err != nil {
		return nil, err
	}
	return &api.ChangeTagsForResourceResponse{}, nil
}

// ListTagsForResource lists a zone's tags.
func (s *Service) ListTagsForResource(c *awswire.Call, in *api.ListTagsForResourceRequest) (*api.ListTagsForResourceResponse, error) {
	sets, err := s.tagSets(c, *in.ResourceType, *in.ResourceId)
	if err != nil {
		return nil, err
	}
	return &api.ListTagsForResourceResponse{ResourceTagSet: &sets[0]}, nil
}

// ListTagsForResources lists the tags of up to ten zones.
func (s *Service) ListTagsForResources(c *awswire.Call, in *api.ListTagsForResourcesRequest) (*api.ListTagsForResourcesResponse, error) {
	sets, err := s.tagSets(c, *in.ResourceType, in.ResourceIds...)
	if err != nil {
		return nil, err
	}
	return &api.ListTagsForResourcesResponse{ResourceTagSets: sets}, nil
}

func (s *Service) tagSets(c *awswire.Call, resourceType string, ids ...string) ([]api.ResourceTagSet, error) {
	var sets []api.ResourceTagSet
	err := s.store.View(c, func(tx *store.Tx) error {
		for _, id := range ids {
			doc, err := tagged(tx, c, resourceType, id)
			if err != nil {
				return err
			}
			set := api.ResourceTagSet{ResourceType: &resourceType, ResourceId: doc.Zone.Id, Tags: []api.Tag{}}
			for _, key := range slices.Sorted(maps.Keys(doc.Tags)) {
				set.Tags = append(set.Tags, api.Tag{Key: new(key), Value: new(doc.Tags[key])})
			}
			sets = append(sets, set)
		}
		return nil
	})
	return sets, err
}
