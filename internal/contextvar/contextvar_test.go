package contextvar

import (
	"strings"
	"testing"

	"gatehouse/internal/plan"
)

// Every variable that the documentation lists for HTTP APIs, by the first
// moment at which it can have a value.
func TestLookup(t *testing.T) {
	const never = AtEnd + 1
	for from, names := range map[Moment]string{
		AtRequest: `accountId apiId customDomain.basePathMatched domainName domainPrefix extendedRequestId httpMethod identity.accountId
			identity.caller identity.sourceIp identity.user identity.userAgent identity.userArn path protocol requestId requestTime requestTimeEpoch routeKey stage
			identity.clientCert.clientCertPem identity.clientCert.subjectDN identity.clientCert.issuerDN
			identity.clientCert.serialNumber identity.clientCert.validity.notBefore identity.clientCert.validity.notAfter
			authorizer.claims.sub authorizer.error authorizer.principalId authorizer.anything`,
		AtResponse: `awsEndpointRequestId integration.error integration.integrationStatus integration.latency integration.requestId
			integration.status integrationErrorMessage integrationLatency integrationStatus`,
		AtEnd: `dataProcessed error.message error.messageString responseLatency responseLength status`,
		never: `awsEndpointRequestId2
			error.responseType identity.cognitoAuthenticationProvider
			identity.cognitoAuthenticationType identity.cognitoIdentityId identity.cognitoIdentityPoolId identity.principalOrgId`,
	} {
		for name := range strings.FieldsSeq(names) {
			v, known := Lookup(name)
			if !known {
				t.Errorf("%s isn't known", name)
			}
			for at := AtRequest; at <= AtEnd; at++ {
				if v.Has(at) != (at >= from) {
					t.Errorf("%s at moment %d: %v", name, at, v.Has(at))
				}
			}
		}
	}
	for _, name := range []string{"", "requestID", "authorizer", "authorizer.", "identity", "stageVariables.x", "path "} {
		if v, known := Lookup(name); known || v.Has(AtEnd) {
			t.Errorf("%q is known", name)
		}
	}
}

func TestAppend(t *testing.T) {
	api := &plan.API{ID: "a", AccountID: "1"}
	x := &plan.Exchange{Stage: &plan.Stage{API: api, Name: "dev"}, GatewayPath: "/dev/a%20%22b", Scratch: []byte("kept")}
	quote := func(dst []byte, text string) []byte { return append(dst, strings.ReplaceAll(text, `"`, `\"`)...) }
	for _, test := range []struct {
		name   string
		escape Escape
		want   string
		ok     bool
	}{
		{"path", nil, `/dev/a "b`, true},
		{"path", quote, `/dev/a \"b`, true},
		{"stage", nil, "dev", true},
		{"routeKey", nil, "", false},
		{"integration.status", nil, "", false},
		{"identity.sourceIp", nil, "", false},
		{"identity.user", nil, "", false},
	} {
		v, _ := Lookup(test.name)
		got, ok := v.Append([]byte("x"), x, 0, test.escape)
		if string(got) != "x"+test.want || ok != test.ok {
			t.Errorf("%s: %q, %v", test.name, got, ok)
		}
		if test.escape == nil && string(x.Scratch) != "kept" {
			t.Errorf("%s without an escape wrote Scratch: %q", test.name, x.Scratch)
		}
		x.Scratch = x.Scratch[:len("kept")]
	}
}

func TestNameLen(t *testing.T) {
	for text, want := range map[string]string{
		"requestId":       "requestId",
		"requestId.":      "requestId",
		"a.b_c9... d":     "a.b_c9",
		"claims.cognito:": "claims.cognito",
		"-":               "",
		"..":              "",
		"":                "",
	} {
		if got := text[:NameLen(text)]; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// The client's certificate, on both kinds of API and as a map of a template.
func TestClientCert(t *testing.T) {
	x := &plan.Exchange{ClientCert: &plan.ClientCert{
		PEM: "pem", SubjectDN: "CN=me", IssuerDN: "CN=root", SerialNumber: "1", NotBefore: "May 28 12:30:02 2019 GMT", NotAfter: "Aug  5 09:36:04 2021 GMT",
	}}
	x.Request.TLS = &plan.Handshake{Version: "TLSv1.2", CipherSuite: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}
	for name, want := range map[string]string{
		"identity.clientCert.clientCertPem": "pem", "identity.clientCert.subjectDN": "CN=me", "identity.clientCert.issuerDN": "CN=root",
		"identity.clientCert.serialNumber": "1", "identity.clientCert.validity.notBefore": "May 28 12:30:02 2019 GMT",
		"identity.clientCert.validity.notAfter": "Aug  5 09:36:04 2021 GMT",
		"tlsVersion":                            "TLSv1.2", "cipherSuite": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
	} {
		v, _ := LookupREST(name)
		if got, ok := v.Append(nil, x, 0, nil); string(got) != want || !ok {
			t.Errorf("%s is %q, %v, want %q", name, got, ok, want)
		}
		if got, ok := v.Append(nil, &plan.Exchange{}, 0, nil); ok || len(got) > 0 {
			t.Errorf("%s is %q without a certificate", name, got)
		}
	}
	if got := RESTKeys("identity.clientCert", x); len(got) != 5 {
		t.Errorf("members of clientCert: %q", got)
	}
	if got := RESTKeys("identity.clientCert.validity", x); len(got) != 2 {
		t.Errorf("members of validity: %q", got)
	}
	if RESTKeys("identity.clientCert", &plan.Exchange{}) != nil || RESTKeys("identity.clientCert.validity", &plan.Exchange{}) != nil {
		t.Error("a map without a certificate")
	}
}
