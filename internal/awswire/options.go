package awswire

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Options make a Handler.
type Options struct {
	// Services are answered. Two may share a signing name if their paths differ.
	Services []*Service
	// Auth says whose calls are accepted.
	Auth Auth
	// Authorize decides whether the caller may do what it asks; nil allows
	// everything. It isn't asked about the root user or unsigned operations.
	Authorize func(*Call, Action) error
	// Require is asked by Call.Require in the same way, about an action and a resource
	// of the operation's choosing; nil allows everything.
	Require func(c *Call, a Action, action, resource string) error
	// Account and Region are those of calls that name none.
	Account, Region string
	// Hosts are names management is reached by besides loopback addresses,
	// localhost and what ends in .localhost. A leading dot admits subdomains.
	Hosts []string
	// AllowBrowser admits a call that a browser sent; nil admits none. The
	// console uses it for its own origin and session.
	AllowBrowser func(*http.Request) bool
	// MaxBodyBytes bounds a request's body, also after decompression; 0 means
	// DefaultMaxBodyBytes.
	MaxBodyBytes int64
	// Clock is time.Now when nil.
	Clock func() time.Time
	// RequestID makes the id of a call; nil makes random UUIDs.
	RequestID func() string
	// Logger receives one debug line per call and an error for each internal
	// failure; nil discards.
	Logger *slog.Logger
}

// DefaultMaxBodyBytes is the largest request AWS takes on these APIs: a
// function's zip file, base64 inside JSON.
const DefaultMaxBodyBytes = 70_167_211

// maxFormBytes bounds an unsigned form, which is read before anybody is known.
const maxFormBytes = 1 << 20

// An Action is what a call asks to do, for a policy decision.
type Action struct {
	// Service is the signing name, as in "apigateway"; Model the service's own.
	Service, Model string
	// Operation is the operation's name, as in "CreateApi".
	Operation string
	// Method is that of the request. Path is made of the operation's labels as they
	// were understood, so that it is what is decided about however a client writes
	// it: a slash or a colon within a label is %2F or %3A. API Gateway's policies
	// speak of both. Only REST protocols have a Path.
	Method, Path string
	// UserAgent and Referer are the headers of those names, "" for none.
	UserAgent, Referer string
	// Input is the decoded and valid input, a pointer to the generated struct,
	// or nil if the operation has none.
	Input any
}

// Auth says whose calls are accepted.
type Auth struct {
	// Credentials knows access keys. Nil knows none.
	Credentials Credentials
	// Open accepts an access key nobody knows, in an Authorization header, as
	// root of the account. Only for a loopback listener.
	Open bool
}

// Credentials finds access keys: the root user's, IAM users', STS sessions'.
type Credentials interface {
	// Lookup returns nil and no error for a key that doesn't exist, is inactive
	// or was deleted.
	Lookup(ctx context.Context, accessKeyID string) (*Credential, error)
}

// A Credential is a known access key.
type Credential struct {
	Secret string
	// Principal is whom the key belongs to.
	Principal Principal
	// TokenHash is the SHA-256 of the session token that must come along; nil
	// for long-lived keys, which have none.
	TokenHash []byte
	// Expires ends a session; zero is never.
	Expires time.Time
}
