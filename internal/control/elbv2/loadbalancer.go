package elbv2

import (
	"fmt"
	"slices"
	"strings"

	api "gatehouse/internal/awsapi/elbv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// The hosted zones of the names of load balancers, those of us-east-1 everywhere.
const (
	applicationZone = "Z35SXDOTRQ7X7K"
	networkZone     = "Z26RNL4JYFTOTI"
)

// CreateLoadBalancer makes a load balancer. Subnets and security groups are names
// here. One with the same name and settings is the same one.
func (s *Service) CreateLoadBalancer(c *awswire.Call, in *api.CreateLoadBalancerInput) (*api.CreateLoadBalancerOutput, error) {
	doc, err := s.newLoadBalancer(c, in)
	if err != nil {
		return nil, err
	}
	err = s.store.Update(c, func(tx *store.Tx) error {
		known, err := loadBalancers.Exists(tx, scopeOf(c), *in.Name)
		if err != nil {
			return err
		}
		if !known {
			return loadBalancers.Put(tx, scopeOf(c), doc, *in.Name)
		}
		old, err := loadBalancers.Get(tx, scopeOf(c), *in.Name)
		if err != nil {
			return err
		}
		if !sameLoadBalancer(old, doc) {
			return api.NewDuplicateLoadBalancerNameException("A load balancer with the same name '" + *in.Name + "' exists, but with different settings")
		}
		doc = old
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := doc.LoadBalancer
	out.State = &api.LoadBalancerState{Code: new(api.LoadBalancerStateEnumProvisioning)}
	return &api.CreateLoadBalancerOutput{LoadBalancers: []api.LoadBalancer{out}}, nil
}

func sameLoadBalancer(a, b *loadBalancerDoc) bool {
	return value(a.Type) == value(b.Type) && value(a.Scheme) == value(b.Scheme) && value(a.IpAddressType) == value(b.IpAddressType) &&
		slices.Equal(a.SecurityGroups, b.SecurityGroups) &&
		slices.EqualFunc(a.AvailabilityZones, b.AvailabilityZones, func(a, b api.AvailabilityZone) bool { return value(a.SubnetId) == value(b.SubnetId) })
}

func (s *Service) newLoadBalancer(c *awswire.Call, in *api.CreateLoadBalancerInput) (*loadBalancerDoc, error) {
	if err := checkName("Load balancer", *in.Name); err != nil {
		return nil, err
	}
	kind := value(orDefault(in.Type, api.LoadBalancerTypeEnumApplication))
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	doc := &loadBalancerDoc{Attributes: map[string]string{}}
	short, zone := "app", applicationZone
	switch kind {
	case api.LoadBalancerTypeEnumApplication:
	case api.LoadBalancerTypeEnumNetwork:
		short, zone = "net", networkZone
	default:
		return nil, notYet("CreateLoadBalancer with type " + kind)
	}
	subnets := in.Subnets
	for _, m := range in.SubnetMappings {
		subnets = append(subnets, value(m.SubnetId))
	}
	if err := doc.setSubnets(c, kind, subnets); err != nil {
		return nil, err
	}
	scheme := value(orDefault(in.Scheme, api.LoadBalancerSchemeEnumInternetFacing))
	host := *in.Name + "-" + id + ".elb." + c.Region + ".amazonaws.com"
	if kind == api.LoadBalancerTypeEnumApplication {
		host = *in.Name + "-" + decimal(id) + "." + c.Region + ".elb.amazonaws.com"
		if scheme == api.LoadBalancerSchemeEnumInternal {
			host = "internal-" + host
		}
	}
	if doc.Tags, err = newTags(in.Tags); err != nil {
		return nil, err
	}
	doc.LoadBalancerArn = new(resourceName(c, "loadbalancer/"+short+"/"+*in.Name+"/"+id))
	doc.LoadBalancerName, doc.DNSName, doc.CanonicalHostedZoneId = in.Name, &host, &zone
	doc.CreatedTime, doc.Scheme, doc.Type = new(c.Time.UTC()), &scheme, &kind
	doc.State = &api.LoadBalancerState{Code: new(api.LoadBalancerStateEnumActive)}
	doc.SecurityGroups, doc.IpAddressType = in.SecurityGroups, orDefault(in.IpAddressType, "ipv4")
	return doc, nil
}

// decimal is the number in a name of an application load balancer.
func decimal(id string) string {
	var n uint64
	_, _ = fmt.Sscanf(id, "%x", &n)
	return fmt.Sprintf("%010d", n%10_000_000_000)
}

// setSubnets sets the subnets. Their zones aren't known here: they are lettered in
// order.
func (d *loadBalancerDoc) setSubnets(c *awswire.Call, kind string, subnets []string) error {
	least, words := 1, "At least one subnet must be specified"
	if kind == api.LoadBalancerTypeEnumApplication {
		least, words = 2, "At least two subnets in two different Availability Zones must be specified"
	}
	if len(subnets) < least {
		return invalid(words)
	}
	d.AvailabilityZones = nil
	for i, subnet := range subnets {
		d.AvailabilityZones = append(d.AvailabilityZones, api.AvailabilityZone{
			SubnetId: new(subnet), ZoneName: new(c.Region + string(rune('a'+i%26))), LoadBalancerAddresses: []api.LoadBalancerAddress{},
		})
	}
	return nil
}

// DescribeLoadBalancers shows load balancers by name, by ARN or all.
func (s *Service) DescribeLoadBalancers(c *awswire.Call, in *api.DescribeLoadBalancersInput) (*api.DescribeLoadBalancersOutput, error) {
	out := &api.DescribeLoadBalancersOutput{LoadBalancers: []api.LoadBalancer{}}
	err := s.store.View(c, func(tx *store.Tx) error {
		all, err := every(tx, scopeOf(c), loadBalancers)
		if err != nil {
			return err
		}
		found := map[string]bool{}
		for _, d := range all {
			if len(in.Names) > 0 && !slices.Contains(in.Names, *d.LoadBalancerName) ||
				len(in.LoadBalancerArns) > 0 && !slices.Contains(in.LoadBalancerArns, *d.LoadBalancerArn) {
				continue
			}
			found[*d.LoadBalancerName], found[*d.LoadBalancerArn] = true, true
			out.LoadBalancers = append(out.LoadBalancers, d.LoadBalancer)
		}
		for _, name := range in.Names {
			if !found[name] {
				return api.NewLoadBalancerNotFoundException("Load balancers '[" + name + "]' not found")
			}
		}
		for _, name := range in.LoadBalancerArns {
			if !found[name] {
				_, err := loadBalancer(tx, c, name)
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.LoadBalancers, out.NextMarker, err = page(out.LoadBalancers, func(l *api.LoadBalancer) string { return *l.LoadBalancerName }, in.Marker, in.PageSize)
	return out, err
}

// DeleteLoadBalancer deletes a load balancer with its listeners. One that isn't
// there is deleted already.
func (s *Service) DeleteLoadBalancer(c *awswire.Call, in *api.DeleteLoadBalancerInput) (*api.DeleteLoadBalancerOutput, error) {
	err := s.store.Update(c, func(tx *store.Tx) error {
		doc, err := loadBalancer(tx, c, *in.LoadBalancerArn)
		if isMissing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if doc.Attributes["deletion_protection.enabled"] == "true" {
			return api.NewOperationNotPermittedException("Load balancer '" + *in.LoadBalancerArn + "' cannot be deleted because deletion protection is enabled")
		}
		for e, err := range definition.RestVPCLinks.All(tx, scopeOf(c)) {
			if err != nil {
				return err
			}
			if slices.Contains(e.Doc.TargetArns, *in.LoadBalancerArn) {
				return api.NewResourceInUseException("Load balancer '" + *in.LoadBalancerArn + "' cannot be deleted because it is currently associated with another service")
			}
		}
		name := *doc.LoadBalancerName
		if _, err := rules.DeleteAll(tx, scopeOf(c), name); err != nil {
			return err
		}
		if _, err := listeners.DeleteAll(tx, scopeOf(c), name); err != nil {
			return err
		}
		return loadBalancers.Delete(tx, scopeOf(c), name)
	})
	if err != nil {
		return nil, err
	}
	return &api.DeleteLoadBalancerOutput{}, nil
}

// isMissing tells the errors of what isn't there.
func isMissing(err error) bool {
	e, ok := err.(*awswire.Error) //nolint:errorlint // made in this package
	return ok && strings.HasSuffix(e.QueryCode, "NotFound")
}

// change edits a load balancer.
func (s *Service) change(c *awswire.Call, name string, edit func(*loadBalancerDoc) error) (*loadBalancerDoc, error) {
	var doc *loadBalancerDoc
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		if doc, err = loadBalancer(tx, c, name); err != nil {
			return err
		}
		if err := edit(doc); err != nil {
			return err
		}
		return loadBalancers.Put(tx, scopeOf(c), doc, *doc.LoadBalancerName)
	})
	return doc, err
}

// SetSecurityGroups sets the security groups, which are names here.
func (s *Service) SetSecurityGroups(c *awswire.Call, in *api.SetSecurityGroupsInput) (*api.SetSecurityGroupsOutput, error) {
	_, err := s.change(c, *in.LoadBalancerArn, func(d *loadBalancerDoc) error { d.SecurityGroups = in.SecurityGroups; return nil })
	if err != nil {
		return nil, err
	}
	return &api.SetSecurityGroupsOutput{SecurityGroupIds: in.SecurityGroups}, nil
}

// SetSubnets sets the subnets, which are names here.
func (s *Service) SetSubnets(c *awswire.Call, in *api.SetSubnetsInput) (*api.SetSubnetsOutput, error) {
	subnets := in.Subnets
	for _, m := range in.SubnetMappings {
		subnets = append(subnets, value(m.SubnetId))
	}
	doc, err := s.change(c, *in.LoadBalancerArn, func(d *loadBalancerDoc) error { return d.setSubnets(c, *d.Type, subnets) })
	if err != nil {
		return nil, err
	}
	return &api.SetSubnetsOutput{AvailabilityZones: doc.AvailabilityZones, IpAddressType: doc.IpAddressType}, nil
}

// SetIpAddressType sets the type of addresses, a name here.
func (s *Service) SetIpAddressType(c *awswire.Call, in *api.SetIpAddressTypeInput) (*api.SetIpAddressTypeOutput, error) {
	_, err := s.change(c, *in.LoadBalancerArn, func(d *loadBalancerDoc) error { d.IpAddressType = in.IpAddressType; return nil })
	if err != nil {
		return nil, err
	}
	return &api.SetIpAddressTypeOutput{IpAddressType: in.IpAddressType}, nil
}

// DescribeCapacityReservation says that a load balancer has none.
func (s *Service) DescribeCapacityReservation(c *awswire.Call, in *api.DescribeCapacityReservationInput) (*api.DescribeCapacityReservationOutput, error) {
	err := s.store.View(c, func(tx *store.Tx) error {
		_, err := loadBalancer(tx, c, *in.LoadBalancerArn)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.DescribeCapacityReservationOutput{}, nil
}
