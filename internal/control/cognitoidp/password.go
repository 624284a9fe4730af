package cognitoidp

import (
	"context"
	"slices"
	"strings"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
	"gatehouse/internal/userpool"
)

// policyOf is what a pool asks of passwords.
func policyOf(p *api.UserPoolType) userpool.Policy {
	policy := p.Policies.PasswordPolicy
	return userpool.Policy{
		MinimumLength: int(*policy.MinimumLength), Uppercase: *policy.RequireUppercase, Lowercase: *policy.RequireLowercase,
		Numbers: *policy.RequireNumbers, Symbols: *policy.RequireSymbols,
	}
}

// checkPassword compares a new password with the pool's policy.
func checkPassword(p *api.UserPoolType, password *string) error {
	if what := policyOf(p).Refuse(value(password)); what != "" {
		return api.NewInvalidPasswordException("Password did not conform with policy: " + what)
	}
	return nil
}

// poolSuffix is the part of a pool's id that SRP hashes.
func poolSuffix(id string) string { return id[strings.IndexByte(id, '_')+1:] }

// newPassword makes what is kept of a password of a user, whose present password
// old is. It takes a while, so it isn't done within a transaction.
func (s *Service) newPassword(ctx context.Context, p *api.UserPoolType, username, password string, old passwordDoc) (passwordDoc, error) {
	size := int(value(p.Policies.PasswordPolicy.PasswordHistorySize))
	earlier := old.Earlier
	if old.Hash != "" {
		earlier = append([]string{old.Hash}, earlier...)
	}
	earlier = slices.Clone(earlier[:min(len(earlier), size)])
	for _, hash := range earlier {
		same, err := s.hasher.Check(ctx, hash, password)
		if err != nil {
			return passwordDoc{}, busy(err)
		}
		if same {
			return passwordDoc{}, api.NewPasswordHistoryPolicyViolationException("Password has previously been used.") // UNVERIFIED wording
		}
	}
	hash, err := s.hasher.Hash(ctx, password)
	if err != nil {
		return passwordDoc{}, busy(err)
	}
	var v userpool.Verifier
	if err2 := s.hasher.Do(ctx, func() { v, err = s.srp.Verifier(poolSuffix(*p.Id), username, password) }); err2 != nil {
		return passwordDoc{}, busy(err2)
	}
	if err != nil {
		return passwordDoc{}, err
	}
	return passwordDoc{Hash: hash, Salt: v.Salt, Verifier: v.Value, Earlier: earlier}, nil
}

// temporaryUntil is when a temporary password that is set now expires.
func temporaryUntil(p *api.UserPoolType, at time.Time) time.Time {
	return at.UTC().AddDate(0, 0, int(*p.Policies.PasswordPolicy.TemporaryPasswordValidityDays))
}

// AdminSetUserPassword gives a user a password, for good or until the next
// sign-in.
func (s *Service) AdminSetUserPassword(c *awswire.Call, in *api.AdminSetUserPasswordRequest) (*api.AdminSetUserPasswordResponse, error) {
	var u *user
	err := s.viewUser(c, in.UserPoolId, in.Username, func(_ *store.Tx, found *user) error {
		u = found
		return checkPassword(found.pool, in.Password)
	})
	if err != nil {
		return nil, err
	}
	password, err := s.newPassword(c, u.pool, u.Username, *in.Password, u.Password)
	if err != nil {
		return nil, err
	}
	_, err = s.writeUser(c, c.Time, u, func(_ *store.Tx, u *user) error {
		u.Status = api.UserStatusTypeConfirmed
		if !value(in.Permanent) {
			u.Status = api.UserStatusTypeForceChangePassword
			password.Expires = temporaryUntil(u.pool, c.Time)
		}
		u.Password = password
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.AdminSetUserPasswordResponse{}, nil
}

// AdminResetUserPassword has a user choose a new password by a code that is sent.
func (s *Service) AdminResetUserPassword(c *awswire.Call, in *api.AdminResetUserPasswordRequest) (*api.AdminResetUserPasswordResponse, error) {
	var sent Code
	err := s.changeUser(c, in.UserPoolId, in.Username, func(_ *store.Tx, u *user) error {
		if u.Status != api.UserStatusTypeConfirmed && u.Status != api.UserStatusTypeResetRequired {
			return notAuthorized("User password cannot be reset in the current state.")
		}
		var err error
		if sent, err = s.recoveryCode(c, u); err != nil {
			return err
		}
		u.Status = api.UserStatusTypeResetRequired
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.send(sent)
	return &api.AdminResetUserPasswordResponse{}, nil
}
