package elbv2

import (
	"maps"
	"slices"
	"strconv"

	api "gatehouse/internal/awsapi/elbv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// The attributes that there are, with their values unless something else is set.
var (
	applicationAttributes = map[string]string{
		"access_logs.s3.enabled": "false", "access_logs.s3.bucket": "", "access_logs.s3.prefix": "",
		"client_keep_alive.seconds":  "3600",
		"connection_logs.s3.enabled": "false", "connection_logs.s3.bucket": "", "connection_logs.s3.prefix": "",
		"health_check_logs.s3.enabled": "false", "health_check_logs.s3.bucket": "", "health_check_logs.s3.prefix": "",
		"deletion_protection.enabled": "false", "idle_timeout.timeout_seconds": "60", "ipv6.deny_all_igw_traffic": "false",
		"load_balancing.cross_zone.enabled": "true", "routing.http.desync_mitigation_mode": "defensive",
		"routing.http.drop_invalid_header_fields.enabled": "false", "routing.http.preserve_host_header.enabled": "false",
		"routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false", "routing.http.xff_client_port.enabled": "false",
		"routing.http.xff_header_processing.mode": "append", "routing.http2.enabled": "true", "waf.fail_open.enabled": "false",
		"zonal_shift.config.enabled": "false",
	}
	networkAttributes = map[string]string{
		"access_logs.s3.enabled": "false", "access_logs.s3.bucket": "", "access_logs.s3.prefix": "",
		"deletion_protection.enabled": "false", "dns_record.client_routing_policy": "any_availability_zone", "ipv6.deny_all_igw_traffic": "false",
		"load_balancing.cross_zone.enabled": "false", "secondary_ips.auto_assigned.per_subnet": "0", "zonal_shift.config.enabled": "false",
	}
	applicationGroupAttributes = map[string]string{
		"deregistration_delay.timeout_seconds": "300", "load_balancing.cross_zone.enabled": "use_load_balancer_configuration", "stickiness.enabled": "false",
		"target_group_health.dns_failover.minimum_healthy_targets.count": "1", "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1", "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
		algorithmType: "round_robin", "load_balancing.algorithm.anomaly_mitigation": "off", "slow_start.duration_seconds": "0",
		"stickiness.type": "lb_cookie", "stickiness.lb_cookie.duration_seconds": "86400", "stickiness.app_cookie.cookie_name": "",
		"stickiness.app_cookie.duration_seconds": "86400",
	}
	networkGroupAttributes = map[string]string{
		"deregistration_delay.timeout_seconds": "300", "load_balancing.cross_zone.enabled": "use_load_balancer_configuration", "stickiness.enabled": "false",
		"target_group_health.dns_failover.minimum_healthy_targets.count": "1", "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1", "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
		"deregistration_delay.connection_termination.enabled": "false", "preserve_client_ip.enabled": "false", proxyProtocol: "false",
		"stickiness.type": "source_ip", "target_health_state.unhealthy.connection_termination.enabled": "true",
		"target_health_state.unhealthy.draining_interval_seconds": "0",
	}
	applicationListenerAttributes = map[string]string{
		"routing.http.response.server.enabled":                                  "true",
		"routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name": "", "routing.http.request.x_amzn_mtls_clientcert_issuer.header_name": "",
		"routing.http.request.x_amzn_mtls_clientcert_subject.header_name": "", "routing.http.request.x_amzn_mtls_clientcert_validity.header_name": "",
		"routing.http.request.x_amzn_mtls_clientcert_leaf.header_name": "", "routing.http.request.x_amzn_mtls_clientcert.header_name": "",
		"routing.http.request.x_amzn_tls_version.header_name": "", "routing.http.request.x_amzn_tls_cipher_suite.header_name": "",
		"routing.http.response.strict_transport_security.header_value": "", "routing.http.response.access_control_allow_origin.header_value": "",
		"routing.http.response.access_control_allow_methods.header_value": "", "routing.http.response.access_control_allow_headers.header_value": "",
		"routing.http.response.access_control_allow_credentials.header_value": "", "routing.http.response.access_control_expose_headers.header_value": "",
		"routing.http.response.access_control_max_age.header_value": "", "routing.http.response.content_security_policy.header_value": "",
		"routing.http.response.x_content_type_options.header_value": "", "routing.http.response.x_frame_options.header_value": "",
	}
	networkListenerAttributes = map[string]string{"tcp.idle_timeout.seconds": "350"}
)

const (
	algorithmType = "load_balancing.algorithm.type"
	proxyProtocol = "proxy_protocol_v2.enabled"
)

func with(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// ranges are the least and the most of attributes that are numbers.
var ranges = map[string][2]int{
	"client_keep_alive.seconds": {60, 604800}, "idle_timeout.timeout_seconds": {1, 4000}, "tcp.idle_timeout.seconds": {60, 6000},
	"secondary_ips.auto_assigned.per_subnet": {0, 7}, "deregistration_delay.timeout_seconds": {0, 3600},
	"slow_start.duration_seconds": {0, 900}, "stickiness.lb_cookie.duration_seconds": {1, 604800}, "stickiness.app_cookie.duration_seconds": {1, 604800},
	"target_health_state.unhealthy.draining_interval_seconds": {0, 360000},
}

// words are the values of attributes that have a choice of them.
var words = map[string][]string{
	algorithmType:                                 {"round_robin", "least_outstanding_requests", "weighted_random"},
	"routing.http.desync_mitigation_mode":         {"monitor", "defensive", "strictest"},
	"routing.http.xff_header_processing.mode":     {"append", "preserve", "remove"},
	"load_balancing.algorithm.anomaly_mitigation": {"on", "off"},
	"dns_record.client_routing_policy":            {"availability_zone_affinity", "partial_availability_zone_affinity", "any_availability_zone"},
}

// fits tells whether an attribute can have a value. usual is the one that it has unless
// something else is set: where that is true or false, so is any other.
func fits(key, usual, v string) bool {
	if r, ok := ranges[key]; ok {
		n, err := strconv.Atoi(v)
		return err == nil && r[0] <= n && n <= r[1]
	}
	if choice, ok := words[key]; ok {
		return slices.Contains(choice, v)
	}
	return usual != "true" && usual != "false" || v == "true" || v == "false"
}

// setAttribute sets one that there is.
func setAttribute(set *map[string]string, known map[string]string, what, key, v string) error {
	usual, ok := known[key]
	if !ok {
		return invalid(what + " attribute key '" + key + "' is not recognized")
	}
	if !fits(key, usual, v) {
		return invalid(what + " attribute key '" + key + "' has an invalid value '" + v + "'") // UNVERIFIED wording
	}
	next := maps.Clone(*set)
	if next == nil {
		next = map[string]string{}
	}
	next[key] = v
	*set = next
	return nil
}

// eachAttribute calls f with every attribute in order.
func eachAttribute(set, known map[string]string, f func(key, value *string)) {
	all := with(known, set)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		f(new(key), new(all[key]))
	}
}

func (d *loadBalancerDoc) known() map[string]string {
	if *d.Type == api.LoadBalancerTypeEnumNetwork {
		return networkAttributes
	}
	return applicationAttributes
}

func (d *loadBalancerDoc) attributes() []api.LoadBalancerAttribute {
	var all []api.LoadBalancerAttribute
	eachAttribute(d.Attributes, d.known(), func(k, v *string) { all = append(all, api.LoadBalancerAttribute{Key: k, Value: v}) })
	return all
}

// DescribeLoadBalancerAttributes shows all attributes of a load balancer.
func (s *Service) DescribeLoadBalancerAttributes(c *awswire.Call, in *api.DescribeLoadBalancerAttributesInput) (*api.DescribeLoadBalancerAttributesOutput, error) {
	var doc *loadBalancerDoc
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		doc, err = loadBalancer(tx, c, *in.LoadBalancerArn)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.DescribeLoadBalancerAttributesOutput{Attributes: doc.attributes()}, nil
}

// ModifyLoadBalancerAttributes sets attributes of a load balancer.
func (s *Service) ModifyLoadBalancerAttributes(c *awswire.Call, in *api.ModifyLoadBalancerAttributesInput) (*api.ModifyLoadBalancerAttributesOutput, error) {
	doc, err := s.change(c, *in.LoadBalancerArn, func(d *loadBalancerDoc) error {
		for _, a := range in.Attributes {
			if err := setAttribute(&d.Attributes, d.known(), "Load balancer", value(a.Key), value(a.Value)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.ModifyLoadBalancerAttributesOutput{Attributes: doc.attributes()}, nil
}

func (d *targetGroupDoc) known() map[string]string {
	if d.application() {
		return applicationGroupAttributes
	}
	return networkGroupAttributes
}

func (d *targetGroupDoc) attributes() []api.TargetGroupAttribute {
	var all []api.TargetGroupAttribute
	eachAttribute(d.Attributes, d.known(), func(k, v *string) { all = append(all, api.TargetGroupAttribute{Key: k, Value: v}) })
	return all
}

// DescribeTargetGroupAttributes shows all attributes of a target group.
func (s *Service) DescribeTargetGroupAttributes(c *awswire.Call, in *api.DescribeTargetGroupAttributesInput) (*api.DescribeTargetGroupAttributesOutput, error) {
	var doc *targetGroupDoc
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		doc, err = targetGroup(tx, c, *in.TargetGroupArn)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.DescribeTargetGroupAttributesOutput{Attributes: doc.attributes()}, nil
}

// ModifyTargetGroupAttributes sets attributes of a target group.
func (s *Service) ModifyTargetGroupAttributes(c *awswire.Call, in *api.ModifyTargetGroupAttributesInput) (*api.ModifyTargetGroupAttributesOutput, error) {
	doc, err := s.changeGroup(c, *in.TargetGroupArn, func(d *targetGroupDoc) error {
		for _, a := range in.Attributes {
			key, v := value(a.Key), value(a.Value)
			if key == proxyProtocol && v == "true" {
				// Targets that expect the header would take nothing without it.
				return notYet("ModifyTargetGroupAttributes with " + proxyProtocol)
			}
			if err := setAttribute(&d.Attributes, d.known(), "Target group", key, v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.ModifyTargetGroupAttributesOutput{Attributes: doc.attributes()}, nil
}

func (d *listenerDoc) known() map[string]string {
	if isApplication(value(d.Protocol)) {
		return applicationListenerAttributes
	}
	return networkListenerAttributes
}

func (d *listenerDoc) attributes() []api.ListenerAttribute {
	var all []api.ListenerAttribute
	eachAttribute(d.Attributes, d.known(), func(k, v *string) { all = append(all, api.ListenerAttribute{Key: k, Value: v}) })
	return all
}

// DescribeListenerAttributes shows all attributes of a listener.
func (s *Service) DescribeListenerAttributes(c *awswire.Call, in *api.DescribeListenerAttributesInput) (*api.DescribeListenerAttributesOutput, error) {
	var doc *listenerDoc
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		doc, _, err = listener(tx, c, *in.ListenerArn)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.DescribeListenerAttributesOutput{Attributes: doc.attributes()}, nil
}

// ModifyListenerAttributes sets attributes of a listener.
func (s *Service) ModifyListenerAttributes(c *awswire.Call, in *api.ModifyListenerAttributesInput) (*api.ModifyListenerAttributesOutput, error) {
	var doc *listenerDoc
	err := s.store.Update(c, func(tx *store.Tx) error {
		d, key, err := listener(tx, c, *in.ListenerArn)
		if err != nil {
			return err
		}
		for _, a := range in.Attributes {
			if err := setAttribute(&d.Attributes, d.known(), "Listener", value(a.Key), value(a.Value)); err != nil {
				return err
			}
		}
		doc = d
		return listeners.Put(tx, scopeOf(c), d, key...)
	})
	if err != nil {
		return nil, err
	}
	return &api.ModifyListenerAttributesOutput{Attributes: doc.attributes()}, nil
}
