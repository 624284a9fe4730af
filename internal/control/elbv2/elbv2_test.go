package elbv2_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"

	api "gatehouse/internal/awsapi/elbv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/balance"
	"gatehouse/internal/control/elbv2"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
)

// fixture is the service on a real store behind HTTP, with AWS's own client.
type fixture struct {
	*sdk.Client
	t        *testing.T
	balancer *balance.Balancer
	store    *store.Store
}

func newFixture(t *testing.T, dir string) *fixture {
	t.Helper()
	db, err := sqlite.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	b := balance.New(balance.Options{Probe: func(context.Context, *balance.Check, string) *balance.Failure { return nil }})
	directory := &elbv2.Directory{Balancer: b}
	documents, err := store.Open(t.Context(), db, store.Options{Prepare: directory.Prepare})
	if err != nil {
		t.Fatal(err)
	}
	if err := documents.View(t.Context(), directory.Load); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(awswire.NewHandler(awswire.Options{
		Services: []*awswire.Service{api.NewService(elbv2.New(elbv2.Options{Store: documents, Health: b}))},
		Auth:     awswire.Auth{Open: true}, Account: "123456789012", Region: "us-east-1",
	}))
	t.Cleanup(func() {
		server.Close()
		b.Close()
		if err := errors.Join(documents.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return &fixture{t: t, balancer: b, store: documents, Client: sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})}
}

func must[T any](out T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func (f *fixture) loadBalancer(name string, kind types.LoadBalancerTypeEnum) *string {
	f.t.Helper()
	return must(f.CreateLoadBalancer(f.t.Context(), &sdk.CreateLoadBalancerInput{Name: &name, Type: kind, Subnets: []string{"a", "b"}}))(f.t).LoadBalancers[0].LoadBalancerArn
}

func (f *fixture) targetGroup(name string, protocol types.ProtocolEnum, kind types.TargetTypeEnum) *string {
	f.t.Helper()
	return must(f.CreateTargetGroup(f.t.Context(), &sdk.CreateTargetGroupInput{
		Name: &name, Protocol: protocol, Port: new(int32(80)), VpcId: new("vpc-1"), TargetType: kind,
	}))(f.t).TargetGroups[0].TargetGroupArn
}

func forward(group *string) []types.Action {
	return []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: group}}
}

// What a target group has that its maker didn't say is what AWS gives it.
func TestTargetGroupDefaults(t *testing.T) {
	f := newFixture(t, t.TempDir())
	for _, test := range []struct {
		protocol types.ProtocolEnum
		check    types.ProtocolEnum
		want     string
	}{
		{"HTTP", "", "HTTP traffic-port / 200 30 5 5 2"},
		{"HTTPS", "HTTPS", "HTTPS traffic-port / 200 30 5 5 2"},
		{"TCP", "", "TCP traffic-port   30 10 5 2"},
		{"TLS", "HTTP", "HTTP traffic-port / 200-399 30 6 5 2"},
	} {
		g := must(f.CreateTargetGroup(t.Context(), &sdk.CreateTargetGroupInput{
			Name: new("g-" + string(test.protocol)), Protocol: test.protocol, Port: new(int32(80)), VpcId: new("vpc-1"), TargetType: "ip", HealthCheckProtocol: test.check,
		}))(t).TargetGroups[0]
		path, matcher := "", ""
		if g.HealthCheckPath != nil {
			path, matcher = *g.HealthCheckPath, *g.Matcher.HttpCode
		}
		got := fmt.Sprint(g.HealthCheckProtocol, " ", *g.HealthCheckPort, " ", path, " ", matcher, " ", *g.HealthCheckIntervalSeconds, *g.HealthCheckTimeoutSeconds, *g.HealthyThresholdCount, *g.UnhealthyThresholdCount)
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.protocol, got, test.want)
		}
		attributes := must(f.DescribeTargetGroupAttributes(t.Context(), &sdk.DescribeTargetGroupAttributesInput{TargetGroupArn: g.TargetGroupArn}))(t).Attributes
		if len(attributes) < 10 {
			t.Errorf("%s has %d attributes", test.protocol, len(attributes))
		}
	}
}

func TestRefusals(t *testing.T) {
	f := newFixture(t, t.TempDir())
	ctx := t.Context()
	app, network := f.loadBalancer("app", "application"), f.loadBalancer("net", "network")
	http, tcp, instances := f.targetGroup("http", "HTTP", "ip"), f.targetGroup("tcp", "TCP", "ip"), f.targetGroup("instances", "HTTP", "instance")
	listener := must(f.CreateListener(ctx, &sdk.CreateListenerInput{LoadBalancerArn: app, Protocol: "HTTP", Port: new(int32(80)), DefaultActions: forward(http)}))(t).Listeners[0].ListenerArn
	plain := must(f.CreateListener(ctx, &sdk.CreateListenerInput{LoadBalancerArn: network, Protocol: "TCP", Port: new(int32(80)), DefaultActions: forward(tcp)}))(t).Listeners[0].ListenerArn
	defaultRule := must(f.DescribeRules(ctx, &sdk.DescribeRulesInput{ListenerArn: listener}))(t).Rules[0].RuleArn
	other := func(name *string) *string { return new(strings.Replace(*name, "123456789012", "111111111111", 1)) }
	lb := func(change func(*sdk.CreateLoadBalancerInput)) error {
		in := &sdk.CreateLoadBalancerInput{Name: new("x"), Subnets: []string{"a", "b"}}
		change(in)
		_, err := f.CreateLoadBalancer(ctx, in)
		return err
	}
	tg := func(change func(*sdk.CreateTargetGroupInput)) error {
		in := &sdk.CreateTargetGroupInput{Name: new("x"), Protocol: "HTTP", Port: new(int32(80)), VpcId: new("v"), TargetType: "ip"}
		change(in)
		_, err := f.CreateTargetGroup(ctx, in)
		return err
	}
	listen := func(change func(*sdk.CreateListenerInput)) error {
		in := &sdk.CreateListenerInput{LoadBalancerArn: app, Protocol: "HTTP", Port: new(int32(81)), DefaultActions: forward(http)}
		change(in)
		_, err := f.CreateListener(ctx, in)
		return err
	}
	ruled := func(change func(*sdk.CreateRuleInput)) error {
		in := &sdk.CreateRuleInput{ListenerArn: listener, Priority: new(int32(1)), Actions: forward(http), Conditions: []types.RuleCondition{{Field: new("path-pattern"), Values: []string{"/x"}}}}
		change(in)
		_, err := f.CreateRule(ctx, in)
		return err
	}
	register := func(group *string, id string) error {
		_, err := f.RegisterTargets(ctx, &sdk.RegisterTargetsInput{TargetGroupArn: group, Targets: []types.TargetDescription{{Id: &id}}})
		return err
	}
	only := func(_ any, err error) error { return err }
	for _, test := range []struct {
		name        string
		err         error
		code, words string
	}{
		{"name", lb(func(in *sdk.CreateLoadBalancerInput) { in.Name = new("a_b") }), "ValidationError", "can only contain"},
		{"long name", lb(func(in *sdk.CreateLoadBalancerInput) { in.Name = new(strings.Repeat("a", 33)) }), "ValidationError", "cannot be longer than '32'"},
		{"one subnet", lb(func(in *sdk.CreateLoadBalancerInput) { in.Subnets = []string{"a"} }), "ValidationError", "At least two subnets"},
		{"gateway", lb(func(in *sdk.CreateLoadBalancerInput) { in.Type = "gateway" }), "NotImplementedException", "gateway"},
		{"a name with other settings", lb(func(in *sdk.CreateLoadBalancerInput) { in.Name = new("app"); in.Scheme = "internal" }), "DuplicateLoadBalancerName", "different settings"},
		{"unknown load balancer", only(f.DescribeLoadBalancers(ctx, &sdk.DescribeLoadBalancersInput{Names: []string{"nope"}})), "LoadBalancerNotFound", "not found"},
		{"another account's", only(f.SetSubnets(ctx, &sdk.SetSubnetsInput{LoadBalancerArn: other(app), Subnets: []string{"a", "b"}})), "LoadBalancerNotFound", "not found"},
		{"attribute", only(f.ModifyLoadBalancerAttributes(ctx, &sdk.ModifyLoadBalancerAttributesInput{LoadBalancerArn: app, Attributes: []types.LoadBalancerAttribute{{Key: new("x"), Value: new("1")}}})), "ValidationError", "attribute key 'x' is not recognized"},

		{"no port", tg(func(in *sdk.CreateTargetGroupInput) { in.Port = nil }), "ValidationError", "port"},
		{"function", tg(func(in *sdk.CreateTargetGroupInput) { in.TargetType = "lambda" }), "NotImplementedException", "lambda"},
		{"UDP", tg(func(in *sdk.CreateTargetGroupInput) { in.Protocol = "UDP" }), "NotImplementedException", "UDP"},
		{"check by TCP for HTTP", tg(func(in *sdk.CreateTargetGroupInput) { in.HealthCheckProtocol = "TCP" }), "ValidationError", "not supported"},
		{"matcher", tg(func(in *sdk.CreateTargetGroupInput) { in.Matcher = &types.Matcher{HttpCode: new("20x")} }), "ValidationError", "matcher"},
		{"path", tg(func(in *sdk.CreateTargetGroupInput) { in.HealthCheckPath = new("x y") }), "ValidationError", "path"},
		{"check port", tg(func(in *sdk.CreateTargetGroupInput) { in.HealthCheckPort = new("http") }), "ValidationError", "port"},
		{"a name with another port", tg(func(in *sdk.CreateTargetGroupInput) { in.Name = new("http"); in.Port = new(int32(81)) }), "DuplicateTargetGroupName", "different settings"},
		{"in use", only(f.DeleteTargetGroup(ctx, &sdk.DeleteTargetGroupInput{TargetGroupArn: http})), "ResourceInUse", "currently in use"},
		{"PROXY headers", only(f.ModifyTargetGroupAttributes(ctx, &sdk.ModifyTargetGroupAttributesInput{TargetGroupArn: tcp, Attributes: []types.TargetGroupAttribute{{Key: new("proxy_protocol_v2.enabled"), Value: new("true")}}})), "NotImplementedException", "proxy_protocol"},

		{"target that is a name", register(http, "localhost"), "ValidationError", "not a valid"},
		{"target everywhere", register(http, "0.0.0.0"), "ValidationError", "not a valid"},
		{"instance", register(instances, "i-1"), "InvalidTarget", "not in a running state"},
		{"unknown group", register(other(http), "127.0.0.1"), "TargetGroupNotFound", "not found"},

		{"port in use", listen(func(in *sdk.CreateListenerInput) { in.Port = new(int32(80)) }), "DuplicateListener", "already exists on this port"},
		{"protocol", listen(func(in *sdk.CreateListenerInput) { in.Protocol = "TCP" }), "ValidationError", "must be one of 'HTTP, HTTPS'"},
		{"no certificate", listen(func(in *sdk.CreateListenerInput) { in.Protocol = "HTTPS" }), "ValidationError", "certificate must be specified"},
		{"group of the other kind", listen(func(in *sdk.CreateListenerInput) { in.DefaultActions = forward(tcp) }), "IncompatibleProtocols", "not compatible"},
		{"no action", listen(func(in *sdk.CreateListenerInput) { in.DefaultActions = []types.Action{} }), "ValidationError", ""},
		{"fixed response of a network load balancer", listen(func(in *sdk.CreateListenerInput) {
			in.LoadBalancerArn, in.Protocol = network, "TCP"
			in.DefaultActions = []types.Action{{Type: "fixed-response", FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: new("200")}}}
		}), "InvalidLoadBalancerAction", "not supported"},
		{"authentication", listen(func(in *sdk.CreateListenerInput) {
			in.DefaultActions = []types.Action{{Type: "authenticate-cognito"}, forward(http)[0]}
		}), "NotImplementedException", "authenticate-cognito"},
		{"redirect to itself", listen(func(in *sdk.CreateListenerInput) {
			in.DefaultActions = []types.Action{{Type: "redirect", RedirectConfig: &types.RedirectActionConfig{StatusCode: "HTTP_301"}}}
		}), "InvalidLoadBalancerAction", "must change"},
		{"redirect with a line break", listen(func(in *sdk.CreateListenerInput) {
			in.DefaultActions = []types.Action{{Type: "redirect", RedirectConfig: &types.RedirectActionConfig{StatusCode: "HTTP_301", Path: new("/a\r\nSet-Cookie: x")}}}
		}), "ValidationError", "can't hold"},

		{"redirect to a relative path", listen(func(in *sdk.CreateListenerInput) {
			in.DefaultActions = []types.Action{{Type: "redirect", RedirectConfig: &types.RedirectActionConfig{StatusCode: "HTTP_301", Path: new("x.test/")}}}
		}), "ValidationError", "must begin with '/'"},
		{"redirect to no port", listen(func(in *sdk.CreateListenerInput) {
			in.DefaultActions = []types.Action{{Type: "redirect", RedirectConfig: &types.RedirectActionConfig{StatusCode: "HTTP_301", Port: new("65536")}}}
		}), "ValidationError", "between 1 and 65535"},
		{"protection that isn't", only(f.ModifyLoadBalancerAttributes(ctx, &sdk.ModifyLoadBalancerAttributesInput{
			LoadBalancerArn: app, Attributes: []types.LoadBalancerAttribute{{Key: new("deletion_protection.enabled"), Value: new("True")}},
		})), "ValidationError", "invalid value 'True'"},
		{"timeout out of its range", only(f.ModifyLoadBalancerAttributes(ctx, &sdk.ModifyLoadBalancerAttributesInput{
			LoadBalancerArn: app, Attributes: []types.LoadBalancerAttribute{{Key: new("idle_timeout.timeout_seconds"), Value: new("4001")}},
		})), "ValidationError", "invalid value '4001'"},

		{"rule of a network load balancer", ruled(func(in *sdk.CreateRuleInput) { in.ListenerArn = plain }), "UnsupportedProtocol", "Network Load Balancer"},
		{"priority", ruled(func(in *sdk.CreateRuleInput) { in.Priority = new(int32(50001)) }), "ValidationError", ""},
		{"field", ruled(func(in *sdk.CreateRuleInput) { in.Conditions[0].Field = new("moon") }), "ValidationError", "must be one of"},
		{"values", ruled(func(in *sdk.CreateRuleInput) { in.Conditions[0].Values = strings.Split("abcdef", "") }), "ValidationError", "'5' condition values"},
		{"network", ruled(func(in *sdk.CreateRuleInput) {
			in.Conditions = []types.RuleCondition{{Field: new("source-ip"), SourceIpConfig: &types.SourceIpConditionConfig{Values: []string{"10.0.0.1"}}}}
		}), "ValidationError", "must be one of"},
		{"changing the default rule", only(f.ModifyRule(ctx, &sdk.ModifyRuleInput{RuleArn: defaultRule, Actions: forward(http)})), "OperationNotPermitted", "cannot be modified"},
		{"deleting the default rule", only(f.DeleteRule(ctx, &sdk.DeleteRuleInput{RuleArn: defaultRule})), "OperationNotPermitted", "cannot be deleted"},
		{"tags of nothing", only(f.DescribeTags(ctx, &sdk.DescribeTagsInput{ResourceArns: []string{"x"}})), "ValidationError", "not a valid"},
		{"tag twice", only(f.AddTags(ctx, &sdk.AddTagsInput{ResourceArns: []string{*app}, Tags: []types.Tag{{Key: new("a")}, {Key: new("a")}}})), "DuplicateTagKeys", "unique"},
	} {
		var e smithy.APIError
		if !errors.As(test.err, &e) || e.ErrorCode() != test.code || !strings.Contains(e.ErrorMessage(), test.words) {
			t.Errorf("%s: got %v, want %s: %s", test.name, test.err, test.code, test.words)
		}
	}
	if n := len(must(f.DescribeLoadBalancers(ctx, &sdk.DescribeLoadBalancersInput{}))(t).LoadBalancers); n != 2 {
		t.Errorf("%d load balancers after refusals", n)
	}
}

// Everything is there again after a restart, and the balancer knows it.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	var listener, group, rule string
	t.Run("before", func(t *testing.T) {
		f := newFixture(t, dir)
		lb := f.loadBalancer("app", "application")
		group = *f.targetGroup("http", "HTTP", "ip")
		listener = *must(f.CreateListener(t.Context(), &sdk.CreateListenerInput{LoadBalancerArn: lb, Protocol: "HTTP", Port: new(int32(80)), DefaultActions: forward(&group)}))(t).Listeners[0].ListenerArn
		must(f.RegisterTargets(t.Context(), &sdk.RegisterTargetsInput{TargetGroupArn: &group, Targets: []types.TargetDescription{{Id: new("127.0.0.1")}, {Id: new("::1"), Port: new(int32(8080))}}}))(t)
		rule = *must(f.CreateRule(t.Context(), &sdk.CreateRuleInput{
			ListenerArn: &listener, Priority: new(int32(5)), Conditions: []types.RuleCondition{{Field: new("host-header"), Values: []string{"*.test"}}},
			Actions: []types.Action{{Type: "fixed-response", FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: new("204")}}}, Tags: []types.Tag{{Key: new("k"), Value: new("v")}},
		}))(t).Rules[0].RuleArn
	})
	f := newFixture(t, dir)
	l := f.balancer.Listener(listener)
	if l == nil || !l.Application || !l.HasRules() {
		t.Fatalf("the listener is %+v", l)
	}
	if got := l.Route(&balance.Request{Host: "a.test"}); got.Fixed == nil || got.Fixed.Status != 204 {
		t.Errorf("the rule leads to %+v", got)
	}
	g := l.Route(&balance.Request{Host: "a.example"}).Group
	if g == nil {
		t.Fatal("the default leads nowhere")
	}
	a := g.Pick(time.Now())
	b := g.Pick(time.Now(), a)
	if a == nil || b == nil || a.Addr == b.Addr || a.Addr+b.Addr != "127.0.0.1:80[::1]:8080" && b.Addr+a.Addr != "127.0.0.1:80[::1]:8080" {
		t.Errorf("targets %v, %v", a, b)
	}
	tags := must(f.DescribeTags(t.Context(), &sdk.DescribeTagsInput{ResourceArns: []string{rule}}))(t).TagDescriptions
	if len(tags) != 1 || len(tags[0].Tags) != 1 {
		t.Errorf("tags %+v", tags)
	}
	must(f.DeregisterTargets(t.Context(), &sdk.DeregisterTargetsInput{TargetGroupArn: &group, Targets: []types.TargetDescription{{Id: new("::1")}}}))(t)
	health := must(f.DescribeTargetHealth(t.Context(), &sdk.DescribeTargetHealthInput{TargetGroupArn: &group, Targets: []types.TargetDescription{{Id: new("::1"), Port: new(int32(8080))}}}))(t).TargetHealthDescriptions[0].TargetHealth
	if health.State != "unused" || health.Reason != "Target.NotRegistered" {
		t.Errorf("a target that is gone is %s, %s", health.State, health.Reason)
	}
	if all := must(f.DescribeTargetHealth(t.Context(), &sdk.DescribeTargetHealthInput{TargetGroupArn: &group}))(t).TargetHealthDescriptions; len(all) != 1 {
		t.Errorf("%d targets", len(all))
	}
}

// Pages follow their markers.
// What the balancer was told change by change is what it is told at a start.
func TestChangesAndStart(t *testing.T) {
	f := newFixture(t, t.TempDir())
	ctx := t.Context()
	app, other := f.loadBalancer("app", "application"), f.loadBalancer("other", "application")
	check := func(after string) {
		t.Helper()
		started := balance.New(balance.Options{Probe: func(context.Context, *balance.Check, string) *balance.Failure { return nil }})
		defer started.Close()
		if err := f.store.View(ctx, (&elbv2.Directory{Balancer: started}).Load); err != nil {
			t.Fatal(err)
		}
		shown := func(b *balance.Balancer) string {
			var text strings.Builder
			for _, c := range b.Counts() {
				if c.State == balance.Unused {
					fmt.Fprintln(&text, c.Group, c.N, "unused")
				}
			}
			for _, lb := range []*string{app, other} {
				l := b.At(balance.Port{LoadBalancer: *lb, Port: 1})
				if l == nil {
					continue
				}
				for _, path := range []string{"/a", "/b", "/c"} {
					to := l.Route(&balance.Request{Method: "GET", Path: path})
					if to.Fixed != nil {
						fmt.Fprintln(&text, *lb, path, to.Fixed.Body)
					} else {
						fmt.Fprintln(&text, *lb, path, to.Group.Key)
					}
				}
			}
			return text.String()
		}
		if got, want := shown(f.balancer), shown(started); got != want {
			t.Errorf("after %s:\n%s\nand at a start:\n%s", after, got, want)
		}
	}
	one, two := f.targetGroup("one", "HTTP", "ip"), f.targetGroup("two", "HTTP", "ip")
	targets := []types.TargetDescription{{Id: new("10.0.0.1")}, {Id: new("10.0.0.2")}}
	for _, group := range []*string{one, two} {
		must(f.RegisterTargets(ctx, &sdk.RegisterTargetsInput{TargetGroupArn: group, Targets: targets}))(t)
	}
	check("groups")
	var rules []string
	for _, lb := range []*string{app, other} {
		l := must(f.CreateListener(ctx, &sdk.CreateListenerInput{LoadBalancerArn: lb, Protocol: "HTTP", Port: new(int32(1)), DefaultActions: forward(one)}))(t).Listeners[0].ListenerArn
		for n, path := range []string{"/a", "/b", "/*"} {
			rules = append(rules, *must(f.CreateRule(ctx, &sdk.CreateRuleInput{
				ListenerArn: l, Priority: new(int32(n + 1)), Conditions: []types.RuleCondition{{Field: new("path-pattern"), Values: []string{path}}},
				Actions: []types.Action{{Type: "fixed-response", FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: new("200"), MessageBody: new(path)}}},
			}))(t).Rules[0].RuleArn)
		}
	}
	check("listeners and rules")
	must(f.SetRulePriorities(ctx, &sdk.SetRulePrioritiesInput{RulePriorities: []types.RulePriorityPair{{RuleArn: &rules[0], Priority: new(int32(9))}}}))(t)
	check("another order")
	must(f.ModifyRule(ctx, &sdk.ModifyRuleInput{RuleArn: &rules[1], Actions: forward(two)}))(t)
	check("a group in use")
	must(f.DeleteRule(ctx, &sdk.DeleteRuleInput{RuleArn: &rules[1]}))(t)
	check("a rule less")
	must(f.DeregisterTargets(ctx, &sdk.DeregisterTargetsInput{TargetGroupArn: two, Targets: targets[:1]}))(t)
	check("a target less")
	must(f.DeleteLoadBalancer(ctx, &sdk.DeleteLoadBalancerInput{LoadBalancerArn: app}))(t)
	check("a load balancer less")
	must(f.DeleteTargetGroup(ctx, &sdk.DeleteTargetGroupInput{TargetGroupArn: two}))(t)
	check("a group less")
	must(f.DeleteLoadBalancer(ctx, &sdk.DeleteLoadBalancerInput{LoadBalancerArn: other}))(t)
	check("none")
	if len(f.balancer.Counts()) == 0 {
		t.Error("nothing is left to count")
	}
}

// Metrics of groups that have the same name elsewhere aren't the same.
func TestCountsOfRegions(t *testing.T) {
	f := newFixture(t, t.TempDir())
	want := []balance.Count{}
	for _, region := range []string{"eu-west-1", "us-east-1"} {
		out := must(f.CreateTargetGroup(t.Context(), &sdk.CreateTargetGroupInput{
			Name: new("pets"), Protocol: types.ProtocolEnumHttp, Port: new(int32(80)), VpcId: new("vpc-1"), TargetType: types.TargetTypeEnumIp,
		}, func(o *sdk.Options) { o.Region = region }))(t)
		name := *out.TargetGroups[0].TargetGroupArn
		name = name[strings.Index(name, "targetgroup/"):]
		want = append(want, balance.Count{Group: name, State: balance.Healthy}, balance.Count{Group: name, State: balance.Unhealthy})
	}
	if got := f.balancer.Counts(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestPages(t *testing.T) {
	f := newFixture(t, t.TempDir())
	for _, name := range []string{"a", "b", "c"} {
		f.loadBalancer(name, "network")
	}
	first := must(f.DescribeLoadBalancers(t.Context(), &sdk.DescribeLoadBalancersInput{PageSize: new(int32(2))}))(t)
	second := must(f.DescribeLoadBalancers(t.Context(), &sdk.DescribeLoadBalancersInput{PageSize: new(int32(2)), Marker: first.NextMarker}))(t)
	if len(first.LoadBalancers) != 2 || len(second.LoadBalancers) != 1 || *second.LoadBalancers[0].LoadBalancerName != "c" || second.NextMarker != nil {
		t.Errorf("pages %d, %d", len(first.LoadBalancers), len(second.LoadBalancers))
	}
}
