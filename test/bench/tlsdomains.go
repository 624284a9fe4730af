package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	v2 "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

// fill has a gateway on a data directory import certificates, create their
// domains and map them to one API, as users do, and stops it. It returns how
// long that took.
func (b *bench) fill(ctx context.Context, data, backend string, certificates []certificate) (time.Duration, error) {
	g, err := b.startGatewayOn(data)
	if err != nil {
		return 0, err
	}
	defer g.stop()
	config := awsConfig(g.addr)
	if err := createLogGroup(ctx, config); err != nil {
		return 0, err
	}
	host, err := proxyAPI{backend: backend, routes: 1}.create(ctx, config)
	if err != nil {
		return 0, err
	}
	apiID, _, _ := strings.Cut(host, ".")
	certs, domains := acm.NewFromConfig(config), apigatewayv2.NewFromConfig(config)
	var done atomic.Int64
	begin := time.Now()
	err = parallel(ctx, len(certificates), func(ctx context.Context, i int) error {
		if err := createDomain(ctx, certs, domains, apiID, domainName(i), certificates[i]); err != nil {
			return fmt.Errorf("%s: %w", domainName(i), err)
		}
		if n := done.Add(1); n%1000 == 0 {
			progress("created %d of %d domains after %.1f s", n, len(certificates), time.Since(begin).Seconds())
		}
		return nil
	})
	return time.Since(begin), err
}

// createDomain imports a certificate, creates its domain and maps all of it.
func createDomain(ctx context.Context, certs *acm.Client, domains *apigatewayv2.Client, apiID, name string, c certificate) error {
	imported, err := certs.ImportCertificate(ctx, &acm.ImportCertificateInput{
		Certificate: c.leaf, CertificateChain: c.chain, PrivateKey: c.key,
	})
	if err != nil {
		return err
	}
	_, err = domains.CreateDomainName(ctx, &apigatewayv2.CreateDomainNameInput{
		DomainName: aws.String(name),
		DomainNameConfigurations: []v2.DomainNameConfiguration{{
			CertificateArn: imported.CertificateArn, EndpointType: v2.EndpointTypeRegional, SecurityPolicy: v2.SecurityPolicyTls12,
		}},
	})
	if err != nil {
		return err
	}
	_, err = domains.CreateApiMapping(ctx, &apigatewayv2.CreateApiMappingInput{
		ApiId: aws.String(apiID), DomainName: aws.String(name), Stage: aws.String("$default"),
	})
	return err
}

// nginxDomains writes the configuration of an nginx with a server for each
// domain, and returns its file and address. Sessions are resumed by tickets, as
// they are by default.
func (b *bench) nginxDomains(backend string, certificates []certificate) (file, addr string, err error) {
	addr, err = freeAddr()
	if err != nil {
		return "", "", err
	}
	dir, err := os.MkdirTemp(b.dir, "nginx-")
	if err != nil {
		return "", "", err
	}
	var text strings.Builder
	// A strings.Builder takes everything.
	fmt.Fprintf(&text, `daemon off;
worker_processes 2;
pid %[1]s/pid;
error_log %[1]s/error.log crit;
events { worker_connections 1024; }
http {
  access_log %[1]s/access.log combined;
  client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
  keepalive_requests 1000000000;
  server_names_hash_max_size 65536; server_names_hash_bucket_size 128;
  ssl_protocols TLSv1.2 TLSv1.3;
  upstream backend { server %[2]s; keepalive 256; keepalive_requests 1000000000; }
`, dir, backend)
	for i, c := range certificates {
		name := domainName(i)
		cert, key := filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
		if err := os.WriteFile(cert, append(append([]byte(nil), c.leaf...), c.chain...), 0o600); err != nil {
			return "", "", err
		}
		if err := os.WriteFile(key, c.key, 0o600); err != nil {
			return "", "", err
		}
		fmt.Fprintf(&text, `  server { listen %s ssl; server_name %s; ssl_certificate %s; ssl_certificate_key %s;
    location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; } }
`, addr, name, cert, key)
	}
	text.WriteString("}\n")
	file = filepath.Join(dir, "nginx.conf")
	return file, addr, os.WriteFile(file, []byte(text.String()), 0o600)
}
