package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// check compares an answer with what is expected of it, all but the log.
func (m *match) check(want *Expect, got *answer) error {
	var problems []error
	note := func(what string, err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", what, err))
		}
	}
	if want.Status != 0 && got.status != want.Status {
		note("status", fmt.Errorf("got %d, want %d", got.status, want.Status))
	}
	note("headers", m.headers(want.Headers, got.headers))
	note("lines", m.lines(want.Lines, got.lines))
	if want.Body != nil {
		note("body", m.text(*want.Body, string(got.body)))
	}
	if want.Matches != "" {
		note("body", matches(want.Matches, string(got.body)))
	}
	if want.JSON != nil {
		note("json", m.document(want.JSON, got.body, false))
	}
	if want.ExactJSON != nil {
		note("exactJson", m.document(want.ExactJSON, got.body, true))
	}
	if want.Received != nil {
		note("received", m.received(want.Received, got))
	}
	if want.Error != "" {
		note("error", m.text(want.Error, errorCode(got)))
	}
	if want.Message != "" {
		note("message", m.text(want.Message, errorMessage(got)))
	}
	if len(problems) == 0 {
		return nil
	}
	return errors.Join(append(problems, fmt.Errorf("the answer: %s", got))...)
}

func matches(pattern, body string) error {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return err
	}
	if !re.MatchString(body) {
		return differ(body, "a match of "+pattern)
	}
	return nil
}

// headers compares the header lines of the names that are expected.
func (m *match) headers(want map[string]any, got []field) error {
	var problems []error
	for _, name := range sortedKeys(want) {
		values := valuesOf(got, name)
		var lines []any
		switch w := want[name].(type) {
		case []any:
			lines = w
		default:
			if w != absent {
				lines = []any{w}
			}
		}
		if len(values) != len(lines) {
			problems = append(problems, fmt.Errorf("%s: got %d lines %q, want %d", name, len(values), values, len(lines)))
			continue
		}
		for i, line := range lines {
			if err := m.text(fmt.Sprint(line), values[i]); err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", name, err))
			}
		}
	}
	return errors.Join(problems...)
}

// lines compares header lines, which have to be there in order.
func (m *match) lines(want, got []string) error {
	var problems []error
	next := 0
	for _, line := range want {
		at := next
		for at < len(got) && m.text(line, got[at]) != nil {
			at++
		}
		if at == len(got) {
			problems = append(problems, fmt.Errorf("the line %q isn't there, or not in this order", line))
			continue
		}
		next = at + 1
	}
	return errors.Join(problems...)
}

// received compares what the backend says to have received.
func (m *match) received(want *Received, got *answer) error {
	var echo Echo
	if err := json.Unmarshal(got.body, &echo); err != nil {
		return fmt.Errorf("the answer isn't the backend's: %w", err)
	}
	var problems []error
	if want.Line != "" {
		problems = append(problems, m.text(want.Line, echo.Line))
	}
	problems = append(problems, m.headers(want.Headers, fieldsOf(echo.Headers)))
	problems = append(problems, m.lines(want.Lines, echo.Headers))
	if want.Body != nil {
		problems = append(problems, m.text(*want.Body, echo.Body))
	}
	return errors.Join(problems...)
}

// errorCode is the code of an AWS error: of a header in REST protocols, of the
// body in the others.
func errorCode(a *answer) string {
	code := a.first("x-amzn-errortype")
	if code == "" {
		var body struct {
			Type string `json:"__type"`
		}
		if json.Unmarshal(a.body, &body) == nil {
			code = body.Type
		}
	}
	code, _, _ = strings.Cut(code, ":")
	return code[strings.LastIndexByte(code, '#')+1:]
}

func errorMessage(a *answer) string {
	// The decoder doesn't look at the case, which differs by service.
	var body struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(a.body, &body) != nil {
		return ""
	}
	return body.Message
}

// String shows the whole answer.
func (a *answer) String() string {
	var b strings.Builder
	b.WriteString(a.line)
	for _, line := range a.lines {
		b.WriteString("\n" + line)
	}
	b.WriteString("\n\n" + clip(string(a.body)))
	return b.String()
}
