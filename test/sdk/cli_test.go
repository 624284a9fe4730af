package sdk

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"gatehouse/test/harness"
)

// A cli runs the AWS command line against a gateway.
type cli struct {
	t   *testing.T
	env []string
	dir string
	url string
}

func newCLI(t *testing.T, gw *harness.Gateway) *cli {
	t.Helper()
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("the AWS CLI isn't installed")
	}
	// Nothing of the developer's own settings.
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	return &cli{t: t, dir: t.TempDir(), url: gw.URL, env: append(env,
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_DEFAULT_REGION="+region, "AWS_PAGER=",
		"AWS_MAX_ATTEMPTS=1", "AWS_DEFAULT_OUTPUT=json", "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)}
}

// try runs a command line, which is split at blanks, and arguments that are
// taken whole.
func (c *cli) try(line string, args ...string) (out, failure string) {
	c.t.Helper()
	// Releases before 2.13, Debian's among them, don't know AWS_ENDPOINT_URL.
	args = slices.Concat([]string{"--endpoint-url", c.url}, strings.Fields(line), args)
	cmd := exec.CommandContext(c.t.Context(), "aws", args...)
	cmd.Env, cmd.Dir = c.env, c.dir
	b, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(b), string(exit.Stderr)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return string(b), ""
}

func (c *cli) run(line string, args ...string) string {
	c.t.Helper()
	out, failure := c.try(line, args...)
	if failure != "" {
		c.t.Fatalf("aws %s: %s", line, failure)
	}
	return strings.TrimSpace(out)
}

// list runs a command and reads a list of strings out of its answer.
func (c *cli) list(line, query string) []string {
	c.t.Helper()
	var out []string
	text := c.run(line+" --query", query)
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		c.t.Fatalf("aws %s: %v in %s", line, err, text)
	}
	return out
}

// gone wants the command to fail with a code.
func (c *cli) gone(code, line string) {
	c.t.Helper()
	if _, failure := c.try(line); !strings.Contains(failure, "("+code+")") {
		c.t.Errorf("aws %s: %q, want %s", line, failure, code)
	}
}

func (c *cli) write(name string, content []byte) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), content, 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// fill makes what the lists need to have pages; the SDK does it faster.
func fill(t *testing.T, gw *harness.Gateway, role string) {
	t.Helper()
	ctx := t.Context()
	for _, name := range []string{"a", "b"} {
		in := functionInput(name, zipOf(t, "index.js", helloCode), &role)
		must(lambda.NewFromConfig(gw.Config()).CreateFunction(ctx, in))(t)
		must(iam.NewFromConfig(gw.Config()).CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: new(lambdaTrust)}))(t)
		must(cloudwatchlogs.NewFromConfig(gw.Config()).CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &name}))(t)
	}
}

// TestCommandLine walks the whole flow with the AWS CLI: created, called,
// updated, listed page by page, deleted.
func TestCommandLine(t *testing.T) {
	gw := harness.Start(t, "")
	c := newCLI(t, gw)

	// Create.
	if arn := c.run("sts get-caller-identity --output text --query Arn"); arn != "arn:aws:iam::"+account+":root" {
		t.Errorf("caller %s", arn)
	}
	role := c.run("iam create-role --role-name hello --output text --query Role.Arn --assume-role-policy-document", lambdaTrust)
	c.run("iam attach-role-policy --role-name hello --policy-arn " + basicRole)
	c.write("one.zip", zipOf(t, "index.js", helloCode))
	c.run("lambda create-function --function-name hello --runtime nodejs20.x --handler index.handler --zip-file fileb://one.zip --role " + role)
	c.run("lambda wait function-active-v2 --function-name hello")
	api := c.run("apigatewayv2 create-api --name hello --protocol-type HTTP --output text --query ApiId")
	integration := c.run("apigatewayv2 create-integration --api-id " + api + " --integration-type AWS_PROXY --payload-format-version 2.0 --integration-uri " +
		functionARN + " --output text --query IntegrationId")
	route := ""
	for _, key := range []string{"GET /hello", "POST /hello", "ANY /x/{proxy+}"} {
		route = c.run("apigatewayv2 create-route --api-id "+api+" --target integrations/"+integration+" --output text --query RouteId --route-key", key)
	}
	c.run("apigatewayv2 create-stage --api-id " + api + " --stage-name $default --auto-deploy")
	c.run("lambda add-permission --function-name hello --statement-id api --action lambda:InvokeFunction --principal apigateway.amazonaws.com --source-arn " +
		"arn:aws:execute-api:" + region + ":" + account + ":" + api + "/*/*")

	// Call, through the API and directly.
	status, body, err := gw.Get(t.Context(), api, "/hello")
	if err != nil || status != http.StatusOK || body != `{"hello":"world"}` {
		t.Errorf("GET /hello: %d %s, %v", status, body, err)
	}
	c.write("event.json", []byte(`{"name":"CLI"}`))
	c.run("lambda invoke --function-name hello --payload fileb://event.json out.json") // both versions of the CLI read it so
	if out := must(os.ReadFile(filepath.Join(c.dir, "out.json")))(t); string(out) != `{"hello":"CLI"}` {
		t.Errorf("invoked: %s", out)
	}

	// Update.
	c.write("two.zip", zipOf(t, "index.js", strings.Replace(helloCode, "'world'", "'moon'", 1)))
	c.run("lambda update-function-code --function-name hello --zip-file fileb://two.zip")
	c.run("lambda wait function-updated-v2 --function-name hello")
	c.run("lambda update-function-configuration --function-name hello --timeout 10 --environment Variables={GREETING=Hi}")
	c.run("lambda wait function-updated-v2 --function-name hello")
	c.run("apigatewayv2 update-route --api-id "+api+" --route-id "+route+" --route-key", "ANY /y/{proxy+}")
	c.run("iam update-role --role-name hello --max-session-duration 7200 --description changed")
	status, body, err = gw.Get(t.Context(), api, "/y/z")
	if err != nil || status != http.StatusOK || body != `{"hello":"moon","greeting":"Hi"}` {
		t.Errorf("GET /y/z: %d %s, %v", status, body, err)
	}

	// List page by page: the CLI follows the tokens of pages of one.
	same(t, "routes", len(c.list("apigatewayv2 get-routes --page-size 1 --api-id "+api, "Items[].RouteKey")), 3)
	c.run("apigatewayv2 create-api --name second --protocol-type HTTP")
	same(t, "APIs", len(c.list("apigatewayv2 get-apis --page-size 1", "Items[].Name")), 2)
	fill(t, gw, role)
	same(t, "functions", c.list("lambda list-functions --page-size 1", "sort(Functions[].FunctionName)"), []string{"a", "b", "hello"})
	same(t, "roles", c.list("iam list-roles --page-size 1", "Roles[].RoleName"), []string{"a", "b", "hello"})
	same(t, "log groups", c.list("logs describe-log-groups --page-size 1", "sort(logGroups[].logGroupName)"), []string{"/aws/lambda/hello", "a", "b"})
	first := c.run("iam list-roles --max-items 2")
	var page struct {
		Roles     []struct{ RoleName string }
		NextToken string
	}
	if err := json.Unmarshal([]byte(first), &page); err != nil || len(page.Roles) != 2 || page.NextToken == "" {
		t.Fatalf("first page %s, %v", first, err)
	}
	same(t, "second page", c.list("iam list-roles --max-items 2 --starting-token "+page.NextToken, "Roles[].RoleName"), []string{"hello"})

	// What the function wrote reached its log group.
	for deadline := time.Now().Add(2 * time.Minute); ; {
		events := c.list("logs filter-log-events --log-group-name /aws/lambda/hello", "events[].message")
		if strings.Contains(strings.Join(events, "\n"), "REPORT RequestId: ") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("log events %q", events)
		}
	}

	// Delete.
	c.run("apigatewayv2 delete-route --api-id " + api + " --route-id " + route)
	c.run("apigatewayv2 delete-stage --api-id " + api + " --stage-name $default")
	c.run("apigatewayv2 delete-api --api-id " + api)
	c.gone("NotFoundException", "apigatewayv2 get-api --api-id "+api)
	c.run("lambda remove-permission --function-name hello --statement-id api")
	c.run("lambda delete-function --function-name hello")
	c.gone("ResourceNotFoundException", "lambda get-function --function-name hello")
	c.gone("DeleteConflict", "iam delete-role --role-name hello")
	c.run("iam detach-role-policy --role-name hello --policy-arn " + basicRole)
	c.run("iam delete-role --role-name hello")
	c.gone("NoSuchEntity", "iam get-role --role-name hello")
	c.run("logs delete-log-group --log-group-name /aws/lambda/hello")
	same(t, "log groups left", c.list("logs describe-log-groups", "sort(logGroups[].logGroupName)"), []string{"a", "b"})
	if status, _, err := gw.Get(t.Context(), api, "/hello"); err != nil || status != http.StatusNotFound {
		t.Errorf("GET /hello after all: %d, %v", status, err)
	}
}

// TestCommandLineBookshop imports, deploys, calls, exports and reimports the
// bookshop with the AWS CLI.
func TestCommandLineBookshop(t *testing.T) {
	gw := harness.Start(t, "")
	c := newCLI(t, gw)
	shop := newBookshop(t)
	c.write("bookshop.yaml", []byte(shop.document))
	api := c.run("apigatewayv2 import-api --body file://bookshop.yaml --fail-on-warnings --output text --query ApiId")
	same(t, "routes", len(c.list("apigatewayv2 get-routes --page-size 50 --api-id "+api, "Items[].RouteKey")), bookshopRoutes)
	c.run("apigatewayv2 create-stage --api-id " + api + " --stage-name $default --auto-deploy --stage-variables backend=" + shop.backend + ",index=titles")
	shop.served(t, gw, api)
	export := func(name, kind string) string {
		t.Helper()
		c.run("apigatewayv2 export-api --api-id " + api + " --specification OAS30 --output-type " + kind + " " + name)
		return string(must(os.ReadFile(filepath.Join(c.dir, name)))(t))
	}
	first := export("first.json", "JSON")
	export("first.yaml", "YAML")
	for _, name := range []string{"first.json", "first.yaml", "bookshop.yaml"} {
		if got := c.run("apigatewayv2 reimport-api --fail-on-warnings --output text --query ApiId --api-id " + api + " --body file://" + name); got != api {
			t.Errorf("reimported as %s", got)
		}
		if again := export("again.json", "JSON"); again != first {
			t.Errorf("after the reimport of %s:\n%s", name, diff(again, first))
		}
	}
	shop.served(t, gw, api)
	c.run("apigatewayv2 delete-api --api-id " + api)
}
