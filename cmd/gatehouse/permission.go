package main

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"gatehouse/internal/arn"
	"gatehouse/internal/control/lambda"
	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
	"gatehouse/internal/policy"
)

var errNotPermitted = errors.New("its resource policy has no statement that lets apigateway.amazonaws.com invoke it for this source")

// functionPolicies are the resource policies of functions; *lambda.Directory has them.
type functionPolicies interface {
	Exists(functionARN string) bool
	Permitted(functionARN string, a lambda.Access) bool
	// ResourcePolicy is the policy itself; nil for none.
	ResourcePolicy(functionARN string) *policy.Document
}

// A permission asks a function's resource policy whether an API may invoke it.
// AWS refuses a call that no statement allows. Here that is so under
// --strict-permissions and for functions of other accounts; otherwise the call goes
// through and the log names the fix, once per integration or authorizer.
type permission struct {
	directory functionPolicies
	function  string
	// owner is the account that the function is of.
	owner  string
	strict bool
	log    *slog.Logger
	warn   sync.Once
}

// newPermission makes one for a function by its ARN, qualified or not.
func newPermission(d functionPolicies, function string, strict bool, log *slog.Logger) *permission {
	return &permission{directory: d, function: function, owner: accountOf(function), strict: strict, log: log}
}

// accountOf is the account in an ARN, "" in what is none.
func accountOf(text string) string {
	a, err := arn.Parse(text)
	if err != nil {
		return ""
	}
	return a.Account
}

// check implements integrate.LambdaTarget.Permitted.
func (p *permission) check(x *plan.Exchange) error { return p.checkSource(x, integrate.SourceARN(x)) }

// checkSource is check for a call whose source isn't the route.
func (p *permission) checkSource(x *plan.Exchange, source string) error {
	if p.strict || p.owner != x.Stage.API.AccountID {
		if !p.permitted(x, source) {
			return errNotPermitted
		}
		return nil
	}
	p.warn.Do(func() {
		if !p.permitted(x, source) && p.directory.Exists(p.function) {
			p.log.Warn("AWS would refuse this call: "+errNotPermitted.Error(),
				"function", p.function, "api", x.Stage.API.ID, "route", x.Route.Key,
				"fix", fmt.Sprintf("aws lambda add-permission --function-name %s --statement-id api --action lambda:InvokeFunction --principal apigateway.amazonaws.com --source-arn '%s'", p.function, source))
		}
	})
	return nil
}

func (p *permission) permitted(x *plan.Exchange, source string) bool {
	return p.directory.Permitted(p.function, lambda.Access{
		Principal: gatewayService, SourceARN: source, SourceAccount: x.Stage.API.AccountID,
	})
}
