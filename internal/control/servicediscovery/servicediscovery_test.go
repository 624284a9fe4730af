package servicediscovery_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"
	"github.com/aws/smithy-go"

	api "gatehouse/internal/awsapi/servicediscovery"
	"gatehouse/internal/awswire"
	"gatehouse/internal/balance"
	"gatehouse/internal/control/servicediscovery"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
)

// fixture is the service on a real store behind HTTP, with AWS's own client.
type fixture struct {
	*sdk.Client
	t        *testing.T
	balancer *balance.Balancer
}

func newFixture(t *testing.T, dir string) *fixture {
	t.Helper()
	db, err := sqlite.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	b := balance.New(balance.Options{})
	directory := &servicediscovery.Directory{Balancer: b}
	documents, err := store.Open(t.Context(), db, store.Options{Prepare: directory.Prepare})
	if err != nil {
		t.Fatal(err)
	}
	if err := documents.View(t.Context(), directory.Load); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(awswire.NewHandler(awswire.Options{
		Services: []*awswire.Service{api.NewService(servicediscovery.New(servicediscovery.Options{Store: documents}))},
		Auth:     awswire.Auth{Open: true}, Account: "123456789012", Region: "us-east-1",
	}))
	t.Cleanup(func() {
		server.Close()
		b.Close()
		if err := errors.Join(documents.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return &fixture{t: t, balancer: b, Client: sdk.New(sdk.Options{
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

func (f *fixture) namespace(name string) string {
	f.t.Helper()
	id := must(f.CreateHttpNamespace(f.t.Context(), &sdk.CreateHttpNamespaceInput{Name: &name}))(f.t).OperationId
	return must(f.GetOperation(f.t.Context(), &sdk.GetOperationInput{OperationId: id}))(f.t).Operation.Targets["NAMESPACE"]
}

func (f *fixture) service(namespace, name string, health *types.HealthCheckCustomConfig) *types.Service {
	f.t.Helper()
	return must(f.CreateService(f.t.Context(), &sdk.CreateServiceInput{Name: &name, NamespaceId: &namespace, HealthCheckCustomConfig: health}))(f.t).Service
}

func (f *fixture) register(service, id *string, attributes ...string) error {
	in := &sdk.RegisterInstanceInput{ServiceId: service, InstanceId: id, Attributes: map[string]string{}}
	for _, a := range attributes {
		name, value, _ := strings.Cut(a, "=")
		in.Attributes[name] = value
	}
	_, err := f.RegisterInstance(f.t.Context(), in)
	return err
}

func TestRefusals(t *testing.T) {
	f := newFixture(t, t.TempDir())
	ctx := t.Context()
	space := f.namespace("corp")
	service := f.service(space, "pets", nil)
	only := func(_ any, err error) error { return err }
	instance := func(attributes ...string) error { return f.register(service.Id, new("i"), attributes...) }
	for _, test := range []struct {
		name        string
		err         error
		code, words string
	}{
		{"a name twice", only(f.CreateHttpNamespace(ctx, &sdk.CreateHttpNamespaceInput{Name: new("corp")})), "NamespaceAlreadyExists", "corp"},
		{"unknown namespace", only(f.GetNamespace(ctx, &sdk.GetNamespaceInput{Id: new("ns-nope")})), "NamespaceNotFound", "ns-nope"},
		{"a namespace in use", only(f.DeleteNamespace(ctx, &sdk.DeleteNamespaceInput{Id: &space})), "ResourceInUse", ""},
		{"public namespace", only(f.CreatePublicDnsNamespace(ctx, &sdk.CreatePublicDnsNamespaceInput{Name: new("x.test")})), "NotImplementedException", ""},
		{"a service twice", only(f.CreateService(ctx, &sdk.CreateServiceInput{Name: new("pets"), NamespaceId: &space})), "ServiceAlreadyExists", ""},
		{"a service nowhere", only(f.CreateService(ctx, &sdk.CreateServiceInput{Name: new("x"), NamespaceId: new("ns-nope")})), "NamespaceNotFound", ""},
		{"no namespace", only(f.CreateService(ctx, &sdk.CreateServiceInput{Name: new("x")})), "InvalidInput", "namespace"},
		{"DNS of an HTTP namespace", only(f.CreateService(ctx, &sdk.CreateServiceInput{Name: new("x"), NamespaceId: &space, DnsConfig: &types.DnsConfig{DnsRecords: []types.DnsRecord{}}})), "InvalidInput", "DNS"},
		{"checks by Route 53", only(f.CreateService(ctx, &sdk.CreateServiceInput{Name: new("x"), NamespaceId: &space, HealthCheckConfig: &types.HealthCheckConfig{Type: "HTTP"}})), "NotImplementedException", "healthCheckConfig"},
		{"unknown service", only(f.GetService(ctx, &sdk.GetServiceInput{Id: new("srv-nope")})), "ServiceNotFound", ""},
		{"unknown operation", only(f.GetOperation(ctx, &sdk.GetOperationInput{OperationId: new("x")})), "OperationNotFound", ""},
		{"no address", instance("AWS_INSTANCE_IPV4=example.com"), "InvalidInput", "AWS_INSTANCE_IPV4"},
		{"the other kind of address", instance("AWS_INSTANCE_IPV4=::1"), "InvalidInput", "AWS_INSTANCE_IPV4"},
		{"no port", instance("AWS_INSTANCE_IPV4=10.0.0.1", "AWS_INSTANCE_PORT=65536"), "InvalidInput", "AWS_INSTANCE_PORT"},
		{"health without a check", instance("AWS_INSTANCE_IPV4=10.0.0.1", "AWS_INIT_HEALTH_STATUS=UNHEALTHY"), "InvalidInput", "AWS_INIT_HEALTH_STATUS"},
		{"an EC2 instance", instance("AWS_EC2_INSTANCE_ID=i-1"), "NotImplementedException", "AWS_EC2_INSTANCE_ID"},
		{"unknown instance", only(f.DeregisterInstance(ctx, &sdk.DeregisterInstanceInput{ServiceId: service.Id, InstanceId: new("nope")})), "InstanceNotFound", "nope"},
		{"tags of nothing", only(f.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceARN: new("arn:aws:servicediscovery:us-east-1:123456789012:service/nope")})), "ResourceNotFoundException", ""},
		{"tags of another account", only(f.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceARN: new(strings.Replace(*service.Arn, "123456789012", "111111111111", 1))})), "ResourceNotFoundException", ""},
	} {
		var e smithy.APIError
		if !errors.As(test.err, &e) || e.ErrorCode() != test.code || !strings.Contains(e.ErrorMessage(), test.words) {
			t.Errorf("%s: got %v, want %s: %s", test.name, test.err, test.code, test.words)
		}
	}
	if n := must(f.GetService(ctx, &sdk.GetServiceInput{Id: service.Id}))(t).Service.InstanceCount; *n != 0 {
		t.Errorf("%d instances after refusals", *n)
	}
}

// An instance keeps what was reported of it when it is registered again, also over
// a restart; what has no port gets no requests.
func TestInstances(t *testing.T) {
	dir := t.TempDir()
	var service, other *types.Service
	t.Run("before", func(t *testing.T) {
		f := newFixture(t, dir)
		namespace := f.namespace("corp")
		service, other = f.service(namespace, "pets", &types.HealthCheckCustomConfig{}), f.service(namespace, "toys", nil)
		for _, err := range []error{
			f.register(service.Id, new("a"), "AWS_INSTANCE_IPV4=127.0.0.1", "AWS_INSTANCE_PORT=1", "AWS_INIT_HEALTH_STATUS=UNHEALTHY"),
			f.register(service.Id, new("b"), "AWS_INSTANCE_IPV6=::1", "AWS_INSTANCE_PORT=2"),
			f.register(service.Id, new("c"), "AWS_INSTANCE_IPV4=127.0.0.1"),
			f.register(service.Id, new("a"), "AWS_INSTANCE_IPV4=127.0.0.1", "AWS_INSTANCE_PORT=3"),
			f.register(other.Id, new("a"), "AWS_INSTANCE_IPV4=127.0.0.1", "AWS_INSTANCE_PORT=4"),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		must(f.TagResource(t.Context(), &sdk.TagResourceInput{ResourceARN: service.Arn, Tags: []types.Tag{{Key: new("k"), Value: new("v")}}}))(t)
	})
	f := newFixture(t, dir)
	health := must(f.GetInstancesHealthStatus(t.Context(), &sdk.GetInstancesHealthStatusInput{ServiceId: service.Id}))(t).Status
	if got := fmt.Sprint(health); got != "map[a:UNHEALTHY b:HEALTHY c:HEALTHY]" {
		t.Errorf("health %s", got)
	}
	g := f.balancer.Service(*service.Arn).Listener(balance.Filter{}).Default().Group
	for range 4 {
		if got := g.Pick(time.Now()); got == nil || got.Addr != "[::1]:2" {
			t.Errorf("a request goes to %+v", got)
		}
	}
	if tags := must(f.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceARN: service.Arn}))(t).Tags; len(tags) != 1 {
		t.Errorf("tags %v", tags)
	}
	for _, id := range []string{"a", "b", "c"} {
		must(f.DeregisterInstance(t.Context(), &sdk.DeregisterInstanceInput{ServiceId: service.Id, InstanceId: &id}))(t)
	}
	must(f.DeleteService(t.Context(), &sdk.DeleteServiceInput{Id: service.Id}))(t)
	if f.balancer.Service(*service.Arn) != nil {
		t.Error("a service that was deleted still leads somewhere")
	}
	toys := func() *balance.Target {
		return f.balancer.Service(*other.Arn).Listener(balance.Filter{}).Default().Group.Pick(time.Now())
	}
	if got := toys(); got == nil || got.Addr != "127.0.0.1:4" {
		t.Errorf("a request to a service that didn't change goes to %+v", got)
	}
	must(f.DeregisterInstance(t.Context(), &sdk.DeregisterInstanceInput{ServiceId: other.Id, InstanceId: new("a")}))(t)
	if got := toys(); got != nil {
		t.Errorf("a request to a service without instances goes to %+v", got)
	}
}
