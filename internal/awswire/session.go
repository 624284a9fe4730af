package awswire

import "context"

// SessionCredentials is what a Credentials may be beside: one whose sessions
// are in their tokens and can't be found by the access key alone.
type SessionCredentials interface {
	// LookupSession is Lookup for a call that came with a session token. A token
	// that isn't one of this gateway's is a key that doesn't exist.
	LookupSession(ctx context.Context, accessKeyID, token string) (*Credential, error)
}

// lookup finds the credential of an access key and the token it came with.
func lookup(ctx context.Context, c Credentials, accessKeyID, token string) (*Credential, error) {
	if sessions, ok := c.(SessionCredentials); ok && token != "" {
		return sessions.LookupSession(ctx, accessKeyID, token)
	}
	return c.Lookup(ctx, accessKeyID)
}
