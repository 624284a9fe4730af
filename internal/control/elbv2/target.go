package elbv2

import (
	"fmt"
	"net/netip"
	"slices"

	api "gatehouse/internal/awsapi/elbv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/balance"
	"gatehouse/internal/store"
)

// maxTargets is how many targets a group has, by AWS's default quota.
const maxTargets = 1000

// port is a target's, which is the group's unless it has its own.
func (d *targetGroupDoc) port(t *api.TargetDescription) int32 {
	return value(orDefault(t.Port, value(d.Port)))
}

// key names a target in its group.
func (d *targetGroupDoc) key(t *api.TargetDescription) string {
	return fmt.Sprintf("%s|%d", value(t.Id), d.port(t))
}

// RegisterTargets adds targets. An address is any that the gateway reaches,
// loopback included.
func (s *Service) RegisterTargets(c *awswire.Call, in *api.RegisterTargetsInput) (*api.RegisterTargetsOutput, error) {
	_, err := s.changeGroup(c, *in.TargetGroupArn, func(d *targetGroupDoc) error {
		targets := slices.Clone(d.Targets)
		for _, t := range in.Targets {
			if err := d.checkTarget(&t); err != nil {
				return err
			}
			t.Port = new(d.port(&t))
			if !slices.ContainsFunc(targets, func(o api.TargetDescription) bool { return d.key(&o) == d.key(&t) }) {
				targets = append(targets, t)
			}
		}
		if len(targets) > maxTargets {
			return api.NewTooManyTargetsException(fmt.Sprintf("The maximum number of targets per target group is '%d'", maxTargets))
		}
		d.Targets = targets
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.RegisterTargetsOutput{}, nil
}

func (d *targetGroupDoc) checkTarget(t *api.TargetDescription) error {
	id := value(t.Id)
	if *d.TargetType == api.TargetTypeEnumInstance {
		return api.NewInvalidTargetException("The following targets are not in a running state and cannot be registered: '" + id + "'")
	}
	addr, err := netip.ParseAddr(id)
	if err != nil || addr.Zone() != "" || addr.IsUnspecified() || addr.IsMulticast() {
		return invalid("The IP address '" + id + "' is not a valid IPv4 or IPv6 address") // UNVERIFIED wording
	}
	if p := d.port(t); p < 1 || p > 65535 {
		return invalid(fmt.Sprintf("Target port '%d' must be between 1 and 65535", p)) // UNVERIFIED wording
	}
	return nil
}

// DeregisterTargets takes targets out. Requests under way end as they do.
func (s *Service) DeregisterTargets(c *awswire.Call, in *api.DeregisterTargetsInput) (*api.DeregisterTargetsOutput, error) {
	_, err := s.changeGroup(c, *in.TargetGroupArn, func(d *targetGroupDoc) error {
		var left []api.TargetDescription
		for _, t := range d.Targets {
			named := slices.ContainsFunc(in.Targets, func(o api.TargetDescription) bool {
				// Without a port, every registration of the address is meant.
				return value(o.Id) == value(t.Id) && (o.Port == nil || *o.Port == d.port(&t))
			})
			if !named {
				left = append(left, t)
			}
		}
		d.Targets = left
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.DeregisterTargetsOutput{}, nil
}

// DescribeTargetHealth tells how targets are.
func (s *Service) DescribeTargetHealth(c *awswire.Call, in *api.DescribeTargetHealthInput) (*api.DescribeTargetHealthOutput, error) {
	var doc *targetGroupDoc
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		doc, err = targetGroup(tx, c, *in.TargetGroupArn)
		return err
	})
	if err != nil {
		return nil, err
	}
	health := s.health.Health(*in.TargetGroupArn)
	targets := doc.Targets
	if len(in.Targets) > 0 {
		targets = in.Targets
	}
	out := &api.DescribeTargetHealthOutput{TargetHealthDescriptions: []api.TargetHealthDescription{}}
	for _, t := range targets {
		h, ok := health[doc.key(&t)]
		if !ok {
			h = balance.Health{State: balance.Unused, Reason: "Target.NotRegistered", Description: "Target is not registered to the target group"}
		}
		t.Port = new(doc.port(&t))
		d := api.TargetHealthDescription{Target: new(t), HealthCheckPort: new(doc.checkPort(&t)), TargetHealth: &api.TargetHealth{State: new(string(h.State))}}
		if h.Reason != "" {
			d.TargetHealth.Reason, d.TargetHealth.Description = &h.Reason, &h.Description
		}
		out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, d)
	}
	return out, nil
}

// checkPort is where a target is checked.
func (d *targetGroupDoc) checkPort(t *api.TargetDescription) string {
	if p := value(d.HealthCheckPort); p != trafficPort {
		return p
	}
	return fmt.Sprint(d.port(t))
}
