package servicediscovery

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	api "gatehouse/internal/awsapi/servicediscovery"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// The attributes that have a meaning.
const (
	ipv4Attribute   = "AWS_INSTANCE_IPV4"
	ipv6Attribute   = "AWS_INSTANCE_IPV6"
	portAttribute   = "AWS_INSTANCE_PORT"
	healthAttribute = "AWS_INIT_HEALTH_STATUS"
)

const (
	// maxInstances is how many instances a service has, by AWS's default quota.
	maxInstances = 1000
	// maxDiscovered is how many instances are discovered unless a call says less.
	maxDiscovered = 100
)

// RegisterInstance adds an instance to a service, or gives it other attributes.
func (s *Service) RegisterInstance(c *awswire.Call, in *api.RegisterInstanceRequest) (*api.RegisterInstanceResponse, error) {
	doc := &instanceDoc{}
	doc.Id, doc.CreatorRequestId, doc.CreatedByAccount = in.InstanceId, in.CreatorRequestId, new(c.Account)
	doc.Attributes = in.Attributes
	if err := checkAttributes(in.Attributes); err != nil {
		return nil, err
	}
	out := &api.RegisterInstanceResponse{}
	err := s.store.Update(c, func(tx *store.Tx) error {
		owner, err := service(tx, c, *in.ServiceId)
		if err != nil {
			return err
		}
		if owner.HealthCheckCustomConfig != nil {
			doc.Unhealthy = in.Attributes[healthAttribute] == api.CustomHealthStatusUnhealthy
		} else if in.Attributes[healthAttribute] != "" {
			return invalid(healthAttribute + " needs a service with a custom health check") // UNVERIFIED wording
		}
		old, err := instances.Get(tx, scopeOf(c), *owner.Id, *in.InstanceId)
		switch {
		case errors.Is(err, store.ErrNotFound):
			some, err := instances.List(tx, scopeOf(c), store.Page{Limit: maxInstances}, *owner.Id)
			if err != nil {
				return err
			}
			if len(some) == maxInstances {
				return api.NewResourceLimitExceeded(fmt.Sprintf("A service has at most %d instances", maxInstances))
			}
		case err != nil:
			return err
		case in.Attributes[healthAttribute] == "":
			doc.Unhealthy = old.Unhealthy
		}
		if err := instances.Put(tx, scopeOf(c), doc, *owner.Id, *in.InstanceId); err != nil {
			return err
		}
		if err := revise(tx, c, owner); err != nil {
			return err
		}
		out.OperationId, err = s.operation(tx, c, api.OperationTypeRegisterInstance,
			map[string]string{api.OperationTargetTypeInstance: *in.InstanceId, api.OperationTargetTypeService: *owner.Id})
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// revise counts a change of a service's instances.
func revise(tx *store.Tx, c *awswire.Call, owner *serviceDoc) error {
	owner.Revision++
	return services.Put(tx, scopeOf(c), owner, *owner.Id)
}

// checkAttributes refuses what can't be an instance. UNVERIFIED wording.
func checkAttributes(attributes map[string]string) error {
	if len(attributes) > 30 {
		return invalid("An instance has at most 30 attributes")
	}
	for name, v := range attributes {
		if len(name) > 255 || len(v) > 1024 {
			return invalid("The attribute " + name + " is too long")
		}
		switch name {
		case ipv4Attribute, ipv6Attribute:
			a, err := netip.ParseAddr(v)
			if err != nil || a.Is4() != (name == ipv4Attribute) || a.Zone() != "" {
				return invalid("The attribute " + name + " is no address: " + v)
			}
		case portAttribute:
			if p, err := strconv.Atoi(v); err != nil || p < 1 || p > 65535 {
				return invalid("The attribute " + name + " is no port: " + v)
			}
		case healthAttribute:
			if v != api.CustomHealthStatusHealthy && v != api.CustomHealthStatusUnhealthy {
				return invalid("The attribute " + name + " must be HEALTHY or UNHEALTHY")
			}
		case "AWS_EC2_INSTANCE_ID", "AWS_ALIAS_DNS_NAME":
			return awswire.NotImplemented("servicediscovery", "RegisterInstance with "+name)
		}
	}
	return nil
}

// addr is where requests to an instance go, "" for one that can't get any.
func (d *instanceDoc) addr() string {
	ip, port := d.Attributes[ipv4Attribute], d.Attributes[portAttribute]
	if ip == "" {
		ip = d.Attributes[ipv6Attribute]
	}
	if ip == "" || port == "" {
		return ""
	}
	return net.JoinHostPort(ip, port)
}

// DeregisterInstance takes an instance out.
func (s *Service) DeregisterInstance(c *awswire.Call, in *api.DeregisterInstanceRequest) (*api.DeregisterInstanceResponse, error) {
	out := &api.DeregisterInstanceResponse{}
	err := s.store.Update(c, func(tx *store.Tx) error {
		owner, err := service(tx, c, *in.ServiceId)
		if err != nil {
			return err
		}
		if _, err := instance(tx, c, owner, *in.InstanceId); err != nil {
			return err
		}
		if err := instances.Delete(tx, scopeOf(c), *owner.Id, *in.InstanceId); err != nil {
			return err
		}
		if err := revise(tx, c, owner); err != nil {
			return err
		}
		out.OperationId, err = s.operation(tx, c, api.OperationTypeDeregisterInstance,
			map[string]string{api.OperationTargetTypeInstance: *in.InstanceId, api.OperationTargetTypeService: *owner.Id})
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func instance(tx *store.Tx, c *awswire.Call, owner *serviceDoc, id string) (*instanceDoc, error) {
	doc, err := instances.Get(tx, scopeOf(c), *owner.Id, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, api.NewInstanceNotFound("Instance not found: " + id)
	}
	return doc, err
}

// GetInstance shows an instance.
func (s *Service) GetInstance(c *awswire.Call, in *api.GetInstanceRequest) (*api.GetInstanceResponse, error) {
	out := &api.GetInstanceResponse{}
	err := s.store.View(c, func(tx *store.Tx) error {
		owner, err := service(tx, c, *in.ServiceId)
		if err != nil {
			return err
		}
		doc, err := instance(tx, c, owner, *in.InstanceId)
		if err != nil {
			return err
		}
		out.Instance = &doc.Instance
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ListInstances lists a service's instances.
func (s *Service) ListInstances(c *awswire.Call, in *api.ListInstancesRequest) (*api.ListInstancesResponse, error) {
	out := &api.ListInstancesResponse{Instances: []api.InstanceSummary{}}
	err := s.store.View(c, func(tx *store.Tx) error {
		owner, err := service(tx, c, *in.ServiceId)
		if err != nil {
			return err
		}
		entries, next, err := list(tx, c, instances, in.MaxResults, in.NextToken, *owner.Id)
		out.NextToken = next
		for _, e := range entries {
			out.Instances = append(out.Instances, api.InstanceSummary{Id: e.Doc.Id, Attributes: e.Doc.Attributes, CreatedByAccount: e.Doc.CreatedByAccount})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// GetInstancesHealthStatus tells what was reported of instances.
func (s *Service) GetInstancesHealthStatus(c *awswire.Call, in *api.GetInstancesHealthStatusRequest) (*api.GetInstancesHealthStatusResponse, error) {
	out := &api.GetInstancesHealthStatusResponse{Status: map[string]string{}}
	err := s.store.View(c, func(tx *store.Tx) error {
		owner, err := service(tx, c, *in.ServiceId)
		if err != nil {
			return err
		}
		for _, id := range in.Instances {
			if _, err := instance(tx, c, owner, id); err != nil {
				return err
			}
		}
		entries, next, err := list(tx, c, instances, in.MaxResults, in.NextToken, *owner.Id)
		out.NextToken = next
		for _, e := range entries {
			if len(in.Instances) == 0 || slices.Contains(in.Instances, e.ID[1]) {
				out.Status[e.ID[1]] = e.Doc.health(owner)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// health is an instance's status. One whose service has no health check has none.
func (d *instanceDoc) health(owner *serviceDoc) string {
	switch {
	case owner.HealthCheckCustomConfig == nil:
		return api.HealthStatusUnknown
	case d.Unhealthy:
		return api.HealthStatusUnhealthy
	}
	return api.HealthStatusHealthy
}

// UpdateInstanceCustomHealthStatus reports how an instance is.
func (s *Service) UpdateInstanceCustomHealthStatus(c *awswire.Call, in *api.UpdateInstanceCustomHealthStatusRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		owner, err := service(tx, c, *in.ServiceId)
		if err != nil {
			return err
		}
		doc, err := instance(tx, c, owner, *in.InstanceId)
		if err != nil {
			return err
		}
		if owner.HealthCheckCustomConfig == nil {
			return api.NewCustomHealthNotFound("Custom health status doesn't exist for the specified instance: " + *in.InstanceId) // UNVERIFIED wording
		}
		doc.Unhealthy = *in.Status == api.CustomHealthStatusUnhealthy
		if err := instances.Put(tx, scopeOf(c), doc, *owner.Id, *in.InstanceId); err != nil {
			return err
		}
		return revise(tx, c, owner)
	})
}

// DiscoverInstances finds instances by the names of namespace and service.
func (s *Service) DiscoverInstances(c *awswire.Call, in *api.DiscoverInstancesRequest) (*api.DiscoverInstancesResponse, error) {
	out := &api.DiscoverInstancesResponse{Instances: []api.HttpInstanceSummary{}}
	err := s.store.View(c, func(tx *store.Tx) error {
		owner, err := named(tx, c, *in.NamespaceName, *in.ServiceName)
		if err != nil {
			return err
		}
		out.InstancesRevision = &owner.Revision
		var required, optional []api.HttpInstanceSummary
		for e, err := range instances.All(tx, scopeOf(c), *owner.Id) {
			if err != nil {
				return err
			}
			if !has(e.Doc.Attributes, in.QueryParameters) {
				continue
			}
			found := api.HttpInstanceSummary{
				InstanceId: e.Doc.Id, NamespaceName: in.NamespaceName, ServiceName: in.ServiceName,
				HealthStatus: new(e.Doc.health(owner)), Attributes: e.Doc.Attributes,
			}
			required = append(required, found)
			if len(in.OptionalParameters) > 0 && has(e.Doc.Attributes, in.OptionalParameters) {
				optional = append(optional, found)
			}
		}
		if len(optional) > 0 {
			required = optional
		}
		out.Instances = append(out.Instances, byHealth(required, value(in.HealthStatus))...)
		most := maxDiscovered
		if in.MaxResults != nil {
			most = int(*in.MaxResults)
		}
		out.Instances = out.Instances[:min(most, len(out.Instances))]
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DiscoverInstancesRevision tells how often a service's instances have changed.
func (s *Service) DiscoverInstancesRevision(c *awswire.Call, in *api.DiscoverInstancesRevisionRequest) (*api.DiscoverInstancesRevisionResponse, error) {
	out := &api.DiscoverInstancesRevisionResponse{}
	err := s.store.View(c, func(tx *store.Tx) error {
		owner, err := named(tx, c, *in.NamespaceName, *in.ServiceName)
		if err == nil {
			out.InstancesRevision = &owner.Revision
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// byHealth chooses instances by their health; by default all of them where none is
// healthy.
func byHealth(all []api.HttpInstanceSummary, filter string) []api.HttpInstanceSummary {
	healthy := func(i api.HttpInstanceSummary) bool { return *i.HealthStatus != api.HealthStatusUnhealthy }
	switch filter {
	case api.HealthStatusFilterAll:
		return all
	case api.HealthStatusFilterUnhealthy:
		return slices.DeleteFunc(slices.Clone(all), healthy)
	}
	sound := slices.DeleteFunc(slices.Clone(all), func(i api.HttpInstanceSummary) bool { return !healthy(i) })
	if len(sound) == 0 && filter != api.HealthStatusFilterHealthy {
		return all
	}
	return sound
}

func has(attributes, want map[string]string) bool {
	for name, v := range want {
		if got, ok := attributes[name]; !ok || got != v {
			return false
		}
	}
	return true
}

// named finds a service by its names, which have no case.
func named(tx *store.Tx, c *awswire.Call, namespaceName, serviceName string) (*serviceDoc, error) {
	for e, err := range namespaces.All(tx, scopeOf(c)) {
		if err != nil {
			return nil, err
		}
		if !strings.EqualFold(*e.Doc.Name, namespaceName) {
			continue
		}
		all, err := servicesOf(tx, c, *e.Doc.Id)
		if err != nil {
			return nil, err
		}
		for _, d := range all {
			if strings.EqualFold(*d.Name, serviceName) {
				return d, nil
			}
		}
		return nil, api.NewServiceNotFound("Service not found: " + serviceName)
	}
	return nil, api.NewNamespaceNotFound("Namespace not found: " + namespaceName)
}
