package apigateway

import (
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/openapi/rest"
)

// Bounds of what a document makes of its paths: every part of a path is a
// resource, and a resource holds its whole path.
const (
	maxPathLength        = 2048
	maxImportedResources = 50_000
)

// putResources stores the resources with their methods, and those above them.
func (i *importation) putResources() error {
	if err := i.deleteResources(); err != nil {
		return err
	}
	changed := map[string]bool{}
	for _, r := range i.doc.Resources {
		if len(r.Path) > maxPathLength {
			// UNVERIFIED: whether AWS has such a bound.
			return badRequest("A path of the document is longer than %d bytes", maxPathLength)
		}
		resource, err := i.resource(r.Path)
		if err != nil {
			return err
		}
		if resource == nil {
			continue
		}
		if err := i.putMethods(resource, r.Methods); err != nil {
			return err
		}
		changed[r.Path] = true
	}
	if !i.overwrite {
		return nil
	}
	// What stands above others lost the methods it had.
	for path, resource := range i.resources {
		if !changed[path] && len(resource.ResourceMethods) > 0 {
			resource.ResourceMethods = nil
			if err := definition.Resources.Put(i.tx, scope(i.call), resource, i.apiID, *resource.Id); err != nil {
				return err
			}
		}
	}
	return nil
}

// deleteResources removes, before an overwriting import, the resources that the
// document doesn't have.
func (i *importation) deleteResources() error {
	if !i.overwrite {
		return nil
	}
	kept := map[string]bool{"/": true}
	for _, r := range i.doc.Resources {
		for path := r.Path; path != "" && !kept[path] && len(path) <= maxPathLength; path = path[:strings.LastIndexByte(path, '/')] {
			kept[path] = true
		}
	}
	for path, r := range i.resources {
		if kept[path] {
			continue
		}
		if err := definition.ResourceNames.Delete(i.tx, scope(i.call), i.apiID, *r.ParentId, *r.PathPart); err != nil {
			return err
		}
		if err := definition.Resources.Delete(i.tx, scope(i.call), i.apiID, *r.Id); err != nil {
			return err
		}
		delete(i.resources, path)
	}
	return nil
}

// resource finds the resource of a path, or makes it with those above it; nil
// when it was refused.
func (i *importation) resource(path string) (*definition.Resource, error) {
	found := i.resources["/"]
	if path == "/" {
		return found, nil
	}
	end := 0
	for part := range strings.SplitSeq(path[1:], "/") {
		end += 1 + len(part)
		above, at := found, path[:end]
		if i.refused[at] {
			return nil, nil
		}
		if found = i.resources[at]; found != nil && part != "" {
			continue
		}
		made, err := i.makeResource(above, part)
		if err != nil {
			i.refused[at] = true
			return nil, i.refuse(err, "Unable to create resource at path '%s'", at)
		}
		found, i.resources[at] = made, made
	}
	return found, nil
}

func (i *importation) makeResource(above *definition.Resource, part string) (*definition.Resource, error) {
	if len(i.resources) >= maxImportedResources {
		return nil, badRequest("The document has more than %d resources", maxImportedResources)
	}
	id, err := i.newID()
	if err != nil {
		return nil, err
	}
	resource := &definition.Resource{}
	resource.Id, resource.PathPart = id, &part
	if err := place(i.tx, i.call, i.apiID, &resource.Resource, &above.Resource); err != nil {
		return nil, err
	}
	return resource, putResource(i.tx, i.call, i.apiID, resource)
}

// putMethods gives a resource the methods of the document. A merging import
// leaves it the others it has.
func (i *importation) putMethods(resource *definition.Resource, methods []*rest.Method) error {
	all := map[string]apigateway.Method{}
	if !i.overwrite {
		maps.Copy(all, resource.ResourceMethods)
	}
	for _, m := range methods {
		method, err := i.method(resource, m)
		if err != nil {
			return err
		}
		all[*method.HttpMethod] = *method
	}
	if len(all) == 0 && len(resource.ResourceMethods) == 0 {
		return nil
	}
	resource.ResourceMethods = nonEmptyMap(all)
	return definition.Resources.Put(i.tx, scope(i.call), resource, i.apiID, *resource.Id)
}

// method checks a method as the operations that would put it do.
func (i *importation) method(resource *definition.Resource, m *rest.Method) (*apigateway.Method, error) {
	method, verb, path := m.Method, *m.HttpMethod, *resource.Path
	if authorizer := i.authorizers[m.Authorizer]; m.Authorizer != "" && authorizer != nil {
		method.AuthorizerId = authorizer.Id
	}
	if validator := i.validators[m.Validator]; m.Validator != "" && validator != nil {
		method.RequestValidatorId = validator.Id
	}
	if err := checkMethod(i.tx, i.call, i.apiID, &method); err != nil {
		return &method, i.refuse(err, "Unable to put method '%s' on resource at path '%s'", verb, path)
	}
	for _, status := range slices.Sorted(maps.Keys(method.MethodResponses)) {
		response := method.MethodResponses[status]
		err := checkStatus(status)
		if err == nil {
			err = checkMethodResponse(i.tx, i.call, i.apiID, &response)
		}
		if err := i.refuse(err, "Unable to put method response on '%s' for resource at path '%s'", verb, path); err != nil {
			return nil, err
		}
	}
	if method.MethodIntegration == nil {
		return &method, nil
	}
	return &method, i.integration(resource, &method)
}

func (i *importation) integration(resource *definition.Resource, method *apigateway.Method) error {
	in := *method.MethodIntegration
	method.MethodIntegration = &in
	err := checkIntegrationType(in.Type)
	if err == nil {
		err = checkContentHandling(&in, patchOp{Value: in.ContentHandling})
	}
	if err == nil {
		err = i.service.checkIntegration(resource, method, &apigateway.Integration{})
	}
	if err := i.refuse(err, "Unable to put integration on '%s' for resource at path '%s'", *method.HttpMethod, *resource.Path); err != nil {
		return err
	}
	for _, status := range slices.Sorted(maps.Keys(in.IntegrationResponses)) {
		response := in.IntegrationResponses[status]
		err := checkStatus(status)
		if err == nil {
			err = checkContentHandling(&response, patchOp{Value: response.ContentHandling})
		}
		if err == nil {
			err = checkResponseMappings(method, status, response.ResponseParameters, nil)
		}
		if err == nil {
			err = checkMediaTypes(response.ResponseTemplates)
		}
		if err := i.refuse(err, "Unable to put integration response on '%s' for resource at path '%s'", *method.HttpMethod, *resource.Path); err != nil {
			return err
		}
	}
	return nil
}

// checkIntegrationType refuses what other operations leave to the model.
func checkIntegrationType(kind *string) error {
	switch value(kind) {
	case apigateway.IntegrationTypeAWS, apigateway.IntegrationTypeAWSProxy, apigateway.IntegrationTypeHTTP,
		apigateway.IntegrationTypeHTTPProxy, apigateway.IntegrationTypeMock:
		return nil
	}
	// UNVERIFIED: the words.
	return badRequest("Invalid integration type specified. Valid options are HTTP,AWS,MOCK,HTTP_PROXY,AWS_PROXY")
}

// checkStatus refuses what isn't the status of a response.
func checkStatus(status string) error {
	if !statusCode.MatchString(status) {
		// UNVERIFIED: the words.
		return badRequest("Invalid status code specified: %s", status)
	}
	return nil
}
