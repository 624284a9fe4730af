package apigateway_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

func TestClientCertificates(t *testing.T) {
	g := newGateway(t)
	c := g.call()
	made := must[*api.ClientCertificate](t)(g.GenerateClientCertificate(c, &api.GenerateClientCertificateRequest{Description: new("d"), Tags: map[string]string{"a": "b"}}))
	if made.ExpirationDate.Sub(*made.CreatedDate) != 365*24*time.Hour {
		t.Errorf("valid from %s to %s", made.CreatedDate, made.ExpirationDate)
	}
	block, _ := pem.Decode([]byte(*made.PemEncodedCertificate))
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if !certificate.NotAfter.Equal(*made.ExpirationDate) || certificate.Issuer.String() != certificate.Subject.String() {
		t.Errorf("certificate %s to %s of %s by %s", certificate.NotBefore, certificate.NotAfter, certificate.Subject, certificate.Issuer)
	}
	// What is stored is what a TLS client shows, and a backend that trusts the
	// certificate lets it in.
	var stored *definition.ClientCertificate
	if err := g.store.View(context.Background(), func(tx *store.Tx) (err error) {
		stored, err = definition.ClientCertificates.Get(tx, here, *made.ClientCertificateId)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := tls.X509KeyPair([]byte(*stored.PemEncodedCertificate), []byte(stored.PrivateKey)); err != nil {
		t.Error(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	if _, err := certificate.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: g.now.Add(time.Hour), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}

	get := func() (*api.ClientCertificate, error) {
		return g.GetClientCertificate(c, &api.GetClientCertificateRequest{ClientCertificateId: made.ClientCertificateId})
	}
	sameJSON(t, "read", must[*api.ClientCertificate](t)(get()), marshal(t, made))
	sameJSON(t, "list", must[*api.ClientCertificates](t)(g.GetClientCertificates(c, &api.GetClientCertificatesRequest{})), `{"items":[`+marshal(t, made)+`]}`)
	update := func(triples ...string) (*api.ClientCertificate, error) {
		return g.UpdateClientCertificate(c, &api.UpdateClientCertificateRequest{ClientCertificateId: made.ClientCertificateId, PatchOperations: patch(triples...)})
	}
	if got := must[*api.ClientCertificate](t)(update("replace", "/description", "e")); *got.Description != "e" || *got.PemEncodedCertificate != *made.PemEncodedCertificate {
		t.Errorf("updated %s", marshal(t, got))
	}
	id, _ := g.api()
	g.stage(id, "dev", func(s *definition.RestStage) { s.ClientCertificateId = made.ClientCertificateId })
	remove := func(id string) error {
		return g.DeleteClientCertificate(c, &api.DeleteClientCertificateRequest{ClientCertificateId: &id})
	}
	checkRefusals(t, []refusal{
		{"path", one(update("replace", "/tags", "e")), "BadRequestException 400: Invalid patch path  '/tags' specified for op 'replace'. Must be one of: [/description]"},
		{"in use", remove(*made.ClientCertificateId), "BadRequestException 400: Client certificate " + *made.ClientCertificateId + " is in use by stage dev of API " + id},
		{"delete nothing", remove("nope"), "NotFoundException 404: Invalid Client Certificate identifier specified"},
	})
	g.stage(id, "dev")
	socket := func(id *string) {
		err := g.store.Update(c, func(tx *store.Tx) error {
			s := &definition.Stage{}
			s.StageName, s.ClientCertificateId = new("live"), id
			return definition.Stages.Put(tx, here, s, "chat", "live")
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	socket(made.ClientCertificateId)
	checkRefusals(t, []refusal{{"in use by a WebSocket API", remove(*made.ClientCertificateId), "BadRequestException 400: Client certificate " + *made.ClientCertificateId + " is in use by stage live of API chat"}})
	socket(nil)
	if err := remove(*made.ClientCertificateId); err != nil {
		t.Error(err)
	}
	if _, err := get(); err == nil {
		t.Error("a deleted certificate can be read")
	}
}
