package plan

import "strings"

// The prefixes of the path forms, for clients that can't choose the Host.
const (
	// A stage's address is executeAPIPrefix + "{api-id}/{stage}/{path}" or
	// restAPIsPrefix + "{api-id}/{stage}" + userRequest + "/{path}".
	executeAPIPrefix = "/_aws/execute-api/"
	restAPIsPrefix   = "/restapis/"
	userRequest      = "/_user_request_"
	// executeAPILabel is the second label of an API's own host name.
	executeAPILabel = "execute-api"
)

// Place finds the API and the stage that a request is for, by its host (a custom
// domain name or {api-id}.execute-api.{anything}) or by one of the path forms, and
// sets API,
// Stage, StagePath, GatewayPath, DomainName and DomainPrefix of the exchange.
//
// traffic is false when the request isn't addressed to an API at all: it is a
// management call or one of the gateway's own pages. Otherwise err is nil or a
// *Fault for a request whose API or stage isn't there.
func (p *Plan) Place(x *Exchange) (traffic bool, err error) {
	x.DomainName, x.DomainPrefix = splitHost(x.Request.Host)
	if x.Request.Entrance.isPrivate() {
		return true, p.placePrivate(x)
	}
	if d := p.DomainOf(x.DomainName); d != nil {
		if d.Pages {
			return false, nil
		}
		return true, p.placeDomain(x, d)
	}
	if d := p.privateDomainOf(x.DomainName, x.Request.Entrance); d != nil {
		return true, p.placeDomain(x, d)
	}
	if id, ok := hostID(x.DomainName); ok {
		return true, p.placeHost(x, id)
	}
	return p.placeNamed(x)
}

// placeNamed places a request in a path form; traffic is false if it has none.
func (p *Plan) placeNamed(x *Exchange) (traffic bool, err error) {
	path := x.Request.Path
	if after, ok := strings.CutPrefix(path, executeAPIPrefix); ok {
		id, stagePath := cutSegment(after)
		return true, p.placePath(x, id, stagePath)
	}
	if after, ok := strings.CutPrefix(path, restAPIsPrefix); ok {
		id, stagePath := cutSegment(after)
		// Everything else below /restapis is the management API.
		stage, rest := cutStage(stagePath)
		if after, ok := strings.CutPrefix(rest, userRequest); ok && (after == "" || after[0] == '/') {
			return true, p.placePath(x, id, "/"+stage+after)
		}
	}
	return false, nil
}

// placeHost places a request for the host of an API, or of a VPC endpoint. id is the
// first label.
func (p *Plan) placeHost(x *Exchange, id string) error {
	if api, ok := p.apiOfHost(id); ok {
		return x.placeAPI(api)
	}
	if strings.Contains(strings.ToLower(id), vpcEndpointPrefix) {
		return p.placeEndpoint(x, id)
	}
	fault := &Fault{Kind: RouteNotFound, Reason: "no API has the id " + id}
	if x.Request.Entrance.isPrivate() {
		fault.Kind = Forbidden
	}
	return fault
}

// placeAPI places a request that is for an API by the host: the stage is the first
// segment of the path if that is the name of one, else $default.
func (x *Exchange) placeAPI(api *API) error {
	if err := x.reach(api); err != nil {
		return err
	}
	if err := x.admitted(); err != nil {
		return err
	}
	path := x.Request.Path
	switch api.Protocol {
	case REST:
		return x.placeRest(path)
	case WebSocket:
		return x.placeSocket(path)
	}
	name, rest := cutStage(path)
	// UNVERIFIED: that "/$default/x" isn't a way to spell the $default stage on
	// an API's own host.
	if stage := api.stage(name); stage != nil && stage.Name != DefaultStage {
		return x.enter(stage, orRoot(rest), path)
	}
	stage := api.Stages[DefaultStage]
	if stage == nil {
		return &Fault{Kind: RouteNotFound, Reason: "API " + api.ID + " has neither a stage " + name + " nor a $default stage"}
	}
	return x.enter(stage, path, path)
}

// placePath places a request in a path form, where the stage is always named.
// stagePath is "/{stage}/{path}".
func (p *Plan) placePath(x *Exchange, id, stagePath string) error {
	x.PathForm = true
	api, ok := p.API(id)
	if !ok {
		return &Fault{Kind: RouteNotFound, Reason: "no API has the id " + id}
	}
	if err := x.reach(api); err != nil {
		return err
	}
	if api.Strict {
		return &Fault{Kind: Forbidden, Reason: "API " + id + " is reached by its own host or a domain alone, as its endpoint access mode STRICT wants"}
	}
	switch api.Protocol {
	case REST:
		return x.placeRest(stagePath)
	case WebSocket:
		return x.placeSocket(stagePath)
	}
	name, rest := cutStage(stagePath)
	stage := api.stage(name)
	if stage == nil {
		return &Fault{Kind: RouteNotFound, Reason: "API " + api.ID + " has no stage " + name}
	}
	path := orRoot(rest)
	if stage.Name == DefaultStage {
		stagePath = path
	}
	return x.enter(stage, path, stagePath)
}

// placeRest places a request for a REST API, whose path always begins with the
// stage. Of slashes that begin the path, or the path within the stage, one
// counts.
func (x *Exchange) placeRest(path string) error {
	path = oneSlash(path)
	name, rest := cutStage(path)
	stage := x.API.stage(name)
	if stage == nil {
		return &Fault{Kind: Forbidden, Reason: "API " + x.API.ID + " has no stage " + name}
	}
	if stage.DisableExecuteAPIEndpoint {
		return &Fault{Kind: Forbidden, Reason: "the execute-api endpoint of API " + x.API.ID + " is disabled"}
	}
	x.Stage, x.StagePath, x.GatewayPath = stage, orRoot(oneSlash(rest)), path
	return nil
}

// placeSocket places a request for a WebSocket API: StagePath is "/" for a
// handshake, and that of the management API, "/@connections/{id}", behind the
// stage otherwise.
//
// Functions make the address of @connections of "https://", DomainName, "/" and
// the stage's name. So it keeps the port, which AWS's hosts have none of, and in
// a path form it has what stands before the stage.
func (x *Exchange) placeSocket(path string) error {
	name, rest := cutStage(path)
	stage := x.API.stage(name)
	if stage == nil {
		return &Fault{Kind: Forbidden, Reason: "API " + x.API.ID + " has no stage " + name}
	}
	if stage.DisableExecuteAPIEndpoint {
		return &Fault{Kind: Forbidden, Reason: "the execute-api endpoint of API " + x.API.ID + " is disabled"}
	}
	x.Stage, x.StagePath, x.GatewayPath = stage, orRoot(rest), path
	x.DomainName = x.Request.Host
	if x.PathForm {
		x.DomainName += executeAPIPrefix + x.API.ID
	}
	return nil
}

// oneSlash drops all but the last of the slashes that begin a path.
func oneSlash(path string) string {
	for len(path) > 1 && path[0] == '/' && path[1] == '/' {
		path = path[1:]
	}
	return path
}

// enter places an exchange in a stage that was addressed by the API's own
// address, unless that is closed.
func (x *Exchange) enter(stage *Stage, stagePath, gatewayPath string) error {
	if stage.DisableExecuteAPIEndpoint {
		return &Fault{Kind: RouteNotFound, Reason: "the execute-api endpoint of API " + x.API.ID + " is disabled"}
	}
	x.Stage, x.StagePath, x.GatewayPath = stage, stagePath, gatewayPath
	return nil
}

// splitHost returns a host without its port and the first label of it.
func splitHost(host string) (name, prefix string) {
	// The colons of a bracketed IPv6 address aren't the port's.
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	prefix, _, _ = strings.Cut(host, ".")
	return host, prefix
}

// hostID returns the API id in a host name of the form {api-id}.execute-api.*.
func hostID(name string) (string, bool) {
	id, after, _ := strings.Cut(name, ".")
	label, domain, ok := strings.Cut(after, ".")
	return id, ok && id != "" && domain != "" && EqualFold(label, executeAPILabel)
}

// apiOfHost returns the API of an id taken from a host name, whose letters have
// no case.
func (p *Plan) apiOfHost(id string) (*API, bool) {
	if api, ok := p.API(id); ok {
		return api, true
	}
	return p.API(strings.ToLower(id))
}

// cutStage returns the first segment of a path that begins with "/", and what
// follows it, "" or beginning with a slash.
func cutStage(path string) (segment, rest string) {
	if path == "" {
		return "", ""
	}
	return cutSegment(path[1:])
}

// cutSegment returns text up to its first slash and from there on.
func cutSegment(text string) (segment, rest string) {
	i := segmentEnd(text, 0)
	return text[:i], text[i:]
}

func orRoot(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// stage returns the stage of a name as it stands in a path; nil without one.
func (a *API) stage(name string) *Stage {
	if strings.IndexByte(name, '%') < 0 {
		return a.Stages[name]
	}
	return a.Stages[decoded(name)]
}
