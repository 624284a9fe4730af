package sdk

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	v1types "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go/service/cognitoidentityprovider" //nolint:SA1019 // the client of Terraform's provider before 5.72

	"gatehouse/test/harness"
)

// A user pool's own domain is shown its certificate for, before the star of the same
// account's APIs, and neither can take the other's name. The pool is in a region
// other than CloudFront's, where both certificates are.
func TestCustomDomainOfUserPool(t *testing.T) {
	const auth = "auth.example.test"
	gw := harness.Start(t, "")
	ctx := t.Context()
	arn := certificate(t, gw, "example.test")
	pools := userPools(t, gw)
	pools.Config.Region, pools.SigningRegion = new("eu-west-1"), "eu-west-1"
	pool := must(pools.CreateUserPool(&cognitoidentityprovider.CreateUserPoolInput{PoolName: new("people")}))(t).UserPool.Id
	domain := &cognitoidentityprovider.CreateUserPoolDomainInput{
		UserPoolId: pool, Domain: new(auth), CustomDomainConfig: &cognitoidentityprovider.CustomDomainConfigType{CertificateArn: arn},
	}
	must(pools.CreateUserPoolDomain(domain))(t)

	config := gw.Config()
	config.Region = "eu-west-1"
	rest := apigateway.NewFromConfig(config)
	edge := func(name string) error {
		_, err := rest.CreateDomainName(ctx, &apigateway.CreateDomainNameInput{
			DomainName: &name, CertificateArn: arn, EndpointConfiguration: &v1types.EndpointConfiguration{Types: []v1types.EndpointType{v1types.EndpointTypeEdge}},
		})
		return err
	}
	fails(t, edge(auth), "BadRequestException")
	if err := edge("*.example.test"); err != nil {
		t.Fatal(err)
	}
	if err := edge("api.example.test"); err != nil {
		t.Fatal(err)
	}
	client := browser(t, gw)
	defer client.CloseIdleConnections()
	// A page of the pool's: it knows no such client.
	if status, body := visit(t, client, "https://"+auth+"/oauth2/authorize?client_id=x"); status != 400 {
		t.Errorf("%d %s", status, body)
	}
	if status, body := visit(t, client, "https://other.example.test/oauth2/authorize"); status != 403 || body != `{"message":"Forbidden"}` {
		t.Errorf("below the star: %d %s", status, body)
	}
	_, err := pools.CreateUserPoolDomain(&cognitoidentityprovider.CreateUserPoolDomainInput{
		UserPoolId: must(pools.CreateUserPool(&cognitoidentityprovider.CreateUserPoolInput{PoolName: new("more")}))(t).UserPool.Id,
		Domain:     new("api.example.test"), CustomDomainConfig: domain.CustomDomainConfig,
	})
	if err == nil || !strings.Contains(err.Error(), "InvalidParameterException: One or more of the CNAMEs") {
		t.Errorf("an API's name: %v", err)
	}

	// What is in use can't go.
	certificates := acm.NewFromConfig(gw.Config())
	if uses := must(certificates.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: arn}))(t).Certificate.InUseBy; len(uses) != 3 {
		t.Errorf("in use by %q", uses)
	}
	_, err = certificates.DeleteCertificate(ctx, &acm.DeleteCertificateInput{CertificateArn: arn})
	fails(t, err, "ResourceInUseException")

	_, err = pools.UpdateUserPoolDomain(&cognitoidentityprovider.UpdateUserPoolDomainInput{
		UserPoolId: pool, Domain: new(auth), CustomDomainConfig: &cognitoidentityprovider.CustomDomainConfigType{CertificateArn: new("arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-0000-0000-000000000000")},
	})
	if err == nil || !strings.Contains(err.Error(), "InvalidParameterException: The specified SSL certificate doesn't exist") {
		t.Errorf("a certificate that isn't there: %v", err)
	}
}

// On a listener for traffic everybody finds the keys of a user pool, and nothing of
// management.
func TestKeysOnTraffic(t *testing.T) {
	free := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	traffic := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	gw := harness.Start(t, "", "--traffic-tls", traffic)
	pools := userPools(t, gw)
	pool := *must(pools.CreateUserPool(&cognitoidentityprovider.CreateUserPoolInput{PoolName: new("people")}))(t).UserPool.Id
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(must(os.ReadFile(filepath.Join(gw.Data, "tls", "ca.pem")))(t))
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true, DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, traffic)
		},
	}}
	_, want := visit(t, http.DefaultClient, gw.URL+"/"+pool+"/.well-known/jwks.json")
	if !strings.Contains(want, `"kid"`) {
		t.Fatal(want)
	}
	for _, at := range []string{"https://cognito-idp." + region + ".localhost/" + pool, "https://localhost/_aws/cognito-idp/" + pool} {
		if status, got := visit(t, client, at+"/.well-known/jwks.json"); status != 200 || got != want {
			t.Errorf("%s: %d %s", at, status, got)
		}
	}
	for _, url := range []string{"https://localhost/" + pool + "/.well-known/jwks.json", "https://cognito-idp." + region + ".localhost/", "https://localhost/_gatehouse/health"} {
		if status, got := visit(t, client, url); status != 403 {
			t.Errorf("%s: %d %s", url, status, got)
		}
	}
}
