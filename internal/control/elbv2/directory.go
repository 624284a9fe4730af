package elbv2

import (
	"cmp"
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
type Directory struct{ Balancer *balance.Balancer }

// Load reads everything; it is called once, before there are requests.
func (d *Directory) Load(tx *store.Tx) error {
	seen := map[store.Scope]bool{}
	for e, err := range targetGroups.Everywhere(tx) {
		if err != nil {
			return err
		}
		seen[e.Scope] = true
	}
	for e, err := range loadBalancers.Everywhere(tx) {
		if err != nil {
			return err
		}
		seen[e.Scope] = true
	}
	for s := range seen {
		config, err := configOf(tx, s)
		if err != nil {
			return err
		}
		d.Balancer.Apply(owner(s), config)
	}
	return nil
}

func owner(s store.Scope) string { return "elbv2/" + s.Account + "/" + s.Region }

// Prepare is called by the store with every transaction's changes before it
// commits; publish makes the Balancer follow.
func (d *Directory) Prepare(tx *store.Tx, changes []store.Change) (publish func(), err error) {
	configs := map[store.Scope]balance.Config{}
	for _, c := range changes {
		switch c.Kind {
		case loadBalancers.Name, targetGroups.Name, listeners.Name, rules.Name:
		default:
			continue
		}
		if _, done := configs[c.Scope]; done {
			continue
		}
		if configs[c.Scope], err = configOf(tx, c.Scope); err != nil {
			return nil, err
		}
	}
	if len(configs) == 0 {
		return nil, nil
	}
	return func() {
		for s, config := range configs {
			d.Balancer.Apply(owner(s), config)
		}
	}, nil
}

// configOf is all that an account has in a region.
func configOf(tx *store.Tx, s store.Scope) (balance.Config, error) {
	var config balance.Config
	used, err := users(tx, s)
	if err != nil {
		return config, err
	}
	groups, err := every(tx, s, targetGroups)
	if err != nil {
		return config, err
	}
	for _, g := range groups {
		config.Groups = append(config.Groups, g.config(len(used[*g.TargetGroupArn]) > 0))
	}
	for e, err := range listeners.All(tx, s) {
		if err != nil {
			return config, err
		}
		all, err := every(tx, s, rules, e.ID...)
		if err != nil {
			return config, err
		}
		config.Listeners = append(config.Listeners, e.Doc.config(all))
	}
	return config, nil
}

func (d *targetGroupDoc) config(used bool) balance.GroupConfig {
	c := balance.GroupConfig{
		// The name that CloudWatch's metrics have, which is no other group's anywhere.
		Key: *d.TargetGroupArn, Name: resourceOf(*d.TargetGroupArn), Unused: !used,
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
