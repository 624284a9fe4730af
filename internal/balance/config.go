package balance

import "net/netip"

// A Config is everything that one owner has the Balancer know.
type Config struct {
	Groups    []GroupConfig
	Listeners []ListenerConfig
	Services  []ServiceConfig
}

// A GroupConfig describes a target group.
type GroupConfig struct {
	// Key names the group, everywhere.
	Key string
	// Name is how logs and metrics show it.
	Name      string
	Algorithm Algorithm
	// TLS has the targets called by TLS. Their certificates aren't verified, as
	// load balancers don't.
	TLS bool
	// Check is how targets are checked; nil has all of them taken for healthy.
	Check *Check
	// Unused tells that no listener leads here: nothing is checked.
	Unused  bool
	Targets []TargetConfig
}

// A TargetConfig describes a target. Its key is its own within the group; Addr is
// where requests go and CheckAddr where checks go, both host and port.
type TargetConfig struct{ Key, Addr, CheckAddr string }

// A ListenerConfig describes a listener of a load balancer.
type ListenerConfig struct {
	// Key names the listener, everywhere; LoadBalancer and Port name it, too.
	Key, LoadBalancer string
	Port              int
	// Application tells that it reads requests; a network load balancer passes on
	// what it gets.
	Application bool
	// TLS tells that clients speak TLS with the load balancer itself.
	TLS bool
	// Rules are tried in this order; Default is what happens otherwise.
	Rules   []RuleConfig
	Default Action
}

// A RuleConfig is what happens to requests that fulfil all its conditions.
type RuleConfig struct {
	Conditions []Condition
	Action     Action
}

// An Action is what a listener does with a request: one of the three.
type Action struct {
	Forward  []Weighted
	Fixed    *FixedResponse
	Redirect *Redirect
}

// A Weighted is a group, by its key, that gets a share of the requests.
type Weighted struct {
	Group  string
	Weight int
}

// A FixedResponse is answered by the load balancer.
type FixedResponse struct {
	Status            int
	ContentType, Body string
}

// A Redirect is where clients are sent. The parts may hold #{protocol}, #{host},
// #{port}, #{path} and #{query}.
type Redirect struct {
	Status                            int
	Protocol, Host, Port, Path, Query string
}

// A Field is what a condition looks at.
type Field int

// The fields of conditions.
const (
	Host Field = iota
	Path
	Method
	Header
	Query
	SourceIP
)

// A Condition holds when one of its values does.
type Condition struct {
	Field Field
	// Name is that of the header.
	Name string
	// Patterns may have * and ? in them. Those of hosts and headers ignore case.
	Patterns []string
	// Pairs are those of a query string; a pair without a key is met by any.
	Pairs []Pair
	// Networks are those of clients.
	Networks []netip.Prefix
}

// A Pair is a key and a value of a query string, as patterns.
type Pair struct{ Key, Value string }

// A ServiceConfig describes a Cloud Map service.
type ServiceConfig struct {
	Key, Name string
	Instances []Instance
}

// An Instance is one of a service.
type Instance struct {
	ID, Addr string
	// Unhealthy is what was reported of it.
	Unhealthy  bool
	Attributes map[string]string
}
