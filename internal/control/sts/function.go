package sts

import (
	"context"
	"errors"
	"strings"
	"time"

	"gatehouse/internal/control/iam"
	"gatehouse/internal/function"
)

// functionSession is how long the keys of a function's environment are good
// for. Environments don't outlive them.
const functionSession = 12 * time.Hour

// FunctionCredentials makes the keys that an environment of a function runs
// with. Their session is called like the function, as on AWS. In strict mode a
// role that doesn't trust Lambda gets none: whoever may pass a role could
// otherwise become what only others may.
func (s *Service) FunctionCredentials(roleARN, functionARN string) (function.Credentials, error) {
	if s.strict {
		if err := s.trustsLambda(roleARN); err != nil {
			return function.Credentials{}, err
		}
	}
	name := functionARN[strings.LastIndexByte(functionARN, ':')+1:]
	v, err := s.sessionOf(context.Background(), roleARN, name)
	if err != nil {
		return function.Credentials{}, err
	}
	v.FunctionARN = functionARN
	token, err := s.issue(v, s.clock(), functionSession)
	if err != nil {
		return function.Credentials{}, err
	}
	return function.Credentials{AccessKeyID: v.AccessKeyID, SecretAccessKey: v.Secret, SessionToken: token, Expires: v.Expires}, nil
}

// trustsLambda is an error for a role that is there and doesn't trust Lambda.
func (s *Service) trustsLambda(roleARN string) error {
	ok, err := s.LambdaCanAssume(context.Background(), roleARN)
	if ok || err != nil {
		return err
	}
	if _, err = s.roles.Role(context.Background(), roleARN); errors.Is(err, iam.ErrNoRole) {
		return nil // it has nothing to give
	}
	if err == nil {
		err = errors.New("its trust policy doesn't let lambda.amazonaws.com in")
	}
	return err
}

// LambdaCanAssume tells whether a role exists and trusts Lambda.
func (s *Service) LambdaCanAssume(ctx context.Context, roleARN string) (bool, error) {
	return s.CanAssume(ctx, roleARN, "lambda.amazonaws.com")
}
