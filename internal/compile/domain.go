package compile

import (
	"errors"
	"fmt"
	"slices"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
)

// A DomainTLS is what a custom domain name says of connections to it.
type DomainTLS struct {
	// Scope is the account and region of the domain.
	Scope store.Scope
	// Name is the domain, in lower case, which may begin with "*.".
	Name string
	// Pages tells that it is the domain of a user pool's pages, which show the
	// gateway's own certificate while there is no other.
	Pages bool
	// CertificateARN is the certificate that the domain shows. What it stands for
	// changes when it is imported again or renewed, and the domain isn't compiled
	// for that: it is to be looked up when hands are shaken.
	CertificateARN string
	// SecurityPolicy and EndpointAccessMode are AWS's words; the mode may be "".
	SecurityPolicy, EndpointAccessMode string
	// TruststoreURI and TruststoreVersion name whom clients' certificates have to
	// be of; "" asks for none. TruststoreCopy names what was read of it, "" where an
	// older release read it.
	TruststoreURI, TruststoreVersion, TruststoreCopy string
}

// A domainKey names a domain of an account and region.
type domainKey struct {
	store.Scope
	name string
}

// A domain is what the writer remembers of a domain beside its plan. A name is
// one domain's, whichever scope that is in.
type domain struct {
	shakes DomainTLS
	tls    plan.Handshaker
	// clients says whose certificates are taken, nil without mutual TLS.
	clients plan.Truststore
	// arn is that of a private domain in the plan.
	arn string
}

// groupDomains returns the domains that changes concern, in their order.
func (c *Compiler) groupDomains(changes []store.Change) []domainKey {
	var list []domainKey
	for _, change := range changes {
		switch change.Kind {
		case definition.AccessAssociations.Name:
			list = c.addPrivate(list, change.Scope)
			continue
		case definition.UserPoolDomains.Name:
			if change.ID[1] != "" {
				continue // a prefix, whose host name is the gateway's own
			}
		case definition.Domains.Name, definition.DomainMappings.Name, definition.RoutingRules.Name:
		default:
			continue
		}
		if key := (domainKey{change.Scope, change.ID[0]}); !slices.Contains(list, key) {
			list = append(list, key)
		}
	}
	return list
}

// loadDomains adds all domains to a plan.
func (c *Compiler) loadDomains(tx *store.Tx, next *plan.Plan) (*plan.Plan, map[string]domain, error) {
	within, err := everyDomainPart(tx)
	if err != nil {
		return nil, nil, err
	}
	c.privates = map[domainKey]domain{}
	domains := map[string]domain{}
	for e, err := range definition.Domains.Everywhere(tx) {
		if err != nil {
			return nil, nil, fmt.Errorf("compile: load: %w", err)
		}
		key := domainKey{e.Scope, e.ID[0]}
		if isPrivateDomain(e.Doc) {
			after, commit, err := c.preparePrivate(tx, next, key, e.Doc, within[key])
			if err != nil {
				return nil, nil, err
			}
			next = after
			commit()
			continue
		}
		compiled, state, err := c.compileDomain(next, key, e.Doc, within[key])
		var p *Problem
		switch {
		case errors.As(err, &p):
			c.log.Error("a custom domain name doesn't compile and serves nothing", "domain", key.name, "reason", p.Error())
			continue
		case err != nil:
			return nil, nil, err
		}
		domains[key.name] = state
		next = next.WithDomain(compiled)
	}
	next, err = c.loadPages(tx, next)
	return next, domains, err
}

// prepareDomain returns a plan with the domain as the transaction leaves it, and
// what the writer is to remember once that is durable. A domain that doesn't
// compile goes on with what it served before.
func (c *Compiler) prepareDomain(tx *store.Tx, next *plan.Plan, key domainKey) (*plan.Plan, func(), error) {
	if key.Scope == (store.Scope{}) {
		next, err := c.preparePages(tx, next, key.name)
		return next, func() {}, err
	}
	doc, err := definition.Domains.Get(tx, key.Scope, key.name)
	if errors.Is(err, store.ErrNotFound) {
		if old, ok := c.privates[key]; ok {
			return next.WithoutPrivateDomain(key.name, old.arn), func() { delete(c.privates, key) }, nil
		}
		return c.withoutDomain(tx, next, key)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("compile: domain %s: %w", key.name, err)
	}
	within, err := domainPartsOf(tx, key)
	if err != nil {
		return nil, nil, err
	}
	if isPrivateDomain(doc) {
		return c.preparePrivate(tx, next, key, doc, within)
	}
	compiled, state, err := c.compileDomain(next, key, doc, within)
	var p *Problem
	switch {
	case errors.As(err, &p):
		c.log.Error("a custom domain name doesn't compile and serves what it served before", "domain", key.name, "reason", p.Error())
		return next, func() {}, nil
	case err != nil:
		return nil, nil, err
	}
	return next.WithDomain(compiled), func() { c.domains[key.name] = state }, nil
}

// withoutDomain takes a domain out of a plan, unless the one of that name is
// another account's.
func (c *Compiler) withoutDomain(tx *store.Tx, next *plan.Plan, key domainKey) (*plan.Plan, func(), error) {
	if c.domains[key.name].shakes.Scope != key.Scope {
		return next, func() {}, nil
	}
	next, err := c.preparePages(tx, next.WithoutDomain(key.name), key.name)
	return next, func() { delete(c.domains, key.name) }, err
}

// domainParts are what is stored below a domain.
type domainParts struct {
	mappings []plan.PathMapping
	rules    []*definition.RoutingRule
}

func (p *domainParts) addMapping(m *definition.DomainMapping) {
	p.mappings = append(p.mappings, plan.PathMapping{Key: value(m.ApiMappingKey), APIID: value(m.ApiId), Stage: value(m.Stage)})
}

// domainPartsOf are those of one domain.
func domainPartsOf(tx *store.Tx, key domainKey) (domainParts, error) {
	var p domainParts
	for e, err := range definition.DomainMappings.All(tx, key.Scope, key.name) {
		if err != nil {
			return p, fmt.Errorf("compile: mappings of %s: %w", key.name, err)
		}
		p.addMapping(e.Doc)
	}
	for e, err := range definition.RoutingRules.All(tx, key.Scope, key.name) {
		if err != nil {
			return p, fmt.Errorf("compile: routing rules of %s: %w", key.name, err)
		}
		p.rules = append(p.rules, e.Doc)
	}
	return p, nil
}

// everyDomainPart are those of all domains: read one by one they take longer than
// the rest of a start.
func everyDomainPart(tx *store.Tx) (map[domainKey]domainParts, error) {
	all := map[domainKey]domainParts{}
	for e, err := range definition.DomainMappings.Everywhere(tx) {
		if err != nil {
			return nil, fmt.Errorf("compile: load mappings: %w", err)
		}
		key := domainKey{e.Scope, e.ID[0]}
		p := all[key]
		p.addMapping(e.Doc)
		all[key] = p
	}
	for e, err := range definition.RoutingRules.Everywhere(tx) {
		if err != nil {
			return nil, fmt.Errorf("compile: load routing rules: %w", err)
		}
		key := domainKey{e.Scope, e.ID[0]}
		p := all[key]
		p.rules = append(p.rules, e.Doc)
		all[key] = p
	}
	return all, nil
}

// compileDomain compiles a domain. next has the APIs as the transaction leaves them.
func (c *Compiler) compileDomain(next *plan.Plan, key domainKey, doc *definition.Domain, within domainParts) (*plan.Domain, domain, error) {
	if c.parts.ReservedHost != nil && c.parts.ReservedHost(key.name) {
		return nil, domain{}, problem("Domain", key.name, errors.New("the gateway itself is called by this name"))
	}
	rules := make([]plan.RoutingRule, 0, len(within.rules))
	for _, r := range within.rules {
		rule, err := routingRule(&r.RoutingRule)
		if err != nil {
			return nil, domain{}, err
		}
		rules = append(rules, rule)
	}
	state, err := c.domainTLS(key, doc, policyOfTargets(next, within.mappings, rules))
	if err != nil {
		return nil, state, err
	}
	mode, err := routingMode(doc)
	if err != nil {
		return nil, state, problem("Domain", key.name, err)
	}
	compiled := plan.NewDomain(key.name, mode, rules, within.mappings)
	compiled.TLS, compiled.Clients = state.tls, state.clients
	compiled.Strict = value(doc.EndpointAccessMode) == apigateway.EndpointAccessModeStrict
	return compiled, state, nil
}

// domainTLS is how connections to a domain shake hands; as before where nothing
// about it changed, so that sessions can be resumed. targets is the security
// policy of the APIs behind it, which counts before its own; "" for none.
func (c *Compiler) domainTLS(key domainKey, doc *definition.Domain, targets string) (domain, error) {
	d := domain{shakes: DomainTLS{
		Scope: key.Scope, Name: key.name, SecurityPolicy: value(doc.SecurityPolicy), EndpointAccessMode: value(doc.EndpointAccessMode),
		CertificateARN: value(doc.RegionalCertificateArn),
	}}
	if targets != "" {
		d.shakes.SecurityPolicy = targets
	}
	if d.shakes.CertificateARN == "" {
		d.shakes.CertificateARN = value(doc.CertificateArn)
	}
	if mutual := doc.MutualTlsAuthentication; mutual != nil {
		d.shakes.TruststoreURI, d.shakes.TruststoreVersion = value(mutual.TruststoreUri), value(mutual.TruststoreVersion)
		d.shakes.TruststoreCopy = doc.Truststore
	}
	old, ok := c.domains[key.name]
	if isPrivateDomain(doc) {
		old, ok = c.privates[key]
	}
	if ok && old.shakes == d.shakes {
		return old, nil
	}
	if c.parts.TLS == nil {
		return d, nil
	}
	var err error
	if d.tls, d.clients, err = c.parts.TLS(d.shakes); err != nil {
		return d, problem("Domain", key.name, err)
	}
	return d, nil
}

func routingMode(doc *definition.Domain) (plan.RoutingMode, error) {
	switch mode := value(doc.RoutingMode); mode {
	case "", apigateway.RoutingModeBasePathMappingOnly:
		return plan.MappingsOnly, nil
	case apigateway.RoutingModeRoutingRuleOnly:
		return plan.RulesOnly, nil
	case apigateway.RoutingModeRoutingRuleThenBasePathMapping:
		return plan.RulesThenMappings, nil
	default:
		return 0, fmt.Errorf("there is no routing mode %s", mode)
	}
}

func routingRule(doc *apigatewayv2.RoutingRule) (plan.RoutingRule, error) {
	if len(doc.Actions) != 1 || doc.Actions[0].InvokeApi == nil {
		return plan.RoutingRule{}, problem("Routing rule", value(doc.RoutingRuleId), errors.New("it has no action"))
	}
	action := doc.Actions[0].InvokeApi
	rule := plan.RoutingRule{
		Priority: int(value(doc.Priority)), APIID: value(action.ApiId), Stage: value(action.Stage), StripBasePath: value(action.StripBasePath),
	}
	for _, condition := range doc.Conditions {
		if condition.MatchBasePaths != nil {
			rule.BasePaths = append(rule.BasePaths, condition.MatchBasePaths.AnyOf...)
		}
		if condition.MatchHeaders == nil {
			continue
		}
		anyOf := make([]plan.HeaderMatch, 0, len(condition.MatchHeaders.AnyOf))
		for _, header := range condition.MatchHeaders.AnyOf {
			anyOf = append(anyOf, plan.NewHeaderMatch(value(header.Header), value(header.ValueGlob)))
		}
		rule.Headers = append(rule.Headers, anyOf)
	}
	return rule, nil
}
