package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	v2 "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"golang.org/x/sync/errgroup"
)

const (
	account = "000000000000"
	region  = "us-east-1"
)

var listens = regexp.MustCompile(`serves on http://(\S+)`)

// startGateway runs the gateway on an empty data directory.
func (b *bench) startGateway(flags ...string) (*process, error) {
	data, err := os.MkdirTemp(b.dir, "data-")
	if err != nil {
		return nil, err
	}
	return b.startGatewayOn(data, flags...)
}

// startGatewayOn runs the gateway on a data directory and returns when it is
// ready. What it logs goes to a file beside the data.
func (b *bench) startGatewayOn(data string, flags ...string) (*process, error) {
	logs, err := os.Create(filepath.Clean(data) + ".log")
	if err != nil {
		return nil, err
	}
	defer logs.Close() //nolint:errcheck // the process has its own handle
	cmd := exec.Command(b.gatehouse, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", data}, flags...)...)
	cmd.Stderr = logs
	p, err := spawn(cmd, func(line string) string {
		if m := listens.FindStringSubmatch(line); m != nil {
			return m[1]
		}
		return ""
	})
	if err != nil {
		text, _ := os.ReadFile(logs.Name())
		return nil, fmt.Errorf("%w\n%s", err, text)
	}
	for range 1000 {
		res, err := http.Get("http://" + p.addr + "/_gatehouse/health")
		if err == nil {
			if err := res.Body.Close(); err != nil {
				return p, err
			}
			if res.StatusCode == http.StatusOK {
				return p, nil
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	p.stop()
	return nil, fmt.Errorf("the gateway on %s isn't healthy after 5 s", p.addr)
}

// awsConfig points an SDK at a gateway.
func awsConfig(addr string) aws.Config {
	return aws.Config{
		Region:       region,
		BaseEndpoint: aws.String("http://" + addr),
		Credentials:  credentials.NewStaticCredentialsProvider("bench", "bench", ""),
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
	}
}

// createRole creates the role that functions run with.
func createRole(ctx context.Context, config aws.Config) (arn string, err error) {
	role, err := iam.NewFromConfig(config).CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: aws.String("bench"),
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
			`"Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`),
	})
	if err != nil {
		return "", err
	}
	return *role.Role.Arn, nil
}

// createFunction creates a function and an HTTP API in front of it, waits until
// it can be called, and returns the API's host.
func createFunction(ctx context.Context, config aws.Config, name, role string, code []byte) (string, error) {
	functions := lambda.NewFromConfig(config)
	f, err := functions.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String(name), Role: aws.String(role), Runtime: lambdatypes.RuntimeNodejs20x,
		Handler: aws.String("index.handler"), Code: &lambdatypes.FunctionCode{ZipFile: code},
		MemorySize: aws.Int32(512), Timeout: aws.Int32(10),
	})
	if err != nil {
		return "", err
	}
	if err := lambda.NewFunctionActiveV2Waiter(functions).Wait(ctx, &lambda.GetFunctionInput{FunctionName: aws.String(name)}, 30*time.Second); err != nil {
		return "", err
	}
	// The quick create makes the integration, the $default route and the stage.
	api, err := apigatewayv2.NewFromConfig(config).CreateApi(ctx, &apigatewayv2.CreateApiInput{
		Name: aws.String(name), ProtocolType: v2.ProtocolTypeHttp, Target: f.FunctionArn,
	})
	if err != nil {
		return "", err
	}
	_, err = functions.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: aws.String(name), StatementId: aws.String("api"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("apigateway.amazonaws.com"),
		SourceArn: aws.String("arn:aws:execute-api:" + region + ":" + account + ":" + *api.ApiId + "/*/*"),
	})
	return hostOf(*api.ApiId), err
}

func hostOf(apiID string) string { return apiID + ".execute-api.localhost" }

// parallel calls f for 0 to n-1, a few at a time.
func parallel(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for i := range n {
		g.Go(func() error { return f(ctx, i) })
	}
	return g.Wait()
}
