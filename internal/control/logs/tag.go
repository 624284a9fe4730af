package logs

import (
	"maps"
	"strings"

	api "gatehouse/internal/awsapi/logs"
	"gatehouse/internal/awswire"
)

// maxTags is how many tags a group has at most.
const maxTags = 50

func checkTags(tags map[string]string) error {
	for key := range tags {
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return invalid("aws: prefixed tag key names are not allowed for external use.") // UNVERIFIED wording
		}
	}
	return nil
}

// tag adds tags to a group.
func (s *Service) tag(c *awswire.Call, name string, tags map[string]string, tooMany func(string) *awswire.Error) error {
	if err := checkTags(tags); err != nil {
		return err
	}
	return s.change(c, name, func(doc *groupDoc) error {
		merged := map[string]string{}
		maps.Copy(merged, doc.Tags)
		maps.Copy(merged, tags)
		if len(merged) > maxTags {
			return tooMany("The number of tags on the resource exceeds the limit of 50.") // UNVERIFIED wording
		}
		doc.Tags = merged
		return nil
	})
}

func (s *Service) untag(c *awswire.Call, name string, keys []string) error {
	return s.change(c, name, func(doc *groupDoc) error {
		for _, key := range keys {
			delete(doc.Tags, key)
		}
		return nil
	})
}

// tags returns a group's tags, never nil.
func (s *Service) tags(c *awswire.Call, name string) (map[string]string, error) {
	doc, err := s.group(c, scopeOf(c), name)
	if err != nil {
		return nil, err
	}
	if doc.Tags == nil {
		return map[string]string{}, nil
	}
	return doc.Tags, nil
}

// TagLogGroup adds tags to a group by name.
func (s *Service) TagLogGroup(c *awswire.Call, in *api.TagLogGroupRequest) error {
	return s.tag(c, *in.LogGroupName, in.Tags, api.NewInvalidParameterException)
}

// UntagLogGroup takes tags from a group by name.
func (s *Service) UntagLogGroup(c *awswire.Call, in *api.UntagLogGroupRequest) error {
	return s.untag(c, *in.LogGroupName, in.Tags)
}

// ListTagsLogGroup lists a group's tags by name.
func (s *Service) ListTagsLogGroup(c *awswire.Call, in *api.ListTagsLogGroupRequest) (*api.ListTagsLogGroupResponse, error) {
	tags, err := s.tags(c, *in.LogGroupName)
	if err != nil {
		return nil, err
	}
	return &api.ListTagsLogGroupResponse{Tags: tags}, nil
}

// TagResource adds tags to a group by ARN, with or without its ":*".
func (s *Service) TagResource(c *awswire.Call, in *api.TagResourceRequest) error {
	name, err := nameInARN(c, *in.ResourceArn)
	if err != nil {
		return err
	}
	return s.tag(c, name, in.Tags, api.NewTooManyTagsException)
}

// UntagResource takes tags from a group by ARN.
func (s *Service) UntagResource(c *awswire.Call, in *api.UntagResourceRequest) error {
	name, err := nameInARN(c, *in.ResourceArn)
	if err != nil {
		return err
	}
	return s.untag(c, name, in.TagKeys)
}

// ListTagsForResource lists a group's tags by ARN.
func (s *Service) ListTagsForResource(c *awswire.Call, in *api.ListTagsForResourceRequest) (*api.ListTagsForResourceResponse, error) {
	name, err := nameInARN(c, *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags, err := s.tags(c, name)
	if err != nil {
		return nil, err
	}
	return &api.ListTagsForResourceResponse{Tags: tags}, nil
}
