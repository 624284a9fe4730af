package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
)

// demoDomain is the custom domain name of the demo's API. The top-level domain is
// reserved for tests (RFC 6761).
const demoDomain = "api.example.test"

// domain gives the API a name of its own, as examples/hello/domain.tf does, and
// calls it over TLS with the authority's root as all that it trusts. It returns
// the command that does so.
func (d *demo) domain(ctx context.Context, g *gateway, c *demoClient, apiID string) (command string, err error) {
	var certificate struct{ CertificateArn string }
	d.printf("\n")
	err = runSteps(d.out, []demoStep{
		{"acm", "RequestCertificate " + demoDomain, func() error {
			return c.json(ctx, "acm", "CertificateManager.RequestCertificate", map[string]any{
				"DomainName": demoDomain, "ValidationMethod": "DNS",
			}, &certificate)
		}},
		{"apigatewayv2", "CreateDomainName " + demoDomain + ", TLS 1.2", func() error {
			return c.rest(ctx, "apigateway", "POST", "/v2/domainnames", map[string]any{
				"domainName": demoDomain, "domainNameConfigurations": []any{map[string]any{
					"certificateArn": certificate.CertificateArn, "endpointType": "REGIONAL", "securityPolicy": "TLS_1_2",
				}},
			}, nil)
		}},
		{"apigatewayv2", "CreateApiMapping to $default", func() error {
			return c.rest(ctx, "apigateway", "POST", "/v2/domainnames/"+demoDomain+"/apimappings", map[string]any{
				"apiId": apiID, "stage": "$default",
			}, nil)
		}},
	})
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(g.Addr())
	if err != nil {
		return "", err
	}
	root := filepath.Join(d.config.Data, tlsDir, "authority", "root.pem")
	command = fmt.Sprintf("curl --cacert %s --resolve %s:%s:127.0.0.1 https://%[2]s:%[3]s/hello", root, demoDomain, port)
	return command, d.callTrusting(ctx, g.Addr(), "https://"+net.JoinHostPort(demoDomain, port)+"/hello?name=TLS", root)
}

// callTrusting requests a URL over TLS and prints who answered.
func (d *demo) callTrusting(ctx context.Context, addr, url, root string) error {
	pem, err := os.ReadFile(root)
	if err != nil {
		return err
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate", root)
	}
	client := &http.Client{Transport: &http.Transport{
		DialContext: dialer(addr), TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: true,
	}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	leaf := resp.TLS.PeerCertificates[0]
	d.printf("\n> GET %s\n< %s, certificate of %s by %s\n< %s %s\n\n%s\n", url,
		tls.VersionName(resp.TLS.Version), leaf.Subject.CommonName, leaf.Issuer.CommonName, resp.Proto, resp.Status, body)
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s answered %s, not 200", url, resp.Status)
	}
	return nil
}
