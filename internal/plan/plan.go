package plan

import (
	"iter"
	"slices"
	"time"
)

// DefaultStage is the name of the stage that serves what names no other one.
const DefaultStage = "$default"

// A Plan is everything that is served at one moment. It is never written after
// it was made: With and Without return another plan that shares what did not
// change. A nil Plan is empty.
type Plan struct {
	apis    index[*API]
	domains index[*Domain]
	// private are the private domains of a name, which may be several accounts'.
	private index[[]*Domain]
}

// API returns the API of an id.
func (p *Plan) API(id string) (*API, bool) {
	if p == nil {
		return nil, false
	}
	return p.apis.get(id)
}

// APIs yields every API, in no particular order.
func (p *Plan) APIs() iter.Seq[*API] {
	if p == nil {
		return func(func(*API) bool) {}
	}
	return p.apis.all()
}

// Len returns the number of APIs.
func (p *Plan) Len() int {
	if p == nil {
		return 0
	}
	return p.apis.size
}

// With returns the plan with the API, in place of the one with its id if there
// is one.
func (p *Plan) With(api *API) *Plan {
	if p == nil {
		p = &Plan{}
	}
	return &Plan{apis: p.apis.with(api.ID, api), domains: p.domains, private: p.private}
}

// Without returns the plan without the API of that id.
func (p *Plan) Without(id string) *Plan {
	if p == nil {
		return nil
	}
	return &Plan{apis: p.apis.without(id), domains: p.domains, private: p.private}
}

// Domain returns the custom domain of a name in lower case, as it was made.
func (p *Plan) Domain(name string) (*Domain, bool) {
	if p == nil {
		return nil, false
	}
	return p.domains.get(name)
}

// WithDomain returns the plan with the custom domain, in place of the one with
// its name if there is one.
func (p *Plan) WithDomain(d *Domain) *Plan {
	if p == nil {
		p = &Plan{}
	}
	return &Plan{apis: p.apis, domains: p.domains.with(d.Name, d), private: p.private}
}

// WithoutDomain returns the plan without the custom domain of that name.
func (p *Plan) WithoutDomain(name string) *Plan {
	if p == nil {
		return nil
	}
	return &Plan{apis: p.apis, domains: p.domains.without(name), private: p.private}
}

// WithPrivateDomain returns the plan with a private domain, in place of the one with
// its ARN if there is one.
func (p *Plan) WithPrivateDomain(d *Domain) *Plan {
	p = p.WithoutPrivateDomain(d.Name, d.ARN)
	if p == nil {
		p = &Plan{}
	}
	others, _ := p.private.get(d.Name)
	list := append(slices.Clip(others), d)
	return &Plan{apis: p.apis, domains: p.domains, private: p.private.with(d.Name, list)}
}

// WithoutPrivateDomain returns the plan without the private domain of an ARN.
func (p *Plan) WithoutPrivateDomain(name, arn string) *Plan {
	if p == nil {
		return nil
	}
	all, _ := p.private.get(name)
	left := make([]*Domain, 0, len(all))
	for _, d := range all {
		if d.ARN != arn {
			left = append(left, d)
		}
	}
	switch len(left) {
	case len(all):
		return p
	case 0:
		return &Plan{apis: p.apis, domains: p.domains, private: p.private.without(name)}
	}
	return &Plan{apis: p.apis, domains: p.domains, private: p.private.with(name, left)}
}

// A Protocol is the type of an API.
type Protocol uint8

// The API types.
const (
	HTTP Protocol = iota + 1
	REST
	WebSocket
)

// An API is one API with its deployed stages.
type API struct {
	ID, AccountID, Region, Name string
	Protocol                    Protocol
	// SecurityPolicy is AWS's name of the security policy that a REST API has of
	// its own, "" for none. TLS is how connections to the API's own host shake
	// hands by it, nil for the gateway's own way.
	SecurityPolicy string
	TLS            Handshaker
	// Strict is AWS's endpointAccessMode STRICT, as of a Domain.
	Strict bool
	// Private tells that the API is reached over VPC endpoints alone; VPCEndpoints
	// are the ids of those that it is associated with, and has an alias for.
	Private      bool
	VPCEndpoints []string
	// Stages by name; "$default" is one of them.
	Stages map[string]*Stage
}

// A Stage is a deployed stage: what a request runs once host and stage are known.
type Stage struct {
	// API holds the identity of the API (id, account, region, name); its Stages
	// may be those of another generation and aren't for use from here.
	API          *API
	Name         string
	DeploymentID string
	Variables    map[string]string
	// DisableExecuteAPIEndpoint closes the API's own host name for the stage. It
	// is frozen in a deployment, and so is CORS, which is nil when the gateway
	// leaves cross-origin requests to the backends.
	DisableExecuteAPIEndpoint bool
	CORS                      *CORS
	// Routes finds the route; Default is the $default route, nil without one.
	Routes  *Tree
	Default *Route
	// Limit is the account's throttle; nil without one.
	Limit Limiter
	// AccessLog writes the stage's access log line; nil when it has none.
	AccessLog AccessLog
	// Metrics counts requests of the stage; never nil.
	Metrics Metrics
	// Rest is the rest of a REST API's stage, Socket that of a WebSocket API's;
	// nil for stages of other APIs. A WebSocket API's stage that serves nothing,
	// because it was never deployed, has nil, too.
	Rest   *RestStage
	Socket *SocketStage
}

// A Route is one compiled route.
type Route struct {
	// Key is the route key as written, as in "GET /pets/{id}" or "$default".
	Key string
	// ID is the route's id, stable over plans.
	ID string
	// Method is the method of the key, "ANY", or "" for $default; Path its path.
	Method, Path string
	// ParamNames are the path variables in order, without the "+" of a greedy one.
	ParamNames []string
	// Greedy tells that the last variable is a greedy one.
	Greedy bool
	// Authorizer says who may use the route; nil when everyone may.
	Authorizer Authorizer
	// Limit is the route's throttle, its own or the stage's default; nil without
	// one.
	Limit Limiter
	// MapRequest changes the request for the integration, MapResponse the
	// integration's response for the client; nil when nothing is mapped.
	MapRequest, MapResponse Mapping
	// Integration answers the request; nil when the route has none.
	Integration Integration
	// Metrics counts requests of the route when detailed metrics are on; else nil.
	Metrics Metrics
	// Rest is the rest of a REST API's method, Socket that of a WebSocket API's
	// route; nil for routes of other APIs.
	Rest   *Method
	Socket *SocketRoute
}

// An Authorizer lets a request pass or returns a *Fault.
type Authorizer interface {
	Authorize(x *Exchange) error
}

// A Limiter says whether one more request may pass at a moment, and counts it
// if so. It must not block.
type Limiter interface {
	Take(now time.Time) bool
	// Numbers are how many requests pass in a second, and how many at once.
	Numbers() (rate float64, burst int32)
}

// A Mapping changes an exchange on its way to or from an integration, or
// returns a *Fault.
type Mapping interface {
	Map(x *Exchange) error
}

// An Integration calls a backend and fills x.Response, or returns a *Fault.
type Integration interface {
	Integrate(x *Exchange) error
}

// An AccessLog takes one finished exchange. It must not block and must not keep
// any of the exchange's strings.
type AccessLog interface {
	Log(x *Exchange, latency time.Duration)
}

// Metrics takes one finished exchange.
type Metrics interface {
	Count(x *Exchange, latency time.Duration)
}
