package rest

import (
	"net/url"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/openapi/tree"
)

// servers takes the base path and the configuration of the endpoint from where
// the document says at which address the API is.
func (r *reader) servers() {
	use := r.options.BasePath == BasePathPrepend || r.options.BasePath == BasePathSplit
	if r.swagger {
		if path := r.string(r.root, "basePath", "openapi"); path != nil && use {
			r.prefix(*path)
		}
		return
	}
	servers := r.root.Get("servers")
	if !r.is(servers, tree.List, "servers") {
		return
	}
	for i := range servers.Members {
		server := &servers.Members[i].Node
		if r.is(server, tree.Object, "servers") {
			r.endpoint(server.Get(endpointKey), "servers."+endpointKey)
		}
	}
	if use {
		r.prefix(serverPath(servers))
	}
}

// endpoint reads a configuration of the endpoint; what an earlier one said
// stays.
func (r *reader) endpoint(n *tree.Node, where string) {
	if !r.is(n, tree.Object, where) {
		return
	}
	if closed := r.bool(n, "disableExecuteApiEndpoint", where); r.api.DisableExecuteApiEndpoint == nil {
		r.api.DisableExecuteApiEndpoint = closed
	}
	read := apigateway.EndpointConfiguration{
		Types:          r.strings(n, "types", where),
		IpAddressType:  r.string(n, "ipAddressType", where),
		VpcEndpointIds: r.strings(n, "vpcEndpointIds", where),
	}
	if read.Types == nil && read.IpAddressType == nil && read.VpcEndpointIds == nil {
		return
	}
	known := r.api.EndpointConfiguration
	if known == nil {
		known = &apigateway.EndpointConfiguration{}
		r.api.EndpointConfiguration = known
	}
	if known.Types == nil {
		known.Types = read.Types
	}
	if known.IpAddressType == nil {
		known.IpAddressType = read.IpAddressType
	}
	if known.VpcEndpointIds == nil {
		known.VpcEndpointIds = read.VpcEndpointIds
	}
}

// maxBasePath is the length of the longest base path, and of the texts it is
// made of; longer ones are as if they weren't there.
const maxBasePath = 512

// serverPath is the base path of OpenAPI 3: the default of the first variable
// basePath, whether an address has it or not, else the path of the first
// address, in which variables have their defaults.
func serverPath(servers *tree.Node) string {
	for i := range servers.Members {
		if path, ok := servers.Members[i].Get("variables").Get("basePath").Get("default").Str(); ok {
			return path
		}
	}
	if len(servers.Members) == 0 {
		return ""
	}
	address, _ := servers.Members[0].Get("url").Str()
	if len(address) > maxBasePath {
		return ""
	}
	if variables := servers.Members[0].Get("variables"); variables != nil {
		var defaults []string
		for i := range variables.Members {
			value, _ := variables.Members[i].Get("default").Str()
			if len(value) > maxBasePath {
				return ""
			}
			defaults = append(defaults, "{"+variables.Members[i].Key+"}", value)
		}
		address = strings.NewReplacer(defaults...).Replace(address)
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Path
}

// prefix makes a base path that of all paths, or of it all but the first part.
func (r *reader) prefix(path string) {
	if len(path) > maxBasePath {
		return
	}
	parts := strings.FieldsFunc(path, func(c rune) bool { return c == '/' })
	if r.options.BasePath == BasePathSplit && len(parts) > 0 {
		parts = parts[1:]
	}
	if len(parts) > 0 {
		r.basePath = "/" + strings.Join(parts, "/")
	}
}
