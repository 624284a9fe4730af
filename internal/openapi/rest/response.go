package rest

import (
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/openapi/tree"
)

// responses reads the responses of an operation and, in Swagger 2.0, the models
// that only an extension of ours can tell.
func (r *reader) responses(m *Method, op *tree.Node, where string) {
	if r.swagger {
		if models := r.named(op.Get(requestModelsKey), where+"."+requestModelsKey); models != nil {
			m.RequestModels = models
		}
	}
	n, at := op.Get("responses"), where+".responses"
	if !r.is(n, tree.Object, at) {
		return
	}
	for i := range n.Members {
		status := n.Members[i].Key
		if strings.HasPrefix(status, "x-") {
			continue
		}
		response := r.follow(&n.Members[i].Node, "responses")
		if !r.is(response, tree.Object, at, ".", status) {
			continue
		}
		if status == "default" {
			// UNVERIFIED: the words. A method response has a status code.
			r.warnOnce("Default responses are not supported. Ignoring.")
			continue
		}
		if m.MethodResponses == nil {
			m.MethodResponses = map[string]apigateway.MethodResponse{}
		}
		m.MethodResponses[status] = r.response(*m.HttpMethod, status, op, response, at+"."+status)
	}
}

func (r *reader) response(method, status string, op, n *tree.Node, where string) apigateway.MethodResponse {
	response := apigateway.MethodResponse{StatusCode: &status}
	if headers := n.Get("headers"); r.is(headers, tree.Object, where, ".headers") && len(headers.Members) > 0 && r.spend(len(headers.Members)) {
		response.ResponseParameters = make(map[string]bool, len(headers.Members))
		for i := range headers.Members {
			response.ResponseParameters["method.response.header."+headers.Members[i].Key] = false
		}
	}
	if !r.swagger {
		response.ResponseModels = r.content(n.Get("content"), method, where+".content")
		return response
	}
	if models := n.Get(responseModelsKey); models != nil {
		response.ResponseModels = r.named(models, where+"."+responseModelsKey)
		return response
	}
	if n.Get("schema") == nil {
		return response
	}
	model := r.modelOf(n.Get("schema"), jsonType, method, where+".schema")
	types := r.mediaTypes(op, "produces", where)
	if model == "" || !r.spend(len(types)) {
		return response
	}
	response.ResponseModels = make(map[string]string, len(types))
	for _, mediaType := range types {
		response.ResponseModels[mediaType] = model
	}
	return response
}

// named reads media types with the names of their models.
func (r *reader) named(n *tree.Node, where string) map[string]string {
	models := r.texts(n, where)
	for mediaType, name := range models {
		if r.defined[name] == nil {
			r.unknown(name)
			delete(models, mediaType)
		}
	}
	if len(models) == 0 {
		return nil
	}
	return models
}
