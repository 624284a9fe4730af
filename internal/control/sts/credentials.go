package sts

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"

	"gatehouse/internal/awswire"
	"gatehouse/internal/control/iam"
	"gatehouse/internal/policy"
)

// Credentials looks up who an access key belongs to: root, a user, or a
// session. It is safe for concurrent use and takes no lock.
type Credentials struct {
	directory *iam.Directory
	sessions  *sessions

	rootID, rootSecret string
	root               policy.Caller
	rootKeys           keySet
	// everything is what root may do, when it vouches for somebody.
	everything *policy.Document
}

var (
	_ awswire.Credentials        = (*Credentials)(nil)
	_ awswire.SessionCredentials = (*Credentials)(nil)
)

// Lookup returns the credential of a long-lived key, nil if there is none or it
// is switched off.
func (c *Credentials) Lookup(_ context.Context, accessKeyID string) (*awswire.Credential, error) {
	if c.rootID != "" && accessKeyID == c.rootID {
		return &awswire.Credential{Secret: c.rootSecret, Principal: awswire.Principal{
			Account: c.root.Account, ARN: c.root.ARN, UserID: c.root.UserID, AccessKeyID: accessKeyID, Root: true,
		}}, nil
	}
	k, ok := c.directory.Key(accessKeyID)
	if !ok || !k.Active {
		return nil, nil
	}
	return &awswire.Credential{Secret: k.Secret, Principal: awswire.Principal{
		Account: k.Account, ARN: k.ARN, UserID: k.UserID, AccessKeyID: accessKeyID,
	}}, nil
}

// LookupSession returns the credential of a session, expired or not, nil if the
// token isn't one of this gateway or belongs to another key. A token that comes
// with a long-lived key is left for the caller to refuse.
func (c *Credentials) LookupSession(ctx context.Context, accessKeyID, token string) (*awswire.Credential, error) {
	if !strings.HasPrefix(accessKeyID, iam.SessionKey) {
		return c.Lookup(ctx, accessKeyID)
	}
	v, err := c.sessions.open(accessKeyID, token)
	if err != nil {
		return nil, nil
	}
	return v.credential, nil
}

// newCredential is a session as signatures are verified with it.
func newCredential(v *Session, token string) *awswire.Credential {
	sum := sha256.Sum256([]byte(token))
	return &awswire.Credential{
		Secret: v.Secret, TokenHash: sum[:], Expires: v.Expires,
		Principal: awswire.Principal{Account: v.Account, ARN: v.ARN, UserID: v.UserID, AccessKeyID: v.AccessKeyID, SessionToken: token, Root: v.Root},
	}
}

// Used notes when and for what service a caller was seen last.
func (c *Credentials) Used(p awswire.Principal, service, region string, at time.Time) {
	if strings.HasPrefix(p.AccessKeyID, iam.SessionKey) {
		if id, _, ok := strings.Cut(p.UserID, ":"); ok {
			c.directory.Used(id, service, region, at)
		}
		return
	}
	if _, ok := c.directory.Key(p.AccessKeyID); ok {
		c.directory.Used(p.AccessKeyID, service, region, at)
	}
}
