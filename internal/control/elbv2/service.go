package elbv2

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"regexp"
	"strings"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/elbv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/balance"
	"gatehouse/internal/store"
)

// Health tells how targets are; *balance.Balancer does.
type Health interface {
	// Health returns the health of a group's targets by their keys.
	Health(group string) map[string]balance.Health
}

// Options are what a Service works with.
type Options struct {
	// Store holds the load balancers. Its Prepare must call Directory.Prepare.
	Store  *store.Store // required
	Health Health       // required
	// Random is where ids come from; nil means crypto/rand.
	Random io.Reader
}

// A Service is the API.
type Service struct {
	api.Unimplemented

	store  *store.Store
	health Health
	random io.Reader
}

var _ api.Operations = (*Service)(nil)

// New returns the service.
func New(o Options) *Service {
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return &Service{store: o.Store, health: o.Health, random: o.Random}
}

// A loadBalancerDoc is keyed {name}.
type loadBalancerDoc struct {
	api.LoadBalancer
	Attributes map[string]string `json:"_attributes,omitzero"`
	Tags       map[string]string `json:"_tags,omitzero"`
}

// A targetGroupDoc is keyed {name}. LoadBalancerArns are computed.
type targetGroupDoc struct {
	api.TargetGroup
	Attributes map[string]string       `json:"_attributes,omitzero"`
	Targets    []api.TargetDescription `json:"_targets,omitzero"`
	Tags       map[string]string       `json:"_tags,omitzero"`
}

// A listenerDoc is keyed {load balancer's name, listener's id}.
type listenerDoc struct {
	api.Listener
	Attributes map[string]string `json:"_attributes,omitzero"`
	Tags       map[string]string `json:"_tags,omitzero"`
	// DefaultRule is the id of the rule that stands for DefaultActions.
	DefaultRule string `json:"_defaultRule"`
}

// A ruleDoc is keyed {load balancer's name, listener's id, rule's id}.
type ruleDoc struct {
	api.Rule
	// Order is Priority as a number.
	Order int32             `json:"_order"`
	Tags  map[string]string `json:"_tags,omitzero"`
}

var (
	loadBalancers = store.Kind[loadBalancerDoc]{Name: "elbv2/load-balancer", Version: 1}
	targetGroups  = store.Kind[targetGroupDoc]{Name: "elbv2/target-group", Version: 1}
	listeners     = store.Kind[listenerDoc]{Name: "elbv2/listener", Version: 1}
	rules         = store.Kind[ruleDoc]{Name: "elbv2/rule", Version: 1}
)

func scopeOf(c *awswire.Call) store.Scope { return store.Scope{Account: c.Account, Region: c.Region} }

// invalid is the service's answer to what no model error fits.
func invalid(message string) error {
	return &awswire.Error{Code: "ValidationError", Status: 400, Message: message, MessageMember: "Message"}
}

func notYet(what string) error { return awswire.NotImplemented("elbv2", what) }

func value[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}

func orDefault[T any](p *T, v T) *T {
	if p == nil {
		return &v
	}
	return p
}

// newID returns sixteen hexadecimal digits.
func (s *Service) newID() (string, error) {
	var b [8]byte
	if _, err := io.ReadFull(s.random, b[:]); err != nil {
		return "", err
	}
	return hex.EncodeToString(b[:]), nil
}

// resourceName is the ARN of something of the call's.
func resourceName(c *awswire.Call, resource string) string {
	return arn.ARN{Partition: arn.Partition(c.Region), Service: "elasticloadbalancing", Region: c.Region, Account: c.Account, Resource: resource}.String()
}

var validName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?$`)

// checkName refuses what can't be the name of a load balancer or a target group.
func checkName(what, name string) error {
	switch {
	case len(name) > 32:
		return invalid(what + " name '" + name + "' cannot be longer than '32' characters")
	case strings.HasPrefix(name, "internal-"):
		return invalid(what + " name '" + name + "' cannot begin with 'internal-'")
	case !validName.MatchString(name):
		return invalid(what + " name '" + name + "' can only contain characters that are alphanumeric characters and hyphens(-), and cannot begin or end with a hyphen")
	}
	return nil
}

// parts splits the resource of an ARN of the call's, nil for another one.
func parts(c *awswire.Call, name, kind string, n int) []string {
	a, err := arn.Parse(name)
	if err != nil || a.Service != "elasticloadbalancing" || a.Account != c.Account || a.Region != c.Region {
		return nil
	}
	split := strings.Split(a.Resource, "/")
	if len(split) != n || split[0] != kind {
		return nil
	}
	return split
}

func loadBalancer(tx *store.Tx, c *awswire.Call, name string) (*loadBalancerDoc, error) {
	missing := api.NewLoadBalancerNotFoundException("One or more load balancers not found")
	p := parts(c, name, "loadbalancer", 4)
	if p == nil {
		if _, err := arn.Parse(name); err != nil {
			return nil, invalid("'" + name + "' is not a valid load balancer ARN")
		}
		return nil, missing
	}
	doc, err := loadBalancers.Get(tx, scopeOf(c), p[2])
	if errors.Is(err, store.ErrNotFound) || err == nil && *doc.LoadBalancerArn != name {
		return nil, missing
	}
	return doc, err
}

func targetGroup(tx *store.Tx, c *awswire.Call, name string) (*targetGroupDoc, error) {
	missing := api.NewTargetGroupNotFoundException("One or more target groups not found")
	p := parts(c, name, "targetgroup", 3)
	if p == nil {
		if _, err := arn.Parse(name); err != nil {
			return nil, invalid("'" + name + "' is not a valid target group ARN")
		}
		return nil, missing
	}
	doc, err := targetGroups.Get(tx, scopeOf(c), p[1])
	if errors.Is(err, store.ErrNotFound) || err == nil && *doc.TargetGroupArn != name {
		return nil, missing
	}
	return doc, err
}

func listener(tx *store.Tx, c *awswire.Call, name string) (*listenerDoc, []string, error) {
	missing := api.NewListenerNotFoundException("One or more listeners not found")
	p := parts(c, name, "listener", 5)
	if p == nil {
		if _, err := arn.Parse(name); err != nil {
			return nil, nil, invalid("'" + name + "' is not a valid listener ARN")
		}
		return nil, nil, missing
	}
	key := []string{p[2], p[4]}
	doc, err := listeners.Get(tx, scopeOf(c), key...)
	if errors.Is(err, store.ErrNotFound) || err == nil && *doc.ListenerArn != name {
		return nil, nil, missing
	}
	return doc, key, err
}

func rule(tx *store.Tx, c *awswire.Call, name string) (*ruleDoc, []string, error) {
	missing := api.NewRuleNotFoundException("One or more rules not found")
	p := parts(c, name, "listener-rule", 6)
	if p == nil {
		if _, err := arn.Parse(name); err != nil {
			return nil, nil, invalid("'" + name + "' is not a valid listener rule ARN")
		}
		return nil, nil, missing
	}
	key := []string{p[2], p[4], p[5]}
	doc, err := rules.Get(tx, scopeOf(c), key...)
	if errors.Is(err, store.ErrNotFound) || err == nil && *doc.RuleArn != name {
		return nil, nil, missing
	}
	return doc, key, err
}

// isDefaultRule tells whether an ARN names the default rule of a listener.
func isDefaultRule(tx *store.Tx, c *awswire.Call, name string) (bool, error) {
	p := parts(c, name, "listener-rule", 6)
	if p == nil {
		return false, nil
	}
	doc, err := listeners.Get(tx, scopeOf(c), p[2], p[4])
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && doc.DefaultRule == p[5], err
}
