package cognitoidp

import (
	"errors"
	"slices"
	"strings"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

func resourceServer(tx *store.Tx, c *awswire.Call, poolID, identifier *string) (*resourceServerDoc, error) {
	d, err := resourceServers.Get(tx, scopeOf(c), value(poolID), value(identifier))
	if errors.Is(err, store.ErrNotFound) {
		return nil, notFound("Resource server " + value(identifier) + " does not exist.")
	}
	return d, err
}

// scopeExists finds a scope by its whole name, which ends in the part that its
// resource server gave it.
func scopeExists(tx *store.Tx, scope store.Scope, poolID, name string) (bool, error) {
	at := strings.LastIndexByte(name, '/')
	if at < 0 {
		return false, nil
	}
	d, err := resourceServers.Get(tx, scope, poolID, name[:at])
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(d.Server.Scopes, func(s api.ResourceServerScopeType) bool { return value(s.ScopeName) == name[at+1:] }), nil
}

// CreateResourceServer makes a resource server.
func (s *Service) CreateResourceServer(c *awswire.Call, in *api.CreateResourceServerRequest) (*api.CreateResourceServerResponse, error) {
	d := &resourceServerDoc{Server: api.ResourceServerType{UserPoolId: in.UserPoolId, Identifier: in.Identifier, Name: in.Name, Scopes: in.Scopes}}
	err := s.inPool(c, in.UserPoolId, func(tx *store.Tx, _ *poolDoc) error {
		exists, err := resourceServers.Exists(tx, scopeOf(c), *in.UserPoolId, *in.Identifier)
		if err != nil {
			return err
		}
		if exists {
			return invalid(*in.Identifier + " already exists in user pool " + *in.UserPoolId + ".")
		}
		return resourceServers.Put(tx, scopeOf(c), d, *in.UserPoolId, *in.Identifier)
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateResourceServerResponse{ResourceServer: &d.Server}, nil
}

// DescribeResourceServer tells about a resource server.
func (s *Service) DescribeResourceServer(c *awswire.Call, in *api.DescribeResourceServerRequest) (*api.DescribeResourceServerResponse, error) {
	out := &api.DescribeResourceServerResponse{}
	err := s.viewPool(c, in.UserPoolId, func(tx *store.Tx, _ *poolDoc) error {
		d, err := resourceServer(tx, c, in.UserPoolId, in.Identifier)
		if err != nil {
			return err
		}
		out.ResourceServer = &d.Server
		return nil
	})
	return out, err
}

// UpdateResourceServer gives a resource server a new name and new scopes.
func (s *Service) UpdateResourceServer(c *awswire.Call, in *api.UpdateResourceServerRequest) (*api.UpdateResourceServerResponse, error) {
	out := &api.UpdateResourceServerResponse{}
	err := s.inPool(c, in.UserPoolId, func(tx *store.Tx, _ *poolDoc) error {
		d, err := resourceServer(tx, c, in.UserPoolId, in.Identifier)
		if err != nil {
			return err
		}
		d.Server.Name, d.Server.Scopes = in.Name, in.Scopes
		out.ResourceServer = &d.Server
		return resourceServers.Put(tx, scopeOf(c), d, *in.UserPoolId, *in.Identifier)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteResourceServer deletes a resource server. Clients keep the names of its
// scopes, which mean nothing any more.
func (s *Service) DeleteResourceServer(c *awswire.Call, in *api.DeleteResourceServerRequest) error {
	return s.inPool(c, in.UserPoolId, func(tx *store.Tx, _ *poolDoc) error {
		if _, err := resourceServer(tx, c, in.UserPoolId, in.Identifier); err != nil {
			return err
		}
		return resourceServers.Delete(tx, scopeOf(c), *in.UserPoolId, *in.Identifier)
	})
}

// ListResourceServers lists a pool's resource servers by identifier.
func (s *Service) ListResourceServers(c *awswire.Call, in *api.ListResourceServersRequest) (*api.ListResourceServersResponse, error) {
	out := &api.ListResourceServersResponse{ResourceServers: []api.ResourceServerType{}}
	err := s.viewPool(c, in.UserPoolId, func(tx *store.Tx, _ *poolDoc) error {
		page, next, err := resourceServers.ListToken(tx, scopeOf(c), value(in.NextToken), pageSize(in.MaxResults, 50), *in.UserPoolId)
		if err != nil {
			return badToken(err)
		}
		for _, e := range page {
			out.ResourceServers = append(out.ResourceServers, e.Doc.Server)
		}
		out.NextToken = some(next)
		return nil
	})
	return out, err
}
