package lambda

import (
	"fmt"
	"strings"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
)

// latest is the qualifier of a function's unpublished version.
const latest = "$LATEST"

// AWS's patterns, quoted in its constraint errors. The first is that of
// operations on a function that exists, the second that of CreateFunction.
const (
	functionNamePattern  = `(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?`
	createNamePattern    = `(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?`
	qualifierPattern     = `\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+`
	maxCreateNameLength  = 140
	maxFunctionNameBytes = 64
	maxQualifierLength   = 128
)

// A Name is a function as a caller may write it: a bare name, a partial ARN or
// a whole one, each with or without a qualifier.
type Name struct {
	// Region and Account are empty where the text has none.
	Region, Account string
	// Function is the bare name.
	Function string
	// Qualifier is a version number, $LATEST, an alias, or empty.
	Qualifier string
}

// ParseName reads a function name in any of the forms AWS accepts.
func ParseName(s string) (Name, bool) {
	return parseName(s, true)
}

// parseName reads the forms of functionNamePattern when existing is true, else
// those of createNamePattern, which knows no dots and no $LATEST.PUBLISHED.
func parseName(s string, existing bool) (Name, bool) {
	var n Name
	rest := s
	if after, ok := cutARNPrefix(s); ok {
		rest = after
	}
	before := rest // where the last optional part began
	if region, after, ok := strings.Cut(rest, ":"); ok && isRegion(region) {
		n.Region, before, rest = region, rest, after
	}
	if account, after, ok := strings.Cut(rest, ":"); ok && isAccount(account) {
		n.Account, before, rest = account, rest, after
	}
	if after, ok := strings.CutPrefix(rest, "function:"); ok {
		before, rest = rest, after
	}
	if strings.HasPrefix(rest, "$") && before != rest {
		// What looked like a prefix is the name itself, as in "function:$LATEST".
		name, _, _ := strings.Cut(before, ":")
		switch name {
		case n.Account:
			n.Account = ""
		case n.Region:
			n.Region = ""
		}
		rest = before
	}
	name, qualifier, qualified := strings.Cut(rest, ":")
	if !isName(name, existing) {
		return Name{}, false
	}
	if qualified {
		ok := qualifier == latest || existing && qualifier == latest+".PUBLISHED" || isName(qualifier, false)
		if !ok {
			return Name{}, false
		}
	}
	n.Function, n.Qualifier = name, qualifier
	return n, true
}

// cutARNPrefix takes "arn:aws:lambda:" off; the partition may be empty.
func cutARNPrefix(s string) (string, bool) {
	rest, ok := strings.CutPrefix(s, "arn:")
	if !ok {
		return s, false
	}
	partition, rest, ok := strings.Cut(rest, ":")
	if !ok || partition != "" && !isPartition(partition) {
		return s, false
	}
	rest, ok = strings.CutPrefix(rest, "lambda:")
	return rest, ok
}

func isPartition(s string) bool {
	tail, ok := strings.CutPrefix(s, "aws")
	for i := range len(tail) {
		if c := tail[i]; !isLetter(c) && c != '-' {
			return false
		}
	}
	return ok
}

// isRegion tells whether s has the shape of a region, such as eu-west-1,
// us-gov-east-1, us-isob-east-1 or eusc-de-east-1.
func isRegion(s string) bool {
	s = strings.TrimPrefix(s, "eusc-")
	if len(s) < 2 || !isLower(s[0]) || !isLower(s[1]) {
		return false
	}
	return isRegionTail(s[2:]) || isRegionTail(cutPartitionMark(s[2:]))
}

// cutPartitionMark takes "-gov" or "-iso", with its letter, off.
func cutPartitionMark(s string) string {
	if rest, ok := strings.CutPrefix(s, "-gov"); ok {
		return rest
	}
	if rest, ok := strings.CutPrefix(s, "-iso"); ok {
		if rest != "" && isLower(rest[0]) {
			rest = rest[1:]
		}
		return rest
	}
	return s
}

// isRegionTail matches -[a-z]+-[0-9].
func isRegionTail(s string) bool {
	if len(s) < 4 || s[0] != '-' {
		return false
	}
	i := 1
	for i < len(s) && isLower(s[i]) {
		i++
	}
	return i > 1 && i == len(s)-2 && s[i] == '-' && isDigit(s[i+1])
}

func isAccount(s string) bool {
	return len(s) == 12 && isNumber(s)
}

func isName(s string, dots bool) bool {
	for i := range len(s) {
		c := s[i]
		if !isLetter(c) && !isDigit(c) && c != '-' && c != '_' && (c != '.' || !dots) {
			return false
		}
	}
	return s != ""
}

// isQualifier matches qualifierPattern, which is wider than what can exist.
func isQualifier(s string) bool {
	return s == latest+".PUBLISHED" || isName(strings.ReplaceAll(s, "$", "_"), false)
}

// isNumber tells whether a qualifier is a version number.
func isNumber(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

func isAlias(qualifier string) bool {
	return qualifier != "" && qualifier != latest && !isNumber(qualifier)
}

func isLower(c byte) bool  { return 'a' <= c && c <= 'z' }
func isLetter(c byte) bool { return isLower(c | 0x20) }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// functionARN is a function's ARN, qualified unless qualifier is empty.
func functionARN(region, account, name, qualifier string) string {
	s := "arn:" + arn.Partition(region) + ":lambda:" + region + ":" + account + ":function:" + name
	if qualifier != "" {
		s += ":" + qualifier
	}
	return s
}

// A target is the function an operation is about, in the caller's own account
// and region.
type target struct {
	scope     scope
	name      string
	qualifier string // as given; empty when there was none
}

// arn is the function's ARN with the qualifier as given.
func (t target) arn() string { return t.qualified(t.qualifier) }

// qualified is the function's ARN with another qualifier, or none.
func (t target) qualified(qualifier string) string {
	return functionARN(t.scope.Region, t.scope.Account, t.name, qualifier)
}

// resolve reads the FunctionName and Qualifier members of an operation.
func resolve(c *awswire.Call, name, qualifier *string) (target, error) {
	var problems []string
	q := str(qualifier)
	if qualifier != nil {
		switch {
		case len(q) > maxQualifierLength:
			problems = append(problems, fmt.Sprintf("Value '%s' at 'qualifier' failed to satisfy constraint: Member must have length less than or equal to %d", q, maxQualifierLength))
		case !isQualifier(q):
			problems = append(problems, fmt.Sprintf("Value '%s' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: %s", q, qualifierPattern))
		}
	}
	n, ok := ParseName(str(name))
	if !ok {
		problems = append(problems, fmt.Sprintf("Value '%s' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: %s", str(name), functionNamePattern))
	}
	if len(problems) > 0 {
		return target{}, invalid(problems...)
	}
	if n.Qualifier != "" && q != "" && n.Qualifier != q {
		return target{}, api.NewInvalidParameterValueException("The derived qualifier from the function name does not match the specified qualifier.")
	}
	if q == "" {
		q = n.Qualifier
	}
	t := target{scope: scopeOf(c), name: n.Function, qualifier: q}
	return t, reachable(c, n)
}

// resolveUnqualified reads the FunctionName of an operation that has no
// qualifier and means the function as a whole.
func resolveUnqualified(c *awswire.Call, name *string) (target, error) {
	t, err := resolve(c, name, nil)
	if err != nil {
		return t, err
	}
	if t.qualifier != "" && t.qualifier != latest {
		return t, api.NewInvalidParameterValueException("This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.")
	}
	t.qualifier = ""
	return t, nil
}

// reachable refuses a name in a region or an account other than the call's.
func reachable(c *awswire.Call, n Name) error {
	if n.Region != "" && n.Region != c.Region {
		return api.NewResourceNotFoundException(fmt.Sprintf("Functions from '%s' are not reachable in this region ('%s')", n.Region, c.Region))
	}
	if n.Account != "" && n.Account != c.Account {
		return accessDenied(c, functionARN(c.Region, n.Account, n.Function, n.Qualifier))
	}
	return nil
}
