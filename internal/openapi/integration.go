package openapi

import (
	"reflect"
	"strings"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/openapi/tree"
)

const sharedPrefix = "#/components/" + integrationsKey + "/"

// operationIntegration reads the integration of an operation, which may be a
// reference to one that operations share; nil when there is none.
func (r *reader) operationIntegration(routeKey string, n *tree.Node, where string) *Integration {
	integration := &Integration{RouteKey: routeKey}
	if !r.is(n, where, tree.Object) {
		return nil
	}
	ref := r.string(n, "$ref", where)
	if ref == nil {
		return r.inline(integration, n, where)
	}
	name, ok := strings.CutPrefix(*ref, sharedPrefix)
	if shared := r.shared[tree.Unescape(name)]; ok && shared != nil {
		return shared
	}
	// UNVERIFIED: the words of the reason.
	r.warn(integration.Refused("Invalid integration reference specified: " + *ref))
	return nil
}

// inline reads an integration that is written in an operation. One that an
// export repeats is the one it was before.
func (r *reader) inline(integration *Integration, n *tree.Node, where string) *Integration {
	r.integration(integration, n, where)
	if id := r.string(n, sharedKey, where); id != nil {
		integration.ExportedID = *id
		first := r.repeated[*id]
		if first != nil && reflect.DeepEqual(first.Integration, integration.Integration) {
			return first
		}
		r.repeated[*id] = integration
	}
	r.doc.Integrations = append(r.doc.Integrations, integration)
	return integration
}

func (r *reader) integration(in *Integration, n *tree.Node, where string) {
	r.survey(n, integrationKeys, where, "")
	in.IntegrationType = upper(r.string(n, "type", where))
	in.IntegrationSubtype = r.string(n, "integrationSubtype", where)
	in.IntegrationMethod = upper(r.string(n, "httpMethod", where))
	in.IntegrationUri = r.string(n, "uri", where)
	in.PayloadFormatVersion = r.string(n, "payloadFormatVersion", where)
	in.ConnectionType = upper(r.string(n, "connectionType", where))
	in.ConnectionId = r.string(n, "connectionId", where)
	in.CredentialsArn = r.string(n, "credentials", where)
	in.Description = r.string(n, "description", where)
	in.TimeoutInMillis = r.int(n, "timeoutInMillis", where)
	in.TlsConfig = r.tlsConfig(n.Get("tlsConfig"), where+".tlsConfig")
	in.RequestParameters = r.texts(n.Get("requestParameters"), where+".requestParameters")
	responses := n.Get("responseParameters")
	if !r.is(responses, where+".responseParameters", tree.Object) || len(responses.Members) == 0 {
		return
	}
	in.ResponseParameters = make(map[string]map[string]string, len(responses.Members))
	for i := range responses.Members {
		status := &responses.Members[i]
		in.ResponseParameters[status.Key] = r.texts(&status.Node, where+".responseParameters."+status.Key)
	}
}

func (r *reader) tlsConfig(n *tree.Node, where string) *apigatewayv2.TlsConfig {
	if !r.is(n, where, tree.Object) {
		return nil
	}
	return &apigatewayv2.TlsConfig{ServerNameToVerify: r.string(n, "serverNameToVerify", where)}
}

// texts reads an object of scalars, nil when it isn't there or empty.
func (r *reader) texts(n *tree.Node, where string) map[string]string {
	if !r.is(n, where, tree.Object) || len(n.Members) == 0 {
		return nil
	}
	all := make(map[string]string, len(n.Members))
	for i := range n.Members {
		s, ok := n.Members[i].Str()
		if !ok {
			r.wrongType("string", where, ".", n.Members[i].Key)
		}
		all[n.Members[i].Key] = s
	}
	return all
}

// upper is a name in AWS's spelling: documents may write AWS_PROXY in small
// letters, as AWS's exports do.
func upper(name *string) *string {
	if name == nil {
		return nil
	}
	return new(strings.ToUpper(*name))
}
