package apigatewayv2

import (
	"errors"
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/awsapi/apigatewayv2"
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

// GetTags returns the tags of an API, a stage, a domain or a VPC link.
func (s *Service) GetTags(c *awswire.Call, in *apigatewayv2.GetTagsRequest) (*apigatewayv2.GetTagsResponse, error) {
	out := &apigatewayv2.GetTagsResponse{}
	err := s.store.View(c, func(tx *store.Tx) error {
		return s.tagged(tx, c, "GetTags", value(in.ResourceArn), func(tags *map[string]string) (bool, error) {
			out.Tags = orEmpty(*tags)
			return false, nil
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// TagResource adds tags to an API, a stage, a domain or a VPC link.
func (s *Service) TagResource(c *awswire.Call, in *apigatewayv2.TagResourceRequest) (*apigatewayv2.TagResourceResponse, error) {
	err := s.store.Update(c, func(tx *store.Tx) error {
		return s.tagged(tx, c, "TagResource", value(in.ResourceArn), func(tags *map[string]string) (bool, error) {
			return true, setTags(tags, in.Tags)
		})
	})
	if err != nil {
		return nil, err
	}
	return &apigatewayv2.TagResourceResponse{}, nil
}

// UntagResource removes tags from an API, a stage, a domain or a VPC link.
func (s *Service) UntagResource(c *awswire.Call, in *apigatewayv2.UntagResourceRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		return s.tagged(tx, c, "UntagResource", value(in.ResourceArn), func(tags *map[string]string) (bool, error) {
			for _, key := range in.TagKeys {
				delete(*tags, key)
			}
			return true, nil
		})
	})
}

// tagged finds the resource an ARN names and gives its tags to use, which tells
// whether they changed.
func (s *Service) tagged(tx *store.Tx, c *awswire.Call, operation, name string, use func(tags *map[string]string) (bool, error)) error {
	// UNVERIFIED: the words of these errors.
	a, err := arn.Parse(name)
	if err != nil || a.Service != "apigateway" {
		return badRequest("Invalid resource ARN specified: %s", name)
	}
	if a.Region != c.Region {
		return apigatewayv2.NewNotFoundException("Invalid resource ARN specified: " + name + " is not in region " + c.Region)
	}
	parts := strings.Split(strings.TrimPrefix(a.Resource, "/"), "/")
	switch {
	case len(parts) == 2 && parts[0] == "apis":
		api, err := getAPI(tx, c, parts[1])
		if err != nil {
			return err
		}
		if changed, err := use(&api.Tags); err != nil || !changed {
			return err
		}
		return definition.APIs.Put(tx, scope(c), api, parts[1])
	case len(parts) == 4 && parts[0] == "apis" && parts[2] == "stages":
		stage, err := getStage(tx, c, parts[1], parts[3])
		if err != nil {
			return err
		}
		if changed, err := use(&stage.Tags); err != nil || !changed {
			return err
		}
		return definition.Stages.Put(tx, scope(c), stage, parts[1], parts[3])
	case len(parts) == 2 && parts[0] == "domainnames":
		name, id, private := strings.Cut(parts[1], "+")
		var domainID *string
		if private {
			domainID = &id
		}
		d, err := s.domains.Get(tx, c, name, domainID)
		if err != nil {
			return domainError(err)
		}
		if changed, err := use(&d.Tags); err != nil || !changed {
			return err
		}
		return definition.Domains.Put(tx, scope(c), d, domain.Name(d))
	case len(parts) == 2 && parts[0] == "vpclinks":
		link, err := getVPCLink(tx, c, parts[1])
		if err != nil {
			return err
		}
		if changed, err := use(&link.Tags); err != nil || !changed {
			return err
		}
		return definition.VPCLinks.Put(tx, scope(c), link, parts[1])
	case parts[0] == "portals" || parts[0] == "portalproducts":
		return notYet(operation, "a resource of type "+parts[0])
	}
	return badRequest("Invalid resource ARN specified: %s", name)
}
