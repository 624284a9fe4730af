package compile

import (
	"errors"
	"fmt"
	"strings"
)

const variablePrefix = "${stageVariables."

// expand puts stage variables in the place of ${stageVariables.name}. The error
// names the first variable the stage doesn't have.
func expand(text string, variables map[string]string) (string, error) {
	if !strings.Contains(text, "${") {
		return text, nil
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, variablePrefix)
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, rest, ok := strings.Cut(after, "}")
		if !ok || !isVariableName(name) {
			return "", fmt.Errorf("%q is not of the form ${stageVariables.name}", variablePrefix+firstOf(after, 40))
		}
		v, ok := variables[name]
		if !ok {
			return "", &missingVariable{name}
		}
		b.WriteString(v)
		text = rest
	}
}

// A missingVariable is a stage variable that a definition names and the stage
// doesn't have. The stage runs; requests that need it fail.
type missingVariable struct{ name string }

func (m *missingVariable) Error() string { return "the stage has no variable " + m.name }

// anyVariables expands text with a value for every variable it names, to see
// whether it is well-formed around them.
func anyVariables(text, v string) (string, error) {
	variables := map[string]string{}
	for {
		expanded, err := expand(text, variables)
		var missing *missingVariable
		if !errors.As(err, &missing) {
			return expanded, err
		}
		variables[missing.name] = v
	}
}

func isVariableName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !(c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z') {
			return false
		}
	}
	return name != ""
}

func firstOf(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
