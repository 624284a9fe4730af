package rest_test

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/openapi/rest"
)

// FuzzRead reads anything: it never panics, and what it takes for an API it
// takes for the same API when that is written down.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range archive.Files {
			if part.Name != "read" {
				f.Add(string(part.Data))
			}
		}
	}
	f.Add("openapi: 3.0.1\na: &a [*a]")
	f.Add("<<: [{a: 1}, {a: 2}]\nopenapi: 3.1.0\npaths: {}")
	f.Add(head + `"paths":{"/é\u0085\ud83d\ude00":{"get":{"operationId":"\u007f"}}}}`)
	// Found: a schema that is null was a model for those who referred to it.
	f.Add(`{"swagger":"2.0","definitions":{"A":null},"paths":{"/x":{"get":{"x-gatehouse-request-models":{"a/b":"A"},"responses":{"200":{"schema":{"$ref":"#/definitions/A"}}}}}}}`)
	f.Fuzz(func(t *testing.T, document string) {
		if len(document) > 1<<16 {
			return
		}
		api, err := rest.Read(document, options)
		if err != nil {
			return
		}
		storable(api)
		api.SetID(apiID)
		sameAgain(t, api)
	})
}

var (
	parameterName = regexp.MustCompile(`^method\.(request\.(path|querystring|header)|response\.header)\.[A-Za-z0-9._$-]+$`)
	resourcePath  = regexp.MustCompile(`^(/|(/([a-zA-Z0-9._:,-]+|\{[a-zA-Z0-9._:-]+\+?\}))+)$`)
	statusCode    = regexp.MustCompile(`^[1-5][0-9][0-9]$`)
	validMethod   = []string{"MOCK", "HTTP", "HTTP_PROXY", "AWS", "AWS_PROXY"}
)

// storable takes away what control refuses, and what the variables of AWS in a
// text would become.
func storable(api *rest.API) {
	api.Parts = slices.DeleteFunc(api.Parts, func(p *apigateway.DocumentationPart) bool {
		return p.Location == nil || p.Properties == nil || !strings.HasPrefix(*p.Properties, "{")
	})
	api.Resources = slices.DeleteFunc(api.Resources, func(r *rest.Resource) bool { return !resourcePath.MatchString(r.Path) })
	for _, resource := range api.Resources {
		for _, m := range resource.Methods {
			maps.DeleteFunc(m.RequestParameters, func(name string, _ bool) bool { return !parameterName.MatchString(name) })
			for status, response := range m.MethodResponses {
				maps.DeleteFunc(response.ResponseParameters, func(name string, _ bool) bool { return !parameterName.MatchString(name) })
				if len(response.ResponseParameters) == 0 {
					response.ResponseParameters = nil
				}
				m.MethodResponses[status] = response
				if !statusCode.MatchString(status) {
					delete(m.MethodResponses, status)
				}
			}
			if len(m.RequestParameters) == 0 {
				m.RequestParameters = nil
			}
			if len(m.MethodResponses) == 0 {
				m.MethodResponses = nil
			}
			if in := m.MethodIntegration; in != nil && (in.Type == nil || !slices.Contains(validMethod, *in.Type)) {
				m.MethodIntegration = nil
			}
			if *m.AuthorizationType != strings.ToUpper(*m.AuthorizationType) {
				m.AuthorizationType = new("NONE")
			}
		}
	}
}
