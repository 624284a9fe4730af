package lambda

import (
	"fmt"
	"maps"
	"strings"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

const taggablePattern = `arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+)`

// ListTags lists the tags of a function.
func (s *Service) ListTags(c *awswire.Call, in *api.ListTagsRequest) (*api.ListTagsResponse, error) {
	t, err := resolveTagged(c, str(in.Resource))
	if err != nil {
		return nil, err
	}
	return view(s, c, func(tx *store.Tx) (*api.ListTagsResponse, error) {
		doc, err := getFunction(tx, t)
		if err != nil {
			return nil, err
		}
		tags := doc.Tags
		if tags == nil {
			tags = map[string]string{}
		}
		return &api.ListTagsResponse{Tags: tags}, nil
	})
}

// TagResource adds tags to a function, or changes them.
func (s *Service) TagResource(c *awswire.Call, in *api.TagResourceRequest) error {
	t, err := resolveTagged(c, str(in.Resource))
	if err != nil {
		return err
	}
	if len(in.Tags) == 0 {
		return badParameter("An error occurred and the request cannot be processed.")
	}
	return s.retag(c, t, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

// UntagResource takes tags away; those that aren't there are no error.
func (s *Service) UntagResource(c *awswire.Call, in *api.UntagResourceRequest) error {
	t, err := resolveTagged(c, str(in.Resource))
	if err != nil {
		return err
	}
	if len(in.TagKeys) == 0 {
		return invalid("Value null at 'tagKeys' failed to satisfy constraint: Member must not be null")
	}
	return s.retag(c, t, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
}

func (s *Service) retag(c *awswire.Call, t target, change func(tags map[string]string)) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		doc, err := getFunction(tx, t)
		if err != nil {
			return err
		}
		if doc.Tags == nil {
			doc.Tags = map[string]string{}
		}
		change(doc.Tags)
		if err := checkTags(doc.Tags); err != nil {
			return err
		}
		doc.Configuration.RevisionId = new(s.newID())
		return functions.Put(tx, t.scope, doc, t.name)
	})
}

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return badParameter("Number of tags exceeds resource tag limit.")
	}
	for key := range tags {
		if key == "" || len(key) > 128 || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return badParameter("The tag key %q is too long, empty, or begins with the reserved aws:.", key)
		}
		if len(tags[key]) > 256 {
			return badParameter("The value of the tag %q is longer than 256 characters.", key)
		}
	}
	return nil
}

// resolveTagged reads the ARN of what has tags. Here that is functions.
func resolveTagged(c *awswire.Call, resource string) (target, error) {
	bad := func() (target, error) { return target{}, invalid(badPattern(resource, "resource", taggablePattern)) }
	a, err := arn.Parse(resource)
	if err != nil || a.Service != "lambda" || !isRegion(a.Region) || !isAccount(a.Account) {
		return bad()
	}
	kind, name, ok := strings.Cut(a.Resource, ":")
	if !ok {
		return bad()
	}
	switch kind {
	case "function":
		n, ok := parseName(resource, false)
		if !ok {
			return bad()
		}
		if n.Qualifier != "" {
			return target{}, badParameter("Tags on function aliases and versions are not supported. Please specify a function ARN.")
		}
		return target{scope: scopeOf(c), name: n.Function}, reachable(c, n)
	case "event-source-mapping":
		return target{}, api.NewResourceNotFoundException("Event source mapping not found: " + resource)
	case "code-signing-config":
		return target{}, api.NewResourceNotFoundException(fmt.Sprintf("The Lambda code signing configuration %s can not be found.", resource))
	case "capacity-provider":
		return target{}, api.NewResourceNotFoundException("Capacity provider not found: " + resource)
	case "layer":
		if isName(name, false) {
			return target{}, badParameter("gatehouse keeps no tags of layers yet; functions can be tagged.")
		}
	}
	return bad()
}
