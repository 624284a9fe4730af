package apigatewayv2_test

import (
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/apigatewayv2"
)

func TestVpcLink(t *testing.T) {
	g := newGateway(t)
	create := func(subnets ...string) *api.CreateVpcLinkResponse {
		t.Helper()
		return must[*api.CreateVpcLinkResponse](t)(g.CreateVpcLink(g.call(), &api.CreateVpcLinkRequest{Name: new("one"), SubnetIds: subnets, Tags: map[string]string{"a": "b"}}))
	}
	link := create("subnet-1")
	if *link.VpcLinkStatus != "PENDING" {
		t.Errorf("a new link is %s", *link.VpcLinkStatus)
	}
	id := link.VpcLinkId
	got := must[*api.GetVpcLinkResponse](t)(g.GetVpcLink(g.call(), &api.GetVpcLinkRequest{VpcLinkId: id}))
	if *got.VpcLinkStatus != "AVAILABLE" || *got.VpcLinkVersion != "V2" || got.Tags["a"] != "b" || got.SecurityGroupIds == nil {
		t.Errorf("the link is %+v", got)
	}
	second := create("subnet-2").VpcLinkId
	all := must[*api.GetVpcLinksResponse](t)(g.GetVpcLinks(g.call(), &api.GetVpcLinksRequest{}))
	if len(all.Items) != 2 {
		t.Errorf("%d links", len(all.Items))
	}
	must[*api.UpdateVpcLinkResponse](t)(g.UpdateVpcLink(g.call(), &api.UpdateVpcLinkRequest{VpcLinkId: id, Name: new("two")}))
	arn := "arn:aws:apigateway:us-east-1::/vpclinks/" + *id
	must[*api.TagResourceResponse](t)(g.TagResource(g.call(), &api.TagResourceRequest{ResourceArn: &arn, Tags: map[string]string{"c": "d"}}))
	tags := must[*api.GetTagsResponse](t)(g.GetTags(g.call(), &api.GetTagsRequest{ResourceArn: &arn}))
	if len(tags.Tags) != 2 {
		t.Errorf("tags %v", tags.Tags)
	}

	apiID := must[*api.CreateApiResponse](t)(g.CreateApi(g.call(), &api.CreateApiRequest{Name: new("n"), ProtocolType: new("HTTP")})).ApiId
	listener := "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/lb/0123456789abcdef/0123456789abcdef"
	integrate := func(uri string) (*api.CreateIntegrationResult, error) {
		return g.CreateIntegration(g.call(), &api.CreateIntegrationRequest{
			ApiId: apiID, IntegrationType: new("HTTP_PROXY"), IntegrationMethod: new("ANY"), ConnectionType: new("VPC_LINK"), ConnectionId: id, IntegrationUri: &uri,
			PayloadFormatVersion: new("1.0"), TlsConfig: &api.TlsConfigInput{ServerNameToVerify: new("h.test")},
		})
	}
	for _, uri := range []string{
		"http://example.com",
		strings.Replace(listener, ":listener/", ":loadbalancer/", 1),
		strings.Replace(listener, "000000000000", "111111111111", 1),
		strings.Replace(listener, "us-east-1", "eu-west-1", 1),
		listener + "?a=b",
		"arn:aws:servicediscovery:us-east-1:000000000000:namespace/ns-1",
		"arn:aws:servicediscovery:us-east-1:000000000000:service/srv-1?a=%zz",
	} {
		_, err := integrate(uri)
		if got := describeError(err); got != "BadRequestException 400: For VpcLink VPC_LINK, integration uri should be a valid ELB listener ARN or a valid Cloud Map service ARN." {
			t.Errorf("%s: %s", uri, got)
		}
	}
	if _, err := integrate("arn:aws:servicediscovery:us-east-1:000000000000:service/srv-1?stage=prod&v=1"); err != nil {
		t.Error(err)
	}
	in, err := integrate(listener)
	if err != nil {
		t.Fatal(err)
	}
	if in.TlsConfig == nil || *in.TlsConfig.ServerNameToVerify != "h.test" || *in.ConnectionId != *id {
		t.Errorf("integration %+v", in)
	}
	// An empty structure takes a setting back, and another connection the link.
	up := must[*api.UpdateIntegrationResult](t)(g.UpdateIntegration(g.call(), &api.UpdateIntegrationRequest{
		ApiId: apiID, IntegrationId: in.IntegrationId, TlsConfig: &api.TlsConfigInput{}, ConnectionType: new("INTERNET"), IntegrationUri: new("https://example.com"),
	}))
	if up.TlsConfig != nil || up.ConnectionId != nil {
		t.Errorf("integration %+v", up)
	}

	// No stage uses the other integration yet.
	if _, err := g.DeleteVpcLink(g.call(), &api.DeleteVpcLinkRequest{VpcLinkId: second}); err != nil {
		t.Error(err)
	}
	must[*api.CreateStageResponse](t)(g.CreateStage(g.call(), &api.CreateStageRequest{ApiId: apiID, StageName: new("prod")}))
	_, err = g.DeleteVpcLink(g.call(), &api.DeleteVpcLinkRequest{VpcLinkId: id})
	if got, want := describeError(err), "BadRequestException 400: Cannot delete vpc link. Vpc link '"+*id+"', is referenced in [ANY:"; !strings.HasPrefix(got, want) || !strings.HasSuffix(got, ":prod] in format of [Method:Resource:Stage].") {
		t.Errorf("deleting a link in use: %s", got)
	}
	if err := g.DeleteApi(g.call(), &api.DeleteApiRequest{ApiId: apiID}); err != nil {
		t.Fatal(err)
	}
	if _, err := g.DeleteVpcLink(g.call(), &api.DeleteVpcLinkRequest{VpcLinkId: id}); err != nil {
		t.Error(err)
	}
	_, err = g.GetVpcLink(g.call(), &api.GetVpcLinkRequest{VpcLinkId: id})
	if got := describeError(err); !strings.HasPrefix(got, "NotFoundException 404") {
		t.Errorf("a link that is gone: %s", got)
	}
}
