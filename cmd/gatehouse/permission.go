package main

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"gatehouse/internal/compile"
	"gatehouse/internal/control/lambda"
	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
)

var errNotPermitted = errors.New("its resource policy has no statement that lets apigateway.amazonaws.com invoke it for this route")

// A permission asks a function's resource policy whether an API may invoke it.
// AWS refuses a call that no statement allows. Here that is so under
// --strict-permissions; otherwise the call goes through and the log names the
// fix, once per integration.
type permission struct {
	directory *lambda.Directory
	function  string
	strict    bool
	log       *slog.Logger
	warn      sync.Once
}

func newPermission(d *lambda.Directory, call compile.LambdaCall, strict bool, log *slog.Logger) *permission {
	function := call.FunctionARN
	if call.Qualifier != "" {
		function += ":" + call.Qualifier
	}
	return &permission{directory: d, function: function, strict: strict, log: log}
}

// check implements integrate.LambdaTarget.Permitted.
func (p *permission) check(x *plan.Exchange) error {
	if p.strict {
		if !p.permitted(x) {
			return errNotPermitted
		}
		return nil
	}
	p.warn.Do(func() {
		if !p.permitted(x) && p.directory.Exists(p.function) {
			p.log.Warn("AWS would refuse this call: "+errNotPermitted.Error(),
				"function", p.function, "api", x.Stage.API.ID, "route", x.Route.Key,
				"fix", fmt.Sprintf("aws lambda add-permission --function-name %s --statement-id api --action lambda:InvokeFunction --principal apigateway.amazonaws.com --source-arn '%s'", p.function, integrate.SourceARN(x)))
		}
	})
	return nil
}

func (p *permission) permitted(x *plan.Exchange) bool {
	return p.directory.Permitted(p.function, lambda.Access{
		Principal: gatewayService, SourceARN: integrate.SourceARN(x), SourceAccount: x.Stage.API.AccountID,
	})
}
