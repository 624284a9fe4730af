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
