// A function on AWS's own Go runtime client, for the tests of custom runtimes.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do string
	N  int
}

func handle(ctx context.Context, e event) (any, error) {
	switch e.Do {
	case "fail":
		return nil, errors.New("it went wrong")
	case "panic":
		panic("oh no")
	case "exit":
		os.Exit(e.N)
	case "sleep":
		time.Sleep(time.Minute)
	case "big":
		return strings.Repeat("x", e.N), nil
	case "print":
		fmt.Println("printed", e.N)
	case "context":
		c, _ := lambdacontext.FromContext(ctx)
		deadline, _ := ctx.Deadline()
		return map[string]any{
			"requestID": c.AwsRequestID, "arn": c.InvokedFunctionArn, "identity": c.Identity.CognitoIdentityID,
			"app": c.ClientContext.Client.AppTitle, "left": time.Until(deadline) > 0, "name": lambdacontext.FunctionName,
			"trace": os.Getenv("_X_AMZN_TRACE_ID"), "task": os.Getenv("LAMBDA_TASK_ROOT"),
		}, nil
	case "stream":
		r, w := io.Pipe()
		go func() {
			for i := range e.N {
				fmt.Fprintf(w, "part %d\n", i)
			}
			w.Close()
		}()
		return &events.LambdaFunctionURLStreamingResponse{
			StatusCode: 201, Headers: map[string]string{"Content-Type": "text/plain"}, Body: r,
		}, nil
	case "stream-error":
		r, w := io.Pipe()
		go func() {
			io.WriteString(w, "some ")
			w.CloseWithError(errors.New("broken off"))
		}()
		return r, nil
	}
	return map[string]int{"n": e.N + 1}, nil
}

func main() {
	if os.Getenv("INIT") == "exit" {
		os.Exit(3)
	}
	lambda.Start(handle)
}
