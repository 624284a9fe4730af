package domain_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	v1control "gatehouse/internal/control/apigateway"
	v2control "gatehouse/internal/control/apigatewayv2"
	"gatehouse/internal/control/domain"
	"gatehouse/internal/definition"
	"gatehouse/internal/seal"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
)

// faces are both services on one store, which has APIs and certificates.
type faces struct {
	t     testing.TB
	store *store.Store
	v1    *v1control.Service
	v2    *v2control.Service
	c     *awswire.Call
}

func newFaces(t testing.TB) *faces {
	t.Helper()
	ctx := context.Background()
	db, err := sqlite.Open(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := seal.New(make([]byte, seal.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(ctx, db, store.Options{Sealer: sealer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	random := rand.NewChaCha8([32]byte{1})
	names := domain.New(domain.Options{
		Rand:     random,
		Reserved: func(name string) bool { return name == "gateway.example.com" || name == "shop.localhost" },
		Truststore: func(_ context.Context, uri, _ string) (string, []string, error) {
			if strings.HasSuffix(uri, "/gone.pem") {
				return "", nil, errors.New("there is no truststore " + uri)
			}
			return "copy of " + uri, []string{"one certificate has expired"}, nil
		},
	})
	f := &faces{
		t: t, store: s,
		v1: v1control.New(v1control.Options{Store: s, Domains: names, Rand: random}),
		v2: v2control.New(v2control.Options{Store: s, Domains: names, Rand: random}),
		c:  &awswire.Call{Context: ctx, Account: account, Region: region, Time: time.Date(2026, 3, 4, 5, 6, 7, 890, time.UTC)},
	}
	f.update(func(tx *store.Tx) error {
		at := store.Scope{Account: account, Region: region}
		return errors.Join(
			f.certificate(tx, at, "imported", acm.CertificateStatusIssued, "*.example.com"),
			f.certificate(tx, at, "wild", acm.CertificateStatusIssued, "*.example.com", "Example.com", "*.eu.example.com", "*.us.example.com"),
			f.certificate(tx, at, "pending", "PENDING_VALIDATION", "*.example.com"),
			f.certificate(tx, store.Scope{Account: account, Region: "us-east-1"}, "edge", acm.CertificateStatusIssued, "*.example.com"),
			f.api(tx, at, "http1", "HTTP", "$default", "v1"), f.api(tx, at, "socket1", "WEBSOCKET", "prod"),
			f.rest(tx, at, "rest1", "prod", "beta"),
			f.rest(tx, store.Scope{Account: account, Region: "us-east-1"}, "rest2", "prod"),
		)
	})
	return f
}

func (f *faces) update(do func(tx *store.Tx) error) {
	f.t.Helper()
	if err := f.store.Update(context.Background(), do); err != nil {
		f.t.Fatal(err)
	}
}

func certificateARN(region, id string) *string {
	return new("arn:aws:acm:" + region + ":" + account + ":certificate/" + id)
}

func (f *faces) certificate(tx *store.Tx, at store.Scope, id, status string, names ...string) error {
	doc := &definition.Certificate{}
	doc.CertificateArn, doc.Status, doc.DomainName, doc.SubjectAlternativeNames = certificateARN(at.Region, id), &status, &names[0], names
	doc.Type = new(acm.CertificateTypeAmazonIssued)
	if strings.HasPrefix(id, "imported") {
		doc.Type = new(acm.CertificateTypeImported)
	}
	return definition.Certificates.Put(tx, at, doc, id)
}

func (f *faces) api(tx *store.Tx, at store.Scope, id, protocol string, stages ...string) error {
	doc := &definition.API{}
	doc.ApiId, doc.ProtocolType = &id, &protocol
	err := definition.APIs.Put(tx, at, doc, id)
	for _, name := range stages {
		stage := &definition.Stage{}
		stage.StageName = &name
		err = errors.Join(err, definition.Stages.Put(tx, at, stage, id, name))
	}
	return err
}

func (f *faces) rest(tx *store.Tx, at store.Scope, id string, stages ...string) error {
	doc := &definition.RestAPI{}
	doc.Id = &id
	err := definition.RestAPIs.Put(tx, at, doc, id)
	for _, name := range stages {
		stage := &definition.RestStage{}
		stage.StageName = &name
		err = errors.Join(err, definition.RestStages.Put(tx, at, stage, id, name))
	}
	return err
}

// said is an error as a client reads it, "" for none.
func said(err error) string {
	var e *awswire.Error
	if !errors.As(err, &e) {
		if err == nil {
			return ""
		}
		return "internal: " + err.Error()
	}
	return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message)
}

func check(t *testing.T, what string, err error, want string) {
	t.Helper()
	got := said(err)
	if prefix, ok := strings.CutSuffix(want, "…"); ok && strings.HasPrefix(got, prefix) {
		return
	}
	if got != want {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

func (f *faces) create(name string, edit ...func(*apigatewayv2.CreateDomainNameRequest)) (*apigatewayv2.CreateDomainNameResponse, error) {
	in := &apigatewayv2.CreateDomainNameRequest{DomainName: &name, DomainNameConfigurations: []apigatewayv2.DomainNameConfiguration{{
		CertificateArn: certificateARN(region, "wild"), EndpointType: new("REGIONAL"), SecurityPolicy: new("TLS_1_2"),
	}}}
	for _, e := range edit {
		e(in)
	}
	return f.v2.CreateDomainName(f.c, in)
}

func (f *faces) mustCreate(name string) {
	f.t.Helper()
	if _, err := f.create(name); err != nil {
		f.t.Fatal(err)
	}
}
