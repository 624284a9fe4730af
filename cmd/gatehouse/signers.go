package main

import (
	"time"

	"gatehouse/internal/authorize"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/sts"
)

// lateSigners finds who signs traffic once the credentials are there. Requests
// start no earlier.
type lateSigners struct{ *sts.Credentials }

// Signer implements authorize.Signers.
func (s *lateSigners) Signer(accessKeyID, token string) (authorize.Signer, bool) {
	c, ok := s.Caller(accessKeyID, token)
	if !ok {
		return authorize.Signer{}, false
	}
	return authorize.Signer{Secret: c.Secret, Expires: c.Expires, Caller: c.Caller, Subject: c.Subject, Keys: c.Keys}, true
}

// Used implements authorize.Signers: keys are last used for traffic, too.
func (s *lateSigners) Used(accessKeyID, userID, region string, at time.Time) {
	s.Credentials.Used(awswire.Principal{AccessKeyID: accessKeyID, UserID: userID}, "execute-api", region, at)
}
