package access

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/awsapi/acm"
	v1 "gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awsapi/apigatewaymanagementapi"
	v2 "gatehouse/internal/awsapi/apigatewayv2"
	cognito "gatehouse/internal/awsapi/cognitoidp"
	iamapi "gatehouse/internal/awsapi/iam"
	lambdaapi "gatehouse/internal/awsapi/lambda"
	logsapi "gatehouse/internal/awsapi/logs"
	zonesapi "gatehouse/internal/awsapi/route53"
	stsapi "gatehouse/internal/awsapi/sts"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/iam"
)

const (
	user = "arn:aws:iam::123456789012:user/me"
	role = "arn:aws:iam::123456789012:role/app/r"
)

func TestNeeds(t *testing.T) {
	on := func(service string) func(rest string) string {
		return func(rest string) string { return "arn:aws:" + service + ":eu-west-1:123456789012:" + rest }
	}
	inIAM := func(rest string) string { return "arn:aws:iam::123456789012:" + rest }
	inLambda, inLogs := on("lambda"), on("logs")
	gateway := func(path string) string { return "arn:aws:apigateway:eu-west-1::" + path }
	private := on("apigateway")("/domainnames/api.example.test+x1")
	tests := []struct {
		service, operation string
		in                 any
		method, path       string
		want               string
	}{
		{"iam", "CreateUser", &iamapi.CreateUserRequest{UserName: new("u"), Path: new("/a/")}, "", "", "iam:CreateUser " + inIAM("user/a/u")},
		{"iam", "CreateRole", &iamapi.CreateRoleRequest{RoleName: new("r")}, "", "", "iam:CreateRole " + inIAM("role/r")},
		{"iam", "CreatePolicy", &iamapi.CreatePolicyRequest{PolicyName: new("p")}, "", "", "iam:CreatePolicy " + inIAM("policy/p")},
		{"iam", "AttachUserPolicy", &iamapi.AttachUserPolicyRequest{UserName: new("u"), PolicyArn: new("arn:aws:iam::aws:policy/P")}, "", "", "iam:AttachUserPolicy " + inIAM("user/u")},
		{"iam", "GetPolicy", &iamapi.GetPolicyRequest{PolicyArn: new("arn:aws:iam::aws:policy/P")}, "", "", "iam:GetPolicy arn:aws:iam::aws:policy/P"},
		{"iam", "AddUserToGroup", &iamapi.AddUserToGroupRequest{UserName: new("u"), GroupName: new("g")}, "", "", "iam:AddUserToGroup " + inIAM("group/g")},
		{"iam", "AddRoleToInstanceProfile", &iamapi.AddRoleToInstanceProfileRequest{RoleName: new("r"), InstanceProfileName: new("i")}, "", "", "iam:AddRoleToInstanceProfile " + inIAM("instance-profile/i") + ", iam:PassRole " + inIAM("role/r")},
		{"iam", "ListAccessKeys", &iamapi.ListAccessKeysRequest{}, "", "", "iam:ListAccessKeys " + user},
		{"iam", "ListUsers", &iamapi.ListUsersRequest{}, "", "", "iam:ListUsers " + inIAM("user/")},
		{"iam", "ListPolicies", &iamapi.ListPoliciesRequest{}, "", "", "iam:ListPolicies policy path /"},
		{"iam", "ListAccountAliases", &iamapi.ListAccountAliasesRequest{}, "", "", "iam:ListAccountAliases *"},
		{"iam", "GetAccountSummary", nil, "", "", "iam:GetAccountSummary *"},
		{"iam", "UpdateUser", &iamapi.UpdateUserRequest{UserName: new("u"), NewUserName: new("w"), NewPath: new("/b/")}, "", "", "iam:UpdateUser " + inIAM("user/u") + ", iam:UpdateUser " + inIAM("user/b/w")},
		{"iam", "UpdateGroup", &iamapi.UpdateGroupRequest{GroupName: new("g"), NewGroupName: new("h")}, "", "", "iam:UpdateGroup " + inIAM("group/g") + ", iam:UpdateGroup " + inIAM("group/h")},
		{"iam", "SimulatePrincipalPolicy", &iamapi.SimulatePrincipalPolicyRequest{PolicySourceArn: new(role)}, "", "", "iam:SimulatePrincipalPolicy " + role},

		{"route53", "ChangeResourceRecordSets", &zonesapi.ChangeResourceRecordSetsRequest{HostedZoneId: new("/hostedzone/Z1")}, "", "", "route53:ChangeResourceRecordSets arn:aws:route53:::hostedzone/Z1"},
		{"route53", "GetHostedZone", &zonesapi.GetHostedZoneRequest{Id: new("Z1")}, "", "", "route53:GetHostedZone arn:aws:route53:::hostedzone/Z1"},
		{"route53", "GetChange", &zonesapi.GetChangeRequest{Id: new("C1")}, "", "", "route53:GetChange arn:aws:route53:::change/C1"},
		{"route53", "ListTagsForResource", &zonesapi.ListTagsForResourceRequest{ResourceType: new("hostedzone"), ResourceId: new("Z1")}, "", "", "route53:ListTagsForResource arn:aws:route53:::hostedzone/Z1"},
		{"route53", "ListTagsForResources", &zonesapi.ListTagsForResourcesRequest{ResourceType: new("hostedzone"), ResourceIds: []string{"Z1", "Z2"}}, "", "", "route53:ListTagsForResources arn:aws:route53:::hostedzone/Z1, route53:ListTagsForResources arn:aws:route53:::hostedzone/Z2"},
		{"route53", "CreateHostedZone", &zonesapi.CreateHostedZoneRequest{Name: new("a.test")}, "", "", "route53:CreateHostedZone *"},
		{"route53", "ListHostedZonesByName", &zonesapi.ListHostedZonesByNameRequest{HostedZoneId: new("Z1")}, "", "", "route53:ListHostedZonesByName *"},

		{"sts", "GetCallerIdentity", &stsapi.GetCallerIdentityRequest{}, "", "", ""},
		{"sts", "AssumeRole", &stsapi.AssumeRoleRequest{}, "", "", ""},
		{"sts", "GetFederationToken", &stsapi.GetFederationTokenRequest{Name: new("bob")}, "", "", "sts:GetFederationToken arn:aws:sts::123456789012:federated-user/bob"},
		{"sts", "GetAccessKeyInfo", &stsapi.GetAccessKeyInfoRequest{AccessKeyId: new("A")}, "", "", "sts:GetAccessKeyInfo *"},

		{"lambda", "GetFunction", &lambdaapi.GetFunctionRequest{FunctionName: new("f")}, "", "", "lambda:GetFunction " + inLambda("function:f")},
		{"lambda", "Invoke", &lambdaapi.InvocationRequest{FunctionName: new("f"), Qualifier: new("live")}, "", "", "lambda:InvokeFunction " + inLambda("function:f:live")},
		{"lambda", "Invoke", &lambdaapi.InvocationRequest{FunctionName: new("f:2")}, "", "", "lambda:InvokeFunction " + inLambda("function:f:2")},
		{"lambda", "Invoke", &lambdaapi.InvocationRequest{FunctionName: new("arn:aws:lambda:us-east-1:210987654321:function:f")}, "", "", "lambda:InvokeFunction arn:aws:lambda:us-east-1:210987654321:function:f"},
		{"lambda", "CreateFunction", &lambdaapi.CreateFunctionRequest{FunctionName: new("f"), Role: new(role), Layers: []string{inLambda("layer:l:1")}}, "", "",
			"lambda:CreateFunction " + inLambda("function:f") + ", lambda:GetLayerVersion " + inLambda("layer:l:1") + ", iam:PassRole " + role},
		{"lambda", "ListFunctions", &lambdaapi.ListFunctionsRequest{}, "", "", "lambda:ListFunctions *"},
		{"lambda", "GetLayerVersion", &lambdaapi.GetLayerVersionRequest{LayerName: new("l"), VersionNumber: new(int64(3))}, "", "", "lambda:GetLayerVersion " + inLambda("layer:l:3")},
		{"lambda", "GetLayerVersionByArn", &lambdaapi.GetLayerVersionByArnRequest{Arn: new(inLambda("layer:l:3"))}, "", "", "lambda:GetLayerVersion " + inLambda("layer:l:3")},
		{"lambda", "TagResource", &lambdaapi.TagResourceRequest{Resource: new(inLambda("function:f"))}, "", "", "lambda:TagResource " + inLambda("function:f")},
		{"lambda", "CreateEventSourceMapping", &lambdaapi.CreateEventSourceMappingRequest{FunctionName: new("f")}, "", "", "lambda:CreateEventSourceMapping *"},

		{"logs", "PutLogEvents", &logsapi.PutLogEventsRequest{LogGroupName: new("/g"), LogStreamName: new("s")}, "", "", "logs:PutLogEvents " + inLogs("log-group:/g:log-stream:s")},
		{"logs", "DeleteLogGroup", &logsapi.DeleteLogGroupRequest{LogGroupName: new("/g")}, "", "", "logs:DeleteLogGroup " + inLogs("log-group:/g:log-stream:")},
		{"logs", "DescribeLogGroups", &logsapi.DescribeLogGroupsRequest{}, "", "", "logs:DescribeLogGroups " + inLogs("log-group::log-stream:")},
		{"logs", "TagResource", &logsapi.TagResourceRequest{ResourceArn: new(inLogs("log-group:/g"))}, "", "", "logs:TagResource " + inLogs("log-group:/g")},
		{"logs", "FilterLogEvents", &logsapi.FilterLogEventsRequest{LogGroupIdentifier: new(inLogs("log-group:/g:*"))}, "", "", "logs:FilterLogEvents " + inLogs("log-group:/g:log-stream:")},
		{"logs", "GetQueryResults", &logsapi.GetQueryResultsRequest{QueryId: new("q")}, "", "", "logs:GetQueryResults *"},

		{"apigateway", "GetRestApi", &v1.GetRestApiRequest{}, "GET", "/restapis/a", "apigateway:GET " + gateway("/restapis/a")},
		{"apigateway", "CreateRestApi", &v1.CreateRestApiRequest{Policy: new("{}")}, "POST", "/restapis", "apigateway:POST " + gateway("/restapis") + ", apigateway:UpdateRestApiPolicy " + gateway("/restapis")},
		{"apigateway", "UpdateRestApi", &v1.UpdateRestApiRequest{PatchOperations: []v1.PatchOperation{{Path: new("/policy"), Value: new("")}}}, "PATCH", "/restapis/a", "apigateway:PATCH " + gateway("/restapis/a") + ", apigateway:UpdateRestApiPolicy " + gateway("/restapis/a")},
		{"apigateway", "PutIntegration", &v1.PutIntegrationRequest{Credentials: new(role)}, "PUT", "/restapis/a/resources/b/methods/GET/integration", "apigateway:PUT " + gateway("/restapis/a/resources/b/methods/GET/integration") + ", iam:PassRole " + role},
		{"apigateway", "PutIntegration", &v1.PutIntegrationRequest{Credentials: new("arn:aws:iam::*:user/*")}, "PUT", "/restapis/a", "apigateway:PUT " + gateway("/restapis/a")},
		{"apigateway", "PutIntegration", &v1.PutIntegrationRequest{Credentials: new(inIAM("role/app-${stageVariables.r}"))}, "PUT", "/restapis/a", "apigateway:PUT " + gateway("/restapis/a") + ", iam:PassRole " + inIAM("role/app-*")},
		{"apigateway", "PutIntegration", &v1.PutIntegrationRequest{Credentials: new(inIAM("${stageVariables.r}"))}, "PUT", "/restapis/a", "apigateway:PUT " + gateway("/restapis/a") + ", iam:PassRole " + inIAM("role/*")},
		{"apigateway", "PutIntegration", &v1.PutIntegrationRequest{Credentials: new("${stageVariables.r}")}, "PUT", "/restapis/a", "apigateway:PUT " + gateway("/restapis/a") + ", iam:PassRole " + inIAM("role/*")},
		{"apigateway", "UpdateIntegration", &v1.UpdateIntegrationRequest{PatchOperations: []v1.PatchOperation{{Path: new("/credentials"), Value: new(role)}}}, "PATCH", "/restapis/a", "apigateway:PATCH " + gateway("/restapis/a") + ", iam:PassRole " + role},
		{"apigateway", "ImportRestApi", &v1.ImportRestApiRequest{Body: []byte(`{"paths":{"/a":{"get":{"x-amazon-apigateway-integration":{"credentials":"arn:aws:iam::${AWS::AccountId}:role/app/r"}},"put":{"x-amazon-apigateway-integration":{"credentials":"` + role + `"}}}}}`)}, "POST", "/restapis", "apigateway:POST " + gateway("/restapis") + ", iam:PassRole " + role},
		{"apigateway", "PutRestApi", &v1.PutRestApiRequest{Body: []byte("x-amazon-apigateway-policy: {}\ncomponents: {securitySchemes: {a: {x-amazon-apigateway-authorizer: {authorizerCredentials: \"" + role + "\"}}}}")}, "PUT", "/restapis/a", "apigateway:PUT " + gateway("/restapis/a") + ", apigateway:UpdateRestApiPolicy " + gateway("/restapis/a") + ", iam:PassRole " + role},
		{"apigateway", "PutRestApi", &v1.PutRestApiRequest{Body: []byte(`{"x":[{"credentials":"arn:aws:iam::*:user/*"},{"credentials":{"a":1}}]}`)}, "PUT", "/restapis/a", "apigateway:PUT " + gateway("/restapis/a")},
		{"apigateway", "ImportRestApi", &v1.ImportRestApiRequest{Body: []byte("{")}, "POST", "/restapis", "apigateway:POST " + gateway("/restapis")},
		{"apigatewayv2", "ImportApi", &v2.ImportApiRequest{Body: new(`{"components":{"x-amazon-apigateway-integrations":{"i":{"credentials":"` + role + `"}}}}`)}, "PUT", "/v2/apis", "apigateway:PUT " + gateway("/apis") + ", iam:PassRole " + role},
		{"apigatewayv2", "ReimportApi", &v2.ReimportApiRequest{Body: new(`{"x":{"credentials":"` + role + `"}}`)}, "PUT", "/v2/apis/a", "apigateway:PUT " + gateway("/apis/a") + ", iam:PassRole " + role},
		{"apigatewayv2", "CreateIntegration", &v2.CreateIntegrationRequest{CredentialsArn: new(role)}, "POST", "/v2/apis/a/integrations", "apigateway:POST " + gateway("/apis/a/integrations") + ", iam:PassRole " + role},
		{"apigateway", "DeleteDomainName", &v1.DeleteDomainNameRequest{}, "DELETE", "/domainnames/API.Example.test", "apigateway:DELETE " + gateway("/domainnames/api.example.test")},
		{"apigatewayv2", "GetApiMapping", &v2.GetApiMappingRequest{}, "GET", "/v2/domainnames/API.Example.test/apimappings/aB", "apigateway:GET " + gateway("/domainnames/api.example.test/apimappings/aB")},
		{"apigateway", "TagResource", &v1.TagResourceRequest{}, "PUT", "/tags/arn%3Aaws%3Aapigateway%3Aeu-west-1%3A%3A%2Fdomainnames%2FAPI.Example.test", "apigateway:PUT " + gateway("/tags/arn%3Aaws%3Aapigateway%3Aeu-west-1%3A%3A%2Fdomainnames%2Fapi.example.test")},
		{"apigateway", "CreateDomainName", &v1.CreateDomainNameRequest{Policy: new("{}")}, "POST", "/domainnames", "apigateway:POST " + gateway("/domainnames") + ", apigateway:UpdateDomainNamePolicy " + gateway("/domainnames")},
		{"apigateway", "UpdateDomainName", &v1.UpdateDomainNameRequest{DomainNameId: new("x1"), PatchOperations: []v1.PatchOperation{{Path: new("/policy")}, {Path: new("/managementPolicy")}}}, "PATCH", "/domainnames/API.Example.test",
			"apigateway:PATCH " + private + ", apigateway:UpdateDomainNamePolicy " + private + ", apigateway:UpdateDomainNameManagementPolicy " + private},
		{"apigateway", "GetBasePathMapping", &v1.GetBasePathMappingRequest{DomainNameId: new("x1")}, "GET", "/domainnames/API.Example.test/basepathmappings/v1", "apigateway:GET " + private + "/basepathmappings/v1"},
		{"apigateway", "CreateDomainNameAccessAssociation", &v1.CreateDomainNameAccessAssociationRequest{DomainNameArn: new(private)}, "POST", "/domainnameaccessassociations",
			"apigateway:POST " + gateway("/domainnameaccessassociations") + ", apigateway:CreateAccessAssociation " + private},
		{"apigateway", "RejectDomainNameAccessAssociation", &v1.RejectDomainNameAccessAssociationRequest{DomainNameArn: new(private)}, "POST", "/rejectdomainnameaccessassociations", "apigateway:RejectAccessAssociation " + private},
		{"apigatewayv2", "CreateRoutingRule", &v2.CreateRoutingRuleRequest{}, "POST", "/v2/domainnames/API.Example.test/routingrules", "apigateway:CreateRoutingRule " + on("apigateway")("/domainnames/api.example.test/routingrules/*")},
		{"apigatewayv2", "ListRoutingRules", &v2.ListRoutingRulesRequest{}, "GET", "/v2/domainnames/api.example.test/routingrules", "apigateway:ListRoutingRules " + on("apigateway")("/domainnames/api.example.test/routingrules/*")},
		{"apigatewayv2", "PutRoutingRule", &v2.PutRoutingRuleRequest{}, "PUT", "/v2/domainnames/api.example.test/routingrules/aaa111", "apigateway:UpdateRoutingRule " + on("apigateway")("/domainnames/api.example.test/routingrules/aaa111")},
		{"apigatewayv2", "DeleteRoutingRule", &v2.DeleteRoutingRuleRequest{}, "DELETE", "/v2/domainnames/api.example.test/routingrules/aaa111", "apigateway:DeleteRoutingRule " + on("apigateway")("/domainnames/api.example.test/routingrules/aaa111")},
		{"apigatewayv2", "GetStage", &v2.GetStageRequest{}, "GET", "/v2/apis/a/stages/$default", "apigateway:GET " + gateway("/apis/a/stages/$default")},

		{"execute-api", "PostToConnection", &apigatewaymanagementapi.PostToConnectionRequest{ConnectionId: new("L0SM9cOFvHcCIhw=")}, "POST", "/@connections/L0SM9cOFvHcCIhw=",
			"execute-api:ManageConnections arn:aws:execute-api:us-east-1:********9012:abc/prod/POST/@connections/{connectionId}"},
		{"cognito-idp", "DescribeUserPool", &cognito.DescribeUserPoolRequest{UserPoolId: new("eu-west-1_x")}, "", "", "cognito-idp:DescribeUserPool " + on("cognito-idp")("userpool/eu-west-1_x")},
		{"acm", "DescribeCertificate", &acm.DescribeCertificateRequest{CertificateArn: new(on("acm")("certificate/c"))}, "", "", "acm:DescribeCertificate " + on("acm")("certificate/c")},
		{"acm", "ListCertificates", &acm.ListCertificatesRequest{}, "", "", "acm:ListCertificates *"},
	}
	g := New(Options{})
	for _, tt := range tests {
		t.Run(tt.operation, func(t *testing.T) {
			r := &request{
				Call: &awswire.Call{
					Account: "123456789012", Region: "eu-west-1", Principal: awswire.Principal{Account: "123456789012", ARN: user},
					Stage: awswire.APIStage{Account: "123456789012", Region: "us-east-1", APIID: "abc", Stage: "prod"},
				},
				Action:     &awswire.Action{Service: tt.service, Model: tt.service, Operation: tt.operation, Method: tt.method, Path: tt.path, Input: tt.in},
				identities: iam.NewDirectory(),
			}
			if tt.service == "apigatewayv2" {
				r.Service = "apigateway"
			}
			var got []string
			for _, n := range g.needs(r) {
				got = append(got, n.action+" "+cmp.Or(n.shown, n.resource))
			}
			if text := strings.Join(got, ", "); text != tt.want {
				t.Errorf("needs %s\n want %s", text, tt.want)
			}
		})
	}
}

func TestKeys(t *testing.T) {
	k := &keys{
		call:   &awswire.Call{Region: "eu-west-1", SourceIP: "192.0.2.1"},
		action: &awswire.Action{UserAgent: "curl", Input: &v2.TagResourceRequest{Tags: map[string]string{"Team": "a"}}},
		need:   &need{keys: map[string][]string{"iam:passedtoservice": {"x"}}}, principal: &iam.Identity{},
	}
	for key, want := range map[string][]string{
		"aws:sourceip": {"192.0.2.1"}, "aws:securetransport": {"false"}, "aws:requestedregion": {"eu-west-1"}, "aws:useragent": {"curl"},
		"aws:requesttag/team": {"a"}, "aws:tagkeys": {"Team"}, "iam:passedtoservice": {"x"}, "aws:requesttag/other": nil, "aws:referer": nil, "aws:username": nil,
		"aws:epochtime": {"-62135596800"}, "aws:currenttime": {"0001-01-01T00:00:00Z"},
	} {
		if got, ok := k.Lookup(key); !slices.Equal(got, want) || ok != (want != nil) {
			t.Errorf("%s is %v, %v, want %v", key, got, ok, want)
		}
	}
	k.action.Input = &iamapi.UntagUserRequest{TagKeys: []string{"x"}}
	if got, _ := k.Lookup("aws:tagkeys"); !slices.Equal(got, []string{"x"}) {
		t.Errorf("aws:TagKeys is %v", got)
	}
	k.action.Input = &iamapi.TagUserRequest{Tags: []iamapi.Tag{{Key: new("Team"), Value: new("b")}}}
	if got, _ := k.Lookup("aws:requesttag/team"); !slices.Equal(got, []string{"b"}) {
		t.Errorf("aws:RequestTag/team is %v", got)
	}
}

func TestGatewayKeys(t *testing.T) {
	priority := int32(7)
	rule := &v2.PutRoutingRuleRequest{Priority: &priority, Conditions: []v2.RoutingRuleCondition{
		{MatchBasePaths: &v2.RoutingRuleMatchBasePaths{AnyOf: []string{"orders", "baskets"}}},
	}}
	patch := func(path, value string) *v1.UpdateDomainNameRequest {
		return &v1.UpdateDomainNameRequest{PatchOperations: []v1.PatchOperation{{Path: &path, Value: &value}}}
	}
	second := &v2.CreateDomainNameRequest{
		DomainNameConfigurations: []v2.DomainNameConfiguration{{EndpointType: new("REGIONAL"), SecurityPolicy: new("TLS_1_2")}},
		MutualTlsAuthentication:  &v2.MutualTlsAuthenticationInput{TruststoreUri: new("s3://a/b"), TruststoreVersion: new("1")}, RoutingMode: new("ROUTING_RULE_ONLY"),
	}
	first := &v1.CreateDomainNameRequest{
		EndpointConfiguration: &v1.EndpointConfiguration{Types: []string{"REGIONAL"}}, SecurityPolicy: new("TLS_1_2"), RoutingMode: new("ROUTING_RULE_ONLY"),
		MutualTlsAuthentication: &v1.MutualTlsAuthenticationInput{TruststoreUri: new("s3://a/b"), TruststoreVersion: new("1")},
	}
	for _, test := range []struct {
		in        any
		key, want string
	}{
		{rule, "priority", "7"}, {rule, "conditionbasepaths", "orders,baskets"}, {&v2.CreateRoutingRuleRequest{}, "priority", ""},
		{second, "endpointtype", "REGIONAL"}, {second, "securitypolicy", "TLS_1_2"}, {second, "mtlstruststoreuri", "s3://a/b"},
		{second, "mtlstruststoreversion", "1"}, {second, "routingmode", "ROUTING_RULE_ONLY"}, {&v2.UpdateDomainNameRequest{}, "mtlstruststoreuri", ""},
		{first, "endpointtype", "REGIONAL"}, {first, "securitypolicy", "TLS_1_2"}, {first, "mtlstruststoreuri", "s3://a/b"},
		{first, "mtlstruststoreversion", "1"}, {first, "routingmode", "ROUTING_RULE_ONLY"}, {&v1.CreateDomainNameRequest{}, "endpointtype", ""},
		{patch("/mutualTlsAuthentication/truststoreUri", "s3://a/c"), "mtlstruststoreuri", "s3://a/c"}, {patch("/securityPolicy", "TLS_1_0"), "securitypolicy", "TLS_1_0"},
		{patch("/endpointConfiguration/types/0", "EDGE"), "endpointtype", "EDGE"}, {patch("/securityPolicy", "TLS_1_0"), "unknown", ""}, {first, "unknown", ""},
		{&v1.CreateRestApiRequest{Name: new("n"), EndpointConfiguration: &v1.EndpointConfiguration{Types: []string{"PRIVATE"}}}, "endpointtype", "PRIVATE"},
		{&v1.CreateRestApiRequest{Name: new("n")}, "apiname", "n"}, {&v1.CreateRestApiRequest{Name: new("n")}, "endpointtype", ""},
		{&v1.UpdateRestApiRequest{PatchOperations: []v1.PatchOperation{{Path: new("/endpointConfiguration/types/EDGE"), Value: new("REGIONAL")}}}, "endpointtype", "REGIONAL"},
		{&v1.UpdateRestApiRequest{PatchOperations: []v1.PatchOperation{{Path: new("/name"), Value: new("m")}}}, "apiname", "m"},
		{&v2.CreateApiRequest{Name: new("n")}, "apiname", "n"}, {&v2.UpdateApiRequest{}, "apiname", ""},
		{&v1.PutMethodRequest{AuthorizationType: new("NONE")}, "routeauthorizationtype", "NONE"}, {&v1.PutMethodRequest{}, "apikeyrequired", "false"},
		{&v1.PutMethodRequest{ApiKeyRequired: new(true)}, "apikeyrequired", "true"},
		{&v1.UpdateMethodRequest{PatchOperations: []v1.PatchOperation{{Path: new("/authorizationType"), Value: new("NONE")}}}, "routeauthorizationtype", "NONE"},
		{&v2.CreateRouteRequest{AuthorizationType: new("JWT")}, "routeauthorizationtype", "JWT"}, {&v2.UpdateRouteRequest{AuthorizationType: new("NONE")}, "routeauthorizationtype", "NONE"},
	} {
		k := &keys{action: &awswire.Action{Input: test.in}, need: &need{}}
		got, ok := k.Lookup("apigateway:request/" + test.key)
		if strings.Join(got, ",") != test.want || ok != (test.want != "") {
			t.Errorf("%T %s: %v %t, want %q", test.in, test.key, got, ok, test.want)
		}
	}
}
