package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"gatehouse/internal/arn"
	cognitoidpapi "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/control/cognitoidp"
	"gatehouse/internal/control/lambda"
	"gatehouse/internal/function"
)

// poolFunctions runs the functions that user pools trigger.
type poolFunctions struct {
	directory *lambda.Directory
	strict    bool
	log       *slog.Logger
	// warned are the pairs of function and pool that the log has named.
	warned sync.Map
}

// Trigger implements cognitoidp.Invoker. AWS refuses a call that no statement of
// the function's resource policy allows; here that is so under
// --strict-permissions and for functions of other accounts, otherwise the log names
// the fix once.
func (f *poolFunctions) Trigger(ctx context.Context, functionARN, poolARN string, event []byte) ([]byte, string, error) {
	pool, err := arn.Parse(poolARN)
	if err != nil {
		return nil, "", err
	}
	const service = "cognito-idp.amazonaws.com"
	if !f.directory.Permitted(functionARN, lambda.Access{Principal: service, SourceARN: poolARN, SourceAccount: pool.Account}) {
		if f.strict || accountOf(functionARN) != pool.Account {
			return nil, "", cognitoidpapi.NewAccessDeniedException("the function's resource policy has no statement that lets " + service + " invoke it")
		}
		if _, again := f.warned.LoadOrStore(functionARN+" "+poolARN, true); !again && f.directory.Exists(functionARN) {
			f.log.Warn("AWS would refuse this call: the function's resource policy has no statement that lets "+service+" invoke it",
				"function", functionARN, "pool", poolARN,
				"fix", fmt.Sprintf("aws lambda add-permission --function-name %s --statement-id pool --action lambda:InvokeFunction --principal %s --source-arn '%s'", functionARN, service, poolARN))
		}
	}
	res, _, err := f.directory.InvokeWith(ctx, functionARN, &function.Invocation{Payload: event})
	if err != nil {
		return nil, "", err
	}
	return res.Payload, res.FunctionError, nil
}

// sentCodes returns what becomes of the codes that Cognito would mail. There is
// no mail here: on loopback the log has them, where a developer reads them.
// Elsewhere a log is no place for them; the administrator's operations do without.
func (c *config) sentCodes(log *slog.Logger) func(cognitoidp.Code) {
	shown := c.loopback()
	return func(code cognitoidp.Code) {
		if !shown {
			log.Warn("a verification code wasn't sent: this gateway has no mail",
				"pool", code.UserPoolID, "user", code.Username, "purpose", code.Purpose)
			return
		}
		log.Info("verification code", "code", code.Text, "purpose", code.Purpose, "pool", code.UserPoolID, "user", code.Username,
			"to", code.Destination)
	}
}
