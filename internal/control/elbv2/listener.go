package elbv2

import (
	"cmp"
	"fmt"
	"slices"

	api "gatehouse/internal/awsapi/elbv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// defaultPolicy is the security policy of listeners that name none.
const defaultPolicy = "ELBSecurityPolicy-2016-08"

// CreateListener adds a listener to a load balancer.
func (s *Service) CreateListener(c *awswire.Call, in *api.CreateListenerInput) (*api.CreateListenerOutput, error) {
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	defaultRule, err := s.newID()
	if err != nil {
		return nil, err
	}
	doc := &listenerDoc{DefaultRule: defaultRule}
	if doc.Tags, err = newTags(in.Tags); err != nil {
		return nil, err
	}
	doc.LoadBalancerArn, doc.Port, doc.Protocol = in.LoadBalancerArn, in.Port, in.Protocol
	doc.SslPolicy, doc.Certificates, doc.AlpnPolicy, doc.MutualAuthentication = in.SslPolicy, in.Certificates, in.AlpnPolicy, in.MutualAuthentication
	err = s.store.Update(c, func(tx *store.Tx) error {
		lb, err := loadBalancer(tx, c, *in.LoadBalancerArn)
		if err != nil {
			return err
		}
		p := parts(c, *in.LoadBalancerArn, "loadbalancer", 4)
		doc.ListenerArn = new(resourceName(c, "listener/"+p[1]+"/"+p[2]+"/"+p[3]+"/"+id))
		if err := s.checkListener(tx, c, lb, doc, in.DefaultActions); err != nil {
			return err
		}
		return listeners.Put(tx, scopeOf(c), doc, *lb.LoadBalancerName, id)
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateListenerOutput{Listeners: []api.Listener{doc.Listener}}, nil
}

// checkListener refuses what can't be a listener of a load balancer, and fills in
// what wasn't said.
func (s *Service) checkListener(tx *store.Tx, c *awswire.Call, lb *loadBalancerDoc, doc *listenerDoc, actions []api.Action) error {
	if doc.Port == nil {
		return invalid("A port must be specified")
	}
	if *doc.Port < 1 || *doc.Port > 65535 {
		return invalid(fmt.Sprintf("Listener port '%d' must be between 1 and 65535", *doc.Port))
	}
	protocol := value(doc.Protocol)
	application := *lb.Type == api.LoadBalancerTypeEnumApplication
	switch {
	case protocol == "":
		return invalid("A listener protocol must be specified")
	case application && !isApplication(protocol):
		return invalid("Listener protocol '" + protocol + "' must be one of 'HTTP, HTTPS'")
	case !application && protocol != api.ProtocolEnumTcp && protocol != api.ProtocolEnumTLS:
		if isApplication(protocol) {
			return invalid("Listener protocol '" + protocol + "' must be one of 'TCP, UDP, TCP_UDP, TLS'")
		}
		return notYet("CreateListener with protocol " + protocol)
	}
	if m := doc.MutualAuthentication; m != nil && value(m.Mode) != "" && value(m.Mode) != "off" {
		return notYet("CreateListener with mutualAuthentication " + *m.Mode)
	}
	if err := doc.checkTLS(protocol == api.ProtocolEnumHTTPS || protocol == api.ProtocolEnumTLS); err != nil {
		return err
	}
	for e, err := range listeners.All(tx, scopeOf(c), *lb.LoadBalancerName) {
		if err != nil {
			return err
		}
		if *e.Doc.ListenerArn != *doc.ListenerArn && *e.Doc.Port == *doc.Port {
			return api.NewDuplicateListenerException("A listener already exists on this port for this load balancer '" + *lb.LoadBalancerArn + "'")
		}
	}
	var err error
	doc.DefaultActions, err = newActions(tx, c, application, actions)
	return err
}

func (d *listenerDoc) checkTLS(tls bool) error {
	if !tls {
		if len(d.Certificates) > 0 || value(d.SslPolicy) != "" {
			return invalid("Certificates and security policies can only be specified for listeners of protocol HTTPS or TLS") // UNVERIFIED wording
		}
		d.SslPolicy, d.Certificates = nil, nil
		return nil
	}
	if len(d.Certificates) != 1 {
		return invalid("A certificate must be specified for " + *d.Protocol + " listeners")
	}
	d.SslPolicy = orDefault(d.SslPolicy, defaultPolicy)
	return nil
}

// DescribeListeners shows the listeners of a load balancer, or some by ARN.
func (s *Service) DescribeListeners(c *awswire.Call, in *api.DescribeListenersInput) (*api.DescribeListenersOutput, error) {
	out := &api.DescribeListenersOutput{Listeners: []api.Listener{}}
	err := s.store.View(c, func(tx *store.Tx) error {
		if in.LoadBalancerArn == nil && len(in.ListenerArns) == 0 {
			return invalid("You must specify either listener ARNs or a load balancer ARN")
		}
		for _, name := range in.ListenerArns {
			doc, _, err := listener(tx, c, name)
			if err != nil {
				return err
			}
			out.Listeners = append(out.Listeners, doc.Listener)
		}
		if in.LoadBalancerArn == nil {
			return nil
		}
		lb, err := loadBalancer(tx, c, *in.LoadBalancerArn)
		if err != nil {
			return err
		}
		all, err := every(tx, scopeOf(c), listeners, *lb.LoadBalancerName)
		for _, doc := range all {
			out.Listeners = append(out.Listeners, doc.Listener)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out.Listeners, func(a, b api.Listener) int { return cmp.Compare(*a.ListenerArn, *b.ListenerArn) })
	out.Listeners, out.NextMarker, err = page(out.Listeners, func(l *api.Listener) string { return *l.ListenerArn }, in.Marker, in.PageSize)
	return out, err
}

// ModifyListener sets what is present.
func (s *Service) ModifyListener(c *awswire.Call, in *api.ModifyListenerInput) (*api.ModifyListenerOutput, error) {
	var doc *listenerDoc
	err := s.store.Update(c, func(tx *store.Tx) error {
		d, key, err := listener(tx, c, *in.ListenerArn)
		if err != nil {
			return err
		}
		doc = d
		lb, err := loadBalancer(tx, c, *d.LoadBalancerArn)
		if err != nil {
			return err
		}
		set(&d.Port, in.Port)
		set(&d.Protocol, in.Protocol)
		set(&d.SslPolicy, in.SslPolicy)
		set(&d.MutualAuthentication, in.MutualAuthentication)
		if in.Certificates != nil {
			d.Certificates = in.Certificates
		}
		if in.AlpnPolicy != nil {
			d.AlpnPolicy = in.AlpnPolicy
		}
		if p := *d.Protocol; in.Protocol != nil && (p == api.ProtocolEnumHTTP || p == api.ProtocolEnumTcp) {
			d.SslPolicy, d.Certificates = in.SslPolicy, in.Certificates
		}
		actions := d.DefaultActions
		if in.DefaultActions != nil {
			actions = in.DefaultActions
		}
		if err := s.checkListener(tx, c, lb, d, actions); err != nil {
			return err
		}
		return listeners.Put(tx, scopeOf(c), d, key...)
	})
	if err != nil {
		return nil, err
	}
	return &api.ModifyListenerOutput{Listeners: []api.Listener{doc.Listener}}, nil
}

// DeleteListener deletes a listener with its rules.
func (s *Service) DeleteListener(c *awswire.Call, in *api.DeleteListenerInput) (*api.DeleteListenerOutput, error) {
	err := s.store.Update(c, func(tx *store.Tx) error {
		_, key, err := listener(tx, c, *in.ListenerArn)
		if err != nil {
			return err
		}
		if _, err := rules.DeleteAll(tx, scopeOf(c), key...); err != nil {
			return err
		}
		return listeners.Delete(tx, scopeOf(c), key...)
	})
	if err != nil {
		return nil, err
	}
	return &api.DeleteListenerOutput{}, nil
}
