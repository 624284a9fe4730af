package apigatewayv2

import (
	"errors"
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// vpcLinkIDLength is that of AWS's ids of VPC links.
const vpcLinkIDLength = 6

// CreateVpcLink makes a VPC link. There is no network to prepare: it is available
// at once, though the answer has the status that AWS's has.
func (s *Service) CreateVpcLink(c *awswire.Call, in *apigatewayv2.CreateVpcLinkRequest) (*apigatewayv2.CreateVpcLinkResponse, error) {
	link := &definition.VPCLink{}
	apply(&link.VpcLink, in, "Tags")
	if err := checkVPCLink(link); err != nil {
		return nil, err
	}
	if err := setTags(&link.Tags, in.Tags); err != nil {
		return nil, err
	}
	link.CreatedDate = new(c.Time.UTC())
	link.VpcLinkVersion = new(apigatewayv2.VpcLinkVersionV2)
	link.VpcLinkStatus = new(apigatewayv2.VpcLinkStatusAvailable)
	link.VpcLinkStatusMessage = new("VPC link is ready to route traffic")
	err := s.store.Update(c, func(tx *store.Tx) error {
		id, err := s.freeID(vpcLinkIDLength, func(id string) (bool, error) { return definition.VPCLinkExists(tx, scope(c), id) })
		if err != nil {
			return err
		}
		link.VpcLinkId = &id
		return definition.VPCLinks.Put(tx, scope(c), link, id)
	})
	if err != nil {
		return nil, err
	}
	out := answer[apigatewayv2.CreateVpcLinkResponse](vpcLinkView(link))
	out.VpcLinkStatus = new(apigatewayv2.VpcLinkStatusPending)
	out.VpcLinkStatusMessage = new("VPC link is provisioning ENIs")
	return out, nil
}

// checkVPCLink refuses what can't be a VPC link. UNVERIFIED: the words.
func checkVPCLink(link *definition.VPCLink) error {
	if value(link.Name) == "" {
		return badRequest("Name is required for a VPC link")
	}
	if err := checkLength("name", link.Name, 128); err != nil {
		return err
	}
	if len(link.SubnetIds) == 0 {
		return badRequest("At least one subnet is required for a VPC link")
	}
	return nil
}

// vpcLinkView is a link as it is shown: with its lists, if they are empty.
func vpcLinkView(link *definition.VPCLink) *apigatewayv2.VpcLink {
	view := link.VpcLink
	if view.SecurityGroupIds == nil {
		view.SecurityGroupIds = []string{}
	}
	view.Tags = orEmpty(view.Tags)
	return &view
}

// GetVpcLink returns one VPC link.
func (s *Service) GetVpcLink(c *awswire.Call, in *apigatewayv2.GetVpcLinkRequest) (*apigatewayv2.GetVpcLinkResponse, error) {
	var link *definition.VPCLink
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		link, err = getVPCLink(tx, c, value(in.VpcLinkId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.GetVpcLinkResponse](vpcLinkView(link)), nil
}

func getVPCLink(tx *store.Tx, c *awswire.Call, id string) (*definition.VPCLink, error) {
	link, err := definition.VPCLinks.Get(tx, scope(c), id)
	// UNVERIFIED: the words.
	return link, missing(err, "Unable to find VpcLink with id %s", id)
}

// GetVpcLinks lists the VPC links of the account and region.
func (s *Service) GetVpcLinks(c *awswire.Call, in *apigatewayv2.GetVpcLinksRequest) (*apigatewayv2.GetVpcLinksResponse, error) {
	out := &apigatewayv2.GetVpcLinksResponse{}
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		out.Items, out.NextToken, err = list(tx, scope(c), definition.VPCLinks, pageRequest{in.MaxResults, in.NextToken},
			func(e store.Entry[definition.VPCLink]) apigatewayv2.VpcLink { return *vpcLinkView(e.Doc) })
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateVpcLink changes the name; the rest of a link can't be.
func (s *Service) UpdateVpcLink(c *awswire.Call, in *apigatewayv2.UpdateVpcLinkRequest) (*apigatewayv2.UpdateVpcLinkResponse, error) {
	var link *definition.VPCLink
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		id := value(in.VpcLinkId)
		if link, err = getVPCLink(tx, c, id); err != nil {
			return err
		}
		apply(&link.VpcLink, in, "VpcLinkId")
		if err := checkVPCLink(link); err != nil {
			return err
		}
		return definition.VPCLinks.Put(tx, scope(c), link, id)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.UpdateVpcLinkResponse](vpcLinkView(link)), nil
}

// DeleteVpcLink removes a VPC link that no integration uses.
func (s *Service) DeleteVpcLink(c *awswire.Call, in *apigatewayv2.DeleteVpcLinkRequest) (*apigatewayv2.DeleteVpcLinkResponse, error) {
	err := s.store.Update(c, func(tx *store.Tx) error {
		id := value(in.VpcLinkId)
		if _, err := getVPCLink(tx, c, id); err != nil {
			return err
		}
		uses, err := definition.VPCLinkUses(tx, scope(c), id)
		if err != nil {
			return err
		}
		if len(uses) > 0 {
			// UNVERIFIED: that it is refused. The words are those of links of REST APIs.
			return badRequest("Cannot delete vpc link. Vpc link '%s', is referenced in [%s] in format of [Method:Resource:Stage].", id, strings.Join(uses, ", "))
		}
		return definition.VPCLinks.Delete(tx, scope(c), id)
	})
	if err != nil {
		return nil, err
	}
	return &apigatewayv2.DeleteVpcLinkResponse{}, nil
}

// checkConnection fills in how an integration of an HTTP API is connected, and
// refuses what can't be.
func checkConnection(tx *store.Tx, c *awswire.Call, in *definition.Integration) error {
	in.ConnectionType = orDefault(in.ConnectionType, apigatewayv2.ConnectionTypeInternet)
	switch *in.ConnectionType {
	case apigatewayv2.ConnectionTypeInternet:
		in.ConnectionId = nil
		return nil
	case apigatewayv2.ConnectionTypeVPCLink:
	default:
		// UNVERIFIED: the words.
		return badRequest("Invalid connectionType specified. Valid options are INTERNET,VPC_LINK")
	}
	// UNVERIFIED: the words, but those of the URI.
	if value(in.IntegrationType) != apigatewayv2.IntegrationTypeHTTPProxy {
		return badRequest("VpcLink is only supported for integrations of type HTTP_PROXY")
	}
	if in.ConnectionId == nil {
		return badRequest("ConnectionId must be specified for connectionType VPC_LINK")
	}
	if _, err := definition.VPCLinks.Get(tx, scope(c), *in.ConnectionId); err != nil {
		return missingLink(err, *in.ConnectionId)
	}
	name, _, _ := strings.Cut(value(in.IntegrationUri), "?")
	target, err := arn.Parse(name)
	if err != nil || target.Account != c.Account || target.Region != c.Region {
		return invalidPrivateURI()
	}
	return nil
}

// setTLS sets how TLS is spoken with what an integration leads to. Without a name in
// it, it is taken back.
func setTLS(in *definition.Integration, config *apigatewayv2.TlsConfigInput) {
	switch {
	case config == nil:
	case value(config.ServerNameToVerify) == "":
		in.TlsConfig = nil
	default:
		in.TlsConfig = &apigatewayv2.TlsConfig{ServerNameToVerify: config.ServerNameToVerify}
	}
}

func missingLink(err error, id string) error {
	if errors.Is(err, store.ErrNotFound) {
		return badRequest("Invalid VpcLink identifier specified: %s", id)
	}
	return err
}

func invalidPrivateURI() error {
	return badRequest("For VpcLink VPC_LINK, integration uri should be a valid ELB listener ARN or a valid Cloud Map service ARN.")
}
