package apigateway

import (
	"errors"
	"fmt"
	"io"
	"time"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/domain"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// A Compiler says whether definitions can run.
type Compiler interface {
	// CheckRestIntegration says, in AWS's words where it has any, why an
	// integration or one of its responses can't be compiled; nil when it can.
	CheckRestIntegration(in *apigateway.Integration) error
	// CheckRestStage says why a stage couldn't serve the API's definitions as the
	// transaction has them now; "" when it can.
	CheckRestStage(tx *store.Tx, s store.Scope, apiID string, stage *definition.RestStage) (reason string, err error)
	// Undeployable says why the store refused a transaction that deploys to a stage,
	// where it did because the API doesn't compile.
	Undeployable(err error) (reason string, ok bool)
	// CheckModel says why bodies can't be validated against a model's schema,
	// nil when they can. The models that it refers to aren't looked at.
	CheckModel(schema string) error
	// CheckRestAccessLog says why an access log format can't be written.
	CheckRestAccessLog(format string) error
}

// Keys know the values of API keys.
type Keys interface {
	// Taken tells whether a key in the scope has the value.
	Taken(s store.Scope, value string) bool
}

// Options are what a Service works with.
type Options struct {
	Store    *store.Store
	Compiler Compiler
	// Tester runs the methods of TestInvokeMethod.
	Tester Tester
	// AuthorizerTester runs the authorizers of TestInvokeAuthorizer.
	AuthorizerTester AuthorizerTester
	// Answers are what FlushStageAuthorizersCache flushes.
	Answers Answers
	// Responses are what FlushStageCache flushes.
	Responses Responses
	// Keys tells which values API keys have; it follows the store.
	Keys Keys
	// Domains are the custom domain names.
	Domains *domain.Names
	// Usage tells and changes what clients used of their quotas.
	Usage Usage
	// Rand yields the randomness of ids and of API keys.
	Rand io.Reader
	// Endpoint is the address of an API's traffic without a path, for exports.
	Endpoint func(apiID string) string
	// AccountRate and AccountBurst are the throttle that GetAccount shows, in
	// requests per second and requests; zero shows AWS's.
	AccountRate  float64
	AccountBurst int32
	// MaxTimeout is the longest timeout that an integration may have; zero is
	// AWS's, which AWS raises on request.
	MaxTimeout time.Duration
}

// A Service holds the operations. What is missing here answers 501.
type Service struct {
	apigateway.Unimplemented
	store    *store.Store
	compiler Compiler
	tester   Tester
	answers  Answers

	responses        Responses
	authorizerTester AuthorizerTester

	keys     Keys
	domains  *domain.Names
	usage    Usage
	rand     io.Reader
	endpoint func(apiID string) string
	// The throttle of accounts, for GetAccount.
	accountRate  float64
	accountBurst int32
	// maxTimeoutMillis is the longest timeout of an integration.
	maxTimeoutMillis int32
}

var _ apigateway.Operations = (*Service)(nil)

// New makes the service.
func New(o Options) *Service {
	s := &Service{
		store: o.Store, compiler: o.Compiler, tester: o.Tester, answers: o.Answers, responses: o.Responses, authorizerTester: o.AuthorizerTester,
		keys: o.Keys, domains: o.Domains, usage: o.Usage, rand: o.Rand, endpoint: o.Endpoint,
		accountRate: o.AccountRate, accountBurst: o.AccountBurst,
	}
	if s.accountRate == 0 {
		s.accountRate, s.accountBurst = defaultAccountRate, defaultAccountBurst
	}
	s.maxTimeoutMillis = int32(o.MaxTimeout / time.Millisecond)
	if s.maxTimeoutMillis == 0 {
		s.maxTimeoutMillis = maxTimeoutMillis
	}
	return s
}

func scope(c *awswire.Call) store.Scope {
	return store.Scope{Account: c.Account, Region: c.Region}
}

// missing turns the store's not-found into the service's, and leaves other
// errors as they are.
func missing(err error, format string, args ...any) error {
	if errors.Is(err, store.ErrNotFound) {
		return notFound(format, args...)
	}
	return err
}

func notFound(format string, args ...any) error {
	return apigateway.NewNotFoundException(fmt.Sprintf(format, args...))
}

func badRequest(format string, args ...any) error {
	return apigateway.NewBadRequestException(fmt.Sprintf(format, args...))
}

func conflict(format string, args ...any) error {
	return apigateway.NewConflictException(fmt.Sprintf(format, args...))
}

// now is the time of the call as AWS keeps times: in whole seconds.
func now(c *awswire.Call) *time.Time { return new(c.Time.UTC().Truncate(time.Second)) }

// value returns what a pointer points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// orDefault returns p, or a pointer to the default when it is nil.
func orDefault[T any](p *T, d T) *T {
	if p == nil {
		return &d
	}
	return p
}

// nonEmpty returns p, or nil when it points to the empty string: what
// Terraform sends for what isn't set.
func nonEmpty(p *string) *string {
	if value(p) == "" {
		return nil
	}
	return p
}
