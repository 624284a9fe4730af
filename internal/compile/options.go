package compile

import (
	"crypto/tls"
	"log/slog"
	"time"

	"gatehouse/internal/authorize"
	"gatehouse/internal/integrate"
	"gatehouse/internal/observe"
	"gatehouse/internal/plan"
	"gatehouse/internal/stagecache"
)

// Options are what a Compiler builds plans with. The functions may be called
// from several goroutines; what they return is used by every request.
type Options struct {
	// Lambda makes an integration that invokes a function.
	Lambda func(LambdaCall) (plan.Integration, error)
	// HTTP makes an integration that forwards to a URL.
	HTTP func(HTTPCall) (plan.Integration, error)
	// AWSService makes an integration that calls a service of AWS; nil answers that
	// there is none.
	AWSService func(AWSServiceCall) (plan.Integration, error)
	// AccessLog makes the access log of a stage.
	AccessLog func(AccessLog) (plan.AccessLog, error)
	// DefaultAccessLog is that of stages which configure none; nil is none.
	DefaultAccessLog plan.AccessLog
	// AccountLimit returns the throttle of an API's account and region, nil for
	// none; RouteLimit that of a route, in requests a second with bursts of
	// burst. Their state outlives plans.
	AccountLimit func(api *plan.API) plan.Limiter
	RouteLimit   func(api *plan.API, stage, routeID string, rate float64, burst int32) plan.Limiter
	// StageMetrics returns the counters of a stage, RouteMetrics those of one
	// route. They outlive plans: the same names get the same counters.
	StageMetrics func(api *plan.API, stage string) plan.Metrics
	RouteMetrics func(api *plan.API, stage, method, path string) plan.Metrics
	// AuthorizerFunction returns the function of a Lambda authorizer; nil closes
	// what such authorizers guard. Answers keeps what functions answer, over plans;
	// nil keeps nothing.
	AuthorizerFunction func(AuthorizerFunction) authorize.Function
	Answers            *authorize.AnswerCache
	// Caches keep what stages of REST APIs cache, over plans; nil caches nothing.
	Caches *stagecache.Caches
	// Signers finds who signs requests; nil knows nobody.
	Signers authorize.Signers
	// APIKeys returns the check of the API keys of a stage; nil refuses every
	// call of a method that asks for one.
	APIKeys func(APIKeys) plan.APIKeyCheck
	// JWT and Cognito make authorizers that verify tokens; nil lets nobody pass who
	// would need one.
	JWT     func(JWTCheck) (plan.Authorizer, error)
	Cognito func(CognitoCheck) (plan.Authorizer, error)
	// ExecutionLog returns the execution log of a stage, or of its canary, by
	// the name it is counted under; nil is none.
	ExecutionLog func(api *plan.API, stage string) plan.ExecutionLog
	// TLS makes how connections to a custom domain name shake hands, and says whose
	// certificates it takes, nil for a domain without mutual TLS; nil, and a nil
	// front, have the gateway's own certificate.
	TLS func(DomainTLS) (plan.Handshaker, plan.Truststore, error)
	// GatewayTLS makes how connections to the own hosts of APIs with a security
	// policy shake hands, with the gateway's own certificate; nil has the gateway's
	// own way for all of them.
	GatewayTLS func(securityPolicy string) (plan.Handshaker, error)
	// ReservedHost tells that the gateway itself is, or could be, called by a name,
	// or by one that a name with a star stands for: no domain may take its
	// requests. nil reserves none.
	ReservedHost func(name string) bool
	// Links knows the VPC links; nil knows none.
	Links *Links
	// Clock is what signatures and conditions of policies on time are held
	// against; nil is time.Now.
	Clock func() time.Time
	// Logger takes what goes wrong in Load. Nil is silence.
	Logger *slog.Logger
}

// APIKeys are the API keys of a stage and where requests have theirs.
type APIKeys struct {
	APIID, Stage string
	// FromAuthorizer tells that a Lambda authorizer answers the key.
	FromAuthorizer bool
}

// A LambdaCall is an integration with a Lambda function.
type LambdaCall struct {
	// FunctionARN is the unqualified ARN; Qualifier a version or alias, or "".
	FunctionARN, Qualifier string
	// Payload is what the function gets and answers: one of the PayloadFormat
	// constants of package integrate.
	Payload string
	Timeout time.Duration
	// Credentials is the ARN of the role to invoke with, "" to rely on the
	// function's own policy.
	Credentials string
}

// An AuthorizerFunction is the function of a Lambda authorizer.
type AuthorizerFunction struct {
	// FunctionARN, Qualifier and Credentials are as those of a LambdaCall.
	FunctionARN, Qualifier, Credentials string
}

// An HTTPCall is an integration that proxies to a URL.
type HTTPCall struct {
	// URI is the target with its {path variables}.
	URI string
	// Method is the method to call with, "ANY" to keep the client's.
	Method string
	// AppendPath appends the path of the request, as $default routes do.
	AppendPath bool
	Timeout    time.Duration
	// ClientCertificate is what an https backend is shown; nil for nothing.
	ClientCertificate *tls.Certificate
	// ServerName is whom the backend's certificate is for, "" the host of the URI.
	// SelfSigned takes one whose authority nobody knows.
	ServerName string
	SelfSigned bool
	// Private is what a VPC link leads to, in place of the URI; nil without a link.
	// Who makes the integration adds how it is balanced.
	Private *integrate.Private
}

// A JWTCheck is what a JWT authorizer checks on one route.
type JWTCheck struct {
	Issuer         string
	Audiences      []string
	IdentitySource string
	// Scopes are those of the route, nil for none.
	Scopes []string
}

// A CognitoCheck is what a COGNITO_USER_POOLS authorizer checks on one method.
type CognitoCheck struct {
	// Issuers are those of the user pools' tokens.
	Issuers        []string
	IdentitySource string
	// AudienceExpression is what the audience has to match, "" for anything.
	AudienceExpression string
	// Scopes are those of the method, nil for none.
	Scopes []string
}

// An AccessLog is what a stage logs and where.
type AccessLog struct {
	Format *observe.Format
	// LogGroup is the name of a log group in the account and region of the ARN
	// the stage was given.
	Account, Region, LogGroup string
	// Stage and API are whose log it is.
	API, Stage string
}

func (o *Options) accountLimit(api *plan.API) plan.Limiter {
	if o.AccountLimit == nil {
		return nil
	}
	return o.AccountLimit(api)
}

func (o *Options) stageMetrics(api *plan.API, stage string) plan.Metrics {
	return o.StageMetrics(api, stage)
}

func (o *Options) routeMetrics(api *plan.API, stage string, r *plan.Route) plan.Metrics {
	return o.RouteMetrics(api, stage, r.Method, r.Path)
}

// executionLog returns the execution log of a stage, nil for none.
func (o *Options) executionLog(api *plan.API, stage string) plan.ExecutionLog {
	if o.ExecutionLog == nil {
		return nil
	}
	return o.ExecutionLog(api, stage)
}

func (o *Options) apiKeys(keys APIKeys) plan.APIKeyCheck {
	if o.APIKeys == nil {
		return noAPIKeys{}
	}
	return o.APIKeys(keys)
}

// noAPIKeys refuses all keys.
type noAPIKeys struct{}

// CheckAPIKey implements plan.APIKeyCheck.
func (noAPIKeys) CheckAPIKey(*plan.Exchange) error {
	return &plan.Fault{Kind: plan.InvalidAPIKey, Reason: "there are no API keys"}
}
