package awsapi_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkgateway "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	gatewaytypes "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	sdklogs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	sdkiam "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	sdklambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	sdksts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awsapi/logs"
	"gatehouse/internal/awsapi/sts"
	"gatehouse/internal/awswire"
)

// Fakes answer what the SDKs ask, so that AWS's own clients read our wire.
type fakeGateway struct {
	apigatewayv2.Unimplemented
	got *apigatewayv2.CreateApiRequest
}

var created = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func (f *fakeGateway) CreateApi(c *awswire.Call, in *apigatewayv2.CreateApiRequest) (*apigatewayv2.CreateApiResponse, error) {
	f.got = in
	return &apigatewayv2.CreateApiResponse{ApiId: new("abc"), Name: in.Name, CreatedDate: &created, Tags: in.Tags,
		ApiEndpoint: new("http://abc.execute-api.localhost"), CorsConfiguration: in.CorsConfiguration}, nil
}

func (f *fakeGateway) GetApi(c *awswire.Call, in *apigatewayv2.GetApiRequest) (*apigatewayv2.GetApiResponse, error) {
	return nil, apigatewayv2.NewNotFoundException("Invalid API identifier specified " + c.Account + ":" + *in.ApiId)
}

func (f *fakeGateway) DeleteApi(*awswire.Call, *apigatewayv2.DeleteApiRequest) error { return nil }

func (f *fakeGateway) TagResource(_ *awswire.Call, in *apigatewayv2.TagResourceRequest) (*apigatewayv2.TagResourceResponse, error) {
	if *in.ResourceArn != "arn:aws:apigateway:eu-west-1::/apis/a b" {
		return nil, apigatewayv2.NewBadRequestException(*in.ResourceArn)
	}
	return &apigatewayv2.TagResourceResponse{}, nil
}

func (f *fakeGateway) GetApis(_ *awswire.Call, in *apigatewayv2.GetApisRequest) (*apigatewayv2.GetApisResponse, error) {
	if aws.ToString(in.MaxResults) == "panic" {
		panic("boom")
	}
	return &apigatewayv2.GetApisResponse{Items: []apigatewayv2.Api{}}, nil
}

type fakeIAM struct{ iam.Unimplemented }

func (fakeIAM) CreateRole(c *awswire.Call, in *iam.CreateRoleRequest) (*iam.CreateRoleResponse, error) {
	return &iam.CreateRoleResponse{Role: &iam.Role{RoleName: in.RoleName, Path: new("/"), RoleId: new("AROA"), CreateDate: &created,
		Arn: new("arn:aws:iam::" + c.Account + ":role/" + *in.RoleName), AssumeRolePolicyDocument: in.AssumeRolePolicyDocument, Tags: in.Tags}}, nil
}

func (fakeIAM) GetRole(_ *awswire.Call, in *iam.GetRoleRequest) (*iam.GetRoleResponse, error) {
	return nil, iam.NewNoSuchEntityException("The role with name " + *in.RoleName + " cannot be found.")
}

func (fakeIAM) DeleteRole(*awswire.Call, *iam.DeleteRoleRequest) error { return nil }

type fakeSTS struct{ sts.Unimplemented }

func (fakeSTS) GetCallerIdentity(c *awswire.Call, _ *sts.GetCallerIdentityRequest) (*sts.GetCallerIdentityResponse, error) {
	return &sts.GetCallerIdentityResponse{Account: &c.Account, Arn: &c.Principal.ARN, UserId: &c.Principal.UserID}, nil
}

type fakeLambda struct{ lambda.Unimplemented }

func (fakeLambda) Invoke(_ *awswire.Call, in *lambda.InvocationRequest) (*lambda.InvocationResponse, error) {
	return &lambda.InvocationResponse{StatusCode: new(int32(202)), FunctionError: new("Unhandled"), Payload: in.Payload, ExecutedVersion: in.Qualifier}, nil
}

func (fakeLambda) GetFunction(_ *awswire.Call, in *lambda.GetFunctionRequest) (*lambda.GetFunctionResponse, error) {
	return nil, lambda.NewResourceNotFoundException("Function not found: " + *in.FunctionName)
}

func (fakeLambda) CreateFunction(_ *awswire.Call, in *lambda.CreateFunctionRequest) (*lambda.FunctionConfiguration, error) {
	return &lambda.FunctionConfiguration{FunctionName: in.FunctionName, Architectures: in.Architectures, CodeSize: new(int64(len(in.Code.ZipFile)))}, nil
}

func (fakeLambda) InvokeWithResponseStream(_ *awswire.Call, in *lambda.InvokeWithResponseStreamRequest) (*lambda.InvokeWithResponseStreamResponse, error) {
	var events iter.Seq2[lambda.InvokeWithResponseStreamResponseEvent, error] = func(yield func(lambda.InvokeWithResponseStreamResponseEvent, error) bool) {
		for _, part := range bytes.SplitAfter(in.Payload, []byte(" ")) {
			if !yield(lambda.InvokeWithResponseStreamResponseEvent{PayloadChunk: &lambda.InvokeResponseStreamUpdate{Payload: part}}, nil) {
				return
			}
		}
		yield(lambda.InvokeWithResponseStreamResponseEvent{InvokeComplete: &lambda.InvokeWithResponseStreamCompleteEvent{}}, nil)
	}
	return &lambda.InvokeWithResponseStreamResponse{EventStream: events, ResponseStreamContentType: new("text/plain")}, nil
}

type fakeLogs struct{ logs.Unimplemented }

func (fakeLogs) CreateLogGroup(*awswire.Call, *logs.CreateLogGroupRequest) error { return nil }

func (fakeLogs) DescribeLogGroups(_ *awswire.Call, in *logs.DescribeLogGroupsRequest) (*logs.DescribeLogGroupsResponse, error) {
	return &logs.DescribeLogGroupsResponse{LogGroups: []logs.LogGroup{{LogGroupName: in.LogGroupNamePrefix, CreationTime: new(created.UnixMilli())}}}, nil
}

func (fakeLogs) DeleteLogGroup(*awswire.Call, *logs.DeleteLogGroupRequest) error {
	return logs.NewResourceNotFoundException("The specified log group does not exist.")
}

// serve starts a handler for the fakes and returns a configuration for it.
func serve(t *testing.T, o awswire.Options, gateway *fakeGateway) aws.Config {
	t.Helper()
	o.Services = []*awswire.Service{apigatewayv2.NewService(gateway), iam.NewService(fakeIAM{}), sts.NewService(fakeSTS{}),
		lambda.NewService(fakeLambda{}), logs.NewService(fakeLogs{})}
	if o.Account == "" {
		o.Account, o.Region = "000000000000", "us-east-1"
	}
	server := httptest.NewServer(awswire.NewHandler(o))
	t.Cleanup(server.Close)
	return aws.Config{
		Region:       "eu-west-1",
		BaseEndpoint: aws.String(server.URL),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "123456789012", SecretAccessKey: "secret"}, nil
		}),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
}

func TestSDKGateway(t *testing.T) {
	gateway := &fakeGateway{}
	c := sdkgateway.NewFromConfig(serve(t, awswire.Options{Auth: awswire.Auth{Open: true}}, gateway))
	ctx := t.Context()
	out, err := c.CreateApi(ctx, &sdkgateway.CreateApiInput{Name: aws.String("n"), ProtocolType: gatewaytypes.ProtocolTypeHttp,
		CorsConfiguration: &gatewaytypes.Cors{AllowOrigins: []string{"*"}, MaxAge: aws.Int32(5)}, Tags: map[string]string{"k": "v"}})
	if err != nil {
		t.Fatal(err)
	}
	if *out.ApiId != "abc" || !out.CreatedDate.Equal(created) || out.Tags["k"] != "v" || *out.CorsConfiguration.MaxAge != 5 {
		t.Errorf("got %+v", out)
	}
	if gateway.got.Description != nil || *gateway.got.ProtocolType != "HTTP" {
		t.Errorf("decoded %+v", gateway.got)
	}
	_, err = c.GetApi(ctx, &sdkgateway.GetApiInput{ApiId: aws.String("nope")})
	var missing *gatewaytypes.NotFoundException
	if !errors.As(err, &missing) || *missing.Message != "Invalid API identifier specified 123456789012:nope" {
		t.Errorf("GetApi: %v", err)
	}
	if _, err := c.DeleteApi(ctx, &sdkgateway.DeleteApiInput{ApiId: aws.String("a")}); err != nil {
		t.Error(err)
	}
	if _, err := c.TagResource(ctx, &sdkgateway.TagResourceInput{ResourceArn: aws.String("arn:aws:apigateway:eu-west-1::/apis/a b"), Tags: map[string]string{"a": "b"}}); err != nil {
		t.Error(err)
	}
	_, err = c.CreateApi(ctx, &sdkgateway.CreateApiInput{Name: aws.String("n"), ProtocolType: "FTP"})
	wantError(t, err, "BadRequestException", "1 validation error detected: Value 'FTP' at 'protocolType' failed to satisfy constraint: Member must satisfy enum value set: [HTTP, WEBSOCKET]")
	_, err = c.GetStages(ctx, &sdkgateway.GetStagesInput{ApiId: aws.String("a")})
	wantError(t, err, "NotImplementedException", "")
	_, err = c.GetApis(ctx, &sdkgateway.GetApisInput{MaxResults: aws.String("panic")})
	wantError(t, err, "InternalFailure", "")
}

func wantError(t *testing.T, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || message != "" && api.ErrorMessage() != message {
		t.Errorf("got error %v\nwant %s: %s", err, code, message)
	}
}

func TestSDKQuery(t *testing.T) {
	config := serve(t, awswire.Options{Auth: awswire.Auth{Open: true}}, &fakeGateway{})
	c := sdkiam.NewFromConfig(config)
	ctx := t.Context()
	out, err := c.CreateRole(ctx, &sdkiam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String(`{"a":"<&>"}`),
		Tags: []iamtypes.Tag{{Key: aws.String("k"), Value: aws.String("")}, {Key: aws.String("l"), Value: aws.String("2")}}})
	if err != nil {
		t.Fatal(err)
	}
	if r := out.Role; *r.Arn != "arn:aws:iam::123456789012:role/r" || *r.AssumeRolePolicyDocument != `{"a":"<&>"}` || !r.CreateDate.Equal(created) ||
		len(r.Tags) != 2 || *r.Tags[0].Value != "" || *r.Tags[1].Key != "l" {
		t.Errorf("got %+v", out.Role)
	}
	_, err = c.GetRole(ctx, &sdkiam.GetRoleInput{RoleName: aws.String("x")})
	var missing *iamtypes.NoSuchEntityException
	if !errors.As(err, &missing) {
		t.Errorf("GetRole: %v", err)
	}
	_, err = c.GetRole(ctx, &sdkiam.GetRoleInput{RoleName: aws.String("a b")})
	wantError(t, err, "ValidationError", `1 validation error detected: Value 'a b' at 'roleName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+`)
	if _, err := c.DeleteRole(ctx, &sdkiam.DeleteRoleInput{RoleName: aws.String("r")}); err != nil {
		t.Error(err)
	}
	who, err := sdksts.NewFromConfig(config).GetCallerIdentity(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if *who.Account != "123456789012" || *who.Arn != "arn:aws:iam::123456789012:root" {
		t.Errorf("got %+v", who)
	}
}

func TestSDKLambda(t *testing.T) {
	c := sdklambda.NewFromConfig(serve(t, awswire.Options{Auth: awswire.Auth{Open: true}}, &fakeGateway{}))
	ctx := t.Context()
	out, err := c.Invoke(ctx, &sdklambda.InvokeInput{FunctionName: aws.String("f"), Payload: []byte(`{"a":1}`), Qualifier: aws.String("7")})
	if err != nil {
		t.Fatal(err)
	}
	if out.StatusCode != 202 || string(out.Payload) != `{"a":1}` || *out.FunctionError != "Unhandled" || *out.ExecutedVersion != "7" {
		t.Errorf("got %+v", out)
	}
	_, err = c.GetFunction(ctx, &sdklambda.GetFunctionInput{FunctionName: aws.String("arn:aws:lambda:eu-west-1:123456789012:function:f")})
	var missing *lambdatypes.ResourceNotFoundException
	if !errors.As(err, &missing) || aws.ToString(missing.Type) != "User" {
		t.Errorf("GetFunction: %v", err)
	}
	created, err := c.CreateFunction(ctx, &sdklambda.CreateFunctionInput{FunctionName: aws.String("f"), Role: aws.String("arn:aws:iam::123456789012:role/r"),
		Code: &lambdatypes.FunctionCode{ZipFile: []byte("zipped")}, Architectures: []lambdatypes.Architecture{"arm64"}})
	if err != nil {
		t.Fatal(err)
	}
	if created.CodeSize != 6 || created.Architectures[0] != "arm64" {
		t.Errorf("got %+v", created)
	}
	_, err = c.CreateFunction(ctx, &sdklambda.CreateFunctionInput{FunctionName: aws.String("f"), Role: aws.String("nope"), MemorySize: aws.Int32(1),
		Code: &lambdatypes.FunctionCode{}, Architectures: []lambdatypes.Architecture{"vax"}})
	wantError(t, err, "ValidationException", "3 validation errors detected: "+
		"Value 'nope' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+; "+
		"Value '1' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128; "+
		"Value '[vax]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [arm64, x86_64]]")
}

func TestSDKResponseStream(t *testing.T) {
	c := sdklambda.NewFromConfig(serve(t, awswire.Options{Auth: awswire.Auth{Open: true}}, &fakeGateway{}))
	out, err := c.InvokeWithResponseStream(t.Context(), &sdklambda.InvokeWithResponseStreamInput{FunctionName: aws.String("f"), Payload: []byte("one two three")})
	if err != nil {
		t.Fatal(err)
	}
	stream := out.GetStream()
	defer func() { _ = stream.Close() }()
	var got []string
	for event := range stream.Events() {
		switch event := event.(type) {
		case *lambdatypes.InvokeWithResponseStreamResponseEventMemberPayloadChunk:
			got = append(got, string(event.Value.Payload))
		case *lambdatypes.InvokeWithResponseStreamResponseEventMemberInvokeComplete:
			got = append(got, "done")
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if len(got) != 4 || got[0] != "one " || got[3] != "done" {
		t.Errorf("got %q", got)
	}
}

func TestSDKAWSJSON(t *testing.T) {
	c := sdklogs.NewFromConfig(serve(t, awswire.Options{Auth: awswire.Auth{Open: true}}, &fakeGateway{}))
	ctx := t.Context()
	if _, err := c.CreateLogGroup(ctx, &sdklogs.CreateLogGroupInput{LogGroupName: aws.String("g")}); err != nil {
		t.Fatal(err)
	}
	out, err := c.DescribeLogGroups(ctx, &sdklogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("g")})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.LogGroups) != 1 || *out.LogGroups[0].CreationTime != created.UnixMilli() {
		t.Errorf("got %+v", out)
	}
	_, err = c.DeleteLogGroup(ctx, &sdklogs.DeleteLogGroupInput{LogGroupName: aws.String("g")})
	var missing *logstypes.ResourceNotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("DeleteLogGroup: %v", err)
	}
}
