package contextvar

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/plan"
)

// Every variable that the documentation lists for REST APIs, by the first
// moment at which it can have a value.
func TestLookupREST(t *testing.T) {
	const never = AtEnd + 1
	for from, names := range map[Moment]string{
		AtRequest: `integration.responseTransferMode accountId apiId customDomain.basePathMatched deploymentId domainName domainPrefix extendedRequestId httpMethod identity.accessKey identity.accountId
			identity.apiKey identity.apiKeyId identity.caller identity.sourceIp identity.user identity.userArn identity.userAgent
			identity.vpcId identity.vpceId identity.clientCert.clientCertPem identity.clientCert.subjectDN identity.clientCert.issuerDN
			identity.clientCert.serialNumber identity.clientCert.validity.notBefore identity.clientCert.validity.notAfter
			cipherSuite tlsVersion isCanaryRequest path protocol requestId requestTime requestTimeEpoch resourceId
			resourcePath stage xrayTraceId
			authorizer.claims.sub authorizer.principalId authorizer.error authorizer.integrationLatency authorizer.integrationStatus
			authorizer.latency authorizer.requestId authorizer.status authenticate.error authenticate.latency authenticate.status
			authorize.error authorize.latency authorize.status`,
		AtResponse: `awsEndpointRequestId integration.error integration.integrationStatus integration.latency integration.requestId
			integration.status integrationErrorMessage integrationLatency integrationStatus`,
		AtEnd: `error.message error.messageString error.responseType error.validationErrorString responseLatency responseLength status`,
		never: `awsEndpointRequestId2 endpointType
			identity.cognitoAuthenticationProvider
			identity.cognitoAuthenticationType identity.cognitoIdentityId identity.cognitoIdentityPoolId identity.principalOrgId
			integration.timeToAllHeaders integration.timeToFirstContent waf.error waf.latency waf.status
			wafResponseCode webaclArn`,
	} {
		for name := range strings.FieldsSeq(names) {
			v, known := LookupREST(name)
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
	for _, name := range []string{"", "routeKey", "dataProcessed", "requestOverride.header.x", "identity", "authorizer."} {
		if v, known := LookupREST(name); known || v.Has(AtEnd) {
			t.Errorf("%q is known", name)
		}
	}
}

// restExchange is a request that a method answered.
func restExchange() *plan.Exchange {
	return &plan.Exchange{
		RequestID: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", ExtendedRequestID: "W9zMPGrHtjMEeFw=", TraceRoot: "1-5759e988-bd862e3fe1be46a994272793",
		Stage:       &plan.Stage{API: &plan.API{ID: "a", AccountID: "1"}, Name: "dev", DeploymentID: "d1", Rest: &plan.RestStage{}},
		Route:       &plan.Route{Path: "/pets/{id}", Rest: &plan.Method{ResourceID: "r1"}},
		GatewayPath: "/dev/pets/a%20b",
		Request:     plan.Request{SourceName: "test-invoke-source-ip"},
		APIKey:      "secret-key", APIKeyID: "key-id",
		Caller: plan.Caller{AccountID: "1", ID: "AIDA1", AccessKeyID: "AKIA1", ARN: "arn:aws:iam::1:user/u"},
	}
}

func TestRESTValues(t *testing.T) {
	served := restExchange()
	canary := restExchange()
	canary.Stage.Rest.IsCanary, canary.Stage.Rest.Tracing = true, true
	refused := restExchange()
	refused.Route, refused.APIKey, refused.APIKeyID, refused.Caller = nil, "", "", plan.Caller{}
	refused.Stage.Rest.Canary = &plan.Canary{}
	refused.Error = plan.GatewayError{Type: plan.BadRequestBodyResponse, Raised: true, Message: `a "b" <c>`, Validation: "[x]"}
	null := restExchange()
	null.Error = plan.GatewayError{Type: plan.AuthorizerConfigurationErrorResponse, Raised: true, NoMessage: true}
	for _, test := range []struct{ name, served, canary, refused, null string }{
		{"extendedRequestId", "W9zMPGrHtjMEeFw=", "W9zMPGrHtjMEeFw=", "W9zMPGrHtjMEeFw=", "W9zMPGrHtjMEeFw="},
		{"path", "/dev/pets/a%20b", "/dev/pets/a%20b", "/dev/pets/a%20b", "/dev/pets/a%20b"},
		{"deploymentId", "d1", "d1", "d1", "d1"},
		{"resourceId", "r1", "r1", "-", "r1"},
		{"resourcePath", "/pets/{id}", "/pets/{id}", "-", "/pets/{id}"},
		{"identity.apiKey", "secret-key", "secret-key", "-", "secret-key"},
		{"identity.apiKeyId", "key-id", "key-id", "-", "key-id"},
		{"identity.sourceIp", "test-invoke-source-ip", "test-invoke-source-ip", "test-invoke-source-ip", "test-invoke-source-ip"},
		{"identity.accountId", "1", "1", "-", "1"},
		{"identity.caller", "AIDA1", "AIDA1", "-", "AIDA1"},
		{"identity.user", "AIDA1", "AIDA1", "-", "AIDA1"},
		{"identity.accessKey", "AKIA1", "AKIA1", "-", "AKIA1"},
		{"identity.userArn", "arn:aws:iam::1:user/u", "arn:aws:iam::1:user/u", "-", "arn:aws:iam::1:user/u"},
		{"isCanaryRequest", "-", "true", "false", "-"},
		{"xrayTraceId", "-", "1-5759e988-bd862e3fe1be46a994272793", "-", "-"},
		{"error.message", "-", "-", `a "b" <c>`, "null"},
		{"error.messageString", "-", "-", `"a \"b\" <c>"`, "null"},
		{"error.responseType", "-", "-", "BAD_REQUEST_BODY", "AUTHORIZER_CONFIGURATION_ERROR"},
		{"error.validationErrorString", "-", "-", "[x]", "-"},
	} {
		v, _ := LookupREST(test.name)
		for i, c := range []struct {
			x    *plan.Exchange
			want string
		}{{served, test.served}, {canary, test.canary}, {refused, test.refused}, {null, test.null}} {
			got, ok := v.Append(nil, c.x, time.Second, nil)
			if !ok {
				got = append(got, '-')
			}
			if string(got) != c.want {
				t.Errorf("%s of exchange %d: %q, want %q", test.name, i, got, c.want)
			}
		}
	}
	v, _ := LookupREST("error.messageString")
	escape := func(dst []byte, text string) []byte { return append(dst, strings.ReplaceAll(text, `"`, `'`)...) }
	if got, _ := v.Append(nil, refused, 0, escape); string(got) != `"a 'b' <c>"` {
		t.Errorf("an escaped message: %s", got)
	}
}

// What a map lists is known, except the maps among it and what templates set.
func TestRESTKeys(t *testing.T) {
	maps := []string{"identity", "requestOverride", "responseOverride"}
	if keys := RESTKeys("", &plan.Exchange{}); len(keys) != 18 || keys[0] != "resourceId" || keys[17] != "apiId" {
		t.Errorf("context: %q", keys)
	}
	for _, name := range RESTKeys("", &plan.Exchange{}) {
		if _, known := LookupREST(name); known == slices.Contains(maps, name) {
			t.Errorf("%s: %t", name, known)
		}
	}
	for _, name := range RESTKeys("identity", &plan.Exchange{}) {
		if _, known := LookupREST("identity." + name); !known {
			t.Errorf("identity.%s isn't known", name)
		}
	}
	if keys := RESTKeys("authorizer", &plan.Exchange{}); keys == nil || len(keys) != 0 {
		t.Errorf("authorizer: %q", keys)
	}
	for _, name := range []string{"path", "identity.sourceIp", "authorizer.claims", "nothing"} {
		if keys := RESTKeys(name, &plan.Exchange{}); keys != nil {
			t.Errorf("%s: %q", name, keys)
		}
	}
}
