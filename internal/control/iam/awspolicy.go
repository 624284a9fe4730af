package iam

import (
	"crypto/sha256"
	"encoding/base32"
	"maps"
	"strings"
	"time"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// awsPolicies are the documents known of policies that AWS manages, by the
// resource of their ARN ("policy/service-role/AWSLambdaBasicExecutionRole").
// AWS has well over a thousand and adds some every week, so a name that isn't
// among them is taken for one all the same: it can be attached and listed, and
// only its document is missing.
type awsPolicies map[string]string

func newAWSPolicies() awsPolicies {
	all := awsPolicies{}
	for name, statements := range awsDocuments() {
		all["policy/"+name] = `{"Version":"2012-10-17","Statement":[` + statements + `]}`
	}
	return all
}

// awsDate stands for when AWS made a policy, which differs from one to another.
var awsDate = time.Date(2015, time.February, 6, 18, 39, 46, 0, time.UTC)

// get returns the policy, unused.
func (all awsPolicies) get(a arn.ARN) *policyDoc {
	text := a.String()
	sum := sha256.Sum256([]byte(a.Resource))
	date := awsDate
	d := &policyDoc{Last: 1, Policy: api.Policy{
		PolicyName: new(policyName(text)), PolicyId: new(policyID + base32.StdEncoding.EncodeToString(sum[:])[:17]), Arn: &text,
		Path: new(policyPath(text)), DefaultVersionId: new("v1"), AttachmentCount: new(int32(0)),
		PermissionsBoundaryUsageCount: new(int32(0)), IsAttachable: new(true), CreateDate: &date, UpdateDate: &date,
	}}
	v := api.PolicyVersion{VersionId: new("v1"), IsDefaultVersion: new(true), CreateDate: &date}
	if document, ok := all[a.Resource]; ok {
		v.Document = &document
	}
	d.Versions = []api.PolicyVersion{v}
	return d
}

// awsListed adds AWS's policies to docs: those known and those in use.
func (s *Service) awsListed(tx *store.Tx, c *awswire.Call, docs map[string]*policyDoc) error {
	resources := maps.Clone(s.aws)
	for e, err := range awsUsages.All(tx, scopeOf(c)) {
		if err != nil {
			return err
		}
		resources[e.ID[0]] = ""
	}
	for resource := range resources {
		d, err := s.awsManaged(tx, scopeOf(c), arn.ARN{Partition: partition(c), Service: "iam", Account: "aws", Resource: resource})
		if err != nil {
			return err
		}
		docs[*d.Policy.Arn] = d
	}
	return nil
}

// allow is a statement of an AWS managed policy.
func allow(resource string, actions ...string) string {
	return `{"Effect":"Allow","Action":["` + strings.Join(actions, `","`) + `"],"Resource":"` + resource + `"}`
}

// awsDocuments are the statements of the policies that functions, gateways and
// those who deploy them are usually given. ReadOnlyAccess and the other
// account-wide ones speak of the services that gatehouse has, not of all.
// UNVERIFIED: AWS adds actions to its policies; these are what they were known
// to have.
func awsDocuments() map[string]string {
	writeLogs := []string{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}
	networkInterfaces := []string{
		"ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface",
		"ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
	}
	with := func(more []string, actions ...string) []string { return append(actions, more...) }
	return map[string]string{
		"AdministratorAccess": allow("*", "*"),
		"PowerUserAccess": `{"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"},` +
			allow("*", "account:GetAccountInformation", "account:GetPrimaryEmail", "account:ListRegions", "iam:CreateServiceLinkedRole",
				"iam:DeleteServiceLinkedRole", "iam:ListRoles", "organizations:DescribeEffectivePolicy", "organizations:DescribeOrganization"),
		"ReadOnlyAccess": allow("*", "acm:Describe*", "acm:Get*", "acm:List*", "apigateway:GET", "cloudwatch:Describe*", "cloudwatch:Get*",
			"cloudwatch:List*", "cognito-idp:AdminGetUser", "cognito-idp:AdminList*", "cognito-idp:Describe*", "cognito-idp:Get*", "cognito-idp:List*",
			"iam:Get*", "iam:List*", "iam:Simulate*", "lambda:Get*", "lambda:List*", "logs:Describe*", "logs:FilterLogEvents",
			"logs:Get*", "logs:List*", "logs:StartQuery", "logs:StopQuery", "logs:TestMetricFilter", "sts:GetAccessKeyInfo", "sts:GetCallerIdentity", "tag:Get*", "wafv2:Check*", "wafv2:Describe*", "wafv2:Get*", "wafv2:List*",
			"xray:BatchGet*", "xray:Get*"),
		"IAMFullAccess": allow("*", "iam:*", "organizations:DescribeAccount", "organizations:DescribeOrganization",
			"organizations:DescribeOrganizationalUnit", "organizations:DescribePolicy", "organizations:ListChildren",
			"organizations:ListParents", "organizations:ListPoliciesForTarget", "organizations:ListRoots",
			"organizations:ListPolicies", "organizations:ListTargetsForPolicy"),
		"IAMReadOnlyAccess": allow("*", "iam:GenerateCredentialReport", "iam:GenerateServiceLastAccessedDetails", "iam:Get*", "iam:List*",
			"iam:SimulateCustomPolicy", "iam:SimulatePrincipalPolicy"),

		"service-role/AWSLambdaBasicExecutionRole":     allow("*", writeLogs...),
		"service-role/AWSLambdaVPCAccessExecutionRole": allow("*", append(writeLogs[:3:3], networkInterfaces...)...),
		"service-role/AWSLambdaENIManagementAccess":    allow("*", networkInterfaces...),
		"service-role/AWSLambdaDynamoDBExecutionRole": allow("*", with(writeLogs, "dynamodb:DescribeStream", "dynamodb:GetRecords",
			"dynamodb:GetShardIterator", "dynamodb:ListStreams")...),
		"service-role/AWSLambdaKinesisExecutionRole": allow("*", with(writeLogs, "kinesis:DescribeStream", "kinesis:DescribeStreamSummary",
			"kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards", "kinesis:ListStreams", "kinesis:SubscribeToShard")...),
		"service-role/AWSLambdaSQSQueueExecutionRole": allow("*", with(writeLogs, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")...),
		"service-role/AWSLambdaRole":                  allow("*", "lambda:InvokeFunction"),
		"AWSLambdaExecute":                            allow("arn:aws:logs:*:*:*", "logs:*") + "," + allow("arn:aws:s3:::*", "s3:GetObject", "s3:PutObject"),
		"AWSLambdaInvocation-DynamoDB": allow("*", "lambda:InvokeFunction") + "," +
			allow("*", "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"),
		"AWSLambda_FullAccess": allow("*", "cloudformation:DescribeStacks", "cloudformation:ListStackResources", "cloudwatch:ListMetrics",
			"cloudwatch:GetMetricData", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs", "kms:ListAliases",
			"iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies",
			"iam:ListRoles", "lambda:*", "logs:DescribeLogGroups", "states:DescribeStateMachine", "states:ListStateMachines",
			"tag:GetResources", "xray:GetTraceSummaries", "xray:BatchGetTraces") +
			`,{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}},` +
			allow("arn:aws:logs:*:*:log-group:/aws/lambda/*", "logs:DescribeLogStreams", "logs:GetLogEvents", "logs:FilterLogEvents",
				"logs:StartLiveTail", "logs:StopLiveTail"),
		"AWSLambda_ReadOnlyAccess": allow("*", "cloudformation:DescribeStacks", "cloudformation:ListStacks", "cloudformation:ListStackResources",
			"cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
			"kms:ListAliases", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies",
			"iam:ListRolePolicies", "iam:ListRoles", "logs:DescribeLogGroups", "lambda:Get*", "lambda:List*", "states:DescribeStateMachine",
			"states:ListStateMachines", "tag:GetResources", "xray:GetTraceSummaries", "xray:BatchGetTraces"),

		"service-role/AmazonAPIGatewayPushToCloudWatchLogs": allow("*", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogGroups",
			"logs:DescribeLogStreams", "logs:PutLogEvents", "logs:GetLogEvents", "logs:FilterLogEvents"),
		"AmazonAPIGatewayAdministrator":    allow("arn:aws:apigateway:*::/*", "apigateway:*"),
		"AmazonAPIGatewayInvokeFullAccess": allow("arn:aws:execute-api:*:*:*", "execute-api:Invoke", "execute-api:ManageConnections"),

		"CloudWatchLogsFullAccess":     allow("*", "logs:*", "cloudwatch:GenerateQuery", "cloudwatch:GenerateQueryResultsSummary"),
		"CloudWatchLogsReadOnlyAccess": allow("*", "logs:Describe*", "logs:Get*", "logs:List*", "logs:StartQuery", "logs:StopQuery", "logs:TestMetricFilter", "logs:FilterLogEvents", "logs:StartLiveTail", "logs:StopLiveTail", "cloudwatch:GenerateQuery", "cloudwatch:GenerateQueryResultsSummary"),
		"CloudWatchLambdaInsightsExecutionRolePolicy": allow("*", "logs:CreateLogGroup") + "," +
			allow("arn:aws:logs:*:*:log-group:/aws/lambda-insights:*", "logs:CreateLogStream", "logs:PutLogEvents"),
		"AWSXRayDaemonWriteAccess": allow("*", "xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules",
			"xray:GetSamplingTargets", "xray:GetSamplingStatisticSummaries"),
		"AWSXrayWriteOnlyAccess": allow("*", "xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules",
			"xray:GetSamplingTargets", "xray:GetSamplingStatisticSummaries"),

		"AmazonCognitoPowerUser": allow("*", "cognito-identity:*", "cognito-idp:*", "cognito-sync:*", "iam:ListRoles", "iam:ListOpenIdConnectProviders",
			"iam:GetRole", "iam:ListSAMLProviders", "iam:GetSAMLProvider", "kinesis:ListStreams", "lambda:GetPolicy", "lambda:ListFunctions",
			"sns:GetSMSSandboxAccountStatus", "sns:ListPlatformApplications", "ses:ListIdentities", "ses:GetIdentityVerificationAttributes",
			"mobiletargeting:GetApps", "acm:ListCertificates"),
		"AmazonCognitoReadOnly": allow("*", "cognito-identity:Describe*", "cognito-identity:Get*", "cognito-identity:List*", "cognito-idp:Describe*",
			"cognito-idp:AdminGet*", "cognito-idp:AdminList*", "cognito-idp:List*", "cognito-idp:Get*", "cognito-sync:Describe*",
			"cognito-sync:Get*", "cognito-sync:List*", "iam:ListOpenIdConnectProviders", "iam:ListRoles", "sns:ListPlatformApplications"),
		"AWSCertificateManagerFullAccess": allow("*", "acm:*"),
		"AWSCertificateManagerReadOnly":   allow("*", "acm:DescribeCertificate", "acm:ListCertificates", "acm:GetCertificate", "acm:ListTagsForCertificate", "acm:GetAccountConfiguration"),
		"CloudWatchReadOnlyAccess": allow("*", "cloudwatch:BatchGet*", "cloudwatch:Describe*", "cloudwatch:GenerateQuery", "cloudwatch:Get*",
			"cloudwatch:List*", "logs:Get*", "logs:List*", "logs:StartQuery", "logs:StopQuery", "logs:Describe*", "logs:TestMetricFilter",
			"logs:FilterLogEvents", "logs:StartLiveTail", "logs:StopLiveTail", "sns:Get*", "sns:List*"),

		"AmazonS3FullAccess":     allow("*", "s3:*", "s3-object-lambda:*"),
		"AmazonS3ReadOnlyAccess": allow("*", "s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*"),
		"AmazonSQSFullAccess":    allow("*", "sqs:*"),
		"AmazonSNSFullAccess":    allow("*", "sns:*"),
	}
}
