package rest

import (
	"slices"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/openapi/tree"
)

// WriteOptions say how a document is written.
type WriteOptions struct {
	// Swagger is written instead of OpenAPI 3.0, YAML instead of JSON.
	Swagger, YAML bool
	// Integrations and Authorizers add these extensions, All adds every one.
	Integrations, Authorizers, All bool
	// Documentation writes the documentation parts: in the places they are about
	// and, with All, as the extension, even when there are none.
	Documentation bool
	// Endpoint is the API's address without a path, as in
	// "https://abc.example.com"; Stage is its first part.
	Endpoint, Stage string
	// Version stands for that of an API which has none.
	Version string
}

// Write writes a document as AWS's exports look. Two APIs that are the same are
// the same bytes. What is nil in a shape isn't written: who gathers an API to be
// exported leaves out what AWS gives by default.
func Write(a *API, o WriteOptions) []byte {
	w := &writer{api: a, options: o, parts: map[[5]string]*tree.Node{}}
	w.nameSchemes()
	if o.Documentation {
		w.locate()
	}
	root := w.root()
	if o.YAML {
		return tree.AppendYAML(nil, &root)
	}
	return tree.AppendJSON(nil, &root)
}

// A writer turns an API into the values of a document.
type writer struct {
	api     *API
	options WriteOptions
	// apiKey and sigv4 are the names of the schemes for what needs no authorizer;
	// they are written when they were used.
	apiKey, sigv4         string
	usesAPIKey, usesSigV4 bool
	// parts are the properties of documentation parts by their place.
	parts map[[5]string]*tree.Node
}

func (w *writer) root() tree.Node {
	root := tree.NewObject()
	if w.options.Swagger {
		w.swagger(&root)
	} else {
		w.openAPI(&root)
	}
	if w.options.All {
		w.extensions(&root)
	}
	return root
}

func (w *writer) openAPI(root *tree.Node) {
	root.Add("openapi", tree.NewText("3.0.1"))
	info := tree.NewObject()
	info.AddText("title", w.api.Name)
	info.AddText("description", w.api.Description)
	w.version(&info)
	w.document(&info, "info", apigateway.DocumentationPartLocation{Type: new(apigateway.DocumentationPartTypeAPI)})
	root.Add("info", info)
	root.Add("servers", tree.NewList(w.server()))
	w.tags(root)
	root.Add("paths", w.paths())
	components := tree.NewObject()
	if len(w.api.Models) > 0 {
		components.Add("schemas", w.models())
	}
	if schemes := w.securitySchemes(); len(schemes.Members) > 0 {
		components.Add("securitySchemes", schemes)
	}
	root.Add("components", components)
}

func (w *writer) swagger(root *tree.Node) {
	root.Add("swagger", tree.NewText("2.0"))
	info := tree.NewObject()
	info.AddText("description", w.api.Description)
	w.version(&info)
	info.AddText("title", w.api.Name)
	w.document(&info, "info", apigateway.DocumentationPartLocation{Type: new(apigateway.DocumentationPartTypeAPI)})
	root.Add("info", info)
	_, host, _ := strings.Cut(w.options.Endpoint, "://")
	root.Add("host", tree.NewText(host))
	root.Add("basePath", tree.NewText("/"+w.options.Stage))
	root.Add("schemes", tree.NewList(tree.NewText("https")))
	w.tags(root)
	root.Add("paths", w.paths())
	if schemes := w.securitySchemes(); len(schemes.Members) > 0 {
		root.Add("securityDefinitions", schemes)
	}
	if len(w.api.Models) > 0 {
		root.Add("definitions", w.models())
	}
	if configuration := w.endpoint(); w.options.All && len(configuration.Members) > 0 {
		root.Add(endpointKey, configuration)
	}
}

func (w *writer) version(info *tree.Node) {
	version := w.api.Version
	if version == nil {
		version = &w.options.Version
	}
	info.AddText("version", version)
}

func (w *writer) server() tree.Node {
	stage, variables, server := tree.NewObject(), tree.NewObject(), tree.NewObject()
	stage.Add("default", tree.NewText(w.options.Stage))
	variables.Add("basePath", stage)
	server.Add("url", tree.NewText(w.options.Endpoint+"/{basePath}"))
	server.Add("variables", variables)
	if configuration := w.endpoint(); w.options.All && len(configuration.Members) > 0 {
		server.Add(endpointKey, configuration)
	}
	return server
}

// endpoint writes the configuration of the endpoint.
func (w *writer) endpoint() tree.Node {
	n := tree.NewObject()
	if closed := w.api.DisableExecuteApiEndpoint; closed != nil {
		n.Add("disableExecuteApiEndpoint", tree.NewBool(*closed))
	}
	if c := w.api.EndpointConfiguration; c != nil {
		n.AddTexts("types", c.Types)
		n.AddText("ipAddressType", c.IpAddressType)
		n.AddTexts("vpcEndpointIds", c.VpcEndpointIds)
	}
	return n
}

func (w *writer) tags(root *tree.Node) {
	if !w.options.All || len(w.api.Tags) == 0 {
		return
	}
	all := tree.NewList()
	values := tree.NewTexts(w.api.Tags)
	for i := range values.Members {
		tag := tree.NewObject()
		tag.Add("name", tree.NewText(values.Members[i].Key))
		tag.Add(tagValueKey, values.Members[i].Node)
		all.Add("", tag)
	}
	root.Add("tags", all)
}

// extensions writes what AWS has at the root of a document.
func (w *writer) extensions(root *tree.Node) {
	api := w.api
	if len(api.GatewayResponses) > 0 {
		root.Add(gatewayResponsesKey, w.gatewayResponses())
	}
	if len(api.Validators) > 0 {
		validators := newOnce()
		for _, v := range api.Validators {
			validator := tree.NewObject()
			validator.Add("validateRequestParameters", tree.NewBool(value(v.ValidateRequestParameters)))
			validator.Add("validateRequestBody", tree.NewBool(value(v.ValidateRequestBody)))
			validators.add(value(v.Name), validator)
		}
		root.Add(validatorsKey, validators.Node)
	}
	root.AddText(apiKeySourceKey, api.ApiKeySource)
	root.AddTexts(binaryMediaTypesKey, api.BinaryMediaTypes)
	root.AddNumber(compressionKey, api.MinimumCompressionSize)
	root.AddText(securityPolicyKey, api.SecurityPolicy)
	root.AddText(accessModeKey, api.EndpointAccessMode)
	if api.Policy != nil {
		root.Add(policyKey, embedded(*api.Policy))
	}
	if w.options.Documentation {
		root.Add(documentationKey, w.documentation())
	}
}

func (w *writer) gatewayResponses() tree.Node {
	all := newOnce()
	for _, g := range w.api.GatewayResponses {
		response := tree.NewObject()
		response.AddText("statusCode", g.StatusCode)
		if len(g.ResponseParameters) > 0 {
			response.Add("responseParameters", tree.NewTexts(g.ResponseParameters))
		}
		if len(g.ResponseTemplates) > 0 {
			response.Add("responseTemplates", tree.NewTexts(g.ResponseTemplates))
		}
		all.add(value(g.ResponseType), response)
	}
	return all.Node
}

// A once is an object whose members are added once each. It is for names that
// are meant to be unique and that nothing keeps so.
type once struct {
	tree.Node
	has map[string]bool
}

func newOnce() *once { return &once{tree.NewObject(), map[string]bool{}} }

func (o *once) add(key string, value tree.Node) {
	if !o.has[key] {
		o.has[key] = true
		o.Add(key, value)
	}
}

// embedded is a text as the JSON it holds, or as a text when it holds none.
func embedded(text string) tree.Node {
	if strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") {
		if n, err := tree.Parse(text, strings.NewReplacer()); err == nil {
			return *n
		}
	}
	return tree.NewText(text)
}

func (w *writer) models() tree.Node {
	all := tree.NewObject()
	for _, m := range w.api.Models {
		schema := embedded(value(m.Schema))
		if schema.Kind != tree.Object {
			schema = tree.NewObject()
		}
		all.Add(value(m.Name), w.schema(&schema, value(m.Name)))
	}
	return all
}

// schema writes the references of a schema as the document has them.
func (w *writer) schema(n *tree.Node, owner string) tree.Node {
	return mapSchema(n, nil, nil, func(ref string) string {
		if local, ok := strings.CutPrefix(ref, "#"); ok {
			return w.modelReference(owner) + local
		}
		path, ok := strings.CutPrefix(ref, modelAddress)
		_, path, ok = cutModels(path, ok)
		if !ok {
			return ref
		}
		name, pointer, _ := strings.Cut(path, "#")
		return w.modelReference(name) + pointer
	})
}

func (w *writer) modelReference(name string) string {
	if w.options.Swagger {
		return "#/definitions/" + name
	}
	return "#/components/schemas/" + name
}

// referTo is a schema that is only a reference to a model.
func (w *writer) referTo(model string) tree.Node {
	n := tree.NewObject()
	n.Add("$ref", tree.NewText(w.modelReference(model)))
	return n
}

// paths writes the resources by their paths.
func (w *writer) paths() tree.Node {
	resources := slices.SortedFunc(slices.Values(w.api.Resources), func(a, b *Resource) int { return strings.Compare(a.Path, b.Path) })
	paths := tree.NewObject()
	for _, resource := range resources {
		item := tree.NewObject()
		w.document(&item, "", apigateway.DocumentationPartLocation{Type: new(apigateway.DocumentationPartTypeResource), Path: &resource.Path})
		for _, kind := range methods {
			for _, m := range resource.Methods {
				if value(m.HttpMethod) == kind.method {
					item.Add(kind.key, w.operation(resource.Path, m))
				}
			}
		}
		paths.Add(resource.Path, item)
	}
	return paths
}
