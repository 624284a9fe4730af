package sts

import (
	"context"
	"time"

	"gatehouse/internal/awswire/sigv4"
)

const (
	// gatewaySession is how long the keys of an integration's role are good for.
	gatewaySession = time.Hour
	// gatewaySessionName is what AWS calls the sessions of integrations' roles.
	gatewaySessionName = "BackplaneAssumeRoleSession"
)

// GatewayCaller is who calls once API Gateway has assumed a role. One that isn't
// there may do nothing.
func (s *Service) GatewayCaller(ctx context.Context, roleARN string) (Caller, error) {
	v, err := s.sessionOf(ctx, roleARN, gatewaySessionName)
	if err != nil {
		return Caller{}, err
	}
	return s.Credentials.ofSession(v), nil
}

// Generation counts the changes of roles and policies: what [Service.GatewayCaller]
// returned is true while it stays the same as it was before.
func (s *Service) Generation() uint64 { return s.Credentials.directory.Generation() }

// GatewayKeys makes the keys that an integration with the role calls this
// gateway's own services with. Whether API Gateway may assume the role was for
// the caller to decide.
func (s *Service) GatewayKeys(ctx context.Context, roleARN string) (keys sigv4.Keys, expires time.Time, err error) {
	v, err := s.sessionOf(ctx, roleARN, gatewaySessionName)
	if err != nil {
		return sigv4.Keys{}, time.Time{}, err
	}
	token, err := s.issue(v, s.clock(), gatewaySession)
	if err != nil {
		return sigv4.Keys{}, time.Time{}, err
	}
	return sigv4.Keys{AccessKeyID: v.AccessKeyID, Secret: v.Secret, Token: token}, v.Expires, nil
}
