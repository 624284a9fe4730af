package lambdaevent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"gatehouse/internal/plan"
)

// An AuthorizerAnswer is what the function of a Lambda authorizer says of a
// caller. It holds nothing of the result it was read from.
type AuthorizerAnswer struct {
	// PrincipalID is who calls, "" where the function doesn't say.
	PrincipalID string
	// Policy is the text of the policy document, an object of JSON; "" in a simple
	// answer, whose word Allowed is.
	Policy  string
	Allowed bool
	// Context is what the function hands on, in its order.
	Context []plan.AuthorizerValue
	// UsageIdentifierKey is an API key, "" for none.
	UsageIdentifierKey string
}

// MaxWebSocketAnswer is the longest result of an authorizer of a WebSocket API,
// in bytes.
const MaxWebSocketAnswer = 8 << 10

// What AWS says of answers in execution logs, behind "Execution failed due to
// configuration error: ".
var (
	errNoPolicy   = errors.New("Could not parse policy")     //nolint:staticcheck // AWS's words
	errNotAnswer  = errors.New("Invalid JSON in response")   //nolint:staticcheck // AWS's words
	errAnswerSize = errors.New("Authorizer result too long") //nolint:staticcheck // UNVERIFIED: the words
)

// RESTAnswer reads the result of a REST API's or a WebSocket API's authorizer.
// The error is in AWS's words. What isn't known is an error, and so is a context
// of anything but strings, numbers and booleans; all of them are handed on as
// strings.
func RESTAnswer(result []byte) (AuthorizerAnswer, error) {
	a := answer{strict: true, context: textValue}
	return a.read(result)
}

// WebSocketAnswer is RESTAnswer for WebSocket APIs, which bound its length.
func WebSocketAnswer(result []byte) (AuthorizerAnswer, error) {
	if len(result) > MaxWebSocketAnswer {
		return AuthorizerAnswer{}, errAnswerSize
	}
	return RESTAnswer(result)
}

// HTTPAnswer10 reads the result of an HTTP API's authorizer of payload format
// 1.0.
// UNVERIFIED: that context values keep their types in events, and what comes of
// the reserved name.
func HTTPAnswer10(result []byte) (AuthorizerAnswer, error) {
	a := answer{context: func(name string, value []byte) (plan.AuthorizerValue, error) {
		if name == "claims" {
			return plan.AuthorizerValue{}, errors.New("claims is a reserved name in the context")
		}
		if value[0] == '{' || value[0] == '[' {
			return plan.AuthorizerValue{}, notScalar(name)
		}
		return jsonValue(name, value)
	}}
	return a.read(result)
}

// HTTPAnswer20 reads a policy as the result of an HTTP API's authorizer of
// payload format 2.0, whose context may hold anything.
func HTTPAnswer20(result []byte) (AuthorizerAnswer, error) {
	a := answer{context: jsonValue}
	return a.read(result)
}

// SimpleAnswer reads a simple answer: whether the caller is authorized.
func SimpleAnswer(result []byte) (AuthorizerAnswer, error) {
	a := answer{simple: true, context: jsonValue}
	return a.read(result)
}

// An answer is a result being read.
type answer struct {
	// strict refuses members that aren't known; simple wants isAuthorized in place
	// of a policy.
	strict, simple bool
	// context makes a value of the context.
	context func(name string, value []byte) (plan.AuthorizerValue, error)

	AuthorizerAnswer
	said bool
}

func (a *answer) read(result []byte) (AuthorizerAnswer, error) {
	s := scanner{data: result}
	if s.peek() != '{' {
		if value, err := s.value(); err != nil || s.more() || string(value) != "null" {
			return AuthorizerAnswer{}, errNotAnswer
		}
		return AuthorizerAnswer{}, errNoPolicy
	}
	// Syntax first: what is wrong with a member counts in a whole text only.
	if _, err := s.value(); err != nil || s.more() {
		return AuthorizerAnswer{}, errNotAnswer
	}
	s = scanner{data: result}
	if err := s.members(a.member); err != nil {
		return AuthorizerAnswer{}, err
	}
	if a.simple && !a.said {
		return AuthorizerAnswer{}, errors.New("the answer doesn't say isAuthorized")
	}
	if !a.simple && a.Policy == "" {
		return AuthorizerAnswer{}, errNoPolicy
	}
	return a.AuthorizerAnswer, nil
}

// more tells whether something is left behind a value.
func (s *scanner) more() bool {
	s.peek()
	return s.i != len(s.data)
}

// member takes one member of the answer; the last of one name counts.
func (a *answer) member(quoted, value []byte) (err error) {
	name := memberName(quoted)
	switch {
	case name == "context":
		return a.readContext(value)
	case a.simple:
		if name == "isAuthorized" {
			a.said, a.Allowed = value[0] == 't' || value[0] == 'f', value[0] == 't'
		}
	case name == "principalId":
		a.PrincipalID, err = answerText(name, value)
	case name == "usageIdentifierKey":
		a.UsageIdentifierKey, err = answerText(name, value)
	case name == "policyDocument":
		a.Policy = ""
		switch value[0] {
		case '{':
			a.Policy = string(value)
		case 'n':
		default:
			return errNoPolicy
		}
	case a.strict:
		return fmt.Errorf("%w: Unrecognized field %q , not marked as ignorable", errNotAnswer, name)
	}
	return err
}

func (a *answer) readContext(value []byte) error {
	a.Context = nil
	switch value[0] {
	case 'n':
		return nil
	case '{':
	default:
		return fmt.Errorf("%w: context isn't an object", errNotAnswer)
	}
	s := scanner{data: value}
	return s.members(func(quoted, value []byte) error {
		name := memberName(quoted)
		if value[0] == 'n' && a.strict {
			// UNVERIFIED: that null is as if it weren't there.
			return nil
		}
		v, err := a.context(name, value)
		if err != nil {
			return err
		}
		for i := range a.Context {
			if a.Context[i].Name == name {
				a.Context[i] = v
				return nil
			}
		}
		a.Context = append(a.Context, v)
		return nil
	})
}

// maxShownName is how much of a name is repeated in an error.
const maxShownName = 100

func notScalar(name string) error {
	return fmt.Errorf("%w: %.*q in the context isn't a string, a number or a boolean", errNotAnswer, maxShownName, name)
}

// textValue makes a value that is a string everywhere.
func textValue(name string, value []byte) (plan.AuthorizerValue, error) {
	switch value[0] {
	case '{', '[':
		return plan.AuthorizerValue{}, notScalar(name)
	}
	text := scalarText(value)
	return plan.AuthorizerValue{Name: name, Text: text, JSON: string(appendString(nil, text))}, nil
}

// jsonValue makes a value that keeps its type in events.
func jsonValue(name string, value []byte) (plan.AuthorizerValue, error) {
	v := plan.AuthorizerValue{Name: name}
	switch value[0] {
	case '{', '[':
		var b bytes.Buffer
		if err := json.Compact(&b, value); err != nil {
			return v, errNotAnswer
		}
		v.JSON = strings.ToValidUTF8(b.String(), "\ufffd")
		v.Text = v.JSON
	case '"':
		v.Text = scalarText(value)
		v.JSON = string(appendString(nil, v.Text))
	default:
		v.Text = string(value)
		v.JSON = v.Text
	}
	return v, nil
}

// answerText is the text of a member that is a string; numbers and booleans are
// taken as they are written, null is "".
func answerText(name string, value []byte) (string, error) {
	switch value[0] {
	case '{', '[':
		return "", fmt.Errorf("%w: %s isn't a string", errNotAnswer, name)
	case 'n':
		return "", nil
	}
	return scalarText(value), nil
}

// scalarText is the text of a checked string, number or boolean, in memory of
// its own.
func scalarText(value []byte) string {
	if value[0] != '"' {
		return string(value)
	}
	return strings.ToValidUTF8(string(unquote(bytes.Clone(value))), "\ufffd")
}

// memberName is the text of a quoted name in memory of its own.
func memberName(quoted []byte) string { return scalarText(quoted) }
