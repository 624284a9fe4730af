package rest

import (
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/openapi/tree"
)

// defaultPattern is the key of the integration response that has no pattern.
const defaultPattern = "default"

// An integrationReader reads the integration of one method.
type integrationReader struct {
	*reader
	method, path string
	malformed    bool
}

// integration reads the integration of an operation, nil when there is none.
func (r *reader) integration(m *Method, path string, n *tree.Node) *apigateway.Integration {
	if n == nil || n.Kind == tree.Null {
		return nil
	}
	i := &integrationReader{reader: r, method: *m.HttpMethod, path: path}
	read := i.read(n)
	if i.malformed {
		// The words are reported.
		r.fail("Unable to parse API definition because of a malformed integration at path ", path, ".")
	}
	return read
}

func (r *integrationReader) read(n *tree.Node) *apigateway.Integration {
	if n.Kind != tree.Object {
		r.malformed = true
		return nil
	}
	in := &apigateway.Integration{
		Type:                 r.upper(n, "type"),
		HttpMethod:           r.upper(n, "httpMethod"),
		Uri:                  r.string(n, "uri"),
		ConnectionType:       r.upper(n, "connectionType"),
		ConnectionId:         r.string(n, "connectionId"),
		IntegrationTarget:    r.string(n, "integrationTarget"),
		Credentials:          r.string(n, "credentials"),
		RequestParameters:    r.texts(n, "requestParameters"),
		RequestTemplates:     r.texts(n, "requestTemplates"),
		PassthroughBehavior:  r.upper(n, "passthroughBehavior"),
		ContentHandling:      r.upper(n, "contentHandling"),
		CacheNamespace:       r.string(n, "cacheNamespace"),
		ResponseTransferMode: r.upper(n, "responseTransferMode"),
	}
	const where = integrationKey
	in.TimeoutInMillis = r.reader.int(n, "timeoutInMillis", where)
	in.CacheKeyParameters = r.reader.strings(n, "cacheKeyParameters", where)
	if tls := n.Get("tlsConfig"); r.is(tls, tree.Object, where, ".tlsConfig") {
		in.TlsConfig = &apigateway.TlsConfig{InsecureSkipVerification: r.reader.bool(tls, "insecureSkipVerification", where+".tlsConfig")}
	}
	if value(in.Type) == apigateway.IntegrationTypeMock {
		// Recorded: AWS forgets what a mock can't use.
		in.HttpMethod, in.Uri = nil, nil
	}
	r.responses(in, n.Get("responses"))
	return in
}

func (r *integrationReader) responses(in *apigateway.Integration, n *tree.Node) {
	if n == nil || n.Kind == tree.Null {
		return
	}
	if n.Kind != tree.Object {
		r.malformed = true
		return
	}
	for i := range n.Members {
		pattern, response := n.Members[i].Key, &n.Members[i].Node
		status := r.string(response, "statusCode")
		if response.Kind != tree.Object || status == nil {
			r.malformed = true
			continue
		}
		if in.IntegrationResponses == nil {
			in.IntegrationResponses = map[string]apigateway.IntegrationResponse{}
		}
		if _, again := in.IntegrationResponses[*status]; again {
			// UNVERIFIED: the words, and that the last one stays.
			r.warn("More than one integration response of resource '", r.path, "' and method '", r.method, "' has the status code ", *status,
				". Ignoring all but the last.")
		}
		read := apigateway.IntegrationResponse{
			StatusCode:         status,
			ResponseParameters: r.texts(response, "responseParameters"),
			ResponseTemplates:  r.texts(response, "responseTemplates"),
			ContentHandling:    r.upper(response, "contentHandling"),
		}
		if pattern != defaultPattern && pattern != "" {
			read.SelectionPattern = &pattern
		}
		in.IntegrationResponses[*status] = read
	}
}

// string returns a member that is any scalar, nil when it isn't there.
func (r *integrationReader) string(n *tree.Node, key string) *string {
	m := n.Get(key)
	if m == nil || m.Kind == tree.Null {
		return nil
	}
	s, ok := m.Str()
	r.malformed = r.malformed || !ok
	return &s
}

func (r *integrationReader) upper(n *tree.Node, key string) *string {
	if m := n.Get(key); m != nil && m.Kind >= tree.List {
		r.malformed = true
		return nil
	}
	return r.reader.upper(n, key, integrationKey)
}

// texts reads an object of strings, nil when it has none. What isn't a string
// is left out, as recorded.
func (r *integrationReader) texts(n *tree.Node, key string) map[string]string {
	m := n.Get(key)
	if m == nil || m.Kind == tree.Null {
		return nil
	}
	if m.Kind != tree.Object {
		r.malformed = true
		return nil
	}
	var all map[string]string
	for i := range m.Members {
		text := &m.Members[i]
		if text.Kind != tree.Text {
			r.warn("Invalid format for '", key, "'. Expected type string for property '", text.Key, "' of resource '", r.path, "' and method '", r.method,
				"' but got '", compact(&text.Node), "'")
			continue
		}
		if all == nil {
			all = make(map[string]string, len(m.Members))
		}
		all[text.Key] = text.Scalar
	}
	return all
}
