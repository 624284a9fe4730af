package sdk

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"gatehouse/test/harness"
)

// Who may import and not manage resource policies can't take one away by a document
// that has none.
func TestOverwriteKeepsPolicy(t *testing.T) {
	gw := harness.Start(t, "")
	ctx := t.Context()
	users, admin := iam.NewFromConfig(gw.Config()), apigateway.NewFromConfig(gw.Config())
	must(users.CreateUser(ctx, &iam.CreateUserInput{UserName: new("ann")}))(t)
	key := must(users.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: new("ann")}))(t).AccessKey
	config := gw.Config()
	config.Credentials = credentials.NewStaticCredentialsProvider(*key.AccessKeyId, *key.SecretAccessKey, "")
	ann := apigateway.NewFromConfig(config)
	allow := func(actions string) {
		t.Helper()
		must(users.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: new("ann"), PolicyName: new("p"), PolicyDocument: new(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[` + actions + `],"Resource":"*"}]}`)}))(t)
	}
	id := must(admin.CreateRestApi(ctx, &apigateway.CreateRestApiInput{Name: new("pets"), Policy: new(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*"}]}`)}))(t).Id
	put := func() error {
		_, err := ann.PutRestApi(ctx, &apigateway.PutRestApiInput{RestApiId: id, Mode: types.PutModeOverwrite, Body: []byte(`{"openapi":"3.0.1","info":{"title":"pets"},"paths":{}}`)})
		return err
	}
	kept := func() bool {
		return must(admin.GetRestApi(ctx, &apigateway.GetRestApiInput{RestApiId: id}))(t).Policy != nil
	}
	allow(`"apigateway:PUT"`)
	err := put()
	if want := "is not authorized to perform: apigateway:UpdateRestApiPolicy on resource: arn:aws:apigateway:" + region + "::/restapis/" + *id; err == nil || !strings.Contains(err.Error(), want) || !kept() {
		t.Errorf("%v, kept: %v", err, kept())
	}
	allow(`"apigateway:PUT","apigateway:UpdateRestApiPolicy"`)
	if err := put(); err != nil || kept() {
		t.Errorf("%v, kept: %v", err, kept())
	}
}
