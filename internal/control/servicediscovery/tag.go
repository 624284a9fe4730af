package servicediscovery

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/servicediscovery"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/tagging"
	"gatehouse/internal/store"
)

func addTags(to *map[string]string, tags []api.Tag) error {
	add := make(map[string]string, len(tags))
	for _, t := range tags {
		add[value(t.Key)] = value(t.Value)
	}
	err := tagging.Add(to, add)
	var refused tagging.Error
	if errors.As(err, &refused) {
		return invalid(string(refused))
	}
	return err
}

// tagged gives the tags of what an ARN names to use, which tells whether they
// changed.
func tagged(tx *store.Tx, c *awswire.Call, name string, use func(*map[string]string) (bool, error)) error {
	missing := api.NewResourceNotFoundException("Resource not found: " + name)
	a, err := arn.Parse(name)
	if err != nil || a.Service != "servicediscovery" || a.Account != c.Account || a.Region != c.Region {
		return missing
	}
	kind, id, _ := strings.Cut(a.Resource, "/")
	switch kind {
	case "namespace":
		d, err := namespaces.Get(tx, scopeOf(c), id)
		if errors.Is(err, store.ErrNotFound) {
			return missing
		}
		if err != nil {
			return err
		}
		if changed, err := use(&d.Tags); err != nil || !changed {
			return err
		}
		return namespaces.Put(tx, scopeOf(c), d, id)
	case "service":
		d, err := services.Get(tx, scopeOf(c), id)
		if errors.Is(err, store.ErrNotFound) {
			return missing
		}
		if err != nil {
			return err
		}
		if changed, err := use(&d.Tags); err != nil || !changed {
			return err
		}
		return services.Put(tx, scopeOf(c), d, id)
	}
	return missing
}

// ListTagsForResource shows the tags of a namespace or a service.
func (s *Service) ListTagsForResource(c *awswire.Call, in *api.ListTagsForResourceRequest) (*api.ListTagsForResourceResponse, error) {
	out := &api.ListTagsForResourceResponse{Tags: []api.Tag{}}
	err := s.store.View(c, func(tx *store.Tx) error {
		return tagged(tx, c, *in.ResourceARN, func(tags *map[string]string) (bool, error) {
			for _, key := range slices.Sorted(maps.Keys(*tags)) {
				out.Tags = append(out.Tags, api.Tag{Key: new(key), Value: new((*tags)[key])})
			}
			return false, nil
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// TagResource adds tags to a namespace or a service.
func (s *Service) TagResource(c *awswire.Call, in *api.TagResourceRequest) (*api.TagResourceResponse, error) {
	err := s.store.Update(c, func(tx *store.Tx) error {
		return tagged(tx, c, *in.ResourceARN, func(tags *map[string]string) (bool, error) { return true, addTags(tags, in.Tags) })
	})
	if err != nil {
		return nil, err
	}
	return &api.TagResourceResponse{}, nil
}

// UntagResource takes tags from a namespace or a service.
func (s *Service) UntagResource(c *awswire.Call, in *api.UntagResourceRequest) (*api.UntagResourceResponse, error) {
	err := s.store.Update(c, func(tx *store.Tx) error {
		return tagged(tx, c, *in.ResourceARN, func(tags *map[string]string) (bool, error) {
			left := maps.Clone(*tags)
			for _, key := range in.TagKeys {
				delete(left, key)
			}
			*tags = left
			return true, nil
		})
	})
	if err != nil {
		return nil, err
	}
	return &api.UntagResourceResponse{}, nil
}
