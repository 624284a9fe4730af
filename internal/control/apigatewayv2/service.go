package apigatewayv2

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/domain"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

const serviceName = "apigatewayv2"

// A Compiler says whether definitions can run.
type Compiler interface {
	// CheckIntegration says why an integration can't be called as defined; nil
	// when it can.
	CheckIntegration(in *definition.Integration) error
	// CheckMapping says why an integration's parameter mappings can't be applied,
	// in AWS's words; nil when they can.
	CheckMapping(in *definition.Integration) error
	// CheckAuthorizer says why the function of an authorizer of type REQUEST
	// can't be called as defined; nil when it can.
	CheckAuthorizer(in *definition.Authorizer) error
	// CheckSocketIntegration says why an integration of a WebSocket API can't be
	// called as defined, CheckSocketMapping, in AWS's words where it has any, why
	// requests can't be mapped for it, and CheckIntegrationResponse why one of its
	// responses can't be chosen or made.
	CheckSocketIntegration(in *definition.Integration) error
	CheckSocketMapping(in *definition.Integration) error
	CheckIntegrationResponse(in *definition.IntegrationResponse) error
	// CheckSelection says why a text isn't a selection expression about messages,
	// CheckModel why messages can't be validated against a model's schema.
	CheckSelection(text string) error
	CheckModel(schema string) error
	// CheckAccessLog says why an access log format can't be written by an API.
	CheckAccessLog(api *definition.API, format string) error
	// CheckStage says why a stage couldn't serve the API's definitions as the
	// transaction has them now; "" when it can.
	CheckStage(tx *store.Tx, s store.Scope, apiID string, stage *definition.Stage) (reason string, err error)
}

// Options are what a Service works with.
type Options struct {
	Store    *store.Store
	Compiler Compiler
	// Endpoint is where the traffic of APIs is served from outside.
	Endpoint Endpoint
	// Answers are what ResetAuthorizersCache flushes.
	Answers Answers
	// Rand yields the randomness of ids.
	Rand io.Reader
	// Issuers are those of the tokens that JWT authorizers take.
	Issuers Issuers
	// Domains are the custom domain names.
	Domains *domain.Names
	// MaxTimeout is the longest timeout that an integration may have; zero is
	// AWS's, 30 s of HTTP APIs and 29 s of WebSocket APIs.
	MaxTimeout time.Duration
}

// Issuers knows what issuers of tokens there may be.
type Issuers interface {
	// CheckIssuer says why the tokens of an issuer can never be verified.
	CheckIssuer(issuer string) error
	// Prefetch begins to fetch the keys of an issuer and doesn't wait.
	Prefetch(issuer string)
}

// An Endpoint is the address that apiEndpoint is made of.
type Endpoint struct {
	// Scheme is "http" or "https".
	Scheme string
	// Domain is what follows "{api-id}.execute-api.", as in "localhost".
	Domain string
	// Port is left out when it is zero or the scheme's own.
	Port int
}

// URL is the address of an API, without a path.
func (e Endpoint) URL(apiID string) string { return e.url(e.Scheme, apiID) }

// SocketURL is the address of a WebSocket API, without a path: its scheme is "ws"
// in place of "http" and "wss" in place of "https".
func (e Endpoint) SocketURL(apiID string) string {
	return e.url("ws"+strings.TrimPrefix(e.Scheme, "http"), apiID)
}

func (e Endpoint) url(scheme, apiID string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s://%s.execute-api.%s", scheme, apiID, e.Domain)
	if e.Port != 0 && !(e.Scheme == "http" && e.Port == 80) && !(e.Scheme == "https" && e.Port == 443) {
		fmt.Fprintf(&b, ":%d", e.Port)
	}
	return b.String()
}

// A Service holds the operations. What is missing here answers 501.
type Service struct {
	apigatewayv2.Unimplemented
	store    *store.Store
	compiler Compiler
	endpoint Endpoint
	issuers  Issuers
	rand     io.Reader
	answers  Answers
	domains  *domain.Names
	// maxTimeout and maxSocketTimeout are the longest timeouts of integrations, in
	// milliseconds.
	maxTimeout, maxSocketTimeout int32
}

var _ apigatewayv2.Operations = (*Service)(nil)

// New makes the service.
func New(o Options) *Service {
	lifted := int32(o.MaxTimeout / time.Millisecond)
	return &Service{
		store: o.Store, compiler: o.Compiler, endpoint: o.Endpoint, rand: o.Rand, answers: o.Answers, issuers: o.Issuers, domains: o.Domains,
		maxTimeout: cmp.Or(lifted, maxTimeoutMillis), maxSocketTimeout: cmp.Or(lifted, maxSocketTimeoutMillis),
	}
}

func scope(c *awswire.Call) store.Scope {
	return store.Scope{Account: c.Account, Region: c.Region}
}

// missing turns the store's not-found into the service's, and leaves other
// errors as they are.
func missing(err error, format string, args ...any) error {
	if errors.Is(err, store.ErrNotFound) {
		return apigatewayv2.NewNotFoundException(fmt.Sprintf(format, args...))
	}
	return err
}

func badRequest(format string, args ...any) error {
	return apigatewayv2.NewBadRequestException(fmt.Sprintf(format, args...))
}

func conflict(format string, args ...any) error {
	return apigatewayv2.NewConflictException(fmt.Sprintf(format, args...))
}

// notYet refuses a member whose effect the gateway doesn't have.
func notYet(operation, member string) error {
	return awswire.NotImplemented(serviceName, operation+" with "+member)
}

// memberName is a member as it is written in requests.
func memberName(name string) string { return strings.ToLower(name[:1]) + name[1:] }

// refuse answers for the first of the named members that a request carries
// with a value.
func refuse(operation string, request any, members ...string) error {
	if name := present(request, members...); name != "" {
		return notYet(operation, memberName(name))
	}
	return nil
}

// checkLength refuses a text of more characters than AWS lets it have.
func checkLength(name string, p *string, most int) error {
	// UNVERIFIED: the words of the length errors.
	if p != nil && utf8.RuneCountInString(*p) > most {
		return badRequest("Member must have length less than or equal to %d: %s", most, name)
	}
	return nil
}
