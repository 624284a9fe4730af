package sts

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"gatehouse/internal/awswire"
	"gatehouse/internal/control/iam"
)

// A Session is temporary credentials and what they stand for. It is the content
// of its own token.
type Session struct {
	AccessKeyID string `json:"k"`
	Secret      string `json:"s"`
	Account     string `json:"a"`
	// ARN and UserID are the caller's, as GetCallerIdentity tells them.
	ARN    string `json:"n"`
	UserID string `json:"u"`
	// RoleARN is the role the session assumed; empty for a user's, root's or
	// federated user's session.
	RoleARN string `json:"r,omitempty"`
	// Root tells that the session is the account's own.
	Root    bool      `json:"t,omitempty"`
	Expires time.Time `json:"e"`
	// Tags are the session's tags by key in lower case; Transitive are the keys of
	// those that sessions assumed from this one inherit.
	Tags           map[string]string `json:"g,omitempty"`
	Transitive     []string          `json:"v,omitempty"`
	SourceIdentity string            `json:"i,omitempty"`
	// Policy and PolicyARNs bound what the session may do.
	Policy     string   `json:"p,omitempty"`
	PolicyARNs []string `json:"q,omitempty"`
	// Issued is when the session was made.
	Issued time.Time `json:"b"`
	// Federator is the unique id of the user who vouches for a federated user, or
	// the account if that is root.
	Federator string `json:"f,omitempty"`
	// Unfounded tells that there was no such role when the session was made.
	Unfounded bool `json:"x,omitempty"`
	// FunctionARN is the function in whose environment the keys are.
	FunctionARN string `json:"l,omitempty"`

	token      string
	credential *awswire.Credential
	standing   atomic.Pointer[standing]
}

// A Sealer encrypts tokens; *seal.Sealer is the one there is.
type Sealer interface {
	Seal(plain, context []byte) ([]byte, error)
	Open(sealed, context []byte) ([]byte, error)
}

// sealContext keeps a token from being passed off as another sealed value.
const sealContext = "sts/session"

// ErrToken is returned for a session token that isn't one of this gateway.
var ErrToken = errors.New("sts: the session token isn't one of this gateway")

// sessions makes tokens and opens them.
type sessions struct {
	sealer Sealer
	clock  func() time.Time
	opened cache
}

// write writes a session as its token.
func (s *sessions) write(v *Session) (string, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("sts: make a token: %w", err)
	}
	sealed, err := s.sealer.Seal(plain, []byte(sealContext))
	if err != nil {
		return "", fmt.Errorf("sts: make a token: %w", err)
	}
	return base64.StdEncoding.EncodeToString(sealed), nil
}

// open returns the session of a token that came with an access key, expired or
// not.
func (s *sessions) open(accessKeyID, token string) (*Session, error) {
	if v := s.opened.get(accessKeyID, token); v != nil {
		return v, nil
	}
	sealed, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return nil, ErrToken
	}
	plain, err := s.sealer.Open(sealed, []byte(sealContext))
	if err != nil {
		return nil, ErrToken
	}
	// Of signed traffic the token is a view of the request, which is overwritten
	// by the next one.
	v := &Session{token: strings.Clone(token)}
	if err := json.Unmarshal(plain, v); err != nil || v.AccessKeyID != accessKeyID {
		return nil, ErrToken
	}
	v.credential = newCredential(v, v.token)
	s.opened.add(v, s.clock())
	return v, nil
}

// issue completes a session with keys and makes its token.
func (s *Service) issue(v *Session, at time.Time, duration time.Duration) (token string, err error) {
	if v.AccessKeyID, err = iam.NewKeyID(s.random, iam.SessionKey, v.Account); err != nil {
		return "", err
	}
	if v.Secret, err = iam.NewSecret(s.random); err != nil {
		return "", err
	}
	v.Issued = at.UTC().Truncate(time.Second)
	v.Expires = at.Add(duration).UTC().Truncate(time.Second)
	return s.sessions.write(v)
}
