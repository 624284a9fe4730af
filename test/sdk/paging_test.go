package sdk

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"gatehouse/test/harness"
)

// pages collects what a list operation answers page by page: list returns one
// page's names and the token of the next.
func pages(t *testing.T, what string, size int, list func(token *string) (names []string, next *string)) []string {
	t.Helper()
	var all []string
	var token *string
	for range 50 {
		names, next := list(token)
		if len(names) > size {
			t.Errorf("%s: a page of %d, asked for %d", what, len(names), size)
		}
		all = append(all, names...)
		if next == nil {
			return all
		}
		if len(names) == 0 {
			t.Errorf("%s: an empty page that isn't the last", what)
		}
		token = next
	}
	t.Fatalf("%s: no end", what)
	return nil
}

// wantNames compares what was listed with five names, whatever their order.
func wantNames(t *testing.T, what string, got []string) {
	t.Helper()
	slices.Sort(got)
	if want := "n0 n1 n2 n3 n4"; strings.Join(got, " ") != want {
		t.Errorf("%s: %v, want %s", what, got, want)
	}
}

func TestPages(t *testing.T) {
	gw := harness.Start(t, "")
	ctx := t.Context()
	f := functionsOf(t, gw)
	users := iam.NewFromConfig(gw.Config())
	groups := cloudwatchlogs.NewFromConfig(gw.Config())
	gateway := apigatewayv2.NewFromConfig(gw.Config())
	api := must(gateway.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: new("n0"), ProtocolType: types.ProtocolTypeHttp}))(t).ApiId
	code := zipOf(t, "index.js", helloCode)
	for i := range 5 {
		name := new(fmt.Sprintf("n%d", i))
		if i > 0 {
			must(gateway.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: name, ProtocolType: types.ProtocolTypeHttp}))(t)
		}
		must(gateway.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: api, RouteKey: new("GET /" + *name)}))(t)
		must(gateway.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: api, StageName: name}))(t)
		must(f.CreateFunction(ctx, functionInput(*name, code, f.role)))(t)
		must(users.CreateUser(ctx, &iam.CreateUserInput{UserName: name}))(t)
		must(users.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: name, PolicyDocument: new(writeLogs)}))(t)
		must(groups.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: name}))(t)
	}
	two := new("2")
	wantNames(t, "APIs", pages(t, "APIs", 2, func(token *string) (names []string, _ *string) {
		out := must(gateway.GetApis(ctx, &apigatewayv2.GetApisInput{MaxResults: two, NextToken: token}))(t)
		for _, a := range out.Items {
			names = append(names, *a.Name)
		}
		return names, out.NextToken
	}))
	wantNames(t, "routes", pages(t, "routes", 2, func(token *string) (names []string, _ *string) {
		out := must(gateway.GetRoutes(ctx, &apigatewayv2.GetRoutesInput{ApiId: api, MaxResults: two, NextToken: token}))(t)
		for _, r := range out.Items {
			names = append(names, strings.TrimPrefix(*r.RouteKey, "GET /"))
		}
		return names, out.NextToken
	}))
	wantNames(t, "stages", pages(t, "stages", 2, func(token *string) (names []string, _ *string) {
		out := must(gateway.GetStages(ctx, &apigatewayv2.GetStagesInput{ApiId: api, MaxResults: two, NextToken: token}))(t)
		for _, s := range out.Items {
			names = append(names, *s.StageName)
		}
		return names, out.NextToken
	}))
	wantNames(t, "functions", pages(t, "functions", 2, func(token *string) (names []string, _ *string) {
		out := must(f.ListFunctions(ctx, &lambda.ListFunctionsInput{MaxItems: new(int32(2)), Marker: token}))(t)
		for _, fn := range out.Functions {
			names = append(names, *fn.FunctionName)
		}
		return names, out.NextMarker
	}))
	wantNames(t, "users", pages(t, "users", 2, func(token *string) (names []string, _ *string) {
		out := must(users.ListUsers(ctx, &iam.ListUsersInput{MaxItems: new(int32(2)), Marker: token}))(t)
		for _, u := range out.Users {
			names = append(names, *u.UserName)
		}
		return names, out.Marker
	}))
	wantNames(t, "policies", pages(t, "policies", 2, func(token *string) (names []string, _ *string) {
		out := must(users.ListPolicies(ctx, &iam.ListPoliciesInput{Scope: "Local", MaxItems: new(int32(2)), Marker: token}))(t)
		for _, p := range out.Policies {
			names = append(names, *p.PolicyName)
		}
		return names, out.Marker
	}))
	wantNames(t, "log groups", pages(t, "log groups", 2, func(token *string) (names []string, _ *string) {
		out := must(groups.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: new("n"), Limit: new(int32(2)), NextToken: token}))(t)
		for _, g := range out.LogGroups {
			names = append(names, *g.LogGroupName)
		}
		return names, out.NextToken
	}))

	// A token that none of them made.
	_, err := gateway.GetApis(ctx, &apigatewayv2.GetApisInput{NextToken: new("x")})
	fails(t, err, "BadRequestException")
	_, err = f.ListFunctions(ctx, &lambda.ListFunctionsInput{Marker: new("x")})
	fails(t, err, "InvalidParameterValueException")
	_, err = users.ListUsers(ctx, &iam.ListUsersInput{Marker: new("x")})
	fails(t, err, "ValidationError")
	_, err = groups.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{NextToken: new("x")})
	fails(t, err, "InvalidParameterException")
}

// TestPresigned checks that a link signed with a known key is good, and one
// with any other isn't, although the gateway is open.
func TestPresigned(t *testing.T) {
	gw := harness.Start(t, "", "--root-access-key-id", "root", "--root-secret-access-key", "secret")
	for key, want := range map[string]int{"root": http.StatusOK, "test": http.StatusForbidden} {
		config := gw.Config()
		config.Credentials = credentials.NewStaticCredentialsProvider(key, "secret", "")
		link := must(sts.NewPresignClient(sts.NewFromConfig(config)).PresignGetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}))(t)
		get := func(url string) (int, string) {
			t.Helper()
			req := must(http.NewRequestWithContext(t.Context(), link.Method, url, nil))(t)
			req.Header = link.SignedHeader
			resp := must(http.DefaultClient.Do(req))(t)
			defer resp.Body.Close() //nolint:errcheck // nothing to do about it
			return resp.StatusCode, string(must(io.ReadAll(resp.Body))(t))
		}
		if status, body := get(link.URL); status != want {
			t.Errorf("key %s: %d %s, want %d", key, status, body, want)
		}
		if status, body := get(link.URL + "&More=1"); status != http.StatusForbidden {
			t.Errorf("key %s, changed link: %d %s", key, status, body)
		}
	}
}
