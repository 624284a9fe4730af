package sdk

import (
	"crypto/tls"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	v1types "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"gatehouse/test/frame"
	"gatehouse/test/harness"
)

// An https backend that asks who calls is shown the certificate that a stage of a
// REST or a WebSocket API names, or that a test of a method does.
func TestClientCertificateToBackends(t *testing.T) {
	shown := make(chan string, 1)
	backend := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		who := ""
		if peers := r.TLS.PeerCertificates; len(peers) > 0 {
			who = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: peers[0].Raw}))
		}
		shown <- who
	}))
	backend.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	backend.StartTLS()
	t.Cleanup(backend.Close)
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: backend.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	gw := harness.Start(t, "", "--upstream-ca", roots)
	ctx := t.Context()
	rest, sockets := apigateway.NewFromConfig(gw.Config()), apigatewayv2.NewFromConfig(gw.Config())
	one := must(rest.GenerateClientCertificate(ctx, &apigateway.GenerateClientCertificateInput{}))(t)
	two := must(rest.GenerateClientCertificate(ctx, &apigateway.GenerateClientCertificateInput{}))(t)

	api := must(rest.CreateRestApi(ctx, &apigateway.CreateRestApiInput{Name: new("pets")}))(t)
	must(rest.PutMethod(ctx, &apigateway.PutMethodInput{RestApiId: api.Id, ResourceId: api.RootResourceId, HttpMethod: new("GET"), AuthorizationType: new("NONE")}))(t)
	must(rest.PutIntegration(ctx, &apigateway.PutIntegrationInput{
		RestApiId: api.Id, ResourceId: api.RootResourceId, HttpMethod: new("GET"), Type: v1types.IntegrationTypeHttpProxy, IntegrationHttpMethod: new("GET"), Uri: &backend.URL,
	}))(t)
	must(rest.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: api.Id, StageName: new("v1")}))(t)
	update := func(id string) {
		t.Helper()
		must(rest.UpdateStage(ctx, &apigateway.UpdateStageInput{RestApiId: api.Id, StageName: new("v1"), PatchOperations: []v1types.PatchOperation{
			{Op: v1types.OpReplace, Path: new("/clientCertificateId"), Value: &id},
		}}))(t)
	}
	expect := func(what, want string) {
		t.Helper()
		if got := <-shown; got != want {
			t.Errorf("%s: the backend is shown %q", what, got)
		}
	}
	call := func() {
		t.Helper()
		if status, body, err := gw.Get(ctx, *api.Id, "/v1"); err != nil || status != 200 {
			t.Fatal(status, body, err)
		}
	}
	call()
	expect("a stage without", "")
	update(*one.ClientCertificateId)
	call()
	expect("a stage", *one.PemEncodedCertificate)
	must(rest.TestInvokeMethod(ctx, &apigateway.TestInvokeMethodInput{RestApiId: api.Id, ResourceId: api.RootResourceId, HttpMethod: new("GET"), ClientCertificateId: two.ClientCertificateId}))(t)
	expect("a test", *two.PemEncodedCertificate)
	must(rest.TestInvokeMethod(ctx, &apigateway.TestInvokeMethodInput{RestApiId: api.Id, ResourceId: api.RootResourceId, HttpMethod: new("GET")}))(t)
	expect("a test without", "")

	chat := must(sockets.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: new("chat"), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: new("$request.body.action")}))(t).ApiId
	integration := must(sockets.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{
		ApiId: chat, IntegrationType: types.IntegrationTypeHttpProxy, IntegrationMethod: new("POST"), IntegrationUri: &backend.URL,
	}))(t).IntegrationId
	must(sockets.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: chat, RouteKey: new("$connect"), Target: new("integrations/" + *integration)}))(t)
	deployment := must(sockets.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: chat}))(t).DeploymentId
	must(sockets.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: chat, StageName: new("live"), DeploymentId: deployment, ClientCertificateId: two.ClientCertificateId}))(t)
	connect := func() {
		t.Helper()
		c := must(frame.Dial(gw.Addr, "/_aws/execute-api/"+*chat+"/live", gw.Addr))(t)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	connect()
	expect("a WebSocket stage", *two.PemEncodedCertificate)
	must(sockets.UpdateStage(ctx, &apigatewayv2.UpdateStageInput{ApiId: chat, StageName: new("live"), ClientCertificateId: one.ClientCertificateId}))(t)
	connect()
	expect("a WebSocket stage with another", *one.PemEncodedCertificate)

	_, err := rest.DeleteClientCertificate(ctx, &apigateway.DeleteClientCertificateInput{ClientCertificateId: one.ClientCertificateId})
	fails(t, err, "BadRequestException")
	must(rest.DeleteClientCertificate(ctx, &apigateway.DeleteClientCertificateInput{ClientCertificateId: two.ClientCertificateId}))(t)
}
