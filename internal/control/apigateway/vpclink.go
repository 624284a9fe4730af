package apigateway

import (
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// vpcLinkIDLength is that of AWS's ids of VPC links.
const vpcLinkIDLength = 6

// CreateVpcLink makes a VPC link to a network load balancer. There is no network to
// prepare: it is available at once, though the answer has the status that AWS's
// has.
func (s *Service) CreateVpcLink(c *awswire.Call, in *apigateway.CreateVpcLinkRequest) (*apigateway.VpcLink, error) {
	link := &definition.RestVPCLink{}
	link.Name, link.Description, link.TargetArns = nonEmpty(in.Name), nonEmpty(in.Description), in.TargetArns
	if err := checkVPCLink(c, link); err != nil {
		return nil, err
	}
	if err := setTags(&link.Tags, in.Tags); err != nil {
		return nil, err
	}
	link.Status = new(apigateway.VpcLinkStatusAvailable)
	link.StatusMessage = new("Your vpc link is ready for use")
	err := s.store.Update(c, func(tx *store.Tx) error {
		id, err := s.freeID(vpcLinkIDLength, func(id string) (bool, error) { return definition.VPCLinkExists(tx, scope(c), id) })
		if err != nil {
			return err
		}
		link.Id = &id
		return definition.RestVPCLinks.Put(tx, scope(c), link, id)
	})
	if err != nil {
		return nil, err
	}
	out := link.VpcLink
	out.Status, out.StatusMessage = new(apigateway.VpcLinkStatusPending), nil
	return &out, nil
}

// checkVPCLink refuses what can't be a VPC link. UNVERIFIED: the words.
func checkVPCLink(c *awswire.Call, link *definition.RestVPCLink) error {
	if link.Name == nil {
		return badRequest("Name is required for a VPC link")
	}
	if len(link.TargetArns) != 1 {
		return badRequest("Exactly one target ARN is required for a VPC link")
	}
	target, err := arn.Parse(link.TargetArns[0])
	if err != nil || target.Service != "elasticloadbalancing" || !strings.HasPrefix(target.Resource, "loadbalancer/net/") ||
		target.Account != c.Account || target.Region != c.Region {
		return badRequest("Invalid target ARN specified: %s must be that of a network load balancer of this account and region", link.TargetArns[0])
	}
	return nil
}

// GetVpcLink returns one VPC link.
func (s *Service) GetVpcLink(c *awswire.Call, in *apigateway.GetVpcLinkRequest) (*apigateway.VpcLink, error) {
	var link *definition.RestVPCLink
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		link, err = getVPCLink(tx, c, value(in.VpcLinkId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return &link.VpcLink, nil
}

// unknownVPCLink is what is said of an id that no VPC link has. UNVERIFIED.
const unknownVPCLink = "Invalid Vpc Link identifier specified"

func getVPCLink(tx *store.Tx, c *awswire.Call, id string) (*definition.RestVPCLink, error) {
	link, err := definition.RestVPCLinks.Get(tx, scope(c), id)
	return link, missing(err, unknownVPCLink)
}

// GetVpcLinks lists the VPC links of the account and region.
func (s *Service) GetVpcLinks(c *awswire.Call, in *apigateway.GetVpcLinksRequest) (*apigateway.VpcLinks, error) {
	out := &apigateway.VpcLinks{}
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		out.Items, out.Position, err = list(tx, scope(c), definition.RestVPCLinks, pageRequest{in.Limit, in.Position},
			func(e store.Entry[definition.RestVPCLink]) apigateway.VpcLink { return e.Doc.VpcLink })
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

var vpcLinkRules = patchRules[definition.RestVPCLink]{refuse: refuseListing, rules: []patchRule[definition.RestVPCLink]{
	{path: "/name", ops: opReplace},
	{path: "/description", ops: opReplace},
}}

// UpdateVpcLink patches a link's name and description.
func (s *Service) UpdateVpcLink(c *awswire.Call, in *apigateway.UpdateVpcLinkRequest) (*apigateway.VpcLink, error) {
	var link *definition.RestVPCLink
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		id := value(in.VpcLinkId)
		if link, err = getVPCLink(tx, c, id); err != nil {
			return err
		}
		if err := vpcLinkRules.apply(link, in.PatchOperations); err != nil {
			return err
		}
		if err := checkVPCLink(c, link); err != nil {
			return err
		}
		return definition.RestVPCLinks.Put(tx, scope(c), link, id)
	})
	if err != nil {
		return nil, err
	}
	return &link.VpcLink, nil
}

// DeleteVpcLink removes a VPC link that no integration uses.
func (s *Service) DeleteVpcLink(c *awswire.Call, in *apigateway.DeleteVpcLinkRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		id := value(in.VpcLinkId)
		if _, err := getVPCLink(tx, c, id); err != nil {
			return err
		}
		uses, err := definition.VPCLinkUses(tx, scope(c), id)
		if err != nil {
			return err
		}
		if len(uses) > 0 {
			return badRequest("Cannot delete vpc link. Vpc link '%s', is referenced in [%s] in format of [Method:Resource:Stage].", id, strings.Join(uses, ", "))
		}
		return definition.RestVPCLinks.Delete(tx, scope(c), id)
	})
}
