package rest

import (
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/openapi/tree"
)

// operation writes a method.
func (w *writer) operation(path string, m *Method) tree.Node {
	op, at := tree.NewObject(), apigateway.DocumentationPartLocation{Path: &path, Method: m.HttpMethod}
	kind := at
	kind.Type = new(apigateway.DocumentationPartTypeMethod)
	w.document(&op, "", kind)
	op.AddText("operationId", m.OperationName)
	consumes, produces := mediaTypes(m)
	if w.options.Swagger {
		op.AddTexts("consumes", consumes)
		op.AddTexts("produces", produces)
	}
	parameters := w.parameters(m, at)
	if len(m.RequestModels) > 0 && w.options.Swagger {
		parameters.Add("", w.body(m, at))
	}
	if len(parameters.Members) > 0 {
		op.Add("parameters", parameters)
	}
	if len(m.RequestModels) > 0 && !w.options.Swagger {
		body := tree.NewObject()
		kind.Type = new(apigateway.DocumentationPartTypeRequestBody)
		w.document(&body, "", kind)
		body.Add("content", w.content(m.RequestModels))
		body.Add("required", tree.NewBool(true))
		op.Add("requestBody", body)
	}
	if w.options.Swagger && w.options.All && !everyOne(m.RequestModels, consumes) {
		op.Add(requestModelsKey, tree.NewTexts(m.RequestModels))
	}
	op.Add("responses", w.responses(m, at, produces))
	w.security(&op, m)
	if m.Validator != "" && w.options.All {
		op.Add(validatorKey, tree.NewText(m.Validator))
	}
	if m.MethodIntegration != nil && (w.options.All || w.options.Integrations) {
		op.Add(integrationKey, integration(m.MethodIntegration))
	}
	return op
}

// mediaTypes are those that a method takes and gives: recorded exports count
// those of mapping templates, too.
func mediaTypes(m *Method) (consumes, produces []string) {
	in, out := map[string]bool{}, map[string]bool{}
	for mediaType := range m.RequestModels {
		in[mediaType] = true
	}
	for _, response := range m.MethodResponses {
		for mediaType := range response.ResponseModels {
			out[mediaType] = true
		}
	}
	if m.MethodIntegration != nil {
		for mediaType := range m.MethodIntegration.RequestTemplates {
			in[mediaType] = true
		}
		for _, response := range m.MethodIntegration.IntegrationResponses {
			for mediaType := range response.ResponseTemplates {
				out[mediaType] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(in)), slices.Sorted(maps.Keys(out))
}

// everyOne tells whether one model is that of all media types, which is what
// Swagger 2.0 can say; no model at all is that, too.
func everyOne(models map[string]string, mediaTypes []string) bool {
	if len(models) == 0 {
		return true
	}
	one := models[mediaTypes[0]]
	for _, mediaType := range mediaTypes {
		if models[mediaType] != one {
			return false
		}
	}
	return one != ""
}

// firstModel is the model of the first media type.
func firstModel(models map[string]string) string {
	return models[slices.Sorted(maps.Keys(models))[0]]
}

func (w *writer) parameters(m *Method, at apigateway.DocumentationPartLocation) tree.Node {
	all := tree.NewList()
	for _, key := range slices.Sorted(maps.Keys(m.RequestParameters)) {
		place, name, _ := strings.Cut(strings.TrimPrefix(key, "method.request."), ".")
		p, in := tree.NewObject(), place
		switch place {
		case "path":
			at.Type = new(apigateway.DocumentationPartTypePathParameter)
		case "header":
			at.Type = new(apigateway.DocumentationPartTypeRequestHeader)
		case "querystring":
			in = "query"
			at.Type = new(apigateway.DocumentationPartTypeQueryParameter)
		default:
			continue
		}
		at.Name = &name
		p.Add("name", tree.NewText(name))
		p.Add("in", tree.NewText(in))
		w.document(&p, "", at)
		required := m.RequestParameters[key]
		if w.options.Swagger || required {
			// Recorded: OpenAPI 3 doesn't say what isn't required.
			p.Add("required", tree.NewBool(required))
		}
		if w.options.Swagger {
			p.Add("type", tree.NewText("string"))
		} else {
			p.Add("schema", ofText())
		}
		all.Add("", p)
	}
	return all
}

// ofText is the schema of a string.
func ofText() tree.Node {
	n := tree.NewObject()
	n.Add("type", tree.NewText("string"))
	return n
}

// body writes the body parameter of Swagger 2.0, named for its model.
func (w *writer) body(m *Method, at apigateway.DocumentationPartLocation) tree.Node {
	model, p := firstModel(m.RequestModels), tree.NewObject()
	p.Add("in", tree.NewText("body"))
	p.Add("name", tree.NewText(model))
	at.Type = new(apigateway.DocumentationPartTypeRequestBody)
	w.document(&p, "", at)
	p.Add("required", tree.NewBool(true))
	p.Add("schema", w.referTo(model))
	return p
}

// content writes the models of media types in OpenAPI 3.
func (w *writer) content(models map[string]string) tree.Node {
	content := tree.NewObject()
	for _, mediaType := range slices.Sorted(maps.Keys(models)) {
		n := tree.NewObject()
		n.Add("schema", w.referTo(models[mediaType]))
		content.Add(mediaType, n)
	}
	return content
}

func (w *writer) responses(m *Method, at apigateway.DocumentationPartLocation, produces []string) tree.Node {
	all := tree.NewObject()
	for _, status := range slices.Sorted(maps.Keys(m.MethodResponses)) {
		response := m.MethodResponses[status]
		at.StatusCode = &status
		all.Add(status, w.response(&response, at, produces))
	}
	return all
}

func (w *writer) response(response *apigateway.MethodResponse, at apigateway.DocumentationPartLocation, produces []string) tree.Node {
	n := tree.NewObject()
	at.Type = new(apigateway.DocumentationPartTypeResponse)
	n.Add("description", tree.NewText(fillerDescription(*at.StatusCode)))
	w.document(&n, "", at)
	if w.options.Swagger && len(response.ResponseModels) > 0 {
		n.Add("schema", w.referTo(firstModel(response.ResponseModels)))
	}
	if len(response.ResponseParameters) > 0 {
		at.Type = new(apigateway.DocumentationPartTypeResponseHeader)
		n.Add("headers", w.headers(response.ResponseParameters, at))
	}
	if !w.options.Swagger {
		n.Add("content", w.content(response.ResponseModels))
	} else if w.options.All && !everyOne(response.ResponseModels, produces) {
		n.Add(responseModelsKey, tree.NewTexts(response.ResponseModels))
	}
	return n
}

// fillerDescription is how exports describe what nobody described.
func fillerDescription(status string) string { return status + " response" }

func (w *writer) headers(parameters map[string]bool, at apigateway.DocumentationPartLocation) tree.Node {
	all := tree.NewObject()
	for _, key := range slices.Sorted(maps.Keys(parameters)) {
		name, ok := strings.CutPrefix(key, "method.response.header.")
		if !ok {
			continue
		}
		header := tree.NewObject()
		at.Name = &name
		w.document(&header, "", at)
		if w.options.Swagger {
			header.Add("type", tree.NewText("string"))
		} else {
			header.Add("schema", ofText())
		}
		all.Add(name, header)
	}
	return all
}

// integration writes an integration in the order of AWS's exports.
func integration(in *apigateway.Integration) tree.Node {
	n := tree.NewObject()
	n.AddText("type", lower(in.Type))
	n.AddText("connectionId", in.ConnectionId)
	n.AddText("integrationTarget", in.IntegrationTarget)
	n.AddText("credentials", in.Credentials)
	n.AddText("httpMethod", in.HttpMethod)
	n.AddText("uri", in.Uri)
	if len(in.IntegrationResponses) > 0 {
		n.Add("responses", integrationResponses(in.IntegrationResponses))
	}
	if len(in.RequestParameters) > 0 {
		n.Add("requestParameters", tree.NewTexts(in.RequestParameters))
	}
	if len(in.RequestTemplates) > 0 {
		n.Add("requestTemplates", tree.NewTexts(in.RequestTemplates))
	}
	n.AddText("passthroughBehavior", lower(in.PassthroughBehavior))
	n.AddText("connectionType", in.ConnectionType)
	n.AddNumber("timeoutInMillis", in.TimeoutInMillis)
	n.AddText("contentHandling", in.ContentHandling)
	n.AddText("cacheNamespace", in.CacheNamespace)
	n.AddTexts("cacheKeyParameters", in.CacheKeyParameters)
	n.AddText("responseTransferMode", in.ResponseTransferMode)
	if in.TlsConfig != nil {
		tls := tree.NewObject()
		if skip := in.TlsConfig.InsecureSkipVerification; skip != nil {
			tls.Add("insecureSkipVerification", tree.NewBool(*skip))
		}
		n.Add("tlsConfig", tls)
	}
	return n
}

// integrationResponses writes integration responses by their patterns. Where two
// have none, or the same, only the first can ever be chosen: the second one
// without a pattern is written under an empty one, others are left out.
func integrationResponses(responses map[string]apigateway.IntegrationResponse) tree.Node {
	all := newOnce()
	for _, status := range slices.Sorted(maps.Keys(responses)) {
		response, n := responses[status], tree.NewObject()
		n.AddText("statusCode", &status)
		if len(response.ResponseParameters) > 0 {
			n.Add("responseParameters", tree.NewTexts(response.ResponseParameters))
		}
		if len(response.ResponseTemplates) > 0 {
			n.Add("responseTemplates", tree.NewTexts(response.ResponseTemplates))
		}
		n.AddText("contentHandling", response.ContentHandling)
		pattern := value(response.SelectionPattern)
		if pattern == "" && !all.has[defaultPattern] {
			pattern = defaultPattern
		}
		all.add(pattern, n)
	}
	return all.Node
}

// lower is a name as exports spell it.
func lower(name *string) *string {
	if name == nil {
		return nil
	}
	return new(strings.ToLower(*name))
}
