package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/authorize"
	"gatehouse/internal/awswire/sigv4"
	"gatehouse/internal/compile"
	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
)

// ownServices are those that the gateway itself has, by prefix. Integrations with
// them call it, unless an endpoint is given for them by name.
var ownServices = map[string]bool{
	"acm": true, "apigateway": true, "cognito-idp": true, "elasticloadbalancing": true, "iam": true, "lambda": true, "logs": true,
	"route53": true, "servicediscovery": true, "sts": true,
}

// roleKeys makes keys of a role of this gateway; *sts.Service does.
type roleKeys interface {
	gatewayRoles
	GatewayKeys(ctx context.Context, roleARN string) (sigv4.Keys, time.Time, error)
}

// awsServices makes integrations with AWS's services.
type awsServices struct {
	endpoints awsEndpoints
	own       string // where the gateway's own services are
	keys      *awsKeys
	s3Keys    sigv4.Keys // of --s3-endpoint
	s3        string
	roles     roleKeys
	signers   authorize.Signers
	upstreams *integrate.Upstreams
	signer    sigv4.Signer
	clock     func() time.Time
	// strict refuses what AWS refuses; trust asks for the trust of roles that call
	// the gateway's own services.
	strict, trust bool
	log           *slog.Logger
}

// awsServices says how services are called.
func (g *gateway) awsServices(c *config, endpoints awsEndpoints, roles roleKeys, signers authorize.Signers, upstreams *integrate.Upstreams, log *slog.Logger) *awsServices {
	return &awsServices{
		endpoints: endpoints, own: g.ownURL(), keys: newAWSKeys(c, os.Getenv),
		s3: c.S3Endpoint, s3Keys: sigv4.Keys{AccessKeyID: c.S3AccessKeyID, Secret: c.S3SecretAccessKey},
		roles: roles, signers: signers, upstreams: upstreams, clock: time.Now,
		strict: c.StrictPermissions, trust: c.Auth == "strict", log: log,
	}
}

// integration makes one.
func (s *awsServices) integration(call compile.AWSServiceCall) (plan.Integration, error) {
	service := &call.URI.Service
	endpoint, named := s.endpoints[service.Prefix], true
	own := endpoint == "" && ownServices[service.Prefix]
	if endpoint == "" {
		endpoint, named = s.endpoints.of(service), false
	}
	o := integrate.AWSServiceOptions{
		URI: call.URI, Method: call.Method, Timeout: call.Timeout, Proxy: call.Proxy,
		Endpoint: endpoint, Upstreams: s.upstreams, Signer: &s.signer,
	}
	keys := s.operatorKeys(endpoint == realAWS)
	switch {
	case own:
		o.Endpoint = s.own
		keys = s.roleKeys(call.Credentials)
	case service.SigningName() == "s3" && !named && s.s3 != "":
		o.Endpoint = s.s3
		keys = func(*plan.Exchange) (sigv4.Keys, error) { return s.s3Keys, nil }
	case endpoint == realAWS:
		o.Endpoint = ""
	case endpoint == "":
		return &nowhere{service: service.Prefix, log: s.log}, nil
	}
	o.Keys = s.allowed(call, own, keys)
	return integrate.NewAWSService(o)
}

// keysOf returns what a request is signed with.
type keysOf = func(*plan.Exchange) (sigv4.Keys, error)

// operatorKeys are those that the operator gave.
func (s *awsServices) operatorKeys(aws bool) keysOf {
	return func(*plan.Exchange) (sigv4.Keys, error) {
		keys, err := s.keys.of(s.clock())
		if err != nil && !aws && errors.Is(err, errNoAWSKeys) {
			return anyKeys, nil
		}
		return keys, err
	}
}

// callerCredentials stands for those of whoever signed the request.
const callerCredentials = "arn:aws:iam::*:user/*"

// allowed puts before keys what AWS asks before it calls a service.
func (s *awsServices) allowed(call compile.AWSServiceCall, own bool, keys keysOf) keysOf {
	switch call.Credentials {
	case callerCredentials:
		return s.callerKeys
	case "":
		var warn sync.Once
		return func(x *plan.Exchange) (sigv4.Keys, error) {
			if s.strict {
				return sigv4.Keys{}, errors.New("API Gateway does not have permission to call the service: the integration has no credentials")
			}
			warn.Do(func() {
				s.log.Warn("AWS would refuse this call: the integration has no credentials", "service", call.URI.Service.Prefix, "api", x.Stage.API.ID, "route", x.Route.Key)
			})
			return keys(x)
		}
	}
	assumed := newAssumption(s.roles, call.Credentials, s.strict || own && s.trust, s.log)
	return func(x *plan.Exchange) (sigv4.Keys, error) {
		if err := assumed.check(x); err != nil {
			return sigv4.Keys{}, err
		}
		return keys(x)
	}
}

// callerKeys are those that the request was signed with.
func (s *awsServices) callerKeys(x *plan.Exchange) (sigv4.Keys, error) {
	if x.Caller.AccessKeyID == "" {
		return sigv4.Keys{}, errors.New("the integration has its caller's credentials, and nobody signed the request")
	}
	token := x.Caller.SessionToken
	signer, ok := s.signers.Signer(x.Caller.AccessKeyID, token)
	if !ok {
		return sigv4.Keys{}, fmt.Errorf("the caller's access key %s is gone", x.Caller.AccessKeyID)
	}
	return sigv4.Keys{AccessKeyID: x.Caller.AccessKeyID, Secret: signer.Secret, Token: token}, nil
}

// keysRenewed is how long before their end a role's keys are made anew.
const keysRenewed = 10 * time.Minute

// roleKeys are those of a role's session, none without a role. They are made anew
// when roles have changed: the session of one that was deleted may do nothing,
// though there is a role of its name again.
func (s *awsServices) roleKeys(role string) keysOf {
	if role == "" {
		return func(*plan.Exchange) (sigv4.Keys, error) { return sigv4.Keys{}, nil }
	}
	type session struct {
		keys       sigv4.Keys
		until      time.Time
		generation uint64
	}
	var last atomic.Pointer[session]
	return func(*plan.Exchange) (sigv4.Keys, error) {
		generation := s.roles.Generation()
		if v := last.Load(); v != nil && v.generation == generation && s.clock().Before(v.until) {
			return v.keys, nil
		}
		keys, expires, err := s.roles.GatewayKeys(context.Background(), role)
		if err != nil {
			return sigv4.Keys{}, err
		}
		last.Store(&session{keys, expires.Add(-keysRenewed), generation})
		return keys, nil
	}
}

// nowhere is an integration with a service that the operator named no endpoint
// for: AWS isn't called unless that is asked for.
type nowhere struct {
	service string
	log     *slog.Logger
	warn    sync.Once
}

// Integrate says what to do.
func (n *nowhere) Integrate(x *plan.Exchange) error {
	words := fmt.Sprintf("there is no endpoint for the AWS service %[1]s: give the gateway --aws-endpoint %[1]s=URL, or --aws-endpoint %[1]s=aws for AWS itself", n.service)
	n.warn.Do(func() { n.log.Warn(words, "api", x.Stage.API.ID, "route", x.Route.Key) })
	if t := x.Trace; t != nil {
		t.Error("Execution failed due to configuration error: %s", words)
	}
	x.Integration.Error = words
	return &plan.Fault{Kind: plan.ConfigurationError, Reason: words}
}
