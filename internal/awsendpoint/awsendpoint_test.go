package awsendpoint

import (
	"slices"
	"strings"
	"testing"
)

func TestParseURI(t *testing.T) {
	for _, test := range []struct{ uri, service, subdomain, action, path, signing, host string }{
		{"arn:aws:apigateway:us-east-1:dynamodb:action/PutItem", "dynamodb", "", "PutItem", "", "dynamodb", "dynamodb.us-east-1.amazonaws.com"},
		{"arn:aws:apigateway:eu-west-1:s3:path/bucket/{key}", "s3", "", "", "bucket/{key}", "s3", "s3.eu-west-1.amazonaws.com"},
		{"arn:aws:apigateway:eu-west-1:my-bucket.s3:path/{key}", "s3", "my-bucket", "", "{key}", "s3", "my-bucket.s3.eu-west-1.amazonaws.com"},
		{"arn:aws:apigateway:us-west-2:runtime.sagemaker:path//endpoints/x/invocations", "runtime.sagemaker", "", "", "endpoints/x/invocations", "sagemaker", "runtime.sagemaker.us-west-2.amazonaws.com"},
		{"arn:aws:apigateway:us-west-2:abc-ats.iotdata:path/topics/t?qos=1", "iotdata", "abc-ats", "", "topics/t?qos=1", "iotdata", "abc-ats.iot.us-west-2.amazonaws.com"},
		{"arn:aws:apigateway:us-east-1:x1.appsync-api:path/graphql", "appsync-api", "x1", "", "graphql", "appsync", "x1.appsync-api.us-east-1.amazonaws.com"},
		{"arn:aws:apigateway:us-east-1:email:action/SendEmail&Version=2010-12-01", "email", "", "SendEmail", "Version=2010-12-01", "ses", "email.us-east-1.amazonaws.com"},
		{"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:0:function:f/invocations", "lambda", "", "", "2015-03-31/functions/arn:aws:lambda:us-east-1:0:function:f/invocations", "lambda", "lambda.us-east-1.amazonaws.com"},
		{"arn:aws-cn:apigateway:cn-north-1:sqs:path/", "sqs", "", "", "", "sqs", "sqs.cn-north-1.amazonaws.com.cn"},
		{"arn:aws:apigateway:eu-west-1:iam:action/ListRoles", "iam", "", "ListRoles", "", "iam", "iam.amazonaws.com"},
		{"arn:aws:apigateway:us-east-1:sub.unheard-of:action/Do", "unheard-of", "sub", "Do", "", "unheard-of", "sub.unheard-of.us-east-1.amazonaws.com"},
	} {
		u, err := ParseURI(test.uri)
		if err != nil {
			t.Errorf("%s: %v", test.uri, err)
			continue
		}
		got := []string{u.Service.Prefix, u.Subdomain, u.Action, u.Path, u.Service.SigningName(), u.Service.Host(u.Region, u.Subdomain)}
		want := []string{test.service, test.subdomain, test.action, test.path, test.signing, test.host}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\ngot  %q\nwant %q", test.uri, got, want)
		}
	}
	for _, uri := range []string{
		"", "http://x", "arn:aws:s3:::bucket/path/", "arn:aws:apigateway:us-east-1:sqs", "arn:aws:apigateway:us-east-1:sqs:queue/x",
		"arn:aws:apigateway::sqs:path/x", "arn:aws:apigateway:us east:sqs:path/x", "arn:aws:apigateway:us-east-1::path/x",
		"arn:aws:apigateway:us-east-1:evil.example/x.s3:path/x", "arn:aws:apigateway:us-east-1:{bucket}.s3:path/x",
		"arn:aws:apigateway:us-east-1.evil.example:sqs:path/x", "arn:aws:apigateway:us-east-1:sqs:action/", "arn:aws:apigateway:us-east-1:s3:action/GetObject",
		"arn:aws:apigateway:us-east-1:a@b.s3:path/x", "arn:aws:apigateway:us-east-1:..s3:path/x",
	} {
		if u, err := ParseURI(uri); err == nil {
			t.Errorf("%q is taken: %+v", uri, u)
		}
	}
}

func TestService(t *testing.T) {
	iam := ByPrefix("iam")
	for region, want := range map[string]string{"eu-west-1": "us-east-1", "cn-north-1": "cn-north-1", "us-gov-west-1": "us-gov-west-1"} {
		if got := iam.Region(region); got != want {
			t.Errorf("iam in %s is signed for %s, want %s", region, got, want)
		}
	}
	states := ByPrefix("states")
	if got := states.Target("StartExecution") + " " + states.ContentType(); got != "AWSStepFunctions.StartExecution application/x-amz-json-1.0" {
		t.Error(got)
	}
	for name, want := range map[string]string{
		"stepfunctions": "states", "SFN": "states", "states": "states", "EventBridge": "events", "dynamodb": "dynamodb",
		"SageMaker Runtime": "runtime.sagemaker", "sagemaker_runtime": "runtime.sagemaker", "CloudWatch": "monitoring", "nothing": "",
	} {
		if got := strings.Join(slices.Compact(Prefixes(name)), ","); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestIsAWSRegion(t *testing.T) {
	for region, want := range map[string]bool{
		"us-east-1": true, "us-gov-west-1": true, "eusc-de-east-1": true, "us-isob-east-1": true, "ap-southeast-10": true,
		"": false, "s3": false, "s3-us-west-2": false, "us-east": false, "us-east-": false, "us--1": false, "local": false, "us-east-1a": false, "us-east-1.evil": false,
	} {
		if IsAWSRegion(region) != want {
			t.Errorf("%q: want %v", region, want)
		}
	}
}

func FuzzParseURI(f *testing.F) {
	f.Add("arn:aws:apigateway:eu-west-1:my-bucket.s3:path/{key}")
	f.Add("arn:aws:apigateway:us-east-1:email:action/SendEmail&Version=2010-12-01")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseURI(text)
		if err != nil {
			return
		}
		host := u.Service.Host(u.Region, u.Subdomain)
		if strings.ContainsAny(host, "/@:?#{} \\") || !strings.Contains(host, ".") {
			t.Errorf("%q has the host %q", text, host)
		}
	})
}
