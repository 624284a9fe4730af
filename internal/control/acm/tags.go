package acm

import (
	"maps"
	"slices"
	"strings"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
)

const maxTags = 50

// addTags adds tags to those there are. The map it writes is a new one.
func addTags(tags *map[string]string, add []api.Tag) error {
	if len(add) == 0 {
		return nil
	}
	merged := maps.Clone(*tags)
	if merged == nil {
		merged = map[string]string{}
	}
	// UNVERIFIED: the words of both refusals.
	for _, tag := range add {
		if strings.HasPrefix(strings.ToLower(value(tag.Key)), "aws:") {
			return api.NewInvalidTagException("Invalid Tag Key: \"" + *tag.Key + "\". AWS internal tags cannot be changed with this API")
		}
		merged[value(tag.Key)] = value(tag.Value)
	}
	if len(merged) > maxTags {
		return api.NewTooManyTagsException("A certificate can have at most 50 tags.")
	}
	*tags = merged
	return nil
}

// AddTagsToCertificate adds tags, or replaces them.
func (s *Service) AddTagsToCertificate(c *awswire.Call, in *api.AddTagsToCertificateRequest) error {
	return s.change(c, in.CertificateArn, func(d *definition.Certificate) error { return addTags(&d.Tags, in.Tags) })
}

// RemoveTagsFromCertificate takes tags away; one that is given with a value only
// if it has that. Tags that aren't there don't matter.
func (s *Service) RemoveTagsFromCertificate(c *awswire.Call, in *api.RemoveTagsFromCertificateRequest) error {
	return s.change(c, in.CertificateArn, func(d *definition.Certificate) error {
		for _, tag := range in.Tags {
			if has, ok := d.Tags[value(tag.Key)]; ok && (tag.Value == nil || *tag.Value == has) {
				delete(d.Tags, *tag.Key)
			}
		}
		return nil
	})
}

// ListTagsForCertificate lists tags by key.
func (s *Service) ListTagsForCertificate(c *awswire.Call, in *api.ListTagsForCertificateRequest) (*api.ListTagsForCertificateResponse, error) {
	tags, err := s.tags(c, in.CertificateArn)
	return &api.ListTagsForCertificateResponse{Tags: tags}, err
}

func (s *Service) tags(c *awswire.Call, certificateARN *string) ([]api.Tag, error) {
	doc, err := s.view(c, certificateARN)
	if err != nil {
		return nil, err
	}
	tags := []api.Tag{}
	for _, key := range slices.Sorted(maps.Keys(doc.Tags)) {
		tags = append(tags, api.Tag{Key: new(key), Value: new(doc.Tags[key])})
	}
	return tags, nil
}

// TagResource is AddTagsToCertificate under the name that newer clients call.
func (s *Service) TagResource(c *awswire.Call, in *api.TagResourceRequest) error {
	return s.change(c, in.ResourceArn, func(d *definition.Certificate) error { return addTags(&d.Tags, in.Tags) })
}

// UntagResource takes tags away by their keys.
func (s *Service) UntagResource(c *awswire.Call, in *api.UntagResourceRequest) error {
	return s.change(c, in.ResourceArn, func(d *definition.Certificate) error {
		for _, key := range in.TagKeys {
			delete(d.Tags, key)
		}
		return nil
	})
}

// ListTagsForResource lists tags by key.
func (s *Service) ListTagsForResource(c *awswire.Call, in *api.ListTagsForResourceRequest) (*api.ListTagsForResourceResponse, error) {
	tags, err := s.tags(c, in.ResourceArn)
	return &api.ListTagsForResourceResponse{Tags: tags}, err
}
