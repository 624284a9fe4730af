package apigateway

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// A locationRule says which members the location of a type of documentation
// part has.
type locationRule struct{ path, method, status, name bool }

// locationRules are those of every type. A name, where there can be one, must
// be; of the rest, what isn't given is for everything.
var locationRules = map[string]locationRule{
	apigateway.DocumentationPartTypeAPI:            {},
	apigateway.DocumentationPartTypeAuthorizer:     {name: true},
	apigateway.DocumentationPartTypeModel:          {name: true},
	apigateway.DocumentationPartTypeResource:       {path: true},
	apigateway.DocumentationPartTypeMethod:         {path: true, method: true},
	apigateway.DocumentationPartTypePathParameter:  {path: true, method: true, name: true},
	apigateway.DocumentationPartTypeQueryParameter: {path: true, method: true, name: true},
	apigateway.DocumentationPartTypeRequestHeader:  {path: true, method: true, name: true},
	apigateway.DocumentationPartTypeRequestBody:    {path: true, method: true},
	apigateway.DocumentationPartTypeResponse:       {path: true, method: true, status: true},
	apigateway.DocumentationPartTypeResponseHeader: {path: true, method: true, status: true, name: true},
	apigateway.DocumentationPartTypeResponseBody:   {path: true, method: true, status: true},
}

// completeLocation returns a location with AWS's defaults, or refuses one whose
// members don't go with its type.
// UNVERIFIED: the words.
func completeLocation(in *apigateway.DocumentationPartLocation) (*apigateway.DocumentationPartLocation, error) {
	if in == nil {
		return nil, badRequest("Invalid location specified: it has no type")
	}
	rule, ok := locationRules[value(in.Type)]
	if !ok {
		return nil, badRequest("Invalid location type specified: %s", value(in.Type))
	}
	location := &apigateway.DocumentationPartLocation{Type: in.Type}
	for _, member := range [...]struct {
		name      string
		allowed   bool
		in        *string
		out       **string
		whenUnset string
	}{
		{"path", rule.path, in.Path, &location.Path, "/"},
		{"method", rule.method, in.Method, &location.Method, "*"},
		{"statusCode", rule.status, in.StatusCode, &location.StatusCode, "*"},
		{"name", rule.name, in.Name, &location.Name, ""},
	} {
		given := nonEmpty(member.in)
		switch {
		case given != nil && !member.allowed:
			return nil, badRequest("Invalid location specified: %s is not a valid field for type %s", member.name, *in.Type)
		case given != nil:
			*member.out = given
		case member.allowed && member.whenUnset == "":
			return nil, badRequest("Invalid location specified: %s is required for type %s", member.name, *in.Type)
		case member.allowed:
			*member.out = &member.whenUnset
		}
	}
	if path := location.Path; path != nil && !strings.HasPrefix(*path, "/") {
		return nil, badRequest("Invalid location specified: the path %s does not begin with a slash", *path)
	}
	return location, nil
}

// locationText names a location as AWS's errors do.
func locationText(l *apigateway.DocumentationPartLocation) string {
	var parts []string
	for _, member := range [...]struct {
		name  string
		value *string
	}{{"type", l.Type}, {"path", l.Path}, {"method", l.Method}, {"statusCode", l.StatusCode}, {"name", l.Name}} {
		if member.value != nil {
			parts = append(parts, fmt.Sprintf("%s '%s'", member.name, *member.value))
		}
	}
	return strings.Join(parts, ", ")
}

// locationsOf lists where an API could have documentation: itself and whatever
// it is made of, sorted.
// UNVERIFIED: that parameters and bodies are among it.
func locationsOf(tx *store.Tx, c *awswire.Call, apiID string) ([]apigateway.DocumentationPartLocation, error) {
	l := &locations{}
	l.add(apigateway.DocumentationPartTypeAPI, "", "", "", "")
	for e, err := range definition.RestAuthorizers.All(tx, scope(c), apiID) {
		if err != nil {
			return nil, err
		}
		l.add(apigateway.DocumentationPartTypeAuthorizer, "", "", "", *e.Doc.Name)
	}
	for e, err := range definition.RestModels.All(tx, scope(c), apiID) {
		if err != nil {
			return nil, err
		}
		l.add(apigateway.DocumentationPartTypeModel, "", "", "", *e.Doc.Name)
	}
	for e, err := range definition.Resources.All(tx, scope(c), apiID) {
		if err != nil {
			return nil, err
		}
		l.add(apigateway.DocumentationPartTypeResource, *e.Doc.Path, "", "", "")
	}
	for use, err := range methodsOf(tx, c, apiID) {
		if err != nil {
			return nil, err
		}
		l.addMethod(use)
	}
	slices.SortFunc(l.all, func(a, b apigateway.DocumentationPartLocation) int {
		return strings.Compare(locationText(&a), locationText(&b))
	})
	return l.all, nil
}

type locations struct {
	all []apigateway.DocumentationPartLocation
}

func (l *locations) add(kind, path, method, status, name string) {
	l.all = append(l.all, apigateway.DocumentationPartLocation{
		Type: &kind, Path: nonEmpty(&path), Method: nonEmpty(&method), StatusCode: nonEmpty(&status), Name: nonEmpty(&name),
	})
}

func (l *locations) addMethod(use methodUse) {
	l.add(apigateway.DocumentationPartTypeMethod, use.path, use.verb, "", "")
	for parameter := range use.method.RequestParameters {
		for prefix, kind := range map[string]string{
			"method.request.path.":        apigateway.DocumentationPartTypePathParameter,
			"method.request.querystring.": apigateway.DocumentationPartTypeQueryParameter,
			"method.request.header.":      apigateway.DocumentationPartTypeRequestHeader,
		} {
			if name, ok := strings.CutPrefix(parameter, prefix); ok {
				l.add(kind, use.path, use.verb, "", name)
			}
		}
	}
	if len(use.method.RequestModels) > 0 {
		l.add(apigateway.DocumentationPartTypeRequestBody, use.path, use.verb, "", "")
	}
	for _, status := range slices.Sorted(maps.Keys(use.method.MethodResponses)) {
		response := use.method.MethodResponses[status]
		l.add(apigateway.DocumentationPartTypeResponse, use.path, use.verb, status, "")
		for parameter := range response.ResponseParameters {
			if name, ok := strings.CutPrefix(parameter, "method.response.header."); ok {
				l.add(apigateway.DocumentationPartTypeResponseHeader, use.path, use.verb, status, name)
			}
		}
		if len(response.ResponseModels) > 0 {
			l.add(apigateway.DocumentationPartTypeResponseBody, use.path, use.verb, status, "")
		}
	}
}
