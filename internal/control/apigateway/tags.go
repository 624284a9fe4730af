package apigateway

import (
	"errors"
	"maps"
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/domain"
	"gatehouse/internal/control/tagging"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// setTags adds tags to those a resource has and refuses what can't be a tag.
func setTags(tags *map[string]string, add map[string]string) error {
	err := tagging.Add(tags, add)
	var refused tagging.Error
	if errors.As(err, &refused) {
		return badRequest("%s", refused)
	}
	return err
}

// GetTags returns the tags of what an ARN names, all on one page.
func (s *Service) GetTags(c *awswire.Call, in *apigateway.GetTagsRequest) (*apigateway.Tags, error) {
	out := &apigateway.Tags{Tags: map[string]string{}}
	err := s.store.View(c, func(tx *store.Tx) error {
		return s.tagged(tx, c, value(in.ResourceArn), func(tags *map[string]string) (bool, error) {
			maps.Copy(out.Tags, *tags)
			return false, nil
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// TagResource adds tags to what an ARN names.
func (s *Service) TagResource(c *awswire.Call, in *apigateway.TagResourceRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		return s.tagged(tx, c, value(in.ResourceArn), func(tags *map[string]string) (bool, error) {
			return true, setTags(tags, in.Tags)
		})
	})
}

// UntagResource removes tags from what an ARN names.
func (s *Service) UntagResource(c *awswire.Call, in *apigateway.UntagResourceRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		return s.tagged(tx, c, value(in.ResourceArn), func(tags *map[string]string) (bool, error) {
			for _, key := range in.TagKeys {
				delete(*tags, key)
			}
			return true, nil
		})
	})
}

// tagged finds what an ARN names and gives its tags to use, which tells whether
// they changed.
func (s *Service) tagged(tx *store.Tx, c *awswire.Call, name string, use func(tags *map[string]string) (bool, error)) error {
	// UNVERIFIED: the words of these errors.
	a, err := arn.Parse(name)
	if err != nil || a.Service != "apigateway" {
		return badRequest("Invalid resource ARN specified: %s", name)
	}
	if a.Region != c.Region {
		return notFound("Invalid resource ARN specified: %s is not in region %s", name, c.Region)
	}
	parts := strings.Split(strings.TrimPrefix(a.Resource, "/"), "/")
	id := parts[len(parts)-1]
	switch {
	case strings.HasPrefix(a.Resource, associations):
		return tagDocument(tx, c, definition.AccessAssociations, associationTags, use, unknownAssociation, associationKey(name))
	case len(parts) == 4 && parts[0] == "restapis" && parts[2] == "stages":
		return tagDocument(tx, c, definition.RestStages, stageTags, use, "Invalid stage identifier specified", parts[1], id)
	case len(parts) != 2:
	case parts[0] == "restapis":
		return tagDocument(tx, c, definition.RestAPIs, apiTags, use, "Invalid API identifier specified "+c.Account+":"+id, id)
	case parts[0] == "apikeys":
		return tagDocument(tx, c, definition.APIKeys, keyTags, use, "Invalid API Key identifier specified", id)
	case parts[0] == "usageplans":
		return tagDocument(tx, c, definition.UsagePlans, planTags, use, "Invalid Usage Plan ID specified", id)
	case parts[0] == "clientcertificates":
		return tagDocument(tx, c, definition.ClientCertificates, certificateTags, use, "Invalid client certificate ID specified", id)
	case parts[0] == "domainnames":
		name, domainID, private := strings.Cut(id, "+")
		var named *string
		if private {
			named = &domainID
		}
		if _, err := s.domains.Get(tx, c, name, named); err != nil {
			return domainError(err)
		}
		return tagDocument(tx, c, definition.Domains, domainTags, use, "", domain.Lower(name))
	case parts[0] == "vpclinks":
		return tagDocument(tx, c, definition.RestVPCLinks, vpcLinkTags, use, unknownVPCLink, id)
	}
	return badRequest("Invalid resource ARN specified: %s", name)
}

func stageTags(d *definition.RestStage) *map[string]string               { return &d.Tags }
func apiTags(d *definition.RestAPI) *map[string]string                   { return &d.Tags }
func keyTags(d *definition.APIKey) *map[string]string                    { return &d.Tags }
func planTags(d *definition.UsagePlan) *map[string]string                { return &d.Tags }
func vpcLinkTags(d *definition.RestVPCLink) *map[string]string           { return &d.Tags }
func domainTags(d *definition.Domain) *map[string]string                 { return &d.Tags }
func associationTags(d *definition.AccessAssociation) *map[string]string { return &d.Tags }
func certificateTags(d *definition.ClientCertificate) *map[string]string { return &d.Tags }

// tagDocument gives the tags of a document to use and stores what it changed.
func tagDocument[T any](tx *store.Tx, c *awswire.Call, kind store.Kind[T], tags func(*T) *map[string]string,
	use func(tags *map[string]string) (bool, error), unknown string, id ...string) error {
	doc, err := kind.Get(tx, scope(c), id...)
	if err != nil {
		return missing(err, "%s", unknown)
	}
	if changed, err := use(tags(doc)); err != nil || !changed {
		return err
	}
	return kind.Put(tx, scope(c), doc, id...)
}
