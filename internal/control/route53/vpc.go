package route53

import (
	"slices"

	api "gatehouse/internal/awsapi/route53"
	"gatehouse/internal/awswire"
	"gatehouse/internal/paging"
	"gatehouse/internal/store"
)

// AssociateVPCWithHostedZone adds a VPC to a private zone.
func (s *Service) AssociateVPCWithHostedZone(c *awswire.Call, in *api.AssociateVPCWithHostedZoneRequest) (*api.AssociateVPCWithHostedZoneResponse, error) {
	change, err := s.changeVPCs(c, *in.HostedZoneId, in.Comment, func(doc *zoneDoc) error {
		if value(in.VPC.VPCId) == "" {
			return invalidVPC()
		}
		if !doc.private() {
			return api.NewPublicZoneVPCAssociation("You're trying to associate a VPC with a public hosted zone. Amazon Route 53 doesn't support associating a VPC with a public hosted zone.")
		}
		if indexVPC(doc, in.VPC) >= 0 {
			return api.NewConflictingDomainExists("The VPC " + *in.VPC.VPCId + " is already associated with the hosted zone.") // UNVERIFIED wording
		}
		doc.VPCs = append(slices.Clip(doc.VPCs), *in.VPC)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.AssociateVPCWithHostedZoneResponse{ChangeInfo: change}, nil
}

// DisassociateVPCFromHostedZone takes a VPC from a private zone, which keeps one.
func (s *Service) DisassociateVPCFromHostedZone(c *awswire.Call, in *api.DisassociateVPCFromHostedZoneRequest) (*api.DisassociateVPCFromHostedZoneResponse, error) {
	change, err := s.changeVPCs(c, *in.HostedZoneId, in.Comment, func(doc *zoneDoc) error {
		i := indexVPC(doc, in.VPC)
		switch {
		case i < 0:
			return api.NewVPCAssociationNotFound("The VPC: " + value(in.VPC.VPCId) + " is not associated with the hosted zone.") // UNVERIFIED wording
		case len(doc.VPCs) == 1:
			return api.NewLastVPCAssociation("The VPC that you're trying to disassociate from the private hosted zone is the last VPC that is associated with the hosted zone.")
		}
		doc.VPCs = slices.Delete(slices.Clone(doc.VPCs), i, i+1)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.DisassociateVPCFromHostedZoneResponse{ChangeInfo: change}, nil
}

// ListHostedZonesByVPC lists the account's zones that a VPC is associated with.
func (s *Service) ListHostedZonesByVPC(c *awswire.Call, in *api.ListHostedZonesByVPCRequest) (*api.ListHostedZonesByVPCResponse, error) {
	limit, err := pageSize(in.MaxItems, maxListedZones)
	if err != nil {
		return nil, err
	}
	all, err := s.zones(c)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(d *zoneDoc) bool {
		return !slices.ContainsFunc(d.VPCs, func(v api.VPC) bool { return equal(v.VPCId, in.VPCId) && equal(v.VPCRegion, in.VPCRegion) })
	})
	page, next, err := paging.Slice(all, func(d *zoneDoc) string { return *d.Zone.Id }, value(in.NextToken), limit)
	if err != nil {
		return nil, api.NewInvalidPaginationToken("The pagination token is invalid.") // UNVERIFIED wording
	}
	out := &api.ListHostedZonesByVPCResponse{HostedZoneSummaries: []api.HostedZoneSummary{}, MaxItems: new(int32(limit))}
	if next != "" {
		out.NextToken = &next
	}
	for _, d := range page {
		out.HostedZoneSummaries = append(out.HostedZoneSummaries, api.HostedZoneSummary{
			HostedZoneId: d.Zone.Id, Name: d.Zone.Name, Owner: &api.HostedZoneOwner{OwningAccount: &c.Account},
		})
	}
	return out, nil
}

func invalidVPC() error {
	return api.NewInvalidVPCId("The VPC ID that you specified either isn't a valid ID or the current account is not authorized to access this VPC.")
}

func indexVPC(doc *zoneDoc, vpc *api.VPC) int {
	return slices.IndexFunc(doc.VPCs, func(v api.VPC) bool { return equal(v.VPCId, vpc.VPCId) })
}

func (s *Service) changeVPCs(c *awswire.Call, id string, comment *string, f func(*zoneDoc) error) (*api.ChangeInfo, error) {
	var change *api.ChangeInfo
	err := s.store.Update(c, func(tx *store.Tx) error {
		doc, err := zone(tx, c, id)
		if err != nil {
			return err
		}
		if err := f(doc); err != nil {
			return err
		}
		if err := zones.Put(tx, scopeOf(c), doc, *doc.Zone.Id); err != nil {
			return err
		}
		change, err = s.change(tx, c, comment)
		return err
	})
	return change, err
}
