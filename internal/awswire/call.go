package awswire

import (
	"context"
	"time"
)

// A Principal is who makes a management call.
type Principal struct {
	// Account is the twelve-digit account the caller belongs to.
	Account string
	// ARN is the caller's ARN, as sts:GetCallerIdentity reports it.
	ARN string
	// UserID is the unique id of the user, or "<role id>:<session name>".
	UserID string
	// AccessKeyID is the key the call was signed with; empty when unsigned.
	AccessKeyID string
	// SessionToken is what came along with a session's key; it is never logged.
	SessionToken string
	// Root tells that the caller is the account itself, to whom no policy applies.
	Root bool
}

// A Call is the surroundings of one operation: who calls, where, and when.
// It is a context so that it ends when the client goes away.
type Call struct {
	context.Context

	// Account and Region the operation works in: those of the credentials and
	// of the SigV4 credential scope, else the gateway's own.
	Account, Region string
	// RequestID is the value of the answer's x-amzn-RequestId.
	RequestID string
	// Principal is the verified caller.
	Principal Principal
	// Host is the Host the client used and Secure whether it came over TLS.
	Host   string
	Secure bool
	// PathPrefix is what stood before the operation's own path, as in "/prod" of
	// POST /prod/@connections/{id}; empty nearly always.
	PathPrefix string
	// Stage is the stage of an API that the call was addressed to; zero nearly
	// always.
	Stage APIStage
	// SourceIP is the address the call came from.
	SourceIP string
	// Time is when the call arrived, in UTC.
	Time time.Time
	// Guard decides for Require; nil allows everything.
	Guard func(action, resource string) error
}

// Require returns why the caller may not do something that the operation turns out
// to do beside what it was allowed before it ran: an action in the words of policies,
// to an ARN. The error is the answer.
func (c *Call) Require(action, resource string) error {
	if c.Guard == nil {
		return nil
	}
	return c.Guard(action, resource)
}
