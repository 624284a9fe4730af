package servicediscovery

import (
	"slices"
	"strings"

	api "gatehouse/internal/awsapi/servicediscovery"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// CreateHttpNamespace makes a namespace whose instances are discovered by calls.
func (s *Service) CreateHttpNamespace(c *awswire.Call, in *api.CreateHttpNamespaceRequest) (*api.CreateHttpNamespaceResponse, error) {
	doc := &namespaceDoc{}
	doc.Name, doc.Description, doc.CreatorRequestId = in.Name, in.Description, in.CreatorRequestId
	doc.Type = new(api.NamespaceTypeHTTP)
	id, err := s.addNamespace(c, doc, in.Tags)
	if err != nil {
		return nil, err
	}
	return &api.CreateHttpNamespaceResponse{OperationId: id}, nil
}

// CreatePrivateDnsNamespace makes a namespace of a VPC, which is a name here. Its
// names aren't answered by DNS.
func (s *Service) CreatePrivateDnsNamespace(c *awswire.Call, in *api.CreatePrivateDnsNamespaceRequest) (*api.CreatePrivateDnsNamespaceResponse, error) {
	doc := &namespaceDoc{}
	doc.Name, doc.Description, doc.CreatorRequestId = in.Name, in.Description, in.CreatorRequestId
	doc.Type = new(api.NamespaceTypeDNSPrivate)
	zone, err := s.newID(20)
	if err != nil {
		return nil, err
	}
	dns := &api.DnsProperties{HostedZoneId: new("Z" + strings.ToUpper(zone)), SOA: &api.SOA{TTL: new(int64(15))}}
	if in.Properties != nil && in.Properties.DnsProperties != nil && in.Properties.DnsProperties.SOA != nil {
		dns.SOA = in.Properties.DnsProperties.SOA
	}
	doc.Properties = &api.NamespaceProperties{DnsProperties: dns}
	id, err := s.addNamespace(c, doc, in.Tags)
	if err != nil {
		return nil, err
	}
	return &api.CreatePrivateDnsNamespaceResponse{OperationId: id}, nil
}

func (s *Service) addNamespace(c *awswire.Call, doc *namespaceDoc, tags []api.Tag) (operation *string, err error) {
	random, err := s.newID(16)
	if err != nil {
		return nil, err
	}
	id := "ns-" + random
	doc.Id, doc.Arn, doc.CreateDate, doc.ResourceOwner = &id, new(resourceName(c, "namespace/"+id)), new(c.Time.UTC()), new(c.Account)
	if doc.Properties == nil {
		doc.Properties = &api.NamespaceProperties{DnsProperties: &api.DnsProperties{SOA: &api.SOA{}}}
	}
	doc.Properties.HttpProperties = &api.HttpProperties{HttpName: doc.Name}
	if err := addTags(&doc.Tags, tags); err != nil {
		return nil, err
	}
	err = s.store.Update(c, func(tx *store.Tx) error {
		for e, err := range namespaces.All(tx, scopeOf(c)) {
			if err != nil {
				return err
			}
			if *e.Doc.Name == *doc.Name {
				return api.NewNamespaceAlreadyExists("Namespace with name " + *doc.Name + " already exists.")
			}
		}
		if err := namespaces.Put(tx, scopeOf(c), doc, id); err != nil {
			return err
		}
		operation, err = s.operation(tx, c, api.OperationTypeCreateNamespace, map[string]string{api.OperationTargetTypeNamespace: id})
		return err
	})
	return operation, err
}

// servicesOf lists a namespace's services.
func servicesOf(tx *store.Tx, c *awswire.Call, id string) ([]*serviceDoc, error) {
	var all []*serviceDoc
	for e, err := range services.All(tx, scopeOf(c)) {
		if err != nil {
			return nil, err
		}
		if value(e.Doc.NamespaceId) == id {
			all = append(all, e.Doc)
		}
	}
	return all, nil
}

// GetNamespace shows a namespace.
func (s *Service) GetNamespace(c *awswire.Call, in *api.GetNamespaceRequest) (*api.GetNamespaceResponse, error) {
	out := &api.GetNamespaceResponse{}
	err := s.store.View(c, func(tx *store.Tx) error {
		doc, err := namespace(tx, c, *in.Id)
		if err != nil {
			return err
		}
		all, err := servicesOf(tx, c, *doc.Id)
		out.Namespace = &doc.Namespace
		out.Namespace.ServiceCount = new(int32(len(all)))
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ListNamespaces lists namespaces, by their types or names where filters say so.
func (s *Service) ListNamespaces(c *awswire.Call, in *api.ListNamespacesRequest) (*api.ListNamespacesResponse, error) {
	out := &api.ListNamespacesResponse{Namespaces: []api.NamespaceSummary{}}
	err := s.store.View(c, func(tx *store.Tx) error {
		entries, next, err := list(tx, c, namespaces, in.MaxResults, in.NextToken)
		out.NextToken = next
		for _, e := range entries {
			n := &e.Doc.Namespace
			passes := func(f api.NamespaceFilter) bool {
				switch value(f.Name) {
				case api.NamespaceFilterNameType:
					return meets(f.Condition, f.Values, *n.Type)
				case api.NamespaceFilterNameName, api.NamespaceFilterNameHTTPName:
					return meets(f.Condition, f.Values, *n.Name)
				}
				return true
			}
			if !slices.ContainsFunc(in.Filters, func(f api.NamespaceFilter) bool { return !passes(f) }) {
				out.Namespaces = append(out.Namespaces, api.NamespaceSummary{
					Id: n.Id, Arn: n.Arn, ResourceOwner: n.ResourceOwner, Name: n.Name, Type: n.Type, Description: n.Description, Properties: n.Properties, CreateDate: n.CreateDate,
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

// meets tells whether a value is what a filter asks for.
func meets(condition *string, values []string, v string) bool {
	if value(condition) == api.FilterConditionBeginsWith {
		return slices.ContainsFunc(values, func(prefix string) bool { return strings.HasPrefix(v, prefix) })
	}
	return slices.Contains(values, v)
}

// DeleteNamespace deletes a namespace without services.
func (s *Service) DeleteNamespace(c *awswire.Call, in *api.DeleteNamespaceRequest) (*api.DeleteNamespaceResponse, error) {
	out := &api.DeleteNamespaceResponse{}
	err := s.store.Update(c, func(tx *store.Tx) error {
		doc, err := namespace(tx, c, *in.Id)
		if err != nil {
			return err
		}
		all, err := servicesOf(tx, c, *doc.Id)
		if err != nil {
			return err
		}
		if len(all) > 0 {
			return api.NewResourceInUse("Namespace has associated services: " + *doc.Id) // UNVERIFIED wording
		}
		if err := namespaces.Delete(tx, scopeOf(c), *doc.Id); err != nil {
			return err
		}
		out.OperationId, err = s.operation(tx, c, api.OperationTypeDeleteNamespace, map[string]string{api.OperationTargetTypeNamespace: *doc.Id})
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateHttpNamespace changes the description.
func (s *Service) UpdateHttpNamespace(c *awswire.Call, in *api.UpdateHttpNamespaceRequest) (*api.UpdateHttpNamespaceResponse, error) {
	id, err := s.changeNamespace(c, *in.Id, func(d *namespaceDoc) { d.Description = in.Namespace.Description })
	if err != nil {
		return nil, err
	}
	return &api.UpdateHttpNamespaceResponse{OperationId: id}, nil
}

// UpdatePrivateDnsNamespace changes the description and what the zone's SOA says.
func (s *Service) UpdatePrivateDnsNamespace(c *awswire.Call, in *api.UpdatePrivateDnsNamespaceRequest) (*api.UpdatePrivateDnsNamespaceResponse, error) {
	id, err := s.changeNamespace(c, *in.Id, func(d *namespaceDoc) {
		if in.Namespace.Description != nil {
			d.Description = in.Namespace.Description
		}
		if p := in.Namespace.Properties; p != nil && p.DnsProperties != nil && p.DnsProperties.SOA != nil {
			d.Properties.DnsProperties.SOA = &api.SOA{TTL: p.DnsProperties.SOA.TTL}
		}
	})
	if err != nil {
		return nil, err
	}
	return &api.UpdatePrivateDnsNamespaceResponse{OperationId: id}, nil
}

func (s *Service) changeNamespace(c *awswire.Call, id string, edit func(*namespaceDoc)) (operation *string, err error) {
	err = s.store.Update(c, func(tx *store.Tx) error {
		doc, err := namespace(tx, c, id)
		if err != nil {
			return err
		}
		edit(doc)
		if err := namespaces.Put(tx, scopeOf(c), doc, *doc.Id); err != nil {
			return err
		}
		operation, err = s.operation(tx, c, api.OperationTypeUpdateNamespace, map[string]string{api.OperationTargetTypeNamespace: *doc.Id})
		return err
	})
	return operation, err
}
