package apigateway_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

func TestTags(t *testing.T) {
	g := newStaged(t)
	c := g.call()
	at := store.Scope{Account: "000000000000", Region: "us-east-1"}
	if err := g.store.Update(context.Background(), func(tx *store.Tx) error {
		return errors.Join(
			definition.APIKeys.Put(tx, at, &definition.APIKey{ApiKey: api.ApiKey{Id: new("key1")}}, "key1"),
			definition.UsagePlans.Put(tx, at, &definition.UsagePlan{UsagePlan: api.UsagePlan{Id: new("plan1")}}, "plan1"),
			definition.ClientCertificates.Put(tx, at, &definition.ClientCertificate{ClientCertificate: api.ClientCertificate{ClientCertificateId: new("cert1")}}, "cert1"))
	}); err != nil {
		t.Fatal(err)
	}
	tags := func(arn string) any {
		t.Helper()
		return must[*api.Tags](t)(g.GetTags(c, &api.GetTagsRequest{ResourceArn: &arn})).Tags
	}
	const prefix = "arn:aws:apigateway:us-east-1::"
	for _, path := range []string{"/restapis/" + g.id, "/restapis/" + g.id + "/stages/dev", "/apikeys/key1", "/usageplans/plan1", "/clientcertificates/cert1"} {
		arn := prefix + path
		sameJSON(t, path, tags(arn), `{}`)
		if err := g.TagResource(c, &api.TagResourceRequest{ResourceArn: &arn, Tags: map[string]string{"a": "1", "b/c": "2"}}); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if err := g.TagResource(c, &api.TagResourceRequest{ResourceArn: &arn, Tags: map[string]string{"a": "3"}}); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		sameJSON(t, path, tags(arn), `{"a": "3", "b/c": "2"}`)
		if err := g.UntagResource(c, &api.UntagResourceRequest{ResourceArn: &arn, TagKeys: []string{"a", "nope"}}); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		sameJSON(t, path, tags(arn), `{"b/c": "2"}`)
	}
	sameJSON(t, "the stage", g.get().Tags, `{"b/c": "2"}`)
	arn := prefix + "/restapis/" + g.id
	many := map[string]string{}
	for i := range 50 {
		many[fmt.Sprint("k", i)] = ""
	}
	tag := func(arn string, tags map[string]string) error {
		return g.TagResource(c, &api.TagResourceRequest{ResourceArn: &arn, Tags: tags})
	}
	checkRefusals(t, []refusal{
		{"no ARN", tag("restapis/"+g.id, nil), "BadRequestException 400: Invalid resource ARN specified: restapis/" + g.id},
		{"another service", tag("arn:aws:lambda:us-east-1::/restapis/"+g.id, nil), "BadRequestException 400: Invalid resource ARN specified: …"},
		{"another region", tag("arn:aws:apigateway:eu-west-1::/restapis/"+g.id, nil), "NotFoundException 404: Invalid resource ARN specified: …"},
		{"another kind", tag(prefix+"/sdktypes/go", nil), "BadRequestException 400: Invalid resource ARN specified: …"},
		{"too long", tag(arn+"/stages/dev/x", nil), "BadRequestException 400: Invalid resource ARN specified: …"},
		{"unknown API", tag(prefix+"/restapis/nope", nil), "NotFoundException 404: Invalid API identifier specified 000000000000:nope"},
		{"unknown stage", tag(arn+"/stages/nope", nil), "NotFoundException 404: Invalid stage identifier specified"},
		{"unknown key", tag(prefix+"/apikeys/nope", nil), "NotFoundException 404: Invalid API Key identifier specified"},
		{"domains", tag(prefix+"/domainnames/example.com", nil), "NotFoundException 404: Invalid domain name identifier specified"},
		{"many", tag(arn, many), "BadRequestException 400: A resource can have at most 50 tags"},
		{"empty key", tag(arn, map[string]string{"": "x"}), "BadRequestException 400: Tag keys must have between 1 and 128 characters"},
		{"long value", tag(arn, map[string]string{"x": strings.Repeat("v", 257)}), "BadRequestException 400: Tag values must have at most 256 characters"},
	})
}
