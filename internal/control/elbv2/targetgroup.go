package elbv2

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	api "gatehouse/internal/awsapi/elbv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// trafficPort has health checks go where requests go.
const trafficPort = "traffic-port"

// isApplication tells whether a protocol is one of application load balancers.
func isApplication(protocol string) bool {
	return protocol == api.ProtocolEnumHTTP || protocol == api.ProtocolEnumHTTPS
}

// application tells whether the group is for application load balancers.
func (d *targetGroupDoc) application() bool { return isApplication(value(d.Protocol)) }

// CreateTargetGroup makes a target group. One with the same name and settings is
// the same one.
func (s *Service) CreateTargetGroup(c *awswire.Call, in *api.CreateTargetGroupInput) (*api.CreateTargetGroupOutput, error) {
	doc, err := s.newTargetGroup(c, in)
	if err != nil {
		return nil, err
	}
	err = s.store.Update(c, func(tx *store.Tx) error {
		known, err := targetGroups.Exists(tx, scopeOf(c), *in.Name)
		if err != nil {
			return err
		}
		if !known {
			return targetGroups.Put(tx, scopeOf(c), doc, *in.Name)
		}
		old, err := targetGroups.Get(tx, scopeOf(c), *in.Name)
		if err != nil {
			return err
		}
		if value(old.Protocol) != value(doc.Protocol) || value(old.Port) != value(doc.Port) || value(old.VpcId) != value(doc.VpcId) ||
			value(old.TargetType) != value(doc.TargetType) || old.check() != doc.check() {
			return api.NewDuplicateTargetGroupNameException("A target group with the same name '" + *in.Name + "' exists, but with different settings")
		}
		doc = old
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateTargetGroupOutput{TargetGroups: []api.TargetGroup{doc.view(nil)}}, nil
}

func (s *Service) newTargetGroup(c *awswire.Call, in *api.CreateTargetGroupInput) (*targetGroupDoc, error) {
	if err := checkName("Target group", *in.Name); err != nil {
		return nil, err
	}
	kind := value(orDefault(in.TargetType, api.TargetTypeEnumInstance))
	switch kind {
	case api.TargetTypeEnumInstance, api.TargetTypeEnumIP:
	default:
		return nil, notYet("CreateTargetGroup with targetType " + kind)
	}
	if in.Protocol == nil {
		return nil, invalid("A protocol must be specified")
	}
	switch *in.Protocol {
	case api.ProtocolEnumHTTP, api.ProtocolEnumHTTPS, api.ProtocolEnumTcp, api.ProtocolEnumTLS:
	default:
		return nil, notYet("CreateTargetGroup with protocol " + *in.Protocol)
	}
	if in.Port == nil {
		return nil, invalid("A port must be specified")
	}
	if in.VpcId == nil {
		return nil, invalid("A VPC ID must be specified")
	}
	if v := value(in.ProtocolVersion); v != "" && v != "HTTP1" {
		return nil, notYet("CreateTargetGroup with protocolVersion " + v)
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	doc := &targetGroupDoc{}
	doc.TargetGroupArn, doc.TargetGroupName = new(resourceName(c, "targetgroup/"+*in.Name+"/"+id)), in.Name
	doc.Protocol, doc.Port, doc.VpcId, doc.TargetType = in.Protocol, in.Port, in.VpcId, &kind
	doc.IpAddressType = orDefault(in.IpAddressType, "ipv4")
	if doc.application() {
		doc.ProtocolVersion = orDefault(in.ProtocolVersion, "HTTP1")
	}
	if doc.Tags, err = newTags(in.Tags); err != nil {
		return nil, err
	}
	doc.HealthCheckEnabled, doc.HealthCheckProtocol, doc.HealthCheckPort = in.HealthCheckEnabled, in.HealthCheckProtocol, in.HealthCheckPort
	doc.HealthCheckPath, doc.Matcher = in.HealthCheckPath, in.Matcher
	doc.HealthCheckIntervalSeconds, doc.HealthCheckTimeoutSeconds = in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds
	doc.HealthyThresholdCount, doc.UnhealthyThresholdCount = in.HealthyThresholdCount, in.UnhealthyThresholdCount
	return doc, doc.setCheck()
}

// A check is how a group's targets are checked, for comparing.
type check struct {
	enabled                               bool
	protocol, port, path, matcher         string
	interval, timeout, healthy, unhealthy int32
}

func (d *targetGroupDoc) check() check {
	k := check{
		value(d.HealthCheckEnabled), value(d.HealthCheckProtocol), value(d.HealthCheckPort), value(d.HealthCheckPath), "",
		value(d.HealthCheckIntervalSeconds), value(d.HealthCheckTimeoutSeconds), value(d.HealthyThresholdCount), value(d.UnhealthyThresholdCount),
	}
	if d.Matcher != nil {
		k.matcher = value(d.Matcher.HttpCode)
	}
	return k
}

var validMatcher = regexp.MustCompile(`^[2-5][0-9][0-9](-[2-5][0-9][0-9])?(,[2-5][0-9][0-9](-[2-5][0-9][0-9])?)*$`)

// setCheck fills in what of the health check wasn't said, and refuses what can't be
// one.
func (d *targetGroupDoc) setCheck() error {
	d.HealthCheckEnabled = orDefault(d.HealthCheckEnabled, true)
	protocol, timeout, matcher := api.ProtocolEnumTcp, int32(10), "200-399"
	if d.application() {
		protocol, timeout, matcher = api.ProtocolEnumHTTP, 5, "200"
	}
	d.HealthCheckProtocol = orDefault(d.HealthCheckProtocol, protocol)
	byHTTP := isApplication(*d.HealthCheckProtocol)
	if byHTTP && !d.application() {
		timeout = 6
	}
	d.HealthCheckPort = orDefault(d.HealthCheckPort, trafficPort)
	d.HealthCheckIntervalSeconds = orDefault(d.HealthCheckIntervalSeconds, 30)
	d.HealthCheckTimeoutSeconds = orDefault(d.HealthCheckTimeoutSeconds, timeout)
	d.HealthyThresholdCount = orDefault(d.HealthyThresholdCount, 5)
	d.UnhealthyThresholdCount = orDefault(d.UnhealthyThresholdCount, 2)
	switch {
	case !byHTTP && d.application(), !byHTTP && *d.HealthCheckProtocol != api.ProtocolEnumTcp:
		return invalid("Health check protocol '" + *d.HealthCheckProtocol + "' is not supported for target groups with protocol '" + *d.Protocol + "'")
	case !byHTTP && (d.HealthCheckPath != nil && *d.HealthCheckPath != "" || d.Matcher != nil && value(d.Matcher.HttpCode) != ""):
		return invalid("Health check paths and matchers are not supported for health checks with protocol 'TCP'") // UNVERIFIED wording
	case *d.HealthCheckTimeoutSeconds >= *d.HealthCheckIntervalSeconds && d.application():
		return invalid(fmt.Sprintf("Health check timeout '%d' must be smaller than or equal to the interval '%d'", *d.HealthCheckTimeoutSeconds, *d.HealthCheckIntervalSeconds))
	}
	if p, err := strconv.Atoi(*d.HealthCheckPort); *d.HealthCheckPort != trafficPort && (err != nil || p < 1 || p > 65535) {
		return invalid("Health check port '" + *d.HealthCheckPort + "' must be '" + trafficPort + "' or a port")
	}
	if !byHTTP {
		d.HealthCheckPath, d.Matcher = nil, nil
		return nil
	}
	d.HealthCheckPath = orDefault(d.HealthCheckPath, "/")
	if !strings.HasPrefix(*d.HealthCheckPath, "/") || strings.ContainsFunc(*d.HealthCheckPath, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return invalid("Health check path '" + *d.HealthCheckPath + "' must begin with a '/' character")
	}
	if d.Matcher == nil || value(d.Matcher.HttpCode) == "" {
		d.Matcher = &api.Matcher{HttpCode: &matcher}
	}
	if !validMatcher.MatchString(*d.Matcher.HttpCode) {
		return invalid("Health check matcher HTTP code '" + *d.Matcher.HttpCode + "' must be within '200-599'") // UNVERIFIED wording
	}
	return nil
}

// view is a group as it is shown, with the load balancers that lead to it.
func (d *targetGroupDoc) view(users []string) api.TargetGroup {
	view := d.TargetGroup
	view.LoadBalancerArns = users
	if users == nil {
		view.LoadBalancerArns = []string{}
	}
	return view
}

// users tells which load balancers lead to each target group, by their ARNs.
func users(tx *store.Tx, s store.Scope) (map[string][]string, error) {
	all := map[string][]string{}
	note := func(loadBalancer string, actions []api.Action) {
		for _, group := range groupsOf(actions) {
			if !slices.Contains(all[group], loadBalancer) {
				all[group] = append(all[group], loadBalancer)
			}
		}
	}
	owners := map[string]string{}
	for e, err := range listeners.All(tx, s) {
		if err != nil {
			return nil, err
		}
		owners[e.ID[1]] = *e.Doc.LoadBalancerArn
		note(*e.Doc.LoadBalancerArn, e.Doc.DefaultActions)
	}
	for e, err := range rules.All(tx, s) {
		if err != nil {
			return nil, err
		}
		note(owners[e.ID[1]], e.Doc.Actions)
	}
	return all, nil
}

// DescribeTargetGroups shows target groups by name, by ARN, by load balancer or all.
func (s *Service) DescribeTargetGroups(c *awswire.Call, in *api.DescribeTargetGroupsInput) (*api.DescribeTargetGroupsOutput, error) {
	out := &api.DescribeTargetGroupsOutput{TargetGroups: []api.TargetGroup{}}
	err := s.store.View(c, func(tx *store.Tx) error {
		all, err := every(tx, scopeOf(c), targetGroups)
		if err != nil {
			return err
		}
		used, err := users(tx, scopeOf(c))
		if err != nil {
			return err
		}
		if in.LoadBalancerArn != nil {
			if _, err := loadBalancer(tx, c, *in.LoadBalancerArn); err != nil {
				return err
			}
		}
		found := map[string]bool{}
		for _, d := range all {
			name := *d.TargetGroupArn
			if len(in.Names) > 0 && !slices.Contains(in.Names, *d.TargetGroupName) ||
				len(in.TargetGroupArns) > 0 && !slices.Contains(in.TargetGroupArns, name) ||
				in.LoadBalancerArn != nil && !slices.Contains(used[name], *in.LoadBalancerArn) {
				continue
			}
			found[*d.TargetGroupName], found[name] = true, true
			out.TargetGroups = append(out.TargetGroups, d.view(used[name]))
		}
		for _, name := range append(slices.Clone(in.Names), in.TargetGroupArns...) {
			if !found[name] {
				return api.NewTargetGroupNotFoundException("One or more target groups not found")
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.TargetGroups, out.NextMarker, err = page(out.TargetGroups, func(g *api.TargetGroup) string { return *g.TargetGroupName }, in.Marker, in.PageSize)
	return out, err
}

// changeGroup edits a target group.
func (s *Service) changeGroup(c *awswire.Call, name string, edit func(*targetGroupDoc) error) (*targetGroupDoc, error) {
	var doc *targetGroupDoc
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		if doc, err = targetGroup(tx, c, name); err != nil {
			return err
		}
		if err := edit(doc); err != nil {
			return err
		}
		return targetGroups.Put(tx, scopeOf(c), doc, *doc.TargetGroupName)
	})
	return doc, err
}

// ModifyTargetGroup changes how targets are checked.
func (s *Service) ModifyTargetGroup(c *awswire.Call, in *api.ModifyTargetGroupInput) (*api.ModifyTargetGroupOutput, error) {
	doc, err := s.changeGroup(c, *in.TargetGroupArn, func(d *targetGroupDoc) error {
		set(&d.HealthCheckEnabled, in.HealthCheckEnabled)
		set(&d.HealthCheckProtocol, in.HealthCheckProtocol)
		set(&d.HealthCheckPort, in.HealthCheckPort)
		set(&d.HealthCheckPath, in.HealthCheckPath)
		set(&d.Matcher, in.Matcher)
		set(&d.HealthCheckIntervalSeconds, in.HealthCheckIntervalSeconds)
		set(&d.HealthCheckTimeoutSeconds, in.HealthCheckTimeoutSeconds)
		set(&d.HealthyThresholdCount, in.HealthyThresholdCount)
		set(&d.UnhealthyThresholdCount, in.UnhealthyThresholdCount)
		if in.HealthCheckProtocol != nil && !isApplication(*in.HealthCheckProtocol) {
			// What the former check had, the new one can't have.
			if in.HealthCheckPath == nil {
				d.HealthCheckPath = nil
			}
			if in.Matcher == nil {
				d.Matcher = nil
			}
		}
		return d.setCheck()
	})
	if err != nil {
		return nil, err
	}
	return &api.ModifyTargetGroupOutput{TargetGroups: []api.TargetGroup{doc.view(nil)}}, nil
}

// set sets what is present.
func set[T any](to **T, from *T) {
	if from != nil {
		*to = from
	}
}

// DeleteTargetGroup deletes a target group that nothing leads to. One that isn't
// there is deleted already.
func (s *Service) DeleteTargetGroup(c *awswire.Call, in *api.DeleteTargetGroupInput) (*api.DeleteTargetGroupOutput, error) {
	err := s.store.Update(c, func(tx *store.Tx) error {
		doc, err := targetGroup(tx, c, *in.TargetGroupArn)
		if isMissing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		used, err := users(tx, scopeOf(c))
		if err != nil {
			return err
		}
		if len(used[*doc.TargetGroupArn]) > 0 {
			return api.NewResourceInUseException("Target group '" + *doc.TargetGroupArn + "' is currently in use by a listener or a rule")
		}
		return targetGroups.Delete(tx, scopeOf(c), *doc.TargetGroupName)
	})
	if err != nil {
		return nil, err
	}
	return &api.DeleteTargetGroupOutput{}, nil
}
