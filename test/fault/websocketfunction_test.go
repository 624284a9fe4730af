package fault

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"gatehouse/test/frame"
)

// failing is a function that fails as the event tells it to: in $connect by
// the query, in a message by its member how, in $disconnect by the reason. Told
// to meet others it waits for them at a URL.
const failing = `const fail = async (how) => {
  if (how === 'throw') throw new Error('told to');
  if (how === 'exit') process.exit(3);
  if (how === 'hang') await new Promise(() => setInterval(() => {}, 1000));
  if (how === 'nonsense') return 'nonsense';
  return { statusCode: 200, body: how };
};
exports.handler = async (event) => {
  if (event.meet) {
    return new Promise((resolve, reject) => {
      require('http').get(event.meet, { agent: false }, (res) => res.resume().on('end', resolve)).on('error', reject);
    });
  }
  return fail(event.body ? JSON.parse(event.body).how : event.queryStringParameters?.how ?? event.requestContext.disconnectReason);
};
`

// functionTime is how long a call of the function may take: enough to start it,
// and less than the function takes that hangs.
const functionTime = 5 * time.Second

// A function that fails in any event of a connection costs that event only:
// the connection ends or goes on as it must, others are served, and nothing is
// left behind.
func TestSocketFunctionFails(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node isn't installed")
	}
	a := newSocketAPI(t, func(a *api) {
		uri := "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + a.function(t, failing) + "/invocations"
		integration, err := a.client.CreateIntegration(t.Context(), &apigatewayv2.CreateIntegrationInput{
			ApiId: a.id, IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: &uri, TimeoutInMillis: new(int32(functionTime.Milliseconds())),
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"$connect", "$disconnect", "fail"} {
			a.socketRoute(t, key, *integration.IntegrationId)
		}
	})
	// As many environments as are ever needed at a time are there from now on.
	const crowd = 6
	a.warm(t, crowd)
	a.settle(t)
	for _, how := range []string{"throw", "exit", "hang", "nonsense"} {
		times := 5
		if how == "hang" {
			times = 2 // each takes all the time there is
		}
		t.Run("$connect "+how, func(t *testing.T) {
			for range times {
				c, err := frame.Dial(a.Addr, "/test?how="+how, a.host)
				if err == nil {
					t.Error("the client is connected")
					_ = c.Close()
				} else if !strings.Contains(err.Error(), " 502 ") {
					t.Error(err)
				}
			}
			a.fine(t)
		})
		t.Run("a message "+how, func(t *testing.T) {
			c := a.open(t, "?how=fine")
			for range times {
				// The message selects its route and tells the function what to do.
				got := ask(t, c, `{"action":"fail","how":"`+how+`"}`)
				if !strings.Contains(got, `"Internal server error"`) && !strings.Contains(got, `"Endpoint request timed out"`) {
					t.Errorf("got %s", got)
				}
			}
			if got := ask(t, c, "x"); got != "x" {
				t.Errorf("got %q", got)
			}
			a.leave(t, c, "fine")
			a.fine(t)
		})
		t.Run("$disconnect "+how, func(t *testing.T) {
			for range times {
				c := a.open(t, "?how=fine")
				ask(t, c, "x")
				a.leave(t, c, how)
			}
			a.fine(t)
		})
	}
	t.Run("many at a time", func(t *testing.T) {
		var running sync.WaitGroup
		for range crowd {
			running.Go(func() {
				c, err := frame.Dial(a.Addr, "/test?how=throw", a.host)
				if err == nil {
					t.Error("the client is connected")
					_ = c.Close()
				}
			})
		}
		running.Wait()
		a.fine(t)
	})
}

// warm has as many environments of the function as run at a time.
func (a *api) warm(t *testing.T, many int) {
	t.Helper()
	client := lambda.NewFromConfig(a.Config())
	for deadline := time.Now().Add(3 * patience); time.Now().Before(deadline); {
		var come atomic.Int64
		var late atomic.Bool
		all := make(chan struct{})
		place := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			if come.Add(1) == int64(many) {
				close(all)
			}
			select {
			case <-all:
			case <-time.After(functionTime):
				late.Store(true) // again, once they have started
			}
		}))
		var running sync.WaitGroup
		for range many {
			running.Go(func() {
				out, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: new("fault"), Payload: []byte(`{"meet":"` + place.URL + `"}`)})
				if err != nil || out.FunctionError != nil {
					t.Errorf("%+v, %v", out, err)
				}
			})
		}
		running.Wait()
		place.Close()
		if come.Load() == int64(many) && !late.Load() {
			return
		}
	}
	t.Fatalf("%d calls at a time don't run at a time", many)
}

// function makes a Node.js function that API Gateway may invoke and returns its
// ARN.
func (a *api) function(t testing.TB, code string) string {
	t.Helper()
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	w, err := z.Create("index.js")
	if err == nil {
		_, err = io.WriteString(w, code)
	}
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	trust, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": "lambda.amazonaws.com"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	role, err := iam.NewFromConfig(a.Config()).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: new("fault"), AssumeRolePolicyDocument: new(string(trust))})
	if err != nil {
		t.Fatal(err)
	}
	client := lambda.NewFromConfig(a.Config())
	out, err := client.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: new("fault"), Role: role.Role.Arn, Runtime: lambdatypes.RuntimeNodejs22x, Handler: new("index.handler"),
		Timeout: new(int32(2 * functionTime / time.Second)), Code: &lambdatypes.FunctionCode{ZipFile: archive.Bytes()},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.AddPermission(t.Context(), &lambda.AddPermissionInput{
		FunctionName: new("fault"), StatementId: new("api"), Action: new("lambda:InvokeFunction"), Principal: new("apigateway.amazonaws.com"),
	}); err != nil {
		t.Fatal(err)
	}
	waiter := lambda.NewFunctionActiveV2Waiter(client)
	if err := waiter.Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: new("fault")}, patience); err != nil {
		t.Fatal(err)
	}
	return *out.FunctionArn
}

func fileOf(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
