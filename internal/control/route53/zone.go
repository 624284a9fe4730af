package route53

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	api "gatehouse/internal/awsapi/route53"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// What Route 53 puts into each zone.
const (
	nsTTL  = 172800
	soaTTL = 900
	// rest is what follows the first name server in a zone's SOA.
	soaRest = " awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
)

// maxZones is how many hosted zones an account has, by AWS's default quota.
const maxZones = 500

// CreateHostedZone makes a zone with its NS and SOA records.
func (s *Service) CreateHostedZone(c *awswire.Call, in *api.CreateHostedZoneRequest) (*api.CreateHostedZoneResponse, error) {
	name, err := canonical(*in.Name)
	if err != nil || strings.HasPrefix(name, `\052.`) {
		return nil, api.NewInvalidDomainName("The domain name " + *in.Name + " is invalid.") // UNVERIFIED wording
	}
	config := &api.HostedZoneConfig{PrivateZone: new(in.VPC != nil)}
	if in.HostedZoneConfig != nil {
		config.Comment = in.HostedZoneConfig.Comment
		if value(in.HostedZoneConfig.PrivateZone) && in.VPC == nil {
			return nil, invalid("When you're creating a private hosted zone (when you specify true for PrivateZone), you must also specify values for VPCId and VPCRegion.") // UNVERIFIED wording
		}
	}
	if in.DelegationSetId != nil {
		return nil, api.NewNoSuchDelegationSet("The delegation set with id " + bareID(*in.DelegationSetId) + " does not exist")
	}
	if in.VPC != nil && (value(in.VPC.VPCId) == "" || value(in.VPC.VPCRegion) == "") {
		return nil, invalidVPC()
	}
	id, err := s.newID(20)
	if err != nil {
		return nil, err
	}
	servers, err := s.nameServers(in.VPC != nil)
	if err != nil {
		return nil, err
	}
	doc := &zoneDoc{NameServers: servers, Created: c.Time.UTC(), Zone: api.HostedZone{
		Id: new("Z" + id), Name: &name, CallerReference: in.CallerReference, Config: config, ResourceRecordSetCount: new(int64(2)),
	}}
	if in.VPC != nil {
		doc.VPCs = []api.VPC{*in.VPC}
	}
	var change *api.ChangeInfo
	err = s.store.Update(c, func(tx *store.Tx) error {
		if err := unusedReference(tx, c, *in.CallerReference); err != nil {
			return err
		}
		if err := references.Put(tx, scopeOf(c), &reference{*doc.Zone.Id}, *in.CallerReference); err != nil {
			return err
		}
		if err := zones.Put(tx, scopeOf(c), doc, *doc.Zone.Id); err != nil {
			return err
		}
		for _, set := range doc.initial() {
			if err := put(tx, c, *doc.Zone.Id, &set); err != nil {
				return err
			}
		}
		change, err = s.change(tx, c, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.changed([]string{name})
	out := &api.CreateHostedZoneResponse{
		HostedZone: doc.shown(), ChangeInfo: change, VPC: in.VPC,
		Location: new("https://route53.amazonaws.com/2013-04-01/hostedzone/" + *doc.Zone.Id),
	}
	if !doc.private() {
		out.DelegationSet = &api.DelegationSet{NameServers: servers}
	}
	return out, nil
}

func unusedReference(tx *store.Tx, c *awswire.Call, name string) error {
	used, err := references.Exists(tx, scopeOf(c), name)
	if err != nil {
		return err
	}
	if used {
		return api.NewHostedZoneAlreadyExists("A hosted zone has already been created with the specified caller reference.")
	}
	all, err := zones.List(tx, scopeOf(c), store.Page{Limit: maxZones})
	if err != nil {
		return err
	}
	if len(all) == maxZones {
		return api.NewTooManyHostedZones("Limits Exceeded: MAX_HOSTED_ZONES_BY_OWNER - Cannot create more hosted zones.")
	}
	return nil
}

// nameServers are four names as AWS gives them. The servers of private zones are
// always the same.
func (s *Service) nameServers(private bool) ([]string, error) {
	var b [4]byte
	if !private {
		if _, err := s.random.Read(b[:]); err != nil {
			return nil, err
		}
	}
	var out []string
	for i, tld := range [...]string{"com", "net", "org", "co.uk"} {
		n := i*512 + 2*int(b[i])
		if private {
			n = i * 512
		}
		out = append(out, fmt.Sprintf("ns-%d.awsdns-%02d.%s", n, n/8%64, tld))
	}
	return out, nil
}

// initial are the records of a new zone.
func (d *zoneDoc) initial() []api.ResourceRecordSet {
	var servers []api.ResourceRecord
	for _, name := range d.NameServers {
		servers = append(servers, api.ResourceRecord{Value: new(name + ".")})
	}
	return []api.ResourceRecordSet{
		{Name: d.Zone.Name, Type: new(api.RRTypeNs), TTL: new(int64(nsTTL)), ResourceRecords: servers},
		{Name: d.Zone.Name, Type: new(api.RRTypeSoa), TTL: new(int64(soaTTL)), ResourceRecords: []api.ResourceRecord{{Value: new(d.NameServers[0] + "." + soaRest)}}},
	}
}

// GetHostedZone shows a zone and its name servers or VPCs.
func (s *Service) GetHostedZone(c *awswire.Call, in *api.GetHostedZoneRequest) (*api.GetHostedZoneResponse, error) {
	doc, err := s.zone(c, *in.Id)
	if err != nil {
		return nil, err
	}
	out := &api.GetHostedZoneResponse{HostedZone: doc.shown()}
	if doc.private() {
		out.VPCs = doc.VPCs
	} else {
		out.DelegationSet = &api.DelegationSet{NameServers: doc.NameServers}
	}
	return out, nil
}

// zone reads a zone in a transaction of its own.
func (s *Service) zone(c *awswire.Call, id string) (*zoneDoc, error) {
	var doc *zoneDoc
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		doc, err = zone(tx, c, id)
		return err
	})
	return doc, err
}

// UpdateHostedZoneComment changes a zone's comment, or takes it away.
func (s *Service) UpdateHostedZoneComment(c *awswire.Call, in *api.UpdateHostedZoneCommentRequest) (*api.UpdateHostedZoneCommentResponse, error) {
	var doc *zoneDoc
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		if doc, err = zone(tx, c, *in.Id); err != nil {
			return err
		}
		doc.Zone.Config.Comment = in.Comment
		return zones.Put(tx, scopeOf(c), doc, *doc.Zone.Id)
	})
	if err != nil {
		return nil, err
	}
	return &api.UpdateHostedZoneCommentResponse{HostedZone: doc.shown()}, nil
}

// DeleteHostedZone deletes a zone that has its NS and SOA records only.
func (s *Service) DeleteHostedZone(c *awswire.Call, in *api.DeleteHostedZoneRequest) (*api.DeleteHostedZoneResponse, error) {
	var change *api.ChangeInfo
	err := s.store.Update(c, func(tx *store.Tx) error {
		doc, err := zone(tx, c, *in.Id)
		if err != nil {
			return err
		}
		id := *doc.Zone.Id
		for e, err := range records.All(tx, scopeOf(c), id) {
			if err != nil {
				return err
			}
			if !required(e.Doc, *doc.Zone.Name) {
				return api.NewHostedZoneNotEmpty("The specified hosted zone contains non-required resource record sets  and so cannot be deleted.")
			}
		}
		if _, err := records.DeleteAll(tx, scopeOf(c), id); err != nil {
			return err
		}
		if err := references.Delete(tx, scopeOf(c), value(doc.Zone.CallerReference)); err != nil {
			return err
		}
		if err := zones.Delete(tx, scopeOf(c), id); err != nil {
			return err
		}
		change, err = s.change(tx, c, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.DeleteHostedZoneResponse{ChangeInfo: change}, nil
}

// required tells a record set that a zone can't be without.
func required(set *recordDoc, zone string) bool {
	return *set.Name == zone && (*set.Type == api.RRTypeNs || *set.Type == api.RRTypeSoa)
}

// GetHostedZoneCount counts the account's zones.
func (s *Service) GetHostedZoneCount(c *awswire.Call, _ *api.GetHostedZoneCountRequest) (*api.GetHostedZoneCountResponse, error) {
	all, err := s.zones(c)
	if err != nil {
		return nil, err
	}
	return &api.GetHostedZoneCountResponse{HostedZoneCount: new(int64(len(all)))}, nil
}

// GetDNSSEC says that a zone isn't signed: none is here.
func (s *Service) GetDNSSEC(c *awswire.Call, in *api.GetDNSSECRequest) (*api.GetDNSSECResponse, error) {
	doc, err := s.zone(c, *in.HostedZoneId)
	if err != nil {
		return nil, err
	}
	if doc.private() {
		return nil, api.NewInvalidArgument("Operation is unsupported for private hosted zones") // UNVERIFIED wording
	}
	return &api.GetDNSSECResponse{Status: &api.DNSSECStatus{ServeSignature: new("NOT_SIGNING")}, KeySigningKeys: []api.KeySigningKey{}}, nil
}

// zones lists the account's zones by id.
func (s *Service) zones(c *awswire.Call) ([]*zoneDoc, error) {
	var all []*zoneDoc
	err := s.store.View(c, func(tx *store.Tx) error {
		for e, err := range zones.All(tx, scopeOf(c)) {
			if err != nil {
				return err
			}
			all = append(all, e.Doc)
		}
		return nil
	})
	return all, err
}

// maxListedZones is how many zones a page has.
const maxListedZones = 100

// pageSize checks the size of a page.
func pageSize(asked *int32, most int) (int, error) {
	if asked == nil {
		return most, nil
	}
	if *asked < 1 {
		return 0, invalid(fmt.Sprintf("1 validation error detected: Value '%d' at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1", *asked))
	}
	return min(int(*asked), most), nil
}

// ListHostedZones lists zones by id.
func (s *Service) ListHostedZones(c *awswire.Call, in *api.ListHostedZonesRequest) (*api.ListHostedZonesResponse, error) {
	limit, err := pageSize(in.MaxItems, maxListedZones)
	if err != nil {
		return nil, err
	}
	if in.DelegationSetId != nil {
		return nil, api.NewNoSuchDelegationSet("The delegation set with id " + bareID(*in.DelegationSetId) + " does not exist")
	}
	all, err := s.zones(c)
	if err != nil {
		return nil, err
	}
	if in.HostedZoneType != nil {
		all = slices.DeleteFunc(all, func(d *zoneDoc) bool { return !d.private() })
	}
	if marker := bareID(value(in.Marker)); marker != "" {
		all = slices.DeleteFunc(all, func(d *zoneDoc) bool { return *d.Zone.Id < marker })
	}
	out := &api.ListHostedZonesResponse{
		HostedZones: []api.HostedZone{}, Marker: in.Marker, MaxItems: new(int32(limit)), IsTruncated: new(len(all) > limit),
	}
	if len(all) > limit {
		out.NextMarker = all[limit].Zone.Id
		all = all[:limit]
	}
	for _, d := range all {
		out.HostedZones = append(out.HostedZones, *d.shown())
	}
	return out, nil
}

// ListHostedZonesByName lists zones by their names, with the labels reversed.
func (s *Service) ListHostedZonesByName(c *awswire.Call, in *api.ListHostedZonesByNameRequest) (*api.ListHostedZonesByNameResponse, error) {
	limit, err := pageSize(in.MaxItems, maxListedZones)
	if err != nil {
		return nil, err
	}
	from := [2]string{"", bareID(value(in.HostedZoneId))}
	if in.DNSName != nil {
		name, err := canonical(*in.DNSName)
		if err != nil {
			return nil, api.NewInvalidDomainName("The domain name " + *in.DNSName + " is invalid.") // UNVERIFIED wording
		}
		from[0] = reversed(name)
	} else if in.HostedZoneId != nil {
		return nil, invalid("The request must specify dnsname if it specifies hostedzoneid.") // UNVERIFIED wording
	}
	all, err := s.zones(c)
	if err != nil {
		return nil, err
	}
	place := func(d *zoneDoc) []string { return []string{reversed(*d.Zone.Name), *d.Zone.Id} }
	all = slices.DeleteFunc(all, func(d *zoneDoc) bool { return slices.Compare(place(d), from[:]) < 0 })
	slices.SortFunc(all, func(a, b *zoneDoc) int { return slices.Compare(place(a), place(b)) })
	out := &api.ListHostedZonesByNameResponse{
		HostedZones: []api.HostedZone{}, DNSName: in.DNSName, HostedZoneId: in.HostedZoneId,
		MaxItems: new(int32(limit)), IsTruncated: new(len(all) > limit),
	}
	if len(all) > limit {
		out.NextDNSName, out.NextHostedZoneId = all[limit].Zone.Name, all[limit].Zone.Id
		all = all[:limit]
	}
	for _, d := range all {
		out.HostedZones = append(out.HostedZones, *d.shown())
	}
	return out, nil
}

// GetChange says that a change is in force: it was when its call was answered.
func (s *Service) GetChange(c *awswire.Call, in *api.GetChangeRequest) (*api.GetChangeResponse, error) {
	var doc *changeDoc
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		doc, err = changes.Get(tx, scopeOf(c), bareID(*in.Id))
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, api.NewNoSuchChange("Could not find resource with ID: " + bareID(*in.Id))
	}
	if err != nil {
		return nil, err
	}
	info := doc.ChangeInfo
	info.Id, info.Status = new("/change/"+*info.Id), new(api.ChangeStatusInsync)
	return &api.GetChangeResponse{ChangeInfo: &info}, nil
}
