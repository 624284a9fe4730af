package sts

import (
	"context"
	"strings"
	"time"

	"gatehouse/internal/function"
)

// functionSession is how long the keys of a function's environment are good
// for. Environments don't outlive them.
const functionSession = 12 * time.Hour

// FunctionCredentials makes the keys that an environment of a function runs
// with. Their session is called like the function, as on AWS.
func (s *Service) FunctionCredentials(roleARN, functionARN string) (function.Credentials, error) {
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

// LambdaCanAssume tells whether a role exists and trusts Lambda.
func (s *Service) LambdaCanAssume(ctx context.Context, roleARN string) (bool, error) {
	return s.CanAssume(ctx, roleARN, "lambda.amazonaws.com")
}
