package compile

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"gatehouse/internal/arn"
)

// A functionRef names a Lambda function, and a version or alias of it.
type functionRef struct {
	// ARN is that of the function, without a qualifier.
	ARN                   string
	Account, Region, Name string
	Qualifier             string
}

var (
	functionName = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,64}$`)
	qualifier    = regexp.MustCompile(`^(\$LATEST|[a-zA-Z0-9-_]{1,128})$`)
)

const (
	invocationPrefix = "path/2015-03-31/functions/"
	invocationSuffix = "/invocations"
	// The same for a function that streams its response.
	streamingPrefix = "path/2021-11-15/functions/"
	streamingSuffix = "/response-streaming-invocations"
)

// cutInvocation returns the function in the resource of API Gateway's own ARN.
// AWS takes a doubled slash for one.
func cutInvocation(resource string) (function string, ok bool) {
	resource = strings.Replace(resource, "path//", "path/", 1)
	if inner, found := strings.CutPrefix(resource, streamingPrefix); found {
		return strings.CutSuffix(inner, streamingSuffix)
	}
	inner, found := strings.CutPrefix(resource, invocationPrefix)
	if !found {
		return "", false
	}
	return strings.CutSuffix(inner, invocationSuffix)
}

// parseFunction takes apart what an integration of type AWS_PROXY may name: a
// function's ARN, qualified or not, or API Gateway's own ARN around one.
func parseFunction(uri string) (functionRef, error) {
	a, err := arn.Parse(uri)
	if err != nil {
		return functionRef{}, fmt.Errorf("%q is not an ARN", uri)
	}
	if a.Service == "apigateway" {
		inner, ok := cutInvocation(a.Resource)
		if a.Account != "lambda" || !ok {
			return functionRef{}, fmt.Errorf("%q is not of the form arn:aws:apigateway:{region}:lambda:%s{function ARN}%s", uri, invocationPrefix, invocationSuffix)
		}
		if a, err = arn.Parse(inner); err != nil {
			return functionRef{}, fmt.Errorf("%q is not an ARN", inner)
		}
	}
	parts := strings.Split(a.Resource, ":")
	if a.Service != "lambda" || parts[0] != "function" || len(parts) < 2 || len(parts) > 3 {
		return functionRef{}, errors.New("not the ARN of a Lambda function")
	}
	f := functionRef{Account: a.Account, Region: a.Region, Name: parts[1]}
	if !functionName.MatchString(f.Name) {
		return functionRef{}, fmt.Errorf("%q is not a function name", f.Name)
	}
	if a.Region == "" || a.Account == "" {
		return functionRef{}, errors.New("the function's ARN lacks region or account")
	}
	if len(parts) == 3 {
		f.Qualifier = parts[2]
		if !qualifier.MatchString(f.Qualifier) {
			return functionRef{}, fmt.Errorf("%q is not a version or an alias", f.Qualifier)
		}
	}
	a.Resource = "function:" + f.Name
	f.ARN = a.String()
	return f, nil
}
