package lambda

import (
	"fmt"
	"strings"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
)

// invalid is AWS's answer to members that break a constraint of the model.
func invalid(problems ...string) *awswire.Error {
	noun := "error"
	if len(problems) > 1 {
		noun = "errors"
	}
	return &awswire.Error{
		Code:    "ValidationException",
		Status:  400,
		Message: fmt.Sprintf("%d validation %s detected: %s", len(problems), noun, strings.Join(problems, "; ")),
	}
}

func badPattern(value, member, pattern string) string {
	return fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: %s", value, member, pattern)
}

func badParameter(format string, args ...any) *awswire.Error {
	return api.NewInvalidParameterValueException(fmt.Sprintf(format, args...))
}

// tooLarge is what a request over a limit of the service gets. AWS uses this
// code without modelling it.
func tooLarge(format string, args ...any) *awswire.Error {
	return &awswire.Error{Code: "RequestEntityTooLargeException", Status: 413, Message: fmt.Sprintf(format, args...)}
}

func accessDenied(c *awswire.Call, resource string) *awswire.Error {
	return &awswire.Error{
		Code:    "AccessDeniedException",
		Status:  403,
		Message: fmt.Sprintf("User: %s is not authorized to access the resource %s of another account", c.Principal.ARN, resource),
	}
}

func functionNotFound(arn string) *awswire.Error {
	return api.NewResourceNotFoundException("Function not found: " + arn)
}

func aliasNotFound(arn string) *awswire.Error {
	return api.NewResourceNotFoundException("Cannot find alias arn: " + arn)
}

func resourceNotFound() *awswire.Error {
	return api.NewResourceNotFoundException("The resource you requested does not exist.")
}

// staleRevision is the answer to a RevisionId that isn't the present one. See
// says which operation shows that.
func staleRevision(see string) *awswire.Error {
	return api.NewPreconditionFailedException("The Revision Id provided does not match the latest Revision Id. Call the " + see + " API to retrieve the latest Revision Id")
}

// checkRevision refuses a RevisionId that was given and isn't the present one.
func checkRevision(given, present *string, see string) error {
	if given != nil && *given != str(present) {
		return staleRevision(see)
	}
	return nil
}
