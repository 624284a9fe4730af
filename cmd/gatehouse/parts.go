package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"gatehouse/internal/authorize"
	"gatehouse/internal/authorize/oidc"
	acmapi "gatehouse/internal/awsapi/acm"
	apigatewayapi "gatehouse/internal/awsapi/apigateway"
	managementapi "gatehouse/internal/awsapi/apigatewaymanagementapi"
	apigatewayv2api "gatehouse/internal/awsapi/apigatewayv2"
	cognitoidpapi "gatehouse/internal/awsapi/cognitoidp"
	elbv2api "gatehouse/internal/awsapi/elbv2"
	iamapi "gatehouse/internal/awsapi/iam"
	lambdaapi "gatehouse/internal/awsapi/lambda"
	logsapi "gatehouse/internal/awsapi/logs"
	route53api "gatehouse/internal/awsapi/route53"
	servicediscoveryapi "gatehouse/internal/awsapi/servicediscovery"
	stsapi "gatehouse/internal/awsapi/sts"
	"gatehouse/internal/awswire"
	"gatehouse/internal/balance"
	"gatehouse/internal/codestore"
	"gatehouse/internal/compile"
	"gatehouse/internal/control/acm"
	"gatehouse/internal/control/apigateway"
	"gatehouse/internal/control/apigatewaymanagementapi"
	"gatehouse/internal/control/apigatewayv2"
	"gatehouse/internal/control/cognitoidp"
	"gatehouse/internal/control/cognitoidp/oauth2"
	"gatehouse/internal/control/domain"
	"gatehouse/internal/control/elbv2"
	"gatehouse/internal/control/iam"
	"gatehouse/internal/control/lambda"
	"gatehouse/internal/control/logs"
	"gatehouse/internal/control/route53"
	"gatehouse/internal/control/servicediscovery"
	"gatehouse/internal/control/sts"
	"gatehouse/internal/function"
	"gatehouse/internal/integrate"
	"gatehouse/internal/localcert"
	"gatehouse/internal/logstore"
	"gatehouse/internal/nameserver"
	"gatehouse/internal/observe"
	"gatehouse/internal/plan"
	"gatehouse/internal/seal"
	"gatehouse/internal/serve"
	"gatehouse/internal/socket"
	"gatehouse/internal/stagecache"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
	"gatehouse/internal/throttle"
	"gatehouse/internal/tlspolicy"
	"gatehouse/internal/truststore/keep"
)

// parts are what the server needs of the rest.
type parts struct {
	compiler     *compile.Compiler
	zones        *route53.Directory
	texts        *nameserver.Texts
	orders       func() // ends those at an authority
	tester       *methodTester
	management   http.Handler
	userPools    *oauth2.Site
	lambda       *lambda.Service
	balancer     *balance.Balancer
	metrics      *observe.Collector
	caches       *stagecache.Caches
	issued       *acm.Directory
	hosts        []string // what management is called by
	certificates *localcert.Authority
	tickets      *tlspolicy.Tickets
	challenges   serve.Challenges // nil where no authority asks
	sockets      *socket.Registry
	connections  connectionCalls
}

// open brings up the state, then what runs, then the services, and fills
// directories and plan from what is stored.
func (g *gateway) open(ctx context.Context, c config, log *slog.Logger, terminal io.Writer, own apigatewayv2.Endpoint) (*parts, error) {
	// State. The database comes first: it holds the lock on the directory.
	backend, err := sqlite.Open(ctx, c.Data)
	if err != nil {
		return nil, err
	}
	g.onClose("database", func(context.Context) error { return backend.Close() })
	sealer, err := seal.OpenFile(filepath.Join(c.Data, seal.KeyFileName))
	if err != nil {
		return nil, err
	}
	code, err := codestore.Open(filepath.Join(c.Data, codeDir), codestore.Options{})
	if err != nil {
		return nil, err
	}
	events, err := logstore.Open(filepath.Join(c.Data, logsDir), logstore.Options{Log: log})
	if err != nil {
		return nil, err
	}
	g.onClose("log events", func(context.Context) error { return events.Close() })
	certificates, err := localcert.Open(localcert.Options{Dir: filepath.Join(c.Data, tlsDir), Domain: c.Domain, Region: c.Region})
	if err != nil {
		return nil, err
	}

	// What watches.
	groups := &logGroups{}
	lines := observe.NewLogWriter(observe.LogWriterOptions{Logger: log})
	access, file, err := newAccessLogs(lines, groups, c.AccessLog, c.AccessLogFormat)
	if err != nil {
		lines.Close()
		return nil, err
	}
	g.onClose("access log", func(context.Context) error { lines.Close(); return file.Close() })
	var served atomic.Pointer[compile.Compiler] // the compiler is made of what comes here
	metrics := observe.NewMetrics(observe.MetricsOptions{Live: func(apiID, stage string) bool {
		compiler := served.Load()
		if compiler == nil {
			return true
		}
		api, ok := compiler.Plan().API(apiID)
		return ok && api.Stages[strings.TrimSuffix(stage, compile.CanarySuffix)] != nil
	}})
	g.onClose("metrics", func(context.Context) error { metrics.Close(); return nil })

	// What runs.
	endpoints, err := c.awsEndpoints(os.Environ())
	if err != nil {
		return nil, err
	}
	functions, err := function.New(function.Options{
		Logger:     log,
		Logs:       groups,
		Terminal:   terminal,
		Isolation:  function.Isolation(c.FunctionIsolation),
		Executable: "/proc/self/exe",
		ModulesDir: c.FunctionModules,
		Authority:  certificates.File(),
		Endpoints:  func() map[string]string { return endpoints.variables(g.ownURL(), c.S3Endpoint) },
		TempDir:    filepath.Join(c.Data, runtimeDir),
	})
	if err != nil {
		return nil, err
	}
	g.onClose("functions", functions.Close)
	if isolated, reason := functions.Isolated(); !isolated {
		if err := c.checkNotIsolated(reason); err != nil {
			return nil, err
		}
	}
	roots, err := c.upstreamRoots()
	if err != nil {
		return nil, err
	}
	zones, texts := route53.NewDirectory(), &nameserver.Texts{}
	issuer, err := c.certificateIssuer(roots, zones, texts, log)
	if err != nil {
		return nil, err
	}
	g.onClose("authority of certificates", func(context.Context) error { issuer.close(); return nil })
	sockets := socket.New(socket.Options{
		Logger: log, IdleTimeout: c.WebSocketIdle, Lifetime: c.WebSocketLifetime,
		MaxFrameBytes: c.limits.frameBytes, MaxMessageBytes: c.limits.messageBytes,
	})
	upstreams := integrate.NewUpstreams(integrate.UpstreamOptions{RootCAs: roots, MaxBodyBytes: c.limits.bodyBytes})
	g.onClose("upstream connections", func(context.Context) error { return upstreams.Close() })
	balancer := balance.New(balance.Options{Log: log})
	g.onClose("health checks", func(context.Context) error { balancer.Close(); return nil })

	// Directories and plan follow every transaction; the store tells them.
	keys := iam.NewDirectory()
	ledger, err := throttle.OpenLedger(throttle.LedgerOptions{Dir: filepath.Join(c.Data, usageDir), Logger: log})
	if err != nil {
		return nil, err
	}
	g.onClose("usage of API keys", func(context.Context) error { return ledger.Close() })
	buckets := throttle.NewBuckets()
	apiKeys := newKeyDirectory(buckets, ledger)
	userPools := cognitoidp.NewDirectory()
	acmCertificates := &acm.Directory{Log: log}
	issuers := oidc.NewKeySets(oidc.Options{Own: userPools, RootCAs: roots, PlainHosts: c.JWTHTTPIssuers, Logger: log})
	g.onClose("issuers of tokens", func(context.Context) error { return issuers.Close() })
	verified := authorize.NewTokens()
	links := compile.NewLinks()
	balancers := &elbv2.Directory{Balancer: balancer}
	discovered := &servicediscovery.Directory{Balancer: balancer}
	roles := &lateRoles{}
	signers := &lateSigners{}
	lambdaOptions := lambda.Options{
		Logger: log, Code: code, Runtime: functions, Role: roles,
		HotReload: c.loopback() && c.Auth == "open", Private: c.Data, StrictRoles: c.StrictPermissions,
	}
	directory, err := lambda.NewDirectory(lambdaOptions)
	if err != nil {
		return nil, err
	}
	async := &lateEvents{}
	lambdas := integrate.NewLambdaService(integrate.LambdaOptions{
		Invoker: invoker{directory}, Streamer: invoker{directory}, Events: async, NewID: newUUID,
	})
	services := g.awsServices(&c, endpoints, roles, signers, upstreams, log)
	objects, err := services.objects(c.Region, roots)
	if err != nil {
		return nil, err
	}
	if objects != nil {
		lambdaOptions.Objects = objects
	}
	truststores, err := keep.New(keep.Options{
		Dir: filepath.Join(c.Data, trustDir), Files: c.TruststoreFiles || c.loopback(), S3: objects,
	})
	if err != nil {
		return nil, err
	}
	shakers := &handshakers{own: certificates.Certificate, certificates: acmCertificates, truststores: truststores}
	answers := authorize.NewAnswerCache(authorize.AnswerCacheOptions{})
	caches := stagecache.New(stagecache.Options{MaxBytes: c.MaxCacheMiB << 20})
	hosts := newReservedHosts(c)
	as := &callers{roles: roles, signers: signers, functions: directory, strict: c.StrictPermissions, log: log}
	compiler := compile.New(compile.Options{
		Lambda: func(call compile.LambdaCall) (plan.Integration, error) {
			target := integrate.LambdaTarget{
				FunctionARN: call.FunctionARN, Qualifier: call.Qualifier, PayloadFormat: call.Payload, Timeout: call.Timeout,
			}
			called := qualifiedARN(call.FunctionARN, call.Qualifier)
			if call.Credentials == "" {
				target.Permitted = newPermission(directory, called, c.StrictPermissions, log).check
			} else {
				target.Permitted = as.of(called, call.Credentials).check
			}
			return lambdas.Lambda(target)
		},
		HTTP: func(call compile.HTTPCall) (plan.Integration, error) {
			if call.Private != nil {
				call.Private.Balancer = balancer
			}
			return integrate.NewHTTP(integrate.HTTPOptions{
				URI: call.URI, Method: call.Method, AppendPath: call.AppendPath, Timeout: call.Timeout, Upstreams: upstreams,
				ClientCertificate: call.ClientCertificate, ServerName: call.ServerName, SelfSigned: call.SelfSigned, Private: call.Private,
			})
		},
		AWSService: services.integration,
		AuthorizerFunction: func(f compile.AuthorizerFunction) authorize.Function {
			return newAuthorizerFunction(directory, as, f)
		},
		Answers: answers,
		Caches:  caches,
		Signers: signers,
		APIKeys: func(keys compile.APIKeys) plan.APIKeyCheck {
			check := &authorize.APIKey{Keys: apiKeys, APIID: keys.APIID, Stage: keys.Stage}
			if keys.FromAuthorizer {
				check.Source = authorize.KeyFromAuthorizer
			}
			return check
		},
		JWT: func(check compile.JWTCheck) (plan.Authorizer, error) {
			return authorize.NewJWT(authorize.JWTOptions{
				Issuer: check.Issuer, Audiences: check.Audiences, Scopes: check.Scopes, IdentitySource: check.IdentitySource,
				Keys: issuers, Tokens: verified,
			})
		},
		Cognito: func(check compile.CognitoCheck) (plan.Authorizer, error) {
			return authorize.NewCognito(authorize.CognitoOptions{
				Issuers: check.Issuers, Scopes: check.Scopes, IdentitySource: check.IdentitySource,
				AudienceExpression: check.AudienceExpression, Keys: issuers, Tokens: verified,
			})
		},
		TLS: shakers.domain, GatewayTLS: shakers.api,
		AccountLimit: c.accountLimit(buckets),
		RouteLimit: func(api *plan.API, stage, routeID string, rate float64, burst int32) plan.Limiter {
			return buckets.Route(api.ID, stage, routeID, rate, burst)
		},
		AccessLog: access.of, DefaultAccessLog: access.operator, ExecutionLog: access.execution,
		StageMetrics: func(api *plan.API, stage string) plan.Metrics { return metrics.Stage(api, stage) },
		RouteMetrics: func(api *plan.API, stage, method, path string) plan.Metrics {
			return metrics.Route(api, stage, method, path)
		},
		ReservedHost: hosts.reserved,
		Links:        links,
		Logger:       log,
	})
	served.Store(compiler)
	documents, err := store.Open(ctx, backend, store.Options{
		Sealer: sealer,
		// Certificates come before the compiler, which asks for them.
		Prepare: together(zones.Prepare, acmCertificates.Prepare, directory.Prepare, keys.Prepare, apiKeys.Prepare, userPools.Prepare,
			links.Prepare, balancers.Prepare, discovered.Prepare, compiler.Prepare),
	})
	if err != nil {
		return nil, err
	}
	g.onClose("store", func(context.Context) error { return documents.Close() })
	// Not before the store found the key of what it has sealed: this may make one.
	shakers.tickets = tlspolicy.OpenTickets(tlspolicy.TicketOptions{File: filepath.Join(c.Data, ticketsFile), Sealer: sealer, Log: log})
	g.onClose("session tickets", func(context.Context) error { shakers.tickets.Close(); return nil })
	err = documents.View(ctx, func(tx *store.Tx) error {
		if err := errors.Join(zones.Load(tx), acmCertificates.Load(tx), directory.Load(tx), apiKeys.Load(tx), userPools.Load(tx),
			links.Load(tx), balancers.Load(tx), discovered.Load(tx)); err != nil {
			return err
		}
		_, err := compiler.Load(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := keys.Load(ctx, documents); err != nil {
		return nil, err
	}

	// Services.
	logService := logs.New(logs.Options{Store: documents, Logs: events, Logger: log})
	g.onClose("log groups", func(context.Context) error { logService.Close(); return nil })
	groups.service.Store(logService)
	identities := iam.New(iam.Options{Store: documents, Directory: keys, Log: log})
	tokens := sts.New(sts.Options{
		Roles: identities, Directory: keys, Sealer: sealer, Strict: c.Auth == "strict", Log: log,
		RootAccessKeyID: c.RootAccessKeyID, RootSecretAccessKey: c.RootSecretAccessKey, RootAccount: c.AccountID,
	})
	roles.Service = tokens
	signers.Credentials = tokens.Credentials
	lambdaOptions.Store = documents
	lambdaService, err := lambda.New(lambdaOptions, directory)
	if err != nil {
		return nil, err
	}
	async.Service = lambdaService
	g.onClose("asynchronous invocations", lambdaService.Close)
	// No function runs yet, so code that nothing refers to is in nobody's use.
	switch n, err := lambdaService.CollectCode(ctx); {
	case err != nil:
		log.Warn("function code that is no longer used couldn't be removed", "error", err)
	case n > 0:
		log.Info("removed function code that is no longer used", "archives", n)
	}
	sweep := &truststoreSweep{truststores, documents, log}
	sweeping, endSweep := context.WithCancel(context.WithoutCancel(ctx))
	swept := sweep.run(sweeping)
	g.onClose("truststores", func(context.Context) error { endSweep(); swept(); return nil })
	names := domain.New(domain.Options{Reserved: hosts.reserved, Truststore: fetchTruststore(truststores), Rand: rand.Reader})
	apis := apigatewayv2.New(apigatewayv2.Options{
		Store: documents, Compiler: compiler, Endpoint: own, Rand: rand.Reader, Answers: answers, Issuers: issuers, Domains: names,
		MaxTimeout: c.limits.timeout,
	})
	tester := &methodTester{compiler: compiler}
	restAPIs := apigateway.New(apigateway.Options{
		Store: documents, Compiler: compiler, Tester: tester, AuthorizerTester: tester, Answers: answers, Responses: caches,
		Keys: apiKeys, Domains: names, Usage: usage{ledger}, Rand: rand.Reader, Endpoint: own.URL,
		AccountRate: c.AccountRateLimit, AccountBurst: c.AccountBurstLimit, MaxTimeout: c.MaxRestTimeout,
	})
	callbacks := managementapi.NewService(apigatewaymanagementapi.New(connections{sockets, compiler.Published()}, c.limits.messageBytes))
	pools, err := cognitoidp.New(cognitoidp.Options{
		Store: documents, Directory: userPools, Sealer: sealer, Log: log, Codes: c.sentCodes(log), Reserved: hosts.reserved,
		Functions: &poolFunctions{directory: directory, strict: c.StrictPermissions, log: log},
	})
	if err != nil {
		return nil, err
	}
	g.onClose("user pools", func(context.Context) error { pools.Close(); return nil })
	poolService := cognitoidpapi.NewService(pools)
	front := cognitoidp.NewFront(pools, poolService)
	site := oauth2.New(oauth2.Options{Pools: pools, Directory: userPools, Sealer: sealer, Region: c.Region, Log: log})
	certificateService := acm.New(acm.Options{
		Store: documents, Directory: acmCertificates, Issuer: issuer.Issuer, Patient: issuer.patient, OrdersPerHour: c.ACMEOrdersPerHour,
		Validator: c.validator(zones), Log: log,
	})
	g.onClose("certificates", func(context.Context) error { certificateService.Close(); return nil })
	guard := newGuard(c, tokens.Credentials, keys, directory, log)
	options := awswire.Options{
		Services: []*awswire.Service{
			apigatewayapi.NewService(restAPIs),
			apigatewayv2api.NewService(apis),
			lambdaapi.NewService(lambdaService),
			iamapi.NewService(identities),
			stsapi.NewService(tokens),
			logsapi.NewService(logService),
			poolService,
			callbacks,
			acmapi.NewService(certificateService),
			elbv2api.NewService(elbv2.New(elbv2.Options{Store: documents, Health: balancer})),
			servicediscoveryapi.NewService(servicediscovery.New(servicediscovery.Options{Store: documents})),
			route53api.NewService(route53.New(route53.Options{Store: documents, Changed: certificateService.RecordsChanged})),
		},
		Auth:      awswire.Auth{Credentials: tokens.Credentials, Open: c.Auth == "open"},
		Authorize: guard.Authorize, Require: guard.Require,
		Account: c.AccountID,
		Region:  c.Region,
		Hosts:   c.managementHosts(),
		Logger:  log,

		AllowBrowser: front.AllowBrowser,
	}
	management := front.Handler(awswire.NewHandler(options))
	options.Services, options.AllowBrowser = []*awswire.Service{callbacks}, nil
	return &parts{compiler: compiler, tester: tester, management: management, userPools: site, connections: newConnectionCalls(options, c.limits.messageBytes), lambda: lambdaService, balancer: balancer, metrics: observe.NewCollector(metrics, lines), caches: caches, issued: acmCertificates, hosts: c.managementHosts(), certificates: certificates, tickets: shakers.tickets, challenges: issuer.challenges, sockets: sockets, zones: zones, texts: texts, orders: certificateService.Close}, nil
}

// accountLimit returns the throttle of accounts, nil where the operator set none.
func (c *config) accountLimit(buckets *throttle.Buckets) func(*plan.API) plan.Limiter {
	if c.AccountRateLimit == 0 {
		return nil
	}
	return func(api *plan.API) plan.Limiter {
		return buckets.Account(api.AccountID, api.Region, c.AccountRateLimit, c.AccountBurstLimit)
	}
}

// together makes one of what has to follow every transaction. Each prepares
// before the commit; they are published in order after it.
func together(prepare ...func(*store.Tx, []store.Change) (func(), error)) func(*store.Tx, []store.Change) (func(), error) {
	return func(tx *store.Tx, changes []store.Change) (func(), error) {
		var publish []func()
		for _, p := range prepare {
			f, err := p(tx, changes)
			if err != nil {
				return nil, err
			}
			if f != nil {
				publish = append(publish, f)
			}
		}
		return func() {
			for _, f := range publish {
				f()
			}
		}, nil
	}
}

// lateRoles hands out roles' keys once the service that makes them is there.
// Functions start no earlier.
type lateRoles struct{ *sts.Service }
