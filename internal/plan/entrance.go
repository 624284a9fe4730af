package plan

import (
	"slices"
	"strings"
)

// An Entrance is what a listener tells of the network that its clients are in, which
// decides whether what is private is reached. A nil Entrance is the internet's, and
// nothing private is.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-apis.html
type Entrance struct {
	// VPCEndpoint is the id of the VPC endpoint that the listener stands for,
	// "vpce-…", and VPC that of the network that the endpoint is in, "vpc-…", or ""
	// where that isn't known. Both are in lower case.
	VPCEndpoint, VPC string
	// Development tells that the listener stands for no endpoint and serves what is
	// public and what is private. Which endpoint a request came by says its host, or
	// else the API or the domain, which takes the first that it names.
	Development bool
}

const (
	// vpcEndpointPrefix is how ids of VPC endpoints begin.
	vpcEndpointPrefix = "vpce-"
	// apiIDHeader names an API to a VPC endpoint whose own name is the host.
	apiIDHeader = "x-apigw-api-id"
)

// isPrivate tells whether a VPC endpoint is all that the listener is.
func (e *Entrance) isPrivate() bool { return e != nil && !e.Development }

// reach addresses an exchange to an API, unless that isn't reached over the listener
// that the request came to.
func (x *Exchange) reach(api *API) error {
	e := x.Request.Entrance
	if e.isPrivate() && !api.Private {
		return &Fault{Kind: Forbidden, Reason: "API " + api.ID + " isn't private, and VPC endpoint " + e.VPCEndpoint + " leads to nothing else"}
	}
	if x.Domain != nil && x.Domain.ARN != "" && !api.Private {
		return &Fault{Kind: Forbidden, Reason: "domain " + x.Domain.Name + " is private and leads to API " + api.ID + ", which isn't"}
	}
	x.API = api
	switch {
	case !api.Private:
		x.VPCEndpoint = ""
	case e == nil:
		return &Fault{Kind: Forbidden, Reason: "API " + api.ID + " is private: listeners of --traffic-private lead to it, and the shared one on loopback"}
	case !e.Development:
		x.VPCEndpoint, x.VPC = e.VPCEndpoint, e.VPC
	case x.VPCEndpoint == "" && len(api.VPCEndpoints) > 0:
		x.VPCEndpoint = api.VPCEndpoints[0]
	}
	return nil
}

// placePrivate places a request that came over a VPC endpoint.
func (p *Plan) placePrivate(x *Exchange) error {
	if d := p.privateDomainOf(x.DomainName, x.Request.Entrance); d != nil {
		return p.placeDomain(x, d)
	}
	if id, ok := hostID(x.DomainName); ok {
		return p.placeHost(x, id)
	}
	if placed, err := p.placeNamed(x); placed {
		return err
	}
	// UNVERIFIED: that the header counts whatever the host is. Load balancers in
	// front of an endpoint are said to get by with it.
	return p.placeByHeader(x)
}

// privateDomainOf returns the private domain of a host that is reached at an entrance;
// nil for none.
func (p *Plan) privateDomainOf(host string, e *Entrance) *Domain {
	if p == nil || e == nil || p.private.size == 0 {
		return nil
	}
	all, _ := p.private.get(lowerHost(host))
	for _, d := range all {
		if e.Development || slices.Contains(d.VPCEndpoints, e.VPCEndpoint) {
			return d
		}
	}
	return nil
}

// placeEndpoint places a request whose host has the id of a VPC endpoint in its first
// label: "{vpce-id}" or "{vpce-id}-{more}" is a name of the endpoint itself, and
// "{api-id}-{vpce-id}" that of an API which is associated with the endpoint.
func (p *Plan) placeEndpoint(x *Exchange, label string) error {
	label = strings.ToLower(label)
	e := x.Request.Entrance
	if e == nil {
		return &Fault{Kind: Forbidden, Reason: "this listener is no VPC endpoint's, as those of --traffic-private are"}
	}
	if after, ok := strings.CutPrefix(label, vpcEndpointPrefix); ok {
		if e.Development {
			id, _, _ := strings.Cut(after, "-")
			x.VPCEndpoint = label[:len(vpcEndpointPrefix)+len(id)]
		}
		return p.placeByHeader(x)
	}
	at := strings.Index(label, "-"+vpcEndpointPrefix)
	if at < 0 {
		return &Fault{Kind: Forbidden, Reason: "no API has the id " + label}
	}
	id, endpoint := label[:at], label[at+1:]
	api, ok := p.API(id)
	switch {
	case !ok:
		return &Fault{Kind: Forbidden, Reason: "no API has the id " + id}
	case e.isPrivate() && endpoint != e.VPCEndpoint:
		return &Fault{Kind: Forbidden, Reason: "this is VPC endpoint " + e.VPCEndpoint + " and not " + endpoint}
	case !slices.Contains(api.VPCEndpoints, endpoint):
		return &Fault{Kind: Forbidden, Reason: "API " + id + " isn't associated with VPC endpoint " + endpoint}
	}
	x.VPCEndpoint = endpoint
	return x.placeAPI(api)
}

// placeByHeader places a request whose host is no API's, and which names one in a
// header.
func (p *Plan) placeByHeader(x *Exchange) error {
	id, ok := x.Request.Headers.Lookup(apiIDHeader)
	if !ok {
		return &Fault{Kind: Forbidden, Reason: "neither the host " + x.DomainName + " nor a header " + apiIDHeader + " names an API"}
	}
	api, ok := p.apiOfHost(id)
	switch {
	case !ok || !api.Private:
		return &Fault{Kind: Forbidden, Reason: "no private API has the id " + id + " of the header " + apiIDHeader}
	case api.Strict:
		return &Fault{Kind: Forbidden, Reason: "API " + api.ID + " is reached by its own host or a domain alone, as its endpoint access mode STRICT wants"}
	}
	return x.placeAPI(api)
}
