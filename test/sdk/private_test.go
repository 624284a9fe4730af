package sdk

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	apigatewaytypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	sdtypes "github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"gatehouse/test/harness"
)

// A target is a backend behind a load balancer, which can die and come back.
type target struct {
	name, addr string
	server     *httptest.Server
}

func newTarget(t *testing.T, name, addr string) *target {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	b := &target{name: name, addr: l.Addr().String(), server: httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Target", name)
		_ = json.NewEncoder(w).Encode(map[string]string{"target": name, "path": r.URL.RequestURI(), "host": r.Host, "for": r.Header.Get("X-Forwarded-For")})
	}))}
	_ = b.server.Listener.Close()
	b.server.Listener = l
	b.server.Start()
	t.Cleanup(b.server.Close)
	return b
}

func (b *target) port(t *testing.T) *int32 {
	t.Helper()
	_, port, err := net.SplitHostPort(b.addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return new(int32(n))
}

// A privateNetwork is a gateway with a load balancer in it, made by the provider's
// calls.
type privateNetwork struct {
	*harness.Gateway
	t    *testing.T
	gw   *apigatewayv2.Client
	elb  *elb.Client
	rest *apigateway.Client
	sd   *servicediscovery.Client
	link *string
}

func newPrivateNetwork(t *testing.T) *privateNetwork {
	t.Helper()
	g := harness.Start(t, "")
	c := g.Config()
	n := &privateNetwork{
		Gateway: g, t: t, gw: apigatewayv2.NewFromConfig(c), elb: elb.NewFromConfig(c), rest: apigateway.NewFromConfig(c), sd: servicediscovery.NewFromConfig(c),
	}
	n.link = must(n.gw.CreateVpcLink(t.Context(), &apigatewayv2.CreateVpcLinkInput{
		Name: new("link"), SubnetIds: []string{"subnet-1", "subnet-2"}, SecurityGroupIds: []string{"sg-1"}, Tags: map[string]string{"a": "b"},
	}))(t).VpcLinkId
	return n
}

// balancer makes a load balancer with a listener on port 80 and the targets.
func (n *privateNetwork) balancer(name string, kind elbtypes.LoadBalancerTypeEnum, targets ...*target) (loadBalancer, group, listener string) {
	t, ctx := n.t, n.t.Context()
	t.Helper()
	_, err := n.elb.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{Names: []string{name}})
	fails(t, err, "LoadBalancerNotFound")
	lb := must(n.elb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		Name: &name, Type: kind, Scheme: elbtypes.LoadBalancerSchemeEnumInternal, Subnets: []string{"subnet-1", "subnet-2"}, Tags: []elbtypes.Tag{{Key: new("k"), Value: new("v")}},
	}))(t).LoadBalancers[0]
	loadBalancer = *lb.LoadBalancerArn
	must(n.elb.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: &loadBalancer, Attributes: []elbtypes.LoadBalancerAttribute{{Key: new("deletion_protection.enabled"), Value: new("false")}},
	}))(t)
	if got := must(n.elb.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{loadBalancer}}))(t).LoadBalancers[0]; got.State.Code != elbtypes.LoadBalancerStateEnumActive {
		t.Errorf("the load balancer is %s", got.State.Code)
	}
	protocol, check := elbtypes.ProtocolEnumHttp, elbtypes.ProtocolEnumHttp
	if kind == elbtypes.LoadBalancerTypeEnumNetwork {
		protocol, check = elbtypes.ProtocolEnumTcp, elbtypes.ProtocolEnumTcp
	}
	tg := must(n.elb.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: new(name + "-tg"), Protocol: protocol, Port: new(int32(80)), VpcId: new("vpc-1"), TargetType: elbtypes.TargetTypeEnumIp, HealthCheckProtocol: check,
		HealthCheckIntervalSeconds: new(int32(5)), HealthCheckTimeoutSeconds: new(int32(2)), HealthyThresholdCount: new(int32(2)),
	}))(t).TargetGroups[0]
	group = *tg.TargetGroupArn
	must(n.elb.ModifyTargetGroupAttributes(ctx, &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: &group, Attributes: []elbtypes.TargetGroupAttribute{{Key: new("deregistration_delay.timeout_seconds"), Value: new("30")}},
	}))(t)
	listener = *must(n.elb.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: &loadBalancer, Port: new(int32(80)), Protocol: protocol,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &group}},
	}))(t).Listeners[0].ListenerArn
	for _, b := range targets {
		must(n.elb.RegisterTargets(ctx, &elb.RegisterTargetsInput{
			TargetGroupArn: &group, Targets: []elbtypes.TargetDescription{{Id: new("127.0.0.1"), Port: b.port(t)}},
		}))(t)
	}
	return loadBalancer, group, listener
}

// api makes an HTTP API whose stages are $default and test.
func (n *privateNetwork) api(uri string) (id string) {
	t, ctx := n.t, n.t.Context()
	t.Helper()
	id = *must(n.gw.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: new("private"), ProtocolType: types.ProtocolTypeHttp}))(t).ApiId
	in := must(n.gw.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{
		ApiId: &id, IntegrationType: types.IntegrationTypeHttpProxy, IntegrationMethod: new("ANY"), ConnectionType: types.ConnectionTypeVpcLink,
		ConnectionId: n.link, IntegrationUri: &uri, PayloadFormatVersion: new("1.0"),
	}))(t)
	must(n.gw.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: &id, RouteKey: new("ANY /{proxy+}"), Target: new("integrations/" + *in.IntegrationId)}))(t)
	for _, stage := range []string{"$default", "test"} {
		must(n.gw.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: &id, StageName: &stage, AutoDeploy: new(true)}))(t)
	}
	return id
}

// get asks an API and returns the status and what the target, or who answers in
// its place, says.
func (n *privateNetwork) get(id, path string) (status int, header http.Header, body string) {
	n.t.Helper()
	r, err := http.NewRequestWithContext(n.t.Context(), http.MethodGet, n.URL+path, http.NoBody)
	if err != nil {
		n.t.Fatal(err)
	}
	r.Host = id + ".execute-api.localhost"
	r.Header.Set("X-Forwarded-For", "192.0.2.1")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // nothing to do about it
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

// targets are those that some requests reached, in order.
func (n *privateNetwork) targets(id string) string {
	var all []string
	for range 8 {
		status, header, body := n.get(id, "/x")
		if status != http.StatusOK {
			n.t.Fatalf("status %d: %s", status, body)
		}
		if name := header.Get("X-Target"); !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// become waits until a target's health is something.
func (n *privateNetwork) become(group string, b *target, want elbtypes.TargetHealthStateEnum) {
	n.t.Helper()
	for {
		d := must(n.elb.DescribeTargetHealth(n.t.Context(), &elb.DescribeTargetHealthInput{
			TargetGroupArn: &group, Targets: []elbtypes.TargetDescription{{Id: new("127.0.0.1"), Port: b.port(n.t)}},
		}))(n.t).TargetHealthDescriptions[0]
		if d.TargetHealth.State == want {
			return
		}
		select {
		case <-n.t.Context().Done():
			n.t.Fatalf("%s is %s, not %s", b.name, d.TargetHealth.State, want)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// What Terraform makes and destroys for an HTTP API with an application load
// balancer behind it, with targets that die and come back in between.
func TestPrivateIntegration(t *testing.T) {
	t.Parallel()
	n := newPrivateNetwork(t)
	ctx := t.Context()
	a, b := newTarget(t, "a", "127.0.0.1:0"), newTarget(t, "b", "127.0.0.1:0")
	loadBalancer, group, listener := n.balancer("app", elbtypes.LoadBalancerTypeEnumApplication, a, b)
	id := n.api(listener)

	link := must(n.gw.GetVpcLink(ctx, &apigatewayv2.GetVpcLinkInput{VpcLinkId: n.link}))(t)
	if link.VpcLinkStatus != types.VpcLinkStatusAvailable || link.VpcLinkVersion != types.VpcLinkVersionV2 || link.Tags["a"] != "b" {
		t.Errorf("link %+v", link)
	}
	status, _, body := n.get(id, "/test/pets?kind=dog")
	var got map[string]string
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != http.StatusOK {
		t.Fatalf("status %d: %s", status, body)
	}
	if got["path"] != "/test/pets?kind=dog" || got["host"] != id+".execute-api.localhost" || got["for"] != "192.0.2.1, 127.0.0.1" {
		t.Errorf("the target got %v", got)
	}
	if got := n.targets(id); got != "a b" {
		t.Errorf("requests reached %q", got)
	}

	n.become(group, a, elbtypes.TargetHealthStateEnumHealthy)
	a.server.Close()
	if got := n.targets(id); got != "b" {
		t.Errorf("with a dead target, requests reached %q", got)
	}
	n.become(group, a, elbtypes.TargetHealthStateEnumUnhealthy)
	a = newTarget(t, "a", a.addr)
	n.become(group, a, elbtypes.TargetHealthStateEnumHealthy)
	if got := n.targets(id); got != "a b" {
		t.Errorf("after it came back, requests reached %q", got)
	}
	page, err := http.Get(n.URL + "/_gatehouse/metrics")
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := io.ReadAll(page.Body)
	_ = page.Body.Close()
	_, name, _ := strings.Cut(group, ":targetgroup/")
	if line := `gatehouse_targets{State="healthy",TargetGroup="targetgroup/` + name + `"} 2`; err != nil || !strings.Contains(string(metrics), line) {
		t.Errorf("the metrics have no %s: %v", line, err)
	}

	a.server.Close()
	b.server.Close()
	if status, header, body := n.get(id, "/x"); status != http.StatusBadGateway || header.Get("Server") != "awselb/2.0" || !strings.Contains(body, "502 Bad Gateway") {
		t.Errorf("with dead targets alone: status %d, %v: %s", status, header, body)
	}
	must(n.elb.DeregisterTargets(ctx, &elb.DeregisterTargetsInput{TargetGroupArn: &group, Targets: []elbtypes.TargetDescription{
		{Id: new("127.0.0.1"), Port: a.port(t)}, {Id: new("127.0.0.1"), Port: b.port(t)},
	}}))(t)
	if status, _, body := n.get(id, "/x"); status != http.StatusServiceUnavailable || len(body) != 162 {
		t.Errorf("without targets: status %d, %d bytes: %s", status, len(body), body)
	}

	// Destroying, in the provider's order.
	_, err = n.elb.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: &group})
	fails(t, err, "ResourceInUse")
	_, err = n.gw.DeleteVpcLink(ctx, &apigatewayv2.DeleteVpcLinkInput{VpcLinkId: n.link})
	fails(t, err, "BadRequestException")
	must(n.elb.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: &listener}))(t)
	if status, _, body := n.get(id, "/x"); status != http.StatusServiceUnavailable || body != `{"message":"Service Unavailable"}` {
		t.Errorf("without its listener: status %d: %s", status, body)
	}
	_, err = n.elb.DescribeListeners(ctx, &elb.DescribeListenersInput{ListenerArns: []string{listener}})
	fails(t, err, "ListenerNotFound")
	must(n.elb.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: &group}))(t)
	must(n.elb.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: &loadBalancer}))(t)
	must(n.gw.DeleteApi(ctx, &apigatewayv2.DeleteApiInput{ApiId: &id}))(t)
	must(n.gw.DeleteVpcLink(ctx, &apigatewayv2.DeleteVpcLinkInput{VpcLinkId: n.link}))(t)
	_, err = n.gw.GetVpcLink(ctx, &apigatewayv2.GetVpcLinkInput{VpcLinkId: n.link})
	fails(t, err, "NotFoundException")
}

// Rules of an application load balancer choose by what the target would get.
func TestPrivateIntegrationRules(t *testing.T) {
	t.Parallel()
	n := newPrivateNetwork(t)
	ctx := t.Context()
	a, b := newTarget(t, "a", "127.0.0.1:0"), newTarget(t, "b", "127.0.0.1:0")
	_, _, listener := n.balancer("one", elbtypes.LoadBalancerTypeEnumApplication, a)
	_, other, _ := n.balancer("two", elbtypes.LoadBalancerTypeEnumApplication, b)
	rule := func(priority int32, action elbtypes.Action, conditions ...elbtypes.RuleCondition) string {
		t.Helper()
		return *must(n.elb.CreateRule(ctx, &elb.CreateRuleInput{ListenerArn: &listener, Priority: &priority, Actions: []elbtypes.Action{action}, Conditions: conditions}))(t).Rules[0].RuleArn
	}
	path := func(patterns ...string) elbtypes.RuleCondition {
		return elbtypes.RuleCondition{Field: new("path-pattern"), PathPatternConfig: &elbtypes.PathPatternConditionConfig{Values: patterns}}
	}
	first := rule(10, elbtypes.Action{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &other}, path("/b/*"))
	rule(20, elbtypes.Action{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{
		StatusCode: new("418"), ContentType: new("application/json"), MessageBody: new(`{"tea":true}`),
	}}, path("/b/*", "/tea"))
	rule(30, elbtypes.Action{Type: elbtypes.ActionTypeEnumRedirect, RedirectConfig: &elbtypes.RedirectActionConfig{
		StatusCode: elbtypes.RedirectActionStatusCodeEnumHttp301, Protocol: new("HTTPS"), Port: new("443"),
	}}, path("/old"))
	_, err := n.elb.CreateRule(ctx, &elb.CreateRuleInput{ListenerArn: &listener, Priority: new(int32(10)), Conditions: []elbtypes.RuleCondition{path("/")},
		Actions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &other}}})
	fails(t, err, "PriorityInUse")
	id := n.api(listener)
	for _, c := range []struct{ path, want string }{
		{"/x", "200 a"}, {"/b/x", "200 b"}, {"/tea", `418  {"tea":true}`}, {"/test/tea", "200 a"},
	} {
		status, header, body := n.get(id, c.path)
		got := fmt.Sprintf("%d %s", status, header.Get("X-Target"))
		if status != http.StatusOK {
			got += " " + body
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.path, got, c.want)
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, n.URL+"/old?q=1", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = id + ".execute-api.localhost"
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if want := "https://" + id + ".execute-api.localhost:443/old?q=1"; resp.StatusCode != http.StatusMovedPermanently || resp.Header.Get("Location") != want {
		t.Errorf("redirect %d to %s, want %s", resp.StatusCode, resp.Header.Get("Location"), want)
	}
	must(n.elb.SetRulePriorities(ctx, &elb.SetRulePrioritiesInput{RulePriorities: []elbtypes.RulePriorityPair{{RuleArn: &first, Priority: new(int32(40))}}}))(t)
	if status, _, _ := n.get(id, "/b/x"); status != http.StatusTeapot {
		t.Errorf("after the rules changed places: %d", status)
	}
	rules := must(n.elb.DescribeRules(ctx, &elb.DescribeRulesInput{ListenerArn: &listener}))(t).Rules
	if len(rules) != 4 || *rules[0].Priority != "20" || *rules[3].Priority != "default" || !*rules[3].IsDefault {
		t.Errorf("rules %+v", rules)
	}
}

// A REST API reaches a network load balancer by a link of its own, which a stage
// variable names, or a listener of an application load balancer by a link of HTTP
// APIs.
func TestPrivateRestIntegration(t *testing.T) {
	t.Parallel()
	n := newPrivateNetwork(t)
	ctx := t.Context()
	a := newTarget(t, "a", "127.0.0.1:0")
	network, _, _ := n.balancer("net", elbtypes.LoadBalancerTypeEnumNetwork, a)
	application, _, _ := n.balancer("app", elbtypes.LoadBalancerTypeEnumApplication, a)
	link := must(n.rest.CreateVpcLink(ctx, &apigateway.CreateVpcLinkInput{Name: new("v1"), TargetArns: []string{network}}))(t)
	if link.Status != apigatewaytypes.VpcLinkStatusPending {
		t.Errorf("a new link is %s", link.Status)
	}
	if got := must(n.rest.GetVpcLink(ctx, &apigateway.GetVpcLinkInput{VpcLinkId: link.Id}))(t); got.Status != apigatewaytypes.VpcLinkStatusAvailable {
		t.Errorf("the link is %s", got.Status)
	}
	_, err := n.rest.CreateVpcLink(ctx, &apigateway.CreateVpcLinkInput{Name: new("v1"), TargetArns: []string{application}})
	fails(t, err, "BadRequestException")

	id := must(n.rest.CreateRestApi(ctx, &apigateway.CreateRestApiInput{Name: new("private")}))(t).Id
	root := must(n.rest.GetResources(ctx, &apigateway.GetResourcesInput{RestApiId: id}))(t).Items[0].Id
	method := func(verb, uri, connection, target string) {
		t.Helper()
		must(n.rest.PutMethod(ctx, &apigateway.PutMethodInput{RestApiId: id, ResourceId: root, HttpMethod: &verb, AuthorizationType: new("NONE")}))(t)
		in := &apigateway.PutIntegrationInput{
			RestApiId: id, ResourceId: root, HttpMethod: &verb, Type: apigatewaytypes.IntegrationTypeHttpProxy, IntegrationHttpMethod: new("GET"), Uri: &uri,
			ConnectionType: apigatewaytypes.ConnectionTypeVpcLink, ConnectionId: &connection,
		}
		if target != "" {
			in.IntegrationTarget = &target
		}
		must(n.rest.PutIntegration(ctx, in))(t)
	}
	method("GET", "http://my.example.com/z", "${stageVariables.link}", "")
	method("PUT", "http://my.example.com/put", *n.link, application)
	method("POST", "http://my.example.com:81/nowhere", "${stageVariables.link}", "")
	method("DELETE", "http://my.example.com/other", *n.link, strings.Replace(application, account, "111111111111", 1))
	must(n.rest.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: id, StageName: new("p"), Variables: map[string]string{"link": *link.Id}}))(t)
	for _, c := range []struct{ verb, want string }{
		{"GET", "200 my.example.com /z"}, {"PUT", "200 my.example.com /put"}, {"POST", "504  "}, {"DELETE", "500  "},
	} {
		r, err := http.NewRequestWithContext(ctx, c.verb, n.URL+"/p", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = *id + ".execute-api.localhost"
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var body map[string]string
		err = json.NewDecoder(resp.Body).Decode(&body)
		_ = resp.Body.Close()
		if got := fmt.Sprintf("%d %s %s", resp.StatusCode, body["host"], body["path"]); err != nil || got != c.want {
			t.Errorf("%s: %s, want %s (%v)", c.verb, got, c.want, err)
		}
	}
	_, err = n.rest.DeleteVpcLink(ctx, &apigateway.DeleteVpcLinkInput{VpcLinkId: link.Id})
	fails(t, err, "BadRequestException")
	_, err = n.elb.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: &network})
	fails(t, err, "ResourceInUse")
	must(n.rest.DeleteRestApi(ctx, &apigateway.DeleteRestApiInput{RestApiId: id}))(t)
	must(n.rest.DeleteVpcLink(ctx, &apigateway.DeleteVpcLinkInput{VpcLinkId: link.Id}))(t)
	must(n.elb.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: &network}))(t)
}

// An HTTP API reaches instances of a Cloud Map service, some of them by their
// attributes.
func TestPrivateIntegrationOfService(t *testing.T) {
	t.Parallel()
	n := newPrivateNetwork(t)
	ctx := t.Context()
	done := func(operation *string) map[string]string {
		t.Helper()
		o := must(n.sd.GetOperation(ctx, &servicediscovery.GetOperationInput{OperationId: operation}))(t).Operation
		if o.Status != sdtypes.OperationStatusSuccess {
			t.Fatalf("operation %+v", o)
		}
		return o.Targets
	}
	space := done(must(n.sd.CreatePrivateDnsNamespace(ctx, &servicediscovery.CreatePrivateDnsNamespaceInput{Name: new("corp.test"), Vpc: new("vpc-1")}))(t).OperationId)["NAMESPACE"]
	service := must(n.sd.CreateService(ctx, &servicediscovery.CreateServiceInput{
		Name: new("pets"), DnsConfig: &sdtypes.DnsConfig{NamespaceId: &space, DnsRecords: []sdtypes.DnsRecord{{Type: sdtypes.RecordTypeSrv, TTL: new(int64(10))}}}, //nolint:SA1019 // where clients may still put it
		HealthCheckCustomConfig: &sdtypes.HealthCheckCustomConfig{},
	}))(t).Service
	for name, version := range map[string]string{"a": "1", "b": "2", "c": "2"} {
		done(must(n.sd.RegisterInstance(ctx, &servicediscovery.RegisterInstanceInput{ServiceId: service.Id, InstanceId: &name, Attributes: map[string]string{
			"AWS_INSTANCE_IPV4": "127.0.0.1", "AWS_INSTANCE_PORT": fmt.Sprint(*newTarget(t, name, "127.0.0.1:0").port(t)), "version": version,
		}}))(t).OperationId)
	}
	all, second := n.api(*service.Arn), n.api(*service.Arn+"?version=2")
	if got := n.targets(all) + "|" + n.targets(second); got != "a b c|b c" {
		t.Errorf("requests reached %q", got)
	}
	must(n.sd.UpdateInstanceCustomHealthStatus(ctx, &servicediscovery.UpdateInstanceCustomHealthStatusInput{
		ServiceId: service.Id, InstanceId: new("c"), Status: sdtypes.CustomHealthStatusUnhealthy,
	}))(t)
	if got := n.targets(all) + "|" + n.targets(second); got != "a b|b" {
		t.Errorf("with an unhealthy instance, requests reached %q", got)
	}
	done(must(n.sd.DeregisterInstance(ctx, &servicediscovery.DeregisterInstanceInput{ServiceId: service.Id, InstanceId: new("a")}))(t).OperationId)
	if got := n.targets(all); got != "b" {
		t.Errorf("with an instance less, requests reached %q", got)
	}
	_, err := n.sd.DeleteService(ctx, &servicediscovery.DeleteServiceInput{Id: service.Id})
	fails(t, err, "ResourceInUse")
	_, err = n.sd.DeleteNamespace(ctx, &servicediscovery.DeleteNamespaceInput{Id: &space})
	fails(t, err, "ResourceInUse")
	for _, name := range []string{"b", "c"} {
		done(must(n.sd.DeregisterInstance(ctx, &servicediscovery.DeregisterInstanceInput{ServiceId: service.Id, InstanceId: &name}))(t).OperationId)
	}
	if status, _, body := n.get(all, "/x"); status != http.StatusServiceUnavailable || body != `{"message":"Service Unavailable"}` {
		t.Errorf("without instances: %d %s", status, body)
	}
	must(n.sd.DeleteService(ctx, &servicediscovery.DeleteServiceInput{Id: service.Id}))(t)
	done(must(n.sd.DeleteNamespace(ctx, &servicediscovery.DeleteNamespaceInput{Id: &space}))(t).OperationId)
}
