package compile_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"gatehouse/internal/compile"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
)

// calling are a REST and a WebSocket API that call one backend each.
const calling = `
-- restapi rest --
{"id": "rest", "name": "pets"}
-- resource rest r1 --
{"id": "r1", "path": "/", "resourceMethods": {
	"GET": {"httpMethod": "GET", "authorizationType": "NONE", "methodIntegration": {"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "https://h/"}}}}
-- restdeployment rest d1 --
-- api chat --
{"ApiId": "chat", "Name": "chat", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"}
-- integration chat i --
{"IntegrationId": "i", "IntegrationType": "HTTP_PROXY", "IntegrationUri": "https://h/", "IntegrationMethod": "POST"}
-- route chat r --
{"RouteId": "r", "RouteKey": "$connect", "Target": "integrations/i"}
-- deployment chat d1 --
`

// putCertificate stores a client certificate, whose subject is its id.
func putCertificate(tx *store.Tx, id string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: id}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	doc := &definition.ClientCertificate{PrivateKey: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))}
	doc.ClientCertificateId = &id
	doc.PemEncodedCertificate = new(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	return definition.ClientCertificates.Put(tx, testScope, doc, id)
}

// Backends are shown the certificate that a stage names, of an older deployment,
// too, and by another generation of the gateway.
func TestClientCertificates(t *testing.T) {
	h := newHouse(t)
	h.update(func(tx *store.Tx) error {
		for _, f := range txtar.Parse([]byte(calling)).Files {
			if err := put(tx, f); err != nil {
				return fmt.Errorf("%s: %w", f.Name, err)
			}
		}
		return nil
	})
	// After the deployments, which don't have them.
	h.update(func(tx *store.Tx) error { return errors.Join(putCertificate(tx, "one"), putCertificate(tx, "two")) })

	backends := func(p *plan.Plan) string {
		var list []string
		if api, _ := p.API("rest"); api.Stages["v1"] != nil {
			x := &plan.Exchange{}
			x.Request.Method, x.StagePath = "GET", "/"
			if route, _, ok := api.Stages["v1"].Routes.MatchNested("GET", "/", nil); ok {
				list = append(list, fmt.Sprint(route.Integration))
			}
		}
		if api, _ := p.API("chat"); api.Stages["v1"] != nil && api.Stages["v1"].Socket != nil {
			list = append(list, fmt.Sprint(api.Stages["v1"].Socket.Connect.Integration))
		}
		return strings.Join(list, ", ")
	}
	const rest, chat = "http GET https://h/ append=false timeout=29s", "http POST https://h/ append=false timeout=29s"
	for _, test := range []struct{ id, want string }{
		{"one", rest + " shows=one, " + chat + " shows=one"},
		{"two", rest + " shows=two, " + chat + " shows=two"},
		// Operations refuse it; what was served goes on.
		{"gone", rest + " shows=two, " + chat + " shows=two"},
		{"one", rest + " shows=one, " + chat + " shows=one"},
		{"", rest + ", " + chat},
	} {
		h.update(func(tx *store.Tx) error {
			stage := &definition.RestStage{}
			stage.StageName, stage.DeploymentId, stage.ClientCertificateId = new("v1"), new("d1"), &test.id
			socket := &definition.Stage{}
			socket.StageName, socket.DeploymentId, socket.ClientCertificateId = new("v1"), new("d1"), &test.id
			return errors.Join(definition.RestStages.Put(tx, testScope, stage, "rest", "v1"), definition.Stages.Put(tx, testScope, socket, "chat", "v1"))
		})
		if got := backends(h.Plan()); got != test.want {
			t.Errorf("%s: %s, want %s", test.id, got, test.want)
		}
		if test.id == "gone" {
			continue // a start has nothing to go on with
		}
		fresh := compile.New(printedParts())
		if err := h.View(context.Background(), func(tx *store.Tx) error { _, err := fresh.Load(tx); return err }); err != nil {
			t.Fatal(err)
		}
		if got := backends(fresh.Plan()); got != test.want {
			t.Errorf("%s, after a start: %s, want %s", test.id, got, test.want)
		}
	}

	// A method under test shows what the test names.
	for _, test := range []struct{ id, want string }{{"two", rest + " shows=two"}, {"", rest}, {"gone", "Client certificate gone: it is gone"}} {
		var got string
		err := h.View(context.Background(), func(tx *store.Tx) error {
			_, route, err := h.CompileTest(tx, compile.TestedMethod{Scope: testScope, APIID: "rest", ResourceID: "r1", Method: "GET", ClientCertificateID: test.id})
			if err == nil {
				got = fmt.Sprint(route.Integration)
			} else {
				got = err.Error()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got != test.want {
			t.Errorf("under test with %q: %s, want %s", test.id, got, test.want)
		}
	}
}
