package plan

import (
	"slices"
	"strings"
	"unsafe"
)

// A RoutingMode says what finds the API behind a custom domain name.
type RoutingMode uint8

// The routing modes.
const (
	MappingsOnly RoutingMode = iota
	RulesOnly
	RulesThenMappings
)

// A Domain is a custom domain name: what a request to it is for.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-custom-domains.html
type Domain struct {
	// Name is in lower case; one that begins with "*." stands for every name with
	// one more label.
	Name string
	Mode RoutingMode
	// Rules are in the order of their priorities.
	Rules []RoutingRule
	// TLS is how connections to the domain shake hands; nil for a domain without a
	// certificate, which has the gateway's own.
	TLS Handshaker
	// Clients says which clients' certificates are trusted; nil for a domain
	// without mutual TLS. TLS asks for them then.
	Clients Truststore
	// Strict is AWS's endpointAccessMode STRICT: requests have to come over a
	// connection whose handshake named the very host.
	Strict bool
	// Pages tells that the name is that of a user pool's pages, and no API's: only
	// TLS counts of the rest.
	Pages bool
	// ARN is that of a private domain, which has the others, too: VPCEndpoints are the
	// ids of the endpoints that are associated with it, over which alone it is reached,
	// and Policy says who may use it.
	ARN          string
	VPCEndpoints []string
	Policy       Authorizer
	// mappings are the mappings by the segments of their keys.
	mappings mappingNode
}

// A PathMapping leads from a path of a domain to a stage.
type PathMapping struct {
	// Key is the path without slashes around it, "" for everything.
	Key string
	// APIID and Stage are where it leads. A Stage of "" is named by the segment
	// behind the key.
	APIID, Stage string
}

// A mappingNode is where a key ends or goes on.
type mappingNode struct {
	mapping  *PathMapping
	segments map[string]*mappingNode
}

// NewDomain makes a domain of its mappings, no two of which have one key.
func NewDomain(name string, mode RoutingMode, rules []RoutingRule, mappings []PathMapping) *Domain {
	d := &Domain{Name: strings.ToLower(name), Mode: mode, Rules: slices.Clone(rules)}
	slices.SortStableFunc(d.Rules, func(a, b RoutingRule) int { return a.Priority - b.Priority })
	for i := range mappings {
		node := &d.mappings
		for segment := range strings.SplitSeq(mappings[i].Key, "/") {
			if mappings[i].Key == "" {
				break
			}
			next := node.segments[segment]
			if next == nil {
				next = &mappingNode{}
				if node.segments == nil {
					node.segments = map[string]*mappingNode{}
				}
				node.segments[segment] = next
			}
			node = next
		}
		node.mapping = &mappings[i]
	}
	return d
}

// match returns the mapping with the most segments that a path begins with, and
// what follows them: "" or from a slash on. Segments are compared decoded, as
// routes are.
func (d *Domain) match(path string) (m *PathMapping, rest string) {
	node := &d.mappings
	m, rest = node.mapping, path
	for node.segments != nil && path != "" {
		var segment string
		segment, path = cutSegment(afterSlash(path))
		if node = node.segments[decoded(segment)]; node == nil {
			break
		}
		if node.mapping != nil {
			m, rest = node.mapping, path
		}
	}
	return m, rest
}

// afterSlash is what follows the slash, plain or escaped, that text begins with.
func afterSlash(text string) string {
	_, width := at(text, 0)
	return text[width:]
}

// A RoutingRule leads to a stage of a REST API if all its conditions hold.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-routing-rules.html
type RoutingRule struct {
	// Priority says which rule is asked first: the one with the lowest.
	Priority int
	// Headers are conditions, of each of which one has to hold.
	Headers [][]HeaderMatch
	// BasePaths are the first segments of the path, one of which has to be there;
	// none asks for none. They may have several segments.
	BasePaths []string
	// APIID and Stage are where it leads. StripBasePath takes the base path that
	// was found away.
	APIID, Stage  string
	StripBasePath bool
}

// A HeaderMatch compares a header with a text that may have a "*" at either end.
type HeaderMatch struct {
	Name string
	// Text is the value without its stars, Before and After tell that something
	// may stand there.
	Text          string
	Before, After bool
}

// NewHeaderMatch makes a match of a value with a star at either end, or at none.
func NewHeaderMatch(name, glob string) HeaderMatch {
	m := HeaderMatch{Name: name}
	if glob == "*" {
		m.Before, m.After = true, true
		return m
	}
	m.Text, m.Before = strings.CutPrefix(glob, "*")
	m.Text, m.After = strings.CutSuffix(m.Text, "*")
	return m
}

// holds tells whether a line of the header has the value.
func (m *HeaderMatch) holds(headers Headers) bool {
	for i := range headers {
		if !EqualFold(headers[i].Name, m.Name) {
			continue
		}
		value, ok := headers[i].Value, false
		switch {
		case m.Before && m.After:
			ok = strings.Contains(value, m.Text)
		case m.Before:
			ok = strings.HasSuffix(value, m.Text)
		case m.After:
			ok = strings.HasPrefix(value, m.Text)
		default:
			ok = value == m.Text
		}
		if ok {
			return true
		}
	}
	return false
}

// holds tells whether all conditions of a rule hold, and returns the path behind
// the base path that does.
func (r *RoutingRule) holds(x *Exchange) (rest string, ok bool) {
	for _, anyOf := range r.Headers {
		if !slices.ContainsFunc(anyOf, func(m HeaderMatch) bool { return m.holds(x.Request.Headers) }) {
			return "", false
		}
	}
	path := x.Request.Path
	if len(r.BasePaths) == 0 {
		return path, true
	}
	for _, base := range r.BasePaths {
		if rest, ok := cutBasePath(path, base); ok {
			return rest, true
		}
	}
	return "", false
}

// cutBasePath returns what follows whole segments that a path begins with.
func cutBasePath(path, base string) (rest string, ok bool) {
	rest = path
	for wanted := range strings.SplitSeq(base, "/") {
		if rest == "" {
			return "", false
		}
		var segment string
		if segment, rest = cutSegment(afterSlash(rest)); decoded(segment) != wanted {
			return "", false
		}
	}
	return rest, true
}

// DomainOf returns the domain of a host without its port, or of the name that a
// client asks for in its TLS handshake: the one of the name itself, else the one
// with a star in place of its first label. It is nil if there is neither.
func (p *Plan) DomainOf(host string) *Domain {
	if p == nil || p.domains.size == 0 {
		return nil
	}
	name := lowerHost(host)
	if d, ok := p.domains.get(name); ok {
		return d
	}
	first, parent, ok := strings.Cut(name, ".")
	if !ok || first == "" {
		return nil
	}
	var room [128]byte // as names go; a longer one is allocated
	wild := append(append(room[:0], "*."...), parent...)
	d, _ := p.domains.get(unsafe.String(unsafe.SliceData(wild), len(wild)))
	return d
}

// lowerHost is a host in lower case, without the dot that may end a name. It
// allocates only where there is an upper-case letter.
func lowerHost(host string) string {
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// placeDomain places a request to a custom domain name.
func (p *Plan) placeDomain(x *Exchange, d *Domain) error {
	x.Domain = d
	if d.ARN != "" {
		x.VPCEndpoint = d.VPCEndpoints[0] // of development; others are told by the listener
	}
	if d.Strict && !x.sameName() {
		return x.misdirected()
	}
	if err := p.findMapped(x, d); err != nil {
		return err
	}
	// They are asked once the stage is known: its logs tell who was turned away.
	if d.Policy != nil {
		if err := d.Policy.Authorize(x); err != nil {
			return err
		}
	}
	return d.admit(x)
}

// findMapped finds the stage that a request to a domain is for.
func (p *Plan) findMapped(x *Exchange, d *Domain) error {
	if d.Mode != MappingsOnly {
		for i := range d.Rules {
			r := &d.Rules[i]
			rest, ok := r.holds(x)
			if !ok {
				continue
			}
			if !r.StripBasePath {
				rest = x.Request.Path
			}
			return p.enterMapped(x, r.APIID, r.Stage, rest)
		}
	}
	if d.Mode == RulesOnly {
		return &Fault{Kind: Forbidden, Reason: "no routing rule of " + d.Name + " holds for " + x.Request.Path}
	}
	m, rest := d.match(x.Request.Path)
	if m == nil {
		return &Fault{Kind: Forbidden, Reason: "no mapping of " + d.Name + " takes " + x.Request.Path}
	}
	x.BasePath = m.Key
	stage := m.Stage
	if stage == "" {
		stage, rest = cutStage(rest)
		stage = decoded(stage)
	}
	return p.enterMapped(x, m.APIID, stage, rest)
}

// enterMapped places an exchange in a stage that a domain leads to. rest is the
// path within the stage.
func (p *Plan) enterMapped(x *Exchange, apiID, stage, rest string) error {
	api, ok := p.API(apiID)
	if !ok {
		return &Fault{Kind: Forbidden, Reason: x.Domain.Name + " leads to API " + apiID + ", which is gone"}
	}
	if err := x.reach(api); err != nil {
		return err
	}
	if err := x.admitted(); err != nil {
		return err
	}
	if x.Stage = api.Stages[stage]; x.Stage == nil {
		return &Fault{Kind: Forbidden, Reason: x.Domain.Name + " leads to stage " + stage + " of API " + apiID + ", which isn't there"}
	}
	if rest == "" || rest[0] != '/' {
		// What follows an escaped slash, too, is a path.
		rest = rooted(x, rest)
	}
	switch {
	case api.Protocol == REST:
		x.StagePath, x.GatewayPath = oneSlash(rest), x.Request.Path
	case api.Protocol == WebSocket:
		x.StagePath, x.GatewayPath = rest, x.Request.Path
		// The address of @connections keeps the port, as in placeSocket.
		x.DomainName = x.Request.Host
	case stage == DefaultStage:
		x.StagePath, x.GatewayPath = rest, rest
	default:
		// UNVERIFIED: that functions see the name of the stage that a mapping leads
		// to in front of the path.
		x.StagePath, x.GatewayPath = rest, scratch(x, "/", stage, rest)
	}
	return nil
}

// rooted is a path that begins with a plain slash.
func rooted(x *Exchange, rest string) string {
	if rest == "" {
		return "/"
	}
	return scratch(x, "/", afterSlash(rest))
}

// scratch joins texts in Scratch, as long as the exchange.
func scratch(x *Exchange, texts ...string) string {
	start := len(x.Scratch)
	for _, text := range texts {
		x.Scratch = append(x.Scratch, text...)
	}
	b := x.Scratch[start:]
	return unsafe.String(unsafe.SliceData(b), len(b))
}
