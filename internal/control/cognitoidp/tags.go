package cognitoidp

import (
	"maps"
	"strings"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

const maxTags = 50

func checkTags(tags map[string]string) error {
	for key := range tags {
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return api.NewUserPoolTaggingException("aws: prefixed tag key names are not allowed for external use.") // UNVERIFIED wording
		}
	}
	if len(tags) > maxTags {
		return api.NewUserPoolTaggingException("A user pool can have at most 50 tags.") // UNVERIFIED wording
	}
	return nil
}

// poolIDOf reads the id of a pool of the caller's out of its ARN.
func poolIDOf(c *awswire.Call, text *string) (*string, error) {
	a, err := arn.Parse(value(text))
	id, ok := strings.CutPrefix(a.Resource, "userpool/")
	if err != nil || !ok || a.Service != "cognito-idp" {
		return nil, invalid("Invalid ARN: " + value(text))
	}
	if a.Account != c.Account || a.Region != c.Region {
		return nil, noPool(&id)
	}
	return &id, nil
}

// TagResource adds tags to a pool, or replaces them.
func (s *Service) TagResource(c *awswire.Call, in *api.TagResourceRequest) (*api.TagResourceResponse, error) {
	id, err := poolIDOf(c, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	err = s.changePool(c, id, func(_ *store.Tx, d *poolDoc) error {
		merged := map[string]string{}
		maps.Copy(merged, d.Pool.UserPoolTags)
		maps.Copy(merged, in.Tags)
		d.Pool.UserPoolTags = merged
		return checkTags(merged)
	})
	if err != nil {
		return nil, err
	}
	return &api.TagResourceResponse{}, nil
}

// UntagResource takes tags from a pool; keys that aren't there don't matter.
func (s *Service) UntagResource(c *awswire.Call, in *api.UntagResourceRequest) (*api.UntagResourceResponse, error) {
	id, err := poolIDOf(c, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	err = s.changePool(c, id, func(_ *store.Tx, d *poolDoc) error {
		for _, key := range in.TagKeys {
			delete(d.Pool.UserPoolTags, key)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.UntagResourceResponse{}, nil
}

// ListTagsForResource lists a pool's tags.
func (s *Service) ListTagsForResource(c *awswire.Call, in *api.ListTagsForResourceRequest) (*api.ListTagsForResourceResponse, error) {
	id, err := poolIDOf(c, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &api.ListTagsForResourceResponse{Tags: map[string]string{}}
	err = s.viewPool(c, id, func(_ *store.Tx, d *poolDoc) error {
		maps.Copy(out.Tags, d.Pool.UserPoolTags)
		return nil
	})
	return out, err
}
