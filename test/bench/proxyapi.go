package main

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	v2 "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
)

const (
	// origin is where the requests' page comes from; the APIs allow it.
	origin = "https://shop.example.com"
	// logGroup is where the APIs log, logFormat how: the common log format that
	// API Gateway offers.
	logGroup  = "/bench/access"
	logFormat = `$context.identity.sourceIp - - [$context.requestTime] "$context.httpMethod $context.routeKey $context.protocol" ` +
		`$context.status $context.responseLength $context.requestId`
	// rateLimit and burstLimit are throttles that nothing trips.
	rateLimit  = 1_000_000
	burstLimit = 1_000_000
)

// What a mapped API maps: two headers and a query parameter there, a header
// back.
var (
	requestParameters = map[string]string{
		"append:header.x-request-id": "$context.requestId",
		"overwrite:header.x-client":  "${context.identity.sourceIp} of ${request.header.origin}",
		"append:querystring.item":    "$request.path.id",
	}
	responseParameters = map[string]map[string]string{"200": {"overwrite:header.cache-control": "max-age=60"}}
)

// throttled are the flags of a gateway that throttles accounts.
func throttled() []string {
	return []string{"--account-rate-limit", strconv.Itoa(rateLimit), "--account-burst-limit", strconv.Itoa(burstLimit)}
}

// createLogGroup creates the log group of the APIs.
func createLogGroup(ctx context.Context, config aws.Config) error {
	_, err := cloudwatchlogs.NewFromConfig(config).CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(logGroup)})
	return err
}

// A proxyAPI is an HTTP API in front of the backend.
type proxyAPI struct {
	backend string
	routes  int
	mapped  bool // with parameter mapping
	live    bool // deployed before its routes are created, and again by each
	// guarded says who may use the routes; the rest of it is left out.
	guarded apigatewayv2.CreateRouteInput
}

// create creates the API with CORS, throttles, an access log and detailed
// metrics, and its routes one by one. It returns the API's host. The log group
// has to be there.
func (a proxyAPI) create(ctx context.Context, config aws.Config) (string, error) {
	client := apigatewayv2.NewFromConfig(config)
	api, err := client.CreateApi(ctx, &apigatewayv2.CreateApiInput{
		Name: aws.String("bench"), ProtocolType: v2.ProtocolTypeHttp, CorsConfiguration: cors(),
	})
	if err != nil {
		return "", err
	}
	if a.live {
		err = createStage(ctx, client, *api.ApiId)
	}
	if err == nil {
		err = a.createRoutes(ctx, client, *api.ApiId)
	}
	if err == nil && !a.live {
		err = createStage(ctx, client, *api.ApiId)
	}
	return hostOf(*api.ApiId), err
}

// createRoutes creates the routes and the integration that they share.
func (a proxyAPI) createRoutes(ctx context.Context, client *apigatewayv2.Client, apiID string) error {
	call := &apigatewayv2.CreateIntegrationInput{
		ApiId: aws.String(apiID), IntegrationType: v2.IntegrationTypeHttpProxy, IntegrationMethod: aws.String("ANY"),
		IntegrationUri: aws.String("http://" + a.backend + "/r/items/{id}"), PayloadFormatVersion: aws.String("1.0"),
	}
	if a.mapped {
		call.RequestParameters, call.ResponseParameters = requestParameters, responseParameters
	}
	integration, err := client.CreateIntegration(ctx, call)
	if err != nil {
		return err
	}
	return parallel(ctx, a.routes, func(ctx context.Context, i int) error {
		_, err := client.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{
			ApiId: aws.String(apiID), RouteKey: aws.String("GET " + routePath(i)),
			Target:            aws.String("integrations/" + *integration.IntegrationId),
			AuthorizationType: a.guarded.AuthorizationType, AuthorizerId: a.guarded.AuthorizerId, AuthorizationScopes: a.guarded.AuthorizationScopes,
		})
		return err
	})
}

// routePath is the path of the i-th route.
func routePath(i int) string { return "/r" + strconv.Itoa(i) + "/items/{id}" }

func cors() *v2.Cors {
	return &v2.Cors{
		AllowOrigins: []string{origin, "https://admin.example.com"}, AllowMethods: []string{"GET", "POST"},
		AllowHeaders: []string{"authorization", "content-type"}, ExposeHeaders: []string{"x-request-id"},
		AllowCredentials: aws.Bool(true), MaxAge: aws.Int32(600),
	}
}

// createStage creates the $default stage of an API, which deploys by itself,
// with all that costs requests something.
func createStage(ctx context.Context, client *apigatewayv2.Client, apiID string) error {
	_, err := client.CreateStage(ctx, &apigatewayv2.CreateStageInput{
		ApiId: aws.String(apiID), StageName: aws.String("$default"), AutoDeploy: aws.Bool(true),
		AccessLogSettings: &v2.AccessLogSettings{
			DestinationArn: aws.String("arn:aws:logs:" + region + ":" + account + ":log-group:" + logGroup), Format: aws.String(logFormat),
		},
		DefaultRouteSettings: &v2.RouteSettings{
			DetailedMetricsEnabled: aws.Bool(true), ThrottlingRateLimit: aws.Float64(rateLimit), ThrottlingBurstLimit: aws.Int32(burstLimit),
		},
	})
	return err
}
