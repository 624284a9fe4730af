package elbv2

import (
	"errors"
	"maps"
	"slices"

	api "gatehouse/internal/awsapi/elbv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/tagging"
	"gatehouse/internal/store"
)

// newTags are the tags of something new, nil for none.
func newTags(tags []api.Tag) (map[string]string, error) {
	var all map[string]string
	return all, addTags(&all, tags)
}

func addTags(to *map[string]string, tags []api.Tag) error {
	add := make(map[string]string, len(tags))
	for _, t := range tags {
		if _, twice := add[value(t.Key)]; twice {
			return api.NewDuplicateTagKeysException("Tag keys must be unique: " + value(t.Key))
		}
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
	switch {
	case parts(c, name, "loadbalancer", 4) != nil:
		d, err := loadBalancer(tx, c, name)
		if err != nil {
			return err
		}
		return keep(tx, c, loadBalancers, d, &d.Tags, use, *d.LoadBalancerName)
	case parts(c, name, "targetgroup", 3) != nil:
		d, err := targetGroup(tx, c, name)
		if err != nil {
			return err
		}
		return keep(tx, c, targetGroups, d, &d.Tags, use, *d.TargetGroupName)
	case parts(c, name, "listener", 5) != nil:
		d, key, err := listener(tx, c, name)
		if err != nil {
			return err
		}
		return keep(tx, c, listeners, d, &d.Tags, use, key...)
	case parts(c, name, "listener-rule", 6) != nil:
		if is, err := isDefaultRule(tx, c, name); err != nil || is {
			none := map[string]string{}
			_, err := use(&none)
			return err
		}
		d, key, err := rule(tx, c, name)
		if err != nil {
			return err
		}
		return keep(tx, c, rules, d, &d.Tags, use, key...)
	}
	return invalid("'" + name + "' is not a valid load balancer, target group, listener or rule ARN")
}

func keep[T any](tx *store.Tx, c *awswire.Call, kind store.Kind[T], doc *T, tags *map[string]string, use func(*map[string]string) (bool, error), key ...string) error {
	if changed, err := use(tags); err != nil || !changed {
		return err
	}
	return kind.Put(tx, scopeOf(c), doc, key...)
}

// DescribeTags shows the tags of resources.
func (s *Service) DescribeTags(c *awswire.Call, in *api.DescribeTagsInput) (*api.DescribeTagsOutput, error) {
	out := &api.DescribeTagsOutput{TagDescriptions: []api.TagDescription{}}
	err := s.store.View(c, func(tx *store.Tx) error {
		for _, name := range in.ResourceArns {
			d := api.TagDescription{ResourceArn: new(name), Tags: []api.Tag{}}
			err := tagged(tx, c, name, func(tags *map[string]string) (bool, error) {
				for _, key := range slices.Sorted(maps.Keys(*tags)) {
					d.Tags = append(d.Tags, api.Tag{Key: new(key), Value: new((*tags)[key])})
				}
				return false, nil
			})
			if err != nil {
				return err
			}
			out.TagDescriptions = append(out.TagDescriptions, d)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// AddTags adds tags to resources.
func (s *Service) AddTags(c *awswire.Call, in *api.AddTagsInput) (*api.AddTagsOutput, error) {
	err := s.store.Update(c, func(tx *store.Tx) error {
		for _, name := range in.ResourceArns {
			if err := tagged(tx, c, name, func(tags *map[string]string) (bool, error) { return true, addTags(tags, in.Tags) }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.AddTagsOutput{}, nil
}

// RemoveTags takes tags from resources.
func (s *Service) RemoveTags(c *awswire.Call, in *api.RemoveTagsInput) (*api.RemoveTagsOutput, error) {
	err := s.store.Update(c, func(tx *store.Tx) error {
		for _, name := range in.ResourceArns {
			err := tagged(tx, c, name, func(tags *map[string]string) (bool, error) {
				left := maps.Clone(*tags)
				for _, key := range in.TagKeys {
					delete(left, key)
				}
				*tags = left
				return true, nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.RemoveTagsOutput{}, nil
}
