package sdk

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go/aws"                             //nolint:SA1019 // clients that are still about
	"github.com/aws/aws-sdk-go/aws/awserr"                      //nolint:SA1019 // clients that are still about
	"github.com/aws/aws-sdk-go/aws/credentials"                 //nolint:SA1019 // clients that are still about
	"github.com/aws/aws-sdk-go/aws/session"                     //nolint:SA1019 // clients that are still about
	"github.com/aws/aws-sdk-go/service/apigatewaymanagementapi" //nolint:SA1019 // clients that are still about
)

// connectionsClient is the older SDK's client of @connections at an endpoint,
// which addr answers whatever its host is.
func connectionsClient(t *testing.T, addr, endpoint, key, secret string) *apigatewaymanagementapi.ApiGatewayManagementApi {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	s := must(session.NewSession(&aws.Config{
		Endpoint: &endpoint, Region: new(region), Credentials: credentials.NewStaticCredentials(key, secret, ""), MaxRetries: new(0),
		HTTPClient: &http.Client{Transport: transport},
	}))(t)
	return apigatewaymanagementapi.New(s)
}

// refusedWith checks the code and the status of a refusal.
func refusedWith(t *testing.T, what string, err error, code string, status int) {
	t.Helper()
	var failure awserr.RequestFailure
	if !errors.As(err, &failure) || failure.Code() != code || failure.StatusCode() != status {
		t.Errorf("%s: %v, want %s with %d", what, err, code, status)
	}
}

// TestConnections calls @connections where it is and where it isn't, on the
// shared listener and on one that serves traffic only, where keys must be known.
func TestConnections(t *testing.T) {
	free := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	traffic := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	s := newSocket(t, "--traffic", traffic)
	c, id := s.connected(t)
	ctx := t.Context()
	post := func(client *apigatewaymanagementapi.ApiGatewayManagementApi, id, text string) error {
		_, err := client.PostToConnectionWithContext(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: []byte(text)})
		return err
	}
	arrives := func(what string, client *apigatewaymanagementapi.ApiGatewayManagementApi) {
		t.Helper()
		if err := post(client, id, what); err != nil {
			t.Errorf("%s: %v", what, err)
		} else if got := s.next(t, c); got != what {
			t.Errorf("got %q, want %q", got, what)
		}
	}
	api := strings.Split(s.path, "/")[3]
	host := "http://" + api + ".execute-api.localhost:4566"
	shared := func(endpoint string) *apigatewaymanagementapi.ApiGatewayManagementApi {
		return connectionsClient(t, s.Addr, endpoint, "test", "test")
	}
	arrives("by host", shared(host+"/test"))
	arrives("by a path form", shared(s.callback))
	refusedWith(t, "a stage that isn't there", post(shared(host+"/other"), id, "x"), "ForbiddenException", 403)
	refusedWith(t, "no stage", post(shared(host), id, "x"), "ForbiddenException", 403)
	refusedWith(t, "no API", post(shared(s.URL), id, "x"), "ForbiddenException", 403)
	refusedWith(t, "no API, but a stage", post(shared(s.URL+"/test"), id, "x"), "ForbiddenException", 403)
	refusedWith(t, "no id", post(shared(s.callback), "abc", "x"), "BadRequestException", 400)
	refusedWith(t, "another id", post(shared(s.callback), "R1kmxc2VNjMCFIA=", "x"), apigatewaymanagementapi.ErrCodeGoneException, 410)
	_, err := shared(s.callback).DeleteConnectionWithContext(ctx, &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: new("R1kmxc2VNjMCFIA=")})
	refusedWith(t, "deleting another id", err, apigatewaymanagementapi.ErrCodeGoneException, 410)

	users := iam.NewFromConfig(s.Config())
	must(users.CreateUser(ctx, &iam.CreateUserInput{UserName: new("alice")}))(t)
	key := must(users.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: new("alice")}))(t).AccessKey
	known := func(addr, secret string) *apigatewaymanagementapi.ApiGatewayManagementApi {
		return connectionsClient(t, addr, host+"/test", *key.AccessKeyId, secret)
	}
	refusedWith(t, "a known key that may nothing", post(known(s.Addr, *key.SecretAccessKey), id, "x"), "AccessDeniedException", 403)
	must(users.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: new("alice"), PolicyName: new("answer"), PolicyDocument: new(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:ManageConnections","Resource":"arn:aws:execute-api:us-east-1:*:` + api + `/test/*"}]}`)}))(t)
	arrives("with a known key", known(s.Addr, *key.SecretAccessKey))
	arrives("with a known key on a listener for traffic", known(traffic, *key.SecretAccessKey))
	refusedWith(t, "another secret", post(known(s.Addr, "wrong"), id, "x"), "InvalidSignatureException", 403)
	refusedWith(t, "another secret on a listener for traffic", post(known(traffic, "wrong"), id, "x"), "InvalidSignatureException", 403)
	refusedWith(t, "an unknown key on a listener for traffic", post(connectionsClient(t, traffic, host+"/test", "test", "test"), id, "x"), "UnrecognizedClientException", 403)
}
