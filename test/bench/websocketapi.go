package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	v2 "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// socketStage is the stage of the WebSocket APIs.
const socketStage = "bench"

// socketHandler is the function that answers messages.
const socketHandler = `export const handler = async (event) => ({ statusCode: 200, body: event.body });
`

// socketAPIs creates one API that answers by itself and one with a Node function.
func (b *bench) socketAPIs(ctx context.Context, g *process) ([]socketSubject, error) {
	config := awsConfig(g.addr)
	mock, err := createSocketAPI(ctx, config, "mock", &apigatewayv2.CreateIntegrationInput{
		IntegrationType:             v2.IntegrationTypeMock,
		RequestTemplates:            map[string]string{"$default": `{"statusCode": 200}`},
		TemplateSelectionExpression: aws.String(`\$default`),
	})
	if err != nil {
		return nil, err
	}
	role, err := createRole(ctx, config)
	if err != nil {
		return nil, err
	}
	code, err := zipFile("index.mjs", socketHandler)
	if err != nil {
		return nil, err
	}
	functions := lambda.NewFromConfig(config)
	f, err := functions.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String("socket"), Role: aws.String(role), Runtime: lambdatypes.RuntimeNodejs20x,
		Handler: aws.String("index.handler"), Code: &lambdatypes.FunctionCode{ZipFile: code},
		MemorySize: aws.Int32(512), Timeout: aws.Int32(10),
	})
	if err != nil {
		return nil, err
	}
	if err := lambda.NewFunctionActiveV2Waiter(functions).Wait(ctx, &lambda.GetFunctionInput{FunctionName: f.FunctionName}, 30*time.Second); err != nil {
		return nil, err
	}
	node, err := createSocketAPI(ctx, config, "node", &apigatewayv2.CreateIntegrationInput{
		IntegrationType: v2.IntegrationTypeAwsProxy, IntegrationMethod: aws.String("POST"),
		IntegrationUri: aws.String("arn:aws:apigateway:" + region + ":lambda:path/2015-03-31/functions/" + *f.FunctionArn + "/invocations"),
	})
	if err != nil {
		return nil, err
	}
	if _, err := functions.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: f.FunctionName, StatementId: aws.String("api"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("apigateway.amazonaws.com"),
		SourceArn: aws.String("arn:aws:execute-api:" + region + ":" + account + ":" + node + "/*/*"),
	}); err != nil {
		return nil, err
	}
	subject := func(name, id string) socketSubject {
		return socketSubject{
			name: name, process: g, host: hostOf(id), path: "/" + socketStage, message: `{"action":"echo","text":"hello"}`,
			post: func(connectionID string, data []byte) (*http.Request, error) {
				return signedPost(g.addr, id, connectionID, data)
			},
		}
	}
	// As many as the section of functions has, to compare.
	answering, calling := subject("gatehouse MOCK", mock), subject("gatehouse AWS_PROXY to a Node function", node)
	answering.connections, calling.connections = b.connections, warmConnections
	calling.warm = 4 * time.Second // an environment of the function for each connection
	return []socketSubject{answering, calling}, nil
}

// createSocketAPI creates a WebSocket API with one two-way route, and returns
// its id. What names no route gets the gateway's own answer.
func createSocketAPI(ctx context.Context, config aws.Config, name string, integration *apigatewayv2.CreateIntegrationInput) (string, error) {
	client := apigatewayv2.NewFromConfig(config)
	api, err := client.CreateApi(ctx, &apigatewayv2.CreateApiInput{
		Name: aws.String(name), ProtocolType: v2.ProtocolTypeWebsocket, RouteSelectionExpression: aws.String("$request.body.action"),
	})
	if err != nil {
		return "", err
	}
	integration.ApiId = api.ApiId
	i, err := client.CreateIntegration(ctx, integration)
	if err != nil {
		return "", err
	}
	if integration.IntegrationType == v2.IntegrationTypeMock {
		if _, err := client.CreateIntegrationResponse(ctx, &apigatewayv2.CreateIntegrationResponseInput{
			ApiId: api.ApiId, IntegrationId: i.IntegrationId, IntegrationResponseKey: aws.String("$default"),
			ResponseTemplates:           map[string]string{"$default": `{"connection": "$context.connectionId"}`},
			TemplateSelectionExpression: aws.String(`\$default`),
		}); err != nil {
			return "", err
		}
	}
	route, err := client.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{
		ApiId: api.ApiId, RouteKey: aws.String("echo"), Target: aws.String("integrations/" + *i.IntegrationId),
		RouteResponseSelectionExpression: aws.String("$default"),
	})
	if err != nil {
		return "", err
	}
	if _, err := client.CreateRouteResponse(ctx, &apigatewayv2.CreateRouteResponseInput{
		ApiId: api.ApiId, RouteId: route.RouteId, RouteResponseKey: aws.String("$default"),
	}); err != nil {
		return "", err
	}
	deployment, err := client.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: api.ApiId})
	if err != nil {
		return "", err
	}
	_, err = client.CreateStage(ctx, &apigatewayv2.CreateStageInput{
		ApiId: api.ApiId, StageName: aws.String(socketStage), DeploymentId: deployment.DeploymentId,
	})
	return *api.ApiId, err
}

// signedPost is a PostToConnection.
func signedPost(addr, apiID, connectionID string, data []byte) (*http.Request, error) {
	req, err := http.NewRequest(http.MethodPost, "http://"+addr+"/"+socketStage+"/@connections/"+connectionID, bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	req.Host = hostOf(apiID)
	sum := sha256.Sum256(data)
	return req, v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: "bench", SecretAccessKey: "bench"}, req,
		hex.EncodeToString(sum[:]), "execute-api", region, time.Now())
}
