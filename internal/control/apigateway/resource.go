package apigateway

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// embedMethods asks for resources with all that their methods have.
const embedMethods = "methods"

var pathPart = regexp.MustCompile(`^(\{[a-zA-Z0-9._:-]+\+?\}|[a-zA-Z0-9._:-]+)$`)

const noResource = "Invalid Resource identifier specified"

// resourceRules are what can be patched of a resource. UpdateResource sees to
// what follows from a change.
var resourceRules = patchRules[apigateway.Resource]{refuse: refuseListing, rules: []patchRule[apigateway.Resource]{
	{path: "/parentId", ops: opReplace, check: refuseOfRoot},
	{path: "/pathPart", ops: opReplace, check: refuseOfRoot},
}}

func refuseOfRoot(resource *apigateway.Resource, o patchOp) error {
	if resource.ParentId == nil {
		return badRequest("Root resource cannot update its %s.", o.Path[1:])
	}
	return nil
}

// CreateResource adds a resource below another one.
func (s *Service) CreateResource(c *awswire.Call, in *apigateway.CreateResourceRequest) (*apigateway.Resource, error) {
	resource := &definition.Resource{}
	err := s.store.Update(c, func(tx *store.Tx) error {
		apiID := value(in.RestApiId)
		parent, err := getResource(tx, c, apiID, value(in.ParentId))
		if err != nil {
			return err
		}
		id, err := s.freeID(childIDLength, func(id string) (bool, error) {
			return definition.Resources.Exists(tx, scope(c), apiID, id)
		})
		if err != nil {
			return err
		}
		resource.Id, resource.PathPart = &id, in.PathPart
		if err := place(tx, c, apiID, &resource.Resource, &parent.Resource); err != nil {
			return err
		}
		return putResource(tx, c, apiID, resource)
	})
	if err != nil {
		return nil, err
	}
	return resourceView(resource, nil), nil
}

// GetResource returns one resource.
func (s *Service) GetResource(c *awswire.Call, in *apigateway.GetResourceRequest) (*apigateway.Resource, error) {
	var resource *definition.Resource
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		resource, err = getResource(tx, c, value(in.RestApiId), value(in.ResourceId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return resourceView(resource, in.Embed), nil
}

// GetResources lists the resources of an API.
func (s *Service) GetResources(c *awswire.Call, in *apigateway.GetResourcesRequest) (*apigateway.Resources, error) {
	out := &apigateway.Resources{}
	err := s.store.View(c, func(tx *store.Tx) error {
		api, err := getAPI(tx, c, value(in.RestApiId))
		if err != nil {
			return err
		}
		out.Items, out.Position, err = list(tx, scope(c), definition.Resources, pageRequest{in.Limit, in.Position},
			func(e store.Entry[definition.Resource]) apigateway.Resource { return *resourceView(e.Doc, in.Embed) }, *api.Id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateResource renames a resource or moves it below another one; what is
// below it goes along.
func (s *Service) UpdateResource(c *awswire.Call, in *apigateway.UpdateResourceRequest) (*apigateway.Resource, error) {
	var resource *definition.Resource
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		apiID := value(in.RestApiId)
		if resource, err = getResource(tx, c, apiID, value(in.ResourceId)); err != nil {
			return err
		}
		old := resource.Resource
		if err := resourceRules.apply(&resource.Resource, in.PatchOperations); err != nil {
			return err
		}
		if value(old.ParentId) == value(resource.ParentId) && value(old.PathPart) == value(resource.PathPart) {
			return nil
		}
		return moveResource(tx, c, apiID, &old, resource)
	})
	if err != nil {
		return nil, err
	}
	return resourceView(resource, nil), nil
}

// moveResource gives a resource that was old another name or parent.
func moveResource(tx *store.Tx, c *awswire.Call, apiID string, old *apigateway.Resource, resource *definition.Resource) error {
	parent, err := getResource(tx, c, apiID, value(resource.ParentId))
	if err != nil {
		return err
	}
	for up := parent; ; {
		if *up.Id == *resource.Id {
			return badRequest("Resources cannot be cyclical.")
		}
		if up.ParentId == nil {
			break
		}
		if up, err = getResource(tx, c, apiID, *up.ParentId); err != nil {
			return err
		}
	}
	if err := definition.ResourceNames.Delete(tx, scope(c), apiID, *old.ParentId, *old.PathPart); err != nil {
		return err
	}
	if err := place(tx, c, apiID, &resource.Resource, &parent.Resource); err != nil {
		return err
	}
	if err := putResource(tx, c, apiID, resource); err != nil {
		return err
	}
	return eachBelow(tx, c, apiID, &resource.Resource, func(parent, child *definition.Resource) error {
		if isGreedy(value(parent.PathPart)) {
			return greedyParent(*parent.PathPart)
		}
		child.Path = new(childPath(&parent.Resource, *child.PathPart))
		return definition.Resources.Put(tx, scope(c), child, apiID, *child.Id)
	})
}

// DeleteResource removes a resource and all that is below it.
func (s *Service) DeleteResource(c *awswire.Call, in *apigateway.DeleteResourceRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		apiID := value(in.RestApiId)
		resource, err := getResource(tx, c, apiID, value(in.ResourceId))
		if err != nil {
			return err
		}
		if resource.ParentId == nil {
			// UNVERIFIED: the words.
			return badRequest("Root resource cannot be deleted.")
		}
		remove := func(_, r *definition.Resource) error {
			return errors.Join(
				definition.ResourceNames.Delete(tx, scope(c), apiID, *r.ParentId, *r.PathPart),
				definition.Resources.Delete(tx, scope(c), apiID, *r.Id))
		}
		if err := eachBelow(tx, c, apiID, &resource.Resource, remove); err != nil {
			return err
		}
		return remove(nil, resource)
	})
}

// getResource reads a resource. AWS says the same of an API that isn't there.
func getResource(tx *store.Tx, c *awswire.Call, apiID, id string) (*definition.Resource, error) {
	resource, err := definition.Resources.Get(tx, scope(c), apiID, id)
	return resource, missing(err, noResource)
}

// putResource stores a resource and its name.
func putResource(tx *store.Tx, c *awswire.Call, apiID string, resource *definition.Resource) error {
	name := &definition.Reference{ID: *resource.Id}
	if err := definition.ResourceNames.Put(tx, scope(c), name, apiID, *resource.ParentId, *resource.PathPart); err != nil {
		return err
	}
	return definition.Resources.Put(tx, scope(c), resource, apiID, *resource.Id)
}

// place puts a resource with its path part below a parent and refuses what
// can't stand there. Its own name, if it had one, is free already.
func place(tx *store.Tx, c *awswire.Call, apiID string, resource, parent *apigateway.Resource) error {
	part := value(resource.PathPart)
	if part == "" {
		return badRequest("Resource's path part must be specified")
	}
	if !pathPart.MatchString(part) {
		// UNVERIFIED: today's words; older ones lack the colon.
		return badRequest("Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.")
	}
	if isGreedy(value(parent.PathPart)) {
		return greedyParent(*parent.PathPart)
	}
	if taken, err := definition.ResourceNames.Exists(tx, scope(c), apiID, *parent.Id, part); err != nil {
		return err
	} else if taken {
		return conflict("Another resource with the same parent already has this name: %s", part)
	}
	if strings.HasPrefix(part, "{") {
		// In the order of names those in braces are the last.
		after := []string{apiID, *parent.Id, "z~"}
		variables, err := definition.ResourceNames.List(tx, scope(c), store.Page{After: after, Limit: 1}, apiID, *parent.Id)
		if err != nil {
			return err
		}
		if len(variables) > 0 {
			return badRequest("A sibling (%s) of this resource already has a variable path part -- only one is allowed", variables[0].ID[2])
		}
	}
	resource.ParentId = parent.Id
	resource.Path = new(childPath(parent, part))
	return nil
}

func greedyParent(part string) error {
	return badRequest("Cannot create a child of a resource with a greedy path variable: %s", part)
}

func isGreedy(part string) bool { return strings.HasSuffix(part, "+}") }

func childPath(parent *apigateway.Resource, part string) string {
	return strings.TrimSuffix(value(parent.Path), "/") + "/" + part
}

// eachBelow calls visit for everything below a resource, parents first.
func eachBelow(tx *store.Tx, c *awswire.Call, apiID string, top *apigateway.Resource, visit func(parent, child *definition.Resource) error) error {
	queue := []*definition.Resource{{Resource: *top}}
	for len(queue) > 0 {
		parent := queue[0]
		queue = queue[1:]
		names, err := definition.ResourceNames.List(tx, scope(c), store.Page{}, apiID, *parent.Id)
		if err != nil {
			return err
		}
		for _, name := range names {
			child, err := getResource(tx, c, apiID, name.Doc.ID)
			if err != nil {
				return err
			}
			queue = append(queue, child)
			if err := visit(parent, child); err != nil {
				return err
			}
		}
	}
	return nil
}

// resourceView is the shape as answers carry it: methods are only named unless
// they are to be embedded.
func resourceView(resource *definition.Resource, embed []string) *apigateway.Resource {
	view := resource.Resource
	view.ResourceMethods = nil
	for name, method := range resource.ResourceMethods {
		if view.ResourceMethods == nil {
			view.ResourceMethods = map[string]apigateway.Method{}
		}
		view.ResourceMethods[name] = apigateway.Method{}
		if slices.Contains(embed, embedMethods) {
			view.ResourceMethods[name] = *methodView(&method)
		}
	}
	return &view
}
