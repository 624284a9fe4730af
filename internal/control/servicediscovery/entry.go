package servicediscovery

import (
	"slices"

	api "gatehouse/internal/awsapi/servicediscovery"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// CreateService makes a service of a namespace.
func (s *Service) CreateService(c *awswire.Call, in *api.CreateServiceRequest) (*api.CreateServiceResponse, error) {
	if in.HealthCheckConfig != nil {
		// Route 53 checks those from outside, for names that it answers.
		return nil, awswire.NotImplemented("servicediscovery", "CreateService with healthCheckConfig")
	}
	random, err := s.newID(16)
	if err != nil {
		return nil, err
	}
	id := "srv-" + random
	doc := &serviceDoc{Revision: 1}
	doc.Id, doc.Arn, doc.CreateDate, doc.ResourceOwner = &id, new(resourceName(c, "service/"+id)), new(c.Time.UTC()), new(c.Account)
	doc.Name, doc.Description, doc.CreatorRequestId, doc.NamespaceId = in.Name, in.Description, in.CreatorRequestId, in.NamespaceId
	doc.DnsConfig, doc.HealthCheckCustomConfig, doc.Type = in.DnsConfig, in.HealthCheckCustomConfig, new(api.ServiceTypeHTTP)
	if doc.NamespaceId == nil && in.DnsConfig != nil {
		doc.NamespaceId = in.DnsConfig.NamespaceId
	}
	if doc.NamespaceId == nil {
		return nil, invalid("A namespace ID is required")
	}
	doc.NamespaceId = new(bareID(*doc.NamespaceId))
	if h := doc.HealthCheckCustomConfig; h != nil && h.FailureThreshold == nil {
		doc.HealthCheckCustomConfig = &api.HealthCheckCustomConfig{FailureThreshold: new(int32(1))}
	}
	if err := addTags(&doc.Tags, in.Tags); err != nil {
		return nil, err
	}
	err = s.store.Update(c, func(tx *store.Tx) error {
		n, err := namespace(tx, c, *doc.NamespaceId)
		if err != nil {
			return err
		}
		if in.DnsConfig != nil {
			if *n.Type == api.NamespaceTypeHTTP {
				return invalid("DNS configuration isn't supported for services of HTTP namespaces") // UNVERIFIED wording
			}
			doc.Type = new(api.ServiceTypeDNSHTTP)
			if value(in.Type) == api.ServiceTypeOptionHTTP {
				return invalid("A service of type HTTP has no DNS configuration") // UNVERIFIED wording
			}
		}
		all, err := servicesOf(tx, c, *doc.NamespaceId)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(all, func(o *serviceDoc) bool { return *o.Name == *doc.Name }) {
			return api.NewServiceAlreadyExists("Service already exists.")
		}
		return services.Put(tx, scopeOf(c), doc, id)
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateServiceResponse{Service: &doc.Service}, nil
}

// GetService shows a service.
func (s *Service) GetService(c *awswire.Call, in *api.GetServiceRequest) (*api.GetServiceResponse, error) {
	out := &api.GetServiceResponse{}
	err := s.store.View(c, func(tx *store.Tx) error {
		doc, err := service(tx, c, *in.Id)
		if err != nil {
			return err
		}
		n := int32(0)
		for _, err := range instances.All(tx, scopeOf(c), *doc.Id) {
			if err != nil {
				return err
			}
			n++
		}
		out.Service = &doc.Service
		out.Service.InstanceCount = &n
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ListServices lists services, those of a namespace where a filter says so.
func (s *Service) ListServices(c *awswire.Call, in *api.ListServicesRequest) (*api.ListServicesResponse, error) {
	out := &api.ListServicesResponse{Services: []api.ServiceSummary{}}
	err := s.store.View(c, func(tx *store.Tx) error {
		entries, next, err := list(tx, c, services, in.MaxResults, in.NextToken)
		out.NextToken = next
		for _, e := range entries {
			d := &e.Doc.Service
			fails := func(f api.ServiceFilter) bool {
				return value(f.Name) == api.ServiceFilterNameNamespaceID && !meets(f.Condition, f.Values, *d.NamespaceId)
			}
			if !slices.ContainsFunc(in.Filters, fails) {
				out.Services = append(out.Services, api.ServiceSummary{
					Id: d.Id, Arn: d.Arn, ResourceOwner: d.ResourceOwner, Name: d.Name, Type: d.Type, Description: d.Description,
					DnsConfig: d.DnsConfig, HealthCheckCustomConfig: d.HealthCheckCustomConfig, CreateDate: d.CreateDate,
				})
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateService changes the description and what DNS would say.
func (s *Service) UpdateService(c *awswire.Call, in *api.UpdateServiceRequest) (*api.UpdateServiceResponse, error) {
	if in.Service.HealthCheckConfig != nil {
		return nil, awswire.NotImplemented("servicediscovery", "UpdateService with healthCheckConfig")
	}
	out := &api.UpdateServiceResponse{}
	err := s.store.Update(c, func(tx *store.Tx) error {
		doc, err := service(tx, c, *in.Id)
		if err != nil {
			return err
		}
		doc.Description = in.Service.Description
		if in.Service.DnsConfig != nil {
			if doc.DnsConfig == nil {
				return invalid("The service has no DNS configuration") // UNVERIFIED wording
			}
			next := *doc.DnsConfig
			next.DnsRecords = in.Service.DnsConfig.DnsRecords
			doc.DnsConfig = &next
		}
		if err := services.Put(tx, scopeOf(c), doc, *doc.Id); err != nil {
			return err
		}
		out.OperationId, err = s.operation(tx, c, api.OperationTypeUpdateService, map[string]string{api.OperationTargetTypeService: *doc.Id})
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteService deletes a service without instances.
func (s *Service) DeleteService(c *awswire.Call, in *api.DeleteServiceRequest) (*api.DeleteServiceResponse, error) {
	err := s.store.Update(c, func(tx *store.Tx) error {
		doc, err := service(tx, c, *in.Id)
		if err != nil {
			return err
		}
		some, err := instances.List(tx, scopeOf(c), store.Page{Limit: 1}, *doc.Id)
		if err != nil {
			return err
		}
		if len(some) > 0 {
			return api.NewResourceInUse("Service contains registered instances; delete the instances before deleting the service")
		}
		return services.Delete(tx, scopeOf(c), *doc.Id)
	})
	if err != nil {
		return nil, err
	}
	return &api.DeleteServiceResponse{}, nil
}
