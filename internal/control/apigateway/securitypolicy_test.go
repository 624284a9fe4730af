package apigateway_test

import (
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/apigateway"
)

const (
	tls13     = "SecurityPolicy_TLS13_1_3_2025_09"
	tls12     = "SecurityPolicy_TLS13_1_2_2021_06"
	tls13Edge = "SecurityPolicy_TLS13_2025_EDGE"

	modeRequired = "BadRequestException 400: Endpoint access mode is required for the specified security policy"
	modeRefused  = "BadRequestException 400: Endpoint access mode is not supported for the specified security policy"
)

// What AWS's table of policies has for a type of endpoint, and what it hasn't.
func TestSecurityPolicyOfNewAPIs(t *testing.T) {
	g := newServing(t)
	for _, test := range []struct {
		endpoint, policy, mode string
		want                   string
	}{
		{"REGIONAL", tls13, "STRICT", ""},
		{"PRIVATE", tls12, "BASIC", ""},
		{"EDGE", tls13Edge, "BASIC", ""},
		{"REGIONAL", "TLS_1_2", "", ""},
		{"EDGE", "TLS_1_0", "", ""},
		{"REGIONAL", tls13, "", modeRequired},
		{"REGIONAL", "TLS_1_2", "BASIC", modeRefused},
		{"REGIONAL", "", "STRICT", modeRefused},
		{"REGIONAL", tls13Edge, "BASIC", "BadRequestException 400: The security policy " + tls13Edge + " is not supported for the endpoint type REGIONAL."},
		{"EDGE", tls13, "BASIC", "BadRequestException 400: The security policy " + tls13 + " is not supported for the endpoint type EDGE."},
		{"PRIVATE", "TLS_1_0", "", "BadRequestException 400: The security policy TLS_1_0 is not supported for the endpoint type PRIVATE."},
	} {
		in := &api.CreateRestApiRequest{
			Name: new("n"), SecurityPolicy: new(test.policy), EndpointAccessMode: new(test.mode),
			EndpointConfiguration: &api.EndpointConfiguration{Types: []string{test.endpoint}},
		}
		created, err := g.CreateRestApi(g.call(), in)
		if got := describeError(err); err != nil && got != test.want || err == nil && test.want != "" {
			t.Errorf("%+v: %s", test, got)
		}
		document := `{"openapi": "3.0.1", "info": {"title": "n"}, "paths": {}, "x-amazon-apigateway-security-policy": "` + test.policy + `", "x-amazon-apigateway-endpoint-access-mode": "` + test.mode + `"}`
		imported, err := g.ImportRestApi(g.call(), &api.ImportRestApiRequest{Body: []byte(document), Parameters: map[string]string{"endpointConfigurationTypes": test.endpoint}})
		if got := describeError(err); err != nil && got != test.want || err == nil && test.want != "" {
			t.Errorf("%+v, imported: %s", test, got)
		}
		for _, made := range []*api.RestApi{created, imported} {
			if made == nil {
				continue
			}
			if text(made.SecurityPolicy) != test.policy || text(made.EndpointAccessMode) != test.mode {
				t.Errorf("%+v: %+v", test, made)
			}
		}
	}
}

// text is what a member says, "" for nothing.
func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

func TestSecurityPolicyUpdates(t *testing.T) {
	const policy, mode, kind = "/securityPolicy", "/endpointAccessMode", "/endpointConfiguration/types/0"
	g := newServing(t)
	id := *must[*api.RestApi](t)(g.CreateRestApi(g.call(), &api.CreateRestApiRequest{
		Name: new("n"), EndpointConfiguration: &api.EndpointConfiguration{Types: []string{"REGIONAL"}},
	})).Id
	for _, step := range []struct {
		ops  []string
		want string // of policy, mode and type, or the error
	}{
		{[]string{"replace", policy, "TLS_1_2"}, "BadRequestException 400: Unable to update the security policy from TLS_1_0 to TLS_1_2."},
		{[]string{"replace", policy, "TLS_9"}, "BadRequestException 400: Invalid security policy specified: TLS_9"},
		{[]string{"replace", mode, "LOOSE"}, "BadRequestException 400: Invalid endpoint access mode specified. Valid options are BASIC,STRICT"},
		{[]string{"replace", policy, tls13}, modeRequired},
		{[]string{"replace", policy, tls13, "replace", mode, "STRICT"}, tls13 + " STRICT REGIONAL"},
		{[]string{"replace", policy, tls12}, tls12 + " STRICT REGIONAL"},
		{[]string{"replace", policy, tls13Edge, "replace", kind, "EDGE"}, "BadRequestException 400: Unable to update EndpointType. The endpoint access mode must be BASIC…"},
		{[]string{"replace", policy, "TLS_1_0"}, modeRefused},
		{[]string{"replace", mode, "BASIC"}, tls12 + " BASIC REGIONAL"},
		{[]string{"replace", kind, "EDGE"}, "BadRequestException 400: Unable to update EndpointType. SecurityPolicy is required for EndpointType update."},
		{[]string{"replace", policy, tls13Edge, "replace", kind, "EDGE"}, tls13Edge + " BASIC EDGE"},
		{[]string{"replace", policy, "TLS_1_0", "replace", mode, ""}, "TLS_1_0  EDGE"},
		{[]string{"replace", policy, "TLS_1_2"}, "BadRequestException 400: Unable to update the security policy from TLS_1_0 to TLS_1_2."},
	} {
		updated, err := g.updateAPI(id, patch(step.ops...)...)
		got := describeError(err)
		if err == nil {
			got = text(updated.SecurityPolicy) + " " + text(updated.EndpointAccessMode) + " " + strings.Join(updated.EndpointConfiguration.Types, ",")
		}
		if got != step.want && !(strings.HasSuffix(step.want, "…") && strings.HasPrefix(got, strings.TrimSuffix(step.want, "…"))) {
			t.Errorf("%s: %s, want %s", step.ops, got, step.want)
		}
	}
	// What a document says is held against what the API has.
	document := []byte(`{"openapi": "3.0.1", "info": {"title": "n"}, "paths": {}, "x-amazon-apigateway-security-policy": "TLS_1_2"}`)
	if _, err := g.PutRestApi(g.call(), &api.PutRestApiRequest{RestApiId: &id, Body: document}); describeError(err) != "BadRequestException 400: Unable to update the security policy from TLS_1_0 to TLS_1_2." {
		t.Errorf("a document: %v", err)
	}
}
