package elbv2

import (
	"cmp"
	"errors"
	"maps"
	"net"
	"slices"
	"strconv"
	"time"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/elbv2"
	"gatehouse/internal/balance"
	"gatehouse/internal/store"
)

// A Directory has a Balancer know all load balancers. Prepare and Load keep it true.
// It keeps what it has read: a change costs by what is changed, not by all that an
// account has.
type Directory struct {
	Balancer *balance.Balancer

	// known is read and written by the store's one writer.
	known map[store.Scope]*known
}

// known is what an account has in a region, by the last part of the keys of
// documents. It is never written to once it is in force.
type known struct {
	groups    map[string]balance.GroupConfig // by name; Unused isn't set
	listeners map[string]*listenerDoc
	rules     map[string]*knownRule
}

type knownRule struct {
	*ruleDoc
	listener string
}

func (k *known) clone() *known {
	return &known{maps.Clone(k.groups), maps.Clone(k.listeners), maps.Clone(k.rules)}
}

// Load reads everything; it is called once, before there are requests.
func (d *Directory) Load(tx *store.Tx) error {
	d.known = map[store.Scope]*known{}
	of := func(s store.Scope) *known {
		if d.known[s] == nil {
			d.known[s] = newKnown()
		}
		return d.known[s]
	}
	for e, err := range targetGroups.Everywhere(tx) {
		if err != nil {
			return err
		}
		of(e.Scope).groups[e.ID[0]] = e.Doc.config()
	}
	for e, err := range listeners.Everywhere(tx) {
		if err != nil {
			return err
		}
		of(e.Scope).listeners[e.ID[1]] = e.Doc
	}
	for e, err := range rules.Everywhere(tx) {
		if err != nil {
			return err
		}
		of(e.Scope).rules[e.ID[2]] = &knownRule{e.Doc, e.ID[1]}
	}
	for s, k := range d.known {
		d.Balancer.Apply(owner(s), k.config())
	}
	return nil
}

func newKnown() *known {
	return &known{map[string]balance.GroupConfig{}, map[string]*listenerDoc{}, map[string]*knownRule{}}
}

func owner(s store.Scope) string { return "elbv2/" + s.Account + "/" + s.Region }

// Prepare is called by the store with every transaction's changes before it
// commits; publish makes the Balancer follow.
func (d *Directory) Prepare(tx *store.Tx, changes []store.Change) (publish func(), err error) {
	next := map[store.Scope]*known{}
	for _, c := range changes {
		switch c.Kind {
		case targetGroups.Name, listeners.Name, rules.Name:
		default:
			continue
		}
		k := next[c.Scope]
		if k == nil {
			if k = newKnown(); d.known[c.Scope] != nil {
				k = d.known[c.Scope].clone()
			}
			next[c.Scope] = k
		}
		if err := k.read(tx, c.Key); err != nil {
			return nil, err
		}
	}
	if len(next) == 0 {
		return nil, nil
	}
	return func() {
		if d.known == nil {
			d.known = map[store.Scope]*known{}
		}
		for s, k := range next {
			d.known[s] = k
			d.Balancer.Apply(owner(s), k.config())
		}
	}, nil
}

// read reads a document that changed.
func (k *known) read(tx *store.Tx, key store.Key) error {
	switch key.Kind {
	case targetGroups.Name:
		return follow(tx, key, targetGroups, k.groups, (*targetGroupDoc).config)
	case listeners.Name:
		return follow(tx, key, listeners, k.listeners, func(d *listenerDoc) *listenerDoc { return d })
	}
	return follow(tx, key, rules, k.rules, func(d *ruleDoc) *knownRule { return &knownRule{d, key.ID[1]} })
}

func follow[D, V any](tx *store.Tx, key store.Key, kind store.Kind[D], all map[string]V, of func(*D) V) error {
	id := key.ID[len(key.ID)-1]
	doc, err := kind.Get(tx, key.Scope, key.ID...)
	switch {
	case errors.Is(err, store.ErrNotFound):
		delete(all, id)
	case err != nil:
		return err
	default:
		all[id] = of(doc)
	}
	return nil
}

// config is all that an account has in a region, as package balance has it.
func (k *known) config() balance.Config {
	var config balance.Config
	used := map[string]bool{}
	note := func(actions []api.Action) {
		for _, group := range groupsOf(actions) {
			used[group] = true
		}
	}
	below := map[string][]*ruleDoc{}
	for _, r := range k.rules {
		note(r.Actions)
		below[r.listener] = append(below[r.listener], r.ruleDoc)
	}
	for id, l := range k.listeners {
		note(l.DefaultActions)
		config.Listeners = append(config.Listeners, l.config(below[id]))
	}
	for _, g := range k.groups {
		g.Unused = !used[g.Key]
		config.Groups = append(config.Groups, g)
	}
	return config
}

func (d *targetGroupDoc) config() balance.GroupConfig {
	c := balance.GroupConfig{
		// The name that CloudWatch's metrics have, which is no other group's anywhere.
		Key: *d.TargetGroupArn, Name: resourceOf(*d.TargetGroupArn),
		TLS: *d.Protocol == api.ProtocolEnumHTTPS || *d.Protocol == api.ProtocolEnumTLS,
	}
	if d.Attributes[algorithmType] == "least_outstanding_requests" {
		c.Algorithm = balance.LeastOutstanding
	}
	if value(d.HealthCheckEnabled) {
		c.Check = &balance.Check{
			Path: value(d.HealthCheckPath), Interval: seconds(d.HealthCheckIntervalSeconds), Timeout: seconds(d.HealthCheckTimeoutSeconds),
			HealthyThreshold: int(value(d.HealthyThresholdCount)), UnhealthyThreshold: int(value(d.UnhealthyThresholdCount)),
		}
		if d.Matcher != nil {
			c.Check.Matcher = value(d.Matcher.HttpCode)
		}
		switch *d.HealthCheckProtocol {
		case api.ProtocolEnumHTTP:
			c.Check.Protocol = balance.HTTP
		case api.ProtocolEnumHTTPS:
			c.Check.Protocol = balance.HTTPS
		}
	}
	for _, t := range d.Targets {
		c.Targets = append(c.Targets, balance.TargetConfig{
			Key: d.key(&t), Addr: net.JoinHostPort(*t.Id, strconv.Itoa(int(d.port(&t)))), CheckAddr: net.JoinHostPort(*t.Id, d.checkPort(&t)),
		})
	}
	return c
}

// resourceOf is what an ARN made here names in its account and region.
func resourceOf(name string) string {
	a, _ := arn.Parse(name)
	return a.Resource
}

func seconds(n *int32) time.Duration { return time.Duration(value(n)) * time.Second }

func (d *listenerDoc) config(all []*ruleDoc) balance.ListenerConfig {
	slices.SortFunc(all, func(a, b *ruleDoc) int { return cmp.Compare(a.Order, b.Order) })
	c := balance.ListenerConfig{
		Key: *d.ListenerArn, LoadBalancer: *d.LoadBalancerArn, Port: int(*d.Port), Application: isApplication(*d.Protocol),
		TLS: *d.Protocol == api.ProtocolEnumHTTPS || *d.Protocol == api.ProtocolEnumTLS, Default: balanced(d.DefaultActions),
	}
	for _, r := range all {
		rule := balance.RuleConfig{Action: balanced(r.Actions)}
		for i := range r.Conditions {
			condition, _ := conditionOf(&r.Conditions[i]) // checked when it was stored
			rule.Conditions = append(rule.Conditions, condition)
		}
		c.Rules = append(c.Rules, rule)
	}
	return c
}
